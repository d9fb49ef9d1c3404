/* Queries over the certificates of the journal, for the revoke step. */
#ifndef CA_STEPS_QUERY_H
#define CA_STEPS_QUERY_H

#include <stddef.h>

#include "ceremony/steps/revocations.h"

/* Well-formed, and with at least one condition?  Findings. */
int revoke_query_check(struct build *build, const struct step *step,
    const struct query_params *query) MUST_USE;

/* "profile tls, under example.com"; for people, escaped; malloc'd. */
char *revoke_query_text(const struct query_params *query);

/* What a query found, and what of it is left out. */
struct query_counts {
	size_t found, revoked, expired, roots, excepted;
	size_t elsewhere; /* in force, and nobody here knows what they say */
};

/*
 * Every certificate of the issuer that fulfils all conditions, and is neither
 * revoked nor expired at build->now, nor the issuer's own root, nor excepted:
 * ascending.  Each of `except` must be one that is found (QUERY-EXCEPT).
 */
int revoke_query_run(struct build *build, const struct step *step,
    const struct issuer_view *issuer, struct query_counts *ret_counts,
    struct listing *ret_listing) MUST_USE;

#endif
