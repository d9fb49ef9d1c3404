/* A profile as it stands in YAML: strings only, see docs/profiles.md. */
#ifndef CA_PROFILES_SCHEMA_H
#define CA_PROFILES_SCHEMA_H

#include "base/yaml.h"
#include "profiles/extension.h"

struct attribute_yaml {
	char *attribute, *encoding, *required;
};

struct extension_yaml {
	char *critical;
	char *ca, *path_length;
	char **values;
	unsigned values_count;
};

struct extensions_yaml {
	struct extension_yaml *row[EXT_COUNT]; /* NULL: not there */
};

struct validity_yaml {
	char *normal, *min, *max;
};

struct profile_yaml {
	char *format, *id, *title, *kind, *ruleset;
	char **keys, **signatures, **reasons;
	unsigned keys_count, signatures_count, reasons_count;
	struct validity_yaml validity;
	struct attribute_yaml *subject;
	unsigned subject_count;
	struct extensions_yaml extensions;
};

extern const cyaml_schema_value_t profile_schema;

/*
 * Fill `profile` from the YAML; what is wrong goes to `findings`.  -1 only
 * where memory ran out.
 */
int profile_compile(const struct profile_yaml *yaml, struct yaml *doc,
    struct findings *findings, struct profile *profile) MUST_USE;

/* The key under which an extension's values stand, or NULL. */
const char *schema_values_key(enum extension_id id);

#endif
