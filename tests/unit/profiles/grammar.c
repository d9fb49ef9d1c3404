/* Values of extensions by their own grammar. */
#include "profiles/der/grammar.h"

#include <string.h>
#include <time.h>

#include "support.h"

#define CE(n)                        \
	{                            \
		{ 0x55, 0x1d, n }, 3 \
	}

struct value {
	const char *what;
	struct {
		unsigned char octets[8];
		size_t len;
	} oid;
	const char *hex;
};

static const struct value good[] = {
	{ "cA", CE(19), "30030101ff" },
	{ "no CA", CE(19), "3000" },
	{ "path length", CE(19), "30060101ff020100" },
	{ "keyUsage", CE(15), "03020106" },
	{ "keyUsage of nothing", CE(15), "030100" },
	{ "IDP", CE(28), "30068101ff8201ff" },
	{ "subtree", CE(30), "3009a0073005820361 2e62" },
	{ "AKI", CE(35), "3004800201 02" },
	{ "empty AKI", CE(35), "3000" },
	{ "reason", CE(21), "0a0101" },
	{ "nocheck", { { 0x2b, 6, 1, 5, 5, 7, 0x30, 1 }, 8 }, "0500" },
	{ "unknown", CE(99), "31060201010201 02" },
	{ "CPS", CE(32), "30153013 06012a 300e300c 06082b06010505070201 1600" },
};

static const struct value bad[] = {
	{ "cA FALSE", CE(19), "3003010100" },
	{ "cA 01", CE(19), "3003010101" },
	{ "path length before cA", CE(19), "30060201000101ff" },
	{ "no SEQUENCE", CE(19), "0101ff" },
	{ "nothing", CE(19), "" },
	{ "behind", CE(19), "30030101ff00" },
	{ "named bits with zeros", CE(15), "03020006" },
	{ "named bits with a zero octet", CE(15), "0303000600" },
	{ "IDP FALSE", CE(28), "3003810100" },
	{ "IDP 01", CE(28), "3003840101" },
	{ "IDP indirect FALSE", CE(28), "30068101ff840100" },
	{ "IDP reasons with zeros", CE(28), "300483020080" },
	{ "IDP out of order", CE(28), "30068201ff8101ff" },
	{ "minimum 0", CE(30), "300ca00a3008820361 2e62800100" },
	{ "maximum padded", CE(30), "300da00b3009820361 2e6281020001" },
	{ "two bases", CE(30), "300ca00a3008820361 2e628201 61" },
	{ "URI not IA5", CE(17), "30038601ff" },
	{ "dNSName constructed", CE(17), "3003a20161" },
	{ "other tag", CE(17), "30038a0161" },
	{ "otherName without value", CE(17), "3005a00306012a" },
	{ "directoryName without EXPLICIT", CE(17), "3002a400" },
	{ "reason padded", CE(21), "0a020001" },
	{ "reason as INTEGER", CE(21), "020101" },
	{ "CRL number padded", CE(20), "02020001" },
	{ "AKI serial padded", CE(35), "300482020001" },
	{ "CPS as UTF8String", CE(32),
	    "30153013 06012a 300e300c 06082b06010505070201 0c00" },
	{ "reasons of a point", CE(31), "3006300481020080" },
	{ "time with fraction", CE(24),
	    "181132303236303130313030303030302e355a" },
};

static const struct value empty[] = {
	{ "purposes", CE(37), "3000" },
	{ "names", CE(17), "3000" },
	{ "subtrees", CE(30), "3002a000" },
	{ "constraints", CE(30), "3000" },
	{ "policy constraints", CE(36), "3000" },
	{ "qualifiers", CE(32), "3007300506012a3000" },
};

/* Blanks are for the reader.  At the end of its memory, for ASan. */
static unsigned char *
octets_of(const char *hex, size_t *ret_len)
{
	unsigned char *octets = malloc(strlen(hex) / 2 + 1);
	size_t len = 0;
	unsigned high = 0, digits = 0;

	assert_non_null(octets);
	for (; *hex != '\0'; hex++) {
		unsigned digit;

		if (*hex == ' ')
			continue;
		digit = (unsigned)(*hex <= '9' ? *hex - '0' : *hex - 'a' + 10);
		if (digits++ % 2 == 0)
			high = digit;
		else
			octets[len++] = (unsigned char)(high << 4 | digit);
	}
	assert_int_equal(digits % 2, 0);
	*ret_len = len;
	return octets;
}

