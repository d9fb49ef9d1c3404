#include "ceremony/quorum/sharing.h"

#include "secrets.h"

/* The order of P-256 (SP 800-186, section 3.2.1.3), and one less. */
#define ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ORDER_LESS_1 \
	"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE "0000000000000000000000000000000000000000000000000000000000000001"

/* ---- the generator, where a test says what it gives ------------------- */

enum { DRAWN = 48 };

/* NULL: the real one.  Numbers in hex, the last one for ever. */
static const char *const *drawn;

int __real_RAND_priv_bytes(unsigned char *octets, int len);
int __wrap_RAND_priv_bytes(unsigned char *octets, int len);

int
__wrap_RAND_priv_bytes(unsigned char *octets, int len)
{
	AUTO_BYTES(number) = NULL;
	size_t number_len = 0;

	if (drawn == NULL)
		return __real_RAND_priv_bytes(octets, len);
	assert_int_equal(len, DRAWN);
	assert_ok(text_unhex(drawn[0], &number, &number_len));
	assert_true(number_len <= DRAWN);
	memset(octets, 0, DRAWN);
	memcpy(octets + DRAWN - number_len, number, number_len);
	if (drawn[1] != NULL)
		drawn++;
	return 1;
}

/* ---- sets ------------------------------------------------------------- */

struct sharing {
	struct secret secret;
	struct commitments commitments;
	struct secret shares[SHARERS_MAX];
	unsigned count;
};

static void
sharing_clear(struct sharing *sharing)
{
	secret_clear(&sharing->secret);
	for (unsigned i = 0; i < sharing->count; i++)
		secret_clear(&sharing->shares[i]);
}
CLEANUP_DEFINE_STRUCT(sharing);

static void
share_out(unsigned threshold, unsigned count, struct sharing *ret)
{
	ret->count = count;
	assert_ok(sharing_new_secret(NULL, 0, &ret->secret));
	assert_ok(sharing_split(
	    &ret->secret, threshold, count, &ret->commitments, ret->shares));
}

/* The shares whose bits are set in `who`, in descending order of index. */
static size_t
present(const struct sharing *sharing, uint32_t who,
    struct indexed_share ret[SHARERS_MAX])
{
	size_t n = 0;

	for (unsigned i = sharing->count; i > 0; i--)
		if ((who >> (i - 1) & 1) != 0)
			ret[n++] = (struct indexed_share){ i,
				&sharing->shares[i - 1] };
	return n;
}

static void
opens(const struct sharing *sharing, uint32_t who)
{
	struct indexed_share shares[SHARERS_MAX];
	AUTO_STRUCT(secret) secret = { 0 };
	size_t n = present(sharing, who, shares);

	assert_ok(sharing_combine(&sharing->commitments, shares, n, &secret));
	assert_true(secret_equal(&secret, &sharing->secret));
	assert_true(is_locked(&secret));
}

/* Too few or too many; and too few cannot be made enough by repetition. */
static void
does_not_open(const struct sharing *sharing, uint32_t who)
{
	struct indexed_share shares[SHARERS_MAX + 1];
	struct secret secret = { 0 };
	size_t n = present(sharing, who, shares);

	assert_refused(CA_R_QUORUM, "exactly",
	    sharing_combine(&sharing->commitments, shares, n, &secret));
	for (; n > 0 && n < sharing->commitments.threshold; n++)
		shares[n] = shares[0];
	if (n == sharing->commitments.threshold)
		assert_refused(CA_R_QUORUM, "twice",
		    sharing_combine(&sharing->commitments, shares, n, &secret));
	assert_null(secret.bytes);
}

/* ---- every M of N ----------------------------------------------------- */

static void
every_subset(unsigned threshold, unsigned count)
{
	AUTO_STRUCT(sharing) sharing = { 0 };

	share_out(threshold, count, &sharing);
	for (uint32_t who = 0; who < UINT32_C(1) << count; who++) {
		unsigned n = (unsigned)__builtin_popcount(who);

		if (n == threshold)
			opens(&sharing, who);
		else if (n + 1 == threshold || n == threshold + 1)
			does_not_open(&sharing, who);
	}
}

static void
exhaustive(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 7; n++)
		for (unsigned m = 1; m <= n; m++)
			every_subset(m, n);
}

/* `n` of `count` bits, at random. */
static uint32_t
some_of(unsigned n, unsigned count)
{
	uint32_t who = 0;
	unsigned char octet;

	while ((unsigned)__builtin_popcount(who) < n) {
		assert_int_equal(RAND_bytes(&octet, 1), 1);
		who |= UINT32_C(1) << (octet % count);
	}
	return who;
}

