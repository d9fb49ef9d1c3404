#include <string.h>

#include "base/date.h"
#include "profiles/der/der.h"
#include "profiles/existing.h"
#include "support.h"

static const unsigned char one[] = { 0x01 }, two[] = { 0x02 },
			   big[] = { 0x00, 0x80 },
			   long_one[20] = { 0x7f, 0xff };

struct world {
	EVP_PKEY *key;
	X509 *ca;
	struct profile *profile;
	struct crl_request req;
};

static void
world_open(struct world *w, const char *type)
{
	*w = (struct world){ .key = key(type, 0) };
	w->ca = root_of(w->key);
	w->profile = load("ca-crl", NULL, NULL);
	w->req = (struct crl_request){
		.profile = w->profile,
		.issuer = w->ca,
		.number = 1,
		.now = now,
		.place = "plan.yaml:9:3",
	};
}

static void
world_close(struct world *w)
{
	X509_free(w->ca);
	profile_free(w->profile);
}

static X509_CRL *
issue_crl(const struct world *w)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len, spki_len;
	AUTO_BYTES(spki) = spki_of(w->key, &spki_len);
	X509_CRL *crl = NULL;

	assert_int_equal(crl_check(&w->req, &findings), 0);
	assert_clean(&findings);
	assert_int_equal(crl_build(&w->req, &tbs), 0);
	der = sign(&tbs, w->key, &len);
	assert_int_equal(object_verify(&tbs, spki, spki_len, der, len), 0);
	assert_int_equal(crl_read("x.crl", der, len, &crl), 0);
	assert_int_equal(X509_CRL_verify(crl, w->key), 1);
	return crl;
}

static void
refused(const struct crl_request *req, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };

	assert_int_equal(crl_check(req, &findings), 0);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
	assert_string_equal(findings.rows[0].place, "plan.yaml:9:3");
	assert_int_equal(crl_build(req, &tbs), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(tbs.der);
	ca_error_clear();
}

static void
test_empty(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		struct world w;
		AUTO(X509_CRL) *crl = NULL;

		world_open(&w, type->name);
		crl = issue_crl(&w);
		assert_null(X509_CRL_get_REVOKED(crl));
		assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
		world_close(&w);
	}
}

static void
test_fields(void **state)
{
	const struct crl_entry entries[] = {
		{ one, sizeof one, now - DAY, REASON_KEY_COMPROMISE, 0 },
		{ two, sizeof two, now, REASON_NONE, 0 },
		{ big, sizeof big, 915148800, REASON_SUPERSEDED, 0 },
		{ long_one, sizeof long_one, now - 1, REASON_CESSATION, 0 },
	};
	struct world w;
	AUTO(X509_CRL) *crl = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTHORITY_KEYID *aki;
	ASN1_INTEGER *number;
	const unsigned char *name;
	size_t name_len;
	int64_t date;
	X509_REVOKED *revoked;

	(void)state;
	world_open(&w, "p-384");
	w.req.entries = entries;
	w.req.entry_count = 4;
	w.req.number = 0xfedcba9876543210;
	crl = issue_crl(&w);
	assert_int_equal(certificate_facts(w.ca, &facts), 0);
	assert_int_equal(
	    X509_NAME_get0_der(X509_CRL_get_issuer(crl), &name, &name_len), 1);
	assert_int_equal(name_len, facts.subject_len);
	assert_memory_equal(name, facts.subject_der, name_len);
	assert_int_equal(
	    date_from_asn1(X509_CRL_get0_lastUpdate(crl), &date), 0);
	assert_true(date == now);
	assert_int_equal(
	    date_from_asn1(X509_CRL_get0_nextUpdate(crl), &date), 0);
	assert_true(date == now + 182LL * DAY - 1);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 4);
	assert_int_equal(X509_CRL_get_ext_count(crl), 2);
	aki =
	    X509_CRL_get_ext_d2i(crl, NID_authority_key_identifier, NULL, NULL);
	assert_int_equal(
	    ASN1_OCTET_STRING_cmp(aki->keyid, X509_get0_subject_key_id(w.ca)),
	    0);
	assert_null(aki->issuer);
	assert_null(aki->serial);
	AUTHORITY_KEYID_free(aki);
	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	{
		uint64_t value;

		assert_int_equal(ASN1_INTEGER_get_uint64(&value, number), 1);
		assert_true(value == 0xfedcba9876543210);
	}
	ASN1_INTEGER_free(number);
	/* No reason: no extension. */
	revoked = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 1);
	assert_int_equal(X509_REVOKED_get_ext_count(revoked), 0);
	world_close(&w);
}

