#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/file.h"

enum {
	PROGRAM_MAX = 256 << 20,
	CHUNK = 1 << 16,
	EXIT_NOT_RUN = 127,
	FILES_MAX = 64,
	TICK_MS = 20,
	MS_PER_SECOND = 1000,
	NS_PER_MS = 1000000,
};

/* ---- programs ---------------------------------------------------------- */

void
program_clear(struct program *program)
{
	if (program->fd > 0)
		(void)close(program->fd);
	*program = (struct program){ .fd = 0 };
}

/* Copied, then sealed, then hashed: in this order nothing slips in. */
static int
seal(int fd, const char *path)
{
	const int seals =
	    F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	if (fcntl(fd, F_ADD_SEALS, seals) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot seal a copy of '%s'", path);
	return 0;
}

static int
copy_program(const char *path, const unsigned char *data, size_t len,
    struct program *program)
{
	program->fd = memfd_create("program", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (program->fd < 0) {
		program->fd = 0;
		return ca_error_errno(CA_R_IO, "cannot copy '%s'", path);
	}
	if (file_write_all(program->fd, data, len, path) != 0 ||
	    seal(program->fd, path) != 0)
		return -1;
	if (EVP_Digest(data, len, program->sha256, NULL, EVP_sha256(), NULL) !=
	    1)
		return ca_error(CA_R_INTERNAL, "cannot hash '%s'", path);
	return 0;
}

int
program_open(const char *path, struct program *ret_program)
{
	AUTO_STRUCT(program) program = { .fd = 0 };
	AUTO_BYTES(data) = NULL;
	size_t len;

	if (path[0] != '/')
		return ca_error(
		    CA_R_INPUT, "'%s' is not an absolute path", path);
	if (file_read_at(AT_FDCWD, path, PROGRAM_MAX, &data, &len) != 0 ||
	    copy_program(path, data, len, &program) != 0)
		return -1;
	*ret_program = program;
	program = (struct program){ .fd = 0 }; /* moved out */
	return 0;
}

/* ---- the child --------------------------------------------------------- */

static void
limit(__rlimit_resource_t what, rlim_t value)
{
	const struct rlimit both = { value, value };

	(void)setrlimit(what, &both);
}

/* Between fork and exec: nothing here takes a lock or allocates. */
static void
become(const struct program *program, int dirfd, int out,
    const char *const argv[], const struct process_limits *limits)
{
	enum { PROGRAM_FD = 3, FIRST_OTHER = 4 };
	static const char *const env[] = { "PATH=/usr/bin:/bin",
		"LC_ALL=C.UTF-8", NULL };
	union {
		const char *const *in;
		char *const *out;
	} args = { argv }, environment = { env };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || fchdir(dirfd) != 0 || setpgid(0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		_exit(EXIT_NOT_RUN);
	/* A script's interpreter reads it from /proc/self/fd/3. */
	if (program->fd != PROGRAM_FD) {
		if (dup2(program->fd, PROGRAM_FD) < 0)
			_exit(EXIT_NOT_RUN);
	} else if (fcntl(PROGRAM_FD, F_SETFD, 0) != 0)
		_exit(EXIT_NOT_RUN);
	if (syscall(SYS_close_range, FIRST_OTHER, ~0U, 0) != 0)
		_exit(EXIT_NOT_RUN);
	limit(RLIMIT_CPU, (rlim_t)(limits->milliseconds / MS_PER_SECOND + 1));
	limit(RLIMIT_AS, limits->memory_max);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, FILES_MAX);
	(void)fexecve(PROGRAM_FD, args.out, environment.out);
	_exit(EXIT_NOT_RUN);
}

/* ---- waiting for it ---------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / NS_PER_MS;
}

/* 1: there is more to come; 0: its end; -1. */
static int
read_some(int fd, size_t max, struct process_result *result)
{
	unsigned char *grown =
	    realloc(result->output, result->output_len + CHUNK + 1);
	ssize_t n;

	if (grown == NULL)
		return ca_error(
		    CA_R_MEMORY, "no memory for a program's output");
	result->output = grown;
	do
		n = read(fd, grown + result->output_len, CHUNK);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ca_error_errno(CA_R_IO, "cannot read from a program");
	result->output_len += (size_t)n;
	result->output[result->output_len] = '\0';
	if (result->output_len > max) {
		result->output_len = max;
		result->output[max] = '\0';
		result->end = PROCESS_FLOODED;
		return 0;
	}
	return n > 0 ? 1 : 0;
}

/* Its output, until it closes it or a limit is reached. */
static int
collect(int fd, int64_t deadline, size_t max, struct process_result *result)
{
	for (;;) {
		struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - now_ms();
		int more;

		if (left <= 0) {
			result->end = PROCESS_TIMEOUT;
			return 0;
		}
		more = poll(&poll_fd, 1, (int)left);
		if (more < 0 && errno != EINTR)
			return ca_error_errno(
			    CA_R_IO, "cannot wait for a program");
		if (more <= 0)
			continue;
		more = read_some(fd, max, result);
		if (more <= 0)
			return more;
	}
}

/* It closed its output: it has until the deadline to end. */
static int
reap(pid_t pid, int64_t deadline, struct process_result *result)
{
	const struct timespec tick = { 0, TICK_MS * NS_PER_MS };
	int status = 0;
	pid_t done;

	while ((done = waitpid(pid, &status, WNOHANG)) == 0 &&
	    result->end == PROCESS_EXITED) {
		if (now_ms() >= deadline)
			result->end = PROCESS_TIMEOUT;
		else
			(void)nanosleep(&tick, NULL);
	}
	/* The group as well: what it left running is not waited for. */
	(void)kill(-pid, SIGKILL);
	while (done <= 0) {
		done = waitpid(pid, &status, 0);
		if (done < 0 && errno != EINTR)
			return ca_error_errno(
			    CA_R_IO, "cannot wait for a program");
	}
	if (result->end != PROCESS_EXITED)
		return 0;
	if (WIFEXITED(status)) {
		result->status = WEXITSTATUS(status);
	} else {
		result->end = PROCESS_KILLED;
		result->status = WTERMSIG(status);
	}
	return 0;
}

void
process_result_clear(struct process_result *result)
{
	free(result->output);
	*result = (struct process_result){ .end = PROCESS_EXITED };
}

static int
start(const struct program *program, int dirfd, const char *const argv[],
    const struct process_limits *limits, int *ret_out, pid_t *ret_pid)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return ca_error_errno(CA_R_IO, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		become(program, dirfd, ends[1], argv, limits);
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return ca_error_errno(CA_R_IO, "cannot start '%s'", argv[0]);
	}
	(void)setpgid(pid, pid); /* whoever comes first */
	*ret_out = ends[0];
	*ret_pid = pid;
	return 0;
}

int
process_run(const struct program *program, int dirfd, const char *const argv[],
    const struct process_limits *limits, struct process_result *ret_result)
{
	AUTO_STRUCT(process_result) result = { .end = PROCESS_EXITED };
	const int64_t deadline = now_ms() + limits->milliseconds;
	AUTO_FD(out) = -1;
	pid_t pid;
	int rc;

	if (start(program, dirfd, argv, limits, &out, &pid) != 0)
		return -1;
	rc = collect(out, deadline, limits->output_max, &result);
	if (rc != 0)
		(void)kill(-pid, SIGKILL);
	if (reap(pid, deadline, &result) != 0 || rc != 0)
		return -1;
	*ret_result = result;
	result = (struct process_result){ .end = PROCESS_EXITED }; /* moved */
	return 0;
}
