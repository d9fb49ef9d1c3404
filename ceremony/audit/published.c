/*
 * What was published: the list of files in each `close`, against what its run
 * signed and took in; and in the end public/ itself.
 *
 * The files that were named stand in a temporary table of the private copy,
 * each with the newest word about it.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"

/* Mirrors output_table of ceremony/steps/step.c, a floor above. */
static const struct audit_output outputs[] = {
	{ "certificate", "certs", { ".pem", ".der", NULL }, true },
	{ "crl", "crls", { ".crl", ".pem", NULL }, true },
	{ "csr", "csrs", { ".csr", NULL }, false },
};

enum { OUTPUTS = sizeof outputs / sizeof outputs[0] };

const struct audit_output *
audit_output_at(size_t i)
{
	return i < OUTPUTS ? &outputs[i] : NULL;
}

const struct audit_output *
audit_output_of(const char *kind)
{
	for (size_t i = 0; i < OUTPUTS; i++)
		if (strcmp(outputs[i].kind, kind) == 0)
			return &outputs[i];
	return NULL;
}

/* ---- what is published of an object ------------------------------------ */

/* Octets on their way from the evidence to a hash: DER, or PEM. */
struct hashing {
	EVP_MD_CTX *md;
	EVP_ENCODE_CTX *pem; /* NULL: DER */
};

static void
hashing_clear(struct hashing *hashing)
{
	EVP_MD_CTX_free(hashing->md);
	EVP_ENCODE_CTX_free(hashing->pem);
}
CLEANUP_DEFINE_STRUCT(hashing);

