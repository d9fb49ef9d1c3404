/* Subordinate CA certificates: rules.md 4. */
#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "profiles/lint/ca-private.h"
#include "profiles/lint/octets.h"
#include "profiles/lint/uri.h"

enum {
	/* "Three years" in every reading, as CRLs' "12 months" is 365 days. */
	LIFE_MAX_DAYS = 3 * 365,
};

/* ---- times ------------------------------------------------------------- */

static void
not_before(struct lint_run *run)
{
	ca_check_not_before(run);
}

static void
not_after(struct lint_run *run)
{
	ca_check_not_after(run);
}

static void
life_3y(struct lint_run *run)
{
	int64_t life;

	if (ca_validity(run->certificate, &life) &&
	    life > (int64_t)LIFE_MAX_DAYS * DAY_SECONDS)
		lint_found(run, run->certificate->not_after.element,
		    "it is valid for %lld days, and should be for 3 years (%d "
		    "days) at most",
		    (long long)((life + DAY_SECONDS - 1) / DAY_SECONDS),
		    LIFE_MAX_DAYS);
}

/* ---- basicConstraints and keyUsage ------------------------------------- */

static bool
is_negative(const ASN1_INTEGER *number)
{
	return (ASN1_STRING_type(number) & V_ASN1_NEG) != 0;
}

static void
basic_constraints(struct lint_run *run)
{
	const BASIC_CONSTRAINTS *value = run->values->basic_constraints;
	const struct der where = ca_where(run, NID_basic_constraints);

	if (!ca_want_value(run, NID_basic_constraints, CA_CRITICAL, value))
		return;
	if (value->ca == 0)
		lint_found(run, where, "basicConstraints does not say cA TRUE");
	if (value->pathlen != NULL && is_negative(value->pathlen))
		lint_found(run, where,
		    "basicConstraints has a negative pathLenConstraint");
}

/*
 * RFC 5280, section 6.1.4 (l), (m).  A certificate under its issuer's own name
 * is not counted there.
 */
static void
path_length(struct lint_run *run)
{
	const BASIC_CONSTRAINTS *above = run->issuer->values.basic_constraints;
	const BASIC_CONSTRAINTS *own = run->values->basic_constraints;
	const struct der where = ca_where(run, NID_basic_constraints);
	const bool self_issued = ca_same_octets(
	    run->subject->element, run->certificate->issuer.element);
	int more;

	if (above == NULL || above->pathlen == NULL)
		return;
	if (!self_issued && ASN1_INTEGER_get(above->pathlen) == 0) {
		lint_found(run, where,
		    "the issuer has path length 0: it may not issue CAs");
		return;
	}
	if (own == NULL || own->pathlen == NULL) {
		lint_found(run, where,
		    "there is no path length, and it must be below the "
		    "issuer's");
		return;
	}
	more = ASN1_INTEGER_cmp(own->pathlen, above->pathlen);
	if (more > 0 || (more == 0 && !self_issued))
		lint_found(run, where,
		    "path length %lld is not below the issuer's %lld",
		    (long long)ASN1_INTEGER_get(own->pathlen),
		    (long long)ASN1_INTEGER_get(above->pathlen));
}

static void
key_usage(struct lint_run *run)
{
	ca_check_key_usage(
	    run, CA_CERT_SIGN | CA_CRL_SIGN, CA_DIGITAL_SIGNATURE);
}

/* ---- identifiers and pointers ------------------------------------------ */

static void
subject_key_id(struct lint_run *run)
{
	(void)ca_want_value(
	    run, NID_subject_key_identifier, CA_NOT_CRITICAL, run->values->ski);
}

/* RFC 5280, section 4.2.1.1, allows issuer and serial number; BR does not. */
static void
authority_key_id(struct lint_run *run)
{
	if (ca_want_value(run, NID_authority_key_identifier, CA_NOT_CRITICAL,
		run->values->aki))
		ca_check_aki(run,
		    run->issuer != NULL ? run->issuer->values.ski : NULL,
		    "the issuer's", lint_held_to(run, RULESET_CABF_TLS));
}

static void
crl_points(struct lint_run *run)
{
	(void)ca_want_value(run, NID_crl_distribution_points, CA_NOT_CRITICAL,
	    run->values->crl_points);
}

