/* The phases of a run, in their order. */
#include <fcntl.h>
#include <string.h>

#include <openssl/rand.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"

enum {
	SPACE_BASE = 16 << 20, /* journal, spool, files of a small plan */
	SPACE_PER_OBJECT = 64 << 10,
};

void
run_clear(struct run *run)
{
	cleanup_fd(&run->build.public_fd);
	build_clear(&run->build);
	for (size_t i = 0; i < run->earlier_count; i++)
		free(run->earlier[i].der);
	free(run->earlier);
	free(run->object_list);
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
	AUTO_CHARS(line) = NULL;

	date_format(now, now_text);
	if (journal_last_time(journal_of_run(run), &last) < 0)
		return -1;
	date_format(last, other);
	if (now < last)
		return ca_error(CA_R_POLICY,
		    "the clock says %s, but the journal's last entry of a run "
		    "is of %s; set the clock right",
		    now_text, other);
	date_format(now < plan->from ? plan->from : plan->until, other);
	if (inside_window && (now < plan->from || now > plan->until))
		return ca_error(CA_R_POLICY,
		    "the clock says %s, and the plan's window %s %s; set the "
		    "clock right, or make a new plan",
		    now_text, now < plan->from ? "begins" : "ended", other);
	line = text_printf("The clock of this computer says %s. Compare it "
			   "with a second one.",
	    now_text);
	if (line == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_TEXT, line);
	run->now = now;
	return 0;
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
	unsigned char root[HASH_LEN];

	if (journal_root_at(journal_of_run(run), run->plan->size, root) < 0)
		return -1;
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
	if (found)
		return ca_error(CA_R_STATE,
		    "the run of plan '%s' was cut off and is open; finish it "
		    "first with 'ca-tool plan run --resume'",
		    row.plan);
	if (journal_run_without_receipt(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (found)
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

/* Everything that the token must be able to do, before it is asked to. */
static int
check_token(struct run *run, const struct build *preview)
{
	struct token *token = authority_token(run->authority);
	const struct key *journal_key = NULL;

	/* Without it no run can be closed. */
	if (authority_key(run->authority, JOURNAL_KEY, &journal_key) < 0)
		return -1;
	for (size_t i = 0; i < preview->key_count; i++) {
		const struct key_type *type =
		    key_type_by_name(preview->keys[i].order.type);

		if (type == NULL || token_offers(token, type) < 0 ||
		    key_label_check(token, preview->keys[i].order.name) < 0)
			return -1;
	}
	for (size_t i = 0; i < preview->object_count; i++) {
		const char *name = preview->objects[i].key;
		const struct key *key = NULL;
		bool planned = false;

		for (size_t k = 0; k < preview->key_count; k++)
			planned = planned ||
			    strcmp(preview->keys[k].order.name, name) == 0;
		if (!planned && authority_key(run->authority, name, &key) < 0)
			return -1;
	}
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

/* The login to the token is journalled just before the plan. */
static uint64_t
before_plan(uint64_t plan_seq)
{
	enum { LOGIN_ENTRIES = 4 };

	return plan_seq < LOGIN_ENTRIES ? 0 : plan_seq - LOGIN_ENTRIES;
}

/* The manifest and every input, so that what was decided can be reread. */
static int
keep_inputs(struct run *run)
{
	const struct plan *plan = run->plan;
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(journal_of_run(run), plan->manifest,
		strlen(plan->manifest), digest) < 0)
		return -1;
	for (size_t i = 0; i < plan->inputs.count; i++)
		if (journal_evidence_put(journal_of_run(run),
			plan->inputs.rows[i].data, plan->inputs.rows[i].len,
			digest) < 0)
			return -1;
	return 0;
}

static int
append_plan(struct run *run, uint64_t *ret_seq)
{
	const struct plan *plan = run->plan;
	AUTO_CHARS(text) = NULL;

	if (step_text(&text, "a run of plan '%s' begins: %s", plan_id(plan),
		plan_title(plan)) < 0)
		return -1;
	return journal_append(journal_of_run(run), ENTRY_PLAN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "run", run->nonce, "plan",
		plan_id(plan), "title", plan_title(plan), "manifest",
		plan->manifest_sha256, "directory", plan->directory),
	    text, ret_seq);
}

static int
open_run(struct run *run)
{
	uint64_t seq = 0;

	if (journal_begin(journal_of_run(run)) < 0)
		return -1;
	if (keep_inputs(run) < 0 || append_plan(run, &seq) < 0) {
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
make_key(struct run *run, const struct key_order *order)
{
	AUTO_STRUCT(key_row) row = { 0 };
	const struct key *key = NULL;
	const unsigned char *spki;
	bool found = false;
	size_t len;

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
	const struct room *room = run->room;

	if (run->build.key_count > 0)
		show_phase(run, "Making keys inside the token");
	for (size_t i = 0; i < run->build.key_count; i++) {
		if (!room->keep_going(room->ctx))
			return ca_error(CA_R_INTERRUPTED,
			    "stopped on request; go on with 'ca-tool plan run "
			    "--resume'");
		if (make_key(run, &run->build.keys[i].order) < 0)
			return -1;
		room->progress(room->ctx, "keys", i + 1, run->build.key_count);
	}
	return 0;
}

/* ---- refusing --------------------------------------------------------- */

static int
destroy_key(void *ctx, const struct key_row *row)
{
	struct run *run = ctx;

	return row->state == KEY_GONE
	    ? 0
	    : authority_destroy_key(run->authority, run->nonce, row);
}

static json_t *
findings_json(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->rows[i];

		if (json_array_append_new(array,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "severity",
			    severity_name(f->severity), "id", f->id, "place",
			    f->place, "text", f->text, "source", f->source)) !=
		    0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* The findings are evidence: they may be longer than an entry. */
static int
append_refused(struct run *run, const char *why)
{
	json_t *array = findings_json(run->findings);
	AUTO_CHARS(report) = array == NULL
	    ? NULL
	    : json_dumps(array, JSON_COMPACT | JSON_ENSURE_ASCII);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	json_decref(array);
	if (report == NULL)
		return ca_error(CA_R_MEMORY, "no memory for findings");
	if (journal_evidence_put(
		journal_of_run(run), report, strlen(report), digest) < 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	return journal_append(journal_of_run(run), ENTRY_REFUSED,
	    json_pack("{s:s, s:I, s:s, s:s}", "run", run->nonce, "findings",
		(json_int_t)run->findings->count, "report", hex, "why", why),
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

/* ---- build and confirm ------------------------------------------------ */

static int
token_random_adapter(void *ctx, unsigned char *ret_bytes, size_t len)
{
	return token_random(ctx, ret_bytes, len);
}

static int
setup_build(struct run *run)
{
	if (plan_build_setup(run->authority, run->plan, BUILD_RUN, run->now,
		run->findings, &run->build) < 0)
		return -1;
	run->build.random = token_random_adapter;
	run->build.random_ctx = authority_token(run->authority);
	run->build.earlier = run->earlier;
	run->build.earlier_count = run->earlier_count;
	run->build.run = run->nonce;
	run->build.resumed = run->resumed;
	return build_collect_keys(
	    &run->build, run->plan->steps, run->plan->params->steps_count);
}

/* Does the newest list hold all that is to be done, as it is to be done? */
static bool
list_stands(const struct run *run)
{
	if (run->lists == 0 || run->build.act_count > 0)
		return false;
	for (size_t i = 0; i < run->build.object_count; i++)
		if (run->build.objects[i].from == BUILT_NOW)
			return false;
	return true;
}

static int
make_list(struct run *run)
{
	if (!list_stands(run))
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
	return run->build.act_count == 0;
}

/* Hours may pass while people read: the window must still be open. */
static bool
is_late(const struct run *run)
{
	int64_t now = date_now();

	return !run->resumed &&
	    (now < run->plan->from || now > run->plan->until);
}

static int
confirm(struct run *run)
{
	if (nothing_left(run))
		return 0;
	show_phase(run, "This will be signed, and done");
	if (spool_show(run) < 0)
		return ca_error(CA_R_MEMORY, "no memory to show the list");
	if (run->room->confirm(
		run->room->ctx, "Is every line of this list right?") < 0)
		return ca_error_reason() == CA_R_POLICY ? refuse_for_error(run)
							: -1;
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
	if (build_plan(&run->build, run->plan->steps,
		run->plan->params->steps_count) < 0)
		return -1;
	if (run->findings->errors > 0)
		return refuse(run, "the plan was refused when it was built");
	run->object_list =
	    calloc(run->build.object_count + 1, sizeof(*run->object_list));
	if (run->object_list == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	if (check_signers(run) < 0 || sign_rehearse(run) < 0)
		return refuse_for_error(run);
	return make_list(run);
}

/* From keys to close; the same for a new run and a resumed one. */
static int
carry_out(struct run *run)
{
	if (setup_build(run) < 0)
		return -1;
	if (make_keys(run) < 0)
		return refuse_for_error(run);
	if (build(run) < 0 || confirm(run) < 0)
		return -1;
	show_phase(run, "Signing");
	if (sign_all(run) < 0)
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

static int
open_directory(struct run *run, const char *name)
{
	AUTO_FD(parent) = -1;

	if (dir_open_at(authority_fd(run->authority), "ceremonies", &parent) <
		0 ||
	    dir_open_at(parent, name, &run->fd) < 0)
		return -1;
	return dir_sweep(run->fd);
}

/* From here on, only the kept bytes are read. */
static int
adopt_kept_plan(struct run *run, struct plan *plan)
{
	if (plan_keep(run->authority, plan) < 0 ||
	    plan_open_kept(run->authority, plan->directory, run->findings,
		&run->plan) < 0 ||
	    open_directory(run, plan->directory) < 0)
		return -1;
	if (strcmp(run->plan->manifest_sha256, plan->manifest_sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "the kept plan is not the one that was checked");
	return 0;
}

int
run_start(struct authority *authority, struct plan *plan,
    const struct room *room, struct findings *findings,
    struct run_summary *ret_summary)
{
	AUTO_STRUCT(run)
	run = {
		.authority = authority,
		.room = room,
		.findings = findings,
		.fd = -1,
		.build = { .public_fd = -1 },
	};

	if (refuse_second_run(&run, plan) < 0 || show_plan(&run, plan) < 0 ||
	    check_clock(&run, plan, true) < 0 ||
	    check_space(&run, plan->preview.object_count) < 0 ||
	    adopt_kept_plan(&run, plan) < 0 || check_extends(&run) < 0 ||
	    check_module(&run) < 0 || draw_nonce(&run) < 0)
		return -1;
	if (authority_login(authority, room, run.nonce) < 0 ||
	    check_token(&run, &plan->preview) < 0 || open_run(&run) < 0)
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
	if (plan_open_kept(run->authority, row->directory, run->findings,
		&run->plan) < 0 ||
	    open_directory(run, row->directory) < 0)
		return -1;
	if (strcmp(run->plan->manifest_sha256, row->manifest) != 0)
		return ca_error(CA_R_VERIFY,
		    "the manifest in 'ceremonies/%s' is not the one that the "
		    "run began with",
		    row->directory);
	return 0;
}

static int
append_resumed(struct run *run)
{
	return journal_append(journal_of_run(run), ENTRY_RESUMED,
	    json_pack("{s:s, s:s}", "run", run->nonce, "serial",
		token_facts(authority_token(run->authority))->serial),
	    "the run that was cut off goes on", NULL);
}

/*
 * Outside the plan's window nothing that was built before is signed as it is:
 * it is built, and confirmed, anew.
 */
static void
forget_spooled(struct run *run)
{
	if (run->now >= run->plan->from && run->now <= run->plan->until)
		return;
	for (size_t i = 0; i < run->earlier_count; i++)
		if (run->earlier[i].state == EARLIER_SPOOLED)
			run->earlier[i].state = EARLIER_NOTHING;
}

/* A clock that is far off would date what is signed; people must look. */
static int
confirm_clock(struct run *run)
{
	if (run->now >= run->plan->from && run->now <= run->plan->until)
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

	if (load_open_run(&run, &row) < 0 || show_plan(&run, run.plan) < 0 ||
	    check_extends(&run) < 0 || check_clock(&run, run.plan, false) < 0 ||
	    check_space(&run, 0) < 0 || confirm_clock(&run) < 0 ||
	    note_module(&run) < 0 ||
	    authority_login(authority, room, run.nonce) < 0)
		return -1;
	return give_summary(&run, go_on(&run, &row), ret_summary);
}
