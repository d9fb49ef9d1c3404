/*
 * What a run did, against its plan and its lists: acts without a signature,
 * what was signed, and the keys that it made.
 */
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"
#include "ceremony/journal/head.h"

static const char *
text_in(const json_t *object, const char *member)
{
	return json_string_value(json_object_get(object, member));
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* ---- acts of plans that stand alone: do they fit the entry? ----------- */

static bool
fits_token(const json_t *act, const struct audit_entry *entry)
{
	return same(text_in(json_object_get(act, "serial"), "new"),
		   audit_text(entry, "serial")) &&
	    same(text_in(json_object_get(act, "label"), "new"),
		audit_text(entry, "label"));
}

static bool
fits_config(const json_t *act, const struct audit_entry *entry)
{
	const json_t *config = json_object_get(act, "config");

	return !same(text_in(config, "old"), text_in(config, "new")) &&
	    same(text_in(config, "new"), audit_text(entry, "sha256"));
}

/* A profile that is removed has its old digest in the entry. */
static bool
fits_profile(const json_t *act, const struct audit_entry *entry)
{
	bool removed = json_is_true(json_object_get(entry->data, "removed"));
	const json_t *changes = json_object_get(act, "profiles");
	size_t i;
	json_t *change;

	json_array_foreach(changes, i, change)
	{
		bool gone = json_is_null(json_object_get(change, "new"));

		if (same(text_in(change, "profile"),
			audit_text(entry, "profile")) &&
		    gone == removed &&
		    same(text_in(change, removed ? "old" : "new"),
			audit_text(entry, "sha256")))
			return true;
	}
	return false;
}

static bool
fits_clock(const json_t *act, const struct audit_entry *entry)
{
	return same(text_in(act, "floor"), audit_text(entry, "was")) &&
	    same(text_in(act, "clock"), audit_text(entry, "now")) &&
	    same(text_in(act, "why"), audit_text(entry, "why"));
}

/* The head that the token held, in its own words and in the entry's. */
static bool
fits_head(const json_t *act, const json_t *said)
{
	const char *text = text_in(act, "head");
	AUTO_STRUCT(head) head = { 0 };
	char root[HASH_HEX_SIZE];

	if (text == NULL || json_is_null(said))
		return text == NULL && json_is_null(said);
	if (head_parse(text, strlen(text), &head) != 0) {
		ca_error_clear();
		return false;
	}
	text_hex_into(head.root, HASH_LEN, root);
	return same(head.origin, text_in(said, "origin")) &&
	    same(root, text_in(said, "root")) &&
	    json_integer_value(json_object_get(said, "size")) ==
	    (json_int_t)head.size &&
	    json_integer_value(json_object_get(said, "epoch")) ==
	    (json_int_t)head.epoch;
}

static bool
fits_epoch(const json_t *act, const struct audit_entry *entry)
{
	static const char *const members[] = { "epoch", "origin", "lost",
		"receipts" };

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!json_equal(json_object_get(act, members[i]),
			json_object_get(entry->data, members[i])))
			return false;
	return fits_head(act, json_object_get(entry->data, "head"));
}

/* Who the people are, sets.c compares with the plan. */
static bool
fits_set(const json_t *act, const struct audit_entry *entry)
{
	return json_equal(json_object_get(act, "threshold"),
		   json_object_get(entry->data, "threshold")) &&
	    json_equal(json_object_get(act, "operators"),
		json_object_get(entry->data, "operators"));
}

static bool
fits_any(const json_t *act, const struct audit_entry *entry)
{
	(void)act;
	(void)entry;
	return true;
}

static bool
fits_run(const json_t *act, const struct audit_entry *entry)
{
	return same(text_in(act, "run"), audit_text(entry, "run"));
}

