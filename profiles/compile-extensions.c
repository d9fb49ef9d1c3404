/* The extensions of a profile, from YAML. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/compile.h"
#include "profiles/general-name.h"

enum { SKIP_MAX = 255 };

/* Names of values, and what they stand for. */
struct named {
	const char *name;
	int value;
};

static const struct named key_usages[] = {
	{ "digital-signature", KEY_USAGE_DIGITAL_SIGNATURE },
	{ "non-repudiation", KEY_USAGE_NON_REPUDIATION },
	{ "key-encipherment", KEY_USAGE_KEY_ENCIPHERMENT },
	{ "data-encipherment", KEY_USAGE_DATA_ENCIPHERMENT },
	{ "key-agreement", KEY_USAGE_KEY_AGREEMENT },
	{ "key-cert-sign", KEY_USAGE_CERT_SIGN },
	{ "crl-sign", KEY_USAGE_CRL_SIGN },
	{ "encipher-only", 1 << 7 },
	{ "decipher-only", 1 << 8 },
	{ NULL, 0 },
};

static const struct named purposes[] = {
	{ "server-auth", NID_server_auth },
	{ "client-auth", NID_client_auth },
	{ "code-signing", NID_code_sign },
	{ "email-protection", NID_email_protect },
	{ "time-stamping", NID_time_stamp },
	{ "ocsp-signing", NID_OCSP_sign },
	{ "any", NID_anyExtendedKeyUsage },
	{ NULL, 0 },
};

static const struct named policies[] = {
	{ "any-policy", NID_any_policy },
	{ NULL, 0 },
};

static const struct named methods[] = {
	{ "ca-issuers", URL_CA_ISSUERS },
	{ "ocsp", URL_OCSP },
	{ NULL, 0 },
};

