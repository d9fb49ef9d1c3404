/* Rules about the values of CAs' profiles: rules.md, sections 2 to 5 and 7. */
#include "base/date.h"
#include "profiles/judge.h"

enum {
	ROOT_MIN_DAYS = 2922,
	ROOT_MAX_DAYS = 9132,
	TLS_SUB_MAX_DAYS = 1095, /* 3 years */
	CS_CA_MIN_BITS = 4096,
};

#define BC "extensions.basic-constraints"
#define KU "extensions.key-usage"
#define EKU "extensions.extended-key-usage"
#define CP "extensions.certificate-policies"
#define AIA "extensions.authority-information-access"
#define NC "extensions.name-constraints"

static bool
has(const struct profile *p, int purpose)
{
	return object_list_has(&p->purposes, purpose);
}

/* ---- basic constraints and key usage ---------------------------------- */

static bool
is_no_ca(const struct profile *p)
{
	return p->has[EXT_BASIC_CONSTRAINTS] && !p->ca;
}

static bool
path_length_without_ca(const struct profile *p)
{
	return p->path_length != PATH_LENGTH_NONE &&
	    (!p->ca || (p->key_usage & KEY_USAGE_CERT_SIGN) == 0);
}

static bool
has_path_length(const struct profile *p)
{
	return p->path_length != PATH_LENGTH_NONE;
}

static bool
key_usage_not_for_ca(const struct profile *p)
{
	const unsigned need = KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN;

	return p->has[EXT_KEY_USAGE] &&
	    (((p->key_usage | p->rsa_usage | p->ec_usage) &
		 ~(unsigned)KEY_USAGE_DIGITAL_SIGNATURE) != need ||
		(p->key_usage & need) != need);
}

/* ---- purposes: the sets of rules.md, section 4.2 ---------------------- */

static bool
has_ocsp_signing(const struct profile *p)
{
	return has(p, NID_OCSP_sign);
}

static bool
has_precert_signing(const struct profile *p)
{
	return object_list_has_oid(&p->purposes, PRECERT_SIGNING);
}

static bool
lacks_server_auth(const struct profile *p)
{
	return p->has[EXT_EXTENDED_KEY_USAGE] && !has(p, NID_server_auth);
}

static bool
mixes_tls(const struct profile *p)
{
	return has(p, NID_code_sign) || has(p, NID_email_protect) ||
	    has(p, NID_time_stamp) || has(p, NID_anyExtendedKeyUsage);
}

static bool
has_any_purpose(const struct profile *p)
{
	return has(p, NID_anyExtendedKeyUsage);
}

static bool
has_client_auth(const struct profile *p)
{
	return has(p, NID_client_auth);
}

/* Purposes that no rule has a name for. */
static bool
has_other_purpose(const struct profile *p)
{
	static const int known[] = { NID_server_auth, NID_client_auth,
		NID_code_sign, NID_email_protect, NID_time_stamp, NID_OCSP_sign,
		NID_anyExtendedKeyUsage };
	size_t count = 0;

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		count += has(p, known[i]);
	return p->purposes.count > count + has_precert_signing(p);
}

static bool
has_several_purposes(const struct profile *p)
{
	return p->purposes.count > (has_client_auth(p) ? 2u : 1u);
}

static bool
eku_not_for_smime(const struct profile *p)
{
	if (p->ruleset != RULESET_CABF_SMIME &&
	    profile_subjects(p) != FOR_SMIMECA)
		return false;
	return !has(p, NID_email_protect) || has(p, NID_server_auth) ||
	    has(p, NID_code_sign) || has(p, NID_time_stamp) ||
	    has_any_purpose(p);
}

static bool
eku_not_for_code(const struct profile *p)
{
	return has(p, NID_code_sign) == has(p, NID_time_stamp) ||
	    has(p, NID_server_auth) || has(p, NID_email_protect) ||
	    has_any_purpose(p);
}

/* CCADB 6.3: one of these, exactly. */
static bool
eku_not_dedicated(const struct profile *p)
{
	static const int single[] = { NID_server_auth, NID_client_auth,
		NID_email_protect, NID_code_sign, NID_time_stamp };

	if (p->purposes.count == 1)
		for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
			if (has(p, single[i]))
				return false;
	return p->purposes.count != 2 || !has_client_auth(p) ||
	    (!has(p, NID_server_auth) && !has(p, NID_email_protect));
}

