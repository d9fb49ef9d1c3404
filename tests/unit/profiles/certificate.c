#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "support.h"

/* One root and one P-256 child request, as most tests want them. */
struct world {
	EVP_PKEY *root_key;
	X509 *root;
	struct profile *sub;
	unsigned char *spki;
	size_t spki_len;
	struct certificate_request req;
};

static void
world_open(struct world *w)
{
	*w = (struct world){ .root_key = key("p-384", 0) };
	w->root = root_of(w->root_key);
	w->sub = load("issuing-ca", NULL, NULL);
	w->spki = spki_of(key("p-256", 1), &w->spki_len);
	w->req = request(w->sub, w->root, w->spki, w->spki_len);
}

static void
world_close(struct world *w)
{
	X509_free(w->root);
	profile_free(w->sub);
	free(w->spki);
}

/* The request is refused by check and by build, for this rule. */
static void
refused(const struct certificate_request *req, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	unsigned char random[SERIAL_LEN];

	assert_int_equal(certificate_check(req, &findings), 0);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
	assert_string_equal(findings.rows[0].place, "plan.yaml:1:1");
	serial_random(random);
	assert_int_equal(certificate_build(req, random, &tbs), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(tbs.der);
	ca_error_clear();
}

static void
accepted(const struct certificate_request *req)
{
	AUTO_STRUCT(findings) findings = { 0 };

	assert_int_equal(certificate_check(req, &findings), 0);
	assert_clean(&findings);
}

/* Chain, purpose and strict checks by OpenSSL. */
static void
verify_chain(X509 *root, X509 *child, int64_t at)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	assert_int_equal(X509_STORE_add_cert(store, root), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, child, NULL), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, at);
	assert_int_equal(
	    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT), 1);
	if (X509_verify_cert(ctx) != 1)
		fail_msg("%s",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)));
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
}

static void
check_key_type(const char *type)
{
	AUTO(X509) *root = root_of(key(type, 0));
	AUTO_PTR(profile) *sub =
	    load("issuing-ca", "keys: [p-256", "keys: [rsa-2048, p-256");
	AUTO_PTR(profile) *ocsp = load("ocsp-responder", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key(type, 1), &len);
	struct certificate_request req = request(sub, root, spki, len);
	AUTO(X509) *child = issue(&req, key(type, 0));
	AUTO(X509) *responder = NULL;
	AUTO_STRUCT(findings) findings = { 0 };

	req.profile = ocsp;
	responder = issue(&req, key(type, 0));
	assert_int_equal(X509_verify(root, key(type, 0)), 1);
	assert_int_equal(X509_check_ca(root), 1);
	assert_int_equal(X509_check_ca(child), 1);
	assert_int_equal(X509_check_ca(responder), 0);
	assert_int_equal(X509_check_issued(root, root), X509_V_OK);
	assert_int_equal(X509_check_issued(root, child), X509_V_OK);
	assert_int_equal(
	    X509_check_purpose(responder, X509_PURPOSE_OCSP_HELPER, 0), 1);
	assert_int_equal(X509_get_key_usage(responder), KU_DIGITAL_SIGNATURE);
	verify_chain(root, child, now);
	verify_chain(root, responder, now);
	assert_int_equal(
	    certificate_check_issued(child, root, "p", &findings), 0);
	assert_int_equal(
	    certificate_check_issued(root, root, "p", &findings), 0);
	assert_clean(&findings);
}

static void
test_key_types(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++)
		check_key_type(type->name);
}

/* Every RSA algorithm, the PSS ones included. */
static void
test_rsa_algorithms(void **state)
{
	AUTO_PTR(profile) *profile = load("root", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("rsa-3072", 0), &len);
	const struct sigalg *alg;

	(void)state;
	for (size_t i = 0; (alg = sigalg_at(i)) != NULL; i++) {
		struct certificate_request req =
		    request(profile, NULL, spki, len);
		AUTO(X509) *root = NULL;

		req.signature = alg->name;
		if (alg->family != KEY_RSA) {
			refused(&req, "ALG-SIG-ISSUER-MATCH");
			continue;
		}
		root = issue(&req, key("rsa-3072", 0));
		assert_int_equal(X509_verify(root, key("rsa-3072", 0)), 1);
	}
}

static void
test_fields(void **state)
{
	struct world w;
	AUTO(X509) *child = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(certificate_facts) root = { 0 };
	const ASN1_OCTET_STRING *ski, *aki;

	(void)state;
	world_open(&w);
	child = issue(&w.req, w.root_key);
	assert_int_equal(certificate_facts(child, &facts), 0);
	assert_int_equal(certificate_facts(w.root, &root), 0);
	assert_int_equal(X509_get_version(child), X509_VERSION_3);
	assert_int_equal(facts.serial_len, SERIAL_LEN);
	assert_int_equal(facts.serial[0], 0x5a);
	assert_memory_equal(
	    facts.issuer_der, root.subject_der, root.subject_len);
	assert_int_equal(facts.issuer_len, root.subject_len);
	assert_memory_equal(facts.spki, w.spki, w.spki_len);
	assert_string_equal(
	    facts.subject, "CN=Example Child G1, O=Example GmbH, C=DE");
	assert_string_equal(
	    facts.issuer, "CN=Example Root CA G1, O=Example GmbH, C=DE");
	assert_true(facts.not_before == now);
	assert_true(facts.not_after == now + 3652LL * DAY - 1);
	assert_true(facts.is_ca && facts.signs_certificates &&
	    facts.signs_crls && !facts.signs_ocsp && !facts.self_issued);
	assert_int_equal(facts.path_length, 0);
	assert_true(root.self_issued);
	assert_int_equal(root.path_length, -1);
	ski = X509_get0_subject_key_id(w.root);
	aki = X509_get0_authority_key_id(child);
	assert_int_equal(ASN1_OCTET_STRING_cmp(ski, aki), 0);
	assert_null(X509_get0_authority_issuer(child));
	assert_null(X509_get0_authority_serial(child));
	world_close(&w);
}

