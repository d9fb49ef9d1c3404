#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/event.h"

static int
read_event(struct session *session, struct event **ret_event)
{
	const char *path = session->options.args[0];
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	/* event_read() says more of one that is somewhat too large. */
	if (file_read_at(AT_FDCWD, path, 8 * EVENT_MAX_BYTES, &data, &len) != 0)
		return -1;
	return event_read(
	    path, data, len, date_now(), &session->findings, ret_event);
}

static int
report_json(struct session *session, const struct event *event,
    const struct event_entered *entered)
{
	session_report(
	    session, "entry", json_integer((json_int_t)entered->seq));
	session_report(session, "event", session_string(event_kind(event)));
	session_report(session, "by", session_string(entered->by));
	session_report(session, "file", session_string(entered->file));
	session_report(session, "content", session_string(entered->content));
	session_report(
	    session, "statement", session_string(entered->statement));
	return 0;
}

static int
report(struct session *session, const struct event *event,
    const struct event_entered *entered)
{
	AUTO_CHARS(sentence) = NULL;

	if (session_json(session))
		return report_json(session, event, entered);
	if (event_sentence(event, &sentence) != 0)
		return -1;
	printf("Entry %" PRIu64 " of the journal, signed by %s:\n",
	    entered->seq, entered->by);
	print_lines(stdout, 2, sentence);
	printf("The checkpoint that ends the next run will cover it. The file "
	       "itself is in\nthe journal, too.\n");
	return 0;
}

/*
 * authority.yaml is not held against the journal: what happened is entered
 * whatever became of that file, and nothing of it is used.
 */
int
cmd_journal_event(struct session *session)
{
	AUTO_STRUCT(people) people = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(event) *event = NULL;
	AUTO_STRUCT(event_entered) entered = { 0 };

	if (people_open(session, ROOM_NEEDS_YES, &people) != 0 ||
	    read_event(session, &event) != 0 ||
	    authority_open(session_authority(session), AUTHORITY_WRITE,
		&session->findings, &authority) != 0 ||
	    event_enter(authority, &people.room, event, &session->findings,
		&entered) != 0)
		return -1;
	people_leave(&people);
	return report(session, event, &entered);
}
