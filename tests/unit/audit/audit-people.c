/* People in an audit: sets, statements, anchors, events, logins. */
#include "ceremony/journal/event-content.h"
#include "ceremony/journal/store.h"
#include "people-support.h"

/* ---- sets ------------------------------------------------------------- */

/* A signature by another, or for another purpose. */
#define FORGED(purpose_, who_, by_, as_)                     \
	c->forged.on = true, c->forged.purpose = (purpose_), \
	c->forged.who = (who_), c->forged.by = (by_), c->forged.as = (as_)

static void
enrol_by_mallory(struct cast *c)
{
	FORGED(SIGNATURE_ENROL, ALICE, MALLORY, SIGNATURE_ENROL);
}

static void
enrol_by_bob(struct cast *c)
{
	FORGED(SIGNATURE_ENROL, ALICE, BOB, SIGNATURE_ENROL);
}

static void
enrol_as_approval(struct cast *c)
{
	FORGED(SIGNATURE_ENROL, ALICE, ALICE, SIGNATURE_APPROVE);
}

static json_t *
other_key(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 1
	    ? with(data, "sign",
		  json_string("00000000000000000000000000000000000000000000000"
			      "00000000000000001"))
	    : data;
}

static json_t *
other_decrypt_key(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 1
	    ? with(data, "decrypt",
		  json_string("00000000000000000000000000000000000000000000000"
			      "00000000000000001"))
	    : data;
}

static json_t *
other_share(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 1
	    ? with(data, "share",
		  json_string("00000000000000000000000000000000000000000000000"
			      "00000000000000001"))
	    : data;
}

static json_t *
no_share(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 1
	    ? with(data, "share", json_null())
	    : data;
}

static json_t *
no_certificate(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	if (kind == ENTRY_ENROLMENT && nth == 1)
		assert_int_equal(json_object_del(data, "certificate"), 0);
	return data;
}

static json_t *
no_witness(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 3 ? without(data) : data;
}

static json_t *
other_witness(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ENROLMENT && nth == 3
	    ? with(data, "name", json_string("wanda"))
	    : data;
}

static json_t *
lower_threshold(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	return kind == ENTRY_QUORUM ? with(data, "threshold", json_integer(1))
				    : data;
}

static json_t *
no_commitments(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	return kind == ENTRY_QUORUM ? with(data, "commitments", json_null())
				    : data;
}

static json_t *
no_quorum(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	return kind == ENTRY_QUORUM ? without(data) : data;
}

static char *
set_of_another(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "set.yaml") == 0
	    ? replaced(text, "authority: \"example\"", "authority: \"elsewhr\"")
	    : NULL;
}

static char *
set_with_blank(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "set.yaml") == 0 ? text_printf("%s\n", text) : NULL;
}

/* The first certificate that is put: a decryption one, of Alice. */
static char *
certificate_no_pem(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "certificate") == 0 ? replaced(text, "-----B", "B")
						: NULL;
}

static char *
certificate_twice(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "certificate") == 0
	    ? text_printf("%s%s", text, text)
	    : NULL;
}

/* What was signed speaks of another share. */
static char *
enrolled_otherwise(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "enrolment") == 0
	    ? replaced(text, "operator: ", "operator:  ")
	    : NULL;
}

static char *
other_anchor(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "anchor") == 0
	    ? replaced(text, "authority: example", "authority: elsewhr")
	    : NULL;
}

static void
anchor_by_mallory(struct cast *c)
{
	FORGED(SIGNATURE_ANCHOR, BOB, MALLORY, SIGNATURE_ANCHOR);
}

static json_t *
no_anchor(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_ANCHOR && nth == 1 ? without(data) : data;
}

static char *
config_of_another(
    struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "config") == 0
	    ? replaced(text, "id: example", "id: elsewhr")
	    : NULL;
}

static char *
config_broken(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "config") == 0
	    ? replaced(text, "login: derived", "lgoin: derived")
	    : NULL;
}

/* Somebody enrols in a set that nobody founds, among those who do in another. */
static json_t *
stray(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	if (kind == (nth == 0 ? ENTRY_QUORUM : ENTRY_KINDS))
		assert_ok(journal_append(c->journal, ENTRY_ENROLMENT,
		    json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:n}", "set",
			"abababababababababababababababab", "name", "mallory",
			"role", "witness", "sign",
			"0000000000000000000000000000000000000000000000000"
			"000000000000001",
			"decrypt", "share", "statement"),
		    "mallory enrols", NULL));
	return data;
}

