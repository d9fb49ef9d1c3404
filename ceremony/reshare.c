/*
 * Reshare: a new set of operators, always with a new secret.  Order:
 *
 *   found      new secret and shares, quorum/NEWID; event "set-founded" pins it
 *   enrol      each new operator opens, checks and signs
 *   begun      enrolments and quorum "begun" in one transaction
 *   SO PIN     intent, old to new, done
 *   user PIN   intent, reset by the security officer, done
 *   verify     login with the new user PIN, a checkpoint
 *   active     the new set is in force; quorum/current
 *   anchor     every operator of the new set signs it
 *
 * A cut leaves one of these states in the journal, and the next try goes on
 * from there.  Before the SO PIN's intent the token opens with the old set, and
 * an `abandon` plan undoes the reshare; from there on only the new set
 * finishes.  Where it is not known whether a PIN was changed, the new one is
 * tried once; if it is not the token's, that is journalled, so that no later
 * try spends another one, and the old set's shares are needed as well.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/enrol.h"
#include "ceremony/reshare-private.h"
#include "ceremony/run-private.h"
#include "ceremony/steps/special.h"

enum { MIX_LEN = 32 };

/* ---- how far it came -------------------------------------------------- */

void
reshare_progress_clear(struct reshare_progress *progress)
{
	free(progress->set);
	free(progress->sha256);
	json_decref(progress->quorum);
	*progress = (struct reshare_progress){ 0 };
}

struct loading {
	const char *run;
	struct reshare_progress *progress;
};

/* The data of an entry, if it is of this run; the caller's, or NULL. */
static json_t *
data_of(const struct loading *loading, const char *line, size_t len)
{
	json_t *entry = json_loadb(line, len, 0, NULL);
	json_t *data = json_incref(json_object_get(entry, "data"));
	const char *run = json_string_value(json_object_get(data, "run"));

	json_decref(entry);
	if (run != NULL && strcmp(run, loading->run) == 0)
		return data;
	json_decref(data);
	return NULL;
}

static int
keep_text(const json_t *data, const char *member, char **text)
{
	const char *value = json_string_value(json_object_get(data, member));

	if (value == NULL)
		return ca_error(CA_R_CORRUPT,
		    "the journal has a malformed entry of a reshare");
	free(*text);
	*text = text_copy(value);
	return *text == NULL ? -1 : 0;
}

/* Was the new PIN tried in vain since its change was last intended? */
static void
load_try(struct reshare_progress *p, const char *event)
{
	if (strcmp(event, "so-pin-not-changed") == 0)
		p->so_tried = true;
	else if (strcmp(event, "so-pin-intended-again") == 0)
		p->so_tried = false;
	else if (strcmp(event, "user-pin-not-changed") == 0)
		p->user_tried = true;
	else if (strcmp(event, "user-pin-intended-again") == 0)
		p->user_tried = false;
}

static int
load_event(void *ctx, uint64_t seq, const char *line, size_t len)
{
	const struct loading *loading = ctx;
	struct reshare_progress *p = loading->progress;
	json_t *data = data_of(loading, line, len);
	const char *event = json_string_value(json_object_get(data, "event"));
	int rc = 0;

	(void)seq;
	if (event != NULL && strcmp(event, "set-founded") == 0) {
		rc = keep_text(data, "set", &p->set);
		if (rc == 0)
			rc = keep_text(data, "sha256", &p->sha256);
	} else if (event != NULL)
		load_try(p, event);
	json_decref(data);
	return rc;
}

static int
load_quorum(void *ctx, uint64_t seq, const char *line, size_t len)
{
	const struct loading *loading = ctx;
	struct reshare_progress *p = loading->progress;
	json_t *data = data_of(loading, line, len);
	const char *state = json_string_value(json_object_get(data, "state"));

	(void)seq;
	if (data == NULL || state == NULL) {
		json_decref(data);
		return 0;
	}
	p->state = strcmp(state, "active") == 0 ? RESHARE_ACTIVE
	    : strcmp(state, "begun") == 0       ? RESHARE_BEGUN
						: RESHARE_UNDONE;
	json_decref(p->quorum);
	p->quorum = data;
	return 0;
}

