/* certificatePolicies: RFC 5280, section 4.2.1.4; RFC 6818; BR 7.1.2.10.5. */
#include <string.h>

#include <openssl/objects.h>

#include "profiles/lint/ca-private.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/nfc.h"
#include "profiles/lint/octets.h"
#include "profiles/lint/uri.h"

#define ANY_POLICY "2.5.29.32.0"
#define QUALIFIER_CPS "1.3.6.1.5.5.7.2.1"
#define QUALIFIER_USER_NOTICE "1.3.6.1.5.5.7.2.2"

static const char *const reserved_policies[] = {
	"2.23.140.1.2.1", /* domain validated */
	"2.23.140.1.2.2", /* organisation validated */
	"2.23.140.1.2.3", /* individual validated */
	"2.23.140.1.1",   /* extended validation */
};

/* One PolicyInformation. */
struct policy {
	struct der oid, qualifiers; /* contents */
};

/* `rows` stays where it is if what stands there is none. */
static bool
take_policy(struct der *rows, struct policy *ret_policy)
{
	struct policy policy = { .qualifiers = { NULL, 0 } };
	struct der rest = *rows, body;

	if (!der_take(&rest, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_OID, &policy.oid, NULL))
		return false;
	(void)der_take(&body, DER_SEQUENCE, &policy.qualifiers, NULL);
	if (body.len != 0)
		return false;
	*rows = rest;
	*ret_policy = policy;
	return true;
}

/* PolicyQualifierInfo; ret_value is the whole element behind the OID. */
static bool
take_qualifier(struct der *rows, struct der *ret_oid, struct der *ret_value)
{
	struct der rest = *rows, body, contents;

	if (!der_take(&rest, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_OID, ret_oid, NULL) ||
	    !der_take_any(&body, &contents, ret_value) || body.len != 0)
		return false;
	*rows = rest;
	return true;
}

/* PolicyInformation by PolicyInformation; empty where there are none. */
static struct der
policies_of(const struct lint_extensions *extensions)
{
	struct der rows = { NULL, 0 };

	(void)lint_extension_sequence(
	    extensions, NID_certificate_policies, NULL, &rows);
	return rows;
}

static bool
is_any(struct der oid)
{
	return lint_oid_is(oid, ANY_POLICY);
}

static bool
is_reserved(struct der oid)
{
	for (size_t i = 0;
	     i < sizeof reserved_policies / sizeof *reserved_policies; i++)
		if (lint_oid_is(oid, reserved_policies[i]))
			return true;
	return false;
}

struct counts {
	size_t all, any, reserved;
	struct der first; /* OID */
};

static struct counts
count_policies(const struct lint_run *run)
{
	struct counts counts = { .all = 0 };
	struct der rows = policies_of(run->extensions);
	struct policy policy;

	while (take_policy(&rows, &policy)) {
		if (counts.all++ == 0)
			counts.first = policy.oid;
		counts.any += is_any(policy.oid);
		counts.reserved += is_reserved(policy.oid);
	}
	return counts;
}

/* ---- which policies --------------------------------------------------------- */

/* That its holder is an affiliate, the names tell (ca-private.h). */
static void
pol_ca_form(struct lint_run *run)
{
	const struct counts n = count_policies(run);

	if (n.all == 0)
		return;
	if (n.any > 0 && n.all > n.any)
		lint_found(run, n.first,
		    "anyPolicy stands beside other policies: give it alone, or "
		    "leave it out");
	if (n.any > 0 && !ca_same_organization(run->certificate))
		lint_found(run, n.first,
		    "anyPolicy is for affiliates of the issuer, and issuer and "
		    "subject name different organizations");
	if (n.any == 0 && n.reserved == 0)
		lint_found(run, n.first,
		    "none of the policies is a reserved one of the CA/Browser "
		    "Forum: give exactly one, or anyPolicy alone");
	if (n.reserved > 1)
		lint_found(run, n.first,
		    "%zu policies are reserved ones of the CA/Browser Forum: "
		    "give exactly one",
		    n.reserved);
}

static void
pol_policyca_trap(struct lint_run *run)
{
	const struct counts n = count_policies(run);
	const BASIC_CONSTRAINTS *bc = run->values->basic_constraints;
	const bool has_cas_below =
	    bc == NULL || bc->pathlen == NULL || ASN1_INTEGER_get(bc->pathlen);

	if (n.reserved > 1 && has_cas_below)
		lint_found(run, n.first,
		    "a policy CA cannot list %zu reserved policies for the CAs "
		    "below it: give it anyPolicy alone, or make one policy CA "
		    "for each",
		    n.reserved);
}

