#include "ceremony/quorum/sharing.h"

#include <string.h>

#include <openssl/rand.h>

#include "base/error.h"
#include "base/text.h"

/* A zero has a chance of about 2^-256; more draws than one mean a fault. */
enum { DRAW_OCTETS = SCALAR_LEN + 16, DRAWS_MAX = 8 };

/* The group, its order, and a context whose temporaries are secret. */
struct field {
	EC_GROUP *group;
	const BIGNUM *order;
	BN_CTX *ctx;
};

static void
field_clear(struct field *field)
{
	EC_GROUP_free(field->group);
	BN_CTX_free(field->ctx);
	*field = (struct field){ 0 };
}
CLEANUP_DEFINE_STRUCT(field);

/* a_0 first; each coefficient in the secure heap. */
struct polynomial {
	BIGNUM *coefficients[SHARERS_MAX];
	unsigned count;
};

static void
polynomial_clear(struct polynomial *polynomial)
{
	for (unsigned i = 0; i < polynomial->count; i++)
		BN_clear_free(polynomial->coefficients[i]);
	*polynomial = (struct polynomial){ 0 };
}
CLEANUP_DEFINE_STRUCT(polynomial);

static int
failed(const char *what)
{
	return ca_error(CA_R_INTERNAL, "OpenSSL cannot %s", what);
}

static int
field_open(struct field *field)
{
	field->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	field->ctx = BN_CTX_secure_new();
	if (field->group == NULL || field->ctx == NULL)
		return failed("make the group of P-256");
	field->order = EC_GROUP_get0_order(field->group);
	return field->order == NULL ? failed("give the order of P-256") : 0;
}

/* A secret number: secure heap, constant time. */
static BIGNUM *
secret_number(void)
{
	BIGNUM *number = BN_secure_new();

	if (number != NULL)
		BN_set_flags(number, BN_FLG_CONSTTIME);
	return number;
}

/* SCALAR_LEN octets, big-endian. */
static int
to_octets(const BIGNUM *number, struct secret *ret_secret)
{
	AUTO_STRUCT(secret) octets = { 0 };

	if (secret_new(SCALAR_LEN, &octets) < 0)
		return -1;
	if (BN_bn2binpad(number, (unsigned char *)octets.bytes, SCALAR_LEN) !=
	    SCALAR_LEN)
		return failed("write a scalar");
	*ret_secret = octets;
	octets = (struct secret){ 0 };
	return 0;
}

/* A scalar from 1 to n-1; anything else is no secret and no share. */
static int
from_octets(const struct field *field, const char *what,
    const struct secret *octets, BIGNUM *number)
{
	if (octets->len != SCALAR_LEN)
		return ca_error(CA_R_VERIFY,
		    "a %s has %zu octets, not %d: it is damaged", what,
		    octets->len, SCALAR_LEN);
	if (BN_bin2bn((const unsigned char *)octets->bytes, SCALAR_LEN,
		number) == NULL)
		return failed("read a scalar");
	if (BN_is_zero(number) || BN_cmp(number, field->order) >= 0)
		return ca_error(CA_R_VERIFY,
		    "a %s is no number from 1 to below the order of P-256: it "
		    "is damaged",
		    what);
	return 0;
}

/* ---- points ----------------------------------------------------------- */

/*
 * Exactly 33 octets beginning with 02 or 03: so no encoding of the point at
 * infinity (one octet, 00) can stand here, neither first nor last nor between.
 */
static int
point_read(const struct field *field, const unsigned char octets[POINT_LEN],
    EC_POINT *point)
{
	unsigned char again[POINT_LEN];

	if ((octets[0] != 0x02 && octets[0] != 0x03) ||
	    EC_POINT_oct2point(
		field->group, point, octets, POINT_LEN, field->ctx) != 1 ||
	    EC_POINT_is_on_curve(field->group, point, field->ctx) != 1 ||
	    EC_POINT_is_at_infinity(field->group, point) != 0 ||
	    EC_POINT_point2oct(field->group, point, POINT_CONVERSION_COMPRESSED,
		again, POINT_LEN, field->ctx) != POINT_LEN ||
	    memcmp(octets, again, POINT_LEN) != 0) {
		ca_error_clear();
		return ca_error(CA_R_VERIFY, "this is no point of P-256");
	}
	return 0;
}

