/* plan run: from the plan to its summary. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/plan.h"
#include "ca-tool/print.h"
#include "ca-tool/quorum.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/plan.h"
#include "ceremony/run.h"

static void
summary_json(struct session *session, const struct run_summary *summary)
{
	json_t *published = session_report(session, "published", json_array());

	for (size_t i = 0; i < summary->published_count; i++)
		if (json_array_append_new(
			published, json_string(summary->published[i])) != 0)
			session->report_lost = true;
	session_report(
	    session, "directory", session_string(summary->directory));
	session_report(session, "receipt", session_string(summary->receipt));
}

static void
summary_text(struct session *session, const struct run_summary *summary)
{
	size_t count = summary->published_count;

	if (count == 0)
		printf("Done. Nothing was published.\n\n");
	else
		printf("Done. %zu file%s published in %s:\n\n", count,
		    count == 1 ? " was" : "s were", session_authority(session));
	for (size_t i = 0; i < count; i++)
		printf("  %s\n", summary->published[i]);
	printf("%sThe record of this run is in ceremonies/%s.\n"
	       "The receipt is there too, and in public/journal/checkpoint. "
	       "Each operator takes a\ncopy home and shows it next time "
	       "(--receipt FILE): it proves that the journal was\nnot rolled "
	       "back.\n\n%s",
	    count > 0 ? "\n" : "", summary->directory, summary->receipt);
}

/* After a failure: is a run open now?  Says how to go on with it. */
static void
say_how_to_resume(struct session *session, struct authority *authority)
{
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_CHARS(option) = NULL;
	bool found = false;

	(void)ERR_set_mark(); /* the reason of the failure stays on top */
	option = authority_option(session);
	if (option != NULL &&
	    journal_open_run(authority_journal(authority), &found, &row) == 0 &&
	    found)
		fprintf(stderr,
		    "\nThe run of plan %s is open. Mend what is wrong, then "
		    "go on with it:\n  ca-tool plan run --resume%s\n\n",
		    row.plan, option);
	(void)ERR_pop_to_mark();
}

/* --csr NAME=FILE, one row each. */
struct late_rows {
	struct late_csr *rows;
	char **names;
	size_t count;
};

static void
late_rows_clear(struct late_rows *late)
{
	for (size_t i = 0; i < late->count; i++)
		free(late->names[i]);
	free(late->names);
	free(late->rows);
	*late = (struct late_rows){ 0 };
}
CLEANUP_DEFINE_STRUCT(late_rows);

static int
read_late(const struct session *session, struct late_rows *late)
{
	size_t count = options_count(&session->options, OPT_CSR);

	late->rows = calloc(count + 1, sizeof(*late->rows));
	late->names = calloc(count + 1, sizeof(*late->names));
	if (late->rows == NULL || late->names == NULL)
		return ca_error(CA_R_MEMORY, "no memory for options");
	for (; late->count < count; late->count++) {
		struct late_csr *row = &late->rows[late->count];

		if (options_pair(&session->options, OPT_CSR, late->count,
			&late->names[late->count], &row->path) != 0)
			return -1;
		row->name = late->names[late->count];
	}
	return 0;
}

static int
start(struct session *session, struct authority *authority,
    const struct room *room, struct run_summary *ret_summary)
{
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(late_rows) late = { 0 };

	if (read_late(session, &late) != 0 ||
	    plan_open(authority, session->options.args[0], date_now(),
		&session->findings, &plan) != 0)
		return -1;
	print_findings(session);
	return run_start(authority, plan, room, late.rows, late.count,
	    &session->findings, ret_summary);
}

static int
run_plan(
    struct session *session, struct authority *authority, struct people *people)
{
	AUTO_STRUCT(run_summary) summary = { 0 };
	int ret;

	if (session->options.given[OPT_RESUME])
		ret = run_resume(
		    authority, &people->room, &session->findings, &summary);
	else
		ret = start(session, authority, &people->room, &summary);
	/* Nobody is logged in while people read. */
	authority_logout(authority);
	people_leave(people);
	if (ret != 0) {
		say_how_to_resume(session, authority);
		return -1;
	}
	if (session_json(session))
		summary_json(session, &summary);
	else
		summary_text(session, &summary);
	return 0;
}

int
cmd_plan_run(struct session *session)
{
	bool resume = session->options.given[OPT_RESUME];
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(people) people = { 0 };

	if (resume && session->options.arg_count > 0)
		return ca_error(CA_R_USAGE,
		    "--resume goes on with the run that is open; leave out "
		    "'%s'",
		    session->options.args[0]);
	if (!resume && session->options.arg_count == 0)
		return ca_error(CA_R_USAGE,
		    "an argument is missing; usage: ca-tool plan run PLAN, or "
		    "ca-tool plan run --resume");
	if (people_open(session, ROOM_NEEDS_PIN | ROOM_NEEDS_YES, &people) !=
		0 ||
	    authority_open(session_authority(session), AUTHORITY_WRITE,
		&session->findings, &authority) != 0)
		return -1;
	if (report_warnings(session, authority) != 0)
		return -1;
	return run_plan(session, authority, &people);
}
