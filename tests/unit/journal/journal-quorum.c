/* Sets, enrolments, statements; abandoned runs; what a run adopts. */
#include "base/date.h"
#include "ceremony/journal/journal.h"
#include "ceremony/journal/store.h"
#include "fixture.h"

/* What a visitor saw. */
struct seen {
	char text[1024];
	int stop_after;
};

static int
see(struct seen *seen, const char *text)
{
	assert_true(strlen(seen->text) + strlen(text) + 2 < sizeof seen->text);
	strcat(seen->text, text);
	strcat(seen->text, " ");
	return --seen->stop_after == 0 ? ca_error(CA_R_INTERRUPTED, "x") : 0;
}

/* Run A is open; the operators of set B have enrolled; `ret_sha`: its yaml. */
static void
begin_reshare(struct fixture *f, char ret_sha[HASH_HEX_SIZE])
{
	open_run(f, RUN_A, "reshare");
	put_people(f->journal, SET_B);
	put_evidence(f->journal, 902, ret_sha);
	add(f, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", ret_sha, SET_A, RUN_A));
}

typedef int quorum_query(
    struct journal *journal, bool *ret_found, struct quorum_row *ret_row);

/* `set` NULL: there is none. */
static void
expect_set(struct fixture *f, quorum_query *query, const char *set)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = set == NULL;

	assert_ok(query(f->journal, &found, &row));
	assert_int_equal(found, set != NULL);
	if (set == NULL)
		assert_null(row.set);
	else
		assert_string_equal(row.set, set);
}

static void
expect_run(struct fixture *f, const char *run)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = run == NULL;

	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_int_equal(found, run != NULL);
	if (run != NULL)
		assert_string_equal(row.run, run);
}

static bool
has_acted(struct fixture *f, const char *run)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found;

	assert_ok(journal_run(f->journal, run, &found, &row));
	assert_true(found);
	return row.acted;
}

/* The tables made anew are the same. */
static void
expect_rebuilt(struct fixture *f)
{
	unsigned char before[HASH_LEN], after[HASH_LEN];

	digest_derived(f->journal, before);
	assert_ok(journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* ---- enrolment -------------------------------------------------------- */

static int
see_enrolment(void *ctx, const struct enrolment_row *row)
{
	bool witness = strcmp(row->role, "witness") == 0;

	assert_string_equal(row->sign, hex64(40));
	if (witness) {
		assert_null(row->decrypt);
		assert_null(row->share);
		assert_null(row->statement);
	} else {
		assert_string_equal(row->role, "operator");
		assert_string_equal(row->decrypt, hex64(41));
		assert_string_equal(row->share, hex64(42));
		assert_int_equal(strlen(row->statement), 2 * HASH_LEN);
	}
	return see(ctx, row->name);
}

static void
test_enrolment(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { "", -1 };
	char sha[HASH_HEX_SIZE];

	assert_ok(
	    journal_each_enrolment(f->journal, SET_A, see_enrolment, &seen));
	assert_string_equal(seen.text, "");
	put_people(f->journal, SET_A);
	put_evidence(f->journal, 900, sha);
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_B, "alice", sha));
	assert_ok(
	    journal_each_enrolment(f->journal, SET_A, see_enrolment, &seen));
	assert_string_equal(seen.text, "alice bob carol wendy ");
	seen = (struct seen){ "", 2 };
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_enrolment(f->journal, SET_A, see_enrolment, &seen));
	assert_string_equal(seen.text, "alice bob ");
	expect_rebuilt(f);
}

static void
test_enrolment_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 900, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "alice", hex64(99))); /* no evidence */
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    with(data_enrolment(SET_A, "alice", sha), "role",
		json_string("guest")));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    with(data_enrolment(SET_A, "alice", sha), "role",
		json_string("witness")));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    with(data_enrolment(SET_A, "alice", NULL), "role",
		json_string("operator")));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_A, "alice", sha));
	refuse(f, CA_R_EXISTS, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "alice", sha));
	refuse(f, CA_R_EXISTS, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "alice", NULL));
}

/* Nobody slips into a set that is in force, or was, or was given up. */
static void
test_set_is_complete(void **state)
{
	struct fixture *f = *state;
	char person[HASH_HEX_SIZE], sha[HASH_HEX_SIZE];

	put_set(f->journal);
	put_evidence(f->journal, 900, person);
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "mallory", person));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "mallory", NULL));
	begin_reshare(f, sha);
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_B, "walter", NULL));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_B, "mallory", person));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_A, "mallory", person));
}

/* ---- the first set ---------------------------------------------------- */

