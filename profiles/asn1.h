/*
 * ASN.1 templates of what is to be signed, so that its octets exist without
 * an X509, X509_CRL or X509_REQ.  What must be copied octet for octet (names,
 * keys, AlgorithmIdentifiers) stands in them as an ASN1_TYPE that holds DER.
 */
#ifndef CA_PROFILES_ASN1_H
#define CA_PROFILES_ASN1_H

#include <stddef.h>
#include <stdint.h>

#include <openssl/asn1t.h>
#include <openssl/x509.h>

#include "base/cleanup.h"
#include "profiles/tbs.h"

struct validity {
	ASN1_TIME *not_before, *not_after;
};

/* RFC 5280, section 4.1 */
struct tbs_certificate {
	ASN1_INTEGER *version, *serial;
	ASN1_TYPE *signature, *issuer;
	struct validity *validity;
	ASN1_TYPE *subject, *spki;
	STACK_OF(X509_EXTENSION) *extensions;
};

/* RFC 5280, section 5.1 */
struct tbs_cert_list {
	ASN1_INTEGER *version;
	ASN1_TYPE *signature, *issuer;
	ASN1_TIME *this_update, *next_update;
	STACK_OF(X509_REVOKED) *revoked;
	STACK_OF(X509_EXTENSION) *extensions;
};

/* RFC 2986, section 4.1 */
struct request_info {
	ASN1_INTEGER *version;
	ASN1_TYPE *subject, *spki;
	STACK_OF(X509_ATTRIBUTE) *attributes;
};

/* All three, signed. */
struct signed_sequence {
	ASN1_TYPE *tbs, *alg;
	ASN1_BIT_STRING *signature;
};

/* RFC 6960, section 4.1.1 */
struct cert_id {
	ASN1_TYPE *alg;
	ASN1_OCTET_STRING *name_hash, *key_hash;
	ASN1_INTEGER *serial;
};

/* RFC 6960, section 4.2.1 */
struct revoked_info {
	ASN1_GENERALIZEDTIME *date;
	ASN1_ENUMERATED *reason; /* NULL: none */
};

struct single_response {
	struct cert_id *id;
	ASN1_NULL *good;              /* this one, */
	struct revoked_info *revoked; /* or this one */
	ASN1_GENERALIZEDTIME *this_update, *next_update;
};

struct response_data {
	ASN1_OCTET_STRING *key_hash; /* responderID, byKey */
	ASN1_GENERALIZEDTIME *produced_at;
	STACK_OF(ASN1_TYPE) *responses; /* SingleResponses, as DER */
};

struct basic_response {
	ASN1_TYPE *tbs, *alg;
	ASN1_BIT_STRING *signature;
	STACK_OF(ASN1_TYPE) *certs; /* NULL: none */
};

struct response_bytes {
	ASN1_OBJECT *type;
	ASN1_OCTET_STRING *response;
};

struct ocsp_response {
	ASN1_ENUMERATED *status;
	struct response_bytes *bytes;
};

DECLARE_ASN1_ITEM(TBS_CERTIFICATE)
DECLARE_ASN1_ITEM(TBS_CERT_LIST)
DECLARE_ASN1_ITEM(REQUEST_INFO)
DECLARE_ASN1_ITEM(SIGNED_SEQUENCE)
DECLARE_ASN1_ITEM(SINGLE_RESPONSE)
DECLARE_ASN1_ITEM(REVOKED_INFO)
DECLARE_ASN1_ITEM(RESPONSE_DATA)
DECLARE_ASN1_ITEM(BASIC_RESPONSE)
DECLARE_ASN1_ITEM(WHOLE_RESPONSE)

/* New, with all that is not OPTIONAL; NULL with an error raised. */
struct tbs_certificate *tbs_certificate_new(void) MUST_USE;
struct tbs_cert_list *tbs_cert_list_new(void) MUST_USE;
struct request_info *request_info_new(void) MUST_USE;
struct signed_sequence *signed_sequence_new(void) MUST_USE;
struct single_response *single_response_new(void) MUST_USE;
struct revoked_info *revoked_info_new(void) MUST_USE;
struct response_data *response_data_new(void) MUST_USE;
struct basic_response *basic_response_new(void) MUST_USE;
struct ocsp_response *ocsp_response_new(void) MUST_USE;
void single_response_free(struct single_response *response);
void response_data_free(struct response_data *data);
void basic_response_free(struct basic_response *basic);
void ocsp_response_free(struct ocsp_response *response);
void tbs_certificate_free(struct tbs_certificate *tbs);
void tbs_cert_list_free(struct tbs_cert_list *tbs);
void request_info_free(struct request_info *info);
void signed_sequence_free(struct signed_sequence *object);
CLEANUP_DEFINE_PTR(tbs_certificate);
CLEANUP_DEFINE_PTR(tbs_cert_list);
CLEANUP_DEFINE_PTR(request_info);
CLEANUP_DEFINE_PTR(signed_sequence);
CLEANUP_DEFINE_PTR(single_response);
CLEANUP_DEFINE_PTR(response_data);
CLEANUP_DEFINE_PTR(basic_response);
CLEANUP_DEFINE_PTR(ocsp_response);

/* Make `any` the SEQUENCE whose DER this is. */
int asn1_set_der(ASN1_TYPE *any, const unsigned char *der, size_t len) MUST_USE;

/* One more SEQUENCE with this DER. */
int asn1_push_der(
    STACK_OF(ASN1_TYPE) *list, const unsigned char *der, size_t len) MUST_USE;

/* A non-negative INTEGER from its magnitude, or from a number. */
int asn1_set_octets(
    ASN1_INTEGER *integer, const unsigned char *octets, size_t len) MUST_USE;
int asn1_set_number(ASN1_INTEGER *integer, uint64_t number) MUST_USE;

/* A BIT STRING of whole octets, trailing zero bits kept. */
int asn1_set_signature(
    ASN1_BIT_STRING *string, const unsigned char *octets, size_t len) MUST_USE;

/* Put a new time in place of the one in *slot. */
int asn1_set_time(ASN1_TIME **slot, int64_t date) MUST_USE;
int asn1_set_generalized(ASN1_GENERALIZEDTIME **slot, int64_t date) MUST_USE;

/* DER of `value` in malloc'd memory. */
int asn1_encode(const void *value, const ASN1_ITEM *item,
    unsigned char **ret_der, size_t *ret_len) MUST_USE;

/* The encoding of `value` as a whole struct tbs, with its SHA-256. */
int tbs_finish(enum object_kind kind, const struct sigalg *alg,
    const void *value, const ASN1_ITEM *item, struct tbs *ret_tbs) MUST_USE;

/* A malloc'd copy of `len` octets. */
int asn1_copy(
    const unsigned char *der, size_t len, unsigned char **ret_copy) MUST_USE;

#endif
