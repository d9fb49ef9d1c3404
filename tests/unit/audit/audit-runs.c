/* Runs in an audit: their plans, their lists, and what they make. */
#include "ordinary-run.h"

/* ---- its plan --------------------------------------------------------- */

EDIT(other_title, ENTRY_PLAN, 0, with(data, "title", json_string("Another")))
EDIT(other_directory, ENTRY_PLAN, 0,
    with(data, "directory", json_string("first-00000000")))
EDIT(late_request, ENTRY_PLAN, 0,
    with(data, "late",
	json_pack("[{s:s, s:s}]", "name", "sub", "sha256", ZEROS)))
EDIT(says_unattended, ENTRY_PLAN, 0, with(data, "unattended", json_true()))
EDIT(no_profile, ENTRY_PROFILE, 0, without(data))
EDIT_TEXT(manifest_of_another, "manifest", "\"authority\": \"example\"",
    "\"authority\": \"elsewhr\"")
EDIT_TEXT(manifest_genesis, "manifest", "\"genesis\": \"", "\"genesis\": \"00")
EDIT_TEXT(manifest_set, "manifest", "\"set_sha256\": \"", "\"set_sha256\": \"0")
EDIT_TEXT(
    manifest_threshold, "manifest", "\"threshold\": 2", "\"threshold\": 1")
EDIT_TEXT(manifest_root, "manifest", "\"root\": \"", "\"root\": \"0")
EDIT_TEXT(manifest_size, "manifest", "\"size\": ", "\"size\": 9")
EDIT_TEXT(manifest_no_json, "manifest", "{", "[")
EDIT_TEXT(manifest_no_inputs, "manifest", "\"inputs\"", "\"outputs\"")
EDIT_TEXT(manifest_role, "manifest", "\"profile\"", "\"file\"")
EDIT_TEXT(
    manifest_format, "manifest", "ca-tool-manifest-1", "ca-tool-manifest-2")
EDIT_TEXT(plan_id, "plan", "id: first", "id: other")
EDIT_TEXT(plan_broken, "plan", "generate-key", "generate-kye")
EDIT_TEXT(plan_unattended, "plan", "steps:", "unattended: 'true'\nsteps:")
EDIT_TEXT(plan_over, "plan", "until: 2099", "until: 2001")

/* The second time that it is written, for the plan. */
static char *
other_config(struct cast *c, const char *what, unsigned nth, const char *text)
{
	static bool second;

	(void)c;
	(void)nth;
	if (strcmp(what, "config") != 0)
		return NULL;
	second = !second;
	return second ? NULL : replaced(text, "Example", "Another");
}

static char *
no_manifest_input(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	static const char sha256[] = "\"sha256\": \"";
	char *copy;

	(void)c;
	(void)nth;
	if (strcmp(what, "manifest") != 0)
		return NULL;
	copy = text_copy(text);
	memset(strstr(copy, sha256) + strlen(sha256), '0', HASH_HEX_SIZE - 1);
	return copy;
}

