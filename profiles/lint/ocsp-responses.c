/* OCSP responses: RFC 6960 and RFC 9919, with the rules of rules.md section 9. */
#include <inttypes.h>
#include <string.h>

#include <openssl/sha.h>

#include "base/error.h"
#include "profiles/lint/ocsp-private.h"

enum { SKEW = 5 * 60, FOUND_MAX = 10 };

static const struct der nowhere = { NULL, 0 };

/* ---- frame -------------------------------------------------------------- */

static void
check_status(struct lint_run *run)
{
	enum { NEVER_USED = 4, LAST = 6 };
	const struct lint_ocsp_state *s = run->ocsp;
	const unsigned status = s->status.p[0];

	if (s->status.len != 1 || status > LAST || status == NEVER_USED)
		lint_found(run, s->status,
		    "responseStatus is none of 0 to 3, 5 and 6");
	else if (status == OCSP_STATUS_SUCCESSFUL && !s->has_bytes)
		lint_found(run, s->status,
		    "responseStatus is successful, and there are no "
		    "responseBytes");
	else if (status != OCSP_STATUS_SUCCESSFUL && s->has_bytes)
		lint_found(run, s->status,
		    "responseStatus is the error %u, and there are "
		    "responseBytes, which only a successful one has",
		    status);
}

static void
check_type(struct lint_run *run)
{
	if (run->ocsp->has_bytes && !run->ocsp->is_basic)
		lint_found(run, run->ocsp->type,
		    "responseType is not id-pkix-ocsp-basic");
}

static void
check_version(struct lint_run *run)
{
	static const unsigned char v1[] = { 0xa0, 0x03, 0x02, 0x01, 0x00 };
	const struct der version = run->ocsp->version;

	if (version.len > 0)
		lint_found(run, version,
		    der_equal(version, v1, sizeof v1)
			? "version is encoded as v1, which is its default and "
			  "must be absent"
			: "version is not v1");
}

/* RFC 6960 lets byName stand; RFC 9919, which narrows it, does not. */
static void
check_responder_id(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	if (!s->is_basic)
		return;
	if (s->responder == OCSP_BY_NAME) {
		if (lint_held_to(run, RULESET_PRIVATE))
			lint_found(run, s->responder_name.element,
			    "the responder is identified byName; byKey is "
			    "wanted");
	} else if (s->responder_key.len != SHA_DIGEST_LENGTH)
		lint_found(run, s->responder_key,
		    "the responder's key hash has %zu octets, not the %d of "
		    "SHA-1",
		    s->responder_key.len, SHA_DIGEST_LENGTH);
	if (s->signer == NULL &&
	    (s->certificate_count > 0 || run->issuer != NULL))
		lint_found(run, nowhere,
		    "the responder's identifier belongs neither to an "
		    "enclosed certificate nor to the issuer's");
}

static void
check_extensions(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	if (s->extensions_element.len > 0)
		lint_found(run, s->extensions_element,
		    "there are responseExtensions%s; a response that is signed "
		    "beforehand has none",
		    lint_extension(&s->extensions, NID_id_pkix_OCSP_Nonce) !=
			    NULL
			? " with a nonce"
			: "");
}

/* ---- times -------------------------------------------------------------- */

static void
check_this_update(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	const int64_t at = run->context->at;
	unsigned found = 0;

	if (!s->is_basic || !s->produced_at.valid)
		return;
	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++)
		if (s->singles[i].this_update.valid &&
		    s->singles[i].this_update.seconds >
			s->produced_at.seconds) {
			lint_found(run, s->singles[i].this_update.element,
			    "thisUpdate is later than producedAt");
			found++;
		}
	if (at != 0 && s->produced_at.seconds > at)
		lint_found(run, s->produced_at.element,
		    "producedAt is %" PRId64 " seconds in the future",
		    s->produced_at.seconds - at);
}

/* Only who signs knows the time of signing; clocks differ by minutes. */
static void
check_produced_at(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	int64_t off;

	if (!run->context->signing || !s->is_basic || !s->produced_at.valid)
		return;
	off = s->produced_at.seconds - run->context->at;
	if (off < -SKEW || off > SKEW)
		lint_found(run, s->produced_at.element,
		    "producedAt is %" PRId64
		    " seconds away from the time of signing",
		    off < 0 ? -off : off);
}

