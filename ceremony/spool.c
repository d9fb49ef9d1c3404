/*
 * Lists and spools.  A list is JSON, one object a line: a header, then what is
 * to be signed, then what is to be done without a signature.  The spool beside
 * it holds the to-be-signed bytes, one behind the other.  Both are on disk
 * before the first intent.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/staged.h"
#include "base/text.h"
#include "ceremony/act-lists.h"
#include "ceremony/batch.h"
#include "ceremony/run-private.h"

/*
 * The list grows in memory, for it is signed whole; BIO does the growing.  What
 * nobody would read back is not written.
 */
static int
append_bytes(BIO *bio, const void *bytes, size_t len)
{
	char *data = NULL;
	long held = BIO_get_mem_data(bio, &data);

	if (held < 0 || len > LIST_MAX_BYTES ||
	    (size_t)held > LIST_MAX_BYTES - len)
		return ca_error(CA_R_POLICY,
		    "the list of what is to be signed comes to more than %d "
		    "MiB; split the plan into several",
		    LIST_MAX_BYTES >> 20);
	if (BIO_write(bio, bytes, (int)len) != (int)len)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	return 0;
}

/* One line of the list; takes the reference. */
static int
append_line(BIO *list, json_t *row)
{
	AUTO_CHARS(text) = row == NULL
	    ? NULL
	    : json_dumps(row, JSON_COMPACT | JSON_ENSURE_ASCII);

	json_decref(row);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (append_bytes(list, text, strlen(text)) < 0)
		return -1;
	return append_bytes(list, "\n", 1);
}

/* ---- writing ---------------------------------------------------------- */

static int
append_header(struct run *run, BIO *list)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE], built[DATE_TEXT_SIZE];
	AUTO_CHARS(lint) =
	    sha256_hex(run->lint_report, strlen(run->lint_report));
	uint64_t size = 0;

	if (lint == NULL || journal_head(journal_of_run(run), &size, root) < 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	date_format(run->now, built);
	return append_line(list,
	    json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:i, s:{s:I, s:s}, s:s, "
		      "s:s, s:b, s:b}",
		"format", "ca-tool-list-1", "run", run->nonce, "list",
		(int)run->lists, "manifest", run->plan->manifest_sha256, "set",
		run->plan->set, "set_sha256", run->plan->set_sha256,
		"threshold", (int)run->plan->threshold, "journal", "size",
		(json_int_t)size, "root", hex, "built", built, "lint", lint,
		"unattended", plan_unattended(run->plan) ? 1 : 0, "rehearsal",
		0));
}

/* With all that its intent will say, so that those who confirm bind that. */
static json_t *
object_line(const struct built_object *o, size_t number, size_t offset)
{
	unsigned char signer[HASH_LEN];
	char tbs[HASH_HEX_SIZE], key[HASH_HEX_SIZE], built[DATE_TEXT_SIZE];
	AUTO_CHARS(algorithm) = text_hex(o->tbs.alg->der, o->tbs.alg->der_len);

	if (algorithm == NULL || sha256(o->signer, o->signer_len, signer) < 0)
		return NULL;
	text_hex_into(signer, HASH_LEN, key);
	text_hex_into(o->tbs.sha256, HASH_LEN, tbs);
	date_format(o->built, built);
	return json_pack(
	    "{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:O, s:O}",
	    "object", (json_int_t)number, "kind", object_kind_name(o->kind),
	    "name", o->name, "key", key, "algorithm", algorithm, "tbs", tbs,
	    "offset", (json_int_t)offset, "length", (json_int_t)o->tbs.len,
	    "built", built, "summary", o->summary, "facts", o->facts, "lint",
	    o->lint);
}

static json_t *
act_line(const struct built_act *act, size_t number)
{
	AUTO_CHARS(hash) = sha256_hex(act->text, strlen(act->text));

	if (hash == NULL)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:s, s:s}", "act", (json_int_t)number,
	    "kind", act->kind, "sha256", hash, "text", act->text, "summary",
	    act->summary);
}

