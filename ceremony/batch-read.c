/* What the octets of a batch say, on a machine that knows only the list. */
#include <string.h>
#include <time.h>

#include <openssl/ocsp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/batch.h"
#include "ceremony/journal/tree.h"

CLEANUP_DEFINE(OCSP_RESPONSE, OCSP_RESPONSE_free);
CLEANUP_DEFINE(OCSP_BASICRESP, OCSP_BASICRESP_free);

static int
malformed(void)
{
	return ca_error(CA_R_VERIFY,
	    "the spool holds an OCSP response that is malformed, or about "
	    "several certificates");
}

/* GeneralizedTime without fractions; -1: it is none. */
static int64_t
seconds_of(const ASN1_GENERALIZEDTIME *time)
{
	struct tm tm;

	return time != NULL && ASN1_TIME_to_tm(time, &tm) == 1
	    ? (int64_t)timegm(&tm)
	    : -1;
}

static int
read_serial(OCSP_SINGLERESP *single, char ret_serial[SERIAL_TEXT])
{
	enum { HEADER = 2, OCTETS = SERIAL_TEXT / 2 - 1 };
	OCSP_CERTID *id = OCSP_CERTID_dup(OCSP_SINGLERESP_get0_id(single));
	ASN1_INTEGER *serial = NULL;
	AUTO_DER(der) = NULL;
	int len = 0;

	if (id != NULL && OCSP_id_get0_info(NULL, NULL, NULL, &serial, id) == 1)
		len = i2d_ASN1_INTEGER(serial, &der);
	OCSP_CERTID_free(id);
	if (len <= HEADER || len - HEADER > OCTETS)
		return malformed();
	text_hex_into(der + HEADER, (size_t)(len - HEADER), ret_serial);
	return 0;
}

static int
read_single(OCSP_SINGLERESP *single, struct batch_response *ret_response)
{
	ASN1_GENERALIZEDTIME *revoked, *from, *until;
	int reason = -1, status;

	status =
	    OCSP_single_get0_status(single, &reason, &revoked, &from, &until);
	if (read_serial(single, ret_response->serial) < 0)
		return -1;
	ret_response->revoked = status == V_OCSP_CERTSTATUS_REVOKED;
	ret_response->from = seconds_of(from);
	ret_response->until = seconds_of(until);
	if ((status != V_OCSP_CERTSTATUS_GOOD && !ret_response->revoked) ||
	    ret_response->from < 0 || ret_response->until < 0)
		return malformed();
	return 0;
}

/* Several where there are several hashes: all say the same. */
static int
read_basic(OCSP_BASICRESP *basic, struct batch_response *ret_response)
{
	int count = OCSP_resp_count(basic);

	if (count < 1)
		return malformed();
	for (int i = 0; i < count; i++) {
		struct batch_response other = { .revoked = false };

		if (read_single(OCSP_resp_get0(basic, i), &other) < 0)
			return -1;
		if (i == 0)
			*ret_response = other;
		else if (strcmp(other.serial, ret_response->serial) != 0 ||
		    other.revoked != ret_response->revoked ||
		    other.from != ret_response->from ||
		    other.until != ret_response->until)
			return malformed();
	}
	return 0;
}

/* As the BasicOCSPResponse that it would become. */
static int
read_data(const struct tbs *tbs, struct batch_response *ret_response)
{
	AUTO(OCSP_RESPONSE) *response = NULL;
	AUTO(OCSP_BASICRESP) *basic = NULL;
	AUTO_BYTES(der) = NULL;
	const unsigned char *p;
	size_t len = 0;

	if (object_with_constant(tbs, &der, &len) < 0)
		return -1;
	p = der;
	response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
	basic = response == NULL ? NULL : OCSP_response_get1_basic(response);
	if (basic == NULL || p != der + len)
		return malformed();
	return read_basic(basic, ret_response);
}

/* Its line is a leaf, made from the octets alone. */
static int
add_leaf(struct tree_range *range, const struct tbs *tbs,
    const struct batch_response *response)
{
	unsigned char digest[HASH_LEN], leaf[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	AUTO_CHARS(line) = NULL;

	if (sha256(tbs->der, tbs->len, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	line = text_printf("%s %s %s", response->serial,
	    response->revoked ? "revoked" : "good", hex);
	if (line == NULL || tree_leaf(line, strlen(line), leaf) < 0)
		return -1;
	return tree_range_add(range, leaf, NULL, NULL);
}

static int
read_next(const struct sigalg *alg, struct der_stream *stream,
    struct tree_range *range, struct batch_response *ret_response)
{
	enum { DATA_MAX = 1 << 18 }; /* octets of a ResponseData */
	AUTO_STRUCT(tbs) one = { .kind = OBJECT_OCSP, .alg = alg };
	struct der element;

	if (der_stream_element(stream, "OCSP response", DATA_MAX, &element) <
	    0) {
		if (ca_error_reason() != CA_R_INPUT)
			return -1;
		ca_error_clear();
		return malformed();
	}
	if (!der_next_is(&element, DER_SEQUENCE))
		return malformed();
	one.len = element.len;
	one.der = bytes_copy(element.p, element.len);
	if (one.der == NULL || read_data(&one, ret_response) < 0)
		return -1;
	return add_leaf(range, &one, ret_response);
}

int
batch_read(const struct tbs *octets,
    int (*visit)(void *ctx, const struct batch_response *response), void *ctx,
    unsigned char ret_root[HASH_LEN])
{
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct tree_range range = { .size = 0 };
	struct tbs_reader reader;
	struct der_source source;

	if (tbs_source(octets, &reader, &source) < 0 ||
	    der_stream_open(&source, 0, &stream) < 0)
		return -1;
	while (stream.offset < stream.end) {
		struct batch_response response = { .revoked = false };

		if (read_next(octets->alg, &stream, &range, &response) < 0 ||
		    visit(ctx, &response) != 0)
			return -1;
	}
	return tree_range_root(&range, ret_root);
}
