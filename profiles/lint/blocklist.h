/*
 * Keys that are not to be certified, by their hashes.  A text file; each line is
 *
 *   64 hex digits   SHA-256 of a SubjectPublicKeyInfo in DER: a key known to be
 *                   compromised (KEY-KNOWN-COMPROMISED)
 *   20 hex digits   the last 80 bits of SHA-1 of "Modulus=HEX\n", HEX being the
 *                   RSA modulus in upper case without leading zeros: the form
 *                   of Debian's openssl-blacklist (KEY-DEBIAN)
 *   # comment, or blank
 *
 * in any order and mixture, ended by LF or CR LF.
 */
#ifndef CA_LINT_BLOCKLIST_H
#define CA_LINT_BLOCKLIST_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/bn.h>

#include "base/cleanup.h"

struct blocklist;

/* CA_R_INPUT with the line that is wrong. */
int blocklist_load(const char *name, const unsigned char *data, size_t len,
    struct blocklist **ret_list) MUST_USE;
bool blocklist_has(
    const struct blocklist *list, const unsigned char *spki, size_t len);
/* 1 yes, 0 no, -1 where it could not be computed. */
int blocklist_has_modulus(const struct blocklist *list, const BIGNUM *n);
/* Lines of either kind. */
size_t blocklist_count(const struct blocklist *list);
size_t blocklist_modulus_count(const struct blocklist *list);
/* SHA-256 of the file, for reports and the journal. */
const unsigned char *blocklist_sha256(const struct blocklist *list);
void blocklist_free(struct blocklist *list);
CLEANUP_DEFINE_PTR(blocklist);

#endif
