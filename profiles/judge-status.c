/*
 * Rules about the values of profiles of CRLs and OCSP responses: rules.md,
 * sections 8 and 9.
 */
#include "base/date.h"
#include "profiles/judge.h"

enum {
	CA_MAX_DAYS = 365, /* "12 months" in every reading */
	USER_MAX_DAYS = 10,
	RESPONSE_MIN_SECONDS = 8 * 3600,
};

static bool
ca_crl_too_long(const struct profile *p)
{
	return !judge_max_days(p, CA_MAX_DAYS);
}

static bool
user_crl_too_long(const struct profile *p)
{
	return !judge_max_days(p, USER_MAX_DAYS);
}

static bool
ca_response_too_long(const struct profile *p)
{
	return p->covers == COVERS_CA && !judge_max_days(p, CA_MAX_DAYS);
}

/* nextUpdate - thisUpdate is a second less than the validity. */
static bool
user_response_is_wrong(const struct profile *p)
{
	const int64_t least = p->validity_min != 0 ? p->validity_min : 1;

	return p->covers == COVERS_USER &&
	    (!judge_max_days(p, USER_MAX_DAYS) ||
		least <= RESPONSE_MIN_SECONDS);
}

static const struct value_rule rows[] = {
	{ "CRL-NEXTUPDATE-CA", REACH_PRIVATE, 0, "validity.max",
	    "a CA's CRL may be valid for 365 days at most", ca_crl_too_long,
	    false },
	{ "CRL-NEXTUPDATE-EE", REACH_OWN, 0, "validity.max",
	    "a CRL about end entities may be valid for 10 days at most",
	    user_crl_too_long, false },
	{ "OCS-INTERVAL-CA", REACH_PRIVATE, 0, "validity.max",
	    "a response about a CA may be valid for 365 days at most",
	    ca_response_too_long, false },
	{ "OCS-INTERVAL-EE", REACH_OWN, 0, "validity",
	    "a response about an end entity is valid for more than 8 hours "
	    "(min) and 10 days at most",
	    user_response_is_wrong, false },
};

const struct value_rules judge_status = VALUE_RULES(rows);
