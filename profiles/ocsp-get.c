/* Under which names OCSP responses are fetched with GET. */
#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "profiles/ocsp.h"

enum {
	SERIAL_MAX = 20,
	/* Five SEQUENCEs, the AlgorithmIdentifier, two hashes, a serial. */
	REQUEST_MAX = 5 * 2 + 15 + 2 * 34 + 2 + SERIAL_MAX,
	BASE64_MAX = 4 * ((REQUEST_MAX + 2) / 3) + 1,
	SHORT_MAX = 127, /* of a length in one octet */
	NESTING = 4, /* of a Request in an OCSPRequest, and a CertID in it */
};

/* Of AlgorithmIdentifier: with NULL as clients send it, and without. */
static const struct hash {
	unsigned char oid[11]; /* the element */
	size_t oid_len;
	size_t digest_len;
} hashes[] = {
	{ { 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01 },
	    11, 32 },
	{ { 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a }, 7, 20 },
};

/* The parts of a CertID, RFC 6960, section 4.1.1. */
struct cert_id_parts {
	const struct hash *hash;
	struct der name_hash, key_hash, serial; /* elements */
};

static const struct hash *
find_hash(struct der alg)
{
	struct der oid, null;

	if (!der_take(&alg, DER_OID, NULL, &oid))
		return NULL;
	if (alg.len > 0 &&
	    (!der_take(&alg, DER_NULL, &null, NULL) || null.len != 0 ||
		alg.len != 0))
		return NULL;
	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++)
		if (der_equal(oid, hashes[i].oid, hashes[i].oid_len))
			return &hashes[i];
	return NULL;
}

static bool
take_cert_id(struct der in, struct cert_id_parts *parts)
{
	struct der body, alg, name_hash, key_hash, serial;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0 ||
	    !der_take(&body, DER_SEQUENCE, &alg, NULL) ||
	    !der_take(&body, DER_OCTET_STRING, &name_hash, &parts->name_hash) ||
	    !der_take(&body, DER_OCTET_STRING, &key_hash, &parts->key_hash) ||
	    !der_take(&body, DER_INTEGER, &serial, &parts->serial) ||
	    body.len != 0)
		return false;
	parts->hash = find_hash(alg);
	return parts->hash != NULL &&
	    name_hash.len == parts->hash->digest_len &&
	    key_hash.len == parts->hash->digest_len && serial.len > 0 &&
	    serial.len <= SERIAL_MAX;
}

static unsigned char *
put(unsigned char *p, const unsigned char *octets, size_t len)
{
	memcpy(p, octets, len);
	return p + len;
}

/* All lengths are below 128: each header is two octets. */
static unsigned char *
put_header(unsigned char *p, unsigned char tag, size_t len)
{
	*p++ = tag;
	*p++ = (unsigned char)len;
	return p;
}

/* OCSPRequest { TBSRequest { requestList { Request { CertID } } } } */
static size_t
encode_request(
    const struct cert_id_parts *parts, unsigned char out[REQUEST_MAX])
{
	static const unsigned char null[] = { DER_NULL, 0 };
	size_t alg = parts->hash->oid_len + sizeof(null);
	size_t body = 2 + alg + parts->name_hash.len + parts->key_hash.len +
	    parts->serial.len;
	unsigned char *p = out;

	for (size_t depth = NESTING; depth > 0; depth--)
		p = put_header(p, DER_SEQUENCE, body + 2 * depth);
	p = put_header(p, DER_SEQUENCE, body);
	p = put_header(p, DER_SEQUENCE, alg);
	p = put(p, parts->hash->oid, parts->hash->oid_len);
	p = put(p, null, sizeof(null));
	p = put(p, parts->name_hash.p, parts->name_hash.len);
	p = put(p, parts->key_hash.p, parts->key_hash.len);
	p = put(p, parts->serial.p, parts->serial.len);
	return (size_t)(p - out);
}

/* What RFC 3986, section 2.1, makes of a character of base64. */
static const char *
percent(char c)
{
	switch (c) {
	case '+':
		return "%2B";
	case '/':
		return "%2F";
	case '=':
		return "%3D";
	default:
		return NULL;
	}
}

