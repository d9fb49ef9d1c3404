/* Delegated OCSP responders: rules.md 6. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/date.h"
#include "profiles/lint/ca-private.h"

enum {
	LIFE_MAX_DAYS = 90,
	LIFE_OFFLINE_DAYS = 397, /* 13 months */
};

/* ---- issuer ------------------------------------------------------------ */

/* The CA that it answers for is the one that is given. */
static void
issuer(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;

	if (!ca_same_octets(c->issuer.element, run->issuer->subject.element))
		lint_found(run, c->issuer.element,
		    "the issuer's name is not, octet for octet, that of the CA "
		    "that it answers for");
	if (!run->context->constant && !ca_is_signed_by(c, &run->issuer->key))
		lint_found(run, c->signature,
		    "the signature does not verify with the key of the CA that "
		    "it answers for");
	if (!lint_is_ca(&run->issuer->values))
		lint_found(run, c->issuer.element, "the issuer is not a CA");
}

static void
one_key(struct lint_run *run)
{
	if (ca_same_octets(run->key->element, run->issuer->key.element))
		lint_found(run, run->key->element,
		    "the key is the issuer's own, and a responder needs a "
		    "fresh one");
}

static void
subject(struct lint_run *run)
{
	ca_want_attributes(run,
	    (const int[]){
		NID_countryName, NID_organizationName, NID_commonName, 0 });
}

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

/* Only of a root, which is offline, the longer life is known to be meant. */
static void
life_short(struct lint_run *run)
{
	const bool known =
	    run->issuer != NULL && (lint_classify(run->issuer) & FOR_ROOT) == 0;
	const int max = known ? LIFE_MAX_DAYS : LIFE_OFFLINE_DAYS;
	int64_t life;

	if (ca_validity(run->certificate, &life) &&
	    life > (int64_t)max * DAY_SECONDS)
		lint_found(run, run->certificate->not_after.element,
		    "it is valid for %lld days, and should be for %d at most: "
		    "ocsp-nocheck makes it irrevocable",
		    (long long)((life + DAY_SECONDS - 1) / DAY_SECONDS), max);
}

/* ---- what it must have ------------------------------------------------- */

static void
purposes(struct lint_run *run)
{
	if (!ca_want_value(
		run, NID_ext_key_usage, CA_NOT_CRITICAL, run->values->purposes))
		return;
	ca_want_purpose(run, NID_OCSP_sign);
	ca_allow_purposes(run, (const int[]){ NID_OCSP_sign, 0 });
}

/* RFC 6960, section 4.2.2.2.1, leaves it to the CA; BR does not. */
static void
nocheck(struct lint_run *run)
{
	static const unsigned char null[] = { 0x05, 0x00 };
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_id_pkix_OCSP_noCheck);

	if (row == NULL && !lint_held_to(run, RULESET_CABF_TLS))
		return;
	row = ca_want(run, NID_id_pkix_OCSP_noCheck, CA_NOT_CRITICAL);
	if (row != NULL && !der_equal(row->value, null, sizeof null))
		lint_found(run, row->element,
		    "ocsp-nocheck is not the two octets 0500");
}

static void
key_usage(struct lint_run *run)
{
	static const unsigned char wanted[] = { 0x03, 0x02, 0x07, 0x80 };
	const struct lint_extension *row =
	    ca_want(run, NID_key_usage, CA_CRITICAL);

	if (row != NULL && !der_equal(row->value, wanted, sizeof wanted))
		lint_found(run, row->element,
		    "keyUsage is not digitalSignature alone (03020780)");
}

static void
authority_key_id(struct lint_run *run)
{
	if (ca_want_value(
		run, NID_authority_key_identifier, CA_EITHER, run->values->aki))
		ca_check_aki(run,
		    run->issuer != NULL ? run->issuer->values.ski : NULL,
		    "the issuer's", true);
}

/* RFC 6960, section 4.2.1: ResponderID byKey is the SHA-1 of the key's bits. */
static void
subject_key_id(struct lint_run *run)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	const ASN1_OCTET_STRING *ski = run->values->ski;

	if (!ca_want_value(run, NID_subject_key_identifier, CA_EITHER, ski))
		return;
	if (EVP_Digest(run->key->bits.p, run->key->bits.len, digest, NULL,
		EVP_sha1(), NULL) != 1) {
		lint_unsure(run, "SHA-1 is not to be had");
		return;
	}
	if ((size_t)ski->length != sizeof digest ||
	    memcmp(ski->data, digest, sizeof digest) != 0)
		lint_found(run, ca_where(run, NID_subject_key_identifier),
		    "subjectKeyIdentifier is not the SHA-1 of the key, so that "
		    "ResponderID byKey does not equal it");
}

