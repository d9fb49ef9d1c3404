/* Pre-signed OCSP responses: RFC 6960 as RFC 9919 narrows it. */
#ifndef CA_PROFILES_OCSP_H
#define CA_PROFILES_OCSP_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/crl.h"
#include "profiles/der/der.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

/* No signed "unknown" is made in advance (OCS-UNKNOWN). */
enum ocsp_status {
	STATUS_GOOD,
	STATUS_REVOKED,
};

/* The status of one certificate of the issuer. */
struct ocsp_entry {
	const unsigned char *serial; /* content octets, as in the certificate */
	size_t serial_len;
	int64_t not_after; /* of that certificate (OCS-NEXTUPDATE-TARGET) */
	enum ocsp_status status;
	/* Revoked: date and reason as in the CRL. */
	int64_t date;
	enum revocation_reason reason;
};

struct ocsp_response_request {
	const struct profile *profile;
	const X509 *issuer; /* of the certificates; may carry a constant */
	/*
	 * The delegated responder's certificate, whose key signs; NULL: the
	 * issuer itself signs, with digitalSignature.
	 */
	const X509 *responder;
	const char *signature; /* sigalg name, or NULL: the key's default */
	const struct ocsp_entry
	    *entries; /* one, but for good reason (OCS-ONE) */
	size_t entry_count;
	int64_t now;      /* producedAt and thisUpdate */
	int64_t validity; /* seconds, or 0: the profile's default */
	const char *place;
};

/*
 * Issuer or responder may sign and is valid until nextUpdate, as is each
 * certificate; the responder is the issuer's own, with OCSPSigning and nocheck;
 * validity within the profile; reasons allowed.  Findings.
 */
int ocsp_response_check(const struct ocsp_response_request *request,
    struct findings *findings) MUST_USE;

/*
 * ResponseData, kind OBJECT_OCSP: responderID byKey, one SingleResponse with a
 * SHA-256 CertID for each entry, behind it one with SHA-1 where
 * profile_adds_sha1(); nextUpdate = now + validity - 1 s.  As
 * certificate_build().
 */
int ocsp_response_build(
    const struct ocsp_response_request *request, struct tbs *ret_tbs) MUST_USE;

/*
 * Many responses of one issuer, each about one certificate: what they share is
 * read, checked and hashed once.
 */
struct ocsp_maker;

/*
 * The request without its entries, whose pointers must outlive the maker.
 * Findings as of ocsp_response_check(); with errors *ret_maker stays NULL.
 */
int ocsp_maker_open(const struct ocsp_response_request *request,
    struct findings *findings, struct ocsp_maker **ret_maker) MUST_USE;

/*
 * For how many seconds may a response about a certificate that ends then be
 * valid?  At most as long as the others (OCS-NEXTUPDATE-TARGET); 0: for less
 * than the profile demands, so that there can be none.
 */
int64_t ocsp_maker_validity(const struct ocsp_maker *maker, int64_t not_after);

/* How they are signed. */
const struct sigalg *ocsp_maker_algorithm(const struct ocsp_maker *maker);

/* nextUpdate of a response that is valid so long; 0: as long as any. */
int64_t ocsp_maker_next_update(
    const struct ocsp_maker *maker, int64_t validity);

/*
 * As ocsp_response_check() and ocsp_response_build() with this one entry.  With
 * errors in `findings` *ret_tbs stays empty.  Threads may share a maker.
 */
int ocsp_maker_build(const struct ocsp_maker *maker,
    const struct ocsp_entry *entry, int64_t validity, struct findings *findings,
    struct tbs *ret_tbs) MUST_USE;
void ocsp_maker_free(struct ocsp_maker *maker);
CLEANUP_DEFINE_PTR(ocsp_maker);

/*
 * The whole OCSPResponse.  `responder` is DER of the delegated responder's
 * finished certificate, which goes beside it (OCS-CERTS); NULL where the
 * issuer signed.  The result is malloc'd.
 */
int ocsp_assemble(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, const unsigned char *responder, size_t responder_len,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * The parts of an OCSPResponse in strict DER: that of ResponseData, the
 * AlgorithmIdentifier, the signature, and the responder's certificate (empty:
 * none).  CA_R_INPUT where it is none, or says no success.
 */
struct ocsp_parts {
	struct der tbs, alg, signature, responder;
};
int ocsp_take_apart(const char *name, const unsigned char *der, size_t len,
    struct ocsp_parts *ret_parts) MUST_USE;

/*
 * How a response is fetched with GET (RFC 6960, appendix A.1; RFC 9919, section
 * 5): behind the URL of the service and a slash stands the base64 of an
 * OCSPRequest, percent-encoded.  Here that request has one CertID, whose
 * hashAlgorithm has NULL parameters, and no extensions; '+', '/' and '=' become
 * %2B, %2F and %3D, in capitals.  So it has no slash, and is a file's name.
 *
 * `cert_id` is the DER of a CertID by SHA-256 or SHA-1, with NULL parameters or
 * none.  CA_R_INPUT where it is no such CertID, or the name would be longer
 * than OCSP_GET_NAME_MAX octets, which no file may be; with honest hashes it
 * has about 170.  *ret_name: free().
 *
 * A batch is published as public/ocsp/BATCH/, with the whole OCSPResponse in a
 * file of each of its names: a later batch has the same names, and nothing that
 * is published is overwritten.
 */
enum { OCSP_GET_NAME_MAX = 255 };
int ocsp_get_name(struct der cert_id, char **ret_name) MUST_USE;

/* One for each different CertID of a response. */
enum { OCSP_GET_NAMES_MAX = 64 };
struct ocsp_get_names {
	char *names[OCSP_GET_NAMES_MAX];
	size_t count;
};
/* Of an OCSPResponse called `name` in errors; of ResponseData. */
int ocsp_response_names(const char *name, const unsigned char *der, size_t len,
    struct ocsp_get_names *ret_names) MUST_USE;
int ocsp_data_names(
    struct der response_data, struct ocsp_get_names *ret_names) MUST_USE;
void ocsp_get_names_clear(struct ocsp_get_names *names);
CLEANUP_DEFINE_STRUCT(ocsp_get_names);

#endif
