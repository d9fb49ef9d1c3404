/* The certificate that issues: what is needed of it, decoded once. */
#ifndef CA_PROFILES_ISSUER_H
#define CA_PROFILES_ISSUER_H

#include <stdint.h>

#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/certificate.h"

struct issuer {
	struct certificate_facts facts;
	ASN1_OCTET_STRING *ski;        /* NULL: none */
	EXTENDED_KEY_USAGE *purposes;  /* NULL: none, so no limit */
	NAME_CONSTRAINTS *constraints; /* NULL: none */
	CERTIFICATEPOLICIES *policies; /* NULL: none */
	POLICY_MAPPINGS *mappings;     /* NULL: none */
	ASN1_INTEGER *inhibit_any;     /* NULL: none */
};

int issuer_read(const X509 *cert, struct issuer *ret_issuer) MUST_USE;
void issuer_clear(struct issuer *issuer);
CLEANUP_DEFINE_STRUCT(issuer);

/* True where the issuer's purposes allow this one, or there is no limit. */
bool issuer_allows_purpose(
    const struct issuer *issuer, const ASN1_OBJECT *purpose);

/* What certificates and CRLs ask of it: valid now, SKI, a name. */
void issuer_check(const struct issuer *issuer, int64_t now, const char *place,
    struct findings *findings);

/* From `now` to `last`, both included, the issuer is valid. */
void issuer_check_nesting(const struct issuer *issuer, int64_t last,
    const char *what, const char *place, struct findings *findings);

/*
 * The algorithm that a key signs with: `name`, or where that is NULL, its
 * default.  NULL, with a finding, where key, algorithm and profile do not go
 * together.
 */
const struct sigalg *issuer_algorithm(const struct profile *profile,
    const unsigned char *spki, size_t spki_len, const char *name,
    const char *place, struct findings *findings);

/*
 * The extension as OpenSSL's structure, or NULL where it is absent;
 * CA_R_INPUT where it is there twice or malformed.
 */
int extension_decode(const X509 *cert, int nid, void **ret_value) MUST_USE;

/* CA_R_POLICY with the text of the first error in `findings`. */
int findings_refuse(const struct findings *findings, const char *what);

#endif
