/*
 * Notes, checkpoints, verifier keys, anchors and heads: what is taken is what
 * would be composed again.
 */
#include "ceremony/journal/note.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/anchor.h"
#include "ceremony/journal/head.h"
#include "fuzz.h"

/* rules.md 18.3 */
#define LOG_VKEY                                                          \
	"journal.example/root-ca+fb038e58+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6" \
	"UNXx3chmQSVTG4"
#define WITNESS_VKEY                                                    \
	"witness.example/auditor+09b8b633+BCmsuuFBvMrwsi4alNNNC8c2HlJt" \
	"C/4SyJeUvJMilm3X"

/* The note again from its parts; only one text has these parts. */
static void
compose_again(const struct note *note, const char *data, size_t size)
{
	AUTO_CHARS(all) = text_printf("%s\n", note->text);

	for (size_t i = 0; i < note->count; i++) {
		const struct note_line *line = &note->lines[i];
		AUTO_CHARS(before) = TAKE(all);
		AUTO_BYTES(octets) = malloc(line->len + 4);
		AUTO_BYTES(base64) = malloc(2 * line->len + 32);

		HOLDS(before != NULL && octets != NULL && base64 != NULL);
		HOLDS(line->len > 0 && line->name[0] != '\0');
		memcpy(octets, line->id, 4);
		memcpy(octets + 4, line->signature, line->len);
		(void)EVP_EncodeBlock(base64, octets, (int)line->len + 4);
		all = text_printf("%s\xe2\x80\x94 %s %s\n", before, line->name,
		    (char *)base64);
	}
	HOLDS(
	    all != NULL && strlen(all) == size && memcmp(all, data, size) == 0);
}

/* Found and right, unknown, or refused for its signature: nothing else. */
static void
try_verify(const struct note *note, const char *vkey)
{
	AUTO_STRUCT(note_key) key = { 0 };
	uint64_t time = 0;
	bool found = false;

	HOLDS(note_key_parse(vkey, strlen(vkey), &key) == 0);
	if (note_verify(note, &key, &found, &time) != 0) {
		HOLDS(ca_error_reason() == CA_R_VERIFY);
		HOLDS(!found && time == 0);
		ca_error_clear();
		return;
	}
	HOLDS((found && key.type == NOTE_COSIGNATURE) == (time != 0));
}

static void
try_checkpoint(const char *text, size_t size)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_CHARS(again) = NULL;

	if (checkpoint_parse(text, size, &checkpoint) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		HOLDS(checkpoint.origin == NULL);
		ca_error_clear();
		return;
	}
	/* Others may have names that we would not give. */
	if (checkpoint_text(checkpoint.origin, checkpoint.size, checkpoint.root,
		&again) != 0) {
		ca_error_clear();
		return;
	}
	HOLDS(strlen(again) <= size && memcmp(again, text, strlen(again)) == 0);
}

static void
try_note(const char *data, size_t size)
{
	AUTO_STRUCT(note) note = { 0 };

	if (note_parse(data, size, &note) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		HOLDS(note.text == NULL && note.lines == NULL);
		ca_error_clear();
		return;
	}
	compose_again(&note, data, size);
	try_checkpoint(note.text, strlen(note.text));
	try_verify(&note, LOG_VKEY);
	try_verify(&note, WITNESS_VKEY);
}

static void
try_key(const char *data, size_t size)
{
	AUTO_STRUCT(note_key) key = { 0 };
	AUTO_CHARS(again) = NULL;

	if (note_key_parse(data, size, &key) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		HOLDS(key.name == NULL && key.key == NULL);
		ca_error_clear();
		return;
	}
	HOLDS(note_key_text(&key, &again) == 0);
	HOLDS(strlen(again) == size && memcmp(again, data, size) == 0);
}

static void
try_anchor(const char *data, size_t size)
{
	AUTO_STRUCT(anchor) anchor = { 0 };
	AUTO_CHARS(again) = NULL;

	if (anchor_parse(data, size, &anchor) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		ca_error_clear();
		return;
	}
	again = text_printf("ca-tool anchor 1\nauthority: %s\ngenesis: %s\n"
			    "journal-key: %s\nset: %s\n",
	    anchor.authority, anchor.genesis, anchor.journal_key, anchor.set);
	HOLDS(again != NULL && strlen(again) == size &&
	    memcmp(again, data, size) == 0);
}

static void
try_head(const char *data, size_t size)
{
	AUTO_STRUCT(head) head = { 0 };
	AUTO_CHARS(again) = NULL;

	if (head_parse(data, size, &head) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		ca_error_clear();
		return;
	}
	HOLDS(head_compose(&head, &again) == 0);
	HOLDS(strlen(again) == size && memcmp(again, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_note(text, size);
	try_checkpoint(text, size);
	try_key(text, size);
	try_anchor(text, size);
	try_head(text, size);
	HOLDS(ca_error_reason() == 0);
	return 0;
}
