/* Reading certificates, and what journal and summaries want to know. */
#include <limits.h>
#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/certificate.h"
#include "profiles/der/der.h"
#include "profiles/input.h"
#include "profiles/issuer.h"
#include "profiles/name.h"
#include "profiles/reencode.h"

CLEANUP_DEFINE(ASN1_BIT_STRING, ASN1_BIT_STRING_free);
CLEANUP_DEFINE(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free);

enum {
	BIT_DIGITAL_SIGNATURE = 0,
	BIT_KEY_CERT_SIGN = 5,
	BIT_CRL_SIGN = 6,
	DER_INTEGER_HEADER = 2, /* of an INTEGER of up to 127 octets */
};

int
certificate_read(
    const char *name, const unsigned char *data, size_t len, X509 **ret_cert)
{
	AUTO_BYTES(der) = NULL;
	const unsigned char *p;
	size_t der_len;
	X509 *cert;

	if (input_read(name, "certificate", "CERTIFICATE",
		CERTIFICATE_MAX_BYTES, data, len, &der, &der_len) != 0 ||
	    reencode_certificate(name, der, der_len) != 0)
		return -1;
	p = der;
	cert = d2i_X509(NULL, &p, (long)der_len);
	if (cert == NULL)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", name);
	*ret_cert = cert;
	return 0;
}

static int
read_name(const X509_NAME *name, unsigned char **ret_der, size_t *ret_len,
    char **ret_text)
{
	const unsigned char *der;
	size_t len;

	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return ca_error(CA_R_MEMORY, "cannot encode a name");
	if (asn1_copy(der, len, ret_der) != 0)
		return -1;
	*ret_len = len;
	return name_text(name, ret_text);
}

static int
read_serial(const X509 *cert, struct certificate_facts *facts)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	AUTO_DER(der) = NULL;
	int len = i2d_ASN1_INTEGER(serial, &der);

	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a serial number");
	/* FLD-SERIAL-POSITIVE, FLD-SERIAL-MAX: V_ASN1_NEG_INTEGER, zero */
	if (ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
	    len > DER_INTEGER_HEADER + SERIAL_LEN ||
	    (len == DER_INTEGER_HEADER + 1 && der[DER_INTEGER_HEADER] == 0))
		return ca_error(CA_R_INPUT,
		    "a certificate's serial number is not a positive number of "
		    "20 octets at most (RFC 5280, section 4.1.2.2)");
	facts->serial_len = (size_t)len - DER_INTEGER_HEADER;
	memcpy(facts->serial, der + DER_INTEGER_HEADER, facts->serial_len);
	return 0;
}

static int
read_spki(const X509 *cert, struct certificate_facts *facts)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	if (len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode a public key");
	if (asn1_copy(der, (size_t)len, &facts->spki) != 0)
		return -1;
	facts->spki_len = (size_t)len;
	return 0;
}

static int
read_basic_constraints(const X509 *cert, struct certificate_facts *facts)
{
	AUTO(BASIC_CONSTRAINTS) *bc = NULL;
	void *value;
	int64_t length;

	facts->path_length = -1;
	if (extension_decode(cert, NID_basic_constraints, &value) != 0)
		return -1;
	bc = value;
	if (bc == NULL)
		return 0;
	facts->is_ca = bc->ca != 0;
	if (bc->pathlen == NULL)
		return 0;
	if (ASN1_INTEGER_get_int64(&length, bc->pathlen) != 1 || length < 0 ||
	    length > INT_MAX)
		return ca_error(CA_R_INPUT,
		    "a certificate's path length is not a small number");
	facts->path_length = (int)length;
	return 0;
}

/*
 * A CA without keyUsage counts as one that may sign nothing: RFC 5280, section
 * 4.2.1.3, demands it.
 */
static int
read_usages(const X509 *cert, struct certificate_facts *facts)
{
	AUTO(ASN1_BIT_STRING) *usage = NULL;
	AUTO(EXTENDED_KEY_USAGE) *purposes = NULL;
	void *usage_value, *purposes_value;
	bool responder = false;

	if (extension_decode(cert, NID_key_usage, &usage_value) != 0)
		return -1;
	usage = usage_value;
	if (extension_decode(cert, NID_ext_key_usage, &purposes_value) != 0)
		return -1;
	purposes = purposes_value;
	for (int i = 0; i < sk_ASN1_OBJECT_num(purposes); i++)
		responder |= OBJ_obj2nid(sk_ASN1_OBJECT_value(purposes, i)) ==
		    NID_OCSP_sign;
	if (usage == NULL)
		return 0;
	facts->signs_certificates = facts->is_ca &&
	    ASN1_BIT_STRING_get_bit(usage, BIT_KEY_CERT_SIGN) == 1;
	facts->signs_crls =
	    facts->is_ca && ASN1_BIT_STRING_get_bit(usage, BIT_CRL_SIGN) == 1;
	facts->signs_ocsp = (facts->is_ca || responder) &&
	    ASN1_BIT_STRING_get_bit(usage, BIT_DIGITAL_SIGNATURE) == 1;
	return 0;
}

int
certificate_facts(const X509 *cert, struct certificate_facts *ret_facts)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	if (read_serial(cert, &facts) != 0 || read_spki(cert, &facts) != 0 ||
	    read_name(X509_get_subject_name(cert), &facts.subject_der,
		&facts.subject_len, &facts.subject) != 0 ||
	    read_name(X509_get_issuer_name(cert), &facts.issuer_der,
		&facts.issuer_len, &facts.issuer) != 0 ||
	    date_from_asn1(X509_get0_notBefore(cert), &facts.not_before) != 0 ||
	    date_from_asn1(X509_get0_notAfter(cert), &facts.not_after) != 0 ||
	    read_basic_constraints(cert, &facts) != 0 ||
	    read_usages(cert, &facts) != 0)
		return -1;
	facts.self_issued = facts.subject_len == facts.issuer_len &&
	    memcmp(facts.subject_der, facts.issuer_der, facts.issuer_len) == 0;
	*ret_facts = facts;
	facts = (struct certificate_facts){ 0 }; /* moved out */
	return 0;
}

void
certificate_facts_clear(struct certificate_facts *facts)
{
	free(facts->subject_der);
	free(facts->issuer_der);
	free(facts->subject);
	free(facts->issuer);
	free(facts->spki);
	*facts = (struct certificate_facts){ 0 };
}
