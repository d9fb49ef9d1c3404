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
	PROFILE_CROSS, /* of a CA that exists: its name, key and identifier */
	PROFILE_OCSP_RESPONDER,
	PROFILE_END_ENTITY, /* server, client or device, mailbox, signer */
	PROFILE_CRL,
	PROFILE_OCSP_RESPONSE,
};
enum { PROFILE_KINDS = PROFILE_OCSP_RESPONSE + 1 };

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
/* "root", "subordinate", "cross", ...; and back, -1 for anything else. */
const char *profile_kind_name(enum profile_kind kind);
int profile_kind_by_name(const char *name);

/* True for the kinds that make certificates, and for those that are CAs. */
bool profile_is_certificate(const struct profile *profile);
bool profile_is_ca(const struct profile *profile);

/* Does the profile's certificates' keyUsage hold digitalSignature? */
bool profile_signs_ocsp(const struct profile *profile);

/*
 * Bits of the rulesets that it is held to: RULESET_BIT() of profiles/rules/
 * rule.h.  rfc5280 is always among them; private where it is the profile's own
 * or that is one of the CA/Browser Forum's.
 */
unsigned profile_rulesets(const struct profile *profile);

/*
 * What it makes, as bits of enum rule_subject: one for a certificate, FOR_CRL
 * with FOR_CRL_CA or FOR_CRL_EE, FOR_OCSP.  For the linter's context.
 */
unsigned profile_subjects(const struct profile *profile);

/*
 * `allow-lint`: does the profile acknowledge what this rule finds?  If so,
 * *ret_reason (which may be NULL) is why, as its author wrote it.  Only SHOULD,
 * SHOULD NOT and TOOL rules can be acknowledged.
 */
bool profile_acknowledges(const struct profile *profile, const char *rule_id,
    const char **ret_reason);

/* Row `i` of allow-lint, for the room and the journal; false behind the end. */
bool profile_acknowledgement(const struct profile *profile, size_t i,
    const char **ret_rule_id, const char **ret_reason);

/*
 * What a plan must or may give.  Subject attributes: row `i` in the order of
 * encoding; false behind the end.
 */
struct profile_attribute {
	const char *name; /* "common-name", as in plans */
	bool required;
	bool from_csr; /* the request gives it, and the plan must not */
};
bool profile_attribute(const struct profile *profile, size_t i,
    struct profile_attribute *ret_attribute);

/* Types of alternative names, and bits of those that it allows; 0: none. */
enum alt_type {
	ALT_DNS,   /* "www.example.com", A-labels, perhaps "*." in front */
	ALT_IP,    /* "192.0.2.1", "2001:db8::1" */
	ALT_EMAIL, /* "a@example.com" */
	ALT_URI,   /* "urn:uuid:...", "https://example.com/x" */
};
enum { ALT_TYPES = ALT_URI + 1 };
#define ALT_BIT(type) (1u << (type))
unsigned profile_alt_types(const struct profile *profile);
/* Must there be at least one?  Are they the request's, and not the plan's? */
bool profile_alt_required(const struct profile *profile);
bool profile_alt_from_csr(const struct profile *profile);

/* "dns", "ip", "email", "uri"; and back, -1 for anything else. */
const char *alt_type_name(enum alt_type type);
int alt_type_by_name(const char *name);

/* Does anything in it come from a request's names? */
bool profile_needs_csr(const struct profile *profile);

/*
 * Which certificates a CRL or an OCSP response is about.  COVERS_CA: CAs and
 * OCSP responders.  It decides how long the object may be valid.
 */
enum profile_covers {
	COVERS_CA,
	COVERS_USER, /* end entities */
	COVERS_ALL,
};
enum profile_covers profile_covers(const struct profile *profile);

/*
 * CRL: does it carry an issuingDistributionPoint, so that the plan must give
 * the URL (crl_request.distribution_url)?  A CRL without one is full.
 */
bool profile_needs_distribution_url(const struct profile *profile);

/* CRL: does it say that it has only those (onlyContainsCACerts, ...)? */
bool profile_only_covered(const struct profile *profile);

/* OCSP response: is each status said with a SHA-1 CertID as well? */
bool profile_adds_sha1(const struct profile *profile);

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

/*
 * Into how many partitions the issuer's CRL is split for these certificates; 0:
 * it is not.
 */
unsigned profile_crl_partitions(const struct profile *profile);

/* May this key type be a subject's key under the profile? */
bool profile_allows_key(
    const struct profile *profile, const struct key_type *type);

void profile_free(struct profile *profile);
CLEANUP_DEFINE_PTR(profile);

#endif
