/* The phases of a run, in their order. */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/batch.h"
#include "ceremony/ca-keys.h"
#include "ceremony/event.h"
#include "ceremony/reshare-private.h"
#include "ceremony/run-private.h"
#include "ceremony/vouch.h"

enum {
	/* What was listed longer ago is built and confirmed anew. */
	LISTED_MAX_AGE = 12 * 3600,
	SPACE_BASE = 16 << 20, /* journal, spool, files of a small plan */
	SPACE_PER_OBJECT = 64 << 10,
};

void
run_drop_build(struct build *build)
{
	cleanup_fd(&build->public_fd);
	build_clear(build);
	build->public_fd = -1;
}

void
run_clear(struct run *run)
{
	if (run->room != NULL && run->room->take_notes != NULL)
		run->room->take_notes(run->room->ctx, NULL, NULL);
	run_drop_build(&run->build);
	for (size_t i = 0; i < run->earlier_count; i++) {
		free(run->earlier[i].name);
		tbs_clear(&run->earlier[i].octets);
	}
	free(run->earlier);
	free(run->object_list);
	for (size_t i = 0; i < run->listed_act_count; i++)
		free(run->listed_acts[i]);
	free(run->listed_acts);
	listed_batches_free(run->listed_batches, run->listed_batch_count);
	free(run->list);
	linters_free(run->linters);
	free(run->lint_report);
	free(run->abandons);
	free(run->token_head);
	inputs_clear(&run->late);
	statements_clear(&run->approvals);
	operators_clear(&run->operators);
	if (run->set != NULL)
		quorum_set_free(run->set);
	if (run->plan != NULL)
		plan_free(run->plan);
	run_summary_clear(&run->summary);
	cleanup_fd(&run->fd);
}

void
run_summary_clear(struct run_summary *summary)
{
	for (size_t i = 0; i < summary->published_count; i++)
		free(summary->published[i]);
	free(summary->published);
	free(summary->directory);
	free(summary->receipt);
	*summary = (struct run_summary){ 0 };
}

static void
show_phase(const struct run *run, const char *text)
{
	run->room->show(run->room->ctx, ROOM_PHASE, text);
}

/* Between two pieces of work before signing; sign.c looks for itself. */
int
run_look(const struct run *run, const char *what, size_t done, size_t total)
{
	const struct room *room = run->room;

	room->progress(room->ctx, what, done, total);
	return room->keep_going(room->ctx)
	    ? 0
	    : ca_error(CA_R_INTERRUPTED,
		  "stopped on request; go on with 'ca-tool plan run "
		  "--resume'");
}

/* Which plan this is, in the room's own words. */
static int
show_plan(const struct run *run, const struct plan *plan)
{
	AUTO_CHARS(text) = NULL;

	if (step_text(&text, "Plan %s: %s", plan_id(plan), plan_title(plan)) <
	    0)
		return -1;
	show_phase(run, text);
	return 0;
}

/* ---- before anything is done ------------------------------------------ */

/*
 * design: the clock must be inside the plan's window and not before the last
 * entry.  The room sees it and compares it with another clock.
 */
static int
check_clock(struct run *run, const struct plan *plan, bool inside_window)
{
	int64_t last = 0, now = date_now();
	char now_text[DATE_TEXT_SIZE], other[DATE_TEXT_SIZE];

	date_format(now, now_text);
	if (journal_last_time(journal_of_run(run), &last) < 0)
		return -1;
	date_format(last, other);
	if (now < last && (run->special == NULL || !run->special->clock_wrong))
		return ca_error(CA_R_POLICY,
		    "the clock says %s, but the journal's last entry of a run "
		    "is of %s; set the clock right, or, where that entry's "
		    "was wrong, run a plan of 'correct-clock'",
		    now_text, other);
	date_format(now < plan->from ? plan->from : plan->until, other);
	if (inside_window && (now < plan->from || now > plan->until))
		return ca_error(CA_R_POLICY,
		    "the clock says %s, and the plan's window %s %s; set the "
		    "clock right, or make a new plan",
		    now_text, now < plan->from ? "begins" : "ended", other);
	run->now = now;
	return clock_compare(run->room,
	    run->special != NULL && run->special->clock_wrong, &run->clock);
}

static int
check_space(struct run *run, size_t objects)
{
	return file_space_check(authority_fd(run->authority),
	    SPACE_BASE + (uint64_t)objects * SPACE_PER_OBJECT,
	    authority_path(run->authority));
}