static void
samples(void **state)
{
	static const unsigned sizes[][2] = { { 2, 8 }, { 5, 9 }, { 7, 13 },
		{ 2, 32 }, { 3, 32 }, { 16, 31 }, { 17, 32 }, { 31, 32 },
		{ 32, 32 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned m = sizes[i][0], n = sizes[i][1];
		AUTO_STRUCT(sharing) sharing = { 0 };

		share_out(m, n, &sharing);
		opens(&sharing, (uint32_t)((UINT64_C(1) << m) - 1));
		opens(&sharing, (uint32_t)((UINT64_C(1) << m) - 1) << (n - m));
		opens(&sharing, some_of(m, n));
		does_not_open(&sharing, some_of(m - 1, n));
		if (m < n)
			does_not_open(&sharing, some_of(m + 1, n));
	}
}

static void
what_is_given_out(void **state)
{
	AUTO_STRUCT(sharing) a = { 0 };
	AUTO_STRUCT(sharing) b = { .count = 3 };

	(void)state;
	share_out(2, 3, &a);
	assert_int_equal(a.commitments.threshold, 2);
	assert_ok(commitments_check(&a.commitments));
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(a.shares[i].len, SCALAR_LEN);
		assert_true(is_locked(&a.shares[i]));
		assert_false(secret_equal(&a.shares[i], &a.secret));
		assert_ok(sharing_check(&a.commitments, i + 1, &a.shares[i]));
	}
	/* The same secret again: A_0 is the same, and nothing else. */
	assert_ok(sharing_split(&a.secret, 2, 3, &b.commitments, b.shares));
	assert_memory_equal(
	    a.commitments.points[0], b.commitments.points[0], POINT_LEN);
	assert_memory_not_equal(
	    a.commitments.points[1], b.commitments.points[1], POINT_LEN);
	assert_false(secret_equal(&a.shares[0], &b.shares[0]));
}

/* With a threshold of 1, all have the secret itself. */
static void
single_control(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };

	(void)state;
	share_out(1, 2, &sharing);
	assert_true(secret_equal(&sharing.shares[0], &sharing.secret));
	assert_true(secret_equal(&sharing.shares[1], &sharing.secret));
}

/* ---- refusals of split ------------------------------------------------ */

static void
bad_sizes(void **state)
{
	static const unsigned sizes[][2] = { { 0, 0 }, { 0, 3 }, { 1, 0 },
		{ 4, 3 }, { 2, 33 }, { 33, 33 } };
	AUTO_STRUCT(secret) secret = secret_of_hex(ONE);
	struct secret shares[SHARERS_MAX] = { { 0 } };
	struct commitments commitments = { .threshold = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_refused(CA_R_POLICY, "cannot be shared",
		    sharing_split(&secret, sizes[i][0], sizes[i][1],
			&commitments, shares));
	assert_int_equal(commitments.threshold, 77);
	assert_null(shares[0].bytes);
}

static void
bad_secrets(void **state)
{
	static const char *const secrets[] = { ZERO, ORDER,
		("ffffffffffffffffffffffffffffffff"
		 "ffffffffffffffffffffffffffffffff"),
		"01", ONE "00" };
	struct secret shares[SHARERS_MAX] = { { 0 } };
	struct commitments commitments = { .threshold = 77 };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		AUTO_STRUCT(secret) secret = secret_of_hex(secrets[i]);

		assert_refused(CA_R_VERIFY, "a secret",
		    sharing_split(&secret, 2, 3, &commitments, shares));
	}
	assert_int_equal(commitments.threshold, 77);
	assert_null(shares[0].bytes);
}

static void
edge_secrets(void **state)
{
	static const char *const secrets[] = { ONE, ORDER_LESS_1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO_STRUCT(sharing) sharing = { .count = 3 };

		sharing.secret = secret_of_hex(secrets[i]);
		assert_ok(sharing_split(&sharing.secret, 3, 3,
		    &sharing.commitments, sharing.shares));
		opens(&sharing, 7);
	}
}

/* ---- drawing ---------------------------------------------------------- */

static void
new_secrets(void **state)
{
	AUTO_STRUCT(secret) a = { 0 };
	AUTO_STRUCT(secret) b = { 0 };

	(void)state;
	assert_ok(sharing_new_secret(NULL, 0, &a));
	assert_ok(sharing_new_secret(NULL, 0, &b));
	assert_int_equal(a.len, SCALAR_LEN);
	assert_true(is_locked(&a));
	assert_false(secret_equal(&a, &b));
}