int
reshare_progress_load(struct journal *journal, const char *run,
    struct reshare_progress *ret_progress)
{
	AUTO_STRUCT(reshare_progress) progress = { 0 };
	struct loading loading = { .run = run, .progress = &progress };

	if (journal_each_entry(journal, 0, ENTRY_EVENT, load_event, &loading) <
	    0)
		return -1;
	if (progress.set != NULL)
		progress.state = RESHARE_FOUNDED;
	if (journal_each_entry(
		journal, 0, ENTRY_QUORUM, load_quorum, &loading) < 0 ||
	    journal_pin_stage(journal, run, "so", &progress.so) < 0 ||
	    journal_pin_stage(journal, run, "user", &progress.user) < 0)
		return -1;
	*ret_progress = progress;
	progress = (struct reshare_progress){ 0 };
	return 0;
}

int
reshare_append_state(struct journal *journal,
    const struct reshare_progress *progress, const char *state,
    const char *text)
{
	json_t *data = json_copy(progress->quorum);

	if (data == NULL ||
	    json_object_set_new(data, "state", json_string(state)) != 0) {
		json_decref(data);
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	}
	return journal_append(journal, ENTRY_QUORUM, data, text, NULL);
}

/* ---- who is in the room ----------------------------------------------- */

int
reshare_operators_open(const struct room *room, const struct quorum_set *set,
    struct operators *ret_operators)
{
	struct room mine = *room;
	struct room_operator *rows =
	    calloc(room->operator_count + 1, sizeof(*rows));
	int rc;

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for operators");
	mine.operators = rows;
	mine.operator_count = 0;
	for (size_t i = 0; i < room->operator_count; i++)
		if (set_person(set, room->operators[i].name) != NULL)
			rows[mine.operator_count++] = room->operators[i];
	rc = operators_open(&mine, set, ret_operators);
	free(rows);
	if (rc == 0)
		ret_operators->room = room; /* mine is of this function */
	return rc;
}

/* Does the room name people, and nobody of this set? */
static bool
only_others(const struct room *room, const struct quorum_set *set)
{
	for (size_t i = 0; i < room->operator_count; i++)
		if (set_person(set, room->operators[i].name) != NULL)
			return false;
	return room->operator_count > 0;
}

/* "alice, bob, carol" */
static char *
set_names(const struct quorum_set *set)
{
	AUTO_CHARS(names) = text_copy("");

	for (size_t i = 0; names != NULL && i < set->count; i++) {
		char *longer;

		if (set->people[i].witness)
			continue;
		longer = text_printf(
		    "%s%s%s", names, i == 0 ? "" : ", ", set->people[i].name);
		free(names);
		names = longer;
	}
	return TAKE(names);
}

/* The other set is refused, and told why. */
static int
want_set(const struct room *room, const struct quorum_set *set, const char *why)
{
	AUTO_CHARS(names) = set_names(set);

	AUTO_CHARS(line) = names == NULL
	    ? NULL
	    : text_printf(
		  "%u of these are needed now: %s", set->threshold, names);

	if (line == NULL)
		return -1;
	room->show(room->ctx, ROOM_TEXT, line);
	if (!only_others(room, set))
		return 0;
	return ca_error(CA_R_QUORUM,
	    "%s; needed are %u of %s, and the room named none of them", why,
	    set->threshold, names);
}

/* ---- one reshare ------------------------------------------------------ */

struct reshare {
	struct run *run;
	struct authority *authority;
	struct journal *journal;
	const struct room *room;
	int quorum_fd; /* the authority's */
	enum login_kind login;
	struct reshare_progress progress;
	struct quorum_set *set;     /* the new one, or NULL */
	struct operators operators; /* of it */
	struct secret old, new;     /* what the shares gave; empty: not yet */
	json_t *people;             /* who gave them */
	bool logged_in;
};

