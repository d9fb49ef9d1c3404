/* RSA moduli whose factors show: KEY-RSA-NO-SMALL, -NOT-POWER, ROCA, Fermat. */
#include <stdint.h>

#include "base/error.h"
#include "profiles/key-check.h"

enum {
	SMALL_PRIME_MAX = 751, /* KEY-RSA-NO-SMALL: no factor below 752 */
	ROCA_PRIME_MAX = 167,
	ROCA_GENERATOR = 65537,
	FERMAT_ROUNDS = 100,
	SQUARE_FILTER = 63 * 65 * 11,
};

static enum key_verdict
no_memory(char *text)
{
	ca_error_clear();
	return key_unsure(text, "there is no memory to compute with");
}

/* Is there a modulus, and one that is not too large to compute with? */
static bool
is_computed(const struct key_facts *facts, char *text, enum key_verdict *ret)
{
	int bits;

	*ret = KEY_FINE;
	if (facts->n == NULL)
		return false;
	bits = BN_num_bits(facts->n);
	if (bits > RSA_COMPUTED_MAX_BITS) {
		*ret = key_unsure(text,
		    "the RSA modulus has %d bits, and none above %d is "
		    "computed with",
		    bits, RSA_COMPUTED_MAX_BITS);
		return false;
	}
	return bits > 1;
}

static bool
is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n >= 2;
}

