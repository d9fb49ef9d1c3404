/* The linter over any octets: what it says holds together, and is the same. */
#ifndef TESTS_FUZZ_LINT_H
#define TESTS_FUZZ_LINT_H

#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "profiles/der/stream.h"
#include "profiles/lint/about.h"
#include "profiles/lint/lint.h"

enum { LINT_AT = 1795000000 /* 2026-11-18 */ };

/* The octet that a finding names lies in the object. */
static void
check_place(const struct finding *row, size_t size)
{
	const char *octet = strstr(row->place, ", octet ");

	HOLDS(strncmp(row->place, "x", 1) == 0 ||
	    strncmp(row->place, "the ", 4) == 0);
	HOLDS(octet == NULL || strtoull(octet + 8, NULL, 10) <= size);
}

/*
 * A check that cannot be made refuses; there must be a reason for that which
 * is a fault of the object, or a key larger than any that is computed with.
 */
static bool
is_unsure_alone(const struct findings *findings)
{
	size_t unsure = 0, errors = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *row = &findings->rows[i];

		if (strstr(row->text, "none above") != NULL)
			return false;
		if (strcmp(row->id, "LINT-FAIL-CLOSED") == 0)
			unsure++;
		else if (row->severity == FINDING_ERROR)
			errors++;
	}
	return unsure > 0 && errors == 0;
}

static void
check_sure(const struct findings *findings)
{
	if (!is_unsure_alone(findings))
		return;
	for (size_t i = 0; i < findings->count; i++)
		fprintf(stderr, "%s %s %s: %s\n",
		    severity_name(findings->rows[i].severity),
		    findings->rows[i].id, findings->rows[i].place,
		    findings->rows[i].text);
	HOLDS(!is_unsure_alone(findings));
}

static void
check_findings(const struct findings *findings, size_t size)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *row = &findings->rows[i];

		HOLDS(rule_by_id(row->id) != NULL ||
		    strncmp(row->id, "LINT-", 5) == 0);
		HOLDS(row->text[0] != '\0');
		check_place(row, size);
	}
}

/* `sure`: what stands beside the object is none that could not be read. */
static inline void
lint_twice(struct der object, const struct lint_context *context, bool sure)
{
	struct findings first = { 0 }, second = { 0 };
	unsigned subjects = 0, rulesets = 0;

	HOLDS(lint_object("x", object, context, &first) == 0);
	HOLDS(lint_object("x", object, context, &second) == 0);
	HOLDS(lint_about(object, context, &subjects, &rulesets) == 0);
	HOLDS(ca_error_reason() == 0);
	HOLDS(first.count == second.count && first.errors == second.errors);
	HOLDS((rulesets & RULESET_BIT(RULESET_RFC5280)) != 0);
	check_findings(&first, object.len);
	if (sure)
		check_sure(&first);
	findings_clear(&first);
	findings_clear(&second);
}

/* By itself; and with all that can be known, which is as hostile. */
static inline int
lint_fuzz(const uint8_t *data, size_t size, unsigned subjects)
{
	struct der object = { data, size };
	const struct der_source itself = der_source_memory(&object);
	const struct lint_context alone = { .at = 0 };
	const struct lint_context all = {
		.rulesets = (1U << RULESET_COUNT) - 1,
		.subjects = subjects,
		.at = LINT_AT,
		.signing = true,
		.issuer = object,
		.existing = object,
		.previous = &itself,
	};

	lint_twice(object, &alone, true);
	lint_twice(object, &all, true);
	return 0;
}

#endif
