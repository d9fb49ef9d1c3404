/* CRLs: RFC 5280, section 5, with the rules of rules.md section 8. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/lint/crl-private.h"

enum {
	PLACE_SIZE = 512,
	BIT_CRL_SIGN = 1 << 6, /* keyUsage, RFC 5280, section 4.2.1.3 */
	SECONDS_EE = 10 * DAY_SECONDS - 1,
	SECONDS_CA = 365 * DAY_SECONDS - 1,
	SECONDS_CS = 3653 * DAY_SECONDS, /* ten years */
	FOR_CRLS = FOR_CRL | FOR_CRL_EE | FOR_CRL_CA,
};
#define YEAR_2050 ((int64_t)2524608000)

static const struct der nowhere = { NULL, 0 };

/* ---- what the walk noted ------------------------------------------------ */

void
lint_crl_report(const struct lint_run *run, enum lint_crl_note_kind kind)
{
	const struct lint_crl_notes *notes = &run->crl->notes[kind];
	struct lint_run at = *run;
	char place[PLACE_SIZE];

	for (size_t i = 0; i < CRL_NOTES_KEPT && i < notes->count; i++) {
		const uint64_t offset = notes->rows[i].offset;

		(void)snprintf(place, sizeof place, "%s, octet %" PRIu64,
		    run->place, offset);
		at.place = offset == CRL_OFFSET_UNKNOWN ? run->place : place;
		lint_found(&at, nowhere, "%s", notes->rows[i].text);
	}
	if (notes->count > CRL_NOTES_KEPT)
		lint_found(run, nowhere, "%" PRIu64 " more like these",
		    notes->count - CRL_NOTES_KEPT);
}

/* ---- the signature ------------------------------------------------------ */

static bool
key_fits(const struct sigalg *alg, EVP_PKEY *pkey)
{
	char group[64] = "";

	if (alg->family == KEY_RSA)
		return EVP_PKEY_is_a(pkey, "RSA") == 1;
	return EVP_PKEY_is_a(pkey, "EC") == 1 &&
	    EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) == 1 &&
	    OBJ_txt2nid(group) == alg->curve_nid;
}

static bool
set_padding(EVP_PKEY_CTX *ctx, const struct sigalg *alg)
{
	if (alg->family != KEY_RSA)
		return true;
	if (!alg->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, alg->digest, NULL) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)alg->digest_len) > 0;
}

int
lint_crl_verify(const struct lint_crl_state *s, const struct lint_key *key)
{
	AUTO(EVP_PKEY) *pkey = lint_key_decode(key);
	AUTO(EVP_PKEY_CTX) *ctx = NULL;
	AUTO(EVP_MD) *md = NULL;
	int verified = -1;

	if (s->sigalg == NULL || pkey == NULL)
		return -1;
	if (!der_equal(s->alg, s->alg_outer.p, s->alg_outer.len) ||
	    s->signature_unused != 0 || !key_fits(s->sigalg, pkey))
		return 0;
	(void)ERR_set_mark();
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	md = EVP_MD_fetch(NULL, s->sigalg->digest, NULL);
	if (ctx != NULL && md != NULL && EVP_PKEY_verify_init(ctx) > 0 &&
	    set_padding(ctx, s->sigalg) &&
	    EVP_PKEY_CTX_set_signature_md(ctx, md) > 0)
		verified = EVP_PKEY_verify(ctx, s->signature.p,
			       s->signature.len, s->digest, s->digest_len) == 1;
	(void)ERR_pop_to_mark();
	return verified;
}

/* ---- structure ---------------------------------------------------------- */

static void
check_v2(struct lint_run *run)
{
	static const unsigned char v2[] = { 0x02, 0x01, 0x01 };
	const struct der version = run->crl->version;

	if (version.len == 0)
		lint_found(run, nowhere,
		    "there is no version: it must be v2, INTEGER 1");
	else if (!der_equal(version, v2, sizeof v2))
		lint_found(run, version, "the version is not v2, INTEGER 1");
}

