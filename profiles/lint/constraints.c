/* nameConstraints: RFC 5280, section 4.2.1.10; BR 7.1.2.10.8 and 7.1.2.5.2. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include <openssl/objects.h>

#include "profiles/lint/dns.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/ip.h"
#include "profiles/lint/subtrees.h"
#include "profiles/lint/uri.h"

/* Subtrees of ours times those of the issuer that are compared at most. */
enum { PAIRS_MAX = 1000000 };

static const char *const side_names[SUBTREE_SIDES] = { "permittedSubtrees",
	"excludedSubtrees" };

/* For each subtree of both lists. */
typedef void subtree_check(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree);

static void
for_each(const struct lint_run *run, subtree_check *check)
{
	struct subtrees walk = subtrees_of(run->extensions);
	struct subtree subtree;

	for (int side = 0; side < SUBTREE_SIDES; side++)
		while (subtree_next(&walk, (enum subtree_side)side, &subtree))
			check(run, (enum subtree_side)side, &subtree);
}

/* ---- the extension ----------------------------------------------------------- */

static void
nc_ca_only(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_name_constraints);

	if (row != NULL)
		lint_found(run, row->element,
		    "nameConstraints stands in a certificate that is not a "
		    "CA's");
}

/* RFC 5280 has MUST; the BR make it SHOULD, which a profile may follow. */
static void
nc_crit(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_name_constraints);

	if (row == NULL || row->critical)
		return;
	if (run->context->profile == NULL &&
	    !lint_held_to(run, RULESET_PRIVATE))
		lint_binding(run, row->element,
		    "nameConstraints is not critical: mark it critical");
	else
		lint_found(run, row->element,
		    "nameConstraints is not critical: mark it critical");
}

/* A permitted directoryName without attributes constrains nothing. */
static void
check_nonempty(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	struct der in = subtree->base;
	struct lint_name name;

	if (subtree->tag != GENERAL_DIRECTORY)
		return;
	if (!lint_take_name(&in, &name) || in.len != 0)
		lint_found(run, subtree->element,
		    "a directoryName of %s is no Name", side_names[side]);
	else if (name.count == 0 && side == SUBTREE_PERMITTED)
		lint_found(run, subtree->element,
		    "an empty directoryName in permittedSubtrees permits every "
		    "name: give it attributes");
}

static void
nc_nonempty(struct lint_run *run)
{
	const struct subtrees s = subtrees_of(run->extensions);
	struct subtrees walk = s;
	struct subtree subtree;
	bool malformed = s.malformed;

	if (s.extension == NULL)
		return;
	if (s.lists[SUBTREE_PERMITTED].p == NULL &&
	    s.lists[SUBTREE_EXCLUDED].p == NULL)
		lint_found(run, s.extension->value,
		    "nameConstraints has neither permittedSubtrees nor "
		    "excludedSubtrees");
	for (int side = 0; side < SUBTREE_SIDES; side++) {
		if (s.lists[side].p != NULL && s.lists[side].len == 0)
			lint_found(run, s.extension->value,
			    "%s of nameConstraints is empty: leave it out",
			    side_names[side]);
		while (subtree_next(&walk, (enum subtree_side)side, &subtree))
			check_nonempty(run, (enum subtree_side)side, &subtree);
		malformed = malformed || walk.lists[side].len != 0;
	}
	if (malformed)
		lint_found(run, s.extension->value,
		    "nameConstraints is not the SEQUENCE of RFC 5280, section "
		    "4.2.1.10");
}

static void
check_minmax(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	static const unsigned char zero[] = { 0x80, 1, 0 };

	if (subtree->minimum.p != NULL)
		lint_found(run, subtree->minimum,
		    der_equal(subtree->minimum, zero, sizeof zero)
			? "a subtree of %s encodes minimum 0, which is the "
			  "DEFAULT: leave it out"
			: "a subtree of %s has a minimum other than 0: leave "
			  "it out",
		    side_names[side]);
	if (subtree->maximum.p != NULL)
		lint_found(run, subtree->maximum,
		    "a subtree of %s has a maximum: leave it out",
		    side_names[side]);
}

static void
nc_minmax(struct lint_run *run)
{
	for_each(run, check_minmax);
}

/* ---- forms ------------------------------------------------------------------- */

static const char *
dns_fault_of(struct der name, enum subtree_side side)
{
	if (name.len == 0)
		return side == SUBTREE_PERMITTED
		    ? "is empty, which permits every name"
		    : NULL;
	if (name.p[0] == '.')
		return "begins with a dot, a form that only mail and URI "
		       "constraints have";
	if (memchr(name.p, '*', name.len) != NULL)
		return "holds a wildcard: names below are meant anyway";
	return uri_is_ldh_name(name, 1) ? NULL : "is no domain name";
}

