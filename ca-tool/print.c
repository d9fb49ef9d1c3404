#include "ca-tool/print.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/session.h"

enum { FIELD_COLUMN = 14 };

/* Columns of a word: octets that begin a UTF-8 character. */
static size_t
columns(const char *word, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (((unsigned char)word[i] & 0xc0) != 0x80)
			n++;
	return n;
}

static size_t
new_line(FILE *out, size_t indent)
{
	fprintf(out, "\n%*s", (int)indent, "");
	return indent;
}

/* The words of one line of `len` octets, wrapped. */
static void
print_words(
    FILE *out, size_t column, size_t indent, const char *text, size_t len)
{
	const char *end = text + len;
	bool fresh = true; /* no word on this line yet */

	while (text < end) {
		size_t octets = strcspn(text, " \n");
		size_t width = columns(text, octets);

		if (!fresh && column + 1 + width > PRINT_WIDTH) {
			column = new_line(out, indent);
			fresh = true;
		}
		if (!fresh)
			column += (size_t)fprintf(out, " ");
		fprintf(out, "%.*s", (int)octets, text);
		column += width;
		fresh = false;
		text += octets + 1;
	}
}

void
print_wrapped(FILE *out, size_t column, size_t indent, const char *text)
{
	size_t len = strcspn(text, "\n");

	print_words(out, column, indent, text, len);
	for (; text[len] == '\n'; len = strcspn(text, "\n")) {
		text += len + 1;
		column = new_line(out, indent);
		print_words(out, column, indent, text, strcspn(text, "\n"));
	}
	fputs("\n", out);
}

void
print_lines(FILE *out, size_t column, const char *text)
{
	while (*text != '\0') {
		size_t blanks = strspn(text, " "), indent = column + blanks;
		size_t len = strcspn(text, "\n");

		if (len > blanks)
			fprintf(out, "%*s", (int)indent, "");
		print_words(
		    out, indent, indent + 2, text + blanks, len - blanks);
		fputs("\n", out);
		text += len + (text[len] != '\0' ? 1 : 0);
	}
}

void
print_field(FILE *out, const char *label, const char *value)
{
	int used = fprintf(out, "  %-*s ", FIELD_COLUMN - 3, label);

	print_wrapped(out, used > 0 ? (size_t)used : 0, FIELD_COLUMN, value);
}

int
print_field_escaped(FILE *out, const char *label, const char *text)
{
	AUTO_CHARS(safe) = text_escape(text, strlen(text));

	if (safe == NULL)
		return -1;
	print_field(out, label, safe);
	return 0;
}

const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* ---- findings --------------------------------------------------------- */

static void
print_finding(const struct finding *row)
{
	bool source = row->source != NULL && row->source[0] != '\0';
	bool place = row->place != NULL && row->place[0] != '\0';

	fprintf(stderr, "%s%s%s: %s [%s%s%s]\n", place ? row->place : "",
	    place ? ": " : "", severity_name(row->severity), row->text, row->id,
	    source ? "; " : "", source ? row->source : "");
}

static size_t
count_severity(const struct findings *findings, enum severity severity)
{
	size_t n = 0;

	for (size_t i = 0; i < findings->count; i++)
		if (findings->rows[i].severity == severity)
			n++;
	return n;
}

static void
print_counts(const struct findings *findings)
{
	const char *comma = "";

	for (int i = FINDING_ERROR; i <= FINDING_NOTICE; i++) {
		enum severity severity = (enum severity)i;
		size_t n = count_severity(findings, severity);

		if (n == 0)
			continue;
		fprintf(stderr, "%s%zu %s%s", comma, n, severity_name(severity),
		    plural(n));
		comma = ", ";
	}
	fprintf(stderr, "%s\n",
	    findings->lost ? ", and more that did not fit" : "");
}