static void
secret_is(const char *const *numbers, const char *mix, const char *expected)
{
	AUTO_STRUCT(secret) want = secret_of_hex(expected);
	AUTO_STRUCT(secret) got = { 0 };
	AUTO_BYTES(octets) = NULL;
	size_t len = 0;

	if (mix != NULL)
		assert_ok(text_unhex(mix, &octets, &len));
	drawn = numbers;
	assert_ok(sharing_new_secret(octets, len, &got));
	drawn = NULL;
	assert_true(secret_equal(&got, &want));
}

/* The sum mod n of what was drawn and what was mixed in. */
static void
mixing(void **state)
{
	static const char *const five[] = { "05", NULL };
	static const char *const zero_then_five[] = { ZERO, "05", NULL };
	static const char *const order_then_five[] = { ORDER, "05", NULL };
	static const char *const above[] = { "01" ZERO, NULL };

	(void)state;
	secret_is(five, NULL,
	    "0000000000000000000000000000000000000000000000000000000000000005");
	secret_is(zero_then_five, NULL,
	    "0000000000000000000000000000000000000000000000000000000000000005");
	secret_is(order_then_five, NULL,
	    "0000000000000000000000000000000000000000000000000000000000000005");
	secret_is(five, "0102",
	    "0000000000000000000000000000000000000000000000000000000000000107");
	secret_is(five, ORDER_LESS_1,
	    "0000000000000000000000000000000000000000000000000000000000000004");
	/* 2^256 mod n, from either side */
	secret_is(above, NULL,
	    "00000000ffffffff00000000000000004319055258e8617b0c46353d039cdaaf");
	secret_is(five, "01" ZERO,
	    "00000000ffffffff00000000000000004319055258e8617b0c46353d039cdab4");
}

/* One and n-1 make zero: drawn anew, and given up when it never ends. */
static void
mixed_to_zero(void **state)
{
	static const char *const one_then_five[] = { "01", "05", NULL };
	static const char *const ones[] = { "01", NULL };
	static const char *const zeros[] = { "00", NULL };
	AUTO_BYTES(mix) = NULL;
	struct secret secret = { 0 };
	size_t len = 0;

	(void)state;
	secret_is(one_then_five, ORDER_LESS_1,
	    "0000000000000000000000000000000000000000000000000000000000000004");
	assert_ok(text_unhex(ORDER_LESS_1, &mix, &len));
	drawn = ones;
	assert_refused(
	    CA_R_INTERNAL, "not zero", sharing_new_secret(mix, len, &secret));
	drawn = zeros;
	assert_refused(
	    CA_R_INTERNAL, "not zero", sharing_new_secret(NULL, 0, &secret));
	drawn = NULL;
	assert_null(secret.bytes);
}

/* f(x) = 1 - x is zero at 1, f(x) = 3 - x at 3: drawn anew. */
static void
share_of_zero(void **state)
{
	static const char *const again[] = { ORDER_LESS_1, "02", NULL };
	static const char *const always[] = { ORDER_LESS_1, NULL };
	static const char *const secrets[] = { ONE,
		("00000000000000000000000000000000"
		 "00000000000000000000000000000003") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO_STRUCT(sharing) sharing = { .count = 3 };
		struct secret none[3] = { { 0 } };

		sharing.secret = secret_of_hex(secrets[i]);
		drawn = again;
		assert_ok(sharing_split(&sharing.secret, 2, 3,
		    &sharing.commitments, sharing.shares));
		opens(&sharing, 3);
		opens(&sharing, 6);
		drawn = always;
		assert_refused(CA_R_INTERNAL, "not zero",
		    sharing_split(
			&sharing.secret, 2, 3, &sharing.commitments, none));
		drawn = NULL;
		assert_null(none[0].bytes);
	}
}

/* ---- wrong shares ----------------------------------------------------- */

static void
flipped_bits(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };
	AUTO_STRUCT(secret) share = { 0 };

	(void)state;
	share_out(2, 3, &sharing);
	assert_ok(secret_copy(sharing.shares[1].bytes, SCALAR_LEN, &share));
	for (unsigned i = 0; i < 8 * SCALAR_LEN; i++) {
		share.bytes[i / 8] = (char)(share.bytes[i / 8] ^ 1 << i % 8);
		assert_refused(CA_R_VERIFY, "damaged",
		    sharing_check(&sharing.commitments, 2, &share));
		share.bytes[i / 8] = (char)(share.bytes[i / 8] ^ 1 << i % 8);
	}
	assert_ok(sharing_check(&sharing.commitments, 2, &share));
}