/* ".example.com" or "example.com". */
static bool
is_host_or_domain(struct der name)
{
	if (name.len > 0 && name.p[0] == '.')
		name = (struct der){ name.p + 1, name.len - 1 };
	return uri_is_ldh_name(name, 1);
}

/* RFC 5321, section 4.1.2: Dot-string, or something between quotes. */
static bool
is_local_part(struct der local)
{
	static const char special[] = "!#$%&'*+-/=?^_`{|}~.";
	bool dot = true;

	if (local.len >= 2 && local.p[0] == '"')
		return local.p[local.len - 1] == '"';
	for (size_t i = 0; i < local.len; i++) {
		const unsigned char c = local.p[i];

		if (c == '\0' || c >= 0x80 ||
		    (isalnum(c) == 0 && strchr(special, c) == NULL) ||
		    (c == '.' && dot))
			return false;
		dot = c == '.';
	}
	return !dot;
}

static const char *
mail_fault_of(struct der name, enum subtree_side side)
{
	const unsigned char *at =
	    name.len > 0 ? memrchr(name.p, '@', name.len) : NULL;
	struct der local, host;

	if (name.len == 0)
		return side == SUBTREE_PERMITTED
		    ? "is empty, which permits every mailbox"
		    : NULL;
	if (at == NULL)
		return is_host_or_domain(name)
		    ? NULL
		    : "is neither a host, a domain with a leading dot nor a "
		      "mailbox";
	local = (struct der){ name.p, (size_t)(at - name.p) };
	host = (struct der){ at + 1, name.len - local.len - 1 };
	return is_local_part(local) && uri_is_ldh_name(host, 1)
	    ? NULL
	    : "is no mailbox";
}

/* "MUST be specified as a fully qualified domain name." */
static const char *
uri_fault_of(struct der name, enum subtree_side side)
{
	if (name.len == 0)
		return side == SUBTREE_PERMITTED
		    ? "is empty, which permits every host"
		    : NULL;
	return is_host_or_domain(name)
	    ? NULL
	    : "is neither a host nor a domain with a leading dot";
}

static void
check_dns_form(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	const char *fault = NULL;

	if (subtree->tag == GENERAL_DNS)
		fault = dns_fault_of(subtree->base, side);
	if (subtree->tag == GENERAL_RFC822)
		fault = mail_fault_of(subtree->base, side);
	if (subtree->tag == GENERAL_URI)
		fault = uri_fault_of(subtree->base, side);
	if (fault != NULL)
		lint_found(run, subtree->element, "%s '%.*s' of %s %s",
		    lint_general_name_text(subtree->tag),
		    LINT_SHOWN(subtree->base), side_names[side], fault);
}

static void
nc_dns_form(struct lint_run *run)
{
	for_each(run, check_dns_form);
}

static void
check_ip_form(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	const size_t len = subtree->base.len / 2;
	const unsigned char *ip = subtree->base.p, *mask = ip + len;
	char text[2 * IP_TEXT_LEN];

	if (subtree->tag != GENERAL_IP)
		return;
	if (!subtree_is_range(subtree, IPV4_LEN) &&
	    !subtree_is_range(subtree, IPV6_LEN)) {
		lint_found(run, subtree->element,
		    "an iPAddress of %s has %zu octets: address and mask are "
		    "8 or 32",
		    side_names[side], subtree->base.len);
		return;
	}
	ip_text(ip, mask, len, text);
	if (!ip_mask_is_contiguous(mask, len))
		lint_found(run, subtree->element,
		    "the mask of iPAddress %s of %s is not contiguous", text,
		    side_names[side]);
	if (!ip_host_bits_are_zero(ip, mask, len))
		lint_found(run, subtree->element,
		    "iPAddress %s of %s has bits set outside of its mask", text,
		    side_names[side]);
}

static void
nc_ip_form(struct lint_run *run)
{
	for_each(run, check_ip_form);
}

static void
check_ip_reserved(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	const size_t len = subtree->base.len / 2;
	const unsigned char *ip = subtree->base.p, *mask = ip + len;
	char text[2 * IP_TEXT_LEN];
	const char *block;

	if (side != SUBTREE_PERMITTED ||
	    (!subtree_is_range(subtree, IPV4_LEN) &&
		!subtree_is_range(subtree, IPV6_LEN)))
		return;
	block = ip_reserved_block(ip, mask, len);
	if (block == NULL)
		return;
	ip_text(ip, mask, len, text);
	lint_found(run, subtree->element,
	    "the permitted iPAddress %s intersects the reserved block %s", text,
	    block);
}

