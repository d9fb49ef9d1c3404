/*
 * Dates and durations, strictly written.  A date is a count of seconds since
 * 1970-01-01T00:00:00Z, without leap seconds, as in X.509.
 */
#ifndef CA_BASE_DATE_H
#define CA_BASE_DATE_H

#include <stdint.h>

#include <openssl/asn1.h>

#include "base/cleanup.h"

enum {
	DATE_TEXT_LEN = 20, /* "2026-11-20T12:00:00Z" */
	DATE_TEXT_SIZE = DATE_TEXT_LEN + 1,
	DAY_SECONDS = 86400,
};

/*
 * Exactly YYYY-MM-DDThh:mm:ssZ (RFC 3339, UTC only), a date that exists, from
 * 1970 to 9999; second 60 is refused.  Refuses with CA_R_INPUT.
 */
int date_parse(const char *text, int64_t *ret_date) MUST_USE;

/*
 * What people read off a clock: such a date, or hh:mm:ss or hh:mm of the day that
 * brings it nearest to `near`; UTC.  CA_R_INPUT otherwise.
 */
int date_parse_clock(
    const char *text, int64_t near, int64_t *ret_date) MUST_USE;

/* The same form; the date must lie between 1970 and 9999. */
void date_format(int64_t date, char ret_text[DATE_TEXT_SIZE]);

/*
 * A whole number and one unit: s, m (minutes), h or d, e.g. "3650d", "12h".
 * No months or years, whose length varies; at most 40,000 days.
 */
int duration_parse(const char *text, int64_t *ret_seconds) MUST_USE;

/* "7305 days", "12 hours", ... for people; free(). */
char *duration_format(int64_t seconds) MUST_USE;

/*
 * RFC 5280, sections 4.1.2.5 and 5.1.2.4: UTCTime through 2049,
 * GeneralizedTime from 2050.  A new ASN1_TIME, the caller's.
 */
int date_to_asn1(int64_t date, ASN1_TIME **ret_time) MUST_USE;
int date_from_asn1(const ASN1_TIME *time, int64_t *ret_date) MUST_USE;

/* The system's clock, whole seconds. */
int64_t date_now(void);

#endif
