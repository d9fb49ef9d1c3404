/*
 * People: who there is, by their certificates, and what they signed.  Nothing
 * is believed but their signatures over bytes in the evidence.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"

/* ---- state ------------------------------------------------------------ */

static void
person_clear(struct audit_person *person)
{
	free(person->set);
	free(person->name);
	free(person->sign);
	free(person->decrypt);
	free(person->share);
	free(person->statement);
	free(person->certificate);
	free(person->decrypt_certificate);
	X509_free(person->x509);
}

static int
people_begin(struct audit *audit, void **ret_state)
{
	return audit_state(audit,
	    "CREATE TEMP TABLE audit_valid (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, name TEXT NOT NULL,"
	    " PRIMARY KEY (run, list, name)) STRICT, WITHOUT ROWID",
	    sizeof(struct audit_people_state), ret_state);
}

struct audit_person *
audit_find_person(
    struct audit_people_state *state, const char *set, const char *name)
{
	for (size_t i = 0; i < state->count; i++)
		if (strcmp(state->people[i].set, set) == 0 &&
		    strcmp(state->people[i].name, name) == 0)
			return &state->people[i];
	return NULL;
}

int
audit_root_is(struct audit *audit, uint64_t size, const char *hex, bool *ret_is)
{
	unsigned char root[HASH_LEN];
	char is[HASH_HEX_SIZE];

	*ret_is = false;
	if (journal_root_at(audit->journal, size, root) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		return 0;
	}
	text_hex_into(root, HASH_LEN, is);
	*ret_is = strcmp(is, hex) == 0;
	return 0;
}

/* ---- the pass --------------------------------------------------------- */

/* Another of the same set, or what founds it. */
static bool
goes_on(const struct audit_people_state *state, const struct audit_entry *entry)
{
	return (entry->kind == ENTRY_ENROLMENT ||
		   entry->kind == ENTRY_QUORUM) &&
	    strcmp(audit_text(entry, "set"),
		state->people[state->count - 1].set) == 0;
}

/* People enrol in one transaction with the entry that founds their set. */
static void
check_enrolling(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry)
{
	if (!state->is_enrolling || (entry != NULL && goes_on(state, entry)))
		return;
	audit_error(audit, &state->enrolling, "AUDIT-ENROLMENT",
	    "somebody enrols in a set that is not founded behind it");
	state->is_enrolling = false;
}

static const struct {
	enum entry_kind kind;
	int (*check)(struct audit *audit, struct audit_people_state *state,
	    const struct audit_entry *entry);
} checks[] = {
	{ ENTRY_ENROLMENT, audit_enrolment },
	{ ENTRY_QUORUM, audit_quorum },
	{ ENTRY_ANCHOR, audit_anchor },
	{ ENTRY_STATE, audit_ready },
	{ ENTRY_CLOSE, audit_anchored },
	{ ENTRY_APPROVAL, audit_approval },
	{ ENTRY_CONFIRMATION, audit_confirmation },
	{ ENTRY_EVENT, audit_event },
	{ ENTRY_LOGIN, audit_login },
};

static int
people_entry(struct audit *audit, void *data, const struct audit_entry *entry)
{
	struct audit_people_state *state = data;

	check_enrolling(audit, state, entry);
	state->founded =
	    state->founded || (entry->applied && entry->kind == ENTRY_GENESIS);
	if (!entry->applied || !state->founded)
		return 0;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (checks[i].kind == entry->kind)
			return checks[i].check(audit, state, entry);
	return 0;
}

static int
people_end(struct audit *audit, void *data, bool whole)
{
	struct audit_people_state *state = data;

	if (state == NULL)
		return 0;
	if (whole)
		check_enrolling(audit, state, NULL);
	for (size_t i = 0; i < state->count; i++)
		person_clear(&state->people[i]);
	free(state->people);
	free(state);
	return 0;
}

const struct audit_pass audit_people = {
	.name = "people",
	.begin = people_begin,
	.entry = people_entry,
	.end = people_end,
};