static void
test_first_set(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(quorum_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found = true;

	expect_set(f, journal_quorum, NULL);
	expect_set(f, journal_quorum_begun, NULL);
	assert_ok(journal_quorum_by_set(f->journal, SET_A, &found, &row));
	assert_false(found);
	put_set(f->journal);
	put_evidence(f->journal, 901, sha);
	expect_set(f, journal_quorum_begun, NULL);
	assert_ok(journal_quorum(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.set, SET_A);
	assert_string_equal(row.sha256, sha);
	assert_string_equal(row.commitments, hex64(43));
	assert_int_equal(row.threshold, 2);
	assert_int_equal(row.operators, 3);
	quorum_row_clear(&row);
	assert_null(row.set);
	assert_ok(journal_quorum_by_set(f->journal, SET_A, &found, &row));
	assert_true(found);
	quorum_row_clear(&row);
	assert_ok(journal_quorum_by_set(f->journal, SET_B, &found, &row));
	assert_false(found);
	expect_rebuilt(f);
}

static void
test_no_commitments(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(quorum_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found;

	put_people(f->journal, SET_A);
	put_evidence(f->journal, 901, sha);
	add(f, ENTRY_QUORUM,
	    with(data_quorum(SET_A, "active", sha, NULL, "init"), "commitments",
		json_null()));
	assert_ok(journal_quorum(f->journal, &found, &row));
	assert_true(found);
	assert_null(row.commitments);
}

static void
test_first_set_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 901, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* nobody has enrolled */
	    data_quorum(SET_A, "active", sha, NULL, "init"));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_A, "alice", sha));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_A, "bob", sha));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_A, "wendy", NULL));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_B, "carol", sha));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* two, and a witness */
	    data_quorum(SET_A, "active", sha, NULL, "init"));
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_A, "carol", sha));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_A, "active", sha, NULL, "init"), "threshold",
		json_integer(0)));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_A, "active", sha, NULL, "init"), "threshold",
		json_integer(4)));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_A, "active", sha, NULL, "init"), "operators",
		json_integer(2)));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* set.yaml is no evidence */
	    data_quorum(SET_A, "active", hex64(99), NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* nothing to replace */
	    data_quorum(SET_A, "active", sha, SET_B, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_A, "begun", sha, NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_A, "undone", sha, NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_A, "retired", sha, NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* a run founds none */
	    data_quorum(SET_A, "active", sha, NULL, RUN_A));
	add(f, ENTRY_QUORUM, data_quorum(SET_A, "active", sha, NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* once */
	    data_quorum(SET_A, "active", sha, NULL, "init"));
	put_people(f->journal, SET_C);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* another, without a reshare */
	    data_quorum(SET_C, "active", sha, NULL, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_C, "active", sha, SET_A, "init"));
}

/* Whoever has no set when init is over shall not get one by the back door. */
static void
test_first_set_too_late(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 901, sha);
	put_people(f->journal, SET_A);
	add(f, ENTRY_TOKEN, data_token());
	add(f, ENTRY_STATE, data_ready());
	assert_refused_naming(CA_R_INTERNAL, "is over",
	    append_(f->journal, ENTRY_QUORUM,
		data_quorum(SET_A, "active", sha, NULL, "init")));
	expect_set(f, journal_quorum, NULL);
}

/* ---- reshare ---------------------------------------------------------- */

static void
test_reshare(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(quorum_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found;

	begin_reshare(f, sha);
	expect_set(f, journal_quorum, SET_A);
	expect_set(f, journal_quorum_begun, SET_B);
	assert_true(has_acted(f, RUN_A)); /* it is not just refused */
	expect_rebuilt(f);
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	expect_set(f, journal_quorum, SET_B);
	expect_set(f, journal_quorum_begun, NULL);
	assert_ok(journal_quorum_by_set(f->journal, SET_A, &found, &row));
	assert_true(found);
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, data_plan(RUN_B, "next"));
	add(f, ENTRY_PLAN,
	    with(data_plan(RUN_B, "next"), "set", json_string(SET_B)));
	refuse(f, CA_R_EXISTS, ENTRY_QUORUM, /* a set comes once */
	    data_quorum(SET_A, "begun", sha, SET_B, RUN_B));
	put_people(f->journal, SET_C);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* not in force any more */
	    data_quorum(SET_C, "begun", sha, SET_A, RUN_B));
	add(f, ENTRY_QUORUM, data_quorum(SET_C, "begun", sha, SET_B, RUN_B));
	expect_rebuilt(f);
}

static void
test_begun_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_set(f->journal);
	put_evidence(f->journal, 902, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* no run is open */
	    data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	open_run(f, RUN_A, "reshare");
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* another is */
	    data_quorum(SET_B, "begun", sha, SET_A, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, SET_A, "init"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", hex64(99), SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, SET_C, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, NULL, RUN_A));
	/* to itself */
	assert_refused_naming(CA_R_EXISTS, "this set was begun, or in force",
	    append_(f->journal, ENTRY_QUORUM,
		data_quorum(SET_A, "begun", sha, SET_A, RUN_A)));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	refuse(f, CA_R_EXISTS, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	assert_refused_naming(CA_R_EXISTS, "a reshare to another set has begun",
	    append_(f->journal, ENTRY_QUORUM,
		data_quorum(SET_C, "begun", sha, SET_A, RUN_A)));
}

static void
test_active_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE], other[HASH_HEX_SIZE];

	put_evidence(f->journal, 902, sha);
	put_evidence(f->journal, 903, other);
	open_run(f, RUN_A, "reshare");
	put_people(f->journal, SET_C);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* it has not begun */
	    data_quorum(SET_C, "active", sha, SET_A, RUN_A));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* nobody has enrolled */
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	put_people(f->journal, SET_B);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* another has begun */
	    data_quorum(SET_C, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, NULL, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_B, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_B));
	/* what has begun is what comes into force */
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", other, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_B, "active", sha, SET_A, RUN_A), "threshold",
		json_integer(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_B, "active", sha, SET_A, RUN_A), "commitments",
		json_null()));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_B, "active", sha, SET_A, RUN_A), "commitments",
		json_string(other)));
	put_evidence(f->journal, 900, other);
	add(f, ENTRY_ENROLMENT, data_enrolment(SET_B, "dave", other));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* one more than has begun */
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    with(data_quorum(SET_B, "active", sha, SET_A, RUN_A), "operators",
		json_integer(4)));
	expect_set(f, journal_quorum, SET_A);
}

