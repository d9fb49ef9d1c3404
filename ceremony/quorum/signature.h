/*
 * Signatures by operators and witnesses: CMS SignedData (RFC 5652), detached,
 * binary, one SignerInfo with signed attributes, no certificate inside, and an
 * eContentType of our own for each purpose, so that a signature for one purpose
 * is none for another.
 *
 * CMS_verify() alone is too lax (other outer type, stripped attributes, MD5,
 * foreign certificate with the same key, CRLF-changed content): everything is
 * compared here.
 */
#ifndef CA_QUORUM_SIGNATURE_H
#define CA_QUORUM_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/cleanup.h"

/*
 * OIDs are {2 25 U n}, U the decimal value of a UUID of our own (ITU-T X.667);
 * the table in signature.c has them.
 */
enum signature_purpose {
	SIGNATURE_APPROVE,  /* a manifest */
	SIGNATURE_CONFIRM,  /* a list */
	SIGNATURE_ENROL,    /* a statement of enrolment */
	SIGNATURE_ANCHOR,   /* the anchor of an authority */
	SIGNATURE_REHEARSE, /* a list of a rehearsal */
	SIGNATURE_EVENT,    /* an event that a person entered */
	SIGNATURE_PURPOSES
};

/* "approval", "confirmation", "enrolment", "anchor", "rehearsal", "event". */
const char *signature_purpose_name(enum signature_purpose purpose);
/* Dotted decimal. */
const char *signature_purpose_oid(enum signature_purpose purpose);

/*
 * Can a certificate's key sign for us: RSA of 3072 to 8192 bits, ECDSA P-256 or
 * P-384; keyUsage, where present, with digitalSignature (or nonRepudiation)?
 * CA_R_POLICY says what is wrong.
 */
int signature_certificate_check(X509 *certificate) MUST_USE;

/*
 * Sign `content` with a key from a file or a card.  SHA-256 for RSA and P-256,
 * SHA-384 for P-384; RSA as PKCS#1 v1.5 (cards offer it everywhere).  The
 * result is verified by signature_verify() before it is given out.  DER,
 * malloc'd.
 */
int signature_make(enum signature_purpose purpose, const void *content,
    size_t len, EVP_PKEY *key, X509 *certificate, unsigned char **ret_der,
    size_t *ret_len) MUST_USE;

/*
 * Accept exactly what signature_make() makes, and what `openssl cms -sign
 * -binary -nocerts -econtent_type OID` makes with SHA-256, -384 or -512 (RSA
 * PKCS#1 or PSS of at least 3072 bits, ECDSA P-256/384), by `certificate`'s
 * key over `content`: one SignerInfo that names it (issuer and serial, or
 * subjectKeyIdentifier), contentType and messageDigest right and there once,
 * outer type equal, detached, any embedded certificate octet-equal to it, no
 * CRLs, DER to the last octet.  CA_R_VERIFY says what is wrong; truncated
 * or no CMS is CA_R_INPUT.
 */
int signature_verify(enum signature_purpose purpose, const void *content,
    size_t len, const unsigned char *der, size_t der_len,
    X509 *certificate) MUST_USE;

/* signingTime, a claim only; 0 where there is none. */
int signature_time(
    const unsigned char *der, size_t der_len, int64_t *ret_time) MUST_USE;

#endif
