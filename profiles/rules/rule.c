#include "profiles/rules/rule.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct rule rules[] = {
#include "profiles/rules/rules.inc"
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

const struct rule *
rule_at(size_t i)
{
	return i < RULE_COUNT ? &rules[i] : NULL;
}

/* The rules by id, made once. */
static const struct rule *sorted[RULE_COUNT];
static pthread_once_t sorted_once = PTHREAD_ONCE_INIT;

static int
compare_rules(const void *a, const void *b)
{
	const struct rule *const *left = a, *const *right = b;

	return strcmp((*left)->id, (*right)->id);
}

static void
sort_rules(void)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		sorted[i] = &rules[i];
	qsort(sorted, RULE_COUNT, sizeof *sorted, compare_rules);
}

static int
compare_id(const void *id, const void *row)
{
	const struct rule *const *rule = row;

	return strcmp(id, (*rule)->id);
}

const struct rule *
rule_by_id(const char *id)
{
	const struct rule *const *found;

	(void)pthread_once(&sorted_once, sort_rules);
	found = bsearch(id, sorted, RULE_COUNT, sizeof *sorted, compare_id);
	return found != NULL ? *found : NULL;
}

const char *
rule_level_name(enum rule_level level)
{
	static const char *const names[] = {
		[RULE_MUST] = "MUST",
		[RULE_MUSTNOT] = "MUST NOT",
		[RULE_SHOULD] = "SHOULD",
		[RULE_SHOULDNOT] = "SHOULD NOT",
		[RULE_MAY] = "MAY",
		[RULE_TOOL] = "TOOL",
	};

	return names[level];
}

static const char *const ruleset_names[RULESET_COUNT] = {
	[RULESET_RFC5280] = "rfc5280",
	[RULESET_PRIVATE] = "private",
	[RULESET_CABF_TLS] = "cabf-tls",
	[RULESET_CABF_SMIME] = "cabf-smime",
	[RULESET_CABF_CS] = "cabf-cs",
};

const char *
ruleset_name(enum ruleset ruleset)
{
	return ruleset_names[ruleset];
}

int
ruleset_by_name(const char *name)
{
	for (int i = 0; i < RULESET_COUNT; i++)
		if (strcmp(ruleset_names[i], name) == 0)
			return i;
	return -1;
}

/* The words of one subject first, so that a bit finds its own. */
static const struct {
	const char *name;
	unsigned bits;
} subjects[] = {
	{ "root", FOR_ROOT },
	{ "tlssub", FOR_TLSSUB },
	{ "tcsub", FOR_TCSUB },
	{ "nontls", FOR_NONTLS },
	{ "smimeca", FOR_SMIMECA },
	{ "csca", FOR_CSCA },
	{ "cross", FOR_CROSS },
	{ "ocspcert", FOR_OCSPCERT },
	{ "leaf", FOR_LEAF },
	{ "precert", FOR_PRECERT },
	{ "smime", FOR_SMIME },
	{ "cs", FOR_CS },
	{ "crl", FOR_CRL },
	{ "crl-ee", FOR_CRL_EE },
	{ "crl-ca", FOR_CRL_CA },
	{ "ocsp", FOR_OCSP },
	{ "csr", FOR_CSR },
	{ "key", FOR_KEY },
	{ "ops", FOR_OPS },
	{ "log", FOR_LOG },
	{ "sub", FOR_SUB },
	{ "ca", FOR_CA },
	{ "any", FOR_CERTIFICATE },
};
enum { SUBJECT_COUNT = sizeof subjects / sizeof *subjects };

const char *
rule_subject_name(unsigned bit)
{
	for (size_t i = 0; i < SUBJECT_COUNT; i++)
		if (subjects[i].bits == bit)
			return subjects[i].name;
	return NULL;
}

unsigned
rule_subject_by_name(const char *name)
{
	for (size_t i = 0; i < SUBJECT_COUNT; i++)
		if (strcmp(subjects[i].name, name) == 0)
			return subjects[i].bits;
	return 0;
}
