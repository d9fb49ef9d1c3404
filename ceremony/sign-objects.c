/*
 * Windows of certificates, CRLs and requests: an intent and a result for each
 * object.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/ca-keys.h"
#include "ceremony/sign-private.h"
#include "profiles/spill.h"

enum {
	FIRST_OBJECTS = 64,
	WINDOW_OBJECTS = 256,
	/* What a window's results and files need at most, with a margin. */
	WINDOW_SPACE = 4 << 20,
	WINDOW_SPACE_PER_OBJECT = 32 << 10,
	COPIES = 4, /* of a large object: tbs, evidence, two files */
};

/* ---- intents ---------------------------------------------------------- */

/* What the act's entry names. */
static int
put_evidence(struct journal *journal, const struct built_act *act)
{
	unsigned char digest[HASH_LEN];

	if (act->list.mapped)
		return journal_evidence_put_file(
		    journal, act->list.fd, 0, act->list.len, digest);
	if (act->list.data != NULL)
		return journal_evidence_put(
		    journal, act->list.data, act->list.len, digest);
	return act->der == NULL
	    ? 0
	    : journal_evidence_put(journal, act->der, act->der_len, digest);
}

int
append_acts(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	if (run->acts_done)
		return 0;
	for (size_t i = 0; i < run->build.act_count; i++) {
		const struct built_act *act = &run->build.acts[i];
		json_t *data;

		/* perform() of its special does it; or what ends a CA */
		if (act->entry == ENTRY_KINDS || act_comes_last(act))
			continue;
		data = json_copy(act->data);
		if (data == NULL ||
		    json_object_set_new(data, "run", json_string(run->nonce)) !=
			0) {
			json_decref(data);
			return ca_error(CA_R_MEMORY, "no memory for an entry");
		}
		if (put_evidence(journal, act) < 0) {
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
append_intent(struct run *run, size_t number)
{
	const struct built_object *o = &run->build.objects[number];
	AUTO_CHARS(text) = text_printf(
	    "about to sign %s '%s'", object_kind_name(o->kind), o->name);
	json_t *data = intent_json(run, number);

	if (text == NULL || data == NULL) {
		json_decref(data);
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	}
	return journal_append(
	    journal_of_run(run), ENTRY_INTENT, data, text, NULL);
}

static int
append_intents(struct window *window)
{
	for (size_t i = 0; i < window->count; i++)
		if (append_intent(window->run, window->items[i].number) < 0)
			return -1;
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

/* The object, as evidence. */
static int
put_object(struct journal *journal, const struct window_item *item,
    char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];
	int rc = item->file != NULL
	    ? journal_evidence_put_file(journal, item->file->fd,
		  item->file->offset, item->len, digest)
	    : journal_evidence_put(journal, item->der, item->len, digest);

	if (rc < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_hex);
	return 0;
}

static int
append_result(struct run *run, const struct window_item *item)
{
	struct journal *journal = journal_of_run(run);
	const struct built_object *o = &run->build.objects[item->number];
	AUTO_CHARS(text) =
	    text_printf("signed %s '%s'", object_kind_name(o->kind), o->name);
	char hex[HASH_HEX_SIZE], lint_hex[HASH_HEX_SIZE];

	if (text == NULL || put_object(journal, item, hex) < 0 ||
	    put_report(journal, item->lint, lint_hex) < 0)
		return -1;
	return journal_append(journal, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:I, s:s, s:s, s:s*}", "run", run->nonce,
		"list", (int)run->object_list[item->number], "object",
		(json_int_t)item->number, "name", o->name, "sha256", hex,
		"lint", item->lint != NULL ? lint_hex : NULL),
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
append_outcome(struct run *run, const struct window_item *item)
{
	const struct built_object *o = &run->build.objects[item->number];

	switch (item->outcome) {
	case OUTCOME_SIGNED:
		return append_result(run, item);
	case OUTCOME_REJECTED:
		return append_rejected(
		    run, item->number, item->rejected, item->lint);
	case OUTCOME_NOT_BEGUN:
		return append_failed(run, run->object_list[item->number],
		    (unsigned)item->number, o->name, false,
		    "signing was stopped before it was begun", NULL);
	case OUTCOME_UNKNOWN:
		break;
	}
	return 0;
}

static int
append_outcomes(struct window *window)
{
	for (size_t i = 0; i < window->count; i++)
		if (append_outcome(window->run, &window->items[i]) < 0)
			return -1;
	return 0;
}

/* ---- filling a window ------------------------------------------------- */

/* Once for those of one key, which stand together. */
static int
check_state(struct run *run, const struct window *window, size_t number)
{
	const struct built_object *o = &run->build.objects[number];
	enum issuer_use use = built_object_use(o);

	if (window->count > 0) {
		const struct built_object *last =
		    &run->build
			 .objects[window->items[window->count - 1].number];

		if (strcmp(last->key, o->key) == 0 &&
		    built_object_use(last) == use)
			return 0;
	}
	return ca_state_allows(journal_of_run(run), o->key, use);
}

static int
add_object(struct run *run, struct window *window, size_t number)
{
	const struct built_object *o = &run->build.objects[number];
	struct sign_job *job = &window->jobs[window->count];

	if (check_state(run, window, number) < 0 ||
	    window_take_key(window, o->tbs.alg, o->signer, o->signer_len) < 0 ||
	    authority_key(run->authority, o->key, &job->key) < 0 ||
	    tbs_digest(&o->tbs, job->digest) < 0)
		return -1;
	job->alg = o->tbs.alg;
	job->owner = window;
	window->items[window->count++].number = number;
	return 0;
}

static int
fill(struct run *run, unsigned stage, size_t max, size_t *cursor,
    struct window *window)
{
	size_t at = *cursor;

	if (window_reserve(window, max) < 0)
		return -1;
	for (; at < run->build.object_count && window->count < max; at++) {
		const struct built_object *o = &run->build.objects[at];

		if (o->stage == stage && o->from != BUILT_AND_SIGNED &&
		    add_object(run, window, at) < 0)
			return -1;
	}
	*cursor = at;
	return 0;
}

static uint64_t
space(const struct window *window)
{
	uint64_t bytes =
	    WINDOW_SPACE + (uint64_t)window->count * WINDOW_SPACE_PER_OBJECT;

	for (size_t i = 0; i < window->count; i++) {
		const struct tbs *tbs =
		    &window->run->build.objects[window->items[i].number].tbs;

		if (tbs->file != NULL)
			bytes += COPIES * (uint64_t)tbs->len;
	}
	return bytes;
}

/* ---- one object ------------------------------------------------------- */

static int
assemble_file(const struct built_object *o, const struct sign_job *job,
    int scratch_fd, struct window_item *item)
{
	uint64_t len = 0;

	item->file = calloc(1, sizeof(*item->file));
	if (item->file == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	item->file->fd = -1;
	if (spill_file(scratch_fd, &item->file->fd) < 0)
		return -1;
	if (object_assemble_file(&o->tbs, job->signature, job->signature_len,
		item->file->fd, &len) < 0)
		return -1;
	item->len = (size_t)len;
	return 0;
}

static int
assemble(const struct window *window, const struct built_object *o,
    const struct sign_job *job, struct window_item *item)
{
	if (o->tbs.file != NULL)
		return assemble_file(
		    o, job, window->run->build.scratch_fd, item);
	return object_assemble(&o->tbs, job->signature, job->signature_len,
	    &item->der, &item->len);
}

/*
 * How many of a window are read back with OpenSSL's decoder and linted once
 * more.  All are compared and verified, and the linter saw each of their octets
 * but the signature's before they were signed; both take longer than a token's
 * signature.  A window of more than SMALL is that of a token which signs as
 * many in a second.
 */
enum { SMALL = 64, IN_FULL = 16, IN_FULL_OF_MANY = 4 };

static bool
look_in_full(const struct window *window, size_t i)
{
	return i < (window->count > SMALL ? IN_FULL_OF_MANY : IN_FULL);
}

static int
verify(const struct built_object *o, const struct window_item *item, bool full)
{
	if (item->file != NULL)
		return object_verify_file(&o->tbs, o->signer, o->signer_len,
		    item->file->fd, item->file->offset, item->len);
	return full
	    ? object_verify_with(&o->tbs, item->key, item->der, item->len)
	    : object_verify_octets(&o->tbs, item->key, item->der, item->len);
}

static int
reject(struct window_item *item, const char *why)
{
	item->outcome = OUTCOME_REJECTED;
	item->rejected = why;
	return -1;
}

static int
verify_one(const struct built_object *o, struct window_item *item, bool full)
{
	if (verify(o, item, full) == 0)
		return 0;
	/* No memory, say, is no word about the token. */
	if (ca_error_reason() != CA_R_VERIFY)
		return -1;
	(void)reject(item,
	    "the token's signature does not verify with the kept public key; "
	    "the object is withheld");
	return ca_error(CA_R_VERIFY,
	    "the signature of %s '%s' does not verify with the public key kept "
	    "for '%s'; it is withheld, and the run stops: find out what is "
	    "wrong with the token",
	    object_kind_name(o->kind), o->name, o->key);
}

static int
finish(struct window *window, size_t i)
{
	struct window_item *item = &window->items[i];
	const struct built_object *o =
	    &window->run->build.objects[item->number];
	const bool full = look_in_full(window, i);

	if (assemble(window, o, &window->jobs[i], item) < 0 ||
	    verify_one(o, item, full) < 0)
		return -1;
	if (lint_after(window->run, o,
		&(const struct lint_signed){
		    { item->der, item->len }, item->file, item->len, full },
		&item->lint) < 0)
		return ca_error_reason() != CA_R_VERIFY
		    ? -1
		    : reject(item,
			  "a linter refuses what was signed; the object is "
			  "withheld");
	item->outcome = OUTCOME_SIGNED;
	return 0;
}

const struct window_kind window_of_objects = {
	.first_count = FIRST_OBJECTS,
	.max_count = WINDOW_OBJECTS,
	.fill = fill,
	.append_intents = append_intents,
	.finish = finish,
	.append_outcomes = append_outcomes,
	.space = space,
};

/* ---- rehearsing ------------------------------------------------------- */

int
rehearse_objects(struct run *run)
{
	for (size_t i = 0; i < run->build.object_count; i++) {
		run->object_list[i] = run->lists;
		if (run_look(run, "objects", i, run->build.object_count) < 0 ||
		    (run->build.objects[i].from != BUILT_AND_SIGNED &&
			append_intent(run, i) < 0))
			return -1;
	}
	return 0;
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
settle_objects(struct run *run)
{
	return journal_each_object(
	    journal_of_run(run), run->nonce, NULL, settle_one, run);
}
