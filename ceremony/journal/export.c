/* Exporting: what is written, and in which order.  See export.h. */
#include "ceremony/journal/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/export-private.h"

CLEANUP_DEFINE(DIR, closedir);

enum {
	TICKS = 64,
	PUBLIC_FILE_MAX = 1 << 30,
};

struct export
{
	struct journal *journal;
	struct outlet *outlet;
	export_progress_fn *progress;
	void *ctx;
	uint64_t done, total;
	char *note; /* the newest checkpoint */
	struct note parts;
	struct checkpoint checkpoint;
};

static void
export_clear(struct export *export)
{
	outlet_free(export->outlet);
	free(export->note);
	note_clear(&export->parts);
	checkpoint_clear(&export->checkpoint);
}
CLEANUP_DEFINE_STRUCT(export);

static int
tick(struct export *export, uint64_t more)
{
	uint64_t before = export->done / TICKS;

	export->done += more;
	if (export->progress == NULL ||
	    (export->done / TICKS == before && more != 0) ||
	    export->progress(export->ctx, export->done, export->total) == 0)
		return 0;
	return ca_error(CA_R_INTERRUPTED,
	    "interrupted; give the same command again to go on");
}

/* ---- before anything is written --------------------------------------- */

static int
find_checkpoint(struct export *export)
{
	bool found = false;

	if (journal_last_checkpoint(export->journal, &found, &export->note) !=
	    0)
		return -1;
	if (!found)
		return ca_error(CA_R_STATE,
		    "the journal has no checkpoint yet, which an export needs: "
		    "init makes the first one, and each run one at its end");
	return export_read_note(export->note, strlen(export->note),
	    &export->parts, &export->checkpoint);
}

static int
unsound(const struct export *export, const char *what, uint64_t number)
{
	return ca_error(CA_R_CORRUPT,
	    "'%s': %s (%" PRIu64 "): nothing was exported; look at it with "
	    "'ca-tool journal verify', keep the file, and put a backup in its "
	    "place",
	    export->journal->path, what, number);
}

/* A hash that will stand in a tile, as the leaves give it. */
static int
check_node(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[HASH_LEN])
{
	struct export *export = ctx;
	struct tree_store tree = journal_tree(export->journal);
	unsigned char stored[HASH_LEN];

	if (level % 8 != 0)
		return 0;
	if (tree.get(tree.ctx, level, index, stored) != 0)
		return -1;
	return memcmp(stored, hash, HASH_LEN) == 0
	    ? 0
	    : unsound(export, "a hash of its tree is wrong, of entries from",
		  index << level);
}

