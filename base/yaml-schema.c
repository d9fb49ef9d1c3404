#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/yaml-tree.h"

/* What is passed down the tree. */
struct check {
	struct yaml *doc;
	struct findings *findings;
};

static void value_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema);

/* "steps[2].root", for people; "the file" for the root.  free(). */
static char *
node_name(const struct yaml_node *node)
{
	AUTO_CHARS(parent) = NULL;
	const char *dot;

	if (node->parent == NULL)
		return text_copy("");
	if ((parent = node_name(node->parent)) == NULL)
		return NULL;
	if (node->key == NULL)
		return text_printf("%s[%zu]", parent, node->index);
	dot = parent[0] == '\0' ? "" : ".";
	return text_printf("%s%s%s", parent, dot, node->key);
}

static void
complain_at(const struct check *check, const char *place, const char *problem,
    const struct yaml_node *node)
{
	AUTO_CHARS(name) = node_name(node);

	if (name == NULL || name[0] == '\0')
		findings_add(check->findings, FINDING_ERROR, "YAML-SCHEMA",
		    place, NULL, "%s", problem);
	else
		findings_add(check->findings, FINDING_ERROR, "YAML-SCHEMA",
		    place, NULL, "%s in '%s'", problem, name);
}

/* Takes `problem`, which may be NULL for want of memory. */
static void
complain(const struct check *check, struct yaml_node *node, char *problem)
{
	AUTO_CHARS(text) = problem;

	complain_at(check, yaml_node_place(check->doc, node),
	    text == NULL ? "not as expected" : text, node);
}

static bool
expect(const struct check *check, struct yaml_node *node, enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "a single value",
		[YAML_SEQUENCE] = "a list ('- ...')",
		[YAML_MAPPING] = "a mapping ('key: value')",
	};

	if (node->kind == kind)
		return true;
	complain(check, node,
	    text_printf("%s is expected, but %s is there", names[kind],
		node->kind == YAML_SCALAR && node->value[0] == '\0'
		    ? "nothing"
		    : names[node->kind]));
	return false;
}

/* "a, b, c": appends to `list`, which it takes; NULL without memory. */
static char *
list_append(char *list, const char *name)
{
	AUTO_CHARS(old) = list;

	return old == NULL
	    ? NULL
	    : text_printf("%s%s%s", old, old[0] == '\0' ? "" : ", ", name);
}

static const cyaml_schema_field_t *
field_find(const cyaml_schema_field_t *fields, const char *key)
{
	for (; fields->key != NULL; fields++) {
		if (strcmp(fields->key, key) == 0)
			return fields;
	}
	return NULL;
}

static void
unknown_key(const struct check *check, const struct yaml_node *child,
    const cyaml_schema_field_t *fields)
{
	AUTO_CHARS(place) = text_printf(
	    "%s:%zu:%zu", check->doc->file, child->key_line, child->key_column);
	AUTO_CHARS(known) = text_copy("");
	AUTO_CHARS(problem) = NULL;

	for (; fields->key != NULL; fields++)
		known = list_append(TAKE(known), fields->key);
	problem = text_printf("unknown key '%s' (known: %s)", child->key,
	    known == NULL ? "" : known);
	complain_at(check, place == NULL ? check->doc->file : place,
	    problem == NULL ? "unknown key" : problem, child->parent);
}

static void
mapping_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_field_t *fields)
{
	const cyaml_schema_field_t *field;

	if (!expect(check, node, YAML_MAPPING))
		return;
	for (size_t i = 0; i < node->count; i++) {
		struct yaml_node *child = node->children[i];

		if ((field = field_find(fields, child->key)) == NULL)
			unknown_key(check, child, fields);
		else
			value_check(check, child, &field->value);
	}
	for (field = fields; field->key != NULL; field++) {
		if ((field->value.flags & CYAML_FLAG_OPTIONAL) == 0 &&
		    yaml_node_child(node, field->key, strlen(field->key)) ==
			NULL)
			complain(check, node,
			    text_printf("the key '%s' is missing", field->key));
	}
}

static void
sequence_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema)
{
	if (!expect(check, node, YAML_SEQUENCE))
		return;
	if (node->count < schema->sequence.min)
		complain(check, node,
		    text_printf("too few entries: at least %lu are needed",
			(unsigned long)schema->sequence.min));
	if (node->count > schema->sequence.max)
		complain(check, node,
		    text_printf("too many entries: at most %lu are allowed",
			(unsigned long)schema->sequence.max));
	for (size_t i = 0; i < node->count; i++)
		value_check(check, node->children[i], schema->sequence.entry);
}

