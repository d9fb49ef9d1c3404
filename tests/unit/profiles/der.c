#include "profiles/der.h"

#include <string.h>

#include "support.h"

struct sample {
	const char *what;
	size_t len;
	unsigned char der[24];
};

static const struct sample good[] = {
	{ "INTEGER 0", 3, { 2, 1, 0 } },
	{ "INTEGER 128", 4, { 2, 2, 0, 0x80 } },
	{ "TRUE", 3, { 1, 1, 0xff } },
	{ "NULL", 2, { 5, 0 } },
	{ "OID", 5, { 6, 3, 0x55, 0x1d, 0x13 } },
	{ "bits", 4, { 3, 2, 1, 6 } },
	{ "no bits", 3, { 3, 1, 0 } },
	{ "SEQUENCE", 5, { 0x30, 3, 2, 1, 5 } },
	{ "SET in order", 8, { 0x31, 6, 2, 1, 1, 2, 1, 2 } },
	{ "UTCTime", 15,
	    { 23, 13, '2', '6', '1', '1', '2', '0', '1', '2', '0', '0', '0',
		'0', 'Z' } },
	{ "implicit", 4, { 0x80, 2, 0, 0 } },
	{ "explicit", 5, { 0xa0, 3, 2, 1, 0 } },
};

static const struct sample bad[] = {
	{ "nothing", 0, { 0 } },
	{ "only a tag", 1, { 0x30 } },
	{ "cut off", 3, { 2, 2, 1 } },
	{ "behind", 4, { 5, 0, 5, 0 } },
	{ "indefinite length", 4, { 0x30, 0x80, 0, 0 } },
	{ "long form of a short length", 4, { 2, 0x81, 1, 5 } },
	{ "length with a leading zero", 5, { 2, 0x82, 0, 1, 5 } },
	{ "length of five octets", 8, { 2, 0x85, 1, 0, 0, 0, 0, 5 } },
	{ "INTEGER empty", 2, { 2, 0 } },
	{ "INTEGER padded", 4, { 2, 2, 0, 0x7f } },
	{ "INTEGER negative padded", 4, { 2, 2, 0xff, 0x80 } },
	{ "ENUMERATED padded", 4, { 10, 2, 0, 1 } },
	{ "TRUE as 01", 3, { 1, 1, 1 } },
	{ "BOOLEAN of two octets", 4, { 1, 2, 0, 0 } },
	{ "NULL with content", 3, { 5, 1, 0 } },
	{ "OID empty", 2, { 6, 0 } },
	{ "OID padded", 5, { 6, 3, 0x55, 0x80, 0x01 } },
	{ "OID cut off", 4, { 6, 2, 0x55, 0x81 } },
	{ "unused bits set", 4, { 3, 2, 1, 7 } },
	{ "eight unused bits", 4, { 3, 2, 8, 0 } },
	{ "unused bits of nothing", 3, { 3, 1, 1 } },
	{ "BIT STRING empty", 2, { 3, 0 } },
	{ "OCTET STRING constructed", 5, { 0x24, 3, 4, 1, 0 } },
	{ "SEQUENCE primitive", 2, { 0x10, 0 } },
	{ "SET out of order", 8, { 0x31, 6, 2, 1, 2, 2, 1, 1 } },
	{ "end of contents", 4, { 0x30, 2, 0, 0 } },
	{ "high tag", 4, { 0x1f, 0x81, 1, 0 } },
	{ "UTCTime without seconds", 13,
	    { 23, 11, '2', '6', '1', '1', '2', '0', '1', '2', '0', '0', 'Z' } },
	{ "UTCTime with offset", 19,
	    { 23, 17, '2', '6', '1', '1', '2', '0', '1', '2', '0', '0', '0',
		'0', '+', '0', '1', '0', '0' } },
	{ "UTCTime with a letter", 15,
	    { 23, 13, '2', '6', '1', '1', '2', '0', '1', '2', '0', '0', 'x',
		'0', 'Z' } },
	{ "GeneralizedTime with fraction", 19,
	    { 24, 17, '2', '0', '2', '6', '1', '1', '2', '0', '1', '2', '0',
		'0', '0', '0', '.', '5', 'Z' } },
	{ "inner one cut off", 4, { 0x30, 2, 2, 1 } },
};

static void
test_good(void **state)
{
	size_t offset;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!der_is_strict(good[i].der, good[i].len, &offset))
			fail_msg("%s was refused", good[i].what);
}

static void
test_bad(void **state)
{
	size_t offset;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		/* Exactly as many octets as there are, for ASan. */
		unsigned char *copy = malloc(bad[i].len + 1);

		assert_non_null(copy);
		copy = realloc(copy, bad[i].len > 0 ? bad[i].len : 1);
		assert_non_null(copy);
		memcpy(copy, bad[i].der, bad[i].len);
		if (der_is_strict(copy, bad[i].len, &offset))
			fail_msg("%s was accepted", bad[i].what);
		assert_true(offset <= bad[i].len);
		free(copy);
	}
}

static void
test_depth(void **state)
{
	unsigned char der[2 * (DER_MAX_DEPTH + 2)];
	size_t offset, depth = DER_MAX_DEPTH + 2;

	(void)state;
	for (size_t i = 0; i < depth; i++) {
		der[2 * i] = DER_SEQUENCE;
		der[2 * i + 1] = (unsigned char)(2 * (depth - 1 - i));
	}
	assert_false(der_is_strict(der, sizeof der, &offset));
	assert_true(der_is_strict(der + 4, sizeof der - 4, &offset));
}

static void
test_take(void **state)
{
	static const unsigned char der[] = { 2, 1, 5, 5, 0 };
	struct der in = { der, sizeof der }, content, element;

	(void)state;
	assert_false(der_take(&in, DER_SEQUENCE, &content, &element));
	assert_int_equal(in.len, 5);
	assert_true(der_take(&in, DER_INTEGER, &content, &element));
	assert_true(der_equal(content, der + 2, 1));
	assert_true(der_equal(element, der, 3));
	assert_false(der_equal(element, der, 2));
	assert_int_equal(in.len, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
