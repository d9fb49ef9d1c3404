/* The files in public/: there, as they were named, and no others. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"

CLEANUP_DEFINE(DIR, closedir);

static void
refuse(struct audit *audit, const char *id, const char *path, const char *why)
{
	AUTO_CHARS(place) = text_printf("public/%s", path);

	findings_add(audit->findings, FINDING_ERROR, id,
	    place == NULL ? "public/" : place, NULL, "%s", why);
}

/* While a run is open, what it published is perhaps not journalled yet. */
static int
run_is_open(struct audit *audit, bool *ret_open)
{
	AUTO_STRUCT(run_row) row = { 0 };

	return journal_open_run(audit->journal, ret_open, &row);
}

/* Publishing is not over, or its last files: then a cut left this there. */
static int
is_left_by_cut(struct audit *audit, const char *path, bool *ret_left)
{
	const char *slash = strrchr(path, '/');
	AUTO_STRUCT(run_row) row = { 0 };
	bool open = false;

	*ret_left = false;
	if (!file_is_temporary(slash == NULL ? path : slash + 1))
		return 0;
	if (run_is_open(audit, &open) != 0 ||
	    (!open &&
		journal_run_without_receipt(audit->journal, &open, &row) != 0))
		return -1;
	*ret_left = open;
	return 0;
}

int
audit_public_stray(struct audit *audit, const char *path)
{
	bool left = false;

	if (is_left_by_cut(audit, path, &left) != 0)
		return -1;
	if (!left)
		refuse(audit, "AUDIT-PUBLIC-STRAY", path,
		    "the journal knows of nothing that was published under "
		    "this name");
	else if (!audit->told_temporary)
		findings_add(audit->findings, FINDING_NOTICE,
		    "AUDIT-PUBLIC-TEMPORARY", "public/", NULL,
		    "temporary files such as '%s' were left behind when the "
		    "run that is open was cut off; going on with it removes "
		    "them",
		    path);
	audit->told_temporary = audit->told_temporary || left;
	return 0;
}

/*
 * Why a file could not be read, as a finding: it is not there, or it is no
 * regular file.  What the machine does wrong stays an error.
 */
static int
take_unreadable(struct audit *audit, const char *path)
{
	int reason = ca_error_reason();

	if (reason != CA_R_MISSING && reason != CA_R_INPUT)
		return -1;
	ca_error_clear();
	if (reason == CA_R_MISSING)
		refuse(audit, "AUDIT-PUBLIC-MISSING", path,
		    "the journal says that it was published, and it is not "
		    "there");
	else
		refuse(audit, "AUDIT-PUBLIC-ALTERED", path,
		    "it, or the directory that it is in, is not what was "
		    "published but a symbolic link or another kind of file, "
		    "which is not followed");
	return 0;
}

int
audit_public_file(struct audit *audit, const char *path, const char *sha256)
{
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (file_sha256_at(audit->public_fd, path, digest) != 0)
		return take_unreadable(audit, path);
	text_hex_into(digest, HASH_LEN, hex);
	if (strcmp(hex, sha256) != 0)
		refuse(audit, "AUDIT-PUBLIC-ALTERED", path,
		    "it is not what was published: its SHA-256 is another");
	return 0;
}

/* ---- files that were named -------------------------------------------- */

static int
check_named(struct audit *audit, const char *path, const char *sha256)
{
	static const char prefix[] = "public/";
	size_t len = strlen(prefix);

	/* AUDIT-FILES was said of other paths. */
	return strncmp(path, prefix, len) != 0
	    ? 0
	    : audit_public_file(audit, path + len, sha256);
}

static int
check_all_named(struct audit *audit)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT path, sha256 FROM audit_files ORDER BY path", NULL,
		&query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_CHARS(path) = NULL;
		AUTO_CHARS(sha256) = NULL;

		if (!row)
			return 0;
		if (query_text(&query, 0, &path) != 0 ||
		    query_text(&query, 1, &sha256) != 0 ||
		    check_named(audit, path, sha256) != 0)
			return -1;
	}
	return -1;
}

