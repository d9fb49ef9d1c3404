/*
 * Plans that mend or change the authority itself: a table, and the ways out.
 * Reshare has a file of its own.
 *
 * perform() may be cut off anywhere and is then done again from the beginning.
 * A step whose work is journalled already contributes no act to a resumed run;
 * what is left then is what comes after the journal.
 */
#include "ceremony/steps/special.h"

#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/note.h"
#include "ceremony/reshare-private.h"
#include "ceremony/run-private.h"

/* What the plan's only step says. */
static const void *
params_of(const struct run *run)
{
	return run->plan->steps[0].params;
}

/* The act that was confirmed; NULL: it is done. */
static const struct built_act *
act_of(const struct run *run)
{
	return run->build.act_count == 0 ? NULL : &run->build.acts[0];
}

/* A text of the act, "serial.new". */
static const char *
act_text(const struct built_act *act, const char *object, const char *member)
{
	const json_t *value =
	    object == NULL ? act->data : json_object_get(act->data, object);

	return json_string_value(json_object_get(value, member));
}

static int
malformed_act(void)
{
	return ca_error(CA_R_INTERNAL, "the act of this plan is malformed");
}

/* The end of a transaction, well or ill. */
static int
commit_or_not(struct journal *journal, int rc)
{
	if (rc == 0)
		return journal_commit(journal);
	journal_rollback(journal);
	return -1;
}

/* ---- correct-clock ---------------------------------------------------- */

static int
clock_check(struct run *run)
{
	int64_t last = 0, now = date_now();
	char last_text[DATE_TEXT_SIZE], now_text[DATE_TEXT_SIZE];

	if (journal_last_time(journal_of_run(run), &last) < 0)
		return -1;
	if (now < last)
		return 0;
	date_format(last, last_text);
	date_format(now, now_text);
	return ca_error(CA_R_STATE,
	    "the clock says %s, which is not before the journal's last entry "
	    "of a run (%s): there is nothing to correct",
	    now_text, last_text);
}

static int
clock_perform(struct run *run)
{
	const struct built_act *act = act_of(run);
	const char *was, *now, *why;
	int64_t confirmed = 0;

	if (act == NULL)
		return 0;
	was = act_text(act, NULL, "floor");
	now = act_text(act, NULL, "clock");
	why = act_text(act, NULL, "why");
	if (was == NULL || now == NULL || why == NULL)
		return malformed_act();
	if (date_parse(now, &confirmed) < 0)
		return -1;
	if (date_now() < confirmed)
		return ca_error(CA_R_POLICY,
		    "the clock was set back to before %s, the time that was "
		    "confirmed; set it right, then go on with 'ca-tool plan "
		    "run --resume'",
		    now);
	return journal_append(journal_of_run(run), ENTRY_CLOCK,
	    json_pack("{s:s, s:s, s:s, s:s}", "run", run->nonce, "was", was,
		"now", now, "why", why),
	    "the clock was wrong before and is right from here on", NULL);
}

/* ---- adopt-config ----------------------------------------------------- */

/* authority.yaml as it was recorded; absent where no run has kept it. */
struct old_config {
	bool found;
	struct authority_config *config;
};

static void
old_config_clear(struct old_config *old)
{
	yaml_value_free(&authority_schema, old->config);
	*old = (struct old_config){ 0 };
}
CLEANUP_DEFINE_STRUCT(old_config);

static int
parse_old(const unsigned char *data, size_t len, struct old_config *old)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(yaml) *doc = NULL;
	void *value = NULL;

	if (yaml_load("authority.yaml as recorded", data, len,
		&authority_schema, &findings, &doc, &value) < 0)
		return -1;
	old->config = value;
	old->found = true;
	return 0;
}

static int
load_old(
    struct journal *journal, const char *sha256_text, struct old_config *old)
{
	AUTO_BYTES(digest) = NULL;
	AUTO_BYTES(data) = NULL;
	size_t digest_len = 0, len = 0;

