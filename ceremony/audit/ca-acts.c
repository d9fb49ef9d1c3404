/*
 * Acts in the life of a CA, against plan and list: one that is taken over with
 * its key, a state that is given, a key that is destroyed.
 */
#include <string.h>

#include "ceremony/audit/people-private.h"

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static const char *
text_in(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static bool
is_adopted_key(const struct audit_entry *entry)
{
	return (entry->kind == ENTRY_KEY_INTENT || entry->kind == ENTRY_KEY) &&
	    json_is_true(json_object_get(entry->data, "adopted"));
}

/* ---- of which step? --------------------------------------------------- */

static bool
plans_key(const struct step *step, const struct audit_entry *entry)
{
	const struct adopt_ca_params *p = step->params;
	const char *backup = audit_text(entry, "backup");
	const char *purpose = audit_text(entry, "purpose");

	return same(p->key, audit_text(entry, "name")) &&
	    (backup == NULL || same(p->backup, backup)) &&
	    (purpose == NULL || same(purpose, "ca"));
}

static bool
plans_certificate(const struct step *step, const struct audit_entry *entry)
{
	const struct adopt_ca_params *p = step->params;

	return same(p->name, audit_text(entry, "name")) &&
	    same(p->key, audit_text(entry, "key"));
}

static bool
plans_revocations(const struct step *step, const struct audit_entry *entry)
{
	const struct adopt_ca_params *p = step->params;

	return p->crl != NULL && same(p->name, audit_text(entry, "issuer"));
}

static bool
plans_state(const struct step *step, const struct audit_entry *entry)
{
	const struct ca_state_params *p = step->params;
	const char *successor = audit_text(entry, "successor");

	return same(p->key, audit_text(entry, "key")) &&
	    same(p->state, audit_text(entry, "state")) &&
	    (p->successor == NULL ? successor == NULL
				  : same(p->successor, successor));
}

static bool
plans_destruction(const struct step *step, const struct audit_entry *entry)
{
	const struct destroy_key_params *p = step->params;

	return same(p->key, audit_text(entry, "name"));
}

/* The act has no count of what was found. */
static bool
fits_destruction(const json_t *act, const struct audit_entry *entry)
{
	static const char *const members[] = { "name", "id", "why" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!same(text_in(act, members[i]),
			audit_text(entry, members[i])))
			return false;
	return true;
}

static bool
is_taken_list(const struct audit_entry *entry)
{
	return same(audit_text(entry, "source"), "adopted");
}

static bool
is_ca_state(const struct audit_entry *entry)
{
	return same(audit_text(entry, "subject"), "ca");
}

/* A key of its own run goes otherwise, and nobody says why. */
static bool
is_wanted(const struct audit_entry *entry)
{
	return audit_text(entry, "why") != NULL;
}

static const struct row {
	enum entry_kind kind;
	bool (*is)(const struct audit_entry *entry);
	const struct step_kind *step;
	bool (*plans)(const struct step *step, const struct audit_entry *entry);
	/* NULL: the act is the entry, word for word */
	bool (*fits)(const json_t *act, const struct audit_entry *entry);
} rows[] = {
	{ ENTRY_KEY_INTENT, is_adopted_key, &step_adopt_ca, plans_key, NULL },
	{ ENTRY_KEY, is_adopted_key, &step_adopt_ca, plans_key, NULL },
	{ ENTRY_REVOCATIONS, is_taken_list, &step_adopt_ca, plans_revocations,
	    NULL },
	{ ENTRY_STATE, is_ca_state, &step_ca_state, plans_state, NULL },
	{ ENTRY_KEY_DESTROYED, is_wanted, &step_destroy_key, plans_destruction,
	    fits_destruction },
};

static const struct row *
row_of(const struct audit_entry *entry)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == entry->kind && rows[i].is(entry))
			return &rows[i];
	return NULL;
}

bool
audit_is_ca_act(const struct audit_entry *entry)
{
	return row_of(entry) != NULL;
}

/* ---- was it planned, listed, confirmed? ------------------------------- */

static bool
is_planned(const struct audit_run *run, const struct audit_entry *entry,
    const struct row *row)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++)
		if (run->plan.steps[i].kind == row->step &&
		    row->plans(&run->plan.steps[i], entry))
			return true;
	return false;
}

int
audit_ca_act(struct audit *audit, struct audit_run *run,
    struct audit_run *acting, const struct audit_entry *entry)
{
	const struct row *row = row_of(entry);

	if (row == NULL)
		return 0;
	if (run != acting) {
		audit_error(audit, entry, "AUDIT-WAY",
		    "a run that is ended by another one goes on with its plan");
		return 0;
	}
	if (run->plan.steps != NULL && !is_planned(run, entry, row))
		audit_error(audit, entry, "AUDIT-ACT",
		    "the plan of the run has no step '%s' that does this",
		    row->step->name);
	return row->fits == NULL
	    ? audit_use_exact_act(audit, run, entry, row->step->name)
	    : audit_use_act(audit, run, entry, row->step->name, row->fits);
}

const char *
audit_adopting_kind(
    const struct audit_run *run, const struct audit_entry *entry)
{
	if (run->plan.steps == NULL)
		return step_adopt_certificate.name;
	for (unsigned i = 0; i < run->plan.params->steps_count; i++)
		if (run->plan.steps[i].kind == &step_adopt_ca &&
		    plans_certificate(&run->plan.steps[i], entry))
			return step_adopt_ca.name;
	return step_adopt_certificate.name;
}