static json_t *
batch_json(const struct built_batch *batch, size_t number, uint64_t offset)
{
	AUTO_CHARS(algorithm) = text_hex(batch->alg->der, batch->alg->der_len);
	AUTO_CHARS(key) = sha256_hex(batch->signer, batch->signer_len);
	AUTO_CHARS(lines) = NULL;
	unsigned char root[HASH_LEN];
	char root_hex[HASH_HEX_SIZE], built[DATE_TEXT_SIZE];
	size_t len = 0;

	if (algorithm == NULL || key == NULL ||
	    batch_lines(batch, 0, batch->count, &lines, &len, root) < 0)
		return NULL;
	text_hex_into(root, HASH_LEN, root_hex);
	date_format(batch->built, built);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:s, "
			 "s:s, s:O, s:O}",
	    "batch", (json_int_t)number, "kind", object_kind_name(OBJECT_OCSP),
	    "name", batch->name, "key", key, "algorithm", algorithm, "count",
	    (json_int_t)batch->count, "root", root_hex, "offset",
	    (json_int_t)offset, "length", (json_int_t)batch->tbs_len, "built",
	    built, "summary", batch->summary, "facts", batch->facts, "lint",
	    batch->lint);
}

/* What nobody would read back, on another machine, is not written. */
static int
check_spool(uint64_t offset, uint64_t len)
{
	if (len <= LIST_MAX_BYTES && offset <= LIST_MAX_BYTES - len)
		return 0;
	return ca_error(CA_R_POLICY,
	    "what is to be signed comes to more than %d MiB; split the plan "
	    "into several",
	    LIST_MAX_BYTES >> 20);
}

/* Its octets, whether they are in memory or not. */
static int
spool_tbs(struct staged *spool, const struct tbs *tbs)
{
	enum { PIECE = 1 << 16 };
	struct tbs_reader reader;
	struct der_source source;
	AUTO_BYTES(piece) = NULL;
	size_t n = 0;

	if (tbs->file == NULL)
		return staged_write(spool, tbs->der, tbs->len);
	piece = malloc(PIECE);
	if (piece == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (tbs_source(tbs, &reader, &source) < 0)
		return -1;
	for (uint64_t at = 0; at < source.len; at += n) {
		if (source.read(source.ctx, at, piece, PIECE, &n) < 0 ||
		    staged_write(spool, piece, n) < 0)
			return -1;
		if (n == 0)
			return ca_error(CA_R_IO, "a file was cut short");
	}
	return 0;
}

/* What the newest list says, for a list that is made now. */
static void
drop_listed(struct run *run)
{
	listed_batches_free(run->listed_batches, run->listed_batch_count);
	run->listed_batches = NULL;
	run->listed_batch_count = 0;
}

static int
compose_objects(struct run *run, BIO *list, struct staged *spool,
    uint64_t *offset, size_t *ret_objects)
{
	for (size_t i = 0; i < run->build.object_count; i++) {
		const struct built_object *o = &run->build.objects[i];

		if (o->from == BUILT_AND_SIGNED)
			continue;
		if (check_spool(*offset, o->tbs.len) < 0 ||
		    append_line(list, object_line(o, i, *offset)) < 0 ||
		    spool_tbs(spool, &o->tbs) < 0)
			return -1;
		*offset += o->tbs.len;
		run->object_list[i] = run->lists;
		(*ret_objects)++;
	}
	return 0;
}

/* Every line, for those who look at one: list-N-batch-NAME. */
static int
write_responses(struct run *run, const struct built_batch *batch)
{
	AUTO_CHARS(name) =
	    text_printf("list-%u-batch-%s", run->lists, batch->name);
	AUTO_CHARS(lines) = NULL;
	unsigned char root[HASH_LEN];
	size_t len = 0;

	if (name == NULL ||
	    batch_lines(batch, 0, batch->count, &lines, &len, root) < 0)
		return -1;
	return file_write_at(run->fd, name, lines, len, 0600, FILE_REPLACE);
}

static int
compose_batches(struct run *run, BIO *list, struct staged *spool,
    uint64_t *offset, size_t *ret_batches)
{
	for (size_t i = 0; i < run->build.batch_count; i++) {
		struct built_batch *batch = &run->build.batches[i];

		if (batch->from == BUILT_AND_SIGNED)
			continue;
		batch_drop_signed(batch);
		if (check_spool(*offset, batch->tbs_len) < 0 ||
		    append_line(list, batch_json(batch, i, *offset)) < 0 ||
		    staged_write(spool, batch->tbs, batch->tbs_len) < 0 ||
		    write_responses(run, batch) < 0)
			return -1;
		*offset += batch->tbs_len;
		(*ret_batches)++;
	}
	return 0;
}

struct counts {
	size_t objects, batches;
};

static int
compose(
    struct run *run, BIO *list, struct staged *spool, struct counts *ret_counts)
{
	uint64_t offset = 0;

	drop_listed(run);
	if (append_header(run, list) < 0 ||
	    compose_objects(run, list, spool, &offset, &ret_counts->objects) <
		0 ||
	    compose_batches(run, list, spool, &offset, &ret_counts->batches) <
		0)
		return -1;
	for (size_t i = 0; i < run->build.act_count; i++)
		if (append_line(list, act_line(&run->build.acts[i], i)) < 0)
			return -1;
	return 0;
}

static int
begin_spool(struct run *run, struct staged *spool)
{
	AUTO_CHARS(name) = text_printf("spool-%u", run->lists);

	return name == NULL
	    ? -1
	    : staged_begin(spool, run->fd, name, name, 0600, FILE_REPLACE);
}

static int
write_list(struct run *run, BIO *bio)
{
	AUTO_CHARS(name) = text_printf("list-%u", run->lists);
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	if (name == NULL || len < 0)
		return -1;
	return file_write_at(
	    run->fd, name, data, (size_t)len, 0600, FILE_REPLACE);
}

/* The list is what operators sign: it is kept as it was written. */
static int
hold_list(struct run *run, const void *data, size_t len)
{
	unsigned char *copy = bytes_copy(data, len);

	if (copy == NULL)
		return -1;
	free(run->list);
	run->list = copy;
	run->list_len = len;
	return 0;
}

static size_t
count_responses(const struct run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED)
			n += run->build.batches[i].count;
	return n;
}

