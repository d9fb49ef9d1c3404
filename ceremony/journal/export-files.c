/*
 * Writing the files of an export, a million of them if need be.
 *
 * TILE-LAYOUT asks for create-new semantics and for files that are on disk
 * before they have their name.  An fsync(2) for each would take hours, so they
 * are written to a directory of their own first, some thousands at a time; one
 * syncfs(2) brings them all to disk, and then they are renamed.  Whatever has
 * its name is whole, after a loss of power, too, and stays when the export is
 * repeated.  What a cut leaves in that directory is removed by the next export.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/export-private.h"

enum {
	BATCH = 4096,
	FOLDERS = 272, /* 256 of evidence, and those in use beside them */
	FOLDER_PATH_SIZE = 64,
	CHUNK = 32768,
	STAGE_NAME_SIZE = 12,
};

/* A file that is written, and has no name yet. */
struct pending {
	int dirfd;
	bool replace;
	char name[NAME_MAX + 1];
};

struct folder {
	char path[FOLDER_PATH_SIZE];
	int fd;
};

struct outlet {
	int root, stage;
	struct folder folders[FOLDERS];
	size_t folder_count, folder_last;
	struct pending pending[BATCH];
	size_t count;
	struct export_report report;
};

struct export_report *
outlet_report(struct outlet *outlet)
{
	return &outlet->report;
}

/* ---- directories ------------------------------------------------------ */

/* FAT knows no permissions. */
static int
set_mode(int fd, mode_t mode, const char *path)
{
	if (fchmod(fd, mode) == 0 || errno == EPERM)
		return 0;
	return ca_error_errno(
	    CA_R_IO, "cannot set the permissions of '%s'", path);
}

