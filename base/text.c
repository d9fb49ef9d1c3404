#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"

char *
text_printf(const char *fmt, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		(void)ca_error(CA_R_MEMORY, "out of memory");
		return NULL;
	}
	return text;
}

char *
text_copy(const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		(void)ca_error(CA_R_MEMORY, "out of memory");
	return copy;
}

struct range {
	uint32_t first, last;
};

/*
 * Characters that steer a terminal, reorder text or cannot be seen: Unicode's
 * categories Cc, Cf, Zl, Zp, Cs, and what is default-ignorable.
 */
static const struct range unsafe[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x034f, 0x034f },
	{ 0x0600, 0x0605 },
	{ 0x061c, 0x061c },
	{ 0x06dd, 0x06dd },
	{ 0x070f, 0x070f },
	{ 0x0890, 0x0891 },
	{ 0x08e2, 0x08e2 },
	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },
	{ 0x180b, 0x180f },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0x3164, 0x3164 },
	{ 0xd800, 0xdfff },
	{ 0xfdd0, 0xfdef },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

static bool
char_is_safe(uint32_t c)
{
	if ((c & 0xfffe) == 0xfffe || c > 0x10ffff)
		return false;
	for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) {
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return false;
	}
	return true;
}

/* The length that a first octet of UTF-8 announces, or 0. */
static size_t
utf8_announced(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

/* Length of the well-formed UTF-8 character at `p`, or 0 (RFC 3629). */
static size_t
utf8_decode(const unsigned char *p, size_t left, uint32_t *ret_char)
{
	static const unsigned char mask[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = utf8_announced(p[0]);
	uint32_t c;

	if (len == 0 || len > left)
		return 0;
	c = p[0] & mask[len];
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len])
		return 0;
	*ret_char = c;
	return len;
}

bool
text_is_utf8(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t c = 0;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(p + i, len - i, &c);
		if (n == 0 || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
			return false;
	}
	return true;
}

size_t
text_safe_len(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	uint32_t c = 0;
	size_t i = 0, n;

	for (; i < len; i += n) {
		n = utf8_decode(p + i, len - i, &c);
		if (n == 0 || !char_is_safe(c))
			break;
	}
	return i;
}

bool
text_is_safe(const char *bytes, size_t len)
{
	return text_safe_len(bytes, len) == len;
}

static char
hex_digit(unsigned value)
{
	return "0123456789abcdef"[value & 0xf];
}

char *
text_escape(const char *bytes, size_t len)
{
	const unsigned char *p = (const unsigned char *)bytes;
	char *text = len < SIZE_MAX / 4 ? malloc(4 * len + 1) : NULL;
	char *out = text;
	uint32_t c = 0;

	if (text == NULL) {
		(void)ca_error(CA_R_MEMORY, "out of memory");
		return NULL;
	}
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(p + i, len - i, &c);
		if (n == 0 || !char_is_safe(c)) {
			n = 1;
			*out++ = '\\';
			*out++ = 'x';
			*out++ = hex_digit(p[i] >> 4);
			*out++ = hex_digit(p[i]);
			continue;
		}
		if (c == '\\')
			*out++ = '\\';
		memcpy(out, p + i, n);
		out += n;
	}
	*out = '\0';
	return text;
}

size_t
text_cut(const char *bytes, size_t len, size_t max)
{
	size_t cut = max;

	if (len <= max)
		return len;
	/* A character has at most three continuation octets. */
	while (cut > 0 && max - cut < 3 &&
	    ((unsigned char)bytes[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

void
text_hex_into(const unsigned char *bytes, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = hex_digit(bytes[i] >> 4);
		out[2 * i + 1] = hex_digit(bytes[i]);
	}
	out[2 * len] = '\0';
}

char *
text_hex(const unsigned char *bytes, size_t len)
{
	char *text = len < SIZE_MAX / 2 ? malloc(2 * len + 1) : NULL;

	if (text == NULL) {
		(void)ca_error(CA_R_MEMORY, "out of memory");
		return NULL;
	}
	text_hex_into(bytes, len, text);
	return text;
}

int
text_unhex(const char *hex, unsigned char **ret_bytes, size_t *ret_len)
{
	size_t digits = strlen(hex);
	AUTO_BYTES(bytes) = NULL;

	if (digits % 2 != 0)
		return ca_error(CA_R_INPUT, "hex with an odd number of digits");
	if ((bytes = malloc(digits / 2 + 1)) == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	for (size_t i = 0; i < digits / 2; i++) {
		int high = OPENSSL_hexchar2int((unsigned char)hex[2 * i]);
		int low = OPENSSL_hexchar2int((unsigned char)hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return ca_error(CA_R_INPUT,
			    "not hex: only 0-9, a-f and A-F are allowed");
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	bytes[digits / 2] = 0;
	*ret_bytes = TAKE(bytes);
	*ret_len = digits / 2;
	return 0;
}

int
text_number(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a decimal number without leading zeros", text);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return ca_error(
			    CA_R_INPUT, "'%s' is not a decimal number", text);
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(*p - '0'), &value) ||
		    value > max)
			return ca_error(CA_R_INPUT,
			    "'%s' is too large: at most %llu", text,
			    (unsigned long long)max);
	}
	*ret_value = value;
	return 0;
}

static bool
is_name_end(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
text_is_name(const char *text)
{
	size_t len = strnlen(text, 65);

	if (len == 0 || len > 64 || !is_name_end(text[0]) ||
	    !is_name_end(text[len - 1]) || strstr(text, "..") != NULL)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_name_end(text[i]) && strchr("._-", text[i]) == NULL)
			return false;
	}
	return true;
}

int
sha256(const void *data, size_t len, unsigned char ret_digest[32])
{
	unsigned char digest[32];

	if (EVP_Q_digest(NULL, "SHA256", NULL, data, len, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	memcpy(ret_digest, digest, sizeof digest);
	return 0;
}

char *
sha256_hex(const void *data, size_t len)
{
	unsigned char digest[32];

	return sha256(data, len, digest) != 0
	    ? NULL
	    : text_hex(digest, sizeof(digest));
}
