/* Event files: each kind, what it needs and what it may not have; notes. */
#include "ceremony/event.h"

#include <jansson.h>

#include "base/date.h"
#include "base/text.h"
#include "ceremony/journal/event-content.h"
#include "ceremony/journal/store.h"
#include "journal-support.h"
#include "support.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW "2026-11-20T12:00:00Z"

/* Each kind with what it needs and nothing else, a line a member. */
static const struct {
	const char *kind, *members;
	const char *also;     /* what it may have besides */
	const char *sentence; /* a part of it */
} events[] = {
	{ "backup",
	    "from: '0001'\nserial: '0002'\nkeys: [root-g1, journal]\n"
	    "holder: Carol C.\nlocation: vault 2\nseal: A 17\n",
	    "",
	    "token '0001' was copied to '0002', with the keys root-g1, "
	    "journal; held by Carol C., kept at vault 2, seal A 17" },
	{ "copy-destroyed",
	    "serial: '0002'\nmethod: shredded\nwitnesses: [Dave]\n", "",
	    "the copy '0002' was destroyed: shredded; witnessed by Dave" },
	{ "hsm-arrival",
	    "maker: Acme\nmodel: X1\nserial: '77'\nfirmware: '1.2'\n"
	    "seals: [S1, S2]\ncondition: as shipped\n",
	    "", "seals S1, S2; condition: as shipped" },
	{ "hsm-firmware",
	    "serial: '77'\nfrom: '1.2'\nto: '1.3'\nreason: a fault\n", "",
	    "from 1.2 to 1.3: a fault" },
	{ "hsm-transport",
	    "serial: '77'\nfrom: here\nto: there\nseals-before: [S1]\n"
	    "seals-after: [none]\ncarriers: [Alice A., Bob B.]\n",
	    "", "from here to there by Alice A., Bob B.; seals before: S1" },
	{ "hsm-maintenance", "serial: '77'\nwhat: new fan\nreason: noise\n", "",
	    "new fan; because noise" },
	{ "hsm-retirement",
	    "serial: '77'\nmethod: zeroised\nwitnesses: [Alice A., Dave]\n", "",
	    "retired: zeroised; witnessed by Alice A., Dave" },
	{ "person",
	    "name: Erin E.\nrole: operator\nchange: appointed\n"
	    "identity: passport, seen by Alice\n",
	    "organisation reason",
	    "Erin E., operator: appointed; identity: passport" },
	{ "deviation",
	    "what: step 3 was done twice\nreason: the lamp went out\n"
	    "approved-by: [Alice]\nplan: root-2026\n",
	    "step", "because the lamp went out; approved by Alice" },
	{ "media",
	    "device: camera 1\nsha256: " HEX64
	    "\nstart: 2026-11-20T09:00:00Z\nstop: 2026-11-20T10:00:00Z\n",
	    "id plan", "recorded with camera 1 from 2026-11-20T09:00:00Z" },
	{ "facility",
	    "change: entry\nwhere: cage 4\npeople: [{name: Dave, role: "
	    "auditor}]\n",
	    "reason", "entry, cage 4: Dave (auditor)" },
	{ "software",
	    "what: ca-tool\nchange: updated\nversion: 0.9\nsha256: " HEX64
	    "\nticket: C-12\n",
	    "reason", "software updated: ca-tool 0.9" },
	{ "security", "what: three wrong PINs\n", "outcome serial",
	    "security: three wrong PINs" },
	{ "note", "note: the clock was compared\n", "",
	    "note: the clock was compared" },
};
enum { EVENTS = sizeof events / sizeof events[0] };

