/* The file itself: create, open, transactions, snapshots, crashes, damage. */
#include "ceremony/journal/journal.h"

#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <time.h>

#include "base/date.h"
#include "ceremony/journal/store.h"
#include "support.h"

static uint64_t
size_of(struct journal *journal)
{
	unsigned char root[HASH_LEN];
	uint64_t size = 0;

	assert_ok(journal_head(journal, &size, root));
	return size;
}

static struct journal *
opened(const struct scratch *scratch, enum journal_mode mode)
{
	struct journal *journal = NULL;

	assert_ok(journal_open(scratch->path, mode, &journal));
	return journal;
}

static void
refuse_open(
    const struct scratch *scratch, enum ca_reason reason, const char *part)
{
	struct journal *journal = NULL;

	assert_refused_naming(
	    reason, part, journal_open(scratch->path, JOURNAL_READ, &journal));
	assert_refused_naming(
	    reason, part, journal_open(scratch->path, JOURNAL_WRITE, &journal));
	assert_null(journal);
}

/* Change the file behind the journal's back. */
static void
meddle(const struct scratch *scratch, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(
	    sqlite3_open(in_scratch(scratch, JOURNAL_FILE), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static size_t
read_file(const char *path, unsigned char **ret_bytes)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	assert_non_null(file);
	*ret_bytes = malloc(1 << 20);
	assert_non_null(*ret_bytes);
	len = fread(*ret_bytes, 1, 1 << 20, file);
	assert_int_equal(fclose(file), 0);
	return len;
}

/* ---- create and open -------------------------------------------------- */

static void
test_create(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	struct journal *second = NULL;
	struct stat st;

	assert_int_equal(stat(in_scratch(scratch, JOURNAL_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	journal_free(journal);
	assert_int_equal(
	    access(in_scratch(scratch, JOURNAL_ROLLBACK_FILE), F_OK), -1);
	assert_refused(CA_R_EXISTS, journal_create(scratch->path, &second));
	assert_null(second);
	journal = opened(scratch, JOURNAL_WRITE);
	assert_int_equal(size_of(journal), 1);
	journal_free(journal);
}

/* Whatever the umask was. */
static void
test_private(void **state)
{
	struct scratch *scratch = *state;
	mode_t before = umask(0);
	struct stat st;

	journal_free(founded(scratch));
	(void)umask(before);
	assert_int_equal(stat(in_scratch(scratch, JOURNAL_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(in_scratch(scratch, JOURNAL_FILE), 0666), 0);
	journal_free(opened(scratch, JOURNAL_WRITE));
	assert_int_equal(stat(in_scratch(scratch, JOURNAL_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
create_again(struct scratch *scratch)
{
	struct journal *journal = NULL;

	assert_ok(journal_create(scratch->path, &journal));
	assert_int_equal(size_of(journal), 0);
	journal_free(journal);
}

/* What a cut-off create may have left is made anew. */
static void
test_create_after_a_cut(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;
	unsigned char digest[HASH_LEN], *data = NULL;
	size_t len;

	create_again(scratch);
	create_again(scratch);
	write_file(in_scratch(scratch, JOURNAL_FILE), "", 0);
	create_again(scratch);
	write_file(in_scratch(scratch, JOURNAL_FILE), "", 0);
	write_file(in_scratch(scratch, JOURNAL_ROLLBACK_FILE), "garbage", 7);
	create_again(scratch);
	assert_ok(journal_open(scratch->path, JOURNAL_WRITE, &journal));
	assert_ok(journal_evidence_put(journal, "x", 1, digest));
	journal_free(journal);
	journal = NULL;
	create_again(scratch);
	assert_ok(journal_open(scratch->path, JOURNAL_READ, &journal));
	assert_refused(
	    CA_R_MISSING, journal_evidence_get(journal, digest, &data, &len));
	journal_free(journal);
}

static void
test_create_spares_others(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;
	struct stat st;

	meddle(scratch, "CREATE TABLE mine (a); INSERT INTO mine VALUES (1)");
	assert_refused(CA_R_CORRUPT, journal_create(scratch->path, &journal));
	assert_int_equal(stat(in_scratch(scratch, JOURNAL_FILE), &st), 0);
	assert_true(st.st_size > 0);
	write_file(in_scratch(scratch, JOURNAL_FILE), "my diary", 8);
	assert_refused(CA_R_CORRUPT, journal_create(scratch->path, &journal));
	assert_int_equal(stat(in_scratch(scratch, JOURNAL_FILE), &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_null(journal);
}

static void
test_open_nothing(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;

	refuse_open(scratch, CA_R_MISSING, "does not exist");
	assert_int_equal(ca_error_reason(), 0);
	assert_int_equal(
	    journal_open("does/not/exist", JOURNAL_READ, &journal), -1);
	ca_error_clear();
	assert_int_equal(mkdir(in_scratch(scratch, JOURNAL_FILE), 0700), 0);
	refuse_open(scratch, CA_R_CORRUPT, "regular");
	assert_int_equal(rmdir(in_scratch(scratch, JOURNAL_FILE)), 0);
	assert_int_equal(mkfifo(in_scratch(scratch, JOURNAL_FILE), 0600), 0);
	refuse_open(scratch, CA_R_CORRUPT, "regular");
}

/* No symbolic link to the file; the way to the directory may have some. */
static void
test_symlinks(void **state)
{
	struct scratch *scratch = *state;
	struct scratch real = { "" };
	struct journal *journal = NULL;
	char deep[256];

	(void)snprintf(
	    real.path, sizeof real.path, "%.40s/real", scratch->path);
	assert_int_equal(mkdir(real.path, 0700), 0);
	journal_free(founded(&real));
	assert_int_equal(symlink(".", in_scratch(scratch, "link")), 0);
	(void)snprintf(deep, sizeof deep, "%s/link/real", scratch->path);
	assert_ok(journal_open(deep, JOURNAL_WRITE, &journal));
	journal_free(journal);
	journal = NULL;
	assert_int_equal(
	    symlink("real/" JOURNAL_FILE, in_scratch(scratch, JOURNAL_FILE)),
	    0);
	refuse_open(scratch, CA_R_CORRUPT, "regular");
	assert_int_equal(unlink(in_scratch(scratch, "link")), 0);
	assert_int_equal(symlink("real", in_scratch(scratch, "link")), 0);
	assert_int_equal(
	    journal_open(in_scratch(scratch, "link"), JOURNAL_READ, &journal),
	    -1);
	ca_error_clear();
}

/* ---- files that are no journals --------------------------------------- */

static void
test_zero_length(void **state)
{
	struct scratch *scratch = *state;

	write_file(in_scratch(scratch, JOURNAL_FILE), "", 0);
	refuse_open(scratch, CA_R_CORRUPT, "no journal");
}

static void
test_not_a_database(void **state)
{
	struct scratch *scratch = *state;
	char text[8192];

	memset(text, 'x', sizeof text);
	write_file(in_scratch(scratch, JOURNAL_FILE), text, sizeof text);
	refuse_open(scratch, CA_R_CORRUPT, "no journal");
	write_file(in_scratch(scratch, JOURNAL_FILE), text, 10);
	refuse_open(scratch, CA_R_CORRUPT, "no journal");
}

/* It must come out as it was, its own journal mode included. */
static void
test_foreign_database(void **state)
{
	struct scratch *scratch = *state;
	AUTO_BYTES(before) = NULL;
	AUTO_BYTES(after) = NULL;
	size_t len;

	meddle(scratch,
	    "PRAGMA application_id = 7; PRAGMA user_version = 1;"
	    "CREATE TABLE entries (seq); INSERT INTO entries VALUES (0)");
	len = read_file(in_scratch(scratch, JOURNAL_FILE), &before);
	refuse_open(scratch, CA_R_CORRUPT, "another program");
	assert_int_equal(
	    read_file(in_scratch(scratch, JOURNAL_FILE), &after), len);
	assert_memory_equal(before, after, len);
}

static void
test_foreign_schema(void **state)
{
	static const struct {
		const char *sql;
		const char *part;
	} changes[] = {
		{ "PRAGMA user_version = 5", "newer ca-tool (schema 5" },
		{ "PRAGMA user_version = 3", "older ca-tool (schema 3" },
		{ "PRAGMA user_version = 1", "older ca-tool (schema 1" },
		{ "PRAGMA user_version = -1", "no ca-tool has written" },
		{ "PRAGMA user_version = 0", "no ca-tool has written" },
		{ "CREATE TABLE extra (a)", "extra" },
		{ "CREATE TRIGGER t AFTER INSERT ON entries BEGIN"
		  " DELETE FROM evidence; END",
		    "'t'" },
		{ "CREATE VIEW v AS SELECT 1", "'v'" },
		{ "DROP INDEX keys_name", "lacks" },
		{ "DROP TABLE revocations", "lacks" },
		{ "ALTER TABLE runs ADD COLUMN x TEXT", "runs" },
	};

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct scratch *scratch = *state;

		(void)unlink(in_scratch(scratch, JOURNAL_FILE));
		journal_free(founded(scratch));
		meddle(scratch, changes[i].sql);
		refuse_open(scratch, CA_R_CORRUPT, changes[i].part);
	}
}

static void
test_entries_changed(void **state)
{
	static const struct {
		const char *sql;
		const char *part;
	} changes[] = {
		{ "DELETE FROM entries WHERE seq = 0", "missing" },
		{ "DELETE FROM entries WHERE seq = 1", "missing" },
		{ "UPDATE entries SET seq = 9 WHERE seq = 2", "missing" },
		{ "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
		  " 'third', 'THIRD') AS BLOB) WHERE seq = 2",
		    "hash" },
		{ "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 2",
		    "hash" },
		{ "UPDATE entries SET leaf = x'00' WHERE seq = 2", "hash" },
		{ "UPDATE entries SET body = x'' WHERE seq = 2", "hash" },
	};

	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		struct scratch *scratch = *state;
		struct journal *journal;

		(void)unlink(in_scratch(scratch, JOURNAL_FILE));
		journal = founded(scratch);
		assert_ok(append_(journal, ENTRY_EVENT, data_event("second")));
		assert_ok(append_(journal, ENTRY_EVENT, data_event("third")));
		journal_free(journal);
		meddle(scratch, changes[i].sql);
		refuse_open(scratch, CA_R_CORRUPT, changes[i].part);
	}
}

/* Any length shorter than the whole: refused, never taken for whole. */
static void
test_truncated(void **state)
{
	struct scratch *scratch = *state;
	AUTO_BYTES(bytes) = NULL;
	struct journal *journal = founded(scratch);
	size_t len;

	for (int i = 0; i < 50; i++)
		assert_ok(append_(journal, ENTRY_EVENT, data_event("filler")));
	journal_free(journal);
	len = read_file(in_scratch(scratch, JOURNAL_FILE), &bytes);
	for (size_t n = 0; n < len; n += 1024) {
		struct journal *none = NULL;

		write_file(in_scratch(scratch, JOURNAL_FILE), bytes, n);
		assert_refused(CA_R_CORRUPT,
		    journal_open(scratch->path, JOURNAL_WRITE, &none));
		write_file(in_scratch(scratch, JOURNAL_FILE), bytes, n);
		assert_refused(CA_R_CORRUPT,
		    journal_open(scratch->path, JOURNAL_READ, &none));
		assert_null(none);
	}
}

/*
 * Each byte of the header inverted: refused as damaged, or, where SQLite does
 * not need that byte, the journal reads as it was.
 */
static void
test_header_flipped(void **state)
{
	struct scratch *scratch = *state;
	AUTO_BYTES(bytes) = NULL;
	struct journal *journal = founded(scratch);
	size_t len, refused = 0;

	journal_free(journal);
	len = read_file(in_scratch(scratch, JOURNAL_FILE), &bytes);
	for (size_t i = 0; i < 100; i++) {
		unsigned char root[HASH_LEN];
		uint64_t size = 1;
		int ret;

		bytes[i] = (unsigned char)~bytes[i];
		write_file(in_scratch(scratch, JOURNAL_FILE), bytes, len);
		bytes[i] = (unsigned char)~bytes[i];
		journal = NULL;
		ca_error_clear();
		ret = journal_open(scratch->path, JOURNAL_READ, &journal);
		if (ret == 0)
			ret = journal_head(journal, &size, root);
		if (ret != 0) {
			refused++;
			assert_true(ca_error_reason() == CA_R_CORRUPT ||
			    ca_error_reason() == CA_R_IO ||
			    ca_error_reason() == CA_R_INTERNAL);
		}
		assert_int_equal(size, 1);
		journal_free(journal);
	}
	assert_true(refused >= 30);
	ca_error_clear();
}

/* Random bytes of the body flipped: no crash, no other entry. */
static int
take_line(void *ctx, uint64_t seq, const char *line, size_t len)
{
	unsigned *seen = ctx;

	(void)seq;
	(void)line;
	(void)len;
	++*seen;
	return 0;
}

static void
test_body_flipped(void **state)
{
	struct scratch *scratch = *state;
	AUTO_BYTES(bytes) = NULL;
	struct journal *journal = founded(scratch);
	unsigned x = 12345;
	size_t len;

	for (int i = 0; i < 20; i++)
		assert_ok(append_(journal, ENTRY_EVENT, data_event("filler")));
	journal_free(journal);
	len = read_file(in_scratch(scratch, JOURNAL_FILE), &bytes);
	for (unsigned i = 0; i < 300; i++) {
		unsigned seen = 0;
		size_t at;

		x = x * 1103515245u + 12345u;
		at = 100 + (x >> 8) % (len - 100);
		bytes[at] = (unsigned char)(bytes[at] ^ 0xff);
		write_file(in_scratch(scratch, JOURNAL_FILE), bytes, len);
		bytes[at] = (unsigned char)(bytes[at] ^ 0xff);
		journal = NULL;
		ca_error_clear();
		if (journal_open(scratch->path, JOURNAL_READ, &journal) != 0)
			continue;
		if (journal_each_entry(
			journal, 0, ENTRY_KINDS, take_line, &seen) == 0)
			assert_true(seen <= 21);
		journal_free(journal);
	}
	ca_error_clear();
}

/* ---- transactions ----------------------------------------------------- */

static void
test_transactions(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	uint64_t seq = 99;

	assert_ok(journal_begin(journal));
	assert_refused(CA_R_INTERNAL, journal_begin(journal));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("a")));
	assert_ok(journal_append(
	    journal, ENTRY_EVENT, data_event("b"), "text", &seq));
	assert_int_equal(seq, 2);
	journal_rollback(journal);
	assert_int_equal(size_of(journal), 1);
	assert_refused(CA_R_INTERNAL, journal_commit(journal));
	assert_ok(journal_begin(journal));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("a")));
	assert_ok(journal_commit(journal));
	assert_int_equal(size_of(journal), 2);
	/* a failed append takes the transaction with it */
	assert_ok(journal_begin(journal));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("b")));
	seq = 99;
	assert_refused(CA_R_INTERNAL,
	    journal_append(journal, ENTRY_EVENT, json_object(), "x", &seq));
	assert_int_equal(seq, 99);
	assert_refused(CA_R_INTERNAL, journal_commit(journal));
	assert_int_equal(size_of(journal), 2);
	/* what is open when it is freed is gone */
	assert_ok(journal_begin(journal));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("b")));
	journal_free(journal);
	journal = opened(scratch, JOURNAL_READ);
	assert_int_equal(size_of(journal), 2);
	journal_free(journal);
}

static void
test_append_refused(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;
	AUTO_CHARS(text) = calloc(1, 70000);

	assert_non_null(text);
	memset(text, 'x', 69999);
	assert_ok(journal_create(scratch->path, &journal));
	assert_refused(CA_R_INTERNAL,
	    append_(journal, ENTRY_EVENT, data_event("too early")));
	assert_ok(append_(journal, ENTRY_GENESIS, data_genesis()));
	assert_refused(
	    CA_R_EXISTS, append_(journal, ENTRY_GENESIS, data_genesis()));
	assert_refused(CA_R_INTERNAL, append_(journal, ENTRY_EVENT, NULL));
	assert_refused(
	    CA_R_INTERNAL, append_(journal, ENTRY_EVENT, json_string("x")));
	assert_refused(
	    CA_R_INTERNAL, append_(journal, ENTRY_KINDS, data_event("x")));
	assert_refused_naming(CA_R_INTERNAL, "65535",
	    append_(journal, ENTRY_EVENT, data_event(text)));
	assert_int_equal(size_of(journal), 1);
	journal_free(journal);
}

static int
keep_line(void *ctx, uint64_t seq, const char *line, size_t len)
{
	char *kept = ctx;

	(void)seq;
	assert_true(len < 512);
	memcpy(kept, line, len + 1);
	return 0;
}

/* Who the newest entry says has made it: `people` as JSON. */
static void
expect_people(struct journal *journal, const char *people)
{
	AUTO_CHARS(part) =
	    text_printf("\"people\":%s,\"text\":\"a test did it\",", people);
	char line[512] = "";

	assert_ok(append_(journal, ENTRY_EVENT, data_event("x")));
	assert_ok(journal_each_entry(journal, 0, ENTRY_EVENT, keep_line, line));
	if (strstr(line, part) == NULL)
		fail_msg("'%s' is not in '%s'", part, line);
}

#define ALICE "{\"name\":\"alice\",\"role\":\"user\"}"
#define BOB "{\"name\":\"bob\",\"role\":\"operator\"}"
#define CAROL "{\"name\":\"carol\",\"role\":\"operator\"}"

static void
test_person(void **state)
{
	struct journal *journal = founded(*state);

	expect_people(journal, "[]");
	assert_ok(journal_set_person(journal, "alice", "user"));
	expect_people(journal, "[" ALICE "]");
	assert_refused(
	    CA_R_INTERNAL, journal_set_person(journal, "\xc3", "user"));
	expect_people(journal, "[" ALICE "]");
	assert_ok(journal_set_person(journal, NULL, NULL));
	expect_people(journal, "[]");
	journal_free(journal);
}

/* Several replace the one, until they go; what is given is copied. */
static void
test_people(void **state)
{
	struct journal *journal = founded(*state);
	AUTO(json_t) *people = json_pack("[{s:s,s:s},{s:s,s:s}]", "name", "bob",
	    "role", "operator", "name", "carol", "role", "operator");

	assert_ok(journal_set_person(journal, "alice", "user"));
	assert_ok(journal_set_people(journal, people));
	assert_int_equal(json_array_remove(people, 1), 0);
	expect_people(journal, "[" BOB "," CAROL "]");
	assert_ok(journal_set_people(journal, people));
	expect_people(journal, "[" BOB "]");
	assert_ok(journal_set_people(journal, NULL));
	expect_people(journal, "[" ALICE "]");
	assert_ok(journal_set_people(journal, NULL));
	expect_people(journal, "[" ALICE "]");
	journal_free(journal);
}

static void
test_people_refused(void **state)
{
	static const char *const wrong[] = { "{}", "[1]", "[{}]",
		"[{\"name\":\"bob\"}]", "[{\"name\":\"bob\",\"role\":1}]",
		"[{\"name\":null,\"role\":\"operator\"}]",
		"[{\"name\":\"bob\",\"role\":\"operator\",\"x\":1}]",
		"[" BOB ",[]]" };
	struct journal *journal = founded(*state);
	AUTO(json_t) *people = json_loads("[" BOB "]", 0, NULL);

	assert_ok(journal_set_people(journal, people));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO(json_t) *other = json_loads(wrong[i], 0, NULL);

		assert_non_null(other);
		assert_refused(
		    CA_R_INTERNAL, journal_set_people(journal, other));
	}
	expect_people(journal, "[" BOB "]");
	journal_free(journal);
}

static void
test_last_time(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;
	int64_t time = 1, now = date_now();
	uint64_t plan;

	assert_ok(journal_create(scratch->path, &journal));
	assert_ok(journal_last_time(journal, &time));
	assert_true(time == 0);
	/* What is made before anybody looked at the clock is no floor. */
	assert_ok(append_(journal, ENTRY_GENESIS, data_genesis()));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("x")));
	assert_ok(journal_last_time(journal, &time));
	assert_true(time == 0);
	put_set(journal);
	assert_ok(journal_last_time(journal, &time));
	assert_true(time == 0);
	assert_ok(append_(journal, ENTRY_TOKEN, data_token()));
	assert_ok(append_(journal, ENTRY_STATE, data_ready()));
	assert_ok(journal_last_time(journal, &time));
	assert_true(time == 0);
	assert_ok(journal_append(
	    journal, ENTRY_PLAN, data_plan(RUN_A, "a"), "a run begins", &plan));
	assert_ok(journal_last_time(journal, &time));
	assert_true(time >= now && time <= date_now());
	/* the latest by its own date, and no entry is refused for an earlier */
	assert_ok(sql_run(journal, NULL,
	    "UPDATE entries SET time = 4102444800 WHERE seq = ?1",
	    SQL_VALUES(sql_int((int64_t)plan))));
	assert_ok(append_(journal, ENTRY_EVENT, data_event("x")));
	assert_ok(journal_last_time(journal, &time));
	assert_true(time == 4102444800);
	journal_free(journal);
}

