/* Appending, the stored tree, rebuilding. */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

/* ---- the stored tree -------------------------------------------------- */

/* Level 0 are the entries' own leaf hashes. */
static int
node_get(void *ctx, unsigned level, uint64_t index,
    unsigned char ret_hash[TREE_HASH_LEN])
{
	struct journal *journal = ctx;
	AUTO_STRUCT(query) query = { 0 };
	bool row;
	int ret;

	if (level == 0)
		ret = query_start(journal,
		    "SELECT leaf FROM entries WHERE seq = ?1",
		    SQL_VALUES(sql_int((int64_t)index)), &query);
	else
		ret = query_start(journal,
		    "SELECT hash FROM nodes WHERE level = ?1 AND idx = ?2",
		    SQL_VALUES(sql_int(level), sql_int((int64_t)index)),
		    &query);
	if (ret != 0 || query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return ca_error(CA_R_CORRUPT,
		    "'%s' lacks the hash of level %u, index %llu of its tree: "
		    "keep the file, and put a backup in its place",
		    journal->path, level, (unsigned long long)index);
	return query_hash(&query, 0, ret_hash);
}

static int
node_put(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[TREE_HASH_LEN])
{
	if (level == 0)
		return 0;
	return sql_run(ctx, "hash of the tree",
	    "INSERT INTO nodes (level, idx, hash) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(sql_int(level), sql_int((int64_t)index),
		sql_blob(hash, TREE_HASH_LEN)));
}

struct tree_store
journal_tree(struct journal *journal)
{
	return (struct tree_store){
		.ctx = journal, .get = node_get, .put = node_put
	};
}

static int
journal_size(struct journal *journal, uint64_t *ret_size)
{
	int64_t last;
	bool found;

	if (sql_number(journal, "SELECT MAX(seq) FROM entries", NULL, &found,
		&last) != 0)
		return -1;
	*ret_size = found ? (uint64_t)last + 1 : 0;
	return 0;
}

int
journal_head(struct journal *journal, uint64_t *ret_size,
    unsigned char ret_root[HASH_LEN])
{
	struct tree_store tree = journal_tree(journal);
	uint64_t size;

	if (journal_size(journal, &size) != 0 ||
	    tree_root(&tree, size, ret_root) != 0)
		return -1;
	*ret_size = size;
	return 0;
}

int
journal_root_at(
    struct journal *journal, uint64_t size, unsigned char ret_root[HASH_LEN])
{
	struct tree_store tree = journal_tree(journal);
	uint64_t now;

	if (journal_size(journal, &now) != 0)
		return -1;
	if (size > now)
		return ca_error(CA_R_VERIFY,
		    "the journal has %" PRIu64
		    " entries, fewer than the %" PRIu64
		    " that it once had: it is an older copy",
		    now, size);
	return tree_root(&tree, size, ret_root);
}

/* Where the clock was corrected, only what came after that counts. */
int
journal_last_time(struct journal *journal, int64_t *ret_time)
{
	int64_t last, corrected;
	bool found;

	if (sql_number(journal, "SELECT MAX(clock) FROM authority", NULL,
		&found, &corrected) != 0 ||
	    sql_number(journal,
		"SELECT MAX(time) FROM entries WHERE kind IN"
		" ('plan', 'list', 'intent', 'result', 'ocsp-intent',"
		" 'ocsp-result', 'close')"
		" AND seq > (SELECT MAX(clock_seq) FROM authority)",
		NULL, &found, &last) != 0)
		return -1;
	*ret_time = last > corrected ? last : corrected;
	return 0;
}

/* ---- transactions around one act -------------------------------------- */

int
journal_act_begin(struct journal *journal, bool *ret_own)
{
	if (journal_must_write(journal) != 0)
		return -1;
	*ret_own = !journal_in_transaction(journal);
	return *ret_own ? journal_begin(journal) : 0;
}

int
journal_act_end(struct journal *journal, bool own, int result)
{
	if (result == 0)
		return own ? journal_commit(journal) : 0;
	journal_rollback(journal);
	return -1;
}

/* ---- appending -------------------------------------------------------- */

