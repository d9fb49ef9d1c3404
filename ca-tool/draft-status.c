/* Plans about which certificates are good: CRLs, OCSP, revocation, imports. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/draft.h"

enum { LISTED_MAX = 10 };

/* "ends on 2027-05-22, in 182 days", "ended on 2026-11-19, 2 days ago". */
static char *
end_text(const struct draft *draft, int64_t end)
{
	bool over = end < draft->now;
	int64_t seconds = over ? draft->now - end : end - draft->now;
	AUTO_CHARS(text) = duration_format(
	    seconds < DAY_SECONDS ? seconds : seconds - seconds % DAY_SECONDS);

	if (text == NULL)
		return NULL;
	return text_printf("%s on %s, %s%s%s", over ? "ended" : "ends",
	    draft_date(end).text, over ? "" : "in ", text, over ? " ago" : "");
}

/* ---- CRLs ------------------------------------------------------------- */

/* The newest CRL of each scope of an issuer. */
struct scope {
	char *name, *profile, *url; /* url: NULL for a full one */
	uint64_t number, entries;
	int64_t from, until;
};
struct scopes {
	const char *dn;
	struct scope *rows;
	size_t count;
};

static void
scope_clear(struct scope *scope)
{
	free(scope->name);
	free(scope->profile);
	free(scope->url);
	*scope = (struct scope){ 0 };
}

static void
scopes_clear(struct scopes *scopes)
{
	for (size_t i = 0; i < scopes->count; i++)
		scope_clear(&scopes->rows[i]);
	free(scopes->rows);
	*scopes = (struct scopes){ 0 };
}
CLEANUP_DEFINE_STRUCT(scopes);

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* CRLs for CAs and for end entities may share a URL. */
static struct scope *
scope_of(struct scopes *scopes, const struct object_row *row)
{
	struct scope *more;

	for (size_t i = 0; i < scopes->count; i++)
		if (same_text(scopes->rows[i].url, row->crl_url) &&
		    (row->crl_url == NULL || row->profile == NULL ||
			same_text(scopes->rows[i].profile, row->profile)))
			return &scopes->rows[i];
	more = reallocarray(
	    scopes->rows, scopes->count + 1, sizeof(*scopes->rows));
	if (more == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for CRLs");
		return NULL;
	}
	scopes->rows = more;
	more[scopes->count] = (struct scope){ 0 };
	return &more[scopes->count++];
}

static int
take_crl(void *ctx, const struct object_row *row)
{
	struct scopes *scopes = ctx;
	struct scope *scope;

	if (row->state != OBJECT_SIGNED || row->issuer_dn == NULL ||
	    strcmp(row->issuer_dn, scopes->dn) != 0)
		return 0;
	scope = scope_of(scopes, row);
	if (scope == NULL)
		return -1;
	scope_clear(scope);
	scope->number = row->number;
	scope->entries = row->entries;
	scope->from = row->from;
	scope->until = row->until;
	scope->name = text_copy(row->name);
	if (scope->name == NULL ||
	    (row->profile != NULL &&
		(scope->profile = text_copy(row->profile)) == NULL) ||
	    (row->crl_url != NULL &&
		(scope->url = text_copy(row->crl_url)) == NULL))
		return -1;
	return 0;
}

static int
say_scope(struct draft *draft, const struct scope *scope)
{
	AUTO_CHARS(end) = end_text(draft, scope->until);

	if (end == NULL)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "It follows '%s', number %llu of %s with %llu entries, which %s.",
	    scope->name, (unsigned long long)scope->number,
	    draft_date(scope->from).text, (unsigned long long)scope->entries,
	    end);
	return 0;
}

static void
say_next_update(struct draft *draft, const struct profile *profile, int64_t end)
{
	int64_t life = profile == NULL ? 0 : profile_validity_default(profile);
	AUTO_CHARS(text) = duration_format(life);

	if (profile == NULL || text == NULL || end - draft->until < life)
		return;
	draft_say(draft, STEP_INDENT,
	    "nextUpdate: %s after it is signed, so about %s.", text,
	    draft_date(draft->now + life).text);
}

/* `scope` is that of the CRL before it, or NULL. */
static int
put_crl(
    struct draft *draft, const struct draft_ca *ca, const struct scope *scope)
{
	AUTO_CHARS(wish) = text_printf("%s-%s", ca->name, draft->day);
	const struct profile *profile = NULL;
	AUTO_CHARS(name) = NULL;