enum key_verdict
key_rsa_small(const struct key_facts *facts, char *text)
{
	enum key_verdict verdict;

	if (!is_computed(facts, text, &verdict))
		return verdict;
	for (unsigned p = 3; p <= SMALL_PRIME_MAX; p += 2)
		if (is_prime(p) && BN_mod_word(facts->n, p) == 0)
			return key_broken(text,
			    "the RSA modulus can be divided by %u, and may "
			    "have no factor below %d",
			    p, SMALL_PRIME_MAX + 1);
	return KEY_FINE;
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
enum key_verdict
key_rsa_roca(const struct key_facts *facts, char *text)
{
	enum key_verdict verdict;

	if (!is_computed(facts, text, &verdict))
		return verdict;
	for (unsigned p = 3; p <= ROCA_PRIME_MAX; p += 2)
		if (is_prime(p) &&
		    !is_power_of_generator(
			(unsigned)BN_mod_word(facts->n, p), p))
			return KEY_FINE;
	return key_broken(text,
	    "the RSA key has the fingerprint of a broken key generator (ROCA, "
	    "CVE-2017-15361)");
}

/* The square root, rounded down, by Newton's method from above. */
static bool
square_root(const BIGNUM *n, BN_CTX *ctx, BIGNUM *root)
{
	AUTO(BIGNUM) *next = BN_new();

	if (next == NULL || BN_one(root) != 1 ||
	    BN_lshift(root, root, (BN_num_bits(n) + 1) / 2) != 1)
		return false;
	for (;;) {
		if (BN_div(next, NULL, n, root, ctx) != 1 ||
		    BN_add(next, next, root) != 1 ||
		    BN_rshift1(next, next) != 1)
			return false;
		if (BN_cmp(next, root) >= 0)
			return true;
		if (BN_copy(root, next) == NULL)
			return false;
	}
}

/* Is r the remainder of a square, modulo m?  For small m. */
static bool
is_residue(unsigned r, unsigned m)
{
	for (unsigned i = 0; i <= m / 2; i++)
		if (i * i % m == r % m)
			return true;
	return false;
}

/* Most numbers that are no squares are known by their remainders. */
static bool
may_be_square(const BIGNUM *n)
{
	static const uint64_t remainders = 0x0202021202030213U;
	unsigned r;

	if ((remainders >> BN_mod_word(n, 64) & 1) == 0)
		return false;
	r = (unsigned)BN_mod_word(n, SQUARE_FILTER);
	return is_residue(r, 63) && is_residue(r, 65) && is_residue(r, 11);
}

struct numbers {
	BN_CTX *ctx;
	BIGNUM *a, *rest, *root, *square;
};

/* n = a^2 - rest: is `rest` a square, so that n falls apart? */
static bool
falls_apart(struct numbers *v, bool *ret_falls)
{
	*ret_falls = BN_is_zero(v->rest) == 1;
	if (*ret_falls || BN_is_negative(v->rest) == 1 ||
	    !may_be_square(v->rest))
		return true;
	if (!square_root(v->rest, v->ctx, v->root) ||
	    BN_sqr(v->square, v->root, v->ctx) != 1)
		return false;
	*ret_falls = BN_cmp(v->square, v->rest) == 0;
	return true;
}

/* From a = ceil(sqrt n) on; the next rest is rest + 2a + 1. */
static bool
fermat(const BIGNUM *n, struct numbers *v, bool *ret_falls)
{
	if (!square_root(n, v->ctx, v->a) || BN_sqr(v->rest, v->a, v->ctx) != 1)
		return false;
	if (BN_cmp(v->rest, n) < 0 &&
	    (BN_add_word(v->a, 1) != 1 || BN_sqr(v->rest, v->a, v->ctx) != 1))
		return false;
	if (BN_sub(v->rest, v->rest, n) != 1)
		return false;
	*ret_falls = false;
	for (int i = 0; i < FERMAT_ROUNDS && !*ret_falls; i++) {
		if (!falls_apart(v, ret_falls))
			return false;
		/* (a + 1)^2 = a^2 + a + (a + 1) */
		if (BN_add(v->rest, v->rest, v->a) != 1 ||
		    BN_add_word(v->a, 1) != 1)
			return false;
		if (BN_add(v->rest, v->rest, v->a) != 1)
			return false;
	}
	return true;
}

/* KEY-FERMAT: n = a^2 - b^2 with a close to the root of n. */
enum key_verdict
key_rsa_fermat(const struct key_facts *facts, char *text)
{
	AUTO(BIGNUM) *a = BN_new();
	AUTO(BIGNUM) *rest = BN_new();
	AUTO(BIGNUM) *root = BN_new();
	AUTO(BIGNUM) *square = BN_new();
	struct numbers v = { facts->ctx, a, rest, root, square };
	enum key_verdict verdict;
	bool falls;

	if (!is_computed(facts, text, &verdict))
		return verdict;
	if (a == NULL || rest == NULL || root == NULL || square == NULL ||
	    !fermat(facts->n, &v, &falls))
		return no_memory(text);
	return falls ? key_broken(text,
			   "the RSA modulus falls to Fermat's factoring within "
			   "%d rounds: its primes are too close",
			   FERMAT_ROUNDS)
		     : KEY_FINE;
}

/*
 * KEY-RSA-NOT-POWER: for n = p^k, k >= 1, Fermat's theorem makes p a divisor
 * of 2^n - 2; for a product of two large primes it hardly ever has a common
 * divisor with n.  An even modulus or one with a small factor has one more
 * often, and is refused by other rules.
 */
enum key_verdict
key_rsa_power(const struct key_facts *facts, char *text)
{
	AUTO(BIGNUM) *x = BN_new();
	AUTO(BIGNUM) *two = BN_new();
	enum key_verdict verdict;

	if (!is_computed(facts, text, &verdict))
		return verdict;
	if (BN_is_odd(facts->n) != 1 || key_rsa_small(facts, text) != KEY_FINE)
		return KEY_FINE;
	if (x == NULL || two == NULL || BN_set_word(two, 2) != 1 ||
	    BN_mod_exp(x, two, facts->n, facts->n, facts->ctx) != 1 ||
	    BN_mod_sub(x, x, two, facts->n, facts->ctx) != 1 ||
	    BN_gcd(x, x, facts->n, facts->ctx) != 1)
		return no_memory(text);
	return BN_is_one(x) == 1
	    ? KEY_FINE
	    : key_broken(text,
		  "the RSA modulus is a prime or the power of one, and must "
		  "be the product of two");
}
