#include "base/staged.h"

#include <sys/resource.h>

#include "base/text.h"
#include "support.h"

static void
assert_content(int dirfd, const char *path, const char *text)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	assert_ok(file_read_at(dirfd, path, 1 << 24, &data, &len));
	assert_int_equal(len, strlen(text));
	assert_memory_equal(data, text, len);
}

static int
put(struct staged *staged, int dirfd, const char *name, enum file_mode mode,
    const char *text)
{
	return staged_put(
	    staged, dirfd, name, name, 0640, mode, text, strlen(text));
}

/* Nothing has its name before the commit; afterwards all have. */
static void
test_together(void **state)
{
	struct scratch *scratch = *state;
	AUTO_STRUCT(staged) staged = staged_new();
	unsigned char digest[32];
	struct stat st;

	assert_ok(put(&staged, scratch->fd, "one", FILE_NEW, "1"));
	assert_ok(put(&staged, scratch->fd, "two", FILE_SAME, "22"));
	assert_ok(put(&staged, scratch->fd, "none", FILE_REPLACE, ""));
	assert_int_equal(file_exists_at(scratch->fd, "one"), 0);
	assert_ok(staged_commit(&staged));
	assert_content(scratch->fd, "one", "1");
	assert_content(scratch->fd, "two", "22");
	assert_content(scratch->fd, "none", "");
	assert_ok(fstatat(scratch->fd, "one", &st, 0));
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(entries(scratch->fd), 3);
	assert_ok(sha256("22", 2, digest));
	assert_memory_equal(staged.files[1].sha256, digest, 32);
	assert_int_equal(staged.files[1].len, 2);
	for (size_t i = 0; i < staged.count; i++)
		assert_ok(staged_check(&staged.files[i]));
}

/* More than are synced one by one, in two directories by turns. */
static void
test_many(void **state)
{
	enum { MANY = 300 };
	struct scratch *scratch = *state;
	AUTO_STRUCT(staged) staged = staged_new();
	AUTO_FD(sub) = -1;

	assert_ok(dir_make_at(scratch->fd, "sub", 0700, &sub));
	for (int i = 0; i < MANY; i++) {
		AUTO_CHARS(name) = text_printf("file-%d", i);

		assert_ok(put(&staged, i % 2 == 0 ? sub : scratch->fd, name,
		    FILE_NEW, name));
	}
	assert_ok(staged_commit(&staged));
	for (int i = 0; i < MANY; i++) {
		AUTO_CHARS(name) = text_printf("file-%d", i);

		assert_content(i % 2 == 0 ? sub : scratch->fd, name, name);
		assert_ok(staged_check(&staged.files[i]));
	}
	assert_int_equal(entries(sub), MANY / 2);
}

/* A long one, in pieces of all lengths around that of the buffer. */
static void
test_pieces(void **state)
{
	static const size_t lengths[] = { 0, 1, 65535, 65536, 65537, 3, 200000,
		65536, 1 };
	struct scratch *scratch = *state;
	AUTO_STRUCT(staged) staged = staged_new();
	AUTO_CHARS(text) = calloc(1, 600000);
	size_t at = 0;

	assert_non_null(text);
	for (size_t i = 0; i < 500000; i++)
		text[i] = (char)('a' + i % 23);
	assert_ok(
	    staged_begin(&staged, scratch->fd, "long", "long", 0600, FILE_NEW));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_ok(staged_write(&staged, text + at, lengths[i]));
		at += lengths[i];
	}
	assert_ok(staged_end(&staged));
	assert_ok(staged_commit(&staged));
	text[at] = '\0';
	assert_content(scratch->fd, "long", text);
	assert_int_equal(staged.files[0].len, at);
}

