/* Where the journal comes from: what it may be, and what is refused. */
#include <dirent.h>
#include <limits.h>
#include <sqlite3.h>

#include "base/file.h"
#include "small.h"

/* ---- helpers ---------------------------------------------------------- */

static void
shut(struct small *s)
{
	if (s->journal != NULL)
		journal_free(s->journal);
	s->journal = NULL;
}

static int
audit(struct small *s, const char *path)
{
	s->options.path = path;
	findings_clear(&s->found);
	audit_report_clear(&s->report);
	return audit_run(&s->options, &s->found, &s->report);
}

static void
write_at(const struct small *s, const char *name, const void *bytes, size_t len)
{
	AUTO_FD(fd) = open(in_scratch(&s->scratch, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(file_write_all(fd, bytes, len, name));
}

static void
copy_to(const struct small *s, const char *from, const char *to)
{
	AUTO_BYTES(bytes) = NULL;
	size_t len;

	assert_ok(file_read_at(
	    AT_FDCWD, in_scratch(&s->scratch, from), 64 << 20, &bytes, &len));
	write_at(s, to, bytes, len);
}

static bool
is_there(const struct small *s, const char *name)
{
	return access(in_scratch(&s->scratch, name), F_OK) == 0;
}

/* Nothing but the names that were there, and the copy's directory empty. */
static void
assert_untouched(const struct small *s, const char *dir, size_t names)
{
	DIR *open_dir = opendir(in_scratch(&s->scratch, dir));
	size_t count = 0;

	assert_non_null(open_dir);
	while (readdir(open_dir) != NULL)
		count++;
	closedir(open_dir);
	assert_int_equal(count, names + 2);
	assert_int_equal(rmdir(in_scratch(&s->scratch, "work")), 0);
	assert_int_equal(mkdir(in_scratch(&s->scratch, "work"), 0700), 0);
}

/* ---- what it may be --------------------------------------------------- */

static void
test_directory(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_ok(audit(s, s->scratch.path));
	assert_sound(s);
	assert_untouched(s, ".", 3); /* journal.db, public, work */
}

/* Under another name, and without what lay beside it. */
static void
test_file(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_int_equal(mkdir(in_scratch(&s->scratch, "alone"), 0700), 0);
	copy_to(s, "journal.db", "alone/backup of 2026.db");
	assert_ok(audit(s, in_scratch(&s->scratch, "alone/backup of 2026.db")));
	assert_sound(s);
	assert_int_equal(s->report.entries, 12);
	assert_untouched(s, "alone", 1);
}

static void
test_files_mode_and_time_stay(void **state)
{
	struct small *s = *state;
	struct stat before, after;

	shut(s);
	assert_int_equal(chmod(in_scratch(&s->scratch, "journal.db"), 0444), 0);
	assert_int_equal(
	    stat(in_scratch(&s->scratch, "journal.db"), &before), 0);
	assert_ok(audit(s, s->scratch.path));
	assert_int_equal(
	    stat(in_scratch(&s->scratch, "journal.db"), &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(before.st_mode, after.st_mode);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* A crash in the middle of a commit: half of it is in the file already. */
static void
cut_off(const char *path)
{
	sqlite3 *db = NULL;

	CHECK(sqlite3_open(path, &db) == SQLITE_OK);
	CHECK(sqlite3_exec(db,
		  "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN;"
		  "UPDATE entries SET time = 0, body = zeroblob(3000);"
		  "UPDATE evidence SET bytes = zeroblob(9000)",
		  NULL, NULL, NULL) == SQLITE_OK);
	_exit(0);
}

static void
test_hot_journal(void **state)
{
	struct small *s = *state;
	int status;
	pid_t child;

	shut(s);
	copy_to(s, "journal.db", "work/before");
	child = fork();
	if (child == 0)
		cut_off(in_scratch(&s->scratch, "journal.db"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(is_there(s, "journal.db-journal"));
	assert_int_equal(unlink(in_scratch(&s->scratch, "work/before")), 0);

	assert_ok(audit(s, s->scratch.path));
	assert_sound(s);
	assert_int_equal(s->report.entries, 12);
	/* The original still waits for its owner to roll it back. */
	assert_true(is_there(s, "journal.db-journal"));
	assert_untouched(s, ".", 4);

	/* Without it, the half is what there is. */
	assert_int_equal(
	    unlink(in_scratch(&s->scratch, "journal.db-journal")), 0);
	if (audit(s, s->scratch.path) == 0)
		assert_true(s->found.errors > 0);
	ca_error_clear();
}

/* The other name goes with a file that was copied under another name. */
static void
test_hot_journal_of_file(void **state)
{
	struct small *s = *state;
	int status;
	pid_t child;

	shut(s);
	assert_int_equal(mkdir(in_scratch(&s->scratch, "alone"), 0700), 0);
	copy_to(s, "journal.db", "alone/x.db");
	child = fork();
	if (child == 0)
		cut_off(in_scratch(&s->scratch, "alone/x.db"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(is_there(s, "alone/x.db-journal"));
	assert_ok(audit(s, in_scratch(&s->scratch, "alone/x.db")));
	assert_sound(s);
	assert_untouched(s, "alone", 2);
}

/* ---- refusals --------------------------------------------------------- */

static void
test_missing(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_refused_naming(CA_R_MISSING, "no-such-place' does not exist",
	    audit(s, in_scratch(&s->scratch, "no-such-place")));
	assert_int_equal(mkdir(in_scratch(&s->scratch, "empty"), 0700), 0);
	assert_refused_naming(CA_R_MISSING, "empty' holds no journal",
	    audit(s, in_scratch(&s->scratch, "empty")));
	assert_untouched(s, "empty", 0);
}

static void
test_not_regular(void **state)
{
	struct small *s = *state;
	const char *fifo = in_scratch(&s->scratch, "fifo");
	const char *dir = in_scratch(&s->scratch, "dir");

	shut(s);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_refused_naming(
	    CA_R_INPUT, "neither a directory nor a file", audit(s, fifo));
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(
	    mkfifo(in_scratch(&s->scratch, "dir/journal.db"), 0600), 0);
	assert_refused_naming(
	    CA_R_CORRUPT, "dir/journal.db' is not a regular", audit(s, dir));
	assert_int_equal(unlink(in_scratch(&s->scratch, "dir/journal.db")), 0);
	assert_int_equal(
	    mkdir(in_scratch(&s->scratch, "dir/journal.db"), 0700), 0);
	assert_refused_naming(
	    CA_R_CORRUPT, "dir/journal.db' is not a regular", audit(s, dir));
}

static void
test_symlinks(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_int_equal(
	    symlink("journal.db", in_scratch(&s->scratch, "link.db")), 0);
	assert_refused_naming(CA_R_INPUT, "link.db' is a symbolic link",
	    audit(s, in_scratch(&s->scratch, "link.db")));
	assert_int_equal(symlink(".", in_scratch(&s->scratch, "link")), 0);
	assert_refused_naming(CA_R_INPUT, "link' is a symbolic link",
	    audit(s, in_scratch(&s->scratch, "link")));
	assert_int_equal(mkdir(in_scratch(&s->scratch, "dir"), 0700), 0);
	assert_int_equal(
	    symlink("../journal.db", in_scratch(&s->scratch, "dir/journal.db")),
	    0);
	assert_refused_naming(CA_R_CORRUPT,
	    "dir/journal.db' is not a regular file",
	    audit(s, in_scratch(&s->scratch, "dir")));
}

/* A rollback journal that is a link is not followed either. */
static void
test_linked_rollback_journal(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_int_equal(symlink("journal.db",
			     in_scratch(&s->scratch, "journal.db-journal")),
	    0);
	assert_refused_naming(
	    CA_R_INPUT, "symbolic link", audit(s, s->scratch.path));
}

/* A rollback journal that is hot, and names `victim` as its super-journal. */
static void
write_super(const struct small *s, const char *name, const char *victim)
{
	static const unsigned char magic[] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20,
		0xa1, 0x63, 0xd7 };
	unsigned char bytes[1024] = { 0 };
	size_t len = strlen(victim), at = 512;
	uint32_t sum = 0;

	memcpy(bytes, magic, sizeof magic);
	bytes[15] = 1;  /* nonce */
	bytes[19] = 1;  /* pages */
	bytes[22] = 2;  /* sector size 512 */
	bytes[26] = 16; /* page size 4096 */
	bytes[at + 1] = 4;
	bytes[at + 3] = 1; /* the page of the locks: 0x40000000 / 4096 + 1 */
	at += 4;
	assert_true(at + len + 16 <= sizeof bytes);
	for (size_t i = 0; i < len; i++)
		sum += (unsigned char)victim[i];
	memcpy(bytes + at, victim, len);
	at += len;
	bytes[at + 2] = (unsigned char)(len >> 8);
	bytes[at + 3] = (unsigned char)len;
	for (size_t i = 0; i < 4; i++)
		bytes[at + 4 + i] = (unsigned char)(sum >> (24 - 8 * i));
	memcpy(bytes + at + 8, magic, sizeof magic);
	write_at(s, name, bytes, at + 16);
}

/* SQLite deletes what such a journal names when it plays it back. */
static void
test_super_journal(void **state)
{
	struct small *s = *state;
	struct journal *journal = NULL;
	char victim[PATH_MAX];

	shut(s);
	write_at(s, "thesis.txt", "mine", 4);
	assert_non_null(
	    realpath(in_scratch(&s->scratch, "thesis.txt"), victim));
	write_super(s, "journal.db-journal", victim);
	assert_refused_naming(CA_R_CORRUPT, "journal.db-journal' names another",
	    audit(s, s->scratch.path));
	assert_refused_naming(CA_R_CORRUPT, "journal.db-journal' names another",
	    audit(s, in_scratch(&s->scratch, "journal.db")));
	assert_refused_naming(CA_R_CORRUPT, "names another file",
	    journal_open(s->scratch.path, JOURNAL_READ, &journal));
	assert_refused_naming(CA_R_CORRUPT, "names another file",
	    journal_open(s->scratch.path, JOURNAL_WRITE, &journal));
	assert_refused_naming(CA_R_CORRUPT, "copy.db-journal' names another",
	    journal_open_private(s->scratch.path, "copy.db", &journal));
	assert_true(is_there(s, "thesis.txt"));
	assert_true(is_there(s, "journal.db-journal"));
	assert_untouched(s, ".", 5);
}

static void
test_write_ahead_log(void **state)
{
	struct small *s = *state;
	struct journal *journal = NULL;

	shut(s);
	write_at(s, "journal.db-wal", "log", 3);
	assert_refused_naming(CA_R_CORRUPT,
	    "journal.db-wal' is a write-ahead log", audit(s, s->scratch.path));
	assert_refused_naming(CA_R_CORRUPT, "is a write-ahead log",
	    journal_open(s->scratch.path, JOURNAL_READ, &journal));
	assert_refused_naming(CA_R_CORRUPT, "is a write-ahead log",
	    journal_open(s->scratch.path, JOURNAL_WRITE, &journal));
	assert_untouched(s, ".", 4);
}

static void
test_wal_mode(void **state)
{
	struct small *s = *state;
	struct journal *journal = NULL;

	small_sql(s, "PRAGMA journal_mode = WAL; UPDATE authority SET one = 1");
	assert_refused_naming(CA_R_CORRUPT, "journal.db' is in WAL mode",
	    audit(s, s->scratch.path));
	assert_refused_naming(CA_R_CORRUPT, "is in WAL mode",
	    journal_open(s->scratch.path, JOURNAL_READ, &journal));
	assert_refused_naming(CA_R_CORRUPT, "is in WAL mode",
	    journal_open(s->scratch.path, JOURNAL_WRITE, &journal));
	assert_untouched(s, ".", 3);
}

/* Which of them is meant? */
static void
test_journal_and_export(void **state)
{
	struct small *s = *state;

	shut(s);
	write_at(s, "checkpoint", "example\n", 8);
	assert_ok(audit(s, s->scratch.path));
	assert_int_equal(mkdir(in_scratch(&s->scratch, "tile"), 0700), 0);
	assert_refused_naming(
	    CA_R_INPUT, "it is ambiguous", audit(s, s->scratch.path));
	assert_ok(audit(s, in_scratch(&s->scratch, "journal.db")));
	assert_untouched(s, ".", 5);
}

static void
test_public_is_a_link(void **state)
{
	struct small *s = *state;

	shut(s);
	assert_int_equal(rename(in_scratch(&s->scratch, "public"),
			     in_scratch(&s->scratch, "elsewhere")),
	    0);
	assert_int_equal(
	    symlink("elsewhere", in_scratch(&s->scratch, "public")), 0);
	assert_ok(audit(s, s->scratch.path));
	assert_has(s, "AUDIT-PUBLIC-ALTERED", "public");
}

static const struct {
	const char *what, *bytes;
	const char *part;
} not_journals[] = {
	{ "empty", "", "is no journal of ca-tool" },
	{ "text", "Dear auditor,\nhere is no journal, but it is long enough",
	    "this is no journal" },
};

static void
test_no_database(void **state)
{
	struct small *s = *state;

	shut(s);
	for (size_t i = 0; i < sizeof not_journals / sizeof not_journals[0];
	     i++) {
		write_at(s, "other.db", not_journals[i].bytes,
		    strlen(not_journals[i].bytes));
		print_message("%s\n", not_journals[i].what);
		assert_refused_naming(CA_R_CORRUPT, not_journals[i].part,
		    audit(s, in_scratch(&s->scratch, "other.db")));
		/* The original is named, not the copy. */
		assert_refused_naming(CA_R_CORRUPT, "/other.db'",
		    audit(s, in_scratch(&s->scratch, "other.db")));
	}
	assert_untouched(s, ".", 4);
}

static const struct {
	const char *sql, *part;
} foreign[] = {
	{ "PRAGMA user_version = 99", "written by a newer ca-tool" },
	{ "PRAGMA user_version = 1", "written by an older ca-tool" },
	{ "PRAGMA application_id = 7", "is no journal of ca-tool" },
	{ "CREATE TABLE notes (text TEXT)", "holds 'notes'" },
	{ "CREATE TRIGGER t AFTER INSERT ON entries BEGIN SELECT 1; END",
	    "holds 't'" },
	{ "CREATE VIEW v AS SELECT 1", "holds 'v'" },
	{ "DROP TABLE profiles", "lacks tables" },
	{ "DROP INDEX entries_time", "lacks tables" },
	{ "ALTER TABLE profiles ADD COLUMN more TEXT", "holds 'profiles'" },
};

static void
test_foreign(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
		void *made = NULL;
		struct small *s;

		assert_int_equal(small_setup(&made), 0);
		s = made;
		small_sql(s, foreign[i].sql);
		print_message("%s\n", foreign[i].sql);
		assert_refused_naming(
		    CA_R_CORRUPT, foreign[i].part, audit(s, s->scratch.path));
		assert_untouched(s, ".", 3);
		assert_int_equal(small_teardown(&made), 0);
	}
}

/* ---- damage ----------------------------------------------------------- */

/* Cut anywhere, it is never taken for a whole one. */
static void
test_truncated(void **state)
{
	struct small *s = *state;
	AUTO_BYTES(bytes) = NULL;
	size_t len;

	shut(s);
	assert_ok(file_read_at(AT_FDCWD, in_scratch(&s->scratch, "journal.db"),
	    64 << 20, &bytes, &len));
	for (size_t cut = 1; cut < len; cut += cut < 4096 ? 511 : 4096) {
		int ret;

		write_at(s, "other.db", bytes, cut);
		ret = audit(s, in_scratch(&s->scratch, "other.db"));
		if (ret == 0)
			assert_true(s->found.errors > 0);
		else
			assert_int_equal(ca_error_reason(), CA_R_CORRUPT);
		ca_error_clear();
	}
}

/* The page on which the table or index begins, from 0. */
static off_t
root_page(struct small *s, const char *name, int64_t *ret_size)
{
	int64_t page;
	bool found;

	assert_ok(
	    sql_number(s->journal, "PRAGMA page_size", NULL, &found, ret_size));
	assert_ok(sql_number(s->journal,
	    "SELECT rootpage FROM sqlite_schema WHERE name = ?1",
	    SQL_VALUES(sql_text(name)), &found, &page));
	assert_true(found);
	return (off_t)(page - 1);
}

static void
spoil(const struct small *s, off_t at, size_t len)
{
	AUTO_FD(fd) =
	    open(in_scratch(&s->scratch, "journal.db"), O_WRONLY | O_CLOEXEC);
	AUTO_BYTES(junk) = malloc(len);

	assert_true(fd >= 0);
	assert_non_null(junk);
	memset(junk, 0xa5, len);
	assert_int_equal(pwrite(fd, junk, len, at), len);
}

/* Whatever b-tree is gone: a finding or a refusal, and no crash. */
static void
test_damaged_trees(void **state)
{
	static const char *const names[] = { "entries", "nodes", "evidence",
		"entries_time", "entries_kind", "sqlite_autoindex_evidence_1",
		"authority", "runs", "keys", "enrolments", "sets", "profiles" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *made = NULL;
		struct small *s;
		int64_t size = 0;
		off_t page;

		assert_int_equal(small_setup(&made), 0);
		s = made;
		page = root_page(s, names[i], &size);
		shut(s);
		spoil(s, page * size, (size_t)size);
		print_message("%s\n", names[i]);
		assert_ok(audit(s, s->scratch.path));
		assert_has(s, "AUDIT-DATABASE", "");
		assert_untouched(s, ".", 3);
		assert_int_equal(small_teardown(&made), 0);
	}
}

/* An index that was made for something else than its table says. */
static void
test_integrity(void **state)
{
	struct small *s = *state;

	small_sql(s,
	    "PRAGMA writable_schema = ON;"
	    "UPDATE sqlite_schema SET sql = 'CREATE INDEX entries_time ON"
	    " entries (seq)' WHERE name = 'entries_time'");
	small_sql(s,
	    "PRAGMA writable_schema = ON; REINDEX entries_time;"
	    "UPDATE sqlite_schema SET sql = 'CREATE INDEX entries_time ON"
	    " entries (time)' WHERE name = 'entries_time'");
	assert_ok(audit(s, s->scratch.path));
	assert_has(s, "AUDIT-DATABASE", "entries_time");
}

/* ---- the copy --------------------------------------------------------- */

static void
test_work(void **state)
{
	struct small *s = *state;
	const char *work = s->options.work;

	shut(s);
	s->options.work = "/nonexistent/place";
	assert_refused_naming(CA_R_IO, "--work", audit(s, s->scratch.path));
	s->options.work = NULL;
	assert_int_equal(setenv("TMPDIR", "/nonexistent/tmp", 1), 0);
	assert_refused_naming(
	    CA_R_IO, "/nonexistent/tmp", audit(s, s->scratch.path));
	assert_int_equal(
	    setenv("TMPDIR", realpath(work, (char[PATH_MAX]){ 0 }), 1), 0);
	assert_ok(audit(s, s->scratch.path));
	assert_int_equal(unsetenv("TMPDIR"), 0);
	s->options.work = work;
	assert_untouched(s, ".", 3);
}

/* A medium of 4 MiB has no room; only root can mount one. */
static void
test_no_room(void **state)
{
	struct small *s = *state;
	const char *full = in_scratch(&s->scratch, "full");
	AUTO_CHARS(mount) = text_printf(
	    "mount -t tmpfs -o size=4m tmpfs '%s' 2> /dev/null", full);
	AUTO_CHARS(umount) = text_printf("umount '%s'", full);

	shut(s);
	assert_int_equal(mkdir(full, 0700), 0);
	assert_non_null(mount);
	if (system(mount) != 0)
		skip();
	{
		const char *work = s->options.work;
		struct newest newest = { "" };
		int ret, reason;

		s->options.work = full;
		ret = audit(s, s->scratch.path);
		reason = ca_error_reason();
		ca_error_drain(keep_newest, &newest);
		s->options.work = work;
		assert_non_null(umount);
		assert_int_equal(system(umount), 0);
		assert_int_equal(ret, -1);
		assert_int_equal(reason, CA_R_FULL);
		assert_non_null(strstr(newest.text, "--work"));
		assert_non_null(strstr(newest.text, s->scratch.path));
	}
}

/* Nothing is copied while a ceremony writes. */
static void
test_busy(void **state)
{
	struct small *s = *state;

	assert_refused_naming(CA_R_BUSY, "journal.db' is being written",
	    audit(s, s->scratch.path));
	shut(s);
	assert_ok(audit(s, s->scratch.path));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, small_setup, small_teardown)
		TEST(test_directory),
		TEST(test_file),
		TEST(test_files_mode_and_time_stay),
		TEST(test_hot_journal),
		TEST(test_hot_journal_of_file),
		TEST(test_missing),
		TEST(test_not_regular),
		TEST(test_symlinks),
		TEST(test_linked_rollback_journal),
		TEST(test_super_journal),
		TEST(test_write_ahead_log),
		TEST(test_wal_mode),
		TEST(test_journal_and_export),
		TEST(test_public_is_a_link),
		TEST(test_no_database),
		cmocka_unit_test(test_foreign),
		TEST(test_truncated),
		cmocka_unit_test(test_damaged_trees),
		TEST(test_integrity),
		TEST(test_work),
		TEST(test_no_room),
		TEST(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
