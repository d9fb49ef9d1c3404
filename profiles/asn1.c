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
