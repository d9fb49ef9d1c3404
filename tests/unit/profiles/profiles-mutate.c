/*
 * A few thousand mutations of good inputs, the same in every run: readers
 * either refuse with a reason, or what they accept holds together.
 */
#include <string.h>

#include "support.h"

enum { ROUNDS = 4000 };

static uint32_t seed;

static uint32_t
draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

/* One to four changes: flip, set, cut out, double, truncate. */
static unsigned char *
mutate(const unsigned char *data, size_t len, size_t *ret_len)
{
	unsigned char *out = malloc(2 * len + 64);
	uint32_t changes = 1 + draw(4);

	assert_non_null(out);
	memcpy(out, data, len);
	while (changes-- > 0 && len > 8) {
		uint32_t at = draw((uint32_t)len - 4), n = 1 + draw(4);

		switch (draw(5)) {
		case 0:
			out[at] ^= (unsigned char)(1U << draw(8));
			break;
		case 1:
			out[at] = (unsigned char)draw(256);
			break;
		case 2:
			memmove(out + at, out + at + n, len - at - n);
			len -= n;
			break;
		case 3:
			memmove(out + at + n, out + at, len - at);
			len += n;
			break;
		default:
			len = draw(16) == 0 ? at : len;
			break;
		}
	}
	*ret_len = len;
	/* Exactly as large as it is, for ASan. */
	return realloc(out, len);
}

static void
try_csr(const unsigned char *data, size_t len)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };

	if (csr_read("x", data, len, &findings, &csr) == 0) {
		assert_int_equal(findings.errors, 0);
		assert_non_null(csr.subject);
		return;
	}
	assert_true(findings.errors > 0);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
}

static void
try_certificate(const unsigned char *data, size_t len)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO(X509) *cert = NULL;
	AUTO_DER(again) = NULL;

	if (certificate_read("x", data, len, &cert) != 0) {
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		return;
	}
	assert_int_equal(i2d_X509(cert, &again), len);
	assert_memory_equal(again, data, len);
	if (certificate_facts(cert, &facts) != 0)
		return;
	if (certificate_check_issued(cert, cert, "x", &findings) == 0 &&
	    findings.errors == 0)
		assert_true(facts.is_ca);
}

static void
try_crl(const unsigned char *data, size_t len)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO_DER(again) = NULL;

	if (crl_read("x", data, len, &crl) != 0) {
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		return;
	}
	assert_int_equal(i2d_X509_CRL(crl, &again), len);
	assert_memory_equal(again, data, len);
}

static void
try_profile(const unsigned char *data, size_t len)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = NULL;

	if (profile_load("x", data, len, &findings, &profile) == 0) {
		assert_int_equal(findings.errors, 0);
		assert_true(profile_validity_default(profile) <=
		    profile_validity_max(profile));
		return;
	}
	assert_true(findings.errors > 0);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
}

static void
replay(const unsigned char *data, size_t len, int rounds,
    void (*attempt)(const unsigned char *, size_t))
{
	seed = 20261120;
	for (int i = 0; i < rounds; i++) {
		size_t mutant_len;
		AUTO_BYTES(mutant) = mutate(data, len, &mutant_len);

		attempt(mutant, mutant_len);
		ca_error_clear();
	}
}

static void
test_csr(void **state)
{
	static const struct name_value subject = { "common-name", "Request" };
	AUTO_STRUCT(tbs) tbs = { 0 };
	size_t spki_len, len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 0), &spki_len);
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(pem) = NULL;

	(void)state;
	assert_int_equal(csr_build(&subject, 1, spki, spki_len, &tbs), 0);
	der = sign(&tbs, key("p-256", 0), &len);
	try_csr(der, len);
	replay(der, len, ROUNDS, try_csr);
	assert_int_equal(object_pem(OBJECT_CSR, der, len, &pem), 0);
	replay((unsigned char *)pem, strlen(pem), ROUNDS, try_csr);
}

static void
test_certificate(void **state)
{
	AUTO(X509) *cert = root_of(key("p-256", 0));
	AUTO_DER(der) = NULL;
	int len = i2d_X509(cert, &der);

	(void)state;
	try_certificate(der, (size_t)len);
	replay(der, (size_t)len, 2 * ROUNDS, try_certificate);
}

static void
test_crl(void **state)
{
	static const unsigned char serial[] = { 0x11, 0x22 };
	AUTO_PTR(profile) *profile = load("ca-crl", NULL, NULL);
	AUTO(X509) *issuer = root_of(key("p-256", 0));
	const struct crl_entry entry = { serial, 2, now, REASON_SUPERSEDED, 0 };
	const struct crl_request req = { .profile = profile,
		.issuer = issuer,
		.number = 3,
		.now = now,
		.entries = &entry,
		.entry_count = 1 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len;

	(void)state;
	assert_int_equal(crl_build(&req, &tbs), 0);
	der = sign(&tbs, key("p-256", 0), &len);
	try_crl(der, len);
	replay(der, len, 2 * ROUNDS, try_crl);
}

static void
test_profiles(void **state)
{
	static const char *const names[] = { "root", "issuing-ca",
		"ocsp-responder", "ca-crl" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		AUTO_CHARS(text) = profile_text(names[i]);

		replay((unsigned char *)text, strlen(text), ROUNDS / 4,
		    try_profile);
	}
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
		cmocka_unit_test(test_csr),
		cmocka_unit_test(test_certificate),
		cmocka_unit_test(test_crl),
		cmocka_unit_test(test_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
