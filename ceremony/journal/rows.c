#include "ceremony/journal/rows.h"

#include <assert.h>
#include <string.h>

#include "base/error.h"

static_assert(sizeof(enum key_state) == sizeof(int), "an enum is no int");
static_assert(sizeof(enum object_state) == sizeof(int), "an enum is no int");
static_assert(sizeof(unsigned) == sizeof(int), "unsigned is no int");

static int
member_fill(struct query *query, int i, const struct column *column, char *row)
{
	char *member = row + column->offset;
	int64_t number = sqlite3_column_int64(query->stmt, i);

	switch (column->type) {
	case COLUMN_TEXT:
		return query_text(query, i, (char **)(void *)member);
	case COLUMN_BLOB:
		return query_blob(query, i, (unsigned char **)(void *)member,
		    (size_t *)(void *)(row + column->len_offset));
	case COLUMN_HASH:
		return query_hash(query, i, (unsigned char *)member);
	case COLUMN_BOOL:
		*(bool *)(void *)member = number != 0;
		return 0;
	case COLUMN_INT:
		memcpy(member, &(int){ (int)number }, sizeof(int));
		return 0;
	case COLUMN_INT64:
		memcpy(member, &number, sizeof(number));
		return 0;
	}
	return ca_error(CA_R_INTERNAL, "a column of no type");
}

int
row_fill(struct query *query, const struct row_shape *shape, void *row)
{
	for (size_t i = 0; i < shape->count; i++)
		if (member_fill(query, (int)i, &shape->columns[i], row) != 0)
			return -1;
	return 0;
}

void
row_clear(const struct row_shape *shape, void *row, size_t size)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct column *column = &shape->columns[i];

		if (column->type == COLUMN_TEXT || column->type == COLUMN_BLOB)
			free(*(void **)(void *)((char *)row + column->offset));
	}
	memset(row, 0, size);
}

int
row_get(struct journal *journal, const char *sql,
    const struct sql_value *values, const struct row_shape *shape,
    bool *ret_found, void *row)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal, sql, values, &query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && row_fill(&query, shape, row) != 0))
		return -1;
	*ret_found = found;
	return 0;
}

int
row_exists(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found)
{
	int64_t number;
	bool found;

	if (sql_number(journal, sql, values, &found, &number) != 0)
		return -1;
	*ret_found = found;
	return 0;
}

int
row_next(struct journal *journal, const char *sql, const char *of, int64_t *seq,
    const struct row_shape *shape, bool *ret_found, void *row)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal, sql, SQL_VALUES(sql_text(of), sql_int(*seq)),
		&query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (!*ret_found)
		return 0;
	*seq = sqlite3_column_int64(query.stmt, (int)shape->count);
	return row_fill(&query, shape, row);
}

static const struct column object_columns[] = {
	AT(COLUMN_TEXT, object_row, run),
	AT(COLUMN_INT, object_row, list),
	AT(COLUMN_INT, object_row, object),
	AT(COLUMN_TEXT, object_row, kind),
	AT(COLUMN_TEXT, object_row, name),
	AT(COLUMN_INT, object_row, state),
	AT(COLUMN_BOOL, object_row, adopted),
	AT(COLUMN_TEXT, object_row, issuer),
	AT(COLUMN_TEXT, object_row, issuer_dn),
	AT(COLUMN_TEXT, object_row, subject_dn),
	AT(COLUMN_TEXT, object_row, serial),
	AT(COLUMN_TEXT, object_row, spki),
	AT(COLUMN_TEXT, object_row, key),
	AT(COLUMN_TEXT, object_row, certificate_kind),
	AT(COLUMN_TEXT, object_row, profile),
	AT(COLUMN_INT64, object_row, number),
	AT(COLUMN_INT64, object_row, from),
	AT(COLUMN_INT64, object_row, until),
	AT(COLUMN_BOOL, object_row, ca),
	AT(COLUMN_TEXT, object_row, crl_url),
	AT(COLUMN_INT64, object_row, entries),
	AT(COLUMN_INT64, object_row, seq),
	AT(COLUMN_TEXT, object_row, tbs),
	AT(COLUMN_TEXT, object_row, sha256),
	AT(COLUMN_INT64, object_row, result),
};
const struct row_shape object_shape = SHAPE(object_columns);