static const struct forgery of_plans[] = {
	{ "title", NULL, other_title, NULL, "AUDIT-PLAN", "plan", "'title'" },
	{ "directory", NULL, other_directory, NULL, "AUDIT-PLAN", "plan",
	    "'directory'" },
	{ "a late request", NULL, late_request, NULL, "AUDIT-PLAN", "plan",
	    "no step" },
	{ "authority", NULL, NULL, manifest_of_another, "AUDIT-PLAN", "plan",
	    "'authority' is 'elsewhr'" },
	{ "genesis", NULL, NULL, manifest_genesis, "AUDIT-PLAN", "plan",
	    "'genesis'" },
	{ "set", NULL, NULL, manifest_set, "AUDIT-PLAN", "plan",
	    "'set_sha256'" },
	{ "threshold", NULL, NULL, manifest_threshold, "AUDIT-PLAN", "plan",
	    "threshold" },
	{ "another journal", NULL, NULL, manifest_root, "AUDIT-PLAN", "plan",
	    "another journal" },
	{ "a later journal", NULL, NULL, manifest_size, "AUDIT-PLAN", "plan",
	    "another journal" },
	{ "no JSON", NULL, NULL, manifest_no_json, "AUDIT-PLAN", "plan",
	    "no JSON" },
	{ "no inputs", NULL, NULL, manifest_no_inputs, "AUDIT-PLAN", "plan",
	    "no inputs" },
	{ "an input that is gone", NULL, NULL, no_manifest_input, "AUDIT-PLAN",
	    "plan", "not among the evidence" },
	{ "format", NULL, NULL, manifest_format, "AUDIT-PLAN", "plan",
	    "'format'" },
	{ "another plan", NULL, NULL, plan_id, "AUDIT-PLAN", "plan",
	    "should be 'other'" },
	{ "malformed plan", NULL, NULL, plan_broken, "AUDIT-PLAN", "plan",
	    "cannot be read" },
	{ "plan unattended", NULL, NULL, plan_unattended, "AUDIT-PLAN", "plan",
	    "run unattended" },
	{ "entry unattended", NULL, says_unattended, NULL, "AUDIT-PLAN", "plan",
	    "confirmed" },
	{ "... and may not", NULL, says_unattended, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "plan", "did not let" },
	{ "a profile that was not recorded", NULL, no_profile, NULL,
	    "AUDIT-PLAN", "plan", "profile 'root'" },
	{ "another authority.yaml", NULL, NULL, other_config, "AUDIT-PLAN",
	    "plan", "not in force" },
};

static size_t
count_warnings(const struct cast *c, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < c->found.count; i++)
		n += c->found.rows[i].severity == FINDING_WARNING &&
		    strcmp(c->found.rows[i].id, id) == 0;
	return n;
}

static void
test_plans(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	ordinary(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_plans, ordinary);
	/* A window that was over; for a list it is a warning. */
	cast_reset(c);
	c->edit_text = plan_over;
	ordinary(c);
	cast_audit(c);
	assert_int_equal(count_warnings(c, "AUDIT-PLAN"), 1);
	cast_assert_only(c, "AUDIT-PLAN", "plan", "the run began outside");
	/* Inputs of other roles are not looked for in the journal. */
	cast_reset(c);
	c->edit_text = manifest_role;
	ordinary(c);
	cast_audit(c);
	cast_assert_clean(c);
}

/* ---- its lists -------------------------------------------------------- */

EDIT_TEXT(list_run, "list", "\"run\":\"0001", "\"run\":\"1001")
EDIT_TEXT(list_number, "list", "\"list\":0", "\"list\":1")
EDIT_TEXT(list_manifest, "list", "\"manifest\":\"", "\"manifest\":\"0")
EDIT_TEXT(list_set, "list", "\"threshold\":2", "\"threshold\":1")
EDIT_TEXT(list_root, "list", "\"root\":\"", "\"root\":\"0")
EDIT_TEXT(list_size, "list", "\"size\":", "\"size\":9")
EDIT_TEXT(list_rehearsal, "list", "\"rehearsal\":false", "\"rehearsal\":true")
EDIT_TEXT(
    list_unattended, "list", "\"unattended\":false", "\"unattended\":true")
EDIT_TEXT(list_order, "list", "\"object\":1", "\"object\":0")
EDIT_TEXT(list_no_json, "list", "\"object\":1,", "\"object\":1,,")
EDIT_TEXT(list_act_sha256, "list", "\"kind\":\"revoke\",\"sha256\":\"",
    "\"kind\":\"revoke\",\"sha256\":\"0")
EDIT_TEXT(list_key, "list", "\"name\":\"crl-1\",\"key\":\"",
    "\"name\":\"crl-1\",\"key\":\"0")
EDIT_TEXT(list_tbs, "list", "\"tbs\":\"", "\"tbs\":\"0")
EDIT_TEXT(
    list_algorithm, "list", "\"algorithm\":\"300a", "\"algorithm\":\"300b")
EDIT_TEXT(list_name, "list", "\"name\":\"crl-1\"", "\"name\":\"crl-2\"")
EDIT_TEXT(list_kind, "list", "\"kind\":\"crl\"", "\"kind\":\"csr\"")
EDIT(list_count, ENTRY_LIST, 0, with(data, "objects", json_integer(3)))
EDIT(list_acts, ENTRY_LIST, 0, with(data, "acts", json_integer(0)))