static int
percent_encode(const char *base64, char **ret_name)
{
	char name[3 * BASE64_MAX];
	size_t len = 0;
	char *copy;

	for (; *base64 != '\0'; base64++) {
		const char *encoded = percent(*base64);

		if (encoded == NULL) {
			name[len++] = *base64;
			continue;
		}
		memcpy(name + len, encoded, 3);
		len += 3;
	}
	if (len > OCSP_GET_NAME_MAX)
		return ca_error(CA_R_INPUT,
		    "the name of a response would have %zu octets, and a file "
		    "name may have %d",
		    len, OCSP_GET_NAME_MAX);
	copy = strndup(name, len);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	*ret_name = copy;
	return 0;
}

int
ocsp_get_name(struct der cert_id, char **ret_name)
{
	unsigned char request[REQUEST_MAX];
	unsigned char base64[BASE64_MAX];
	struct cert_id_parts parts;
	size_t len, fault;

	_Static_assert(REQUEST_MAX - 2 <= SHORT_MAX, "lengths in one octet");
	if (!der_is_strict(cert_id.p, cert_id.len, &fault) ||
	    !take_cert_id(cert_id, &parts))
		return ca_error(CA_R_INPUT,
		    "a CertID is malformed, or not by SHA-256 or SHA-1 (RFC "
		    "6960, section 4.1.1)");
	len = encode_request(&parts, request);
	(void)EVP_EncodeBlock(base64, request, (int)len);
	return percent_encode((const char *)base64, ret_name);
}

/* ---- of responses ----------------------------------------------------- */

void
ocsp_get_names_clear(struct ocsp_get_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	*names = (struct ocsp_get_names){ .count = 0 };
}

/* The list of SingleResponses of ResponseData; false: it is none. */
static bool
take_responses(struct der in, struct der *ret_list)
{
	enum { BY_NAME = DER_CONTEXT_0 + 1, BY_KEY = DER_CONTEXT_0 + 2 };
	struct der body;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0)
		return false;
	if (der_next_is(&body, DER_CONTEXT_0) &&
	    !der_take(&body, DER_CONTEXT_0, NULL, NULL))
		return false;
	if (!der_take(&body, BY_KEY, NULL, NULL) &&
	    !der_take(&body, BY_NAME, NULL, NULL))
		return false;
	return der_take(&body, DER_GENERALIZED_TIME, NULL, NULL) &&
	    der_take(&body, DER_SEQUENCE, ret_list, NULL);
}

static int
add_name(struct ocsp_get_names *names, char **name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], *name) == 0)
			return 0;
	if (names->count == OCSP_GET_NAMES_MAX)
		return ca_error(CA_R_INPUT,
		    "a response is about more than %d certificates",
		    OCSP_GET_NAMES_MAX);
	names->names[names->count++] = TAKE(*name);
	return 0;
}

static int
add_names(struct der list, struct ocsp_get_names *names)
{
	struct der single, id;

	while (list.len > 0) {
		AUTO_CHARS(name) = NULL;

		if (!der_take(&list, DER_SEQUENCE, &single, NULL) ||
		    !der_take(&single, DER_SEQUENCE, NULL, &id))
			return ca_error(CA_R_INPUT,
			    "a SingleResponse is malformed (RFC 6960, section "
			    "4.2.1)");
		if (ocsp_get_name(id, &name) < 0 || add_name(names, &name) < 0)
			return -1;
	}
	return 0;
}

int
ocsp_data_names(struct der response_data, struct ocsp_get_names *ret_names)
{
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };
	struct der list;

	if (!take_responses(response_data, &list) || list.len == 0)
		return ca_error(CA_R_INPUT,
		    "the ResponseData is malformed, or about no certificate "
		    "(RFC 6960, section 4.2.1)");
	if (add_names(list, &names) < 0)
		return -1;
	*ret_names = names;
	names.count = 0;
	return 0;
}

int
ocsp_response_names(const char *name, const unsigned char *der, size_t len,
    struct ocsp_get_names *ret_names)
{
	struct ocsp_parts parts;

	if (ocsp_take_apart(name, der, len, &parts) < 0)
		return -1;
	return ocsp_data_names(parts.tbs, ret_names);
}