static void
no_scalars(void **state)
{
	static const char *const values[] = { ZERO, ORDER, "00", ONE "00",
		("ffffffffffffffffffffffffffffffff"
		 "ffffffffffffffffffffffffffffffff") };
	AUTO_STRUCT(sharing) sharing = { 0 };
	struct secret none = { 0 };

	(void)state;
	share_out(2, 3, &sharing);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		AUTO_STRUCT(secret) share = secret_of_hex(values[i]);

		assert_refused(CA_R_VERIFY, "damaged",
		    sharing_check(&sharing.commitments, 1, &share));
	}
	assert_refused(CA_R_VERIFY, "0 octets",
	    sharing_check(&sharing.commitments, 1, &none));
}

/* A share plus n is the same number mod n, and another text: refused. */
static void
share_plus_order(void **state)
{
	static const char *const two[] = { "02", NULL };
	AUTO_STRUCT(sharing) sharing = { .count = 2 };
	AUTO_STRUCT(secret) more = { 0 };

	(void)state;
	sharing.secret = secret_of_hex(ONE);
	drawn = two;
	assert_ok(sharing_split(
	    &sharing.secret, 2, 2, &sharing.commitments, sharing.shares));
	drawn = NULL;
	more = secret_of_hex("ffffffff00000000ffffffffffffffff"
			     "bce6faada7179e84f3b9cac2fc632554");
	assert_int_equal(sharing.shares[0].bytes[31], 3);
	assert_refused(CA_R_VERIFY, "damaged",
	    sharing_check(&sharing.commitments, 1, &more));
}

static void
wrong_index(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };

	(void)state;
	share_out(2, 3, &sharing);
	for (unsigned i = 1; i <= SHARERS_MAX; i++)
		if (i != 2)
			assert_refused(CA_R_VERIFY, "another set or index",
			    sharing_check(
				&sharing.commitments, i, &sharing.shares[1]));
	assert_refused(CA_R_VERIFY, "index 0",
	    sharing_check(&sharing.commitments, 0, &sharing.shares[1]));
	assert_refused(CA_R_VERIFY, "index 33",
	    sharing_check(&sharing.commitments, 33, &sharing.shares[1]));
}

static void
wrong_set(void **state)
{
	AUTO_STRUCT(sharing) a = { 0 };
	AUTO_STRUCT(sharing) b = { 0 };
	struct indexed_share shares[2];
	struct secret secret = { 0 };

	(void)state;
	share_out(2, 3, &a);
	share_out(2, 3, &b);
	for (unsigned i = 0; i < 3; i++)
		assert_refused(CA_R_VERIFY, "another set",
		    sharing_check(&a.commitments, i + 1, &b.shares[i]));
	shares[0] = (struct indexed_share){ 1, &a.shares[0] };
	shares[1] = (struct indexed_share){ 2, &b.shares[1] };
	assert_refused(CA_R_VERIFY, "index 2",
	    sharing_combine(&a.commitments, shares, 2, &secret));
	assert_refused(CA_R_VERIFY, "index 1",
	    sharing_combine(&b.commitments, shares, 2, &secret));
	/* One share under two names, and under another one's. */
	shares[1] = (struct indexed_share){ 1, &a.shares[0] };
	assert_refused(CA_R_QUORUM, "index 1 was given twice",
	    sharing_combine(&a.commitments, shares, 2, &secret));
	shares[1].index = 3;
	assert_refused(CA_R_VERIFY, "index 3",
	    sharing_combine(&a.commitments, shares, 2, &secret));
	assert_null(secret.bytes);
}

/* ---- wrong commitments ------------------------------------------------ */

static void
commitment_bits(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };
	struct commitments wrong;

	(void)state;
	share_out(3, 3, &sharing);
	for (unsigned i = 0; i < 3 * 8 * POINT_LEN; i++) {
		unsigned at = i / 8 % POINT_LEN;

		wrong = sharing.commitments;
		wrong.points[i / 8 / POINT_LEN][at] ^=
		    (unsigned char)(1 << i % 8);
		assert_refused(CA_R_VERIFY, "damaged",
		    sharing_check(&wrong, 2, &sharing.shares[1]));
	}
}