static const struct named *
find_named(const struct named *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

/* The row of an extension, where it is one of this file. */
static const struct extension_yaml *
row_of(const struct compiler *c, enum extension_id id)
{
	return c->yaml->extensions.row[id];
}

static const char *
key_place(const struct compiler *c, enum extension_id id, const char *key)
{
	return AT(c, "extensions.%s.%s", extensions[id].key, key);
}

static const char *
value_place(const struct compiler *c, enum extension_id id, unsigned i)
{
	return AT(c, "extensions.%s.%s[%u]", extensions[id].key,
	    schema_values_key(id), i);
}

static void
unknown_value(const struct compiler *c, enum extension_id id, unsigned i)
{
	compile_refuse(c, "PROFILE-VALUE", value_place(c, id, i),
	    "'%s' is not a value that %s may have", row_of(c, id)->values[i],
	    extensions[id].key);
}

/* A small number of certificates; PATH_LENGTH_NONE where there is no text. */
static int
compile_count(const struct compiler *c, const char *text, const char *what,
    const char *place)
{
	uint64_t count;

	if (text == NULL)
		return PATH_LENGTH_NONE;
	if (text_number(text, SKIP_MAX, &count) == 0)
		return (int)count;
	ca_error_clear();
	compile_refuse(c, "PROFILE-VALUE", place,
	    "'%s' is not a %s of 0 to 255", text, what);
	return PATH_LENGTH_NONE;
}

static void
compile_basic_constraints(const struct compiler *c)
{
	const struct extension_yaml *yaml = row_of(c, EXT_BASIC_CONSTRAINTS);

	c->profile->path_length = PATH_LENGTH_NONE;
	if (yaml == NULL)
		return;
	c->profile->ca = compile_bool(
	    c, yaml->ca, key_place(c, EXT_BASIC_CONSTRAINTS, "ca"));
	c->profile->path_length = compile_count(c, yaml->path_length,
	    "path length", key_place(c, EXT_BASIC_CONSTRAINTS, "path-length"));
}

static unsigned
compile_usages(
    const struct compiler *c, char **names, unsigned count, const char *key)
{
	unsigned usages = 0;

	for (unsigned i = 0; i < count; i++) {
		const struct named *row = find_named(key_usages, names[i]);

		if (row == NULL)
			compile_refuse(c, "PROFILE-VALUE",
			    AT(c, "extensions.key-usage.%s[%u]", key, i),
			    "'%s' is not a value that key-usage may have",
			    names[i]);
		else
			usages |= (unsigned)row->value;
	}
	return usages;
}

static void
compile_key_usage(const struct compiler *c)
{
	const struct extension_yaml *yaml = row_of(c, EXT_KEY_USAGE);
	struct profile *p = c->profile;

	if (yaml == NULL)
		return;
	p->key_usage =
	    compile_usages(c, yaml->values, yaml->values_count, "usages");
	p->rsa_usage = compile_usages(
	    c, yaml->rsa_values, yaml->rsa_values_count, "rsa-also");
	p->ec_usage = compile_usages(
	    c, yaml->ec_values, yaml->ec_values_count, "ec-also");
}

static void
compile_methods(const struct compiler *c)
{
	static const enum extension_id id = EXT_AUTHORITY_INFORMATION_ACCESS;
	const struct extension_yaml *yaml = row_of(c, id);
	struct profile *p = c->profile;

	p->url[URL_CRL] = row_of(c, EXT_CRL_DISTRIBUTION_POINTS) != NULL;
	for (unsigned i = 0; yaml != NULL && i < yaml->values_count; i++) {
		const struct named *row = find_named(methods, yaml->values[i]);

		if (row == NULL)
			compile_refuse(c, "AIA-METHODS", value_place(c, id, i),
			    "'%s' is not one of ca-issuers, ocsp",
			    yaml->values[i]);
		else if (p->url[row->value])
			compile_refuse(c, "AIA-UNIQUE", value_place(c, id, i),
			    "method '%s' stands there twice", yaml->values[i]);
		else
			p->url[row->value] = true;
	}
}

/* ---- OIDs ------------------------------------------------------------- */

/* A name from the table, or an OID written in its one normal form. */
static ASN1_OBJECT *
object_by_text(const struct named *names, const char *text)
{
	const struct named *row = find_named(names, text);
	AUTO(ASN1_OBJECT) *object = NULL;
	char normal[256];
	int len;

	if (row != NULL)
		return OBJ_nid2obj(row->value);
	object = OBJ_txt2obj(text, 1);
	if (object == NULL) {
		ca_error_clear();
		return NULL;
	}
	len = OBJ_obj2txt(normal, sizeof normal, object, 1);
	if (len <= 0 || (size_t)len >= sizeof normal ||
	    strcmp(normal, text) != 0)
		return NULL;
	return TAKE(object);
}

/* Where in the list, or its count. */
static size_t
find_object(const struct object_list *list, const ASN1_OBJECT *object)
{
	size_t i = 0;

	while (i < list->count && OBJ_cmp(list->objects[i], object) != 0)
		i++;
	return i;
}

static void
compile_objects(const struct compiler *c, enum extension_id id,
    const struct named *names, const char *duplicate_id,
    struct object_list *list)
{
	const struct extension_yaml *yaml = row_of(c, id);

	for (unsigned i = 0; yaml != NULL && i < yaml->values_count; i++) {
		AUTO(ASN1_OBJECT) *object =
		    object_by_text(names, yaml->values[i]);

		if (object == NULL)
			unknown_value(c, id, i);
		else if (find_object(list, object) < list->count)
			compile_refuse(c, duplicate_id, value_place(c, id, i),
			    "'%s' stands there twice", yaml->values[i]);
		else
			list->objects[list->count++] = TAKE(object);
	}
}

static bool
is_web_url(const char *url)
{
	const struct alt_name name = { ALT_URI, url };

	return alt_name_fault(&name) == NULL &&
	    (strncmp(url, "http://", 7) == 0 ||
		strncmp(url, "https://", 8) == 0);
}

/* POL-QUALIFIERS: a CPS URL, of a policy that is listed, once. */
static int
compile_cps(const struct compiler *c)
{
	const struct extension_yaml *yaml = row_of(c, EXT_CERTIFICATE_POLICIES);
	struct profile *p = c->profile;

	for (unsigned i = 0; yaml != NULL && i < yaml->cps_count; i++) {
		const struct cps_yaml *row = &yaml->cps[i];
		AUTO(ASN1_OBJECT) *object =
		    object_by_text(policies, row->policy);
		const char *place =
		    AT(c, "extensions.certificate-policies.cps[%u]", i);
		size_t at = object != NULL ? find_object(&p->policies, object)
					   : p->policies.count;

		if (at == p->policies.count || p->cps[at] != NULL) {
			compile_refuse(c, "PROFILE-VALUE", place,
			    "'%s' is not a policy of the list, or stands there "
			    "twice",
			    row->policy);
			continue;
		}
		if (!is_web_url(row->url))
			compile_refuse(c, "POL-QUALIFIERS", place,
			    "'%s' is not a URL of http or https", row->url);
		p->cps[at] = text_copy(row->url);
		if (p->cps[at] == NULL)
			return -1;
	}
	return 0;
}

/* RFC 5280, section 4.2.1.5: neither side may be anyPolicy. */
static void
compile_mappings(const struct compiler *c)
{
	const struct extension_yaml *yaml = row_of(c, EXT_POLICY_MAPPINGS);
	struct profile *p = c->profile;

	for (unsigned i = 0; yaml != NULL && i < yaml->mappings_count; i++) {
		const struct mapping_yaml *row = &yaml->mappings[i];
		AUTO(ASN1_OBJECT) *issuer =
		    object_by_text(policies, row->issuer);
		AUTO(ASN1_OBJECT) *subject =
		    object_by_text(policies, row->subject);
		const char *place =
		    AT(c, "extensions.policy-mappings.mappings[%u]", i);

		if (issuer == NULL || subject == NULL)
			compile_refuse(c, "PROFILE-VALUE", place,
			    "'%s' or '%s' is not an OID", row->issuer,
			    row->subject);
		else if (OBJ_obj2nid(issuer) == NID_any_policy ||
		    OBJ_obj2nid(subject) == NID_any_policy)
			compile_refuse(c, "PROFILE-MAPPING", place,
			    "any-policy cannot be mapped (RFC 5280, section "
			    "4.2.1.5)");
		else if (find_object(&p->policies, issuer) == p->policies.count)
			compile_refuse(c, "PROFILE-MAPPING", place,
			    "'%s' is mapped and is no policy of the "
			    "certificate (RFC 5280, section 4.2.1.5)",
			    row->issuer);
		else
			p->mappings[p->mapping_count++] =
			    (struct policy_mapping){ TAKE(issuer),
				    TAKE(subject) };
	}
}

static void
compile_policy_constraints(const struct compiler *c)
{
	const struct extension_yaml *yaml = row_of(c, EXT_POLICY_CONSTRAINTS);
	const struct extension_yaml *any = row_of(c, EXT_INHIBIT_ANY_POLICY);
	struct profile *p = c->profile;

	p->require_policy = p->inhibit_mapping = p->inhibit_any =
	    PATH_LENGTH_NONE;
	if (any != NULL)
		p->inhibit_any = compile_count(c, any->skip, "number",
		    key_place(c, EXT_INHIBIT_ANY_POLICY, "skip"));
	if (yaml == NULL)
		return;
	p->require_policy = compile_count(c, yaml->require_policy, "number",
	    key_place(c, EXT_POLICY_CONSTRAINTS, "require-explicit-policy"));
	p->inhibit_mapping = compile_count(c, yaml->inhibit_mapping, "number",
	    key_place(c, EXT_POLICY_CONSTRAINTS, "inhibit-policy-mapping"));
	if (yaml->require_policy == NULL && yaml->inhibit_mapping == NULL)
		compile_refuse(c, "FLD-EXT-NONEMPTY",
		    AT(c, "extensions.policy-constraints"),
		    "policy-constraints says nothing");
}

/* ---- alternative names, issuing distribution point -------------------- */

static void
compile_alt_types(const struct compiler *c, const struct extension_yaml *yaml)
{
	static const enum extension_id id = EXT_SUBJECT_ALTERNATIVE_NAME;
	struct profile *p = c->profile;

	for (unsigned i = 0; i < yaml->values_count; i++) {
		int type = alt_type_by_name(yaml->values[i]);

		if (type < 0)
			unknown_value(c, id, i);
		else if ((p->alt_types & ALT_BIT(type)) != 0)
			compile_refuse(c, "PROFILE-DUPLICATE",
			    value_place(c, id, i), "'%s' stands there twice",
			    yaml->values[i]);
		else
			p->alt_types |= ALT_BIT(type);
	}
}

static void
compile_alt_names(const struct compiler *c)
{
	static const enum extension_id id = EXT_SUBJECT_ALTERNATIVE_NAME;
	const struct extension_yaml *yaml = row_of(c, id);
	struct profile *p = c->profile;

	if (yaml == NULL)
		return;
	compile_alt_types(c, yaml);
	p->alt_required =
	    compile_bool(c, yaml->required, key_place(c, id, "required"));
	p->alt_from_csr = compile_from(c, yaml->from, key_place(c, id, "from"));
}

/* Fewer than two are none; every one is a file that clients may need. */
static void
compile_partitions(const struct compiler *c)
{
	enum { PARTITIONS_MIN = 2, PARTITIONS_MAX = 1000 };
	static const enum extension_id id = EXT_CRL_DISTRIBUTION_POINTS;
	const struct extension_yaml *yaml = row_of(c, id);
	uint64_t count = 0;

	if (yaml == NULL || yaml->partitions == NULL)
		return;
	if (text_number(yaml->partitions, PARTITIONS_MAX, &count) != 0 ||
	    count < PARTITIONS_MIN) {
		ca_error_clear();
		compile_refuse(c, "PROFILE-VALUE",
		    key_place(c, id, "partitions"),
		    "'%s' is no number of partitions from %d to %d",
		    yaml->partitions, PARTITIONS_MIN, PARTITIONS_MAX);
		return;
	}
	/* CRL-IDP-ROOT-TRAP: a CRL about CAs is full. */
	if (c->profile->kind != PROFILE_END_ENTITY) {
		compile_refuse(c, "CRL-IDP-ROOT-TRAP",
		    key_place(c, id, "partitions"),
		    "only the CRL of end entities' certificates is split");
		return;
	}
	c->profile->partitions = (unsigned)count;
}

static void
compile_distribution_point(const struct compiler *c)
{
	static const enum extension_id id = EXT_ISSUING_DISTRIBUTION_POINT;
	const struct extension_yaml *yaml = row_of(c, id);

	if (yaml != NULL)
		c->profile->only_covered =
		    compile_bool(c, yaml->only, key_place(c, id, "only"));
	if (c->profile->only_covered && c->profile->covers == COVERS_ALL)
		compile_refuse(c, "CRL-IDP-FLAGS", key_place(c, id, "only"),
		    "a CRL that covers all certificates is not limited to some "
		    "of them");
}

/* ---- what all have ---------------------------------------------------- */

/* EKU-NONCRIT */
bool
profile_purposes_critical(const struct profile *profile)
{
	return profile->kind == PROFILE_END_ENTITY &&
	    profile->purposes.count == 1 &&
	    object_list_has(&profile->purposes, NID_time_stamp);
}

/* Does any attribute that is there in every certificate stand in it? */
static bool
subject_may_be_empty(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].required)
			return false;
	return p->kind == PROFILE_END_ENTITY;
}