/* ---- evidence --------------------------------------------------------- */

static void
test_evidence(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	unsigned char one[HASH_LEN], two[HASH_LEN], expected[HASH_LEN];
	unsigned char empty[HASH_LEN], *data = NULL;
	size_t len = 0;

	assert_ok(journal_evidence_put(journal, "a\0b", 3, one));
	assert_ok(journal_evidence_put(journal, "a\0b", 3, two));
	assert_ok(sha256("a\0b", 3, expected));
	assert_memory_equal(one, expected, HASH_LEN);
	assert_memory_equal(two, expected, HASH_LEN);
	assert_ok(journal_evidence_get(journal, one, &data, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);
	free(data);
	data = NULL;
	assert_ok(journal_evidence_put(journal, NULL, 0, empty));
	assert_ok(journal_evidence_get(journal, empty, &data, &len));
	assert_int_equal(len, 0);
	free(data);
	data = NULL;
	memset(two, 0, sizeof two);
	assert_refused(
	    CA_R_MISSING, journal_evidence_get(journal, two, &data, &len));
	/* bytes that are not theirs are never given out, nor kept silently */
	assert_ok(sql_script(
	    journal, "UPDATE evidence SET bytes = x'00' WHERE size = 3"));
	assert_refused(
	    CA_R_CORRUPT, journal_evidence_get(journal, one, &data, &len));
	assert_refused(
	    CA_R_CORRUPT, journal_evidence_put(journal, "a\0b", 3, two));
	assert_null(data);
	/* part of the caller's transaction */
	assert_ok(journal_begin(journal));
	assert_ok(journal_evidence_put(journal, "new", 3, one));
	journal_rollback(journal);
	assert_refused(
	    CA_R_MISSING, journal_evidence_get(journal, one, &data, &len));
	journal_free(journal);
}

static void
test_large_evidence(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	const size_t size = 20 << 20;
	AUTO_BYTES(bytes) = malloc(size);
	AUTO_BYTES(back) = NULL;
	unsigned char digest[HASH_LEN];
	size_t len;

	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(i * 7 + (i >> 8));
	assert_ok(journal_evidence_put(journal, bytes, size, digest));
	assert_ok(journal_evidence_get(journal, digest, &back, &len));
	assert_int_equal(len, size);
	assert_memory_equal(bytes, back, size);
	journal_free(journal);
}

/* ---- readers ---------------------------------------------------------- */

static void
test_reader_writes_nothing(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal;
	unsigned char digest[HASH_LEN];

	journal_free(founded(scratch));
	journal = opened(scratch, JOURNAL_READ);
	assert_refused(CA_R_INTERNAL, journal_begin(journal));
	assert_refused(CA_R_INTERNAL, journal_commit(journal));
	assert_refused(
	    CA_R_INTERNAL, append_(journal, ENTRY_EVENT, data_event("x")));
	assert_refused(
	    CA_R_INTERNAL, journal_evidence_put(journal, "x", 1, digest));
	assert_refused(CA_R_INTERNAL, journal_rebuild(journal));
	/* nor does SQLite let it */
	assert_int_equal(sql_script(journal, "DELETE FROM entries"), -1);
	ca_error_clear();
	journal_rollback(journal);
	assert_int_equal(size_of(journal), 1);
	journal_free(journal);
}

/*
 * A reader's snapshot stands for as long as it is open: no writer comes in,
 * and is told before it begins; other readers do.
 */
static void
test_snapshot(void **state)
{
	struct scratch *scratch = *state;
	struct journal *reader, *other, *writer = NULL;

	journal_free(founded(scratch));
	reader = opened(scratch, JOURNAL_READ);
	other = opened(scratch, JOURNAL_READ);
	assert_refused(
	    CA_R_BUSY, journal_open(scratch->path, JOURNAL_WRITE, &writer));
	assert_null(writer);
	assert_int_equal(size_of(reader), 1);
	assert_int_equal(size_of(other), 1);
	journal_free(other);
	journal_free(reader);
	writer = opened(scratch, JOURNAL_WRITE);
	journal_free(writer);
}

/* A writer is alone from its opening on, before it has written anything. */
static void
test_one_writer(void **state)
{
	struct scratch *scratch = *state;
	struct journal *writer, *other = NULL;

	journal_free(founded(scratch));
	writer = opened(scratch, JOURNAL_WRITE);
	assert_refused(
	    CA_R_BUSY, journal_open(scratch->path, JOURNAL_READ, &other));
	assert_refused(
	    CA_R_BUSY, journal_open(scratch->path, JOURNAL_WRITE, &other));
	assert_ok(append_(writer, ENTRY_EVENT, data_event("x")));
	assert_refused(
	    CA_R_BUSY, journal_open(scratch->path, JOURNAL_READ, &other));
	assert_null(other);
	journal_free(writer);
	other = opened(scratch, JOURNAL_READ);
	assert_int_equal(size_of(other), 2);
	journal_free(other);
}

/* ---- crashes ---------------------------------------------------------- */

/* Appends `count` events in one transaction; killed before its commit. */
static void
writer_dies(const struct scratch *scratch, unsigned count)
{
	struct journal *journal = NULL;

	CHECK(journal_open(scratch->path, JOURNAL_WRITE, &journal) == 0);
	CHECK(journal_begin(journal) == 0);
	/* so small a cache that pages reach the file before the commit */
	CHECK(sql_script(journal, "PRAGMA cache_size = 1") == 0);
	for (unsigned i = 0; i < count; i++)
		CHECK(append_(journal, ENTRY_EVENT, data_event("lost")) == 0);
	(void)raise(SIGKILL);
}

static void
kill_a_writer(const struct scratch *scratch, unsigned count)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		writer_dies(scratch, count);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static bool
journal_is_hot(const struct scratch *scratch)
{
	FILE *file = fopen(in_scratch(scratch, JOURNAL_ROLLBACK_FILE), "rb");
	int first = file == NULL ? EOF : fgetc(file);

	if (file != NULL)
		(void)fclose(file);
	return first != EOF && first != 0;
}

static void
test_killed(void **state)
{
	struct scratch *scratch = *state;
	unsigned hot = 0;

	journal_free(founded(scratch));
	for (unsigned count = 1; count < 400; count = count * 3) {
		struct journal *journal;

		kill_a_writer(scratch, count);
		hot += journal_is_hot(scratch);
		journal = opened(
		    scratch, hot % 2 == 0 ? JOURNAL_WRITE : JOURNAL_READ);
		assert_int_equal(size_of(journal), 1);
		assert_false(journal_is_hot(scratch));
		journal_free(journal);
	}
	assert_true(hot >= 2);
}

/* Killed at some moment of its commits: what was acknowledged is there. */
static void
committer(const struct scratch *scratch, int out)
{
	struct journal *journal = NULL;

	CHECK(journal_open(scratch->path, JOURNAL_WRITE, &journal) == 0);
	for (;;) {
		uint64_t seq;

		CHECK(journal_begin(journal) == 0);
		CHECK(append_(journal, ENTRY_EVENT, data_event("a")) == 0);
		CHECK(journal_append(journal, ENTRY_EVENT, data_event("b"),
			  "text", &seq) == 0);
		CHECK(journal_commit(journal) == 0);
		CHECK(write(out, &seq, sizeof seq) == (ssize_t)sizeof seq);
	}
}

static uint64_t
kill_a_committer(const struct scratch *scratch, long microseconds)
{
	struct timespec delay = { 0, microseconds * 1000 };
	uint64_t seq, last = 0;
	int ends[2], status = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		committer(scratch, ends[1]);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &last, sizeof last), sizeof last);
	(void)nanosleep(&delay, NULL);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	while (read(ends[0], &seq, sizeof seq) == (ssize_t)sizeof seq)
		last = seq;
	(void)close(ends[0]);
	return last;
}

