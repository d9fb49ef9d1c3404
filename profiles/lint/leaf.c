/* LEAF-, PRE-: TLS server certificates and their precertificates. */
#include <string.h>

#include "base/date.h"
#include "profiles/lint/leaf-private.h"
#include "profiles/lint/subscriber.h"

static const struct der nowhere = { NULL, 0 };

/* ---- validity ---------------------------------------------------------- */

static void
check_not_before(struct lint_run *run)
{
	const struct lint_time *from = &run->certificate->not_before;
	int64_t at = run->context->at;
	char wanted[DATE_TEXT_SIZE];

	date_format(at, wanted);
	if (from->valid &&
	    (from->seconds < at - 2 * DAY || from->seconds > at + 2 * DAY))
		lint_found(run, from->element,
		    "notBefore is more than 48 hours away from the time of "
		    "signing, %s",
		    wanted);
}

/* BR 6.3.2: by the day of signing, how long. */
static const struct {
	int64_t until;
	int64_t days;
} lifetimes[] = {
	{ D_TLS_200, 398 },
	{ D_TLS_100, 200 },
	{ D_TLS_47, 100 },
	{ INT64_MAX, 47 },
};

static int64_t
lifetime(int64_t date)
{
	size_t i = 0;

	while (date >= lifetimes[i].until)
		i++;
	return lifetimes[i].days;
}

static void
check_days(struct lint_run *run, int64_t max)
{
	int64_t days = validity_days(run->certificate);

	if (days > max)
		lint_found(run, run->certificate->not_after.element,
		    "the certificate is valid for %lld days (%lld seconds, "
		    "both ends counted); the most is %lld",
		    (long long)days,
		    (long long)validity_seconds(run->certificate),
		    (long long)max);
}

static void
check_life(struct lint_run *run)
{
	check_days(run, lifetime(run->date));
}

static void
check_life_margin(struct lint_run *run)
{
	check_days(run, lifetime(run->date) - 1);
}

/* BR 1.6.1, short-lived subscriber certificate. */
static bool
is_short_lived(const struct lint_run *run)
{
	const int64_t first = 1710460800; /* 2024-03-15 */
	int64_t days = run->date >= D_TLS_200 ? 7 : 10;
	int64_t seconds = validity_seconds(run->certificate);

	return run->date >= first && seconds > 0 && seconds <= days * DAY;
}

/* RFC 9608, sections 2 and 3. */
/* RFC 9608, sections 2 and 3: to have it is MAY, the rest MUST. */
static void
check_no_rev_avail(struct lint_run *run)
{
	static const unsigned char null[] = { DER_NULL, 0 };
	const struct lint_extension *mark =
	    lint_extension_by_oid(run->extensions, "2.5.29.56");

	if (mark == NULL)
		return;
	if (mark->critical)
		lint_binding(run, mark->element, "noRevAvail is critical");
	if (!der_equal(mark->value, null, sizeof null))
		lint_binding(
		    run, mark->element, "noRevAvail's value is not a NULL");
	if (lint_extension(run->extensions, NID_crl_distribution_points) !=
	    NULL)
		lint_binding(run, mark->element,
		    "noRevAvail stands beside cRLDistributionPoints");
	if (lint_extension(run->extensions, NID_freshest_crl) != NULL)
		lint_binding(
		    run, mark->element, "noRevAvail stands beside freshestCRL");
	if (access_count(run->values, NID_ad_OCSP) > 0)
		lint_binding(run, mark->element,
		    "noRevAvail stands beside a pointer to an OCSP responder");
	if (lint_is_ca(run->values))
		lint_binding(run, mark->element,
		    "noRevAvail stands in a certificate of a CA");
}

/* ---- extensions -------------------------------------------------------- */

/* BR 7.1.2.7.10, MRSP 7.5.1, CRP 1.3.2. */
static bool
is_forbidden_purpose(const ASN1_OBJECT *purpose, const char *text)
{
	switch (OBJ_obj2nid(purpose)) {
	case NID_code_sign:
	case NID_email_protect:
	case NID_time_stamp:
	case NID_OCSP_sign:
	case NID_anyExtendedKeyUsage:
		return true;
	default:
		return strcmp(text, OID_PRECERT_SIGNING) == 0;
	}
}

static void
check_purpose(const struct lint_run *run, const ASN1_OBJECT *purpose)
{
	struct der where = where_is(run, NID_ext_key_usage);
	char buf[OID_TEXT_SIZE];
	int nid = OBJ_obj2nid(purpose);
	const char *text = oid_text(purpose, buf);

	if (nid == NID_server_auth)
		return;
	if (is_forbidden_purpose(purpose, text))
		lint_found(run, where,
		    "extKeyUsage has %s, which a TLS server certificate must "
		    "not have",
		    text);
	else if (nid == NID_client_auth && run->date >= D_TLS_100)
		lint_found(run, where,
		    "extKeyUsage has clientAuth, which a TLS server "
		    "certificate must not have from 2027-03-15");
	else if (run->context->signing)
		lint_found(run, where,
		    "extKeyUsage has %s; what is signed here has serverAuth "
		    "alone",
		    text);
	else if (nid != NID_client_auth)
		lint_discouraged(run, where,
		    "extKeyUsage has %s, which is not recommended beside "
		    "serverAuth",
		    text);
}