static void
enum_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema)
{
	AUTO_CHARS(known) = NULL;

	if (!expect(check, node, YAML_SCALAR))
		return;
	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (strcmp(schema->enumeration.strings[i].str, node->value) ==
		    0)
			return;
	}
	known = text_copy("");
	for (uint32_t i = 0; i < schema->enumeration.count; i++)
		known = list_append(
		    TAKE(known), schema->enumeration.strings[i].str);
	complain(check, node,
	    text_printf("'%s' is not one of: %s", node->value,
		known == NULL ? "" : known));
}

static void
flags_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema)
{
	if (!expect(check, node, YAML_SEQUENCE))
		return;
	for (size_t i = 0; i < node->count; i++)
		enum_check(check, node->children[i], schema);
}

static void
string_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema)
{
	size_t len;

	if (!expect(check, node, YAML_SCALAR))
		return;
	len = strlen(node->value);
	if (len < schema->string.min)
		complain(check, node,
		    len == 0 ? text_copy("the value is missing")
			     : text_printf("the value is shorter than %lu "
					   "bytes",
				   (unsigned long)schema->string.min));
	if (len > schema->string.max)
		complain(check, node,
		    text_printf("the value is longer than %lu bytes",
			(unsigned long)schema->string.max));
}

/* libcyaml takes whatever is not "false" and the like for true. */
static void
bool_check(const struct check *check, struct yaml_node *node)
{
	if (expect(check, node, YAML_SCALAR) &&
	    !(node->plain &&
		(strcmp(node->value, "true") == 0 ||
		    strcmp(node->value, "false") == 0)))
		complain(check, node,
		    text_printf("'%s' is neither true nor false", node->value));
}

/* libcyaml reads by strtoll, which takes blanks, "0x12" and "010". */
static void
integer_check(const struct check *check, struct yaml_node *node, bool sign)
{
	const char *digits = node->value;

	if (!expect(check, node, YAML_SCALAR))
		return;
	if (sign && digits[0] == '-')
		digits++;
	if (digits[0] == '\0' || (digits[0] == '0' && digits[1] != '\0') ||
	    digits[strspn(digits, "0123456789")] != '\0')
		complain(check, node,
		    text_printf("'%s' is not a decimal number without leading "
				"zeros",
			node->value));
}

/* An absent value that the schema takes as a NULL pointer. */
static bool
is_null(const struct yaml_node *node, enum cyaml_flag flags)
{
	static const char *const names[] = { "null", "Null", "NULL", "~" };

	if (node->kind != YAML_SCALAR ||
	    (flags & CYAML_FLAG_POINTER_NULL) != CYAML_FLAG_POINTER_NULL)
		return false;
	if (node->value[0] == '\0')
		return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if ((flags & CYAML_FLAG_POINTER_NULL_STR) ==
			CYAML_FLAG_POINTER_NULL_STR &&
		    strcmp(node->value, names[i]) == 0)
			return true;
	}
	return false;
}

static void
value_check(const struct check *check, struct yaml_node *node,
    const cyaml_schema_value_t *schema)
{
	if (is_null(node, schema->flags))
		return;
	switch (schema->type) {
	case CYAML_MAPPING:
		mapping_check(check, node, schema->mapping.fields);
		return;
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		sequence_check(check, node, schema);
		return;
	case CYAML_ENUM:
		enum_check(check, node, schema);
		return;
	case CYAML_FLAGS:
		flags_check(check, node, schema);
		return;
	case CYAML_STRING:
		string_check(check, node, schema);
		return;
	case CYAML_BOOL:
		bool_check(check, node);
		return;
	case CYAML_INT:
		integer_check(check, node, true);
		return;
	case CYAML_UINT:
		integer_check(check, node, false);
		return;
	default:
		/* No schema of ours has these; libcyaml checks them. */
		return;
	}
}

void
yaml_schema_check(struct yaml *doc, const cyaml_schema_value_t *schema,
    struct findings *findings)
{
	const struct check check = { .doc = doc, .findings = findings };

	value_check(&check, doc->root, schema);
}