static void
pol_first(struct lint_run *run)
{
	const struct counts n = count_policies(run);
	char text[LINT_OID_TEXT];

	if (n.reserved > 0 && !is_reserved(n.first))
		lint_found(run, n.first,
		    "the first policy is %s: put the reserved one first",
		    lint_oid_text(n.first, text));
}

static void
pol_noncrit(struct lint_run *run)
{
	lint_criticality(
	    run, NID_certificate_policies, "certificatePolicies", false);
}

/* All OIDs of the policies, for look-ups.  -1: out of memory. */
static int
collect(const struct lint_extensions *extensions, struct octets_list *list)
{
	struct der rows = policies_of(extensions);
	struct policy policy;

	while (take_policy(&rows, &policy))
		if (octets_add(list, policy.oid) != 0)
			return -1;
	return 0;
}

static void
pol_no_dup(struct lint_run *run)
{
	AUTO_STRUCT(octets_list) oids = { .rows = NULL };
	char text[LINT_OID_TEXT];
	struct der twice;

	if (collect(run->extensions, &oids) != 0)
		lint_unsure(run, "out of memory");
	else if (octets_duplicate(&oids, &twice))
		lint_found(run, twice, "policy %s is there twice",
		    lint_oid_text(twice, text));
}

/* ---- qualifiers ------------------------------------------------------------- */

static void
check_cps(const struct lint_run *run, struct der value)
{
	struct der in = value, uri;
	const char *fault;

	if (!der_take(&in, DER_IA5_STRING, &uri, NULL) || in.len != 0)
		lint_found(
		    run, value, "the URI of a CPS qualifier is no IA5String");
	else if (!uri_parse_http(uri, true, NULL, &fault))
		lint_found(run, value, "the URI of a CPS qualifier, '%.*s', %s",
		    LINT_SHOWN(uri), fault);
}

static void
check_qualifiers(const struct lint_run *run, struct der qualifiers)
{
	char text[LINT_OID_TEXT];
	struct der oid, value;

	while (take_qualifier(&qualifiers, &oid, &value)) {
		if (lint_oid_is(oid, QUALIFIER_CPS)) {
			lint_found(run, oid,
			    "a policy has a CPS qualifier: none is "
			    "recommended");
			check_cps(run, value);
		} else if (lint_oid_is(oid, QUALIFIER_USER_NOTICE))
			lint_binding(run, oid,
			    "a policy has a userNotice qualifier, which is not "
			    "permitted");
		else
			lint_binding(run, oid,
			    "a policy has the qualifier %s, which is not "
			    "permitted",
			    lint_oid_text(oid, text));
	}
}

static void
pol_qualifiers(struct lint_run *run)
{
	struct der rows = policies_of(run->extensions);
	struct policy policy;

	while (take_policy(&rows, &policy))
		check_qualifiers(run, policy.qualifiers);
}

/* False: what stands there is no list of PolicyQualifierInfo. */
static bool
check_any_qualifiers(const struct lint_run *run, const struct policy *policy)
{
	char text[LINT_OID_TEXT];
	struct der rows = policy->qualifiers, oid, value;

	while (take_qualifier(&rows, &oid, &value))
		if (is_any(policy->oid) && !lint_oid_is(oid, QUALIFIER_CPS) &&
		    !lint_oid_is(oid, QUALIFIER_USER_NOTICE))
			lint_found(run, oid,
			    "anyPolicy has the qualifier %s: only CPS and "
			    "userNotice may stand there",
			    lint_oid_text(oid, text));
	return rows.len == 0 &&
	    (policy->qualifiers.p == NULL || policy->qualifiers.len > 0);
}

static void
pol_any_qual(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_certificate_policies);
	struct der rows = { NULL, 0 };
	struct policy policy;
	bool fine;

	if (row == NULL)
		return;
	fine = lint_extension_sequence(
	    run->extensions, NID_certificate_policies, NULL, &rows);
	while (take_policy(&rows, &policy))
		fine = check_any_qualifiers(run, &policy) && fine;
	if (!fine || rows.len != 0)
		lint_found(run, row->value,
		    "certificatePolicies is not the SEQUENCE of RFC 5280, "
		    "section 4.2.1.4");
}

/* ---- explicitText ----------------------------------------------------------- */

enum {
	TEXT_MAX = 200,
	TAG_VISIBLE_STRING = 0x1a,
	C0_END = 0x20,
	DELETE = 0x7f,
	C1_END = 0xa0,
	FIRST_MARK = 0x300, /* what is below is in NFC in any order */
	SURROGATES = 0xd800,
	SURROGATES_END = 0xe000,
	UNICODE_END = 0x110000,
};

