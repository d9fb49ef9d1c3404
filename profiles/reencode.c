#include "profiles/reencode.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "base/error.h"
#include "profiles/der/der.h"
#include "profiles/input.h"
#include "profiles/ocsp.h"

CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);
CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);

/* Decoding errors of OpenSSL are replaced by one sentence of ours. */
static int
refuse(const char *name, const char *what)
{
	(void)ERR_pop_to_mark();
	return ca_error(CA_R_INPUT, "'%s' cannot be read as a %s", name, what);
}

/*
 * OpenSSL keeps the octets of what it decoded; i2d_re_ functions encode anew,
 * into `again` of length `again_len`, to be compared with the original.
 */
static int
compare(const char *name, const unsigned char *der, size_t len,
    const unsigned char *again, int again_len)
{
	struct signed_object object;

	if (again_len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode '%s' again", name);
	if (!der_signed_object(der, len, &object) ||
	    !der_equal(object.tbs, again, (size_t)again_len))
		return ca_error(CA_R_INPUT,
		    "'%s' does not encode back to the same octets: it is not "
		    "DER",
		    name);
	return 0;
}

static int
check_certificate(const char *name, const X509 *cert)
{
	const ASN1_BIT_STRING *issuer_uid, *subject_uid;

	if (X509_get_version(cert) != X509_VERSION_3)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a version 3 certificate (RFC 5280, section "
		    "4.1.2.1)",
		    name);
	X509_get0_uids(cert, &issuer_uid, &subject_uid);
	if (issuer_uid != NULL || subject_uid != NULL)
		return ca_error(CA_R_INPUT,
		    "'%s' has a unique identifier (RFC 5280, section 4.1.2.8)",
		    name);
	return input_check_extensions(name, X509_get0_extensions(cert));
}

int
reencode_certificate(const char *name, const unsigned char *der, size_t len)
{
	AUTO(X509) *cert = NULL;
	AUTO_DER(again) = NULL;
	const unsigned char *end = der;
	int again_len;

	(void)ERR_set_mark();
	cert = d2i_X509(NULL, &end, (long)len);
	if (cert == NULL || end != der + len)
		return refuse(name, "certificate");
	(void)ERR_pop_to_mark();
	if (check_certificate(name, cert) != 0)
		return -1;
	again_len = i2d_re_X509_tbs(cert, &again);
	return compare(name, der, len, again, again_len);
}

static int
check_crl(const char *name, X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *revoked = X509_CRL_get_REVOKED(crl);
	int count = revoked != NULL ? sk_X509_REVOKED_num(revoked) : 0;

	if (X509_CRL_get_version(crl) != X509_CRL_VERSION_2)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a version 2 CRL (RFC 5280, section 5.1.2.1)",
		    name);
	if (revoked != NULL && count == 0)
		return ca_error(CA_R_INPUT,
		    "'%s' has an empty list of entries, which must be absent "
		    "(RFC 5280, section 5.1.2.6)",
		    name);
	for (int i = 0; i < count; i++)
		if (input_check_extensions(name,
			X509_REVOKED_get0_extensions(
			    sk_X509_REVOKED_value(revoked, i))) != 0)
			return -1;
	return input_check_extensions(name, X509_CRL_get0_extensions(crl));
}

int
reencode_crl(const char *name, const unsigned char *der, size_t len)
{
	AUTO(X509_CRL) *crl = NULL;
	AUTO_DER(again) = NULL;
	const unsigned char *end = der;
	int again_len;

	(void)ERR_set_mark();
	crl = d2i_X509_CRL(NULL, &end, (long)len);
	if (crl == NULL || end != der + len)
		return refuse(name, "CRL");
	(void)ERR_pop_to_mark();
	if (check_crl(name, crl) != 0)
		return -1;
	again_len = i2d_re_X509_CRL_tbs(crl, &again);
	return compare(name, der, len, again, again_len);
}

int
reencode_csr(const char *name, const unsigned char *der, size_t len)
{
	AUTO(X509_REQ) *req = NULL;
	AUTO_DER(again) = NULL;
	const unsigned char *end = der;
	int again_len;

	(void)ERR_set_mark();
	req = d2i_X509_REQ(NULL, &end, (long)len);
	if (req == NULL || end != der + len)
		return refuse(name, "certification request");
	(void)ERR_pop_to_mark();
	if (X509_REQ_get_version(req) != X509_REQ_VERSION_1)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a version 1 request (RFC 2986, section 4.1)",
		    name);
	again_len = i2d_re_X509_REQ_tbs(req, &again);
	return compare(name, der, len, again, again_len);
}

int
reencode_ocsp(const char *name, const unsigned char *der, size_t len)
{
	AUTO(OCSP_RESPONSE) *response = NULL;
	AUTO(OCSP_BASICRESP) *basic = NULL;
	AUTO_DER(again) = NULL;
	const unsigned char *end = der;
	struct ocsp_parts parts;
	int again_len;

	if (ocsp_take_apart(name, der, len, &parts) != 0)
		return -1;
	(void)ERR_set_mark();
	response = d2i_OCSP_RESPONSE(NULL, &end, (long)len);
	if (response == NULL || end != der + len)
		return refuse(name, "OCSP response");
	basic = OCSP_response_get1_basic(response);
	if (basic == NULL)
		return refuse(name, "OCSP response");
	(void)ERR_pop_to_mark();
	again_len = i2d_OCSP_RESPDATA(OCSP_resp_get0_respdata(basic), &again);
	if (again_len <= 0)
		return ca_error(CA_R_MEMORY, "cannot encode '%s' again", name);
	if (!der_equal(parts.tbs, again, (size_t)again_len))
		return ca_error(CA_R_INPUT,
		    "'%s' does not encode back to the same octets: it is not "
		    "DER",
		    name);
	return 0;
}
