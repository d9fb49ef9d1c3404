/* A certificate against the one that issues it. */
#ifndef CA_PROFILES_NESTING_H
#define CA_PROFILES_NESTING_H

#include "base/cleanup.h"
#include "profiles/certificate.h"

/*
 * request->issuer against the request.  `subject` is the encoded name, `names`
 * the alternative ones; NULL where there are none because of findings.
 */
int nesting_check(const struct certificate_request *request, int64_t not_after,
    const unsigned char *subject, size_t subject_len,
    const GENERAL_NAMES *names, struct findings *findings) MUST_USE;

#endif
