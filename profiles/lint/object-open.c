/* Taking certificates and requests apart. */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/lint/object.h"

enum {
	TAG_VERSION = 0xa0,
	TAG_ISSUER_UID = 0x81,
	TAG_SUBJECT_UID = 0x82,
	TAG_EXTENSIONS = 0xa3,
	TAG_ATTRIBUTES = 0xa0,
	MAX_UNUSED_BITS = 7,
};

static int
malformed(const char *what, struct der at, struct der whole)
{
	return ca_error(CA_R_INPUT,
	    "no %s can be read at octet %zu: this is not DER, or not what it "
	    "claims to be",
	    what, (size_t)(at.p - whole.p));
}

/* Tbs, AlgorithmIdentifier and BIT STRING, and nothing behind them. */
static int
take_frame(struct der whole, struct der *ret_tbs, struct der *ret_alg,
    struct der *ret_signature, unsigned *ret_unused)
{
	struct der in = whole, body, bits;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL))
		return malformed("SEQUENCE", in, whole);
	if (in.len != 0)
		return ca_error(CA_R_INPUT,
		    "%zu octets follow the object, from octet %zu on", in.len,
		    (size_t)(in.p - whole.p));
	if (!der_take(&body, DER_SEQUENCE, NULL, ret_tbs))
		return malformed("to-be-signed part", body, whole);
	if (!der_take(&body, DER_SEQUENCE, NULL, ret_alg))
		return malformed("signature algorithm", body, whole);
	if (!der_take(&body, DER_BIT_STRING, &bits, NULL) || bits.len == 0 ||
	    bits.p[0] > MAX_UNUSED_BITS || body.len != 0)
		return malformed("signature", body, whole);
	*ret_unused = bits.p[0];
	*ret_signature = (struct der){ bits.p + 1, bits.len - 1 };
	return 0;
}

static int
take_validity(struct lint_certificate *c, struct der *in)
{
	struct der validity;

	if (!der_take(in, DER_SEQUENCE, &validity, NULL) ||
	    !lint_take_time(&validity, &c->not_before) ||
	    !lint_take_time(&validity, &c->not_after) || validity.len != 0)
		return malformed("validity", *in, c->element);
	return 0;
}

static int
take_optional(struct lint_certificate *c, struct der *in)
{
	struct der outer, list;

	(void)der_take(in, TAG_ISSUER_UID, NULL, &c->issuer_uid);
	(void)der_take(in, TAG_SUBJECT_UID, NULL, &c->subject_uid);
	if (der_take(in, TAG_EXTENSIONS, &outer, NULL) &&
	    (!der_take(&outer, DER_SEQUENCE, &list, NULL) || outer.len != 0 ||
		!lint_take_extensions(list, &c->extensions)))
		return malformed("list of extensions", outer, c->element);
	if (in->len != 0)
		return malformed("end of the certificate", *in, c->element);
	return 0;
}

static int
take_tbs(struct lint_certificate *c)
{
	struct der tbs = c->tbs, in;

	(void)der_take(&tbs, DER_SEQUENCE, &in, NULL);
	(void)der_take(&in, TAG_VERSION, NULL, &c->version);
	if (!der_take(&in, DER_INTEGER, &c->serial, NULL))
		return malformed("serial number", in, c->element);
	if (!der_take(&in, DER_SEQUENCE, NULL, &c->alg))
		return malformed("signature algorithm", in, c->element);
	if (!lint_take_name(&in, &c->issuer))
		return malformed("issuer's name", in, c->element);
	if (take_validity(c, &in) != 0)
		return -1;
	if (!lint_take_name(&in, &c->subject))
		return malformed("subject's name", in, c->element);
	if (!lint_take_spki(&in, &c->key))
		return malformed("public key", in, c->element);
	return take_optional(c, &in);
}

int
lint_certificate_open(struct der der, struct lint_certificate **ret_certificate)
{
	AUTO_PTR(lint_certificate) *c = calloc(1, sizeof *c);

	if (c == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	c->element = der;
	if (take_frame(der, &c->tbs, &c->alg_outer, &c->signature,
		&c->signature_unused) != 0 ||
	    take_tbs(c) != 0)
		return -1;
	lint_values_decode(&c->extensions, &c->values);
	*ret_certificate = TAKE(c);
	return 0;
}

X509 *
lint_certificate_decode(const struct lint_certificate *certificate)
{
	const struct der der = certificate->element;
	const unsigned char *p = der.p;
	X509 *x509;

	(void)ERR_set_mark();
	x509 = d2i_X509(NULL, &p, (long)der.len);
	(void)ERR_pop_to_mark();
	return x509;
}

void
lint_certificate_free(struct lint_certificate *certificate)
{
	if (certificate == NULL)
		return;
	lint_values_clear(&certificate->values);
	free(certificate);
}

/* The first extensionRequest among the attributes (RFC 2985, 5.4.2). */
static bool
take_requested(struct der attributes, struct lint_extensions *ret)
{
	static const unsigned char request[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7,
		0x0d, 0x01, 0x09, 0x0e };
	struct der body, oid, values, list;

	while (attributes.len > 0) {
		if (!der_take(&attributes, DER_SEQUENCE, &body, NULL) ||
		    !der_take(&body, DER_OID, &oid, NULL) ||
		    !der_take(&body, DER_SET, &values, NULL) || body.len != 0)
			return false;
		if (der_equal(oid, request, sizeof request))
			return der_take(&values, DER_SEQUENCE, &list, NULL) &&
			    lint_take_extensions(list, ret);
	}
	return true;
}

static int
take_info(struct lint_csr *c)
{
	struct der info = c->info, in;

	(void)der_take(&info, DER_SEQUENCE, &in, NULL);
	if (!der_take(&in, DER_INTEGER, &c->version, NULL))
		return malformed("version", in, c->element);
	if (!lint_take_name(&in, &c->subject))
		return malformed("subject's name", in, c->element);
	if (!lint_take_spki(&in, &c->key))
		return malformed("public key", in, c->element);
	if (der_take(&in, TAG_ATTRIBUTES, &c->attributes, NULL) &&
	    !take_requested(c->attributes, &c->extensions))
		return malformed(
		    "list of attributes", c->attributes, c->element);
	if (in.len != 0)
		return malformed("end of the request", in, c->element);
	return 0;
}

int
lint_csr_open(struct der der, struct lint_csr **ret_csr)
{
	AUTO_PTR(lint_csr) *c = calloc(1, sizeof *c);

	if (c == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a request");
	c->element = der;
	if (take_frame(der, &c->info, &c->alg, &c->signature,
		&c->signature_unused) != 0 ||
	    take_info(c) != 0)
		return -1;
	lint_values_decode(&c->extensions, &c->values);
	*ret_csr = TAKE(c);
	return 0;
}

void
lint_csr_free(struct lint_csr *csr)
{
	if (csr == NULL)
		return;
	lint_values_clear(&csr->values);
	free(csr);
}