static void
info_access(struct lint_run *run)
{
	if (ca_want_value(
		run, NID_info_access, CA_EITHER, run->values->info_access) &&
	    !ca_has_http_access(run->values, NID_ad_ca_issuers))
		lint_found(run, ca_where(run, NID_info_access),
		    "authorityInfoAccess has no http URL for caIssuers");
}

/* ---- purposes ---------------------------------------------------------- */

static void
eku_present(struct lint_run *run)
{
	(void)ca_want_value(
	    run, NID_ext_key_usage, CA_NOT_CRITICAL, run->values->purposes);
}

static void
no_ocsp_signing(struct lint_run *run)
{
	ca_forbid_purposes(run, (const int[]){ NID_OCSP_sign, 0 });
}

/* An OBJECT IDENTIFIER's contents. */
static struct der
contents_of(const ASN1_OBJECT *oid)
{
	return (struct der){ OBJ_get0_data(oid), OBJ_length(oid) };
}

static int
collect_purposes(const EXTENDED_KEY_USAGE *purposes, struct octets_list *list)
{
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++)
		if (octets_add(list,
			contents_of(sk_ASN1_OBJECT_value(purposes, i))) != 0)
			return -1;
	return 0;
}

static void
check_purposes(const struct lint_run *run, struct octets_list *above)
{
	const EXTENDED_KEY_USAGE *own = run->values->purposes;
	char text[CA_OID_TEXT_SIZE];

	for (int i = 0; i < sk_ASN1_OBJECT_num(own); i++) {
		const ASN1_OBJECT *purpose = sk_ASN1_OBJECT_value(own, i);

		if (octets_has(above, contents_of(purpose)))
			continue;
		(void)OBJ_obj2txt(text, sizeof text, purpose, 1);
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "purpose %s is none of the issuer's", text);
	}
}

static void
eku_nested(struct lint_run *run)
{
	const EXTENDED_KEY_USAGE *above = run->issuer->values.purposes;
	AUTO_STRUCT(octets_list) theirs = { .rows = NULL };

	if (above == NULL ||
	    lint_has_purpose(&run->issuer->values, NID_anyExtendedKeyUsage))
		return;
	if (run->values->purposes == NULL)
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "the issuer is limited to some purposes, and this "
		    "certificate is not");
	if (collect_purposes(above, &theirs) != 0)
		lint_unsure(run, "out of memory");
	else
		check_purposes(run, &theirs);
}

/* ---- what does not belong into a CA ------------------------------------ */

static void
no_nocheck(struct lint_run *run)
{
	ca_unwanted(run, NID_id_pkix_OCSP_noCheck);
}

static void
no_no_rev_avail(struct lint_run *run)
{
	const struct lint_extension *row =
	    lint_extension_by_oid(run->extensions, "2.5.29.56");

	if (row != NULL)
		lint_found(run, row->element,
		    "noRevAvail is there, and a CA's certificate can be "
		    "revoked");
}

/* Those with rows of their own in rules.md 0.4. */
static const int known_extensions[] = { NID_basic_constraints, NID_key_usage,
	NID_subject_key_identifier, NID_authority_key_identifier,
	NID_ext_key_usage, NID_certificate_policies, NID_name_constraints,
	NID_crl_distribution_points, NID_info_access, NID_ct_precert_scts, 0 };

static void
mappings_free(POLICY_MAPPINGS *mappings)
{
	sk_POLICY_MAPPING_pop_free(mappings, POLICY_MAPPING_free);
}
CLEANUP_DEFINE(POLICY_MAPPINGS, mappings_free);
CLEANUP_DEFINE(POLICY_CONSTRAINTS, POLICY_CONSTRAINTS_free);

/* RFC 5280, section 4.2.1.11 */
static void
check_policy_constraints(const struct lint_run *run)
{
	AUTO(POLICY_CONSTRAINTS) *value = ca_decode(
	    run, NID_policy_constraints, ASN1_ITEM_rptr(POLICY_CONSTRAINTS));

	if (lint_extension(run->extensions, NID_policy_constraints) == NULL ||
	    !ca_want_value(run, NID_policy_constraints, CA_CRITICAL, value))
		return;
	if (value->requireExplicitPolicy == NULL &&
	    value->inhibitPolicyMapping == NULL)
		lint_found(run, ca_where(run, NID_policy_constraints),
		    "policyConstraints is empty");
}

