/* The state and the key of a witness. */
#ifndef CA_JOURNAL_COSIGN_PRIVATE_H
#define CA_JOURNAL_COSIGN_PRIVATE_H

#include "ceremony/journal/cosign.h"
#include "ceremony/journal/tree.h"

/* A state file, locked against other witnesses of the same state. */
struct witness_state {
	int dirfd, lock; /* -1: not open */
	char *path;      /* as it was given, for messages */
	char *name;      /* in dirfd */
	bool there;      /* else the witness has seen nothing */
	char *origin;
	uint64_t size;
	unsigned char root[TREE_HASH_LEN];
};
void witness_state_clear(struct witness_state *state);
CLEANUP_DEFINE_STRUCT(witness_state);

/* CA_R_BUSY where it is locked, CA_R_CORRUPT where it was changed. */
int witness_state_open(
    const char *path, struct witness_state *ret_state) MUST_USE;
/* Durable when it returns. */
int witness_state_write(const struct witness_state *state,
    const struct checkpoint *checkpoint) MUST_USE;

/*
 * The private key of a witness: CA_R_KEY unless it is Ed25519, CA_R_PIN for a
 * wrong passphrase.
 */
int witness_key_open(const char *path, const struct cosign_asker *asker,
    struct findings *findings, EVP_PKEY **ret_key) MUST_USE;

#endif
