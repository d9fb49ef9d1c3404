/*
 * The walk: each entry against its row, the tree, the form that it must have,
 * and the entries before it; then every pass looks at it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

enum { BATCH = 4096, PROGRESS_EVERY = 1000 };

/* A row of `entries`. */
struct row {
	uint64_t seq;
	char *kind;
	int64_t time;
	unsigned char *body, *leaf;
	size_t len, leaf_len;
	bool odd; /* a column has another type than the schema says */
	unsigned char hash[HASH_LEN]; /* leaf hash of the body */
	unsigned char in_tree[HASH_LEN];
	struct audit_entry place; /* for findings */
};

static void
row_clear(struct row *row)
{
	free(row->kind);
	free(row->body);
	free(row->leaf);
}
CLEANUP_DEFINE_STRUCT(row);

struct walk {
	struct audit *audit;
	struct tree_range range;
	int64_t next;   /* the number that the next row has */
	uint64_t total; /* rows that there are */
	uint64_t seen;
	bool gap;                /* the tree cannot be made any more */
	bool founded, unfounded; /* the first entry was taken, or not */
	char *line;              /* ENTRY_MAX_BYTES */
};

static void
walk_clear(struct walk *walk)
{
	free(walk->line);
}
CLEANUP_DEFINE_STRUCT(walk);

/* ---- rows ------------------------------------------------------------- */

static bool
is_odd(sqlite3_stmt *stmt)
{
	static const int types[] = { SQLITE_INTEGER, SQLITE_TEXT,
		SQLITE_INTEGER, SQLITE_BLOB, SQLITE_BLOB };

	for (int i = 0; i < (int)(sizeof(types) / sizeof(types[0])); i++)
		if (sqlite3_column_type(stmt, i) != types[i])
			return true;
	return false;
}

/* The first row from `seq` on. */
static int
read_row(
    struct journal *journal, int64_t seq, bool *ret_found, struct row *ret_row)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal,
		"SELECT seq, kind, time, body, leaf FROM entries"
		" WHERE seq >= ?1 ORDER BY seq LIMIT 1",
		SQL_VALUES(sql_int(seq)), &query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (!*ret_found)
		return 0;
	ret_row->odd = is_odd(query.stmt);
	ret_row->seq = (uint64_t)sqlite3_column_int64(query.stmt, 0);
	ret_row->time = sqlite3_column_int64(query.stmt, 2);
	ret_row->place =
	    (struct audit_entry){ .seq = ret_row->seq, .kind = ENTRY_KINDS };
	return query_text(&query, 1, &ret_row->kind) != 0 ||
		query_blob(&query, 3, &ret_row->body, &ret_row->len) != 0 ||
		query_blob(&query, 4, &ret_row->leaf, &ret_row->leaf_len) != 0
	    ? -1
	    : 0;
}

static void
check_number(struct walk *walk, const struct row *row)
{
	AUTO_CHARS(missing) = NULL;
	int64_t seq = (int64_t)row->seq;

	if (seq == walk->next)
		return;
	missing = seq == walk->next + 1
	    ? text_printf("entry %" PRId64 " is", walk->next)
	    : text_printf("entries %" PRId64 " to %" PRId64 " are", walk->next,
		  seq - 1);
	if (missing == NULL)
		ca_error_clear();
	audit_error(walk->audit, &row->place, "AUDIT-GAP",
	    "%s missing before it: the tree cannot be made anew from here on",
	    missing == NULL ? "entries are" : missing);
	walk->gap = true;
}

/* The stored hash of a node, or of a leaf (level 0). */
static int
stored_hash(struct journal *journal, unsigned level, uint64_t index,
    unsigned char ret_hash[HASH_LEN], bool *ret_found)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(journal,
		"SELECT hash FROM " SCHEMA_ASIDE "nodes"
		" WHERE level = ?1 AND idx = ?2 AND length(hash) = 32"
		" UNION ALL SELECT leaf FROM entries"
		" WHERE ?1 = 0 AND seq = ?2 AND length(leaf) = 32",
		SQL_VALUES(sql_int(level), sql_int((int64_t)index)),
		&query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	return *ret_found ? query_hash(&query, 0, ret_hash) : 0;
}

