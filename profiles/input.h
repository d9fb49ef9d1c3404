/*
 * Objects from files: DER, or PEM with exactly one block and nothing but
 * blanks around it.
 */
#ifndef CA_PROFILES_INPUT_H
#define CA_PROFILES_INPUT_H

#include <stddef.h>

#include <openssl/asn1.h>

#include "base/cleanup.h"

enum {
	CERTIFICATE_MAX_BYTES = 1 << 20,
	CRL_MAX_BYTES = 1 << 28,
};

/*
 * The strict DER in `data`; `what` ("certificate") and `name` are for
 * messages, `label` is PEM's.  Malloc'd.  CA_R_INPUT where it is refused.
 */
int input_read(const char *name, const char *what, const char *label,
    size_t max, const unsigned char *data, size_t len, unsigned char **ret_der,
    size_t *ret_len) MUST_USE;

/*
 * Is each extension at most once there and encoded without a DEFAULT, and its
 * value DER?  CA_R_INPUT, with `name`, where it is not.  NULL is fine.
 */
int input_check_extensions(
    const char *name, const STACK_OF(X509_EXTENSION) *extensions) MUST_USE;

#endif
