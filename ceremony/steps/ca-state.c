/*
 * The step that ends a CA, by two stages: a retiring one issues no more, and
 * still says what it has revoked; a retired one signs nothing any more.  It is
 * an act, and comes after all that the plan signs.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"
#include "ceremony/steps/ending.h"

static int
state_by_name(const char *name, enum ca_state *ret_state)
{
	static const enum ca_state states[] = { CA_RETIRING, CA_RETIRED };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(ca_state_name(states[i]), name) == 0) {
			*ret_state = states[i];
			return 0;
		}
	return -1;
}

static int
check(struct build *build, const struct step *step)
{
	const struct ca_state_params *p = step->params;
	enum ca_state state;

	step_check_why(build, step, p->why);
	if (state_by_name(p->state, &state) < 0) {
		step_finding(build, step, "state", "CA-STATE-NAME", NULL,
		    "'%s' is no state that a plan can give; choose 'retiring' "
		    "or 'retired' (and 'destroyed' by a destroy-key step)",
		    p->state);
		return 0;
	}
	if (p->successor != NULL && state != CA_RETIRING)
		step_finding(build, step, "successor", "CA-SUCCESSOR", NULL,
		    "the successor is named when the CA becomes 'retiring'");
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct ca_state_params *p = step->params;

	if (strcmp(p->state, ca_state_name(CA_RETIRED)) == 0)
		return step_text(ret_text,
		    "retire the CA of key '%s': it signs nothing any more; "
		    "why: %s",
		    p->key, p->why);
	return step_text(ret_text,
	    "the CA of key '%s' issues no more certificates from now on, and "
	    "goes on to sign CRLs and OCSP responses%s%s; why: %s",
	    p->key, p->successor != NULL ? "; its successor is key " : "",
	    p->successor != NULL ? p->successor : "", p->why);
}

/* ---- what a CA that retires leaves ------------------------------------ */

static const char *
fact(const struct built_object *object, const char *member)
{
	return json_string_value(json_object_get(object->facts, member));
}

static bool
is_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int
is_revoked(void *ctx, const char *dn, const char *serial, bool *ret_revoked)
{
	return build_is_revoked(ctx, dn, serial, ret_revoked);
}

/* Certificates of this plan are all new. */
static void
count_planned(const struct build *build, struct ending *ending)
{
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];

		if (o->kind == OBJECT_CERTIFICATE &&
		    is_text(fact(o, "issuer_dn"), ending->dn) &&
		    !is_text(fact(o, "spki"), ending->spki) &&
		    o->from != BUILT_AND_SIGNED)
			ending->in_force++;
	}
}

/* ---- its last CRLs ----------------------------------------------------- */

/* What was revoked, by the CRL that has it, with what this plan revokes. */
struct part {
	struct revoked_part row;
	bool planned;
};

struct parts {
	struct build *build;
	const struct ending *ending;
	struct part *rows;
	size_t count;
};

static void
parts_clear(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++)
		revoked_part_clear(&parts->rows[i].row);
	free(parts->rows);
}
CLEANUP_DEFINE_STRUCT(parts);

static struct part *
find_part(struct parts *parts, const char *url, int ca)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct revoked_part *row = &parts->rows[i].row;

		if (row->ca == ca &&
		    (row->url == NULL ? url == NULL : is_text(row->url, url)))
			return &parts->rows[i];
	}
	return NULL;
}

static int
add_part(struct parts *parts, const char *url, int ca, struct part **ret_part)
{
	struct part *rows =
	    realloc(parts->rows, (parts->count + 1) * sizeof(*rows));
	struct part part = { .row = { .ca = ca } };

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for partitions");
	parts->rows = rows;
	if (url != NULL && (part.row.url = text_copy(url)) == NULL)
		return -1;
	rows[parts->count] = part;
	*ret_part = &rows[parts->count++];
	return 0;
}

static int
take_journalled(void *ctx, const struct revoked_part *row)
{
	struct parts *parts = ctx;
	struct part *part = NULL;

	if (add_part(parts, row->url, row->ca, &part) < 0)
		return -1;
	part->row.seq = row->seq;
	part->row.expires = row->expires;
	part->row.unknown = row->unknown;
	return 0;
}

