/* From the derived tables to rows. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/rows.h"
#include "ceremony/journal/store.h"

/* ---- the authority ---------------------------------------------------- */

static const struct column authority_columns[] = {
	AT(COLUMN_TEXT, authority_row, id),
	AT(COLUMN_HASH, authority_row, genesis),
	AT(COLUMN_BOOL, authority_row, token_intended),
	AT(COLUMN_TEXT, authority_row, token_label),
	AT(COLUMN_TEXT, authority_row, token_serial),
	AT(COLUMN_BOOL, authority_row, ready),
	AT(COLUMN_TEXT, authority_row, config_sha256),
	AT(COLUMN_TEXT, authority_row, origin),
	AT(COLUMN_INT64, authority_row, epoch),
	AT(COLUMN_INT64, authority_row, epoch_seq),
	AT(COLUMN_BOOL, authority_row, has_head),
	AT(COLUMN_INT64, authority_row, head_size),
	AT(COLUMN_TEXT, authority_row, head_serial),
};
static const struct row_shape authority_shape = SHAPE(authority_columns);

int
journal_authority(struct journal *journal, struct authority_row *ret_row)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	bool found;

	if (row_get(journal,
		"SELECT id, genesis, token_intended, token_label, token_serial,"
		" ready, config_sha256, ifnull(origin, id), epoch, epoch_seq,"
		" head_size IS NOT NULL, ifnull(head_size, 0), head_serial"
		" FROM authority",
		NULL, &authority_shape, &found, &row) != 0)
		return -1;
	if (!found)
		return ca_error(CA_R_STATE,
		    "'%s' has no entries: its `init` was cut off, run it again",
		    journal->path);
	*ret_row = row;
	memset(&row, 0, sizeof(row));
	return 0;
}

void
authority_row_clear(struct authority_row *row)
{
	row_clear(&authority_shape, row, sizeof(*row));
}

/* ---- keys ------------------------------------------------------------- */

#define KEY_SELECT                                                      \
	"SELECT name, run, id, type, purpose, backup, state, ca_state," \
	" successor, adopted, spki, seq FROM keys "

static const struct column key_columns[] = {
	AT(COLUMN_TEXT, key_row, name),
	AT(COLUMN_TEXT, key_row, run),
	AT_BLOB(key_row, id),
	AT(COLUMN_TEXT, key_row, type),
	AT(COLUMN_TEXT, key_row, purpose),
	AT(COLUMN_TEXT, key_row, backup),
	AT(COLUMN_INT, key_row, state),
	AT(COLUMN_INT, key_row, ca_state),
	AT(COLUMN_TEXT, key_row, successor),
	AT(COLUMN_BOOL, key_row, adopted),
	AT_BLOB(key_row, spki),
};
static const struct row_shape key_shape = SHAPE(key_columns);

static int
key_get(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found, struct key_row *ret_row)
{
	AUTO_STRUCT(key_row) row = { 0 };

	if (row_get(journal, sql, values, &key_shape, ret_found, &row) != 0)
		return -1;
	if (*ret_found) {
		*ret_row = row;
		memset(&row, 0, sizeof(row));
	}
	return 0;
}

int
journal_key(struct journal *journal, const char *name, bool *ret_found,
    struct key_row *ret_row)
{
	return key_get(journal, KEY_SELECT "WHERE name = ?1 AND state <> 2",
	    SQL_VALUES(sql_text(name)), ret_found, ret_row);
}

int
journal_key_by_spki(struct journal *journal,
    const unsigned char spki_sha256[HASH_LEN], bool *ret_found,
    struct key_row *ret_row)
{
	return key_get(journal, KEY_SELECT "WHERE spki_sha256 = ?1",
	    SQL_VALUES(sql_blob(spki_sha256, HASH_LEN)), ret_found, ret_row);
}

/*
 * One statement for each row: none is active while `visit` runs, which may
 * therefore append.
 */
static int
next_key(struct journal *journal, const char *run, int64_t *seq,
    bool *ret_found, struct key_row *row)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal,
		KEY_SELECT "WHERE seq > ?1 AND (?2 IS NULL OR run = ?2)"
			   " ORDER BY seq LIMIT 1",
		SQL_VALUES(sql_int(*seq), sql_text(run)), &query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (!*ret_found)
		return 0;
	*seq = sqlite3_column_int64(query.stmt, (int)key_shape.count);
	return row_fill(&query, &key_shape, row);
}