static int
journal_list(struct run *run, BIO *list, const struct counts *counts)
{
	char *data = NULL;
	long len = BIO_get_mem_data(list, &data);
	AUTO_CHARS(hash) = sha256_hex(data, (size_t)len);
	AUTO_CHARS(text) = text_printf(
	    "everything was built; to be signed: %zu, to be done without a "
	    "signature: %zu",
	    counts->objects + count_responses(run), run->build.act_count);

	unsigned char digest[HASH_LEN], lint[HASH_LEN];
	char lint_hex[HASH_HEX_SIZE];

	if (hash == NULL || text == NULL ||
	    hold_list(run, data, (size_t)len) < 0 ||
	    journal_evidence_put(
		journal_of_run(run), data, (size_t)len, digest) < 0 ||
	    journal_evidence_put(journal_of_run(run), run->lint_report,
		strlen(run->lint_report), lint) < 0)
		return -1;
	text_hex_into(lint, HASH_LEN, lint_hex);
	return journal_append(journal_of_run(run), ENTRY_LIST,
	    json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:b, s:s}", "run",
		run->nonce, "list", (int)run->lists, "sha256", hash, "objects",
		(json_int_t)counts->objects, "batches",
		(json_int_t)counts->batches, "acts",
		(json_int_t)run->build.act_count, "unattended",
		plan_unattended(run->plan) ? 1 : 0, "lint", lint_hex),
	    text, NULL);
}

