/* An OCSP response taken apart: RFC 6960, section 4.2.1. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/error.h"
#include "profiles/lint/ocsp-private.h"

enum {
	TAG_VERSION = 0xa0,
	TAG_NEXT_UPDATE = 0xa0,
	TAG_SINGLE_EXTENSIONS = 0xa1,
	TAG_EXTENSIONS = 0xa1,
	TAG_REASON = 0xa0,
	MAX_UNUSED_BITS = 7,
};

static const unsigned char oid_basic[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
	0x30, 0x01, 0x01 };

static int
malformed(const char *what, struct der at, const struct lint_ocsp_state *s)
{
	return ca_error(CA_R_INPUT,
	    "no %s can be read at octet %zu: this is not DER, or not an OCSP "
	    "response",
	    what, (size_t)(at.p - s->element.p));
}

/* ---- SingleResponse ----------------------------------------------------- */

/* The hash of an AlgorithmIdentifier. */
static int
hash_of(struct der alg)
{
	const unsigned char *p;
	struct der body, oid;
	AUTO(ASN1_OBJECT) *object = NULL;
	int nid;

	if (!der_take(&alg, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_OID, NULL, &oid))
		return NID_undef;
	p = oid.p;
	(void)ERR_set_mark();
	object = d2i_ASN1_OBJECT(NULL, &p, (long)oid.len);
	nid = object != NULL ? OBJ_obj2nid(object) : NID_undef;
	(void)ERR_pop_to_mark();
	return nid;
}

static bool
take_cert_id(struct der *in, struct lint_ocsp_single *single)
{
	struct der body;

	if (!der_take(in, DER_SEQUENCE, &body, &single->cert_id) ||
	    !der_take(&body, DER_SEQUENCE, NULL, &single->hash_alg) ||
	    !der_take(&body, DER_OCTET_STRING, &single->name_hash, NULL) ||
	    !der_take(&body, DER_OCTET_STRING, &single->key_hash, NULL) ||
	    !der_take(&body, DER_INTEGER, &single->serial, NULL))
		return false;
	single->hash_nid = hash_of(single->hash_alg);
	return body.len == 0;
}

static bool
take_revoked(struct der info, struct lint_ocsp_single *single)
{
	struct der reason;

	if (!lint_take_time(&info, &single->revoked_at))
		return false;
	if (der_take(&info, TAG_REASON, &reason, NULL) &&
	    (!der_take(&reason, DER_ENUMERATED, &single->reason, NULL) ||
		single->reason.len == 0 || reason.len != 0))
		return false;
	return info.len == 0;
}

static bool
take_status(struct der *in, struct lint_ocsp_single *single)
{
	struct der content;

	if (!der_take_any(in, &content, &single->status_element))
		return false;
	single->status = single->status_element.p[0];
	if (single->status == OCSP_REVOKED)
		return take_revoked(content, single);
	return (single->status == OCSP_GOOD ||
		   single->status == OCSP_UNKNOWN) &&
	    content.len == 0;
}

static bool
take_single(struct der *in, struct lint_ocsp_single *ret_single)
{
	struct lint_ocsp_single single = { .hash_nid = NID_undef };
	struct der body, next;

	if (!der_take(in, DER_SEQUENCE, &body, &single.element) ||
	    !take_cert_id(&body, &single) || !take_status(&body, &single) ||
	    !lint_take_time(&body, &single.this_update))
		return false;
	single.has_next_update = der_take(&body, TAG_NEXT_UPDATE, &next, NULL);
	if (single.has_next_update &&
	    (!lint_take_time(&next, &single.next_update) || next.len != 0))
		return false;
	(void)der_take(&body, TAG_SINGLE_EXTENSIONS, NULL, &single.extensions);
	*ret_single = single;
	return body.len == 0;
}

/* How many elements stand in a list; at most one more than `max`. */
static size_t
count_elements(struct der list, size_t max)
{
	struct der content, element;
	size_t count = 0;

	while (count <= max && der_take_any(&list, &content, &element))
		count++;
	return count;
}

