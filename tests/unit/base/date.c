#include "base/date.h"

#include <time.h>

#include "support.h"

static const struct {
	const char *text;
	int64_t date;
} known[] = {
	{ "1970-01-01T00:00:00Z", 0 },
	{ "1999-12-31T23:59:59Z", 946684799 },
	{ "2000-02-29T00:00:00Z", 951782400 },
	{ "2024-02-29T12:00:00Z", 1709208000 },
	{ "2026-11-20T12:00:00Z", 1795176000 },
	{ "2038-01-19T03:14:08Z", 2147483648 },
	{ "2049-12-31T23:59:59Z", 2524607999 },
	{ "2050-01-01T00:00:00Z", 2524608000 },
	{ "9999-12-31T23:59:59Z", 253402300799 },
};

enum { KNOWN = sizeof known / sizeof known[0] };

static void
test_known_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < KNOWN; i++) {
		int64_t date = -1;
		char text[DATE_TEXT_SIZE];

		assert_ok(date_parse(known[i].text, &date));
		assert_true(date == known[i].date);
		date_format(date, text);
		assert_string_equal(text, known[i].text);
	}
}

static void
test_clocks(void **state)
{
	/* 2026-11-20T12:00:00Z, and a minute before midnight */
	static const int64_t noon = 1795176000, late = 1795219140;
	static const struct {
		const char *text;
		int64_t near, date;
	} rows[] = {
		{ "12:00", noon, noon },
		{ "12:00:07", noon, noon + 7 },
		{ "11:59:59", noon, noon - 1 },
		{ "00:00", noon, noon - 43200 },
		{ "23:59:59", noon, noon + 43199 },
		{ "00:01", late, late + 120 },
		{ "23:58", late, late - 60 },
		{ "23:59", late + 120, late },
		{ "2026-11-20T12:00:00Z", late, noon },
	};
	static const char *const bad[] = { "", "12", "12:0", "24:00", "12:60",
		"12:00:60", "12:00:0", "12.00", "noon", " 12:00", "12:00 ",
		"2026-11-20 12:00:00" };
	int64_t date = -1;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_ok(date_parse_clock(rows[i].text, rows[i].near, &date));
		assert_true(date == rows[i].date);
	}
	date = -1;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ca_error_clear();
		assert_int_equal(date_parse_clock(bad[i], noon, &date), -1);
		assert_int_equal(ca_error_reason(), CA_R_INPUT);
	}
	assert_true(date == -1);
}

static void
test_bad_dates(void **state)
{
	static const char *const bad[] = {
		"",
		"2026-11-20",
		"2026-11-20T12:00Z",
		"2026-11-20T12:00:00",
		"2026-11-20T12:00:00z",
		"2026-11-20t12:00:00Z",
		"2026-11-20 12:00:00Z",
		"2026-11-20T12:00:00+00:00",
		"2026-11-20T12:00:00.0Z",
		"2026-11-20T12:00:00Z ",
		" 2026-11-20T12:00:00Z",
		"2026-11-20T12:00:60Z",
		"2016-12-31T23:59:60Z",
		"2026-11-20T12:60:00Z",
		"2026-11-20T24:00:00Z",
		"2026-11-31T12:00:00Z",
		"2026-02-29T12:00:00Z",
		"1900-02-29T12:00:00Z",
		"2100-02-29T12:00:00Z",
		"2026-00-20T12:00:00Z",
		"2026-13-20T12:00:00Z",
		"2026-11-00T12:00:00Z",
		"1969-12-31T23:59:59Z",
		"0000-01-01T00:00:00Z",
		"10000-01-01T00:00:00Z",
		"-001-01-01T00:00:00Z",
		"2026-1a-20T12:00:00Z",
		"2026-+1-20T12:00:00Z",
	};
	int64_t date = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(CA_R_INPUT, date_parse(bad[i], &date));
	assert_true(date == 7);
}

static void
test_format_out_of_range(void **state)
{
	char text[DATE_TEXT_SIZE];

	(void)state;
	date_format(-1, text);
	assert_string_equal(text, "(date out of range)");
	date_format(253402300800, text);
	assert_string_equal(text, "(date out of range)");
	date_format(INT64_MAX, text);
	assert_string_equal(text, "(date out of range)");
}

static void
test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
		const char *shown;
	} rows[] = {
		{ "0s", 0, "0 seconds" },
		{ "1s", 1, "1 second" },
		{ "45s", 45, "45 seconds" },
		{ "1m", 60, "1 minute" },
		{ "90m", 5400, "1 hour 30 minutes" },
		{ "12h", 43200, "12 hours" },
		{ "1d", 86400, "1 day" },
		{ "7305d", 631152000, "7305 days" },
		{ "40000d", 3456000000, "40000 days" },
		{ "3456000000s", 3456000000, "40000 days" },
		{ "90061s", 90061, "1 day 1 hour 1 minute 1 second" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_CHARS(shown) = duration_format(rows[i].seconds);
		int64_t seconds = -1;

		assert_ok(duration_parse(rows[i].text, &seconds));
		assert_true(seconds == rows[i].seconds);
		assert_string_equal(shown, rows[i].shown);
	}
}

