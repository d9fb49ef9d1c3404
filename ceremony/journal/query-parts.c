/*
 * What an issuer has revoked, by the CRL that has it, and the newest of those
 * CRLs; whom it issued to, and its batches of OCSP responses: as
 * query-revocations.c.
 */
#include <string.h>

#include "base/error.h"
#include "ceremony/journal/rows.h"
#include "ceremony/journal/store.h"

static const struct column part_columns[] = {
	AT(COLUMN_TEXT, revoked_part, url),
	AT(COLUMN_INT, revoked_part, ca),
	AT(COLUMN_INT64, revoked_part, seq),
	AT(COLUMN_INT64, revoked_part, expires),
	AT(COLUMN_BOOL, revoked_part, unknown),
};
static const struct row_shape part_shape = SHAPE(part_columns);

void
revoked_part_clear(struct revoked_part *row)
{
	row_clear(&part_shape, row, sizeof(*row));
}

int
journal_each_revoked_part(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct revoked_part *row), void *ctx)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal,
		"SELECT url, ifnull(ca, -1), MAX(seq), ifnull(MAX(expires), 0),"
		" MAX(expires IS NULL) FROM revocations"
		" LEFT JOIN urls ON urls.id = crl_url"
		" WHERE issuer = (SELECT id FROM issuers WHERE dn = ?1)"
		" GROUP BY crl_url, ca ORDER BY url, ca",
		SQL_VALUES(sql_text(issuer_dn)), &query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		AUTO_STRUCT(revoked_part) row = { 0 };

		if (!found)
			return 0;
		if (row_fill(&query, &part_shape, &row) != 0 ||
		    visit(ctx, &row) != 0)
			return -1;
	}
	return -1;
}

/* `only` stands in the CRL's intent; one that was taken over is a full one. */
int
journal_crl_last_of(struct journal *journal, const char *issuer_dn,
    const struct revoked_part *part, bool *ret_found, uint64_t *ret_seq,
    int64_t *ret_until)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal,
		"SELECT o.seq, valid_until FROM objects o"
		" JOIN entries e ON e.seq = o.seq"
		" WHERE issuer_dn = ?1 AND number IS NOT NULL AND state = 1"
		" AND (crl_url IS NULL OR (crl_url = ?2 AND ifnull("
		"json_extract(CAST(e.body AS TEXT), '$.data.only') ="
		" CASE ?3 WHEN 1 THEN 'ca' WHEN 0 THEN 'user' ELSE '' END, 1)))"
		" ORDER BY number DESC LIMIT 1",
		SQL_VALUES(sql_text(issuer_dn), sql_text(part->url),
		    sql_int(part->ca)),
		&query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (*ret_found) {
		*ret_seq = (uint64_t)sqlite3_column_int64(query.stmt, 0);
		*ret_until = sqlite3_column_int64(query.stmt, 1);
	}
	return 0;
}

int
journal_revoked_since(struct journal *journal, const char *issuer_dn,
    const struct revoked_part *part, uint64_t seq, uint64_t *ret_count)
{
	int64_t count = 0;
	bool found = false;

	if (sql_number(journal,
		"SELECT COUNT(*) FROM revocations"
		" WHERE issuer = (SELECT id FROM issuers WHERE dn = ?1)"
		" AND crl_url IS (SELECT id FROM urls WHERE url = ?2)"
		" AND ca IS ?3 AND seq > ?4",
		SQL_VALUES(sql_text(issuer_dn), sql_text(part->url),
		    part->ca < 0 ? sql_text(NULL) : sql_int(part->ca),
		    sql_int((int64_t)seq)),
		&found, &count) != 0)
		return -1;
	*ret_count = (uint64_t)count;
	return 0;
}

/* ---- whom a CRL is about ----------------------------------------------- */

static int
has_own_users(
    struct journal *journal, const struct users_filter *filter, bool *ret_found)
{
	return row_exists(journal,
	    "SELECT 1 FROM objects WHERE issuer_dn = ?1"
	    " AND kind = 'certificate' AND certificate_kind = 'end-entity'"
	    " AND state <> 2 AND valid_until >= ?2"
	    " AND (?3 IS NULL OR crl_url = ?3) LIMIT 1",
	    SQL_VALUES(sql_text(filter->issuer_dn), sql_int(filter->at),
		sql_text(filter->url)),
	    ret_found);
}

/* Which CRL they name, nobody knows: they are about a full one alone. */
static int
has_other_users(
    struct journal *journal, const struct users_filter *filter, bool *ret_found)
{
	*ret_found = false;
	if (filter->url != NULL)
		return 0;
	return row_exists(journal,
	    "SELECT 1 FROM issued"
	    " WHERE issuer = (SELECT id FROM issuers WHERE dn = ?1)"
	    " AND (ca = 0 OR (ca IS NULL AND ?3))"
	    " AND (expires IS NULL OR expires >= ?2) LIMIT 1",
	    SQL_VALUES(sql_text(filter->issuer_dn), sql_int(filter->at),
		sql_int(filter->unknown)),
	    ret_found);
}

int
journal_has_users(
    struct journal *journal, const struct users_filter *filter, bool *ret_found)
{
	if (has_own_users(journal, filter, ret_found) != 0)
		return -1;
	return *ret_found ? 0 : has_other_users(journal, filter, ret_found);
}

/* ---- batches of OCSP responses ------------------------------------------ */

static const struct column batch_columns[] = {
	AT(COLUMN_TEXT, ocsp_batch_row, name),
	AT(COLUMN_TEXT, ocsp_batch_row, profile),
	AT(COLUMN_TEXT, ocsp_batch_row, responder),
	AT(COLUMN_INT64, ocsp_batch_row, count),
	AT(COLUMN_INT64, ocsp_batch_row, from),
	AT(COLUMN_INT64, ocsp_batch_row, until),
};
static const struct row_shape batch_shape = SHAPE(batch_columns);

void
ocsp_batch_row_clear(struct ocsp_batch_row *row)
{
	row_clear(&batch_shape, row, sizeof(*row));
}

int
journal_each_ocsp_batch(struct journal *journal, const char *issuer_dn,
    int (*visit)(void *ctx, const struct ocsp_batch_row *row), void *ctx)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal,
		"SELECT name, MAX(json_extract(CAST(e.body AS TEXT),"
		" '$.data.profile')), MAX(responder), SUM(count),"
		" MAX(valid_from), MIN(valid_until) FROM ocsp_windows o"
		" JOIN entries e ON e.seq = o.seq"
		" WHERE issuer_dn = ?1 AND state = 1"
		" GROUP BY run, name ORDER BY MIN(o.seq)",
		SQL_VALUES(sql_text(issuer_dn)), &query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		AUTO_STRUCT(ocsp_batch_row) row = { 0 };

		if (!found)
			return 0;
		if (row_fill(&query, &batch_shape, &row) != 0 ||
		    visit(ctx, &row) != 0)
			return -1;
	}
	return -1;
}
