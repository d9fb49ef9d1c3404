/* plan approve, plan status, plan confirm. */
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/plan.h"
#include "ca-tool/print.h"
#include "ca-tool/quorum.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/approve.h"
#include "ceremony/authority.h"
#include "ceremony/plan.h"

/* ---- plan status ------------------------------------------------------ */

static void
names_json(struct session *session, const char *member, char *const *names,
    size_t count)
{
	json_t *array = session_report(session, member, json_array());

	for (size_t i = 0; i < count; i++)
		if (json_array_append_new(array, session_string(names[i])) != 0)
			session->report_lost = true;
}

static void
status_json(struct session *session, const struct plan_status *status)
{
	session_report(session, "set", session_string(status->set));
	session_report(session, "threshold", json_integer(status->threshold));
	session_report(session, "run", session_string(status->run));
	names_json(
	    session, "approved", status->approved, status->approved_count);
	names_json(session, "missing", status->missing, status->missing_count);
	names_json(session, "void", status->void_approvals, status->void_count);
}

/* "alice, bob", or "nobody"; malloc'd. */
static char *
join(char *const *names, size_t count)
{
	char *text = text_copy(count == 0 ? "nobody" : "");

	for (size_t i = 0; text != NULL && i < count; i++) {
		AUTO_CHARS(before) = text;

		text =
		    text_printf("%s%s%s", before, i == 0 ? "" : ", ", names[i]);
	}
	return text;
}

static int
status_text(const struct plan_status *status)
{
	AUTO_CHARS(approved) = join(status->approved, status->approved_count);
	AUTO_CHARS(missing) = join(status->missing, status->missing_count);
	size_t lacking = status->approved_count >= status->threshold
	    ? 0
	    : status->threshold - status->approved_count;
	AUTO_CHARS(needed) = text_printf(
	    "%u approvals, %zu missing", status->threshold, lacking);

	if (approved == NULL || missing == NULL || needed == NULL)
		return -1;
	print_field(stdout, "Run", status->run);
	print_field(stdout, "Set", status->set);
	print_field(stdout, "Needed", needed);
	print_field(stdout, "Approved", approved);
	print_field(stdout, "Not yet", missing);
	for (size_t i = 0; i < status->void_count; i++) {
		fputs("\n", stdout);
		print_wrapped(stdout, 0, 2, status->void_approvals[i]);
	}
	return 0;
}

static int
report_status(
    struct session *session, struct authority *authority, struct plan *plan)
{
	AUTO_STRUCT(plan_status) status = { 0 };

	if (plan_status(authority, plan, &session->findings, &status) != 0)
		return -1;
	if (session_json(session)) {
		status_json(session, &status);
		return 0;
	}
	if (status_text(&status) != 0)
		return -1;
	print_findings(session);
	return 0;
}

int
cmd_plan_status(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;

	if (authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) != 0 ||
	    plan_look(authority, session->options.args[0], &session->findings,
		&plan) != 0 ||
	    report_warnings(session, authority) != 0 ||
	    report_plan_head(session, plan) != 0)
		return -1;
	return report_status(session, authority, plan);
}

/* ---- plan approve ----------------------------------------------------- */

static int
say_where(const struct session *session, const struct plan *plan)
{
	const char *dir = session_authority(session);
	AUTO_CHARS(option) = authority_option(session);
	AUTO_CHARS(safe) = text_escape(dir, strlen(dir));

	if (option == NULL || safe == NULL)
		return -1;
	printf("\nThe approvals are kept with the plan. Once there are "
	       "enough, run it in its window:\n  ca-tool plan run%s "
	       "%s/ceremonies/%s\n",
	    option, safe, plan_directory(plan));
	return 0;
}

int
cmd_plan_approve(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(people) people = { 0 };

	if (people_open(session, 0, &people) != 0 ||
	    authority_open(session_authority(session), AUTHORITY_WRITE,
		&session->findings, &authority) != 0 ||
	    plan_open(authority, session->options.args[0], date_now(),
		&session->findings, &plan) != 0)
		return -1;
	print_findings(session);
	if (plan_approve(authority, plan, &people.room, &session->findings) !=
	    0)
		return -1;
	people_leave(&people);
	if (report_plan_head(session, plan) != 0 ||
	    report_status(session, authority, plan) != 0)
		return -1;
	return session_json(session) ? 0 : say_where(session, plan);
}

/* ---- plan confirm ----------------------------------------------------- */

/* quorum/SETID of the authority that the directory lies in, if it does. */
static int
find_quorum(const struct session *session, char **ret_path)
{
	const char *given = session->options.value[OPT_QUORUM];

	if (given == NULL)
		return ca_error(CA_R_USAGE,
		    "option '--quorum' is missing; name the directory of the "
		    "quorum set, 'quorum/SETID' of the authority, copied from "
		    "where the operators trust it");
	*ret_path = text_copy(given);
	return *ret_path != NULL ? 0 : -1;
}

int
cmd_plan_confirm(struct session *session)
{
	AUTO_STRUCT(people) people = { 0 };
	AUTO_CHARS(quorum) = NULL;

	if (find_quorum(session, &quorum) != 0 ||
	    people_open(session, 0, &people) != 0 ||
	    confirm_elsewhere(session->options.args[0], quorum, &people.room,
		&session->findings) != 0)
		return -1;
	people_leave(&people);
	print_findings(session);
	if (!session_json(session))
		printf("Confirmed. Copy the directory 'confirmations' back to "
		       "the ceremony's machine, and go\non there with "
		       "'ca-tool plan run --resume'.\n");
	return 0;
}
