/* Approving a kept plan, confirming a list elsewhere, and what is missing. */
#ifndef CA_CEREMONY_APPROVE_H
#define CA_CEREMONY_APPROVE_H

#include "ceremony/authority.h"
#include "ceremony/plan.h"
#include "ceremony/room.h"

/*
 * Collect approvals of a plan that plan_open() accepted (kept first, where it
 * is not): shows the plan in plain words with the digests to be read aloud,
 * then asks each operator in the room who has not approved yet, at least one.
 * The room's receipt, where given, is checked first.  No token.
 */
int plan_approve(struct authority *authority, struct plan *plan,
    const struct room *room, struct findings *findings) MUST_USE;

/* What a plan still lacks. */
struct plan_status {
	char *set;
	unsigned threshold;
	char **approved; /* names */
	size_t approved_count;
	char **missing; /* operators of the set who have not */
	size_t missing_count;
	/*
	 * Other directories of the same plan whose approvals are void, a
	 * sentence each that names what changed.
	 */
	char **void_approvals;
	size_t void_count;
	const char *run; /* "not run", "open", "done", "refused", "abandoned" */
};
void plan_status_clear(struct plan_status *status);
CLEANUP_DEFINE_STRUCT(plan_status);

/* Of a plan from plan_open() or plan_look(). */
int plan_status(struct authority *authority, struct plan *plan,
    struct findings *findings, struct plan_status *ret_status) MUST_USE;

/*
 * On a second machine: check the copy `dir` of a ceremony's directory
 * (manifest, inputs, the newest list and its spool) and of the set file's
 * directory `quorum` (quorum/SETID), show every object decoded from its
 * to-be-signed bytes, and let operators sign the list, into
 * dir/confirmations/.  No authority, no token, no journal.
 */
int confirm_elsewhere(const char *dir, const char *quorum,
    const struct room *room, struct findings *findings) MUST_USE;

#endif
