/* Text for people, and hex: escaping, formatting, strict numbers. */
#ifndef CA_BASE_TEXT_H
#define CA_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* asprintf that raises CA_R_MEMORY and returns NULL on failure; free(). */
char *text_printf(const char *fmt, ...)
    __attribute__((format(printf, 1, 2))) MUST_USE;

/* A copy of `text`, or NULL with CA_R_MEMORY raised; free(). */
char *text_copy(const char *text) MUST_USE;

/*
 * A copy of `len` bytes that is safe to print: well-formed UTF-8 letters stay,
 * everything else (control characters, C1, bidirectional and other format
 * characters, line separators, broken UTF-8) becomes \xHH, a backslash \\.
 * NULL with CA_R_MEMORY raised; free().
 */
char *text_escape(const char *bytes, size_t len) MUST_USE;

/* True if `len` bytes are well-formed UTF-8 (RFC 3629). */
bool text_is_utf8(const char *bytes, size_t len);

/*
 * True if text_escape() would change nothing but backslashes: for names and
 * other text that is shown to people and recorded.
 */
bool text_is_safe(const char *bytes, size_t len);

/* How many bytes at the beginning are safe in that sense. */
size_t text_safe_len(const char *bytes, size_t len);

/*
 * How many of `len` bytes to keep so that at most `max` are left and no UTF-8
 * character is cut in two.
 */
size_t text_cut(const char *bytes, size_t len, size_t max);

/*
 * Lower-case hex of `len` bytes, no separators; free().  text_hex_into writes
 * 2 * len characters and a NUL.
 */
char *text_hex(const unsigned char *bytes, size_t len) MUST_USE;
void text_hex_into(const unsigned char *bytes, size_t len, char *out);

/*
 * Strict hex (even number of digits, either case) to bytes; free().
 * Refuses with CA_R_INPUT; the message does not name the place.
 */
int text_unhex(
    const char *hex, unsigned char **ret_bytes, size_t *ret_len) MUST_USE;

/*
 * A decimal number without sign, blanks or leading zeros, at most `max`.
 * Refuses with CA_R_INPUT.
 */
int text_number(const char *text, uint64_t max, uint64_t *ret_value) MUST_USE;

/*
 * True for what may name a key, certificate, plan or file in an authority:
 * 1 to 64 of a-z 0-9 . _ -, beginning and ending with a letter or digit and
 * without "..".
 */
bool text_is_name(const char *text);

/* SHA-256 in lower-case hex; malloc'd, NULL with an error raised. */
char *sha256_hex(const void *data, size_t len) MUST_USE;

/* SHA-256; raises CA_R_INTERNAL on failure. */
int sha256(const void *data, size_t len, unsigned char ret_digest[32]) MUST_USE;

#endif
