/* States of CAs, keys that are taken in, windows of OCSP responses. */
#include "base/date.h"
#include "fixture.h"

#define SPKI_A "3000"
#define SPKI_B "3001"

static void
make_key(struct fixture *f, const char *name, const char *id, const char *spki)
{
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, name, id));
	add(f, ENTRY_KEY, data_key(RUN_A, name, id, spki));
}

static void
setup(struct fixture *f)
{
	open_run(f, RUN_A, "p");
	make_key(f, "g1", "0a0b", SPKI_A);
	make_key(f, "g2", "0a0c", SPKI_B);
}

static enum ca_state
state_of(struct fixture *f, const char *name)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found;

	assert_ok(journal_key(f->journal, name, &found, &row));
	assert_true(found);
	return row.ca_state;
}

static void
assert_remade(struct fixture *f)
{
	unsigned char before[HASH_LEN], after[HASH_LEN];

	digest_derived(f->journal, before);
	assert_ok(journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

static void
test_names(void **state)
{
	(void)state;
	assert_string_equal(ca_state_name(CA_ACTIVE), "active");
	assert_string_equal(ca_state_name(CA_RETIRING), "retiring");
	assert_string_equal(ca_state_name(CA_RETIRED), "retired");
	assert_string_equal(ca_state_name(CA_DESTROYED), "destroyed");
	assert_string_equal(ca_state_name((enum ca_state)9), "unknown");
}

static void
test_states(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(key_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	bool found;

	setup(f);
	assert_int_equal(state_of(f, "g1"), CA_ACTIVE);
	add(f, ENTRY_STATE, data_ca_state(RUN_A, "g1", "retiring", "g2"));
	assert_int_equal(state_of(f, "g1"), CA_RETIRING);
	assert_int_equal(state_of(f, "g2"), CA_ACTIVE);
	assert_ok(journal_key(f->journal, "g1", &found, &row));
	assert_string_equal(row.successor, "g2");
	assert_false(row.adopted);
	key_row_clear(&row);
	/* who takes over stays known */
	add(f, ENTRY_STATE, data_ca_state(RUN_A, "g1", "retired", NULL));
	assert_int_equal(state_of(f, "g1"), CA_RETIRED);
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_A, "g1", "0a0b"));
	assert_ok(sha256("\x30\x00", 2, digest));
	assert_ok(journal_key_by_spki(f->journal, digest, &found, &row));
	assert_true(found);
	assert_int_equal(row.ca_state, CA_DESTROYED);
	assert_string_equal(row.successor, "g2");
	assert_remade(f);
}

static void
test_states_refused(void **state)
{
	static const struct {
		enum ca_reason reason;
		const char *run, *key, *state, *successor;
	} wrong[] = {
		{ CA_R_INTERNAL, RUN_B, "g1", "retiring", NULL },
		{ CA_R_INTERNAL, RUN_A, "g3", "retiring", NULL },
		{ CA_R_INTERNAL, RUN_A, "g1", "active", NULL },
		{ CA_R_INTERNAL, RUN_A, "g1", "destroyed", NULL },
		{ CA_R_INTERNAL, RUN_A, "g1", "Retired", NULL },
		{ CA_R_INTERNAL, RUN_A, "g1", "retiring", "g1" },
		{ CA_R_INTERNAL, RUN_A, "g1", "retiring", "g3" },
		{ CA_R_INTERNAL, RUN_A, "o1", "retiring", NULL },
		{ CA_R_INTERNAL, RUN_A, "g1", "retiring", "o1" },
	};
	struct fixture *f = *state;

	setup(f);
	add(f, ENTRY_KEY_INTENT,
	    with(data_key_intent(RUN_A, "o1", "0a0d"), "purpose",
		json_string("ocsp")));
	add(f, ENTRY_KEY, data_key(RUN_A, "o1", "0a0d", "3002"));
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		refuse(f, wrong[i].reason, ENTRY_STATE,
		    data_ca_state(wrong[i].run, wrong[i].key, wrong[i].state,
			wrong[i].successor));
	/* what is missing; and of another subject */
	refuse(f, CA_R_INTERNAL, ENTRY_STATE,
	    with(data_ca_state(RUN_A, "g1", "retiring", NULL), "why",
		json_null()));
	refuse(f, CA_R_INTERNAL, ENTRY_STATE,
	    with(data_ca_state(RUN_A, "g1", "retiring", NULL), "subject",
		json_string("key")));
	add(f, ENTRY_STATE, data_ca_state(RUN_A, "g1", "retired", NULL));
	/* no way back, not twice, and it takes over from nobody */
	refuse(f, CA_R_EXISTS, ENTRY_STATE,
	    data_ca_state(RUN_A, "g1", "retiring", NULL));
	refuse(f, CA_R_EXISTS, ENTRY_STATE,
	    data_ca_state(RUN_A, "g1", "retired", NULL));
	refuse(f, CA_R_INTERNAL, ENTRY_STATE,
	    data_ca_state(RUN_A, "g2", "retiring", "g1"));
	assert_int_equal(state_of(f, "g2"), CA_ACTIVE);
}

static void
test_adopted_key(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(key_row) row = { 0 };
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT,
	    with(
		data_key_intent(RUN_A, "old", "0a0b"), "adopted", json_true()));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY,
	    data_key(RUN_A, "old", "0a0b", SPKI_A));
	add(f, ENTRY_KEY,
	    with(data_key(RUN_A, "old", "0a0b", SPKI_A), "adopted",
		json_true()));
	assert_ok(journal_key(f->journal, "old", &found, &row));
	assert_true(found && row.adopted);
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "new", "0a0c"));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY,
	    with(data_key(RUN_A, "new", "0a0c", SPKI_B), "adopted",
		json_true()));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY_INTENT,
	    with(data_key_intent(RUN_A, "x", "0a0d"), "adopted",
		json_string("yes")));
	assert_remade(f);
}

