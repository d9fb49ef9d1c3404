/*
 * What is audited: a private copy of the journal, so that nothing is written
 * beside the original, SQLite can roll back what a crash left, and the derived
 * tables can be made anew.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"
#include "ceremony/journal/export.h"

CLEANUP_DEFINE(DIR, closedir);

enum { SPACE_BASE = 16 << 20, LOCK_STEP_MS = 50 };

/*
 * The files of a database: its name, and what SQLite appends to it.  Not
 * "-wal": the journal is never in that mode (journal_check_beside()).
 */
static const char *const endings[] = { "", "-journal" };

enum { ENDINGS = sizeof endings / sizeof endings[0] };

/* ---- the copy's directory --------------------------------------------- */

static void
remove_files(const char *work)
{
	AUTO(DIR) *dir = opendir(work);
	const struct dirent *found;

	while (dir != NULL && (found = readdir(dir)) != NULL)
		if (strcmp(found->d_name, ".") != 0 &&
		    strcmp(found->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), found->d_name, 0);
}

void
audit_source_clear(struct audit_source *source)
{
	if (source->journal != NULL)
		journal_free(source->journal);
	cleanup_fd(&source->public_fd);
	if (source->work != NULL) {
		remove_files(source->work);
		(void)rmdir(source->work);
	}
	free(source->work);
	*source = (struct audit_source){ .public_fd = -1 };
}

const char *
audit_work(const struct audit_options *options)
{
	const char *tmp = getenv("TMPDIR");

	if (options->work != NULL)
		return options->work;
	return tmp == NULL || tmp[0] != '/' ? "/var/tmp" : tmp;
}

static int
make_work(const struct audit_options *options, char **ret_work, int *ret_fd)
{
	const char *parent = audit_work(options);
	AUTO_CHARS(work) = text_printf("%s/ca-tool-audit-XXXXXX", parent);

	if (work == NULL)
		return -1;
	if (mkdtemp(work) == NULL)
		return ca_error_errno(CA_R_IO,
		    "cannot make a directory for a private copy of the journal "
		    "in '%s'; name another place with --work",
		    parent);
	*ret_work = TAKE(work);
	return dir_open(*ret_work, ret_fd);
}

/* ---- copying ---------------------------------------------------------- */

/* Where the original lies. */
struct original {
	int dirfd;
	char *name;  /* of the database in it */
	char *shown; /* its path, for errors */
};

static void
original_clear(struct original *original)
{
	cleanup_fd(&original->dirfd);
	free(original->name);
	free(original->shown);
}
CLEANUP_DEFINE_STRUCT(original);

/*
 * As SQLite's own readers: while this is held, nobody changes the file.  A
 * medium that knows no locks has no writers either.
 */
