#include "profiles/csr.h"

#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/asn1.h"
#include "profiles/csr-names.h"
#include "profiles/der/der.h"
#include "profiles/input.h"
#include "profiles/issuer.h"
#include "profiles/name.h"
#include "profiles/reencode.h"

enum { ATTRIBUTES_MAX = 32 };

void
csr_clear(struct csr *csr)
{
	csr_names_clear(csr);
	free(csr->spki);
	free(csr->subject);
	*csr = (struct csr){ 0 };
}

/*
 * Say what the newest error says as a finding; the errors since the mark are
 * dropped.  What is not about the input stays an error: -1.
 */
static int
refuse_by_error(const char *id, const char *place, struct findings *findings)
{
	const char *text = NULL;
	int flags, reason = ca_error_reason();

	if (reason != CA_R_INPUT && reason != CA_R_VERIFY) {
		(void)ERR_clear_last_mark();
		return -1;
	}
	(void)ERR_peek_last_error_all(NULL, NULL, NULL, &text, &flags);
	findings_add(findings, FINDING_ERROR, id, place, "RFC 2986", "%s",
	    text != NULL ? text : "it cannot be read");
	(void)ERR_pop_to_mark();
	return ca_error(CA_R_INPUT, "'%s' is refused", place);
}

/* CSR-DER */
static int
read_der(const char *place, const unsigned char *data, size_t len,
    struct findings *findings, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	(void)ERR_set_mark();
	if (input_read(place, "certification request", "CERTIFICATE REQUEST",
		CSR_MAX_BYTES, data, len, &der, &der_len) != 0 ||
	    reencode_csr(place, der, der_len) != 0)
		return refuse_by_error("CSR-DER", place, findings);
	(void)ERR_clear_last_mark();
	*ret_der = TAKE(der);
	*ret_len = der_len;
	return 0;
}

/*
 * Verify with the request's own key.  The curve fixes the hash of what a CA
 * signs (ALG-SIG-CURVE-HASH), not of a request: common tools sign with SHA-256
 * whatever the curve.
 */
static int
verify_request(const struct sigalg *alg, const struct signed_object *object,
    struct der spki)
{
	const struct key_type *type = key_type_of_spki(spki.p, spki.len);
	struct sigalg own = *alg;

	if (own.family == KEY_EC && type != NULL)
		own.curve_nid = type->curve_nid;
	return sigalg_verify(&own, spki.p, spki.len, object->tbs.p,
	    object->tbs.len, object->signature.p, object->signature.len);
}

/* CSR-POP: whoever asks has the private key. */
static void
check_possession(const struct signed_object *object, struct der spki,
    const char *place, struct findings *findings)
{
	const struct sigalg *alg =
	    sigalg_by_der(object->alg.p, object->alg.len);

	if (alg == NULL) {
		findings_add(findings, FINDING_ERROR, "CSR-POP", place,
		    "TLS BR, section 7.1.3.2",
		    "the request is signed with an algorithm that is unknown "
		    "or not allowed; use SHA-256, SHA-384 or SHA-512");
		return;
	}
	(void)ERR_set_mark();
	if (verify_request(alg, object, spki) != 0)
		findings_add(findings, FINDING_ERROR, "CSR-POP", place,
		    "RFC 2986, section 4.2",
		    "the request's signature does not verify with its own key");
	(void)ERR_pop_to_mark();
}

/* The second and third field of CertificationRequestInfo. */
static bool
find_fields(const struct der *tbs, struct der *ret_name, struct der *ret_spki)
{
	struct der in = *tbs, info;

	return der_take(&in, DER_SEQUENCE, &info, NULL) &&
	    der_take(&info, DER_INTEGER, NULL, NULL) &&
	    der_take(&info, DER_SEQUENCE, NULL, ret_name) &&
	    der_take(&info, DER_SEQUENCE, NULL, ret_spki);
}

