/* From the YAML of a profile to the profile, with all faults as findings. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/private.h"
#include "profiles/schema.h"

#define FORMAT "ca-tool-profile-1"

/* What the compiling functions share. */
struct compiler {
	const struct profile_yaml *yaml;
	struct yaml *doc;
	struct findings *findings;
	struct profile *profile;
};

static const char *const ruleset_names[RULESET_COUNT] = {
	[RULESET_RFC5280] = "rfc5280",
	[RULESET_PRIVATE] = "private",
};

/* Names of values, and what they stand for. */
struct named {
	const char *name;
	int value;
};

static const struct named key_usages[] = {
	{ "digital-signature", KEY_USAGE_DIGITAL_SIGNATURE },
	{ "non-repudiation", 1 << 1 },
	{ "key-encipherment", 1 << 2 },
	{ "data-encipherment", 1 << 3 },
	{ "key-agreement", 1 << 4 },
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

/* Where in the file: "keys[2]". */
#define AT(c, ...) yaml_place((c)->doc, __VA_ARGS__)

static void refuse(const struct compiler *c, const char *id, const char *place,
    const char *source, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static void
refuse(const struct compiler *c, const char *id, const char *place,
    const char *source, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	findings_add(c->findings, FINDING_ERROR, id, place, source, "%s", text);
}

/* The kind or ruleset with this name, or -1. */
static int
find_kind(const char *name)
{
	for (int i = PROFILE_ROOT; i <= PROFILE_CRL; i++)
		if (strcmp(profile_kind_name((enum profile_kind)i), name) == 0)
			return i;
	return -1;
}

static int
find_ruleset(const char *name)
{
	for (int i = 0; i < RULESET_COUNT; i++)
		if (strcmp(ruleset_names[i], name) == 0)
			return i;
	return -1;
}

static const struct named *
find_named(const struct named *rows, const char *name)
{
	for (; rows->name != NULL; rows++)
		if (strcmp(rows->name, name) == 0)
			return rows;
	return NULL;
}

static bool
compile_bool(const struct compiler *c, const char *text, const char *place)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		refuse(c, "PROFILE-VALUE", place, "",
		    "'%s' is neither 'yes' nor 'no'", text);
	return strcmp(text, "yes") == 0;
}

static int
compile_head(const struct compiler *c)
{
	const struct profile_yaml *yaml = c->yaml;
	int kind = find_kind(yaml->kind);
	int ruleset = find_ruleset(yaml->ruleset);

	if (strcmp(yaml->format, FORMAT) != 0)
		refuse(c, "PROFILE-FORMAT", AT(c, "format"), "",
		    "format '%s' is not '%s'", yaml->format, FORMAT);
	if (!text_is_name(yaml->id))
		refuse(c, "PROFILE-ID", AT(c, "id"), "",
		    "id '%s' is not a name of 1 to 64 characters a-z 0-9 . _ "
		    "-",
		    yaml->id);
	if (yaml->title[0] == '\0')
		refuse(c, "PROFILE-TITLE", AT(c, "title"), "",
		    "the title is empty");
	if (kind < 0)
		refuse(c, "PROFILE-KIND", AT(c, "kind"), "",
		    "kind '%s' is not one of root, subordinate, "
		    "ocsp-responder, crl",
		    yaml->kind);
	if (ruleset < 0)
		refuse(c, "PROFILE-RULESET", AT(c, "ruleset"), "",
		    "ruleset '%s' is not known to this version; it knows "
		    "rfc5280 and private",
		    yaml->ruleset);
	c->profile->kind = kind < 0 ? PROFILE_ROOT : (enum profile_kind)kind;
	c->profile->ruleset =
	    ruleset < 0 ? RULESET_PRIVATE : (enum ruleset)ruleset;
	c->profile->id = text_copy(yaml->id);
	c->profile->title = text_copy(yaml->title);
	if (c->profile->id == NULL || c->profile->title == NULL)
		return -1;
	return kind < 0 || ruleset < 0 ? 1 : 0;
}

static int64_t
compile_duration(const struct compiler *c, const char *text, const char *key)
{
	int64_t seconds = 0;

	if (text == NULL)
		return 0;
	if (duration_parse(text, &seconds) != 0 || seconds <= 0) {
		ca_error_clear();
		refuse(c, "PROFILE-VALIDITY", AT(c, "validity.%s", key), "",
		    "'%s' is not a duration like 3650d or 12h", text);
		return 0;
	}
	return seconds;
}

static void
compile_validity(const struct compiler *c)
{
	const struct validity_yaml *yaml = &c->yaml->validity;
	struct profile *p = c->profile;

	p->validity_default = compile_duration(c, yaml->normal, "default");
	p->validity_min = compile_duration(c, yaml->min, "min");
	p->validity_max = compile_duration(c, yaml->max, "max");
	if (p->validity_default == 0 || p->validity_max == 0)
		return;
	if (p->validity_default > p->validity_max)
		refuse(c, "PROFILE-VALIDITY", AT(c, "validity.default"), "",
		    "the default validity is longer than max");
	if (p->validity_default < p->validity_min)
		refuse(c, "PROFILE-VALIDITY", AT(c, "validity.default"), "",
		    "the default validity is shorter than min");
}

static void
refuse_key(const struct compiler *c, const char *name, const char *place)
{
	uint64_t bits;

	if (strncmp(name, "rsa-", 4) == 0 &&
	    text_number(name + 4, 2047, &bits) == 0)
		refuse(c, "KEY-RSA-MIN", place, "TLS BR, section 6.1.5",
		    "key type '%s' is too short; RSA keys need 2048 bits",
		    name);
	else
		refuse(c, "ALG-SPKI-EXACT", place, "TLS BR, section 7.1.3.1",
		    "key type '%s' is unknown or not allowed", name);
	ca_error_clear();
}

static void
compile_keys(const struct compiler *c)
{
	struct profile *p = c->profile;

	for (unsigned i = 0; i < c->yaml->keys_count; i++) {
		const char *name = c->yaml->keys[i];
		const struct key_type *type = key_type_by_name(name);

		if (type == NULL)
			refuse_key(c, name, AT(c, "keys[%u]", i));
		else if (profile_allows_key(p, type))
			refuse(c, "PROFILE-DUPLICATE", AT(c, "keys[%u]", i), "",
			    "key type '%s' stands there twice", name);
		else
			p->keys[p->key_count++] = type;
	}
	if (p->kind == PROFILE_CRL && c->yaml->keys != NULL)
		refuse(c, "PROFILE-KIND", AT(c, "keys"), "",
		    "a CRL has no subject key: remove 'keys'");
	if (p->kind != PROFILE_CRL && c->yaml->keys_count == 0)
		refuse(c, "PROFILE-KEYS", AT(c, "keys"), "",
		    "'keys' must list the key types that are allowed");
}

static void
compile_signatures(const struct compiler *c)
{
	struct profile *p = c->profile;

	for (unsigned i = 0; i < c->yaml->signatures_count; i++) {
		const char *name = c->yaml->signatures[i];
		const struct sigalg *alg = sigalg_by_name(name);

		if (alg == NULL && strstr(name, "sha1") != NULL)
			refuse(c, "ALG-NO-SHA1", AT(c, "signatures[%u]", i),
			    "TLS BR, section 7.1.3.2.1",
			    "signature algorithm '%s' is broken", name);
		else if (alg == NULL)
			refuse(c, "ALG-SIG-EXACT", AT(c, "signatures[%u]", i),
			    "TLS BR, section 7.1.3.2",
			    "signature algorithm '%s' is unknown or not "
			    "allowed",
			    name);
		else if (profile_allows_signature(p, alg))
			refuse(c, "PROFILE-DUPLICATE",
			    AT(c, "signatures[%u]", i), "",
			    "signature algorithm '%s' stands there twice",
			    name);
		else
			p->signatures[p->signature_count++] = alg;
	}
	if (c->yaml->signatures_count == 0)
		refuse(c, "PROFILE-SIGNATURES", AT(c, "signatures"), "",
		    "'signatures' must list the algorithms that are allowed");
}

static void
compile_slot(const struct compiler *c, unsigned i)
{
	const struct attribute_yaml *yaml = &c->yaml->subject[i];
	const char *place = AT(c, "subject[%u]", i);
	struct subject_slot slot = {
		.attribute = attribute_by_name(yaml->attribute),
		.encoding = name_encoding_by_name(yaml->encoding),
		.required = compile_bool(
		    c, yaml->required, AT(c, "subject[%u].required", i)),
	};

	if (slot.attribute == NULL) {
		refuse(c, "NAM-CA-EXTRA", place, "TLS BR, section 7.1.2.10.2",
		    "attribute '%s' is unknown or not allowed in names",
		    yaml->attribute);
		return;
	}
	if (slot.encoding == 0) {
		refuse(c, "PROFILE-VALUE", place, "",
		    "encoding '%s' is not one of printable, utf8, ia5",
		    yaml->encoding);
		return;
	}
	if ((slot.attribute->encodings & slot.encoding) == 0)
		refuse(c, slot.attribute->enc_id, place,
		    "TLS BR, section 7.1.4.2", "%s may not be encoded as '%s'",
		    yaml->attribute, yaml->encoding);
	c->profile->subject[c->profile->subject_count++] = slot;
}

static void
compile_subject(const struct compiler *c)
{
	if (c->profile->kind == PROFILE_CRL && c->yaml->subject != NULL)
		refuse(c, "PROFILE-KIND", AT(c, "subject"), "",
		    "a CRL has no subject: remove 'subject'");
	for (unsigned i = 0; i < c->yaml->subject_count; i++)
		compile_slot(c, i);
}

static void
compile_path_length(const struct compiler *c, const struct extension_yaml *yaml)
{
	uint64_t length;

	if (yaml->path_length == NULL)
		return;
	if (text_number(yaml->path_length, 255, &length) != 0) {
		ca_error_clear();
		refuse(c, "PROFILE-VALUE",
		    AT(c, "extensions.basic-constraints.path-length"), "",
		    "'%s' is not a path length of 0 to 255", yaml->path_length);
		return;
	}
	c->profile->path_length = (int)length;
}

static void
compile_basic_constraints(const struct compiler *c)
{
	const struct extension_yaml *yaml =
	    c->yaml->extensions.row[EXT_BASIC_CONSTRAINTS];

	c->profile->path_length = PATH_LENGTH_NONE;
	if (yaml == NULL)
		return;
	c->profile->ca =
	    compile_bool(c, yaml->ca, AT(c, "extensions.basic-constraints.ca"));
	compile_path_length(c, yaml);
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
	refuse(c, "PROFILE-VALUE", value_place(c, id, i), "",
	    "'%s' is not a value that %s may have",
	    c->yaml->extensions.row[id]->values[i], extensions[id].key);
}

static void
compile_key_usage(const struct compiler *c)
{
	const struct extension_yaml *yaml =
	    c->yaml->extensions.row[EXT_KEY_USAGE];

	for (unsigned i = 0; yaml != NULL && i < yaml->values_count; i++) {
		const struct named *row =
		    find_named(key_usages, yaml->values[i]);

		if (row == NULL)
			unknown_value(c, EXT_KEY_USAGE, i);
		else
			c->profile->key_usage |= (unsigned)row->value;
	}
}

static void
compile_methods(const struct compiler *c)
{
	const struct extension_yaml *yaml =
	    c->yaml->extensions.row[EXT_AUTHORITY_INFORMATION_ACCESS];
	struct profile *p = c->profile;

	p->url[URL_CRL] =
	    c->yaml->extensions.row[EXT_CRL_DISTRIBUTION_POINTS] != NULL;
	for (unsigned i = 0; yaml != NULL && i < yaml->values_count; i++) {
		const struct named *row = find_named(methods, yaml->values[i]);

		if (row == NULL)
			refuse(c, "AIA-METHODS",
			    value_place(c, EXT_AUTHORITY_INFORMATION_ACCESS, i),
			    "TLS BR, section 7.1.2.10.3",
			    "'%s' is not one of ca-issuers, ocsp",
			    yaml->values[i]);
		else if (p->url[row->value])
			refuse(c, "AIA-UNIQUE",
			    value_place(c, EXT_AUTHORITY_INFORMATION_ACCESS, i),
			    "TLS BR, section 7.1.2.10.3",
			    "method '%s' stands there twice", yaml->values[i]);
		else
			p->url[row->value] = true;
	}
}

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

static bool
list_holds(const struct object_list *list, const ASN1_OBJECT *object)
{
	for (size_t i = 0; i < list->count; i++)
		if (OBJ_cmp(list->objects[i], object) == 0)
			return true;
	return false;
}

static void
compile_objects(const struct compiler *c, enum extension_id id,
    const struct named *names, const char *duplicate_id,
    const char *duplicate_source, struct object_list *list)
{
	const struct extension_yaml *yaml = c->yaml->extensions.row[id];

	for (unsigned i = 0; yaml != NULL && i < yaml->values_count; i++) {
		AUTO(ASN1_OBJECT) *object =
		    object_by_text(names, yaml->values[i]);

		if (object == NULL)
			unknown_value(c, id, i);
		else if (list_holds(list, object))
			refuse(c, duplicate_id, value_place(c, id, i),
			    duplicate_source, "'%s' stands there twice",
			    yaml->values[i]);
		else
			list->objects[list->count++] = TAKE(object);
	}
}

/* Criticality is fixed, and stated so that the file can be read alone. */
static void
compile_critical(const struct compiler *c, enum extension_id id)
{
	const struct extension_yaml *yaml = c->yaml->extensions.row[id];
	const struct extension *row = &extensions[id];
	const char *place;

	if (yaml == NULL)
		return;
	c->profile->has[id] = true;
	place = AT(c, "extensions.%s.critical", row->key);
	if (compile_bool(c, yaml->critical, place) != row->critical)
		refuse(c, row->crit_id, place, row->crit_source,
		    "%s must%s be critical", row->key,
		    row->critical ? "" : " not");
	if (schema_values_key(id) != NULL && yaml->values_count == 0)
		refuse(c,
		    id == EXT_KEY_USAGE ? "KU-NONZERO" : "FLD-EXT-NONEMPTY",
		    AT(c, "extensions.%s", row->key), row->crit_source,
		    "%s lists nothing", row->key);
}

static void
compile_extensions(const struct compiler *c)
{
	for (size_t i = 0; i < EXT_COUNT; i++)
		compile_critical(c, (enum extension_id)i);
	compile_basic_constraints(c);
	compile_key_usage(c);
	compile_methods(c);
	compile_objects(c, EXT_EXTENDED_KEY_USAGE, purposes, "EKU-NO-DUP",
	    "RFC 5280, section 4.2.1.12", &c->profile->purposes);
	compile_objects(c, EXT_CERTIFICATE_POLICIES, policies, "POL-NO-DUP",
	    "RFC 5280, section 4.2.1.4", &c->profile->policies);
}

static void
compile_reason(const struct compiler *c, unsigned i)
{
	const char *name = c->yaml->reasons[i], *place;
	enum revocation_reason reason;

	place = AT(c, "reasons[%u]", i);
	if (reason_by_name(name, &reason) == 0) {
		c->profile->reasons[reason] = true;
		return;
	}
	ca_error_clear();
	refuse(c,
	    strcmp(name, "certificateHold") == 0 ? "CRL-REASON-NOHOLD"
						 : "CRL-REASON-SET",
	    place, "TLS BR, section 7.2.2",
	    "reason '%s' is unknown or not allowed", name);
}

static void
compile_reasons(const struct compiler *c)
{
	bool is_crl = c->profile->kind == PROFILE_CRL;

	if (!is_crl && c->yaml->reasons != NULL)
		refuse(c, "PROFILE-KIND", AT(c, "reasons"), "",
		    "only a CRL has reasons: remove 'reasons'");
	if (is_crl && c->yaml->reasons_count == 0)
		refuse(c, "PROFILE-REASONS", AT(c, "reasons"), "",
		    "'reasons' must list the reasons that are allowed");
	for (unsigned i = 0; i < c->yaml->reasons_count; i++)
		compile_reason(c, i);
}

int
profile_compile(const struct profile_yaml *yaml, struct yaml *doc,
    struct findings *findings, struct profile *profile)
{
	const struct compiler compiler = { yaml, doc, findings, profile };
	const struct compiler *c = &compiler;
	int head = compile_head(c);

	/* Without its kind or ruleset nothing else can be judged. */
	if (head != 0)
		return head < 0 ? -1 : 0;
	compile_validity(c);
	compile_keys(c);
	compile_signatures(c);
	compile_subject(c);
	compile_extensions(c);
	compile_reasons(c);
	profile_judge(profile, doc, findings);
	return 0;
}