static int
take_singles(struct lint_ocsp_state *s, struct der list)
{
	const size_t count = count_elements(list, OCSP_SINGLES_MAX);

	if (count > OCSP_SINGLES_MAX)
		return ca_error(CA_R_INPUT,
		    "there are more than %d single responses; no more are read",
		    OCSP_SINGLES_MAX);
	s->singles = calloc(count + 1, sizeof *s->singles);
	if (s->singles == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	while (list.len > 0) {
		if (s->count == count ||
		    !take_single(&list, &s->singles[s->count]))
			return malformed("single response", list, s);
		s->count++;
	}
	return 0;
}

/* ---- ResponseData ------------------------------------------------------- */

static bool
take_responder(struct der *in, struct lint_ocsp_state *s)
{
	struct der content;

	s->responder = in->len > 0 ? in->p[0] : 0;
	if (s->responder != OCSP_BY_NAME && s->responder != OCSP_BY_KEY)
		return false;
	if (!der_take(in, s->responder, &content, NULL))
		return false;
	if (s->responder == OCSP_BY_NAME)
		return lint_take_name(&content, &s->responder_name) &&
		    content.len == 0;
	return der_take(&content, DER_OCTET_STRING, &s->responder_key, NULL) &&
	    content.len == 0;
}

static bool
take_extensions(struct der *in, struct lint_ocsp_state *s)
{
	struct der outer, list;

	return !der_take(in, TAG_EXTENSIONS, &outer, &s->extensions_element) ||
	    (der_take(&outer, DER_SEQUENCE, &list, NULL) && outer.len == 0 &&
		lint_take_extensions(list, &s->extensions));
}

static int
take_data(struct lint_ocsp_state *s)
{
	struct der data = s->data, in, list;

	(void)der_take(&data, DER_SEQUENCE, &in, NULL);
	(void)der_take(&in, TAG_VERSION, NULL, &s->version);
	if (!take_responder(&in, s))
		return malformed("responder's identifier", in, s);
	if (!lint_take_time(&in, &s->produced_at))
		return malformed("producedAt", in, s);
	if (!der_take(&in, DER_SEQUENCE, &list, NULL))
		return malformed("list of responses", in, s);
	if (take_singles(s, list) != 0)
		return -1;
	if (!take_extensions(&in, s) || in.len != 0)
		return malformed("list of extensions", in, s);
	return 0;
}

/* ---- BasicOCSPResponse -------------------------------------------------- */

/* CA_R_INPUT: it cannot be read. */
static int
take_certificate(struct lint_ocsp_state *s, struct der element)
{
	const size_t i = s->certificate_count;

	if (s->known != NULL &&
	    der_equal(element, s->known->element.p, s->known->element.len)) {
		s->certificates[i] = s->known;
	} else {
		if (lint_certificate_open(element, &s->owned[i]) != 0)
			return -1;
		s->certificates[i] = s->owned[i];
	}
	s->certificate_count++;
	return 0;
}

static int
take_certificates(struct lint_ocsp_state *s, struct der list)
{
	struct der content, element;

	while (list.len > 0) {
		if (!der_take_any(&list, &content, &element))
			return malformed("certificate", list, s);
		s->cert_count++;
		if (s->certificate_count == OCSP_CERTS_MAX)
			continue;
		if (take_certificate(s, element) == 0)
			continue;
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
	}
	return 0;
}

static int
take_basic(struct lint_ocsp_state *s, struct der response)
{
	struct der in, bits, outer, list;

	if (!der_take(&response, DER_SEQUENCE, &in, &s->basic) ||
	    response.len != 0 || !der_take(&in, DER_SEQUENCE, NULL, &s->data))
		return malformed("BasicOCSPResponse", response, s);
	if (!der_take(&in, DER_SEQUENCE, NULL, &s->alg))
		return malformed("signature algorithm", in, s);
	if (!der_take(&in, DER_BIT_STRING, &bits, NULL) || bits.len == 0 ||
	    bits.p[0] > MAX_UNUSED_BITS)
		return malformed("signature", in, s);
	s->signature_unused = bits.p[0];
	s->signature = (struct der){ bits.p + 1, bits.len - 1 };
	if (der_take(&in, DER_CONTEXT_0, &outer, &s->certs)) {
		if (!der_take(&outer, DER_SEQUENCE, &list, NULL) ||
		    outer.len != 0)
			return malformed("list of certificates", outer, s);
		if (take_certificates(s, list) != 0)
			return -1;
	}
	if (in.len != 0)
		return malformed("end of the response", in, s);
	return take_data(s);
}

static int
take_response(struct lint_ocsp_state *s)
{
	struct der in = s->element, body, outer, bytes, response;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL))
		return malformed("SEQUENCE", in, s);
	if (in.len != 0)
		return ca_error(CA_R_INPUT,
		    "%zu octets follow the response, from octet %zu on", in.len,
		    (size_t)(in.p - s->element.p));
	if (!der_take(&body, DER_ENUMERATED, &s->status, NULL) ||
	    s->status.len == 0)
		return malformed("responseStatus", body, s);
	s->has_bytes = der_take(&body, DER_CONTEXT_0, &outer, NULL);
	if (body.len != 0)
		return malformed("end of the response", body, s);
	if (!s->has_bytes)
		return 0;
	if (!der_take(&outer, DER_SEQUENCE, &bytes, NULL) || outer.len != 0 ||
	    !der_take(&bytes, DER_OID, &s->type, NULL) ||
	    !der_take(&bytes, DER_OCTET_STRING, &response, NULL) ||
	    bytes.len != 0)
		return malformed("responseBytes", outer, s);
	s->is_basic = der_equal(s->type, oid_basic, sizeof oid_basic);
	return s->is_basic ? take_basic(s, response) : 0;
}