/* RFC 5280, section 4.2.1.14 */
static void
check_inhibit_any(const struct lint_run *run)
{
	AUTO(ASN1_INTEGER) *value = ca_decode(
	    run, NID_inhibit_any_policy, ASN1_ITEM_rptr(ASN1_INTEGER));

	if (lint_extension(run->extensions, NID_inhibit_any_policy) != NULL)
		(void)ca_want_value(
		    run, NID_inhibit_any_policy, CA_CRITICAL, value);
}

static int
collect_policies(const CERTIFICATEPOLICIES *policies, struct octets_list *list)
{
	for (int i = 0; i < sk_POLICYINFO_num(policies); i++)
		if (octets_add(list,
			contents_of(
			    sk_POLICYINFO_value(policies, i)->policyid)) != 0)
			return -1;
	return 0;
}

static void
check_mapping(const struct lint_run *run, struct octets_list *policies,
    const POLICY_MAPPING *mapping)
{
	const struct der where = ca_where(run, NID_policy_mappings);
	char text[CA_OID_TEXT_SIZE];

	if (OBJ_obj2nid(mapping->issuerDomainPolicy) == NID_any_policy ||
	    OBJ_obj2nid(mapping->subjectDomainPolicy) == NID_any_policy)
		lint_found(run, where, "policyMappings maps anyPolicy");
	if (octets_has(policies, contents_of(mapping->issuerDomainPolicy)))
		return;
	(void)OBJ_obj2txt(text, sizeof text, mapping->issuerDomainPolicy, 1);
	lint_found(run, where,
	    "policyMappings maps %s, which is not among the certificate's "
	    "policies",
	    text);
}

/* RFC 5280, section 4.2.1.5 */
static void
check_mappings(const struct lint_run *run)
{
	AUTO(POLICY_MAPPINGS) *value = ca_decode(
	    run, NID_policy_mappings, ASN1_ITEM_rptr(POLICY_MAPPINGS));
	AUTO_STRUCT(octets_list) policies = { .rows = NULL };
	const int count = sk_POLICY_MAPPING_num(value);

	if (lint_extension(run->extensions, NID_policy_mappings) == NULL ||
	    !ca_want_value(run, NID_policy_mappings, CA_CRITICAL, value))
		return;
	if (count == 0)
		lint_found(run, ca_where(run, NID_policy_mappings),
		    "policyMappings is empty");
	if (collect_policies(run->values->policies, &policies) != 0) {
		lint_unsure(run, "out of memory");
		return;
	}
	for (int i = 0; i < count; i++)
		check_mapping(
		    run, &policies, sk_POLICY_MAPPING_value(value, i));
}

/* That any other is discouraged is BR; how these three look is RFC 5280. */
static void
no_others(struct lint_run *run)
{
	if (lint_held_to(run, RULESET_CABF_TLS))
		ca_no_others(run, known_extensions);
	check_policy_constraints(run);
	check_inhibit_any(run);
	check_mappings(run);
}

/* ---- TLS CAs ----------------------------------------------------------- */

static void
tls_server_auth(struct lint_run *run)
{
	ca_want_purpose(run, NID_server_auth);
}

static void
tls_forbidden(struct lint_run *run)
{
	static const int forbidden[] = { NID_code_sign, NID_email_protect,
		NID_time_stamp, NID_OCSP_sign, NID_anyExtendedKeyUsage,
		NID_ct_precert_signer, 0 };

	ca_forbid_purposes(run, forbidden);
}

static void
tls_client_auth(struct lint_run *run)
{
	ca_forbid_purposes(run, (const int[]){ NID_client_auth, 0 });
}

/* What TLSSUB-EKU-FORBIDDEN tells of is not told again. */
static void
tls_other(struct lint_run *run)
{
	static const int known[] = { NID_server_auth, NID_client_auth,
		NID_code_sign, NID_email_protect, NID_time_stamp, NID_OCSP_sign,
		NID_anyExtendedKeyUsage, NID_ct_precert_signer, 0 };

	ca_allow_purposes(run, known);
}

static void
policies_present(struct lint_run *run)
{
	(void)ca_want_value(run, NID_certificate_policies, CA_NOT_CRITICAL,
	    run->values->policies);
}

