/* From the source to the report. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

/*
 * The file can turn out to be damaged anywhere: a finding then, and what
 * cannot be read is not looked at.
 */
static int
take_damage(struct audit *audit, int result)
{
	if (result == 0 || ca_error_reason() != CA_R_CORRUPT)
		return result;
	findings_take_error(audit->findings, "AUDIT-DATABASE", "journal.db");
	return 0;
}

static size_t
count_passes(void)
{
	size_t count = 0;

	while (audit_passes[count] != NULL)
		count++;
	return count;
}

static int
begin_passes(struct audit *audit)
{
	for (size_t i = 0; audit_passes[i] != NULL; i++)
		if (audit_passes[i]->begin != NULL &&
		    audit_passes[i]->begin(audit, &audit->states[i]) != 0)
			return -1;
	return 0;
}

/* All of them, so that each frees its state. */
static int
end_passes(struct audit *audit, bool whole)
{
	int result = 0;

	for (size_t i = 0; audit_passes[i] != NULL; i++) {
		if (audit_passes[i]->end == NULL)
			continue;
		if (take_damage(audit,
			audit_passes[i]->end(audit, audit->states[i],
			    whole && result == 0)) != 0)
			result = -1;
	}
	return result;
}

/* *ret_whole: it went to the last entry. */
static int
walk(struct audit *audit, bool *ret_whole, bool *ret_tree)
{
	return schema_put_aside(audit->journal) != 0 ||
		begin_passes(audit) != 0 ||
		audit_walk(audit, ret_whole, ret_tree) != 0
	    ? -1
	    : 0;
}

static int
check(struct audit *audit)
{
	bool whole = false, tree = false;
	int result = take_damage(audit, walk(audit, &whole, &tree));

	if (end_passes(audit, whole && result == 0) != 0)
		result = -1;
	/* An export holds none of these tables. */
	if (result != 0 || !whole || audit->export)
		return result;
	return take_damage(audit, audit_compare(audit, tree));
}

/* What the first entry says, where there is one. */
static int
describe(struct audit *audit)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	int64_t one;
	bool found;

	if (sql_number(audit->journal, "SELECT one FROM authority", NULL,
		&found, &one) != 0)
		return -1;
	if (!found)
		return 0;
	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	text_hex_into(row.genesis, HASH_LEN, audit->report.genesis);
	audit->report.authority = TAKE(row.id);
	audit->report.origin = TAKE(row.origin);
	return 0;
}

static int
run(const struct audit_options *options, struct findings *findings,
    struct audit_report *ret_report)
{
	AUTO_STRUCT(audit_source) source = { .public_fd = -1 };
	AUTO_STRUCT(audit_report) report = { 0 };
	struct audit audit = { .options = options, .findings = findings };
	int result;

	if (audit_source_open(options, findings, &source) != 0)
		return -1;
	audit.journal = source.journal;
	audit.public_fd = source.public_fd;
	audit.export = source.export;
	/* One more, as the list has. */
	audit.states = calloc(count_passes() + 1, sizeof(*audit.states));
	if (audit.states == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	result = check(&audit);
	free(audit.states);
	if (result == 0)
		result = take_damage(&audit, describe(&audit));
	report = audit.report;
	if (result != 0)
		return -1;
	*ret_report = report;
	report = (struct audit_report){ 0 };
	return 0;
}

int
audit_run(const struct audit_options *options, struct findings *findings,
    struct audit_report *ret_report)
{
	if (run(options, findings, ret_report) == 0)
		return 0;
	if (ca_error_reason() != CA_R_FULL)
		return -1;
	return ca_error(CA_R_FULL,
	    "there is no room in '%s' for a private copy of '%s'; name another "
	    "place with --work",
	    audit_work(options), options->path);
}
