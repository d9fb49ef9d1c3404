/* Plans about which certificates are good: OCSP, revocation, imports. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/draft.h"
#include "profiles/crl.h"

enum { LISTED_MAX = 10 };

/* ---- OCSP ------------------------------------------------------------- */

/* The responder of an issuer that lasts longest, with its key on the token. */
struct responder {
	struct draft *draft;
	const struct draft_ca *ca;
	char *name;
	int64_t until;
	/* One that ends before the window does, so that it cannot be used. */
	char *ending;
	int64_t ending_until;
};

static void
responder_clear(struct responder *responder)
{
	free(responder->name);
	free(responder->ending);
}
CLEANUP_DEFINE_STRUCT(responder);

static int
has_key(struct draft *draft, const char *spki, bool *ret_has)
{
	AUTO_STRUCT(key_row) row = { 0 };
	AUTO_BYTES(digest) = NULL;
	bool found = false;
	size_t len = 0;

	if (text_unhex(spki, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "'%s' is no SHA-256", spki);
	if (journal_key_by_spki(draft->journal, digest, &found, &row) < 0)
		return -1;
	*ret_has = found && row.state == KEY_LIVE;
	return 0;
}

static int
keep_later(const struct object_row *row, char **ret_name, int64_t *ret_until)
{
	if (*ret_name != NULL && row->until <= *ret_until)
		return 0;
	free(*ret_name);
	*ret_until = row->until;
	*ret_name = text_copy(row->name);
	return *ret_name != NULL ? 0 : -1;
}

static int
take_responder(void *ctx, const struct object_row *row)
{
	struct responder *best = ctx;
	bool has = false, revoked = false;

	if (row->state != OBJECT_SIGNED || row->certificate_kind == NULL ||
	    strcmp(row->certificate_kind, "ocsp-responder") != 0 ||
	    !draft_same_text(row->issuer_dn, best->ca->dn) ||
	    row->until <= best->draft->now)
		return 0;
	if (has_key(best->draft, row->spki, &has) < 0 ||
	    journal_revocation(best->draft->journal, row->issuer_dn,
		row->serial, &revoked) < 0)
		return -1;
	if (!has || revoked)
		return 0;
	return row->until > best->draft->until
	    ? keep_later(row, &best->name, &best->until)
	    : keep_later(row, &best->ending, &best->ending_until);
}

/* Certificates to answer about: those of the journal, and imported ones. */
struct subjects {
	size_t known, elsewhere;
};
struct issued_count {
	size_t authorities, others;
};

static int
count_issued(void *ctx, const struct issued_row *row)
{
	struct issued_count *count = ctx;

	if (row->ca == 1)
		count->authorities++;
	else
		count->others++;
	return 0;
}

/* Is there anything to answer about, and somebody who may? */
static bool
wants_ocsp(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_sign(draft, ca);
}

static int
find_responder(struct draft *draft, const struct draft_ca *ca,
    struct responder *ret_responder, int64_t *ret_end)
{
	*ret_responder = (struct responder){ .draft = draft, .ca = ca };
	if (journal_each_object(draft->journal, NULL, "certificate",
		take_responder, ret_responder) < 0)
		return -1;
	*ret_end =
	    ret_responder->name != NULL && ret_responder->until < ca->until
	    ? ret_responder->until
	    : ca->until;
	return 0;
}

/* Why no responder signs them: the end of a sentence about the CA; malloc'd. */
static char *
no_responder(const struct responder *responder)
{
	return responder->ending == NULL
	    ? text_copy("has no responder whose key is on the token")
	    : text_printf(
		  "its responder '%s' ends on %s, which is too soon for "
		  "this plan",
		  responder->ending, draft_date(responder->ending_until).text);
}

/* *ret_all: the profile is about CAs and end entities alike. */
static int
put_responses(struct draft *draft, const struct draft_ca *ca,
    const struct responder *best, int64_t end, bool *ret_all)
{
	const char *responder = best->name;
	AUTO_CHARS(none) = no_responder(best);
	AUTO_CHARS(wish) = text_printf("%s-ocsp-%s", ca->name, draft->day);
	const struct profile *profile = NULL;
	AUTO_CHARS(name) = NULL;

	if (wish == NULL || none == NULL ||
	    draft_free_name(draft, "ocsp", wish, &name) < 0)
		return -1;
	draft_step(draft, "ocsp-responses");
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "issuer", ca->name);
	if (draft_put_profile(
		draft, PROFILE_OCSP_RESPONSE, ca, NULL, &profile) < 0)
		return -1;
	if (responder != NULL) {
		draft_say(draft, STEP_INDENT,
		    "The responder's certificate ends on %s.",
		    draft_date(end).text);
		draft_put(draft, STEP_INDENT, "responder", responder);
	} else {
		draft_say(draft, STEP_INDENT,
		    "Signed by the CA's own key: %s%s.",
		    best->ending == NULL ? "it " : "", none);
	}
	draft_put_validity(
	    draft, profile, end, responder != NULL ? responder : ca->name);
	draft_say_next_update(draft, profile, end);
	*ret_all = profile == NULL || profile_covers(profile) == COVERS_ALL;
	return 0;
}

