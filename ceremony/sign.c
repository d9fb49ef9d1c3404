/*
 * Signing, in windows: intents durable, C_Sign, verification, results
 * durable.  An object without an intent is never signed; an intent without a
 * result is possibly signed.
 */
#include "pkcs11/sign.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"

enum {
	WINDOW_MAX = 256,
	/* What a window's results and files need at most, with a margin. */
	WINDOW_SPACE = 4 << 20,
	WINDOW_SPACE_PER_OBJECT = 32 << 10,
};

/* What came of one object of a window. */
enum outcome {
	OUTCOME_UNKNOWN, /* possibly signed: the resume settles it */
	OUTCOME_SIGNED,
	OUTCOME_REJECTED, /* it does not verify, or a linter refuses it */
	OUTCOME_NOT_BEGUN,
};

/* Objects of one stage that are signed together. */
struct window {
	size_t objects[WINDOW_MAX]; /* numbers of objects of the build */
	enum outcome outcomes[WINDOW_MAX];
	size_t count;
	struct sign_job *jobs;          /* one for each */
	unsigned char *der[WINDOW_MAX]; /* of those signed */
	size_t len[WINDOW_MAX];
	char *lint[WINDOW_MAX];           /* reports; NULL: nothing to add */
	const char *rejected[WINDOW_MAX]; /* why */
};

static void
window_clear(struct window *window)
{
	for (size_t i = 0; i < window->count; i++)
		free(window->der[i]);
	for (size_t i = 0; i < window->count; i++)
		free(window->lint[i]);
	free(window->jobs);
	*window = (struct window){ 0 };
}
CLEANUP_DEFINE_STRUCT(window);

/* ---- intents ---------------------------------------------------------- */

static int
append_acts(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	if (run->acts_done)
		return 0;
	for (size_t i = 0; i < run->build.act_count; i++) {
		const struct built_act *act = &run->build.acts[i];
		json_t *data;
		unsigned char digest[HASH_LEN];

		if (act->entry == ENTRY_KINDS)
			continue; /* perform() of its special does it */
		data = json_copy(act->data);
		if (data == NULL ||
		    json_object_set_new(data, "run", json_string(run->nonce)) !=
			0) {
			json_decref(data);
			return ca_error(CA_R_MEMORY, "no memory for an entry");
		}
		if (act->der != NULL &&
		    journal_evidence_put(
			journal, act->der, act->der_len, digest) < 0) {
			json_decref(data);
			return -1;
		}
		if (journal_append(
			journal, act->entry, data, act->summary, NULL) < 0)
			return -1;
	}
	return 0;
}

