/* SM-SAN, SM-SUBJECT: the names of S/MIME certificates, SBR 7.1.4.2. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/lint/dns.h"
#include "profiles/lint/octets.h"
#include "profiles/lint/smime-private.h"
#include "profiles/lint/subscriber.h"

static const struct der nowhere = { NULL, 0 };

/* ---- mailboxes (RFC 5321, section 4.1.2; RFC 9598) --------------------- */

enum { LOCAL_MAX = 64 };

static bool
is_atext(unsigned char c, bool utf8)
{
	return is_ascii_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c)) ||
	    (utf8 && c > 0x7f);
}

static bool
is_dot_string(struct der local, bool utf8)
{
	bool dot = true; /* an atom must come first */

	for (size_t i = 0; i < local.len; i++) {
		if (local.p[i] == '.' && dot)
			return false;
		dot = local.p[i] == '.';
		if (!dot && !is_atext(local.p[i], utf8))
			return false;
	}
	return !dot;
}

static bool
is_quoted_string(struct der local, bool utf8)
{
	if (local.len < 2 || local.p[0] != '"' || local.p[local.len - 1] != '"')
		return false;
	for (size_t i = 1; i < local.len - 1; i++) {
		unsigned char c = local.p[i];

		if (c == '\\') {
			if (++i == local.len - 1)
				return false;
			c = local.p[i];
		} else if (c == '"')
			return false;
		if ((c < 0x20 || c > 0x7e) && !(utf8 && c > 0x7f))
			return false;
	}
	return true;
}

/* Local part and domain, which is what follows the last "@". */
static bool
split_mailbox(
    struct der text, bool utf8, struct der *ret_local, struct der *ret_domain)
{
	const unsigned char *at =
	    text.len > 0 ? memrchr(text.p, '@', text.len) : NULL;
	struct der local;

	if (at == NULL)
		return false;
	local = (struct der){ text.p, (size_t)(at - text.p) };
	if (local.len == 0 || local.len > LOCAL_MAX ||
	    (!is_dot_string(local, utf8) && !is_quoted_string(local, utf8)))
		return false;
	*ret_local = local;
	*ret_domain = (struct der){ at + 1, text.len - local.len - 1 };
	return true;
}

static bool
is_ascii(struct der text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] > 0x7f)
			return false;
	return true;
}

static void
check_domain(const struct lint_run *run, const struct general_name *name,
    struct der text, struct der domain)
{
	enum dns_fault fault = dns_check(domain, DNS_PUBLIC_HOST);
	char buf[SHOWN_SIZE];

	if (fault == DNS_UNDECIDED)
		lint_unsure(run, "a mailbox's domain could not be looked up");
	else if (fault != DNS_FINE)
		lint_found(run, name->element,
		    "the domain of the mailbox '%s' %s", shown(text, buf),
		    dns_fault_text(fault));
}

static void
check_mail(const struct lint_run *run, const struct general_name *name)
{
	struct der local, domain;
	char buf[SHOWN_SIZE];

	if (!is_ascii(name->content) ||
	    !split_mailbox(name->content, false, &local, &domain))
		lint_found(run, name->element,
		    "the rfc822Name '%s' is not one mailbox, local part@domain "
		    "in ASCII",
		    shown(name->content, buf));
	else
		check_domain(run, name, name->content, domain);
}

/* otherName's contents: the OID, and [0] with a UTF8String. */
static bool
is_utf8_mailbox(const struct general_name *name, struct der *ret_value)
{
	static const unsigned char smtp[] = { 0x2b, 0x06, 0x01, 0x05, 0x05,
		0x07, 0x08, 0x09 };
	struct der body = name->content, type, value;

	if (!der_take(&body, DER_OID, &type, NULL) ||
	    !der_equal(type, smtp, sizeof smtp))
		return false;
	*ret_value = nowhere;
	if (der_take(&body, DER_CONTEXT_0, &value, NULL) && body.len == 0 &&
	    der_take(&value, DER_UTF8_STRING, &body, NULL) && value.len == 0)
		*ret_value = body;
	return true;
}