static const struct forgery of_sets[] = {
	{ "an enrolment in another set", NULL, stray, NULL, "AUDIT-ENROLMENT",
	    "enrolment", "not founded" },
	{ "enrolment by a forger of the same names", enrol_by_mallory, NULL,
	    NULL, "AUDIT-ENROLMENT", "quorum", "'alice' has not signed" },
	{ "enrolment by another operator", enrol_by_bob, NULL, NULL,
	    "AUDIT-ENROLMENT", "quorum", "'alice' has not signed" },
	{ "an approval as enrolment", enrol_as_approval, NULL, NULL,
	    "AUDIT-ENROLMENT", "quorum", "'alice' has not signed" },
	{ "another statement signed", NULL, NULL, enrolled_otherwise,
	    "AUDIT-ENROLMENT", "quorum", "'bob' has not signed" },
	{ "another share", NULL, other_share, NULL, "AUDIT-ENROLMENT", "quorum",
	    "'bob' has not signed" },
	{ "another key", NULL, other_key, NULL, "AUDIT-ENROLMENT", "enrolment",
	    "not for the key" },
	{ "another key, in the set", NULL, other_key, NULL, "AUDIT-SET",
	    "quorum", "'bob' stands in set.yaml" },
	{ "another decryption key", NULL, other_decrypt_key, NULL,
	    "AUDIT-ENROLMENT", "enrolment", "not for the key" },
	{ "no share", NULL, no_share, NULL, "AUDIT-ENROLMENT", "enrolment",
	    "only some of" },
	{ "no certificate", NULL, no_certificate, NULL, "AUDIT-ENROLMENT",
	    "enrolment", "without a certificate" },
	{ "certificate no PEM", NULL, NULL, certificate_no_pem,
	    "AUDIT-ENROLMENT", "enrolment", "is no PEM" },
	{ "two certificates", NULL, NULL, certificate_twice, "AUDIT-ENROLMENT",
	    "enrolment", "alice" },
	{ "a member who has not enrolled", NULL, no_witness, NULL, "AUDIT-SET",
	    "quorum", "nobody who has enrolled" },
	{ "somebody besides the members", NULL, other_witness, NULL,
	    "AUDIT-SET", "quorum", "nobody who has enrolled" },
	{ "a lower threshold", NULL, lower_threshold, NULL, "AUDIT-SET",
	    "quorum", "2 of 3 operators" },
	{ "no commitments", NULL, no_commitments, NULL, "AUDIT-SET", "quorum",
	    "the entry says otherwise" },
	{ "no set behind enrolments", NULL, no_quorum, NULL, "AUDIT-ENROLMENT",
	    "enrolment", "not founded" },
	{ "ready without a set", NULL, no_quorum, NULL, "AUDIT-SET", "state",
	    "no set is in force" },
	{ "set of another authority", NULL, NULL, set_of_another, "AUDIT-SET",
	    "quorum", "elsewhr" },
	{ "set written otherwise", NULL, NULL, set_with_blank, "AUDIT-SET",
	    "quorum", "not written as ca-tool writes it" },
	{ "anchor of another authority", NULL, NULL, other_anchor,
	    "AUDIT-ANCHOR-SIGNATURE", "anchor", "'bob' signed is not" },
	{ "anchor by a forger", anchor_by_mallory, NULL, NULL,
	    "AUDIT-ANCHOR-SIGNATURE", "anchor", "" },
	{ "ready without an anchor", NULL, no_anchor, NULL,
	    "AUDIT-ANCHOR-SIGNATURE", "state", "'bob'" },
	{ "authority.yaml of another", NULL, NULL, config_of_another,
	    "AUDIT-CONFIG", "config", "elsewhr" },
	{ "authority.yaml malformed", NULL, NULL, config_broken, "AUDIT-CONFIG",
	    "config", "cannot be read" },
};

static void
test_sets(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_sets, cast_init);
}

