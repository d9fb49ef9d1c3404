#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"

enum {
	CHUNK = 32768,
	RANDOM_DIGITS = 8,
	/* ".NAME.tmp-XXXXXXXX" must still be a name. */
	WRITTEN_NAME_MAX = NAME_MAX - 6 - RANDOM_DIGITS,
};

CLEANUP_DEFINE(DIR, closedir);

/* An error for a path that could not be reached or opened; errno says why. */
static int
path_error(const char *what, const char *path)
{
	switch (errno) {
	case ENOENT:
		return ca_error(CA_R_MISSING,
		    "cannot %s '%s': it does not exist", what, path);
	case ELOOP:
		return ca_error(CA_R_INPUT,
		    "cannot %s '%s': it is a symbolic link, which is not "
		    "followed here",
		    what, path);
	case ENOTDIR:
		return ca_error(CA_R_INPUT,
		    "cannot %s '%s': it or a part of its path is a symbolic "
		    "link or not a directory",
		    what, path);
	default:
		return ca_error_errno(CA_R_IO, "cannot %s '%s'", what, path);
	}
}

/* One component, and neither the directory itself nor its parent. */
static bool
is_component(const char *name)
{
	return name[0] != '\0' && strcmp(name, ".") != 0 &&
	    strcmp(name, "..") != 0 && strchr(name, '/') == NULL &&
	    strlen(name) <= NAME_MAX;
}

static int
component_check(const char *name)
{
	if (is_component(name))
		return 0;
	return ca_error(CA_R_INPUT, "'%s' is not a file name", name);
}

static int
component_open(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Where a path leads: a directory, and a name in it. */
struct spot {
	int dirfd;
	int own; /* -1, or the directory to be closed */
	const char *name;
};

static void
spot_clear(struct spot *spot)
{
	cleanup_fd(&spot->own);
}
CLEANUP_DEFINE_STRUCT(spot);

/*
 * Walk `path` below `dirfd` to its last component, through real directories
 * only.  What the user named (AT_FDCWD) is left to the kernel.
 */
static int
spot_find(int dirfd, const char *path, struct spot *ret_spot)
{
	AUTO_STRUCT(spot) at = { .dirfd = dirfd, .own = -1, .name = path };
	char part[NAME_MAX + 1];
	const char *slash;

	while (dirfd != AT_FDCWD && (slash = strchr(at.name, '/')) != NULL) {
		size_t len = (size_t)(slash - at.name);
		int next;

		if (len > NAME_MAX)
			return component_check(path);
		memcpy(part, at.name, len);
		part[len] = '\0';
		if (component_check(part) != 0)
			return -1;
		if ((next = component_open(at.dirfd, part)) < 0)
			return path_error("open", path);
		cleanup_fd(&at.own);
		at.dirfd = at.own = next;
		at.name = slash + 1;
	}
	if (dirfd != AT_FDCWD && component_check(at.name) != 0)
		return -1;
	*ret_spot = at;
	at.own = -1;
	return 0;
}

int
file_open_at(int dirfd, const char *path, int *ret_fd, struct stat *ret_stat)
{
	AUTO_STRUCT(spot) spot = { .own = -1 };
	AUTO_FD(fd) = -1;
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
	    (dirfd == AT_FDCWD ? 0 : O_NOFOLLOW);

	if (spot_find(dirfd, path, &spot) != 0)
		return -1;
	fd = openat(spot.dirfd, spot.name, flags);
	/* A socket cannot be opened at all. */
	if (fd < 0 && errno != ENXIO)
		return path_error("open", path);
	if (fd >= 0 && fstat(fd, ret_stat) != 0)
		return path_error("read", path);
	if (fd < 0 || !S_ISREG(ret_stat->st_mode))
		return ca_error(CA_R_INPUT,
		    "cannot read '%s': it is not a regular file", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* read(2) until `len` bytes are there or the file ends. */
static int
read_up_to(int fd, void *data, size_t len, const char *path, size_t *ret_len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)data + done, len - done);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot read '%s'", path);
		done += (size_t)n;
	}
	*ret_len = done;
	return 0;
}