	if (text_unhex(sha256_text, &digest, &digest_len) < 0 ||
	    digest_len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal has a malformed hash of authority.yaml");
	if (journal_evidence_get(journal, digest, &data, &len) < 0) {
		if (ca_error_reason() != CA_R_MISSING)
			return -1;
		ca_error_clear();
		return 0;
	}
	return parse_old(data, len, old);
}

static bool
same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static int
fixed(const char *member, const char *old, const char *how)
{
	return ca_error(CA_R_POLICY,
	    "'%s' of authority.yaml was '%s' and cannot be changed by "
	    "'adopt-config'; put it back%s",
	    member, old == NULL ? "" : old, how);
}

/*
 * What opens the token: another word there, and it would not open any more.
 * Another path of the module is fine, since the token that the journal knows
 * was found and opened through it; so is the label of the token that was
 * adopted last.
 */
static int
check_fixed(const struct authority_config *old,
    const struct authority_config *new, const struct authority_row *row)
{
	const struct {
		const char *member, *old, *new, *how;
	} rows[] = {
		{ "id", old->id, new->id, "; an authority keeps its id" },
		{ "token.module",
		    old->token.module[0] == '/' ? "/" : old->token.module,
		    new->token.module[0] == '/' ? "/" : new->token.module, "" },
		{ "token.label", old->token.label,
		    same(row->token_label, new->token.label) ? old->token.label
							     : new->token.label,
		    "; another token is taken by 'adopt-token'" },
		{ "login", old->login, new->login, "" },
		{ "pin.format", old->pin.format, new->pin.format, "" },
		{ "pin.alphabet", old->pin.alphabet, new->pin.alphabet, "" },
		{ "pin.length", old->pin.length, new->pin.length, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!same(rows[i].old, rows[i].new))
			return fixed(rows[i].member, rows[i].old, rows[i].how);
	return 0;
}

/* Where the old file is not kept, the journal knows this much of it. */
static int
check_fixed_by_journal(
    struct run *run, const struct authority_row *row, bool shares)
{
	const struct authority_config *config =
	    authority_config(run->authority);

	if (!same(row->id, config->id))
		return fixed("id", row->id, "; an authority keeps its id");
	if (!same(row->token_label, config->token.label))
		return fixed("token.label", row->token_label,
		    "; another token is taken by 'adopt-token'");
	if (shares != login_has_shares(authority_login_kind(run->authority)))
		return fixed("login",
		    shares ? "derived' or 'adopted"
			   : "prompt' or "
			     "'protected-path",
		    "");
	return 0;
}

/*
 * The profiles that the plan adopts must still be those that lie there: from
 * now on plans read them from profiles/.
 */
static int
check_profiles_unchanged(struct run *run)
{
	for (size_t i = 0; i < run->plan->inputs.count; i++) {
		const struct input *input = &run->plan->inputs.rows[i];
		unsigned char digest[HASH_LEN];
		AUTO_CHARS(path) = NULL;

		if (input->role != INPUT_PROFILE)
			continue;
		path = text_printf("profiles/%s.yaml", input->given);
		if (path == NULL ||
		    file_sha256_at(authority_fd(run->authority), path, digest) <
			0)
			return -1;
		if (memcmp(digest, input->sha256, HASH_LEN) != 0)
			return ca_error(CA_R_VERIFY,
			    "'%s' was changed after the plan was checked, so "
			    "its approvals are void; check the plan again",
			    path);
	}
	return 0;
}

/* authority.yaml is loaded already: what the plan adopts must be that. */
static int
check_config_unchanged(struct run *run)
{
	const struct input *input =
	    inputs_find(&run->plan->inputs, INPUT_AUTHORITY, "authority.yaml");
	char hex[HASH_HEX_SIZE] = "";

	if (input != NULL)
		text_hex_into(input->sha256, HASH_LEN, hex);
	if (strcmp(hex, authority_config_sha256(run->authority)) == 0)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "authority.yaml was changed after the plan was checked, so its "
	    "approvals are void; check the plan again");
}

static int
config_check(struct run *run)
{
	struct journal *journal = journal_of_run(run);
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(old_config) old = { 0 };
	const struct quorum_set *set = NULL;

	if (journal_authority(journal, &row) < 0 ||
	    check_config_unchanged(run) < 0 ||
	    check_profiles_unchanged(run) < 0 ||
	    authority_quorum(run->authority, &set) < 0)
		return -1;
	if (row.config_sha256 != NULL &&
	    load_old(journal, row.config_sha256, &old) < 0)
		return -1;
	if (old.found)
		return check_fixed(
		    old.config, authority_config(run->authority), &row);
	return check_fixed_by_journal(run, &row, set->shares);
}

/* One that is changed, new, or removed (new: null). */
static int
append_profile(struct run *run, const json_t *change)
{
	const char *name =
	    json_string_value(json_object_get(change, "profile"));
	const char *old = json_string_value(json_object_get(change, "old"));
	const char *new = json_string_value(json_object_get(change, "new"));
	AUTO_CHARS(text) = NULL;
	json_t *data;

	if (name == NULL || (old == NULL && new == NULL))
		return malformed_act();
	text = text_printf("profile '%s' %s", name,
	    new == NULL       ? "may not be used any more"
		: old == NULL ? "may be used"
			      : "may be used as it was changed");
	if (text == NULL)
		return -1;
	data = json_pack("{s:s, s:s, s:s}", "run", run->nonce, "profile", name,
	    "sha256", new == NULL ? old : new);
	if (data != NULL && new == NULL &&
	    json_object_set_new(data, "removed", json_true()) != 0) {
		json_decref(data);
		data = NULL;
	}
	if (data == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	return journal_append(
	    journal_of_run(run), ENTRY_PROFILE, data, text, NULL);
}

static int
append_config(struct run *run, const struct built_act *act)
{
	const char *old = act_text(act, "config", "old");
	const char *new = act_text(act, "config", "new");
	json_t *changes = json_object_get(act->data, "profiles");
	json_t *change;
	size_t i;

	if (old == NULL || new == NULL || !json_is_array(changes))
		return malformed_act();
	if (strcmp(old, new) != 0 &&
	    journal_append(journal_of_run(run), ENTRY_CONFIG,
		json_pack("{s:s, s:s}", "run", run->nonce, "sha256", new),
		"the changed authority.yaml was recorded", NULL) < 0)
		return -1;
	json_array_foreach(
	    changes, i, change) if (append_profile(run, change) < 0) return -1;
	return 0;
}

static int
config_perform(struct run *run)
{
	const struct built_act *act = act_of(run);
	struct journal *journal = journal_of_run(run);

	if (act == NULL)
		return 0;
	if (check_config_unchanged(run) < 0 ||
	    check_profiles_unchanged(run) < 0 || journal_begin(journal) < 0)
		return -1;
	return commit_or_not(journal, append_config(run, act));
}

/* ---- adopt-token ------------------------------------------------------ */

/* Found with the public key that was kept, and fit for use. */
static int
visit_live_key(void *ctx, const struct key_row *row)
{
	struct run *run = ctx;
	const struct key *key = NULL;

	return row->state == KEY_LIVE
	    ? authority_key(run->authority, row->name, &key)
	    : 0;
}

/* Is the token that is open the one that the step names, and has it all? */
static int
check_new_token(struct run *run)
{
	const struct adopt_token_params *p = params_of(run);
	struct token *token = authority_token(run->authority);
	AUTO_STRUCT(authority_row) row = { 0 };
	const char *label;

	if (journal_authority(journal_of_run(run), &row) < 0)
		return -1;
	if (token == NULL)
		return ca_error(CA_R_INTERNAL, "no token is open");
	label = p->label != NULL ? p->label : row.token_label;
	if (strcmp(token_facts(token)->serial, p->serial) != 0 ||
	    !same(token_facts(token)->label, label))
		return ca_error(CA_R_TOKEN,
		    "the token that is open is '%s' with serial number %s, not "
		    "the one that the plan names",
		    token_facts(token)->label, token_facts(token)->serial);
	/* Nothing of another login is believed. */
	key_forget_checks(token);
	return journal_each_key(journal_of_run(run), NULL, visit_live_key, run);
}

/* The token that the step names, by label and serial number. */
static int
open_new_token(struct run *run)
{
	const struct adopt_token_params *p = params_of(run);
	struct authority *authority = run->authority;
	AUTO_STRUCT(authority_row) row = { 0 };

	if (authority->token != NULL)
		return 0;
	if (journal_authority(authority->journal, &row) < 0 ||
	    authority_open_module(authority) < 0 ||
	    token_find(authority->module,
		p->label != NULL ? p->label : row.token_label, p->serial,
		&authority->token) < 0)
		return -1;
	/*
	 * A clone has the PINs of the token that it was cloned from, and a head
	 * as old as that copy, or none.
	 */
	authority->head_rule = HEAD_MAY_LAG;
	return authority_login(
	    authority, run->room, &run->operators, run->nonce);
}

/* The token of the journal, whose head fits: no restored copy of it. */
static int
refuse_same_token(struct run *run)
{
	const struct adopt_token_params *p = params_of(run);
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(journal_of_run(run), &row) < 0)
		return -1;
	if (run->resumed || !same(row.token_serial, p->serial) ||
	    (p->label != NULL && !same(row.token_label, p->label)))
		return 0;
	if (head_check(run->authority, HEAD_MUST_FIT, NULL, NULL) < 0) {
		if (ca_error_reason() != CA_R_VERIFY)
			return -1;
		ca_error_clear();
		return 0;
	}
	return ca_error(CA_R_STATE,
	    "the token with serial number %s is that of this authority "
	    "already, and holds the journal's head: there is nothing to adopt",
	    p->serial);
}

/* Also at a resume, which logs in by it. */
static int
token_check(struct run *run)
{
	return open_new_token(run) < 0 || refuse_same_token(run) < 0
	    ? -1
	    : check_new_token(run);
}

static json_t *
token_json(const struct run *run)
{
	const struct token_facts *t =
	    token_facts(authority_token(run->authority));
	const struct module_facts *m =
	    module_facts(authority_module(run->authority));

	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, "
			 "s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
	    "run", run->nonce, "label", t->label, "serial", t->serial,
	    "manufacturer", t->manufacturer, "model", t->model, "hardware",
	    t->hardware, "firmware", t->firmware, "flags", (json_int_t)t->flags,
	    "module", "path", m->path, "sha256", m->sha256, "manufacturer",
	    m->manufacturer, "description", m->description, "version",
	    m->version, "cryptoki", m->cryptoki);
}

