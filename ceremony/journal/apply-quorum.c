/* The quorum's entries to derived tables: as apply.c, which see. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "ceremony/journal/proof.h"
#include "ceremony/journal/store.h"

/* ---- sets ------------------------------------------------------------- */

/* The enrolment of a witness has no statement, that of an operator has one. */
static int
check_role(struct journal *journal, const struct entry *entry)
{
	const char *role = entry_text(entry, "role");
	bool signed_it = entry_text(entry, "statement") != NULL;

	if (strcmp(role, "operator") != 0 && strcmp(role, "witness") != 0)
		return entry_contradiction(entry, role, "is no role");
	if ((strcmp(role, "operator") == 0) != signed_it)
		return entry_contradiction(entry, entry_text(entry, "name"),
		    "signs as an operator, and not as a witness");
	return signed_it ? entry_check_evidence(journal, entry, "statement")
			 : 0;
}

/* Nobody joins a set that is, or was, in force. */
static int
check_enrolling(struct journal *journal, const struct entry *entry)
{
	const char *set = entry_text(entry, "set");
	int64_t state;
	bool found;

	if (sql_number(journal,
		"SELECT state FROM sets WHERE set_id = ?1 AND state <> 0",
		SQL_VALUES(sql_text(set)), &found, &state) != 0)
		return -1;
	return !found ? 0
		      : entry_contradiction(entry, set,
			    "is complete: nobody enrols in it any more");
}

int
apply_enrolment(struct journal *journal, const struct entry *entry)
{
	const char *name = entry_text(entry, "name");

	if (check_role(journal, entry) != 0 ||
	    check_enrolling(journal, entry) != 0)
		return -1;
	return sql_run(journal, name,
	    "INSERT INTO enrolments (seq, set_id, name, role, sign, decrypt,"
	    " share, statement) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(entry_text(entry, "set")), sql_text(name),
		sql_text(entry_text(entry, "role")),
		sql_text(entry_text(entry, "sign")),
		sql_text(entry_text(entry, "decrypt")),
		sql_text(entry_text(entry, "share")),
		sql_text(entry_text(entry, "statement"))));
}

/* A number that belongs to the entry's set; 0 where there is none. */
static int
set_number_of(struct journal *journal, const struct entry *entry,
    const char *sql, int64_t *ret_number)
{
	bool found;

	if (sql_number(journal, sql,
		SQL_VALUES(sql_text(entry_text(entry, "set"))), &found,
		ret_number) != 0)
		return -1;
	if (!found)
		*ret_number = 0;
	return 0;
}

/* Every operator of the set has signed for their share. */
static int
check_all_enrolled(struct journal *journal, const struct entry *entry)
{
	int64_t enrolled, threshold = entry_number(entry, "threshold");

	if (set_number_of(journal, entry,
		"SELECT COUNT(*) FROM enrolments WHERE set_id = ?1"
		" AND role = 'operator'",
		&enrolled) != 0)
		return -1;
	if (enrolled != entry_number(entry, "operators"))
		return entry_contradiction(entry, entry_text(entry, "set"),
		    "has operators who have not enrolled");
	if (threshold < 1 || threshold > enrolled)
		return entry_contradiction(entry, entry_text(entry, "set"),
		    "has a threshold that cannot be met");
	return entry_check_evidence(journal, entry, "sha256");
}

/* The set that is replaced: exactly the one in force, none for the first. */
static int
check_replaced(struct journal *journal, const struct entry *entry)
{
	const char *replaces = entry_text(entry, "replaces");
	int64_t in_force, same;
	bool found;

	if (sql_number(journal, "SELECT COUNT(*) FROM sets WHERE state = 1",
		NULL, &found, &in_force) != 0 ||
	    sql_number(journal,
		"SELECT COUNT(*) FROM sets WHERE state = 1 AND set_id = ?1",
		SQL_VALUES(sql_text(replaces)), &found, &same) != 0)
		return -1;
	if (replaces != NULL)
		return same != 0
		    ? 0
		    : entry_contradiction(entry, replaces, "is not in force");
	return in_force == 0
	    ? 0
	    : entry_contradiction(entry, entry_text(entry, "set"),
		  "does not say which set it replaces");
}

static int
insert_set(
    struct journal *journal, const struct entry *entry, enum set_state state)
{
	const char *set = entry_text(entry, "set");

