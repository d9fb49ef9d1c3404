#include "ceremony/journal/tree.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

static int
hash_prefixed(unsigned char prefix, const void *a, size_t a_len, const void *b,
    size_t b_len, unsigned char ret_hash[TREE_HASH_LEN])
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char hash[EVP_MAX_MD_SIZE];

	if (ctx == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(ctx, &prefix, 1) != 1 ||
	    EVP_DigestUpdate(ctx, a, a_len) != 1 ||
	    EVP_DigestUpdate(ctx, b, b_len) != 1 ||
	    EVP_DigestFinal_ex(ctx, hash, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute SHA-256");
	memcpy(ret_hash, hash, TREE_HASH_LEN);
	return 0;
}

int
tree_leaf(const void *entry, size_t len, unsigned char ret_hash[TREE_HASH_LEN])
{
	return hash_prefixed(0x00, entry, len, "", 0, ret_hash);
}

int
tree_node(const unsigned char left[TREE_HASH_LEN],
    const unsigned char right[TREE_HASH_LEN],
    unsigned char ret_hash[TREE_HASH_LEN])
{
	return hash_prefixed(
	    0x01, left, TREE_HASH_LEN, right, TREE_HASH_LEN, ret_hash);
}

/* Each 1 at the low end of `size` is a complete subtree that gets its twin. */
int
tree_append(const struct tree_store *store, uint64_t size,
    const unsigned char leaf[TREE_HASH_LEN])
{
	unsigned char hash[TREE_HASH_LEN], left[TREE_HASH_LEN];
	unsigned level = 0;

	memcpy(hash, leaf, sizeof(hash));
	if (store->put(store->ctx, 0, size, hash) != 0)
		return -1;
	for (uint64_t index = size; (index & 1) == 1; index >>= 1) {
		if (store->get(store->ctx, level, index - 1, left) != 0 ||
		    tree_node(left, hash, hash) != 0 ||
		    store->put(store->ctx, ++level, index >> 1, hash) != 0)
			return -1;
	}
	return 0;
}

/* The complete subtrees of `count`, one for each 1 bit, from right to left. */
int
tree_root_of(const struct tree_store *store, uint64_t first, uint64_t count,
    unsigned char ret_root[TREE_HASH_LEN])
{
	unsigned char root[TREE_HASH_LEN] = { 0 }, left[TREE_HASH_LEN];
	bool begun = false;

	for (unsigned level = 0; level <= TREE_MAX_LEVEL; level++) {
		uint64_t index = (first >> level) + (count >> level);

		if (((count >> level) & 1) == 0)
			continue;
		if (store->get(store->ctx, level, index - 1, left) != 0)
			return -1;
		if (!begun)
			memcpy(root, left, sizeof(root));
		else if (tree_node(left, root, root) != 0)
			return -1;
		begun = true;
	}
	memcpy(ret_root, root, sizeof(root));
	return 0;
}

int
tree_root(const struct tree_store *store, uint64_t size,
    unsigned char ret_root[TREE_HASH_LEN])
{
	return size == 0 ? sha256("", 0, ret_root)
			 : tree_root_of(store, 0, size, ret_root);
}
