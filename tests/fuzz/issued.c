/*
 * Two certificates, one behind the other: the second is linted with the first
 * as its issuer, and as the certificate that it stands beside.
 */
#include "lint.h"
#include "two.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der first, second;
	struct lint_context context = {
		.rulesets = (1U << RULESET_COUNT) - 1,
		.at = LINT_AT,
		.signing = true,
	};

	split_in_two(data, size, &first, &second);
	context.issuer = first;
	lint_twice(second, &context, false);
	context.existing = first;
	context.subjects = FOR_CROSS;
	lint_twice(second, &context, false);
	return 0;
}