/* ---- who signed --------------------------------------------------------- */

static bool
is_named(const struct lint_ocsp_state *s, const struct lint_certificate *c)
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	size_t len = 0;

	if (s->responder == OCSP_BY_NAME)
		return der_equal(s->responder_name.element,
		    c->subject.element.p, c->subject.element.len);
	return EVP_Q_digest(NULL, "SHA1", NULL, c->key.bits.p, c->key.bits.len,
		   digest, &len) == 1 &&
	    der_equal(s->responder_key, digest, len);
}

static void
find_signer(struct lint_ocsp_state *s, const struct lint_certificate *issuer)
{
	if (!s->is_basic)
		return;
	if (issuer != NULL && is_named(s, issuer)) {
		s->signer = issuer;
		s->signer_is_issuer = true;
		return;
	}
	for (size_t i = 0; i < s->certificate_count; i++)
		if (is_named(s, s->certificates[i])) {
			s->signer = s->certificates[i];
			return;
		}
}

int
lint_ocsp_verify(const struct lint_ocsp_state *s, const struct lint_key *key)
{
	const struct sigalg *alg = sigalg_by_der(s->alg.p, s->alg.len);
	int verified;

	if (alg == NULL)
		return -1;
	if (s->signature_unused != 0)
		return 0;
	(void)ERR_set_mark();
	verified =
	    sigalg_verify(alg, key->element.p, key->element.len, s->data.p,
		s->data.len, s->signature.p, s->signature.len) == 0;
	(void)ERR_pop_to_mark();
	return verified;
}

/* ---- the whole ---------------------------------------------------------- */

/*
 * OpenSSL decodes the public key of a certificate as it reads it, which takes
 * longer than all lints of a response.  A certificate that is known was read
 * before: BasicOCSPResponse without it.  False: no memory.
 */
static bool
strip_known(struct lint_ocsp_state *s)
{
	const size_t len = (size_t)(s->certs.p - s->data.p);
	const int size = ASN1_object_size(1, (int)len, V_ASN1_SEQUENCE);
	unsigned char *p;

	s->stripped = malloc((size_t)size);
	if (s->stripped == NULL)
		return false;
	p = s->stripped;
	ASN1_put_object(&p, 1, (int)len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
	memcpy(p, s->data.p, len);
	s->decoded = (struct der){ s->stripped, (size_t)size };
	return true;
}

static bool
is_known_alone(const struct lint_ocsp_state *s)
{
	return s->cert_count == 1 && s->certificate_count == 1 &&
	    s->certificates[0] == s->known && s->basic.len <= INT32_MAX;
}

static void
decode(struct lint_ocsp_state *s)
{
	const unsigned char *p = s->element.p;

	s->decoded = s->basic;
	if (s->is_basic && is_known_alone(s) && !strip_known(s))
		return;
	(void)ERR_set_mark();
	s->response = d2i_OCSP_RESPONSE(NULL, &p, (long)s->element.len);
	p = s->decoded.p;
	if (s->response != NULL && s->is_basic)
		s->basicresp =
		    d2i_OCSP_BASICRESP(NULL, &p, (long)s->decoded.len);
	(void)ERR_pop_to_mark();
}

int
lint_ocsp_open(struct der der, const struct lint_certificate *issuer,
    const struct lint_certificate *known, struct lint_ocsp_state **ret_state)
{
	AUTO_PTR(lint_ocsp_state) *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	s->element = der;
	s->known = known;
	if (take_response(s) != 0)
		return -1;
	find_signer(s, issuer);
	decode(s);
	*ret_state = TAKE(s);
	return 0;
}

void
lint_ocsp_state_free(struct lint_ocsp_state *state)
{
	if (state == NULL)
		return;
	for (size_t i = 0; i < state->certificate_count; i++)
		lint_certificate_free(state->owned[i]);
	OCSP_BASICRESP_free(state->basicresp);
	free(state->stripped);
	OCSP_RESPONSE_free(state->response);
	free(state->singles);
	free(state);
}