static void
test_killed_at_commit(void **state)
{
	struct scratch *scratch = *state;
	uint64_t before = 1;

	journal_free(founded(scratch));
	for (int i = 0; i < 40; i++) {
		uint64_t acknowledged = kill_a_committer(scratch, 137L * i);
		struct journal *journal = opened(scratch, JOURNAL_WRITE);
		uint64_t size = size_of(journal);

		assert_true(size >= acknowledged + 1);
		assert_true(size <= acknowledged + 3);
		/* pairs are whole or absent */
		assert_int_equal(size % 2, 1);
		assert_true(size > before);
		before = size;
		assert_ok(journal_rebuild(journal));
		journal_free(journal);
	}
}

/* ---- media that cannot be written ------------------------------------- */

static void
reader_of_readonly(const struct scratch *scratch)
{
	struct journal *journal = NULL;
	unsigned char root[HASH_LEN];
	uint64_t size = 0;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount(scratch->path, scratch->path, NULL, MS_BIND, NULL) != 0 ||
	    mount(NULL, scratch->path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY,
		NULL) != 0)
		_exit(77);
	CHECK(journal_open(scratch->path, JOURNAL_READ, &journal) == 0);
	CHECK(journal_head(journal, &size, root) == 0);
	CHECK(size == 1);
	journal_free(journal);
	CHECK(journal_open(scratch->path, JOURNAL_WRITE, &journal) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
	_exit(0);
}

