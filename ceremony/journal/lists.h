/*
 * Lists in the evidence, line by line in flat memory: what entry.h says of
 * ENTRY_REVOCATIONS, ENTRY_ISSUED, ENTRY_OCSP_INTENT and ENTRY_OCSP_RESULT.
 */
#ifndef CA_JOURNAL_LISTS_H
#define CA_JOURNAL_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"

enum {
	LIST_SERIAL_MAX = 21,    /* content octets */
	LIST_LINE_MAX = 1 << 18, /* characters; an OCSP response in base64 */
};

#define LIST_REVOCATIONS "ca-tool-revocations-1"
#define LIST_ISSUED "ca-tool-issued-1"

/*
 * CRLReason by its name in RFC 5280, section 5.3.1, and back: any that there
 * is.  What may be written is the business of profiles/crl.h.  -1, NULL: none.
 */
int list_reason(const char *name);
const char *list_reason_name(int reason);

struct listed_revocation {
	unsigned char serial[LIST_SERIAL_MAX]; /* content octets */
	size_t serial_len;
	int64_t date;
	int reason;         /* CRLReason, 0: none */
	int64_t invalidity; /* 0: none */
	int64_t expires;    /* 0: unknown */
};

struct listed_certificate {
	unsigned char serial[LIST_SERIAL_MAX];
	size_t serial_len;
	int64_t expires; /* 0: unknown */
	int ca;          /* 1, 0, or -1: unknown */
	bool has_sha256;
	unsigned char sha256[HASH_LEN];
};

/* A response that is to be signed. */
struct listed_status {
	unsigned char serial[LIST_SERIAL_MAX];
	size_t serial_len;
	bool revoked;
	unsigned char tbs[HASH_LEN]; /* SHA-256 of ResponseData */
};

/* One that was; or was not ("SERIAL -"), then `der` is NULL. */
struct listed_response {
	unsigned char serial[LIST_SERIAL_MAX];
	size_t serial_len;
	unsigned char sha256[HASH_LEN];
	unsigned char *der;
	size_t len;
};
void listed_response_clear(struct listed_response *row);
CLEANUP_DEFINE_STRUCT(listed_response);

/*
 * A line without its newline.  CA_R_CORRUPT where it is not exactly as it would
 * be written.
 */
int listed_revocation_parse(
    const char *line, size_t len, struct listed_revocation *ret_row) MUST_USE;
int listed_certificate_parse(
    const char *line, size_t len, struct listed_certificate *ret_row) MUST_USE;
int listed_status_parse(
    const char *line, size_t len, struct listed_status *ret_row) MUST_USE;
int listed_response_parse(
    const char *line, size_t len, struct listed_response *ret_row) MUST_USE;

/*
 * Each line of evidence (SHA-256, hex), the last with its newline too.
 * CA_R_CORRUPT for one that is longer than LIST_LINE_MAX, CA_R_MISSING where
 * there is no such evidence.
 */
int list_each_line(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const char *line, size_t len), void *ctx) MUST_USE;

/*
 * Each row; CA_R_CORRUPT, naming the line, where the list does not begin with
 * its name, or does not ascend by serial.
 */
int list_each_revocation(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const struct listed_revocation *row),
    void *ctx) MUST_USE;
int list_each_certificate(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const struct listed_certificate *row),
    void *ctx) MUST_USE;

/* By value: content octets of positive INTEGERs, as short as can be. */
int list_compare_serials(
    const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len);

#endif