/* What a set of name constraints has to say, TLS BR, section 7.1.2.5.2. */
enum {
	HAS_DNS = 1 << 0,
	HAS_IPV4 = 1 << 1,
	HAS_IPV6 = 1 << 2,
	HAS_DIRECTORY = 1 << 3,
};

enum { IPV4_RANGE = 8, IPV6_RANGE = 32 }; /* address and mask */

static unsigned
permits(const GENERAL_NAME *base)
{
	switch (base->type) {
	case GEN_DNS:
		return HAS_DNS;
	case GEN_DIRNAME:
		return HAS_DIRECTORY;
	case GEN_IPADD:
		return base->d.iPAddress->length == IPV4_RANGE ? HAS_IPV4
		    : base->d.iPAddress->length == IPV6_RANGE  ? HAS_IPV6
							       : 0;
	default:
		return 0;
	}
}

/* All names of a type at once: no name's octets, or no address's mask. */
static unsigned
excludes_all(const GENERAL_NAME *base)
{
	static const unsigned char zero[IPV6_RANGE];

	if (base->type == GEN_DNS)
		return base->d.dNSName->length == 0 ? HAS_DNS : 0;
	if (base->type != GEN_IPADD || permits(base) == 0)
		return 0;
	return memcmp(base->d.iPAddress->data, zero,
		   (size_t)base->d.iPAddress->length) == 0
	    ? permits(base)
	    : 0;
}

static unsigned
constraints_say(const NAME_CONSTRAINTS *value)
{
	const STACK_OF(GENERAL_SUBTREE) *permitted = value->permittedSubtrees;
	const STACK_OF(GENERAL_SUBTREE) *excluded = value->excludedSubtrees;
	unsigned said = 0;

	for (int i = 0; i < sk_GENERAL_SUBTREE_num(permitted); i++)
		said |= permits(sk_GENERAL_SUBTREE_value(permitted, i)->base);
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(excluded); i++)
		said |=
		    excludes_all(sk_GENERAL_SUBTREE_value(excluded, i)->base);
	return said;
}

static void
tc_constraints(struct lint_run *run)
{
	static const struct {
		unsigned bit;
		const char *text;
	} needs[] = {
		{ HAS_DNS, "permits no dNSName and does not exclude all" },
		{ HAS_IPV4, "permits no IPv4 range and does not exclude all" },
		{ HAS_IPV6, "permits no IPv6 range and does not exclude all" },
		{ HAS_DIRECTORY, "permits no directoryName" },
	};
	const NAME_CONSTRAINTS *value = run->values->name_constraints;
	unsigned said;

	if (!ca_want_value(run, NID_name_constraints, CA_EITHER, value))
		return;
	said = constraints_say(value);
	for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
		if ((said & needs[i].bit) == 0)
			lint_found(run, ca_where(run, NID_name_constraints),
			    "nameConstraints %s: the CA is not technically "
			    "constrained",
			    needs[i].text);
}

/* ---- CAs for other than TLS -------------------------------------------- */

static void
non_tls_purposes(struct lint_run *run)
{
	ca_forbid_purposes(run,
	    (const int[]){ NID_server_auth, NID_OCSP_sign,
		NID_anyExtendedKeyUsage, NID_ct_precert_signer, 0 });
}

static void
non_tls_single(struct lint_run *run)
{
	const int count = ca_purpose_count(run->values);

	if (count > 1)
		lint_found(run, ca_where(run, NID_ext_key_usage),
		    "extendedKeyUsage has %d purposes, and a CA should have one",
		    count);
}

static void
non_tls_policies(struct lint_run *run)
{
	const struct der where = ca_where(run, NID_certificate_policies);

	if (where.len != 0 && run->values->policies == NULL)
		lint_found(run, where, "certificatePolicies cannot be read");
	if (ca_policy_count(run->values, CA_POLICY_TLS) != 0)
		lint_found(run, where,
		    "certificatePolicies has a policy reserved for TLS");
	ca_check_any_policy(run);
}

