#include "ceremony/steps/revoke-after.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/ocsp-stale.h"

/* ---- steps behind it ----------------------------------------------------- */

/* The issuer that a step of such a kind names, or NULL. */
static const char *
issuer_of(const struct step *step)
{
	const struct revoke_params *revoke = step->params;
	const struct import_params *import = step->params;
	const struct upgrade_params *upgrade = step->params;
	const struct crl_params *crl = step->params;
	const struct ocsp_responses_params *ocsp = step->params;

	if (step->kind == &step_revoke)
		return revoke->issuer;
	if (step->kind == &step_import_revocations)
		return import->issuer;
	if (step->kind == &step_upgrade_revocation)
		return upgrade->issuer;
	if (step->kind == &step_crl)
		return crl->issuer;
	return step->kind == &step_ocsp_responses ? ocsp->issuer : NULL;
}

/* A CA has several certificates, and one name in all of them. */
static int
is_of_issuer(
    const struct revoke_after *a, const struct step *step, bool *ret_is)
{
	const char *name = issuer_of(step);
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	*ret_is = name != NULL && strcmp(name, a->issuer) == 0;
	if (name == NULL || *ret_is)
		return 0;
	if (journal_object(
		a->build->journal, "certificate", name, &found, &row) < 0)
		return -1;
	*ret_is = found && row.subject_dn != NULL &&
	    strcmp(row.subject_dn, a->view->dn) == 0;
	return 0;
}

/* What later steps do for the issuer. */
struct later {
	bool crl, ocsp, revokes;
};

static int
look_behind(const struct revoke_after *a,
    int (*visit)(void *ctx, const struct step *step), void *ctx)
{
	const struct step *first = a->step - a->step->index;

	for (size_t i = a->step->index + 1; i < a->step->plan->steps_count;
	     i++) {
		bool is = false;

		if (is_of_issuer(a, &first[i], &is) < 0 ||
		    (is && visit(ctx, &first[i]) < 0))
			return -1;
	}
	return 0;
}

static int
note_step(void *ctx, const struct step *step)
{
	struct later *later = ctx;

	if (step->kind == &step_crl)
		later->crl = true;
	else if (step->kind == &step_ocsp_responses)
		later->ocsp = true;
	else
		later->revokes = true;
	return 0;
}

/* ---- reasons ------------------------------------------------------------- */

enum { CRLS_MAX = 64, SERIALS_SHOWN = 5 };

/* Profiles of CRLs that would have to say it, and by which CRL. */
struct carriers {
	const struct revoke_after *after;
	char *profiles[CRLS_MAX], *crls[CRLS_MAX], *urls[CRLS_MAX];
	size_t count;
	const char *where; /* "step" or "newest" */
};

static void
carriers_clear(struct carriers *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->profiles[i]);
		free(c->crls[i]);
		free(c->urls[i]);
	}
	c->count = 0;
}
CLEANUP_DEFINE_STRUCT(carriers);

/* Of CRLs with one URL, or with none, the last one counts. */
static int
add_carrier(struct carriers *c, const char *crl, const char *profile,
    const char *url, bool replace)
{
	AUTO_CHARS(crl_copy) = text_copy(crl);
	AUTO_CHARS(profile_copy) = text_copy(profile);
	AUTO_CHARS(url_copy) = url == NULL ? NULL : text_copy(url);
	size_t at = c->count;

	if (crl_copy == NULL || profile_copy == NULL ||
	    (url != NULL && url_copy == NULL))
		return -1;
	for (size_t i = 0; replace && i < c->count; i++)
		if (url == NULL
			? c->urls[i] == NULL
			: c->urls[i] != NULL && strcmp(c->urls[i], url) == 0 &&
			    strcmp(c->profiles[i], profile) == 0)
			at = i;
	if (at == CRLS_MAX)
		return 0;
	if (at < c->count) {
		free(c->profiles[at]);
		free(c->crls[at]);
		free(c->urls[at]);
	} else {
		c->count++;
	}
	c->profiles[at] = TAKE(profile_copy);
	c->crls[at] = TAKE(crl_copy);
	c->urls[at] = TAKE(url_copy);
	return 0;
}

