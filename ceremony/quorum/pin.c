#include "ceremony/quorum/pin.h"

#include <stdint.h>
#include <string.h>

#include <openssl/core_names.h>

#include "base/error.h"
#include "ceremony/quorum/sharing.h"

enum { OKM_HEX = PIN_HEX_LEN / 2, OKM_DIGITS = 96, ALPHABET_MAX = 64 };

static const struct {
	const char *name, *alphabet;
} alphabets[] = {
	{ "hex", NULL },
	{ "digits", "0123456789" },
	{ "alphanumeric",
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" },
};

static const char *const labels[] = {
	[PIN_USER] = "ca-tool user PIN 1",
	[PIN_SO] = "ca-tool SO PIN 1",
};

int
pin_alphabet(const char *name, const char **ret_alphabet)
{
	for (size_t i = 0; i < sizeof(alphabets) / sizeof(alphabets[0]); i++)
		if (strcmp(alphabets[i].name, name) == 0) {
			*ret_alphabet = alphabets[i].alphabet;
			return 0;
		}
	return ca_error(CA_R_INPUT,
	    "'%s' is no format of PINs; there are 'hex', 'digits' and "
	    "'alphanumeric'",
	    name);
}

/* 2 to 64 distinct printable characters: each is a digit of its own. */
static int
check_alphabet(const char *alphabet)
{
	size_t len = strlen(alphabet);

	if (len < 2 || len > ALPHABET_MAX)
		return ca_error(CA_R_INPUT,
		    "an alphabet of PINs has 2 to %d characters, not %zu",
		    ALPHABET_MAX, len);
	for (size_t i = 0; i < len; i++)
		if (alphabet[i] < '!' || alphabet[i] > '~' ||
		    strchr(alphabet + i + 1, alphabet[i]) != NULL)
			return ca_error(CA_R_INPUT,
			    "an alphabet of PINs has printable ASCII "
			    "characters, each once");
	return 0;
}

int
pin_length(const struct pin_format *format, size_t token_min, size_t token_max,
    bool allow_short, size_t *ret_length)
{
	size_t length = format->length;

	if (format->alphabet != NULL && check_alphabet(format->alphabet) < 0)
		return -1;
	if (length == 0)
		length = token_max < PIN_HEX_LEN ? token_max : PIN_HEX_LEN;
	if (length < 1 || length > PIN_HEX_LEN || length < token_min ||
	    length > token_max)
		return ca_error(CA_R_POLICY,
		    "a PIN of %zu characters is not possible: the token takes "
		    "%zu to %zu, and ca-tool makes at most %d",
		    length, token_min, token_max, PIN_HEX_LEN);
	if (length < PIN_SAFE_LEN && !allow_short)
		return ca_error(CA_R_POLICY,
		    "a PIN of %zu characters is short, and whoever copies a "
		    "token may guess it; fewer than %d are used only where "
		    "short PINs are allowed (--allow-short-pin)",
		    length, PIN_SAFE_LEN);
	*ret_length = length;
	return 0;
}

/* HKDF-SHA256 (RFC 5869), extract and expand, into secure memory. */
static int
expand(const struct secret *secret, const unsigned char set[SET_ID_LEN],
    const char *label, size_t len, struct secret *ret_okm)
{
	AUTO(EVP_KDF) *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	AUTO(EVP_KDF_CTX) *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	AUTO_STRUCT(secret) okm = { 0 };
	char digest[] = "SHA256";
	unsigned char salt[SET_ID_LEN];
	char info[32];
	OSSL_PARAM params[5];

	memcpy(salt, set, SET_ID_LEN);
	memcpy(info, label, strlen(label) + 1);
	params[0] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
	params[1] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_KEY, secret->bytes, secret->len);
	params[2] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_SALT, salt, SET_ID_LEN);
	params[3] = OSSL_PARAM_construct_octet_string(
	    OSSL_KDF_PARAM_INFO, info, strlen(label));
	params[4] = OSSL_PARAM_construct_end();
	if (secret_new(len, &okm) < 0)
		return -1;
	if (ctx == NULL ||
	    EVP_KDF_derive(ctx, (unsigned char *)okm.bytes, len, params) != 1)
		return ca_error(
		    CA_R_INTERNAL, "OpenSSL cannot derive a PIN (HKDF)");
	*ret_okm = okm;
	okm = (struct secret){ 0 };
	return 0;
}

static void
write_hex(const struct secret *okm, struct secret *pin)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < pin->len; i++) {
		unsigned octet = (unsigned char)okm->bytes[i / 2];

		pin->bytes[i] = digits[i % 2 == 0 ? octet >> 4 : octet & 15];
	}
}

/*
 * The number's digits, least significant first: long division by hand, so that
 * it happens in secure memory and in a time that depends on lengths alone.
 */
static void
write_digits(const char *alphabet, struct secret *okm, struct secret *pin)
{
	unsigned base = (unsigned)strlen(alphabet);

	for (size_t i = 0; i < pin->len; i++) {
		unsigned rest = 0;

		for (size_t j = 0; j < okm->len; j++) {
			unsigned part =
			    rest << 8 | (unsigned char)okm->bytes[j];

			okm->bytes[j] = (char)(unsigned char)(part / base);
			rest = part % base;
		}
		pin->bytes[i] = alphabet[rest];
	}
}

int
pin_derive(const struct secret *secret, const unsigned char set[SET_ID_LEN],
    enum pin_role role, const char *alphabet, size_t length,
    struct secret *ret_pin)
{
	AUTO_STRUCT(secret) okm = { 0 };
	AUTO_STRUCT(secret) pin = { 0 };

	if (secret->len != SCALAR_LEN)
		return ca_error(CA_R_INTERNAL,
		    "a PIN from a secret of %zu octets", secret->len);
	if (length < 1 || length > PIN_HEX_LEN)
		return ca_error(
		    CA_R_INTERNAL, "a PIN of %zu characters", length);
	if (alphabet != NULL && check_alphabet(alphabet) < 0)
		return -1;
	if (expand(secret, set, labels[role],
		alphabet == NULL ? OKM_HEX : OKM_DIGITS, &okm) < 0 ||
	    secret_new(length, &pin) < 0)
		return -1;
	if (alphabet == NULL)
		write_hex(&okm, &pin);
	else
		write_digits(alphabet, &okm, &pin);
	*ret_pin = pin;
	pin = (struct secret){ 0 };
	return 0;
}