/* RFC 5280, section 4.2.1.4 */
static void
check_notice(const struct lint_run *run, const POLICYQUALINFO *qualifier)
{
	const struct der where = ca_where(run, NID_certificate_policies);
	const USERNOTICE *notice;

	if (OBJ_obj2nid(qualifier->pqualid) != NID_id_qt_unotice)
		return;
	notice = qualifier->d.usernotice;
	if (notice == NULL || notice->exptext == NULL)
		lint_found(run, where, "a userNotice has no explicitText");
	if (notice != NULL && notice->noticeref != NULL)
		lint_found(
		    run, where, "a userNotice has a noticeRef, and must not");
}

static void
check_notices(const struct lint_run *run)
{
	const CERTIFICATEPOLICIES *policies = run->values->policies;

	for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
		const STACK_OF(POLICYQUALINFO) *qualifiers =
		    sk_POLICYINFO_value(policies, i)->qualifiers;

		for (int k = 0; k < sk_POLICYQUALINFO_num(qualifiers); k++)
			check_notice(
			    run, sk_POLICYQUALINFO_value(qualifiers, k));
	}
}

static void
smime_policies(struct lint_run *run)
{
	if (!ca_want_value(run, NID_certificate_policies, CA_EITHER,
		run->values->policies))
		return;
	if (ca_policy_count(run->values, CA_POLICY_SMIME | CA_POLICY_ANY) == 0)
		lint_found(run, ca_where(run, NID_certificate_policies),
		    "certificatePolicies has no policy reserved for S/MIME");
	ca_check_any_policy(run);
	check_notices(run);
}

static void
smime_purposes(struct lint_run *run)
{
	static const int forbidden[] = { NID_server_auth, NID_code_sign,
		NID_time_stamp, NID_anyExtendedKeyUsage, 0 };
	static const int narrow[] = { NID_email_protect, NID_client_auth,
		NID_server_auth, NID_code_sign, NID_time_stamp,
		NID_anyExtendedKeyUsage, 0 };

	ca_want_purpose(run, NID_email_protect);
	ca_forbid_purposes(run, forbidden);
	if (run->date >= D_SMIME_EKU)
		ca_allow_purposes(run, narrow);
}

/* A domain, or ".domain" for all below it; never a mailbox (SBR 7.1.5). */
static bool
is_mail_domain(const ASN1_IA5STRING *name)
{
	struct der text = { name->data,
		name->length > 0 ? (size_t)name->length : 0 };

	if (text.len > 0 && text.p[0] == '.') {
		text.p++;
		text.len--;
	}
	return uri_is_ldh_name(text, 2);
}

static void
smime_constraints(struct lint_run *run)
{
	const struct der where = ca_where(run, NID_name_constraints);
	const NAME_CONSTRAINTS *value = run->values->name_constraints;
	bool mail = false, directory = false;

	if (value == NULL) {
		if (where.len != 0)
			lint_found(
			    run, where, "nameConstraints cannot be read");
		return;
	}
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(value->permittedSubtrees);
	     i++) {
		const GENERAL_NAME *base =
		    sk_GENERAL_SUBTREE_value(value->permittedSubtrees, i)->base;

		directory = directory || base->type == GEN_DIRNAME;
		if (base->type != GEN_EMAIL)
			continue;
		mail = true;
		if (!is_mail_domain(base->d.rfc822Name))
			lint_found(run, where,
			    "nameConstraints permits the rfc822Name '%.100s', "
			    "which is neither a domain nor \".domain\"",
			    (const char *)base->d.rfc822Name->data);
	}
	if (!mail)
		lint_found(run, where,
		    "nameConstraints permits no rfc822Name: the CA is not "
		    "technically constrained");
	if (!directory)
		lint_found(run, where,
		    "nameConstraints permits no directoryName: the CA is not "
		    "technically constrained");
}

static void
smime_name(struct lint_run *run)
{
	ca_want_attributes(run,
	    (const int[]){
		NID_countryName, NID_organizationName, NID_commonName, 0 });
}

/*
 * rules.md 4.2: one of the two, none of the others, and what goes beyond them
 * only by a platform's contract, of which no certificate tells.
 */
