/*
 * What lints of end-entity certificates share: names of subjectAltName as they
 * stand, subject attributes by type, pointers to status and issuer, policies.
 */
#ifndef CA_LINT_SUBSCRIBER_H
#define CA_LINT_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profiles/lint/lint-private.h"

enum {
	DAY = 86400,
	SHOWN_SIZE = 160,
};

/* Identifier octets of GeneralName's choices, RFC 5280, section 4.2.1.6. */
enum {
	GENERAL_OTHER = 0xa0,
	GENERAL_MAIL = 0x81,
	GENERAL_DNS = 0x82,
	GENERAL_X400 = 0xa3,
	GENERAL_DIRECTORY = 0xa4,
	GENERAL_EDI = 0xa5,
	GENERAL_URI = 0x86,
	GENERAL_IP = 0x87,
	GENERAL_ID = 0x88,
};

struct general_name {
	struct der element, content;
	unsigned tag;
};

/* Contents of subjectAltName; empty where it is absent or malformed. */
struct der san_names(const struct lint_extensions *extensions);
bool general_name_next(struct der *names, struct general_name *ret_name);
/* "dNSName", "otherName", ...; "unknown name" for a tag that is none. */
const char *general_name_type(unsigned tag);

static inline bool
is_ascii_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* Octets for a finding: cut, and what is no character replaced. */
const char *shown(struct der octets, char buf[static SHOWN_SIZE]);

/* notAfter - notBefore + 1 (BR 1.6.1, validity period); 0: not to be told. */
int64_t validity_seconds(const struct lint_certificate *certificate);
/* Whole days, a part of one counted as one. */
int64_t validity_days(const struct lint_certificate *certificate);

/* How an attribute type stands in a subject of some kind. */
enum attribute_use {
	ATTRIBUTE_ALLOWED,
	ATTRIBUTE_REQUIRED,
	ATTRIBUTE_DISCOURAGED,
	ATTRIBUTE_FORBIDDEN,
};

struct attribute_row {
	int nid;
	enum attribute_use use;
};

/* The rows, and how any other attribute stands. */
struct attribute_table {
	const char *kind; /* "an OV certificate" */
	const struct attribute_row *rows;
	size_t count;
	enum attribute_use others;
};

/* Hold the subject against a table. */
void lint_attributes(
    const struct lint_run *run, const struct attribute_table *table);

/* The first attribute of this type, or NULL. */
const struct lint_attribute *attribute_of(
    const struct lint_name *name, int nid);
/* stateOrProvinceName or localityName must be there. */
void lint_place(const struct lint_run *run, const char *kind);
/*
 * The value in UTF-8, free(); -1 with CA_R_INPUT where it is no character
 * string, or CA_R_MEMORY.
 */
int attribute_text(const struct lint_attribute *attribute,
    unsigned char **ret_text, size_t *ret_len) MUST_USE;
/* No attribute only says, by '.', '-', blanks or words, that it is empty. */
void lint_metadata(const struct lint_run *run);

/* EV and EV code signing: EVG 7.1.4.2.3 to 7.1.4.2.5. */
void lint_business_category(const struct lint_run *run);

/* organizationIdentifier: scheme, country, "+" subdivision, "-" reference. */
struct organization_id {
	struct der scheme, country, subdivision, reference;
};
bool organization_id_parse(struct der text, struct organization_id *ret_id);

/* AccessDescriptions with this method (NID_ad_OCSP, ...), whatever they say. */
int access_count(const struct lint_values *values, int method);
/* Of these, how many are http URIs? */
int access_http_count(const struct lint_values *values, int method);
/* URIs of all full names; *ret_http: of these with the scheme http. */
int crl_uri_count(const struct lint_values *values, int *ret_http);

/* Dotted form of a policy or purpose; empty where it is too long. */
enum { OID_TEXT_SIZE = 128 };
const char *oid_text(const ASN1_OBJECT *object, char buf[static OID_TEXT_SIZE]);

/* Where an extension stands, for lint_found(); empty where it is absent. */
struct der where_is(const struct lint_run *run, int nid);
/* Key usage bits as lint_key_usage() numbers them. */
enum {
	USE_SIGN = 1 << 0,
	USE_NON_REPUDIATION = 1 << 1,
	USE_KEY_ENCIPHER = 1 << 2,
	USE_DATA_ENCIPHER = 1 << 3,
	USE_AGREE = 1 << 4,
	USE_CERT_SIGN = 1 << 5,
	USE_CRL_SIGN = 1 << 6,
	USE_ENCIPHER_ONLY = 1 << 7,
	USE_DECIPHER_ONLY = 1 << 8,
};
/* Each bit outside `allowed` is found. */
void lint_usage_bits(
    const struct lint_run *run, unsigned allowed, const char *kind);

#endif