/* Every member, with a value that is good where the member may be. */
static const struct {
	const char *name, *value;
} members[] = {
	{ "serial", "'77'" },
	{ "from", "a" },
	{ "to", "b" },
	{ "holder", "c" },
	{ "location", "d" },
	{ "seal", "e" },
	{ "maker", "f" },
	{ "model", "g" },
	{ "firmware", "h" },
	{ "condition", "i" },
	{ "what", "j" },
	{ "reason", "k" },
	{ "method", "l" },
	{ "outcome", "m" },
	{ "name", "n" },
	{ "role", "o" },
	{ "organisation", "p" },
	{ "change", "q" },
	{ "identity", "r" },
	{ "plan", "s" },
	{ "step", "t" },
	{ "device", "u" },
	{ "id", "v" },
	{ "sha256", HEX64 },
	{ "start", NOW },
	{ "stop", NOW },
	{ "version", "w" },
	{ "ticket", "x" },
	{ "keys", "[y]" },
	{ "seals", "[y]" },
	{ "seals-before", "[y]" },
	{ "seals-after", "[y]" },
	{ "carriers", "[y, z]" },
	{ "witnesses", "[y]" },
	{ "approved-by", "[y]" },
	{ "where", "here" },
	{ "people", "[{name: y, role: z}]" },
	{ "note", "a note" },
};
enum { MEMBERS = sizeof members / sizeof members[0] };

static int64_t
now(void)
{
	int64_t time;

	assert_ok(date_parse(NOW, &time));
	return time;
}

/* The head of a file, then `rest`; malloc'd. */
static char *
file_of(const char *kind, const char *rest)
{
	char *text = text_printf("format: ca-tool-event-1\nevent: %s\n"
				 "when: 2026-11-20T11:00:00Z\n%s",
	    kind, rest);

	assert_non_null(text);
	return text;
}

static int
read_text(const char *text, struct findings *findings, struct event **ret_event)
{
	return event_read("e.yaml", (const unsigned char *)text, strlen(text),
	    now(), findings, ret_event);
}

static void
accepted(const char *text, const char *sentence)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;
	AUTO_CHARS(said) = NULL;

	if (read_text(text, &findings, &event) != 0)
		fail_msg("%s\n%s: %s", text,
		    findings.count > 0 ? findings.rows[0].place : "",
		    findings.count > 0 ? findings.rows[0].text : "?");
	assert_ok(event_sentence(event, &said));
	if (sentence != NULL && strstr(said, sentence) == NULL)
		fail_msg("'%s' is not in '%s'", sentence, said);
}

/* Refused with this finding, at this place. */
static void
refused(const char *text, const char *id, const char *place)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;

	assert_refused(CA_R_INPUT, read_text(text, &findings, &event));
	assert_null(event);
	if (count_findings(&findings, id, place) == 0)
		fail_msg("no %s at %s, but %s at %s: %s\n%s", id,
		    place == NULL ? "any place" : place,
		    findings.count > 0 ? findings.rows[0].id : "nothing",
		    findings.count > 0 ? findings.rows[0].place : "",
		    findings.count > 0 ? findings.rows[0].text : "", text);
}

