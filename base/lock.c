#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

/* Another holds the lock: say who, as far as the file tells. */
static int
busy(int fd, const char *name)
{
	char text[24] = "";
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	size_t digits = n <= 0 ? 0 : strspn(text, "0123456789");

	if (digits == 0)
		return ca_error(CA_R_BUSY,
		    "another ca-tool is at work here (it holds '%s')", name);
	return ca_error(CA_R_BUSY,
	    "another ca-tool is at work here: process %.*s holds '%s'",
	    (int)digits, text, name);
}

/* A lock on a file that lost its name would keep nobody out. */
static int
name_check(int dirfd, const char *name, const struct stat *held)
{
	struct stat named;

	if (fstatat(dirfd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	    named.st_dev == held->st_dev && named.st_ino == held->st_ino)
		return 0;
	return ca_error(CA_R_BUSY,
	    "the lock file '%s' was removed or replaced just now: try again",
	    name);
}

static int
write_owner(int fd, const char *name)
{
	char text[24];
	int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	if (ftruncate(fd, 0) != 0)
		return ca_error_errno(CA_R_IO, "cannot write '%s'", name);
	return file_write_all(fd, text, (size_t)len, name);
}

int
lock_take(int dirfd, const char *name, int *ret_fd)
{
	AUTO_FD(fd) = -1;
	struct stat st;

	fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
	    0600);
	if (fd < 0 || fstat(fd, &st) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot open the lock file '%s'", name);
	if (!S_ISREG(st.st_mode))
		return ca_error(CA_R_INPUT,
		    "the lock file '%s' is not a regular file", name);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return busy(fd, name);
		return ca_error_errno(CA_R_IO, "cannot lock '%s'", name);
	}
	if (name_check(dirfd, name, &st) != 0 || write_owner(fd, name) != 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}
