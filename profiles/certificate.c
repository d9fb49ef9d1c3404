/* What is asked for against the profile, and its encoding. */
#include "profiles/certificate.h"

#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/cross.h"
#include "profiles/csr.h"
#include "profiles/der/der.h"
#include "profiles/general-name.h"
#include "profiles/issuer.h"
#include "profiles/nesting.h"
#include "profiles/private.h"
#include "profiles/subject.h"

enum {
	EMPTY_NAME_LEN = 2, /* a SEQUENCE of nothing */
	SERIAL_MIN_LEN = 9, /* 2^64 takes nine octets */
	VERSION_3 = 2,
};

/* 9999-12-31T23:59:59Z says "no expiry": RFC 5280, section 4.1.2.5. */
static const int64_t no_expiry = 253402300799;

static const struct {
	const char *name, *id, *source;
} urls[] = {
	[URL_CRL] = { "CRL", "CDP-HTTP", "TLS BR, section 7.1.2.11.2" },
	[URL_CA_ISSUERS] = { "CA issuers", "AIA-HTTP",
	    "TLS BR, section 7.1.2.10.3" },
	[URL_OCSP] = { "OCSP", "AIA-HTTP", "TLS BR, section 7.1.2.10.3" },
};

int
serial_from_random(const unsigned char random[SERIAL_LEN],
    unsigned char ret_serial[SERIAL_LEN], size_t *ret_len)
{
	unsigned char serial[SERIAL_LEN];
	size_t skip = 0;

	memcpy(serial, random, SERIAL_LEN);
	serial[0] &= 0x7f;
	while (skip < SERIAL_LEN && serial[skip] == 0)
		skip++;
	if (SERIAL_LEN - skip < SERIAL_MIN_LEN)
		return ca_error(CA_R_INTERNAL,
		    "the random number generator gave a number below 2^64");
	if ((serial[skip] & 0x80) != 0)
		skip--; /* keeps it positive; never needed at the first octet */
	memcpy(ret_serial, serial + skip, SERIAL_LEN - skip);
	*ret_len = SERIAL_LEN - skip;
	return 0;
}

static int64_t
validity_of(const struct certificate_request *request)
{
	return request->validity != 0 ? request->validity
				      : request->profile->validity_default;
}

static int64_t
not_after_of(const struct certificate_request *request)
{
	return request->now + validity_of(request) - 1;
}

/* LEAF-LIFE: by the date of signing (rules.md, section 10.1). */
static int64_t
leaf_limit(int64_t now)
{
	static const struct {
		int64_t from;
		int days;
	} limits[] = {
		{ D_TLS_47, 47 },
		{ D_TLS_100, 100 },
		{ D_TLS_200, 200 },
		{ RULE_ALWAYS, 398 },
	};
	size_t i = 0;

	while (now < limits[i].from)
		i++;
	return (int64_t)limits[i].days * DAY_SECONDS;
}

static void
check_leaf_life(
    const struct certificate_request *request, struct findings *findings)
{
	const struct rule *rule = rule_by_id("LEAF-LIFE");

	if (rule != NULL && request->now >= 0 &&
	    profile_subjects(request->profile) == FOR_LEAF &&
	    request->profile->ruleset == RULESET_CABF_TLS &&
	    validity_of(request) > leaf_limit(request->now))
		findings_add(findings, FINDING_ERROR, rule->id, request->place,
		    rule->source,
		    "a TLS server's certificate may be valid for %d days at "
		    "most from this day on",
		    (int)(leaf_limit(request->now) / DAY_SECONDS));
}

static void
check_validity(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;
	int64_t validity = validity_of(request);

	if (request->now < 0 || validity <= 1)
		findings_add(findings, FINDING_ERROR, "FLD-TIME-ORDER",
		    request->place, "RFC 5280, section 4.1.2.5",
		    "the certificate would end before it begins");
	else if (validity > profile->validity_max)
		findings_add(findings, FINDING_ERROR, "PROFILE-VALIDITY",
		    request->place, "",
		    "the validity is longer than profile '%s' allows",
		    profile->id);
	else if (validity < profile->validity_min)
		findings_add(findings, FINDING_ERROR, "PROFILE-VALIDITY",
		    request->place, "",
		    "the validity is shorter than profile '%s' allows",
		    profile->id);
	else if (request->now >= no_expiry ||
	    not_after_of(request) >= no_expiry)
		findings_add(findings, FINDING_ERROR, "FLD-TIME-NO9999",
		    request->place, "RFC 5280, section 4.1.2.5",
		    "the certificate would never expire");
}