static void
test_undone(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(quorum_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found;

	put_set(f->journal);
	put_evidence(f->journal, 902, sha);
	begin_reshare(f, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_C, "undone", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_A, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", hex64(99), SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_C, RUN_A));
	/* its run cannot leave it behind */
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "refused"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	expect_set(f, journal_quorum, SET_A);
	expect_set(f, journal_quorum_begun, NULL);
	assert_ok(journal_quorum_by_set(f->journal, SET_B, &found, &row));
	assert_true(found);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_EXISTS, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_ENROLMENT,
	    data_enrolment(SET_B, "mallory", sha));
	add(f, ENTRY_QUORUM, data_quorum(SET_C, "begun", sha, SET_A, RUN_A));
	expect_set(f, journal_quorum_begun, SET_C);
	expect_rebuilt(f);
}

/* ---- PINs ------------------------------------------------------------- */

static void
expect_stages(
    struct fixture *f, const char *run, enum pin_stage so, enum pin_stage user)
{
	enum pin_stage stage;

	assert_ok(journal_pin_stage(f->journal, run, "so", &stage));
	assert_int_equal(stage, so);
	assert_ok(journal_pin_stage(f->journal, run, "user", &stage));
	assert_int_equal(stage, user);
}

static void
test_pins(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	expect_stages(f, RUN_A, PIN_UNTOUCHED, PIN_UNTOUCHED);
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "so", "intent"));
	expect_stages(f, RUN_A, PIN_INTENDED, PIN_UNTOUCHED);
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "so", "done"));
	expect_stages(f, RUN_A, PIN_CHANGED, PIN_UNTOUCHED);
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_B, "user", "intent"));
	expect_stages(f, RUN_A, PIN_CHANGED, PIN_INTENDED);
	expect_stages(f, RUN_B, PIN_UNTOUCHED, PIN_UNTOUCHED);
	expect_rebuilt(f);
	/* between the sets: the token obeys neither the one nor the other */
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "user", "done"));
	expect_stages(f, RUN_A, PIN_CHANGED, PIN_CHANGED);
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	expect_stages(f, RUN_A, PIN_CHANGED, PIN_CHANGED);
}

static void
test_pins_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	open_run(f, RUN_A, "p");
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE, /* no reshare has begun */
	    data_pin_change(RUN_A, SET_B, "so", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_A, "so", "intent"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	put_evidence(f->journal, 902, sha);
	put_people(f->journal, SET_B);
	add(f, ENTRY_PLAN, data_plan(RUN_B, "q"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "begun", sha, SET_A, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE, /* closed */
	    data_pin_change(RUN_A, SET_B, "so", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_A, "so", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "admin", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "so", "begun"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE, /* without an intent */
	    data_pin_change(RUN_B, SET_B, "so", "done"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "so", "intent"));
	refuse(f, CA_R_EXISTS, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "so", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "user", "done"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "so", "done"));
	refuse(f, CA_R_EXISTS, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "so", "done"));
	refuse(f, CA_R_EXISTS, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "so", "intent"));
	/* the token would open with the PINs of neither set */
	assert_refused_naming(CA_R_INTERNAL, "while PINs are being changed",
	    append_(f->journal, ENTRY_QUORUM,
		data_quorum(SET_B, "active", sha, SET_A, RUN_B)));
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "user", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_B));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "user", "done"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE, /* it is over */
	    data_pin_change(RUN_B, SET_B, "user", "done"));
}

/* Where the SO PIN is not ours, only the user PIN is changed. */
static void
test_user_pin_alone(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_B, "user", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "user", "done"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	expect_set(f, journal_quorum, SET_B);
	expect_rebuilt(f);
}

/* The PINs of an earlier reshare say nothing about this one. */
static void
test_pins_of_each_run(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_B, "user", "intent"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "user", "done"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	put_people(f->journal, SET_C);
	add(f, ENTRY_PLAN,
	    with(data_plan(RUN_B, "again"), "set", json_string(SET_B)));
	add(f, ENTRY_QUORUM, data_quorum(SET_C, "begun", sha, SET_B, RUN_B));
	expect_stages(f, RUN_B, PIN_UNTOUCHED, PIN_UNTOUCHED);
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_C, "so", "intent"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_C, "so", "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* the other run's user PIN */
	    data_quorum(SET_C, "active", sha, SET_B, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_C, "undone", sha, SET_B, RUN_B));
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_C, "user", "intent"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_C, "user", "done"));
	add(f, ENTRY_QUORUM, data_quorum(SET_C, "active", sha, SET_B, RUN_B));
	expect_rebuilt(f);
}

/* ---- the anchor, approvals, confirmations ----------------------------- */

