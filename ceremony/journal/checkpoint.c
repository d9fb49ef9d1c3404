/* C2SP tlog-checkpoint: what the text of a note says (rules.md 18.3). */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note-private.h"

enum { HASH_OCTETS = 32 };

void
checkpoint_clear(struct checkpoint *checkpoint)
{
	free(checkpoint->origin);
	memset(checkpoint, 0, sizeof(*checkpoint));
}

int
checkpoint_text(const char *origin, uint64_t size, const unsigned char root[32],
    char **ret_text)
{
	AUTO_CHARS(hash) = NULL;
	char *text;

	if (!note_is_key_name(span_of(origin)))
		return ca_error(CA_R_INPUT,
		    "'%s' cannot be the origin of a journal: no blanks and no "
		    "'+'",
		    origin);
	if (note_base64_encode(root, HASH_OCTETS, &hash) != 0)
		return -1;
	text = text_printf("%s\n%" PRIu64 "\n%s\n", origin, size, hash);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

/* ---- parsing ---------------------------------------------------------- */

static int
malformed(const char *why)
{
	return ca_error(
	    CA_R_INPUT, "malformed checkpoint: %s (C2SP tlog-checkpoint)", why);
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
	size_t len = 0;

	if (note_base64_decode(line, "checkpoint: its root", &root, &len) != 0)
		return -1;
	if (len != HASH_OCTETS)
		return malformed("its root does not have 32 octets");
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

struct checkpoint_lines {
	struct span origin, size, root;
};

/* Three lines, then non-empty extension lines, which we know none of. */
static int
split_text(struct span text, struct checkpoint_lines *ret_lines)
{
	struct span extension;

	if (text.len == 0 || text.at[text.len - 1] != '\n')
		return malformed("its last line is not ended");
	if (!note_is_clean(text))
		return malformed("it is not UTF-8 or has control characters");
	if (!span_line(&text, &ret_lines->origin) ||
	    !span_line(&text, &ret_lines->size) ||
	    !span_line(&text, &ret_lines->root))
		return malformed("it has fewer than three lines");
	if (ret_lines->origin.len == 0)
		return malformed("its origin is empty");
	while (span_line(&text, &extension))
		if (extension.len == 0)
			return malformed("its text has an empty line");
	return 0;
}

int
checkpoint_parse(
    const char *text, size_t len, struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	struct checkpoint_lines lines;

	if (len > NOTE_MAX_BYTES)
		return malformed("it is larger than 1 MiB");
	if (split_text((struct span){ text, len }, &lines) != 0)
		return -1;
	checkpoint.origin = span_copy(lines.origin);
	if (checkpoint.origin == NULL ||
	    parse_size(lines.size, &checkpoint.size) != 0 ||
	    parse_root(lines.root, checkpoint.root) != 0 ||
	    check_empty(&checkpoint) != 0)
		return -1;
	*ret_checkpoint = checkpoint;
	checkpoint = (struct checkpoint){ 0 };
	return 0;
}

/* ---- verifying -------------------------------------------------------- */

int
checkpoint_verify(const char *note, size_t len, const char *key_name,
    const unsigned char *spki, size_t spki_len,
    struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_STRUCT(note_key) key = { 0 };
	AUTO_STRUCT(note) parts = { 0 };
	bool found = false;

	if (note_journal_key(key_name, spki, spki_len, &key) != 0 ||
	    note_parse(note, len, &parts) != 0 ||
	    checkpoint_parse(parts.text, strlen(parts.text), &checkpoint) !=
		0 ||
	    note_verify(&parts, &key, &found, NULL) != 0)
		return -1;
	if (!found)
		return ca_error(CA_R_VERIFY,
		    "the checkpoint carries no signature of '%s'", key_name);
	*ret_checkpoint = checkpoint;
	checkpoint = (struct checkpoint){ 0 };
	return 0;
}
