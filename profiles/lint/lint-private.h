/*
 * What a lint is, and what its check is given; for profiles/lint alone.
 *
 * A family of lints is a file with one table; table.c lists the tables.  To add
 * a lint: a function, a row, a good and a bad object in tests/lint.
 */
#ifndef CA_LINT_PRIVATE_H
#define CA_LINT_PRIVATE_H

#include "profiles/lint/lint.h"
#include "profiles/lint/object.h"

struct lint_crl_state;  /* crl-private.h */
struct lint_ocsp_state; /* ocsp-private.h */
struct lint_run;

typedef void lint_check(struct lint_run *run);

struct lint {
	const char *id;
	lint_check *check;
	/* From and until when, by the object's date; 0: always (rule.h). */
	int64_t from, until;
	/* Instead of the rule's own, where they do not say it; 0: the rule's.  */
	unsigned subjects, rulesets;
	/*
	 * Where the lint needs the issuer, the previous CRL or the existing
	 * certificate, its check is not called without it.
	 */
	unsigned needs; /* enum lint_need */
};

enum lint_need {
	NEEDS_ISSUER = 1,
	NEEDS_PREVIOUS = 2,
	NEEDS_EXISTING = 4,
	NEEDS_SIGNATURE = 8, /* not where a constant stands for it */
	NEEDS_TIME = 16,     /* context->at */
};

struct lint_table {
	const struct lint *rows;
	size_t count;
};

/* What a context may have opened; the octets are its own. */
struct lint_known {
	unsigned char *octets[2];
	struct lint_certificate *issuer, *responder; /* or NULL */
};

/* One lint over one object. */
struct lint_run {
	const struct lint *lint;
	const struct rule *rule;
	const struct lint_context *context;
	/* What the object is; FOR_KEY too where it holds a key. */
	unsigned subjects;
	unsigned rulesets; /* those it is held to */
	int64_t date;      /* the object's own: notBefore, thisUpdate, ... */
	/* The object: exactly one of the four, and for FOR_KEY the key alone. */
	const struct lint_certificate *certificate;
	const struct lint_csr *csr;
	const struct lint_crl_state *crl;
	const struct lint_ocsp_state *ocsp;
	const struct lint_key *key; /* of certificate or request, or alone */
	/* Names of certificate (subject) or request; NULL: none. */
	const struct lint_name *subject;
	const struct lint_extensions *extensions; /* of whichever it is */
	const struct lint_values *values;         /* NULL for CRL and OCSP */
	const struct lint_certificate *issuer;    /* NULL: not known */
	const struct lint_certificate *existing;  /* NULL: not known */
	/* For what they report: not for checks to touch. */
	const unsigned char *base; /* first octet of the object */
	const char *place;
	struct findings *findings;
	struct lint_certificate *owned[2]; /* issuer, existing */
};

/*
 * The rule is broken, at `where` in the object (empty: the object as a whole).
 * The text says what is wrong and what should be, lower case, no full stop.
 */
void lint_found(const struct lint_run *run, struct der where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/*
 * What a rule discourages while it demands something else: always a warning,
 * which refuses nothing.
 */
void lint_discouraged(const struct lint_run *run, struct der where,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* What a rule demands that as a whole only recommends: always an error. */
void lint_binding(const struct lint_run *run, struct der where, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* The check could not be made: LINT-FAIL-CLOSED.  Empties the error queue. */
void lint_unsure(const struct lint_run *run, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Is one of these what the object is, or what it is held to? */
static inline bool
lint_is(const struct lint_run *run, unsigned subjects)
{
	return (run->subjects & subjects) != 0;
}
static inline bool
lint_held_to(const struct lint_run *run, enum ruleset ruleset)
{
	return (run->rulesets & RULESET_BIT(ruleset)) != 0;
}

/*
 * A run over an object whose first octet is *base, with issuer and existing
 * certificate opened; the caller fills in the object, subjects, rulesets and
 * date.  What cannot be opened is a finding.
 */
int lint_begin(const char *place, const unsigned char *base,
    const struct lint_context *context, struct findings *findings,
    struct lint_run *ret_run) MUST_USE;
void lint_end(struct lint_run *run);

/* lint_object() for an OCSP response. */
int lint_ocsp(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings) MUST_USE;

/* Run all lints that apply; `run` has everything but lint and rule. */
void lint_run_all(struct lint_run *run);

/* lint_rule() of lint_at(i), without a search; NULL: there is none. */
const struct rule *lint_rule_at(size_t i);

/* `rulesets` of the context, or what the object's policies claim. */
unsigned lint_rulesets(
    const struct lint_context *context, const struct lint_values *values);

/* What a certificate is: one bit, with FOR_PRECERT one more. */
unsigned lint_classify(const struct lint_certificate *certificate);

/* As what it is held to rules: as told, or classified; `existing`: or NULL. */
unsigned lint_subjects(const struct lint_context *context,
    const struct lint_certificate *certificate,
    const struct lint_certificate *existing);

/* The families; table.c lists them. */
extern const struct lint_table lint_alg, lint_keys, lint_fields, lint_names,
    lint_root, lint_sub, lint_cross, lint_responder, lint_identifiers,
    lint_usage, lint_policies, lint_constraints, lint_urls, lint_leaf,
    lint_domain, lint_smime, lint_codesigning, lint_crls, lint_ocsp_responses,
    lint_requests;

#define LINT_TABLE(rows)                              \
	{                                             \
		(rows), sizeof(rows) / sizeof *(rows) \
	}

#endif
