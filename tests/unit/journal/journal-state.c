/* From entries to state: queries, what may exist once only, rebuilding. */
#include <sqlite3.h>

#include "ceremony/journal/journal.h"
#include "ceremony/journal/store.h"
#include "fixture.h"

#define ID_1 "00112233445566778899aabbccddeeff"
#define ID_2 "ffeeddccbbaa99887766554433221100"
#define SPKI_1 "30590001"
#define SPKI_2 "30590002"

/* ---- the authority ---------------------------------------------------- */

static void
test_authority(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };
	json_t *intent =
	    json_pack("{s:s,s:b}", "label", "example-token", "embedded", 1);

	assert_ok(journal_authority(f->journal, &row));
	assert_string_equal(row.id, "example");
	assert_string_equal(row.token_label, "example-token");
	assert_null(row.token_serial);
	assert_null(row.config_sha256);
	assert_false(row.token_intended || row.ready);
	authority_row_clear(&row);

	refuse(f, CA_R_INTERNAL, ENTRY_STATE, data_ready()); /* no token */
	add(f, ENTRY_TOKEN_INTENT, json_incref(intent));
	add(f, ENTRY_TOKEN_INTENT, json_incref(intent)); /* tried again */
	add(f, ENTRY_TOKEN, data_token());
	refuse(f, CA_R_EXISTS, ENTRY_TOKEN, data_token());
	refuse(f, CA_R_EXISTS, ENTRY_TOKEN_INTENT, intent);
	add(f, ENTRY_CONFIG, json_pack("{s:s}", "sha256", hex64(1)));
	add(f, ENTRY_CONFIG, json_pack("{s:s}", "sha256", hex64(2)));
	add(f, ENTRY_STATE, data_ready());
	assert_ok(journal_authority(f->journal, &row));
	assert_string_equal(row.token_serial, "0001");
	assert_string_equal(row.config_sha256, hex64(2));
	assert_true(row.token_intended && row.ready);
}

static int
keep_leaf(void *ctx, uint64_t seq, const char *line, size_t len)
{
	return seq == 0 ? tree_leaf(line, len, ctx) : 0;
}

static void
test_genesis_leaf(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(authority_row) row = { 0 };
	unsigned char leaf[HASH_LEN], root[HASH_LEN];
	uint64_t size;

	assert_ok(journal_authority(f->journal, &row));
	assert_ok(journal_head(f->journal, &size, root));
	assert_memory_equal(row.genesis, root, HASH_LEN);
	assert_ok(
	    journal_each_entry(f->journal, 0, ENTRY_KINDS, keep_leaf, leaf));
	assert_memory_equal(row.genesis, leaf, HASH_LEN);
}

static void
test_authority_refused(void **state)
{
	struct fixture *f = *state;

	refuse(f, CA_R_INTERNAL, ENTRY_TOKEN_INTENT,
	    json_pack("{s:s,s:b}", "label", "another", "embedded", 1));
	refuse(f, CA_R_INTERNAL, ENTRY_STATE,
	    json_pack("{s:s,s:s}", "subject", "root", "state", "ready"));
	refuse(f, CA_R_INTERNAL, ENTRY_STATE,
	    json_pack("{s:s,s:s}", "subject", "authority", "state", "gone"));
}

static void
test_no_entries(void **state)
{
	struct scratch *scratch = *state;
	struct journal *journal = NULL;
	AUTO_STRUCT(authority_row) row = { 0 };
	bool found = true;
	char *note = NULL;

	assert_ok(journal_create(scratch->path, &journal));
	assert_refused(CA_R_STATE, journal_authority(journal, &row));
	assert_null(row.id);
	assert_ok(journal_last_checkpoint(journal, &found, &note));
	assert_false(found);
	assert_null(note);
	journal_free(journal);
}

/* ---- keys ------------------------------------------------------------- */

static void
test_key_life(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(key_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	bool found = true;

	assert_ok(journal_key(f->journal, "k", &found, &row));
	assert_false(found);
	assert_null(row.name);
	add(f, ENTRY_KEY_INTENT, data_key_intent("init", "k", ID_1));
	assert_ok(journal_key(f->journal, "k", &found, &row));
	assert_true(found);
	assert_int_equal(row.state, KEY_INTENDED);
	assert_string_equal(row.run, "init");
	assert_string_equal(row.type, "p-384");
	assert_string_equal(row.purpose, "ca");
	assert_string_equal(row.backup, "none");
	assert_int_equal(row.id_len, 16);
	assert_memory_equal(row.id, "\x00\x11\x22\x33", 4);
	assert_null(row.spki);
	assert_int_equal(row.spki_len, 0);
	key_row_clear(&row);

	add(f, ENTRY_KEY, data_key("init", "k", ID_1, SPKI_1));
	assert_ok(sha256("\x30\x59\x00\x01", 4, digest));
	assert_ok(journal_key_by_spki(f->journal, digest, &found, &row));
	assert_true(found);
	assert_int_equal(row.state, KEY_LIVE);
	assert_int_equal(row.spki_len, 4);
	assert_memory_equal(row.spki, "\x30\x59\x00\x01", 4);
	key_row_clear(&row);

	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed("init", "k", ID_1));
	assert_ok(journal_key(f->journal, "k", &found, &row));
	assert_false(found);
	assert_ok(journal_key_by_spki(f->journal, digest, &found, &row));
	assert_true(found);
	assert_int_equal(row.state, KEY_GONE);
}