int
journal_each_key(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct key_row *row), void *ctx)
{
	int64_t seq = -1;

	for (;;) {
		AUTO_STRUCT(key_row) row = { 0 };
		bool found;

		if (next_key(journal, run, &seq, &found, &row) != 0)
			return -1;
		if (!found)
			return 0;
		if (visit(ctx, &row) != 0)
			return -1;
	}
}

const char *
ca_state_name(enum ca_state state)
{
	static const char *const names[] = {
		[CA_ACTIVE] = "active",
		[CA_RETIRING] = "retiring",
		[CA_RETIRED] = "retired",
		[CA_DESTROYED] = "destroyed",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) ? names[state]
								: "unknown";
}

void
key_row_clear(struct key_row *row)
{
	row_clear(&key_shape, row, sizeof(*row));
}

/* ---- certificates, CRLs, requests ------------------------------------- */

static int
object_get(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found, struct object_row *ret_row)
{
	AUTO_STRUCT(object_row) row = { 0 };

	if (row_get(journal, sql, values, &object_shape, ret_found, &row) != 0)
		return -1;
	if (*ret_found) {
		*ret_row = row;
		memset(&row, 0, sizeof(row));
	}
	return 0;
}

int
journal_object(struct journal *journal, const char *kind, const char *name,
    bool *ret_found, struct object_row *ret_row)
{
	/* "state <> 2" is what lets SQLite use the index of names. */
	return object_get(journal,
	    OBJECT_SELECT "WHERE kind = ?1 AND name = ?2 AND state = 1"
			  " AND state <> 2",
	    SQL_VALUES(sql_text(kind), sql_text(name)), ret_found, ret_row);
}

int
journal_certificate_by_serial(struct journal *journal, const char *issuer_dn,
    const char *serial, bool *ret_found, struct object_row *ret_row)
{
	return object_get(journal,
	    OBJECT_SELECT "WHERE issuer_dn = ?1 AND serial = ?2 AND state = 1",
	    SQL_VALUES(sql_text(issuer_dn), sql_text(serial)), ret_found,
	    ret_row);
}

int
journal_crl_last(struct journal *journal, const char *issuer_dn,
    bool *ret_found, struct object_row *ret_row)
{
	return object_get(journal,
	    OBJECT_SELECT "WHERE issuer_dn = ?1 AND number IS NOT NULL"
			  " AND state = 1 ORDER BY number DESC LIMIT 1",
	    SQL_VALUES(sql_text(issuer_dn)), ret_found, ret_row);
}

int
journal_object_bytes(struct journal *journal, const struct object_row *row,
    unsigned char **ret_der, size_t *ret_len)
{
	AUTO_BYTES(digest) = NULL;
	size_t len;

	if (row->sha256 == NULL)
		return ca_error(CA_R_STATE, "'%s' was not signed", row->name);
	if (text_unhex(row->sha256, &digest, &len) != 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "'%s' has no SHA-256", row->name);
	return journal_evidence_get(journal, digest, ret_der, ret_len);
}

static int
next_object(struct journal *journal, const char *run, const char *kind,
    int64_t *seq, bool *ret_found, struct object_row *row)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal,
		OBJECT_SELECT "WHERE seq > ?1 AND (?2 IS NULL OR run = ?2)"
			      " AND (?3 IS NULL OR kind = ?3)"
			      " ORDER BY seq LIMIT 1",
		SQL_VALUES(sql_int(*seq), sql_text(run), sql_text(kind)),
		&query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (!*ret_found)
		return 0;
	*seq = sqlite3_column_int64(query.stmt, (int)object_shape.count);
	return row_fill(&query, &object_shape, row);
}

int
journal_each_object(struct journal *journal, const char *run, const char *kind,
    int (*visit)(void *ctx, const struct object_row *row), void *ctx)
{
	int64_t seq = -1;

	for (;;) {
		AUTO_STRUCT(object_row) row = { 0 };
		bool found;

		if (next_object(journal, run, kind, &seq, &found, &row) != 0)
			return -1;
		if (!found)
			return 0;
		if (visit(ctx, &row) != 0)
			return -1;
	}
}

void
object_row_clear(struct object_row *row)
{
	row_clear(&object_shape, row, sizeof(*row));
}

int
journal_spki_used(
    struct journal *journal, const char *spki_sha256, bool *ret_used)
{
	return row_exists(journal,
	    "SELECT seq FROM objects WHERE spki = ?1 AND state <> 2 LIMIT 1",
	    SQL_VALUES(sql_text(spki_sha256)), ret_used);
}

