/*
 * DER of any length, read through a window: what is too large to be held in
 * memory (a CRL of ten million entries) is walked element by element.
 *
 * A file is read with pread, never mapped: where it is cut short while it is
 * read, that is an error and not a signal.
 */
#ifndef CA_PROFILES_DER_STREAM_H
#define CA_PROFILES_DER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "profiles/der/der.h"

/* Octets that can be read at any offset. */
struct der_source {
	void *ctx;
	/*
	 * Read up to `cap` octets from `offset` on; *ret_len is 0 only at the
	 * end.  CA_R_IO.
	 */
	int (*read)(void *ctx, uint64_t offset, unsigned char *buf, size_t cap,
	    size_t *ret_len);
	uint64_t len;
};

/* Both must stay where they are as long as the source is used. */
struct der_source der_source_memory(struct der *octets);

struct der_file {
	int fd;           /* stays the caller's */
	const char *name; /* for messages */
};
/* CA_R_INPUT where it is not a regular file. */
int der_source_file(
    struct der_file *file, struct der_source *ret_source) MUST_USE;

/* Identifier and length of an element. */
struct der_header {
	unsigned tag;
	size_t header; /* octets of identifier and length */
	uint64_t len;  /* of the contents */
};

/* Strict: one identifier octet, a minimal definite length below 2^48. */
bool der_header_read(struct der in, struct der_header *ret_header);

/*
 * Identifier and length of an element whose contents have `len` octets, below
 * 2^48; returns how many octets they are.
 */
size_t der_header_write(
    unsigned tag, uint64_t len, unsigned char ret_header[8]);

/* A position in a source, with a window of octets behind it. */
struct der_stream {
	const struct der_source *source;
	uint64_t offset; /* of the next octet */
	uint64_t end;    /* nothing is read from here on */
	unsigned char *window;
	size_t start, fill; /* the window's octets: start to fill */
	/* Is given all octets that are passed; may be NULL. */
	EVP_MD_CTX *digest;
};

enum {
	DER_HEADER_MAX = 8,
	DER_WINDOW_MAX = 1 << 20, /* octets of the window */
};

/* At `offset` of the source.  der_stream_clear() frees the window. */
int der_stream_open(const struct der_source *source, uint64_t offset,
    struct der_stream *ret_stream) MUST_USE;
void der_stream_clear(struct der_stream *stream);
CLEANUP_DEFINE_STRUCT(der_stream);

/*
 * Bring `len` octets into the window, or as many as there are before the end;
 * len is at most DER_WINDOW_MAX.  *ret_octets is good until the next call.
 * CA_R_IO where the source ends before its length says so.
 */
int der_stream_peek(
    struct der_stream *stream, size_t len, struct der *ret_octets) MUST_USE;

/* Pass `len` octets of the window; the digest gets them. */
int der_stream_pass(struct der_stream *stream, size_t len) MUST_USE;

/*
 * The next element's header, which stays ahead.  CA_R_INPUT where it is
 * malformed or goes beyond the end.
 */
int der_stream_header(
    struct der_stream *stream, struct der_header *ret_header) MUST_USE;

/*
 * The next element, whole, and pass it.  CA_R_INPUT where it is malformed or
 * longer than `max` octets; `what` names it.
 */
int der_stream_element(struct der_stream *stream, const char *what, size_t max,
    struct der *ret_element) MUST_USE;

#endif
