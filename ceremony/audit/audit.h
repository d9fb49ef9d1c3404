/*
 * The audit: everything that a journal claims is checked again from its bytes,
 * without secrets and without a token (docs/journal.md, "Verifying").
 *
 * All that is wrong is collected as findings, each naming its entry
 * ("entry 12 (intent)"); ids are AUDIT-... and stand in the table of
 * docs/journal.md.
 */
#ifndef CA_AUDIT_AUDIT_H
#define CA_AUDIT_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"

struct audit_options {
	/* An authority's directory (or a copy of it, or of its journal.db), or
	 * an export.  Nothing is written there. */
	const char *path;
	/* anchor.txt, kept outside; NULL: the verdict is only "consistent with
	 * itself". */
	const char *anchor;
	/* Verifier keys of witnesses whose cosignatures must verify where they
	 * stand (a file, one key a line); or NULL. */
	const char *witnesses;
	const char *work; /* for the private copy; NULL: $TMPDIR or /var/tmp */
	/* Progress; other than 0 stops with CA_R_INTERRUPTED. */
	int (*progress)(
	    void *ctx, const char *what, uint64_t done, uint64_t total);
	void *ctx;
};

/* A witness that was given, and the largest size that it has cosigned. */
struct audit_witness {
	char *name;
	uint64_t size; /* 0: it has cosigned nothing */
	uint64_t time; /* of that cosignature, seconds since 1970 */
};

struct audit_report {
	char *authority;  /* id, as the first entry says; or NULL */
	char genesis[65]; /* leaf hash of entry 0, hex */
	char *origin;
	uint64_t entries, checkpoints, cosignatures;
	uint64_t evidence, keys, certificates, crls, runs;
	uint64_t last_checkpoint;        /* size that the newest one signs */
	struct audit_witness *witnesses; /* in the order of their file */
	size_t witness_count;
	bool anchored; /* compared with an anchor, and equal */
};
void audit_report_clear(struct audit_report *report);
CLEANUP_DEFINE_STRUCT(audit_report);

/*
 * 0 when the audit went to its end: whether anything is wrong is in `findings`.
 * -1 where it could not: no journal, no space, stopped.
 */
int audit_run(const struct audit_options *options, struct findings *findings,
    struct audit_report *ret_report) MUST_USE;

#endif
