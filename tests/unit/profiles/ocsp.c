/* Pre-signed OCSP responses: OpenSSL must take them for what they are. */
#include "profiles/ocsp.h"

#include <string.h>

#include <openssl/ocsp.h>

#include "base/text.h"
#include "profiles/existing.h"
#include "support.h"

CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);
CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);
CLEANUP_DEFINE(OCSP_CERTID, OCSP_CERTID_free);

struct world {
	X509 *root, *child, *responder;
	struct profile *profile;
	unsigned char *spki; /* of who signs */
	size_t spki_len;
	unsigned char serial[SERIAL_LEN];
	struct ocsp_entry entry;
	struct ocsp_response_request req;
};

static X509 *
child_of(X509 *root, const char *profile_name, EVP_PKEY *pkey)
{
	AUTO_PTR(profile) *profile = load(profile_name, NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(pkey, &len);
	struct certificate_request req = request(profile, root, spki, len);

	return issue(&req, key("p-384", 0));
}

/* A root whose key usage has digitalSignature, so that it may answer itself. */
static X509 *
answering_root(void)
{
	AUTO_PTR(profile) *profile =
	    load("root", "usages: [key-cert-sign, crl-sign]",
		"usages: [digital-signature, key-cert-sign, crl-sign]");
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-384", 0), &len);
	struct certificate_request req = request(profile, NULL, spki, len);

	return issue(&req, key("p-384", 0));
}

static void
world_open(struct world *w, bool delegated)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	w->root = delegated ? root_of(key("p-384", 0)) : answering_root();
	w->child = child_of(w->root, "issuing-ca", key("p-256", 1));
	w->responder = delegated
	    ? child_of(w->root, "ocsp-responder", key("p-256", 2))
	    : NULL;
	w->profile = load("ocsp-response", NULL, NULL);
	w->spki = spki_of(
	    delegated ? key("p-256", 2) : key("p-384", 0), &w->spki_len);
	assert_int_equal(certificate_facts(w->child, &facts), 0);
	memcpy(w->serial, facts.serial, SERIAL_LEN);
	w->entry = (struct ocsp_entry){ .serial = w->serial,
		.serial_len = facts.serial_len,
		.not_after = facts.not_after };
	w->req = (struct ocsp_response_request){ .profile = w->profile,
		.issuer = w->root,
		.responder = w->responder,
		.entries = &w->entry,
		.entry_count = 1,
		.now = now,
		.place = "plan.yaml:1:1" };
}

static void
world_close(struct world *w)
{
	X509_free(w->root);
	X509_free(w->child);
	X509_free(w->responder);
	profile_free(w->profile);
	free(w->spki);
}

/* Built, signed, assembled, verified as itself. */
static unsigned char *
respond(const struct world *w, size_t *ret_len)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_DER(cert) = NULL;
	EVP_PKEY *pkey =
	    w->responder != NULL ? key("p-256", 2) : key("p-384", 0);
	size_t sig_len;
	AUTO_BYTES(sig) = NULL;
	unsigned char *der = NULL;
	int cert_len = w->responder != NULL ? i2d_X509(w->responder, &cert) : 0;

	assert_int_equal(ocsp_response_check(&w->req, &findings), 0);
	assert_clean(&findings);
	assert_int_equal(ocsp_response_build(&w->req, &tbs), 0);
	assert_int_equal(tbs.kind, OBJECT_OCSP);
	sig = raw_signature(tbs.alg, &tbs, pkey, &sig_len);
	assert_int_equal(ocsp_assemble(&tbs, sig, sig_len, cert,
			     (size_t)cert_len, &der, ret_len),
	    0);
	assert_int_equal(
	    object_verify(&tbs, w->spki, w->spki_len, der, *ret_len), 0);
	return der;
}

