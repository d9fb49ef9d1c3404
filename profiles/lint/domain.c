/*
 * SAN-, DNS-: what subjectAltName of a TLS server certificate, or of a request
 * for one, may name.
 */
#include <string.h>

#include "base/error.h"
#include "profiles/lint/dns.h"
#include "profiles/lint/ip.h"
#include "profiles/lint/subscriber.h"

static const struct der nowhere = { NULL, 0 };

/* ---- the extension ----------------------------------------------------- */

static void
check_present(struct lint_run *run)
{
	struct der names = san_names(run->extensions);
	struct general_name name;

	if (lint_extension(run->extensions, NID_subject_alt_name) == NULL) {
		lint_found(run, nowhere,
		    "there is no subjectAltName; it must name at least one "
		    "dNSName or iPAddress");
		return;
	}
	if (run->values->alt_names == NULL) {
		lint_found(run, where_is(run, NID_subject_alt_name),
		    "subjectAltName cannot be read");
		return;
	}
	while (general_name_next(&names, &name))
		if (name.tag == GENERAL_DNS || name.tag == GENERAL_IP)
			return;
	lint_found(run, where_is(run, NID_subject_alt_name),
	    "subjectAltName has neither a dNSName nor an iPAddress");
}

/*
 * RFC 5280, section 4.2.1.6: critical where the subject is empty; with a
 * subject only SHOULD it be non-critical, which BR make binding.
 */
static void
check_critical(struct lint_run *run)
{
	const struct lint_extension *san =
	    lint_extension(run->extensions, NID_subject_alt_name);
	bool empty = run->subject->count == 0;

	if (san == NULL || san->critical == empty)
		return;
	if (empty)
		lint_found(run, san->element,
		    "subjectAltName is not critical while the subject is "
		    "empty");
	else if (lint_held_to(run, RULESET_CABF_TLS))
		lint_found(run, san->element,
		    "subjectAltName is critical while there is a subject");
	else
		lint_discouraged(run, san->element,
		    "subjectAltName is critical while there is a subject");
}

static void
check_types(struct lint_run *run)
{
	struct der names = san_names(run->extensions);
	struct general_name name;

	while (general_name_next(&names, &name))
		if (name.tag != GENERAL_DNS && name.tag != GENERAL_IP)
			lint_found(run, name.element,
			    "subjectAltName has a name of type %s; only "
			    "dNSName and iPAddress may occur",
			    general_name_type(name.tag));
}

static int
compare_dns(struct der a, struct der b)
{
	size_t n = a.len < b.len ? a.len : b.len;

	for (size_t i = 0; i < n; i++) {
		int x = a.p[i] >= 'A' && a.p[i] <= 'Z' ? a.p[i] | 0x20 : a.p[i];
		int y = b.p[i] >= 'A' && b.p[i] <= 'Z' ? b.p[i] | 0x20 : b.p[i];

		if (x != y)
			return x - y;
	}
	return (a.len > b.len) - (a.len < b.len);
}

static int
compare_names(const void *a, const void *b)
{
	const struct general_name *x = a, *y = b;
	size_t n =
	    x->content.len < y->content.len ? x->content.len : y->content.len;
	int order;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	if (x->tag == GENERAL_DNS)
		return compare_dns(x->content, y->content);
	order = n > 0 ? memcmp(x->content.p, y->content.p, n) : 0;
	return order != 0 ? order
			  : (x->content.len > y->content.len) -
		(x->content.len < y->content.len);
}

/* All names, sorted: equal ones stand beside each other.  free() */
static struct general_name *
sorted_names(const struct lint_run *run, size_t *ret_count)
{
	struct der names = san_names(run->extensions), walk = names;
	struct general_name name, *rows;
	size_t count = 0;

	while (general_name_next(&walk, &name))
		count++;
	rows = calloc(count + 1, sizeof *rows);
	if (rows == NULL)
		return NULL;
	count = 0;
	while (general_name_next(&names, &name))
		rows[count++] = name;
	qsort(rows, count, sizeof *rows, compare_names);
	*ret_count = count;
	return rows;
}

static void
check_duplicates(struct lint_run *run)
{
	struct general_name *rows;
	char buf[SHOWN_SIZE];
	size_t count;

	rows = sorted_names(run, &count);
	if (rows == NULL) {
		lint_unsure(run, "no memory to sort the names");
		return;
	}
	for (size_t i = 1; i < count; i++)
		if (compare_names(&rows[i - 1], &rows[i]) == 0)
			lint_found(run, rows[i].element,
			    "subjectAltName has the %s '%s' more than once",
			    general_name_type(rows[i].tag),
			    rows[i].tag == GENERAL_DNS
				? shown(rows[i].content, buf)
				: "of these octets");
	free(rows);
}

/* ---- domain names ------------------------------------------------------ */

static void
check_names(struct lint_run *run, unsigned aspect)
{
	struct der names = san_names(run->extensions);
	struct general_name name;
	char buf[SHOWN_SIZE];

	while (general_name_next(&names, &name)) {
		enum dns_fault fault;

		if (name.tag != GENERAL_DNS)
			continue;
		fault = dns_check(name.content, aspect);
		if (fault == DNS_UNDECIDED) {
			lint_unsure(run,
			    "a domain name could not be looked up in the "
			    "public suffix list");
			return;
		}
		if (fault != DNS_FINE)
			lint_found(run, name.element, "the dNSName '%s' %s",
			    shown(name.content, buf), dns_fault_text(fault));
	}
}

