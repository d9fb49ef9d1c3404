#include "ceremony/quorum/operator-key.h"

#include <fcntl.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/quorum/operator-key-private.h"

CLEANUP_DEFINE(X509_SIG, X509_SIG_free);
CLEANUP_DEFINE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);
CLEANUP_DEFINE(PBE2PARAM, PBE2PARAM_free);
CLEANUP_DEFINE(PBKDF2PARAM, PBKDF2PARAM_free);

#define FILE_SCHEME "file:"
#define CARD_SCHEME "pkcs11:"

enum {
	FILE_MAX = 64 * 1024, /* octets of a key file */
	BLOCKS_MAX = 16,
	ROUNDS_MAX = 100000000, /* of PBKDF2: more is a mistake, or an attack */
};

struct operator_key {
	struct card *card; /* NULL: from a file */
	EVP_PKEY *evp;     /* the card's, or ours */
};

/* ---- References ---- */

static const char *
behind(const char *text, const char *scheme)
{
	size_t len = strlen(scheme);

	return strncmp(text, scheme, len) == 0 ? text + len : NULL;
}

int
key_reference_check(const char *reference)
{
	const char *path = behind(reference, FILE_SCHEME);

	if (path != NULL && path[0] == '\0')
		return ca_error(CA_R_USAGE,
		    "the key reference '%s' names no file", reference);
	if (path != NULL)
		return 0;
	if (behind(reference, CARD_SCHEME) != NULL)
		return card_uri_check(reference);
	return ca_error(CA_R_USAGE,
	    "the key reference '%.100s' begins neither with 'file:' nor with "
	    "'pkcs11:'",
	    reference);
}

/* ---- The blocks of a key file ---- */

struct blocks {
	X509_SIG *list[BLOCKS_MAX];
	size_t count;
};

static void
blocks_clear(struct blocks *blocks)
{
	for (size_t i = 0; i < blocks->count; i++)
		X509_SIG_free(blocks->list[i]);
	*blocks = (struct blocks){ 0 };
}

CLEANUP_DEFINE_STRUCT(blocks);

/* One block of PEM; all of it wiped, since it may hold a key in clear. */
struct pem {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void
pem_clear(struct pem *pem)
{
	OPENSSL_secure_free(pem->name);
	OPENSSL_secure_free(pem->header);
	OPENSSL_secure_clear_free(pem->data, (size_t)pem->len);
	*pem = (struct pem){ 0 };
}

CLEANUP_DEFINE_STRUCT(pem);

static int
weak(const char *path, const char *what)
{
	return ca_error(CA_R_POLICY,
	    "key file '%s' %s; write it anew with 'openssl pkcs8 -topk8 -v2 "
	    "aes-256-cbc -v2prf hmacWithSHA256 -iter 600000'",
	    path, what);
}

static bool
is_among(const ASN1_OBJECT *object, const int *nids, size_t count)
{
	int nid = OBJ_obj2nid(object);

	for (size_t i = 0; i < count; i++)
		if (nids[i] == nid)
			return true;
	return false;
}

static int
check_rounds(const char *path, const X509_ALGOR *kdf)
{
	AUTO(PBKDF2PARAM) *pbkdf2 = NULL;
	const ASN1_OBJECT *oid = NULL;
	const void *value = NULL;
	int64_t rounds = 0;
	int type = 0;

	X509_ALGOR_get0(&oid, &type, &value, kdf);
	if (OBJ_obj2nid(oid) != NID_id_pbkdf2)
		return 0;
	if (type == V_ASN1_SEQUENCE)
		pbkdf2 = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBKDF2PARAM));
	if (pbkdf2 == NULL ||
	    ASN1_INTEGER_get_int64(&rounds, pbkdf2->iter) != 1 || rounds < 1)
		return ca_error(CA_R_INPUT,
		    "key file '%s' has malformed parameters of PBKDF2 (RFC "
		    "8018, appendix A.2)",
		    path);
	if (rounds > ROUNDS_MAX)
		return ca_error(CA_R_INPUT,
		    "key file '%s' wants more than %d rounds of PBKDF2", path,
		    ROUNDS_MAX);
	return 0;
}