/* Bytes that are gone, or others under their hash. */
static void
test_evidence_gone(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	assert_ok(sql_run(c->journal, NULL,
	    "UPDATE evidence SET bytes = x'00', size = 1", NULL));
	cast_audit(c);
	cast_assert_found(
	    c, "AUDIT-ENROLMENT", "enrolment", "not among the evidence");
	cast_assert_found(c, "AUDIT-SET", "quorum", "not among the evidence");
	cast_assert_found(c, "AUDIT-ANCHOR-SIGNATURE", "state", "alice");
	cast_assert_found(c, "AUDIT-CONFIG", "config", "not among");
	/* What is missing altogether, the entries cannot even be applied to. */
	cast_reset(c);
	cast_init(c);
	assert_ok(sql_run(c->journal, NULL, "DELETE FROM evidence", NULL));
	cast_audit(c);
	cast_assert_found(c, "AUDIT-SET", "state", "no set is in force");
}

static size_t
count_warnings(const struct cast *c, const char *id)
{
	size_t n = 0;

	for (size_t i = 0; i < c->found.count; i++)
		n += c->found.rows[i].severity == FINDING_WARNING &&
		    strcmp(c->found.rows[i].id, id) == 0;
	return n;
}

/* Allowed by the set file, and said loudly. */
static void
test_single_control(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	cast_audit(c);
	assert_int_equal(count_warnings(c, "AUDIT-SET"), 0);
	cast_reset(c);
	c->threshold = 1;
	cast_init(c);
	cast_audit(c);
	assert_int_equal(count_warnings(c, "AUDIT-SET"), 1);
	assert_int_equal(c->found.rows[0].severity, FINDING_WARNING);
}

/* ---- approvals and confirmations -------------------------------------- */

#define STEPS "  - crl: {name: crl-1, issuer: root-g1, profile: ca-crl}\n"

static void
make_run(struct cast *c)
{
	struct order order = { .run = RUN_1, .plan = "p", .steps = STEPS };
	json_t *lines;

	cast_init(c);
	cast_open(c, &order);
	lines = json_pack("[o]", cast_object(0, "crl", "crl-1"));
	cast_list(c, &order, 0, lines);
	cast_intent(c, RUN_1, 0, 0, "crl", "crl-1");
	cast_close(c, RUN_1, "done");
}

#define SIGNED_BY(name, purpose, who, by, as) \
	static void name(struct cast *c)      \
	{                                     \
		FORGED(purpose, who, by, as); \
	}

SIGNED_BY(
    approved_by_mallory, SIGNATURE_APPROVE, ALICE, MALLORY, SIGNATURE_APPROVE)
SIGNED_BY(approved_by_bob, SIGNATURE_APPROVE, ALICE, BOB, SIGNATURE_APPROVE)
SIGNED_BY(
    approved_by_rehearsal, SIGNATURE_APPROVE, ALICE, ALICE, SIGNATURE_REHEARSE)
SIGNED_BY(
    confirmed_by_mallory, SIGNATURE_CONFIRM, BOB, MALLORY, SIGNATURE_CONFIRM)
SIGNED_BY(confirmed_by_approval, SIGNATURE_CONFIRM, BOB, BOB, SIGNATURE_APPROVE)
SIGNED_BY(
    confirmed_by_rehearsal, SIGNATURE_CONFIRM, BOB, BOB, SIGNATURE_REHEARSE)

static json_t *
one_approval(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_APPROVAL && nth == 1 ? without(data) : data;
}

static json_t *
one_confirmation(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_CONFIRMATION && nth == 1 ? without(data) : data;
}

/* Carol takes Bob's signature for hers. */
static json_t *
signature_of_another(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_APPROVAL && nth == 1
	    ? with(data, "name", json_string("carol"))
	    : data;
}