static void
test_anchor(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];
	bool found = true;

	put_evidence(f->journal, 1, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_ANCHOR, /* nobody is anybody yet */
	    data_anchor(SET_A, "alice", sha));
	put_set(f->journal);
	assert_ok(journal_has_anchor(f->journal, SET_A, "alice", &found));
	assert_false(found);
	refuse(f, CA_R_INTERNAL, ENTRY_ANCHOR,
	    with(data_anchor(SET_A, "alice", sha), "statement",
		json_string(hex64(99))));
	refuse(f, CA_R_INTERNAL, ENTRY_ANCHOR,
	    with(data_anchor(SET_A, "alice", sha), "text",
		json_string(hex64(99))));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_ANCHOR, data_anchor(SET_A, "wendy", sha));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_ANCHOR, data_anchor(SET_A, "mallory", sha));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_ANCHOR, data_anchor(SET_B, "alice", sha));
	add(f, ENTRY_ANCHOR, data_anchor(SET_A, "alice", sha));
	refuse(f, CA_R_EXISTS, ENTRY_ANCHOR, data_anchor(SET_A, "alice", sha));
	assert_ok(journal_has_anchor(f->journal, SET_A, "alice", &found));
	assert_true(found);
	assert_ok(journal_has_anchor(f->journal, SET_A, "bob", &found));
	assert_false(found);
	assert_ok(journal_has_anchor(f->journal, SET_B, "alice", &found));
	assert_false(found);
	expect_rebuilt(f);
}

static int
see_statement(void *ctx, const struct statement_row *row)
{
	AUTO_CHARS(text) = text_printf("%d:%s", row->list, row->name);

	assert_string_equal(row->set, SET_A);
	assert_string_equal(row->subject, row->list < 0 ? hex64(7) : hex64(9));
	assert_int_equal(strlen(row->statement), 2 * HASH_LEN);
	return see(ctx, text);
}

static void
expect_statements(struct fixture *f, const char *run, const char *expected)
{
	struct seen seen = { "", -1 };

	assert_ok(
	    journal_each_statement(f->journal, run, see_statement, &seen));
	assert_string_equal(seen.text, expected);
}

static void
test_statements(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { "", 2 };
	char sha[HASH_HEX_SIZE];

	open_run(f, RUN_A, "p");
	put_evidence(f->journal, 1, sha);
	expect_statements(f, RUN_A, "");
	add(f, ENTRY_APPROVAL, data_approval(RUN_A, "bob", SET_A, sha));
	add(f, ENTRY_APPROVAL, data_approval(RUN_A, "alice", SET_A, sha));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	add(f, ENTRY_LIST, data_list(RUN_A, 1));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 1, "alice", SET_A, sha));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "carol", SET_A, sha));
	expect_statements(f, RUN_A, "-1:bob -1:alice 0:alice 1:alice 0:carol ");
	expect_statements(f, RUN_B, "");
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_statement(f->journal, RUN_A, see_statement, &seen));
	assert_string_equal(seen.text, "-1:bob -1:alice ");
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	/* another run starts from nothing, and by the same people */
	open_run(f, RUN_B, "q");
	expect_statements(f, RUN_B, "");
	add(f, ENTRY_APPROVAL, data_approval(RUN_B, "bob", SET_A, sha));
	expect_statements(f, RUN_B, "-1:bob ");
	expect_rebuilt(f);
}

static void
test_approval_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 1, sha);
	put_set(f->journal);
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL, /* no run is open */
	    data_approval(RUN_A, "alice", SET_A, sha));
	open_run(f, RUN_A, "p");
	put_people(f->journal, SET_B);
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_B, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_A, "mallory", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_A, "wendy", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL, /* enrolled, but elsewhere */
	    data_approval(RUN_A, "alice", SET_B, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_A, "alice", SET_A, hex64(99)));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL, /* of another manifest */
	    with(data_approval(RUN_A, "alice", SET_A, sha), "manifest",
		json_string(hex64(8))));
	add(f, ENTRY_APPROVAL, data_approval(RUN_A, "alice", SET_A, sha));
	refuse(f, CA_R_EXISTS, ENTRY_APPROVAL,
	    data_approval(RUN_A, "alice", SET_A, sha));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_A, "bob", SET_A, sha));
}

static void
test_confirmation_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 1, sha);
	want_set(f);
	add(f, ENTRY_PLAN, data_plan(RUN_A, "p"));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION, /* no list yet */
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	add(f, ENTRY_LIST, data_list(RUN_A, 0));
	put_people(f->journal, SET_B);
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 1, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION, /* of another list */
	    with(data_confirmation(RUN_A, 0, "alice", SET_A, sha), "sha256",
		json_string(hex64(8))));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION, /* of the manifest */
	    with(data_confirmation(RUN_A, 0, "alice", SET_A, sha), "sha256",
		json_string(hex64(7))));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_B, 0, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "wendy", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_B, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, hex64(99)));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	refuse(f, CA_R_EXISTS, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	/* the list of another run with the same number and text */
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	add(f, ENTRY_PLAN, data_plan(RUN_B, "q"));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_B, 0, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "bob", SET_A, sha));
}

/* Whom a reshare in the run put in force approves nothing in that run. */
static void
test_statement_of_new_set(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_B, sha));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
}

/* ---- the clock -------------------------------------------------------- */

static void
set_time(struct fixture *f, uint64_t seq, int64_t time)
{
	assert_ok(sql_run(f->journal, NULL,
	    "UPDATE entries SET time = ?2 WHERE seq = ?1",
	    SQL_VALUES(sql_int((int64_t)seq), sql_int(time))));
}