static void
reshare_clear(struct reshare *r)
{
	reshare_progress_clear(&r->progress);
	operators_clear(&r->operators);
	secret_clear(&r->old);
	secret_clear(&r->new);
	json_decref(r->people);
	if (r->set != NULL)
		quorum_set_free(r->set);
}
CLEANUP_DEFINE_STRUCT(reshare);

static const struct reshare_params *
params_of(const struct reshare *r)
{
	return r->run->plan->steps[0].params;
}

static int
gather_new(struct reshare *r)
{
	if (reshare_operators_open(r->room, r->set, &r->operators) < 0)
		return -1;
	r->operators.in_use = r->authority->module;
	return 0;
}

static int
open_reshare(struct run *run, struct reshare *r)
{
	r->run = run;
	r->authority = run->authority;
	r->journal = journal_of_run(run);
	r->room = run->room;
	r->login = authority_login_kind(run->authority);
	r->people = json_array();
	if (r->people == NULL)
		return ca_error(CA_R_MEMORY, "no memory for people");
	if (authority_quorum_fd(run->authority, &r->quorum_fd) < 0 ||
	    reshare_progress_load(r->journal, run->nonce, &r->progress) < 0)
		return -1;
	if (r->progress.set == NULL)
		return 0;
	if (set_load(
		r->quorum_fd, r->progress.set, r->progress.sha256, &r->set) < 0)
		return -1;
	return gather_new(r);
}

static void
phase(const struct reshare *r, const char *text)
{
	r->room->show(r->room->ctx, ROOM_PHASE, text);
}

static void
warn(const struct reshare *r, const char *text)
{
	r->room->show(r->room->ctx, ROOM_WARNING, text);
}

/* ---- founding and enrolling ------------------------------------------- */

static int
append_founded(struct reshare *r)
{
	AUTO_CHARS(text) = text_printf(
	    "quorum set %s was made; its operators enrol", r->set->id);

	if (text == NULL)
		return -1;
	return journal_append(r->journal, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s, s:s}", "event", "set-founded", "run",
		r->run->nonce, "set", r->set->id, "sha256", r->set->sha256),
	    text, NULL);
}

/* Octets of the token, of which the new secret is made. */
struct mix {
	unsigned char octets[MIX_LEN];
};

static void
mix_clear(struct mix *mix)
{
	OPENSSL_cleanse(mix->octets, sizeof(mix->octets));
}
CLEANUP_DEFINE_STRUCT(mix);

/*
 * A set that was written and not journalled is never taken up again: who knows
 * who wrote it.
 */
static int
found(struct reshare *r)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(mix) mix = { 0 };

	phase(r, "Making the new set");
	if (reshare_read_set(&r->run->plan->inputs, params_of(r),
		login_has_shares(r->login), r->run->now, &findings,
		&r->set) < 0 ||
	    token_random(authority_token(r->authority), mix.octets,
		sizeof(mix.octets)) < 0)
		return -1;
	if (enrol_found(r->authority, r->set, mix.octets, sizeof(mix.octets),
		&r->new) < 0 ||
	    append_founded(r) < 0)
		return -1;
	r->progress.state = RESHARE_FOUNDED;
	return gather_new(r);
}

static int
append_quorum(struct reshare *r, const char *state, const char *text)
{
	return enrol_quorum_entry(
	    r->authority, r->set, state, r->run->set->id, r->run->nonce, text);
}

static int
append_begun(struct reshare *r)
{
	if (enrol_journal(r->authority, r->set) < 0)
		return -1;
	return append_quorum(r, "begun",
	    "all operators of the new set have enrolled; the reshare begins");
}

static int
enrol(struct reshare *r)
{
	phase(r, "The new operators enrol");
	if (enrol_people(r->authority, &r->operators, true) < 0 ||
	    journal_begin(r->journal) < 0)
		return -1;
	if (append_begun(r) < 0) {
		journal_rollback(r->journal);
		return -1;
	}
	if (journal_commit(r->journal) < 0)
		return -1;
	r->progress.state = RESHARE_BEGUN;
	return 0;
}

