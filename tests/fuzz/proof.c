/*
 * Proofs and consistency requests: what is taken is what would be composed
 * again, and no proof of these bytes is good against hashes that it does not
 * lead to.
 */
#include "ceremony/journal/proof.h"

#include <string.h>

#include "base/error.h"
#include "fuzz.h"

static void
compose_again(const struct proof *proof, const char *data, size_t size)
{
	AUTO_CHARS(again) = NULL;

	HOLDS(proof_compose(proof, &again) == 0);
	HOLDS(strlen(again) == size && memcmp(again, data, size) == 0);
}

/* Against fixed hashes, in trees of sizes that are near: always refused. */
static void
check_tree(const struct proof *proof)
{
	static const unsigned char one[TREE_HASH_LEN] = { 1 };
	static const unsigned char two[TREE_HASH_LEN] = { 2 };
	static const uint64_t sizes[] = { 0, 1, 2, 3, 7, 8, 9,
		UINT64_C(1) << 32, INT64_MAX, UINT64_MAX };

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		REFUSED(tree_check_inclusion(
		    &proof->path, proof->number, sizes[i], one, two));
		if (proof->number != 0)
			REFUSED(tree_check_consistency(
			    &proof->path, proof->number, sizes[i], one, two));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(proof) proof = { 0 };

	if (proof_parse((const char *)data, size, &proof) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		HOLDS(proof.checkpoint == NULL && proof.extra == NULL);
		ca_error_clear();
		return 0;
	}
	HOLDS(proof.path.count <= TREE_PROOF_MAX);
	HOLDS(proof.checkpoint != NULL);
	compose_again(&proof, (const char *)data, size);
	check_tree(&proof);
	HOLDS(ca_error_reason() == 0);
	return 0;
}
