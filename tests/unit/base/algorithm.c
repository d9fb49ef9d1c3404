#include "base/algorithm.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "support.h"

enum { KEY_TYPES = 6, SIGALGS = 9, SPKI_MAX = 1024 };

struct spki {
	unsigned char der[SPKI_MAX];
	size_t len;
};

/* One key pair of each type of the table, made once. */
struct keys {
	EVP_PKEY *key[KEY_TYPES];
	struct spki spki[KEY_TYPES];
};

static void
spki_of(EVP_PKEY *key, struct spki *spki)
{
	unsigned char *p = spki->der;
	int len = i2d_PUBKEY(key, NULL);

	assert_in_range(len, 1, SPKI_MAX);
	assert_int_equal(i2d_PUBKEY(key, &p), len);
	spki->len = (size_t)len;
}

static EVP_PKEY *
key_make(const struct key_type *type)
{
	if (type->family == KEY_RSA)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)type->bits);
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", OBJ_nid2sn(type->curve_nid));
}

static int
keys_setup(void **state)
{
	struct keys *keys = calloc(1, sizeof *keys);

	for (size_t i = 0; i < KEY_TYPES; i++) {
		keys->key[i] = key_make(key_type_at(i));
		assert_non_null(keys->key[i]);
		spki_of(keys->key[i], &keys->spki[i]);
	}
	*state = keys;
	return 0;
}

static int
keys_teardown(void **state)
{
	struct keys *keys = *state;

	for (size_t i = 0; i < KEY_TYPES; i++)
		EVP_PKEY_free(keys->key[i]);
	free(keys);
	return 0;
}

static const struct key_type *
type_of(const struct spki *spki)
{
	const struct key_type *type = key_type_of_spki(spki->der, spki->len);

	assert_int_equal(ca_error_reason(), 0);
	return type;
}

/* BR 7.1.3.1 and 7.1.3.2, MRSP 5.1: the encodings as printed there. */
static void
test_encodings(void **state)
{
	static const char *const types[] = {
		"rsa-2048 300d06092a864886f70d0101010500 ",
		"rsa-3072 300d06092a864886f70d0101010500 ",
		"rsa-4096 300d06092a864886f70d0101010500 ",
		("p-256 301306072a8648ce3d020106082a8648ce3d030107 "
		 "06082a8648ce3d030107"),
		"p-384 301006072a8648ce3d020106052b81040022 06052b81040022",
		"p-521 301006072a8648ce3d020106052b81040023 06052b81040023",
	};
	static const char *const algs[] = {
		"rsa-sha256 SHA256 32 300d06092a864886f70d01010b0500",
		"rsa-sha384 SHA384 48 300d06092a864886f70d01010c0500",
		"rsa-sha512 SHA512 64 300d06092a864886f70d01010d0500",
		("rsa-pss-sha256 SHA256 32 304106092a864886f70d01010a3034a00f300"
		 "d06096086480165030402010500a11c301a06092a864886f70d010108300d06"
		 "096086480165030402010500a203020120"),
		("rsa-pss-sha384 SHA384 48 304106092a864886f70d01010a3034a00f300"
		 "d06096086480165030402020500a11c301a06092a864886f70d010108300d06"
		 "096086480165030402020500a203020130"),
		("rsa-pss-sha512 SHA512 64 304106092a864886f70d01010a3034a00f300"
		 "d06096086480165030402030500a11c301a06092a864886f70d010108300d06"
		 "096086480165030402030500a203020140"),
		"ecdsa-sha256 SHA256 32 300a06082a8648ce3d040302",
		"ecdsa-sha384 SHA384 48 300a06082a8648ce3d040303",
		"ecdsa-sha512 SHA512 64 300a06082a8648ce3d040304",
	};

	(void)state;
	for (size_t i = 0; i < KEY_TYPES; i++) {
		const struct key_type *type = key_type_at(i);
		AUTO_CHARS(spki) = text_hex(type->spki, type->spki_len);
		AUTO_CHARS(params) = text_hex(type->params, type->params_len);
		AUTO_CHARS(row) =
		    text_printf("%s %s %s", type->name, spki, params);

		assert_string_equal(row, types[i]);
		assert_ptr_equal(key_type_by_name(type->name), type);
	}
	for (size_t i = 0; i < SIGALGS; i++) {
		const struct sigalg *alg = sigalg_at(i);
		AUTO_CHARS(der) = text_hex(alg->der, alg->der_len);
		AUTO_CHARS(row) = text_printf("%s %s %zu %s", alg->name,
		    alg->digest, alg->digest_len, der);

		assert_string_equal(row, algs[i]);
		assert_ptr_equal(sigalg_by_name(alg->name), alg);
		assert_ptr_equal(sigalg_by_der(alg->der, alg->der_len), alg);
		assert_null(sigalg_by_der(alg->der, alg->der_len - 1));
	}
	assert_null(key_type_at(KEY_TYPES));
	assert_null(sigalg_at(SIGALGS));
	assert_null(key_type_by_name("p-224"));
	assert_null(key_type_by_name("P-256"));
	assert_null(sigalg_by_name("rsa-sha1"));
}

