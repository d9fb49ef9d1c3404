/* How far a reshare came: for reshare.c, and for special.c, which undoes one. */
#ifndef CA_CEREMONY_RESHARE_PRIVATE_H
#define CA_CEREMONY_RESHARE_PRIVATE_H

#include <jansson.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"
#include "ceremony/operators.h"
#include "ceremony/quorum/set.h"

enum reshare_state {
	RESHARE_NOTHING,
	RESHARE_FOUNDED, /* the new set is made; its operators enrol */
	RESHARE_BEGUN,   /* all have enrolled */
	RESHARE_ACTIVE,  /* it is in force */
	RESHARE_UNDONE,
};

/* What the journal says of a run. */
struct reshare_progress {
	enum reshare_state state;
	enum pin_stage so, user;
	/* The new PIN was tried, and is not the token's: what was intended
	 * did not happen. */
	bool so_tried, user_tried;
	/* The new set: its id, and the SHA-256 of its set.yaml; or NULL. */
	char *set, *sha256;
	json_t
	    *quorum; /* data of its ENTRY_QUORUM without the state; or NULL */
};
void reshare_progress_clear(struct reshare_progress *progress);
CLEANUP_DEFINE_STRUCT(reshare_progress);

int reshare_progress_load(struct journal *journal, const char *run,
    struct reshare_progress *ret_progress) MUST_USE;

/* Bring the set of a reshare that has begun into another state. */
int reshare_append_state(struct journal *journal,
    const struct reshare_progress *progress, const char *state,
    const char *text) MUST_USE;

/*
 * operators_open(), where the room names people of two sets: those of `set` are
 * taken, and the others left out.
 */
int reshare_operators_open(const struct room *room,
    const struct quorum_set *set, struct operators *ret_operators) MUST_USE;

#endif
