/* The characters of notes, and base64. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note-private.h"

/* ---- spans ------------------------------------------------------------ */

struct span
span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

bool
span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

char *
span_copy(struct span span)
{
	return text_printf("%.*s", (int)span.len, span.at);
}

bool
span_line(struct span *rest, struct span *ret_line)
{
	const char *end =
	    rest->len == 0 ? NULL : memchr(rest->at, '\n', rest->len);

	if (end == NULL)
		return false;
	ret_line->at = rest->at;
	ret_line->len = (size_t)(end - rest->at);
	rest->len -= ret_line->len + 1;
	rest->at = end + 1;
	return true;
}

/* ---- characters ------------------------------------------------------- */

/* White_Space of Unicode: none of these may be in a key's name. */
static bool
is_space(unsigned long c)
{
	static const unsigned long spaces[] = { 0x20, 0x85, 0xa0, 0x1680,
		0x2028, 0x2029, 0x202f, 0x205f, 0x3000 };

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (spaces[i] == c)
			return true;
	return (c >= 0x09 && c <= 0x0d) || (c >= 0x2000 && c <= 0x200a);
}

/* The next character; 0 octets where it is not UTF-8. */
static size_t
next_char(struct span text, unsigned long *ret_char)
{
	int max = text.len < 4 ? (int)text.len : 4;
	int n = UTF8_getc((const unsigned char *)text.at, max, ret_char);

	return n <= 0 || *ret_char > 0x10ffff ? 0 : (size_t)n;
}

bool
note_is_clean(struct span text)
{
	unsigned long c;
	size_t n;

	for (; text.len != 0; text.at += n, text.len -= n) {
		n = next_char(text, &c);
		if (n == 0 || (c < 0x20 && c != '\n'))
			return false;
	}
	return true;
}

bool
note_is_key_name(struct span name)
{
	unsigned long c;
	size_t n;

	if (name.len == 0)
		return false;
	for (; name.len != 0; name.at += n, name.len -= n) {
		n = next_char(name, &c);
		if (n == 0 || c < 0x20 || c == '+' || is_space(c))
			return false;
	}
	return true;
}

/* ---- base64 ----------------------------------------------------------- */

int
note_base64_encode(const unsigned char *bytes, size_t len, char **ret_text)
{
	AUTO_BYTES(text) = NULL;

	if (len > NOTE_MAX_BYTES)
		return ca_error(
		    CA_R_INTERNAL, "%zu octets are too many for a note", len);
	text = malloc(4 * ((len + 2) / 3) + 1);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	(void)EVP_EncodeBlock(text, bytes, (int)len);
	*ret_text = (char *)TAKE(text);
	return 0;
}

int
note_base64_prefixed(const unsigned char *prefix, size_t prefix_len,
    const unsigned char *bytes, size_t len, char **ret_text)
{
	AUTO_BYTES(all) = malloc(prefix_len + len + 1);

	if (all == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	memcpy(all, prefix, prefix_len);
	memcpy(all + prefix_len, bytes, len);
	return note_base64_encode(all, prefix_len + len, ret_text);
}

static int
not_base64(const char *what)
{
	return ca_error(CA_R_INPUT,
	    "malformed %s is not standard base64 (RFC 4648, section 4)", what);
}

/*
 * EVP_DecodeBlock is lax about blanks, padding and unused bits: only what
 * encodes to the same text again is taken.
 */
int
note_base64_decode(struct span text, const char *what,
    unsigned char **ret_bytes, size_t *ret_len)
{
	AUTO_BYTES(bytes) = NULL;
	AUTO_CHARS(again) = NULL;
	size_t pad = 0;
	int n;

	if (text.len == 0 || text.len > NOTE_MAX_BYTES)
		return not_base64(what);
	bytes = malloc(text.len + 1);
	if (bytes == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	while (pad < 2 && pad < text.len && text.at[text.len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(
	    bytes, (const unsigned char *)text.at, (int)text.len);
	if (n <= 0 || (size_t)n <= pad)
		return not_base64(what);
	if (note_base64_encode(bytes, (size_t)n - pad, &again) != 0)
		return -1;
	if (!span_is(text, again))
		return not_base64(what);
	*ret_len = (size_t)n - pad;
	*ret_bytes = TAKE(bytes);
	return 0;
}