static void
check_eku(struct lint_run *run)
{
	const EXTENDED_KEY_USAGE *purposes = run->values->purposes;

	if (purposes == NULL || !lint_has_purpose(run->values, NID_server_auth))
		lint_found(run, where_is(run, NID_ext_key_usage),
		    "extKeyUsage does not have serverAuth");
	for (int i = 0; purposes != NULL && i < sk_ASN1_OBJECT_num(purposes);
	     i++)
		check_purpose(run, sk_ASN1_OBJECT_value(purposes, i));
}

static bool
has_key_of(const struct lint_run *run, int evp_type)
{
	return run->key != NULL && lint_key_nid(run->key) == evp_type;
}

static void
check_usage_critical(const struct lint_run *run)
{
	const struct lint_extension *usage =
	    lint_extension(run->extensions, NID_key_usage);

	if (usage != NULL && !usage->critical)
		lint_found(run, usage->element, "keyUsage is not critical");
}

static void
check_usage_rsa(struct lint_run *run)
{
	const unsigned allowed =
	    USE_SIGN | USE_KEY_ENCIPHER | USE_DATA_ENCIPHER;
	unsigned usage = lint_key_usage(run->values);
	struct der where = where_is(run, NID_key_usage);

	if (!has_key_of(run, EVP_PKEY_RSA) || where.p == NULL)
		return;
	check_usage_critical(run);
	lint_usage_bits(run, allowed, "a TLS server certificate for RSA");
	if ((usage & allowed) == 0)
		lint_found(run, where,
		    "keyUsage has neither digitalSignature nor "
		    "keyEncipherment");
	else if ((usage & USE_SIGN) == 0)
		lint_discouraged(
		    run, where, "keyUsage does not have digitalSignature");
	if ((usage & USE_DATA_ENCIPHER) != 0)
		lint_discouraged(run, where,
		    "keyUsage has dataEncipherment, which is not recommended");
}

static void
check_usage_ec(struct lint_run *run)
{
	unsigned usage = lint_key_usage(run->values);
	struct der where = where_is(run, NID_key_usage);

	if (!has_key_of(run, EVP_PKEY_EC) || where.p == NULL)
		return;
	check_usage_critical(run);
	lint_usage_bits(run, USE_SIGN | USE_AGREE,
	    "a TLS server certificate for an EC key");
	if ((usage & USE_SIGN) == 0)
		lint_found(
		    run, where, "keyUsage does not have digitalSignature");
	if ((usage & USE_AGREE) != 0)
		lint_discouraged(run, where,
		    "keyUsage has keyAgreement, which is not recommended");
}

static void
check_usage_present(struct lint_run *run)
{
	if (lint_extension(run->extensions, NID_key_usage) == NULL)
		lint_found(run, nowhere, "there is no keyUsage");
}

static void
check_basic_constraints(struct lint_run *run)
{
	static const unsigned char empty[] = { DER_SEQUENCE, 0 };
	const struct lint_extension *constraints =
	    lint_extension(run->extensions, NID_basic_constraints);

	if (constraints == NULL)
		return;
	if (!constraints->critical)
		lint_found(run, constraints->element,
		    "basicConstraints is not critical");
	if (!der_equal(constraints->value, empty, sizeof empty))
		lint_found(run, constraints->element,
		    "basicConstraints is not an empty SEQUENCE (30 00)");
}

/* ---- policies ---------------------------------------------------------- */

/* Those of other requirements have no place here. */
static bool
is_other_reserved(const char *text)
{
	return strncmp(text, "2.23.140.1.3", sizeof "2.23.140.1.3") == 0 ||
	    strncmp(text, "2.23.140.1.4.", strlen("2.23.140.1.4.")) == 0 ||
	    strncmp(text, "2.23.140.1.5.", strlen("2.23.140.1.5.")) == 0;
}

static bool
is_tls_reserved(const char *text)
{
	return strcmp(text, POLICY_DV) == 0 || strcmp(text, POLICY_OV) == 0 ||
	    strcmp(text, POLICY_IV) == 0 || strcmp(text, POLICY_EV) == 0;
}

static void
check_policy(const struct lint_run *run, const ASN1_OBJECT *policy,
    struct der where, unsigned *reserved)
{
	char buf[OID_TEXT_SIZE];
	const char *text = oid_text(policy, buf);