static void
basic_constraints(struct lint_run *run)
{
	static const unsigned char empty[] = { 0x30, 0x00 };
	const struct lint_extension *row =
	    lint_extension(run->extensions, NID_basic_constraints);

	if (row == NULL)
		return;
	if (!row->critical)
		lint_found(run, row->element,
		    "basicConstraints is not critical, and must be where it is "
		    "there");
	if (lint_is_ca(run->values))
		lint_found(run, row->element, "a responder must not be a CA");
	else if (!der_equal(row->value, empty, sizeof empty))
		lint_found(run, row->element,
		    "basicConstraints is not the empty SEQUENCE 3000");
}

/* ---- what it must not have --------------------------------------------- */

static void
no_alt_name(struct lint_run *run)
{
	ca_unwanted(run, NID_subject_alt_name);
}

static void
no_constraints(struct lint_run *run)
{
	ca_unwanted(run, NID_name_constraints);
}

static void
no_crl_points(struct lint_run *run)
{
	ca_unwanted(run, NID_crl_distribution_points);
}

static void
no_policies(struct lint_run *run)
{
	ca_unwanted(run, NID_certificate_policies);
}

static void
no_info_access(struct lint_run *run)
{
	const AUTHORITY_INFO_ACCESS *value = run->values->info_access;
	const struct der where = ca_where(run, NID_info_access);

	ca_unwanted(run, NID_info_access);
	if (where.len != 0 && !ca_has_http_access(run->values, NID_ad_OCSP))
		lint_found(run, where,
		    "authorityInfoAccess has no http URL for OCSP, the only "
		    "one that it could have");
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(value); i++)
		if (OBJ_obj2nid(
			sk_ACCESS_DESCRIPTION_value(value, i)->method) !=
		    NID_ad_OCSP) {
			lint_found(run, where,
			    "authorityInfoAccess has a method other than OCSP");
			break;
		}
}

/* Those that it has, those with a lint of their own, and the SCT list. */
static void
no_others(struct lint_run *run)
{
	static const int known[] = { NID_basic_constraints, NID_key_usage,
		NID_ext_key_usage, NID_subject_key_identifier,
		NID_authority_key_identifier, NID_id_pkix_OCSP_noCheck,
		NID_subject_alt_name, NID_name_constraints,
		NID_crl_distribution_points, NID_certificate_policies,
		NID_info_access, NID_ct_precert_scts, 0 };

	ca_no_others(run, known);
}

static const struct lint rows[] = {
	{ .id = "OCR-ISSUER", .check = issuer, .needs = NEEDS_ISSUER },
	{ .id = "OCR-NOTBEFORE", .check = not_before, .needs = NEEDS_TIME },
	{ .id = "OCR-NOTAFTER", .check = not_after, .needs = NEEDS_TIME },
	{ .id = "OCR-LIFE-SHORT", .check = life_short },
	{ .id = "OCR-EKU", .check = purposes },
	{ .id = "OCR-NOCHECK", .check = nocheck },
	{ .id = "OCR-KU", .check = key_usage },
	{ .id = "OCR-AKI", .check = authority_key_id },
	{ .id = "OCR-SKI", .check = subject_key_id },
	{ .id = "OCR-BC", .check = basic_constraints },
	{ .id = "OCR-NO-SAN", .check = no_alt_name },
	{ .id = "OCR-NO-NC", .check = no_constraints },
	{ .id = "OCR-NO-CRLDP", .check = no_crl_points },
	{ .id = "OCR-NO-CP", .check = no_policies },
	{ .id = "OCR-NO-AIA", .check = no_info_access },
	{ .id = "OCR-SUBJECT", .check = subject },
	{ .id = "OCR-NO-OTHER", .check = no_others },
	{ .id = "OCR-ONE-KEY-ONE-CERT",
	    .check = one_key,
	    .needs = NEEDS_ISSUER },
};

const struct lint_table lint_responder = LINT_TABLE(rows);
