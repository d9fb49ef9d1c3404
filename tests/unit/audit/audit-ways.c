/* Ways out in an audit: what only some plans may do, and that once. */
#include "ceremony/journal/head.h"
#include "ordinary-run.h"

/* ---- the ways out ----------------------------------------------------- */

static json_t *
clock_data(void)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "run", RUN_1, "was",
	    "2031-01-01T00:00:00Z", "now", "2026-11-20T12:00:00Z", "why",
	    "the battery was empty");
}

static void
clock_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "clock",
		.steps = "  - correct-clock: {why: the battery was empty}\n" };

	cast_init(c);
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o]",
		cast_act(0, "correct-clock",
		    json_pack("{s:s, s:s, s:s}", "floor",
			"2031-01-01T00:00:00Z", "clock", "2026-11-20T12:00:00Z",
			"why", "the battery was empty"))));
	cast_add(c, ENTRY_CLOCK, clock_data());
	cast_close(c, RUN_1, "done");
}

static json_t *
token_data(const char *serial)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,"
			 "s:{s:s,s:s,s:s,s:s,s:s,s:s}}",
	    "run", RUN_1, "label", "example-token", "serial", serial,
	    "manufacturer", "m", "model", "x", "hardware", "1.0", "firmware",
	    "1.0", "flags", 1, "module", "path", "/x.so", "sha256", ZEROS,
	    "manufacturer", "m", "description", "d", "version", "2.6",
	    "cryptoki", "2.40");
}

static void
token_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "token",
		.steps = "  - adopt-token: {serial: '0002', why: broken}\n" };

	cast_init(c);
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o]",
		cast_act(0, "adopt-token",
		    json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:s}", "label",
			"old", "example-token", "new", "example-token",
			"serial", "old", "0001", "new", "0002", "why",
			"broken"))));
	cast_add(c, ENTRY_TOKEN, token_data("0002"));
	cast_close(c, RUN_1, "done");
}

static json_t *
epoch_data(struct cast *c)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	uint64_t size = 0;

	assert_ok(journal_head(c->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	return json_pack(
	    "{s:s, s:i, s:s, s:{s:s, s:I, s:s}, s:{s:s, s:i, s:i, s:s}, s:i, "
	    "s:[]}",
	    "run", RUN_1, "epoch", 1, "origin", "example/epoch-1", "was",
	    "origin", "example", "size", (json_int_t)size, "root", hex, "head",
	    "origin", "example", "epoch", 0, "size", 99, "root", ZEROS, "lost",
	    99, "receipts");
}

static void
epoch_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "recover",
		.steps = "  - recover-journal: {why: the disk broke}\n" };
	char origin[] = "example";
	const struct head head = { .origin = origin, .size = 99 };
	AUTO_CHARS(text) = NULL;

	assert_ok(head_compose(&head, &text));
	cast_init(c);
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o]",
		cast_act(0, "recover-journal",
		    json_pack("{s:i, s:s, s:i, s:[], s:s, s:s}", "epoch", 1,
			"origin", "example/epoch-1", "lost", 99, "receipts",
			"head", text, "why", "the disk broke"))));
	cast_add(c, ENTRY_EPOCH, epoch_data(c));
	cast_close(c, RUN_1, "done");
}

/* authority.yaml gets a line, and a profile goes. */
static void
config_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "config",
		.steps = "  - adopt-config: {why: cleaning up}\n" };
	static const char *const old_text = "format: ca-tool-authority-1\n"
					    "id: example\n"
					    "title: Example\n"
					    "token:\n"
					    "  module: embedded\n"
					    "  label: example-token\n"
					    "login: derived\n";
	AUTO_CHARS(new_text) = text_printf("%sjobs: '2'\n", old_text);

	cast_init(c);
	c->config = "jobs: '2'\n";
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o]",
		cast_act(0, "adopt-config",
		    json_pack("{s:{s:o, s:o}, s:[{s:s, s:o, s:n}], s:s}",
			"config", "old", hash_json(old_text), "new",
			hash_json(new_text), "profiles", "profile", "root",
			"old", hash_json("root"), "new", "why",
			"cleaning up"))));
	cast_add(c, ENTRY_CONFIG,
	    json_pack(
		"{s:s, s:o}", "run", RUN_1, "sha256", hash_json(new_text)));
	cast_add(c, ENTRY_PROFILE,
	    json_pack("{s:s, s:s, s:o, s:b}", "run", RUN_1, "profile", "root",
		"sha256", hash_json("root"), "removed", 1));
	cast_close(c, RUN_1, "done");
}

/* ---- reshare ---------------------------------------------------------- */

static const enum who next_people[] = { BOB, CAROL, DAVE };
static const enum who *joining = next_people;
static size_t joining_count = 3;

