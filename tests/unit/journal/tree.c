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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
