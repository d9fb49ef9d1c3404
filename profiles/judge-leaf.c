/*
 * Rules about the values of profiles of responders and end entities: rules.md,
 * sections 6, 10 and 11.
 */
#include <stdio.h>

#include "base/date.h"
#include "profiles/judge.h"

enum {
	RESPONDER_MAX_DAYS = 397, /* 13 months */
	LEAF_MAX_DAYS = 200,      /* since 2026-03-15; shorter by date later */
	SHORT_LIVED_DAYS = 7,
	SMIME_MAX_DAYS = 825,
	CODE_MAX_DAYS = 460,
	TIME_STAMPING_MAX_DAYS = 4106, /* 135 months */
	CODE_MIN_BITS = 3072,
};

#define BC "extensions.basic-constraints"
#define KU "extensions.key-usage"
#define EKU "extensions.extended-key-usage"
#define CP "extensions.certificate-policies"
#define AIA "extensions.authority-information-access"
#define SAN "extensions.subject-alternative-name"
#define CDP "extensions.crl-distribution-points"

static bool
has(const struct profile *p, int purpose)
{
	return object_list_has(&p->purposes, purpose);
}

static bool
is_a_ca(const struct profile *p)
{
	return p->ca;
}

/* Bits, in keys of a family that the profile allows. */
static bool
may_use(const struct profile *p, enum key_family family, unsigned usages)
{
	return judge_has_family(p, family) &&
	    (profile_key_usage(p, family) & usages) != 0;
}

static bool
all_use(const struct profile *p, enum key_family family, unsigned usage)
{
	return !judge_has_family(p, family) ||
	    (profile_key_usage(p, family) & usage) == usage;
}

/* ---- responders ------------------------------------------------------- */

static bool
key_usage_not_for_responder(const struct profile *p)
{
	return p->has[EXT_KEY_USAGE] &&
	    (p->key_usage | p->rsa_usage | p->ec_usage) !=
	    KEY_USAGE_DIGITAL_SIGNATURE;
}

static bool
not_only_ocsp_signing(const struct profile *p)
{
	return p->has[EXT_EXTENDED_KEY_USAGE] &&
	    (p->purposes.count != 1 || !has(p, NID_OCSP_sign));
}

static bool
has_ca_issuers(const struct profile *p)
{
	return p->url[URL_CA_ISSUERS];
}

static bool
responder_too_long(const struct profile *p)
{
	return !judge_max_days(p, RESPONDER_MAX_DAYS);
}

/* ---- all end entities ------------------------------------------------- */

static bool
eku_not_for_end_entity(const struct profile *p)
{
	return has(p, NID_anyExtendedKeyUsage) || has(p, NID_OCSP_sign);
}

static bool
signs_certificates(const struct profile *p)
{
	return ((p->key_usage | p->rsa_usage | p->ec_usage) &
		   (KEY_USAGE_CERT_SIGN | KEY_USAGE_CRL_SIGN)) != 0;
}

static bool
ec_enciphers(const struct profile *p)
{
	return may_use(p, KEY_EC,
	    KEY_USAGE_KEY_ENCIPHERMENT | KEY_USAGE_DATA_ENCIPHERMENT);
}

/* RFC 5280, section 4.2.1.12; a purpose that it does not list needs no bit. */
static bool
purpose_is_served(const ASN1_OBJECT *purpose, unsigned usage)
{
	static const struct {
		int nid;
		unsigned usages;
	} rows[] = {
		{ NID_server_auth,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_ENCIPHERMENT |
			KEY_USAGE_KEY_AGREEMENT },
		{ NID_client_auth,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_AGREEMENT },
		{ NID_code_sign, KEY_USAGE_DIGITAL_SIGNATURE },
		{ NID_email_protect,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_NON_REPUDIATION |
			KEY_USAGE_KEY_ENCIPHERMENT | KEY_USAGE_KEY_AGREEMENT },
		{ NID_time_stamp,
		    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_NON_REPUDIATION },
	};
	const int nid = OBJ_obj2nid(purpose);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].nid == nid)
			return (usage & rows[i].usages) != 0;
	return true;
}

