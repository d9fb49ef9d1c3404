#include "base/text.h"

#include "support.h"

static void
test_printf_and_copy(void **state)
{
	AUTO_CHARS(a) = text_printf("%s-%d", "x", 3);
	AUTO_CHARS(b) = text_copy("copy");

	(void)state;
	assert_string_equal(a, "x-3");
	assert_string_equal(b, "copy");
}

static void
test_escape(void **state)
{
	static const struct {
		const char *bytes, *wanted;
	} rows[] = {
		{ "plain text 123", "plain text 123" },
		{ "", "" },
		{ "a\\b", "a\\\\b" },
		{ "J\xc3\xb6rg \xe2\x82\xac \xe6\x97\xa5 \xf0\x9f\x98\x80",
		    "J\xc3\xb6rg \xe2\x82\xac \xe6\x97\xa5 "
		    "\xf0\x9f\x98\x80" },
		{ "\x01\t\n\r\x1b\x1f\x7f",
		    "\\x01\\x09\\x0a\\x0d\\x1b\\x1f\\x7f" },
		/* C1: U+0080, U+009B, U+009F; first letter behind: U+00A1 */
		{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa1",
		    "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa1" },
		{ "\xc2\xad", "\\xc2\\xad" },          /* U+00AD */
		{ "\xd8\x9c", "\\xd8\\x9c" },          /* U+061C */
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" }, /* U+200B */
		{ "\xe2\x80\x8f", "\\xe2\\x80\\x8f" }, /* U+200F */
		{ "\xe2\x80\x90", "\xe2\x80\x90" },    /* U+2010, fine */
		{ "\xe2\x80\xa8", "\\xe2\\x80\\xa8" }, /* U+2028 */
		{ "\xe2\x80\xa9", "\\xe2\\x80\\xa9" }, /* U+2029 */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, /* U+202E */
		{ "\xe2\x81\xa0", "\\xe2\\x81\\xa0" }, /* U+2060 */
		{ "\xe2\x81\xa6", "\\xe2\\x81\\xa6" }, /* U+2066 */
		{ "\xe2\x81\xaf", "\\xe2\\x81\\xaf" }, /* U+206F */
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" }, /* U+FEFF */
		{ "\xef\xbf\xb9", "\\xef\\xbf\\xb9" }, /* U+FFF9 */
		{ "\xef\xbf\xbd", "\xef\xbf\xbd" },    /* U+FFFD, fine */
		{ "\xef\xbf\xbe", "\\xef\\xbf\\xbe" }, /* U+FFFE */
		{ "\xef\xb7\x90", "\\xef\\xb7\\x90" }, /* U+FDD0 */
		{ "\xf0\x9f\xbf\xbf", "\\xf0\\x9f\\xbf\\xbf" }, /* U+1FFFF */
		{ "\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81" }, /* U+E0001 */
		{ "\xf3\xa0\x81\xbf", "\\xf3\\xa0\\x81\\xbf" }, /* U+E007F */
		/* Broken UTF-8: surrogates, overlong, cut, beyond the end. */
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xc0\xaf", "\\xc0\\xaf" },
		{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80" },
		{ "\xc3", "\\xc3" },
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xe2\x82x", "\\xe2\\x82x" },
		{ "\x80\xbf\xff", "\\x80\\xbf\\xff" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].bytes);
		AUTO_CHARS(text) = text_escape(rows[i].bytes, len);
		bool same = strcmp(rows[i].bytes, rows[i].wanted) == 0;

		assert_string_equal(text, rows[i].wanted);
		assert_int_equal(text_is_safe(rows[i].bytes, len),
		    same || strchr(rows[i].bytes, '\\') != NULL);
	}
}

static void
test_escape_nul(void **state)
{
	AUTO_CHARS(text) = text_escape("root\0evil", 9);
	AUTO_CHARS(empty) = text_escape("xyz", 0);

	(void)state;
	assert_string_equal(text, "root\\x00evil");
	assert_string_equal(empty, "");
}

static void
test_is_utf8(void **state)
{
	(void)state;
	assert_true(text_is_utf8("", 0));
	assert_true(text_is_utf8("a\0\x1b\xe2\x80\xae", 6));
	assert_true(text_is_utf8("\xf4\x8f\xbf\xbf", 4));
	assert_false(text_is_utf8("\xf4\x90\x80\x80", 4));
	assert_false(text_is_utf8("\xed\xa0\x80", 3));
	assert_false(text_is_utf8("\xed\xbf\xbf", 3));
	assert_false(text_is_utf8("\xc3", 1));
	assert_false(text_is_utf8("\xc0\x80", 2));
}