static char *
list_cut(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "list") == 0
	    ? text_printf("%.*s", (int)strlen(text) - 1, text)
	    : NULL;
}

static char *
list_empty(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	(void)text;
	return strcmp(what, "list") == 0 ? text_copy("") : NULL;
}

EDIT(intent_number, ENTRY_INTENT, 1, with(data, "object", json_integer(2)))
EDIT(revoked_date, ENTRY_REVOKED, 0,
    with(data, "date", json_string("2026-11-20T12:00:01Z")))
EDIT(revoked_serial, ENTRY_REVOKED, 0,
    with(data, "serial", json_string("00aa02")))
EDIT(not_revoked, ENTRY_REVOKED, 0, without(data))
EDIT(not_adopted, ENTRY_ADOPTED, 0, without(data))
EDIT(adopted_name, ENTRY_ADOPTED, 0, with(data, "name", json_string("sub2")))
EDIT(adopted_sha256, ENTRY_ADOPTED, 0,
    with(data, "sha256", hash_json("root.crt")))

static const struct forgery of_lists[] = {
	{ "run", NULL, NULL, list_run, "AUDIT-LIST", "list", "run" },
	{ "number", NULL, NULL, list_number, "AUDIT-LIST", "list", "number" },
	{ "manifest", NULL, NULL, list_manifest, "AUDIT-LIST", "list",
	    "manifest" },
	{ "set", NULL, NULL, list_set, "AUDIT-LIST", "list", "set" },
	{ "root", NULL, NULL, list_root, "AUDIT-LIST", "list",
	    "another journal" },
	{ "size", NULL, NULL, list_size, "AUDIT-LIST", "list",
	    "another journal" },
	{ "rehearsal", NULL, NULL, list_rehearsal, "AUDIT-LIST", "list",
	    "rehearsal" },
	{ "unattended", NULL, NULL, list_unattended, "AUDIT-LIST", "list",
	    "unattended" },
	{ "order", NULL, NULL, list_order, "AUDIT-LIST", "list", "line 3" },
	{ "no JSON", NULL, NULL, list_no_json, "AUDIT-LIST", "list", "line 3" },
	{ "an act's hash", NULL, NULL, list_act_sha256, "AUDIT-LIST", "list",
	    "line 4" },
	{ "cut off", NULL, NULL, list_cut, "AUDIT-LIST", "list", "line 5" },
	{ "empty", NULL, NULL, list_empty, "AUDIT-LIST", "list", "0 objects" },
	{ "objects", NULL, list_count, NULL, "AUDIT-LIST", "list",
	    "2 objects" },
	{ "acts", NULL, list_acts, NULL, "AUDIT-LIST", "list", "2 acts" },
	{ "another key", NULL, NULL, list_key, "AUDIT-INTENT", "intent",
	    "'crl-1'" },
	{ "other bytes", NULL, NULL, list_tbs, "AUDIT-INTENT", "intent",
	    "'root-g1'" },
	{ "another algorithm", NULL, NULL, list_algorithm, "AUDIT-INTENT",
	    "intent", "'root-g1'" },
	{ "another name", NULL, NULL, list_name, "AUDIT-INTENT", "intent",
	    "'crl-1'" },
	{ "another kind", NULL, NULL, list_kind, "AUDIT-INTENT", "intent",
	    "'crl-1'" },
	{ "another date of a revocation", NULL, revoked_date, NULL, "AUDIT-ACT",
	    "revoked", "no list" },
	{ "another serial revoked", NULL, revoked_serial, NULL, "AUDIT-ACT",
	    "revoked", "plan of the run does not revoke" },
	{ "not revoked", NULL, not_revoked, NULL, "AUDIT-ACT", "close",
	    "1 acts" },
	{ "not taken in", NULL, not_adopted, NULL, "AUDIT-ACT", "close",
	    "1 acts" },
	{ "not taken in, as planned", NULL, not_adopted, NULL, "AUDIT-ACT",
	    "close", "'sub'" },
	{ "another name taken in", NULL, adopted_name, NULL, "AUDIT-ACT",
	    "adopted", "takes in no certificate" },
	{ "another certificate taken in", NULL, adopted_sha256, NULL,
	    "AUDIT-ACT", "adopted", "no list" },
};