int
journal_crl_next_number(
    struct journal *journal, const char *issuer_dn, uint64_t *ret_number)
{
	int64_t last;
	bool found;

	/* What was lost before an epoch may have had numbers, too. */
	if (sql_number(journal,
		"SELECT MAX(ifnull(MAX(number), 0),"
		" ifnull(MAX(number) FILTER (WHERE seq < epoch_seq), 0) + lost)"
		" FROM authority LEFT JOIN objects ON issuer_dn = ?1"
		" AND number IS NOT NULL",
		SQL_VALUES(sql_text(issuer_dn)), &found, &last) != 0)
		return -1;
	if (found && last == INT64_MAX)
		return ca_error(CA_R_POLICY,
		    "the issuer has used the highest CRL number that a journal "
		    "can hold: a new issuer is needed");
	*ret_number = found ? (uint64_t)last + 1 : 1;
	return 0;
}

/* ---- runs ------------------------------------------------------------- */

#define RUN_SELECT                                                           \
	"SELECT run, plan, manifest, directory, open, refused, lists, seq, " \
	"acted, abandoned, unattended, set_id, abandons"                     \
	" FROM runs "

static const struct column run_columns[] = {
	AT(COLUMN_TEXT, run_row, run),
	AT(COLUMN_TEXT, run_row, plan),
	AT(COLUMN_TEXT, run_row, manifest),
	AT(COLUMN_TEXT, run_row, directory),
	AT(COLUMN_BOOL, run_row, open),
	AT(COLUMN_BOOL, run_row, refused),
	AT(COLUMN_INT, run_row, lists),
	AT(COLUMN_INT64, run_row, seq),
	AT(COLUMN_BOOL, run_row, acted),
	AT(COLUMN_BOOL, run_row, abandoned),
	AT(COLUMN_BOOL, run_row, unattended),
	AT(COLUMN_TEXT, run_row, set),
	AT(COLUMN_TEXT, run_row, abandons),
};
static const struct row_shape run_shape = SHAPE(run_columns);

static int
run_get(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found, struct run_row *ret_row)
{
	AUTO_STRUCT(run_row) row = { 0 };

	if (row_get(journal, sql, values, &run_shape, ret_found, &row) != 0)
		return -1;
	if (*ret_found) {
		*ret_row = row;
		memset(&row, 0, sizeof(row));
	}
	return 0;
}

int
journal_open_run(
    struct journal *journal, bool *ret_found, struct run_row *ret_row)
{
	return run_get(journal,
	    RUN_SELECT "WHERE open = 1 ORDER BY seq DESC LIMIT 1", NULL,
	    ret_found, ret_row);
}

int
journal_run(struct journal *journal, const char *run, bool *ret_found,
    struct run_row *ret_row)
{
	return run_get(journal, RUN_SELECT "WHERE run = ?1",
	    SQL_VALUES(sql_text(run)), ret_found, ret_row);
}

int
journal_run_without_receipt(
    struct journal *journal, bool *ret_found, struct run_row *ret_row)
{
	return run_get(journal,
	    RUN_SELECT "WHERE open = 0 AND receipt = 0 ORDER BY seq DESC", NULL,
	    ret_found, ret_row);
}

int
journal_run_of_plan(struct journal *journal, const char *plan, bool *ret_found,
    struct run_row *ret_row)
{
	return run_get(journal, RUN_SELECT "WHERE plan = ?1",
	    SQL_VALUES(sql_text(plan)), ret_found, ret_row);
}

void
run_row_clear(struct run_row *row)
{
	row_clear(&run_shape, row, sizeof(*row));
}

/* ---- the quorum ------------------------------------------------------- */

#define SET_SELECT                                                 \
	"SELECT set_id, sha256, commitments, threshold, operators" \
	" FROM sets "

static const struct column quorum_columns[] = {
	AT(COLUMN_TEXT, quorum_row, set),
	AT(COLUMN_TEXT, quorum_row, sha256),
	AT(COLUMN_TEXT, quorum_row, commitments),
	AT(COLUMN_INT, quorum_row, threshold),
	AT(COLUMN_INT, quorum_row, operators),
};
static const struct row_shape quorum_shape = SHAPE(quorum_columns);

static int
quorum_get(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_found, struct quorum_row *ret_row)
{
	AUTO_STRUCT(quorum_row) row = { 0 };

	if (row_get(journal, sql, values, &quorum_shape, ret_found, &row) != 0)
		return -1;
	if (*ret_found) {
		*ret_row = row;
		memset(&row, 0, sizeof(row));
	}
	return 0;
}

