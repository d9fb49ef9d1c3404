/*
 * The tiles of an export against the entries, and whatever else is below tile/.
 *
 * Where the entries give the root that the checkpoint signs, a tile that says
 * otherwise is wrong.  Where they do not, the tiles tell which bundle is: each
 * must have the hash that the tile above has for it, and the last ones must give
 * the checkpoint's root.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "ceremony/journal/export-private.h"

#define NOT_THE_LEAF                                                          \
	"entry %" PRIu64 " is not the one whose hash is in '%s': the bundle " \
	"was altered"

/* What is known of a hash that stands in several places. */
enum fit { UNKNOWN, FITS, CONTRADICTS };

/* ---- reading tiles ---------------------------------------------------- */

/* Its hashes, without findings; false where it is not there, or not whole. */
static int
tile_look(struct import *import, const struct tile *tile,
    unsigned char ret_hashes[TILE_BYTES], bool *ret_there)
{
	AUTO_BYTES(data) = NULL;
	char path[TILE_PATH_SIZE];
	size_t len = 0, wanted = (size_t)tile->width * HASH_LEN;

	tile_path(tile, path);
	if (file_read_at(import->fd, path, TILE_BYTES, &data, &len) != 0) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
	}
	*ret_there = data != NULL && len == wanted;
	if (*ret_there)
		memcpy(ret_hashes, data, wanted);
	return 0;
}

/* The same, with findings. */
static int
tile_read(struct import *import, const struct tile *tile,
    unsigned char ret_hashes[TILE_BYTES], bool *ret_there)
{
	AUTO_BYTES(data) = NULL;
	char path[TILE_PATH_SIZE];
	size_t len = 0, wanted = (size_t)tile->width * HASH_LEN;

	tile_path(tile, path);
	*ret_there = false;
	if (import_read(import, "AUDIT-TILE", path, 1 << 20, &data, &len) != 0)
		return -1;
	if (data == NULL)
		return 0;
	if (len != wanted) {
		import_finding(import, "AUDIT-TILE", path,
		    "it has %zu octets, not %zu", len, wanted);
		return 0;
	}
	memcpy(ret_hashes, data, wanted);
	*ret_there = true;
	return 0;
}

/* ---- the tree as the tiles have it ------------------------------------ */

static int
file_get(
    void *ctx, unsigned level, uint64_t index, unsigned char ret_hash[HASH_LEN])
{
	struct import *import = ctx;
	unsigned below = level % 8; /* levels above the tile's own hashes */
	struct tile tile = tile_at(level / 8, index >> (8 - below),
	    tile_slots(level / 8, import->checkpoint.size));
	unsigned first = (unsigned)(index << below) % TILE_WIDTH;
	unsigned char hashes[TILE_BYTES];
	bool there;

	if (tile_look(import, &tile, hashes, &there) != 0)
		return -1;
	if (!there)
		return ca_error(CA_R_MISSING, "a tile is missing");
	return tile_subtree(
	    hashes + (size_t)first * HASH_LEN, 1U << below, ret_hash);
}

/* Do the last tiles of all levels give the checkpoint's root? */
static int
tiles_fit(struct import *import, enum fit *ret_fit)
{
	struct tree_store tree = { .ctx = import, .get = file_get };
	unsigned char root[HASH_LEN];

	if (tree_root(&tree, import->checkpoint.size, root) != 0) {
		if (ca_error_reason() != CA_R_MISSING)
			return -1;
		ca_error_clear();
		*ret_fit = UNKNOWN;
		return 0;
	}
	*ret_fit = memcmp(root, import->checkpoint.root, HASH_LEN) == 0
	    ? FITS
	    : CONTRADICTS;
	return 0;
}

/* Do these hashes fit the tile above them? */
static int
fits_above(struct import *import, const struct tile *tile,
    const unsigned char hashes[TILE_BYTES], enum fit *ret_fit)
{
	unsigned char above[TILE_BYTES], root[HASH_LEN];
	unsigned slot = (unsigned)(tile->n % TILE_WIDTH);
	struct tile parent;
	bool there;

	*ret_fit = UNKNOWN;
	if (tile->width != TILE_WIDTH)
		return 0;
	parent = tile_at(tile->level + 1, tile->n / TILE_WIDTH,
	    tile_slots(tile->level + 1, import->checkpoint.size));
	if (tile_look(import, &parent, above, &there) != 0 ||
	    tile_subtree(hashes, TILE_WIDTH, root) != 0)
		return -1;
	if (there)
		*ret_fit =
		    memcmp(above + (size_t)slot * HASH_LEN, root, HASH_LEN) == 0
		    ? FITS
		    : CONTRADICTS;
	return 0;
}

