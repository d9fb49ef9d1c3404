/* Certificates that exist, held against their profile. */
#include "profiles/existing.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/certificate.h"
#include "profiles/csr.h"
#include "profiles/existing-private.h"
#include "profiles/general-name.h"
#include "profiles/issuer.h"

CLEANUP_DEFINE(CRL_DIST_POINTS, CRL_DIST_POINTS_free);
CLEANUP_DEFINE(AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free);

enum {
	SERIAL_MIN_LEN = 9, /* as certificate.c draws them */
};

/* ---- what the certificate was made of --------------------------------- */

/* Everything that a request for it would say. */
struct original {
	struct certificate_facts facts;
	char *values[PROFILE_LIST_MAX];
	struct name_value subject[PROFILE_LIST_MAX];
	size_t subject_count;
	/* Those of slots that the request filled, and alternative names. */
	struct name_value asked[PROFILE_LIST_MAX];
	size_t asked_count;
	struct alt_name *names;
	char **name_texts;
	size_t name_count;
	char *url[PROFILE_URLS];
	unsigned char random[SERIAL_LEN];
	const char *signature;
};

static void
original_clear(struct original *original)
{
	certificate_facts_clear(&original->facts);
	for (size_t i = 0; i < PROFILE_LIST_MAX; i++)
		free(original->values[i]);
	for (size_t i = 0; i < original->name_count; i++)
		free(original->name_texts[i]);
	free(original->name_texts);
	free(original->names);
	for (size_t i = 0; i < PROFILE_URLS; i++)
		free(original->url[i]);
	*original = (struct original){ 0 };
}
CLEANUP_DEFINE_STRUCT(original);

/* The profile's first slot for an attribute, or NULL. */
static const struct subject_slot *
slot_of(const struct profile *profile, const ASN1_OBJECT *object)
{
	int nid = OBJ_obj2nid(object);

	for (size_t i = 0; i < profile->subject_count; i++)
		if (profile->subject[i].attribute->nid == nid)
			return &profile->subject[i];
	return NULL;
}

static int
copy_utf8(const ASN1_STRING *string, char **ret_text)
{
	AUTO_DER(utf8) = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);

	if (len < 0)
		return ca_error(CA_R_INPUT,
		    "a name in it is not of the string type that it claims");
	*ret_text = text_copy((const char *)utf8);
	return *ret_text == NULL ? -1 : 0;
}

static int
read_subject(
    const X509 *cert, const struct profile *profile, struct original *original)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int count = X509_NAME_entry_count(name);

	if (count > PROFILE_LIST_MAX)
		return ca_error(
		    CA_R_INPUT, "its subject has %d attributes", count);
	for (int i = 0; i < count; i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const struct subject_slot *slot =
		    slot_of(profile, X509_NAME_ENTRY_get_object(entry));
		struct name_value value;

		if (slot == NULL)
			return ca_error(CA_R_INPUT,
			    "its subject has an attribute that profile '%s' "
			    "does not list",
			    profile->id);
		if (copy_utf8(X509_NAME_ENTRY_get_data(entry),
			&original->values[i]) != 0)
			return -1;
		value = (struct name_value){ slot->attribute->name,
			original->values[i] };
		if (slot->from_csr)
			original->asked[original->asked_count++] = value;
		else
			original->subject[original->subject_count++] = value;
	}
	return 0;
}

static int
read_name(const GENERAL_NAME *name, struct original *original)
{
	struct alt_name *row = &original->names[original->name_count];
	char **text = &original->name_texts[original->name_count];

	if (general_name_text(name, &row->type, text) != 0)
		return -1;
	row->value = *text;
	original->name_count++;
	return 0;
}

static int
read_alt_names(const X509 *cert, struct original *original)
{
	AUTO(GENERAL_NAMES) *names = NULL;
	void *value;
	int count;

	if (extension_decode(cert, NID_subject_alt_name, &value) != 0)
		return -1;
	names = value;
	count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
	original->names = calloc((size_t)count + 1, sizeof(*original->names));
	original->name_texts =
	    calloc((size_t)count + 1, sizeof(*original->name_texts));
	if (original->names == NULL || original->name_texts == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	for (int i = 0; i < count; i++)
		if (read_name(sk_GENERAL_NAME_value(names, i), original) != 0)
			return -1;
	return 0;
}

/* The first URI of the names, if there is none yet. */
static int
take_uri(const GENERAL_NAME *name, char **url)
{
	int type;
	const ASN1_STRING *uri;

	if (name == NULL || *url != NULL)
		return 0;
	uri = GENERAL_NAME_get0_value(name, &type);
	return type == GEN_URI ? copy_utf8(uri, url) : 0;
}

static int
read_crl_url(const X509 *cert, char **url)
{
	AUTO(CRL_DIST_POINTS) *points = NULL;
	void *value;

	if (extension_decode(cert, NID_crl_distribution_points, &value) != 0)
		return -1;
	points = value;
	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT *point = sk_DIST_POINT_value(points, i);

		if (point->distpoint != NULL && point->distpoint->type == 0 &&
		    take_uri(sk_GENERAL_NAME_value(
				 point->distpoint->name.fullname, 0),
			url) != 0)
			return -1;
	}
	return 0;
}