/* The profile's order and string types, whatever the plan's order. */
static void
test_subject_encoding(void **state)
{
	struct world w;
	AUTO(X509) *child = NULL;
	static const int nids[] = { NID_countryName, NID_organizationName,
		NID_commonName };
	static const int types[] = { V_ASN1_PRINTABLESTRING, V_ASN1_UTF8STRING,
		V_ASN1_UTF8STRING };

	(void)state;
	world_open(&w);
	child = issue(&w.req, w.root_key);
	assert_int_equal(
	    X509_NAME_entry_count(X509_get_subject_name(child)), 3);
	for (int i = 0; i < 3; i++) {
		const X509_NAME_ENTRY *entry =
		    X509_NAME_get_entry(X509_get_subject_name(child), i);

		assert_int_equal(
		    OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)), nids[i]);
		assert_int_equal(
		    ASN1_STRING_type(X509_NAME_ENTRY_get_data(entry)),
		    types[i]);
		assert_int_equal(X509_NAME_ENTRY_set(entry), i);
	}
	world_close(&w);
}

/*
 * The issuer's name is copied, not encoded anew: here it is a TeletexString,
 * which no profile can make.
 */
static void
test_issuer_bytes(void **state)
{
	struct world w;
	AUTO(X509) *issuer = NULL;
	AUTO(X509) *child = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(certificate_facts) own = { 0 };
	const struct foreign foreign = { key("p-384", 0), "Old Root", now - DAY,
		now + 9000LL * DAY,
		{ "basicConstraints", "critical,CA:TRUE", "keyUsage",
		    "critical,keyCertSign,cRLSign", "subjectKeyIdentifier",
		    "hash" } };
	X509_NAME *name = X509_NAME_new();

	(void)state;
	world_open(&w);
	issuer = foreign_certificate(&foreign);
	assert_int_equal(
	    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_T61STRING,
		(const unsigned char *)"Old", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_subject_name(issuer, name), 1);
	assert_int_equal(X509_set_issuer_name(issuer, name), 1);
	assert_true(X509_sign(issuer, key("p-384", 0), EVP_sha384()) > 0);
	w.req.issuer = issuer;
	child = issue(&w.req, w.root_key);
	assert_int_equal(certificate_facts(child, &facts), 0);
	assert_int_equal(certificate_facts(issuer, &own), 0);
	assert_int_equal(facts.issuer_len, own.subject_len);
	assert_memory_equal(facts.issuer_der, own.subject_der, own.subject_len);
	X509_NAME_free(name);
	world_close(&w);
}

/* UTCTime through 2049, GeneralizedTime from 2050; both end seconds count. */
static void
test_time_forms(void **state)
{
	AUTO_PTR(profile) *profile = load("root", "min: 2922d", "min: 1d");
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 0), &len);
	int64_t last_2049;

	(void)state;
	assert_int_equal(date_parse("2049-12-31T23:59:59Z", &last_2049), 0);
	for (int64_t extra = 0; extra < 2; extra++) {
		struct certificate_request req =
		    request(profile, NULL, spki, len);
		AUTO(X509) *root = NULL;
		AUTO_STRUCT(certificate_facts) facts = { 0 };

		req.validity = last_2049 - now + 1 + extra;
		root = issue(&req, key("p-256", 0));
		assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(root)),
		    extra == 0 ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
		assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(root)),
		    V_ASN1_UTCTIME);
		assert_int_equal(certificate_facts(root, &facts), 0);
		assert_true(facts.not_after == last_2049 + extra);
		assert_true(
		    facts.not_after - facts.not_before + 1 == req.validity);
	}
}

static void
test_serials(void **state)
{
	static const struct {
		unsigned char in[4]; /* the first octets; the rest is 0x33 */
		size_t len;
		unsigned char out[4];
	} rows[] = {
		{ { 0xff, 1, 2, 3 }, 20, { 0x7f, 1, 2, 3 } },
		{ { 0x80, 0x80, 2, 3 }, 20, { 0x00, 0x80, 2, 3 } },
		{ { 0x80, 0x7f, 2, 3 }, 19, { 0x7f, 2, 3, 0x33 } },
		{ { 0x00, 0x01, 2, 3 }, 19, { 0x01, 2, 3, 0x33 } },
		{ { 0x00, 0x00, 0x80, 3 }, 19, { 0x00, 0x80, 3, 0x33 } },
		{ { 0x00, 0x00, 0x01, 3 }, 18, { 0x01, 3, 0x33, 0x33 } },
		{ { 0x01, 0x00, 0x00, 0 }, 20, { 0x01, 0, 0, 0 } },
	};
	unsigned char random[SERIAL_LEN], serial[SERIAL_LEN];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		memset(random, 0x33, sizeof random);
		memcpy(random, rows[i].in, 4);
		assert_int_equal(serial_from_random(random, serial, &len), 0);
		assert_int_equal(len, rows[i].len);
		assert_memory_equal(serial, rows[i].out, 4);
	}
}

