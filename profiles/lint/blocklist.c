#include "profiles/lint/blocklist.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"

enum {
	SPKI_HASH = 32,
	MODULUS_HASH = 10, /* the last 80 of 160 bits */
	SHA1_LEN = 20,
	LINE_SHOWN = 80,
};

/* Hashes of one length, ascending. */
struct hashes {
	unsigned char *octets;
	size_t width, count, room; /* room: hashes that fit */
};

struct blocklist {
	struct hashes spki, modulus;
	unsigned char sha256[32];
};

static int
digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Makes room for one more; doubling keeps the time linear. */
static unsigned char *
hashes_next(struct hashes *hashes)
{
	size_t room = hashes->room > 0 ? 2 * hashes->room : 1024;
	unsigned char *octets;

	if (hashes->count == hashes->room) {
		octets = realloc(hashes->octets, room * hashes->width);
		if (octets == NULL)
			return NULL;
		hashes->octets = octets;
		hashes->room = room;
	}
	return hashes->octets + hashes->count++ * hashes->width;
}

static bool
unhex(const unsigned char *text, size_t octets, unsigned char *ret)
{
	for (size_t i = 0; i < octets; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		ret[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static int
wrong_line(
    const char *name, size_t number, const unsigned char *line, size_t len)
{
	return ca_error(CA_R_INPUT,
	    "blocklist '%s', line %zu: '%.*s' is neither the 64 hex digits of "
	    "a public key's SHA-256, nor the 20 of a weak RSA modulus, nor a "
	    "comment",
	    name, number, (int)(len < LINE_SHOWN ? len : LINE_SHOWN),
	    (const char *)line);
}

static int
read_line(struct blocklist *list, const char *name, size_t number,
    const unsigned char *line, size_t len)
{
	unsigned char hash[SPKI_HASH], *next;
	struct hashes *hashes;

	if (len > 0 && line[len - 1] == '\r')
		len--;
	if (len == 0 || line[0] == '#')
		return 0;
	if (len == 2 * (size_t)SPKI_HASH)
		hashes = &list->spki;
	else if (len == 2 * (size_t)MODULUS_HASH)
		hashes = &list->modulus;
	else
		return wrong_line(name, number, line, len);
	if (!unhex(line, hashes->width, hash))
		return wrong_line(name, number, line, len);
	next = hashes_next(hashes);
	if (next == NULL)
		return ca_error(
		    CA_R_MEMORY, "no memory for the blocklist '%s'", name);
	memcpy(next, hash, hashes->width);
	return 0;
}

static int
compare_spki(const void *a, const void *b)
{
	return memcmp(a, b, SPKI_HASH);
}

static int
compare_modulus(const void *a, const void *b)
{
	return memcmp(a, b, MODULUS_HASH);
}

static void
sort(struct blocklist *list)
{
	if (list->spki.count > 0)
		qsort(list->spki.octets, list->spki.count, SPKI_HASH,
		    compare_spki);
	if (list->modulus.count > 0)
		qsort(list->modulus.octets, list->modulus.count, MODULUS_HASH,
		    compare_modulus);
}

int
blocklist_load(const char *name, const unsigned char *data, size_t len,
    struct blocklist **ret_list)
{
	AUTO_PTR(blocklist) *list = calloc(1, sizeof *list);
	const unsigned char *p = data, *end = data + len;

	if (list == NULL)
		return ca_error(
		    CA_R_MEMORY, "no memory for the blocklist '%s'", name);
	list->spki.width = SPKI_HASH;
	list->modulus.width = MODULUS_HASH;
	for (size_t number = 1; p < end; number++) {
		const unsigned char *feed = memchr(p, '\n', (size_t)(end - p));
		const unsigned char *stop = feed != NULL ? feed : end;

		if (read_line(list, name, number, p, (size_t)(stop - p)) != 0)
			return -1;
		p = feed != NULL ? feed + 1 : end;
	}
	sort(list);
	if (sha256(data, len, list->sha256) != 0)
		return -1;
	*ret_list = TAKE(list);
	return 0;
}

bool
blocklist_has(
    const struct blocklist *list, const unsigned char *spki, size_t len)
{
	unsigned char hash[SPKI_HASH];

	if (list->spki.count == 0)
		return false;
	if (sha256(spki, len, hash) != 0) {
		ca_error_clear();
		return true; /* unsure: refused */
	}
	return bsearch(hash, list->spki.octets, list->spki.count, SPKI_HASH,
		   compare_spki) != NULL;
}

/* SHA-1 as a name, not as a signature's digest. */
static int
hash_modulus(const BIGNUM *n, unsigned char ret_hash[SHA1_LEN])
{
	char *hex = BN_bn2hex(n);
	const char *digits = hex != NULL && hex[0] == '0' ? hex + 1 : hex;
	AUTO_CHARS(text) =
	    hex != NULL ? text_printf("Modulus=%s\n", digits) : NULL;
	int ok = text != NULL &&
	    EVP_Q_digest(
		NULL, "SHA1", NULL, text, strlen(text), ret_hash, NULL) == 1;

	OPENSSL_free(hex);
	return ok ? 0 : -1;
}

int
blocklist_has_modulus(const struct blocklist *list, const BIGNUM *n)
{
	unsigned char hash[SHA1_LEN];

	if (list->modulus.count == 0)
		return 0;
	if (hash_modulus(n, hash) != 0)
		return -1;
	return bsearch(hash + SHA1_LEN - MODULUS_HASH, list->modulus.octets,
		   list->modulus.count, MODULUS_HASH, compare_modulus) != NULL;
}

size_t
blocklist_count(const struct blocklist *list)
{
	return list->spki.count;
}

size_t
blocklist_modulus_count(const struct blocklist *list)
{
	return list->modulus.count;
}

const unsigned char *
blocklist_sha256(const struct blocklist *list)
{
	return list->sha256;
}

void
blocklist_free(struct blocklist *list)
{
	if (list == NULL)
		return;
	free(list->spki.octets);
	free(list->modulus.octets);
	free(list);
}
