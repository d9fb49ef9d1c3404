/*
 * What the phases of a run share: run.c (order and resume), spool.c (lists),
 * sign.c (windows), publish.c (files and close), transcript.c.
 */
#ifndef CA_CEREMONY_RUN_PRIVATE_H
#define CA_CEREMONY_RUN_PRIVATE_H

#include "ceremony/authority-private.h"
#include "ceremony/plan-private.h"
#include "ceremony/run.h"

struct run {
	struct authority *authority;
	const struct room *room;
	struct findings *findings;
	struct plan *plan; /* as kept in its directory; the run's own */
	char nonce[2 * NONCE_LEN + 1];
	int fd;      /* ceremonies/DIRECTORY */
	int64_t now; /* of the build */
	bool resumed;
	uint64_t first; /* no entry of the run stands before this one */
	struct build build;
	struct earlier_object *earlier;
	size_t earlier_count;
	unsigned lists;        /* journalled so far; the next one's number */
	unsigned *object_list; /* the list in which each object stands */
	bool acts_done;
	struct run_summary summary;
};

static inline struct journal *
journal_of_run(const struct run *run)
{
	return authority_journal(run->authority);
}

void run_clear(struct run *run);
CLEANUP_DEFINE_STRUCT(run);

/* ---- spool.c ---------------------------------------------------------- */

/*
 * Write list and spool number run->lists with every object that is not signed
 * and every act, and journal it.  Objects taken from an earlier list stand in
 * the new one too.
 */
int spool_write(struct run *run) MUST_USE;

/* What the newest list and the journal say of each object of the run. */
int spool_load_earlier(struct run *run) MUST_USE;

/* Show the list to the room, every line of it or -1. */
int spool_show(const struct run *run) MUST_USE;

/* ---- sign.c ----------------------------------------------------------- */

/*
 * Sign everything in the list that is not signed, in windows: intents
 * committed, C_Sign, verification, results committed.
 */
int sign_all(struct run *run) MUST_USE;

/* Intents without results: spend their serials and numbers. */
int sign_settle_intents(struct run *run) MUST_USE;

/*
 * Would the journal take every act and intent?  Appended, and rolled back: what
 * it refuses must be known before the run has done anything.
 */
int sign_rehearse(struct run *run) MUST_USE;

/* ---- publish.c -------------------------------------------------------- */

/* Write the files of all that the run signed or took in, and close it. */
int publish_and_close(struct run *run, const char *outcome) MUST_USE;

/* The checkpoint and the receipt of a run whose close is journalled. */
int publish_receipt(struct run *run) MUST_USE;

/* The same, and its files, for a run that was cut off after its close. */
int publish_again(struct run *run) MUST_USE;

/* ---- transcript.c ----------------------------------------------------- */

/* Write transcript.txt; its SHA-256 in hex goes into the close entry. */
int transcript_write(struct run *run, char ret_sha256[HASH_HEX_SIZE]) MUST_USE;

#endif
