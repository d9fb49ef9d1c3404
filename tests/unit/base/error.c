#include "base/error.h"

#include <openssl/err.h>

#include "support.h"

/* What ca_error_drain() gave. */
struct shown {
	size_t count;
	char text[20][2048];
	char origin[20][256];
};

static void
show(void *ctx, size_t depth, const char *text, const char *origin)
{
	struct shown *shown = ctx;

	assert_int_equal(depth, shown->count);
	assert_true(shown->count < 20);
	(void)snprintf(shown->text[depth], 2048, "%s", text);
	(void)snprintf(shown->origin[depth], 256, "%s", origin);
	shown->count++;
}

static void
test_nothing_raised(void **state)
{
	struct shown shown = { 0 };

	(void)state;
	ca_error_clear();
	assert_int_equal(ca_error_reason(), 0);
	assert_int_equal(ca_error_exit_status(), CA_EXIT_DONE);
	ca_error_drain(show, &shown);
	assert_int_equal(shown.count, 0);
}

static void
test_every_reason(void **state)
{
	static const struct {
		enum ca_reason reason;
		enum ca_exit exit;
	} rows[] = {
		{ CA_R_IO, CA_EXIT_FAILED },
		{ CA_R_FULL, CA_EXIT_FAILED },
		{ CA_R_MEMORY, CA_EXIT_FAILED },
		{ CA_R_INTERNAL, CA_EXIT_FAILED },
		{ CA_R_INTERRUPTED, CA_EXIT_FAILED },
		{ CA_R_USAGE, CA_EXIT_USAGE },
		{ CA_R_INPUT, CA_EXIT_REFUSED },
		{ CA_R_POLICY, CA_EXIT_REFUSED },
		{ CA_R_EXISTS, CA_EXIT_REFUSED },
		{ CA_R_MISSING, CA_EXIT_REFUSED },
		{ CA_R_BUSY, CA_EXIT_REFUSED },
		{ CA_R_STATE, CA_EXIT_REFUSED },
		{ CA_R_CORRUPT, CA_EXIT_REFUSED },
		{ CA_R_VERIFY, CA_EXIT_REFUSED },
		{ CA_R_MODULE, CA_EXIT_TOKEN },
		{ CA_R_TOKEN, CA_EXIT_TOKEN },
		{ CA_R_PIN, CA_EXIT_TOKEN },
		{ CA_R_KEY, CA_EXIT_TOKEN },
		{ CA_R_QUORUM, CA_EXIT_REFUSED },
	};
	size_t count = sizeof rows / sizeof rows[0];

	(void)state;
	/* None was forgotten. */
	assert_int_equal(count, CA_R_QUORUM - CA_R_IO + 1);
	for (size_t i = 0; i < count; i++) {
		ca_error_clear();
		assert_int_equal(ca_error(rows[i].reason, "text"), -1);
		assert_int_equal(ca_error_reason(), rows[i].reason);
		assert_int_equal(ca_error_exit_status(), rows[i].exit);
		assert_non_null(ERR_reason_error_string(ERR_peek_last_error()));
		assert_string_equal(
		    ERR_lib_error_string(ERR_peek_last_error()), "ca-tool");
	}
	ca_error_clear();
}

static void
test_newest_first(void **state)
{
	struct shown shown = { 0 };

	(void)state;
	ca_error_clear();
	(void)ca_error(CA_R_IO, "the cause");
	(void)ca_error(CA_R_POLICY, "the headline of '%s', %d", "x", 7);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	ca_error_drain(show, &shown);
	assert_int_equal(shown.count, 2);
	assert_string_equal(shown.text[0], "the headline of 'x', 7");
	assert_string_equal(shown.text[1], "the cause");
	assert_non_null(strstr(shown.origin[0], "error.c:"));
	assert_int_equal(ca_error_reason(), 0);
}