static bool
serves_no_purpose(const struct profile *p, enum key_family family)
{
	if (!judge_has_family(p, family) || p->purposes.count == 0)
		return false;
	for (size_t i = 0; i < p->purposes.count; i++)
		if (purpose_is_served(
			p->purposes.objects[i], profile_key_usage(p, family)))
			return false;
	return true;
}

static bool
key_usage_is_useless(const struct profile *p)
{
	return p->has[EXT_KEY_USAGE] &&
	    (serves_no_purpose(p, KEY_RSA) || serves_no_purpose(p, KEY_EC));
}

static bool
from_request(const struct profile *p)
{
	return profile_needs_csr(p);
}

/* Who has no name at all, neither in the subject nor beside it? */
static bool
may_be_nameless(const struct profile *p)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].required)
			return false;
	return !p->alt_required;
}

/* ---- TLS servers ------------------------------------------------------ */

static bool
eku_not_for_server(const struct profile *p)
{
	return !has(p, NID_server_auth) || has(p, NID_code_sign) ||
	    has(p, NID_email_protect) || has(p, NID_time_stamp) ||
	    object_list_has_oid(&p->purposes, PRECERT_SIGNING);
}

static bool
leaf_too_long(const struct profile *p)
{
	return !judge_max_days(p, LEAF_MAX_DAYS);
}

static bool
leaf_without_margin(const struct profile *p)
{
	return !judge_max_days(p, LEAF_MAX_DAYS - 1);
}

static bool
leaf_rsa_usage_is_wrong(const struct profile *p)
{
	const unsigned fine = KEY_USAGE_DIGITAL_SIGNATURE |
	    KEY_USAGE_KEY_ENCIPHERMENT | KEY_USAGE_DATA_ENCIPHERMENT;

	return p->has[EXT_KEY_USAGE] && may_use(p, KEY_RSA, ~fine);
}

static bool
leaf_ec_usage_is_wrong(const struct profile *p)
{
	const unsigned fine =
	    KEY_USAGE_DIGITAL_SIGNATURE | KEY_USAGE_KEY_AGREEMENT;

	return p->has[EXT_KEY_USAGE] &&
	    (may_use(p, KEY_EC, ~fine) ||
		!all_use(p, KEY_EC, KEY_USAGE_DIGITAL_SIGNATURE));
}

static bool
alt_types_not_for_server(const struct profile *p)
{
	return (p->alt_types & ~(ALT_BIT(ALT_DNS) | ALT_BIT(ALT_IP))) != 0;
}

static bool
names_are_optional(const struct profile *p)
{
	return p->has[EXT_SUBJECT_ALTERNATIVE_NAME] && !p->alt_required;
}

static bool
policies_not_for_leaf(const struct profile *p)
{
	return p->has[EXT_CERTIFICATE_POLICIES] &&
	    (judge_reserved(p, RESERVED_TLS) != 1 ||
		object_list_has(&p->policies, NID_any_policy));
}

static bool
no_way_to_revocation(const struct profile *p)
{
	return !p->url[URL_CRL] && !p->url[URL_OCSP] &&
	    !judge_max_days(p, SHORT_LIVED_DAYS);
}

static bool
has_no_ca_issuers(const struct profile *p)
{
	return p->has[EXT_AUTHORITY_INFORMATION_ACCESS] &&
	    !p->url[URL_CA_ISSUERS];
}

static bool
has_unit(const struct profile *p)
{
	return judge_has_slot(p, NID_organizationalUnitName);
}

static bool
has_common_name(const struct profile *p)
{
	return judge_has_slot(p, NID_commonName);
}

static bool
place_is_optional(const struct profile *p)
{
	return !judge_requires(p, NID_stateOrProvinceName) &&
	    !judge_requires(p, NID_localityName);
}

/* An attribute that is none of these. */
static bool
has_slot_beside(const struct profile *p, const int *nids, size_t count)
{
	for (size_t i = 0; i < p->subject_count; i++) {
		bool found = false;

		for (size_t j = 0; j < count; j++)
			found |= p->subject[i].attribute->nid == nids[j];
		if (!found)
			return true;
	}
	return false;
}

