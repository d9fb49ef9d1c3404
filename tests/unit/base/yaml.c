#include "base/yaml.h"

#include "support.h"

enum colour {
	RED,
	GREEN,
};

struct step {
	char *name;
	enum colour colour;
	uint8_t small;
	int number;
	bool flag;
	unsigned days;
	struct step *inner;
	double real;
};

struct plan {
	char *id;
	char *note;
	struct step *steps;
	unsigned steps_count;
};

static const cyaml_strval_t colours[] = { { "red", RED }, { "green", GREEN } };
static const cyaml_strval_t days[] = { { "monday", 1 }, { "friday", 2 } };

/* A step within a step has a name alone. */
static const cyaml_schema_field_t inner_fields[] = {
	CYAML_FIELD_STRING_PTR(
	    "name", CYAML_FLAG_POINTER, struct step, name, 1, 10),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t step_fields[] = {
	CYAML_FIELD_STRING_PTR(
	    "name", CYAML_FLAG_POINTER, struct step, name, 1, 10),
	CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
	    struct step, colour, colours, 2),
	CYAML_FIELD_UINT("small", CYAML_FLAG_OPTIONAL, struct step, small),
	CYAML_FIELD_INT("number", CYAML_FLAG_OPTIONAL, struct step, number),
	CYAML_FIELD_BOOL("flag", CYAML_FLAG_OPTIONAL, struct step, flag),
	CYAML_FIELD_FLAGS("days", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
	    struct step, days, days, 2),
	CYAML_FIELD_MAPPING_PTR("inner",
	    CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER_NULL, struct step, inner,
	    inner_fields),
	CYAML_FIELD_FLOAT(
	    "real", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct step, real),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t step_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct step, step_fields),
};

static const cyaml_schema_field_t plan_fields[] = {
	CYAML_FIELD_STRING_PTR(
	    "id", CYAML_FLAG_POINTER, struct plan, id, 1, 20),
	CYAML_FIELD_STRING_PTR("note",
	    CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL, struct plan,
	    note, 0, 100),
	CYAML_FIELD_SEQUENCE("steps", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct plan, steps, &step_schema, 1, 3),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t plan_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct plan, plan_fields),
};

/* A document, and what yaml_load() made of it. */
struct loaded {
	struct findings findings;
	struct yaml *doc;
	void *value;
};

static void
loaded_clear(struct loaded *loaded)
{
	findings_clear(&loaded->findings);
	yaml_free(loaded->doc);
	yaml_value_free(&plan_schema, loaded->value);
}
CLEANUP_DEFINE_STRUCT(loaded);

static int
load_bytes(const char *text, size_t len, struct loaded *loaded)
{
	/* On the heap, so that a sanitizer sees a read beyond the end. */
	AUTO_BYTES(data) = malloc(len == 0 ? 1 : len);

	assert_non_null(data);
	memcpy(data, text, len);
	ca_error_clear();
	return yaml_load("p.yaml", data, len, &plan_schema, &loaded->findings,
	    &loaded->doc, &loaded->value);
}

static void
assert_finding(
    const struct loaded *loaded, size_t i, const char *id, const char *place)
{
	assert_true(i < loaded->findings.count);
	assert_string_equal(loaded->findings.rows[i].id, id);
	assert_string_equal(loaded->findings.rows[i].place, place);
	assert_int_equal(loaded->findings.rows[i].severity, FINDING_ERROR);
}

