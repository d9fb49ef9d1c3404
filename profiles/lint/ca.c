/* What the lints of CA and responder certificates share. */
#include <string.h>
#include <strings.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/text.h"
#include "profiles/lint/ca-private.h"

static const struct der nowhere = { NULL, 0 };

/* ---- extensions -------------------------------------------------------- */

struct der
ca_where(const struct lint_run *run, int nid)
{
	const struct lint_extension *row = lint_extension(run->extensions, nid);

	return row != NULL ? row->element : nowhere;
}

const struct lint_extension *
ca_want(const struct lint_run *run, int nid, enum ca_critical critical)
{
	const struct lint_extension *row = lint_extension(run->extensions, nid);

	if (row == NULL)
		lint_found(run, nowhere, "%s is missing", OBJ_nid2sn(nid));
	else if (critical == CA_CRITICAL && !row->critical)
		lint_found(run, row->element, "%s is not critical, and must be",
		    OBJ_nid2sn(nid));
	else if (critical == CA_NOT_CRITICAL && row->critical)
		lint_found(run, row->element, "%s is critical, and must not be",
		    OBJ_nid2sn(nid));
	return row;
}

bool
ca_want_value(const struct lint_run *run, int nid, enum ca_critical critical,
    const void *value)
{
	const struct lint_extension *row = ca_want(run, nid, critical);

	if (row != NULL && value == NULL)
		lint_found(run, row->element,
		    "%s cannot be read: it is not what its name says",
		    OBJ_nid2sn(nid));
	return row != NULL && value != NULL;
}

void
ca_unwanted(const struct lint_run *run, int nid)
{
	const struct lint_extension *row = lint_extension(run->extensions, nid);

	if (row != NULL)
		lint_found(run, row->element,
		    "%s is there, and should be absent", OBJ_nid2sn(nid));
}

static bool
is_among(int nid, const int *nids)
{
	for (size_t i = 0; nids[i] != 0; i++)
		if (nids[i] == nid)
			return true;
	return false;
}

/* In dotted form, from the contents of an OBJECT IDENTIFIER. */
static const char *
oid_text(struct der oid, char text[CA_OID_TEXT_SIZE])
{
	enum { SHORT_MAX = 127 };
	unsigned char der[2 + SHORT_MAX] = { DER_OID };
	const unsigned char *p = der;
	AUTO(ASN1_OBJECT) *object = NULL;

	if (oid.len == 0 || oid.len > SHORT_MAX)
		return "of an odd identifier";
	der[1] = (unsigned char)oid.len;
	memcpy(der + 2, oid.p, oid.len);
	(void)ERR_set_mark();
	object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len + 2);
	(void)ERR_pop_to_mark();
	if (object == NULL ||
	    OBJ_obj2txt(text, CA_OID_TEXT_SIZE, object, 1) <= 0)
		return "of an odd identifier";
	return text;
}

void
ca_no_others(const struct lint_run *run, const int *nids)
{
	char text[CA_OID_TEXT_SIZE];

	for (size_t i = 0; i < run->extensions->count; i++) {
		const struct lint_extension *row = &run->extensions->rows[i];
		const bool known = row->nid != NID_undef;

		if (known && is_among(row->nid, nids))
			continue;
		lint_found(run, row->element,
		    "extension %s (%s) is none that belongs into this kind of "
		    "certificate",
		    oid_text(row->oid, text),
		    known ? OBJ_nid2sn(row->nid) : "unknown");
	}
}

void *
ca_decode(const struct lint_run *run, int nid, const ASN1_ITEM *item)
{
	return lint_decode(run->extensions, nid, item);
}

/* ---- what stands in them ----------------------------------------------- */

/* RFC 5280, section 4.2.1.3, first bit lowest. */
static const char *const usages[] = { "digitalSignature", "nonRepudiation",
	"keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign",
	"cRLSign", "encipherOnly", "decipherOnly" };

