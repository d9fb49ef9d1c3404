/*
 * Partitions: a certificate's is fixed when it is issued, by the URL in it
 * (CRL-UNION; RFC 5280, section 5.2.5).  Every certificate that is revoked is in
 * exactly one of those that the plan makes, or on a CRL in force that was made
 * behind its revocation.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/crl-private.h"

enum { SERIALS_SHOWN = 20 };

/*
 * A CRL that the plan makes; or certificates that such a CRL does not have, with
 * the newest one in force that has them.
 */
struct part {
	struct crl_scope scope;
	char *name;   /* NULL: not of the plan */
	uint64_t seq; /* of that CRL's intent; 0: there is none */
};

struct parts {
	struct crl_making *m;
	struct part *rows;
	size_t count;
	bool full;         /* one of the plan has everything */
	uint64_t full_seq; /* of the newest full one in force; or 0 */
	bool complete;
	uint64_t unknown, nowhere, elsewhere; /* that are in none */
};

static void
parts_clear(struct parts *parts)
{
	for (size_t i = 0; i < parts->count; i++) {
		crl_scope_clear(&parts->rows[i].scope);
		free(parts->rows[i].name);
	}
	free(parts->rows);
}
CLEANUP_DEFINE_STRUCT(parts);

static int
add_part(struct parts *parts, const char *name, const char *url, bool only_ca,
    bool only_user, uint64_t seq)
{
	struct part *rows =
	    realloc(parts->rows, (parts->count + 1) * sizeof(*rows));
	struct part part = { .scope = { NULL, only_ca, only_user },
		.seq = seq };

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for partitions");
	parts->rows = rows;
	if (name != NULL)
		part.name = text_copy(name);
	part.scope.url = text_copy(url);
	rows[parts->count++] = part;
	return (name != NULL && part.name == NULL) || part.scope.url == NULL
	    ? -1
	    : 0;
}

/* ---- those of the plan -------------------------------------------------- */

static const char *
fact(const struct built_object *object, const char *member)
{
	return json_string_value(json_object_get(object->facts, member));
}

static bool
is_of_issuer(const struct built_object *object, const char *dn)
{
	const char *other = fact(object, "issuer_dn");

	return object->kind == OBJECT_CRL && other != NULL &&
	    strcmp(other, dn) == 0;
}

static bool
is_only(const struct built_object *object, const char *whom)
{
	const char *only = fact(object, "only");

	return only != NULL && strcmp(only, whom) == 0;
}

static int
add_planned(struct parts *parts)
{
	const struct build *build = parts->m->build;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *url = fact(o, "distribution_url");

		if (!is_of_issuer(o, parts->m->issuer.dn))
			continue;
		if (url == NULL)
			parts->full = true;
		else if (add_part(parts, o->name, url, is_only(o, "ca"),
			     is_only(o, "user"), 0) < 0)
			return -1;
	}
	return 0;
}

static void
check_disjoint(const struct parts *parts)
{
	for (size_t i = 1; i < parts->count; i++)
		for (size_t k = 0; k < i; k++)
			if (crl_scope_overlap(
				&parts->rows[i].scope, &parts->rows[k].scope))
				step_finding(parts->m->build, parts->m->step,
				    "url", "PARTITION-OVERLAP",
				    "RFC 5280, section 5.2.5",
				    "CRLs '%s' and '%s' of one plan are about "
				    "the same certificates",
				    parts->rows[k].name, parts->rows[i].name);
}

/* ---- those in force ----------------------------------------------------- */

/* Has a CRL of the plan what has this URL and is of this kind? */
static bool
is_planned(const struct parts *parts, const char *url, int ca)
{
	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->rows[i];

		if (part->name != NULL && strcmp(part->scope.url, url) == 0 &&
		    (ca == 1 || !part->scope.only_ca) &&
		    (ca == 0 || !part->scope.only_user))
			return true;
	}
	return false;
}