static void
check_sigalg(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;

	if (s->sigalg == NULL)
		lint_found(run, s->alg,
		    "the inner signature algorithm is none of those allowed, "
		    "octet by octet");
	if (!der_equal(s->alg, s->alg_outer.p, s->alg_outer.len))
		lint_found(run, s->alg_outer,
		    "the outer signature algorithm differs from the inner one");
	if (s->sigalg != NULL && run->issuer != NULL &&
	    run->issuer->key.type != NULL &&
	    !sigalg_fits(s->sigalg, run->issuer->key.type))
		lint_found(run, s->alg,
		    "the signature algorithm is '%s', which does not go with "
		    "the issuer's key, '%s'",
		    s->sigalg->name, run->issuer->key.type->name);
}

static void
check_issuer(struct lint_run *run)
{
	const struct der subject = run->issuer->subject.element;

	if (!der_equal(run->crl->issuer.element, subject.p, subject.len))
		lint_found(run, run->crl->issuer.element,
		    "the issuer is not, octet by octet, the subject of the "
		    "issuer's certificate");
}

static void
check_signer_ku(struct lint_run *run)
{
	if ((lint_key_usage(&run->issuer->values) & BIT_CRL_SIGN) == 0)
		lint_found(run, nowhere,
		    "the issuer's certificate does not assert cRLSign in its "
		    "keyUsage");
}

static void
check_empty(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;

	if (s->has_revoked && s->entries == 0)
		lint_found(run, nowhere,
		    "revokedCertificates, at octet %" PRIu64
		    ", is empty; without entries it must be absent",
		    s->entries_offset - 2);
}

/* ---- times -------------------------------------------------------------- */

static void
check_time(
    const struct lint_run *run, const struct lint_time *time, const char *name)
{
	if (!time->valid)
		lint_found(run, time->element,
		    "%s is no date in the form YYMMDDHHMMSSZ or "
		    "YYYYMMDDHHMMSSZ",
		    name);
	else if (time->tag == DER_GENERALIZED_TIME && time->seconds < YEAR_2050)
		lint_found(run, time->element,
		    "%s is a GeneralizedTime, and before 2050 it must be a "
		    "UTCTime",
		    name);
}

static void
check_time_form(struct lint_run *run)
{
	check_time(run, &run->crl->this_update, "thisUpdate");
	if (run->crl->has_next_update)
		check_time(run, &run->crl->next_update, "nextUpdate");
	lint_crl_report(run, CRL_NOTE_TIME_TYPE);
	lint_crl_report(run, CRL_NOTE_TIME_FORM);
	lint_crl_report(run, CRL_NOTE_INVALIDITY_FORM);
}

static const struct lint_crl_state *
previous_of(const struct lint_run *run)
{
	return run->crl->comparable ? run->crl->previous : NULL;
}

static void
check_this_update(struct lint_run *run)
{
	const struct lint_crl_state *before = previous_of(run);
	const struct lint_time *t = &run->crl->this_update;

	if (!t->valid)
		return;
	if (run->context->at != 0 && t->seconds > run->context->at)
		lint_found(run, t->element,
		    "thisUpdate is %" PRId64 " seconds in the future",
		    t->seconds - run->context->at);
	if (before != NULL && before->this_update.valid &&
	    t->seconds < before->this_update.seconds)
		lint_found(run, t->element,
		    "thisUpdate is %" PRId64
		    " seconds earlier than that of the CRL before",
		    before->this_update.seconds - t->seconds);
}

static bool
has_interval(const struct lint_crl_state *s, int64_t *ret_seconds)
{
	if (!s->has_next_update || !s->next_update.valid ||
	    !s->this_update.valid)
		return false;
	*ret_seconds = s->next_update.seconds - s->this_update.seconds;
	return true;
}

static void
check_next_update(struct lint_run *run)
{
	int64_t seconds;

	if (!run->crl->has_next_update)
		lint_found(run, nowhere, "there is no nextUpdate");
	else if (has_interval(run->crl, &seconds) && seconds <= 0)
		lint_found(run, run->crl->next_update.element,
		    "nextUpdate is not later than thisUpdate");
}

static void
check_interval(const struct lint_run *run, int64_t max, const char *what)
{
	int64_t seconds;

	if (has_interval(run->crl, &seconds) && seconds > max)
		lint_found(run, run->crl->next_update.element,
		    "nextUpdate is %" PRId64
		    " seconds later than thisUpdate; for %s at most %" PRId64
		    " are allowed",
		    seconds, what, max);
}

