/*
 * The files that `lint` is given: those named, and all below the directories
 * named, in the order of their names.  Links to directories are not followed,
 * so that there is no loop; links to files are.
 */
#ifndef CA_TOOL_LINT_WALK_H
#define CA_TOOL_LINT_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct lint_path {
	char *path;
	bool walked;   /* found in a directory, not named */
	char *trouble; /* why it cannot be read, or NULL */
};

struct lint_paths {
	struct lint_path *rows;
	size_t count;
};

/* CA_R_MEMORY, CA_R_INTERRUPTED; what cannot be read is a row. */
int lint_walk(char *const *args, struct lint_paths *ret_paths) MUST_USE;
void lint_paths_clear(struct lint_paths *paths);
CLEANUP_DEFINE_STRUCT(lint_paths);

#endif