/* 2^64 is the smallest that is taken, 2^64 - 1 the largest that is not. */
static void
test_serial_floor(void **state)
{
	unsigned char random[SERIAL_LEN] = { 0 }, serial[SERIAL_LEN];
	size_t len = 99;

	(void)state;
	random[0] = 0x80;
	memset(random + SERIAL_LEN - 8, 0xff, 8);
	assert_int_equal(serial_from_random(random, serial, &len), -1);
	assert_int_equal(ca_error_reason(), CA_R_INTERNAL);
	assert_int_equal(len, 99);
	memset(random, 0, sizeof random);
	random[SERIAL_LEN - 9] = 1;
	assert_int_equal(serial_from_random(random, serial, &len), 0);
	assert_int_equal(len, 9);
	random[SERIAL_LEN - 9] = 0x80;
	assert_int_equal(serial_from_random(random, serial, &len), 0);
	assert_int_equal(len, 10);
	ca_error_clear();
}

/* Whatever the draw, the certificate's INTEGER is these octets. */
static void
test_serial_in_certificate(void **state)
{
	struct world w;
	unsigned char random[SERIAL_LEN], serial[SERIAL_LEN];
	size_t serial_len;

	(void)state;
	world_open(&w);
	for (unsigned first = 0; first < 256; first += 51) {
		AUTO_STRUCT(tbs) tbs = { 0 };
		AUTO_BYTES(der) = NULL;
		AUTO(X509) *cert = NULL;
		AUTO_STRUCT(certificate_facts) facts = { 0 };
		size_t len;

		memset(random, 0x91, sizeof random);
		random[0] = (unsigned char)first;
		assert_int_equal(
		    serial_from_random(random, serial, &serial_len), 0);
		assert_int_equal(certificate_build(&w.req, random, &tbs), 0);
		assert_int_equal(object_with_constant(&tbs, &der, &len), 0);
		assert_int_equal(certificate_read("c", der, len, &cert), 0);
		assert_int_equal(certificate_facts(cert, &facts), 0);
		assert_int_equal(facts.serial_len, serial_len);
		assert_memory_equal(facts.serial, serial, serial_len);
	}
	world_close(&w);
}

static void
test_refused_validity(void **state)
{
	AUTO_PTR(profile) *root = load("root", NULL, NULL);
	AUTO_PTR(profile) *long_root =
	    load("root", "max: 9132d", "max: 40000d");
	struct world w;
	struct certificate_request req;

	(void)state;
	world_open(&w);
	req = w.req;
	req.validity = 3652LL * DAY;
	accepted(&req);
	req.validity++;
	refused(&req, "PROFILE-VALIDITY");
	req.validity = 1;
	refused(&req, "FLD-TIME-ORDER");
	req.validity = -5;
	refused(&req, "FLD-TIME-ORDER");
	req = request(root, NULL, w.spki, w.spki_len);
	req.validity = 2922LL * DAY;
	accepted(&req);
	req.validity--;
	refused(&req, "PROFILE-VALIDITY");
	req = request(long_root, NULL, w.spki, w.spki_len);
	req.now = 253402300799LL - 7305LL * DAY;
	accepted(&req); /* ends one second before */
	req.now++;
	refused(&req, "FLD-TIME-NO9999");
	req.now = -1;
	refused(&req, "FLD-TIME-ORDER");
	world_close(&w);
}

static void
test_refused_nesting_in_time(void **state)
{
	struct world w;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	(void)state;
	world_open(&w);
	assert_int_equal(certificate_facts(w.root, &facts), 0);
	w.req.validity = 30LL * DAY;
	w.req.now = facts.not_after + 1 - w.req.validity;
	accepted(&w.req); /* ends with its issuer, to the second */
	w.req.now++;
	refused(&w.req, "FLD-TIME-NESTED");
	w.req.now = facts.not_after + 1;
	refused(&w.req, "ISSUER-VALID");
	w.req.now = facts.not_before;
	accepted(&w.req);
	w.req.now--;
	refused(&w.req, "ISSUER-VALID");
	world_close(&w);
}

struct value {
	const char *attribute, *value, *id;
};

static const struct value bad_values[] = {
	{ "country", "de", "NAM-COUNTRY-ISO" },
	{ "country", "XX", "NAM-COUNTRY-ISO" },
	{ "country", "UK", "NAM-COUNTRY-ISO" },
	{ "country", "DEU", "NAM-LEN" },
	{ "country", "D_", "NAM-PRINTABLE-ALPHABET" },
	{ "organization", "", "NAM-CLEAN" },
	{ "organization", " Example", "NAM-CLEAN" },
	{ "organization", "Example ", "NAM-CLEAN" },
	{ "organization", "Ex\x1b[2Jample", "NAM-CLEAN" },
	{ "organization", "Ex\xc2\x85mple", "NAM-CLEAN" },
	{ "organization", "Ex\xe2\x80\xaemple", "NAM-CLEAN" },
	{ "organization", "Ex\xff", "NAM-CLEAN" },
	{ "organization", "Meier &amp; Co", "NAM-CLEAN" },
	{ "organization", "M\xc3\x83\xc2\xbcller", "NAM-CLEAN" },
	{ "organization", "-", "NAM-CLEAN" },
	{ "organization", "N/A", "NAM-CLEAN" },
	{ "organization",
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "4",
	    "NAM-LEN" },
};

