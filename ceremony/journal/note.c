/*
 * C2SP signed-note and tlog-checkpoint, strictly: what is parsed comes back
 * byte for byte from what is composed.
 */
#include "ceremony/journal/note.h"

#include <inttypes.h>
#include <string.h>

#include "base/algorithm.h"
#include "base/error.h"
#include "base/text.h"

enum { KEY_ID_OCTETS = 4, SIGNATURE_TYPE_ECDSA = 2, HASH_OCTETS = 32 };

/* A signature line begins with an em dash and a blank. */
static const char mark[] = "\xe2\x80\x94 ";

struct span {
	const char *at;
	size_t len;
};

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

/* NOTE-UTF8: no octet below 20 but the newline. */
static bool
is_clean(struct span text)
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

/* NOTE-KEYNAME */
static bool
is_key_name(struct span name)
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

static bool
span_is(struct span span, const char *text)
{
	return span.len == strlen(text) && memcmp(span.at, text, span.len) == 0;
}

static char *
span_copy(struct span span)
{
	return text_printf("%.*s", (int)span.len, span.at);
}

/* Take the next line off `rest`, without its newline; false at its end. */
static bool
take_line(struct span *rest, struct span *ret_line)
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

/* ---- base64 ----------------------------------------------------------- */

static int
base64_encode(const unsigned char *bytes, size_t len, char **ret_text)
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

/*
 * NOTE-B64.  EVP_DecodeBlock is lax about blanks, padding and unused bits:
 * only what encodes to the same text again is taken.
 */