static void
test_key_refused(void **state)
{
	struct fixture *f = *state;

	refuse(f, CA_R_INTERNAL, ENTRY_KEY_INTENT,
	    data_key_intent(RUN_A, "k", ID_1)); /* no such run */
	refuse(f, CA_R_INTERNAL, ENTRY_KEY,
	    data_key("init", "k", ID_1, SPKI_1)); /* no intent */
	refuse(f, CA_R_INTERNAL, ENTRY_KEY_DESTROYED,
	    data_key_destroyed("init", "k", ID_1));
	add(f, ENTRY_KEY_INTENT, data_key_intent("init", "k", ID_1));
	refuse(f, CA_R_EXISTS, ENTRY_KEY_INTENT,
	    data_key_intent("init", "k", ID_2)); /* name */
	refuse(f, CA_R_EXISTS, ENTRY_KEY_INTENT,
	    data_key_intent("init", "other", ID_1)); /* CKA_ID */
	refuse(f, CA_R_INTERNAL, ENTRY_KEY,
	    data_key("init", "other", ID_1, SPKI_1));
	refuse(
	    f, CA_R_INTERNAL, ENTRY_KEY, data_key("init", "k", ID_2, SPKI_1));
	refuse(f, CA_R_INTERNAL, ENTRY_KEY, data_key(RUN_A, "k", ID_1, SPKI_1));
	add(f, ENTRY_KEY, data_key("init", "k", ID_1, SPKI_1));
	refuse(f, CA_R_EXISTS, ENTRY_KEY, data_key("init", "k", ID_1, SPKI_2));
	add(f, ENTRY_KEY_INTENT, data_key_intent("init", "k2", ID_2));
	refuse(f, CA_R_EXISTS, ENTRY_KEY,
	    data_key("init", "k2", ID_2, SPKI_1)); /* the same public key */
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed("init", "k", ID_1));
	refuse(f, CA_R_EXISTS, ENTRY_KEY_DESTROYED,
	    data_key_destroyed("init", "k", ID_1));
	refuse(f, CA_R_EXISTS, ENTRY_KEY,
	    data_key("init", "k", ID_1, SPKI_2)); /* no resurrection */
	refuse(f, CA_R_EXISTS, ENTRY_KEY_INTENT,
	    data_key_intent("init", "k", ID_1)); /* the CKA_ID is spent */
	add(f, ENTRY_KEY_INTENT, data_key_intent("init", "k", "0c")); /* free */
}

/* Once the authority is ready, `init` makes no keys. */
static void
test_init_is_over(void **state)
{
	struct fixture *f = *state;

	want_set(f);
	add(f, ENTRY_TOKEN, data_token());
	add(f, ENTRY_CONFIG, json_pack("{s:s}", "sha256", hex64(1)));
	add(f, ENTRY_PROFILE, data_profile(NULL, "root", hex64(1)));
	add(f, ENTRY_STATE, data_ready());
	refuse(f, CA_R_INTERNAL, ENTRY_KEY_INTENT,
	    data_key_intent("init", "k", ID_1));
	assert_refused_naming(CA_R_INTERNAL, "is over",
	    append_(f->journal, ENTRY_CONFIG,
		json_pack("{s:s}", "sha256", hex64(2))));
	assert_refused_naming(CA_R_INTERNAL, "is over",
	    append_(f->journal, ENTRY_PROFILE,
		data_profile(NULL, "root", hex64(2))));
	assert_refused_naming(CA_R_INTERNAL, "is over",
	    append_(f->journal, ENTRY_PROFILE,
		data_profile_removed(NULL, "root", hex64(1))));
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN, data_plan("init", "p"));
	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "k", ID_1));
}

/* What a visitor saw, as "name " each. */
struct seen {
	char text[512];
	struct journal *journal;
	int stop_after;
};

static int
see_key(void *ctx, const struct key_row *row)
{
	struct seen *seen = ctx;

	strcat(seen->text, row->name);
	strcat(seen->text, " ");
	return --seen->stop_after == 0 ? ca_error(CA_R_INTERRUPTED, "x") : 0;
}

/* A visitor may append: what destroys the keys of a refused run does. */
static int
destroy_key(void *ctx, const struct key_row *row)
{
	struct seen *seen = ctx;
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);

	strcat(seen->text, row->name);
	return append_(seen->journal, ENTRY_KEY_DESTROYED,
	    data_key_destroyed(row->run, row->name, id));
}

static void
test_each_key(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .journal = f->journal };
	bool found;
	struct key_row row = { 0 };

	add(f, ENTRY_KEY_INTENT, data_key_intent("init", "z", "01"));
	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "y", "02"));
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "x", "03"));
	assert_ok(journal_each_key(f->journal, NULL, see_key, &seen));
	assert_string_equal(seen.text, "z y x ");
	seen.text[0] = '\0';
	assert_ok(journal_each_key(f->journal, RUN_A, see_key, &seen));
	assert_string_equal(seen.text, "y x ");
	seen.text[0] = '\0';
	seen.stop_after = 1;
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_key(f->journal, NULL, see_key, &seen));
	assert_string_equal(seen.text, "z ");
	seen.text[0] = '\0';
	assert_ok(journal_each_key(f->journal, RUN_A, destroy_key, &seen));
	assert_string_equal(seen.text, "yx");
	assert_ok(journal_key(f->journal, "x", &found, &row));
	assert_false(found);
	assert_ok(journal_key(f->journal, "z", &found, &row));
	assert_true(found);
	key_row_clear(&row);
}

/* ---- runs ------------------------------------------------------------- */

static void
test_runs(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = true;

	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_false(found);
	open_run(f, RUN_A, "annual");
	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_A);
	assert_string_equal(row.plan, "annual");
	assert_string_equal(row.manifest, hex64(7));
	assert_string_equal(row.directory, "p-00000007");
	assert_true(row.open);
	assert_false(row.refused || row.acted || row.abandoned);
	assert_false(row.unattended);
	assert_string_equal(row.set, SET_A);
	assert_null(row.abandons);
	assert_int_equal(row.lists, 1);
	run_row_clear(&row);
	assert_ok(journal_run(f->journal, RUN_A, &found, &row));
	assert_true(found);
	assert_string_equal(row.plan, "annual");
	run_row_clear(&row);
	assert_ok(journal_run(f->journal, RUN_B, &found, &row));
	assert_false(found);
	add(f, ENTRY_RESUMED, data_resumed(RUN_A));
	add(f, ENTRY_LIST, data_list(RUN_A, 1));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_false(found);
	assert_ok(journal_run_of_plan(f->journal, "annual", &found, &row));
	assert_true(found);
	assert_false(row.open);
	assert_int_equal(row.lists, 2);
	run_row_clear(&row);
	assert_ok(journal_run_of_plan(f->journal, "other", &found, &row));
	assert_false(found);
	add(f, ENTRY_PLAN,
	    with(data_plan(RUN_B, "monthly"), "unattended", json_true()));
	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_true(found && row.unattended);
}

