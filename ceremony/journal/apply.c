/*
 * From an entry to the derived tables.  Nothing else writes these, and
 * nothing but the entry (and the tables before it) is read, so that they can
 * be made anew.  What contradicts the entries before is refused: the caller's
 * transaction is rolled back.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

const char *
entry_text(const struct entry *entry, const char *name)
{
	return json_string_value(json_object_get(entry->data, name));
}

int64_t
entry_number(const struct entry *entry, const char *name)
{
	return json_integer_value(json_object_get(entry->data, name));
}

/* Member `name` of the data; NULL for null; entry_check() saw its type. */
static const char *
text_of(const struct entry *entry, const char *name)
{
	return entry_text(entry, name);
}

static int64_t
number_of(const struct entry *entry, const char *name)
{
	return entry_number(entry, name);
}

bool
entry_bool(const struct entry *entry, const char *name)
{
	return json_is_true(json_object_get(entry->data, name));
}

static bool
bool_of(const struct entry *entry, const char *name)
{
	return entry_bool(entry, name);
}

int
entry_date(const struct entry *entry, const char *name, int64_t *ret_date)
{
	return date_parse(text_of(entry, name), ret_date);
}

int
entry_optional_date(
    const struct entry *entry, const char *name, int64_t *ret_date)
{
	if (text_of(entry, name) != NULL)
		return entry_date(entry, name, ret_date);
	*ret_date = 0;
	return 0;
}

static int
time_of(const struct entry *entry, const char *name, int64_t *ret_time)
{
	return entry_date(entry, name, ret_time);
}

int
entry_contradiction(
    const struct entry *entry, const char *subject, const char *why)
{
	return ca_error(CA_R_INTERNAL,
	    "journal entry '%s' contradicts the journal: '%s' %s",
	    entry_kind_name(entry->kind), subject, why);
}

int
entry_repetition(
    const struct entry *entry, const char *subject, const char *why)
{
	return ca_error(CA_R_EXISTS, "journal entry '%s': '%s' %s",
	    entry_kind_name(entry->kind), subject, why);
}

int
apply_nothing(struct journal *journal, const struct entry *entry)
{
	(void)journal;
	(void)entry;
	return 0;
}

/* ---- the authority ---------------------------------------------------- */

int
apply_genesis(struct journal *journal, const struct entry *entry)
{
	const json_t *token = json_object_get(entry->data, "token");
	const char *label = json_string_value(json_object_get(token, "label"));
	const char *id = text_of(entry, "authority");

	return sql_run(journal, id,
	    "INSERT INTO authority (one, id, genesis, token_label)"
	    " VALUES (1, ?1, ?2, ?3)",
	    SQL_VALUES(sql_text(id), sql_blob(entry->leaf, HASH_LEN),
		sql_text(label)));
}

/*
 * The token's label was fixed by the genesis entry.  Checked before the token
 * is initialised; afterwards its own word for it, padded and escaped, stands.
 */
static int
check_label(struct journal *journal, const struct entry *entry)
{
	const char *label = text_of(entry, "label");
	int64_t one;
	bool found;

	if (sql_number(journal,
		"SELECT one FROM authority WHERE token_label = ?1",
		SQL_VALUES(sql_text(label)), &found, &one) != 0)
		return -1;
	if (found)
		return 0;
	return entry_contradiction(
	    entry, label, "is not the token's label in the genesis entry");
}

static int
token_is_known(struct journal *journal, bool *ret_known)
{
	int64_t one;

	return sql_number(journal,
	    "SELECT one FROM authority WHERE token_serial IS NOT NULL", NULL,
	    ret_known, &one);
}

static int
check_token(struct journal *journal, const struct entry *entry)
{
	bool known;

	if (token_is_known(journal, &known) != 0)
		return -1;
	if (!known)
		return 0;
	return entry_repetition(entry, text_of(entry, "label"),
	    "is initialised and journalled already");
}

int
apply_token_intent(struct journal *journal, const struct entry *entry)
{
	if (check_label(journal, entry) != 0 ||
	    check_token(journal, entry) != 0)
		return -1;
	return sql_run(
	    journal, NULL, "UPDATE authority SET token_intended = 1", NULL);
}