/* ---- tiles against entries -------------------------------------------- */

static unsigned
first_difference(const unsigned char *a, const unsigned char *b, unsigned count)
{
	unsigned i = 0;

	while (i < count &&
	    memcmp(a + (size_t)i * HASH_LEN, b + (size_t)i * HASH_LEN,
		HASH_LEN) == 0)
		i++;
	return i;
}

static void
blame_tile(struct import *import, const struct tile *tile, unsigned slot)
{
	char path[TILE_PATH_SIZE];

	tile_path(tile, path);
	import_finding(import, "AUDIT-TILE", path,
	    "its hash %u is not that of the entries: it was altered", slot);
}

static void
blame_bundle(struct import *import, const struct tile *tile, unsigned slot)
{
	char path[TILE_PATH_SIZE], hashes[TILE_PATH_SIZE];
	struct tile bundle = *tile;

	bundle.level = TILE_BUNDLE;
	tile_path(&bundle, path);
	tile_path(tile, hashes);
	import_finding(import, "AUDIT-BUNDLE", path, NOT_THE_LEAF,
	    tile->n * TILE_WIDTH + slot, hashes);
}

/* Bundle and tile contradict each other: which fits what is above? */
static int
blame(struct import *import, const struct tile *tile,
    const unsigned char stored[TILE_BYTES],
    const unsigned char computed[TILE_BYTES])
{
	unsigned slot = first_difference(stored, computed, tile->width);
	enum fit tile_fit, entries_fit;

	if (fits_above(import, tile, stored, &tile_fit) != 0 ||
	    fits_above(import, tile, computed, &entries_fit) != 0 ||
	    (tile_fit == UNKNOWN && tiles_fit(import, &tile_fit) != 0))
		return -1;
	if (tile_fit != FITS)
		blame_tile(import, tile, slot);
	if (entries_fit != FITS)
		blame_bundle(import, tile, slot);
	return 0;
}

/* Each hash of an upper tile against the tile below it. */
static int
check_children(struct import *import, const struct tile *tile,
    const unsigned char stored[TILE_BYTES])
{
	unsigned char below[TILE_BYTES], root[HASH_LEN];
	char path[TILE_PATH_SIZE], child_path[TILE_PATH_SIZE];
	bool there;

	tile_path(tile, path);
	for (unsigned i = 0; i < tile->width; i++) {
		struct tile child = { tile->level - 1, tile->n * TILE_WIDTH + i,
			TILE_WIDTH };

		if (tile_look(import, &child, below, &there) != 0)
			return -1;
		if (!there)
			continue;
		if (tile_subtree(below, TILE_WIDTH, root) != 0)
			return -1;
		if (memcmp(stored + (size_t)i * HASH_LEN, root, HASH_LEN) == 0)
			continue;
		tile_path(&child, child_path);
		import_finding(import, "AUDIT-TILE", path,
		    "its hash %u is not that of '%s'", i, child_path);
	}
	return 0;
}

/* Are all entries below this tile imported? */
static bool
has_entries(const struct import *import, const struct tile *tile)
{
	return tile_slots(tile->level, import->imported) >=
	    tile->n * TILE_WIDTH + tile->width;
}

static int
check_tile(struct import *import, const struct tile *tile)
{
	unsigned char stored[TILE_BYTES], computed[TILE_BYTES];
	bool there, known = has_entries(import, tile);

	if (tile_read(import, tile, stored, &there) != 0)
		return -1;
	if (!there)
		return 0;
	if (known && tile_hashes(import->journal, tile, computed) != 0)
		return -1;
	if (known &&
	    memcmp(stored, computed, (size_t)tile->width * HASH_LEN) == 0)
		return 0;
	if (import->whole) {
		blame_tile(import, tile,
		    first_difference(stored, computed, tile->width));
		return 0;
	}
	if (tile->level != 0)
		return check_children(import, tile, stored);
	return known ? blame(import, tile, stored, computed) : 0;
}

