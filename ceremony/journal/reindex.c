#include "ceremony/journal/reindex.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

/* ---- are entries and tree sound? -------------------------------------- */

struct walk {
	struct journal *journal;
	uint64_t entries, nodes; /* so far */
};

static int
damaged(const struct journal *journal, uint64_t seq, const char *what)
{
	return ca_error(CA_R_CORRUPT,
	    "entry %llu of '%s' %s: keep the file, and put a backup in its "
	    "place; nothing was changed",
	    (unsigned long long)seq, journal->path, what);
}

static int
wrong_node(const struct journal *journal, unsigned level, uint64_t index)
{
	return ca_error(CA_R_CORRUPT,
	    "entries %llu to %llu of '%s' do not have the hash that its tree "
	    "keeps for them (level %u, index %llu): keep the file, and put a "
	    "backup in its place; nothing was changed",
	    (unsigned long long)(index << level),
	    (unsigned long long)(((index + 1) << level) - 1), journal->path,
	    level, (unsigned long long)index);
}

/* The subtrees that this entry completes; those below them were seen. */
static int
check_nodes(struct walk *walk, uint64_t seq)
{
	struct tree_store tree = journal_tree(walk->journal);
	unsigned char left[HASH_LEN], right[HASH_LEN], node[HASH_LEN],
	    stored[HASH_LEN];

	for (unsigned level = 1; ((seq + 1) >> level) << level == seq + 1;
	     level++) {
		uint64_t index = seq >> level;

		if (tree.get(tree.ctx, level - 1, 2 * index, left) != 0 ||
		    tree.get(tree.ctx, level - 1, 2 * index + 1, right) != 0 ||
		    tree.get(tree.ctx, level, index, stored) != 0 ||
		    tree_node(left, right, node) != 0)
			return -1;
		if (CRYPTO_memcmp(stored, node, HASH_LEN) != 0)
			return wrong_node(walk->journal, level, index);
		walk->nodes++;
	}
	walk->entries++;
	return 0;
}

/* Columns: seq, kind, time, body, leaf. */
static int
check_columns(const struct walk *walk, const struct query *query, uint64_t seq,
    const char *line, size_t len)
{
	const unsigned char *kind = sqlite3_column_text(query->stmt, 1);
	AUTO(json_t) *json = NULL;
	struct entry entry;

	if (entry_parse(line, len, &json, &entry) != 0)
		return damaged(walk->journal, seq, "is no entry of a journal");
	if (entry.seq != seq)
		return damaged(
		    walk->journal, seq, "says that it is another one");
	if (kind == NULL ||
	    strcmp((const char *)kind, entry_kind_name(entry.kind)) != 0 ||
	    sqlite3_column_int64(query->stmt, 2) != entry.time)
		return damaged(walk->journal, seq,
		    "is of another kind or time than the columns beside it "
		    "say");
	return 0;
}

static int
check_row(struct walk *walk, struct query *query)
{
	uint64_t seq = (uint64_t)sqlite3_column_int64(query->stmt, 0);
	const void *body = sqlite3_column_blob(query->stmt, 3);
	size_t len = (size_t)sqlite3_column_bytes(query->stmt, 3);
	unsigned char stored[HASH_LEN], leaf[HASH_LEN];

	if (body == NULL)
		return damaged(walk->journal, seq, "is empty");
	if (query_hash(query, 4, stored) != 0 ||
	    tree_leaf(body, len, leaf) != 0)
		return -1;
	if (CRYPTO_memcmp(stored, leaf, HASH_LEN) != 0)
		return damaged(walk->journal, seq,
		    "does not have the hash that is stored with it");
	if (check_columns(walk, query, seq, body, len) != 0)
		return -1;
	return check_nodes(walk, seq);
}

static int
check_rows(struct walk *walk, bool (*keep_going)(void))
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(walk->journal,
		"SELECT seq, kind, time, body, leaf FROM entries ORDER BY seq",
		NULL, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return 0;
		if (!keep_going())
			return ca_error(CA_R_INTERRUPTED,
			    "interrupted; nothing was changed");
		if (check_row(walk, &query) != 0)
			return -1;
	}
}

static int
check_sound(
    struct journal *journal, bool (*keep_going)(void), uint64_t *ret_entries)
{
	struct walk walk = { .journal = journal };
	int64_t nodes;
	bool found;

