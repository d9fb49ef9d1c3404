#include "ceremony/ca-keys.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/run-private.h"

/* ---- taking in -------------------------------------------------------- */

/* What the token says against a key that it has, as one error. */
static int
unfit(const struct planned_key *key, const struct findings *findings)
{
	const struct finding *first = NULL;

	for (size_t i = findings->count; i > 0; i--)
		if (findings->rows[i - 1].severity == FINDING_ERROR)
			first = &findings->rows[i - 1];
	if (first == NULL)
		return -1; /* key_find_spki() has said why */
	return ca_error(CA_R_KEY,
	    "the key of '%s' cannot be taken in as '%s': %s (%s)%s; a key "
	    "that was made elsewhere, or loosely, must be replaced by a new "
	    "one",
	    key->order.adopt, key->order.name, first->text, first->id,
	    findings->errors > 1 ? ", and more is wrong with it" : "");
}

/* The journal has it already: an earlier part of this run took it in. */
static int
known_key(struct authority *authority, const char *name, bool *ret_known)
{
	AUTO_STRUCT(key_row) row = { 0 };
	const struct key *key = NULL;
	bool found = false;

	if (journal_key(authority->journal, name, &found, &row) < 0)
		return -1;
	*ret_known = found && row.state == KEY_LIVE;
	return *ret_known ? authority_key(authority, name, &key) : 0;
}

static bool
is_held(const struct authority *authority, const char *name)
{
	for (size_t i = 0; i < authority->key_count; i++)
		if (strcmp(authority->keys[i].name, name) == 0)
			return true;
	return false;
}

int
authority_adopt_check(
    struct authority *authority, const struct planned_key *key)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(key) *found = NULL;
	bool known = false;

	if (known_key(authority, key->order.name, &known) < 0)
		return -1;
	if (known || is_held(authority, key->order.name))
		return 0;
	if (key->spki == NULL)
		return ca_error(CA_R_INTERNAL,
		    "the certificate of key '%s' was not read",
		    key->order.name);
	if (key_find_spki(authority->token, key->spki, key->spki_len, &findings,
		&found) < 0)
		return unfit(key, &findings);
	if (authority_hold_key(authority, key->order.name, found) < 0)
		return -1;
	found = NULL; /* the authority's now */
	return 0;
}

int
authority_adopt_key(struct authority *authority, struct planned_key *key)
{
	const struct key *found = NULL;
	json_t *facts;

	if (authority_adopt_check(authority, key) < 0 ||
	    authority_key(authority, key->order.name, &found) < 0)
		return -1;
	facts = authority_key_facts(found);
	if (facts == NULL)
		return -1;
	json_decref(key->facts);
	key->facts = facts;
	return 0;
}

/* ---- states ----------------------------------------------------------- */

static int
check_state(const struct key_row *key, enum issuer_use use)
{
	enum ca_state state =
	    key->state == KEY_GONE ? CA_DESTROYED : key->ca_state;

	if (strcmp(key->purpose, "ca") != 0 || issuer_may(state, use))
		return 0;
	return ca_error(CA_R_STATE, "the CA of key '%s' is %s: %s", key->name,
	    ca_state_name(state), issuer_refusal(state));
}

int
ca_state_allows(struct journal *journal, const char *name, enum issuer_use use)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(journal, name, &found, &row) < 0)
		return -1;
	/* One that this run takes in comes with the same window's intents. */
	return found ? check_state(&row, use) : 0;
}

int
ca_state_allows_certificate(
    struct journal *journal, const char *name, enum issuer_use use)
{
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_STRUCT(key_row) key = { 0 };
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;
	bool found = false;

