/* Key quality: rules.md's KEY- rules, for keys that somebody else made. */
#include <stdint.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/csr.h"
#include "profiles/der.h"

enum {
	RSA_MIN_BITS = 2048,
	RSA_MAX_BITS = 8192,
	SMALL_PRIME_MAX = 751, /* KEY-RSA-NO-SMALL: no factor below 752 */
	ROCA_PRIME_MAX = 167,
	ROCA_GENERATOR = 65537,
	FERMAT_ROUNDS = 100,
};

/* Where findings about one key go. */
struct report {
	const char *place;
	struct findings *findings;
};

static void
found(const struct report *report, const char *id, const char *source,
    const char *text)
{
	findings_add(report->findings, FINDING_ERROR, id, report->place, source,
	    "%s", text);
}

static int
no_memory(void)
{
	return ca_error(CA_R_MEMORY, "no memory to check a key");
}

static bool
is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n >= 2;
}

/* A positive INTEGER off the front of `in`; NULL where it is none. */
static BIGNUM *
take_positive(struct der *in)
{
	struct der value;

	if (!der_take(in, DER_INTEGER, &value, NULL) || value.len == 0 ||
	    (value.p[0] & 0x80) != 0)
		return NULL;
	return BN_bin2bn(value.p, (int)value.len, NULL);
}

static void
check_size(const BIGNUM *n, const struct report *report)
{
	int bits = BN_num_bits(n);

	if (bits < RSA_MIN_BITS)
		findings_add(report->findings, FINDING_ERROR, "KEY-RSA-MIN",
		    report->place, "TLS BR, section 6.1.5",
		    "the RSA modulus has %d bits, and needs %d", bits,
		    RSA_MIN_BITS);
	if (bits > RSA_MAX_BITS)
		findings_add(report->findings, FINDING_ERROR, "KEY-RSA-MAX",
		    report->place, "TLS BR, section 6.1.1.3",
		    "the RSA modulus has %d bits, and may have %d", bits,
		    RSA_MAX_BITS);
	if (bits % 8 != 0)
		found(report, "KEY-RSA-MOD8", "TLS BR, section 6.1.5",
		    "the RSA modulus is not a whole number of octets");
}

static void
check_exponent(const BIGNUM *e, const struct report *report)
{
	if (!BN_is_odd(e) || BN_is_one(e))
		found(report, "KEY-RSA-E-ODD3", "TLS BR, section 6.1.6",
		    "the RSA exponent is not an odd number of 3 or more");
	if (BN_num_bits(e) < 17 || BN_num_bits(e) > 256)
		found(report, "KEY-RSA-E-RANGE", "TLS BR, section 6.1.6",
		    "the RSA exponent does not lie between 65537 and 2^256");
}

static void
check_small_factors(const BIGNUM *n, const struct report *report)
{
	if (!BN_is_odd(n))
		found(report, "KEY-RSA-MOD-ODD", "TLS BR, section 6.1.6",
		    "the RSA modulus is even");
	for (unsigned p = 3; p <= SMALL_PRIME_MAX; p += 2) {
		if (is_prime(p) && BN_mod_word(n, p) == 0) {
			findings_add(report->findings, FINDING_ERROR,
			    "KEY-RSA-NO-SMALL", report->place,
			    "TLS BR, section 6.1.6",
			    "the RSA modulus can be divided by %u", p);
			return;
		}
	}
}

/* Is r a power of the generator, modulo the prime p? */
static bool
is_power_of_generator(unsigned r, unsigned p)
{
	unsigned power = 1;

	do {
		if (power == r)
			return true;
		power = power * (ROCA_GENERATOR % p) % p;
	} while (power != 1);
	return false;
}

/*
 * KEY-ROCA, CVE-2017-15361: primes of that library are powers of 65537 modulo
 * each small prime, and so are their products; other keys hardly ever are.
 */
