/* Creating, opening and closing the file; transactions. */
#include "ceremony/journal/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

/*
 * SQLite refuses symbolic links in every component (SQLITE_OPEN_NOFOLLOW), but
 * an authority may well lie below one: the directory itself is checked by
 * dir_open(), its path then resolved.
 */
static int
locate(const char *dir, char **ret_path, int *ret_fd)
{
	AUTO_FD(fd) = -1;
	AUTO_CHARS(real) = NULL;
	AUTO_CHARS(path) = NULL;

	if (dir_open(dir, &fd) != 0)
		return -1;
	real = realpath(dir, NULL);
	if (real == NULL)
		return ca_error_errno(CA_R_IO, "cannot resolve '%s'", dir);
	path = text_printf("%s/" JOURNAL_FILE, real);
	if (path == NULL)
		return -1;
	*ret_path = TAKE(path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/*
 * By name, not by descriptor: closing one would drop the locks that another
 * connection of this process holds on the file.
 */
static int
check_file(int dirfd, const char *path, enum journal_mode mode)
{
	struct stat st;

	if (fstatat(dirfd, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
		    ? ca_error(CA_R_MISSING,
			  "'%s' does not exist: is this the directory of an "
			  "authority? `init` makes one",
			  path)
		    : ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return ca_error(CA_R_CORRUPT,
		    "'%s' is not a regular file: put the journal in its place",
		    path);
	if (mode == JOURNAL_WRITE && (st.st_mode & 077) != 0 &&
	    fchmodat(dirfd, JOURNAL_FILE, 0600, 0) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot make '%s' private", path);
	return 0;
}

/* ---- what SQLite must not see ----------------------------------------- */

/* The end of a rollback journal that names a super-journal (pager.c). */
static const unsigned char journal_magic[] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20,
	0xa1, 0x63, 0xd7 };

/* Length and checksum of the name, and the magic octets. */
enum { SUPER_RECORD = 16, SUPER_MAGIC_AT = 8 };

/* The last octets of `fd`; *ret_found false where it has not as many. */
static int
read_end(int fd, const char *path, unsigned char ret_end[SUPER_RECORD],
    bool *ret_found)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return ca_error(CA_R_INPUT,
		    "'%s' is no regular file: keep it elsewhere, and put what "
		    "belongs there in its place",
		    path);
	*ret_found = false;
	if (st.st_size < SUPER_RECORD)
		return 0;
	/* A writer may have cut it meanwhile: then it is not hot. */
	*ret_found = pread(fd, ret_end, SUPER_RECORD,
			 st.st_size - SUPER_RECORD) == SUPER_RECORD;
	return 0;
}

static int
check_rollback_file(int dirfd, const char *name, const char *shown)
{
	AUTO_FD(fd) = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	unsigned char end[SUPER_RECORD];
	bool found;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == ELOOP)
		return ca_error(CA_R_INPUT,
		    "'%s' is a symbolic link, which is not followed", shown);
	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", shown);
	if (read_end(fd, shown, end, &found) != 0)
		return -1;
	if (!found ||
	    memcmp(end + SUPER_MAGIC_AT, journal_magic,
		sizeof(journal_magic)) != 0)
		return 0;
	return ca_error(CA_R_CORRUPT,
	    "'%s' names another file (a super-journal), which SQLite would "
	    "delete; ca-tool never writes such a one: keep it, find out who "
	    "made it, and remove it only if a backup takes the place of the "
	    "journal too",
	    shown);
}

static int
check_no_log(int dirfd, const char *name, const char *shown)
{
	int there = file_exists_at(dirfd, name);

	if (there <= 0)
		return there;
	return ca_error(CA_R_CORRUPT,
	    "'%s' is a write-ahead log, which ca-tool never makes: another "
	    "program wrote the journal; keep both, and put a backup in their "
	    "place",
	    shown);
}

int
journal_check_beside(int dirfd, const char *name, const char *shown)
{
	AUTO_CHARS(rollback) = text_printf("%s-journal", name);
	AUTO_CHARS(rollback_shown) = text_printf("%s-journal", shown);
	AUTO_CHARS(log) = text_printf("%s-wal", name);
	AUTO_CHARS(log_shown) = text_printf("%s-wal", shown);

	if (rollback == NULL || rollback_shown == NULL || log == NULL ||
	    log_shown == NULL ||
	    check_rollback_file(dirfd, rollback, rollback_shown) != 0)
		return -1;
	return check_no_log(dirfd, log, log_shown);
}

/*
 * Octets 18 and 19 of the header are 2 in WAL mode: SQLite would make files
 * beside it.  Read by its own descriptor: closing another would drop locks.
 */
static int
check_header(struct journal *journal)
{
	enum { VERSIONS_AT = 18, WAL = 2 };
	unsigned char versions[2];
	sqlite3_file *file = NULL;
	int rc = sqlite3_file_control(
	    journal->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (rc != SQLITE_OK || file == NULL || file->pMethods == NULL)
		return ca_error(CA_R_INTERNAL, "SQLite has opened no file");
	rc = file->pMethods->xRead(
	    file, versions, sizeof(versions), VERSIONS_AT);
	if (rc == SQLITE_IOERR_SHORT_READ)
		return 0;
	if (rc != SQLITE_OK)
		return sql_error(journal, rc, NULL);
	if (versions[0] != WAL && versions[1] != WAL)
		return 0;
	return ca_error(CA_R_CORRUPT,
	    "'%s' is in WAL mode, which ca-tool never sets: another program "
	    "wrote it; keep the file, and put a backup in its place",
	    journal->path);
}

/* `shown`: the path that errors name. */
static int
connect_file(const char *path, const char *shown, enum journal_mode mode,
    struct journal **ret)
{
	AUTO_PTR(journal) *journal = calloc(1, sizeof(*journal));
	int rc;

	if (journal == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	journal->mode = mode;
	journal->path = text_copy(shown);
	if (journal->path == NULL ||
	    journal_check_beside(AT_FDCWD, path, shown) != 0)
		return -1;
	rc = sqlite3_open_v2(path, &journal->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW |
		SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
	    NULL);
	if (journal->db == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (rc != SQLITE_OK)
		return sql_error(journal, rc, NULL);
	if (check_header(journal) != 0)
		return -1;
	/* SQLite opens for reading what it may not write, without a word. */
	if (mode == JOURNAL_WRITE &&
	    sqlite3_db_readonly(journal->db, "main") != 0)
		return ca_error(
		    CA_R_IO, "'%s' cannot be opened for writing", shown);
	*ret = TAKE(journal);
	return 0;
}

/*
 * Nothing in the file may steer SQLite.  One writer for as long as it is open
 * (locking_mode): a reader that lingers is met when the journal is opened, not
 * in the middle of a ceremony, when a commit would have to wait for it.
 */
static int
configure(struct journal *journal)
{
	static const char common[] = "PRAGMA trusted_schema = OFF;"
				     "PRAGMA cell_size_check = ON;"
				     "PRAGMA foreign_keys = ON;"
				     "PRAGMA temp_store = MEMORY;"
				     "PRAGMA mmap_size = 0;";

	if (sqlite3_busy_timeout(journal->db, JOURNAL_BUSY_MS) != SQLITE_OK ||
	    sqlite3_db_config(
		journal->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
	    sqlite3_db_config(journal->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0,
		NULL) != SQLITE_OK ||
	    sqlite3_db_config(
		journal->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL) != SQLITE_OK)
		return ca_error(CA_R_INTERNAL, "cannot configure SQLite");
	if (sql_script(journal, common) != 0)
		return -1;
	if (journal->mode == JOURNAL_READ)
		return sql_script(journal, "PRAGMA query_only = ON");
	return sql_script(journal,
	    "PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = EXTRA");
}

/* Only once the file is known to be ours: this would convert another's. */
static int
set_journal_mode(struct journal *journal)
{
	if (journal->mode == JOURNAL_READ)
		return 0;
	return sql_script(journal, "PRAGMA journal_mode = DELETE");
}

/* Takes the lock: shared with a snapshot, or exclusive for good. */
static int
take_lock(struct journal *journal)
{
	if (journal->mode == JOURNAL_WRITE)
		return sql_script(journal, "BEGIN EXCLUSIVE; COMMIT");
	return sql_script(journal, "BEGIN; SELECT COUNT(*) FROM sqlite_schema");
}

static int
check_last_leaf(struct journal *journal, int64_t last)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(body) = NULL;
	unsigned char stored[HASH_LEN], leaf[HASH_LEN];
	size_t len;
	bool row;

	if (query_start(journal,
		"SELECT body, leaf FROM entries WHERE seq = ?1",
		SQL_VALUES(sql_int(last)), &query) != 0 ||
	    query_step(&query, &row) != 0 ||
	    query_blob(&query, 0, &body, &len) != 0 ||
	    query_hash(&query, 1, stored) != 0 ||
	    tree_leaf(body == NULL ? (const void *)"" : body, len, leaf) != 0)
		return -1;
	if (CRYPTO_memcmp(stored, leaf, HASH_LEN) != 0)
		return ca_error(CA_R_CORRUPT,
		    "the last entry (%lld) of '%s' does not have the hash that "
		    "is stored with it: keep the file, and put a backup in its "
		    "place",
		    (long long)last, journal->path);
	return 0;
}

/* Entries are numbered from 0 without a gap. */
static int
check_entries(struct journal *journal)
{
	int64_t count, first, last;
	bool found;

	if (sql_number(journal, "SELECT COUNT(*) FROM entries", NULL, &found,
		&count) != 0)
		return -1;
	if (count == 0)
		return 0;
	if (sql_number(journal, "SELECT MIN(seq) FROM entries", NULL, &found,
		&first) != 0 ||
	    sql_number(journal, "SELECT MAX(seq) FROM entries", NULL, &found,
		&last) != 0)
		return -1;
	if (first != 0 || last != count - 1)
		return ca_error(CA_R_CORRUPT,
		    "'%s' has %lld entries, numbered %lld to %lld: entries "
		    "are missing, keep the file, and put a backup in its place",
		    journal->path, (long long)count, (long long)first,
		    (long long)last);
	return check_last_leaf(journal, last);
}

static int
open_file(
    const char *path, enum journal_mode mode, struct journal **ret_journal)
{
	AUTO_PTR(journal) *journal = NULL;

	if (connect_file(path, path, mode, &journal) != 0 ||
	    configure(journal) != 0 || take_lock(journal) != 0 ||
	    schema_check(journal) != 0 || set_journal_mode(journal) != 0 ||
	    check_entries(journal) != 0)
		return -1;
	*ret_journal = TAKE(journal);
	return 0;
}

/* Nobody else has it, and it is thrown away. */
static int
configure_private(struct journal *journal)
{
	return sql_script(journal,
	    "PRAGMA synchronous = OFF; PRAGMA temp_store = FILE;"
	    "PRAGMA cache_size = -32768");
}

int
journal_open_private(
    const char *dir, const char *shown, struct journal **ret_journal)
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_CHARS(path) = NULL;
	AUTO_FD(dirfd) = -1;

	if (locate(dir, &path, &dirfd) != 0 ||
	    connect_file(path, shown, JOURNAL_WRITE, &journal) != 0 ||
	    configure(journal) != 0 || take_lock(journal) != 0 ||
	    schema_check(journal) != 0 || set_journal_mode(journal) != 0 ||
	    configure_private(journal) != 0)
		return -1;
	*ret_journal = TAKE(journal);
	return 0;
}

static int
copy_files(int from, int to)
{
	int hot = file_exists_at(from, JOURNAL_ROLLBACK_FILE);

	if (hot < 0 ||
	    file_copy_at(from, JOURNAL_FILE, to, JOURNAL_FILE, 0600) != 0)
		return -1;
	if (hot == 0)
		return 0;
	return file_copy_at(
	    from, JOURNAL_ROLLBACK_FILE, to, JOURNAL_ROLLBACK_FILE, 0600);
}

/* The open connection keeps what it needs of them. */
static void
remove_copy(int dirfd, const char *dir)
{
	(void)unlinkat(dirfd, JOURNAL_FILE, 0);
	(void)unlinkat(dirfd, JOURNAL_ROLLBACK_FILE, 0);
	(void)rmdir(dir);
}

/*
 * On a medium that cannot be written a rollback journal that a crash left
 * cannot be played back: done on a private copy, which is gone again when
 * this returns.
 */
static int
open_copy(int dirfd, const char *path, struct journal **ret_journal)
{
	const char *tmp = getenv("TMPDIR");
	AUTO_CHARS(dir) = text_printf(
	    "%s/ca-tool-XXXXXX", tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp);
	AUTO_CHARS(copy) = NULL;
	AUTO_FD(copy_fd) = -1;
	int ret = -1;

	if (dir == NULL)
		return -1;
	if (mkdtemp(dir) == NULL)
		return ca_error_errno(CA_R_IO,
		    "cannot make a directory for a copy of '%s'", path);
	if (locate(dir, &copy, &copy_fd) == 0 &&
	    copy_files(dirfd, copy_fd) == 0)
		ret = open_file(copy, JOURNAL_READ, ret_journal);
	if (copy_fd >= 0)
		remove_copy(copy_fd, dir);
	return ret;
}

static bool
is_readonly_trouble(int dirfd)
{
	return ca_error_reason() == CA_R_IO &&
	    (faccessat(dirfd, JOURNAL_FILE, W_OK, 0) != 0 ||
		faccessat(dirfd, ".", W_OK, 0) != 0);
}

int
journal_open(
    const char *dir, enum journal_mode mode, struct journal **ret_journal)
{
	AUTO_CHARS(path) = NULL;
	AUTO_FD(dirfd) = -1;

	if (locate(dir, &path, &dirfd) != 0 ||
	    check_file(dirfd, path, mode) != 0)
		return -1;
	if (open_file(path, mode, ret_journal) == 0)
		return 0;
	if (mode != JOURNAL_READ || !is_readonly_trouble(dirfd))
		return -1;
	ca_error_clear();
	return open_copy(dirfd, path, ret_journal);
}

/* 1: there and not empty, 0: missing or empty. */
static int
file_has_content(int dirfd, const char *path)
{
	struct stat st;

	if (fstatat(dirfd, JOURNAL_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return !S_ISREG(st.st_mode) || st.st_size != 0 ? 1 : 0;
	if (errno == ENOENT)
		return 0;
	return ca_error_errno(CA_R_IO, "cannot look at '%s'", path);
}

static int
must_be_unborn(const char *dir, const char *path)
{
	AUTO_PTR(journal) *journal = NULL;
	unsigned char root[HASH_LEN];
	uint64_t size;

	if (journal_open(dir, JOURNAL_WRITE, &journal) != 0 ||
	    journal_head(journal, &size, root) != 0)
		return -1;
	if (size == 0)
		return 0;
	return ca_error(CA_R_EXISTS,
	    "'%s' exists and has entries: this authority was founded already",
	    path);
}

/*
 * A cut-off create left a file without entries, or one that is empty once its
 * rollback journal was played back.  It is opened before it is removed, so
 * that no rollback journal stays behind to meet the next file.
 */
static int
remove_unborn(const char *dir, int dirfd, const char *path)
{
	int content = file_has_content(dirfd, path);

	if (content < 0)
		return -1;
	if (content == 1 && must_be_unborn(dir, path) != 0) {
		if (ca_error_reason() != CA_R_CORRUPT ||
		    file_has_content(dirfd, path) != 0)
			return -1;
		ca_error_clear();
	}
	return file_remove_at(dirfd, JOURNAL_FILE);
}

/* What a cut-off create left under the draft's name goes first. */
static int
make_draft(int dirfd, const char *path)
{
	AUTO_FD(fd) = -1;

	if (file_remove_at(dirfd, JOURNAL_DRAFT) != 0 ||
	    file_remove_at(dirfd, JOURNAL_DRAFT "-journal") != 0)
		return -1;
	fd = openat(dirfd, JOURNAL_DRAFT,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? ca_error_errno(CA_R_IO, "cannot create '%s'", path) : 0;
}

/* The schema, committed, and the file closed again. */
static int
fill_draft(const char *path)
{
	AUTO_PTR(journal) *journal = NULL;

	if (connect_file(path, path, JOURNAL_WRITE, &journal) != 0 ||
	    configure(journal) != 0 || take_lock(journal) != 0 ||
	    set_journal_mode(journal) != 0)
		return -1;
	return schema_create(journal);
}

/*
 * Under another name first: a power loss between SQLite's first writes would
 * leave a database that is neither empty nor a journal.
 */
int
journal_create(const char *dir, struct journal **ret_journal)
{
	AUTO_CHARS(path) = NULL;
	AUTO_CHARS(draft) = NULL;
	AUTO_FD(dirfd) = -1;

	if (locate(dir, &path, &dirfd) != 0 ||
	    remove_unborn(dir, dirfd, path) != 0 ||
	    file_remove_at(dirfd, JOURNAL_ROLLBACK_FILE) != 0 ||
	    make_draft(dirfd, path) != 0)
		return -1;
	draft = text_printf("%s.new", path);
	if (draft == NULL || fill_draft(draft) != 0)
		return -1;
	if (renameat(dirfd, JOURNAL_DRAFT, dirfd, JOURNAL_FILE) != 0)
		return ca_error_errno(CA_R_IO, "cannot create '%s'", path);
	if (file_sync(dirfd, dir) != 0)
		return -1;
	return journal_open(dir, JOURNAL_WRITE, ret_journal);
}

void
journal_free(struct journal *journal)
{
	if (journal == NULL)
		return;
	for (size_t i = 0; i < journal->kept_count; i++)
		(void)sqlite3_finalize(journal->kept[i].stmt);
	(void)sqlite3_close_v2(journal->db);
	free(journal->path);
	json_decref(journal->person);
	json_decref(journal->people);
	free(journal);
}

int
journal_set_person(struct journal *journal, const char *name, const char *role)
{
	json_t *person = NULL;

	if (name != NULL) {
		person = json_pack("[{s:s,s:s}]", "name", name, "role",
		    role == NULL ? "" : role);
		if (person == NULL)
			return ca_error(CA_R_INTERNAL,
			    "the name or role of a person is not UTF-8");
	}
	json_decref(journal->person);
	journal->person = person;
	return 0;
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
		if (json_object_size(one) != 2 ||
		    !json_is_string(json_object_get(one, "name")) ||
		    !json_is_string(json_object_get(one, "role")))
			return false;
	}
	return true;
}

int
journal_set_people(struct journal *journal, const json_t *people)
{
	json_t *copy = json_deep_copy(people);

	if (people != NULL && !are_people(people)) {
		json_decref(copy);
		return ca_error(CA_R_INTERNAL,
		    "people are an array of {name, role}, not this");
	}
	if (people != NULL && copy == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	json_decref(journal->people);
	journal->people = copy;
	return 0;
}

int
journal_must_write(struct journal *journal)
{
	if (journal->mode == JOURNAL_WRITE)
		return 0;
	return ca_error(CA_R_INTERNAL,
	    "'%s' was opened for reading, nothing can be added", journal->path);
}

/* A reader's snapshot is a transaction too, but not one of its caller's. */
bool
journal_in_transaction(const struct journal *journal)
{
	return journal->mode == JOURNAL_WRITE &&
	    sqlite3_get_autocommit(journal->db) == 0;
}

int
journal_begin(struct journal *journal)
{
	if (journal_must_write(journal) != 0)
		return -1;
	if (journal_in_transaction(journal))
		return ca_error(CA_R_INTERNAL,
		    "a transaction of '%s' is open already", journal->path);
	return sql_script(journal, "BEGIN IMMEDIATE");
}

int
journal_commit(struct journal *journal)
{
	if (!journal_in_transaction(journal))
		return ca_error(CA_R_INTERNAL,
		    "there is no transaction of '%s' to commit", journal->path);
	if (sql_script(journal, "COMMIT") == 0)
		return 0;
	journal_rollback(journal);
	return -1;
}

/* Where it fails, SQLite has rolled back by itself. */
void
journal_rollback(struct journal *journal)
{
	if (journal_in_transaction(journal))
		(void)sqlite3_exec(journal->db, "ROLLBACK", NULL, NULL, NULL);
}
