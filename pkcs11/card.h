/*
 * An operator's own token or card, beside the authority's: found by a PKCS#11
 * URI (RFC 7512), logged in to for one use, and closed.
 *
 *   pkcs11:token=alice;serial=0123?module-path=/usr/lib/.../opensc-pkcs11.so
 *
 * module-path is needed and absolute; of token and serial at least one;
 * manufacturer and model are compared where they are there; id and object
 * choose among keys; type may be private.  Every other attribute is refused:
 * pin-value and pin-source because PINs are asked for.  For p11-kit-client.so,
 * the vendor attribute `x-server-address` names the server's socket
 * ("unix:path=/run/..."), because the environment's P11_KIT_SERVER_ADDRESS is
 * not listened to.
 *
 * The process ignores SIGPIPE: a server that goes away would end it.
 * p11-kit's client leaves a copy of the PIN in memory that it has freed; with
 * other modules none is left after card_free().
 */
#ifndef CA_PKCS11_CARD_H
#define CA_PKCS11_CARD_H

#include "base/cleanup.h"
#include "base/secret.h"
#include "pkcs11/token.h"

struct card;

/* Is the URI well-formed and complete?  CA_R_USAGE says what is wrong. */
int card_uri_check(const char *uri) MUST_USE;

/* What to call the card: "token 'LABEL'", or its serial; free(). */
int card_uri_name(const char *uri, char **ret_name) MUST_USE;

/*
 * Open module and token; CA_R_TOKEN where no such card is there.  `in_use` is
 * the module that this process has open for the authority, or NULL: where the
 * URI names the same library, that one is used and not finalised; the embedded
 * SoftHSM cannot serve twice (CA_R_MODULE says to use p11-kit server).  The
 * authority's token may be logged in or not, log in meanwhile, but not out.
 * One card is open at a time.
 */
int card_open(
    const char *uri, struct module *in_use, struct card **ret_card) MUST_USE;

/* label, serial, protected_path, pin_final_try ... */
const struct token_facts *card_facts(const struct card *card);

/*
 * Log in.  pin NULL: on the card's PIN pad (protected authentication path).
 * CA_R_PIN for a wrong one; never tried again by itself.  A key that wants its
 * PIN for each use (CKA_ALWAYS_AUTHENTICATE) is given the same one again, which
 * may then have 4 to 32 octets (a limit of libp11).
 */
int card_login(struct card *card, const struct secret *pin) MUST_USE;

/*
 * The private key whose public key is that of `certificate`, for OpenSSL's EVP
 * and CMS functions; CA_R_KEY where there is none, or several that id and
 * object do not tell apart.  The card's, valid until card_free(): whatever
 * refers to it (a CMS_ContentInfo, say) is freed before.  A card that shows no
 * public key shows a certificate with it: that the two belong together is
 * known when a signature verifies, no sooner.
 */
int card_key(struct card *card, X509 *certificate, EVP_PKEY **ret_key) MUST_USE;

/*
 * Make a key pair on the card, never to leave it: type "p-256" or "rsa-3072",
 * to sign, or to decrypt (RSA: DECRYPT; EC: DERIVE).  Label "NAME sign" or
 * "NAME decrypt".  CA_R_EXISTS where a key is called so, CA_R_TOKEN where the
 * token lacks the mechanism (p11-kit server passes no ECDH on).  *ret_key is the
 * card's; *ret_id its random CKA_ID.  A failure leaves nothing on the card.
 */
enum card_key_use { CARD_SIGN, CARD_DECRYPT };
int card_generate(struct card *card, const char *type, enum card_key_use use,
    const char *label, unsigned char ret_id[16], EVP_PKEY **ret_key) MUST_USE;

/*
 * Destroy what card_generate() and card_store_certificate() made under this id.
 * The EVP_PKEY lives on and is useless.
 */
int card_destroy(struct card *card, const unsigned char id[16]) MUST_USE;

/* Put a certificate beside its key, as cards have it.  CA_R_TOKEN. */
int card_store_certificate(struct card *card, const unsigned char id[16],
    const char *label, X509 *certificate) MUST_USE;

/* Logs out. */
void card_free(struct card *card);
CLEANUP_DEFINE_PTR(card);

#endif
