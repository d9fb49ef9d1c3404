/* CRLs that exist: what they say, and whether their profile says it. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/certificate.h"
#include "profiles/existing-private.h"
#include "profiles/existing.h"
#include "profiles/general-name.h"

CLEANUP_DEFINE(ASN1_ENUMERATED, ASN1_ENUMERATED_free);
CLEANUP_DEFINE(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free);

enum { INTEGER_HEADER = 2 }; /* of an INTEGER of up to 127 octets */

void
crl_facts_clear(struct crl_facts *facts)
{
	free(facts->issuer_der);
	free(facts->entries);
	free(facts->serials);
	*facts = (struct crl_facts){ 0 };
}

static int
compare(const void *a, const void *b)
{
	return crl_entry_compare(a, b);
}

/* ---- entries ---------------------------------------------------------- */

static int
entry_serial(
    const X509_REVOKED *revoked, unsigned char *octets, size_t *ret_len)
{
	const ASN1_INTEGER *serial = X509_REVOKED_get0_serialNumber(revoked);
	AUTO_DER(der) = NULL;
	int len = i2d_ASN1_INTEGER(serial, &der);

	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a serial number");
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
	    len > INTEGER_HEADER + SERIAL_LEN)
		return ca_error(CA_R_INPUT,
		    "an entry's serial number is not a positive number of 20 "
		    "octets at most (RFC 5280, section 4.1.2.2)");
	*ret_len = (size_t)len - INTEGER_HEADER;
	memcpy(octets, der + INTEGER_HEADER, *ret_len);
	return 0;
}

/* Whatever number stands there: the profile says which may. */
static int
entry_reason(const X509_REVOKED *revoked, enum revocation_reason *ret_reason)
{
	AUTO(ASN1_ENUMERATED) *code = NULL;
	int critical;

	code =
	    X509_REVOKED_get_ext_d2i(revoked, NID_crl_reason, &critical, NULL);
	if (code == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "an entry's reason is malformed or there twice");
	*ret_reason = code == NULL
	    ? REASON_NONE
	    : (enum revocation_reason)ASN1_ENUMERATED_get(code);
	return 0;
}

static int
entry_invalidity(const X509_REVOKED *revoked, int64_t *ret_date)
{
	AUTO(ASN1_TIME) *date = NULL;
	int critical;

	date = X509_REVOKED_get_ext_d2i(
	    revoked, NID_invalidity_date, &critical, NULL);
	if (date == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "an entry's invalidity date is malformed or there twice");
	if (date == NULL) {
		*ret_date = 0;
		return 0;
	}
	return date_from_asn1(date, ret_date);
}

static int
read_entry(
    const X509_REVOKED *revoked, unsigned char *octets, struct crl_entry *entry)
{
	entry->serial = octets;
	if (entry_serial(revoked, octets, &entry->serial_len) != 0 ||
	    entry_reason(revoked, &entry->reason) != 0 ||
	    entry_invalidity(revoked, &entry->invalidity) != 0)
		return -1;
	return date_from_asn1(
	    X509_REVOKED_get0_revocationDate(revoked), &entry->date);
}

static int
read_entries(X509_CRL *crl, struct crl_facts *facts)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	int count = revoked == NULL ? 0 : sk_X509_REVOKED_num(revoked);

	if (count == 0)
		return 0;
	facts->entries = calloc((size_t)count, sizeof(*facts->entries));
	facts->serials = calloc((size_t)count, SERIAL_LEN);
	if (facts->entries == NULL || facts->serials == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	for (int i = 0; i < count; i++)
		if (read_entry(sk_X509_REVOKED_value(revoked, i),
			facts->serials + (size_t)i * SERIAL_LEN,
			&facts->entries[i]) != 0)
			return -1;
	facts->entry_count = (size_t)count;
	qsort(facts->entries, facts->entry_count, sizeof(*facts->entries),
	    compare);
	return 0;
}

/* ---- the rest --------------------------------------------------------- */

