#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/interrupt.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/journal/export.h"

/* ---- where ------------------------------------------------------------ */

/*
 * The real path of a directory that need not exist yet: that of its parent, and
 * its name.  malloc'd.
 */
static char *
real_path(const char *dir)
{
	AUTO_CHARS(bare) = text_copy(dir);
	AUTO_CHARS(parent) = NULL;
	char *real = realpath(dir, NULL), *slash;
	size_t len = strlen(dir);

	if (bare == NULL || real != NULL || errno != ENOENT)
		return real;
	while (len > 1 && bare[len - 1] == '/')
		bare[--len] = '\0';
	slash = strrchr(bare, '/');
	if (slash == NULL)
		parent = realpath(".", NULL);
	else if (slash == bare)
		parent = text_copy("");
	else {
		*slash = '\0';
		parent = realpath(bare, NULL);
	}
	if (parent == NULL)
		return NULL;
	return text_printf("%s/%s", parent, slash == NULL ? bare : slash + 1);
}

/* An export is what leaves the room; the authority's directory is not. */
static int
must_be_outside(const char *dir, const char *authority)
{
	AUTO_CHARS(inner) = real_path(dir);
	AUTO_CHARS(outer) = realpath(authority, NULL);
	size_t len;

	if (inner == NULL)
		return ca_error_errno(CA_R_IO, "cannot find '%s'", dir);
	if (outer == NULL)
		return ca_error_errno(CA_R_IO, "cannot find '%s'", authority);
	len = strlen(outer);
	if (strncmp(inner, outer, len) != 0 ||
	    (inner[len] != '/' && inner[len] != '\0'))
		return 0;
	return ca_error(CA_R_USAGE,
	    "'%s' is in the authority's directory: export to one outside of "
	    "it",
	    dir);
}

/* -1 where there is none, as in a bare copy of journal.db. */
static int
open_public(const char *authority, int *ret_fd)
{
	AUTO_FD(fd) = -1;

	if (dir_open(authority, &fd) != 0)
		return -1;
	switch (file_exists_at(fd, "public")) {
	case 0:
		*ret_fd = -1;
		return 0;
	case 1:
		return dir_open_at(fd, "public", ret_fd);
	default:
		return -1;
	}
}

/* ---- exporting -------------------------------------------------------- */

static int
progress(void *ctx, uint64_t done, uint64_t total)
{
	struct people *people = ctx;

	people->room.progress(
	    people->room.ctx, "exporting", (size_t)done, (size_t)total);
	return interrupt_pending() ? -1 : 0;
}

static int
export_to(const char *authority, const char *dir, struct people *people,
    struct export_report *ret_report)
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_FD(public_fd) = -1;
	AUTO_FD(fd) = -1;
	bool empty;

	if (journal_open(authority, JOURNAL_READ, &journal) != 0 ||
	    must_be_outside(dir, authority) != 0 ||
	    open_public(authority, &public_fd) != 0 ||
	    dir_make(dir, 0755, &fd, &empty) != 0)
		return -1;
	return journal_export(
	    journal, fd, public_fd, progress, people, ret_report);
}

/* ---- reporting -------------------------------------------------------- */

static void
report_json(struct session *session, const char *dir,
    const struct export_report *report)
{
	session_report(session, "directory", session_string(dir));
	session_report(
	    session, "entries", json_integer((json_int_t)report->entries));
	session_report(
	    session, "written", json_integer((json_int_t)report->written));
	session_report(session, "kept", json_integer((json_int_t)report->kept));
	session_report(
	    session, "bytes", json_integer((json_int_t)report->bytes));
}

static int
report_text(const char *dir, const struct export_report *report)
{
	AUTO_CHARS(safe) = text_escape(dir, strlen(dir));

	if (safe == NULL)
		return -1;
	printf("%" PRIu64 " entries are exported to %s: all below the newest "
	       "checkpoint.\n"
	       "%" PRIu64 " files were written (%" PRIu64 " bytes), %" PRIu64
	       " were there already.\n"
	       "Whoever gets them checks them with: ca-tool journal verify "
	       "--anchor FILE %s\n",
	    report->entries, safe, report->written, report->bytes, report->kept,
	    safe);
	return 0;
}

int
cmd_journal_export(struct session *session)
{
	const char *dir = session->options.args[0];
	AUTO_STRUCT(people) people = { 0 };
	struct export_report report;
	int ret;

	if (people_open(session, 0, &people) != 0)
		return -1;
	ret = export_to(session_authority(session), dir, &people, &report);
	people_leave(&people);
	if (ret != 0)
		return -1;
	if (!session_json(session))
		return report_text(dir, &report);
	report_json(session, dir, &report);
	return 0;
}