/* Entries that only a plan of one kind may make. */
static const struct way {
	enum entry_kind kind;
	const char *special;
	bool once;
	bool (*fits)(const json_t *act, const struct audit_entry *entry);
} ways[] = {
	{ ENTRY_TOKEN, "adopt-token", true, fits_token },
	{ ENTRY_CONFIG, "adopt-config", false, fits_config },
	{ ENTRY_PROFILE, "adopt-config", false, fits_profile },
	{ ENTRY_CLOCK, "correct-clock", true, fits_clock },
	{ ENTRY_EPOCH, "recover-journal", true, fits_epoch },
	{ ENTRY_QUORUM, "reshare", false, fits_set },
	{ ENTRY_PIN_CHANGE, "reshare", false, fits_any },
};

static const struct way *
way_of(enum entry_kind kind)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].kind == kind)
			return &ways[i];
	return NULL;
}

/* A part of adopt-config: each has one entry. */
static int
part_of(const struct audit_entry *entry, char **ret_part)
{
	*ret_part = entry->kind == ENTRY_CONFIG
	    ? text_copy("config")
	    : text_printf("profile %s", audit_text(entry, "profile"));
	return *ret_part == NULL ? -1 : 0;
}

static int
is_part_done(struct audit *audit, const struct audit_run *run, const char *part,
    bool *ret_done)
{
	int64_t one;

	return sql_number(audit->journal,
	    "SELECT 1 FROM audit_parts WHERE run = ?1 AND part = ?2",
	    SQL_VALUES(sql_text(run->nonce), sql_text(part)), ret_done, &one);
}

static int
take_part(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	AUTO_CHARS(part) = NULL;
	bool done = false;

	if (entry->kind != ENTRY_CONFIG && entry->kind != ENTRY_PROFILE)
		return 0;
	if (part_of(entry, &part) != 0 ||
	    is_part_done(audit, run, part, &done) != 0)
		return -1;
	if (done) {
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run does a second time what was listed once");
		return 0;
	}
	return sql_run(audit->journal, part,
	    "INSERT INTO audit_parts (run, part) VALUES (?1, ?2)",
	    SQL_VALUES(sql_text(run->nonce), sql_text(part)));
}

static int
special_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const struct way *way)
{
	bool begun = entry->kind == ENTRY_QUORUM &&
	    strcmp(audit_text(entry, "state"), "active") != 0;

	if (!same(run->special, way->special)) {
		audit_error(audit, entry, "AUDIT-WAY",
		    "only a plan of '%s' may do this, and that of its run is "
		    "none",
		    way->special);
		return 0;
	}
	if (way->once && run->done)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run does a second time what was listed once");
	run->done = run->done || (!begun && entry->kind != ENTRY_PIN_CHANGE);
	if (take_part(audit, run, entry) != 0)
		return -1;
	return audit_use_act(audit, run, entry, way->special, way->fits);
}

/* ---- ending another run ----------------------------------------------- */

/* Only what settles a run is taken in the name of one that is abandoned. */
static int
settling_act(struct audit *audit, struct audit_run *acting,
    const struct audit_entry *entry)
{
	if (same(acting->special, "abandon"))
		return audit_use_act(audit, acting, entry, "abandon", fits_run);
	if (same(acting->special, "recover-journal"))
		return audit_use_act(
		    audit, acting, entry, "recover-journal", fits_any);
	audit_error(audit, entry, "AUDIT-WAY",
	    "a run is ended by another, whose plan does not say so");
	return 0;
}

/* ---- acts of ordinary plans ------------------------------------------- */

/* "00AB", "ab" and "AB" are one serial. */
static bool
same_serial(const char *a, const char *b)
{
	a += strspn(a, "0");
	b += strspn(b, "0");
	return strcasecmp(a, b) == 0;
}

static bool
plans_revocation(const struct audit_run *run, const struct audit_entry *entry)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++) {
		const struct revoke_params *p = run->plan.steps[i].params;

		/* A file, or a query: that the list was confirmed says which. */
		if (run->plan.steps[i].kind == &step_revoke &&
		    same(p->issuer, audit_text(entry, "issuer")) &&
		    same(p->reason, audit_text(entry, "reason")) &&
		    (p->serial == NULL ? p->certificate != NULL
				       : same_serial(p->serial,
					     audit_text(entry, "serial"))))
			return true;
	}
	return false;
}

