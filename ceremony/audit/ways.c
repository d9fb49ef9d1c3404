/*
 * Runs: each by a plan that enough operators approved, doing what that and its
 * confirmed lists say and nothing else; ways out only as they may be used.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"

/* ---- state ------------------------------------------------------------ */

static void
run_clear(struct audit_run *run)
{
	free(run->set);
	free(run->abandons);
	audit_plan_clear(&run->plan);
}

static int
ways_begin(struct audit *audit, void **ret_state)
{
	return audit_state(audit,
	    "CREATE TEMP TABLE audit_listed (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, object INTEGER NOT NULL,"
	    " kind TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,"
	    " algorithm TEXT NOT NULL, tbs TEXT NOT NULL, lint TEXT,"
	    " PRIMARY KEY (run, list, object)) STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_acts (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, act INTEGER NOT NULL,"
	    " kind TEXT NOT NULL, text TEXT NOT NULL,"
	    " done INTEGER NOT NULL DEFAULT 0,"
	    " PRIMARY KEY (run, list, act)) STRICT, WITHOUT ROWID;"
	    "CREATE TEMP TABLE audit_parts (run TEXT NOT NULL,"
	    " part TEXT NOT NULL, PRIMARY KEY (run, part))"
	    " STRICT, WITHOUT ROWID;"
	    "CREATE INDEX temp.audit_acts_text"
	    " ON audit_acts (run, kind, text)",
	    sizeof(struct audit_ways_state), ret_state);
}

static int
ways_end(struct audit *audit, void *data, bool whole)
{
	struct audit_ways_state *state = data;

	(void)audit;
	(void)whole;
	if (state == NULL)
		return 0;
	for (size_t i = 0; i < state->count; i++)
		run_clear(&state->runs[i]);
	free(state->runs);
	free(state->login_kind);
	free(state->serial);
	json_decref(state->people);
	free(state);
	return 0;
}

struct audit_run *
audit_find_run(struct audit_ways_state *state, const char *nonce)
{
	for (size_t i = 0; nonce != NULL && i < state->count; i++)
		if (strcmp(state->runs[i].nonce, nonce) == 0)
			return &state->runs[i];
	return NULL;
}

struct audit_run *
audit_newest_run(struct audit_ways_state *state)
{
	return state->count == 0 ? NULL : &state->runs[state->count - 1];
}

/* ---- a run begins ----------------------------------------------------- */

/* Each has the plan for itself. */
static const struct step_kind *const specials[] = { &step_reshare,
	&step_abandon, &step_adopt_config, &step_adopt_token,
	&step_correct_clock, &step_recover_journal };

const char *
audit_special_of(const struct audit_plan *plan)
{
	for (unsigned i = 0; i < plan->params->steps_count; i++)
		for (size_t k = 0; k < sizeof(specials) / sizeof(specials[0]);
		     k++)
			if (plan->steps[i].kind == specials[k])
				return specials[k]->name;
	return NULL;
}

/* Every step is of a kind that authority.yaml lets run unattended. */
static bool
may_be_unattended(
    const struct audit_plan *plan, const struct audit_config *config)
{
	for (unsigned i = 0; i < plan->params->steps_count; i++)
		if (!audit_config_unattended(
			config, plan->steps[i].kind->name) ||
		    step_late_name(&plan->steps[i]) != NULL)
			return false;
	return true;
}

static int
check_unattended(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	AUTO_STRUCT(audit_config) config = { 0 };
	bool found = false;

	if (!json_is_true(json_object_get(entry->data, "unattended")))
		return 0;
	if (audit_config_in_force(audit, &found, &config) != 0)
		return -1;
	run->unattended = found && run->special == NULL &&
	    run->plan.steps != NULL && may_be_unattended(&run->plan, &config);
	if (!run->unattended)
		audit_error(audit, entry, "AUDIT-CONFIRMATIONS-MISSING",
		    "the run is unattended, and authority.yaml did not let "
		    "what its plan says run so");
	return 0;
}

