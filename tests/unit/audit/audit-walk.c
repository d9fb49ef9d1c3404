/* The walk: each thing that it looks at, broken once. */
#include <sqlite3.h>

#include "base/date.h"
#include "small.h"

static void
test_sound(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_checkpoint(s);
	small_audit(s);
	assert_sound(s);
	assert_string_equal(s->report.authority, "example");
	assert_string_equal(s->report.origin, "example");
	assert_int_equal(s->report.entries, 23);
	assert_int_equal(s->report.checkpoints, 2);
	assert_int_equal(s->report.last_checkpoint, 21);
	assert_false(s->report.anchored);
}

/* ---- rows and nodes --------------------------------------------------- */

static const struct tampering {
	const char *sql, *id, *part;
} tamperings[] = {
	{ "UPDATE entries SET time = time + 1 WHERE seq = 7", "AUDIT-ROW",
	    "entry 7 (head)" },
	{ "UPDATE entries SET kind = 'event' WHERE seq = 7", "AUDIT-ROW",
	    "of kind 'head', the column beside it says 'event'" },
	{ "UPDATE entries SET kind = 'bogus' WHERE seq = 7", "AUDIT-ROW",
	    "entry 7" },
	{ "INSERT INTO entries SELECT 30, kind, time, body, leaf FROM entries"
	  " WHERE seq = 7",
	    "AUDIT-ROW", "it says that it is entry 7" },
	{ "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 7", "AUDIT-LEAF",
	    "entry 7 (head)" },
	{ "UPDATE entries SET leaf = x'00' WHERE seq = 7", "AUDIT-LEAF",
	    "entry 7 (head)" },
	{ "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 0", "AUDIT-LEAF",
	    "entry 0 (genesis)" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " 'did it', 'did iT') AS BLOB) WHERE seq = 8",
	    "AUDIT-LEAF", "the bytes were altered" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " ',\"data\"', ', \"data\"') AS BLOB) WHERE seq = 7",
	    "AUDIT-CANONICAL", "entry 7 (head)" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " '{\"v\":1', '{\"x\":1,\"v\":1') AS BLOB) WHERE seq = 7",
	    "AUDIT-CANONICAL", "entry 7 (head)" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"text\":', '\"test\":') AS BLOB) WHERE seq = 7",
	    "AUDIT-CANONICAL", "entry 7 (head)" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"v\":1', '\"v\":2') AS BLOB) WHERE seq = 7",
	    "AUDIT-CANONICAL", "version 1" },
	{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"kind\":\"head\"', '\"kind\":\"hood\"') AS BLOB)"
	  " WHERE seq = 7",
	    "AUDIT-CANONICAL", "entry 7 (head)" },
	{ "UPDATE entries SET body = x'ff00' WHERE seq = 7", "AUDIT-CANONICAL",
	    "entry 7 (head)" },
	{ "UPDATE entries SET body = x'' WHERE seq = 7", "AUDIT-CANONICAL",
	    "entry 7 (head)" },
	{ "DELETE FROM entries WHERE seq = 7", "AUDIT-GAP",
	    "entry 7 is missing" },
	{ "DELETE FROM entries WHERE seq IN (6, 7)", "AUDIT-GAP",
	    "entries 6 to 7 are missing" },
	{ "DELETE FROM entries WHERE seq = 0", "AUDIT-GAP",
	    "entry 0 is missing" },
	{ "DELETE FROM entries WHERE seq = 0", "AUDIT-GENESIS", "entry 1 " },
	{ "UPDATE entries SET body = x'00' WHERE seq = 0", "AUDIT-GENESIS",
	    "entry 0 " },
	{ "DELETE FROM entries", "AUDIT-GAP", "no entries" },
	{ "UPDATE entries SET seq = -1 WHERE seq = 7", "AUDIT-GAP", "below 0" },
	{ "UPDATE entries SET seq = 9223372036854775807 WHERE seq = 11",
	    "AUDIT-GAP", "entry 9223372036854775807" },
	{ "UPDATE nodes SET hash = zeroblob(32) WHERE level = 2 AND idx = 1",
	    "AUDIT-NODE", "row level 2, idx 1 is not as the entries make it" },
	{ "DELETE FROM nodes WHERE level = 2 AND idx = 1", "AUDIT-NODE",
	    "row level 2, idx 1 is missing" },
	{ "INSERT INTO nodes VALUES (7, 1, zeroblob(32))", "AUDIT-NODE",
	    "row level 7, idx 1 is there" },
	{ "INSERT INTO nodes VALUES (0, 1, zeroblob(32))", "AUDIT-NODE",
	    "row level 0, idx 1 is there" },
	{ "DELETE FROM nodes", "AUDIT-NODE", "level 3, idx 0 is missing" },
	{ "UPDATE evidence SET bytes = x'00' WHERE id = 1",
	    "AUDIT-EVIDENCE-ALTERED", "entry 1" },
	{ "UPDATE evidence SET size = 1 WHERE id = 1", "AUDIT-EVIDENCE-ALTERED",
	    "the column beside them" },
	{ "UPDATE evidence SET sha256 = zeroblob(32) WHERE id = 1",
	    "AUDIT-EVIDENCE", "entry 1 (enrolment)" },
	{ "UPDATE evidence SET sha256 = x'00' WHERE id = 1",
	    "AUDIT-EVIDENCE-ALTERED", "00 do not" },
	{ "DELETE FROM evidence WHERE id = 2", "AUDIT-EVIDENCE",
	    "entry 4 (quorum)" },
	{ "INSERT INTO evidence VALUES (90, x'6e340b9cffb37a989ca544e6bb780a2c"
	  "78901d3fb33738768511a30617afa01d', 1, x'00')",
	    "AUDIT-EVIDENCE-STRAY", "6e340b9c" },
};

