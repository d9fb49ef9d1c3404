/* The subjects of TLS server certificates, by what their policy claims. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "profiles/lint/dns.h"
#include "profiles/lint/leaf-private.h"
#include "profiles/lint/subscriber.h"

#define OID_ORGANIZATION_IDENTIFIER "2.23.140.3.1"

/* ---- the subject, by type ---------------------------------------------- */

#define ATTRIBUTE_TABLE(of, rows, others)                             \
	{                                                             \
		(of), (rows), sizeof(rows) / sizeof *(rows), (others) \
	}

static const struct attribute_row dv_rows[] = {
	{ NID_countryName, ATTRIBUTE_ALLOWED },
	{ NID_commonName, ATTRIBUTE_ALLOWED }, /* LEAF-CN-SAN warns */
};
static const struct attribute_table dv_table =
    ATTRIBUTE_TABLE("a DV certificate", dv_rows, ATTRIBUTE_FORBIDDEN);

static const struct attribute_row ov_rows[] = {
	{ NID_domainComponent, ATTRIBUTE_ALLOWED },
	{ NID_countryName, ATTRIBUTE_REQUIRED },
	{ NID_stateOrProvinceName, ATTRIBUTE_ALLOWED },
	{ NID_localityName, ATTRIBUTE_ALLOWED },
	{ NID_postalCode, ATTRIBUTE_DISCOURAGED },
	{ NID_streetAddress, ATTRIBUTE_DISCOURAGED },
	{ NID_organizationName, ATTRIBUTE_REQUIRED },
	{ NID_surname, ATTRIBUTE_FORBIDDEN },
	{ NID_givenName, ATTRIBUTE_FORBIDDEN },
	{ NID_organizationalUnitName, ATTRIBUTE_FORBIDDEN },
	{ NID_commonName, ATTRIBUTE_ALLOWED },
};
static const struct attribute_table ov_table =
    ATTRIBUTE_TABLE("an OV certificate", ov_rows, ATTRIBUTE_DISCOURAGED);

static const struct attribute_row iv_rows[] = {
	{ NID_countryName, ATTRIBUTE_REQUIRED },
	{ NID_stateOrProvinceName, ATTRIBUTE_ALLOWED },
	{ NID_localityName, ATTRIBUTE_ALLOWED },
	{ NID_postalCode, ATTRIBUTE_DISCOURAGED },
	{ NID_streetAddress, ATTRIBUTE_DISCOURAGED },
	{ NID_organizationName, ATTRIBUTE_DISCOURAGED },
	{ NID_surname, ATTRIBUTE_REQUIRED },
	{ NID_givenName, ATTRIBUTE_REQUIRED },
	{ NID_organizationalUnitName, ATTRIBUTE_FORBIDDEN },
	{ NID_commonName, ATTRIBUTE_ALLOWED },
};
static const struct attribute_table iv_table =
    ATTRIBUTE_TABLE("an IV certificate", iv_rows, ATTRIBUTE_DISCOURAGED);

static const struct attribute_row ev_rows[] = {
	{ NID_organizationName, ATTRIBUTE_REQUIRED },
	{ NID_businessCategory, ATTRIBUTE_REQUIRED },
	{ NID_jurisdictionCountryName, ATTRIBUTE_REQUIRED },
	{ NID_jurisdictionStateOrProvinceName, ATTRIBUTE_ALLOWED },
	{ NID_jurisdictionLocalityName, ATTRIBUTE_ALLOWED },
	{ NID_serialNumber, ATTRIBUTE_REQUIRED },
	{ NID_countryName, ATTRIBUTE_REQUIRED },
	{ NID_stateOrProvinceName, ATTRIBUTE_ALLOWED },
	{ NID_localityName, ATTRIBUTE_ALLOWED },
	{ NID_streetAddress, ATTRIBUTE_ALLOWED },
	{ NID_postalCode, ATTRIBUTE_ALLOWED },
	{ NID_organizationIdentifier, ATTRIBUTE_ALLOWED },
	{ NID_commonName, ATTRIBUTE_ALLOWED },
};
static const struct attribute_table ev_table =
    ATTRIBUTE_TABLE("an EV certificate", ev_rows, ATTRIBUTE_FORBIDDEN);