static json_t *
intent_json(const struct run *run, size_t number)
{
	const struct built_object *o = &run->build.objects[number];
	AUTO_CHARS(algorithm) = text_hex(o->tbs.alg->der, o->tbs.alg->der_len);
	AUTO_CHARS(key) = sha256_hex(o->signer, o->signer_len);
	char tbs[HASH_HEX_SIZE];
	json_t *data;

	if (algorithm == NULL || key == NULL)
		return NULL;
	text_hex_into(o->tbs.sha256, HASH_LEN, tbs);
	data = json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:s, s:s}", "run",
	    run->nonce, "list", (int)run->object_list[number], "object",
	    (json_int_t)number, "kind", object_kind_name(o->kind), "name",
	    o->name, "key", key, "algorithm", algorithm, "tbs", tbs);
	if (data != NULL && json_object_update(data, o->facts) != 0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
append_intents(struct run *run, const struct window *window)
{
	struct journal *journal = journal_of_run(run);

	for (size_t i = 0; i < window->count; i++) {
		size_t number = window->objects[i];
		const struct built_object *o = &run->build.objects[number];
		AUTO_CHARS(text) = text_printf("about to sign %s '%s'",
		    object_kind_name(o->kind), o->name);
		json_t *data = intent_json(run, number);

		if (text == NULL || data == NULL) {
			json_decref(data);
			return ca_error(CA_R_MEMORY, "no memory for an entry");
		}
		if (journal_append(journal, ENTRY_INTENT, data, text, NULL) < 0)
			return -1;
	}
	return 0;
}

/* Acts with the first intents, and the intents: durable, or nothing. */
static int
commit_intents(struct run *run, const struct window *window)
{
	struct journal *journal = journal_of_run(run);

	if (journal_begin(journal) < 0)
		return -1;
	if (append_acts(run) < 0 || append_intents(run, window) < 0) {
		journal_rollback(journal);
		return -1;
	}
	if (journal_commit(journal) < 0)
		return -1;
	run->acts_done = true;
	return 0;
}

/* ---- results ---------------------------------------------------------- */

static int
put_report(
    struct journal *journal, const char *report, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (report == NULL)
		return 0;
	if (journal_evidence_put(journal, report, strlen(report), digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_hex);
	return 0;
}

static int
append_result(struct run *run, const struct window *window, size_t i)
{
	struct journal *journal = journal_of_run(run);
	size_t number = window->objects[i];
	const struct built_object *o = &run->build.objects[number];
	AUTO_CHARS(text) =
	    text_printf("signed %s '%s'", object_kind_name(o->kind), o->name);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE], lint_hex[HASH_HEX_SIZE];

	if (text == NULL ||
	    journal_evidence_put(
		journal, window->der[i], window->len[i], digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	if (put_report(journal, window->lint[i], lint_hex) < 0)
		return -1;
	return journal_append(journal, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:I, s:s, s:s, s:s*}", "run", run->nonce,
		"list", (int)run->object_list[number], "object",
		(json_int_t)number, "name", o->name, "sha256", hex, "lint",
		window->lint[i] != NULL ? lint_hex : NULL),
	    text, NULL);
}

/* An intent that comes to nothing. */
static int
append_failed(struct run *run, unsigned list, unsigned object, const char *name,
    bool possibly_signed, const char *why, const char *lint)
{
	return journal_append(journal_of_run(run), ENTRY_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b, s:s*}", "run", run->nonce,
		"list", (int)list, "object", (int)object, "name", name, "why",
		why, "possibly_signed", possibly_signed ? 1 : 0, "lint", lint),
	    why, NULL);
}

/* The serial of a certificate that may exist goes onto the next CRL. */
static int
append_revoked(struct run *run, const char *issuer, const char *issuer_dn,
    const char *serial)
{
	char date[DATE_TEXT_SIZE];
	AUTO_CHARS(text) = text_printf(
	    "serial %s of '%s' is revoked: a certificate with it may exist",
	    serial, issuer);

	if (text == NULL)
		return -1;
	date_format(date_now(), date);
	return journal_append(journal_of_run(run), ENTRY_REVOKED,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "run", run->nonce,
		"issuer", issuer, "issuer_dn", issuer_dn, "serial", serial,
		"date", date, "reason", "superseded", "cause",
		"possibly signed"),
	    text, NULL);
}

static int
revoke_object(struct run *run, size_t number)
{
	const struct built_object *o = &run->build.objects[number];
	const char *issuer_dn, *serial;

	if (o->kind != OBJECT_CERTIFICATE || o->issuer == NULL)
		return 0;
	issuer_dn = json_string_value(json_object_get(o->facts, "issuer_dn"));
	serial = json_string_value(json_object_get(o->facts, "serial"));
	if (issuer_dn == NULL || serial == NULL)
		return ca_error(CA_R_INTERNAL, "a certificate without serial");
	return append_revoked(run, o->issuer, issuer_dn, serial);
}

static int
append_rejected(
    struct run *run, size_t number, const char *why, const char *report)
{
	const struct built_object *o = &run->build.objects[number];
	char lint[HASH_HEX_SIZE];

	if (put_report(journal_of_run(run), report, lint) < 0 ||
	    append_failed(run, run->object_list[number], (unsigned)number,
		o->name, true, why, report != NULL ? lint : NULL) < 0)
		return -1;
	return revoke_object(run, number);
}

static int
append_outcome(struct run *run, const struct window *window, size_t i)
{
	size_t number = window->objects[i];
	const struct built_object *o = &run->build.objects[number];

	switch (window->outcomes[i]) {
	case OUTCOME_SIGNED:
		return append_result(run, window, i);
	case OUTCOME_REJECTED:
		return append_rejected(
		    run, number, window->rejected[i], window->lint[i]);
	case OUTCOME_NOT_BEGUN:
		return append_failed(run, run->object_list[number],
		    (unsigned)number, o->name, false,
		    "stopped on request before it was signed", NULL);
	case OUTCOME_UNKNOWN:
		break;
	}
	return 0;
}