static int
token_perform(struct run *run)
{
	const struct built_act *act = act_of(run);
	AUTO_CHARS(text) = NULL;

	/* Journalled already: what was cut off is the head. */
	if (act == NULL)
		return head_write(run->authority);
	if (check_new_token(run) < 0)
		return -1;
	text = text_printf(
	    "the token with serial number %s was adopted instead of that with "
	    "%s",
	    act_text(act, "serial", "new"), act_text(act, "serial", "old"));
	if (text == NULL)
		return -1;
	if (journal_append(journal_of_run(run), ENTRY_TOKEN, token_json(run),
		text, NULL) < 0)
		return -1;
	return head_write(run->authority);
}

/* ---- abandon ---------------------------------------------------------- */

static int
find_abandoned(struct run *run, bool *ret_found, struct run_row *ret_row)
{
	const struct abandon_params *p = params_of(run);

	return journal_run_of_plan(
	    journal_of_run(run), p->plan, ret_found, ret_row);
}

/*
 * While the PINs move, a reshare can only go on.  Before, it is undone; once
 * the new set is in force, all that is left are signatures on the anchor.
 */
static int
check_abandoned_reshare(struct run *run, const char *nonce)
{
	AUTO_STRUCT(reshare_progress) progress = { 0 };

	if (reshare_progress_load(journal_of_run(run), nonce, &progress) < 0)
		return -1;
	if (progress.state == RESHARE_ACTIVE ||
	    (progress.so == PIN_UNTOUCHED && progress.user == PIN_UNTOUCHED))
		return 0;
	return ca_error(CA_R_STATE,
	    "the run is a reshare that has begun to change the token's PINs, "
	    "and cannot be undone; finish it with 'ca-tool plan run --resume' "
	    "and the shares of the new operators");
}

