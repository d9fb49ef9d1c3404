/*
 * What a ruleset says of a profile: rows by the id of the rule, whose level,
 * subjects, rulesets and source are those of profiles/rules.
 */
#ifndef CA_PROFILES_JUDGE_H
#define CA_PROFILES_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "profiles/private.h"

/* Where a rule binds beyond the rulesets that it belongs to. */
enum reach {
	REACH_OWN,     /* nowhere */
	REACH_ADVICE,  /* a warning elsewhere */
	REACH_PRIVATE, /* also in `private`; a warning in rfc5280 */
	REACH_PUBLIC,  /* in every ruleset of the CA/Browser Forum */
	REACH_ALWAYS,
};

/* May, or must, an extension be there? */
struct extension_rule {
	const char *id;
	enum extension_id extension;
	bool wanted; /* false: it should not, or must not, be there */
	enum reach reach;
	unsigned subjects; /* enum rule_subject; 0: the rule's */
};

/* A rule about values: is it broken? */
struct value_rule {
	const char *id;
	enum reach reach;
	unsigned subjects; /* enum rule_subject; 0: the rule's */
	const char *path;  /* where in the file */
	const char *text;
	bool (*broken)(const struct profile *profile);
	bool hard; /* no acknowledgement helps */
};

/* judge-extensions.c, judge-ca.c, judge-leaf.c, judge-status.c */
struct value_rules {
	const struct value_rule *rows;
	size_t count;
};
extern const struct value_rules judge_ca, judge_leaf, judge_status;
/* The purpose of CAs that signed precertificates for others (BR 7.1.2.4). */
#define PRECERT_SIGNING "1.3.6.1.4.1.11129.2.4.4"

#define VALUE_RULES(table)                               \
	{                                                \
		(table), sizeof(table) / sizeof *(table) \
	}

/* Row `i` of the matrix, or NULL behind its end. */
const struct extension_rule *extension_rule_at(size_t i);

/* The rule that forbids the extension in this kind, or NULL. */
const char *extension_forbidden(enum profile_kind kind, enum extension_id id);

/* What the files of rules share. */
bool judge_requires(const struct profile *profile, int nid);
bool judge_has_slot(const struct profile *profile, int nid);
bool judge_has_family(const struct profile *profile, enum key_family family);
/* How many of the reserved policies (rules.md 7.5) of this kind it lists. */
enum reserved { RESERVED_TLS, RESERVED_SMIME };
size_t judge_reserved(const struct profile *profile, enum reserved kind);
bool judge_first_is_reserved(const struct profile *profile, enum reserved kind);
bool judge_max_days(const struct profile *profile, int days);

#endif
