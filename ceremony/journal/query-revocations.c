/*
 * Revocations, what stands on CRLs, certificates of an issuer, OCSP responses:
 * as query.c.  Tables with millions of rows are walked by one statement.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/lists.h"
#include "ceremony/journal/rows.h"
#include "ceremony/journal/store.h"

/* ---- revocations ------------------------------------------------------ */

#define REVOCATION_SELECT                                               \
	"SELECT lower(hex(serial)), date, reason, invalidity, expires," \
	" seq FROM revocations "

/* Column 2, the reason, is a number there. */
enum { COLUMN_REASON = 2 };

static const struct column revocation_columns[] = {
	AT(COLUMN_TEXT, revocation_row, serial),
	AT(COLUMN_INT64, revocation_row, date),
	AT(COLUMN_TEXT, revocation_row, reason),
	AT(COLUMN_INT64, revocation_row, invalidity),
	AT(COLUMN_INT64, revocation_row, expires),
	AT(COLUMN_INT64, revocation_row, seq),
};
static const struct row_shape revocation_shape = SHAPE(revocation_columns);

void
revocation_row_clear(struct revocation_row *row)
{
	row_clear(&revocation_shape, row, sizeof(*row));
}

static int
fill_revocation(struct query *query, struct revocation_row *row)
{
	const char *reason =
	    list_reason_name(sqlite3_column_int(query->stmt, COLUMN_REASON));

	if (row_fill(query, &revocation_shape, row) != 0)
		return -1;
	free(row->reason);
	row->reason = text_copy(reason == NULL ? "unknown" : reason);
	return row->reason == NULL ? -1 : 0;
}

static int
visit_revocation(struct query *query,
    int (*visit)(void *ctx, const struct revocation_row *row), void *ctx)
{
	AUTO_STRUCT(revocation_row) row = { 0 };

	if (fill_revocation(query, &row) != 0)
		return -1;
	return visit(ctx, &row) != 0 ? -1 : 0;
}

int
journal_each_revocation(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct revocation_row *row), void *ctx)
{
	AUTO_STRUCT(query) query = { 0 };
	int64_t issuer;
	bool found;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    query_start(journal,
		REVOCATION_SELECT "WHERE issuer = ?1 ORDER BY octets, serial",
		SQL_VALUES(sql_int(issuer)), &query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		if (!found)
			return 0;
		if (visit_revocation(&query, visit, ctx) != 0)
			return -1;
	}
	return -1;
}

/* A row of the serial in a table with these columns. */
static int
has_serial(struct journal *journal, const char *sql, const char *issuer_dn,
    const char *serial, bool *ret_found)
{
	AUTO_BYTES(octets) = NULL;
	int64_t issuer;
	size_t len;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    text_unhex(serial, &octets, &len) != 0)
		return -1;
	return row_exists(journal, sql,
	    SQL_VALUES(
		sql_int(issuer), sql_int((int64_t)len), sql_blob(octets, len)),
	    ret_found);
}

int
journal_revocation(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found)
{
	return has_serial(journal,
	    "SELECT date FROM revocations WHERE issuer = ?1 AND octets = ?2"
	    " AND serial = ?3",
	    issuer_dn, serial, ret_found);
}

int
journal_revocation_row(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found, struct revocation_row *ret_row)
{
	AUTO_STRUCT(revocation_row) row = { 0 };
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(octets) = NULL;
	int64_t issuer;
	bool found;
	size_t len;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    text_unhex(serial, &octets, &len) != 0 ||
	    query_start(journal,
		REVOCATION_SELECT
		"WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
		SQL_VALUES(sql_int(issuer), sql_int((int64_t)len),
		    sql_blob(octets, len)),
		&query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && fill_revocation(&query, &row) != 0))
		return -1;
	*ret_found = found;
	if (found) {
		*ret_row = row;
		row = (struct revocation_row){ 0 }; /* moved out */
	}
	return 0;
}

int
journal_revocation_count(
    struct journal *journal, const char *issuer_dn, uint64_t *ret_count)
{
	int64_t issuer, count;
	bool found;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    sql_number(journal,
		"SELECT COUNT(*) FROM revocations WHERE issuer = ?1",
		SQL_VALUES(sql_int(issuer)), &found, &count) != 0)
		return -1;
	*ret_count = (uint64_t)count;
	return 0;
}

