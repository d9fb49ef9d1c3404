#include "ceremony/steps/params.h"

enum { TEXT_MAX = 4096, STEPS_MAX = 10000 };

/* A string that must be there, and one that may be. */
#define NEEDED(key, type, member) \
	CYAML_FIELD_STRING_PTR(   \
	    key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define OPTIONAL(key, type, member)                                           \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    type, member, 1, TEXT_MAX)

static const struct {
	const char *name;
	size_t offset;
} subject_table[SUBJECT_ATTRIBUTES] = {
	{ "domain-component",
	    offsetof(struct subject_params, domain_component) },
	{ "country", offsetof(struct subject_params, country) },
	{ "state", offsetof(struct subject_params, state) },
	{ "locality", offsetof(struct subject_params, locality) },
	{ "postal-code", offsetof(struct subject_params, postal_code) },
	{ "street", offsetof(struct subject_params, street) },
	{ "organization", offsetof(struct subject_params, organization) },
	{ "organizational-unit",
	    offsetof(struct subject_params, organizational_unit) },
	{ "organization-identifier",
	    offsetof(struct subject_params, organization_identifier) },
	{ "serial-number", offsetof(struct subject_params, serial_number) },
	{ "surname", offsetof(struct subject_params, surname) },
	{ "given-name", offsetof(struct subject_params, given_name) },
	{ "business-category",
	    offsetof(struct subject_params, business_category) },
	{ "jurisdiction-country",
	    offsetof(struct subject_params, jurisdiction_country) },
	{ "jurisdiction-state",
	    offsetof(struct subject_params, jurisdiction_state) },
	{ "jurisdiction-locality",
	    offsetof(struct subject_params, jurisdiction_locality) },
	{ "common-name", offsetof(struct subject_params, common_name) },
};

size_t
subject_values(const struct subject_params *subject,
    struct name_value ret_values[SUBJECT_ATTRIBUTES])
{
	size_t n = 0;

	for (size_t i = 0; i < SUBJECT_ATTRIBUTES; i++) {
		const char *const *value =
		    (const void *)((const char *)subject +
			subject_table[i].offset);

		if (*value == NULL)
			continue;
		ret_values[n].attribute = subject_table[i].name;
		ret_values[n].value = *value;
		n++;
	}
	return n;
}

static const cyaml_schema_field_t subject_fields[] = {
	OPTIONAL("domain-component", struct subject_params, domain_component),
	OPTIONAL("country", struct subject_params, country),
	OPTIONAL("state", struct subject_params, state),
	OPTIONAL("locality", struct subject_params, locality),
	OPTIONAL("postal-code", struct subject_params, postal_code),
	OPTIONAL("street", struct subject_params, street),
	OPTIONAL("organization", struct subject_params, organization),
	OPTIONAL(
	    "organizational-unit", struct subject_params, organizational_unit),
	OPTIONAL("organization-identifier", struct subject_params,
	    organization_identifier),
	OPTIONAL("serial-number", struct subject_params, serial_number),
	OPTIONAL("surname", struct subject_params, surname),
	OPTIONAL("given-name", struct subject_params, given_name),
	OPTIONAL("business-category", struct subject_params, business_category),
	OPTIONAL("jurisdiction-country", struct subject_params,
	    jurisdiction_country),
	OPTIONAL(
	    "jurisdiction-state", struct subject_params, jurisdiction_state),
	OPTIONAL("jurisdiction-locality", struct subject_params,
	    jurisdiction_locality),
	OPTIONAL("common-name", struct subject_params, common_name),
	CYAML_FIELD_END,
};

#define SUBJECT(type)        \
	CYAML_FIELD_MAPPING( \
	    "subject", CYAML_FLAG_DEFAULT, type, subject, subject_fields)

static const cyaml_schema_field_t generate_key_fields[] = {
	NEEDED("key", struct generate_key_params, key),
	NEEDED("type", struct generate_key_params, type),
	NEEDED("purpose", struct generate_key_params, purpose),
	NEEDED("backup", struct generate_key_params, backup),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t csr_fields[] = {
	NEEDED("name", struct csr_params, name),
	NEEDED("key", struct csr_params, key),
	SUBJECT(struct csr_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t root_fields[] = {
	NEEDED("name", struct certificate_params, name),
	NEEDED("key", struct certificate_params, key),
	NEEDED("profile", struct certificate_params, profile),
	OPTIONAL("validity", struct certificate_params, validity),
	SUBJECT(struct certificate_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t child_fields[] = {
	NEEDED("name", struct certificate_params, name),
	NEEDED("issuer", struct certificate_params, issuer),
	OPTIONAL("key", struct certificate_params, key),
	OPTIONAL("csr", struct certificate_params, csr),
	NEEDED("profile", struct certificate_params, profile),
	OPTIONAL("validity", struct certificate_params, validity),
	SUBJECT(struct certificate_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t chain_file = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t adopt_fields[] = {
	NEEDED("name", struct adopt_params, name),
	NEEDED("key", struct adopt_params, key),
	NEEDED("certificate", struct adopt_params, certificate),
	CYAML_FIELD_SEQUENCE("chain", CYAML_FLAG_POINTER, struct adopt_params,
	    chain, &chain_file, 1, CHAIN_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t revoke_fields[] = {
	NEEDED("issuer", struct revoke_params, issuer),
	NEEDED("serial", struct revoke_params, serial),
	NEEDED("reason", struct revoke_params, reason),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t crl_fields[] = {
	NEEDED("name", struct crl_params, name),
	NEEDED("issuer", struct crl_params, issuer),
	NEEDED("profile", struct crl_params, profile),
	OPTIONAL("validity", struct crl_params, validity),
	CYAML_FIELD_END,
};

/* One kind of step: a mapping that may be there. */
#define KIND(key, member, fields)                                              \
	CYAML_FIELD_MAPPING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct step_params, member, fields)

static const cyaml_schema_field_t step_fields[] = {
	KIND("generate-key", generate_key, generate_key_fields),
	KIND("csr", csr, csr_fields),
	KIND("root", root, root_fields),
	KIND("subordinate", subordinate, child_fields),
	KIND("ocsp-responder", ocsp_responder, child_fields),
	KIND("adopt-certificate", adopt_certificate, adopt_fields),
	KIND("revoke", revoke, revoke_fields),
	KIND("crl", crl, crl_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step_value = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct step_params, step_fields),
};

static const cyaml_schema_field_t window_fields[] = {
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER,
	    __typeof__(((struct plan_params *)0)->window), from, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR("until", CYAML_FLAG_POINTER,
	    __typeof__(((struct plan_params *)0)->window), until, 1, TEXT_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t plan_fields[] = {
	NEEDED("format", struct plan_params, format),
	NEEDED("id", struct plan_params, id),
	NEEDED("title", struct plan_params, title),
	CYAML_FIELD_MAPPING("window", CYAML_FLAG_DEFAULT, struct plan_params,
	    window, window_fields),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct plan_params,
	    steps, &step_value, 1, STEPS_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t plan_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct plan_params, plan_fields),
};
