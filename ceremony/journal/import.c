/*
 * Reading an export back: checkpoint, evidence, entries.  What is wrong with a
 * file is a finding that names it, and the rest is read all the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/export-private.h"

CLEANUP_DEFINE(DIR, closedir);

enum {
	PATH_SIZE = 384,
	TICKS = 64,
};

static void
import_clear(struct import *import)
{
	journal_free(import->journal);
	checkpoint_clear(&import->checkpoint);
	free(import->note);
	free(import->key_id);
	free(import->key_spki);
	free(import->sizes);
}
CLEANUP_DEFINE_STRUCT(import);

/* ---- what all of it needs --------------------------------------------- */

void
import_finding(struct import *import, const char *id, const char *path,
    const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	findings_add(import->findings, FINDING_ERROR, id, path,
	    "C2SP tlog-tiles", "%s", text);
}

int
import_take_error(struct import *import, const char *id, const char *path)
{
	int reason = ca_error_reason();

	if (reason == CA_R_MEMORY || reason == CA_R_INTERNAL)
		return -1;
	findings_take_error(import->findings, id, path);
	return 0;
}

int
import_read(struct import *import, const char *id, const char *path, size_t max,
    unsigned char **ret_data, size_t *ret_len)
{
	*ret_data = NULL;
	return file_read_at(import->fd, path, max, ret_data, ret_len) == 0
	    ? 0
	    : import_take_error(import, id, path);
}

int
import_tick(struct import *import, uint64_t done)
{
	/* Twice: the entries, then the tiles. */
	uint64_t total = import->checkpoint.size * 2;

	import->done += done;
	if (import->progress == NULL || import->ticks++ % TICKS != 0 ||
	    import->progress(import->ctx, import->done, total) == 0)
		return 0;
	return ca_error(CA_R_INTERRUPTED, "interrupted by a signal");
}

static int
open_below(int fd, const char *path, DIR **ret_dir)
{
	AUTO_FD(at) = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	char name[NAME_MAX + 1];

	if (at < 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", path);
	for (const char *rest = path; *rest != '\0';) {
		size_t len = strcspn(rest, "/");
		int next;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, rest);
		if (dir_open_at(at, name, &next) != 0)
			return -1;
		cleanup_fd(&at);
		at = next;
		rest += len + (rest[len] == '/' ? 1 : 0);
	}
	*ret_dir = fdopendir(at);
	if (*ret_dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", path);
	(void)TAKE_FD(at);
	return 0;
}

static int
open_listing(struct import *import, const char *id, const char *path,
    bool needed, DIR **ret_dir)
{
	AUTO_FD(own) = path[0] == '\0'
	    ? openat(import->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
	    : -1;

	*ret_dir = NULL;
	if (own >= 0) {
		*ret_dir = fdopendir(own);
		if (*ret_dir == NULL)
			return ca_error_errno(
			    CA_R_IO, "cannot list the export");
		(void)TAKE_FD(own);
		return 0;
	}
	if (open_below(import->fd, path, ret_dir) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MISSING && !needed) {
		ca_error_clear();
		return 0;
	}
	return import_take_error(import, id, path[0] == '\0' ? "." : path);
}

int
import_each_name(struct import *import, const char *id, const char *path,
    int (*visit)(struct import *import, const char *path, const char *name),
    bool needed)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry;

	if (open_listing(import, id, path, needed, &dir) != 0)
		return -1;
	if (dir == NULL)
		return 0;
	for (errno = 0; (entry = readdir(dir)) != NULL; errno = 0) {
		char below[PATH_SIZE];

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(below, sizeof(below), "%s%s%s", path,
		    path[0] == '\0' ? "" : "/", entry->d_name);
		if (visit(import, below, entry->d_name) != 0)
			return -1;
	}
	if (errno == 0)
		return 0;
	(void)ca_error_errno(CA_R_IO, "cannot list '%s'", path);
	return import_take_error(import, id, path);
}

/* ---- the checkpoint --------------------------------------------------- */

static int
take_checkpoint(struct import *import, const unsigned char *bytes, size_t len)
{
	AUTO_STRUCT(note) parts = { 0 };
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };

	if (export_read_note((const char *)bytes, len, &parts, &checkpoint) !=
	    0)
		return -1;
	if (checkpoint.size > INT64_MAX / 2)
		return ca_error(CA_R_INPUT,
		    "it counts more entries than a journal can have");
	if (import->note != NULL && checkpoint.size <= import->checkpoint.size)
		return 0;
	free(import->note);
	import->note = text_copy((const char *)bytes);
	checkpoint_clear(&import->checkpoint);
	import->checkpoint = checkpoint;
	checkpoint.origin = NULL;
	return import->note == NULL ? -1 : 0;
}