int
journal_insert_entry(struct journal *journal, uint64_t seq, const char *kind,
    int64_t time, const char *line, size_t len,
    unsigned char ret_leaf[HASH_LEN])
{
	struct tree_store tree = journal_tree(journal);

	if (tree_leaf(line, len, ret_leaf) != 0 ||
	    sql_run(journal, "entry",
		"INSERT INTO entries (seq, kind, time, body, leaf)"
		" VALUES (?1, ?2, ?3, ?4, ?5)",
		SQL_VALUES(sql_int((int64_t)seq), sql_text(kind), sql_int(time),
		    sql_blob(line, len), sql_blob(ret_leaf, HASH_LEN))) != 0)
		return -1;
	return tree_append(&tree, seq, ret_leaf);
}

/* The founding entry comes first, and once. */
int
journal_check_place(struct journal *journal, const struct entry *entry)
{
	if ((entry->kind == ENTRY_GENESIS) == (entry->seq == 0))
		return 0;
	if (entry->seq == 0)
		return ca_error(CA_R_INTERNAL,
		    "'%s' must begin with the entry 'genesis', not with '%s'",
		    journal->path, entry_kind_name(entry->kind));
	return ca_error(CA_R_EXISTS,
	    "the authority of '%s' was founded already", journal->path);
}

static int
append(struct journal *journal, struct entry *entry, const char *text)
{
	AUTO_CHARS(line) = malloc(ENTRY_MAX_BYTES);
	unsigned char leaf[HASH_LEN];
	size_t len;

	if (line == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (journal_size(journal, &entry->seq) != 0 ||
	    journal_check_place(journal, entry) != 0 ||
	    entry_line(entry,
		journal->people != NULL ? journal->people : journal->person,
		text, line, &len) != 0 ||
	    journal_insert_entry(journal, entry->seq,
		entry_kind_name(entry->kind), entry->time, line, len,
		leaf) != 0)
		return -1;
	entry->leaf = leaf;
	return entry_apply(journal, entry);
}

int
journal_append(struct journal *journal, enum entry_kind kind, json_t *data,
    const char *text, uint64_t *ret_seq)
{
	AUTO(json_t) *held = data;
	struct entry entry = { .kind = kind, .time = date_now(), .data = held };
	bool own;
	int result;

	if (journal_act_begin(journal, &own) != 0)
		return -1;
	result = entry_check(kind, held);
	if (result == 0)
		result = append(journal, &entry, text);
	if (journal_act_end(journal, own, result) != 0)
		return -1;
	if (ret_seq != NULL)
		*ret_seq = entry.seq;
	return 0;
}

/* ---- rebuilding ------------------------------------------------------- */

static int
reapply_line(
    struct journal *journal, uint64_t seq, const char *line, size_t len)
{
	AUTO(json_t) *json = NULL;
	struct entry entry = { 0 };
	unsigned char leaf[HASH_LEN];

	if (entry_parse(line, len, &json, &entry) != 0 ||
	    entry_check(entry.kind, entry.data) != 0 ||
	    tree_leaf(line, len, leaf) != 0)
		return -1;
	if (entry.seq != seq)
		return ca_error(CA_R_CORRUPT, "it says that it is entry %llu",
		    (unsigned long long)entry.seq);
	entry.leaf = leaf;
	return journal_check_place(journal, &entry) != 0
	    ? -1
	    : entry_apply(journal, &entry);
}

/* An entry that is refused now was never accepted as it is. */
static int
reapply(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct journal *journal = ctx;
	AUTO_CHARS(why) = NULL;
	int reason;

	if (reapply_line(journal, seq, line, len) == 0)
		return 0;
	reason = ca_error_reason();
	if (reason != CA_R_INTERNAL && reason != CA_R_EXISTS &&
	    reason != CA_R_MISSING && reason != CA_R_CORRUPT)
		return -1;
	why = ca_error_take();
	return ca_error(CA_R_CORRUPT,
	    "entry %llu of '%s' does not follow from those before it: keep the "
	    "file, and put a backup in its place (%s)",
	    (unsigned long long)seq, journal->path, why == NULL ? "" : why);
}

int
journal_rebuild_here(struct journal *journal)
{
	return schema_clear_derived(journal) != 0
	    ? -1
	    : journal_each_entry(journal, 0, ENTRY_KINDS, reapply, journal);
}

int
journal_rebuild(struct journal *journal)
{
	if (journal_begin(journal) != 0)
		return -1;
	return journal_act_end(journal, true, journal_rebuild_here(journal));
}