static void
check_status(const struct world *w, OCSP_BASICRESP *basic, const EVP_MD *md)
{
	AUTO(OCSP_CERTID) *id = OCSP_cert_to_id(md, w->child, w->root);
	int status, reason;
	ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;

	assert_int_equal(OCSP_resp_find_status(basic, id, &status, &reason,
			     &revoked, &this_update, &next_update),
	    1);
	if (w->entry.status == STATUS_GOOD) {
		assert_int_equal(status, V_OCSP_CERTSTATUS_GOOD);
	} else {
		assert_int_equal(status, V_OCSP_CERTSTATUS_REVOKED);
		assert_int_equal(reason,
		    w->entry.reason == REASON_NONE ? -1 : (int)w->entry.reason);
	}
	assert_non_null(next_update);
}

/* By OpenSSL: signature, responder, both CertIDs; by us: the profile. */
static void
check_response(const struct world *w, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	AUTO(OCSP_RESPONSE) *response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	AUTO(OCSP_BASICRESP) *basic = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *none = sk_X509_new_null();

	assert_non_null(response);
	assert_int_equal(
	    OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
	basic = OCSP_response_get1_basic(response);
	assert_non_null(basic);
	assert_int_equal(X509_STORE_add_cert(store, w->root), 1);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), now);
	if (w->responder == NULL)
		assert_true(sk_X509_push(none, w->root) > 0);
	if (OCSP_basic_verify(basic, none, store, 0) != 1)
		fail_msg("OpenSSL refuses the response");
	check_status(w, basic, EVP_sha256());
	if (profile_adds_sha1(w->profile))
		check_status(w, basic, EVP_sha1());
	sk_X509_free(none);
	X509_STORE_free(store);
	assert_int_equal(ocsp_check_profile(
			     der, len, w->profile, w->root, "ocsp", &findings),
	    0);
	assert_clean(&findings);
}