static void
test_unknown_algorithm_identifiers(void **state)
{
	/* SHA-1 with RSA; SHA-256 with RSA, without NULL; a trailing octet. */
	static const char *const bad[] = {
		"300d06092a864886f70d0101050500",
		"300b06092a864886f70d01010b",
		"300d06092a864886f70d01010b050000",
		"300c06082a8648ce3d0403020500",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_BYTES(der) = NULL;
		size_t len = 0;

		assert_ok(text_unhex(bad[i], &der, &len));
		assert_null(sigalg_by_der(der, len));
	}
}

static void
test_key_types(void **state)
{
	const struct keys *keys = *state;

	for (size_t i = 0; i < KEY_TYPES; i++)
		assert_ptr_equal(type_of(&keys->spki[i]), key_type_at(i));
}

static void
test_trailing_and_cut(void **state)
{
	const struct keys *keys = *state;

	for (size_t i = 0; i < KEY_TYPES; i++) {
		struct spki spki = keys->spki[i];

		spki.der[spki.len++] = 0;
		assert_null(type_of(&spki));
		for (spki.len = 0; spki.len < keys->spki[i].len;
		     spki.len += 1 + spki.len / 16)
			assert_null(type_of(&spki));
	}
}

static void
test_unlisted_keys(void **state)
{
	AUTO(EVP_PKEY) *small =
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	AUTO(EVP_PKEY) *odd =
	    EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2056);
	AUTO(EVP_PKEY) *p224 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-224");
	AUTO(EVP_PKEY) *k1 = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "secp256k1");
	AUTO(EVP_PKEY) *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_PKEY *const all[] = { small, odd, p224, k1, ed };

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct spki spki;

		assert_non_null(all[i]);
		spki_of(all[i], &spki);
		assert_null(type_of(&spki));
	}
}

static void
test_pss_key(void **state)
{
	AUTO(EVP_PKEY_CTX) *ctx =
	    EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
	AUTO(EVP_PKEY) *key = NULL;
	struct spki spki;

	(void)state;
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	spki_of(key, &spki);
	assert_null(type_of(&spki));
}

static void
test_ec_forms(void **state)
{
	const struct keys *keys = *state;

	for (size_t i = 3; i < KEY_TYPES; i++) {
		AUTO(EVP_PKEY) *compressed = EVP_PKEY_dup(keys->key[i]);
		AUTO(EVP_PKEY) *hybrid = EVP_PKEY_dup(keys->key[i]);
		AUTO(EVP_PKEY) *explicit = EVP_PKEY_dup(keys->key[i]);
		struct spki spki;

		assert_int_equal(
		    EVP_PKEY_set_utf8_string_param(compressed,
			OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
			OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_COMPRESSED),
		    1);
		spki_of(compressed, &spki);
		assert_true(spki.len < keys->spki[i].len);
		assert_null(type_of(&spki));
		assert_int_equal(
		    EVP_PKEY_set_utf8_string_param(hybrid,
			OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
			OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_HYBRID),
		    1);
		spki_of(hybrid, &spki);
		assert_int_equal(spki.len, keys->spki[i].len);
		assert_null(type_of(&spki));
		assert_int_equal(EVP_PKEY_set_utf8_string_param(explicit,
				     OSSL_PKEY_PARAM_EC_ENCODING,
				     OSSL_PKEY_EC_ENCODING_EXPLICIT),
		    1);
		spki_of(explicit, &spki);
		assert_true(spki.len > keys->spki[i].len);
		assert_null(type_of(&spki));
	}
}

