/*
 * Checking a proof, or a receipt, without the journal: from the file and from
 * what whoever checks has kept (docs/journal.md, "Proofs").
 */
#ifndef CA_JOURNAL_PROOF_CHECK_H
#define CA_JOURNAL_PROOF_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/journal/entry.h"
#include "ceremony/journal/note.h"

/* Names of files, NULL where they were not given. */
struct proof_order {
	const char *input;  /* tlog-proof, request (proof.h), or checkpoint */
	const char *anchor; /* anchor.txt, journal-key.pem beside it */
	const char *checkpoint; /* one that is trusted: it must be the same */
	const char *old;        /* the older checkpoint of a request */
	const char
	    *witnesses;     /* witnesses.h: each of them must have cosigned */
	const char *object; /* name of the object, for messages */
	const char *sha256; /* of its DER, hex; with `object` */
};

enum proof_subject {
	SUBJECT_ENTRY,   /* an entry is in the journal */
	SUBJECT_GROWTH,  /* it grew from an older checkpoint */
	SUBJECT_RECEIPT, /* a checkpoint is the journal's */
};

struct proof_cosigner {
	char *name;
	uint64_t time;
};

struct proof_checked {
	enum proof_subject subject;
	/* Id of the anchor; NULL: it was not checked whose journal this is. */
	char *authority;
	struct checkpoint checkpoint;
	uint64_t
	    number;    /* of the entry, or of the older checkpoint's entries */
	json_t *entry; /* SUBJECT_ENTRY: the whole of it */
	enum entry_kind kind;
	const char *name, *sha256; /* in `entry`: of an object, or NULL */
	struct proof_cosigner *cosigners;
	size_t cosigner_count;
};
void proof_checked_clear(struct proof_checked *checked);
CLEANUP_DEFINE_STRUCT(proof_checked);

/*
 * CA_R_VERIFY where anything does not hold, CA_R_INPUT where a file is
 * malformed, CA_R_STATE where checkpoints of different sizes are to be compared,
 * CA_R_USAGE where a file is missing or does not belong to such a proof.
 * Witnesses who have not cosigned are findings.
 *
 * Without an anchor nothing is known about who signed; the caller must say so.
 */
int proof_check(const struct proof_order *order, struct findings *findings,
    struct proof_checked *ret_checked) MUST_USE;

#endif