int
dir_open(const char *path, int *ret_fd)
{
	AUTO_CHARS(bare) = text_copy(path);
	size_t len = strlen(path);
	int fd;

	if (bare == NULL)
		return -1;
	/* "link/" would be followed. */
	while (len > 1 && bare[len - 1] == '/')
		bare[--len] = '\0';
	if ((fd = component_open(AT_FDCWD, bare)) < 0)
		return path_error("open the directory", path);
	*ret_fd = fd;
	return 0;
}

int
dir_open_at(int dirfd, const char *name, int *ret_fd)
{
	int fd;

	if (component_check(name) != 0)
		return -1;
	if ((fd = component_open(dirfd, name)) < 0)
		return path_error("open the directory", name);
	*ret_fd = fd;
	return 0;
}

/* Set exact permissions; the umask may have masked some. */
static int
set_mode(int fd, mode_t mode, const char *name)
{
	struct stat st;
	int saved;

	if (fchmod(fd, mode) == 0)
		return 0;
	saved = errno;
	/* FAT knows no permissions: fine where it gives others no more. */
	if (saved == EPERM && fstat(fd, &st) == 0 &&
	    (st.st_mode & 077 & ~mode) == 0)
		return 0;
	errno = saved;
	return ca_error_errno(
	    CA_R_IO, "cannot set the permissions of '%s'", name);
}

int
dir_make_at(int dirfd, const char *name, mode_t mode, int *ret_fd)
{
	AUTO_FD(fd) = -1;
	bool made;

	if (component_check(name) != 0)
		return -1;
	made = mkdirat(dirfd, name, mode) == 0;
	if (!made && errno != EEXIST)
		return path_error("make the directory", name);
	if (dir_open_at(dirfd, name, &fd) != 0)
		return -1;
	if (made &&
	    (set_mode(fd, mode, name) != 0 || file_sync(fd, name) != 0 ||
		file_sync(dirfd, name) != 0))
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int
dir_list(int dirfd, DIR **ret_dir)
{
	AUTO_FD(fd) = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot list a directory");
	(void)TAKE_FD(fd);
	*ret_dir = dir;
	return 0;
}

/* The next entry but "." and ".."; *ret_entry is NULL at the end. */
static int
dir_next(DIR *dir, const struct dirent **ret_entry)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir);
	} while (entry != NULL && !is_component(entry->d_name));
	if (entry == NULL && errno != 0)
		return ca_error_errno(CA_R_IO, "cannot list a directory");
	*ret_entry = entry;
	return 0;
}

static int
dir_is_empty(int dirfd, bool *ret_empty)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry = NULL;

	if (dir_list(dirfd, &dir) != 0 || dir_next(dir, &entry) != 0)
		return -1;
	*ret_empty = entry == NULL;
	return 0;
}

/* Make the last component of `path` in its parent. */
static int
dir_make_in_parent(char *path, char *name, mode_t mode, int *ret_fd)
{
	AUTO_FD(parent) = -1;
	const char *where = name == path ? "." : path;

	if (name == path + 1)
		where = "/";
	else if (name != path)
		name[-1] = '\0';
	parent = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return path_error("open the directory", where);
	return dir_make_at(parent, name, mode, ret_fd);
}