/* number * G */
static int
commit(const struct field *field, const BIGNUM *number, EC_POINT *point)
{
	if (EC_POINT_mul(field->group, point, number, NULL, NULL, field->ctx) !=
	    1)
		return failed("multiply a point");
	return 0;
}

static int
commit_octets(const struct field *field, const BIGNUM *number,
    unsigned char ret_octets[POINT_LEN])
{
	AUTO(EC_POINT) *point = EC_POINT_new(field->group);

	if (point == NULL)
		return failed("make a point");
	if (commit(field, number, point) < 0)
		return -1;
	if (EC_POINT_point2oct(field->group, point, POINT_CONVERSION_COMPRESSED,
		ret_octets, POINT_LEN, field->ctx) != POINT_LEN)
		return failed("write a point");
	return 0;
}

int
commitments_check(const struct commitments *commitments)
{
	AUTO_STRUCT(field) field = { 0 };
	AUTO(EC_POINT) *point = NULL;

	if (commitments->threshold < 1 || commitments->threshold > SHARERS_MAX)
		return ca_error(CA_R_VERIFY,
		    "there are %u commitments, not 1 to %d",
		    commitments->threshold, SHARERS_MAX);
	if (field_open(&field) < 0)
		return -1;
	point = EC_POINT_new(field.group);
	if (point == NULL)
		return failed("make a point");
	for (unsigned i = 0; i < commitments->threshold; i++)
		if (point_read(&field, commitments->points[i], point) < 0)
			return ca_error(CA_R_VERIFY,
			    "commitment %u is no point of P-256: it is damaged",
			    i + 1);
	return 0;
}

int
commitments_sha256(
    const struct commitments *commitments, unsigned char ret_digest[32])
{
	if (commitments->threshold > SHARERS_MAX)
		return ca_error(CA_R_INTERNAL, "too many commitments");
	return sha256(commitments->points,
	    (size_t)commitments->threshold * POINT_LEN, ret_digest);
}

/* ---- secrets ---------------------------------------------------------- */

/*
 * A number from 1 to n-1.  16 octets more than n has, reduced: the bias is below
 * 2^-128.
 */
static int
draw(const struct field *field, BIGNUM *number)
{
	AUTO_STRUCT(secret) octets = { 0 };

	if (secret_new(DRAW_OCTETS, &octets) < 0)
		return -1;
	for (int i = 0; i < DRAWS_MAX; i++) {
		if (RAND_priv_bytes(
			(unsigned char *)octets.bytes, DRAW_OCTETS) != 1 ||
		    BN_bin2bn((const unsigned char *)octets.bytes, DRAW_OCTETS,
			number) == NULL ||
		    BN_nnmod(number, number, field->order, field->ctx) != 1)
			return failed("draw a random number");
		if (!BN_is_zero(number))
			return 0;
	}
	return failed("draw a random number that is not zero");
}

/* Octets from elsewhere are added: they can only make it better. */
static int
mix_in(const struct field *field, const unsigned char *mix, size_t len,
    BIGNUM *number)
{
	AUTO(BIGNUM) *other = secret_number();

	if (other == NULL || len > INT32_MAX ||
	    BN_bin2bn(mix, (int)len, other) == NULL ||
	    BN_nnmod(other, other, field->order, field->ctx) != 1 ||
	    BN_mod_add(number, number, other, field->order, field->ctx) != 1)
		return failed("mix random numbers");
	return 0;
}

