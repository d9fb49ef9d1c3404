/* How a CRL grows: sizes, the past, the rate, the day of the crossing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first. */
#include <cmocka.h>
#include <math.h>

#include <openssl/x509.h>

#include "base/date.h"
#include "base/error.h"
#include "ceremony/forecast.h"
#include "ceremony/journal/journal.h"

enum { DAY = DAY_SECONDS };

static const int64_t now = INT64_C(1795262400); /* 2026-11-21 */

static void
assert_near(double a, double b)
{
	assert_true(fabs(a - b) < 1e-6 * (1 + fabs(b)));
}

/* ---- sizes ------------------------------------------------------------ */

static void
add_entry(
    X509_CRL *crl, uint64_t serial, int64_t date, long reason, bool invalidity)
{
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *number = ASN1_INTEGER_new();
	ASN1_TIME *time = NULL;

	assert_int_equal(date_to_asn1(date, &time), 0);
	assert_int_equal(ASN1_INTEGER_set_uint64(number, serial), 1);
	assert_int_equal(X509_REVOKED_set_serialNumber(revoked, number), 1);
	assert_int_equal(X509_REVOKED_set_revocationDate(revoked, time), 1);
	if (reason > 0) {
		ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

		assert_int_equal(ASN1_ENUMERATED_set(code, reason), 1);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(
				     revoked, NID_crl_reason, code, 0, 0),
		    1);
		ASN1_ENUMERATED_free(code);
	}
	if (invalidity) {
		ASN1_GENERALIZEDTIME *since =
		    ASN1_GENERALIZEDTIME_set(NULL, (time_t)now);

		assert_int_equal(X509_REVOKED_add1_ext_i2d(
				     revoked, NID_invalidity_date, since, 0, 0),
		    1);
		ASN1_GENERALIZEDTIME_free(since);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, revoked), 1);
	ASN1_INTEGER_free(number);
	ASN1_TIME_free(time);
}

/* The octets of all entries, as OpenSSL encodes them. */
static uint64_t
encoded(X509_CRL *crl)
{
	STACK_OF(X509_REVOKED) *rows = X509_CRL_get_REVOKED(crl);
	uint64_t len = 0;

	for (int i = 0; i < sk_X509_REVOKED_num(rows); i++)
		len += (uint64_t)i2d_X509_REVOKED(
		    sk_X509_REVOKED_value(rows, i), NULL);
	return len;
}

static void
sizes_are_those_of_the_encoding(void **state)
{
	AUTO(X509_CRL) *crl = X509_CRL_new();
	struct crl_totals totals = { .entries = 4,
		.serial_octets = 8 + 8 + 8 + 8,
		.reasons = 3,
		.invalidities = 1,
		.generalized = 1 };

	(void)state;
	/* Eight content octets each: the first bit is not set. */
	add_entry(crl, UINT64_C(0x7000000000000001), now, 1, true);
	add_entry(crl, UINT64_C(0x7000000000000002), now, 4, false);
	add_entry(crl, UINT64_C(0x7000000000000003), now, 0, false);
	add_entry(crl, UINT64_C(0x7000000000000004), now + INT64_C(9000) * DAY,
	    5, false);
	assert_int_equal(forecast_entry_bytes(&totals), encoded(crl));
	totals = (struct crl_totals){ 0 };
	assert_int_equal(forecast_entry_bytes(&totals), 0);
}

/* ---- the past --------------------------------------------------------- */

static void
the_past_is_counted_by_day(void **state)
{
	AUTO_STRUCT(forecast_history) history = { 0 };

	(void)state;
	assert_int_equal(forecast_history_make(&history), 0);
	forecast_history_add(&history, now - 10 * DAY, now - 3 * DAY);
	forecast_history_add(&history, now - 8 * DAY, now + 30 * DAY);
	forecast_history_add(&history, now - 5 * DAY, 0);
	assert_int_equal(forecast_history_at(&history, now - 11 * DAY), 0);
	assert_int_equal(forecast_history_at(&history, now - 10 * DAY), 1);
	assert_int_equal(forecast_history_at(&history, now - 8 * DAY), 2);
	assert_int_equal(forecast_history_at(&history, now - 4 * DAY), 3);
	assert_int_equal(forecast_history_at(&history, now), 2);
	assert_int_equal(forecast_history_at(&history, now + 40 * DAY), 1);
	assert_int_equal(forecast_history_at(&history, 0), 0);
	assert_int_equal(history.first, now - 10 * DAY);
	assert_int_equal(history.count, 3);
	assert_int_equal(history.endless, 1);
}

/* Dates that no CRL has do not reach beyond the arrays. */
static void
dates_beyond_the_days_are_kept_in_bounds(void **state)
{
	AUTO_STRUCT(forecast_history) history = { 0 };

	(void)state;
	assert_int_equal(forecast_history_make(&history), 0);
	forecast_history_add(&history, -5, 1);
	forecast_history_add(&history, now, INT64_C(253402300799));
	forecast_history_add(&history, now, now - 5); /* ended before */
	assert_int_equal(forecast_history_at(&history, now), 2);
	assert_int_equal(
	    forecast_history_at(&history, INT64_C(253402300799)), 1);
}

/* ---- the future ------------------------------------------------------- */