int
dir_make(const char *path, mode_t mode, int *ret_fd, bool *ret_empty)
{
	AUTO_CHARS(bare) = text_copy(path);
	AUTO_FD(fd) = -1;
	size_t len = strlen(path);
	bool empty = false;
	char *name;
	int made;

	if (bare == NULL)
		return -1;
	while (len > 1 && bare[len - 1] == '/')
		bare[--len] = '\0';
	name = strrchr(bare, '/');
	name = name == NULL ? bare : name + 1;
	/* "/", "." and ".." exist. */
	made = is_component(name) ? dir_make_in_parent(bare, name, mode, &fd)
				  : dir_open(path, &fd);
	if (made != 0 || dir_is_empty(fd, &empty) != 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	*ret_empty = empty;
	return 0;
}

bool
file_is_temporary(const char *name)
{
	const char *mark = strrchr(name, '.');

	return name[0] == '.' && mark > name + 1 &&
	    strncmp(mark, ".tmp-", 5) == 0 &&
	    strlen(mark) == 5 + RANDOM_DIGITS &&
	    strspn(mark + 5, "0123456789abcdef") == RANDOM_DIGITS;
}

int
dir_sweep(int dirfd)
{
	AUTO(DIR) *dir = NULL;
	const struct dirent *entry = NULL;
	bool swept = false;

	if (dir_list(dirfd, &dir) != 0 || dir_next(dir, &entry) != 0)
		return -1;
	while (entry != NULL) {
		if (file_is_temporary(entry->d_name)) {
			if (unlinkat(dirfd, entry->d_name, 0) != 0)
				return ca_error_errno(CA_R_IO,
				    "cannot remove the temporary file '%s'",
				    entry->d_name);
			swept = true;
		}
		if (dir_next(dir, &entry) != 0)
			return -1;
	}
	return swept ? file_sync(dirfd, "a directory") : 0;
}

int
file_sync(int fd, const char *name)
{
	while (fsync(fd) != 0) {
		if (errno != EINTR)
			return ca_error_errno(
			    CA_R_IO, "cannot write '%s' durably to disk", name);
	}
	return 0;
}

/*
 * Read to the end into a buffer that begins with room for `room` bytes: the
 * size that fstat() tells may be stale, and is 0 in /proc.
 */
static int
read_whole(int fd, const char *path, size_t room, size_t max,
    unsigned char **ret_data, size_t *ret_len)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0, more = 0;

	for (;; room = room > max / 2 ? max : 2 * room) {
		/* One octet to see the end, one for the NUL. */
		unsigned char *larger = realloc(data, room + 2);

		if (larger == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		data = larger;
		if (read_up_to(fd, data + len, room + 1 - len, path, &more) !=
		    0)
			return -1;
		len += more;
		if (len <= room)
			break;
		if (room >= max)
			return ca_error(CA_R_INPUT,
			    "'%s' is larger than %zu bytes", path, max);
	}
	data[len] = 0;
	*ret_data = TAKE(data);
	*ret_len = len;
	return 0;
}

int
file_read_at(int dirfd, const char *path, size_t max, unsigned char **ret_data,
    size_t *ret_len)
{
	AUTO_FD(fd) = -1;
	struct stat st;
	size_t room;

	if (max > SIZE_MAX - 2)
		max = SIZE_MAX - 2;
	if (file_open_at(dirfd, path, &fd, &st) != 0)
		return -1;
	if (st.st_size < 0 || (uintmax_t)st.st_size > max)
		return ca_error(
		    CA_R_INPUT, "'%s' is larger than %zu bytes", path, max);
	room = st.st_size == 0 ? 1 : (size_t)st.st_size;
	if (room > max)
		room = max;
	return read_whole(fd, path, room, max, ret_data, ret_len);
}

/* A file that has no name yet but a temporary one. */
struct temporary {
	int dirfd;
	int fd;
	char name[NAME_MAX + 1]; /* "" once there is nothing to remove */
};

static void
temporary_clear(struct temporary *temporary)
{
	cleanup_fd(&temporary->fd);
	if (temporary->name[0] != '\0')
		(void)unlinkat(temporary->dirfd, temporary->name, 0);
	temporary->name[0] = '\0';
}
CLEANUP_DEFINE_STRUCT(temporary);

static int
temporary_name(const char *name, char ret_name[NAME_MAX + 1])
{
	unsigned char octets[RANDOM_DIGITS / 2];
	char digits[RANDOM_DIGITS + 1];

	if (getrandom(octets, sizeof octets, 0) != sizeof octets)
		return ca_error_errno(CA_R_IO, "no random bytes to be had");
	text_hex_into(octets, sizeof octets, digits);
	(void)snprintf(ret_name, NAME_MAX + 1, ".%.*s.tmp-%s",
	    (int)WRITTEN_NAME_MAX, name, digits);
	return 0;
}

static int
temporary_make(int dirfd, const char *name, struct temporary *ret_temporary)
{
	struct temporary made = { .dirfd = dirfd, .fd = -1, .name = "" };

	if (component_check(name) != 0)
		return -1;
	if (strlen(name) > WRITTEN_NAME_MAX)
		return ca_error(
		    CA_R_INPUT, "the file name '%s' is too long", name);
	do {
		if (temporary_name(name, made.name) != 0)
			return -1;
		made.fd = openat(dirfd, made.name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (made.fd < 0 && errno == EEXIST);
	if (made.fd < 0)
		return path_error("write", name);
	*ret_temporary = made;
	return 0;
}

/* Give the file its name unless that is taken; errno is EEXIST if it is. */
static int
rename_new(int dirfd, const char *from, const char *to)
{
	if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dirfd, from, dirfd, to, 0) != 0)
		return -1;
	return unlinkat(dirfd, from, 0);
}

/* What became of a file that was about to get its name. */
enum named {
	NAMED,
	NAME_TAKEN,
};

/* All but the name: permissions, content on disk; then the name, on disk. */
static int
temporary_finish(struct temporary *temporary, const char *name, mode_t perm,
    bool replace, enum named *ret_named)
{
	int dirfd = temporary->dirfd, failed;

	if (set_mode(temporary->fd, perm, name) != 0 ||
	    file_sync(temporary->fd, name) != 0)
		return -1;
	failed = replace ? renameat(dirfd, temporary->name, dirfd, name)
			 : rename_new(dirfd, temporary->name, name);
	if (failed != 0 && errno == EEXIST && !replace) {
		*ret_named = NAME_TAKEN;
		return 0;
	}
	if (failed != 0)
		return path_error("write", name);
	temporary->name[0] = '\0';
	*ret_named = NAMED;
	return file_sync(dirfd, name);
}

/* Compare a file, in fixed memory. */
static int
content_is(
    int dirfd, const char *name, const void *data, size_t len, bool *ret_same)
{
	AUTO_FD(fd) = -1;
	unsigned char chunk[CHUNK];
	struct stat st;
	size_t done = 0, n = 0;

	if (file_open_at(dirfd, name, &fd, &st) != 0)
		return -1;
	do {
		if (read_up_to(fd, chunk, sizeof chunk, name, &n) != 0)
			return -1;
		if (n > len - done ||
		    (n != 0 &&
			memcmp((const char *)data + done, chunk, n) != 0)) {
			*ret_same = false;
			return 0;
		}
		done += n;
	} while (n == sizeof chunk);
	*ret_same = done == len;
	return 0;
}

/* The name is taken: refuse, or find there what was to be written. */
static int
settle_taken(int dirfd, const char *name, const void *data, size_t len,
    enum file_mode mode)
{
	bool same = false;

	if (mode == FILE_NEW)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already and is not overwritten", name);
	if (content_is(dirfd, name, data, len, &same) != 0)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already and cannot be compared", name);
	if (!same)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already with other content and is not "
		    "overwritten",
		    name);
	/* It may be there since a crash, its name not yet on disk. */
	return file_sync(dirfd, name);
}