static const struct forgery of_statements[] = {
	{ "approval by a forger", approved_by_mallory, NULL, NULL,
	    "AUDIT-APPROVAL", "approval", "" },
	{ "... does not count", approved_by_mallory, NULL, NULL,
	    "AUDIT-APPROVALS-MISSING", "list", "2 operators" },
	{ "approval by another", approved_by_bob, NULL, NULL, "AUDIT-APPROVAL",
	    "approval", "another certificate" },
	{ "approval for another purpose", approved_by_rehearsal, NULL, NULL,
	    "AUDIT-APPROVAL", "approval", "" },
	{ "approval under another name", NULL, signature_of_another, NULL,
	    "AUDIT-APPROVAL", "approval", "another certificate" },
	{ "one approval", NULL, one_approval, NULL, "AUDIT-APPROVALS-MISSING",
	    "list", "2 operators" },
	{ "confirmation by a forger", confirmed_by_mallory, NULL, NULL,
	    "AUDIT-CONFIRMATION", "confirmation", "" },
	{ "... does not count", confirmed_by_mallory, NULL, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "intent", "list 0" },
	{ "an approval as confirmation", confirmed_by_approval, NULL, NULL,
	    "AUDIT-CONFIRMATION", "confirmation", "" },
	{ "a rehearsal as confirmation", confirmed_by_rehearsal, NULL, NULL,
	    "AUDIT-CONFIRMATION", "confirmation", "" },
	{ "one confirmation", NULL, one_confirmation, NULL,
	    "AUDIT-CONFIRMATIONS-MISSING", "intent", "list 0" },
};

static void
test_statements(void **state)
{
	struct cast *c = *state;

	cast_reset(c);
	make_run(c);
	cast_audit(c);
	cast_assert_clean(c);
	TRY_ALL(c, of_statements, make_run);
}

/* ---- logins ----------------------------------------------------------- */

static void
stranger(struct cast *c)
{
	c->people = "alice bob mallory";
}

static void
alone(struct cast *c)
{
	c->people = "alice";
}

static void
twice(struct cast *c)
{
	c->people = "alice alice";
}

static void
with_witness(struct cast *c)
{
	c->people = "alice wendy";
}

static json_t *
no_login(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_LOGIN && nth == 1 ? without(data) : data;
}

static const struct forgery of_logins[] = {
	{ "a stranger", stranger, NULL, NULL, "AUDIT-LOGIN", "login",
	    "no operator" },
	{ "one alone", alone, NULL, NULL, "AUDIT-LOGIN", "login", "fewer" },
	{ "one twice", twice, NULL, NULL, "AUDIT-LOGIN", "login", "fewer" },
	{ "a witness", with_witness, NULL, NULL, "AUDIT-LOGIN", "login",
	    "no operator" },
	{ "no login", NULL, no_login, NULL, "AUDIT-LOGIN", "plan", "no login" },
};

static json_t *
other_serial(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	return kind == ENTRY_LOGIN && nth == 1
	    ? with(data, "serial", json_string("0003"))
	    : data;
}

static char *
other_module(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "manifest") == 0
	    ? replaced(text, "{", "{\"module\": {\"sha256\": \"ff\"},")
	    : NULL;
}

/* Somebody else than those who gave their shares. */
static json_t *
other_people(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	json_t *people;

	(void)nth;
	if (kind != ENTRY_INTENT)
		return data;
	people =
	    json_pack("[{s:s, s:s}]", "name", "mallory", "role", "operator");
	assert_ok(journal_set_people(c->journal, people));
	json_decref(people);
	return data;
}

static void
test_logins(void **state)
{
	struct cast *c = *state;

	TRY_ALL(c, of_logins, make_run);
	cast_reset(c);
	c->edit = other_serial;
	make_run(c);
	cast_audit(c);
	assert_int_equal(count_warnings(c, "AUDIT-LOGIN"), 1);
	cast_reset(c);
	c->edit_text = other_module;
	make_run(c);
	cast_audit(c);
	assert_int_equal(count_warnings(c, "AUDIT-LOGIN"), 1);
	cast_reset(c);
	c->edit = other_people;
	make_run(c);
	cast_audit(c);
	cast_assert_only(c, "AUDIT-PEOPLE", "intent", "opened the token");
}

/* ---- events ----------------------------------------------------------- */

#define EVENT                          \
	"format: ca-tool-event-1\n"    \
	"event: note\n"                \
	"when: 2026-11-20T12:00:00Z\n" \
	"note: the lamp in the room was changed\n"

static enum who clerk;

#define SENTENCE \
	"note: the lamp in the room was changed (2026-11-20T12:00:00Z; entered by "

/* What the entry says instead. */
static const char *lie;