static bool
dv_subject_is_wrong(const struct profile *p)
{
	static const int fine[] = { NID_countryName, NID_commonName };

	return object_list_has_oid(&p->policies, "2.23.140.1.2.1") &&
	    has_slot_beside(p, fine, sizeof fine / sizeof fine[0]);
}

static bool
ov_subject_is_wrong(const struct profile *p)
{
	return object_list_has_oid(&p->policies, "2.23.140.1.2.2") &&
	    (!judge_requires(p, NID_countryName) ||
		!judge_requires(p, NID_organizationName) ||
		place_is_optional(p) || judge_has_slot(p, NID_surname) ||
		judge_has_slot(p, NID_givenName) || has_unit(p));
}

static bool
iv_subject_is_wrong(const struct profile *p)
{
	return object_list_has_oid(&p->policies, "2.23.140.1.2.3") &&
	    (!judge_requires(p, NID_countryName) ||
		!judge_requires(p, NID_surname) ||
		!judge_requires(p, NID_givenName) || place_is_optional(p) ||
		has_unit(p));
}

/*
 * The CA/Browser Forum's organization identifier extension is not encoded, so
 * that the attribute cannot be had either.
 */
static bool
ev_subject_is_wrong(const struct profile *p)
{
	static const int fine[] = { NID_organizationName, NID_businessCategory,
		NID_jurisdictionCountryName,
		NID_jurisdictionStateOrProvinceName,
		NID_jurisdictionLocalityName, NID_serialNumber, NID_countryName,
		NID_stateOrProvinceName, NID_localityName, NID_postalCode,
		NID_streetAddress, NID_commonName };
	static const int needed[] = { NID_organizationName,
		NID_businessCategory, NID_jurisdictionCountryName,
		NID_serialNumber, NID_countryName };

	if (!object_list_has_oid(&p->policies, "2.23.140.1.1"))
		return false;
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
		if (!judge_requires(p, needed[i]))
			return true;
	return place_is_optional(p) ||
	    has_slot_beside(p, fine, sizeof fine / sizeof fine[0]) ||
	    (p->alt_types & ALT_BIT(ALT_IP)) != 0;
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

/* ---- S/MIME ----------------------------------------------------------- */

/* The reserved policy of this type, in the multipurpose or strict variant. */
static bool
is_smime_type(const struct profile *p, int type)
{
	char oid[64];

	for (int variant = 2; variant <= 3; variant++) {
		(void)snprintf(
		    oid, sizeof oid, "2.23.140.1.5.%d.%d", type, variant);
		if (object_list_has_oid(&p->policies, oid))
			return true;
	}
	return false;
}

static bool
is_smime_variant(const struct profile *p, int variant)
{
	char oid[64];

	for (int type = 1; type <= 4; type++) {
		(void)snprintf(
		    oid, sizeof oid, "2.23.140.1.5.%d.%d", type, variant);
		if (object_list_has_oid(&p->policies, oid))
			return true;
	}
	return false;
}

static bool
policies_not_for_smime(const struct profile *p)
{
	return p->has[EXT_CERTIFICATE_POLICIES] &&
	    (judge_reserved(p, RESERVED_SMIME) != 1 || is_smime_variant(p, 1) ||
		object_list_has(&p->policies, NID_any_policy));
}

static bool
eku_not_for_smime(const struct profile *p)
{
	if (!has(p, NID_email_protect) || has(p, NID_server_auth) ||
	    has(p, NID_code_sign) || has(p, NID_time_stamp) ||
	    has(p, NID_anyExtendedKeyUsage))
		return true;
	return is_smime_variant(p, 3) && p->purposes.count > 1;
}

/*
 * SBR 7.1.2.3 e: a key signs, or takes part in encryption by the usage
 * `managing`, or both; other usages go with one of these only.
 */
static bool
smime_key_is_misused(const struct profile *p, enum key_family family,
    unsigned managing, unsigned beside)
{
	const unsigned usage = profile_key_usage(p, family);
	unsigned fine = KEY_USAGE_DIGITAL_SIGNATURE | managing;
	const bool useless = (usage & fine) == 0;

	if (!judge_has_family(p, family))
		return false;
	if ((usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0)
		fine |= KEY_USAGE_NON_REPUDIATION;
	if ((usage & managing) != 0)
		fine |= beside;
	return useless || (usage & ~fine) != 0;
}

/* dataEncipherment is not for the strict variant. */
static bool
smime_usage_is_wrong(const struct profile *p)
{
	const unsigned beside =
	    is_smime_variant(p, 3) ? 0 : KEY_USAGE_DATA_ENCIPHERMENT;

	return p->has[EXT_KEY_USAGE] &&
	    (smime_key_is_misused(
		 p, KEY_RSA, KEY_USAGE_KEY_ENCIPHERMENT, beside) ||
		smime_key_is_misused(p, KEY_EC, KEY_USAGE_KEY_AGREEMENT, 0));
}

static bool
mailbox_is_optional(const struct profile *p)
{
	return p->has[EXT_SUBJECT_ALTERNATIVE_NAME] &&
	    (!p->alt_required || (p->alt_types & ALT_BIT(ALT_EMAIL)) == 0);
}

static bool
smime_too_long(const struct profile *p)
{
	return !judge_max_days(p, SMIME_MAX_DAYS);
}

static bool
smime_subject_is_wrong(const struct profile *p)
{
	static const int mailbox[] = { NID_commonName, NID_serialNumber };
	const bool person =
	    judge_requires(p, NID_surname) || judge_requires(p, NID_givenName);
	const bool organization = judge_requires(p, NID_organizationName) &&
	    judge_requires(p, NID_organizationIdentifier);

	if (is_smime_type(p, 1))
		return has_slot_beside(
		    p, mailbox, sizeof mailbox / sizeof mailbox[0]);
	if (is_smime_type(p, 2))
		return !organization || judge_has_slot(p, NID_surname) ||
		    judge_has_slot(p, NID_givenName);
	if (is_smime_type(p, 3))
		return !organization || !person;
	return is_smime_type(p, 4) &&
	    (!person || judge_has_slot(p, NID_organizationName));
}

/* ---- code signing ----------------------------------------------------- */

static bool
is_time_stamping(const struct profile *p)
{
	return has(p, NID_time_stamp);
}

static bool
eku_not_for_code(const struct profile *p)
{
	return has(p, NID_code_sign) == is_time_stamping(p) ||
	    has(p, NID_server_auth) || has(p, NID_anyExtendedKeyUsage) ||
	    (is_time_stamping(p) && p->purposes.count != 1);
}

static bool
code_usage_is_wrong(const struct profile *p)
{
	return p->has[EXT_KEY_USAGE] &&
	    (!all_use(p, KEY_RSA, KEY_USAGE_DIGITAL_SIGNATURE) ||
		!all_use(p, KEY_EC, KEY_USAGE_DIGITAL_SIGNATURE) ||
		signs_certificates(p));
}

static bool
code_too_long(const struct profile *p)
{
	return !judge_max_days(
	    p, is_time_stamping(p) ? TIME_STAMPING_MAX_DAYS : CODE_MAX_DAYS);
}

static bool
code_subject_is_wrong(const struct profile *p)
{
	return !judge_requires(p, NID_countryName) ||
	    !judge_requires(p, NID_organizationName) || place_is_optional(p) ||
	    has_unit(p);
}

static bool
rsa_too_short_for_code(const struct profile *p)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i]->family == KEY_RSA &&
		    p->keys[i]->bits < CODE_MIN_BITS)
			return true;
	return false;
}