static void
check_next_update_ee(struct lint_run *run)
{
	check_interval(run, SECONDS_EE, "subscriber certificates");
}

static void
check_next_update_ca(struct lint_run *run)
{
	check_interval(run, SECONDS_CA, "CA certificates");
}

static void
check_next_update_mono(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl, *before = previous_of(run);

	if (before != NULL && s->has_next_update && s->next_update.valid &&
	    before->has_next_update && before->next_update.valid &&
	    s->next_update.seconds < before->next_update.seconds)
		lint_found(run, s->next_update.element,
		    "nextUpdate is earlier than that of the CRL before");
}

/* ---- against the CRL before --------------------------------------------- */

static void
check_number_strict(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl, *before = previous_of(run);

	if (before == NULL || s->number.len == 0 || before->number.len == 0 ||
	    s->number.p[0] >= 0x80 || before->number.p[0] >= 0x80)
		return;
	if (lint_crl_serial_order(s->number, before->number) <= 0)
		lint_found(run, s->number,
		    "cRLNumber is %s that of the CRL before; it must be higher",
		    der_equal(s->number, before->number.p, before->number.len)
			? "the same as"
			: "lower than");
}

/* How many left, as a warning: whether rightly, only their expiry tells. */
static void
warn_left(const struct lint_run *run)
{
	const struct lint_crl_notes *left = &run->crl->notes[CRL_NOTE_LEFT];
	const struct lint_time *before = &run->crl->previous->this_update;
	char date[DATE_TEXT_SIZE] = "that CRL";

	if (left->count == 0)
		return;
	if (before->valid && before->seconds >= 0)
		date_format(before->seconds, date);
	findings_add(run->findings, FINDING_WARNING, run->rule->id, run->place,
	    run->rule->source,
	    "%" PRIu64 " entries of the CRL before are gone, the first of "
	    "them: %.60s; that is right only where their certificates had "
	    "expired before %s",
	    left->count, left->rows[0].text, date);
}

static void
check_complete(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;

	if (previous_of(run) == NULL)
		return;
	lint_crl_report(run, CRL_NOTE_LOST);
	warn_left(run);
	if (lint_held_to(run, RULESET_CABF_CS) && s->this_update.valid &&
	    s->left_date != INT64_MIN &&
	    s->left_date + SECONDS_CS > s->this_update.seconds)
		lint_found(run, nowhere,
		    "an entry that is gone was revoked less than ten years "
		    "ago; for code signing it stays for ten years after its "
		    "certificate's expiry");
}

static void
check_reason_upgrade(struct lint_run *run)
{
	if (previous_of(run) != NULL)
		lint_crl_report(run, CRL_NOTE_REASON_CHANGED);
}

/*
 * A signature that does not verify can be acknowledged by nobody, so that it is
 * an error whatever the rule's level.
 */
static void
check_recheck(struct lint_run *run)
{
	const struct lint_crl_state *s = run->crl;
	int verified;

	if (run->issuer != NULL && !run->context->constant) {
		verified = lint_crl_verify(s, &run->issuer->key);
		if (verified == 0)
			findings_add(run->findings, FINDING_ERROR,
			    run->rule->id, run->place, run->rule->source,
			    "the signature does not verify with the issuer's "
			    "key");
		else if (verified < 0)
			lint_found(run, s->alg,
			    "the signature cannot be verified: its algorithm "
			    "or the issuer's key is not one of those allowed");
	}
	if (s->previous != NULL && !s->comparable)
		lint_found(run, nowhere,
		    "the CRL given as the one before is of another issuer or "
		    "another scope");
}

/* ---- entries: what was noted -------------------------------------------- */

#define REPORT(name, kind)                     \
	static void name(struct lint_run *run) \
	{                                      \
		lint_crl_report(run, kind);    \
	}                                      \
	struct lint_run