/* Is the stored leaf hash the one that the stored tree has? */
static int
is_in_tree(struct journal *journal, const struct row *row, bool *ret_is)
{
	unsigned char sibling[HASH_LEN], parent[HASH_LEN], node[HASH_LEN];
	bool left = (row->seq & 1) == 0, found;

	*ret_is = false;
	if (row->leaf_len != HASH_LEN)
		return 0;
	if (stored_hash(journal, 0, row->seq ^ 1, sibling, &found) != 0)
		return -1;
	if (!found)
		return 0;
	if (stored_hash(journal, 1, row->seq >> 1, parent, &found) != 0)
		return -1;
	if (!found)
		return 0;
	if (tree_node(left ? row->leaf : sibling, left ? sibling : row->leaf,
		node) != 0)
		return -1;
	*ret_is = memcmp(node, parent, HASH_LEN) == 0;
	return 0;
}

/*
 * Of an entry that was altered, the tree may still have the hash that it had.
 * The tree is then made with that one: else one byte would make every head and
 * checkpoint behind it wrong, and the entry hard to find among them.
 */
static int
check_leaf(struct walk *walk, struct row *row)
{
	struct journal *journal = walk->audit->journal;
	bool stored;

	if (tree_leaf(row->body == NULL ? (const void *)"" : row->body,
		row->len, row->hash) != 0)
		return -1;
	memcpy(row->in_tree, row->hash, HASH_LEN);
	if (row->leaf_len == HASH_LEN &&
	    memcmp(row->leaf, row->hash, HASH_LEN) == 0)
		return 0;
	if (is_in_tree(journal, row, &stored) != 0)
		return -1;
	audit_error(walk->audit, &row->place, "AUDIT-LEAF",
	    "its bytes do not have the leaf hash that is stored with them%s",
	    stored ? ", which is the one in the tree: the bytes were altered"
		   : "");
	if (stored) {
		memcpy(row->in_tree, row->leaf, HASH_LEN);
		return 0;
	}
	return sql_run(journal, NULL,
	    "UPDATE entries SET leaf = ?2 WHERE seq = ?1",
	    SQL_VALUES(
		sql_int((int64_t)row->seq), sql_blob(row->hash, HASH_LEN)));
}

/* ---- the tree --------------------------------------------------------- */

static int
keep_node(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[TREE_HASH_LEN])
{
	struct tree_store tree = journal_tree(ctx);

	return tree.put(tree.ctx, level, index, hash);
}

static int
grow(struct walk *walk, const struct row *row)
{
	if (walk->gap)
		return 0;
	return tree_range_add(
	    &walk->range, row->in_tree, keep_node, walk->audit->journal);
}

/* ---- form ------------------------------------------------------------- */

static bool
is_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && text[0] != '\0';
}

static bool
are_people(const json_t *people)
{
	size_t i;
	const json_t *one;

	if (!json_is_array(people))
		return false;
	json_array_foreach(people, i, one)
	{
		if (json_object_size(one) != 2 || !is_text(one, "name") ||
		    !is_text(one, "role"))
			return false;
	}
	return i > 0;
}

/* LOG-ELEMENTS; the time was parsed. */
static void
check_elements(struct walk *walk, const struct audit_entry *entry)
{
	if (!are_people(json_object_get(entry->entry, "people")))
		audit_error(walk->audit, entry, "AUDIT-ELEMENTS",
		    "it does not say who made it (TLS BR, section 5.4.1)");
	if (!is_text(entry->entry, "text"))
		audit_error(walk->audit, entry, "AUDIT-ELEMENTS",
		    "it does not say what happened (TLS BR, section 5.4.1)");
}

