#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

/* What SQLite's primary result codes mean here, and the way out. */
static const struct {
	int code;
	enum ca_reason reason;
	const char *hint;
} results[] = {
	{ SQLITE_BUSY, CA_R_BUSY,
	    "another program has the journal open: wait until it is done" },
	{ SQLITE_LOCKED, CA_R_BUSY, "the journal is in use by this program" },
	{ SQLITE_NOTADB, CA_R_CORRUPT,
	    "this is no journal, or its first page is damaged: put a backup in "
	    "its place" },
	{ SQLITE_CORRUPT, CA_R_CORRUPT,
	    "the file is damaged: keep it, and put a backup in its place" },
	{ SQLITE_FULL, CA_R_FULL, "make room and try again" },
	{ SQLITE_NOMEM, CA_R_MEMORY, "out of memory" },
	{ SQLITE_READONLY, CA_R_IO,
	    "the file or its directory cannot be written" },
	{ SQLITE_IOERR, CA_R_IO, "the medium failed" },
	{ SQLITE_CANTOPEN, CA_R_IO, "the file cannot be opened" },
	{ SQLITE_PERM, CA_R_IO, "access is denied" },
	{ SQLITE_TOOBIG, CA_R_INTERNAL,
	    "a value is larger than the journal can hold" },
};

/* What may exist once only, by the columns of its UNIQUE constraint. */
static const struct {
	const char *columns;
	const char *text;
} facts[] = {
	{ "keys.name",
	    "a key of this name exists already: choose another "
	    "name, or destroy that key first" },
	{ "keys.id", "this CKA_ID was given to a key before" },
	{ "keys.spki_sha256", "this public key is journalled already" },
	{ "objects.run, objects.list, objects.object",
	    "this object has an intent already" },
	{ "objects.kind, objects.name",
	    "an object of this kind and name exists already: choose another "
	    "name" },
	{ "objects.issuer_dn, objects.serial",
	    "its issuer has used this serial already" },
	{ "objects.issuer_dn, objects.number",
	    "its issuer has used this CRL number already" },
	{ "revocations.issuer, revocations.octets, revocations.serial",
	    "this serial is revoked already" },
	{ "issued.issuer, issued.octets, issued.serial",
	    "this serial is known already as one that was issued elsewhere" },
	{ "ocsp_windows.run, ocsp_windows.list, ocsp_windows.name, "
	  "ocsp_windows.number",
	    "this window of OCSP responses has an intent already" },
	{ "runs.run", "this run is journalled already" },
	{ "runs.plan",
	    "this plan was run already: a plan runs once, write a new one" },
	{ "index 'runs_open'",
	    "another run is open: finish it with its resume, or abandon it" },
	{ "sets.set_id", "this set was begun, or in force, before" },
	{ "sets.state",
	    "a reshare to another set has begun: finish it, or give it up" },
	{ "enrolments.set_id, enrolments.name",
	    "somebody of this name has enrolled in the set already" },
	{ "anchors.set_id, anchors.name",
	    "this operator has signed the anchor already" },
	{ "statements.run, statements.list, statements.name",
	    "this operator has approved, or confirmed, that already" },
	{ "pin_changes.run, pin_changes.pin",
	    "the change of this PIN is journalled already" },
	{ "authority.one", "the authority was founded already" },
};

static int
unique_error(const char *text, const char *subject)
{
	const char *columns = strstr(text, ": ");

	columns = columns == NULL ? text : columns + 2;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (strcmp(columns, facts[i].columns) == 0)
			return ca_error(CA_R_EXISTS, "'%s': %s",
			    subject == NULL ? "" : subject, facts[i].text);
	return ca_error(CA_R_EXISTS, "'%s' is journalled already (%s)",
	    subject == NULL ? "" : subject, columns);
}

static bool
is_unique_failure(int rc)
{
	return rc == SQLITE_CONSTRAINT_UNIQUE ||
	    rc == SQLITE_CONSTRAINT_PRIMARYKEY || rc == SQLITE_CONSTRAINT_ROWID;
}

int
sql_error(struct journal *journal, int rc, const char *subject)
{
	int os = sqlite3_system_errno(journal->db);
	const char *text = sqlite3_errmsg(journal->db);

	if (is_unique_failure(rc))
		return unique_error(text, subject);
	if ((rc & 0xff) == SQLITE_IOERR && (os == ENOSPC || os == EDQUOT))
		rc = SQLITE_FULL;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (results[i].code == (rc & 0xff))
			return ca_error(results[i].reason, "'%s': %s (%s)",
			    journal->path, results[i].hint, text);
	return ca_error(CA_R_INTERNAL,
	    "'%s': SQLite refused a statement: %s (%d)", journal->path, text,
	    rc);
}

static int
prepare(struct journal *journal, const char *sql, unsigned flags,
    sqlite3_stmt **ret_stmt)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v3(journal->db, sql, -1, flags, &stmt, NULL);

	if (rc != SQLITE_OK)
		return sql_error(journal, rc, NULL);
	*ret_stmt = stmt;
	return 0;
}

