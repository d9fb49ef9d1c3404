/*
 * Bulk inputs: directories become bundles, bundles are taken apart; what may not
 * be in a directory is said, and what is malformed refused.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "ceremony/plan-private.h"
#include "support.h"

struct fixture {
	char dir[32];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	ca_error_clear();
	(void)snprintf(f->dir, sizeof(f->dir), "test-bundle-XXXXXX");
	*state = f;
	return mkdtemp(f->dir) == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	int rc = nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);

	free(f);
	return rc;
}

static const char *
path_of(const struct fixture *f, const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void
put(const struct fixture *f, const char *name, const void *data, size_t len)
{
	FILE *file = fopen(path_of(f, name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* The directory, or a file of it, as an input; nothing may be wrong with it. */
static void
read_input(const char *path, struct inputs *inputs)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };

	assert_ok(bulk_read(path, "plan.yaml:1:1", AT_FDCWD, &findings, &bulk));
	assert_quiet(&findings);
	assert_ok(inputs_add_bulk(inputs, INPUT_BULK, "x", NULL, &bulk));
	assert_null(bulk.data);
}

/* ---- bundles ---------------------------------------------------------- */

static void
assert_file(const struct input *input, size_t *at, const char *name,
    const char *data, size_t len)
{
	struct bundle_file file = { 0 };
	bool found = false;

	assert_ok(bundle_next(input, at, &found, &file));
	assert_true(found);
	assert_int_equal(file.len, len);
	assert_memory_equal(file.data, data, len);
	if (name == NULL) {
		assert_null(file.name);
		return;
	}
	assert_int_equal(file.name_len, strlen(name));
	assert_memory_equal(file.name, name, file.name_len);
}

static void
assert_end(const struct input *input, size_t *at)
{
	struct bundle_file file = { 0 };
	bool found = true;

	assert_ok(bundle_next(input, at, &found, &file));
	assert_false(found);
	found = true;
	assert_ok(bundle_next(input, at, &found, &file));
	assert_false(found);
}

/* Whatever octets names and files have, they come back, in one order. */
static void
test_directory(void **state)
{
	const struct fixture *f = *state;
	AUTO_STRUCT(inputs) inputs = { 0 };
	size_t at = 0;

	put(f, "b.csr", "\0\n x\n", 5);
	put(f, "a b\n.csr", "1", 1);
	put(f, "Z", "", 0);
	put(f, "\xff\x1b[1m", "2 3\n", 4);
	put(f, "\xc3\xa4\\", "4", 1);
	put(f, "a", "ca-tool-bundle-1\nx 1\n", 21);
	read_input(f->dir, &inputs);
	assert_file(inputs.rows, &at, "Z", "", 0);
	assert_file(inputs.rows, &at, "a", "ca-tool-bundle-1\nx 1\n", 21);
	assert_file(inputs.rows, &at, "a\\x20b\\x0a.csr", "1", 1);
	assert_file(inputs.rows, &at, "b.csr", "\0\n x\n", 5);
	assert_file(inputs.rows, &at, "\xc3\xa4\\\\", "4", 1);
	assert_file(inputs.rows, &at, "\\xff\\x1b[1m", "2 3\n", 4);
	assert_end(inputs.rows, &at);
}

/* The octets of a name, back from its text. */
static void
test_names(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "a.csr", "a.csr" },
		{ "a\\x20b\\x0a", "a b\n" },
		{ "\\xff\\x1b[1m", "\xff\x1b[1m" },
		{ "\xc3\xa4\\\\", "\xc3\xa4\\" },
		{ "\\\\x20", "\\x20" },
		/* What text_escape() never writes stays as it is. */
		{ "\\", "\\" },
		{ "\\x2", "\\x2" },
		{ "\\xzz", "\\xzz" },
		{ "\\xFF", "\\xFF" },
		{ "\\n", "\\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct bundle_file file = { .name = cases[i].text,
			.name_len = strlen(cases[i].text) };
		AUTO_CHARS(name) = bundle_file_name(&file);

		assert_non_null(name);
		assert_string_equal(name, cases[i].name);
	}
}

