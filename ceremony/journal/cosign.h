/*
 * A witness signs that a checkpoint grew from the last one that it saw (C2SP
 * tlog-cosignature, tlog-witness; rules.md 18.4; docs/journal.md,
 * "Cosignatures").  What it saw is in its state file:
 *
 *   ca-tool witness 1
 *   origin: example.org/root-ca-1
 *   size: 26
 *   root: SHA-256, hex
 *   sum: SHA-256 of the lines above, hex
 */
#ifndef CA_JOURNAL_COSIGN_H
#define CA_JOURNAL_COSIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "base/secret.h"
#include "ceremony/journal/note.h"

struct cosign_order {
	const char *input;  /* consistency request (proof.h), or checkpoint */
	const char *anchor; /* anchor.txt, journal-key.pem beside it */
	const char *state;
	const char *key;  /* Ed25519, PKCS#8 in PEM */
	const char *name; /* of the witness's key */
	uint64_t time;    /* now, seconds since 1970 */
};

/* Who asks people; each returns 0, or -1 with a reason raised. */
struct cosign_asker {
	void *ctx;
	/* The passphrase of the key file `path`. */
	int (*passphrase)(
	    void *ctx, const char *path, struct secret *ret_passphrase);
	/* It was wrong: one more try?  -1: no, the error left as it is. */
	int (*again)(void *ctx, const char *path);
};

struct cosigned {
	char *note; /* the checkpoint with the new line */
	char *vkey; /* of the witness */
	struct checkpoint checkpoint;
	bool first;        /* it had seen nothing yet */
	uint64_t old_size; /* else: what it had seen */
	uint64_t time;
};
void cosigned_clear(struct cosigned *cosigned);
CLEANUP_DEFINE_STRUCT(cosigned);

/*
 * Check, store the new state, sign: nothing is signed before the state is
 * durable (COSIG-STATE), and no passphrase is asked for before everything else
 * is known to be good.  CA_R_VERIFY: a signature is wrong, or the journal was
 * rolled back or forked; CA_R_STATE: the request does not begin where this
 * witness stands.  Warnings go to `findings`.
 */
int cosign_run(const struct cosign_order *order,
    const struct cosign_asker *asker, struct findings *findings,
    struct cosigned *ret_cosigned) MUST_USE;

#endif