static void
test_refused_values(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof bad_values / sizeof bad_values[0]; i++) {
		bool country = bad_values[i].attribute[0] == 'c';
		struct name_value subject[] = {
			{ "country", country ? bad_values[i].value : "DE" },
			{ "organization",
			    country ? "Example" : bad_values[i].value },
			{ "common-name", "Child" },
		};

		w.req.subject = subject;
		refused(&w.req, bad_values[i].id);
	}
	world_close(&w);
}

static void
test_good_values(void **state)
{
	static const char *const values[] = { "M\xc3\xbcller & S\xc3\xb6hne",
		"Example, Inc.", "\xe6\xa0\xaa\xe5\xbc\x8f\xe4\xbc\x9a",
		/* 64 characters, 128 octets */
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3"
		"\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3"
		"\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3"
		"\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3"
		"\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
		"\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc" };
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct name_value subject[] = {
			{ "country", "JP" },
			{ "organization", values[i] },
			{ "common-name", "Child" },
		};
		AUTO(X509) *cert = NULL;

		w.req.subject = subject;
		cert = issue(&w.req, w.root_key);
	}
	world_close(&w);
}

static void
test_refused_attributes(void **state)
{
	static const struct name_value missing[] = { { "country", "DE" },
		{ "common-name", "Child" } };
	static const struct name_value unknown[] = { { "country", "DE" },
		{ "organization", "Example" }, { "common-name", "Child" },
		{ "organizational-unit", "IT" } };
	static const struct name_value twice[] = { { "country", "DE" },
		{ "organization", "Example" }, { "common-name", "Child" },
		{ "common-name", "Other" } };
	struct world w;

	(void)state;
	world_open(&w);
	w.req.subject = missing;
	w.req.subject_count = 2;
	refused(&w.req, "PROFILE-SUBJECT");
	w.req.subject = unknown;
	w.req.subject_count = 4;
	refused(&w.req, "PROFILE-SUBJECT");
	w.req.subject = twice;
	refused(&w.req, "NAM-NO-DUP");
	w.req.subject_count = 0;
	refused(&w.req, "NAM-CA-NONEMPTY");
	world_close(&w);
}

/* Two domain-component slots take two values, in their order. */
static void
test_repeated_attribute(void **state)
{
	AUTO_PTR(profile) *profile = load("issuing-ca",
	    "  - {attribute: country",
	    "  - {attribute: domain-component, encoding: ia5, required: no}\n"
	    "  - {attribute: domain-component, encoding: ia5, required: no}\n"
	    "  - {attribute: country");
	static const struct name_value subject[] = {
		{ "domain-component", "example" }, { "country", "DE" },
		{ "organization", "Example" }, { "common-name", "Child" },
		{ "domain-component", "ca" }, { "domain-component", "third" }
	};
	struct world w;
	AUTO(X509) *cert = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	(void)state;
	world_open(&w);
	w.req.profile = profile;
	w.req.subject = subject;
	w.req.subject_count = 5;
	cert = issue(&w.req, w.root_key);
	assert_int_equal(certificate_facts(cert, &facts), 0);
	assert_string_equal(
	    facts.subject, "CN=Child, O=Example, C=DE, DC=ca, DC=example");
	w.req.subject_count = 6;
	refused(&w.req, "NAM-NO-DUP");
	world_close(&w);
}

static void
test_refused_urls(void **state)
{
	static const char *const bad[] = { "https://c.example/r.crl",
		"ldap://c.example/", "HTTP://c.example/", "http://",
		"http:///r.crl", "http://c.example/a b", "http://c.example/\n",
		"http://\xc3\xbc.example/", "http://u@c.example/",
		"http://c.example/#x", "http://c.example/<x>", "" };
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct certificate_request req = w.req;

		req.url[URL_CRL] = bad[i];
		refused(&req, "CDP-HTTP");
		req = w.req;
		req.url[URL_CA_ISSUERS] = bad[i];
		refused(&req, "AIA-HTTP");
		req = w.req;
		req.url[URL_OCSP] = bad[i]; /* the profile has no use for it */
		accepted(&req);
	}
	w.req.url[URL_CRL] = NULL;
	refused(&w.req, "CDP-HTTP");
	world_close(&w);
}

static void
test_refused_keys(void **state)
{
	struct world w;
	size_t len, own_len;
	AUTO_BYTES(rsa) = spki_of(key("rsa-2048", 0), &len);
	AUTO_BYTES(own) = spki_of(key("p-384", 0), &own_len);

	(void)state;
	world_open(&w);
	w.req.spki = rsa;
	w.req.spki_len = len;
	refused(&w.req, "PROFILE-KEYS");
	w.req.spki = own;
	w.req.spki_len = own_len;
	refused(&w.req, "KEY-NOT-A-CA-KEY");
	w.req.spki = w.spki;
	w.req.spki_len = w.spki_len;
	w.spki[w.spki_len - 1] ^= 1;
	refused(&w.req, "KEY-EC-VALID");
	world_close(&w);
}

