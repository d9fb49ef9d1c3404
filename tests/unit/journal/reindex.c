/* Derived tables made anew: what was wrong is counted, damage is refused. */
#include "ceremony/journal/reindex.h"

#include "fixture.h"

static bool
go_on(void)
{
	return true;
}

static bool
stop(void)
{
	return false;
}

/* A run with two certificates, a CRL and a revocation. */
static void
fill(struct fixture *f)
{
	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 1, "d", hex64(1), "02", hex64(3)));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 1, "d"));
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, hex64(1), "02"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
}

static const struct reindex_table *
table_of(const struct reindex *reindex, const char *name)
{
	for (size_t i = 0; i < reindex->count; i++)
		if (strcmp(reindex->tables[i].name, name) == 0)
			return &reindex->tables[i];
	fail_msg("no table '%s'", name);
	return NULL;
}

static void
test_nothing_wrong(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN], root[HASH_LEN];
	struct reindex reindex;
	uint64_t size;

	fill(f);
	digest_derived(f->journal, before);
	assert_ok(journal_reindex(f->journal, go_on, &reindex));
	assert_ok(journal_head(f->journal, &size, root));
	assert_int_equal(reindex.entries, size);
	assert_int_equal(table_of(&reindex, "objects")->rows, 2);
	for (size_t i = 0; i < reindex.count; i++) {
		assert_int_equal(reindex.tables[i].missing, 0);
		assert_int_equal(reindex.tables[i].wrong, 0);
	}
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* Whichever table is emptied, exactly its rows are said to be missing. */
static void
test_each_table_emptied(void **state)
{
	const char *const *names = schema_derived_tables();
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN];
	unsigned with_rows = 0;

	fill(f);
	digest_derived(f->journal, before);
	for (size_t i = 0; names[i] != NULL; i++) {
		AUTO_CHARS(sql) = text_printf("PRAGMA foreign_keys = OFF;"
					      "DELETE FROM %s;"
					      "PRAGMA foreign_keys = ON",
		    names[i]);
		struct reindex reindex;

		assert_ok(sql_script(f->journal, sql));
		assert_ok(journal_reindex(f->journal, go_on, &reindex));
		for (size_t t = 0; t < reindex.count; t++) {
			const struct reindex_table *table = &reindex.tables[t];

			assert_int_equal(table->wrong, 0);
			assert_int_equal(table->missing,
			    strcmp(table->name, names[i]) == 0 ? table->rows
							       : 0);
		}
		with_rows += table_of(&reindex, names[i])->rows > 0;
		digest_derived(f->journal, after);
		assert_memory_equal(before, after, HASH_LEN);
	}
	assert_true(with_rows >= 7);
}

static void
test_changed_rows(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN];
	const struct reindex_table *table;
	struct reindex reindex;

	fill(f);
	digest_derived(f->journal, before);
	assert_ok(sql_script(f->journal,
	    "UPDATE objects SET name = 'forged' WHERE name = 'c';"
	    "INSERT INTO revocations VALUES (9, 1, x'05', 7, 1, NULL, NULL,"
	    " NULL, NULL, 1)"));
	assert_ok(journal_reindex(f->journal, go_on, &reindex));
	table = table_of(&reindex, "objects");
	assert_int_equal(table->rows, 2);
	assert_int_equal(table->missing, 1);
	assert_int_equal(table->wrong, 1);
	table = table_of(&reindex, "revocations");
	assert_int_equal(table->rows, 1);
	assert_int_equal(table->missing, 0);
	assert_int_equal(table->wrong, 1);
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* Damage to what the tables are made from: refused, and they stay as found. */
static const struct {
	const char *sql, *says;
} damages[] = {
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"v\":1', '\"v\": 1') AS BLOB) WHERE seq = 3",
	    "entry 3 of" },
	{ "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 2",
	    "entry 2 of" },
	{ "UPDATE entries SET kind = 'event' WHERE seq = 3", "entry 3 of" },
	{ "UPDATE entries SET time = time + 1 WHERE seq = 4", "entry 4 of" },
	{ "UPDATE nodes SET hash = zeroblob(32) WHERE level = 1 AND idx = 1",
	    "entries 2 to 3 of" },
	{ "UPDATE nodes SET hash = zeroblob(32) WHERE level = 2 AND idx = 0",
	    "entries 0 to 3 of" },
	{ "DELETE FROM nodes WHERE level = 1 AND idx = 0", "level 1, index 0" },
	{ "INSERT INTO nodes VALUES (9, 9, zeroblob(32))", "hashes, but" },
	/* a whole entry of another kind: leaf and tree tell */
	{ "UPDATE entries SET body = (SELECT body FROM entries WHERE seq = 3),"
	  " leaf = (SELECT leaf FROM entries WHERE seq = 3) WHERE seq = 2",
	    "entry 2 of" },
};

