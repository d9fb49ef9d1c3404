#include <string.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/algorithm.h"
#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/quorum/operator-key-private.h"

CLEANUP_DEFINE(X509_SIG, X509_SIG_free);
CLEANUP_DEFINE(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free);
CLEANUP_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING_free);

enum {
	ROLES = 2,
	SALT_LEN = 16,
	SERIAL_LEN = 20,
	KEY_ID_DIGEST_LEN = 20, /* RFC 7093, section 2, method 1 */
};

/* The two pairs of an operator; the first signs both certificates. */
static const struct role {
	const char *suffix; /* "NAME.sign.crt" */
	const char *label;  /* "NAME sign" */
	enum card_key_use use;
} roles[ROLES] = {
	{ "sign", "sign", CARD_SIGN },
	{ "decrypt", "decrypt", CARD_DECRYPT },
};

/* What is being made. */
struct made {
	const struct new_operator *order;
	int dirfd;
	size_t count; /* 1 or 2 roles */
	const struct key_type *type;
	struct card *card;            /* or NULL */
	EVP_PKEY *keys[ROLES];        /* the card's, or ours */
	unsigned char ids[ROLES][16]; /* on the card */
	size_t on_card;               /* how many of them */
	X509 *certificates[ROLES];
	char *written[ROLES + 1]; /* names of files */
	size_t written_count;
};

/* Frees only; a failure is undone by made_undo() before. */
static void
made_clear(struct made *made)
{
	for (size_t i = 0; i < ROLES; i++) {
		X509_free(made->certificates[i]);
		if (made->card == NULL)
			EVP_PKEY_free(made->keys[i]);
	}
	for (size_t i = 0; i < made->written_count; i++)
		free(made->written[i]);
	if (made->card != NULL)
		card_free(made->card);
	*made = (struct made){ 0 };
}

CLEANUP_DEFINE_STRUCT(made);

/* ---- Checks before anything is made ---- */

static size_t
characters(const struct secret *passphrase)
{
	size_t count = 0;

	if (!text_is_utf8(passphrase->bytes, passphrase->len))
		return passphrase->len;
	for (size_t i = 0; i < passphrase->len; i++)
		if (((unsigned char)passphrase->bytes[i] & 0xc0) != 0x80)
			count++;
	return count;
}

static int
check_passphrase(const struct secret *passphrase)
{
	if (passphrase == NULL || passphrase->bytes == NULL)
		return ca_error(CA_R_PIN,
		    "a key file needs a passphrase, and none is given");
	if (characters(passphrase) < PASSPHRASE_MIN)
		return ca_error(CA_R_PIN,
		    "the passphrase is too short; it needs at least %d "
		    "characters",
		    PASSPHRASE_MIN);
	return 0;
}

static int
check_order(const struct new_operator *order, const struct secret *passphrase)
{
	if (!text_is_name(order->name))
		return ca_error(CA_R_USAGE,
		    "'%s' is no name for an operator; use up to 64 of a-z 0-9 "
		    ". _ -",
		    order->name);
	if (strcmp(order->type, "p-256") != 0 &&
	    strcmp(order->type, "rsa-3072") != 0)
		return ca_error(CA_R_USAGE,
		    "key type '%s' is not for operators; use p-256 or rsa-3072",
		    order->type);
	if (order->card != NULL)
		return card_uri_check(order->card);
	return check_passphrase(passphrase);
}

static char *
certificate_name(const struct made *made, size_t role)
{
	return text_printf("%s.%s.crt", made->order->name, roles[role].suffix);
}

static char *
key_name(const struct made *made)
{
	return text_printf("%s.key", made->order->name);
}

static int
refuse_existing(int dirfd, const char *name)
{
	int there = name != NULL ? file_exists_at(dirfd, name) : -1;

	if (there < 0)
		return -1;
	if (there == 1)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists; nothing was made; move it away or take "
		    "another name",
		    name);
	return 0;
}

