/*
 * OCSP responses that were signed before a revocation, and are in force: they
 * say good of what is revoked, or are signed by a responder that is.  Nobody
 * can take them back (OCS-CRL-AGREE).
 */
#ifndef CA_STEPS_OCSP_STALE_H
#define CA_STEPS_OCSP_STALE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/steps/revocations.h"

struct ocsp_stale {
	/* Certificates of which the newest response in force says good. */
	size_t good;
	char *batch;   /* the one that says so the longest; NULL: none */
	int64_t until; /* and until when */
	/* A revoked responder, and the last batch of its that is in force. */
	char *responder, *signed_batch; /* NULL: none */
	int64_t signed_until;
};
void ocsp_stale_clear(struct ocsp_stale *stale);
CLEANUP_DEFINE_STRUCT(ocsp_stale);

/*
 * Among the batches of an issuer with a nextUpdate behind `now`, possibly signed
 * ones too.  `revoked` is sorted; only serials are read.
 */
int ocsp_stale_find(struct journal *journal, const char *issuer_dn, int64_t now,
    const struct listing *revoked, struct ocsp_stale *ret_stale) MUST_USE;

/* The same for everything that the journal says is revoked. */
int ocsp_stale_of_journal(struct journal *journal, const char *issuer_dn,
    int64_t now, struct ocsp_stale *ret_stale) MUST_USE;

#endif
