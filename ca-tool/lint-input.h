/*
 * Objects in files: DER, or PEM with any number of blocks.  Whatever cannot be
 * read is an item too, with what is wrong as its finding, and the next one
 * follows.
 */
#ifndef CA_TOOL_LINT_INPUT_H
#define CA_TOOL_LINT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ca-tool/lint-walk.h"

enum lint_item_state {
	LINT_ITEM_OBJECT,  /* octets, or a file */
	LINT_ITEM_TROUBLE, /* could not be read; its findings say why */
	LINT_ITEM_SKIPPED, /* found in a directory, and holds no object */
};

struct lint_item {
	enum lint_item_state state;
	char *file;         /* its name as given or found */
	char *place;        /* the same, with the block's number behind it */
	size_t index;       /* of the object in the file, from 1 */
	unsigned char *der; /* or, for a CRL that is too large: */
	size_t len;
	int fd; /* -1 */
	struct findings findings;
};

/* Must be { .file = NULL, .fd = -1 } or made by lint_input_next(). */
void lint_item_clear(struct lint_item *item);
CLEANUP_DEFINE_STRUCT(lint_item);

struct lint_input {
	const struct lint_paths *paths; /* the caller's */
	size_t next;
	/* The PEM text that is being read. */
	unsigned char *text;
	size_t len, at, blocks, objects;
};

/* The next object; false at the end.  CA_R_MEMORY. */
int lint_input_next(struct lint_input *input, struct lint_item *ret_item,
    bool *ret_more) MUST_USE;
void lint_input_clear(struct lint_input *input);
CLEANUP_DEFINE_STRUCT(lint_input);

#endif