/* A step for CAs and one for end entities: their limits differ. */
static int
put_steps(struct draft *draft, const struct draft_ca *ca,
    const struct issued_count *elsewhere)
{
	const struct {
		enum profile_covers covers;
		const char *what;
		struct subjects count;
	} sorts[] = {
		{ COVERS_CA, "CAs",
		    { ca->authorities, elsewhere->authorities } },
		{ COVERS_USER, "end entities",
		    { ca->leaves, elsewhere->others } },
	};
	AUTO_STRUCT(responder) responder = { 0 };
	int64_t end = 0;
	bool all = false;

	if (find_responder(draft, ca, &responder, &end) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		const struct subjects *count = &sorts[i].count;

		if (all || count->known + count->elsewhere == 0)
			continue;
		draft_gap(draft);
		draft_say(draft, 2,
		    "%s is %s. Certificates of %s that are still valid: %zu in "
		    "the journal, %zu issued elsewhere. A response for each, "
		    "revoked ones as revoked.",
		    ca->name, ca_state_name(ca->state), sorts[i].what,
		    count->known, count->elsewhere);
		draft->covers = sorts[i].covers;
		if (put_responses(draft, ca, &responder, end, &all) < 0)
			return -1;
	}
	return 0;
}

/*
 * The steps of one CA, or, in *ret_why, why it has none: then a sentence for
 * people, malloc'd.
 */
static int
ocsp_steps(struct draft *draft, const struct draft_ca *ca, char **ret_why)
{
	AUTO_STRUCT(responder) responder = { 0 };
	struct issued_count elsewhere = { 0 };
	AUTO_CHARS(lacking) = NULL;
	int64_t end = 0;
	bool none, nobody;

	if (find_responder(draft, ca, &responder, &end) < 0 ||
	    journal_each_issued(
		draft->journal, ca->dn, count_issued, &elsewhere) < 0)
		return -1;
	none = ca->authorities + ca->leaves + elsewhere.authorities +
		elsewhere.others ==
	    0;
	nobody = responder.name == NULL && !ca->signs_ocsp;
	lacking = no_responder(&responder);
	if (lacking == NULL)
		return -1;
	if (none)
		*ret_why = text_printf("%s has issued nothing that is still "
				       "valid: there is no status to sign",
		    ca->name);
	else if (nobody)
		*ret_why = text_printf(
		    "%s may not sign OCSP responses itself (its certificate "
		    "has no digitalSignature), and %s; 'ca-tool plan new "
		    "ocsp-responder %s' writes the plan for %s",
		    ca->name, lacking, ca->name,
		    responder.ending == NULL ? "one" : "another");
	if (none || nobody)
		return *ret_why != NULL ? 0 : -1;
	return put_steps(draft, ca, &elsewhere);
}