static int
add_leaves(struct export *export, struct tree_range *range)
{
	AUTO_STRUCT(query) query = { 0 };
	unsigned char leaf[HASH_LEN];
	bool row;

	if (query_start(export->journal,
		"SELECT leaf FROM entries WHERE seq < ?1 ORDER BY seq",
		SQL_VALUES(sql_int((int64_t) export->checkpoint.size)),
		&query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		if (!row)
			return 0;
		if (query_hash(&query, 0, leaf) != 0 ||
		    tree_range_add(range, leaf, check_node, export) != 0 ||
		    (range->size % TICKS == 0 && tick(export, 0) != 0))
			return -1;
	}
	return -1;
}

/* No export has a checkpoint that its own entries do not give. */
static int
check_tree(struct export *export)
{
	struct tree_range range = { .size = 0 };
	unsigned char root[HASH_LEN];

	if (add_leaves(export, &range) != 0 ||
	    tree_range_root(&range, root) != 0)
		return -1;
	if (range.size != export->checkpoint.size ||
	    memcmp(root, export->checkpoint.root, HASH_LEN) != 0)
		return unsound(export,
		    "its newest checkpoint is not one of its entries, of which "
		    "it counts",
		    export->checkpoint.size);
	return 0;
}

/* ---- what was exported before ----------------------------------------- */

static int
clash(const struct export *export, const struct checkpoint *earlier)
{
	if (earlier->size > export->checkpoint.size)
		return ca_error(CA_R_VERIFY,
		    "the export that is there has %" PRIu64
		    " entries, more than the %" PRIu64
		    " of this journal's newest checkpoint: this journal is an "
		    "older copy, or another one. Find the newest journal.db; "
		    "or export to another directory, and compare both with "
		    "'ca-tool journal verify'",
		    earlier->size, export->checkpoint.size);
	return ca_error(CA_R_VERIFY,
	    "the export that is there, of %" PRIu64
	    " entries of '%s', is not a beginning of this journal: it is of "
	    "another journal, or one of the two was changed. Export to another "
	    "directory, and compare both with 'ca-tool journal verify'",
	    earlier->size, earlier->origin);
}

static int
check_earlier(struct export *export, const unsigned char *bytes, size_t len)
{
	AUTO_STRUCT(note) parts = { 0 };
	AUTO_STRUCT(checkpoint) earlier = { 0 };
	unsigned char root[HASH_LEN];

	if (export_read_note((const char *)bytes, len, &parts, &earlier) != 0)
		return ca_error(CA_R_VERIFY,
		    "the file 'checkpoint' that is there is damaged, or of "
		    "something else: export to another directory");
	if (earlier.size > export->checkpoint.size)
		return clash(export, &earlier);
	if (journal_root_at(export->journal, earlier.size, root) != 0)
		return -1;
	return memcmp(root, earlier.root, HASH_LEN) == 0
	    ? 0
	    : clash(export, &earlier);
}

static bool
is_ours(const char *name)
{
	static const char *const names[] = { ".", "..", "tile", "evidence",
		"checkpoints", EXPORT_STAGE };
	const char *const *dir;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	for (dir = export_public_dirs(); *dir != NULL; dir++)
		if (strcmp(*dir, name) == 0)
			return true;
	/* file_write_at() was cut off */
	return strncmp(name, "." EXPORT_CHECKPOINT ".tmp-",
		   strlen("." EXPORT_CHECKPOINT ".tmp-")) == 0;
}

static int
list(int fd, const char *path, DIR **ret_dir)
{
	AUTO_FD(own) =
	    openat(fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	if (dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", path);
	(void)TAKE_FD(own);
	*ret_dir = dir;
	return 0;
}

/* A directory with something else in it was named by mistake. */
static int
must_be_free(int fd)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry;

	if (list(fd, ".", &dir) != 0)
		return -1;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
		if (!is_ours(entry->d_name))
			return ca_error(CA_R_EXISTS,
			    "the directory holds '%s', which is not of an "
			    "export: name one that is empty, or that does not "
			    "exist",
			    entry->d_name);
	return errno == 0 ? 0 : ca_error_errno(CA_R_IO, "cannot list '.'");
}

/* *ret_kept: the newest checkpoint is there, perhaps with cosignatures. */
static int
look_at_earlier(struct export *export, int fd, bool *ret_kept)
{
	int there = file_exists_at(fd, EXPORT_CHECKPOINT);
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_STRUCT(note) parts = { 0 };
	AUTO_BYTES(bytes) = NULL;
	size_t len = 0;

	*ret_kept = false;
	if (there < 0)
		return -1;
	if (there == 0)
		return must_be_free(fd);
	if (file_read_at(fd, EXPORT_CHECKPOINT, NOTE_MAX_BYTES, &bytes, &len) !=
		0 ||
	    check_earlier(export, bytes, len) != 0 ||
	    export_read_note((char *)bytes, len, &parts, &checkpoint) != 0)
		return -1;
	*ret_kept = export_note_within(&export->parts, &parts);
	return 0;
}

/* ---- tiles of earlier exports ----------------------------------------- */

/*
 * Partial tiles of earlier checkpoints stay, and so do those of an export that
 * was cut off before it had its checkpoint.  Nobody would ever look at them
 * again, so they are compared here: all of them are of this journal.
 */
static int
check_old_tile(
    struct export *export, int fd, const char *path, const struct tile *tile)
{
	uint64_t slots = tile_slots(tile->level, export->checkpoint.size);
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	bool same;

	if (tile_is_of(tile, export->checkpoint.size))
		return 0; /* compared when it is its turn */
	if (tile->n > slots / TILE_WIDTH ||
	    tile->n * TILE_WIDTH + tile->width > slots)
		return ca_error(CA_R_VERIFY,
		    "'%s' is there and goes beyond the %" PRIu64
		    " entries of this journal's newest checkpoint: this "
		    "journal is an older copy, or another one. Find the "
		    "newest journal.db, or export to another directory",
		    path, export->checkpoint.size);
	if (file_read_at(fd, path, BUNDLE_BYTES, &data, &len) != 0 ||
	    tile_compare(export->journal, tile, data, len, &same) != 0)
		return -1;
	return same ? 0 : outlet_differs(path);
}

static int check_old_tiles(struct export *export, int fd, const char *path);

static int
check_there(struct export *export, int fd, const char *path, const char *name)
{
	struct tile tile;
	struct stat st;

	if (tile_parse(path, &tile))
		return check_old_tile(export, fd, path, &tile);
	if (fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode) && tile_is_directory(name) &&
	    strlen(path) < TILE_PATH_SIZE)
		return check_old_tiles(export, fd, path);
	return ca_error(CA_R_VERIFY,
	    "'%s' is there and is no part of an export: remove it, or export "
	    "to another directory",
	    path);
}

static int
check_old_tiles(struct export *export, int fd, const char *path)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry;

	if (list(fd, path, &dir) != 0)
		return -1;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		char below[TILE_PATH_SIZE + NAME_MAX + 2];

		(void)snprintf(
		    below, sizeof(below), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    check_there(export, fd, below, entry->d_name) != 0)
			return -1;
	}
	return errno == 0 ? 0
			  : ca_error_errno(CA_R_IO, "cannot list '%s'", path);
}

