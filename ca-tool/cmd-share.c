#include <stdio.h>

#include "base/error.h"
#include "ca-tool/command.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/journal/journal.h"
#include "ceremony/quorum/set.h"

/* The set in force, or another one; *ret_other owns the latter. */
static int
find_set(struct authority *authority, const char *id,
    struct quorum_set **ret_other, const struct quorum_set **ret_set)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;
	int fd;

	if (id == NULL)
		return authority_quorum(authority, ret_set);
	if (journal_quorum_by_set(
		authority_journal(authority), id, &found, &row) != 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_MISSING, "the journal knows no quorum set '%s'", id);
	if (authority_quorum_fd(authority, &fd) != 0 ||
	    set_load(fd, id, row.sha256, ret_other) != 0)
		return -1;
	*ret_set = *ret_other;
	return 0;
}

static void
report_json(struct session *session, const struct quorum_set *set,
    const struct person *person)
{
	session_report(session, "operator", session_string(person->name));
	session_report(session, "set", session_string(set->id));
	session_report(session, "index", json_integer(person->index));
	session_report(session, "threshold", json_integer(set->threshold));
	session_report(session, "operators", json_integer(set->operators));
}

/* authority_check_share() found this share good. */
static int
report(struct session *session, struct authority *authority, const char *name)
{
	AUTO_PTR(quorum_set) *other = NULL;
	const struct quorum_set *set = NULL;
	const struct person *person;

	if (find_set(
		authority, session->options.value[OPT_SET], &other, &set) != 0)
		return -1;
	person = set_person(set, name);
	if (person == NULL)
		return ca_error(
		    CA_R_INTERNAL, "'%s' is in the quorum set no more", name);
	if (session_json(session)) {
		report_json(session, set, person);
		return 0;
	}
	printf("%s's share is whole and fits set %s.\n"
	       "It has index %u of %u; the threshold is %u.\n",
	    person->name, set->id, person->index, set->operators,
	    set->threshold);
	return 0;
}

int
cmd_share_check(struct session *session)
{
	const char *name = session->options.args[0];
	AUTO_STRUCT(people) people = { 0 };
	AUTO_PTR(authority) *authority = NULL;

	if (people_open(session, 0, &people) != 0 ||
	    authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) != 0 ||
	    authority_check_share(authority, &people.room, name,
		session->options.value[OPT_SET]) != 0)
		return -1;
	people_leave(&people);
	return report(session, authority, name);
}
