#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml-tree.h"

/* What libcyaml said of its first error. */
struct cyaml_words {
	char problem[512];
	size_t line, column; /* 0: not known */
};

static void words_note(cyaml_log_t level, void *ctx, const char *fmt,
    va_list args) __attribute__((format(printf, 3, 0)));

/*
 * libcyaml's callback: first the problem, then a backtrace whose first line
 * with a place is the innermost.
 */
static void
words_note(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct cyaml_words *words = ctx;
	char text[512];
	const char *place;

	(void)level;
	if (vsnprintf(text, sizeof text, fmt, args) < 0)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (words->problem[0] == '\0') {
		const char *from =
		    strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;

		(void)snprintf(
		    words->problem, sizeof words->problem, "%.500s", from);
		return;
	}
	place = strstr(text, "(line: ");
	/* The names before the place come from the schema. */
	if (words->line == 0 && place != NULL &&
	    sscanf(place, "(line: %zu, column: %zu)", &words->line,
		&words->column) != 2)
		words->line = 0;
}

static cyaml_config_t
cyaml_settings(struct cyaml_words *words)
{
	return (cyaml_config_t){
		.log_fn = words == NULL ? NULL : words_note,
		.log_ctx = words,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_WARNING,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

/* What the check before could not see, e.g. a number beyond its C type. */
static int
cyaml_refused(const char *file, cyaml_err_t err, struct cyaml_words *words,
    struct findings *findings)
{
	AUTO_CHARS(place) = NULL;

	if (err == CYAML_ERR_OOM)
		return ca_error(CA_R_MEMORY, "out of memory");
	place = words->line == 0
	    ? text_copy(file)
	    : text_printf("%s:%zu:%zu", file, words->line, words->column);
	findings_add(findings, FINDING_ERROR, "YAML-SCHEMA",
	    place == NULL ? file : place, NULL, "%s",
	    words->problem[0] == '\0' ? cyaml_strerror(err) : words->problem);
	return ca_error(CA_R_INPUT, "'%s' is malformed", file);
}

static int
cyaml_read(const char *file, const unsigned char *data, size_t len,
    const cyaml_schema_value_t *schema, struct findings *findings,
    void **ret_value)
{
	struct cyaml_words words = { .line = 0 };
	const cyaml_config_t settings = cyaml_settings(&words);
	cyaml_data_t *value = NULL;
	cyaml_err_t err =
	    cyaml_load_data(data, len, &settings, schema, &value, NULL);

	if (err != CYAML_OK)
		return cyaml_refused(file, err, &words, findings);
	if (value == NULL)
		return ca_error(
		    CA_R_INTERNAL, "libcyaml made nothing of '%s'", file);
	*ret_value = value;
	return 0;
}

int
yaml_load(const char *file, const unsigned char *data, size_t len,
    const cyaml_schema_value_t *schema, struct findings *findings,
    struct yaml **ret_doc, void **ret_value)
{
	AUTO_PTR(yaml) *doc = NULL;
	size_t before = findings->errors;

	if (yaml_parse(file, data, len, findings, &doc) != 0)
		return -1;
	yaml_schema_check(doc, schema, findings);
	if (findings->errors != before)
		return ca_error(CA_R_INPUT, "'%s' is malformed", file);
	if (cyaml_read(file, data, len, schema, findings, ret_value) != 0)
		return -1;
	*ret_doc = TAKE(doc);
	return 0;
}

void
yaml_value_free(const cyaml_schema_value_t *schema, void *value)
{
	const cyaml_config_t settings = cyaml_settings(NULL);

	if (value != NULL)
		(void)cyaml_free(&settings, schema, value, 0);
}

/* The child that "[N]" or "key" at *path names, behind which *path moves. */
static struct yaml_node *
path_step(const struct yaml_node *node, const char **path)
{
	const char *name = *path;
	char *end = NULL;
	unsigned long index;
	size_t len;

	if (name[0] == '[') {
		index = strtoul(name + 1, &end, 10);
		*path = *end == ']' ? end + 1 : end;
		return index < node->count && node->kind == YAML_SEQUENCE
		    ? node->children[index]
		    : NULL;
	}
	len = strcspn(name, ".[");
	*path = name + len;
	return yaml_node_child(node, name, len);
}

const char *
yaml_place(struct yaml *doc, const char *fmt, ...)
{
	char path[1024];
	const char *rest = path;
	struct yaml_node *node = doc->root, *next;
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(path, sizeof path, fmt, args) < 0)
		path[0] = '\0';
	va_end(args);
	while (*rest != '\0') {
		rest += *rest == '.';
		if (*rest == '\0' || (next = path_step(node, &rest)) == NULL)
			break;
		node = next;
	}
	return yaml_node_place(doc, node);
}

/* Recursive, but never deeper than YAML_MAX_DEPTH. */
static void
each_value(struct yaml *doc, struct yaml_node *node,
    void (*visit)(void *ctx, const char *value, const char *place), void *ctx)
{
	if (node->value != NULL)
		visit(ctx, node->value, yaml_node_place(doc, node));
	for (size_t i = 0; i < node->count; i++)
		each_value(doc, node->children[i], visit, ctx);
}

void
yaml_each_value(struct yaml *doc,
    void (*visit)(void *ctx, const char *value, const char *place), void *ctx)
{
	each_value(doc, doc->root, visit, ctx);
}
