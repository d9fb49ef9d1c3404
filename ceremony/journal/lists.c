#include "ceremony/journal/lists.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

/* ---- reasons ---------------------------------------------------------- */

static const struct {
	const char *name;
	int reason;
} reasons[] = {
	{ "unspecified", 0 },
	{ "keyCompromise", 1 },
	{ "cACompromise", 2 },
	{ "affiliationChanged", 3 },
	{ "superseded", 4 },
	{ "cessationOfOperation", 5 },
	{ "certificateHold", 6 },
	{ "removeFromCRL", 8 },
	{ "privilegeWithdrawn", 9 },
	{ "aACompromise", 10 },
};

enum { REASONS = sizeof(reasons) / sizeof(reasons[0]) };

int
list_reason(const char *name)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strcmp(reasons[i].name, name) == 0)
			return reasons[i].reason;
	return -1;
}

const char *
list_reason_name(int reason)
{
	for (size_t i = 0; i < REASONS; i++)
		if (reasons[i].reason == reason)
			return reasons[i].name;
	return NULL;
}

/* ---- fields ----------------------------------------------------------- */

enum { FIELDS_MAX = 5 };

struct field {
	const char *text;
	size_t len;
};

/* Exactly `count` of them, none empty, one blank between two. */
static int
split(const char *line, size_t len, size_t count, struct field *ret_fields)
{
	const char *end = line + len;

	for (size_t i = 0; i < count; i++) {
		const char *blank = memchr(line, ' ', (size_t)(end - line));
		const char *stop = blank == NULL ? end : blank;

		if (stop == line || (blank == NULL) != (i + 1 == count))
			return ca_error(CA_R_CORRUPT,
			    "it does not have %zu fields with one blank "
			    "between two",
			    count);
		ret_fields[i] = (struct field){ line, (size_t)(stop - line) };
		line = stop + 1;
	}
	return 0;
}

static bool
is_dash(const struct field *field)
{
	return field->len == 1 && field->text[0] == '-';
}

static int
digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower-case hex of at most `max` octets. */
static int
read_hex(const struct field *field, size_t max, unsigned char *ret_octets,
    size_t *ret_len)
{
	if (field->len == 0 || field->len % 2 != 0 || field->len / 2 > max)
		return -1;
	for (size_t i = 0; i < field->len / 2; i++) {
		int high = digit(field->text[2 * i]);
		int low = digit(field->text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		ret_octets[i] = (unsigned char)(high << 4 | low);
	}
	*ret_len = field->len / 2;
	return 0;
}

/* Content octets of an INTEGER, as short as can be; none is negative. */
static int
read_serial(
    const struct field *field, unsigned char *ret_serial, size_t *ret_len)
{
	if (read_hex(field, LIST_SERIAL_MAX, ret_serial, ret_len) != 0 ||
	    (ret_serial[0] & 0x80) != 0 ||
	    (*ret_len > 1 && ret_serial[0] == 0 && (ret_serial[1] & 0x80) == 0))
		return ca_error(CA_R_CORRUPT,
		    "'%.*s' is no serial: lower-case hex of the content octets "
		    "of an INTEGER that is not negative",
		    field->len < 60 ? (int)field->len : 60, field->text);
	return 0;
}

static int
read_hash(const struct field *field, unsigned char ret_hash[HASH_LEN])
{
	size_t len;

	if (read_hex(field, HASH_LEN, ret_hash, &len) != 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "'%.*s' is no SHA-256",
		    field->len < 70 ? (int)field->len : 70, field->text);
	return 0;
}

static int
read_date(const struct field *field, bool optional, int64_t *ret_date)
{
	char text[DATE_TEXT_SIZE];

	if (optional && is_dash(field)) {
		*ret_date = 0;
		return 0;
	}
	if (field->len == DATE_TEXT_LEN) {
		memcpy(text, field->text, field->len);
		text[field->len] = '\0';
		if (date_parse(text, ret_date) == 0)
			return 0;
		ca_error_clear();
	}
	return ca_error(CA_R_CORRUPT, "'%.*s' is no time",
	    field->len < 60 ? (int)field->len : 60, field->text);
}

static int
read_reason(const struct field *field, int *ret_reason)
{
	for (size_t i = 0; i < REASONS; i++)
		if (strlen(reasons[i].name) == field->len &&
		    memcmp(reasons[i].name, field->text, field->len) == 0) {
			*ret_reason = reasons[i].reason;
			return 0;
		}
	return ca_error(CA_R_CORRUPT, "'%.*s' is no reason",
	    field->len < 60 ? (int)field->len : 60, field->text);
}

static int
read_ca(const struct field *field, int *ret_ca)
{
	static const struct {
		const char *text;
		int ca;
	} kinds[] = { { "ca", 1 }, { "ee", 0 }, { "-", -1 } };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(kinds[i].text) == field->len &&
		    memcmp(kinds[i].text, field->text, field->len) == 0) {
			*ret_ca = kinds[i].ca;
			return 0;
		}
	return ca_error(CA_R_CORRUPT,
	    "'%.*s' does not say whether it is a CA's: ca, ee or -",
	    field->len < 60 ? (int)field->len : 60, field->text);
}