/* RFC 9598, section 3: for what an rfc822Name cannot hold, and no BOM. */
static void
check_utf8_mailbox(const struct lint_run *run, const struct general_name *name,
    struct der value)
{
	static const unsigned char bom[] = { 0xef, 0xbb, 0xbf };
	struct der local, domain;
	char buf[SHOWN_SIZE];

	if (value.p == NULL ||
	    !text_is_utf8((const char *)value.p, value.len) ||
	    memmem(value.p, value.len, bom, sizeof bom) != NULL ||
	    !split_mailbox(value, true, &local, &domain)) {
		lint_found(run, name->element,
		    "the SmtpUTF8Mailbox '%s' is not one mailbox in UTF-8",
		    shown(value, buf));
		return;
	}
	if (is_ascii(local))
		lint_found(run, name->element,
		    "the SmtpUTF8Mailbox '%s' has a local part in ASCII; "
		    "write it as rfc822Name",
		    shown(value, buf));
	if (is_ascii(domain))
		check_domain(run, name, value, domain);
	else
		lint_discouraged(run, name->element,
		    "the domain of the SmtpUTF8Mailbox '%s' is not written in "
		    "A-labels (RFC 9598, section 3)",
		    shown(value, buf));
}

/* ---- subjectAltName ---------------------------------------------------- */

static void
check_other_name(const struct lint_run *run, const struct general_name *name)
{
	struct der value;

	if (is_utf8_mailbox(name, &value))
		check_utf8_mailbox(run, name, value);
	else if (smime_kind(run).generation == STRICT)
		lint_found(run, name->element,
		    "subjectAltName has an otherName that is no "
		    "SmtpUTF8Mailbox, which the strict generation must not "
		    "have");
}

static void
check_name(const struct lint_run *run, const struct general_name *name)
{
	switch (name->tag) {
	case GENERAL_MAIL:
		check_mail(run, name);
		return;
	case GENERAL_OTHER:
		check_other_name(run, name);
		return;
	case GENERAL_DIRECTORY:
		return;
	default:
		lint_found(run, name->element,
		    "subjectAltName has a name of type %s; only rfc822Name, "
		    "otherName and directoryName may occur",
		    general_name_type(name->tag));
	}
}

/* All mailboxes that subjectAltName names. */
static int
mailboxes(const struct lint_run *run, struct octets_list *ret_list)
{
	struct der names = san_names(run->extensions), value;
	struct general_name name;

	while (general_name_next(&names, &name)) {
		if (name.tag == GENERAL_MAIL)
			value = name.content;
		else if (name.tag != GENERAL_OTHER ||
		    !is_utf8_mailbox(&name, &value) || value.p == NULL)
			continue;
		if (octets_add(ret_list, value) != 0)
			return -1;
	}
	return 0;
}

/* Is the value of this attribute a mailbox that subjectAltName lacks? */
static void
check_repeated(const struct lint_run *run,
    const struct lint_attribute *attribute, struct octets_list *list)
{
	AUTO_BYTES(text) = NULL;
	struct der value = nowhere, local, domain;
	char buf[SHOWN_SIZE];
	size_t len;

	if (attribute_text(attribute, &text, &len) != 0) {
		ca_error_clear();
		return;
	}
	value = (struct der){ text, len };
	if (!split_mailbox(value, true, &local, &domain)) {
		if (attribute->nid == NID_pkcs9_emailAddress)
			lint_found(run, attribute->element,
			    "emailAddress '%s' is not one mailbox",
			    shown(value, buf));
		return;
	}
	if (!octets_has(list, value))
		lint_found(run, attribute->element,
		    "the mailbox '%s' stands in a name but not in "
		    "subjectAltName as rfc822Name or SmtpUTF8Mailbox",
		    shown(value, buf));
}

static void
check_repeated_of(const struct lint_run *run, const struct lint_name *name,
    struct octets_list *list)
{
	for (size_t i = 0; i < name->count; i++)
		check_repeated(run, &name->parts[i], list);
}