static void
test_refused_kinds(void **state)
{
	AUTO_PTR(profile) *root = load("root", NULL, NULL);
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	struct world w;
	struct certificate_request req;

	(void)state;
	world_open(&w);
	req = w.req;
	req.profile = crl;
	refused(&req, "PROFILE-KIND");
	req.profile = root;
	refused(&req, "ROOT-SELF-SIGNED");
	req = w.req;
	req.issuer = NULL;
	refused(&req, "PROFILE-KIND");
	world_close(&w);
}

static void
test_refused_algorithms(void **state)
{
	AUTO_PTR(profile) *only = load("issuing-ca",
	    "[ecdsa-sha256, ecdsa-sha384, ecdsa-sha512,", "[ecdsa-sha256,");
	struct world w;

	(void)state;
	world_open(&w);
	w.req.signature = "ecdsa-sha256"; /* the issuer has a P-384 key */
	refused(&w.req, "ALG-SIG-CURVE-HASH");
	w.req.signature = "rsa-sha256";
	refused(&w.req, "ALG-SIG-ISSUER-MATCH");
	w.req.signature = "rsa-sha1";
	refused(&w.req, "ALG-SIG-EXACT");
	w.req.signature = NULL;
	w.req.profile = only;
	refused(&w.req, "PROFILE-SIGNATURES");
	world_close(&w);
}

static void
test_refused_names(void **state)
{
	static const struct name_value same[] = {
		{ "country", "DE" },
		{ "organization", "EXAMPLE  GmbH" }, /* equal: RFC 5280, 7.1 */
		{ "common-name", "example root ca g1" },
	};
	struct world w;

	(void)state;
	world_open(&w);
	w.req.subject = same;
	refused(&w.req, "NAM-NEWKEY-NEWNAME");
	world_close(&w);
}

struct bad_issuer {
	const char *id;
	const char *extensions[16];
};

#define CA "basicConstraints", "critical,CA:TRUE"
#define SIGNS "keyUsage", "critical,keyCertSign,cRLSign"
#define SKI "subjectKeyIdentifier", "hash"

static const struct bad_issuer bad_issuers[] = {
	{ NULL, { CA, SIGNS, SKI } },
	{ "ISSUER-CA",
	    { "basicConstraints", "critical,CA:FALSE", SIGNS, SKI } },
	{ "ISSUER-CA", { SIGNS, SKI } },
	{ "ISSUER-CA", { CA, "keyUsage", "critical,cRLSign", SKI } },
	{ "ISSUER-CA", { CA, SKI } }, { "AKI-KEYID-ONLY", { CA, SIGNS } },
	{ "SUB-PATHLEN",
	    { "basicConstraints", "critical,CA:TRUE,pathlen:0", SIGNS, SKI } },
	{ NULL,
	    { "basicConstraints", "critical,CA:TRUE,pathlen:1", SIGNS, SKI } },
	{ NULL,
	    { CA, SIGNS, SKI, "extendedKeyUsage", "serverAuth,clientAuth" } },
	{ NULL, { CA, SIGNS, SKI, "extendedKeyUsage", "anyExtendedKeyUsage" } },
	{ "SUB-EKU-NESTED",
	    { CA, SIGNS, SKI, "extendedKeyUsage", "serverAuth" } },
	{ NULL,
	    { CA, SIGNS, SKI, "nameConstraints",
		"critical,permitted;DNS:example.com" } },
	{ "NC-NESTED", { NULL } }, /* issuer_excluding_de() */
};

/* X509V3_EXT_nconf_nid has no sections here; dirName needs one. */
static X509 *
issuer_excluding_de(void)
{
	const struct foreign foreign = { key("p-384", 0), "Foreign CA",
		now - DAY, now + 9000LL * DAY, { CA, SIGNS, SKI } };
	X509 *cert = foreign_certificate(&foreign);
	NAME_CONSTRAINTS *nc = NAME_CONSTRAINTS_new();
	GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
	X509_NAME *name = X509_NAME_new();

	assert_int_equal(
	    X509_NAME_add_entry_by_NID(name, NID_countryName,
		V_ASN1_PRINTABLESTRING, (const unsigned char *)"DE", -1, -1, 0),
	    1);
	GENERAL_NAME_set0_value(tree->base, GEN_DIRNAME, name);
	nc->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
	assert_true(sk_GENERAL_SUBTREE_push(nc->excludedSubtrees, tree) > 0);
	assert_int_equal(
	    X509_add1_ext_i2d(cert, NID_name_constraints, nc, 1, 0), 1);
	assert_true(X509_sign(cert, key("p-384", 0), EVP_sha384()) > 0);
	NAME_CONSTRAINTS_free(nc);
	return cert;
}

static void
test_issuers(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof bad_issuers / sizeof bad_issuers[0];
	     i++) {
		const struct bad_issuer *bad = &bad_issuers[i];
		struct foreign foreign = { key("p-384", 0), "Foreign CA",
			now - DAY, now + 9000LL * DAY, { NULL } };
		AUTO(X509) *issuer = NULL;
		bool excluding =
		    bad->id != NULL && strcmp(bad->id, "NC-NESTED") == 0;

		memcpy(foreign.extensions, bad->extensions,
		    sizeof foreign.extensions);
		issuer = excluding ? issuer_excluding_de()
				   : foreign_certificate(&foreign);
		w.req.issuer = issuer;
		if (bad->id != NULL)
			refused(&w.req, bad->id);
		else
			accepted(&w.req);
	}
	world_close(&w);
}

