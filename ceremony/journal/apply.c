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

/* Member `name` of the data; NULL for null; entry_check() saw its type. */
static const char *
text_of(const struct entry *entry, const char *name)
{
	return json_string_value(json_object_get(entry->data, name));
}

static int64_t
number_of(const struct entry *entry, const char *name)
{
	return json_integer_value(json_object_get(entry->data, name));
}

static bool
bool_of(const struct entry *entry, const char *name)
{
	return json_is_true(json_object_get(entry->data, name));
}

static int
time_of(const struct entry *entry, const char *name, int64_t *ret_time)
{
	return date_parse(text_of(entry, name), ret_time);
}

/* A broken promise of the caller: what it journals cannot have happened. */
static int
contradiction(const struct entry *entry, const char *subject, const char *why)
{
	return ca_error(CA_R_INTERNAL,
	    "journal entry '%s' contradicts the journal: '%s' %s",
	    entry_kind_name(entry->kind), subject, why);
}

/* It happened before, and may happen once only. */
static int
repetition(const struct entry *entry, const char *subject, const char *why)
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
	return contradiction(
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
	return repetition(entry, text_of(entry, "label"),
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

int
apply_token(struct journal *journal, const struct entry *entry)
{
	if (check_token(journal, entry) != 0)
		return -1;
	return sql_run(journal, NULL, "UPDATE authority SET token_serial = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "serial"))));
}

int
apply_config(struct journal *journal, const struct entry *entry)
{
	return sql_run(journal, NULL, "UPDATE authority SET config_sha256 = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "sha256"))));
}

int
apply_state(struct journal *journal, const struct entry *entry)
{
	const char *subject = text_of(entry, "subject");
	const char *state = text_of(entry, "state");
	bool known;

	if (strcmp(subject, "authority") != 0)
		return contradiction(entry, subject, "has no state");
	if (strcmp(state, "ready") != 0)
		return contradiction(
		    entry, state, "is no state of an authority");
	if (token_is_known(journal, &known) != 0)
		return -1;
	if (!known)
		return contradiction(entry, subject, "has no token yet");
	return sql_run(journal, NULL, "UPDATE authority SET ready = 1", NULL);
}

/* ---- runs ------------------------------------------------------------- */

/* The run that the entry names must be the open one. */
static int
check_run(struct journal *journal, const struct entry *entry)
{
	const char *run = text_of(entry, "run");
	int64_t seq;
	bool found;

	if (sql_number(journal,
		"SELECT seq FROM runs WHERE run = ?1 AND open = 1",
		SQL_VALUES(sql_text(run)), &found, &seq) != 0)
		return -1;
	return found ? 0 : contradiction(entry, run, "is not the open run");
}

/* Keys are made by runs, and by `init` until the authority is ready. */
static int
check_run_or_init(struct journal *journal, const struct entry *entry)
{
	const char *run = text_of(entry, "run");
	int64_t ready;
	bool found;

	if (strcmp(run, "init") != 0)
		return check_run(journal, entry);
	if (sql_number(journal, "SELECT ready FROM authority", NULL, &found,
		&ready) != 0)
		return -1;
	return ready == 0 ? 0 : contradiction(entry, run, "is over");
}

int
apply_plan(struct journal *journal, const struct entry *entry)
{
	const char *plan = text_of(entry, "plan");
	const char *run = text_of(entry, "run");

	if (strcmp(run, "init") == 0)
		return contradiction(entry, run, "is no nonce of a run");
	return sql_run(journal, plan,
	    "INSERT INTO runs (seq, run, plan, manifest, directory)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_int((int64_t)entry->seq), sql_text(run),
		sql_text(plan), sql_text(text_of(entry, "manifest")),
		sql_text(text_of(entry, "directory"))));
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

	if (check_run(journal, entry) != 0 ||
	    run_number(journal, entry, "SELECT lists FROM runs WHERE run = ?1",
		&lists) != 0)
		return -1;
	if (number_of(entry, "list") != lists)
		return contradiction(entry, text_of(entry, "run"),
		    "numbers its lists from 0 without a gap");
	return sql_run(journal, NULL,
	    "UPDATE runs SET lists = lists + 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

int
apply_resumed(struct journal *journal, const struct entry *entry)
{
	return check_run(journal, entry);
}

int
apply_refused(struct journal *journal, const struct entry *entry)
{
	if (check_run(journal, entry) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE runs SET refused = 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

/* Nothing may stay possibly signed, possibly generated, in a closed run. */
static int
check_nothing_pending(struct journal *journal, const struct entry *entry)
{
	int64_t objects, keys;

	if (run_number(journal, entry,
		"SELECT COUNT(*) FROM objects WHERE run = ?1 AND state = 0",
		&objects) != 0 ||
	    run_number(journal, entry,
		"SELECT COUNT(*) FROM keys WHERE run = ?1 AND state = 0",
		&keys) != 0)
		return -1;
	if (objects != 0)
		return contradiction(entry, text_of(entry, "run"),
		    "has intents without a result or failure");
	if (keys != 0)
		return contradiction(entry, text_of(entry, "run"),
		    "has keys that are neither live nor destroyed");
	return 0;
}

int
apply_close(struct journal *journal, const struct entry *entry)
{
	const char *run = text_of(entry, "run");
	const char *outcome = text_of(entry, "outcome");
	bool refused = strcmp(outcome, "refused") == 0;
	int64_t was_refused;

	if (check_run(journal, entry) != 0 ||
	    check_nothing_pending(journal, entry) != 0 ||
	    run_number(journal, entry,
		"SELECT refused FROM runs WHERE run = ?1", &was_refused) != 0)
		return -1;
	if (!refused && strcmp(outcome, "done") != 0)
		return contradiction(entry, outcome, "is no outcome of a run");
	if (!refused && was_refused != 0)
		return contradiction(
		    entry, run, "was refused and cannot be done");
	return sql_run(journal, NULL,
	    "UPDATE runs SET open = 0, refused = ?2 WHERE run = ?1",
	    SQL_VALUES(sql_text(run), sql_int(refused)));
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
	    "INSERT INTO keys (seq, name, run, id, type, purpose, backup)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	    SQL_VALUES(sql_int((int64_t)entry->seq), sql_text(name),
		sql_text(text_of(entry, "run")), sql_blob(id, len),
		sql_text(text_of(entry, "type")),
		sql_text(text_of(entry, "purpose")),
		sql_text(text_of(entry, "backup"))));
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
	return found
	    ? 0
	    : contradiction(entry, name, "has no intent with this CKA_ID");
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
		return repetition(
		    entry, name, "was generated, or destroyed, before");
	return sql_run(journal, name,
	    "UPDATE keys SET state = 1, spki = ?2, spki_sha256 = ?3"
	    " WHERE id = ?1",
	    SQL_VALUES(sql_blob(id, id_len), sql_blob(spki, spki_len),
		sql_blob(digest, HASH_LEN)));
}

int
apply_key_destroyed(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");
	AUTO_BYTES(id) = NULL;
	size_t len;
	int64_t state;

	if (check_run_or_init(journal, entry) != 0 ||
	    key_id(entry, &id, &len) != 0 ||
	    key_state(journal, entry, id, len, &state) != 0)
		return -1;
	if (state == KEY_GONE)
		return repetition(entry, name, "was destroyed before");
	return sql_run(journal, name, "UPDATE keys SET state = 2 WHERE id = ?1",
	    SQL_VALUES(sql_blob(id, len)));
}

/* ---- objects ---------------------------------------------------------- */

static int
check_list(struct journal *journal, const struct entry *entry)
{
	int64_t lists;

	if (check_run(journal, entry) != 0 ||
	    run_number(journal, entry, "SELECT lists FROM runs WHERE run = ?1",
		&lists) != 0)
		return -1;
	if (number_of(entry, "list") < lists)
		return 0;
	return contradiction(
	    entry, text_of(entry, "run"), "has no such list yet");
}

static struct sql_value
optional_text(const struct entry *entry, const char *name)
{
	return sql_text(text_of(entry, name));
}

/* What all kinds of objects share; the others' columns stay NULL. */
static int
insert_object(struct journal *journal, const struct entry *entry)
{
	return sql_run(journal, text_of(entry, "name"),
	    "INSERT INTO objects (seq, run, list, object, kind, name, key, tbs,"
	    " issuer, issuer_dn, profile)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(text_of(entry, "run")),
		sql_int(number_of(entry, "list")),
		sql_int(number_of(entry, "object")),
		sql_text(text_of(entry, "kind")),
		sql_text(text_of(entry, "name")),
		sql_text(text_of(entry, "key")),
		sql_text(text_of(entry, "tbs")), optional_text(entry, "issuer"),
		optional_text(entry, "issuer_dn"),
		optional_text(entry, "profile")));
}

/* Columns of a certificate, issued here or adopted. */
static int
set_certificate(struct journal *journal, const struct entry *entry)
{
	int64_t from, until;

	if (time_of(entry, "not_before", &from) != 0 ||
	    time_of(entry, "not_after", &until) != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET serial = ?2, subject_dn = ?3, spki = ?4,"
	    " valid_from = ?5, valid_until = ?6, ca = ?7,"
	    " certificate_kind = ?8 WHERE seq = ?1",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(text_of(entry, "serial")),
		sql_text(text_of(entry, "subject_dn")),
		sql_text(text_of(entry, "spki")), sql_int(from), sql_int(until),
		sql_int(bool_of(entry, "ca")),
		optional_text(entry, "certificate_kind")));
}

static int
set_crl(struct journal *journal, const struct entry *entry)
{
	int64_t from, until;
	uint64_t number;

	if (time_of(entry, "this_update", &from) != 0 ||
	    time_of(entry, "next_update", &until) != 0 ||
	    text_number(text_of(entry, "number"), INT64_MAX, &number) != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET number = ?2, valid_from = ?3, valid_until = ?4"
	    " WHERE seq = ?1",
	    SQL_VALUES(sql_int((int64_t)entry->seq), sql_int((int64_t)number),
		sql_int(from), sql_int(until)));
}

/* The run has done something that cannot be undone. */
static int
set_acted(struct journal *journal, const struct entry *entry)
{
	return sql_run(journal, NULL,
	    "UPDATE runs SET acted = 1 WHERE run = ?1",
	    SQL_VALUES(sql_text(text_of(entry, "run"))));
}

int
apply_intent(struct journal *journal, const struct entry *entry)
{
	const char *kind = text_of(entry, "kind");

	if (check_list(journal, entry) != 0 ||
	    insert_object(journal, entry) != 0 ||
	    set_acted(journal, entry) != 0)
		return -1;
	if (strcmp(kind, "certificate") == 0)
		return set_certificate(journal, entry);
	if (strcmp(kind, "crl") == 0)
		return set_crl(journal, entry);
	return 0;
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
		return contradiction(entry, name, "has no intent");
	if (sql_number(journal, "SELECT state FROM objects WHERE seq = ?1",
		SQL_VALUES(sql_int(*ret_seq)), &found, &state) != 0)
		return -1;
	return state == OBJECT_INTENDED
	    ? 0
	    : repetition(entry, name, "has its result or failure already");
}

static int
check_evidence(struct journal *journal, const struct entry *entry)
{
	const char *hex = text_of(entry, "sha256");
	AUTO_BYTES(digest) = NULL;
	size_t len;
	int64_t id;
	bool found;

	if (text_unhex(hex, &digest, &len) != 0 ||
	    sql_number(journal, "SELECT id FROM evidence WHERE sha256 = ?1",
		SQL_VALUES(sql_blob(digest, len)), &found, &id) != 0)
		return -1;
	return found ? 0
		     : contradiction(entry, hex, "is not among the evidence");
}

int
apply_result(struct journal *journal, const struct entry *entry)
{
	int64_t seq;

	if (check_run(journal, entry) != 0 ||
	    check_unanswered(journal, entry, &seq) != 0 ||
	    check_evidence(journal, entry) != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET state = 1, sha256 = ?2 WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq), sql_text(text_of(entry, "sha256"))));
}

int
apply_failed(struct journal *journal, const struct entry *entry)
{
	int64_t seq;

	if (check_run(journal, entry) != 0 ||
	    check_unanswered(journal, entry, &seq) != 0)
		return -1;
	return sql_run(journal, text_of(entry, "name"),
	    "UPDATE objects SET state = 2 WHERE seq = ?1",
	    SQL_VALUES(sql_int(seq)));
}

int
apply_adopted(struct journal *journal, const struct entry *entry)
{
	const char *name = text_of(entry, "name");

	if (check_run(journal, entry) != 0 ||
	    check_evidence(journal, entry) != 0 ||
	    sql_run(journal, name,
		"INSERT INTO objects (seq, run, kind, name, state, adopted,"
		" issuer_dn, sha256)"
		" VALUES (?1, ?2, 'certificate', ?3, 1, 1, ?4, ?5)",
		SQL_VALUES(sql_int((int64_t)entry->seq),
		    sql_text(text_of(entry, "run")), sql_text(name),
		    sql_text(text_of(entry, "issuer_dn")),
		    sql_text(text_of(entry, "sha256")))) != 0 ||
	    set_acted(journal, entry) != 0)
		return -1;
	return set_certificate(journal, entry);
}

/* ---- revocations, checkpoints ----------------------------------------- */

int
apply_revoked(struct journal *journal, const struct entry *entry)
{
	const char *serial = text_of(entry, "serial");
	int64_t date;

	if (check_run(journal, entry) != 0 ||
	    time_of(entry, "date", &date) != 0 ||
	    set_acted(journal, entry) != 0)
		return -1;
	return sql_run(journal, serial,
	    "INSERT INTO revocations (issuer_dn, octets, serial, date, reason)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_text(text_of(entry, "issuer_dn")),
		sql_int((int64_t)strlen(serial) / 2), sql_text(serial),
		sql_int(date), sql_text(text_of(entry, "reason"))));
}

/* CKPT-CONSISTENT: only what our own tree was may have been signed. */
int
apply_checkpoint(struct journal *journal, const struct entry *entry)
{
	struct tree_store tree = journal_tree(journal);
	uint64_t size = (uint64_t)number_of(entry, "size");
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (size > entry->seq)
		return contradiction(entry, text_of(entry, "root"),
		    "is over more entries than there are");
	if (tree_root(&tree, size, root) != 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	if (strcmp(hex, text_of(entry, "root")) != 0)
		return contradiction(entry, text_of(entry, "root"),
		    "is not the root of the entries that it counts");
	/* The receipt of runs whose close it counts, not of a later one. */
	return sql_run(journal, NULL,
	    "UPDATE runs SET receipt = 1 WHERE open = 0 AND receipt = 0"
	    " AND NOT EXISTS (SELECT seq FROM entries WHERE kind = 'close'"
	    " AND seq >= ?1 AND seq < ?2)",
	    SQL_VALUES(sql_int((int64_t)size), sql_int((int64_t)entry->seq)));
}
