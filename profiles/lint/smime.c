/* SM-: S/MIME subscriber certificates, SBR 7.1.2.3. */
#include <string.h>

#include "profiles/lint/dns.h"
#include "profiles/lint/smime-private.h"
#include "profiles/lint/subscriber.h"
#include "profiles/lint/uri.h"

/* ---- what the reserved policy says (SBR 7.1.6.1) ----------------------- */

#define ARC "2.23.140.1.5."
#define LEGACY_END ((int64_t)1752537600) /* 2025-07-15 */

/* 2.23.140.1.5.TYPE.GENERATION; false: none of these. */
static bool
kind_of_policy(const ASN1_OBJECT *policy, struct kind *ret_kind)
{
	char buf[OID_TEXT_SIZE];
	const char *tail = oid_text(policy, buf) + strlen(ARC);

	if (strncmp(buf, ARC, strlen(ARC)) != 0 || strlen(tail) != 3 ||
	    tail[0] < '1' || tail[0] > '4' || tail[1] != '.' || tail[2] < '1' ||
	    tail[2] > '3')
		return false;
	ret_kind->type = (enum type)(tail[0] - '0');
	ret_kind->generation = (enum generation)(tail[2] - '0');
	return true;
}

/* The first reserved policy's, and how many there are. */
static struct kind
kind_of(const struct lint_run *run, int *ret_count)
{
	const CERTIFICATEPOLICIES *policies = run->values->policies;
	struct kind first = { TYPE_NONE, GENERATION_NONE }, kind;

	*ret_count = 0;
	for (int i = 0; policies != NULL && i < sk_POLICYINFO_num(policies);
	     i++)
		if (kind_of_policy(
			sk_POLICYINFO_value(policies, i)->policyid, &kind) &&
		    (*ret_count)++ == 0)
			first = kind;
	return first;
}

struct kind
smime_kind(const struct lint_run *run)
{
	int count;

	return kind_of(run, &count);
}

static void
check_generation(struct lint_run *run)
{
	int count;
	struct kind kind = kind_of(run, &count);
	struct der where = where_is(run, NID_certificate_policies);

	if (count != 1)
		lint_found(run, where,
		    "certificatePolicies has %d of the policies reserved for "
		    "S/MIME; it must have exactly one",
		    count);
	if (kind.generation == LEGACY && run->date >= LEGACY_END)
		lint_found(run, where,
		    "the policy is one of the legacy generation, which ended "
		    "on 2025-07-15; use multipurpose or strict");
}

static void
check_life(struct lint_run *run)
{
	int64_t max = smime_kind(run).generation == LEGACY ? 1185 : 825;
	int64_t days = validity_days(run->certificate);

	if (days > max)
		lint_found(run, run->certificate->not_after.element,
		    "the certificate is valid for %lld days (both ends "
		    "counted); the most is %lld",
		    (long long)days, (long long)max);
}

/* ---- purposes and usage ------------------------------------------------ */

static bool
is_never_allowed(int nid)
{
	return nid == NID_server_auth || nid == NID_code_sign ||
	    nid == NID_time_stamp || nid == NID_anyExtendedKeyUsage;
}

static void
check_purpose(const struct lint_run *run, const ASN1_OBJECT *purpose)
{
	struct der where = where_is(run, NID_ext_key_usage);
	char buf[OID_TEXT_SIZE];
	int nid = OBJ_obj2nid(purpose);

	if (nid == NID_email_protect)
		return;
	if (is_never_allowed(nid))
		lint_found(run, where,
		    "extKeyUsage has %s, which an S/MIME certificate must not "
		    "have",
		    oid_text(purpose, buf));
	else if (smime_kind(run).generation == STRICT)
		lint_found(run, where,
		    "extKeyUsage has %s; the strict generation has "
		    "emailProtection alone",
		    oid_text(purpose, buf));
	else if (run->date >= D_SMIME_EKU && nid != NID_client_auth)
		lint_found(run, where,
		    "extKeyUsage has %s; from 2027-07-01 only clientAuth may "
		    "stand beside emailProtection",
		    oid_text(purpose, buf));
}

static void
check_eku(struct lint_run *run)
{
	const EXTENDED_KEY_USAGE *purposes = run->values->purposes;

	if (!lint_has_purpose(run->values, NID_email_protect))
		lint_found(run, where_is(run, NID_ext_key_usage),
		    "extKeyUsage does not have emailProtection");
	for (int i = 0; purposes != NULL && i < sk_ASN1_OBJECT_num(purposes);
	     i++)
		check_purpose(run, sk_ASN1_OBJECT_value(purposes, i));
}

/* What each kind of key may do, and of this what gives it a use at all. */
static const struct {
	int evp_type;
	const char *name;
	unsigned signing, managing;
	unsigned beside; /* bits that need one of `managing` */
} usages[] = {
	{ EVP_PKEY_RSA, "an S/MIME certificate for RSA", USE_SIGN,
	    USE_KEY_ENCIPHER, USE_DATA_ENCIPHER },
	{ EVP_PKEY_EC, "an S/MIME certificate for an EC key", USE_SIGN,
	    USE_AGREE, USE_ENCIPHER_ONLY | USE_DECIPHER_ONLY },
	{ EVP_PKEY_ED25519, "an S/MIME certificate for Ed25519", USE_SIGN, 0,
	    0 },
	{ EVP_PKEY_ED448, "an S/MIME certificate for Ed448", USE_SIGN, 0, 0 },
};

