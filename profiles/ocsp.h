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

#endif