/* The newest one in force that has such certificates; 0: there is none. */
static int
newest_in_force(const struct parts *parts, const struct revoked_part *part,
    uint64_t *ret_seq)
{
	const struct build *build = parts->m->build;
	uint64_t seq = 0;
	int64_t until = 0;
	bool found = false;

	if (journal_crl_last_of(build->journal, parts->m->issuer.dn, part,
		&found, &seq, &until) < 0)
		return -1;
	*ret_seq = found && until >= build->now ? seq : 0;
	return 0;
}

/* One that is older than what was revoked since does not have that. */
static int
visit_part(void *ctx, const struct revoked_part *row)
{
	struct parts *parts = ctx;
	uint64_t seq = 0;

	if (row->url != NULL && is_planned(parts, row->url, row->ca))
		return 0;
	if (newest_in_force(parts, row, &seq) < 0)
		return -1;
	if (seq < row->seq)
		parts->complete = false;
	return row->url == NULL
	    ? 0
	    : add_part(parts, NULL, row->url, row->ca == 1, row->ca == 0, seq);
}

static int
gather_revoked(struct parts *parts)
{
	static const struct revoked_part all = { .ca = -1 };

	parts->complete = true;
	if (newest_in_force(parts, &all, &parts->full_seq) < 0)
		return -1;
	return journal_each_revoked_part(
	    parts->m->build->journal, parts->m->issuer.dn, visit_part, parts);
}

/* ---- where they do not agree -------------------------------------------- */

/* How many of the plan have it; where it is none, those in force are asked. */
static int
place(const struct parts *parts, const char *serial, uint64_t seq,
    size_t *ret_in, enum scope_verdict *ret_verdict)
{
	const struct crl_making *m = parts->m;
	size_t in[2] = { 0 }; /* in force, of the plan */

	for (size_t i = 0; i < parts->count; i++) {
		const struct part *part = &parts->rows[i];

		if (crl_scope_judge(m->build->journal, &part->scope,
			m->issuer.dn, serial, ret_verdict) < 0)
			return -1;
		in[part->name != NULL] += *ret_verdict == SCOPE_HOLDS &&
		    (part->name != NULL || part->seq > seq);
	}
	*ret_in = in[1];
	if (in[1] == 0 && (in[0] > 0 || parts->full_seq > seq))
		*ret_in = 1;
	return 0;
}

static void
say_elsewhere(struct parts *parts, const char *serial)
{
	if (parts->elsewhere++ < SERIALS_SHOWN)
		step_finding(parts->m->build, parts->m->step, "url",
		    "PARTITION-INCOMPLETE", "BR 4.9.7",
		    "serial %s is revoked, and neither this plan nor a CRL in "
		    "force that was made behind its revocation has the "
		    "partition that its certificate names; make the CRLs of "
		    "all partitions",
		    serial);
}

static int
name_misplaced(void *ctx, const struct revocation_row *row)
{
	struct parts *parts = ctx;
	struct crl_making *m = parts->m;
	enum scope_verdict verdict = SCOPE_UNKNOWN;
	size_t in = 0;

	if (place(parts, row->serial, row->seq, &in, &verdict) < 0)
		return -1;
	if (in == 1)
		return 0;
	if (in > 1) {
		step_finding(m->build, m->step, "url", "PARTITION-OVERLAP",
		    "RFC 5280, section 5.2.5", "serial %s is in %zu partitions",
		    row->serial, in);
	} else if (verdict == SCOPE_NOWHERE) {
		parts->nowhere++;
	} else if (verdict == SCOPE_UNKNOWN) {
		if (parts->unknown++ < SERIALS_SHOWN)
			step_finding(m->build, m->step, "url", "CRL-UNION",
			    "BR 4.9.7",
			    "serial %s is revoked, and the journal does not "
			    "know the certificate: nobody can say whether it "
			    "is in the scope of this CRL; make a full one",
			    row->serial);
	} else {
		say_elsewhere(parts, row->serial);
	}
	return 0;
}

/* ---- what the plan revokes ---------------------------------------------- */

