/*
 * What a revocation needs behind it: a CRL that can say it, and OCSP responses
 * that do not contradict it.
 */
#ifndef CA_STEPS_REVOKE_AFTER_H
#define CA_STEPS_REVOKE_AFTER_H

#include "ceremony/steps/revocations.h"

/* What a step revokes, sorted by serial. */
struct revoke_after {
	struct build *build;
	const struct step *step;
	const char *member; /* of the step, for reasons */
	const char *issuer; /* name of its certificate */
	const struct issuer_view *view;
	const struct listing *listing;
};

/*
 * Findings: CRL-REASON-SET, an error, for a reason that the issuer's CRLs cannot
 * say: those of later steps, else the newest ones.  A revocation stays as it is,
 * so no CRL could be made any more.  Warnings: CRL-24H where no later step makes
 * a CRL; OCS-CRL-AGREE where responses in force say something else.
 */
int revoke_check_after(const struct revoke_after *after) MUST_USE;

#endif
