/*
 * OCSP responses made by OpenSSL: read as they are, signed by the CA itself,
 * and never a crash where they are cut or changed.
 */
#include <string.h>
#include <time.h>

#include "profiles/lint/ocsp-private.h"
#include "support.h"

static EVP_PKEY *key;
static X509 *issuer;
static unsigned char *issuer_der;
static size_t issuer_len;

static int
make_issuer(void **state)
{
	AUTO(X509_NAME) *name = X509_NAME_new();
	AUTO(X509_EXTENSION) *usage = X509V3_EXT_conf_nid(NULL, NULL,
	    NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign");
	int len;

	(void)state;
	key = EVP_EC_gen("P-256");
	issuer = X509_new();
	assert_non_null(key);
	assert_non_null(issuer);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"OCSP CA", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_version(issuer, X509_VERSION_3), 1);
	assert_int_equal(X509_set_subject_name(issuer, name), 1);
	assert_int_equal(X509_set_issuer_name(issuer, name), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(issuer), 77), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(issuer), -86400));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(issuer), 86400));
	assert_int_equal(X509_set_pubkey(issuer, key), 1);
	assert_int_equal(X509_add_ext(issuer, usage, -1), 1);
	assert_true(X509_sign(issuer, key, EVP_sha256()) > 0);
	len = i2d_X509(issuer, &issuer_der);
	assert_true(len > 0);
	issuer_len = (size_t)len;
	return 0;
}

static int
free_issuer(void **state)
{
	(void)state;
	EVP_PKEY_free(key);
	X509_free(issuer);
	OPENSSL_free(issuer_der);
	return 0;
}

/* About serial 5, revoked; the CA signs and encloses nothing. */
static unsigned char *
make_response(size_t *ret_len)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	AUTO(ASN1_INTEGER) *serial = ASN1_INTEGER_new();
	AUTO(ASN1_TIME) *now = ASN1_TIME_set(NULL, time(NULL));
	AUTO(ASN1_TIME) *next = ASN1_TIME_adj(NULL, time(NULL), 0, 3600);
	OCSP_CERTID *id;
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int len;

	assert_int_equal(ASN1_INTEGER_set(serial, 5), 1);
	id = OCSP_cert_id_new(EVP_sha256(), X509_get_subject_name(issuer),
	    X509_get0_pubkey_bitstr(issuer), serial);
	assert_non_null(id);
	assert_non_null(
	    OCSP_basic_add1_status(basic, id, V_OCSP_CERTSTATUS_REVOKED,
		OCSP_REVOKED_STATUS_SUPERSEDED, now, now, next));
	assert_int_equal(OCSP_basic_sign(basic, issuer, key, EVP_sha256(), NULL,
			     OCSP_NOCERTS | OCSP_RESPID_KEY),
	    1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	assert_true(len > 0);
	*ret_len = (size_t)len;
	OCSP_CERTID_free(id);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	return der;
}

static void
lint_octets(const unsigned char *p, size_t len, struct findings *findings)
{
	const struct lint_context context = { .issuer = { issuer_der,
						  issuer_len },
		.rulesets = RULESET_BIT(RULESET_CABF_TLS) };

	assert_int_equal(
	    lint_ocsp("response", (struct der){ p, len }, &context, findings),
	    0);
}

static bool
has(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0)
			return true;
	return false;
}

static void
test_open(void **state)
{
	AUTO_PTR(lint_certificate) *ca = NULL;
	AUTO_PTR(lint_ocsp_state) *s = NULL;
	size_t len;
	AUTO_DER(der) = make_response(&len);

	(void)state;
	assert_int_equal(
	    lint_certificate_open((struct der){ issuer_der, issuer_len }, &ca),
	    0);
	assert_int_equal(
	    lint_ocsp_open((struct der){ der, len }, ca, NULL, &s), 0);
	assert_true(s->is_basic);
	assert_int_equal(s->count, 1);
	assert_int_equal(s->singles[0].status, OCSP_REVOKED);
	assert_int_equal(s->singles[0].hash_nid, NID_sha256);
	assert_int_equal(s->singles[0].serial.len, 1);
	assert_int_equal(s->singles[0].serial.p[0], 5);
	assert_int_equal(s->singles[0].reason.p[0], 4);
	assert_true(s->singles[0].next_update.seconds -
		s->singles[0].this_update.seconds ==
	    3600);
	assert_true(s->signer_is_issuer);
	assert_int_equal(lint_ocsp_verify(s, &ca->key), 1);
	assert_non_null(s->basicresp);
	s->signature.len--;
	assert_int_equal(lint_ocsp_verify(s, &ca->key), 0);
	s->alg.len--;
	assert_int_equal(lint_ocsp_verify(s, &ca->key), -1);
}

/* Without an issuer at hand nobody is known to have signed. */
static void
test_no_issuer(void **state)
{
	AUTO_PTR(lint_ocsp_state) *s = NULL;
	size_t len;
	AUTO_DER(der) = make_response(&len);

	(void)state;
	assert_int_equal(
	    lint_ocsp_open((struct der){ der, len }, NULL, NULL, &s), 0);
	assert_null(s->signer);
	assert_false(s->signer_is_issuer);
}

static void
test_cut(void **state)
{
	size_t len;
	AUTO_DER(der) = make_response(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };

		lint_octets(der, i, &findings);
		assert_int_equal(findings.count, 1);
		assert_true(has(&findings, "FLD-DER-STRICT"));
	}
}

static bool
is_refused(const struct findings *findings)
{
	static const char *const ids[] = { "FLD-DER-STRICT", "OCS-STATUS",
		"OCS-TYPE", "OCS-RESPONDERID", "OCS-SIGNER" };

	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (has(findings, ids[i]))
			return findings->errors > 0;
	return false;
}

/* As it is there is no such finding; whatever octet is changed, there is. */
static void
test_changed(void **state)
{
	static const unsigned char changes[] = { 0x01, 0x80, 0xff };
	AUTO_STRUCT(findings) before = { NULL, 0, 0, false };
	size_t len;
	AUTO_DER(der) = make_response(&len);

	(void)state;
	lint_octets(der, len, &before);
	assert_false(is_refused(&before));
	for (size_t i = 0; i < len * sizeof changes; i++) {
		AUTO_STRUCT(findings) findings = { NULL, 0, 0, false };

		der[i % len] ^= changes[i / len];
		lint_octets(der, len, &findings);
		assert_true(is_refused(&findings));
		der[i % len] ^= changes[i / len];
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_no_issuer),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_changed),
	};

	return cmocka_run_group_tests(tests, make_issuer, free_issuer);
}