static void
test_ec_point_off_curve(void **state)
{
	const struct keys *keys = *state;

	for (size_t i = 3; i < KEY_TYPES; i++) {
		struct spki spki = keys->spki[i];

		spki.der[spki.len - 1] ^= 1;
		assert_null(type_of(&spki));
	}
}

/* Infinity: one octet 00. */
static void
test_ec_infinity(void **state)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(text_unhex("3019301306072a8648ce3d020106082a8648ce3d030107"
			     "03020000",
	    &der, &len));
	assert_null(key_type_of_spki(der, len));
}

/* Offsets in the SPKI of a 2048-bit RSA key with e = 65537. */
enum {
	RSA_LEN = 2,        /* SEQUENCE, low octet of the length + 1 */
	RSA_BITS_LEN = 21,  /* BIT STRING */
	RSA_UNUSED = 23,    /* unused bits */
	RSA_KEY_LEN = 26,   /* RSAPublicKey */
	RSA_MODULUS = 28,   /* INTEGER */
	RSA_EXPONENT = 289, /* INTEGER */
	RSA_SPKI_SIZE = 294,
};

static void
add_to(unsigned char *length, int change)
{
	unsigned value = (unsigned)length[0] << 8 | length[1];

	value = (unsigned)((int)value + change);
	length[0] = (unsigned char)(value >> 8);
	length[1] = (unsigned char)value;
}

static void
test_rsa_forms(void **state)
{
	const struct keys *keys = *state;
	const struct spki *good = &keys->spki[0];
	struct spki spki = *good;

	assert_int_equal(good->len, RSA_SPKI_SIZE);
	assert_int_equal(good->der[RSA_UNUSED], 0);
	assert_memory_equal(
	    good->der + RSA_EXPONENT, "\x02\x03\x01\x00\x01", 5);
	/* An octet behind the RSAPublicKey, all lengths right. */
	spki.der[spki.len++] = 0;
	add_to(&spki.der[RSA_LEN], 1);
	add_to(&spki.der[RSA_BITS_LEN], 1);
	assert_null(type_of(&spki));
	/* Inside of it. */
	add_to(&spki.der[RSA_KEY_LEN], 1);
	assert_null(type_of(&spki));
	/* The exponent with a superfluous zero. */
	memcpy(spki.der + RSA_EXPONENT, "\x02\x04\x00\x01\x00\x01", 6);
	assert_null(type_of(&spki));
	/* The same lengths, and an exponent that is right. */
	memcpy(spki.der + RSA_EXPONENT, "\x02\x04\x01\x00\x00\x01", 6);
	assert_non_null(type_of(&spki));
	/* A negative exponent, and none. */
	memcpy(spki.der + RSA_EXPONENT, "\x02\x04\x81\x00\x00\x01", 6);
	assert_null(type_of(&spki));
	spki = *good;
	memcpy(spki.der + RSA_EXPONENT, "\x02\x01\x00", 3);
	spki.len -= 2;
	add_to(&spki.der[RSA_LEN], -2);
	add_to(&spki.der[RSA_BITS_LEN], -2);
	add_to(&spki.der[RSA_KEY_LEN], -2);
	assert_null(type_of(&spki));
	/* Unused bits. */
	spki = *good;
	spki.der[RSA_UNUSED] = 1;
	assert_null(type_of(&spki));
}

static void
test_rsa_negative_modulus(void **state)
{
	const struct keys *keys = *state;
	struct spki spki = keys->spki[0];

	/* Without the zero octet before its highest bit. */
	assert_memory_equal(spki.der + RSA_MODULUS, "\x02\x82\x01\x01\x00", 5);
	memmove(spki.der + RSA_MODULUS + 4, spki.der + RSA_MODULUS + 5,
	    spki.len - RSA_MODULUS - 5);
	spki.len--;
	add_to(&spki.der[RSA_LEN], -1);
	add_to(&spki.der[RSA_BITS_LEN], -1);
	add_to(&spki.der[RSA_KEY_LEN], -1);
	add_to(&spki.der[RSA_MODULUS + 2], -1);
	assert_null(type_of(&spki));
}