static int
read_number(const X509_CRL *crl, uint64_t *ret_number)
{
	AUTO(ASN1_INTEGER) *number = NULL;
	int critical;

	number = X509_CRL_get_ext_d2i(crl, NID_crl_number, &critical, NULL);
	if (number == NULL || ASN1_INTEGER_get_uint64(ret_number, number) != 1)
		return ca_error(CA_R_INPUT,
		    "it has no CRL number, or one that is too large (RFC "
		    "5280, section 5.2.3)");
	return 0;
}

int
crl_facts(X509_CRL *crl, struct crl_facts *ret_facts)
{
	AUTO_STRUCT(crl_facts) facts = { 0 };
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	const unsigned char *der;
	size_t len;

	if (next == NULL)
		return ca_error(CA_R_INPUT,
		    "it has no nextUpdate (RFC 5280, section 5.1.2.5)");
	if (X509_NAME_get0_der(X509_CRL_get_issuer(crl), &der, &len) != 1)
		return ca_error(CA_R_MEMORY, "cannot encode a name");
	if (asn1_copy(der, len, &facts.issuer_der) != 0 ||
	    read_number(crl, &facts.number) != 0 ||
	    date_from_asn1(X509_CRL_get0_lastUpdate(crl), &facts.this_update) !=
		0 ||
	    date_from_asn1(next, &facts.next_update) != 0 ||
	    read_entries(crl, &facts) != 0)
		return -1;
	facts.issuer_len = len;
	*ret_facts = facts;
	facts = (struct crl_facts){ 0 }; /* moved out */
	return 0;
}

/* The first URI of its issuing distribution point; NULL where it has none. */
static int
distribution_url(const X509_CRL *crl, char **ret_url)
{
	AUTO(ISSUING_DIST_POINT) *idp = NULL;
	const GENERAL_NAME *name;
	enum alt_type type;
	int critical;

	*ret_url = NULL;
	idp = X509_CRL_get_ext_d2i(
	    crl, NID_issuing_distribution_point, &critical, NULL);
	if (idp == NULL && critical != -1)
		return ca_error(CA_R_INPUT,
		    "its issuing distribution point is malformed or there "
		    "twice");
	if (idp == NULL || idp->distpoint == NULL || idp->distpoint->type != 0)
		return 0;
	name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
	return name == NULL ? 0 : general_name_text(name, &type, ret_url);
}

static int
make_again(const struct signed_object *object, const struct crl_facts *facts,
    const char *url, const struct profile *profile, const X509 *issuer,
    const char *place, struct findings *findings)
{
	const struct sigalg *alg =
	    sigalg_by_der(object->alg.p, object->alg.len);
	const struct crl_request request = {
		.profile = profile,
		.issuer = issuer,
		.signature = alg == NULL ? "" : alg->name,
		.number = facts->number,
		.now = facts->this_update,
		.validity = facts->next_update - facts->this_update + 1,
		.entries = facts->entries,
		.entry_count = facts->entry_count,
		.distribution_url =
		    profile_needs_distribution_url(profile) ? url : NULL,
		.place = place,
	};
	AUTO_STRUCT(tbs) again = { 0 };
	size_t errors = findings->errors;

	if (crl_check(&request, findings) != 0)
		return -1;
	if (findings->errors > errors)
		return 0;
	if (crl_build(&request, &again) != 0)
		return -1;
	existing_compare(&object->tbs, &again, profile, place, findings);
	return 0;
}

int
crl_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings)
{
	AUTO_STRUCT(crl_facts) facts = { 0 };
	AUTO(X509_CRL) *crl = NULL;
	AUTO_CHARS(url) = NULL;
	struct signed_object object;

	if (crl_read(place, der, len, &crl) != 0)
		return existing_refused(place, findings);
	if (!der_signed_object(der, len, &object))
		return ca_error(CA_R_INTERNAL, "a CRL in PEM");
	if (crl_facts(crl, &facts) != 0 || distribution_url(crl, &url) != 0 ||
	    make_again(
		&object, &facts, url, profile, issuer, place, findings) != 0)
		return existing_refused(place, findings);
	return 0;
}