static int
ocsp_of_one(struct draft *draft, const struct draft_ca *ca)
{
	AUTO_CHARS(title) = text_printf("OCSP responses of %s", ca->name);
	AUTO_CHARS(why) = NULL;

	if (!wants_ocsp(draft, ca))
		return draft_refuse_state(ca, "OCSP responses");
	if (title == NULL || draft_head(draft, title) < 0 ||
	    ocsp_steps(draft, ca, &why) < 0)
		return -1;
	return why == NULL ? 0 : ca_error(CA_R_STATE, "%s", why);
}

/* One more sentence behind those in *text. */
static int
add_reason(char **text, const char *why)
{
	char *longer =
	    *text == NULL ? text_copy(why) : text_printf("%s; %s", *text, why);

	if (longer == NULL)
		return -1;
	free(*text);
	*text = longer;
	return 0;
}

static int
ocsp_of_all(struct draft *draft)
{
	AUTO_CHARS(reasons) = NULL;
	size_t steps = 0;

	if (draft_head(draft, "OCSP responses of all CAs") < 0)
		return -1;
	for (size_t i = 0; i < draft->ca_count; i++) {
		AUTO_CHARS(why) = NULL;

		if (!wants_ocsp(draft, &draft->cas[i]))
			continue;
		if (ocsp_steps(draft, &draft->cas[i], &why) < 0 ||
		    (why != NULL && add_reason(&reasons, why) < 0))
			return -1;
		if (why != NULL) {
			draft_gap(draft);
			draft_say(draft, 2, "Left out: %s.", why);
		}
		steps += why == NULL;
	}
	return steps > 0 ? 0 : ca_error(CA_R_STATE, "%s", reasons);
}

int
draft_ocsp(struct draft *draft)
{
	const struct draft_ca *one = NULL;

	if (draft_about(draft, wants_ocsp, &one) < 0)
		return -1;
	return one != NULL ? ocsp_of_one(draft, one) : ocsp_of_all(draft);
}

/* ---- revocation ------------------------------------------------------- */

struct in_force {
	const struct draft *draft;
	const struct draft_ca *ca;
	char *name;
	int64_t until; /* 0: there is none */
};

static void
in_force_clear(struct in_force *in_force)
{
	free(in_force->name);
}
CLEANUP_DEFINE_STRUCT(in_force);

static int
take_window(void *ctx, const struct ocsp_window_row *row)
{
	struct in_force *in_force = ctx;

	if (row->state == OBJECT_FAILED ||
	    !draft_same_text(row->issuer_dn, in_force->ca->dn) ||
	    row->until < in_force->draft->now || row->until < in_force->until)
		return 0;
	free(in_force->name);
	in_force->until = row->until;
	in_force->name = text_copy(row->name);
	return in_force->name != NULL ? 0 : -1;
}

/* OCS-CRL-AGREE: what is served says good until it is replaced. */
static int
replace_responses(struct draft *draft, const struct draft_ca *ca)
{
	AUTO_STRUCT(in_force) in_force = { .draft = draft, .ca = ca };
	AUTO_CHARS(why) = NULL;

	if (journal_each_ocsp_window(
		draft->journal, NULL, take_window, &in_force) < 0)
		return -1;
	if (in_force.until == 0)
		return 0;
	draft_gap(draft);
	draft_say(draft, 2,
	    "OCSP responses of %s are in force, the last until %s in '%s'. "
	    "They go on to say good of what is revoked here, so they are "
	    "replaced.",
	    ca->name, draft_date(in_force.until).text, in_force.name);
	if (ocsp_steps(draft, ca, &why) < 0)
		return -1;
	if (why != NULL)
		draft_say(
		    draft, 2, "No step can be written for that: %s.", why);
	return 0;
}

/* What follows a revocation: CRLs, and responses where there are some. */
static int
put_status(struct draft *draft, const struct draft_ca *ca)
{
	return draft_crl_steps(draft, ca) < 0 ? -1
					      : replace_responses(draft, ca);
}

struct listing {
	struct draft *draft;
	size_t count;
};