/* ---- lines ------------------------------------------------------------ */

int
listed_revocation_parse(
    const char *line, size_t len, struct listed_revocation *ret_row)
{
	struct listed_revocation row = { 0 };
	struct field fields[FIELDS_MAX];

	if (split(line, len, 5, fields) != 0 ||
	    read_serial(&fields[0], row.serial, &row.serial_len) != 0 ||
	    read_date(&fields[1], false, &row.date) != 0 ||
	    read_reason(&fields[2], &row.reason) != 0 ||
	    read_date(&fields[3], true, &row.invalidity) != 0 ||
	    read_date(&fields[4], true, &row.expires) != 0)
		return -1;
	*ret_row = row;
	return 0;
}

int
listed_certificate_parse(
    const char *line, size_t len, struct listed_certificate *ret_row)
{
	struct listed_certificate row = { 0 };
	struct field fields[FIELDS_MAX];

	if (split(line, len, 4, fields) != 0 ||
	    read_serial(&fields[0], row.serial, &row.serial_len) != 0 ||
	    read_date(&fields[1], true, &row.expires) != 0 ||
	    read_ca(&fields[2], &row.ca) != 0)
		return -1;
	row.has_sha256 = !is_dash(&fields[3]);
	if (row.has_sha256 && read_hash(&fields[3], row.sha256) != 0)
		return -1;
	*ret_row = row;
	return 0;
}

static int
read_status(const struct field *field, bool *ret_revoked)
{
	bool good = field->len == 4 && memcmp(field->text, "good", 4) == 0;
	bool revoked =
	    field->len == 7 && memcmp(field->text, "revoked", 7) == 0;

	if (!good && !revoked)
		return ca_error(CA_R_CORRUPT,
		    "'%.*s' is no status: good or revoked",
		    field->len < 60 ? (int)field->len : 60, field->text);
	*ret_revoked = revoked;
	return 0;
}

int
listed_status_parse(const char *line, size_t len, struct listed_status *ret_row)
{
	struct listed_status row = { 0 };
	struct field fields[FIELDS_MAX];

	if (split(line, len, 3, fields) != 0 ||
	    read_serial(&fields[0], row.serial, &row.serial_len) != 0 ||
	    read_status(&fields[1], &row.revoked) != 0 ||
	    read_hash(&fields[2], row.tbs) != 0)
		return -1;
	*ret_row = row;
	return 0;
}

/* The bits behind the last octet are 0 (RFC 4648, section 3.5). */
static bool
is_encoding_of(
    const struct field *field, const unsigned char *octets, size_t len)
{
	const size_t last = (len - 1) / 3 * 3;
	unsigned char text[5];

	(void)EVP_EncodeBlock(text, octets + last, (int)(len - last));
	return memcmp(field->text + field->len - 4, text, 4) == 0;
}

