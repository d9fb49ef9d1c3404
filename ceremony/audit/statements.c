/*
 * What people signed during runs and between them, and who opened the token.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"
#include "ceremony/event.h"
#include "ceremony/journal/event-content.h"
#include "ceremony/quorum/signature.h"

/* ---- verifying -------------------------------------------------------- */

/* One signature over evidence. */
struct signing {
	enum signature_purpose purpose;
	const char *id; /* of findings */
	const char *set, *name;
	const char *content, *statement; /* SHA-256, hex */
	bool witness;                    /* may be by one */
};

/* Who signed it, if that is somebody whose signature can count. */
static struct audit_person *
signer_of(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const struct signing *s)
{
	struct audit_person *person = audit_find_person(state, s->set, s->name);

	if (person == NULL || person->x509 == NULL)
		audit_error(audit, entry, s->id,
		    "'%s' has no certificate in set %s with which the "
		    "signature could be verified",
		    s->name, s->set);
	else if (person->witness && !s->witness)
		audit_error(audit, entry, s->id,
		    "'%s' is a witness of set %s, and no operator", s->name,
		    s->set);
	else
		return person;
	return NULL;
}

static int
verify(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const struct signing *s, bool *ret_valid)
{
	struct audit_person *person = signer_of(audit, state, entry, s);
	AUTO_BYTES(content) = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0, der_len = 0;

	*ret_valid = false;
	if (person == NULL)
		return 0;
	if (audit_evidence_bytes(audit, s->content, &content, &len) != 0 ||
	    audit_evidence_bytes(audit, s->statement, &der, &der_len) != 0)
		return -1;
	if (content == NULL || der == NULL)
		return 0; /* the evidence has a finding */
	if (signature_verify(
		s->purpose, content, len, der, der_len, person->x509) != 0)
		return audit_take_error(audit, entry, s->id);
	*ret_valid = true;
	return 0;
}

static int
keep_valid(struct audit *audit, const struct audit_entry *entry, int64_t list)
{
	const char *name = audit_text(entry, "name");

	return sql_run(audit->journal, name,
	    "INSERT INTO audit_valid (run, list, name) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(sql_text(audit_text(entry, "run")), sql_int(list),
		sql_text(name)));
}

/* The entry's own place among the run's was checked when it was applied. */
int
audit_approval(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	const struct signing s = {
		.purpose = SIGNATURE_APPROVE,
		.id = "AUDIT-APPROVAL",
		.set = audit_text(entry, "set"),
		.name = audit_text(entry, "name"),
		.content = audit_text(entry, "manifest"),
		.statement = audit_text(entry, "statement"),
	};
	bool valid;

	if (verify(audit, state, entry, &s, &valid) != 0)
		return -1;
	return valid ? keep_valid(audit, entry, -1) : 0;
}

int
audit_confirmation(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	const struct signing s = {
		.purpose = SIGNATURE_CONFIRM,
		.id = "AUDIT-CONFIRMATION",
		.set = audit_text(entry, "set"),
		.name = audit_text(entry, "name"),
		.content = audit_text(entry, "sha256"),
		.statement = audit_text(entry, "statement"),
	};
	bool valid;

	if (verify(audit, state, entry, &s, &valid) != 0)
		return -1;
	return valid ? keep_valid(audit, entry, audit_number(entry, "list"))
		     : 0;
}

/* ---- events ----------------------------------------------------------- */

/*
 * What ca-tool says of itself, and nobody signs.  A note may still be typed at
 * a prompt behind the close of its run, and what a run that is closed has yet
 * to publish is published with whatever module there is.
 */
static const struct own_event {
	const char *name;
	enum { RUN_NONE, RUN_KNOWN, RUN_OPEN } run;
	const char *members[6]; /* all of them */
} own_events[] = {
	{ "token-restored", RUN_NONE, { "event" } },
	{ "note", RUN_KNOWN, { "event", "run", "text" } },
	{ "module-changed", RUN_KNOWN, { "event", "run" } },
	{ "set-founded", RUN_OPEN, { "event", "run", "set", "sha256" } },
	{ "backup-fate", RUN_OPEN,
	    { "event", "run", "serial", "fate", "note" } },
	{ "so-pin-not-changed", RUN_OPEN, { "event", "run" } },
	{ "so-pin-intended-again", RUN_OPEN, { "event", "run" } },
	{ "user-pin-not-changed", RUN_OPEN, { "event", "run" } },
	{ "user-pin-intended-again", RUN_OPEN, { "event", "run" } },
};

/* It has these members, and no others. */
static bool
has_members(const struct audit_entry *entry, const struct own_event *own)
{
	size_t count = 0;

	while (own->members[count] != NULL)
		if (audit_text(entry, own->members[count++]) == NULL)
			return false;
	return json_object_size(entry->data) == count;
}

/* NULL where ca-tool says no such thing. */
static const struct own_event *
own_event_of(const struct audit_entry *entry)
{
	for (size_t i = 0; i < sizeof(own_events) / sizeof(own_events[0]); i++)
		if (strcmp(own_events[i].name, audit_text(entry, "event")) ==
			0 &&
		    has_members(entry, &own_events[i]))
			return &own_events[i];
	return NULL;
}

