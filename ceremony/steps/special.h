/*
 * What the steps that change the authority itself share with those who carry
 * them out (ceremony/special.c, ceremony/reshare.c).
 */
#ifndef CA_STEPS_SPECIAL_H
#define CA_STEPS_SPECIAL_H

#include "ceremony/journal/journal.h"
#include "ceremony/quorum/set.h"
#include "ceremony/steps/build.h"

/* ---- reshare ---------------------------------------------------------- */

/*
 * The set that the step proposes, from the inputs: the set file and the
 * certificates that it names, relative to it.  Findings as set_read().
 */
int reshare_read_set(const struct inputs *inputs,
    const struct reshare_params *params, bool shares, int64_t now,
    struct findings *findings, struct quorum_set **ret_set) MUST_USE;

/*
 * Each backup of the token that the journal knows of (events "backup") and of
 * which it does not know that it was destroyed (events "copy-destroyed" and
 * "backup-fate").
 */
int reshare_each_backup(struct journal *journal,
    int (*visit)(void *ctx, const char *serial, const char *text),
    void *ctx) MUST_USE;

/* ---- abandon ---------------------------------------------------------- */

/*
 * Did this key of the run `run` sign anything, perhaps, or is it in a
 * certificate that was signed, perhaps?  Then it is kept.
 */
int abandon_keeps_key(struct journal *journal, const char *run,
    const struct key_row *key, bool *ret_kept) MUST_USE;

#endif