void
ca_check_key_usage(const struct lint_run *run, unsigned must, unsigned may)
{
	const unsigned has = lint_key_usage(run->values);
	const struct der where = ca_where(run, NID_key_usage);

	if (!ca_want_value(
		run, NID_key_usage, CA_CRITICAL, run->values->key_usage))
		return;
	for (size_t i = 0; i < sizeof usages / sizeof *usages; i++) {
		const unsigned bit = 1u << i;

		if ((must & bit) != 0 && (has & bit) == 0)
			lint_found(run, where, "keyUsage lacks %s", usages[i]);
		if ((has & bit) != 0 && ((must | may) & bit) == 0)
			lint_found(
			    run, where, "keyUsage must not have %s", usages[i]);
	}
}

static void
check_key_id(const struct lint_run *run, const ASN1_OCTET_STRING *id,
    const ASN1_OCTET_STRING *ski, const char *whose)
{
	AUTO_CHARS(has) = NULL;
	AUTO_CHARS(wanted) = NULL;

	if (ski == NULL || ASN1_OCTET_STRING_cmp(id, ski) == 0)
		return;
	has = text_hex(ASN1_STRING_get0_data(id), (size_t)id->length);
	wanted = text_hex(ASN1_STRING_get0_data(ski), (size_t)ski->length);
	lint_found(run, ca_where(run, NID_authority_key_identifier),
	    "authorityKeyIdentifier is %.64s, and %s subjectKeyIdentifier is "
	    "%.64s",
	    has != NULL ? has : "?", whose, wanted != NULL ? wanted : "?");
}

void
ca_check_aki(const struct lint_run *run, const ASN1_OCTET_STRING *ski,
    const char *whose, bool alone)
{
	const AUTHORITY_KEYID *aki = run->values->aki;
	const struct der where = ca_where(run, NID_authority_key_identifier);

	if (aki->keyid == NULL)
		lint_found(
		    run, where, "authorityKeyIdentifier has no keyIdentifier");
	else
		check_key_id(run, aki->keyid, ski, whose);
	if (alone && aki->issuer != NULL)
		lint_found(run, where,
		    "authorityKeyIdentifier has authorityCertIssuer, and may "
		    "have keyIdentifier only");
	if (alone && aki->serial != NULL)
		lint_found(run, where,
		    "authorityKeyIdentifier has authorityCertSerialNumber, and "
		    "may have keyIdentifier only");
}

/* RFC 3986, section 3.1: the scheme's case does not matter. */
static bool
is_http(const ASN1_IA5STRING *uri)
{
	static const char scheme[] = "http://";
	const size_t len = sizeof scheme - 1;

	return uri != NULL && (size_t)uri->length > len &&
	    strncasecmp((const char *)uri->data, scheme, len) == 0;
}

bool
ca_has_http_access(const struct lint_values *values, int method)
{
	const AUTHORITY_INFO_ACCESS *rows = values->info_access;

	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(rows); i++) {
		const ACCESS_DESCRIPTION *row =
		    sk_ACCESS_DESCRIPTION_value(rows, i);

		if (OBJ_obj2nid(row->method) == method &&
		    row->location->type == GEN_URI &&
		    is_http(row->location->d.uniformResourceIdentifier))
			return true;
	}
	return false;
}

/* ---- purposes ---------------------------------------------------------- */

int
ca_purpose_count(const struct lint_values *values)
{
	return values->purposes != NULL ? sk_ASN1_OBJECT_num(values->purposes)
					: 0;
}

void
ca_forbid_purposes(const struct lint_run *run, const int *nids)
{
	for (size_t i = 0; nids[i] != 0; i++)
		if (lint_has_purpose(run->values, nids[i]))
			lint_found(run, ca_where(run, NID_ext_key_usage),
			    "extendedKeyUsage must not have %s",
			    OBJ_nid2sn(nids[i]));
}

void
ca_allow_purposes(const struct lint_run *run, const int *nids)
{
	char text[CA_OID_TEXT_SIZE];

	for (int i = 0; i < ca_purpose_count(run->values); i++) {
		const ASN1_OBJECT *purpose =
		    sk_ASN1_OBJECT_value(run->values->purposes, i);

		if (is_among(OBJ_obj2nid(purpose), nids))
			continue;
		(void)OBJ_obj2txt(text, sizeof text, purpose, 1);
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "extendedKeyUsage has %s, which does not belong there",
		    text);
	}
}

void
ca_want_purpose(const struct lint_run *run, int nid)
{
	if (!lint_has_purpose(run->values, nid))
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "extendedKeyUsage lacks %s", OBJ_nid2sn(nid));
}