/* Under path length 1: 0 is fine, 1 and none are not. */
static void
test_path_lengths(void **state)
{
	AUTO_PTR(profile) *one =
	    load("issuing-ca", "path-length: 0", "path-length: 1");
	AUTO_PTR(profile) *none =
	    load("issuing-ca", "    path-length: 0\n", "");
	AUTO_PTR(profile) *ocsp = load("ocsp-responder", NULL, NULL);
	struct foreign foreign = {
		key("p-384", 0), "Foreign CA", now - DAY, now + 9000LL * DAY,
		{ "basicConstraints", "critical,CA:TRUE,pathlen:1", SIGNS, SKI }
	};
	AUTO(X509) *issuer = foreign_certificate(&foreign);
	AUTO(X509) *last = NULL;
	struct world w;

	(void)state;
	world_open(&w);
	w.req.issuer = issuer;
	accepted(&w.req);
	w.req.profile = one;
	refused(&w.req, "SUB-PATHLEN");
	w.req.profile = none;
	refused(&w.req, "SUB-PATHLEN");
	foreign.extensions[1] = "critical,CA:TRUE,pathlen:0";
	last = foreign_certificate(&foreign);
	w.req.issuer = last;
	w.req.profile = ocsp; /* no CA: path length does not matter */
	accepted(&w.req);
	world_close(&w);
}

/* A responder under a CA that is limited to serverAuth: see nesting.c. */
static void
test_purposes(void **state)
{
	AUTO_PTR(profile) *ocsp = load("ocsp-responder", NULL, NULL);
	AUTO_PTR(profile) *open = load("issuing-ca",
	    "  extended-key-usage:       # limits everything below; never "
	    "ocsp-signing\n    critical: no\n    purposes: [server-auth, "
	    "client-auth]\n",
	    "");
	const struct foreign foreign = {
		key("p-384", 0), "Foreign CA", now - DAY, now + 9000LL * DAY,
		{ CA, SIGNS, SKI, "extendedKeyUsage", "serverAuth,clientAuth" }
	};
	AUTO(X509) *issuer = foreign_certificate(&foreign);
	struct world w;

	(void)state;
	world_open(&w);
	w.req.issuer = issuer;
	w.req.profile = ocsp;
	accepted(&w.req);
	w.req.profile = open;
	refused(&w.req, "SUB-EKU-NESTED");
	world_close(&w);
}

static void
not_issued(const X509 *child, const X509 *issuer, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };

	assert_int_equal(
	    certificate_check_issued(child, issuer, "a.pem", &findings), 0);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
}

static void
test_check_issued(void **state)
{
	struct world w;
	AUTO(X509) *other = NULL;
	AUTO(X509) *child = NULL;
	AUTO(X509) *forged = NULL;
	AUTO(X509) *no_ca = NULL;
	AUTO(X509) *sha1 = NULL;
	const struct foreign foreign = { key("p-384", 0), "Example Root CA G1",
		now - DAY, now + 9000LL * DAY, { CA, SIGNS, SKI } };

	(void)state;
	world_open(&w);
	child = issue(&w.req, w.root_key);
	other = foreign_certificate(&foreign);
	not_issued(child, other, "FLD-ISSUER-BYTES");
	not_issued(child, child, "AKI-KEYID-ONLY");
	/* Same name, another key: by identifier and by signature. */
	no_ca = root_of(key("p-384", 1));
	not_issued(child, no_ca, "AKI-KEYID-ONLY");
	not_issued(child, no_ca, "ALG-SIG-ISSUER-MATCH");
	forged = X509_dup(child);
	assert_true(X509_sign(forged, key("p-384", 1), EVP_sha384()) > 0);
	not_issued(forged, w.root, "ALG-SIG-ISSUER-MATCH");
	sha1 = X509_dup(child);
	assert_true(X509_sign(sha1, w.root_key, EVP_sha1()) > 0);
	not_issued(sha1, w.root, "ALG-SIG-EXACT");
	{
		AUTO_PTR(profile) *ocsp = load("ocsp-responder", NULL, NULL);
		AUTO(X509) *responder = NULL;

		w.req.profile = ocsp;
		responder = issue(&w.req, w.root_key);
		not_issued(child, responder, "ISSUER-CA");
	}
	world_close(&w);
}

/* No key identifier: fine for a root, not below. */
static void
test_check_issued_without_aki(void **state)
{
	const struct foreign foreign = { key("p-256", 0), "Self", now - DAY,
		now + DAY, { CA, SIGNS, SKI } };
	AUTO(X509) *self = foreign_certificate(&foreign);
	AUTO(X509) *child = X509_dup(self);
	AUTO_STRUCT(findings) findings = { 0 };
	X509_NAME *name = X509_get_subject_name(child);

	(void)state;
	assert_int_equal(
	    certificate_check_issued(self, self, "a.pem", &findings), 0);
	assert_clean(&findings);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
			     (const unsigned char *)"x", -1, -1, 0),
	    1);
	assert_true(X509_sign(child, key("p-256", 0), EVP_sha256()) > 0);
	not_issued(child, self, "AKI-KEYID-ONLY");
}

