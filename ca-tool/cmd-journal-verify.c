#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/audit/audit.h"

/* ---- running ---------------------------------------------------------- */

static int
show_progress(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	const struct room *room = ctx;

	room->progress(room->ctx, what, (size_t)done, (size_t)total);
	return interrupt_pending() ? -1 : 0;
}

/* What SQLite sets down beside the private copy goes to the same place. */
static int
set_work(const char *work)
{
	if (work == NULL || setenv("SQLITE_TMPDIR", work, 1) == 0)
		return 0;
	return ca_error(CA_R_MEMORY, "out of memory");
}

static int
verify(struct session *session, struct audit_report *ret_report)
{
	AUTO_STRUCT(people) people = { 0 };
	struct audit_options options = {
		.path = session->options.arg_count > 0
		    ? session->options.args[0]
		    : ".",
		.anchor = session->options.value[OPT_ANCHOR],
		.witnesses = session->options.value[OPT_WITNESSES],
		.work = session->options.value[OPT_WORK],
		.progress = show_progress,
		.ctx = &people.room,
	};
	int ret;

	if (set_work(options.work) != 0 ||
	    people_open(session, 0, &people) != 0)
		return -1;
	ret = audit_run(&options, &session->findings, ret_report);
	people_leave(&people);
	return ret;
}

/* ---- the report ------------------------------------------------------- */

static const struct {
	const char *member;
	size_t offset;
} counts[] = {
	{ "entries", offsetof(struct audit_report, entries) },
	{ "evidence", offsetof(struct audit_report, evidence) },
	{ "runs", offsetof(struct audit_report, runs) },
	{ "keys", offsetof(struct audit_report, keys) },
	{ "certificates", offsetof(struct audit_report, certificates) },
	{ "crls", offsetof(struct audit_report, crls) },
	{ "checkpoints", offsetof(struct audit_report, checkpoints) },
	{ "last_checkpoint", offsetof(struct audit_report, last_checkpoint) },
	{ "cosignatures", offsetof(struct audit_report, cosignatures) },
};

enum { COUNTS = sizeof counts / sizeof counts[0] };

static uint64_t
count_at(const struct audit_report *report, size_t i)
{
	const char *base = (const char *)report;

	return *(const uint64_t *)(const void *)(base + counts[i].offset);
}

enum verdict { VERDICT_RIGHT, VERDICT_CONSISTENT, VERDICT_WRONG };

static enum verdict
judge(const struct session *session, const struct audit_report *report)
{
	if (session->findings.errors > 0)
		return VERDICT_WRONG;
	return report->anchored ? VERDICT_RIGHT : VERDICT_CONSISTENT;
}

/* Size 0, and no time: it has cosigned nothing. */
static json_t *
witnesses_json(const struct audit_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->witness_count; i++) {
		const struct audit_witness *witness = &report->witnesses[i];
		char time[DATE_TEXT_SIZE];

		date_format((int64_t)witness->time, time);
		(void)json_array_append_new(list,
		    json_pack("{s:o, s:I, s:o}", "name",
			session_string(witness->name), "size",
			(json_int_t)witness->size, "time",
			witness->size == 0 ? json_null() : json_string(time)));
	}
	return list;
}

static void
report_json(struct session *session, const struct audit_report *report)
{
	static const char *const names[] = { "right", "consistent", "wrong" };

	(void)session_report(
	    session, "verdict", json_string(names[judge(session, report)]));
	(void)session_report(
	    session, "anchored", json_boolean(report->anchored));
	(void)session_report(
	    session, "authority", session_string(report->authority));
	(void)session_report(session, "origin", session_string(report->origin));
	(void)session_report(session, "genesis",
	    session_string(
		report->genesis[0] == '\0' ? NULL : report->genesis));
	for (size_t i = 0; i < COUNTS; i++)
		(void)session_report(session, counts[i].member,
		    json_integer((json_int_t)count_at(report, i)));
	(void)session_report(session, "witnesses", witnesses_json(report));
}

static int
print_line(const char *label, char *text)
{
	AUTO_CHARS(held) = text;

	if (held == NULL)
		return -1;
	print_field(stdout, label, held);
	return 0;
}

static int
print_witness(const struct audit_witness *witness)
{
	char time[DATE_TEXT_SIZE];
	AUTO_CHARS(text) = NULL;

	date_format((int64_t)witness->time, time);
	text = witness->size == 0
	    ? text_printf("%s has cosigned nothing", witness->name)
	    : text_printf("%s cosigned %" PRIu64 " entries at %s",
		  witness->name, witness->size, time);
	return text == NULL ? -1 : print_field_escaped(stdout, "Witness", text);
}

static int
print_report(const struct audit_report *report)
{
	printf("Journal\n");
	if (report->authority != NULL &&
	    (print_field_escaped(stdout, "Authority", report->authority) != 0 ||
		print_field_escaped(stdout, "Origin", report->origin) != 0))
		return -1;
	if (report->genesis[0] != '\0')
		print_field(stdout, "First entry", report->genesis);
	if (print_line("Entries",
		text_printf("%" PRIu64
			    ", of which the newest checkpoint counts "
			    "%" PRIu64,
		    report->entries, report->last_checkpoint)) != 0 ||
	    print_line("Checkpoints",
		text_printf("%" PRIu64 ", cosignatures checked: %" PRIu64,
		    report->checkpoints, report->cosignatures)) != 0 ||
	    print_line("Evidence", text_printf("%" PRIu64, report->evidence)) !=
		0 ||
	    print_line("Runs",
		text_printf("%" PRIu64 "; keys: %" PRIu64
			    ", certificates: %" PRIu64 ", CRLs: %" PRIu64,
		    report->runs, report->keys, report->certificates,
		    report->crls)) != 0)
		return -1;
	for (size_t i = 0; i < report->witness_count; i++)
		if (print_witness(&report->witnesses[i]) != 0)
			return -1;
	printf("\n");
	return 0;
}

/* Exit status 3 for all but the first: a script must not take it for good. */
static int
tell_verdict(const struct session *session, const struct audit_report *report)
{
	size_t errors = session->findings.errors;

	switch (judge(session, report)) {
	case VERDICT_WRONG:
		return ca_error(CA_R_VERIFY,
		    errors == 1 ? "%zu thing is wrong: this journal does not "
				  "prove what it claims"
				: "%zu things are wrong: this journal does not "
				  "prove what it claims",
		    errors);
	case VERDICT_CONSISTENT:
		return ca_error(CA_R_STATE,
		    "the journal is consistent with itself, and that is all: "
		    "whoever controls disk and token could have made another; "
		    "give the anchor that you keep with --anchor");
	case VERDICT_RIGHT:
		break;
	}
	if (!session_json(session))
		printf("Everything that was checked is right, and it is the "
		       "journal of the anchor.\n");
	return 0;
}

int
cmd_journal_verify(struct session *session)
{
	AUTO_STRUCT(audit_report) report = { 0 };

	if (verify(session, &report) != 0)
		return -1;
	if (session_json(session))
		report_json(session, &report);
	else if (print_report(&report) != 0)
		return -1;
	return tell_verdict(session, &report);
}