/* Base64 with its padding, and nothing else: EVP_DecodeBlock() is laxer. */
static int
read_base64(
    const struct field *field, unsigned char **ret_octets, size_t *ret_len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	AUTO_BYTES(octets) = malloc(field->len + 1);
	size_t pad = 0;
	int len;

	if (octets == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	while (pad < 2 && pad < field->len &&
	    field->text[field->len - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < field->len - pad; i++)
		if (memchr(digits, field->text[i], sizeof(digits) - 1) == NULL)
			return ca_error(CA_R_CORRUPT, "it is not in base64");
	len = field->len % 4 != 0 || field->len > LIST_LINE_MAX
	    ? -1
	    : EVP_DecodeBlock(
		  octets, (const unsigned char *)field->text, (int)field->len);
	if (len <= 0 || (size_t)len <= pad ||
	    !is_encoding_of(field, octets, (size_t)len - pad))
		return ca_error(CA_R_CORRUPT, "it is not in base64");
	*ret_len = (size_t)len - pad;
	*ret_octets = TAKE(octets);
	return 0;
}

void
listed_response_clear(struct listed_response *row)
{
	free(row->der);
	*row = (struct listed_response){ 0 };
}

int
listed_response_parse(
    const char *line, size_t len, struct listed_response *ret_row)
{
	AUTO_STRUCT(listed_response) row = { 0 };
	struct field fields[FIELDS_MAX];
	bool none = len > 2 && memcmp(line + len - 2, " -", 2) == 0;

	if (split(line, len, none ? 2 : 3, fields) != 0 ||
	    read_serial(&fields[0], row.serial, &row.serial_len) != 0)
		return -1;
	if (!none &&
	    (read_hash(&fields[1], row.sha256) != 0 ||
		read_base64(&fields[2], &row.der, &row.len) != 0))
		return -1;
	*ret_row = row;
	row = (struct listed_response){ 0 }; /* moved out */
	return 0;
}

/* ---- lists ------------------------------------------------------------ */

struct lines {
	int (*visit)(void *ctx, const char *line, size_t len);
	void *ctx;
	char *rest; /* of a line that is not whole yet */
	size_t len, room;
};

static void
lines_clear(struct lines *lines)
{
	free(lines->rest);
	*lines = (struct lines){ 0 };
}
CLEANUP_DEFINE_STRUCT(lines);

static int
keep_rest(struct lines *lines, const char *text, size_t len)
{
	if (len > LIST_LINE_MAX - lines->len)
		return ca_error(CA_R_CORRUPT,
		    "a line of the list is longer than %d characters",
		    LIST_LINE_MAX);
	if (lines->room - lines->len < len) {
		size_t room = 2 * (lines->len + len);
		char *more = realloc(lines->rest, room);

		if (more == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		lines->rest = more;
		lines->room = room;
	}
	memcpy(lines->rest + lines->len, text, len);
	lines->len += len;
	return 0;
}

/* One that ends here: together with what there was of it before. */
static int
end_line(struct lines *lines, const char *text, size_t len)
{
	size_t whole;

	if (lines->len == 0)
		return len > LIST_LINE_MAX
		    ? keep_rest(lines, text, len)
		    : lines->visit(lines->ctx, text, len);
	if (len > 0 && keep_rest(lines, text, len) != 0)
		return -1;
	whole = lines->len;
	lines->len = 0;
	return lines->visit(lines->ctx, lines->rest, whole);
}

static int
take_lines(void *ctx, const unsigned char *data, size_t len)
{
	struct lines *lines = ctx;
	const char *text = (const char *)data;

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - text);

		if (end == NULL)
			return keep_rest(lines, text, n);
		if (end_line(lines, text, n) != 0)
			return -1;
		text = end + 1;
		len -= n + 1;
	}
	return 0;
}

int
list_each_line(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const char *line, size_t len), void *ctx)
{
	AUTO_STRUCT(lines) lines = { .visit = visit, .ctx = ctx };
	AUTO_BYTES(digest) = NULL;
	size_t len;

	if (text_unhex(sha256, &digest, &len) != 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(CA_R_INTERNAL, "'%s' is no SHA-256", sha256);
	if (journal_evidence_read(journal, digest, take_lines, &lines) != 0)
		return -1;
	return lines.len == 0 ? 0
			      : ca_error(CA_R_CORRUPT,
				    "the list '%s' does not end with its last "
				    "line",
				    sha256);
}

/* ---- rows ------------------------------------------------------------- */

int
list_compare_serials(
    const unsigned char *a, size_t a_len, const unsigned char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

struct rows {
	const char *name, *sha256;
	int (*visit_revocation)(void *ctx, const struct listed_revocation *row);
	int (*visit_certificate)(
	    void *ctx, const struct listed_certificate *row);
	void *ctx;
	uint64_t line;
	unsigned char last[LIST_SERIAL_MAX];
	size_t last_len;
};

static int
bad_line(const struct rows *rows)
{
	AUTO_CHARS(why) = ca_error_take();

	return ca_error(CA_R_CORRUPT, "line %" PRIu64 " of the list '%s': %s",
	    rows->line, rows->sha256, why == NULL ? "it cannot be read" : why);
}

static int
check_name(const struct rows *rows, const char *line, size_t len)
{
	if (len == strlen(rows->name) && memcmp(line, rows->name, len) == 0)
		return 0;
	return ca_error(CA_R_CORRUPT, "the list '%s' does not begin with '%s'",
	    rows->sha256, rows->name);
}

static int
check_order(struct rows *rows, const unsigned char *serial, size_t len)
{
	if (rows->last_len > 0 &&
	    list_compare_serials(rows->last, rows->last_len, serial, len) >=
		0) {
		(void)ca_error(CA_R_CORRUPT,
		    "its serial is not above that of the line "
		    "before it");
		return -1;
	}
	memcpy(rows->last, serial, len);
	rows->last_len = len;
	return 0;
}

static int
take_revocation(void *ctx, const char *line, size_t len)
{
	struct rows *rows = ctx;
	struct listed_revocation row;

	if (rows->line++ == 0)
		return check_name(rows, line, len);
	if (listed_revocation_parse(line, len, &row) != 0 ||
	    check_order(rows, row.serial, row.serial_len) != 0)
		return bad_line(rows);
	return rows->visit_revocation(rows->ctx, &row);
}

static int
take_certificate(void *ctx, const char *line, size_t len)
{
	struct rows *rows = ctx;
	struct listed_certificate row;

	if (rows->line++ == 0)
		return check_name(rows, line, len);
	if (listed_certificate_parse(line, len, &row) != 0 ||
	    check_order(rows, row.serial, row.serial_len) != 0)
		return bad_line(rows);
	return rows->visit_certificate(rows->ctx, &row);
}

static int
each_row(struct journal *journal, struct rows *rows,
    int (*take)(void *ctx, const char *line, size_t len))
{
	if (list_each_line(journal, rows->sha256, take, rows) != 0)
		return -1;
	return rows->line > 0 ? 0 : check_name(rows, "", 0);
}

int
list_each_revocation(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const struct listed_revocation *row), void *ctx)
{
	struct rows rows = {
		.name = LIST_REVOCATIONS,
		.sha256 = sha256,
		.visit_revocation = visit,
		.ctx = ctx,
	};

	return each_row(journal, &rows, take_revocation);
}

int
list_each_certificate(struct journal *journal, const char *sha256,
    int (*visit)(void *ctx, const struct listed_certificate *row), void *ctx)
{
	struct rows rows = {
		.name = LIST_ISSUED,
		.sha256 = sha256,
		.visit_certificate = visit,
		.ctx = ctx,
	};

	return each_row(journal, &rows, take_certificate);
}
