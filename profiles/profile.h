/*
 * A profile: everything that a certificate, CRL or request may hold.  What it
 * does not list cannot appear.
 *
 * profiles/ is pure: bytes, public keys, random octets and time in, objects
 * and findings out.  It needs no token and keeps no state.
 */
#ifndef CA_PROFILES_PROFILE_H
#define CA_PROFILES_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "base/findings.h"

enum profile_kind {
	PROFILE_ROOT,
	PROFILE_SUBORDINATE,
	PROFILE_OCSP_RESPONDER,
	PROFILE_CRL,
};

struct profile;

/*
 * Compile the YAML in `data`; `file` names it in findings.  Refuses what its
 * ruleset forbids, naming rule and source.  Malformed or forbidden: rows in
 * `findings`, CA_R_INPUT, -1.
 */
int profile_load(const char *file, const unsigned char *data, size_t len,
    struct findings *findings, struct profile **ret_profile) MUST_USE;

const char *profile_id(const struct profile *profile);
const char *profile_title(const struct profile *profile);
enum profile_kind profile_kind(const struct profile *profile);
const char *profile_kind_name(enum profile_kind kind);

/* True for the kinds whose certificates are CAs. */
bool profile_is_ca(const struct profile *profile);

/* Does the profile's certificates' keyUsage hold digitalSignature? */
bool profile_signs_ocsp(const struct profile *profile);

/* Validity in seconds (both end seconds counted); for CRLs nextUpdate. */
int64_t profile_validity_default(const struct profile *profile);
int64_t profile_validity_max(const struct profile *profile);

/* Does the profile call for this URL from the authority's configuration? */
enum profile_url {
	URL_CRL,        /* cRLDistributionPoints */
	URL_CA_ISSUERS, /* authorityInfoAccess, id-ad-caIssuers */
	URL_OCSP,       /* authorityInfoAccess, id-ad-ocsp */
};
enum { PROFILE_URLS = URL_OCSP + 1 };
bool profile_needs_url(const struct profile *profile, enum profile_url url);

/* May this key type be a subject's key under the profile? */
bool profile_allows_key(
    const struct profile *profile, const struct key_type *type);

void profile_free(struct profile *profile);
CLEANUP_DEFINE_PTR(profile);

#endif