static void
not_read(const unsigned char *data, size_t len)
{
	X509 *cert = NULL;

	assert_int_equal(certificate_read("x.pem", data, len, &cert), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_null(cert);
	ca_error_clear();
}

static void
test_read(void **state)
{
	struct world w;
	AUTO_DER(der) = NULL;
	AUTO_CHARS(pem) = NULL;
	AUTO_CHARS(two) = NULL;
	AUTO_CHARS(text) = NULL;
	AUTO_BYTES(longer) = NULL;
	AUTO(X509) *again = NULL;
	int len;

	(void)state;
	world_open(&w);
	len = i2d_X509(w.root, &der);
	assert_int_equal(
	    object_pem(OBJECT_CERTIFICATE, der, (size_t)len, &pem), 0);
	assert_int_equal(strncmp(pem, "-----BEGIN CERTIFICATE-----\n", 28), 0);
	assert_int_equal(certificate_read("x.pem", (unsigned char *)pem,
			     strlen(pem), &again),
	    0);
	assert_int_equal(X509_cmp(again, w.root), 0);
	assert_int_not_equal(asprintf(&two, "%s%s", pem, pem), -1);
	not_read((unsigned char *)two, strlen(two));
	assert_int_not_equal(asprintf(&text, "Certificate:\n%s", pem), -1);
	not_read((unsigned char *)text, strlen(text));
	not_read((unsigned char *)pem, strlen(pem) - 3);
	pem[40] = '!';
	not_read((unsigned char *)pem, strlen(pem));
	longer = calloc(1, (size_t)len + 1);
	memcpy(longer, der, (size_t)len);
	not_read(longer, (size_t)len + 1);
	for (size_t cut = 0; cut < (size_t)len; cut += 7)
		not_read(der, cut);
	world_close(&w);
}

/* Version 1, unique identifiers, extensions twice or with FALSE spelt out. */
static void
test_read_refused_forms(void **state)
{
	struct world w;
	AUTO(X509) *cert = NULL;
	AUTO(X509) *twice = NULL;
	AUTO_DER(der) = NULL;
	AUTO_DER(twice_der) = NULL;
	int len;

	(void)state;
	world_open(&w);
	cert = X509_dup(w.root);
	while (X509_get_ext_count(cert) > 0)
		X509_EXTENSION_free(X509_delete_ext(cert, 0));
	assert_int_equal(X509_set_version(cert, X509_VERSION_1), 1);
	assert_true(X509_sign(cert, w.root_key, EVP_sha384()) > 0);
	len = i2d_X509(cert, &der);
	not_read(der, (size_t)len);
	twice = X509_dup(w.root);
	assert_int_equal(X509_add_ext(twice, X509_get_ext(twice, 0), -1), 1);
	assert_true(X509_sign(twice, w.root_key, EVP_sha384()) > 0);
	len = i2d_X509(twice, &twice_der);
	not_read(twice_der, (size_t)len);
	world_close(&w);
}

/* 0101ff (TRUE) of keyUsage becomes 010100: strict DER leaves it out. */
static void
test_read_refused_default(void **state)
{
	static const unsigned char usage[] = { 0x06, 0x03, 0x55, 0x1d, 0x0f,
		0x01, 0x01, 0xff };
	struct world w;
	AUTO_DER(der) = NULL;
	unsigned char *at;
	int len;

	(void)state;
	world_open(&w);
	len = i2d_X509(w.root, &der);
	at = memmem(der, (size_t)len, usage, sizeof usage);
	assert_non_null(at);
	at[7] = 0x00;
	not_read(der, (size_t)len);
	at[7] = 0x01;
	not_read(der, (size_t)len);
	world_close(&w);
}

/* issuerUniqueID in front of the extensions. */
static void
test_read_refused_unique_id(void **state)
{
	static const unsigned char uid[] = { 0x81, 0x02, 0x00, 0x01 };
	struct world w;
	AUTO_DER(der) = NULL;
	AUTO_BYTES(other) = NULL;
	AUTO_BYTES(same) = NULL;
	AUTO(X509) *cert = NULL;
	size_t len, other_len;

	(void)state;
	world_open(&w);
	len = (size_t)i2d_X509(w.root, &der);
	same = spliced(der, len, element_at(der, len, 7), uid, 0, &other_len);
	assert_int_equal(certificate_read("x", same, other_len, &cert), 0);
	other = spliced(
	    der, len, element_at(der, len, 7), uid, sizeof uid, &other_len);
	not_read(other, other_len);
	world_close(&w);
}

/* keyUsage with an unused bit set: DER to the certificate, but not inside. */
static void
test_read_refused_value(void **state)
{
	static const unsigned char usage[] = { 0x04, 0x04, 0x03, 0x02, 0x01,
		0x06 };
	struct world w;
	AUTO_DER(der) = NULL;
	unsigned char *at;
	int len;

	(void)state;
	world_open(&w);
	len = i2d_X509(w.root, &der);
	at = memmem(der, (size_t)len, usage, sizeof usage);
	assert_non_null(at);
	at[5] = 0x07;
	not_read(der, (size_t)len);
	world_close(&w);
}

/* Headers as of an encrypted PEM block. */
static void
test_read_refused_pem_header(void **state)
{
	struct world w;
	AUTO_DER(der) = NULL;
	AUTO_CHARS(pem) = NULL;
	AUTO_CHARS(with) = NULL;
	int len;

	(void)state;
	world_open(&w);
	len = i2d_X509(w.root, &der);
	assert_int_equal(
	    object_pem(OBJECT_CERTIFICATE, der, (size_t)len, &pem), 0);
	with = edited(pem, "CERTIFICATE-----\n",
	    "CERTIFICATE-----\nProc-Type: 4,MIC-CLEAR\n\n");
	not_read((unsigned char *)with, strlen(with));
	world_close(&w);
}

/* Zero, negative, 21 octets: no facts. */
static void
test_facts_refused(void **state)
{
	static const struct {
		const char *hex;
		int result;
	} rows[] = {
		{ "0", -1 },
		{ "-5", -1 },
		{ "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", -1 },
		{ "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 0 },
		{ "1", 0 },
	};
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_STRUCT(certificate_facts) facts = { 0 };
		AUTO(BIGNUM) *number = NULL;
		AUTO(ASN1_INTEGER) *serial = NULL;

		assert_true(BN_hex2bn(&number, rows[i].hex) > 0);
		serial = BN_to_ASN1_INTEGER(number, NULL);
		assert_int_equal(X509_set_serialNumber(w.root, serial), 1);
		assert_int_equal(
		    certificate_facts(w.root, &facts), rows[i].result);
		if (rows[i].result != 0)
			assert_int_equal(ca_error_reason(), CA_R_INPUT);
		ca_error_clear();
	}
	world_close(&w);
}

/* What cannot be decoded is no "absent". */
static void
test_malformed_extension(void **state)
{
	static const int nids[] = { NID_basic_constraints, NID_key_usage,
		NID_ext_key_usage, NID_subject_key_identifier,
		NID_name_constraints };
	static const unsigned char null[] = { 0x05, 0x00 };
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof nids / sizeof nids[0]; i++) {
		AUTO(X509) *bad = X509_dup(w.root);
		AUTO(ASN1_OCTET_STRING) *value = ASN1_OCTET_STRING_new();
		AUTO(X509_EXTENSION) *extension = NULL;
		AUTO_STRUCT(findings) findings = { 0 };
		int at = X509_get_ext_by_NID(bad, nids[i], -1);

		if (at >= 0)
			X509_EXTENSION_free(X509_delete_ext(bad, at));
		assert_int_equal(
		    ASN1_OCTET_STRING_set(value, null, sizeof null), 1);
		extension =
		    X509_EXTENSION_create_by_NID(NULL, nids[i], 0, value);
		assert_int_equal(X509_add_ext(bad, extension, -1), 1);
		w.req.issuer = bad;
		assert_int_equal(certificate_check(&w.req, &findings), -1);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		ca_error_clear();
	}
	world_close(&w);
}

