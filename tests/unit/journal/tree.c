#include "ceremony/journal/tree.h"

#include "support.h"

enum { LEVELS = 64, LEAVES = 4096 };

/* A store in memory that counts its calls and keeps to the promise. */
struct memory {
	unsigned char hash[13][LEAVES][TREE_HASH_LEN];
	bool there[13][LEAVES];
	unsigned calls;
	bool fail_get, fail_put;
};

static int
memory_get(void *ctx, unsigned level, uint64_t index,
    unsigned char ret_hash[TREE_HASH_LEN])
{
	struct memory *memory = ctx;

	memory->calls++;
	if (memory->fail_get)
		return ca_error(CA_R_IO, "as ordered");
	assert_true(level < 13 && index < LEAVES);
	assert_true(memory->there[level][index]);
	memcpy(ret_hash, memory->hash[level][index], TREE_HASH_LEN);
	return 0;
}

static int
memory_put(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[TREE_HASH_LEN])
{
	struct memory *memory = ctx;

	memory->calls++;
	if (memory->fail_put)
		return ca_error(CA_R_IO, "as ordered");
	assert_true(level < 13 && index < LEAVES);
	assert_false(memory->there[level][index]);
	memcpy(memory->hash[level][index], hash, TREE_HASH_LEN);
	memory->there[level][index] = true;
	return 0;
}

static int
memory_setup(void **state)
{
	*state = calloc(1, sizeof(struct memory));
	return *state == NULL ? -1 : 0;
}

static int
memory_teardown(void **state)
{
	free(*state);
	return 0;
}

static struct tree_store
store_of(void *state)
{
	return (struct tree_store){ state, memory_get, memory_put };
}

/* RFC 6962, section 2.1, word for word. */
static void
naive_root(unsigned char (*leaves)[TREE_HASH_LEN], size_t n,
    unsigned char ret_root[TREE_HASH_LEN])
{
	unsigned char both[1 + 2 * TREE_HASH_LEN] = { 0x01 };
	size_t k = 1;

	if (n == 1) {
		memcpy(ret_root, leaves[0], TREE_HASH_LEN);
		return;
	}
	while (2 * k < n)
		k *= 2;
	naive_root(leaves, k, both + 1);
	naive_root(leaves + k, n - k, both + 1 + TREE_HASH_LEN);
	assert_ok(sha256(both, sizeof both, ret_root));
}

