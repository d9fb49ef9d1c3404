/*
 * YAML, strictly.  First one pass over libyaml's events: UTF-8, at most 1 MiB,
 * exactly one document, no anchor, alias, tag or directive, no control
 * or invisible character (in a block scalar, newlines), no duplicate key,
 * mappings with plain keys, depth at most 16;
 * it also keeps the place of each node.  Then the tree is held against the
 * schema, so that all unknown and missing keys and wrong values are found at
 * once, and only then libcyaml loads it.
 *
 * Dates, durations and large numbers are strings in the schemas, parsed by
 * text.h and date.h.  Integers are decimal without leading zeros and booleans
 * true or false only, whatever libcyaml would take.
 *
 * Ids of findings: YAML-SIZE, -ENCODING, -CONTROL, -SYNTAX, -DOCUMENTS,
 * -DIRECTIVE, -ALIAS, -TAG, -KEY, -DUPLICATE, -DEPTH, -SCHEMA.
 */
#ifndef CA_BASE_YAML_H
#define CA_BASE_YAML_H

#include <cyaml/cyaml.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/findings.h"

enum {
	YAML_MAX_BYTES = 1 << 20,
	YAML_MAX_DEPTH = 16,
	YAML_MAX_TEXT = 4096, /* of a string in the rows below */
};

/* Rows of a schema for a string that must be there, and for one that may be. */
#define YAML_NEEDED(key, type, member) \
	CYAML_FIELD_STRING_PTR(        \
	    key, CYAML_FLAG_POINTER, type, member, 1, YAML_MAX_TEXT)
#define YAML_OPTIONAL(key, type, member)                                      \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
	    type, member, 1, YAML_MAX_TEXT)

/* A loaded document: where its nodes stand. */
struct yaml;

/*
 * Parse `data` under `schema`.  `file` names it in places and messages.
 * *ret_value is libcyaml's structure, to be freed with yaml_value_free() and
 * the same schema; *ret_doc answers yaml_place().
 * Malformed input: rows in `findings`, CA_R_INPUT raised, -1.
 */
int yaml_load(const char *file, const unsigned char *data, size_t len,
    const cyaml_schema_value_t *schema, struct findings *findings,
    struct yaml **ret_doc, void **ret_value) MUST_USE;

/* Fine on NULL. */
void yaml_value_free(const cyaml_schema_value_t *schema, void *value);

/*
 * The place "FILE:LINE:COLUMN" of a node named like "steps[2].root.key", for
 * findings_add.  Where the node itself is absent, the place of the nearest
 * enclosing node that is there.  The text lives as long as `doc` and is
 * overwritten by no later call.
 */
const char *yaml_place(struct yaml *doc, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Each scalar that is a value, in the order of the document, with its place:
 * as that of yaml_place().
 */
void yaml_each_value(struct yaml *doc,
    void (*visit)(void *ctx, const char *value, const char *place), void *ctx);

/*
 * Fine on NULL.  Hidden, because libyaml exports a function of this name and
 * would call ours.
 */
void yaml_free(struct yaml *doc) __attribute__((visibility("hidden")));
CLEANUP_DEFINE_PTR(yaml);

#endif
