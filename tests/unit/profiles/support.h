/* What the tests of profiles/ share. */
#ifndef CA_TESTS_PROFILES_SUPPORT_H
#define CA_TESTS_PROFILES_SUPPORT_H

/* cmocka.h wants these before it. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* clang-format on */

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/findings.h"
#include "profiles/certificate.h"
#include "profiles/crl.h"
#include "profiles/csr.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

enum { DAY = 86400 };

/* 2026-11-20T12:00:00Z */
static const int64_t now = 1795176000;

/* A shipped profile's text; free(). */
char *profile_text(const char *name);

/* The text with the first `from` replaced by `to`; free(). */
char *edited(const char *text, const char *from, const char *to);

/* A shipped profile, with one edit unless `from` is NULL; must compile. */
struct profile *load(const char *name, const char *from, const char *to);

bool has_finding(const struct findings *findings, const char *id);
void assert_finding(const struct findings *findings, const char *id);
void assert_clean(const struct findings *findings);

/* Key `index` (0 to 3) of a type; made once, never freed by the caller. */
EVP_PKEY *key(const char *type, unsigned index);
void keys_free(void);

/* DER of its public key; free(). */
unsigned char *spki_of(EVP_PKEY *pkey, size_t *ret_len);

/* Sign with a software key; free() both results. */
unsigned char *raw_signature(const struct sigalg *alg, const struct tbs *tbs,
    EVP_PKEY *pkey, size_t *ret_len);
unsigned char *sign(const struct tbs *tbs, EVP_PKEY *pkey, size_t *ret_len);

/* A good request for a certificate of this profile. */
struct certificate_request request(const struct profile *profile,
    const X509 *issuer, const unsigned char *spki, size_t spki_len);

/* Twenty octets that differ from call to call. */
void serial_random(unsigned char random[SERIAL_LEN]);

/* A root made with the shipped profile. */
X509 *root_of(EVP_PKEY *pkey);

/* Build, sign, verify, read back: must all pass. */
X509 *issue(const struct certificate_request *req, EVP_PKEY *signer);

/* A certificate with extensions as openssl.cnf writes them; NULL-ended pairs. */
struct foreign {
	EVP_PKEY *key;
	const char *common_name;
	int64_t not_before, not_after;
	const char *extensions[16];
};
X509 *foreign_certificate(const struct foreign *foreign);

/*
 * A copy of a signed object with `len` octets put into its to-be-signed part at
 * `at`, in front of what stands there, and the lengths around it mended.
 */
unsigned char *spliced(const unsigned char *der, size_t der_len, size_t at,
    const unsigned char *octets, size_t len, size_t *ret_len);

/*
 * Where the to-be-signed part's element number `index` begins, as an offset
 * into the object.
 */
size_t element_at(const unsigned char *der, size_t der_len, unsigned index);

#endif