static int
look_at_tiles(struct export *export, int fd)
{
	switch (file_exists_at(fd, "tile")) {
	case 0:
		return 0;
	case 1:
		return check_old_tiles(export, fd, "tile");
	default:
		return -1;
	}
}

/* ---- entries and tiles ------------------------------------------------ */

/* A bundle, and the tile of the leaf hashes, as they fill. */
struct group {
	struct tile tile;
	unsigned char hashes[TILE_BYTES];
	unsigned char *entries;
	size_t len;
};

static void
group_clear(struct group *group)
{
	free(group->entries);
}
CLEANUP_DEFINE_STRUCT(group);

static int
put_tile(struct export *export, const struct tile *tile, const void *data,
    size_t len)
{
	char path[TILE_PATH_SIZE];

	tile_path(tile, path);
	return outlet_put(export->outlet, path, data, len, false);
}

static int
put_group(struct export *export, struct group *group)
{
	struct tile bundle = group->tile;

	bundle.level = TILE_BUNDLE;
	if (put_tile(export, &bundle, group->entries, group->len) != 0 ||
	    put_tile(export, &group->tile, group->hashes,
		(size_t)group->tile.width * HASH_LEN) != 0)
		return -1;
	group->tile.n++;
	group->tile.width = 0;
	group->len = 0;
	return 0;
}

