/*
 * The journal's head on the token (docs/journal.md, "Heads"): a private data
 * object that says how far the journal had come, so that a journal that was
 * rolled back, or a token that was, is noticed at the next login.
 *
 *   ca-tool head 1
 *   origin: example.org/root-ca-1
 *   epoch: 0
 *   size: 26
 *   root: SHA-256, hex
 *   sum: SHA-256 of the lines above, hex
 */
#ifndef CA_JOURNAL_HEAD_H
#define CA_JOURNAL_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"

#define HEAD_LABEL "ca-tool journal head"
/* The `text` of each `head` entry. */
#define HEAD_ENTRY_TEXT "the token holds the journal's head"

enum { HEAD_MAX_BYTES = 4096 };

struct head {
	char *origin;
	uint64_t epoch, size;
	unsigned char root[HASH_LEN];
};
void head_clear(struct head *head);
CLEANUP_DEFINE_STRUCT(head);

/* malloc'd; and back, exactly what was composed or CA_R_INPUT. */
int head_compose(const struct head *head, char **ret_text) MUST_USE;
int head_parse(const void *bytes, size_t len, struct head *ret_head) MUST_USE;

/* "example.org/root-ca-1/epoch-2"; that of epoch 0 is the id.  malloc'd. */
char *epoch_origin(const char *id, uint64_t epoch) MUST_USE;
/* Is it an origin of this authority, and of which epoch? */
bool epoch_of_origin(const char *id, const char *origin, uint64_t *ret_epoch);

/* How the journal (J), the token's head (T) and the last one recorded (D) lie. */
enum head_relation {
	HEAD_FITS,    /* D <= T <= J, or neither T nor D is there */
	HEAD_ABSENT,  /* D is there, T is not: another token, or emptied */
	HEAD_OLDER,   /* T is older than D: the token was restored */
	HEAD_SHORTER, /* J is shorter than T: the journal was rolled back */
	HEAD_FORKED,  /* J has another root at T: the journal was forked */
	HEAD_FOREIGN, /* T is of another authority */
};

/* T is NULL where the token holds none that is whole. */
int head_compare(struct journal *journal, const struct head *token,
    enum head_relation *ret_relation) MUST_USE;

/*
 * A receipt that was brought along: a checkpoint note of whichever epoch of this
 * authority, signed by the journal's key.  CA_R_VERIFY otherwise.
 */
struct checkpoint;
int head_receipt(struct journal *journal, const char *note, size_t len,
    struct checkpoint *ret_receipt, uint64_t *ret_epoch) MUST_USE;

#endif
