#include "base/yaml-tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"

enum {
	/* Far above any schema; keeps the search for duplicates cheap. */
	KEYS_MAX = 1000,
	/* Who gives us a picture need not read of each of its lines. */
	BAD_LINES_MAX = 20,
};

/* One strict pass. */
struct pass {
	struct yaml *doc;
	struct findings *findings;
	struct yaml_node *open[YAML_MAX_DEPTH]; /* collections being read */
	size_t depth;
	char *key; /* of the mapping in hand, its value not read yet */
	size_t key_line, key_column;
	size_t documents;
	bool stop; /* what follows would make no sense */
};

static void
pass_clear(struct pass *pass)
{
	yaml_free(pass->doc);
	free(pass->key);
}
CLEANUP_DEFINE_STRUCT(pass);

static void
parser_free(yaml_parser_t *parser)
{
	yaml_parser_delete(parser);
}

static void
event_free(yaml_event_t *event)
{
	yaml_event_delete(event);
}

#define AUTO_PARSER __attribute__((cleanup(parser_free))) yaml_parser_t
#define AUTO_EVENT __attribute__((cleanup(event_free))) yaml_event_t

static void
node_free(struct yaml_node *node)
{
	if (node == NULL)
		return;
	/* At most YAML_MAX_DEPTH calls deep. */
	for (size_t i = 0; i < node->count; i++)
		node_free(node->children[i]);
	free(node->children);
	free(node->key);
	free(node->value);
	free(node->place);
	free(node);
}

void
yaml_free(struct yaml *doc)
{
	if (doc == NULL)
		return;
	node_free(doc->root);
	free(doc->file);
	free(doc);
}

static void
report(struct pass *pass, size_t line, size_t column, const char *id,
    const char *text)
{
	AUTO_CHARS(place) =
	    text_printf("%s:%zu:%zu", pass->doc->file, line, column);

	findings_add(pass->findings, FINDING_ERROR, id,
	    place == NULL ? pass->doc->file : place, NULL, "%s", text);
}

static void
report_event(struct pass *pass, const yaml_event_t *event, const char *id,
    const char *text)
{
	report(pass, event->start_mark.line + 1, event->start_mark.column + 1,
	    id, text);
}

/* Characters in `len` bytes of UTF-8. */
static size_t
characters(const unsigned char *bytes, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += (bytes[i] & 0xc0) != 0x80;
	return count;
}

static void
line_check(
    struct pass *pass, size_t line, const unsigned char *bytes, size_t len)
{
	const char *text = (const char *)bytes;
	size_t good = text_safe_len(text, len);
	bool utf8;

	/* YAML itself says where a tab may stand. */
	while (good < len && text[good] == '\t')
		good += 1 + text_safe_len(text + good + 1, len - good - 1);
	if (good == len)
		return;
	utf8 = text_is_utf8(text, len);
	report(pass, line, characters(bytes, good) + 1,
	    utf8 ? "YAML-CONTROL" : "YAML-ENCODING",
	    utf8 ? "a control or invisible character stands here: remove it"
		 : "this is not UTF-8: save the file as UTF-8");
	pass->stop = true;
}

/* The raw bytes: also what stands in comments is read by people. */
static void
bytes_check(struct pass *pass, const unsigned char *data, size_t len)
{
	const size_t most = pass->findings->errors + BAD_LINES_MAX;
	size_t line = 1, from = 0, n;

	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
		report(pass, 1, 1, "YAML-ENCODING",
		    "the file begins with a byte order mark: save it as UTF-8 "
		    "without one");
		pass->stop = true;
		return;
	}
	for (; from < len && pass->findings->errors < most;
	     from += n + 1, line++) {
		const void *end = memchr(data + from, '\n', len - from);

		n = end == NULL
		    ? len - from
		    : (size_t)((const unsigned char *)end - (data + from));
		line_check(pass, line, data + from,
		    n > 0 && data[from + n - 1] == '\r' ? n - 1 : n);
	}
}

static struct yaml_node *
node_here(const struct pass *pass)
{
	return pass->depth == 0 ? NULL : pass->open[pass->depth - 1];
}

struct yaml_node *
yaml_node_child(const struct yaml_node *node, const char *key, size_t key_len)
{
	for (size_t i = 0; i < node->count; i++) {
		const char *name = node->children[i]->key;

		if (name != NULL && strlen(name) == key_len &&
		    memcmp(name, key, key_len) == 0)
			return node->children[i];
	}
	return NULL;
}