static void
test_negative_duration(void **state)
{
	AUTO_CHARS(minute) = duration_format(-60);
	AUTO_CHARS(least) = duration_format(INT64_MIN);

	(void)state;
	assert_string_equal(minute, "minus 1 minute");
	assert_string_equal(
	    least, "minus 106751991167300 days 15 hours 30 minutes 8 seconds");
}

static void
test_bad_durations(void **state)
{
	static const char *const bad[] = { "", "d", "10", "10y", "10M", "10w",
		"-1d", "+1d", "1.5d", " 1d", "1d ", "1 d", "01d", "1dd", "1h1m",
		"0x1d", "40001d", "3456000001s", "99999999999999999999d",
		"111111111111111111111111111111111111111111111111111111111d" };
	int64_t seconds = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(CA_R_INPUT, duration_parse(bad[i], &seconds));
	assert_true(seconds == 7);
}

static void
test_asn1(void **state)
{
	(void)state;
	for (size_t i = 0; i < KNOWN; i++) {
		AUTO(ASN1_TIME) *asn1 = NULL;
		int64_t date = -1;

		assert_ok(date_to_asn1(known[i].date, &asn1));
		assert_int_equal(ASN1_STRING_type(asn1),
		    known[i].date < 2524608000 ? V_ASN1_UTCTIME
					       : V_ASN1_GENERALIZEDTIME);
		assert_ok(date_from_asn1(asn1, &date));
		assert_true(date == known[i].date);
	}
}

static void
test_asn1_octets(void **state)
{
	AUTO(ASN1_TIME) *last = NULL;
	AUTO(ASN1_TIME) *first = NULL;
	ASN1_TIME *none = NULL;

	(void)state;
	assert_ok(date_to_asn1(2524607999, &last));
	assert_string_equal(ASN1_STRING_get0_data(last), "491231235959Z");
	assert_ok(date_to_asn1(2524608000, &first));
	assert_string_equal(ASN1_STRING_get0_data(first), "20500101000000Z");
	assert_refused(CA_R_INPUT, date_to_asn1(-1, &none));
	assert_refused(CA_R_INPUT, date_to_asn1(253402300800, &none));
	assert_null(none);
}

static void
test_bad_asn1(void **state)
{
	static const struct {
		int type;
		const char *text;
	} bad[] = {
		{ V_ASN1_UTCTIME, "" },
		{ V_ASN1_UTCTIME, "2611201200Z" },
		{ V_ASN1_UTCTIME, "261120120000" },
		{ V_ASN1_UTCTIME, "261120120000+0000" },
		{ V_ASN1_UTCTIME, "26112012000 Z" },
		{ V_ASN1_UTCTIME, "260229120000Z" },
		{ V_ASN1_UTCTIME, "261120120060Z" },
		{ V_ASN1_UTCTIME, "500101000000Z" }, /* 1950 */
		{ V_ASN1_UTCTIME, "20261120120000Z" },
		{ V_ASN1_GENERALIZEDTIME, "20261120120000Z" },
		{ V_ASN1_GENERALIZEDTIME, "20491231235959Z" },
		{ V_ASN1_GENERALIZEDTIME, "20501120120000.5Z" },
		{ V_ASN1_GENERALIZEDTIME, "205011201200Z" },
		{ V_ASN1_GENERALIZEDTIME, "20501120120000" },
		{ V_ASN1_GENERALIZEDTIME, "20501320120000Z" },
		{ V_ASN1_UTF8STRING, "20501120120000Z" },
	};
	int64_t date = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ASN1_STRING *asn1 = ASN1_STRING_type_new(bad[i].type);

		assert_int_equal(ASN1_STRING_set(asn1, bad[i].text, -1), 1);
		assert_refused(CA_R_INPUT, date_from_asn1(asn1, &date));
		ASN1_STRING_free(asn1);
	}
	assert_true(date == 7);
}

static void
test_now(void **state)
{
	int64_t before = time(NULL), now = date_now();

	(void)state;
	assert_true(now >= before && now <= before + 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_dates),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_bad_dates),
		cmocka_unit_test(test_format_out_of_range),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_negative_duration),
		cmocka_unit_test(test_bad_durations),
		cmocka_unit_test(test_asn1),
		cmocka_unit_test(test_asn1_octets),
		cmocka_unit_test(test_bad_asn1),
		cmocka_unit_test(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
