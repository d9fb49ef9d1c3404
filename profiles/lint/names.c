/* Distinguished names: rules.md 2.2. */
#include <string.h>

#include "base/text.h"
#include "profiles/lint/ca-private.h"
#include "profiles/lint/dns.h"
#include "profiles/lint/uri.h"
#include "profiles/name.h"

enum {
	COUNTRY_LEN = 2,
	SERIAL_MAX = 64,
	LABEL_MAX = 63,
	EMAIL_MAX = 255,
	SHOWN_MAX = 100, /* octets of a value that a text repeats */
	ASCII_END = 0x80,
	/* Whoever is a subscriber may live where there is no code (BR). */
	FOR_SUBSCRIBER = FOR_LEAF | FOR_SMIME | FOR_CS,
};

/* ---- each name, each attribute ----------------------------------------- */

struct name_of {
	const struct lint_name *name;
	const char *whose;
	bool issuer;
};

struct part_of {
	const struct lint_attribute *attribute;
	const struct attribute *row; /* NULL: none of the table's */
	const char *whose, *type;
	bool issuer;
};

/*
 * Subject and issuer; once where they are the same, and without a subject that
 * has to be as it is.
 */
static size_t
names_of(const struct lint_run *run, struct name_of ret_names[2])
{
	const struct lint_certificate *c = run->certificate;
	size_t count = 0;

	if (!ca_subject_is_copied(run))
		ret_names[count++] =
		    (struct name_of){ &c->subject, "the subject", false };
	if (!ca_same_octets(c->subject.element, c->issuer.element))
		ret_names[count++] =
		    (struct name_of){ &c->issuer, "the issuer", true };
	return count;
}

static const char *
type_name(const struct lint_attribute *attribute, const struct attribute *row)
{
	if (row != NULL)
		return row->name;
	return attribute->nid != NID_undef ? OBJ_nid2sn(attribute->nid)
					   : "unknown attribute";
}

static void
each_part(const struct lint_run *run,
    void (*check)(const struct lint_run *run, const struct part_of *part))
{
	struct name_of names[2];
	const size_t count = names_of(run, names);

	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < names[n].name->count; i++) {
			const struct lint_attribute *a =
			    &names[n].name->parts[i];
			const struct attribute *row = attribute_by_nid(a->nid);
			const struct part_of part = { a, row, names[n].whose,
				type_name(a, row), names[n].issuer };

			check(run, &part);
		}
}

static const char *
tag_name(unsigned tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
		return "UTF8String";
	case DER_PRINTABLE_STRING:
		return "PrintableString";
	case DER_T61_STRING:
		return "TeletexString";
	case DER_IA5_STRING:
		return "IA5String";
	case DER_UNIVERSAL_STRING:
		return "UniversalString";
	case DER_BMP_STRING:
		return "BMPString";
	default:
		return "of another type";
	}
}