static void
check_directory_names(const struct lint_run *run, struct octets_list *list)
{
	struct der names = san_names(run->extensions);
	struct general_name name;
	struct lint_name *directory = calloc(1, sizeof *directory);

	if (directory == NULL) {
		lint_unsure(run, "no memory");
		return;
	}
	while (general_name_next(&names, &name)) {
		struct der in = name.content;

		if (name.tag != GENERAL_DIRECTORY)
			continue;
		if (lint_take_name(&in, directory) && in.len == 0)
			check_repeated_of(run, directory, list);
		else
			lint_found(run, name.element,
			    "a directoryName of subjectAltName cannot be read");
	}
	free(directory);
}

static void
check_san_names(const struct lint_run *run)
{
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	struct der names = san_names(run->extensions);
	struct general_name name;

	while (general_name_next(&names, &name))
		check_name(run, &name);
	if (mailboxes(run, &list) != 0) {
		lint_unsure(run, "no memory");
		return;
	}
	if (list.count == 0)
		lint_found(run, where_is(run, NID_subject_alt_name),
		    "subjectAltName has neither an rfc822Name nor a "
		    "SmtpUTF8Mailbox");
	check_repeated_of(run, run->subject, &list);
	check_directory_names(run, &list);
}

void
smime_check_san(struct lint_run *run)
{
	const struct lint_extension *san =
	    lint_extension(run->extensions, NID_subject_alt_name);
	bool empty = run->subject->count == 0;

	if (san == NULL || run->values->alt_names == NULL) {
		lint_found(run, where_is(run, NID_subject_alt_name),
		    "there is no subjectAltName that can be read");
		return;
	}
	if (empty && !san->critical)
		lint_found(run, san->element,
		    "subjectAltName is not critical while the subject is "
		    "empty");
	if (!empty && san->critical)
		lint_discouraged(run, san->element,
		    "subjectAltName is critical while there is a subject");
	check_san_names(run);
}

/* ---- the subject ------------------------------------------------------- */

/*
 * SBR 7.1.4.2.3 to 7.1.4.2.6: what an attribute is to each type (the letter at
 * its number): allowed, required, forbidden; and what strict has not.
 */
static const struct {
	int nid;
	char use[INDIVIDUAL + 2];
	bool not_strict;
} subject_rows[] = {
	{ NID_commonName, ".AAAA", false },
	{ NID_organizationName, ".FRRF", false },
	{ NID_organizationalUnitName, ".FAAF", false },
	{ NID_organizationIdentifier, ".FRRF", false },
	{ NID_givenName, ".FFAA", false },
	{ NID_surname, ".FFAA", false },
	{ NID_pseudonym, ".FFAA", false },
	{ NID_serialNumber, ".AAAA", false },
	{ NID_pkcs9_emailAddress, ".AAAA", false },
	{ NID_title, ".FFAA", false },
	{ NID_streetAddress, ".FAAA", true },
	{ NID_localityName, ".FAAA", false },
	{ NID_stateOrProvinceName, ".FAAA", false },
	{ NID_postalCode, ".FAAA", true },
	{ NID_countryName, ".FAAA", false },
};
enum { SUBJECT_ROWS = sizeof subject_rows / sizeof *subject_rows };

static enum attribute_use
use_of(size_t row, struct kind kind)
{
	if (subject_rows[row].not_strict && kind.generation == STRICT)
		return ATTRIBUTE_FORBIDDEN;
	switch (subject_rows[row].use[kind.type]) {
	case 'A':
		return ATTRIBUTE_ALLOWED;
	case 'R':
		return ATTRIBUTE_REQUIRED;
	default:
		return ATTRIBUTE_FORBIDDEN;
	}
}