static int
hash_octets(struct hashing *hashing, const void *octets, size_t len)
{
	return EVP_DigestUpdate(hashing->md, octets, len) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

static int
hash_piece(void *ctx, const unsigned char *data, size_t len)
{
	enum { PIECE = 3072 };
	struct hashing *hashing = ctx;

	if (hashing->pem == NULL)
		return hash_octets(hashing, data, len);
	for (size_t at = 0; at < len;) {
		unsigned char text[2 * PIECE];
		size_t n = len - at < PIECE ? len - at : PIECE;
		int out = 0;

		if (EVP_EncodeUpdate(
			hashing->pem, text, &out, data + at, (int)n) != 1)
			return ca_error(CA_R_INTERNAL, "cannot write PEM");
		if (hash_octets(hashing, text, (size_t)out) != 0)
			return -1;
		at += n;
	}
	return 0;
}

static int
hash_pem(struct journal *journal, const unsigned char *digest,
    const char *label, struct hashing *hashing)
{
	AUTO_CHARS(head) = text_printf("-----BEGIN %s-----\n", label);
	AUTO_CHARS(tail) = text_printf("-----END %s-----\n", label);
	unsigned char rest[128];
	int n = 0;

	hashing->pem = EVP_ENCODE_CTX_new();
	if (head == NULL || tail == NULL)
		return -1;
	if (hashing->pem == NULL)
		return ca_error(CA_R_MEMORY, "no memory for PEM");
	EVP_EncodeInit(hashing->pem);
	if (hash_octets(hashing, head, strlen(head)) != 0 ||
	    journal_evidence_read(journal, digest, hash_piece, hashing) != 0)
		return -1;
	EVP_EncodeFinal(hashing->pem, rest, &n);
	return hash_octets(hashing, rest, (size_t)n) != 0
	    ? -1
	    : hash_octets(hashing, tail, strlen(tail));
}

static int
hash_output(struct journal *journal, const struct object_row *row, bool pem,
    struct hashing *hashing)
{
	AUTO_BYTES(digest) = NULL;
	enum object_kind kind;
	size_t len;

	if (object_kind_by_name(row->kind, &kind) != 0 ||
	    text_unhex(row->sha256, &digest, &len) != 0)
		return -1;
	return pem
	    ? hash_pem(journal, digest, object_pem_label(kind), hashing)
	    : journal_evidence_read(journal, digest, hash_piece, hashing);
}

int
audit_output_sha256(struct audit *audit, const struct object_row *row,
    const char *ending, bool *ret_known, char ret_hex[HASH_HEX_SIZE])
{
	bool pem = strcmp(ending, ".pem") == 0 || strcmp(ending, ".csr") == 0;
	AUTO_STRUCT(hashing) hashing = { .md = EVP_MD_CTX_new() };
	unsigned char digest[HASH_LEN];

	*ret_known = false;
	if (hashing.md == NULL ||
	    EVP_DigestInit_ex(hashing.md, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	if (hash_output(audit->journal, row, pem, &hashing) != 0) {
		if (ca_error_reason() != CA_R_MISSING &&
		    ca_error_reason() != CA_R_CORRUPT)
			return -1;
		ca_error_clear(); /* the evidence has a finding */
		return 0;
	}
	if (EVP_DigestFinal_ex(hashing.md, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	text_hex_into(digest, HASH_LEN, ret_hex);
	*ret_known = true;
	return 0;
}

/* ---- one `close` ------------------------------------------------------ */

/* A list of files, each taken out when the run has made it. */
struct listing {
	struct audit *audit;
	const struct audit_entry *entry;
	json_t *files; /* path: SHA-256 */
};

static void
listing_clear(struct listing *listing)
{
	json_decref(listing->files);
}
CLEANUP_DEFINE_STRUCT(listing);

static int
remember(struct audit *audit, const char *path, const char *sha256)
{
	return sql_run(audit->journal, path,
	    "INSERT OR REPLACE INTO audit_files (path, sha256)"
	    " VALUES (?1, ?2)",
	    SQL_VALUES(sql_text(path), sql_text(sha256)));
}

static int
add_file(struct listing *listing, const json_t *file)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	const char *sha256 = json_string_value(json_object_get(file, "sha256"));

	if (path == NULL || sha256 == NULL ||
	    json_object_get(listing->files, path) != NULL) {
		audit_error(listing->audit, listing->entry, "AUDIT-FILES",
		    "the list of published files names '%s' twice, or without "
		    "its SHA-256",
		    path == NULL ? "" : path);
		return 0;
	}
	if (json_object_set_new(listing->files, path, json_string(sha256)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	return remember(listing->audit, path, sha256);
}

static int
read_files(struct listing *listing, const char *text, size_t len)
{
	AUTO(json_t) *array =
	    json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int64_t published = audit_number(listing->entry, "published");
	size_t i;
	json_t *file;

	if (!json_is_array(array) ||
	    (int64_t)json_array_size(array) != published)
		audit_error(listing->audit, listing->entry, "AUDIT-FILES",
		    "the list of published files is no list of %lld files",
		    (long long)published);
	json_array_foreach(array, i, file)
	{
		if (add_file(listing, file) != 0)
			return -1;
	}
	return 0;
}

/* A file that must be on the list, with these bytes. */
static int
check_listed(struct listing *listing, const char *path, const char *sha256)
{
	const char *said =
	    json_string_value(json_object_get(listing->files, path));

	if (said == NULL || strcmp(said, sha256) != 0)
		audit_error(listing->audit, listing->entry, "AUDIT-FILES",
		    "the list of published files %s '%s', which the run made",
		    said == NULL ? "lacks" : "has another SHA-256 of", path);
	if (said != NULL && json_object_del(listing->files, path) != 0)
		return ca_error(CA_R_INTERNAL, "a file that is not listed");
	return 0;
}

static int
check_made(struct listing *listing, const struct object_row *row)
{
	const struct audit_output *output = audit_output_of(row->kind);

	for (const char *const *end = output == NULL ? NULL : output->endings;
	     end != NULL && *end != NULL; end++) {
		AUTO_CHARS(path) = text_printf(
		    "public/%s/%s%s", output->directory, row->name, *end);
		char hex[HASH_HEX_SIZE];
		bool known;

		if (path == NULL ||
		    audit_output_sha256(
			listing->audit, row, *end, &known, hex) != 0 ||
		    (known && check_listed(listing, path, hex) != 0))
			return -1;
	}
	return 0;
}

/* By the index of runs: not journal_each_object(), which looks at all. */
static int
check_run(struct listing *listing)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(listing->audit->journal,
		"SELECT kind, name, sha256 FROM objects WHERE run = ?1"
		" AND state = 1",
		SQL_VALUES(sql_text(audit_text(listing->entry, "run"))),
		&query) != 0)
		return -1;
	while (query_step(&query, &found) == 0) {
		AUTO_STRUCT(object_row) row = { 0 };

		if (!found)
			return 0;
		if (query_text(&query, 0, &row.kind) != 0 ||
		    query_text(&query, 1, &row.name) != 0 ||
		    query_text(&query, 2, &row.sha256) != 0 ||
		    check_made(listing, &row) != 0)
			return -1;
	}
	return -1;
}

static int
on_close(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(listing) listing = { audit, entry, json_object() };
	AUTO_BYTES(text) = NULL;
	size_t len = 0;
	const char *path;
	json_t *sha256;

	if (listing.files == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	if (audit_evidence_bytes(
		audit, audit_text(entry, "files"), &text, &len) != 0)
		return -1;
	if (text == NULL)
		return 0;
	if (read_files(&listing, (const char *)text, len) != 0 ||
	    check_run(&listing) != 0)
		return -1;
	json_object_foreach(listing.files, path, sha256)
	{
		audit_error(audit, entry, "AUDIT-FILES",
		    "the list of published files names '%s', which the run "
		    "did not make",
		    path);
	}
	return 0;
}

/* ---- the pass --------------------------------------------------------- */

static int
published_begin(struct audit *audit, void **ret_state)
{
	*ret_state = NULL;
	return sql_script(audit->journal,
	    "CREATE TEMP TABLE audit_files (path TEXT PRIMARY KEY,"
	    " sha256 TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_anchors (name TEXT PRIMARY KEY,"
	    " set_id TEXT NOT NULL, statement TEXT NOT NULL,"
	    " text TEXT NOT NULL, seq INTEGER NOT NULL)"
	    " STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_certificates (set_id TEXT NOT NULL,"
	    " name TEXT NOT NULL, certificate TEXT NOT NULL,"
	    " PRIMARY KEY (set_id, name)) STRICT, WITHOUT ROWID");
}

/* The newest of each name: a reshare has its operators sign another. */
static int
on_anchor(struct audit *audit, const struct audit_entry *entry)
{
	return sql_run(audit->journal, audit_text(entry, "name"),
	    "INSERT OR REPLACE INTO audit_anchors"
	    " (name, set_id, statement, text, seq)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_text(audit_text(entry, "name")),
		sql_text(audit_text(entry, "set")),
		sql_text(audit_text(entry, "statement")),
		sql_text(audit_text(entry, "text")),
		sql_int((int64_t)entry->seq)));
}

static int
on_enrolment(struct audit *audit, const struct audit_entry *entry)
{
	if (audit_text(entry, "certificate") == NULL)
		return 0; /* AUDIT-ENROLMENT is said */
	return sql_run(audit->journal, audit_text(entry, "name"),
	    "INSERT OR REPLACE INTO audit_certificates"
	    " (set_id, name, certificate) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(sql_text(audit_text(entry, "set")),
		sql_text(audit_text(entry, "name")),
		sql_text(audit_text(entry, "certificate"))));
}

static int
published_entry(
    struct audit *audit, void *state, const struct audit_entry *entry)
{
	(void)state;
	if (!entry->applied)
		return 0;
	if (entry->kind == ENTRY_CLOSE)
		return on_close(audit, entry);
	if (entry->kind == ENTRY_ENROLMENT)
		return on_enrolment(audit, entry);
	return entry->kind == ENTRY_ANCHOR ? on_anchor(audit, entry) : 0;
}

static int
published_end(struct audit *audit, void *state, bool whole)
{
	(void)state;
	if (!whole)
		return 0;
	if (audit->public_fd < 0) {
		findings_add(audit->findings, FINDING_NOTICE,
		    "AUDIT-PUBLIC-ABSENT", "public/", NULL,
		    "public/ is not there: the published files were not "
		    "compared with the journal");
		return 0;
	}
	if (audit_public_files(audit) != 0 ||
	    audit_public_responses(audit) != 0 ||
	    audit_public_proofs(audit) != 0)
		return -1;
	return audit_public_anchor(audit);
}

const struct audit_pass audit_published = {
	.name = "published",
	.begin = published_begin,
	.entry = published_entry,
	.end = published_end,
};