static int
read_subject(const char *place, struct der der, struct findings *findings,
    char **ret_text)
{
	const unsigned char *p = der.p;
	AUTO(X509_NAME) *name = d2i_X509_NAME(NULL, &p, (long)der.len);

	if (name == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a name");
	(void)ERR_set_mark();
	if (name_text(name, ret_text) != 0)
		return refuse_by_error("CSR-DER", place, findings);
	(void)ERR_clear_last_mark();
	return 0;
}

/* What it asks for, of the octets that were found to be a request. */
static int
read_names(const char *place, const unsigned char *der, size_t len,
    struct findings *findings, struct csr *csr)
{
	const unsigned char *p = der;
	AUTO(X509_REQ) *req = d2i_X509_REQ(NULL, &p, (long)len);

	if (req == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a request");
	(void)ERR_set_mark();
	if (csr_read_names(req, csr) != 0)
		return refuse_by_error("CSR-DER", place, findings);
	(void)ERR_pop_to_mark();
	return 0;
}

static int
read_fields(const char *place, const unsigned char *der, size_t len,
    struct findings *findings, struct csr *csr)
{
	struct signed_object object;
	struct der name, spki;
	size_t before = findings->errors;

	if (!der_signed_object(der, len, &object) ||
	    !find_fields(&object.tbs, &name, &spki))
		return ca_error(CA_R_INTERNAL, "cannot take '%s' apart", place);
	if (spki_check(spki.p, spki.len, place, findings) != 0)
		return -1;
	check_possession(&object, spki, place, findings);
	if (read_subject(place, name, findings, &csr->subject) != 0 ||
	    read_names(place, der, len, findings, csr) != 0)
		return -1;
	if (findings->errors > before)
		return ca_error(CA_R_INPUT, "'%s' is refused", place);
	csr->spki_len = spki.len;
	return asn1_copy(spki.p, spki.len, &csr->spki);
}

int
csr_read(const char *place, const unsigned char *data, size_t len,
    struct findings *findings, struct csr *ret_csr)
{
	AUTO_STRUCT(csr) csr = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	if (read_der(place, data, len, findings, &der, &der_len) != 0 ||
	    sha256(der, der_len, csr.sha256) != 0 ||
	    read_fields(place, der, der_len, findings, &csr) != 0)
		return -1;
	*ret_csr = csr;
	csr = (struct csr){ 0 }; /* moved out */
	return 0;
}

/* UTF8String, but where the standard fixes another type. */
static enum name_encoding
encoding_for(const struct attribute *attribute)
{
	if ((attribute->encodings & NAME_UTF8) != 0)
		return NAME_UTF8;
	return (attribute->encodings & NAME_IA5) != 0 ? NAME_IA5
						      : NAME_PRINTABLE;
}

static bool
given_before(const struct name_value *subject, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(subject[j].attribute, subject[i].attribute) == 0)
			return true;
	return false;
}

/* The i-th attribute as a part, and whether it can be encoded. */
static int
check_part(const struct name_value *subject, size_t i, const char *place,
    struct findings *findings, struct name_part *ret_part)
{
	const struct attribute *row = attribute_by_name(subject[i].attribute);

	if (row == NULL) {
		findings_add(findings, FINDING_ERROR, "NAM-CA-EXTRA", place,
		    "TLS BR, section 7.1.2.10.2",
		    "attribute '%s' is unknown or not allowed in names",
		    subject[i].attribute);
		return 0;
	}
	if (given_before(subject, i) && !row->repeats)
		findings_add(findings, FINDING_ERROR, "NAM-NO-DUP", place,
		    "TLS BR, section 7.1.4.1", "attribute '%s' is given twice",
		    row->name);
	*ret_part =
	    (struct name_part){ row, encoding_for(row), subject[i].value };
	return name_check(ret_part, place, findings);
}

/* Fills `parts`, of ATTRIBUTES_MAX rows, where there are no findings. */
static int
check_parts(const struct name_value *subject, size_t count, const char *place,
    struct findings *findings, struct name_part *parts)
{
	if (count == 0 || count > ATTRIBUTES_MAX) {
		findings_add(findings, FINDING_ERROR, "NAM-CA-NONEMPTY", place,
		    "RFC 5280, section 4.1.2.6",
		    "a request's subject has 1 to %d attributes, not %zu",
		    ATTRIBUTES_MAX, count);
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		if (check_part(subject, i, place, findings, &parts[i]) != 0)
			return -1;
	return 0;
}

int
csr_check(const struct name_value *subject, size_t subject_count,
    const char *place, struct findings *findings)
{
	struct name_part parts[ATTRIBUTES_MAX];

	return check_parts(subject, subject_count, place, findings, parts);
}

static int
encode(const struct name_part *parts, size_t count, const unsigned char *spki,
    size_t spki_len, const struct sigalg *alg, struct tbs *ret_tbs)
{
	AUTO_PTR(request_info) *info = request_info_new();
	AUTO_BYTES(name) = NULL;
	size_t name_len;

	if (info == NULL || asn1_set_number(info->version, 0) != 0 ||
	    name_encode(parts, count, &name, &name_len) != 0 ||
	    asn1_set_der(info->subject, name, name_len) != 0 ||
	    asn1_set_der(info->spki, spki, spki_len) != 0)
		return -1;
	return tbs_finish(
	    OBJECT_CSR, alg, info, ASN1_ITEM_rptr(REQUEST_INFO), ret_tbs);
}

int
csr_build(const struct name_value *subject, size_t subject_count,
    const unsigned char *spki, size_t spki_len, struct tbs *ret_tbs)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct name_part parts[ATTRIBUTES_MAX];
	const struct key_type *type = key_type_of_spki(spki, spki_len);

	if (type == NULL)
		return ca_error(CA_R_POLICY,
		    "the key is of no type that this program signs with");
	if (check_parts(subject, subject_count, "", &findings, parts) != 0)
		return -1;
	if (findings.errors > 0)
		return findings_refuse(&findings, "the request");
	return encode(parts, subject_count, spki, spki_len,
	    sigalg_default(type), ret_tbs);
}