static int
commit_outcomes(struct run *run, const struct window *window)
{
	struct journal *journal = journal_of_run(run);

	if (journal_begin(journal) < 0)
		return -1;
	for (size_t i = 0; i < window->count; i++)
		if (append_outcome(run, window, i) < 0) {
			journal_rollback(journal);
			return -1;
		}
	return journal_commit(journal);
}

/* ---- one window ------------------------------------------------------- */

static int
prepare_jobs(struct run *run, struct window *window)
{
	window->jobs = calloc(window->count, sizeof(*window->jobs));
	if (window->jobs == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a window");
	for (size_t i = 0; i < window->count; i++) {
		const struct built_object *o =
		    &run->build.objects[window->objects[i]];
		struct sign_job *job = &window->jobs[i];

		job->alg = o->tbs.alg;
		if (authority_key(run->authority, o->key, &job->key) < 0 ||
		    sigalg_digest(
			job->alg, o->tbs.der, o->tbs.len, job->digest) < 0)
			return -1;
	}
	return 0;
}

/* Assemble and verify one object that the token has signed. */
static int
finish_object(struct run *run, struct window *window, size_t i)
{
	const struct built_object *o = &run->build.objects[window->objects[i]];
	const struct sign_job *job = &window->jobs[i];
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (object_assemble(
		&o->tbs, job->signature, job->signature_len, &der, &len) < 0)
		return -1;
	if (object_verify(&o->tbs, o->signer, o->signer_len, der, len) < 0) {
		/* No memory, say, is no word about the token. */
		if (ca_error_reason() != CA_R_VERIFY)
			return -1;
		window->outcomes[i] = OUTCOME_REJECTED;
		window->rejected[i] =
		    "the token's signature does not verify with the kept "
		    "public key; the object is withheld";
		return ca_error(CA_R_VERIFY,
		    "the signature of %s '%s' does not verify with the public "
		    "key kept for '%s'; it is withheld, and the run stops: "
		    "find out what is wrong with the token",
		    object_kind_name(o->kind), o->name, o->key);
	}
	if (lint_after(run, o, (struct der){ der, len }, &window->lint[i]) <
	    0) {
		if (ca_error_reason() != CA_R_VERIFY)
			return -1;
		window->outcomes[i] = OUTCOME_REJECTED;
		window->rejected[i] =
		    "a linter refuses what was signed; the object is withheld";
		return -1;
	}
	window->outcomes[i] = OUTCOME_SIGNED;
	window->der[i] = TAKE(der);
	window->len[i] = len;
	return 0;
}

/*
 * `stopped`: on request, between two objects, so that what has no signature
 * was not begun.  After any other failure nobody knows.
 */
static int
finish_objects(struct run *run, struct window *window, bool stopped)
{
	int rc = 0;

	for (size_t i = 0; i < window->count; i++) {
		if (window->jobs[i].signature_len > 0)
			rc = finish_object(run, window, i) < 0 ? -1 : rc;
		else if (stopped)
			window->outcomes[i] = OUTCOME_NOT_BEGUN;
	}
	return rc;
}

/* A disk that fills up behind C_Sign would turn results into revocations. */
static int
check_room_for(const struct run *run, const struct window *window)
{
	return file_space_check(authority_fd(run->authority),
	    WINDOW_SPACE + (uint64_t)window->count * WINDOW_SPACE_PER_OBJECT,
	    authority_path(run->authority));
}

static int
sign_window(struct run *run, struct window *window)
{
	const struct room *room = run->room;
	bool stopped;
	int rc;

	if (check_room_for(run, window) < 0 || prepare_jobs(run, window) < 0 ||
	    commit_intents(run, window) < 0 || head_write(run->authority) < 0)
		return -1;
	rc = token_sign(authority_token(run->authority), window->jobs,
	    window->count, authority_jobs(run->authority), room->keep_going,
	    room->ctx);
	stopped = rc < 0 && ca_error_reason() == CA_R_INTERRUPTED;
	if (finish_objects(run, window, stopped) < 0)
		rc = -1;
	/* What is known is journalled, whatever went wrong. */
	if (commit_outcomes(run, window) < 0)
		return -1;
	return rc;
}

/* ---- all windows ------------------------------------------------------ */

static size_t
count_unsigned(const struct run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->build.object_count; i++)
		n += run->build.objects[i].from != BUILT_AND_SIGNED;
	return n;
}

