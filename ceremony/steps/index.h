/*
 * The objects of a build by serial number, public key and name, so that a plan
 * with thousands of them is not looked through for each.
 */
#ifndef CA_STEPS_INDEX_H
#define CA_STEPS_INDEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct build;
struct build_index;

enum index_key {
	INDEX_SERIAL, /* facts.serial, hex */
	INDEX_SPKI,   /* facts.spki: SHA-256, hex */
	INDEX_NAME,
};

struct indexed {
	const char *key;      /* the object's */
	size_t object;        /* its number in the build */
	struct indexed *same; /* another one, or NULL */
};

/*
 * The objects of `build` with this key, or NULL.  What was found is good until
 * the next call.  An object that was looked at may not go from the build.
 */
int index_find(struct build *build, enum index_key which, const char *key,
    const struct indexed **ret_first) MUST_USE;

/*
 * Acts that revoke one certificate each, of which a plan may have thousands:
 * remember that act `act` is one of this issuer and serial (content octets).
 */
int index_add_revoked(struct build *build, const char *issuer_dn,
    const unsigned char *serial, size_t serial_len, size_t act) MUST_USE;
/* The first one that was remembered; false: there is none. */
bool index_find_revoked(const struct build *build, const char *issuer_dn,
    const unsigned char *serial, size_t serial_len, size_t *ret_act);

void index_free(struct build_index *index);

#endif