/* Whatever keys and sets there are, init may still change them. */
static void
test_run_before_ready(void **state)
{
	struct fixture *f = *state;

	want_set(f);
	assert_refused_naming(CA_R_INTERNAL, "before the authority is ready",
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_A, "p")));
	assert_ok(append_(f->journal, ENTRY_TOKEN, data_token()));
	assert_refused_naming(CA_R_INTERNAL, "before the authority is ready",
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_A, "p")));
	assert_ok(append_(f->journal, ENTRY_STATE, data_ready()));
	assert_ok(append_(f->journal, ENTRY_PLAN, data_plan(RUN_A, "p")));
}

static void
test_runs_refused(void **state)
{
	struct fixture *f = *state;

	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_LIST, data_list(RUN_A, 0));
	refuse(f, CA_R_INTERNAL, ENTRY_RESUMED, data_resumed(RUN_A));
	refuse(f, CA_R_INTERNAL, ENTRY_REFUSED, data_refused(RUN_A));
	assert_refused(CA_R_INTERNAL,
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_A, "p"))); /* set */
	want_set(f);
	refuse(f, CA_R_INTERNAL, ENTRY_PLAN,
	    with(data_plan(RUN_A, "p"), "set", json_string(SET_B)));
	add(f, ENTRY_PLAN, data_plan(RUN_A, "p"));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_plan(RUN_B, "q")); /* open */
	refuse(f, CA_R_INTERNAL, ENTRY_LIST, data_list(RUN_A, 1));
	add(f, ENTRY_LIST, data_list(RUN_A, 0));
	refuse(f, CA_R_INTERNAL, ENTRY_LIST, data_list(RUN_A, 0));
	refuse(f, CA_R_INTERNAL, ENTRY_LIST, data_list(RUN_B, 1));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "perhaps"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_plan(RUN_A, "q")); /* nonce */
	refuse(f, CA_R_EXISTS, ENTRY_PLAN, data_plan(RUN_B, "p")); /* plan */
	add(f, ENTRY_PLAN, data_plan(RUN_B, "q"));
}

static void
test_refused_run(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "k", ID_1));
	add(f, ENTRY_REFUSED, data_refused(RUN_A));
	assert_ok(journal_open_run(f->journal, &found, &row));
	assert_true(found && row.open && row.refused);
	run_row_clear(&row);
	/* the key is neither live nor destroyed */
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "refused"));
	add(f, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_A, "k", ID_1));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "refused"));
	assert_ok(journal_run_of_plan(f->journal, "p", &found, &row));
	assert_true(found && !row.open && row.refused);
}

/* ---- objects ---------------------------------------------------------- */

static void
test_certificate(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	char sha[HASH_HEX_SIZE];
	size_t len;
	bool found = true, used = true;

	open_run(f, RUN_A, "p");
	assert_ok(journal_serial_used(f->journal, hex64(1), "01", &used));
	assert_false(used);
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 3, "c", hex64(1), "01", hex64(2)));
	assert_ok(journal_object(f->journal, "certificate", "c", &found, &row));
	assert_false(found);
	assert_ok(journal_serial_used(f->journal, hex64(1), "01", &used));
	assert_true(used);
	assert_ok(journal_serial_used(f->journal, hex64(5), "01", &used));
	assert_false(used);
	assert_ok(journal_spki_used(f->journal, hex64(2), &used));
	assert_true(used);
	assert_ok(journal_spki_used(f->journal, hex64(3), &used));
	assert_false(used);

	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 3, "c", sha));
	assert_ok(journal_object(f->journal, "certificate", "c", &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_A);
	assert_int_equal(row.list, 0);
	assert_int_equal(row.object, 3);
	assert_string_equal(row.kind, "certificate");
	assert_string_equal(row.name, "c");
	assert_int_equal(row.state, OBJECT_SIGNED);
	assert_false(row.adopted);
	assert_string_equal(row.issuer, "root-g1");
	assert_string_equal(row.issuer_dn, hex64(1));
	assert_string_equal(row.subject_dn, hex64(22));
	assert_string_equal(row.serial, "01");
	assert_string_equal(row.spki, hex64(2));
	assert_string_equal(row.key, hex64(20));
	assert_string_equal(row.certificate_kind, "subordinate");
	assert_string_equal(row.profile, "issuing-ca");
	assert_true(row.from == 1795176000);
	assert_true(row.until == 1826712000);
	assert_true(row.ca);
	assert_string_equal(row.tbs, hex64(21));
	assert_string_equal(row.sha256, sha);
	assert_ok(journal_object_bytes(f->journal, &row, &der, &len));
	assert_int_equal(len, 10);
	assert_memory_equal(der, "evidence 1", 10);
	object_row_clear(&row);
	assert_ok(journal_certificate_by_serial(
	    f->journal, hex64(1), "01", &found, &row));
	assert_true(found);
	object_row_clear(&row);
	assert_ok(journal_certificate_by_serial(
	    f->journal, hex64(1), "02", &found, &row));
	assert_false(found);
	assert_ok(journal_object(f->journal, "crl", "c", &found, &row));
	assert_false(found);
}

static void
test_csr(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	char sha[HASH_HEX_SIZE];
	size_t len;
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "c"));
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 1, "d")); /* no serial: fine */
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", sha));
	assert_ok(journal_object(f->journal, "csr", "c", &found, &row));
	assert_true(found);
	assert_null(row.issuer);
	assert_null(row.issuer_dn);
	assert_null(row.serial);
	assert_null(row.spki);
	assert_null(row.profile);
	object_row_clear(&row);
	row.name = text_copy("d");
	assert_refused(
	    CA_R_STATE, journal_object_bytes(f->journal, &row, &der, &len));
}

