/*
 * Two CRLs, one behind the other: the second is linted with the first as the
 * one before, both from memory and octet by octet.
 */
#include "few.h"
#include "lint.h"
#include "two.h"

static void
same_findings(const struct findings *one, const struct findings *two)
{
	HOLDS(one->count == two->count && one->errors == two->errors);
	for (size_t i = 0; i < one->count; i++) {
		HOLDS(strcmp(one->rows[i].id, two->rows[i].id) == 0);
		HOLDS(strcmp(one->rows[i].place, two->rows[i].place) == 0);
		HOLDS(strcmp(one->rows[i].text, two->rows[i].text) == 0);
	}
}

static void
lint_with(const struct der_source *source, const struct der_source *previous,
    struct findings *findings)
{
	const struct lint_context context = {
		.rulesets = (1U << RULESET_COUNT) - 1,
		.at = LINT_AT,
		.signing = true,
		.previous = previous,
	};

	HOLDS(lint_crl("x", source, &context, findings) == 0);
	HOLDS(ca_error_reason() == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(findings) whole = { 0 };
	AUTO_STRUCT(findings) few = { 0 };
	struct der first, second;
	struct der_source previous, source;

	split_in_two(data, size, &first, &second);
	previous = der_source_memory(&first);
	source = der_source_memory(&second);
	lint_with(&source, &previous, &whole);
	check_findings(&whole, second.len);
	previous = few_at_a_time(&first);
	source = few_at_a_time(&second);
	lint_with(&source, &previous, &few);
	same_findings(&whole, &few);
	return 0;
}