static void
check_attributes(const struct lint_run *run, struct kind kind)
{
	static const char *const kinds[] = {
		[TYPE_NONE] = "",
		[MAILBOX] = "a mailbox-validated certificate",
		[ORGANIZATION] = "an organization-validated certificate",
		[SPONSOR] = "a sponsor-validated certificate",
		[INDIVIDUAL] = "an individual-validated certificate",
	};
	struct attribute_row rows[SUBJECT_ROWS];
	struct attribute_table table = { kinds[kind.type], rows, SUBJECT_ROWS,
		ATTRIBUTE_FORBIDDEN };

	for (size_t i = 0; i < SUBJECT_ROWS; i++)
		rows[i] = (struct attribute_row){ subject_rows[i].nid,
			use_of(i, kind) };
	if (kind.generation == LEGACY && kind.type != MAILBOX)
		table.others = ATTRIBUTE_ALLOWED;
	lint_attributes(run, &table);
}

static bool
has(const struct lint_run *run, int nid)
{
	return attribute_of(run->subject, nid) != NULL;
}

static void
check_person(const struct lint_run *run, struct kind kind)
{
	bool named = has(run, NID_givenName) || has(run, NID_surname);
	bool pseudonym = has(run, NID_pseudonym);

	if (named && pseudonym)
		lint_found(run, run->subject->element,
		    "the subject has pseudonym beside givenName or surname");
	if (named || pseudonym ||
	    (kind.type != SPONSOR && kind.type != INDIVIDUAL))
		return;
	if (kind.generation != LEGACY || !has(run, NID_commonName))
		lint_found(run, run->subject->element,
		    "the subject has neither givenName, surname nor "
		    "pseudonym");
}

/* SBR 7.1.4.2.2 j to m. */
static void
check_address(const struct lint_run *run)
{
	bool place =
	    has(run, NID_localityName) || has(run, NID_stateOrProvinceName);

	if ((has(run, NID_streetAddress) || has(run, NID_postalCode)) && !place)
		lint_found(run, run->subject->element,
		    "the subject has streetAddress or postalCode without "
		    "localityName or stateOrProvinceName");
	if (place && !has(run, NID_countryName))
		lint_found(run, run->subject->element,
		    "the subject has localityName or stateOrProvinceName "
		    "without countryName");
}

/* Do two attributes hold the same characters? */
static bool
is_same_text(
    const struct lint_attribute *a, const unsigned char *text, size_t len)
{
	AUTO_BYTES(other) = NULL;
	size_t other_len;

	if (a == NULL)
		return false;
	if (attribute_text(a, &other, &other_len) != 0) {
		ca_error_clear();
		return false;
	}
	return other_len == len && memcmp(other, text, len) == 0;
}

/* Where its value may come from: SBR 7.1.4.2.2 a. */
static bool
is_known_name(const struct lint_run *run, struct kind kind,
    const unsigned char *text, size_t len)
{
	const struct lint_name *subject = run->subject;

	switch (kind.type) {
	case ORGANIZATION:
		return is_same_text(
		    attribute_of(subject, NID_organizationName), text, len);
	case SPONSOR:
	case INDIVIDUAL:
		/* A personal name may be written in other ways than these. */
		return kind.generation == LEGACY || has(run, NID_givenName) ||
		    has(run, NID_surname) ||
		    is_same_text(
			attribute_of(subject, NID_pseudonym), text, len);
	default:
		return false;
	}
}

static void
check_common_name(const struct lint_run *run, struct kind kind,
    const struct lint_attribute *attribute, struct octets_list *list)
{
	static const char *const wanted[] = {
		[TYPE_NONE] = "",
		[MAILBOX] = "a mailbox of subjectAltName",
		[ORGANIZATION] =
		    "organizationName or a mailbox of subjectAltName",
		[SPONSOR] = "a personal name, the pseudonym or a mailbox of "
			    "subjectAltName",
		[INDIVIDUAL] = "a personal name, the pseudonym or a mailbox "
			       "of subjectAltName",
	};
	AUTO_BYTES(text) = NULL;
	char buf[SHOWN_SIZE];
	size_t len;

	if (attribute_text(attribute, &text, &len) != 0) {
		ca_error_clear();
		lint_found(run, attribute->element,
		    "commonName is no character string that can be read");
		return;
	}
	if (!is_known_name(run, kind, text, len) &&
	    !octets_has(list, (struct der){ text, len }))
		lint_found(run, attribute->element, "commonName '%s' is not %s",
		    shown((struct der){ text, len }, buf), wanted[kind.type]);
}