int
spool_write(struct run *run)
{
	AUTO(BIO) *list = BIO_new(BIO_s_mem());
	AUTO_STRUCT(staged) spool = staged_new();
	struct counts counts = { 0, 0 };

	if (list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (begin_spool(run, &spool) < 0 ||
	    compose(run, list, &spool, &counts) < 0 || staged_end(&spool) < 0 ||
	    staged_commit(&spool) < 0 || write_list(run, list) < 0 ||
	    act_lists_write(run) < 0 || journal_list(run, list, &counts) < 0)
		return -1;
	run->lists++;
	return 0;
}

/* ---- showing ---------------------------------------------------------- */

/* With more than this, each is shown in a few lines. */
enum { BRIEF_ABOVE = 16 };

size_t
spool_items(const struct run *run)
{
	size_t n = run->build.act_count;

	for (size_t i = 0; i < run->build.object_count; i++)
		n += run->build.objects[i].from != BUILT_AND_SIGNED;
	for (size_t i = 0; i < run->build.batch_count; i++)
		n += run->build.batches[i].from != BUILT_AND_SIGNED;
	return n;
}

/* The room knows nothing of this key but what it was told: words help. */
static int
show_late_key(const struct run *run, const struct built_object *o)
{
	const char *spki = json_string_value(json_object_get(o->facts, "spki"));

	if (step_late_name(o->step) == NULL || spki == NULL)
		return 0;
	run->room->show(run->room->ctx, ROOM_WARNING,
	    "this public key came with a request at the run, so no approval "
	    "covers it: compare it with what its owner says");
	return room_digest(run->room, "   its public key, SHA-256:", spki);
}

static int
show_object(
    const struct run *run, size_t n, const struct built_object *o, bool brief)
{
	char hex[HASH_HEX_SIZE];
	AUTO_CHARS(head) = text_printf("%zu. sign %s '%s' with key '%s'", n,
	    object_kind_name(o->kind), o->name, o->key);
	AUTO_CHARS(hash) = NULL;
	AUTO_CHARS(lint) = NULL;

	text_hex_into(o->tbs.sha256, HASH_LEN, hex);
	hash = text_printf("to be signed, SHA-256:\n  %s", hex);
	if (room_lines(run->room, "", head) < 0 ||
	    room_lines(run->room, "   ", brief ? o->summary : o->details) < 0 ||
	    show_late_key(run, o) < 0 || built_lint_text(o->lint, &lint) < 0 ||
	    room_lint(run->room, lint) < 0)
		return -1;
	return room_lines(run->room, "   ", hash);
}

static int
show_batch(const struct run *run, size_t n, const struct built_batch *batch)
{
	AUTO_CHARS(head) = text_printf("%zu. sign %zu OCSP responses '%s' with "
				       "key '%s'",
	    n, batch->count - batch->signed_count, batch->name, batch->key);
	AUTO_CHARS(lint) = NULL;
	AUTO_CHARS(lines) = NULL;
	AUTO_CHARS(hash) = NULL;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	size_t len = 0;

	if (batch_lines(batch, 0, batch->count, &lines, &len, root) < 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	hash = text_printf("root of the tree over all %zu (SHA-256, RFC "
			   "6962):\n  %s",
	    batch->count, hex);
	if (room_lines(run->room, "", head) < 0 ||
	    room_lines(run->room, "   ", batch->details) < 0 ||
	    built_lint_text(batch->lint, &lint) < 0 ||
	    room_lint(run->room, lint) < 0)
		return -1;
	return room_lines(run->room, "   ", hash);
}

/* What it is about; with all of a batch of 20, and the ends of a larger one. */
static int
show_responses(const struct run *run, size_t n, const struct built_batch *batch)
{
	enum { ENDS = 10 };
	const size_t count = batch->count;

	if (show_batch(run, n, batch) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		char line[BATCH_LINE_MAX + 1];
		size_t len;

		if (i == ENDS && count > 2 * ENDS) {
			AUTO_CHARS(gap) =
			    text_printf("... %zu more; all are in "
					"ceremonies/%s/list-%u-batch-%s",
				count - 2 * ENDS, run->plan->directory,
				run->lists - 1, batch->name);

			if (room_lines(run->room, "   ", gap) < 0)
				return -1;
			i = count - ENDS;
		}
		len = batch_line(batch, i, line);
		if (len == 0)
			return -1;
		line[len - 1] = '\0';
		if (room_lines(run->room, "   ", line) < 0)
			return -1;
	}
	return 0;
}

int
spool_show(const struct run *run)
{
	bool brief = spool_items(run) > BRIEF_ABOVE;
	size_t n = 0;

	for (size_t i = 0; i < run->build.object_count; i++)
		if (run->build.objects[i].from != BUILT_AND_SIGNED &&
		    show_object(run, ++n, &run->build.objects[i], brief) < 0)
			return -1;
	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED &&
		    show_batch(run, ++n, &run->build.batches[i]) < 0)
			return -1;
	for (size_t i = 0; i < run->build.act_count; i++) {
		AUTO_CHARS(line) =
		    text_printf("%zu. %s", ++n, run->build.acts[i].summary);

		if (room_lines(run->room, "", line) < 0 ||
		    act_show(run->room, "   ", &run->build.acts[i]) < 0 ||
		    act_show_file(run, i) < 0)
			return -1;
	}
	return 0;
}

/* Everything that its octets say. */
static int
show_decoded(const struct run *run, size_t n, const struct built_object *o)
{
	AUTO_CHARS(text) = NULL;

	if (show_object(run, n, o, false) < 0 ||
	    confirm_decode(&o->tbs, &text) < 0)
		return -1;
	return room_lines(run->room, "   ", text);
}

int
spool_show_item(const struct run *run, size_t item)
{
	size_t n = 0;

	for (size_t i = 0; i < run->build.object_count; i++)
		if (run->build.objects[i].from != BUILT_AND_SIGNED &&
		    ++n == item)
			return show_decoded(run, n, &run->build.objects[i]);
	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED &&
		    ++n == item)
			return show_responses(run, n, &run->build.batches[i]);
	for (size_t i = 0; i < run->build.act_count; i++)
		if (++n == item) {
			const struct built_act *act = &run->build.acts[i];

			if (room_lines(run->room, "", act->summary) < 0 ||
			    act_show(run->room, "   ", act) < 0 ||
			    act_show_file(run, i) < 0)
				return -1;
			return room_lines(run->room, "   ", act->text);
		}
	return ca_error(CA_R_INTERNAL, "the list has no line %zu", item);
}

