#include "ca-tool/object-file.h"

#include <fcntl.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/input.h"

enum { DIGEST_LEN = 32 };

/* The label with which the text begins, or that of a certificate. */
static const char *
find_label(const unsigned char *text, size_t len)
{
	static const char *const labels[] = { PEM_STRING_X509,
		PEM_STRING_X509_CRL, PEM_STRING_X509_REQ,
		PEM_STRING_X509_REQ_OLD };

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		char begin[64];
		int n = snprintf(
		    begin, sizeof(begin), "-----BEGIN %s-----", labels[i]);

		if (memmem(text, len, begin, (size_t)n) != NULL)
			return labels[i];
	}
	return PEM_STRING_X509;
}

int
object_file_sha256(const char *path, char ret_hex[OBJECT_HEX_SIZE])
{
	unsigned char digest[DIGEST_LEN];
	AUTO_BYTES(data) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0, der_len = 0;

	if (file_read_at(AT_FDCWD, path, CRL_MAX_BYTES, &data, &len) != 0 ||
	    input_read(path, "certificate, CRL or request",
		find_label(data, len), CRL_MAX_BYTES, data, len, &der,
		&der_len) != 0 ||
	    sha256(der, der_len, digest) != 0)
		return -1;
	text_hex_into(digest, sizeof(digest), ret_hex);
	return 0;
}