/* Of a certificate of this very run that was perhaps signed. */
static int
is_consequence(
    struct audit *audit, const struct audit_entry *entry, bool *ret_it_is)
{
	int64_t seq;

	return sql_number(audit->journal,
	    "SELECT seq FROM objects WHERE issuer_dn = ?1 AND serial = ?2"
	    " AND run = ?3 AND adopted = 0 AND state = 2",
	    SQL_VALUES(sql_text(audit_text(entry, "issuer_dn")),
		sql_text(audit_text(entry, "serial")),
		sql_text(audit_text(entry, "run"))),
	    ret_it_is, &seq);
}

static int
revoking_act(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	bool consequence = false;

	if (is_consequence(audit, entry, &consequence) != 0)
		return -1;
	if (consequence)
		return 0;
	if (run->plan.steps != NULL && !plans_revocation(run, entry))
		audit_error(audit, entry, "AUDIT-ACT",
		    "the plan of the run does not revoke serial %s of '%s' for "
		    "'%s'",
		    audit_text(entry, "serial"), audit_text(entry, "issuer"),
		    audit_text(entry, "reason"));
	return audit_use_exact_act(audit, run, entry, "revoke");
}

/* ---- many revocations, changes of one, imports ------------------------- */

static bool
plans_query(const struct step *step, const struct audit_entry *entry)
{
	const struct revoke_params *p = step->params;

	return p->query != NULL && same(audit_text(entry, "source"), "query") &&
	    same(p->issuer, audit_text(entry, "issuer"));
}

static bool
plans_import(const struct step *step, const struct audit_entry *entry)
{
	const struct import_params *p = step->params;

	return same(p->issuer, audit_text(entry, "issuer")) &&
	    same(p->format, audit_text(entry, "source"));
}

static bool
plans_upgrade(const struct step *step, const struct audit_entry *entry)
{
	const struct upgrade_params *p = step->params;

	return same(p->issuer, audit_text(entry, "issuer")) &&
	    same_serial(p->serial, audit_text(entry, "serial")) &&
	    (p->date == NULL || same(p->date, audit_text(entry, "date")));
}

/* What adopt-ca takes over is in ca-acts.c. */
static const struct list_act {
	enum entry_kind kind;
	const struct step_kind *step;
	bool (*plans)(const struct step *step, const struct audit_entry *entry);
} list_acts[] = {
	{ ENTRY_REVOCATIONS, &step_revoke, plans_query },
	{ ENTRY_REVOCATIONS, &step_import_revocations, plans_import },
	{ ENTRY_REVOCATION_UPGRADED, &step_upgrade_revocation, plans_upgrade },
	{ ENTRY_ISSUED, &step_import_issued, plans_import },
};

static bool
is_planned_list(const struct audit_run *run, const struct list_act *act,
    const struct audit_entry *entry)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++)
		if (run->plan.steps[i].kind == act->step &&
		    act->plans(&run->plan.steps[i], entry))
			return true;
	return false;
}

/* Of several kinds of steps that make such an entry, the one that is planned. */
static int
list_act(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	const struct list_act *found = NULL;
	bool planned = false;

	for (size_t i = 0; i < sizeof(list_acts) / sizeof(list_acts[0]); i++) {
		const struct list_act *act = &list_acts[i];

		if (act->kind != entry->kind || planned)
			continue;
		found = act;
		planned =
		    run->plan.steps != NULL && is_planned_list(run, act, entry);
	}
	if (found == NULL)
		return 0;
	if (run->plan.steps != NULL && !planned)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the plan of the run has no step that does this for '%s'",
		    audit_text(entry, "issuer"));
	return audit_use_exact_act(audit, run, entry, found->step->name);
}

