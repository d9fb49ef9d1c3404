#include "base/file.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <openssl/err.h>

#include "base/text.h"
#include "support.h"

static void
put(int dirfd, const char *name, const char *text)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void
assert_content(int dirfd, const char *path, const char *text)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	assert_ok(file_read_at(dirfd, path, 1 << 20, &data, &len));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static mode_t
mode_of(int dirfd, const char *name)
{
	struct stat st;

	assert_ok(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW));
	return st.st_mode & 07777;
}

static bool
is_cloexec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
test_dir_open(void **state)
{
	struct scratch *scratch = *state;
	AUTO_CHARS(link) = text_printf("%s/link", scratch->path);
	AUTO_CHARS(slash) = text_printf("%s/link/", scratch->path);
	AUTO_CHARS(file) = text_printf("%s/file", scratch->path);
	AUTO_CHARS(none) = text_printf("%s/none", scratch->path);
	AUTO_CHARS(real) = text_printf("%s//", scratch->path);
	AUTO_FD(fd) = -1;
	int untouched = 77;

	put(scratch->fd, "file", "x");
	assert_ok(symlinkat(".", scratch->fd, "link"));
	assert_ok(dir_open(real, &fd));
	assert_true(is_cloexec(fd));
	assert_refused(CA_R_INPUT, dir_open(link, &untouched));
	assert_refused(CA_R_INPUT, dir_open(slash, &untouched));
	assert_refused(CA_R_INPUT, dir_open(file, &untouched));
	assert_refused(CA_R_MISSING, dir_open(none, &untouched));
	assert_refused(CA_R_MISSING, dir_open("", &untouched));
	assert_int_equal(untouched, 77);
}

static void
test_dir_open_at(void **state)
{
	struct scratch *scratch = *state;
	static const char *const bad[] = { "", ".", "..", "a/b", "/", "sub/" };
	AUTO_FD(fd) = -1;
	int untouched = 77;

	assert_ok(mkdirat(scratch->fd, "sub", 0700));
	assert_ok(symlinkat("sub", scratch->fd, "link"));
	put(scratch->fd, "file", "x");
	assert_ok(dir_open_at(scratch->fd, "sub", &fd));
	assert_true(is_cloexec(fd));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(
		    CA_R_INPUT, dir_open_at(scratch->fd, bad[i], &untouched));
	assert_refused(
	    CA_R_INPUT, dir_open_at(scratch->fd, "link", &untouched));
	assert_refused(
	    CA_R_INPUT, dir_open_at(scratch->fd, "file", &untouched));
	assert_refused(
	    CA_R_MISSING, dir_open_at(scratch->fd, "none", &untouched));
	assert_int_equal(untouched, 77);
}

static void
test_dir_make_at(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(made) = -1;
	AUTO_FD(again) = -1;
	int untouched = 77;
	mode_t mask = umask(077);

	assert_ok(dir_make_at(scratch->fd, "sub", 0755, &made));
	(void)umask(mask);
	assert_int_equal(mode_of(scratch->fd, "sub"), 0755);
	/* What is there already keeps its permissions. */
	assert_ok(dir_make_at(scratch->fd, "sub", 0700, &again));
	assert_int_equal(mode_of(scratch->fd, "sub"), 0755);
	assert_ok(symlinkat("sub", scratch->fd, "link"));
	put(scratch->fd, "file", "x");
	assert_refused(
	    CA_R_INPUT, dir_make_at(scratch->fd, "link", 0700, &untouched));
	assert_refused(
	    CA_R_INPUT, dir_make_at(scratch->fd, "file", 0700, &untouched));
	assert_refused(
	    CA_R_INPUT, dir_make_at(scratch->fd, "a/b", 0700, &untouched));
	assert_int_equal(untouched, 77);
}