/* Which nobody can place is told by each CRL (crl_find_planned()). */
static int
name_planned(struct parts *parts, const struct planned_revocation *planned)
{
	const struct crl_making *m = parts->m;
	AUTO_CHARS(serial) = text_hex(planned->serial, planned->serial_len);
	AUTO_STRUCT(object_row) row = { 0 };
	enum scope_verdict verdict = SCOPE_UNKNOWN;
	bool found = false;
	size_t in = 0;

	if (serial == NULL ||
	    journal_certificate_by_serial(
		m->build->journal, m->issuer.dn, serial, &found, &row) < 0)
		return -1;
	if (found && row.crl_url != NULL) {
		if (!is_planned(parts, row.crl_url, row.ca))
			say_elsewhere(parts, serial);
		return 0;
	}
	/* Nothing in force is behind what is only planned. */
	if (place(parts, serial, UINT64_MAX, &in, &verdict) < 0)
		return -1;
	if (in == 0 && (verdict == SCOPE_LACKS || verdict == SCOPE_HOLDS))
		say_elsewhere(parts, serial);
	return 0;
}

static int
check_planned(struct parts *parts)
{
	const struct build *build = parts->m->build;

	for (size_t i = 0; i < build->act_count; i++) {
		const struct built_act *act = &build->acts[i];
		const char *dn =
		    json_string_value(json_object_get(act->data, "issuer_dn"));

		if (dn == NULL || strcmp(dn, parts->m->issuer.dn) != 0)
			continue;
		for (size_t k = 0; k < act->revoked_count; k++)
			if (name_planned(parts, &act->revoked[k]) < 0)
				return -1;
	}
	return 0;
}

void
crl_warn_nowhere(const struct crl_making *m, uint64_t count)
{
	if (count > 0)
		findings_add(m->build->findings, FINDING_WARNING, "CRL-UNION",
		    step_place(m->step, "url"), "BR 4.9.7",
		    "%" PRIu64 " certificates that are revoked name no CRL, so "
		    "they are in no partition: only a full CRL has them",
		    count);
}

/* Does a later step make another CRL of this issuer? */
static bool
is_last_step(const struct crl_making *m)
{
	const struct step *first = m->step - m->step->index;

	for (size_t i = m->step->index + 1; i < m->step->plan->steps_count;
	     i++) {
		const struct crl_params *p = first[i].params;

		if (first[i].kind == &step_crl &&
		    strcmp(p->issuer, m->params->issuer) == 0)
			return false;
	}
	return true;
}

int
crl_check_partitions(struct crl_making *m)
{
	AUTO_STRUCT(parts) parts = { .m = m };

	if (!is_last_step(m))
		return 0;
	if (add_planned(&parts) < 0)
		return -1;
	check_disjoint(&parts);
	/* All full, or with a full one: nothing is left over. */
	if (parts.count == 0 || parts.full)
		return 0;
	if (gather_revoked(&parts) < 0 || check_planned(&parts) < 0)
		return -1;
	if (!parts.complete &&
	    journal_each_revocation(
		m->build->journal, m->issuer.dn, name_misplaced, &parts) < 0)
		return -1;
	crl_warn_nowhere(m, parts.nowhere);
	return 0;
}

/* ---- reasons ------------------------------------------------------------ */

int
crl_check_reasons(struct crl_making *m)
{
	struct crl_selection selection = crl_select(m);
	struct crl_totals totals = { 0 };

	/* A full one has them, whomever its profile is for. */
	if (m->scope.only_user)
		return 0;
	selection.only_ca = true;
	selection.only_user = false;
	if (journal_crl_totals(m->build->journal, &selection, &totals) < 0)
		return -1;
	if (totals.reasons < totals.entries)
		step_finding(m->build, m->step, NULL, "CRL-REASON-CA",
		    "BR 7.2.2",
		    "%" PRIu64 " CA certificates are revoked without a reason, "
		    "which a CRL must say of them",
		    totals.entries - totals.reasons);
	return 0;
}
