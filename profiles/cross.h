/* A cross certificate against the one that it stands beside. */
#ifndef CA_PROFILES_CROSS_H
#define CA_PROFILES_CROSS_H

#include "base/cleanup.h"
#include "profiles/certificate.h"

/* Longer subject key identifiers are refused. */
enum { CROSS_SKI_MAX = 64 };

/*
 * request->existing against the request (rules.md, section 5): its key is the
 * request's, it is a CA, and the new certificate opens nothing that the old
 * one closes.  Nothing for other kinds.
 */
int cross_check(const struct certificate_request *request,
    struct findings *findings) MUST_USE;

/* Its subject key identifier (CROSS-SKI-BYTES); *ret_ski NULL: it has none. */
int cross_key_identifier(
    const X509 *existing, ASN1_OCTET_STRING **ret_ski) MUST_USE;

#endif
