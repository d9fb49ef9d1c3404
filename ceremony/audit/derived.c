/*
 * What was made from the entries, against what was stored: row by row, by
 * primary key, in flat memory.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

enum { ROWS_SHOWN = 10 };

/* ---- statements ------------------------------------------------------- */

/*
 * What a table's columns make of `each`, a format for sqlite3's printf with
 * the column's name three times, joined with `between`.  malloc'd.
 */
static int
columns(struct journal *journal, const char *table, bool key_only,
    const char *each, const char *between, char **ret_sql)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(journal,
		"SELECT group_concat(printf(?3, name, name, name), ?4)"
		" FROM pragma_table_info(?1) WHERE pk > 0 OR NOT ?2",
		SQL_VALUES(sql_text(table), sql_int(key_only), sql_text(each),
		    sql_text(between)),
		&query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row || query_text(&query, 0, ret_sql) != 0 || *ret_sql == NULL)
		return ca_error(
		    CA_R_INTERNAL, "no table of a journal is '%s'", table);
	return 0;
}

/* From `a`, which lacks in `b` or, where `differ` is given, differs there. */
static int
compare_sql(struct journal *journal, const char *table, const char *a,
    const char *b, bool differ, char **ret_sql)
{
	AUTO_CHARS(shown) = NULL;
	AUTO_CHARS(same_key) = NULL;
	AUTO_CHARS(other) = NULL;
	AUTO_CHARS(missing) = NULL;

	if (columns(journal, table, true, "'%s ' || quote(a.%s)",
		" || ', ' || ", &shown) != 0 ||
	    columns(journal, table, true, "a.%s = b.%s", " AND ", &same_key) !=
		0 ||
	    columns(journal, table, false, "a.%s IS NOT b.%s", " OR ",
		&other) != 0 ||
	    columns(journal, table, true, "b.%s IS NULL", " AND ", &missing) !=
		0)
		return -1;
	*ret_sql = text_printf(
	    "SELECT %s, %s FROM %s%s a LEFT JOIN %s%s b ON %s WHERE %s", shown,
	    missing, a, table, b, table, same_key, differ ? other : missing);
	return *ret_sql == NULL ? -1 : 0;
}

static int
prepare(struct journal *journal, const char *sql, struct query *ret_query)
{
	int rc;

	ret_query->journal = journal;
	rc = sqlite3_prepare_v2(journal->db, sql, -1, &ret_query->stmt, NULL);
	return rc == SQLITE_OK ? 0 : sql_error(journal, rc, NULL);
}

/* ---- findings --------------------------------------------------------- */

struct comparison {
	struct audit *audit;
	const char *table, *id;
	uint64_t rows;
};

static int
show_row(struct comparison *c, struct query *query, const char *what)
{
	AUTO_CHARS(key) = NULL;
	AUTO_CHARS(place) = text_printf("table %s", c->table);

	if (place == NULL || query_text(query, 0, &key) != 0)
		return -1;
	if (c->rows++ < ROWS_SHOWN)
		findings_add(c->audit->findings, FINDING_ERROR, c->id, place,
		    NULL, "row %s %s", key == NULL ? "" : key, what);
	return 0;
}

/* Rows that the entries make. */
static int
find_wrong(struct comparison *c)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(sql) = NULL;
	bool row;

	if (compare_sql(c->audit->journal, c->table, "", SCHEMA_ASIDE, true,
		&sql) != 0 ||
	    prepare(c->audit->journal, sql, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return 0;
		if (show_row(c, &query,
			sqlite3_column_int(query.stmt, 1) != 0
			    ? "is missing: the entries make it"
			    : "is not as the entries make it") != 0)
			return -1;
	}
}

/* Rows that they do not make. */
static int
find_stray(struct comparison *c)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(sql) = NULL;
	bool row;

	if (compare_sql(c->audit->journal, c->table, SCHEMA_ASIDE, "", false,
		&sql) != 0 ||
	    prepare(c->audit->journal, sql, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return 0;
		if (show_row(c, &query, "is there, and no entry makes it") != 0)
			return -1;
	}
}

static int
compare(struct audit *audit, const char *table, const char *id)
{
	struct comparison c = { audit, table, id, 0 };
	AUTO_CHARS(place) = text_printf("table %s", table);

	if (place == NULL || find_wrong(&c) != 0 || find_stray(&c) != 0)
		return -1;
	if (c.rows > ROWS_SHOWN)
		findings_add(audit->findings, FINDING_ERROR, id, place, NULL,
		    "%" PRIu64 " rows in all are not as the entries make them",
		    c.rows);
	return 0;
}

int
audit_compare(struct audit *audit, bool tree)
{
	const char *const *table;

	if (tree && compare(audit, "nodes", "AUDIT-NODE") != 0)
		return -1;
	for (table = schema_derived_tables(); *table != NULL; table++)
		if (compare(audit, *table, "AUDIT-DERIVED") != 0)
			return -1;
	return 0;
}
