/* What the tests of ceremony/ share. */
#ifndef TESTS_CEREMONY_SUPPORT_H
#define TESTS_CEREMONY_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* It wants what stands above. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "base/error.h"
#include "base/findings.h"

static inline void
show_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	print_message("%zu %s (%s)\n", depth, text, origin);
}

/* Says why where it does not hold. */
#define assert_ok(call)                                   \
	do {                                              \
		int result_ = (call);                     \
		if (result_ != 0)                         \
			ca_error_drain(show_error, NULL); \
		assert_int_equal(result_, 0);             \
	} while (0)

#define assert_refused(reason, call)                           \
	do {                                                   \
		ca_error_clear();                              \
		assert_int_equal((call), -1);                  \
		assert_int_equal(ca_error_reason(), (reason)); \
		ca_error_clear();                              \
	} while (0)

/* How many findings have this id and, where not NULL, this place? */
static inline size_t
count_findings(
    const struct findings *findings, const char *id, const char *place)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->count; i++)
		n += strcmp(findings->rows[i].id, id) == 0 &&
		    (place == NULL ||
			strcmp(findings->rows[i].place, place) == 0);
	return n;
}

/* Errors and warnings; a notice is what a profile has acknowledged. */
static inline size_t
count_raised(const struct findings *findings)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->count; i++)
		n += findings->rows[i].severity != FINDING_NOTICE;
	return n;
}

/* Nothing is wrong. */
static inline void
assert_quiet(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->rows[i].severity != FINDING_NOTICE)
			print_message("%s [%s] %s\n", findings->rows[i].place,
			    findings->rows[i].id, findings->rows[i].text);
	assert_int_equal(count_raised(findings), 0);
}

/* Exactly one finding, with this id at this place. */
static inline void
assert_only(const struct findings *findings, const char *id, const char *place)
{
	if (count_raised(findings) == 1 &&
	    count_findings(findings, id, place) == 1)
		return;
	for (size_t i = 0; i < findings->count; i++)
		print_message("%s [%s] %s\n", findings->rows[i].place,
		    findings->rows[i].id, findings->rows[i].text);
	fail_msg("not only %s at %s", id, place == NULL ? "any" : place);
}

/* "plan.yaml:LINE:COLUMN" of the last `what` in a plan's text. */
static inline const char *
place_in(const char *text, const char *what)
{
	static char place[64];
	const char *at = NULL, *line = text;
	unsigned number = 1;

	for (const char *p = strstr(text, what); p != NULL;
	     p = strstr(p + 1, what))
		at = p;
	assert_non_null(at);
	for (const char *p = text; p < at; p++)
		if (*p == '\n') {
			number++;
			line = p + 1;
		}
	(void)snprintf(place, sizeof(place), "plan.yaml:%u:%u", number,
	    (unsigned)(at - line) + 1);
	return place;
}

#endif