static int64_t
last_time(struct fixture *f)
{
	int64_t time = -1;

	assert_ok(journal_last_time(f->journal, &time));
	return time;
}

static void
test_clock(void **state)
{
	struct fixture *f = *state;
	int64_t was = 4102444800, first, second;
	uint64_t seq;

	assert_ok(date_parse(DATE_A, &first));
	assert_ok(date_parse(DATE_B, &second));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOCK, data_clock(RUN_A, DATE_A));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOCK, data_clock("init", DATE_A));
	want_set(f);
	want_ready(f);
	assert_ok(journal_append(f->journal, ENTRY_PLAN, data_plan(RUN_A, "p"),
	    "with a clock that is wrong", &seq));
	set_time(f, seq, was);
	assert_true(last_time(f) == was);
	assert_false(has_acted(f, RUN_A));
	assert_ok(journal_append(f->journal, ENTRY_CLOCK,
	    data_clock(RUN_A, DATE_B), "set right", &seq));
	set_time(f, seq, was); /* its own time does not count */
	assert_true(last_time(f) == second);
	assert_true(has_acted(f, RUN_A));
	assert_ok(journal_append(
	    f->journal, ENTRY_LIST, data_list(RUN_A, 0), "a list", &seq));
	set_time(f, seq, second + 5);
	assert_true(last_time(f) == second + 5);
	set_time(f, seq, second - 5); /* never below what was confirmed */
	assert_true(last_time(f) == second);
	/* the newest counts, also where it says an earlier time */
	add(f, ENTRY_CLOCK, data_clock(RUN_A, DATE_A));
	assert_true(last_time(f) == first);
	refuse(f, CA_R_INTERNAL, ENTRY_CLOCK, data_clock(RUN_B, DATE_B));
	expect_rebuilt(f);
	assert_true(last_time(f) == first);
}

/* ---- what a run adopts ------------------------------------------------ */

static int
see_profile(void *ctx, const char *profile, const char *sha256)
{
	AUTO_CHARS(text) = text_printf("%s=%.8s", profile, sha256);

	return see(ctx, text);
}

static void
expect_profiles(struct fixture *f, const char *expected)
{
	struct seen seen = { "", -1 };

	assert_ok(journal_each_profile(f->journal, see_profile, &seen));
	assert_string_equal(seen.text, expected);
}

static void
test_profiles(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { "", 1 };
	AUTO_CHARS(sha) = NULL;
	bool found = true;

	expect_profiles(f, "");
	assert_ok(journal_profile(f->journal, "root", &found, &sha));
	assert_false(found);
	assert_null(sha);
	add(f, ENTRY_PROFILE, data_profile(NULL, "tls", hex64(1)));
	add(f, ENTRY_PROFILE, data_profile(NULL, "root", hex64(2)));
	expect_profiles(f, "root=00000002 tls=00000001 ");
	open_run(f, RUN_A, "p");
	assert_false(has_acted(f, RUN_A));
	add(f, ENTRY_PROFILE, data_profile(RUN_A, "tls", hex64(3)));
	assert_true(has_acted(f, RUN_A));
	add(f, ENTRY_PROFILE, data_profile(RUN_A, "ocsp", hex64(4)));
	add(f, ENTRY_PROFILE, data_profile_removed(RUN_A, "root", hex64(2)));
	expect_profiles(f, "ocsp=00000004 tls=00000003 ");
	assert_ok(journal_profile(f->journal, "root", &found, &sha));
	assert_false(found);
	assert_ok(journal_profile(f->journal, "tls", &found, &sha));
	assert_true(found);
	assert_string_equal(sha, hex64(3));
	expect_rebuilt(f);
	add(f, ENTRY_PROFILE, /* back again */
	    with(data_profile(RUN_A, "root", hex64(5)), "removed",
		json_false()));
	expect_profiles(f, "ocsp=00000004 root=00000005 tls=00000003 ");
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_profile(f->journal, see_profile, &seen));
	assert_string_equal(seen.text, "ocsp=00000004 ");
}

static void
test_profiles_refused(void **state)
{
	struct fixture *f = *state;

	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE,
	    data_profile(RUN_A, "root", hex64(1)));
	open_run(f, RUN_A, "p");
	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE,
	    data_profile(RUN_B, "root", hex64(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE, /* it never was one */
	    data_profile_removed(RUN_A, "root", hex64(1)));
	add(f, ENTRY_PROFILE, data_profile(RUN_A, "root", hex64(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE,
	    data_profile_removed(RUN_B, "root", hex64(1)));
	add(f, ENTRY_PROFILE, data_profile_removed(RUN_A, "root", hex64(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE,
	    data_profile_removed(RUN_A, "root", hex64(1)));
}

static void
test_config_adopted(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };
	json_t *adopted =
	    json_pack("{s:s,s:s}", "run", RUN_A, "sha256", hex64(2));

	add(f, ENTRY_CONFIG, json_pack("{s:s}", "sha256", hex64(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIG, json_incref(adopted));
	open_run(f, RUN_A, "p");
	add(f, ENTRY_CONFIG, adopted);
	assert_true(has_acted(f, RUN_A));
	assert_ok(journal_authority(f->journal, &row));
	assert_string_equal(row.config_sha256, hex64(2));
	expect_rebuilt(f);
}

static json_t *
another_token(const char *run)
{
	return with(with(with(data_token(), "serial", json_string("0002")),
			"label", json_string("replacement")),
	    "run", json_string(run));
}

static void
test_token_adopted(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };

	add(f, ENTRY_TOKEN, data_token());
	refuse(f, CA_R_EXISTS, ENTRY_TOKEN, data_token());
	refuse(f, CA_R_INTERNAL, ENTRY_TOKEN, another_token(RUN_A));
	open_run(f, RUN_A, "p");
	refuse(f, CA_R_EXISTS, ENTRY_TOKEN, data_token());
	refuse(f, CA_R_INTERNAL, ENTRY_TOKEN, another_token(RUN_B));
	add(f, ENTRY_TOKEN, another_token(RUN_A));
	assert_true(has_acted(f, RUN_A));
	assert_ok(journal_authority(f->journal, &row));
	assert_string_equal(row.token_serial, "0002");
	assert_string_equal(row.token_label, "replacement");
	expect_rebuilt(f);
}

/* ---- abandoned runs --------------------------------------------------- */

/* Run A was cut off with a result, two intents and a key half made. */
static void
cut_off_run(struct fixture *f, char ret_sha[HASH_HEX_SIZE])
{
	put_evidence(f->journal, 1, ret_sha);
	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "k", "0a"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 1, "d", hex64(1), "02", hex64(3)));
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 2, "e"));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", ret_sha));
}