/* ---- loading ---------------------------------------------------------- */

struct spool {
	int fd;    /* -1: it is lost */
	bool lost; /* something of the list is not in it */
};

static void
spool_clear(struct spool *spool)
{
	cleanup_fd(&spool->fd);
}
CLEANUP_DEFINE_STRUCT(spool);

static struct earlier_object *
earlier_at(struct run *run, size_t number)
{
	struct earlier_object *rows;

	if (number >= 1 << 24) {
		(void)ca_error(CA_R_CORRUPT, "a list counts too many objects");
		return NULL;
	}
	if (number < run->earlier_count)
		return &run->earlier[number];
	rows = realloc(run->earlier, (number + 1) * sizeof(*rows));
	if (rows == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for a list");
		return NULL;
	}
	run->earlier = rows;
	for (size_t i = run->earlier_count; i <= number; i++)
		rows[i] = (struct earlier_object){ 0 };
	run->earlier_count = number + 1;
	return &rows[number];
}

/* A certificates step sees by it which requests had been left out. */
static int
name_earlier(struct earlier_object *e, const char *name)
{
	free(e->name);
	e->name = text_copy(name);
	return e->name == NULL ? -1 : 0;
}

/* So many octets of the spool; false: it has them not. */
static bool
cut_spool(const struct spool *spool, uint64_t offset, size_t len,
    unsigned char **ret_der)
{
	AUTO_BYTES(der) = malloc(len);
	size_t done = 0;

	while (der != NULL && spool->fd >= 0 && done < len) {
		ssize_t n = pread(
		    spool->fd, der + done, len - done, (off_t)(offset + done));

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	if (done < len)
		return false;
	*ret_der = TAKE(der);
	return true;
}

/*
 * The to-be-signed bytes of one line, cut from the spool and compared.  The
 * spool is no evidence: what it has lost is built, and confirmed, anew.
 */
static int
load_object(struct run *run, json_t *row, struct spool *spool)
{
	json_int_t number, offset, length;
	const char *algorithm, *tbs, *built, *name;
	AUTO_BYTES(alg) = NULL;
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(hash) = NULL;
	size_t alg_len = 0;
	struct earlier_object *e;
	int64_t when;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s, s:I, s:I, s:s}", "object",
		&number, "name", &name, "algorithm", &algorithm, "tbs", &tbs,
		"offset", &offset, "length", &length, "built", &built) != 0 ||
	    number < 0 || offset < 0 || length <= 0)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (text_unhex(algorithm, &alg, &alg_len) < 0 ||
	    date_parse(built, &when) < 0)
		return -1;
	e = earlier_at(run, (size_t)number);
	if (e == NULL || name_earlier(e, name) < 0)
		return -1;
	if (length > JOURNAL_EVIDENCE_MAX ||
	    !cut_spool(spool, (uint64_t)offset, (size_t)length, &der)) {
		spool->lost = true;
		return 0;
	}
	hash = sha256_hex(der, (size_t)length);
	if (hash == NULL)
		return -1;
	if (strcmp(hash, tbs) != 0) {
		spool->lost = true;
		return 0;
	}
	e->alg = sigalg_by_der(alg, alg_len);
	if (e->alg == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	e->state = EARLIER_SPOOLED;
	e->built = when;
	e->len = (size_t)length;
	e->der = TAKE(der);
	return 0;
}