/* ---- OCSP responses --------------------------------------------------- */

static int
see_window(void *ctx, const struct ocsp_window_row *row)
{
	char *text = ctx;

	assert_string_equal(row->name, "status");
	assert_string_equal(row->issuer, "root-g1");
	assert_null(row->responder);
	assert_true(row->from < row->until);
	assert_non_null(row->intended);
	assert_int_equal(row->items != NULL, row->state == OBJECT_SIGNED);
	(void)sprintf(text + strlen(text), "%u:%u:%d:%d ", row->list,
	    row->window, (int)row->count, (int)row->state);
	return 0;
}

static void
assert_windows(struct fixture *f, const char *run, const char *expected)
{
	char text[256] = "";

	assert_ok(journal_each_ocsp_window(f->journal, run, see_window, text));
	assert_string_equal(text, expected);
}

static int
see_batch(void *ctx, const struct ocsp_batch_row *row)
{
	char *text = ctx;
	int64_t from, until;

	assert_ok(date_parse(DATE_A, &from));
	assert_ok(date_parse(DATE_B, &until));
	assert_string_equal(row->profile, "ocsp");
	assert_null(row->responder);
	assert_true(row->from == from && row->until == until);
	(void)sprintf(
	    text + strlen(text), "%s:%d ", row->name, (int)row->count);
	return 0;
}

/* What is signed of them, over all lists of the run. */
static void
test_batches(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE], text[256] = "";

	open_run(f, RUN_A, "p");
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 0, 5, sha));
	assert_ok(
	    journal_each_ocsp_batch(f->journal, hex64(6), see_batch, text));
	assert_string_equal(text, "");
	add(f, ENTRY_OCSP_RESULT, data_ocsp_result(RUN_A, 0, 0, 5, sha));
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 1, 7, sha));
	add(f, ENTRY_OCSP_FAILED, data_ocsp_failed(RUN_A, 0, 1));
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 2, 3, sha));
	add(f, ENTRY_OCSP_RESULT, data_ocsp_result(RUN_A, 0, 2, 3, sha));
	assert_ok(
	    journal_each_ocsp_batch(f->journal, hex64(6), see_batch, text));
	assert_string_equal(text, "status:8 ");
	text[0] = '\0';
	assert_ok(
	    journal_each_ocsp_batch(f->journal, hex64(7), see_batch, text));
	assert_string_equal(text, "");
}

static void
test_windows(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	open_run(f, RUN_A, "p");
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 0, 5, sha));
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 1, 7, sha));
	assert_windows(f, NULL, "0:0:5:0 0:1:7:0 ");
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	add(f, ENTRY_OCSP_RESULT, data_ocsp_result(RUN_A, 0, 0, 5, sha));
	add(f, ENTRY_OCSP_FAILED, data_ocsp_failed(RUN_A, 0, 1));
	assert_windows(f, RUN_A, "0:0:5:1 0:1:7:2 ");
	assert_windows(f, RUN_B, "");
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	assert_remade(f);
}

static void
test_windows_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	put_evidence(f->journal, 1, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_INTENT,
	    data_ocsp_intent(RUN_A, 0, 0, 5, sha));
	open_run(f, RUN_A, "p");
	/* another list, nothing in it, no evidence */
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_INTENT,
	    data_ocsp_intent(RUN_A, 1, 0, 5, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_INTENT,
	    data_ocsp_intent(RUN_A, 0, 0, 0, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_INTENT,
	    data_ocsp_intent(RUN_A, 0, 0, 5, hex64(99)));
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_RESULT,
	    data_ocsp_result(RUN_A, 0, 0, 5, sha));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_OCSP_FAILED, data_ocsp_failed(RUN_A, 0, 0));
	add(f, ENTRY_OCSP_INTENT, data_ocsp_intent(RUN_A, 0, 0, 5, sha));
	refuse(f, CA_R_EXISTS, ENTRY_OCSP_INTENT,
	    data_ocsp_intent(RUN_A, 0, 0, 5, sha));
	/* another window, another count, no evidence; twice */
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_RESULT,
	    data_ocsp_result(RUN_A, 0, 1, 5, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_RESULT,
	    data_ocsp_result(RUN_A, 0, 0, 4, sha));
	refuse(f, CA_R_INTERNAL, ENTRY_OCSP_RESULT,
	    data_ocsp_result(RUN_A, 0, 0, 5, hex64(99)));
	add(f, ENTRY_OCSP_RESULT, data_ocsp_result(RUN_A, 0, 0, 5, sha));
	refuse(f, CA_R_EXISTS, ENTRY_OCSP_RESULT,
	    data_ocsp_result(RUN_A, 0, 0, 5, sha));
	refuse(
	    f, CA_R_EXISTS, ENTRY_OCSP_FAILED, data_ocsp_failed(RUN_A, 0, 0));
}

#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		TEST(test_states),
		TEST(test_states_refused),
		TEST(test_adopted_key),
		TEST(test_batches),
		TEST(test_windows),
		TEST(test_windows_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