static void
nc_ip_reserved(struct lint_run *run)
{
	for_each(run, check_ip_reserved);
}

/* ---- types ------------------------------------------------------------------- */

static void
check_types(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	const unsigned tag = subtree->tag;

	if (tag == GENERAL_X400 || tag == GENERAL_EDI_PARTY ||
	    tag == GENERAL_REGISTERED_ID)
		lint_found(run, subtree->element,
		    "%s holds a %s: clients do not process it",
		    side_names[side], lint_general_name_text(tag));
	if (!lint_held_to(run, RULESET_CABF_TLS))
		return;
	if (lint_is(run, FOR_TLSSUB | FOR_TCSUB) &&
	    (tag == GENERAL_RFC822 || tag == GENERAL_OTHER))
		lint_found(run, subtree->element,
		    "%s of a TLS CA holds a name of type %s, which is not recommended",
		    side_names[side], lint_general_name_text(tag));
	if (tag == GENERAL_DIRECTORY && side == SUBTREE_EXCLUDED)
		lint_found(run, subtree->element,
		    "excludedSubtrees holds a directoryName, which is not "
		    "recommended");
}

static void
nc_types(struct lint_run *run)
{
	for_each(run, check_types);
}

static void
check_tc_types(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	switch (subtree->tag) {
	case GENERAL_DNS:
	case GENERAL_IP:
	case GENERAL_DIRECTORY:
		return;
	case GENERAL_OTHER:
		lint_found(run, subtree->element,
		    "%s holds an otherName, which is not recommended",
		    side_names[side]);
		return;
	default:
		lint_found(run, subtree->element,
		    "%s holds a %s: only dNSName, iPAddress and directoryName "
		    "are permitted",
		    side_names[side], lint_general_name_text(subtree->tag));
	}
}

static void
nc_tc_othertypes(struct lint_run *run)
{
	for_each(run, check_tc_types);
}

/* ---- completeness of a technically constrained CA ---------------------------- */

/* What the lists hold of that which must be constrained. */
struct coverage {
	bool dns, ip4, ip6, directory;
};

static bool
is_all_zero(struct der octets)
{
	for (size_t i = 0; i < octets.len; i++)
		if (octets.p[i] != 0)
			return false;
	return true;
}

static void
cover(struct coverage *c, enum subtree_side side, const struct subtree *s)
{
	const bool permitted = side == SUBTREE_PERMITTED;

	if (s->tag == GENERAL_DNS && (permitted || s->base.len == 0))
		c->dns = true;
	if (subtree_is_range(s, IPV4_LEN) &&
	    (permitted || is_all_zero(s->base)))
		c->ip4 = true;
	if (subtree_is_range(s, IPV6_LEN) &&
	    (permitted || is_all_zero(s->base)))
		c->ip6 = true;
	if (s->tag == GENERAL_DIRECTORY && permitted)
		c->directory = true;
}

static struct coverage
coverage_of(const struct lint_run *run)
{
	struct coverage coverage = { .dns = false };
	struct subtrees walk = subtrees_of(run->extensions);
	struct subtree s;

	for (int side = 0; side < SUBTREE_SIDES; side++)
		while (subtree_next(&walk, (enum subtree_side)side, &s))
			cover(&coverage, (enum subtree_side)side, &s);
	return coverage;
}

static struct der
place_of_constraints(const struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_name_constraints);

	return row != NULL ? row->value : (struct der){ NULL, 0 };
}

static void
nc_tc_dns(struct lint_run *run)
{
	if (!coverage_of(run).dns)
		lint_found(run, place_of_constraints(run),
		    "nameConstraints neither permits a dNSName nor excludes "
		    "the zero-length one");
}

static void
nc_tc_ip4(struct lint_run *run)
{
	if (!coverage_of(run).ip4)
		lint_found(run, place_of_constraints(run),
		    "nameConstraints neither permits an IPv4 range nor "
		    "excludes 0.0.0.0/0");
}

static void
nc_tc_ip6(struct lint_run *run)
{
	if (!coverage_of(run).ip6)
		lint_found(run, place_of_constraints(run),
		    "nameConstraints neither permits an IPv6 range nor "
		    "excludes ::/0");
}

static void
nc_tc_dir(struct lint_run *run)
{
	if (!coverage_of(run).directory)
		lint_found(run, place_of_constraints(run),
		    "nameConstraints permits no directoryName");
}