/* BR 7.1.2.2.5: what is for TLS is for nothing else. */
static bool
eku_not_restricted(const struct profile *p)
{
	return has(p, NID_server_auth) && mixes_tls(p);
}

/* ---- policies --------------------------------------------------------- */

static bool
has_any_policy(const struct profile *p)
{
	return object_list_has(&p->policies, NID_any_policy);
}

static bool
any_policy_with_others(const struct profile *p)
{
	return has_any_policy(p) && p->policies.count > 1;
}

static bool
policies_not_for_tls_ca(const struct profile *p)
{
	if (!p->has[EXT_CERTIFICATE_POLICIES])
		return false;
	return has_any_policy(p) ? p->policies.count > 1
				 : judge_reserved(p, RESERVED_TLS) != 1;
}

static bool
policies_not_for_cross(const struct profile *p)
{
	if (!p->has[EXT_CERTIFICATE_POLICIES])
		return false;
	return has_any_policy(p) ? p->policies.count > 1
				 : judge_reserved(p, RESERVED_TLS) == 0;
}

static bool
policies_not_for_other_ca(const struct profile *p)
{
	return any_policy_with_others(p) || judge_reserved(p, RESERVED_TLS) > 0;
}

static bool
policies_not_for_smime_ca(const struct profile *p)
{
	if (!p->has[EXT_CERTIFICATE_POLICIES])
		return false;
	return has_any_policy(p) ? p->policies.count > 1
				 : judge_reserved(p, RESERVED_SMIME) == 0;
}

static bool
reserved_is_not_first(const struct profile *p)
{
	return judge_reserved(p, RESERVED_TLS) > 0 &&
	    !judge_first_is_reserved(p, RESERVED_TLS);
}

static bool
has_qualifier(const struct profile *p)
{
	for (size_t i = 0; i < p->policies.count; i++)
		if (p->cps[i] != NULL)
			return true;
	return false;
}

/* ---- name constraints ------------------------------------------------- */

/* In one of the lists, is there a subtree of this type and length? */
static bool
lists(const STACK_OF(GENERAL_SUBTREE) *list, int type, int len)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(list); i++) {
		int found;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(
		    sk_GENERAL_SUBTREE_value(list, i)->base, &found);

		if (found == type &&
		    (len < 0 || ASN1_STRING_length(value) == len))
			return true;
	}
	return false;
}

static const STACK_OF(GENERAL_SUBTREE) *
permitted(const struct profile *p)
{
	return p->constraints != NULL ? p->constraints->permittedSubtrees
				      : NULL;
}

static const STACK_OF(GENERAL_SUBTREE) *
excluded(const struct profile *p)
{
	return p->constraints != NULL ? p->constraints->excludedSubtrees : NULL;
}

/* Does the list hold the subtree of `len` zero octets? */
static bool
excludes_all(const struct profile *p, int type, int len)
{
	for (int i = 0; i < sk_GENERAL_SUBTREE_num(excluded(p)); i++) {
		int found;
		const ASN1_STRING *value = GENERAL_NAME_get0_value(
		    sk_GENERAL_SUBTREE_value(excluded(p), i)->base, &found);
		const unsigned char *octets;
		bool zero = true;

		if (found != type || ASN1_STRING_length(value) != len)
			continue;
		octets = ASN1_STRING_get0_data(value);
		for (int n = 0; n < len; n++)
			zero &= octets[n] == 0;
		if (zero)
			return true;
	}
	return false;
}

static bool
dns_is_open(const struct profile *p)
{
	return !lists(permitted(p), GEN_DNS, -1) &&
	    !excludes_all(p, GEN_DNS, 0);
}

static bool
ip4_is_open(const struct profile *p)
{
	return !lists(permitted(p), GEN_IPADD, 8) &&
	    !excludes_all(p, GEN_IPADD, 8);
}

static bool
ip6_is_open(const struct profile *p)
{
	return !lists(permitted(p), GEN_IPADD, 32) &&
	    !excludes_all(p, GEN_IPADD, 32);
}

static bool
names_are_open(const struct profile *p)
{
	return !lists(permitted(p), GEN_DIRNAME, -1);
}

static bool
has_other_subtree(const struct profile *p)
{
	return lists(permitted(p), GEN_EMAIL, -1) ||
	    lists(permitted(p), GEN_URI, -1) ||
	    lists(excluded(p), GEN_EMAIL, -1) ||
	    lists(excluded(p), GEN_URI, -1);
}