/* Columns: body, leaf. */
static int
add_entry(struct export *export, struct group *group, struct query *query)
{
	const unsigned char *body = sqlite3_column_blob(query->stmt, 0);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, 0);
	uint64_t seq = group->tile.n * TILE_WIDTH + group->tile.width;
	unsigned char leaf[HASH_LEN];
	unsigned char *hash =
	    group->hashes + (size_t)group->tile.width * HASH_LEN;

	if (body == NULL) /* SQLite's way to say that it is empty */
		body = (const unsigned char *)"";
	if (len > ENTRY_MAX_BYTES)
		return unsound(export, "an entry is too long", seq);
	if (query_hash(query, 1, hash) != 0 || tree_leaf(body, len, leaf) != 0)
		return -1;
	if (memcmp(leaf, hash, HASH_LEN) != 0)
		return unsound(export, "an entry does not have its hash", seq);
	group->entries[group->len++] = (unsigned char)(len >> 8);
	group->entries[group->len++] = (unsigned char)len;
	memcpy(group->entries + group->len, body, len);
	group->len += len;
	if (++group->tile.width == TILE_WIDTH && put_group(export, group) != 0)
		return -1;
	return tick(export, 1);
}

static int
put_entries(struct export *export)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_STRUCT(group) group = { .entries = malloc(BUNDLE_BYTES) };
	bool row;

	if (group.entries == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (query_start(export->journal,
		"SELECT body, leaf FROM entries WHERE seq < ?1 ORDER BY seq",
		SQL_VALUES(sql_int((int64_t) export->checkpoint.size)),
		&query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		if (!row)
			return group.tile.width == 0
			    ? 0
			    : put_group(export, &group);
		if (add_entry(export, &group, &query) != 0)
			return -1;
	}
	return -1;
}

static int
put_level(struct export *export, unsigned level)
{
	uint64_t slots = tile_slots(level, export->checkpoint.size);
	unsigned char hashes[TILE_BYTES];

	for (uint64_t n = 0; n * TILE_WIDTH < slots; n++) {
		struct tile tile = tile_at(level, n, slots);

		if (tile_hashes(export->journal, &tile, hashes) != 0 ||
		    put_tile(export, &tile, hashes,
			(size_t)tile.width * HASH_LEN) != 0 ||
		    tick(export, 0) != 0)
			return -1;
	}
	return 0;
}

static int
put_tiles(struct export *export)
{
	for (unsigned level = 1; level < TILE_LEVELS; level++)
		if (put_level(export, level) != 0)
			return -1;
	return 0;
}

/* ---- evidence --------------------------------------------------------- */

/* Columns: sha256, bytes. */
static int
put_row(struct export *export, struct query *query)
{
	const void *bytes = sqlite3_column_blob(query->stmt, 1);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, 1);
	unsigned char stored[HASH_LEN], digest[HASH_LEN];
	char hex[HASH_HEX_SIZE], path[96];

	if (bytes == NULL)
		bytes = ""; /* likewise */
	if (query_hash(query, 0, stored) != 0 ||
	    sha256(bytes, len, digest) != 0)
		return -1;
	text_hex_into(stored, HASH_LEN, hex);
	if (memcmp(stored, digest, HASH_LEN) != 0)
		return ca_error(CA_R_CORRUPT,
		    "evidence '%s' of '%s' does not have its SHA-256: look at "
		    "the journal with 'ca-tool journal verify', keep the file, "
		    "and put a backup in its place",
		    hex, export->journal->path);
	(void)snprintf(path, sizeof(path), "evidence/%.2s/%s", hex, hex);
	if (outlet_put(export->outlet, path, bytes, len, false) != 0)
		return -1;
	return tick(export, 1);
}

/* A row at a time, as SQLite holds it. */
static int
put_evidence(struct export *export)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(export->journal,
		"SELECT sha256, bytes FROM evidence ORDER BY id", NULL,
		&query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		if (!row)
			return 0;
		if (put_row(export, &query) != 0)
			return -1;
	}
	return -1;
}

static int
count_all(struct export *export)
{
	int64_t evidence;
	bool found;

	if (sql_number(export->journal, "SELECT COUNT(*) FROM evidence", NULL,
		&found, &evidence) != 0)
		return -1;
	export->total = export->checkpoint.size + (uint64_t)evidence;
	return 0;
}

/* ---- checkpoints ------------------------------------------------------ */