static int
refuse_outputs(const struct made *made)
{
	AUTO_CHARS(key) = key_name(made);

	for (size_t i = 0; i < made->count; i++) {
		AUTO_CHARS(name) = certificate_name(made, i);

		if (refuse_existing(made->dirfd, name) != 0)
			return -1;
	}
	return made->order->card != NULL ? 0
					 : refuse_existing(made->dirfd, key);
}

/* ---- Keys ---- */

static int
make_file_keys(struct made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		made->keys[i] = made->type->family == KEY_RSA
		    ? EVP_RSA_gen(made->type->bits)
		    : EVP_EC_gen(OBJ_nid2sn(made->type->curve_nid));
		if (made->keys[i] == NULL)
			return ca_error(CA_R_INTERNAL,
			    "a key of type %s cannot be made",
			    made->type->name);
	}
	return 0;
}

static int
make_card_keys(struct made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		AUTO_CHARS(label) =
		    text_printf("%s %s", made->order->name, roles[i].label);

		if (label == NULL ||
		    card_generate(made->card, made->type->name, roles[i].use,
			label, made->ids[i], &made->keys[i]) != 0)
			return -1;
		made->on_card = i + 1;
	}
	return 0;
}

/* ---- Certificates ---- */

/*
 * Encoded and parsed: a certificate that holds a token's EVP_PKEY cannot be
 * encrypted to.
 */
static int
set_public(X509 *certificate, EVP_PKEY *key)
{
	AUTO_DER(der) = NULL;
	AUTO(EVP_PKEY) *own = NULL;
	int len = i2d_PUBKEY(key, &der);
	const unsigned char *p = der;

	if (len > 0)
		own = d2i_PUBKEY(NULL, &p, len);
	if (own == NULL || X509_set_pubkey(certificate, own) != 1)
		return ca_error(
		    CA_R_INTERNAL, "a public key cannot be encoded");
	return 0;
}

/* 159 random bits; the 160th would make it negative. */
static int
set_serial(X509 *certificate)
{
	unsigned char bytes[SERIAL_LEN];
	AUTO(BIGNUM) *number = NULL;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return ca_error(
		    CA_R_INTERNAL, "the system gives no random octets");
	bytes[0] &= 0x7f;
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	if (number == NULL ||
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) ==
		NULL)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	return 0;
}

static int
set_dates(X509 *certificate)
{
	AUTO(ASN1_TIME) *now = NULL;

	if (date_to_asn1(date_now(), &now) != 0)
		return -1;
	/* RFC 5280, section 4.1.2.5: no well-defined expiration date. */
	if (X509_set1_notBefore(certificate, now) != 1 ||
	    ASN1_TIME_set_string(
		X509_getm_notAfter(certificate), "99991231235959Z") != 1)
		return ca_error(CA_R_INTERNAL, "a date cannot be encoded");
	return 0;
}

static int
set_names(X509 *certificate, const char *name)
{
	AUTO(X509_NAME) *subject = X509_NAME_new();

	/* The signing certificate's subject is the same name. */
	if (subject == NULL ||
	    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0) != 1 ||
	    X509_set_subject_name(certificate, subject) != 1 ||
	    X509_set_issuer_name(certificate, subject) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	return 0;
}

/* Bits of KeyUsage (RFC 5280, section 4.2.1.3). */
static int
usage_bit(const struct made *made, size_t role)
{
	enum { DIGITAL_SIGNATURE = 0, KEY_ENCIPHERMENT = 2, KEY_AGREEMENT = 4 };

	if (roles[role].use == CARD_SIGN)
		return DIGITAL_SIGNATURE;
	return made->type->family == KEY_RSA ? KEY_ENCIPHERMENT : KEY_AGREEMENT;
}