/* As the entry that revokes it will find it in the journal. */
static int
take_planned(struct parts *parts, const struct planned_revocation *planned)
{
	const char *dn = parts->ending->dn;
	AUTO_CHARS(serial) = text_hex(planned->serial, planned->serial_len);
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_STRUCT(issued_row) issued = { .ca = -1 };
	struct journal *journal = parts->build->journal;
	bool here = false, elsewhere = false;
	struct part *part;
	int64_t end;
	int ca;

	if (serial == NULL ||
	    journal_certificate_by_serial(journal, dn, serial, &here, &row) <
		0 ||
	    journal_issued(journal, dn, serial, &elsewhere, &issued) < 0)
		return -1;
	ca = here ? row.ca : issued.ca;
	end = here ? row.until : elsewhere ? issued.expires : planned->expires;
	part = find_part(parts, row.crl_url, ca);
	if (part == NULL && add_part(parts, row.crl_url, ca, &part) < 0)
		return -1;
	part->planned = true;
	part->row.unknown = part->row.unknown || end == 0;
	if (end > part->row.expires)
		part->row.expires = end;
	return 0;
}

static int
gather_parts(struct parts *parts)
{
	const struct build *build = parts->build;

	if (journal_each_revoked_part(
		build->journal, parts->ending->dn, take_journalled, parts) < 0)
		return -1;
	for (size_t i = 0; i < build->act_count; i++) {
		const struct built_act *act = &build->acts[i];
		const char *dn =
		    json_string_value(json_object_get(act->data, "issuer_dn"));

		if (!is_text(dn, parts->ending->dn))
			continue;
		for (size_t k = 0; k < act->revoked_count; k++)
			if (take_planned(parts, &act->revoked[k]) < 0)
				return -1;
	}
	return 0;
}

/* Has this CRL of the plan what was revoked of the part? */
static bool
has_part(const struct built_object *o, const struct revoked_part *part)
{
	const char *url = fact(o, "distribution_url");
	const char *only = fact(o, "only");

	if (url == NULL)
		return true;
	if (!is_text(url, part->url))
		return false;
	return only == NULL || (part->ca == 1 && is_text(only, "ca")) ||
	    (part->ca == 0 && is_text(only, "user"));
}

/* The end of the CRL of this plan that has the part; 0: it makes none. */
static int
planned_end(const struct parts *parts, const struct revoked_part *part,
    int64_t *ret_end)
{
	const struct build *build = parts->build;

	*ret_end = 0;
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *text = fact(o, "next_update");
		int64_t end;

		if (o->kind != OBJECT_CRL || text == NULL ||
		    !is_text(fact(o, "issuer_dn"), parts->ending->dn) ||
		    !has_part(o, part))
			continue;
		if (date_parse(text, &end) < 0)
			return -1;
		/* Numbers rise: a later one takes the place of this one. */
		*ret_end = end;
	}
	return 0;
}

static int
judge(const struct parts *parts, const struct part *part,
    enum last_crl *ret_verdict)
{
	int64_t end;

	if (planned_end(parts, &part->row, &end) < 0)
		return -1;
	if (end == 0 && !part->planned)
		return ending_judge(parts->ending, &part->row, ret_verdict);
	if (end == 0)
		*ret_verdict = LAST_CRL_NONE;
	else
		*ret_verdict = end < ending_needs(parts->ending, &part->row)
		    ? LAST_CRL_SHORT
		    : LAST_CRL_GOOD;
	return 0;
}

/*
 * The CRLs that stand when the CA is gone: they have every revocation, and last
 * as long as a certificate may be asked about.
 */
static int
check_last_crl(
    const struct parts *parts, const struct step *step, const struct part *part)
{
	AUTO_CHARS(which) = revoked_part_text(&part->row);
	enum last_crl verdict;
	char end[DATE_TEXT_SIZE];

	if (which == NULL || judge(parts, part, &verdict) < 0)
		return -1;
	date_format(ending_needs(parts->ending, &part->row), end);
	if (verdict == LAST_CRL_NONE)
		step_finding(parts->build, step, "state", "CA-LAST-CRL",
		    "RFC 5280, section 3.3",
		    "no CRL has everything that the CA revoked of its "
		    "certificates%s; sign its last one (a crl step with "
		    "'last') before it retires",
		    which);
	else if (verdict == LAST_CRL_SHORT)
		step_finding(parts->build, step, "state", "CA-LAST-CRL",
		    "RFC 5280, section 3.3",
		    "the newest CRL ends before %s, when the last of what the "
		    "CA revoked of its certificates%s expires; sign its last "
		    "one (a crl step with 'last') so that it lasts until then",
		    end, which);
	return 0;
}

static int
check_last_crls(
    struct build *build, const struct step *step, const struct ending *ending)
{
	AUTO_STRUCT(parts) parts = { .build = build, .ending = ending };

	if (gather_parts(&parts) < 0)
		return -1;
	for (size_t i = 0; i < parts.count; i++)
		if (check_last_crl(&parts, step, &parts.rows[i]) < 0)
			return -1;
	return 0;
}

