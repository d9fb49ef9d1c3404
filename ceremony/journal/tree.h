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

#endif
