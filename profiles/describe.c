#include "profiles/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/general-name.h"
#include "profiles/private.h"

/* A sentence that grows word by word. */
struct sentence {
	char *text;
	size_t len;
	FILE *out;
};

static int
sentence_open(struct sentence *s)
{
	s->out = open_memstream(&s->text, &s->len);
	return s->out != NULL ? 0
			      : ca_error(CA_R_MEMORY, "no memory for a text");
}

static void say(struct sentence *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(struct sentence *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vfprintf(s->out, fmt, ap); /* sentence_close() tells */
	va_end(ap);
}

/* A new row with the sentence, which is over. */
static int
sentence_close(
    struct sentence *s, const char *key, struct description *description)
{
	AUTO_CHARS(text) = NULL;
	struct description_row *rows;
	char *copy, *safe;
	bool failed = ferror(s->out) != 0;

	failed |= fclose(s->out) != 0;
	text = s->text;
	rows =
	    realloc(description->rows, (description->count + 1) * sizeof *rows);
	if (rows != NULL)
		description->rows = rows;
	if (failed || rows == NULL || text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	copy = text_copy(key);
	safe = text_escape(text, s->len);
	if (copy == NULL || safe == NULL) {
		free(copy);
		free(safe);
		return -1;
	}
	rows[description->count++] = (struct description_row){ copy, safe };
	return 0;
}

void
description_clear(struct description *description)
{
	for (size_t i = 0; i < description->count; i++) {
		free(description->rows[i].key);
		free(description->rows[i].text);
	}
	free(description->rows);
	*description = (struct description){ 0 };
}

/* ---- words ------------------------------------------------------------ */

static void
say_list(struct sentence *s, const char *word, size_t i)
{
	say(s, "%s%s", i > 0 ? ", " : "", word);
}

static void
say_duration(struct sentence *s, int64_t seconds)
{
	AUTO_CHARS(text) = duration_format(seconds);

	/* Without memory the number says it as well. */
	if (text == NULL)
		say(s, "%" PRId64 " seconds", seconds);
	else
		say(s, "%s", text);
}

/* What OpenSSL has no name for, or one that nobody says; rules.md 7.5. */
static const struct {
	const char *oid, *name;
} spoken[] = {
	{ "2.5.29.32.0", "any policy" },
	{ "2.5.29.37.0", "any purpose" },
	{ "2.23.140.1.1", "extended-validation TLS" },
	{ "2.23.140.1.2.1", "domain-validated TLS" },
	{ "2.23.140.1.2.2", "organization-validated TLS" },
	{ "2.23.140.1.2.3", "individual-validated TLS" },
	{ "2.23.140.1.3", "extended-validation code signing" },
	{ "2.23.140.1.4.1", "code signing" },
	{ "2.23.140.1.4.2", "time stamping" },
	{ "2.23.140.1.5.1.2", "multipurpose mailbox-validated S/MIME" },
	{ "2.23.140.1.5.1.3", "strict mailbox-validated S/MIME" },
	{ "2.23.140.1.5.2.2", "multipurpose organization-validated S/MIME" },
	{ "2.23.140.1.5.2.3", "strict organization-validated S/MIME" },
	{ "2.23.140.1.5.3.2", "multipurpose sponsor-validated S/MIME" },
	{ "2.23.140.1.5.3.3", "strict sponsor-validated S/MIME" },
	{ "2.23.140.1.5.4.2", "multipurpose individual-validated S/MIME" },
	{ "2.23.140.1.5.4.3", "strict individual-validated S/MIME" },
};

static void
say_object(struct sentence *s, const ASN1_OBJECT *object, size_t i)
{
	char oid[256], name[256];

	(void)OBJ_obj2txt(oid, sizeof oid, object, 1);
	(void)OBJ_obj2txt(name, sizeof name, object, 0);
	for (size_t n = 0; n < sizeof spoken / sizeof spoken[0]; n++)
		if (strcmp(oid, spoken[n].oid) == 0)
			(void)snprintf(name, sizeof name, "%s", spoken[n].name);
	say(s, "%s%s", i > 0 ? ", " : "", name);
	if (strcmp(oid, name) != 0)
		say(s, " (%s)", oid);
}

static void
say_usages(struct sentence *s, unsigned usages)
{
	static const char *const names[] = { "digitalSignature",
		"nonRepudiation", "keyEncipherment", "dataEncipherment",
		"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly",
		"decipherOnly" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((usages & 1u << i) != 0)
			say_list(s, names[i], n++);
}

static void
say_subtrees(
    struct sentence *s, const char *what, const STACK_OF(GENERAL_SUBTREE) *list)
{
	int count = sk_GENERAL_SUBTREE_num(list);

	if (count <= 0)
		return;
	say(s, "; %s: ", what);
	for (int i = 0; i < count; i++) {
		AUTO_CHARS(name) = general_name_describe(
		    sk_GENERAL_SUBTREE_value(list, i)->base);

		say_list(s, name != NULL ? name : "?", (size_t)i);
	}
}

/* ---- extensions ------------------------------------------------------- */

static void
say_basic_constraints(struct sentence *s, const struct profile *p)
{
	say(s, p->ca ? "it is a CA" : "it is no CA");
	if (p->path_length == 0)
		say(s, " that may issue no further CAs");
	else if (p->path_length > 0)
		say(s, ", with at most %d CA%s below it in a path",
		    p->path_length, p->path_length == 1 ? "" : "s");
	else if (p->ca)
		say(s, ", with any number of CAs below it");
}

static void
say_key_usage(struct sentence *s, const struct profile *p)
{
	say(s, "the key is for ");
	say_usages(s, p->key_usage);
	if (p->rsa_usage != 0) {
		say(s, "; an RSA key also for ");
		say_usages(s, p->rsa_usage);
	}
	if (p->ec_usage != 0) {
		say(s, "; an EC key also for ");
		say_usages(s, p->ec_usage);
	}
}

static void
say_purposes(struct sentence *s, const struct profile *p)
{
	say(s, "only for ");
	for (size_t i = 0; i < p->purposes.count; i++)
		say_object(s, p->purposes.objects[i], i);
}

static void
say_policies(struct sentence *s, const struct profile *p)
{
	say(s, "under ");
	for (size_t i = 0; i < p->policies.count; i++) {
		say_object(s, p->policies.objects[i], i);
		if (p->cps[i] != NULL)
			say(s, " with its statement at %s", p->cps[i]);
	}
}

static void
say_mappings(struct sentence *s, const struct profile *p)
{
	for (size_t i = 0; i < p->mapping_count; i++) {
		say_object(s, p->mappings[i].issuer, i);
		say(s, " is called ");
		say_object(s, p->mappings[i].subject, 0);
		say(s, " below it");
	}
}

static void
say_constraints(struct sentence *s, const struct profile *p)
{
	say(s, "limits the names below it");
	say_subtrees(s, "permitted", p->constraints->permittedSubtrees);
	say_subtrees(s, "excluded", p->constraints->excludedSubtrees);
}

static void
say_policy_constraints(struct sentence *s, const struct profile *p)
{
	if (p->require_policy != PATH_LENGTH_NONE)
		say(s, "after %d certificates a path needs a policy%s",
		    p->require_policy,
		    p->inhibit_mapping != PATH_LENGTH_NONE ? "; " : "");
	if (p->inhibit_mapping != PATH_LENGTH_NONE)
		say(s, "after %d certificates policies are no longer mapped",
		    p->inhibit_mapping);
}

static void
say_inhibit_any(struct sentence *s, const struct profile *p)
{
	say(s, "after %d certificates anyPolicy no longer counts",
	    p->inhibit_any);
}

static bool
subject_may_be_empty(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].required)
			return false;
	return true;
}

static void
say_alt_names(struct sentence *s, const struct profile *p)
{
	size_t n = 0;

	say(s, "%s, of type ",
	    p->alt_required ? "one name or more" : "names, where given");
	for (int i = 0; i < ALT_TYPES; i++)
		if ((p->alt_types & ALT_BIT(i)) != 0)
			say_list(s, alt_type_name((enum alt_type)i), n++);
	say(s, "; from the %s", p->alt_from_csr ? "request" : "plan");
	if (subject_may_be_empty(p))
		say(s, "; critical where the subject is empty");
}

static void
say_crl_points(struct sentence *s, const struct profile *p)
{
	say(s, "where the issuer's CRL is: the authority's CRL URL");
	if (p->partitions > 0)
		say(s,
		    ", of one of %u partitions, which its serial number "
		    "decides",
		    p->partitions);
}

static void
say_access(struct sentence *s, const struct profile *p)
{
	say(s, "where to find %s%s%s: the authority's URLs",
	    p->url[URL_CA_ISSUERS] ? "the issuer's certificate" : "",
	    p->url[URL_CA_ISSUERS] && p->url[URL_OCSP] ? " and " : "",
	    p->url[URL_OCSP] ? "the OCSP responder" : "");
}

static void
say_nocheck(struct sentence *s, const struct profile *p)
{
	(void)p;
	say(s,
	    "its own status is not looked up: it cannot be revoked in "
	    "practice");
}

static void
say_ski(struct sentence *s, const struct profile *p)
{
	say(s,
	    p->kind == PROFILE_CROSS
		? "that of the existing certificate"
		: "the SHA-1 of the key's octets, to find it by");
}

static void
say_aki(struct sentence *s, const struct profile *p)
{
	say(s,
	    p->kind == PROFILE_ROOT ? "the identifier of its own key"
				    : "the identifier of the issuer's key");
}

static void
say_crl_number(struct sentence *s, const struct profile *p)
{
	(void)p;
	say(s, "the number of the CRL, which only grows");
}

static void
say_distribution_point(struct sentence *s, const struct profile *p)
{
	say(s, "the CRL is for certificates with its URL");
	if (p->only_covered)
		say(s, ", and only for those of %s",
		    p->covers == COVERS_CA ? "CAs" : "end entities");
}

static void (*const sayers[EXT_COUNT])(
    struct sentence *s, const struct profile *p) = {
	[EXT_BASIC_CONSTRAINTS] = say_basic_constraints,
	[EXT_KEY_USAGE] = say_key_usage,
	[EXT_EXTENDED_KEY_USAGE] = say_purposes,
	[EXT_CERTIFICATE_POLICIES] = say_policies,
	[EXT_POLICY_MAPPINGS] = say_mappings,
	[EXT_NAME_CONSTRAINTS] = say_constraints,
	[EXT_POLICY_CONSTRAINTS] = say_policy_constraints,
	[EXT_INHIBIT_ANY_POLICY] = say_inhibit_any,
	[EXT_SUBJECT_ALTERNATIVE_NAME] = say_alt_names,
	[EXT_CRL_DISTRIBUTION_POINTS] = say_crl_points,
	[EXT_AUTHORITY_INFORMATION_ACCESS] = say_access,
	[EXT_OCSP_NOCHECK] = say_nocheck,
	[EXT_SUBJECT_KEY_IDENTIFIER] = say_ski,
	[EXT_AUTHORITY_KEY_IDENTIFIER] = say_aki,
	[EXT_CRL_NUMBER] = say_crl_number,
	[EXT_ISSUING_DISTRIBUTION_POINT] = say_distribution_point,
};

static bool
is_critical(const struct profile *p, size_t id)
{
	return extensions[id].critical ||
	    (id == EXT_EXTENDED_KEY_USAGE && profile_purposes_critical(p));
}

static int
describe_extensions(const struct profile *p, struct description *description)
{
	for (size_t i = 0; i < EXT_COUNT; i++) {
		struct sentence s;
		char key[64];

		if (!p->has[i])
			continue;
		(void)snprintf(
		    key, sizeof key, "extensions.%s", extensions[i].key);
		if (sentence_open(&s) != 0)
			return -1;
		sayers[i](&s, p);
		if (is_critical(p, i))
			say(&s, "; critical");
		if (sentence_close(&s, key, description) != 0)
			return -1;
	}
	return 0;
}

/* ---- the rest --------------------------------------------------------- */

static void
say_kind(struct sentence *s, const struct profile *p)
{
	static const char *const makes[PROFILE_KINDS] = {
		[PROFILE_ROOT] = "a root CA's certificate, signed by itself",
		[PROFILE_SUBORDINATE] = "the certificate of a CA below another",
		[PROFILE_CROSS] = ("a second certificate of a CA that exists, "
				   "by another CA, with its name and key"),
		[PROFILE_OCSP_RESPONDER] =
		    "the certificate of a delegated OCSP responder",
		[PROFILE_END_ENTITY] = "the certificate of an end entity",
		[PROFILE_CRL] = "a certificate revocation list",
		[PROFILE_OCSP_RESPONSE] = "an OCSP response, signed in advance",
	};

	say(s, "makes %s", makes[p->kind]);
}

static void
say_id(struct sentence *s, const struct profile *p)
{
	say(s, "%s", p->id);
}

static void
say_title(struct sentence *s, const struct profile *p)
{
	say(s, "%s", p->title);
}

static void
say_ruleset(struct sentence *s, const struct profile *p)
{
	unsigned bits = profile_rulesets(p);
	size_t n = 0;

	say(s, "held to ");
	for (int i = RULESET_COUNT - 1; i >= 0; i--)
		if ((bits & RULESET_BIT(i)) != 0)
			say_list(s, ruleset_name((enum ruleset)i), n++);
}

static void
say_keys(struct sentence *s, const struct profile *p)
{
	size_t n = 0;

	say(s,
	    p->kind == PROFILE_CROSS ? "the existing key is one of "
				     : "the key is one of ");
	/* Their order in the file means nothing. */
	for (size_t i = 0; key_type_at(i) != NULL; i++)
		if (profile_allows_key(p, key_type_at(i)))
			say_list(s, key_type_at(i)->name, n++);
}

static void
say_signatures(struct sentence *s, const struct profile *p)
{
	size_t n = 0;

	say(s, "signed with one of ");
	for (size_t i = 0; sigalg_at(i) != NULL; i++)
		if (profile_allows_signature(p, sigalg_at(i)))
			say_list(s, sigalg_at(i)->name, n++);
}

static void
say_validity(struct sentence *s, const struct profile *p)
{
	say(s, "valid for ");
	say_duration(s, p->validity_default);
	say(s, " unless the plan says another length, of ");
	if (p->validity_min != 0) {
		say(s, "at least ");
		say_duration(s, p->validity_min);
		say(s, " and ");
	}
	say(s, "at most ");
	say_duration(s, p->validity_max);
}

static void
say_covers(struct sentence *s, const struct profile *p)
{
	static const char *const names[] = {
		[COVERS_CA] = "about certificates of CAs and OCSP responders",
		[COVERS_USER] = "about certificates of end entities",
		[COVERS_ALL] = "about all certificates of the CA",
	};

	say(s, "%s", names[p->covers]);
}

static void
say_reasons(struct sentence *s, const struct profile *p)
{
	size_t n = 0;

	say(s, "a revocation's reason is one of ");
	for (int i = 0; i < REASON_COUNT; i++)
		if (p->reasons[i])
			say_list(
			    s, reason_name((enum revocation_reason)i), n++);
}

static void
say_sha1(struct sentence *s, const struct profile *p)
{
	(void)p;
	say(s,
	    "each status is said a second time for clients that ask with "
	    "SHA-1");
}

static bool
is_certificate(const struct profile *p)
{
	return profile_is_certificate(p);
}

static bool
is_status(const struct profile *p)
{
	return !profile_is_certificate(p);
}

static bool
adds_sha1(const struct profile *p)
{
	return p->adds_sha1;
}

static const struct {
	const char *key;
	void (*say)(struct sentence *s, const struct profile *p);
	bool (*applies)(const struct profile *p); /* NULL: always */
} heads[] = {
	{ "id", say_id, NULL },
	{ "title", say_title, NULL },
	{ "kind", say_kind, NULL },
	{ "ruleset", say_ruleset, NULL },
	{ "covers", say_covers, is_status },
	{ "keys", say_keys, is_certificate },
	{ "signatures", say_signatures, NULL },
	{ "validity", say_validity, NULL },
	{ "reasons", say_reasons, is_status },
	{ "also-sha1", say_sha1, adds_sha1 },
};

static int
describe_heads(const struct profile *p, struct description *description)
{
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
		struct sentence s;

		if (heads[i].applies != NULL && !heads[i].applies(p))
			continue;
		if (sentence_open(&s) != 0)
			return -1;
		heads[i].say(&s, p);
		if (sentence_close(&s, heads[i].key, description) != 0)
			return -1;
	}
	return 0;
}