static void
test_abandon(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found;

	cut_off_run(f, sha);
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_LIST, data_list(RUN_B, 0));
	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_B);
	assert_string_equal(row.abandons, RUN_A);
	assert_false(row.acted);
	run_row_clear(&row);

	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	assert_false(has_acted(f, RUN_B));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 1, "d"));
	assert_true(has_acted(f, RUN_B)); /* that cannot be taken back */
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, hex64(1), "02"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 2, "e"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_A, "k", "0a"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "refused"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_B, "abandoned"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_B, "done"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	assert_ok(journal_run(f->journal, RUN_A, &found, &row));
	assert_true(found && row.abandoned && !row.open && !row.refused);
	run_row_clear(&row);
	expect_run(f, RUN_B);
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	assert_ok(journal_run(f->journal, RUN_B, &found, &row));
	assert_true(found && !row.abandoned && !row.open);
	expect_run(f, NULL);
	expect_rebuilt(f);
	add(f, ENTRY_PLAN, data_plan(RUN_C, "r"));
}

static void
test_abandon_refused(void **state)
{
	struct fixture *f = *state;

	want_set(f);
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, /* no run is open */
	    data_abandoning(RUN_B, "q", RUN_A));
	open_run(f, RUN_A, "p");
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, /* by nobody */
	    data_close(RUN_A, "abandoned"));
	assert_refused_naming(CA_R_EXISTS, "another run is open",
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_B, "q")));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, /* another one */
	    data_abandoning(RUN_B, "q", RUN_C));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, /* itself */
	    data_abandoning(RUN_B, "q", RUN_B));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, /* its plan ran already */
	    data_abandoning(RUN_B, "p", RUN_A));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_abandoning(RUN_A, "q", RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, /* closed */
	    data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_PLAN, data_plan(RUN_B, "q"));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_PLAN, data_abandoning(RUN_C, "r", RUN_A));
}

/* An abandoned run is settled and closed; it does nothing more. */
static void
test_abandoned_does_nothing(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	cut_off_run(f, sha);
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_RESULT, data_result(RUN_A, 0, 1, "d", sha));
	refuse(f, CA_R_INTERNAL, ENTRY_INTENT, data_csr(RUN_A, 0, 3, "f"));
	refuse(f, CA_R_INTERNAL, ENTRY_LIST, data_list(RUN_A, 1));
	refuse(f, CA_R_INTERNAL, ENTRY_RESUMED, data_resumed(RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_REFUSED, data_refused(RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY_INTENT,
	    data_key_intent(RUN_A, "l", "0b"));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY, data_key(RUN_A, "k", "0a", "3000"));
	refuse(f, CA_R_INTERNAL, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "05", hex64(2), sha));
	refuse(f, CA_R_INTERNAL, ENTRY_APPROVAL,
	    data_approval(RUN_A, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOCK, data_clock(RUN_A, DATE_A));
	refuse(f, CA_R_INTERNAL, ENTRY_PROFILE,
	    data_profile(RUN_A, "root", hex64(1)));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "begun", sha, SET_A, RUN_A));
	/* what is neither open nor abandoned is not even settled */
	refuse(f, CA_R_INTERNAL, ENTRY_FAILED, data_failed(RUN_C, 0, 1, "d"));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOKED,
	    data_revoked(RUN_C, hex64(1), "02"));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY_DESTROYED,
	    data_key_destroyed(RUN_C, "k", "0a"));
}

/* What signs, or says what is signed, is an act; a list or a key is none. */
static void
test_acted(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 1, sha);
	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "k", "0a"));
	add(f, ENTRY_KEY, data_key(RUN_A, "k", "0a", "3000"));
	add(f, ENTRY_APPROVAL, data_approval(RUN_A, "alice", SET_A, sha));
	add(f, ENTRY_CONFIRMATION,
	    data_confirmation(RUN_A, 0, "alice", SET_A, sha));
	add(f, ENTRY_RESUMED, data_resumed(RUN_A));
	assert_false(has_acted(f, RUN_A));
	for (int i = 0; i < 3; i++) {
		assert_ok(journal_begin(f->journal));
		if (i == 0)
			add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "e"));
		else if (i == 1)
			add(f, ENTRY_REVOKED,
			    data_revoked(RUN_A, hex64(1), "01"));
		else
			add(f, ENTRY_ADOPTED,
			    data_adopted(
				RUN_A, "a", hex64(1), "05", hex64(8), sha));
		assert_true(has_acted(f, RUN_A));
		journal_rollback(f->journal);
		assert_false(has_acted(f, RUN_A));
	}
}