static bool
has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(words, word); at != NULL;
	     at = strstr(at + 1, word))
		if ((at == words || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

/* Is there a line "NAME: ..." in `text`? */
static const char *
line_of(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1)
		if (strncmp(at, name, len) == 0 && at[len] == ':')
			return at;
	return NULL;
}

/* ---- kinds ------------------------------------------------------------ */

static void
test_each_kind(void **state)
{
	const char *meaning, *kind;
	size_t i;

	(void)state;
	for (i = 0; (kind = event_kind_at(i, &meaning)) != NULL; i++) {
		assert_true(i < EVENTS);
		assert_string_equal(kind, events[i].kind);
		assert_true(strlen(meaning) > 0);
	}
	assert_int_equal(i, EVENTS);
	for (i = 0; i < EVENTS; i++) {
		AUTO_CHARS(text) = file_of(events[i].kind, events[i].members);

		accepted(text, events[i].sentence);
	}
}

static void
test_missing_members(void **state)
{
	unsigned tried = 0;

	(void)state;
	for (size_t i = 0; i < EVENTS; i++)
		for (size_t m = 0; m < MEMBERS; m++) {
			const char *line =
			    line_of(events[i].members, members[m].name);
			AUTO_CHARS(rest) = NULL;
			AUTO_CHARS(text) = NULL;

			if (line == NULL)
				continue;
			rest = text_printf("%.*s%s",
			    (int)(line - events[i].members), events[i].members,
			    line + strcspn(line, "\n") + 1);
			text = file_of(events[i].kind, rest);
			refused(text, "EVENT-MISSING", NULL);
			tried++;
		}
	assert_true(tried > 50);
}

/* Whatever belongs to other kinds is refused, with its line and column. */
static void
test_foreign_members(void **state)
{
	static const char common[] = "where people note";

	(void)state;
	for (size_t i = 0; i < EVENTS; i++)
		for (size_t m = 0; m < MEMBERS; m++) {
			AUTO_CHARS(rest) =
			    text_printf("%s: %s\n%s", members[m].name,
				members[m].value, events[i].members);
			AUTO_CHARS(text) = file_of(events[i].kind, rest);

			if (line_of(events[i].members, members[m].name) != NULL)
				refused(text, "YAML-DUPLICATE", NULL);
			else if (has_word(events[i].also, members[m].name) ||
			    has_word(common, members[m].name))
				accepted(text, NULL);
			else
				refused(text, "EVENT-MEMBER", NULL);
		}
	{
		AUTO_CHARS(text) = file_of("note", "note: x\nserial: '1'\n");

		refused(text, "EVENT-MEMBER", "e.yaml:5:9");
	}
}

static const struct {
	const char *text, *id, *place;
} bad[] = {
	{ "format: ca-tool-event-2\nevent: note\nwhen: " NOW "\nnote: x\n",
	    "EVENT-FORMAT", "e.yaml:1:9" },
	{ "format: ca-tool-event-1\nevent: party\nwhen: " NOW "\nnote: x\n",
	    "EVENT-KIND", "e.yaml:2:8" },
	{ "format: ca-tool-event-1\nevent: note\nnote: x\n", "EVENT-MISSING",
	    NULL },
	{ "format: ca-tool-event-1\nevent: note\nwhen: " NOW
	  "\nnote: x\ncolour: red\n",
	    "YAML-SCHEMA", "e.yaml:5:1" },
	{ "format: ca-tool-event-1\nevent: note\nwhen: "
	  "2026-11-20T12:00:01Z\nnote: x\n",
	    "EVENT-TIME", "e.yaml:3:7" },
	{ "format: ca-tool-event-1\nevent: note\nwhen: yesterday\nnote: x\n",
	    "EVENT-TIME", "e.yaml:3:7" },
	{ "format: ca-tool-event-1\nevent: note\nwhen: "
	  "2026-02-30T12:00:00Z\nnote: x\n",
	    "EVENT-TIME", "e.yaml:3:7" },
	{ "format: ca-tool-event-1\nevent: note\nwhen: " NOW
	  "\nnote: \"x\\e[31m\"\n",
	    "YAML-CONTROL", NULL },
	{ "format: ca-tool-event-1\nevent: hsm-transport\nwhen: " NOW
	  "\nserial: '1'\nfrom: a\nto: b\nseals-before: [x]\nseals-after: "
	  "[x]\ncarriers: [Alice]\n",
	    "EVENT-VALUE", "e.yaml:9:1" },
	{ "format: ca-tool-event-1\nevent: hsm-transport\nwhen: " NOW
	  "\nserial: '1'\nfrom: a\nto: b\nseals-before: [x]\nseals-after: "
	  "[x]\ncarriers: [Alice, Alice]\n",
	    "EVENT-VALUE", "e.yaml:9:1" },
	{ "format: ca-tool-event-1\nevent: person\nwhen: " NOW
	  "\nname: a\nrole: b\nchange: hired\nidentity: d\n",
	    "EVENT-VALUE", "e.yaml:6:9" },
	{ "format: ca-tool-event-1\nevent: facility\nwhen: " NOW
	  "\nwhere: a\nchange: entry\npeople: []\n",
	    NULL, NULL },
	{ "format: ca-tool-event-1\nevent: media\nwhen: " NOW
	  "\ndevice: a\nsha256: ABC\nstart: " NOW "\nstop: " NOW "\n",
	    "EVENT-VALUE", "e.yaml:5:9" },
	{ "format: ca-tool-event-1\nevent: media\nwhen: " NOW
	  "\ndevice: a\nsha256: " HEX64 "\nstart: " NOW
	  "\nstop: 2026-11-20T11:59:59Z\n",
	    "EVENT-TIME", "e.yaml:7:7" },
	{ "format: ca-tool-event-1\nevent: media\nwhen: " NOW
	  "\ndevice: a\nsha256: " HEX64 "\nstart: " NOW
	  "\nstop: 2026-11-20T12:00:01Z\n",
	    "EVENT-TIME", "e.yaml:7:7" },
	{ "format: ca-tool-event-1\nevent: deviation\nwhen: " NOW
	  "\nwhat: a\nreason: b\napproved-by: [c]\n",
	    "EVENT-MISSING", NULL },
};

static void
test_bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_PTR(event) *event = NULL;

		if (bad[i].id != NULL) {
			refused(bad[i].text, bad[i].id, bad[i].place);
			continue;
		}
		/* an empty list is no list, or a short one */
		assert_refused(
		    CA_R_INPUT, read_text(bad[i].text, &findings, &event));
		assert_true(count_findings(&findings, "EVENT-MISSING", NULL) +
			count_findings(&findings, "EVENT-VALUE", NULL) >
		    0);
	}
}