/* rules.md, appendix A: reasonCode keyCompromise; and no empty list. */
static void
test_bytes(void **state)
{
	static const unsigned char reason[] = { 0x30, 0x0a, 0x06, 0x03, 0x55,
		0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01, 0x01 };
	static const unsigned char version[] = { 0x02, 0x01, 0x01 };
	const struct crl_entry entry = { one, sizeof one, now,
		REASON_KEY_COMPROMISE, 0 };
	struct world w;
	AUTO_STRUCT(tbs) with = { 0 };
	AUTO_STRUCT(tbs) without = { 0 };
	struct der in, body;

	(void)state;
	world_open(&w, "p-256");
	w.req.entries = &entry;
	w.req.entry_count = 1;
	assert_int_equal(crl_build(&w.req, &with), 0);
	assert_non_null(memmem(with.der, with.len, reason, sizeof reason));
	w.req.entry_count = 0;
	assert_int_equal(crl_build(&w.req, &without), 0);
	in = (struct der){ without.der, without.len };
	assert_true(der_take(&in, DER_SEQUENCE, &body, NULL));
	assert_memory_equal(body.p, version, sizeof version);
	assert_true(der_take(&body, DER_INTEGER, NULL, NULL));
	assert_true(der_take(&body, DER_SEQUENCE, NULL, NULL));
	assert_true(der_take(&body, DER_SEQUENCE, NULL, NULL));
	assert_true(der_take(&body, 0x17, NULL, NULL));
	assert_true(der_take(&body, 0x17, NULL, NULL));
	assert_true(der_take(&body, DER_CONTEXT_0, NULL, NULL));
	assert_int_equal(body.len, 0);
	world_close(&w);
}

static void
test_time_forms(void **state)
{
	AUTO_PTR(profile) *root = load("root", "max: 9132d", "max: 20000d");
	struct world w;
	AUTO(X509) *ca = NULL;
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 0), &len);
	struct certificate_request req = request(root, NULL, spki, len);
	int64_t last_2049;

	(void)state;
	world_open(&w, "p-256");
	req.validity = 20000LL * DAY;
	ca = issue(&req, w.key);
	w.req.issuer = ca;
	assert_int_equal(date_parse("2049-12-31T23:59:59Z", &last_2049), 0);
	w.req.validity = 10LL * DAY;
	for (int64_t extra = 0; extra < 2; extra++) {
		const struct crl_entry entry = { one, sizeof one,
			last_2049 + extra, REASON_NONE, 0 };
		AUTO(X509_CRL) *crl = NULL;
		int type = extra == 0 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME;

		w.req.now = last_2049 + extra;
		w.req.entries = &entry;
		w.req.entry_count = 1;
		crl = issue_crl(&w);
		assert_int_equal(
		    ASN1_STRING_type(X509_CRL_get0_lastUpdate(crl)), type);
		assert_int_equal(
		    ASN1_STRING_type(X509_CRL_get0_nextUpdate(crl)),
		    V_ASN1_GENERALIZEDTIME);
		assert_int_equal(
		    ASN1_STRING_type(X509_REVOKED_get0_revocationDate(
			sk_X509_REVOKED_value(X509_CRL_get_REVOKED(crl), 0))),
		    type);
	}
	world_close(&w);
}

static void
test_openssl_uses_it(void **state)
{
	struct world w;
	AUTO_PTR(profile) *sub = load("issuing-ca", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 1), &len);
	AUTO(X509) *child = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	(void)state;
	world_open(&w, "p-384");
	{
		struct certificate_request req = request(sub, w.ca, spki, len);

		child = issue(&req, w.key);
	}
	assert_int_equal(certificate_facts(child, &facts), 0);
	for (size_t count = 0; count < 2; count++) {
		const struct crl_entry entry = { facts.serial, facts.serial_len,
			now, REASON_SUPERSEDED, 0 };
		X509_STORE *store = X509_STORE_new();
		X509_STORE_CTX *ctx = X509_STORE_CTX_new();
		AUTO(X509_CRL) *crl = NULL;

		w.req.entries = &entry;
		w.req.entry_count = count;
		crl = issue_crl(&w);
		assert_int_equal(X509_STORE_add_cert(store, w.ca), 1);
		assert_int_equal(X509_STORE_add_crl(store, crl), 1);
		assert_int_equal(
		    X509_STORE_CTX_init(ctx, store, child, NULL), 1);
		X509_STORE_CTX_set_flags(ctx,
		    X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
			X509_V_FLAG_X509_STRICT);
		X509_STORE_CTX_set_time(ctx, 0, now);
		assert_int_equal(X509_verify_cert(ctx), count == 0 ? 1 : 0);
		assert_int_equal(X509_STORE_CTX_get_error(ctx),
		    count == 0 ? X509_V_OK : X509_V_ERR_CERT_REVOKED);
		X509_STORE_CTX_free(ctx);
		X509_STORE_free(store);
	}
	world_close(&w);
}

