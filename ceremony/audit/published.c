/*
 * What was published: the list of files in each `close`, against what its run
 * signed and took in; and in the end public/ itself.
 *
 * The files that were named stand in a temporary table of the private copy,
 * each with the newest word about it.
 */
#include <string.h>

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

int
audit_output_bytes(const struct object_row *row, const char *ending,
    const unsigned char *der, size_t len, unsigned char **ret_bytes,
    size_t *ret_len)
{
	bool pem = strcmp(ending, ".pem") == 0 || strcmp(ending, ".csr") == 0;
	unsigned char *bytes = NULL;
	enum object_kind kind;

	if (object_kind_by_name(row->kind, &kind) != 0)
		return -1;
	if (pem) {
		if (object_pem(kind, der, len, (char **)&bytes) != 0)
			return -1;
		len = strlen((const char *)bytes);
	} else {
		bytes = malloc(len + 1);
		if (bytes == NULL)
			return ca_error(CA_R_MEMORY, "no memory for an object");
		memcpy(bytes, der, len);
	}
	*ret_bytes = bytes;
	*ret_len = len;
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
check_listed(struct listing *listing, const char *path,
    const unsigned char *bytes, size_t len)
{
	const char *said =
	    json_string_value(json_object_get(listing->files, path));
	AUTO_CHARS(sha256) = sha256_hex(bytes, len);

	if (sha256 == NULL)
		return -1;
	if (said == NULL || strcmp(said, sha256) != 0)
		audit_error(listing->audit, listing->entry, "AUDIT-FILES",
		    "the list of published files %s '%s', which the run made",
		    said == NULL ? "lacks" : "has another SHA-256 of", path);
	if (said != NULL && json_object_del(listing->files, path) != 0)
		return ca_error(CA_R_INTERNAL, "a file that is not listed");
	return 0;
}

static int
check_endings(struct listing *listing, const struct object_row *row,
    const struct audit_output *output, const unsigned char *der, size_t len)
{
	for (const char *const *end = output->endings; *end != NULL; end++) {
		AUTO_CHARS(path) = text_printf(
		    "public/%s/%s%s", output->directory, row->name, *end);
		AUTO_BYTES(bytes) = NULL;
		size_t size;

		if (path == NULL ||
		    audit_output_bytes(row, *end, der, len, &bytes, &size) !=
			0 ||
		    check_listed(listing, path, bytes, size) != 0)
			return -1;
	}
	return 0;
}

static int
check_made(struct listing *listing, const struct object_row *row)
{
	const struct audit_output *output = audit_output_of(row->kind);
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (output == NULL)
		return 0;
	if (audit_evidence_bytes(listing->audit, row->sha256, &der, &len) != 0)
		return -1;
	return der == NULL ? 0 : check_endings(listing, row, output, der, len);
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
	if (audit_public_files(audit) != 0 || audit_public_proofs(audit) != 0)
		return -1;
	return audit_public_anchor(audit);
}

const struct audit_pass audit_published = {
	.name = "published",
	.begin = published_begin,
	.entry = published_entry,
	.end = published_end,
};
