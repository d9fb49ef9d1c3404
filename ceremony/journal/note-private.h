/* What the files of notes share: characters, base64, keys as they are used. */
#ifndef CA_JOURNAL_NOTE_PRIVATE_H
#define CA_JOURNAL_NOTE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/note.h"

enum { NOTE_ID_LEN = 4, NOTE_TIME_LEN = 8, NOTE_ED25519_LEN = 32 };

/* Bytes of a text that somebody else owns. */
struct span {
	const char *at;
	size_t len;
};

struct span span_of(const char *text);
bool span_is(struct span span, const char *text);
/* malloc'd; where it holds a NUL, it ends there. */
char *span_copy(struct span span) MUST_USE;
/* Take the next line off `rest`, without its newline; false at its end. */
bool span_line(struct span *rest, struct span *ret_line);

/* NOTE-UTF8: well-formed, no octet below 20 but the newline. */
bool note_is_clean(struct span text);
/* NOTE-KEYNAME */
bool note_is_key_name(struct span name);

int note_base64_encode(
    const unsigned char *bytes, size_t len, char **ret_text) MUST_USE;
/* base64(prefix || bytes) */
int note_base64_prefixed(const unsigned char *prefix, size_t prefix_len,
    const unsigned char *bytes, size_t len, char **ret_text) MUST_USE;
/*
 * NOTE-B64, at least one octet.  CA_R_INPUT says that `what` ("note: a
 * signature") is malformed.
 */
int note_base64_decode(struct span text, const char *what,
    unsigned char **ret_bytes, size_t *ret_len) MUST_USE;

/* The key of a journal: CA_R_KEY unless it is P-256. */
int note_journal_key(const char *name, const unsigned char *spki,
    size_t spki_len, struct note_key *ret_key) MUST_USE;

/* A signature line: mark, name, base64(id || signature), newline. */
int note_line_text(const struct note_key *key, const unsigned char *signature,
    size_t len, char **ret_line) MUST_USE;

#endif
