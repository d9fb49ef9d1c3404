#include "ceremony/steps/params.h"

#include "base/error.h"

enum {
	STEPS_MAX = 10000,
	ALT_NAMES_MAX = 4096, /* of each type; as many as a request may have */
};

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

/* By enum alt_type, whose order is that of the table. */
struct names_of_type {
	char *const *values;
	unsigned count;
};

static void
names_by_type(
    const struct names_params *names, struct names_of_type ret_types[ALT_TYPES])
{
	ret_types[ALT_DNS] =
	    (struct names_of_type){ names->dns, names->dns_count };
	ret_types[ALT_IP] =
	    (struct names_of_type){ names->ip, names->ip_count };
	ret_types[ALT_EMAIL] =
	    (struct names_of_type){ names->email, names->email_count };
	ret_types[ALT_URI] =
	    (struct names_of_type){ names->uri, names->uri_count };
}

size_t
names_count(const struct names_params *names)
{
	return (size_t)names->dns_count + names->ip_count + names->email_count +
	    names->uri_count;
}

int
names_values(const struct names_params *names, struct alt_name **ret_values)
{
	struct names_of_type types[ALT_TYPES];
	struct alt_name *values;
	size_t n = 0;

	*ret_values = NULL;
	if (names_count(names) == 0)
		return 0;
	values = calloc(names_count(names), sizeof(*values));
	if (values == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	names_by_type(names, types);
	for (size_t t = 0; t < ALT_TYPES; t++)
		for (unsigned i = 0; i < types[t].count; i++)
			values[n++] = (struct alt_name){ (enum alt_type)t,
				types[t].values[i] };
	*ret_values = values;
	return 0;
}

static const cyaml_schema_field_t subject_fields[] = {
	YAML_OPTIONAL(
	    "domain-component", struct subject_params, domain_component),
	YAML_OPTIONAL("country", struct subject_params, country),
	YAML_OPTIONAL("state", struct subject_params, state),
	YAML_OPTIONAL("locality", struct subject_params, locality),
	YAML_OPTIONAL("postal-code", struct subject_params, postal_code),
	YAML_OPTIONAL("street", struct subject_params, street),
	YAML_OPTIONAL("organization", struct subject_params, organization),
	YAML_OPTIONAL(
	    "organizational-unit", struct subject_params, organizational_unit),
	YAML_OPTIONAL("organization-identifier", struct subject_params,
	    organization_identifier),
	YAML_OPTIONAL("serial-number", struct subject_params, serial_number),
	YAML_OPTIONAL("surname", struct subject_params, surname),
	YAML_OPTIONAL("given-name", struct subject_params, given_name),
	YAML_OPTIONAL(
	    "business-category", struct subject_params, business_category),
	YAML_OPTIONAL("jurisdiction-country", struct subject_params,
	    jurisdiction_country),
	YAML_OPTIONAL(
	    "jurisdiction-state", struct subject_params, jurisdiction_state),
	YAML_OPTIONAL("jurisdiction-locality", struct subject_params,
	    jurisdiction_locality),
	YAML_OPTIONAL("common-name", struct subject_params, common_name),
	CYAML_FIELD_END,
};

#define SUBJECT(type)        \
	CYAML_FIELD_MAPPING( \
	    "subject", CYAML_FLAG_DEFAULT, type, subject, subject_fields)

static const cyaml_schema_field_t generate_key_fields[] = {
	YAML_NEEDED("key", struct generate_key_params, key),
	YAML_NEEDED("type", struct generate_key_params, type),
	YAML_NEEDED("purpose", struct generate_key_params, purpose),
	YAML_NEEDED("backup", struct generate_key_params, backup),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t csr_fields[] = {
	YAML_NEEDED("name", struct csr_params, name),
	YAML_NEEDED("key", struct csr_params, key),
	SUBJECT(struct csr_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t root_fields[] = {
	YAML_NEEDED("name", struct certificate_params, name),
	YAML_NEEDED("key", struct certificate_params, key),
	YAML_NEEDED("profile", struct certificate_params, profile),
	YAML_OPTIONAL("validity", struct certificate_params, validity),
	SUBJECT(struct certificate_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t child_fields[] = {
	YAML_NEEDED("name", struct certificate_params, name),
	YAML_NEEDED("issuer", struct certificate_params, issuer),
	YAML_OPTIONAL("key", struct certificate_params, key),
	YAML_OPTIONAL("csr", struct certificate_params, csr),
	YAML_NEEDED("profile", struct certificate_params, profile),
	YAML_OPTIONAL("validity", struct certificate_params, validity),
	SUBJECT(struct certificate_params),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t cross_fields[] = {
	YAML_NEEDED("name", struct certificate_params, name),
	YAML_NEEDED("issuer", struct certificate_params, issuer),
	YAML_NEEDED("existing", struct certificate_params, existing),
	YAML_OPTIONAL("csr", struct certificate_params, csr),
	YAML_OPTIONAL("key", struct certificate_params, key),
	YAML_NEEDED("profile", struct certificate_params, profile),
	YAML_OPTIONAL("validity", struct certificate_params, validity),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t alt_name_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, YAML_MAX_TEXT),
};

#define NAMES(key, member)                                                  \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct names_params, member, &alt_name_value, 1, ALT_NAMES_MAX)

static const cyaml_schema_field_t names_fields[] = {
	NAMES("dns", dns),
	NAMES("ip", ip),
	NAMES("email", email),
	NAMES("uri", uri),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t end_entity_fields[] = {
	YAML_NEEDED("name", struct certificate_params, name),
	YAML_NEEDED("issuer", struct certificate_params, issuer),
	YAML_NEEDED("csr", struct certificate_params, csr),
	YAML_NEEDED("profile", struct certificate_params, profile),
	YAML_OPTIONAL("validity", struct certificate_params, validity),
	CYAML_FIELD_MAPPING("subject", CYAML_FLAG_OPTIONAL,
	    struct certificate_params, subject, subject_fields),
	CYAML_FIELD_MAPPING("names", CYAML_FLAG_OPTIONAL,
	    struct certificate_params, names, names_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t chain_file = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, YAML_MAX_TEXT),
};

static const cyaml_schema_field_t adopt_fields[] = {
	YAML_NEEDED("name", struct adopt_params, name),
	YAML_NEEDED("key", struct adopt_params, key),
	YAML_NEEDED("certificate", struct adopt_params, certificate),
	CYAML_FIELD_SEQUENCE("chain", CYAML_FLAG_POINTER, struct adopt_params,
	    chain, &chain_file, 1, CHAIN_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t query_fields[] = {
	YAML_OPTIONAL("profile", struct query_params, profile),
	YAML_OPTIONAL("spki", struct query_params, spki),
	YAML_OPTIONAL("subject", struct query_params, subject),
	YAML_OPTIONAL("name", struct query_params, name),
	YAML_OPTIONAL("under", struct query_params, under),
	YAML_OPTIONAL("from", struct query_params, from),
	YAML_OPTIONAL("until", struct query_params, until),
	YAML_OPTIONAL("plan", struct query_params, plan),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t serial_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, YAML_MAX_TEXT),
};

static const cyaml_schema_field_t revoke_fields[] = {
	YAML_NEEDED("issuer", struct revoke_params, issuer),
	YAML_OPTIONAL("serial", struct revoke_params, serial),
	YAML_OPTIONAL("certificate", struct revoke_params, certificate),
	CYAML_FIELD_MAPPING_PTR("query",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct revoke_params,
	    query, query_fields),
	CYAML_FIELD_SEQUENCE("except", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct revoke_params, except, &serial_value, 1, EXCEPT_MAX),
	YAML_NEEDED("reason", struct revoke_params, reason),
	YAML_OPTIONAL("date", struct revoke_params, date),
	YAML_OPTIONAL("invalidity-date", struct revoke_params, invalidity_date),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t upgrade_fields[] = {
	YAML_NEEDED("issuer", struct upgrade_params, issuer),
	YAML_NEEDED("serial", struct upgrade_params, serial),
	YAML_OPTIONAL("date", struct upgrade_params, date),
	YAML_OPTIONAL(
	    "invalidity-date", struct upgrade_params, invalidity_date),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t import_revocations_fields[] = {
	YAML_NEEDED("issuer", struct import_params, issuer),
	YAML_NEEDED("format", struct import_params, format),
	YAML_NEEDED("file", struct import_params, file),
	YAML_OPTIONAL("reason", struct import_params, reason),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t import_issued_fields[] = {
	YAML_NEEDED("issuer", struct import_params, issuer),
	YAML_NEEDED("format", struct import_params, format),
	YAML_NEEDED("file", struct import_params, file),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t adopt_ca_fields[] = {
	YAML_NEEDED("name", struct adopt_ca_params, name),
	YAML_NEEDED("key", struct adopt_ca_params, key),
	YAML_NEEDED("backup", struct adopt_ca_params, backup),
	YAML_NEEDED("certificate", struct adopt_ca_params, certificate),
	CYAML_FIELD_SEQUENCE("chain", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct adopt_ca_params, chain, &chain_file, 0, CHAIN_MAX),
	YAML_OPTIONAL("crl", struct adopt_ca_params, crl),
	YAML_OPTIONAL("never-signed-a-crl", struct adopt_ca_params, none),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ocsp_responses_fields[] = {
	YAML_NEEDED("name", struct ocsp_responses_params, name),
	YAML_NEEDED("issuer", struct ocsp_responses_params, issuer),
	YAML_NEEDED("profile", struct ocsp_responses_params, profile),
	YAML_OPTIONAL("responder", struct ocsp_responses_params, responder),
	YAML_OPTIONAL("validity", struct ocsp_responses_params, validity),
	CYAML_FIELD_SEQUENCE("serials",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct ocsp_responses_params, serials, &serial_value, 1,
	    RESPONSES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t certificates_fields[] = {
	YAML_NEEDED("name", struct certificates_params, name),
	YAML_NEEDED("issuer", struct certificates_params, issuer),
	YAML_NEEDED("profile", struct certificates_params, profile),
	YAML_NEEDED("requests", struct certificates_params, requests),
	YAML_OPTIONAL("validity", struct certificates_params, validity),
	YAML_OPTIONAL("on-refusal", struct certificates_params, on_refusal),
	CYAML_FIELD_MAPPING("subject", CYAML_FLAG_OPTIONAL,
	    struct certificates_params, subject, subject_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t ca_state_fields[] = {
	YAML_NEEDED("key", struct ca_state_params, key),
	YAML_NEEDED("state", struct ca_state_params, state),
	YAML_OPTIONAL("successor", struct ca_state_params, successor),
	YAML_NEEDED("why", struct ca_state_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t destroy_key_fields[] = {
	YAML_NEEDED("key", struct destroy_key_params, key),
	YAML_NEEDED("why", struct destroy_key_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t crl_fields[] = {
	YAML_NEEDED("name", struct crl_params, name),
	YAML_NEEDED("issuer", struct crl_params, issuer),
	YAML_NEEDED("profile", struct crl_params, profile),
	YAML_OPTIONAL("validity", struct crl_params, validity),
	YAML_OPTIONAL("url", struct crl_params, url),
	YAML_OPTIONAL("previous", struct crl_params, previous),
	YAML_OPTIONAL("last", struct crl_params, last),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t backup_fields[] = {
	YAML_NEEDED("serial", struct backup_params, serial),
	YAML_NEEDED("fate", struct backup_params, fate),
	YAML_NEEDED("note", struct backup_params, note),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t backup_value = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct backup_params, backup_fields),
};

static const cyaml_schema_field_t reshare_fields[] = {
	YAML_NEEDED("set", struct reshare_params, set),
	CYAML_FIELD_SEQUENCE("backups",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct reshare_params,
	    backups, &backup_value, 0, BACKUPS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t abandon_fields[] = {
	YAML_NEEDED("plan", struct abandon_params, plan),
	YAML_NEEDED("why", struct abandon_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t adopt_config_fields[] = {
	YAML_NEEDED("why", struct adopt_config_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t adopt_token_fields[] = {
	YAML_OPTIONAL("label", struct adopt_token_params, label),
	YAML_NEEDED("serial", struct adopt_token_params, serial),
	YAML_NEEDED("why", struct adopt_token_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t correct_clock_fields[] = {
	YAML_NEEDED("why", struct correct_clock_params, why),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t recover_journal_fields[] = {
	YAML_NEEDED("why", struct recover_journal_params, why),
	CYAML_FIELD_SEQUENCE("receipts",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct recover_journal_params, receipts, &chain_file, 0, CHAIN_MAX),
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
	KIND("cross", cross, cross_fields),
	KIND("ocsp-responder", ocsp_responder, child_fields),
	KIND("end-entity", end_entity, end_entity_fields),
	KIND("adopt-certificate", adopt_certificate, adopt_fields),
	KIND("adopt-ca", adopt_ca, adopt_ca_fields),
	KIND("revoke", revoke, revoke_fields),
	KIND("upgrade-revocation", upgrade_revocation, upgrade_fields),
	KIND("import-revocations", import_revocations,
	    import_revocations_fields),
	KIND("import-issued", import_issued, import_issued_fields),
	KIND("crl", crl, crl_fields),
	KIND("ocsp-responses", ocsp_responses, ocsp_responses_fields),
	KIND("certificates", certificates, certificates_fields),
	KIND("ca-state", ca_state, ca_state_fields),
	KIND("destroy-key", destroy_key, destroy_key_fields),
	KIND("reshare", reshare, reshare_fields),
	KIND("abandon", abandon, abandon_fields),
	KIND("adopt-config", adopt_config, adopt_config_fields),
	KIND("adopt-token", adopt_token, adopt_token_fields),
	KIND("correct-clock", correct_clock, correct_clock_fields),
	KIND("recover-journal", recover_journal, recover_journal_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step_value = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct step_params, step_fields),
};

static const cyaml_schema_field_t window_fields[] = {
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER,
	    __typeof__(((struct plan_params *)0)->window), from, 1,
	    YAML_MAX_TEXT),
	CYAML_FIELD_STRING_PTR("until", CYAML_FLAG_POINTER,
	    __typeof__(((struct plan_params *)0)->window), until, 1,
	    YAML_MAX_TEXT),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t plan_fields[] = {
	YAML_NEEDED("format", struct plan_params, format),
	YAML_NEEDED("id", struct plan_params, id),
	YAML_NEEDED("title", struct plan_params, title),
	CYAML_FIELD_MAPPING("window", CYAML_FLAG_DEFAULT, struct plan_params,
	    window, window_fields),
	YAML_OPTIONAL("unattended", struct plan_params, unattended),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER, struct plan_params,
	    steps, &step_value, 1, STEPS_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t plan_schema = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_POINTER, struct plan_params, plan_fields),
};