static void
test_damage(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN];
	struct reindex reindex;

	fill(f);
	assert_ok(sql_script(
	    f->journal, "UPDATE objects SET name = 'forged' WHERE name = 'c'"));
	digest_derived(f->journal, before);
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		assert_ok(sql_script(f->journal,
		    "CREATE TEMP TABLE e AS SELECT * FROM entries;"
		    "CREATE TEMP TABLE n AS SELECT * FROM nodes"));
		assert_ok(sql_script(f->journal, damages[i].sql));
		assert_refused_naming(CA_R_CORRUPT, damages[i].says,
		    journal_reindex(f->journal, go_on, &reindex));
		digest_derived(f->journal, after);
		assert_memory_equal(before, after, HASH_LEN);
		assert_ok(sql_script(f->journal,
		    "DELETE FROM entries; INSERT INTO entries SELECT * FROM e;"
		    "DELETE FROM nodes; INSERT INTO nodes SELECT * FROM n;"
		    "DROP TABLE temp.e; DROP TABLE temp.n"));
	}
	assert_ok(journal_reindex(f->journal, go_on, &reindex));
	assert_int_equal(table_of(&reindex, "objects")->wrong, 1);
}

/* Entries whose hashes are right, one of which cannot follow the others. */
static void
test_contradiction(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN], root[HASH_LEN];
	struct reindex reindex;
	uint64_t size;
	char says[64];

	fill(f);
	/* the journal forgets that the run was closed, and takes a second */
	assert_ok(
	    sql_script(f->journal, "UPDATE runs SET open = 1, refused = 0"));
	assert_ok(journal_head(f->journal, &size, root));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	digest_derived(f->journal, before);
	(void)snprintf(
	    says, sizeof says, "entry %llu of", (unsigned long long)size);
	assert_refused_naming(
	    CA_R_CORRUPT, says, journal_reindex(f->journal, go_on, &reindex));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

static void
test_interrupted(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN];
	struct reindex reindex;

	fill(f);
	assert_ok(sql_script(f->journal, "DELETE FROM revocations"));
	digest_derived(f->journal, before);
	assert_refused(
	    CA_R_INTERRUPTED, journal_reindex(f->journal, stop, &reindex));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* Each derived table is one of the schema, and no other is derived. */
static void
test_tables(void **state)
{
	const char *const *names = schema_derived_tables();
	struct fixture *f = *state;
	int64_t tables;
	size_t count = 0;
	bool found;

	for (; names[count] != NULL; count++) {
		assert_ok(sql_number(f->journal,
		    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND"
		    " name = ?1",
		    SQL_VALUES(sql_text(names[count])), &found, &tables));
		assert_true(found);
	}
	assert_true(count <= REINDEX_TABLES_MAX);
	assert_ok(sql_number(f->journal,
	    "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'", NULL,
	    &found, &tables));
	/* entries, nodes, evidence */
	assert_int_equal(tables, count + 3);
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_wrong),
		TEST(test_each_table_emptied),
		TEST(test_changed_rows),
		TEST(test_damage),
		TEST(test_contradiction),
		TEST(test_interrupted),
		TEST(test_tables),
	};

	(void)umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