/* ---- validated, and nested ---------------------------------------------------- */

/* A name that no method of the BR could validate was not validated. */
static void
check_validated(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	enum dns_fault fault;

	if (side != SUBTREE_PERMITTED || subtree->tag != GENERAL_DNS ||
	    !uri_is_ldh_name(subtree->base, 1))
		return;
	fault =
	    dns_check(subtree->base, DNS_PUBLIC_HOST | DNS_ASPECT_NOT_SUFFIX);
	if (fault == DNS_UNDECIDED)
		lint_unsure(run, "the public suffix list could not be asked");
	else if (fault != DNS_FINE)
		lint_found(run, subtree->element,
		    "the permitted dNSName '%.*s' cannot be validated: it %s",
		    LINT_SHOWN(subtree->base), dns_fault_text(fault));
}

/* Of one side of the issuer: is there any of this type, and one around it? */
static void
look_up(const struct subtrees *issuer, enum subtree_side side,
    const struct subtree *subtree, bool *ret_any, bool *ret_within)
{
	struct subtrees walk = *issuer;
	struct subtree outer;

	*ret_any = *ret_within = false;
	while (subtree_next(&walk, side, &outer)) {
		if (outer.tag != subtree->tag ||
		    (outer.tag == GENERAL_IP &&
			outer.base.len != subtree->base.len))
			continue;
		*ret_any = true;
		*ret_within = *ret_within || subtree_within(subtree, &outer);
	}
}

static void
check_nested(const struct lint_run *run, const struct subtrees *issuer,
    const struct subtree *subtree)
{
	bool any, within;

	look_up(issuer, SUBTREE_PERMITTED, subtree, &any, &within);
	if (any && !within)
		lint_found(run, subtree->element,
		    "a permitted %s lies outside of what the issuer's "
		    "nameConstraints permit",
		    lint_general_name_text(subtree->tag));
	look_up(issuer, SUBTREE_EXCLUDED, subtree, &any, &within);
	if (within)
		lint_found(run, subtree->element,
		    "a permitted %s lies in what the issuer's nameConstraints "
		    "exclude",
		    lint_general_name_text(subtree->tag));
}

/* Permitted subtrees against the issuer's; so many are a fault themselves. */
static void
check_all_nested(const struct lint_run *run)
{
	struct subtrees walk = subtrees_of(run->extensions);
	const struct subtrees issuer = subtrees_of(&run->issuer->extensions);
	const size_t ours = subtrees_count(&walk);
	const size_t theirs = subtrees_count(&issuer);
	struct subtree subtree;

	if (theirs > 0 && ours > PAIRS_MAX / theirs) {
		lint_found(run, walk.extension->value,
		    "nameConstraints has %zu subtrees: too many to be compared "
		    "with the %zu of the issuer",
		    ours, theirs);
		return;
	}
	while (subtree_next(&walk, SUBTREE_PERMITTED, &subtree))
		check_nested(run, &issuer, &subtree);
}

static void
nc_validated(struct lint_run *run)
{
	if (lint_held_to(run, RULESET_CABF_TLS))
		for_each(run, check_validated);
	if (run->issuer != NULL)
		check_all_nested(run);
}

/* ---- directoryName's encoding -------------------------------------------------- */

/* RFC 5280, section 7.1, as far as ASCII goes: case and blanks do not matter. */
static struct der
trimmed(struct der text)
{
	while (text.len > 0 && text.p[0] == ' ') {
		text.p++;
		text.len--;
	}
	while (text.len > 0 && text.p[text.len - 1] == ' ')
		text.len--;
	return text;
}

static bool
same_but_for_encoding(
    const struct lint_attribute *a, const struct lint_attribute *b)
{
	const struct der x = trimmed(a->value), y = trimmed(b->value);

	return der_equal(a->oid, b->oid.p, b->oid.len) &&
	    !der_equal(a->element, b->element.p, b->element.len) &&
	    x.len == y.len &&
	    (x.len == 0 ||
		strncasecmp((const char *)x.p, (const char *)y.p, x.len) == 0);
}

/* What is written today: RFC 5280, section 4.1.2.6, and appendix A. */
static bool
has_fit_string(const struct lint_attribute *a)
{
	switch (a->nid) {
	case NID_countryName:
	case NID_serialNumber:
	case NID_dnQualifier:
	case NID_jurisdictionCountryName:
		return a->tag == DER_PRINTABLE_STRING;
	case NID_domainComponent:
	case NID_pkcs9_emailAddress:
		return a->tag == DER_IA5_STRING;
	default:
		return a->tag == DER_UTF8_STRING ||
		    a->tag == DER_PRINTABLE_STRING;
	}
}

