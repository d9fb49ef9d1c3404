/* The names of a certificate: from its profile, the plan and the request. */
#ifndef CA_PROFILES_SUBJECT_H
#define CA_PROFILES_SUBJECT_H

#include <stddef.h>

#include <openssl/x509v3.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/certificate.h"

/*
 * Attributes against the profile's slots, each value, and what the request
 * asks for and does not get (CSR-IGNORE, CSR-NO-CA).
 */
int subject_check(const struct certificate_request *request,
    struct findings *findings) MUST_USE;

/* Name, DER; a cross certificate's is the existing certificate's. */
int subject_encode(const struct certificate_request *request,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/* Alternative names against the profile, and each of them. */
void alt_names_check(
    const struct certificate_request *request, struct findings *findings);

/* Empty where there are none. */
int alt_names_encode(const struct certificate_request *request,
    GENERAL_NAMES **ret_names) MUST_USE;

#endif