static void
check_syntax(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_SYNTAX);
}

static void
check_ldh(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_LDH);
}

static void
check_underscore(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_UNDERSCORE);
}

static void
check_wildcard_form(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_WILDCARD_FORM);
}

static void
check_wildcard_suffix(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_WILDCARD_SUFFIX);
}

static void
check_suffix(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_NOT_SUFFIX);
}

static void
check_tld(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_TLD);
}

static void
check_onion(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_ONION);
}

/* Since then; a request has no date of its own, and is for what comes. */
static void
check_arpa(struct lint_run *run)
{
	if (run->csr != NULL || run->date >= D_TLS_200)
		check_names(run, DNS_ASPECT_ARPA);
}

static void
check_redacted(struct lint_run *run)
{
	check_names(run, DNS_ASPECT_REDACTED);
}

/* ---- addresses --------------------------------------------------------- */

static bool
is_mapped(struct der ip)
{
	static const unsigned char prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff };

	return ip.len == IPV6_LEN && memcmp(ip.p, prefix, sizeof prefix) == 0;
}

static void
check_address(struct lint_run *run, const struct general_name *name)
{
	char text[2 * IP_TEXT_LEN];
	const char *block;
	struct der ip = name->content;

	if (ip.len != IPV4_LEN && ip.len != IPV6_LEN) {
		lint_found(run, name->element,
		    "an iPAddress has %zu octets; it must have 4 or 16",
		    ip.len);
		return;
	}
	ip_text(ip.p, NULL, ip.len, text);
	block = ip_reserved_block(ip.p, NULL, ip.len);
	if (is_mapped(ip))
		lint_found(run, name->element,
		    "the iPAddress %s is an IPv4 address mapped into IPv6; "
		    "write it with 4 octets",
		    text);
	else if (block != NULL)
		lint_found(run, name->element,
		    "the iPAddress %s is reserved: %s", text, block);
}

static void
check_ip(struct lint_run *run)
{
	struct der names = san_names(run->extensions);
	struct general_name name;

	while (general_name_next(&names, &name))
		if (name.tag == GENERAL_IP)
			check_address(run, &name);
}

/* ---- the issuer's name constraints ------------------------------------- */

static void
report_constraint(struct lint_run *run, int rc)
{
	switch (rc) {
	case X509_V_OK:
		return;
	case X509_V_ERR_OUT_OF_MEM:
	case X509_V_ERR_UNSPECIFIED:
		lint_unsure(run,
		    "the names could not be held against the issuer's name "
		    "constraints: %s",
		    X509_verify_cert_error_string(rc));
		return;
	default:
		lint_found(run, where_is(run, NID_subject_alt_name),
		    "the names do not satisfy the issuer's name constraints: "
		    "%s",
		    X509_verify_cert_error_string(rc));
	}
}

/* Constraints are not held against it: RFC 5280, section 4.2.1.10. */
static bool
is_self_issued_ca(const struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;

	return lint_is_ca(&c->values) &&
	    der_equal(c->issuer.element, c->subject.element.p,
		c->subject.element.len);
}

/*
 * RFC 5280, section 6.1.4, for the issuer that is known; those above it are
 * held against its own constraints where it is linted (SUB-, NC-).
 */
static void
check_constraints(struct lint_run *run)
{
	NAME_CONSTRAINTS *constraints = run->issuer->values.name_constraints;
	AUTO(X509) *x509 = NULL;

	if (lint_extension(&run->issuer->extensions, NID_name_constraints) ==
		NULL ||
	    is_self_issued_ca(run))
		return;
	x509 = lint_certificate_decode(run->certificate);
	/* The flags' call makes OpenSSL read subjectAltName, too. */
	if (constraints == NULL || x509 == NULL ||
	    (X509_get_extension_flags(x509) & EXFLAG_INVALID) != 0) {
		lint_unsure(run,
		    "the certificate's extensions or the issuer's name "
		    "constraints cannot be read");
		return;
	}
	report_constraint(run, NAME_CONSTRAINTS_check(x509, constraints));
}

static const struct lint rows[] = {
	{ .id = "SAN-PRESENT", .check = check_present },
	{ .id = "SAN-CRIT", .check = check_critical },
	{ .id = "SAN-TYPES", .check = check_types },
	{ .id = "SAN-NO-DUP", .check = check_duplicates },
	{ .id = "DNS-SYNTAX", .check = check_syntax },
	{ .id = "DNS-LDH", .check = check_ldh },
	{ .id = "DNS-NO-UNDERSCORE", .check = check_underscore },
	{ .id = "DNS-WILDCARD-FORM", .check = check_wildcard_form },
	{ .id = "DNS-WILDCARD-PSL", .check = check_wildcard_suffix },
	{ .id = "DNS-NOT-BARE-SUFFIX", .check = check_suffix },
	{ .id = "DNS-TLD", .check = check_tld },
	{ .id = "DNS-ONION", .check = check_onion },
	{ .id = "DNS-ARPA", .check = check_arpa },
	{ .id = "DNS-NOT-REDACTED", .check = check_redacted },
	{ .id = "SAN-IP", .check = check_ip },
	/* RFC 5280, section 6.1.3 (b) and (c): CAs' and responders', too. */
	{ .id = "SAN-IN-NC",
	    .check = check_constraints,
	    .subjects = FOR_CERTIFICATE & ~(unsigned)FOR_ROOT,
	    .needs = NEEDS_ISSUER },
};

const struct lint_table lint_domain = LINT_TABLE(rows);