void
print_findings(struct session *session)
{
	const struct findings *findings = &session->findings;

	/* A run adds its own to those of the check. */
	if (session_json(session) ||
	    (findings->count == session->shown && !findings->lost))
		return;
	(void)fflush(stdout);
	while (session->shown < findings->count)
		print_finding(&findings->rows[session->shown++]);
	print_counts(findings);
}

/* ---- the error queue -------------------------------------------------- */

struct error_view {
	bool verbose;
	char *headline;
	json_t *causes; /* NULL unless JSON is wanted */
};

static void
show_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	struct error_view *view = ctx;

	if (depth == 0) {
		fprintf(stderr, "ca-tool: %s\n", text);
		free(view->headline);
		view->headline = text_copy(text);
	} else if (view->verbose) {
		fprintf(stderr, "  because: %s (%s)\n", text, origin);
	}
	if (depth > 0 && view->causes != NULL)
		(void)json_array_append_new(view->causes, json_string(text));
}

static json_t *
finding_json(const struct finding *row)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
	    severity_name(row->severity), "id", row->id, "place",
	    row->place != NULL ? row->place : "", "text", row->text, "source",
	    row->source != NULL ? row->source : "");
}

static json_t *
findings_json(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++)
		if (json_array_append_new(
			array, finding_json(&findings->rows[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *
outcome_json(struct session *session, bool ok, const struct error_view *view)
{
	json_t *head = json_pack("{s:b}", "ok", ok);
	int failed = 0;

	if (!ok) {
		failed |= json_object_set_new(
		    head, "error", session_string(view->headline));
		failed |= json_object_set(head, "causes", view->causes);
	}
	if (session->report != NULL)
		failed |= json_object_update(head, session->report);
	failed |= json_object_set_new(
	    head, "findings", findings_json(&session->findings));
	if (failed != 0) {
		json_decref(head);
		return NULL;
	}
	return head;
}

/* On stdout, even after an error: a script reads the reason there. */
static int
print_json(struct session *session, bool ok, const struct error_view *view)
{
	size_t flags = session->json_written ? JSON_COMPACT : JSON_INDENT(2);
	json_t *head = outcome_json(session, ok, view);
	int ret = head != NULL ? json_dumpf(head, stdout, flags) : -1;

	json_decref(head);
	if (ret != 0) {
		fprintf(stderr, "ca-tool: cannot write the JSON report\n");
		return CA_EXIT_FAILED;
	}
	putchar('\n');
	return CA_EXIT_DONE;
}

/* ---- the end ---------------------------------------------------------- */

/* Was all of stdout written?  A full disk or a closed pipe shows only now. */
static int
close_stdout(void)
{
	bool failed = ferror(stdout) != 0;

	if (fclose(stdout) != 0 || failed) {
		fprintf(stderr,
		    "ca-tool: cannot write to standard output%s%s\n",
		    errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
		return CA_EXIT_FAILED;
	}
	return CA_EXIT_DONE;
}

/* A failure that was there before counts, not what follows from it. */
static void
keep_first(int *status, int later)
{
	if (*status == CA_EXIT_DONE)
		*status = later;
}

int
print_outcome(struct session *session, int ret)
{
	struct error_view view = { .verbose =
				       session->options.given[OPT_VERBOSE] };
	int status = CA_EXIT_DONE;

	if (ret == 0 && session->report_lost)
		ret = ca_error(CA_R_MEMORY, "no memory for the report");
	if (ret != 0 && ca_error_reason() == 0)
		(void)ca_error(CA_R_INTERNAL,
		    "it failed without a reason: a mistake in ca-tool");
	if (ret != 0)
		status = (int)ca_error_exit_status();
	print_findings(session);
	(void)fflush(stdout);
	if (session_json(session))
		view.causes = json_array();
	if (ret != 0)
		ca_error_drain(show_error, &view);
	if (session_json(session) && !(ret == 0 && session->json_written))
		keep_first(&status, print_json(session, ret == 0, &view));
	json_decref(view.causes);
	free(view.headline);
	keep_first(&status, close_stdout());
	return status;
}