REPORT(report_duplicates, CRL_NOTE_DUPLICATE);
REPORT(report_serials, CRL_NOTE_SERIAL);
REPORT(report_dates, CRL_NOTE_DATE);
REPORT(report_order, CRL_NOTE_ORDER);
REPORT(report_reason_form, CRL_NOTE_REASON_FORM);
REPORT(report_reason_none, CRL_NOTE_REASON_NONE);
REPORT(report_reason_set, CRL_NOTE_REASON_SET);
REPORT(report_reason_zero, CRL_NOTE_REASON_ZERO);
REPORT(report_reason_hold, CRL_NOTE_REASON_HOLD);
REPORT(report_ext_other, CRL_NOTE_EXT_OTHER);

/* For code signing it may be there, and is then revocationDate's. */
static void
check_invalidity(struct lint_run *run)
{
	if (lint_held_to(run, RULESET_CABF_TLS))
		lint_crl_report(run, CRL_NOTE_INVALIDITY);
	if (lint_held_to(run, RULESET_CABF_CS))
		lint_crl_report(run, CRL_NOTE_INVALIDITY_DATE);
}

enum {
	TLS = RULESET_BIT(RULESET_CABF_TLS),
	TLS_SMIME = TLS | RULESET_BIT(RULESET_CABF_SMIME),
	TLS_CS = TLS | RULESET_BIT(RULESET_CABF_CS),
};

static const struct lint rows[] = {
	{ .id = "CRL-V2", .check = check_v2 },
	{ .id = "CRL-SIGALG", .check = check_sigalg },
	{ .id = "CRL-ISSUER-BYTES",
	    .check = check_issuer,
	    .needs = NEEDS_ISSUER },
	{ .id = "CRL-SIGNER-KU",
	    .check = check_signer_ku,
	    .needs = NEEDS_ISSUER },
	{ .id = "CRL-THISUPDATE", .check = check_this_update },
	{ .id = "CRL-NEXTUPDATE-PRESENT", .check = check_next_update },
	{ .id = "CRL-NEXTUPDATE-EE", .check = check_next_update_ee },
	{ .id = "CRL-NEXTUPDATE-CA", .check = check_next_update_ca },
	{ .id = "CRL-NEXTUPDATE-MONO",
	    .check = check_next_update_mono,
	    .needs = NEEDS_PREVIOUS },
	{ .id = "CRL-TIME-FORM", .check = check_time_form },
	{ .id = "CRL-EMPTY-ABSENT", .check = check_empty },
	{ .id = "CRL-NO-DUP-SERIAL", .check = report_duplicates },
	{ .id = "CRL-ENTRY-SERIAL", .check = report_serials },
	{ .id = "CRL-ENTRY-DATE", .check = report_dates },
	{ .id = "CRL-ORDER", .check = report_order },
	{ .id = "CRL-COMPLETE",
	    .check = check_complete,
	    .needs = NEEDS_PREVIOUS },
	{ .id = "CRL-NO-INDIRECT", .check = lint_crl_no_indirect },
	{ .id = "CRL-NO-DELTA", .check = lint_crl_no_delta },
	{ .id = "CRL-AKI", .check = lint_crl_aki },
	{ .id = "CRL-NUMBER", .check = lint_crl_number },
	{ .id = "CRL-NUMBER-STRICT",
	    .check = check_number_strict,
	    .needs = NEEDS_PREVIOUS },
	{ .id = "CRL-IDP-WHEN", .check = lint_crl_idp_critical },
	{ .id = "CRL-IDP-FULL-NONE", .check = lint_crl_idp_full },
	{ .id = "CRL-IDP-ROOT-TRAP",
	    .check = lint_crl_idp_root,
	    .needs = NEEDS_ISSUER },
	{ .id = "CRL-IDP-URI", .check = lint_crl_idp_uri },
	{ .id = "CRL-IDP-FLAGS", .check = lint_crl_idp_flags },
	{ .id = "CRL-IDP-NOREASONS", .check = lint_crl_idp_reasons },
	{ .id = "CRL-EXT-OTHER", .check = lint_crl_ext_other },
	{ .id = "CRL-EXT-UNIQUE", .check = lint_crl_ext_unique },
	{ .id = "CRL-REASON-FORM", .check = report_reason_form },
	{ .id = "CRL-REASON-CA",
	    .check = report_reason_none,
	    .subjects = FOR_CRL_CA },
	{ .id = "CRL-REASON-SET", .check = report_reason_set },
	/* RFC 5280, section 5.3.1, says SHOULD; the BR say MUST. */
	{ .id = "CRL-REASON-UNSPEC",
	    .check = report_reason_zero,
	    .rulesets = TLS_SMIME },
	/* The SBR have an exception, which the CRL does not show. */
	{ .id = "CRL-REASON-NOHOLD",
	    .check = report_reason_hold,
	    .rulesets = TLS },
	{ .id = "CRL-REASON-UPGRADE",
	    .check = check_reason_upgrade,
	    .needs = NEEDS_PREVIOUS },
	{ .id = "CRL-INVALIDITY",
	    .check = check_invalidity,
	    .rulesets = TLS_CS },
	{ .id = "CRL-ENTRY-EXT-OTHER", .check = report_ext_other },
	{ .id = "CRL-RECHECK", .check = check_recheck },
};

