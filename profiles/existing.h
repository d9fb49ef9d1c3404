/*
 * Objects that exist, held against the profile that should have made them:
 * with the object's own subject, dates, serial, URLs or entries the profile
 * must give the same octets again.  So nothing in it escapes: what the profile
 * does not list shows as another octet.
 */
#ifndef CA_PROFILES_EXISTING_H
#define CA_PROFILES_EXISTING_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/crl.h"
#include "profiles/profile.h"

/*
 * Findings: all of certificate_check(), as of the certificate's notBefore, and
 * PROFILE-OCTETS where the profile gives other octets.  `issuer` is NULL for
 * a root.  The host part of URLs is the certificate's own word, and so are
 * alternative names; a cross certificate stands for the existing one, with
 * which whoever has that compares it.  -1 only for failures of the machine.
 */
int certificate_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings) MUST_USE;

/* By enum profile_url, each free()d; NULL where it has none. */
int certificate_urls(const X509 *cert, char *ret_urls[PROFILE_URLS]) MUST_USE;

/* The same for a CRL, as of its thisUpdate. */
int crl_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings) MUST_USE;

/*
 * The same for an OCSP response, as of its producedAt.  `issuer` is the CA of
 * the certificates that it is about; a responder's certificate is taken from
 * the response.
 */
int ocsp_check_profile(const unsigned char *der, size_t len,
    const struct profile *profile, const X509 *issuer, const char *place,
    struct findings *findings) MUST_USE;

/* What a CRL says.  The entries ascend, whatever their order in the CRL. */
struct crl_facts {
	uint64_t number;
	int64_t this_update, next_update;
	unsigned char *issuer_der; /* Name, DER */
	size_t issuer_len;
	struct crl_entry *entries; /* a reason that may not be is as it is */
	size_t entry_count;
	unsigned char *serials; /* what the entries point to */
};

/* CA_R_INPUT where number or dates are missing, or an entry is malformed. */
int crl_facts(X509_CRL *crl, struct crl_facts *ret_facts) MUST_USE;
void crl_facts_clear(struct crl_facts *facts);
CLEANUP_DEFINE_STRUCT(crl_facts);

#endif