static void
test_responses(void **state)
{
	static const struct {
		enum ocsp_status status;
		enum revocation_reason reason;
	} cases[] = {
		{ STATUS_GOOD, REASON_NONE },
		{ STATUS_REVOKED, REASON_KEY_COMPROMISE },
		{ STATUS_REVOKED, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct world w;
		size_t len;
		AUTO_BYTES(der) = NULL;

		world_open(&w, i >= 3);
		w.entry.status = cases[i % 3].status;
		w.entry.reason = cases[i % 3].reason;
		w.entry.date = w.entry.status == STATUS_REVOKED ? now - DAY : 0;
		der = respond(&w, &len);
		check_response(&w, der, len);
		world_close(&w);
	}
}

/* The octets that RFC 6960 and rules.md, section 9, want. */
static void
test_octets(void **state)
{
	struct world w;
	AUTO_PTR(profile) *plain =
	    load("ocsp-response", "also-sha1: yes", "also-sha1: no");
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_CHARS(hex) = NULL;
	struct der in, body, single, id;

	(void)state;
	world_open(&w, false);
	w.req.profile = plain;
	assert_int_equal(ocsp_response_build(&w.req, &tbs), 0);
	in = (struct der){ tbs.der, tbs.len };
	assert_true(der_take(&in, DER_SEQUENCE, &body, NULL));
	/* OCS-VERSION: absent; byKey [2] { OCTET STRING of 20 } */
	hex = text_hex(body.p, 4);
	assert_string_equal(hex, "a2160414");
	assert_true(der_take(&body, 0xa2, NULL, NULL));
	assert_true(der_take(&body, DER_GENERALIZED_TIME, &id, NULL));
	assert_int_equal(id.len, 15);
	assert_memory_equal(id.p, "20261120120000Z", 15);
	assert_true(der_take(&body, DER_SEQUENCE, &single, NULL));
	assert_int_equal(body.len, 0); /* OCS-RESPEXT */
	assert_true(der_take(&single, DER_SEQUENCE, &body, NULL));
	assert_int_equal(single.len, 0); /* one alone */
	assert_true(der_take(&body, DER_SEQUENCE, &id, NULL));
	free(hex);
	hex = text_hex(id.p, 15);
	assert_string_equal(hex, "300d06096086480165030402010500");
	free(hex);
	hex = text_hex(body.p, 2);
	assert_string_equal(hex, "8000"); /* good [0] NULL */
	world_close(&w);
}

static void
refused(const struct ocsp_response_request *req, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };

	assert_int_equal(ocsp_response_check(req, &findings), 0);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
	assert_string_equal(findings.rows[0].place, "plan.yaml:1:1");
	assert_int_equal(ocsp_response_build(req, &tbs), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(tbs.der);
	ca_error_clear();
}

static void
test_refused_signers(void **state)
{
	struct world w;
	AUTO(X509) *stranger = NULL;
	AUTO(X509) *elsewhere = NULL;
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	struct ocsp_response_request req;

	(void)state;
	world_open(&w, true);
	req = w.req;
	req.responder = NULL; /* the root lacks digitalSignature */
	refused(&req, "OCS-SIGNER");
	req.responder = w.child; /* a CA, and not for it */
	refused(&req, "OCS-SIGNER");
	stranger = root_of(key("p-384", 1));
	elsewhere = child_of(stranger, "ocsp-responder", key("p-256", 2));
	req.responder = elsewhere; /* same name, another key */
	refused(&req, "OCR-ISSUER");
	req = w.req;
	req.profile = crl;
	refused(&req, "PROFILE-KIND");
	req = w.req;
	req.signature = "ecdsa-sha384";
	refused(&req, "ALG-SIG-CURVE-HASH");
	req = w.req;
	req.now = now + 366LL * DAY; /* the responder has expired */
	refused(&req, "ISSUER-VALID");
	req = w.req;
	req.now = now + 200LL * DAY; /* and would before nextUpdate */
	refused(&req, "OCS-NEXTUPDATE-CERTS");
	world_close(&w);
}

/* A responder without ocsp-nocheck. */
static void
test_nocheck(void **state)
{
	struct world w;
	AUTO(X509) *bare = NULL;
	X509_EXTENSION *extension;
	int at;

	(void)state;
	world_open(&w, true);
	bare = X509_dup(w.responder);
	at = X509_get_ext_by_NID(bare, NID_id_pkix_OCSP_noCheck, -1);
	extension = X509_delete_ext(bare, at);
	X509_EXTENSION_free(extension);
	w.req.responder = bare;
	refused(&w.req, "OCR-NOCHECK");
	world_close(&w);
}

static void
test_refused_entries(void **state)
{
	AUTO_STRUCT(certificate_facts) root = { 0 };
	struct world w;
	struct ocsp_entry two[2];
	AUTO_PTR(profile) *public = NULL;
	AUTO_CHARS(text) = profile_text("ocsp-response");
	AUTO_CHARS(other) =
	    edited(text, "ruleset: private", "ruleset: cabf-tls");
	AUTO_STRUCT(findings) findings = { 0 };
	struct ocsp_entry good;

	(void)state;
	world_open(&w, false);
	good = w.entry;
	w.req.entry_count = 0;
	refused(&w.req, "OCS-ONE");
	two[0] = two[1] = good;
	w.req.entries = two;
	w.req.entry_count = 2;
	refused(&w.req, "OCS-ONE");
	refused(&w.req, "OCS-CERTID-SHA256"); /* twice the same */
	w.req.entries = &w.entry;
	w.req.entry_count = 1;
	w.entry.not_after = now + DAY;
	refused(&w.req, "OCS-NEXTUPDATE-TARGET");
	w.entry = good;
	w.entry.serial_len = 0;
	refused(&w.req, "OCS-CERTID-SHA256");
	w.entry = good;
	assert_int_equal(certificate_facts(w.root, &root), 0);
	w.entry.serial = root.serial;
	w.entry.serial_len = root.serial_len;
	refused(&w.req, "OCS-ROOT-STATUS");
	w.entry = good;
	w.entry.status = STATUS_REVOKED;
	w.entry.date = now + 1;
	refused(&w.req, "OCS-REVOKED");
	w.entry.date = now;
	w.entry.reason = (enum revocation_reason)6; /* certificateHold */
	refused(&w.req, "OCS-REASON-SET");
	w.entry.reason = REASON_NONE; /* fine, but not for public CAs */
	assert_int_equal(profile_load("p", (const unsigned char *)other,
			     strlen(other), &findings, &public),
	    0);
	w.req.profile = public;
	refused(&w.req, "OCS-REASON-CA");
	world_close(&w);
}

static void
test_validity(void **state)
{
	struct world w;

	(void)state;
	world_open(&w, false);
	w.req.validity = 366LL * DAY;
	refused(&w.req, "PROFILE-VALIDITY");
	w.req.validity = 1;
	refused(&w.req, "OCS-NEXTUPDATE");
	world_close(&w);
}

/* Each bit of a response but those of the certificate beside it: refused. */
static void
test_flipped(void **state)
{
	struct world w;
	AUTO_STRUCT(tbs) tbs = { 0 };
	size_t len, sig_len;
	AUTO_BYTES(sig) = NULL;
	AUTO_BYTES(der) = NULL;

	(void)state;
	world_open(&w, false);
	assert_int_equal(ocsp_response_build(&w.req, &tbs), 0);
	sig = raw_signature(tbs.alg, &tbs, key("p-384", 0), &sig_len);
	assert_int_equal(object_assemble(&tbs, sig, sig_len, &der, &len), 0);
	assert_int_equal(object_verify(&tbs, w.spki, w.spki_len, der, len), 0);
	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			der[i] ^= (unsigned char)(1U << bit);
			assert_int_equal(
			    object_verify(&tbs, w.spki, w.spki_len, der, len),
			    -1);
			ca_error_clear();
			der[i] ^= (unsigned char)(1U << bit);
		}
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(
		    object_verify(&tbs, w.spki, w.spki_len, der, cut), -1);
		ca_error_clear();
	}
	world_close(&w);
}