static void
test_lists(void **state)
{
	TRY_ALL(*state, of_lists, ordinary);
}

/* An intent with a number that is not listed, and without a result. */
static void
test_unlisted_number(void **state)
{
	struct cast *c = *state;
	struct order order = ordinary_order();

	cast_reset(c);
	cast_init(c);
	cast_open(c, &order);
	cast_list(c, &order, 0, ordinary_lines());
	c->edit = intent_number;
	c->seen[ENTRY_INTENT] = 1;
	c->edit_text = NULL;
	cast_add(c, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:s,"
		      "s:s, s:s, s:s, s:i}",
		"run", RUN_1, "list", 0, "object", 1, "kind", "crl", "name",
		"crl-1", "key", hash_json("signer"), "algorithm",
		"300a06082a8648ce3d040303", "tbs", hash_json("crl-1"), "issuer",
		"root-g1", "issuer_dn", hash_json(DN), "profile", "ca-crl",
		"number", "1", "this_update", "2026-11-20T12:00:00Z",
		"next_update", "2027-11-20T12:00:00Z", "entries", 0));
	cast_audit(c);
	cast_assert_only(c, "AUDIT-INTENT", "intent", "this number");
}

/* What a later, unconfirmed list says is not done by the first's word. */
static void
test_newer_list(void **state)
{
	struct cast *c = *state;
	struct order order = ordinary_order();

	cast_reset(c);
	cast_init(c);
	cast_open(c, &order);
	cast_key(c, RUN_1, "root");
	cast_list(c, &order, 0,
	    json_pack("[o]", cast_object(0, "certificate", "root-g1")));
	cast_list_only(c, &order, 1, ordinary_lines());
	cast_intent(c, RUN_1, 0, 0, "certificate", "root-g1");
	cast_audit(c);
	cast_assert_clean(c);
	cast_add(
	    c, ENTRY_REVOKED, with(revoked_data(), "run", json_string(RUN_1)));
	cast_audit(c);
	cast_assert_only(c, "AUDIT-CONFIRMATIONS-MISSING", "revoked", "list 1");
	cast_intent(c, RUN_1, 1, 1, "crl", "crl-1");
	cast_audit(c);
	cast_assert_only(c, "AUDIT-CONFIRMATIONS-MISSING", "revoked", "list 1");
}

/* ---- what the plan makes ---------------------------------------------- */

EDIT(key_type, ENTRY_KEY_INTENT, 1, with(data, "type", json_string("p-256")))
EDIT(key_purpose, ENTRY_KEY_INTENT, 1,
    with(data, "purpose", json_string("ocsp")))
EDIT(
    key_backup, ENTRY_KEY_INTENT, 1, with(data, "backup", json_string("clone")))
EDIT(crl_profile, ENTRY_INTENT, 1, with(data, "profile", json_string("other")))
EDIT(crl_issuer, ENTRY_INTENT, 1, with(data, "issuer", json_string("other")))
EDIT(certificate_kind, ENTRY_INTENT, 0,
    with(data, "certificate_kind", json_string("subordinate")))
EDIT(subject_key, ENTRY_INTENT, 0,
    with(data, "subject_key", json_string("other")))
EDIT_TEXT(plan_crl_name, "plan", "name: crl-1", "name: crl-2")

/* The root and its result. */
static json_t *
no_root(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return (kind == ENTRY_INTENT || kind == ENTRY_RESULT) && nth == 0
	    ? without(data)
	    : data;
}

static json_t *
no_key(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return (kind == ENTRY_KEY_INTENT || kind == ENTRY_KEY) && nth == 1
	    ? without(data)
	    : data;
}

/* A second key, which nobody planned. */
static json_t *
more_keys(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	if (kind != ENTRY_LIST)
		return data;
	insert(c, ENTRY_KEY_INTENT,
	    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "run", RUN_1, "name",
		"hidden", "id", "ff", "type", "p-384", "purpose", "ca",
		"backup", "none"));
	insert(c, ENTRY_KEY,
	    json_pack("{s:s,s:s,s:s,s:s,s:{},s:i}", "run", RUN_1, "name",
		"hidden", "id", "ff", "spki", "3000", "attributes",
		"generation_mechanism", 0x1040));
	return data;
}

