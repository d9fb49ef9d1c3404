/*
 * A token: found by label and serial, initialised once, logged in to once.
 *
 * Order of calls: token_find (or token_find_blank, token_initialise), then
 * token_login, keys (key.h), token_logout, token_free, module_free.
 * All keys of a token are freed before it is.
 */
#ifndef CA_PKCS11_TOKEN_H
#define CA_PKCS11_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/secret.h"
#include "pkcs11/module.h"

struct token;

/* CK_TOKEN_INFO: blanks trimmed, text escaped. */
struct token_facts {
	char label[4 * 32 + 1];
	char manufacturer[4 * 32 + 1];
	char model[4 * 16 + 1];
	char serial[4 * 16 + 1];
	char hardware[8]; /* versions, "2.6" */
	char firmware[8];
	unsigned long flags;            /* CKF_*, as given */
	unsigned long pin_min, pin_max; /* octets */
	bool initialised, user_pin_set;
	bool pin_count_low, pin_final_try, pin_locked;
	bool so_pin_count_low, so_pin_final_try, so_pin_locked;
	bool protected_path, has_rng;
};

/*
 * The initialised token with this label and serial, either of which may be
 * NULL, but not both.  CA_R_TOKEN where there is none (the text lists those
 * that are there) or several.
 */
int token_find(struct module *module, const char *label, const char *serial,
    struct token **ret_token) MUST_USE;

/*
 * An uninitialised token: the only one, or the one in the slot whose token has
 * this serial.  CA_R_TOKEN otherwise; an initialised token is never taken.
 */
int token_find_blank(struct module *module, const char *serial,
    struct token **ret_token) MUST_USE;

/*
 * Initialise a blank token (C_InitToken), never one that is initialised
 * already: its state is read again just before.  label: 1 to 32 octets of
 * printable ASCII.  Afterwards the token is found again (its slot and serial
 * may have changed) and token_facts() holds the new ones.
 */
int token_initialise(struct token *token, const char *label,
    const struct secret *so_pin) MUST_USE;

/* Set the user PIN as the security officer (login, C_InitPIN, logout). */
int token_set_user_pin(struct token *token, const struct secret *so_pin,
    const struct secret *user_pin) MUST_USE;

/*
 * Change a PIN from the old one to the new one; tried once.  Nobody is logged in
 * before or after.  A wrong old PIN is CA_R_PIN.  To reset a forgotten user
 * PIN, the security officer uses token_set_user_pin().
 */
int token_change_so_pin(struct token *token, const struct secret *old_pin,
    const struct secret *new_pin) MUST_USE;
int token_change_user_pin(struct token *token, const struct secret *old_pin,
    const struct secret *new_pin) MUST_USE;

const struct token_facts *token_facts(const struct token *token);

/* Read CK_TOKEN_INFO again (after a failed login, say). */
int token_refresh(struct token *token) MUST_USE;

/*
 * Log in as the user, read-write, once.  The PIN's length is checked against
 * the token's; a locked PIN is refused before trying.  A wrong PIN is CA_R_PIN,
 * says what the token's flags say of tries left, and is never tried again by
 * itself.
 *
 * pin NULL: it is typed at the token itself, which has a protected
 * authentication path (facts: protected_path; CA_R_PIN where it has none).  So
 * may be the PINs of the functions above.
 */
int token_login(struct token *token, const struct secret *pin) MUST_USE;

/*
 * Log out and let libp11 cleanse its copy of the PIN.  All keys must have been
 * freed.  Fine if not logged in.
 */
void token_logout(struct token *token);

/*
 * `len` random octets: the system's XOR the token's (C_GenerateRandom), each
 * checked not to be constant (rules.md P11-RNG).
 */
int token_random(
    struct token *token, unsigned char *ret_bytes, size_t len) MUST_USE;

/* Does the token offer what generating and using this type of key needs? */
struct key_type;
int token_offers(struct token *token, const struct key_type *type) MUST_USE;

void token_free(struct token *token);
CLEANUP_DEFINE_PTR(token);

#endif