static int
read_access_urls(const X509 *cert, char **url)
{
	AUTO(AUTHORITY_INFO_ACCESS) *list = NULL;
	void *value;

	if (extension_decode(cert, NID_info_access, &value) != 0)
		return -1;
	list = value;
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *access =
		    sk_ACCESS_DESCRIPTION_value(list, i);
		int method = OBJ_obj2nid(access->method);

		if ((method == NID_ad_ca_issuers &&
			take_uri(access->location, &url[URL_CA_ISSUERS]) !=
			    0) ||
		    (method == NID_ad_OCSP &&
			take_uri(access->location, &url[URL_OCSP]) != 0))
			return -1;
	}
	return 0;
}

int
certificate_urls(const X509 *cert, char *ret_urls[PROFILE_URLS])
{
	AUTO_STRUCT(original) original = { 0 };

	if (read_crl_url(cert, &original.url[URL_CRL]) != 0 ||
	    read_access_urls(cert, original.url) != 0)
		return -1;
	for (size_t i = 0; i < PROFILE_URLS; i++)
		ret_urls[i] = TAKE(original.url[i]);
	return 0;
}

/* serial_from_random() gives it back. */
static int
read_random(
    const struct certificate_facts *facts, unsigned char ret_random[SERIAL_LEN])
{
	if (facts->serial_len < SERIAL_MIN_LEN)
		return ca_error(CA_R_INPUT,
		    "its serial number is too short to be a random one");
	memset(ret_random, 0, SERIAL_LEN);
	memcpy(ret_random + SERIAL_LEN - facts->serial_len, facts->serial,
	    facts->serial_len);
	return 0;
}

static int
original_read(const X509 *cert, const struct signed_object *object,
    const struct profile *profile, struct original *original)
{
	const struct sigalg *alg =
	    sigalg_by_der(object->alg.p, object->alg.len);

	if (alg == NULL)
		return ca_error(CA_R_INPUT,
		    "its signature algorithm is unknown or not allowed");
	original->signature = alg->name;
	if (certificate_facts(cert, &original->facts) != 0 ||
	    (profile->kind != PROFILE_CROSS &&
		read_subject(cert, profile, original) != 0) ||
	    read_alt_names(cert, original) != 0 ||
	    read_crl_url(cert, &original->url[URL_CRL]) != 0 ||
	    read_access_urls(cert, original->url) != 0)
		return -1;
	return read_random(&original->facts, original->random);
}

/* ---- making it again -------------------------------------------------- */

/* Where two encodings differ first. */
static size_t
difference(const struct der *a, const struct tbs *b)
{
	size_t i = 0;

	while (i < a->len && i < b->len && a->p[i] == b->der[i])
		i++;
	return i;
}

void
existing_compare(const struct der *tbs, const struct tbs *again,
    const struct profile *profile, const char *place, struct findings *findings)
{
	if (der_equal(*tbs, again->der, again->len))
		return;
	findings_add(findings, FINDING_ERROR, "PROFILE-OCTETS", place, NULL,
	    "profile '%s' would have given other octets, from octet %zu of "
	    "the to-be-signed part on: it holds something that the profile "
	    "does not list",
	    profile->id, difference(tbs, again));
}

static int
make_again(const struct der *tbs, struct original *original, const X509 *cert,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings)
{
	const struct certificate_facts *facts = &original->facts;
	const bool asked = profile->alt_from_csr;
	struct csr csr = {
		.names = original->asked,
		.name_count = original->asked_count,
		.alt_names = original->names,
		.alt_count = original->name_count,
	};
	const struct certificate_request request = {
		.profile = profile,
		.subject = original->subject,
		.subject_count = original->subject_count,
		.alt_names = asked ? NULL : original->names,
		.alt_count = asked ? 0 : original->name_count,
		.csr = profile_needs_csr(profile) ? &csr : NULL,
		.existing = profile->kind == PROFILE_CROSS ? cert : NULL,
		.spki = facts->spki,
		.spki_len = facts->spki_len,
		.issuer = issuer,
		.signature = original->signature,
		.now = facts->not_before,
		.validity = facts->not_after - facts->not_before + 1,
		.url = { original->url[URL_CRL], original->url[URL_CA_ISSUERS],
		    original->url[URL_OCSP] },
		.place = place,
	};
	AUTO_STRUCT(tbs) again = { 0 };
	size_t errors = findings->errors;

	if (certificate_check(&request, findings) != 0)
		return -1;
	if (findings->errors > errors)
		return 0;
	if (certificate_build(&request, original->random, &again) != 0)
		return -1;
	existing_compare(tbs, &again, profile, place, findings);
	return 0;
}

int
existing_refused(const char *place, struct findings *findings)
{
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	findings_take_error(findings, "PROFILE-OCTETS", place);
	return 0;
}

int
certificate_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings)
{
	AUTO_STRUCT(original) original = { 0 };
	AUTO(X509) *cert = NULL;
	struct signed_object object;

	if (certificate_read(place, der, len, &cert) != 0)
		return existing_refused(place, findings);
	if (!der_signed_object(der, len, &object))
		return ca_error(CA_R_INTERNAL, "a certificate in PEM");
	if (original_read(cert, &object, profile, &original) != 0 ||
	    make_again(&object.tbs, &original, cert, profile, issuer, place,
		findings) != 0)
		return existing_refused(place, findings);
	return 0;
}
