/*
 * To-be-signed objects, and what becomes of them: assembling, reading back,
 * verifying.  The bytes that are hashed here are the bytes that are shown,
 * signed and published.
 */
#ifndef CA_PROFILES_TBS_H
#define CA_PROFILES_TBS_H

#include <stddef.h>

#include "base/algorithm.h"
#include "base/cleanup.h"

enum object_kind {
	OBJECT_CERTIFICATE, /* TBSCertificate, RFC 5280, section 4.1 */
	OBJECT_CRL,         /* TBSCertList, RFC 5280, section 5.1 */
	OBJECT_CSR,         /* CertificationRequestInfo, RFC 2986 */
	OBJECT_OCSP,        /* ResponseData, RFC 6960, section 4.2.1 */
};

/* "certificate", "crl", "csr", "ocsp"; and back, -1, CA_R_CORRUPT raised. */
const char *object_kind_name(enum object_kind kind);
int object_kind_by_name(const char *name, enum object_kind *ret_kind) MUST_USE;

struct tbs {
	enum object_kind kind;
	const struct sigalg *alg; /* how it will be signed */
	unsigned char *der;       /* malloc */
	size_t len;
	unsigned char sha256[32]; /* of der, for people and journal */
};

void tbs_clear(struct tbs *tbs);
CLEANUP_DEFINE_STRUCT(tbs);

/*
 * SEQUENCE { tbs, alg, BIT STRING sig }; for OBJECT_OCSP that, as the
 * BasicOCSPResponse of an OCSPResponse without certificates: with the
 * responder's, see ocsp_assemble() in ocsp.h.  The result is malloc'd.
 */
int object_assemble(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * The object with a constant in place of the signature (rules.md LINT-DUMMY),
 * for linting, and for what must be checked against an issuer that is not yet
 * signed.
 */
int object_with_constant(
    const struct tbs *tbs, unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * Is `der` the object that was meant?  It parses strictly, nothing follows,
 * it encodes back to the same octets, inner and outer AlgorithmIdentifier are
 * alg's octets, its to-be-signed part is `tbs` byte for byte, and the
 * signature verifies with the kept public key `spki`.  CA_R_VERIFY otherwise.
 * OBJECT_OCSP: a certificate beside it, which is not signed, may be there once.
 */
int object_verify(const struct tbs *tbs, const unsigned char *spki,
    size_t spki_len, const unsigned char *der, size_t der_len) MUST_USE;

/*
 * PEM with the label of the kind; malloc'd, NUL-terminated.  OCSP responses
 * have no label: CA_R_INTERNAL.
 */
int object_pem(enum object_kind kind, const unsigned char *der, size_t len,
    char **ret_pem) MUST_USE;

#endif