/* With a rollback journal to play back and without; 77: cannot mount here. */
static int
read_readonly(const struct scratch *scratch)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		reader_of_readonly(scratch);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_readonly_medium(void **state)
{
	struct scratch *scratch = *state;
	int status;

	journal_free(founded(scratch));
	status = read_readonly(scratch);
	if (status == 77)
		skip();
	assert_int_equal(status, 0);
	kill_a_writer(scratch, 300);
	assert_true(journal_is_hot(scratch));
	assert_int_equal(read_readonly(scratch), 0);
	/* it was played back on a copy only */
	assert_true(journal_is_hot(scratch));
}

/* ---- size ------------------------------------------------------------- */

static double
seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum { MANY = 10000 };

static int
rehash(void *ctx, uint64_t seq, const char *line, size_t len)
{
	unsigned char(*leaves)[HASH_LEN] = ctx;

	assert_true(seq < MANY + 1);
	return tree_leaf(line, len, leaves[seq]);
}

static void
naive_root(unsigned char (*leaves)[HASH_LEN], size_t n,
    unsigned char ret_root[HASH_LEN])
{
	unsigned char left[HASH_LEN], right[HASH_LEN];
	size_t k = 1;

	if (n == 1) {
		memcpy(ret_root, leaves[0], HASH_LEN);
		return;
	}
	while (2 * k < n)
		k *= 2;
	naive_root(leaves, k, left);
	naive_root(leaves + k, n - k, right);
	assert_ok(tree_node(left, right, ret_root));
}