static bool
plans_adoption(const struct audit_run *run, const struct audit_entry *entry)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++) {
		const struct adopt_params *p = run->plan.steps[i].params;

		if (run->plan.steps[i].kind == &step_adopt_certificate &&
		    same(p->name, audit_text(entry, "name")) &&
		    same(p->key, audit_text(entry, "key")))
			return true;
	}
	return false;
}

static int
adopting_act(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	const char *kind = audit_adopting_kind(run, entry);

	if (run->plan.steps != NULL &&
	    same(kind, step_adopt_certificate.name) &&
	    !plans_adoption(run, entry))
		audit_error(audit, entry, "AUDIT-ACT",
		    "the plan of the run takes in no certificate '%s' for key "
		    "'%s'",
		    audit_text(entry, "name"), audit_text(entry, "key"));
	return audit_use_exact_act(audit, run, entry, kind);
}

/* Of its own run, or in the name of one that is ended. */
int
audit_act(struct audit *audit, struct audit_run *run, struct audit_run *acting,
    const struct audit_entry *entry)
{
	const struct way *way = way_of(entry->kind);

	if (run != acting)
		return settling_act(audit, acting, entry);
	if (entry->kind == ENTRY_QUORUM &&
	    strcmp(audit_text(entry, "state"), "undone") == 0) {
		audit_error(audit, entry, "AUDIT-WAY",
		    "a reshare is given up by itself, and not by a plan of "
		    "'abandon'");
		return 0;
	}
	if (way != NULL)
		return special_act(audit, run, entry, way);
	switch (entry->kind) {
	case ENTRY_REVOKED:
		return revoking_act(audit, run, entry);
	case ENTRY_ADOPTED:
		return adopting_act(audit, run, entry);
	case ENTRY_REVOCATIONS:
	case ENTRY_REVOCATION_UPGRADED:
	case ENTRY_ISSUED:
		return list_act(audit, run, entry);
	default:
		return 0;
	}
}

/* ---- objects ---------------------------------------------------------- */

/* Where the step fixes it; NULL: it does not. */
static bool
keeps(const char *planned, const char *said)
{
	return planned == NULL || same(planned, said);
}

static bool
fits_certificate(const struct step *step, const struct audit_entry *entry)
{
	const struct certificate_params *p = step->params;

	return same(step->kind->name, audit_text(entry, "certificate_kind")) &&
	    keeps(p->issuer, audit_text(entry, "issuer")) &&
	    same(p->profile, audit_text(entry, "profile")) &&
	    keeps(p->key, audit_text(entry, "subject_key"));
}

/* One of many; the lint report says which requests were left out. */
static bool
fits_batch(const struct step *step, const struct audit_entry *entry)
{
	const struct certificates_params *p = step->params;

	return same("end-entity", audit_text(entry, "certificate_kind")) &&
	    same(p->issuer, audit_text(entry, "issuer")) &&
	    same(p->profile, audit_text(entry, "profile")) &&
	    audit_text(entry, "subject_key") == NULL;
}

static bool
fits_crl(const struct step *step, const struct audit_entry *entry)
{
	const struct crl_params *p = step->params;

	const char *url = audit_text(entry, "distribution_url");

	return same(p->issuer, audit_text(entry, "issuer")) &&
	    same(p->profile, audit_text(entry, "profile")) &&
	    (p->url == NULL ? url == NULL : same(p->url, url));
}

/* Does the step make this object? */
static bool
fits_step(const struct step *step, const struct audit_entry *entry)
{
	const char *kind = audit_text(entry, "kind");

	if (step->kind->output == NULL ||
	    step->kind == &step_adopt_certificate ||
	    step->kind == &step_adopt_ca || !same(step->kind->output, kind) ||
	    !step_publishes(step, audit_text(entry, "name")))
		return false;
	if (step->kind == &step_certificates)
		return fits_batch(step, entry);
	if (strcmp(kind, "certificate") == 0)
		return fits_certificate(step, entry);
	return strcmp(kind, "crl") != 0 || fits_crl(step, entry);
}

