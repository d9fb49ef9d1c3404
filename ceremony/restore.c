/*
 * The directory of a run, made again from the journal's evidence: a run whose
 * manifest is lost or was altered could be neither resumed nor abandoned.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/plan-private.h"

enum { ASIDE_MAX = 1000, MANIFEST_MAX_BYTES = 16 << 20 };

CLEANUP_DEFINE(json_t, json_decref);

struct restore {
	struct journal *journal;
	const struct room *room;
	const char *directory; /* below ceremonies/ */
	const char *manifest;  /* SHA-256, hex */
	int fd;                /* of that directory, or of its draft */
	const char *folder;    /* in it, where files are now: "inputs/" or "" */
	json_t *data;          /* of the run's first entry */
};

static void
restore_clear(struct restore *r)
{
	cleanup_fd(&r->fd);
	json_decref(r->data);
}
CLEANUP_DEFINE_STRUCT(restore);

/* One component, not hidden: what entry and manifest name is of our making. */
static int
check_name(const char *name)
{
	if (name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL)
		return 0;
	return ca_error(
	    CA_R_CORRUPT, "the run's entry or manifest is malformed");
}

static int
show(const struct restore *r, const char *name, const char *text)
{
	AUTO_CHARS(line) = text_printf(
	    "'ceremonies/%s/%s%s' %s", r->directory, r->folder, name, text);
	AUTO_CHARS(safe) =
	    line == NULL ? NULL : text_escape(line, strlen(line));

	if (safe == NULL)
		return -1;
	r->room->show(r->room->ctx, ROOM_WARNING, safe);
	return 0;
}

/* ---- one file --------------------------------------------------------- */

/* What is wrong may show how it came about: it is kept, under another name. */
static int
move_aside(int dirfd, const char *name)
{
	for (int i = 1; i < ASIDE_MAX; i++) {
		AUTO_CHARS(aside) = text_printf("%s.aside-%d", name, i);
		int there = aside == NULL ? -1 : file_exists_at(dirfd, aside);

		if (there < 0)
			return -1;
		if (there > 0)
			continue;
		if (renameat(dirfd, name, dirfd, aside) != 0)
			return ca_error_errno(
			    CA_R_IO, "cannot rename '%s'", name);
		return file_sync(dirfd, "ceremonies");
	}
	return ca_error(CA_R_EXISTS,
	    "there are too many files '%s.aside-...'; move them away", name);
}

enum found { FOUND_NOTHING, FOUND_OTHER, FOUND_RIGHT };

static int
look(int dirfd, const char *name, const char *sha256, enum found *ret_found)
{
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	int there = file_exists_at(dirfd, name);

	if (there < 0)
		return -1;
	*ret_found = there == 0 ? FOUND_NOTHING : FOUND_OTHER;
	if (there == 0)
		return 0;
	if (file_sha256_at(dirfd, name, digest) < 0) {
		/* No regular file, or one that cannot be read. */
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
		return 0;
	}
	text_hex_into(digest, HASH_LEN, hex);
	if (strcmp(hex, sha256) == 0)
		*ret_found = FOUND_RIGHT;
	return 0;
}

static int
take_evidence(const struct restore *r, const char *name, const char *sha256,
    unsigned char **ret_data, size_t *ret_len)
{
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (text_unhex(sha256, &digest, &len) < 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(
		    CA_R_CORRUPT, "the SHA-256 of '%s' is malformed", name);
	if (journal_evidence_get(r->journal, digest, ret_data, ret_len) == 0)
		return 0;
	if (ca_error_reason() != CA_R_MISSING)
		return -1;
	ca_error_clear();
	return ca_error(CA_R_MISSING,
	    "'ceremonies/%s/%s%s' is lost or was changed, and the journal has "
	    "no evidence of it; put back the file with the SHA-256 %s",
	    r->directory, r->folder, name, sha256);
}

/* `dirfd`/`name` has this SHA-256 afterwards. */
static int
restore_file(
    const struct restore *r, int dirfd, const char *name, const char *sha256)
{
	AUTO_BYTES(data) = NULL;
	enum found found;
	size_t len = 0;

	if (check_name(name) < 0 || look(dirfd, name, sha256, &found) < 0)
		return -1;
	if (found == FOUND_RIGHT)
		return 0;
	if (take_evidence(r, name, sha256, &data, &len) < 0 ||
	    (found == FOUND_OTHER && move_aside(dirfd, name) < 0) ||
	    file_write_at(dirfd, name, data, len, 0600, FILE_NEW) < 0)
		return -1;
	return show(r, name,
	    found == FOUND_OTHER
		? "was changed; it was moved aside, and put back from the "
		  "journal's evidence"
		: "was lost; it was put back from the journal's evidence");
}

/* A directory of this name; anything else is moved aside. */
static int
restore_directory(int parent, const char *name, int *ret_fd)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode) && move_aside(parent, name) < 0)
		return -1;
	if (dir_make_at(parent, name, 0700, ret_fd) < 0)
		return -1;
	return dir_sweep(*ret_fd);
}

/* ---- what the run rests on -------------------------------------------- */

