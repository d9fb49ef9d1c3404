/*
 * The inputs of a plan: every byte that it was made of, read once.  From
 * `plan check` on only these bytes are used, so that nothing can be swapped
 * between what was looked at and what is signed.
 */
#ifndef CA_STEPS_INPUTS_H
#define CA_STEPS_INPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "profiles/spill.h"

enum { INPUT_MAX_BYTES = 1 << 20, INPUT_BULK_MAX_BYTES = 1 << 28 };

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
	/*
	 * A list of revocations, a bundle of requests: up to
	 * INPUT_BULK_MAX_BYTES.  A directory becomes one bundle, in the order
	 * of the names' octets: see bundle_next().
	 */
	INPUT_BULK,
};

struct input {
	enum input_role role;
	char *given; /* as the plan names it */
	char *file;  /* its name below inputs/, unique */
	unsigned char *data;
	size_t len;
	unsigned char sha256[32];
	struct spilled
	    bulk; /* where the octets are, if they are not in `data` */
};

struct inputs {
	struct input *rows;
	size_t count;
};

/* "plan", "authority", "profile", "file", "late", "bulk"; and back (CA_R_CORRUPT). */
const char *input_role_name(enum input_role role);
int input_role_by_name(const char *name, enum input_role *ret_role) MUST_USE;

/* How large an input of this role may be. */
size_t input_max_bytes(enum input_role role);

/* Takes `data` (malloc'd), also on failure.  `file` NULL: a name is made. */
int inputs_add(struct inputs *inputs, enum input_role role, const char *given,
    const char *file, unsigned char *data, size_t len) MUST_USE;

/* The same with what may be large; `bulk` is empty afterwards. */
int inputs_add_bulk(struct inputs *inputs, enum input_role role,
    const char *given, const char *file, struct spilled *bulk) MUST_USE;

/* Whoever walks through an input has passed `end` octets: spilled_pass(). */
void input_pass(const struct input *input, size_t end);

/* NULL where there is none. */
const struct input *inputs_find(
    const struct inputs *inputs, enum input_role role, const char *given);

void inputs_clear(struct inputs *inputs);
CLEANUP_DEFINE_STRUCT(inputs);

/*
 * A bundle is text: "ca-tool-bundle-1\n", and for each file "NAME LENGTH\n",
 * its octets, and "\n".  NAME is escaped (text_escape(), a blank as \x20).
 * What is no bundle is one file of its own, whose name is NULL.
 */
#define BUNDLE_MAGIC "ca-tool-bundle-1\n"

struct bundle_file {
	const char *name; /* not NUL-terminated: name_len octets; or NULL */
	size_t name_len;
	const unsigned char *data;
	size_t len;
};

/* The name's own octets, whatever they are; malloc'd, NULL with an error. */
char *bundle_file_name(const struct bundle_file *file) MUST_USE;

/* Is it one, that is, did the plan name a directory? */
bool input_is_bundle(const struct input *input);

/*
 * The next file of the input, *at counts from 0; *ret_found is false behind
 * the last.  CA_R_INPUT where the bundle is malformed.
 */
int bundle_next(const struct input *input, size_t *at, bool *ret_found,
    struct bundle_file *ret_file) MUST_USE;

#endif