static void
test_all_at_once(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;

	(void)state;
	assert_refused(CA_R_INPUT,
	    read_text("format: ca-tool-event-1\nevent: backup\nwhen: later\n"
		      "seals: [x]\nserial: a\n",
		&findings, &event));
	assert_int_equal(count_findings(&findings, "EVENT-MISSING", NULL), 5);
	assert_int_equal(count_findings(&findings, "EVENT-TIME", NULL), 1);
	assert_int_equal(count_findings(&findings, "EVENT-MEMBER", NULL), 1);
}

static void
test_too_large(void **state)
{
	AUTO_CHARS(blank) = malloc(EVENT_MAX_BYTES + 1);
	AUTO_CHARS(text) = NULL;

	(void)state;
	assert_non_null(blank);
	memset(blank, '#', EVENT_MAX_BYTES);
	blank[EVENT_MAX_BYTES] = '\0';
	text = file_of("note", blank);
	{
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_PTR(event) *event = NULL;

		assert_refused(CA_R_INPUT, read_text(text, &findings, &event));
		assert_null(event);
	}
}

/* ---- what becomes of it ----------------------------------------------- */

static void
test_data(void **state)
{
	AUTO_CHARS(text) = file_of("hsm-transport",
	    "serial: '77'\nfrom: here\nto: there\nseals-before: [S1]\n"
	    "seals-after: [none]\ncarriers: [Alice A., Bob B.]\n"
	    "people: [{name: Dave, role: auditor}]\nnote: \"\\xfcber Land\"\n");
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;
	AUTO_CHARS(lines) = NULL;
	AUTO(json_t) *data = NULL;
	AUTO(json_t) *wanted =
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s], s:[s], s:[s,s], "
		      "s:[{s:s, s:s}], s:s}",
		"event", "hsm-transport", "when", "2026-11-20T11:00:00Z",
		"serial", "77", "from", "here", "to", "there", "seals-before",
		"S1", "seals-after", "none", "carriers", "Alice A.", "Bob B.",
		"people", "name", "Dave", "role", "auditor", "note",
		"\xc3\xbc"
		"ber Land");

	(void)state;
	assert_non_null(wanted);
	assert_ok(read_text(text, &findings, &event));
	assert_string_equal(event_kind(event), "hsm-transport");
	assert_ok(event_data(event, &data));
	assert_true(json_equal(data, wanted));
	assert_ok(event_lines(event, &lines));
	assert_non_null(strstr(lines, "carriers: Alice A., Bob B.\n"));
	assert_non_null(strstr(lines, "people: Dave (auditor)\n"));
}

