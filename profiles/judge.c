/* What a ruleset says of a compiled profile: the matrix, then its values. */
#include <string.h>

#include "base/date.h"
#include "base/yaml.h"
#include "profiles/private.h"

enum {
	CA_CRL_MAX_DAYS = 365, /* "12 months" in every reading */
	ROOT_MIN_DAYS = 2922,
	ROOT_MAX_DAYS = 9132,
	RESPONDER_MAX_DAYS = 397, /* 13 months */
};

/* Kinds of objects, as bits. */
enum {
	FOR_ROOT = 1 << PROFILE_ROOT,
	FOR_SUB = 1 << PROFILE_SUBORDINATE,
	FOR_OCSP = 1 << PROFILE_OCSP_RESPONDER,
	FOR_CRL = 1 << PROFILE_CRL,
	FOR_CA = FOR_ROOT | FOR_SUB,
	FOR_CERTIFICATES = FOR_CA | FOR_OCSP,
};

/* One rule about values; `broken` says whether a profile offends it. */
struct value_rule {
	const char *id;
	unsigned kinds;
	enum severity severity[RULESET_COUNT];
	const char *path; /* where in the file */
	const char *source;
	const char *text;
	bool (*broken)(const struct profile *profile);
};

#define ALWAYS                               \
	{                                    \
		FINDING_ERROR, FINDING_ERROR \
	}
#define PRIVATE_ONLY                           \
	{                                      \
		FINDING_WARNING, FINDING_ERROR \
	}
#define ADVICE                                   \
	{                                        \
		FINDING_WARNING, FINDING_WARNING \
	}

static bool
is_no_ca(const struct profile *p)
{
	return p->has[EXT_BASIC_CONSTRAINTS] && !p->ca;
}

static bool
is_a_ca(const struct profile *p)
{
	return p->ca;
}

static bool
path_length_without_ca(const struct profile *p)
{
	return p->path_length != PATH_LENGTH_NONE &&
	    (!p->ca || (p->key_usage & KEY_USAGE_CERT_SIGN) == 0);
}

static bool
has_path_length(const struct profile *p)
{
	return p->path_length != PATH_LENGTH_NONE;
}

static bool
key_usage_not_for_ca(const struct profile *p)
{
	const unsigned need = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN;

	return p->has[EXT_KEY_USAGE] &&
	    (p->key_usage & ~(unsigned)KEY_USAGE_DIGITAL_SIGNATURE) != need;
}

static bool
key_usage_not_for_responder(const struct profile *p)
{
	return p->has[EXT_KEY_USAGE] &&
	    p->key_usage != KEY_USAGE_DIGITAL_SIGNATURE;
}

static bool
has_ocsp_signing(const struct profile *p)
{
	return object_list_has(&p->purposes, NID_OCSP_sign);
}

static bool
has_any_purpose(const struct profile *p)
{
	return object_list_has(&p->purposes, NID_anyExtendedKeyUsage);
}

static bool
not_only_ocsp_signing(const struct profile *p)
{
	return p->has[EXT_EXTENDED_KEY_USAGE] &&
	    (p->purposes.count != 1 || !has_ocsp_signing(p));
}

static bool
has_ca_issuers(const struct profile *p)
{
	return p->url[URL_CA_ISSUERS];
}

static bool
has_no_ca_issuers(const struct profile *p)
{
	return p->has[EXT_AUTHORITY_INFORMATION_ACCESS] &&
	    !p->url[URL_CA_ISSUERS];
}

static bool
root_too_short(const struct profile *p)
{
	return p->validity_default < (int64_t)ROOT_MIN_DAYS * DAY_SECONDS;
}

static bool
root_too_long(const struct profile *p)
{
	return p->validity_max > (int64_t)ROOT_MAX_DAYS * DAY_SECONDS;
}

static bool
responder_too_long(const struct profile *p)
{
	return p->validity_max > (int64_t)RESPONDER_MAX_DAYS * DAY_SECONDS;
}

static bool
crl_too_long(const struct profile *p)
{
	return p->validity_max > (int64_t)CA_CRL_MAX_DAYS * DAY_SECONDS;
}

static bool
lacks(const struct profile *p, int nid)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].attribute->nid == nid &&
		    p->subject[i].required)
			return false;
	return true;
}

static bool
lacks_country(const struct profile *p)
{
	return lacks(p, NID_countryName);
}

static bool
lacks_organization(const struct profile *p)
{
	return lacks(p, NID_organizationName);
}

