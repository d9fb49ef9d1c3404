/*
 * What a person signs who enters an event (SIGNATURE_EVENT), as evidence
 * `content` of its entry.  It names the authority and the journal as it was
 * just before, so that the signature is of no use elsewhere or later:
 *
 *   ca-tool event 1
 *   authority: example.org/root-ca-1
 *   genesis: leaf hash of entry 0
 *   size: 42                            (the entry's own number)
 *   root: root over the entries before it
 *   set: SETID
 *   name: alice
 *   event: backup
 *   file: SHA-256 of the event file, which is evidence too
 *
 * each line ended by a single newline.
 */
#ifndef CA_JOURNAL_EVENT_CONTENT_H
#define CA_JOURNAL_EVENT_CONTENT_H

#include "ceremony/journal/journal.h"

struct event_content {
	const char *authority; /* its id */
	unsigned char genesis[HASH_LEN], root[HASH_LEN];
	uint64_t size;
	const char *set, *name, *event, *file; /* file: SHA-256, hex */
};

/* malloc'd. */
int event_content_text(
    const struct event_content *content, char **ret_text) MUST_USE;

#endif
