/*
 * Evidence: all that entries refer to is there, and is what it was.  What was
 * referred to, and by which entry first, stands in a temporary table.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

enum { EVIDENCE_PROGRESS = 1000 };

/* ---- references ------------------------------------------------------- */

struct reference {
	struct audit *audit;
	const struct audit_entry *entry;
	const char *what;
};

static int
refer(void *ctx, const char *sha256)
{
	const struct reference *reference = ctx;
	struct journal *journal = reference->audit->journal;
	AUTO_BYTES(digest) = NULL;
	int64_t id;
	bool found;
	size_t len;

	if (text_unhex(sha256, &digest, &len) != 0 ||
	    sql_number(journal, "SELECT id FROM evidence WHERE sha256 = ?1",
		SQL_VALUES(sql_blob(digest, len)), &found, &id) != 0)
		return -1;
	if (!found) {
		audit_error(reference->audit, reference->entry,
		    "AUDIT-EVIDENCE", "evidence %s, which %s names, is missing",
		    sha256, reference->what);
		return 0;
	}
	return sql_run(journal, NULL,
	    "INSERT OR IGNORE INTO audit_evidence (id, seq) VALUES (?1, ?2)",
	    SQL_VALUES(sql_int(id), sql_int((int64_t)reference->entry->seq)));
}

/* This member, of an object that nothing else has looked at. */
static int
refer_member(
    struct reference *reference, const json_t *object, const char *member)
{
	const char *sha256 = json_string_value(json_object_get(object, member));

	if (audit_is_digest(sha256))
		return refer(reference, sha256);
	audit_error(reference->audit, reference->entry, "AUDIT-EVIDENCE",
	    "%s names something without a SHA-256", reference->what);
	return 0;
}

static int
refer_each(struct reference *reference, const json_t *array)
{
	size_t i;
	const json_t *row;

	json_array_foreach(array, i, row)
	{
		if (refer_member(reference, row, "sha256") != 0)
			return -1;
	}
	return 0;
}

/* The lines under the root of a batch of OCSP responses. */
static int
refer_batch(
    struct audit *audit, const struct audit_entry *entry, const json_t *row)
{
	struct reference reference = { audit, entry, "a batch of its list" };

	return json_object_get(row, "batch") == NULL
	    ? 0
	    : refer_member(&reference, row, "items");
}

/* The manifest, which is evidence itself, names the inputs. */
static int
refer_inputs(struct audit *audit, const struct audit_entry *entry)
{
	struct reference reference = { audit, entry, "its manifest" };
	AUTO_BYTES(text) = NULL;
	AUTO(json_t) *manifest = NULL;
	size_t len = 0;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "manifest"), &text, &len) != 0)
		return -1;
	if (text == NULL)
		return 0;
	manifest =
	    json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_array(json_object_get(manifest, "inputs"))) {
		audit_error(audit, entry, "AUDIT-EVIDENCE",
		    "its manifest is none: it does not list inputs");
		return 0;
	}
	return refer_each(&reference, json_object_get(manifest, "inputs"));
}

static int
evidence_entry(
    struct audit *audit, void *state, const struct audit_entry *entry)
{
	struct reference reference = { audit, entry, "it" };
	bool read;

	(void)state;
	if (entry_each_evidence(entry->kind, entry->data, refer, &reference) !=
	    0)
		return -1;
	if (entry->kind == ENTRY_LIST && audit_number(entry, "batches") > 0)
		return audit_each_listed(audit, entry, refer_batch, &read);
	if (entry->kind != ENTRY_PLAN)
		return 0;
	return refer_each(&reference, json_object_get(entry->data, "late")) != 0
	    ? -1
	    : refer_inputs(audit, entry);
}

/* ---- all of it, once -------------------------------------------------- */

/* Columns: id, sha256, size, octets, seq of the first entry that names it. */
enum { COLUMN_ID, COLUMN_SHA256, COLUMN_SIZE, COLUMN_OCTETS, COLUMN_SEQ };