static int
put_checkpoint(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct export *export = ctx;
	AUTO(json_t) *json = NULL;
	struct entry entry;
	const char *note;
	char path[48];

	(void)seq;
	if (entry_parse(line, len, &json, &entry) != 0 ||
	    entry_check(entry.kind, entry.data) != 0)
		return -1;
	note = json_string_value(json_object_get(entry.data, "note"));
	(void)snprintf(path, sizeof(path), "checkpoints/%" PRId64,
	    (int64_t)json_integer_value(json_object_get(entry.data, "size")));
	if (outlet_put(export->outlet, path, note, strlen(note), false) != 0)
		return -1;
	return tick(export, 0);
}

/* ---- public/ ---------------------------------------------------------- */

static int
put_public_file(
    struct export *export, int dirfd, const char *dir, const char *name)
{
	AUTO_CHARS(path) = text_printf("%s/%s", dir, name);
	AUTO_BYTES(data) = NULL;
	struct stat st;
	size_t len = 0;

	if (path == NULL)
		return -1;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
		    ? 0
		    : ca_error_errno(
			  CA_R_IO, "cannot look at 'public/%s'", path);
	/* What is no regular file was not published. */
	if (!S_ISREG(st.st_mode))
		return 0;
	if (file_read_at(dirfd, name, PUBLIC_FILE_MAX, &data, &len) != 0 ||
	    outlet_put(export->outlet, path, data, len, true) != 0)
		return -1;
	return tick(export, 0);
}

/* Not what begins with a dot: files that have no name yet. */
static int
put_public_dir(struct export *export, int public_fd, const char *name)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry;
	int there = file_exists_at(public_fd, name);

	if (there <= 0)
		return there;
	if (list(public_fd, name, &dir) != 0)
		return -1;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0)
		if (entry->d_name[0] != '.' &&
		    put_public_file(export, dirfd(dir), name, entry->d_name) !=
			0)
			return -1;
	return errno == 0
	    ? 0
	    : ca_error_errno(CA_R_IO, "cannot list 'public/%s'", name);
}

static int
put_public(struct export *export, int public_fd)
{
	const char *const *dir;

	if (public_fd < 0)
		return 0;
	for (dir = export_public_dirs(); *dir != NULL; dir++)
		if (put_public_dir(export, public_fd, *dir) != 0)
			return -1;
	return 0;
}

/* ---- all of it -------------------------------------------------------- */

static int
put_all(struct export *export, int public_fd)
{
	if (count_all(export) != 0 || put_entries(export) != 0 ||
	    put_tiles(export) != 0 || put_evidence(export) != 0 ||
	    journal_each_entry(export->journal, 0, ENTRY_CHECKPOINT,
		put_checkpoint, export) != 0 ||
	    put_public(export, public_fd) != 0)
		return -1;
	return outlet_flush(export->outlet);
}

int
journal_export(struct journal *journal, int fd, int public_fd,
    export_progress_fn *progress, void *ctx, struct export_report *ret_report)
{
	AUTO_STRUCT(export)
	export = { .journal = journal, .progress = progress, .ctx = ctx };
	struct export_report report;
	bool kept;

	if (find_checkpoint(&export) != 0 || check_tree(&export) != 0 ||
	    look_at_earlier(&export, fd, &kept) != 0 ||
	    look_at_tiles(&export, fd) != 0 ||
	    outlet_open(fd, &export.outlet) != 0 ||
	    put_all(&export, public_fd) != 0)
		return -1;
	report = *outlet_report(export.outlet);
	report.entries = export.checkpoint.size;
	report.kept += kept ? 1 : 0;
	outlet_free(TAKE(export.outlet));
	if (!kept) {
		report.written++;
		report.bytes += strlen(export.note);
		if (file_write_at(fd, EXPORT_CHECKPOINT, export.note,
			strlen(export.note), 0644, FILE_REPLACE) != 0)
			return -1;
	}
	*ret_report = report;
	return 0;
}