static int
lock_shared(int fd, const char *shown)
{
	struct flock range = { .l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = 0x40000000 + 2,
		.l_len = 510 };
	struct timespec step = { .tv_nsec = LOCK_STEP_MS * 1000000L };

	for (int waited = 0; fcntl(fd, F_OFD_SETLK, &range) != 0;
	     waited += LOCK_STEP_MS) {
		if (errno != EACCES && errno != EAGAIN)
			return 0;
		if (waited >= JOURNAL_BUSY_MS)
			return ca_error(CA_R_BUSY,
			    "'%s' is being written by another program: wait "
			    "until it is done, or verify a copy",
			    shown);
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

static int
open_original(const struct original *original, int *ret_fd, uint64_t *ret_size)
{
	AUTO_FD(fd) = openat(original->dirfd, original->name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return ca_error_errno(
		    CA_R_IO, "cannot open '%s'", original->shown);
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return ca_error(CA_R_CORRUPT,
		    "'%s' is not a regular file: it cannot be a journal",
		    original->shown);
	*ret_size = (uint64_t)st.st_size;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
copy_file(const struct original *original, const char *ending, int to)
{
	AUTO_CHARS(from) = text_printf("%s%s", original->name, ending);
	AUTO_CHARS(name) = text_printf(JOURNAL_FILE "%s", ending);
	int there;

	if (from == NULL || name == NULL)
		return -1;
	there = file_exists_at(original->dirfd, from);
	if (there <= 0)
		return there;
	return file_copy_at(original->dirfd, from, to, name, 0600);
}

static int
copy_files(const struct original *original, int to)
{
	AUTO_FD(lock) = -1;
	uint64_t size;

	if (open_original(original, &lock, &size) != 0 ||
	    lock_shared(lock, original->shown) != 0 ||
	    journal_check_beside(
		original->dirfd, original->name, original->shown) != 0)
		return -1;
	/* The tables that are made anew come on top. */
	if (file_space_check(to, 2 * size + SPACE_BASE, "the private copy") !=
	    0)
		return -1;
	for (size_t i = 0; i < ENDINGS; i++)
		if (copy_file(original, endings[i], to) != 0)
			return -1;
	return 0;
}

/* ---- what was named --------------------------------------------------- */

enum source_kind { SOURCE_FILE, SOURCE_DIRECTORY, SOURCE_EXPORT };

/* A path that was named may end in a slash. */
static int
find_kind(const char *path, enum source_kind *ret_kind)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return errno == ENOENT
		    ? ca_error(CA_R_MISSING, "'%s' does not exist", path)
		    : ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
	if (S_ISLNK(st.st_mode))
		return ca_error(CA_R_INPUT,
		    "'%s' is a symbolic link, which is not followed; name what "
		    "it leads to",
		    path);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return ca_error(CA_R_INPUT,
		    "'%s' is neither a directory nor a file: there is no "
		    "journal in it",
		    path);
	*ret_kind = S_ISDIR(st.st_mode) ? SOURCE_DIRECTORY : SOURCE_FILE;
	return 0;
}

/* With a journal in it, or an export. */
static int
look_inside(const char *path, int fd, enum source_kind *ret_kind)
{
	int journal = file_exists_at(fd, JOURNAL_FILE);
	int note = file_exists_at(fd, "checkpoint");
	int tile = file_exists_at(fd, "tile");

	if (journal < 0 || note < 0 || tile < 0)
		return -1;
	if (journal == 0 && (note == 0 || tile == 0))
		return ca_error(CA_R_MISSING,
		    "'%s' holds no journal: neither '" JOURNAL_FILE
		    "', as an authority's directory does, nor 'checkpoint' and "
		    "'tile', as an export does",
		    path);
	if (journal > 0 && note > 0 && tile > 0)
		return ca_error(CA_R_INPUT,
		    "'%s' holds both '" JOURNAL_FILE "' and an export "
		    "('checkpoint' and 'tile'): it is ambiguous which of them "
		    "is to be verified; name the file '%s/" JOURNAL_FILE
		    "', or put the export into a directory of its own",
		    path, path);
	*ret_kind = journal > 0 ? SOURCE_DIRECTORY : SOURCE_EXPORT;
	return 0;
}

static int
original_in(const char *path, struct original *ret_original)
{
	if (dir_open(path, &ret_original->dirfd) != 0)
		return -1;
	ret_original->name = text_copy(JOURNAL_FILE);
	ret_original->shown = text_printf("%s/" JOURNAL_FILE, path);
	return ret_original->name == NULL || ret_original->shown == NULL ? -1
									 : 0;
}

static int
original_file(const char *path, struct original *ret_original)
{
	AUTO_CHARS(for_dir) = text_copy(path);
	AUTO_CHARS(for_name) = text_copy(path);

	if (for_dir == NULL || for_name == NULL)
		return -1;
	ret_original->dirfd =
	    open(dirname(for_dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret_original->dirfd < 0)
		return ca_error_errno(
		    CA_R_IO, "cannot open the directory of '%s'", path);
	ret_original->name = text_copy(basename(for_name));
	ret_original->shown = text_copy(path);
	return ret_original->name == NULL || ret_original->shown == NULL ? -1
									 : 0;
}

/* ---- public/ ---------------------------------------------------------- */

static int
open_public(int dirfd, struct findings *findings, int *ret_fd)
{
	if (dir_open_at(dirfd, "public", ret_fd) == 0)
		return 0;
	if (ca_error_reason() == CA_R_INPUT)
		findings_take_error(
		    findings, "AUDIT-PUBLIC-ALTERED", "public/");
	else if (ca_error_reason() != CA_R_MISSING)
		return -1;
	ca_error_clear();
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

/* Pages, cells, indexes and constraints; the walk looks at the content. */
static int
check_integrity(
    struct journal *journal, const char *shown, struct findings *findings)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(journal, "PRAGMA integrity_check(20)", NULL, &query) !=
	    0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_CHARS(text) = NULL;

		if (!row)
			return 0;
		if (query_text(&query, 0, &text) != 0)
			return -1;
		if (text == NULL || strcmp(text, "ok") != 0)
			findings_add(findings, FINDING_ERROR, "AUDIT-DATABASE",
			    shown, "SQLite, integrity_check", "%s",
			    text == NULL ? "" : text);
	}
	return -1;
}

static int
open_copy(
    const char *shown, struct findings *findings, struct audit_source *source)
{
	if (journal_open_private(source->work, shown, &source->journal) != 0)
		return -1;
	if (check_integrity(source->journal, shown, findings) == 0)
		return 0;
	if (ca_error_reason() != CA_R_CORRUPT)
		return -1;
	findings_take_error(findings, "AUDIT-DATABASE", shown);
	return 0;
}

struct import {
	const struct audit_options *options;
};

static int
import_progress(void *ctx, uint64_t done, uint64_t total)
{
	const struct import *import = ctx;

	return import->options->progress == NULL
	    ? 0
	    : import->options->progress(
		  import->options->ctx, "files", done, total);
}

static int
import_export(const struct audit_options *options, struct findings *findings,
    struct audit_source *source)
{
	struct import import = { options };

	source->export = true;
	if (dir_open(options->path, &source->public_fd) != 0)
		return -1;
	if (journal_import(source->public_fd, source->work, import_progress,
		&import, findings) != 0)
		return -1;
	return open_copy(options->path, findings, source);
}

static int
copy_journal(const struct audit_options *options, enum source_kind kind,
    int work_fd, struct findings *findings, struct audit_source *source)
{
	AUTO_STRUCT(original) original = { .dirfd = -1 };

	if ((kind == SOURCE_FILE
		    ? original_file(options->path, &original)
		    : original_in(options->path, &original)) != 0 ||
	    copy_files(&original, work_fd) != 0)
		return -1;
	if (kind == SOURCE_DIRECTORY &&
	    open_public(original.dirfd, findings, &source->public_fd) != 0)
		return -1;
	return open_copy(original.shown, findings, source);
}

static int
find_source(const char *path, enum source_kind *ret_kind)
{
	AUTO_FD(fd) = -1;

	if (find_kind(path, ret_kind) != 0)
		return -1;
	if (*ret_kind == SOURCE_FILE)
		return 0;
	return dir_open(path, &fd) != 0 ? -1 : look_inside(path, fd, ret_kind);
}

int
audit_source_open(const struct audit_options *options,
    struct findings *findings, struct audit_source *ret_source)
{
	AUTO_STRUCT(audit_source) source = { .public_fd = -1 };
	enum source_kind kind;
	AUTO_FD(work_fd) = -1;
	int result;

	if (find_source(options->path, &kind) != 0 ||
	    make_work(options, &source.work, &work_fd) != 0)
		return -1;
	result = kind == SOURCE_EXPORT
	    ? import_export(options, findings, &source)
	    : copy_journal(options, kind, work_fd, findings, &source);
	if (result != 0)
		return -1;
	*ret_source = source;
	source = (struct audit_source){ .public_fd = -1 };
	return 0;
}
