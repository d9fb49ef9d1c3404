/*
 * The objects of a build by serial number, public key and name, so that a plan
 * with thousands of them is not looked through for each.
 */
#ifndef CA_STEPS_INDEX_H
#define CA_STEPS_INDEX_H

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

void index_free(struct build_index *index);

#endif