/* The journal that the plan was checked against is a beginning of this one. */
static int
check_extends(struct run *run)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];

	if (journal_authority(journal_of_run(run), &row) < 0 ||
	    journal_root_at(journal_of_run(run), run->plan->size, root) < 0)
		return -1;
	/* It may have run before, in the journal that was lost. */
	if (!run->resumed && row.epoch > 0 && run->plan->size <= row.epoch_seq)
		return ca_error(CA_R_VERIFY,
		    "the plan was checked before the journal was recovered "
		    "(entry %" PRIu64 "), and may have run already: its "
		    "approvals are void; check the plan again",
		    row.epoch_seq);
	if (memcmp(root, run->plan->root, HASH_LEN) != 0)
		return ca_error(CA_R_VERIFY,
		    "the journal is not the one that the plan was checked "
		    "against, nor one that grew from it; compare it with the "
		    "receipt of the last ceremony, and put the right one back");
	return 0;
}

static int
refuse_second_run(struct run *run, const struct plan *plan)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_open_run(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (found && (run->special == NULL || !run->special->other_run_open))
		return ca_error(CA_R_STATE,
		    "the run of plan '%s' was cut off and is open; finish it "
		    "first with 'ca-tool plan run --resume', or close it with "
		    "a plan of 'abandon'",
		    row.plan);
	if (journal_run_without_receipt(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (found && (run->special == NULL || !run->special->journal_lost))
		return ca_error(CA_R_STATE,
		    "the run of plan '%s' has no receipt yet; finish it first "
		    "with 'ca-tool plan run --resume'",
		    row.plan);
	if (journal_run_of_plan(
		journal_of_run(run), plan_id(plan), &found, &row) < 0)
		return -1;
	if (found)
		return ca_error(CA_R_STATE,
		    "plan '%s' ran already; a plan runs once", plan_id(plan));
	return 0;
}

/* The file first, so that a strange module is not even loaded. */
static int
module_changed(struct run *run, bool *ret_changed)
{
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	const char *wanted = run->plan->module_sha256;

	if (file_sha256_at(AT_FDCWD, run->plan->module_path, digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	*ret_changed = strcmp(hex, wanted) != 0;
	if (*ret_changed)
		return 0;
	if (authority_open_module(run->authority) < 0)
		return -1;
	*ret_changed =
	    strcmp(module_facts(authority_module(run->authority))->sha256,
		wanted) != 0;
	return 0;
}

/* The module that is loaded is the one that the plan was checked with. */
static int
check_module(struct run *run)
{
	bool changed = false;

	if (module_changed(run, &changed) < 0)
		return -1;
	if (!changed)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "the PKCS#11 module '%s' was changed after the plan was checked; "
	    "find out why, then check the plan again",
	    run->plan->module_path);
}

/*
 * A run that is cut off must be finished, with a newer module too; but nobody
 * shall overlook that it is another one.
 */
static int
note_module(struct run *run)
{
	bool changed = false;

	if (module_changed(run, &changed) < 0)
		return -1;
	if (!changed)
		return 0;
	run->room->show(run->room->ctx, ROOM_WARNING,
	    "the PKCS#11 module is not the one that the run began with; go on "
	    "only if you know why");
	return journal_append(journal_of_run(run), ENTRY_EVENT,
	    json_pack(
		"{s:s, s:s}", "event", "module-changed", "run", run->nonce),
	    "the run goes on with another PKCS#11 module", NULL);
}

/* A key that is to be made can be; one that is to be taken in is there. */
static int
check_planned_key(struct run *run, const struct planned_key *key)
{
	struct token *token = authority_token(run->authority);
	const struct key_type *type;

	if (key->order.adopt != NULL)
		return authority_adopt_check(run->authority, key);
	type = key_type_by_name(key->order.type);
	return type == NULL || token_offers(token, type) < 0 ||
		key_label_check(token, key->order.name) < 0
	    ? -1
	    : 0;
}

/* A key that the plan does not make is on the token, and fit. */
static int
check_signer(struct run *run, const struct build *preview, const char *name)
{
	const struct key *key = NULL;

	for (size_t k = 0; k < preview->key_count; k++)
		if (strcmp(preview->keys[k].order.name, name) == 0)
			return 0;
	return authority_key(run->authority, name, &key);
}

/* Everything that the token must be able to do, before it is asked to. */
static int
check_token(struct run *run, const struct build *preview)
{
	const struct key *journal_key = NULL;

	/* Without it no run can be closed. */
	if (authority_key(run->authority, JOURNAL_KEY, &journal_key) < 0)
		return -1;
	for (size_t i = 0; i < preview->key_count; i++)
		if (check_planned_key(run, &preview->keys[i]) < 0)
			return -1;
	for (size_t i = 0; i < preview->object_count; i++)
		if (check_signer(run, preview, preview->objects[i].key) < 0)
			return -1;
	for (size_t i = 0; i < preview->batch_count; i++)
		if (check_signer(run, preview, preview->batches[i].key) < 0)
			return -1;
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

/* The login to the token is journalled just before the plan. */
static uint64_t
before_plan(uint64_t plan_seq)
{
	enum { LOGIN_ENTRIES = 6 };

	return plan_seq < LOGIN_ENTRIES ? 0 : plan_seq - LOGIN_ENTRIES;
}

static int
keep_all(struct run *run, const struct inputs *inputs)
{
	struct journal *journal = journal_of_run(run);
	unsigned char digest[HASH_LEN];

	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->rows[i];

		if ((input->bulk.mapped
			    ? journal_evidence_put_file(journal, input->bulk.fd,
				  0, input->len, digest)
			    : journal_evidence_put(journal, input->data,
				  input->len, digest)) < 0)
			return -1;
	}
	return 0;
}

/* The manifest and every input, so that what was decided can be reread. */
static int
keep_inputs(struct run *run)
{
	const struct plan *plan = run->plan;
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(journal_of_run(run), plan->manifest,
		strlen(plan->manifest), digest) < 0 ||
	    keep_all(run, &plan->inputs) < 0)
		return -1;
	return keep_all(run, &run->late);
}

/* The requests that came with the run. */
static json_t *
late_json(const struct run *run)
{
	json_t *array = json_array();

	for (size_t i = 0; i < run->late.count; i++) {
		const struct input *input = &run->late.rows[i];
		char hex[HASH_HEX_SIZE];

		text_hex_into(input->sha256, HASH_LEN, hex);
		if (json_array_append_new(array,
			json_pack("{s:s, s:s}", "name", input->given, "sha256",
			    hex)) != 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *
plan_json(const struct run *run)
{
	const struct plan *plan = run->plan;
	json_t *data =
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "run",
		run->nonce, "plan", plan_id(plan), "title", plan_title(plan),
		"manifest", plan->manifest_sha256, "directory", plan->directory,
		"set", plan->set, "unattended", plan_unattended(plan) ? 1 : 0,
		"late", late_json(run), "clock", clock_json(&run->clock));

	if (data != NULL && run->abandons != NULL &&
	    json_object_set_new(data, "abandons", json_string(run->abandons)) !=
		0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

static int
append_plan(struct run *run, uint64_t *ret_seq)
{
	const struct plan *plan = run->plan;
	AUTO_CHARS(text) = NULL;
	json_t *data;

	if (step_text(&text, "a run of plan '%s' begins: %s", plan_id(plan),
		plan_title(plan)) < 0)
		return -1;
	data = plan_json(run);
	if (data == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	return journal_append(
	    journal_of_run(run), ENTRY_PLAN, data, text, ret_seq);
}

/* Each with the operator's own signature as evidence. */
static int
append_approvals(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	for (size_t i = 0; i < run->approvals.count; i++) {
		const struct statement *row = &run->approvals.rows[i];
		AUTO_CHARS(text) =
		    text_printf("'%s' approved the plan", row->person->name);
		unsigned char digest[HASH_LEN];
		char hex[HASH_HEX_SIZE];

		if (text == NULL ||
		    journal_evidence_put(journal, row->der, row->len, digest) <
			0)
			return -1;
		text_hex_into(digest, HASH_LEN, hex);
		if (journal_append(journal, ENTRY_APPROVAL,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "run",
			    run->nonce, "manifest", run->plan->manifest_sha256,
			    "set", run->set->id, "name", row->person->name,
			    "statement", hex),
			text, NULL) < 0)
			return -1;
	}
	return 0;
}

/* The run and its approvals are there together, or not at all. */
static int
open_run(struct run *run)
{
	uint64_t seq = 0;

	if (journal_begin(journal_of_run(run)) < 0)
		return -1;
	if (keep_inputs(run) < 0 || append_plan(run, &seq) < 0 ||
	    append_approvals(run) < 0) {
		journal_rollback(journal_of_run(run));
		return -1;
	}
	if (journal_commit(journal_of_run(run)) < 0)
		return -1;
	run->first = before_plan(seq);
	return 0;
}

/* ---- keys ------------------------------------------------------------- */

/* Make a key, or take the one that an earlier part of this run made. */
static int
make_key(struct run *run, struct planned_key *planned)
{
	const struct key_order *order = &planned->order;
	AUTO_STRUCT(key_row) row = { 0 };
	const struct key *key = NULL;
	const unsigned char *spki;
	bool found = false;
	size_t len;

	if (order->adopt != NULL)
		return authority_adopt_key(run->authority, planned);
	if (journal_key(journal_of_run(run), order->name, &found, &row) < 0)
		return -1;
	if ((!found || row.state != KEY_LIVE) &&
	    authority_make_key(run->authority, run->nonce, order->name,
		order->type, order->purpose, order->backup) < 0)
		return -1;
	if (authority_key(run->authority, order->name, &key) < 0)
		return -1;
	key_spki(key, &spki, &len);
	return build_set_key(&run->build, order->name, spki, len);
}

static int
make_keys(struct run *run)
{
	const size_t count = run->build.key_count;

	if (count > 0)
		show_phase(run,
		    run->build.keys[0].order.adopt != NULL
			? "Looking for the key on the token"
			: "Making keys inside the token");
	for (size_t i = 0; i < count; i++)
		if (run_look(run, "keys", i, count) < 0 ||
		    make_key(run, &run->build.keys[i]) < 0)
			return -1;
	return run_look(run, "keys", count, count);
}

/* ---- refusing --------------------------------------------------------- */

static int
destroy_key(void *ctx, const struct key_row *row)
{
	struct run *run = ctx;

	/* What was on the token before is not this run's to destroy. */
	return row->state == KEY_GONE || row->adopted
	    ? 0
	    : authority_destroy_key(run->authority, run->nonce, row);
}

static int
put_text(struct run *run, const char *text, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(
		journal_of_run(run), text, strlen(text), digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, ret_hex);
	return 0;
}

/*
 * The findings are evidence, and what outside linters printed: they may be
 * longer than an entry.
 */
static int
append_refused(struct run *run, const char *why)
{
	json_t *array = findings_to_json(run->findings, 0);
	AUTO_CHARS(report) = array == NULL
	    ? NULL
	    : json_dumps(array, JSON_COMPACT | JSON_ENSURE_ASCII);
	char hex[HASH_HEX_SIZE], lint[HASH_HEX_SIZE];

	json_decref(array);
	if (report == NULL)
		return ca_error(CA_R_MEMORY, "no memory for findings");
	if (put_text(run, report, hex) < 0 ||
	    (run->lint_report != NULL &&
		put_text(run, run->lint_report, lint) < 0))
		return -1;
	return journal_append(journal_of_run(run), ENTRY_REFUSED,
	    json_pack("{s:s, s:I, s:s, s:s, s:s*}", "run", run->nonce,
		"findings", (json_int_t)run->findings->count, "report", hex,
		"why", why, "lint", run->lint_report != NULL ? lint : NULL),
	    why, NULL);
}

/*
 * What is left to do for a run that was refused.  Returns -1 also when it is
 * done: the plan was not carried out.
 */
static int
finish_refused(struct run *run, const char *why)
{
	if (journal_each_key(
		journal_of_run(run), run->nonce, destroy_key, run) < 0 ||
	    publish_and_close(run, "refused") < 0)
		return -1;
	return ca_error(CA_R_POLICY,
	    "%s; nothing was signed, and the keys made by this run were "
	    "destroyed",
	    why);
}

/*
 * A run that has done nothing is undone.  One that has, waits for people: what
 * it signed is there.  Always returns -1.
 */
static int
refuse(struct run *run, const char *why)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_open_run(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(CA_R_INTERNAL, "the run is not open");
	if (row.acted)
		return ca_error(CA_R_STATE,
		    "%s; the run has signed or revoked something already, so "
		    "it stays open: mend what is wrong, then go on with "
		    "'ca-tool plan run --resume'",
		    why);
	if (append_refused(run, why) < 0)
		return -1;
	return finish_refused(run, why);
}

/*
 * The newest error, if it is one that trying again does not mend, refuses the
 * run; anything else (disk, a stop on request, a lost token) leaves it open.
 */
static int
refuse_for_error(struct run *run)
{
	int reason = ca_error_reason();
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_CHARS(why) = NULL;
	bool found = false;

	if (ca_error_exit_status() != CA_EXIT_REFUSED && reason != CA_R_KEY &&
	    reason != CA_R_INTERNAL)
		return -1;
	if (journal_open_run(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (found && row.acted)
		return -1; /* it stays open, for the reason that was raised */
	why = ca_error_take();
	return refuse(run, why == NULL ? "the run was refused" : why);
}

/* ---- notes ------------------------------------------------------------ */

static int
note_it(void *ctx, const char *text)
{
	const struct run *run = ctx;

	return event_note(journal_of_run(run), run->nonce, text);
}

/* What people say of the run while it goes on: at prompts, from its opening. */
static void
take_notes(struct run *run)
{
	if (run->room->take_notes != NULL)
		run->room->take_notes(run->room->ctx, note_it, run);
}

/* ---- build and confirm ------------------------------------------------ */

static int
token_random_adapter(void *ctx, unsigned char *ret_bytes, size_t len)
{
	return token_random(ctx, ret_bytes, len);
}

static int
look_adapter(void *ctx, const char *what, size_t done, size_t total)
{
	return run_look(ctx, what, done, total);
}

static int
setup_build(struct run *run, int64_t now, struct findings *findings,
    struct build *build)
{
	if (plan_build_setup(
		run->authority, run->plan, BUILD_RUN, now, findings, build) < 0)
		return -1;
	build->random = token_random_adapter;
	build->random_ctx = authority_token(run->authority);
	build->look = look_adapter;
	build->look_ctx = run;
	build->earlier = run->earlier;
	build->earlier_count = run->earlier_count;
	build->late = &run->late;
	build->run = run->nonce;
	build->resumed = run->resumed;
	build->token_head = run->token_head;
	return build_collect_keys(
	    build, run->plan->steps, run->plan->params->steps_count);
}

/* Does the newest list hold all that is to be done, as it is to be done? */
static bool
list_stands(const struct run *run, const struct build *build)
{
	if (run->lists == 0 ||
	    (build->act_count > 0 && !spool_has_acts(run, build)))
		return false;
	for (size_t i = 0; i < build->object_count; i++)
		if (build->objects[i].from == BUILT_NOW)
			return false;
	for (size_t i = 0; i < build->batch_count; i++)
		if (build->batches[i].from == BUILT_NOW)
			return false;
	return true;
}

static bool
in_window(const struct run *run, int64_t now)
{
	return now >= run->plan->from && now <= run->plan->until;
}

static int
copy_keys(const struct build *from, struct build *to)
{
	for (size_t i = 0; i < from->key_count; i++) {
		if (build_set_key(to, from->keys[i].order.name,
			from->keys[i].spki, from->keys[i].spki_len) < 0)
			return -1;
		json_decref(to->keys[i].facts);
		to->keys[i].facts = json_incref(from->keys[i].facts);
	}
	return 0;
}

/*
 * Acts are dated, and CRLs list them: seconds later they would be others than
 * those that operators have confirmed.  Within the time in which a list may be
 * signed as it is, they are dated as they were when it was made.
 */
static int
build_as_listed(struct run *run)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct build build = { .public_fd = -1 };
	int rc;

	if (!run->resumed || run->lists == 0 || !in_window(run, run->now) ||
	    run->listed > run->now || run->now - run->listed > LISTED_MAX_AGE ||
	    list_stands(run, &run->build))
		return 0;
	rc = setup_build(run, run->listed, &findings, &build);
	if (rc == 0)
		rc = copy_keys(&run->build, &build);
	if (rc == 0)
		rc = build_plan(
		    &build, run->plan->steps, run->plan->params->steps_count);
	if (rc == 0)
		rc = batches_settle(run, &build);
	if (rc == 0 && findings.errors == 0 && list_stands(run, &build)) {
		struct build late = run->build;

		run->build = build;
		run->build.findings = run->findings;
		build = late;
	}
	run_drop_build(&build);
	return rc;
}

static int
make_list(struct run *run)
{
	if (!list_stands(run, &run->build))
		return spool_write(run);
	for (size_t i = 0; i < run->build.object_count; i++)
		run->object_list[i] = run->lists - 1;
	return 0;
}

static bool
nothing_left(const struct run *run)
{
	for (size_t i = 0; i < run->build.object_count; i++)
		if (run->build.objects[i].from != BUILT_AND_SIGNED)
			return false;
	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED)
			return false;
	return run->build.act_count == 0;
}

/* Hours may pass while people read: the window must still be open. */
static bool
is_late(const struct run *run)
{
	return !run->resumed && !in_window(run, date_now());
}

static int
confirm(struct run *run)
{
	bool no = false;

	if (nothing_left(run))
		return 0;
	if (run_look(run, "steps", 0, 0) < 0)
		return -1;
	show_phase(run, "This will be signed, and done");
	if (left_out_show(run) < 0)
		return -1;
	if (confirm_list(run, &no) < 0)
		return no ? refuse_for_error(run) : -1;
	if (is_late(run))
		return refuse(run,
		    "the plan's window ended before the list was confirmed");
	return 0;
}

/* The keys of all that is to be signed, on the token and fit for it. */
static int
check_signers(struct run *run)
{
	for (size_t i = 0; i < run->build.object_count; i++) {
		const struct built_object *o = &run->build.objects[i];
		const struct key *key = NULL;

		if (o->from != BUILT_AND_SIGNED &&
		    authority_key(run->authority, o->key, &key) < 0)
			return -1;
	}
	for (size_t i = 0; i < run->build.batch_count; i++) {
		const struct built_batch *batch = &run->build.batches[i];
		const struct key *key = NULL;

		if (batch->from != BUILT_AND_SIGNED &&
		    authority_key(run->authority, batch->key, &key) < 0)
			return -1;
	}
	return 0;
}

/* What the check of the plan found is not said a second time. */
static int
build_steps(struct run *run)
{
	const size_t before = run->findings->count;

	if (build_plan(&run->build, run->plan->steps,
		run->plan->params->steps_count) < 0)
		return -1;
	if (run->findings->errors == 0 &&
	    plan_check_unattended(
		run->authority, run->plan, &run->build, run->findings) < 0)
		return -1;
	findings_drop_said(run->findings, before);
	return 0;
}

/* Every object and act, known to be good, listed on disk. */
static int
build(struct run *run)
{
	show_phase(run, "Building everything that is to be signed");
	/* Keys take time, and people more: the objects are dated now. */
	run->build.now = run->now = date_now();
	if (is_late(run))
		return refuse(
		    run, "the plan's window ended before anything was built");
	if (build_steps(run) < 0)
		return -1;
	if (run->findings->errors > 0)
		return refuse(run, "the plan was refused when it was built");
	if (batches_settle(run, &run->build) < 0 || build_as_listed(run) < 0 ||
	    publish_space(run) < 0)
		return -1;
	run->object_list =
	    calloc(run->build.object_count + 1, sizeof(*run->object_list));
	if (run->object_list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (check_signers(run) < 0 || lint_before(run) < 0)
		return refuse_for_error(run);
	if (run->findings->errors > 0)
		return refuse(run, "a linter refused what was built");
	if (sign_rehearse(run) < 0)
		return refuse_for_error(run);
	return make_list(run) < 0 ? refuse_for_error(run) : 0;
}

static int
act(struct run *run)
{
	if (run->special != NULL) {
		show_phase(run, "Carrying it out");
		return run->special->perform(run);
	}
	show_phase(run, "Signing");
	return sign_all(run);
}

/* From keys to close; the same for a new run and a resumed one. */
static int
carry_out(struct run *run)
{
	take_notes(run);
	if (setup_build(run, run->now, run->findings, &run->build) < 0)
		return -1;
	if (make_keys(run) < 0)
		return refuse_for_error(run);
	if (build(run) < 0 || confirm(run) < 0 || act(run) < 0)
		return -1;
	show_phase(run, "Publishing");
	return publish_and_close(run, "done");
}

/* The summary goes out only when all is done. */
static int
give_summary(struct run *run, int rc, struct run_summary *ret_summary)
{
	if (rc < 0)
		return -1;
	*ret_summary = run->summary;
	run->summary = (struct run_summary){ 0 };
	return 0;
}

/* ---- starting --------------------------------------------------------- */

static int
draw_nonce(struct run *run)
{
	unsigned char nonce[NONCE_LEN];

	if (RAND_bytes(nonce, sizeof(nonce)) != 1)
		return ca_error(CA_R_INTERNAL, "no random octets");
	text_hex_into(nonce, sizeof(nonce), run->nonce);
	return 0;
}

/* What a crash left of a statement that was being written. */
static int
sweep_statements(int dirfd)
{
	static const char *const folders[] = { "approvals", "confirmations" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		AUTO_FD(fd) = -1;
		int there = file_exists_at(dirfd, folders[i]);

		if (there < 0 ||
		    (there > 0 &&
			(dir_open_at(dirfd, folders[i], &fd) < 0 ||
			    dir_sweep(fd) < 0)))
			return -1;
	}
	return 0;
}

static int
open_directory(struct run *run, const char *name)
{
	AUTO_FD(parent) = -1;

	if (dir_open_at(authority_fd(run->authority), "ceremonies", &parent) <
		0 ||
	    dir_open_at(parent, name, &run->fd) < 0 || dir_sweep(run->fd) < 0)
		return -1;
	return sweep_statements(run->fd);
}

/* From here on, only the kept bytes are read. */
static int
adopt_kept_plan(struct run *run, struct plan *plan)
{
	const size_t before = run->findings->count;

	if (plan_keep(run->authority, plan) < 0 ||
	    plan_open_kept(run->authority, plan->directory, run->findings,
		&run->plan) < 0 ||
	    open_directory(run, plan->directory) < 0)
		return -1;
	findings_drop_said(run->findings, before);
	if (strcmp(run->plan->manifest_sha256, plan->manifest_sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "the kept plan is not the one that was checked");
	return 0;
}

/* The manifest's set is the journal's, octet for octet. */
static int
check_set(const struct run *run)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (journal_quorum_by_set(
		journal_of_run(run), run->plan->set, &found, &row) < 0)
		return -1;
	return found && strcmp(row.sha256, run->plan->set_sha256) == 0
	    ? 0
	    : ca_error(CA_R_VERIFY,
		  "the plan's quorum set '%s' is not as the journal has it",
		  run->plan->set);
}

/* The set of the manifest, and who of it is in the room. */
static int
gather_people(struct run *run)
{
	bool reshare =
	    run->special != NULL && run->special->check == reshare_check;
	int fd = -1, rc;

	if (check_set(run) < 0 ||
	    authority_quorum_fd(run->authority, &fd) < 0 ||
	    set_load(fd, run->plan->set, run->plan->set_sha256, &run->set) < 0)
		return -1;
	/* To a reshare the new operators come, too. */
	rc = reshare
	    ? reshare_operators_open(run->room, run->set, &run->operators)
	    : operators_open(run->room, run->set, &run->operators);
	if (rc < 0)
		return -1;
	run->operators.in_use = run->authority->module;
	return 0;
}

/* ---- login ------------------------------------------------------------ */

static int
log_in(struct run *run)
{
	if (run->special != NULL && run->special->other_token)
		return run->special->check(run); /* which logs in, too */
	if (run->resumed && run->special != NULL &&
	    run->special->check == reshare_check)
		return reshare_login(run);
	if (run->special != NULL && run->special->journal_lost)
		return recover_login(run);
	return authority_login(
	    run->authority, run->room, &run->operators, run->nonce);
}

/*
 * What a plan of its own kind replaces a check by.  Where authority.yaml was
 * changed, even the login is by what was not looked at yet.
 */
static int
check_special(struct run *run)
{
	return run->special == NULL || run->special->other_token
	    ? 0
	    : run->special->check(run);
}

/* All that is looked at before anybody is asked for anything. */
static int
check_before(struct run *run, struct plan *plan)
{
	if (refuse_second_run(run, plan) < 0 || show_plan(run, plan) < 0 ||
	    check_clock(run, plan, true) < 0 ||
	    check_space(run, plan->preview.object_count) < 0 ||
	    adopt_kept_plan(run, plan) < 0 || check_extends(run) < 0 ||
	    check_module(run) < 0 ||
	    (plan->preview.object_count > 0 && lint_open(run) < 0))
		return -1;
	/* That of a lost journal is named by the plan. */
	return run->special != NULL && run->special->journal_lost
	    ? 0
	    : approve_check_receipt(run->authority, run->room);
}

int
run_start(struct authority *authority, struct plan *plan,
    const struct room *room, const struct late_csr *late, size_t late_count,
    struct findings *findings, struct run_summary *ret_summary)
{
	AUTO_STRUCT(run)
	run = {
		.authority = authority,
		.room = room,
		.findings = findings,
		.fd = -1,
		.build = { .public_fd = -1 },
		.special = special_of_plan(plan),
	};

	if (draw_nonce(&run) < 0 || check_before(&run, plan) < 0 ||
	    gather_people(&run) < 0 || check_special(&run) < 0 ||
	    run_take_late(&run, late, late_count) < 0 ||
	    approve_collect(authority, plan, run.fd, &run.operators, findings,
		&run.approvals) < 0 ||
	    log_in(&run) < 0 || check_token(&run, &plan->preview) < 0 ||
	    open_run(&run) < 0)
		return -1;
	return give_summary(&run, carry_out(&run), ret_summary);
}

/* ---- resuming --------------------------------------------------------- */

static int
load_open_run(struct run *run, struct run_row *row)
{
	bool found = false;

	if (journal_open_run(journal_of_run(run), &found, row) < 0)
		return -1;
	if (!found &&
	    journal_run_without_receipt(journal_of_run(run), &found, row) < 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_STATE, "no run is open: there is nothing to resume");
	if (strlen(row->run) != 2 * NONCE_LEN)
		return ca_error(CA_R_CORRUPT, "the open run has no nonce");
	memcpy(run->nonce, row->run, sizeof(run->nonce));
	run->lists = (unsigned)row->lists;
	run->first = before_plan(row->seq);
	if (plan_restore(
		run->authority, run->room, row->directory, row->manifest) < 0 ||
	    plan_open_kept(run->authority, row->directory, run->findings,
		&run->plan) < 0 ||
	    open_directory(run, row->directory) < 0)
		return -1;
	if (strcmp(run->plan->manifest_sha256, row->manifest) != 0)
		return ca_error(CA_R_VERIFY,
		    "the manifest in 'ceremonies/%s' is not the one that the "
		    "run began with",
		    row->directory);
	run->special = special_of_plan(run->plan);
	/* Whoever can write into the journal can begin a run, but not approve. */
	return vouch_run(run->authority, run->nonce) < 0 ? -1
							 : run_reload_late(run);
}

/* Only the plan that takes in a changed configuration runs with it. */
static int
check_recorded(const struct run *run)
{
	if (run->special != NULL && run->special->config_changed)
		return 0;
	return authority_check_config(run->authority);
}

static int
append_resumed(struct run *run)
{
	return journal_append(journal_of_run(run), ENTRY_RESUMED,
	    json_pack("{s:s, s:s, s:o}", "run", run->nonce, "serial",
		token_facts(authority_token(run->authority))->serial, "clock",
		clock_json(&run->clock)),
	    "the run that was cut off goes on", NULL);
}

/*
 * Outside the plan's window, and after half a day, nothing that was built
 * before is signed as it is: it is built, and confirmed, anew.
 */
static void
forget_spooled(struct run *run)
{
	bool open = in_window(run, run->now);

	for (size_t i = 0; i < run->earlier_count; i++) {
		struct earlier_object *e = &run->earlier[i];

		if (e->state == EARLIER_SPOOLED &&
		    (!open || e->built > run->now ||
			run->now - e->built > LISTED_MAX_AGE))
			e->state = EARLIER_NOTHING;
	}
}

/* A clock that is far off would date what is signed; people must look. */
static int
confirm_clock(struct run *run)
{
	if (in_window(run, run->now))
		return 0;
	run->room->show(run->room->ctx, ROOM_WARNING,
	    "the plan's window is over: everything that is not signed yet is "
	    "built anew, with the time that the clock says");
	return run->room->confirm(run->room->ctx, "Is the clock right?");
}

static int
go_on(struct run *run, const struct run_row *row)
{
	const struct key *journal_key = NULL;

	if (authority_key(run->authority, JOURNAL_KEY, &journal_key) < 0)
		return -1;
	if (!row->open)
		return publish_again(run);
	if (append_resumed(run) < 0)
		return -1;
	if (row->refused)
		return finish_refused(run, "the run was refused");
	if (sign_settle_intents(run) < 0 || spool_load_earlier(run) < 0)
		return -1;
	forget_spooled(run);
	return carry_out(run);
}

int
run_resume(struct authority *authority, const struct room *room,
    struct findings *findings, struct run_summary *ret_summary)
{
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_STRUCT(run)
	run = {
		.authority = authority,
		.room = room,
		.findings = findings,
		.fd = -1,
		.build = { .public_fd = -1 },
		.resumed = true,
	};

	if (load_open_run(&run, &row) < 0 || check_recorded(&run) < 0 ||
	    show_plan(&run, run.plan) < 0 || check_extends(&run) < 0 ||
	    check_clock(&run, run.plan, false) < 0 ||
	    check_space(&run, 0) < 0 || confirm_clock(&run) < 0 ||
	    ((run.special == NULL || !run.special->journal_lost) &&
		approve_check_receipt(authority, room) < 0) ||
	    note_module(&run) < 0 || gather_people(&run) < 0 ||
	    log_in(&run) < 0)
		return -1;
	return give_summary(&run, go_on(&run, &row), ret_summary);
}
