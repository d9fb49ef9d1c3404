/*
 * Objects taken apart for lints: the octets of each part as they stand, and
 * beside them what OpenSSL makes of the extensions.  For profiles/lint alone.
 */
#ifndef CA_LINT_OBJECT_H
#define CA_LINT_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "profiles/der/der.h"

enum {
	LINT_EXTENSIONS_MAX = 128, /* more are refused */
	LINT_NAME_PARTS_MAX = 256,
};

/* One extension as it stands. */
struct lint_extension {
	struct der element; /* the whole SEQUENCE */
	struct der oid;     /* contents of the OBJECT IDENTIFIER */
	struct der value;   /* contents of the OCTET STRING */
	int nid;            /* NID_undef: none that OpenSSL knows */
	bool critical, critical_encoded; /* is there a BOOLEAN? */
};

struct lint_extensions {
	struct lint_extension rows[LINT_EXTENSIONS_MAX];
	size_t count;
};

/* One AttributeTypeAndValue. */
struct lint_attribute {
	struct der element, oid, value; /* value: contents */
	int nid;
	unsigned tag; /* of the value: 0x13 PrintableString, 0x0c UTF8String */
	size_t rdn;   /* number of its RelativeDistinguishedName */
};

struct lint_name {
	struct der element; /* the whole Name */
	struct lint_attribute parts[LINT_NAME_PARTS_MAX];
	size_t count, rdns;
};

/* A time as it stands. */
struct lint_time {
	struct der element, value;
	unsigned tag;    /* 0x17 UTCTime, 0x18 GeneralizedTime */
	bool valid;      /* its form is that of RFC 5280, and it exists */
	int64_t seconds; /* where valid; RFC 5280's year for UTCTime */
};

/* A SubjectPublicKeyInfo. */
struct lint_key {
	struct der element, alg, bits; /* bits: the BIT STRING's, after the
					  octet that counts unused bits */
	unsigned unused;               /* unused bits */
	const struct key_type *type;   /* NULL: none of the table's */
};

/* The NID of its algorithm: NID_rsaEncryption, ...; NID_undef. */
int lint_key_nid(const struct lint_key *key);

/* As OpenSSL reads it; a new one, or NULL where it cannot. */
EVP_PKEY *lint_key_decode(const struct lint_key *key) MUST_USE;

/*
 * NULL: the extension is not there, or there and malformed, which its own lint
 * and FLD-DER-STRICT tell.
 */
struct lint_values {
	BASIC_CONSTRAINTS *basic_constraints;
	ASN1_BIT_STRING *key_usage;
	EXTENDED_KEY_USAGE *purposes;
	CERTIFICATEPOLICIES *policies;
	NAME_CONSTRAINTS *name_constraints;
	CRL_DIST_POINTS *crl_points;
	AUTHORITY_INFO_ACCESS *info_access;
	GENERAL_NAMES *alt_names;
	ASN1_OCTET_STRING *ski;
	AUTHORITY_KEYID *aki;
};

struct lint_certificate {
	struct der element, tbs, alg_outer;
	struct der signature; /* the BIT STRING's octets without the first */
	unsigned signature_unused;
	struct der version; /* [0]'s element; empty: absent */
	struct der serial;  /* contents */
	struct der alg;     /* element, inner */
	struct lint_name issuer, subject;
	struct lint_time not_before, not_after;
	struct lint_key key;
	struct der issuer_uid, subject_uid; /* elements; empty: absent */
	struct lint_extensions extensions;
	struct lint_values values;
};

/* As OpenSSL reads it, which takes time; a new one, or NULL. */
X509 *lint_certificate_decode(
    const struct lint_certificate *certificate) MUST_USE;

/*
 * Take a certificate apart.  CA_R_INPUT where its frame is not that of RFC
 * 5280, section 4.1; what lies within extension values may be anything.
 */
int lint_certificate_open(
    struct der der, struct lint_certificate **ret_certificate) MUST_USE;
void lint_certificate_free(struct lint_certificate *certificate);
CLEANUP_DEFINE_PTR(lint_certificate);

/* PKCS#10. */
struct lint_csr {
	struct der element, info, alg, signature;
	unsigned signature_unused;
	struct der version; /* contents */
	struct lint_name subject;
	struct lint_key key;
	struct der attributes;             /* contents of [0] */
	struct lint_extensions extensions; /* of extensionRequest */
	struct lint_values values;
};
int lint_csr_open(struct der der, struct lint_csr **ret_csr) MUST_USE;
void lint_csr_free(struct lint_csr *csr);
CLEANUP_DEFINE_PTR(lint_csr);

/* The parts, also for CRLs and OCSP responses; false: malformed. */
bool lint_take_name(struct der *in, struct lint_name *ret_name);
bool lint_take_time(struct der *in, struct lint_time *ret_time);
bool lint_take_spki(struct der *in, struct lint_key *ret_key);
/* `in`: contents of Extensions. */
bool lint_take_extensions(struct der in, struct lint_extensions *ret);
/*
 * The first extension with this NID, decoded; NULL where it is absent, does
 * not decode, or has something behind it.
 */
void *lint_decode(
    const struct lint_extensions *extensions, int nid, const ASN1_ITEM *item);
void lint_values_decode(
    const struct lint_extensions *extensions, struct lint_values *ret_values);
void lint_values_clear(struct lint_values *values);

/* The row of an extension, or NULL; the first where there are two. */
const struct lint_extension *lint_extension(
    const struct lint_extensions *extensions, int nid);
/* By OID in dotted form, for what has no NID. */
const struct lint_extension *lint_extension_by_oid(
    const struct lint_extensions *extensions, const char *oid);

/* Decoded: does the certificate have it?  False where there is no EKU. */
bool lint_has_purpose(const struct lint_values *values, int nid);
bool lint_has_policy(const struct lint_values *values, const char *oid);
/* The bits of RFC 5280, section 4.2.1.3, first bit lowest; 0: none. */
unsigned lint_key_usage(const struct lint_values *values);
bool lint_is_ca(const struct lint_values *values);

#endif