static void
move_pin(struct cast *c, const struct quorum_set *set, const char *pin)
{
	static const char *const stages[] = { "intent", "done" };

	for (size_t i = 0; i < 2; i++)
		cast_add(c, ENTRY_PIN_CHANGE,
		    json_pack("{s:s, s:s, s:s, s:s}", "run", RUN_1, "set",
			set->id, "pin", pin, "stage", stages[i]));
}

static void
reshare_run(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "reshare",
		.steps = "  - reshare: {set: set.yaml}\n",
		.inputs = cast_set_inputs(c, next_people, 3, 3, 2) };
	struct quorum_set *next;

	cast_init(c);
	next = cast_make_set(c, joining, joining_count, joining_count, 2);
	cast_open(c, &order);
	cast_list(c, &order, 0,
	    json_pack("[o]",
		cast_act(0, "reshare",
		    json_pack("{s:i, s:i}", "threshold", 2, "operators",
			(int)joining_count))));
	cast_add(c, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s, s:s}", "event", "set-founded", "run",
		RUN_1, "set", next->id, "sha256", next->sha256));
	cast_enrol(c, next);
	cast_quorum(c, next, "begun", c->set->id, RUN_1);
	move_pin(c, next, "so");
	move_pin(c, next, "user");
	c->people = "bob carol";
	cast_login(c, RUN_1);
	cast_quorum(c, next, "active", c->set->id, RUN_1);
	for (size_t i = 0; i < joining_count; i++)
		cast_anchor(c, next, joining[i]);
	cast_close(c, RUN_1, "done");
	quorum_set_free(next);
}

EDIT(no_reshare_anchor, ENTRY_ANCHOR, 5, without(data))
EDIT_TEXT(not_reshare, "plan", "  - reshare: {set: set.yaml}",
    "  - adopt-config: {why: x}")
EDIT_TEXT(listed_others, "list", "threshold\\\":2", "threshold\\\":1")

static json_t *
unconfirmed(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_CONFIRMATION && nth == 1 ? without(data) : data;
}

static json_t *
unapproved(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_APPROVAL && nth == 1 ? without(data) : data;
}

static const struct forgery of_reshare[] = {
	{ "not signed on the anchor", NULL, no_reshare_anchor, NULL,
	    "AUDIT-ANCHOR-SIGNATURE", "close", "'dave'" },
	{ "by another plan", NULL, NULL, not_reshare, "AUDIT-WAY", "quorum",
	    "'reshare'" },
	{ "PINs by another plan", NULL, NULL, not_reshare, "AUDIT-WAY",
	    "pin-change", "'reshare'" },
	{ "another plan proposes nobody", NULL, NULL, not_reshare, "AUDIT-SET",
	    "quorum", "no reshare" },
	{ "founded by another plan", NULL, NULL, not_reshare, "AUDIT-WAY",
	    "event", "set-founded" },
	{ "listed otherwise", NULL, NULL, listed_others, "AUDIT-ACT", "quorum",
	    "no list" },
	{ "not confirmed", NULL, unconfirmed, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "quorum", "list 0" },
	{ "not approved", NULL, unapproved, NULL, "AUDIT-APPROVALS-MISSING",
	    "list", "2 operators" },
};

static void
test_reshare(void **state)
{
	static const enum who others[] = { BOB, CAROL, ALICE };
	struct cast *c = *state;

	cast_reset(c);
	reshare_run(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_reshare, reshare_run);
	/* Other people than those that the plan names. */
	joining = others;
	cast_reset(c);
	reshare_run(c);
	cast_audit(c);
	cast_assert_found(c, "AUDIT-SET", "quorum", "not the one that plan");
	joining = next_people;
}

/* ---- abandon ---------------------------------------------------------- */

static const char *abandoning_steps;

static json_t *
abandoning_act(void)
{
	return strstr(abandoning_steps, "abandon") != NULL
	    ? cast_act(0, "abandon",
		  json_pack("{s:s, s:s}", "plan", "first", "run", RUN_1))
	    : cast_act(0, "correct-clock", json_pack("{}"));
}

static void
abandon_run(struct cast *c)
{
	struct order first = ordinary_order();
	struct order order = { .run = RUN_2,
		.plan = "second",
		.steps = abandoning_steps,
		.abandons = RUN_1 };

	cast_init(c);
	cast_open(c, &first);
	cast_key(c, RUN_1, "root");
	cast_list(c, &first, 0, ordinary_lines());
	cast_open(c, &order);
	cast_list(c, &order, 0, json_pack("[o]", abandoning_act()));
	cast_close(c, RUN_1, "abandoned");
	cast_close(c, RUN_2, "done");
}

#define ABANDON "  - abandon: {plan: first, why: the power went}\n"

EDIT_TEXT(
    abandon_other, "plan", "abandon: {plan: first", "abandon: {plan: third")