/* Characters of UTF-8 text: octets that do not continue one. */
static size_t
characters(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

/* ---- form -------------------------------------------------------------- */

static void
rdn_single(struct lint_run *run)
{
	struct name_of names[2];
	const size_t count = names_of(run, names);

	for (size_t n = 0; n < count; n++) {
		const struct lint_name *name = names[n].name;

		for (size_t i = 1; i < name->count; i++)
			if (name->parts[i].rdn == name->parts[i - 1].rdn)
				lint_found(run, name->parts[i].element,
				    "%s has more than one attribute in an RDN, "
				    "and each needs its own",
				    names[n].whose);
	}
}

/* TLS BR, section 7.1.4.2 */
static void
order_of(const struct lint_run *run, const struct name_of *of)
{
	const struct attribute *last = NULL;

	for (size_t i = 0; i < of->name->count; i++) {
		const struct lint_attribute *a = &of->name->parts[i];
		const struct attribute *row = attribute_by_nid(a->nid);

		if (row == NULL || row->rank == 0)
			continue;
		if (last != NULL && row->rank < last->rank) {
			lint_found(run, a->element,
			    "%s has %s behind %s, and it belongs before it",
			    of->whose, row->name, last->name);
			return;
		}
		last = row;
	}
}

static void
order(struct lint_run *run)
{
	struct name_of names[2];
	const size_t count = names_of(run, names);

	for (size_t n = 0; n < count; n++)
		order_of(run, &names[n]);
}

static bool
is_repeated(const struct lint_name *name, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (ca_same_octets(name->parts[k].oid, name->parts[i].oid))
			return true;
	return false;
}

/* At most LINT_NAME_PARTS_MAX of them: comparing each with each is bounded. */
static void
no_dup(struct lint_run *run)
{
	struct name_of names[2];
	const size_t count = names_of(run, names);

	for (size_t n = 0; n < count; n++)
		for (size_t i = 1; i < names[n].name->count; i++) {
			const struct lint_attribute *a =
			    &names[n].name->parts[i];
			const struct attribute *row = attribute_by_nid(a->nid);

			if ((row == NULL || !row->repeats) &&
			    is_repeated(names[n].name, i))
				lint_found(run, a->element,
				    "%s has %s more than once", names[n].whose,
				    type_name(a, row));
		}
}

/* ---- string types ------------------------------------------------------ */

static void
printable_part(const struct lint_run *run, const struct part_of *part)
{
	const struct lint_attribute *a = part->attribute;
	const bool serial = a->nid == NID_serialNumber;

	if (part->row == NULL || part->row->encodings != NAME_PRINTABLE)
		return;
	if (a->tag != DER_PRINTABLE_STRING)
		lint_found(run, a->element,
		    "%s's %s is %s, and must be PrintableString", part->whose,
		    part->type, tag_name(a->tag));
	else if (serial && a->value.len > SERIAL_MAX)
		lint_found(run, a->element,
		    "%s's %s has %zu characters, and may have %d", part->whose,
		    part->type, a->value.len, SERIAL_MAX);
	else if (!serial && a->value.len != COUNTRY_LEN)
		lint_found(run, a->element,
		    "%s's %s has %zu characters, and must have %d", part->whose,
		    part->type, a->value.len, COUNTRY_LEN);
}

static void
enc_printable(struct lint_run *run)
{
	each_part(run, printable_part);
}

/* RFC 4519, section 2.4: one label of a domain name. */
static void
ia5_part(const struct lint_run *run, const struct part_of *part)
{
	const struct lint_attribute *a = part->attribute;

	if (part->row == NULL || part->row->encodings != NAME_IA5)
		return;
	if (a->tag != DER_IA5_STRING)
		lint_found(run, a->element,
		    "%s's %s is %s, and must be IA5String", part->whose,
		    part->type, tag_name(a->tag));
	else if (a->value.len > LABEL_MAX)
		lint_found(run, a->element,
		    "%s's %s has %zu characters, and may have %d", part->whose,
		    part->type, a->value.len, LABEL_MAX);
	else if (!uri_is_ldh_name(a->value, 1) ||
	    memchr(a->value.p, '.', a->value.len) != NULL)
		lint_found(run, a->element,
		    "%s's %s is not one label of a domain name", part->whose,
		    part->type);
}

static void
enc_ia5(struct lint_run *run)
{
	each_part(run, ia5_part);
}

/*
 * An issuer's name that is a copy is not new: RFC 5280, section 4.1.2.6 (c),
 * and FLD-ISSUER-BYTES, which lets it be nothing else.  That a CA keeps to one
 * of the two types is for its profiles, which fix the type of each attribute.
 */
static void
dirstring_part(const struct lint_run *run, const struct part_of *part)
{
	const struct lint_attribute *a = part->attribute;

	if (part->row == NULL ||
	    part->row->encodings != (NAME_PRINTABLE | NAME_UTF8))
		return;
	if (part->issuer && run->issuer != NULL &&
	    ca_same_octets(
		run->certificate->issuer.element, run->issuer->subject.element))
		return;
	if (a->tag != DER_PRINTABLE_STRING && a->tag != DER_UTF8_STRING)
		lint_found(run, a->element,
		    "%s's %s is %s, and must be UTF8String or PrintableString",
		    part->whose, part->type, tag_name(a->tag));
}

static void
enc_dirstring(struct lint_run *run)
{
	each_part(run, dirstring_part);
}

/* X.680, section 41.4 */
static bool
is_printable_alphabet(struct der value)
{
	static const char others[] = " '()+,-./:=?";

	for (size_t i = 0; i < value.len; i++) {
		const unsigned char c = value.p[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') &&
		    memchr(others, c, sizeof others - 1) == NULL)
			return false;
	}
	return true;
}

static void
alphabet_part(const struct lint_run *run, const struct part_of *part)
{
	const struct lint_attribute *a = part->attribute;
	const size_t shown =
	    a->value.len < SHOWN_MAX ? a->value.len : SHOWN_MAX;

	if (a->tag == DER_PRINTABLE_STRING && !is_printable_alphabet(a->value))
		lint_found(run, a->element,
		    "%s's %s '%.*s' is a PrintableString with a character that "
		    "none can hold",
		    part->whose, part->type, (int)shown,
		    (const char *)a->value.p);
}

static void
printable_alphabet(struct lint_run *run)
{
	each_part(run, alphabet_part);
}

/* ---- values ------------------------------------------------------------ */

/* The rules on string types tell of countries and domain components. */
static size_t
max_of(const struct part_of *part)
{
	if (part->attribute->nid == NID_pkcs9_emailAddress)
		return EMAIL_MAX;
	if (part->row == NULL || part->row->encodings == NAME_IA5)
		return 0;
	return part->row->max == COUNTRY_LEN ? 0 : part->row->max;
}

static void
length_part(const struct lint_run *run, const struct part_of *part)
{
	AUTO_DER(value) = NULL;
	const size_t max = max_of(part);
	char *text;
	size_t len;

	if (max == 0 || ca_name_value(part->attribute, &text, &len) != 0)
		return;
	value = (unsigned char *)text;
	len = characters(text, len);
	if (len > max)
		lint_found(run, part->attribute->element,
		    "%s's %s has %zu characters, and may have %zu", part->whose,
		    part->type, len, max);
}

static void
length(struct lint_run *run)
{
	each_part(run, length_part);
}

static void
clean_part(const struct lint_run *run, const struct part_of *part)
{
	AUTO_DER(value) = NULL;
	const char *why;
	char *text;
	size_t len;

	if (ca_name_value(part->attribute, &text, &len) != 0) {
		lint_found(run, part->attribute->element,
		    "%s's %s is not of the string type that it claims",
		    part->whose, part->type);
		return;
	}
	value = (unsigned char *)text;
	why = name_unclean(text, len);
	if (why != NULL)
		lint_found(run, part->attribute->element, "%s's %s '%.*s' %s",
		    part->whose, part->type,
		    (int)text_cut(text, len, SHOWN_MAX), text, why);
}

static void
clean(struct lint_run *run)
{
	each_part(run, clean_part);
}

static void
country_part(const struct lint_run *run, const struct part_of *part)
{
	AUTO_DER(value) = NULL;
	const int nid = part->attribute->nid;
	char *text;
	size_t len;

	if ((nid != NID_countryName && nid != NID_jurisdictionCountryName) ||
	    ca_name_value(part->attribute, &text, &len) != 0)
		return;
	value = (unsigned char *)text;
	if (strlen(text) == len && country_is_assigned(text))
		return;
	if (nid == NID_countryName && strcmp(text, "XX") == 0 &&
	    len == COUNTRY_LEN && lint_is(run, FOR_SUBSCRIBER) && !part->issuer)
		return;
	lint_found(run, part->attribute->element,
	    "%s's %s '%.*s' is no code that ISO 3166-1 assigns, in capital "
	    "letters",
	    part->whose, part->type, (int)text_cut(text, len, SHOWN_MAX), text);
}

static void
country_iso(struct lint_run *run)
{
	each_part(run, country_part);
}

static void
email_part(const struct lint_run *run, const struct part_of *part)
{
	if (part->attribute->nid == NID_pkcs9_emailAddress)
		lint_found(run, part->attribute->element,
		    "%s has an emailAddress: an address belongs into "
		    "subjectAltName",
		    part->whose);
}

static void
no_email(struct lint_run *run)
{
	each_part(run, email_part);
}

/* ---- CA names ---------------------------------------------------------- */

static void
ca_country(struct lint_run *run)
{
	ca_want_attributes(run, (const int[]){ NID_countryName, 0 });
}

static void
ca_organization(struct lint_run *run)
{
	ca_want_attributes(run, (const int[]){ NID_organizationName, 0 });
}

static void
ca_common_name(struct lint_run *run)
{
	ca_want_attributes(run, (const int[]){ NID_commonName, 0 });
}

/* TLS BR, section 7.1.2.10.2; NAM-CA-NO-OU and -OU-OTHER look at OU. */
static void
ca_extra(struct lint_run *run)
{
	static const int listed[] = { NID_countryName, NID_stateOrProvinceName,
		NID_localityName, NID_postalCode, NID_streetAddress,
		NID_organizationName, NID_organizationalUnitName,
		NID_commonName };
	const struct lint_name *name = run->subject;

	for (size_t i = 0; i < name->count && !ca_subject_is_copied(run); i++) {
		const struct lint_attribute *a = &name->parts[i];
		bool found = false;

		for (size_t k = 0; k < sizeof listed / sizeof *listed; k++)
			found = found || a->nid == listed[k];
		if (!found)
			lint_found(run, a->element,
			    "the subject has %s, which is none of a CA's "
			    "attributes",
			    type_name(a, attribute_by_nid(a->nid)));
	}
}

static void
no_ou(struct lint_run *run)
{
	const struct lint_attribute *ou =
	    ca_name_part(run->subject, NID_organizationalUnitName);

	if (ou != NULL && !ca_subject_is_copied(run))
		lint_found(run, ou->element,
		    "the subject has organizational-unit, and %s be without",
		    run->rule->level == RULE_MUSTNOT ? "must" : "should");
}

/* A CRL's issuer too: whoever may sign CRLs. */
static void
non_empty(struct lint_run *run)
{
	if (run->subject->count == 0 &&
	    (lint_is(run, FOR_CA) ||
		(lint_key_usage(run->values) & CA_CRL_SIGN) != 0))
		lint_found(run, run->subject->element,
		    "the subject is empty, and a CA or CRL issuer must have a "
		    "name");
}

/* ---- names against names ----------------------------------------------- */

static void
stable_beside(const struct lint_run *run, const struct lint_name *other,
    const char *whose)
{
	switch (ca_compare_names(run->subject, other)) {
	case CA_NAMES_MATCH:
		lint_found(run, run->subject->element,
		    "the subject is %s by RFC 5280, section 7.1, but is "
		    "encoded otherwise: case, blanks or string types",
		    whose);
		break;
	case CA_NAMES_UNREADABLE:
		lint_unsure(run, "the subject or %s cannot be read", whose);
		break;
	default:
		break;
	}
}

static void
stable_subject(struct lint_run *run)
{
	stable_beside(run, &run->certificate->issuer, "the issuer's name");
	if (run->issuer != NULL)
		stable_beside(run, &run->issuer->subject,
		    "the subject of the issuer's certificate");
	if (run->existing != NULL)
		stable_beside(run, &run->existing->subject,
		    "the subject of the existing certificate");
}

static bool
is_same_name(const struct lint_run *run, const struct lint_name *other)
{
	const enum ca_names relation = ca_compare_names(run->subject, other);

	if (relation == CA_NAMES_UNREADABLE)
		lint_unsure(run, "the names cannot be read, nor compared");
	return relation == CA_NAMES_SAME || relation == CA_NAMES_MATCH;
}

/* A root is its own issuer; a cross certificate's subject is given. */
static void
unique_subject(struct lint_run *run)
{
	if (!lint_is(run, FOR_ROOT | FOR_CROSS) &&
	    is_same_name(run, &run->certificate->issuer))
		lint_found(run, run->subject->element,
		    "the subject has its issuer's name, and is another entity");
}

static void
new_name_beside(const struct lint_run *run,
    const struct lint_certificate *other, const char *whose)
{
	const bool name = is_same_name(run, &other->subject);
	const bool key = ca_same_octets(run->key->element, other->key.element);

	if (name && !key)
		lint_found(run, run->subject->element,
		    "the key is new, and the subject is that of %s: a new CA "
		    "key needs a new name",
		    whose);
	if (key && !name)
		lint_found(run, run->subject->element,
		    "the key is that of %s, and the subject is another: a CA "
		    "key keeps its name",
		    whose);
}

/*
 * The existing certificate of a deliberate cross certificate has name and key;
 * CROSS-SUBJECT-BYTES and CROSS-SPKI-BYTES hold the two together.
 */
static void
new_key_new_name(struct lint_run *run)
{
	const bool deliberate =
	    lint_is(run, FOR_CROSS) && run->existing != NULL;

	if (run->issuer != NULL && !lint_is(run, FOR_ROOT) && !deliberate)
		new_name_beside(run, run->issuer, "the issuer");
	if (run->existing != NULL && !deliberate)
		new_name_beside(run, run->existing, "the existing certificate");
}

/* ---- internationalised names ------------------------------------------- */

static bool
is_ascii(struct der text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] >= ASCII_END)
			return false;
	return true;
}