static void
check_usage_of(const struct lint_run *run, size_t row)
{
	const unsigned usage = lint_key_usage(run->values);
	bool strict = smime_kind(run).generation == STRICT;
	unsigned allowed = usages[row].signing | usages[row].managing;

	if ((usage & usages[row].signing) != 0)
		allowed |= USE_NON_REPUDIATION;
	if ((usage & usages[row].managing) != 0)
		allowed |= usages[row].beside;
	if (strict)
		allowed &= ~(unsigned)USE_DATA_ENCIPHER;
	lint_usage_bits(run, allowed, usages[row].name);
	if ((usage & (usages[row].signing | usages[row].managing)) == 0)
		lint_found(run, where_is(run, NID_key_usage),
		    "keyUsage has no bit that %s needs: %s", usages[row].name,
		    usages[row].evp_type == EVP_PKEY_RSA
			? "digitalSignature or keyEncipherment"
			: usages[row].evp_type == EVP_PKEY_EC
			? "digitalSignature or keyAgreement"
			: "digitalSignature");
}

static void
check_usage(struct lint_run *run)
{
	const struct lint_extension *usage =
	    lint_extension(run->extensions, NID_key_usage);
	int type = lint_key_nid(run->key);

	if (usage == NULL || run->values->key_usage == NULL) {
		lint_found(run, where_is(run, NID_key_usage),
		    "there is no keyUsage that can be read");
		return;
	}
	if (!usage->critical)
		lint_discouraged(
		    run, usage->element, "keyUsage is not critical");
	for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
		if (usages[i].evp_type == type)
			check_usage_of(run, i);
}

/* ---- pointers ---------------------------------------------------------- */

static void
check_crl_points(struct lint_run *run)
{
	struct der where = where_is(run, NID_crl_distribution_points);
	bool legacy = smime_kind(run).generation == LEGACY;
	int http, count = crl_uri_count(run->values, &http);

	if (where.p == NULL)
		lint_found(run, where, "there is no cRLDistributionPoints");
	else if (http == 0)
		lint_found(run, where,
		    "cRLDistributionPoints has no http URL of a CRL");
	else if (http != count && !legacy)
		lint_found(run, where,
		    "cRLDistributionPoints has %d names that are no http URL",
		    count - http);
}

/* Each location, for the generations of today. */
static void
check_location(const struct lint_run *run, const GENERAL_NAME *location)
{
	struct der where = where_is(run, NID_info_access), text;
	const char *fault = "is no URI";
	struct uri uri;
	char buf[SHOWN_SIZE];

	if (location->type != GEN_URI) {
		lint_binding(run, where,
		    "authorityInfoAccess has a location that is no URI");
		return;
	}
	text = (struct der){ ASN1_STRING_get0_data(
				 location->d.uniformResourceIdentifier),
		(size_t)ASN1_STRING_length(
		    location->d.uniformResourceIdentifier) };
	if (!uri_parse_http(text, false, &uri, &fault))
		lint_binding(run, where,
		    "authorityInfoAccess' URI '%s' %s; it must be an http URL",
		    shown(text, buf), fault);
	else if (dns_check(uri.host, DNS_PUBLIC_HOST) != DNS_FINE)
		lint_found(run, where,
		    "the host of authorityInfoAccess' URI '%s' %s",
		    shown(text, buf),
		    dns_fault_text(dns_check(uri.host, DNS_PUBLIC_HOST)));
}

static void
check_access(struct lint_run *run)
{
	const AUTHORITY_INFO_ACCESS *access = run->values->info_access;
	bool legacy = smime_kind(run).generation == LEGACY;
	struct der where = where_is(run, NID_info_access);

	if (access == NULL) {
		lint_found(run, where,
		    "there is no authorityInfoAccess that can be read");
		return;
	}
	if (access_count(run->values, NID_ad_ca_issuers) == 0)
		lint_found(run, where,
		    "authorityInfoAccess has no caIssuers with the issuer's "
		    "certificate");
	for (int i = 0; !legacy && i < sk_ACCESS_DESCRIPTION_num(access); i++)
		check_location(
		    run, sk_ACCESS_DESCRIPTION_value(access, i)->location);
	if (!legacy)
		return;
	for (int method = NID_ad_OCSP; method <= NID_ad_ca_issuers; method++)
		if (access_count(run->values, method) > 0 &&
		    access_http_count(run->values, method) == 0)
			lint_binding(run, where,
			    "authorityInfoAccess has no http URL for %s",
			    OBJ_nid2ln(method));
}