static int
abandon_check(struct run *run)
{
	const struct abandon_params *p = params_of(run);
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (find_abandoned(run, &found, &row) < 0)
		return -1;
	if (!found || !row.open)
		return ca_error(CA_R_STATE,
		    "no run of plan '%s' is open: there is nothing to abandon",
		    p->plan);
	if (check_abandoned_reshare(run, row.run) < 0)
		return -1;
	free(run->abandons);
	run->abandons = text_copy(row.run);
	return run->abandons == NULL ? -1 : 0;
}

/* The run that is abandoned, as the phases see a run. */
static int
open_abandoned(struct run *run, const struct run_row *row, struct run *other)
{
	enum { BEFORE_PLAN = 8 }; /* its login is journalled before its plan */
	AUTO_FD(parent) = -1;

	if (strlen(row->run) != sizeof(other->nonce) - 1)
		return ca_error(
		    CA_R_CORRUPT, "the run of '%s' has no nonce", row->plan);
	memcpy(other->nonce, row->run, sizeof(other->nonce));
	other->lists = (unsigned)row->lists;
	other->first = row->seq < BEFORE_PLAN ? 0 : row->seq - BEFORE_PLAN;
	other->now = run->now;
	if (plan_restore(
		run->authority, run->room, row->directory, row->manifest) < 0 ||
	    plan_open_kept(run->authority, row->directory, run->findings,
		&other->plan) < 0 ||
	    dir_open_at(authority_fd(run->authority), "ceremonies", &parent) <
		0 ||
	    dir_open_at(parent, row->directory, &other->fd) < 0)
		return -1;
	if (strcmp(other->plan->manifest_sha256, row->manifest) != 0)
		return ca_error(CA_R_VERIFY,
		    "the manifest in 'ceremonies/%s' is not the one that the "
		    "run began with",
		    row->directory);
	return dir_sweep(other->fd);
}

