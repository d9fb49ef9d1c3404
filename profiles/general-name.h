/*
 * GeneralNames (RFC 5280, section 4.2.1.6): from text to their encoding, what
 * their text may be, and which of them lies within which subtree.
 */
#ifndef CA_PROFILES_GENERAL_NAME_H
#define CA_PROFILES_GENERAL_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/certificate.h"

CLEANUP_DEFINE(GENERAL_NAME, GENERAL_NAME_free);
CLEANUP_DEFINE(GENERAL_NAMES, GENERAL_NAMES_free);
CLEANUP_DEFINE(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free);
CLEANUP_DEFINE(GENERAL_SUBTREE, GENERAL_SUBTREE_free);

/* What is wrong with a name: the rule, and a text that follows the name. */
struct name_fault {
	const char *id, *text;
};

/* NULL: nothing. */
const struct name_fault *alt_name_fault(const struct alt_name *name);

/* The same for the base of a subtree (NC-*); an IP is "address/bits". */
const struct name_fault *subtree_fault(enum alt_type type, const char *text);

/* A host name of labels: letters, digits, inner hyphens; no wildcard. */
bool is_host_name(const char *text, size_t len);

/* http:// with a host, nothing odd in it (AIA-HTTP, CDP-HTTP); or why not. */
const char *http_url_fault(const char *url);

/* Both without fault; NULL with an error raised. */
GENERAL_NAME *general_name_new(const struct alt_name *name);
GENERAL_NAME *general_name_of_subtree(enum alt_type type, const char *text);
GENERAL_NAME *general_name_of_directory(const X509_NAME *directory);

/* All of them, in their order. */
int general_names_new(const struct alt_name *names, size_t count,
    GENERAL_NAMES **ret_names) MUST_USE;

/*
 * A GeneralName as text that general_name_new() makes it from; free().  *ret_
 * type is its type; CA_R_INPUT where it is none of the four, or has no text.
 */
int general_name_text(const GENERAL_NAME *name, enum alt_type *ret_type,
    char **ret_text) MUST_USE;

/*
 * Is everything that `inner` names, a name or a subtree's base, within the
 * subtree with this base?  False where the types differ.
 */
bool name_is_within(const GENERAL_NAME *base, const GENERAL_NAME *inner);

/*
 * What stands in the way of a name, or of a subtree, below an issuer with
 * these constraints: a text that follows "the name 'x'", or NULL.
 */
const char *name_is_barred(
    const NAME_CONSTRAINTS *constraints, const GENERAL_NAME *name);

/*
 * Has one of their subtrees, permitted or excluded, this type (GEN_DNS, ...)?
 * NULL has none.
 */
bool constraints_have(const NAME_CONSTRAINTS *constraints, int type);

/* For people: "dns:example.com"; free(), NULL with an error raised. */
char *general_name_describe(const GENERAL_NAME *name);

#endif
