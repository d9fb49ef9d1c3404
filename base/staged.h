/*
 * Many files that get their names together: each is written, of any length,
 * under a temporary name; then all are on disk; then each gets its name, and
 * the names are on disk.  A few are synced one by one, more of them by one
 * syncfs(2), which is as fast as the disk.
 *
 * A cut leaves a file whole under its name, or only a temporary one that
 * dir_sweep() removes.
 */
#ifndef CA_BASE_STAGED_H
#define CA_BASE_STAGED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/file.h"

struct staged_file {
	int dirfd;   /* the caller's */
	char *name;  /* one component */
	char *label; /* for messages and lists */
	char *temporary;
	enum file_mode mode;
	unsigned char sha256[32];
	uint64_t len;
};

struct staged {
	struct staged_file *files;
	size_t count, room;
	const struct staged_file *taken; /* whose name was; or NULL */
	/* The one that is being written. */
	int fd;
	EVP_MD_CTX *digest;
	unsigned char *buffer;
	size_t fill;
};
void staged_clear(struct staged *staged);
CLEANUP_DEFINE_STRUCT(staged);

/* An empty one; the only way to make it. */
static inline struct staged
staged_new(void)
{
	return (struct staged){ .fd = -1 };
}

/*
 * Begin a file of directory `dirfd`, which stays open until the commit.  No
 * other may be begun and not ended.
 */
int staged_begin(struct staged *staged, int dirfd, const char *name,
    const char *label, mode_t perm, enum file_mode mode) MUST_USE;
int staged_write(struct staged *staged, const void *data, size_t len) MUST_USE;
int staged_end(struct staged *staged) MUST_USE;

/* All three. */
int staged_put(struct staged *staged, int dirfd, const char *name,
    const char *label, mode_t perm, enum file_mode mode, const void *data,
    size_t len) MUST_USE;

/*
 * Names for all.  CA_R_EXISTS, with the label, where one is taken and its
 * enum file_mode does not allow it; those before have their names then.
 * The rows stay, to be looked at, until staged_clear().
 */
int staged_commit(struct staged *staged) MUST_USE;

/* Is the file there as it was written?  CA_R_VERIFY where it is not. */
int staged_check(const struct staged_file *file) MUST_USE;

#endif
