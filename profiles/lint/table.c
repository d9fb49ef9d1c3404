/* The families of lints, in the order in which they are listed. */
#include <pthread.h>

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

/* With its rule, which is looked up by name once. */
struct entry {
	const struct lint *lint;
	const struct rule *rule;
};
enum { ENTRIES_MAX = 1024 };
static struct entry entries[ENTRIES_MAX];
static size_t entry_count;
static pthread_once_t entries_once = PTHREAD_ONCE_INIT;

static void
make_entries(void)
{
	for (size_t t = 0; t < TABLE_COUNT; t++)
		for (size_t i = 0;
		     i < tables[t]->count && entry_count < ENTRIES_MAX; i++) {
			const struct lint *lint = &tables[t]->rows[i];

			entries[entry_count++] =
			    (struct entry){ lint, rule_by_id(lint->id) };
		}
}

const struct lint *
lint_at(size_t i)
{
	(void)pthread_once(&entries_once, make_entries);
	return i < entry_count ? entries[i].lint : NULL;
}

const struct rule *
lint_rule_at(size_t i)
{
	(void)pthread_once(&entries_once, make_entries);
	return i < entry_count ? entries[i].rule : NULL;
}