/* Objects come about in the order of the steps: look from the last one on. */
static bool
is_planned(struct audit_run *run, const struct audit_entry *entry)
{
	size_t count = run->plan.params->steps_count;

	for (size_t i = 0; i < count; i++) {
		size_t at = (run->hint + i) % count;

		if (fits_step(&run->plan.steps[at], entry)) {
			run->hint = at;
			return true;
		}
	}
	return false;
}

/* A root's key signs nothing unattended: its certificate is its own issuer's. */
static int
check_root_key(struct audit *audit, const struct audit_entry *entry)
{
	bool root;
	int64_t seq;

	if (sql_number(audit->journal,
		"SELECT seq FROM objects WHERE kind = 'certificate'"
		" AND spki = ?1 AND subject_dn = issuer_dn LIMIT 1",
		SQL_VALUES(sql_text(audit_text(entry, "key"))), &root,
		&seq) != 0)
		return -1;
	if (root)
		audit_error(audit, entry, "AUDIT-CONFIRMATIONS-MISSING",
		    "%s '%s' is signed with a root's key in a run that nobody "
		    "confirmed",
		    entry->kind == ENTRY_OCSP_INTENT
			? "OCSP responses"
			: audit_text(entry, "kind"),
		    audit_text(entry, "name"));
	return 0;
}

int
audit_object(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	if (run->special != NULL) {
		audit_error(audit, entry, "AUDIT-WAY",
		    "%s '%s' is signed by a run of '%s', which signs nothing",
		    audit_text(entry, "kind"), audit_text(entry, "name"),
		    run->special);
		return 0;
	}
	if (run->plan.steps != NULL && !is_planned(run, entry))
		audit_error(audit, entry, "AUDIT-INTENT",
		    "the plan of the run makes no %s '%s' of this issuer, "
		    "profile and key",
		    audit_text(entry, "kind"), audit_text(entry, "name"));
	if (run->unattended && check_root_key(audit, entry) != 0)
		return -1;
	return audit_use_object(audit, run, entry);
}

static bool
plans_responses(const struct audit_run *run, const struct audit_entry *entry)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++) {
		const struct ocsp_responses_params *p =
		    run->plan.steps[i].params;
		const char *responder = audit_text(entry, "responder");

		if (run->plan.steps[i].kind == &step_ocsp_responses &&
		    same(p->name, audit_text(entry, "name")) &&
		    same(p->issuer, audit_text(entry, "issuer")) &&
		    same(p->profile, audit_text(entry, "profile")) &&
		    (p->responder == NULL ? responder == NULL
					  : same(p->responder, responder)))
			return true;
	}
	return false;
}

int
audit_responses(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	if (run->special != NULL) {
		audit_error(audit, entry, "AUDIT-WAY",
		    "OCSP responses '%s' are signed by a run of '%s', which "
		    "signs nothing",
		    audit_text(entry, "name"), run->special);
		return 0;
	}
	if (run->plan.steps != NULL && !plans_responses(run, entry))
		audit_error(audit, entry, "AUDIT-INTENT",
		    "the plan of the run makes no OCSP responses '%s' of this "
		    "issuer, responder and profile",
		    audit_text(entry, "name"));
	if (run->unattended && check_root_key(audit, entry) != 0)
		return -1;
	return audit_use_batch(audit, run, entry);
}

/* ---- keys ------------------------------------------------------------- */

static bool
plans_key(const struct audit_run *run, const struct audit_entry *entry)
{
	for (unsigned i = 0; i < run->plan.params->steps_count; i++) {
		const struct step *step = &run->plan.steps[i];
		struct key_order order;

		if (step->kind->keys == NULL)
			continue;
		step->kind->keys(step, &order);
		if (same(order.name, audit_text(entry, "name")) &&
		    same(order.type, audit_text(entry, "type")) &&
		    same(order.purpose, audit_text(entry, "purpose")) &&
		    same(order.backup, audit_text(entry, "backup")))
			return true;
	}
	return false;
}

