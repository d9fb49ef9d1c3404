/* A profile as it stands in YAML: strings only, see docs/profiles.md. */
#ifndef CA_PROFILES_SCHEMA_H
#define CA_PROFILES_SCHEMA_H

#include "base/yaml.h"
#include "profiles/extension.h"

struct attribute_yaml {
	char *attribute, *encoding, *required, *from;
};

/* One attribute of a name that is fixed. */
struct name_yaml {
	char *attribute, *encoding, *value;
};

/* One subtree of name constraints: exactly one of these. */
struct subtree_yaml {
	char *dns, *ip, *email, *uri;
	struct name_yaml *directory;
	unsigned directory_count;
};

struct cps_yaml {
	char *policy, *url;
};

struct mapping_yaml {
	char *issuer, *subject;
};

/* What an extension may have; each has few of these. */
struct extension_yaml {
	char *critical;
	char *ca, *path_length;
	char **values;
	unsigned values_count;
	char **rsa_values, **ec_values;
	unsigned rsa_values_count, ec_values_count;
	struct cps_yaml *cps;
	unsigned cps_count;
	struct mapping_yaml *mappings;
	unsigned mappings_count;
	struct subtree_yaml *permitted, *excluded;
	unsigned permitted_count, excluded_count;
	char *require_policy, *inhibit_mapping, *skip;
	char *required, *from, *only, *partitions;
};

struct allow_yaml {
	char *id, *reason;
};

struct extensions_yaml {
	struct extension_yaml *row[EXT_COUNT]; /* NULL: not there */
};

struct validity_yaml {
	char *normal, *min, *max;
};

struct profile_yaml {
	char *format, *id, *title, *kind, *ruleset, *covers, *also_sha1;
	char **keys, **signatures, **reasons;
	unsigned keys_count, signatures_count, reasons_count;
	struct validity_yaml validity;
	struct attribute_yaml *subject;
	unsigned subject_count;
	struct allow_yaml *allow;
	unsigned allow_count;
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