static int
check_ending(struct build *build, const struct step *step, const char *dn,
    const char *spki)
{
	struct ending ending = {
		.journal = build->journal,
		.dn = dn,
		.spki = spki,
		.now = build->now,
		.is_revoked = is_revoked,
		.ctx = build,
	};
	char end[DATE_TEXT_SIZE];

	if (ending_gather(&ending) < 0)
		return -1;
	count_planned(build, &ending);
	date_format(ending.last_end, end);
	if (ending.in_force > 0)
		step_finding(build, step, "state", "CA-IN-FORCE", "BR 4.10.2",
		    "%" PRIu64 " certificate%s of the CA %s neither expired "
		    "nor revoked (the last expires %s), and nobody could "
		    "revoke what is in force any more; keep it 'retiring' "
		    "until then, or revoke it all",
		    ending.in_force, ending.in_force == 1 ? "" : "s",
		    ending.in_force == 1 ? "is" : "are",
		    ending.any_unknown ? "at an unknown time" : end);
	/* What was revoked must be findable; else a last CRL says nothing. */
	return check_last_crls(build, step, &ending);
}

static int
check_retired(
    struct build *build, const struct step *step, const struct key_view *key)
{
	AUTO_STRUCT(ca_names) names = { 0 };
	AUTO_CHARS(spki) = sha256_hex(key->spki, key->spki_len);

	if (spki == NULL || ca_names_find(build->journal, spki, &names) < 0)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		if (check_ending(build, step, names.dns[i], spki) < 0)
			return -1;
	return 0;
}

/* ---- building --------------------------------------------------------- */

/* The one that takes over must itself be able to. */
static int
check_successor(struct build *build, const struct step *step)
{
	const struct ca_state_params *p = step->params;
	AUTO_STRUCT(key_view) view = { 0 };
	enum ca_state state = CA_ACTIVE;

	if (p->successor == NULL)
		return 0;
	if (strcmp(p->successor, p->key) == 0) {
		step_finding(build, step, "successor", "CA-SUCCESSOR", NULL,
		    "a CA cannot be its own successor");
		return 0;
	}
	if (build_key(build, step, "successor", p->successor, "ca", &view) <
		0 ||
	    build_ca_state(build, p->successor, &state) < 0)
		return -1;
	if (view.found && state != CA_ACTIVE)
		step_finding(build, step, "successor", "CA-STATE", NULL,
		    "the CA of key '%s' is %s: %s", p->successor,
		    ca_state_name(state), issuer_refusal(state));
	return 0;
}

static int
add_act(struct build *build, const struct step *step)
{
	const struct ca_state_params *p = step->params;
	struct built_act act = { .entry = ENTRY_STATE, .step = step };

	act.kind = text_copy(step->kind->name);
	act.data = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "subject", "ca",
	    "state", p->state, "key", p->key, "why", p->why, "successor",
	    p->successor);
	act.summary = p->successor == NULL
	    ? text_printf("the CA of key '%s' becomes %s", p->key, p->state)
	    : text_printf("the CA of key '%s' becomes %s, with key '%s' as its "
			  "successor",
		  p->key, p->state, p->successor);
	return build_add_act(build, &act);
}

/* By an earlier part of this run. */
static int
is_done(struct build *build, const struct step *step, enum ca_state wanted,
    bool *ret_done)
{
	const struct ca_state_params *p = step->params;
	enum ca_state state = CA_ACTIVE;
	bool said = false;

	if (step_journalled(build, ENTRY_STATE, &said) < 0 ||
	    build_ca_state(build, p->key, &state) < 0)
		return -1;
	*ret_done = said && state >= wanted;
	return 0;
}

static int
build(struct build *build, const struct step *step)
{
	const struct ca_state_params *p = step->params;
	AUTO_STRUCT(key_view) key = { 0 };
	enum ca_state wanted, state = CA_ACTIVE;
	size_t errors = build->findings->errors;
	bool done = false;

	if (state_by_name(p->state, &wanted) < 0)
		return -1; /* check() has had it pass */
	if (is_done(build, step, wanted, &done) < 0)
		return -1;
	if (done)
		return 0;
	if (build_key(build, step, "key", p->key, "ca", &key) < 0 ||
	    build_ca_state(build, p->key, &state) < 0)
		return -1;
	if (!key.found)
		return 0;
	if (state >= wanted)
		step_finding(build, step, "state", "CA-STATE", NULL,
		    "the CA of key '%s' is %s already", p->key,
		    ca_state_name(state));
	if (check_successor(build, step) < 0 ||
	    (wanted == CA_RETIRED && check_retired(build, step, &key) < 0))
		return -1;
	return build->findings->errors > errors ? 0 : add_act(build, step);
}

const struct step_kind step_ca_state = {
	.name = "ca-state",
	.params_offset = offsetof(struct step_params, ca_state),
	.check = check,
	.describe = describe,
	.build = build,
};