/* Each of these cannot be taken back by the run that abandons: it has acted. */
static void
test_settling_is_an_act(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "k", "0a"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	for (int i = 0; i < 5; i++) {
		assert_ok(journal_begin(f->journal));
		add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
		assert_false(has_acted(f, RUN_B));
		if (i == 0)
			add(f, ENTRY_KEY_DESTROYED,
			    data_key_destroyed(RUN_A, "k", "0a"));
		else if (i == 1)
			add(f, ENTRY_REVOKED,
			    data_revoked(RUN_A, hex64(1), "01"));
		else if (i == 2)
			add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
		else if (i == 3)
			add(f, ENTRY_QUORUM,
			    data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
		else
			add(f, ENTRY_EVENT, data_event("nothing"));
		assert_int_equal(has_acted(f, RUN_B), i < 4);
		journal_rollback(f->journal);
	}
	/* with nothing to settle, the close is the act */
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_A, "k", "0a"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	assert_false(has_acted(f, RUN_B));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	assert_true(has_acted(f, RUN_B));
	expect_rebuilt(f);
}

/* In the name of an abandoned run, only its own keys and serials go. */
static void
test_settling_only_its_own(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 2, sha);
	open_run(f, RUN_C, "earlier");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_C, "old", "0b"));
	add(f, ENTRY_KEY, data_key(RUN_C, "old", "0b", "3001"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_C, 0, 0, "o", hex64(1), "0a", hex64(9)));
	add(f, ENTRY_RESULT, data_result(RUN_C, 0, 0, "o", sha));
	add(f, ENTRY_CLOSE, data_close(RUN_C, "done"));
	cut_off_run(f, sha);
	add(f, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "05", hex64(8), sha));
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	assert_refused_naming(CA_R_INTERNAL, "is no key of the abandoned run",
	    append_(f->journal, ENTRY_KEY_DESTROYED,
		data_key_destroyed(RUN_A, "old", "0b")));
	assert_refused_naming(CA_R_INTERNAL, "was not perhaps signed",
	    append_(f->journal, ENTRY_REVOKED, /* another run's */
		data_revoked(RUN_A, hex64(1), "0a")));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOKED, /* signed: it is published */
	    data_revoked(RUN_A, hex64(1), "01"));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOKED, /* issued elsewhere */
	    data_revoked(RUN_A, hex64(1), "05"));
	refuse(f, CA_R_INTERNAL, ENTRY_REVOKED, /* another issuer's */
	    data_revoked(RUN_A, hex64(4), "02"));
	assert_false(has_acted(f, RUN_B)); /* what was refused left nothing */
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, hex64(1), "02"));
	/* the run that abandons may revoke what it likes in its own name */
	add(f, ENTRY_REVOKED, data_revoked(RUN_B, hex64(1), "0a"));
	expect_rebuilt(f);
}

/* A run may be refused, be cut off before its close, and be abandoned. */
static void
test_abandon_refused_run(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_REFUSED, data_refused(RUN_A));
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	assert_ok(journal_run(f->journal, RUN_A, &found, &row));
	assert_true(found && row.abandoned && row.refused && !row.open);
	run_row_clear(&row);
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	expect_run(f, NULL);
	expect_rebuilt(f);
}

/* What the abandoning run itself began, it must end itself. */
static void
test_abandoning_pending(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_LIST, data_list(RUN_B, 0));
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_B, "k", "0a"));
	add(f, ENTRY_INTENT, data_csr(RUN_B, 0, 0, "e"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_B, "done"));
	add(f, ENTRY_FAILED, data_failed(RUN_B, 0, 0, "e"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_B, "done"));
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_B, "k", "0a"));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	expect_run(f, NULL);
}

/* The receipt of the one that is abandoned does not wait for the other's. */
static void
test_abandoned_receipt(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size;
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_A);
	run_row_clear(&row);
	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	add(f, ENTRY_CHECKPOINT,
	    json_pack("{s:I,s:s,s:s}", "size", (json_int_t)size, "root", hex,
		"note", "n\n"));
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_false(found);
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_B);
	expect_rebuilt(f);
}

/* What is refused gives the cut-off run back; it can still go on. */
static void
test_abandoning_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	cut_off_run(f, sha);
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_REFUSED, data_refused(RUN_B));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "refused"));
	expect_run(f, RUN_A);
	add(f, ENTRY_RESUMED, data_resumed(RUN_A));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 1, "d", sha));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	expect_rebuilt(f);
}