/* Refused, with exactly this first finding. */
static void
refuse_bytes(const char *text, size_t len, const char *id, const char *place)
{
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	assert_int_equal(load_bytes(text, len, &loaded), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_null(loaded.doc);
	assert_null(loaded.value);
	assert_finding(&loaded, 0, id, place);
}

static void
refuse(const char *text, const char *id, const char *place)
{
	refuse_bytes(text, strlen(text), id, place);
}

/* Refused with one finding, of the schema. */
static void
refuse_schema(const char *text, const char *place, const char *message)
{
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	assert_int_equal(load_bytes(text, strlen(text), &loaded), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_finding(&loaded, 0, "YAML-SCHEMA", place);
	assert_string_equal(loaded.findings.rows[0].text, message);
	assert_int_equal(loaded.findings.count, 1);
}

static const char good[] = "# a comment, Jörg\n"
			   "---\n"
			   "id: annual-2026\n"
			   "note: |\n"
			   "  two\n"
			   "  lines\n"
			   "steps:\n"
			   "  - name: first\n"
			   "    colour: green\n"
			   "    small: 255\n"
			   "    number: -12\n"
			   "    flag: true\n"
			   "    days: [monday, friday]\n"
			   "    inner:\n"
			   "      name: in\n"
			   "  - {name: \"second\", inner: }\n";

static void
test_load(void **state)
{
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };
	const struct plan *plan;

	(void)state;
	assert_ok(load_bytes(good, strlen(good), &loaded));
	plan = loaded.value;
	assert_int_equal(loaded.findings.count, 0);
	assert_string_equal(plan->id, "annual-2026");
	assert_string_equal(plan->note, "two\nlines\n");
	assert_int_equal(plan->steps_count, 2);
	assert_string_equal(plan->steps[0].name, "first");
	assert_int_equal(plan->steps[0].colour, GREEN);
	assert_int_equal(plan->steps[0].small, 255);
	assert_int_equal(plan->steps[0].number, -12);
	assert_true(plan->steps[0].flag);
	assert_int_equal(plan->steps[0].days, 3);
	assert_string_equal(plan->steps[0].inner->name, "in");
	assert_string_equal(plan->steps[1].name, "second");
	assert_null(plan->steps[1].inner);
}

static void
test_line_ends(void **state)
{
	AUTO_STRUCT(loaded) windows = { .doc = NULL };
	AUTO_STRUCT(loaded) null = { .doc = NULL };
	AUTO_STRUCT(loaded) bare = { .doc = NULL };

	(void)state;
	assert_ok(load_bytes("id: a\r\nnote: b\r\n", 16, &windows));
	assert_string_equal(((struct plan *)windows.value)->note, "b");
	assert_ok(load_bytes("id: a\nnote: ~\n", 14, &null));
	assert_null(((struct plan *)null.value)->note);
	assert_ok(load_bytes("id: a", 5, &bare));
	assert_string_equal(((struct plan *)bare.value)->id, "a");
}

static void
test_places(void **state)
{
	static const struct {
		const char *path, *place;
	} rows[] = {
		{ "", "p.yaml:3:1" },
		{ "id", "p.yaml:3:5" },
		{ "steps", "p.yaml:7:1" },
		{ "steps[0]", "p.yaml:8:5" },
		{ "steps[0].name", "p.yaml:8:11" },
		{ "steps[0].number", "p.yaml:11:13" },
		{ "steps[0].days", "p.yaml:13:5" },
		{ "steps[0].days[1]", "p.yaml:13:20" },
		{ "steps[0].inner", "p.yaml:14:5" },
		{ "steps[0].inner.name", "p.yaml:15:13" },
		{ "steps[1].name", "p.yaml:16:12" },
		/* What is absent: where it would belong. */
		{ "none", "p.yaml:3:1" },
		{ "steps[2]", "p.yaml:7:1" },
		{ "steps[2].name", "p.yaml:7:1" },
		{ "steps[99999999999999999999]", "p.yaml:7:1" },
		{ "steps[1].colour", "p.yaml:16:5" },
		{ "steps[0].inner.none.more", "p.yaml:14:5" },
		{ "id[0]", "p.yaml:3:5" },
		{ "id.x", "p.yaml:3:5" },
		/* Nonsense does no harm. */
		{ "steps[", "p.yaml:8:5" },
		{ "..", "p.yaml:3:1" },
		{ "[0]", "p.yaml:3:1" },
	};
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };
	const char *first;

	(void)state;
	assert_ok(load_bytes(good, strlen(good), &loaded));
	first = yaml_place(loaded.doc, "steps[%d].%s", 0, "name");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_string_equal(
		    yaml_place(loaded.doc, "%s", rows[i].path), rows[i].place);
	/* Not overwritten by the later calls. */
	assert_string_equal(first, "p.yaml:8:11");
}