static void
check_common_names(const struct lint_run *run, struct kind kind)
{
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	const struct lint_name *subject = run->subject;

	if (mailboxes(run, &list) != 0) {
		lint_unsure(run, "no memory");
		return;
	}
	for (size_t i = 0; i < subject->count; i++)
		if (subject->parts[i].nid == NID_commonName)
			check_common_name(run, kind, &subject->parts[i], &list);
}

/* ---- organizationIdentifier (SBR 7.1.4.2.2 d, appendix A) -------------- */

/* ISO 17442: 18 letters or digits and two check digits, ISO 7064 mod 97-10. */
static bool
is_lei(struct der text)
{
	enum { LEI_LEN = 20, MODULUS = 97 };
	unsigned rest = 0;

	if (text.len != LEI_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.p[i];

		if (c >= '0' && c <= '9')
			rest = rest * 10 + (unsigned)(c - '0');
		else if (c >= 'A' && c <= 'Z' && i < LEI_LEN - 2)
			rest = rest * 100 + (unsigned)(c - 'A' + 10);
		else
			return false;
		rest %= MODULUS;
	}
	return rest == 1;
}

static const struct scheme {
	char name[4];
	bool global;      /* country code XG */
	bool subdivision; /* may name a state or province */
	bool reference;   /* has one; else must have none */
} schemes[] = {
	{ "NTR", false, true, true },
	{ "VAT", false, false, true },
	{ "PSD", false, false, true },
	{ "LEI", true, false, true },
	{ "GOV", false, true, false },
	{ "INT", true, false, false },
};

static const struct scheme *
scheme_of(struct der name)
{
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (der_equal(name, (const unsigned char *)schemes[i].name, 3))
			return &schemes[i];
	return NULL;
}

static const char *
scheme_fault(const struct scheme *scheme, const struct organization_id *id)
{
	bool global = der_equal(id->country, (const unsigned char *)"XG", 2);

	if (scheme == NULL)
		return "has none of the schemes NTR, VAT, PSD, LEI, GOV, INT";
	if (scheme->global != global)
		return scheme->global ? "must have the country code XG"
				      : "must not have the country code XG";
	if (!scheme->subdivision && id->subdivision.len > 0)
		return "names a state or province, which its scheme does not";
	if (scheme->reference && id->reference.len == 0)
		return "has no reference after a hyphen";
	if (!scheme->reference && id->reference.len > 0)
		return "has a reference, which its scheme does not";
	if (strcmp(scheme->name, "LEI") == 0 && !is_lei(id->reference))
		return "is no legal entity identifier with right check digits";
	return NULL;
}

static void
check_organization_id(const struct lint_run *run)
{
	const struct lint_attribute *attribute = attribute_of(run->subject,
					NID_organizationIdentifier),
				    *country = attribute_of(
					run->subject, NID_countryName);
	struct organization_id id;
	const char *fault = "is not of the form scheme, country, hyphen, "
			    "reference";
	char buf[SHOWN_SIZE];

	if (attribute == NULL)
		return;
	if (organization_id_parse(attribute->value, &id))
		fault = scheme_fault(scheme_of(id.scheme), &id);
	if (fault != NULL) {
		lint_found(run, attribute->element,
		    "organizationIdentifier '%s' %s",
		    shown(attribute->value, buf), fault);
		return;
	}
	if (country != NULL && !scheme_of(id.scheme)->global &&
	    !der_equal(country->value, id.country.p, id.country.len))
		lint_found(run, attribute->element,
		    "organizationIdentifier '%s' has another country than "
		    "countryName",
		    shown(attribute->value, buf));
}

void
smime_check_subject(struct lint_run *run)
{
	struct kind kind = smime_kind(run);

	lint_metadata(run);
	if (kind.type == TYPE_NONE) /* SM-GEN */
		return;
	check_attributes(run, kind);
	check_person(run, kind);
	check_address(run);
	check_common_names(run, kind);
	check_organization_id(run);
}
