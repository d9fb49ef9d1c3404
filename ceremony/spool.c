/*
 * Lists and spools.  A list is JSON, one object a line: a header, then what is
 * to be signed, then what is to be done without a signature.  The spool beside
 * it holds the to-be-signed bytes, one behind the other.  Both are on disk
 * before the first intent.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/staged.h"
#include "base/text.h"
#include "ceremony/act-lists.h"
#include "ceremony/batch.h"
#include "ceremony/decode.h"
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

/* Its lines, in the file `lines`: `items` is what the evidence has. */
static json_t *
batch_json(const struct built_batch *batch, size_t number, uint64_t offset,
    const struct staged_file *lines, const unsigned char root[HASH_LEN])
{
	AUTO_CHARS(algorithm) = text_hex(batch->alg->der, batch->alg->der_len);
	AUTO_CHARS(key) = sha256_hex(batch->signer, batch->signer_len);
	char root_hex[HASH_HEX_SIZE], items[HASH_HEX_SIZE];
	char built[DATE_TEXT_SIZE];

	if (algorithm == NULL || key == NULL)
		return NULL;
	text_hex_into(root, HASH_LEN, root_hex);
	text_hex_into(lines->sha256, HASH_LEN, items);
	date_format(batch->built, built);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:I, "
			 "s:s, s:s, s:O, s:O}",
	    "batch", (json_int_t)number, "kind", object_kind_name(OBJECT_OCSP),
	    "name", batch->name, "key", key, "algorithm", algorithm, "count",
	    (json_int_t)batch->count, "root", root_hex, "items", items,
	    "offset", (json_int_t)offset, "length", (json_int_t)batch->tbs_len,
	    "built", built, "summary", batch->summary, "facts", batch->facts,
	    "lint", batch->lint);
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
write_line(void *ctx, const char *line, size_t len)
{
	return staged_write(ctx, line, len);
}

/*
 * Every line, for those who look at one: list-N-batch-NAME.  The same octets
 * become evidence with the list.
 */
static int
write_responses(struct run *run, const struct built_batch *batch,
    struct staged *lines, unsigned char ret_root[HASH_LEN])
{
	AUTO_CHARS(name) =
	    text_printf("list-%u-batch-%s", run->lists, batch->name);

	if (name == NULL ||
	    staged_begin(lines, run->fd, name, name, 0600, FILE_REPLACE) < 0 ||
	    batch_each_line(
		batch, 0, batch->count, write_line, lines, ret_root) < 0)
		return -1;
	return staged_end(lines);
}

/* What a list is made of, beside its lines. */
struct composing {
	BIO *list;
	struct staged *spool;
	uint64_t offset;      /* in the spool */
	struct staged *lines; /* of batches, a file each */
	size_t objects, batches;
};

static int
compose_objects(struct run *run, struct composing *c)
{
	for (size_t i = 0; i < run->build.object_count; i++) {
		const struct built_object *o = &run->build.objects[i];

		if (o->from == BUILT_AND_SIGNED)
			continue;
		if (check_spool(c->offset, o->tbs.len) < 0 ||
		    append_line(c->list, object_line(o, i, c->offset)) < 0 ||
		    spool_tbs(c->spool, &o->tbs) < 0)
			return -1;
		c->offset += o->tbs.len;
		run->object_list[i] = run->lists;
		c->objects++;
	}
	return 0;
}

static int
compose_batch(struct run *run, struct composing *c, size_t number)
{
	struct built_batch *batch = &run->build.batches[number];
	unsigned char root[HASH_LEN];

	batch_drop_signed(batch);
	if (check_spool(c->offset, batch->tbs_len) < 0 ||
	    write_responses(run, batch, c->lines, root) < 0 ||
	    append_line(c->list,
		batch_json(batch, number, c->offset,
		    &c->lines->files[c->lines->count - 1], root)) < 0 ||
	    staged_write(c->spool, batch->tbs, batch->tbs_len) < 0)
		return -1;
	c->offset += batch->tbs_len;
	c->batches++;
	return 0;
}