static void
test_syntax(void **state)
{
	(void)state;
	refuse("id: [a\n", "YAML-SYNTAX", "p.yaml:2:1");
	refuse("id: a\n\tnote: b\n", "YAML-SYNTAX", "p.yaml:2:1");
	refuse("id: \"a\n", "YAML-SYNTAX", "p.yaml:2:1");
	refuse("id: a: b\n", "YAML-SYNTAX", "p.yaml:1:6");
	refuse("id: \"\\q\"\n", "YAML-SYNTAX", "p.yaml:1:6");
}

static void
test_documents(void **state)
{
	(void)state;
	refuse("", "YAML-DOCUMENTS", "p.yaml:1:1");
	refuse("\n\n", "YAML-DOCUMENTS", "p.yaml:1:1");
	refuse("# nothing\n", "YAML-DOCUMENTS", "p.yaml:1:1");
	refuse("id: a\n---\nid: b\n", "YAML-DOCUMENTS", "p.yaml:2:1");
	refuse("id: a\n...\n---\n", "YAML-DOCUMENTS", "p.yaml:3:1");
	refuse("%YAML 1.1\n---\nid: a\n", "YAML-DIRECTIVE", "p.yaml:1:1");
	refuse(
	    "%TAG ! tag:x,2000:\n---\nid: a\n", "YAML-DIRECTIVE", "p.yaml:1:1");
}

static void
test_aliases_and_tags(void **state)
{
	(void)state;
	refuse("id: &x a\n", "YAML-ALIAS", "p.yaml:1:5");
	refuse("id: *x\n", "YAML-ALIAS", "p.yaml:1:5");
	refuse("&x id: a\n", "YAML-ALIAS", "p.yaml:1:1");
	refuse("*x : a\n", "YAML-ALIAS", "p.yaml:1:1");
	refuse("steps: &x []\n", "YAML-ALIAS", "p.yaml:1:8");
	refuse("steps: &x {}\n", "YAML-ALIAS", "p.yaml:1:8");
	refuse("id: !!str a\n", "YAML-TAG", "p.yaml:1:5");
	refuse("id: !x a\n", "YAML-TAG", "p.yaml:1:5");
	refuse("id: ! a\n", "YAML-TAG", "p.yaml:1:5");
	refuse("steps: !!seq []\n", "YAML-TAG", "p.yaml:1:8");
	refuse("!!map {id: a}\n", "YAML-TAG", "p.yaml:1:1");
}

