#include <jansson.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "base/lock.h"
#include "ca-tool/command.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/session.h"
#include "ceremony/journal/reindex.h"

static bool
keep_going(void)
{
	return !interrupt_pending();
}

/*
 * The journal alone is needed: authority.yaml or the tables may be damaged,
 * which keeps other commands from starting.
 */
static int
open_alone(const char *dir, int *ret_lock, struct journal **ret_journal)
{
	AUTO_FD(fd) = -1;

	if (dir_open(dir, &fd) != 0)
		return -1;
	/* The lock's file is made only where there is something to lock. */
	if (file_exists_at(fd, "journal.db") != 1)
		return ca_error(CA_R_MISSING,
		    "'%s' is not an authority: it has no journal.db; name one "
		    "with --authority",
		    dir);
	if (lock_take(fd, "lock", ret_lock) != 0)
		return -1;
	return journal_open(dir, JOURNAL_WRITE, ret_journal);
}

static void
print_table(const struct reindex_table *table)
{
	printf("  %-12s %8llu", table->name, (unsigned long long)table->rows);
	if (table->missing > 0 && table->wrong > 0)
		printf("  %llu missing or different, %llu wrong",
		    (unsigned long long)table->missing,
		    (unsigned long long)table->wrong);
	else if (table->missing > 0)
		printf("  %llu missing", (unsigned long long)table->missing);
	else if (table->wrong > 0)
		printf("  %llu too many", (unsigned long long)table->wrong);
	printf("\n");
}

static bool
is_mended(const struct reindex *reindex)
{
	for (size_t i = 0; i < reindex->count; i++)
		if (reindex->tables[i].missing > 0 ||
		    reindex->tables[i].wrong > 0)
			return true;
	return false;
}

static void
print_reindex(const struct reindex *reindex)
{
	printf("%llu entries and their tree are sound. The tables, with how "
	       "many rows the\nentries give, and how they were before:\n\n",
	    (unsigned long long)reindex->entries);
	for (size_t i = 0; i < reindex->count; i++)
		print_table(&reindex->tables[i]);
	printf(is_mended(reindex)
		? "\nThe tables were not as the entries say, and are now. The "
		  "journal was changed\nby something that is not ca-tool: "
		  "find out what.\n"
		: "\nAll tables were as the entries say.\n");
}

static json_t *
table_json(const struct reindex_table *table)
{
	return json_pack("{s:s,s:I,s:I,s:I}", "table", table->name, "rows",
	    (json_int_t)table->rows, "missing", (json_int_t)table->missing,
	    "wrong", (json_int_t)table->wrong);
}

static int
report_reindex(struct session *session, const struct reindex *reindex)
{
	json_t *tables = session_report(session, "tables", json_array());

	(void)session_report(
	    session, "entries", json_integer((json_int_t)reindex->entries));
	(void)session_report(
	    session, "mended", json_boolean(is_mended(reindex)));
	for (size_t i = 0; i < reindex->count; i++)
		if (json_array_append_new(
			tables, table_json(&reindex->tables[i])) != 0)
			return ca_error(
			    CA_R_MEMORY, "no memory for the report");
	return 0;
}

int
cmd_journal_reindex(struct session *session)
{
	AUTO_FD(lock) = -1;
	AUTO_PTR(journal) *journal = NULL;
	struct reindex reindex;

	if (open_alone(session_authority(session), &lock, &journal) != 0 ||
	    journal_reindex(journal, keep_going, &reindex) != 0)
		return -1;
	if (session_json(session))
		return report_reindex(session, &reindex);
	print_reindex(&reindex);
	return 0;
}