static void
test_dir_make(void **state)
{
	struct scratch *scratch = *state;
	AUTO_CHARS(path) = text_printf("%s/new/", scratch->path);
	AUTO_CHARS(deep) = text_printf("%s/no/parent", scratch->path);
	AUTO_CHARS(link) = text_printf("%s/link/", scratch->path);
	AUTO_FD(made) = -1;
	AUTO_FD(again) = -1;
	AUTO_FD(here) = -1;
	AUTO_FD(root) = -1;
	int untouched = 77;
	bool empty = false;

	assert_ok(dir_make(path, 0700, &made, &empty));
	assert_true(empty);
	assert_int_equal(mode_of(scratch->fd, "new"), 0700);
	put(made, ".hidden", "x");
	assert_ok(dir_make(path, 0700, &again, &empty));
	assert_false(empty);
	assert_ok(dir_make(".", 0700, &here, &empty));
	assert_ok(dir_make("/", 0700, &root, &empty));
	assert_false(empty);
	assert_ok(symlinkat("new", scratch->fd, "link"));
	empty = true;
	assert_refused(CA_R_MISSING, dir_make(deep, 0700, &untouched, &empty));
	assert_refused(CA_R_INPUT, dir_make(link, 0700, &untouched, &empty));
	assert_int_equal(untouched, 77);
	assert_true(empty);
}

/* A path of one component, made where we stand. */
static void
make_here(void *arg)
{
	struct scratch *scratch = arg;
	bool empty = false;
	int fd = -1;

	CHECK(fchdir(scratch->fd) == 0);
	CHECK(dir_make("bare", 0700, &fd, &empty) == 0);
	CHECK(empty && faccessat(scratch->fd, "bare", F_OK, 0) == 0);
}

static void
test_dir_make_here(void **state)
{
	in_child(make_here, *state);
}

static void
test_sweep(void **state)
{
	struct scratch *scratch = *state;
	static const char *const swept[] = { ".a.tmp-01234567",
		".token.object.tmp-deadbeef" };
	static const char *const kept[] = { "a.tmp-01234567", ".a.tmp-0123456",
		".a.tmp-012345678", ".a.tmp-0123456G", ".a.tmp-0123456F",
		".tmp-01234567", ".a", "b.tmp", ".a.tmp-01234567x" };

	for (size_t i = 0; i < sizeof swept / sizeof swept[0]; i++)
		put(scratch->fd, swept[i], "x");
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		put(scratch->fd, kept[i], "x");
	assert_ok(dir_sweep(scratch->fd));
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		assert_int_equal(file_exists_at(scratch->fd, kept[i]), 1);
	assert_int_equal(entries(scratch->fd), sizeof kept / sizeof kept[0]);
	assert_ok(dir_sweep(scratch->fd));
	/* A directory of such a name is not ours. */
	assert_ok(mkdirat(scratch->fd, ".d.tmp-01234567", 0700));
	assert_refused(CA_R_IO, dir_sweep(scratch->fd));
}

static void
test_read(void **state)
{
	struct scratch *scratch = *state;
	AUTO_CHARS(path) = text_printf("%s/file", scratch->path);
	AUTO_CHARS(link) = text_printf("%s/link", scratch->path);
	AUTO_BYTES(data) = NULL;
	AUTO_BYTES(empty) = NULL;
	size_t len = 99;

	put(scratch->fd, "file", "content");
	put(scratch->fd, "empty", "");
	assert_ok(symlinkat("file", scratch->fd, "link"));
	assert_ok(file_read_at(scratch->fd, "file", 7, &data, &len));
	assert_int_equal(len, 7);
	assert_string_equal(data, "content");
	assert_ok(file_read_at(scratch->fd, "empty", 0, &empty, &len));
	assert_int_equal(len, 0);
	assert_int_equal(empty[0], 0);
	/* What the user named may be a link. */
	assert_content(AT_FDCWD, path, "content");
	assert_content(AT_FDCWD, link, "content");
}

