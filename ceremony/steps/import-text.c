/* Lists as text: lines, fields, and what CSV and index.txt have in common. */
#include "ceremony/steps/import-text.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

/* ---- lines ---------------------------------------------------------------- */

bool
text_line_next(
    const unsigned char *data, size_t len, size_t *at, struct text_line *line)
{
	const unsigned char *start = data + *at, *newline;

	if (*at >= len)
		return false;
	newline = memchr(start, '\n', len - *at);
	line->text = (const char *)start;
	line->len = newline == NULL ? len - *at : (size_t)(newline - start);
	line->number++;
	*at += line->len + 1;
	if (line->len > 0 && line->text[line->len - 1] == '\r')
		line->len--;
	return true;
}

enum { LINE_MAX_OCTETS = 4096 };

bool
field_is_absent(struct field field)
{
	return field.len == 0 || (field.len == 1 && field.text[0] == '-');
}

bool
field_is(struct field field, const char *text)
{
	return field.len == strlen(text) &&
	    memcmp(field.text, text, field.len) == 0;
}

const char *
field_text(struct field field, char *text, size_t size)
{
	size_t len = field.len < size ? field.len : size - 1;

	memcpy(text, field.text, len);
	text[len] = '\0';
	return text;
}

/* What may not be in any line; told. */
static int
check_line(struct import *import, const struct text_line *line, bool *ret_good)
{
	const char *why = NULL;

	if (line->len > LINE_MAX_OCTETS)
		why = "it is longer than 4,096 octets";
	else if (memchr(line->text, '\0', line->len) != NULL)
		why = "there is a NUL octet in it";
	else if (!text_is_utf8(line->text, line->len))
		why = "it is not UTF-8";
	*ret_good = why == NULL;
	return why == NULL
	    ? 0
	    : import_line_fault(import, line->number, "IMPORT-LINE", NULL,
		  "this is no line of a list: %s", why);
}

/* ---- what both have ------------------------------------------------------- */

/* The date of a revocation: CRL-ENTRY-DATE. */
static int
check_date(struct import *import, const struct listed *row)
{
	char date[DATE_TEXT_SIZE];

	date_format(row->date, date);
	if (row->date > import->build->now)
		return import_line_fault(import, row->line, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is in the future", date);
	if (row->date < REVOCATION_OLDEST)
		return import_line_fault(import, row->line, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is before 1999", date);
	if (row->invalidity > row->date)
		return import_line_fault(import, row->line, "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date is behind that of the revocation");
	if (row->invalidity != 0 && row->invalidity < REVOCATION_OLDEST)
		return import_line_fault(import, row->line, "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date is before 1999, and no CRL could "
		    "say it");
	return 0;
}

int
import_read_reason(
    struct import *import, struct field field, size_t line, struct listed *row)
{
	char text[64];

	row->reason = import->reason;
	if (field_is_absent(field))
		return 0;
	row->given_reason = true;
	if (reason_by_name(
		field_text(field, text, sizeof(text)), &row->reason) < 0)
		return import_line_error(import, line, "CRL-REASON-SET");
	return 0;
}

int
import_add_row(struct import *import, const struct listed *row, size_t faults)
{
	if (import->faults.count > faults)
		return 0; /* nothing is imported any more */
	if (!import->issued && check_date(import, row) < 0)
		return -1;
	return import->faults.count > faults
	    ? 0
	    : listing_add(&import->listing, row);
}

int
import_each_line(struct import *import, size_t at, bool header,
    int (*read)(void *ctx, const struct text_line *line), void *ctx)
{
	enum { PASSED = 1 << 20 };
	const struct input *input = import->input;
	struct text_line line = { 0 };
	size_t passed = 0;

	while (text_line_next(input->data, input->len, &at, &line)) {
		bool good = false;

		if (at - passed > PASSED)
			input_pass(input, passed = at - line.len - 2);
		if (line.len == 0)
			continue;
		if (check_line(import, &line, &good) < 0)
			return -1;
		if (good && read(ctx, &line) < 0)
			return -1;
		if (header && import->faults.count > 0)
			break;
		header = false;
	}
	return 0;
}
