/* The driver: what an object is, which lints apply, what they report. */
#include "profiles/lint/lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/der/stream.h"
#include "profiles/general-name.h"
#include "profiles/lint/crl-private.h"
#include "profiles/lint/dns.h"
#include "profiles/lint/lint-private.h"
#include "profiles/lint/ocsp-private.h"

enum { TEXT_SIZE = 512, PLACE_SIZE = 512 };

/* ---- what kind of object ---------------------------------------------- */

static bool
is_time(const struct der *in)
{
	return der_next_is(in, DER_UTC_TIME) ||
	    der_next_is(in, DER_GENERALIZED_TIME);
}

static bool
skip_sequences(struct der *in, unsigned count)
{
	while (count-- > 0)
		if (!der_take(in, DER_SEQUENCE, NULL, NULL))
			return false;
	return true;
}

/* Behind version, or not: AlgorithmIdentifier, Name, and then a time. */
static bool
looks_like_crl(struct der tbs)
{
	(void)der_take(&tbs, DER_INTEGER, NULL, NULL);
	return skip_sequences(&tbs, 2) && is_time(&tbs);
}

/* INTEGER, Name, SubjectPublicKeyInfo whose second part is a BIT STRING. */
static bool
looks_like_csr(struct der tbs)
{
	struct der spki;

	return der_take(&tbs, DER_INTEGER, NULL, NULL) &&
	    der_take(&tbs, DER_SEQUENCE, NULL, NULL) &&
	    der_take(&tbs, DER_SEQUENCE, &spki, NULL) &&
	    der_take(&spki, DER_SEQUENCE, NULL, NULL) &&
	    der_next_is(&spki, DER_BIT_STRING);
}

/* Serial, AlgorithmIdentifier, Name, and a SEQUENCE that begins with a time. */
static bool
looks_like_certificate(struct der tbs)
{
	struct der validity;

	(void)der_take(&tbs, DER_CONTEXT_0, NULL, NULL);
	return der_take(&tbs, DER_INTEGER, NULL, NULL) &&
	    skip_sequences(&tbs, 2) &&
	    der_take(&tbs, DER_SEQUENCE, &validity, NULL) && is_time(&validity);
}

/*
 * The first element may be cut off (a large CRL's beginning is looked at): its
 * header is skipped by hand.
 */
static bool
enter(struct der *in)
{
	size_t header;

	if (in->len < 2 || in->p[0] != DER_SEQUENCE)
		return false;
	header = in->p[1] < 0x80 ? 2 : 2 + (size_t)(in->p[1] & 0x7f);
	if (header > in->len)
		return false;
	in->p += header;
	in->len -= header;
	return true;
}

enum lint_object_kind
lint_sniff(struct der object)
{
	struct der in = object;

	if (!enter(&in))
		return LINT_UNKNOWN;
	if (der_next_is(&in, DER_ENUMERATED))
		return LINT_OCSP;
	if (!enter(&in))
		return LINT_UNKNOWN;
	if (looks_like_certificate(in))
		return LINT_CERTIFICATE;
	if (looks_like_crl(in))
		return LINT_CRL;
	return looks_like_csr(in) ? LINT_CSR : LINT_UNKNOWN;
}

const char *
lint_object_kind_name(enum lint_object_kind kind)
{
	static const char *const names[] = {
		[LINT_UNKNOWN] = "unknown",
		[LINT_CERTIFICATE] = "certificate",
		[LINT_CRL] = "crl",
		[LINT_OCSP] = "ocsp-response",
		[LINT_CSR] = "csr",
	};

	return names[kind];
}

/* ---- what a certificate is, and what it is held to --------------------- */

/* RFC 5280, section 3.2: self-issued, and by its own key where that is told. */
static bool
is_root(const struct lint_certificate *c)
{
	const struct lint_values *v = &c->values;

	if (!der_equal(c->issuer.element, c->subject.element.p,
		c->subject.element.len))
		return false;
	if (v->aki == NULL || v->aki->keyid == NULL || v->ski == NULL)
		return true;
	return ASN1_OCTET_STRING_cmp(v->aki->keyid, v->ski) == 0;
}

/* Which of the CA/Browser Forum's requirements a policy claims to follow. */
static const struct {
	const char *oid;
	enum ruleset ruleset;
	bool arc; /* whatever stands below it, too */
} claims[] = {
	{ "2.23.140.1.1", RULESET_CABF_TLS, false },
	{ "2.23.140.1.2", RULESET_CABF_TLS, true },
	{ "2.23.140.1.3", RULESET_CABF_CS, false },
	{ "2.23.140.1.4", RULESET_CABF_CS, true },
	{ "2.23.140.1.5", RULESET_CABF_SMIME, true },
};