/* The lowest stage that has unsigned objects at or above `stage`. */
static bool
next_stage(const struct run *run, unsigned stage, unsigned *ret_stage)
{
	bool found = false;

	for (size_t i = 0; i < run->build.object_count; i++) {
		const struct built_object *o = &run->build.objects[i];

		if (o->from == BUILT_AND_SIGNED || o->stage < stage ||
		    (found && o->stage >= *ret_stage))
			continue;
		*ret_stage = o->stage;
		found = true;
	}
	return found;
}

static int
sign_stage(struct run *run, unsigned stage, size_t *done, size_t total)
{
	const struct room *room = run->room;
	size_t at = 0;

	while (at < run->build.object_count) {
		AUTO_STRUCT(window) window = { 0 };

		for (;
		     at < run->build.object_count && window.count < WINDOW_MAX;
		     at++) {
			const struct built_object *o = &run->build.objects[at];

			if (o->stage == stage && o->from != BUILT_AND_SIGNED)
				window.objects[window.count++] = at;
		}
		if (window.count == 0)
			break;
		if (sign_window(run, &window) < 0)
			return -1;
		*done += window.count;
		room->progress(room->ctx, "signatures", *done, total);
	}
	return 0;
}

/* Acts of a plan that signs nothing. */
static int
commit_acts(struct run *run)
{
	const struct window nothing = { .count = 0 };

	return run->acts_done || run->build.act_count == 0
	    ? 0
	    : commit_intents(run, &nothing);
}

int
sign_all(struct run *run)
{
	size_t done = 0, total = count_unsigned(run);
	unsigned stage = 0;

	while (next_stage(run, stage, &stage)) {
		if (sign_stage(run, stage, &done, total) < 0)
			return -1;
		stage++;
	}
	return commit_acts(run);
}

/* ---- rehearsing ------------------------------------------------------- */

static int
rehearse_entries(struct run *run)
{
	const size_t n = run->build.object_count;
	char nothing[HASH_HEX_SIZE];

	memset(nothing, '0', HASH_HEX_SIZE - 1);
	nothing[HASH_HEX_SIZE - 1] = '\0';
	if (journal_append(journal_of_run(run), ENTRY_LIST,
		json_pack("{s:s, s:i, s:s, s:I, s:I}", "run", run->nonce,
		    "list", (int)run->lists, "sha256", nothing, "objects",
		    (json_int_t)n, "acts", (json_int_t)run->build.act_count),
		"rehearsal", NULL) < 0 ||
	    append_acts(run) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct window one = { .objects = { i }, .count = 1 };

		run->object_list[i] = run->lists;
		if (run->build.objects[i].from != BUILT_AND_SIGNED &&
		    append_intents(run, &one) < 0)
			return -1;
	}
	return 0;
}

int
sign_rehearse(struct run *run)
{
	int rc;

	if (journal_begin(journal_of_run(run)) < 0)
		return -1;
	rc = rehearse_entries(run);
	journal_rollback(journal_of_run(run));
	return rc;
}

/* ---- after a cut ------------------------------------------------------ */

static bool
is_root(const struct object_row *row)
{
	return row->certificate_kind != NULL &&
	    strcmp(row->certificate_kind, "root") == 0;
}

/* What becomes of something that may have been signed. */
static const char *
consequence(const struct object_row *row)
{
	if (is_root(row))
		return "a root with its serial may exist; the key is kept, and "
		       "the root is built anew with a new serial";
	if (strcmp(row->kind, "certificate") == 0)
		return "its serial is revoked, and it is built anew with a "
		       "new one";
	if (strcmp(row->kind, "crl") == 0)
		return "its number is spent, and it is built anew with a new "
		       "one";
	return "it is built anew";
}

static int
settle_one(void *ctx, const struct object_row *row)
{
	struct run *run = ctx;
	AUTO_CHARS(why) = NULL;

	if (row->state != OBJECT_INTENDED)
		return 0;
	why = text_printf("%s '%s' was being signed when the run was cut off: "
			  "%s",
	    row->kind, row->name, consequence(row));
	if (why == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_WARNING, why);
	if (append_failed(
		run, row->list, row->object, row->name, true, why, NULL) < 0)
		return -1;
	if (row->serial == NULL || is_root(row))
		return 0;
	return append_revoked(run, row->issuer, row->issuer_dn, row->serial);
}

int
sign_settle_intents(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	if (journal_begin(journal) < 0)
		return -1;
	if (journal_each_object(journal, run->nonce, NULL, settle_one, run) <
	    0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}
