/* C2SP tlog-tiles: how the tree lies in files (rules.md 18.5). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/export-private.h"

enum { GROUP = 1000, GROUPS_MAX = 6 };

/* A tile has 256 hashes: no number reaches 2^56, which six groups hold. */
void
tile_number(uint64_t n, char *out)
{
	unsigned groups[GROUPS_MAX];
	size_t count = 0;

	do {
		groups[count++] = (unsigned)(n % GROUP);
		n /= GROUP;
	} while (n != 0 && count < GROUPS_MAX);
	while (--count > 0)
		out += snprintf(out, 6, "x%03u/", groups[count] % GROUP);
	(void)snprintf(out, 4, "%03u", groups[0] % GROUP);
}

void
tile_path(const struct tile *tile, char out[TILE_PATH_SIZE])
{
	char number[TILE_NUMBER_SIZE], level[8], part[8] = "";

	tile_number(tile->n, number);
	(void)snprintf(level, sizeof(level), "%u", tile->level % 64);
	if (tile->width != TILE_WIDTH)
		(void)snprintf(
		    part, sizeof(part), ".p/%u", tile->width % TILE_WIDTH);
	(void)snprintf(out, TILE_PATH_SIZE, "tile/%s/%s%s",
	    tile->level == TILE_BUNDLE ? "entries" : level, number, part);
}

/* ---- reading a path --------------------------------------------------- */

