/* What is asked for against the profile, and its encoding. */
#include "profiles/certificate.h"

#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/csr.h"
#include "profiles/der.h"
#include "profiles/issuer.h"
#include "profiles/nesting.h"
#include "profiles/private.h"

enum {
	SKI_LEN = 20,
	SERIAL_MIN_LEN = 9, /* 2^64 takes nine octets */
	URL_MAX = 2048,
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

/* The profile's slots with the values that the request gives for them. */
struct subject {
	struct name_part parts[PROFILE_LIST_MAX];
	size_t count;
};

/* The request's `nth` value of the attribute, or NULL. */
static const char *
nth_value(const struct certificate_request *request, const char *attribute,
    size_t nth)
{
	for (size_t i = 0; i < request->subject_count; i++)
		if (strcmp(request->subject[i].attribute, attribute) == 0 &&
		    nth-- == 0)
			return request->subject[i].value;
	return NULL;
}

/* How many of the profile's first `count` slots are for this attribute. */
static size_t
slots_for(const struct profile *profile, size_t count, const char *attribute)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n +=
		    strcmp(profile->subject[i].attribute->name, attribute) == 0;
	return n;
}

/* Required ones that are missing are told by check_subject(). */
static void
fill_subject(const struct certificate_request *request, struct subject *subject)
{
	const struct profile *profile = request->profile;

	subject->count = 0;
	for (size_t i = 0; i < profile->subject_count; i++) {
		const struct subject_slot *slot = &profile->subject[i];
		const char *name = slot->attribute->name;
		const char *value =
		    nth_value(request, name, slots_for(profile, i, name));

		if (value != NULL)
			subject->parts[subject->count++] =
			    (struct name_part){ slot->attribute, slot->encoding,
				    value };
	}
}

static void
check_required(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;

	for (size_t i = 0; i < profile->subject_count; i++) {
		const char *name = profile->subject[i].attribute->name;

		if (profile->subject[i].required &&
		    nth_value(request, name, slots_for(profile, i, name)) ==
			NULL)
			findings_add(findings, FINDING_ERROR, "PROFILE-SUBJECT",
			    request->place, "",
			    "profile '%s' needs the attribute %s in the "
			    "subject",
			    profile->id, name);
	}
}

static void
check_known(
    const struct certificate_request *request, struct findings *findings)
{
	const struct profile *profile = request->profile;

	for (size_t i = 0; i < request->subject_count; i++) {
		const char *name = request->subject[i].attribute;
		size_t slots = slots_for(profile, profile->subject_count, name);
		size_t given = 0;

		for (size_t j = 0; j <= i; j++)
			given +=
			    strcmp(request->subject[j].attribute, name) == 0;
		if (slots == 0)
			findings_add(findings, FINDING_ERROR, "PROFILE-SUBJECT",
			    request->place, "",
			    "profile '%s' has no attribute '%s' in the subject",
			    profile->id, name);
		else if (given > slots)
			findings_add(findings, FINDING_ERROR, "NAM-NO-DUP",
			    request->place, "TLS BR, section 7.1.4.1",
			    "attribute '%s' is given %zu times, and may be "
			    "given %zu",
			    name, given, slots);
	}
}

static int
check_subject(
    const struct certificate_request *request, struct findings *findings)
{
	struct subject subject;

	check_required(request, findings);
	check_known(request, findings);
	fill_subject(request, &subject);
	if (subject.count == 0)
		findings_add(findings, FINDING_ERROR, "NAM-CA-NONEMPTY",
		    request->place, "RFC 5280, section 4.1.2.6",
		    "the subject is empty");
	for (size_t i = 0; i < subject.count; i++)
		if (name_check(&subject.parts[i], request->place, findings) !=
		    0)
			return -1;
	return 0;
}

static int
encode_subject(const struct certificate_request *request,
    unsigned char **ret_der, size_t *ret_len)
{
	struct subject subject;

	fill_subject(request, &subject);
	return name_encode(subject.parts, subject.count, ret_der, ret_len);
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

/* What is wrong with it, or NULL. */
static const char *
bad_url(const char *url)
{
	static const char scheme[] = "http://";
	const char *host = url + strlen(scheme);

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return "does not begin with http://";
	if (strlen(url) > URL_MAX)
		return "is longer than 2048 characters";
	for (const char *p = url; *p != '\0'; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"<>\\^`{|}", *p) != NULL)
			return "has a character that a URI may not have";
	if (strcspn(host, "/?#:") == 0)
		return "has no host name";
	if (strcspn(host, "@") < strcspn(host, "/") || strchr(url, '#') != NULL)
		return "has a user name or a fragment";
	return NULL;
}

static void
check_url(const struct certificate_request *request, enum profile_url url,
    struct findings *findings)
{
	const char *why, *value = request->url[url];

	if (!request->profile->url[url])
		return;
	why = value != NULL ? bad_url(value) : NULL;
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

	if (request->profile->kind == PROFILE_CRL)
		findings_add(findings, FINDING_ERROR, "PROFILE-KIND",
		    request->place, "", "profile '%s' is for CRLs",
		    request->profile->id);
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
		    request, not_after_of(request), NULL, 0, findings);
	if (encode_subject(request, &subject, &subject_len) != 0)
		return -1;
	return nesting_check(
	    request, not_after_of(request), subject, subject_len, findings);
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
	for (size_t i = 0; i <= URL_OCSP; i++)
		check_url(request, (enum profile_url)i, &own);
	if (check_subject(request, &own) != 0 ||
	    check_key(request, &own) != 0 || check_signer(request, &own) != 0)
		result = -1;
	findings_merge(findings, &own);
	findings_clear(&own);
	return result;
}

/* SKI-METHOD: SHA-1 of the key's octets; an identifier, no signature. */
static int
key_identifier(
    const unsigned char *spki, size_t len, unsigned char ret_ski[SKI_LEN])
{
	struct der alg, key;
	unsigned digest_len;

	if (!der_spki(spki, len, &alg, &key))
		return ca_error(CA_R_INTERNAL, "the public key is malformed");
	if (EVP_Digest(
		key.p, key.len, ret_ski, &digest_len, EVP_sha1(), NULL) != 1)
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

static int
put_extensions(struct tbs_certificate *tbs,
    const struct certificate_request *request, const struct issuer *issuer)
{
	unsigned char ski[SKI_LEN];
	struct extension_values values = {
		.ski = ski,
		.ski_len = SKI_LEN,
		.aki = ski,
		.aki_len = SKI_LEN,
		.url = request->url,
	};

	if (key_identifier(request->spki, request->spki_len, ski) != 0)
		return -1;
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

	if (tbs == NULL || encode_subject(request, &subject, &subject_len) != 0)
		return -1;
	name = issuer != NULL ? issuer->facts.subject_der : subject;
	name_len = issuer != NULL ? issuer->facts.subject_len : subject_len;
	if (put_head(tbs, request, random) != 0 ||
	    asn1_set_der(tbs->signature, alg->der, alg->der_len) != 0 ||
	    asn1_set_der(tbs->issuer, name, name_len) != 0 ||
	    asn1_set_der(tbs->subject, subject, subject_len) != 0 ||
	    put_extensions(tbs, request, issuer) != 0)
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