static int
destroy_unused(void *ctx, const struct key_row *row)
{
	struct run *other = ctx;
	bool kept = false;

	if (row->state == KEY_GONE)
		return 0;
	if (abandon_keeps_key(journal_of_run(other), other->nonce, row, &kept) <
	    0)
		return -1;
	return kept
	    ? 0
	    : authority_destroy_key(other->authority, other->nonce, row);
}

/* A reshare: undone where it had only begun, else the new set stays. */
static int
end_reshare(struct run *other)
{
	AUTO_STRUCT(reshare_progress) progress = { 0 };
	int fd = -1; /* the authority's */

	if (reshare_progress_load(
		journal_of_run(other), other->nonce, &progress) < 0)
		return -1;
	if (progress.state == RESHARE_ACTIVE)
		return authority_quorum_fd(other->authority, &fd) < 0
		    ? -1
		    : set_make_current(fd, progress.set);
	if (progress.state != RESHARE_BEGUN)
		return 0;
	return reshare_append_state(journal_of_run(other), &progress, "undone",
	    "the reshare was given up; the operators stay as they are");
}

/* What it published is part of this run's summary. */
static void
take_summary(struct run *run, struct run *other)
{
	if (run->summary.published_count > 0)
		return;
	run->summary.published = TAKE(other->summary.published);
	run->summary.published_count = other->summary.published_count;
	other->summary.published_count = 0;
}