EDIT_TEXT(listed_other_run, "list",
    "{\\\"plan\\\":\\\"first\\\",\\\"run\\\":\\\"00",
    "{\\\"plan\\\":\\\"first\\\",\\\"run\\\":\\\"11")

/* In the second list that is written. */
static char *
second_list_other_run(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	return strcmp(what, "list") == 0 && strstr(text, "abandon") != NULL
	    ? listed_other_run(c, what, nth, text)
	    : NULL;
}

static char *
second_plan_other(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	return strcmp(what, "plan") == 0 && strstr(text, "abandon") != NULL
	    ? abandon_other(c, what, nth, text)
	    : NULL;
}

EDIT(second_unapproved, ENTRY_APPROVAL, 3, without(data))
EDIT(second_unconfirmed, ENTRY_CONFIRMATION, 3, without(data))

static const struct forgery of_abandoning[] = {
	{ "another run", NULL, NULL, second_plan_other, "AUDIT-WAY", "plan",
	    "that of plan 'first'" },
	{ "another run listed", NULL, NULL, second_list_other_run, "AUDIT-ACT",
	    "close", "'abandon'" },
	{ "not approved", NULL, second_unapproved, NULL,
	    "AUDIT-APPROVALS-MISSING", "list", "2 operators" },
	{ "not confirmed", NULL, second_unconfirmed, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "close", "list 0" },
};

static void
test_abandon(void **state)
{
	struct cast *c = *state;

	abandoning_steps = ABANDON;
	cast_reset(c);
	abandon_run(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_abandoning, abandon_run);
	/* By a plan that says nothing of it. */
	abandoning_steps = "  - correct-clock: {why: it was wrong}\n";
	cast_reset(c);
	abandon_run(c);
	cast_audit(c);
	cast_assert_found(c, "AUDIT-WAY", "plan", "does not say so");
	cast_assert_found(c, "AUDIT-WAY", "close", "does not say so");
}

/* ---- each only by its own plan ---------------------------------------- */

EDIT(clock_now, ENTRY_CLOCK, 0,
    with(data, "now", json_string("2026-11-20T12:00:01Z")))
EDIT(no_clock, ENTRY_CLOCK, 0, without(data))
EDIT(token_serial, ENTRY_TOKEN, 1, with(data, "serial", json_string("0003")))
EDIT(no_token, ENTRY_TOKEN, 1, without(data))
EDIT(epoch_lost, ENTRY_EPOCH, 0, with(data, "lost", json_integer(1)))
EDIT(epoch_head, ENTRY_EPOCH, 0, with(data, "head", json_null()))
EDIT(no_epoch, ENTRY_EPOCH, 0, without(data))
EDIT(config_sha256, ENTRY_CONFIG, 1, with(data, "sha256", hash_json("root")))
EDIT(profile_kept, ENTRY_PROFILE, 2, with(data, "removed", json_false()))
EDIT_TEXT(config_login, "config", "login: derived\njobs", "login: prompt\njobs")

static json_t *
clock_twice(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	if (kind == ENTRY_CLOSE)
		insert(c, ENTRY_CLOCK, clock_data());
	return data;
}

static json_t *
signs(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	if (kind != ENTRY_CLOSE)
		return data;
	insert(c, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:n, s:n, s:n}",
		"run", RUN_1, "list", 0, "object", 0, "kind", "csr", "name",
		"x", "key", ZEROS, "algorithm", "300a", "tbs", ZEROS, "issuer",
		"issuer_dn", "profile"));
	insert(c, ENTRY_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b}", "run", RUN_1, "list", 0,
		"object", 0, "name", "x", "why", "x", "possibly_signed", 0));
	return data;
}

static const struct forgery of_clock[] = {
	{ "another time", NULL, clock_now, NULL, "AUDIT-ACT", "clock",
	    "no list" },
	{ "not done", NULL, no_clock, NULL, "AUDIT-ACT", "close",
	    "has not done it" },
	{ "done twice", NULL, clock_twice, NULL, "AUDIT-ACT", "clock",
	    "second time" },
	{ "not confirmed", NULL, unconfirmed, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "clock", "list 0" },
	{ "signs something", NULL, signs, NULL, "AUDIT-WAY", "intent",
	    "signs nothing" },
};

static const struct forgery of_token[] = {
	{ "another token", NULL, token_serial, NULL, "AUDIT-ACT", "token",
	    "no list" },
	{ "not done", NULL, no_token, NULL, "AUDIT-ACT", "close",
	    "has not done it" },
};

static const struct forgery of_epoch[] = {
	{ "less is lost", NULL, epoch_lost, NULL, "AUDIT-ACT", "epoch",
	    "no list" },
	{ "another head", NULL, epoch_head, NULL, "AUDIT-ACT", "epoch",
	    "no list" },
	{ "not done", NULL, no_epoch, NULL, "AUDIT-ACT", "close",
	    "has not done it" },
};

