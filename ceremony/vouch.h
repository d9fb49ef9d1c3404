/*
 * Who stands behind what the journal says.
 *
 * The token's head vouches for the entries below it.  Those above are a crash's
 * tail, or what somebody who can write to the disk has added: they are believed
 * only as far as the operators' own signatures go.
 */
#ifndef CA_CEREMONY_VOUCH_H
#define CA_CEREMONY_VOUCH_H

#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/authority.h"

/*
 * Have as many operators of the run's set signed its manifest as the set wants,
 * by the journal's own evidence?  The set is that of the journal.  CA_R_VERIFY
 * otherwise.
 */
int vouch_run(struct authority *authority, const char *run) MUST_USE;

/* The same for each run that has an entry with number `from` or above. */
int vouch_tail(struct authority *authority, uint64_t from) MUST_USE;

#endif