static void
test_many(void **state)
{
	static unsigned char leaves[MANY + 1][HASH_LEN];
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	unsigned char root[HASH_LEN], expected[HASH_LEN];
	double begin = seconds(), end;
	uint64_t size;

	assert_ok(journal_begin(journal));
	for (unsigned i = 0; i < MANY; i++)
		assert_ok(append_(journal, ENTRY_EVENT, data_event("one")));
	assert_ok(journal_commit(journal));
	end = seconds();
	print_message("%d entries in %.2f s\n", MANY, end - begin);
	assert_true(end - begin < 20.0);
	begin = seconds();
	for (unsigned i = 0; i < 1000; i++)
		assert_ok(journal_head(journal, &size, root));
	end = seconds();
	print_message("a root in %.0f us\n", (end - begin) * 1000.0);
	assert_true(end - begin < 5.0);
	assert_int_equal(size, MANY + 1);
	assert_ok(journal_each_entry(journal, 0, ENTRY_KINDS, rehash, leaves));
	naive_root(leaves, MANY + 1, expected);
	assert_memory_equal(root, expected, HASH_LEN);
	journal_free(journal);
}

/* ---- what fails underneath -------------------------------------------- */

static void
test_full(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	AUTO_CHARS(text) = calloc(1, 60001);
	unsigned char digest[HASH_LEN];

	assert_non_null(text);
	memset(text, 'x', 60000);
	assert_ok(sql_script(journal, "PRAGMA max_page_count = 1"));
	assert_refused(
	    CA_R_FULL, append_(journal, ENTRY_EVENT, data_event(text)));
	assert_refused(
	    CA_R_FULL, journal_evidence_put(journal, text, 60000, digest));
	assert_int_equal(size_of(journal), 1);
	assert_ok(sql_script(journal, "PRAGMA max_page_count = 100000"));
	assert_ok(append_(journal, ENTRY_EVENT, data_event(text)));
	assert_int_equal(size_of(journal), 2);
	journal_free(journal);
}