/* One of checkpoints/, where there is no better: the largest. */
static int
take_other(struct import *import, const char *path, const char *name)
{
	AUTO_BYTES(bytes) = NULL;
	size_t len = 0;

	(void)name;
	if ((file_read_at(import->fd, path, NOTE_MAX_BYTES, &bytes, &len) !=
		    0 ||
		take_checkpoint(import, bytes, len) != 0)) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
	}
	return 0;
}

static int
find_checkpoint(struct import *import)
{
	AUTO_BYTES(bytes) = NULL;
	size_t len = 0;
	int there = file_exists_at(import->fd, "tile");

	if (there < 0)
		return -1;
	if (import_read(import, "AUDIT-EXPORT", EXPORT_CHECKPOINT,
		NOTE_MAX_BYTES, &bytes, &len) != 0)
		return -1;
	if (bytes != NULL && take_checkpoint(import, bytes, len) == 0)
		return 0;
	if (bytes != NULL &&
	    import_take_error(import, "AUDIT-EXPORT", EXPORT_CHECKPOINT) != 0)
		return -1;
	if (import_each_name(
		import, "AUDIT-EXPORT", "checkpoints", take_other, false) != 0)
		return -1;
	if (import->note == NULL)
		return ca_error(CA_R_INPUT,
		    there == 0 ? "this is no export: it has neither "
				 "'checkpoint' nor 'tile'"
			       : "neither 'checkpoint' nor any file of "
				 "'checkpoints' can be read: nothing says how "
				 "far this export goes");
	return 0;
}

/* ---- evidence --------------------------------------------------------- */

/* 2 * `octets` digits in lower case. */
static bool
is_hex(const char *name, size_t octets)
{
	return strlen(name) == 2 * octets &&
	    strspn(name, "0123456789abcdef") == 2 * octets;
}

static int
insert_evidence(struct import *import, const char *path, const char *name,
    const void *data, size_t len)
{
	AUTO_BYTES(named) = NULL;
	unsigned char digest[HASH_LEN];
	size_t named_len;

	if (text_unhex(name, &named, &named_len) != 0 ||
	    sha256(data, len, digest) != 0)
		return -1;
	if (memcmp(named, digest, HASH_LEN) != 0)
		import_finding(import, "AUDIT-EVIDENCE", path,
		    "it does not have the SHA-256 that its name says: it was "
		    "altered");
	return journal_insert_evidence(import->journal, data, len, named);
}

static int
take_evidence(struct import *import, const char *path, const char *name)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	/* "evidence/ab/ab..." */
	if (!is_hex(name, HASH_LEN) ||
	    strncmp(path + strlen("evidence/"), name, 2) != 0) {
		import_finding(import, "AUDIT-EVIDENCE", path,
		    "it is no part of an export: evidence is named by its "
		    "SHA-256");
		return 0;
	}
	if (import_read(import, "AUDIT-EVIDENCE", path, JOURNAL_EVIDENCE_MAX,
		&data, &len) != 0)
		return -1;
	if (data != NULL && insert_evidence(import, path, name, data, len) != 0)
		return -1;
	return import_tick(import, 0);
}

static int
take_evidence_dir(struct import *import, const char *path, const char *name)
{
	if (is_hex(name, 1))
		return import_each_name(
		    import, "AUDIT-EVIDENCE", path, take_evidence, true);
	import_finding(import, "AUDIT-EVIDENCE", path,
	    "it is no part of an export: evidence is sorted by two digits of "
	    "its SHA-256");
	return 0;
}

