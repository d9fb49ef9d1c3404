/*
 * C2SP signed-note, strictly: what is parsed comes back byte for byte from what
 * is composed.
 */
#include "ceremony/journal/note.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note-private.h"

enum { ED25519_SIGNATURE = 64 };

/* A signature line begins with an em dash and a blank. */
static const char mark[] = "\xe2\x80\x94 ";

/* ---- taking apart ----------------------------------------------------- */

static void
line_clear(struct note_line *line)
{
	free(line->name);
	free(line->signature);
	memset(line, 0, sizeof(*line));
}

void
note_clear(struct note *note)
{
	for (size_t i = 0; i < note->count; i++)
		line_clear(&note->lines[i]);
	free(note->lines);
	free(note->text);
	memset(note, 0, sizeof(*note));
}

static int
malformed(const char *why)
{
	return ca_error(
	    CA_R_INPUT, "malformed note: %s (C2SP signed-note)", why);
}

/* NOTE-SPLIT: at the last empty line; the text keeps its newline. */
static int
split(struct span note, struct span *ret_text, struct span *ret_lines)
{
	for (size_t i = note.len; i >= 2; i--) {
		if (note.at[i - 1] != '\n' || note.at[i - 2] != '\n')
			continue;
		*ret_text = (struct span){ note.at, i - 1 };
		*ret_lines = (struct span){ note.at + i, note.len - i };
		return 0;
	}
	return malformed("there is no empty line before its signatures");
}

/* The name, and the rest of the line. */
static int
split_line(struct span line, struct span *ret_name, struct span *ret_base64)
{
	const size_t mark_len = sizeof(mark) - 1;
	const char *blank;

	if (line.len <= mark_len || memcmp(line.at, mark, mark_len) != 0)
		return malformed("a signature line does not begin with a dash");
	line.at += mark_len;
	line.len -= mark_len;
	blank = memchr(line.at, ' ', line.len);
	if (blank == NULL)
		return malformed("a signature line lacks its signature");
	*ret_name = (struct span){ line.at, (size_t)(blank - line.at) };
	if (!note_is_key_name(*ret_name))
		return malformed("a signature line has no valid key name");
	*ret_base64 = (struct span){ blank + 1, line.len - ret_name->len - 1 };
	return 0;
}

static int
parse_line(struct span line, struct note_line *ret_line)
{
	AUTO_BYTES(bytes) = NULL;
	AUTO_CHARS(name) = NULL;
	struct span name_span, base64;
	size_t len = 0;

	if (split_line(line, &name_span, &base64) != 0 ||
	    note_base64_decode(base64, "note: a signature", &bytes, &len) != 0)
		return -1;
	if (len <= NOTE_ID_LEN)
		return malformed("a signature is too short");
	name = span_copy(name_span);
	if (name == NULL)
		return -1;
	ret_line->name = TAKE(name);
	ret_line->len = len - NOTE_ID_LEN;
	memcpy(ret_line->id, bytes, NOTE_ID_LEN);
	memmove(bytes, bytes + NOTE_ID_LEN, ret_line->len);
	ret_line->signature = TAKE(bytes);
	return 0;
}

static size_t
count_lines(struct span lines)
{
	struct span line;
	size_t count = 0;

	while (span_line(&lines, &line))
		count++;
	return count;
}

