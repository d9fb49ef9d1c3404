/*
 * Secrets (PINs, shares, passphrases): in OpenSSL's secure heap, locked, never
 * dumped, wiped when cleared; and a process that gives them to nobody.
 */
#ifndef CA_BASE_SECRET_H
#define CA_BASE_SECRET_H

#include <stddef.h>

#include "base/cleanup.h"

struct secret {
	char *bytes; /* in the secure heap; bytes[len] is a NUL */
	size_t len;
};

/*
 * First act of main(): umask 077, no core dumps, not dumpable, UTC, the
 * environment rid of everything that steers OpenSSL, SoftHSM, p11-kit or
 * popt (OPENSSL_CONF, OPENSSL_MODULES, OPENSSL_ENGINES, SSLKEYLOGFILE,
 * SOFTHSM2_CONF, P11_KIT_*, PKCS11_*, ...), file descriptors 0 to 2 open,
 * OpenSSL started without its configuration file, and the secure heap made.
 * A heap that cannot be locked is an error (CA_R_MEMORY).
 */
int process_harden(void) MUST_USE;

/*
 * `len` zero octets of secure memory, plus a NUL.  process_harden() must have
 * come first (else CA_R_INTERNAL): no secret is put into ordinary memory.
 */
int secret_new(size_t len, struct secret *ret_secret) MUST_USE;

int secret_copy(
    const void *bytes, size_t len, struct secret *ret_secret) MUST_USE;

/*
 * Read one line of 1 to `max` bytes from `fd`, byte by byte, so that what
 * follows the line stays for the next reader.  The newline is not kept; a
 * NUL byte, an empty line or end of file without any byte is refused with
 * CA_R_PIN and `what` ("user PIN") in the text, and so is a line that is too
 * long; the rest of such a line is skipped.  A signal ends it with
 * CA_R_INTERRUPTED.
 */
int secret_read_line(
    int fd, size_t max, const char *what, struct secret *ret_secret) MUST_USE;

/* Wipes and frees; fine on {0}. */
void secret_clear(struct secret *secret);
CLEANUP_DEFINE_STRUCT(secret);

#endif