static const char *
encoding_name(enum name_encoding encoding)
{
	return encoding == NAME_PRINTABLE ? "PrintableString"
	    : encoding == NAME_IA5        ? "IA5String"
					  : "UTF8String";
}

static int
describe_subject(const struct profile *p, struct description *description)
{
	for (size_t i = 0; i < p->subject_count; i++) {
		const struct subject_slot *slot = &p->subject[i];
		struct sentence s;
		char key[32];

		(void)snprintf(key, sizeof key, "subject[%zu]", i);
		if (sentence_open(&s) != 0)
			return -1;
		say(&s, "%s, %s, from the %s, as %s", slot->attribute->name,
		    slot->required ? "required" : "where given",
		    slot->from_csr ? "request" : "plan",
		    encoding_name(slot->encoding));
		if (sentence_close(&s, key, description) != 0)
			return -1;
	}
	return 0;
}

static int
describe_allowed(const struct profile *p, struct description *description)
{
	for (size_t i = 0; i < p->acknowledged_count; i++) {
		const struct acknowledgement *row = &p->acknowledged[i];
		const struct rule *rule = rule_by_id(row->id);
		struct sentence s;
		char key[128];

		(void)snprintf(key, sizeof key, "allow-lint.%s", row->id);
		if (sentence_open(&s) != 0)
			return -1;
		say(&s, "what %s finds (%s) is acknowledged: %s", row->id,
		    rule != NULL ? rule_level_name(rule->level) : "",
		    row->reason);
		if (sentence_close(&s, key, description) != 0)
			return -1;
	}
	return 0;
}

int
profile_describe(const struct profile *profile, struct description *ret)
{
	AUTO_STRUCT(description) description = { 0 };

	if (describe_heads(profile, &description) != 0 ||
	    describe_subject(profile, &description) != 0 ||
	    describe_extensions(profile, &description) != 0 ||
	    describe_allowed(profile, &description) != 0)
		return -1;
	*ret = description;
	description = (struct description){ 0 }; /* moved out */
	return 0;
}
