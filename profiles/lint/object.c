/* The parts that certificates, requests, CRLs and responses share. */
#include "profiles/lint/object.h"

#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"

enum { MAX_UNUSED_BITS = 7 };

/* NID of an OID's contents; NID_undef for one that OpenSSL does not know. */
static int
nid_of(struct der element)
{
	const unsigned char *p = element.p;
	AUTO(ASN1_OBJECT) *object = NULL;
	int nid;

	(void)ERR_set_mark();
	object = d2i_ASN1_OBJECT(NULL, &p, (long)element.len);
	nid = object != NULL ? OBJ_obj2nid(object) : NID_undef;
	(void)ERR_pop_to_mark();
	return nid;
}

static bool
take_attribute(struct der *in, size_t rdn, struct lint_attribute *ret_attribute)
{
	struct lint_attribute attribute = { .rdn = rdn };
	struct der body, oid, value;

	if (!der_take(in, DER_SEQUENCE, &body, &attribute.element) ||
	    !der_take(&body, DER_OID, &attribute.oid, &oid) ||
	    !der_take_any(&body, &attribute.value, &value) || body.len != 0)
		return false;
	attribute.nid = nid_of(oid);
	attribute.tag = value.p[0];
	*ret_attribute = attribute;
	return true;
}

static bool
take_rdn(struct der *in, struct lint_name *name)
{
	struct der set;

	if (!der_take(in, DER_SET, &set, NULL) || set.len == 0)
		return false;
	while (set.len > 0) {
		if (name->count == LINT_NAME_PARTS_MAX ||
		    !take_attribute(
			&set, name->rdns, &name->parts[name->count]))
			return false;
		name->count++;
	}
	name->rdns++;
	return true;
}

bool
lint_take_name(struct der *in, struct lint_name *ret_name)
{
	struct der body;

	ret_name->count = ret_name->rdns = 0;
	if (!der_take(in, DER_SEQUENCE, &body, &ret_name->element))
		return false;
	while (body.len > 0)
		if (!take_rdn(&body, ret_name))
			return false;
	return true;
}

/* Strict: seconds, Z, and a date that there is. */
static bool
time_seconds(struct der value, int64_t *ret_seconds)
{
	AUTO(ASN1_TIME) *date = ASN1_TIME_new();
	char text[16];
	bool valid;

	if (date == NULL || value.len >= sizeof text)
		return false;
	memcpy(text, value.p, value.len);
	text[value.len] = '\0';
	(void)ERR_set_mark();
	valid = strlen(text) == value.len &&
	    ASN1_TIME_set_string_X509(date, text) == 1 &&
	    date_from_asn1(date, ret_seconds) == 0;
	(void)ERR_pop_to_mark();
	return valid;
}

bool
lint_take_time(struct der *in, struct lint_time *ret_time)
{
	struct lint_time time = { .tag = in->len > 0 ? in->p[0] : 0 };
	size_t len = time.tag == DER_UTC_TIME ? strlen("YYMMDDHHMMSSZ")
					      : strlen("YYYYMMDDHHMMSSZ");

	if ((time.tag != DER_UTC_TIME && time.tag != DER_GENERALIZED_TIME) ||
	    !der_take(in, time.tag, &time.value, &time.element))
		return false;
	time.valid =
	    time.value.len == len && time_seconds(time.value, &time.seconds);
	*ret_time = time;
	return true;
}

int
lint_key_nid(const struct lint_key *key)
{
	struct der in = key->alg, body, oid;

	return der_take(&in, DER_SEQUENCE, &body, NULL) &&
		der_take(&body, DER_OID, NULL, &oid)
	    ? nid_of(oid)
	    : NID_undef;
}

EVP_PKEY *
lint_key_decode(const struct lint_key *key)
{
	const unsigned char *p = key->element.p;
	EVP_PKEY *pkey;

	(void)ERR_set_mark();
	pkey = d2i_PUBKEY(NULL, &p, (long)key->element.len);
	(void)ERR_pop_to_mark();
	return pkey;
}

bool
lint_take_spki(struct der *in, struct lint_key *ret_key)
{
	struct lint_key key = { .type = NULL };
	struct der body, bits;

	if (!der_take(in, DER_SEQUENCE, &body, &key.element) ||
	    !der_take(&body, DER_SEQUENCE, NULL, &key.alg) ||
	    !der_take(&body, DER_BIT_STRING, &bits, NULL) || body.len != 0 ||
	    bits.len == 0 || bits.p[0] > MAX_UNUSED_BITS)
		return false;
	key.unused = bits.p[0];
	key.bits = (struct der){ bits.p + 1, bits.len - 1 };
	key.type = key_type_of_spki(key.element.p, key.element.len);
	*ret_key = key;
	return true;
}

static bool
take_extension(struct der *in, struct lint_extension *ret_extension)
{
	struct lint_extension extension = { .nid = NID_undef };
	struct der body, oid, critical;

	if (!der_take(in, DER_SEQUENCE, &body, &extension.element) ||
	    !der_take(&body, DER_OID, &extension.oid, &oid))
		return false;
	if (der_take(&body, DER_BOOLEAN, &critical, NULL)) {
		if (critical.len != 1)
			return false;
		extension.critical_encoded = true;
		extension.critical = critical.p[0] != 0;
	}
	if (!der_take(&body, DER_OCTET_STRING, &extension.value, NULL) ||
	    body.len != 0)
		return false;
	extension.nid = nid_of(oid);
	*ret_extension = extension;
	return true;
}