static int
end_abandoned(struct run *run, const struct run_row *row, struct run *other)
{
	if (!row->open) /* closed, but perhaps without files and receipt */
		return publish_again(other);
	if (check_abandoned_reshare(run, row->run) < 0 ||
	    sign_settle_intents(other) < 0 ||
	    journal_each_key(journal_of_run(other), other->nonce,
		destroy_unused, other) < 0 ||
	    end_reshare(other) < 0)
		return -1;
	return publish_and_close(other, "abandoned");
}

/* End the other run, as it stands in the journal. */
static int
end_other(struct run *run, const struct run_row *row)
{
	AUTO_STRUCT(run)
	other = {
		.authority = run->authority,
		.room = run->room,
		.findings = run->findings,
		.fd = -1,
		.build = { .public_fd = -1 },
		.resumed = true,
	};

	if (open_abandoned(run, row, &other) < 0 ||
	    end_abandoned(run, row, &other) < 0)
		return -1;
	take_summary(run, &other);
	return 0;
}

static int
abandon_perform(struct run *run)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (find_abandoned(run, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_INTERNAL, "the run to be abandoned is gone");
	return end_other(run, &row);
}

/* ---- recover-journal -------------------------------------------------- */

/* Does the journal not go on from one of the plan's receipts? */
static int
look_at_receipts(struct run *run)
{
	const struct recover_journal_params *p = params_of(run);
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(journal_of_run(run), &row) < 0)
		return -1;
	for (unsigned i = 0; i < p->receipts_count; i++) {
		const struct input *input =
		    inputs_find(&run->plan->inputs, INPUT_FILE, p->receipts[i]);
		AUTO_STRUCT(checkpoint) receipt = { 0 };
		struct head head;
		enum head_relation relation = HEAD_FITS;
		uint64_t epoch = 0;

		if (input == NULL)
			return ca_error(CA_R_INTERNAL, "a receipt is not kept");
		if (head_receipt(journal_of_run(run), (char *)input->data,
			input->len, &receipt, &epoch) < 0)
			return -1;
		/* A receipt says what a head says. */
		head = (struct head){ .origin = receipt.origin,
			.epoch = epoch,
			.size = receipt.size };
		memcpy(head.root, receipt.root, HASH_LEN);
		if (head_compare(journal_of_run(run), &head, &relation) < 0)
			return -1;
		run->receipts_clash = run->receipts_clash ||
		    relation == HEAD_SHORTER || relation == HEAD_FORKED;
	}
	return 0;
}

/*
 * A run may be open in what is left of the journal: nobody could log in to
 * finish it, so this run ends it, too.
 */
static int
recover_check(struct run *run)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (look_at_receipts(run) < 0 ||
	    journal_open_run(journal_of_run(run), &found, &row) < 0)
		return -1;
	if (!found)
		return 0;
	if (check_abandoned_reshare(run, row.run) < 0)
		return -1;
	free(run->abandons);
	run->abandons = text_copy(row.run);
	return run->abandons == NULL ? -1 : 0;
}

/* Is the new epoch in the journal already, by this run? */
static int
epoch_is_open(struct run *run, bool *ret_open)
{
	const struct build build = { .journal = journal_of_run(run),
		.run = run->nonce };

	*ret_open = false;
	return run->resumed ? step_journalled(&build, ENTRY_EPOCH, ret_open)
			    : 0;
}

