/* Entering an event: shown, signed by one person, journalled. */
#include "ceremony/event.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/event-private.h"
#include "ceremony/journal/event-content.h"
#include "ceremony/operators.h"
#include "ceremony/run-private.h"
#include "ceremony/steps/special.h"

/* ---- does it fit what the journal says? ------------------------------- */

struct copies {
	const char *wanted;
	bool found;
};

static int
see_copy(void *ctx, const char *serial, const char *text)
{
	struct copies *copies = ctx;

	(void)text;
	copies->found = copies->found || strcmp(serial, copies->wanted) == 0;
	return 0;
}

static int
is_copy(struct journal *journal, const char *serial, bool *ret_found)
{
	struct copies copies = { .wanted = serial };

	if (reshare_each_backup(journal, see_copy, &copies) < 0)
		return -1;
	*ret_found = copies.found;
	return 0;
}

static int
see_token(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct copies *tokens = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *serial = json_string_value(
	    json_object_get(json_object_get(entry, "data"), "serial"));

	(void)seq;
	tokens->found = tokens->found ||
	    (serial != NULL && strcmp(serial, tokens->wanted) == 0);
	json_decref(entry);
	return 0;
}

static int
is_token(struct journal *journal, const char *serial, bool *ret_found)
{
	struct copies tokens = { .wanted = serial };

	if (journal_each_entry(journal, 0, ENTRY_TOKEN, see_token, &tokens) < 0)
		return -1;
	*ret_found = tokens.found;
	return 0;
}

static void
state_finding(const struct event *event, struct findings *findings,
    const char *member, const char *value, const char *why)
{
	findings_add(findings, FINDING_ERROR, "EVENT-STATE",
	    yaml_place(event->doc, "%s", member), NULL, "'%s': %s", value, why);
}

/* A reshare asks what became of each copy: they are told apart by serial. */
static int
check_backup(struct journal *journal, const struct event *event,
    struct findings *findings)
{
	const struct event_file *file = event->file;
	bool token = false, copy = false, known = false, twice = false;

	if (is_token(journal, file->from, &token) < 0 ||
	    is_copy(journal, file->from, &copy) < 0 ||
	    is_copy(journal, file->serial, &known) < 0 ||
	    is_token(journal, file->serial, &twice) < 0)
		return -1;
	if (!token && !copy)
		state_finding(event, findings, "from", file->from,
		    "the journal knows no token, and no copy of one, with this "
		    "serial");
	if (known || twice)
		state_finding(event, findings, "serial", file->serial,
		    "the journal has a token or copy of this serial already; "
		    "where copies share one, add a mark that tells them "
		    "apart, and write it on the copy");
	return 0;
}

static int
check_destroyed(struct journal *journal, const struct event *event,
    struct findings *findings)
{
	bool known = false;

	if (is_copy(journal, event->file->serial, &known) < 0)
		return -1;
	if (!known)
		state_finding(event, findings, "serial", event->file->serial,
		    "the journal knows no copy of this serial, or knows that "
		    "it was destroyed");
	return 0;
}

static const struct {
	const char *kind;
	int (*check)(struct journal *journal, const struct event *event,
	    struct findings *findings);
} state_checks[] = {
	{ "backup", check_backup },
	{ "copy-destroyed", check_destroyed },
};

static int
check_state(struct journal *journal, const struct event *event,
    struct findings *findings)
{
	size_t errors = findings->errors;

	for (size_t i = 0; i < sizeof(state_checks) / sizeof(state_checks[0]);
	     i++)
		if (strcmp(state_checks[i].kind, event_kind(event)) == 0 &&
		    state_checks[i].check(journal, event, findings) < 0)
			return -1;
	if (findings->errors > errors)
		return ca_error(
		    CA_R_INPUT, "the event does not fit what the journal says");
	return 0;
}

/* ---- who enters it ---------------------------------------------------- */

/* The one in the room, or whoever is named when asked. */
struct clerk {
	struct room_operator asked;
	struct room room; /* with this one person */
	struct operators operators;
	const struct person *person;
};

static void
clerk_clear(struct clerk *clerk)
{
	operators_clear(&clerk->operators);
	free(clerk->asked.name);
	free(clerk->asked.reference);
	*clerk = (struct clerk){ 0 };
}
CLEANUP_DEFINE_STRUCT(clerk);