static int
compose(struct run *run, struct composing *c)
{
	drop_listed(run);
	if (append_header(run, c->list) < 0 || compose_objects(run, c) < 0)
		return -1;
	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED &&
		    compose_batch(run, c, i) < 0)
			return -1;
	for (size_t i = 0; i < run->build.act_count; i++)
		if (append_line(c->list, act_line(&run->build.acts[i], i)) < 0)
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

/* As it was written a moment ago: what operators sign names its SHA-256. */
static int
put_lines(struct journal *journal, const struct staged_file *file)
{
	unsigned char digest[HASH_LEN];
	AUTO_FD(fd) =
	    openat(file->dirfd, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", file->label);
	if (journal_evidence_put_file(journal, fd, 0, file->len, digest) < 0)
		return -1;
	if (memcmp(digest, file->sha256, HASH_LEN) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' was changed while the list was made; begin again",
		    file->label);
	return 0;
}

static int
put_evidence(struct run *run, const struct composing *c)
{
	struct journal *journal = journal_of_run(run);
	unsigned char digest[HASH_LEN];

	for (size_t i = 0; i < c->lines->count; i++)
		if (put_lines(journal, &c->lines->files[i]) < 0)
			return -1;
	if (journal_evidence_put(journal, run->list, run->list_len, digest) < 0)
		return -1;
	return journal_evidence_put(
	    journal, run->lint_report, strlen(run->lint_report), digest);
}

static int
append_list(struct run *run, const struct composing *c)
{
	AUTO_CHARS(hash) = sha256_hex(run->list, run->list_len);
	AUTO_CHARS(lint) =
	    sha256_hex(run->lint_report, strlen(run->lint_report));
	AUTO_CHARS(text) = text_printf(
	    "everything was built; to be signed: %zu, to be done without a "
	    "signature: %zu",
	    c->objects + count_responses(run), run->build.act_count);

	if (hash == NULL || lint == NULL || text == NULL ||
	    put_evidence(run, c) < 0)
		return -1;
	return journal_append(journal_of_run(run), ENTRY_LIST,
	    json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:b, s:s}", "run",
		run->nonce, "list", (int)run->lists, "sha256", hash, "objects",
		(json_int_t)c->objects, "batches", (json_int_t)c->batches,
		"acts", (json_int_t)run->build.act_count, "unattended",
		plan_unattended(run->plan) ? 1 : 0, "lint", lint),
	    text, NULL);
}

/* With all its evidence, or not at all. */
static int
journal_list(struct run *run, const struct composing *c)
{
	struct journal *journal = journal_of_run(run);
	char *data = NULL;
	long len = BIO_get_mem_data(c->list, &data);

	if (len < 0 || hold_list(run, data, (size_t)len) < 0 ||
	    journal_begin(journal) < 0)
		return -1;
	if (append_list(run, c) < 0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}

int
spool_write(struct run *run)
{
	AUTO(BIO) *list = BIO_new(BIO_s_mem());
	AUTO_STRUCT(staged) spool = staged_new();
	AUTO_STRUCT(staged) lines = staged_new();
	struct composing c = { .list = list, .spool = &spool, .lines = &lines };

	if (list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (begin_spool(run, &spool) < 0 || compose(run, &c) < 0 ||
	    staged_end(&spool) < 0 || staged_commit(&spool) < 0 ||
	    staged_commit(&lines) < 0 || write_list(run, list) < 0 ||
	    act_lists_write(run) < 0 || journal_list(run, &c) < 0)
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
	const size_t count = batch->count - batch->signed_count;
	AUTO_CHARS(head) = text_printf("%zu. sign %zu OCSP response%s '%s' "
				       "with key '%s'",
	    n, count, count == 1 ? "" : "s", batch->name, batch->key);
	AUTO_CHARS(lint) = NULL;
	AUTO_CHARS(hash) = NULL;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (batch_root(batch, root) < 0)
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
	return show_object(run, n, o, false) < 0
	    ? -1
	    : decode_show(run->room, "   ", &o->tbs);
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
