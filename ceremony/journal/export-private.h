/*
 * What writing and reading an export share: where the files are, how the tree
 * lies in tiles (rules.md 18.5, C2SP tlog-tiles).
 *
 *   tile.c           numbers, paths, hashes
 *   export.c         what is written, in which order
 *   export-files.c   how: whole files, many at a time
 *   import.c         checkpoint, evidence, entries
 *   import-tiles.c   tiles against entries; files that do not belong there
 */
#ifndef CA_JOURNAL_EXPORT_PRIVATE_H
#define CA_JOURNAL_EXPORT_PRIVATE_H

#include <stdbool.h>

#include "base/findings.h"
#include "ceremony/journal/export.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/store.h"

/* ---- tile.c ----------------------------------------------------------- */

enum {
	TILE_WIDTH = 256,
	TILE_BYTES = TILE_WIDTH * HASH_LEN,
	TILE_LEVELS = 8,           /* of a tree of less than 2^64 entries */
	TILE_BUNDLE = TILE_LEVELS, /* in place of a level: the entries */
	TILE_NUMBER_SIZE = 32,
	TILE_PATH_SIZE = 64,
	BUNDLE_BYTES = TILE_WIDTH * (2 + ENTRY_MAX_BYTES),
};

struct tile {
	unsigned level;
	uint64_t n;
	unsigned width; /* 1 to TILE_WIDTH */
};

/* "tile/0/x001/x234/067", "tile/entries/000.p/7". */
void tile_path(const struct tile *tile, char out[TILE_PATH_SIZE]);
/* Back; false unless tile_path() would write it so. */
bool tile_parse(const char *path, struct tile *ret_tile);

/* "entries", "0", "x001", "067.p": what may be a directory below tile/. */
bool tile_is_directory(const char *name);

/* How many hashes (or entries) a level has in a tree of `size` entries. */
uint64_t tile_slots(unsigned level, uint64_t size);
/* Tile `n` of a level with so many: its last one may be narrower. */
struct tile tile_at(unsigned level, uint64_t n, uint64_t slots);
/* Is it one of those of the tree of `size` entries? */
bool tile_is_of(const struct tile *tile, uint64_t size);

/* Its hashes, from the stored tree. */
int tile_hashes(struct journal *journal, const struct tile *tile,
    unsigned char ret_hashes[TILE_BYTES]) MUST_USE;
/* Are these its bytes, as the journal, which has all of it, gives them? */
int tile_compare(struct journal *journal, const struct tile *tile,
    const unsigned char *data, size_t len, bool *ret_same) MUST_USE;
/* The root over `count` hashes, a power of two of at most TILE_WIDTH. */
int tile_subtree(const unsigned char *hashes, unsigned count,
    unsigned char ret_root[HASH_LEN]) MUST_USE;

/* The directories of public/ that are copied; ends with NULL. */
const char *const *export_public_dirs(void);

#define EXPORT_CHECKPOINT "checkpoint"
#define EXPORT_STAGE ".unfinished"

/* A note's checkpoint: note_parse() and checkpoint_parse(). */
int export_read_note(const char *note, size_t len, struct note *ret_note,
    struct checkpoint *ret_checkpoint) MUST_USE;
/* The same text, and all lines of `a` are in `b` too. */
bool export_note_within(const struct note *a, const struct note *b);

/* ---- export-files.c --------------------------------------------------- */

struct outlet;

/* Write into the directory `fd`, which stays the caller's. */
int outlet_open(int fd, struct outlet **ret_outlet) MUST_USE;
void outlet_free(struct outlet *outlet);
CLEANUP_DEFINE_PTR(outlet);

/*
 * A file, by its path below that directory.  One that is there and equal stays;
 * one that differs is CA_R_VERIFY, or is replaced.  The file has its name after
 * the next outlet_flush().
 */
int outlet_put(struct outlet *outlet, const char *path, const void *data,
    size_t len, bool replace) MUST_USE;
/* What is there already and cannot be: CA_R_VERIFY, and the way out. */
int outlet_differs(const char *path);
/* All that was put is on disk, under its name. */
int outlet_flush(struct outlet *outlet) MUST_USE;
/* Files written and kept, and octets written, so far. */
struct export_report *outlet_report(struct outlet *outlet);

/* ---- import.c, import-tiles.c ----------------------------------------- */

struct import {
	int fd;
	struct journal *journal;
	struct findings *findings;
	export_progress_fn *progress;
	void *ctx;
	uint64_t done, ticks;
	struct checkpoint checkpoint;
	char *note;        /* of the checkpoint */
	uint64_t imported; /* entries in the journal */
	bool gap;          /* an entry is missing: those behind it are, too */
	bool whole;        /* the entries give the checkpoint's root */
	char *key_id;      /* of the journal's key, hex */
	char *key_spki;    /* hex */
	uint64_t *sizes;   /* of the checkpoints in entries */
	size_t size_count;
};

void import_finding(struct import *import, const char *id, const char *path,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * Read a file; what is wrong with it is a finding, and *ret_data then NULL.
 */
int import_read(struct import *import, const char *id, const char *path,
    size_t max, unsigned char **ret_data, size_t *ret_len) MUST_USE;
int import_tick(struct import *import, uint64_t done) MUST_USE;
/* The finding for what could not be read; -1 where the machine is at fault. */
int import_take_error(
    struct import *import, const char *id, const char *path) MUST_USE;

/* Each name in a directory of the export; fine where that is missing. */
int import_each_name(struct import *import, const char *id, const char *path,
    int (*visit)(struct import *import, const char *path, const char *name),
    bool needed) MUST_USE;

/* Do the entries of a bundle have the hashes of the tile beside it? */
int import_compare_bundle(struct import *import, const struct tile *bundle,
    const unsigned char leaves[TILE_BYTES]) MUST_USE;
/* Every tile, and every file below tile/. */
int import_tiles(struct import *import) MUST_USE;

#endif