int
file_write_at(int dirfd, const char *name, const void *data, size_t len,
    mode_t perm, enum file_mode mode)
{
	AUTO_STRUCT(temporary) temporary = { .fd = -1 };
	enum named named = NAMED;
	int there = 0;

	if (component_check(name) != 0)
		return -1;
	if (mode != FILE_REPLACE && (there = file_exists_at(dirfd, name)) < 0)
		return -1;
	if (there == 1)
		return settle_taken(dirfd, name, data, len, mode);
	if (temporary_make(dirfd, name, &temporary) != 0 ||
	    file_write_all(temporary.fd, data, len, name) != 0 ||
	    temporary_finish(
		&temporary, name, perm, mode == FILE_REPLACE, &named) != 0)
		return -1;
	if (named == NAME_TAKEN)
		return settle_taken(dirfd, name, data, len, mode);
	return 0;
}

/* Feed what is left of `fd` to `to`, or to `hash` where that is not NULL. */
static int
pump(int fd, const char *path, int to, const char *to_name, EVP_MD_CTX *hash)
{
	unsigned char chunk[CHUNK];
	size_t n = 0;
	int result = 0;

	do {
		result = read_up_to(fd, chunk, sizeof chunk, path, &n);
		if (result == 0 && hash == NULL)
			result = file_write_all(to, chunk, n, to_name);
		else if (result == 0 && EVP_DigestUpdate(hash, chunk, n) != 1)
			result = ca_error(CA_R_INTERNAL, "SHA-256 failed");
	} while (result == 0 && n == sizeof chunk);
	/* What is copied may be a token's objects. */
	OPENSSL_cleanse(chunk, sizeof chunk);
	return result;
}