/* ---- policies ---------------------------------------------------------- */

/* rules.md 7.5; `arc`: with one number behind it, or two. */
static const struct {
	const char *oid;
	enum ca_policy family;
	bool arc;
} reserved[] = {
	{ "2.5.29.32.0", CA_POLICY_ANY, false },
	{ "2.23.140.1.1", CA_POLICY_TLS, false },
	{ "2.23.140.1.2.1", CA_POLICY_TLS, false },
	{ "2.23.140.1.2.2", CA_POLICY_TLS, false },
	{ "2.23.140.1.2.3", CA_POLICY_TLS, false },
	{ "2.23.140.1.3", CA_POLICY_CS, false },
	{ "2.23.140.1.4.1", CA_POLICY_CS, false },
	{ "2.23.140.1.4.2", CA_POLICY_CS, false },
	{ "2.23.140.1.5.1.", CA_POLICY_SMIME, true },
	{ "2.23.140.1.5.2.", CA_POLICY_SMIME, true },
	{ "2.23.140.1.5.3.", CA_POLICY_SMIME, true },
	{ "2.23.140.1.5.4.", CA_POLICY_SMIME, true },
};

enum ca_policy
ca_policy_family(const ASN1_OBJECT *policy)
{
	char text[CA_OID_TEXT_SIZE];

	(void)OBJ_obj2txt(text, sizeof text, policy, 1);
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
		const size_t len = strlen(reserved[i].oid);

		if (strncmp(text, reserved[i].oid, len) != 0)
			continue;
		/* Legacy, multipurpose, strict: SBR 7.1.6.1. */
		if (reserved[i].arc ? text[len] >= '1' && text[len] <= '3' &&
			    text[len + 1] == '\0'
				    : text[len] == '\0')
			return reserved[i].family;
	}
	return CA_POLICY_OWN;
}

int
ca_policy_count(const struct lint_values *values, unsigned families)
{
	int count = 0;

	for (int i = 0; i < sk_POLICYINFO_num(values->policies); i++)
		count +=
		    (ca_policy_family(
			 sk_POLICYINFO_value(values->policies, i)->policyid) &
			families) != 0;
	return count;
}

void
ca_check_any_policy(const struct lint_run *run)
{
	const struct der where = ca_where(run, NID_certificate_policies);

	if (ca_policy_count(run->values, CA_POLICY_ANY) == 0)
		return;
	if (sk_POLICYINFO_num(run->values->policies) > 1)
		lint_found(run, where, "anyPolicy is not the only policy");
	if (!ca_same_organization(run->certificate))
		lint_found(run, where,
		    "anyPolicy is for affiliates of the issuer, and issuer and "
		    "subject name different organizations");
}

/* ---- names and keys ---------------------------------------------------- */