/*
 * PBES2 with a key derivation and a cipher of today (RFC 8018, section 6.2).
 * What fails to decrypt afterwards fails for its passphrase.
 */
static int
check_encryption(const char *path, const X509_SIG *block)
{
	static const int kdfs[] = { NID_id_pbkdf2, NID_id_scrypt };
	static const int ciphers[] = { NID_aes_128_cbc, NID_aes_192_cbc,
		NID_aes_256_cbc };
	AUTO(PBE2PARAM) *pbe2 = NULL;
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *oid = NULL;
	const void *value = NULL;
	int type = 0;

	X509_SIG_get0(block, &algorithm, NULL);
	X509_ALGOR_get0(&oid, &type, &value, algorithm);
	if (OBJ_obj2nid(oid) != NID_pbes2)
		return weak(path, "is encrypted by an old, weak scheme");
	if (type == V_ASN1_SEQUENCE)
		pbe2 = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
	if (pbe2 == NULL)
		return ca_error(CA_R_INPUT,
		    "key file '%s' has malformed parameters of PBES2 (RFC "
		    "8018, appendix A.4)",
		    path);
	if (!is_among(pbe2->keyfunc->algorithm, kdfs, 2) ||
	    !is_among(pbe2->encryption->algorithm, ciphers, 3))
		return weak(path,
		    "is not encrypted with AES under PBKDF2 or "
		    "scrypt");
	return check_rounds(path, pbe2->keyfunc);
}

