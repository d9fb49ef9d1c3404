/*
 * Proofs as files (rules.md 18.6, C2SP tlog-proof), and the request that takes a
 * consistency proof to a witness (18.4, C2SP tlog-witness):
 *
 *   c2sp.org/tlog-proof@v1         old 7
 *   extra <base64>                 <base64 hash> ...
 *   index 12
 *   <base64 hash> ...              <checkpoint, all its lines>
 *
 *   <checkpoint, all its lines>
 *
 * `extra` of ca-tool's proofs is the journal entry: whoever checks hashes it as
 * the leaf, so it needs no trust.
 */
#ifndef CA_JOURNAL_PROOF_H
#define CA_JOURNAL_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"
#include "ceremony/journal/tree.h"

enum { PROOF_MAX_BYTES = 2 << 20 };

enum proof_kind { PROOF_INCLUSION, PROOF_CONSISTENCY };

struct proof {
	enum proof_kind kind;
	uint64_t number;      /* index of the entry; or size of the old tree */
	unsigned char *extra; /* NULL: none; always NULL for consistency */
	size_t extra_len;
	struct tree_proof path;
	char *checkpoint; /* the note */
};
void proof_clear(struct proof *proof);
CLEANUP_DEFINE_STRUCT(proof);

/* Strict (PROOF-FORMAT); CA_R_INPUT says in which line what is wrong. */
int proof_parse(
    const char *bytes, size_t len, struct proof *ret_proof) MUST_USE;
int proof_compose(const struct proof *proof, char **ret_text) MUST_USE;

/*
 * Prove entry `number` (with the entry as extra), or consistency with the tree
 * of the first `number` entries, against a checkpoint of this journal, whose
 * signatures are not looked at.  CA_R_VERIFY where it is not one of a beginning
 * of this journal, CA_R_STATE where it is too old, CA_R_CORRUPT where the stored
 * tree is damaged.
 */
int proof_make(struct journal *journal, enum proof_kind kind, uint64_t number,
    const char *checkpoint, struct proof *ret_proof) MUST_USE;

/* The bytes of one entry; malloc'd.  CA_R_MISSING if there is none. */
int journal_entry(struct journal *journal, uint64_t seq, char **ret_line,
    size_t *ret_len) MUST_USE;

/*
 * The number of the `result` or `adopted` entry of the object with this SHA-256
 * (hex), by the derived tables.
 */
int journal_entry_of_object(struct journal *journal, const char *sha256,
    bool *ret_found, uint64_t *ret_seq) MUST_USE;

#endif
