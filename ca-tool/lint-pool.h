/*
 * Linting on all processors: objects are read one by one, linted side by side,
 * and told in the order in which they were read.
 */
#ifndef CA_TOOL_LINT_POOL_H
#define CA_TOOL_LINT_POOL_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "ca-tool/lint-beside.h"
#include "ca-tool/lint-input.h"

/* An object that was linted. */
struct lint_result {
	struct lint_item item; /* its findings are all that were made */
	enum lint_object_kind kind;
	unsigned subjects, rulesets;
	bool failed; /* memory ran out: nothing was found out */
};

/*
 * Lint every object of `input`, and tell each; tell() returns -1 to stop.
 * CA_R_MEMORY, CA_R_INTERRUPTED, or what tell() raised.
 */
int lint_pool_run(struct lint_input *input, const struct lint_beside *beside,
    int (*tell)(void *ctx, struct lint_result *result), void *ctx) MUST_USE;

#endif