/* Which run the plan ends, if it may. */
static int
check_abandons(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	const struct abandon_params *p;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (run->plan.steps == NULL)
		return 0;
	if (run->abandons == NULL) {
		if (run->special != NULL &&
		    strcmp(run->special, "abandon") == 0)
			audit_error(audit, entry, "AUDIT-WAY",
			    "a run of 'abandon' ends no other");
		return 0;
	}
	if (run->special != NULL &&
	    strcmp(run->special, "recover-journal") == 0)
		return 0; /* whichever is open */
	if (journal_run(audit->journal, run->abandons, &found, &row) != 0)
		return -1;
	p = run->plan.steps[0].params;
	if (run->special == NULL || strcmp(run->special, "abandon") != 0 ||
	    !found || strcmp(row.plan, p->plan) != 0)
		audit_error(audit, entry, "AUDIT-WAY",
		    "the run ends that of plan '%s', and its plan does not say "
		    "so",
		    found ? row.plan : "");
	return 0;
}

/* What its plan is; a run whose plan cannot be read has a finding. */
static int
read_plan(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	const char *module;

	if (audit_plan_read(
		audit, audit_text(entry, "manifest"), false, &run->plan) != 0)
		return audit_take_error(audit, entry, "AUDIT-PLAN");
	if (audit_plan_check(audit, entry, &run->plan) != 0)
		return -1;
	run->special = audit_special_of(&run->plan);
	if (run->special != NULL && run->plan.params->steps_count != 1)
		audit_error(audit, entry, "AUDIT-WAY",
		    "the plan has other steps besides '%s'", run->special);
	module = json_string_value(json_object_get(
	    json_object_get(run->plan.manifest, "module"), "sha256"));
	(void)snprintf(run->module, sizeof(run->module), "%s",
	    module == NULL ? "" : module);
	/* They have been compared. */
	json_decref(run->plan.manifest);
	run->plan.manifest = NULL;
	return 0;
}

static int
fill_run(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	const char *abandons = audit_text(entry, "abandons");
	AUTO_STRUCT(quorum_row) set = { 0 };
	bool found = false;

	run->confirmed = run->unconfirmed = -1;
	(void)snprintf(
	    run->nonce, sizeof(run->nonce), "%s", audit_text(entry, "run"));
	run->set = text_copy(audit_text(entry, "set"));
	run->abandons = abandons == NULL ? NULL : text_copy(abandons);
	if (run->set == NULL || (abandons != NULL && run->abandons == NULL) ||
	    journal_quorum_by_set(audit->journal, run->set, &found, &set) != 0)
		return -1;
	/* Where there is no set, nobody can have agreed. */
	run->threshold =
	    found && set.threshold > 0 ? set.threshold : PEOPLE_MAX;
	return 0;
}

static void
check_login(struct audit *audit, const struct audit_ways_state *state,
    const struct audit_entry *entry)
{
	if (strcmp(state->login, audit_text(entry, "run")) != 0)
		audit_error(audit, entry, "AUDIT-LOGIN",
		    "no login for this run goes before it");
}

/* A plan of this kind is there because token or module are others. */
static bool
is_other_token(
    const struct audit_ways_state *state, const struct audit_run *run)
{
	const struct adopt_token_params *p;

	if (run == NULL || run->special == NULL ||
	    strcmp(run->special, "adopt-token") != 0)
		return false;
	p = run->plan.steps[0].params;
	return p->serial != NULL && strcmp(p->serial, state->serial) == 0;
}

/* The newest login was to the authority's token, with the module as planned. */
static int
check_opened(struct audit *audit, const struct audit_ways_state *state,
    const struct audit_run *run, const struct audit_entry *entry)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (row.token_serial != NULL && state->serial != NULL &&
	    strcmp(row.token_serial, state->serial) != 0 &&
	    !is_other_token(state, run))
		audit_warning(audit, entry, "AUDIT-LOGIN",
		    "the token that was opened has the serial number '%s', and "
		    "that of the authority '%s'",
		    state->serial, row.token_serial);
	if (run != NULL && run->module[0] != '\0' && !run->module_changed &&
	    strcmp(run->module, state->module) != 0 &&
	    (run->special == NULL || strncmp(run->special, "adopt-", 6) != 0))
		audit_warning(audit, entry, "AUDIT-LOGIN",
		    "the token was opened with another PKCS#11 module than the "
		    "one that the plan was checked with");
	return 0;
}

