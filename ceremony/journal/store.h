/*
 * What the files of the journal share; nobody else includes this (but tests).
 *
 *   sql.c     statements, values, SQLite's errors in our words
 *   schema.c  the tables, and whether a file has exactly these
 *   store.c   create, open, close, transactions
 *   append.c  appending, the stored tree, rebuilding
 *   evidence.c  evidence, whole and in pieces
 *   entry.c   the table of kinds, what data must hold, the line
 *   apply.c   from an entry to the derived tables
 *   apply-quorum.c  the same for sets, enrolments, statements
 *   apply-revocations.c, apply-ocsp.c  and for these
 *   rows.c    from columns to the members of rows (rows.h)
 *   query.c, query-revocations.c  from the derived tables to rows
 *   lists.c   lines of lists in the evidence (lists.h)
 *   export*.c, import*.c, tile.c  exports (export-private.h)
 */
#ifndef CA_JOURNAL_STORE_H
#define CA_JOURNAL_STORE_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"
#include "ceremony/journal/tree.h"

CLEANUP_DEFINE(json_t, json_decref);

enum {
	JOURNAL_APPLICATION_ID = 0x43414a31, /* "CAJ1" */
	JOURNAL_SCHEMA_VERSION = 4,
	JOURNAL_BUSY_MS = 3000,
	STATEMENTS_KEPT = 160,
};

#define JOURNAL_FILE "journal.db"
#define JOURNAL_ROLLBACK_FILE "journal.db-journal"
#define JOURNAL_DRAFT "journal.db.new"

/* A prepared statement, kept for its next use; known by its literal. */
struct statement {
	const char *sql;
	sqlite3_stmt *stmt;
	bool busy;
};

struct journal {
	sqlite3 *db;
	enum journal_mode mode;
	char *path;     /* for messages */
	json_t *person; /* who makes the entries: an array, or NULL */
	json_t *people; /* instead of them: an array, or NULL */
	struct statement kept[STATEMENTS_KEPT];
	size_t kept_count;
};

/* ---- sql.c ------------------------------------------------------------ */

enum sql_type { SQL_END, SQL_TEXT, SQL_INT, SQL_BLOB };

/* A value for ?1, ?2, ...; text and blobs must outlive the query. */
struct sql_value {
	enum sql_type type;
	const void *bytes; /* NULL is SQL's NULL */
	size_t len;
	int64_t number;
};

static inline struct sql_value
sql_text(const char *text)
{
	return (struct sql_value){ .type = SQL_TEXT, .bytes = text };
}

static inline struct sql_value
sql_int(int64_t number)
{
	return (struct sql_value){ .type = SQL_INT, .number = number };
}

static inline struct sql_value
sql_blob(const void *bytes, size_t len)
{
	return (
	    struct sql_value){ .type = SQL_BLOB, .bytes = bytes, .len = len };
}

#define SQL_VALUES(...)                         \
	(const struct sql_value[])              \
	{                                       \
		__VA_ARGS__, (struct sql_value) \
		{                               \
			.type = SQL_END         \
		}                               \
	}

struct query {
	struct journal *journal;
	sqlite3_stmt *stmt;
	struct statement *kept; /* NULL: finalized at the end */
};

/* `sql` must be a string literal; `values` may be NULL. */
int query_start(struct journal *journal, const char *sql,
    const struct sql_value *values, struct query *ret_query) MUST_USE;
int query_step(struct query *query, bool *ret_row) MUST_USE;
/* A malloc'd copy of column `i`, NULL for NULL. */
int query_text(struct query *query, int i, char **ret_text) MUST_USE;
int query_blob(struct query *query, int i, unsigned char **ret_bytes,
    size_t *ret_len) MUST_USE;
/* Column `i`, which must be a blob of exactly HASH_LEN octets. */
int query_hash(
    struct query *query, int i, unsigned char ret_hash[HASH_LEN]) MUST_USE;
void query_clear(struct query *query);
CLEANUP_DEFINE_STRUCT(query);

/* Run to the end; a UNIQUE constraint is CA_R_EXISTS and names `subject`. */
int sql_run(struct journal *journal, const char *subject, const char *sql,
    const struct sql_value *values) MUST_USE;
/* The first column of the first row. */
int sql_number(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found,
    int64_t *ret_number) MUST_USE;
/* Several statements without values. */
int sql_script(struct journal *journal, const char *sql) MUST_USE;
/* Raise what SQLite's result `rc` means; -1. */
int sql_error(struct journal *journal, int rc, const char *subject);