static void
test_tampering(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tamperings / sizeof tamperings[0]; i++) {
		const struct tampering *t = &tamperings[i];
		void *made = NULL;
		struct small *s;

		assert_int_equal(small_setup(&made), 0);
		s = made;
		small_sql(s, t->sql);
		small_audit(s);
		print_message("%s\n", t->sql);
		assert_has(s, t->id, t->part);
		assert_int_equal(small_teardown(&made), 0);
	}
}

/* One altered entry does not make all that follows wrong. */
static void
test_one_altered(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_sql(s,
	    "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	    " 'did it', 'did iT') AS BLOB) WHERE seq = 3");
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-LEAF"), 1);
	assert_int_equal(small_count(s, "AUDIT-STATE"), 0);
	assert_int_equal(small_count(s, "AUDIT-NODE"), 0);
}

/* An entry that was altered with its leaf hash is seen at the next head. */
static void
test_altered_with_leaf(void **state)
{
	struct small *s = *state;
	unsigned char leaf[HASH_LEN];
	AUTO_CHARS(line) = NULL;
	AUTO_STRUCT(query) query = { 0 };
	char *at;
	bool row;

	assert_ok(query_start(s->journal,
	    "SELECT body FROM entries WHERE seq = 3", NULL, &query));
	assert_ok(query_step(&query, &row));
	assert_ok(query_text(&query, 0, &line));
	query_clear(&query);
	at = strstr(line, "did it");
	assert_non_null(at);
	at[5] = 'T';
	assert_ok(tree_leaf(line, strlen(line), leaf));
	assert_ok(sql_run(s->journal, NULL,
	    "UPDATE entries SET body = ?1, leaf = ?2 WHERE seq = 3",
	    SQL_VALUES(
		sql_blob(line, strlen(line)), sql_blob(leaf, HASH_LEN))));
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-LEAF"), 0);
	assert_has(s, "AUDIT-STATE", "entry 7 (head)");
	assert_has(s, "AUDIT-NODE", "level 1, idx 1");
}

/* ---- what entries say ------------------------------------------------- */

static void
test_members(void **state)
{
	struct small *s = *state;
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");

	small_force(s, ENTRY_RESUMED, json_pack("{s:s}", "run", RUN_A), people,
	    "resumed");
	small_audit(s);
	assert_has(s, "AUDIT-MEMBERS", "'serial'");
	assert_has(s, "AUDIT-MEMBERS", "entry 12 (resumed)");
}