/* What is no bundle is one file, an empty one too. */
static void
test_single(void **state)
{
	const struct fixture *f = *state;
	AUTO_STRUCT(inputs) inputs = { 0 };
	AUTO_STRUCT(inputs) empty = { 0 };
	size_t at = 0;

	put(f, "x", "ca-tool-bundle-2\n", 17);
	read_input(path_of(f, "x"), &inputs);
	assert_file(inputs.rows, &at, NULL, "ca-tool-bundle-2\n", 17);
	assert_end(inputs.rows, &at);
	put(f, "x", "", 0);
	read_input(path_of(f, "x"), &empty);
	at = 0;
	assert_file(empty.rows, &at, NULL, "", 0);
	assert_end(empty.rows, &at);
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = {
		"x",
		"x\n",
		"x 1",
		"x 1\n",
		"x 1\n1",
		"x 1\n12",
		"x 2\n1\n",
		"x 01\n1\n",
		"x -1\n1\n",
		"x 1 \n1\n",
		"x \n1\n",
		" 1\n1\n",
		"x y 1\n1\n",
		"x\t1\n1\n",
		"\x1b 1\n1\n",
		"\xff 1\n1\n",
		"x 18446744073709551615\n1\n",
		"x 99999999999999999999999\n1\n",
		"x 1\n1\ny",
		"\n",
		/* names that no file has, and escapes that nobody writes */
		". 1\n1\n",
		".. 1\n1\n",
		"a/b 1\n1\n",
		"a\\x2fb 1\n1\n",
		"a\\x00b 1\n1\n",
		"\\x2e 1\n1\n",
		"a\\q 1\n1\n",
		"a\\ 1\n1\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_STRUCT(inputs) inputs = { 0 };
		struct bundle_file file = { 0 };
		size_t at = 0, len;
		bool found = true;
		char *text = NULL;
		int rc = 0;

		assert_true(asprintf(&text, BUNDLE_MAGIC "%s", bad[i]) > 0);
		len = strlen(text);
		assert_ok(inputs_add(&inputs, INPUT_BULK, "x", NULL,
		    (unsigned char *)text, len));
		while (found && rc == 0)
			rc = bundle_next(inputs.rows, &at, &found, &file);
		if (rc != -1)
			fail_msg("'%s' is no bundle", bad[i]);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
		ca_error_clear();
	}
}

/* An empty bundle is well-formed; who needs a file says so. */
static void
test_empty_bundle(void **state)
{
	AUTO_STRUCT(inputs) inputs = { 0 };
	size_t at = 0;

	(void)state;
	assert_ok(inputs_add(&inputs, INPUT_BULK, "x", NULL,
	    (unsigned char *)strdup(BUNDLE_MAGIC), strlen(BUNDLE_MAGIC)));
	assert_end(inputs.rows, &at);
}

/* ---- directories ------------------------------------------------------ */

/* Nothing is followed or looked into; all of it is said at once. */
static void
test_what_is_no_file(void **state)
{
	const struct fixture *f = *state;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };

	put(f, "good.csr", "x", 1);
	assert_int_equal(symlink("good.csr", path_of(f, "link.csr")), 0);
	assert_int_equal(symlink("/nowhere", path_of(f, "\x1b[0m")), 0);
	assert_int_equal(mkdir(path_of(f, "sub"), 0700), 0);
	assert_int_equal(mkfifo(path_of(f, "fifo"), 0600), 0);
	put(f, "huge", "x", 1);
	assert_int_equal(
	    truncate(path_of(f, "huge"), (off_t)INPUT_MAX_BYTES + 1), 0);
	assert_ok(
	    bulk_read(f->dir, "plan.yaml:1:1", AT_FDCWD, &findings, &bulk));
	assert_int_equal(findings.errors, 5);
	assert_int_equal(count_findings(&findings, "INPUT-LINK", NULL), 2);
	assert_int_equal(count_findings(&findings, "INPUT-FOLDER", NULL), 1);
	assert_int_equal(count_findings(&findings, "INPUT-KIND", NULL), 1);
	assert_int_equal(count_findings(&findings, "INPUT-SIZE", NULL), 1);
	for (size_t i = 0; i < findings.count; i++) {
		assert_string_equal(findings.rows[i].place, "plan.yaml:1:1");
		assert_null(strchr(findings.rows[i].text, '\x1b'));
	}
}

static void
test_empty_directory(void **state)
{
	const struct fixture *f = *state;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };

	assert_ok(
	    bulk_read(f->dir, "plan.yaml:1:1", AT_FDCWD, &findings, &bulk));
	assert_only(&findings, "INPUT-EMPTY", "plan.yaml:1:1");
}

/* The sum is limited, and so is a file; a FIFO is never waited for. */
static void
test_limits(void **state)
{
	const struct fixture *f = *state;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };
	char name[16];

	assert_refused(CA_R_MISSING,
	    bulk_read(path_of(f, "gone"), "p", AT_FDCWD, &findings, &bulk));
	assert_int_equal(mkfifo(path_of(f, "fifo"), 0600), 0);
	assert_int_equal(
	    bulk_read(path_of(f, "fifo"), "p", AT_FDCWD, &findings, &bulk), -1);
	ca_error_clear();
	assert_int_equal(unlink(path_of(f, "fifo")), 0);
	put(f, "large", "x", 1);
	assert_int_equal(
	    truncate(path_of(f, "large"), (off_t)INPUT_BULK_MAX_BYTES + 1), 0);
	assert_refused(CA_R_INPUT,
	    bulk_read(path_of(f, "large"), "p", AT_FDCWD, &findings, &bulk));
	assert_int_equal(unlink(path_of(f, "large")), 0);
	for (int i = 0; i <= INPUT_BULK_MAX_BYTES / INPUT_MAX_BYTES; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		put(f, name, "x", 1);
		assert_int_equal(
		    truncate(path_of(f, name), INPUT_MAX_BYTES), 0);
	}
	assert_refused(
	    CA_R_INPUT, bulk_read(f->dir, "p", AT_FDCWD, &findings, &bulk));
	assert_null(bulk.data);
	assert_quiet(&findings);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_directory, setup, teardown),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_single, setup, teardown),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_empty_bundle),
		cmocka_unit_test_setup_teardown(
		    test_what_is_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_empty_directory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
