/* OCSP responses that exist, held against their profile. */
#include <string.h>
#include <time.h>

#include <openssl/ocsp.h>

#include "base/error.h"
#include "profiles/existing-private.h"
#include "profiles/existing.h"
#include "profiles/ocsp.h"
#include "profiles/reencode.h"

CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);
CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);

enum {
	ENTRIES_MAX = 32,
	TIME_LEN = 15,      /* YYYYMMDDHHMMSSZ */
	INTEGER_HEADER = 2, /* of an INTEGER of up to 127 octets */
};

/* Everything that a request for it would say. */
struct original {
	unsigned char serials[ENTRIES_MAX][SERIAL_LEN];
	struct ocsp_entry entries[ENTRIES_MAX];
	size_t count;
	int64_t produced_at, next_update;
};

/* OCS-TIME-FORM: GeneralizedTime, whatever the year. */
static int
read_date(const ASN1_GENERALIZEDTIME *time, int64_t *ret_date)
{
	struct tm tm;
	time_t seconds;

	if (time == NULL || ASN1_STRING_length(time) != TIME_LEN ||
	    ASN1_TIME_to_tm(time, &tm) != 1)
		return ca_error(CA_R_INPUT,
		    "it lacks a time, or has one of another form than "
		    "YYYYMMDDHHMMSSZ (RFC 6960, section 4.2.2.1)");
	seconds = timegm(&tm);
	if (seconds < 0)
		return ca_error(CA_R_INPUT, "it has a time before 1970");
	*ret_date = (int64_t)seconds;
	return 0;
}

static int
read_serial(const OCSP_SINGLERESP *single, unsigned char *octets,
    struct ocsp_entry *entry)
{
	const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
	AUTO_DER(copy) = NULL;
	struct der in, body, part;
	int len = i2d_OCSP_CERTID(id, &copy);

	in = (struct der){ copy, len > 0 ? (size_t)len : 0 };
	if (!der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_SEQUENCE, NULL, NULL) ||
	    !der_take(&body, DER_OCTET_STRING, NULL, NULL) ||
	    !der_take(&body, DER_OCTET_STRING, NULL, NULL) ||
	    !der_take(&body, DER_INTEGER, &part, NULL) || part.len == 0 ||
	    part.len > SERIAL_LEN)
		return ca_error(CA_R_INPUT,
		    "a CertID's serial number is not that of a certificate");
	memcpy(octets, part.p, part.len);
	entry->serial = octets;
	entry->serial_len = part.len;
	return 0;
}

static int
read_status(
    OCSP_SINGLERESP *single, struct ocsp_entry *entry, int64_t *ret_next)
{
	int reason = -1;
	ASN1_GENERALIZEDTIME *revoked, *this_update, *next;
	int status = OCSP_single_get0_status(
	    single, &reason, &revoked, &this_update, &next);

	if (read_date(next, ret_next) != 0)
		return -1;
	entry->not_after = *ret_next;
	if (status == V_OCSP_CERTSTATUS_GOOD)
		return 0;
	if (status != V_OCSP_CERTSTATUS_REVOKED)
		return ca_error(CA_R_INPUT, "it says neither good nor revoked");
	entry->status = STATUS_REVOKED;
	entry->reason =
	    reason < 0 ? REASON_NONE : (enum revocation_reason)reason;
	return read_date(revoked, &entry->date);
}

/* Each certificate once, although SHA-1 CertIDs may repeat it. */
static bool
is_known(const struct original *original, const struct ocsp_entry *entry)
{
	for (size_t i = 0; i < original->count; i++)
		if (original->entries[i].serial_len == entry->serial_len &&
		    memcmp(original->entries[i].serial, entry->serial,
			entry->serial_len) == 0)
			return true;
	return false;
}

static int
read_single(OCSP_SINGLERESP *single, struct original *original)
{
	struct ocsp_entry *entry = &original->entries[original->count];

	*entry = (struct ocsp_entry){ 0 };
	if (read_serial(single, original->serials[original->count], entry) !=
		0 ||
	    read_status(single, entry, &original->next_update) != 0)
		return -1;
	if (!is_known(original, entry))
		original->count++;
	return 0;
}

static int
original_read(const unsigned char *der, size_t len, struct original *original)
{
	const unsigned char *p = der;
	AUTO(OCSP_RESPONSE) *response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	AUTO(OCSP_BASICRESP) *basic = NULL;
	int count;

	basic = response != NULL ? OCSP_response_get1_basic(response) : NULL;
	if (basic == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a response");
	count = OCSP_resp_count(basic);
	if (count >= ENTRIES_MAX)
		return ca_error(CA_R_INPUT, "it has %d responses", count);
	for (int i = 0; i < count; i++)
		if (read_single(OCSP_resp_get0(basic, i), original) != 0)
			return -1;
	return read_date(
	    OCSP_resp_get0_produced_at(basic), &original->produced_at);
}

static int
read_responder(const struct ocsp_parts *parts, X509 **ret_cert)
{
	const unsigned char *p = parts->responder.p;

	if (parts->responder.len == 0)
		return 0;
	*ret_cert = d2i_X509(NULL, &p, (long)parts->responder.len);
	return *ret_cert != NULL
	    ? 0
	    : ca_error(CA_R_INPUT, "its responder's certificate is malformed");
}

static int
make_again(const struct ocsp_parts *parts, const struct original *original,
    const struct profile *profile, const X509 *issuer, const X509 *responder,
    const char *place, struct findings *findings)
{
	const struct sigalg *alg = sigalg_by_der(parts->alg.p, parts->alg.len);
	const struct ocsp_response_request request = {
		.profile = profile,
		.issuer = issuer,
		.responder = responder,
		.signature = alg == NULL ? "" : alg->name,
		.entries = original->entries,
		.entry_count = original->count,
		.now = original->produced_at,
		.validity = original->next_update - original->produced_at + 1,
		.place = place,
	};
	AUTO_STRUCT(tbs) again = { 0 };
	size_t errors = findings->errors;

	if (ocsp_response_check(&request, findings) != 0)
		return -1;
	if (findings->errors > errors)
		return 0;
	if (ocsp_response_build(&request, &again) != 0)
		return -1;
	existing_compare(&parts->tbs, &again, profile, place, findings);
	return 0;
}

int
ocsp_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings)
{
	struct original original = { .count = 0 };
	struct ocsp_parts parts;
	AUTO(X509) *responder = NULL;

	if (reencode_ocsp(place, der, len) != 0 ||
	    ocsp_take_apart(place, der, len, &parts) != 0 ||
	    original_read(der, len, &original) != 0 ||
	    read_responder(&parts, &responder) != 0 ||
	    make_again(&parts, &original, profile, issuer, responder, place,
		findings) != 0)
		return existing_refused(place, findings);
	return 0;
}
