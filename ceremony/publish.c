/*
 * Publishing: the files that may leave the room, made from the journal's
 * bytes, and the close of the run.  Doing it again gives the same files.
 */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/staged.h"
#include "base/text.h"
#include "ceremony/journal/proof.h"
#include "ceremony/run-private.h"
#include "profiles/ocsp.h"

enum {
	OUTPUTS = 4,         /* rows of output_at() */
	TOGETHER_MAX = 4096, /* files that get their names at once */
};

struct publishing {
	struct run *run;
	int fds[OUTPUTS];     /* public/certs, ... */
	json_t *published;    /* {path, sha256} of each file */
	struct staged staged; /* those without their names yet */
};

static struct publishing
publishing_of(struct run *run)
{
	return (struct publishing){
		.run = run,
		.fds = { -1, -1, -1, -1 },
		.staged = staged_new(),
	};
}

static void
publishing_clear(struct publishing *p)
{
	/* It unlinks what has no name yet. */
	staged_clear(&p->staged);
	for (size_t i = 0; i < OUTPUTS; i++)
		cleanup_fd(&p->fds[i]);
	json_decref(p->published);
}
CLEANUP_DEFINE_STRUCT(publishing);

/* ---- space ------------------------------------------------------------ */

/* What a file of `len` octets takes on a disk. */
static uint64_t
on_disk(uint64_t len)
{
	enum { BLOCK = 4096 };

	return (len + BLOCK - 1) / BLOCK * BLOCK;
}

/*
 * Of a response: the spool, a file for each name, and the results, in which it
 * stands in base64, in the journal and for a while in its log.
 */
static uint64_t
batch_space(const struct built_batch *batch)
{
	enum { NAMES = 2, SIGNED_MORE = 1024, JOURNALLED = 4 };
	uint64_t beside = batch->responder_len + SIGNED_MORE;
	uint64_t bytes = 0;

	for (size_t i = 0; i < batch->count; i++) {
		uint64_t len =
		    batch->offsets[i + 1] - batch->offsets[i] + beside;

		bytes += NAMES * on_disk(len) + JOURNALLED * len;
	}
	return bytes;
}

int
publish_space(struct run *run)
{
	enum {
		BASE = 16 << 20, /* journal, list, a small plan */
		FILES = 4,       /* DER, PEM and proof, and the entries */
		COPIES = 6,      /* the spool, those files and the evidence */
	};
	const struct build *build = &run->build;
	uint64_t bytes = BASE;

	for (size_t i = 0; i < build->object_count; i++)
		bytes += FILES * on_disk(1) +
		    COPIES * on_disk(build->objects[i].tbs.len);
	for (size_t i = 0; i < build->batch_count; i++)
		bytes += batch_space(&build->batches[i]);
	return file_space_check(authority_fd(run->authority), bytes,
	    authority_path(run->authority));
}

/* ---- the files of an object ------------------------------------------- */

static bool
is_pem(const char *ending)
{
	return strcmp(ending, ".pem") == 0 || strcmp(ending, ".csr") == 0;
}