/* Several entries can name the same. */
static bool
is_known(const struct findings *findings, const char *path)
{
	for (size_t i = findings->count; i-- > 0;)
		if (strcmp(findings->rows[i].place, path) == 0)
			return true;
	return false;
}

static int
must_have(void *ctx, const char *hex)
{
	struct import *import = ctx;
	AUTO_BYTES(digest) = NULL;
	char path[PATH_SIZE];
	size_t len;
	int64_t id;
	bool found;

	/* What is no hash is the audit's finding. */
	if (!is_hex(hex, HASH_LEN) || import->findings->lost)
		return 0;
	if (text_unhex(hex, &digest, &len) != 0 ||
	    sql_number(import->journal,
		"SELECT id FROM evidence WHERE sha256 = ?1",
		SQL_VALUES(sql_blob(digest, HASH_LEN)), &found, &id) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "evidence/%.2s/%s", hex, hex);
	if (!found && !is_known(import->findings, path))
		import_finding(import, "AUDIT-EVIDENCE", path,
		    "it is missing: an entry names it");
	return 0;
}

/* ---- entries ---------------------------------------------------------- */

static int
remember(char **text, const struct entry *entry, const char *name)
{
	if (*text != NULL)
		return 0;
	*text =
	    text_copy(json_string_value(json_object_get(entry->data, name)));
	return *text == NULL ? -1 : 0;
}

/* The key that signs checkpoints: the first that was made for that. */
static int
look_for_key(struct import *import, const struct entry *entry)
{
	const char *purpose =
	    json_string_value(json_object_get(entry->data, "purpose"));
	const char *id = json_string_value(json_object_get(entry->data, "id"));

	if (entry->kind == ENTRY_KEY_INTENT && strcmp(purpose, "journal") == 0)
		return remember(&import->key_id, entry, "id");
	if (entry->kind == ENTRY_KEY && import->key_id != NULL &&
	    strcmp(import->key_id, id) == 0)
		return remember(&import->key_spki, entry, "spki");
	return 0;
}

/* What is no entry has no kind and no time: the audit has a finding for it. */
static int
look_at_entry(struct import *import, const char *line, size_t len,
    const char **ret_kind, int64_t *ret_time)
{
	AUTO(json_t) *json = NULL;
	struct entry entry = { 0 };

	*ret_kind = "";
	*ret_time = 0;
	if (entry_parse(line, len, &json, &entry) != 0) {
		ca_error_clear();
		return 0;
	}
	*ret_kind = entry_kind_name(entry.kind);
	*ret_time = entry.time;
	if (entry_check(entry.kind, entry.data) != 0) {
		ca_error_clear();
		return 0;
	}
	if (look_for_key(import, &entry) != 0)
		return -1;
	return entry_each_evidence(entry.kind, entry.data, must_have, import);
}

static int
take_entry(struct import *import, const char *line, size_t len,
    unsigned char ret_leaf[HASH_LEN])
{
	const char *kind;
	int64_t time;

	if (look_at_entry(import, line, len, &kind, &time) != 0)
		return -1;
	if (import->gap) /* an entry has no place without those before it */
		return tree_leaf(line, len, ret_leaf);
	if (journal_insert_entry(import->journal, import->imported, kind, time,
		line, len, ret_leaf) != 0)
		return -1;
	import->imported++;
	return 0;
}

/* The next entry of a bundle; false where it ends in the middle of one. */
static bool
next_entry(const unsigned char **at, size_t *left, const char **ret_line,
    size_t *ret_len)
{
	size_t len;

	if (*left < 2)
		return false;
	len = (size_t)(*at)[0] << 8 | (*at)[1];
	if (*left - 2 < len)
		return false;
	*ret_line = (const char *)*at + 2;
	*ret_len = len;
	*at += 2 + len;
	*left -= 2 + len;
	return true;
}