/* Without those before it, an entry is compared with its hash alone. */
int
import_compare_bundle(struct import *import, const struct tile *bundle,
    const unsigned char leaves[TILE_BYTES])
{
	struct tile tile = *bundle;
	unsigned char stored[TILE_BYTES];
	unsigned slot;
	bool there;

	tile.level = 0;
	if (tile_look(import, &tile, stored, &there) != 0)
		return -1;
	if (!there)
		return 0; /* the tile has a finding */
	slot = first_difference(stored, leaves, tile.width);
	return slot == tile.width ? 0 : blame(import, &tile, stored, leaves);
}

static int
check_level(struct import *import, unsigned level)
{
	uint64_t slots = tile_slots(level, import->checkpoint.size);

	for (uint64_t n = 0; n * TILE_WIDTH < slots && !import->findings->lost;
	     n++) {
		struct tile tile = tile_at(level, n, slots);

		if (check_tile(import, &tile) != 0 ||
		    import_tick(import, level == 0 ? tile.width : 0) != 0)
			return -1;
	}
	return 0;
}

/* ---- what else is below tile/ ----------------------------------------- */

/* A partial tile of an earlier checkpoint: it stays, and stays true. */
static int
check_old(struct import *import, const struct tile *tile, const char *path)
{
	const char *id =
	    tile->level == TILE_BUNDLE ? "AUDIT-BUNDLE" : "AUDIT-TILE";
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	bool same;

	if (import_read(import, id, path, BUNDLE_BYTES, &data, &len) != 0)
		return -1;
	if (data == NULL || !has_entries(import, tile))
		return 0;
	if (tile_compare(import->journal, tile, data, len, &same) != 0)
		return -1;
	if (!same)
		import_finding(import, id, path,
		    "it is not what the entries give: it was altered");
	return 0;
}

static int
check_file(struct import *import, const char *path)
{
	struct tile tile;
	uint64_t slots;

	if (!tile_parse(path, &tile)) {
		import_finding(
		    import, "AUDIT-EXPORT", path, "it is no part of an export");
		return 0;
	}
	if (tile_is_of(&tile, import->checkpoint.size))
		return 0;
	slots = tile_slots(tile.level, import->checkpoint.size);
	if (tile.width != TILE_WIDTH && tile.n <= slots / TILE_WIDTH &&
	    tile.n * TILE_WIDTH + tile.width <= slots)
		return check_old(import, &tile, path);
	import_finding(import,
	    tile.level == TILE_BUNDLE ? "AUDIT-BUNDLE" : "AUDIT-TILE", path,
	    "it goes beyond the %" PRIu64 " entries of the checkpoint: an "
	    "export was cut off, or it was put there; export again, or remove "
	    "it",
	    import->checkpoint.size);
	return 0;
}

static int
check_name(struct import *import, const char *path, const char *name)
{
	struct tile tile;
	struct stat st;
	bool is_tile;

	if (fstatat(import->fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return 0; /* read by name, it has its finding */
	if (S_ISREG(st.st_mode))
		return check_file(import, path);
	is_tile = tile_parse(path, &tile);
	/* tile/L/x001/.../005.p: six groups, and no more */
	if (S_ISDIR(st.st_mode) && !is_tile && tile_is_directory(name) &&
	    strlen(path) < TILE_PATH_SIZE)
		return import_each_name(
		    import, "AUDIT-TILE", path, check_name, true);
	/* What is expected there has its finding. */
	if (!is_tile || !tile_is_of(&tile, import->checkpoint.size))
		import_finding(import, "AUDIT-EXPORT", path,
		    "it is no regular file of an export");
	return 0;
}

int
import_tiles(struct import *import)
{
	enum fit fit;

	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (check_level(import, level) != 0)
			return -1;
	if (import_each_name(import, "AUDIT-TILE", "tile", check_name, false) !=
	    0)
		return -1;
	if (import->whole)
		return 0;
	if (tiles_fit(import, &fit) != 0)
		return -1;
	/* Where the tiles fit, a bundle was blamed. */
	if (fit == CONTRADICTS || (fit == UNKNOWN && !import->gap))
		import_finding(import, "AUDIT-EXPORT", EXPORT_CHECKPOINT,
		    "its root is not that of the %" PRIu64
		    " entries that it counts",
		    import->checkpoint.size);
	return 0;
}
