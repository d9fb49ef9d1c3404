#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ceremony/journal/journal.h"
#include "ceremony/journal/proof.h"
#include "ceremony/journal/tree.h"

CLEANUP_DEFINE(json_t, json_decref);

/* ---- which entries ---------------------------------------------------- */

enum { NONCE_SIZE = 2 * NONCE_LEN + 1, OBJECTS_KEPT = 16 };

/* The intents of a serial, whose results name no serial. */
struct object_ref {
	char run[NONCE_SIZE];
	json_int_t list, object;
};

struct filter {
	enum entry_kind kind; /* ENTRY_KINDS: all */
	uint64_t from;
	int64_t since, until;
	char *serial;         /* as serial_digits() writes it, or NULL */
	char run[NONCE_SIZE]; /* "": of any run */
	bool closed;          /* that run's close was seen, */
	bool covered;         /* and the checkpoint behind it */
	struct object_ref objects[OBJECTS_KEPT];
	size_t object_count;
};

static void
filter_clear(struct filter *filter)
{
	free(filter->serial);
	*filter = (struct filter){ 0 };
}
CLEANUP_DEFINE_STRUCT(filter);

static const char *
member(const json_t *entry, const char *name)
{
	return json_string_value(
	    json_object_get(json_object_get(entry, "data"), name));
}

static json_int_t
number(const json_t *entry, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(entry, "data"), name));
}

/* Entries of the run; its logins; the checkpoint behind its close. */
static bool
is_of_run(struct filter *filter, const json_t *entry, const char *kind)
{
	const char *run = member(entry, "run");
	bool own = run != NULL && strcmp(run, filter->run) == 0;

	if (filter->run[0] == '\0')
		return true;
	if (own && strcmp(kind, entry_kind_name(ENTRY_CLOSE)) == 0)
		filter->closed = true;
	if (!filter->closed || filter->covered ||
	    strcmp(kind, entry_kind_name(ENTRY_CHECKPOINT)) != 0)
		return own;
	filter->covered = true;
	return true;
}

/*
 * The digits of a serial, without zeros before them and the colons that other
 * programs print, in lower case; NULL with CA_R_USAGE.  malloc'd.
 */
static char *
serial_digits(const char *given)
{
	char *digits = malloc(strlen(given) + 1);
	size_t n = 0;

	if (digits == NULL) {
		(void)ca_error(CA_R_MEMORY, "out of memory");
		return NULL;
	}
	for (; *given != '\0'; given++) {
		char c = *given >= 'A' && *given <= 'F'
		    ? (char)(*given - 'A' + 'a')
		    : *given;

		if (c != ':' && (n > 0 || c != '0'))
			digits[n++] = c;
	}
	digits[n] = '\0';
	return digits;
}

/* Which kinds have the serial of a certificate, and not that of a token. */
static bool
has_serial(const char *kind)
{
	return strcmp(kind, entry_kind_name(ENTRY_INTENT)) == 0 ||
	    strcmp(kind, entry_kind_name(ENTRY_ADOPTED)) == 0 ||
	    strcmp(kind, entry_kind_name(ENTRY_REVOKED)) == 0;
}

static bool
is_kept_object(const struct filter *filter, const json_t *entry)
{
	const char *run = member(entry, "run");

	for (size_t i = 0; run != NULL && i < filter->object_count; i++)
		if (strcmp(filter->objects[i].run, run) == 0 &&
		    filter->objects[i].list == number(entry, "list") &&
		    filter->objects[i].object == number(entry, "object"))
			return true;
	return false;
}

/* A serial comes once under an issuer: few intents have the same. */
static void
keep_object(struct filter *filter, const json_t *entry)
{
	struct object_ref *ref = &filter->objects[filter->object_count];
	const char *run = member(entry, "run");

	if (run == NULL || filter->object_count == OBJECTS_KEPT)
		return;
	(void)snprintf(ref->run, sizeof(ref->run), "%s", run);
	ref->list = number(entry, "list");
	ref->object = number(entry, "object");
	filter->object_count++;
}

static int
is_of_serial(
    struct filter *filter, const json_t *entry, const char *kind, bool *ret_is)
{
	const char *serial = member(entry, "serial");
	AUTO_CHARS(digits) = NULL;