static int
take_bundle(struct import *import, const struct tile *tile, const char *path,
    const unsigned char *at, size_t left)
{
	unsigned char leaves[TILE_BYTES];
	bool gap = import->gap;

	for (unsigned i = 0; i < tile->width; i++) {
		const char *line;
		size_t len;

		if (!next_entry(&at, &left, &line, &len)) {
			import_finding(import, "AUDIT-BUNDLE", path,
			    "it is cut off: it has %u whole entries, not %u; "
			    "those behind them cannot be checked",
			    i, tile->width);
			import->gap = true;
			return 0;
		}
		if (take_entry(
			import, line, len, leaves + (size_t)i * HASH_LEN) != 0)
			return -1;
	}
	if (left != 0)
		import_finding(import, "AUDIT-BUNDLE", path,
		    "it has %zu octets behind its last entry", left);
	return gap ? import_compare_bundle(import, tile, leaves) : 0;
}

static int
take_entries(struct import *import)
{
	uint64_t size = import->checkpoint.size;

	for (uint64_t n = 0; n * TILE_WIDTH < size && !import->findings->lost;
	     n++) {
		struct tile tile = tile_at(TILE_BUNDLE, n, size);
		AUTO_BYTES(data) = NULL;
		char path[TILE_PATH_SIZE];
		size_t len = 0;

		tile_path(&tile, path);
		if (import_read(import, "AUDIT-BUNDLE", path, BUNDLE_BYTES,
			&data, &len) != 0)
			return -1;
		if (data == NULL)
			import->gap = true;
		else if (take_bundle(import, &tile, path, data, len) != 0)
			return -1;
		if (import_tick(import, tile.width) != 0)
			return -1;
	}
	if (import->imported != size)
		import->gap = true;
	return 0;
}

static int
compare_root(struct import *import)
{
	unsigned char root[HASH_LEN];

	if (import->gap)
		return 0;
	if (journal_root_at(import->journal, import->imported, root) != 0)
		return -1;
	import->whole = memcmp(root, import->checkpoint.root, HASH_LEN) == 0;
	return 0;
}

/* ---- the signature, and the other checkpoints ------------------------- */

static int
check_signature(struct import *import)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_BYTES(spki) = NULL;
	size_t len;

	if (import->key_spki == NULL) {
		import_finding(import, "AUDIT-EXPORT", EXPORT_CHECKPOINT,
		    "no entry has the journal's key: its signature cannot be "
		    "checked");
		return 0;
	}
	if (text_unhex(import->key_spki, &spki, &len) == 0 &&
	    checkpoint_verify(import->note, strlen(import->note),
		import->checkpoint.origin, spki, len, &checkpoint) == 0)
		return 0;
	return import_take_error(import, "AUDIT-EXPORT", EXPORT_CHECKPOINT);
}

/* There are as many as runs. */
static int
keep_size(struct import *import, uint64_t size)
{
	size_t n = import->size_count;
	uint64_t *sizes;

	if ((n & (n - 1)) == 0) {
		sizes = realloc(
		    import->sizes, (n == 0 ? 1 : 2 * n) * sizeof(*sizes));
		if (sizes == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		import->sizes = sizes;
	}
	import->sizes[import->size_count++] = size;
	return 0;
}

static int
compare_sizes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
has_size(const struct import *import, uint64_t size)
{
	return import->size_count != 0 &&
	    bsearch(&size, import->sizes, import->size_count, sizeof(size),
		compare_sizes) != NULL;
}

static int
check_checkpoint(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct import *import = ctx;
	AUTO(json_t) *json = NULL;
	AUTO_BYTES(bytes) = NULL;
	struct entry entry = { 0 };
	char path[PATH_SIZE];
	size_t bytes_len = 0;
	json_int_t size;
	const char *note;

	if (entry_parse(line, len, &json, &entry) != 0 ||
	    entry_check(entry.kind, entry.data) != 0) {
		ca_error_clear();
		return 0;
	}
	size = json_integer_value(json_object_get(entry.data, "size"));
	(void)snprintf(
	    path, sizeof(path), "checkpoints/%" PRId64, (int64_t)size);
	if (keep_size(import, (uint64_t)size) != 0 ||
	    import_read(import, "AUDIT-EXPORT", path, NOTE_MAX_BYTES, &bytes,
		&bytes_len) != 0)
		return -1;
	note = json_string_value(json_object_get(entry.data, "note"));
	if (bytes != NULL &&
	    (bytes_len != strlen(note) || memcmp(bytes, note, bytes_len) != 0))
		import_finding(import, "AUDIT-EXPORT", path,
		    "it is not the checkpoint of entry %" PRIu64, seq);
	return 0;
}

/* The newest is in no entry of the export, but twice in its files. */
static int
check_newest(struct import *import)
{
	AUTO_STRUCT(checkpoint) a = { 0 }, b = { 0 };
	AUTO_STRUCT(note) copy = { 0 };
	AUTO_STRUCT(note) note = { 0 };
	AUTO_BYTES(bytes) = NULL;
	char path[PATH_SIZE];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "checkpoints/%" PRIu64,
	    import->checkpoint.size);
	if (export_read_note(import->note, strlen(import->note), &note, &a) !=
		0 ||
	    import_read(import, "AUDIT-EXPORT", path, NOTE_MAX_BYTES, &bytes,
		&len) != 0)
		return -1;
	if (bytes == NULL)
		return 0;
	if (export_read_note((const char *)bytes, len, &copy, &b) != 0)
		return import_take_error(import, "AUDIT-EXPORT", path);
	if (!export_note_within(&copy, &note))
		import_finding(import, "AUDIT-EXPORT", path,
		    "it is another one than the file 'checkpoint'");
	return 0;
}

