#include "profiles/name.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"

#define DIRECTORY (NAME_PRINTABLE | NAME_UTF8)

/* TLS BR 7.1.4.2, RFC 5280, appendix A.1 */
static const struct attribute attributes[] = {
	{ "domain-component", NID_domainComponent, 1, 63, NAME_IA5, true,
	    "NAM-ENC-IA5" },
	{ "country", NID_countryName, 2, 2, NAME_PRINTABLE, false,
	    "NAM-ENC-PRINTABLE" },
	{ "state", NID_stateOrProvinceName, 3, 128, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "locality", NID_localityName, 4, 128, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "postal-code", NID_postalCode, 5, 40, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "street", NID_streetAddress, 6, 128, DIRECTORY, true,
	    "NAM-ENC-DIRSTRING" },
	{ "organization", NID_organizationName, 7, 64, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "surname", NID_surname, 8, 64, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "given-name", NID_givenName, 9, 64, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "organizational-unit", NID_organizationalUnitName, 10, 64, DIRECTORY,
	    false, "NAM-ENC-DIRSTRING" },
	{ "common-name", NID_commonName, 11, 64, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "serial-number", NID_serialNumber, 0, 64, NAME_PRINTABLE, false,
	    "NAM-ENC-PRINTABLE" },
	{ "organization-identifier", NID_organizationIdentifier, 0, 0,
	    DIRECTORY, false, "NAM-ENC-DIRSTRING" },
	{ "business-category", NID_businessCategory, 0, 128, DIRECTORY, false,
	    "NAM-ENC-DIRSTRING" },
	{ "jurisdiction-country", NID_jurisdictionCountryName, 0, 2,
	    NAME_PRINTABLE, false, "NAM-ENC-PRINTABLE" },
	{ "jurisdiction-state", NID_jurisdictionStateOrProvinceName, 0, 128,
	    DIRECTORY, false, "NAM-ENC-DIRSTRING" },
	{ "jurisdiction-locality", NID_jurisdictionLocalityName, 0, 128,
	    DIRECTORY, false, "NAM-ENC-DIRSTRING" },
};

static const struct {
	const char *name;
	enum name_encoding encoding;
	int type;
} encodings[] = {
	{ "printable", NAME_PRINTABLE, V_ASN1_PRINTABLESTRING },
	{ "utf8", NAME_UTF8, V_ASN1_UTF8STRING },
	{ "ia5", NAME_IA5, V_ASN1_IA5STRING },
};

enum { ENCODING_COUNT = sizeof encodings / sizeof encodings[0] };

const struct attribute *
attribute_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (strcmp(attributes[i].name, name) == 0)
			return &attributes[i];
	return NULL;
}

const struct attribute *
attribute_by_nid(int nid)
{
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
		if (attributes[i].nid == nid)
			return &attributes[i];
	return NULL;
}

enum name_encoding
name_encoding_by_name(const char *name)
{
	for (size_t i = 0; i < ENCODING_COUNT; i++)
		if (strcmp(encodings[i].name, name) == 0)
			return encodings[i].encoding;
	return 0;
}

static int
encoding_type(enum name_encoding encoding)
{
	for (size_t i = 0; i < ENCODING_COUNT; i++)
		if (encodings[i].encoding == encoding)
			return encodings[i].type;
	return V_ASN1_UTF8STRING;
}

/* Characters of UTF-8 text: octets that do not continue one. */
static size_t
characters(const char *utf8)
{
	size_t count = 0;

	for (; *utf8 != '\0'; utf8++)
		count += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return count;
}

static bool
is_printable_string(const char *value)
{
	return value[strspn(value,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		   "0123456789 '()+,-./:=?")] == '\0';
}