	if (is_tls_reserved(text))
		(*reserved)++;
	if (OBJ_obj2nid(policy) == NID_any_policy)
		lint_found(run, where, "certificatePolicies has anyPolicy");
	if (is_other_reserved(text))
		lint_found(run, where,
		    "certificatePolicies has %s, which is reserved for "
		    "another kind of certificate",
		    text);
}

static void
check_policies(struct lint_run *run)
{
	const struct lint_extension *extension =
	    lint_extension(run->extensions, NID_certificate_policies);
	const CERTIFICATEPOLICIES *policies = run->values->policies;
	unsigned reserved = 0;

	if (extension == NULL || policies == NULL) {
		lint_found(run, where_is(run, NID_certificate_policies),
		    "there is no certificatePolicies that can be read; it "
		    "must name DV, OV, IV or EV");
		return;
	}
	if (extension->critical)
		lint_found(
		    run, extension->element, "certificatePolicies is critical");
	for (int i = 0; i < sk_POLICYINFO_num(policies); i++)
		check_policy(run, sk_POLICYINFO_value(policies, i)->policyid,
		    extension->element, &reserved);
	if (reserved != 1)
		lint_found(run, extension->element,
		    "certificatePolicies has %u of the reserved policies DV, "
		    "OV, IV and EV; it must have exactly one",
		    reserved);
}

/* ---- pointers ---------------------------------------------------------- */

/* The extension had to be there until BR 2.3.1, and should be since. */
static void
check_access(struct lint_run *run)
{
	if (lint_extension(run->extensions, NID_info_access) == NULL) {
		if (run->date < D_BR231)
			lint_binding(
			    run, nowhere, "there is no authorityInfoAccess");
		else
			lint_found(
			    run, nowhere, "there is no authorityInfoAccess");
	} else if (access_http_count(run->values, NID_ad_ca_issuers) == 0)
		lint_found(run, where_is(run, NID_info_access),
		    "authorityInfoAccess has no http URL for caIssuers");
}

static void
check_crl_points(struct lint_run *run)
{
	if (lint_extension(run->extensions, NID_crl_distribution_points) ==
		NULL &&
	    access_count(run->values, NID_ad_OCSP) == 0 && !is_short_lived(run))
		lint_found(run, nowhere,
		    "there is neither cRLDistributionPoints nor a pointer to "
		    "an OCSP responder, and the certificate is not "
		    "short-lived");
}

static void
check_ski(struct lint_run *run)
{
	if (lint_extension(run->extensions, NID_subject_key_identifier) != NULL)
		lint_found(run, where_is(run, NID_subject_key_identifier),
		    "there is a subjectKeyIdentifier, which is not "
		    "recommended in TLS server certificates");
}

#define TLS_ONLY RULESET_BIT(RULESET_CABF_TLS)

static const struct lint rows[] = {
	{ .id = "LEAF-NOTBEFORE",
	    .check = check_not_before,
	    .needs = NEEDS_TIME },
	{ .id = "LEAF-LIFE", .check = check_life },
	{ .id = "LEAF-LIFE-MARGIN", .check = check_life_margin },
	{ .id = "LEAF-NOREVAVAIL", .check = check_no_rev_avail },
	{ .id = "LEAF-DV-SUBJECT", .check = leaf_check_dv },
	{ .id = "LEAF-OV-SUBJECT", .check = leaf_check_ov },
	{ .id = "LEAF-IV-SUBJECT", .check = leaf_check_iv },
	{ .id = "LEAF-EV-SUBJECT", .check = leaf_check_ev },
	{ .id = "LEAF-NO-OU", .check = leaf_check_no_ou },
	{ .id = "LEAF-CN-SAN", .check = leaf_check_common_name },
	{ .id = "LEAF-META", .check = leaf_check_metadata },
	{ .id = "LEAF-EKU", .check = check_eku },
	{ .id = "LEAF-KU-RSA", .check = check_usage_rsa },
	/* RFC 8813 by itself forbids only encipherment: KU-EC-NOENC. */
	{ .id = "LEAF-KU-EC", .check = check_usage_ec, .rulesets = TLS_ONLY },
	{ .id = "LEAF-KU-PRESENT", .check = check_usage_present },
	{ .id = "LEAF-BC", .check = check_basic_constraints },
	{ .id = "LEAF-CP", .check = check_policies },
	{ .id = "LEAF-AIA", .check = check_access },
	{ .id = "LEAF-CRLDP", .check = check_crl_points },
	{ .id = "LEAF-SKI", .check = check_ski },
	{ .id = "LEAF-SCT", .check = precert_check_scts },
	{ .id = "PRE-POISON", .check = precert_check_poison },
	{ .id = "PRE-MATCH",
	    .check = precert_check_match,
	    .needs = NEEDS_EXISTING },
	{ .id = "PRE-DIRECT",
	    .check = precert_check_direct,
	    .from = D_TLS_200,
	    .needs = NEEDS_ISSUER },
};

const struct lint_table lint_leaf = LINT_TABLE(rows);