static void
test_read_refusals(void **state)
{
	struct scratch *scratch = *state;
	static const char *const bad[] = { "", ".", "..", "/etc/passwd", "../x",
		"sub//file", "sub/../file", "./file", "sub/", "link",
		"linked/file", "file/x", "sub" };
	unsigned char *data = NULL;
	size_t len = 99;

	put(scratch->fd, "file", "content");
	assert_ok(mkdirat(scratch->fd, "sub", 0700));
	assert_ok(symlinkat("file", scratch->fd, "link"));
	assert_ok(symlinkat("sub", scratch->fd, "linked"));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(CA_R_INPUT,
		    file_read_at(scratch->fd, bad[i], 100, &data, &len));
	assert_refused(
	    CA_R_INPUT, file_read_at(scratch->fd, "file", 6, &data, &len));
	assert_refused(
	    CA_R_MISSING, file_read_at(scratch->fd, "none", 6, &data, &len));
	assert_refused(
	    CA_R_MISSING, file_read_at(scratch->fd, "no/ne", 6, &data, &len));
	assert_null(data);
	assert_int_equal(len, 99);
}

static void
test_read_below(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(sub) = -1;
	AUTO_FD(deep) = -1;

	assert_ok(dir_make_at(scratch->fd, "sub", 0700, &sub));
	assert_ok(dir_make_at(sub, "deep", 0700, &deep));
	put(deep, "file", "content");
	assert_content(scratch->fd, "sub/deep/file", "content");
	assert_int_equal(file_exists_at(scratch->fd, "sub/deep/file"), 1);
	assert_int_equal(file_exists_at(scratch->fd, "sub/deep/none"), 0);
	assert_int_equal(file_exists_at(scratch->fd, "sub/none/file"), 0);
}

/* Nobody writes into the FIFO: to wait for it would be for ever. */
static void
test_read_irregular(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(sock) = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned char *data = NULL;
	unsigned char digest[32];
	size_t len = 0;

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s/sock",
	    scratch->path);
	assert_ok(bind(sock, (struct sockaddr *)&address, sizeof address));
	assert_ok(mkfifoat(scratch->fd, "fifo", 0600));
	(void)alarm(10);
	assert_refused(
	    CA_R_INPUT, file_read_at(scratch->fd, "fifo", 9, &data, &len));
	assert_refused(
	    CA_R_INPUT, file_read_at(scratch->fd, "sock", 9, &data, &len));
	assert_refused(
	    CA_R_INPUT, file_read_at(AT_FDCWD, "/dev/zero", 9, &data, &len));
	assert_refused(
	    CA_R_INPUT, file_read_at(AT_FDCWD, scratch->path, 9, &data, &len));
	assert_refused(CA_R_INPUT, file_sha256_at(scratch->fd, "fifo", digest));
	assert_refused(CA_R_INPUT,
	    file_copy_at(scratch->fd, "fifo", scratch->fd, "copy", 0600));
	(void)alarm(0);
}

/* Its size is said to be 0. */
static void
test_read_proc(void **state)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(
	    file_read_at(AT_FDCWD, "/proc/self/status", 1 << 20, &data, &len));
	assert_true(len > 100);
	assert_int_equal(strlen((char *)data), len);
	cleanup_bytes(&data);
	assert_refused(CA_R_INPUT,
	    file_read_at(AT_FDCWD, "/proc/self/status", 10, &data, &len));
	assert_null(data);
}

static void
test_write_new(void **state)
{
	struct scratch *scratch = *state;
	mode_t mask = umask(077);

	assert_ok(
	    file_write_at(scratch->fd, "new", "content", 7, 0644, FILE_NEW));
	(void)umask(mask);
	assert_content(scratch->fd, "new", "content");
	assert_int_equal(mode_of(scratch->fd, "new"), 0644);
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "new", "other", 5, 0644, FILE_NEW));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "new", "content", 7, 0644, FILE_NEW));
	assert_content(scratch->fd, "new", "content");
	assert_ok(file_write_at(scratch->fd, "empty", "", 0, 0600, FILE_NEW));
	assert_content(scratch->fd, "empty", "");
	assert_int_equal(mode_of(scratch->fd, "empty"), 0600);
	assert_int_equal(entries(scratch->fd), 2);
}