static int
check_key(const struct certificate_request *request, struct findings *findings)
{
	const struct key_type *type =
	    key_type_of_spki(request->spki, request->spki_len);

	if (spki_check(request->spki, request->spki_len, request->place,
		findings) != 0)
		return -1;
	if (type == NULL || !profile_allows_key(request->profile, type))
		findings_add(findings, FINDING_ERROR, "PROFILE-KEYS",
		    request->place, "",
		    "profile '%s' does not allow a subject key of type %s",
		    request->profile->id,
		    type != NULL ? type->name : "unknown");
	return 0;
}

static void
check_url(const struct certificate_request *request, enum profile_url url,
    struct findings *findings)
{
	const char *why, *value = request->url[url];

	if (!request->profile->url[url])
		return;
	why = value != NULL ? http_url_fault(value) : NULL;
	if (value == NULL)
		findings_add(findings, FINDING_ERROR, urls[url].id,
		    request->place, urls[url].source,
		    "profile '%s' needs the %s URL of the issuer, which is not "
		    "configured",
		    request->profile->id, urls[url].name);
	else if (why != NULL)
		findings_add(findings, FINDING_ERROR, urls[url].id,
		    request->place, urls[url].source, "the %s URL '%s' %s",
		    urls[url].name, value, why);
}

static bool
kind_fits(const struct certificate_request *request, struct findings *findings)
{
	bool root = request->profile->kind == PROFILE_ROOT;

	if (!profile_is_certificate(request->profile))
		findings_add(findings, FINDING_ERROR, "PROFILE-KIND",
		    request->place, "", "profile '%s' is for %ss",
		    request->profile->id,
		    request->profile->kind == PROFILE_CRL ? "CRL"
							  : "OCSP response");
	else if (root && request->issuer != NULL)
		findings_add(findings, FINDING_ERROR, "ROOT-SELF-SIGNED",
		    request->place, "RFC 5280, section 3.2",
		    "profile '%s' is for roots, which have no issuer",
		    request->profile->id);
	else if (!root && request->issuer == NULL)
		findings_add(findings, FINDING_ERROR, "PROFILE-KIND",
		    request->place, "", "profile '%s' needs an issuer",
		    request->profile->id);
	else
		return true;
	return false;
}

static int
check_signer(
    const struct certificate_request *request, struct findings *findings)
{
	AUTO_BYTES(subject) = NULL;
	AUTO(GENERAL_NAMES) *names = NULL;
	size_t subject_len;

	if (request->issuer == NULL) {
		(void)issuer_algorithm(request->profile, request->spki,
		    request->spki_len, request->signature, request->place,
		    findings);
		return 0;
	}
	/* A subject with findings may have no encoding. */
	if (findings->errors > 0)
		return nesting_check(
		    request, not_after_of(request), NULL, 0, NULL, findings);
	if (subject_encode(request, &subject, &subject_len) != 0 ||
	    alt_names_encode(request, &names) != 0)
		return -1;
	return nesting_check(request, not_after_of(request), subject,
	    subject_len, names, findings);
}

int
certificate_check(
    const struct certificate_request *request, struct findings *findings)
{
	struct findings own = { 0 };
	int result = 0;

	if (!kind_fits(request, &own)) {
		findings_merge(findings, &own);
		findings_clear(&own);
		return 0;
	}
	check_validity(request, &own);
	check_leaf_life(request, &own);
	for (size_t i = 0; i <= URL_OCSP; i++)
		check_url(request, (enum profile_url)i, &own);
	alt_names_check(request, &own);
	if (subject_check(request, &own) != 0 ||
	    check_key(request, &own) != 0 || cross_check(request, &own) != 0 ||
	    check_signer(request, &own) != 0)
		result = -1;
	findings_merge(findings, &own);
	findings_clear(&own);
	return result;
}

int
key_identifier(
    const unsigned char *spki, size_t len, unsigned char ret_id[KEY_ID_LEN])
{
	struct der alg, key;
	unsigned digest_len;

	if (!der_spki(spki, len, &alg, &key))
		return ca_error(CA_R_INTERNAL, "the public key is malformed");
	if (EVP_Digest(key.p, key.len, ret_id, &digest_len, EVP_sha1(), NULL) !=
	    1)
		return ca_error(CA_R_INTERNAL, "cannot compute SHA-1");
	return 0;
}