	return sql_run(journal, set,
	    "INSERT INTO sets (set_id, state, sha256, commitments, threshold,"
	    " operators, run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_VALUES(sql_text(set), sql_int(state),
		sql_text(entry_text(entry, "sha256")),
		sql_text(entry_text(entry, "commitments")),
		sql_int(entry_number(entry, "threshold")),
		sql_int(entry_number(entry, "operators")),
		sql_text(entry_text(entry, "run"))));
}

static int
set_state_to(struct journal *journal, const char *set, enum set_state state)
{
	return sql_run(journal, set,
	    "UPDATE sets SET state = ?2 WHERE set_id = ?1",
	    SQL_VALUES(sql_text(set), sql_int(state)));
}

/* The entry's run has begun a reshare to this very set, as it is said here. */
static int
check_begun(struct journal *journal, const struct entry *entry)
{
	int64_t state;
	bool found;

	if (sql_number(journal,
		"SELECT state FROM sets WHERE set_id = ?1 AND state = 0"
		" AND run = ?2 AND sha256 = ?3 AND threshold = ?4"
		" AND operators = ?5 AND commitments IS ?6",
		SQL_VALUES(sql_text(entry_text(entry, "set")),
		    sql_text(entry_text(entry, "run")),
		    sql_text(entry_text(entry, "sha256")),
		    sql_int(entry_number(entry, "threshold")),
		    sql_int(entry_number(entry, "operators")),
		    sql_text(entry_text(entry, "commitments"))),
		&found, &state) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(entry, entry_text(entry, "set"),
			   "is no set to which this run has begun a reshare");
}

/* A number that belongs to the entry's run, of a statement that counts. */
static int
run_count(struct journal *journal, const struct entry *entry, const char *sql,
    int64_t *ret_count)
{
	bool found;

	return sql_number(journal, sql,
	    SQL_VALUES(sql_text(entry_text(entry, "run"))), &found, ret_count);
}

/*
 * No PIN is between the sets.  The user PIN may change alone (where the SO PIN
 * is not ours), the SO PIN may not: the token would open with neither set.
 */
static int
check_pins_whole(struct journal *journal, const struct entry *entry)
{
	int64_t between;

	if (run_count(journal, entry,
		"SELECT COUNT(*) FROM pin_changes AS one WHERE run = ?1"
		" AND (stage = 'intent' OR (pin = 'so' AND NOT EXISTS"
		" (SELECT pin FROM pin_changes WHERE run = one.run"
		" AND pin = 'user')))",
		&between) != 0)
		return -1;
	return between == 0
	    ? 0
	    : entry_contradiction(entry, entry_text(entry, "set"),
		  "is not in force while PINs are being changed");
}

static int
check_pins_untouched(struct journal *journal, const struct entry *entry)
{
	int64_t moved;

	if (run_count(journal, entry,
		"SELECT COUNT(*) FROM pin_changes WHERE run = ?1", &moved) != 0)
		return -1;
	return moved == 0
	    ? 0
	    : entry_contradiction(entry, entry_text(entry, "set"),
		  "cannot be given up, the token's PINs have begun to change");
}

/*
 * The first entry, whose hash names this journal for ever, says who founds it:
 * so nobody can put other operators behind it.
 */
static int
check_founding(struct journal *journal, const struct entry *entry)
{
	AUTO_CHARS(line) = NULL;
	AUTO(json_t) *json = NULL;
	struct entry genesis = { 0 };
	const char *set, *sha256;
	json_t *quorum;
	size_t len = 0;

	if (journal_entry(journal, 0, &line, &len) != 0 ||
	    entry_parse(line, len, &json, &genesis) != 0)
		return -1;
	quorum = json_object_get(genesis.data, "quorum");
	if (quorum == NULL)
		return 0;
	set = json_string_value(json_object_get(quorum, "set"));
	sha256 = json_string_value(json_object_get(quorum, "sha256"));
	if (set == NULL || sha256 == NULL ||
	    strcmp(set, entry_text(entry, "set")) != 0 ||
	    strcmp(sha256, entry_text(entry, "sha256")) != 0)
		return entry_contradiction(entry, entry_text(entry, "set"),
		    "is not the set that the first entry names");
	return 0;
}

/* The first set is in force before any run can be. */
static int
set_first(struct journal *journal, const struct entry *entry)
{
	const char *run = entry_text(entry, "run");

	if (strcmp(run, "init") != 0)
		return entry_contradiction(
		    entry, run, "founds no set, only init does");
	return entry_check_init(journal, entry) != 0 ||
		check_founding(journal, entry) != 0
	    ? -1
	    : insert_set(journal, entry, SET_IN_FORCE);
}

static int
set_active(struct journal *journal, const struct entry *entry)
{
	const char *replaces = entry_text(entry, "replaces");

	if (check_replaced(journal, entry) != 0 ||
	    check_all_enrolled(journal, entry) != 0)
		return -1;
	if (replaces == NULL)
		return set_first(journal, entry);
	if (entry_check_run(journal, entry) != 0 ||
	    check_begun(journal, entry) != 0 ||
	    check_pins_whole(journal, entry) != 0 ||
	    set_state_to(journal, replaces, SET_GONE) != 0)
		return -1;
	return set_state_to(journal, entry_text(entry, "set"), SET_IN_FORCE);
}

/* From here on its run goes on, or is abandoned; it is not just refused. */
static int
set_begun(struct journal *journal, const struct entry *entry)
{
	if (entry_text(entry, "replaces") == NULL)
		return entry_contradiction(entry, entry_text(entry, "set"),
		    "replaces no set, so there is nothing to reshare");
	if (check_replaced(journal, entry) != 0 ||
	    entry_check_run(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "sha256") != 0 ||
	    entry_set_acted(journal, entry) != 0)
		return -1;
	return insert_set(journal, entry, SET_BEGUN);
}

/* By the run that began it, or by one that abandons that. */
static int
set_undone(struct journal *journal, const struct entry *entry)
{
	if (check_replaced(journal, entry) != 0 ||
	    entry_settle_run(journal, entry, NULL) != 0 ||
	    check_begun(journal, entry) != 0 ||
	    check_pins_untouched(journal, entry) != 0)
		return -1;
	return set_state_to(journal, entry_text(entry, "set"), SET_GONE);
}

int
apply_quorum(struct journal *journal, const struct entry *entry)
{
	static const struct {
		const char *state;
		entry_apply_fn *apply;
	} states[] = {
		{ "active", set_active },
		{ "begun", set_begun },
		{ "undone", set_undone },
	};
	const char *state = entry_text(entry, "state");

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(states[i].state, state) == 0)
			return states[i].apply(journal, entry);
	return entry_contradiction(entry, state, "is no state of a set");
}

