/*
 * PINs from the shared secret: HKDF-SHA256 (RFC 5869) with the secret's 32
 * octets as key material, the set's id as salt, and a label for each PIN:
 *
 *   info = "ca-tool user PIN 1" | "ca-tool SO PIN 1"     (ASCII, no NUL)
 *
 * hex:       OKM of 32 octets in lower-case hex, cut to `length` characters.
 * otherwise: OKM of 96 octets as a big-endian number, written with the
 *            alphabet's characters as digits, least significant first, the
 *            first `length` of them.  (A remainder's bias is below 2^-256.)
 */
#ifndef CA_QUORUM_PIN_H
#define CA_QUORUM_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/secret.h"

enum { SET_ID_LEN = 16, PIN_HEX_LEN = 64, PIN_SAFE_LEN = 32 };

enum pin_role { PIN_USER, PIN_SO };

/* How a token wants its PINs: `pin:` of authority.yaml. */
struct pin_format {
	/* 2 to 64 distinct printable ASCII characters; NULL: hex. */
	const char *alphabet;
	size_t length; /* characters; 0: 64, or the token's most if less */
};

/*
 * The alphabet that `name` stands for: "hex", "digits", "alphanumeric"
 * (0-9 A-Z a-z).  CA_R_INPUT for another one.  "hex" is NULL.
 */
int pin_alphabet(const char *name, const char **ret_alphabet) MUST_USE;

/*
 * How many characters a PIN in this format has on a token that takes
 * `token_min` to `token_max`.  CA_R_POLICY where the token cannot take it, and
 * where it has fewer than PIN_SAFE_LEN characters and `allow_short` is false.
 */
int pin_length(const struct pin_format *format, size_t token_min,
    size_t token_max, bool allow_short, size_t *ret_length) MUST_USE;

/* Derive a PIN of `length` characters. */
int pin_derive(const struct secret *secret, const unsigned char set[SET_ID_LEN],
    enum pin_role role, const char *alphabet, size_t length,
    struct secret *ret_pin) MUST_USE;

#endif