/* ---- secrets and PINs ------------------------------------------------- */

/* Their shares; from here on they are among the entries' people. */
static int
take_secret(struct reshare *r, struct operators *operators, const char *heading,
    struct secret *secret)
{
	json_t *people = NULL;
	int rc;

	if (secret->len > 0)
		return 0;
	phase(r, heading);
	if (operators_take_secret(operators, r->quorum_fd, secret, &people) < 0)
		return -1;
	rc = json_array_extend(r->people, people);
	json_decref(people);
	if (rc != 0)
		return ca_error(CA_R_MEMORY, "no memory for people");
	return journal_set_people(r->journal, r->people);
}

static int
take_new(struct reshare *r)
{
	return take_secret(r, &r->operators,
	    "The operators of the new set give their shares", &r->new);
}

static int
take_old(struct reshare *r)
{
	return take_secret(r, &r->run->operators,
	    "The operators of the old set give their shares", &r->old);
}

static int
old_pin(struct reshare *r, enum pin_role role, struct secret *ret_pin)
{
	return authority_derive_pin(
	    r->authority, r->run->set, &r->old, role, ret_pin);
}

static int
new_pin(struct reshare *r, enum pin_role role, struct secret *ret_pin)
{
	return authority_derive_pin(
	    r->authority, r->set, &r->new, role, ret_pin);
}

static int
append_stage(struct reshare *r, const char *pin, const char *stage)
{
	AUTO_CHARS(text) = text_printf("the token's %s %s",
	    strcmp(pin, "so") == 0 ? "SO PIN" : "user PIN",
	    strcmp(stage, "intent") == 0
		? "is about to be changed to the new set's"
		: "is the new set's");

	if (text == NULL)
		return -1;
	return journal_append(r->journal, ENTRY_PIN_CHANGE,
	    json_pack("{s:s, s:s, s:s, s:s}", "run", r->run->nonce, "set",
		r->set->id, "pin", pin, "stage", stage),
	    text, NULL);
}

/*
 * The one try of the new PIN was in vain: nobody shall spend another one, until
 * the change is intended again.
 */
static int
append_try(
    struct reshare *r, const char *pin, const char *what, const char *text)
{
	AUTO_CHARS(event) = text_printf("%s-pin-%s", pin, what);

	if (event == NULL)
		return -1;
	return journal_append(r->journal, ENTRY_EVENT,
	    json_pack("{s:s, s:s}", "event", event, "run", r->run->nonce), text,
	    NULL);
}

static int
append_not_changed(struct reshare *r, const char *pin)
{
	return append_try(r, pin, "not-changed",
	    "the new PIN is not the token's: when the run was cut off, it had "
	    "not been changed yet");
}

static int
append_again(struct reshare *r, const char *pin)
{
	return append_try(r, pin, "intended-again",
	    "the PIN is about to be changed from the old set's to the new "
	    "set's, after all");
}

/* What was found on the token is no longer believed once nobody is logged in. */
static void
log_out(struct authority *authority)
{
	for (size_t i = 0; i < authority->key_count; i++) {
		key_free(authority->keys[i].key);
		free(authority->keys[i].name);
	}
	free(authority->keys);
	authority->keys = NULL;
	authority->key_count = 0;
	token_logout(authority->token);
}

/* The one try may be the last that the token allows: people decide. */
static int
ask_last_try(struct reshare *r, bool last)
{
	if (!last)
		return 0;
	warn(r,
	    "the token says that one more wrong PIN locks it, and it is not "
	    "known whether the new PIN is its PIN already");
	/* again(), because no --yes answers it. */
	return r->room->again(r->room->ctx,
		   "Try the new PIN, though it may be the last try?") == 0
	    ? 0
	    : ca_error(CA_R_PIN, "the last try for the PIN was not made");
}

