/*
 * To-be-signed objects, and what becomes of them: assembling, reading back,
 * verifying.  The bytes that are hashed here are the bytes that are shown,
 * signed and published.
 */
#ifndef CA_PROFILES_TBS_H
#define CA_PROFILES_TBS_H

#include <stddef.h>
#include <stdint.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "profiles/der/stream.h"

enum object_kind {
	OBJECT_CERTIFICATE, /* TBSCertificate, RFC 5280, section 4.1 */
	OBJECT_CRL,         /* TBSCertList, RFC 5280, section 5.1 */
	OBJECT_CSR,         /* CertificationRequestInfo, RFC 2986 */
	OBJECT_OCSP,        /* ResponseData, RFC 6960, section 4.2.1 */
};

/* "certificate", "crl", "csr", "ocsp"; and back, -1, CA_R_CORRUPT raised. */
const char *object_kind_name(enum object_kind kind);
int object_kind_by_name(const char *name, enum object_kind *ret_kind) MUST_USE;

/* Octets that are too many to be held in memory: a CRL. */
struct tbs_file {
	int fd;                           /* closed by tbs_clear() */
	uint64_t offset;                  /* of the first octet */
	unsigned char digest[DIGEST_MAX]; /* as tbs->alg wants it */
};

struct tbs {
	enum object_kind kind;
	const struct sigalg *alg; /* how it will be signed */
	unsigned char *der;       /* malloc; NULL where `file` is not */
	struct tbs_file *file;    /* malloc; NULL: they are in `der` */
	size_t len;
	unsigned char sha256[32]; /* of the octets, for people and journal */
};

/* What is signed: the digest of alg over the octets. */
int tbs_digest(
    const struct tbs *tbs, unsigned char ret_digest[DIGEST_MAX]) MUST_USE;

/* Fill in sha256 and file->digest of a tbs in a file, from its octets. */
int tbs_file_digest(struct tbs *tbs) MUST_USE;

/* Its octets, wherever they are; the reader must outlive the source. */
struct tbs_reader {
	struct der_file file;
	uint64_t offset, len; /* of the octets in the file */
	struct der octets;    /* or in memory */
};
int tbs_source(const struct tbs *tbs, struct tbs_reader *reader,
    struct der_source *ret_source) MUST_USE;

void tbs_clear(struct tbs *tbs);
CLEANUP_DEFINE_STRUCT(tbs);

/*
 * The same octets once more: a copy of those in memory, one more descriptor of
 * the file.
 */
int tbs_copy(const struct tbs *tbs, struct tbs *ret_tbs) MUST_USE;

/*
 * SEQUENCE { tbs, alg, BIT STRING sig }; for OBJECT_OCSP that, as the
 * BasicOCSPResponse of an OCSPResponse without certificates: with the
 * responder's, see ocsp_assemble() in ocsp.h.  The result is malloc'd.
 */
int object_assemble(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * The same for any tbs, written to `fd` where it stands; flat memory.
 * *ret_len is the object's.
 */
int object_assemble_file(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, int fd, uint64_t *ret_len) MUST_USE;

/*
 * object_verify() for an object in a file, `len` octets from `offset` on; a
 * CRL; flat memory.  That its to-be-signed part is `tbs` is told by alg's
 * digest, which is made on the way and is what the signature is verified over;
 * that this part is DER all through, lint_crl() finds before and after signing.
 */
int object_verify_file(const struct tbs *tbs, const unsigned char *spki,
    size_t spki_len, int fd, uint64_t offset, uint64_t len) MUST_USE;

/*
 * The object with a constant in place of the signature (rules.md LINT-DUMMY),
 * for linting, and for what must be checked against an issuer that is not yet
 * signed.
 */
int object_with_constant(
    const struct tbs *tbs, unsigned char **ret_der, size_t *ret_len) MUST_USE;

/*
 * The same as a source, of any size; not of OBJECT_OCSP.  Nothing is copied:
 * `constant` and the tbs must outlive it.
 */
struct tbs_constant {
	struct tbs_reader reader;
	struct der_source tbs;
	unsigned char front[DER_HEADER_MAX], back[128 + SIGNATURE_MAX];
	size_t front_len, back_len;
};
int tbs_constant_source(const struct tbs *tbs, struct tbs_constant *constant,
    struct der_source *ret_source) MUST_USE;

/* The constant; it lives as long as the program. */
void object_constant(
    const struct tbs *tbs, const unsigned char **ret_sig, size_t *ret_len);

/*
 * Is `der` the object that was meant?  It parses strictly, nothing follows,
 * it encodes back to the same octets, inner and outer AlgorithmIdentifier are
 * alg's octets, its to-be-signed part is `tbs` byte for byte, and the
 * signature verifies with the kept public key `spki`.  CA_R_VERIFY otherwise.
 * OBJECT_OCSP: a certificate beside it, which is not signed, may be there once.
 */
int object_verify(const struct tbs *tbs, const unsigned char *spki,
    size_t spki_len, const unsigned char *der, size_t der_len) MUST_USE;
/* The same with a key that sigalg_key() made of `spki`, for many objects. */
int object_verify_with(const struct tbs *tbs, EVP_PKEY *key,
    const unsigned char *der, size_t der_len) MUST_USE;
/*
 * All of it but the encoding back, which takes longer than a signature: for the
 * many of a batch, whose to-be-signed octets were read back, with a constant
 * beside them, when they were linted.
 */
int object_verify_octets(const struct tbs *tbs, EVP_PKEY *key,
    const unsigned char *der, size_t der_len) MUST_USE;

/*
 * The label of the kind, and PEM with it; malloc'd, NUL-terminated.  OCSP
 * responses have no label: NULL, CA_R_INTERNAL.
 */
const char *object_pem_label(enum object_kind kind);
int object_pem(enum object_kind kind, const unsigned char *der, size_t len,
    char **ret_pem) MUST_USE;

#endif
