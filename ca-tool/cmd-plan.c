#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/plan.h"
#include "ca-tool/print.h"
#include "ca-tool/quorum.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/plan.h"

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
	return print_digest("Manifest", plan_manifest_sha256(plan));
}

int
report_plan_head(struct session *session, const struct plan *plan)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];
	int64_t begin, end;

	plan_window(plan, &begin, &end);
	date_format(begin, from);
	date_format(end, until);
	if (!session_json(session))
		return head_text(plan, from, until);
	head_json(session, plan, from, until);
	return 0;
}

/* One line of allow-lint, as text or as an element of an array. */
static int
each_acknowledged(void *ctx, const char *text)
{
	struct steps *lines = ctx;

	if (!lines->json) {
		fputs("\n", stdout);
		print_field(stdout, "Allowed", text);
	} else if (json_array_append_new(lines->array, json_string(text)) !=
	    0) {
		return ca_error(CA_R_MEMORY, "no memory for the report");
	}
	return 0;
}

/* Whoever approves the plan approves what its profiles let pass. */
static int
report_acknowledged(struct session *session, const struct plan *plan)
{
	struct steps lines = { .json = session_json(session) };

	if (lines.json)
		lines.array =
		    session_report(session, "acknowledged", json_array());
	return plan_acknowledged(plan, each_acknowledged, &lines);
}

static int
report_plan(struct session *session, struct authority *authority,
    const struct plan *plan)
{
	if (report_warnings(session, authority) != 0 ||
	    report_plan_head(session, plan) != 0 ||
	    report_steps(session, plan) != 0)
		return -1;
	return report_acknowledged(session, plan);
}

/* ---- plan check ------------------------------------------------------- */

/* " -d DIR" where it was given, escaped: for commands that come next. */
char *
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
	static const char *const next[] = { "show", "approve", "run" };
	const char *dir = session_authority(session);
	AUTO_CHARS(option) = authority_option(session);
	AUTO_CHARS(safe) = text_escape(dir, strlen(dir));

	if (option == NULL || safe == NULL)
		return -1;
	printf("\n%s Read it, let the operators approve it, and run it in its "
	       "window (which also collects what approvals are missing):\n",
	    session->findings.count == 0 ? "Nothing is wrong with it."
					 : "It can be run.");
	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		printf("  ca-tool plan %s%s %s/ceremonies/%s\n", next[i],
		    option, safe, plan_directory(plan));
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
	    plan_keep(authority, plan) != 0 ||
	    report_plan(session, authority, plan) != 0)
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
	    report_plan(session, authority, plan) != 0 ||
	    report_objects(session, plan) != 0)
		return -1;
	print_findings(session);
	return 0;
}