static void
test_objects_refused(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE];

	refuse(f, CA_R_INTERNAL, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "c"));
	want_set(f);
	add(f, ENTRY_PLAN, data_plan(RUN_A, "p"));
	refuse(f, CA_R_INTERNAL, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "c"));
	add(f, ENTRY_LIST, data_list(RUN_A, 0));
	refuse(f, CA_R_INTERNAL, ENTRY_INTENT, data_csr(RUN_A, 1, 0, "c"));
	refuse(f, CA_R_INTERNAL, ENTRY_INTENT, data_csr(RUN_B, 0, 0, "c"));
	put_evidence(f->journal, 1, sha);
	refuse(f, CA_R_INTERNAL, ENTRY_RESULT,
	    data_result(RUN_A, 0, 0, "c", sha)); /* no intent */
	refuse(f, CA_R_INTERNAL, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_csr(RUN_A, 0, 0, "d")); /* object 0 of list 0 */
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_certificate(
		RUN_A, 0, 1, "c", hex64(1), "02", hex64(3))); /* name */
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_certificate(
		RUN_A, 0, 1, "d", hex64(1), "01", hex64(3))); /* serial */
	add(f, ENTRY_INTENT, /* another issuer's, another kind's */
	    data_certificate(RUN_A, 0, 1, "d", hex64(4), "01", hex64(3)));
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 2, "c"));
	refuse(f, CA_R_INTERNAL, ENTRY_RESULT,
	    data_result(RUN_A, 0, 0, "d", sha)); /* another name */
	refuse(f, CA_R_INTERNAL, ENTRY_RESULT,
	    data_result(RUN_A, 0, 0, "c", hex64(99))); /* no evidence */
	refuse(
	    f, CA_R_INTERNAL, ENTRY_RESULT, data_result(RUN_B, 0, 0, "c", sha));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", sha));
	refuse(
	    f, CA_R_EXISTS, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", sha));
	refuse(f, CA_R_EXISTS, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	refuse(f, CA_R_INTERNAL, ENTRY_CLOSE, data_close(RUN_A, "done"));
}

/* Possibly signed: the name is free again, serial and number are spent. */
static void
test_failed(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	uint64_t number;
	bool found, used;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	add(f, ENTRY_INTENT, data_crl(RUN_A, 0, 1, "l", hex64(1), "7"));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 1, "l"));
	put_evidence(f->journal, 1, sha);
	refuse(
	    f, CA_R_EXISTS, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", sha));
	assert_ok(journal_object(f->journal, "certificate", "c", &found, &row));
	assert_false(found);
	assert_ok(journal_serial_used(f->journal, hex64(1), "01", &used));
	assert_true(used);
	assert_ok(journal_spki_used(f->journal, hex64(2), &used));
	assert_false(used);
	assert_ok(journal_crl_next_number(f->journal, hex64(1), &number));
	assert_int_equal(number, 8);
	add(f, ENTRY_LIST, data_list(RUN_A, 1));
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_certificate(RUN_A, 1, 0, "c", hex64(1), "01", hex64(2)));
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_crl(RUN_A, 1, 1, "l", hex64(1), "7"));
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 1, 0, "c", hex64(1), "02", hex64(2)));
	add(f, ENTRY_INTENT, data_crl(RUN_A, 1, 1, "l", hex64(1), "8"));
}

static void
test_crls(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	uint64_t number = 0;
	bool found = true;

	open_run(f, RUN_A, "p");
	assert_ok(journal_crl_next_number(f->journal, hex64(1), &number));
	assert_int_equal(number, 1);
	assert_ok(journal_crl_last(f->journal, hex64(1), &found, &row));
	assert_false(found);
	add(f, ENTRY_INTENT, data_crl(RUN_A, 0, 0, "a", hex64(1), "1"));
	add(f, ENTRY_INTENT, data_crl(RUN_A, 0, 1, "b", hex64(1), "1048577"));
	add(f, ENTRY_INTENT, data_crl(RUN_A, 0, 2, "c", hex64(2), "1"));
	refuse(f, CA_R_EXISTS, ENTRY_INTENT,
	    data_crl(RUN_A, 0, 3, "d", hex64(1), "1048577"));
	assert_ok(journal_crl_next_number(f->journal, hex64(1), &number));
	assert_int_equal(number, 1048578);
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "a", sha));
	assert_ok(journal_crl_last(f->journal, hex64(1), &found, &row));
	assert_true(found);
	assert_string_equal(row.name, "a");
	assert_int_equal(row.number, 1);
	assert_true(row.from == 1795176000 && row.until == 1826712000);
	object_row_clear(&row);
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 1, "b", sha));
	assert_ok(journal_crl_last(f->journal, hex64(1), &found, &row));
	assert_string_equal(row.name, "b");
	assert_int_equal(row.number, 1048577);
	add(f, ENTRY_INTENT,
	    data_crl(RUN_A, 0, 3, "d", hex64(1), "9223372036854775807"));
	assert_refused(CA_R_POLICY,
	    journal_crl_next_number(f->journal, hex64(1), &number));
	refuse(f, CA_R_INTERNAL, ENTRY_INTENT,
	    data_crl(RUN_A, 0, 4, "e", hex64(1), "9223372036854775808"));
}

static void
test_adopted(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(object_row) row = { 0 };
	char sha[HASH_HEX_SIZE];
	bool found, used;

	refuse(f, CA_R_INTERNAL, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "05", hex64(2), hex64(9)));
	open_run(f, RUN_A, "p");
	refuse(f, CA_R_INTERNAL, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "05", hex64(2), hex64(9)));
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "05", hex64(2), sha));
	assert_ok(journal_object(f->journal, "certificate", "a", &found, &row));
	assert_true(found && row.adopted && !row.ca);
	assert_int_equal(row.state, OBJECT_SIGNED);
	assert_null(row.issuer);
	assert_null(row.key);
	assert_null(row.certificate_kind);
	assert_string_equal(row.spki, hex64(2));
	assert_string_equal(row.sha256, sha);
	object_row_clear(&row);
	assert_ok(journal_certificate_by_serial(
	    f->journal, hex64(1), "05", &found, &row));
	assert_true(found);
	assert_ok(journal_serial_used(f->journal, hex64(1), "05", &used));
	assert_true(used);
	assert_ok(journal_spki_used(f->journal, hex64(2), &used));
	assert_true(used);
	refuse(f, CA_R_EXISTS, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "a", hex64(1), "06", hex64(3), sha));
	refuse(f, CA_R_EXISTS, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "b", hex64(1), "05", hex64(3), sha));
	add(f, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "b", hex64(1), "06", hex64(3), sha));
}

static int
see_object(void *ctx, const struct object_row *row)
{
	struct seen *seen = ctx;

	strcat(seen->text, row->name);
	strcat(seen->text, row->adopted ? "* " : " ");
	return --seen->stop_after == 0 ? ca_error(CA_R_INTERRUPTED, "x") : 0;
}

static void
see_objects(
    struct fixture *f, const char *run, const char *kind, const char *expected)
{
	struct seen seen = { .stop_after = -1 };

	assert_ok(
	    journal_each_object(f->journal, run, kind, see_object, &seen));
	assert_string_equal(seen.text, expected);
}