static void
idn_domain(const struct lint_run *run, struct der where, const char *what,
    struct der domain)
{
	enum dns_fault fault;

	if (!is_ascii(domain)) {
		lint_found(run, where,
		    "%s has octets that are not ASCII: an internationalised "
		    "domain name is written in A-labels",
		    what);
		return;
	}
	fault = dns_check(domain, DNS_ASPECT_LDH);
	if (fault == DNS_UNDECIDED)
		lint_unsure(run, "the A-labels of %s", what);
	else if (fault == DNS_BAD_PUNYCODE || fault == DNS_NOT_IDNA ||
	    fault == DNS_RESERVED_LABEL)
		lint_found(run, where, "%s '%.*s' %s", what,
		    (int)(domain.len < SHOWN_MAX ? domain.len : SHOWN_MAX),
		    (const char *)domain.p, dns_fault_text(fault));
}

static struct der
octets_of(const ASN1_STRING *string)
{
	return (struct der){ ASN1_STRING_get0_data(string),
		string->length > 0 ? (size_t)string->length : 0 };
}

/* What stands behind the last '@'; false where there is none. */
static bool
split_mailbox(struct der mailbox, struct der *ret_local, struct der *ret_domain)
{
	const unsigned char *at =
	    mailbox.len > 0 ? memrchr(mailbox.p, '@', mailbox.len) : NULL;

	if (at == NULL)
		return false;
	*ret_local = (struct der){ mailbox.p, (size_t)(at - mailbox.p) };
	*ret_domain = (struct der){ at + 1, mailbox.len - ret_local->len - 1 };
	return true;
}

