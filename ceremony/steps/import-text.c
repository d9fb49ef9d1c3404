/* Lists as text: CSV, and OpenSSL's index.txt. */
#include <stdarg.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import.h"

/* ---- faults --------------------------------------------------------------- */

enum { FAULTS_TOLD = 100 };

void
fault_add(struct faults *faults, const char *place, const char *id,
    const char *source, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	faults->count++;
	if (faults->count == FAULTS_TOLD + 1)
		findings_add(faults->findings, FINDING_ERROR, "IMPORT-FAULTS",
		    place, NULL,
		    "more is wrong from here on; the first %d faults are told",
		    FAULTS_TOLD);
	if (faults->count > FAULTS_TOLD)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings_add(
	    faults->findings, FINDING_ERROR, id, place, source, "%s", text);
}

int
fault_take_error(struct faults *faults, const char *place, const char *id)
{
	AUTO_CHARS(text) = NULL;

	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	text = ca_error_take();
	fault_add(faults, place, id, NULL, "%s",
	    text == NULL ? "this is refused" : text);
	return 0;
}

char *
import_place(const struct import *import, size_t line)
{
	return line == 0 ? text_copy(import->params->file)
			 : text_printf("%s, %s %zu", import->params->file,
			       import->format->unit, line);
}

/* At a line of the file. */
static int
take_error(struct import *import, size_t line, const char *id)
{
	AUTO_CHARS(place) = import_place(import, line);

	return place == NULL ? -1
			     : fault_take_error(&import->faults, place, id);
}

static int line_fault(struct import *import, size_t line, const char *id,
    const char *source, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static int
line_fault(struct import *import, size_t line, const char *id,
    const char *source, const char *fmt, ...)
{
	AUTO_CHARS(place) = import_place(import, line);
	char text[512];
	va_list ap;

	if (place == NULL)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fault_add(&import->faults, place, id, source, "%s", text);
	return 0;
}

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

enum {
	LINE_MAX_OCTETS = 4096,
	FIELDS_MAX = 16,
};

struct field {
	const char *text;
	size_t len;
};

static bool
is_absent(struct field field)
{
	return field.len == 0 || (field.len == 1 && field.text[0] == '-');
}

static bool
field_is(struct field field, const char *text)
{
	return field.len == strlen(text) &&
	    memcmp(field.text, text, field.len) == 0;
}

/* A field as a string of at most `size` - 1 octets; cut where it is longer. */
static const char *
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
	return why == NULL ? 0
			   : line_fault(import, line->number, "IMPORT-LINE",
				 NULL, "this is no line of a list: %s", why);
}

/* ---- what both have ------------------------------------------------------- */