static void
test_each_object(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .stop_after = 2 };
	char sha[HASH_HEX_SIZE];

	open_run(f, RUN_A, "p");
	put_evidence(f->journal, 1, sha);
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 1, "z", hex64(1), "01", hex64(2)));
	add(f, ENTRY_INTENT, data_crl(RUN_A, 0, 0, "y", hex64(1), "1"));
	add(f, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "x", hex64(1), "05", hex64(2), sha));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 1, "z", sha));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "y"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	open_run(f, RUN_B, "q");
	add(f, ENTRY_INTENT, data_csr(RUN_B, 0, 0, "w"));
	see_objects(f, NULL, NULL, "z y x* w ");
	see_objects(f, RUN_A, NULL, "z y x* ");
	see_objects(f, NULL, "certificate", "z x* ");
	see_objects(f, RUN_B, "certificate", "");
	see_objects(f, RUN_B, "csr", "w ");
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_object(f->journal, NULL, NULL, see_object, &seen));
	assert_string_equal(seen.text, "z y ");
}

/* ---- revocations ------------------------------------------------------ */

static int
see_revocation(void *ctx, const struct revocation_row *row)
{
	struct seen *seen = ctx;

	assert_true(row->date == 1795176000);
	assert_string_equal(row->reason, "keyCompromise");
	strcat(seen->text, row->serial);
	strcat(seen->text, " ");
	return --seen->stop_after == 0 ? ca_error(CA_R_INTERRUPTED, "x") : 0;
}

static void
test_revocations(void **state)
{
	static const char *const serials[] = { "00ff", "7f", "0100", "01",
		"00a000000000000000000000000000000000000001", "0080", "7fff" };
	struct fixture *f = *state;
	struct seen seen = { .stop_after = -1 };
	uint64_t count = 9;
	bool found = true;

	refuse(f, CA_R_INTERNAL, ENTRY_REVOKED,
	    data_revoked(RUN_A, hex64(1), "01"));
	open_run(f, RUN_A, "p");
	assert_ok(journal_revocation_count(f->journal, hex64(1), &count));
	assert_int_equal(count, 0);
	for (size_t i = 0; i < sizeof serials / sizeof serials[0]; i++)
		add(f, ENTRY_REVOKED,
		    data_revoked(RUN_A, hex64(1), serials[i]));
	add(f, ENTRY_REVOKED, data_revoked(RUN_A, hex64(2), "01"));
	refuse(f, CA_R_EXISTS, ENTRY_REVOKED,
	    data_revoked(RUN_A, hex64(1), "00ff"));
	assert_ok(journal_each_revocation(
	    f->journal, hex64(1), see_revocation, &seen));
	assert_string_equal(seen.text,
	    "01 7f 0080 00ff 0100 7fff "
	    "00a000000000000000000000000000000000000001 ");
	assert_ok(journal_revocation_count(f->journal, hex64(1), &count));
	assert_int_equal(count, 7);
	assert_ok(journal_revocation(f->journal, hex64(1), "0080", &found));
	assert_true(found);
	assert_ok(journal_revocation(f->journal, hex64(2), "0080", &found));
	assert_false(found);
	seen = (struct seen){ .stop_after = 2 };
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_revocation(
		f->journal, hex64(1), see_revocation, &seen));
	assert_string_equal(seen.text, "01 7f ");
}

/* ---- entries, checkpoints --------------------------------------------- */

static int
see_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct seen *seen = ctx;
	char text[16];

	assert_int_equal(strlen(line), len);
	(void)snprintf(text, sizeof text, "%llu ", (unsigned long long)seq);
	strcat(seen->text, text);
	return --seen->stop_after == 0 ? ca_error(CA_R_INTERRUPTED, "x") : 0;
}

static void
see_entries(struct fixture *f, uint64_t first, enum entry_kind kind,
    const char *expected)
{
	struct seen seen = { .stop_after = -1 };

	assert_ok(
	    journal_each_entry(f->journal, first, kind, see_entry, &seen));
	assert_string_equal(seen.text, expected);
}

static void
test_each_entry(void **state)
{
	struct fixture *f = *state;
	struct seen seen = { .stop_after = 2 };

	add(f, ENTRY_EVENT, data_event("1"));
	add(f, ENTRY_CONFIG, json_pack("{s:s}", "sha256", hex64(1)));
	add(f, ENTRY_EVENT, data_event("3"));
	see_entries(f, 0, ENTRY_KINDS, "0 1 2 3 ");
	see_entries(f, 2, ENTRY_KINDS, "2 3 ");
	see_entries(f, 4, ENTRY_KINDS, "");
	see_entries(f, 0, ENTRY_EVENT, "1 3 ");
	see_entries(f, 2, ENTRY_EVENT, "3 ");
	see_entries(f, 0, ENTRY_CLOSE, "");
	assert_refused(CA_R_INTERRUPTED,
	    journal_each_entry(f->journal, 1, ENTRY_KINDS, see_entry, &seen));
	assert_string_equal(seen.text, "1 2 ");
}

static json_t *
data_checkpoint(struct fixture *f, const char *note, int over)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size;

	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	return json_pack("{s:I,s:s,s:s}", "size", (json_int_t)size + over,
	    "root", hex, "note", note);
}

static void
test_checkpoints(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(note) = NULL;
	json_t *earlier, *wrong;
	bool found;

	add(f, ENTRY_EVENT, data_event("x"));
	earlier = data_checkpoint(f, "first\n", 0);
	wrong = json_deep_copy(earlier);
	json_object_set_new(wrong, "root", json_string(hex64(0)));
	refuse(f, CA_R_INTERNAL, ENTRY_CHECKPOINT, wrong);
	refuse(f, CA_R_INTERNAL, ENTRY_CHECKPOINT,
	    data_checkpoint(f, "x", 1)); /* of entries that are not there */
	refuse(f, CA_R_INTERNAL, ENTRY_CHECKPOINT,
	    data_checkpoint(f, "x", -1)); /* the root of another size */
	add(f, ENTRY_EVENT, data_event("y"));
	add(f, ENTRY_CHECKPOINT, earlier); /* an older size is no lie */
	add(f, ENTRY_CHECKPOINT, data_checkpoint(f, "second\n", 0));
	assert_ok(journal_last_checkpoint(f->journal, &found, &note));
	assert_true(found);
	assert_string_equal(note, "second\n");
}