static bool
skip(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

static bool
take_digit(const char **at, uint64_t *number)
{
	if (**at < '0' || **at > '9')
		return false;
	*number = *number * 10 + (uint64_t)(**at - '0');
	(*at)++;
	return true;
}

static bool
take_level(const char **at, unsigned *ret_level)
{
	uint64_t level = 0;

	*ret_level = TILE_BUNDLE;
	if (skip(at, "entries/"))
		return true;
	if (!take_digit(at, &level) || level >= TILE_LEVELS)
		return false;
	*ret_level = (unsigned)level;
	return skip(at, "/");
}

static bool
take_number(const char **at, uint64_t *number)
{
	for (int i = 0; i < GROUPS_MAX; i++) {
		bool more = skip(at, "x");

		for (int digit = 0; digit < 3; digit++)
			if (!take_digit(at, number))
				return false;
		if (!more)
			return true;
		if (!skip(at, "/"))
			return false;
	}
	return false;
}

/* What is read too generously is not what would be written. */
bool
tile_parse(const char *path, struct tile *ret_tile)
{
	struct tile tile = { .width = TILE_WIDTH };
	char written[TILE_PATH_SIZE];
	const char *at = path;
	uint64_t width = 0;

	if (!skip(&at, "tile/") || !take_level(&at, &tile.level) ||
	    !take_number(&at, &tile.n))
		return false;
	if (skip(&at, ".p/")) {
		for (int i = 0; i < 3 && *at != '\0'; i++)
			if (!take_digit(&at, &width))
				return false;
		if (width == 0 || width >= TILE_WIDTH)
			return false;
		tile.width = (unsigned)width;
	}
	tile_path(&tile, written);
	if (strcmp(path, written) != 0)
		return false;
	*ret_tile = tile;
	return true;
}

bool
tile_is_directory(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return strcmp(name, "entries") == 0 ||
	    (digits == 1 && name[1] == '\0') ||
	    (digits == 3 && strcmp(name + 3, ".p") == 0) ||
	    (name[0] == 'x' && strspn(name + 1, "0123456789") == 3 &&
		name[4] == '\0');
}

/* ---- layout ----------------------------------------------------------- */

uint64_t
tile_slots(unsigned level, uint64_t size)
{
	if (level == TILE_BUNDLE)
		return size;
	return level < TILE_LEVELS ? size >> (8 * level) : 0;
}

struct tile
tile_at(unsigned level, uint64_t n, uint64_t slots)
{
	uint64_t left = slots - n * TILE_WIDTH;

	return (struct tile){ .level = level,
		.n = n,
		.width =
		    left < TILE_WIDTH ? (unsigned)left : (unsigned)TILE_WIDTH };
}

bool
tile_is_of(const struct tile *tile, uint64_t size)
{
	uint64_t slots = tile_slots(tile->level, size);

	return tile->n <= slots / TILE_WIDTH &&
	    tile_at(tile->level, tile->n, slots).width == tile->width;
}

/* ---- hashes ----------------------------------------------------------- */

int
tile_hashes(struct journal *journal, const struct tile *tile,
    unsigned char ret_hashes[TILE_BYTES])
{
	struct tree_store tree = journal_tree(journal);

	for (unsigned i = 0; i < tile->width; i++)
		if (tree.get(tree.ctx, 8 * tile->level,
			tile->n * TILE_WIDTH + i,
			ret_hashes + (size_t)i * HASH_LEN) != 0)
			return -1;
	return 0;
}

int
tile_subtree(const unsigned char *hashes, unsigned count,
    unsigned char ret_root[HASH_LEN])
{
	unsigned char level[TILE_BYTES];

	memcpy(level, hashes, (size_t)count * HASH_LEN);
	for (; count > 1; count /= 2)
		for (unsigned i = 0; i < count / 2; i++) {
			unsigned char *pair = level + (size_t)i * 2 * HASH_LEN;

			if (tree_node(pair, pair + HASH_LEN,
				level + (size_t)i * HASH_LEN) != 0)
				return -1;
		}
	memcpy(ret_root, level, HASH_LEN);
	return 0;
}

/* ---- a file against the journal --------------------------------------- */

static int
compare_tile(struct journal *journal, const struct tile *tile,
    const unsigned char *data, size_t len, bool *ret_same)
{
	unsigned char hashes[TILE_BYTES];

	if (tile_hashes(journal, tile, hashes) != 0)
		return -1;
	*ret_same = len == (size_t)tile->width * HASH_LEN &&
	    memcmp(hashes, data, len) == 0;
	return 0;
}

static int
compare_bundle(struct journal *journal, const struct tile *tile,
    const unsigned char *data, size_t len, bool *ret_same)
{
	AUTO_STRUCT(query) query = { 0 };
	size_t done = 0;
	bool row;

	*ret_same = false;
	if (query_start(journal,
		"SELECT body FROM entries WHERE seq >= ?1 AND seq < ?2"
		" ORDER BY seq",
		SQL_VALUES(sql_int((int64_t)(tile->n * TILE_WIDTH)),
		    sql_int((int64_t)(tile->n * TILE_WIDTH + tile->width))),
		&query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		size_t size = (size_t)sqlite3_column_bytes(query.stmt, 0);

		if (!row) {
			*ret_same = done == len;
			return 0;
		}
		if (len - done < 2 + size || data[done] != size >> 8 ||
		    data[done + 1] != (size & 0xff) ||
		    (size != 0 &&
			memcmp(data + done + 2,
			    sqlite3_column_blob(query.stmt, 0), size) != 0))
			return 0;
		done += 2 + size;
	}
	return -1;
}

int
tile_compare(struct journal *journal, const struct tile *tile,
    const unsigned char *data, size_t len, bool *ret_same)
{
	return tile->level == TILE_BUNDLE
	    ? compare_bundle(journal, tile, data, len, ret_same)
	    : compare_tile(journal, tile, data, len, ret_same);
}

/* ---- what else both need ---------------------------------------------- */

const char *const *
export_public_dirs(void)
{
	static const char *const dirs[] = { "anchor", "certs", "crls", "csrs",
		"journal", NULL };

	return dirs;
}

int
export_read_note(const char *note, size_t len, struct note *ret_note,
    struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(note) parts = { 0 };

	if (note_parse(note, len, &parts) != 0 ||
	    checkpoint_parse(parts.text, strlen(parts.text), ret_checkpoint) !=
		0)
		return -1;
	*ret_note = parts;
	parts = (struct note){ 0 };
	return 0;
}

static bool
has_line(const struct note *note, const struct note_line *line)
{
	for (size_t i = 0; i < note->count; i++) {
		const struct note_line *at = &note->lines[i];

		if (strcmp(at->name, line->name) == 0 &&
		    memcmp(at->id, line->id, sizeof(line->id)) == 0 &&
		    at->len == line->len &&
		    memcmp(at->signature, line->signature, line->len) == 0)
			return true;
	}
	return false;
}

bool
export_note_within(const struct note *a, const struct note *b)
{
	if (strcmp(a->text, b->text) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!has_line(b, &a->lines[i]))
			return false;
	return true;
}
