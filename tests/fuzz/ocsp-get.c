/*
 * Names under which OCSP responses are fetched: of any CertID, ResponseData or
 * OCSPResponse none, or one that OpenSSL's parser reads back as the request for
 * it.
 */
#include <string.h>

#include <openssl/ocsp.h>

#include "base/error.h"
#include "fuzz.h"
#include "profiles/ocsp.h"

CLEANUP_DEFINE(OCSP_REQUEST, OCSP_REQUEST_free);
CLEANUP_DEFINE(OCSP_CERTID, OCSP_CERTID_free);

static int
hex_value(char c)
{
	const char *digits = "0123456789ABCDEF", *at = strchr(digits, c);

	HOLDS(c != '\0' && at != NULL);
	return (int)(at - digits);
}

/* RFC 3986, section 2.1; of what stays, nothing needs an escape. */
static size_t
percent_decode(const char *name, unsigned char *out)
{
	size_t len = 0;

	for (; *name != '\0'; name++) {
		if (*name != '%') {
			HOLDS((*name >= '0' && *name <= '9') ||
			    (*name >= 'A' && *name <= 'Z') ||
			    (*name >= 'a' && *name <= 'z'));
			out[len++] = (unsigned char)*name;
			continue;
		}
		HOLDS(name[1] != '\0' && name[2] != '\0');
		out[len++] = (unsigned char)(hex_value(name[1]) << 4 |
		    hex_value(name[2]));
		name += 2;
	}
	return len;
}

static OCSP_REQUEST *
read_name(const char *name)
{
	unsigned char base64[OCSP_GET_NAME_MAX], der[OCSP_GET_NAME_MAX];
	const unsigned char *p = der;
	OCSP_REQUEST *request;
	size_t len;
	int octets;

	HOLDS(name[0] != '\0' && strlen(name) <= OCSP_GET_NAME_MAX);
	len = percent_decode(name, base64);
	octets = EVP_DecodeBlock(der, base64, (int)len);
	HOLDS(octets > 0);
	for (size_t i = len; i > 0 && base64[i - 1] == '='; i--)
		octets--;
	request = d2i_OCSP_REQUEST(NULL, &p, octets);
	HOLDS(request != NULL && p == der + octets);
	HOLDS(OCSP_request_onereq_count(request) == 1);
	return request;
}

/* The request is for this CertID: the same hashes and serial. */
static void
check_request(const char *name, const OCSP_CERTID *id)
{
	AUTO(OCSP_REQUEST) *request = read_name(name);

	HOLDS(OCSP_id_cmp(id,
		  OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0))) ==
	    0);
}

static void
check_cert_id(const uint8_t *data, size_t size)
{
	AUTO(OCSP_CERTID) *id = NULL;
	AUTO_CHARS(name) = NULL;
	const unsigned char *p = data;

	if (ocsp_get_name((struct der){ data, size }, &name) != 0) {
		HOLDS(name == NULL && ca_error_reason() == CA_R_INPUT);
		ca_error_clear();
		return;
	}
	id = d2i_OCSP_CERTID(NULL, &p, (long)size);
	HOLDS(id != NULL && p == data + size);
	check_request(name, id);
}

static void
check_names(const struct ocsp_get_names *names)
{
	HOLDS(names->count > 0 && names->count <= OCSP_GET_NAMES_MAX);
	for (size_t i = 0; i < names->count; i++) {
		OCSP_REQUEST_free(read_name(names->names[i]));
		for (size_t k = 0; k < i; k++)
			HOLDS(strcmp(names->names[i], names->names[k]) != 0);
	}
}

static void
check_refused(const struct ocsp_get_names *names)
{
	HOLDS(names->count == 0 && ca_error_reason() == CA_R_INPUT);
	ca_error_clear();
}

/* The names of a response are those of the ResponseData in it. */
static void
check_response(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };
	AUTO_STRUCT(ocsp_get_names) inner = { .count = 0 };
	struct ocsp_parts parts;

	if (ocsp_response_names("x", data, size, &names) != 0) {
		check_refused(&names);
		return;
	}
	check_names(&names);
	HOLDS(ocsp_take_apart("x", data, size, &parts) == 0);
	HOLDS(ocsp_data_names(parts.tbs, &inner) == 0);
	HOLDS(names.count == inner.count);
	for (size_t i = 0; i < names.count; i++)
		HOLDS(strcmp(names.names[i], inner.names[i]) == 0);
}

static void
check_data(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };

	if (ocsp_data_names((struct der){ data, size }, &names) != 0)
		check_refused(&names);
	else
		check_names(&names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_cert_id(data, size);
	check_data(data, size);
	check_response(data, size);
	ca_error_clear();
	return 0;
}