static bool
has_discouraged_subtree(const struct profile *p)
{
	const bool tls =
	    (profile_subjects(p) & (FOR_TLSSUB | FOR_TCSUB)) != 0 &&
	    p->ruleset == RULESET_CABF_TLS;

	return lists(excluded(p), GEN_DIRNAME, -1) ||
	    (tls &&
		(lists(permitted(p), GEN_EMAIL, -1) ||
		    lists(excluded(p), GEN_EMAIL, -1)));
}

/* ---- the rest --------------------------------------------------------- */

static bool
has_no_ca_issuers(const struct profile *p)
{
	return p->has[EXT_AUTHORITY_INFORMATION_ACCESS] &&
	    !p->url[URL_CA_ISSUERS];
}

static bool
root_too_short(const struct profile *p)
{
	/* A plan may say any length from `min` on, and without it any. */
	return p->validity_min < (int64_t)ROOT_MIN_DAYS * DAY_SECONDS;
}

static bool
root_too_long(const struct profile *p)
{
	return !judge_max_days(p, ROOT_MAX_DAYS);
}

static bool
tls_ca_too_long(const struct profile *p)
{
	return !judge_max_days(p, TLS_SUB_MAX_DAYS);
}

/* A root is one for code signing where its ruleset says so. */
static bool
rsa_too_short_for_code(const struct profile *p)
{
	if (p->kind != PROFILE_SUBORDINATE && p->ruleset != RULESET_CABF_CS)
		return false;
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i]->family == KEY_RSA &&
		    p->keys[i]->bits < CS_CA_MIN_BITS)
			return true;
	return false;
}

static bool
lacks_country(const struct profile *p)
{
	return !judge_requires(p, NID_countryName);
}

static bool
lacks_organization(const struct profile *p)
{
	return !judge_requires(p, NID_organizationName);
}

static bool
lacks_common_name(const struct profile *p)
{
	return !judge_requires(p, NID_commonName);
}

static bool
lacks_a_name(const struct profile *p)
{
	return lacks_country(p) || lacks_organization(p) ||
	    lacks_common_name(p);
}

static bool
requires_nothing(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].required)
			return false;
	return true;
}

static bool
has_unit(const struct profile *p)
{
	return judge_has_slot(p, NID_organizationalUnitName);
}

static bool
has_extra_attribute(const struct profile *p)
{
	static const int usual[] = { NID_countryName, NID_organizationName,
		NID_commonName, NID_stateOrProvinceName, NID_localityName,
		NID_postalCode, NID_streetAddress,
		NID_organizationalUnitName /* has rules of its own */ };

	for (size_t i = 0; i < p->subject_count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof usual / sizeof usual[0]; j++)
			found |= p->subject[i].attribute->nid == usual[j];
		if (!found)
			return true;
	}
	return false;
}

static bool
out_of_order(const struct profile *p)
{
	unsigned last = 0;

	for (size_t i = 0; i < p->subject_count; i++) {
		unsigned rank = p->subject[i].attribute->rank;

		if (rank != 0 && rank < last)
			return true;
		last = rank != 0 ? rank : last;
	}
	return false;
}

static bool
has_duplicate(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		for (size_t j = 0; j < i; j++)
			if (p->subject[i].attribute ==
				p->subject[j].attribute &&
			    !p->subject[i].attribute->repeats)
				return true;
	return false;
}

enum {
	BELOW = FOR_SUB & ~(unsigned)FOR_CROSS,
	NAMED_CA = FOR_CA & ~(unsigned)FOR_CROSS,
	TLS_CA = FOR_TLSSUB | FOR_TCSUB,
};

