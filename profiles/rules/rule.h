/*
 * The rules for certificates, CRLs, OCSP responses and requests: rules.tsv as
 * a table.  rules.inc is made from rules.tsv by rules.py, and a test holds the
 * two together.  A rule's id is its name for ever: in findings, profiles, the
 * journal and the documentation.
 */
#ifndef CA_RULES_RULE_H
#define CA_RULES_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "base/findings.h"

/* How binding a rule is. */
enum rule_level {
	RULE_MUST,
	RULE_MUSTNOT,
	RULE_SHOULD,
	RULE_SHOULDNOT,
	RULE_MAY,
	RULE_TOOL, /* demanded by no source: our own, or a consequence */
};

/* What a rule applies to: the words of rules.tsv's column, as bits. */
enum rule_subject {
	FOR_ROOT = 1 << 0,
	FOR_TLSSUB = 1 << 1,  /* TLS subordinate CA, BR 7.1.2.6 */
	FOR_TCSUB = 1 << 2,   /* name-constrained TLS CA, BR 7.1.2.5 */
	FOR_NONTLS = 1 << 3,  /* constrained non-TLS CA, BR 7.1.2.3 */
	FOR_SMIMECA = 1 << 4, /* S/MIME CA */
	FOR_CSCA = 1 << 5,    /* code-signing or time-stamping CA */
	FOR_CROSS = 1 << 6,   /* cross-certified CA, BR 7.1.2.2 */
	FOR_OCSPCERT = 1 << 7,
	FOR_LEAF = 1 << 8, /* TLS server, and client or device, certificate */
	FOR_PRECERT = 1 << 9,
	FOR_SMIME = 1 << 10,
	FOR_CS = 1 << 11,
	FOR_CRL = 1 << 12,    /* every CRL */
	FOR_CRL_EE = 1 << 13, /* whose scope holds subscriber certificates */
	FOR_CRL_CA = 1 << 14, /* whose scope holds only CA certificates */
	FOR_OCSP = 1 << 15,   /* signed OCSP response */
	FOR_CSR = 1 << 16,
	FOR_KEY = 1 << 17, /* a key by itself */
	FOR_OPS = 1 << 18, /* procedure */
	FOR_LOG = 1 << 19, /* journal, transcript */

	FOR_SUB = FOR_TLSSUB | FOR_TCSUB | FOR_NONTLS | FOR_SMIMECA | FOR_CSCA |
	    FOR_CROSS,
	FOR_CA = FOR_ROOT | FOR_SUB,
	FOR_CERTIFICATE =
	    FOR_CA | FOR_OCSPCERT | FOR_LEAF | FOR_PRECERT | FOR_SMIME | FOR_CS,
};

/* Whose rules an object is held to; `rfc5280` always. */
enum ruleset {
	RULESET_RFC5280,
	RULESET_PRIVATE, /* rfc5280, and what keeps keys and encodings sound */
	RULESET_CABF_TLS,
	RULESET_CABF_SMIME,
	RULESET_CABF_CS,
	RULESET_COUNT,
};
#define RULESET_BIT(ruleset) (1u << (ruleset))

struct rule {
	const char *id;
	unsigned subjects; /* enum rule_subject */
	enum rule_level level;
	/*
	 * Bits of the rulesets it belongs to, by its sources: RFC to rfc5280
	 * (and private); BR, EVG, MRSP, CRP, CCADB to cabf-tls; SBR to
	 * cabf-smime; CSBR to cabf-cs.  To private as well: all of KEY-, ALG-
	 * and FLD-.  What has none of these sources belongs to all.
	 */
	unsigned rulesets;
	const char *requirement;
	const char *source; /* "ca-tool": our own */
	/* Names of lints of zlint and, after "pkl:", pkilint; or "". */
	const char *others;
};

/* Row `i`, in the order of rules.tsv, or NULL behind the end. */
const struct rule *rule_at(size_t i);

/* The rule with this id, or NULL. */
const struct rule *rule_by_id(const char *id);

/* "MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "TOOL". */
const char *rule_level_name(enum rule_level level);

/* "rfc5280", "private", "cabf-tls", "cabf-smime", "cabf-cs"; and back, -1. */
const char *ruleset_name(enum ruleset ruleset);
int ruleset_by_name(const char *name);

/* "root", "tlssub", ... of one bit; and back, 0.  "sub", "ca" and "any" too. */
const char *rule_subject_name(unsigned bit);
unsigned rule_subject_by_name(const char *name);

/*
 * The day from which a rule holds, or until which it does (rules.md 0.3), as
 * seconds since 1970: compared with the object's own date, never with the
 * clock of whoever lints.
 */
#define RULE_ALWAYS ((int64_t)0)
#define D_SHA1_END ((int64_t)1789430400)      /* 2026-09-15 */
#define D_LINT_REQUIRED ((int64_t)1741996800) /* 2025-03-15 */
#define D_TLS_200 ((int64_t)1773532800)       /* 2026-03-15 */
#define D_CHROME_SUB ((int64_t)1781481600)    /* 2026-06-15 */
#define D_MRSP31 ((int64_t)1782864000)        /* 2026-07-01 */
#define D_BR231 ((int64_t)1791072000)         /* 2026-10-04 */
#define D_TLS_100 ((int64_t)1805068800)       /* 2027-03-15 */
#define D_SMIME_EKU ((int64_t)1814400000)     /* 2027-07-01 */
#define D_TLS_47 ((int64_t)1868227200)        /* 2029-03-15 */

#endif