/* The root's key, while the run goes on. */
static json_t *
key_destroyed(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	static char id[33];

	(void)nth;
	if (kind == ENTRY_KEY)
		(void)snprintf(id, sizeof(id), "%s",
		    json_string_value(json_object_get(data, "id")));
	if (kind == ENTRY_CLOSE)
		insert(c, ENTRY_KEY_DESTROYED,
		    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_1, "name",
			"root", "id", id, "objects", 2));
	return data;
}

/* The journal's own key, which another made. */
static json_t *
journal_key_destroyed(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	static char id[33];

	if (kind == ENTRY_KEY && nth == 0)
		(void)snprintf(id, sizeof(id), "%s",
		    json_string_value(json_object_get(data, "id")));
	if (kind == ENTRY_CLOSE)
		insert(c, ENTRY_KEY_DESTROYED,
		    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_1, "name",
			"journal", "id", id, "objects", 2));
	return data;
}

static json_t *
refused_before(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	if (kind == ENTRY_INTENT && nth == 0)
		insert(c, ENTRY_REFUSED,
		    json_pack("{s:s, s:i, s:s, s:s}", "run", RUN_1, "findings",
			0, "report", cast_evidence(c, "[]", 2), "why", "no"));
	if (kind == ENTRY_CLOSE)
		return with(data, "outcome", json_string("refused"));
	return data;
}

EDIT(closed_refused, ENTRY_CLOSE, 0,
    with(data, "outcome", json_string("refused")))

static const struct forgery of_making[] = {
	{ "a key's type", NULL, key_type, NULL, "AUDIT-KEY-INTENT",
	    "key-intent", "'root' of type p-256" },
	{ "a key's purpose", NULL, key_purpose, NULL, "AUDIT-KEY-INTENT",
	    "key-intent", "for 'ocsp'" },
	{ "a key's backup", NULL, key_backup, NULL, "AUDIT-KEY-INTENT",
	    "key-intent", "'clone'" },
	{ "another key", NULL, more_keys, NULL, "AUDIT-KEY-INTENT",
	    "key-intent", "'hidden'" },
	{ "no key", NULL, no_key, NULL, "AUDIT-ACT", "close", "'root'" },
	{ "another profile", NULL, crl_profile, NULL, "AUDIT-INTENT", "intent",
	    "makes no crl 'crl-1'" },
	{ "another issuer", NULL, crl_issuer, NULL, "AUDIT-INTENT", "intent",
	    "makes no crl 'crl-1'" },
	{ "another kind", NULL, certificate_kind, NULL, "AUDIT-INTENT",
	    "intent", "makes no certificate 'root-g1'" },
	{ "another subject key", NULL, subject_key, NULL, "AUDIT-INTENT",
	    "intent", "makes no certificate 'root-g1'" },
	{ "not planned", NULL, NULL, plan_crl_name, "AUDIT-INTENT", "intent",
	    "makes no crl 'crl-1'" },
	{ "planned, and not made", NULL, NULL, plan_crl_name, "AUDIT-ACT",
	    "close", "'crl-2'" },
	{ "listed, and not made", NULL, no_root, NULL, "AUDIT-ACT", "close",
	    "1 objects not signed" },
	{ "a key destroyed", NULL, key_destroyed, NULL, "AUDIT-WAY",
	    "key-destroyed", "not refused" },
	{ "another's key destroyed", NULL, journal_key_destroyed, NULL,
	    "AUDIT-WAY", "key-destroyed", "did not make" },
	{ "refused, and goes on", NULL, refused_before, NULL, "AUDIT-WAY",
	    "intent", "refused before" },
	{ "refused without a word", NULL, closed_refused, NULL, "AUDIT-RUN",
	    "close", "no entry says why" },
	{ "refused, and has acted", NULL, closed_refused, NULL, "AUDIT-WAY",
	    "close", "has done something" },
};

static void
test_making(void **state)
{
	struct cast *c = *state;

	TRY_ALL(c, of_making, ordinary);
	/* It had been confirmed, too. */
	assert_int_equal(count_warnings(c, "AUDIT-RUN"), 1);
}

