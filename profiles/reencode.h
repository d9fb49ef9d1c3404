/*
 * Decode an object, check what its own standard demands of its form, and see
 * that it encodes back to the same octets.  The octets are strict DER already.
 * CA_R_INPUT, naming `name`, where they do not.
 */
#ifndef CA_PROFILES_REENCODE_H
#define CA_PROFILES_REENCODE_H

#include <stddef.h>

#include "base/cleanup.h"

int reencode_certificate(
    const char *name, const unsigned char *der, size_t len) MUST_USE;
int reencode_crl(
    const char *name, const unsigned char *der, size_t len) MUST_USE;
int reencode_csr(
    const char *name, const unsigned char *der, size_t len) MUST_USE;

int reencode_ocsp(
    const char *name, const unsigned char *der, size_t len) MUST_USE;

#endif