/* A kept statement is known by the address of its literal. */
static struct statement *
kept_statement(struct journal *journal, const char *sql)
{
	for (size_t i = 0; i < journal->kept_count; i++)
		if (journal->kept[i].sql == sql)
			return &journal->kept[i];
	return NULL;
}

static int
query_prepare(struct journal *journal, const char *sql, struct query *query)
{
	struct statement *kept = kept_statement(journal, sql);

	query->journal = journal;
	if (kept != NULL && !kept->busy) {
		kept->busy = true;
		query->kept = kept;
		query->stmt = kept->stmt;
		return 0;
	}
	if (kept != NULL || journal->kept_count == STATEMENTS_KEPT)
		return prepare(journal, sql, 0, &query->stmt);
	if (prepare(journal, sql, SQLITE_PREPARE_PERSISTENT, &query->stmt) != 0)
		return -1;
	kept = &journal->kept[journal->kept_count++];
	*kept =
	    (struct statement){ .sql = sql, .stmt = query->stmt, .busy = true };
	query->kept = kept;
	return 0;
}

static int
bind(sqlite3_stmt *stmt, int i, const struct sql_value *value)
{
	const void *bytes = value->bytes;

	if (value->type == SQL_INT)
		return sqlite3_bind_int64(stmt, i, value->number);
	if (bytes == NULL)
		return sqlite3_bind_null(stmt, i);
	if (value->type == SQL_TEXT)
		return sqlite3_bind_text(stmt, i, bytes, -1, SQLITE_STATIC);
	return sqlite3_bind_blob64(
	    stmt, i, bytes, (sqlite3_uint64)value->len, SQLITE_STATIC);
}

int
query_start(struct journal *journal, const char *sql,
    const struct sql_value *values, struct query *ret_query)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_prepare(journal, sql, &query) != 0)
		return -1;
	for (int i = 1; values != NULL && values->type != SQL_END; i++) {
		int rc = bind(query.stmt, i, values++);

		if (rc != SQLITE_OK)
			return sql_error(journal, rc, NULL);
	}
	*ret_query = query;
	memset(&query, 0, sizeof(query));
	return 0;
}

int
query_step(struct query *query, bool *ret_row)
{
	int rc = sqlite3_step(query->stmt);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return sql_error(query->journal, rc, NULL);
	*ret_row = rc == SQLITE_ROW;
	return 0;
}

int
query_blob(
    struct query *query, int i, unsigned char **ret_bytes, size_t *ret_len)
{
	const void *bytes = sqlite3_column_blob(query->stmt, i);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, i);
	AUTO_BYTES(copy) = NULL;

	if (sqlite3_column_type(query->stmt, i) == SQLITE_NULL) {
		*ret_bytes = NULL;
		*ret_len = 0;
		return 0;
	}
	copy = malloc(len + 1);
	if (copy == NULL || (bytes == NULL && len != 0))
		return ca_error(CA_R_MEMORY, "out of memory");
	if (len != 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	*ret_bytes = TAKE(copy);
	*ret_len = len;
	return 0;
}

int
query_text(struct query *query, int i, char **ret_text)
{
	unsigned char *bytes = NULL;
	size_t len;

	if (query_blob(query, i, &bytes, &len) != 0)
		return -1;
	*ret_text = (char *)bytes;
	return 0;
}

int
query_hash(struct query *query, int i, unsigned char ret_hash[HASH_LEN])
{
	const void *bytes = sqlite3_column_blob(query->stmt, i);

	if (bytes == NULL || sqlite3_column_bytes(query->stmt, i) != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "'%s' holds a hash of the wrong length: put a backup in "
		    "its place",
		    query->journal->path);
	memcpy(ret_hash, bytes, HASH_LEN);
	return 0;
}

void
query_clear(struct query *query)
{
	if (query->kept == NULL) {
		(void)sqlite3_finalize(query->stmt);
	} else {
		(void)sqlite3_reset(query->stmt);
		(void)sqlite3_clear_bindings(query->stmt);
		query->kept->busy = false;
	}
	memset(query, 0, sizeof(*query));
}

int
sql_run(struct journal *journal, const char *subject, const char *sql,
    const struct sql_value *values)
{
	AUTO_STRUCT(query) query = { 0 };
	int rc;

	if (query_start(journal, sql, values, &query) != 0)
		return -1;
	do
		rc = sqlite3_step(query.stmt);
	while (rc == SQLITE_ROW);
	return rc == SQLITE_DONE ? 0 : sql_error(journal, rc, subject);
}

int
sql_number(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found, int64_t *ret_number)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row = false;

	if (query_start(journal, sql, values, &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	*ret_found = row && sqlite3_column_type(query.stmt, 0) != SQLITE_NULL;
	*ret_number = *ret_found ? sqlite3_column_int64(query.stmt, 0) : 0;
	return 0;
}

int
sql_script(struct journal *journal, const char *sql)
{
	int rc = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : sql_error(journal, rc, NULL);
}
