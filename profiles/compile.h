/* What the files that compile a profile share. */
#ifndef CA_PROFILES_COMPILE_H
#define CA_PROFILES_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "profiles/private.h"
#include "profiles/schema.h"

struct compiler {
	const struct profile_yaml *yaml;
	struct yaml *doc;
	struct findings *findings;
	struct profile *profile;
};

/* Where in the file: "keys[2]". */
#define AT(c, ...) yaml_place((c)->doc, __VA_ARGS__)

/* An error, with the source of the rule where `id` is one. */
void compile_refuse(const struct compiler *c, const char *id, const char *place,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "yes" or "no"; anything else is refused, and no. */
bool compile_bool(
    const struct compiler *c, const char *text, const char *place);

/* Is it "csr"?  "plan", and nothing, are not; anything else is refused. */
bool compile_from(
    const struct compiler *c, const char *text, const char *place);

/* The attribute and its string type; false, with findings, where refused. */
bool compile_attribute(const struct compiler *c, const char *attribute,
    const char *encoding, const char *place, const struct attribute **ret_row,
    enum name_encoding *ret_encoding);

/* extensions: of the file.  -1 only for failures of the machine. */
int compile_extensions(const struct compiler *c) MUST_USE;

/* name-constraints. */
int compile_constraints(const struct compiler *c) MUST_USE;

#endif