/* The shares of both are needed: said before the old ones are asked for. */
static int
take_old_as_well(struct reshare *r)
{
	if (r->old.len > 0)
		return 0;
	warn(r,
	    "the PIN had not been changed yet when the run was cut off: the "
	    "shares of the old operators are needed too");
	if (want_set(r->room, r->run->set,
		"the PIN had not been changed yet, so the shares of both sets "
		"are needed to finish") < 0)
		return -1;
	return take_old(r);
}

/* ---- derived: SO PIN, then the user PIN by the SO --------------------- */

static int
change_so_pin(struct reshare *r, const struct secret *new_so)
{
	AUTO_STRUCT(secret) old_so = { 0 };

	if (old_pin(r, PIN_SO, &old_so) < 0 ||
	    token_change_so_pin(
		authority_token(r->authority), &old_so, new_so) < 0)
		return -1;
	return append_stage(r, "so", "done");
}

/*
 * Cut off between intent and done.  Resetting the user PIN needs the SO PIN:
 * it is the one try of the new one, and does nothing that is not to be done
 * anyway.
 */
static int
settle_so_pin(struct reshare *r, const struct secret *new_so,
    const struct secret *new_user)
{
	const struct token_facts *facts =
	    token_facts(authority_token(r->authority));

	if (!r->progress.so_tried) {
		if (ask_last_try(r, facts->so_pin_final_try) < 0)
			return -1;
		if (token_set_user_pin(
			authority_token(r->authority), new_so, new_user) == 0)
			return append_stage(r, "so", "done");
		if (ca_error_reason() != CA_R_PIN)
			return -1;
		ca_error_clear();
		if (append_not_changed(r, "so") < 0)
			return -1;
	}
	if (take_old_as_well(r) < 0 || append_again(r, "so") < 0)
		return -1;
	return change_so_pin(r, new_so);
}

static int
move_so_pin(struct reshare *r, const struct secret *new_so,
    const struct secret *new_user)
{
	if (r->progress.so == PIN_CHANGED)
		return 0;
	if (r->progress.so == PIN_INTENDED)
		return settle_so_pin(r, new_so, new_user);
	if (append_stage(r, "so", "intent") < 0)
		return -1;
	return change_so_pin(r, new_so);
}

static int
reset_user_pin(struct reshare *r, const struct secret *new_so,
    const struct secret *new_user)
{
	if (r->progress.user == PIN_CHANGED)
		return 0;
	if (r->progress.user == PIN_UNTOUCHED &&
	    append_stage(r, "user", "intent") < 0)
		return -1;
	if (token_set_user_pin(
		authority_token(r->authority), new_so, new_user) < 0)
		return -1;
	return append_stage(r, "user", "done");
}

static int
move_derived(struct reshare *r)
{
	AUTO_STRUCT(secret) new_so = { 0 };
	AUTO_STRUCT(secret) new_user = { 0 };

	if (take_new(r) < 0 || new_pin(r, PIN_SO, &new_so) < 0 ||
	    new_pin(r, PIN_USER, &new_user) < 0)
		return -1;
	/* Asked for before anything is journalled, let alone changed. */
	if (r->progress.so == PIN_UNTOUCHED && take_old(r) < 0)
		return -1;
	log_out(r->authority);
	if (move_so_pin(r, &new_so, &new_user) < 0)
		return -1;
	return reset_user_pin(r, &new_so, &new_user);
}

/* ---- adopted: the user changes their own PIN -------------------------- */

static int
change_user_pin(struct reshare *r, const struct secret *new_user)
{
	AUTO_STRUCT(secret) old_user = { 0 };

	if (old_pin(r, PIN_USER, &old_user) < 0 ||
	    token_change_user_pin(
		authority_token(r->authority), &old_user, new_user) < 0)
		return -1;
	return append_stage(r, "user", "done");
}

