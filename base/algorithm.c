#include "base/algorithm.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/error.h"

/* Octets in DER, as in rules.md 1.1. */
#define NUL 0x05, 0x00
#define OID_PKCS1(n) \
	0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n
#define OID_SHA2(n) \
	0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, n
#define OID_EC_PUBLIC_KEY 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01
#define OID_P256 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07
#define OID_P384 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22
#define OID_P521 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23

#define SPKI_RSA 0x30, 0x0d, OID_PKCS1(0x01), NUL
#define RSA_PKCS1(n) 0x30, 0x0d, OID_PKCS1(n), NUL
#define ECDSA_SHA2(n) \
	0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n
/* RFC 4055, section 3.1: hash, MGF1 with that hash, salt as long as it. */
#define RSA_PSS(hash, salt)                                               \
	0x30, 0x41, OID_PKCS1(0x0a), 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d,  \
	    OID_SHA2(hash), NUL, 0xa1, 0x1c, 0x30, 0x1a, OID_PKCS1(0x08), \
	    0x30, 0x0d, OID_SHA2(hash), NUL, 0xa2, 0x03, 0x02, 0x01, salt

static const struct key_type key_types[] = {
	{ "rsa-2048", KEY_RSA, 2048, 0, { SPKI_RSA }, 15, { 0 }, 0 },
	{ "rsa-3072", KEY_RSA, 3072, 0, { SPKI_RSA }, 15, { 0 }, 0 },
	{ "rsa-4096", KEY_RSA, 4096, 0, { SPKI_RSA }, 15, { 0 }, 0 },
	{ "p-256", KEY_EC, 256, NID_X9_62_prime256v1,
	    { 0x30, 0x13, OID_EC_PUBLIC_KEY, OID_P256 }, 21, { OID_P256 }, 10 },
	{ "p-384", KEY_EC, 384, NID_secp384r1,
	    { 0x30, 0x10, OID_EC_PUBLIC_KEY, OID_P384 }, 18, { OID_P384 }, 7 },
	{ "p-521", KEY_EC, 521, NID_secp521r1,
	    { 0x30, 0x10, OID_EC_PUBLIC_KEY, OID_P521 }, 18, { OID_P521 }, 7 },
};

static const struct sigalg sigalgs[] = {
	{ "rsa-sha256", KEY_RSA, 0, "SHA256", 32, false, { RSA_PKCS1(0x0b) },
	    15 },
	{ "rsa-sha384", KEY_RSA, 0, "SHA384", 48, false, { RSA_PKCS1(0x0c) },
	    15 },
	{ "rsa-sha512", KEY_RSA, 0, "SHA512", 64, false, { RSA_PKCS1(0x0d) },
	    15 },
	{ "rsa-pss-sha256", KEY_RSA, 0, "SHA256", 32, true,
	    { RSA_PSS(0x01, 0x20) }, 67 },
	{ "rsa-pss-sha384", KEY_RSA, 0, "SHA384", 48, true,
	    { RSA_PSS(0x02, 0x30) }, 67 },
	{ "rsa-pss-sha512", KEY_RSA, 0, "SHA512", 64, true,
	    { RSA_PSS(0x03, 0x40) }, 67 },
	{ "ecdsa-sha256", KEY_EC, NID_X9_62_prime256v1, "SHA256", 32, false,
	    { ECDSA_SHA2(0x02) }, 12 },
	{ "ecdsa-sha384", KEY_EC, NID_secp384r1, "SHA384", 48, false,
	    { ECDSA_SHA2(0x03) }, 12 },
	{ "ecdsa-sha512", KEY_EC, NID_secp521r1, "SHA512", 64, false,
	    { ECDSA_SHA2(0x04) }, 12 },
};

enum {
	KEY_TYPES = sizeof key_types / sizeof key_types[0],
	SIGALGS = sizeof sigalgs / sizeof sigalgs[0],
};

const struct key_type *
key_type_at(size_t i)
{
	return i < KEY_TYPES ? &key_types[i] : NULL;
}

const struct sigalg *
sigalg_at(size_t i)
{
	return i < SIGALGS ? &sigalgs[i] : NULL;
}

const struct key_type *
key_type_by_name(const char *name)
{
	for (size_t i = 0; i < KEY_TYPES; i++) {
		if (strcmp(key_types[i].name, name) == 0)
			return &key_types[i];
	}
	return NULL;
}

const struct sigalg *
sigalg_by_name(const char *name)
{
	for (size_t i = 0; i < SIGALGS; i++) {
		if (strcmp(sigalgs[i].name, name) == 0)
			return &sigalgs[i];
	}
	return NULL;
}