static void
idn_rfc822(const struct lint_run *run, struct der where, struct der mailbox)
{
	struct der local, domain;

	if (!split_mailbox(mailbox, &local, &domain)) {
		idn_domain(run, where, "rfc822Name", mailbox);
		return;
	}
	if (!is_ascii(local))
		lint_found(run, where,
		    "rfc822Name has a local part that is not ASCII: it must be "
		    "an otherName of type SmtpUTF8Mailbox");
	idn_domain(run, where, "rfc822Name", domain);
}

/* RFC 9598, section 3 */
static void
idn_utf8_mailbox(const struct lint_run *run, struct der where, struct der text)
{
	static const unsigned char bom[] = { 0xef, 0xbb, 0xbf };
	struct der local, domain;

	if (memmem(text.p, text.len, bom, sizeof bom) != NULL)
		lint_found(run, where, "SmtpUTF8Mailbox has a byte order mark");
	if (!split_mailbox(text, &local, &domain)) {
		lint_found(run, where, "SmtpUTF8Mailbox is not a mailbox");
		return;
	}
	if (is_ascii(local))
		lint_found(run, where,
		    "SmtpUTF8Mailbox has a local part in ASCII: it must be an "
		    "rfc822Name");
	for (size_t i = 0; i < domain.len; i++)
		if (domain.p[i] >= 'A' && domain.p[i] <= 'Z') {
			lint_found(run, where,
			    "SmtpUTF8Mailbox has a capital letter in its "
			    "domain, which must be in lower case");
			break;
		}
	idn_domain(run, where, "SmtpUTF8Mailbox", domain);
}