static void
test_safe_len(void **state)
{
	(void)state;
	assert_int_equal(text_safe_len("abc", 3), 3);
	assert_int_equal(text_safe_len("ab\tc", 4), 2);
	assert_int_equal(text_safe_len("\xc3\xa9\xc3", 3), 2);
}

static void
test_cut(void **state)
{
	(void)state;
	assert_int_equal(text_cut("abc", 3, 5), 3);
	assert_int_equal(text_cut("abc", 3, 3), 3);
	assert_int_equal(text_cut("abc", 3, 2), 2);
	assert_int_equal(text_cut("a\xc3\xa9z", 4, 2), 1);
	assert_int_equal(text_cut("a\xc3\xa9z", 4, 3), 3);
	assert_int_equal(text_cut("\xf0\x9f\x98\x80z", 5, 3), 0);
	assert_int_equal(text_cut("\xf0\x9f\x98\x80z", 5, 4), 4);
	/* Not UTF-8: does not run away. */
	assert_int_equal(text_cut("\x80\x80\x80\x80\x80\x80", 6, 5), 2);
}

static void
test_hex(void **state)
{
	static const unsigned char octets[] = { 0x00, 0x9a, 0xff };
	AUTO_CHARS(text) = text_hex(octets, 3);
	AUTO_CHARS(none) = text_hex(octets, 0);
	char out[7];

	(void)state;
	assert_string_equal(text, "009aff");
	assert_string_equal(none, "");
	text_hex_into(octets, 3, out);
	assert_string_equal(out, "009aff");
}

static void
test_unhex(void **state)
{
	static const char *const bad[] = { "0", "0g", "g0", "0x12", " 12",
		"12 ", "1 ", "-1", "\xc3\xa9", "00:11", "123" };
	AUTO_BYTES(octets) = NULL;
	AUTO_BYTES(none) = NULL;
	unsigned char *untouched = NULL;
	size_t len = 0, untouched_len = 99;

	(void)state;
	assert_ok(text_unhex("009aFf", &octets, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(octets, "\x00\x9a\xff", 3);
	assert_ok(text_unhex("", &none, &len));
	assert_int_equal(len, 0);
	assert_non_null(none);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(
		    CA_R_INPUT, text_unhex(bad[i], &untouched, &untouched_len));
	assert_null(untouched);
	assert_int_equal(untouched_len, 99);
}

static void
test_number(void **state)
{
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "01",
		"00", "0x1", "1e3", "1.0", "1_0", "12x", "\xd9\xa1",
		"18446744073709551616", "99999999999999999999999" };
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(
		    CA_R_INPUT, text_number(bad[i], UINT64_MAX, &value));
	assert_refused(CA_R_INPUT, text_number("11", 10, &value));
	assert_refused(CA_R_INPUT, text_number("1", 0, &value));
	assert_int_equal(value, 7);
	assert_ok(text_number("0", 0, &value));
	assert_true(value == 0);
	assert_ok(text_number("10", 10, &value));
	assert_true(value == 10);
	assert_ok(text_number("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
}

static void
test_is_name(void **state)
{
	static const char *const good[] = { "a", "0", "root-2026", "a.b_c-d",
		"x--y", "a.yaml" };
	static const char *const bad[] = { "", ".", "..", "-a", "a-", ".a",
		"a.", "_a", "a..b", "A", "a b", "a/b", "a\\b", "\xc3\xa9",
		"a\nb", "a:b" };
	char name[66];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(text_is_name(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(text_is_name(bad[i]));
	memset(name, 'a', 65);
	name[65] = '\0';
	assert_false(text_is_name(name));
	name[64] = '\0';
	assert_true(text_is_name(name));
}

static void
test_sha256(void **state)
{
	unsigned char digest[32];
	char hex[65];

	(void)state;
	/* FIPS 180-4, example "abc". */
	assert_ok(sha256("abc", 3, digest));
	text_hex_into(digest, 32, hex);
	assert_string_equal(hex,
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015"
	    "ad");
	assert_ok(sha256("", 0, digest));
	text_hex_into(digest, 32, hex);
	assert_string_equal(hex,
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8"
	    "55");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_printf_and_copy),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_nul),
		cmocka_unit_test(test_is_utf8),
		cmocka_unit_test(test_safe_len),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_hex),
		cmocka_unit_test(test_unhex),
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_is_name),
		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