static int
base64_decode(struct span text, unsigned char **ret_bytes, size_t *ret_len)
{
	AUTO_BYTES(bytes) = malloc(text.len + 1);
	AUTO_CHARS(again) = NULL;
	size_t pad = 0;
	int n;

	if (bytes == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	while (pad < 2 && pad < text.len && text.at[text.len - 1 - pad] == '=')
		pad++;
	n = EVP_DecodeBlock(
	    bytes, (const unsigned char *)text.at, (int)text.len);
	if (n <= 0 || (size_t)n <= pad)
		return ca_error(CA_R_INPUT, "it is not standard base64");
	if (base64_encode(bytes, (size_t)n - pad, &again) != 0)
		return -1;
	if (!span_is(text, again))
		return ca_error(CA_R_INPUT, "it is not standard base64");
	*ret_len = (size_t)n - pad;
	*ret_bytes = TAKE(bytes);
	return 0;
}

/* ---- keys ------------------------------------------------------------- */

/* A journal's key is P-256, its digest SHA-256: signature type 02. */
static int
check_key(const char *name, const unsigned char *spki, size_t spki_len)
{
	const struct key_type *type = key_type_of_spki(spki, spki_len);

	if (!is_key_name((struct span){ name, strlen(name) }))
		return ca_error(CA_R_INPUT,
		    "'%s' cannot name a key of a journal: no blanks and no '+'",
		    name);
	if (type == NULL || strcmp(type->name, "p-256") != 0)
		return ca_error(
		    CA_R_KEY, "the journal key '%s' is not a P-256 key", name);
	return 0;
}

/* NOTE-KEYID, type 02: the name is not hashed. */
static int
key_id(const unsigned char *spki, size_t spki_len,
    unsigned char ret_id[KEY_ID_OCTETS])
{
	unsigned char digest[HASH_OCTETS];

	if (sha256(spki, spki_len, digest) != 0)
		return -1;
	memcpy(ret_id, digest, KEY_ID_OCTETS);
	return 0;
}

/* base64(prefix || bytes) */
static int
base64_prefixed(const unsigned char *prefix, size_t prefix_len,
    const unsigned char *bytes, size_t len, char **ret_text)
{
	AUTO_BYTES(all) = malloc(prefix_len + len + 1);

	if (all == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	memcpy(all, prefix, prefix_len);
	memcpy(all + prefix_len, bytes, len);
	return base64_encode(all, prefix_len + len, ret_text);
}

int
note_verifier_key(const char *key_name, const unsigned char *spki,
    size_t spki_len, char **ret_vkey)
{
	static const unsigned char type = SIGNATURE_TYPE_ECDSA;
	unsigned char id[KEY_ID_OCTETS];
	char id_hex[2 * KEY_ID_OCTETS + 1];
	AUTO_CHARS(key) = NULL;
	char *vkey;

	if (check_key(key_name, spki, spki_len) != 0 ||
	    key_id(spki, spki_len, id) != 0 ||
	    base64_prefixed(&type, 1, spki, spki_len, &key) != 0)
		return -1;
	text_hex_into(id, sizeof(id), id_hex);
	vkey = text_printf("%s+%s+%s", key_name, id_hex, key);
	if (vkey == NULL)
		return -1;
	*ret_vkey = vkey;
	return 0;
}

/* ---- composing -------------------------------------------------------- */

int
checkpoint_text(const char *origin, uint64_t size, const unsigned char root[32],
    char **ret_text)
{
	AUTO_CHARS(hash) = NULL;
	char *text;

	if (!is_key_name((struct span){ origin, strlen(origin) }))
		return ca_error(CA_R_INPUT,
		    "'%s' cannot be the origin of a journal: no blanks and no "
		    "'+'",
		    origin);
	if (base64_encode(root, HASH_OCTETS, &hash) != 0)
		return -1;
	text = text_printf("%s\n%" PRIu64 "\n%s\n", origin, size, hash);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

int
note_compose(const char *text, const char *key_name, const unsigned char *spki,
    size_t spki_len, const unsigned char *sig, size_t sig_len, char **ret_note)
{
	struct span span = { text, strlen(text) };
	unsigned char id[KEY_ID_OCTETS];
	AUTO_CHARS(signature) = NULL;
	char *note;

	if (span.len == 0 || text[span.len - 1] != '\n' || !is_clean(span))
		return ca_error(CA_R_INPUT,
		    "the text of a note must be UTF-8 and end with a newline");
	if (check_key(key_name, spki, spki_len) != 0 ||
	    key_id(spki, spki_len, id) != 0 ||
	    base64_prefixed(id, sizeof(id), sig, sig_len, &signature) != 0)
		return -1;
	note = text_printf("%s\n%s%s %s\n", text, mark, key_name, signature);
	if (note == NULL)
		return -1;
	*ret_note = note;
	return 0;
}

/* ---- verifying -------------------------------------------------------- */

static int
malformed(const char *why)
{
	return ca_error(CA_R_INPUT, "malformed checkpoint: %s", why);
}

/* NOTE-SPLIT: at the last empty line; the text keeps its newline. */
static int
split(struct span note, struct span *ret_text, struct span *ret_signatures)
{
	for (size_t i = note.len; i >= 2; i--) {
		if (note.at[i - 1] != '\n' || note.at[i - 2] != '\n')
			continue;
		*ret_text = (struct span){ note.at, i - 1 };
		*ret_signatures = (struct span){ note.at + i, note.len - i };
		return 0;
	}
	return malformed("there is no empty line before its signatures");
}

struct signature {
	struct span name;
	unsigned char *bytes; /* key id, signature */
	size_t len;
};

static void
signature_clear(struct signature *signature)
{
	free(signature->bytes);
	memset(signature, 0, sizeof(*signature));
}
CLEANUP_DEFINE_STRUCT(signature);

static int
signature_parse(struct span line, struct signature *ret_signature)
{
	const size_t mark_len = sizeof(mark) - 1;
	struct signature signature = { 0 };
	const char *blank;

	if (line.len <= mark_len || memcmp(line.at, mark, mark_len) != 0)
		return malformed("a signature line does not begin with a dash");
	line.at += mark_len;
	line.len -= mark_len;
	blank = memchr(line.at, ' ', line.len);
	if (blank == NULL)
		return malformed("a signature line lacks its signature");
	signature.name = (struct span){ line.at, (size_t)(blank - line.at) };
	if (!is_key_name(signature.name))
		return malformed("a signature line has no valid key name");
	line.at = blank + 1;
	line.len -= signature.name.len + 1;
	if (base64_decode(line, &signature.bytes, &signature.len) != 0)
		return malformed("a signature is not standard base64");
	*ret_signature = signature;
	if (signature.len <= KEY_ID_OCTETS)
		return malformed("a signature is too short");
	return 0;
}

struct verifier {
	const char *name;
	const unsigned char *spki;
	size_t spki_len;
	unsigned char id[KEY_ID_OCTETS];
};

/* 1: signed by the key; 0: a key that we do not know; -1. */
static int
verify_line(const struct verifier *verifier, struct span text, struct span line)
{
	const struct sigalg *alg = sigalg_by_name("ecdsa-sha256");
	AUTO_STRUCT(signature) signature = { 0 };

	if (alg == NULL)
		return ca_error(CA_R_INTERNAL, "ecdsa-sha256 is unknown");
	if (signature_parse(line, &signature) != 0)
		return -1;
	if (!span_is(signature.name, verifier->name) ||
	    memcmp(signature.bytes, verifier->id, KEY_ID_OCTETS) != 0)
		return 0;
	if (sigalg_verify(alg, verifier->spki, verifier->spki_len,
		(const unsigned char *)text.at, text.len,
		signature.bytes + KEY_ID_OCTETS,
		signature.len - KEY_ID_OCTETS) != 0)
		return ca_error(CA_R_VERIFY,
		    "the signature of '%s' on the checkpoint is wrong",
		    verifier->name);
	return 1;
}

/* NOTE-VERIFY: each line is well-formed, each known one verifies. */
static int
verify_lines(
    const struct verifier *verifier, struct span text, struct span lines)
{
	struct span line;
	int known = 0;

	if (lines.len == 0 || lines.at[lines.len - 1] != '\n')
		return malformed("its last signature line is not ended");
	while (take_line(&lines, &line)) {
		int found = verify_line(verifier, text, line);

		if (found < 0)
			return -1;
		known |= found;
	}
	if (known == 0)
		return ca_error(CA_R_VERIFY,
		    "the checkpoint carries no signature of '%s'",
		    verifier->name);
	return 0;
}

static int
parse_size(struct span line, uint64_t *ret_size)
{
	AUTO_CHARS(text) = span_copy(line);

	if (text == NULL)
		return -1;
	if (text_number(text, UINT64_MAX, ret_size) != 0)
		return malformed("its size is not a number");
	return 0;
}

static int
parse_root(struct span line, unsigned char ret_root[HASH_OCTETS])
{
	AUTO_BYTES(root) = NULL;
	size_t len;

	if (base64_decode(line, &root, &len) != 0 || len != HASH_OCTETS)
		return malformed("its root is not base64 of 32 octets");
	memcpy(ret_root, root, HASH_OCTETS);
	return 0;
}

/* CKPT-EMPTY */
static int
check_empty(const struct checkpoint *checkpoint)
{
	unsigned char empty[HASH_OCTETS];

	if (checkpoint->size != 0)
		return 0;
	if (sha256("", 0, empty) != 0)
		return -1;
	return memcmp(empty, checkpoint->root, sizeof(empty)) == 0
	    ? 0
	    : malformed("the root of no entries is wrong");
}

/* Three lines, then non-empty extension lines, which we know none of. */
static int
parse_text(struct span text, struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	struct span origin, size, root, extension;

	if (!take_line(&text, &origin) || !take_line(&text, &size) ||
	    !take_line(&text, &root))
		return malformed("it has fewer than three lines");
	if (origin.len == 0)
		return malformed("its origin is empty");
	while (take_line(&text, &extension))
		if (extension.len == 0)
			return malformed("its text has an empty line");
	checkpoint.origin = span_copy(origin);
	if (checkpoint.origin == NULL ||
	    parse_size(size, &checkpoint.size) != 0 ||
	    parse_root(root, checkpoint.root) != 0 ||
	    check_empty(&checkpoint) != 0)
		return -1;
	*ret_checkpoint = checkpoint;
	memset(&checkpoint, 0, sizeof(checkpoint));
	return 0;
}

int
checkpoint_verify(const char *note, size_t len, const char *key_name,
    const unsigned char *spki, size_t spki_len,
    struct checkpoint *ret_checkpoint)
{
	struct verifier verifier = { key_name, spki, spki_len, { 0 } };
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	struct span whole = { note, len }, text, lines;

	if (check_key(key_name, spki, spki_len) != 0 ||
	    key_id(spki, spki_len, verifier.id) != 0)
		return -1;
	if (len > NOTE_MAX_BYTES)
		return malformed("it is larger than 1 MiB");
	if (!is_clean(whole))
		return malformed("it is not UTF-8 or has control characters");
	if (split(whole, &text, &lines) != 0 ||
	    parse_text(text, &checkpoint) != 0 ||
	    verify_lines(&verifier, text, lines) != 0)
		return -1;
	*ret_checkpoint = checkpoint;
	memset(&checkpoint, 0, sizeof(checkpoint));
	return 0;
}

void
checkpoint_clear(struct checkpoint *checkpoint)
{
	free(checkpoint->origin);
	memset(checkpoint, 0, sizeof(*checkpoint));
}