/* An RSA key without the NULL, and with a length that is not DER. */
static void
test_rsa_algorithm_identifier(void **state)
{
	const struct keys *keys = *state;
	struct spki spki = keys->spki[0];

	memmove(spki.der + 17, spki.der + 19, spki.len - 19);
	spki.len -= 2;
	spki.der[5] -= 2;
	add_to(&spki.der[RSA_LEN], -2);
	assert_null(type_of(&spki));
	spki = keys->spki[3];
	assert_int_equal(spki.der[1], 0x59);
	memmove(spki.der + 3, spki.der + 2, spki.len - 2);
	spki.der[1] = 0x81;
	spki.der[2] = 0x59;
	spki.len++;
	assert_null(type_of(&spki));
}

static void
test_defaults(void **state)
{
	static const char *const wanted[] = { "rsa-sha256", "rsa-sha256",
		"rsa-sha384", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512" };

	(void)state;
	for (size_t i = 0; i < KEY_TYPES; i++) {
		const struct key_type *type = key_type_at(i);
		size_t fitting = 0;

		assert_string_equal(sigalg_default(type)->name, wanted[i]);
		assert_true(sigalg_fits(sigalg_default(type), type));
		for (size_t j = 0; j < SIGALGS; j++)
			fitting += sigalg_fits(sigalg_at(j), type);
		assert_int_equal(fitting, type->family == KEY_RSA ? 6 : 1);
	}
}

struct signature {
	unsigned char octets[SIGNATURE_MAX];
	size_t len;
};

/* Sign with OpenSSL, independently of what is tested. */
static void
sign(EVP_PKEY *key, const char *digest, int pss_salt, const void *data,
    size_t len, struct signature *sig)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;

	assert_int_equal(
	    EVP_DigestSignInit_ex(ctx, &params, digest, NULL, NULL, key, NULL),
	    1);
	if (pss_salt >= 0) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING),
		    1);
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(params, pss_salt), 1);
	}
	sig->len = sizeof sig->octets;
	assert_int_equal(
	    EVP_DigestSign(ctx, sig->octets, &sig->len, data, len), 1);
}

static int
verify(const struct sigalg *alg, const struct spki *spki, const char *text,
    const struct signature *sig)
{
	return sigalg_verify(alg, spki->der, spki->len,
	    (const unsigned char *)text, strlen(text), sig->octets, sig->len);
}

static void
verify_tampered(const struct sigalg *alg, const struct spki *spki,
    const struct signature *good)
{
	struct signature sig = *good;
	struct spki other = *spki;

	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed texu", &sig));
	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed text ", &sig));
	sig.octets[sig.len - 1] ^= 1;
	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed text", &sig));
	sig = *good;
	sig.len--;
	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed text", &sig));
	sig = *good;
	sig.octets[sig.len++] = 0;
	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed text", &sig));
	sig.len = 0;
	assert_refused(CA_R_VERIFY, verify(alg, spki, "signed text", &sig));
	other.der[other.len++] = 0;
	assert_refused(CA_R_VERIFY, verify(alg, &other, "signed text", good));
	other.len = 20;
	assert_refused(CA_R_VERIFY, verify(alg, &other, "signed text", good));
}

static void
test_signatures(void **state)
{
	const struct keys *keys = *state;

	for (size_t i = 0; i < SIGALGS; i++) {
		const struct sigalg *alg = sigalg_at(i);
		size_t tried = 0;

		for (size_t j = 0; j < KEY_TYPES; j++) {
			struct signature sig;

			if (!sigalg_fits(alg, key_type_at(j)))
				continue;
			sign(keys->key[j], alg->digest,
			    alg->pss ? (int)alg->digest_len : -1, "signed text",
			    11, &sig);
			assert_ok(
			    verify(alg, &keys->spki[j], "signed text", &sig));
			verify_tampered(alg, &keys->spki[j], &sig);
			tried++;
		}
		assert_true(tried >= 1);
	}
}