static int
list_certificate(void *ctx, const struct object_row *row)
{
	struct listing *listing = ctx;

	if (draft_same_text(row->issuer_dn, row->subject_dn))
		return 0; /* the root itself */
	if (listing->count++ < LISTED_MAX)
		draft_say(listing->draft, STEP_INDENT, "%s: %s, until %s",
		    row->serial, row->name, draft_date(row->until).text);
	return 0;
}

static int
list_certificates(struct draft *draft, const struct draft_ca *ca)
{
	const struct certificate_filter filter = {
		.issuer_dn = ca->dn, .alive = draft->now, .current = true
	};
	struct listing listing = { draft, 0 };

	draft_say(
	    draft, STEP_INDENT, "Certificates of %s that are good:", ca->name);
	if (journal_each_certificate(
		draft->journal, &filter, list_certificate, &listing) < 0)
		return -1;
	if (listing.count == 0)
		draft_say(draft, STEP_INDENT, "none that the journal knows");
	if (listing.count > LISTED_MAX)
		draft_say(draft, STEP_INDENT,
		    "and %zu more, with: ca-tool journal show --kind intent",
		    listing.count - LISTED_MAX);
	return 0;
}

/* Has the profile of its newest CRL the reason?  No CRL yet: it may. */
static int
takes_unspecified(
    struct draft *draft, const struct draft_ca *ca, bool *ret_takes)
{
	AUTO_STRUCT(object_row) row = { 0 };
	const struct profile *profile = NULL;
	bool found = false;

	if (ca != NULL &&
	    journal_crl_last(draft->journal, ca->dn, &found, &row) < 0)
		return -1;
	if (found && row.profile != NULL)
		profile = draft_profile(draft, row.profile);
	*ret_takes =
	    profile == NULL || profile_allows_reason(profile, REASON_NONE);
	return 0;
}

static int
write_revoke(struct draft *draft, const struct draft_ca *ca)
{
	bool unspecified = true;

	draft_gap(draft);
	draft_say(draft, 2, "A revocation cannot be undone.");
	draft_step(draft, "revoke");
	if (draft_put_issuer(draft, "issuer", ca, draft_signs_crls) < 0 ||
	    (ca != NULL && list_certificates(draft, ca) < 0))
		return -1;
	draft_say(draft, STEP_INDENT,
	    "In hex. Instead of serial, 'certificate: FILE' names it by a "
	    "file, and 'query: {under: example.org}' all of a domain; also "
	    "profile, spki, subject, name, from, until, plan.");
	draft_blank(draft, STEP_INDENT, "serial", "serial number in hex");
	if (takes_unspecified(draft, ca, &unspecified) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "keyCompromise, affiliationChanged, superseded, "
	    "cessationOfOperation or privilegeWithdrawn%s",
	    unspecified ? "; unspecified only for end entities" : "");
	draft_blank(draft, STEP_INDENT, "reason", "reason");
	draft_say(draft, STEP_INDENT,
	    "Where it is known since when the key was not safe: "
	    "'invalidity-date: 2026-11-01T00:00:00Z'.");
	if (ca != NULL)
		return put_status(draft, ca);
	draft_gap(draft);
	draft_say(draft, 2,
	    "It takes effect with the next CRL: put the steps that 'ca-tool "
	    "plan new crl' writes for this issuer behind it.");
	return 0;
}

/* The CA that NAME names, whose revocations can still be published. */
static int
about_revocations(struct draft *draft, const struct draft_ca **ret_ca)
{
	if (draft_about(draft, draft_signs_crls, ret_ca) < 0)
		return -1;
	if (*ret_ca != NULL && !draft_signs_crls(draft, *ret_ca))
		return draft_refuse_state(*ret_ca, "CRLs");
	return 0;
}

static int
head_about(struct draft *draft, const char *what, const struct draft_ca *ca)
{
	AUTO_CHARS(title) = ca == NULL
	    ? text_copy(what)
	    : text_printf("%s of %s", what, ca->name);

	return title == NULL ? -1 : draft_head(draft, title);
}

