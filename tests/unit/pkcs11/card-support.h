/*
 * Operators' cards for tests: a SoftHSM token in a directory of its own, which
 * p11-kit server gives to this process.  Ending the server is pulling the card.
 */
#ifndef TESTS_PKCS11_CARD_SUPPORT_H
#define TESTS_PKCS11_CARD_SUPPORT_H

#include <openssl/cms.h>
#include <openssl/x509.h>

#include "pkcs11/card.h"
#include "support.h"

struct server {
	pid_t pid;
	char uri[512]; /* token, module-path and x-server-address */
};

/* Make DIR/NAME with a token called NAME in it (USER_PIN, SO_PIN). */
void card_make(const char *dir, const char *name);

/* Serve the token NAME until server_stop(), or this process ends. */
void server_start(const char *dir, const char *name, struct server *ret_server);
void server_stop(struct server *server);

/* The SoftHSM library itself as NAME's module; for one card in a process. */
const char *direct_uri(const char *dir, const char *name);

/* card_open() and card_login() with USER_PIN. */
struct card *must_open(const char *uri, struct module *in_use);

/*
 * A certificate for `key`'s public half, made with a key of its own: what is in
 * it but the public key matters to nobody here.  `usage`: KeyUsage, or -1.
 */
X509 *certificate_of(EVP_PKEY *key, const char *name, int usage_bit);

/* A signature over a digest verifies with the certificate's key. */
void must_sign(EVP_PKEY *key, X509 *certificate);

/* CMS_sign(), CMS_verify(). */
void must_sign_cms(EVP_PKEY *key, X509 *certificate);

/* CMS AuthEnvelopedData (RSA: OAEP) to the certificate, and CMS_decrypt(). */
void must_decrypt_cms(EVP_PKEY *key, X509 *certificate);

#endif
