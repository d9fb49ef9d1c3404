/* The names and extensions of a certification request. */
#ifndef CA_PROFILES_CSR_NAMES_H
#define CA_PROFILES_CSR_NAMES_H

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "profiles/csr.h"

/*
 * names, alt_names, alternative and asks of *csr, from a request that encodes
 * back to its octets.  CA_R_INPUT where they are malformed.
 */
int csr_read_names(X509_REQ *req, struct csr *csr) MUST_USE;

void csr_names_clear(struct csr *csr);

#endif