static void
check_roca(const BIGNUM *n, const struct report *report)
{
	for (unsigned p = 3; p <= ROCA_PRIME_MAX; p += 2)
		if (is_prime(p) &&
		    !is_power_of_generator((unsigned)BN_mod_word(n, p), p))
			return;
	found(report, "KEY-ROCA", "CVE-2017-15361",
	    "the RSA key has the fingerprint of a broken key generator (ROCA)");
}

/* The square root, rounded down, by Newton's method from above. */
static int
square_root(const BIGNUM *n, BN_CTX *ctx, BIGNUM *root)
{
	AUTO(BIGNUM) *next = BN_new();

	if (next == NULL || BN_one(root) != 1 ||
	    BN_lshift(root, root, (BN_num_bits(n) + 1) / 2) != 1)
		return no_memory();
	for (;;) {
		if (BN_div(next, NULL, n, root, ctx) != 1 ||
		    BN_add(next, next, root) != 1 ||
		    BN_rshift1(next, next) != 1)
			return no_memory();
		if (BN_cmp(next, root) >= 0)
			return 0;
		if (BN_copy(root, next) == NULL)
			return no_memory();
	}
}

/* 1 if n is a square, 0 if not.  Squares leave 12 of 64 remainders only. */
static int
is_square(const BIGNUM *n, BN_CTX *ctx, BIGNUM *root, BIGNUM *square)
{
	static const uint64_t remainders = 0x0202021202030213U;

	if (BN_is_zero(n))
		return 1;
	if ((remainders >> BN_mod_word(n, 64) & 1) == 0)
		return 0;
	if (square_root(n, ctx, root) != 0)
		return -1;
	if (BN_sqr(square, root, ctx) != 1)
		return no_memory();
	return BN_cmp(square, n) == 0;
}

/* KEY-FERMAT: n = a^2 - b^2 with a close to the root of n. */
static int
check_fermat(const BIGNUM *n, BN_CTX *ctx, const struct report *report)
{
	AUTO(BIGNUM) *a = BN_new();
	AUTO(BIGNUM) *rest = BN_new();
	AUTO(BIGNUM) *root = BN_new();
	AUTO(BIGNUM) *square = BN_new();

	if (a == NULL || rest == NULL || root == NULL || square == NULL)
		return no_memory();
	if (square_root(n, ctx, a) != 0)
		return -1;
	for (int i = 0; i < FERMAT_ROUNDS; i++, (void)BN_add_word(a, 1)) {
		int is;

		if (BN_sqr(rest, a, ctx) != 1 || BN_sub(rest, rest, n) != 1)
			return no_memory();
		if (BN_is_negative(rest))
			continue;
		is = is_square(rest, ctx, root, square);
		if (is < 0)
			return -1;
		if (is == 0)
			continue;
		found(report, "KEY-FERMAT", "TLS BR, section 6.1.1.3",
		    "the RSA modulus falls to Fermat's factoring");
		return 0;
	}
	return 0;
}

/*
 * KEY-RSA-NOT-POWER: for n = p^k, k >= 1, Fermat's theorem makes p a divisor
 * of 2^n - 2; for a product of two large primes it hardly ever has a common
 * divisor with n.
 */
static int
check_power(const BIGNUM *n, BN_CTX *ctx, const struct report *report)
{
	AUTO(BIGNUM) *x = BN_new();
	AUTO(BIGNUM) *two = BN_new();

	if (x == NULL || two == NULL || BN_set_word(two, 2) != 1)
		return no_memory();
	if (BN_mod_exp(x, two, n, n, ctx) != 1 ||
	    BN_mod_sub(x, x, two, n, ctx) != 1 || BN_gcd(x, x, n, ctx) != 1)
		return no_memory();
	if (!BN_is_one(x))
		found(report, "KEY-RSA-NOT-POWER", "TLS BR, section 6.1.6",
		    "the RSA modulus is a prime or the power of one");
	return 0;
}

