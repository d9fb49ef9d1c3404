/* From the YAML of a profile to the profile, with all faults as findings. */
#include "profiles/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

#define FORMAT "ca-tool-profile-1"

void
compile_refuse(const struct compiler *c, const char *id, const char *place,
    const char *fmt, ...)
{
	const struct rule *rule = rule_by_id(id);
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	findings_add(c->findings, FINDING_ERROR, id, place,
	    rule != NULL ? rule->source : "", "%s", text);
}

bool
compile_bool(const struct compiler *c, const char *text, const char *place)
{
	if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
		compile_refuse(c, "PROFILE-VALUE", place,
		    "'%s' is neither 'yes' nor 'no'", text);
	return strcmp(text, "yes") == 0;
}

static int
compile_head(const struct compiler *c)
{
	const struct profile_yaml *yaml = c->yaml;
	int kind = profile_kind_by_name(yaml->kind);
	int ruleset = ruleset_by_name(yaml->ruleset);

	if (strcmp(yaml->format, FORMAT) != 0)
		compile_refuse(c, "PROFILE-FORMAT", AT(c, "format"),
		    "format '%s' is not '%s'", yaml->format, FORMAT);
	if (!text_is_name(yaml->id))
		compile_refuse(c, "PROFILE-ID", AT(c, "id"),
		    "id '%s' is not a name of 1 to 64 characters a-z 0-9 . _ "
		    "-",
		    yaml->id);
	if (yaml->title[0] == '\0')
		compile_refuse(
		    c, "PROFILE-TITLE", AT(c, "title"), "the title is empty");
	if (kind < 0)
		compile_refuse(c, "PROFILE-KIND", AT(c, "kind"),
		    "kind '%s' is not one of root, subordinate, cross, "
		    "ocsp-responder, end-entity, crl, ocsp-response",
		    yaml->kind);
	if (ruleset < 0)
		compile_refuse(c, "PROFILE-RULESET", AT(c, "ruleset"),
		    "ruleset '%s' is not one of rfc5280, private, cabf-tls, "
		    "cabf-smime, cabf-cs",
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
		compile_refuse(c, "PROFILE-VALIDITY", AT(c, "validity.%s", key),
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
		compile_refuse(c, "PROFILE-VALIDITY", AT(c, "validity.default"),
		    "the default validity is longer than max");
	if (p->validity_default < p->validity_min)
		compile_refuse(c, "PROFILE-VALIDITY", AT(c, "validity.default"),
		    "the default validity is shorter than min");
}

static void
refuse_key(const struct compiler *c, const char *name, const char *place)
{
	uint64_t bits;

	if (strncmp(name, "rsa-", 4) == 0 &&
	    text_number(name + 4, 2047, &bits) == 0)
		compile_refuse(c, "KEY-RSA-MIN", place,
		    "key type '%s' is too short; RSA keys need 2048 bits",
		    name);
	else
		compile_refuse(c, "ALG-SPKI-EXACT", place,
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
			compile_refuse(c, "PROFILE-DUPLICATE",
			    AT(c, "keys[%u]", i),
			    "key type '%s' stands there twice", name);
		else
			p->keys[p->key_count++] = type;
	}
	if (!profile_is_certificate(p) && c->yaml->keys != NULL)
		compile_refuse(c, "PROFILE-KIND", AT(c, "keys"),
		    "what it makes has no subject key: remove 'keys'");
	if (profile_is_certificate(p) && c->yaml->keys_count == 0)
		compile_refuse(c, "PROFILE-KEYS", AT(c, "keys"),
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
			compile_refuse(c, "ALG-NO-SHA1",
			    AT(c, "signatures[%u]", i),
			    "signature algorithm '%s' is broken", name);
		else if (alg == NULL)
			compile_refuse(c, "ALG-SIG-EXACT",
			    AT(c, "signatures[%u]", i),
			    "signature algorithm '%s' is unknown or not "
			    "allowed",
			    name);
		else if (profile_allows_signature(p, alg))
			compile_refuse(c, "PROFILE-DUPLICATE",
			    AT(c, "signatures[%u]", i),
			    "signature algorithm '%s' stands there twice",
			    name);
		else
			p->signatures[p->signature_count++] = alg;
	}
	if (c->yaml->signatures_count == 0)
		compile_refuse(c, "PROFILE-SIGNATURES", AT(c, "signatures"),
		    "'signatures' must list the algorithms that are allowed");
}

bool
compile_attribute(const struct compiler *c, const char *attribute,
    const char *encoding, const char *place, const struct attribute **ret_row,
    enum name_encoding *ret_encoding)
{
	const struct attribute *row = attribute_by_name(attribute);
	enum name_encoding type = name_encoding_by_name(encoding);

	if (row == NULL) {
		compile_refuse(c, "NAM-CA-EXTRA", place,
		    "attribute '%s' is unknown or not allowed in names",
		    attribute);
		return false;
	}
	if (type == 0) {
		compile_refuse(c, "PROFILE-VALUE", place,
		    "encoding '%s' is not one of printable, utf8, ia5",
		    encoding);
		return false;
	}
	if ((row->encodings & type) == 0)
		compile_refuse(c, row->enc_id, place,
		    "%s may not be encoded as '%s'", attribute, encoding);
	*ret_row = row;
	*ret_encoding = type;
	return true;
}

bool
compile_from(const struct compiler *c, const char *text, const char *place)
{
	if (text == NULL || strcmp(text, "plan") == 0)
		return false;
	if (strcmp(text, "csr") != 0)
		compile_refuse(c, "PROFILE-VALUE", place,
		    "'%s' is neither 'plan' nor 'csr'", text);
	return true;
}

static void
compile_slot(const struct compiler *c, unsigned i)
{
	const struct attribute_yaml *yaml = &c->yaml->subject[i];
	struct subject_slot slot = {
		.required = compile_bool(
		    c, yaml->required, AT(c, "subject[%u].required", i)),
		.from_csr =
		    compile_from(c, yaml->from, AT(c, "subject[%u].from", i)),
	};

	if (compile_attribute(c, yaml->attribute, yaml->encoding,
		AT(c, "subject[%u]", i), &slot.attribute, &slot.encoding))
		c->profile->subject[c->profile->subject_count++] = slot;
}

/* So that a certificate tells again what came from where. */
static void
check_sources(const struct compiler *c)
{
	const struct profile *p = c->profile;

	for (size_t i = 0; i < p->subject_count; i++)
		for (size_t j = 0; j < i; j++)
			if (p->subject[i].attribute ==
				p->subject[j].attribute &&
			    p->subject[i].from_csr != p->subject[j].from_csr)
				compile_refuse(c, "PROFILE-SUBJECT",
				    AT(c, "subject[%zu]", i),
				    "%s comes either from the plan or from "
				    "the request, and not from both",
				    p->subject[i].attribute->name);
}

static void
compile_subject(const struct compiler *c)
{
	if (!profile_is_certificate(c->profile) && c->yaml->subject != NULL)
		compile_refuse(c, "PROFILE-KIND", AT(c, "subject"),
		    "what it makes has no subject: remove 'subject'");
	if (c->profile->kind == PROFILE_CROSS && c->yaml->subject != NULL)
		compile_refuse(c, "CROSS-SUBJECT-BYTES", AT(c, "subject"),
		    "the subject is that of the existing certificate: remove "
		    "'subject'");
	for (unsigned i = 0; i < c->yaml->subject_count; i++)
		compile_slot(c, i);
	check_sources(c);
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
	compile_refuse(c,
	    strcmp(name, "certificateHold") == 0 ? "CRL-REASON-NOHOLD"
						 : "CRL-REASON-SET",
	    place, "reason '%s' is unknown or not allowed", name);
}

static void
compile_reasons(const struct compiler *c)
{
	bool states = !profile_is_certificate(c->profile);

	if (!states && c->yaml->reasons != NULL)
		compile_refuse(c, "PROFILE-KIND", AT(c, "reasons"),
		    "only CRLs and OCSP responses have reasons: remove "
		    "'reasons'");
	if (states && c->yaml->reasons_count == 0)
		compile_refuse(c, "PROFILE-REASONS", AT(c, "reasons"),
		    "'reasons' must list the reasons that are allowed");
	for (unsigned i = 0; i < c->yaml->reasons_count; i++)
		compile_reason(c, i);
}

/* Which certificates a CRL or an OCSP response is about. */
static void
compile_covers(const struct compiler *c)
{
	static const char *const names[] = {
		[COVERS_CA] = "ca",
		[COVERS_USER] = "user",
		[COVERS_ALL] = "all",
	};
	const char *text = c->yaml->covers, *place = AT(c, "covers");
	struct profile *p = c->profile;

	if (profile_is_certificate(p)) {
		if (text != NULL)
			compile_refuse(c, "PROFILE-KIND", place,
			    "only CRLs and OCSP responses cover certificates: "
			    "remove 'covers'");
		return;
	}
	for (int i = 0; text != NULL && i <= COVERS_ALL; i++) {
		if (strcmp(text, names[i]) != 0 ||
		    (i == COVERS_ALL && p->kind != PROFILE_CRL))
			continue;
		p->covers = (enum profile_covers)i;
		return;
	}
	compile_refuse(c, "PROFILE-COVERS", place,
	    "'covers' must say which certificates it is about: ca, user%s",
	    p->kind == PROFILE_CRL ? " or all" : "");
}

static void
compile_sha1(const struct compiler *c)
{
	const char *text = c->yaml->also_sha1, *place = AT(c, "also-sha1");

	if (text == NULL)
		return;
	if (c->profile->kind != PROFILE_OCSP_RESPONSE)
		compile_refuse(c, "PROFILE-KIND", place,
		    "only OCSP responses have CertIDs: remove 'also-sha1'");
	c->profile->adds_sha1 = compile_bool(c, text, place);
}

/* Only what the rules themselves leave open can be acknowledged. */
static int
compile_allow_row(const struct compiler *c, unsigned i)
{
	const struct allow_yaml *yaml = &c->yaml->allow[i];
	const struct rule *rule = rule_by_id(yaml->id);
	const char *place = AT(c, "allow-lint[%u]", i);
	struct profile *p = c->profile;
	struct acknowledgement *row = &p->acknowledged[p->acknowledged_count];

	if (rule == NULL)
		compile_refuse(c, "PROFILE-ALLOW", place,
		    "'%s' is no rule: see ca-tool lint --list", yaml->id);
	else if (rule->level == RULE_MUST || rule->level == RULE_MUSTNOT)
		compile_refuse(c, "PROFILE-ALLOW", place,
		    "%s is a %s rule (%s), which nothing overrides", yaml->id,
		    rule_level_name(rule->level), rule->source);
	else if (rule->level == RULE_MAY)
		compile_refuse(c, "PROFILE-ALLOW", place,
		    "%s allows something, and needs no row here", yaml->id);
	else if (profile_acknowledges(p, yaml->id, NULL))
		compile_refuse(c, "PROFILE-DUPLICATE", place,
		    "%s stands there twice", yaml->id);
	if (yaml->reason[strspn(yaml->reason, " .-")] == '\0')
		compile_refuse(c, "PROFILE-ALLOW", place,
		    "%s needs a reason that people can weigh", yaml->id);
	row->id = text_copy(yaml->id);
	row->reason = text_copy(yaml->reason);
	if (row->id == NULL || row->reason == NULL)
		return -1;
	p->acknowledged_count++;
	return 0;
}

static int
compile_allow(const struct compiler *c)
{
	for (unsigned i = 0; i < c->yaml->allow_count; i++)
		if (compile_allow_row(c, i) != 0)
			return -1;
	return 0;
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
	compile_covers(c);
	compile_sha1(c);
	if (compile_extensions(c) != 0 || compile_allow(c) != 0)
		return -1;
	compile_reasons(c);
	profile_judge(profile, doc, findings);
	return 0;
}
