#include "profiles/extension.h"

#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/general-name.h"
#include "profiles/private.h"

/* OpenSSL has no function to free this list. */
static void
policy_mappings_free(POLICY_MAPPINGS *list)
{
	sk_POLICY_MAPPING_pop_free(list, POLICY_MAPPING_free);
}

CLEANUP_DEFINE(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free);
CLEANUP_DEFINE(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free);
CLEANUP_DEFINE(POLICYINFO, POLICYINFO_free);
CLEANUP_DEFINE(CRL_DIST_POINTS, CRL_DIST_POINTS_free);
CLEANUP_DEFINE(DIST_POINT, DIST_POINT_free);
CLEANUP_DEFINE(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free);
CLEANUP_DEFINE(ACCESS_DESCRIPTION, ACCESS_DESCRIPTION_free);
CLEANUP_DEFINE(POLICYQUALINFO, POLICYQUALINFO_free);
CLEANUP_DEFINE(POLICY_MAPPINGS, policy_mappings_free);
CLEANUP_DEFINE(POLICY_MAPPING, POLICY_MAPPING_free);
CLEANUP_DEFINE(POLICY_CONSTRAINTS, POLICY_CONSTRAINTS_free);
CLEANUP_DEFINE(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free);
CLEANUP_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING_free);
CLEANUP_DEFINE(ASN1_IA5STRING, ASN1_IA5STRING_free);

static X509_EXTENSION *
failed(void)
{
	(void)ca_error(CA_R_MEMORY, "no memory for an extension");
	return NULL;
}

static X509_EXTENSION *
wrap_as(int nid, bool critical, void *value)
{
	X509_EXTENSION *extension = X509V3_EXT_i2d(nid, critical, value);

	return extension != NULL ? extension : failed();
}

static X509_EXTENSION *
wrap(int nid, enum extension_id id, void *value)
{
	return wrap_as(nid, extensions[id].critical, value);
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
	unsigned usage = profile_key_usage(profile, values->family);

	if (bits == NULL)
		return failed();
	for (int bit = 0; bit < 9; bit++)
		if ((usage & 1U << bit) != 0 &&
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
	return wrap_as(
	    NID_ext_key_usage, profile_purposes_critical(profile), purposes);
}

/* A CPS qualifier, RFC 5280, section 4.2.1.4. */
static int
add_cps(POLICYINFO *policy, const char *url)
{
	AUTO(POLICYQUALINFO) *qualifier = POLICYQUALINFO_new();
	AUTO(ASN1_IA5STRING) *uri = ASN1_IA5STRING_new();

	policy->qualifiers = sk_POLICYQUALINFO_new_null();
	if (policy->qualifiers == NULL || qualifier == NULL || uri == NULL ||
	    ASN1_STRING_set(uri, url, -1) != 1)
		return -1;
	qualifier->pqualid = OBJ_nid2obj(NID_id_qt_cps); /* static */
	qualifier->d.cpsuri = TAKE(uri);
	if (sk_POLICYQUALINFO_push(policy->qualifiers, qualifier) <= 0)
		return -1;
	(void)TAKE(qualifier); /* the list has it */
	return 0;
}

static POLICYINFO *
new_policy(const ASN1_OBJECT *id, const char *cps)
{
	AUTO(POLICYINFO) *policy = POLICYINFO_new();
	ASN1_OBJECT *object = OBJ_dup(id);

	if (policy == NULL || object == NULL) {
		ASN1_OBJECT_free(object);
		return NULL;
	}
	ASN1_OBJECT_free(policy->policyid);
	policy->policyid = object;
	return cps == NULL || add_cps(policy, cps) == 0 ? TAKE(policy) : NULL;
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
		AUTO(POLICYINFO) *policy =
		    new_policy(profile->policies.objects[i], profile->cps[i]);

		if (policy == NULL || sk_POLICYINFO_push(policies, policy) <= 0)
			return failed();
		(void)TAKE(policy); /* the list has it */
	}
	return wrap(
	    NID_certificate_policies, EXT_CERTIFICATE_POLICIES, policies);
}