/* The date of a revocation: CRL-ENTRY-DATE. */
static int
check_date(struct import *import, const struct listed *row)
{
	char date[DATE_TEXT_SIZE];

	date_format(row->date, date);
	if (row->date > import->build->now)
		return line_fault(import, row->line, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is in the future", date);
	if (row->date < REVOCATION_OLDEST)
		return line_fault(import, row->line, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6",
		    "the date %s of the revocation is before 1999", date);
	if (row->invalidity > row->date)
		return line_fault(import, row->line, "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date is behind that of the revocation");
	if (row->invalidity != 0 && row->invalidity < REVOCATION_OLDEST)
		return line_fault(import, row->line, "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date is before 1999, and no CRL could "
		    "say it");
	return 0;
}

static int
read_reason(
    struct import *import, struct field field, size_t line, struct listed *row)
{
	char text[64];

	row->reason = import->reason;
	if (is_absent(field))
		return 0;
	row->given_reason = true;
	if (reason_by_name(
		field_text(field, text, sizeof(text)), &row->reason) < 0)
		return take_error(import, line, "CRL-REASON-SET");
	return 0;
}

static int
add_row(struct import *import, const struct listed *row, size_t faults)
{
	if (import->faults.count > faults)
		return 0; /* nothing is imported any more */
	if (!import->issued && check_date(import, row) < 0)
		return -1;
	return import->faults.count > faults
	    ? 0
	    : listing_add(&import->listing, row);
}

/* ---- CSV ------------------------------------------------------------------ */

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
		return line_fault(csv->import, csv->line, "SERIAL-RADIX", NULL,
		    "this serial has only decimal digits, and could be a "
		    "decimal number; call the column 'serial-hex' or "
		    "'serial-decimal' to say what they all are");
	if (serial_from_hex(field.text, field.len, &row->serial) < 0)
		return take_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_serial_hex(struct csv *csv, struct field field, struct listed *row)
{
	csv->letters = true; /* it is said */
	if (serial_from_hex(field.text, field.len, &row->serial) < 0)
		return take_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_serial_decimal(struct csv *csv, struct field field, struct listed *row)
{
	csv->letters = true;
	if (serial_from_decimal(field.text, field.len, &row->serial) < 0)
		return take_error(csv->import, csv->line, "SERIAL-FORM");
	return 0;
}

static int
read_date(struct csv *csv, struct field field, int64_t *ret_date)
{
	char text[64];

	if (date_parse(field_text(field, text, sizeof(text)), ret_date) < 0)
		return take_error(csv->import, csv->line, "DATE");
	return 0;
}

static int
read_revoked(struct csv *csv, struct field field, struct listed *row)
{
	row->given_date = true;
	if (is_absent(field))
		return line_fault(csv->import, csv->line, "DATE", NULL,
		    "the date of the revocation is missing");
	return read_date(csv, field, &row->date);
}

static int
read_csv_reason(struct csv *csv, struct field field, struct listed *row)
{
	return read_reason(csv->import, field, csv->line, row);
}

static int
read_invalidity(struct csv *csv, struct field field, struct listed *row)
{
	return is_absent(field) ? 0 : read_date(csv, field, &row->invalidity);
}

static int
read_expires(struct csv *csv, struct field field, struct listed *row)
{
	return is_absent(field) ? 0 : read_date(csv, field, &row->expires);
}

static int
read_ca(struct csv *csv, struct field field, struct listed *row)
{
	if (is_absent(field))
		return 0;
	if (!field_is(field, "ca") && !field_is(field, "ee"))
		return line_fault(csv->import, csv->line, "IMPORT-LINE", NULL,
		    "the column 'ca' says 'ca' or 'ee', or nothing");
	row->ca = field_is(field, "ca") ? 1 : 0;
	return 0;
}

static int
read_sha256(struct csv *csv, struct field field, struct listed *row)
{
	char text[2 * sizeof(row->sha256) + 2];
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (is_absent(field))
		return 0;
	if (text_unhex(field_text(field, text, sizeof(text)), &digest, &len) <
		0 ||
	    len != sizeof(row->sha256)) {
		ca_error_clear();
		return line_fault(csv->import, csv->line, "IMPORT-LINE", NULL,
		    "the column 'sha256' is not 64 hex digits");
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
			return line_fault(csv->import, csv->line, "IMPORT-CSV",
			    NULL,
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
				return line_fault(csv->import, csv->line,
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
		return line_fault(import, line->number, "IMPORT-CSV", NULL,
		    "the first line does not name columns");
	if (take_columns(csv, fields, count) < 0)
		return -1;
	if (import->faults.count > faults)
		return 0;
	if (!has_column(csv, 0, CSV_SERIALS) ||
	    (!import->issued && !has_column(csv, CSV_DATE, 1)))
		return line_fault(import, line->number, "IMPORT-CSV", NULL,
		    "the first line must name a column 'serial'%s",
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
		return line_fault(import, line->number, "IMPORT-CSV", NULL,
		    "there are not %zu fields, as in the first line",
		    csv->count);
	for (size_t i = 0; i < count; i++)
		if (csv->columns[i]->read(csv, fields[i], &row) < 0)
			return -1;
	return add_row(import, &row, faults);
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
	const struct input *input = import->input;
	struct text_line line = { 0 };
	size_t at = skip_mark(input);

	while (text_line_next(input->data, input->len, &at, &line)) {
		bool good = false;

		if (line.len == 0)
			continue;
		if (check_line(import, &line, &good) < 0)
			return -1;
		if (csv.count == 0) {
			if (good && read_header(&csv, &line) < 0)
				return -1;
			if (import->faults.count > 0)
				return 0;
		} else if (good && read_csv_line(&csv, &line) < 0)
			return -1;
	}
	if (csv.count == 0)
		return line_fault(
		    import, 0, "IMPORT-CSV", NULL, "the file is empty");
	if (!csv.letters && import->listing.count > 0)
		return line_fault(import, 1, "SERIAL-RADIX", NULL,
		    "no serial has a digit from a to f, so they could be "
		    "decimal numbers; call the column 'serial-hex' or "
		    "'serial-decimal'");
	return 0;
}

/* ---- index.txt ------------------------------------------------------------ */

enum {
	INDEX_STATUS,
	INDEX_EXPIRES,
	INDEX_REVOKED,
	INDEX_SERIAL,
	INDEX_FILE,
	INDEX_SUBJECT,
	INDEX_FIELDS,
};

/* A backslash keeps the tab behind it from ending a field. */
static bool
split_index(const struct text_line *line, struct field fields[INDEX_FIELDS])
{
	size_t n = 0, start = 0;

	for (size_t i = 0; i <= line->len; i++) {
		if (i < line->len && line->text[i] == '\\') {
			i++;
			continue;
		}
		if (i < line->len && line->text[i] != '\t')
			continue;
		if (n == INDEX_FIELDS)
			return false;
		fields[n++] = (struct field){ line->text + start, i - start };
		start = i + 1;
	}
	return n == INDEX_FIELDS;
}

static int
read_index_date(struct import *import, size_t line, const char *what,
    struct field field, int64_t *ret_date)
{
	if (asn1_date_parse(field.text, field.len, ret_date) == 0)
		return 0;
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return line_fault(import, line, "DATE", NULL,
	    "the %s is no date like 261120120000Z", what);
}

/* What stands behind the date, as `openssl ca -revoke` writes it. */
static int
read_index_reason(struct import *import, struct field field, struct listed *row)
{
	const char *comma = memchr(field.text, ',', field.len);
	struct field name = field, argument = { "", 0 };

	if (comma != NULL) {
		name.len = (size_t)(comma - field.text);
		argument =
		    (struct field){ comma + 1, field.len - name.len - 1 };
	}
	if (field_is(name, "holdInstruction"))
		return line_fault(import, row->line, "CRL-REASON-NOHOLD",
		    "BR 7.2.2",
		    "the certificate is on hold; there is no suspension here, "
		    "revoke it or leave it out");
	if (field_is(name, "keyTime")) {
		row->given_reason = true;
		row->reason = REASON_KEY_COMPROMISE;
		return read_index_date(import, row->line,
		    "time of the compromise", argument, &row->invalidity);
	}
	if (comma != NULL && !field_is(name, "CAkeyTime"))
		return line_fault(import, row->line, "IMPORT-INDEX", NULL,
		    "something stands behind the reason");
	return read_reason(import, name, row->line, row);
}

static int
read_index_revoked(
    struct import *import, struct field field, struct listed *row)
{
	const char *comma = memchr(field.text, ',', field.len);
	struct field date = field;

	if (comma != NULL)
		date.len = (size_t)(comma - field.text);
	row->given_date = true;
	if (read_index_date(import, row->line, "time of the revocation", date,
		&row->date) < 0)
		return -1;
	return comma == NULL
	    ? 0
	    : read_index_reason(import,
		  (struct field){ comma + 1, field.len - date.len - 1 }, row);
}

/* V: valid, E: expired, R: revoked. */
static int
check_index_status(
    struct import *import, const struct field *fields, size_t line)
{
	struct field status = fields[INDEX_STATUS];
	bool revoked;

	if (status.len != 1 || memchr("VER", status.text[0], 3) == NULL)
		return line_fault(import, line, "IMPORT-INDEX", NULL,
		    "the status is neither V, E nor R");
	revoked = status.text[0] == 'R';
	if (revoked != (fields[INDEX_REVOKED].len > 0))
		return line_fault(import, line, "IMPORT-INDEX", NULL,
		    revoked ? "the certificate is revoked, and the time of "
			      "that is missing"
			    : "the certificate has a time of revocation, and "
			      "is not revoked");
	return 0;
}

static int
read_index_line(struct import *import, const struct text_line *line)
{
	struct field fields[INDEX_FIELDS];
	struct listed row = {
		.ca = -1,
		.reason = import->reason,
		.line = line->number,
	};
	size_t faults = import->faults.count;
	bool revoked;

	if (!split_index(line, fields))
		return line_fault(import, line->number, "IMPORT-INDEX", NULL,
		    "there are not six fields with a tab between each two");
	if (check_index_status(import, fields, line->number) < 0)
		return -1;
	if (import->faults.count > faults)
		return 0;
	revoked = fields[INDEX_STATUS].text[0] == 'R';
	if (serial_from_hex(fields[INDEX_SERIAL].text, fields[INDEX_SERIAL].len,
		&row.serial) < 0 &&
	    take_error(import, line->number, "SERIAL-FORM") < 0)
		return -1;
	if (read_index_date(import, line->number, "end of the certificate",
		fields[INDEX_EXPIRES], &row.expires) < 0 ||
	    (revoked &&
		read_index_revoked(import, fields[INDEX_REVOKED], &row) < 0))
		return -1;
	if (!revoked && !import->issued) {
		import->passed_over++;
		return 0;
	}
	return add_row(import, &row, faults);
}

int
import_index(struct import *import)
{
	const struct input *input = import->input;
	struct text_line line = { 0 };
	size_t at = 0;

	while (text_line_next(input->data, input->len, &at, &line)) {
		bool good = false;

		if (line.len == 0 || line.text[0] == '#')
			continue;
		if (check_line(import, &line, &good) < 0 ||
		    (good && read_index_line(import, &line) < 0))
			return -1;
	}
	return 0;
}
