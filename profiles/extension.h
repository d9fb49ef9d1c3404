/* Extensions: one row each, and the matrix of what may stand where. */
#ifndef CA_PROFILES_EXTENSION_H
#define CA_PROFILES_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "profiles/profile.h"

/* In the order in which they are encoded (FLD-EXT-ORDER). */
enum extension_id {
	EXT_BASIC_CONSTRAINTS,
	EXT_KEY_USAGE,
	EXT_EXTENDED_KEY_USAGE,
	EXT_CERTIFICATE_POLICIES,
	EXT_POLICY_MAPPINGS,
	EXT_NAME_CONSTRAINTS,
	EXT_POLICY_CONSTRAINTS,
	EXT_INHIBIT_ANY_POLICY,
	EXT_SUBJECT_ALTERNATIVE_NAME,
	EXT_CRL_DISTRIBUTION_POINTS,
	EXT_AUTHORITY_INFORMATION_ACCESS,
	EXT_OCSP_NOCHECK,
	EXT_SUBJECT_KEY_IDENTIFIER,
	EXT_AUTHORITY_KEY_IDENTIFIER,
	EXT_CRL_NUMBER,
	EXT_ISSUING_DISTRIBUTION_POINT,
	EXT_COUNT,
};

/* What an object's extensions are made of, beside its profile. */
struct extension_values {
	enum key_family family; /* of the subject's key */
	const GENERAL_NAMES *alt_names;
	bool subject_empty;       /* SAN-CRIT */
	const unsigned char *ski; /* subject key identifier, SHA-1 */
	size_t ski_len;
	const unsigned char *aki; /* the issuer's SKI octets */
	size_t aki_len;
	const char *const *url; /* by enum profile_url */
	uint64_t crl_number;
	const char *distribution_url; /* of a CRL */
};

struct extension {
	const char *key;     /* in profiles */
	bool critical;       /* fixed by the rules */
	const char *crit_id; /* the rule that fixes it */
	/* A new extension, or NULL with an error raised. */
	X509_EXTENSION *(*encode)(const struct profile *profile,
	    const struct extension_values *values);
};
extern const struct extension extensions[EXT_COUNT];

/* All extensions of the profile, in order. */
int extensions_build(const struct profile *profile,
    const struct extension_values *values,
    STACK_OF(X509_EXTENSION) **ret_extensions) MUST_USE;

#endif
