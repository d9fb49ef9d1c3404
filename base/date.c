#include "base/date.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"

/* 9999-12-31T23:59:59Z */
static const int64_t date_last = 253402300799;
static const int64_t duration_last = (int64_t)40000 * DAY_SECONDS;

/* A pattern: 0 stands for any digit, all else for itself. */
static bool
matches(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++) {
		bool digit = *text >= '0' && *text <= '9';

		if (*pattern == '0' ? !digit : *text != *pattern)
			return false;
	}
	return *text == '\0';
}

static int
digits(const char *text, size_t count)
{
	int value = 0;

	for (size_t i = 0; i < count; i++)
		value = 10 * value + (text[i] - '0');
	return value;
}

/* True if libc, which normalises what does not exist, changed nothing. */
static bool
same_date(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	    a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
	    a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

int
date_parse(const char *text, int64_t *ret_date)
{
	struct tm wanted = { 0 }, work, got;
	time_t date;

	if (!matches(text, "0000-00-00T00:00:00Z"))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a date like '2026-11-20T12:00:00Z'", text);
	wanted.tm_year = digits(text, 4) - 1900;
	wanted.tm_mon = digits(text + 5, 2) - 1;
	wanted.tm_mday = digits(text + 8, 2);
	wanted.tm_hour = digits(text + 11, 2);
	wanted.tm_min = digits(text + 14, 2);
	wanted.tm_sec = digits(text + 17, 2);
	work = wanted;
	date = timegm(&work);
	if (gmtime_r(&date, &got) == NULL || !same_date(&wanted, &got))
		return ca_error(CA_R_INPUT, "'%s' does not exist", text);
	if (date < 0)
		return ca_error(CA_R_INPUT, "'%s' is before 1970", text);
	*ret_date = date;
	return 0;
}

int
date_parse_clock(const char *text, int64_t near, int64_t *ret_date)
{
	bool seconds = matches(text, "00:00:00");
	int64_t time, date;

	if (!seconds && !matches(text, "00:00"))
		return date_parse(text, ret_date);
	if (digits(text, 2) > 23 || digits(text + 3, 2) > 59 ||
	    (seconds && digits(text + 6, 2) > 59))
		return ca_error(CA_R_INPUT, "'%s' is no time of day", text);
	time = 3600 * digits(text, 2) + 60 * digits(text + 3, 2) +
	    (seconds ? digits(text + 6, 2) : 0);
	date = near - near % DAY_SECONDS + time;
	if (date - near > DAY_SECONDS / 2)
		date -= DAY_SECONDS;
	else if (near - date > DAY_SECONDS / 2)
		date += DAY_SECONDS;
	*ret_date = date;
	return 0;
}

void
date_format(int64_t date, char ret_text[DATE_TEXT_SIZE])
{
	time_t value = date;
	struct tm tm;

	if (date < 0 || date > date_last || gmtime_r(&value, &tm) == NULL ||
	    strftime(ret_text, DATE_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) !=
		DATE_TEXT_LEN)
		memcpy(ret_text, "(date out of range)", 20);
}

struct unit {
	char letter;
	const char *one, *many;
	int64_t seconds;
};

/* From large to small: duration_format() takes them in turn. */
static const struct unit units[] = {
	{ 'd', "day", "days", DAY_SECONDS },
	{ 'h', "hour", "hours", 3600 },
	{ 'm', "minute", "minutes", 60 },
	{ 's', "second", "seconds", 1 },
};

enum { UNITS = sizeof units / sizeof units[0] };

static const struct unit *
unit_find(char letter)
{
	for (size_t i = 0; i < UNITS; i++) {
		if (units[i].letter == letter)
			return &units[i];
	}
	return NULL;
}

int
duration_parse(const char *text, int64_t *ret_seconds)
{
	char number[32];
	size_t len = strlen(text);
	const struct unit *unit = len == 0 ? NULL : unit_find(text[len - 1]);
	uint64_t count = 0;

	if (unit == NULL || len < 2 || len > sizeof number)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a duration like '90d', '12h', '30m' or '45s'",
		    text);
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	if (text_number(
		number, (uint64_t)(duration_last / unit->seconds), &count) != 0)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a duration of at most 40000 days", text);
	*ret_seconds = (int64_t)count * unit->seconds;
	return 0;
}

char *
duration_format(int64_t seconds)
{
	/* The magnitude, of INT64_MIN too. */
	uint64_t left = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
	AUTO_CHARS(text) = text_copy(seconds < 0 ? "minus" : "");

	for (size_t i = 0; i < UNITS && text != NULL; i++) {
		uint64_t count = left / (uint64_t)units[i].seconds;
		char *longer;

		left %= (uint64_t)units[i].seconds;
		if (count == 0 && !(i == UNITS - 1 && text[0] == '\0'))
			continue;
		longer = text_printf("%s%s%llu %s", text,
		    text[0] == '\0' ? "" : " ", (unsigned long long)count,
		    count == 1 ? units[i].one : units[i].many);
		free(text);
		text = longer;
	}
	return TAKE(text);
}

int
date_to_asn1(int64_t date, ASN1_TIME **ret_time)
{
	AUTO(ASN1_TIME) *asn1 = NULL;

	if (date < 0 || date > date_last)
		return ca_error(
		    CA_R_INPUT, "a date is not between 1970 and 9999");
	/* ASN1_TIME_set() changes to GeneralizedTime in 2050 by itself. */
	if ((asn1 = ASN1_TIME_set(NULL, date)) == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	*ret_time = TAKE(asn1);
	return 0;
}

/* Fill `text` with the digits of a date, four of them for the year. */
static int
asn1_digits(const ASN1_TIME *asn1, char text[16])
{
	const char *data = (const char *)ASN1_STRING_get0_data(asn1);
	int type = ASN1_STRING_type(asn1), len = ASN1_STRING_length(asn1);

	if (type == V_ASN1_UTCTIME && len == 13) {
		memcpy(text, data[0] < '5' ? "20" : "19", 2);
		memcpy(text + 2, data, 13);
	} else if (type == V_ASN1_GENERALIZEDTIME && len == 15) {
		memcpy(text, data, 15);
	} else {
		return -1;
	}
	text[15] = '\0';
	return matches(text, "00000000000000Z") ? 0 : -1;
}

int
date_from_asn1(const ASN1_TIME *time, int64_t *ret_date)
{
	char d[16], text[32];
	bool utc = ASN1_STRING_type(time) == V_ASN1_UTCTIME;

	if (asn1_digits(time, d) != 0)
		return ca_error(CA_R_INPUT,
		    "a time is not of the form YYMMDDhhmmssZ or "
		    "YYYYMMDDhhmmssZ (RFC 5280, section 4.1.2.5)");
	if (utc != (digits(d, 4) < 2050))
		return ca_error(CA_R_INPUT,
		    "the time '%s' is a GeneralizedTime before 2050 (RFC 5280, "
		    "section 4.1.2.5)",
		    d);
	(void)snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", d,
	    d + 4, d + 6, d + 8, d + 10, d + 12);
	return date_parse(text, ret_date);
}

int64_t
date_now(void)
{
	return time(NULL);
}