int
draft_revoke(struct draft *draft)
{
	const struct draft_ca *ca = NULL;

	if (about_revocations(draft, &ca) < 0 ||
	    head_about(draft, "Revocation of certificates", ca) < 0)
		return -1;
	return write_revoke(draft, ca);
}

/* ---- upgrade-revocation ----------------------------------------------- */

static int
list_revocation(void *ctx, const struct revocation_row *row)
{
	struct listing *listing = ctx;

	if (strcmp(row->reason, "keyCompromise") == 0)
		return 0;
	if (listing->count++ < LISTED_MAX)
		draft_say(listing->draft, STEP_INDENT, "%s: %s, since %s",
		    row->serial, row->reason, draft_date(row->date).text);
	return 0;
}

int
draft_upgrade(struct draft *draft)
{
	const struct draft_ca *ca = NULL;
	struct listing listing = { draft, 0 };

	if (about_revocations(draft, &ca) < 0 ||
	    head_about(draft, "Key compromise of a revoked certificate", ca) <
		0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "The one change that a revocation can have: its reason becomes "
	    "keyCompromise.");
	draft_step(draft, "upgrade-revocation");
	if (draft_put_issuer(draft, "issuer", ca, draft_signs_crls) < 0)
		return -1;
	if (ca != NULL)
		draft_say(draft, STEP_INDENT,
		    "Revoked by %s for another reason:", ca->name);
	if (ca != NULL &&
	    journal_each_revocation(
		draft->journal, ca->dn, list_revocation, &listing) < 0)
		return -1;
	if (ca != NULL && listing.count == 0)
		draft_say(draft, STEP_INDENT, "none");
	if (listing.count > LISTED_MAX)
		draft_say(draft, STEP_INDENT, "and %zu more",
		    listing.count - LISTED_MAX);
	draft_blank(draft, STEP_INDENT, "serial", "serial number in hex");
	draft_say(draft, STEP_INDENT,
	    "Where it was compromised before the day of its revocation: "
	    "'date: 2026-11-01T00:00:00Z', which may be earlier than that "
	    "one, never later.");
	return ca != NULL ? put_status(draft, ca) : 0;
}

/* ---- imports ---------------------------------------------------------- */

static int
write_import(struct draft *draft, const char *kind, const char *title,
    const char *formats, const struct draft_ca **ret_ca)
{
	if (about_revocations(draft, ret_ca) < 0 ||
	    head_about(draft, title, *ret_ca) < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "All of the file is taken in, or, where one line of it is wrong, "
	    "nothing.");
	draft_step(draft, kind);
	if (draft_put_issuer(draft, "issuer", *ret_ca, draft_signs_crls) < 0)
		return -1;
	draft_say(draft, STEP_INDENT, "%s", formats);
	draft_blank(draft, STEP_INDENT, "format", "format");
	draft_say(draft, STEP_INDENT,
	    "a file, or for certificates a directory, relative to this plan");
	draft_blank(draft, STEP_INDENT, "file", "file");
	return 0;
}

int
draft_import_revocations(struct draft *draft)
{
	const struct draft_ca *ca = NULL;
	bool unspecified = true;

	if (write_import(draft, "import-revocations",
		"Revocations of certificates issued elsewhere",
		"csv, index.txt (of openssl ca), crl (signed by the same key), "
		"or certificates",
		&ca) < 0)
		return -1;
	if (takes_unspecified(draft, ca, &unspecified) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "Where the file gives no reason: 'reason: superseded', say%s.",
	    unspecified ? "; without that line it is unspecified"
			: ", which is needed there: the profile of its CRL has "
			  "no unspecified");
	return ca != NULL ? put_status(draft, ca) : 0;
}

int
draft_import_issued(struct draft *draft)
{
	const struct draft_ca *ca = NULL;

	return write_import(draft, "import-issued",
	    "Certificates issued elsewhere",
	    "csv, index.txt (of openssl ca), or certificates", &ca);
}
