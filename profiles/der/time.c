#include "profiles/der/time.h"

#include <string.h>

static int
digits(const unsigned char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t
days_of(int64_t year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
		273, 304, 334 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	const int64_t y = year - 1;

	return 365 * (year - 1970) + (y / 4 - 1969 / 4) -
	    (y / 100 - 1969 / 100) + (y / 400 - 1969 / 400) +
	    before[month - 1] + (leap && month > 2 ? 1 : 0) + day - 1;
}

static int
days_in(int64_t year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (leap && month == 2 ? 1 : 0);
}

bool
der_time_read(unsigned tag, struct der value, int64_t *ret_seconds)
{
	const bool utc = tag == DER_UTC_TIME;
	const size_t len =
	    utc ? strlen("YYMMDDHHMMSSZ") : strlen("YYYYMMDDHHMMSSZ");
	const unsigned char *p = value.p;
	int64_t year;
	int month;

	if (value.len != len || p[len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < len - 1; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	year = digits(p);
	if (utc)
		year += year < 50 ? 2000 : 1900;
	else
		year = year * 100 + digits(p + 2);
	p += utc ? 2 : 4;
	month = digits(p);
	if (year < 1 || month < 1 || month > 12 || digits(p + 2) < 1 ||
	    digits(p + 2) > days_in(year, month) || digits(p + 4) > 23 ||
	    digits(p + 6) > 59 || digits(p + 8) > 59)
		return false;
	*ret_seconds = days_of(year, month, digits(p + 2)) * 86400 +
	    digits(p + 4) * 3600 + digits(p + 6) * 60 + digits(p + 8);
	return true;
}

/* ---- writing ---------------------------------------------------------- */

struct civil {
	unsigned year, month, day;
};

/*
 * The Gregorian calendar from days since 1970-01-01, by eras of 400 years that
 * begin on 1 March: the leap day is then the last of its year.
 */
static struct civil
civil_of(uint64_t days)
{
	enum { ERA_DAYS = 146097, FROM_ERA = 719468, MARCH = 3 };
	const uint64_t since = days + FROM_ERA;
	const unsigned era = (unsigned)(since / ERA_DAYS);
	const unsigned of_era = (unsigned)(since % ERA_DAYS);
	const unsigned year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const unsigned of_year = of_era - (365 * year + year / 4 - year / 100);
	const unsigned month = (5 * of_year + 2) / 153;
	struct civil c = {
		.year = year + era * 400,
		.month = month < 10 ? month + MARCH : month - 9,
		.day = of_year - (153 * month + 2) / 5 + 1,
	};

	if (c.month < MARCH)
		c.year++;
	return c;
}

static unsigned char *
put_two(unsigned char *p, unsigned value)
{
	p[0] = (unsigned char)('0' + value / 10);
	p[1] = (unsigned char)('0' + value % 10);
	return p + 2;
}

size_t
der_time_write(
    int64_t seconds, bool generalized, unsigned char ret_time[DER_TIME_MAX])
{
	enum { FIRST_GENERALIZED = 2050, DAY = 86400 };
	const struct civil c = civil_of((uint64_t)seconds / DAY);
	const unsigned time = (unsigned)((uint64_t)seconds % DAY);
	unsigned char *p = ret_time + 2;

	generalized = generalized || c.year >= FIRST_GENERALIZED;
	ret_time[0] = generalized ? DER_GENERALIZED_TIME : DER_UTC_TIME;
	if (generalized)
		p = put_two(p, c.year / 100);
	p = put_two(p, c.year % 100);
	p = put_two(p, c.month);
	p = put_two(p, c.day);
	p = put_two(p, time / 3600);
	p = put_two(p, time / 60 % 60);
	p = put_two(p, time % 60);
	*p++ = 'Z';
	ret_time[1] = (unsigned char)(p - ret_time - 2);
	return (size_t)(p - ret_time);
}