static POLICY_MAPPING *
new_mapping(const struct policy_mapping *from)
{
	AUTO(POLICY_MAPPING) *mapping = POLICY_MAPPING_new();
	AUTO(ASN1_OBJECT) *issuer = OBJ_dup(from->issuer);
	AUTO(ASN1_OBJECT) *subject = OBJ_dup(from->subject);

	if (mapping == NULL || issuer == NULL || subject == NULL)
		return NULL;
	ASN1_OBJECT_free(mapping->issuerDomainPolicy);
	ASN1_OBJECT_free(mapping->subjectDomainPolicy);
	mapping->issuerDomainPolicy = TAKE(issuer);
	mapping->subjectDomainPolicy = TAKE(subject);
	return TAKE(mapping);
}

static X509_EXTENSION *
policy_mappings(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(POLICY_MAPPINGS) *list = sk_POLICY_MAPPING_new_null();

	(void)values;
	if (list == NULL)
		return failed();
	for (size_t i = 0; i < profile->mapping_count; i++) {
		AUTO(POLICY_MAPPING) *mapping =
		    new_mapping(&profile->mappings[i]);

		if (mapping == NULL ||
		    sk_POLICY_MAPPING_push(list, mapping) <= 0)
			return failed();
		(void)TAKE(mapping); /* the list has it */
	}
	return wrap(NID_policy_mappings, EXT_POLICY_MAPPINGS, list);
}

static X509_EXTENSION *
name_constraints(
    const struct profile *profile, const struct extension_values *values)
{
	(void)values;
	return wrap(
	    NID_name_constraints, EXT_NAME_CONSTRAINTS, profile->constraints);
}

/* A SkipCerts in *slot, unless there is none. */
static int
set_skip(ASN1_INTEGER **slot, int skip)
{
	if (skip == PATH_LENGTH_NONE)
		return 0;
	*slot = ASN1_INTEGER_new();
	return *slot != NULL && ASN1_INTEGER_set(*slot, skip) == 1 ? 0 : -1;
}

static X509_EXTENSION *
policy_constraints(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(POLICY_CONSTRAINTS) *pc = POLICY_CONSTRAINTS_new();

	(void)values;
	if (pc == NULL ||
	    set_skip(&pc->requireExplicitPolicy, profile->require_policy) !=
		0 ||
	    set_skip(&pc->inhibitPolicyMapping, profile->inhibit_mapping) != 0)
		return failed();
	return wrap(NID_policy_constraints, EXT_POLICY_CONSTRAINTS, pc);
}

static X509_EXTENSION *
inhibit_any_policy(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(ASN1_INTEGER) *skip = NULL;

	(void)values;
	if (set_skip(&skip, profile->inhibit_any) != 0 || skip == NULL)
		return failed();
	return wrap(NID_inhibit_any_policy, EXT_INHIBIT_ANY_POLICY, skip);
}

/* SAN-CRIT: critical exactly where the subject is empty. */
static X509_EXTENSION *
subject_alternative_name(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(GENERAL_NAMES) *names = GENERAL_NAMES_new();

	(void)profile;
	for (int i = 0;
	     names != NULL && i < sk_GENERAL_NAME_num(values->alt_names); i++) {
		AUTO(GENERAL_NAME) *name = GENERAL_NAME_dup(
		    sk_GENERAL_NAME_value(values->alt_names, i));

		if (name == NULL || sk_GENERAL_NAME_push(names, name) <= 0)
			return failed();
		(void)TAKE(name); /* the list has it */
	}
	if (names == NULL)
		return failed();
	return wrap_as(NID_subject_alt_name, values->subject_empty, names);
}

static GENERAL_NAME *
new_uri(const char *url)
{
	return general_name_of_subtree(ALT_URI, url);
}

static DIST_POINT_NAME *
new_full_name(const char *url)
{
	DIST_POINT_NAME *name = DIST_POINT_NAME_new();
	AUTO(GENERAL_NAME) *uri = new_uri(url);

	if (name == NULL || uri == NULL) {
		DIST_POINT_NAME_free(name);
		return NULL;
	}
	name->type = 0; /* fullName */
	name->name.fullname = GENERAL_NAMES_new();
	if (name->name.fullname == NULL ||
	    sk_GENERAL_NAME_push(name->name.fullname, uri) <= 0) {
		DIST_POINT_NAME_free(name);
		return NULL;
	}
	(void)TAKE(uri); /* the list has it */
	return name;
}