static bool
lacks_common_name(const struct profile *p)
{
	return lacks(p, NID_commonName);
}

static bool
requires_nothing(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].required)
			return false;
	return true;
}

static bool
has_unit(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].attribute->nid == NID_organizationalUnitName)
			return true;
	return false;
}

static bool
out_of_order(const struct profile *p)
{
	unsigned last = 0;

	for (size_t i = 0; i < p->subject_count; i++) {
		unsigned rank = p->subject[i].attribute->rank;

		if (rank != 0 && rank < last)
			return true;
		last = rank != 0 ? rank : last;
	}
	return false;
}

static bool
has_duplicate(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		for (size_t j = 0; j < i; j++)
			if (p->subject[i].attribute ==
				p->subject[j].attribute &&
			    !p->subject[i].attribute->repeats)
				return true;
	return false;
}

static const struct value_rule value_rules[] = {
	{ "ROOT-BC", FOR_ROOT, ALWAYS, "extensions.basic-constraints.ca",
	    "RFC 5280, section 4.2.1.9", "a root must be a CA", is_no_ca },
	{ "SUB-BC", FOR_SUB, ALWAYS, "extensions.basic-constraints.ca",
	    "RFC 5280, section 4.2.1.9", "a subordinate CA must be a CA",
	    is_no_ca },
	{ "OCR-BC", FOR_OCSP, ALWAYS, "extensions.basic-constraints.ca",
	    "TLS BR, section 7.1.2.8.4", "a responder may not be a CA",
	    is_a_ca },
	{ "BC-PATHLEN-COND", FOR_CERTIFICATES, ALWAYS,
	    "extensions.basic-constraints.path-length",
	    "RFC 5280, section 4.2.1.9",
	    "a path length is for a CA with key-cert-sign only",
	    path_length_without_ca },
	{ "ROOT-NO-PATHLEN", FOR_ROOT, ADVICE,
	    "extensions.basic-constraints.path-length",
	    "TLS BR, section 7.1.2.1.4", "a root should have no path length",
	    has_path_length },
	{ "ROOT-KU", FOR_ROOT, ALWAYS, "extensions.key-usage",
	    "TLS BR, section 7.1.2.10.7",
	    "a CA's key usage is key-cert-sign and crl-sign; only "
	    "digital-signature may be added",
	    key_usage_not_for_ca },
	{ "SUB-KU", FOR_SUB, ALWAYS, "extensions.key-usage",
	    "TLS BR, section 7.1.2.10.7",
	    "a CA's key usage is key-cert-sign and crl-sign; only "
	    "digital-signature may be added",
	    key_usage_not_for_ca },
	{ "OCR-KU", FOR_OCSP, ALWAYS, "extensions.key-usage",
	    "TLS BR, section 7.1.2.8.7",
	    "a responder's key usage is digital-signature alone",
	    key_usage_not_for_responder },
	{ "SUB-NO-OCSPSIGNING", FOR_CA, ALWAYS, "extensions.extended-key-usage",
	    "RFC 6960, section 4.2.2.2",
	    "a CA with ocsp-signing could answer for its issuer's "
	    "certificates: remove it",
	    has_ocsp_signing },
	{ "TLSSUB-EKU-FORBIDDEN", FOR_SUB, ADVICE,
	    "extensions.extended-key-usage", "TLS BR, section 7.1.2.10.6",
	    "'any' gives up the limit that the purposes set", has_any_purpose },
	{ "OCR-EKU", FOR_OCSP, ALWAYS, "extensions.extended-key-usage",
	    "TLS BR, section 7.1.2.8.5",
	    "a responder's purpose is ocsp-signing alone",
	    not_only_ocsp_signing },
	{ "OCR-NO-AIA", FOR_OCSP, PRIVATE_ONLY,
	    "extensions.authority-information-access",
	    "TLS BR, section 7.1.2.8.3",
	    "a responder's certificate may not point to ca-issuers",
	    has_ca_issuers },
	{ "SUB-AIA", FOR_SUB, ADVICE, "extensions.authority-information-access",
	    "TLS BR, section 7.1.2.10.3",
	    "a subordinate CA should point to ca-issuers", has_no_ca_issuers },
	{ "ROOT-LIFE-MIN", FOR_ROOT, ADVICE, "validity.default",
	    "TLS BR, section 7.1.2.1.1",
	    "a root should be valid for 2922 days or more", root_too_short },
	{ "ROOT-LIFE-MAX", FOR_ROOT, ADVICE, "validity.max",
	    "TLS BR, section 7.1.2.1.1",
	    "a root should be valid for 9132 days at most", root_too_long },
	{ "OCR-LIFE-SHORT", FOR_OCSP, ADVICE, "validity.max",
	    "RFC 6960, section 4.2.2.2.1",
	    "a responder that cannot be revoked should be valid for 13 months "
	    "at most",
	    responder_too_long },
	{ "CRL-NEXTUPDATE-CA", FOR_CRL, PRIVATE_ONLY, "validity.max",
	    "TLS BR, section 7.2",
	    "a CA's CRL may be valid for 365 days at most", crl_too_long },
	{ "NAM-CA-NONEMPTY", FOR_CA, ALWAYS, "subject",
	    "RFC 5280, section 4.1.2.6",
	    "a CA has a name: some attribute must be required",
	    requires_nothing },
	{ "NAM-CA-C", FOR_CERTIFICATES, ADVICE, "subject",
	    "TLS BR, section 7.1.2.10.2", "country should be required",
	    lacks_country },
	{ "NAM-CA-O", FOR_CERTIFICATES, ADVICE, "subject",
	    "TLS BR, section 7.1.2.10.2", "organization should be required",
	    lacks_organization },
	{ "NAM-CA-CN", FOR_CERTIFICATES, ADVICE, "subject",
	    "TLS BR, section 7.1.2.10.2", "common-name should be required",
	    lacks_common_name },
	{ "NAM-CA-NO-OU", FOR_CA, ADVICE, "subject",
	    "TLS BR, section 7.1.2.10.2",
	    "organizational-unit is discouraged in names of CAs", has_unit },
	{ "NAM-ORDER", FOR_CERTIFICATES, ALWAYS, "subject",
	    "TLS BR, section 7.1.4.2",
	    "attributes must stand in the order domain-component, country, "
	    "state, locality, postal-code, street, organization, surname, "
	    "given-name, organizational-unit, common-name",
	    out_of_order },
	{ "NAM-NO-DUP", FOR_CERTIFICATES, ALWAYS, "subject",
	    "TLS BR, section 7.1.4.1",
	    "only domain-component and street may stand there twice",
	    has_duplicate },
};

