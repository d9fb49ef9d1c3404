/* What a ruleset says of a compiled profile: the matrix, then its values. */
#include "profiles/judge.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/yaml.h"

/* What the judging functions share. */
struct judge {
	const struct profile *profile;
	struct yaml *doc;
	struct findings *findings;
	unsigned subjects;
};

/* ---- what the files of rules share ------------------------------------ */

bool
judge_has_slot(const struct profile *p, int nid)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].attribute->nid == nid)
			return true;
	return false;
}

bool
judge_requires(const struct profile *p, int nid)
{
	for (size_t i = 0; i < p->subject_count; i++)
		if (p->subject[i].attribute->nid == nid &&
		    p->subject[i].required)
			return true;
	return false;
}

bool
judge_has_family(const struct profile *p, enum key_family family)
{
	for (size_t i = 0; i < p->key_count; i++)
		if (p->keys[i]->family == family)
			return true;
	return false;
}

bool
judge_max_days(const struct profile *p, int days)
{
	return p->validity_max <= (int64_t)days * DAY_SECONDS;
}

/* One of four types, a dot, and one of three generations (SBR 7.1.6.1). */
static bool
is_smime_policy(const char *oid)
{
	static const char arc[] = "2.23.140.1.5.";
	const char *rest = oid + strlen(arc);

	return strncmp(oid, arc, strlen(arc)) == 0 && strlen(rest) == 3 &&
	    strchr("1234", rest[0]) != NULL && rest[1] == '.' &&
	    strchr("123", rest[2]) != NULL;
}

/* rules.md, section 7.5 */
static bool
is_reserved(const ASN1_OBJECT *policy, enum reserved kind)
{
	static const char *const tls[] = { "2.23.140.1.1", "2.23.140.1.2.1",
		"2.23.140.1.2.2", "2.23.140.1.2.3" };
	char text[128];

	if (OBJ_obj2txt(text, sizeof text, policy, 1) <= 0)
		return false;
	if (kind == RESERVED_SMIME)
		return is_smime_policy(text);
	for (size_t i = 0; i < sizeof tls / sizeof tls[0]; i++)
		if (strcmp(text, tls[i]) == 0)
			return true;
	return false;
}

size_t
judge_reserved(const struct profile *p, enum reserved kind)
{
	size_t count = 0;

	for (size_t i = 0; i < p->policies.count; i++)
		count += is_reserved(p->policies.objects[i], kind);
	return count;
}

bool
judge_first_is_reserved(const struct profile *p, enum reserved kind)
{
	return p->policies.count > 0 &&
	    is_reserved(p->policies.objects[0], kind);
}

/* ---- judging ---------------------------------------------------------- */

static bool
binds(const struct profile *p, const struct rule *rule, enum reach reach)
{
	const bool public = p->ruleset > RULESET_PRIVATE;

	return (rule->rulesets & profile_rulesets(p)) != 0 ||
	    reach == REACH_ALWAYS ||
	    (reach == REACH_PRIVATE && p->ruleset != RULESET_RFC5280) ||
	    (reach == REACH_PUBLIC && public);
}

static bool
is_absolute(const struct rule *rule)
{
	return rule->level == RULE_MUST || rule->level == RULE_MUSTNOT;
}

/*
 * Broken: what binds is an error, unless it is acknowledged; what does not
 * bind here is a warning or nothing.
 */
static void
complain(const struct judge *j, const struct rule *rule, enum reach reach,
    bool hard, const char *path, const char *text)
{
	const char *place = yaml_place(j->doc, "%s", path);
	const char *reason;
	bool soft = !hard && !is_absolute(rule);

	if (!binds(j->profile, rule, reach)) {
		if (reach == REACH_ADVICE || reach == REACH_PRIVATE)
			findings_add(j->findings, FINDING_WARNING, rule->id,
			    place, rule->source, "%s", text);
	} else if (soft &&
	    profile_acknowledges(j->profile, rule->id, &reason)) {
		findings_add(j->findings, FINDING_NOTICE, rule->id, place,
		    rule->source, "%s; acknowledged: %s", text, reason);
	} else {
		findings_add(j->findings, FINDING_ERROR, rule->id, place,
		    rule->source, "%s%s", text,
		    soft ? "; mend it, or give a reason in allow-lint" : "");
	}
}

static bool
applies(const struct judge *j, const struct rule *rule, unsigned subjects)
{
	return ((subjects != 0 ? subjects : rule->subjects) & j->subjects) != 0;
}

static void
judge_forbidden(const struct judge *j)
{
	const struct profile *p = j->profile;

	for (size_t i = 0; i < EXT_COUNT; i++) {
		const char *id =
		    extension_forbidden(p->kind, (enum extension_id)i);
		const struct rule *rule;
		char text[128], path[64];

		if (!p->has[i] || id == NULL)
			continue;
		rule = rule_by_id(id);
		(void)snprintf(text, sizeof text,
		    "extension %s may not be there in a profile of kind %s",
		    extensions[i].key, profile_kind_name(p->kind));
		(void)snprintf(
		    path, sizeof path, "extensions.%s", extensions[i].key);
		findings_add(j->findings, FINDING_ERROR, id,
		    yaml_place(j->doc, "%s", path),
		    rule != NULL ? rule->source : "", "%s", text);
	}
}

static void
judge_extension(const struct judge *j, const struct extension_rule *row)
{
	const struct rule *rule = rule_by_id(row->id);
	const char *key = extensions[row->extension].key;
	const char *modal;
	char text[128], path[64];

	if (rule == NULL || !applies(j, rule, row->subjects) ||
	    j->profile->has[row->extension] == row->wanted)
		return;
	modal = is_absolute(rule) ? "must" : "should";
	(void)snprintf(text, sizeof text, "extension %s %s%s be there", key,
	    modal, row->wanted ? "" : " not");
	(void)snprintf(path, sizeof path, "extensions.%s", key);
	complain(j, rule, row->reach, false, path, text);
}

static void
judge_values(const struct judge *j, const struct value_rules *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct value_rule *row = &table->rows[i];
		const struct rule *rule = rule_by_id(row->id);

		if (rule != NULL && applies(j, rule, row->subjects) &&
		    row->broken(j->profile))
			complain(j, rule, row->reach, row->hard, row->path,
			    row->text);
	}
}

/* A CA for mail or code is also one that is not for TLS (BR 7.1.2.3). */
static unsigned
judged_subjects(const struct profile *p)
{
	unsigned subjects = profile_subjects(p);

	if ((subjects & (FOR_SMIMECA | FOR_CSCA)) != 0)
		subjects |= FOR_NONTLS;
	return subjects;
}

void
profile_judge(
    const struct profile *profile, struct yaml *doc, struct findings *findings)
{
	const struct judge j = { profile, doc, findings,
		judged_subjects(profile) };
	const struct extension_rule *row;

	judge_forbidden(&j);
	for (size_t i = 0; (row = extension_rule_at(i)) != NULL; i++)
		judge_extension(&j, row);
	judge_values(&j, &judge_ca);
	judge_values(&j, &judge_leaf);
	judge_values(&j, &judge_status);
}
