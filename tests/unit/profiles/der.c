#include "profiles/der/der.h"

#include <string.h>
#include <time.h>

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
	{ "PrintableString", 13,
	    { 0x13, 11, 'A', 'z', '0', ' ', '\'', '(', ')', '+', ',', '/',
		'?' } },
	{ "NumericString", 4, { 0x12, 2, '1', ' ' } },
	{ "UTF8String", 4, { 0x0c, 2, 0xc3, 0xa5 } },
	{ "UTF8String empty", 2, { 0x0c, 0 } },
	{ "IA5String", 4, { 0x16, 2, 0, 0x7f } },
	{ "VisibleString", 4, { 0x1a, 2, ' ', '~' } },
	{ "BMPString", 4, { 0x1e, 2, 0, 'A' } },
	{ "UniversalString", 6, { 0x1c, 4, 0, 1, 0xf6, 0 } },
	{ "T61String", 3, { 0x14, 1, 0xff } },
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
	{ "SEQUENCE as OCTET STRING's parts", 5, { 0x24, 3, 4, 1, 0 } },
	{ "high tag in one octet", 3, { 0xbf, 1, 0 } },
	{ "high context tag", 4, { 0x9f, 0x1f, 1, 0 } },
	{ "PrintableString *", 3, { 0x13, 1, '*' } },
	{ "PrintableString NUL", 3, { 0x13, 1, 0 } },
	{ "NumericString letter", 3, { 0x12, 1, 'a' } },
	{ "UTF8String overlong", 4, { 0x0c, 2, 0xc0, 0x80 } },
	{ "UTF8String surrogate", 5, { 0x0c, 3, 0xed, 0xa0, 0x80 } },
	{ "IA5String 80", 3, { 0x16, 1, 0x80 } },
	{ "VisibleString tab", 3, { 0x1a, 1, 9 } },
	{ "BMPString odd", 3, { 0x1e, 1, 0 } },
	{ "BMPString surrogate", 4, { 0x1e, 2, 0xd8, 0 } },
	{ "UniversalString of three", 5, { 0x1c, 3, 0, 0, 0 } },
	{ "UniversalString beyond", 6, { 0x1c, 4, 0, 0x11, 0, 0 } },
	{ "SET inside out of order", 10,
	    { 0x30, 8, 0x31, 6, 2, 1, 2, 2, 1, 1 } },
};

/* What is wrong, and where. */
static const struct {
	struct sample sample;
	size_t offset;
	const char *text;
} told[] = {
	{ { "", 4, { 0x30, 2, 1, 1 } }, 2, "cut off" },
	{ { "", 5, { 0x30, 3, 1, 1, 1 } }, 2, "neither 00 nor FF" },
	{ { "", 6, { 0x30, 4, 2, 2, 0, 1 } }, 2, "shortest form" },
	{ { "", 4, { 0x30, 0x80, 0, 0 } }, 0, "indefinite" },
	{ { "", 4, { 0x30, 0x81, 1, 5 } }, 0, "shortest form" },
	{ { "", 8, { 2, 0x85, 1, 0, 0, 0, 0, 5 } }, 0, "4 GiB" },
	{ { "", 4, { 5, 0, 5, 0 } }, 2, "something follows" },
	{ { "", 0, { 0 } }, 0, "nothing" },
	{ { "", 8, { 0x31, 6, 2, 1, 2, 2, 1, 1 } }, 5, "ascending" },
	{ { "", 4, { 0x30, 2, 0, 0 } }, 2, "end-of-contents" },
	{ { "", 5, { 0x30, 3, 0x13, 1, '@' } }, 2, "PrintableString" },
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
test_told(void **state)
{
	struct der_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
		const struct sample *sample = &told[i].sample;

		assert_false(der_check(sample->der, sample->len, &fault));
		assert_int_equal(fault.at - sample->der, told[i].offset);
		if (strstr(fault.text, told[i].text) == NULL)
			fail_msg("%zu: %s", i, fault.text);
	}
}

/*
 * A mebibyte of the worst: 32 elements deep, many small ones, one SET of equal
 * elements.  Linear time: far below a second, where a quadratic walk takes
 * minutes.
 */
static void
test_hostile(void **state)
{
	enum { SIZE = 1 << 20, HEAD = 5 };
	static const unsigned char tags[] = { DER_SEQUENCE, DER_SET };
	unsigned char *der = malloc(SIZE);
	size_t offset, inner = SIZE - HEAD;
	clock_t start = clock();

	(void)state;
	assert_non_null(der);
	for (size_t t = 0; t < sizeof tags; t++) {
		der[0] = tags[t];
		der[1] = 0x83;
		der[2] = (unsigned char)(inner >> 16);
		der[3] = (unsigned char)(inner >> 8);
		der[4] = (unsigned char)inner;
		for (size_t i = HEAD; i < SIZE; i++)
			der[i] = 0x30;
		assert_false(der_is_strict(der, SIZE, &offset));
		for (size_t i = HEAD; i + 2 <= SIZE; i += 2) {
			der[i] = DER_NULL;
			der[i + 1] = 0;
		}
		/* An odd length: the last octet is an element cut off. */
		assert_false(der_is_strict(der, SIZE, &offset));
		assert_int_equal(offset, SIZE - 1);
	}
	free(der);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
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
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