static bool
same_octets(
    const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
	return a_len == b_len && a_len != 0 && memcmp(a, b, a_len) == 0;
}

const struct sigalg *
sigalg_by_der(const unsigned char *der, size_t len)
{
	for (size_t i = 0; i < SIGALGS; i++) {
		if (same_octets(sigalgs[i].der, sigalgs[i].der_len, der, len))
			return &sigalgs[i];
	}
	return NULL;
}

/* RSAPublicKey in DER, and nothing behind it: it encodes to itself. */
static bool
rsa_is_strict(EVP_PKEY *key, const unsigned char *octets, size_t len)
{
	AUTO_DER(der) = NULL;
	AUTO(BIGNUM) *e = NULL;
	int der_len = i2d_PublicKey(key, &der);

	return der_len > 0 && same_octets(der, (size_t)der_len, octets, len) &&
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
	    BN_is_zero(e) != 1;
}

/* SEC 1: uncompressed, and on the curve, in full (SP 800-56A, 5.6.2.3.3). */
static bool
ec_is_strict(
    EVP_PKEY *key, unsigned bits, const unsigned char *octets, size_t len)
{
	AUTO(EVP_PKEY_CTX) *ctx = NULL;

	if (len != 1 + 2 * ((bits + 7) / 8) || octets[0] != 4)
		return false;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	return ctx != NULL && EVP_PKEY_public_check(ctx) == 1;
}

static bool
spki_is(const struct key_type *type, const X509_PUBKEY *spki)
{
	EVP_PKEY *key = X509_PUBKEY_get0(spki);
	AUTO_DER(der) = NULL;
	X509_ALGOR *algorithm = NULL;
	const unsigned char *octets = NULL;
	int len = 0, der_len;

	if (key == NULL ||
	    X509_PUBKEY_get0_param(NULL, &octets, &len, &algorithm, spki) !=
		1 ||
	    len <= 0)
		return false;
	der_len = i2d_X509_ALGOR(algorithm, &der);
	if (der_len <= 0 ||
	    !same_octets(der, (size_t)der_len, type->spki, type->spki_len) ||
	    EVP_PKEY_get_bits(key) != (int)type->bits)
		return false;
	if (type->family == KEY_RSA)
		return rsa_is_strict(key, octets, (size_t)len);
	return ec_is_strict(key, type->bits, octets, (size_t)len);
}

/* Decode, but only DER: it must encode to the same octets again. */
static X509_PUBKEY *
spki_decode(const unsigned char *spki, size_t len)
{
	AUTO(X509_PUBKEY) *decoded = NULL;
	AUTO_DER(der) = NULL;
	const unsigned char *p = spki, *octets = NULL;
	int der_len, octets_len = 0;

	if (len > INT_MAX)
		return NULL;
	decoded = d2i_X509_PUBKEY(NULL, &p, (long)len);
	der_len = decoded == NULL ? 0 : i2d_X509_PUBKEY(decoded, &der);
	if (der_len <= 0 || !same_octets(der, (size_t)der_len, spki, len) ||
	    X509_PUBKEY_get0_param(NULL, &octets, &octets_len, NULL, decoded) !=
		1 ||
	    octets_len < 0 || (size_t)octets_len >= len)
		return NULL;
	/* The octet before the BIT STRING's octets counts unused bits. */
	return spki[len - (size_t)octets_len - 1] == 0 ? TAKE(decoded) : NULL;
}

/*
 * The same without OpenSSL's decoders, which search all that there are for each
 * key: a batch looks at ten of them for each certificate.  What the usual form
 * does not settle, they decide.
 */
enum { LENGTH_MAX = 3 };

/* Is there this tag, with exactly the rest of the octets?  Moves behind it. */
static bool
take_header(unsigned char tag, const unsigned char **at, size_t *left)
{
	const unsigned char *p = *at;
	size_t len, octets = 0;

	if (*left < 2 || p[0] != tag)
		return false;
	len = p[1];
	if ((len & 0x80) != 0) {
		octets = len & 0x7f;
		if (octets == 0 || octets >= LENGTH_MAX || *left < 2 + octets)
			return false;
		len = octets == 1 ? p[2] : (size_t)p[2] << 8 | p[3];
		if (len < (octets == 1 ? 0x80u : 0x100u))
			return false;
	}
	if (len != *left - 2 - octets)
		return false;
	*at = p + 2 + octets;
	*left = len;
	return true;
}