static void
test_refused_validity(void **state)
{
	AUTO_PTR(profile) *min =
	    load("ca-crl", "max: 365d", "min: 30d\n  max: 365d");
	struct world w;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	(void)state;
	world_open(&w, "p-256");
	assert_int_equal(certificate_facts(w.ca, &facts), 0);
	w.req.validity = 365LL * DAY;
	X509_CRL_free(issue_crl(&w));
	w.req.validity++;
	refused(&w.req, "PROFILE-VALIDITY");
	w.req.validity = 1;
	refused(&w.req, "CRL-NEXTUPDATE-PRESENT");
	w.req.validity = 30LL * DAY;
	w.req.now = facts.not_after + 1 - w.req.validity;
	X509_CRL_free(issue_crl(&w)); /* ends with its issuer */
	w.req.now++;
	refused(&w.req, "FLD-TIME-NESTED");
	w.req.now = facts.not_after + 1;
	refused(&w.req, "ISSUER-VALID");
	w.req.now = facts.not_before - 1;
	refused(&w.req, "ISSUER-VALID");
	w.req.now = -1;
	refused(&w.req, "CRL-NEXTUPDATE-PRESENT");
	w.req.now = 253402300799;
	refused(&w.req, "FLD-TIME-NO9999");
	w.req.now = now;
	w.req.profile = min;
	w.req.validity = 30LL * DAY - 1;
	refused(&w.req, "PROFILE-VALIDITY");
	world_close(&w);
}

static void
test_refused_entries(void **state)
{
	static const unsigned char zero[] = { 0x00 }, negative[] = { 0x80 },
				   padded[] = { 0x00, 0x01 },
				   too_long[21] = { 0x01 };
	const struct {
		const char *id;
		struct crl_entry entries[2];
		size_t count;
	} rows[] = {
		{ "CRL-ENTRY-SERIAL", { { zero, 1, now, REASON_NONE, 0 } }, 1 },
		{ "CRL-ENTRY-SERIAL", { { one, 0, now, REASON_NONE, 0 } }, 1 },
		{ "CRL-ENTRY-SERIAL", { { negative, 1, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-SERIAL", { { padded, 2, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-SERIAL", { { too_long, 21, now, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-DATE", { { one, 1, now + 1, REASON_NONE, 0 } },
		    1 },
		{ "CRL-ENTRY-DATE", { { one, 1, 915148799, REASON_NONE, 0 } },
		    1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)6, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)2, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason)10, 0 } }, 1 },
		{ "CRL-REASON-SET",
		    { { one, 1, now, (enum revocation_reason) - 1, 0 } }, 1 },
		{ "CRL-NO-DUP-SERIAL",
		    { { one, 1, now, REASON_NONE, 0 },
			{ one, 1, now - 1, REASON_SUPERSEDED, 0 } },
		    2 },
		{ "CRL-ORDER",
		    { { two, 1, now, REASON_NONE, 0 },
			{ one, 1, now, REASON_NONE, 0 } },
		    2 },
		{ "CRL-ORDER",
		    { { big, 2, now, REASON_NONE, 0 },
			{ two, 1, now, REASON_NONE, 0 } },
		    2 },
	};
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		w.req.entries = rows[i].entries;
		w.req.entry_count = rows[i].count;
		refused(&w.req, rows[i].id);
	}
	world_close(&w);
}

/* A reason that may be written, but that this profile does not list. */
static void
test_refused_by_profile(void **state)
{
	AUTO_PTR(profile) *strict =
	    load("ca-crl", "privilegeWithdrawn, unspecified", "superseded");
	AUTO_PTR(profile) *root = load("root", NULL, NULL);
	struct crl_entry entry = { one, 1, now, REASON_NONE, 0 };
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	w.req.profile = strict;
	w.req.entries = &entry;
	w.req.entry_count = 1;
	refused(&w.req, "CRL-REASON-SET");
	entry.reason = REASON_PRIVILEGE_WITHDRAWN;
	refused(&w.req, "CRL-REASON-SET");
	w.req.profile = root;
	refused(&w.req, "PROFILE-KIND");
	w.req.profile = w.profile;
	w.req.signature = "ecdsa-sha384";
	refused(&w.req, "ALG-SIG-CURVE-HASH");
	world_close(&w);
}

