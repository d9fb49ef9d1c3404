/* What begins and ends a CA without a signature: planned, listed, confirmed. */
#include "ordinary-run.h"

/* The CKA_ID of the last key that was made. */
static char id[2 * 64 + 1];

static int
find_id(void *ctx, const struct key_row *row)
{
	const char *name = ctx;
	AUTO_CHARS(hex) = text_hex(row->id, row->id_len);

	assert_non_null(hex);
	if (strcmp(row->name, name) == 0)
		(void)snprintf(id, sizeof(id), "%s", hex);
	return 0;
}

static const char *
id_of(struct cast *c, char *name)
{
	assert_ok(journal_each_key(c->journal, NULL, find_id, name));
	return id;
}

/* ---- a state, and a key that goes -------------------------------------- */

static const char ending_steps[] =
    "  - generate-key: {key: next, type: p-384, purpose: ca, backup: none}\n"
    "  - ca-state: {key: root, state: retiring, successor: next, why: old}\n"
    "  - destroy-key: {key: spare, why: not needed}\n";

static json_t *
state_data(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "subject", "ca", "state",
	    "retiring", "key", "root", "successor", "next", "why", "old");
}

static json_t *
destroyed_data(struct cast *c)
{
	char name[] = "spare";

	return json_pack("{s:s, s:s, s:s}", "name", name, "id", id_of(c, name),
	    "why", "not needed");
}

static const char first_steps[] =
    "  - generate-key: {key: root, type: p-384, purpose: ca, backup: none}\n"
    "  - generate-key: {key: spare, type: p-384, purpose: ca, backup: none}\n";

static void
ending_run(struct cast *c)
{
	struct order first = {
		.run = RUN_1, .plan = "first", .steps = first_steps
	};
	struct order order = {
		.run = RUN_2, .plan = "second", .steps = ending_steps
	};

	cast_init(c);
	cast_open(c, &first);
	cast_key(c, RUN_1, "root");
	cast_key(c, RUN_1, "spare");
	cast_list(c, &first, 0, json_array());
	cast_close(c, RUN_1, "done");
	cast_open(c, &order);
	cast_key(c, RUN_2, "next");
	cast_list(c, &order, 0,
	    json_pack("[o, o]", cast_act(0, "ca-state", state_data()),
		cast_act(1, "destroy-key", destroyed_data(c))));
	cast_add(c, ENTRY_STATE, with(state_data(), "run", json_string(RUN_2)));
	cast_add(c, ENTRY_KEY_DESTROYED,
	    with(with(destroyed_data(c), "run", json_string(RUN_2)), "objects",
		json_integer(2)));
	cast_close(c, RUN_2, "done");
}

EDIT(other_state, ENTRY_STATE, 1, with(data, "state", json_string("retired")))
EDIT(other_why, ENTRY_STATE, 1, with(data, "why", json_string("new")))
EDIT(no_successor, ENTRY_STATE, 1, with(data, "successor", json_null()))
EDIT(no_state, ENTRY_STATE, 1, without(data))
EDIT(other_reason, ENTRY_KEY_DESTROYED, 0,
    with(data, "why", json_string("spite")))
EDIT(no_destruction, ENTRY_KEY_DESTROYED, 0, without(data))

static json_t *
other_key(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	char name[] = "next";

	if (kind != ENTRY_KEY_DESTROYED || nth != 0)
		return data;
	return with(with(data, "name", json_string(name)), "id",
	    json_string(id_of(c, name)));
}

/* In whichever plan or list has it. */
#define EDIT_WHERE(name, wanted, from, to)                                     \
	static char *name(                                                     \
	    struct cast *c, const char *what, unsigned nth, const char *text)  \
	{                                                                      \
		(void)c;                                                       \
		(void)nth;                                                     \
		return strcmp(what, wanted) == 0 && strstr(text, from) != NULL \
		    ? replaced(text, from, to)                                 \
		    : NULL;                                                    \
	}

EDIT_WHERE(
    plans_no_state, "plan", "ca-state: {key: root", "ca-state: {key: next")
EDIT_WHERE(plans_other_state, "plan", "state: retiring, successor: next",
    "state: retired")
EDIT_WHERE(plans_no_destruction, "plan", "destroy-key: {key: spare",
    "destroy-key: {key: root")