static void
the_rate_is_that_of_the_last_year(void **state)
{
	AUTO_STRUCT(forecast_history) history = { 0 };
	struct forecast forecast = { .entries = 10, .entry = 50, .base = 500 };

	(void)state;
	assert_int_equal(forecast_history_make(&history), 0);
	/* 73 in the year, 100 long before. */
	for (int i = 0; i < 100; i++)
		forecast_history_add(&history, now - 2000 * (int64_t)DAY,
		    now - 1900 * (int64_t)DAY);
	for (int i = 0; i < 73; i++)
		forecast_history_add(
		    &history, now - (5 * i + 1) * (int64_t)DAY, 0);
	forecast_from_history(&history, now, 0, &forecast);
	assert_near(forecast.rate, 0.2);
	assert_near(forecast.stay, 100);
	assert_near(forecast.endless, 73.0 / 173.0);
	/* A CA that began 100 days ago: 20 in that time. */
	forecast_from_history(
	    &history, now, now - 100 * (int64_t)DAY, &forecast);
	assert_near(forecast.rate, 0.2);
}

static void
entries_come_and_leave(void **state)
{
	const uint64_t leaving[] = { 0, 3, 0, 4 };
	const struct forecast forecast = { .now = now,
		.entries = 10,
		.base = 500,
		.entry = 50,
		.rate = 2,
		.stay = 5,
		.leaving = leaving,
		.leaving_days = 4,
		.share = 1 };

	(void)state;
	assert_near(forecast_entries(&forecast, 0), 10);
	assert_near(forecast_entries(&forecast, 1), 12);
	assert_near(forecast_entries(&forecast, 2), 11);
	assert_near(forecast_entries(&forecast, 4), 11);
	/* Those that come stay five days: it levels off. */
	assert_near(forecast_entries(&forecast, 5), 13);
	assert_near(forecast_entries(&forecast, 5000), 13);
	assert_near(forecast_bytes(&forecast, 5000), 500 + 13 * 50);
}

static void
the_crossing_is_the_first_day_above(void **state)
{
	struct forecast forecast = { .now = now,
		.entries = 10,
		.base = 500,
		.entry = 50,
		.rate = 1,
		.endless = 1,
		.share = 1 };
	size_t days = 77;

	(void)state;
	/* 1000 bytes today, 50 more each day. */
	assert_true(forecast_crosses(&forecast, 1999, &days));
	assert_int_equal(days, 20);
	assert_true(forecast_crosses(&forecast, 2000, &days));
	assert_int_equal(days, 21);
	assert_true(forecast_crosses(&forecast, 999, &days));
	assert_int_equal(days, 0);
	/* Half of it is this partition's. */
	forecast.share = 0.5;
	assert_true(forecast_crosses(&forecast, 1999, &days));
	assert_int_equal(days, 40);
	/* Nothing comes, or what comes leaves: never. */
	forecast.rate = 0;
	days = 77;
	assert_false(forecast_crosses(&forecast, 1000, &days));
	forecast.rate = 100;
	forecast.share = 1;
	forecast.endless = 0;
	forecast.stay = 3;
	assert_false(forecast_crosses(&forecast, 1000 + 300 * 50, &days));
	assert_int_equal(days, 77);
	assert_true(forecast_crosses(&forecast, 999 + 300 * 50, &days));
}

/* ---- from CRLs -------------------------------------------------------- */

static void
a_line_through_crls(void **state)
{
	const struct forecast_point points[] = {
		{ now - 100 * (int64_t)DAY, 0, 500 },
		{ now - 50 * (int64_t)DAY, 100, 5500 },
		{ now, 200, 10500 },
	};
	struct forecast forecast = { .entry = 40 };
	size_t days = 0;

	(void)state;
	assert_int_equal(forecast_from_points(points, 3, &forecast), 0);
	assert_near(forecast.rate, 2);
	assert_near(forecast.entry, 50);
	assert_near(forecast.base, 500);
	assert_near(forecast_bytes(&forecast, 0), 10500);
	assert_near(forecast_bytes(&forecast, 10), 11500);
	assert_true(forecast_crosses(&forecast, 20500, &days));
	assert_int_equal(days, 101);
}

static void
crls_that_shrink_never_cross(void **state)
{
	const struct forecast_point points[] = {
		{ now - 100 * (int64_t)DAY, 100, 5500 },
		{ now, 50, 3000 },
	};
	struct forecast forecast = { .entry = 40 };
	size_t days = 77;

	(void)state;
	assert_int_equal(forecast_from_points(points, 2, &forecast), 0);
	assert_false(forecast_crosses(&forecast, 3000, &days));
	assert_near(forecast_entries(&forecast, 100000), 0);
}

static void
one_crl_shows_no_growth(void **state)
{
	const struct forecast_point points[] = { { now, 100, 5500 },
		{ now + 60, 101, 5550 } };
	struct forecast forecast = { .entry = 40, .rate = 7 };

	(void)state;
	assert_int_equal(forecast_from_points(points, 1, &forecast), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_int_equal(forecast_from_points(points, 2, &forecast), -1);
	assert_near(forecast.rate, 7);
	ca_error_clear();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_those_of_the_encoding),
		cmocka_unit_test(the_past_is_counted_by_day),
		cmocka_unit_test(dates_beyond_the_days_are_kept_in_bounds),
		cmocka_unit_test(the_rate_is_that_of_the_last_year),
		cmocka_unit_test(entries_come_and_leave),
		cmocka_unit_test(the_crossing_is_the_first_day_above),
		cmocka_unit_test(a_line_through_crls),
		cmocka_unit_test(crls_that_shrink_never_cross),
		cmocka_unit_test(one_crl_shows_no_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
