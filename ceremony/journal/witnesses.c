#include "ceremony/journal/witnesses.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "ceremony/journal/note-private.h"

enum { FILE_MAX_BYTES = 1 << 20 };

void
witnesses_clear(struct witnesses *witnesses)
{
	for (size_t i = 0; i < witnesses->count; i++)
		note_key_clear(&witnesses->keys[i]);
	free(witnesses->keys);
	*witnesses = (struct witnesses){ 0 };
}

/* Blanks and tabs around it do not count. */
static struct span
trim(struct span line)
{
	while (line.len > 0 && (*line.at == ' ' || *line.at == '\t'))
		line = (struct span){ line.at + 1, line.len - 1 };
	while (line.len > 0 &&
	    (line.at[line.len - 1] == ' ' || line.at[line.len - 1] == '\t'))
		line.len--;
	return line;
}

/* COSIG-POLICY: one key is one witness. */
static int
check_new(const struct witnesses *witnesses, const struct note_key *key,
    const char *path, size_t number)
{
	for (size_t i = 0; i < witnesses->count; i++) {
		const struct note_key *other = &witnesses->keys[i];

		if (strcmp(other->name, key->name) == 0)
			return ca_error(CA_R_INPUT,
			    "%s:%zu: witness '%s' is there already", path,
			    number, key->name);
		if (EVP_PKEY_eq(other->key, key->key) == 1)
			return ca_error(CA_R_INPUT,
			    "%s:%zu: the key of '%s' is that of '%s' too; one "
			    "key is one witness",
			    path, number, key->name, other->name);
	}
	return 0;
}

static int
add_key(const char *path, size_t number, struct span line,
    struct witnesses *witnesses)
{
	AUTO_STRUCT(note_key) key = { 0 };

	if (note_key_parse(line.at, line.len, &key) != 0)
		return ca_error_reason() != CA_R_INPUT
		    ? -1
		    : ca_error(CA_R_INPUT,
			  "%s:%zu: this is no verifier key of a witness; "
			  "'journal cosign' prints it",
			  path, number);
	if (key.type != NOTE_COSIGNATURE)
		return ca_error(CA_R_INPUT,
		    "%s:%zu: the key of '%s' is of type %02x; a witness has "
		    "one of type 04 (C2SP tlog-cosignature)",
		    path, number, key.name, (unsigned)key.type);
	if (check_new(witnesses, &key, path, number) != 0)
		return -1;
	if (witnesses->count == WITNESSES_MAX)
		return ca_error(CA_R_INPUT, "%s:%zu: more than %d witnesses",
		    path, number, WITNESSES_MAX);
	witnesses->keys[witnesses->count++] = key;
	key = (struct note_key){ 0 };
	return 0;
}

/* The next line, its newline gone; the last one need not have one. */
static bool
next_line(struct span *rest, struct span *ret_line)
{
	if (span_line(rest, ret_line))
		return true;
	*ret_line = *rest;
	rest->len = 0;
	return ret_line->len > 0;
}

static int
parse(const char *path, struct span text, struct witnesses *witnesses)
{
	struct span line;

	for (size_t number = 1; next_line(&text, &line); number++) {
		line = trim(line);
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (add_key(path, number, line, witnesses) != 0)
			return -1;
	}
	if (witnesses->count == 0)
		return ca_error(CA_R_INPUT,
		    "'%s' has no key of a witness; put one on each line", path);
	return 0;
}

int
witnesses_read(const char *path, struct witnesses *ret_witnesses)
{
	AUTO_STRUCT(witnesses) witnesses = { 0 };
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, path, FILE_MAX_BYTES, &data, &len) != 0)
		return -1;
	witnesses.keys = calloc(WITNESSES_MAX, sizeof(*witnesses.keys));
	if (witnesses.keys == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (parse(path, (struct span){ (const char *)data, len }, &witnesses) !=
	    0)
		return -1;
	*ret_witnesses = witnesses;
	witnesses = (struct witnesses){ 0 };
	return 0;
}