/* By init, until the authority is ready. */
int
entry_check_init(struct journal *journal, const struct entry *entry)
{
	int64_t ready;
	bool found;

	if (sql_number(journal, "SELECT ready FROM authority", NULL, &found,
		&ready) != 0)
		return -1;
	return ready == 0 ? 0 : entry_contradiction(entry, "init", "is over");
}

/* By init; or later by a run, which has thereby acted. */
static int
check_adopting_run(struct journal *journal, const struct entry *entry)
{
	if (text_of(entry, "run") == NULL)
		return entry_check_init(journal, entry);
	return entry_check_run(journal, entry) != 0
	    ? -1
	    : entry_set_acted(journal, entry);
}

/* The token that init made, or one that a run adopts in its place. */
int
apply_token(struct journal *journal, const struct entry *entry)
{
	bool adopted = text_of(entry, "run") != NULL;

	if ((adopted ? check_adopting_run(journal, entry)
		     : check_token(journal, entry)) != 0)
		return -1;
	if (adopted &&
	    sql_run(journal, NULL, "UPDATE authority SET token_label = ?1",
		SQL_VALUES(sql_text(text_of(entry, "label")))) != 0)
		return -1;
	return sql_run(journal, NULL, "UPDATE authority SET token_serial = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "serial"))));
}

static int
remove_profile(struct journal *journal, const struct entry *entry)
{
	const char *profile = text_of(entry, "profile");
	int64_t one;
	bool found;

	if (sql_number(journal, "SELECT 1 FROM profiles WHERE profile = ?1",
		SQL_VALUES(sql_text(profile)), &found, &one) != 0)
		return -1;
	if (!found)
		return entry_contradiction(
		    entry, profile, "is no profile that may be used");
	return sql_run(journal, profile,
	    "DELETE FROM profiles WHERE profile = ?1",
	    SQL_VALUES(sql_text(profile)));
}

int
apply_profile(struct journal *journal, const struct entry *entry)
{
	const char *profile = text_of(entry, "profile");

	if (check_adopting_run(journal, entry) != 0)
		return -1;
	if (bool_of(entry, "removed"))
		return remove_profile(journal, entry);
	return sql_run(journal, profile,
	    "INSERT OR REPLACE INTO profiles (profile, sha256)"
	    " VALUES (?1, ?2)",
	    SQL_VALUES(sql_text(profile), sql_text(text_of(entry, "sha256"))));
}

int
apply_config(struct journal *journal, const struct entry *entry)
{
	if (check_adopting_run(journal, entry) != 0)
		return -1;
	return sql_run(journal, NULL, "UPDATE authority SET config_sha256 = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "sha256"))));
}

static int
authority_ready(struct journal *journal, const struct entry *entry)
{
	const char *state = text_of(entry, "state");
	bool known;

	if (strcmp(state, "ready") != 0)
		return entry_contradiction(
		    entry, state, "is no state of an authority");
	if (token_is_known(journal, &known) != 0)
		return -1;
	if (!known)
		return entry_contradiction(
		    entry, "authority", "has no token yet");
	return sql_run(journal, NULL, "UPDATE authority SET ready = 1", NULL);
}

static int apply_ca_state(struct journal *journal, const struct entry *entry);

int
apply_state(struct journal *journal, const struct entry *entry)
{
	static const struct {
		const char *subject;
		entry_apply_fn *apply;
	} subjects[] = {
		{ "authority", authority_ready },
		{ "ca", apply_ca_state },
	};
	const char *subject = text_of(entry, "subject");

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		if (strcmp(subjects[i].subject, subject) == 0)
			return subjects[i].apply(journal, entry);
	return entry_contradiction(entry, subject, "has no state");
}

/* ---- runs ------------------------------------------------------------- */

/* The newest run that is open; an older one is only settled and closed. */
static int
is_open_run(struct journal *journal, const char *run, bool *ret_open)
{
	int64_t seq;

	return sql_number(journal,
	    "SELECT seq FROM runs WHERE run = ?1 AND open = 1"
	    " AND seq = (SELECT MAX(seq) FROM runs WHERE open = 1)",
	    SQL_VALUES(sql_text(run)), ret_open, &seq);
}

/* Open, and abandoned by the newest run that is open. */
static int
is_abandoned_run(struct journal *journal, const char *run, bool *ret_abandoned)
{
	int64_t seq;

	return sql_number(journal,
	    "SELECT seq FROM runs WHERE run = ?1 AND open = 1"
	    " AND run = (SELECT abandons FROM runs WHERE open = 1"
	    " ORDER BY seq DESC LIMIT 1)",
	    SQL_VALUES(sql_text(run)), ret_abandoned, &seq);
}

int
entry_check_run(struct journal *journal, const struct entry *entry)
{
	const char *run = text_of(entry, "run");
	bool open;

	if (is_open_run(journal, run, &open) != 0)
		return -1;
	return open ? 0
		    : entry_contradiction(entry, run, "is not the open run");
}

int
entry_set_acted(struct journal *journal, const struct entry *entry)
{
	return sql_run(journal, NULL,
	    "UPDATE runs SET acted = 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

/* What is settled for the entry's run cannot be undone by the open one. */
static int
set_abandoned(struct journal *journal, const struct entry *entry)
{
	return sql_run(journal, NULL,
	    "UPDATE runs SET acted = 1 WHERE open = 1 AND abandons = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

int
entry_settle_run(
    struct journal *journal, const struct entry *entry, bool *ret_abandoned)
{
	bool abandoned;

	if (is_abandoned_run(journal, text_of(entry, "run"), &abandoned) != 0 ||
	    (abandoned ? set_abandoned(journal, entry)
		       : entry_check_run(journal, entry)) != 0)
		return -1;
	if (ret_abandoned != NULL)
		*ret_abandoned = abandoned;
	return 0;
}

/* Keys are made by runs, and by `init` until the authority is ready. */
static int
check_run_or_init(struct journal *journal, const struct entry *entry)
{
	return strcmp(text_of(entry, "run"), "init") == 0
	    ? entry_check_init(journal, entry)
	    : entry_check_run(journal, entry);
}

/*
 * No run may be open, but the one that this one abandons.  That may itself
 * abandon another and have been cut off: then it is the newest.
 */
static int
check_no_run(struct journal *journal, const struct entry *entry)
{
	const char *abandoned = text_of(entry, "abandons");
	int64_t seq;
	bool found;

	if (abandoned == NULL) {
		if (sql_number(journal, "SELECT seq FROM runs WHERE open = 1",
			NULL, &found, &seq) != 0)
			return -1;
		return !found ? 0
			      : entry_repetition(entry, text_of(entry, "plan"),
				    "cannot begin, another run is open: finish "
				    "it with its resume, or abandon it");
	}
	if (is_open_run(journal, abandoned, &found) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(entry, abandoned,
			   "cannot be abandoned, it is not the open run");
}

static int
check_set_in_force(struct journal *journal, const struct entry *entry)
{
	const char *set = text_of(entry, "set");
	int64_t state;
	bool found;

	if (sql_number(journal, "SELECT state FROM sets WHERE set_id = ?1",
		SQL_VALUES(sql_text(set)), &found, &state) != 0)
		return -1;
	return found && state == SET_IN_FORCE
	    ? 0
	    : entry_contradiction(entry, set, "is not the set in force");
}

/* Before, keys and sets are those of init, which nobody has approved. */
static int
check_ready(struct journal *journal, const struct entry *entry)
{
	int64_t ready;
	bool found;

	if (sql_number(journal, "SELECT ready FROM authority", NULL, &found,
		&ready) != 0)
		return -1;
	return found && ready == 1
	    ? 0
	    : entry_contradiction(entry, text_of(entry, "plan"),
		  "cannot begin before the authority is ready");
}

int
apply_plan(struct journal *journal, const struct entry *entry)
{
	const char *plan = text_of(entry, "plan");
	const char *run = text_of(entry, "run");

	if (strcmp(run, "init") == 0)
		return entry_contradiction(entry, run, "is no nonce of a run");
	if (check_ready(journal, entry) != 0 ||
	    check_no_run(journal, entry) != 0 ||
	    check_set_in_force(journal, entry) != 0)
		return -1;
	return sql_run(journal, plan,
	    "INSERT INTO runs (seq, run, plan, manifest, directory, set_id,"
	    " unattended, abandons) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    SQL_VALUES(sql_int((int64_t)entry->seq), sql_text(run),
		sql_text(plan), sql_text(text_of(entry, "manifest")),
		sql_text(text_of(entry, "directory")),
		sql_text(text_of(entry, "set")),
		sql_int(bool_of(entry, "unattended")),
		sql_text(text_of(entry, "abandons"))));
}

static int
run_number(struct journal *journal, const struct entry *entry, const char *sql,
    int64_t *ret_number)
{
	bool found;

	return sql_number(journal, sql,
	    SQL_VALUES(sql_text(text_of(entry, "run"))), &found, ret_number);
}

int
apply_list(struct journal *journal, const struct entry *entry)
{
	int64_t lists;

	if (entry_check_run(journal, entry) != 0 ||
	    run_number(journal, entry, "SELECT lists FROM runs WHERE run = ?1",
		&lists) != 0)
		return -1;
	if (number_of(entry, "list") != lists)
		return entry_contradiction(entry, text_of(entry, "run"),
		    "numbers its lists from 0 without a gap");
	if (sql_run(journal, NULL,
		"INSERT INTO lists (run, list, sha256) VALUES (?1, ?2, ?3)",
		SQL_VALUES(sql_text(text_of(entry, "run")), sql_int(lists),
		    sql_text(text_of(entry, "sha256")))) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE runs SET lists = lists + 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

int
apply_resumed(struct journal *journal, const struct entry *entry)
{
	return entry_check_run(journal, entry);
}

int
apply_refused(struct journal *journal, const struct entry *entry)
{
	if (entry_check_run(journal, entry) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE runs SET refused = 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

/* Nothing may stay possibly signed, possibly generated, in a closed run. */
static int
check_nothing_pending(struct journal *journal, const struct entry *entry)
{
	int64_t objects, keys, sets;

	if (run_number(journal, entry,
		"SELECT (SELECT COUNT(*) FROM objects"
		" WHERE run = ?1 AND state = 0) +"
		" (SELECT COUNT(*) FROM ocsp_windows"
		" WHERE run = ?1 AND state = 0)",
		&objects) != 0 ||
	    run_number(journal, entry,
		"SELECT COUNT(*) FROM keys WHERE run = ?1 AND state = 0",
		&keys) != 0 ||
	    run_number(journal, entry,
		"SELECT COUNT(*) FROM sets WHERE run = ?1 AND state = 0",
		&sets) != 0)
		return -1;
	if (objects != 0)
		return entry_contradiction(entry, text_of(entry, "run"),
		    "has intents without a result or failure");
	if (keys != 0)
		return entry_contradiction(entry, text_of(entry, "run"),
		    "has keys that are neither live nor destroyed");
	if (sets != 0)
		return entry_contradiction(entry, text_of(entry, "run"),
		    "has begun a reshare that is neither over nor given up");
	return 0;
}

/* Which run may be closed with this outcome. */
static int
check_closing_run(
    struct journal *journal, const struct entry *entry, bool abandoned)
{
	const char *run = text_of(entry, "run");
	bool found;

	if (!abandoned)
		return entry_check_run(journal, entry);
	if (is_abandoned_run(journal, run, &found) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(
			   entry, run, "is not abandoned by the open run");
}

/* It was not refused, and what it should abandon is closed. */
static int
check_done(struct journal *journal, const struct entry *entry)
{
	const char *run = text_of(entry, "run");
	int64_t refused, left;

	if (run_number(journal, entry,
		"SELECT refused FROM runs WHERE run = ?1", &refused) != 0 ||
	    run_number(journal, entry,
		"SELECT COUNT(*) FROM runs WHERE open = 1 AND run ="
		" (SELECT abandons FROM runs WHERE run = ?1)",
		&left) != 0)
		return -1;
	if (refused != 0)
		return entry_contradiction(
		    entry, run, "was refused and cannot be done");
	return left == 0 ? 0
			 : entry_contradiction(entry, run,
			       "has not closed the run that it abandons");
}

static int
check_outcome(
    struct journal *journal, const struct entry *entry, const char *outcome)
{
	if (strcmp(outcome, "refused") == 0)
		return 0;
	if (strcmp(outcome, "abandoned") == 0)
		return set_abandoned(journal, entry);
	if (strcmp(outcome, "done") == 0)
		return check_done(journal, entry);
	return entry_contradiction(entry, outcome, "is no outcome of a run");
}

int
apply_close(struct journal *journal, const struct entry *entry)
{
	const char *outcome = text_of(entry, "outcome");
	bool abandoned = strcmp(outcome, "abandoned") == 0;

	if (check_closing_run(journal, entry, abandoned) != 0 ||
	    check_nothing_pending(journal, entry) != 0 ||
	    check_outcome(journal, entry, outcome) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE runs SET open = 0, refused = max(refused, ?2),"
	    " abandoned = ?3"
	    " WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run")),
		sql_int(strcmp(outcome, "refused") == 0), sql_int(abandoned)));
}

/* ---- keys ------------------------------------------------------------- */

static int
key_id(const struct entry *entry, unsigned char **ret_id, size_t *ret_len)
{
	return text_unhex(text_of(entry, "id"), ret_id, ret_len);
}

int
apply_key_intent(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");
	AUTO_BYTES(id) = NULL;
	size_t len;

	if (check_run_or_init(journal, entry) != 0 ||
	    key_id(entry, &id, &len) != 0)
		return -1;
	return sql_run(journal, name,
	    "INSERT INTO keys (seq, name, run, id, type, purpose, backup,"
	    " adopted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    SQL_VALUES(sql_int((int64_t)entry->seq), sql_text(name),
		sql_text(text_of(entry, "run")), sql_blob(id, len),
		sql_text(text_of(entry, "type")),
		sql_text(text_of(entry, "purpose")),
		sql_text(text_of(entry, "backup")),
		sql_int(bool_of(entry, "adopted"))));
}

/* The state of the key with this name and CKA_ID, which must have an intent. */
static int
key_state(struct journal *journal, const struct entry *entry,
    const unsigned char *id, size_t len, int64_t *ret_state)
{
	const char *name = text_of(entry, "name");
	bool found;

	if (sql_number(journal,
		"SELECT state FROM keys WHERE id = ?1 AND name = ?2",
		SQL_VALUES(sql_blob(id, len), sql_text(name)), &found,
		ret_state) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(
			   entry, name, "has no intent with this CKA_ID");
}

/* It is said both before and after; init finds no key to take in. */
static int
check_key_adopted(struct journal *journal, const struct entry *entry,
    const unsigned char *id, size_t len)
{
	bool adopted = bool_of(entry, "adopted");
	int64_t intended;
	bool found;

	if (sql_number(journal, "SELECT adopted FROM keys WHERE id = ?1",
		SQL_VALUES(sql_blob(id, len)), &found, &intended) != 0)
		return -1;
	return found && (intended != 0) == adopted
	    ? 0
	    : entry_contradiction(entry, text_of(entry, "name"),
		  adopted ? "was not intended to be taken in"
			  : "was intended to be taken in, not generated");
}

int
apply_key(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");
	AUTO_BYTES(id) = NULL;
	AUTO_BYTES(spki) = NULL;
	unsigned char digest[HASH_LEN];
	size_t id_len, spki_len;
	int64_t state;

	if (check_run_or_init(journal, entry) != 0 ||
	    key_id(entry, &id, &id_len) != 0 ||
	    text_unhex(text_of(entry, "spki"), &spki, &spki_len) != 0 ||
	    sha256(spki, spki_len, digest) != 0 ||
	    key_state(journal, entry, id, id_len, &state) != 0)
		return -1;
	if (state != KEY_INTENDED)
		return entry_repetition(
		    entry, name, "was generated, or destroyed, before");
	if (check_key_adopted(journal, entry, id, id_len) != 0)
		return -1;
	return sql_run(journal, name,
	    "UPDATE keys SET state = 1, spki = ?2, spki_sha256 = ?3"
	    " WHERE id = ?1",
	    SQL_VALUES(sql_blob(id, id_len), sql_blob(spki, spki_len),
		sql_blob(digest, HASH_LEN)));
}

static int
check_own_key(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");
	int64_t seq;
	bool found;

	if (sql_number(journal,
		"SELECT seq FROM keys WHERE name = ?1 AND run = ?2",
		SQL_VALUES(sql_text(name), sql_text(text_of(entry, "run"))),
		&found, &seq) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(
			   entry, name, "is no key of the abandoned run");
}

/* Also a run that is abandoned leaves no key that signed nothing. */
static int
check_destroying_run(struct journal *journal, const struct entry *entry)
{
	bool abandoned;

	if (strcmp(text_of(entry, "run"), "init") == 0)
		return check_run_or_init(journal, entry);
	if (entry_settle_run(journal, entry, &abandoned) != 0)
		return -1;
	return abandoned ? check_own_key(journal, entry) : 0;
}

int
apply_key_destroyed(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");
	AUTO_BYTES(id) = NULL;
	size_t len;
	int64_t state;

	if (check_destroying_run(journal, entry) != 0 ||
	    key_id(entry, &id, &len) != 0 ||
	    key_state(journal, entry, id, len, &state) != 0)
		return -1;
	if (state == KEY_GONE)
		return entry_repetition(entry, name, "was destroyed before");
	return sql_run(journal, name,
	    "UPDATE keys SET state = 2, ca_state = 3 WHERE id = ?1",
	    SQL_VALUES(sql_blob(id, len)));
}

/* ---- states of CAs ---------------------------------------------------- */

/* What a CA may become by an entry of its own; destroying its key has one. */
static int
wanted_state(const struct entry *entry, enum ca_state *ret_state)
{
	const char *name = text_of(entry, "state");

	for (enum ca_state state = CA_RETIRING; state < CA_DESTROYED; state++)
		if (strcmp(ca_state_name(state), name) == 0) {
			*ret_state = state;
			return 0;
		}
	return entry_contradiction(
	    entry, name, "is no state that a CA can be brought into");
}

/* A live key of a CA that is called so. */
static int
ca_key(struct journal *journal, const struct entry *entry, const char *name,
    enum ca_state *ret_state)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (journal_key(journal, name, &found, &row) != 0)
		return -1;
	if (!found || row.state != KEY_LIVE || strcmp(row.purpose, "ca") != 0)
		return entry_contradiction(
		    entry, name, "is no live key of a CA");
	*ret_state = row.ca_state;
	return 0;
}

static int
check_successor(struct journal *journal, const struct entry *entry)
{
	const char *successor = text_of(entry, "successor");
	enum ca_state state;

	if (successor == NULL)
		return 0;
	if (strcmp(successor, text_of(entry, "key")) == 0)
		return entry_contradiction(
		    entry, successor, "cannot take over from itself");
	if (ca_key(journal, entry, successor, &state) != 0)
		return -1;
	return state == CA_ACTIVE
	    ? 0
	    : entry_contradiction(
		  entry, successor, "is not active, and takes over nothing");
}

/* There is no way back. */
static int
apply_ca_state(struct journal *journal, const struct entry *entry)
{
	const char *key = text_of(entry, "key");
	enum ca_state now, wanted;

	if (entry_check_run(journal, entry) != 0 ||
	    wanted_state(entry, &wanted) != 0 ||
	    ca_key(journal, entry, key, &now) != 0 ||
	    check_successor(journal, entry) != 0)
		return -1;
	if (wanted <= now)
		return entry_repetition(entry, key,
		    "is in this state, or in one behind it, already");
	if (entry_set_acted(journal, entry) != 0)
		return -1;
	return sql_run(journal, key,
	    "UPDATE keys SET ca_state = ?2,"
	    " successor = ifnull(?3, successor)"
	    " WHERE name = ?1 AND state = 1",
	    SQL_VALUES(sql_text(key), sql_int((int64_t)wanted),
		sql_text(text_of(entry, "successor"))));
}

/* ---- objects ---------------------------------------------------------- */

int
entry_check_list(struct journal *journal, const struct entry *entry)
{
	int64_t lists;

	if (entry_check_run(journal, entry) != 0 ||
	    run_number(journal, entry, "SELECT lists FROM runs WHERE run = ?1",
		&lists) != 0)
		return -1;
	if (number_of(entry, "list") < lists)
		return 0;
	return entry_contradiction(
	    entry, text_of(entry, "run"), "has no such list yet");
}

static struct sql_value
optional_text(const struct entry *entry, const char *name)
{
	return sql_text(text_of(entry, name));
}

/* What only some kinds of objects have; a column without a value is NULL. */
struct object_columns {
	struct sql_value from, until, url;
	struct sql_value serial, subject_dn, spki, ca, kind; /* certificates */
	struct sql_value number, entries;                    /* CRLs */
};

/* Of a certificate, issued here or adopted. */
static int
certificate_columns(struct journal *journal, const struct entry *entry,
    struct object_columns *ret_columns)
{
	int64_t from, until;

	if (time_of(entry, "not_before", &from) != 0 ||
	    time_of(entry, "not_after", &until) != 0 ||
	    revocation_learn(journal, text_of(entry, "issuer_dn"),
		text_of(entry, "serial"), until, bool_of(entry, "ca"),
		text_of(entry, "crl_url")) != 0)
		return -1;
	*ret_columns = (struct object_columns){
		.from = sql_int(from),
		.until = sql_int(until),
		.url = optional_text(entry, "crl_url"),
		.serial = optional_text(entry, "serial"),
		.subject_dn = optional_text(entry, "subject_dn"),
		.spki = optional_text(entry, "spki"),
		.ca = sql_int(bool_of(entry, "ca")),
		.kind = optional_text(entry, "certificate_kind"),
		.number = sql_text(NULL),
		.entries = sql_text(NULL),
	};
	return 0;
}

static int
crl_columns(const struct entry *entry, struct object_columns *ret_columns)
{
	int64_t from, until;
	uint64_t number;

	if (time_of(entry, "this_update", &from) != 0 ||
	    time_of(entry, "next_update", &until) != 0 ||
	    text_number(text_of(entry, "number"), INT64_MAX, &number) != 0)
		return -1;
	ret_columns->from = sql_int(from);
	ret_columns->until = sql_int(until);
	ret_columns->url = optional_text(entry, "distribution_url");
	ret_columns->number = sql_int((int64_t)number);
	ret_columns->entries = sql_int(number_of(entry, "entries"));
	return 0;
}

static int
columns_of(struct journal *journal, const struct entry *entry, const char *kind,
    struct object_columns *ret_columns)
{
	const struct sql_value none = sql_text(NULL);

	if (strcmp(kind, "certificate") == 0)
		return certificate_columns(journal, entry, ret_columns);
	*ret_columns = (struct object_columns){ none, none, none, none, none,
		none, none, none, none, none };
	return strcmp(kind, "crl") == 0 ? crl_columns(entry, ret_columns) : 0;
}

/* What this authority is about to sign. */
static int
insert_object(struct journal *journal, const struct entry *entry,
    const struct object_columns *c)
{
	return sql_run(journal, text_of(entry, "name"),
	    "INSERT INTO objects (seq, run, list, object, kind, name, key, tbs,"
	    " issuer, issuer_dn, profile, valid_from, valid_until, crl_url,"
	    " serial, subject_dn, spki, ca, certificate_kind, number, entries)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
	    " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(text_of(entry, "run")),
		sql_int(number_of(entry, "list")),
		sql_int(number_of(entry, "object")),
		sql_text(text_of(entry, "kind")),
		sql_text(text_of(entry, "name")),
		sql_text(text_of(entry, "key")),
		sql_text(text_of(entry, "tbs")), optional_text(entry, "issuer"),
		optional_text(entry, "issuer_dn"),
		optional_text(entry, "profile"), c->from, c->until, c->url,
		c->serial, c->subject_dn, c->spki, c->ca, c->kind, c->number,
		c->entries));
}

/* What another CA signed for one of its keys. */
static int
insert_adopted(struct journal *journal, const struct entry *entry,
    const struct object_columns *c)
{
	return sql_run(journal, text_of(entry, "name"),
	    "INSERT INTO objects (seq, run, kind, name, state, adopted,"
	    " issuer_dn, sha256, result, valid_from, valid_until, crl_url,"
	    " serial, subject_dn, spki, ca, certificate_kind)"
	    " VALUES (?1, ?2, 'certificate', ?3, 1, 1, ?4, ?5, ?1, ?6, ?7, ?8,"
	    " ?9, ?10, ?11, ?12, ?13)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(text_of(entry, "run")),
		sql_text(text_of(entry, "name")),
		sql_text(text_of(entry, "issuer_dn")),
		sql_text(text_of(entry, "sha256")), c->from, c->until, c->url,
		c->serial, c->subject_dn, c->spki, c->ca, c->kind));
}

int
apply_intent(struct journal *journal, const struct entry *entry)
{
	struct object_columns columns;

	if (entry_check_list(journal, entry) != 0 ||
	    columns_of(journal, entry, text_of(entry, "kind"), &columns) != 0 ||
	    insert_object(journal, entry, &columns) != 0)
		return -1;
	return entry_set_acted(journal, entry);
}

/* The intent that a result or failure answers: it must be unanswered. */
static int
check_unanswered(
    struct journal *journal, const struct entry *entry, int64_t *ret_seq)
{
	const char *name = text_of(entry, "name");
	int64_t state;
	bool found;

	if (sql_number(journal,
		"SELECT seq FROM objects WHERE run = ?1 AND list = ?2"
		" AND object = ?3 AND name = ?4",
		SQL_VALUES(sql_text(text_of(entry, "run")),
		    sql_int(number_of(entry, "list")),
		    sql_int(number_of(entry, "object")), sql_text(name)),
		&found, ret_seq) != 0)
		return -1;
	if (!found)
		return entry_contradiction(entry, name, "has no intent");
	if (sql_number(journal, "SELECT state FROM objects WHERE seq = ?1",
		SQL_VALUES(sql_int(*ret_seq)), &found, &state) != 0)
		return -1;
	return state == OBJECT_INTENDED
	    ? 0
	    : entry_repetition(
		  entry, name, "has its result or failure already");
}

int
entry_check_digest(
    struct journal *journal, const struct entry *entry, const char *hex)
{
	AUTO_BYTES(digest) = NULL;
	size_t len;
	int64_t id;
	bool found;

	if (text_unhex(hex, &digest, &len) != 0 ||
	    sql_number(journal, "SELECT id FROM evidence WHERE sha256 = ?1",
		SQL_VALUES(sql_blob(digest, len)), &found, &id) != 0)
		return -1;
	return found
	    ? 0
	    : entry_contradiction(entry, hex, "is not among the evidence");
}

int
entry_check_evidence(
    struct journal *journal, const struct entry *entry, const char *name)
{
	return entry_check_digest(journal, entry, text_of(entry, name));
}

int
apply_result(struct journal *journal, const struct entry *entry)
{
	int64_t seq;

	if (entry_check_run(journal, entry) != 0 ||
	    check_unanswered(journal, entry, &seq) != 0 ||
	    entry_check_evidence(journal, entry, "sha256") != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET state = 1, sha256 = ?2, result = ?3"
	    " WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq), sql_text(text_of(entry, "sha256")),
		sql_int((int64_t)entry->seq)));
}

int
apply_failed(struct journal *journal, const struct entry *entry)
{
	int64_t seq;

	if (entry_settle_run(journal, entry, NULL) != 0 ||
	    check_unanswered(journal, entry, &seq) != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET state = 2 WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq)));
}

int
apply_adopted(struct journal *journal, const struct entry *entry)
{
	struct object_columns columns;

	if (entry_check_run(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "sha256") != 0 ||
	    certificate_columns(journal, entry, &columns) != 0 ||
	    insert_adopted(journal, entry, &columns) != 0)
		return -1;
	return entry_set_acted(journal, entry);
}

/* ---- checkpoints ------------------------------------------------------ */

/* CKPT-CONSISTENT: only what our own tree was may have been signed. */
int
apply_checkpoint(struct journal *journal, const struct entry *entry)
{
	struct tree_store tree = journal_tree(journal);
	uint64_t size = (uint64_t)number_of(entry, "size");
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (size > entry->seq)
		return entry_contradiction(entry, text_of(entry, "root"),
		    "is over more entries than there are");
	if (tree_root(&tree, size, root) != 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	if (strcmp(hex, text_of(entry, "root")) != 0)
		return entry_contradiction(entry, text_of(entry, "root"),
		    "is not the root of the entries that it counts");
	/* The receipt of runs whose close it counts, not of a later one. */
	return sql_run(journal, NULL,
	    "UPDATE runs SET receipt = 1 WHERE open = 0 AND receipt = 0"
	    " AND NOT EXISTS (SELECT seq FROM entries WHERE kind = 'close'"
	    " AND seq >= ?1 AND seq < ?2)",
	    SQL_VALUES(sql_int((int64_t)size), sql_int((int64_t)entry->seq)));
}
