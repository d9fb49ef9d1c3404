/*
 * Partitions: a certificate's is fixed when it is issued, by the URL in it
 * (CRL-UNION; RFC 5280, section 5.2.5).  That every certificate that is revoked
 * is in exactly one of them is shown by counting: scopes that do not overlap,
 * and together hold as many as there are.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/crl-private.h"

enum { SERIALS_SHOWN = 20 };

/* A CRL that the plan makes, or that is in force. */
struct part {
	struct crl_scope scope;
	char *name;
	bool planned;
};

struct parts {
	struct crl_making *m;
	struct part *rows;
	size_t count;
	bool full;                            /* one of them has everything */
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
add_part(struct parts *parts, const char *name, const char *url,
    const char *only, bool planned)
{
	struct part *rows =
	    realloc(parts->rows, (parts->count + 1) * sizeof(*rows));
	struct part part = { .planned = planned };

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for partitions");
	parts->rows = rows;
	if (url == NULL) {
		parts->full = true;
		return 0;
	}
	part.name = text_copy(name);
	part.scope.url = text_copy(url);
	part.scope.only_ca = only != NULL && strcmp(only, "ca") == 0;
	part.scope.only_user = only != NULL && strcmp(only, "user") == 0;
	rows[parts->count++] = part;
	return part.name == NULL || part.scope.url == NULL ? -1 : 0;
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

static int
add_planned(struct parts *parts)
{
	const struct build *build = parts->m->build;

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];

		if (is_of_issuer(o, parts->m->issuer.dn) &&
		    add_part(parts, o->name, fact(o, "distribution_url"),
			fact(o, "only"), true) < 0)
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

static bool
has_url(const struct parts *parts, const char *url)
{
	for (size_t i = 0; i < parts->count; i++)
		if (strcmp(parts->rows[i].scope.url, url) == 0)
			return true;
	return false;
}

/*
 * A partition that is not made anew stays, as long as its CRL is in force.  Of
 * CRLs with one URL those of the plan count.
 */
static int
visit_crl(void *ctx, const struct object_row *row)
{
	struct parts *parts = ctx;
	const struct crl_making *m = parts->m;

	if (row->state != OBJECT_SIGNED || row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, m->issuer.dn) != 0 ||
	    row->until < m->build->now)
		return 0;
	if (row->crl_url != NULL && has_url(parts, row->crl_url))
		return 0;
	return add_part(parts, row->name, row->crl_url, NULL, false);
}

/* ---- counting ----------------------------------------------------------- */

static int
count_in(const struct parts *parts, const struct crl_scope *scope,
    uint64_t *ret_count)
{
	const struct crl_selection selection = {
		.issuer_dn = parts->m->issuer.dn,
		.url = scope->url,
		.only_ca = scope->only_ca,
		.only_user = scope->only_user,
	};
	struct crl_totals totals = { 0 };

	if (journal_crl_totals(parts->m->build->journal, &selection, &totals) <
	    0)
		return -1;
	*ret_count = totals.entries;
	return 0;
}

static int
is_complete(const struct parts *parts, bool *ret_complete)
{
	static const struct crl_scope all = { 0 };
	uint64_t total = 0, together = 0;

	if (count_in(parts, &all, &total) < 0)
		return -1;
	for (size_t i = 0; i < parts->count; i++) {
		uint64_t count = 0;

		if (count_in(parts, &parts->rows[i].scope, &count) < 0)
			return -1;
		together += count;
	}
	*ret_complete = together == total;
	return 0;
}

/* ---- where they do not agree -------------------------------------------- */

static int
place(const struct parts *parts, const char *serial, size_t *ret_in,
    enum scope_verdict *ret_verdict)
{
	const struct crl_making *m = parts->m;

	*ret_in = 0;
	for (size_t i = 0; i < parts->count; i++) {
		if (crl_scope_judge(m->build->journal, &parts->rows[i].scope,
			m->issuer.dn, serial, ret_verdict) < 0)
			return -1;
		*ret_in += *ret_verdict == SCOPE_HOLDS;
	}
	return 0;
}

static int
name_misplaced(void *ctx, const struct revocation_row *row)
{
	struct parts *parts = ctx;
	struct crl_making *m = parts->m;
	enum scope_verdict verdict = SCOPE_UNKNOWN;
	size_t in = 0;

	if (place(parts, row->serial, &in, &verdict) < 0)
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
	} else if (parts->elsewhere++ < SERIALS_SHOWN) {
		step_finding(m->build, m->step, "url", "PARTITION-INCOMPLETE",
		    "BR 4.9.7",
		    "serial %s is revoked, and neither this plan nor a CRL in "
		    "force has the partition that its certificate names; make "
		    "the CRLs of all partitions",
		    row->serial);
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
	bool complete = false;

	if (!is_last_step(m))
		return 0;
	if (add_planned(&parts) < 0)
		return -1;
	check_disjoint(&parts);
	/* All full, or with a full one: nothing is left over. */
	if (parts.count == 0 || parts.full)
		return 0;
	if (journal_each_object(
		m->build->journal, NULL, "crl", visit_crl, &parts) < 0)
		return -1;
	if (!parts.full && is_complete(&parts, &complete) < 0)
		return -1;
	if (!parts.full && !complete &&
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

	if (profile_covers(m->profile) == COVERS_USER)
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