static void
test_other_key_or_algorithm(void **state)
{
	const struct keys *keys = *state;
	AUTO(EVP_PKEY) *other = key_make(key_type_at(3));
	struct signature p256, p256_sha384, rsa;
	struct spki spki;

	spki_of(other, &spki);
	sign(keys->key[3], "SHA256", -1, "x", 1, &p256);
	sign(keys->key[3], "SHA384", -1, "x", 1, &p256_sha384);
	sign(keys->key[0], "SHA256", -1, "x", 1, &rsa);
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("ecdsa-sha256"), &spki, "x", &p256));
	/* A good signature, but the curve fixes the hash. */
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("ecdsa-sha384"), &keys->spki[3], "x",
		&p256_sha384));
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("rsa-sha256"), &keys->spki[3], "x", &p256));
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("ecdsa-sha256"), &keys->spki[0], "x", &rsa));
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("rsa-sha384"), &keys->spki[0], "x", &rsa));
	assert_refused(CA_R_VERIFY,
	    verify(
		sigalg_by_name("rsa-pss-sha256"), &keys->spki[0], "x", &rsa));
}

static void
test_pss_salt_is_fixed(void **state)
{
	const struct keys *keys = *state;
	const struct sigalg *alg = sigalg_by_name("rsa-pss-sha256");
	static const int salts[] = { 0, 20, 31, 33, 64 };
	struct signature sig;

	for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
		sign(keys->key[0], "SHA256", salts[i], "x", 1, &sig);
		assert_refused(
		    CA_R_VERIFY, verify(alg, &keys->spki[0], "x", &sig));
	}
	/* And PSS is not PKCS #1 v1.5. */
	sign(keys->key[0], "SHA256", 32, "x", 1, &sig);
	assert_ok(verify(alg, &keys->spki[0], "x", &sig));
	assert_refused(CA_R_VERIFY,
	    verify(sigalg_by_name("rsa-sha256"), &keys->spki[0], "x", &sig));
}

/* The same r and s in other encodings than DER. */
static void
test_ecdsa_not_der(void **state)
{
	const struct keys *keys = *state;
	const struct sigalg *alg = sigalg_by_name("ecdsa-sha384");
	struct signature sig, ber;

	sign(keys->key[4], "SHA384", -1, "x", 1, &sig);
	assert_ok(verify(alg, &keys->spki[4], "x", &sig));
	/* The length in the long form. */
	assert_true(sig.octets[1] < 0x80);
	ber.octets[0] = 0x30;
	ber.octets[1] = 0x81;
	memcpy(ber.octets + 2, sig.octets + 1, sig.len - 1);
	ber.len = sig.len + 1;
	assert_refused(CA_R_VERIFY, verify(alg, &keys->spki[4], "x", &ber));
	/* r with a superfluous zero. */
	memcpy(ber.octets, sig.octets, 4);
	ber.octets[1]++;
	ber.octets[3]++;
	ber.octets[4] = 0;
	memcpy(ber.octets + 5, sig.octets + 4, sig.len - 4);
	assert_refused(CA_R_VERIFY, verify(alg, &keys->spki[4], "x", &ber));
}

static void
test_digest(void **state)
{
	static const char *const wanted[] = {
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"
		"d",
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5be"
		"d8086072ba1e7cc2358baeca134c825a7",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39"
		"a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca4"
		"9f",
	};

	(void)state;
	/* FIPS 180-4, "abc". */
	for (size_t i = 0; i < SIGALGS; i++) {
		const struct sigalg *alg = sigalg_at(i);
		unsigned char digest[DIGEST_MAX];
		char hex[2 * DIGEST_MAX + 1];

		assert_ok(sigalg_digest(
		    alg, (const unsigned char *)"abc", 3, digest));
		text_hex_into(digest, alg->digest_len, hex);
		assert_string_equal(hex, wanted[alg->digest_len / 16 - 2]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_unknown_algorithm_identifiers),
		cmocka_unit_test(test_key_types),
		cmocka_unit_test(test_trailing_and_cut),
		cmocka_unit_test(test_unlisted_keys),
		cmocka_unit_test(test_pss_key),
		cmocka_unit_test(test_ec_forms),
		cmocka_unit_test(test_ec_point_off_curve),
		cmocka_unit_test(test_ec_infinity),
		cmocka_unit_test(test_rsa_forms),
		cmocka_unit_test(test_rsa_negative_modulus),
		cmocka_unit_test(test_rsa_algorithm_identifier),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_signatures),
		cmocka_unit_test(test_other_key_or_algorithm),
		cmocka_unit_test(test_pss_salt_is_fixed),
		cmocka_unit_test(test_ecdsa_not_der),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, keys_setup, keys_teardown);
}