static bool
is_altered(sqlite3_stmt *stmt, const unsigned char digest[HASH_LEN])
{
	const void *stored = sqlite3_column_blob(stmt, COLUMN_SHA256);

	return stored == NULL ||
	    sqlite3_column_bytes(stmt, COLUMN_SHA256) != HASH_LEN ||
	    memcmp(stored, digest, HASH_LEN) != 0;
}

static int
check_row(struct audit *audit, sqlite3_stmt *stmt)
{
	const unsigned char *name = sqlite3_column_blob(stmt, COLUMN_SHA256);
	int name_len = sqlite3_column_bytes(stmt, COLUMN_SHA256);
	int64_t octets = sqlite3_column_int64(stmt, COLUMN_OCTETS);
	bool known = sqlite3_column_type(stmt, COLUMN_SEQ) != SQLITE_NULL;
	AUTO_CHARS(hex) = text_hex(
	    name == NULL ? (const unsigned char *)"" : name, (size_t)name_len);
	AUTO_CHARS(place) = known
	    ? text_printf("entry %" PRId64,
		  (int64_t)sqlite3_column_int64(stmt, COLUMN_SEQ))
	    : text_copy("evidence");
	unsigned char digest[HASH_LEN];

	if (hex == NULL || place == NULL ||
	    evidence_hash(audit->journal, sqlite3_column_int64(stmt, COLUMN_ID),
		digest) != 0)
		return -1;
	if (is_altered(stmt, digest))
		findings_add(audit->findings, FINDING_ERROR,
		    "AUDIT-EVIDENCE-ALTERED", place, NULL,
		    "the bytes of evidence %s do not have this SHA-256", hex);
	if (sqlite3_column_int64(stmt, COLUMN_SIZE) != octets)
		findings_add(audit->findings, FINDING_ERROR,
		    "AUDIT-EVIDENCE-ALTERED", place, NULL,
		    "evidence %s has %" PRId64 " bytes, the column beside them "
		    "says otherwise",
		    hex, octets);
	if (!known)
		findings_add(audit->findings, FINDING_WARNING,
		    "AUDIT-EVIDENCE-STRAY", place, NULL,
		    "nothing in the journal names evidence %s", hex);
	audit->report.evidence++;
	return 0;
}

static int
tell_progress(struct audit *audit, uint64_t total)
{
	const struct audit_options *options = audit->options;

	if (options->progress == NULL ||
	    options->progress(
		options->ctx, "evidence", audit->report.evidence, total) == 0)
		return 0;
	return ca_error(CA_R_INTERRUPTED, "interrupted; nothing was changed");
}

static int
check_rows(struct audit *audit, uint64_t total)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT e.id, e.sha256, e.size, length(e.bytes), r.seq"
		" FROM evidence e"
		" LEFT JOIN audit_evidence r ON r.id = e.id ORDER BY e.id",
		NULL, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return tell_progress(audit, total);
		if (check_row(audit, query.stmt) != 0)
			return -1;
		if (audit->report.evidence % EVIDENCE_PROGRESS == 0 &&
		    tell_progress(audit, total) != 0)
			return -1;
	}
}

/* ---- the pass --------------------------------------------------------- */

static int
evidence_begin(struct audit *audit, void **ret_state)
{
	*ret_state = NULL;
	return sql_script(audit->journal,
	    "CREATE TEMP TABLE audit_evidence (id INTEGER PRIMARY KEY,"
	    " seq INTEGER NOT NULL) STRICT");
}

static int
evidence_end(struct audit *audit, void *state, bool whole)
{
	int64_t total;
	bool found;

	(void)state;
	if (!whole)
		return 0;
	if (sql_number(audit->journal, "SELECT COUNT(*) FROM evidence", NULL,
		&found, &total) != 0)
		return -1;
	return check_rows(audit, (uint64_t)total);
}

const struct audit_pass audit_evidence = {
	.name = "evidence",
	.begin = evidence_begin,
	.entry = evidence_entry,
	.end = evidence_end,
};