/* Those of a run that is not open yet are looked at with its plan. */
static int
on_login(struct audit *audit, struct audit_ways_state *state,
    const struct audit_entry *entry)
{
	const char *nonce = audit_text(entry, "run");
	const struct audit_run *run = audit_find_run(state, nonce);

	(void)snprintf(state->login, sizeof(state->login), "%s", nonce);
	(void)snprintf(state->module, sizeof(state->module), "%s",
	    audit_text(entry, "module_sha256"));
	free(state->serial);
	state->serial = text_copy(audit_text(entry, "serial"));
	json_decref(state->people);
	state->people = json_deep_copy(json_object_get(entry->entry, "people"));
	if (state->serial == NULL || state->people == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	if (run == NULL && strlen(nonce) == AUDIT_NONCE_SIZE - 1)
		return 0;
	return check_opened(audit, state, run, entry);
}

/*
 * What a run does is done by those who opened the token for it.  A reshare's
 * new operators join while it goes on; who enters an event has not opened it.
 */
static void
check_people(struct audit *audit, const struct audit_ways_state *state,
    const struct audit_run *run, const struct audit_entry *entry)
{
	if (entry->kind == ENTRY_EVENT || entry->kind == ENTRY_LOGIN ||
	    state->people == NULL ||
	    (run->special != NULL && strcmp(run->special, "reshare") == 0) ||
	    json_equal(state->people, json_object_get(entry->entry, "people")))
		return;
	audit_error(audit, entry, "AUDIT-PEOPLE",
	    "the people of the entry are not those who opened the token for "
	    "its run");
}

static int
on_plan(struct audit *audit, struct audit_ways_state *state,
    const struct audit_entry *entry)
{
	struct audit_run *runs =
	    realloc(state->runs, (state->count + 1) * sizeof(*runs));
	struct audit_run *run;

	if (runs == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	state->runs = runs;
	run = &runs[state->count++];
	*run = (struct audit_run){ 0 };
	audit->report.runs++;
	check_login(audit, state, entry);
	check_people(audit, state, run, entry);
	if (strlen(audit_text(entry, "run")) != AUDIT_NONCE_SIZE - 1)
		audit_error(
		    audit, entry, "AUDIT-PLAN", "a run without a nonce");
	if (fill_run(audit, run, entry) != 0 ||
	    read_plan(audit, run, entry) != 0 ||
	    check_unattended(audit, run, entry) != 0 ||
	    audit_window(audit, run, entry) != 0 ||
	    check_opened(audit, state, run, entry) != 0)
		return -1;
	return check_abandons(audit, run, entry);
}

/* ---- while it is open ------------------------------------------------- */

/* Approved by as many operators as the set wants: said once. */
static int
check_approved(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	if (run->approved || run->approvals_said)
		return 0;
	if (audit_is_signed(audit, run, -1, &run->approved) != 0)
		return -1;
	if (run->approved)
		return 0;
	run->approvals_said = true;
	audit_error(audit, entry, "AUDIT-APPROVALS-MISSING",
	    "the run goes on, and its plan was not approved by %u operators",
	    run->threshold);
	return 0;
}

static void
check_not_refused(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	if (!run->refused || run->refused_said)
		return;
	run->refused_said = true;
	audit_error(audit, entry, "AUDIT-WAY",
	    "the run was refused before, and goes on all the same");
}

/* What cannot be taken back: approved, not refused, planned, listed. */
static int
on_act(struct audit *audit, struct audit_run *run, struct audit_run *acting,
    const struct audit_entry *entry)
{
	if (check_approved(audit, acting, entry) != 0)
		return -1;
	check_not_refused(audit, acting, entry);
	if (audit_is_ca_act(entry))
		return audit_ca_act(audit, run, acting, entry);
	switch (entry->kind) {
	case ENTRY_LIST:
		return audit_listed(audit, run, entry);
	case ENTRY_INTENT:
		return audit_object(audit, run, entry);
	case ENTRY_OCSP_INTENT:
		return audit_responses(audit, run, entry);
	case ENTRY_KEY_INTENT:
		audit_key_intent(audit, run, entry);
		return 0;
	default:
		return audit_act(audit, run, acting, entry);
	}
}

/* A refused run destroys its own keys; any other, only what was cut off. */
static int
on_key_destroyed(struct audit *audit, struct audit_run *run,
    struct audit_run *acting, const struct audit_entry *entry)
{
	bool whole, own;
	int64_t seq;

	if (run != acting)
		return on_act(audit, run, acting, entry);
	if (sql_number(audit->journal,
		"SELECT seq FROM keys WHERE name = ?1 AND lower(hex(id)) = ?2"
		" AND run = ?3",
		SQL_VALUES(sql_text(audit_text(entry, "name")),
		    sql_text(audit_text(entry, "id")), sql_text(run->nonce)),
		&own, &seq) != 0 ||
	    sql_number(audit->journal,
		"SELECT seq FROM keys WHERE name = ?1 AND lower(hex(id)) = ?2"
		" AND spki IS NOT NULL",
		SQL_VALUES(sql_text(audit_text(entry, "name")),
		    sql_text(audit_text(entry, "id"))),
		&whole, &seq) != 0)
		return -1;
	if (!own || (whole && !run->refused))
		audit_error(audit, entry, "AUDIT-WAY",
		    "key '%s' was destroyed by a run that %s",
		    audit_text(entry, "name"),
		    own ? "was not refused" : "did not make it");
	return 0;
}

/* What a reshare says of itself. */
static void
on_event(struct audit *audit, struct audit_ways_state *state,
    const struct audit_entry *entry)
{
	static const char *const of_reshare[] = { "set-founded", "backup-fate",
		"so-pin-not-changed", "so-pin-intended-again",
		"user-pin-not-changed", "user-pin-intended-again" };
	struct audit_run *run = audit_find_run(state, audit_text(entry, "run"));

	if (run != NULL &&
	    strcmp(audit_text(entry, "event"), "module-changed") == 0)
		run->module_changed = true;
	for (size_t i = 0; i < sizeof(of_reshare) / sizeof(of_reshare[0]); i++)
		if (strcmp(audit_text(entry, "event"), of_reshare[i]) == 0 &&
		    (run == NULL || run->special == NULL ||
			strcmp(run->special, "reshare") != 0))
			audit_error(audit, entry, "AUDIT-WAY",
			    "'%s' outside of a reshare", of_reshare[i]);
}

/* ---- it ends ---------------------------------------------------------- */

static int
check_done(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	if (run->special == NULL)
		return audit_list_done(audit, run, entry) != 0
		    ? -1
		    : audit_plan_done(audit, run, entry);
	if (!run->done)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run of '%s' is closed as done, and has not done it",
		    run->special);
	return audit_config_done(audit, run, entry);
}

/* Somebody may ask why what operators had confirmed was not done. */
static int
warn_of_confirmed(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	bool is_signed = false;

	for (int64_t list = 0; list < run->lists && !is_signed; list++)
		if (audit_is_signed(audit, run, list, &is_signed) != 0)
			return -1;
	if (is_signed)
		audit_warning(audit, entry, "AUDIT-RUN",
		    "the run is closed as refused, and %u operators had "
		    "confirmed what it was to do",
		    run->threshold);
	return 0;
}

/* Nothing was done, and no key of it is left. */
static int
check_refused(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false, left = false;
	int64_t seq;

	if (journal_run(audit->journal, run->nonce, &found, &row) != 0 ||
	    sql_number(audit->journal,
		"SELECT seq FROM keys WHERE run = ?1 AND state <> 2",
		SQL_VALUES(sql_text(run->nonce)), &left, &seq) != 0)
		return -1;
	if (!run->refused)
		audit_error(audit, entry, "AUDIT-RUN",
		    "the run is closed as refused, and no entry says why it "
		    "was");
	if (row.acted || left)
		audit_error(audit, entry, "AUDIT-WAY",
		    "the run is closed as refused, and %s",
		    row.acted ? "has done something"
			      : "its keys are not destroyed");
	return warn_of_confirmed(audit, run, entry);
}

static int
check_outcome(struct audit *audit, struct audit_ways_state *state,
    struct audit_run *run, const struct audit_entry *entry)
{
	struct audit_run *acting = audit_newest_run(state);
	const char *outcome = audit_text(entry, "outcome");

	if (strcmp(outcome, "done") == 0)
		return check_done(audit, run, entry);
	if (strcmp(outcome, "refused") == 0)
		return check_refused(audit, run, entry);
	if (acting->special != NULL && strcmp(acting->special, "abandon") == 0)
		acting->done = true;
	return on_act(audit, run, acting, entry);
}

static int
on_close(struct audit *audit, struct audit_ways_state *state,
    struct audit_run *run, const struct audit_entry *entry)
{
	size_t at = (size_t)(run - state->runs);

	if (check_outcome(audit, state, run, entry) != 0 ||
	    audit_forget_lists(audit, run) != 0)
		return -1;
	run_clear(run);
	state->count--;
	memmove(run, run + 1, (state->count - at) * sizeof(*run));
	return 0;
}

/* ---- the configuration ------------------------------------------------ */

/* It is of this authority, and opens the token as before. */
static int
check_config(struct audit *audit, struct audit_ways_state *state,
    const struct audit_entry *entry, const struct audit_config *config)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (strcmp(config->id, row.id) != 0)
		audit_error(audit, entry, "AUDIT-CONFIG",
		    "authority.yaml is of the authority '%s'", config->id);
	if (state->login_kind == NULL) {
		state->login_kind = text_copy(config->login);
		return state->login_kind == NULL ? -1 : 0;
	}
	if (strcmp(state->login_kind, config->login) != 0)
		audit_error(audit, entry, "AUDIT-CONFIG",
		    "authority.yaml changes 'login' from '%s' to '%s', which "
		    "cannot be changed",
		    state->login_kind, config->login);
	return 0;
}