/* Its responses are made again: the journal says which ones are signed. */
static int
load_batch(struct run *run, json_t *row)
{
	struct listed_batch *rows, *listed;
	const char *name, *root;
	json_int_t count;

	if (json_unpack(row, "{s:s, s:I, s:s}", "name", &name, "count", &count,
		"root", &root) != 0 ||
	    count <= 0 || strlen(root) != HASH_HEX_SIZE - 1)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	rows = realloc(
	    run->listed_batches, (run->listed_batch_count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	run->listed_batches = rows;
	listed = &rows[run->listed_batch_count];
	*listed = (struct listed_batch){ .count = (size_t)count };
	memcpy(listed->root, root, HASH_HEX_SIZE);
	listed->name = text_copy(name);
	if (listed->name == NULL)
		return -1;
	run->listed_batch_count++;
	return 0;
}

static int
load_act(struct run *run, json_t *row)
{
	const char *hash = json_string_value(json_object_get(row, "sha256"));
	AUTO_CHARS(copy) = hash == NULL ? NULL : text_copy(hash);
	char **acts = realloc(
	    run->listed_acts, (run->listed_act_count + 1) * sizeof(*acts));

	if (acts != NULL)
		run->listed_acts = acts;
	if (hash == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (acts == NULL || copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	acts[run->listed_act_count++] = TAKE(copy);
	return 0;
}

static int
load_header(struct run *run, json_t *row)
{
	const char *built = json_string_value(json_object_get(row, "built"));

	if (built == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	return date_parse(built, &run->listed);
}

static int
load_line(struct run *run, const char *line, size_t len, struct spool *spool)
{
	json_t *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	int rc;

	if (row == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (json_object_get(row, "object") != NULL)
		rc = load_object(run, row, spool);
	else if (json_object_get(row, "batch") != NULL)
		rc = load_batch(run, row);
	else if (json_object_get(row, "act") != NULL)
		rc = load_act(run, row);
	else
		rc = load_header(run, row);
	json_decref(row);
	return rc;
}

/* The list must be the one whose hash is in the journal. */
struct list_search {
	const char *run;
	unsigned list;
	char sha256[HASH_HEX_SIZE];
};

static int
match_list(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct list_search *search = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run, *sha;
	int list;

	(void)seq;
	if (entry != NULL &&
	    json_unpack(entry, "{s:{s:s, s:i, s:s}}", "data", "run", &run,
		"list", &list, "sha256", &sha) == 0 &&
	    strcmp(run, search->run) == 0 && (unsigned)list == search->list)
		(void)snprintf(
		    search->sha256, sizeof(search->sha256), "%s", sha);
	json_decref(entry);
	return 0;
}

static int
check_list(
    struct run *run, unsigned number, const unsigned char *list, size_t len)
{
	struct list_search search = { .run = run->nonce, .list = number };
	AUTO_CHARS(hash) = sha256_hex(list, len);

	if (hash == NULL ||
	    journal_each_entry(journal_of_run(run), run->first, ENTRY_LIST,
		match_list, &search) < 0)
		return -1;
	if (strcmp(hash, search.sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "list-%u of this run is not the one in the journal",
		    number);
	return 0;
}

/* -1 where it is lost, or cannot be ours. */
static int
open_spool(struct run *run, unsigned number, struct spool *spool)
{
	AUTO_CHARS(name) = text_printf("spool-%u", number);
	struct stat st;

	if (name == NULL)
		return -1;
	spool->fd = openat(
	    run->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (spool->fd >= 0 &&
	    (fstat(spool->fd, &st) != 0 || !S_ISREG(st.st_mode)))
		cleanup_fd(&spool->fd);
	return 0;
}

static int
load_lines(struct run *run, const unsigned char *list, size_t list_len,
    struct spool *spool)
{
	size_t at = 0;

	while (at < list_len) {
		const unsigned char *end =
		    memchr(list + at, '\n', list_len - at);

		if (end == NULL)
			return ca_error(CA_R_CORRUPT, "the list is cut off");
		if (load_line(run, (const char *)list + at,
			(size_t)(end - (list + at)), spool) < 0)
			return -1;
		at = (size_t)(end - list) + 1;
	}
	return 0;
}

static int
show_lost(const struct run *run, unsigned number)
{
	AUTO_CHARS(text) = text_printf(
	    "'spool-%u' is lost or was changed: what is not signed yet is "
	    "built, and confirmed, anew",
	    number);

	if (text == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_WARNING, text);
	return 0;
}

static int
load_list(struct run *run, unsigned number)
{
	AUTO_CHARS(name) = text_printf("list-%u", number);
	AUTO_STRUCT(spool) spool = { .fd = -1 };
	AUTO_BYTES(list) = NULL;
	size_t len = 0;

	if (name == NULL ||
	    file_read_at(run->fd, name, LIST_MAX_BYTES, &list, &len) < 0 ||
	    check_list(run, number, list, len) < 0 ||
	    hold_list(run, list, len) < 0 ||
	    open_spool(run, number, &spool) < 0 ||
	    load_lines(run, list, len, &spool) < 0)
		return -1;
	return spool.lost ? show_lost(run, number) : 0;
}

bool
spool_has_acts(const struct run *run, const struct build *build)
{
	if (run->listed_act_count != build->act_count)
		return false;
	for (size_t i = 0; i < build->act_count; i++) {
		const char *text = build->acts[i].text;
		AUTO_CHARS(hash) = sha256_hex(text, strlen(text));

		if (hash == NULL || strcmp(hash, run->listed_acts[i]) != 0)
			return false;
	}
	return true;
}

/*
 * What the journal says of object n, oldest word first.  A signed one is done.
 * One that failed may stand in the newest list again, built anew; its intent
 * in an older list then says nothing of it.
 */
static int
apply_row(void *ctx, const struct object_row *row)
{
	struct run *run = ctx;
	bool newest_list = row->list + 1 == run->lists;
	struct earlier_object *e;

	if (row->adopted || (row->state != OBJECT_SIGNED && !newest_list))
		return 0;
	e = earlier_at(run, row->object);
	if (e == NULL)
		return -1;
	free(e->der);
	*e = (struct earlier_object){ .name = e->name };
	if (name_earlier(e, row->name) < 0)
		return -1;
	if (row->state != OBJECT_SIGNED)
		return 0;
	if (journal_object_bytes(journal_of_run(run), row, &e->der, &e->len) <
	    0)
		return -1;
	e->state = EARLIER_SIGNED;
	return 0;
}

int
spool_load_earlier(struct run *run)
{
	if (run->lists == 0)
		return 0;
	if (load_list(run, run->lists - 1) < 0)
		return -1;
	return journal_each_object(
	    journal_of_run(run), run->nonce, NULL, apply_row, run);
}
