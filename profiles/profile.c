#include "profiles/profile.h"

#include <string.h>

#include "base/error.h"
#include "profiles/general-name.h"
#include "profiles/private.h"
#include "profiles/schema.h"

static const char *const kind_names[] = {
	[PROFILE_ROOT] = "root",
	[PROFILE_SUBORDINATE] = "subordinate",
	[PROFILE_CROSS] = "cross",
	[PROFILE_OCSP_RESPONDER] = "ocsp-responder",
	[PROFILE_END_ENTITY] = "end-entity",
	[PROFILE_CRL] = "crl",
	[PROFILE_OCSP_RESPONSE] = "ocsp-response",
};

static int
load(const char *file, struct yaml *doc, const struct profile_yaml *yaml,
    struct findings *findings, struct profile **ret_profile)
{
	AUTO_PTR(profile) *profile = calloc(1, sizeof *profile);
	size_t before = findings->errors;

	if (profile == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a profile");
	if (profile_compile(yaml, doc, findings, profile) != 0)
		return -1;
	if (findings->errors > before)
		return ca_error(CA_R_INPUT, "profile '%s' is refused", file);
	*ret_profile = TAKE(profile);
	return 0;
}

int
profile_load(const char *file, const unsigned char *data, size_t len,
    struct findings *findings, struct profile **ret_profile)
{
	AUTO_PTR(yaml) *doc = NULL;
	void *value = NULL;
	int result;

	if (yaml_load(
		file, data, len, &profile_schema, findings, &doc, &value) != 0)
		return -1;
	result = load(file, doc, value, findings, ret_profile);
	yaml_value_free(&profile_schema, value);
	return result;
}

static void
object_list_clear(struct object_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		ASN1_OBJECT_free(list->objects[i]);
	list->count = 0;
}

void
profile_free(struct profile *profile)
{
	if (profile == NULL)
		return;
	object_list_clear(&profile->purposes);
	object_list_clear(&profile->policies);
	for (size_t i = 0; i < PROFILE_LIST_MAX; i++)
		free(profile->cps[i]);
	for (size_t i = 0; i < profile->mapping_count; i++) {
		ASN1_OBJECT_free(profile->mappings[i].issuer);
		ASN1_OBJECT_free(profile->mappings[i].subject);
	}
	for (size_t i = 0; i < profile->acknowledged_count; i++) {
		free(profile->acknowledged[i].id);
		free(profile->acknowledged[i].reason);
	}
	NAME_CONSTRAINTS_free(profile->constraints);
	free(profile->id);
	free(profile->title);
	free(profile);
}

const char *
profile_id(const struct profile *profile)
{
	return profile->id;
}

const char *
profile_title(const struct profile *profile)
{
	return profile->title;
}

enum profile_kind
profile_kind(const struct profile *profile)
{
	return profile->kind;
}

const char *
profile_kind_name(enum profile_kind kind)
{
	return kind_names[kind];
}

int
profile_kind_by_name(const char *name)
{
	for (int i = 0; i < PROFILE_KINDS; i++)
		if (strcmp(kind_names[i], name) == 0)
			return i;
	return -1;
}

bool
profile_is_certificate(const struct profile *profile)
{
	return profile->kind < PROFILE_CRL;
}

bool
profile_is_ca(const struct profile *profile)
{
	return profile->kind < PROFILE_OCSP_RESPONDER;
}

unsigned
profile_rulesets(const struct profile *profile)
{
	unsigned bits =
	    RULESET_BIT(RULESET_RFC5280) | RULESET_BIT(profile->ruleset);

	if (profile->ruleset != RULESET_RFC5280)
		bits |= RULESET_BIT(RULESET_PRIVATE);
	return bits;
}

/* The set table of rules.md, section 4.2; no purpose is every purpose. */
static unsigned
subordinate_subjects(const struct profile *p)
{
	if (p->purposes.count == 0 ||
	    object_list_has(&p->purposes, NID_server_auth) ||
	    object_list_has(&p->purposes, NID_anyExtendedKeyUsage))
		return constraints_have(p->constraints, GEN_DNS) &&
			constraints_have(p->constraints, GEN_IPADD)
		    ? FOR_TCSUB
		    : FOR_TLSSUB;
	if (object_list_has(&p->purposes, NID_email_protect))
		return FOR_SMIMECA;
	if (object_list_has(&p->purposes, NID_code_sign) ||
	    object_list_has(&p->purposes, NID_time_stamp))
		return FOR_CSCA;
	return FOR_NONTLS;
}

static unsigned
end_entity_subjects(const struct profile *p)
{
	const bool code = object_list_has(&p->purposes, NID_code_sign) ||
	    object_list_has(&p->purposes, NID_time_stamp);

	/* CS-EKU leaves room for purposes that would make it another kind. */
	if (code && p->ruleset == RULESET_CABF_CS)
		return FOR_CS;
	if (object_list_has(&p->purposes, NID_server_auth))
		return FOR_LEAF;
	if (object_list_has(&p->purposes, NID_email_protect))
		return FOR_SMIME;
	return code ? FOR_CS : FOR_LEAF;
}

unsigned
profile_subjects(const struct profile *profile)
{
	switch (profile->kind) {
	case PROFILE_ROOT:
		return FOR_ROOT;
	case PROFILE_SUBORDINATE:
		return subordinate_subjects(profile);
	case PROFILE_CROSS:
		return FOR_CROSS;
	case PROFILE_OCSP_RESPONDER:
		return FOR_OCSPCERT;
	case PROFILE_END_ENTITY:
		return end_entity_subjects(profile);
	case PROFILE_CRL:
		return FOR_CRL |
		    (profile->covers == COVERS_CA ? FOR_CRL_CA : FOR_CRL_EE);
	case PROFILE_OCSP_RESPONSE:
		break;
	}
	return FOR_OCSP;
}

bool
profile_acknowledges(
    const struct profile *profile, const char *rule_id, const char **ret_reason)
{
	for (size_t i = 0; i < profile->acknowledged_count; i++) {
		if (strcmp(profile->acknowledged[i].id, rule_id) != 0)
			continue;
		if (ret_reason != NULL)
			*ret_reason = profile->acknowledged[i].reason;
		return true;
	}
	return false;
}

bool
profile_acknowledgement(const struct profile *profile, size_t i,
    const char **ret_rule_id, const char **ret_reason)
{
	if (i >= profile->acknowledged_count)
		return false;
	*ret_rule_id = profile->acknowledged[i].id;
	*ret_reason = profile->acknowledged[i].reason;
	return true;
}

bool
profile_attribute(const struct profile *profile, size_t i,
    struct profile_attribute *ret_attribute)
{
	const struct subject_slot *slot = &profile->subject[i];

