/* What operators' and witnesses' certificates and their keys must be. */
#ifndef CA_QUORUM_CERTIFICATE_H
#define CA_QUORUM_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "base/cleanup.h"

enum certificate_use { CERTIFICATE_SIGN, CERTIFICATE_DECRYPT };

/*
 * Is the key RSA of 3072 to 8192 bits, P-256 or P-384, sound and exactly
 * encoded, and does keyUsage, where present, allow this use?  CA_R_POLICY says
 * what is wrong.
 */
int certificate_fits(X509 *certificate, enum certificate_use use) MUST_USE;

/*
 * Have both the same key, in whatever encoding?  For RSA the modulus decides:
 * who knows its factors has the keys of all its exponents.  False where one
 * has no key that can be read.
 */
bool certificate_same_key(const X509 *a, const X509 *b);

/* SHA-256 of the SubjectPublicKeyInfo, hex; malloc'd. */
int certificate_spki_sha256(const X509 *certificate, char **ret_hex) MUST_USE;

#endif
