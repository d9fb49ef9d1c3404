/*
 * How a CRL grows: numbers only, no journal and no file.
 *
 * Entries come at the rate of the past and leave when their certificates end.
 * Those of today leave on days that are known; those to come stay as long, on
 * average, as those did that are known.  An entry whose certificate's end is
 * not known never leaves.
 */
#ifndef CA_CEREMONY_FORECAST_H
#define CA_CEREMONY_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct crl_totals;

enum {
	FORECAST_BUDGET = 1000000, /* bytes: what clients download */
	FORECAST_YEAR = 365,       /* days of the past that give the rate */
	/* Days from 1999, before which nothing is revoked, to 2108; and how far
	 * ahead is looked. */
	FORECAST_DAYS = 40000,
	FORECAST_AHEAD = 50 * 365,
};

/* Octets of revokedCertificates, without what stands around them. */
uint64_t forecast_entry_bytes(const struct crl_totals *totals);

/* ---- the past --------------------------------------------------------- */

/* What came and went on each day; flat memory, however many there are. */
struct forecast_history {
	uint64_t *come, *gone; /* FORECAST_DAYS of each */
	uint64_t count, endless;
	double stayed; /* days, summed, of those with a known end */
	int64_t first; /* the first date; 0: none */
};
int forecast_history_make(struct forecast_history *ret_history) MUST_USE;
void forecast_history_clear(struct forecast_history *history);
CLEANUP_DEFINE_STRUCT(forecast_history);

/* A revocation; `expires` 0: unknown.  Dates beyond the days count as theirs. */
void forecast_history_add(
    struct forecast_history *history, int64_t date, int64_t expires);

/* How many stood on the CRL at the end of this time's day. */
uint64_t forecast_history_at(
    const struct forecast_history *history, int64_t time);

/* A CRL that was published. */
struct forecast_point {
	int64_t time;
	uint64_t entries, bytes;
};

/* ---- the future ------------------------------------------------------- */

struct forecast {
	int64_t now;
	double entries;     /* of today */
	double base, entry; /* bytes: of an empty CRL, and of each entry */
	double rate;        /* new entries a day */
	double stay;        /* days that one of them stays */
	double endless;     /* share of them that never leaves, 0 to 1 */
	/* Those of today that leave, by day from now; NULL: none is known. */
	const uint64_t *leaving;
	size_t leaving_days;
	double share; /* of `leaving` and `rate` that is this CRL's, 0 to 1 */
};

/*
 * Rate, stay and those that leave, from a history, as of `now`; the rate is
 * that of the last FORECAST_YEAR days, or since `since`, where that is later.
 */
void forecast_from_history(const struct forecast_history *history, int64_t now,
    int64_t since, struct forecast *forecast);

/*
 * The rate from CRLs that were published, ascending by time: a line through
 * them (least squares).  CA_R_INPUT unless they are of two days at least.
 */
int forecast_from_points(const struct forecast_point *points, size_t count,
    struct forecast *forecast) MUST_USE;

/* `days` from now. */
double forecast_entries(const struct forecast *forecast, size_t days);
double forecast_bytes(const struct forecast *forecast, size_t days);

/*
 * The first day, from now, on which it has more than `budget` bytes; false
 * where it has not within FORECAST_AHEAD days.
 */
bool forecast_crosses(
    const struct forecast *forecast, uint64_t budget, size_t *ret_days);

#endif
