/*
 * Windows of OCSP responses: one intent and one result for each window, with
 * the items as evidence below a root.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/batch.h"
#include "ceremony/ca-keys.h"
#include "ceremony/journal/tree.h"
#include "ceremony/sign-private.h"
#include "profiles/ocsp.h"

enum {
	FIRST_RESPONSES = 1024,
	WINDOW_RESPONSES = 16384,
	WINDOW_SPACE = 4 << 20,
	/* Its files and its line of the evidence, beside what is signed. */
	SPACE_PER_RESPONSE = 16 << 10,
	SPACE_SIGNATURE = 4096,
};

/* ---- filling a window ------------------------------------------------- */

/*
 * A certificate that this plan made was built with a constant for its
 * signature: what goes beside a response is the signed one.
 */
static int
take_signed(struct run *run, const char *name, unsigned char **der, size_t *len)
{
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(bytes) = NULL;
	size_t bytes_len = 0;
	bool found = false;

	if (name == NULL)
		return 0;
	if (journal_object(
		journal_of_run(run), "certificate", name, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(CA_R_STATE,
		    "certificate '%s' is not signed, and OCSP responses rest "
		    "on it",
		    name);
	if (journal_object_bytes(
		journal_of_run(run), &row, &bytes, &bytes_len) < 0)
		return -1;
	free(*der);
	*der = TAKE(bytes);
	*len = bytes_len;
	return 0;
}

/* Before the first window: no thread looks at them yet. */
static int
prepare(struct run *run, unsigned stage)
{
	for (size_t i = 0; i < run->build.batch_count; i++) {
		struct built_batch *batch = &run->build.batches[i];

		if (batch->stage != stage || batch->from == BUILT_AND_SIGNED)
			continue;
		if (take_signed(run, batch->issuer, &batch->issuer_der,
			&batch->issuer_len) < 0 ||
		    take_signed(run, batch->responder, &batch->responder_der,
			&batch->responder_len) < 0 ||
		    built_batch_prepare(batch) < 0)
			return -1;
	}
	return 0;
}

static int
begin_window(struct run *run, struct built_batch *batch, struct window *window)
{
	window->batch = batch;
	window->number = run->ocsp_windows++;
	if (ca_state_allows(journal_of_run(run), batch->key, ISSUER_STATUS) < 0)
		return -1;
	return ca_state_allows_certificate(
	    journal_of_run(run), batch->issuer, ISSUER_STATUS);
}

static int
add_response(struct run *run, struct window *window, size_t i)
{
	struct built_batch *batch = window->batch;
	const struct der der = batch_item_der(batch, i);
	struct sign_job *job = &window->jobs[window->count];

	if (window_take_key(
		window, batch->alg, batch->signer, batch->signer_len) < 0 ||
	    authority_key(run->authority, batch->key, &job->key) < 0 ||
	    sigalg_digest(batch->alg, der.p, der.len, job->digest) < 0)
		return -1;
	job->alg = batch->alg;
	job->owner = window;
	window->items[window->count++].number = i;
	return 0;
}

/* Responses that stand together, and are not signed. */
static int
fill_from(struct run *run, struct built_batch *batch, size_t max, size_t *at,
    struct window *window)
{
	size_t i = *at;

	while (i < batch->count && batch->items[i].is_signed)
		i++;
	window->first = i;
	if (i < batch->count && begin_window(run, batch, window) < 0)
		return -1;
	for (; i < batch->count && window->count < max &&
	     !batch->items[i].is_signed;
	     i++)
		if (add_response(run, window, i) < 0)
			return -1;
	*at = i;
	return 0;
}

/* The cursor counts through all batches. */
static int
fill(struct run *run, unsigned stage, size_t max, size_t *cursor,
    struct window *window)
{
	size_t before = 0;

	if (window_reserve(window, max) < 0)
		return -1;
	for (size_t b = 0; b < run->build.batch_count && window->count == 0;
	     b++) {
		struct built_batch *batch = &run->build.batches[b];
		size_t at = *cursor < before ? 0 : *cursor - before;

		if (batch->stage == stage && batch->from != BUILT_AND_SIGNED &&
		    at < batch->count) {
			if (fill_from(run, batch, max, &at, window) < 0)
				return -1;
			*cursor = before + at;
		}
		before += batch->count;
	}
	return 0;
}

static uint64_t
space(const struct window *window)
{
	return WINDOW_SPACE +
	    (uint64_t)window->count *
	    (SPACE_PER_RESPONSE + SPACE_SIGNATURE +
		2 * (uint64_t)window->batch->responder_len);
}

/* ---- intents ---------------------------------------------------------- */

static int
put_lines(struct journal *journal, const char *lines, size_t len,
    const unsigned char root[HASH_LEN], char ret_items[HASH_HEX_SIZE],
    char ret_root[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(journal, lines, len, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_items);
	text_hex_into(root, HASH_LEN, ret_root);
	return 0;
}

static json_t *
intent_json(const struct run *run, const struct window *window, unsigned list,
    const char *items, const char *root)
{
	const struct built_batch *batch = window->batch;
	AUTO_CHARS(algorithm) = text_hex(batch->alg->der, batch->alg->der_len);
	AUTO_CHARS(key) = sha256_hex(batch->signer, batch->signer_len);
	json_t *data;

	if (algorithm == NULL || key == NULL)
		return NULL;
	data = json_pack("{s:s, s:i, s:i, s:I, s:I, s:s, s:s, s:s, s:s, s:s}",
	    "run", run->nonce, "list", (int)list, "window", (int)window->number,
	    "first", (json_int_t)window->first, "count",
	    (json_int_t)window->count, "name", batch->name, "key", key,
	    "algorithm", algorithm, "root", root, "items", items);
	if (data != NULL && json_object_update(data, batch->facts) != 0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
append_intent(struct run *run, const struct window *window, unsigned list)
{
	struct journal *journal = journal_of_run(run);
	AUTO_CHARS(text) =
	    text_printf("about to sign %zu OCSP responses of '%s'",
		window->count, window->batch->name);
	AUTO_CHARS(lines) = NULL;
	unsigned char root[HASH_LEN];
	char root_hex[HASH_HEX_SIZE], items[HASH_HEX_SIZE];
	size_t len = 0;
	json_t *data;

	if (text == NULL ||
	    batch_lines(window->batch, window->first, window->count, &lines,
		&len, root) < 0 ||
	    put_lines(journal, lines, len, root, items, root_hex) < 0)
		return -1;
	data = intent_json(run, window, list, items, root_hex);
	if (data == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	return journal_append(journal, ENTRY_OCSP_INTENT, data, text, NULL);
}

static int
append_intents(struct window *window)
{
	return append_intent(window->run, window, window->run->lists - 1);
}

/* ---- one response ----------------------------------------------------- */

/* "SERIAL SHA256 BASE64\n" */
static int
make_line(const struct window *window, struct window_item *item,
    const unsigned char *der, size_t len)
{
	const char *serial = window->batch->items[item->number].serial;
	size_t room =
	    strlen(serial) + 1 + 2 * HASH_LEN + 1 + 4 * ((len + 2) / 3) + 2;
	AUTO_BYTES(line) = malloc(room);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	int n;

	if (line == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	if (sha256(der, len, digest) < 0 || tree_leaf(der, len, item->leaf) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	n = snprintf((char *)line, room, "%s %s ", serial, hex);
	n += EVP_EncodeBlock(line + n, der, (int)len);
	line[n++] = '\n';
	item->der = TAKE(line);
	item->len = (size_t)n;
	return 0;
}

static int
reject(struct window_item *item, const char *why)
{
	item->outcome = OUTCOME_REJECTED;
	item->rejected = why;
	return -1;
}

/*
 * What the first response of a window showed in full, reading it back with
 * OpenSSL's own decoder, the others have octet for octet: all but ResponseData,
 * which is compared with the listed one, and the signature.
 */
static int
verify_like_first(const struct built_batch *batch,
    const struct window_item *item, const struct tbs *tbs,
    const unsigned char *der, size_t len)
{
	struct ocsp_parts parts;

	if (ocsp_take_apart("ocsp", der, len, &parts) < 0 ||
	    !der_equal(parts.tbs, tbs->der, tbs->len) ||
	    !der_equal(parts.alg, tbs->alg->der, tbs->alg->der_len) ||
	    !der_equal(
		parts.responder, batch->responder_der, batch->responder_len))
		return ca_error(CA_R_VERIFY,
		    "the signed response is not the one that was to be signed");
	return sigalg_verify_with(tbs->alg, item->key, tbs->der, tbs->len,
	    parts.signature.p, parts.signature.len);
}

static int
verify(const struct built_batch *batch, struct window_item *item, bool first,
    const struct tbs *tbs, const unsigned char *der, size_t len)
{
	int rc = first ? object_verify_with(tbs, item->key, der, len)
		       : verify_like_first(batch, item, tbs, der, len);

	if (rc == 0)
		return 0;
	/* No memory, say, is no word about the token. */
	if (ca_error_reason() != CA_R_VERIFY)
		return -1;
	(void)reject(item,
	    "the token's signature does not verify with the kept public key; "
	    "the responses are withheld");
	return ca_error(CA_R_VERIFY,
	    "the signature of an OCSP response of '%s' (serial %s) does not "
	    "verify with the public key kept for '%s'; it is withheld, and the "
	    "run stops: find out what is wrong with the token",
	    batch->name, batch->items[item->number].serial, batch->key);
}

static int
finish(struct window *window, size_t i)
{
	struct window_item *item = &window->items[i];
	const struct sign_job *job = &window->jobs[i];
	struct built_batch *batch = window->batch;
	const struct tbs tbs = {
		.kind = OBJECT_OCSP,
		.alg = batch->alg,
		.der = batch->tbs + batch->offsets[item->number],
		.len = batch_item_der(batch, item->number).len,
	};
	AUTO_BYTES(response) = NULL;
	size_t len = 0;

	if (ocsp_assemble(&tbs, job->signature, job->signature_len,
		batch->responder_der, batch->responder_len, &response,
		&len) < 0 ||
	    verify(batch, item, i == 0, &tbs, response, len) < 0)
		return -1;
	if (lint_response(
		window->run, batch, (struct der){ response, len }, i == 0) < 0)
		return ca_error_reason() != CA_R_VERIFY
		    ? -1
		    : reject(item,
			  "a linter refuses what was signed; the responses "
			  "are withheld");
	if (make_line(window, item, response, len) < 0)
		return -1;
	item->outcome = OUTCOME_SIGNED;
	return 0;
}

/* ---- results ---------------------------------------------------------- */

/* Why the window comes to nothing; NULL: it does not. */
struct failure {
	const char *why;
	bool possibly_signed;
};

static struct failure
failure_of(const struct window *window)
{
	struct failure failure = { NULL, true };
	size_t begun = 0;

	for (size_t i = 0; i < window->count; i++) {
		const struct window_item *item = &window->items[i];

		if (item->outcome == OUTCOME_REJECTED)
			return (struct failure){ item->rejected, true };
		if (item->outcome == OUTCOME_UNKNOWN)
			failure.why = "the token failed while they were being "
				      "signed; they are built anew";
		begun += item->outcome == OUTCOME_UNKNOWN ||
		    item->outcome == OUTCOME_SIGNED;
	}
	if (begun > 0)
		return failure;
	/* Perhaps not even the head over its intent came to the token. */
	return (
	    struct failure){ "signing was stopped before it was begun", false };
}

static int
append_failed(struct run *run, const char *name, unsigned list, unsigned window,
    const struct failure *failure)
{
	return journal_append(journal_of_run(run), ENTRY_OCSP_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b}", "run", run->nonce,
		"list", (int)list, "window", (int)window, "name", name, "why",
		failure->why, "possibly_signed", (int)failure->possibly_signed),
	    failure->why, NULL);
}

/* The lines of all, and the root over those that are signed. */
static int
collect_lines(const struct window *window, char **ret_lines, size_t *ret_len,
    unsigned char ret_root[HASH_LEN])
{
	const struct batch_item *rows = window->batch->items;
	struct tree_range range = { .size = 0 };
	AUTO_CHARS(lines) = NULL;
	size_t room = 1, len = 0;

	for (size_t i = 0; i < window->count; i++)
		room += window->items[i].len + sizeof(rows[0].serial) + 4;
	lines = malloc(room);
	if (lines == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	for (size_t i = 0; i < window->count; i++) {
		const struct window_item *item = &window->items[i];

		if (item->outcome == OUTCOME_SIGNED) {
			memcpy(lines + len, item->der, item->len);
			len += item->len;
			if (tree_range_add(&range, item->leaf, NULL, NULL) < 0)
				return -1;
		} else {
			len += (size_t)snprintf(lines + len, room - len,
			    "%s -\n", rows[item->number].serial);
		}
	}
	if (tree_range_root(&range, ret_root) < 0)
		return -1;
	*ret_lines = TAKE(lines);
	*ret_len = len;
	return 0;
}

/* For those who resume, and for the room's count. */
static size_t
mark_signed(struct window *window)
{
	size_t n = 0;

	for (size_t i = 0; i < window->count; i++) {
		const struct window_item *item = &window->items[i];

		if (item->outcome != OUTCOME_SIGNED)
			continue;
		window->batch->items[item->number].is_signed = true;
		n++;
	}
	return n;
}

static int
append_outcomes(struct window *window)
{
	struct run *run = window->run;
	struct journal *journal = journal_of_run(run);
	const char *name = window->batch->name;
	const struct failure failure = failure_of(window);
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(lines) = NULL;
	unsigned char root[HASH_LEN];
	char root_hex[HASH_HEX_SIZE], items[HASH_HEX_SIZE];
	size_t len = 0;

	if (failure.why != NULL)
		return append_failed(
		    run, name, run->lists - 1, window->number, &failure);
	text = text_printf(
	    "signed %zu OCSP responses of '%s'", mark_signed(window), name);
	if (text == NULL || collect_lines(window, &lines, &len, root) < 0 ||
	    put_lines(journal, lines, len, root, items, root_hex) < 0)
		return -1;
	return journal_append(journal, ENTRY_OCSP_RESULT,
	    json_pack("{s:s, s:i, s:i, s:s, s:I, s:s, s:s}", "run", run->nonce,
		"list", (int)run->lists - 1, "window", (int)window->number,
		"name", name, "count", (json_int_t)window->count, "root",
		root_hex, "items", items),
	    text, NULL);
}

const struct window_kind window_of_ocsp = {
	.first_count = FIRST_RESPONSES,
	.max_count = WINDOW_RESPONSES,
	.prepare = prepare,
	.fill = fill,
	.append_intents = append_intents,
	.finish = finish,
	.append_outcomes = append_outcomes,
	.space = space,
};

/* ---- rehearsing, and after a cut -------------------------------------- */

/* The first response of each: the others differ in nothing that is checked. */
int
rehearse_batches(struct run *run)
{
	for (size_t i = 0; i < run->build.batch_count; i++) {
		const struct window window = {
			.run = run,
			.batch = &run->build.batches[i],
			.number = run->ocsp_windows,
			.count = 1,
		};

		if (run->build.batches[i].from != BUILT_AND_SIGNED &&
		    append_intent(run, &window, run->lists) < 0)
			return -1;
	}
	return 0;
}

static int
settle_one(void *ctx, const struct ocsp_window_row *row)
{
	struct run *run = ctx;
	AUTO_CHARS(why) = NULL;

	if (row->window >= run->ocsp_windows)
		run->ocsp_windows = row->window + 1;
	if (row->state != OBJECT_INTENDED)
		return 0;
	why = text_printf("%zu OCSP responses of '%s' were being signed when "
			  "the run was cut off: they are built anew",
	    (size_t)row->count, row->name);
	if (why == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_WARNING, why);
	return append_failed(run, row->name, row->list, row->window,
	    &(struct failure){ why, true });
}

int
settle_batches(struct run *run)
{
	return journal_each_ocsp_window(
	    journal_of_run(run), run->nonce, settle_one, run);
}
