/*
 * The inputs of a plan: every byte that it was made of, read once.  From
 * `plan check` on only these bytes are used, so that nothing can be swapped
 * between what was looked at and what is signed.
 */
#ifndef CA_STEPS_INPUTS_H
#define CA_STEPS_INPUTS_H

#include <stddef.h>

#include "base/cleanup.h"

enum { INPUT_MAX_BYTES = 1 << 20 };

enum input_role {
	INPUT_PLAN,      /* the plan itself */
	INPUT_AUTHORITY, /* authority.yaml */
	INPUT_PROFILE,   /* given: the profile's name */
	INPUT_FILE,      /* given: a path, relative to the plan */
	/*
	 * A request that came when the plan was run: given is the name of the
	 * step's certificate.  Not in the manifest; the list has its key.
	 */
	INPUT_LATE,
};

struct input {
	enum input_role role;
	char *given; /* as the plan names it */
	char *file;  /* its name below inputs/, unique */
	unsigned char *data;
	size_t len;
	unsigned char sha256[32];
};

struct inputs {
	struct input *rows;
	size_t count;
};

/* "plan", "authority", "profile", "file", "late"; and back (CA_R_CORRUPT). */
const char *input_role_name(enum input_role role);
int input_role_by_name(const char *name, enum input_role *ret_role) MUST_USE;

/* Takes `data` (malloc'd), also on failure.  `file` NULL: a name is made. */
int inputs_add(struct inputs *inputs, enum input_role role, const char *given,
    const char *file, unsigned char *data, size_t len) MUST_USE;

/* NULL where there is none. */
const struct input *inputs_find(
    const struct inputs *inputs, enum input_role role, const char *given);

void inputs_clear(struct inputs *inputs);
CLEANUP_DEFINE_STRUCT(inputs);

#endif
