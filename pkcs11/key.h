/*
 * A key on a token: an EVP_PKEY, its SubjectPublicKeyInfo, and what the token
 * says of it.  The attributes are the module's own statement: on SoftHSM they
 * can be forged by editing a file.
 */
#ifndef CA_PKCS11_KEY_H
#define CA_PKCS11_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "base/findings.h"
#include "pkcs11/token.h"

enum { KEY_ID_LEN = 16 };

struct key;

enum attribute_state {
	ATTRIBUTE_FALSE,
	ATTRIBUTE_TRUE,
	ATTRIBUTE_ABSENT, /* the module does not know it */
};

/*
 * One attribute of the private key, as read back.  The table of all of them
 * is in key.c: {name, CKA_*, what it must be, is it needed}.
 */
struct attribute {
	const char *name; /* "CKA_NEVER_EXTRACTABLE" */
	enum attribute_state state;
};

struct key_statement {
	const struct attribute *attributes; /* boolean ones, in table order */
	size_t count;
	const char *label; /* escaped */
	const unsigned char *id;
	size_t id_len;
	unsigned long generation_mechanism; /* CKM_*, or ~0 */
	const char
	    *module_quirk; /* accepted deviation of the module, or NULL */
};

/*
 * Generate a pair with complete templates: private TOKEN, PRIVATE, SENSITIVE,
 * SIGN; not EXTRACTABLE, DECRYPT, UNWRAP, DERIVE, SIGN_RECOVER, MODIFIABLE,
 * COPYABLE; RSA exponent 65537.  The caller has journalled `id` before.
 * The pair is then looked up again and checked as by key_find().
 * CA_R_KEY if `id` or `label` is in use on the token.
 * On failure there may be objects with `id`: the caller runs key_destroy().
 */
int key_generate(struct token *token, const struct key_type *type,
    const char *label, const unsigned char id[KEY_ID_LEN],
    struct key **ret_key) MUST_USE;

/* CA_R_KEY if a key on the token is called so. */
int key_label_check(struct token *token, const char *label) MUST_USE;

/*
 * Find a pair by CKA_ID and class: exactly one private and one public object,
 * and its label on no other private key; read back every attribute; refuse
 * (CA_R_KEY, one finding for each thing wrong) a key that is not LOCAL,
 * PRIVATE, SENSITIVE, ALWAYS_SENSITIVE, NEVER_EXTRACTABLE, is EXTRACTABLE, or
 * may do anything but sign.  The result is kept for this login: a second call
 * does not ask the token again, unless key_forget_checks() was called.
 */
int key_find(struct token *token, const unsigned char *id, size_t id_len,
    struct findings *findings, struct key **ret_key) MUST_USE;

/*
 * The pair with this public key, whatever its CKA_ID: for a key that another
 * program made.  Judged as by key_find(); CA_R_KEY where there is none, or
 * several.
 */
int key_find_spki(struct token *token, const unsigned char *spki,
    size_t spki_len, struct findings *findings, struct key **ret_key) MUST_USE;

/* Drop what was read: after any error, attributes are read again. */
void key_forget_checks(struct token *token);

/*
 * Destroy every object with this CKA_ID, whole pairs and orphan halves.
 * Nothing there is success; *ret_count, where not NULL, tells how many.
 */
int key_destroy(struct token *token, const unsigned char *id, size_t id_len,
    unsigned *ret_count) MUST_USE;

/*
 * Walk all private keys on the token, in no order, fit or not; for
 * `key list`.  `fault` is NULL for a fit key, else why it is refused.
 */
int key_each(struct token *token,
    int (*visit)(void *ctx, const struct key_statement *statement,
	const char *type, const char *fault),
    void *ctx) MUST_USE;

const struct key_statement *key_statement(const struct key *key);
const struct key_type *key_type(const struct key *key);

/* DER SubjectPublicKeyInfo from the token's public object; key's memory. */
void key_spki(
    const struct key *key, const unsigned char **ret_spki, size_t *ret_len);

/* The private key for OpenSSL; the key's, valid until key_free(). */
EVP_PKEY *key_evp(const struct key *key);

void key_free(struct key *key);
CLEANUP_DEFINE_PTR(key);

#endif