static int
key_digest(const X509 *certificate, ASN1_OCTET_STRING **ret_id)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	AUTO(ASN1_OCTET_STRING) *id = ASN1_OCTET_STRING_new();

	if (id == NULL ||
	    X509_pubkey_digest(certificate, EVP_sha256(), digest, &len) != 1 ||
	    ASN1_OCTET_STRING_set(id, digest, KEY_ID_DIGEST_LEN) != 1)
		return ca_error(CA_R_INTERNAL, "a public key has no digest");
	*ret_id = TAKE(id);
	return 0;
}

/* The issuer has the subject's name: the key identifiers tell them apart. */
static int
set_extensions(const struct made *made, size_t role, X509 *certificate)
{
	AUTO(ASN1_BIT_STRING) *usage = ASN1_BIT_STRING_new();
	AUTO(ASN1_OCTET_STRING) *id = NULL;
	AUTO(AUTHORITY_KEYID) *authority = AUTHORITY_KEYID_new();
	const X509 *issuer = role == 0 ? certificate : made->certificates[0];

	if (key_digest(certificate, &id) != 0)
		return -1;
	if (authority == NULL || key_digest(issuer, &authority->keyid) != 0)
		return -1;
	if (usage == NULL ||
	    ASN1_BIT_STRING_set_bit(usage, usage_bit(made, role), 1) != 1 ||
	    X509_add1_ext_i2d(certificate, NID_key_usage, usage, 1,
		X509V3_ADD_DEFAULT) != 1 ||
	    X509_add1_ext_i2d(certificate, NID_subject_key_identifier, id, 0,
		X509V3_ADD_DEFAULT) != 1 ||
	    X509_add1_ext_i2d(certificate, NID_authority_key_identifier,
		authority, 0, X509V3_ADD_DEFAULT) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	return 0;
}

/* Signed by the signing key; what a card gives out is verified. */
static int
sign_certificate(const struct made *made, X509 *certificate)
{
	AUTO_DER(der) = NULL;
	AUTO(X509) *again = NULL;
	AUTO(EVP_PKEY) *public = NULL;
	const unsigned char *p = NULL;
	int len = 0;

	if (X509_sign(certificate, made->keys[0], EVP_sha256()) <= 0)
		return ca_error(CA_R_KEY,
		    "the new key of '%s' does not sign its certificate",
		    made->order->name);
	len = i2d_X509(certificate, &der);
	p = der;
	if (len > 0)
		again = d2i_X509(NULL, &p, len);
	public = X509_get_pubkey(made->certificates[0] != NULL
		? made->certificates[0]
		: certificate);
	if (again == NULL || public == NULL || X509_verify(again, public) != 1)
		return ca_error(CA_R_KEY,
		    "the signature of the new key of '%s' does not verify",
		    made->order->name);
	return 0;
}

static int
make_certificates(struct made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		AUTO(X509) *certificate = X509_new();

		if (certificate == NULL ||
		    X509_set_version(certificate, X509_VERSION_3) != 1)
			return ca_error(
			    CA_R_MEMORY, "no memory for a certificate");
		if (set_public(certificate, made->keys[i]) != 0 ||
		    set_serial(certificate) != 0 ||
		    set_dates(certificate) != 0 ||
		    set_names(certificate, made->order->name) != 0 ||
		    set_extensions(made, i, certificate) != 0 ||
		    sign_certificate(made, certificate) != 0)
			return -1;
		made->certificates[i] = TAKE(certificate);
	}
	return 0;
}

static int
store_certificates(struct made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		AUTO_CHARS(label) =
		    text_printf("%s %s", made->order->name, roles[i].label);

		if (label == NULL ||
		    card_store_certificate(made->card, made->ids[i], label,
			made->certificates[i]) != 0)
			return -1;
	}
	return 0;
}

/* ---- Files ---- */

static int
write_bio(struct made *made, char *name, BIO *bio, mode_t perm)
{
	AUTO_CHARS(mine) = name;
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	if (mine == NULL ||
	    file_write_at(
		made->dirfd, mine, data, (size_t)len, perm, FILE_NEW) != 0)
		return -1;
	made->written[made->written_count++] = TAKE(mine);
	return 0;
}