static void
test_refused_issuers(void **state)
{
	static const struct {
		const char *id, *extensions[16];
	} rows[] = {
		{ "CRL-SIGNER-KU",
		    { "basicConstraints", "critical,CA:TRUE", "keyUsage",
			"critical,keyCertSign", "subjectKeyIdentifier",
			"hash" } },
		{ "CRL-SIGNER-KU",
		    { "basicConstraints", "critical,CA:FALSE", "keyUsage",
			"critical,cRLSign", "subjectKeyIdentifier", "hash" } },
		{ "AKI-KEYID-ONLY",
		    { "basicConstraints", "critical,CA:TRUE", "keyUsage",
			"critical,cRLSign" } },
	};
	struct world w;

	(void)state;
	world_open(&w, "p-256");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct foreign foreign = { w.key, "Foreign", now - DAY,
			now + 999LL * DAY, { NULL } };
		AUTO(X509) *issuer = NULL;

		memcpy(foreign.extensions, rows[i].extensions,
		    sizeof foreign.extensions);
		issuer = foreign_certificate(&foreign);
		w.req.issuer = issuer;
		refused(&w.req, rows[i].id);
	}
	world_close(&w);
}

static void
test_reasons(void **state)
{
	static const char *const bad[] = { "certificateHold", "removeFromCRL",
		"cACompromise", "aACompromise", "keycompromise", "1", "" };
	enum revocation_reason reason = REASON_CESSATION;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(reason_by_name(bad[i], &reason), -1);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		assert_int_equal(reason, REASON_CESSATION);
		ca_error_clear();
	}
	assert_int_equal(reason_by_name("privilegeWithdrawn", &reason), 0);
	assert_int_equal(reason, 9);
	assert_string_equal(
	    reason_name(REASON_AFFILIATION_CHANGED), "affiliationChanged");
	assert_int_equal(reason_by_name("unspecified", &reason), 0);
	assert_int_equal(reason, REASON_NONE);
}