/* The bytes are those that would be written for what they say. */
static int
check_canonical(struct walk *walk, const struct audit_entry *entry,
    const struct entry *parsed)
{
	const char *text =
	    json_string_value(json_object_get(entry->entry, "text"));
	size_t len = 0;

	if (text == NULL ||
	    entry_line(parsed, json_object_get(entry->entry, "people"), text,
		walk->line, &len) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		len = 0;
	}
	if (len != entry->len || memcmp(walk->line, entry->line, len) != 0)
		audit_error(walk->audit, entry, "AUDIT-CANONICAL",
		    "its bytes are not those that ca-tool writes for what they "
		    "say");
	return 0;
}

static void
check_columns(
    struct walk *walk, const struct row *row, const struct entry *parsed)
{
	const char *kind = entry_kind_name(parsed->kind);

	if (parsed->seq != row->seq)
		audit_error(walk->audit, &row->place, "AUDIT-ROW",
		    "it says that it is entry %" PRIu64, parsed->seq);
	if (row->odd)
		audit_error(walk->audit, &row->place, "AUDIT-ROW",
		    "a column of its row is not of the type that it must be");
	if (row->kind == NULL || strcmp(row->kind, kind) != 0)
		audit_error(walk->audit, &row->place, "AUDIT-ROW",
		    "it is of kind '%s', the column beside it says '%s'", kind,
		    row->kind == NULL ? "" : row->kind);
	if (row->time != parsed->time)
		audit_error(walk->audit, &row->place, "AUDIT-ROW",
		    "its time is not the one that the column beside it says");
}

/* ---- applying --------------------------------------------------------- */

static int
apply(struct walk *walk, const struct entry *parsed, struct audit_entry *entry)
{
	struct journal *journal = walk->audit->journal;

	if (sql_run(journal, NULL, "SAVEPOINT entry", NULL) != 0)
		return -1;
	if (journal_check_place(journal, parsed) == 0 &&
	    entry_apply(journal, parsed) == 0) {
		entry->applied = true;
		return sql_run(journal, NULL, "RELEASE entry", NULL);
	}
	if (audit_take_error(walk->audit, entry, "AUDIT-STATE") != 0 ||
	    sql_run(journal, NULL, "ROLLBACK TO entry", NULL) != 0)
		return -1;
	return sql_run(journal, NULL, "RELEASE entry", NULL);
}

static int
show_passes(struct walk *walk, const struct audit_entry *entry)
{
	struct audit *audit = walk->audit;

	for (size_t i = 0; audit_passes[i] != NULL; i++)
		if (audit_passes[i]->entry != NULL &&
		    audit_passes[i]->entry(audit, audit->states[i], entry) != 0)
			return -1;
	return 0;
}

/* An entry that can be read: its form, its place, and what it does. */
static int
check_entry(struct walk *walk, const struct row *row, struct entry *parsed,
    const json_t *json)
{
	struct audit_entry entry = { .seq = row->seq,
		.time = parsed->time,
		.kind = parsed->kind,
		.entry = json,
		.data = parsed->data,
		.line = (const char *)row->body,
		.len = row->len };

	check_columns(walk, row, parsed);
	check_elements(walk, &entry);
	if (check_canonical(walk, &entry, parsed) != 0)
		return -1;
	if (entry_check(parsed->kind, parsed->data) != 0)
		return audit_take_error(walk->audit, &entry, "AUDIT-MEMBERS");
	parsed->seq = row->seq;
	parsed->leaf = row->hash;
	if (walk->unfounded)
		return 0;
	if (apply(walk, parsed, &entry) != 0)
		return -1;
	if (parsed->kind == ENTRY_GENESIS && entry.applied)
		walk->founded = true;
	return walk->founded ? show_passes(walk, &entry) : 0;
}

/* What is behind the founding entry says nothing without it. */
static void
check_founded(struct walk *walk, const struct row *row)
{
	if (walk->founded || walk->unfounded)
		return;
	walk->unfounded = true;
	audit_error(walk->audit, &row->place, "AUDIT-GENESIS",
	    "the journal does not begin with an entry that founds an "
	    "authority: of those behind it, only the form was looked at");
}