/* What a newer list leaves out must be confirmed to be left out. */
static void
test_empty_list(void **state)
{
	struct cast *c = *state;

	for (int confirmed = 0; confirmed < 2; confirmed++) {
		struct order order = ordinary_order();

		order.steps = "  - revoke: {issuer: root-g1, serial: AA01, "
			      "reason: keyCompromise}\n";
		cast_reset(c);
		cast_init(c);
		cast_open(c, &order);
		cast_list(c, &order, 0,
		    json_pack("[o]", cast_act(0, "revoke", revoked_data())));
		(confirmed ? cast_list : cast_list_only)(
		    c, &order, 1, json_array());
		cast_close(c, RUN_1, "done");
		cast_audit(c);
		if (confirmed)
			cast_assert_clean(c);
		else
			cast_assert_only(c, "AUDIT-CONFIRMATIONS-MISSING",
			    "close", "list 1");
	}
}

/* Keys alone: there is nothing to confirm. */
static void
test_nothing_to_confirm(void **state)
{
	struct order order = { .run = RUN_1,
		.plan = "keys",
		.steps = "  - generate-key: {key: root, type: p-384, "
			 "purpose: ca, backup: none}\n" };
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	cast_open(c, &order);
	cast_key(c, RUN_1, "root");
	cast_list_only(c, &order, 0, json_array());
	cast_close(c, RUN_1, "done");
	cast_audit(c);
	cast_assert_clean(c);
}

/* Refused before anything was done; but the key is still there. */
static void
test_refused(void **state)
{
	struct cast *c = *state;

	for (unsigned destroyed = 0; destroyed < 2; destroyed++) {
		struct order order = ordinary_order();

		cast_reset(c);
		cast_init(c);
		cast_open(c, &order);
		cast_add(c, ENTRY_KEY_INTENT,
		    json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "run", RUN_1, "name",
			"root", "id", "fe", "type", "p-384", "purpose", "ca",
			"backup", "none"));
		cast_add(c, ENTRY_KEY,
		    json_pack("{s:s,s:s,s:s,s:s,s:{},s:i}", "run", RUN_1,
			"name", "root", "id", "fe", "spki", "3000",
			"attributes", "generation_mechanism", 0x1040));
		cast_add(c, ENTRY_REFUSED,
		    json_pack("{s:s, s:i, s:s, s:s}", "run", RUN_1, "findings",
			0, "report", cast_evidence(c, "[]", 2), "why", "no"));
		if (destroyed)
			cast_add(c, ENTRY_KEY_DESTROYED,
			    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_1,
				"name", "root", "id", "fe", "objects", 2));
		cast_close(c, RUN_1, "refused");
		cast_audit(c);
		if (destroyed)
			cast_assert_clean(c);
		else
			cast_assert_only(
			    c, "AUDIT-WAY", "close", "not destroyed");
	}
}

/* ---- possibly signed -------------------------------------------------- */

/* The serial of what the run perhaps signed is revoked without being listed. */
static void
test_consequence(void **state)
{
	struct cast *c = *state;
	struct order order = ordinary_order();
	json_t *data;

	cast_reset(c);
	cast_init(c);
	cast_open(c, &order);
	cast_key(c, RUN_1, "root");
	cast_list(c, &order, 0, ordinary_lines());
	c->edit = no_root;
	c->seen[ENTRY_RESULT] = 0;
	c->seen[ENTRY_INTENT] = 1;
	cast_intent(c, RUN_1, 0, 0, "certificate", "root-g1");
	c->edit = NULL;
	cast_login(c, RUN_1);
	cast_add(c, ENTRY_RESUMED,
	    json_pack("{s:s, s:s}", "run", RUN_1, "serial", "0001"));
	cast_add(c, ENTRY_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b}", "run", RUN_1, "list", 0,
		"object", 0, "name", "root-g1", "why", "cut off",
		"possibly_signed", 1));
	data = with(revoked_data(), "run", json_string(RUN_1));
	data = with(data, "cause", json_string("possibly signed"));
	data = with(data, "reason", json_string("superseded"));
	cast_add(c, ENTRY_REVOKED,
	    with(data, "serial", json_string("00aabbccddeeff00112233")));
	cast_audit(c);
	cast_assert_clean(c);
	/* Another serial is none. */
	data = with(revoked_data(), "run", json_string(RUN_1));
	cast_add(
	    c, ENTRY_REVOKED, with(data, "serial", json_string("00aabbcc")));
	cast_audit(c);
	cast_assert_only(c, "AUDIT-ACT", "revoked", "00aabbcc");
}

