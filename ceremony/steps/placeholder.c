/*
 * Public keys that stand, in a check, for keys that a run will make.  They
 * encode exactly as a real key of their type, and nobody holds their private
 * half: nothing is ever signed with or for them.
 */
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "base/error.h"
#include "ceremony/steps/build.h"

CLEANUP_DEFINE(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
CLEANUP_DEFINE(OSSL_PARAM, OSSL_PARAM_free);

/* SEQUENCE header and AlgorithmIdentifier around a BIT STRING of `bits`. */
static int
wrap(const struct key_type *type, const unsigned char *bits, size_t bits_len,
    unsigned char **ret_spki, size_t *ret_len)
{
	AUTO(X509_PUBKEY) *spki = X509_PUBKEY_new();
	AUTO(X509_ALGOR) *algorithm = NULL;
	AUTO_DER(der) = NULL;
	const unsigned char *p = type->spki;
	const ASN1_OBJECT *object;
	const void *value;
	int value_type, len;
	unsigned char *copy, *owned;

	algorithm = d2i_X509_ALGOR(NULL, &p, (long)type->spki_len);
	if (spki == NULL || algorithm == NULL)
		return ca_error(CA_R_INTERNAL, "cannot make a placeholder key");
	X509_ALGOR_get0(&object, &value_type, &value, algorithm);
	owned = OPENSSL_memdup(bits, bits_len);
	if (X509_PUBKEY_set0_param(spki, OBJ_dup(object), value_type,
		value_type == V_ASN1_OBJECT ? (void *)OBJ_dup(value) : NULL,
		owned, (int)bits_len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot make a placeholder key");
	len = i2d_X509_PUBKEY(spki, &der);
	copy = len > 0 ? malloc((size_t)len) : NULL;
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a placeholder key");
	memcpy(copy, der, (size_t)len);
	*ret_spki = copy;
	*ret_len = (size_t)len;
	return 0;
}

/* The generator times 2 + number: on the curve, and distinct. */
static int
ec_placeholder(const struct key_type *type, size_t number,
    unsigned char **ret_spki, size_t *ret_len)
{
	AUTO(EC_GROUP) *group = EC_GROUP_new_by_curve_name(type->curve_nid);
	AUTO(EC_POINT) *point = group == NULL ? NULL : EC_POINT_new(group);
	AUTO(BIGNUM) *scalar = BN_new();
	unsigned char octets[1 + 2 * 66];
	size_t len;

	if (point == NULL || scalar == NULL ||
	    BN_set_word(scalar, (BN_ULONG)number + 2) != 1 ||
	    EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot make a placeholder key");
	len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED,
	    octets, sizeof(octets), NULL);
	if (len == 0)
		return ca_error(CA_R_INTERNAL, "cannot make a placeholder key");
	return wrap(type, octets, len, ret_spki, ret_len);
}

/*
 * A modulus of the right size: 2^(bits-1) + 2^(bits-2) + ..., spread by a
 * fixed pattern, and moved upwards until no prime below 752 divides it.
 */
static int
rsa_modulus(const struct key_type *type, size_t number, BIGNUM **ret_modulus)
{
	AUTO(BIGNUM) *n = BN_new();
	unsigned char octets[512];
	size_t len = type->bits / 8;

	if (n == NULL || len > sizeof(octets))
		return ca_error(CA_R_MEMORY, "no memory for a placeholder key");
	for (size_t i = 0; i < len; i++)
		octets[i] = (unsigned char)(i * 167 + 13);
	for (size_t i = 0; i < sizeof(number); i++)
		octets[1 + i] = (unsigned char)(number >> (8 * i));
	octets[0] |= 0xC0;
	octets[len - 1] |= 1;
	if (BN_bin2bn(octets, (int)len, n) == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a placeholder key");
	for (BN_ULONG p = 3; p < 752; p += 2) {
		if (BN_mod_word(n, p) != 0)
			continue;
		if (BN_add_word(n, 2) != 1)
			return ca_error(CA_R_MEMORY, "no memory for a key");
		p = 1; /* begin again with the next candidate */
	}
	*ret_modulus = TAKE(n);
	return 0;
}

static int
rsa_placeholder(const struct key_type *type, size_t number,
    unsigned char **ret_spki, size_t *ret_len)
{
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *e = BN_new();
	AUTO(OSSL_PARAM_BLD) *builder = OSSL_PARAM_BLD_new();
	AUTO(OSSL_PARAM) *params = NULL;
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	AUTO(EVP_PKEY) *key = NULL;
	AUTO_DER(der) = NULL;
	unsigned char *copy;
	int len;

	if (rsa_modulus(type, number, &n) < 0)
		return -1;
	if (e == NULL || builder == NULL || ctx == NULL ||
	    BN_set_word(e, 65537) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    (params = OSSL_PARAM_BLD_to_param(builder)) == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return ca_error(CA_R_INTERNAL, "cannot make a placeholder key");
	len = i2d_PUBKEY(key, &der);
	copy = len > 0 ? malloc((size_t)len) : NULL;
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a placeholder key");
	memcpy(copy, der, (size_t)len);
	*ret_spki = copy;
	*ret_len = (size_t)len;
	return 0;
}

int
placeholder_spki(const struct key_type *type, size_t number,
    unsigned char **ret_spki, size_t *ret_len)
{
	if (type->family == KEY_EC)
		return ec_placeholder(type, number, ret_spki, ret_len);
	return rsa_placeholder(type, number, ret_spki, ret_len);
}
