/*
 * The anchor that init publishes and that auditors and witnesses keep
 * (docs/journal.md, "Anchors"): anchor.txt, and journal-key.pem beside it.
 *
 *   ca-tool anchor 1
 *   authority: example.org/root-ca-1
 *   genesis: leaf hash of entry 0, hex
 *   journal-key: SHA-256 of the journal key's SubjectPublicKeyInfo, hex
 *   set: id of the set of operators that signed it
 */
#ifndef CA_JOURNAL_ANCHOR_H
#define CA_JOURNAL_ANCHOR_H

#include <stddef.h>

#include "base/cleanup.h"

struct anchor {
	char *authority, *set;
	char genesis[65], journal_key[65];
	unsigned char *spki; /* of the journal's key, or NULL */
	size_t spki_len;
};
void anchor_clear(struct anchor *anchor);
CLEANUP_DEFINE_STRUCT(anchor);

/* Exactly the five lines, or CA_R_INPUT; without the key. */
int anchor_parse(
    const char *text, size_t len, struct anchor *ret_anchor) MUST_USE;

/*
 * Read the file `path` and the key beside it, whose SHA-256 it must state
 * (CA_R_VERIFY).
 */
int anchor_read(const char *path, struct anchor *ret_anchor) MUST_USE;

#endif