/* The largest file that is read fits into an entry, whatever it holds. */
static void
test_largest_fits(void **state)
{
	AUTO_CHARS(rest) = text_copy("note: x\npeople:\n");
	AUTO_CHARS(text) = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(event) *event = NULL;
	AUTO(json_t) *data = NULL;
	char *line;

	(void)state;
	/* two octets each become six */
	for (unsigned i = 0; i < 7; i++) {
		AUTO_CHARS(before) = TAKE(rest);
		char name[2 * 490 + 1], role[2 * 490 + 1];

		for (unsigned c = 0; c < sizeof(name) - 1; c += 2) {
			memcpy(name + c, "\xc3\xbc", 2);
			memcpy(role + c, "\xc3\xa4", 2);
		}
		name[sizeof(name) - 1] = role[sizeof(role) - 1] = '\0';
		rest = text_printf(
		    "%s  - name: %s\n    role: %s\n", before, name, role);
		assert_non_null(rest);
	}
	text = file_of("note", rest);
	assert_true(strlen(text) > EVENT_MAX_BYTES - 3000);
	assert_ok(read_text(text, &findings, &event));
	assert_ok(event_data(event, &data));
	line = json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII);
	assert_non_null(line);
	assert_true(strlen(line) < ENTRY_MAX_BYTES - 10000);
	free(line);
}

static void
test_content(void **state)
{
	struct event_content content = { .authority = "example.org/root",
		.size = 42,
		.set = SOME_SET,
		.name = "alice",
		.event = "backup",
		.file = HEX64 };
	AUTO_CHARS(text) = NULL;

	(void)state;
	memset(content.genesis, 0xab, HASH_LEN);
	memset(content.root, 0x01, HASH_LEN);
	assert_ok(event_content_text(&content, &text));
	assert_string_equal(text,
	    "ca-tool event 1\n"
	    "authority: example.org/root\n"
	    "genesis: abababababababababababababababab"
	    "abababababababababababababababab\n"
	    "size: 42\n"
	    "root: 01010101010101010101010101010101"
	    "01010101010101010101010101010101\n"
	    "set: " SOME_SET "\n"
	    "name: alice\n"
	    "event: backup\n"
	    "file: " HEX64 "\n");
}

/* ---- notes ------------------------------------------------------------ */

struct seen {
	char text[8192];
};

static int
keep_line(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct seen *seen = ctx;

	(void)seq;
	assert_true(len < sizeof seen->text);
	memcpy(seen->text, line, len);
	seen->text[len] = '\0';
	return 0;
}

static void
test_note(void **state)
{
	char dir[] = "test-event-XXXXXX";
	AUTO_CHARS(path) = NULL;
	char text[5000];

	(void)state;
	assert_non_null(mkdtemp(dir));
	{
		AUTO_PTR(journal) *journal = NULL;
		struct seen seen = { "" };
		uint64_t size;
		unsigned char root[HASH_LEN];

		assert_ok(journal_create(dir, &journal));
		put_entry(journal, ENTRY_GENESIS,
		    json_pack("{s:s,s:i,s:{s:s},s:s}", "authority", "example",
			"format", 1, "token", "label", "x", "tool", "0"));
		assert_ok(journal_set_person(journal, "alice", "operator"));
		assert_ok(
		    event_note(journal, RUN_1, "gr\xc3\xbc\xc3\x9f\x1b[1m"));
		assert_ok(journal_each_entry(
		    journal, 0, ENTRY_EVENT, keep_line, &seen));
		assert_non_null(strstr(seen.text,
		    "\"people\":[{\"name\":\"alice\",\"role\":\"operator\"}]"));
		assert_non_null(strstr(seen.text,
		    "\"data\":{\"event\":\"note\",\"run\":\"" RUN_1
		    "\",\"text\":\"gr\\u00FC\\u00DF\\\\x1b[1m\"}"));
		/* neither what is too long nor what is no UTF-8 stops a run */
		memset(text, 0xff, sizeof text - 1);
		text[sizeof text - 1] = '\0';
		assert_ok(event_note(journal, RUN_1, text));
		assert_ok(journal_head(journal, &size, root));
		assert_int_equal(size, 3);
	}
	path = text_printf("%s/journal.db", dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind),
		cmocka_unit_test(test_missing_members),
		cmocka_unit_test(test_foreign_members),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_data),
		cmocka_unit_test(test_largest_fits),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