int
file_copy_at(
    int from_dirfd, const char *from, int to_dirfd, const char *to, mode_t perm)
{
	AUTO_STRUCT(temporary) temporary = { .fd = -1 };
	AUTO_FD(fd) = -1;
	enum named named = NAMED;
	struct stat st;

	if (file_open_at(from_dirfd, from, &fd, &st) != 0 ||
	    temporary_make(to_dirfd, to, &temporary) != 0 ||
	    pump(fd, from, temporary.fd, to, NULL) != 0)
		return -1;
	return temporary_finish(&temporary, to, perm, true, &named);
}

int
file_exists_at(int dirfd, const char *path)
{
	AUTO_STRUCT(spot) spot = { .own = -1 };
	struct stat st;

	(void)ERR_set_mark();
	if (spot_find(dirfd, path, &spot) != 0) {
		if (ca_error_reason() != CA_R_MISSING) {
			(void)ERR_clear_last_mark();
			return -1;
		}
		/* An empty queue takes no mark, and is emptied again. */
		(void)ERR_pop_to_mark();
		return 0;
	}
	(void)ERR_clear_last_mark();
	if (fstatat(spot.dirfd, spot.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	if (errno == ENOENT)
		return 0;
	return path_error("look for", path);
}

int
file_remove_at(int dirfd, const char *name)
{
	if (component_check(name) != 0)
		return -1;
	if (unlinkat(dirfd, name, 0) == 0)
		return file_sync(dirfd, name);
	if (errno == ENOENT)
		return 0;
	return path_error("remove", name);
}

int
file_sha256_at(int dirfd, const char *path, unsigned char ret_digest[32])
{
	AUTO(EVP_MD_CTX) *hash = EVP_MD_CTX_new();
	AUTO_FD(fd) = -1;
	unsigned char digest[32];
	struct stat st;

	if (hash == NULL || EVP_DigestInit_ex2(hash, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	if (file_open_at(dirfd, path, &fd, &st) != 0 ||
	    pump(fd, path, -1, "", hash) != 0)
		return -1;
	if (EVP_DigestFinal_ex(hash, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	memcpy(ret_digest, digest, sizeof digest);
	return 0;
}

int
file_space_check(int dirfd, uint64_t bytes, const char *name)
{
	struct statvfs fs;
	uint64_t free_bytes;

	if (fstatvfs(dirfd, &fs) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot tell the free space of '%s'", name);
	if (__builtin_mul_overflow(
		(uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &free_bytes))
		free_bytes = UINT64_MAX;
	if (free_bytes < bytes)
		return ca_error(CA_R_FULL,
		    "too little space for '%s': %llu bytes are needed, %llu "
		    "are free",
		    name, (unsigned long long)bytes,
		    (unsigned long long)free_bytes);
	if (fs.f_files != 0 && fs.f_favail == 0)
		return ca_error(CA_R_FULL,
		    "no more files fit on the file system of '%s'", name);
	return 0;
}

int
file_write_all(int fd, const void *data, size_t len, const char *name)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot write '%s'", name);
		done += (size_t)n;
	}
	return 0;
}