	if (wish == NULL || draft_free_name(draft, "crl", wish, &name) < 0)
		return -1;
	draft_step(draft, "crl");
	if (scope != NULL && say_scope(draft, scope) < 0)
		return -1;
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "issuer", ca->name);
	if (draft_put_profile(draft, PROFILE_CRL, ca,
		scope != NULL ? scope->profile : NULL, &profile) < 0)
		return -1;
	if (scope != NULL && scope->url != NULL)
		draft_put(draft, STEP_INDENT, "url", scope->url);
	draft_put_validity(draft, profile, ca->until, ca->name);
	say_next_update(draft, profile, ca->until);
	return 0;
}

/* What is said before the CRLs of a CA. */
static int
say_ca(struct draft *draft, const struct draft_ca *ca)
{
	uint64_t next = 0, revoked = 0;

	if (journal_crl_next_number(draft->journal, ca->dn, &next) < 0 ||
	    journal_revocation_count(draft->journal, ca->dn, &revoked) < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "%s is %s, and its certificate ends on %s. It has revoked %llu "
	    "so far. The number of its next CRL is %llu.",
	    ca->name, ca_state_name(ca->state), draft_date(ca->until).text,
	    (unsigned long long)revoked, (unsigned long long)next);
	if (ca->state == CA_RETIRING && ca->last_end < draft->now)
		draft_say(draft, 2,
		    "Everything that it issued has ended: this can be its last "
		    "CRL. Then add the line 'last: true' to the step, and "
		    "retire it with a ca-state step behind it.");
	return 0;
}

int
draft_crl_steps(struct draft *draft, const struct draft_ca *ca)
{
	AUTO_STRUCT(scopes) scopes = { .dn = ca->dn };

	if (journal_each_object(
		draft->journal, NULL, "crl", take_crl, &scopes) < 0 ||
	    say_ca(draft, ca) < 0)
		return -1;
	if (scopes.count == 0) {
		draft_say(draft, 2, "It has signed no CRL yet.");
		return put_crl(draft, ca, NULL);
	}
	for (size_t i = 0; i < scopes.count; i++)
		if (put_crl(draft, ca, &scopes.rows[i]) < 0)
			return -1;
	return 0;
}

static bool
signs_crls(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_sign(draft, ca) && ca->signs_crls;
}

static int
refuse_state(const struct draft_ca *ca, const char *what)
{
	return ca_error(CA_R_STATE,
	    "'%s' is %s%s, so it signs no %s; 'ca-tool ca list' shows the "
	    "others",
	    ca->name, ca_state_name(ca->state),
	    ca->state == CA_ACTIVE || ca->state == CA_RETIRING
		? ", but its certificate has ended or does not allow it"
		: "",
	    what);
}

int
draft_crl(struct draft *draft)
{
	const struct draft_ca *one = NULL;
	AUTO_CHARS(title) = NULL;

	if (draft_about(draft, signs_crls, &one) < 0)
		return -1;
	if (one != NULL && !signs_crls(draft, one))
		return refuse_state(one, "CRLs");
	title = one != NULL ? text_printf("CRL of %s", one->name)
			    : text_copy("CRLs of all CAs");
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	if (one != NULL)
		return draft_crl_steps(draft, one);
	for (size_t i = 0; i < draft->ca_count; i++)
		if (signs_crls(draft, &draft->cas[i]) &&
		    draft_crl_steps(draft, &draft->cas[i]) < 0)
			return -1;
	return 0;
}

/* ---- OCSP ------------------------------------------------------------- */

