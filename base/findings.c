#include "base/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum {
	ROWS_MAX = 10000,
	/* A hostile input may name things of a megabyte. */
	TEXT_MAX = 2000,
};

static void
finding_free(struct finding *row)
{
	free(row->id);
	free(row->place);
	free(row->text);
	free(row->source);
}

static char *
escape_text(const char *text)
{
	return text_escape(text, text_cut(text, strlen(text), TEXT_MAX));
}

/* Make room for one more row: the table doubles when it is full. */
static int
make_room(struct findings *findings)
{
	size_t n = findings->count;
	struct finding *rows;

	if (n >= ROWS_MAX)
		return -1;
	if (n != 0 && (n & (n - 1)) != 0)
		return 0;
	rows = realloc(findings->rows, (n == 0 ? 1 : 2 * n) * sizeof *rows);
	if (rows == NULL)
		return -1;
	findings->rows = rows;
	return 0;
}

/* Append `row`, whose strings become the table's; they may be NULL. */
static void
append(struct findings *findings, struct finding *row)
{
	if (row->id == NULL || row->place == NULL || row->text == NULL ||
	    row->source == NULL || make_room(findings) != 0) {
		/* What cannot even be said refuses; so do errors. */
		if (row->severity == FINDING_ERROR ||
		    findings->count < ROWS_MAX)
			findings->errors++;
		findings->lost = true;
		finding_free(row);
		return;
	}
	if (row->severity == FINDING_ERROR)
		findings->errors++;
	findings->rows[findings->count++] = *row;
}

void
findings_add(struct findings *findings, enum severity severity, const char *id,
    const char *place, const char *source, const char *fmt, ...)
{
	char text[TEXT_MAX + 8];
	va_list args;
	struct finding row;

	va_start(args, fmt);
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		text[0] = '\0';
	va_end(args);
	row = (struct finding){
		.severity = severity,
		.id = strdup(id),
		.place = escape_text(place == NULL ? "" : place),
		.text = escape_text(text),
		.source = strdup(source == NULL ? "" : source),
	};
	append(findings, &row);
}

void
findings_take_error(
    struct findings *findings, const char *id, const char *place)
{
	AUTO_CHARS(text) = ca_error_take();

	findings_add(findings, FINDING_ERROR, id, place, NULL, "%s",
	    text == NULL ? "refused" : text);
}

void
findings_merge(struct findings *findings, const struct findings *from)
{
	size_t kept = 0;

	for (size_t i = 0; i < from->count; i++) {
		const struct finding *row = &from->rows[i];
		struct finding copy = {
			.severity = row->severity,
			.id = strdup(row->id),
			.place = strdup(row->place),
			.text = strdup(row->text),
			.source = strdup(row->source),
		};

		append(findings, &copy);
	}
	/* Errors that `from` counts and could not keep. */
	for (size_t i = 0; i < from->count; i++)
		kept += from->rows[i].severity == FINDING_ERROR;
	findings->errors += from->errors - kept;
	findings->lost = findings->lost || from->lost;
}

void
findings_pass(struct findings *findings, const struct finding *row,
    enum severity severity, const char *place, const char *before)
{
	struct finding copy = {
		.severity = severity,
		.id = strdup(row->id),
		.place = escape_text(place),
		.text = text_printf("%s%s", before, row->text),
		.source = strdup(row->source),
	};

	append(findings, &copy);
}

/* ":14:7" of "DIR/plan.yaml:14:7", or the whole of any other place. */
static const char *
position(const char *place)
{
	static const char digits[] = "0123456789";
	const char *at = place + strlen(place);

	for (int i = 0; i < 2; i++) {
		const char *end = at;

		while (at > place && strchr(digits, at[-1]) != NULL)
			at--;
		if (at == end || at == place || *--at != ':')
			return place;
	}
	return at;
}

static bool
says_the_same(const struct finding *a, const struct finding *b)
{
	return a->severity == b->severity && strcmp(a->id, b->id) == 0 &&
	    strcmp(a->text, b->text) == 0 &&
	    strcmp(a->source, b->source) == 0 &&
	    strcmp(position(a->place), position(b->place)) == 0;
}

void
findings_drop_said(struct findings *findings, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < findings->count; i++) {
		struct finding *row = &findings->rows[i];
		bool said = false;

		for (size_t k = 0; k < from && !said; k++)
			said = row->severity != FINDING_ERROR &&
			    says_the_same(row, &findings->rows[k]);
		if (said)
			finding_free(row);
		else
			findings->rows[kept++] = *row;
	}
	findings->count = kept;
}

const char *
severity_name(enum severity severity)
{
	switch (severity) {
	case FINDING_ERROR:
		return "error";
	case FINDING_WARNING:
		return "warning";
	case FINDING_NOTICE:
		return "notice";
	}
	return "error";
}

void
findings_clear(struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		finding_free(&findings->rows[i]);
	free(findings->rows);
	*findings = (struct findings){ 0 };
}