int
recover_login(struct run *run)
{
	struct authority *authority = run->authority;
	AUTO_STRUCT(head) head = { 0 };
	bool open = false, found = false;

	if (epoch_is_open(run, &open) < 0 || look_at_receipts(run) < 0)
		return -1;
	authority->head_rule = open ? HEAD_MUST_FIT
	    : run->receipts_clash   ? HEAD_MAY_CLASH
				    : HEAD_MUST_CLASH;
	if (authority_login(authority, run->room, &run->operators, run->nonce) <
	    0)
		return -1;
	if (open)
		return 0;
	if (head_check(authority, authority->head_rule, &found, &head) < 0)
		return -1;
	free(run->token_head);
	run->token_head = NULL;
	return found ? head_compose(&head, &run->token_head) : 0;
}

/* What the token held, as the entry says it; null where it held nothing. */
static json_t *
head_json(const char *text)
{
	AUTO_STRUCT(head) head = { 0 };
	char root[HASH_HEX_SIZE];

	if (text == NULL)
		return json_null();
	if (head_parse(text, strlen(text), &head) < 0)
		return NULL;
	text_hex_into(head.root, HASH_LEN, root);
	return json_pack("{s:s, s:I, s:I, s:s}", "origin", head.origin, "epoch",
	    (json_int_t)head.epoch, "size", (json_int_t)head.size, "root",
	    root);
}

static int
append_epoch(struct run *run, const struct built_act *act)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size = 0;
	json_t *data;

	if (journal_authority(journal_of_run(run), &row) < 0 ||
	    journal_head(journal_of_run(run), &size, root) < 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	data = json_pack("{s:s, s:O, s:O, s:{s:s, s:I, s:s}, s:o, s:O, s:O}",
	    "run", run->nonce, "epoch", json_object_get(act->data, "epoch"),
	    "origin", json_object_get(act->data, "origin"), "was", "origin",
	    row.origin, "size", (json_int_t)size, "root", hex, "head",
	    head_json(act_text(act, NULL, "head")), "lost",
	    json_object_get(act->data, "lost"), "receipts",
	    json_object_get(act->data, "receipts"));
	if (data == NULL)
		return malformed_act();
	return journal_append(journal_of_run(run), ENTRY_EPOCH, data,
	    "the journal was not the newest; it goes on as a new epoch", NULL);
}

static int
recover_perform(struct run *run)
{
	const struct built_act *act = act_of(run);
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_STRUCT(run_row) other = { 0 };
	bool found = false;

	if (act != NULL && append_epoch(run, act) < 0)
		return -1;
	if (head_write(run->authority) < 0 ||
	    journal_run(journal_of_run(run), run->nonce, &found, &row) < 0)
		return -1;
	if (!found || row.abandons == NULL)
		return 0;
	if (journal_run(journal_of_run(run), row.abandons, &found, &other) < 0)
		return -1;
	return found ? end_other(run, &other)
		     : ca_error(CA_R_INTERNAL, "the open run is gone");
}

/* ---- the table -------------------------------------------------------- */

static const struct special table[] = {
	{
	    .step = "reshare",
	    .check = reshare_check,
	    .perform = reshare_perform,
	},
	{
	    .step = "abandon",
	    .other_run_open = true,
	    .check = abandon_check,
	    .perform = abandon_perform,
	},
	{
	    .step = "adopt-config",
	    .config_changed = true,
	    .check = config_check,
	    .perform = config_perform,
	},
	{
	    .step = "adopt-token",
	    .other_token = true,
	    .check = token_check,
	    .perform = token_perform,
	},
	{
	    .step = "correct-clock",
	    .clock_wrong = true,
	    .check = clock_check,
	    .perform = clock_perform,
	},
	{
	    .step = "recover-journal",
	    .other_run_open = true,
	    .journal_lost = true,
	    .check = recover_check,
	    .perform = recover_perform,
	},
};

/* A plan with more steps than this one has a finding (STEP-ALONE). */
const struct special *
special_of_plan(const struct plan *plan)
{
	for (size_t i = 0; i < plan->params->steps_count; i++)
		for (size_t k = 0; k < sizeof(table) / sizeof(table[0]); k++)
			if (strcmp(plan->steps[i].kind->name, table[k].step) ==
			    0)
				return &table[k];
	return NULL;
}