static void
other_commitments(void **state)
{
	AUTO_STRUCT(sharing) a = { 0 };
	AUTO_STRUCT(sharing) b = { 0 };
	struct commitments wrong;

	(void)state;
	share_out(2, 3, &a);
	share_out(2, 3, &b);
	for (unsigned i = 0; i < 2; i++) {
		wrong = a.commitments;
		memcpy(wrong.points[i], b.commitments.points[i], POINT_LEN);
		assert_refused(CA_R_VERIFY, "does not fit",
		    sharing_check(&wrong, 1, &a.shares[0]));
	}
	memcpy(wrong.points[0], a.commitments.points[1], POINT_LEN);
	memcpy(wrong.points[1], a.commitments.points[0], POINT_LEN);
	assert_refused(CA_R_VERIFY, "does not fit",
	    sharing_check(&wrong, 2, &a.shares[1]));
	wrong = a.commitments;
	wrong.threshold = 1;
	assert_refused(CA_R_VERIFY, "does not fit",
	    sharing_check(&wrong, 1, &a.shares[0]));
	wrong.threshold = 3;
	memcpy(wrong.points[2], a.commitments.points[0], POINT_LEN);
	assert_refused(CA_R_VERIFY, "does not fit",
	    sharing_check(&wrong, 1, &a.shares[0]));
}

static void
no_points(void **state)
{
	static const char *const points[] = {
		/* at infinity, in as many octets as there must be */
		"00" ZERO,
		/* G, with the prefixes of other forms */
		("006b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898"
		 "c296"),
		("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898"
		 "c296"),
		("066b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898"
		 "c296"),
		/* x = 1: no y */
		"02" ONE,
		/* x = p + 5, where 5 would be on the curve */
		("02ffffffff00000001000000000000000000000001000000000000000000"
		 "000004"),
	};
	AUTO_STRUCT(sharing) sharing = { 0 };

	(void)state;
	share_out(3, 3, &sharing);
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		for (unsigned k = 0; k < 3; k++) {
			struct commitments wrong = sharing.commitments;
			AUTO_BYTES(point) = NULL;
			size_t len = 0;
			unsigned char digest[32];

			assert_ok(text_unhex(points[i], &point, &len));
			assert_int_equal(len, POINT_LEN);
			memcpy(wrong.points[k], point, POINT_LEN);
			assert_refused(CA_R_VERIFY, "no point of P-256",
			    commitments_check(&wrong));
			assert_refused(CA_R_VERIFY, "no point of P-256",
			    sharing_check(&wrong, 1, &sharing.shares[0]));
			assert_ok(commitments_sha256(&wrong, digest));
		}
}

static void
number_of_commitments(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };
	struct indexed_share shares[SHARERS_MAX + 1] = { { 0 } };
	struct secret secret = { 0 };
	unsigned char digest[32] = { 0 };

	(void)state;
	share_out(2, 3, &sharing);
	shares[0] = (struct indexed_share){ 1, &sharing.shares[0] };
	for (unsigned n = 0; n < 34; n += 33) {
		sharing.commitments.threshold = n;
		assert_refused(CA_R_VERIFY, "not 1 to 32",
		    commitments_check(&sharing.commitments));
		assert_refused(CA_R_VERIFY, "not 1 to 32",
		    sharing_check(&sharing.commitments, 1, &sharing.shares[0]));
		assert_refused(CA_R_VERIFY, "not 1 to 32",
		    sharing_combine(&sharing.commitments, shares, n, &secret));
	}
	assert_refused(CA_R_INTERNAL, "too many",
	    commitments_sha256(&sharing.commitments, digest));
	assert_null(secret.bytes);
}

static void
digest_of_commitments(void **state)
{
	AUTO_STRUCT(sharing) sharing = { 0 };
	unsigned char octets[2 * POINT_LEN], digest[32], want[32];

	(void)state;
	share_out(2, 3, &sharing);
	memcpy(octets, sharing.commitments.points[0], POINT_LEN);
	memcpy(octets + POINT_LEN, sharing.commitments.points[1], POINT_LEN);
	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, octets,
			     sizeof(octets), want, NULL),
	    1);
	assert_ok(commitments_sha256(&sharing.commitments, digest));
	assert_memory_equal(digest, want, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		heap_test(exhaustive),
		heap_test(samples),
		heap_test(what_is_given_out),
		heap_test(single_control),
		heap_test(bad_sizes),
		heap_test(bad_secrets),
		heap_test(edge_secrets),
		heap_test(new_secrets),
		heap_test(mixing),
		heap_test(mixed_to_zero),
		heap_test(share_of_zero),
		heap_test(flipped_bits),
		heap_test(no_scalars),
		heap_test(share_plus_order),
		heap_test(wrong_index),
		heap_test(wrong_set),
		heap_test(commitment_bits),
		heap_test(other_commitments),
		heap_test(no_points),
		heap_test(number_of_commitments),
		heap_test(digest_of_commitments),
	};

	return cmocka_run_group_tests(tests, heap_setup, NULL);
}