static unsigned
claimed_by(const ASN1_OBJECT *policy)
{
	char text[128];
	int len = OBJ_obj2txt(text, sizeof text, policy, 1);
	unsigned rulesets = 0;

	if (len <= 0 || (size_t)len >= sizeof text)
		return 0;
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		size_t n = strlen(claims[i].oid);

		if (strncmp(text, claims[i].oid, n) == 0 &&
		    (text[n] == '\0' || (claims[i].arc && text[n] == '.')))
			rulesets |= RULESET_BIT(claims[i].ruleset);
	}
	return rulesets;
}

/* Bits of enum ruleset. */
static unsigned
claims_of(const struct lint_values *values)
{
	unsigned rulesets = 0;

	for (int i = 0; i < sk_POLICYINFO_num(values->policies); i++)
		rulesets |= claimed_by(
		    sk_POLICYINFO_value(values->policies, i)->policyid);
	return rulesets;
}

/* For any purpose, or for all. */
static bool
is_unlimited(const struct lint_values *v)
{
	return v->purposes == NULL ||
	    lint_has_purpose(v, NID_anyExtendedKeyUsage);
}

/* Which of the CA/Browser Forum's purposes it has, or claims by a policy. */
static unsigned
families_of(const struct lint_values *v)
{
	unsigned families = claims_of(v);

	if (lint_has_purpose(v, NID_server_auth))
		families |= RULESET_BIT(RULESET_CABF_TLS);
	if (lint_has_purpose(v, NID_email_protect))
		families |= RULESET_BIT(RULESET_CABF_SMIME);
	if (lint_has_purpose(v, NID_code_sign) ||
	    lint_has_purpose(v, NID_time_stamp))
		families |= RULESET_BIT(RULESET_CABF_CS);
	return families;
}

static unsigned
classify_ca(const struct lint_certificate *c)
{
	const struct lint_values *v = &c->values;
	unsigned families, found = 0;

	if (is_root(c))
		return FOR_ROOT;
	if (der_equal(c->issuer.element, c->subject.element.p,
		c->subject.element.len))
		return FOR_CROSS; /* CROSS-NOT-SELF */
	families = families_of(v);
	if ((families & RULESET_BIT(RULESET_CABF_SMIME)) != 0)
		found |= FOR_SMIMECA;
	if ((families & RULESET_BIT(RULESET_CABF_CS)) != 0)
		found |= FOR_CSCA;
	if (is_unlimited(v) || lint_has_purpose(v, NID_server_auth))
		return found |
		    (constraints_have(v->name_constraints, GEN_DNS) &&
				constraints_have(v->name_constraints, GEN_IPADD)
			    ? FOR_TCSUB
			    : FOR_TLSSUB);
	/* BR 7.1.2.3: whatever else it is for. */
	return found | FOR_NONTLS;
}

/*
 * What it is for, and all that its policies claim: a certificate that is for
 * servers and for mail is held to the rules of both.
 */
static unsigned
classify_leaf(const struct lint_certificate *c)
{
	const struct lint_values *v = &c->values;
	const unsigned families = families_of(v);
	unsigned found = 0;

	if (lint_has_purpose(v, NID_OCSP_sign))
		found |= FOR_OCSPCERT;
	if ((families & RULESET_BIT(RULESET_CABF_TLS)) != 0 || is_unlimited(v))
		found |= FOR_LEAF;
	if ((families & RULESET_BIT(RULESET_CABF_SMIME)) != 0)
		found |= FOR_SMIME;
	if ((families & RULESET_BIT(RULESET_CABF_CS)) != 0)
		found |= FOR_CS;
	return found != 0 ? found : FOR_LEAF;
}

unsigned
lint_classify(const struct lint_certificate *c)
{
	const bool poisoned =
	    lint_extension(&c->extensions, NID_ct_precert_poison) != NULL;

	if (lint_is_ca(&c->values))
		return classify_ca(c);
	return classify_leaf(c) | (poisoned ? FOR_PRECERT : 0);
}

/*
 * A context is for many objects, and may name kinds of others: a certificate
 * is none of those.  A precertificate is held to all that its certificate is.
 */