	if (check_rows(&walk, keep_going) != 0 ||
	    sql_number(journal, "SELECT COUNT(*) FROM nodes", NULL, &found,
		&nodes) != 0)
		return -1;
	if ((uint64_t)nodes != walk.nodes)
		return ca_error(CA_R_CORRUPT,
		    "the tree of '%s' has %lld hashes, but its %llu entries "
		    "make %llu: keep the file, and put a backup in its place; "
		    "nothing was changed",
		    journal->path, (long long)nodes,
		    (unsigned long long)walk.entries,
		    (unsigned long long)walk.nodes);
	*ret_entries = walk.entries;
	return 0;
}

/* ---- rows, to be compared --------------------------------------------- */

struct row_hash {
	unsigned char octets[16];
};

struct rows {
	struct row_hash *hashes;
	size_t count, room;
};

static void
rows_clear(struct rows *rows)
{
	free(rows->hashes);
	*rows = (struct rows){ 0 };
}
CLEANUP_DEFINE_STRUCT(rows);

/* Type, length and octets of each column. */
static int
hash_row(sqlite3_stmt *stmt, EVP_MD_CTX *md, struct row_hash *ret_hash)
{
	unsigned char digest[HASH_LEN];

	if (EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		int type = sqlite3_column_type(stmt, i);
		const void *octets = sqlite3_column_blob(stmt, i);
		int head[2] = { type, sqlite3_column_bytes(stmt, i) };

		if (EVP_DigestUpdate(md, head, sizeof(head)) != 1 ||
		    EVP_DigestUpdate(md, octets == NULL ? "" : octets,
			octets == NULL ? 0 : (size_t)head[1]) != 1)
			return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	}
	if (EVP_DigestFinal_ex(md, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	memcpy(ret_hash->octets, digest, sizeof(ret_hash->octets));
	return 0;
}

static int
rows_add(void *ctx, const struct row_hash *hash)
{
	struct rows *rows = ctx;

	if (rows->count == rows->room) {
		size_t room = rows->room == 0 ? 64 : 2 * rows->room;
		struct row_hash *more =
		    reallocarray(rows->hashes, room, sizeof(*more));

		if (more == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		rows->hashes = more;
		rows->room = room;
	}
	rows->hashes[rows->count++] = *hash;
	return 0;
}

static int
by_octets(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct row_hash));
}

static int
each_row(struct journal *journal, const char *table,
    int (*take)(void *ctx, const struct row_hash *hash), void *ctx)
{
	AUTO_CHARS(sql) = text_printf("SELECT * FROM %s", table);
	AUTO_STRUCT(query) query = { .journal = journal };
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	struct row_hash hash;
	int rc;

	if (sql == NULL || md == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	rc = sqlite3_prepare_v2(journal->db, sql, -1, &query.stmt, NULL);
	if (rc != SQLITE_OK)
		return sql_error(journal, rc, NULL);
	while ((rc = sqlite3_step(query.stmt)) == SQLITE_ROW)
		if (hash_row(query.stmt, md, &hash) != 0 ||
		    take(ctx, &hash) != 0)
			return -1;
	return rc == SQLITE_DONE ? 0 : sql_error(journal, rc, NULL);
}

static int
read_rows(struct journal *journal, const char *table, struct rows *ret_rows)
{
	AUTO_STRUCT(rows) rows = { 0 };

	if (each_row(journal, table, rows_add, &rows) != 0)
		return -1;
	if (rows.count > 0)
		qsort(
		    rows.hashes, rows.count, sizeof(rows.hashes[0]), by_octets);
	*ret_rows = rows;
	rows = (struct rows){ 0 };
	return 0;
}

/* Both are sorted; a row may be there more than once. */
static void
compare_rows(const struct rows *before, const struct rows *now,
    struct reindex_table *table)
{
	size_t a = 0, b = 0;

	table->rows = now->count;
	while (a < before->count || b < now->count) {
		int order = a == before->count ? 1
		    : b == now->count
		    ? -1
		    : by_octets(&before->hashes[a], &now->hashes[b]);

		table->wrong += order < 0;
		table->missing += order > 0;
		a += order <= 0;
		b += order >= 0;
	}
}

/* ---- both ------------------------------------------------------------- */

struct snapshot {
	struct rows tables[REINDEX_TABLES_MAX];
};

static void
snapshot_clear(struct snapshot *snapshot)
{
	for (size_t i = 0; i < REINDEX_TABLES_MAX; i++)
		rows_clear(&snapshot->tables[i]);
}
CLEANUP_DEFINE_STRUCT(snapshot);

static int
snapshot_take(struct journal *journal, struct snapshot *snapshot)
{
	const char *const *names = schema_derived_tables();

	for (size_t i = 0; names[i] != NULL; i++)
		if (read_rows(journal, names[i], &snapshot->tables[i]) != 0)
			return -1;
	return 0;
}

static int
compare(struct journal *journal, const struct snapshot *before,
    struct reindex *reindex)
{
	const char *const *names = schema_derived_tables();

	for (size_t i = 0; names[i] != NULL; i++) {
		struct reindex_table *table = &reindex->tables[i];
		AUTO_STRUCT(rows) now = { 0 };

		if (read_rows(journal, names[i], &now) != 0)
			return -1;
		table->name = names[i];
		compare_rows(&before->tables[i], &now, table);
		reindex->count = i + 1;
	}
	return 0;
}

int
journal_reindex(struct journal *journal, bool (*keep_going)(void),
    struct reindex *ret_reindex)
{
	AUTO_STRUCT(snapshot) before = { 0 };
	struct reindex reindex = { 0 };

	if (journal_must_write(journal) != 0 ||
	    check_sound(journal, keep_going, &reindex.entries) != 0 ||
	    snapshot_take(journal, &before) != 0 ||
	    journal_rebuild(journal) != 0 ||
	    compare(journal, &before, &reindex) != 0)
		return -1;
	*ret_reindex = reindex;
	return 0;
}

/* ---- only looking ----------------------------------------------------- */

static bool
go_on(void)
{
	return true;
}

static int
refuse_difference(struct journal *journal, const struct reindex *found)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct reindex_table *table = &found->tables[i];

		if (table->missing > 0 || table->wrong > 0)
			return ca_error(CA_R_CORRUPT,
			    "the table '%s' of '%s' is not what the entries "
			    "make: somebody has changed the file by hand; keep "
			    "a copy, see what 'ca-tool journal verify' says, "
			    "and only then run 'ca-tool journal reindex'",
			    table->name, journal->path);
	}
	return 0;
}