static void
test_elements(void **state)
{
	struct small *s = *state;
	AUTO(json_t) *none = json_array();
	AUTO(json_t) *nameless =
	    json_pack("[{s:s, s:s}]", "name", "", "role", "user");
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");

	small_force(s, ENTRY_EVENT, data_event("x"), none, "an event");
	small_force(s, ENTRY_EVENT, data_event("x"), nameless, "an event");
	small_force(s, ENTRY_EVENT, data_event("x"), people, "");
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-ELEMENTS"), 3);
	assert_has(s, "AUDIT-ELEMENTS", "who made it");
	assert_has(s, "AUDIT-ELEMENTS", "what happened");
	assert_has(s, "AUDIT-ELEMENTS", "entry 14 (event)");
}

/* It is refused as if it were appended now, and what it did is undone. */
static void
test_contradiction(void **state)
{
	struct small *s = *state;
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");

	small_force(s, ENTRY_GENESIS, data_genesis(), people, "again");
	small_force(s, ENTRY_CLOSE, data_close(RUN_A, "done"), people, "x");
	small_run(s, RUN_A, "a");
	small_force(s, ENTRY_RESULT,
	    data_result(RUN_A, 0, 0, "a", small_evidence(s, "a request")),
	    people, "a second result");
	small_close(s, RUN_A);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-STATE", "entry 12 (genesis)");
	assert_has(s, "AUDIT-STATE", "entry 13 (close)");
	assert_has(s, "AUDIT-STATE", "entry 22 (result)");
	assert_int_equal(small_count(s, "AUDIT-STATE"), 3);
	assert_int_equal(small_count(s, "AUDIT-DERIVED"), 0);
}

/* ---- derived tables --------------------------------------------------- */

static void
test_derived(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_sql(s,
	    "UPDATE keys SET backup = 'clone' WHERE name = 'journal';"
	    "DELETE FROM lists;"
	    "INSERT INTO profiles VALUES ('x', 'y');"
	    "UPDATE authority SET ready = 0;"
	    "UPDATE runs SET abandons = 'z';"
	    "UPDATE sets SET threshold = 1");
	small_audit(s);
	assert_has(s, "AUDIT-DERIVED", "row seq 6 is not as");
	assert_has(s, "AUDIT-DERIVED", "table keys");
	assert_has(s, "AUDIT-DERIVED", "list 0 is missing");
	assert_has(s, "AUDIT-DERIVED", "row profile 'x' is there");
	assert_has(s, "AUDIT-DERIVED", "table authority");
	assert_has(s, "AUDIT-DERIVED", "table runs");
	assert_has(s, "AUDIT-DERIVED", "table sets");
	assert_int_equal(small_count(s, "AUDIT-DERIVED"), 6);
}

static void
test_derived_many(void **state)
{
	struct small *s = *state;

	small_sql(s,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 100) INSERT INTO profiles SELECT 'p' || i, 'y' FROM n");
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-DERIVED"), 11);
	assert_has(s, "AUDIT-DERIVED", "100 rows in all");
}

/* ---- times ------------------------------------------------------------ */

static void
test_clock_back(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_checkpoint(s);
	s->now -= 3600;
	small_run(s, RUN_B, "b");
	small_close(s, RUN_B);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-TIME", "entry 23 (plan)");
	assert_int_equal(small_count(s, "AUDIT-TIME"), 1);
	assert_int_equal(s->found.rows[0].severity, FINDING_ERROR);
}

/* Within a run it is odd, but not refused. */
static void
test_clock_back_in_run(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	s->now -= 3600;
	small_close(s, RUN_A);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-TIME", "(close)");
	assert_int_equal(small_count(s, "AUDIT-TIME"), 1);
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.rows[i].id, "AUDIT-TIME") == 0)
			assert_int_equal(
			    s->found.rows[i].severity, FINDING_WARNING);
}