static int
add_block(const char *path, const struct pem *pem, struct blocks *blocks)
{
	AUTO(X509_SIG) *block = NULL;
	const unsigned char *p = pem->data;

	block = d2i_X509_SIG(NULL, &p, pem->len);
	if (block == NULL || p != pem->data + pem->len)
		return ca_error(CA_R_INPUT,
		    "key file '%s' has a malformed EncryptedPrivateKeyInfo "
		    "(RFC 5958, section 3)",
		    path);
	if (check_encryption(path, block) != 0)
		return -1;
	if (blocks->count == BLOCKS_MAX)
		return ca_error(CA_R_INPUT,
		    "key file '%s' has more than %d keys", path, BLOCKS_MAX);
	blocks->list[blocks->count++] = TAKE(block);
	return 0;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int
take_pem(const char *path, const struct pem *pem, struct blocks *blocks)
{
	/* Certificates and curve parameters are no concern. */
	if (!ends_with(pem->name, "PRIVATE KEY"))
		return 0;
	if (strcmp(pem->name, PEM_STRING_PKCS8) == 0 && pem->header[0] == '\0')
		return add_block(path, pem, blocks);
	if (pem->header[0] != '\0')
		return weak(path,
		    "is encrypted in the old way of OpenSSL (Proc-Type), "
		    "which derives its key with one round of MD5");
	return weak(path, "holds a key that is not encrypted");
}

/* 1: a block; 0: the end; -1: an error. */
static int
next_pem(const char *path, BIO *bio, struct pem *ret_pem)
{
	unsigned long code = 0;

	(void)ERR_set_mark();
	if (PEM_read_bio_ex(bio, &ret_pem->name, &ret_pem->header,
		&ret_pem->data, &ret_pem->len, PEM_FLAG_SECURE) == 1) {
		(void)ERR_clear_last_mark();
		return 1;
	}
	code = ERR_peek_last_error();
	(void)ERR_pop_to_mark();
	if (ERR_GET_LIB(code) == ERR_LIB_PEM &&
	    ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
		return 0;
	return ca_error(CA_R_INPUT,
	    "key file '%s' is truncated or is malformed PEM (RFC 7468)", path);
}

static int
parse_blocks(const char *path, BIO *bio, struct blocks *blocks)
{
	for (;;) {
		AUTO_STRUCT(pem) pem = { 0 };
		int there = next_pem(path, bio, &pem);

		if (there < 0)
			return -1;
		if (there == 0)
			break;
		if (take_pem(path, &pem, blocks) != 0)
			return -1;
	}
	if (blocks->count == 0)
		return ca_error(CA_R_INPUT,
		    "file '%s' holds no 'ENCRYPTED PRIVATE KEY' in PEM", path);
	return 0;
}

static int
read_blocks(const char *path, struct blocks *ret_blocks)
{
	AUTO_STRUCT(blocks) blocks = { 0 };
	AUTO_BYTES(data) = NULL;
	AUTO(BIO) *bio = NULL;
	size_t len = 0;
	int result = 0;

	if (file_read_at(AT_FDCWD, path, FILE_MAX, &data, &len) != 0)
		return -1;
	bio = BIO_new_mem_buf(data, (int)len);
	result = bio != NULL
	    ? parse_blocks(path, bio, &blocks)
	    : ca_error(CA_R_MEMORY, "no memory for a key file");
	/* It may hold a key in clear. */
	OPENSSL_cleanse(data, len);
	if (result != 0)
		return -1;
	*ret_blocks = blocks;
	blocks.count = 0;
	return 0;
}

/* ---- Decrypting them ---- */

/*
 * NULL where the passphrase does not open the block.  PKCS8_PRIV_KEY_INFO_free
 * wipes what was decrypted; of the key itself OpenSSL keeps the private numbers
 * in the secure heap.
 */
static EVP_PKEY *
decrypt_block(const X509_SIG *block, const struct secret *passphrase)
{
	AUTO(PKCS8_PRIV_KEY_INFO) *info = NULL;
	EVP_PKEY *key = NULL;

	(void)ERR_set_mark();
	info = PKCS8_decrypt(block, passphrase->bytes, (int)passphrase->len);
	if (info != NULL)
		key = EVP_PKCS82PKEY(info);
	(void)ERR_pop_to_mark();
	return key;
}

/* A file of operator_new() has the signing key first. */
static size_t
likely_block(X509 *certificate, const struct blocks *blocks)
{
	uint32_t usage = X509_get_key_usage(certificate);

	return (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0
	    ? blocks->count - 1
	    : 0;
}

/* The common name, for messages; free(). */
static char *
certificate_name(X509 *certificate)
{
	char text[128] = "";

	if (X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
		NID_commonName, text, sizeof(text)) < 0)
		text[0] = '\0';
	return text_printf("the certificate of '%s'", text);
}

static int
not_there(const char *path, X509 *certificate, bool opened)
{
	AUTO_CHARS(name) = certificate_name(certificate);

	if (name == NULL)
		return -1;
	if (!opened)
		return ca_error(CA_R_PIN,
		    "the passphrase of key file '%s' is wrong, or the file is "
		    "damaged",
		    path);
	return ca_error(CA_R_KEY,
	    "key file '%s' does not have the private key of %s; is it the "
	    "right file?",
	    path, name);
}

static int
find_block(const char *path, X509 *certificate, const struct blocks *blocks,
    const struct secret *passphrase, EVP_PKEY **ret_key)
{
	const EVP_PKEY *public = X509_get0_pubkey(certificate);
	size_t first = likely_block(certificate, blocks);
	bool opened = false;

	if (public == NULL)
		return ca_error(
		    CA_R_INPUT, "the certificate has no usable public key");
	for (size_t i = 0; i < blocks->count; i++) {
		AUTO(EVP_PKEY) *key = decrypt_block(
		    blocks->list[(first + i) % blocks->count], passphrase);

		if (key == NULL)
			continue;
		opened = true;
		if (EVP_PKEY_eq(key, public) == 1) {
			*ret_key = TAKE(key);
			return 0;
		}
	}
	return not_there(path, certificate, opened);
}

/* One passphrase, asked for and tried. */
static int
ask_and_find(const char *path, X509 *certificate, const struct blocks *blocks,
    const struct key_asker *asker, EVP_PKEY **ret_key)
{
	AUTO_STRUCT(secret) passphrase = { 0 };

	if (asker->passphrase(asker->ctx, path, &passphrase) != 0)
		return -1;
	return find_block(path, certificate, blocks, &passphrase, ret_key);
}

static int
open_file(const char *path, X509 *certificate, const struct key_asker *asker,
    EVP_PKEY **ret_key)
{
	AUTO_STRUCT(blocks) blocks = { 0 };

	if (read_blocks(path, &blocks) != 0)
		return -1;
	while (ask_and_find(path, certificate, &blocks, asker, ret_key) != 0) {
		/* Anything but a wrong passphrase no further try mends. */
		if (ca_error_reason() != CA_R_PIN ||
		    asker->again(asker->ctx, path) != 0)
			return -1;
		ca_error_clear();
	}
	return 0;
}

/* ---- Cards ---- */

static int
insert_card(const char *uri, struct module *in_use,
    const struct key_asker *asker, struct card **ret_card)
{
	AUTO_CHARS(name) = NULL;

	if (card_uri_name(uri, &name) != 0)
		return -1;
	while (card_open(uri, in_use, ret_card) != 0) {
		if (ca_error_reason() != CA_R_TOKEN ||
		    asker->insert(asker->ctx, name) != 0)
			return -1;
		ca_error_clear();
	}
	return 0;
}

/* One login, with a PIN asked for. */
static int
ask_and_login(struct card *card, const struct key_asker *asker)
{
	const struct token_facts *facts = card_facts(card);
	AUTO_STRUCT(secret) pin = { 0 };

	if (facts->pin_locked)
		return ca_error(CA_R_PIN,
		    "the PIN of token '%s' is locked; the card's own tools "
		    "unlock it",
		    facts->label);
	if (facts->protected_path) {
		if (asker->pin_pad(
			asker->ctx, facts->label, facts->pin_final_try) != 0)
			return -1;
		return card_login(card, NULL);
	}
	if (asker->card_pin(
		asker->ctx, facts->label, facts->pin_final_try, &pin) != 0)
		return -1;
	return card_login(card, &pin);
}

int
operator_card_open(const char *uri, struct module *in_use,
    const struct key_asker *asker, struct card **ret_card)
{
	AUTO_PTR(card) *card = NULL;
	const struct token_facts *facts = NULL;

	if (insert_card(uri, in_use, asker, &card) != 0)
		return -1;
	facts = card_facts(card);
	while (ask_and_login(card, asker) != 0) {
		if (ca_error_reason() != CA_R_PIN || facts->pin_locked ||
		    asker->again(asker->ctx, facts->label) != 0)
			return -1;
		ca_error_clear();
	}
	*ret_card = TAKE(card);
	return 0;
}

/* ---- Either of them ---- */

static int
card_key_error(const struct card *card, X509 *certificate)
{
	AUTO_CHARS(name) = NULL;

	if (ca_error_reason() != CA_R_KEY)
		return -1;
	name = certificate_name(certificate);
	if (name == NULL)
		return -1;
	return ca_error(CA_R_KEY, "card '%s' cannot be used as the key of %s",
	    card_facts(card)->label, name);
}

int
operator_key_open(const char *reference, X509 *certificate,
    struct module *in_use, const struct key_asker *asker,
    struct operator_key **ret_key)
{
	AUTO_PTR(operator_key) *key = calloc(1, sizeof(*key));
	const char *path = behind(reference, FILE_SCHEME);

	if (key == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a key");
	if (key_reference_check(reference) != 0)
		return -1;
	if (path != NULL) {
		if (open_file(path, certificate, asker, &key->evp) != 0)
			return -1;
		*ret_key = TAKE(key);
		return 0;
	}
	if (operator_card_open(reference, in_use, asker, &key->card) != 0)
		return -1;
	if (card_key(key->card, certificate, &key->evp) != 0)
		return card_key_error(key->card, certificate);
	*ret_key = TAKE(key);
	return 0;
}

EVP_PKEY *
operator_key_evp(const struct operator_key *key)
{
	return key->evp;
}

void
operator_key_free(struct operator_key *key)
{
	if (key->card != NULL)
		card_free(key->card);
	else
		EVP_PKEY_free(key->evp);
	free(key);
}