/* ---- schema.c --------------------------------------------------------- */

int schema_create(struct journal *journal) MUST_USE;
/* CA_R_CORRUPT unless the file has exactly our schema. */
int schema_check(struct journal *journal) MUST_USE;
/* The tables that are derived from the entries; ends with NULL. */
const char *const *schema_derived_tables(void);
/* Empty all derived tables. */
int schema_clear_derived(struct journal *journal) MUST_USE;
/*
 * Give the derived tables, and `nodes`, names that begin with SCHEMA_ASIDE, and
 * make them anew, empty: for an audit, which compares them in the end.
 */
#define SCHEMA_ASIDE "aside_"
int schema_put_aside(struct journal *journal) MUST_USE;

/* ---- store.c ---------------------------------------------------------- */

/*
 * What lies beside the database `name` in `dirfd` (`shown`: its path, for
 * errors), before SQLite sees it.  CA_R_CORRUPT: a rollback journal that ends
 * in a super-journal record, which names any file, and SQLite deletes that
 * file when it plays the journal back; or a write-ahead log.  CA_R_INPUT: the
 * rollback journal is no regular file.  All ways to open a journal call this.
 */
int journal_check_beside(
    int dirfd, const char *name, const char *shown) MUST_USE;
/* CA_R_INTERNAL unless the journal was opened for writing. */
int journal_must_write(struct journal *journal) MUST_USE;
bool journal_in_transaction(const struct journal *journal);
/*
 * Open `dir`/journal.db, a private copy of the file `shown`, which errors name,
 * for writing, without a sync.  As journal_open(), but entries and their
 * numbers are not looked at.  What grows beyond the cache goes to temporary
 * files.
 */
int journal_open_private(
    const char *dir, const char *shown, struct journal **ret_journal) MUST_USE;

/* ---- entry.c ---------------------------------------------------------- */

struct entry {
	uint64_t seq;
	int64_t time;
	enum entry_kind kind;
	const json_t *data;
	const unsigned char *leaf;
};

/* Of a row in the table of sets. */
enum set_state { SET_BEGUN, SET_IN_FORCE, SET_GONE };

typedef int entry_apply_fn(struct journal *journal, const struct entry *entry);

/* CA_R_INTERNAL, naming the member, unless `data` has what its kind needs. */
int entry_check(enum entry_kind kind, const json_t *data) MUST_USE;
/*
 * Each SHA-256 (hex) in checked data whose bytes must be in the evidence.  Not
 * those of late requests and of operators' certificates in set.yaml, which
 * stand in other members too.
 */
int entry_each_evidence(enum entry_kind kind, const json_t *data,
    int (*visit)(void *ctx, const char *sha256), void *ctx) MUST_USE;
/* Bring the derived tables up to date. */
int entry_apply(struct journal *journal, const struct entry *entry) MUST_USE;
/* The line; `out` holds ENTRY_MAX_BYTES, no NUL is added. */
int entry_line(const struct entry *entry, const json_t *people,
    const char *text, char *out, size_t *ret_len) MUST_USE;
/*
 * What an entry says of an object that is there: {name, sha256, ...}; NULL where
 * it is about none.  A certificate, CRL or request that was signed or taken in.
 */
const json_t *entry_object(const struct entry *entry);

/* Parse a stored line; *ret_entry borrows from *ret_json; leaf is not set. */
int entry_parse(const char *line, size_t len, json_t **ret_json,
    struct entry *ret_entry) MUST_USE;

/* ---- append.c --------------------------------------------------------- */

/*
 * Make the derived tables anew from the entries, in one transaction.  They
 * must come out the same: a test holds them against each other.
 */
int journal_rebuild(struct journal *journal) MUST_USE;
/* The same in the transaction that is open. */
int journal_rebuild_here(struct journal *journal) MUST_USE;

/* CA_R_INTERNAL, CA_R_EXISTS unless it is `genesis` exactly where it is first. */
int journal_check_place(
    struct journal *journal, const struct entry *entry) MUST_USE;

/*
 * Rows as they are: the entry with its leaf hash and the nodes of the tree that
 * it completes; nothing is checked or applied, not even that `digest` is that
 * of the bytes.  Within a transaction: for appending, and for an import.
 */
int journal_insert_entry(struct journal *journal, uint64_t seq,
    const char *kind, int64_t time, const char *line, size_t len,
    unsigned char ret_leaf[HASH_LEN]) MUST_USE;
int journal_insert_evidence(struct journal *journal, const void *data,
    size_t len, const unsigned char digest[HASH_LEN]) MUST_USE;