bool
lint_take_extensions(struct der in, struct lint_extensions *ret)
{
	ret->count = 0;
	while (in.len > 0) {
		if (ret->count == LINT_EXTENSIONS_MAX ||
		    !take_extension(&in, &ret->rows[ret->count]))
			return false;
		ret->count++;
	}
	return true;
}

const struct lint_extension *
lint_extension(const struct lint_extensions *extensions, int nid)
{
	for (size_t i = 0; i < extensions->count; i++)
		if (extensions->rows[i].nid == nid)
			return &extensions->rows[i];
	return NULL;
}

const struct lint_extension *
lint_extension_by_oid(const struct lint_extensions *extensions, const char *oid)
{
	AUTO(ASN1_OBJECT) *object = OBJ_txt2obj(oid, 1);

	if (object == NULL) {
		ca_error_clear();
		return NULL;
	}
	for (size_t i = 0; i < extensions->count; i++)
		if (der_equal(extensions->rows[i].oid, OBJ_get0_data(object),
			OBJ_length(object)))
			return &extensions->rows[i];
	return NULL;
}

/* ---- what OpenSSL makes of the extensions ----------------------------- */

void *
lint_decode(
    const struct lint_extensions *extensions, int nid, const ASN1_ITEM *item)
{
	const struct lint_extension *row = lint_extension(extensions, nid);
	const unsigned char *p;
	ASN1_VALUE *value;

	if (row == NULL)
		return NULL;
	p = row->value.p;
	(void)ERR_set_mark();
	value = ASN1_item_d2i(NULL, &p, (long)row->value.len, item);
	if (value != NULL && p != row->value.p + row->value.len) {
		ASN1_item_free(value, item);
		value = NULL;
	}
	(void)ERR_pop_to_mark();
	return value;
}

void
lint_values_decode(
    const struct lint_extensions *extensions, struct lint_values *ret_values)
{
	const struct lint_extensions *e = extensions;

	*ret_values = (struct lint_values){
		.basic_constraints = lint_decode(e, NID_basic_constraints,
		    ASN1_ITEM_rptr(BASIC_CONSTRAINTS)),
		.key_usage = lint_decode(
		    e, NID_key_usage, ASN1_ITEM_rptr(ASN1_BIT_STRING)),
		.purposes = lint_decode(
		    e, NID_ext_key_usage, ASN1_ITEM_rptr(EXTENDED_KEY_USAGE)),
		.policies = lint_decode(e, NID_certificate_policies,
		    ASN1_ITEM_rptr(CERTIFICATEPOLICIES)),
		.name_constraints = lint_decode(
		    e, NID_name_constraints, ASN1_ITEM_rptr(NAME_CONSTRAINTS)),
		.crl_points = lint_decode(e, NID_crl_distribution_points,
		    ASN1_ITEM_rptr(CRL_DIST_POINTS)),
		.info_access = lint_decode(
		    e, NID_info_access, ASN1_ITEM_rptr(AUTHORITY_INFO_ACCESS)),
		.alt_names = lint_decode(
		    e, NID_subject_alt_name, ASN1_ITEM_rptr(GENERAL_NAMES)),
		.ski = lint_decode(e, NID_subject_key_identifier,
		    ASN1_ITEM_rptr(ASN1_OCTET_STRING)),
		.aki = lint_decode(e, NID_authority_key_identifier,
		    ASN1_ITEM_rptr(AUTHORITY_KEYID)),
	};
}

void
lint_values_clear(struct lint_values *values)
{
	BASIC_CONSTRAINTS_free(values->basic_constraints);
	ASN1_BIT_STRING_free(values->key_usage);
	EXTENDED_KEY_USAGE_free(values->purposes);
	CERTIFICATEPOLICIES_free(values->policies);
	NAME_CONSTRAINTS_free(values->name_constraints);
	CRL_DIST_POINTS_free(values->crl_points);
	AUTHORITY_INFO_ACCESS_free(values->info_access);
	GENERAL_NAMES_free(values->alt_names);
	ASN1_OCTET_STRING_free(values->ski);
	AUTHORITY_KEYID_free(values->aki);
	*values = (struct lint_values){ 0 };
}

bool
lint_has_purpose(const struct lint_values *values, int nid)
{
	int count =
	    values->purposes != NULL ? sk_ASN1_OBJECT_num(values->purposes) : 0;

	for (int i = 0; i < count; i++)
		if (OBJ_obj2nid(sk_ASN1_OBJECT_value(values->purposes, i)) ==
		    nid)
			return true;
	return false;
}

bool
lint_has_policy(const struct lint_values *values, const char *oid)
{
	AUTO(ASN1_OBJECT) *wanted = OBJ_txt2obj(oid, 1);
	int count =
	    values->policies != NULL ? sk_POLICYINFO_num(values->policies) : 0;

	for (int i = 0; wanted != NULL && i < count; i++)
		if (OBJ_cmp(sk_POLICYINFO_value(values->policies, i)->policyid,
			wanted) == 0)
			return true;
	return false;
}

unsigned
lint_key_usage(const struct lint_values *values)
{
	enum { BITS = 9 };
	unsigned usage = 0;

	for (int i = 0; values->key_usage != NULL && i < BITS; i++)
		if (ASN1_BIT_STRING_get_bit(values->key_usage, i) == 1)
			usage |= 1u << i;
	return usage;
}

bool
lint_is_ca(const struct lint_values *values)
{
	return values->basic_constraints != NULL &&
	    values->basic_constraints->ca != 0;
}
