/*
 * From the columns of a statement to the members of a row: for the queries of
 * journal.h.
 */
#ifndef CA_JOURNAL_ROWS_H
#define CA_JOURNAL_ROWS_H

#include "ceremony/journal/store.h"

enum column_type {
	COLUMN_TEXT, /* char *, malloc'd */
	COLUMN_BLOB, /* unsigned char *, malloc'd; then its length */
	COLUMN_HASH, /* unsigned char[HASH_LEN] */
	COLUMN_BOOL,
	COLUMN_INT, /* int, unsigned, and the enums of rows */
	COLUMN_INT64,
};

/* One member of a row, in the order of the SELECT's columns. */
struct column {
	enum column_type type;
	size_t offset;
	size_t len_offset;
};

struct row_shape {
	const struct column *columns;
	size_t count;
};

#define SHAPE(columns)                                        \
	{                                                     \
		columns, sizeof(columns) / sizeof(columns[0]) \
	}
#define AT(type, row, member)                         \
	{                                             \
		type, offsetof(struct row, member), 0 \
	}
#define AT_BLOB(row, member)                               \
	{                                                  \
		COLUMN_BLOB, offsetof(struct row, member), \
		    offsetof(struct row, member##_len)     \
	}

/* `row` must be all zero; what was filled before a failure is in it. */
int row_fill(
    struct query *query, const struct row_shape *shape, void *row) MUST_USE;
void row_clear(const struct row_shape *shape, void *row, size_t size);
/* The first row, if any, into the zeroed `row`. */
int row_get(struct journal *journal, const char *sql,
    const struct sql_value *values, const struct row_shape *shape,
    bool *ret_found, void *row) MUST_USE;
/* The next row behind *seq, whose column is the last of the SELECT. */
int row_next(struct journal *journal, const char *sql, const char *of,
    int64_t *seq, const struct row_shape *shape, bool *ret_found,
    void *row) MUST_USE;
/* Is there a row at all? */
int row_exists(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found) MUST_USE;

/* The columns of a struct object_row; then its number once more. */
#define OBJECT_COLUMNS                                                       \
	" run, list, object, kind, name, state, adopted, issuer, issuer_dn," \
	" subject_dn, serial, spki, key, certificate_kind, profile, number," \
	" valid_from, valid_until, ca, crl_url, entries, seq, tbs, sha256,"  \
	" result, seq"
#define OBJECT_SELECT "SELECT" OBJECT_COLUMNS " FROM objects "
extern const struct row_shape object_shape;

#endif