int
sharing_new_secret(
    const unsigned char *mix, size_t mix_len, struct secret *ret_secret)
{
	AUTO_STRUCT(field) field = { 0 };
	AUTO(BIGNUM) *number = secret_number();

	if (number == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a secret");
	if (field_open(&field) < 0)
		return -1;
	for (int i = 0; i < DRAWS_MAX; i++) {
		if (draw(&field, number) < 0 ||
		    (mix_len > 0 && mix_in(&field, mix, mix_len, number) < 0))
			return -1;
		if (!BN_is_zero(number))
			return to_octets(number, ret_secret);
	}
	return failed("draw a secret that is not zero");
}

/* ---- splitting -------------------------------------------------------- */

static int
draw_polynomial(const struct field *field, const struct secret *secret,
    unsigned threshold, struct polynomial *polynomial)
{
	for (unsigned i = 0; i < threshold; i++) {
		BIGNUM *number = secret_number();

		if (number == NULL)
			return ca_error(CA_R_MEMORY, "no memory for a secret");
		polynomial->coefficients[polynomial->count++] = number;
		if ((i == 0 ? from_octets(field, "secret", secret, number)
			    : draw(field, number)) < 0)
			return -1;
	}
	return 0;
}

/* f(index), by Horner's rule. */
static int
evaluate(const struct field *field, const struct polynomial *polynomial,
    unsigned index, BIGNUM *value)
{
	AUTO(BIGNUM) *x = BN_new();

	if (x == NULL || BN_set_word(x, index) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a number");
	BN_zero(value);
	for (unsigned i = polynomial->count; i > 0; i--)
		if (BN_mod_mul(value, value, x, field->order, field->ctx) !=
			1 ||
		    BN_mod_add(value, value, polynomial->coefficients[i - 1],
			field->order, field->ctx) != 1)
			return failed("evaluate a polynomial");
	return 0;
}

/* *ret_zero: a share is zero, which no share may be; draw anew. */
static int
split_once(const struct field *field, const struct secret *secret,
    unsigned count, struct commitments *commitments, struct secret *shares,
    bool *ret_zero)
{
	AUTO_STRUCT(polynomial) polynomial = { 0 };
	AUTO(BIGNUM) *value = secret_number();

	*ret_zero = false;
	if (value == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a share");
	if (draw_polynomial(
		field, secret, commitments->threshold, &polynomial) < 0)
		return -1;
	for (unsigned i = 0; i < commitments->threshold; i++)
		if (commit_octets(field, polynomial.coefficients[i],
			commitments->points[i]) < 0)
			return -1;
	for (unsigned i = 0; i < count; i++) {
		secret_clear(&shares[i]);
		if (evaluate(field, &polynomial, i + 1, value) < 0)
			return -1;
		if (BN_is_zero(value)) {
			*ret_zero = true;
			return 0;
		}
		if (to_octets(value, &shares[i]) < 0)
			return -1;
	}
	return 0;
}

static int
split(const struct secret *secret, unsigned count,
    struct commitments *commitments, struct secret *shares)
{
	AUTO_STRUCT(field) field = { 0 };
	bool zero = true;

	if (field_open(&field) < 0)
		return -1;
	for (int i = 0; zero && i < DRAWS_MAX; i++)
		if (split_once(
			&field, secret, count, commitments, shares, &zero) < 0)
			return -1;
	if (zero)
		return failed("draw shares that are not zero");
	for (unsigned i = 0; i < count; i++)
		if (sharing_check(commitments, i + 1, &shares[i]) < 0)
			return -1;
	return 0;
}

int
sharing_split(const struct secret *secret, unsigned threshold, unsigned count,
    struct commitments *ret_commitments, struct secret *ret_shares)
{
	struct commitments commitments = { .threshold = threshold };
	struct secret shares[SHARERS_MAX] = { { 0 } };

	if (threshold < 1 || threshold > count || count > SHARERS_MAX)
		return ca_error(CA_R_POLICY,
		    "a secret cannot be shared %u of %u: the threshold is from "
		    "1 to the number of operators, and there are at most %d",
		    threshold, count, SHARERS_MAX);
	if (split(secret, count, &commitments, shares) < 0) {
		for (unsigned i = 0; i < count; i++)
			secret_clear(&shares[i]);
		return -1;
	}
	*ret_commitments = commitments;
	memcpy(ret_shares, shares, count * sizeof(shares[0]));
	return 0;
}

/* ---- checking --------------------------------------------------------- */

/* The sum of index^k * A_k, by Horner's rule: public values alone. */
static int
expected_point(const struct field *field, const struct commitments *commitments,
    unsigned index, EC_POINT *sum)
{
	AUTO(EC_POINT) *point = EC_POINT_new(field->group);
	AUTO(BIGNUM) *x = BN_new();

	if (point == NULL || x == NULL || BN_set_word(x, index) != 1 ||
	    EC_POINT_set_to_infinity(field->group, sum) != 1)
		return failed("make a point");
	for (unsigned i = commitments->threshold; i > 0; i--) {
		if (point_read(field, commitments->points[i - 1], point) < 0)
			return -1;
		if (EC_POINT_mul(field->group, sum, NULL, sum, x, field->ctx) !=
			1 ||
		    EC_POINT_add(field->group, sum, sum, point, field->ctx) !=
			1)
			return failed("add points");
	}
	return 0;
}

int
sharing_check(const struct commitments *commitments, unsigned index,
    const struct secret *share)
{
	AUTO_STRUCT(field) field = { 0 };
	AUTO(BIGNUM) *number = secret_number();
	AUTO(EC_POINT) *mine = NULL;
	AUTO(EC_POINT) *expected = NULL;

	if (index < 1 || index > SHARERS_MAX)
		return ca_error(CA_R_VERIFY,
		    "a share has index %u, not 1 to %d", index, SHARERS_MAX);
	if (number == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a share");
	if (commitments_check(commitments) < 0 || field_open(&field) < 0 ||
	    from_octets(&field, "share", share, number) < 0)
		return -1;
	mine = EC_POINT_new(field.group);
	expected = EC_POINT_new(field.group);
	if (mine == NULL || expected == NULL)
		return failed("make a point");
	if (commit(&field, number, mine) < 0 ||
	    expected_point(&field, commitments, index, expected) < 0)
		return -1;
	if (EC_POINT_cmp(field.group, mine, expected, field.ctx) != 0)
		return ca_error(CA_R_VERIFY,
		    "the share of index %u does not fit its commitments: it is "
		    "damaged, or of another set or index",
		    index);
	return 0;
}

/* ---- combining -------------------------------------------------------- */

static int
check_indices(const struct commitments *commitments,
    const struct indexed_share *shares, size_t count)
{
	if (count != commitments->threshold)
		return ca_error(CA_R_QUORUM,
		    "%zu shares were given, and exactly %u are combined", count,
		    commitments->threshold);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			if (shares[i].index == shares[j].index)
				return ca_error(CA_R_QUORUM,
				    "the share of index %u was given twice",
				    shares[i].index);
	return 0;
}

/* Lagrange's coefficient of share i at 0: product of x_j / (x_j - x_i). */
static int
coefficient(const struct field *field, const struct indexed_share *shares,
    size_t count, size_t i, BIGNUM *result)
{
	AUTO(BIGNUM) *above = BN_new();
	AUTO(BIGNUM) *below = BN_new();
	AUTO(BIGNUM) *x = BN_new();

	if (above == NULL || below == NULL || x == NULL || BN_one(above) != 1 ||
	    BN_one(below) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a number");
	for (size_t j = 0; j < count; j++) {
		if (j == i)
			continue;
		if (BN_set_word(x, shares[j].index) != 1 ||
		    BN_mod_mul(above, above, x, field->order, field->ctx) !=
			1 ||
		    BN_sub_word(x, shares[i].index) != 1 ||
		    BN_mod_mul(below, below, x, field->order, field->ctx) != 1)
			return failed("multiply numbers");
	}
	if (BN_nnmod(below, below, field->order, field->ctx) != 1 ||
	    BN_mod_inverse(below, below, field->order, field->ctx) == NULL ||
	    BN_mod_mul(result, above, below, field->order, field->ctx) != 1)
		return failed("invert a number");
	return 0;
}

static int
interpolate(const struct field *field, const struct indexed_share *shares,
    size_t count, BIGNUM *sum)
{
	AUTO(BIGNUM) *value = secret_number();
	AUTO(BIGNUM) *factor = BN_new();

	if (value == NULL || factor == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a secret");
	BN_zero(sum);
	for (size_t i = 0; i < count; i++) {
		if (from_octets(field, "share", shares[i].share, value) < 0 ||
		    coefficient(field, shares, count, i, factor) < 0)
			return -1;
		if (BN_mod_mul(
			value, value, factor, field->order, field->ctx) != 1 ||
		    BN_mod_add(sum, sum, value, field->order, field->ctx) != 1)
			return failed("combine shares");
	}
	return 0;
}

int
sharing_combine(const struct commitments *commitments,
    const struct indexed_share *shares, size_t count, struct secret *ret_secret)
{
	AUTO_STRUCT(field) field = { 0 };
	AUTO(BIGNUM) *sum = secret_number();
	unsigned char point[POINT_LEN];

	if (sum == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a secret");
	if (commitments_check(commitments) < 0 ||
	    check_indices(commitments, shares, count) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (sharing_check(
			commitments, shares[i].index, shares[i].share) < 0)
			return -1;
	if (field_open(&field) < 0 ||
	    interpolate(&field, shares, count, sum) < 0 ||
	    commit_octets(&field, sum, point) < 0)
		return -1;
	if (memcmp(point, commitments->points[0], POINT_LEN) != 0)
		return ca_error(CA_R_VERIFY,
		    "the shares do not give the secret that was shared");
	return to_octets(sum, ret_secret);
}