/* Signs with the room in `ret_clerk`, which must stay where it is. */
static int
find_clerk(const struct room *room, const struct quorum_set *set,
    struct clerk *ret_clerk)
{
	struct clerk *clerk = ret_clerk;

	clerk->room = *room;
	if (room->operator_count > 1)
		return ca_error(CA_R_USAGE,
		    "an event is entered by one person, and %zu are named with "
		    "--operator",
		    room->operator_count);
	if (room->operator_count == 0) {
		if (room->ask_operator(room->ctx,
			"Who enters this event? An operator or witness of the "
			"quorum set in force.",
			&clerk->asked) < 0)
			return -1;
		clerk->room.operators = &clerk->asked;
		clerk->room.operator_count = 1;
	}
	if (operators_open(&clerk->room, set, &clerk->operators) < 0)
		return -1;
	clerk->person = set_person(set, clerk->room.operators[0].name);
	return 0;
}

static const char *
role_of(const struct person *person)
{
	return person->witness ? "witness" : "operator";
}

/* ---- showing and signing ---------------------------------------------- */

struct signed_event {
	char *content;
	char file[HASH_HEX_SIZE], sha256[HASH_HEX_SIZE]; /* of the content */
	unsigned char *der;
	size_t len;
};

static void
signed_event_clear(struct signed_event *s)
{
	free(s->content);
	free(s->der);
	*s = (struct signed_event){ 0 };
}
CLEANUP_DEFINE_STRUCT(signed_event);

static int
hash_into(const void *data, size_t len, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (sha256(data, len, digest) < 0)
		return -1;
	text_hex_into(digest, sizeof(digest), ret_hex);
	return 0;
}

static int
make_content(struct journal *journal, const struct quorum_set *set,
    const struct person *person, const struct event *event,
    struct signed_event *s)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	struct event_content content = { .set = set->id,
		.name = person->name,
		.event = event_kind(event),
		.file = s->file };

	if (journal_authority(journal, &row) < 0 ||
	    journal_head(journal, &content.size, content.root) < 0 ||
	    hash_into(event->bytes, event->len, s->file) < 0)
		return -1;
	content.authority = row.id;
	memcpy(content.genesis, row.genesis, HASH_LEN);
	if (event_content_text(&content, &s->content) < 0)
		return -1;
	return hash_into(s->content, strlen(s->content), s->sha256);
}

static int
show_event(const struct room *room, const struct person *person,
    const struct event *event, const struct signed_event *s)
{
	AUTO_CHARS(sentence) = NULL;
	AUTO_CHARS(lines) = NULL;
	AUTO_CHARS(who) =
	    text_printf("entered by: %s (%s)", person->name, role_of(person));

	if (who == NULL || event_sentence(event, &sentence) < 0 ||
	    event_lines(event, &lines) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "An event for the journal");
	room->show(room->ctx, ROOM_TEXT, sentence);
	if (room_lines(room, "  ", lines) < 0 ||
	    room_lines(room, "  ", who) < 0 ||
	    room_digest(room, "the event file, SHA-256:", s->file) < 0)
		return -1;
	return room_digest(room,
	    "what is signed (this event, in this journal, now), SHA-256:",
	    s->sha256);
}

static int
sign_event(struct clerk *clerk, struct signed_event *s)
{
	const struct room *room = &clerk->room;
	size_t item = 0;

	if (room->decide(room->ctx, clerk->person->name,
		"Is this what happened, and do you sign for it?", 0, &item) < 0)
		return -1;
	return operators_sign(&clerk->operators, clerk->person, SIGNATURE_EVENT,
	    s->content, strlen(s->content), &s->der, &s->len);
}

/* ---- journalling ------------------------------------------------------ */

static int
put(struct journal *journal, const void *data, size_t len,
    char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	if (journal_evidence_put(journal, data, len, digest) < 0)
		return -1;
	text_hex_into(digest, sizeof(digest), ret_hex);
	return 0;
}

