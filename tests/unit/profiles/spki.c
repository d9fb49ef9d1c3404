/* Key quality: each rule broken once. */
#include <string.h>

#include "support.h"

/* SPKI of a modulus and an exponent; free(). */
static unsigned char *
rsa_spki(const BIGNUM *n, const BIGNUM *e, size_t *ret_len)
{
	AUTO(X509_PUBKEY) *pubkey = X509_PUBKEY_new();
	ASN1_INTEGER *n_int = BN_to_ASN1_INTEGER(n, NULL);
	ASN1_INTEGER *e_int = BN_to_ASN1_INTEGER(e, NULL);
	AUTO_DER(n_der) = NULL;
	AUTO_DER(e_der) = NULL;
	int n_len = i2d_ASN1_INTEGER(n_int, &n_der);
	int e_len = i2d_ASN1_INTEGER(e_int, &e_der);
	int size = ASN1_object_size(1, n_len + e_len, V_ASN1_SEQUENCE), len;
	unsigned char *body = OPENSSL_malloc((size_t)size), *p = body, *spki;

	ASN1_put_object(
	    &p, 1, n_len + e_len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(p, n_der, (size_t)n_len);
	memcpy(p + n_len, e_der, (size_t)e_len);
	assert_int_equal(
	    X509_PUBKEY_set0_param(pubkey, OBJ_nid2obj(NID_rsaEncryption),
		V_ASN1_NULL, NULL, body, size),
	    1);
	ASN1_INTEGER_free(n_int);
	ASN1_INTEGER_free(e_int);
	len = i2d_X509_PUBKEY(pubkey, NULL);
	spki = malloc((size_t)len);
	p = spki;
	assert_int_equal(i2d_X509_PUBKEY(pubkey, &p), len);
	*ret_len = (size_t)len;
	return spki;
}

static void
check(const unsigned char *spki, size_t len, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };

	assert_int_equal(spki_check(spki, len, "k", &findings), 0);
	if (id == NULL)
		assert_clean(&findings);
	else
		assert_finding(&findings, id);
	if (id != NULL)
		assert_true(findings.errors > 0);
}

static void
check_rsa(const BIGNUM *n, const BIGNUM *e, const char *id)
{
	size_t len;
	AUTO_BYTES(spki) = rsa_spki(n, e, &len);

	check(spki, len, id);
}

static BIGNUM *
number(const char *hex)
{
	BIGNUM *n = NULL;

	assert_true(BN_hex2bn(&n, hex) > 0);
	return n;
}

static BIGNUM *
prime(int bits)
{
	BIGNUM *p = BN_new();

	assert_int_equal(BN_generate_prime_ex(p, bits, 0, NULL, NULL, NULL), 1);
	return p;
}

static BIGNUM *
product(const BIGNUM *p, const BIGNUM *q)
{
	AUTO(BN_CTX) *ctx = BN_CTX_new();
	BIGNUM *n = BN_new();

	assert_int_equal(BN_mul(n, p, q, ctx), 1);
	return n;
}

static void
test_good(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		size_t len;
		AUTO_BYTES(spki) = spki_of(key(type->name, 0), &len);

		check(spki, len, NULL);
	}
}

