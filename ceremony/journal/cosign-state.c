/* What a witness has seen: COSIG-STATE of rules.md 18.4. */
#include <inttypes.h>
#include <libgen.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "base/text.h"
#include "ceremony/journal/cosign-private.h"

enum { STATE_MAX_BYTES = 4096, HEX_DIGITS = 2 * TREE_HASH_LEN };

void
witness_state_clear(struct witness_state *state)
{
	cleanup_fd(&state->lock);
	cleanup_fd(&state->dirfd);
	free(state->path);
	free(state->name);
	free(state->origin);
	*state = (struct witness_state){ .dirfd = -1, .lock = -1 };
}

/* ---- text ------------------------------------------------------------- */

static char *
compose(
    const char *origin, uint64_t size, const unsigned char root[TREE_HASH_LEN])
{
	char hex[HEX_DIGITS + 1];
	AUTO_CHARS(lines) = NULL;
	AUTO_CHARS(sum) = NULL;

	text_hex_into(root, TREE_HASH_LEN, hex);
	lines = text_printf("ca-tool witness 1\norigin: %s\nsize: %" PRIu64
			    "\nroot: %s\n",
	    origin, size, hex);
	sum = lines == NULL ? NULL : sha256_hex(lines, strlen(lines));
	return sum == NULL ? NULL : text_printf("%ssum: %s\n", lines, sum);
}

/* What stands behind `label` on the next line; malloc'd, or NULL. */
static char *
take_line(const char **at, const char *label)
{
	size_t len = strlen(label);
	const char *end = strchr(*at, '\n');
	char *value;

	if (end == NULL || strncmp(*at, label, len) != 0)
		return NULL;
	value =
	    text_printf("%.*s", (int)(end - *at - (ptrdiff_t)len), *at + len);
	*at = end + 1;
	return value;
}

static int
damaged(const char *path)
{
	return ca_error(CA_R_CORRUPT,
	    "the state file '%s' was changed or is damaged: nothing is signed; "
	    "put its newest backup in its place, or find the checkpoint that "
	    "this witness signed last and begin a new state file with it",
	    path);
}

/* As composed: whatever is not the same text again was not written by us. */
static int
parse(const char *text, struct witness_state *state)
{
	const char *at = text;
	AUTO_CHARS(first) = take_line(&at, "ca-tool witness 1");
	AUTO_CHARS(origin) = take_line(&at, "origin: ");
	AUTO_CHARS(size) = take_line(&at, "size: ");
	AUTO_CHARS(root) = take_line(&at, "root: ");
	AUTO_BYTES(octets) = NULL;
	AUTO_CHARS(again) = NULL;
	size_t len = 0;

	if (first == NULL || origin == NULL || size == NULL || root == NULL ||
	    text_number(size, UINT64_MAX, &state->size) != 0 ||
	    text_unhex(root, &octets, &len) != 0 || len != TREE_HASH_LEN)
		return -1;
	again = compose(origin, state->size, octets);
	if (again == NULL || strcmp(again, text) != 0)
		return -1;
	memcpy(state->root, octets, TREE_HASH_LEN);
	state->origin = TAKE(origin);
	return 0;
}

/* ---- the file --------------------------------------------------------- */

static int
read_state(struct witness_state *state)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	int there = file_exists_at(state->dirfd, state->name);

	if (there < 0)
		return -1;
	if (there == 0)
		return 0;
	if (file_read_at(
		state->dirfd, state->name, STATE_MAX_BYTES, &data, &len) != 0)
		return -1;
	if (strlen((const char *)data) != len ||
	    parse((const char *)data, state) != 0)
		return ca_error_reason() == CA_R_MEMORY ? -1
							: damaged(state->path);
	state->there = true;
	return 0;
}

/* A file beside it: the state itself is replaced whole. */
static int
lock_state(struct witness_state *state)
{
	AUTO_CHARS(lock) = text_printf("%s.lock", state->name);

	return lock == NULL ? -1 : lock_take(state->dirfd, lock, &state->lock);
}

int
witness_state_open(const char *path, struct witness_state *ret_state)
{
	AUTO_STRUCT(witness_state) state = { .dirfd = -1, .lock = -1 };
	AUTO_CHARS(directory) = text_copy(path);
	AUTO_CHARS(base) = text_copy(path);

	if (directory == NULL || base == NULL)
		return -1;
	state.path = text_copy(path);
	state.name = text_copy(basename(base));
	if (state.path == NULL || state.name == NULL ||
	    dir_open(dirname(directory), &state.dirfd) != 0 ||
	    lock_state(&state) != 0 || read_state(&state) != 0)
		return -1;
	*ret_state = state;
	state = (struct witness_state){ .dirfd = -1, .lock = -1 };
	return 0;
}

int
witness_state_write(
    const struct witness_state *state, const struct checkpoint *checkpoint)
{
	AUTO_CHARS(text) =
	    compose(checkpoint->origin, checkpoint->size, checkpoint->root);

	if (text == NULL)
		return -1;
	return file_write_at(
	    state->dirfd, state->name, text, strlen(text), 0600, FILE_REPLACE);
}