static void
make_event(struct cast *c)
{
	AUTO_CHARS(sentence) = text_printf(SENTENCE "%s)", cast_names[clerk]);
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(text) = NULL;
	char file[HASH_HEX_SIZE], content_hex[HASH_HEX_SIZE];
	struct event_content content = {
		.name = cast_names[clerk], .event = "note", .file = file
	};

	cast_init(c);
	(void)snprintf(
	    file, sizeof(file), "%s", cast_evidence(c, EVENT, strlen(EVENT)));
	assert_ok(journal_authority(c->journal, &row));
	assert_ok(journal_head(c->journal, &content.size, content.root));
	content.authority = row.id;
	content.set = c->set->id;
	memcpy(content.genesis, row.genesis, HASH_LEN);
	assert_ok(event_content_text(&content, &text));
	if (c->edit_text != NULL) {
		char *other = c->edit_text(c, "content", 0, text);

		if (other != NULL) {
			free(text);
			text = other;
		}
	}
	(void)snprintf(content_hex, sizeof(content_hex), "%s",
	    cast_evidence(c, text, strlen(text)));
	c->text = lie == NULL ? sentence : lie;
	cast_add(c, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "event",
		"note", "when", "2026-11-20T12:00:00Z", "note",
		"the lamp in the room was changed", "by", cast_names[clerk],
		"set", c->set->id, "content", content_hex, "statement",
		cast_sign(c, SIGNATURE_EVENT, clerk, text, strlen(text)),
		"file", file));
	c->text = NULL;
}

SIGNED_BY(entered_by_mallory, SIGNATURE_EVENT, ALICE, MALLORY, SIGNATURE_EVENT)
SIGNED_BY(entered_by_approval, SIGNATURE_EVENT, ALICE, ALICE, SIGNATURE_APPROVE)

static json_t *
edit_event(struct cast *c, enum entry_kind kind, const char *member,
    const char *value, json_t *data)
{
	(void)c;
	return kind == ENTRY_EVENT
	    ? with(data, member,
		  value == NULL ? json_null() : json_string(value))
	    : data;
}

static json_t *
other_note(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "note", "nothing was changed", data);
}

static json_t *
other_clerk(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "by", "bob", data);
}

static json_t *
stranger_clerk(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "by", "mallory", data);
}

static json_t *
not_signed(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	if (kind == ENTRY_EVENT)
		assert_int_equal(json_object_del(data, "statement"), 0);
	return data;
}

static json_t *
other_kind(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "event", "security", data);
}

static json_t *
unsigned_backup(
    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)c;
	(void)nth;
	if (kind != ENTRY_EVENT)
		return data;
	json_decref(data);
	return json_pack("{s:s, s:s}", "event", "backup", "serial", "1");
}

/* It was signed for another place: the size is not the entry's number. */
static char *
other_place(struct cast *c, const char *what, unsigned nth, const char *text)
{
	(void)c;
	(void)nth;
	return strcmp(what, "content") == 0
	    ? replaced(text, "size: ", "size: 1")
	    : NULL;
}

static json_t *
other_set(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(
	    c, kind, "set", "000102030405060708090a0b0c0d0e0f", data);
}

static json_t *
more_members(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "witnessed_by", "the auditor", data);
}

static json_t *
of_no_run(struct cast *c, enum entry_kind kind, unsigned nth, json_t *data)
{
	(void)nth;
	return edit_event(c, kind, "run", RUN_1, data);
}

/* In the place of the one that is signed. */
static json_t *
instead(enum entry_kind kind, json_t *data, json_t *other)
{
	json_decref(kind == ENTRY_EVENT ? data : other);
	return kind == ENTRY_EVENT ? other : data;
}

#define INSTEAD(name, ...)                                                    \
	static json_t *name(                                                  \
	    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data) \
	{                                                                     \
		(void)c;                                                      \
		(void)nth;                                                    \
		return instead(kind, data, json_pack(__VA_ARGS__));           \
	}

INSTEAD(unknown_kind, "{s:s}", "event", "audit-passed")
INSTEAD(note_of_nobody, "{s:s, s:s}", "event", "note", "text", "all is well")
INSTEAD(note_without_run, "{s:s, s:s, s:s}", "event", "note", "run", RUN_3,
    "text", "all is well")
INSTEAD(note_by_claim, "{s:s, s:s, s:s, s:s}", "event", "note", "run", RUN_1,
    "text", "all is well", "by", "carol")
INSTEAD(
    restored_and_more, "{s:s, s:s}", "event", "token-restored", "by", "carol")
