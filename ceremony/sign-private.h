/*
 * What the parts of signing share: sign.c (the pipeline), sign-objects.c
 * (windows of certificates, CRLs and requests), sign-ocsp.c (windows of OCSP
 * responses).
 */
#ifndef CA_CEREMONY_SIGN_PRIVATE_H
#define CA_CEREMONY_SIGN_PRIVATE_H

#include "ceremony/run-private.h"
#include "pkcs11/sign.h"

/* What came of one object of a window. */
enum outcome {
	OUTCOME_UNKNOWN, /* possibly signed: the resume settles it */
	OUTCOME_SIGNED,
	OUTCOME_REJECTED, /* it does not verify, or a linter refuses it */
	OUTCOME_NOT_BEGUN,
};

/*
 * Objects of one stage that are signed together.  While the pool has it, the
 * members of `items` belong to the thread that signs that one.
 */
struct window {
	struct run *run;
	const struct window_kind *kind;
	struct built_batch *batch; /* of OCSP responses; else NULL */
	size_t first;              /* the same: of its first response */
	unsigned number;           /* the same: of this window */
	struct window_item *items;
	struct sign_job *jobs; /* one for each */
	size_t count;
	const unsigned char *spki; /* that the newest item's key is of */
	size_t spki_len;
	bool journalled; /* what came of it is */
};

struct window_item {
	size_t number; /* of the object in the build, or in the batch */
	EVP_PKEY *key; /* kept: verifies what the token makes of it */
	enum outcome outcome;
	unsigned char *der; /* of what was signed; a line for OCSP */
	size_t len;
	struct tbs_file *file;        /* instead, where it is large */
	unsigned char leaf[HASH_LEN]; /* OCSP */
	char *lint;                   /* report; NULL: nothing to add */
	const char *rejected;         /* why */
};

/* How windows of a kind are filled, and what the journal says of them. */
struct window_kind {
	size_t first_count, max_count; /* of objects in a window */
	/* Before the first window of a stage; NULL: nothing. */
	int (*prepare)(struct run *run, unsigned stage);
	/*
	 * Up to `max` of what is left of `stage`, from *cursor on; an empty
	 * window: nothing is left.
	 */
	int (*fill)(struct run *run, unsigned stage, size_t max, size_t *cursor,
	    struct window *window);
	/* In the open transaction. */
	int (*append_intents)(struct window *window);
	/* Assemble, verify and lint one; on any thread. */
	int (*finish)(struct window *window, size_t i);
	/* In the open transaction. */
	int (*append_outcomes)(struct window *window);
	/* Octets that results and files of the window need. */
	uint64_t (*space)(const struct window *window);
};

extern const struct window_kind window_of_objects, window_of_ocsp;

/* Room for `count` objects and their jobs. */
int window_reserve(struct window *window, size_t count) MUST_USE;

/* The key that made it; the last one of the window, where that is the same. */
int window_take_key(struct window *window, const struct sigalg *alg,
    const unsigned char *spki, size_t spki_len) MUST_USE;

/* ---- sign-objects.c --------------------------------------------------- */

/* Acts that come with the first intents. */
int append_acts(struct run *run) MUST_USE;

/* Would the journal take the intents of each object? */
int rehearse_objects(struct run *run) MUST_USE;
int settle_objects(struct run *run) MUST_USE;

/* ---- sign-ocsp.c ------------------------------------------------------ */

int rehearse_batches(struct run *run) MUST_USE;
int settle_batches(struct run *run) MUST_USE;

#endif