/* What is taken is named, and what is not allowed is not overwritten. */
static void
test_taken(void **state)
{
	static const struct {
		enum file_mode mode;
		const char *text;
		bool fine;
	} rows[] = {
		{ FILE_NEW, "there", false },
		{ FILE_SAME, "there", true },
		{ FILE_SAME, "other", false },
		{ FILE_REPLACE, "other", true },
	};
	struct scratch *scratch = *state;

	assert_ok(
	    file_write_at(scratch->fd, "x", "there", 5, 0600, FILE_REPLACE));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_STRUCT(staged) staged = staged_new();

		assert_ok(
		    put(&staged, scratch->fd, "x", rows[i].mode, rows[i].text));
		if (rows[i].fine) {
			assert_ok(staged_commit(&staged));
			assert_null(staged.taken);
			assert_content(scratch->fd, "x", rows[i].text);
			continue;
		}
		assert_refused(CA_R_EXISTS, staged_commit(&staged));
		assert_ptr_equal(staged.taken, &staged.files[0]);
		assert_content(scratch->fd, "x", "there");
	}
	assert_int_equal(entries(scratch->fd), 1);
}

/* What is given up leaves nothing; what a crash leaves is swept. */
static void
test_given_up(void **state)
{
	struct scratch *scratch = *state;
	struct staged staged = staged_new();
	struct staged cut = staged_new();

	assert_ok(put(&staged, scratch->fd, "a", FILE_NEW, "a"));
	assert_ok(staged_begin(&staged, scratch->fd, "b", "b", 0600, FILE_NEW));
	assert_refused(CA_R_INTERNAL,
	    staged_begin(&staged, scratch->fd, "c", "c", 0600, FILE_NEW));
	staged_clear(&staged);
	assert_int_equal(entries(scratch->fd), 0);
	assert_refused(CA_R_INTERNAL, staged_write(&staged, "x", 1));
	assert_ok(put(&cut, scratch->fd, "a", FILE_NEW, "a"));
	assert_int_equal(entries(scratch->fd), 1);
	assert_ok(dir_sweep(scratch->fd));
	assert_int_equal(entries(scratch->fd), 0);
	staged_clear(&cut);
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "/" };
	struct scratch *scratch = *state;
	AUTO_STRUCT(staged) staged = staged_new();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(CA_R_INTERNAL,
		    put(&staged, scratch->fd, bad[i], FILE_NEW, "x"));
	assert_int_equal(entries(scratch->fd), 0);
}

/* Somebody, or the disk, changed it behind the commit. */
static void
test_read_back(void **state)
{
	struct scratch *scratch = *state;
	AUTO_STRUCT(staged) staged = staged_new();

	assert_ok(put(&staged, scratch->fd, "x", FILE_NEW, "right"));
	assert_ok(staged_commit(&staged));
	assert_ok(staged_check(&staged.files[0]));
	assert_ok(
	    file_write_at(scratch->fd, "x", "wrong", 5, 0600, FILE_REPLACE));
	assert_refused(CA_R_VERIFY, staged_check(&staged.files[0]));
	assert_ok(unlinkat(scratch->fd, "x", 0));
	assert_refused(CA_R_MISSING, staged_check(&staged.files[0]));
}

/* A disk that is full gives no name to anything. */
static void
full(void *arg)
{
	const struct rlimit limit = { 100000, 100000 };
	struct scratch *scratch = arg;
	struct staged staged = staged_new();
	static char block[200000];

	(void)signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(put(&staged, scratch->fd, "small", FILE_NEW, "x") == 0);
	CHECK(staged_put(&staged, scratch->fd, "large", "large", 0600, FILE_NEW,
		  block, sizeof(block)) == -1);
	CHECK(ca_error_reason() == CA_R_IO || ca_error_reason() == CA_R_FULL);
	staged_clear(&staged);
	CHECK(entries(scratch->fd) == 0);
}

static void
test_full(void **state)
{
	in_child(full, *state);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_together),
		TEST(test_many),
		TEST(test_pieces),
		TEST(test_taken),
		TEST(test_given_up),
		TEST(test_names),
		TEST(test_read_back),
		TEST(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