static int
parse_lines(struct span lines, struct note *note)
{
	size_t count = count_lines(lines);
	struct span line;

	if (count == 0 || lines.at[lines.len - 1] != '\n')
		return malformed("its last signature line is not ended");
	if (count > NOTE_MAX_LINES)
		return malformed("it has more than 1024 signature lines");
	note->lines = calloc(count, sizeof(*note->lines));
	if (note->lines == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	while (span_line(&lines, &line)) {
		if (parse_line(line, &note->lines[note->count]) != 0)
			return -1;
		note->count++;
	}
	return 0;
}

int
note_parse(const char *bytes, size_t len, struct note *ret_note)
{
	struct span whole = { bytes, len }, text, lines;
	AUTO_STRUCT(note) note = { 0 };

	if (len > NOTE_MAX_BYTES)
		return malformed("it is larger than 1 MiB");
	if (!note_is_clean(whole))
		return malformed("it is not UTF-8 or has control characters");
	if (split(whole, &text, &lines) != 0)
		return -1;
	note.text = span_copy(text);
	if (note.text == NULL || parse_lines(lines, &note) != 0)
		return -1;
	*ret_note = note;
	note = (struct note){ 0 };
	return 0;
}

/* ---- composing -------------------------------------------------------- */

int
note_line_text(const struct note_key *key, const unsigned char *signature,
    size_t len, char **ret_line)
{
	AUTO_CHARS(base64) = NULL;
	char *line;

	if (note_base64_prefixed(
		key->id, sizeof(key->id), signature, len, &base64) != 0)
		return -1;
	line = text_printf("%s%s %s\n", mark, key->name, base64);
	if (line == NULL)
		return -1;
	*ret_line = line;
	return 0;
}

static int
check_text(const char *text)
{
	struct span span = span_of(text);

	if (span.len != 0 && text[span.len - 1] == '\n' && note_is_clean(span))
		return 0;
	return ca_error(CA_R_INPUT,
	    "the text of a note must be UTF-8 and end with a newline");
}

int
note_compose(const char *text, const char *key_name, const unsigned char *spki,
    size_t spki_len, const unsigned char *sig, size_t sig_len, char **ret_note)
{
	AUTO_STRUCT(note_key) key = { 0 };
	AUTO_CHARS(line) = NULL;
	char *note;

	if (check_text(text) != 0 ||
	    note_journal_key(key_name, spki, spki_len, &key) != 0 ||
	    note_line_text(&key, sig, sig_len, &line) != 0)
		return -1;
	note = text_printf("%s\n%s", text, line);
	if (note == NULL)
		return -1;
	*ret_note = note;
	return 0;
}

/* ---- verifying -------------------------------------------------------- */

static int
wrong(const struct note_key *key, const char *why)
{
	return ca_error(
	    CA_R_VERIFY, "the signature of '%s' is wrong: %s", key->name, why);
}

static int
verify_bytes(const struct note_key *key, const char *digest, const char *text,
    const unsigned char *signature, size_t len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	if (ctx == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (EVP_DigestVerifyInit_ex(
		ctx, NULL, digest, NULL, NULL, key->key, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "Ed25519 or ECDSA is missing");
	if (EVP_DigestVerify(ctx, signature, len, (const unsigned char *)text,
		strlen(text)) != 1)
		return wrong(key, "it does not verify");
	return 0;
}

/* DER, and nothing but what encodes to the same octets again. */
static bool
is_strict_ecdsa(const unsigned char *signature, size_t len)
{
	AUTO(ECDSA_SIG) *decoded = NULL;
	AUTO_DER(again) = NULL;
	const unsigned char *p = signature;
	int again_len;

	decoded = d2i_ECDSA_SIG(NULL, &p, (long)len);
	again_len = decoded == NULL ? 0 : i2d_ECDSA_SIG(decoded, &again);
	return again_len > 0 && (size_t)again_len == len &&
	    memcmp(again, signature, len) == 0;
}

/* Type 02: SHA-256 for every curve. */
static int
verify_ecdsa(const struct note *note, const struct note_key *key,
    const struct note_line *line)
{
	if (!is_strict_ecdsa(line->signature, line->len))
		return wrong(key, "it is not a DER ECDSA-Sig-Value");
	return verify_bytes(
	    key, "SHA256", note->text, line->signature, line->len);
}

static int
verify_ed25519(const struct note *note, const struct note_key *key,
    const struct note_line *line)
{
	if (line->len != ED25519_SIGNATURE)
		return wrong(key, "it does not have 64 octets");
	return verify_bytes(key, NULL, note->text, line->signature, line->len);
}

/* What a cosigner signs (C2SP tlog-cosignature); malloc'd. */
static char *
cosigned_text(const char *text, uint64_t time)
{
	return text_printf("cosignature/v1\ntime %" PRIu64 "\n%s", time, text);
}

static int
verify_cosignature(const struct note *note, const struct note_key *key,
    const struct note_line *line, uint64_t *ret_time)
{
	AUTO_CHARS(text) = NULL;
	uint64_t time = 0;

	if (line->len != NOTE_TIME_LEN + ED25519_SIGNATURE)
		return wrong(key, "it is not a time and 64 octets");
	for (size_t i = 0; i < NOTE_TIME_LEN; i++)
		time = time << 8 | line->signature[i];
	/* COSIG-NO-ZERO-TIME */
	if (time == 0 || time > INT64_MAX)
		return wrong(key, "it states no time");
	text = cosigned_text(note->text, time);
	if (text == NULL ||
	    verify_bytes(key, NULL, text, line->signature + NOTE_TIME_LEN,
		ED25519_SIGNATURE) != 0)
		return -1;
	*ret_time = time;
	return 0;
}

static int
verify_line(const struct note *note, const struct note_key *key,
    const struct note_line *line, uint64_t *ret_time)
{
	switch (key->type) {
	case NOTE_ED25519:
		return verify_ed25519(note, key, line);
	case NOTE_ECDSA:
		return verify_ecdsa(note, key, line);
	case NOTE_COSIGNATURE:
		return verify_cosignature(note, key, line, ret_time);
	}
	return ca_error(CA_R_INTERNAL, "a key of an unknown type");
}

static bool
is_line_of(const struct note_line *line, const struct note_key *key)
{
	return strcmp(line->name, key->name) == 0 &&
	    memcmp(line->id, key->id, sizeof(key->id)) == 0;
}

/* Of several cosignatures of one witness, the newest time is given. */
int
note_verify(const struct note *note, const struct note_key *key,
    bool *ret_found, uint64_t *ret_time)
{
	uint64_t newest = 0;
	bool found = false;

	for (size_t i = 0; i < note->count; i++) {
		uint64_t time = 0;

		if (!is_line_of(&note->lines[i], key))
			continue;
		if (verify_line(note, key, &note->lines[i], &time) != 0)
			return -1;
		found = true;
		if (time > newest)
			newest = time;
	}
	*ret_found = found;
	if (ret_time != NULL)
		*ret_time = newest;
	return 0;
}

/* ---- cosigning -------------------------------------------------------- */

static int
sign_ed25519(EVP_PKEY *key, const char *text,
    unsigned char ret_signature[ED25519_SIGNATURE])
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	size_t len = ED25519_SIGNATURE;

	if (ctx == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL) !=
		1 ||
	    EVP_DigestSign(ctx, ret_signature, &len,
		(const unsigned char *)text, strlen(text)) != 1 ||
	    len != ED25519_SIGNATURE)
		return ca_error(CA_R_KEY, "the Ed25519 key does not sign");
	return 0;
}

/* The time, big-endian, and the signature. */
static int
cosign_bytes(const char *text, EVP_PKEY *key, uint64_t time,
    unsigned char ret_bytes[NOTE_TIME_LEN + ED25519_SIGNATURE])
{
	AUTO_CHARS(message) = cosigned_text(text, time);

	if (message == NULL)
		return -1;
	for (unsigned i = 0; i < NOTE_TIME_LEN; i++)
		ret_bytes[i] = (unsigned char)(time >> (56 - 8 * i));
	return sign_ed25519(key, message, ret_bytes + NOTE_TIME_LEN);
}

/* As whoever gets it will: from the note's bytes. */
static int
check_cosigned(const char *text, const struct note_key *key, const char *line)
{
	AUTO_CHARS(bytes) = text_printf("%s\n%s", text, line);
	AUTO_STRUCT(note) note = { 0 };
	bool found = false;

	if (bytes == NULL || note_parse(bytes, strlen(bytes), &note) != 0 ||
	    note_verify(&note, key, &found, NULL) != 0)
		return -1;
	return found ? 0
		     : ca_error(CA_R_INTERNAL, "the cosignature is not there");
}

int
note_cosign(const char *text, const char *name, EVP_PKEY *key, uint64_t time,
    char **ret_line)
{
	unsigned char bytes[NOTE_TIME_LEN + ED25519_SIGNATURE];
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_STRUCT(note_key) public = { 0 };
	AUTO_CHARS(line) = NULL;

	if (time == 0 || time > INT64_MAX)
		return ca_error(CA_R_INPUT,
		    "a cosignature cannot state the time %" PRIu64, time);
	/* Nothing but a checkpoint is cosigned. */
	if (checkpoint_parse(text, strlen(text), &checkpoint) != 0 ||
	    note_key_from_public(name, NOTE_COSIGNATURE, key, &public) != 0 ||
	    cosign_bytes(text, key, time, bytes) != 0 ||
	    note_line_text(&public, bytes, sizeof(bytes), &line) != 0 ||
	    check_cosigned(text, &public, line) != 0)
		return -1;
	*ret_line = TAKE(line);
	return 0;
}
