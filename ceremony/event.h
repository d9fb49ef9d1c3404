/*
 * Events: what happens to tokens, people and media outside of runs, and belongs
 * on record all the same (rules of the CA/Browser Forum, BR 5.4.1).  A person
 * writes an event file (YAML, ca-tool-event.5), and one operator or witness of
 * the set in force signs it.  The table of kinds in event-file.c says what each
 * must hold.  No token is needed.
 *
 * Ids of findings, beside those of base/yaml.h: EVENT-FORMAT, EVENT-KIND,
 * EVENT-MISSING (a member that this kind must have), EVENT-MEMBER (one that it
 * does not have), EVENT-VALUE, EVENT-TIME, EVENT-STATE (the journal knows
 * better).
 */
#ifndef CA_CEREMONY_EVENT_H
#define CA_CEREMONY_EVENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/authority.h"
#include "ceremony/room.h"

/*
 * As many octets as fit into an entry, whatever they are: one is at most three
 * there.
 */
enum { EVENT_MAX_BYTES = 16 * 1024 };

/* An event file that was read and found good. */
struct event;

/*
 * Parse and check a file; `now`: what happened cannot lie behind it.
 * CA_R_INPUT where there are errors, all of them in `findings`.
 */
int event_read(const char *name, const unsigned char *data, size_t len,
    int64_t now, struct findings *findings, struct event **ret_event) MUST_USE;
void event_free(struct event *event);
CLEANUP_DEFINE_PTR(event);

/* "backup", ...; the event's. */
const char *event_kind(const struct event *event);
/* What happened, in one sentence; malloc'd, of one line. */
int event_sentence(const struct event *event, char **ret_text) MUST_USE;
/* All that the file says, a line each: "label: value"; malloc'd. */
int event_lines(const struct event *event, char **ret_text) MUST_USE;
/* The members for the journal: {event, when, ...}; a new reference. */
int event_data(const struct event *event, json_t **ret_data) MUST_USE;

/*
 * The i-th kind, NULL behind the last; *ret_meaning says when to use it.  For
 * documents and tests.
 */
const char *event_kind_at(size_t i, const char **ret_meaning);

/* What became of an event. */
struct event_entered {
	uint64_t seq; /* of its entry */
	char *by;
	char file[HASH_HEX_SIZE], content[HASH_HEX_SIZE],
	    statement[HASH_HEX_SIZE];
};
void event_entered_clear(struct event_entered *entered);
CLEANUP_DEFINE_STRUCT(event_entered);

/*
 * Show the event in plain words with the digest of what is signed, let the one
 * person in the room sign it, and append it; the authority is open for writing.
 * CA_R_USAGE where the room names more than one; CA_R_QUORUM for somebody who
 * is not in the set in force; CA_R_INPUT, with findings, where it does not fit
 * what the journal says of copies and tokens.  Whoever signs is the entry's
 * only person.
 */
int event_enter(struct authority *authority, const struct room *room,
    const struct event *event, struct findings *findings,
    struct event_entered *ret_entered) MUST_USE;

/*
 * A note that somebody typed at a prompt: {event: "note", run, text}, by
 * whoever makes the journal's entries now.  Whatever it holds is escaped.
 */
int event_note(
    struct journal *journal, const char *run, const char *text) MUST_USE;

#endif