static int
write_certificates(struct made *made)
{
	for (size_t i = 0; i < made->count; i++) {
		AUTO(BIO) *bio = BIO_new(BIO_s_mem());

		if (bio == NULL ||
		    PEM_write_bio_X509(bio, made->certificates[i]) != 1)
			return ca_error(
			    CA_R_MEMORY, "no memory for a certificate");
		if (write_bio(made, certificate_name(made, i), bio, 0644) != 0)
			return -1;
	}
	return 0;
}

/* PBES2: AES-256-CBC under PBKDF2-HMAC-SHA256 (RFC 8018). */
static int
encrypt_key(EVP_PKEY *key, const struct secret *passphrase, BIO *bio)
{
	unsigned char salt[SALT_LEN];
	AUTO(PKCS8_PRIV_KEY_INFO) *info = EVP_PKEY2PKCS8(key);
	AUTO(X509_ALGOR) *algorithm = NULL;
	AUTO(X509_SIG) *encrypted = NULL;

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return ca_error(
		    CA_R_INTERNAL, "the system gives no random octets");
	algorithm = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PASSPHRASE_ROUNDS,
	    salt, sizeof(salt), NULL, NID_hmacWithSHA256);
	if (info != NULL && algorithm != NULL)
		encrypted = PKCS8_set0_pbe(
		    passphrase->bytes, (int)passphrase->len, info, algorithm);
	if (encrypted == NULL)
		return ca_error(CA_R_INTERNAL, "a key cannot be encrypted");
	/* It is the block's now. */
	algorithm = NULL;
	if (PEM_write_bio_PKCS8(bio, encrypted) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a key file");
	return 0;
}

static int
write_keys(struct made *made, const struct secret *passphrase)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a key file");
	for (size_t i = 0; i < made->count; i++)
		if (encrypt_key(made->keys[i], passphrase, bio) != 0)
			return -1;
	return write_bio(made, key_name(made), bio, 0600);
}

/* ---- All of it ---- */

static int
make_with_file(struct made *made, const struct secret *passphrase)
{
	if (make_file_keys(made) != 0 || make_certificates(made) != 0 ||
	    write_keys(made, passphrase) != 0)
		return -1;
	return write_certificates(made);
}

static int
make_with_card(struct made *made, const struct key_asker *asker)
{
	if (operator_card_open(made->order->card, NULL, asker, &made->card) !=
		0 ||
	    make_card_keys(made) != 0 || make_certificates(made) != 0 ||
	    store_certificates(made) != 0)
		return -1;
	return write_certificates(made);
}

/*
 * Nothing of a failure stays.  The error that is told is the first one, unless
 * something does stay.
 */
static void
made_undo(struct made *made)
{
	for (size_t i = 0; i < made->written_count; i++)
		if (file_remove_at(made->dirfd, made->written[i]) != 0)
			(void)ca_error(CA_R_IO,
			    "'%s' of the attempt that failed is left; remove "
			    "it",
			    made->written[i]);
	for (size_t i = 0; i < made->on_card; i++)
		if (card_destroy(made->card, made->ids[i]) != 0)
			(void)ca_error(CA_R_TOKEN,
			    "the key '%s %s' of the attempt that failed is "
			    "left on token '%s'; remove it with the card's "
			    "own tools",
			    made->order->name, roles[i].label,
			    card_facts(made->card)->label);
}

int
operator_new(int dirfd, const struct new_operator *order,
    const struct secret *passphrase, const struct key_asker *asker)
{
	AUTO_STRUCT(made)
	made = { .order = order,
		.dirfd = dirfd,
		.count = order->sign_only ? 1 : ROLES };

	if (check_order(order, passphrase) != 0 || refuse_outputs(&made) != 0)
		return -1;
	made.type = key_type_by_name(order->type);
	if ((order->card != NULL ? make_with_card(&made, asker)
				 : make_with_file(&made, passphrase)) == 0)
		return 0;
	made_undo(&made);
	return -1;
}