/* A run that abandons another, and is cut off itself, can be abandoned. */
static void
test_abandon_twice(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "c"));
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, /* not the newest */
	    data_abandoning(RUN_C, "r", RUN_A));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_plan(RUN_C, "r"));
	add(f, ENTRY_PLAN, data_abandoning(RUN_C, "r", RUN_B));
	expect_run(f, RUN_C);
	refuse(f, CA_R_INTERNAL, ENTRY_FAILED, /* not its run */
	    data_failed(RUN_A, 0, 0, "c"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "abandoned"));
	expect_run(f, RUN_C);
	refuse(f, CA_R_INTERNAL, ENTRY_RESUMED, data_resumed(RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_C, "done"));
	expect_run(f, RUN_A);
	add(f, ENTRY_RESUMED, data_resumed(RUN_A));
	expect_rebuilt(f);
}

/* The other one was closed before the abandoning run was cut off. */
static void
test_abandon_after_close(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_plan(RUN_C, "r"));
	add(f, ENTRY_PLAN, data_abandoning(RUN_C, "r", RUN_B));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "abandoned"));
	add(f, ENTRY_CLOSE, data_close(RUN_C, "done"));
	expect_run(f, NULL);
	expect_rebuilt(f);
}

/* A reshare that had only begun is undone by the run that abandons it. */
static void
test_abandon_reshare(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "active", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM, /* B has begun nothing */
	    data_quorum(SET_B, "active", sha, SET_A, RUN_B));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_B, "so", "intent"));
	refuse(f, CA_R_INTERNAL, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "so", "intent"));
	add(f, ENTRY_QUORUM, data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	expect_set(f, journal_quorum, SET_A);
	expect_set(f, journal_quorum_begun, NULL);
	expect_rebuilt(f);
}

/* One whose PINs have begun to move is not. */
static void
test_abandon_moving(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "so", "intent"));
	add(f, ENTRY_PLAN, data_abandoning(RUN_B, "q", RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_QUORUM,
	    data_quorum(SET_B, "undone", sha, SET_A, RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "abandoned"));
	add(f, ENTRY_CLOSE, data_close(RUN_B, "refused"));
	add(f, ENTRY_PIN_CHANGE, data_pin_change(RUN_A, SET_B, "so", "done"));
}

/* The index holds even where the code above it does not. */
static void
test_index_of_open_runs(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	assert_refused_naming(CA_R_EXISTS, "another run is open",
	    sql_run(f->journal, "q",
		"INSERT INTO runs (seq, run, plan, manifest, directory, set_id)"
		" VALUES (99, 'n', 'q', '', '', '')",
		NULL));
}

/* ---- messages --------------------------------------------------------- */

static void
test_messages(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	begin_reshare(f, sha);
	assert_refused_naming(CA_R_EXISTS, "'alice': somebody of this name",
	    append_(f->journal, ENTRY_ENROLMENT,
		data_enrolment(SET_B, "alice", sha)));
	add(f, ENTRY_ANCHOR, data_anchor(SET_A, "bob", sha));
	assert_refused_naming(CA_R_EXISTS, "'bob': this operator has signed",
	    append_(f->journal, ENTRY_ANCHOR, data_anchor(SET_A, "bob", sha)));
	add(f, ENTRY_APPROVAL, data_approval(RUN_A, "bob", SET_A, sha));
	assert_refused_naming(CA_R_EXISTS, "'bob': this operator has approved",
	    append_(f->journal, ENTRY_APPROVAL,
		data_approval(RUN_A, "bob", SET_A, sha)));
	add(f, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_A, SET_B, "user", "intent"));
	assert_refused_naming(CA_R_EXISTS, "'user': the change of this PIN",
	    append_(f->journal, ENTRY_PIN_CHANGE,
		data_pin_change(RUN_A, SET_B, "user", "intent")));
	assert_refused_naming(CA_R_INTERNAL, "is no operator of the set",
	    append_(f->journal, ENTRY_APPROVAL,
		data_approval(RUN_A, "wendy", SET_A, sha)));
	assert_refused_naming(CA_R_INTERNAL, "neither over nor given up",
	    append_(f->journal, ENTRY_CLOSE, data_close(RUN_A, "done")));
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_enrolment),
		TEST(test_enrolment_refused),
		TEST(test_set_is_complete),
		TEST(test_first_set),
		TEST(test_no_commitments),
		TEST(test_first_set_refused),
		TEST(test_first_set_too_late),
		TEST(test_reshare),
		TEST(test_begun_refused),
		TEST(test_active_refused),
		TEST(test_undone),
		TEST(test_pins),
		TEST(test_pins_refused),
		TEST(test_user_pin_alone),
		TEST(test_pins_of_each_run),
		TEST(test_anchor),
		TEST(test_statements),
		TEST(test_approval_refused),
		TEST(test_confirmation_refused),
		TEST(test_statement_of_new_set),
		TEST(test_clock),
		TEST(test_profiles),
		TEST(test_profiles_refused),
		TEST(test_config_adopted),
		TEST(test_token_adopted),
		TEST(test_abandon),
		TEST(test_abandon_refused),
		TEST(test_abandoned_does_nothing),
		TEST(test_acted),
		TEST(test_settling_is_an_act),
		TEST(test_settling_only_its_own),
		TEST(test_abandon_refused_run),
		TEST(test_abandoning_pending),
		TEST(test_abandoned_receipt),
		TEST(test_abandoning_refused),
		TEST(test_abandon_twice),
		TEST(test_abandon_after_close),
		TEST(test_abandon_reshare),
		TEST(test_abandon_moving),
		TEST(test_index_of_open_runs),
		TEST(test_messages),
	};

	(void)umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