int
journal_serial_used(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_used)
{
	bool used;

	if (row_exists(journal,
		"SELECT seq FROM objects WHERE issuer_dn = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(issuer_dn), sql_text(serial)), &used) != 0)
		return -1;
	if (!used &&
	    has_serial(journal,
		"SELECT seq FROM issued WHERE issuer = ?1 AND octets = ?2"
		" AND serial = ?3",
		issuer_dn, serial, &used) != 0)
		return -1;
	if (!used && journal_revocation(journal, issuer_dn, serial, &used) != 0)
		return -1;
	*ret_used = used;
	return 0;
}

/* ---- what stands on a CRL --------------------------------------------- */

/* Through 2049 a CRL has UTCTime: this is 2050-01-01T00:00:00Z. */
#define FIRST_GENERALIZED "2524608000"

/* As struct crl_selection; what is unknown of a certificate is NULL. */
#define CRL_WHERE                             \
	" FROM revocations WHERE issuer = ?1" \
	" AND (?2 IS NULL OR crl_url = ?2)"   \
	" AND (?3 IS NULL OR ca = ?3)"        \
	" AND NOT (?4 <> 0 AND ifnull(expires < ?4, 0) AND seq < ?5)"

static int
select_rows(struct journal *journal, const char *sql,
    const struct crl_selection *selection, struct query *ret_query)
{
	int64_t issuer, url = 0;
	struct sql_value kind = sql_text(NULL);

	if (issuer_number(journal, selection->issuer_dn, false, &issuer) != 0 ||
	    (selection->url != NULL &&
		url_number(journal, selection->url, false, &url) != 0))
		return -1;
	if (selection->only_ca || selection->only_user)
		kind = sql_int(selection->only_ca);
	return query_start(journal, sql,
	    SQL_VALUES(sql_int(issuer),
		selection->url == NULL ? sql_text(NULL) : sql_int(url), kind,
		sql_int(selection->gone_before),
		sql_int((int64_t)selection->gone_seq)),
	    ret_query);
}

int
journal_crl_totals(struct journal *journal,
    const struct crl_selection *selection, struct crl_totals *ret_totals)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (select_rows(journal,
		"SELECT COUNT(*), SUM(octets), SUM(reason <> 0),"
		" COUNT(invalidity), SUM(date >= " FIRST_GENERALIZED
		")" CRL_WHERE,
		selection, &query) != 0 ||
	    query_step(&query, &found) != 0)
		return -1;
	*ret_totals = (struct crl_totals){
		.entries = (uint64_t)sqlite3_column_int64(query.stmt, 0),
		.serial_octets = (uint64_t)sqlite3_column_int64(query.stmt, 1),
		.reasons = (uint64_t)sqlite3_column_int64(query.stmt, 2),
		.invalidities = (uint64_t)sqlite3_column_int64(query.stmt, 3),
		.generalized = (uint64_t)sqlite3_column_int64(query.stmt, 4),
	};
	return 0;
}

int
journal_each_crl_row(struct journal *journal,
    const struct crl_selection *selection,
    int (*visit)(void *ctx, const struct crl_row *row), void *ctx)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (select_rows(journal,
		"SELECT serial, date, reason, invalidity" CRL_WHERE
		" ORDER BY octets, serial",
		selection, &query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		struct crl_row row;

		if (!found)
			return 0;
		row = (struct crl_row){
			.serial = sqlite3_column_blob(query.stmt, 0),
			.serial_len =
			    (size_t)sqlite3_column_bytes(query.stmt, 0),
			.date = sqlite3_column_int64(query.stmt, 1),
			.reason = sqlite3_column_int(query.stmt, 2),
			.invalidity = sqlite3_column_int64(query.stmt, 3),
		};
		if (visit(ctx, &row) != 0)
			return -1;
	}
	return -1;
}

/* ---- certificates issued elsewhere ------------------------------------- */

#define ISSUED_SELECT                                               \
	"SELECT lower(hex(serial)), expires, ifnull(ca, -1),"       \
	" CASE WHEN sha256 IS NOT NULL THEN lower(hex(sha256)) END" \
	" FROM issued "

static const struct column issued_columns[] = {
	AT(COLUMN_TEXT, issued_row, serial),
	AT(COLUMN_INT64, issued_row, expires),
	AT(COLUMN_INT, issued_row, ca),
	AT(COLUMN_TEXT, issued_row, sha256),
};
static const struct row_shape issued_shape = SHAPE(issued_columns);

void
issued_row_clear(struct issued_row *row)
{
	row_clear(&issued_shape, row, sizeof(*row));
}

int
journal_issued(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found, struct issued_row *ret_row)
{
	AUTO_STRUCT(issued_row) row = { 0 };
	AUTO_BYTES(octets) = NULL;
	int64_t issuer;
	size_t len;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    text_unhex(serial, &octets, &len) != 0 ||
	    row_get(journal,
		ISSUED_SELECT
		"WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
		SQL_VALUES(sql_int(issuer), sql_int((int64_t)len),
		    sql_blob(octets, len)),
		&issued_shape, ret_found, &row) != 0)
		return -1;
	if (*ret_found) {
		*ret_row = row;
		row = (struct issued_row){ 0 }; /* moved out */
	}
	return 0;
}

static int
visit_issued(struct query *query,
    int (*visit)(void *ctx, const struct issued_row *row), void *ctx)
{
	AUTO_STRUCT(issued_row) row = { 0 };

	if (row_fill(query, &issued_shape, &row) != 0)
		return -1;
	return visit(ctx, &row) != 0 ? -1 : 0;
}

int
journal_each_issued(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct issued_row *row), void *ctx)
{
	AUTO_STRUCT(query) query = { 0 };
	int64_t issuer;
	bool found;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    query_start(journal,
		ISSUED_SELECT "WHERE issuer = ?1 ORDER BY octets, serial",
		SQL_VALUES(sql_int(issuer)), &query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		if (!found)
			return 0;
		if (visit_issued(&query, visit, ctx) != 0)
			return -1;
	}
	return -1;
}

