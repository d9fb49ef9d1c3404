/*
 * Files on directory descriptors: read whole and bounded, written whole or
 * not at all.  No symbolic link is followed, everything is O_CLOEXEC.
 *
 * A file is written under a temporary name ".NAME.tmp-XXXXXXXX", synced,
 * renamed, and its directory synced.  What a crash leaves of temporary files,
 * dir_sweep() removes.
 */
#ifndef CA_BASE_FILE_H
#define CA_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

enum file_mode {
	FILE_NEW,     /* refuse with CA_R_EXISTS if there */
	FILE_SAME,    /* fine if there with the same bytes, else CA_R_EXISTS */
	FILE_REPLACE, /* put in place of what is there */
};

/* Open a directory by path; its last component may not be a symlink. */
int dir_open(const char *path, int *ret_fd) MUST_USE;

/* Open the directory `name` (one component) of `dirfd`. */
int dir_open_at(int dirfd, const char *name, int *ret_fd) MUST_USE;

/*
 * The same; where it is missing it is made with `mode`, and the parent synced.
 */
int dir_make_at(int dirfd, const char *name, mode_t mode, int *ret_fd) MUST_USE;

/*
 * Make the directory `path` (parents must exist) unless it exists already;
 * open it.  *ret_empty says whether it holds no entry.
 */
int dir_make(
    const char *path, mode_t mode, int *ret_fd, bool *ret_empty) MUST_USE;

/* Is this ".NAME.tmp-XXXXXXXX", what a crash leaves? */
bool file_is_temporary(const char *name);

/* Remove temporary files that a crash left in `dirfd`. */
int dir_sweep(int dirfd) MUST_USE;

/* fsync of a directory or file descriptor, with an error that names `name`. */
int file_sync(int fd, const char *name) MUST_USE;

struct stat;

/*
 * Open a regular file for reading, where file_read_at() would: nothing else is
 * waited for.  *ret_stat is the file's.
 */
int file_open_at(
    int dirfd, const char *path, int *ret_fd, struct stat *ret_stat) MUST_USE;

/*
 * Read a whole regular file of at most `max` bytes.  A FIFO, device, socket
 * or directory is refused at once, never waited for.  `path` may have several
 * components below `dirfd` (AT_FDCWD for what the user named); with
 * AT_FDCWD, symbolic links are followed, as the user would expect.
 * A NUL byte stands behind the data, not counted.
 */
int file_read_at(int dirfd, const char *path, size_t max,
    unsigned char **ret_data, size_t *ret_len) MUST_USE;

/* Write a whole file `name` (one component) with permissions `perm`. */
int file_write_at(int dirfd, const char *name, const void *data, size_t len,
    mode_t perm, enum file_mode mode) MUST_USE;

/*
 * Copy the regular file from_dirfd/from whole to to_dirfd/to, FILE_REPLACE,
 * in fixed memory; the copy is synced before it gets its name.
 */
int file_copy_at(int from_dirfd, const char *from, int to_dirfd, const char *to,
    mode_t perm) MUST_USE;

/* 1 if `path` exists (whatever it is), 0 if not, -1 on an error. */
int file_exists_at(int dirfd, const char *path) MUST_USE;

/* Unlink and sync the directory; fine if it does not exist. */
int file_remove_at(int dirfd, const char *name) MUST_USE;

/* SHA-256 of a regular file's bytes, in fixed memory. */
int file_sha256_at(
    int dirfd, const char *path, unsigned char ret_digest[32]) MUST_USE;

/* CA_R_FULL unless the file system of `dirfd` has `bytes` free for us. */
int file_space_check(int dirfd, uint64_t bytes, const char *name) MUST_USE;

/* write(2) until all is written; EINTR is retried. */
int file_write_all(
    int fd, const void *data, size_t len, const char *name) MUST_USE;

#endif