/* A closed run waits for a checkpoint that counts its close. */
static void
test_receipt(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(run_row) row = { 0 };
	json_t *before_close;
	bool found = true;

	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_false(found);
	open_run(f, RUN_A, "p");
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_false(found);
	before_close = data_checkpoint(f, "n\n", 0);
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	add(f, ENTRY_CHECKPOINT, before_close);
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_A);
	run_row_clear(&row);
	add(f, ENTRY_CHECKPOINT, data_checkpoint(f, "n\n", 0));
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_false(found);
	/* the same when made anew, whatever came later */
	open_run(f, RUN_B, "q");
	add(f, ENTRY_CLOSE, data_close(RUN_B, "done"));
	assert_ok(journal_rebuild(f->journal));
	assert_ok(journal_run_without_receipt(f->journal, &found, &row));
	assert_true(found);
	assert_string_equal(row.run, RUN_B);
}

/* The roots of all earlier sizes, and none of a later one. */
static void
test_root_at(void **state)
{
	struct fixture *f = *state;
	unsigned char roots[20][HASH_LEN], root[HASH_LEN];
	uint64_t size;

	for (unsigned n = 1; n < 20; n++) {
		assert_ok(journal_head(f->journal, &size, roots[n]));
		assert_int_equal(size, n);
		add(f, ENTRY_EVENT, data_event("x"));
	}
	for (unsigned n = 1; n < 20; n++) {
		assert_ok(journal_root_at(f->journal, n, root));
		assert_memory_equal(root, roots[n], HASH_LEN);
	}
	assert_ok(journal_root_at(f->journal, 20, root));
	assert_refused(CA_R_VERIFY, journal_root_at(f->journal, 21, root));
}

/* ---- rebuilding ------------------------------------------------------- */

/* A random walk through all that may happen; steps may be refused. */
struct walk {
	struct fixture *f;
	unsigned random, run, plan, lists, object, sets;
	bool open, begun;
	char nonce[33];
	char set[33], next[33]; /* in force; being enrolled, or begun */
	unsigned accepted[ENTRY_KINDS], accepted_abandoned, refused;
};

static unsigned
draw(struct walk *walk, unsigned below)
{
	walk->random = walk->random * 1103515245u + 12345u;
	return (walk->random >> 12) % below;
}

static const char *
name_of(unsigned n, const char *prefix)
{
	static char names[4][32];
	static unsigned next;
	char *name = names[next++ % 4];

	(void)snprintf(name, sizeof names[0], "%s%04x", prefix, n);
	return name;
}

static void
try_entry(struct walk *walk, enum entry_kind kind, json_t *data)
{
	ca_error_clear();
	if (append_(walk->f->journal, kind, data) == 0) {
		walk->accepted[kind]++;
		return;
	}
	assert_true(ca_error_reason() == CA_R_EXISTS ||
	    ca_error_reason() == CA_R_INTERNAL);
	walk->refused++;
}

static int
fail_pending(void *ctx, const struct object_row *row)
{
	struct walk *walk = ctx;

	if (row->state == OBJECT_INTENDED)
		try_entry(walk, ENTRY_FAILED,
		    data_failed(
			row->run, (int)row->list, (int)row->object, row->name));
	return 0;
}

static int
destroy_pending(void *ctx, const struct key_row *row)
{
	struct walk *walk = ctx;
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);

	if (row->state == KEY_INTENDED)
		try_entry(walk, ENTRY_KEY_DESTROYED,
		    data_key_destroyed(row->run, row->name, id));
	return 0;
}

static void
settle(struct walk *walk, const char *run)
{
	assert_ok(journal_each_object(
	    walk->f->journal, run, NULL, fail_pending, walk));
	assert_ok(
	    journal_each_key(walk->f->journal, run, destroy_pending, walk));
}

/* The reshare is over, or given up where no PIN has moved. */
static void
end_reshare(struct walk *walk, const char *run, bool over)
{
	enum pin_stage stage;
	char sha[HASH_HEX_SIZE];

	if (!walk->begun)
		return;
	put_evidence(walk->f->journal, 901, sha);
	assert_ok(journal_pin_stage(walk->f->journal, run, "so", &stage));
	if (stage == PIN_INTENDED)
		try_entry(walk, ENTRY_PIN_CHANGE,
		    data_pin_change(run, walk->next, "so", "done"));
	if (stage != PIN_UNTOUCHED) {
		try_entry(walk, ENTRY_PIN_CHANGE,
		    data_pin_change(run, walk->next, "user", "intent"));
		try_entry(walk, ENTRY_PIN_CHANGE,
		    data_pin_change(run, walk->next, "user", "done"));
	}
	over = over && (stage != PIN_UNTOUCHED || draw(walk, 2) == 0);
	try_entry(walk, ENTRY_QUORUM,
	    data_quorum(
		walk->next, over ? "active" : "undone", sha, walk->set, run));
	if (over)
		memcpy(walk->set, walk->next, sizeof walk->set);
	walk->begun = false;
}

static void
walk_open(struct walk *walk, const char *abandons)
{
	json_t *data;

	(void)snprintf(walk->nonce, sizeof walk->nonce, "%032x", walk->run++);
	data = data_plan(walk->nonce, name_of(walk->plan++, "plan"));
	json_object_set_new(data, "set", json_string(walk->set));
	if (abandons != NULL)
		json_object_set_new(data, "abandons", json_string(abandons));
	try_entry(walk, ENTRY_PLAN, data);
	try_entry(walk, ENTRY_LIST, data_list(walk->nonce, 0));
	walk->lists = 1;
	walk->open = true;
}

/* Another run ends the one that is open, and goes on in its place. */
static void
walk_abandon(struct walk *walk)
{
	char nonce[sizeof walk->nonce];
	enum pin_stage stage;

	memcpy(nonce, walk->nonce, sizeof nonce);
	assert_ok(journal_pin_stage(walk->f->journal, nonce, "so", &stage));
	if (walk->begun && stage != PIN_UNTOUCHED)
		return;
	walk_open(walk, nonce);
	settle(walk, nonce);
	try_entry(walk, ENTRY_RESULT, data_result(nonce, 0, 0, "x", hex64(1)));
	end_reshare(walk, nonce, false);
	walk->accepted_abandoned -= walk->accepted[ENTRY_CLOSE];
	try_entry(walk, ENTRY_CLOSE, data_close(nonce, "abandoned"));
	walk->accepted_abandoned += walk->accepted[ENTRY_CLOSE];
}