/* Ten levels of ten would be 10^10 values. */
static void
test_alias_bomb(void **state)
{
	char text[2000] = "a0: &a0 [x]\n";
	size_t len = strlen(text);

	(void)state;
	for (int i = 1; i <= 10; i++)
		len += (size_t)snprintf(text + len, sizeof text - len,
		    "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i,
		    i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	refuse(text, "YAML-ALIAS", "p.yaml:1:5");
}

static void
test_control_characters(void **state)
{
	(void)state;
	/* Raw, in comments too: what people read. */
	refuse_bytes("id: ro\0ot\n", 10, "YAML-CONTROL", "p.yaml:1:7");
	refuse("id: \x1b[2J\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: a\n# \x07\n", "YAML-CONTROL", "p.yaml:2:3");
	refuse("id: a\x7f\n", "YAML-CONTROL", "p.yaml:1:6");
	refuse("id: \xc3\xa9\xc2\x85\n", "YAML-CONTROL", "p.yaml:1:6");
	refuse("id: a # \xe2\x80\xae\n", "YAML-CONTROL", "p.yaml:1:9");
	refuse("id: a\xe2\x80\xa8note: b\n", "YAML-CONTROL", "p.yaml:1:6");
	refuse("id: a\rnote: b\n", "YAML-CONTROL", "p.yaml:1:6");
	refuse("id: a\xef\xbb\xbf\n", "YAML-CONTROL", "p.yaml:1:6");
	/* As escapes. */
	refuse("id: \"root\\0evil\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"\\e[2J\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"a\\nb\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"a\\tb\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"\\x7f\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"\\N\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"\\u202e\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: \"\\U000e0041\"\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("id: a\tb\n", "YAML-CONTROL", "p.yaml:1:5");
	/* A paragraph in quotes makes a newline that nobody sees. */
	refuse("id: 'a\n\n  b'\n", "YAML-CONTROL", "p.yaml:1:5");
	refuse("note: |\n  a\tb\n", "YAML-CONTROL", "p.yaml:1:7");
}

static void
test_encoding(void **state)
{
	(void)state;
	refuse("\xef\xbb\xbfid: a\n", "YAML-ENCODING", "p.yaml:1:1");
	refuse_bytes(
	    "\xff\xfei\0d\0:\0 \0a\0", 12, "YAML-ENCODING", "p.yaml:1:1");
	refuse("id: a\nnote: J\xf6rg\n", "YAML-ENCODING", "p.yaml:2:8");
	refuse("id: \xed\xa0\x80\n", "YAML-ENCODING", "p.yaml:1:5");
	refuse("id: \xc0\xae\n", "YAML-ENCODING", "p.yaml:1:5");
	refuse("id: \xe2\x82", "YAML-ENCODING", "p.yaml:1:5");
}

static void
test_all_bad_lines(void **state)
{
	AUTO_STRUCT(loaded) two = { .doc = NULL };
	AUTO_STRUCT(loaded) many = { .doc = NULL };
	char text[400];

	(void)state;
	assert_int_equal(load_bytes("\x01\nok\n\xff\n", 7, &two), -1);
	assert_int_equal(two.findings.count, 2);
	assert_finding(&two, 0, "YAML-CONTROL", "p.yaml:1:1");
	assert_finding(&two, 1, "YAML-ENCODING", "p.yaml:3:1");
	for (size_t i = 0; i < sizeof text; i += 2)
		memcpy(text + i, "\x01\n", 2);
	assert_int_equal(load_bytes(text, sizeof text, &many), -1);
	assert_int_equal(many.findings.count, 20);
}

static void
test_keys(void **state)
{
	(void)state;
	refuse("\"id\": a\n", "YAML-KEY", "p.yaml:1:1");
	refuse("'id': a\n", "YAML-KEY", "p.yaml:1:1");
	refuse("? [a, b]\n: c\n", "YAML-KEY", "p.yaml:1:3");
	refuse("{a: b}: c\n", "YAML-KEY", "p.yaml:1:1");
	refuse("? \n: a\n", "YAML-KEY", "p.yaml:1:2");
	refuse("id: a\nid: b\n", "YAML-DUPLICATE", "p.yaml:2:1");
	refuse("id: a\nsteps:\n - name: b\n   name: b\n", "YAML-DUPLICATE",
	    "p.yaml:4:4");
	refuse(
	    "steps: [{a: 1, b: 2, a: 3}]\n", "YAML-DUPLICATE", "p.yaml:1:22");
}

static void
test_many_keys(void **state)
{
	static char text[20000];
	size_t len = 0;

	(void)state;
	for (int i = 0; i <= 1000; i++)
		len += (size_t)snprintf(
		    text + len, sizeof text - len, "k%d: a\n", i);
	refuse(text, "YAML-SIZE", "p.yaml:1001:1");
}

static void
test_depth(void **state)
{
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };
	char text[64] = "id: ";

	(void)state;
	/* The mapping itself is the first level. */
	memset(text + 4, '[', 15);
	memset(text + 19, ']', 15);
	assert_int_equal(load_bytes(text, 34, &loaded), -1);
	assert_finding(&loaded, 0, "YAML-SCHEMA", "p.yaml:1:1");
	memset(text + 4, '[', 16);
	memset(text + 20, ']', 16);
	refuse_bytes(text, 36, "YAML-DEPTH", "p.yaml:1:20");
}

static void
test_size(void **state)
{
	static char text[(1 << 20) + 1];
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	(void)state;
	memset(text, ' ', sizeof text);
	memcpy(text, "id: a\n#", 7);
	refuse_bytes(text, sizeof text, "YAML-SIZE", "p.yaml:1:1");
	assert_ok(load_bytes(text, sizeof text - 1, &loaded));
}

/* 1 MiB of what is most expensive, within reasonable time. */
static void
test_large_and_hostile(void **state)
{
	static char text[1 << 20];

	(void)state;
	(void)alarm(60);
	memset(text, '[', sizeof text);
	refuse_bytes(text, sizeof text, "YAML-DEPTH", "p.yaml:1:17");
	memset(text, '\n', sizeof text);
	refuse_bytes(text, sizeof text, "YAML-DOCUMENTS", "p.yaml:1:1");
	for (size_t i = 0; i < sizeof text; i += 4)
		memcpy(text + i, "- a\n", 4);
	refuse_bytes(text, sizeof text, "YAML-SCHEMA", "p.yaml:1:1");
	(void)alarm(0);
}

static void
test_schema_keys(void **state)
{
	(void)state;
	refuse_schema("id: a\nnotes: b\n", "p.yaml:2:1",
	    "unknown key 'notes' (known: id, note, steps)");
	refuse_schema(
	    "# c\n\nnote: a\n", "p.yaml:3:1", "the key 'id' is missing");
	refuse_schema("id: a\nsteps:\n  - name: b\n    inner: {nome: c, name: "
		      "d}\n",
	    "p.yaml:4:13",
	    "unknown key 'nome' (known: name) in 'steps[0].inner'");
	refuse_schema("id: a\nsteps:\n  - flag: true\n", "p.yaml:3:5",
	    "the key 'name' is missing in 'steps[0]'");
	refuse_schema("id: a\nsteps:\n  - name: b\n    inner:\n      {}\n",
	    "p.yaml:4:5", "the key 'name' is missing in 'steps[0].inner'");
}

static void
test_schema_kinds(void **state)
{
	(void)state;
	refuse_schema("- a\n", "p.yaml:1:1",
	    "a mapping ('key: value') is expected, but a list ('- ...') is "
	    "there");
	refuse_schema("just text\n", "p.yaml:1:1",
	    "a mapping ('key: value') is expected, but a single value is "
	    "there");
	refuse_schema("---\n", "p.yaml:2:1",
	    "a mapping ('key: value') is expected, but nothing is there");
	refuse_schema("id: [a]\n", "p.yaml:1:1",
	    "a single value is expected, but a list ('- ...') is there in "
	    "'id'");
	refuse_schema("id: a\nsteps: {name: b}\n", "p.yaml:2:1",
	    "a list ('- ...') is expected, but a mapping ('key: value') is "
	    "there in 'steps'");
	refuse_schema("id: a\nsteps:\n", "p.yaml:2:7",
	    "a list ('- ...') is expected, but nothing is there in 'steps'");
	refuse_schema("id: a\nsteps: [b]\n", "p.yaml:2:9",
	    "a mapping ('key: value') is expected, but a single value is "
	    "there in 'steps[0]'");
	refuse_schema("id: a\nsteps: [{name: b, days: monday}]\n",
	    "p.yaml:2:25",
	    "a list ('- ...') is expected, but a single value is there in "
	    "'steps[0].days'");
}

static void
test_schema_values(void **state)
{
	(void)state;
	refuse_schema("id:\n", "p.yaml:1:4", "the value is missing in 'id'");
	refuse_schema("id: 123456789012345678901\n", "p.yaml:1:5",
	    "the value is longer than 20 bytes in 'id'");
	refuse_schema("id: a\nsteps: []\n", "p.yaml:2:1",
	    "too few entries: at least 1 are needed in 'steps'");
	refuse_schema("id: a\nsteps: [{name: a}, {name: b}, {name: c}, {name: "
		      "d}]\n",
	    "p.yaml:2:1", "too many entries: at most 3 are allowed in 'steps'");
	refuse_schema("id: a\nsteps: [{name: b, colour: blue}]\n",
	    "p.yaml:2:27",
	    "'blue' is not one of: red, green in 'steps[0].colour'");
	refuse_schema("id: a\nsteps: [{name: b, colour: 1}]\n", "p.yaml:2:27",
	    "'1' is not one of: red, green in 'steps[0].colour'");
	refuse_schema("id: a\nsteps: [{name: b, days: [monday, sunday]}]\n",
	    "p.yaml:2:34",
	    "'sunday' is not one of: monday, friday in 'steps[0].days[1]'");
}

/* Each of these libcyaml takes. */
static void
test_schema_lax_values(void **state)
{
	static const char *const flags[] = { "flase", "yes", "1", "True",
		"\"true\"", "on" };
	static const char *const numbers[] = { "12x", "\" 12\"", "010", "0x12",
		"+1", "1e1", "1.0", "--1", "-", "\"\"" };
	char text[100];

	(void)state;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
		(void)snprintf(text, sizeof text,
		    "id: a\nsteps: [{name: b, flag: %s}]\n", flags[i]);
		refuse(text, "YAML-SCHEMA", "p.yaml:2:25");
	}
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		(void)snprintf(text, sizeof text,
		    "id: a\nsteps: [{name: b, number: %s}]\n", numbers[i]);
		refuse(text, "YAML-SCHEMA", "p.yaml:2:27");
	}
	refuse("id: a\nsteps: [{name: b, small: -1}]\n", "YAML-SCHEMA",
	    "p.yaml:2:26");
}