/* For the summary. */
static int
note_path(struct publishing *p, const char *path)
{
	struct run_summary *summary = &p->run->summary;
	AUTO_CHARS(copy) = text_copy(path);
	char **paths = realloc(summary->published,
	    (summary->published_count + 1) * sizeof(*paths));

	if (paths != NULL)
		summary->published = paths;
	if (paths == NULL || copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	paths[summary->published_count++] = TAKE(copy);
	return 0;
}

/* And for the close entry. */
static int
note_file(struct publishing *p, const struct staged_file *file)
{
	char hex[HASH_HEX_SIZE];

	text_hex_into(file->sha256, HASH_LEN, hex);
	if (json_array_append_new(p->published,
		json_pack("{s:s, s:s}", "path", file->label, "sha256", hex)) !=
	    0)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	return note_path(p, file->label);
}

/*
 * LINT-POST: what the linters saw is what lies there, octet for octet, before
 * the run is closed: a disk, a file system or somebody else may have other ideas.
 */
static int
read_back(const struct staged_file *file)
{
	if (staged_check(file) == 0)
		return 0;
	if (ca_error_reason() != CA_R_VERIFY && ca_error_reason() != CA_R_INPUT)
		return -1;
	ca_error_clear();
	return ca_error(CA_R_VERIFY,
	    "'%s' was written, and read back it differs from the object in the "
	    "journal; move it away, find out what changed it, then go on with "
	    "'ca-tool plan run --resume'",
	    file->label);
}

/* Names for all files that were written, and a look at each. */
static int
give_names(struct publishing *p, bool listed)
{
	struct staged *staged = &p->staged;

	if (staged_commit(staged) < 0) {
		if (ca_error_reason() != CA_R_EXISTS || staged->taken == NULL)
			return -1;
		return ca_error(CA_R_EXISTS,
		    "'%s' exists, is something else, and was not there when "
		    "the run began; move it away, then go on with 'ca-tool "
		    "plan run --resume'",
		    staged->taken->label);
	}
	for (size_t i = 0; i < staged->count; i++)
		if (read_back(&staged->files[i]) < 0 ||
		    (listed && note_file(p, &staged->files[i]) < 0))
			return -1;
	staged_clear(staged);
	return 0;
}

/* The open directory of an output. */
static int
directory_of(const struct publishing *p, const struct output *output)
{
	return p->fds[output - output_at(0)];
}

/* An object on its way from the journal to a file: DER, or PEM. */
struct copying {
	struct staged *staged;
	EVP_ENCODE_CTX *pem; /* NULL: DER */
};

static int
copy_piece(void *ctx, const unsigned char *data, size_t len)
{
	enum { PIECE = 3072 };
	struct copying *copying = ctx;

	if (copying->pem == NULL)
		return staged_write(copying->staged, data, len);
	for (size_t at = 0; at < len;) {
		unsigned char text[2 * PIECE];
		size_t n = len - at < PIECE ? len - at : PIECE;
		int out = 0;

		if (EVP_EncodeUpdate(
			copying->pem, text, &out, data + at, (int)n) != 1)
			return ca_error(CA_R_INTERNAL, "cannot write PEM");
		if (staged_write(copying->staged, text, (size_t)out) < 0)
			return -1;
		at += n;
	}
	return 0;
}

static int
copy_der(
    struct publishing *p, const unsigned char *digest, struct copying *copying)
{
	return journal_evidence_read(
	    journal_of_run(p->run), digest, copy_piece, copying);
}

static int
copy_pem(struct publishing *p, const unsigned char *digest, const char *label,
    struct copying *copying)
{
	AUTO_CHARS(head) = text_printf("-----BEGIN %s-----\n", label);
	AUTO_CHARS(tail) = text_printf("-----END %s-----\n", label);
	unsigned char rest[128];
	int n = 0;

	if (head == NULL || tail == NULL)
		return -1;
	EVP_EncodeInit(copying->pem);
	if (staged_write(copying->staged, head, strlen(head)) < 0 ||
	    copy_der(p, digest, copying) < 0)
		return -1;
	EVP_EncodeFinal(copying->pem, rest, &n);
	if (staged_write(copying->staged, rest, (size_t)n) < 0)
		return -1;
	return staged_write(copying->staged, tail, strlen(tail));
}

static int
copy_object(struct publishing *p, const struct object_row *row, bool pem)
{
	struct copying copying = { .staged = &p->staged };
	AUTO_BYTES(digest) = NULL;
	enum object_kind kind;
	size_t len = 0;
	int rc;

	if (object_kind_by_name(row->kind, &kind) < 0 ||
	    text_unhex(row->sha256, &digest, &len) < 0)
		return -1;
	if (!pem)
		return copy_der(p, digest, &copying);
	copying.pem = EVP_ENCODE_CTX_new();
	if (copying.pem == NULL)
		return ca_error(CA_R_MEMORY, "no memory for PEM");
	rc = copy_pem(p, digest, object_pem_label(kind), &copying);
	EVP_ENCODE_CTX_free(copying.pem);
	return rc;
}

static int
write_output(struct publishing *p, const struct output *output,
    const struct object_row *row, const char *ending)
{
	AUTO_CHARS(file) = text_printf("%s%s", row->name, ending);
	AUTO_CHARS(path) =
	    text_printf("public/%s/%s%s", output->directory, row->name, ending);

	if (file == NULL || path == NULL ||
	    staged_begin(&p->staged, directory_of(p, output), file, path, 0644,
		FILE_SAME) < 0 ||
	    copy_object(p, row, is_pem(ending)) < 0)
		return -1;
	return staged_end(&p->staged);
}

static int
publish_row(void *ctx, const struct object_row *row)
{
	struct publishing *p = ctx;
	const struct output *output = output_by_kind(row->kind);

	if (row->state != OBJECT_SIGNED)
		return 0;
	if (output == NULL)
		return ca_error(CA_R_CORRUPT,
		    "the journal holds an object of kind '%s'", row->kind);
	for (const char *const *end = output->endings; *end != NULL; end++)
		if (write_output(p, output, row, *end) < 0)
			return -1;
	return p->staged.count < TOGETHER_MAX ? 0 : give_names(p, true);
}

/* ---- OCSP responses --------------------------------------------------- */

/* The windows of a run that have results; the newest word stands last. */
struct windows {
	struct ocsp_window {
		char *name, *items;
		unsigned list;
	} * rows;
	size_t count;
};

static void
windows_clear(struct windows *windows)
{
	for (size_t i = 0; i < windows->count; i++) {
		free(windows->rows[i].name);
		free(windows->rows[i].items);
	}
	free(windows->rows);
}
CLEANUP_DEFINE_STRUCT(windows);

static int
add_window(void *ctx, const struct ocsp_window_row *row)
{
	struct windows *windows = ctx;
	struct ocsp_window *rows, *added;

	if (row->state != OBJECT_SIGNED || row->items == NULL)
		return 0;
	rows = realloc(windows->rows, (windows->count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	windows->rows = rows;
	added = &rows[windows->count++];
	*added = (struct ocsp_window){ .list = row->list };
	added->name = text_copy(row->name);
	added->items = text_copy(row->items);
	return added->name == NULL || added->items == NULL ? -1 : 0;
}

/* The responses of a batch, as they come out of the evidence. */
struct responses {
	struct publishing *p;
	const char *batch;
	int fd;       /* public/ocsp/BATCH */
	json_t *told; /* serials with a newer response; NULL: there is none */
	unsigned char *line;
	size_t fill, room;
	size_t published;
};

static void
responses_clear(struct responses *responses)
{
	cleanup_fd(&responses->fd);
	json_decref(responses->told);
	free(responses->line);
}
CLEANUP_DEFINE_STRUCT(responses);

/* One file for each of its names. */
static int
write_response(struct responses *r, const unsigned char *der, size_t len)
{
	AUTO_STRUCT(ocsp_get_names) names = { .count = 0 };

	if (ocsp_response_names(r->batch, der, len, &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_CHARS(path) =
		    text_printf("public/ocsp/%s/%s", r->batch, names.names[i]);

		if (path == NULL ||
		    staged_put(&r->p->staged, r->fd, names.names[i], path, 0644,
			FILE_SAME, der, len) < 0)
			return -1;
	}
	r->published++;
	return r->p->staged.count < TOGETHER_MAX ? 0 : give_names(r->p, false);
}

/* A response that was made anew counts, whatever was signed before. */
static int
is_told(struct responses *r, const char *serial, bool *ret_told)
{
	*ret_told = r->told != NULL && json_object_get(r->told, serial) != NULL;
	if (r->told == NULL || *ret_told)
		return 0;
	return json_object_set_new(r->told, serial, json_true()) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for OCSP responses");
}

/* "SERIAL SHA256 BASE64", NUL-terminated, or "SERIAL -". */
static int
take_line(struct responses *r, char *line, size_t len)
{
	char *hash = memchr(line, ' ', len);
	char *base64 = hash == NULL ? NULL : strchr(hash + 1, ' ');
	AUTO_BYTES(der) = NULL;
	size_t pad = 0, text_len;
	bool told = false;
	int n;

	if (hash != NULL && strcmp(hash, " -") == 0)
		return 0;
	if (base64 == NULL)
		return ca_error(CA_R_CORRUPT,
		    "the responses of '%s' in the journal are malformed",
		    r->batch);
	*hash = '\0';
	if (is_told(r, line, &told) < 0)
		return -1;
	if (told)
		return 0;
	base64++;
	text_len = len - (size_t)(base64 - line);
	while (pad < 2 && pad < text_len && base64[text_len - 1 - pad] == '=')
		pad++;
	der = malloc(text_len + 1);
	if (der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	n = EVP_DecodeBlock(der, (unsigned char *)base64, (int)text_len);
	if (n < 0 || (size_t)n < pad)
		return ca_error(CA_R_CORRUPT,
		    "a response of '%s' in the journal is malformed", r->batch);
	return write_response(r, der, (size_t)n - pad);
}

/* A line may begin in one piece and end in another. */
static int
keep_piece(struct responses *r, const unsigned char *data, size_t len)
{
	if (r->room - r->fill < len + 1) {
		size_t room = 2 * (r->fill + len + 1);
		unsigned char *line = realloc(r->line, room);

		if (line == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for OCSP responses");
		r->line = line;
		r->room = room;
	}
	memcpy(r->line + r->fill, data, len);
	r->fill += len;
	r->line[r->fill] = '\0';
	return 0;
}

static int
take_piece(void *ctx, const unsigned char *data, size_t len)
{
	struct responses *r = ctx;

	while (len > 0) {
		const unsigned char *end = memchr(data, '\n', len);
		size_t n = end == NULL ? len : (size_t)(end - data), fill;

		if (keep_piece(r, data, n) < 0)
			return -1;
		if (end == NULL)
			return 0;
		fill = r->fill;
		r->fill = 0;
		if (take_line(r, (char *)r->line, fill) < 0)
			return -1;
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}

static int
publish_window(struct responses *r, const struct ocsp_window *window)
{
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (text_unhex(window->items, &digest, &len) < 0)
		return -1;
	return journal_evidence_read(
	    journal_of_run(r->p->run), digest, take_piece, r);
}

/* Was any of this batch listed twice?  Then a response may be there twice. */
static bool
has_lists(const struct windows *windows, size_t last)
{
	for (size_t i = 0; i < last; i++)
		if (strcmp(windows->rows[i].name, windows->rows[last].name) ==
			0 &&
		    windows->rows[i].list != windows->rows[last].list)
			return true;
	return false;
}

/* public/ocsp/BATCH */
static int
open_batch(struct publishing *p, const char *name, int *ret_fd)
{
	AUTO_FD(public_fd) = -1;
	AUTO_FD(ocsp_fd) = -1;
	AUTO_FD(fd) = -1;

	if (dir_open_at(authority_fd(p->run->authority), "public", &public_fd) <
		0 ||
	    dir_make_at(public_fd, "ocsp", 0755, &ocsp_fd) < 0 ||
	    dir_make_at(ocsp_fd, name, 0755, &fd) < 0 || dir_sweep(fd) < 0)
		return -1;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* The newest response of each certificate, from the newest window on. */
static int
publish_windows(struct responses *r, const struct windows *windows, size_t last)
{
	for (size_t i = last + 1; i > 0; i--)
		if (strcmp(windows->rows[i - 1].name, r->batch) == 0 &&
		    publish_window(r, &windows->rows[i - 1]) < 0)
			return -1;
	return give_names(r->p, false);
}

/* The batch whose newest window is `last`. */
static int
publish_batch(struct publishing *p, struct windows *windows, size_t last)
{
	const char *name = windows->rows[last].name;
	AUTO_STRUCT(responses) r = { .p = p, .batch = name, .fd = -1 };
	AUTO_CHARS(text) = NULL;

	if (has_lists(windows, last) && (r.told = json_object()) == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	if (open_batch(p, name, &r.fd) < 0)
		return -1;
	if (publish_windows(&r, windows, last) < 0) {
		/* Before their directory is closed: public/ is served. */
		staged_clear(&p->staged);
		return -1;
	}
	text = text_printf("public/ocsp/%s/ (%zu response%s)", name,
	    r.published, r.published == 1 ? "" : "s");
	return text == NULL ? -1 : note_path(p, text);
}

/*
 * The close entry does not list them: the results in the journal have every
 * octet, and the names follow from those.
 */
static int
publish_batches(struct publishing *p)
{
	AUTO_STRUCT(windows) windows = { 0 };

	if (journal_each_ocsp_window(journal_of_run(p->run), p->run->nonce,
		add_window, &windows) < 0)
		return -1;
	for (size_t i = 0; i < windows.count; i++) {
		bool newest = true;

		for (size_t k = i + 1; k < windows.count; k++)
			newest = newest &&
			    strcmp(windows.rows[k].name,
				windows.rows[i].name) != 0;
		if (newest && publish_batch(p, &windows, i) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of them ------------------------------------------------------ */

/* public/certs and its like, rid of what a cut has left there. */
static int
open_directories(struct publishing *p)
{
	AUTO_FD(public_fd) = -1;

	if (dir_open_at(authority_fd(p->run->authority), "public", &public_fd) <
	    0)
		return -1;
	for (size_t i = 0; i < OUTPUTS; i++) {
		if (output_at(i) == output_by_kind("ocsp"))
			continue; /* with the first batch */
		if (dir_make_at(public_fd, output_at(i)->directory, 0755,
			&p->fds[i]) < 0 ||
		    dir_sweep(p->fds[i]) < 0)
			return -1;
	}
	return 0;
}

static int
publish_files(struct publishing *p)
{
	p->published = json_array();
	if (p->published == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a summary");
	if (open_directories(p) < 0 ||
	    journal_each_object(journal_of_run(p->run), p->run->nonce, NULL,
		publish_row, p) < 0 ||
	    give_names(p, true) < 0)
		return -1;
	return publish_batches(p);
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
	AUTO_STRUCT(publishing) p = publishing_of(run);
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
	AUTO_STRUCT(publishing) p = publishing_of(run);

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
	AUTO_STRUCT(publishing) p = publishing_of(run);
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
