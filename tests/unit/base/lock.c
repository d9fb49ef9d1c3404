#include "base/lock.h"

#include "support.h"

static void
lock_is_busy(void *arg)
{
	struct scratch *scratch = arg;
	int fd = -1;

	CHECK(lock_take(scratch->fd, "lock", &fd) == -1);
	CHECK(ca_error_reason() == CA_R_BUSY);
	CHECK(fd == -1);
}

static void
lock_is_free(void *arg)
{
	struct scratch *scratch = arg;
	int fd = -1;

	CHECK(lock_take(scratch->fd, "lock", &fd) == 0);
	/* Ends with the process. */
}

static void
test_lock(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(fd) = -1;

	in_child(lock_is_free, scratch);
	assert_ok(lock_take(scratch->fd, "lock", &fd));
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	in_child(lock_is_busy, scratch);
	cleanup_fd(&fd);
	in_child(lock_is_free, scratch);
}

static void
keep_text(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)origin;
	if (depth == 0)
		(void)snprintf(ctx, 256, "%s", text);
}

static void
test_owner_is_named(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(fd) = -1;
	char text[256] = "", wanted[64];
	int other = -1;

	/* A longer number of an older owner leaves nothing behind. */
	other = openat(scratch->fd, "lock", O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(other, "99999999999\n", 12), 12);
	(void)close(other);
	assert_ok(lock_take(scratch->fd, "lock", &fd));
	other = -1;
	ca_error_clear();
	assert_int_equal(lock_take(scratch->fd, "lock", &other), -1);
	assert_int_equal(ca_error_reason(), CA_R_BUSY);
	ca_error_drain(keep_text, text);
	(void)snprintf(
	    wanted, sizeof wanted, "process %ld holds 'lock'", (long)getpid());
	assert_non_null(strstr(text, wanted));
	assert_int_equal(other, -1);
}

/* The file is another's to write: what it says is not believed blindly. */
static void
test_owner_unknown(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(fd) = -1;
	char text[256] = "";
	int other = -1;

	assert_ok(lock_take(scratch->fd, "lock", &fd));
	assert_int_equal(pwrite(fd, "\x1b[2Jevil", 8, 0), 8);
	assert_int_equal(lock_take(scratch->fd, "lock", &other), -1);
	ca_error_drain(keep_text, text);
	assert_string_equal(
	    text, "another ca-tool is at work here (it holds 'lock')");
}

static void
test_refusals(void **state)
{
	struct scratch *scratch = *state;
	int fd = -1;

	assert_ok(symlinkat("elsewhere", scratch->fd, "link"));
	assert_ok(mkfifoat(scratch->fd, "fifo", 0600));
	assert_ok(mkdirat(scratch->fd, "dir", 0700));
	assert_refused(CA_R_IO, lock_take(scratch->fd, "link", &fd));
	assert_refused(CA_R_INPUT, lock_take(scratch->fd, "fifo", &fd));
	assert_refused(CA_R_IO, lock_take(scratch->fd, "dir", &fd));
	assert_refused(CA_R_IO, lock_take(-1, "lock", &fd));
	assert_int_equal(fd, -1);
	assert_int_equal(
	    faccessat(scratch->fd, "elsewhere", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

/* A lock on a removed file keeps nobody out, so the name counts. */
static void
test_removed_file(void **state)
{
	struct scratch *scratch = *state;
	AUTO_FD(first) = -1;
	AUTO_FD(second) = -1;

	assert_ok(lock_take(scratch->fd, "lock", &first));
	assert_ok(unlinkat(scratch->fd, "lock", 0));
	assert_ok(lock_take(scratch->fd, "lock", &second));
	assert_int_not_equal(first, second);
}

static void
calls_fail(void *arg)
{
	struct scratch *scratch = arg;
	int fd = -1;

	syscall_fails(SYS_ftruncate, EIO);
	CHECK(lock_take(scratch->fd, "lock", &fd) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
	syscall_fails(SYS_flock, ENOLCK);
	CHECK(lock_take(scratch->fd, "lock", &fd) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
}

static void
test_faults(void **state)
{
	in_child(calls_fail, *state);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lock),
		TEST(test_owner_is_named),
		TEST(test_owner_unknown),
		TEST(test_refusals),
		TEST(test_removed_file),
		TEST(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