static void
test_write_same(void **state)
{
	struct scratch *scratch = *state;

	assert_ok(
	    file_write_at(scratch->fd, "f", "content", 7, 0600, FILE_SAME));
	assert_ok(
	    file_write_at(scratch->fd, "f", "content", 7, 0600, FILE_SAME));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "f", "contenu", 7, 0600, FILE_SAME));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "f", "content!", 8, 0600, FILE_SAME));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "f", "conten", 6, 0600, FILE_SAME));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "f", "", 0, 0600, FILE_SAME));
	assert_content(scratch->fd, "f", "content");
	assert_int_equal(entries(scratch->fd), 1);
}

/* More than one chunk, and a whole number of them. */
static void
test_write_same_large(void **state)
{
	struct scratch *scratch = *state;
	static const size_t sizes[] = { 32767, 32768, 32769, 65536, 100000 };
	static char data[100001];

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		size_t len = sizes[i];

		memset(data, 'x', sizeof data);
		assert_ok(file_write_at(
		    scratch->fd, "f", data, len, 0600, FILE_REPLACE));
		assert_ok(file_write_at(
		    scratch->fd, "f", data, len, 0600, FILE_SAME));
		assert_refused(CA_R_EXISTS,
		    file_write_at(
			scratch->fd, "f", data, len + 1, 0600, FILE_SAME));
		assert_refused(CA_R_EXISTS,
		    file_write_at(
			scratch->fd, "f", data, len - 1, 0600, FILE_SAME));
		data[len - 1] = 'y';
		assert_refused(CA_R_EXISTS,
		    file_write_at(
			scratch->fd, "f", data, len, 0600, FILE_SAME));
	}
}

static void
test_write_replace(void **state)
{
	struct scratch *scratch = *state;

	put(scratch->fd, "target", "untouched");
	assert_ok(symlinkat("target", scratch->fd, "f"));
	/* A link is replaced, not written through. */
	assert_ok(
	    file_write_at(scratch->fd, "f", "one", 3, 0640, FILE_REPLACE));
	assert_content(scratch->fd, "f", "one");
	assert_int_equal(mode_of(scratch->fd, "f"), 0640);
	assert_content(scratch->fd, "target", "untouched");
	assert_ok(
	    file_write_at(scratch->fd, "f", "two", 3, 0600, FILE_REPLACE));
	assert_content(scratch->fd, "f", "two");
	assert_int_equal(mode_of(scratch->fd, "f"), 0600);
	assert_int_equal(entries(scratch->fd), 2);
	/* Never a directory; and nothing is left behind. */
	assert_ok(mkdirat(scratch->fd, "dir", 0700));
	assert_refused(CA_R_IO,
	    file_write_at(scratch->fd, "dir", "x", 1, 0600, FILE_REPLACE));
	assert_int_equal(entries(scratch->fd), 3);
}

static void
test_write_onto_others(void **state)
{
	struct scratch *scratch = *state;

	put(scratch->fd, "target", "content");
	assert_ok(symlinkat("target", scratch->fd, "link"));
	assert_ok(symlinkat("nowhere", scratch->fd, "dangling"));
	assert_ok(mkfifoat(scratch->fd, "fifo", 0600));
	(void)alarm(10);
	/* Even with the same bytes behind it, a link is not the file. */
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "link", "content", 7, 0600, FILE_SAME));
	assert_refused(CA_R_EXISTS,
	    file_write_at(
		scratch->fd, "dangling", "content", 7, 0600, FILE_NEW));
	assert_refused(CA_R_EXISTS,
	    file_write_at(scratch->fd, "fifo", "", 0, 0600, FILE_SAME));
	(void)alarm(0);
	assert_int_equal(file_exists_at(scratch->fd, "nowhere"), 0);
	assert_int_equal(entries(scratch->fd), 4);
}

