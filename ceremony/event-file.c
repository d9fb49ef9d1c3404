/* The event file: kinds, members, and what each must hold. */
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/event-private.h"

/* ---- the schema: what any kind may have ------------------------------- */

enum { ROWS_MAX = 64, TEXT_MAX = 1000 };

#define TEXT_FIELD(key, member)                                               \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct event_file, member, 1, TEXT_MAX)
#define LIST_FIELD(key, member)                                             \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    struct event_file, member, &text_value, 0, ROWS_MAX)

static const cyaml_schema_value_t text_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX),
};

static const cyaml_schema_field_t person_fields[] = {
	CYAML_FIELD_STRING_PTR(
	    "name", CYAML_FLAG_POINTER, struct event_person, name, 1, TEXT_MAX),
	CYAML_FIELD_STRING_PTR(
	    "role", CYAML_FLAG_POINTER, struct event_person, role, 1, TEXT_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t person_value = {
	CYAML_VALUE_MAPPING(
	    CYAML_FLAG_DEFAULT, struct event_person, person_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	YAML_NEEDED("format", struct event_file, format),
	YAML_NEEDED("event", struct event_file, event),
	TEXT_FIELD("when", when),
	TEXT_FIELD("where", where),
	TEXT_FIELD("note", note),
	CYAML_FIELD_SEQUENCE("people", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct event_file, people, &person_value, 0, ROWS_MAX),
	TEXT_FIELD("serial", serial),
	TEXT_FIELD("from", from),
	TEXT_FIELD("to", to),
	TEXT_FIELD("holder", holder),
	TEXT_FIELD("location", location),
	TEXT_FIELD("seal", seal),
	TEXT_FIELD("maker", maker),
	TEXT_FIELD("model", model),
	TEXT_FIELD("firmware", firmware),
	TEXT_FIELD("condition", condition),
	TEXT_FIELD("what", what),
	TEXT_FIELD("reason", reason),
	TEXT_FIELD("method", method),
	TEXT_FIELD("outcome", outcome),
	TEXT_FIELD("name", name),
	TEXT_FIELD("role", role),
	TEXT_FIELD("organisation", organisation),
	TEXT_FIELD("change", change),
	TEXT_FIELD("identity", identity),
	TEXT_FIELD("plan", plan),
	TEXT_FIELD("step", step),
	TEXT_FIELD("device", device),
	TEXT_FIELD("id", id),
	TEXT_FIELD("sha256", sha256),
	TEXT_FIELD("start", start),
	TEXT_FIELD("stop", stop),
	TEXT_FIELD("version", version),
	TEXT_FIELD("ticket", ticket),
	LIST_FIELD("keys", keys),
	LIST_FIELD("seals", seals),
	LIST_FIELD("seals-before", seals_before),
	LIST_FIELD("seals-after", seals_after),
	LIST_FIELD("carriers", carriers),
	LIST_FIELD("witnesses", witnesses),
	LIST_FIELD("approved-by", approved_by),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct event_file, file_fields),
};

/* ---- members ---------------------------------------------------------- */

enum form { FORM_TEXT, FORM_TIME, FORM_SHA256, FORM_LIST, FORM_PEOPLE };

enum member {
	M_WHEN,
	M_WHERE,
	M_PEOPLE,
	M_NOTE,
	M_SERIAL,
	M_FROM,
	M_TO,
	M_HOLDER,
	M_LOCATION,
	M_SEAL,
	M_MAKER,
	M_MODEL,
	M_FIRMWARE,
	M_CONDITION,
	M_WHAT,
	M_REASON,
	M_METHOD,
	M_OUTCOME,
	M_NAME,
	M_ROLE,
	M_ORGANISATION,
	M_CHANGE,
	M_IDENTITY,
	M_PLAN,
	M_STEP,
	M_DEVICE,
	M_ID,
	M_SHA256,
	M_START,
	M_STOP,
	M_VERSION,
	M_TICKET,
	M_KEYS,
	M_SEALS,
	M_SEALS_BEFORE,
	M_SEALS_AFTER,
	M_CARRIERS,
	M_WITNESSES,
	M_APPROVED_BY,
	MEMBERS
};

#define BIT(member) (UINT64_C(1) << (member))
#define AT(member) offsetof(struct event_file, member)

static const struct member_row {
	const char *name;
	enum form form;
	size_t offset, count_offset; /* the latter of lists */
	unsigned least;              /* rows of a list */
} members[MEMBERS] = {
	[M_WHEN] = { "when", FORM_TIME, AT(when), 0, 0 },
	[M_WHERE] = { "where", FORM_TEXT, AT(where), 0, 0 },
	[M_PEOPLE] = { "people", FORM_PEOPLE, AT(people), AT(people_count), 1 },
	[M_NOTE] = { "note", FORM_TEXT, AT(note), 0, 0 },
	[M_SERIAL] = { "serial", FORM_TEXT, AT(serial), 0, 0 },
	[M_FROM] = { "from", FORM_TEXT, AT(from), 0, 0 },
	[M_TO] = { "to", FORM_TEXT, AT(to), 0, 0 },
	[M_HOLDER] = { "holder", FORM_TEXT, AT(holder), 0, 0 },
	[M_LOCATION] = { "location", FORM_TEXT, AT(location), 0, 0 },
	[M_SEAL] = { "seal", FORM_TEXT, AT(seal), 0, 0 },
	[M_MAKER] = { "maker", FORM_TEXT, AT(maker), 0, 0 },
	[M_MODEL] = { "model", FORM_TEXT, AT(model), 0, 0 },
	[M_FIRMWARE] = { "firmware", FORM_TEXT, AT(firmware), 0, 0 },
	[M_CONDITION] = { "condition", FORM_TEXT, AT(condition), 0, 0 },
	[M_WHAT] = { "what", FORM_TEXT, AT(what), 0, 0 },
	[M_REASON] = { "reason", FORM_TEXT, AT(reason), 0, 0 },
	[M_METHOD] = { "method", FORM_TEXT, AT(method), 0, 0 },
	[M_OUTCOME] = { "outcome", FORM_TEXT, AT(outcome), 0, 0 },
	[M_NAME] = { "name", FORM_TEXT, AT(name), 0, 0 },
	[M_ROLE] = { "role", FORM_TEXT, AT(role), 0, 0 },
	[M_ORGANISATION] = { "organisation", FORM_TEXT, AT(organisation), 0,
	    0 },
	[M_CHANGE] = { "change", FORM_TEXT, AT(change), 0, 0 },
	[M_IDENTITY] = { "identity", FORM_TEXT, AT(identity), 0, 0 },
	[M_PLAN] = { "plan", FORM_TEXT, AT(plan), 0, 0 },
	[M_STEP] = { "step", FORM_TEXT, AT(step), 0, 0 },
	[M_DEVICE] = { "device", FORM_TEXT, AT(device), 0, 0 },
	[M_ID] = { "id", FORM_TEXT, AT(id), 0, 0 },
	[M_SHA256] = { "sha256", FORM_SHA256, AT(sha256), 0, 0 },
	[M_START] = { "start", FORM_TIME, AT(start), 0, 0 },
	[M_STOP] = { "stop", FORM_TIME, AT(stop), 0, 0 },
	[M_VERSION] = { "version", FORM_TEXT, AT(version), 0, 0 },
	[M_TICKET] = { "ticket", FORM_TEXT, AT(ticket), 0, 0 },
	[M_KEYS] = { "keys", FORM_LIST, AT(keys), AT(keys_count), 1 },
	[M_SEALS] = { "seals", FORM_LIST, AT(seals), AT(seals_count), 1 },
	[M_SEALS_BEFORE] = { "seals-before", FORM_LIST, AT(seals_before),
	    AT(seals_before_count), 1 },
	[M_SEALS_AFTER] = { "seals-after", FORM_LIST, AT(seals_after),
	    AT(seals_after_count), 1 },
	[M_CARRIERS] = { "carriers", FORM_LIST, AT(carriers),
	    AT(carriers_count), 2 },
	[M_WITNESSES] = { "witnesses", FORM_LIST, AT(witnesses),
	    AT(witnesses_count), 1 },
	[M_APPROVED_BY] = { "approved-by", FORM_LIST, AT(approved_by),
	    AT(approved_by_count), 1 },
};

/* The value of a text; NULL where it is not there. */
static const char *
text_of(const struct event_file *file, enum member m)
{
	return *(char *const *)(const void *)((const char *)file +
	    members[m].offset);
}

static char *const *
list_of(const struct event_file *file, enum member m)
{
	return *(char **const *)(const void *)((const char *)file +
	    members[m].offset);
}

static unsigned
count_of(const struct event_file *file, enum member m)
{
	return *(const unsigned *)(const void *)((const char *)file +
	    members[m].count_offset);
}

/* A list without rows may count as not there: "none" is a row. */
static bool
is_given(const struct event_file *file, enum member m)
{
	return *(void *const *)(const void *)((const char *)file +
		   members[m].offset) != NULL;
}

/* ---- kinds ------------------------------------------------------------ */

#define COMMON (BIT(M_WHERE) | BIT(M_PEOPLE) | BIT(M_NOTE))

static const struct event_kind_row {
	const char *name, *meaning;
	uint64_t needed;      /* and `when` always */
	uint64_t also;        /* and COMMON always */
	const char *changes;  /* what `change` may be */
	const char *sentence; /* {member} stands for its value */
	const char *source;
} kinds[] = {
	{ "backup", "a token was copied",
	    BIT(M_FROM) | BIT(M_SERIAL) | BIT(M_KEYS) | BIT(M_HOLDER) |
		BIT(M_LOCATION) | BIT(M_SEAL),
	    0, NULL,
	    "token '{from}' was copied to '{serial}', with the keys {keys}; "
	    "held by {holder}, kept at {location}, seal {seal}",
	    "BR 5.2.2 and 6.2.4" },
	{ "copy-destroyed", "a copy of a token was destroyed",
	    BIT(M_SERIAL) | BIT(M_METHOD) | BIT(M_WITNESSES), 0, NULL,
	    "the copy '{serial}' was destroyed: {method}; witnessed by "
	    "{witnesses}",
	    "BR 5.4.1 (1.1)" },
	{ "hsm-arrival", "an HSM came to us",
	    BIT(M_MAKER) | BIT(M_MODEL) | BIT(M_SERIAL) | BIT(M_FIRMWARE) |
		BIT(M_SEALS) | BIT(M_CONDITION),
	    0, NULL,
	    "HSM '{serial}' ({maker} {model}, firmware {firmware}) arrived; "
	    "seals {seals}; condition: {condition}",
	    "BR 5.4.1 (1.4)" },
	{ "hsm-firmware", "an HSM's firmware was changed",
	    BIT(M_SERIAL) | BIT(M_FROM) | BIT(M_TO) | BIT(M_REASON), 0, NULL,
	    "the firmware of HSM '{serial}' was changed from {from} to {to}: "
	    "{reason}",
	    "BR 5.4.1 (1.4)" },
	{ "hsm-transport", "an HSM was moved",
	    BIT(M_SERIAL) | BIT(M_FROM) | BIT(M_TO) | BIT(M_SEALS_BEFORE) |
		BIT(M_SEALS_AFTER) | BIT(M_CARRIERS),
	    0, NULL,
	    "HSM '{serial}' was moved from {from} to {to} by {carriers}; seals "
	    "before: {seals-before}; after: {seals-after}",
	    "BR 5.4.1 (1.4)" },
	{ "hsm-maintenance", "work was done on an HSM",
	    BIT(M_SERIAL) | BIT(M_WHAT) | BIT(M_REASON), 0, NULL,
	    "HSM '{serial}' was worked on: {what}; because {reason}",
	    "BR 5.4.1 (1.4)" },
	{ "hsm-retirement", "an HSM is used no more",
	    BIT(M_SERIAL) | BIT(M_METHOD) | BIT(M_WITNESSES), 0, NULL,
	    "HSM '{serial}' was retired: {method}; witnessed by {witnesses}",
	    "BR 5.4.1 (1.4)" },
	{ "person", "somebody got, changed or left a role",
	    BIT(M_NAME) | BIT(M_ROLE) | BIT(M_CHANGE) | BIT(M_IDENTITY),
	    BIT(M_ORGANISATION) | BIT(M_REASON), "appointed changed left",
	    "{name}, {role}: {change}; identity: {identity}",
	    "BR 5.2 and 5.3" },
	{ "deviation", "something was not done as planned",
	    BIT(M_WHAT) | BIT(M_REASON) | BIT(M_APPROVED_BY),
	    BIT(M_PLAN) | BIT(M_STEP), NULL,
	    "deviation: {what}; because {reason}; approved by {approved-by}",
	    "WebTrust for CAs 4.1" },
	{ "media", "a ceremony was filmed or photographed",
	    BIT(M_DEVICE) | BIT(M_SHA256) | BIT(M_START) | BIT(M_STOP),
	    BIT(M_ID) | BIT(M_PLAN), NULL,
	    "recorded with {device} from {start} to {stop}; SHA-256 {sha256}",
	    "BR 6.1.1.1" },
	{ "facility", "somebody entered or left the room",
	    BIT(M_CHANGE) | BIT(M_WHERE) | BIT(M_PEOPLE), BIT(M_REASON),
	    "entry exit", "{change}, {where}: {people}", "BR 5.4.1 (3)" },
	{ "software", "software was installed, updated or removed",
	    BIT(M_WHAT) | BIT(M_CHANGE) | BIT(M_VERSION) | BIT(M_SHA256) |
		BIT(M_TICKET),
	    BIT(M_REASON), "installed updated removed",
	    "software {change}: {what} {version}, SHA-256 {sha256}; ticket "
	    "{ticket}",
	    "BR 5.4.1 (3)" },
	{ "security", "an attempt at access, a fault, an incident", BIT(M_WHAT),
	    BIT(M_OUTCOME) | BIT(M_SERIAL), NULL, "security: {what}",
	    "BR 5.4.1 (3)" },
	{ "note", "anything else", BIT(M_NOTE), 0, NULL, "note: {note}",
	    "BR 5.4.1" },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

const char *
event_kind_at(size_t i, const char **ret_meaning)
{
	if (i >= KINDS)
		return NULL;
	*ret_meaning = kinds[i].meaning;
	return kinds[i].name;
}

static const struct event_kind_row *
kind_by_name(const char *name)
{
	for (size_t i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

/* Is `word` one of `words`, which blanks part? */
static bool
is_among(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

/* ---- checking --------------------------------------------------------- */

struct checking {
	const struct event *event;
	struct findings *findings;
	int64_t now;
};

#define FINDING(c, id, m, ...)                                          \
	findings_add((c)->findings, FINDING_ERROR, id,                  \
	    yaml_place((c)->event->doc, "%s", members[m].name),         \
	    (c)->event->kind == NULL ? NULL : (c)->event->kind->source, \
	    __VA_ARGS__)

static void
check_time(const struct checking *c, enum member m)
{
	int64_t time;

	if (date_parse(text_of(c->event->file, m), &time) < 0) {
		ca_error_clear();
		FINDING(c, "EVENT-TIME", m,
		    "'%s' is no time; write it in UTC, as in "
		    "2026-11-20T12:00:00Z",
		    text_of(c->event->file, m));
	} else if (time > c->now) {
		FINDING(c, "EVENT-TIME", m,
		    "'%s' is %s, which has not come yet", members[m].name,
		    text_of(c->event->file, m));
	}
}

static void
check_sha256(const struct checking *c, enum member m)
{
	const char *text = text_of(c->event->file, m);

	if (strlen(text) != 64 || strspn(text, "0123456789abcdef") != 64)
		FINDING(c, "EVENT-VALUE", m,
		    "'%s' is no SHA-256 of 64 lower-case hexadecimal digits",
		    text);
}

/* The same person twice is one person. */
static void
check_list(const struct checking *c, enum member m)
{
	char *const *rows = list_of(c->event->file, m);
	unsigned count = count_of(c->event->file, m);

	if (count < members[m].least)
		FINDING(c, "EVENT-VALUE", m, "'%s' has %u, and needs %u",
		    members[m].name, count, members[m].least);
	for (unsigned i = 0; i < count; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(rows[i], rows[j]) == 0)
				FINDING(c, "EVENT-VALUE", m,
				    "'%s' names '%s' twice", members[m].name,
				    rows[i]);
}

static void
check_form(const struct checking *c, enum member m)
{
	switch (members[m].form) {
	case FORM_TEXT:
		break;
	case FORM_TIME:
		check_time(c, m);
		break;
	case FORM_SHA256:
		check_sha256(c, m);
		break;
	case FORM_LIST:
		check_list(c, m);
		break;
	case FORM_PEOPLE:
		if (count_of(c->event->file, m) < members[m].least)
			FINDING(c, "EVENT-VALUE", m, "'%s' is empty",
			    members[m].name);
		break;
	}
}

static void
check_member(const struct checking *c, enum member m)
{
	const struct event_kind_row *kind = c->event->kind;
	uint64_t needed = kind->needed | BIT(M_WHEN);
	bool given = is_given(c->event->file, m);

	if (!given && (needed & BIT(m)) != 0)
		FINDING(c, "EVENT-MISSING", m,
		    "an event of kind '%s' needs '%s'", kind->name,
		    members[m].name);
	if (!given)
		return;
	if (((needed | kind->also | COMMON) & BIT(m)) == 0)
		FINDING(c, "EVENT-MEMBER", m,
		    "an event of kind '%s' has no '%s'", kind->name,
		    members[m].name);
	else
		check_form(c, m);
}

static void
check_change(const struct checking *c)
{
	const char *change = c->event->file->change;
	const char *changes = c->event->kind->changes;

	if (change != NULL && changes != NULL && !is_among(changes, change))
		FINDING(c, "EVENT-VALUE", M_CHANGE,
		    "'change' is '%s'; of kind '%s' it is one of: %s", change,
		    c->event->kind->name, changes);
}

static void
check_together(const struct checking *c)
{
	const struct event_file *file = c->event->file;
	int64_t start, stop;

	if (strcmp(file->event, "deviation") == 0 && file->plan == NULL &&
	    file->step == NULL)
		FINDING(c, "EVENT-MISSING", M_PLAN,
		    "a deviation needs 'plan' or 'step': what it deviates "
		    "from");
	if (file->start != NULL && file->stop != NULL &&
	    date_parse(file->start, &start) == 0 &&
	    date_parse(file->stop, &stop) == 0 && stop < start)
		FINDING(c, "EVENT-TIME", M_STOP, "'stop' lies before 'start'");
	ca_error_clear();
}

static char *
all_kinds(void)
{
	char *text = text_copy("");

	for (size_t i = 0; text != NULL && i < KINDS; i++) {
		AUTO_CHARS(before) = text;

		text = text_printf(
		    "%s%s%s", before, i == 0 ? "" : ", ", kinds[i].name);
	}
	return text;
}

static void
check(const struct checking *c)
{
	const struct event_file *file = c->event->file;

	if (strcmp(file->format, "ca-tool-event-1") != 0)
		findings_add(c->findings, FINDING_ERROR, "EVENT-FORMAT",
		    yaml_place(c->event->doc, "format"), NULL,
		    "format '%s' is not known to this version; it reads "
		    "'ca-tool-event-1'",
		    file->format);
	if (c->event->kind == NULL) {
		AUTO_CHARS(names) = all_kinds();

		findings_add(c->findings, FINDING_ERROR, "EVENT-KIND",
		    yaml_place(c->event->doc, "event"), NULL,
		    "there is no kind of event '%s'; there are %s", file->event,
		    names == NULL ? "others" : names);
		return;
	}
	for (unsigned m = 0; m < MEMBERS; m++)
		check_member(c, (enum member)m);
	check_change(c);
	check_together(c);
}

/* ---- reading ---------------------------------------------------------- */

int
event_read(const char *name, const unsigned char *data, size_t len, int64_t now,
    struct findings *findings, struct event **ret_event)
{
	AUTO_PTR(event) *event = calloc(1, sizeof(*event));
	struct checking checking = { event, findings, now };
	size_t errors = findings->errors;
	void *file = NULL;

	if (event == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an event");
	if (len > EVENT_MAX_BYTES)
		return ca_error(CA_R_INPUT,
		    "'%s' has %zu bytes, and an event file at most %d: what is "
		    "large is kept elsewhere, and its SHA-256 given",
		    name, len, EVENT_MAX_BYTES);
	if (yaml_load(name, data, len, &file_schema, findings, &event->doc,
		&file) < 0)
		return -1;
	event->file = file;
	event->kind = kind_by_name(event->file->event);
	check(&checking);
	if (findings->errors > errors)
		return ca_error(CA_R_INPUT, "'%s' is not valid", name);
	event->bytes = malloc(len + 1);
	if (event->bytes == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an event");
	memcpy(event->bytes, data, len);
	event->len = len;
	*ret_event = TAKE(event);
	return 0;
}

void
event_free(struct event *event)
{
	yaml_free(event->doc);
	yaml_value_free(&file_schema, event->file);
	free(event->bytes);
	free(event);
}

const char *
event_kind(const struct event *event)
{
	return event->kind->name;
}

/* ---- saying it -------------------------------------------------------- */

/* "a, b"; malloc'd. */
static char *
join_list(char *const *rows, unsigned count)
{
	char *text = text_copy("");

	for (unsigned i = 0; text != NULL && i < count; i++) {
		AUTO_CHARS(before) = text;

		text =
		    text_printf("%s%s%s", before, i == 0 ? "" : ", ", rows[i]);
	}
	return text;
}

static char *
join_people(const struct event_person *people, unsigned count)
{
	char *text = text_copy("");

	for (unsigned i = 0; text != NULL && i < count; i++) {
		AUTO_CHARS(before) = text;

		text = text_printf("%s%s%s (%s)", before, i == 0 ? "" : ", ",
		    people[i].name, people[i].role);
	}
	return text;
}

/* In one line; malloc'd. */
static char *
value_text(const struct event_file *file, enum member m)
{
	char *text;

	if (members[m].form == FORM_PEOPLE)
		text = join_people(file->people, file->people_count);
	else if (members[m].form == FORM_LIST)
		text = join_list(list_of(file, m), count_of(file, m));
	else
		text = text_copy(
		    is_given(file, m) ? text_of(file, m) : "not given");
	for (char *c = text; c != NULL && *c != '\0'; c++)
		if (*c == '\n')
			*c = ' ';
	return text;
}

static char *
value_by_name(const struct event_file *file, const char *name, size_t len)
{
	for (unsigned m = 0; m < MEMBERS; m++)
		if (strlen(members[m].name) == len &&
		    memcmp(members[m].name, name, len) == 0)
			return value_text(file, (enum member)m);
	return text_copy("");
}

int
event_sentence(const struct event *event, char **ret_text)
{
	const char *at = event->kind->sentence;
	AUTO_CHARS(text) = text_copy("");

	while (text != NULL && *at != '\0') {
		size_t plain = strcspn(at, "{");
		size_t name = at[plain] == '{' ? strcspn(at + plain, "}") : 0;
		AUTO_CHARS(before) = TAKE(text);
		AUTO_CHARS(value) = name == 0
		    ? text_copy("")
		    : value_by_name(event->file, at + plain + 1, name - 1);

		if (value != NULL)
			text = text_printf(
			    "%s%.*s%s", before, (int)plain, at, value);
		at += plain + (name == 0 ? 0 : name + 1);
	}
	if (text == NULL)
		return -1;
	*ret_text = TAKE(text);
	return 0;
}

int
event_lines(const struct event *event, char **ret_text)
{
	AUTO_CHARS(text) = text_printf(
	    "event: %s (%s)\n", event->kind->name, event->kind->meaning);

	for (unsigned m = 0; text != NULL && m < MEMBERS; m++) {
		AUTO_CHARS(before) = NULL;
		AUTO_CHARS(value) = NULL;

		if (!is_given(event->file, (enum member)m))
			continue;
		before = TAKE(text);
		value = value_text(event->file, (enum member)m);
		if (value != NULL)
			text = text_printf(
			    "%s%s: %s\n", before, members[m].name, value);
	}
	if (text == NULL)
		return -1;
	*ret_text = TAKE(text);
	return 0;
}

/* ---- for the journal -------------------------------------------------- */

static json_t *
people_json(const struct event_file *file)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < file->people_count; i++)
		if (json_array_append_new(array,
			json_pack("{s:s, s:s}", "name", file->people[i].name,
			    "role", file->people[i].role)) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *
list_json(char *const *rows, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		if (json_array_append_new(array, json_string(rows[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *
value_json(const struct event_file *file, enum member m)
{
	if (members[m].form == FORM_PEOPLE)
		return people_json(file);
	if (members[m].form == FORM_LIST)
		return list_json(list_of(file, m), count_of(file, m));
	return json_string(text_of(file, m));
}

int
event_data(const struct event *event, json_t **ret_data)
{
	json_t *data = json_pack("{s:s}", "event", event->kind->name);

	for (unsigned m = 0; m < MEMBERS; m++)
		if (is_given(event->file, (enum member)m) &&
		    json_object_set_new(data, members[m].name,
			value_json(event->file, (enum member)m)) != 0) {
			json_decref(data);
			return ca_error(CA_R_MEMORY, "no memory for an event");
		}
	*ret_data = data;
	return 0;
}