/* ---- unattended ------------------------------------------------------- */

#define CRL_STEP "  - crl: {name: crl-1, issuer: root-g1, profile: ca-crl}\n"

static const char *unattended_steps;

static void
unattended(struct cast *c)
{
	struct order order = { .run = RUN_1,
		.plan = "crl",
		.steps = unattended_steps,
		.unattended = true };

	cast_init(c);
	cast_open(c, &order);
	cast_list_only(
	    c, &order, 0, json_pack("[o]", cast_object(0, "crl", "crl-1")));
	cast_intent(c, RUN_1, 0, 0, "crl", "crl-1");
	cast_close(c, RUN_1, "done");
}

static void
test_unattended(void **state)
{
	struct cast *c = *state;

	unattended_steps = CRL_STEP;
	cast_reset(c);
	c->config = "unattended:\n  - crl\n";
	unattended(c);
	cast_audit(c);
	cast_assert_clean(c);
	/* Not allowed at all. */
	cast_reset(c);
	unattended(c);
	cast_audit(c);
	cast_assert_found(
	    c, "AUDIT-CONFIRMATIONS-MISSING", "plan", "did not let");
	cast_assert_found(c, "AUDIT-CONFIRMATIONS-MISSING", "intent", "list 0");
	/* Another kind of step, whatever authority.yaml says. */
	unattended_steps = CRL_STEP
	    "  - generate-key: {key: k, type: p-384, purpose: ca, backup: none}\n";
	cast_reset(c);
	c->config = "unattended:\n  - crl\n  - generate-key\n";
	unattended(c);
	cast_audit(c);
	cast_assert_found(
	    c, "AUDIT-CONFIRMATIONS-MISSING", "plan", "did not let");
	/* Approvals are needed all the same. */
	unattended_steps = CRL_STEP;
	cast_reset(c);
	c->config = "unattended:\n  - crl\n";
	c->forged.on = true;
	c->forged.purpose = c->forged.as = SIGNATURE_APPROVE;
	c->forged.who = BOB;
	c->forged.by = CAROL;
	unattended(c);
	cast_audit(c);
	cast_assert_found(c, "AUDIT-APPROVALS-MISSING", "list", "2 operators");
}

/* A root's key never signs unattended. */
static void
test_unattended_root(void **state)
{
	struct cast *c = *state;
	struct order order = { .run = RUN_2,
		.plan = "crl",
		.steps = "  - crl: {name: crl-2, issuer: root-g1, "
			 "profile: ca-crl}\n",
		.unattended = true };

	cast_reset(c);
	c->config = "unattended:\n  - crl\n";
	ordinary(c);
	cast_open(c, &order);
	cast_list_only(
	    c, &order, 0, json_pack("[o]", cast_object(0, "crl", "crl-2")));
	cast_add(c, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:o, s:s, s:o, s:s, s:o, s:s,"
		      "s:s, s:s, s:s, s:i}",
		"run", RUN_2, "list", 0, "object", 0, "kind", "crl", "name",
		"crl-2", "key", hash_json("signer"), "algorithm",
		"300a06082a8648ce3d040303", "tbs", hash_json("crl-2"), "issuer",
		"root-g1", "issuer_dn", hash_json(DN), "profile", "ca-crl",
		"number", "2", "this_update", "2026-11-20T12:00:00Z",
		"next_update", "2027-11-20T12:00:00Z", "entries", 1));
	cast_audit(c);
	cast_assert_only(
	    c, "AUDIT-CONFIRMATIONS-MISSING", "intent", "a root's key");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_unlisted_number),
		cmocka_unit_test(test_newer_list),
		cmocka_unit_test(test_making),
		cmocka_unit_test(test_empty_list),
		cmocka_unit_test(test_nothing_to_confirm),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_consequence),
		cmocka_unit_test(test_unattended),
		cmocka_unit_test(test_unattended_root),
	};

	return cmocka_run_group_tests(tests, cast_setup, cast_teardown);
}