static void
test_write_bad_names(void **state)
{
	struct scratch *scratch = *state;
	char name[NAME_MAX + 2];

	assert_refused(
	    CA_R_INPUT, file_write_at(scratch->fd, "", "x", 1, 0600, FILE_NEW));
	assert_refused(CA_R_INPUT,
	    file_write_at(scratch->fd, "..", "x", 1, 0600, FILE_REPLACE));
	assert_refused(CA_R_INPUT,
	    file_write_at(scratch->fd, "a/b", "x", 1, 0600, FILE_NEW));
	memset(name, 'n', sizeof name);
	name[NAME_MAX + 1] = '\0';
	assert_refused(CA_R_INPUT,
	    file_write_at(scratch->fd, name, "x", 1, 0600, FILE_NEW));
	name[NAME_MAX] = '\0';
	assert_refused(CA_R_INPUT,
	    file_write_at(scratch->fd, name, "x", 1, 0600, FILE_NEW));
	name[NAME_MAX - 14] = '\0';
	assert_ok(file_write_at(scratch->fd, name, "x", 1, 0600, FILE_NEW));
	assert_int_equal(entries(scratch->fd), 1);
}

/* One system call fails: the reason, and nothing is left behind. */
struct fault {
	struct scratch *scratch;
	long call;
	int error;
	enum ca_reason reason;
	enum file_mode mode;
};

static void
write_fails(void *arg)
{
	const struct fault *fault = arg;
	int dirfd = fault->scratch->fd;
	size_t before = entries(dirfd);

	syscall_fails(fault->call, fault->error);
	CHECK(file_write_at(dirfd, "f", "new", 3, 0600, fault->mode) == -1);
	CHECK(ca_error_reason() == (int)fault->reason);
	CHECK(entries(dirfd) == before);
	ca_error_clear();
	CHECK(file_copy_at(dirfd, "source", dirfd, "f", 0600) == -1);
	CHECK(ca_error_reason() == (int)fault->reason);
	CHECK(entries(dirfd) == before);
}

static void
test_write_faults(void **state)
{
	struct scratch *scratch = *state;
	struct fault faults[] = {
		{ scratch, SYS_write, ENOSPC, CA_R_FULL, FILE_REPLACE },
		{ scratch, SYS_write, EDQUOT, CA_R_FULL, FILE_REPLACE },
		{ scratch, SYS_write, EIO, CA_R_IO, FILE_REPLACE },
		{ scratch, SYS_fsync, EIO, CA_R_IO, FILE_REPLACE },
		{ scratch, SYS_fsync, ENOSPC, CA_R_FULL, FILE_REPLACE },
		{ scratch, SYS_fchmod, EIO, CA_R_IO, FILE_REPLACE },
		{ scratch, SYS_getrandom, EIO, CA_R_IO, FILE_REPLACE },
		{ scratch, SYS_renameat, EIO, CA_R_IO, FILE_REPLACE },
	};

	put(scratch->fd, "f", "old");
	put(scratch->fd, "source", "source");
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		in_child(write_fails, &faults[i]);
		assert_content(scratch->fd, "f", "old");
	}
}