static int
put_head(struct tbs_certificate *tbs, const struct certificate_request *request,
    const unsigned char *random)
{
	unsigned char serial[SERIAL_LEN];
	size_t serial_len;

	if (serial_from_random(random, serial, &serial_len) != 0 ||
	    asn1_set_number(tbs->version, VERSION_3) != 0 ||
	    asn1_set_octets(tbs->serial, serial, serial_len) != 0 ||
	    asn1_set_time(&tbs->validity->not_before, request->now) != 0 ||
	    asn1_set_time(&tbs->validity->not_after, not_after_of(request)) !=
		0)
		return -1;
	return asn1_set_der(tbs->spki, request->spki, request->spki_len);
}

/* CROSS-SKI-BYTES: children of the existing CA carry them already. */
static int
own_identifier(const struct certificate_request *request,
    unsigned char ret_ski[CROSS_SKI_MAX], size_t *ret_len)
{
	AUTO(ASN1_OCTET_STRING) *ski = NULL;

	if (request->existing != NULL &&
	    cross_key_identifier(request->existing, &ski) != 0)
		return -1;
	if (ski != NULL && ASN1_STRING_length(ski) > 0 &&
	    ASN1_STRING_length(ski) <= CROSS_SKI_MAX) {
		*ret_len = (size_t)ASN1_STRING_length(ski);
		memcpy(ret_ski, ASN1_STRING_get0_data(ski), *ret_len);
		return 0;
	}
	*ret_len = KEY_ID_LEN;
	return key_identifier(request->spki, request->spki_len, ret_ski);
}

static int
put_extensions(struct tbs_certificate *tbs,
    const struct certificate_request *request, const struct issuer *issuer,
    bool subject_empty)
{
	const struct key_type *type =
	    key_type_of_spki(request->spki, request->spki_len);
	unsigned char ski[CROSS_SKI_MAX];
	AUTO(GENERAL_NAMES) *names = NULL;
	struct extension_values values = {
		.family = type->family,
		.subject_empty = subject_empty,
		.ski = ski,
		.aki = ski,
		.url = request->url,
	};

	if (own_identifier(request, ski, &values.ski_len) != 0 ||
	    alt_names_encode(request, &names) != 0)
		return -1;
	values.alt_names = names;
	values.aki_len = values.ski_len;
	if (issuer != NULL) {
		values.aki = ASN1_STRING_get0_data(issuer->ski);
		values.aki_len = (size_t)ASN1_STRING_length(issuer->ski);
	}
	return extensions_build(request->profile, &values, &tbs->extensions);
}

/* Issuer's fields where there is one; a root's own otherwise. */
static int
encode_certificate(const struct certificate_request *request,
    const unsigned char *random, const struct issuer *issuer,
    const struct sigalg *alg, struct tbs *ret_tbs)
{
	AUTO_PTR(tbs_certificate) *tbs = tbs_certificate_new();
	AUTO_BYTES(subject) = NULL;
	const unsigned char *name;
	size_t subject_len, name_len;

	if (tbs == NULL || subject_encode(request, &subject, &subject_len) != 0)
		return -1;
	name = issuer != NULL ? issuer->facts.subject_der : subject;
	name_len = issuer != NULL ? issuer->facts.subject_len : subject_len;
	if (put_head(tbs, request, random) != 0 ||
	    asn1_set_der(tbs->signature, alg->der, alg->der_len) != 0 ||
	    asn1_set_der(tbs->issuer, name, name_len) != 0 ||
	    asn1_set_der(tbs->subject, subject, subject_len) != 0 ||
	    put_extensions(
		tbs, request, issuer, subject_len <= EMPTY_NAME_LEN) != 0)
		return -1;
	return tbs_finish(OBJECT_CERTIFICATE, alg, tbs,
	    ASN1_ITEM_rptr(TBS_CERTIFICATE), ret_tbs);
}

int
certificate_build(const struct certificate_request *request,
    const unsigned char random[SERIAL_LEN], struct tbs *ret_tbs)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };
	bool root = request->issuer == NULL;
	const struct sigalg *alg;

	if (certificate_check(request, &findings) != 0)
		return -1;
	if (findings.errors > 0)
		return findings_refuse(&findings, "the certificate");
	if (!root && issuer_read(request->issuer, &issuer) != 0)
		return -1;
	alg = issuer_algorithm(request->profile,
	    root ? request->spki : issuer.facts.spki,
	    root ? request->spki_len : issuer.facts.spki_len,
	    request->signature, request->place, &findings);
	if (alg == NULL)
		return findings_refuse(&findings, "the certificate");
	return encode_certificate(
	    request, random, root ? NULL : &issuer, alg, ret_tbs);
}
