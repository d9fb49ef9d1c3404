/*
 * Batches of OCSP responses in lists, in the journal, and after a cut.
 */
#ifndef CA_CEREMONY_BATCH_H
#define CA_CEREMONY_BATCH_H

#include "ceremony/run-private.h"

/* One line of an ENTRY_OCSP_INTENT's items: serial, status, SHA-256. */
enum { BATCH_LINE_MAX = 2 * 20 + 2 + sizeof(" revoked ") + 64 + 1 };

/* Of response `i`, with its newline; returns the length, 0 on a failure. */
size_t batch_line(
    const struct built_batch *batch, size_t i, char ret_line[BATCH_LINE_MAX]);

/*
 * The lines of `count` responses from `first` on, each to `take` (NULL: to
 * nobody), and the root of the tree whose leaves they are, without their
 * newlines.  Flat memory.
 */
int batch_each_line(const struct built_batch *batch, size_t first, size_t count,
    int (*take)(void *ctx, const char *line, size_t len), void *ctx,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/* The root over all of them. */
int batch_root(
    const struct built_batch *batch, unsigned char ret_root[HASH_LEN]) MUST_USE;

/* The same with the lines, malloc'd: for a window. */
int batch_lines(const struct built_batch *batch, size_t first, size_t count,
    char **ret_lines, size_t *ret_len,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/* Octets of response `i` that are to be signed; the batch's memory. */
struct der batch_item_der(const struct built_batch *batch, size_t i);

/* ---- batch-read.c ----------------------------------------------------- */

enum { SERIAL_TEXT = 2 * 20 + 3 };

/* A response as its octets have it; times in seconds. */
struct batch_response {
	char serial[SERIAL_TEXT]; /* hex of the content octets */
	bool revoked;
	int64_t from, until;
};

/*
 * Each ResponseData of `octets`, one behind the other, in their order, and the
 * root as batch_lines() makes it.  CA_R_VERIFY where one is malformed.
 */
int batch_read(const struct tbs *octets,
    int (*visit)(void *ctx, const struct batch_response *response), void *ctx,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/* ---- batch.c ---------------------------------------------------------- */

/* What is signed leaves the batch, which then is one of a new list. */
void batch_drop_signed(struct built_batch *batch);

/* What the newest list says of a batch. */
struct listed_batch {
	char *name;
	size_t count;
	char root[HASH_HEX_SIZE];
};
void listed_batches_free(struct listed_batch *rows, size_t count);

/*
 * Behind the build: what earlier parts of the run signed is marked, and taken
 * out where the newest list does not stand; it stands where it has exactly the
 * responses of the build, and none of them is possibly signed.  For each batch
 * of the build sets `from` and `signed_count`.
 */
int batches_settle(struct run *run, struct build *build) MUST_USE;

#endif