EDIT_WHERE(lists_other_state, "list", "\\\"state\\\":\\\"retiring\\\"",
    "\\\"state\\\":\\\"retired\\\"")
EDIT_WHERE(lists_other_key, "list", "\\\"name\\\":\\\"spare\\\"",
    "\\\"name\\\":\\\"root\\\"")

static const struct forgery of_ending[] = {
	{ "another state", NULL, other_state, NULL, "AUDIT-ACT", "state",
	    "no list" },
	{ "another state than planned", NULL, other_state, NULL, "AUDIT-ACT",
	    "state", "'ca-state'" },
	{ "another reason", NULL, other_why, NULL, "AUDIT-ACT", "state",
	    "no list" },
	{ "without the successor", NULL, no_successor, NULL, "AUDIT-ACT",
	    "state", "no list" },
	{ "no state", NULL, no_state, NULL, "AUDIT-ACT", "close", "not done" },
	{ "the plan is about another CA", NULL, NULL, plans_no_state,
	    "AUDIT-ACT", "state", "'ca-state'" },
	{ "the plan has another state", NULL, NULL, plans_other_state,
	    "AUDIT-ACT", "state", "'ca-state'" },
	{ "the list has another state", NULL, NULL, lists_other_state,
	    "AUDIT-ACT", "state", "no list" },
	{ "another key is destroyed", NULL, other_key, NULL, "AUDIT-ACT",
	    "key-destroyed", "no list" },
	{ "destroyed for another reason", NULL, other_reason, NULL, "AUDIT-ACT",
	    "key-destroyed", "no list" },
	{ "none is destroyed", NULL, no_destruction, NULL, "AUDIT-ACT", "close",
	    "not done" },
	{ "the plan destroys another", NULL, NULL, plans_no_destruction,
	    "AUDIT-ACT", "key-destroyed", "'destroy-key'" },
	{ "the list destroys another", NULL, NULL, lists_other_key, "AUDIT-ACT",
	    "key-destroyed", "no list" },
};

static void
test_ending(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	ending_run(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_ending, ending_run);
}

/* Without a plan that says so, a key of another run cannot go. */
static void
test_unwanted(void **state)
{
	struct cast *c = *state;
	char name[] = "spare";

	cast_reset(c);
	ending_run(c);
	cast_audit(c);
	cast_reset(c);
	{
		struct order first = {
			.run = RUN_1, .plan = "first", .steps = first_steps
		};
		struct order order = { .run = RUN_2,
			.plan = "second",
			.steps = "  - generate-key: {key: next, type: p-384,"
				 " purpose: ca, backup: none}\n" };

		cast_init(c);
		cast_open(c, &first);
		cast_key(c, RUN_1, "root");
		cast_key(c, RUN_1, "spare");
		cast_list(c, &first, 0, json_array());
		cast_close(c, RUN_1, "done");
		cast_open(c, &order);
		cast_key(c, RUN_2, "next");
		cast_list(c, &order, 0, json_array());
		cast_add(c, ENTRY_KEY_DESTROYED,
		    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_2, "name",
			name, "id", id_of(c, name), "objects", 2));
		cast_close(c, RUN_2, "done");
	}
	cast_audit(c);
	cast_assert_found(c, "AUDIT-WAY", "key-destroyed", "did not make it");
}

/* ---- a CA that is taken over ------------------------------------------- */

static const char adopting_steps[] =
    "  - adopt-ca: {name: old, key: old-key, backup: none,"
    " certificate: old.pem, crl: old.crl}\n";

/* Its public key; any will do that is DER. */
static const char *
adopted_spki(void)
{
	static char hex[512];
	AUTO(EVP_PKEY) *key = NULL;
	AUTO_DER(spki) = NULL;
	int len;

	if (hex[0] != '\0')
		return hex;
	key = EVP_EC_gen("P-384");
	len = i2d_PUBKEY(key, &spki);
	assert_true(len > 0 && 2 * (size_t)len < sizeof(hex));
	text_hex_into(spki, (size_t)len, hex);
	return hex;
}

#define ADOPTED_ID "0a0b"

static json_t *
taken_intent(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", "old-key",
	    "id", ADOPTED_ID, "type", "p-384", "purpose", "ca", "backup",
	    "none", "adopted", 1);
}