INSTEAD(
    changed_in_no_run, "{s:s, s:s}", "event", "module-changed", "run", RUN_1)

static const struct forgery of_events[] = {
	{ "another member", NULL, more_members, NULL, "AUDIT-EVENT", "event",
	    "'witnessed_by' is not in the event file" },
	{ "a run that is not open", NULL, of_no_run, NULL, "AUDIT-EVENT",
	    "event", "does not name the run" },
	{ "a kind that there is not", NULL, unknown_kind, NULL, "AUDIT-EVENT",
	    "event", "nobody has signed" },
	{ "a note of nobody", NULL, note_of_nobody, NULL, "AUDIT-EVENT",
	    "event", "nobody has signed" },
	{ "a note of no run", NULL, note_without_run, NULL, "AUDIT-EVENT",
	    "event", "there is not" },
	{ "a note with a claim", NULL, note_by_claim, NULL, "AUDIT-EVENT",
	    "event", "nobody has signed" },
	{ "a restored token with a claim", NULL, restored_and_more, NULL,
	    "AUDIT-EVENT", "event", "nobody has signed" },
	{ "another module in no run", NULL, changed_in_no_run, NULL,
	    "AUDIT-EVENT", "event", "there is not" },
	{ "by a forger", entered_by_mallory, NULL, NULL, "AUDIT-EVENT", "event",
	    "" },
	{ "for another purpose", entered_by_approval, NULL, NULL, "AUDIT-EVENT",
	    "event", "" },
	{ "another text", NULL, other_note, NULL, "AUDIT-EVENT", "event",
	    "'note' is not what" },
	{ "another name", NULL, other_clerk, NULL, "AUDIT-EVENT", "event",
	    "'bob' signed is not" },
	{ "a stranger", NULL, stranger_clerk, NULL, "AUDIT-EVENT", "event",
	    "'mallory' has no certificate" },
	{ "not signed", NULL, not_signed, NULL, "AUDIT-EVENT", "event",
	    "nobody has signed" },
	{ "another kind", NULL, other_kind, NULL, "AUDIT-EVENT", "event",
	    "'event' is not what" },
	{ "a backup by nobody", NULL, unsigned_backup, NULL, "AUDIT-EVENT",
	    "event", "nobody has signed" },
	{ "for another place", NULL, NULL, other_place, "AUDIT-EVENT", "event",
	    "at this place" },
	{ "of a set that is not in force", NULL, other_set, NULL, "AUDIT-EVENT",
	    "event", "is not in force" },
};

static void
test_events(void **state)
{
	struct cast *c = *state;

	for (clerk = ALICE; clerk <= WENDY; clerk += WENDY - ALICE) {
		cast_reset(c);
		make_event(c);
		cast_audit(c);
		cast_assert_clean(c);
	}
	clerk = ALICE;
	TRY_ALL(c, of_events, make_event);
	lie = "the root key was destroyed";
	cast_reset(c);
	make_event(c);
	cast_audit(c);
	cast_assert_only(c, "AUDIT-EVENT", "event", "the entry's text");
	lie = NULL;
}

/* What ca-tool says of itself, and a note at a prompt, nobody signs. */
static void
test_own_events(void **state)
{
	struct order order = { .run = RUN_1, .plan = "p", .steps = STEPS };
	struct cast *c = *state;

	cast_reset(c);
	cast_init(c);
	cast_add(c, ENTRY_EVENT, json_pack("{s:s}", "event", "token-restored"));
	cast_open(c, &order);
	cast_add(c, ENTRY_EVENT,
	    json_pack("{s:s, s:s}", "event", "module-changed", "run", RUN_1));
	c->text = "note: the light went out";
	cast_add(c, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s}", "event", "note", "run", RUN_1, "text",
		"the light went out"));
	cast_audit(c);
	cast_assert_clean(c);
	c->text = "the light never went out";
	cast_add(c, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s}", "event", "note", "run", RUN_1, "text",
		"the light went out"));
	cast_audit(c);
	cast_assert_only(c, "AUDIT-EVENT", "event", "the entry's text");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_evidence_gone),
		cmocka_unit_test(test_single_control),
		cmocka_unit_test(test_statements),
		cmocka_unit_test(test_logins),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_own_events),
	};

	return cmocka_run_group_tests(tests, cast_setup, cast_teardown);
}