static int
on_config(struct audit *audit, struct audit_ways_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(audit_config) config = { 0 };

	if (audit_config_read(audit, audit_text(entry, "sha256"), &config) != 0)
		return audit_take_error(audit, entry, "AUDIT-CONFIG");
	return check_config(audit, state, entry, &config);
}

/* ---- the pass --------------------------------------------------------- */

/* Kinds of what cannot be taken back. */
static bool
is_act(enum entry_kind kind)
{
	static const enum entry_kind kinds[] = { ENTRY_KEY_INTENT, ENTRY_LIST,
		ENTRY_INTENT, ENTRY_OCSP_INTENT, ENTRY_REVOKED,
		ENTRY_REVOCATIONS, ENTRY_REVOCATION_UPGRADED, ENTRY_ISSUED,
		ENTRY_ADOPTED, ENTRY_CONFIG, ENTRY_PROFILE, ENTRY_TOKEN,
		ENTRY_PIN_CHANGE, ENTRY_CLOCK, ENTRY_EPOCH, ENTRY_QUORUM };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i] == kind)
			return true;
	return false;
}

/* Entries of an open run. */
static int
of_run(struct audit *audit, struct audit_ways_state *state,
    struct audit_run *run, const struct audit_entry *entry)
{
	struct audit_run *acting = audit_newest_run(state);