EDIT(no_config, ENTRY_CONFIG, 1, without(data))
EDIT(no_profile_gone, ENTRY_PROFILE, 2, without(data))

static json_t *
config_twice(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	if (kind == ENTRY_CONFIG && json_object_get(data, "run") != NULL)
		insert(c, ENTRY_CONFIG, json_deep_copy(data));
	return data;
}

static const struct forgery of_config[] = {
	{ "authority.yaml left out", NULL, no_config, NULL, "AUDIT-ACT",
	    "close", "'config' was not adopted" },
	{ "a profile left out", NULL, no_profile_gone, NULL, "AUDIT-ACT",
	    "close", "'profile root' was not adopted" },
	{ "authority.yaml twice", NULL, config_twice, NULL, "AUDIT-ACT",
	    "config", "second time" },
	{ "another file", NULL, config_sha256, NULL, "AUDIT-ACT", "config",
	    "no list" },
	{ "a profile that is not removed", NULL, profile_kept, NULL,
	    "AUDIT-ACT", "profile", "no list" },
};

#define WAY(c, make, forgeries)              \
	do {                                 \
		cast_reset(c);               \
		(make)(c);                   \
		cast_audit(c);               \
		cast_assert_clean(c);        \
		TRY_ALL(c, forgeries, make); \
	} while (0)

static void
test_ways(void **state)
{
	struct cast *c = *state;

	WAY(c, clock_run, of_clock);
	WAY(c, token_run, of_token);
	WAY(c, epoch_run, of_epoch);
	WAY(c, config_run, of_config);
}

/* Each of them in a run of an ordinary plan. */
static unsigned way;

static json_t *
out_of_place(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	if (kind != ENTRY_CLOSE)
		return data;
	switch (way) {
	case 0:
		insert(c, ENTRY_CLOCK, clock_data());
		break;
	case 1:
		insert(c, ENTRY_TOKEN, token_data("0002"));
		break;
	case 2:
		insert(c, ENTRY_EPOCH, epoch_data(c));
		break;
	case 3:
		insert(c, ENTRY_CONFIG,
		    json_pack("{s:s, s:o}", "run", RUN_1, "sha256",
			hash_json("root")));
		break;
	default:
		insert(c, ENTRY_PROFILE,
		    json_pack("{s:s, s:s, s:o}", "run", RUN_1, "profile", "x",
			"sha256", hash_json("root")));
	}
	return data;
}

static void
test_out_of_place(void **state)
{
	static const char *const kinds[] = { "clock", "token", "epoch",
		"config", "profile" };
	struct cast *c = *state;

	for (way = 0; way < sizeof(kinds) / sizeof(kinds[0]); way++) {
		cast_reset(c);
		c->edit = out_of_place;
		ordinary(c);
		cast_audit(c);
		cast_assert_found(c, "AUDIT-WAY", kinds[way], "only a plan of");
	}
}

/* A plan that mends the authority stands alone. */
EDIT_TEXT(with_crl, "plan", "steps:\n",
    "steps:\n  - crl: {name: crl-1, issuer: root-g1, profile: ca-crl}\n")

static void
test_alone(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	c->edit_text = with_crl;
	clock_run(c);
	cast_audit(c);
	cast_assert_only(c, "AUDIT-WAY", "plan", "other steps");
}

/* What opens the token cannot be changed by adopt-config. */
static void
test_login_changed(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	c->config = "jobs: '2'\n";
	{
		struct order order = { .run = RUN_1,
			.plan = "config",
			.steps = "  - adopt-config: {why: x}\n" };
		AUTO_CHARS(text) = NULL;

		c->edit_text = config_login;
		cast_open(c, &order);
		text = text_copy("format: ca-tool-authority-1\n"
				 "id: example\ntitle: Example\ntoken:\n"
				 "  module: embedded\n"
				 "  label: example-token\n"
				 "login: prompt\njobs: '2'\n");
		cast_list(c, &order, 0,
		    json_pack("[o]",
			cast_act(0, "adopt-config",
			    json_pack("{s:{s:s, s:o}, s:[], s:s}", "config",
				"old", ZEROS, "new", hash_json(text),
				"profiles", "why", "x"))));
		cast_add(c, ENTRY_CONFIG,
		    json_pack("{s:s, s:s}", "run", RUN_1, "sha256",
			cast_evidence(c, text, strlen(text))));
	}
	cast_close(c, RUN_1, "done");
	cast_audit(c);
	cast_assert_only(c, "AUDIT-CONFIG", "config", "changes 'login'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reshare),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_out_of_place),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_login_changed),
	};

	return cmocka_run_group_tests(tests, cast_setup, cast_teardown);
}