static int
match_run(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct restore *r = ctx;
	AUTO(json_t) *entry = json_loadb(line, len, 0, NULL);
	json_t *data = json_object_get(entry, "data");
	const char *directory, *manifest;

	(void)seq;
	if (r->data == NULL &&
	    json_unpack(data, "{s:s, s:s}", "directory", &directory, "manifest",
		&manifest) == 0 &&
	    strcmp(directory, r->directory) == 0 &&
	    strcmp(manifest, r->manifest) == 0)
		r->data = json_incref(data);
	return 0;
}

static int
find_run(struct restore *r)
{
	if (check_name(r->directory) < 0 ||
	    journal_each_entry(r->journal, 0, ENTRY_PLAN, match_run, r) < 0)
		return -1;
	return r->data != NULL
	    ? 0
	    : ca_error(CA_R_MISSING,
		  "the journal has no run in 'ceremonies/%s'", r->directory);
}

static int
restore_input(const struct restore *r, int inputs_fd, json_t *row)
{
	const char *file, *sha256;

	if (json_unpack(row, "{s:s, s:s}", "file", &file, "sha256", &sha256) !=
	    0)
		return ca_error(
		    CA_R_CORRUPT, "the manifest has a malformed input");
	return restore_file(r, inputs_fd, file, sha256);
}

/* The manifest is right by now: its rows say what the inputs are. */
static int
restore_inputs(struct restore *r)
{
	AUTO_BYTES(data) = NULL;
	AUTO(json_t) *manifest = NULL;
	AUTO_FD(fd) = -1;
	size_t len = 0, i;
	json_t *row;

	if (file_read_at(
		r->fd, "manifest.json", MANIFEST_MAX_BYTES, &data, &len) < 0 ||
	    restore_directory(r->fd, "inputs", &fd) < 0)
		return -1;
	manifest =
	    json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	r->folder = "inputs/";
	json_array_foreach(json_object_get(manifest, "inputs"), i, row)
	{
		if (restore_input(r, fd, row) < 0)
			return -1;
	}
	r->folder = "";
	return file_sync(fd, "inputs");
}

static int
restore_late(const struct restore *r)
{
	size_t i;
	json_t *row;

	json_array_foreach(json_object_get(r->data, "late"), i, row)
	{
		const char *name, *sha256;
		AUTO_CHARS(file) = NULL;

		if (json_unpack(row, "{s:s, s:s}", "name", &name, "sha256",
			&sha256) != 0 ||
		    !text_is_name(name))
			return ca_error(
			    CA_R_CORRUPT, "the run's entry is malformed");
		file = text_printf("late-%s.csr", name);
		if (file == NULL || restore_file(r, r->fd, file, sha256) < 0)
			return -1;
	}
	return 0;
}

/* What operators have signed, or are asked to. */
static int
visit_list(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct restore *r = ctx;
	AUTO(json_t) *entry = json_loadb(line, len, 0, NULL);
	const char *run = NULL, *sha256 = NULL,
		   *ours = json_string_value(json_object_get(r->data, "run"));
	AUTO_CHARS(name) = NULL;
	int number = 0;

	(void)seq;
	if (ours == NULL ||
	    json_unpack(entry, "{s:{s:s, s:i, s:s}}", "data", "run", &run,
		"list", &number, "sha256", &sha256) != 0)
		return ca_error(CA_R_CORRUPT, "the run's entry is malformed");
	if (strcmp(run, ours) != 0)
		return 0;
	name = text_printf("list-%d", number);
	return name == NULL ? -1 : restore_file(r, r->fd, name, sha256);
}

static int
restore_all(struct restore *r)
{
	if (restore_file(r, r->fd, "manifest.json", r->manifest) < 0 ||
	    restore_inputs(r) < 0 || restore_late(r) < 0 ||
	    journal_each_entry(r->journal, 0, ENTRY_LIST, visit_list, r) < 0)
		return -1;
	return file_sync(r->fd, r->directory);
}

/* ---- the directory ---------------------------------------------------- */

/* A directory that is lost comes back whole or not at all. */
static int
restore_lost(struct restore *r, int ceremonies)
{
	AUTO_CHARS(draft) = text_printf(PLAN_DRAFT "%s", r->directory);

	if (draft == NULL || restore_directory(ceremonies, draft, &r->fd) < 0 ||
	    restore_all(r) < 0)
		return -1;
	if (renameat(ceremonies, draft, ceremonies, r->directory) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot make 'ceremonies/%s'", r->directory);
	return file_sync(ceremonies, "ceremonies");
}

int
plan_restore(struct authority *authority, const struct room *room,
    const char *directory, const char *manifest_sha256)
{
	AUTO_STRUCT(restore)
	r = {
		.journal = authority_journal(authority),
		.room = room,
		.directory = directory,
		.manifest = manifest_sha256,
		.fd = -1,
		.folder = "",
	};
	AUTO_FD(ceremonies) = -1;
	struct stat st;

	if (find_run(&r) < 0 ||
	    dir_make_at(
		authority_fd(authority), "ceremonies", 0700, &ceremonies) < 0)
		return -1;
	if (fstatat(ceremonies, directory, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return restore_lost(&r, ceremonies);
	if (!S_ISDIR(st.st_mode))
		return move_aside(ceremonies, directory) < 0
		    ? -1
		    : restore_lost(&r, ceremonies);
	return dir_open_at(ceremonies, directory, &r.fd) < 0 ? -1
							     : restore_all(&r);
}