static bool
is_fine(const struct value *value, struct der_fault *ret_fault)
{
	struct der oid = { value->oid.octets, value->oid.len }, in;
	AUTO_BYTES(octets) = octets_of(value->hex, &in.len);
	bool fine;

	in.p = octets;
	fine = der_extension_check(oid, in, ret_fault);
	if (!fine) {
		assert_true(ret_fault->at >= in.p);
		assert_true(ret_fault->at <= in.p + in.len);
	}
	return fine;
}

static void
test_good(void **state)
{
	struct der_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!is_fine(&good[i], &fault))
			fail_msg("%s: %s", good[i].what, fault.text);
}

static void
test_bad(void **state)
{
	struct der_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (is_fine(&bad[i], &fault))
			fail_msg("%s was accepted", bad[i].what);
}

static void
test_empty(void **state)
{
	struct der_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct der oid = { empty[i].oid.octets, empty[i].oid.len }, in;
		AUTO_BYTES(octets) = octets_of(empty[i].hex, &in.len);

		in.p = octets;
		if (der_extension_is_filled(oid, in, &fault))
			fail_msg("%s was accepted", empty[i].what);
		/* Emptiness has a rule of its own. */
		if (!der_extension_check(oid, in, &fault))
			fail_msg("%s: %s", empty[i].what, fault.text);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct der oid = { good[i].oid.octets, good[i].oid.len }, in;
		AUTO_BYTES(octets) = octets_of(good[i].hex, &in.len);

		in.p = octets;
		assert_true(der_extension_is_filled(oid, in, &fault));
	}
}

/* Each value cut short and with each octet changed: no crash, under ASan. */
static void
test_mutated(void **state)
{
	struct der_fault fault;
	size_t refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct der oid = { good[i].oid.octets, good[i].oid.len };
		size_t len;
		AUTO_BYTES(octets) = octets_of(good[i].hex, &len);

		for (size_t cut = 0; cut < len; cut++) {
			struct der in = { octets, cut };

			assert_false(der_extension_check(oid, in, &fault));
			(void)der_extension_is_filled(oid, in, &fault);
		}
		for (size_t at = 0; at < 256 * len; at++) {
			struct der in = { octets, len };
			unsigned char old = octets[at / 256];

			octets[at / 256] = (unsigned char)at;
			refused += !der_extension_check(oid, in, &fault);
			(void)der_extension_is_filled(oid, in, &fault);
			octets[at / 256] = old;
		}
	}
	assert_true(refused > 0);
}

static void
test_extensions(void **state)
{
	static const struct {
		const char *hex;
		bool fine;
	} rows[] = {
		{ "300c0603551d130101ff04023000", true },
		{ "30090603551d1304023000", true },
		{ "300c0603551d1301010004023000", false },
		{ "300a0603551d13040330000 0", false },
		{ "30050603551d13", false },
		{ "300b0603551d13040230000500", false },
		{ "31090603551d1304023000", false },
		{ "300404023000", false },
	};
	struct der_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct der in;
		AUTO_BYTES(octets) = octets_of(rows[i].hex, &in.len);

		in.p = octets;
		if (der_extensions_check(in, &fault) != rows[i].fine)
			fail_msg("row %zu", i);
	}
}

/* A mebibyte of names in one extension. */
static void
test_hostile(void **state)
{
	enum { SIZE = 1 << 20, HEAD = 5 };
	static const unsigned char san[] = { 0x55, 0x1d, 17 };
	unsigned char *der = malloc(SIZE);
	struct der oid = { san, sizeof san }, in = { der, SIZE - 1 };
	struct der_fault fault;
	size_t inner = SIZE - 1 - HEAD;
	clock_t start = clock();

	(void)state;
	assert_non_null(der);
	memcpy(der, (unsigned char[]){ 0x30, 0x83 }, 2);
	der[2] = (unsigned char)(inner >> 16);
	der[3] = (unsigned char)(inner >> 8);
	der[4] = (unsigned char)inner;
	for (size_t i = HEAD; i < SIZE - 1; i += 2)
		memcpy(der + i, (unsigned char[]){ 0x82, 0 }, 2);
	assert_true(der_extension_check(oid, in, &fault));
	der[SIZE - 3] = 0x8b;
	assert_false(der_extension_check(oid, in, &fault));
	assert_ptr_equal(fault.at, der + SIZE - 3);
	free(der);
	assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_mutated),
		cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
