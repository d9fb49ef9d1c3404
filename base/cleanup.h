/*
 * The one idiom for cleaning up: a variable that is declared
 *
 *     AUTO(X509) *cert = NULL;        pointer types with a free function
 *     AUTO_CHARS(name) = NULL;        char * or unsigned char * from malloc
 *     AUTO_FD(fd) = -1;               a file descriptor
 *     AUTO_STRUCT(tbs) tbs = {0};     `struct tbs` with tbs_clear()
 *
 * is released when it leaves its scope, whatever path leads there.  TAKE()
 * moves the value out: the variable then holds nothing that would be freed.
 */
#ifndef CA_BASE_CLEANUP_H
#define CA_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/* Defines the clean-up function for `AUTO(type) *x`. */
#define CLEANUP_DEFINE(type, free_fn)                   \
	static inline void cleanup_ptr_##type(type **p) \
	{                                               \
		if (*p != NULL)                         \
			free_fn(*p);                    \
		*p = NULL;                              \
	}                                               \
	struct cleanup_ptr_##type##_semicolon

/* Defines the clean-up function for `AUTO_STRUCT(name) x = {0}`. */
#define CLEANUP_DEFINE_STRUCT(name)                              \
	static inline void cleanup_struct_##name(struct name *p) \
	{                                                        \
		name##_clear(p);                                 \
	}                                                        \
	struct cleanup_struct_##name##_semicolon

/* Defines the clean-up function for `AUTO_PTR(name) *x = NULL`. */
#define CLEANUP_DEFINE_PTR(name)                                \
	static inline void cleanup_sptr_##name(struct name **p) \
	{                                                       \
		if (*p != NULL)                                 \
			name##_free(*p);                        \
		*p = NULL;                                      \
	}                                                       \
	struct cleanup_sptr_##name##_semicolon

#define AUTO(type) __attribute__((cleanup(cleanup_ptr_##type))) type
#define AUTO_PTR(name) __attribute__((cleanup(cleanup_sptr_##name))) struct name
#define AUTO_STRUCT(name) \
	__attribute__((cleanup(cleanup_struct_##name))) struct name
#define AUTO_CHARS(name) __attribute__((cleanup(cleanup_chars))) char *name
#define AUTO_BYTES(name) \
	__attribute__((cleanup(cleanup_bytes))) unsigned char *name
#define AUTO_FD(name) __attribute__((cleanup(cleanup_fd))) int name

/* Move a pointer out of an AUTO variable; the variable becomes NULL. */
#define TAKE(p)                            \
	__extension__({                    \
		__typeof__(p) take_ = (p); \
		(p) = NULL;                \
		take_;                     \
	})

/* Move a file descriptor out of an AUTO_FD variable; it becomes -1. */
#define TAKE_FD(fd)               \
	__extension__({           \
		int take_ = (fd); \
		(fd) = -1;        \
		take_;            \
	})

#define MUST_USE __attribute__((warn_unused_result))

static inline void
cleanup_chars(char **p)
{
	free(*p);
	*p = NULL;
}

static inline void
cleanup_bytes(unsigned char **p)
{
	free(*p);
	*p = NULL;
}

static inline void
cleanup_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static inline void
cleanup_openssl_bytes(unsigned char **p)
{
	OPENSSL_free(*p);
	*p = NULL;
}

/* For what OpenSSL's i2d functions allocate. */
#define AUTO_DER(name) \
	__attribute__((cleanup(cleanup_openssl_bytes))) unsigned char *name

CLEANUP_DEFINE(FILE, fclose);
CLEANUP_DEFINE(BIO, BIO_free_all);
CLEANUP_DEFINE(BIGNUM, BN_free);
CLEANUP_DEFINE(BN_CTX, BN_CTX_free);
CLEANUP_DEFINE(CMS_ContentInfo, CMS_ContentInfo_free);
CLEANUP_DEFINE(EC_GROUP, EC_GROUP_free);
CLEANUP_DEFINE(EC_POINT, EC_POINT_clear_free);
CLEANUP_DEFINE(EVP_KDF, EVP_KDF_free);
CLEANUP_DEFINE(EVP_KDF_CTX, EVP_KDF_CTX_free);
CLEANUP_DEFINE(EVP_PKEY, EVP_PKEY_free);
CLEANUP_DEFINE(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
CLEANUP_DEFINE(EVP_MD, EVP_MD_free);
CLEANUP_DEFINE(EVP_MD_CTX, EVP_MD_CTX_free);
CLEANUP_DEFINE(ECDSA_SIG, ECDSA_SIG_free);
CLEANUP_DEFINE(X509, X509_free);
CLEANUP_DEFINE(X509_CRL, X509_CRL_free);
CLEANUP_DEFINE(X509_REQ, X509_REQ_free);
CLEANUP_DEFINE(X509_NAME, X509_NAME_free);
CLEANUP_DEFINE(X509_PUBKEY, X509_PUBKEY_free);
CLEANUP_DEFINE(X509_ALGOR, X509_ALGOR_free);
CLEANUP_DEFINE(X509_EXTENSION, X509_EXTENSION_free);
CLEANUP_DEFINE(ASN1_OBJECT, ASN1_OBJECT_free);
CLEANUP_DEFINE(ASN1_INTEGER, ASN1_INTEGER_free);
CLEANUP_DEFINE(ASN1_TIME, ASN1_TIME_free);
CLEANUP_DEFINE(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free);
CLEANUP_DEFINE(ASN1_TYPE, ASN1_TYPE_free);
CLEANUP_DEFINE(AUTHORITY_KEYID, AUTHORITY_KEYID_free);
CLEANUP_DEFINE(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free);

#endif
