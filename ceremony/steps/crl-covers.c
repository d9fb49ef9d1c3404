/*
 * Whom a CRL is about, beside whom its issuer issued to.  A profile for CAs lets
 * a CRL stand for a year, of which nobody who asks about an end entity should be
 * told: ten days are the most there (CRL-NEXTUPDATE-EE; BR 7.2).
 */
#include <string.h>

#include "base/error.h"
#include "ceremony/steps/crl-private.h"
#include "profiles/rules/rule.h"

bool
crl_may_hold_users(const struct profile *profile, const struct crl_scope *scope)
{
	return profile_covers(profile) == COVERS_CA && !scope->only_ca;
}

bool
crl_is_public(const struct profile *profile)
{
	const unsigned own =
	    RULESET_BIT(RULESET_RFC5280) | RULESET_BIT(RULESET_PRIVATE);

	return (profile_rulesets(profile) & ~own) != 0;
}

int
crl_has_users(struct journal *journal, const struct crl_scope *scope,
    const X509 *issuer, const char *issuer_dn, int64_t at, bool *ret_found)
{
	const struct users_filter filter = {
		.issuer_dn = issuer_dn,
		.url = scope->url,
		.at = at,
		/* What a root issued is a CA, where nobody says otherwise. */
		.unknown = X509_NAME_cmp(X509_get_subject_name(issuer),
			       X509_get_issuer_name(issuer)) != 0,
	};

	return journal_has_users(journal, &filter, ret_found);
}

static bool
is_fact(const struct built_object *o, const char *member, const char *value)
{
	const char *text = json_string_value(json_object_get(o->facts, member));

	return text != NULL && strcmp(text, value) == 0;
}

/* Does this plan issue to one? */
static bool
plans_users(const struct crl_making *m)
{
	for (size_t i = 0; i < m->build->object_count; i++) {
		const struct built_object *o = &m->build->objects[i];

		if (o->kind == OBJECT_CERTIFICATE && o->profile != NULL &&
		    profile_kind(o->profile) == PROFILE_END_ENTITY &&
		    is_fact(o, "issuer_dn", m->issuer.dn) &&
		    (m->scope.url == NULL ||
			is_fact(o, "crl_url", m->scope.url)))
			return true;
	}
	return false;
}

int
crl_check_covers(const struct crl_making *m)
{
	bool found = false;

	if (!crl_may_hold_users(m->profile, &m->scope))
		return 0;
	if (crl_has_users(m->build->journal, &m->scope, m->issuer.certificate,
		m->issuer.dn, m->build->now, &found) < 0)
		return -1;
	if (found || plans_users(m))
		findings_add(m->build->findings,
		    crl_is_public(m->profile) ? FINDING_ERROR : FINDING_WARNING,
		    "CRL-COVERS", step_place(m->step, "profile"), "BR 7.2",
		    "'%s' issues to end entities, and profile '%s' is for CRLs "
		    "about CAs, which last longer; take one that covers end "
		    "entities ('covers: user', as in %s)",
		    m->params->issuer, m->params->profile,
		    crl_is_public(m->profile) ? "crl-user-public" : "crl-user");
	return 0;
}