static DIST_POINT *
new_distribution_point(const char *url)
{
	AUTO(DIST_POINT) *point = DIST_POINT_new();

	if (point == NULL)
		return NULL;
	point->distpoint = new_full_name(url);
	return point->distpoint != NULL ? TAKE(point) : NULL;
}

/* CRL-IDP-URI, CRL-IDP-FLAGS: what is FALSE is left out. */
static X509_EXTENSION *
issuing_distribution_point(
    const struct profile *profile, const struct extension_values *values)
{
	AUTO(ISSUING_DIST_POINT) *idp = ISSUING_DIST_POINT_new();

	if (idp == NULL)
		return failed();
	idp->distpoint = new_full_name(values->distribution_url);
	if (idp->distpoint == NULL)
		return failed();
	if (profile->only_covered && profile->covers == COVERS_CA)
		idp->onlyCA = 0xff;
	if (profile->only_covered && profile->covers == COVERS_USER)
		idp->onlyuser = 0xff;
	return wrap(NID_issuing_distribution_point,
	    EXT_ISSUING_DISTRIBUTION_POINT, idp);
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

/* Criticality of extKeyUsage and subjectAltName depends on what they say. */
const struct extension extensions[EXT_COUNT] = {
	[EXT_BASIC_CONSTRAINTS] = { "basic-constraints", true, "BC-CA-CRIT",
	    basic_constraints },
	[EXT_KEY_USAGE] = { "key-usage", true, "KU-CRITICAL", key_usage },
	[EXT_EXTENDED_KEY_USAGE] = { "extended-key-usage", false, "EKU-NONCRIT",
	    extended_key_usage },
	[EXT_CERTIFICATE_POLICIES] = { "certificate-policies", false,
	    "POL-NONCRIT", certificate_policies },
	[EXT_POLICY_MAPPINGS] = { "policy-mappings", true, "SUB-NO-OTHER",
	    policy_mappings },
	[EXT_NAME_CONSTRAINTS] = { "name-constraints", true, "NC-CRIT",
	    name_constraints },
	[EXT_POLICY_CONSTRAINTS] = { "policy-constraints", true, "SUB-NO-OTHER",
	    policy_constraints },
	[EXT_INHIBIT_ANY_POLICY] = { "inhibit-any-policy", true, "SUB-NO-OTHER",
	    inhibit_any_policy },
	[EXT_SUBJECT_ALTERNATIVE_NAME] = { "subject-alternative-name", false,
	    "SAN-CRIT", subject_alternative_name },
	[EXT_CRL_DISTRIBUTION_POINTS] = { "crl-distribution-points", false,
	    "CDP-NONCRIT", crl_distribution_points },
	[EXT_AUTHORITY_INFORMATION_ACCESS] = { "authority-information-access",
	    false, "AIA-NONCRIT", authority_information_access },
	[EXT_OCSP_NOCHECK] = { "ocsp-nocheck", false, "OCR-NOCHECK",
	    ocsp_nocheck },
	[EXT_SUBJECT_KEY_IDENTIFIER] = { "subject-key-identifier", false,
	    "SKI-NONCRIT", subject_key_identifier },
	[EXT_AUTHORITY_KEY_IDENTIFIER] = { "authority-key-identifier", false,
	    "AKI-KEYID-ONLY", authority_key_identifier },
	[EXT_CRL_NUMBER] = { "crl-number", false, "CRL-NUMBER", crl_number },
	[EXT_ISSUING_DISTRIBUTION_POINT] = { "issuing-distribution-point", true,
	    "CRL-IDP-WHEN", issuing_distribution_point },
};

/* Is the extension there at all?  Alternative names may be given or not. */
static bool
is_there(const struct profile *profile, size_t id,
    const struct extension_values *values)
{
	return profile->has[id] &&
	    (id != EXT_SUBJECT_ALTERNATIVE_NAME ||
		sk_GENERAL_NAME_num(values->alt_names) > 0);
}

int
extensions_build(const struct profile *profile,
    const struct extension_values *values,
    STACK_OF(X509_EXTENSION) **ret_extensions)
{
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	bool complete = list != NULL;

	for (size_t i = 0; complete && i < EXT_COUNT; i++) {
		X509_EXTENSION *extension;

		if (!is_there(profile, i, values))
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