static void
test_taken_apart(void **state)
{
	/* unauthorized; no BasicOCSPResponse; trailing octet */
	static const unsigned char unauthorized[] = { 0x30, 0x03, 0x0a, 0x01,
		0x06 };
	static const unsigned char bare[] = { 0x30, 0x03, 0x0a, 0x01, 0x00 };
	static const unsigned char behind[] = { 0x30, 0x03, 0x0a, 0x01, 0x00,
		0x00 };
	struct ocsp_parts parts;
	struct world w;
	size_t len;
	AUTO_BYTES(der) = NULL;

	(void)state;
	assert_int_equal(
	    ocsp_take_apart("x", unauthorized, sizeof unauthorized, &parts),
	    -1);
	assert_int_equal(ocsp_take_apart("x", bare, sizeof bare, &parts), -1);
	assert_int_equal(
	    ocsp_take_apart("x", behind, sizeof behind, &parts), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	ca_error_clear();
	world_open(&w, true);
	der = respond(&w, &len);
	assert_int_equal(ocsp_take_apart("x", der, len, &parts), 0);
	assert_true(parts.responder.len > 0);
	assert_int_equal(parts.tbs.p[0], DER_SEQUENCE);
	world_close(&w);
}

/* A response that another profile made. */
static void
test_other_profile(void **state)
{
	struct world w;
	size_t len;
	AUTO_BYTES(der) = NULL;
	AUTO_PTR(profile) *plain =
	    load("ocsp-response", "also-sha1: yes", "also-sha1: no");
	AUTO_PTR(profile) *brief = load("ocsp-response",
	    "default: 182d\n  max: 365d", "default: 30d\n  max: 60d");
	AUTO_STRUCT(findings) findings = { 0 };

	(void)state;
	world_open(&w, true);
	der = respond(&w, &len);
	assert_int_equal(
	    ocsp_check_profile(der, len, plain, w.root, "o", &findings), 0);
	assert_finding(&findings, "PROFILE-OCTETS");
	assert_int_equal(
	    ocsp_check_profile(der, len, brief, w.root, "o", &findings), 0);
	assert_finding(&findings, "PROFILE-VALIDITY");
	assert_int_equal(
	    ocsp_check_profile(der, len - 1, plain, w.root, "o", &findings), 0);
	assert_int_equal(findings.errors, 3);
	world_close(&w);
}

/* ---- many, and their names -------------------------------------------- */

static struct ocsp_maker *
maker_of(const struct world *w)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct ocsp_maker *maker = NULL;

	assert_int_equal(ocsp_maker_open(&w->req, &findings, &maker), 0);
	assert_clean(&findings);
	assert_non_null(maker);
	return maker;
}