/* Is this text the iPAddress, as BR 7.1.4.3 want it written? */
static bool
is_address_text(struct der ip, const unsigned char *text, size_t len)
{
	char buf[INET6_ADDRSTRLEN];
	int family = ip.len == 4 ? AF_INET : AF_INET6;

	if (ip.len != 4 && ip.len != 16)
		return false;
	return inet_ntop(family, ip.p, buf, sizeof buf) != NULL &&
	    strlen(buf) == len && memcmp(buf, text, len) == 0;
}

static bool
is_in_san(const struct lint_run *run, const unsigned char *text, size_t len)
{
	struct der names = san_names(run->extensions);
	struct general_name name;

	while (general_name_next(&names, &name)) {
		if (name.tag == GENERAL_DNS &&
		    der_equal(name.content, text, len))
			return true;
		if (name.tag == GENERAL_IP &&
		    is_address_text(name.content, text, len))
			return true;
	}
	return false;
}

static void
check_subject(
    const struct lint_run *run, const struct attribute_table *table, bool place)
{
	lint_attributes(run, table);
	if (place)
		lint_place(run, table->kind);
}

void
leaf_check_dv(struct lint_run *run)
{
	if (lint_has_policy(run->values, POLICY_DV))
		check_subject(run, &dv_table, false);
}

/*
 * The labels of a domain name, root label first (BR 7.1.2.7.4): the first is
 * a top-level domain, so each further one makes the name longer to the left.
 * That can be told only where the names of subjectAltName end in it.
 */
static void
check_components(const struct lint_run *run)
{
	const struct lint_name *subject = run->subject;
	struct der names = san_names(run->extensions);
	char domain[512];
	size_t at = sizeof domain;
	struct general_name name;

	for (size_t i = 0; i < subject->count; i++) {
		struct der label = subject->parts[i].value;

		if (subject->parts[i].nid != NID_domainComponent)
			continue;
		if (label.len + 1 > at) {
			lint_found(run, subject->parts[i].element,
			    "the domainComponents are longer than a domain "
			    "name may be");
			return;
		}
		if (at != sizeof domain)
			domain[--at] = '.';
		at -= label.len;
		memcpy(domain + at, label.p, label.len);
	}
	if (at == sizeof domain)
		return;
	while (general_name_next(&names, &name)) {
		struct der base = { (const unsigned char *)domain + at,
			sizeof domain - at };

		if (name.tag == GENERAL_DNS && dns_is_under(name.content, base))
			return;
	}
	lint_found(run, subject->element,
	    "the domainComponents, root label first, make '%.*s', under which "
	    "no dNSName lies",
	    (int)(sizeof domain - at), domain + at);
}

void
leaf_check_ov(struct lint_run *run)
{
	if (!lint_has_policy(run->values, POLICY_OV))
		return;
	check_subject(run, &ov_table, true);
	check_components(run);
}

void
leaf_check_iv(struct lint_run *run)
{
	if (lint_has_policy(run->values, POLICY_IV))
		check_subject(run, &iv_table, true);
}

/* EVG 7.1.4.2.8: the schemes that are known, and what stands in them. */
static void
check_scheme(const struct lint_run *run, const struct lint_attribute *attribute,
    const struct organization_id *id)
{
	static const char *const schemes[] = { "NTR", "VAT", "PSD" };
	bool known = false;
	char buf[SHOWN_SIZE];

	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		known = known ||
		    der_equal(id->scheme, (const unsigned char *)schemes[i], 3);
	if (!known)
		lint_found(run, attribute->element,
		    "organizationIdentifier has the scheme '%s'; it must be "
		    "NTR, VAT or PSD",
		    shown(id->scheme, buf));
	if (id->subdivision.len > 0 &&
	    !der_equal(id->scheme, (const unsigned char *)"NTR", 3))
		lint_found(run, attribute->element,
		    "organizationIdentifier names a state or province, which "
		    "only the scheme NTR has");
	if (id->reference.len == 0)
		lint_found(run, attribute->element,
		    "organizationIdentifier has no reference after a hyphen");
}

/*
 * SEQUENCE { scheme PrintableString, country PrintableString,
 * stateOrProvince [0] IMPLICIT PrintableString OPTIONAL,
 * reference UTF8String } (EVG 7.1.2.2).
 */
static bool
parse_extension(struct der value, struct organization_id *ret_id)
{
	struct organization_id id = { .scheme = { NULL, 0 } };
	struct der body;

	if (!der_take(&value, DER_SEQUENCE, &body, NULL) || value.len != 0 ||
	    !der_take(&body, DER_PRINTABLE_STRING, &id.scheme, NULL) ||
	    !der_take(&body, DER_PRINTABLE_STRING, &id.country, NULL))
		return false;
	(void)der_take(&body, 0x80, &id.subdivision, NULL);
	if (!der_take(&body, DER_UTF8_STRING, &id.reference, NULL) ||
	    body.len != 0)
		return false;
	*ret_id = id;
	return true;
}