enum {
	END_ENTITY = FOR_LEAF | FOR_SMIME | FOR_CS,
};

static const struct value_rule rows[] = {
	{ "OCR-BC", REACH_ALWAYS, 0, BC ".ca", "a responder may not be a CA",
	    is_a_ca, false },
	{ "OCR-KU", REACH_ALWAYS, 0, KU,
	    "a responder's key usage is digital-signature alone",
	    key_usage_not_for_responder, false },
	{ "OCR-EKU", REACH_ALWAYS, 0, EKU,
	    "a responder's purpose is ocsp-signing alone",
	    not_only_ocsp_signing, false },
	{ "OCR-NO-AIA", REACH_PRIVATE, 0, AIA,
	    "a responder's certificate may not point to ca-issuers",
	    has_ca_issuers, true },
	{ "OCR-LIFE-SHORT", REACH_ADVICE, 0, "validity.max",
	    "a responder that cannot be revoked should be valid for 13 months "
	    "at most",
	    responder_too_long, false },

	{ "BC-EE-BYTES", REACH_ALWAYS, END_ENTITY, BC ".ca",
	    "an end entity may not be a CA", is_a_ca, false },
	{ "KU-CERTSIGN-CA", REACH_ALWAYS, END_ENTITY, KU,
	    "key-cert-sign and crl-sign are for CAs", signs_certificates,
	    false },
	{ "KU-EC-NOENC", REACH_ALWAYS, END_ENTITY, KU,
	    "an EC key cannot encipher: list such usages under rsa-also",
	    ec_enciphers, false },
	{ "KU-EKU-CONSISTENT", REACH_ALWAYS, END_ENTITY, KU,
	    "no purpose of extended-key-usage can be served with these usages",
	    key_usage_is_useless, false },
	{ "EKU-EE-PRESENT", REACH_ALWAYS, END_ENTITY, EKU,
	    "an end entity may not have 'any' or ocsp-signing",
	    eku_not_for_end_entity, false },
	{ "CSR-IGNORE", REACH_PUBLIC, END_ENTITY | FOR_OCSPCERT | FOR_CA,
	    "subject", "names come from the plan, and not from the request",
	    from_request, false },
	{ "SAN-CRIT", REACH_ALWAYS, END_ENTITY, SAN,
	    "without a required attribute or alternative name a certificate "
	    "could name nobody",
	    may_be_nameless, true },

	{ "LEAF-EKU", REACH_OWN, END_ENTITY, EKU,
	    "a certificate under this ruleset must have server-auth, and not "
	    "code-signing, email-protection, time-stamping or what signed "
	    "precertificates",
	    eku_not_for_server, false },
	{ "LEAF-LIFE", REACH_OWN, 0, "validity.max",
	    "a TLS server's certificate may be valid for 200 days at most",
	    leaf_too_long, false },
	{ "LEAF-LIFE-MARGIN", REACH_OWN, 0, "validity.max",
	    "a day less than the limit of 200 should be left",
	    leaf_without_margin, false },
	{ "LEAF-KU-RSA", REACH_OWN, 0, KU,
	    "an RSA key is for digital-signature, key-encipherment and "
	    "data-encipherment only",
	    leaf_rsa_usage_is_wrong, false },
	{ "LEAF-KU-EC", REACH_OWN, 0, KU,
	    "an EC key is for digital-signature, and at most key-agreement "
	    "beside it",
	    leaf_ec_usage_is_wrong, false },
	{ "LEAF-CP", REACH_OWN, 0, CP,
	    "there must be exactly one of the CA/Browser Forum's policies, and "
	    "not any-policy",
	    policies_not_for_leaf, false },
	{ "LEAF-CRLDP", REACH_ADVICE, 0, CDP,
	    "there is no way to the status of a certificate that lives longer "
	    "than 7 days",
	    no_way_to_revocation, false },
	{ "LEAF-AIA", REACH_OWN, 0, AIA, "it should point to ca-issuers",
	    has_no_ca_issuers, false },
	{ "LEAF-NO-OU", REACH_OWN, 0, "subject",
	    "organizational-unit is forbidden", has_unit, false },
	{ "LEAF-CN-SAN", REACH_OWN, 0, "subject", "common-name is discouraged",
	    has_common_name, false },
	{ "LEAF-DV-SUBJECT", REACH_OWN, 0, "subject",
	    "with the policy for validated domains there may be country and "
	    "common-name only",
	    dv_subject_is_wrong, false },
	{ "LEAF-OV-SUBJECT", REACH_OWN, 0, "subject",
	    "with the policy for validated organizations country, "
	    "organization, and state or locality must be required, and "
	    "surname, given-name and organizational-unit are forbidden",
	    ov_subject_is_wrong, false },
	{ "LEAF-IV-SUBJECT", REACH_OWN, 0, "subject",
	    "with the policy for validated individuals country, surname, "
	    "given-name, and state or locality must be required, and "
	    "organizational-unit is forbidden",
	    iv_subject_is_wrong, false },
	{ "LEAF-EV-SUBJECT", REACH_OWN, 0, "subject",
	    "with the policy for extended validation organization, "
	    "business-category, jurisdiction-country, serial-number, country, "
	    "and state or locality must be required; only an address, "
	    "jurisdiction and common-name may be added, and no ip names",
	    ev_subject_is_wrong, false },
	{ "SAN-TYPES", REACH_OWN, 0, SAN ".types",
	    "only dns and ip names are for servers", alt_types_not_for_server,
	    false },
	{ "SAN-PRESENT", REACH_OWN, 0, SAN ".required",
	    "an alternative name must be required", names_are_optional, false },
	{ "POL-FIRST", REACH_OWN, FOR_LEAF, CP,
	    "the CA/Browser Forum's policy should be the first",
	    reserved_is_not_first, false },
	{ "POL-QUALIFIERS", REACH_OWN, FOR_LEAF | FOR_OCSPCERT, CP ".cps",
	    "policies should have no qualifiers", has_qualifier, false },

	{ "SM-GEN", REACH_OWN, 0, CP,
	    "there must be exactly one of the CA/Browser Forum's S/MIME "
	    "policies, multipurpose or strict, and not any-policy",
	    policies_not_for_smime, false },
	{ "SM-EKU", REACH_OWN, END_ENTITY, EKU,
	    "there must be email-protection, and not server-auth, "
	    "code-signing, time-stamping or any; the strict policies have "
	    "nothing else",
	    eku_not_for_smime, false },
	{ "SM-KU", REACH_OWN, 0, KU,
	    "an RSA key is for digital-signature, key-encipherment or both, an "
	    "EC key for digital-signature, key-agreement or both; "
	    "non-repudiation goes with digital-signature only",
	    smime_usage_is_wrong, false },
	{ "SM-SAN", REACH_ADVICE, 0, SAN, "a mailbox must be required",
	    mailbox_is_optional, false },
	{ "SM-LIFE", REACH_OWN, 0, "validity.max",
	    "an S/MIME certificate may be valid for 825 days at most",
	    smime_too_long, false },
	{ "SM-SUBJECT", REACH_OWN, 0, "subject",
	    "the attributes are not those of the policy: mailbox: common-name "
	    "and serial-number only; organization: organization and "
	    "organization-identifier required; sponsor: these and a name "
	    "required; individual: a name required",
	    smime_subject_is_wrong, false },

	{ "CS-EKU", REACH_OWN, END_ENTITY, EKU,
	    "there must be code-signing, or time-stamping alone, and not "
	    "server-auth or any",
	    eku_not_for_code, false },
	{ "CS-KU", REACH_OWN, 0, KU, "the key must be for digital-signature",
	    code_usage_is_wrong, false },
	{ "CS-LIFE", REACH_OWN, 0, "validity.max",
	    "a code-signing certificate may be valid for 460 days at most, "
	    "one for time-stamping for 4106",
	    code_too_long, false },
	{ "CS-SUBJECT", REACH_OWN, 0, "subject",
	    "country, organization, and state or locality must be required; "
	    "organizational-unit is forbidden",
	    code_subject_is_wrong, false },
	{ "CS-AIA-CDP", REACH_OWN, 0, AIA, "it must point to ca-issuers",
	    has_no_ca_issuers, false },
	{ "KEY-RSA-CS4096", REACH_OWN, FOR_CS, "keys",
	    "an RSA key for code signing has 3072 bits or more",
	    rsa_too_short_for_code, false },
};

const struct value_rules judge_leaf = VALUE_RULES(rows);
