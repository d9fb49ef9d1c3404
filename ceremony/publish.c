/*
 * Publishing: the files that may leave the room, made from the journal's
 * bytes, and the close of the run.  Doing it again gives the same files.
 */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/proof.h"
#include "ceremony/run-private.h"

enum { OUTPUTS = 3 }; /* rows of output_at() */

struct publishing {
	struct run *run;
	int fds[OUTPUTS];  /* public/certs, ... */
	json_t *published; /* {path, sha256} of each file */
};

static void
publishing_clear(struct publishing *p)
{
	for (size_t i = 0; i < OUTPUTS; i++)
		cleanup_fd(&p->fds[i]);
	json_decref(p->published);
}
CLEANUP_DEFINE_STRUCT(publishing);

static bool
is_pem(const char *ending)
{
	return strcmp(ending, ".pem") == 0 || strcmp(ending, ".csr") == 0;
}

/* Remember a path for the close entry and the summary. */
static int
note_path(struct publishing *p, const char *path, const void *data, size_t len)
{
	struct run_summary *summary = &p->run->summary;
	AUTO_CHARS(hash) = sha256_hex(data, len);
	AUTO_CHARS(copy) = text_copy(path);
	char **paths = realloc(summary->published,
	    (summary->published_count + 1) * sizeof(*paths));

	if (paths != NULL)
		summary->published = paths;
	if (paths == NULL || hash == NULL || copy == NULL ||
	    json_array_append_new(p->published,
		json_pack("{s:s, s:s}", "path", path, "sha256", hash)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	paths[summary->published_count++] = TAKE(copy);
	return 0;
}

/*
 * LINT-POST: what the linters saw is what lies there, octet for octet, before
 * the run is closed: a disk, a file system or somebody else may have other ideas.
 */
static int
read_back(
    int dirfd, const char *file, const char *path, const void *data, size_t len)
{
	AUTO_BYTES(found) = NULL;
	size_t n = 0;

	if (file_read_at(dirfd, file, len, &found, &n) == 0) {
		if (n == len && memcmp(found, data, len) == 0)
			return 0;
	} else if (ca_error_reason() != CA_R_INPUT) {
		return -1;
	}
	ca_error_clear(); /* it is longer than what was written */
	return ca_error(CA_R_VERIFY,
	    "'%s' was written, and read back it differs from the object in the "
	    "journal; move it away, find out what changed it, then go on with "
	    "'ca-tool plan run --resume'",
	    path);
}

static int
write_output(struct publishing *p, int dirfd, const struct output *output,
    const char *name, const char *ending, const void *data, size_t len)
{
	AUTO_CHARS(file) = text_printf("%s%s", name, ending);
	AUTO_CHARS(path) =
	    text_printf("public/%s/%s%s", output->directory, name, ending);

	if (file == NULL || path == NULL)
		return -1;
	if (file_write_at(dirfd, file, data, len, 0644, FILE_SAME) < 0) {
		if (ca_error_reason() != CA_R_EXISTS)
			return -1;
		return ca_error(CA_R_EXISTS,
		    "'%s' exists, is something else, and was not there when "
		    "the run began; move it away, then go on with 'ca-tool "
		    "plan run --resume'",
		    path);
	}
	if (read_back(dirfd, file, path, data, len) < 0)
		return -1;
	return note_path(p, path, data, len);
}

/* The open directory of an output. */
static int
directory_of(const struct publishing *p, const struct output *output)
{
	return p->fds[output - output_at(0)];
}

static int
publish_bytes(struct publishing *p, const struct object_row *row,
    const unsigned char *der, size_t len)
{
	const struct output *output = output_by_kind(row->kind);
	enum object_kind kind;
	AUTO_CHARS(pem) = NULL;

	if (output == NULL || object_kind_by_name(row->kind, &kind) < 0)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds an object of kind '%s'", row->kind);
	if (object_pem(kind, der, len, &pem) < 0)
		return -1;
	for (const char *const *end = output->endings; *end != NULL; end++) {
		const void *data = is_pem(*end) ? (const void *)pem : der;
		size_t size = is_pem(*end) ? strlen(pem) : len;

		if (write_output(p, directory_of(p, output), output, row->name,
			*end, data, size) < 0)
			return -1;
	}
	return 0;
}

static int
publish_row(void *ctx, const struct object_row *row)
{
	struct publishing *p = ctx;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (row->state != OBJECT_SIGNED)
		return 0;
	if (journal_object_bytes(journal_of_run(p->run), row, &der, &len) < 0)
		return -1;
	return publish_bytes(p, row, der, len);
}

/* public/certs and its like, rid of what a cut has left there. */
static int
open_directories(struct publishing *p)
{
	AUTO_FD(public_fd) = -1;

	if (dir_open_at(authority_fd(p->run->authority), "public", &public_fd) <
	    0)
		return -1;
	for (size_t i = 0; i < OUTPUTS; i++)
		if (dir_make_at(public_fd, output_at(i)->directory, 0755,
			&p->fds[i]) < 0 ||
		    dir_sweep(p->fds[i]) < 0)
			return -1;
	return 0;
}

static int
publish_files(struct publishing *p)
{
	p->published = json_array();
	if (p->published == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	if (open_directories(p) < 0)
		return -1;
	return journal_each_object(
	    journal_of_run(p->run), p->run->nonce, NULL, publish_row, p);
}

/* The list of files is evidence: it may be longer than an entry. */
static int
append_close(struct publishing *p, const char *outcome, const char *transcript)
{
	struct journal *journal = journal_of_run(p->run);
	bool done = strcmp(outcome, "done") == 0;
	AUTO_CHARS(files) =
	    json_dumps(p->published, JSON_COMPACT | JSON_ENSURE_ASCII);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (files == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	if (journal_evidence_put(journal, files, strlen(files), digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	return journal_append(journal, ENTRY_CLOSE,
	    json_pack("{s:s, s:s, s:I, s:s, s:s}", "run", p->run->nonce,
		"outcome", outcome, "published",
		(json_int_t)json_array_size(p->published), "files", hex,
		"transcript", transcript),
	    done ? "the plan was carried out" : "the run was refused", NULL);
}

int
publish_and_close(struct run *run, const char *outcome)
{
	AUTO_STRUCT(publishing) p = { .run = run, .fds = { -1, -1, -1 } };
	struct journal *journal = journal_of_run(run);
	char transcript[HASH_HEX_SIZE];

	if (publish_files(&p) < 0 || transcript_write(run, transcript) < 0 ||
	    journal_begin(journal) < 0)
		return -1;
	if (append_close(&p, outcome, transcript) < 0) {
		journal_rollback(journal);
		return -1;
	}
	if (journal_commit(journal) < 0)
		return -1;
	return publish_receipt(run);
}

/* For a run that was closed before: what it published, and its receipt. */
int
publish_again(struct run *run)
{
	AUTO_STRUCT(publishing) p = { .run = run, .fds = { -1, -1, -1 } };

	if (publish_files(&p) < 0)
		return -1;
	return publish_receipt(run);
}

/* ---- receipt and proofs ----------------------------------------------- */

struct proving {
	struct publishing *publishing;
	const char *checkpoint;
};

/*
 * NAME.tlog-proof: that the entry with the object's hash is in the journal.  Not
 * among the files of the close entry, since it rests on what comes after that.
 */
static int
prove_row(void *ctx, const struct object_row *row)
{
	const struct proving *proving = ctx;
	const struct publishing *p = proving->publishing;
	const struct output *output = output_by_kind(row->kind);
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(file) = NULL;

	if (row->state != OBJECT_SIGNED || output == NULL ||
	    strcmp(row->kind, object_kind_name(OBJECT_CSR)) == 0)
		return 0;
	file = text_printf("%s.tlog-proof", row->name);
	if (file == NULL ||
	    proof_make(journal_of_run(p->run), PROOF_INCLUSION, row->result,
		proving->checkpoint, &proof) < 0 ||
	    proof_compose(&proof, &text) < 0)
		return -1;
	return file_write_at(directory_of(p, output), file, text, strlen(text),
	    0644, FILE_REPLACE);
}

static int
publish_proofs(void *ctx, const char *checkpoint)
{
	struct run *run = ctx;
	AUTO_STRUCT(publishing) p = { .run = run, .fds = { -1, -1, -1 } };
	struct proving proving = { .publishing = &p, .checkpoint = checkpoint };

	if (open_directories(&p) < 0)
		return -1;
	return journal_each_object(
	    journal_of_run(run), run->nonce, NULL, prove_row, &proving);
}

int
publish_receipt(struct run *run)
{
	AUTO_CHARS(note) = NULL;

	if (authority_checkpoint(
		run->authority, run->fd, publish_proofs, run, &note) < 0)
		return -1;
	run->summary.receipt = TAKE(note);
	run->summary.directory = text_copy(run->plan->directory);
	return run->summary.directory == NULL ? -1 : 0;
}
