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

/* One name of the CA: what it issued, and what its CRLs say. */
struct ending {
	struct build *build;
	const char *dn;   /* SHA-256 of the name, hex */
	const char *spki; /* of its key, SHA-256 hex */
	uint64_t in_force;
	int64_t last_end;    /* of all that is not expired, revoked or not */
	bool any_unknown;    /* a certificate whose end nobody knows */
	uint64_t revoked_at; /* the newest entry that revoked something */
	bool revoked;
};

/* A certificate that has not expired: is its serial revoked, too? */
static int
count_current(struct ending *ending, const char *serial, int64_t until)
{
	bool revoked = false;

	if (build_is_revoked(ending->build, ending->dn, serial, &revoked) < 0)
		return -1;
	ending->in_force += !revoked;
	if (until > ending->last_end)
		ending->last_end = until;
	return 0;
}

static int
visit_certificate(void *ctx, const struct object_row *row)
{
	struct ending *ending = ctx;

	/* Its own, self-issued: the trust in it ends elsewhere. */
	if (row->spki != NULL && strcmp(row->spki, ending->spki) == 0)
		return 0;
	return count_current(ending, row->serial, row->until);
}

static int
visit_issued(void *ctx, const struct issued_row *row)
{
	struct ending *ending = ctx;

	if (row->expires != 0 && row->expires < ending->build->now)
		return 0;
	ending->any_unknown = ending->any_unknown || row->expires == 0;
	return count_current(ending, row->serial, row->expires);
}

static int
visit_revocation(void *ctx, const struct revocation_row *row)
{
	struct ending *ending = ctx;

	ending->revoked = true;
	if (row->seq > ending->revoked_at)
		ending->revoked_at = row->seq;
	/* Of those that were issued elsewhere it is all that is known. */
	if (row->expires > ending->build->now &&
	    row->expires > ending->last_end)
		ending->last_end = row->expires;
	return 0;
}

/* Certificates of this plan are all new. */
static void
count_planned(struct ending *ending)
{
	const struct build *build = ending->build;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *dn =
		    json_string_value(json_object_get(o->facts, "issuer_dn"));
		const char *spki =
		    json_string_value(json_object_get(o->facts, "spki"));

		if (o->kind == OBJECT_CERTIFICATE && dn != NULL &&
		    strcmp(dn, ending->dn) == 0 &&
		    (spki == NULL || strcmp(spki, ending->spki) != 0) &&
		    o->from != BUILT_AND_SIGNED)
			ending->in_force++;
	}
}

static int
gather(struct ending *ending)
{
	struct build *build = ending->build;
	const struct certificate_filter filter = {
		.issuer_dn = ending->dn,
		.alive = build->now,
	};

	if (journal_each_certificate(
		build->journal, &filter, visit_certificate, ending) < 0 ||
	    journal_each_issued(
		build->journal, ending->dn, visit_issued, ending) < 0 ||
	    journal_each_revocation(
		build->journal, ending->dn, visit_revocation, ending) < 0)
		return -1;
	count_planned(ending);
	return 0;
}

/* Acts of this plan that revoke something of this issuer. */
static bool
revokes_here(const struct ending *ending)
{
	const struct build *build = ending->build;

	for (size_t i = 0; i < build->act_count; i++) {
		const struct built_act *act = &build->acts[i];
		const char *dn =
		    json_string_value(json_object_get(act->data, "issuer_dn"));

		if (act->revoked_count > 0 && dn != NULL &&
		    strcmp(dn, ending->dn) == 0)
			return true;
	}
	return false;
}

/*
 * The end of the CRL of this issuer that this plan makes, of several (for
 * partitions) the first; -1: it makes none.
 */
static int
planned_crl(const struct ending *ending, int64_t *ret_until)
{
	const struct build *build = ending->build;
	int64_t until = -1, other;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *dn =
		    json_string_value(json_object_get(o->facts, "issuer_dn"));
		const char *end =
		    json_string_value(json_object_get(o->facts, "next_update"));

		if (o->kind != OBJECT_CRL || dn == NULL || end == NULL ||
		    strcmp(dn, ending->dn) != 0)
			continue;
		if (date_parse(end, &other) < 0)
			return -1;
		if (until < 0 || other < until)
			until = other;
	}
	*ret_until = until;
	return 0;
}

/*
 * The CRL that stands when the CA is gone: it has every revocation, and lasts
 * as long as a certificate may be asked about.
 */
static int
check_last_crl(const struct step *step, const struct ending *ending)
{
	struct build *build = ending->build;
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;
	int64_t until = -1;
	char end[DATE_TEXT_SIZE];

	if (planned_crl(ending, &until) < 0)
		return -1;
	if (until < 0) {
		if (journal_crl_last(build->journal, ending->dn, &found, &row) <
		    0)
			return -1;
		if (!found || row.seq < ending->revoked_at ||
		    revokes_here(ending)) {
			step_finding(build, step, "state", "CA-LAST-CRL",
			    "RFC 5280, section 3.3",
			    "no CRL has everything that the CA revoked; sign "
			    "its last one (a crl step with 'last') before it "
			    "retires");
			return 0;
		}
		until = row.until;
	}
	/* Where an end is unknown, it lasts at least as long as those known. */
	if (until >= ending->last_end)
		return 0;
	date_format(ending->last_end, end);
	step_finding(build, step, "state", "CA-LAST-CRL",
	    "RFC 5280, section 3.3",
	    "the newest CRL ends before %s, when the last certificate of the "
	    "CA expires; sign its last one (a crl step with 'last') so that it "
	    "lasts until then",
	    end);
	return 0;
}

static int
check_ending(struct build *build, const struct step *step, const char *dn,
    const char *spki)
{
	struct ending ending = { .build = build, .dn = dn, .spki = spki };
	char end[DATE_TEXT_SIZE];

	if (gather(&ending) < 0)
		return -1;
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
	return ending.revoked || revokes_here(&ending)
	    ? check_last_crl(step, &ending)
	    : 0;
}

/* Names under which the CA's key has certificates, each once. */
struct names {
	struct build *build;
	char **dns;
	size_t count;
};

static void
names_clear(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->dns[i]);
	free(names->dns);
	*names = (struct names){ 0 };
}
CLEANUP_DEFINE_STRUCT(names);

static int
add_name(void *ctx, const struct object_row *row)
{
	struct names *names = ctx;
	char **dns;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->dns[i], row->subject_dn) == 0)
			return 0;
	dns = realloc(names->dns, (names->count + 1) * sizeof(*dns));
	if (dns == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	names->dns = dns;
	dns[names->count] = text_copy(row->subject_dn);
	if (dns[names->count] == NULL)
		return -1;
	names->count++;
	return 0;
}

static int
check_retired(
    struct build *build, const struct step *step, const struct key_view *key)
{
	AUTO_STRUCT(names) names = { .build = build };
	AUTO_CHARS(spki) = sha256_hex(key->spki, key->spki_len);
	const struct certificate_filter filter = { .spki = spki };

	if (spki == NULL ||
	    journal_each_certificate(
		build->journal, &filter, add_name, &names) < 0)
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