unsigned
lint_subjects(const struct lint_context *context,
    const struct lint_certificate *c, const struct lint_certificate *existing)
{
	const unsigned told = context->subjects & FOR_CERTIFICATE;
	unsigned found;

	if (told != 0)
		return told == FOR_PRECERT ? told | FOR_LEAF : told;
	found = lint_classify(c);
	/* BR 7.1.2.2: another CA certificate stands beside it. */
	if (existing != NULL && (found & FOR_SUB) != 0 &&
	    lint_is_ca(&existing->values))
		return FOR_CROSS;
	return found;
}

unsigned
lint_rulesets(
    const struct lint_context *context, const struct lint_values *values)
{
	unsigned rulesets = context->rulesets;

	if (rulesets == 0 && context->profile != NULL)
		rulesets = profile_rulesets(context->profile);
	if (rulesets == 0 && values != NULL)
		rulesets |= claims_of(values);
	if ((rulesets &
		(RULESET_BIT(RULESET_CABF_TLS) |
		    RULESET_BIT(RULESET_CABF_SMIME) |
		    RULESET_BIT(RULESET_CABF_CS))) != 0)
		rulesets |= RULESET_BIT(RULESET_PRIVATE);
	return rulesets | RULESET_BIT(RULESET_RFC5280);
}

/* ---- reporting --------------------------------------------------------- */

/* True, with the reason, where the profile acknowledges what is found. */
static bool
is_acknowledged(const struct lint_run *run, const char **ret_reason)
{
	return run->context->profile != NULL &&
	    profile_acknowledges(
		run->context->profile, run->rule->id, ret_reason);
}

static enum severity
severity_of(const struct lint_run *run, const char **ret_reason)
{
	const enum rule_level level = run->rule->level;

	if (level == RULE_MUST || level == RULE_MUSTNOT)
		return FINDING_ERROR;
	if (is_acknowledged(run, ret_reason))
		return FINDING_NOTICE;
	return run->context->signing ? FINDING_ERROR : FINDING_WARNING;
}

/*
 * Does it stand in the object?  A check may hold octets of another one, the
 * issuer or the CRL before, where those are what is wrong.
 */
static bool
is_inside(const struct lint_run *run, struct der where)
{
	const uintptr_t at = (uintptr_t)where.p;
	uintptr_t base = (uintptr_t)run->base;
	size_t len = 0;

	if (run->crl != NULL) {
		const uintptr_t tail = (uintptr_t)run->crl->tail;

		if (at >= tail && at - tail <= run->crl->tail_len)
			return true;
		base = (uintptr_t)run->crl->head;
		len = run->crl->head_len;
	} else if (run->certificate != NULL) {
		len = run->certificate->element.len;
	} else if (run->csr != NULL) {
		len = run->csr->element.len;
	} else if (run->ocsp != NULL) {
		len = run->ocsp->element.len;
	} else {
		return run->base != NULL;
	}
	return at >= base && at - base <= len;
}

static void
place_of(const struct lint_run *run, struct der where, char ret[PLACE_SIZE])
{
	if (where.p == NULL || run->base == NULL || !is_inside(run, where))
		(void)snprintf(ret, PLACE_SIZE, "%s", run->place);
	else
		(void)snprintf(ret, PLACE_SIZE, "%s, octet %" PRIu64,
		    run->place,
		    run->crl != NULL ? lint_crl_offset(run->crl, where.p)
				     : (uint64_t)(where.p - run->base));
}

/* How to mend what only its severity at signing makes an error of. */
static const char *
advice(const struct lint_run *run, enum severity severity)
{
	const enum rule_level level = run->rule->level;

	return severity == FINDING_ERROR && run->context->profile != NULL &&
		level != RULE_MUST && level != RULE_MUSTNOT
	    ? "; mend it, or let the profile acknowledge it, with a reason, in "
	      "allow-lint"
	    : "";
}

void
lint_found(const struct lint_run *run, struct der where, const char *fmt, ...)
{
	char text[TEXT_SIZE], place[PLACE_SIZE];
	const char *reason = NULL;
	enum severity severity = severity_of(run, &reason);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	place_of(run, where, place);
	if (reason != NULL)
		findings_add(run->findings, severity, run->rule->id, place,
		    run->rule->source, "%s; the profile acknowledges this: %s",
		    text, reason);
	else
		findings_add(run->findings, severity, run->rule->id, place,
		    run->rule->source, "%s%s", text, advice(run, severity));
}

/* As a rule of another level would report it. */
static void
report_as(const struct lint_run *run, enum rule_level level, struct der where,
    const char *text)
{
	struct lint_context context = *run->context;
	struct rule rule = *run->rule;
	struct lint_run other = *run;

	context.signing = false;
	rule.level = level;
	other.context = &context;
	other.rule = &rule;
	lint_found(&other, where, "%s", text);
}