/* The responder of an issuer that lasts longest, with its key on the token. */
struct responder {
	struct draft *draft;
	const struct draft_ca *ca;
	char *name;
	int64_t until;
};

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
take_responder(void *ctx, const struct object_row *row)
{
	struct responder *best = ctx;
	bool has = false, revoked = false;

	if (row->state != OBJECT_SIGNED || row->certificate_kind == NULL ||
	    strcmp(row->certificate_kind, "ocsp-responder") != 0 ||
	    !same_text(row->issuer_dn, best->ca->dn) ||
	    row->until <= best->draft->until || row->until <= best->until)
		return 0;
	if (has_key(best->draft, row->spki, &has) < 0 ||
	    journal_revocation(best->draft->journal, row->issuer_dn,
		row->serial, &revoked) < 0)
		return -1;
	if (!has || revoked)
		return 0;
	free(best->name);
	best->until = row->until;
	best->name = text_copy(row->name);
	return best->name != NULL ? 0 : -1;
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
find_responder(struct draft *draft, const struct draft_ca *ca, char **ret_name,
    int64_t *ret_end)
{
	struct responder best = { .draft = draft, .ca = ca };

	if (journal_each_object(draft->journal, NULL, "certificate",
		take_responder, &best) < 0) {
		free(best.name);
		return -1;
	}
	*ret_name = best.name;
	*ret_end = best.name != NULL && best.until < ca->until ? best.until
							       : ca->until;
	return 0;
}

/* *ret_all: the profile is about CAs and end entities alike. */
static int
put_responses(struct draft *draft, const struct draft_ca *ca,
    const char *responder, int64_t end, bool *ret_all)
{
	AUTO_CHARS(wish) = text_printf("%s-ocsp-%s", ca->name, draft->day);
	const struct profile *profile = NULL;
	AUTO_CHARS(name) = NULL;

	if (wish == NULL || draft_free_name(draft, "ocsp", wish, &name) < 0)
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
		    "Signed by the CA's own key: it has no responder whose key "
		    "is on the token.");
	}
	draft_put_validity(
	    draft, profile, end, responder != NULL ? responder : ca->name);
	say_next_update(draft, profile, end);
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
	AUTO_CHARS(responder) = NULL;
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
		if (put_responses(draft, ca, responder, end, &all) < 0)
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
	AUTO_CHARS(responder) = NULL;
	struct issued_count elsewhere = { 0 };
	int64_t end = 0;
	bool none, nobody;

	if (find_responder(draft, ca, &responder, &end) < 0 ||
	    journal_each_issued(
		draft->journal, ca->dn, count_issued, &elsewhere) < 0)
		return -1;
	none = ca->authorities + ca->leaves + elsewhere.authorities +
		elsewhere.others ==
	    0;
	nobody = responder == NULL && !ca->signs_ocsp;
	if (none)
		*ret_why = text_printf("%s has issued nothing that is still "
				       "valid: there is no status to sign",
		    ca->name);
	else if (nobody)
		*ret_why = text_printf(
		    "%s may not sign OCSP responses itself (its certificate "
		    "has no digitalSignature), and has no responder whose key "
		    "is on the token; 'ca-tool plan new ocsp-responder %s' "
		    "writes the plan for one",
		    ca->name, ca->name);
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
		return refuse_state(ca, "OCSP responses");
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

struct listing {
	struct draft *draft;
	size_t count;
};

static int
list_certificate(void *ctx, const struct object_row *row)
{
	struct listing *listing = ctx;

	if (same_text(row->issuer_dn, row->subject_dn))
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

static int
write_revoke(struct draft *draft, const struct draft_ca *ca)
{
	draft_gap(draft);
	draft_say(draft, 2, "A revocation cannot be undone.");
	draft_step(draft, "revoke");
	if (draft_put_issuer(draft, "issuer", ca, signs_crls) < 0 ||
	    (ca != NULL && list_certificates(draft, ca) < 0))
		return -1;
	draft_say(draft, STEP_INDENT,
	    "In hex. Instead of serial, 'certificate: FILE' names it by a "
	    "file, and 'query: {under: example.org}' all of a domain; also "
	    "profile, spki, subject, name, from, until, plan.");
	draft_blank(draft, STEP_INDENT, "serial", "serial number in hex");
	draft_say(draft, STEP_INDENT,
	    "keyCompromise, affiliationChanged, superseded, "
	    "cessationOfOperation or privilegeWithdrawn; unspecified only for "
	    "end entities");
	draft_blank(draft, STEP_INDENT, "reason", "reason");
	draft_say(draft, STEP_INDENT,
	    "Where it is known since when the key was not safe: "
	    "'invalidity-date: 2026-11-01T00:00:00Z'.");
	if (ca != NULL)
		return draft_crl_steps(draft, ca);
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
	if (draft_about(draft, signs_crls, ret_ca) < 0)
		return -1;
	if (*ret_ca != NULL && !signs_crls(draft, *ret_ca))
		return refuse_state(*ret_ca, "CRLs");
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
	if (draft_put_issuer(draft, "issuer", ca, signs_crls) < 0)
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
	return ca != NULL ? draft_crl_steps(draft, ca) : 0;
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
	if (draft_put_issuer(draft, "issuer", *ret_ca, signs_crls) < 0)
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

	if (write_import(draft, "import-revocations",
		"Revocations of certificates issued elsewhere",
		"csv, index.txt (of openssl ca), crl (signed by the same key), "
		"or certificates",
		&ca) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "Where the file gives no reason: 'reason: superseded', say.");
	return ca != NULL ? draft_crl_steps(draft, ca) : 0;
}

int
draft_import_issued(struct draft *draft)
{
	const struct draft_ca *ca = NULL;

	return write_import(draft, "import-issued",
	    "Certificates issued elsewhere",
	    "csv, index.txt (of openssl ca), or certificates", &ca);
}