/* The one try of the new PIN is the login that follows anyway. */
static int
settle_user_pin(struct reshare *r, const struct secret *new_user)
{
	const struct token_facts *facts =
	    token_facts(authority_token(r->authority));

	if (!r->progress.user_tried) {
		if (ask_last_try(r, facts->pin_final_try) < 0)
			return -1;
		if (authority_login_with(
			r->authority, new_user, r->room, r->run->nonce) == 0) {
			r->logged_in = true;
			return append_stage(r, "user", "done");
		}
		if (ca_error_reason() != CA_R_PIN)
			return -1;
		ca_error_clear();
		if (append_not_changed(r, "user") < 0)
			return -1;
	}
	if (take_old_as_well(r) < 0 || append_again(r, "user") < 0)
		return -1;
	return change_user_pin(r, new_user);
}

static int
move_adopted(struct reshare *r)
{
	AUTO_STRUCT(secret) new_user = { 0 };

	if (take_new(r) < 0 || new_pin(r, PIN_USER, &new_user) < 0)
		return -1;
	if (r->progress.user == PIN_UNTOUCHED && take_old(r) < 0)
		return -1;
	log_out(r->authority);
	if (r->progress.user == PIN_CHANGED)
		return 0;
	if (r->progress.user == PIN_INTENDED)
		return settle_user_pin(r, &new_user);
	if (append_stage(r, "user", "intent") < 0)
		return -1;
	return change_user_pin(r, &new_user);
}

/* ---- both ------------------------------------------------------------- */

/* All PINs are the new set's, and the new user PIN has opened the token. */
static int
move_pins(struct reshare *r)
{
	AUTO_STRUCT(secret) new_user = { 0 };

	phase(r, "Changing the token's PINs");
	if ((r->login == LOGIN_DERIVED ? move_derived(r) : move_adopted(r)) < 0)
		return -1;
	r->progress.so = r->progress.user = PIN_CHANGED;
	if (r->logged_in)
		return 0;
	if (new_pin(r, PIN_USER, &new_user) < 0)
		return -1;
	return authority_login_with(
	    r->authority, &new_user, r->room, r->run->nonce);
}

/* ---- in force --------------------------------------------------------- */

static int
append_fate(struct reshare *r, const struct backup_params *b)
{
	AUTO_CHARS(text) = NULL;

	if (step_text(&text, "backup '%s' of the token: %s (%s)", b->serial,
		b->fate, b->note) < 0)
		return -1;
	return journal_append(r->journal, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:s}", "event", "backup-fate",
		"run", r->run->nonce, "serial", b->serial, "fate", b->fate,
		"note", b->note),
	    text, NULL);
}

static int
append_active(struct reshare *r)
{
	const struct reshare_params *p = params_of(r);

	if (append_quorum(r, "active",
		"the new set is in force; the old one is not any more") < 0)
		return -1;
	for (unsigned i = 0; i < p->backups_count; i++)
		if (append_fate(r, &p->backups[i]) < 0)
			return -1;
	return 0;
}

/* The test signature is a checkpoint; only then the set comes into force. */
static int
activate(struct reshare *r)
{
	AUTO_CHARS(note) = NULL;

	if (authority_checkpoint(r->authority, -1, NULL, NULL, &note) < 0 ||
	    journal_begin(r->journal) < 0)
		return -1;
	if (append_active(r) < 0) {
		journal_rollback(r->journal);
		return -1;
	}
	if (journal_commit(r->journal) < 0)
		return -1;
	authority_forget_quorum(r->authority);
	r->progress.state = RESHARE_ACTIVE;
	return 0;
}

/* The honest list: what the old shares still open. */
static void
show_copies(const struct reshare *r)
{
	const struct reshare_params *p = params_of(r);

	warn(r,
	    "the old shares open this token no more; but they still open every "
	    "copy of it that was made before now. If as many of them as the "
	    "old threshold may have leaked, the keys must be replaced");
	for (unsigned i = 0; i < p->backups_count; i++) {
		AUTO_CHARS(line) = NULL;

		if (step_text(&line, "backup '%s': %s (%s)",
			p->backups[i].serial, p->backups[i].fate,
			p->backups[i].note) == 0)
			r->room->show(r->room->ctx, ROOM_TEXT, line);
		else
			ca_error_clear();
	}
}