/* The sentence of the entry is this one. */
static void
check_sentence(
    struct audit *audit, const struct audit_entry *entry, const char *wanted)
{
	const char *text =
	    json_string_value(json_object_get(entry->entry, "text"));

	if (text == NULL || strcmp(text, wanted) != 0)
		audit_error(audit, entry, "AUDIT-EVENT",
		    "the entry's text is not what its event says");
}

static int
check_own_event(struct audit *audit, const struct audit_entry *entry,
    const struct own_event *own)
{
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_CHARS(note) = NULL;
	bool found = false;

	if (own->run != RUN_NONE &&
	    journal_run(
		audit->journal, audit_text(entry, "run"), &found, &row) != 0)
		return -1;
	if (own->run != RUN_NONE &&
	    (!found || (own->run == RUN_OPEN && !row.open)))
		audit_error(audit, entry, "AUDIT-EVENT",
		    "'%s' is of a run that %s", own->name,
		    found ? "is over" : "there is not");
	if (strcmp(own->name, "note") != 0)
		return 0;
	note = text_printf("note: %s", audit_text(entry, "text"));
	if (note == NULL)
		return -1;
	check_sentence(audit, entry, note);
	return 0;
}

/* What was signed speaks of this journal as it was here, and of this file. */
static int
check_content(struct audit *audit, const struct audit_entry *entry,
    const unsigned char *content, size_t len)
{
	struct event_content wanted = { .size = entry->seq,
		.set = audit_text(entry, "set"),
		.name = audit_text(entry, "by"),
		.event = audit_text(entry, "event"),
		.file = audit_text(entry, "file") };
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(text) = NULL;

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (journal_root_at(audit->journal, entry->seq, wanted.root) != 0)
		return audit_take_error(audit, entry, "AUDIT-EVENT");
	wanted.authority = row.id;
	memcpy(wanted.genesis, row.genesis, HASH_LEN);
	if (event_content_text(&wanted, &text) != 0)
		return -1;
	if (strlen(text) != len || memcmp(text, content, len) != 0)
		audit_error(audit, entry, "AUDIT-EVENT",
		    "what '%s' signed is not this event in this journal at "
		    "this place",
		    wanted.name);
	return 0;
}

/* What the signature adds, and the run in which it happened. */
static bool
is_of_signing(const char *name)
{
	static const char *const names[] = { "by", "set", "content",
		"statement", "file", "run" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The members of the entry are those that the event file gives. */
static void
compare_members(
    struct audit *audit, const struct audit_entry *entry, json_t *members)
{
	json_t *data = audit_read_only(entry->data);
	const char *name;
	json_t *value;

	json_object_foreach(data, name, value)
	{
		if (!is_of_signing(name) &&
		    json_object_get(members, name) == NULL)
			audit_error(audit, entry, "AUDIT-EVENT",
			    "'%s' is not in the event file that was signed",
			    name);
	}
	json_object_foreach(members, name, value)
	{
		if (!json_equal(value, json_object_get(entry->data, name)))
			audit_error(audit, entry, "AUDIT-EVENT",
			    "'%s' is not what the event file says that was "
			    "signed",
			    name);
	}
}

static int
check_file(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;
	AUTO(json_t) *members = NULL;
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(sentence) = NULL;
	AUTO_CHARS(text) = NULL;
	size_t len = 0;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "file"), &data, &len) != 0)
		return -1;
	if (data == NULL)
		return 0;
	/* Clocks are set by hand: when it happened is no matter here. */
	if (event_read("event", data, len, INT64_MAX, &findings, &event) != 0)
		return audit_take_error(audit, entry, "AUDIT-EVENT");
	if (event_data(event, &members) != 0 ||
	    event_sentence(event, &sentence) != 0)
		return -1;
	compare_members(audit, entry, members);
	text = text_printf("%s (%s; entered by %s)", sentence,
	    json_string_value(json_object_get(members, "when")),
	    audit_text(entry, "by"));
	if (text == NULL)
		return -1;
	check_sentence(audit, entry, text);
	return 0;
}

/* It is of the run that was open, if one was. */
static int
check_event_run(struct audit *audit, const struct audit_entry *entry)
{
	const char *run = audit_text(entry, "run");
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_open_run(audit->journal, &found, &row) != 0)
		return -1;
	if ((run != NULL) != found || (found && strcmp(run, row.run) != 0))
		audit_error(audit, entry, "AUDIT-EVENT",
		    "the event does not name the run that was open then");
	return 0;
}

static int
check_in_force(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (journal_quorum(audit->journal, &found, &row) != 0)
		return -1;
	if (!found || strcmp(row.set, audit_text(entry, "set")) != 0)
		audit_error(audit, entry, "AUDIT-EVENT",
		    "set %s, to which '%s' belongs, is not in force",
		    audit_text(entry, "set"), audit_text(entry, "by"));
	return 0;
}