static int
check_rsa_numbers(const BIGNUM *n, const BIGNUM *e, const struct report *report)
{
	AUTO(BN_CTX) *ctx = BN_CTX_new();
	size_t before = report->findings->errors;

	if (ctx == NULL)
		return no_memory();
	check_size(n, report);
	check_exponent(e, report);
	if (BN_num_bits(n) < RSA_MIN_BITS || BN_num_bits(n) > RSA_MAX_BITS)
		return 0;
	check_small_factors(n, report);
	check_roca(n, report);
	if (check_fermat(n, ctx, report) != 0)
		return -1;
	if (report->findings->errors > before)
		return 0;
	return check_power(n, ctx, report);
}

static int
check_rsa(
    struct der key, const struct key_type *type, const struct report *report)
{
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *e = NULL;
	struct der body;

	(void)type;
	if (der_take(&key, DER_SEQUENCE, &body, NULL) && key.len == 0) {
		n = take_positive(&body);
		e = take_positive(&body);
	}
	if (n == NULL || e == NULL || body.len != 0) {
		found(report, "ALG-SPKI-RSA-STRUCT", "RFC 3279, section 2.3.1",
		    "the RSA key is not a SEQUENCE of two positive INTEGERs");
		return 0;
	}
	return check_rsa_numbers(n, e, report);
}

/* Range of the coordinates and the curve's equation: EC_POINT_oct2point. */
static int
check_ec(
    struct der key, const struct key_type *type, const struct report *report)
{
	EC_GROUP *group;
	EC_POINT *point;
	bool valid;

	if (key.len != 1 + 2 * (((size_t)type->bits + 7) / 8) ||
	    key.p[0] != POINT_CONVERSION_UNCOMPRESSED) {
		found(report, "ALG-SPKI-UNCOMPRESSED", "RFC 5480, section 2.2",
		    "the EC point is not uncompressed, or of a wrong length");
		return 0;
	}
	group = EC_GROUP_new_by_curve_name(type->curve_nid);
	point = group != NULL ? EC_POINT_new(group) : NULL;
	if (point == NULL) {
		EC_GROUP_free(group);
		return no_memory();
	}
	(void)ERR_set_mark();
	valid = EC_POINT_oct2point(group, point, key.p, key.len, NULL) == 1 &&
	    EC_POINT_is_at_infinity(group, point) == 0;
	(void)ERR_pop_to_mark();
	EC_POINT_free(point);
	EC_GROUP_free(group);
	if (!valid)
		found(report, "KEY-EC-VALID", "TLS BR, section 6.1.6",
		    "the EC point does not lie on its curve");
	return 0;
}

/* The first row with this AlgorithmIdentifier: for RSA of any size. */
static const struct key_type *
type_by_alg(struct der alg)
{
	const struct key_type *type;

	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++)
		if (der_equal(alg, type->spki, type->spki_len))
			return type;
	return NULL;
}

int
spki_check(const unsigned char *spki, size_t len, const char *place,
    struct findings *findings)
{
	struct report report = { place, findings };
	const struct key_type *type;
	struct der alg, key;
	size_t offset;

	if (!der_is_strict(spki, len, &offset) ||
	    !der_spki(spki, len, &alg, &key)) {
		found(&report, "ALG-SPKI-EXACT", "RFC 5280, section 4.1.2.7",
		    "the public key is not a SubjectPublicKeyInfo in DER");
		return 0;
	}
	type = type_by_alg(alg);
	if (type == NULL) {
		found(&report, "ALG-SPKI-EXACT", "TLS BR, section 7.1.3.1",
		    "the public key's algorithm is none of RSA, P-256, P-384 "
		    "and P-521 in their exact encodings");
		return 0;
	}
	if (type->family == KEY_RSA &&
	    !der_is_strict(key.p, key.len, &offset)) {
		found(&report, "ALG-SPKI-RSA-STRUCT", "RFC 3279, section 2.3.1",
		    "the RSA key is not DER");
		return 0;
	}
	return type->family == KEY_RSA ? check_rsa(key, type, &report)
				       : check_ec(key, type, &report);
}