/* ---- files that were not ---------------------------------------------- */

static int
is_named(struct audit *audit, const char *path, bool *ret_named)
{
	AUTO_CHARS(whole) = text_printf("public/%s", path);
	int64_t one;

	if (whole == NULL)
		return -1;
	return sql_number(audit->journal,
	    "SELECT 1 FROM audit_files WHERE path = ?1",
	    SQL_VALUES(sql_text(whole)), ret_named, &one);
}

/* The name without this ending; NULL where it does not end so. */
static int
stem(const char *name, const char *ending, char **ret_stem)
{
	size_t len = strlen(name), cut = strlen(ending);

	*ret_stem = NULL;
	if (len <= cut || strcmp(name + len - cut, ending) != 0)
		return 0;
	*ret_stem = text_printf("%.*s", (int)(len - cut), name);
	return *ret_stem == NULL ? -1 : 0;
}

/* The signed object with this output, if it is one. */
static int
find_output(struct audit *audit, const struct audit_output *output,
    const char *name, const char *ending, bool *ret_found,
    struct object_row *ret_row)
{
	AUTO_CHARS(bare) = NULL;

	*ret_found = false;
	if (stem(name, ending, &bare) != 0)
		return -1;
	return bare == NULL ? 0
			    : journal_object(audit->journal, output->kind, bare,
				  ret_found, ret_row);
}

/* Published by a run that is not closed yet: its bytes are known all the same. */
static int
check_unnamed(struct audit *audit, const char *path,
    const struct object_row *row, const char *ending)
{
	char hex[HASH_HEX_SIZE];
	bool known;

	if (audit_output_sha256(audit, row, ending, &known, hex) != 0)
		return -1;
	return known ? audit_public_file(audit, path, hex) : 0;
}

/* The proof of a signed object: audit_public_proofs() looks into it. */
static int
is_proof(struct audit *audit, const struct audit_output *output,
    const char *name, bool *ret_proof)
{
	AUTO_STRUCT(object_row) row = { 0 };

	*ret_proof = false;
	return !output->proof
	    ? 0
	    : find_output(audit, output, name, ".tlog-proof", ret_proof, &row);
}

static int
check_stray(struct audit *audit, const struct audit_output *output,
    const char *name, const char *path)
{
	bool found;

	for (const char *const *end = output->endings; *end != NULL; end++) {
		AUTO_STRUCT(object_row) row = { 0 };

		if (find_output(audit, output, name, *end, &found, &row) != 0)
			return -1;
		if (found)
			return check_unnamed(audit, path, &row, *end);
	}
	if (is_proof(audit, output, name, &found) != 0)
		return -1;
	return found ? 0 : audit_public_stray(audit, path);
}

static int
check_name(struct audit *audit, const void *ctx, const char *name)
{
	const struct audit_output *output = ctx;
	AUTO_CHARS(path) = text_printf("%s/%s", output->directory, name);
	bool named;

	if (path == NULL || is_named(audit, path, &named) != 0)
		return -1;
	return named ? 0 : check_stray(audit, output, name, path);
}