/* ---- certificates of an issuer ---------------------------------------- */

struct certificates {
	struct journal *journal;
	const struct certificate_filter *filter;
	int (*visit)(void *ctx, const struct object_row *row);
	void *ctx;
};

static int
visit_certificate(const struct certificates *all, struct query *query)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool revoked = false;

	if (row_fill(query, &object_shape, &row) != 0)
		return -1;
	if (all->filter->current &&
	    journal_revocation(
		all->journal, row.issuer_dn, row.serial, &revoked) != 0)
		return -1;
	if (revoked)
		return 0;
	return all->visit(all->ctx, &row) != 0 ? -1 : 0;
}

/* 0 does not restrict. */
static struct sql_value
limit(int64_t time)
{
	return time == 0 ? sql_text(NULL) : sql_int(time);
}

#define CERTIFICATE_WHERE                                                 \
	"WHERE serial IS NOT NULL AND kind = 'certificate' AND state = 1" \
	" AND (?2 IS NULL OR profile = ?2)"                               \
	" AND (?3 IS NULL OR spki = ?3)"                                  \
	" AND (?4 IS NULL OR valid_from >= ?4)"                           \
	" AND (?5 IS NULL OR valid_from <= ?5)"                           \
	" AND (?6 IS NULL OR run ="                                       \
	" (SELECT runs.run FROM runs WHERE plan = ?6))"                   \
	" AND (?7 IS NULL OR valid_until >= ?7)"

static const char *
certificates_sql(const struct certificate_filter *filter)
{
	/* By its index: a batch asks for the key of each request. */
	if (filter->spki != NULL)
		return OBJECT_SELECT CERTIFICATE_WHERE
		    " AND spki = ?3 AND (?1 IS NULL OR issuer_dn = ?1)"
		    " ORDER BY length(serial), serial";
	if (filter->issuer_dn == NULL)
		return OBJECT_SELECT CERTIFICATE_WHERE
		    " AND ?1 IS NULL ORDER BY length(serial), serial";
	return OBJECT_SELECT CERTIFICATE_WHERE
	    " AND issuer_dn = ?1 ORDER BY length(serial), serial";
}

int
journal_each_certificate(struct journal *journal,
    const struct certificate_filter *filter,
    int (*visit)(void *ctx, const struct object_row *row), void *ctx)
{
	const struct certificates all = { journal, filter, visit, ctx };
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal, certificates_sql(filter),
		SQL_VALUES(sql_text(filter->issuer_dn),
		    sql_text(filter->profile), sql_text(filter->spki),
		    limit(filter->from), limit(filter->until),
		    sql_text(filter->plan), limit(filter->alive)),
		&query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		if (!found)
			return 0;
		if (visit_certificate(&all, &query) != 0)
			return -1;
	}
	return -1;
}

/* ---- OCSP responses --------------------------------------------------- */

static const struct column window_columns[] = {
	AT(COLUMN_TEXT, ocsp_window_row, run),
	AT(COLUMN_TEXT, ocsp_window_row, name),
	AT(COLUMN_INT, ocsp_window_row, list),
	AT(COLUMN_INT, ocsp_window_row, window),
	AT(COLUMN_INT64, ocsp_window_row, first),
	AT(COLUMN_INT64, ocsp_window_row, count),
	AT(COLUMN_INT, ocsp_window_row, state),
	AT(COLUMN_TEXT, ocsp_window_row, issuer),
	AT(COLUMN_TEXT, ocsp_window_row, issuer_dn),
	AT(COLUMN_TEXT, ocsp_window_row, key),
	AT(COLUMN_TEXT, ocsp_window_row, responder),
	AT(COLUMN_INT64, ocsp_window_row, from),
	AT(COLUMN_INT64, ocsp_window_row, until),
	AT(COLUMN_TEXT, ocsp_window_row, intended),
	AT(COLUMN_TEXT, ocsp_window_row, items),
};
static const struct row_shape window_shape = SHAPE(window_columns);

void
ocsp_window_row_clear(struct ocsp_window_row *row)
{
	row_clear(&window_shape, row, sizeof(*row));
}

int
journal_each_ocsp_window(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct ocsp_window_row *row), void *ctx)
{
	int64_t seq = -1;

	for (;;) {
		AUTO_STRUCT(ocsp_window_row) row = { 0 };
		bool found;

		if (row_next(journal,
			"SELECT run, name, list, number, first, count, state,"
			" issuer, issuer_dn, key, responder, valid_from,"
			" valid_until, intended, items, seq FROM ocsp_windows"
			" WHERE (?1 IS NULL OR run = ?1) AND seq > ?2"
			" ORDER BY seq LIMIT 1",
			run, &seq, &window_shape, &found, &row) != 0)
			return -1;
		if (!found)
			return 0;
		if (visit(ctx, &row) != 0)
			return -1;
	}
}