/* One character of UTF-8 off the front; false: not well-formed. */
static bool
take_utf8(struct der *in, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char first = in->p[0];
	size_t len = first < 0x80    ? 1
	    : (first & 0xe0) == 0xc0 ? 2
	    : (first & 0xf0) == 0xe0 ? 3
	    : (first & 0xf8) == 0xf0 ? 4
				     : 0;
	uint32_t code;

	if (len == 0 || len > in->len)
		return false;
	code = len == 1 ? first : first & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((in->p[i] & 0xc0) != 0x80)
			return false;
		code = code << 6 | (in->p[i] & 0x3f);
	}
	if (code < least[len] || code >= UNICODE_END ||
	    (code >= SURROGATES && code < SURROGATES_END))
		return false;
	in->p += len;
	in->len -= len;
	*ret_code = code;
	return true;
}

/* BMPString: the same of UCS-2. */
static bool
take_bmp(struct der *in, uint32_t *ret_code)
{
	uint32_t code;

	if (in->len < 2)
		return false;
	code = (uint32_t)in->p[0] << 8 | in->p[1];
	in->p += 2;
	in->len -= 2;
	*ret_code = code;
	return code < SURROGATES || code >= SURROGATES_END;
}

static bool
take_character(struct der *in, unsigned tag, uint32_t *ret_code)
{
	if (tag == DER_BMP_STRING)
		return take_bmp(in, ret_code);
	return take_utf8(in, ret_code) &&
	    (tag == DER_UTF8_STRING || *ret_code < 0x80);
}

struct characters {
	uint32_t first[TEXT_MAX]; /* of them */
	size_t count;
	bool has_control, has_marks, malformed;
};

static void
read_characters(struct der in, unsigned tag, struct characters *ret)
{
	uint32_t code;

	ret->count = 0;
	ret->has_control = ret->has_marks = ret->malformed = false;
	while (in.len > 0) {
		if (!take_character(&in, tag, &code)) {
			ret->malformed = true;
			return;
		}
		if (code < C0_END || (code >= DELETE && code < C1_END))
			ret->has_control = true;
		if (code >= FIRST_MARK)
			ret->has_marks = true;
		if (ret->count < TEXT_MAX)
			ret->first[ret->count] = code;
		ret->count++;
	}
}

/* False: not in NFC, which is then not asked again. */
static bool
check_characters(const struct lint_run *run, struct der where,
    const struct characters *c, bool ask_nfc)
{
	if (c->malformed)
		lint_found(run, where,
		    "explicitText is not well-formed in its character set");
	if (c->has_control)
		lint_found(run, where, "explicitText holds control characters");
	if (c->count > TEXT_MAX)
		lint_found(run, where,
		    "explicitText has %zu characters: no more than 200 are "
		    "allowed",
		    c->count);
	if (!ask_nfc || c->malformed || c->count > TEXT_MAX || !c->has_marks ||
	    nfc_is_normal(c->first, c->count))
		return true;
	lint_found(
	    run, where, "explicitText is not in Unicode Normalization Form C");
	return false;
}

static bool
check_explicit_text(const struct lint_run *run, struct der text, bool ask_nfc)
{
	struct characters characters;
	struct der in = text, contents;
	const unsigned tag = text.p[0];

	if (tag != DER_UTF8_STRING && tag != TAG_VISIBLE_STRING &&
	    tag != DER_BMP_STRING) {
		lint_found(run, text,
		    "explicitText is %s: make it a UTF8String",
		    tag == DER_IA5_STRING ? "an IA5String"
					  : "no DisplayText of RFC 5280");
		return true;
	}
	(void)der_take(&in, tag, &contents, NULL);
	read_characters(contents, tag, &characters);
	return check_characters(run, text, &characters, ask_nfc);
}

static bool
check_user_notice(const struct lint_run *run, struct der value, bool ask_nfc)
{
	struct der body, contents, text;

	if (!der_take(&value, DER_SEQUENCE, &body, NULL)) {
		lint_found(run, value, "a userNotice is no SEQUENCE");
		return true;
	}
	if (der_take(&body, DER_SEQUENCE, NULL, &contents))
		lint_found(run, contents,
		    "a userNotice holds noticeRef: leave it out");
	if (body.len == 0)
		return true;
	if (!der_take_any(&body, &contents, &text) || body.len != 0) {
		lint_found(run, value,
		    "a userNotice is not the SEQUENCE of RFC 5280, section "
		    "4.2.1.4");
		return true;
	}
	return check_explicit_text(run, text, ask_nfc);
}