static int
check_row(struct walk *walk, struct row *row)
{
	AUTO(json_t) *json = NULL;
	struct entry parsed = { 0 };

	if (entry_kind_by_name(
		row->kind == NULL ? "" : row->kind, &row->place.kind) != 0)
		ca_error_clear();
	check_number(walk, row);
	if (check_leaf(walk, row) != 0 || grow(walk, row) != 0)
		return -1;
	if (row->body == NULL ||
	    entry_parse((const char *)row->body, row->len, &json, &parsed) !=
		0) {
		if (row->body == NULL)
			(void)ca_error(CA_R_CORRUPT, "it is empty");
		return audit_take_error(
		    walk->audit, &row->place, "AUDIT-CANONICAL");
	}
	return check_entry(walk, row, &parsed, json);
}

/* ---- all -------------------------------------------------------------- */

static int
tell_progress(const struct walk *walk)
{
	const struct audit_options *options = walk->audit->options;

	if (options->progress == NULL ||
	    options->progress(
		options->ctx, "entries", walk->seen, walk->total) == 0)
		return 0;
	return ca_error(CA_R_INTERRUPTED, "interrupted; nothing was changed");
}

/* The private copy is not held in one transaction that grows. */
static int
next_batch(struct walk *walk)
{
	struct journal *journal = walk->audit->journal;

	if (walk->seen % PROGRESS_EVERY == 0 && tell_progress(walk) != 0)
		return -1;
	if (walk->seen % BATCH != 0)
		return 0;
	return journal_commit(journal) != 0 ? -1 : journal_begin(journal);
}

static int
walk_rows(struct walk *walk)
{
	bool found = true;

	for (;;) {
		AUTO_STRUCT(row) row = { 0 };

		if (read_row(walk->audit->journal, walk->next, &found, &row) !=
		    0)
			return -1;
		if (!found)
			return 0;
		if (check_row(walk, &row) != 0)
			return -1;
		check_founded(walk, &row);
		if (row.seq == INT64_MAX)
			return 0;
		walk->next = (int64_t)row.seq + 1;
		walk->seen++;
		if (next_batch(walk) != 0)
			return -1;
	}
}

/* Rows, and none in front of the first. */
static int
count_rows(struct walk *walk)
{
	struct journal *journal = walk->audit->journal;
	int64_t total, before;
	bool found;

	if (sql_number(journal, "SELECT COUNT(*) FROM entries", NULL, &found,
		&total) != 0 ||
	    sql_number(journal, "SELECT COUNT(*) FROM entries WHERE seq < 0",
		NULL, &found, &before) != 0)
		return -1;
	if (before > 0)
		findings_add(walk->audit->findings, FINDING_ERROR, "AUDIT-GAP",
		    "entries", NULL,
		    "%" PRId64 " rows have a number below 0: the first entry "
		    "has 0",
		    before);
	if (total == before)
		findings_add(walk->audit->findings, FINDING_ERROR, "AUDIT-GAP",
		    "entries", NULL,
		    "the journal has no entries: no authority was founded");
	walk->total = (uint64_t)(total - before);
	return tell_progress(walk);
}

int
audit_walk(struct audit *audit, bool *ret_whole, bool *ret_tree)
{
	AUTO_STRUCT(walk)
	walk = { .audit = audit, .line = malloc(ENTRY_MAX_BYTES) };

	if (walk.line == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	if (count_rows(&walk) != 0 || journal_begin(audit->journal) != 0)
		return -1;
	if (walk_rows(&walk) != 0) {
		audit->report.entries = walk.seen;
		journal_rollback(audit->journal);
		return -1;
	}
	if (journal_commit(audit->journal) != 0)
		return -1;
	*ret_whole = walk.founded;
	*ret_tree = !walk.gap;
	audit->report.entries = walk.seen;
	return tell_progress(&walk);
}
