#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/plan.h"
#include "ceremony/run.h"

/* ---- what a plan is --------------------------------------------------- */

/* Steps as text, or as rows of an array. */
struct steps {
	bool json;
	json_t *array;
	bool lost;
};

static void
each_step(void *ctx, size_t step, const char *kind, const char *text)
{
	struct steps *steps = ctx;

	if (!steps->json) {
		int used = printf("  %2zu. ", step);

		print_wrapped(stdout, used > 0 ? (size_t)used : 0, 6, text);
	} else if (json_array_append_new(steps->array,
		       json_pack("{s:I, s:s, s:s}", "step", (json_int_t)step,
			   "kind", kind, "text", text)) != 0) {
		steps->lost = true;
	}
}

static int
report_steps(struct session *session, const struct plan *plan)
{
	struct steps steps = { .json = session_json(session) };

	if (steps.json) {
		steps.array = session_report(session, "steps", json_array());
	} else {
		printf("\nSteps\n");
	}
	if (plan_describe(plan, each_step, &steps) != 0)
		return -1;
	return steps.lost ? ca_error(CA_R_MEMORY, "no memory for the report")
			  : 0;
}

static void
head_json(struct session *session, const struct plan *plan, const char *from,
    const char *until)
{
	session_report(session, "plan", session_string(plan_id(plan)));
	session_report(session, "title", session_string(plan_title(plan)));
	session_report(session, "from", session_string(from));
	session_report(session, "until", session_string(until));
	session_report(
	    session, "directory", session_string(plan_directory(plan)));
	session_report(
	    session, "manifest", session_string(plan_manifest_sha256(plan)));
}

static int
head_text(const struct plan *plan, const char *from, const char *until)
{
	AUTO_CHARS(window) = text_printf("%s to %s", from, until);
	AUTO_CHARS(kept) = NULL;

	if (window == NULL)
		return -1;
	printf("Plan %s\n\n", plan_id(plan));
	if (print_field_escaped(stdout, "Title", plan_title(plan)) != 0)
		return -1;
	print_field(stdout, "Window", window);
	if (plan_directory(plan) == NULL)
		return 0;
	kept = text_printf("ceremonies/%s", plan_directory(plan));
	if (kept == NULL)
		return -1;
	print_field(stdout, "Kept in", kept);
	print_field(stdout, "Manifest", plan_manifest_sha256(plan));
	return 0;
}

static int
report_plan(struct session *session, const struct plan *plan)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	int64_t begin, end;

	plan_window(plan, &begin, &end);
	date_format(begin, from);
	date_format(end, until);
	if (session_json(session))
		head_json(session, plan, from, until);
	else if (head_text(plan, from, until) != 0)
		return -1;
	return report_steps(session, plan);
}

/* ---- plan check ------------------------------------------------------- */

/* " -d DIR" where it was given, escaped: for commands that come next. */
static char *
authority_option(const struct session *session)
{
	const char *dir = session->options.value[OPT_AUTHORITY];
	AUTO_CHARS(safe) = dir != NULL ? text_escape(dir, strlen(dir)) : NULL;

	if (dir == NULL)
		return text_copy("");
	return safe != NULL ? text_printf(" -d %s", safe) : NULL;
}

static int
say_what_next(struct session *session, const struct plan *plan)
{
	const char *dir = session_authority(session);
	AUTO_CHARS(option) = authority_option(session);
	AUTO_CHARS(safe) = text_escape(dir, strlen(dir));

	if (option == NULL || safe == NULL)
		return -1;
	printf("\n%s Read it, then run it in its window:\n",
	    session->findings.count == 0 ? "Nothing is wrong with it."
					 : "It can be run.");
	for (int i = 0; i < 2; i++)
		printf("  ca-tool plan %s%s %s/ceremonies/%s\n",
		    i == 0 ? "show" : "run", option, safe,
		    plan_directory(plan));
	return 0;
}

int
cmd_plan_check(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;

	if (authority_open(session_authority(session), AUTHORITY_WRITE,
		&session->findings, &authority) != 0 ||
	    plan_open(authority, session->options.args[0], date_now(),
		&session->findings, &plan) != 0 ||
	    plan_keep(authority, plan) != 0 || report_plan(session, plan) != 0)
		return -1;
	print_findings(session);
	return session_json(session) ? 0 : say_what_next(session, plan);
}

/* ---- plan show -------------------------------------------------------- */

static void
each_object(void *ctx, const char *kind, const char *name, const char *text)
{
	struct steps *objects = ctx;

	if (!objects->json) {
		printf("\n%s %s\n", kind, name);
		print_lines(stdout, 2, text);
	} else if (json_array_append_new(objects->array,
		       json_pack("{s:s, s:s, s:s}", "kind", kind, "name", name,
			   "text", text)) != 0) {
		objects->lost = true;
	}
}

static int
report_objects(struct session *session, const struct plan *plan)
{
	struct steps objects = { .json = session_json(session) };

	if (objects.json) {
		objects.array =
		    session_report(session, "objects", json_array());
	} else {
		printf("\nWhat would be signed (serials, keys and times are "
		       "placeholders)\n");
	}
	if (plan_preview(plan, each_object, &objects) != 0)
		return -1;
	return objects.lost ? ca_error(CA_R_MEMORY, "no memory for the report")
			    : 0;
}

int
cmd_plan_show(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;

	if (authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) != 0 ||
	    plan_open(authority, session->options.args[0], date_now(),
		&session->findings, &plan) != 0 ||
	    report_plan(session, plan) != 0)
		return -1;
	return report_objects(session, plan);
}

/* ---- plan run --------------------------------------------------------- */

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
	       "The receipt is public/journal/checkpoint; keep a copy outside "
	       "of this room:\n\n%s",
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

static int
start(struct session *session, struct authority *authority,
    const struct room *room, struct run_summary *ret_summary)
{
	AUTO_PTR(plan) *plan = NULL;

	if (plan_open(authority, session->options.args[0], date_now(),
		&session->findings, &plan) != 0)
		return -1;
	print_findings(session);
	return run_start(
	    authority, plan, room, &session->findings, ret_summary);
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
	struct people people;

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
	return run_plan(session, authority, &people);
}