static void
cs_purposes(struct lint_run *run)
{
	static const int forbidden[] = { NID_anyExtendedKeyUsage,
		NID_server_auth, NID_email_protect, 0 };
	static const int known[] = { NID_code_sign, NID_time_stamp,
		NID_anyExtendedKeyUsage, NID_server_auth, NID_email_protect,
		0 };
	const bool code = lint_has_purpose(run->values, NID_code_sign);
	const bool stamp = lint_has_purpose(run->values, NID_time_stamp);
	const struct der where = ca_where(run, NID_ext_key_usage);

	if (!code && !stamp)
		lint_found(run, where,
		    "extendedKeyUsage has neither codeSigning nor timeStamping");
	if (code && stamp)
		lint_found(run, where,
		    "extendedKeyUsage has both codeSigning and timeStamping, and a "
		    "CA must have one of them");
	ca_forbid_purposes(run, forbidden);
	ca_allow_purposes(run, known);
}

static void
cs_policies(struct lint_run *run)
{
	(void)ca_want_value(run, NID_certificate_policies, CA_NOT_CRITICAL,
	    run->values->policies);
}

/* As subject, and as issuer of what is looked at. */
static void
precert_signer(struct lint_run *run)
{
	if (lint_is(run, FOR_CA))
		ca_forbid_purposes(
		    run, (const int[]){ NID_ct_precert_signer, 0 });
	if (run->issuer != NULL &&
	    lint_has_purpose(&run->issuer->values, NID_ct_precert_signer))
		lint_found(run, run->certificate->issuer.element,
		    "the issuer is a precertificate-signing CA, and none may "
		    "be used");
}

static const struct lint rows[] = {
	{ .id = "SUB-NOTBEFORE", .check = not_before, .needs = NEEDS_TIME },
	{ .id = "SUB-NOTAFTER", .check = not_after, .needs = NEEDS_TIME },
	{ .id = "SUB-LIFE-3Y", .check = life_3y },
	{ .id = "SUB-BC", .check = basic_constraints },
	{ .id = "SUB-PATHLEN", .check = path_length, .needs = NEEDS_ISSUER },
	{ .id = "SUB-KU", .check = key_usage },
	{ .id = "SUB-SKI", .check = subject_key_id },
	{ .id = "SUB-AKI", .check = authority_key_id },
	{ .id = "SUB-CRLDP", .check = crl_points },
	{ .id = "SUB-AIA", .check = info_access },
	{ .id = "SUB-AIA-CS", .check = info_access },
	{ .id = "SUB-EKU-PRESENT", .check = eku_present },
	{ .id = "SUB-NO-OCSPSIGNING", .check = no_ocsp_signing },
	{ .id = "SUB-NO-NOCHECK", .check = no_nocheck },
	/* A responder is for its issuer's status, whatever that is for. */
	{ .id = "SUB-EKU-NESTED",
	    .check = eku_nested,
	    .subjects = FOR_SUB | FOR_LEAF | FOR_SMIME | FOR_CS,
	    .needs = NEEDS_ISSUER },
	{ .id = "SUB-NO-OTHER", .check = no_others },
	{ .id = "SUB-NO-NOREVAVAIL", .check = no_no_rev_avail },
	{ .id = "TLSSUB-EKU-SERVERAUTH", .check = tls_server_auth },
	{ .id = "TLSSUB-EKU-FORBIDDEN", .check = tls_forbidden },
	{ .id = "TLSSUB-EKU-CLIENTAUTH",
	    .check = tls_client_auth,
	    .from = D_CHROME_SUB },
	{ .id = "TLSSUB-EKU-OTHER", .check = tls_other },
	{ .id = "TLSSUB-CP", .check = policies_present },
	{ .id = "TCSUB-NC", .check = tc_constraints },
	{ .id = "NONTLS-EKU", .check = non_tls_purposes },
	{ .id = "NONTLS-EKU-SINGLE", .check = non_tls_single },
	{ .id = "NONTLS-CP", .check = non_tls_policies },
	{ .id = "SMIMECA-CP", .check = smime_policies },
	{ .id = "SMIMECA-EKU", .check = smime_purposes },
	{ .id = "SMIMECA-NC", .check = smime_constraints },
	{ .id = "SMIMECA-NAME", .check = smime_name },
	{ .id = "CSCA-EKU", .check = cs_purposes },
	{ .id = "CSCA-CP", .check = cs_policies },
	{ .id = "PRECERTCA-BANNED",
	    .check = precert_signer,
	    .subjects = FOR_CA | FOR_PRECERT | FOR_LEAF,
	    .from = D_TLS_200 },
};

const struct lint_table lint_sub = LINT_TABLE(rows);
