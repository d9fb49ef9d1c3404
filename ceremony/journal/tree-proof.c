/* Proofs of inclusion and consistency, and trees without a store. */
#include <string.h>

#include "base/error.h"
#include "ceremony/journal/tree.h"

/* ---- making ----------------------------------------------------------- */

/* The largest power of two below n, n > 1; its exponent. */
static unsigned
split_level(uint64_t n)
{
	unsigned level = 0;

	while (level < TREE_MAX_LEVEL && ((n - 1) >> (level + 1)) != 0)
		level++;
	return level;
}

static int
add_range(const struct tree_store *store, uint64_t first, uint64_t count,
    struct tree_proof *proof)
{
	if (proof->count == TREE_PROOF_MAX)
		return ca_error(CA_R_INTERNAL, "a proof is too long");
	return tree_root_of(store, first, count, proof->hashes[proof->count++]);
}

/* The path was collected from the root down. */
static void
reverse(struct tree_proof *proof)
{
	unsigned char swap[TREE_HASH_LEN];

	for (size_t i = 0; i < proof->count / 2; i++) {
		size_t k = proof->count - 1 - i;

		memcpy(swap, proof->hashes[i], sizeof(swap));
		memcpy(proof->hashes[i], proof->hashes[k], sizeof(swap));
		memcpy(proof->hashes[k], swap, sizeof(swap));
	}
}

int
tree_prove_inclusion(const struct tree_store *store, uint64_t index,
    uint64_t size, struct tree_proof *ret_proof)
{
	struct tree_proof proof = { .count = 0 };
	uint64_t first = 0, count = size;

	if (index >= size)
		return ca_error(
		    CA_R_INTERNAL, "no leaf outside of the tree is proved");
	while (count > 1) {
		uint64_t left = UINT64_C(1) << split_level(count);
		bool in_left = index - first < left;

		if (add_range(store, in_left ? first + left : first,
			in_left ? count - left : left, &proof) != 0)
			return -1;
		first += in_left ? 0 : left;
		count = in_left ? left : count - left;
	}
	reverse(&proof);
	*ret_proof = proof;
	return 0;
}

/* RFC 6962, section 2.1.2: SUBPROOF, its recursion as a loop. */
int
tree_prove_consistency(const struct tree_store *store, uint64_t old,
    uint64_t size, struct tree_proof *ret_proof)
{
	struct tree_proof proof = { .count = 0 };
	uint64_t first = 0, count = size, rest = old;
	bool whole = true; /* what is left of the old tree is a known root */

	if (old > size)
		return ca_error(
		    CA_R_INTERNAL, "a longer tree does not come before");
	while (old != 0 && rest != count) {
		uint64_t left = UINT64_C(1) << split_level(count);
		bool in_left = rest <= left;

		if (add_range(store, in_left ? first + left : first,
			in_left ? count - left : left, &proof) != 0)
			return -1;
		whole = whole && in_left;
		first += in_left ? 0 : left;
		rest -= in_left ? 0 : left;
		count = in_left ? left : count - left;
	}
	if (!whole && add_range(store, first, count, &proof) != 0)
		return -1;
	reverse(&proof);
	*ret_proof = proof;
	return 0;
}

/* ---- checking --------------------------------------------------------- */

static int
not_proved(const char *why)
{
	return ca_error(CA_R_VERIFY, "the proof does not hold: %s", why);
}

/* Where the path goes next: index and last index of each level. */
struct climb {
	uint64_t index, last;
};

/* Is the next hash a left sibling?  Moves over levels that have none. */
static bool
sibling_is_left(struct climb *climb)
{
	if ((climb->index & 1) == 0 && climb->index != climb->last)
		return false;
	while ((climb->index & 1) == 0 && climb->index != 0) {
		climb->index >>= 1;
		climb->last >>= 1;
	}
	return true;
}

static void
go_up(struct climb *climb)
{
	climb->index >>= 1;
	climb->last >>= 1;
}