static void
test_odd_issuers(void **state)
{
	AUTO(EVP_PKEY) *koblitz = EVP_EC_gen("secp256k1");
	const struct foreign foreign = { koblitz, "Foreign CA", now - DAY,
		now + 9000LL * DAY, { CA, SIGNS, SKI } };
	AUTO(X509) *issuer = foreign_certificate(&foreign);
	AUTO(X509) *nameless = NULL;
	AUTO(X509_NAME) *empty = X509_NAME_new();
	struct world w;

	(void)state;
	world_open(&w);
	w.req.issuer = issuer;
	refused(&w.req, "ALG-SIG-ISSUER-MATCH");
	nameless = X509_dup(w.root);
	assert_int_equal(X509_set_subject_name(nameless, empty), 1);
	w.req.issuer = nameless;
	refused(&w.req, "FLD-ISSUER-NONEMPTY");
	world_close(&w);
}

static void
test_long_url(void **state)
{
	char url[2050];
	struct world w;

	(void)state;
	world_open(&w);
	memset(url, 'a', sizeof url);
	memcpy(url, "http://", 7);
	w.req.url[URL_CRL] = url;
	url[2048] = '\0';
	accepted(&w.req);
	url[2048] = 'a';
	url[2049] = '\0';
	refused(&w.req, "CDP-HTTP");
	world_close(&w);
}

static int
close_all(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_rsa_algorithms),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_subject_encoding),
		cmocka_unit_test(test_issuer_bytes),
		cmocka_unit_test(test_time_forms),
		cmocka_unit_test(test_serials),
		cmocka_unit_test(test_serial_floor),
		cmocka_unit_test(test_serial_in_certificate),
		cmocka_unit_test(test_refused_validity),
		cmocka_unit_test(test_refused_nesting_in_time),
		cmocka_unit_test(test_refused_values),
		cmocka_unit_test(test_good_values),
		cmocka_unit_test(test_refused_attributes),
		cmocka_unit_test(test_repeated_attribute),
		cmocka_unit_test(test_refused_urls),
		cmocka_unit_test(test_refused_keys),
		cmocka_unit_test(test_refused_kinds),
		cmocka_unit_test(test_refused_algorithms),
		cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_issuers),
		cmocka_unit_test(test_path_lengths),
		cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_check_issued),
		cmocka_unit_test(test_check_issued_without_aki),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_refused_forms),
		cmocka_unit_test(test_read_refused_default),
		cmocka_unit_test(test_read_refused_unique_id),
		cmocka_unit_test(test_read_refused_value),
		cmocka_unit_test(test_read_refused_pem_header),
		cmocka_unit_test(test_facts_refused),
		cmocka_unit_test(test_malformed_extension),
		cmocka_unit_test(test_odd_issuers),
		cmocka_unit_test(test_long_url),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
