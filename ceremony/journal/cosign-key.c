/* A witness's private key: Ed25519 in PKCS#8 (RFC 8410), in PEM. */
#include <fcntl.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "base/error.h"
#include "base/file.h"
#include "ceremony/journal/cosign-private.h"

CLEANUP_DEFINE(X509_SIG, X509_SIG_free);
CLEANUP_DEFINE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);

#define HOW_TO_MAKE_ONE \
	"make one with 'openssl genpkey -algorithm ed25519 -aes256 -out FILE'"

enum { FILE_MAX_BYTES = 64 * 1024 };

/* One block of PEM; all of it wiped, since it may hold a key in clear. */
struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void
block_clear(struct block *block)
{
	OPENSSL_secure_free(block->name);
	OPENSSL_secure_free(block->header);
	OPENSSL_secure_clear_free(block->data, (size_t)block->len);
	*block = (struct block){ 0 };
}
CLEANUP_DEFINE_STRUCT(block);

/* ---- reading ---------------------------------------------------------- */

static int
unfit(const char *path, const char *what)
{
	return ca_error(CA_R_KEY,
	    "key file '%s' %s; a witness signs with an Ed25519 key: " HOW_TO_MAKE_ONE,
	    path, what);
}

static bool
is_private_key(const char *name)
{
	static const char end[] = "PRIVATE KEY";
	size_t len = strlen(name), end_len = sizeof(end) - 1;

	return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

/* 1: a block; 0: the end, or no more PEM. */
static int
next_block(BIO *bio, struct block *ret_block)
{
	int there;

	(void)ERR_set_mark();
	there = PEM_read_bio_ex(bio, &ret_block->name, &ret_block->header,
	    &ret_block->data, &ret_block->len, PEM_FLAG_SECURE);
	(void)ERR_pop_to_mark();
	return there == 1 ? 1 : 0;
}

/* The first private key; two would be a riddle. */
static int
find_block(const char *path, BIO *bio, struct block *ret_block)
{
	for (;;) {
		AUTO_STRUCT(block) block = { 0 };

		if (next_block(bio, &block) == 0)
			break;
		if (!is_private_key(block.name))
			continue;
		if (ret_block->name != NULL)
			return unfit(path, "holds more than one private key");
		*ret_block = block;
		block = (struct block){ 0 };
	}
	if (ret_block->name == NULL)
		return unfit(path, "holds no private key in PEM");
	if (ret_block->header[0] != '\0' ||
	    (strcmp(ret_block->name, PEM_STRING_PKCS8) != 0 &&
		strcmp(ret_block->name, PEM_STRING_PKCS8INF) != 0))
		return unfit(path, "holds a key that is not in PKCS#8");
	return 0;
}

static int
read_block(const char *path, struct block *ret_block)
{
	AUTO_STRUCT(block) block = { 0 };
	AUTO_BYTES(data) = NULL;
	AUTO(BIO) *bio = NULL;
	size_t len = 0;
	int ret;

	if (file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &data, &len) != 0)
		return -1;
	bio = BIO_new_mem_buf(data, (int)len);
	ret = bio != NULL ? find_block(path, bio, &block)
			  : ca_error(CA_R_MEMORY, "no memory for a key file");
	OPENSSL_cleanse(data, len);
	if (ret != 0)
		return -1;
	*ret_block = block;
	block = (struct block){ 0 };
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

static int
take_info(const char *path, const PKCS8_PRIV_KEY_INFO *info, EVP_PKEY **ret_key)
{
	AUTO(EVP_PKEY) *key = NULL;

	(void)ERR_set_mark();
	key = EVP_PKCS82PKEY(info);
	(void)ERR_pop_to_mark();
	if (key == NULL)
		return unfit(path, "holds no key that can be read");
	if (EVP_PKEY_is_a(key, "ED25519") != 1)
		return unfit(path, "holds a key of another type");
	*ret_key = TAKE(key);
	return 0;
}

static int
open_plain(const char *path, const struct block *block,
    struct findings *findings, EVP_PKEY **ret_key)
{
	AUTO(PKCS8_PRIV_KEY_INFO) *info = NULL;
	const unsigned char *p = block->data;

	info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, block->len);
	if (info == NULL || p != block->data + block->len)
		return unfit(path, "holds a malformed key");
	if (take_info(path, info, ret_key) != 0)
		return -1;
	findings_add(findings, FINDING_WARNING, "COSIGN-KEY-PLAIN", path, NULL,
	    "the key is not encrypted: whoever reads the file can sign as this "
	    "witness; 'openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW' "
	    "puts a passphrase on it");
	return 0;
}

/* One passphrase, asked for and tried. */
static int
try_passphrase(const char *path, const X509_SIG *sealed,
    const struct cosign_asker *asker, EVP_PKEY **ret_key)
{
	AUTO(PKCS8_PRIV_KEY_INFO) *info = NULL;
	AUTO_STRUCT(secret) passphrase = { 0 };

	if (asker->passphrase(asker->ctx, path, &passphrase) != 0)
		return -1;
	(void)ERR_set_mark();
	info = PKCS8_decrypt(sealed, passphrase.bytes, (int)passphrase.len);
	(void)ERR_pop_to_mark();
	if (info == NULL)
		return ca_error(CA_R_PIN,
		    "the passphrase of key file '%s' is wrong, or the file is "
		    "damaged",
		    path);
	return take_info(path, info, ret_key);
}

static int
open_sealed(const char *path, const struct block *block,
    const struct cosign_asker *asker, EVP_PKEY **ret_key)
{
	AUTO(X509_SIG) *sealed = NULL;
	const unsigned char *p = block->data;

	sealed = d2i_X509_SIG(NULL, &p, block->len);
	if (sealed == NULL || p != block->data + block->len)
		return unfit(path, "holds a malformed key");
	while (try_passphrase(path, sealed, asker, ret_key) != 0) {
		/* Anything but a wrong passphrase no further try mends. */
		if (ca_error_reason() != CA_R_PIN ||
		    asker->again(asker->ctx, path) != 0)
			return -1;
		ca_error_clear();
	}
	return 0;
}

int
witness_key_open(const char *path, const struct cosign_asker *asker,
    struct findings *findings, EVP_PKEY **ret_key)
{
	AUTO_STRUCT(block) block = { 0 };

	if (read_block(path, &block) != 0)
		return -1;
	return strcmp(block.name, PEM_STRING_PKCS8) == 0
	    ? open_sealed(path, &block, asker, ret_key)
	    : open_plain(path, &block, findings, ret_key);
}
