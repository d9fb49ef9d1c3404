/*
 * The tables.  entries, nodes and evidence are the journal; the others are
 * derived from the entries and hold nothing of their own.  docs/journal.md
 * describes them for auditors.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

/* As SQLite stores them in sqlite_schema, so that they can be compared. */
static const char *const statements[] = {
	"CREATE TABLE entries (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  kind TEXT NOT NULL,\n"
	"  time INTEGER NOT NULL,\n"
	"  body BLOB NOT NULL,\n"
	"  leaf BLOB NOT NULL\n"
	") STRICT",
	"CREATE INDEX entries_kind ON entries (kind, seq)",
	"CREATE INDEX entries_time ON entries (time)",

	"CREATE TABLE nodes (\n"
	"  level INTEGER NOT NULL,\n"
	"  idx INTEGER NOT NULL,\n"
	"  hash BLOB NOT NULL,\n"
	"  PRIMARY KEY (level, idx)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE evidence (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  sha256 BLOB NOT NULL UNIQUE,\n"
	"  size INTEGER NOT NULL,\n"
	"  bytes BLOB NOT NULL\n"
	") STRICT",

	"CREATE TABLE authority (\n"
	"  one INTEGER PRIMARY KEY CHECK (one = 1),\n"
	"  id TEXT NOT NULL,\n"
	"  genesis BLOB NOT NULL,\n"
	"  token_label TEXT NOT NULL,\n"
	"  token_intended INTEGER NOT NULL DEFAULT 0,\n"
	"  token_serial TEXT,\n"
	"  ready INTEGER NOT NULL DEFAULT 0,\n"
	"  config_sha256 TEXT,\n"
	"  clock INTEGER NOT NULL DEFAULT 0,\n"
	"  clock_seq INTEGER NOT NULL DEFAULT 0,\n"
	"  epoch INTEGER NOT NULL DEFAULT 0,\n"
	"  origin TEXT,\n"
	"  epoch_seq INTEGER NOT NULL DEFAULT 0,\n"
	"  lost INTEGER NOT NULL DEFAULT 0,\n"
	"  head_epoch INTEGER,\n"
	"  head_size INTEGER,\n"
	"  head_root BLOB,\n"
	"  head_serial TEXT\n"
	") STRICT",

	"CREATE TABLE sets (\n"
	"  set_id TEXT PRIMARY KEY,\n"
	"  state INTEGER NOT NULL,\n"
	"  sha256 TEXT NOT NULL,\n"
	"  commitments TEXT,\n"
	"  threshold INTEGER NOT NULL,\n"
	"  operators INTEGER NOT NULL,\n"
	"  run TEXT NOT NULL\n"
	") STRICT, WITHOUT ROWID",
	"CREATE UNIQUE INDEX sets_in_force ON sets (state) WHERE state = 1",
	"CREATE UNIQUE INDEX sets_begun ON sets (state) WHERE state = 0",

	"CREATE TABLE enrolments (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  set_id TEXT NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  role TEXT NOT NULL,\n"
	"  sign TEXT NOT NULL,\n"
	"  decrypt TEXT,\n"
	"  share TEXT,\n"
	"  statement TEXT,\n"
	"  UNIQUE (set_id, name)\n"
	") STRICT",

	"CREATE TABLE anchors (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  set_id TEXT NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  UNIQUE (set_id, name)\n"
	") STRICT",

	"CREATE TABLE pin_changes (\n"
	"  run TEXT NOT NULL,\n"
	"  pin TEXT NOT NULL,\n"
	"  stage TEXT NOT NULL,\n"
	"  PRIMARY KEY (run, pin)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE statements (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  run TEXT NOT NULL,\n"
	"  list INTEGER NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  set_id TEXT NOT NULL,\n"
	"  subject TEXT NOT NULL,\n"
	"  statement TEXT NOT NULL,\n"
	"  UNIQUE (run, list, name)\n"
	") STRICT",

	"CREATE TABLE profiles (\n"
	"  profile TEXT PRIMARY KEY,\n"
	"  sha256 TEXT NOT NULL\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE lists (\n"
	"  run TEXT NOT NULL,\n"
	"  list INTEGER NOT NULL,\n"
	"  sha256 TEXT NOT NULL,\n"
	"  PRIMARY KEY (run, list)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE runs (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  run TEXT NOT NULL UNIQUE,\n"
	"  plan TEXT NOT NULL UNIQUE,\n"
	"  manifest TEXT NOT NULL,\n"
	"  directory TEXT NOT NULL,\n"
	"  open INTEGER NOT NULL DEFAULT 1,\n"
	"  refused INTEGER NOT NULL DEFAULT 0,\n"
	"  lists INTEGER NOT NULL DEFAULT 0,\n"
	"  acted INTEGER NOT NULL DEFAULT 0,\n"
	"  receipt INTEGER NOT NULL DEFAULT 0,\n"
	"  abandoned INTEGER NOT NULL DEFAULT 0,\n"
	"  unattended INTEGER NOT NULL DEFAULT 0,\n"
	"  set_id TEXT NOT NULL,\n"
	"  abandons TEXT\n"
	") STRICT",
	/* One run is open; or it, and another that abandons it, and so on. */
	"CREATE UNIQUE INDEX runs_open ON runs (ifnull(abandons, ''))"
	" WHERE open = 1",

	"CREATE TABLE keys (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  name TEXT NOT NULL,\n"
	"  run TEXT NOT NULL,\n"
	"  id BLOB NOT NULL UNIQUE,\n"
	"  type TEXT NOT NULL,\n"
	"  purpose TEXT NOT NULL,\n"
	"  backup TEXT NOT NULL,\n"
	"  state INTEGER NOT NULL DEFAULT 0,\n"
	"  ca_state INTEGER NOT NULL DEFAULT 0,\n"
	"  successor TEXT,\n"
	"  adopted INTEGER NOT NULL DEFAULT 0,\n"
	"  spki BLOB,\n"
	"  spki_sha256 BLOB UNIQUE\n"
	") STRICT",
	"CREATE UNIQUE INDEX keys_name ON keys (name) WHERE state <> 2",

	"CREATE TABLE objects (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  run TEXT NOT NULL REFERENCES runs (run),\n"
	"  list INTEGER,\n"
	"  object INTEGER,\n"
	"  kind TEXT NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  state INTEGER NOT NULL DEFAULT 0,\n"
	"  adopted INTEGER NOT NULL DEFAULT 0,\n"
	"  issuer TEXT,\n"
	"  issuer_dn TEXT,\n"
	"  subject_dn TEXT,\n"
	"  serial TEXT,\n"
	"  spki TEXT,\n"
	"  key TEXT,\n"
	"  certificate_kind TEXT,\n"
	"  profile TEXT,\n"
	"  number INTEGER,\n"
	"  valid_from INTEGER,\n"
	"  valid_until INTEGER,\n"
	"  ca INTEGER,\n"
	"  crl_url TEXT,\n"
	"  entries INTEGER,\n"
	"  tbs TEXT,\n"
	"  sha256 TEXT,\n"
	"  result INTEGER,\n"
	"  UNIQUE (run, list, object),\n"
	"  UNIQUE (issuer_dn, serial),\n"
	"  UNIQUE (issuer_dn, number)\n"
	") STRICT",
	"CREATE UNIQUE INDEX objects_name ON objects (kind, name) "
	"WHERE state <> 2",
	"CREATE INDEX objects_spki ON objects (spki)",

	/* By the value of the serial: the longer is the larger. */
	"CREATE INDEX objects_serial ON objects"
	" (issuer_dn, length(serial), serial) WHERE serial IS NOT NULL",

	/* Names of issuers and URLs of CRLs: small numbers in large tables. */
	"CREATE TABLE issuers (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  dn TEXT NOT NULL UNIQUE\n"
	") STRICT",
	"CREATE TABLE urls (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  url TEXT NOT NULL UNIQUE\n"
	") STRICT",

	/* NULL: none, or unknown. */
	"CREATE TABLE revocations (\n"
	"  issuer INTEGER NOT NULL,\n"
	"  octets INTEGER NOT NULL,\n"
	"  serial BLOB NOT NULL,\n"
	"  date INTEGER NOT NULL,\n"
	"  reason INTEGER NOT NULL,\n"
	"  invalidity INTEGER,\n"
	"  expires INTEGER,\n"
	"  crl_url INTEGER,\n"
	"  ca INTEGER,\n"
	"  seq INTEGER NOT NULL,\n"
	"  PRIMARY KEY (issuer, octets, serial)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE issued (\n"
	"  issuer INTEGER NOT NULL,\n"
	"  octets INTEGER NOT NULL,\n"
	"  serial BLOB NOT NULL,\n"
	"  expires INTEGER,\n"
	"  ca INTEGER,\n"
	"  sha256 BLOB,\n"
	"  seq INTEGER NOT NULL,\n"
	"  PRIMARY KEY (issuer, octets, serial)\n"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE ocsp_windows (\n"
	"  seq INTEGER PRIMARY KEY,\n"
	"  run TEXT NOT NULL REFERENCES runs (run),\n"
	"  list INTEGER NOT NULL,\n"
	"  number INTEGER NOT NULL,\n"
	"  name TEXT NOT NULL,\n"
	"  first INTEGER NOT NULL,\n"
	"  count INTEGER NOT NULL,\n"
	"  state INTEGER NOT NULL DEFAULT 0,\n"
	"  issuer TEXT NOT NULL,\n"
	"  issuer_dn TEXT NOT NULL,\n"
	"  key TEXT NOT NULL,\n"
	"  responder TEXT,\n"
	"  valid_from INTEGER NOT NULL,\n"
	"  valid_until INTEGER NOT NULL,\n"
	"  intended TEXT NOT NULL,\n"
	"  items TEXT,\n"
	"  UNIQUE (run, list, name, number)\n"
	") STRICT",
};

enum { STATEMENTS = sizeof(statements) / sizeof(statements[0]) };

static int
set_number(struct journal *journal, const char *pragma, int value)
{
	AUTO_CHARS(sql) = text_printf("PRAGMA %s = %d", pragma, value);

	return sql == NULL ? -1 : sql_script(journal, sql);
}

int
schema_create(struct journal *journal)
{
	if (journal_begin(journal) != 0)
		return -1;
	for (size_t i = 0; i < STATEMENTS; i++)
		if (sql_script(journal, statements[i]) != 0) {
			journal_rollback(journal);
			return -1;
		}
	if (set_number(journal, "application_id", JOURNAL_APPLICATION_ID) !=
		0 ||
	    set_number(journal, "user_version", JOURNAL_SCHEMA_VERSION) != 0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}

static bool
is_ours(const char *sql)
{
	for (size_t i = 0; i < STATEMENTS; i++)
		if (strcmp(statements[i], sql) == 0)
			return true;
	return false;
}

/* Another table, a trigger or a view could make our statements lie. */
static int
check_tables(struct journal *journal)
{
	AUTO_STRUCT(query) query = { 0 };
	size_t count = 0;
	bool row;

	if (query_start(journal,
		"SELECT sql, name FROM sqlite_schema WHERE sql IS NOT NULL",
		NULL, &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_CHARS(sql) = NULL;
		AUTO_CHARS(name) = NULL;

		if (!row && count == STATEMENTS)
			return 0;
		if (!row)
			return ca_error(CA_R_CORRUPT,
			    "'%s' lacks tables of a journal: put a backup in "
			    "its place",
			    journal->path);
		if (query_text(&query, 0, &sql) != 0 ||
		    query_text(&query, 1, &name) != 0)
			return -1;
		if (sql == NULL || !is_ours(sql))
			return ca_error(CA_R_CORRUPT,
			    "'%s' holds '%s', which ca-tool did not make: it "
			    "was changed by hand, put a backup in its place",
			    journal->path, name == NULL ? "" : name);
		count++;
	}
	return -1;
}

int
schema_check(struct journal *journal)
{
	int64_t id, version;
	bool found;

	if (sql_number(journal, "PRAGMA application_id", NULL, &found, &id) !=
		0 ||
	    sql_number(
		journal, "PRAGMA user_version", NULL, &found, &version) != 0)
		return -1;
	if (id != JOURNAL_APPLICATION_ID)
		return ca_error(CA_R_CORRUPT,
		    "'%s' is no journal of ca-tool: it is empty or belongs to "
		    "another program; where `init` was cut off, run it again, "
		    "else put a backup in its place",
		    journal->path);
	if (version > JOURNAL_SCHEMA_VERSION)
		return ca_error(CA_R_CORRUPT,
		    "'%s' was written by a newer ca-tool (schema %lld, this "
		    "one knows %d): use that version",
		    journal->path, (long long)version, JOURNAL_SCHEMA_VERSION);
	if (version < 1)
		return ca_error(CA_R_CORRUPT,
		    "'%s' has schema %lld, which no ca-tool has written: put a "
		    "backup in its place",
		    journal->path, (long long)version);
	if (version < JOURNAL_SCHEMA_VERSION)
		return ca_error(CA_R_CORRUPT,
		    "'%s' was written by an older ca-tool (schema %lld, this "
		    "one knows %d): use that version",
		    journal->path, (long long)version, JOURNAL_SCHEMA_VERSION);
	return check_tables(journal);
}

const char *const *
schema_derived_tables(void)
{
	/* What refers to another stands before it. */
	static const char *const tables[] = { "objects", "ocsp_windows", "runs",
		"keys", "revocations", "issued", "issuers", "urls", "authority",
		"sets", "enrolments", "anchors", "pin_changes", "statements",
		"profiles", "lists", NULL };

	return tables;
}

int
schema_clear_derived(struct journal *journal)
{
	const char *const *table;

	for (table = schema_derived_tables(); *table != NULL; table++) {
		AUTO_CHARS(sql) = text_printf("DELETE FROM %s", *table);

		if (sql == NULL || sql_script(journal, sql) != 0)
			return -1;
	}
	return 0;
}

/* ---- putting them aside ----------------------------------------------- */

/* The text of the first column of the first row; NULL where there is none. */
static int
first_text(struct journal *journal, const char *sql, const char *value,
    char **ret_text)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(journal, sql, SQL_VALUES(sql_text(value)), &query) !=
		0 ||
	    query_step(&query, &row) != 0)
		return -1;
	*ret_text = NULL;
	return row ? query_text(&query, 0, ret_text) : 0;
}

/* Its indexes keep their names when it is renamed, and need them no more. */
static int
drop_indexes(struct journal *journal, const char *table)
{
	for (;;) {
		AUTO_CHARS(name) = NULL;
		AUTO_CHARS(sql) = NULL;

		if (first_text(journal,
			"SELECT name FROM sqlite_schema WHERE type = 'index'"
			" AND sql IS NOT NULL AND tbl_name = ?1 LIMIT 1",
			table, &name) != 0)
			return -1;
		if (name == NULL)
			return 0;
		sql = text_printf("DROP INDEX %s", name);
		if (sql == NULL || sql_script(journal, sql) != 0)
			return -1;
	}
}

static int
put_aside(struct journal *journal, const char *table)
{
	AUTO_CHARS(sql) = text_printf(
	    "ALTER TABLE %s RENAME TO " SCHEMA_ASIDE "%s", table, table);

	if (sql == NULL || drop_indexes(journal, table) != 0)
		return -1;
	return sql_script(journal, sql);
}

/* What schema_create() makes, and is not there. */
static int
make_missing(struct journal *journal)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		AUTO_CHARS(name) = NULL;

		if (first_text(journal,
			"SELECT name FROM sqlite_schema WHERE sql = ?1",
			statements[i], &name) != 0 ||
		    (name == NULL && sql_script(journal, statements[i]) != 0))
			return -1;
	}
	return 0;
}

int
schema_put_aside(struct journal *journal)
{
	const char *const *table;
	int result;

	if (journal_begin(journal) != 0)
		return -1;
	result = put_aside(journal, "nodes");
	for (table = schema_derived_tables(); result == 0 && *table != NULL;
	     table++)
		result = put_aside(journal, *table);
	if (result == 0)
		result = make_missing(journal);
	if (result == 0)
		return journal_commit(journal);
	journal_rollback(journal);
	return -1;
}