static int
check_signed_event(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	const struct signing s = {
		.purpose = SIGNATURE_EVENT,
		.id = "AUDIT-EVENT",
		.set = audit_text(entry, "set"),
		.name = audit_text(entry, "by"),
		.content = audit_text(entry, "content"),
		.statement = audit_text(entry, "statement"),
		.witness = true,
	};
	AUTO_BYTES(content) = NULL;
	size_t len = 0;
	bool valid;

	if (check_in_force(audit, entry) != 0 ||
	    check_event_run(audit, entry) != 0 ||
	    verify(audit, state, entry, &s, &valid) != 0 ||
	    audit_evidence_bytes(audit, s.content, &content, &len) != 0)
		return -1;
	if (content != NULL && check_content(audit, entry, content, len) != 0)
		return -1;
	return check_file(audit, entry);
}

int
audit_event(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	static const char *const members[] = { "by", "set", "content",
		"statement", "file" };
	enum { MEMBERS = sizeof(members) / sizeof(members[0]) };
	const struct own_event *own = own_event_of(entry);
	size_t there = 0;

	for (size_t i = 0; i < MEMBERS; i++)
		there += audit_text(entry, members[i]) != NULL;
	if (there == MEMBERS)
		return check_signed_event(audit, state, entry);
	if (own != NULL)
		return check_own_event(audit, entry, own);
	audit_error(audit, entry, "AUDIT-EVENT",
	    "nobody has signed the event '%s', which ca-tool does not say of "
	    "itself",
	    audit_text(entry, "event"));
	return 0;
}

/* ---- logins ----------------------------------------------------------- */

/* Is there an earlier one of the same name? */
static bool
is_repeated(const json_t *people, size_t at, const char *name)
{
	for (size_t i = 0; i < at; i++) {
		const char *other = json_string_value(
		    json_object_get(json_array_get(people, i), "name"));

		if (other != NULL && strcmp(other, name) == 0)
			return true;
	}
	return false;
}

/* How many operators of the set are among them. */
static unsigned
count_operators(
    struct audit_people_state *state, const json_t *people, const char *set)
{
	unsigned count = 0;
	size_t i;
	json_t *one;

	json_array_foreach(people, i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));
		const struct audit_person *person =
		    name == NULL ? NULL : audit_find_person(state, set, name);

		count += person != NULL && !person->witness &&
		    !is_repeated(people, i, name);
	}
	return count;
}

/* Whose shares can open the token: of the set in force, and of a reshare. */
struct openers {
	struct quorum_row in_force, begun;
	bool has_in_force, has_begun;
};

static void
openers_clear(struct openers *openers)
{
	quorum_row_clear(&openers->in_force);
	quorum_row_clear(&openers->begun);
}
CLEANUP_DEFINE_STRUCT(openers);

static void
check_strangers(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const json_t *people,
    const struct openers *o, bool shares)
{
	size_t i;
	json_t *one;

	json_array_foreach(people, i, one)
	{
		const char *role =
		    json_string_value(json_object_get(one, "role"));
		json_t *alone = json_pack("[O]", one);
		bool known =
		    (o->has_in_force &&
			count_operators(state, alone, o->in_force.set) > 0) ||
		    (o->has_begun &&
			count_operators(state, alone, o->begun.set) > 0);
		bool claims = role != NULL && strcmp(role, "operator") == 0;

		json_decref(alone);
		if ((shares || claims) && !(known && claims))
			audit_error(audit, entry, "AUDIT-LOGIN",
			    "the token was opened with the share of somebody "
			    "who is no operator of the set in force");
	}
}

static void
check_enough(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry, const json_t *people,
    const struct openers *o)
{
	if (o->has_in_force &&
	    count_operators(state, people, o->in_force.set) >=
		o->in_force.threshold)
		return;
	if (o->has_begun &&
	    count_operators(state, people, o->begun.set) >= o->begun.threshold)
		return;
	audit_error(audit, entry, "AUDIT-LOGIN",
	    "the token opens with the shares of operators, and fewer than the "
	    "set wants gave theirs");
}

/* In init the shares are combined before they are given out. */
int
audit_login(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	const json_t *people = json_object_get(entry->entry, "people");
	AUTO_STRUCT(audit_config) config = { 0 };
	AUTO_STRUCT(openers) o = { 0 };
	bool found = false;

	if (strcmp(audit_text(entry, "run"), "init") == 0)
		return 0;
	if (journal_quorum(audit->journal, &o.has_in_force, &o.in_force) != 0 ||
	    journal_quorum_begun(audit->journal, &o.has_begun, &o.begun) != 0 ||
	    audit_config_in_force(audit, &found, &config) != 0)
		return -1;
	if (!found)
		return 0; /* its entry has a finding */
	check_strangers(audit, state, entry, people, &o, config.shares);
	if (config.shares)
		check_enough(audit, state, entry, people, &o);
	if (o.has_in_force && config.shares != (o.in_force.commitments != NULL))
		audit_error(audit, entry, "AUDIT-LOGIN",
		    "authority.yaml says '%s', and the set in force has %s "
		    "shares",
		    config.login,
		    o.in_force.commitments == NULL ? "no" : "such");
	return 0;
}