/* 2056 bits is in no profile's table, but no bad key. */
static void
test_sizes(void **state)
{
	static const struct {
		size_t bits;
		const char *id;
	} rows[] = {
		{ 2056, NULL },
		{ 2040, "KEY-RSA-MIN" },
		{ 1024, "KEY-RSA-MIN" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO(EVP_PKEY) *pkey = EVP_RSA_gen(rows[i].bits);
		size_t len;
		AUTO_BYTES(spki) = spki_of(pkey, &len);

		check(spki, len, rows[i].id);
	}
	{
		AUTO(BIGNUM) *n = BN_new();
		AUTO(BIGNUM) *e = number("010001");

		AUTO(BIGNUM) *p = prime(1025);
		AUTO(BIGNUM) *q = prime(1024);
		AUTO(BIGNUM) *odd_size = product(p, q);

		assert_int_equal(BN_num_bits(odd_size), 2049);
		check_rsa(odd_size, e, "KEY-RSA-MOD8");
		assert_int_equal(BN_one(n), 1);
		assert_int_equal(BN_lshift(n, n, 8199), 1);
		assert_int_equal(BN_add_word(n, 9), 1);
		check_rsa(n, e, "KEY-RSA-MAX");
		BN_zero(n);
		check_rsa(n, e, "KEY-RSA-MIN");
	}
}

static void
test_exponents(void **state)
{
	static const struct {
		const char *hex, *id;
	} rows[] = {
		{ "010001", NULL },
		{ "01", "KEY-RSA-E-ODD3" },
		{ "00", "KEY-RSA-E-ODD3" },
		{ "010002", "KEY-RSA-E-ODD3" },
		{ "03", "KEY-RSA-E-RANGE" },
		{ "FFFF", "KEY-RSA-E-RANGE" },
		{ "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
		  "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		    NULL },
		{ "010000000000000000000000000000000"
		  "000000000000000000000000000000001",
		    "KEY-RSA-E-RANGE" },
	};
	AUTO(BIGNUM) *p = prime(1024);
	AUTO(BIGNUM) *q = prime(1024);
	AUTO(BIGNUM) *n = product(p, q);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO(BIGNUM) *e = number(rows[i].hex);

		check_rsa(n, e, rows[i].id);
	}
}

static void
test_factors(void **state)
{
	AUTO(BIGNUM) *e = number("010001");
	AUTO(BIGNUM) *small = BN_new();
	AUTO(BIGNUM) *q = prime(2048);
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *large = NULL;
	AUTO(BIGNUM) *even = NULL;

	(void)state;
	assert_int_equal(BN_set_word(small, 751), 1);
	n = product(q, small);
	check_rsa(n, e, "KEY-RSA-NO-SMALL");
	assert_int_equal(BN_set_word(small, 757), 1);
	large = product(q, small); /* 2058 bits: only that is wrong */
	{
		AUTO_STRUCT(findings) findings = { 0 };
		size_t len;
		AUTO_BYTES(spki) = rsa_spki(large, e, &len);

		assert_int_equal(spki_check(spki, len, "k", &findings), 0);
		assert_false(has_finding(&findings, "KEY-RSA-NO-SMALL"));
	}
	assert_int_equal(BN_set_word(small, 2), 1);
	even = product(q, small);
	check_rsa(even, e, "KEY-RSA-MOD-ODD");
	check_rsa(q, e, "KEY-RSA-NOT-POWER");
}

/* p^3: no square, so Fermat does not see it. */
static void
test_power(void **state)
{
	AUTO(BIGNUM) *e = number("010001");
	AUTO(BIGNUM) *p = BN_new();
	AUTO(BIGNUM) *square = NULL;
	AUTO(BIGNUM) *n = NULL;

	(void)state;
	do {
		BN_free(p);
		BN_free(square);
		BN_free(n);
		p = prime(688);
		square = product(p, p);
		n = product(square, p);
	} while (BN_num_bits(n) % 8 != 0);
	check_rsa(n, e, "KEY-RSA-NOT-POWER");
}

static void
test_fermat(void **state)
{
	AUTO(BIGNUM) *e = number("010001");
	AUTO(BIGNUM) *p = prime(1024);
	AUTO(BIGNUM) *q = BN_dup(p);
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *square = product(p, p);

	(void)state;
	check_rsa(square, e, "KEY-FERMAT");
	do
		assert_int_equal(BN_add_word(q, 2), 1);
	while (BN_check_prime(q, NULL, NULL) != 1);
	n = product(p, q);
	check_rsa(n, e, "KEY-FERMAT");
}

/*
 * A modulus with the fingerprint: congruent to a power of 65537 modulo the
 * product of the odd primes up to 167.
 */
static void
test_roca(void **state)
{
	AUTO(BN_CTX) *ctx = BN_CTX_new();
	AUTO(BIGNUM) *e = number("010001");
	AUTO(BIGNUM) *m = BN_new();
	AUTO(BIGNUM) *exponent = number("DEADBEEF123457");
	AUTO(BIGNUM) *n = BN_new();
	AUTO(BIGNUM) *k = prime(2048);

	(void)state;
	assert_int_equal(BN_one(m), 1);
	for (unsigned p = 3; p <= 167; p += 2) {
		bool is_prime = true;

		for (unsigned d = 3; d * d <= p; d += 2)
			is_prime &= p % d != 0;
		if (is_prime)
			assert_int_equal(BN_mul_word(m, p), 1);
	}
	assert_int_equal(BN_mod_exp(n, e, exponent, m, ctx), 1);
	/* k * m, cut to size, so that n is as large as an RSA modulus. */
	assert_int_equal(BN_rshift(k, k, BN_num_bits(m) - 1), 1);
	assert_int_equal(BN_mul(k, k, m, ctx), 1);
	assert_int_equal(BN_add(n, n, k), 1);
	check_rsa(n, e, "KEY-ROCA");
	/* The next number with these remainders but one is not flagged. */
	assert_int_equal(BN_add_word(n, 2), 1);
	{
		AUTO_STRUCT(findings) findings = { 0 };
		size_t len;
		AUTO_BYTES(spki) = rsa_spki(n, e, &len);

		assert_int_equal(spki_check(spki, len, "k", &findings), 0);
		assert_false(has_finding(&findings, "KEY-ROCA"));
	}
}

static void
test_ec(void **state)
{
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 0), &len);
	AUTO(EVP_PKEY) *compressed = EVP_EC_gen("P-256");
	AUTO_BYTES(shorter) = NULL;
	size_t short_len;

	(void)state;
	spki[len - 1] ^= 1;
	check(spki, len, "KEY-EC-VALID");
	spki[len - 1] ^= 1;
	/* x beyond the field */
	memset(spki + 27, 0xff, 32);
	check(spki, len, "KEY-EC-VALID");
	assert_int_equal(EVP_PKEY_set_utf8_string_param(
			     compressed, "point-format", "compressed"),
	    1);
	shorter = spki_of(compressed, &short_len);
	check(shorter, short_len, "ALG-SPKI-UNCOMPRESSED");
}