static void
check_aki(struct lint_run *run)
{
	const struct lint_extension *extension =
	    lint_extension(run->extensions, NID_authority_key_identifier);
	const AUTHORITY_KEYID *aki = run->values->aki;

	if (extension == NULL || aki == NULL) {
		lint_found(run, where_is(run, NID_authority_key_identifier),
		    "there is no authorityKeyIdentifier that can be read");
		return;
	}
	if (extension->critical)
		lint_found(run, extension->element,
		    "authorityKeyIdentifier is critical");
	if (aki->keyid == NULL)
		lint_found(run, extension->element,
		    "authorityKeyIdentifier has no keyIdentifier");
	if (aki->issuer != NULL || aki->serial != NULL)
		lint_found(run, extension->element,
		    "authorityKeyIdentifier has authorityCertIssuer or "
		    "authorityCertSerialNumber");
}

/* ---- key, other extensions --------------------------------------------- */

static void
check_spki(struct lint_run *run)
{
	static const struct {
		unsigned char len;
		unsigned char der[24];
	} algorithms[] = {
		{ 15,
		    "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
		    "\x05" }, /* RSA; the literal's NUL ends it */
		{ 21,
		    "\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08"
		    "\x2a\x86\x48\xce\x3d\x03\x01\x07" }, /* P-256 */
		{ 18,
		    "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05"
		    "\x2b\x81\x04\x00\x22" }, /* P-384 */
		{ 18,
		    "\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05"
		    "\x2b\x81\x04\x00\x23" },          /* P-521 */
		{ 7, "\x30\x05\x06\x03\x2b\x65\x70" }, /* Ed25519 */
		{ 7, "\x30\x05\x06\x03\x2b\x65\x71" }, /* Ed448 */
	};

	for (size_t i = 0; i < sizeof algorithms / sizeof *algorithms; i++)
		if (der_equal(
			run->key->alg, algorithms[i].der, algorithms[i].len))
			return;
	lint_found(run, run->key->alg,
	    "the key's AlgorithmIdentifier is not, octet for octet, that of "
	    "RSA, P-256, P-384, P-521, Ed25519 or Ed448");
}

/* Where an extension may stand, as sets of types and generations. */
#define SET(x) (1u << (x))
#define ANY_TYPE 0xffu
#define ANY_GENERATION 0xffu

static const struct {
	const char *oid, *name;
	unsigned types, generations;
} other_rows[] = {
	{ "2.5.29.9", "subjectDirectoryAttributes", ANY_TYPE,
	    SET(GENERATION_NONE) | SET(LEGACY) },
	{ "1.2.840.113549.1.9.15", "smimeCapabilities", ANY_TYPE,
	    ANY_GENERATION },
	{ "1.3.6.1.5.5.7.1.3", "qcStatements", ANY_TYPE, ANY_GENERATION },
	{ "1.3.6.1.4.1.52266.1", "the LEI extension",
	    SET(TYPE_NONE) | SET(ORGANIZATION) | SET(SPONSOR), ANY_GENERATION },
	{ "1.3.6.1.4.1.52266.2", "the LEI role extension",
	    SET(TYPE_NONE) | SET(SPONSOR), ANY_GENERATION },
	{ "1.2.840.113583.1.1.9.1", "Adobe's time-stamp extension", ANY_TYPE,
	    SET(GENERATION_NONE) | SET(LEGACY) | SET(MULTIPURPOSE) },
	{ "1.2.840.113583.1.1.9.2", "Adobe's ArchiveRevInfo extension",
	    ANY_TYPE, SET(GENERATION_NONE) | SET(LEGACY) | SET(MULTIPURPOSE) },
};

static void
check_other_extensions(struct lint_run *run)
{
	struct kind kind = smime_kind(run);

	for (size_t i = 0; i < sizeof other_rows / sizeof *other_rows; i++) {
		const struct lint_extension *extension =
		    lint_extension_by_oid(run->extensions, other_rows[i].oid);

		if (extension == NULL)
			continue;
		if (extension->critical)
			lint_found(run, extension->element, "%s is critical",
			    other_rows[i].name);
		if ((other_rows[i].types & SET(kind.type)) == 0 ||
		    (other_rows[i].generations & SET(kind.generation)) == 0)
			lint_found(run, extension->element,
			    "%s must not stand in a certificate of this type "
			    "and generation",
			    other_rows[i].name);
	}
}

static const struct lint rows[] = {
	{ .id = "SM-GEN", .check = check_generation },
	{ .id = "SM-LIFE", .check = check_life },
	{ .id = "SM-EKU", .check = check_eku },
	{ .id = "SM-KU", .check = check_usage },
	{ .id = "SM-SAN", .check = smime_check_san },
	{ .id = "SM-CRLDP", .check = check_crl_points },
	{ .id = "SM-AIA", .check = check_access },
	{ .id = "SM-AKI", .check = check_aki },
	{ .id = "SM-SUBJECT", .check = smime_check_subject },
	{ .id = "SM-SPKI", .check = check_spki },
	{ .id = "SM-OTHEREXT", .check = check_other_extensions },
};

const struct lint_table lint_smime = LINT_TABLE(rows);