/* SQLite's and jansson's allocations: the one that is ordered fails. */
static long until_failure = -1;
static sqlite3_mem_methods real_methods;

static bool
must_fail(void)
{
	return until_failure >= 0 && until_failure-- == 0;
}

static void *
failing_sqlite_malloc(int size)
{
	return must_fail() ? NULL : real_methods.xMalloc(size);
}

static void *
failing_sqlite_realloc(void *p, int size)
{
	return must_fail() ? NULL : real_methods.xRealloc(p, size);
}

static void *
failing_malloc(size_t size)
{
	return must_fail() ? NULL : malloc(size);
}

static void
make_allocations_fail(void)
{
	sqlite3_mem_methods methods;

	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_methods) != SQLITE_OK)
		abort();
	methods = real_methods;
	methods.xMalloc = failing_sqlite_malloc;
	methods.xRealloc = failing_sqlite_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK)
		abort();
	json_set_alloc_funcs(failing_malloc, free);
}

/* Open, append, query; 0 if all went well. */
static int
use_journal(const struct scratch *scratch, json_t *data, uint64_t *ret_seq,
    struct authority_row *ret_row)
{
	AUTO_PTR(journal) *journal = NULL;

	if (journal_open(scratch->path, JOURNAL_WRITE, &journal) != 0) {
		json_decref(data);
		return -1;
	}
	if (journal_append(journal, ENTRY_EVENT, data, "text", ret_seq) != 0)
		return -1;
	return journal_authority(journal, ret_row);
}