/* An operator who has enrolled in this set. */
static int
check_operator(struct journal *journal, const struct entry *entry)
{
	const char *name = entry_text(entry, "name");
	bool found;
	int64_t seq;

	if (sql_number(journal,
		"SELECT seq FROM enrolments WHERE set_id = ?1 AND name = ?2"
		" AND role = 'operator'",
		SQL_VALUES(sql_text(entry_text(entry, "set")), sql_text(name)),
		&found, &seq) != 0)
		return -1;
	return found
	    ? 0
	    : entry_contradiction(entry, name, "is no operator of the set");
}

int
apply_anchor(struct journal *journal, const struct entry *entry)
{
	const char *name = entry_text(entry, "name");

	if (check_operator(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "statement") != 0 ||
	    entry_check_evidence(journal, entry, "text") != 0)
		return -1;
	return sql_run(journal, name,
	    "INSERT INTO anchors (seq, set_id, name) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(entry_text(entry, "set")), sql_text(name)));
}

static int
pin_intended(struct journal *journal, const struct entry *entry)
{
	const char *pin = entry_text(entry, "pin");

	return sql_run(journal, pin,
	    "INSERT INTO pin_changes (run, pin, stage)"
	    " VALUES (?1, ?2, 'intent')",
	    SQL_VALUES(sql_text(entry_text(entry, "run")), sql_text(pin)));
}

static int
pin_changed(struct journal *journal, const struct entry *entry)
{
	const char *run = entry_text(entry, "run");
	const char *pin = entry_text(entry, "pin");
	int64_t intended;
	bool found;

	if (sql_number(journal,
		"SELECT stage = 'intent' FROM pin_changes"
		" WHERE run = ?1 AND pin = ?2",
		SQL_VALUES(sql_text(run), sql_text(pin)), &found,
		&intended) != 0)
		return -1;
	if (!found)
		return entry_contradiction(
		    entry, pin, "was not about to be changed");
	if (intended == 0)
		return entry_repetition(entry, pin, "was changed before");
	return sql_run(journal, pin,
	    "UPDATE pin_changes SET stage = 'done'"
	    " WHERE run = ?1 AND pin = ?2",
	    SQL_VALUES(sql_text(run), sql_text(pin)));
}

/* The PINs change to those of the set to which this run has begun a reshare. */
static int
check_new_set(struct journal *journal, const struct entry *entry)
{
	const char *set = entry_text(entry, "set");
	int64_t state;
	bool found;

	if (entry_check_run(journal, entry) != 0 ||
	    sql_number(journal,
		"SELECT state FROM sets WHERE set_id = ?1 AND run = ?2"
		" AND state = 0",
		SQL_VALUES(sql_text(set), sql_text(entry_text(entry, "run"))),
		&found, &state) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(entry, set,
			   "is no set to which this run has begun a reshare");
}

/* "intent", then "done", each once. */
int
apply_pin_change(struct journal *journal, const struct entry *entry)
{
	const char *pin = entry_text(entry, "pin");
	const char *stage = entry_text(entry, "stage");

	if (check_new_set(journal, entry) != 0)
		return -1;
	if (strcmp(pin, "so") != 0 && strcmp(pin, "user") != 0)
		return entry_contradiction(entry, pin, "is no PIN");
	if (strcmp(stage, "intent") == 0)
		return pin_intended(journal, entry);
	if (strcmp(stage, "done") == 0)
		return pin_changed(journal, entry);
	return entry_contradiction(
	    entry, stage, "is no stage of a PIN's change");
}

/* ---- statements ------------------------------------------------------- */

/* Approvals stand beside lists, as list -1. */
static int
insert_statement(struct journal *journal, const struct entry *entry,
    int64_t list, const char *subject)
{
	const char *name = entry_text(entry, "name");

	return sql_run(journal, name,
	    "INSERT INTO statements (seq, run, list, name, set_id, subject,"
	    " statement) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(entry_text(entry, "run")), sql_int(list),
		sql_text(name), sql_text(entry_text(entry, "set")),
		sql_text(subject), sql_text(entry_text(entry, "statement"))));
}

/* By an operator of the set that was in force when the run began. */
static int
check_statement(struct journal *journal, const struct entry *entry)
{
	const char *set = entry_text(entry, "set");
	bool found;
	int64_t seq;

	if (entry_check_run(journal, entry) != 0 ||
	    check_operator(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "statement") != 0 ||
	    sql_number(journal,
		"SELECT seq FROM runs WHERE run = ?1 AND set_id = ?2",
		SQL_VALUES(sql_text(entry_text(entry, "run")), sql_text(set)),
		&found, &seq) != 0)
		return -1;
	return found
	    ? 0
	    : entry_contradiction(entry, set, "is not the set of the run");
}

int
apply_approval(struct journal *journal, const struct entry *entry)
{
	const char *manifest = entry_text(entry, "manifest");
	bool found;
	int64_t seq;

	if (check_statement(journal, entry) != 0 ||
	    sql_number(journal,
		"SELECT seq FROM runs WHERE run = ?1 AND manifest = ?2",
		SQL_VALUES(
		    sql_text(entry_text(entry, "run")), sql_text(manifest)),
		&found, &seq) != 0)
		return -1;
	if (!found)
		return entry_contradiction(
		    entry, manifest, "is not the manifest of the run");
	return insert_statement(journal, entry, -1, manifest);
}

int
apply_confirmation(struct journal *journal, const struct entry *entry)
{
	const char *sha256 = entry_text(entry, "sha256");
	int64_t list = entry_number(entry, "list"), one;
	bool found;

	if (check_statement(journal, entry) != 0 ||
	    sql_number(journal,
		"SELECT list FROM lists WHERE run = ?1 AND list = ?2"
		" AND sha256 = ?3",
		SQL_VALUES(sql_text(entry_text(entry, "run")), sql_int(list),
		    sql_text(sha256)),
		&found, &one) != 0)
		return -1;
	if (!found)
		return entry_contradiction(
		    entry, sha256, "is no list of the run with this number");
	return insert_statement(journal, entry, list, sha256);
}

/* ---- the clock -------------------------------------------------------- */

int
apply_clock(struct journal *journal, const struct entry *entry)
{
	int64_t now;

	if (entry_check_run(journal, entry) != 0 ||
	    entry_set_acted(journal, entry) != 0 ||
	    date_parse(entry_text(entry, "now"), &now) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE authority SET clock = ?1, clock_seq = ?2",
	    SQL_VALUES(sql_int(now), sql_int((int64_t)entry->seq)));
}
