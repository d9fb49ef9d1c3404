#include "profiles/schema.h"

#include "profiles/private.h"

static const cyaml_schema_value_t string_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, 1024),
};

#define TEXT(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 0, 1024)
#define OPTIONAL_TEXT(key, type, member)                                      \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    type, member, 0, 1024)
#define OPTIONAL_LIST(key, type, member)                                    \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    type, member, &string_schema, 0, PROFILE_LIST_MAX)

static const cyaml_schema_field_t attribute_fields[] = {
	TEXT("attribute", struct attribute_yaml, attribute),
	TEXT("encoding", struct attribute_yaml, encoding),
	TEXT("required", struct attribute_yaml, required),
	OPTIONAL_TEXT("from", struct attribute_yaml, from),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t attribute_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct attribute_yaml, attribute_fields),
};

static const cyaml_schema_field_t validity_fields[] = {
	TEXT("default", struct validity_yaml, normal),
	OPTIONAL_TEXT("min", struct validity_yaml, min),
	TEXT("max", struct validity_yaml, max),
	CYAML_FIELD_END,
};

#define CRITICAL TEXT("critical", struct extension_yaml, critical)

static const cyaml_schema_field_t basic_constraints_fields[] = {
	CRITICAL,
	TEXT("ca", struct extension_yaml, ca),
	OPTIONAL_TEXT("path-length", struct extension_yaml, path_length),
	CYAML_FIELD_END,
};

#define VALUES(name, key)                                             \
	static const cyaml_schema_field_t name[] = {                  \
		CRITICAL,                                             \
		CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER,         \
		    struct extension_yaml, values, &string_schema, 0, \
		    PROFILE_LIST_MAX),                                \
		CYAML_FIELD_END,                                      \
	}

VALUES(extended_key_usage_fields, "purposes");
VALUES(authority_information_access_fields, "methods");

#define LIST(key, member)                                                    \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, struct extension_yaml, \
	    member, &string_schema, 0, PROFILE_LIST_MAX)
/* An empty list would read like "nothing is permitted". */
#define OPTIONAL_ROWS(key, member, schema)                                  \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct extension_yaml, member, schema, 1, PROFILE_LIST_MAX)
#define MAPPING_SCHEMA(name, type, fields)                             \
	static const cyaml_schema_value_t name = {                     \
		CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, fields), \
	}