/* The same octets as one by one, signed by either. */
static void
test_maker(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(tbs) one = { 0 };
		AUTO_STRUCT(tbs) many = { 0 };
		AUTO_PTR(ocsp_maker) *maker = NULL;
		struct world w;

		world_open(&w, i >= 2);
		if (i % 2 == 1) {
			w.entry.status = STATUS_REVOKED;
			w.entry.reason = REASON_SUPERSEDED;
			w.entry.date = now - DAY;
		}
		maker = maker_of(&w);
		assert_int_equal(ocsp_response_build(&w.req, &one), 0);
		assert_int_equal(
		    ocsp_maker_build(maker, &w.entry, 0, &findings, &many), 0);
		assert_clean(&findings);
		assert_ptr_equal(many.alg, one.alg);
		assert_int_equal(many.len, one.len);
		assert_memory_equal(many.der, one.der, one.len);
		assert_memory_equal(many.sha256, one.sha256, 32);
		world_close(&w);
	}
}

/* OCS-NEXTUPDATE-TARGET: a response is shorter, and never too short. */
static void
test_maker_validity(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_PTR(ocsp_maker) *maker = NULL;
	AUTO_PTR(ocsp_maker) *strict = NULL;
	AUTO_PTR(profile) *brief = NULL;
	AUTO_CHARS(text) = profile_text("ocsp-response");
	AUTO_CHARS(users) = edited(text, "covers: ca", "covers: user");
	AUTO_CHARS(cabf) =
	    edited(users, "ruleset: private", "ruleset: cabf-tls");
	AUTO_CHARS(days) = edited(cabf, "default: 182d\n  max: 365d",
	    "default: 7d\n  min: 9h\n  max: 9d");
	struct world w;
	struct ocsp_response_request req;

	(void)state;
	world_open(&w, false);
	maker = maker_of(&w);
	assert_int_equal(
	    ocsp_maker_validity(maker, now + 500LL * DAY), 182LL * DAY);
	assert_int_equal(
	    ocsp_maker_next_update(maker, 0), now + 182LL * DAY - 1);
	assert_int_equal(ocsp_maker_validity(maker, now + DAY), DAY + 1);
	assert_int_equal(ocsp_maker_next_update(maker, DAY + 1), now + DAY);
	assert_int_equal(ocsp_maker_validity(maker, now + 1), 2);
	assert_int_equal(ocsp_maker_validity(maker, now), 0);
	assert_int_equal(ocsp_maker_validity(maker, now - 1), 0);
	w.entry.not_after = now + DAY;
	assert_int_equal(
	    ocsp_maker_build(maker, &w.entry, 0, &findings, &tbs), 0);
	assert_finding(&findings, "OCS-NEXTUPDATE-TARGET");
	assert_null(tbs.der);
	findings_clear(&findings);
	findings = (struct findings){ 0 };
	assert_int_equal(
	    ocsp_maker_build(maker, &w.entry, DAY + 1, &findings, &tbs), 0);
	assert_clean(&findings);
	assert_non_null(tbs.der);
	/* OCS-INTERVAL-EE: eight hours at least. */
	assert_int_equal(profile_load("p", (const unsigned char *)days,
			     strlen(days), &findings, &brief),
	    0);
	req = w.req;
	req.profile = brief;
	assert_int_equal(ocsp_maker_open(&req, &findings, &strict), 0);
	assert_non_null(strict);
	assert_int_equal(
	    ocsp_maker_validity(strict, now + 500LL * DAY), 7LL * DAY);
	assert_int_equal(
	    ocsp_maker_validity(strict, now + 9LL * 3600 - 1), 9LL * 3600);
	assert_int_equal(ocsp_maker_validity(strict, now + 9LL * 3600 - 2), 0);
	world_close(&w);
}