static void
test_library_entries(void **state)
{
	struct shown shown = { 0 };

	(void)state;
	ca_error_clear();
	ERR_raise_data(ERR_LIB_RSA, ERR_R_MALLOC_FAILURE, "evil\x1b[2J");
	assert_int_equal(ca_error_reason(), CA_R_INTERNAL);
	assert_int_equal(ca_error_exit_status(), CA_EXIT_FAILED);
	ERR_raise(ERR_LIB_SYS, ENOENT);
	ERR_raise(77, 12);
	ca_error_drain(show, &shown);
	assert_int_equal(shown.count, 3);
	assert_string_equal(shown.text[0], "error 12");
	assert_string_equal(shown.origin[0], "library 77");
	assert_string_equal(shown.text[1], "No such file or directory");
	assert_non_null(strstr(shown.text[2], "malloc failure"));
	assert_non_null(strstr(shown.text[2], ": evil\\x1b[2J"));
	assert_string_equal(shown.origin[2], "rsa routines");
}

static void
test_escaped(void **state)
{
	struct shown shown = { 0 };

	(void)state;
	(void)ca_error(CA_R_INPUT, "bad '%s'", "a\x1b]0;x\a\nb\xe2\x80\xae");
	ca_error_drain(show, &shown);
	assert_string_equal(
	    shown.text[0], "bad 'a\\x1b]0;x\\x07\\x0ab\\xe2\\x80\\xae'");
}

static void
test_long_text_is_cut(void **state)
{
	struct shown shown = { 0 };
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	(void)ca_error(CA_R_INPUT, "%s", text);
	/* U+00E9 in octets 899 and 900 would be cut in two. */
	memcpy(text + 899, "\xc3\xa9", 2);
	(void)ca_error(CA_R_INPUT, "%s", text);
	/* U+1F600: four octets, of which three fit. */
	memcpy(text + 897, "\xf0\x9f\x98\x80", 4);
	(void)ca_error(CA_R_INPUT, "%s", text);
	errno = EACCES;
	(void)ca_error_errno(CA_R_IO, "%s", text);
	ca_error_drain(show, &shown);
	assert_int_equal(shown.count, 4);
	assert_int_equal(strlen(shown.text[3]), 900);
	assert_int_equal(strlen(shown.text[2]), 899);
	assert_int_equal(strlen(shown.text[1]), 897);
	assert_int_equal(strlen(shown.text[0]), 900);
	/* What the system said survives. */
	assert_string_equal(shown.text[0] + 900 - 19, ": Permission denied");
}

static void
test_errno(void **state)
{
	static const struct {
		int error;
		enum ca_reason given, wanted;
	} rows[] = {
		{ EIO, CA_R_IO, CA_R_IO },
		{ ENOSPC, CA_R_IO, CA_R_FULL },
		{ EDQUOT, CA_R_IO, CA_R_FULL },
		{ ENOSPC, CA_R_TOKEN, CA_R_TOKEN },
	};
	struct shown shown = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		errno = rows[i].error;
		assert_int_equal(
		    ca_error_errno(rows[i].given, "cannot write '%s'", "f"),
		    -1);
		assert_int_equal(ca_error_reason(), rows[i].wanted);
	}
	ca_error_drain(show, &shown);
	assert_string_equal(
	    shown.text[0], "cannot write 'f': No space left on device");
}

static void
test_overflowing_queue(void **state)
{
	struct shown shown = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)ca_error(CA_R_INPUT, "entry %d", i);
	ca_error_drain(show, &shown);
	assert_true(shown.count >= 15 && shown.count < 20);
	assert_string_equal(shown.text[0], "entry 99");
	assert_int_equal(ca_error_reason(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_raised),
		cmocka_unit_test(test_every_reason),
		cmocka_unit_test(test_newest_first),
		cmocka_unit_test(test_library_entries),
		cmocka_unit_test(test_escaped),
		cmocka_unit_test(test_long_text_is_cut),
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_overflowing_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
