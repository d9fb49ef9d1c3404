/*
 * The files of OCSP responses, public/ocsp/BATCH/NAME: the names follow from
 * the responses, which the journal has whole, so that no `close` lists them.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/lists.h"
#include "profiles/ocsp.h"

/* ---- what should be there ---------------------------------------------- */

struct collecting {
	struct audit *audit;
	const char *batch;
	int64_t open; /* its run is: then a file may not be there yet */
};

static int
keep_names(struct collecting *c, const struct ocsp_get_names *names,
    const unsigned char *der, size_t len)
{
	AUTO_CHARS(sha256) = sha256_hex(der, len);

	if (sha256 == NULL)
		return -1;
	for (size_t i = 0; i < names->count; i++)
		if (sql_run(c->audit->journal, names->names[i],
			"INSERT OR REPLACE INTO audit_responses"
			" (batch, name, sha256, open) VALUES (?1, ?2, ?3, ?4)",
			SQL_VALUES(sql_text(c->batch),
			    sql_text(names->names[i]), sql_text(sha256),
			    sql_int(c->open))) != 0)
			return -1;
	return 0;
}

/* One that is malformed has a finding of the pass `ocsp`. */
static int
keep_response(void *ctx, const char *line, size_t len)
{
	AUTO_STRUCT(listed_response) row = { 0 };
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };

	if (listed_response_parse(line, len, &row) != 0 ||
	    (row.der != NULL &&
		ocsp_response_names("response", row.der, row.len, &names) !=
		    0)) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		return 0;
	}
	return row.der == NULL ? 0 : keep_names(ctx, &names, row.der, row.len);
}

static int
keep_window(struct audit *audit, struct query *query)
{
	AUTO_CHARS(batch) = NULL;
	AUTO_CHARS(items) = NULL;
	struct collecting c = { .audit = audit,
		.open = sqlite3_column_int64(query->stmt, 2) };

	if (query_text(query, 0, &batch) != 0 ||
	    query_text(query, 1, &items) != 0)
		return -1;
	c.batch = batch;
	if (list_each_line(audit->journal, items, keep_response, &c) == 0)
		return 0;
	if (audit_is_machine(ca_error_reason()))
		return -1;
	ca_error_clear(); /* the evidence has a finding */
	return 0;
}

/* The newest word about a name is the last. */
static int
collect(struct audit *audit)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (sql_script(audit->journal,
		"CREATE TEMP TABLE IF NOT EXISTS audit_responses"
		" (batch TEXT NOT NULL, name TEXT NOT NULL,"
		" sha256 TEXT NOT NULL, open INTEGER NOT NULL,"
		" PRIMARY KEY (batch, name)) STRICT, WITHOUT ROWID;"
		"DELETE FROM audit_responses") != 0 ||
	    query_start(audit->journal,
		"SELECT name, items, open FROM ocsp_windows w"
		" JOIN runs r ON r.run = w.run WHERE state = 1 ORDER BY w.seq",
		NULL, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return 0;
		if (keep_window(audit, &query) != 0)
			return -1;
	}
}

/* ---- what is there ----------------------------------------------------- */

static int
check_named(struct audit *audit)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT batch, name, sha256 FROM audit_responses"
		" WHERE open = 0 ORDER BY batch, name",
		NULL, &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_CHARS(batch) = NULL;
		AUTO_CHARS(name) = NULL;
		AUTO_CHARS(sha256) = NULL;
		AUTO_CHARS(path) = NULL;

		if (!row)
			return 0;
		if (query_text(&query, 0, &batch) != 0 ||
		    query_text(&query, 1, &name) != 0 ||
		    query_text(&query, 2, &sha256) != 0)
			return -1;
		path = text_printf("ocsp/%s/%s", batch, name);
		if (path == NULL || audit_public_file(audit, path, sha256) != 0)
			return -1;
	}
	return -1;
}

/* Of an open run: what is there is already what it should be. */
static int
check_name(struct audit *audit, const void *ctx, const char *name)
{
	const char *batch = ctx;
	AUTO_CHARS(path) = text_printf("ocsp/%s/%s", batch, name);
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(sha256) = NULL;
	bool row;

	if (path == NULL ||
	    query_start(audit->journal,
		"SELECT open, sha256 FROM audit_responses"
		" WHERE batch = ?1 AND name = ?2",
		SQL_VALUES(sql_text(batch), sql_text(name)), &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return audit_public_stray(audit, path);
	if (sqlite3_column_int(query.stmt, 0) == 0)
		return 0; /* check_named() looked at it */
	if (query_text(&query, 1, &sha256) != 0)
		return -1;
	return audit_public_file(audit, path, sha256);
}

static int
check_batch(struct audit *audit, const void *ctx, const char *name)
{
	AUTO_CHARS(path) = text_printf("ocsp/%s", name);
	int64_t one;
	bool known;

	(void)ctx;
	if (path == NULL ||
	    sql_number(audit->journal,
		"SELECT 1 FROM ocsp_windows WHERE name = ?1 LIMIT 1",
		SQL_VALUES(sql_text(name)), &known, &one) != 0)
		return -1;
	if (!known)
		return audit_public_stray(audit, path);
	return audit_public_each(audit, path, check_name, name);
}

int
audit_public_responses(struct audit *audit)
{
	if (audit->export)
		return 0;
	if (collect(audit) != 0 || check_named(audit) != 0)
		return -1;
	return audit_public_each(audit, "ocsp", check_batch, NULL);
}