void
lint_discouraged(
    const struct lint_run *run, struct der where, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	report_as(run, RULE_SHOULDNOT, where, text);
}

void
lint_binding(const struct lint_run *run, struct der where, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	report_as(run, RULE_MUST, where, text);
}

void
lint_unsure(const struct lint_run *run, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ca_error_clear();
	findings_add(run->findings, FINDING_ERROR, "LINT-FAIL-CLOSED",
	    run->place, "", "%s could not be checked: %s",
	    run->rule != NULL ? run->rule->id : "the object", text);
}

/* ---- running ----------------------------------------------------------- */

static bool
has_needs(const struct lint_run *run, unsigned needs)
{
	const struct lint_context *context = run->context;

	return ((needs & NEEDS_ISSUER) == 0 || run->issuer != NULL) &&
	    ((needs & NEEDS_EXISTING) == 0 || run->existing != NULL) &&
	    ((needs & NEEDS_PREVIOUS) == 0 || context->previous != NULL) &&
	    ((needs & NEEDS_SIGNATURE) == 0 || !context->constant) &&
	    ((needs & NEEDS_TIME) == 0 || context->at != 0);
}

static bool
is_in_force(const struct lint_run *run, const struct lint *lint)
{
	return (lint->from == RULE_ALWAYS || run->date >= lint->from) &&
	    (lint->until == RULE_ALWAYS || run->date < lint->until);
}

static bool
applies(const struct lint_run *run, const struct lint *lint)
{
	unsigned subjects =
	    lint->subjects != 0 ? lint->subjects : run->rule->subjects;
	unsigned rulesets =
	    lint->rulesets != 0 ? lint->rulesets : run->rule->rulesets;

	return (run->subjects & subjects) != 0 &&
	    (run->rulesets & rulesets) != 0 && is_in_force(run, lint) &&
	    has_needs(run, lint->needs);
}

const struct rule *
lint_rule(const struct lint *lint)
{
	return rule_by_id(lint->id);
}

void
lint_run_all(struct lint_run *run)
{
	const struct lint *lint;

	for (size_t i = 0; (lint = lint_at(i)) != NULL; i++) {
		run->lint = lint;
		run->rule = lint_rule_at(i);
		if (run->rule == NULL)
			lint_unsure(run, "lint '%s' is no rule", lint->id);
		else if (applies(run, lint))
			lint->check(run);
	}
	run->lint = NULL;
	run->rule = NULL;
	ca_error_clear();
}