/* An RFC's demand binds every ruleset; the BR's own advise under rfc5280. */
static enum severity
matrix_severity(const struct profile *p, const struct extension_rule *rule)
{
	if (rule->mark == MARK_SHOULD || rule->mark == MARK_SHOULD_NOT)
		return FINDING_WARNING;
	return rule->rfc || p->ruleset != RULESET_RFC5280 ? FINDING_ERROR
							  : FINDING_WARNING;
}

static const char *
matrix_complaint(enum extension_mark mark, bool present)
{
	switch (mark) {
	case MARK_MUST:
		return present ? NULL : "must be there";
	case MARK_SHOULD:
		return present ? NULL : "should be there";
	case MARK_MUST_NOT:
		return present ? "may not be there" : NULL;
	case MARK_SHOULD_NOT:
		return present ? "should not be there" : NULL;
	case MARK_MAY:
		break;
	}
	return NULL;
}

static void
judge_extension(const struct profile *p, enum extension_id id, struct yaml *doc,
    struct findings *findings)
{
	const struct extension_rule *rule = extension_rule(p->kind, id);
	const char *complaint = matrix_complaint(rule->mark, p->has[id]);

	if (complaint != NULL)
		findings_add(findings, matrix_severity(p, rule), rule->id,
		    yaml_place(doc, "extensions.%s", extensions[id].key),
		    rule->source, "extension %s %s in a %s profile",
		    extensions[id].key, complaint, profile_kind_name(p->kind));
}

void
profile_judge(
    const struct profile *profile, struct yaml *doc, struct findings *findings)
{
	for (size_t i = 0; i < EXT_COUNT; i++)
		judge_extension(profile, (enum extension_id)i, doc, findings);
	for (size_t i = 0; i < sizeof value_rules / sizeof value_rules[0];
	     i++) {
		const struct value_rule *rule = &value_rules[i];

		if ((rule->kinds & 1U << profile->kind) != 0 &&
		    rule->broken(profile))
			findings_add(findings, rule->severity[profile->ruleset],
			    rule->id, yaml_place(doc, "%s", rule->path),
			    rule->source, "%s", rule->text);
	}
}
