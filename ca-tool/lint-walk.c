#include "ca-tool/lint-walk.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/interrupt.h"

CLEANUP_DEFINE(FTS, fts_close);

/* `trouble`: free(), the row's also where this fails; may be NULL. */
static int
add(struct lint_paths *paths, const char *path, bool walked, char *trouble)
{
	AUTO_CHARS(why) = trouble;
	AUTO_CHARS(copy) = text_copy(path);
	size_t n = paths->count;

	if (copy == NULL)
		return -1;
	/* The table doubles when it is full. */
	if ((n & (n - 1)) == 0) {
		struct lint_path *rows =
		    realloc(paths->rows, (n == 0 ? 1 : 2 * n) * sizeof(*rows));

		if (rows == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for the files' names");
		paths->rows = rows;
	}
	paths->rows[n] = (struct lint_path){ TAKE(copy), walked, TAKE(why) };
	paths->count = n + 1;
	return 0;
}

static int
add_trouble(struct lint_paths *paths, const char *path, int error)
{
	char *why = text_printf("cannot read '%s': %s", path, strerror(error));

	return why == NULL ? -1 : add(paths, path, true, why);
}

/* A link that was found: to a file it is one, to a directory it is nothing. */
static int
add_link(struct lint_paths *paths, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return add_trouble(paths, path, errno);
	return S_ISREG(st.st_mode) ? add(paths, path, true, NULL) : 0;
}

static int
add_entry(struct lint_paths *paths, const FTSENT *entry)
{
	switch (entry->fts_info) {
	case FTS_F:
		return add(paths, entry->fts_path, true, NULL);
	case FTS_SL:
	case FTS_SLNONE:
		return add_link(paths, entry->fts_path);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return add_trouble(paths, entry->fts_path, entry->fts_errno);
	default: /* directories on their way; devices, FIFOs, sockets */
		return 0;
	}
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int
walk(struct lint_paths *paths, char *directory)
{
	char *const roots[] = { directory, NULL };
	AUTO(FTS) *tree = fts_open(
	    roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	const FTSENT *entry;

	if (tree == NULL)
		return ca_error_errno(
		    CA_R_IO, "cannot walk through '%s'", directory);
	while ((errno = 0, entry = fts_read(tree)) != NULL) {
		if (interrupt_pending())
			return ca_error(
			    CA_R_INTERRUPTED, "stopped by a signal");
		if (add_entry(paths, entry) != 0)
			return -1;
	}
	return errno == 0 ? 0 : add_trouble(paths, directory, errno);
}

/* What the user named. */
static int
add_named(struct lint_paths *paths, char *name)
{
	char *why = NULL;
	struct stat st;

	if (strcmp(name, "-") == 0)
		return add(paths, name, false, NULL);
	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return walk(paths, name);
	if (errno == ELOOP) {
		why = text_printf("cannot open '%s': its symbolic links lead "
				  "in a circle",
		    name);
		if (why == NULL)
			return -1;
	}
	return add(paths, name, false, why);
}

int
lint_walk(char *const *args, struct lint_paths *ret_paths)
{
	AUTO_STRUCT(lint_paths) paths = { 0 };

	for (size_t i = 0; args[i] != NULL; i++) {
		errno = 0;
		if (add_named(&paths, args[i]) != 0)
			return -1;
	}
	*ret_paths = paths;
	paths = (struct lint_paths){ 0 };
	return 0;
}

void
lint_paths_clear(struct lint_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		free(paths->rows[i].path);
		free(paths->rows[i].trouble);
	}
	free(paths->rows);
	*paths = (struct lint_paths){ 0 };
}