static void
walk_run(struct walk *walk)
{
	if (!walk->open) {
		walk_open(walk, NULL);
	} else if (draw(walk, 8) == 0) {
		walk_abandon(walk);
	} else if (draw(walk, 4) == 0) {
		bool refused = draw(walk, 3) == 0;

		if (refused)
			try_entry(
			    walk, ENTRY_REFUSED, data_refused(walk->nonce));
		settle(walk, walk->nonce);
		end_reshare(walk, walk->nonce, true);
		try_entry(walk, ENTRY_CLOSE,
		    data_close(walk->nonce, refused ? "refused" : "done"));
		walk->open = false;
	} else {
		try_entry(walk, ENTRY_RESUMED, data_resumed(walk->nonce));
		try_entry(walk, ENTRY_LIST,
		    data_list(walk->nonce, (int)walk->lists++));
	}
}

static void
walk_key(struct walk *walk)
{
	unsigned n = walk->run * 16 + draw(walk, 6);
	const char *name = name_of(n % 64, "key");
	const char *id = name_of(n, "");

	switch (draw(walk, 3)) {
	case 0:
		try_entry(walk, ENTRY_KEY_INTENT,
		    data_key_intent(walk->nonce, name, id));
		break;
	case 1:
		try_entry(walk, ENTRY_KEY,
		    data_key(walk->nonce, name, id, name_of(n, "30")));
		break;
	default:
		try_entry(walk, ENTRY_KEY_DESTROYED,
		    data_key_destroyed(walk->nonce, name, id));
	}
}

static const char *
object_name(struct walk *walk, int list, int object)
{
	return name_of(
	    walk->run * 4096 + (unsigned)list * 12 + (unsigned)object, "o");
}

static void
walk_intent(struct walk *walk)
{
	int list = (int)draw(walk, walk->lists + 1);
	int object = (int)draw(walk, 12);
	const char *name = object_name(walk, list, object);
	char number[12];

	(void)snprintf(number, sizeof number, "%u", draw(walk, 500));
	switch (draw(walk, 3)) {
	case 0:
		try_entry(walk, ENTRY_INTENT,
		    data_certificate(walk->nonce, list, object, name,
			hex64(draw(walk, 3)), name_of(draw(walk, 900), "0a"),
			hex64(draw(walk, 50))));
		break;
	case 1:
		try_entry(walk, ENTRY_INTENT,
		    data_crl(walk->nonce, list, object, name,
			hex64(draw(walk, 3)), number));
		break;
	default:
		try_entry(walk, ENTRY_INTENT,
		    data_csr(walk->nonce, list, object, name));
	}
}

static void
walk_answer(struct walk *walk)
{
	int list = (int)draw(walk, walk->lists);
	int object = (int)draw(walk, 12);
	const char *name = object_name(walk, list, object);
	char sha[HASH_HEX_SIZE];

	put_evidence(walk->f->journal, draw(walk, 30), sha);
	if (draw(walk, 3) == 0)
		try_entry(walk, ENTRY_FAILED,
		    data_failed(walk->nonce, list, object, name));
	else
		try_entry(walk, ENTRY_RESULT,
		    data_result(walk->nonce, list, object, name, sha));
}

static void
walk_rest(struct walk *walk)
{
	char sha[HASH_HEX_SIZE];

	put_evidence(walk->f->journal, draw(walk, 30), sha);
	try_entry(walk, ENTRY_REVOKED,
	    data_revoked(walk->nonce, hex64(draw(walk, 3)),
		name_of(draw(walk, 200), "0b")));
	try_entry(walk, ENTRY_ADOPTED,
	    data_adopted(walk->nonce, name_of(draw(walk, 60), "a"),
		hex64(draw(walk, 3)), name_of(draw(walk, 900), "0a"),
		hex64(draw(walk, 50)), sha));
	try_entry(walk, ENTRY_CONFIG,
	    json_pack("{s:s,s:s}", "sha256", hex64(draw(walk, 9)), "run",
		walk->nonce));
	try_entry(walk, ENTRY_TOKEN,
	    with(data_token(), "run", json_string(walk->nonce)));
	try_entry(walk, ENTRY_CLOCK, data_clock(walk->nonce, DATE_A));
	try_entry(walk, ENTRY_CHECKPOINT, data_checkpoint(walk->f, "n\n", 0));
	try_entry(walk, ENTRY_EVENT, data_event("walked"));
}

static void
walk_profile(struct walk *walk)
{
	const char *name = name_of(draw(walk, 9), "profile");

	if (draw(walk, 3) == 0)
		try_entry(walk, ENTRY_PROFILE,
		    data_profile_removed(walk->nonce, name, hex64(1)));
	else
		try_entry(walk, ENTRY_PROFILE,
		    data_profile(walk->nonce, name, hex64(draw(walk, 9))));
}

static void
walk_statement(struct walk *walk)
{
	static const char *const names[] = { "alice", "bob", "carol", "wendy" };
	const char *name = names[draw(walk, 4)];
	char sha[HASH_HEX_SIZE];

	put_evidence(walk->f->journal, draw(walk, 30), sha);
	try_entry(walk, ENTRY_APPROVAL,
	    data_approval(walk->nonce, name, walk->set, sha));
	try_entry(walk, ENTRY_CONFIRMATION,
	    data_confirmation(walk->nonce, (int)draw(walk, walk->lists + 1),
		name, walk->set, sha));
	try_entry(walk, ENTRY_ANCHOR, data_anchor(walk->set, name, sha));
}

/* A step of a reshare. */
static void
walk_reshare(struct walk *walk)
{
	char sha[HASH_HEX_SIZE];

	put_evidence(walk->f->journal, 901, sha);
	if (draw(walk, 8) == 0 && !walk->begun) {
		(void)snprintf(
		    walk->next, sizeof walk->next, "%032x", ++walk->sets);
		put_people(walk->f->journal, walk->next);
		walk->accepted[ENTRY_ENROLMENT] += 4;
		try_entry(walk, ENTRY_QUORUM,
		    data_quorum(
			walk->next, "begun", sha, walk->set, walk->nonce));
		walk->begun = true; /* a run is open, and no other has */
	} else if (walk->begun) {
		try_entry(walk, ENTRY_PIN_CHANGE,
		    data_pin_change(walk->nonce, walk->next, "so",
			draw(walk, 2) == 0 ? "intent" : "done"));
	}
}

