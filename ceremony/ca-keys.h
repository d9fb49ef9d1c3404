/*
 * The life of a CA's key beyond its making: a key that was on the token before
 * is taken in, a CA's state is looked at before it signs, and what ends a CA is
 * done behind everything else.
 */
#ifndef CA_CEREMONY_CA_KEYS_H
#define CA_CEREMONY_CA_KEYS_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "ceremony/authority.h"
#include "ceremony/steps/build.h"

struct run;

/*
 * A planned key whose order has `adopt`: the one on the token with the public
 * key of the certificate; exactly one pair, whose attributes are as strict as
 * those of a key made here (CA_R_KEY otherwise).  Held for the rest of the
 * login under the order's name.  For a run before it is opened.
 */
int authority_adopt_check(
    struct authority *authority, const struct planned_key *key) MUST_USE;

/*
 * The same in the keys phase, instead of authority_make_key() and
 * build_set_key(): *key then has what the token says of it.  Nothing is
 * journalled: the step's acts, which operators confirm, do that, so that a run
 * that is refused leaves the key as it was.
 */
int authority_adopt_key(
    struct authority *authority, struct planned_key *key) MUST_USE;

/*
 * May the CA of the journal's key `name` be used like this now?  CA_R_STATE
 * where it is retiring, retired or destroyed.  Other keys have no state.
 */
int ca_state_allows(
    struct journal *journal, const char *name, enum issuer_use use) MUST_USE;

/*
 * The same for the CA of the certificate `name`, whoever signs for it: a
 * responder's own key has no state.
 */
int ca_state_allows_certificate(
    struct journal *journal, const char *name, enum issuer_use use) MUST_USE;

/* What the key of this object is used for. */
enum issuer_use built_object_use(const struct built_object *object);

/*
 * Acts that end something (ca-state, destroy-key): not journalled with the
 * first intents, for what the plan signs is signed before.
 */
bool act_comes_last(const struct built_act *act);

/*
 * Carry out the acts that come last, in their order, when everything is signed:
 * states are journalled, keys destroyed on the token.  A resume goes on with
 * those that are not journalled.
 */
int run_destroy_keys(struct run *run) MUST_USE;

/* Their entries alone, in a transaction that is rolled back (sign_rehearse()). */
int run_rehearse_last(struct run *run) MUST_USE;

#endif