	*ret_is = filter->serial == NULL;
	if (filter->serial == NULL)
		return 0;
	if (strcmp(kind, entry_kind_name(ENTRY_RESULT)) == 0 ||
	    strcmp(kind, entry_kind_name(ENTRY_FAILED)) == 0)
		*ret_is = is_kept_object(filter, entry);
	if (serial == NULL || !has_serial(kind))
		return 0;
	digits = serial_digits(serial);
	if (digits == NULL)
		return -1;
	*ret_is = strcmp(digits, filter->serial) == 0;
	if (*ret_is && strcmp(kind, entry_kind_name(ENTRY_INTENT)) == 0)
		keep_object(filter, entry);
	return 0;
}

/*
 * All entries come by here, in order, whatever the other filters say of them:
 * a run's close and an object's intent are remembered.
 */
static int
filter_takes(
    struct filter *filter, uint64_t seq, const json_t *entry, bool *ret_takes)
{
	const char *kind = json_string_value(json_object_get(entry, "kind"));
	const char *text = json_string_value(json_object_get(entry, "time"));
	bool of_run, of_serial;
	int64_t time;

	if (kind == NULL || text == NULL || date_parse(text, &time) != 0)
		return ca_error(CA_R_CORRUPT,
		    "journal entry %llu has no kind or time",
		    (unsigned long long)seq);
	of_run = is_of_run(filter, entry, kind);
	if (is_of_serial(filter, entry, kind, &of_serial) != 0)
		return -1;
	*ret_takes = of_run && of_serial && seq >= filter->from &&
	    time >= filter->since && time <= filter->until &&
	    (filter->kind == ENTRY_KINDS ||
		strcmp(kind, entry_kind_name(filter->kind)) == 0);
	return 0;
}

/* ---- the filters that were given -------------------------------------- */

static int
read_kind(const struct session *session, enum entry_kind *ret_kind)
{
	const char *name = session->options.value[OPT_KIND];

	*ret_kind = ENTRY_KINDS;
	if (name == NULL || entry_kind_by_name(name, ret_kind) == 0)
		return 0;
	ca_error_clear();
	return ca_error(CA_R_USAGE,
	    "option '--kind': there is no kind of entry '%s'; 'ca-tool "
	    "journal show' shows the kinds in its third column",
	    name);
}

static int
read_time(const struct session *session, enum option option, const char *name,
    int64_t fallback, int64_t *ret_time)
{
	const char *text = session->options.value[option];

	*ret_time = fallback;
	if (text == NULL || date_parse(text, ret_time) == 0)
		return 0;
	ca_error_clear();
	return ca_error(CA_R_USAGE,
	    "option '--%s': '%s' is no time; write it in UTC, as in "
	    "2026-11-20T12:00:00Z",
	    name, text);
}

static int
read_serial(const struct session *session, char **ret_serial)
{
	const char *text = session->options.value[OPT_SERIAL];

	if (text == NULL)
		return 0;
	if (text[0] == '\0' ||
	    text[strspn(text, "0123456789abcdefABCDEF:")] != '\0')
		return ca_error(CA_R_USAGE,
		    "option '--serial': '%s' is no serial number in "
		    "hexadecimal",
		    text);
	*ret_serial = serial_digits(text);
	return *ret_serial == NULL ? -1 : 0;
}

struct finding_run {
	const char *plan;
	char *run; /* the filter's */
};

static int
see_plan(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct finding_run *finding = ctx;
	AUTO(json_t) *entry = json_loadb(line, len, 0, NULL);
	const char *plan = member(entry, "plan"), *run = member(entry, "run");

	(void)seq;
	if (plan != NULL && run != NULL && strcmp(plan, finding->plan) == 0)
		(void)snprintf(finding->run, NONCE_SIZE, "%s", run);
	return 0;
}

/* From the entries: the table of runs may be damaged. */
static int
read_plan(const struct session *session, struct journal *journal,
    struct filter *filter)
{
	struct finding_run finding = { session->options.value[OPT_PLAN],
		filter->run };

	if (finding.plan == NULL)
		return 0;
	if (journal_each_entry(journal, 0, ENTRY_PLAN, see_plan, &finding) != 0)
		return -1;
	if (filter->run[0] == '\0')
		return ca_error(CA_R_MISSING,
		    "the journal has no run of a plan '%s'; 'ca-tool journal "
		    "show --kind plan' shows those it has",
		    finding.plan);
	return 0;
}