static int
open_beside(struct der der, const char *id, const char *what,
    const struct lint_run *run, struct lint_certificate **ret_certificate)
{
	if (der.len == 0 || lint_certificate_open(der, ret_certificate) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	findings_take_error(run->findings, id, what);
	return 0;
}

int
lint_begin(const char *place, const unsigned char *base,
    const struct lint_context *context, struct findings *findings,
    struct lint_run *ret_run)
{
	const struct lint_known *known = context->known;

	*ret_run = (struct lint_run){ .context = context,
		.base = base,
		.place = place,
		.findings = findings };
	if ((known == NULL &&
		open_beside(context->issuer, "LINT-ISSUER",
		    "the issuer's certificate", ret_run,
		    &ret_run->owned[0]) != 0) ||
	    open_beside(context->existing, "LINT-EXISTING",
		"the existing certificate", ret_run, &ret_run->owned[1]) != 0) {
		lint_end(ret_run);
		return -1;
	}
	ret_run->issuer = known != NULL ? known->issuer : ret_run->owned[0];
	ret_run->existing = ret_run->owned[1];
	return 0;
}

static int
copy_known(struct der der, unsigned char **ret_octets,
    struct lint_certificate **ret_certificate)
{
	if (der.len == 0)
		return 0;
	*ret_octets = malloc(der.len);
	if (*ret_octets == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	memcpy(*ret_octets, der.p, der.len);
	return lint_certificate_open(
	    (struct der){ *ret_octets, der.len }, ret_certificate);
}

int
lint_known_open(
    struct der issuer, struct der responder, struct lint_known **ret_known)
{
	struct lint_known *known = calloc(1, sizeof *known);

	if (known == NULL)
		return ca_error(CA_R_MEMORY, "no memory for certificates");
	if (copy_known(issuer, &known->octets[0], &known->issuer) != 0 ||
	    copy_known(responder, &known->octets[1], &known->responder) != 0) {
		lint_known_free(known);
		return -1;
	}
	*ret_known = known;
	return 0;
}

static bool
is_same(const struct lint_certificate *c, struct der der)
{
	return c == NULL ? der.len == 0 : der_equal(c->element, der.p, der.len);
}

bool
lint_known_are(
    const struct lint_known *known, struct der issuer, struct der responder)
{
	return is_same(known->issuer, issuer) &&
	    is_same(known->responder, responder);
}

void
lint_known_free(struct lint_known *known)
{
	if (known == NULL)
		return;
	lint_certificate_free(known->issuer);
	lint_certificate_free(known->responder);
	for (size_t i = 0; i < 2; i++)
		free(known->octets[i]);
	free(known);
}

void
lint_end(struct lint_run *run)
{
	for (size_t i = 0; i < sizeof run->owned / sizeof *run->owned; i++)
		lint_certificate_free(run->owned[i]);
	*run = (struct lint_run){ .context = NULL };
}

static int
lint_certificate_object(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	AUTO_PTR(lint_certificate) *c = NULL;
	struct lint_run run;

	if (lint_certificate_open(object, &c) != 0) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		findings_take_error(findings, "FLD-DER-STRICT", place);
		return 0;
	}
	if (lint_begin(place, object.p, context, findings, &run) != 0)
		return -1;
	run.certificate = c;
	run.key = &c->key;
	run.subject = &c->subject;
	run.extensions = &c->extensions;
	run.values = &c->values;
	run.subjects = FOR_KEY | lint_subjects(context, c, run.existing);
	run.rulesets = lint_rulesets(context, &c->values);
	run.date = c->not_before.valid ? c->not_before.seconds : 0;
	lint_run_all(&run);
	lint_end(&run);
	return 0;
}

static int
lint_csr_object(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	AUTO_PTR(lint_csr) *c = NULL;
	struct lint_run run;

	if (lint_csr_open(object, &c) != 0) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		findings_take_error(findings, "CSR-DER", place);
		return 0;
	}
	if (lint_begin(place, object.p, context, findings, &run) != 0)
		return -1;
	run.csr = c;
	run.key = &c->key;
	run.subject = &c->subject;
	run.extensions = &c->extensions;
	run.values = &c->values;
	run.subjects = FOR_KEY | FOR_CSR;
	run.rulesets = lint_rulesets(context, NULL);
	run.date = context->at;
	lint_run_all(&run);
	lint_end(&run);
	return 0;
}

static int
lint_crl_object(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	const struct der_source source = der_source_memory(&object);

	return lint_crl(place, &source, context, findings);
}

static int
lint_nothing(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	(void)object;
	(void)context;
	findings_add(findings, FINDING_ERROR, "LINT-READ", place, "",
	    "this is neither a certificate, a CRL, an OCSP response nor a "
	    "certificate request in DER");
	return 0;
}

int
lint_object(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	static int (*const by_kind[])(const char *, struct der,
	    const struct lint_context *, struct findings *) = {
		[LINT_UNKNOWN] = lint_nothing,
		[LINT_CERTIFICATE] = lint_certificate_object,
		[LINT_CRL] = lint_crl_object,
		[LINT_OCSP] = lint_ocsp,
		[LINT_CSR] = lint_csr_object,
	};

	return by_kind[lint_sniff(object)](place, object, context, findings);
}

/* ---- what decides beside the program ----------------------------------- */

/* SHA-256 over id, level and source of each lint's rule. */
static int
table_sha256(unsigned char ret_digest[SHA256_DIGEST_LENGTH], size_t *ret_count)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	const struct lint *lint;
	size_t i = 0;

	if (ctx == NULL || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a digest");
	for (; (lint = lint_at(i)) != NULL; i++) {
		const struct rule *rule = lint_rule(lint);
		AUTO_CHARS(row) = rule == NULL
		    ? NULL
		    : text_printf("%s %s %s\n", rule->id,
			  rule_level_name(rule->level), rule->source);

		if (row == NULL || EVP_DigestUpdate(ctx, row, strlen(row)) != 1)
			return ca_error(CA_R_MEMORY, "no memory for a digest");
	}
	if (EVP_DigestFinal_ex(ctx, ret_digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot hash the lints");
	*ret_count = i;
	return 0;
}

int
lint_version(char **ret_text)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	AUTO_CHARS(data) = NULL;
	AUTO_CHARS(hex) = NULL;
	size_t count;
	char *text;

	if (dns_data_version(&data) != 0 || table_sha256(digest, &count) != 0)
		return -1;
	hex = text_hex(digest, sizeof digest);
	if (hex == NULL)
		return -1;
	text = text_printf(
	    "%zu lints, their table's SHA-256 %s; %s", count, hex, data);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}
