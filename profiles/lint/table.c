/* The families of lints, in the order in which they are listed. */
#include "profiles/lint/lint-private.h"

static const struct lint_table *const tables[] = {
	&lint_alg,
	&lint_keys,
	&lint_fields,
	&lint_names,
	&lint_root,
	&lint_sub,
	&lint_cross,
	&lint_responder,
	&lint_identifiers,
	&lint_usage,
	&lint_policies,
	&lint_constraints,
	&lint_urls,
	&lint_leaf,
	&lint_domain,
	&lint_smime,
	&lint_codesigning,
	&lint_crls,
	&lint_ocsp_responses,
	&lint_requests,
};
enum { TABLE_COUNT = sizeof tables / sizeof *tables };

const struct lint *
lint_at(size_t i)
{
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		if (i < tables[t]->count)
			return &tables[t]->rows[i];
		i -= tables[t]->count;
	}
	return NULL;
}