/* A label of a domain name: letters, digits, hyphens inside. */
static bool
is_domain_label(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && value[0] != '-' && value[len - 1] != '-' &&
	    value[strspn(value,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-")] == '\0';
}

static void
check_alphabet(
    const struct name_part *part, const char *place, struct findings *findings)
{
	const char *name = part->attribute->name;

	if (part->encoding == NAME_PRINTABLE &&
	    !is_printable_string(part->value))
		findings_add(findings, FINDING_ERROR, "NAM-PRINTABLE-ALPHABET",
		    place, "X.680, section 41.4",
		    "%s '%s' has a character that a PrintableString cannot "
		    "hold",
		    name, part->value);
	if (part->encoding == NAME_IA5 && !is_domain_label(part->value))
		findings_add(findings, FINDING_ERROR, "NAM-ENC-IA5", place,
		    "RFC 4519, section 2.4",
		    "%s '%s' is not one label of a domain name", name,
		    part->value);
}

static void
check_length(
    const struct name_part *part, const char *place, struct findings *findings)
{
	size_t count = characters(part->value), max = part->attribute->max;

	if (max != 0 && count > max)
		findings_add(findings, FINDING_ERROR, "NAM-LEN", place,
		    "RFC 5280, appendix A.1",
		    "%s '%s' has %zu characters, and may have %zu",
		    part->attribute->name, part->value, count, max);
}

/* "&amp;", "&#228;": text that was escaped for a web page. */
static bool
has_html_entity(const char *value)
{
	for (const char *p = strchr(value, '&'); p != NULL;
	     p = strchr(p + 1, '&')) {
		size_t len = strspn(p + 1,
		    "#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		    "0123456789");

		if (len > 0 && p[1 + len] == ';')
			return true;
	}
	return false;
}

/* UTF-8 that was taken for Latin-1 and encoded again: "Ã¼". */
static bool
has_mixup(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	for (; *p != '\0'; p++)
		if (p[0] == 0xc3 && (p[1] == 0x82 || p[1] == 0x83) &&
		    p[2] == 0xc2)
			return true;
	return false;
}

static bool
says_nothing(const char *value)
{
	static const char *const fillers[] = { "n/a", "n.a.", "none", "null",
		"nil", "not applicable", "not available", "unknown",
		"undefined", "default", "some-state" };

	if (value[strspn(value, "-._*?/,:;=+ ")] == '\0')
		return true;
	for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++)
		if (strcasecmp(value, fillers[i]) == 0)
			return true;
	return false;
}

const char *
name_unclean(const char *value, size_t len)
{
	if (len == 0)
		return "is empty";
	if (!text_is_safe(value, len))
		return "has a control character or broken UTF-8";
	if (value[0] == ' ' || value[len - 1] == ' ')
		return "begins or ends with a blank";
	if (has_html_entity(value))
		return "has an HTML entity";
	if (has_mixup(value))
		return "was UTF-8 taken for Latin-1";
	if (says_nothing(value))
		return "says nothing; leave it out";
	return NULL;
}

static void
check_clean(
    const struct name_part *part, const char *place, struct findings *findings)
{
	const char *why = name_unclean(part->value, strlen(part->value));

	/* Shown to people, it could not be told from an escape. */
	if (why == NULL && strchr(part->value, '\\') != NULL)
		why = "has a backslash";
	if (why != NULL)
		findings_add(findings, FINDING_ERROR, "NAM-CLEAN", place,
		    "TLS BR, section 7.1.2.7", "%s '%s' %s",
		    part->attribute->name, part->value, why);
}

static void
check_country(
    const struct name_part *part, const char *place, struct findings *findings)
{
	int nid = part->attribute->nid;

	if ((nid == NID_countryName || nid == NID_jurisdictionCountryName) &&
	    !country_is_assigned(part->value))
		findings_add(findings, FINDING_ERROR, "NAM-COUNTRY-ISO", place,
		    "TLS BR, section 7.1.2.10.2",
		    "%s '%s' is not a code of ISO 3166-1 in capital letters",
		    part->attribute->name, part->value);
}

int
name_check(
    const struct name_part *part, const char *place, struct findings *findings)
{
	check_length(part, place, findings);
	check_alphabet(part, place, findings);
	check_country(part, place, findings);
	check_clean(part, place, findings);
	return 0;
}

int
name_encode(const struct name_part *parts, size_t count,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO(X509_NAME) *name = X509_NAME_new();
	const unsigned char *der;
	size_t len;

	if (name == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	for (size_t i = 0; i < count; i++) {
		const struct name_part *part = &parts[i];
		const unsigned char *value = (const unsigned char *)part->value;

		if (X509_NAME_add_entry_by_NID(name, part->attribute->nid,
			encoding_type(part->encoding), value,
			(int)strlen(part->value), -1, 0) != 1)
			return ca_error(CA_R_INTERNAL, "cannot encode '%s'",
			    part->attribute->name);
	}
	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return ca_error(CA_R_MEMORY, "cannot encode a name");
	if (asn1_copy(der, len, ret_der) != 0)
		return -1;
	*ret_len = len;
	return 0;
}

int
name_text(const X509_NAME *name, char **ret_text)
{
	/* Control characters are left to text_escape(), which knows more. */
	static const unsigned long flags = ASN1_STRFLGS_ESC_2253 |
	    ASN1_STRFLGS_ESC_QUOTE | ASN1_STRFLGS_UTF8_CONVERT |
	    ASN1_STRFLGS_DUMP_UNKNOWN | ASN1_STRFLGS_DUMP_DER |
	    XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_DN_REV | XN_FLAG_FN_SN;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	const char *raw;
	char *text;
	long len;

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	(void)ERR_set_mark();
	if (X509_NAME_print_ex(bio, name, 0, flags) < 0) {
		(void)ERR_pop_to_mark();
		return ca_error(CA_R_INPUT,
		    "a name has a string that is not of its own type");
	}
	(void)ERR_pop_to_mark();
	len = BIO_get_mem_data(bio, &raw);
	text = text_escape(len > 0 ? raw : "", len > 0 ? (size_t)len : 0);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}
