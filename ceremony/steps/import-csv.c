/* Lists as CSV (RFC 4180), whose first line names the columns. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import-text.h"

enum { FIELDS_MAX = 16 };

struct csv {
	struct import *import;
	const struct csv_column *columns[FIELDS_MAX];
	size_t count;
	bool letters; /* a serial has a digit above 9 */
	size_t line;
};

struct csv_column {
	const char *name;
	bool revocations, issued;
	/* -1 only for failures of the machine. */
	int (*read)(struct csv *csv, struct field field, struct listed *row);
};

static bool
only_decimal(struct field field)
{
	for (size_t i = 0; i < field.len; i++)
		if (field.text[i] < '0' || field.text[i] > '9')
			return false;
	return true;
}

/* A hex serial this long without one digit above 9: 1 in 20 million. */
enum { DECIMAL_DIGITS = 36 };

static int
read_serial(struct csv *csv, struct field field, struct listed *row)
{
	bool decimal = only_decimal(field);

	csv->letters = csv->letters || !decimal;
	if (decimal && field.len >= DECIMAL_DIGITS)
		return import_line_fault(csv->import, csv->line, "SERIAL-RADIX",
		    NULL,
		    "this serial has only decimal digits, and could be a "
		    "decimal number; call the column 'serial-hex' or "
		    "'serial-decimal' to say what they all are");
	if (serial_from_hex(field.text, field.len, &row->serial) < 0)
		return import_line_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_serial_hex(struct csv *csv, struct field field, struct listed *row)
{
	csv->letters = true; /* it is said */
	if (serial_from_hex(field.text, field.len, &row->serial) < 0)
		return import_line_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_serial_decimal(struct csv *csv, struct field field, struct listed *row)
{
	csv->letters = true;
	if (serial_from_decimal(field.text, field.len, &row->serial) < 0)
		return import_line_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_date(struct csv *csv, struct field field, int64_t *ret_date)
{
	char text[64];

	if (date_parse(field_text(field, text, sizeof(text)), ret_date) < 0)
		return import_line_error(csv->import, csv->line, "DATE");
	return 0;
}

static int
read_revoked(struct csv *csv, struct field field, struct listed *row)
{
	row->given_date = true;
	if (field_is_absent(field))
		return import_line_fault(csv->import, csv->line, "DATE", NULL,
		    "the date of the revocation is missing");
	return read_date(csv, field, &row->date);
}

static int
read_csv_reason(struct csv *csv, struct field field, struct listed *row)
{
	return import_read_reason(csv->import, field, csv->line, row);
}

static int
read_invalidity(struct csv *csv, struct field field, struct listed *row)
{
	return field_is_absent(field) ? 0
				      : read_date(csv, field, &row->invalidity);
}

static int
read_expires(struct csv *csv, struct field field, struct listed *row)
{
	return field_is_absent(field) ? 0
				      : read_date(csv, field, &row->expires);
}

static int
read_ca(struct csv *csv, struct field field, struct listed *row)
{
	if (field_is_absent(field))
		return 0;
	if (!field_is(field, "ca") && !field_is(field, "ee"))
		return import_line_fault(csv->import, csv->line, "IMPORT-LINE",
		    NULL, "the column 'ca' says 'ca' or 'ee', or nothing");
	row->ca = field_is(field, "ca") ? 1 : 0;
	return 0;
}

static int
read_sha256(struct csv *csv, struct field field, struct listed *row)
{
	char text[2 * sizeof(row->sha256) + 2];
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (field_is_absent(field))
		return 0;
	if (text_unhex(field_text(field, text, sizeof(text)), &digest, &len) <
		0 ||
	    len != sizeof(row->sha256)) {
		ca_error_clear();
		return import_line_fault(csv->import, csv->line, "IMPORT-LINE",
		    NULL, "the column 'sha256' is not 64 hex digits");
	}
	memcpy(row->sha256, digest, len);
	row->has_sha256 = true;
	return 0;
}

static const struct csv_column csv_columns[] = {
	{ "serial", true, true, read_serial },
	{ "serial-hex", true, true, read_serial_hex },
	{ "serial-decimal", true, true, read_serial_decimal },
	{ "date", true, false, read_revoked },
	{ "reason", true, false, read_csv_reason },
	{ "invalidity", true, false, read_invalidity },
	{ "expires", true, true, read_expires },
	{ "ca", false, true, read_ca },
	{ "sha256", false, true, read_sha256 },
};

enum {
	CSV_COLUMNS = sizeof(csv_columns) / sizeof(csv_columns[0]),
	CSV_SERIALS = 3, /* the first so many */
	CSV_DATE = 3,
};

/*
 * Fields of a line, perhaps in quotes (RFC 4180); nothing that these columns
 * hold has a quote or a comma.  False where the quotes do not fit.
 */
static bool
split_csv(const struct text_line *line, struct field fields[FIELDS_MAX],
    size_t *ret_count)
{
	const char *p = line->text, *const end = p + line->len;
	size_t n = 0;

	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma == NULL ? end : comma;
		struct field field = { p, (size_t)(stop - p) };

		if (n == FIELDS_MAX)
			return false;
		if (field.len >= 2 && p[0] == '"' && stop[-1] == '"')
			field = (struct field){ p + 1, field.len - 2 };
		if (memchr(field.text, '"', field.len) != NULL)
			return false;
		fields[n++] = field;
		if (comma == NULL)
			break;
		p = comma + 1;
	}
	*ret_count = n;
	return true;
}

static const struct csv_column *
column_by_name(const struct import *import, struct field field)
{
	for (size_t i = 0; i < CSV_COLUMNS; i++)
		if (field_is(field, csv_columns[i].name) &&
		    (import->issued ? csv_columns[i].issued
				    : csv_columns[i].revocations))
			return &csv_columns[i];
	return NULL;
}

static bool
has_column(const struct csv *csv, size_t first, size_t count)
{
	for (size_t i = 0; i < csv->count; i++)
		if (csv->columns[i] >= &csv_columns[first] &&
		    csv->columns[i] < &csv_columns[first + count])
			return true;
	return false;
}

static int
take_columns(struct csv *csv, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct csv_column *column =
		    column_by_name(csv->import, fields[i]);

		if (column == NULL)
			return import_line_fault(csv->import, csv->line,
			    "IMPORT-CSV", NULL,
			    "there is no column '%.*s'; the first line names "
			    "the columns: %s",
			    (int)(fields[i].len > 64 ? 64 : fields[i].len),
			    fields[i].text,
			    csv->import->issued
				? "serial (or serial-hex, serial-decimal), "
				  "expires, ca, sha256"
				: "serial (or serial-hex, serial-decimal), "
				  "date, reason, invalidity, expires");
		for (size_t k = 0; k < csv->count; k++)
			if (csv->columns[k] == column ||
			    (column < &csv_columns[CSV_SERIALS] &&
				csv->columns[k] < &csv_columns[CSV_SERIALS]))
				return import_line_fault(csv->import, csv->line,
				    "IMPORT-CSV", NULL,
				    "column '%s' is there twice", column->name);
		csv->columns[csv->count++] = column;
	}
	return 0;
}

static int
read_header(struct csv *csv, const struct text_line *line)
{
	struct field fields[FIELDS_MAX];
	struct import *import = csv->import;
	size_t count = 0, faults = import->faults.count;

	csv->line = line->number;
	if (!split_csv(line, fields, &count))
		return import_line_fault(import, line->number, "IMPORT-CSV",
		    NULL, "the first line does not name columns");
	if (take_columns(csv, fields, count) < 0)
		return -1;
	if (import->faults.count > faults)
		return 0;
	if (!has_column(csv, 0, CSV_SERIALS) ||
	    (!import->issued && !has_column(csv, CSV_DATE, 1)))
		return import_line_fault(import, line->number, "IMPORT-CSV",
		    NULL, "the first line must name a column 'serial'%s",
		    import->issued ? "" : " and a column 'date'");
	return 0;
}

static int
read_csv_line(struct csv *csv, const struct text_line *line)
{
	struct import *import = csv->import;
	struct field fields[FIELDS_MAX];
	struct listed row = {
		.ca = -1,
		.reason = import->reason,
		.line = line->number,
	};
	size_t count = 0, faults = import->faults.count;

	csv->line = line->number;
	if (!split_csv(line, fields, &count) || count != csv->count)
		return import_line_fault(import, line->number, "IMPORT-CSV",
		    NULL, "there are not %zu fields, as in the first line",
		    csv->count);
	for (size_t i = 0; i < count; i++)
		if (csv->columns[i]->read(csv, fields[i], &row) < 0)
			return -1;
	return import_add_row(import, &row, faults);
}

static int
read_any_line(void *ctx, const struct text_line *line)
{
	struct csv *csv = ctx;

	return csv->count > 0 ? read_csv_line(csv, line)
			      : read_header(csv, line);
}

/* A byte order mark, which some programs write, is no part of the text. */
static size_t
skip_mark(const struct input *input)
{
	return input->len >= 3 && memcmp(input->data, "\xef\xbb\xbf", 3) == 0
	    ? 3
	    : 0;
}

int
import_csv(struct import *import)
{
	struct csv csv = { .import = import };

	if (import_each_line(import, skip_mark(import->input), true,
		read_any_line, &csv) < 0)
		return -1;
	if (import->faults.count > 0)
		return 0;
	if (csv.count == 0)
		return import_line_fault(
		    import, 0, "IMPORT-CSV", NULL, "the file is empty");
	if (!csv.letters && import->listing.count > 0)
		return import_line_fault(import, 1, "SERIAL-RADIX", NULL,
		    "no serial has a digit from a to f, so they could be "
		    "decimal numbers; call the column 'serial-hex' or "
		    "'serial-decimal'");
	return 0;
}