/*
 * Evidence that is read at any place, in flat memory; its hash was checked when
 * it was opened.
 */
struct evidence_file {
	struct journal *journal;
	sqlite3_blob *blob;
	uint64_t len;
};
int evidence_file_open(struct journal *journal,
    const unsigned char digest[HASH_LEN],
    struct evidence_file *ret_evidence) MUST_USE;
/* Up to `cap` octets from `offset` on; *ret_len is 0 only at the end. */
int evidence_file_read(const struct evidence_file *evidence, uint64_t offset,
    unsigned char *buf, size_t cap, size_t *ret_len) MUST_USE;
void evidence_file_clear(struct evidence_file *evidence);
CLEANUP_DEFINE_STRUCT(evidence_file);
/* The hash of what stands in row `id`, whatever it should be. */
int evidence_hash(struct journal *journal, int64_t id,
    unsigned char ret_digest[HASH_LEN]) MUST_USE;

/* A transaction unless the caller has opened one; and its end. */
int journal_act_begin(struct journal *journal, bool *ret_own) MUST_USE;
/* After a failure the transaction is gone, whoever opened it. */
int journal_act_end(struct journal *journal, bool own, int result) MUST_USE;

/* The stored tree of `journal`. */
struct tree_store journal_tree(struct journal *journal);

/* ---- apply.c, apply-quorum.c ------------------------------------------ */

/* What an apply function reads of its entry; entry_check() saw the types. */
const char *entry_text(const struct entry *entry, const char *name);
int64_t entry_number(const struct entry *entry, const char *name);
int entry_date(
    const struct entry *entry, const char *name, int64_t *ret_date) MUST_USE;
/* 0 where it is not there. */
int entry_optional_date(
    const struct entry *entry, const char *name, int64_t *ret_date) MUST_USE;
bool entry_bool(const struct entry *entry, const char *name);
/* A broken promise of the caller: what it journals cannot have happened. */
int entry_contradiction(
    const struct entry *entry, const char *subject, const char *why);
/* It happened before, and may happen once only. */
int entry_repetition(
    const struct entry *entry, const char *subject, const char *why);
/* The run that the entry names must be the newest that is open. */
int entry_check_run(
    struct journal *journal, const struct entry *entry) MUST_USE;
/*
 * That one, or the one that it abandons: for what settles a cut-off run.  The
 * one that abandons it has thereby acted.  ret_abandoned may be NULL.
 */
int entry_settle_run(struct journal *journal, const struct entry *entry,
    bool *ret_abandoned) MUST_USE;
/* What has no run is done by init, which must not be over. */
int entry_check_init(
    struct journal *journal, const struct entry *entry) MUST_USE;
/* The entry's run has done something that cannot be undone. */
int entry_set_acted(
    struct journal *journal, const struct entry *entry) MUST_USE;
/* Of the open run, which has that list. */
int entry_check_list(
    struct journal *journal, const struct entry *entry) MUST_USE;
/* A SHA-256, member `name` or any, must be that of evidence. */
int entry_check_digest(struct journal *journal, const struct entry *entry,
    const char *hex) MUST_USE;
int entry_check_evidence(struct journal *journal, const struct entry *entry,
    const char *name) MUST_USE;

entry_apply_fn apply_genesis, apply_token_intent, apply_token, apply_config,
    apply_nothing, apply_key_intent, apply_key, apply_key_destroyed, apply_plan,
    apply_list, apply_intent, apply_result, apply_failed, apply_revoked,
    apply_adopted, apply_refused, apply_resumed, apply_state, apply_close,
    apply_checkpoint, apply_profile, apply_enrolment, apply_quorum,
    apply_anchor, apply_pin_change, apply_approval, apply_confirmation,
    apply_clock, apply_head, apply_epoch, apply_revocations, apply_upgraded,
    apply_issued, apply_ocsp_intent, apply_ocsp_result, apply_ocsp_failed;

/* What a certificate is known by becomes known to its revocation. */
int revocation_learn(struct journal *journal, const char *issuer_dn,
    const char *serial, int64_t expires, bool ca, const char *url) MUST_USE;
/*
 * The number of an issuer's name (SHA-256, hex) in the tables: 0 where it has
 * none; `make`: it gets one.
 */
int issuer_number(struct journal *journal, const char *issuer_dn, bool make,
    int64_t *ret_number) MUST_USE;
int url_number(struct journal *journal, const char *url, bool make,
    int64_t *ret_number) MUST_USE;

#endif