static void
assert_time(const struct small *s, const char *place, enum severity severity)
{
	assert_has(s, "AUDIT-TIME", place);
	assert_int_equal(small_count(s, "AUDIT-TIME"), 1);
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.rows[i].id, "AUDIT-TIME") == 0)
			assert_int_equal(s->found.rows[i].severity, severity);
}

static void
earlier(struct small *s)
{
	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_checkpoint(s);
	s->now -= 3600;
}

/* It began when the clock was back, made a key, and was left open. */
static void
test_clock_back_left_open(void **state)
{
	struct small *s = *state;

	earlier(s);
	small_run(s, RUN_B, "b");
	small_audit(s);
	assert_time(s, "entry 23 (plan)", FINDING_ERROR);
}

/* It did nothing yet: it may still be refused, or correct the clock. */
static void
test_clock_back_only_begun(void **state)
{
	struct small *s = *state;

	earlier(s);
	small_add(s, ENTRY_PLAN,
	    with(data_plan(RUN_B, "b"), "manifest",
		json_string(small_evidence(s, "{\"inputs\":[]}"))));
	small_audit(s);
	assert_time(s, "entry 23 (plan)", FINDING_WARNING);
}

static void
test_clock_back_abandoned(void **state)
{
	struct small *s = *state;

	earlier(s);
	small_run(s, RUN_B, "b");
	s->now += 7200;
	small_add(s, ENTRY_PLAN,
	    with(data_abandoning(RUN_C, "c", RUN_B), "manifest",
		json_string(small_evidence(s, "{\"inputs\":[]}"))));
	small_add(s, ENTRY_CLOSE, data_close(RUN_B, "abandoned"));
	small_close(s, RUN_C);
	small_checkpoint(s);
	small_audit(s);
	assert_time(s, "entry 23 (plan)", FINDING_ERROR);
}

/* A resumed run looks at the clock again. */
static void
test_clock_back_resumed(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	s->now -= 3600;
	small_add(s, ENTRY_RESUMED, data_resumed(RUN_A));
	small_close(s, RUN_A);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-TIME", "(resumed)");
}

/* What is corrected is right: entries behind count from there. */
static void
test_clock_corrected(void **state)
{
	struct small *s = *state;
	char now[DATE_TEXT_SIZE];

	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_checkpoint(s);
	s->now -= 3600;
	date_format(s->now, now);
	small_run(s, RUN_B, "b");
	small_add(s, ENTRY_CLOCK, data_clock(RUN_B, now));
	small_close(s, RUN_B);
	small_checkpoint(s);
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-TIME"), 0);
}

/* ---- stopping --------------------------------------------------------- */

static int
stop(void *ctx, const char *what, uint64_t done, uint64_t total)
{
	unsigned *calls = ctx;

	(void)what;
	(void)done;
	(void)total;
	return --*calls == 0 ? 1 : 0;
}

static void
test_interrupted(void **state)
{
	struct small *s = *state;

	journal_free(s->journal);
	s->journal = NULL;
	s->options.progress = stop;
	for (unsigned after = 1; after <= 3; after++) {
		unsigned calls = after;

		s->options.ctx = &calls;
		assert_refused(CA_R_INTERRUPTED,
		    audit_run(&s->options, &s->found, &s->report));
		assert_int_equal(rmdir(in_scratch(&s->scratch, "work")), 0);
		assert_int_equal(
		    mkdir(in_scratch(&s->scratch, "work"), 0700), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, small_setup, small_teardown)
		TEST(test_sound),
		cmocka_unit_test(test_tampering),
		TEST(test_one_altered),
		TEST(test_altered_with_leaf),
		TEST(test_members),
		TEST(test_elements),
		TEST(test_contradiction),
		TEST(test_derived),
		TEST(test_derived_many),
		TEST(test_clock_back),
		TEST(test_clock_back_in_run),
		TEST(test_clock_back_left_open),
		TEST(test_clock_back_only_begun),
		TEST(test_clock_back_abandoned),
		TEST(test_clock_back_resumed),
		TEST(test_clock_corrected),
		TEST(test_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