	check_people(audit, state, acting, entry);
	if (audit_lint(audit, entry) != 0)
		return -1;
	if (is_act(entry->kind) || audit_is_ca_act(entry))
		return on_act(audit, run, acting, entry);
	switch (entry->kind) {
	case ENTRY_FAILED:
	case ENTRY_OCSP_FAILED:
		return run == acting ? 0 : on_act(audit, run, acting, entry);
	case ENTRY_KEY_DESTROYED:
		return on_key_destroyed(audit, run, acting, entry);
	case ENTRY_REFUSED:
		run->refused = true;
		return 0;
	case ENTRY_RESUMED:
		run->resumed = true;
		check_login(audit, state, entry);
		return 0;
	case ENTRY_CLOSE:
		return on_close(audit, state, run, entry);
	default:
		return 0;
	}
}

static int
ways_entry(struct audit *audit, void *data, const struct audit_entry *entry)
{
	struct audit_ways_state *state = data;
	struct audit_run *run;

	state->founded =
	    state->founded || (entry->applied && entry->kind == ENTRY_GENESIS);
	if (!entry->applied || !state->founded)
		return 0;
	if (entry->kind == ENTRY_PLAN)
		return on_plan(audit, state, entry);
	if (entry->kind == ENTRY_LOGIN)
		return on_login(audit, state, entry);
	if (entry->kind == ENTRY_EVENT)
		on_event(audit, state, entry);
	if (entry->kind == ENTRY_CONFIG && on_config(audit, state, entry) != 0)
		return -1;
	run = audit_find_run(state, audit_text(entry, "run"));
	return run == NULL ? 0 : of_run(audit, state, run, entry);
}

const struct audit_pass audit_ways = {
	.name = "ways",
	.begin = ways_begin,
	.entry = ways_entry,
	.end = ways_end,
};