/* A file system that cannot rename without replacing. */
static void
write_without_renameat2(void *arg)
{
	const struct fault *fault = arg;
	int dirfd = fault->scratch->fd;
	size_t before = entries(dirfd);

	syscall_fails(SYS_renameat2, fault->error);
	CHECK(file_write_at(dirfd, "f", "new", 3, 0600, FILE_NEW) == 0);
	CHECK(entries(dirfd) == before + 1);
	CHECK(file_write_at(dirfd, "f", "new", 3, 0600, FILE_SAME) == 0);
	CHECK(unlinkat(dirfd, "f", 0) == 0);
	syscall_fails(SYS_linkat, EPERM);
	CHECK(file_write_at(dirfd, "f", "new", 3, 0600, FILE_NEW) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
	CHECK(entries(dirfd) == before);
}

static void
test_without_renameat2(void **state)
{
	struct fault fault = { .scratch = *state, .error = EINVAL };

	in_child(write_without_renameat2, &fault);
	fault.error = ENOSYS;
	in_child(write_without_renameat2, &fault);
}

/* The name was taken between the look and the renaming. */
static void
write_races(void *arg)
{
	struct scratch *scratch = arg;

	syscall_fails(SYS_newfstatat, ENOENT);
	CHECK(file_write_at(scratch->fd, "f", "new", 3, 0600, FILE_NEW) == -1);
	CHECK(ca_error_reason() == CA_R_EXISTS);
}

static void
test_write_races(void **state)
{
	struct scratch *scratch = *state;

	put(scratch->fd, "f", "old");
	in_child(write_races, scratch);
	assert_content(scratch->fd, "f", "old");
	assert_int_equal(entries(scratch->fd), 1);
}

/* FAT: no permissions can be set, those there must give others no more. */
static void
write_without_permissions(void *arg)
{
	struct scratch *scratch = arg;

	syscall_fails(SYS_fchmod, EPERM);
	(void)umask(0);
	/* Temporary files are made 0600. */
	CHECK(file_write_at(scratch->fd, "a", "x", 1, 0644, FILE_NEW) == 0);
	CHECK(file_write_at(scratch->fd, "b", "x", 1, 0600, FILE_NEW) == 0);
}

static void
test_without_permissions(void **state)
{
	in_child(write_without_permissions, *state);
}

static void
write_too_large(void *arg)
{
	struct scratch *scratch = arg;
	const struct rlimit limit = { 10, 10 };

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(file_write_at(scratch->fd, "f", "0123456789ab", 12, 0600,
		  FILE_REPLACE) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
	CHECK(entries(scratch->fd) == 1);
}

static void
test_write_too_large(void **state)
{
	struct scratch *scratch = *state;

	put(scratch->fd, "f", "old");
	in_child(write_too_large, scratch);
	assert_content(scratch->fd, "f", "old");
}

static void
test_write_all(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(full) = open("/dev/full", O_WRONLY | O_CLOEXEC);
	AUTO_FD(null) = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_refused(CA_R_FULL, file_write_all(full, "x", 1, "full"));
	assert_refused(CA_R_IO, file_write_all(null, "x", 1, "null"));
	assert_refused(CA_R_IO, file_write_all(-1, "x", 1, "none"));
	assert_ok(file_write_all(full, "", 0, "full"));
	assert_ok(file_sync(scratch->fd, "scratch"));
	assert_refused(CA_R_IO, file_sync(-1, "none"));
}

static void
test_copy(void **state)
{
	struct scratch *scratch = *state;
	static char data[100001];
	AUTO_FD(sub) = -1;

	memset(data, 'x', sizeof data - 1);
	put(scratch->fd, "from", data);
	assert_ok(symlinkat("from", scratch->fd, "link"));
	assert_ok(dir_make_at(scratch->fd, "sub", 0700, &sub));
	assert_ok(file_copy_at(scratch->fd, "from", sub, "to", 0640));
	assert_content(sub, "to", data);
	assert_int_equal(mode_of(sub, "to"), 0640);
	put(scratch->fd, "small", "small");
	assert_ok(file_copy_at(scratch->fd, "small", sub, "to", 0600));
	assert_content(sub, "to", "small");
	assert_ok(file_copy_at(scratch->fd, "sub/to", scratch->fd, "up", 0600));
	assert_content(scratch->fd, "up", "small");
	assert_refused(
	    CA_R_INPUT, file_copy_at(scratch->fd, "link", sub, "to", 0600));
	assert_refused(
	    CA_R_MISSING, file_copy_at(scratch->fd, "none", sub, "to", 0600));
	assert_refused(
	    CA_R_INPUT, file_copy_at(scratch->fd, "from", sub, "a/b", 0600));
	assert_int_equal(entries(sub), 1);
}

static void
test_exists(void **state)
{
	struct scratch *scratch = *state;
	AUTO_CHARS(path) = text_printf("%s/f", scratch->path);

	assert_int_equal(file_exists_at(scratch->fd, "f"), 0);
	assert_int_equal(file_exists_at(AT_FDCWD, path), 0);
	put(scratch->fd, "f", "x");
	assert_int_equal(file_exists_at(scratch->fd, "f"), 1);
	assert_int_equal(file_exists_at(AT_FDCWD, path), 1);
	assert_ok(symlinkat("nowhere", scratch->fd, "dangling"));
	assert_int_equal(file_exists_at(scratch->fd, "dangling"), 1);
	assert_ok(mkdirat(scratch->fd, "sub", 0700));
	assert_int_equal(file_exists_at(scratch->fd, "sub"), 1);
	assert_int_equal(ca_error_reason(), 0);
	assert_refused(CA_R_INPUT, file_exists_at(scratch->fd, "f/x"));
	assert_refused(CA_R_INPUT, file_exists_at(scratch->fd, "dangling/x"));
	assert_refused(CA_R_INPUT, file_exists_at(scratch->fd, "../x"));
}

/* Looking for what is not there forgets no older error. */
static void
test_exists_keeps_errors(void **state)
{
	struct scratch *scratch = *state;

	ca_error_clear();
	(void)ca_error(CA_R_TOKEN, "older");
	assert_int_equal(file_exists_at(scratch->fd, "no/ne"), 0);
	assert_int_equal(ca_error_reason(), CA_R_TOKEN);
	assert_int_equal(file_exists_at(scratch->fd, "../x"), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	(void)ERR_get_error();
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	ca_error_clear();
}

static void
test_remove(void **state)
{
	struct scratch *scratch = *state;

	put(scratch->fd, "f", "x");
	assert_ok(symlinkat("f", scratch->fd, "link"));
	assert_ok(file_remove_at(scratch->fd, "link"));
	assert_content(scratch->fd, "f", "x");
	assert_ok(file_remove_at(scratch->fd, "f"));
	assert_ok(file_remove_at(scratch->fd, "f"));
	assert_int_equal(entries(scratch->fd), 0);
	assert_ok(mkdirat(scratch->fd, "sub", 0700));
	assert_refused(CA_R_IO, file_remove_at(scratch->fd, "sub"));
	assert_refused(CA_R_INPUT, file_remove_at(scratch->fd, "sub/x"));
}

static void
test_sha256(void **state)
{
	struct scratch *scratch = *state;
	static char data[70001];
	unsigned char digest[32], wanted[32];

	memset(data, 'x', sizeof data - 1);
	put(scratch->fd, "f", data);
	put(scratch->fd, "empty", "");
	assert_ok(file_sha256_at(scratch->fd, "f", digest));
	assert_ok(sha256(data, strlen(data), wanted));
	assert_memory_equal(digest, wanted, 32);
	assert_ok(file_sha256_at(scratch->fd, "empty", digest));
	assert_ok(sha256("", 0, wanted));
	assert_memory_equal(digest, wanted, 32);
	assert_refused(
	    CA_R_MISSING, file_sha256_at(scratch->fd, "none", digest));
	assert_memory_equal(digest, wanted, 32);
}

static void
test_space(void **state)
{
	struct scratch *scratch = *state;

	assert_ok(file_space_check(scratch->fd, 1, "scratch"));
	assert_refused(
	    CA_R_FULL, file_space_check(scratch->fd, UINT64_MAX, "scratch"));
	assert_refused(CA_R_IO, file_space_check(-1, 1, "none"));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dir_open),
		TEST(test_dir_open_at),
		TEST(test_dir_make_at),
		TEST(test_dir_make),
		TEST(test_dir_make_here),
		TEST(test_sweep),
		TEST(test_read),
		TEST(test_read_refusals),
		TEST(test_read_below),
		TEST(test_read_irregular),
		TEST(test_read_proc),
		TEST(test_write_new),
		TEST(test_write_same),
		TEST(test_write_same_large),
		TEST(test_write_replace),
		TEST(test_write_onto_others),
		TEST(test_write_bad_names),
		TEST(test_write_faults),
		TEST(test_without_renameat2),
		TEST(test_write_races),
		TEST(test_without_permissions),
		TEST(test_write_too_large),
		TEST(test_write_all),
		TEST(test_copy),
		TEST(test_exists),
		TEST(test_exists_keeps_errors),
		TEST(test_remove),
		TEST(test_sha256),
		TEST(test_space),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
