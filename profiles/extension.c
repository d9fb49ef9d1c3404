#include "profiles/extension.h"

#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/private.h"

CLEANUP_DEFINE(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free);
CLEANUP_DEFINE(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free);
CLEANUP_DEFINE(POLICYINFO, POLICYINFO_free);
CLEANUP_DEFINE(CRL_DIST_POINTS, CRL_DIST_POINTS_free);
CLEANUP_DEFINE(DIST_POINT, DIST_POINT_free);
CLEANUP_DEFINE(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free);
CLEANUP_DEFINE(ACCESS_DESCRIPTION, ACCESS_DESCRIPTION_free);
CLEANUP_DEFINE(GENERAL_NAME, GENERAL_NAME_free);
CLEANUP_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING_free);
CLEANUP_DEFINE(ASN1_IA5STRING, ASN1_IA5STRING_free);

static X509_EXTENSION *
failed(void)
{
	(void)ca_error(CA_R_MEMORY, "no memory for an extension");
	return NULL;
}

static X509_EXTENSION *
wrap(int nid, enum extension_id id, void *value)
{
	X509_EXTENSION *extension =
	    X509V3_EXT_i2d(nid, extensions[id].critical, value);

	return extension != NULL ? extension : failed();
}

static X509_EXTENSION *
basic_constraints(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(BASIC_CONSTRAINTS) *bc = BASIC_CONSTRAINTS_new();

	(void)values;
	if (bc == NULL)
		return failed();
	bc->ca = profile->ca ? 0xff : 0;
	if (profile->path_length != PATH_LENGTH_NONE) {
		bc->pathlen = ASN1_INTEGER_new();
		if (bc->pathlen == NULL ||
		    ASN1_INTEGER_set(bc->pathlen, profile->path_length) != 1)
			return failed();
	}
	return wrap(NID_basic_constraints, EXT_BASIC_CONSTRAINTS, bc);
}

static X509_EXTENSION *
key_usage(const struct profile *profile, const struct extension_values *values)
{
	AUTO(ASN1_BIT_STRING) *bits = ASN1_BIT_STRING_new();

	(void)values;
	if (bits == NULL)
		return failed();
	for (int bit = 0; bit < 9; bit++)
		if ((profile->key_usage & 1U << bit) != 0 &&
		    ASN1_BIT_STRING_set_bit(bits, bit, 1) != 1)
			return failed();
	return wrap(NID_key_usage, EXT_KEY_USAGE, bits);
}

static X509_EXTENSION *
extended_key_usage(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(EXTENDED_KEY_USAGE) *purposes = EXTENDED_KEY_USAGE_new();

	(void)values;
	if (purposes == NULL)
		return failed();
	for (size_t i = 0; i < profile->purposes.count; i++) {
		AUTO(ASN1_OBJECT) *object =
		    OBJ_dup(profile->purposes.objects[i]);

		if (object == NULL ||
		    sk_ASN1_OBJECT_push(purposes, object) <= 0)
			return failed();
		(void)TAKE(object); /* the list has it */
	}
	return wrap(NID_ext_key_usage, EXT_EXTENDED_KEY_USAGE, purposes);
}

static X509_EXTENSION *
certificate_policies(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(CERTIFICATEPOLICIES) *policies = CERTIFICATEPOLICIES_new();

	(void)values;
	if (policies == NULL)
		return failed();
	for (size_t i = 0; i < profile->policies.count; i++) {
		AUTO(POLICYINFO) *policy = POLICYINFO_new();
		ASN1_OBJECT *object = OBJ_dup(profile->policies.objects[i]);

		if (policy == NULL || object == NULL) {
			ASN1_OBJECT_free(object);
			return failed();
		}
		ASN1_OBJECT_free(policy->policyid);
		policy->policyid = object;
		if (sk_POLICYINFO_push(policies, policy) <= 0)
			return failed();
		(void)TAKE(policy); /* the list has it */
	}
	return wrap(
	    NID_certificate_policies, EXT_CERTIFICATE_POLICIES, policies);
}

static GENERAL_NAME *
new_uri(const char *url)
{
	AUTO(GENERAL_NAME) *name = GENERAL_NAME_new();
	AUTO(ASN1_IA5STRING) *uri = ASN1_IA5STRING_new();

	if (name == NULL || uri == NULL || ASN1_STRING_set(uri, url, -1) != 1)
		return NULL;
	GENERAL_NAME_set0_value(name, GEN_URI, TAKE(uri));
	return TAKE(name);
}

static DIST_POINT *
new_distribution_point(const char *url)
{
	AUTO(DIST_POINT) *point = DIST_POINT_new();
	AUTO(GENERAL_NAME) *uri = new_uri(url);

	if (point == NULL || uri == NULL)
		return NULL;
	point->distpoint = DIST_POINT_NAME_new();
	if (point->distpoint == NULL)
		return NULL;
	point->distpoint->type = 0; /* fullName */
	point->distpoint->name.fullname = GENERAL_NAMES_new();
	if (point->distpoint->name.fullname == NULL ||
	    sk_GENERAL_NAME_push(point->distpoint->name.fullname, uri) <= 0)
		return NULL;
	(void)TAKE(uri); /* the list has it */
	return TAKE(point);
}

static X509_EXTENSION *
crl_distribution_points(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(CRL_DIST_POINTS) *points = CRL_DIST_POINTS_new();
	AUTO(DIST_POINT) *point = new_distribution_point(values->url[URL_CRL]);

	(void)profile;
	if (points == NULL || point == NULL ||
	    sk_DIST_POINT_push(points, point) <= 0)
		return failed();
	(void)TAKE(point); /* the list has it */
	return wrap(
	    NID_crl_distribution_points, EXT_CRL_DISTRIBUTION_POINTS, points);
}