/* Each octet of the AlgorithmIdentifier matters, and so does each length. */
static void
test_encoding(void **state)
{
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("rsa-2048", 0), &len);
	AUTO_BYTES(longer) = calloc(1, len + 1);

	(void)state;
	for (size_t i = 4; i < 19; i++) {
		spki[i] ^= 1;
		check(spki, len, "ALG-SPKI-EXACT");
		spki[i] ^= 1;
	}
	memcpy(longer, spki, len);
	check(longer, len + 1, "ALG-SPKI-EXACT");
	for (size_t cut = 0; cut < len; cut++)
		check(spki, cut, "ALG-SPKI-EXACT");
	/* 30 82 .. 30 0d .. 03 82 len len 00 30 82 len len 02 82 .. 00 n */
	assert_int_equal(spki[19], 0x03);
	assert_int_equal(spki[24], 0x30);
	spki[24] = 0x31;
	check(spki, len, "ALG-SPKI-RSA-STRUCT");
	spki[24] = 0x30;
	assert_int_equal(spki[28], 0x02);
	spki[28] = 0x04;
	check(spki, len, "ALG-SPKI-RSA-STRUCT");
	spki[28] = 0x02;
	/* A modulus without its leading zero is negative. */
	spki[32] = 0xff;
	spki[33] &= 0x7f;
	check(spki, len, "ALG-SPKI-RSA-STRUCT");
}

/* RSASSA-PSS as the key's own algorithm (ALG-SPKI-NO-PSS). */
static void
test_pss_key(void **state)
{
	AUTO(EVP_PKEY_CTX) *ctx =
	    EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	AUTO(EVP_PKEY) *pkey = NULL;
	AUTO_BYTES(spki) = NULL;
	size_t len;

	(void)state;
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
	spki = spki_of(pkey, &len);
	check(spki, len, "ALG-SPKI-EXACT");
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
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_exponents),
		cmocka_unit_test(test_factors),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_fermat),
		cmocka_unit_test(test_roca),
		cmocka_unit_test(test_ec),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_pss_key),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
