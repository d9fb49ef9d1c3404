#include "profiles/tbs.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/der/der.h"
#include "profiles/ocsp.h"
#include "profiles/reencode.h"

static const struct {
	const char *name;
	const char *label;
	int (*check)(const char *name, const unsigned char *der, size_t len);
} kinds[] = {
	[OBJECT_CERTIFICATE] = { "certificate", "CERTIFICATE",
	    reencode_certificate },
	[OBJECT_CRL] = { "crl", "X509 CRL", reencode_crl },
	[OBJECT_CSR] = { "csr", "CERTIFICATE REQUEST", reencode_csr },
	[OBJECT_OCSP] = { "ocsp", NULL, reencode_ocsp },
};

const char *
object_kind_name(enum object_kind kind)
{
	return kinds[kind].name;
}

int
object_kind_by_name(const char *name, enum object_kind *ret_kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(kinds[i].name, name) == 0) {
			*ret_kind = (enum object_kind)i;
			return 0;
		}
	}
	return ca_error(CA_R_CORRUPT, "'%s' is no kind of object", name);
}

void
tbs_clear(struct tbs *tbs)
{
	if (tbs->file != NULL && tbs->file->fd >= 0)
		(void)close(tbs->file->fd);
	free(tbs->file);
	free(tbs->der);
	*tbs = (struct tbs){ 0 };
}

int
object_assemble(const struct tbs *tbs, const unsigned char *sig, size_t sig_len,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO_PTR(signed_sequence) *object = NULL;

	if (tbs->kind == OBJECT_OCSP)
		return ocsp_assemble(
		    tbs, sig, sig_len, NULL, 0, ret_der, ret_len);
	object = signed_sequence_new();
	if (object == NULL ||
	    asn1_set_der(object->tbs, tbs->der, tbs->len) != 0 ||
	    asn1_set_der(object->alg, tbs->alg->der, tbs->alg->der_len) != 0 ||
	    asn1_set_signature(object->signature, sig, sig_len) != 0)
		return -1;
	return asn1_encode(
	    object, ASN1_ITEM_rptr(SIGNED_SEQUENCE), ret_der, ret_len);
}

void
object_constant(
    const struct tbs *tbs, const unsigned char **ret_sig, size_t *ret_len)
{
	/* ECDSA-Sig-Value { 1, 1 }: well-formed, and no key's signature. */
	static const unsigned char ec[] = { 0x30, 0x06, 0x02, 0x01, 0x01, 0x02,
		0x01, 0x01 };
	static const unsigned char rsa[256] = { 0 };

	*ret_sig = tbs->alg->family == KEY_EC ? ec : rsa;
	*ret_len = tbs->alg->family == KEY_EC ? sizeof ec : sizeof rsa;
}

int
object_with_constant(
    const struct tbs *tbs, unsigned char **ret_der, size_t *ret_len)
{
	const unsigned char *sig;
	size_t len;

	object_constant(tbs, &sig, &len);
	return object_assemble(tbs, sig, len, ret_der, ret_len);
}

/* Where it stands inside a certificate or CRL; others have none. */
static bool
inner_alg(enum object_kind kind, struct der tbs, struct der *ret_alg)
{
	struct der in;

	if (!der_take(&tbs, DER_SEQUENCE, &in, NULL))
		return false;
	if (kind == OBJECT_CERTIFICATE &&
	    !der_take(&in, DER_CONTEXT_0, NULL, NULL))
		return false;
	return der_take(&in, DER_INTEGER, NULL, NULL) &&
	    der_take(&in, DER_SEQUENCE, NULL, ret_alg);
}

/* ALG-SIG-EXACT, ALG-SIG-INNER-OUTER */
static int
verify_algorithms(const struct tbs *tbs, const struct signed_object *object)
{
	struct der inner;

	if (!der_equal(object->alg, tbs->alg->der, tbs->alg->der_len))
		return ca_error(CA_R_VERIFY,
		    "the signature algorithm of the %s is not '%s'",
		    object_kind_name(tbs->kind), tbs->alg->name);
	if (tbs->kind == OBJECT_CSR || tbs->kind == OBJECT_OCSP)
		return 0;
	if (!inner_alg(tbs->kind, object->tbs, &inner) ||
	    !der_equal(inner, tbs->alg->der, tbs->alg->der_len))
		return ca_error(CA_R_VERIFY,
		    "the signature algorithm inside the %s is not '%s' (RFC "
		    "5280, section 4.1.1.2)",
		    object_kind_name(tbs->kind), tbs->alg->name);
	return 0;
}

/* tbs, alg and signature of an object of this kind; false: malformed. */
static bool
take_apart(enum object_kind kind, const unsigned char *der, size_t len,
    struct signed_object *ret_object)
{
	struct ocsp_parts parts;
	size_t offset;

	if (kind != OBJECT_OCSP)
		return der_is_strict(der, len, &offset) &&
		    der_signed_object(der, len, ret_object);
	if (ocsp_take_apart("ocsp", der, len, &parts) != 0)
		return false;
	*ret_object = (struct signed_object){
		.tbs = parts.tbs, .alg = parts.alg, .signature = parts.signature
	};
	return true;
}

int
object_verify_octets(const struct tbs *tbs, EVP_PKEY *key,
    const unsigned char *der, size_t der_len)
{
	const char *name = object_kind_name(tbs->kind);
	struct signed_object object;

	if (!take_apart(tbs->kind, der, der_len, &object))
		return ca_error(CA_R_VERIFY, "the signed %s is not DER", name);
	if (!der_equal(object.tbs, tbs->der, tbs->len))
		return ca_error(CA_R_VERIFY,
		    "the signed %s is not the one that was to be signed", name);
	if (verify_algorithms(tbs, &object) != 0)
		return -1;
	return sigalg_verify_with(tbs->alg, key, tbs->der, tbs->len,
	    object.signature.p, object.signature.len);
}

int
object_verify_with(const struct tbs *tbs, EVP_PKEY *key,
    const unsigned char *der, size_t der_len)
{
	const char *name = object_kind_name(tbs->kind);

	if (object_verify_octets(tbs, key, der, der_len) != 0)
		return -1;
	return kinds[tbs->kind].check(name, der, der_len) == 0
	    ? 0
	    : ca_error(CA_R_VERIFY, "the signed %s is malformed", name);
}

int
object_verify(const struct tbs *tbs, const unsigned char *spki, size_t spki_len,
    const unsigned char *der, size_t der_len)
{
	AUTO(EVP_PKEY) *key = NULL;

	if (sigalg_key(tbs->alg, spki, spki_len, &key) != 0)
		return -1;
	return object_verify_with(tbs, key, der, der_len);
}

const char *
object_pem_label(enum object_kind kind)
{
	return kinds[kind].label;
}

int
object_pem(
    enum object_kind kind, const unsigned char *der, size_t len, char **ret_pem)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	AUTO_CHARS(pem) = NULL;
	const char *text;
	long text_len;

	if (kinds[kind].label == NULL)
		return ca_error(CA_R_INTERNAL, "there is no PEM for %s",
		    object_kind_name(kind));
	if (bio == NULL || len > INT32_MAX ||
	    PEM_write_bio(bio, kinds[kind].label, "", der, (long)len) <= 0)
		return ca_error(CA_R_MEMORY, "cannot write a %s as PEM",
		    object_kind_name(kind));
	text_len = BIO_get_mem_data(bio, &text);
	pem = text_len > 0 ? strndup(text, (size_t)text_len) : NULL;
	if (pem == NULL)
		return ca_error(CA_R_MEMORY, "no memory for PEM");
	*ret_pem = TAKE(pem);
	return 0;
}
