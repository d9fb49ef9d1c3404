/*
 * Inside yaml*.c only: a YAML document as a tree, after the strict pass over
 * libyaml's events that yaml.h describes.
 */
#ifndef CA_BASE_YAML_TREE_H
#define CA_BASE_YAML_TREE_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/findings.h"

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
};

struct yaml_node {
	enum yaml_kind kind;
	char *key;           /* in a mapping, else NULL */
	char *value;         /* of a scalar, without NUL bytes, else NULL */
	bool plain;          /* a scalar without quotes, not a block */
	size_t line, column; /* of the value, from 1 */
	size_t key_line, key_column; /* of the key, 0 if none */
	size_t index;                /* among the parent's children */
	struct yaml_node *parent;
	struct yaml_node **children;
	size_t count;
	char *place; /* "FILE:LINE:COLUMN", once asked for */
};

struct yaml {
	char *file;
	struct yaml_node *root;
};

/*
 * Parse strictly.  Whatever is wrong with the input is in `findings`, and
 * then CA_R_INPUT is raised.
 */
int yaml_parse(const char *file, const unsigned char *data, size_t len,
    struct findings *findings, struct yaml **ret_doc) MUST_USE;

/* The place of a node; falls back to the file's name without memory. */
const char *yaml_node_place(struct yaml *doc, struct yaml_node *node);

/* The child called `key`, or NULL. */
struct yaml_node *yaml_node_child(
    const struct yaml_node *node, const char *key, size_t key_len);

/*
 * Hold the tree against a schema: every unknown and missing key, wrong kind,
 * unknown name and wrong number becomes a finding YAML-SCHEMA.  Stricter than
 * libcyaml, which reads "12x" as 12 and "flase" as true.
 */
void yaml_schema_check(struct yaml *doc, const cyaml_schema_value_t *schema,
    struct findings *findings);

#endif