static json_t *
taken_key(void)
{
	return json_pack("{s:s, s:s, s:s, s:{s:b}, s:i, s:b}", "name",
	    "old-key", "id", ADOPTED_ID, "spki", adopted_spki(), "attributes",
	    "CKA_EXTRACTABLE", 0, "generation_mechanism", 0x1040, "adopted", 1);
}

static json_t *
taken_certificate(void)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:s, s:s, s:b}",
	    "name", "old", "key", "old-key", "sha256", hash_json("old.pem"),
	    "issuer_dn", hash_json("old"), "subject_dn", hash_json("old"),
	    "serial", "0102", "spki", hash_json("spki"), "not_before",
	    "2026-11-20T12:00:00Z", "not_after", "2036-11-20T12:00:00Z", "ca",
	    1);
}

/* Of the lists that a CA's last CRL can be said to have. */
#define TAKEN_LIST                \
	"ca-tool-revocations-1\n" \
	"05 2026-01-01T00:00:00Z superseded - -\n"
#define OTHER_LIST                \
	"ca-tool-revocations-1\n" \
	"06 2026-01-01T00:00:00Z superseded - -\n"

static json_t *
taken_list(void)
{
	return json_pack("{s:s, s:o, s:i, s:o, s:s, s:s,"
			 " s:{s:s, s:o, s:s, s:s, s:s, s:i}}",
	    "issuer", "old", "issuer_dn", hash_json("old"), "count", 1, "list",
	    hash_json(TAKEN_LIST), "source", "adopted", "cause", "plan", "crl",
	    "name", "old-crl-41", "sha256", hash_json("old.crl"), "number",
	    "41", "this_update", "2026-11-20T12:00:00Z", "next_update",
	    "2027-01-20T12:00:00Z", "entries", 1);
}

static void
add_taken(struct cast *c, enum entry_kind kind, json_t *data)
{
	cast_add(c, kind, with(data, "run", json_string(RUN_1)));
}

static void
adopting_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "first",
		.steps = adopting_steps,
		.inputs = json_pack(
		    "{s:s, s:s}", "old.pem", "old.pem", "old.crl", "old.crl") };

	cast_init(c);
	(void)cast_evidence(c, TAKEN_LIST, strlen(TAKEN_LIST));
	(void)cast_evidence(c, OTHER_LIST, strlen(OTHER_LIST));
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o, o, o, o]", cast_act(0, "adopt-ca", taken_intent()),
		cast_act(1, "adopt-ca", taken_key()),
		cast_act(2, "adopt-ca", taken_certificate()),
		cast_act(3, "adopt-ca", taken_list())));
	add_taken(c, ENTRY_KEY_INTENT, taken_intent());
	add_taken(c, ENTRY_KEY, taken_key());
	add_taken(c, ENTRY_ADOPTED, taken_certificate());
	add_taken(c, ENTRY_REVOCATIONS, taken_list());
	cast_close(c, RUN_1, "done");
}

/* The first of each kind is that of the journal's own key. */
EDIT(other_backup, ENTRY_KEY_INTENT, 1,
    with(data, "backup", json_string("clone")))
EDIT(other_type, ENTRY_KEY_INTENT, 1, with(data, "type", json_string("p-256")))
EDIT(other_attributes, ENTRY_KEY, 1,
    with(data, "attributes", json_pack("{s:b}", "CKA_EXTRACTABLE", 1)))
EDIT(other_certificate, ENTRY_ADOPTED, 0,
    with(data, "sha256", hash_json("old.crl")))
EDIT(other_spki, ENTRY_ADOPTED, 0, with(data, "spki", hash_json("another")))
EDIT(no_certificate, ENTRY_ADOPTED, 0, without(data))
EDIT(
    other_list, ENTRY_REVOCATIONS, 0, with(data, "list", hash_json(OTHER_LIST)))
EDIT(no_list, ENTRY_REVOCATIONS, 0, without(data))

/* A number that the CA's next CRLs would use a second time. */
static json_t *
lower_number(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	if (kind != ENTRY_REVOCATIONS || nth != 0)
		return data;
	assert_int_equal(json_object_set_new(json_object_get(data, "crl"),
			     "number", json_string("7")),
	    0);
	return data;
}