static void
idn_other(const struct lint_run *run, struct der where, const OTHERNAME *other)
{
	if (OBJ_obj2nid(other->type_id) != NID_id_on_SmtpUTF8Mailbox)
		return;
	if (other->value == NULL || other->value->type != V_ASN1_UTF8STRING)
		lint_found(run, where, "SmtpUTF8Mailbox is not a UTF8String");
	else
		idn_utf8_mailbox(
		    run, where, octets_of(other->value->value.utf8string));
}

/* `constraint`: a URI's is its host alone (RFC 5280, section 4.2.1.10). */
static void
idn_uri(const struct lint_run *run, struct der where, struct der text,
    bool constraint)
{
	struct uri uri;

	if (constraint || !is_ascii(text))
		idn_domain(run, where, "the URI", text);
	else if (uri_parse(text, &uri) && uri.host.len > 0)
		idn_domain(run, where, "the URI's host", uri.host);
}

static void
idn_name(const struct lint_run *run, struct der where, const GENERAL_NAME *name,
    bool constraint)
{
	switch (name->type) {
	case GEN_DNS:
		idn_domain(run, where, "dNSName", octets_of(name->d.dNSName));
		break;
	case GEN_EMAIL:
		idn_rfc822(run, where, octets_of(name->d.rfc822Name));
		break;
	case GEN_URI:
		idn_uri(run, where,
		    octets_of(name->d.uniformResourceIdentifier), constraint);
		break;
	case GEN_OTHERNAME:
		if (!constraint)
			idn_other(run, where, name->d.otherName);
		break;
	default:
		break;
	}
}

