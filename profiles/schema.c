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

VALUES(key_usage_fields, "usages");
VALUES(extended_key_usage_fields, "purposes");
VALUES(certificate_policies_fields, "policies");
VALUES(authority_information_access_fields, "methods");

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
	EXTENSION("crl-distribution-points", EXT_CRL_DISTRIBUTION_POINTS,
	    plain_fields),
	EXTENSION("authority-information-access",
	    EXT_AUTHORITY_INFORMATION_ACCESS,
	    authority_information_access_fields),
	EXTENSION("ocsp-nocheck", EXT_OCSP_NOCHECK, plain_fields),
	EXTENSION(
	    "subject-key-identifier", EXT_SUBJECT_KEY_IDENTIFIER, plain_fields),
	EXTENSION("authority-key-identifier", EXT_AUTHORITY_KEY_IDENTIFIER,
	    plain_fields),
	EXTENSION("crl-number", EXT_CRL_NUMBER, plain_fields),
	CYAML_FIELD_END,
};

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
	CYAML_FIELD_MAPPING("extensions", CYAML_FLAG_DEFAULT,
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
		[EXT_AUTHORITY_INFORMATION_ACCESS] = "methods",
	};

	return keys[id];
}