static const struct {
	const char *entry;
	size_t len;
	const char *root; /* of the tree up to and with it */
} vector[] = {
	{ "", 0,
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" },
	{ "\x00", 1,
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" },
	{ "\x10", 1,
	    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77" },
	{ "\x20\x21", 2,
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" },
	{ "\x30\x31", 2,
	    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4" },
	{ "\x40\x41\x42\x43", 4,
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef" },
	{ "\x50\x51\x52\x53\x54\x55\x56\x57", 8,
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c" },
	{ "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
	    16,
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328" },
};

static void
test_vector(void **state)
{
	struct tree_store store = store_of(*state);
	unsigned char hash[TREE_HASH_LEN];
	char hex[65];

	assert_ok(tree_root(&store, 0, hash));
	text_hex_into(hash, sizeof hash, hex);
	assert_string_equal(hex,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	for (size_t i = 0; i < sizeof vector / sizeof vector[0]; i++) {
		assert_ok(tree_leaf(vector[i].entry, vector[i].len, hash));
		assert_ok(tree_append(&store, i, hash));
		assert_ok(tree_root(&store, i + 1, hash));
		text_hex_into(hash, sizeof hash, hex);
		assert_string_equal(hex, vector[i].root);
	}
}

/* Each size 1 to 70; and at each, the roots of all sizes before. */
static void
test_against_naive(void **state)
{
	static unsigned char leaves[70][TREE_HASH_LEN];
	struct tree_store store = store_of(*state);
	unsigned char root[TREE_HASH_LEN], expected[TREE_HASH_LEN];

	for (unsigned n = 0; n < 70; n++) {
		assert_ok(tree_leaf(&n, sizeof n, leaves[n]));
		assert_ok(tree_append(&store, n, leaves[n]));
		for (unsigned m = 1; m <= n + 1; m++) {
			naive_root(leaves, m, expected);
			assert_ok(tree_root(&store, m, root));
			assert_memory_equal(root, expected, sizeof root);
		}
	}
}

/* An append of number n touches the store at most 1 + 2 log2(n + 1) times. */
static void
test_logarithmic(void **state)
{
	struct memory *memory = *state;
	struct tree_store store = store_of(*state);
	unsigned char leaf[TREE_HASH_LEN];

	for (unsigned n = 0; n < LEAVES; n++) {
		assert_ok(tree_leaf(&n, sizeof n, leaf));
		memory->calls = 0;
		assert_ok(tree_append(&store, n, leaf));
		assert_true(memory->calls <= 1 + 2 * 12);
		memory->calls = 0;
		assert_ok(tree_root(&store, n + 1, leaf));
		assert_true(memory->calls <= 12);
	}
}

static void
test_store_fails(void **state)
{
	struct memory *memory = *state;
	struct tree_store store = store_of(*state);
	unsigned char leaf[TREE_HASH_LEN], root[TREE_HASH_LEN];
	unsigned char before[TREE_HASH_LEN];

	assert_ok(tree_leaf("x", 1, leaf));
	assert_ok(tree_append(&store, 0, leaf));
	memory->fail_get = true;
	memset(root, 0x5a, sizeof root);
	memset(before, 0x5a, sizeof before);
	assert_refused(CA_R_IO, tree_append(&store, 1, leaf));
	assert_refused(CA_R_IO, tree_root(&store, 1, root));
	assert_memory_equal(root, before, sizeof root);
	memory->fail_put = true;
	assert_refused(CA_R_IO, tree_append(&store, 2, leaf));
}

/* ---- proofs ----------------------------------------------------------- */

enum { SIZES = 70 };

/* The first 70 leaves, in the store, and the roots of 0 to 70 of them. */
struct small_trees {
	unsigned char leaves[SIZES][TREE_HASH_LEN];
	unsigned char roots[SIZES + 1][TREE_HASH_LEN];
};

static struct small_trees *
small_trees(const struct tree_store *store)
{
	static struct small_trees trees;

	assert_ok(sha256("", 0, trees.roots[0]));
	for (unsigned n = 0; n < SIZES; n++) {
		assert_ok(tree_leaf(&n, sizeof n, trees.leaves[n]));
		assert_ok(tree_append(store, n, trees.leaves[n]));
		naive_root(trees.leaves, n + 1, trees.roots[n + 1]);
	}
	return &trees;
}

static size_t
naive_split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static void
naive_add(
    struct tree_proof *proof, unsigned char (*leaves)[TREE_HASH_LEN], size_t n)
{
	naive_root(leaves, n, proof->hashes[proof->count++]);
}

/* PATH(m, D[n]) of RFC 6962, section 2.1.1, word for word. */
static void
naive_path(struct tree_proof *proof, size_t m,
    unsigned char (*leaves)[TREE_HASH_LEN], size_t n)
{
	size_t k;

	if (n == 1)
		return;
	k = naive_split(n);
	if (m < k) {
		naive_path(proof, m, leaves, k);
		naive_add(proof, leaves + k, n - k);
	} else {
		naive_path(proof, m - k, leaves + k, n - k);
		naive_add(proof, leaves, k);
	}
}

/* SUBPROOF(m, D[n], b) of section 2.1.2, word for word. */
static void
naive_subproof(struct tree_proof *proof, size_t m,
    unsigned char (*leaves)[TREE_HASH_LEN], size_t n, bool whole)
{
	size_t k;

	if (m == n) {
		if (!whole)
			naive_add(proof, leaves, n);
		return;
	}
	k = naive_split(n);
	if (m <= k) {
		naive_subproof(proof, m, leaves, k, whole);
		naive_add(proof, leaves + k, n - k);
	} else {
		naive_subproof(proof, m - k, leaves + k, n - k, false);
		naive_add(proof, leaves, k);
	}
}

static void
assert_same_proof(const struct tree_proof *a, const struct tree_proof *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->hashes, b->hashes, a->count * TREE_HASH_LEN);
}

/*
 * Call refuse() with each proof that is `proof` with one bit of a hash changed,
 * with one hash left out, or with one more, at each place.
 */
static void
each_forgery(const struct tree_proof *proof,
    void (*refuse)(const void *ctx, const struct tree_proof *forged),
    const void *ctx)
{
	struct tree_proof forged;

	for (size_t i = 0; i < proof->count; i++) {
		forged = *proof;
		forged.hashes[i][i % TREE_HASH_LEN] ^=
		    (unsigned char)(1U << (i % 8));
		refuse(ctx, &forged);
		forged = *proof;
		memmove(forged.hashes[i], forged.hashes[i + 1],
		    (proof->count - i - 1) * TREE_HASH_LEN);
		forged.count--;
		refuse(ctx, &forged);
	}
	for (size_t i = 0; i <= proof->count; i++) {
		forged = *proof;
		memmove(forged.hashes[i + 1], forged.hashes[i],
		    (proof->count - i) * TREE_HASH_LEN);
		forged.count++;
		refuse(ctx, &forged);
	}
}

struct claim {
	uint64_t number, size; /* index or old size */
	const unsigned char *first, *root;
};

static void
refuse_inclusion(const void *ctx, const struct tree_proof *forged)
{
	const struct claim *claim = ctx;

	assert_refused(CA_R_VERIFY,
	    tree_check_inclusion(
		forged, claim->number, claim->size, claim->first, claim->root));
}

static void
refuse_consistency(const void *ctx, const struct tree_proof *forged)
{
	const struct claim *claim = ctx;

	assert_refused(CA_R_VERIFY,
	    tree_check_consistency(
		forged, claim->number, claim->size, claim->first, claim->root));
}

/* Of small trees each other number, of larger ones every ninth. */
static unsigned
step_of(unsigned n)
{
	return n > 16 ? 9 : 1;
}

/* Another index, leaf, root; another size with its own root. */
static void
refuse_other_inclusions(struct small_trees *trees,
    const struct tree_proof *proof, unsigned m, unsigned n)
{
	for (unsigned i = m % step_of(n); i <= n + 1; i += step_of(n)) {
		struct claim claim = { i, n, trees->leaves[m],
			trees->roots[n] };

		if (i != m)
			refuse_inclusion(&claim, proof);
		claim.number = m;
		if (i != m && i < n) {
			claim.first = trees->leaves[i];
			refuse_inclusion(&claim, proof);
		}
		claim.first = trees->leaves[m];
		if (i != n && i <= SIZES) {
			claim.size = i;
			claim.root = trees->roots[i];
			refuse_inclusion(&claim, proof);
			claim.size = n;
			refuse_inclusion(&claim, proof);
		}
	}
}

static void
test_inclusion(void **state)
{
	struct tree_store store = store_of(*state);
	struct small_trees *trees = small_trees(&store);

	for (unsigned n = 1; n <= SIZES; n++)
		for (unsigned m = 0; m < n; m++) {
			struct tree_proof proof, naive = { .count = 0 };
			struct claim claim = { m, n, trees->leaves[m],
				trees->roots[n] };

			naive_path(&naive, m, trees->leaves, n);
			assert_ok(tree_prove_inclusion(&store, m, n, &proof));
			assert_same_proof(&proof, &naive);
			assert_ok(tree_check_inclusion(
			    &proof, m, n, trees->leaves[m], trees->roots[n]));
			each_forgery(&proof, refuse_inclusion, &claim);
			refuse_other_inclusions(trees, &proof, m, n);
		}
}

/* Other roots, in either place, and exchanged sizes. */
static void
refuse_other_consistencies(struct small_trees *trees,
    const struct tree_proof *proof, unsigned m, unsigned n)
{
	for (unsigned i = m % step_of(n); i <= SIZES; i += step_of(n)) {
		struct claim claim = { m, n, trees->roots[i], trees->roots[n] };

		if (i != m)
			refuse_consistency(&claim, proof);
		claim.first = trees->roots[m];
		claim.root = trees->roots[i];
		if (i != n)
			refuse_consistency(&claim, proof);
		/* With its own root it would be true, but not so proved. */
		claim =
		    (struct claim){ i, n, trees->roots[i], trees->roots[n] };
		if (i != m && proof->count != 0)
			refuse_consistency(&claim, proof);
		claim =
		    (struct claim){ m, i, trees->roots[m], trees->roots[i] };
		if (i != n && proof->count != 0)
			refuse_consistency(&claim, proof);
	}
}

static void
test_consistency(void **state)
{
	struct tree_store store = store_of(*state);
	struct small_trees *trees = small_trees(&store);

	for (unsigned n = 1; n <= SIZES; n++)
		for (unsigned m = 1; m <= n; m++) {
			struct tree_proof proof, naive = { .count = 0 };
			struct claim claim = { m, n, trees->roots[m],
				trees->roots[n] };

			naive_subproof(&naive, m, trees->leaves, n, true);
			assert_ok(tree_prove_consistency(&store, m, n, &proof));
			assert_same_proof(&proof, &naive);
			assert_ok(tree_check_consistency(
			    &proof, m, n, trees->roots[m], trees->roots[n]));
			each_forgery(&proof, refuse_consistency, &claim);
			refuse_other_consistencies(trees, &proof, m, n);
		}
}

/* From no entries: nothing is to be proved, and nothing may be there. */
static void
test_consistency_from_empty(void **state)
{
	struct tree_store store = store_of(*state);
	struct small_trees *trees = small_trees(&store);

	for (unsigned n = 0; n <= SIZES; n++) {
		struct tree_proof proof = { .count = 9 };
		struct claim claim = { 0, n, trees->roots[0], trees->roots[n] };

		assert_ok(tree_prove_consistency(&store, 0, n, &proof));
		assert_int_equal(proof.count, 0);
		assert_ok(tree_check_consistency(
		    &proof, 0, n, trees->roots[0], trees->roots[n]));
		each_forgery(&proof, refuse_consistency, &claim);
	}
}

/* Inclusion of entry 3 among 7; and the tree of 3 as a beginning of 7. */
static void
test_proof_vectors(void **state)
{
	static const char *const path[] = {
		"ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=",
		"+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=",
		"g327FS6bB5AQcX6E6GXaTrwPoZioBtWdMb8VrM7yLQ4=",
	};
	struct tree_store store = store_of(*state);
	unsigned char leaf[TREE_HASH_LEN], third[TREE_HASH_LEN] = { 0 };
	unsigned char root[TREE_HASH_LEN], base64[64];
	struct tree_proof proof;

	for (size_t i = 0; i < 7; i++) {
		assert_ok(tree_leaf(vector[i].entry, vector[i].len, leaf));
		assert_ok(tree_append(&store, i, leaf));
		if (i == 3)
			memcpy(third, leaf, sizeof third);
	}
	assert_ok(tree_root(&store, 7, root));
	assert_ok(tree_prove_inclusion(&store, 3, 7, &proof));
	assert_int_equal(proof.count, 3);
	for (size_t i = 0; i < 3; i++) {
		EVP_EncodeBlock(base64, proof.hashes[i], TREE_HASH_LEN);
		assert_string_equal((char *)base64, path[i]);
	}
	assert_ok(tree_check_inclusion(&proof, 3, 7, third, root));
}

static void
test_impossible_proofs(void **state)
{
	struct tree_store store = store_of(*state);
	struct small_trees *trees = small_trees(&store);
	struct tree_proof proof = { .count = 0 };

	assert_refused(
	    CA_R_INTERNAL, tree_prove_inclusion(&store, 7, 7, &proof));
	assert_refused(
	    CA_R_INTERNAL, tree_prove_inclusion(&store, 0, 0, &proof));
	assert_refused(
	    CA_R_INTERNAL, tree_prove_consistency(&store, 8, 7, &proof));
	assert_refused(CA_R_VERIFY,
	    tree_check_inclusion(
		&proof, 0, 0, trees->leaves[0], trees->roots[0]));
	assert_refused(CA_R_VERIFY,
	    tree_check_inclusion(&proof, UINT64_MAX, UINT64_MAX,
		trees->leaves[0], trees->leaves[0]));
	assert_refused(CA_R_VERIFY,
	    tree_check_inclusion(&proof, UINT64_MAX - 1, UINT64_MAX,
		trees->leaves[0], trees->leaves[0]));
	assert_refused(CA_R_VERIFY,
	    tree_check_consistency(
		&proof, 1, UINT64_MAX, trees->leaves[0], trees->leaves[0]));
}

/* A path through a tree of any size, put together by hand. */
static void
test_largest_trees(void **state)
{
	unsigned char hash[TREE_HASH_LEN] = { 7 }, leaf[TREE_HASH_LEN] = { 7 };
	struct tree_proof proof = { .count = 0 };

	(void)state;
	for (unsigned char i = 0; i < 63; i++) {
		memset(proof.hashes[i], i, TREE_HASH_LEN);
		assert_ok(tree_node(hash, proof.hashes[i], hash));
		proof.count++;
		assert_ok(tree_check_inclusion(
		    &proof, 0, UINT64_C(1) << (i + 1), leaf, hash));
		assert_refused(CA_R_VERIFY,
		    tree_check_inclusion(
			&proof, 1, UINT64_C(1) << (i + 1), leaf, hash));
	}
}

/* The store is asked at most twice for each level. */
static void
test_proofs_logarithmic(void **state)
{
	struct memory *memory = *state;
	struct tree_store store = store_of(*state);
	unsigned char leaf[TREE_HASH_LEN] = { 0 };
	struct tree_proof proof;

	for (unsigned n = 0; n < LEAVES; n++)
		assert_ok(tree_append(&store, n, leaf));
	for (unsigned n = LEAVES - 80; n <= LEAVES; n++)
		for (unsigned m = 0; m < n; m += 37) {
			memory->calls = 0;
			assert_ok(tree_prove_inclusion(&store, m, n, &proof));
			assert_true(memory->calls <= 2 * 12);
			assert_true(proof.count <= 12);
			memory->calls = 0;
			assert_ok(tree_prove_consistency(&store, m, n, &proof));
			assert_true(memory->calls <= 2 * 12);
			assert_true(proof.count <= 13);
		}
}

static void
test_proofs_store_fails(void **state)
{
	struct memory *memory = *state;
	struct tree_store store = store_of(*state);
	struct tree_proof proof, before;

	(void)small_trees(&store);
	memset(&proof, 0x5a, sizeof proof);
	before = proof;
	memory->fail_get = true;
	assert_refused(CA_R_IO, tree_prove_inclusion(&store, 3, 7, &proof));
	assert_refused(CA_R_IO, tree_prove_consistency(&store, 3, 7, &proof));
	assert_memory_equal(&proof, &before, sizeof proof);
}

/* ---- a tree without a store ------------------------------------------- */

/* Subtrees come in the order of levels, each once, as the store has them. */
struct completed {
	const struct memory *memory;
	unsigned count, level;
	bool fail;
};

static int
see_complete(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[TREE_HASH_LEN])
{
	struct completed *completed = ctx;

	if (completed->fail)
		return ca_error(CA_R_IO, "as ordered");
	assert_int_equal(level, completed->level + 1);
	completed->level = level;
	completed->count++;
	assert_true(completed->memory->there[level][index]);
	assert_memory_equal(
	    hash, completed->memory->hash[level][index], TREE_HASH_LEN);
	return 0;
}

static void
test_range(void **state)
{
	struct tree_store store = store_of(*state);
	struct small_trees *trees = small_trees(&store);
	struct completed completed = { .memory = *state };
	struct tree_range range = { .size = 0 };
	unsigned char root[TREE_HASH_LEN];

	for (unsigned n = 0; n < SIZES; n++) {
		assert_ok(tree_range_root(&range, root));
		assert_memory_equal(root, trees->roots[n], sizeof root);
		completed.level = 0;
		assert_ok(tree_range_add(
		    &range, trees->leaves[n], see_complete, &completed));
		assert_int_equal(range.size, n + 1);
	}
	/* 70 = 64 + 4 + 2: 63, 3 and 1 nodes. */
	assert_int_equal(completed.count, 67);
	assert_ok(tree_range_root(&range, root));
	assert_memory_equal(root, trees->roots[SIZES], sizeof root);
	range = (struct tree_range){ .size = 0 };
	for (unsigned n = 0; n < SIZES; n++)
		assert_ok(tree_range_add(&range, trees->leaves[n], NULL, NULL));
	assert_ok(tree_range_root(&range, root));
	assert_memory_equal(root, trees->roots[SIZES], sizeof root);
}

static void
test_range_fails(void **state)
{
	struct completed completed = { .fail = true };
	unsigned char leaf[TREE_HASH_LEN] = { 1 };
	struct tree_range range = { .size = 0 }, before;

	(void)state;
	assert_ok(tree_range_add(&range, leaf, see_complete, &completed));
	before = range;
	assert_refused(
	    CA_R_IO, tree_range_add(&range, leaf, see_complete, &completed));
	assert_memory_equal(&range, &before, sizeof range);
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, memory_setup, memory_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_vector),
		TEST(test_against_naive),
		TEST(test_logarithmic),
		TEST(test_store_fails),
		TEST(test_inclusion),
		TEST(test_consistency),
		TEST(test_consistency_from_empty),
		TEST(test_proof_vectors),
		TEST(test_impossible_proofs),
		TEST(test_largest_trees),
		TEST(test_proofs_logarithmic),
		TEST(test_proofs_store_fails),
		TEST(test_range),
		TEST(test_range_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