static ACCESS_DESCRIPTION *
new_access(int method, const char *url)
{
	AUTO(ACCESS_DESCRIPTION) *access = ACCESS_DESCRIPTION_new();
	GENERAL_NAME *uri;

	if (access == NULL)
		return NULL;
	uri = new_uri(url);
	if (uri == NULL)
		return NULL;
	access->method = OBJ_nid2obj(method); /* static, never freed */
	GENERAL_NAME_free(access->location);
	access->location = uri;
	return TAKE(access);
}

static X509_EXTENSION *
authority_information_access(
    const struct profile *profile, const struct extension_values *values)
{
	static const struct {
		enum profile_url url;
		int method;
	} methods[] = {
		{ URL_CA_ISSUERS, NID_ad_ca_issuers },
		{ URL_OCSP, NID_ad_OCSP },
	};
	AUTO(AUTHORITY_INFO_ACCESS) *list = AUTHORITY_INFO_ACCESS_new();

	if (list == NULL)
		return failed();
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		AUTO(ACCESS_DESCRIPTION) *access = NULL;

		if (!profile->url[methods[i].url])
			continue;
		access =
		    new_access(methods[i].method, values->url[methods[i].url]);
		if (access == NULL ||
		    sk_ACCESS_DESCRIPTION_push(list, access) <= 0)
			return failed();
		(void)TAKE(access); /* the list has it */
	}
	return wrap(NID_info_access, EXT_AUTHORITY_INFORMATION_ACCESS, list);
}

static X509_EXTENSION *
ocsp_nocheck(
    const struct profile *profile, const struct extension_values *values)
{
	ASN1_NULL *null = ASN1_NULL_new();
	X509_EXTENSION *extension;

	(void)profile;
	(void)values;
	extension = wrap(NID_id_pkix_OCSP_noCheck, EXT_OCSP_NOCHECK, null);
	ASN1_NULL_free(null);
	return extension;
}

static X509_EXTENSION *
subject_key_identifier(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(ASN1_OCTET_STRING) *ski = ASN1_OCTET_STRING_new();

	(void)profile;
	if (ski == NULL ||
	    ASN1_OCTET_STRING_set(ski, values->ski, (int)values->ski_len) != 1)
		return failed();
	return wrap(
	    NID_subject_key_identifier, EXT_SUBJECT_KEY_IDENTIFIER, ski);
}

static X509_EXTENSION *
authority_key_identifier(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(AUTHORITY_KEYID) *aki = AUTHORITY_KEYID_new();

	(void)profile;
	if (aki == NULL)
		return failed();
	aki->keyid = ASN1_OCTET_STRING_new();
	if (aki->keyid == NULL ||
	    ASN1_OCTET_STRING_set(
		aki->keyid, values->aki, (int)values->aki_len) != 1)
		return failed();
	return wrap(
	    NID_authority_key_identifier, EXT_AUTHORITY_KEY_IDENTIFIER, aki);
}

static X509_EXTENSION *
crl_number(const struct profile *profile, const struct extension_values *values)
{
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();

	(void)profile;
	if (number == NULL || asn1_set_number(number, values->crl_number) != 0)
		return failed();
	return wrap(NID_crl_number, EXT_CRL_NUMBER, number);
}

const struct extension extensions[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = { "basic-constraints", true, "BC-CA-CRIT",
	    "RFC 5280, section 4.2.1.9", basic_constraints },
	[EXT_KEY_USAGE] = { "key-usage", true, "KU-CRITICAL",
	    "RFC 5280, section 4.2.1.3", key_usage },
	[EXT_EXTENDED_KEY_USAGE] = { "extended-key-usage", false, "EKU-NONCRIT",
	    "TLS BR, section 7.1.2.10.6", extended_key_usage },
	[EXT_CERTIFICATE_POLICIES] = { "certificate-policies", false,
	    "POL-NONCRIT", "TLS BR, section 7.1.2.10.5", certificate_policies },
	[EXT_CRL_DISTRIBUTION_POINTS] = { "crl-distribution-points", false,
	    "CDP-NONCRIT", "RFC 5280, section 4.2.1.13",
	    crl_distribution_points },
	[EXT_AUTHORITY_INFORMATION_ACCESS] = { "authority-information-access",
	    false, "AIA-NONCRIT", "RFC 5280, section 4.2.2.1",
	    authority_information_access },
	[EXT_OCSP_NOCHECK] = { "ocsp-nocheck", false, "OCR-NOCHECK",
	    "RFC 6960, section 4.2.2.2.1", ocsp_nocheck },
	[EXT_SUBJECT_KEY_IDENTIFIER] = { "subject-key-identifier", false,
	    "SKI-NONCRIT", "RFC 5280, section 4.2.1.2",
	    subject_key_identifier },
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { "authority-key-identifier", false,
	    "AKI-KEYID-ONLY", "RFC 5280, section 4.2.1.1",
	    authority_key_identifier },
	[EXT_CRL_NUMBER] = { "crl-number", false, "CRL-NUMBER",
	    "RFC 5280, section 5.2.3", crl_number },
};

int
extensions_build(const struct profile *profile,
    const struct extension_values *values,
    STACK_OF(X509_EXTENSION) **ret_extensions)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	bool complete = list != NULL;

	for (size_t i = 0; complete && i < EXT_COUNT; i++) {
		X509_EXTENSION *extension;

		if (!profile->has[i])
			continue;
		extension = extensions[i].encode(profile, values);
		complete = extension != NULL &&
		    sk_X509_EXTENSION_push(list, extension) > 0;
		if (!complete)
			X509_EXTENSION_free(extension);
	}
	if (!complete) {
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
		return ca_error(CA_R_MEMORY, "cannot encode the extensions");
	}
	*ret_extensions = list;
	return 0;
}
