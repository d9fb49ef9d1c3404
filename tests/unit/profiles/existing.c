/* Objects that exist against their profile: the right one, and others. */
#include "profiles/existing.h"

#include "support.h"

static X509 *
child_of(X509 *root, EVP_PKEY *root_key, const struct profile *profile,
    const char *signature)
{
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 2), &len);
	struct certificate_request req = request(profile, root, spki, len);

	req.signature = signature;
	return issue(&req, root_key);
}

/* What the profile says of the certificate. */
static void
check(const X509 *cert, const struct profile *profile, const X509 *issuer,
    struct findings *findings)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(cert, &der);

	assert_true(len > 0);
	assert_int_equal(certificate_check_profile(der, (size_t)len, profile,
			     issuer, "cert", findings),
	    0);
	assert_int_equal(ca_error_reason(), 0);
}

static void
check_shipped(const char *name, const char *key_type, const char *signature)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = load(name, NULL, NULL);
	AUTO(X509) *root = root_of(key(key_type, 0));
	AUTO(X509) *cert = child_of(root, key(key_type, 0), profile, signature);

	check(cert, profile, root, &findings);
	assert_clean(&findings);
}

static void
test_shipped(void **state)
{
	static const struct {
		const char *key_type, *signature;
	} ways[] = {
		{ "p-256", NULL },
		{ "p-384", NULL },
		{ "p-521", "ecdsa-sha512" },
		{ "rsa-2048", "rsa-sha512" },
		{ "rsa-2048", "rsa-pss-sha256" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
		check_shipped(
		    "issuing-ca", ways[i].key_type, ways[i].signature);
		check_shipped(
		    "ocsp-responder", ways[i].key_type, ways[i].signature);
	}
}

static void
test_root(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = load("root", NULL, NULL);
	AUTO(X509) *root = root_of(key("p-384", 0));

	(void)state;
	check(root, profile, NULL, &findings);
	assert_clean(&findings);
}

/* Made by the issuing CA's profile, judged by one with an edit. */
static void
check_edited(const char *from, const char *to, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *made_by = load("issuing-ca", NULL, NULL);
	AUTO_PTR(profile) *judged_by = load("issuing-ca", from, to);
	AUTO(X509) *root = root_of(key("p-384", 0));
	AUTO(X509) *cert = child_of(root, key("p-384", 0), made_by, NULL);

	check(cert, judged_by, root, &findings);
	assert_finding(&findings, id);
	assert_int_equal(findings.errors, 1);
}

static void
test_edited(void **state)
{
	(void)state;
	check_edited("path-length: 0", "path-length: 1", "PROFILE-OCTETS");
	check_edited("[key-cert-sign, crl-sign]",
	    "[digital-signature, key-cert-sign, crl-sign]", "PROFILE-OCTETS");
	check_edited(
	    "[server-auth, client-auth]", "[server-auth]", "PROFILE-OCTETS");
	check_edited("[any-policy]", "[1.3.6.1.4.1.99999.1]", "PROFILE-OCTETS");
	check_edited("default: 3652d\n  max: 3652d",
	    "default: 365d\n  max: 365d", "PROFILE-VALIDITY");
	check_edited("keys: [p-256, ", "keys: [", "PROFILE-KEYS");
	check_edited("signatures: [ecdsa-sha256, ecdsa-sha384,",
	    "signatures: [ecdsa-sha256,", "PROFILE-SIGNATURES");
	check_edited("common-name, encoding: utf8",
	    "common-name, encoding: printable", "PROFILE-OCTETS");
	check_edited("  - {attribute: organization, encoding: utf8, required: "
		     "yes}\n",
	    "", "PROFILE-OCTETS");
}

static void
test_other_kind(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *made_by = load("issuing-ca", NULL, NULL);
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	AUTO(X509) *root = root_of(key("p-384", 0));
	AUTO(X509) *cert = child_of(root, key("p-384", 0), made_by, NULL);

	(void)state;
	check(cert, crl, root, &findings);
	assert_int_not_equal(findings.errors, 0);
}

static void
test_rubbish(void **state)
{
	static const unsigned char rubbish[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = load("issuing-ca", NULL, NULL);
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	AUTO(X509) *root = root_of(key("p-384", 0));

	(void)state;
	assert_int_equal(certificate_check_profile(rubbish, sizeof rubbish,
			     profile, root, "cert", &findings),
	    0);
	assert_int_equal(findings.errors, 1);
	assert_int_equal(crl_check_profile(rubbish, sizeof rubbish, crl, root,
			     "crl", &findings),
	    0);
	assert_int_equal(findings.errors, 2);
}

/* ---- CRLs ------------------------------------------------------------- */

static const unsigned char serials[3][2] = { { 0x11, 1 }, { 0x11, 2 },
	{ 0x12, 0 } };

static unsigned char *
make_crl(X509 *root, const struct profile *profile, size_t count, size_t *len)
{
	const struct crl_entry entries[] = {
		{ serials[0], 2, now - DAY, REASON_KEY_COMPROMISE, 0 },
		{ serials[1], 2, now - 2 * DAY, REASON_NONE, 0 },
		{ serials[2], 2, now, REASON_PRIVILEGE_WITHDRAWN, 0 },
	};
	const struct crl_request req = {
		.profile = profile,
		.issuer = root,
		.number = 77,
		.now = now,
		.entries = entries,
		.entry_count = count,
		.place = "crl",
	};
	AUTO_STRUCT(tbs) tbs = { 0 };

	assert_int_equal(crl_build(&req, &tbs), 0);
	return sign(&tbs, key("p-384", 0), len);
}

static void
check_crl(size_t count, const char *from, const char *to, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *made_by = load("ca-crl", NULL, NULL);
	AUTO_PTR(profile) *judged_by = load("ca-crl", from, to);
	AUTO(X509) *root = root_of(key("p-384", 0));
	size_t len;
	AUTO_BYTES(der) = make_crl(root, made_by, count, &len);

	assert_int_equal(
	    crl_check_profile(der, len, judged_by, root, "crl", &findings), 0);
	if (id == NULL) {
		assert_clean(&findings);
		return;
	}
	assert_finding(&findings, id);
	assert_int_equal(findings.errors, 1);
}

static void
test_crl(void **state)
{
	(void)state;
	for (size_t count = 0; count <= 3; count++)
		check_crl(count, NULL, NULL, NULL);
	check_crl(
	    3, "reasons: [keyCompromise, ", "reasons: [", "CRL-REASON-SET");
	check_crl(3, "default: 182d\n  max: 365d", "default: 30d\n  max: 90d",
	    "PROFILE-VALIDITY");
}

static void
test_crl_facts(void **state)
{
	AUTO_STRUCT(crl_facts) facts = { 0 };
	AUTO_PTR(profile) *profile = load("ca-crl", NULL, NULL);
	AUTO(X509) *root = root_of(key("p-384", 0));
	AUTO(X509_CRL) *crl = NULL;
	size_t len;
	AUTO_BYTES(der) = make_crl(root, profile, 3, &len);

	(void)state;
	assert_int_equal(crl_read("crl", der, len, &crl), 0);
	assert_int_equal(crl_facts(crl, &facts), 0);
	assert_int_equal(facts.number, 77);
	assert_int_equal(facts.this_update, now);
	assert_int_equal(
	    facts.next_update, now + profile_validity_default(profile) - 1);
	assert_int_equal(facts.entry_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(facts.entries[i].serial_len, 2);
		assert_memory_equal(facts.entries[i].serial, serials[i], 2);
	}
	assert_int_equal(facts.entries[0].reason, REASON_KEY_COMPROMISE);
	assert_int_equal(facts.entries[1].reason, REASON_NONE);
	assert_int_equal(facts.entries[1].date, now - 2 * DAY);
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
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_edited),
		cmocka_unit_test(test_other_kind),
		cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_crl_facts),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