int
journal_quorum(
    struct journal *journal, bool *ret_found, struct quorum_row *ret_row)
{
	return quorum_get(
	    journal, SET_SELECT "WHERE state = 1", NULL, ret_found, ret_row);
}

int
journal_quorum_begun(
    struct journal *journal, bool *ret_found, struct quorum_row *ret_row)
{
	return quorum_get(
	    journal, SET_SELECT "WHERE state = 0", NULL, ret_found, ret_row);
}

int
journal_quorum_by_set(struct journal *journal, const char *set, bool *ret_found,
    struct quorum_row *ret_row)
{
	return quorum_get(journal, SET_SELECT "WHERE set_id = ?1",
	    SQL_VALUES(sql_text(set)), ret_found, ret_row);
}

void
quorum_row_clear(struct quorum_row *row)
{
	row_clear(&quorum_shape, row, sizeof(*row));
}

static const struct column enrolment_columns[] = {
	AT(COLUMN_TEXT, enrolment_row, name),
	AT(COLUMN_TEXT, enrolment_row, role),
	AT(COLUMN_TEXT, enrolment_row, sign),
	AT(COLUMN_TEXT, enrolment_row, decrypt),
	AT(COLUMN_TEXT, enrolment_row, share),
	AT(COLUMN_TEXT, enrolment_row, statement),
};
static const struct row_shape enrolment_shape = SHAPE(enrolment_columns);

static const struct column statement_columns[] = {
	AT(COLUMN_INT, statement_row, list),
	AT(COLUMN_TEXT, statement_row, name),
	AT(COLUMN_TEXT, statement_row, set),
	AT(COLUMN_TEXT, statement_row, subject),
	AT(COLUMN_TEXT, statement_row, statement),
};
static const struct row_shape statement_shape = SHAPE(statement_columns);

int
journal_each_enrolment(struct journal *journal, const char *set,
    int (*visit)(void *ctx, const struct enrolment_row *row), void *ctx)
{
	int64_t seq = -1;

	for (;;) {
		AUTO_STRUCT(enrolment_row) row = { 0 };
		bool found;

		if (row_next(journal,
			"SELECT name, role, sign, decrypt, share, statement,"
			" seq FROM enrolments WHERE set_id = ?1 AND seq > ?2"
			" ORDER BY seq LIMIT 1",
			set, &seq, &enrolment_shape, &found, &row) != 0)
			return -1;
		if (!found)
			return 0;
		if (visit(ctx, &row) != 0)
			return -1;
	}
}

void
enrolment_row_clear(struct enrolment_row *row)
{
	row_clear(&enrolment_shape, row, sizeof(*row));
}

int
journal_each_statement(struct journal *journal, const char *run,
    int (*visit)(void *ctx, const struct statement_row *row), void *ctx)
{
	int64_t seq = -1;

	for (;;) {
		AUTO_STRUCT(statement_row) row = { 0 };
		bool found;

		if (row_next(journal,
			"SELECT list, name, set_id, subject, statement, seq"
			" FROM statements WHERE run = ?1 AND seq > ?2"
			" ORDER BY seq LIMIT 1",
			run, &seq, &statement_shape, &found, &row) != 0)
			return -1;
		if (!found)
			return 0;
		if (visit(ctx, &row) != 0)
			return -1;
	}
}

void
statement_row_clear(struct statement_row *row)
{
	row_clear(&statement_shape, row, sizeof(*row));
}

int
journal_has_anchor(
    struct journal *journal, const char *set, const char *name, bool *ret_found)
{
	return row_exists(journal,
	    "SELECT seq FROM anchors WHERE set_id = ?1 AND name = ?2",
	    SQL_VALUES(sql_text(set), sql_text(name)), ret_found);
}

int
journal_pin_stage(struct journal *journal, const char *run, const char *pin,
    enum pin_stage *ret_stage)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(stage) = NULL;
	bool found;

	if (query_start(journal,
		"SELECT stage FROM pin_changes WHERE run = ?1 AND pin = ?2",
		SQL_VALUES(sql_text(run), sql_text(pin)), &query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && query_text(&query, 0, &stage) != 0))
		return -1;
	if (stage == NULL)
		*ret_stage = PIN_UNTOUCHED;
	else
		*ret_stage =
		    strcmp(stage, "done") == 0 ? PIN_CHANGED : PIN_INTENDED;
	return 0;
}