static bool
check_time(
    const struct lint_run *run, const struct lint_time *time, const char *name)
{
	if (time->tag == DER_GENERALIZED_TIME && time->valid)
		return true;
	lint_found(run, time->element,
	    "%s is not a GeneralizedTime YYYYMMDDHHMMSSZ", name);
	return false;
}

static bool
check_times(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	return check_time(run, &single->this_update, "thisUpdate") &&
	    (!single->has_next_update ||
		check_time(run, &single->next_update, "nextUpdate")) &&
	    (single->status != OCSP_REVOKED ||
		check_time(run, &single->revoked_at, "revocationTime"));
}

static void
check_time_form(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	unsigned found = 0;

	if (!s->is_basic)
		return;
	(void)check_time(run, &s->produced_at, "producedAt");
	for (size_t i = 0; i < s->count && found < FOUND_MAX; i++)
		if (!check_times(run, &s->singles[i]))
			found++;
}

static const struct lint rows[] = {
	{ .id = "OCS-STATUS", .check = check_status },
	{ .id = "OCS-TYPE", .check = check_type },
	{ .id = "OCS-VERSION", .check = check_version },
	{ .id = "OCS-RESPONDERID", .check = check_responder_id },
	{ .id = "OCS-SIGALG", .check = lint_ocsp_sigalg },
	{ .id = "OCS-SIGNER", .check = lint_ocsp_signer },
	{ .id = "OCS-CERTS", .check = lint_ocsp_certs },
	{ .id = "OCS-RESPEXT", .check = check_extensions },
	{ .id = "OCS-CERTID-SHA256", .check = lint_ocsp_certid },
	{ .id = "OCS-CERTID-PARAMS", .check = lint_ocsp_certid_params },
	{ .id = "OCS-ONE", .check = lint_ocsp_one },
	{ .id = "OCS-THISUPDATE", .check = check_this_update },
	{ .id = "OCS-PRODUCEDAT",
	    .check = check_produced_at,
	    .needs = NEEDS_TIME },
	{ .id = "OCS-NEXTUPDATE", .check = lint_ocsp_next_update },
	{ .id = "OCS-INTERVAL-EE", .check = lint_ocsp_interval_ee },
	{ .id = "OCS-INTERVAL-CA", .check = lint_ocsp_interval_ca },
	{ .id = "OCS-NEXTUPDATE-CERTS", .check = lint_ocsp_until_certs },
	{ .id = "OCS-NEXTUPDATE-TARGET", .check = lint_ocsp_until_signer },
	{ .id = "OCS-TIME-FORM", .check = check_time_form },
	{ .id = "OCS-REASON-CA", .check = lint_ocsp_reason_ca },
	{ .id = "OCS-REASON-SET", .check = lint_ocsp_reason_set },
	{ .id = "OCS-SINGLEEXT", .check = lint_ocsp_single_ext },
	{ .id = "OCS-UNKNOWN", .check = lint_ocsp_unknown },
	{ .id = "OCS-ROOT-STATUS",
	    .check = lint_ocsp_root_status,
	    .needs = NEEDS_ISSUER },
	{ .id = "OCS-NO-EE-FROM-ROOT",
	    .check = lint_ocsp_no_ee,
	    .needs = NEEDS_ISSUER },
	{ .id = "OCS-RECHECK", .check = lint_ocsp_recheck },
};

const struct lint_table lint_ocsp_responses = LINT_TABLE(rows);

/* ---- the object --------------------------------------------------------- */

static void
run_lints(struct lint_run *run, const struct lint_ocsp_state *s)
{
	run->ocsp = s;
	run->extensions = &s->extensions;
	run->subjects = FOR_OCSP;
	run->rulesets = lint_rulesets(run->context, NULL);
	run->date =
	    s->produced_at.valid ? s->produced_at.seconds : run->context->at;
	lint_run_all(run);
}

int
lint_ocsp(const char *place, struct der object,
    const struct lint_context *context, struct findings *findings)
{
	AUTO_PTR(lint_ocsp_state) *s = NULL;
	const struct lint_certificate *known = NULL;
	struct lint_run run;
	int opened;

	if (lint_begin(place, object.p, context, findings, &run) != 0)
		return -1;
	if (context->known != NULL)
		known = context->known->responder;
	opened = lint_ocsp_open(object, run.issuer, known, &s);
	if (opened == 0)
		run_lints(&run, s);
	lint_end(&run);
	if (opened != 0 && ca_error_reason() == CA_R_MEMORY)
		return -1;
	if (opened != 0)
		findings_take_error(findings, "FLD-DER-STRICT", place);
	return 0;
}