static int
carry_step(void *ctx, const struct step *step)
{
	const struct crl_params *p = step->params;

	return step->kind != &step_crl
	    ? 0
	    : add_carrier(ctx, p->name, p->profile, p->url, false);
}

static int
carry_signed(void *ctx, const struct object_row *row)
{
	struct carriers *c = ctx;

	if (row->state != OBJECT_SIGNED || row->profile == NULL ||
	    row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, c->after->view->dn) != 0)
		return 0;
	/* A partition that is made no more. */
	if (row->crl_url != NULL && row->until < c->after->build->now)
		return 0;
	return add_carrier(c, row->name, row->profile, row->crl_url, true);
}

static int
profile_bytes(const struct build *build, const char *name,
    unsigned char **ret_data, size_t *ret_len)
{
	const struct input *input =
	    inputs_find(build->inputs, INPUT_PROFILE, name);
	AUTO_CHARS(sha256) = NULL;
	AUTO_BYTES(digest) = NULL;
	bool found = false;
	size_t len = 0;

	*ret_data = NULL;
	if (input != NULL) {
		*ret_data = bytes_copy(input->data, input->len);
		*ret_len = input->len;
		return *ret_data == NULL ? -1 : 0;
	}
	if (journal_profile(build->journal, name, &found, &sha256) < 0)
		return -1;
	if (!found)
		return 0;
	if (text_unhex(sha256, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "'%s' is no SHA-256", sha256);
	return journal_evidence_get(build->journal, digest, ret_data, ret_len);
}

/* NULL where it cannot be had: the crl step says why. */
static int
read_profile(
    const struct build *build, const char *name, struct profile **ret_profile)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (profile_bytes(build, name, &data, &len) < 0)
		return -1;
	if (data == NULL ||
	    profile_load(name, data, len, &findings, ret_profile) == 0)
		return 0;
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return 0;
}

/* Which kind nobody knows is on full CRLs alone. */
static bool
would_have(const struct profile *profile, const struct listed *row)
{
	if (!profile_only_covered(profile))
		return true;
	return profile_covers(profile) == COVERS_CA ? row->ca == 1
						    : row->ca == 0;
}

static char *
add_serial(char *text, const struct listed *row)
{
	char serial[SERIAL_HEX_SIZE];
	char *longer;

	serial_hex(&row->serial, serial);
	longer = text_printf("%s%s%s", text == NULL ? "" : text,
	    text == NULL ? "" : ", ", serial);
	free(text);
	return longer;
}

/* One finding for all that have a reason which the profile does not know. */
static int
judge_profile(
    const struct carriers *c, size_t at, const struct profile *profile)
{
	const struct revoke_after *a = c->after;
	const struct listed *first = NULL;
	AUTO_CHARS(serials) = NULL;
	AUTO_CHARS(more) = NULL;
	size_t count = 0;

	for (size_t i = 0; i < a->listing->count; i++) {
		const struct listed *row = &a->listing->rows[i];

		if (profile_allows_reason(profile, row->reason) ||
		    !would_have(profile, row))
			continue;
		first = first == NULL ? row : first;
		if (count++ >= SERIALS_SHOWN)
			continue;
		serials = add_serial(TAKE(serials), row);
		if (serials == NULL)
			return -1;
	}
	if (count == 0)
		return 0;
	more = count <= SERIALS_SHOWN
	    ? text_copy("")
	    : text_printf(" and %zu more", count - SERIALS_SHOWN);
	if (more == NULL)
		return -1;
	step_finding(a->build, a->step, a->member, "CRL-REASON-SET", "BR 7.2.2",
	    "profile '%s' of CRL '%s', %s, has no reason '%s', which serial "
	    "%s%s would have: that cannot be changed, and no such CRL could be "
	    "made any more; give another reason",
	    c->profiles[at], c->crls[at], c->where, reason_name(first->reason),
	    serials, more);
	return 0;
}