void
audit_key_intent(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	if (run->plan.steps != NULL && !plans_key(run, entry))
		audit_error(audit, entry, "AUDIT-KEY-INTENT",
		    "the plan of the run makes no key '%s' of type %s for '%s' "
		    "with the backup '%s'",
		    audit_text(entry, "name"), audit_text(entry, "type"),
		    audit_text(entry, "purpose"), audit_text(entry, "backup"));
}

/* ---- the end ---------------------------------------------------------- */

static int
is_made(struct audit *audit, const struct audit_run *run, const char *kind,
    const char *name, bool *ret_made)
{
	int64_t seq;

	return sql_number(audit->journal,
	    "SELECT seq FROM objects WHERE run = ?1 AND kind = ?2"
	    " AND name = ?3 AND state = 1"
	    " UNION ALL SELECT seq FROM ocsp_windows WHERE ?2 = 'ocsp'"
	    " AND run = ?1 AND name = ?3 AND state = 1",
	    SQL_VALUES(sql_text(run->nonce), sql_text(kind), sql_text(name)),
	    ret_made, &seq);
}

static int
is_key_made(struct audit *audit, const struct audit_run *run, const char *name,
    bool *ret_made)
{
	int64_t seq;

	return sql_number(audit->journal,
	    "SELECT seq FROM keys WHERE run = ?1 AND name = ?2 AND state = 1",
	    SQL_VALUES(sql_text(run->nonce), sql_text(name)), ret_made, &seq);
}

static int
check_step_done(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry, const struct step *step)
{
	struct key_order order = { 0 };
	const char *name = NULL;
	bool made = true;

	if (step->kind->keys != NULL) {
		step->kind->keys(step, &order);
		name = order.name;
		if (is_key_made(audit, run, name, &made) != 0)
			return -1;
	} else if (step->kind->publish != NULL) {
		name = step->kind->publish(step);
		if (is_made(audit, run, step->kind->output, name, &made) != 0)
			return -1;
	}
	if (!made)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run is closed as done, and has not made '%s' of its "
		    "step '%s'",
		    name, step->kind->name);
	return 0;
}

int
audit_plan_done(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	if (run->plan.steps == NULL)
		return 0;
	for (unsigned i = 0; i < run->plan.params->steps_count; i++)
		if (check_step_done(audit, run, entry, &run->plan.steps[i]) !=
		    0)
			return -1;
	return 0;
}

/* ---- the end of adopt-config ------------------------------------------ */

static int
check_part(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry, const char *part)
{
	bool done = false;

	if (is_part_done(audit, run, part, &done) != 0)
		return -1;
	if (!done)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run is closed as done, and of its list '%s' was not "
		    "adopted",
		    part);
	return 0;
}

static int
check_parts(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry, json_t *act)
{
	const json_t *config = json_object_get(act, "config");
	size_t i;
	json_t *change;

	if (!same(text_in(config, "old"), text_in(config, "new")) &&
	    check_part(audit, run, entry, "config") != 0)
		return -1;
	json_array_foreach(json_object_get(act, "profiles"), i, change)
	{
		const char *profile = text_in(change, "profile");
		AUTO_CHARS(part) =
		    text_printf("profile %s", profile == NULL ? "" : profile);

		if (part == NULL || check_part(audit, run, entry, part) != 0)
			return -1;
	}
	return 0;
}

int
audit_config_done(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(text) = NULL;
	AUTO(json_t) *act = NULL;
	bool row = false;

	if (!same(run->special, "adopt-config"))
		return 0;
	if (query_start(audit->journal,
		"SELECT text FROM audit_acts WHERE run = ?1"
		" AND kind = 'adopt-config' AND done = 1"
		" ORDER BY list DESC LIMIT 1",
		SQL_VALUES(sql_text(run->nonce)), &query) != 0 ||
	    query_step(&query, &row) != 0 ||
	    (row && query_text(&query, 0, &text) != 0))
		return -1;
	query_clear(&query);
	if (!row)
		return 0; /* that has a finding */
	act = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	return check_parts(audit, run, entry, act);
}