static int
finish(struct reshare *r)
{
	if (set_make_current(r->quorum_fd, r->set->id) < 0)
		return -1;
	phase(r, "The new operators sign the anchor");
	if (authority_anchor(r->authority, &r->operators) < 0)
		return -1;
	if (login_has_shares(r->login))
		show_copies(r);
	return 0;
}

static int
perform(struct reshare *r)
{
	if (r->progress.state == RESHARE_UNDONE)
		return ca_error(CA_R_INTERNAL, "the reshare was given up");
	if (r->progress.state == RESHARE_NOTHING && found(r) < 0)
		return -1;
	if (r->progress.state == RESHARE_FOUNDED && enrol(r) < 0)
		return -1;
	if (r->progress.state == RESHARE_BEGUN &&
	    ((login_has_shares(r->login) && r->progress.user != PIN_CHANGED &&
		 move_pins(r) < 0) ||
		activate(r) < 0))
		return -1;
	return finish(r);
}

/* ---- what run.c calls ------------------------------------------------- */

static int
check_room(const struct run *run, const struct quorum_set *set)
{
	for (size_t i = 0; i < run->room->operator_count; i++) {
		const char *name = run->room->operators[i].name;

		if (set_person(run->set, name) == NULL &&
		    set_person(set, name) == NULL)
			return ca_error(CA_R_QUORUM,
			    "'%s' is neither an operator of today nor one of "
			    "the new set",
			    name);
	}
	return 0;
}

int
reshare_check(struct run *run)
{
	const struct reshare_params *p = run->plan->steps[0].params;
	AUTO_PTR(quorum_set) *set = NULL;

	if (reshare_read_set(&run->plan->inputs, p,
		login_has_shares(authority_login_kind(run->authority)),
		run->now, run->findings, &set) < 0)
		return -1;
	return check_room(run, set);
}

int
reshare_perform(struct run *run)
{
	AUTO_STRUCT(reshare) r = { .quorum_fd = -1 };

	return open_reshare(run, &r) < 0 ? -1 : perform(&r);
}

static bool
pins_move(const struct reshare *r)
{
	return r->progress.state == RESHARE_BEGUN &&
	    (r->progress.so != PIN_UNTOUCHED ||
		r->progress.user != PIN_UNTOUCHED);
}

static int
open_token(struct authority *authority)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (authority->token != NULL)
		return 0;
	if (journal_authority(authority->journal, &row) < 0 ||
	    authority_open_module(authority) < 0)
		return -1;
	return token_find(authority->module, authority->config->token.label,
	    row.token_serial, &authority->token);
}

/* The new set finishes what it has begun, and is logged in by that. */
static int
login_moving(struct reshare *r)
{
	if (want_set(r->room, r->set,
		"the token's PINs were being changed to those of the new set "
		"when the run was cut off, so only the new set can finish") < 0)
		return -1;
	warn(r,
	    "the run was cut off while the token's PINs were being changed: "
	    "the new operators finish it now");
	if (open_token(r->authority) < 0)
		return -1;
	r->run->operators.in_use = r->authority->module;
	r->operators.in_use = r->authority->module;
	return move_pins(r);
}

int
reshare_login(struct run *run)
{
	AUTO_STRUCT(reshare) r = { .quorum_fd = -1 };

	if (open_reshare(run, &r) < 0)
		return -1;
	if (r.progress.state == RESHARE_ACTIVE) {
		if (want_set(r.room, r.set,
			"the new set is in force already, so only it opens the "
			"token") < 0)
			return -1;
		return authority_login(
		    run->authority, run->room, &r.operators, run->nonce);
	}
	if (pins_move(&r))
		return login_moving(&r);
	if (want_set(r.room, run->set,
		"the token's PINs are still those of the old set, so only it "
		"can go on with the reshare, or undo it by an 'abandon' "
		"plan") < 0)
		return -1;
	return authority_login(
	    run->authority, run->room, &run->operators, run->nonce);
}