	if (journal_object(journal, "certificate", name, &found, &row) < 0)
		return -1;
	if (!found || row.spki == NULL)
		return 0; /* who needs it says so */
	if (text_unhex(row.spki, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT,
		    "the journal's certificate '%s' has a malformed key hash",
		    name);
	if (journal_key_by_spki(journal, digest, &found, &key) < 0)
		return -1;
	return found ? check_state(&key, use) : 0;
}

enum issuer_use
built_object_use(const struct built_object *object)
{
	/* A retiring CA may ask for a longer certificate for its CRLs. */
	if (object->kind == OBJECT_CRL || object->kind == OBJECT_CSR ||
	    (object->step != NULL &&
		object->step->kind == &step_ocsp_responder))
		return ISSUER_STATUS;
	return ISSUER_ISSUES;
}

/* ---- ending ----------------------------------------------------------- */

bool
act_comes_last(const struct built_act *act)
{
	return act->entry == ENTRY_STATE || act->entry == ENTRY_KEY_DESTROYED;
}

static int
append_state(struct run *run, const struct built_act *act)
{
	json_t *data = json_copy(act->data);

	if (data == NULL ||
	    json_object_set_new(data, "run", json_string(run->nonce)) != 0) {
		json_decref(data);
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	}
	return journal_append(
	    journal_of_run(run), ENTRY_STATE, data, act->summary, NULL);
}

/* Private keys on the token with the CKA_ID of a row. */
struct same_id {
	const struct key_row *row;
	size_t count;
};

static int
count_same_id(void *ctx, const struct key_statement *statement,
    const char *type, const char *fault)
{
	struct same_id *same = ctx;

	(void)type;
	(void)fault;
	same->count += statement->id_len == same->row->id_len &&
	    memcmp(statement->id, same->row->id, same->row->id_len) == 0;
	return 0;
}

/*
 * Objects are destroyed by their CKA_ID, which another program may have given
 * to a key of its own: it must be the one key that the journal kept.  Where an
 * earlier try was cut off, no private key is left.
 */
static int
check_doomed(struct authority *authority, const struct key_row *row)
{
	struct same_id same = { .row = row };
	const struct key *key = NULL;
	AUTO_CHARS(why) = NULL;

	/* What was held since the login says nothing of now. */
	key_forget_checks(authority->token);
	if (key_each(authority->token, count_same_id, &same) < 0)
		return -1;
	if (same.count == 0)
		return 0;
	authority_let_go(authority, row->name);
	if (authority_key(authority, row->name, &key) == 0)
		return 0;
	why = ca_error_take();
	return ca_error(CA_R_KEY,
	    "key '%s' is not destroyed, for what the token has under its "
	    "CKA_ID is not that key alone: %s; see 'ca-tool key list -v', set "
	    "it right with the token's own tools, then go on",
	    row->name, why == NULL ? "" : why);
}

static int
destroy_key(struct run *run, const struct built_act *act)
{
	const char *name =
	    json_string_value(json_object_get(act->data, "name"));
	const char *why = json_string_value(json_object_get(act->data, "why"));
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (name == NULL)
		return ca_error(CA_R_INTERNAL, "an act without a key");
	if (journal_key(journal_of_run(run), name, &found, &row) < 0)
		return -1;
	if (!found || row.state != KEY_LIVE)
		return ca_error(CA_R_KEY,
		    "there is no key '%s' in the journal to be destroyed",
		    name);
	if (check_doomed(run->authority, &row) < 0)
		return -1;
	run->room->show(run->room->ctx, ROOM_PHASE, act->summary);
	return authority_end_key(run->authority, run->nonce, &row, why);
}

int
run_destroy_keys(struct run *run)
{
	for (size_t i = 0; i < run->build.act_count; i++) {
		const struct built_act *act = &run->build.acts[i];
		int rc = 0;

		if (act->entry == ENTRY_STATE)
			rc = append_state(run, act);
		else if (act->entry == ENTRY_KEY_DESTROYED)
			rc = destroy_key(run, act);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int
rehearse_destroyed(struct run *run, const struct built_act *act)
{
	json_t *data = json_copy(act->data);

	if (data == NULL ||
	    json_object_set_new(data, "run", json_string(run->nonce)) != 0 ||
	    json_object_set_new(data, "objects", json_integer(0)) != 0) {
		json_decref(data);
		return ca_error(CA_R_MEMORY, "no memory for an entry");
	}
	return journal_append(
	    journal_of_run(run), ENTRY_KEY_DESTROYED, data, act->summary, NULL);
}

int
run_rehearse_last(struct run *run)
{
	for (size_t i = 0; i < run->build.act_count; i++) {
		const struct built_act *act = &run->build.acts[i];
		int rc = 0;

		if (act->entry == ENTRY_STATE)
			rc = append_state(run, act);
		else if (act->entry == ENTRY_KEY_DESTROYED)
			rc = rehearse_destroyed(run, act);
		if (rc < 0)
			return -1;
	}
	return 0;
}