static int
check_reasons(const struct revoke_after *a, const struct later *later)
{
	AUTO_STRUCT(carriers)
	c = {
		.after = a,
		.where = later->crl ? "which this plan makes" : "the newest",
	};

	if ((later->crl ? look_behind(a, carry_step, &c)
			: journal_each_object(a->build->journal, NULL, "crl",
			      carry_signed, &c)) < 0)
		return -1;
	for (size_t i = 0; i < c.count; i++) {
		AUTO_PTR(profile) *profile = NULL;

		if (read_profile(a->build, c.profiles[i], &profile) < 0 ||
		    (profile != NULL && judge_profile(&c, i, profile) < 0))
			return -1;
	}
	return 0;
}

/* ---- CRLs and OCSP responses --------------------------------------------- */

static void
warn(const struct revoke_after *a, const char *id, const char *source,
    const char *text)
{
	findings_add(a->build->findings, FINDING_WARNING, id,
	    step_place(a->step, NULL), source, "%s", text);
}

/* Once for an issuer, at the last step that revokes. */
static int
check_crl(const struct revoke_after *a, const struct later *later)
{
	AUTO_CHARS(text) = NULL;

	if (later->crl || later->revokes)
		return 0;
	text =
	    text_printf("no later step makes a CRL of '%s': nobody learns "
			"of the revocation before there is one, which is due "
			"within 24 hours; put a crl step behind this one",
		a->issuer);
	if (text == NULL)
		return -1;
	warn(a, "CRL-24H", "BR 4.9.7", text);
	return 0;
}

static int
warn_good(const struct revoke_after *a, const struct later *later,
    const struct ocsp_stale *stale)
{
	char until[DATE_TEXT_SIZE];
	AUTO_CHARS(text) = NULL;

	date_format(stale->until, until);
	text = text_printf("%zu of the certificates that are revoked %s an "
			   "OCSP response in force: good until %s in '%s'; "
			   "whoever has it may go by it until then%s",
	    stale->good, stale->good == 1 ? "has" : "have", until, stale->batch,
	    later->ocsp ? ""
			: "; put an ocsp-responses step behind this one, so "
			  "that new ones replace it where it is served");
	if (text == NULL)
		return -1;
	warn(a, "OCS-CRL-AGREE", "BR 4.9.9", text);
	return 0;
}

static int
warn_responder(const struct revoke_after *a, const struct ocsp_stale *stale)
{
	char until[DATE_TEXT_SIZE];
	AUTO_CHARS(text) = NULL;

	date_format(stale->signed_until, until);
	text = text_printf("responder '%s' is revoked, and OCSP responses that "
			   "it signed are in force, the last of them until %s "
			   "in '%s'; replace them by those of another "
			   "responder, with an ocsp-responses step",
	    stale->responder, until, stale->signed_batch);
	if (text == NULL)
		return -1;
	warn(a, "OCS-CRL-AGREE", "BR 4.9.9", text);
	return 0;
}

static int
check_ocsp(const struct revoke_after *a, const struct later *later)
{
	AUTO_STRUCT(ocsp_stale) stale = { 0 };

	if (ocsp_stale_find(a->build->journal, a->view->dn, a->build->now,
		a->listing, &stale) < 0)
		return -1;
	if (stale.good > 0 && warn_good(a, later, &stale) < 0)
		return -1;
	return stale.signed_batch == NULL ? 0 : warn_responder(a, &stale);
}

int
revoke_check_after(const struct revoke_after *a)
{
	struct later later = { false };

	if (look_behind(a, note_step, &later) < 0 ||
	    check_reasons(a, &later) < 0 || check_crl(a, &later) < 0)
		return -1;
	return check_ocsp(a, &later);
}