static bool
same(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

static void
check_extension(const struct lint_run *run, const struct organization_id *id)
{
	const struct lint_extension *extension =
	    lint_extension_by_oid(run->extensions, OID_ORGANIZATION_IDENTIFIER);
	struct organization_id other;

	if (extension == NULL) {
		lint_found(run, run->subject->element,
		    "the subject has organizationIdentifier, but there is no "
		    "cabfOrganizationIdentifier extension");
		return;
	}
	if (!parse_extension(extension->value, &other)) {
		lint_found(run, extension->element,
		    "cabfOrganizationIdentifier cannot be read");
		return;
	}
	if (!same(id->scheme, other.scheme) ||
	    !same(id->country, other.country) ||
	    !same(id->subdivision, other.subdivision) ||
	    !same(id->reference, other.reference))
		lint_found(run, extension->element,
		    "cabfOrganizationIdentifier says something else than the "
		    "subject's organizationIdentifier");
}

static void
check_organization_id(const struct lint_run *run)
{
	const struct lint_attribute *attribute =
	    attribute_of(run->subject, NID_organizationIdentifier);
	struct organization_id id;
	char buf[SHOWN_SIZE];

	if (attribute == NULL)
		return;
	if (!organization_id_parse(attribute->value, &id)) {
		lint_found(run, attribute->element,
		    "organizationIdentifier '%s' is not of the form scheme, "
		    "country, hyphen, reference",
		    shown(attribute->value, buf));
		return;
	}
	check_scheme(run, attribute, &id);
	check_extension(run, &id);
}

/* EVG 7.1.4.2.1; onion names are the exception (EVG appendix B). */
static void
check_ev_names(const struct lint_run *run)
{
	static const struct der onion = { (const unsigned char *)"onion", 5 };
	struct der names = san_names(run->extensions);
	struct general_name name;
	char buf[SHOWN_SIZE];

	while (general_name_next(&names, &name)) {
		if (name.tag == GENERAL_IP)
			lint_found(run, name.element,
			    "an EV certificate has an iPAddress");
		if (name.tag == GENERAL_DNS && name.content.len > 0 &&
		    name.content.p[0] == '*' &&
		    !dns_is_under(name.content, onion))
			lint_found(run, name.element,
			    "an EV certificate has the wildcard name '%s'",
			    shown(name.content, buf));
	}
}

void
leaf_check_ev(struct lint_run *run)
{
	if (!lint_has_policy(run->values, POLICY_EV))
		return;
	check_subject(run, &ev_table, true);
	lint_business_category(run);
	check_organization_id(run);
	check_ev_names(run);
}

void
leaf_check_no_ou(struct lint_run *run)
{
	const struct lint_attribute *unit =
	    attribute_of(run->subject, NID_organizationalUnitName);

	if (unit != NULL)
		lint_found(run, unit->element,
		    "the subject has organizationalUnitName");
}

/* BR 7.1.4.3 demands this of whatever commonName there is. */
static void
check_copy(const struct lint_run *run, const struct lint_attribute *attribute)
{
	AUTO_BYTES(text) = NULL;
	char buf[SHOWN_SIZE];
	size_t len;

	if (attribute_text(attribute, &text, &len) != 0) {
		ca_error_clear();
		lint_binding(run, attribute->element,
		    "commonName is no character string that can be read");
		return;
	}
	if (!is_in_san(run, text, len))
		lint_binding(run, attribute->element,
		    "commonName '%s' is no copy of an entry of subjectAltName",
		    shown((struct der){ text, len }, buf));
}

void
leaf_check_common_name(struct lint_run *run)
{
	const struct lint_name *subject = run->subject;
	size_t count = 0;

	for (size_t i = 0; i < subject->count; i++) {
		if (subject->parts[i].nid != NID_commonName)
			continue;
		if (count++ == 0)
			lint_found(run, subject->parts[i].element,
			    "the subject has commonName, which is not "
			    "recommended");
		else
			lint_found(run, subject->parts[i].element,
			    "the subject has more than one commonName");
		check_copy(run, &subject->parts[i]);
	}
}

void
leaf_check_metadata(struct lint_run *run)
{
	lint_metadata(run);
}