/* The octets of the BIT STRING behind this type's AlgorithmIdentifier. */
static bool
take_key(const struct key_type *type, const unsigned char **at, size_t *left)
{
	if (!take_header(0x30, at, left) || *left <= type->spki_len ||
	    memcmp(*at, type->spki, type->spki_len) != 0)
		return false;
	*at += type->spki_len;
	*left -= type->spki_len;
	if (!take_header(0x03, at, left) || *left < 2 || (*at)[0] != 0)
		return false;
	(*at)++;
	(*left)--;
	return true;
}

/*
 * On the curve, and so of its order: its cofactor is 1 (SP 800-56A, section
 * 5.6.2.3.4).
 */
static bool
is_point(const struct key_type *type, const unsigned char *octets, size_t len)
{
	AUTO(EC_GROUP) *group = NULL;
	AUTO(EC_POINT) *point = NULL;

	if (len != 1 + 2 * ((type->bits + 7) / 8) || octets[0] != 4)
		return false;
	group = EC_GROUP_new_by_curve_name(type->curve_nid);
	point = group == NULL ? NULL : EC_POINT_new(group);
	return point != NULL &&
	    EC_POINT_oct2point(group, point, octets, len, NULL) == 1 &&
	    EC_POINT_is_on_curve(group, point, NULL) == 1;
}

/* 65537, the modulus odd and of exactly this size. */
static bool
is_usual_rsa(
    const struct key_type *type, const unsigned char *octets, size_t len)
{
	static const unsigned char exponent[] = { 0x02, 0x03, 0x01, 0x00,
		0x01 };
	const size_t n = type->bits / 8;

	if (!take_header(0x30, &octets, &len) || len <= sizeof(exponent) ||
	    memcmp(octets + len - sizeof(exponent), exponent,
		sizeof(exponent)) != 0)
		return false;
	len -= sizeof(exponent);
	return take_header(0x02, &octets, &len) && len == n + 1 &&
	    octets[0] == 0 && (octets[1] & 0x80) != 0 && (octets[n] & 1) == 1;
}

static const struct key_type *
usual_type(const unsigned char *spki, size_t len)
{
	for (size_t i = 0; i < KEY_TYPES; i++) {
		const struct key_type *type = &key_types[i];
		const unsigned char *octets = spki;
		size_t left = len;

		if (take_key(type, &octets, &left) &&
		    (type->family == KEY_RSA ? is_usual_rsa(type, octets, left)
					     : is_point(type, octets, left)))
			return type;
	}
	return NULL;
}

const struct key_type *
key_type_of_spki(const unsigned char *spki, size_t len)
{
	AUTO(X509_PUBKEY) *decoded = NULL;
	const struct key_type *found;

	(void)ERR_set_mark();
	found = usual_type(spki, len);
	if (found == NULL)
		decoded = spki_decode(spki, len);
	for (size_t i = 0; decoded != NULL && i < KEY_TYPES && found == NULL;
	     i++) {
		if (spki_is(&key_types[i], decoded))
			found = &key_types[i];
	}
	(void)ERR_pop_to_mark();
	return found;
}

bool
sigalg_fits(const struct sigalg *alg, const struct key_type *type)
{
	return alg->family == type->family && alg->curve_nid == type->curve_nid;
}

const struct sigalg *
sigalg_default(const struct key_type *type)
{
	if (type->family == KEY_RSA)
		return sigalg_by_name(
		    type->bits <= 3072 ? "rsa-sha256" : "rsa-sha384");
	for (size_t i = 0; i < SIGALGS; i++) {
		if (sigalg_fits(&sigalgs[i], type))
			return &sigalgs[i];
	}
	return NULL;
}

/* The family, and for EC the only curve that goes with the hash. */
static bool
key_suits(EVP_PKEY *key, const struct sigalg *alg)
{
	char group[64] = "";

	if (alg->family == KEY_RSA)
		return EVP_PKEY_is_a(key, "RSA") == 1;
	return EVP_PKEY_is_a(key, "EC") == 1 &&
	    EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
	    OBJ_txt2nid(group) == alg->curve_nid;
}

/* RFC 8017, 8.1.2, step 1; RFC 3279, 2.2.3: DER and nothing behind it. */
static bool
signature_is_strict(const struct sigalg *alg, const EVP_PKEY *key,
    const unsigned char *sig, size_t len)
{
	AUTO(ECDSA_SIG) *decoded = NULL;
	AUTO_DER(der) = NULL;
	const unsigned char *p = sig;
	int der_len;

	if (len == 0 || len > SIGNATURE_MAX)
		return false;
	if (alg->family == KEY_RSA)
		return len == (size_t)EVP_PKEY_get_size(key);
	decoded = d2i_ECDSA_SIG(NULL, &p, (long)len);
	der_len = decoded == NULL ? 0 : i2d_ECDSA_SIG(decoded, &der);
	return der_len > 0 && same_octets(der, (size_t)der_len, sig, len);
}