/* ---- profiles --------------------------------------------------------- */

int
journal_profile(struct journal *journal, const char *profile, bool *ret_found,
    char **ret_sha256)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(journal,
		"SELECT sha256 FROM profiles WHERE profile = ?1",
		SQL_VALUES(sql_text(profile)), &query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && query_text(&query, 0, ret_sha256) != 0))
		return -1;
	*ret_found = found;
	return 0;
}

int
journal_each_profile(struct journal *journal,
    int (*visit)(void *ctx, const char *profile, const char *sha256), void *ctx)
{
	AUTO_CHARS(last) = text_copy("");

	while (last != NULL) {
		AUTO_STRUCT(query) query = { 0 };
		AUTO_CHARS(name) = NULL;
		AUTO_CHARS(hash) = NULL;
		bool found;

		if (query_start(journal,
			"SELECT profile, sha256 FROM profiles"
			" WHERE profile > ?1 ORDER BY profile LIMIT 1",
			SQL_VALUES(sql_text(last)), &query) != 0 ||
		    query_step(&query, &found) != 0)
			return -1;
		if (!found)
			return 0;
		if (query_text(&query, 0, &name) != 0 ||
		    query_text(&query, 1, &hash) != 0)
			return -1;
		query_clear(&query);
		if (visit(ctx, name, hash) != 0)
			return -1;
		free(last);
		last = TAKE(name);
	}
	return -1;
}

/* ---- reading ---------------------------------------------------------- */

static int
next_entry_start(struct journal *journal, int64_t seq, enum entry_kind kind,
    struct query *ret_query)
{
	if (kind == ENTRY_KINDS)
		return query_start(journal,
		    "SELECT seq, body FROM entries WHERE seq >= ?1"
		    " ORDER BY seq LIMIT 1",
		    SQL_VALUES(sql_int(seq)), ret_query);
	return query_start(journal,
	    "SELECT seq, body FROM entries WHERE kind = ?2 AND seq >= ?1"
	    " ORDER BY seq LIMIT 1",
	    SQL_VALUES(sql_int(seq), sql_text(entry_kind_name(kind))),
	    ret_query);
}

static int
next_entry(struct journal *journal, enum entry_kind kind, int64_t *seq,
    char **ret_line, size_t *ret_len)
{
	AUTO_STRUCT(query) query = { 0 };
	unsigned char *line = NULL;
	bool found;

	if (next_entry_start(journal, *seq, kind, &query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && query_blob(&query, 1, &line, ret_len) != 0))
		return -1;
	*seq = found ? sqlite3_column_int64(query.stmt, 0) : -1;
	*ret_line = (char *)line;
	return 0;
}

int
journal_each_entry(struct journal *journal, uint64_t first,
    enum entry_kind kind,
    int (*visit)(void *ctx, uint64_t seq, const char *line, size_t len),
    void *ctx)
{
	int64_t seq = (int64_t)first;

	for (;; seq++) {
		AUTO_CHARS(line) = NULL;
		size_t len;

		if (next_entry(journal, kind, &seq, &line, &len) != 0)
			return -1;
		if (seq < 0)
			return 0;
		if (visit(ctx, (uint64_t)seq, line, len) != 0)
			return -1;
		if (seq == INT64_MAX) /* only in a forged journal */
			return 0;
	}
}

static int
checkpoint_note(const char *line, size_t len, char **ret_note)
{
	AUTO(json_t) *json = NULL;
	struct entry entry;
	char *note;

	if (entry_parse(line, len, &json, &entry) != 0 ||
	    entry_check(entry.kind, entry.data) != 0)
		return -1;
	note =
	    text_copy(json_string_value(json_object_get(entry.data, "note")));
	if (note == NULL)
		return -1;
	*ret_note = note;
	return 0;
}

int
journal_last_checkpoint(
    struct journal *journal, bool *ret_found, char **ret_note)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(line) = NULL;
	bool found;

	if (query_start(journal,
		"SELECT body FROM entries WHERE kind = 'checkpoint'"
		" ORDER BY seq DESC LIMIT 1",
		NULL, &query) != 0 ||
	    query_step(&query, &found) != 0 ||
	    (found && query_text(&query, 0, &line) != 0) ||
	    (found && checkpoint_note(line, strlen(line), ret_note) != 0))
		return -1;
	*ret_found = found;
	return 0;
}