static void
walk_on(struct walk *walk, unsigned steps)
{
	static void (*const ways[])(struct walk * walk) = { walk_key, walk_key,
		walk_intent, walk_intent, walk_intent, walk_answer, walk_answer,
		walk_answer, walk_rest, walk_profile, walk_statement,
		walk_reshare };

	for (unsigned i = 0; i < steps; i++) {
		if (!walk->open || draw(walk, 25) == 0)
			walk_run(walk);
		if (walk->open)
			ways[draw(walk, sizeof ways / sizeof ways[0])](walk);
	}
	ca_error_clear();
}

static void
test_rebuild(void **state)
{
	struct fixture *f = *state;
	struct walk walk = { .f = f, .random = 20261120, .set = SET_A };
	unsigned char before[HASH_LEN], after[HASH_LEN], changed[HASH_LEN];
	static const enum entry_kind walked[] = { ENTRY_KEY_INTENT, ENTRY_KEY,
		ENTRY_KEY_DESTROYED, ENTRY_PLAN, ENTRY_LIST, ENTRY_INTENT,
		ENTRY_RESULT, ENTRY_FAILED, ENTRY_REVOKED, ENTRY_ADOPTED,
		ENTRY_REFUSED, ENTRY_RESUMED, ENTRY_CLOSE, ENTRY_CHECKPOINT,
		ENTRY_CONFIG, ENTRY_TOKEN, ENTRY_CLOCK, ENTRY_PROFILE,
		ENTRY_APPROVAL, ENTRY_CONFIRMATION, ENTRY_ANCHOR,
		ENTRY_ENROLMENT, ENTRY_QUORUM, ENTRY_PIN_CHANGE };

	want_set(f);
	add(f, ENTRY_TOKEN, data_token());
	add(f, ENTRY_STATE, data_ready());
	/* fast, and what is refused here may roll back nothing else */
	assert_ok(sql_script(f->journal, "PRAGMA synchronous = OFF"));
	walk_on(&walk, 6000);
	for (size_t i = 0; i < sizeof walked / sizeof walked[0]; i++)
		if (walk.accepted[walked[i]] < 10)
			fail_msg("%s: only %u", entry_kind_name(walked[i]),
			    walk.accepted[walked[i]]);
	assert_true(walk.refused > 100);
	assert_true(walk.accepted_abandoned >= 10);
	print_message("%u intents, %u results, %u refused\n",
	    walk.accepted[ENTRY_INTENT], walk.accepted[ENTRY_RESULT],
	    walk.refused);
	digest_derived(f->journal, before);
	assert_ok(journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
	/* and from damaged tables too: the digest does see a change */
	assert_ok(sql_script(f->journal,
	    "UPDATE objects SET name = 'forged' WHERE seq ="
	    " (SELECT MIN(seq) FROM objects);"
	    "DELETE FROM revocations; UPDATE keys SET purpose = 'ocsp'"));
	digest_derived(f->journal, changed);
	assert_memory_not_equal(before, changed, HASH_LEN);
	assert_ok(journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* Entries that contradict each other do not rebuild; nothing is changed. */
static void
test_rebuild_refused(void **state)
{
	struct fixture *f = *state;
	unsigned char before[HASH_LEN], after[HASH_LEN];

	open_run(f, RUN_A, "p");
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	digest_derived(f->journal, before);
	assert_ok(sql_script(f->journal,
	    "UPDATE entries SET body = replace(CAST(body AS TEXT),"
	    " 'x', 'x') WHERE seq < 0;"
	    "UPDATE entries SET body = (SELECT body FROM entries WHERE seq = 3)"
	    " WHERE seq = 2"));
	assert_refused(CA_R_CORRUPT, journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
	assert_ok(sql_script(
	    f->journal, "UPDATE entries SET body = x'7b7d' WHERE seq = 2"));
	assert_refused(CA_R_CORRUPT, journal_rebuild(f->journal));
	digest_derived(f->journal, after);
	assert_memory_equal(before, after, HASH_LEN);
}

/* The message says what is taken and what to do. */
static void
test_messages(void **state)
{
	struct fixture *f = *state;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT,
	    data_certificate(RUN_A, 0, 0, "c", hex64(1), "01", hex64(2)));
	assert_refused_naming(CA_R_EXISTS, "'c': an object of this kind",
	    append_(f->journal, ENTRY_INTENT,
		data_certificate(RUN_A, 0, 1, "c", hex64(1), "02", hex64(2))));
	assert_refused_naming(CA_R_EXISTS, "has used this serial",
	    append_(f->journal, ENTRY_INTENT,
		data_certificate(RUN_A, 0, 1, "d", hex64(1), "01", hex64(2))));
	assert_refused_naming(CA_R_EXISTS, "another run is open",
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_B, "q")));
	assert_refused_naming(CA_R_EXISTS, "has an intent already",
	    append_(f->journal, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "x")));
	add(f, ENTRY_FAILED, data_failed(RUN_A, 0, 0, "c"));
	add(f, ENTRY_CLOSE, data_close(RUN_A, "done"));
	assert_refused_naming(CA_R_EXISTS, "'p': this plan was run already",
	    append_(f->journal, ENTRY_PLAN, data_plan(RUN_B, "p")));
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_authority),
		TEST(test_genesis_leaf),
		TEST(test_authority_refused),
		cmocka_unit_test_setup_teardown(
		    test_no_entries, scratch_setup, scratch_teardown),
		TEST(test_key_life),
		TEST(test_key_refused),
		TEST(test_init_is_over),
		TEST(test_each_key),
		TEST(test_runs),
		TEST(test_run_before_ready),
		TEST(test_runs_refused),
		TEST(test_refused_run),
		TEST(test_certificate),
		TEST(test_csr),
		TEST(test_objects_refused),
		TEST(test_failed),
		TEST(test_crls),
		TEST(test_adopted),
		TEST(test_each_object),
		TEST(test_revocations),
		TEST(test_each_entry),
		TEST(test_checkpoints),
		TEST(test_receipt),
		TEST(test_root_at),
		TEST(test_rebuild),
		TEST(test_rebuild_refused),
		TEST(test_messages),
	};

	(void)umask(077);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