/* All but the plan, whose run the journal must tell. */
static int
read_filter(const struct session *session, struct filter *filter)
{
	unsigned long long from;

	if (read_kind(session, &filter->kind) != 0 ||
	    options_number(&session->options, OPT_FROM, INT64_MAX, 0, &from) !=
		0 ||
	    read_time(session, OPT_SINCE, "since", INT64_MIN, &filter->since) !=
		0 ||
	    read_time(session, OPT_UNTIL, "until", INT64_MAX, &filter->until) !=
		0 ||
	    read_serial(session, &filter->serial) != 0)
		return -1;
	filter->from = from;
	return 0;
}

/* ---- a line an entry -------------------------------------------------- */

/* "alice, bob"; malloc'd, safe to print. */
static char *
people_names(const json_t *entry, bool roles)
{
	const json_t *people = json_object_get(entry, "people"), *one;
	char *names = text_copy("");
	size_t i;

	json_array_foreach(people, i, one)
	{
		const char *name =
		    json_string_value(json_object_get(one, "name"));
		const char *role =
		    json_string_value(json_object_get(one, "role"));
		AUTO_CHARS(before) = names;
		AUTO_CHARS(text) = roles
		    ? text_printf("%s (%s)", name == NULL ? "" : name,
			  role == NULL ? "" : role)
		    : text_copy(name == NULL ? "" : name);
		AUTO_CHARS(safe) =
		    text == NULL ? NULL : text_escape(text, strlen(text));

		names = before == NULL || safe == NULL
		    ? NULL
		    : text_printf("%s%s%s", before, i == 0 ? "" : ", ", safe);
	}
	return names;
}

/* jansson's strings are UTF-8; what they hold is still escaped. */
static int
print_member(const json_t *entry, const char *name, int width)
{
	const char *value = json_string_value(json_object_get(entry, name));
	AUTO_CHARS(safe) =
	    value != NULL ? text_escape(value, strlen(value)) : NULL;

	if (value == NULL)
		return ca_error(
		    CA_R_CORRUPT, "a journal entry has no '%s'", name);
	if (safe == NULL)
		return -1;
	printf("  %-*s", width, safe);
	return 0;
}

static int
print_entry(uint64_t seq, const json_t *entry)
{
	AUTO_CHARS(people) = people_names(entry, false);
	int ret;

	if (people == NULL)
		return -1;
	printf("%5llu", (unsigned long long)seq);
	ret = print_member(entry, "time", 0) != 0 ||
		print_member(entry, "kind", 13) != 0 ||
		print_member(entry, "text", 0) != 0
	    ? -1
	    : 0;
	printf(people[0] == '\0' ? "\n" : "  [%s]\n", people);
	return ret;
}

struct show {
	struct filter *filter;
	bool json, count; /* count: only that */
	uint64_t skip;    /* entries that --last leaves out */
	uint64_t counted;
};

static int
show_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct show *show = ctx;
	AUTO(json_t) *entry =
	    json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	bool takes;

	if (interrupt_pending())
		return ca_error(CA_R_INTERRUPTED, "interrupted by a signal");
	if (entry == NULL)
		return ca_error(CA_R_CORRUPT, "journal entry %llu is not JSON",
		    (unsigned long long)seq);
	if (filter_takes(show->filter, seq, entry, &takes) != 0)
		return -1;
	if (!takes || show->counted++ < show->skip || show->count)
		return 0;
	if (!show->json)
		return print_entry(seq, entry);
	printf("%.*s\n", (int)len, line);
	return 0;
}

/* All from 0 on: the filter remembers what it has seen. */
static int
walk(struct journal *journal, struct show *show)
{
	struct filter *filter = show->filter;

	filter->closed = filter->covered = false;
	filter->object_count = 0;
	show->counted = 0;
	return journal_each_entry(journal, 0, ENTRY_KINDS, show_entry, show);
}

/* --last counts what the other filters leave. */
static int
find_skip(const struct session *session, struct journal *journal,
    unsigned long long last, struct show *show)
{
	if (!session->options.given[OPT_LAST])
		return 0;
	show->count = true;
	if (walk(journal, show) != 0)
		return -1;
	show->count = false;
	show->skip = show->counted > last ? show->counted - last : 0;
	return 0;
}

