/* Keys and certificates of made-up people, and what refusals must say. */
#ifndef TESTS_QUORUM_PEOPLE_H
#define TESTS_QUORUM_PEOPLE_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It wants what stands above. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/cleanup.h"
#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

static inline void
show_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	print_message("%zu %s (%s)\n", depth, text, origin);
}

/* Says why where it does not hold. */
#define assert_ok(call)                                   \
	do {                                              \
		int result_ = (call);                     \
		if (result_ != 0)                         \
			ca_error_drain(show_error, NULL); \
		assert_int_equal(result_, 0);             \
	} while (0)

/* It failed for that reason, and the newest error holds `part`. */
#define assert_refused(reason, part, call)                              \
	do {                                                            \
		ca_error_clear();                                       \
		assert_int_equal((call), -1);                           \
		assert_int_equal(ca_error_reason(), (reason));          \
		AUTO_CHARS(text_) = ca_error_take();                    \
		assert_non_null(text_);                                 \
		if (strstr(text_, (part)) == NULL)                      \
			fail_msg("'%s' is not in '%s'", (part), text_); \
	} while (0)

/* ---- keys and certificates -------------------------------------------- */

/* "p-256", "p-384", "p-521", "rsa-2048", "rsa-3072", "rsa-4096" */
static inline EVP_PKEY *
new_key(const char *type)
{
	EVP_PKEY *key = strncmp(type, "rsa-", 4) == 0
	    ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(type + 4))
	    : EVP_PKEY_Q_keygen(NULL, NULL, "EC",
		  strcmp(type, "p-256") == 0       ? "P-256"
		      : strcmp(type, "p-384") == 0 ? "P-384"
						   : "P-521");

	assert_non_null(key);
	return key;
}

struct certificate_order {
	EVP_PKEY *key;
	const char *name;      /* commonName */
	long serial;           /* 0: 1 */
	const char *key_usage; /* as in openssl.cnf; NULL: none */
	const char *not_after; /* NULL: never */
	bool ski;
};

static inline void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* Self-signed, as from a file: parsed again from its DER. */
static inline X509 *
new_certificate(const struct certificate_order *order)
{
	AUTO(X509) *made = X509_new();
	AUTO_DER(der) = NULL;
	const unsigned char *p;
	const char *not_after = order->not_after;
	X509_NAME *name = X509_get_subject_name(made);
	X509 *certificate;
	int len;

	if (not_after == NULL)
		not_after = "99991231235959Z";
	assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made),
			     order->serial == 0 ? 1 : order->serial),
	    1);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
			     (const unsigned char *)order->name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(made, name), 1);
	assert_int_equal(ASN1_TIME_set_string_X509(
			     X509_getm_notBefore(made), "20260101000000Z"),
	    1);
	assert_int_equal(
	    ASN1_TIME_set_string_X509(X509_getm_notAfter(made), not_after), 1);
	assert_int_equal(X509_set_pubkey(made, order->key), 1);
	if (order->key_usage != NULL)
		add_extension(made, NID_key_usage, order->key_usage);
	if (order->ski)
		add_extension(made, NID_subject_key_identifier, "hash");
	assert_true(X509_sign(made, order->key, EVP_sha256()) > 0);
	len = i2d_X509(made, &der);
	assert_true(len > 0);
	p = der;
	certificate = d2i_X509(NULL, &p, len);
	assert_non_null(certificate);
	return certificate;
}

static inline X509 *
plain_certificate(EVP_PKEY *key, const char *name)
{
	struct certificate_order order = { .key = key, .name = name };

	return new_certificate(&order);
}

/* ---- a scratch directory ---------------------------------------------- */

struct scratch {
	char path[64];
	int fd;
};

static inline int
scratch_make(struct scratch *scratch)
{
	(void)snprintf(
	    scratch->path, sizeof(scratch->path), "test-quorum-XXXXXX");
	if (mkdtemp(scratch->path) == NULL)
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scratch->fd < 0 ? -1 : 0;
}

static inline void
remove_below(int parent)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int sub;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(parent, entry->d_name, 0) == 0)
			continue;
		sub = openat(parent, entry->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			remove_below(sub);
		(void)close(sub);
		(void)unlinkat(parent, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

static inline int
scratch_remove(struct scratch *scratch)
{
	remove_below(scratch->fd);
	(void)close(scratch->fd);
	return rmdir(scratch->path);
}

static inline void
put_file(int dirfd, const char *name, const void *data, size_t len)
{
	int fd =
	    openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	(void)close(fd);
}

#endif
