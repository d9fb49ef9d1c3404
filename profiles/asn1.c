#include "profiles/asn1.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

/* The macros are no statements. */
/* clang-format off */
ASN1_SEQUENCE(VALIDITY) = {
	ASN1_SIMPLE(struct validity, not_before, ASN1_TIME),
	ASN1_SIMPLE(struct validity, not_after, ASN1_TIME),
} static_ASN1_SEQUENCE_END_name(struct validity, VALIDITY)

ASN1_SEQUENCE(TBS_CERTIFICATE) = {
	ASN1_EXP(struct tbs_certificate, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(struct tbs_certificate, serial, ASN1_INTEGER),
	ASN1_SIMPLE(struct tbs_certificate, signature, ASN1_ANY),
	ASN1_SIMPLE(struct tbs_certificate, issuer, ASN1_ANY),
	ASN1_SIMPLE(struct tbs_certificate, validity, VALIDITY),
	ASN1_SIMPLE(struct tbs_certificate, subject, ASN1_ANY),
	ASN1_SIMPLE(struct tbs_certificate, spki, ASN1_ANY),
	ASN1_EXP_SEQUENCE_OF_OPT(
	    struct tbs_certificate, extensions, X509_EXTENSION, 3),
} ASN1_SEQUENCE_END_name(struct tbs_certificate, TBS_CERTIFICATE)

ASN1_SEQUENCE(TBS_CERT_LIST) = {
	ASN1_SIMPLE(struct tbs_cert_list, version, ASN1_INTEGER),
	ASN1_SIMPLE(struct tbs_cert_list, signature, ASN1_ANY),
	ASN1_SIMPLE(struct tbs_cert_list, issuer, ASN1_ANY),
	ASN1_SIMPLE(struct tbs_cert_list, this_update, ASN1_TIME),
	ASN1_SIMPLE(struct tbs_cert_list, next_update, ASN1_TIME),
	ASN1_SEQUENCE_OF_OPT(struct tbs_cert_list, revoked, X509_REVOKED),
	ASN1_EXP_SEQUENCE_OF_OPT(
	    struct tbs_cert_list, extensions, X509_EXTENSION, 0),
} ASN1_SEQUENCE_END_name(struct tbs_cert_list, TBS_CERT_LIST)

ASN1_SEQUENCE(REQUEST_INFO) = {
	ASN1_SIMPLE(struct request_info, version, ASN1_INTEGER),
	ASN1_SIMPLE(struct request_info, subject, ASN1_ANY),
	ASN1_SIMPLE(struct request_info, spki, ASN1_ANY),
	ASN1_IMP_SET_OF(struct request_info, attributes, X509_ATTRIBUTE, 0),
} ASN1_SEQUENCE_END_name(struct request_info, REQUEST_INFO)

ASN1_SEQUENCE(SIGNED_SEQUENCE) = {
	ASN1_SIMPLE(struct signed_sequence, tbs, ASN1_ANY),
	ASN1_SIMPLE(struct signed_sequence, alg, ASN1_ANY),
	ASN1_SIMPLE(struct signed_sequence, signature, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END_name(struct signed_sequence, SIGNED_SEQUENCE)

ASN1_SEQUENCE(CERT_ID) = {
	ASN1_SIMPLE(struct cert_id, alg, ASN1_ANY),
	ASN1_SIMPLE(struct cert_id, name_hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct cert_id, key_hash, ASN1_OCTET_STRING),
	ASN1_SIMPLE(struct cert_id, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END_name(struct cert_id, CERT_ID)

ASN1_SEQUENCE(REVOKED_INFO) = {
	ASN1_SIMPLE(struct revoked_info, date, ASN1_GENERALIZEDTIME),
	ASN1_EXP_OPT(struct revoked_info, reason, ASN1_ENUMERATED, 0),
} ASN1_SEQUENCE_END_name(struct revoked_info, REVOKED_INFO)

ASN1_SEQUENCE(SINGLE_RESPONSE) = {
	ASN1_SIMPLE(struct single_response, id, CERT_ID),
	ASN1_IMP_OPT(struct single_response, good, ASN1_NULL, 0),
	ASN1_IMP_OPT(struct single_response, revoked, REVOKED_INFO, 1),
	ASN1_SIMPLE(
	    struct single_response, this_update, ASN1_GENERALIZEDTIME),
	ASN1_EXP(struct single_response, next_update, ASN1_GENERALIZEDTIME, 0),
} ASN1_SEQUENCE_END_name(struct single_response, SINGLE_RESPONSE)

ASN1_SEQUENCE(RESPONSE_DATA) = {
	ASN1_EXP(struct response_data, key_hash, ASN1_OCTET_STRING, 2),
	ASN1_SIMPLE(struct response_data, produced_at, ASN1_GENERALIZEDTIME),
	ASN1_SEQUENCE_OF(struct response_data, responses, ASN1_ANY),
} ASN1_SEQUENCE_END_name(struct response_data, RESPONSE_DATA)

ASN1_SEQUENCE(BASIC_RESPONSE) = {
	ASN1_SIMPLE(struct basic_response, tbs, ASN1_ANY),
	ASN1_SIMPLE(struct basic_response, alg, ASN1_ANY),
	ASN1_SIMPLE(struct basic_response, signature, ASN1_BIT_STRING),
	ASN1_EXP_SEQUENCE_OF_OPT(struct basic_response, certs, ASN1_ANY, 0),
} ASN1_SEQUENCE_END_name(struct basic_response, BASIC_RESPONSE)

ASN1_SEQUENCE(RESPONSE_BYTES) = {
	ASN1_SIMPLE(struct response_bytes, type, ASN1_OBJECT),
	ASN1_SIMPLE(struct response_bytes, response, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct response_bytes, RESPONSE_BYTES)

ASN1_SEQUENCE(WHOLE_RESPONSE) = {
	ASN1_SIMPLE(struct ocsp_response, status, ASN1_ENUMERATED),
	ASN1_EXP(struct ocsp_response, bytes, RESPONSE_BYTES, 0),
} ASN1_SEQUENCE_END_name(struct ocsp_response, WHOLE_RESPONSE)
/* clang-format on */

static void *
item_new(const ASN1_ITEM *item)
{
	void *value = ASN1_item_new(item);

	if (value == NULL)
		(void)ca_error(CA_R_MEMORY, "no memory for an ASN.1 structure");
	return value;
}

struct tbs_certificate *
tbs_certificate_new(void)
{
	return item_new(ASN1_ITEM_rptr(TBS_CERTIFICATE));
}

struct tbs_cert_list *
tbs_cert_list_new(void)
{
	return item_new(ASN1_ITEM_rptr(TBS_CERT_LIST));
}

struct request_info *
request_info_new(void)
{
	return item_new(ASN1_ITEM_rptr(REQUEST_INFO));
}

struct signed_sequence *
signed_sequence_new(void)
{
	return item_new(ASN1_ITEM_rptr(SIGNED_SEQUENCE));
}

struct single_response *
single_response_new(void)
{
	return item_new(ASN1_ITEM_rptr(SINGLE_RESPONSE));
}

struct revoked_info *
revoked_info_new(void)
{
	return item_new(ASN1_ITEM_rptr(REVOKED_INFO));
}

struct response_data *
response_data_new(void)
{
	return item_new(ASN1_ITEM_rptr(RESPONSE_DATA));
}

struct basic_response *
basic_response_new(void)
{
	return item_new(ASN1_ITEM_rptr(BASIC_RESPONSE));
}

struct ocsp_response *
ocsp_response_new(void)
{
	return item_new(ASN1_ITEM_rptr(WHOLE_RESPONSE));
}

void
single_response_free(struct single_response *response)
{
	ASN1_item_free((ASN1_VALUE *)response, ASN1_ITEM_rptr(SINGLE_RESPONSE));
}

void
response_data_free(struct response_data *data)
{
	ASN1_item_free((ASN1_VALUE *)data, ASN1_ITEM_rptr(RESPONSE_DATA));
}

void
basic_response_free(struct basic_response *basic)
{
	ASN1_item_free((ASN1_VALUE *)basic, ASN1_ITEM_rptr(BASIC_RESPONSE));
}

void
ocsp_response_free(struct ocsp_response *response)
{
	ASN1_item_free((ASN1_VALUE *)response, ASN1_ITEM_rptr(WHOLE_RESPONSE));
}

void
tbs_certificate_free(struct tbs_certificate *tbs)
{
	ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(TBS_CERTIFICATE));
}

void
tbs_cert_list_free(struct tbs_cert_list *tbs)
{
	ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(TBS_CERT_LIST));
}

void
request_info_free(struct request_info *info)
{
	ASN1_item_free((ASN1_VALUE *)info, ASN1_ITEM_rptr(REQUEST_INFO));
}

void
signed_sequence_free(struct signed_sequence *object)
{
	ASN1_item_free((ASN1_VALUE *)object, ASN1_ITEM_rptr(SIGNED_SEQUENCE));
}

int
asn1_set_der(ASN1_TYPE *any, const unsigned char *der, size_t len)
{
	ASN1_STRING *string = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

	if (string == NULL || len > INT32_MAX ||
	    ASN1_STRING_set(string, der, (int)len) != 1) {
		ASN1_STRING_free(string);
		return ca_error(CA_R_MEMORY, "no memory for %zu octets", len);
	}
	ASN1_TYPE_set(any, V_ASN1_SEQUENCE, string); /* takes it over */
	return 0;
}

int
asn1_set_octets(ASN1_INTEGER *integer, const unsigned char *octets, size_t len)
{
	AUTO(BIGNUM) *number = BN_bin2bn(octets, (int)len, NULL);

	if (number == NULL || BN_to_ASN1_INTEGER(number, integer) == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a number");
	return 0;
}

int
asn1_set_number(ASN1_INTEGER *integer, uint64_t number)
{
	if (ASN1_INTEGER_set_uint64(integer, number) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a number");
	return 0;
}

int
asn1_set_signature(
    ASN1_BIT_STRING *string, const unsigned char *octets, size_t len)
{
	if (len > SIGNATURE_MAX ||
	    ASN1_STRING_set(string, octets, (int)len) != 1)
		return ca_error(CA_R_INTERNAL,
		    "a signature of %zu octets cannot be stored", len);
	/* Without this, trailing zero bits of the signature would be cut. */
	string->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	string->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return 0;
}

int
asn1_set_time(ASN1_TIME **slot, int64_t date)
{
	ASN1_TIME *time;

	if (date_to_asn1(date, &time) != 0)
		return -1;
	ASN1_TIME_free(*slot);
	*slot = time;
	return 0;
}

int
asn1_set_generalized(ASN1_GENERALIZEDTIME **slot, int64_t date)
{
	AUTO(ASN1_TIME) *time = NULL;
	ASN1_GENERALIZEDTIME *general;

	if (date_to_asn1(date, &time) != 0)
		return -1;
	general = ASN1_TIME_to_generalizedtime(time, NULL);
	if (general == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a time");
	ASN1_GENERALIZEDTIME_free(*slot);
	*slot = general;
	return 0;
}

int
asn1_push_der(STACK_OF(ASN1_TYPE) *list, const unsigned char *der, size_t len)
{
	ASN1_TYPE *any = ASN1_TYPE_new();

	if (any == NULL || asn1_set_der(any, der, len) != 0 ||
	    sk_ASN1_TYPE_push(list, any) <= 0) {
		ASN1_TYPE_free(any);
		return ca_error(CA_R_MEMORY, "no memory for a list");
	}
	return 0;
}

int
asn1_encode(const void *value, const ASN1_ITEM *item, unsigned char **ret_der,
    size_t *ret_len)
{
	int len = ASN1_item_i2d((const ASN1_VALUE *)value, NULL, item);
	AUTO_BYTES(der) = NULL;
	unsigned char *end;

	if (len <= 0)
		return ca_error(CA_R_INTERNAL, "cannot encode ASN.1");
	end = der = malloc((size_t)len);
	if (der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for %d octets", len);
	if (ASN1_item_i2d((const ASN1_VALUE *)value, &end, item) != len)
		return ca_error(CA_R_INTERNAL, "cannot encode ASN.1");
	*ret_der = TAKE(der);
	*ret_len = (size_t)len;
	return 0;
}

int
asn1_copy(const unsigned char *der, size_t len, unsigned char **ret_copy)
{
	unsigned char *copy = malloc(len + 1);

	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for %zu octets", len);
	memcpy(copy, der, len);
	*ret_copy = copy;
	return 0;
}

int
tbs_finish(enum object_kind kind, const struct sigalg *alg, const void *value,
    const ASN1_ITEM *item, struct tbs *ret_tbs)
{
	AUTO_STRUCT(tbs) tbs = { .kind = kind, .alg = alg };

	if (asn1_encode(value, item, &tbs.der, &tbs.len) != 0 ||
	    sha256(tbs.der, tbs.len, tbs.sha256) != 0)
		return -1;
	*ret_tbs = tbs;
	tbs = (struct tbs){ 0 }; /* moved out */
	return 0;
}