/* "." is public/ itself; "ocsp/BATCH" has two parts. */
static int
open_directory(struct audit *audit, const char *directory, int *ret_fd)
{
	const char *slash = strchr(directory, '/');
	AUTO_CHARS(parent) = NULL;
	AUTO_FD(parent_fd) = -1;

	if (slash != NULL) {
		parent =
		    text_printf("%.*s", (int)(slash - directory), directory);
		if (parent == NULL ||
		    dir_open_at(audit->public_fd, parent, &parent_fd) != 0)
			return -1;
		return dir_open_at(parent_fd, slash + 1, ret_fd);
	}
	if (strcmp(directory, ".") != 0)
		return dir_open_at(audit->public_fd, directory, ret_fd);
	*ret_fd =
	    openat(audit->public_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret_fd >= 0 ? 0
			    : ca_error_errno(CA_R_IO, "cannot read 'public/'");
}

int
audit_public_each(struct audit *audit, const char *directory,
    int (*check)(struct audit *audit, const void *ctx, const char *name),
    const void *ctx)
{
	AUTO(DIR) *dir = NULL;
	AUTO_FD(fd) = -1;
	const struct dirent *found;

	if (open_directory(audit, directory, &fd) != 0) {
		if (ca_error_reason() != CA_R_MISSING)
			return take_unreadable(audit, directory);
		ca_error_clear(); /* what should be in it was missed before */
		return 0;
	}
	dir = fdopendir(fd);
	if (dir == NULL)
		return ca_error_errno(
		    CA_R_IO, "cannot read 'public/%s'", directory);
	(void)TAKE_FD(fd); /* dir has it */
	for (errno = 0; (found = readdir(dir)) != NULL; errno = 0)
		if (strcmp(found->d_name, ".") != 0 &&
		    strcmp(found->d_name, "..") != 0 &&
		    check(audit, ctx, found->d_name) != 0)
			return -1;
	return errno == 0
	    ? 0
	    : ca_error_errno(CA_R_IO, "cannot read 'public/%s'", directory);
}

/* public/ itself; an import has looked at the directory of an export. */
static int
check_top(struct audit *audit, const void *ctx, const char *name)
{
	bool known = strcmp(name, "journal") == 0 ||
	    strcmp(name, "anchor") == 0 || strcmp(name, "ocsp") == 0;
	const struct audit_output *output;

	(void)ctx;
	for (size_t i = 0; (output = audit_output_at(i)) != NULL; i++)
		known = known || strcmp(name, output->directory) == 0;
	return known ? 0 : audit_public_stray(audit, name);
}

static int
check_journal_name(struct audit *audit, const void *ctx, const char *name)
{
	AUTO_CHARS(path) = text_printf("journal/%s", name);

	(void)ctx;
	if (path == NULL)
		return -1;
	return strcmp(name, "checkpoint") == 0
	    ? 0
	    : audit_public_stray(audit, path);
}

int
audit_public_files(struct audit *audit)
{
	const struct audit_output *output;

	if (check_all_named(audit) != 0)
		return -1;
	for (size_t i = 0; (output = audit_output_at(i)) != NULL; i++)
		if (audit_public_each(
			audit, output->directory, check_name, output) != 0)
			return -1;
	if (!audit->export &&
	    audit_public_each(audit, ".", check_top, NULL) != 0)
		return -1;
	return audit_public_each(audit, "journal", check_journal_name, NULL);
}

/* ---- the anchor ------------------------------------------------------- */

static int
check_anchor_file(struct audit *audit, const char *name, const char *ending,
    const char *sha256)
{
	AUTO_CHARS(path) = text_printf("anchor/%s%s", name, ending);

	return path == NULL ? -1 : audit_public_file(audit, path, sha256);
}

/* The operator's certificate: octet for octet that of their enrolment. */
static int
check_anchor_certificate(struct audit *audit, const char *name, const char *set)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(certificate) = NULL;
	bool row;

	if (query_start(audit->journal,
		"SELECT certificate FROM audit_certificates"
		" WHERE set_id = ?1 AND name = ?2",
		SQL_VALUES(sql_text(set), sql_text(name)), &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return 0; /* the anchor, or the enrolment, has a finding */
	if (query_text(&query, 0, &certificate) != 0)
		return -1;
	return check_anchor_file(audit, name, ".sign.crt", certificate);
}

/* journal-key.pem: the key that verifies checkpoints. */
static int
check_journal_key(struct audit *audit)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(spki) = NULL;
	AUTO_CHARS(sha256) = NULL;
	AUTO(EVP_PKEY) *key = NULL;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	const unsigned char *at;
	char *pem = NULL;
	size_t len;
	bool row;

	if (query_start(audit->journal,
		"SELECT spki FROM keys WHERE purpose = 'journal'"
		" AND spki IS NOT NULL ORDER BY seq LIMIT 1",
		NULL, &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return 0;
	if (query_blob(&query, 0, &spki, &len) != 0)
		return -1;
	at = spki;
	key = d2i_PUBKEY(NULL, &at, (long)len);
	if (key == NULL) {
		ca_error_clear(); /* AUDIT-KEY was said */
		return 0;
	}
	if (bio == NULL || PEM_write_bio_PUBKEY(bio, key) != 1 ||
	    BIO_get_mem_data(bio, &pem) <= 0)
		return ca_error(CA_R_MEMORY, "no memory for a key");
	sha256 = sha256_hex(pem, (size_t)BIO_get_mem_data(bio, &pem));
	return sha256 == NULL
	    ? -1
	    : check_anchor_file(audit, "journal-key", ".pem", sha256);
}

static int
check_statement(struct audit *audit, struct query *query)
{
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(set) = NULL;
	AUTO_CHARS(statement) = NULL;

	if (query_text(query, 0, &name) != 0 ||
	    query_text(query, 1, &set) != 0 ||
	    query_text(query, 2, &statement) != 0 ||
	    check_anchor_file(audit, name, ".cms", statement) != 0)
		return -1;
	return check_anchor_certificate(audit, name, set);
}

/* *ret_text: SHA-256 of the newest anchor; NULL: none was signed. */
static int
check_statements(struct audit *audit, char **ret_text)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT name, set_id, statement, text FROM audit_anchors"
		" ORDER BY seq DESC",
		NULL, &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		if (!row)
			return 0;
		if (*ret_text == NULL && query_text(&query, 3, ret_text) != 0)
			return -1;
		if (check_statement(audit, &query) != 0)
			return -1;
	}
	return -1;
}

/* What nobody who signed the anchor has put there. */
static int
check_anchor_name(struct audit *audit, const void *ctx, const char *name)
{
	static const char *const endings[] = { ".cms", ".sign.crt" };
	AUTO_CHARS(path) = text_printf("anchor/%s", name);
	bool known = strcmp(name, "anchor.txt") == 0 ||
	    strcmp(name, "journal-key.pem") == 0;
	int64_t one;

	(void)ctx;
	if (path == NULL)
		return -1;
	for (size_t i = 0; !known && i < 2; i++) {
		AUTO_CHARS(person) = NULL;

		if (stem(name, endings[i], &person) != 0)
			return -1;
		if (person != NULL &&
		    sql_number(audit->journal,
			"SELECT 1 FROM audit_anchors WHERE name = ?1",
			SQL_VALUES(sql_text(person)), &known, &one) != 0)
			return -1;
	}
	return known ? 0 : audit_public_stray(audit, path);
}

/*
 * What a reshare that is open has put there is not journalled in all yet: then
 * the files are left alone.
 */
int
audit_public_anchor(struct audit *audit)
{
	AUTO_CHARS(text) = NULL;
	bool open = false;

	if (run_is_open(audit, &open) != 0)
		return -1;
	if (open) {
		findings_add(audit->findings, FINDING_NOTICE,
		    "AUDIT-PUBLIC-ABSENT", "public/anchor", NULL,
		    "a run is open: the anchor's files were not compared with "
		    "the journal");
		return 0;
	}
	if (check_statements(audit, &text) != 0)
		return -1;
	if (text == NULL)
		return 0;
	return check_anchor_file(audit, "anchor", ".txt", text) != 0 ||
		check_journal_key(audit) != 0
	    ? -1
	    : audit_public_each(audit, "anchor", check_anchor_name, NULL);
}