static int
padding_set(EVP_PKEY_CTX *ctx, const struct sigalg *alg)
{
	if (alg->family != KEY_RSA)
		return 1;
	if (!alg->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING);
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, alg->digest, NULL) != 1)
		return 0;
	return EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)alg->digest_len);
}

int
sigalg_key(const struct sigalg *alg, const unsigned char *spki, size_t spki_len,
    EVP_PKEY **ret_key)
{
	AUTO(EVP_PKEY) *key = NULL;
	const unsigned char *p = spki;

	if (spki_len <= INT_MAX)
		key = d2i_PUBKEY(NULL, &p, (long)spki_len);
	if (key == NULL || p != spki + spki_len)
		return ca_error(CA_R_VERIFY, "a public key is malformed");
	if (!key_suits(key, alg))
		return ca_error(CA_R_VERIFY,
		    "'%s' cannot be used with this type of key", alg->name);
	*ret_key = TAKE(key);
	return 0;
}

/* The key, where it and the form of the signature suit the algorithm. */
static int
verify_key(const struct sigalg *alg, const unsigned char *spki, size_t spki_len,
    const unsigned char *sig, size_t sig_len, EVP_PKEY **ret_key)
{
	AUTO(EVP_PKEY) *key = NULL;

	if (sigalg_key(alg, spki, spki_len, &key) != 0)
		return -1;
	if (!signature_is_strict(alg, key, sig, sig_len))
		return ca_error(CA_R_VERIFY, "a signature is malformed");
	*ret_key = TAKE(key);
	return 0;
}

int
sigalg_verify_with(const struct sigalg *alg, EVP_PKEY *key,
    const unsigned char *tbs, size_t tbs_len, const unsigned char *sig,
    size_t sig_len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;

	if (ctx == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (!signature_is_strict(alg, key, sig, sig_len))
		return ca_error(CA_R_VERIFY, "a signature is malformed");
	if (EVP_DigestVerifyInit_ex(
		ctx, &params, alg->digest, NULL, NULL, key, NULL) != 1 ||
	    padding_set(params, alg) != 1)
		return ca_error(
		    CA_R_INTERNAL, "cannot verify with '%s'", alg->name);
	if (EVP_DigestVerify(ctx, sig, sig_len, tbs, tbs_len) != 1)
		return ca_error(CA_R_VERIFY, "a signature does not verify");
	return 0;
}

int
sigalg_verify(const struct sigalg *alg, const unsigned char *spki,
    size_t spki_len, const unsigned char *tbs, size_t tbs_len,
    const unsigned char *sig, size_t sig_len)
{
	AUTO(EVP_PKEY) *key = NULL;

	if (sigalg_key(alg, spki, spki_len, &key) != 0)
		return -1;
	return sigalg_verify_with(alg, key, tbs, tbs_len, sig, sig_len);
}

int
sigalg_verify_digest(const struct sigalg *alg, const unsigned char *spki,
    size_t spki_len, const unsigned char *digest, const unsigned char *sig,
    size_t sig_len)
{
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(EVP_PKEY_CTX) *ctx = NULL;
	AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, alg->digest, NULL);

	if (verify_key(alg, spki, spki_len, sig, sig_len, &key) != 0)
		return -1;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (ctx == NULL || md == NULL || EVP_PKEY_verify_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) != 1 ||
	    padding_set(ctx, alg) != 1)
		return ca_error(
		    CA_R_INTERNAL, "cannot verify with '%s'", alg->name);
	if (EVP_PKEY_verify(ctx, sig, sig_len, digest, alg->digest_len) != 1)
		return ca_error(CA_R_VERIFY, "a signature does not verify");
	return 0;
}

int
sigalg_digest(const struct sigalg *alg, const unsigned char *data, size_t len,
    unsigned char ret_digest[DIGEST_MAX])
{
	unsigned char digest[DIGEST_MAX];

	if (EVP_Q_digest(NULL, alg->digest, NULL, data, len, digest, NULL) != 1)
		return ca_error(
		    CA_R_INTERNAL, "'%s' is not available", alg->digest);
	memcpy(ret_digest, digest, alg->digest_len);
	return 0;
}
