/* What the tests of base/ share. */
#ifndef TESTS_BASE_SUPPORT_H
#define TESTS_BASE_SUPPORT_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* It wants what stands above. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "base/error.h"

/* The call failed for that reason, and said so. */
#define assert_refused(reason, call)                           \
	do {                                                   \
		ca_error_clear();                              \
		assert_int_equal((call), -1);                  \
		assert_int_equal(ca_error_reason(), (reason)); \
		ca_error_clear();                              \
	} while (0)

#define assert_ok(call) assert_int_equal((call), 0)

/* In a child process, where cmocka's own assertions do not work. */
#define CHECK(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #condition);                                   \
			_exit(1);                                          \
		}                                                          \
	} while (0)

/* Run `body` in a child; it must come to its end. */
static inline void
in_child(void (*body)(void *arg), void *arg)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		body(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* From now on the system call fails in this process; for children. */
static inline void
syscall_fails(long number, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K,
		    SECCOMP_RET_ERRNO | ((unsigned)error & 0xffffu)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof code / sizeof code[0],
		.filter = code,
	};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0);
}

/* A fresh directory below the working directory, and its descriptor. */
struct scratch {
	char path[64];
	int fd;
};

static inline int
scratch_setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof *scratch);

	if (scratch == NULL)
		return -1;
	(void)snprintf(scratch->path, sizeof scratch->path, "test-base-XXXXXX");
	if (mkdtemp(scratch->path) == NULL)
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = scratch;
	return scratch->fd < 0 ? -1 : 0;
}

static inline void
remove_below(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		int sub;

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd, entry->d_name, 0) == 0)
			continue;
		sub = openat(dirfd, entry->d_name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		remove_below(sub);
		(void)close(sub);
		(void)unlinkat(dirfd, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(dir);
}

static inline int
scratch_teardown(void **state)
{
	struct scratch *scratch = *state;

	remove_below(scratch->fd);
	(void)close(scratch->fd);
	(void)rmdir(scratch->path);
	free(scratch);
	return 0;
}

/* Entries of a directory, "." and ".." not counted. */
static inline size_t
entries(int dirfd)
{
	DIR *dir =
	    fdopendir(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t count = 0;

	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2;
}

#endif
