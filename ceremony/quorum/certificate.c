#include "ceremony/quorum/certificate.h"

#include <openssl/core_names.h>

#include "base/algorithm.h"
#include "base/error.h"
#include "base/findings.h"
#include "base/text.h"
#include "profiles/csr.h"

enum { RSA_MIN_BITS = 3072 };

/* RFC 5280, section 4.2.1.3; for keys of RSA and of EC. */
struct usage {
	const char *verb;
	struct {
		uint32_t bits;
		const char *names;
	} by_family[2];
};

static const struct usage usages[] = {
	[CERTIFICATE_SIGN] = { "sign",
	    { [KEY_RSA] = { KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		  "digitalSignature or nonRepudiation" },
		[KEY_EC] = { KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION,
		    "digitalSignature or nonRepudiation" } } },
	[CERTIFICATE_DECRYPT] = { "decrypt",
	    { [KEY_RSA] = { KU_KEY_ENCIPHERMENT, "keyEncipherment" },
		[KEY_EC] = { KU_KEY_AGREEMENT, "keyAgreement" } } },
};

static int
spki_of(const X509 *certificate, unsigned char **ret_der, size_t *ret_len)
{
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), ret_der);

	if (len <= 0)
		return ca_error(
		    CA_R_INTERNAL, "the public key of a certificate is lost");
	*ret_len = (size_t)len;
	return 0;
}

/* Sound at all: exact encoding, exponent, modulus, point on the curve. */
static int
check_quality(const unsigned char *spki, size_t len)
{
	AUTO_STRUCT(findings) findings = { 0 };

	if (spki_check(spki, len, "", &findings) < 0)
		return -1;
	if (findings.count == 0)
		return findings.errors == 0
		    ? 0
		    : ca_error(CA_R_MEMORY, "no memory to check a key");
	return ca_error(CA_R_POLICY, "%s", findings.rows[0].text);
}

static int
check_key(X509 *certificate, enum key_family *ret_family)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	AUTO_DER(spki) = NULL;
	const struct key_type *type;
	size_t len = 0;

	if (spki_of(certificate, &spki, &len) < 0 ||
	    check_quality(spki, len) < 0)
		return -1;
	if (key == NULL)
		return ca_error(CA_R_POLICY, "the public key cannot be read");
	if (EVP_PKEY_is_a(key, "RSA") == 1) {
		if (EVP_PKEY_get_bits(key) < RSA_MIN_BITS)
			return ca_error(CA_R_POLICY,
			    "the RSA key has %d bits, and operators' keys "
			    "need %d",
			    EVP_PKEY_get_bits(key), RSA_MIN_BITS);
		*ret_family = KEY_RSA;
		return 0;
	}
	type = key_type_of_spki(spki, len);
	if (type == NULL || type->family != KEY_EC || type->bits > 384)
		return ca_error(CA_R_POLICY,
		    "the key is neither RSA nor on P-256 or P-384");
	*ret_family = KEY_EC;
	return 0;
}

int
certificate_fits(X509 *certificate, enum certificate_use use)
{
	const struct usage *usage = &usages[use];
	enum key_family family = KEY_RSA;
	uint32_t allowed;

	if (check_key(certificate, &family) < 0)
		return -1;
	/* Decodes the extensions; its own answer does not matter. */
	(void)X509_check_purpose(certificate, -1, 0);
	if ((X509_get_extension_flags(certificate) & EXFLAG_INVALID) != 0)
		return ca_error(CA_R_POLICY,
		    "the certificate has an extension that cannot be read");
	allowed = X509_get_key_usage(certificate); /* all, where absent */
	if ((allowed & usage->by_family[family].bits) == 0)
		return ca_error(CA_R_POLICY,
		    "the certificate's key may not %s: its keyUsage is "
		    "without %s (RFC 5280, section 4.2.1.3)",
		    usage->verb, usage->by_family[family].names);
	return 0;
}

bool
certificate_same_key(const X509 *a, const X509 *b)
{
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *m = NULL;
	EVP_PKEY *key = X509_get0_pubkey(a), *other = X509_get0_pubkey(b);

	if (key == NULL || other == NULL)
		return false;
	if (EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_is_a(other, "RSA") == 1)
		return EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) ==
		    1 &&
		    EVP_PKEY_get_bn_param(other, OSSL_PKEY_PARAM_RSA_N, &m) ==
		    1 &&
		    BN_cmp(n, m) == 0;
	return EVP_PKEY_eq(key, other) == 1;
}

int
certificate_spki_sha256(const X509 *certificate, char **ret_hex)
{
	AUTO_DER(spki) = NULL;
	size_t len = 0;
	char *hex;

	if (spki_of(certificate, &spki, &len) < 0)
		return -1;
	hex = sha256_hex(spki, len);
	if (hex == NULL)
		return -1;
	*ret_hex = hex;
	return 0;
}