	if (i >= profile->subject_count)
		return false;
	*ret_attribute = (struct profile_attribute){
		.name = slot->attribute->name,
		.required = slot->required,
		.from_csr = slot->from_csr,
	};
	return true;
}

unsigned
profile_alt_types(const struct profile *profile)
{
	return profile->alt_types;
}

bool
profile_alt_required(const struct profile *profile)
{
	return profile->alt_required;
}

bool
profile_alt_from_csr(const struct profile *profile)
{
	return profile->alt_from_csr;
}

bool
profile_needs_csr(const struct profile *profile)
{
	for (size_t i = 0; i < profile->subject_count; i++)
		if (profile->subject[i].from_csr)
			return true;
	return profile->alt_from_csr;
}

enum profile_covers
profile_covers(const struct profile *profile)
{
	return profile->covers;
}

bool
profile_needs_distribution_url(const struct profile *profile)
{
	return profile->has[EXT_ISSUING_DISTRIBUTION_POINT];
}

bool
profile_only_covered(const struct profile *profile)
{
	return profile->only_covered;
}

unsigned
profile_crl_partitions(const struct profile *profile)
{
	return profile->partitions;
}

bool
profile_adds_sha1(const struct profile *profile)
{
	return profile->adds_sha1;
}

unsigned
profile_key_usage(const struct profile *profile, enum key_family family)
{
	return profile->key_usage |
	    (family == KEY_EC ? profile->ec_usage : profile->rsa_usage);
}

bool
profile_signs_ocsp(const struct profile *profile)
{
	return (profile->key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0;
}

int64_t
profile_validity_default(const struct profile *profile)
{
	return profile->validity_default;
}

int64_t
profile_validity_max(const struct profile *profile)
{
	return profile->validity_max;
}

bool
profile_needs_url(const struct profile *profile, enum profile_url url)
{
	return profile->url[url];
}

bool
profile_allows_key(const struct profile *profile, const struct key_type *type)
{
	for (size_t i = 0; i < profile->key_count; i++)
		if (profile->keys[i] == type)
			return true;
	return false;
}

bool
profile_allows_signature(
    const struct profile *profile, const struct sigalg *alg)
{
	for (size_t i = 0; i < profile->signature_count; i++)
		if (profile->signatures[i] == alg)
			return true;
	return false;
}

bool
object_list_has(const struct object_list *list, int nid)
{
	for (size_t i = 0; i < list->count; i++)
		if (OBJ_obj2nid(list->objects[i]) == nid)
			return true;
	return false;
}

bool
object_list_has_oid(const struct object_list *list, const char *oid)
{
	for (size_t i = 0; i < list->count; i++) {
		char text[128];

		if (OBJ_obj2txt(text, sizeof text, list->objects[i], 1) > 0 &&
		    strcmp(text, oid) == 0)
			return true;
	}
	return false;
}