static void
test_maker_refused(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(certificate_facts) root = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	AUTO_PTR(ocsp_maker) *good = NULL;
	struct ocsp_maker *maker = NULL;
	struct ocsp_response_request req;
	struct world w;

	(void)state;
	world_open(&w, true);
	req = w.req;
	req.responder = NULL; /* the root lacks digitalSignature */
	assert_int_equal(ocsp_maker_open(&req, &findings, &maker), 0);
	assert_finding(&findings, "OCS-SIGNER");
	req = w.req;
	req.profile = crl;
	assert_int_equal(ocsp_maker_open(&req, &findings, &maker), 0);
	assert_finding(&findings, "PROFILE-KIND");
	req = w.req;
	req.now = now + 200LL * DAY;
	assert_int_equal(ocsp_maker_open(&req, &findings, &maker), 0);
	assert_finding(&findings, "OCS-NEXTUPDATE-CERTS");
	req = w.req;
	req.signature = "rsa-sha256";
	assert_int_equal(ocsp_maker_open(&req, &findings, &maker), 0);
	assert_null(maker);
	good = maker_of(&w);
	assert_int_equal(certificate_facts(w.root, &root), 0);
	w.entry.serial = root.serial;
	w.entry.serial_len = root.serial_len;
	assert_int_equal(
	    ocsp_maker_build(good, &w.entry, 0, &findings, &tbs), 0);
	assert_finding(&findings, "OCS-ROOT-STATUS");
	assert_null(tbs.der);
	world_close(&w);
}

/* What a client makes of issuer and certificate: RFC 6960, appendix A.1. */
static char *
client_name(const struct world *w, const EVP_MD *md)
{
	OCSP_REQUEST *request = OCSP_REQUEST_new();
	AUTO_DER(der) = NULL;
	unsigned char base64[256];
	char *name = calloc(1, 3 * sizeof base64), *p = name;
	int len;

	assert_non_null(OCSP_request_add0_id(
	    request, OCSP_cert_to_id(md, w->child, w->root)));
	len = i2d_OCSP_REQUEST(request, &der);
	assert_true(len > 0 && len < 180);
	(void)EVP_EncodeBlock(base64, der, len);
	for (const unsigned char *c = base64; *c != '\0'; c++)
		p += strchr("+/=", *c) != NULL ? sprintf(p, "%%%02X", *c)
					       : sprintf(p, "%c", *c);
	OCSP_REQUEST_free(request);
	return name;
}

static void
test_names(void **state)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789%";

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };
		AUTO_STRUCT(ocsp_get_names) again = { .count = 0 };
		struct ocsp_parts parts;
		struct world w;
		size_t len;
		AUTO_BYTES(der) = NULL;
		AUTO_CHARS(by_sha256) = NULL;
		AUTO_CHARS(by_sha1) = NULL;

		world_open(&w, i == 1);
		der = respond(&w, &len);
		assert_int_equal(ocsp_response_names("x", der, len, &names), 0);
		assert_int_equal(names.count, 2);
		by_sha256 = client_name(&w, EVP_sha256());
		by_sha1 = client_name(&w, EVP_sha1());
		assert_string_equal(names.names[0], by_sha256);
		assert_string_equal(names.names[1], by_sha1);
		assert_int_equal(strspn(by_sha256, plain), strlen(by_sha256));
		assert_int_equal(ocsp_take_apart("x", der, len, &parts), 0);
		assert_int_equal(ocsp_data_names(parts.tbs, &again), 0);
		assert_string_equal(again.names[0], by_sha256);
		world_close(&w);
	}
}

enum { ID_MAX = 128 };

/* A CertID of fixed octets; returns its length. */
static size_t
cert_id(unsigned char out[ID_MAX], const char *alg_hex, unsigned char fill,
    size_t hash_len, size_t serial_len)
{
	AUTO_BYTES(alg) = NULL;
	size_t alg_len, at = 2;

	assert_int_equal(text_unhex(alg_hex, &alg, &alg_len), 0);
	memcpy(out + at, alg, alg_len);
	at += alg_len;
	for (size_t i = 0; i < 2; i++) {
		out[at++] = DER_OCTET_STRING;
		out[at++] = (unsigned char)hash_len;
		memset(out + at, fill, hash_len);
		at += hash_len;
	}
	out[at++] = DER_INTEGER;
	out[at++] = (unsigned char)serial_len;
	memset(out + at, 0x55, serial_len);
	at += serial_len;
	out[0] = DER_SEQUENCE;
	out[1] = (unsigned char)(at - 2);
	return at;
}