const struct lint_table lint_crls = LINT_TABLE(rows);

/* ---- the object --------------------------------------------------------- */

/* Same issuer and, octet by octet, same issuingDistributionPoint. */
static bool
same_scope(const struct lint_crl_state *a, const struct lint_crl_state *b)
{
	const struct der none = { NULL, 0 };
	const struct der ia = a->idp.row != NULL ? a->idp.row->value : none;
	const struct der ib = b->idp.row != NULL ? b->idp.row->value : none;

	return der_equal(a->issuer.element, b->issuer.element.p,
		   b->issuer.element.len) &&
	    der_equal(ia, ib.p, ib.len);
}

/* False where even the memory is missing. */
static bool
is_finding(struct findings *findings, const char *id, const char *place)
{
	if (ca_error_reason() == CA_R_MEMORY)
		return false;
	findings_take_error(findings, id, place);
	return true;
}

static int
take_previous(const struct der_source *source,
    const struct lint_context *context, struct lint_crl_state *s,
    struct findings *findings)
{
	if (context->previous == NULL)
		return 0;
	if (lint_crl_open(context->previous, &s->previous) != 0)
		return is_finding(
			   findings, "LINT-FAIL-CLOSED", "the CRL before")
		    ? 0
		    : -1;
	s->comparable = same_scope(s, s->previous);
	if (s->comparable &&
	    lint_crl_compare(source, context->previous, s) != 0)
		return is_finding(
			   findings, "LINT-FAIL-CLOSED", "the CRL before")
		    ? 0
		    : -1;
	return 0;
}

/* As told, or as far as the issuingDistributionPoint tells. */
static unsigned
subjects_of(const struct lint_context *context, const struct lint_crl_state *s)
{
	unsigned subjects = context->subjects & FOR_CRLS;

	if (subjects == 0 && s->idp.user == CRL_FLAG_TRUE)
		subjects |= FOR_CRL_EE;
	if (subjects == 0 && s->idp.ca == CRL_FLAG_TRUE)
		subjects |= FOR_CRL_CA;
	return subjects | FOR_CRL;
}

static int
run_lints(const char *place, struct lint_crl_state *s,
    const struct lint_context *context, struct findings *findings)
{
	struct lint_run run;

	if (lint_begin(place, s->head, context, findings, &run) != 0)
		return -1;
	run.crl = s;
	run.extensions = &s->extensions;
	run.subjects = subjects_of(context, s);
	run.rulesets = lint_rulesets(context, NULL);
	run.date = s->this_update.valid ? s->this_update.seconds : context->at;
	lint_run_all(&run);
	lint_end(&run);
	return 0;
}

int
lint_crl(const char *place, const struct der_source *source,
    const struct lint_context *context, struct findings *findings)
{
	AUTO_PTR(lint_crl_state) *s = NULL;

	if (lint_crl_open(source, &s) != 0)
		return is_finding(findings,
			   ca_error_reason() == CA_R_INPUT ? "FLD-DER-STRICT"
							   : "LINT-FAIL-CLOSED",
			   place)
		    ? 0
		    : -1;
	if (lint_crl_duplicates(source, s) != 0 &&
	    !is_finding(findings, "LINT-FAIL-CLOSED", place))
		return -1;
	if (take_previous(source, context, s, findings) != 0)
		return -1;
	return run_lints(place, s, context, findings);
}