bool
ca_same_octets(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

static X509_NAME *
decode_name(const struct lint_name *name)
{
	const unsigned char *p = name->element.p;
	X509_NAME *decoded;

	(void)ERR_set_mark();
	decoded = d2i_X509_NAME(NULL, &p, (long)name->element.len);
	(void)ERR_pop_to_mark();
	return decoded;
}

enum ca_names
ca_compare_names(const struct lint_name *a, const struct lint_name *b)
{
	AUTO(X509_NAME) *x = NULL;
	AUTO(X509_NAME) *y = NULL;

	if (ca_same_octets(a->element, b->element))
		return CA_NAMES_SAME;
	x = decode_name(a);
	y = decode_name(b);
	if (x == NULL || y == NULL)
		return CA_NAMES_UNREADABLE;
	return X509_NAME_cmp(x, y) == 0 ? CA_NAMES_MATCH : CA_NAMES_DIFFER;
}

const struct lint_attribute *
ca_name_part(const struct lint_name *name, int nid)
{
	for (size_t i = 0; i < name->count; i++)
		if (name->parts[i].nid == nid)
			return &name->parts[i];
	return NULL;
}

int
ca_name_value(
    const struct lint_attribute *attribute, char **ret_text, size_t *ret_len)
{
	enum { UNIVERSAL_MAX = 30 }; /* one octet, primitive */
	AUTO(ASN1_OCTET_STRING) *string = NULL;
	unsigned char *text = NULL;
	int len = -1;

	if (attribute->tag > UNIVERSAL_MAX)
		return -1;
	(void)ERR_set_mark();
	string = ASN1_STRING_type_new((int)attribute->tag);
	if (string != NULL &&
	    ASN1_STRING_set(
		string, attribute->value.p, (int)attribute->value.len) == 1)
		len = ASN1_STRING_to_UTF8(&text, string);
	(void)ERR_pop_to_mark();
	if (len < 0)
		return -1;
	*ret_text = (char *)text;
	*ret_len = (size_t)len;
	return 0;
}

void
ca_want_attributes(const struct lint_run *run, const int *nids)
{
	if (ca_subject_is_copied(run))
		return;
	for (size_t i = 0; nids[i] != 0; i++)
		if (ca_name_part(run->subject, nids[i]) == NULL)
			lint_found(run, run->subject->element,
			    "the subject has no %s", OBJ_nid2ln(nids[i]));
}

static bool
same_value(const struct lint_attribute *a, const struct lint_attribute *b)
{
	AUTO_DER(x) = NULL;
	AUTO_DER(y) = NULL;
	char *text;
	size_t x_len, y_len;

	if (ca_name_value(a, &text, &x_len) != 0)
		return false;
	x = (unsigned char *)text;
	if (ca_name_value(b, &text, &y_len) != 0)
		return false;
	y = (unsigned char *)text;
	return x_len == y_len && x_len > 0 &&
	    strncasecmp((const char *)x, (const char *)y, x_len) == 0;
}

bool
ca_same_organization(const struct lint_certificate *certificate)
{
	const struct lint_attribute *issuer =
	    ca_name_part(&certificate->issuer, NID_organizationName);
	const struct lint_attribute *subject =
	    ca_name_part(&certificate->subject, NID_organizationName);

	return issuer != NULL && subject != NULL && same_value(issuer, subject);
}

bool
ca_subject_is_copied(const struct lint_run *run)
{
	return lint_is(run, FOR_CROSS) && run->existing != NULL &&
	    ca_same_octets(
		run->subject->element, run->existing->subject.element);
}

bool
ca_is_self_signed(const struct lint_certificate *certificate)
{
	return ca_same_octets(
		   certificate->issuer.element, certificate->subject.element) &&
	    ca_is_signed_by(certificate, &certificate->key);
}

bool
ca_is_signed_by(
    const struct lint_certificate *certificate, const struct lint_key *key)
{
	AUTO(X509) *x509 = lint_certificate_decode(certificate);
	AUTO(EVP_PKEY) *pkey = lint_key_decode(key);
	bool verified;

	if (x509 == NULL || pkey == NULL)
		return false;
	(void)ERR_set_mark();
	verified = X509_verify(x509, pkey) == 1;
	(void)ERR_pop_to_mark();
	return verified;
}

/* ---- times ------------------------------------------------------------- */

struct ca_time_text
ca_time(int64_t seconds)
{
	struct ca_time_text time;

	date_format(seconds, time.text);
	return time;
}

void
ca_check_not_before(const struct lint_run *run)
{
	const struct lint_time *time = &run->certificate->not_before;
	const int64_t at = run->context->at;

	if (!time->valid)
		return;
	if (time->seconds > at)
		lint_found(run, time->element,
		    "notBefore is %s, after the signing at %s",
		    ca_time(time->seconds).text, ca_time(at).text);
	if (time->seconds < at - DAY_SECONDS)
		lint_found(run, time->element,
		    "notBefore is %s, more than a day before the signing at %s",
		    ca_time(time->seconds).text, ca_time(at).text);
}

void
ca_check_not_after(const struct lint_run *run)
{
	const struct lint_time *time = &run->certificate->not_after;
	const int64_t at = run->context->at;

	if (time->valid && time->seconds < at)
		lint_found(run, time->element,
		    "notAfter is %s, before the signing at %s",
		    ca_time(time->seconds).text, ca_time(at).text);
}

bool
ca_validity(const struct lint_certificate *certificate, int64_t *ret)
{
	const struct lint_time *from = &certificate->not_before;
	const struct lint_time *until = &certificate->not_after;

	if (!from->valid || !until->valid || until->seconds < from->seconds)
		return false;
	*ret = until->seconds - from->seconds + 1;
	return true;
}
