/*
 * Memory runs out at call 1, 2, 3, ... of a function until it succeeds: each
 * time it fails cleanly, its outputs untouched, with an error raised.  The
 * linker wraps the allocation of our own objects only (see CMakeLists.txt).
 */
#include "base/date.h"
#include "base/file.h"
#include "base/findings.h"
#include "base/text.h"
#include "base/yaml.h"
#include "support.h"

/* How many calls still succeed; negative: all do. */
static long calls_left = -1;

static bool
fails(void)
{
	if (calls_left < 0)
		return false;
	if (calls_left > 0) {
		calls_left--;
		return false;
	}
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
int __real_vasprintf(char **ret_text, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
int __real___vasprintf_chk(char **ret_text, int flag, const char *fmt,
    va_list args) __attribute__((format(printf, 3, 0)));
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
int __wrap_vasprintf(char **ret_text, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
int __wrap___vasprintf_chk(char **ret_text, int flag, const char *fmt,
    va_list args) __attribute__((format(printf, 3, 0)));

void *
__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
	return fails() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t len)
{
	return fails() ? NULL : __real_strndup(text, len);
}

int
__wrap_vasprintf(char **ret_text, const char *fmt, va_list args)
{
	return fails() ? -1 : __real_vasprintf(ret_text, fmt, args);
}

/* What vasprintf() becomes under _FORTIFY_SOURCE. */
int
__wrap___vasprintf_chk(char **ret_text, int flag, const char *fmt, va_list args)
{
	return fails() ? -1 : __real___vasprintf_chk(ret_text, flag, fmt, args);
}

/* 0 or -1; on failure it must have checked that nothing was given back. */
static void
until_success(int (*body)(void *ctx), void *ctx, long least)
{
	int result = -1;
	long calls = 0;

	for (; result != 0; calls++) {
		assert_true(calls < 1000);
		ca_error_clear();
		calls_left = calls;
		result = body(ctx);
		calls_left = -1;
		if (result != 0)
			assert_int_equal(ca_error_reason(), CA_R_MEMORY);
	}
	/* So many failures at least, or nothing was tested. */
	assert_true(calls > least);
	ca_error_clear();
}

static int
text_functions(void *ctx)
{
	AUTO_CHARS(a) = text_printf("%d", 1);
	AUTO_CHARS(b) = a == NULL ? NULL : text_copy("x");
	AUTO_CHARS(c) = b == NULL ? NULL : text_escape("x", 1);
	AUTO_CHARS(d) =
	    c == NULL ? NULL : text_hex((const unsigned char *)"x", 1);
	AUTO_CHARS(e) = d == NULL ? NULL : duration_format(90061);
	AUTO_BYTES(f) = NULL;
	size_t len = 77;

	(void)ctx;
	if (e == NULL)
		return -1;
	if (text_unhex("00", &f, &len) == 0)
		return 0;
	assert_null(f);
	assert_int_equal(len, 77);
	return -1;
}

static void
test_text(void **state)
{
	(void)state;
	until_success(text_functions, NULL, 8);
}

static int
file_functions(void *ctx)
{
	struct scratch *scratch = ctx;
	AUTO_BYTES(data) = NULL;
	AUTO_FD(fd) = -1;
	AUTO_FD(made) = -1;
	size_t len = 77;
	bool empty = true;

	if (dir_open(scratch->path, &fd) != 0 ||
	    dir_make(scratch->path, 0700, &made, &empty) != 0) {
		assert_int_equal(made, -1);
		return -1;
	}
	if (file_read_at(scratch->fd, "f", 10, &data, &len) == 0)
		return 0;
	assert_null(data);
	assert_int_equal(len, 77);
	return -1;
}

static void
test_file(void **state)
{
	struct scratch *scratch = *state;

	assert_ok(file_write_at(scratch->fd, "f", "x", 1, 0600, FILE_NEW));
	until_success(file_functions, scratch, 3);
}

/* A table that could not hold its rows still refuses. */
static void
test_findings(void **state)
{
	bool lost = true;
	long calls = 0;

	(void)state;
	for (; lost; calls++) {
		AUTO_STRUCT(findings) all = { 0 };
		AUTO_STRUCT(findings) one = { 0 };

		assert_true(calls < 100);
		findings_add(&one, FINDING_NOTICE, "N", "p", "s", "text");
		calls_left = calls;
		findings_add(&all, FINDING_NOTICE, "N", "p", "s", "text");
		findings_merge(&all, &one);
		calls_left = -1;
		lost = all.lost;
		assert_int_equal(all.errors > 0, lost);
		assert_int_equal(all.count < 2, lost);
		ca_error_clear();
	}
	assert_true(calls > 10);
}

struct list {
	char **names;
	unsigned names_count;
};

static const cyaml_schema_value_t name_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 10),
};

static const cyaml_schema_field_t list_fields[] = {
	CYAML_FIELD_SEQUENCE("names", CYAML_FLAG_POINTER, struct list, names,
	    &name_schema, 0, 10),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t list_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct list, list_fields),
};

static int
yaml_good(void *ctx)
{
	static const char text[] = "names:\n  - a\n  - b\n  - c\n";
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(yaml) *doc = NULL;
	void *value = NULL;
	int result = yaml_load("p", (const unsigned char *)text, strlen(text),
	    &list_schema, &findings, &doc, &value);

	(void)ctx;
	assert_int_equal(findings.count, 0);
	if (result == 0) {
		yaml_value_free(&list_schema, value);
		return 0;
	}
	assert_null(doc);
	assert_null(value);
	return -1;
}

static void
test_yaml(void **state)
{
	(void)state;
	until_success(yaml_good, NULL, 10);
}

/* What is malformed stays so, whatever cannot be said about it. */
static void
test_yaml_bad(void **state)
{
	static const char *const texts[] = {
		"names: [\n",
		"names: &x [a]\nnames: b\n",
		"name: [a]\nother: {}\n",
		"names:\n - {}\n - abcdefghijklmn\n",
		"\x01\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (long calls = 0; calls < 60; calls++) {
			AUTO_STRUCT(findings) findings = { 0 };
			struct yaml *doc = NULL;
			void *value = NULL;
			int result;

			ca_error_clear();
			calls_left = calls;
			result = yaml_load("p", (const unsigned char *)texts[i],
			    strlen(texts[i]), &list_schema, &findings, &doc,
			    &value);
			calls_left = -1;
			assert_int_equal(result, -1);
			assert_null(doc);
			assert_null(value);
			assert_true(ca_error_reason() == CA_R_MEMORY ||
			    findings.errors > 0);
		}
	}
	ca_error_clear();
}

static void
show(void *ctx, size_t depth, const char *text, const char *origin)
{
	size_t *count = ctx;

	assert_int_equal(depth, *count);
	assert_non_null(text);
	assert_non_null(origin);
	(*count)++;
}

/* Errors are shown, if only as "out of memory". */
static void
test_error(void **state)
{
	(void)state;
	for (long calls = 0; calls < 10; calls++) {
		size_t count = 0;

		ca_error_clear();
		(void)ca_error(CA_R_INPUT, "first");
		(void)ca_error(CA_R_INPUT, "second");
		calls_left = calls;
		ca_error_drain(show, &count);
		calls_left = -1;
		assert_true(count >= 2);
		assert_int_equal(ca_error_reason(), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test_setup_teardown(
		    test_file, scratch_setup, scratch_teardown),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_yaml_bad),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