static void
idn_subtrees(
    const struct lint_run *run, const STACK_OF(GENERAL_SUBTREE) *subtrees)
{
	const struct der where = ca_where(run, NID_name_constraints);

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++)
		idn_name(run, where,
		    sk_GENERAL_SUBTREE_value(subtrees, i)->base, true);
}

static void
idn_part(const struct lint_run *run, const struct part_of *part)
{
	if (part->attribute->nid == NID_domainComponent)
		idn_domain(run, part->attribute->element, part->type,
		    part->attribute->value);
}

static void
idn(struct lint_run *run)
{
	const struct der where = ca_where(run, NID_subject_alt_name);
	const GENERAL_NAMES *names = run->values->alt_names;
	const NAME_CONSTRAINTS *constraints = run->values->name_constraints;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		idn_name(run, where, sk_GENERAL_NAME_value(names, i), false);
	if (constraints != NULL) {
		idn_subtrees(run, constraints->permittedSubtrees);
		idn_subtrees(run, constraints->excludedSubtrees);
	}
	each_part(run, idn_part);
}

static void
ian_absent(struct lint_run *run)
{
	ca_unwanted(run, NID_issuer_alt_name);
}

static const struct lint rows[] = {
	{ .id = "NAM-RDN-SINGLE", .check = rdn_single },
	{ .id = "NAM-ORDER", .check = order },
	{ .id = "NAM-NO-DUP", .check = no_dup },
	{ .id = "NAM-ENC-PRINTABLE", .check = enc_printable },
	{ .id = "NAM-ENC-IA5", .check = enc_ia5 },
	{ .id = "NAM-ENC-DIRSTRING", .check = enc_dirstring },
	{ .id = "NAM-LEN", .check = length },
	{ .id = "NAM-PRINTABLE-ALPHABET", .check = printable_alphabet },
	{ .id = "NAM-CLEAN", .check = clean },
	{ .id = "NAM-COUNTRY-ISO", .check = country_iso },
	{ .id = "NAM-STABLE-SUBJECT", .check = stable_subject },
	{ .id = "NAM-UNIQUE-SUBJECT", .check = unique_subject },
	{ .id = "NAM-NEWKEY-NEWNAME", .check = new_key_new_name },
	{ .id = "NAM-CA-C", .check = ca_country },
	{ .id = "NAM-CA-O", .check = ca_organization },
	{ .id = "NAM-CA-CN", .check = ca_common_name },
	{ .id = "NAM-CA-EXTRA", .check = ca_extra },
	{ .id = "NAM-CA-NO-OU", .check = no_ou },
	{ .id = "NAM-CA-OU-OTHER", .check = no_ou },
	{ .id = "NAM-CA-NONEMPTY",
	    .check = non_empty,
	    .subjects = FOR_CERTIFICATE },
	{ .id = "NAM-NO-EMAIL", .check = no_email },
	{ .id = "NAM-IDN", .check = idn },
	{ .id = "NAM-IAN-ABSENT", .check = ian_absent },
};

const struct lint_table lint_names = LINT_TABLE(rows);