/* Append to the children; the array doubles when it is full. */
static int
node_adopt(struct yaml_node *parent, struct yaml_node *child)
{
	size_t n = parent->count;
	struct yaml_node **children = parent->children;

	if ((n & (n - 1)) == 0) {
		children =
		    realloc(children, (n == 0 ? 1 : 2 * n) * sizeof(*children));
		if (children == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		parent->children = children;
	}
	child->parent = parent;
	child->index = n;
	parent->children[parent->count++] = child;
	return 0;
}

/* Hang a new node where the pass stands; the tree owns it. */
static int
node_add(struct pass *pass, enum yaml_kind kind, const yaml_event_t *event,
    struct yaml_node **ret_node)
{
	struct yaml_node *parent = node_here(pass);
	struct yaml_node *node = calloc(1, sizeof *node);

	if (node == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	node->kind = kind;
	node->line = event->start_mark.line + 1;
	node->column = event->start_mark.column + 1;
	if (pass->key != NULL) {
		node->key = TAKE(pass->key);
		node->key_line = pass->key_line;
		node->key_column = pass->key_column;
	}
	if (parent == NULL) {
		pass->doc->root = node;
	} else if (node_adopt(parent, node) != 0) {
		node_free(node);
		return -1;
	}
	*ret_node = node;
	return 0;
}

/* What a scalar decodes to: an escape can make any character. */
static void
scalar_check(struct pass *pass, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	yaml_scalar_style_t style = event->data.scalar.style;
	bool block = style == YAML_LITERAL_SCALAR_STYLE ||
	    style == YAML_FOLDED_SCALAR_STYLE;

	for (size_t from = 0, n; from <= len; from += n + 1) {
		const void *end =
		    block ? memchr(text + from, '\n', len - from) : NULL;

		n = end == NULL ? len - from
				: (size_t)((const char *)end - (text + from));
		if (text_is_safe(text + from, n))
			continue;
		report_event(pass, event, "YAML-CONTROL",
		    "the value holds a control or invisible character, "
		    "perhaps as an escape: remove it");
		return;
	}
}

static void
key_check(struct pass *pass, const yaml_event_t *event)
{
	const struct yaml_node *mapping = node_here(pass);
	const char *key = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	AUTO_CHARS(text) = NULL;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || len == 0)
		report_event(pass, event, "YAML-KEY",
		    "a key must be a plain word without quotes");
	if (mapping->count >= KEYS_MAX) {
		report_event(pass, event, "YAML-SIZE",
		    "the mapping has more than 1000 keys");
		pass->stop = true;
	} else if (yaml_node_child(mapping, key, len) != NULL) {
		text =
		    text_printf("the key '%s' is there twice: remove one", key);
		report_event(pass, event, "YAML-DUPLICATE",
		    text == NULL ? "a key is there twice" : text);
	}
}

/* True if the next scalar is a key. */
static bool
key_is_due(const struct pass *pass)
{
	const struct yaml_node *here = node_here(pass);

	return here != NULL && here->kind == YAML_MAPPING && pass->key == NULL;
}

static int
scalar_add(struct pass *pass, const yaml_event_t *event)
{
	struct yaml_node *node = NULL;
	char *copy;

	scalar_check(pass, event);
	if (key_is_due(pass))
		key_check(pass, event);
	copy = strndup(
	    (const char *)event->data.scalar.value, event->data.scalar.length);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (key_is_due(pass)) {
		pass->key = copy;
		pass->key_line = event->start_mark.line + 1;
		pass->key_column = event->start_mark.column + 1;
		return 0;
	}
	if (node_add(pass, YAML_SCALAR, event, &node) != 0) {
		free(copy);
		return -1;
	}
	node->value = copy;
	node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	return 0;
}

static int
collection_open(
    struct pass *pass, enum yaml_kind kind, const yaml_event_t *event)
{
	struct yaml_node *node = NULL;

	if (key_is_due(pass)) {
		report_event(pass, event, "YAML-KEY",
		    "a key must be a plain word, not a list or mapping");
		pass->stop = true;
		return 0;
	}
	if (pass->depth == YAML_MAX_DEPTH) {
		report_event(pass, event, "YAML-DEPTH",
		    "lists and mappings are nested more than 16 deep");
		pass->stop = true;
		return 0;
	}
	if (node_add(pass, kind, event, &node) != 0)
		return -1;
	pass->open[pass->depth++] = node;
	return 0;
}

/* What the three kinds of node have in common. */
static void
decoration_check(struct pass *pass, const yaml_event_t *event,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		report_event(pass, event, "YAML-ALIAS",
		    "anchors ('&') are not allowed: write the value out");
	if (tag != NULL)
		report_event(pass, event, "YAML-TAG",
		    "tags ('!') are not allowed: remove it");
}

static void
document_check(struct pass *pass, const yaml_event_t *event)
{
	if (event->data.document_start.version_directive != NULL ||
	    event->data.document_start.tag_directives.start !=
		event->data.document_start.tag_directives.end)
		report_event(pass, event, "YAML-DIRECTIVE",
		    "directives ('%') are not allowed: remove them");
	if (++pass->documents > 1) {
		report_event(pass, event, "YAML-DOCUMENTS",
		    "a second document begins here: one file holds one");
		pass->stop = true;
	}
}

static int
event_handle(struct pass *pass, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		document_check(pass, event);
		return 0;
	case YAML_ALIAS_EVENT:
		report_event(pass, event, "YAML-ALIAS",
		    "aliases ('*') are not allowed: write the value out");
		pass->stop = true;
		return 0;
	case YAML_SCALAR_EVENT:
		decoration_check(pass, event, event->data.scalar.anchor,
		    event->data.scalar.tag);
		return scalar_add(pass, event);
	case YAML_SEQUENCE_START_EVENT:
		decoration_check(pass, event, event->data.sequence_start.anchor,
		    event->data.sequence_start.tag);
		return collection_open(pass, YAML_SEQUENCE, event);
	case YAML_MAPPING_START_EVENT:
		decoration_check(pass, event, event->data.mapping_start.anchor,
		    event->data.mapping_start.tag);
		return collection_open(pass, YAML_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		pass->depth--;
		return 0;
	default:
		return 0;
	}
}

static int
syntax_error(struct pass *pass, const yaml_parser_t *parser)
{
	AUTO_CHARS(text) = NULL;

	if (parser->error == YAML_MEMORY_ERROR)
		return ca_error(CA_R_MEMORY, "out of memory");
	text = text_printf("%s%s%s",
	    parser->problem == NULL ? "not YAML" : parser->problem,
	    parser->context == NULL ? "" : " ",
	    parser->context == NULL ? "" : parser->context);
	report(pass, parser->problem_mark.line + 1,
	    parser->problem_mark.column + 1, "YAML-SYNTAX",
	    text == NULL ? "not YAML" : text);
	pass->stop = true;
	return 0;
}

static int
events_read(struct pass *pass, const unsigned char *data, size_t len)
{
	AUTO_PARSER parser = { 0 };
	bool end = false;

	if (yaml_parser_initialize(&parser) != 1)
		return ca_error(CA_R_MEMORY, "out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, data, len);
	while (!end && !pass->stop) {
		AUTO_EVENT event = { .type = YAML_NO_EVENT };

		if (yaml_parser_parse(&parser, &event) != 1)
			return syntax_error(pass, &parser);
		if (event_handle(pass, &event) != 0)
			return -1;
		end = event.type == YAML_STREAM_END_EVENT;
	}
	if (pass->documents == 0 && !pass->stop)
		report(pass, 1, 1, "YAML-DOCUMENTS", "the file is empty");
	return 0;
}

static int
doc_new(const char *file, struct yaml **ret_doc)
{
	struct yaml *doc = calloc(1, sizeof *doc);

	if (doc == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if ((doc->file = text_copy(file)) == NULL) {
		free(doc);
		return -1;
	}
	*ret_doc = doc;
	return 0;
}

int
yaml_parse(const char *file, const unsigned char *data, size_t len,
    struct findings *findings, struct yaml **ret_doc)
{
	AUTO_STRUCT(pass) pass = { .findings = findings };
	size_t before = findings->errors;

	if (doc_new(file, &pass.doc) != 0)
		return -1;
	if (len > YAML_MAX_BYTES) {
		report(&pass, 1, 1, "YAML-SIZE",
		    "the file is larger than 1048576 bytes");
		pass.stop = true;
	} else {
		bytes_check(&pass, data, len);
	}
	if (!pass.stop && events_read(&pass, data, len) != 0)
		return -1;
	if (findings->errors != before)
		return ca_error(CA_R_INPUT, "'%s' is malformed", file);
	*ret_doc = TAKE(pass.doc);
	return 0;
}

const char *
yaml_node_place(struct yaml *doc, struct yaml_node *node)
{
	/* A list or mapping begins where its key stands. */
	bool at_key = node->kind != YAML_SCALAR && node->key != NULL;

	if (node->place == NULL)
		node->place = text_printf("%s:%zu:%zu", doc->file,
		    at_key ? node->key_line : node->line,
		    at_key ? node->key_column : node->column);
	return node->place == NULL ? doc->file : node->place;
}
