/* Running a plan: the phases, and going on after a crash. */
#ifndef CA_CEREMONY_RUN_H
#define CA_CEREMONY_RUN_H

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/authority.h"
#include "ceremony/plan.h"
#include "ceremony/room.h"

/* What a run left behind, for the summary at its end. */
struct run_summary {
	char *directory;  /* below ceremonies/ */
	char *receipt;    /* the checkpoint, a signed note */
	char **published; /* paths below the authority's directory */
	size_t published_count;
};
void run_summary_clear(struct run_summary *summary);
CLEANUP_DEFINE_STRUCT(run_summary);

/* A request for a step that says `csr: late`: `--csr STEP-NAME=FILE`. */
struct late_csr {
	const char *name; /* of the step's certificate */
	const char *path;
};

/*
 * Run a plan that plan_open() accepted (plan_keep() is called if needed):
 * checks before the first irreversible act, then keys, build, confirm, sign,
 * publish, each phase whole before the next.  A plan runs once: CA_R_STATE if
 * it ran before, or if another run is open.
 * Missing approvals are collected from the operators in the room; M operators
 * give their shares, and confirm the list.
 * Findings of the build phase refuse the run: its keys are destroyed, it is
 * closed, CA_R_INPUT.  Other failures leave it open for run_resume().
 */
int run_start(struct authority *authority, struct plan *plan,
    const struct room *room, const struct late_csr *late, size_t late_count,
    struct findings *findings, struct run_summary *ret_summary) MUST_USE;

/*
 * Go on with the run that is open.  What has a result is done; what has an
 * intent and no result is possibly signed: a certificate's serial is revoked,
 * a CRL's number is spent, and both are built anew.  CA_R_STATE if no run is
 * open.
 */
int run_resume(struct authority *authority, const struct room *room,
    struct findings *findings, struct run_summary *ret_summary) MUST_USE;

#endif