static const cyaml_schema_field_t key_usage_fields[] = {
	CRITICAL,
	LIST("usages", values),
	OPTIONAL_LIST("rsa-also", struct extension_yaml, rsa_values),
	OPTIONAL_LIST("ec-also", struct extension_yaml, ec_values),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t cps_fields[] = {
	TEXT("policy", struct cps_yaml, policy),
	TEXT("url", struct cps_yaml, url),
	CYAML_FIELD_END,
};
MAPPING_SCHEMA(cps_schema, struct cps_yaml, cps_fields);

static const cyaml_schema_field_t certificate_policies_fields[] = {
	CRITICAL,
	LIST("policies", values),
	OPTIONAL_ROWS("cps", cps, &cps_schema),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t mapping_fields[] = {
	TEXT("issuer", struct mapping_yaml, issuer),
	TEXT("subject", struct mapping_yaml, subject),
	CYAML_FIELD_END,
};
MAPPING_SCHEMA(mapping_schema, struct mapping_yaml, mapping_fields);

static const cyaml_schema_field_t policy_mappings_fields[] = {
	CRITICAL,
	CYAML_FIELD_SEQUENCE("mappings", CYAML_FLAG_POINTER,
	    struct extension_yaml, mappings, &mapping_schema, 0,
	    PROFILE_LIST_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t name_fields[] = {
	TEXT("attribute", struct name_yaml, attribute),
	TEXT("encoding", struct name_yaml, encoding),
	TEXT("value", struct name_yaml, value),
	CYAML_FIELD_END,
};
MAPPING_SCHEMA(name_schema, struct name_yaml, name_fields);

static const cyaml_schema_field_t subtree_fields[] = {
	OPTIONAL_TEXT("dns", struct subtree_yaml, dns),
	OPTIONAL_TEXT("ip", struct subtree_yaml, ip),
	OPTIONAL_TEXT("email", struct subtree_yaml, email),
	OPTIONAL_TEXT("uri", struct subtree_yaml, uri),
	CYAML_FIELD_SEQUENCE("directory",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct subtree_yaml,
	    directory, &name_schema, 1, PROFILE_LIST_MAX),
	CYAML_FIELD_END,
};
MAPPING_SCHEMA(subtree_schema, struct subtree_yaml, subtree_fields);

static const cyaml_schema_field_t name_constraints_fields[] = {
	CRITICAL,
	OPTIONAL_ROWS("permitted", permitted, &subtree_schema),
	OPTIONAL_ROWS("excluded", excluded, &subtree_schema),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t policy_constraints_fields[] = {
	CRITICAL,
	OPTIONAL_TEXT(
	    "require-explicit-policy", struct extension_yaml, require_policy),
	OPTIONAL_TEXT(
	    "inhibit-policy-mapping", struct extension_yaml, inhibit_mapping),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t inhibit_any_policy_fields[] = {
	CRITICAL,
	TEXT("skip", struct extension_yaml, skip),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t subject_alternative_name_fields[] = {
	CRITICAL,
	LIST("types", values),
	TEXT("required", struct extension_yaml, required),
	OPTIONAL_TEXT("from", struct extension_yaml, from),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t issuing_distribution_point_fields[] = {
	CRITICAL,
	TEXT("only", struct extension_yaml, only),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t crl_distribution_points_fields[] = {
	CRITICAL,
	OPTIONAL_TEXT("partitions", struct extension_yaml, partitions),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t plain_fields[] = {
	CRITICAL,
	CYAML_FIELD_END,
};

#define EXTENSION(key, id, fields)                                             \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct extensions_yaml, row[id], fields)

static const cyaml_schema_field_t extensions_fields[] = {
	EXTENSION("basic-constraints", EXT_BASIC_CONSTRAINTS,
	    basic_constraints_fields),
	EXTENSION("key-usage", EXT_KEY_USAGE, key_usage_fields),
	EXTENSION("extended-key-usage", EXT_EXTENDED_KEY_USAGE,
	    extended_key_usage_fields),
	EXTENSION("certificate-policies", EXT_CERTIFICATE_POLICIES,
	    certificate_policies_fields),
	EXTENSION(
	    "policy-mappings", EXT_POLICY_MAPPINGS, policy_mappings_fields),
	EXTENSION(
	    "name-constraints", EXT_NAME_CONSTRAINTS, name_constraints_fields),
	EXTENSION("policy-constraints", EXT_POLICY_CONSTRAINTS,
	    policy_constraints_fields),
	EXTENSION("inhibit-any-policy", EXT_INHIBIT_ANY_POLICY,
	    inhibit_any_policy_fields),
	EXTENSION("subject-alternative-name", EXT_SUBJECT_ALTERNATIVE_NAME,
	    subject_alternative_name_fields),
	EXTENSION("crl-distribution-points", EXT_CRL_DISTRIBUTION_POINTS,
	    crl_distribution_points_fields),
	EXTENSION("authority-information-access",
	    EXT_AUTHORITY_INFORMATION_ACCESS,
	    authority_information_access_fields),
	EXTENSION("ocsp-nocheck", EXT_OCSP_NOCHECK, plain_fields),
	EXTENSION(
	    "subject-key-identifier", EXT_SUBJECT_KEY_IDENTIFIER, plain_fields),
	EXTENSION("authority-key-identifier", EXT_AUTHORITY_KEY_IDENTIFIER,
	    plain_fields),
	EXTENSION("crl-number", EXT_CRL_NUMBER, plain_fields),
	EXTENSION("issuing-distribution-point", EXT_ISSUING_DISTRIBUTION_POINT,
	    issuing_distribution_point_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t allow_fields[] = {
	TEXT("id", struct allow_yaml, id),
	TEXT("reason", struct allow_yaml, reason),
	CYAML_FIELD_END,
};
MAPPING_SCHEMA(allow_schema, struct allow_yaml, allow_fields);

static const cyaml_schema_field_t profile_fields[] = {
	TEXT("format", struct profile_yaml, format),
	TEXT("id", struct profile_yaml, id),
	TEXT("title", struct profile_yaml, title),
	TEXT("kind", struct profile_yaml, kind),
	TEXT("ruleset", struct profile_yaml, ruleset),
	OPTIONAL_LIST("keys", struct profile_yaml, keys),
	CYAML_FIELD_SEQUENCE("signatures", CYAML_FLAG_POINTER,
	    struct profile_yaml, signatures, &string_schema, 0,
	    PROFILE_LIST_MAX),
	CYAML_FIELD_MAPPING("validity", CYAML_FLAG_DEFAULT, struct profile_yaml,
	    validity, validity_fields),
	CYAML_FIELD_SEQUENCE("subject",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_yaml,
	    subject, &attribute_schema, 0, PROFILE_LIST_MAX),
	OPTIONAL_LIST("reasons", struct profile_yaml, reasons),
	OPTIONAL_TEXT("covers", struct profile_yaml, covers),
	OPTIONAL_TEXT("also-sha1", struct profile_yaml, also_sha1),
	CYAML_FIELD_SEQUENCE("allow-lint",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct profile_yaml,
	    allow, &allow_schema, 0, PROFILE_LIST_MAX),
	CYAML_FIELD_MAPPING("extensions", CYAML_FLAG_OPTIONAL,
	    struct profile_yaml, extensions, extensions_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t profile_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct profile_yaml, profile_fields),
};

const char *
schema_values_key(enum extension_id id)
{
	static const char *const keys[EXT_COUNT] = {
		[EXT_KEY_USAGE] = "usages",
		[EXT_EXTENDED_KEY_USAGE] = "purposes",
		[EXT_CERTIFICATE_POLICIES] = "policies",
		[EXT_SUBJECT_ALTERNATIVE_NAME] = "types",
		[EXT_AUTHORITY_INFORMATION_ACCESS] = "methods",
	};

	return keys[id];
}