static const struct value_rule rows[] = {
	{ "ROOT-BC", REACH_ALWAYS, 0, BC ".ca", "a root must be a CA", is_no_ca,
	    false },
	{ "SUB-BC", REACH_ALWAYS, 0, BC ".ca", "a subordinate CA must be a CA",
	    is_no_ca, false },
	{ "BC-PATHLEN-COND", REACH_ALWAYS, 0, BC ".path-length",
	    "a path length is for a CA with key-cert-sign only",
	    path_length_without_ca, false },
	{ "ROOT-NO-PATHLEN", REACH_ADVICE, 0, BC ".path-length",
	    "a root should have no path length", has_path_length, false },
	{ "ROOT-KU", REACH_ALWAYS, 0, KU,
	    "a CA's key usage is key-cert-sign and crl-sign; only "
	    "digital-signature may be added",
	    key_usage_not_for_ca, false },
	{ "SUB-KU", REACH_ALWAYS, 0, KU,
	    "a CA's key usage is key-cert-sign and crl-sign; only "
	    "digital-signature may be added",
	    key_usage_not_for_ca, false },

	{ "SUB-NO-OCSPSIGNING", REACH_ALWAYS, 0, EKU,
	    "a CA with ocsp-signing could answer for its issuer's "
	    "certificates: remove it",
	    has_ocsp_signing, false },
	{ "PRECERTCA-BANNED", REACH_ALWAYS, 0, EKU,
	    "CAs that sign precertificates for others are no more",
	    has_precert_signing, false },
	{ "TLSSUB-EKU-SERVERAUTH", REACH_OWN, BELOW, EKU,
	    "a CA under this ruleset must have server-auth", lacks_server_auth,
	    false },
	{ "TLSSUB-EKU-FORBIDDEN", REACH_OWN, 0, EKU,
	    "a TLS CA may not have code-signing, email-protection, "
	    "time-stamping or any",
	    mixes_tls, false },
	{ "TLSSUB-EKU-FORBIDDEN", REACH_ADVICE, BELOW, EKU,
	    "'any' gives up the limit that the purposes set", has_any_purpose,
	    false },
	{ "TLSSUB-EKU-CLIENTAUTH", REACH_OWN, 0, EKU,
	    "a public TLS CA may not have client-auth", has_client_auth,
	    false },
	{ "TLSSUB-EKU-OTHER", REACH_OWN, 0, EKU,
	    "a TLS CA should have no purposes but server-auth",
	    has_other_purpose, false },
	{ "NONTLS-EKU-SINGLE", REACH_OWN, 0, EKU,
	    "a CA should be for one purpose", has_several_purposes, false },
	{ "SMIMECA-EKU", REACH_OWN, BELOW, EKU,
	    "an S/MIME CA must have email-protection, and not server-auth, "
	    "code-signing, time-stamping or any",
	    eku_not_for_smime, false },
	{ "CSCA-EKU", REACH_OWN, BELOW, EKU,
	    "a code-signing CA must have code-signing or time-stamping, not "
	    "both, and not server-auth, email-protection or any",
	    eku_not_for_code, false },
	{ "CROSS-EKU-MOZ", REACH_PRIVATE, 0, EKU,
	    "a cross certificate may not have 'any'", has_any_purpose, false },
	{ "CROSS-EKU-RESTRICTED", REACH_ADVICE, 0, EKU,
	    "a cross certificate for TLS may not have code-signing, "
	    "email-protection, time-stamping or any",
	    eku_not_restricted, false },
	{ "CROSS-EKU-DEDICATED", REACH_ADVICE, 0, EKU,
	    "a cross certificate's purposes are exactly server-auth, "
	    "client-auth, server-auth and client-auth, email-protection, "
	    "email-protection and client-auth, code-signing, or time-stamping",
	    eku_not_dedicated, false },

	{ "POL-CA-FORM", REACH_OWN, 0, CP,
	    "a TLS CA has any-policy alone, or exactly one of the CA/Browser "
	    "Forum's policies without it",
	    policies_not_for_tls_ca, false },
	{ "CROSS-CP", REACH_OWN, 0, CP,
	    "a cross certificate has any-policy alone, or one of the "
	    "CA/Browser Forum's policies without it",
	    policies_not_for_cross, false },
	{ "NONTLS-CP", REACH_OWN, 0, CP,
	    "a CA that is not for TLS has any-policy alone, or policies that "
	    "are not the CA/Browser Forum's for TLS",
	    policies_not_for_other_ca, false },
	{ "SMIMECA-CP", REACH_OWN, 0, CP,
	    "an S/MIME CA has any-policy alone, or one of the CA/Browser "
	    "Forum's S/MIME policies without it",
	    policies_not_for_smime_ca, false },
	{ "POL-FIRST", REACH_OWN, 0, CP,
	    "the CA/Browser Forum's policy should be the first",
	    reserved_is_not_first, false },
	{ "POL-QUALIFIERS", REACH_OWN, 0, CP ".cps",
	    "policies should have no qualifiers", has_qualifier, false },

	{ "NC-TYPES", REACH_OWN, 0, NC,
	    "excluded directory names, and mailboxes in TLS CAs, are "
	    "discouraged",
	    has_discouraged_subtree, false },
	{ "NC-TC-DNS", REACH_OWN, 0, NC,
	    "a constrained TLS CA permits some DNS name, or excludes all",
	    dns_is_open, false },
	{ "NC-TC-IP4", REACH_OWN, 0, NC,
	    "a constrained TLS CA permits some IPv4 range, or excludes "
	    "0.0.0.0/0",
	    ip4_is_open, false },
	{ "NC-TC-IP6", REACH_OWN, 0, NC,
	    "a constrained TLS CA permits some IPv6 range, or excludes ::/0",
	    ip6_is_open, false },
	{ "NC-TC-DIR", REACH_OWN, 0, NC,
	    "a constrained TLS CA permits some directory name", names_are_open,
	    false },
	{ "NC-TC-OTHERTYPES", REACH_OWN, 0, NC,
	    "a constrained TLS CA has no email and uri subtrees",
	    has_other_subtree, false },

	{ "SUB-AIA", REACH_ADVICE, 0, AIA,
	    "a subordinate CA should point to ca-issuers", has_no_ca_issuers,
	    false },
	{ "SUB-AIA-CS", REACH_ADVICE, 0, AIA,
	    "a code-signing CA must point to ca-issuers", has_no_ca_issuers,
	    false },
	{ "ROOT-LIFE-MIN", REACH_ADVICE, 0, "validity",
	    "a root should be valid for 2922 days or more: that is its min",
	    root_too_short, false },
	{ "ROOT-LIFE-MAX", REACH_ADVICE, 0, "validity.max",
	    "a root should be valid for 9132 days at most", root_too_long,
	    false },
	{ "SUB-LIFE-3Y", REACH_OWN, 0, "validity.max",
	    "a TLS CA should be valid for 1095 days at most", tls_ca_too_long,
	    false },
	{ "KEY-RSA-CS4096", REACH_OWN, FOR_ROOT | FOR_CSCA | FOR_CROSS, "keys",
	    "a code-signing CA's RSA key has 4096 bits or more",
	    rsa_too_short_for_code, false },

	{ "NAM-CA-NONEMPTY", REACH_ALWAYS, NAMED_CA, "subject",
	    "a CA has a name: some attribute must be required",
	    requires_nothing, false },
	{ "NAM-CA-C", REACH_ADVICE, NAMED_CA | FOR_OCSPCERT, "subject",
	    "country should be required", lacks_country, false },
	{ "NAM-CA-O", REACH_ADVICE, NAMED_CA | FOR_OCSPCERT, "subject",
	    "organization should be required", lacks_organization, false },
	{ "NAM-CA-CN", REACH_ADVICE, NAMED_CA | FOR_OCSPCERT, "subject",
	    "common-name should be required", lacks_common_name, false },
	{ "SMIMECA-NAME", REACH_OWN, 0, "subject",
	    "country, organization and common-name must be required",
	    lacks_a_name, false },
	{ "NAM-CA-NO-OU", REACH_ADVICE, 0, "subject",
	    "organizational-unit is discouraged in names of CAs", has_unit,
	    false },
	{ "NAM-CA-OU-OTHER", REACH_ADVICE,
	    FOR_NONTLS | FOR_SMIMECA | FOR_CSCA | FOR_OCSPCERT, "subject",
	    "organizational-unit is discouraged in names of CAs and responders",
	    has_unit, false },
	{ "NAM-CA-EXTRA", REACH_OWN, NAMED_CA | FOR_OCSPCERT, "subject",
	    "attributes beside country, organization, common-name and an "
	    "address are discouraged",
	    has_extra_attribute, false },
	{ "NAM-ORDER", REACH_ALWAYS, 0, "subject",
	    "attributes must stand in the order domain-component, country, "
	    "state, locality, postal-code, street, organization, surname, "
	    "given-name, organizational-unit, common-name",
	    out_of_order, false },
	{ "NAM-NO-DUP", REACH_ALWAYS, 0, "subject",
	    "only domain-component and street may stand there twice",
	    has_duplicate, false },
};

const struct value_rules judge_ca = VALUE_RULES(rows);
