/* What checkpoints.c and notes.c share. */
#ifndef CA_AUDIT_NOTES_PRIVATE_H
#define CA_AUDIT_NOTES_PRIVATE_H

#include "ceremony/audit/audit-private.h"
#include "ceremony/journal/anchor.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/witnesses.h"

struct audit_notes {
	bool anchored;
	struct anchor anchor; /* where `anchored` */
	struct witnesses witnesses;
	unsigned char *spki; /* of the journal's key; NULL: none yet */
	size_t spki_len;
	uint64_t unknown;     /* lines of keys that nobody gave */
	uint64_t epoch, size; /* of the newest checkpoint entry */
	char *note;           /* its note; NULL: none yet */
	/* A run began, and the one before has no checkpoint. */
	bool uncovered;
	struct audit_entry begun; /* only for its place */
};

/*
 * The signature of the journal's key, and those of witnesses.  `id` for what is
 * wrong with the former.  *ret_good: it is a checkpoint of this key and origin.
 */
int audit_note(struct audit *audit, struct audit_notes *notes,
    const char *place, const char *id, const char *note, size_t len,
    const char *origin, bool *ret_good,
    struct checkpoint *ret_checkpoint) MUST_USE;

/* Checkpoints that lie beside the journal: beginnings of it. */
int audit_note_files(struct audit *audit, struct audit_notes *notes) MUST_USE;

/*
 * Entries that no checkpoint counts: no signature covers them.  In the end, when
 * report.last_checkpoint is known.
 */
int audit_tail(struct audit *audit) MUST_USE;

#endif