static int
check_stray_checkpoint(
    struct import *import, const char *path, const char *name)
{
	uint64_t size = 0;

	if (text_number(name, INT64_MAX, &size) == 0 &&
	    (size == import->checkpoint.size || has_size(import, size) ||
		/* Its entry is perhaps one of those that are missing. */
		(import->gap && size >= import->imported &&
		    size < import->checkpoint.size)))
		return 0;
	ca_error_clear();
	import_finding(
	    import, "AUDIT-EXPORT", path, "it is the checkpoint of no entry");
	return 0;
}

static int
check_checkpoints(struct import *import)
{
	if (check_signature(import) != 0 || check_newest(import) != 0 ||
	    journal_each_entry(import->journal, 0, ENTRY_CHECKPOINT,
		check_checkpoint, import) != 0)
		return -1;
	if (import->size_count != 0)
		qsort(import->sizes, import->size_count,
		    sizeof(import->sizes[0]), compare_sizes);
	return import_each_name(import, "AUDIT-EXPORT", "checkpoints",
	    check_stray_checkpoint, false);
}

/* ---- all of it -------------------------------------------------------- */

static int
check_top(struct import *import, const char *path, const char *name)
{
	static const char *const names[] = { EXPORT_CHECKPOINT, "checkpoints",
		"tile", "evidence" };
	const char *const *dir;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return 0;
	for (dir = export_public_dirs(); *dir != NULL; dir++)
		if (strcmp(*dir, name) == 0)
			return 0;
	import_finding(import, "AUDIT-EXPORT", path,
	    strcmp(name, EXPORT_STAGE) == 0
		? "an export was cut off here: give 'ca-tool journal export' "
		  "again, and it goes on"
		: "it is no part of an export");
	return 0;
}

static int
import_all(struct import *import)
{
	if (import_each_name(import, "AUDIT-EXPORT", "", check_top, true) !=
		0 ||
	    import_each_name(import, "AUDIT-EVIDENCE", "evidence",
		take_evidence_dir, false) != 0 ||
	    take_entries(import) != 0 || compare_root(import) != 0 ||
	    import_tiles(import) != 0)
		return -1;
	return check_checkpoints(import);
}

int
journal_import(int fd, const char *dir, export_progress_fn *progress, void *ctx,
    struct findings *findings)
{
	AUTO_STRUCT(import)
	import = {
		.fd = fd, .findings = findings, .progress = progress, .ctx = ctx
	};

	if (find_checkpoint(&import) != 0 ||
	    journal_create(dir, &import.journal) != 0 ||
	    journal_begin(import.journal) != 0)
		return -1;
	if (import_all(&import) == 0)
		return journal_commit(import.journal);
	journal_rollback(import.journal);
	return -1;
}
