/*
 * The set of operators that founds an authority.
 */
#include <dirent.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/init-private.h"

/* ---- the quorum ------------------------------------------------------- */

static int
is_set_directory(const struct dirent *entry)
{
	return strlen(entry->d_name) == SET_ID_HEX_SIZE - 1 &&
	    strspn(entry->d_name, "0123456789abcdef") == SET_ID_HEX_SIZE - 1;
}

/* Once the journal knows it, it must be what the journal knows. */
static int
load_founded(struct init *init, int quorum_fd, const char *id)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (init->row.id == NULL)
		return set_load(quorum_fd, id, NULL, &init->set);
	if (journal_quorum(init->authority->journal, &found, &row) < 0)
		return -1;
	if (!found)
		return ca_error(
		    CA_R_CORRUPT, "the journal was begun without a quorum set");
	return set_load(quorum_fd, row.set, row.sha256, &init->set);
}

/* The set that an earlier try founded: the only one in quorum/. */
static int
find_founded(struct init *init, int quorum_fd)
{
	struct dirent **names = NULL;
	int count = scandirat(quorum_fd, ".", &names, is_set_directory, NULL);
	int rc = 0;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'quorum'");
	if (count > 1)
		rc = ca_error(CA_R_STATE,
		    "there are %d sets in 'quorum', and an init makes one; "
		    "remove the directory of this authority and begin again",
		    count);
	else if (count == 1)
		rc = load_founded(init, quorum_fd, names[0]->d_name);
	else if (init->row.id != NULL)
		rc = ca_error(CA_R_MISSING,
		    "the set that the journal was begun with is not in "
		    "'quorum'; put it back");
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return rc;
}

/* What becomes of a set that is not taken up, in words. */
static int
show_dropped(struct init *init, unsigned enrolled, const char *names)
{
	AUTO_CHARS(text) = text_printf(
	    "quorum set %s of an init that was cut off is not used: %u enrolled "
	    "in it, and before %u have, nothing shows that it was not written "
	    "by somebody else; a new set is made, and everybody enrols in "
	    "that%s%s",
	    init->set->id, enrolled, init->set->threshold,
	    enrolled == 0 ? "" : ", also ", names);

	if (text == NULL)
		return -1;
	init->room->show(init->room->ctx, ROOM_WARNING, text);
	return 0;
}

/*
 * Nothing pins a set before the journal does: whoever can write to quorum/
 * could have founded it, with a secret of their own and shares for the
 * operators' public certificates.  It is taken up only if as many operators as
 * are needed for anything have signed exactly this set, else made anew.
 */
static int
drop_unproven(struct init *init, int quorum_fd)
{
	AUTO_CHARS(names) = NULL;
	unsigned enrolled = 0;

	if (init->row.id != NULL)
		return 0;
	if (enrol_count(init->authority, init->set, &enrolled, &names) < 0)
		return -1;
	if (enrolled >= init->set->threshold)
		return 0;
	if (show_dropped(init, enrolled, names) < 0 ||
	    set_remove(quorum_fd, init->set->id) < 0)
		return -1;
	quorum_set_free(TAKE(init->set));
	return 0;
}

/* Found the set, or go on with the one that an earlier try founded. */
static int
establish_set(struct init *init)
{
	struct authority *a = init->authority;
	int fd;

	if (authority_quorum_fd(a, &fd) < 0 || set_sweep(fd) < 0 ||
	    find_founded(init, fd) < 0)
		return -1;
	if (init->set != NULL && !set_is_proposal_of(init->proposal, init->set))
		return ca_error(CA_R_STATE,
		    "'quorum/%s' was made from another set file; give that "
		    "one, or remove the directory '%s' and begin again",
		    init->set->id, a->path);
	if (init->set != NULL && drop_unproven(init, fd) < 0)
		return -1;
	if (init->set == NULL) {
		if (enrol_found(a, init->proposal, NULL, 0, &init->secret) < 0)
			return -1;
		init->set = TAKE(init->proposal);
	}
	if (operators_open(init->room, init->set, &init->operators) < 0)
		return -1;
	init->operators.in_use = a->module;
	return 0;
}

static int
show_set(struct init *init)
{
	const struct room *room = init->room;
	const char *const warnings[] = { set_warning(init->set),
		login_warning(init->login) };
	AUTO_CHARS(line) = text_printf("quorum set %s: %u of %u operators",
	    init->set->id, init->set->threshold, init->set->operators);

	if (line == NULL)
		return -1;
	room->show(room->ctx, ROOM_PHASE, "Enrolling the operators");
	room->show(room->ctx, ROOM_TEXT, line);
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
		if (warnings[i] != NULL)
			room->show(room->ctx, ROOM_WARNING, warnings[i]);
	return 0;
}

int
init_enrol(struct init *init)
{
	if (establish_set(init) < 0 || show_set(init) < 0)
		return -1;
	if (init->row.id != NULL)
		return 0; /* journalled, so all have enrolled */
	return enrol_people(init->authority, &init->operators, false);
}

/* Both PINs from the secret; it is taken from M shares where it is not here. */
int
init_derive_pins(struct init *init)
{
	struct authority *a = init->authority;
	json_t *people = NULL;
	int fd;

	if (!login_has_shares(init->login) || init->user_pin.len > 0)
		return 0;
	init->operators.in_use = a->module;
	if (authority_quorum_fd(a, &fd) < 0)
		return -1;
	if (init->secret.len == 0) {
		if (operators_take_secret(
			&init->operators, fd, &init->secret, &people) < 0)
			return -1;
		json_decref(people);
	}
	if (authority_derive_pin(
		a, init->set, &init->secret, PIN_USER, &init->user_pin) < 0 ||
	    authority_derive_pin(
		a, init->set, &init->secret, PIN_SO, &init->so_pin) < 0)
		return -1;
	secret_clear(&init->secret);
	return 0;
}