/* Fails call 1, 2, 3, ... until none fails: an error each time, no damage. */
static void
test_no_memory(void **state)
{
	struct scratch *scratch = *state;
	uint64_t size = 1;
	long n, failed = 0;

	journal_free(founded(scratch));
	for (n = 0;; n++) {
		AUTO_STRUCT(authority_row) row = { 0 };
		json_t *data = data_event("x");
		uint64_t seq = 0;
		struct journal *journal;
		int ret;

		ca_error_clear();
		until_failure = n;
		ret = use_journal(scratch, data, &seq, &row);
		if (until_failure >= 0)
			break;
		until_failure = -1;
		if (ret != 0) {
			failed++;
			assert_true(ca_error_reason() != 0);
			assert_null(row.id);
		}
		journal = opened(scratch, JOURNAL_READ);
		assert_true(size_of(journal) == size + (seq != 0));
		size = size_of(journal);
		journal_free(journal);
	}
	until_failure = -1;
	print_message("%ld of %ld allocations failed it\n", failed, n);
	assert_true(failed > 20);
	ca_error_clear();
}

/* A lost subtree hash is noticed, not guessed. */
static void
test_node_missing(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = founded(scratch);
	unsigned char root[HASH_LEN];
	uint64_t size;

	assert_ok(append_(journal, ENTRY_EVENT, data_event("x")));
	assert_ok(sql_script(journal, "DELETE FROM nodes"));
	assert_refused(CA_R_CORRUPT, journal_head(journal, &size, root));
	journal_free(journal);
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_create),
		TEST(test_private),
		TEST(test_create_after_a_cut),
		TEST(test_create_spares_others),
		TEST(test_open_nothing),
		TEST(test_symlinks),
		TEST(test_zero_length),
		TEST(test_not_a_database),
		TEST(test_foreign_database),
		TEST(test_foreign_schema),
		TEST(test_entries_changed),
		TEST(test_truncated),
		TEST(test_header_flipped),
		TEST(test_body_flipped),
		TEST(test_transactions),
		TEST(test_append_refused),
		TEST(test_person),
		TEST(test_people),
		TEST(test_people_refused),
		TEST(test_last_time),
		TEST(test_evidence),
		TEST(test_large_evidence),
		TEST(test_reader_writes_nothing),
		TEST(test_snapshot),
		TEST(test_one_writer),
		TEST(test_killed),
		TEST(test_killed_at_commit),
		TEST(test_readonly_medium),
		TEST(test_many),
		TEST(test_full),
		TEST(test_no_memory),
		TEST(test_node_missing),
	};

	(void)umask(077);
	make_allocations_fail();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
