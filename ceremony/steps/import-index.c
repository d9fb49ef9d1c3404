/* OpenSSL's index.txt as a list. */
#include <string.h>

#include "base/error.h"
#include "ceremony/steps/import-text.h"

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
	return import_line_fault(import, line, "DATE", NULL,
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
		return import_line_fault(import, row->line, "CRL-REASON-NOHOLD",
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
		return import_line_fault(import, row->line, "IMPORT-INDEX",
		    NULL, "something stands behind the reason");
	return import_read_reason(import, name, row->line, row);
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
		return import_line_fault(import, line, "IMPORT-INDEX", NULL,
		    "the status is neither V, E nor R");
	revoked = status.text[0] == 'R';
	if (revoked != (fields[INDEX_REVOKED].len > 0))
		return import_line_fault(import, line, "IMPORT-INDEX", NULL,
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
		return import_line_fault(import, line->number, "IMPORT-INDEX",
		    NULL,
		    "there are not six fields with a tab between each two");
	if (check_index_status(import, fields, line->number) < 0)
		return -1;
	if (import->faults.count > faults)
		return 0;
	revoked = fields[INDEX_STATUS].text[0] == 'R';
	if (serial_from_hex(fields[INDEX_SERIAL].text, fields[INDEX_SERIAL].len,
		&row.serial) < 0 &&
	    import_line_error(import, line->number, "SERIAL-FORM") < 0)
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
	return import_add_row(import, &row, faults);
}

static int
read_any_line(void *ctx, const struct text_line *line)
{
	return line->text[0] == '#' ? 0 : read_index_line(ctx, line);
}

int
import_index(struct import *import)
{
	return import_each_line(import, 0, false, read_any_line, import);
}