static void
pol_explicittext(struct lint_run *run)
{
	struct der rows = policies_of(run->extensions), oid, value;
	struct policy policy;
	bool ask_nfc = true;

	while (take_policy(&rows, &policy))
		while (take_qualifier(&policy.qualifiers, &oid, &value))
			if (lint_oid_is(oid, QUALIFIER_USER_NOTICE))
				ask_nfc =
				    check_user_notice(run, value, ask_nfc) &&
				    ask_nfc;
}

/* ---- the chain -------------------------------------------------------------- */

/* What the issuer's certificate lets through: RFC 5280, sections 6.1.3, .4. */
struct allowed {
	struct octets_list policies; /* its own */
	struct octets_list renamed;  /* issuerDomainPolicy of its mappings */
	struct octets_list mapped;   /* subjectDomainPolicy, where it counts */
	bool any;
};

static void
allowed_clear(struct allowed *allowed)
{
	octets_list_clear(&allowed->policies);
	octets_list_clear(&allowed->renamed);
	octets_list_clear(&allowed->mapped);
}
CLEANUP_DEFINE_STRUCT(allowed);

static int
read_mappings(const struct lint_extensions *extensions, struct allowed *allowed)
{
	struct der rows = { NULL, 0 }, row, from, to;

	(void)lint_extension_sequence(
	    extensions, NID_policy_mappings, NULL, &rows);
	while (der_take(&rows, DER_SEQUENCE, &row, NULL) &&
	    der_take(&row, DER_OID, &from, NULL) &&
	    der_take(&row, DER_OID, &to, NULL)) {
		if (octets_add(&allowed->renamed, from) != 0)
			return -1;
		if ((allowed->any || octets_has(&allowed->policies, from)) &&
		    octets_add(&allowed->mapped, to) != 0)
			return -1;
	}
	return 0;
}

static int
read_allowed(const struct lint_extensions *extensions, struct allowed *allowed)
{
	struct der rows = policies_of(extensions);
	struct policy policy;

	while (take_policy(&rows, &policy))
		if (is_any(policy.oid))
			allowed->any = true;
	if (collect(extensions, &allowed->policies) != 0)
		return -1;
	return read_mappings(extensions, allowed);
}

static bool
is_allowed(struct allowed *allowed, struct der oid)
{
	return allowed->any || octets_has(&allowed->mapped, oid) ||
	    (octets_has(&allowed->policies, oid) &&
		!octets_has(&allowed->renamed, oid));
}

/* inhibitAnyPolicy with no certificate to skip: RFC 5280, section 4.2.1.14. */
static bool
inhibits_any(const struct lint_extensions *extensions)
{
	static const unsigned char zero[] = { DER_INTEGER, 1, 0 };
	const struct lint_extension *row =
	    lint_extension(extensions, NID_inhibit_any_policy);

	return row != NULL && der_equal(row->value, zero, sizeof zero);
}

/*
 * A root is the trust anchor, whose own policies path validation does not look
 * at.  Only the issuer is known here; the certificates above it were held to
 * the same when they were issued.
 */
static void
pol_chain(struct lint_run *run)
{
	AUTO_STRUCT(allowed) allowed = { .any = false };
	char text[LINT_OID_TEXT];
	struct der rows = policies_of(run->extensions);
	struct policy policy;

	if ((lint_classify(run->issuer) & FOR_ROOT) != 0)
		return;
	if (read_allowed(&run->issuer->extensions, &allowed) != 0) {
		lint_unsure(run, "out of memory");
		return;
	}
	while (take_policy(&rows, &policy)) {
		const bool any = is_any(policy.oid);

		if (any && inhibits_any(&run->issuer->extensions))
			lint_found(run, policy.oid,
			    "the issuer's inhibitAnyPolicy makes anyPolicy "
			    "void here");
		else if (!any && !is_allowed(&allowed, policy.oid))
			lint_found(run, policy.oid,
			    "policy %s does not survive path validation: the "
			    "issuer's certificate has neither it nor anyPolicy",
			    lint_oid_text(policy.oid, text));
	}
}

static const struct lint lints[] = {
	{ .id = "POL-CA-FORM", .check = pol_ca_form },
	{ .id = "POL-POLICYCA-TRAP", .check = pol_policyca_trap },
	{ .id = "POL-FIRST", .check = pol_first },
	{ .id = "POL-NONCRIT", .check = pol_noncrit },
	{ .id = "POL-NO-DUP", .check = pol_no_dup },
	{ .id = "POL-QUALIFIERS", .check = pol_qualifiers },
	{ .id = "POL-ANY-QUAL", .check = pol_any_qual },
	{ .id = "POL-EXPLICITTEXT", .check = pol_explicittext },
	{ .id = "POL-CHAIN", .check = pol_chain, .needs = NEEDS_ISSUER },
};
const struct lint_table lint_policies = LINT_TABLE(lints);
