#include "ceremony/forecast.h"

#include <stdlib.h>

#include "base/date.h"
#include "base/error.h"
#include "ceremony/journal/journal.h"

/* 1999-01-01T00:00:00Z: no entry is older (CRL-ENTRY-DATE). */
static const int64_t first_day = INT64_C(915148800);

/* ---- sizes ------------------------------------------------------------ */

/*
 * RFC 5280, section 5.1.2.6, in DER.  Each entry: SEQUENCE and INTEGER headers
 * (4), UTCTime (15), or GeneralizedTime (two more).  Extensions: SEQUENCE (2)
 * with reasonCode (12) or invalidityDate (26).  One with an invalidity date
 * nearly always has a reason too.
 */
uint64_t
forecast_entry_bytes(const struct crl_totals *totals)
{
	uint64_t extended = totals->reasons > totals->invalidities
	    ? totals->reasons
	    : totals->invalidities;

	return totals->entries * 19 + totals->serial_octets +
	    totals->generalized * 2 + extended * 2 + totals->reasons * 12 +
	    totals->invalidities * 26;
}

/* ---- the past --------------------------------------------------------- */

int
forecast_history_make(struct forecast_history *ret_history)
{
	struct forecast_history history = {
		.come = calloc(FORECAST_DAYS, sizeof(uint64_t)),
		.gone = calloc(FORECAST_DAYS, sizeof(uint64_t)),
	};

	if (history.come == NULL || history.gone == NULL) {
		forecast_history_clear(&history);
		return ca_error(CA_R_MEMORY, "no memory for a forecast");
	}
	*ret_history = history;
	return 0;
}

void
forecast_history_clear(struct forecast_history *history)
{
	free(history->come);
	free(history->gone);
	*history = (struct forecast_history){ 0 };
}

static size_t
day_of(int64_t time)
{
	int64_t day = (time - first_day) / DAY_SECONDS;

	if (day < 0)
		return 0;
	return day < FORECAST_DAYS ? (size_t)day : FORECAST_DAYS - 1;
}

void
forecast_history_add(
    struct forecast_history *history, int64_t date, int64_t expires)
{
	history->count++;
	history->come[day_of(date)]++;
	if (history->first == 0 || date < history->first)
		history->first = date;
	if (expires == 0) {
		history->endless++;
		return;
	}
	/* Revoked after its end: it leaves with the day on which it came. */
	expires = expires > date ? expires : date;
	history->gone[day_of(expires)]++;
	history->stayed += (double)(expires - date) / DAY_SECONDS;
}

uint64_t
forecast_history_at(const struct forecast_history *history, int64_t time)
{
	size_t last = day_of(time);
	uint64_t count = 0;

	if (time < first_day)
		return 0;
	for (size_t day = 0; day <= last; day++)
		count += history->come[day];
	for (size_t day = 0; day < last; day++)
		count -= history->gone[day];
	return count;
}

/* ---- the future ------------------------------------------------------- */

static uint64_t
come_since(const struct forecast_history *history, int64_t since, int64_t now)
{
	uint64_t count = 0;

	for (size_t day = day_of(since); day <= day_of(now); day++)
		count += history->come[day];
	return count;
}

void
forecast_from_history(const struct forecast_history *history, int64_t now,
    int64_t since, struct forecast *forecast)
{
	int64_t begin = now - (int64_t)FORECAST_YEAR * DAY_SECONDS;
	uint64_t known = history->count - history->endless;
	size_t today = day_of(now);
	double days;

	begin = since > begin ? since : begin;
	days = (double)(now - begin) / DAY_SECONDS;
	forecast->now = now;
	forecast->rate =
	    (double)come_since(history, begin, now) / (days > 1 ? days : 1);
	forecast->stay = known == 0 ? 0 : history->stayed / (double)known;
	forecast->endless = history->count == 0
	    ? 0
	    : (double)history->endless / (double)history->count;
	forecast->leaving = history->gone + today;
	forecast->leaving_days = FORECAST_DAYS - today;
	forecast->share = 1;
}

/* Slope of the line through (time in days, value). */
static double
slope(const struct forecast_point *points, size_t count, bool bytes)
{
	double mean_x = 0, mean_y = 0, over = 0, under = 0;

	for (size_t i = 0; i < count; i++) {
		mean_x += (double)points[i].time / DAY_SECONDS / (double)count;
		mean_y +=
		    (double)(bytes ? points[i].bytes : points[i].entries) /
		    (double)count;
	}
	for (size_t i = 0; i < count; i++) {
		double x = (double)points[i].time / DAY_SECONDS - mean_x;
		double y =
		    (double)(bytes ? points[i].bytes : points[i].entries);

		over += x * (y - mean_y);
		under += x * x;
	}
	return over / under;
}

int
forecast_from_points(const struct forecast_point *points, size_t count,
    struct forecast *forecast)
{
	const struct forecast_point *last;
	double entries, bytes;

	if (count < 2 || points[count - 1].time - points[0].time < DAY_SECONDS)
		return ca_error(CA_R_INPUT,
		    "growth is seen only between CRLs of two days at least; "
		    "give an older one too");
	last = &points[count - 1];
	entries = slope(points, count, false);
	bytes = slope(points, count, true);
	forecast->rate = entries;
	/* An entry of those that come, else one of those that are there. */
	if (entries > 0 && bytes > 0)
		forecast->entry = bytes / entries;
	forecast->entries = (double)last->entries;
	forecast->base =
	    (double)last->bytes - forecast->entries * forecast->entry;
	forecast->now = last->time;
	forecast->endless = 1; /* what leaves is in the slope already */
	forecast->stay = 0;
	forecast->leaving = NULL;
	forecast->leaving_days = 0;
	forecast->share = 1;
	return 0;
}

/* Of those that come from now on, how many are there after so many days. */
static double
coming(const struct forecast *forecast, double days)
{
	double stay = days < forecast->stay ? days : forecast->stay;

	return forecast->rate * forecast->share *
	    (forecast->endless * days + (1 - forecast->endless) * stay);
}

static double
left(const struct forecast *forecast, size_t days)
{
	double count = 0;

	for (size_t day = 0; day < days && day < forecast->leaving_days; day++)
		count += (double)forecast->leaving[day];
	return count * forecast->share;
}

static double
entries_after(const struct forecast *forecast, size_t days, double gone)
{
	double count =
	    forecast->entries - gone + coming(forecast, (double)days);

	return count > 0 ? count : 0;
}

double
forecast_entries(const struct forecast *forecast, size_t days)
{
	return entries_after(forecast, days, left(forecast, days));
}

static double
bytes_of(const struct forecast *forecast, double entries)
{
	return forecast->base + entries * forecast->entry;
}

double
forecast_bytes(const struct forecast *forecast, size_t days)
{
	return bytes_of(forecast, forecast_entries(forecast, days));
}

bool
forecast_crosses(
    const struct forecast *forecast, uint64_t budget, size_t *ret_days)
{
	double gone = 0;

	for (size_t days = 0; days <= FORECAST_AHEAD; days++) {
		if (bytes_of(forecast, entries_after(forecast, days, gone)) >
		    (double)budget) {
			*ret_days = days;
			return true;
		}
		if (days < forecast->leaving_days)
			gone +=
			    (double)forecast->leaving[days] * forecast->share;
	}
	return false;
}