/* What `critical` must say. */
static const char *
criticality(const struct profile *p, enum extension_id id)
{
	if (id == EXT_SUBJECT_ALTERNATIVE_NAME && subject_may_be_empty(p))
		return "if-subject-empty";
	if (id == EXT_EXTENDED_KEY_USAGE && profile_purposes_critical(p))
		return "yes";
	return extensions[id].critical ? "yes" : "no";
}

/* Criticality is fixed, and stated so that the file can be read alone. */
static void
compile_critical(const struct compiler *c, enum extension_id id)
{
	const struct extension_yaml *yaml = row_of(c, id);
	const struct extension *row = &extensions[id];
	const char *wanted = criticality(c->profile, id);

	if (yaml == NULL)
		return;
	if (strcmp(yaml->critical, wanted) != 0)
		compile_refuse(c, row->crit_id, key_place(c, id, "critical"),
		    "%s must be 'critical: %s', and not '%s'", row->key, wanted,
		    yaml->critical);
	if (schema_values_key(id) != NULL && yaml->values_count == 0)
		compile_refuse(c,
		    id == EXT_KEY_USAGE ? "KU-NONZERO" : "FLD-EXT-NONEMPTY",
		    AT(c, "extensions.%s", row->key), "%s lists nothing",
		    row->key);
	if (id == EXT_POLICY_MAPPINGS && yaml->mappings_count == 0)
		compile_refuse(c, "FLD-EXT-NONEMPTY",
		    AT(c, "extensions.%s", row->key), "%s lists nothing",
		    row->key);
}

int
compile_extensions(const struct compiler *c)
{
	for (size_t i = 0; i < EXT_COUNT; i++)
		c->profile->has[i] = c->yaml->extensions.row[i] != NULL;
	compile_basic_constraints(c);
	compile_key_usage(c);
	compile_methods(c);
	compile_objects(c, EXT_EXTENDED_KEY_USAGE, purposes, "EKU-NO-DUP",
	    &c->profile->purposes);
	compile_objects(c, EXT_CERTIFICATE_POLICIES, policies, "POL-NO-DUP",
	    &c->profile->policies);
	compile_mappings(c);
	compile_policy_constraints(c);
	compile_alt_names(c);
	compile_partitions(c);
	compile_distribution_point(c);
	for (size_t i = 0; i < EXT_COUNT; i++)
		compile_critical(c, (enum extension_id)i);
	return compile_cps(c) != 0 ? -1 : compile_constraints(c);
}