/* What is different, row by row. */
static int
look_closely(struct journal *journal)
{
	AUTO_STRUCT(snapshot) before = { 0 };
	struct reindex found = { 0 };
	int result;

	if (snapshot_take(journal, &before) != 0 || journal_begin(journal) != 0)
		return -1;
	result = journal_rebuild_here(journal);
	if (result == 0)
		result = compare(journal, &before, &found);
	journal_rollback(journal);
	return result != 0 ? -1 : refuse_difference(journal, &found);
}

static int
digest_add(void *ctx, const struct row_hash *hash)
{
	return EVP_DigestUpdate(ctx, hash->octets, sizeof(hash->octets)) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

/* Of all derived tables, row after row as they stand. */
static int
digest_tables(struct journal *journal, unsigned char ret_digest[HASH_LEN])
{
	const char *const *names = schema_derived_tables();
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	for (size_t i = 0; names[i] != NULL; i++) {
		/* The name ends the table before it. */
		if (EVP_DigestUpdate(md, names[i], strlen(names[i]) + 1) != 1)
			return ca_error(CA_R_INTERNAL, "SHA-256 failed");
		if (each_row(journal, names[i], digest_add, md) != 0)
			return -1;
	}
	return EVP_DigestFinal_ex(md, ret_digest, NULL) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

int
journal_check(struct journal *journal)
{
	unsigned char before[HASH_LEN], now[HASH_LEN];
	uint64_t entries = 0;
	int result;

	if (journal_must_write(journal) != 0 ||
	    check_sound(journal, go_on, &entries) != 0 ||
	    digest_tables(journal, before) != 0 || journal_begin(journal) != 0)
		return -1;
	result = journal_rebuild_here(journal);
	if (result == 0)
		result = digest_tables(journal, now);
	journal_rollback(journal);
	if (result != 0)
		return -1;
	/* Rows in another order may still be the same ones. */
	return memcmp(before, now, HASH_LEN) == 0 ? 0 : look_closely(journal);
}
