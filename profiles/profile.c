#include "profiles/profile.h"

#include "base/error.h"
#include "profiles/private.h"
#include "profiles/schema.h"

static const char *const kind_names[] = {
	[PROFILE_ROOT] = "root",
	[PROFILE_SUBORDINATE] = "subordinate",
	[PROFILE_OCSP_RESPONDER] = "ocsp-responder",
	[PROFILE_CRL] = "crl",
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

bool
profile_is_ca(const struct profile *profile)
{
	return profile->kind == PROFILE_ROOT ||
	    profile->kind == PROFILE_SUBORDINATE;
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
