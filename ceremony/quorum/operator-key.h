/*
 * The private keys of operators, where they are, and what opens them.
 *
 * A key reference is
 *   file:PATH           a PEM file with one or more keys in PKCS#8, each
 *                       encrypted with a passphrase (ENCRYPTED PRIVATE KEY)
 *   pkcs11:...          a PKCS#11 URI (RFC 7512) with module-path, and token
 *                       and/or serial; id and object where the token has more
 *                       keys than one with that public key (pkcs11/card.h)
 * The key is the one whose public key is the certificate's: one reference
 * serves for signing and for decryption.
 *
 * A key is open for one use only: its passphrase or card PIN is asked for each
 * time, and forgotten.
 */
#ifndef CA_QUORUM_OPERATOR_KEY_H
#define CA_QUORUM_OPERATOR_KEY_H

#include <stdbool.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "base/secret.h"

struct operator_key;
struct module;

/* Who asks people.  Each returns 0, or -1 with a reason raised. */
struct key_asker {
	void *ctx;
	/* The passphrase of the key file `path`. */
	int (*passphrase)(
	    void *ctx, const char *path, struct secret *ret_passphrase);
	/*
	 * The PIN of a card.  final_try: a wrong one locks the card, which is
	 * said, and whether to go on is asked first.
	 */
	int (*card_pin)(void *ctx, const char *card, bool final_try,
	    struct secret *ret_pin);
	/* The card has a PIN pad: say that the PIN is to be typed there. */
	int (*pin_pad)(void *ctx, const char *card, bool final_try);
	/* The card is not there: ask for it, wait until people say it is. */
	int (*insert)(void *ctx, const char *card);
	/*
	 * A passphrase or PIN was wrong (the newest error says how): one more
	 * try?  -1: no, with that error left as it is.
	 */
	int (*again)(void *ctx, const char *what);
};

/* Is it well-formed?  CA_R_USAGE says what is wrong. */
int key_reference_check(const char *reference) MUST_USE;

/*
 * Open the key of `certificate`.  `in_use`: the module that the process holds
 * open for the authority's token, or NULL (card.h).  A wrong passphrase or PIN
 * is CA_R_PIN; a file or card without this key CA_R_KEY, and says whose it is
 * not; an unencrypted or weakly encrypted key file is refused, CA_R_POLICY.
 * Whenever asker->again() or asker->insert() says yes, the error queue is
 * emptied and it is tried once more.
 */
int operator_key_open(const char *reference, X509 *certificate,
    struct module *in_use, const struct key_asker *asker,
    struct operator_key **ret_key) MUST_USE;

/*
 * Valid until operator_key_free(): whatever refers to a card's key (a
 * CMS_ContentInfo, say) is freed before.
 */
EVP_PKEY *operator_key_evp(const struct operator_key *key);

/* Wipes it; logs out of a card. */
void operator_key_free(struct operator_key *key);
CLEANUP_DEFINE_PTR(operator_key);

/* ---- making them ------------------------------------------------------ */

enum {
	PASSPHRASE_MIN = 12,       /* characters */
	PASSPHRASE_ROUNDS = 600000 /* of PBKDF2-HMAC-SHA256 */
};

struct new_operator {
	const char *name; /* text_is_name() */
	const char *type; /* "p-256" or "rsa-3072" */
	/* NULL: a key file NAME.key; else a pkcs11: URI of the card. */
	const char *card;
	bool sign_only; /* a witness, or a set without shares */
};

/*
 * Make a signing and a decryption key, and certificates for them without an end
 * date (notAfter 99991231235959Z, RFC 5280, section 4.1.2.5): NAME.sign.crt,
 * NAME.decrypt.crt and, without a card, NAME.key in `dirfd`; with one, the
 * certificates lie on the card as well, under the labels "NAME sign" and "NAME
 * decrypt".  The signing key signs both certificates, since on a card a
 * decryption key may not sign: the one for decryption has the issuer's name as
 * its own, and its authorityKeyIdentifier is that of the signing key.
 *
 * Nothing that exists is overwritten (CA_R_EXISTS, checked first); a failure
 * leaves no file, and no key on the card.  `passphrase` is for the key file:
 * NULL with a card, whose PIN `asker` gets; CA_R_PIN where it is too short.
 */
int operator_new(int dirfd, const struct new_operator *order,
    const struct secret *passphrase, const struct key_asker *asker) MUST_USE;

#endif