static int
show_lines(struct session *session)
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_STRUCT(filter) filter = { 0 };
	struct show show = { .filter = &filter, .json = session_json(session) };
	unsigned long long last;

	if (read_filter(session, &filter) != 0 ||
	    options_number(&session->options, OPT_LAST, INT64_MAX, 0, &last) !=
		0 ||
	    journal_open(session_authority(session), JOURNAL_READ, &journal) !=
		0 ||
	    read_plan(session, journal, &filter) != 0 ||
	    find_skip(session, journal, last, &show) != 0)
		return -1;
	session->json_written = show.json;
	return walk(journal, &show);
}

/* ---- one entry in full ------------------------------------------------ */

static int
print_value(const char *path, const json_t *value)
{
	AUTO_CHARS(text) = json_is_string(value)
	    ? text_copy(json_string_value(value))
	    : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	if (text == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	return print_field_escaped(stdout, path, text);
}

/* "tool.version", "people[0].name": a field for each value. */
static int
print_values(const char *path, json_t *value)
{
	const char *name;
	json_t *below;
	size_t i;

	if (json_is_object(value)) {
		json_object_foreach(value, name, below)
		{
			AUTO_CHARS(safe) = text_escape(name, strlen(name));
			AUTO_CHARS(all) = safe == NULL
			    ? NULL
			    : text_printf("%s%s%s", path,
				  path[0] == '\0' ? "" : ".", safe);

			if (all == NULL || print_values(all, below) != 0)
				return -1;
		}
		return 0;
	}
	if (!json_is_array(value))
		return print_value(path, value);
	json_array_foreach(value, i, below)
	{
		AUTO_CHARS(all) = text_printf("%s[%zu]", path, i);

		if (all == NULL || print_values(all, below) != 0)
			return -1;
	}
	return 0;
}

static int
print_text(const json_t *entry, const char *label, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	if (text == NULL)
		return ca_error(
		    CA_R_CORRUPT, "a journal entry has no '%s'", name);
	return print_field_escaped(stdout, label, text);
}

static int
print_whole(uint64_t seq, const json_t *entry, const char *line, size_t len)
{
	AUTO_CHARS(people) = people_names(entry, true);
	unsigned char leaf[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (people == NULL || tree_leaf(line, len, leaf) != 0)
		return -1;
	text_hex_into(leaf, sizeof(leaf), hex);
	printf("Entry %llu\n", (unsigned long long)seq);
	if (print_text(entry, "Time", "time") != 0 ||
	    print_text(entry, "Kind", "kind") != 0 ||
	    print_text(entry, "Text", "text") != 0)
		return -1;
	print_field(stdout, "People", people[0] == '\0' ? "nobody" : people);
	print_field(stdout, "Leaf hash", hex);
	fputs("\n", stdout);
	return print_values("", json_object_get(entry, "data"));
}

static int
read_number(const struct session *session, uint64_t *ret_number)
{
	static const enum option filters[] = { OPT_KIND, OPT_FROM, OPT_LAST,
		OPT_SINCE, OPT_UNTIL, OPT_SERIAL, OPT_PLAN };
	const char *text = session->options.args[0];

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (session->options.given[filters[i]])
			return ca_error(CA_R_USAGE,
			    "an entry's number and a filter are given; give "
			    "one of them");
	if (text_number(text, INT64_MAX, ret_number) == 0)
		return 0;
	ca_error_clear();
	return ca_error(CA_R_USAGE, "'%s' is no number of an entry", text);
}

static int
show_one(struct session *session)
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_CHARS(line) = NULL;
	AUTO(json_t) *entry = NULL;
	uint64_t seq;
	size_t len;

	if (read_number(session, &seq) != 0 ||
	    journal_open(session_authority(session), JOURNAL_READ, &journal) !=
		0 ||
	    journal_entry(journal, seq, &line, &len) != 0)
		return -1;
	session->json_written = session_json(session);
	if (session_json(session)) {
		printf("%.*s\n", (int)len, line);
		return 0;
	}
	entry = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (entry == NULL)
		return ca_error(CA_R_CORRUPT, "journal entry %llu is not JSON",
		    (unsigned long long)seq);
	return print_whole(seq, entry, line, len);
}

/* Needs the journal alone: an authority that is damaged can still be read. */
int
cmd_journal_show(struct session *session)
{
	return session->options.arg_count > 0 ? show_one(session)
					      : show_lines(session);
}
