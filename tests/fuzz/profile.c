/*
 * Profiles: refused with what is wrong, or every question about them has an
 * answer, and their description in words is the same each time.
 */
#include "profiles/profile.h"

#include <string.h>

#include "base/error.h"
#include "fuzz.h"
#include "profiles/describe.h"
#include "profiles/rules/rule.h"

static void
check_slots(const struct profile *profile)
{
	struct profile_attribute attribute;
	const char *id, *why, *found;

	for (size_t i = 0; profile_attribute(profile, i, &attribute); i++)
		HOLDS(attribute.name[0] != '\0');
	for (size_t i = 0; profile_acknowledgement(profile, i, &id, &why);
	     i++) {
		HOLDS(rule_by_id(id) != NULL && why[0] != '\0');
		HOLDS(profile_acknowledges(profile, id, &found));
	}
	HOLDS(!profile_acknowledges(profile, "NO-SUCH-RULE", NULL));
}

static void
check_answers(const struct profile *profile)
{
	const unsigned rulesets = profile_rulesets(profile);

	HOLDS(profile_id(profile) != NULL && profile_title(profile) != NULL);
	HOLDS((int)profile_kind(profile) < (int)PROFILE_KINDS);
	HOLDS(profile_kind_by_name(profile_kind_name(profile_kind(profile))) ==
	    (int)profile_kind(profile));
	HOLDS(profile_is_certificate(profile) || !profile_is_ca(profile));
	HOLDS((rulesets & RULESET_BIT(RULESET_RFC5280)) != 0);
	HOLDS(profile_subjects(profile) != 0);
	HOLDS(
	    profile_alt_types(profile) != 0 || !profile_alt_required(profile));
	HOLDS(profile_validity_default(profile) > 0);
	HOLDS(
	    profile_validity_default(profile) <= profile_validity_max(profile));
	for (int url = 0; url < PROFILE_URLS; url++)
		(void)profile_needs_url(profile, (enum profile_url)url);
	(void)profile_needs_distribution_url(profile);
	(void)profile_signs_ocsp(profile);
	(void)profile_covers(profile);
}

static void
check_description(const struct profile *profile)
{
	AUTO_STRUCT(description) one = { 0 };
	AUTO_STRUCT(description) two = { 0 };

	HOLDS(profile_describe(profile, &one) == 0);
	HOLDS(profile_describe(profile, &two) == 0);
	HOLDS(one.count > 0 && one.count == two.count);
	for (size_t i = 0; i < one.count; i++) {
		HOLDS(strcmp(one.rows[i].key, two.rows[i].key) == 0);
		HOLDS(strcmp(one.rows[i].text, two.rows[i].text) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = NULL;

	if (profile_load("x", data, size, &findings, &profile) != 0) {
		HOLDS(profile == NULL && findings.errors > 0);
		HOLDS(ca_error_reason() == CA_R_INPUT);
		ca_error_clear();
		return 0;
	}
	HOLDS(findings.errors == 0);
	check_slots(profile);
	check_answers(profile);
	check_description(profile);
	HOLDS(ca_error_reason() == 0);
	return 0;
}
