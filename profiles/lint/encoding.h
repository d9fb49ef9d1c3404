/* Strict DER beyond der_check(): FLD-DER-STRICT and CSR-DER. */
#ifndef CA_LINT_ENCODING_H
#define CA_LINT_ENCODING_H

#include "profiles/lint/lint-private.h"

/*
 * Each row: critical not encoded as FALSE, the value by its own grammar, and
 * OpenSSL's encoding of what it decodes from it the same octets.
 */
void lint_check_extensions(
    struct lint_run *run, const struct lint_extensions *extensions);

/* der_check() of an element that may be absent. */
void lint_check_element(
    struct lint_run *run, struct der element, const char *what);

/* The second row of an OBJECT IDENTIFIER that is there twice, or NULL. */
const struct lint_extension *lint_repeated(
    const struct lint_extensions *extensions);

#endif
