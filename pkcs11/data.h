/*
 * Private data objects (CKO_DATA) on a token that is logged in: small texts
 * that are to survive with the keys.
 *
 * One is written by making a new object and destroying older ones afterwards:
 * setting a value in place may lose both when it is cut.  A cut may leave
 * several, or one without a value: readers take what is whole.
 */
#ifndef CA_PKCS11_DATA_H
#define CA_PKCS11_DATA_H

#include <stddef.h>

#include "base/cleanup.h"
#include "pkcs11/token.h"

enum { DATA_MAX_BYTES = 4096 };

/*
 * Each private data object with this label: its bytes, in no order.  Public
 * ones, which anybody could have made without a login, are not shown.  When
 * `visit` returns other than 0, the walk ends with -1.
 */
int data_each(struct token *token, const char *label,
    int (*visit)(void *ctx, const unsigned char *bytes, size_t len),
    void *ctx) MUST_USE;

/*
 * Make a new object with these bytes, find it again by a new search and compare
 * it; on the embedded token its file is then whole and synced.  Older objects
 * of the label stay.  CA_R_TOKEN otherwise.
 */
int data_write(struct token *token, const char *label, const void *bytes,
    size_t len) MUST_USE;

/* Destroy the objects of this label that hold anything but these bytes. */
int data_keep_only(struct token *token, const char *label, const void *bytes,
    size_t len) MUST_USE;

#endif
