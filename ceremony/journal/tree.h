/* The Merkle tree of RFC 6962, section 2.1, with SHA-256. */
#ifndef CA_JOURNAL_TREE_H
#define CA_JOURNAL_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { TREE_HASH_LEN = 32, TREE_MAX_LEVEL = 63 };

/* H(00 || entry) and H(01 || left || right). */
int tree_leaf(const void *entry, size_t len,
    unsigned char ret_hash[TREE_HASH_LEN]) MUST_USE;
int tree_node(const unsigned char left[TREE_HASH_LEN],
    const unsigned char right[TREE_HASH_LEN],
    unsigned char ret_hash[TREE_HASH_LEN]) MUST_USE;

/*
 * Where subtree hashes are kept: node (level, index) is the root of the
 * complete subtree over leaves [index << level, (index + 1) << level).
 */
struct tree_store {
	void *ctx;
	int (*get)(void *ctx, unsigned level, uint64_t index,
	    unsigned char ret_hash[TREE_HASH_LEN]);
	int (*put)(void *ctx, unsigned level, uint64_t index,
	    const unsigned char hash[TREE_HASH_LEN]);
};

/* Add leaf number `size`; O(log n) calls of the store. */
int tree_append(const struct tree_store *store, uint64_t size,
    const unsigned char leaf[TREE_HASH_LEN]) MUST_USE;

/* The root over the first `size` leaves; SHA-256("") for none. */
int tree_root(const struct tree_store *store, uint64_t size,
    unsigned char ret_root[TREE_HASH_LEN]) MUST_USE;

/*
 * The root over leaves [first, first + count), count > 0; `first` is a multiple
 * of a power of two that is not below `count`, as of each subtree.
 */
int tree_root_of(const struct tree_store *store, uint64_t first, uint64_t count,
    unsigned char ret_root[TREE_HASH_LEN]) MUST_USE;

/* ---- proofs (RFC 6962, 2.1.1 and 2.1.2; RFC 9162, 2.1.3.2 and 2.1.4.2) -- */

enum { TREE_PROOF_MAX = 64 };

struct tree_proof {
	unsigned char hashes[TREE_PROOF_MAX][TREE_HASH_LEN];
	size_t count;
};

/*
 * Leaf `index` is in the tree of `size` leaves: the path, the leaf's sibling
 * first.  CA_R_INTERNAL unless index < size.  O(log n) calls of the store.
 */
int tree_prove_inclusion(const struct tree_store *store, uint64_t index,
    uint64_t size, struct tree_proof *ret_proof) MUST_USE;

/*
 * The tree of `size` leaves begins with that of `old`; empty where old is 0 or
 * `size`.  CA_R_INTERNAL unless old <= size.
 */
int tree_prove_consistency(const struct tree_store *store, uint64_t old,
    uint64_t size, struct tree_proof *ret_proof) MUST_USE;

/* CA_R_VERIFY where the proof does not prove it. */
int tree_check_inclusion(const struct tree_proof *proof, uint64_t index,
    uint64_t size, const unsigned char leaf[TREE_HASH_LEN],
    const unsigned char root[TREE_HASH_LEN]) MUST_USE;
int tree_check_consistency(const struct tree_proof *proof, uint64_t old,
    uint64_t size, const unsigned char old_root[TREE_HASH_LEN],
    const unsigned char root[TREE_HASH_LEN]) MUST_USE;

/* ---- a tree without a store ------------------------------------------- */

/* The complete subtrees of the leaves added so far: flat memory. */
struct tree_range {
	unsigned char hashes[TREE_MAX_LEVEL + 1][TREE_HASH_LEN]; /* by level */
	uint64_t size;
};

/*
 * Add a leaf.  `complete` is called for each subtree that becomes complete
 * (level 1 and up), in the order of levels; NULL: nobody wants them.
 */
int tree_range_add(struct tree_range *range,
    const unsigned char leaf[TREE_HASH_LEN],
    int (*complete)(void *ctx, unsigned level, uint64_t index,
	const unsigned char hash[TREE_HASH_LEN]),
    void *ctx) MUST_USE;
int tree_range_root(const struct tree_range *range,
    unsigned char ret_root[TREE_HASH_LEN]) MUST_USE;

#endif