/* What only libcyaml sees, with the place that it tells. */
static void
test_libcyaml_refuses(void **state)
{
	AUTO_STRUCT(loaded) number = { .doc = NULL };
	AUTO_STRUCT(loaded) real = { .doc = NULL };
	static const char small[] =
	    "id: a\nsteps:\n  - name: b\n    small: 256\n";
	static const char text[] =
	    "id: a\nsteps:\n  - name: b\n    real: \"\\\\e\"\n";

	(void)state;
	assert_int_equal(load_bytes(small, strlen(small), &number), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_finding(&number, 0, "YAML-SCHEMA", "p.yaml:4:12");
	assert_non_null(strstr(number.findings.rows[0].text, "256"));
	assert_int_equal(load_bytes(text, strlen(text), &real), -1);
	assert_finding(&real, 0, "YAML-SCHEMA", "p.yaml:4:11");
	assert_non_null(
	    strstr(real.findings.rows[0].text, "Invalid FLOAT value"));
}

static void
test_all_at_once(void **state)
{
	static const char text[] = "idd: a\n"
				   "steps:\n"
				   "  - nam: b\n"
				   "    colour: blue\n"
				   "  - flag: maybe\n"
				   "    name: [x]\n";
	static const char *const places[] = { "p.yaml:1:1", "p.yaml:3:5",
		"p.yaml:4:13", "p.yaml:3:5", "p.yaml:5:11", "p.yaml:6:5",
		"p.yaml:1:1" };
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	(void)state;
	assert_int_equal(load_bytes(text, strlen(text), &loaded), -1);
	assert_int_equal(loaded.findings.count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_finding(&loaded, i, "YAML-SCHEMA", places[i]);
}

static void
test_structure_at_once(void **state)
{
	static const char text[] = "id: !x a\n"
				   "\"note\": &y b\n"
				   "id: \"\\0\"\n";
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	(void)state;
	assert_int_equal(load_bytes(text, strlen(text), &loaded), -1);
	assert_int_equal(loaded.findings.count, 5);
	assert_finding(&loaded, 0, "YAML-TAG", "p.yaml:1:5");
	assert_finding(&loaded, 1, "YAML-KEY", "p.yaml:2:1");
	assert_finding(&loaded, 2, "YAML-ALIAS", "p.yaml:2:9");
	assert_finding(&loaded, 3, "YAML-DUPLICATE", "p.yaml:3:1");
	assert_finding(&loaded, 4, "YAML-CONTROL", "p.yaml:3:5");
}

/* Findings of other files do not make this one bad. */
static void
test_earlier_findings(void **state)
{
	AUTO_STRUCT(loaded) loaded = { .doc = NULL };

	(void)state;
	findings_add(&loaded.findings, FINDING_ERROR, "OTHER", "", "", "other");
	assert_ok(load_bytes("id: a\n", 6, &loaded));
	assert_int_equal(loaded.findings.count, 1);
}

static void
test_nothing_to_free(void **state)
{
	(void)state;
	yaml_free(NULL);
	yaml_value_free(&plan_schema, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_aliases_and_tags),
		cmocka_unit_test(test_alias_bomb),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_encoding),
		cmocka_unit_test(test_all_bad_lines),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_large_and_hostile),
		cmocka_unit_test(test_schema_keys),
		cmocka_unit_test(test_schema_kinds),
		cmocka_unit_test(test_schema_values),
		cmocka_unit_test(test_schema_lax_values),
		cmocka_unit_test(test_libcyaml_refuses),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_structure_at_once),
		cmocka_unit_test(test_earlier_findings),
		cmocka_unit_test(test_nothing_to_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