#define SHA256_NULL "300d06096086480165030402010500"
#define SHA256_BARE "300b0609608648016503040201"
#define SHA1_BARE "300706052b0e03021a"
#define SHA384_NULL "300d06096086480165030402020500"

static void
name_refused(struct der id, const char *text)
{
	AUTO_CHARS(message) = NULL;
	char *name = NULL;

	assert_int_equal(ocsp_get_name(id, &name), -1);
	assert_null(name);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	message = ca_error_take();
	assert_non_null(strstr(message, text));
}

static void
test_name_forms(void **state)
{
	unsigned char id[ID_MAX];
	AUTO_CHARS(with) = NULL;
	AUTO_CHARS(without) = NULL;
	AUTO_CHARS(sha1) = NULL;
	size_t len;

	(void)state;
	/* OCS-CERTID-PARAMS: NULL, or none: one name. */
	len = cert_id(id, SHA256_NULL, 0, 32, 20);
	assert_int_equal(ocsp_get_name((struct der){ id, len }, &with), 0);
	len = cert_id(id, SHA256_BARE, 0, 32, 20);
	assert_int_equal(ocsp_get_name((struct der){ id, len }, &without), 0);
	assert_string_equal(with, without);
	len = cert_id(id, SHA1_BARE, 0, 20, 1);
	assert_int_equal(ocsp_get_name((struct der){ id, len }, &sha1), 0);
	assert_string_equal(sha1,
	    "MEIwQDA%2BMDwwOjAJBgUrDgMCGgUABBQAAAAAAAAAAAAAAAAAAAAAAAAAAAQUAAAA"
	    "AAAAAAAAAAAAAAAAAAAAAAACAVU%3D");
	/* Hashes that nobody has: all slashes, so longer than a file name. */
	len = cert_id(id, SHA256_NULL, 0xff, 32, 20);
	name_refused((struct der){ id, len }, "255");
	/* Not what it says, or of another hash. */
	len = cert_id(id, SHA256_NULL, 0, 20, 20);
	name_refused((struct der){ id, len }, "CertID");
	len = cert_id(id, SHA384_NULL, 0, 32, 20);
	name_refused((struct der){ id, len }, "CertID");
	len = cert_id(id, SHA256_NULL, 0, 32, 21);
	name_refused((struct der){ id, len }, "CertID");
	len = cert_id(id, SHA256_NULL, 0, 32, 20);
	for (size_t cut = 0; cut < len; cut++)
		name_refused((struct der){ id, cut }, "CertID");
}

static void
test_names_refused(void **state)
{
	struct ocsp_get_names names = { .count = 0 };
	struct world w;
	struct ocsp_parts parts;
	size_t len;
	AUTO_BYTES(der) = NULL;

	(void)state;
	world_open(&w, true);
	der = respond(&w, &len);
	assert_int_equal(ocsp_take_apart("x", der, len, &parts), 0);
	for (size_t cut = 0; cut < parts.tbs.len; cut++) {
		const struct der data = { parts.tbs.p, cut };

		assert_int_equal(ocsp_data_names(data, &names), -1);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		ca_error_clear();
	}
	assert_int_equal(ocsp_response_names("x", der, len - 1, &names), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	ca_error_clear();
	assert_int_equal(names.count, 0);
	world_close(&w);
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_refused_signers),
		cmocka_unit_test(test_nocheck),
		cmocka_unit_test(test_refused_entries),
		cmocka_unit_test(test_validity),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_taken_apart),
		cmocka_unit_test(test_other_profile),
		cmocka_unit_test(test_maker),
		cmocka_unit_test(test_maker_validity),
		cmocka_unit_test(test_maker_refused),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_forms),
		cmocka_unit_test(test_names_refused),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