/* Without syncs: outlet_flush() makes them for all. */
static int
folder_make(int dirfd, const char *name, const char *path, int *ret_fd)
{
	AUTO_FD(fd) = -1;

	if (mkdirat(dirfd, name, 0755) != 0 && errno != EEXIST)
		return ca_error_errno(
		    CA_R_IO, "cannot make the directory '%s'", path);
	if (dir_open_at(dirfd, name, &fd) != 0)
		return ca_error_reason() != CA_R_INPUT
		    ? -1
		    : ca_error(CA_R_VERIFY,
			  "'%s' is there and is no directory of an export: "
			  "remove it, or export to another directory",
			  path);
	/* Also where it was made by an export that was cut off just then. */
	if (set_mode(fd, 0755, path) != 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Each component of `path` below the export's root. */
static int
folder_walk(struct outlet *outlet, const char *path, int *ret_fd)
{
	AUTO_FD(fd) = fcntl(outlet->root, F_DUPFD_CLOEXEC, 0);
	char name[FOLDER_PATH_SIZE];

	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot open a directory");
	for (const char *at = path; *at != '\0';) {
		size_t len = strcspn(at, "/");
		int next;

		(void)snprintf(name, sizeof(name), "%.*s", (int)len, at);
		if (folder_make(fd, name, path, &next) != 0)
			return -1;
		cleanup_fd(&fd);
		fd = next;
		at += len + (at[len] == '/' ? 1 : 0);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int flush_batch(struct outlet *outlet);

static void
folders_close(struct outlet *outlet)
{
	for (size_t i = 0; i < outlet->folder_count; i++)
		cleanup_fd(&outlet->folders[i].fd);
	outlet->folder_count = outlet->folder_last = 0;
}

static struct folder *
folder_known(struct outlet *outlet, const char *path)
{
	/* Mostly the same as last time. */
	for (size_t i = 0; i < outlet->folder_count; i++) {
		size_t at = (outlet->folder_last + i) % outlet->folder_count;

		if (strcmp(outlet->folders[at].path, path) == 0) {
			outlet->folder_last = at;
			return &outlet->folders[at];
		}
	}
	return NULL;
}

/* They stay open until all is full: what is pending names them. */
static int
folder_get(struct outlet *outlet, const char *path, int *ret_fd)
{
	struct folder *folder = folder_known(outlet, path);

	if (folder != NULL) {
		*ret_fd = folder->fd;
		return 0;
	}
	if (outlet->folder_count == FOLDERS) {
		if (flush_batch(outlet) != 0)
			return -1;
		folders_close(outlet);
	}
	folder = &outlet->folders[outlet->folder_count];
	if (folder_walk(outlet, path, &folder->fd) != 0)
		return -1;
	(void)snprintf(folder->path, sizeof(folder->path), "%s", path);
	outlet->folder_last = outlet->folder_count++;
	*ret_fd = folder->fd;
	return 0;
}

/* ---- what is there already -------------------------------------------- */

enum there { ABSENT, EQUAL, DIFFERENT };

static int
compare_content(
    int fd, const char *path, const unsigned char *data, size_t len, bool *same)
{
	unsigned char chunk[CHUNK];
	size_t done = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot read '%s'", path);
		if (n == 0)
			break;
		if ((size_t)n > len - done ||
		    memcmp(chunk, data + done, (size_t)n) != 0) {
			*same = false;
			return 0;
		}
		done += (size_t)n;
	}
	*same = done == len;
	return 0;
}

static int
look(int dirfd, const char *name, const char *path, const void *data,
    size_t len, enum there *ret_there)
{
	AUTO_FD(fd) = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	bool same = false;

	if (fd < 0 && errno == ENOENT) {
		*ret_there = ABSENT;
		return 0;
	}
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", path);
	if (fd >= 0 && fstat(fd, &st) != 0)
		return ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
	if (fd < 0 || !S_ISREG(st.st_mode))
		return ca_error(CA_R_VERIFY,
		    "'%s' is there and is no regular file: remove it, or "
		    "export to another directory",
		    path);
	if ((uintmax_t)st.st_size == len &&
	    compare_content(fd, path, data, len, &same) != 0)
		return -1;
	*ret_there = same ? EQUAL : DIFFERENT;
	return 0;
}

int
outlet_differs(const char *path)
{
	return ca_error(CA_R_VERIFY,
	    "'%s' is there and is not what this journal has: it was changed, "
	    "or is of another journal, or this journal was rolled back or "
	    "changed; nothing that is there was touched. Export to another "
	    "directory, and compare both with 'ca-tool journal verify'",
	    path);
}

/* ---- writing ---------------------------------------------------------- */

static void
stage_name(size_t i, char out[STAGE_NAME_SIZE])
{
	(void)snprintf(out, STAGE_NAME_SIZE, "%u", (unsigned)i);
}

static int
stage_write(
    struct outlet *outlet, const char *path, const void *data, size_t len)
{
	char name[STAGE_NAME_SIZE];
	AUTO_FD(fd) = -1;

	stage_name(outlet->count, name);
	fd = openat(outlet->stage, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot write '%s'", path);
	if (file_write_all(fd, data, len, path) != 0 ||
	    set_mode(fd, 0644, path) != 0) {
		(void)unlinkat(outlet->stage, name, 0);
		return -1;
	}
	return 0;
}

/* Split a path into its directory, opened, and the name in it. */
static int
place(struct outlet *outlet, const char *path, int *ret_dirfd,
    const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	AUTO_CHARS(folder) = slash == NULL
	    ? text_copy("")
	    : text_printf("%.*s", (int)(slash - path), path);
	const char *name = slash == NULL ? path : slash + 1;

	if (folder == NULL)
		return -1;
	if (strlen(folder) >= FOLDER_PATH_SIZE || strlen(name) > NAME_MAX)
		return ca_error(
		    CA_R_INTERNAL, "'%s' is too long for an export", path);
	*ret_name = name;
	return folder_get(outlet, folder, ret_dirfd);
}

int
outlet_put(struct outlet *outlet, const char *path, const void *data,
    size_t len, bool replace)
{
	struct pending *pending;
	enum there there;
	const char *name;
	int dirfd;

	if (place(outlet, path, &dirfd, &name) != 0 ||
	    look(dirfd, name, path, data, len, &there) != 0)
		return -1;
	if (there == EQUAL) {
		outlet->report.kept++;
		return 0;
	}
	if (there == DIFFERENT && !replace)
		return outlet_differs(path);
	if (stage_write(outlet, path, data, len) != 0)
		return -1;
	pending = &outlet->pending[outlet->count++];
	pending->dirfd = dirfd;
	pending->replace = replace;
	(void)snprintf(pending->name, sizeof(pending->name), "%s", name);
	outlet->report.written++;
	outlet->report.bytes += len;
	return outlet->count == BATCH ? flush_batch(outlet) : 0;
}

/* Where the file system has no such rename, a link does not overwrite. */
static int
rename_new(int from, const char *name, const struct pending *to)
{
	if (renameat2(from, name, to->dirfd, to->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(from, name, to->dirfd, to->name, 0) != 0)
		return -1;
	return unlinkat(from, name, 0);
}

static int
give_name(struct outlet *outlet, size_t i)
{
	const struct pending *pending = &outlet->pending[i];
	char name[STAGE_NAME_SIZE];
	int failed;

	stage_name(i, name);
	failed = pending->replace
	    ? renameat(outlet->stage, name, pending->dirfd, pending->name)
	    : rename_new(outlet->stage, name, pending);
	if (failed == 0)
		return 0;
	return errno == EEXIST
	    ? outlet_differs(pending->name)
	    : ca_error_errno(CA_R_IO, "cannot write '%s'", pending->name);
}

static int
sync_all(struct outlet *outlet)
{
	if (syncfs(outlet->root) == 0)
		return 0;
	return ca_error_errno(CA_R_IO, "cannot write the export to disk");
}

static int
flush_batch(struct outlet *outlet)
{
	if (outlet->count == 0)
		return 0;
	if (sync_all(outlet) != 0)
		return -1;
	for (size_t i = 0; i < outlet->count; i++)
		if (give_name(outlet, i) != 0)
			return -1;
	outlet->count = 0;
	return 0;
}

/* The names, too, and those that an export gave that was cut off. */
int
outlet_flush(struct outlet *outlet)
{
	return flush_batch(outlet) != 0 ? -1 : sync_all(outlet);
}

/* ---- opening and closing ---------------------------------------------- */

/* Two exports would take each other's files away. */
static int
lock_out(int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return 0; /* a file system without locks */
	return ca_error(CA_R_BUSY,
	    "another export is being written to this directory: wait until it "
	    "is done");
}

/* What has no name yet, or what a cut left. */
static void
stage_empty(int stage)
{
	char name[STAGE_NAME_SIZE];

	for (size_t i = 0; i < BATCH; i++) {
		stage_name(i, name);
		(void)unlinkat(stage, name, 0);
	}
}

int
outlet_open(int fd, struct outlet **ret_outlet)
{
	AUTO_PTR(outlet) *outlet = calloc(1, sizeof(*outlet));

	if (outlet == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	outlet->root = fd;
	outlet->stage = -1;
	if (lock_out(fd) != 0 || dir_sweep(fd) != 0 ||
	    dir_make_at(fd, EXPORT_STAGE, 0755, &outlet->stage) != 0)
		return -1;
	stage_empty(outlet->stage);
	*ret_outlet = TAKE(outlet);
	return 0;
}

void
outlet_free(struct outlet *outlet)
{
	if (outlet == NULL)
		return;
	if (outlet->stage >= 0) {
		if (outlet->count != 0)
			stage_empty(outlet->stage);
		cleanup_fd(&outlet->stage);
		(void)unlinkat(outlet->root, EXPORT_STAGE, AT_REMOVEDIR);
	}
	folders_close(outlet);
	free(outlet);
}