int
tree_check_inclusion(const struct tree_proof *proof, uint64_t index,
    uint64_t size, const unsigned char leaf[TREE_HASH_LEN],
    const unsigned char root[TREE_HASH_LEN])
{
	struct climb climb = { .index = index, .last = size - 1 };
	unsigned char hash[TREE_HASH_LEN];

	if (index >= size)
		return not_proved("there is no such entry in the tree");
	memcpy(hash, leaf, sizeof(hash));
	for (size_t i = 0; i < proof->count; i++) {
		const unsigned char *next = proof->hashes[i];
		int ret;

		if (climb.last == 0)
			return not_proved("it is too long");
		ret = sibling_is_left(&climb) ? tree_node(next, hash, hash)
					      : tree_node(hash, next, hash);
		if (ret != 0)
			return -1;
		go_up(&climb);
	}
	if (climb.last != 0)
		return not_proved("it is too short");
	return memcmp(hash, root, sizeof(hash)) == 0
	    ? 0
	    : not_proved("it leads to another root");
}

/* From the first hash up, to the roots of both trees. */
static int
climb_both(const struct tree_proof *proof, size_t from, struct climb climb,
    unsigned char old[TREE_HASH_LEN], unsigned char new[TREE_HASH_LEN])
{
	for (size_t i = from; i < proof->count; i++) {
		const unsigned char *next = proof->hashes[i];

		if (climb.last == 0)
			return not_proved("it is too long");
		if (!sibling_is_left(&climb)) {
			if (tree_node(new, next, new) != 0)
				return -1;
		} else if (tree_node(next, old, old) != 0 ||
		    tree_node(next, new, new) != 0) {
			return -1;
		}
		go_up(&climb);
	}
	return climb.last == 0 ? 0 : not_proved("it is too short");
}

/* Both roots are known, and nothing lies between them. */
static int
check_empty(const struct tree_proof *proof, bool same)
{
	if (proof->count != 0)
		return not_proved("it is too long");
	return same ? 0 : not_proved("trees of one size have different roots");
}

int
tree_check_consistency(const struct tree_proof *proof, uint64_t old,
    uint64_t size, const unsigned char old_root[TREE_HASH_LEN],
    const unsigned char root[TREE_HASH_LEN])
{
	unsigned char first[TREE_HASH_LEN], second[TREE_HASH_LEN];
	struct climb climb = { .index = old - 1, .last = size - 1 };
	bool power = (old & (old - 1)) == 0; /* the old root is a subtree */

	if (old > size)
		return not_proved("the old tree is the longer one");
	if (old == 0 || old == size)
		return check_empty(proof,
		    old == 0 || memcmp(old_root, root, TREE_HASH_LEN) == 0);
	if (proof->count == 0)
		return not_proved("it is too short");
	memcpy(first, power ? old_root : proof->hashes[0], sizeof(first));
	memcpy(second, first, sizeof(second));
	while ((climb.index & 1) == 1)
		go_up(&climb);
	if (climb_both(proof, power ? 0 : 1, climb, first, second) != 0)
		return -1;
	if (memcmp(first, old_root, sizeof(first)) != 0)
		return not_proved("it leads to another old root");
	return memcmp(second, root, sizeof(second)) == 0
	    ? 0
	    : not_proved("it leads to another root");
}

/* ---- a tree without a store ------------------------------------------- */

int
tree_range_add(struct tree_range *range,
    const unsigned char leaf[TREE_HASH_LEN],
    int (*complete)(void *ctx, unsigned level, uint64_t index,
	const unsigned char hash[TREE_HASH_LEN]),
    void *ctx)
{
	unsigned char hash[TREE_HASH_LEN];
	unsigned level = 0;

	memcpy(hash, leaf, sizeof(hash));
	for (uint64_t index = range->size; (index & 1) == 1; index >>= 1) {
		if (tree_node(range->hashes[level], hash, hash) != 0)
			return -1;
		level++;
		if (complete != NULL &&
		    complete(ctx, level, index >> 1, hash) != 0)
			return -1;
	}
	memcpy(range->hashes[level], hash, sizeof(hash));
	range->size++;
	return 0;
}

/* What is asked for is the last subtree that became complete at a level. */
static int
range_get(void *ctx, unsigned level, uint64_t index,
    unsigned char ret_hash[TREE_HASH_LEN])
{
	const struct tree_range *range = ctx;

	(void)index;
	memcpy(ret_hash, range->hashes[level], TREE_HASH_LEN);
	return 0;
}

int
tree_range_root(
    const struct tree_range *range, unsigned char ret_root[TREE_HASH_LEN])
{
	struct tree_range copy = *range;
	const struct tree_store store = { .ctx = &copy, .get = range_get };

	return tree_root(&store, range->size, ret_root);
}