/* With the run that is open, where one is. */
static int
add_run(struct journal *journal, json_t *data)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_open_run(journal, &found, &row) < 0)
		return -1;
	if (found &&
	    json_object_set_new(data, "run", json_string(row.run)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for an event");
	return 0;
}

static int
append_data(struct journal *journal, const struct event *event,
    const struct person *person, json_t *data, struct event_entered *entered)
{
	AUTO_CHARS(sentence) = NULL;
	AUTO_CHARS(text) = NULL;

	if (event_sentence(event, &sentence) < 0 || add_run(journal, data) < 0)
		return -1;
	text = text_printf("%s (%s; entered by %s)", sentence,
	    event->file->when, person->name);
	if (text == NULL)
		return -1;
	return journal_append(
	    journal, ENTRY_EVENT, json_incref(data), text, &entered->seq);
}

static int
append_event(struct journal *journal, const struct event *event,
    const struct quorum_set *set, const struct person *person,
    const struct signed_event *s, struct event_entered *entered)
{
	json_t *data = NULL, *signing;
	int rc;

	if (put(journal, event->bytes, event->len, entered->file) < 0 ||
	    put(journal, s->content, strlen(s->content), entered->content) <
		0 ||
	    put(journal, s->der, s->len, entered->statement) < 0 ||
	    event_data(event, &data) < 0)
		return -1;
	signing = json_pack("{s:s, s:s, s:s, s:s, s:s}", "by", person->name,
	    "set", set->id, "content", entered->content, "statement",
	    entered->statement, "file", entered->file);
	rc = signing == NULL || json_object_update(data, signing) != 0
	    ? ca_error(CA_R_MEMORY, "no memory for an event")
	    : append_data(journal, event, person, data, entered);
	json_decref(signing);
	json_decref(data);
	return rc;
}

/* The entry is that person's alone. */
static int
set_clerk(struct journal *journal, const struct person *person)
{
	json_t *people = json_pack(
	    "[{s:s, s:s}]", "name", person->name, "role", role_of(person));
	int rc = people == NULL ? ca_error(CA_R_MEMORY, "no memory for a name")
				: journal_set_people(journal, people);

	json_decref(people);
	return rc;
}

static int
append_all(struct journal *journal, const struct event *event,
    const struct quorum_set *set, const struct person *person,
    const struct signed_event *s, struct event_entered *entered)
{
	int rc;

	if (set_clerk(journal, person) < 0)
		return -1;
	rc = journal_begin(journal);
	if (rc == 0 &&
	    append_event(journal, event, set, person, s, entered) < 0) {
		journal_rollback(journal);
		rc = -1;
	}
	if (rc == 0)
		rc = journal_commit(journal);
	return journal_set_people(journal, NULL) < 0 ? -1 : rc;
}

void
event_entered_clear(struct event_entered *entered)
{
	free(entered->by);
	*entered = (struct event_entered){ 0 };
}

/*
 * The lock is held from before the head is read until the entry is there, so
 * that what is signed is still true when it is appended.
 */
int
event_enter(struct authority *authority, const struct room *room,
    const struct event *event, struct findings *findings,
    struct event_entered *ret_entered)
{
	struct journal *journal = authority_journal(authority);
	AUTO_STRUCT(clerk) clerk = { 0 };
	AUTO_STRUCT(signed_event) s = { 0 };
	AUTO_STRUCT(event_entered) entered = { 0 };
	const struct quorum_set *set = NULL;

	if (check_state(journal, event, findings) < 0 ||
	    authority_quorum(authority, &set) < 0 ||
	    find_clerk(room, set, &clerk) < 0 ||
	    make_content(journal, set, clerk.person, event, &s) < 0 ||
	    show_event(&clerk.room, clerk.person, event, &s) < 0 ||
	    sign_event(&clerk, &s) < 0)
		return -1;
	entered.by = text_copy(clerk.person->name);
	if (entered.by == NULL ||
	    append_all(journal, event, set, clerk.person, &s, &entered) < 0)
		return -1;
	*ret_entered = entered;
	entered = (struct event_entered){ 0 };
	return 0;
}

/* ---- notes ------------------------------------------------------------ */

enum { NOTE_MAX = 4000 };

int
event_note(struct journal *journal, const char *run, const char *text)
{
	AUTO_CHARS(safe) =
	    text_escape(text, text_cut(text, strlen(text), NOTE_MAX));
	AUTO_CHARS(sentence) =
	    safe == NULL ? NULL : text_printf("note: %s", safe);

	if (sentence == NULL)
		return -1;
	return journal_append(journal, ENTRY_EVENT,
	    json_pack(
		"{s:s, s:s, s:s}", "event", "note", "run", run, "text", safe),
	    sentence, NULL);
}