static void
check_encoding(const struct lint_run *run, const struct lint_attribute *a)
{
	const struct lint_name *subject = run->subject;
	char text[LINT_OID_TEXT];

	if (!has_fit_string(a))
		lint_found(run, a->element,
		    "attribute %s of a directoryName has the string type %#x, "
		    "in which no new subject is encoded",
		    lint_oid_text(a->oid, text), a->tag);
	for (size_t i = 0; i < subject->count; i++)
		if (same_but_for_encoding(a, &subject->parts[i]))
			lint_found(run, a->element,
			    "attribute %s of a directoryName, '%.*s', is that "
			    "of this CA's own subject in another encoding",
			    lint_oid_text(a->oid, text), LINT_SHOWN(a->value));
}

static void
check_directory_name(const struct lint_run *run, enum subtree_side side,
    const struct subtree *subtree)
{
	struct der in = subtree->base;
	struct lint_name name;

	(void)side;
	if (subtree->tag != GENERAL_DIRECTORY || !lint_take_name(&in, &name))
		return;
	for (size_t i = 0; i < name.count; i++)
		check_encoding(run, &name.parts[i]);
}

enum match { MATCH_NONE, MATCH_RELAXED, MATCH_EXACT };

/* Do the RDNs of `outer` stand first in `inner`? */
static enum match
match_prefix(const struct lint_name *outer, const struct lint_name *inner)
{
	enum match match = MATCH_EXACT;

	if (outer->count > inner->count)
		return MATCH_NONE;
	for (size_t i = 0; i < outer->count; i++) {
		const struct lint_attribute *a = &outer->parts[i];
		const struct lint_attribute *b = &inner->parts[i];

		if (a->rdn != b->rdn)
			return MATCH_NONE;
		if (same_but_for_encoding(a, b))
			match = MATCH_RELAXED;
		else if (!der_equal(a->element, b->element.p, b->element.len))
			return MATCH_NONE;
	}
	return match;
}

/* This CA is one of those below the issuer's constraints. */
static void
check_own_subject(const struct lint_run *run)
{
	struct subtrees walk = subtrees_of(&run->issuer->extensions);
	enum match best = MATCH_NONE;
	struct subtree subtree;
	struct lint_name name;

	while (subtree_next(&walk, SUBTREE_PERMITTED, &subtree)) {
		struct der in = subtree.base;

		if (subtree.tag == GENERAL_DIRECTORY &&
		    lint_take_name(&in, &name)) {
			const enum match match =
			    match_prefix(&name, run->subject);

			best = match > best ? match : best;
		}
	}
	if (best == MATCH_RELAXED)
		lint_found(run, run->subject->element,
		    "the subject is what the issuer's nameConstraints permit, "
		    "but in another encoding: copy theirs");
}

static void
nc_dn_encoding(struct lint_run *run)
{
	for_each(run, check_directory_name);
	if (run->issuer != NULL)
		check_own_subject(run);
}

static const struct lint lints[] = {
	{ .id = "NC-CA-ONLY", .check = nc_ca_only },
	{ .id = "NC-CRIT", .check = nc_crit },
	{ .id = "NC-NONEMPTY", .check = nc_nonempty },
	{ .id = "NC-MINMAX", .check = nc_minmax },
	{ .id = "NC-DNS-FORM", .check = nc_dns_form },
	{ .id = "NC-IP-FORM", .check = nc_ip_form },
	{ .id = "NC-IP-RESERVED", .check = nc_ip_reserved },
	{ .id = "NC-TYPES", .check = nc_types },
	/* That constraints nest is asked of private authorities, too. */
	{ .id = "NC-VALIDATED",
	    .check = nc_validated,
	    .rulesets =
		RULESET_BIT(RULESET_CABF_TLS) | RULESET_BIT(RULESET_PRIVATE) },
	{ .id = "NC-TC-DNS", .check = nc_tc_dns },
	{ .id = "NC-TC-IP4", .check = nc_tc_ip4 },
	{ .id = "NC-TC-IP6", .check = nc_tc_ip6 },
	{ .id = "NC-TC-DIR", .check = nc_tc_dir },
	{ .id = "NC-TC-OTHERTYPES", .check = nc_tc_othertypes },
	{ .id = "NC-DN-ENCODING", .check = nc_dn_encoding },
};
const struct lint_table lint_constraints = LINT_TABLE(lints);
