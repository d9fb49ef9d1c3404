/*
 * Lists in the evidence, as the journal and `journal verify` read them: each
 * line is refused, or is exactly what would be written for what was read of it;
 * in pieces the same as whole; and an entry that names the list is taken or
 * refused as a whole.
 */
#include "ceremony/journal/lists.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"
#include "scratch.h"

#define DN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define RUN "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct journal *journal;

static void
clear_all(void)
{
	journal_free(journal);
}

static void
append(enum entry_kind kind, json_t *data)
{
	HOLDS(journal_append(journal, kind, data, "a test", NULL) == 0);
}

/* ---- each line -------------------------------------------------------- */

/* Empty: it is a dash. */
static const char *
date_text(int64_t date, char text[DATE_TEXT_SIZE])
{
	if (date == 0)
		return "-";
	date_format(date, text);
	return text;
}

static void
check_same(const char *line, size_t len, const char *written)
{
	HOLDS(written != NULL);
	HOLDS(strlen(written) == len && memcmp(line, written, len) == 0);
}

static void
check_refused(void)
{
	HOLDS(ca_error_reason() == CA_R_CORRUPT);
	ca_error_clear();
}

static void
check_revocation(const char *line, size_t len)
{
	struct listed_revocation row = { .serial_len = 0 };
	char date[DATE_TEXT_SIZE], invalid[DATE_TEXT_SIZE], end[DATE_TEXT_SIZE];
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(text) = NULL;

	if (listed_revocation_parse(line, len, &row) != 0) {
		check_refused();
		return;
	}
	date_format(row.date, date);
	serial = text_hex(row.serial, row.serial_len);
	text = text_printf("%s %s %s %s %s", serial, date,
	    list_reason_name(row.reason), date_text(row.invalidity, invalid),
	    date_text(row.expires, end));
	check_same(line, len, text);
}

static void
check_certificate(const char *line, size_t len)
{
	struct listed_certificate row = { .serial_len = 0 };
	char end[DATE_TEXT_SIZE];
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(hash) = NULL;
	AUTO_CHARS(text) = NULL;

	if (listed_certificate_parse(line, len, &row) != 0) {
		check_refused();
		return;
	}
	serial = text_hex(row.serial, row.serial_len);
	hash = row.has_sha256 ? text_hex(row.sha256, HASH_LEN) : text_copy("-");
	text = text_printf("%s %s %s %s", serial, date_text(row.expires, end),
	    row.ca < 0        ? "-"
		: row.ca == 1 ? "ca"
			      : "ee",
	    hash);
	check_same(line, len, text);
}

static void
check_status(const char *line, size_t len)
{
	struct listed_status row = { .serial_len = 0 };
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(hash) = NULL;
	AUTO_CHARS(text) = NULL;

	if (listed_status_parse(line, len, &row) != 0) {
		check_refused();
		return;
	}
	serial = text_hex(row.serial, row.serial_len);
	hash = text_hex(row.tbs, HASH_LEN);
	text = text_printf(
	    "%s %s %s", serial, row.revoked ? "revoked" : "good", hash);
	check_same(line, len, text);
}

static void
check_response(const char *line, size_t len)
{
	AUTO_STRUCT(listed_response) row = { .serial_len = 0 };
	AUTO_CHARS(serial) = NULL;
	AUTO_CHARS(hash) = NULL;
	AUTO_CHARS(text) = NULL;
	AUTO_BYTES(base64) = NULL;

	if (listed_response_parse(line, len, &row) != 0) {
		HOLDS(row.der == NULL);
		check_refused();
		return;
	}
	serial = text_hex(row.serial, row.serial_len);
	if (row.der == NULL) {
		text = text_printf("%s -", serial);
	} else {
		hash = text_hex(row.sha256, HASH_LEN);
		base64 = malloc(4 * (row.len / 3 + 1) + 1);
		HOLDS(base64 != NULL && row.len > 0);
		(void)EVP_EncodeBlock(base64, row.der, (int)row.len);
		text = text_printf("%s %s %s", serial, hash, (char *)base64);
	}
	check_same(line, len, text);
}

/* Whatever it is: each reader sees lines that were made for another. */
static int
check_line(void *ctx, const char *line, size_t len)
{
	size_t *octets = ctx;

	*octets += len + 1;
	check_revocation(line, len);
	check_certificate(line, len);
	check_status(line, len);
	check_response(line, len);
	return 0;
}

/* ---- the list --------------------------------------------------------- */

static void
check_lines(const char *hex, size_t size)
{
	size_t octets = 0;

	if (list_each_line(journal, hex, check_line, &octets) == 0)
		HOLDS(octets == size);
	else
		check_refused();
}

struct count {
	size_t rows;
	struct listed_revocation last;
};

static int
count_revocation(void *ctx, const struct listed_revocation *row)
{
	struct count *count = ctx;

	HOLDS(count->rows == 0 ||
	    list_compare_serials(count->last.serial, count->last.serial_len,
		row->serial, row->serial_len) < 0);
	count->last = *row;
	count->rows++;
	return 0;
}

static int
count_certificate(void *ctx, const struct listed_certificate *row)
{
	size_t *count = ctx;

	HOLDS(row->serial_len > 0);
	(*count)++;
	return 0;
}

/* How many revocations the tables have of this issuer. */
static uint64_t
revoked(void)
{
	uint64_t count = 0;

	HOLDS(journal_revocation_count(journal, DN, &count) == 0);
	return count;
}

/* Every row comes into the tables, in one transaction. */
static void
check_entry(enum entry_kind kind, const char *hex, size_t count)
{
	json_t *data = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "run", RUN,
	    "issuer", "ca", "issuer_dn", DN, "count", (json_int_t)count, "list",
	    hex, "source", "csv");

	HOLDS(data != NULL);
	if (kind == ENTRY_REVOCATIONS)
		HOLDS(json_object_set_new(
			  data, "cause", json_string("import")) == 0);
	append(kind, data);
	HOLDS(kind != ENTRY_REVOCATIONS || revoked() == count);
}

static void
check_list(const char *hex)
{
	struct count count = { .rows = 0 };
	size_t certificates = 0;

	if (list_each_revocation(journal, hex, count_revocation, &count) != 0)
		check_refused();
	else if (count.rows > 0)
		check_entry(ENTRY_REVOCATIONS, hex, count.rows);
	if (list_each_certificate(
		journal, hex, count_certificate, &certificates) != 0)
		check_refused();
	else if (certificates > 0)
		check_entry(ENTRY_ISSUED, hex, certificates);
}

/* ---- the journal ------------------------------------------------------ */

static void
setup(void)
{
	scratch_make();
	HOLDS(atexit(clear_all) == 0);
	HOLDS(journal_create(scratch, &journal) == 0);
	append(ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"));
	/* All that an entry asks of its run. */
	HOLDS(sql_script(journal,
		  "INSERT INTO runs (run, plan, manifest, directory, set_id)"
		  " VALUES ('" RUN "', 'p', 'm', 'd', 's')") == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	size_t octets = 0;
	bool own = false;

	if (journal == NULL)
		setup();
	(void)check_line(&octets, (const char *)data, size);
	HOLDS(journal_act_begin(journal, &own) == 0 && own);
	HOLDS(journal_evidence_put(journal, data, size, digest) == 0);
	text_hex_into(digest, HASH_LEN, hex);
	check_lines(hex, size);
	check_list(hex);
	if (journal_in_transaction(journal))
		HOLDS(journal_act_end(journal, own, -1) == -1);
	ca_error_clear();
	return 0;
}