/* As if it were a list that anybody may import. */
static json_t *
other_source(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	if (kind != ENTRY_REVOCATIONS || nth != 0)
		return data;
	assert_int_equal(json_object_del(data, "crl"), 0);
	return with(data, "source", json_string("csv"));
}

/* It says that it was made here. */
static json_t *
made_here(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	if ((kind == ENTRY_KEY_INTENT || kind == ENTRY_KEY) && nth == 1)
		assert_int_equal(json_object_del(data, "adopted"), 0);
	return data;
}

EDIT_WHERE(plans_other_key, "plan", "key: old-key", "key: new-key")
EDIT_WHERE(plans_other_name, "plan", "name: old,", "name: older,")
EDIT_WHERE(plans_other_backup, "plan", "backup: none, certificate",
    "backup: clone, certificate")
EDIT_WHERE(plans_no_crl, "plan", "crl: old.crl", "never-signed-a-crl: 'true'")
EDIT_WHERE(plans_no_ca, "plan",
    "adopt-ca: {name: old, key: old-key,"
    " backup: none, certificate: old.pem,"
    " crl: old.crl}",
    "generate-key: {key: k, type: p-384, purpose: ca, backup: none}")
EDIT_WHERE(lists_other_number, "list", "\\\"number\\\":\\\"41\\\"",
    "\\\"number\\\":\\\"40\\\"")
EDIT_WHERE(lists_other_id, "list", "\\\"id\\\":\\\"" ADOPTED_ID "\\\"",
    "\\\"id\\\":\\\"0c0d\\\"")

static const struct forgery of_adopting[] = {
	{ "another backup", NULL, other_backup, NULL, "AUDIT-ACT", "key-intent",
	    "'adopt-ca'" },
	{ "another type", NULL, other_type, NULL, "AUDIT-ACT", "key-intent",
	    "no list" },
	{ "a key that was looser than what was confirmed", NULL,
	    other_attributes, NULL, "AUDIT-ACT", "key", "no list" },
	{ "a key that is said to be made here", NULL, made_here, NULL,
	    "AUDIT-KEY-INTENT", "key-intent", "makes no key 'old-key'" },
	{ "another certificate", NULL, other_certificate, NULL, "AUDIT-ACT",
	    "adopted", "no list" },
	{ "a certificate of another key", NULL, other_spki, NULL, "AUDIT-ACT",
	    "adopted", "no list" },
	{ "no certificate", NULL, no_certificate, NULL, "AUDIT-ACT", "close",
	    "not done" },
	{ "other revocations", NULL, other_list, NULL, "AUDIT-ACT",
	    "revocations", "no list" },
	{ "no revocations", NULL, no_list, NULL, "AUDIT-ACT", "close",
	    "not done" },
	{ "a lower number", NULL, lower_number, NULL, "AUDIT-ACT",
	    "revocations", "no list" },
	{ "a list that is imported", NULL, other_source, NULL, "AUDIT-ACT",
	    "revocations", "no step" },
	{ "the plan has another key", NULL, NULL, plans_other_key, "AUDIT-ACT",
	    "key-intent", "'adopt-ca'" },
	{ "the plan has another name", NULL, NULL, plans_other_name,
	    "AUDIT-ACT", "adopted", "takes in no certificate" },
	{ "the plan has another backup", NULL, NULL, plans_other_backup,
	    "AUDIT-ACT", "key-intent", "'adopt-ca'" },
	{ "the plan has no CRL", NULL, NULL, plans_no_crl, "AUDIT-ACT",
	    "revocations", "'adopt-ca'" },
	{ "the plan takes over nothing", NULL, NULL, plans_no_ca, "AUDIT-ACT",
	    "key", "'adopt-ca'" },
	{ "the list has another number", NULL, NULL, lists_other_number,
	    "AUDIT-ACT", "revocations", "no list" },
	{ "the list has another CKA_ID", NULL, NULL, lists_other_id,
	    "AUDIT-ACT", "key-intent", "no list" },
};

static void
test_adopting(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	adopting_run(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_adopting, adopting_run);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ending),
		cmocka_unit_test(test_unwanted),
		cmocka_unit_test(test_adopting),
	};

	return cmocka_run_group_tests(tests, cast_setup, cast_teardown);
}