static void
test_read_refused(void **state)
{
	struct world w;
	AUTO(X509_CRL) *crl = NULL;
	AUTO(X509_CRL) *copy = NULL;
	AUTO_DER(der) = NULL;
	AUTO_DER(other) = NULL;
	X509_CRL *ret = NULL;
	int len;

	(void)state;
	world_open(&w, "p-256");
	crl = issue_crl(&w);
	len = i2d_X509_CRL(crl, &der);
	for (size_t cut = 0; cut < (size_t)len; cut++)
		assert_int_equal(crl_read("x.crl", der, cut, &ret), -1);
	ca_error_clear();
	copy = X509_CRL_dup(crl);
	assert_int_equal(X509_CRL_set_version(copy, 0), 1);
	assert_true(X509_CRL_sign(copy, w.key, EVP_sha256()) > 0);
	len = i2d_X509_CRL(copy, &other);
	assert_int_equal(crl_read("x.crl", other, (size_t)len, &ret), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_null(ret);
	ca_error_clear();
	world_close(&w);
}

/* revokedCertificates as an empty SEQUENCE: must be absent instead. */
static void
test_read_refused_empty(void **state)
{
	static const unsigned char empty[] = { 0x30, 0x00 };
	struct world w;
	AUTO(X509_CRL) *crl = NULL;
	AUTO(X509_CRL) *read = NULL;
	AUTO_DER(der) = NULL;
	AUTO_BYTES(same) = NULL;
	AUTO_BYTES(other) = NULL;
	size_t len, at, other_len;

	(void)state;
	world_open(&w, "p-256");
	crl = issue_crl(&w);
	len = (size_t)i2d_X509_CRL(crl, &der);
	at = element_at(der, len, 5);
	same = spliced(der, len, at, empty, 0, &other_len);
	assert_int_equal(crl_read("x.crl", same, other_len, &read), 0);
	X509_CRL_free(read);
	read = NULL;
	other = spliced(der, len, at, empty, sizeof empty, &other_len);
	assert_int_equal(crl_read("x.crl", other, other_len, &read), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_null(read);
	ca_error_clear();
	world_close(&w);
}

/* An extension twice: in the CRL, and in an entry. */
static void
test_read_refused_twice(void **state)
{
	const struct crl_entry entry = { one, 1, now, REASON_SUPERSEDED, 0 };
	struct world w;
	AUTO(X509_CRL) *crl = NULL;
	AUTO(X509_CRL) *other = NULL;
	X509_CRL *read = NULL;
	X509_REVOKED *revoked;

	(void)state;
	world_open(&w, "p-256");
	w.req.entries = &entry;
	w.req.entry_count = 1;
	crl = issue_crl(&w);
	other = X509_CRL_dup(crl);
	assert_int_equal(
	    X509_CRL_add_ext(crl, X509_CRL_get_ext(crl, 0), -1), 1);
	revoked = sk_X509_REVOKED_value(X509_CRL_get_REVOKED(other), 0);
	assert_int_equal(
	    X509_REVOKED_add_ext(revoked, X509_REVOKED_get_ext(revoked, 0), -1),
	    1);
	for (int i = 0; i < 2; i++) {
		X509_CRL *bad = i == 0 ? crl : other;
		AUTO_DER(der) = NULL;
		int len;

		assert_true(X509_CRL_sign(bad, w.key, EVP_sha256()) > 0);
		len = i2d_X509_CRL(bad, &der);
		assert_int_equal(
		    crl_read("x.crl", der, (size_t)len, &read), -1);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		ca_error_clear();
	}
	world_close(&w);
}

static int
close_all(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

/* CRL-IDP-*: the partition's URL, octet for octet, and the profile's flags. */
static void
check_scope(const char *name, int only_ca, int only_user)
{
	static const char url[] = "http://c.example/p7.crl";
	struct world w;
	AUTO(X509_CRL) *crl = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_DER(der) = NULL;
	ISSUING_DIST_POINT *idp;
	const ASN1_STRING *uri;
	int critical, type, len;

	world_open(&w, "p-256");
	profile_free(w.profile);
	w.profile = load(name, NULL, NULL);
	w.req.profile = w.profile;
	refused(&w.req, "CRL-IDP-URI");
	w.req.distribution_url = "https://c.example/p7.crl";
	refused(&w.req, "CRL-IDP-URI");
	w.req.distribution_url = url;
	crl = issue_crl(&w);
	idp = X509_CRL_get_ext_d2i(
	    crl, NID_issuing_distribution_point, &critical, NULL);
	assert_non_null(idp);
	assert_int_equal(critical, 1);
	assert_int_equal(idp->onlyCA > 0, only_ca);
	assert_int_equal(idp->onlyuser > 0, only_user);
	assert_int_equal(idp->indirectCRL > 0, 0);
	assert_null(idp->onlysomereasons);
	assert_int_equal(sk_GENERAL_NAME_num(idp->distpoint->name.fullname), 1);
	uri = GENERAL_NAME_get0_value(
	    sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0), &type);
	assert_int_equal(type, GEN_URI);
	assert_int_equal(ASN1_STRING_length(uri), strlen(url));
	assert_memory_equal(ASN1_STRING_get0_data(uri), url, strlen(url));
	ISSUING_DIST_POINT_free(idp);
	len = i2d_X509_CRL(crl, &der);
	assert_int_equal(crl_check_profile(der, (size_t)len, w.profile, w.ca,
			     "crl", &findings),
	    0);
	assert_clean(&findings);
	world_close(&w);
}

static void
test_scopes(void **state)
{
	struct world w;

	(void)state;
	check_scope("crl-ca-only", 1, 0);
	check_scope("crl-partition", 0, 1);
	/* A full CRL has no such URL. */
	world_open(&w, "p-256");
	w.req.distribution_url = "http://c.example/p7.crl";
	refused(&w.req, "CRL-IDP-URI");
	world_close(&w);
}

/* A partition judged by the full CRL's profile. */
static void
test_other_scope(void **state)
{
	struct world w;
	AUTO_PTR(profile) *partition = load("crl-partition", NULL, NULL);
	AUTO(X509_CRL) *crl = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_DER(der) = NULL;
	int len;

	(void)state;
	world_open(&w, "p-256");
	w.req.profile = partition;
	w.req.distribution_url = "http://c.example/p7.crl";
	crl = issue_crl(&w);
	len = i2d_X509_CRL(crl, &der);
	assert_int_equal(crl_check_profile(der, (size_t)len, w.profile, w.ca,
			     "crl", &findings),
	    0);
	assert_finding(&findings, "PROFILE-OCTETS");
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_other_scope),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_time_forms),
		cmocka_unit_test(test_openssl_uses_it),
		cmocka_unit_test(test_refused_validity),
		cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_refused_by_profile),
		cmocka_unit_test(test_refused_issuers),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_read_refused),
		cmocka_unit_test(test_read_refused_empty),
		cmocka_unit_test(test_read_refused_twice),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
