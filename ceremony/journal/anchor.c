#include "ceremony/journal/anchor.h"

#include <fcntl.h>
#include <libgen.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { ANCHOR_MAX_BYTES = 4096, KEY_MAX_BYTES = 65536, HEX_DIGITS = 64 };

#define FIRST_LINE "ca-tool anchor 1\n"
#define KEY_FILE "journal-key.pem"

void
anchor_clear(struct anchor *anchor)
{
	free(anchor->authority);
	free(anchor->set);
	free(anchor->spki);
	*anchor = (struct anchor){ 0 };
}

/* ---- the text --------------------------------------------------------- */

static int
malformed(const char *why)
{
	return ca_error(CA_R_INPUT,
	    "malformed anchor: %s; it is the file 'anchor.txt' that init wrote "
	    "to public/anchor/",
	    why);
}

/* What stands behind `label` on the next line; malloc'd, or NULL. */
static char *
take_line(const char **at, const char *label)
{
	size_t len = strlen(label);
	const char *end = strchr(*at, '\n');
	char *value;

	if (end == NULL || strncmp(*at, label, len) != 0 || end == *at + len) {
		(void)malformed("a line is missing or is not as it must be");
		return NULL;
	}
	value =
	    text_printf("%.*s", (int)(end - *at - (ptrdiff_t)len), *at + len);
	*at = end + 1;
	return value;
}

/* SHA-256 as it is written: 64 lower-case digits. */
static int
take_hex(const char **at, const char *label, char ret_hex[HEX_DIGITS + 1])
{
	AUTO_CHARS(value) = take_line(at, label);

	if (value == NULL)
		return -1;
	if (strlen(value) != HEX_DIGITS ||
	    strspn(value, "0123456789abcdef") != HEX_DIGITS)
		return malformed("a hash is not 64 hexadecimal digits");
	memcpy(ret_hex, value, HEX_DIGITS + 1);
	return 0;
}

int
anchor_parse(const char *text, size_t len, struct anchor *ret_anchor)
{
	AUTO_STRUCT(anchor) anchor = { 0 };
	AUTO_CHARS(copy) = NULL;
	const char *at;

	if (len > ANCHOR_MAX_BYTES || memchr(text, '\0', len) != NULL)
		return malformed("it is too long or no text");
	copy = text_printf("%.*s", (int)len, text);
	if (copy == NULL)
		return -1;
	if (strncmp(copy, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return malformed("its first line is another");
	at = copy + strlen(FIRST_LINE);
	if ((anchor.authority = take_line(&at, "authority: ")) == NULL ||
	    take_hex(&at, "genesis: ", anchor.genesis) != 0 ||
	    take_hex(&at, "journal-key: ", anchor.journal_key) != 0 ||
	    (anchor.set = take_line(&at, "set: ")) == NULL)
		return -1;
	if (*at != '\0')
		return malformed("something stands behind its last line");
	*ret_anchor = anchor;
	anchor = (struct anchor){ 0 };
	return 0;
}

/* ---- the key ---------------------------------------------------------- */

/* The DER of a PEM file's first block, which is a PUBLIC KEY. */
static int
decode_key(const char *path, const unsigned char *pem, size_t len,
    struct anchor *anchor)
{
	AUTO(BIO) *bio = BIO_new_mem_buf(pem, (int)len);
	AUTO_DER(der) = NULL;
	AUTO_DER(name) = NULL;
	AUTO_DER(header) = NULL;
	char *name_text = NULL, *header_text = NULL;
	long der_len = 0;
	int there;

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	there = PEM_read_bio(bio, &name_text, &header_text, &der, &der_len);
	name = (unsigned char *)name_text;
	header = (unsigned char *)header_text;
	if (there != 1 || strcmp(name_text, PEM_STRING_PUBLIC) != 0 ||
	    der_len <= 0)
		return ca_error(
		    CA_R_INPUT, "'%s' is not a public key in PEM", path);
	anchor->spki = malloc((size_t)der_len);
	if (anchor->spki == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	memcpy(anchor->spki, der, (size_t)der_len);
	anchor->spki_len = (size_t)der_len;
	return 0;
}

static int
read_key(const char *path, struct anchor *anchor)
{
	AUTO_CHARS(copy) = text_copy(path);
	AUTO_CHARS(key_path) = NULL;
	AUTO_CHARS(hex) = NULL;
	AUTO_BYTES(pem) = NULL;
	size_t len = 0;

	if (copy == NULL)
		return -1;
	key_path = text_printf("%s/" KEY_FILE, dirname(copy));
	if (key_path == NULL ||
	    file_read_at(AT_FDCWD, key_path, KEY_MAX_BYTES, &pem, &len) != 0 ||
	    decode_key(key_path, pem, len, anchor) != 0)
		return -1;
	hex = sha256_hex(anchor->spki, anchor->spki_len);
	if (hex == NULL)
		return -1;
	if (strcmp(hex, anchor->journal_key) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' is not the key that '%s' names; keep both files of "
		    "one authority together",
		    key_path, path);
	return 0;
}

int
anchor_read(const char *path, struct anchor *ret_anchor)
{
	AUTO_STRUCT(anchor) anchor = { 0 };
	AUTO_BYTES(text) = NULL;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, path, ANCHOR_MAX_BYTES, &text, &len) != 0 ||
	    anchor_parse((const char *)text, len, &anchor) != 0 ||
	    read_key(path, &anchor) != 0)
		return -1;
	*ret_anchor = anchor;
	anchor = (struct anchor){ 0 };
	return 0;
}
