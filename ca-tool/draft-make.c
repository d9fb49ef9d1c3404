/* Plans that make certificates. */
#include <string.h>

#include "base/algorithm.h"
#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/draft.h"

/* ---- keys ------------------------------------------------------------- */

struct new_key {
	const char *name, *type, *purpose, *backup;
};

/* `type` where the profile allows it, else the first that it allows. */
static const char *
fitting_type(const struct profile *profile, const char *type)
{
	const struct key_type *row = key_type_by_name(type);

	if (profile == NULL ||
	    (row != NULL && profile_allows_key(profile, row)))
		return type;
	for (size_t i = 0; (row = key_type_at(i)) != NULL; i++)
		if (profile_allows_key(profile, row))
			return row->name;
	return type;
}

static void
put_key(struct draft *draft, const struct new_key *key)
{
	draft_gap(draft);
	draft_say(draft, 2,
	    "A new key, made on the token, where it stays. Type and backup are "
	    "fixed for ever.");
	draft_step(draft, "generate-key");
	draft_put(draft, STEP_INDENT, "key", key->name);
	draft_put(draft, STEP_INDENT, "type", key->type);
	draft_put(draft, STEP_INDENT, "purpose", key->purpose);
	draft_put(draft, STEP_INDENT, "backup", key->backup);
}

static char *
free_key_name(struct draft *draft, const char *wish)
{
	char *name = NULL;

	return draft_free_name(draft, "key", wish, &name) == 0 ? name : NULL;
}

/* Of the kind, with the rules of `like`'s own; NULL: there are several. */
static const struct profile *
likely_profile(const struct draft *draft, enum profile_kind kind,
    const struct draft_ca *like)
{
	const struct profile *found = NULL,
			     *own = like == NULL
	    ? NULL
	    : draft_profile(draft, like->profile != NULL ? like->profile : "");
	size_t count = 0;

	for (size_t i = 0; i < draft->profile_count; i++) {
		const struct profile *row = draft->profiles[i].profile;

		if (profile_kind(row) != kind ||
		    (own != NULL &&
			profile_rulesets(row) != profile_rulesets(own)))
			continue;
		found = row;
		count++;
	}
	return count == 1 ? found : NULL;
}

/* The profile called so, where it is there and of this kind. */
static const struct profile *
named_profile(
    const struct draft *draft, const char *name, enum profile_kind kind)
{
	const struct profile *profile =
	    name == NULL ? NULL : draft_profile(draft, name);

	return profile != NULL && profile_kind(profile) == kind ? profile
								: NULL;
}

/* ---- roots ------------------------------------------------------------ */

/* The newest root, after which another one is named. */
static const struct draft_ca *
last_root(const struct draft *draft)
{
	const struct draft_ca *last = NULL;

	for (size_t i = 0; i < draft->ca_count; i++)
		if (draft->cas[i].root && !draft->cas[i].adopted &&
		    (last == NULL || draft->cas[i].from >= last->from))
			last = &draft->cas[i];
	return last;
}

/* Common name of the next one after `ca`, which may be NULL; malloc'd. */
static int
next_common_name(const struct draft_ca *ca, char **ret_name)
{
	AUTO_CHARS(name) = NULL;

	if (ca == NULL ||
	    draft_attribute(ca->certificate, "common-name", &name) < 0)
		return ca == NULL ? 0 : -1;
	if (name == NULL)
		return 0;
	*ret_name = draft_next_title(name);
	return *ret_name != NULL ? 0 : -1;
}

/* A CRL of a CA that this plan makes; `covers`: whom it issues to. */
static int
put_first_crl(struct draft *draft, const char *name,
    const struct draft_ca *like, enum profile_covers covers)
{
	const struct profile *profile = NULL;
	AUTO_CHARS(crl) = NULL;

	if (draft_free_name(draft, "crl", name, &crl) < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "Its first CRL, so that it can be checked from the "
	    "first day.");
	draft_step(draft, "crl");
	draft_put(draft, STEP_INDENT, "name", crl);
	draft_put(draft, STEP_INDENT, "issuer", name);
	draft->covers = covers;
	return draft_put_profile(draft, PROFILE_CRL, like, NULL, &profile);
}

/* `before`: the root that it takes after, or NULL.  *ret_key is malloc'd. */
static int
write_root(struct draft *draft, const char *wish, const struct draft_ca *before,
    char **ret_key)
{
	const struct profile *profile = named_profile(
	    draft, before == NULL ? NULL : before->profile, PROFILE_ROOT);
	AUTO_CHARS(key) = free_key_name(draft, wish);
	AUTO_CHARS(common_name) = NULL;
	AUTO_CHARS(name) = NULL;

	if (profile == NULL)
		profile = likely_profile(draft, PROFILE_ROOT, before);
	if (key == NULL ||
	    draft_free_name(draft, "certificate", wish, &name) < 0 ||
	    next_common_name(before, &common_name) < 0)
		return -1;
	put_key(draft,
	    &(struct new_key){ key,
		fitting_type(
		    profile, before == NULL ? "p-384" : before->key_type),
		"ca", before == NULL ? "none" : before->backup });
	draft_gap(draft);
	draft_step(draft, "root");
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "key", key);
	if (draft_put_profile(draft, PROFILE_ROOT, before,
		before == NULL ? NULL : before->profile, &profile) < 0 ||
	    draft_put_subject(draft, profile,
		before == NULL ? NULL : before->certificate, common_name) < 0)
		return -1;
	if (put_first_crl(draft, name, before, COVERS_CA) < 0)
		return -1;
	*ret_key = TAKE(key);
	return 0;
}

int
draft_root(struct draft *draft)
{
	const struct draft_ca *before = last_root(draft);
	AUTO_CHARS(next) =
	    before == NULL ? NULL : draft_next_name(before->name);
	AUTO_CHARS(title) = NULL;
	AUTO_CHARS(key) = NULL;
	const char *wish = draft->name;

	if (before != NULL && next == NULL)
		return -1;
	if (wish == NULL)
		wish = next != NULL ? next : "root-g1";
	title = text_printf("New root %s", wish);
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	return write_root(draft, wish, before, &key);
}

/* ---- CAs below others ------------------------------------------------- */

static bool
issues_cas(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_issue(draft, ca) && ca->path_length != 0 &&
	    ca->leaves == 0;
}

static bool
issues_policy_cas(const struct draft *draft, const struct draft_ca *ca)
{
	return issues_cas(draft, ca) && ca->root;
}

/* The only one that fits, or NULL; CA_R_MISSING where none does. */
static int
only_issuer(const struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    const char *what, const struct draft_ca **ret_ca)
{
	size_t count = 0;

	for (size_t i = 0; i < draft->ca_count; i++)
		if (fits(draft, &draft->cas[i])) {
			*ret_ca = &draft->cas[i];
			count++;
		}
	if (count == 0)
		return ca_error(CA_R_MISSING,
		    "no CA of this authority can issue %s: it must be active, "
		    "still valid after the plan's window, and have path "
		    "length left",
		    what);
	if (count > 1)
		*ret_ca = NULL;
	return 0;
}

/* A CA below another one, in the words of one kind of plan. */
struct subordinate {
	const char *wish;              /* its name */
	const char *profile;           /* usual name of its profile */
	const struct draft_ca *issuer; /* NULL: to be chosen */
	bool (*fits)(const struct draft *draft, const struct draft_ca *ca);
	/* Whose place it takes, and so its subject; or NULL. */
	const struct draft_ca *before;
};

static int
put_ca_fields(struct draft *draft, const struct subordinate *sub,
    const struct profile *wanted, const char *common_name)
{
	const struct draft_ca *like =
	    sub->before != NULL ? sub->before : sub->issuer;
	const struct profile *profile = NULL;

	if (draft_put_profile(draft, PROFILE_SUBORDINATE, like,
		wanted != NULL ? profile_id(wanted) : NULL, &profile) < 0 ||
	    draft_put_subject(draft, profile,
		like == NULL ? NULL : like->certificate, common_name) < 0)
		return -1;
	if (sub->issuer != NULL)
		draft_put_validity(
		    draft, profile, sub->issuer->until, sub->issuer->name);
	return 0;
}

/* *ret_name and *ret_key are malloc'd. */
static int
put_subordinate(struct draft *draft, const struct subordinate *sub,
    char **ret_name, char **ret_key)
{
	const struct draft_ca *like =
	    sub->before != NULL ? sub->before : sub->issuer;
	const struct profile *profile =
	    named_profile(draft, sub->profile, PROFILE_SUBORDINATE);
	AUTO_CHARS(key) = free_key_name(draft, sub->wish);
	AUTO_CHARS(common_name) = NULL;
	AUTO_CHARS(name) = NULL;

	if (key == NULL ||
	    draft_free_name(draft, "certificate", sub->wish, &name) < 0 ||
	    next_common_name(sub->before, &common_name) < 0)
		return -1;
	put_key(draft,
	    &(struct new_key){ key,
		fitting_type(profile, like == NULL ? "p-384" : like->key_type),
		"ca", like == NULL ? "none" : like->backup });
	draft_gap(draft);
	if (sub->before == NULL)
		draft_say(draft, 2,
		    "Where the key is on another machine: leave out the step "
		    "above and the CRL below, and write 'csr: FILE' instead of "
		    "'key' here.");
	draft_step(draft, "subordinate");
	draft_put(draft, STEP_INDENT, "name", name);
	if (draft_put_issuer(draft, "issuer", sub->issuer, sub->fits) < 0)
		return -1;
	draft_put(draft, STEP_INDENT, "key", key);
	if (put_ca_fields(draft, sub, profile, common_name) < 0)
		return -1;
	*ret_name = TAKE(name);
	*ret_key = TAKE(key);
	return 0;
}

/* NAME, or the first generation of `usual` that is not there; malloc'd. */
static char *
subordinate_name(const struct draft *draft, const char *usual)
{
	AUTO_CHARS(name) = text_copy(draft->name != NULL ? draft->name : usual);

	while (name != NULL && draft->name == NULL &&
	    draft_ca(draft, name) != NULL) {
		char *next = draft_next_name(name);

		free(name);
		name = next;
	}
	return TAKE(name);
}

/* Of the newest CA below this issuer, as it was done last time. */
static const char *
profile_below(const struct draft *draft, const struct draft_ca *issuer)
{
	const struct draft_ca *last = NULL;

	for (size_t i = 0; issuer != NULL && i < draft->ca_count; i++) {
		const struct draft_ca *ca = &draft->cas[i];

		if (!ca->root && ca->issuer != NULL &&
		    strcmp(ca->issuer, issuer->name) == 0 &&
		    (last == NULL || ca->from >= last->from))
			last = ca;
	}
	return last != NULL ? last->profile : NULL;
}

static int
write_subordinate(struct draft *draft, struct subordinate *sub,
    const char *usual, const char *what)
{
	AUTO_CHARS(wish) = subordinate_name(draft, usual);
	AUTO_CHARS(title) =
	    wish == NULL ? NULL : text_printf("New %s %s", what, wish);
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(key) = NULL;

	sub->wish = wish;
	if (title == NULL ||
	    only_issuer(draft, sub->fits, what, &sub->issuer) < 0)
		return -1;
	if (sub->profile == NULL)
		sub->profile = profile_below(draft, sub->issuer);
	if (draft_head(draft, title) < 0 ||
	    put_subordinate(draft, sub, &name, &key) < 0)
		return -1;
	return put_first_crl(draft, name, sub->issuer,
	    sub->fits == issues_cas ? COVERS_USER : COVERS_CA);
}

int
draft_policy_ca(struct draft *draft)
{
	struct subordinate sub = {
		.profile = "policy-ca",
		.fits = issues_policy_cas,
	};

	return write_subordinate(draft, &sub, "policy-g1", "policy CA");
}

int
draft_issuing_ca(struct draft *draft)
{
	struct subordinate sub = { .fits = issues_cas };

	return write_subordinate(draft, &sub, "issuing-g1", "issuing CA");
}

/* ---- cross certificates ----------------------------------------------- */

int
draft_cross(struct draft *draft)
{
	const char *wish = draft->name != NULL ? draft->name : "cross";
	AUTO_CHARS(title) = text_printf("Cross certificate %s", wish);
	const struct draft_ca *issuer = NULL;
	const struct profile *profile = NULL;
	AUTO_CHARS(name) = NULL;

	if (title == NULL ||
	    only_issuer(draft, issues_cas, "a cross certificate", &issuer) <
		0 ||
	    draft_head(draft, title) < 0 ||
	    draft_free_name(draft, "certificate", wish, &name) < 0)
		return -1;
	draft_gap(draft);
	draft_say(
	    draft, 2, "Who trusts the issuer comes to trust the other CA too.");
	draft_step(draft, "cross");
	draft_put(draft, STEP_INDENT, "name", name);
	if (draft_put_issuer(draft, "issuer", issuer, issues_cas) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "The other CA's certificate, relative to this plan; its subject, "
	    "key and key identifier are copied octet for octet. Where it is "
	    "not self-signed, add 'csr: FILE'; where it is one of this "
	    "authority's own, 'key: NAME'.");
	draft_blank(draft, STEP_INDENT, "existing", "certificate file");
	if (draft_put_profile(draft, PROFILE_CROSS, issuer, NULL, &profile) < 0)
		return -1;
	if (issuer != NULL)
		draft_put_validity(draft, profile, issuer->until, issuer->name);
	return 0;
}

/* ---- OCSP responders -------------------------------------------------- */

/* The newest responder of an issuer, in whose steps the next one follows. */
struct last_responder {
	const char *dn;
	char *name, *profile;
	int64_t from, until;
};

static int
take_responder(void *ctx, const struct object_row *row)
{
	struct last_responder *last = ctx;

	if (row->state != OBJECT_SIGNED || row->certificate_kind == NULL ||
	    strcmp(row->certificate_kind, "ocsp-responder") != 0 ||
	    row->issuer_dn == NULL || strcmp(row->issuer_dn, last->dn) != 0 ||
	    row->from < last->from)
		return 0;
	free(last->name);
	free(last->profile);
	last->from = row->from;
	last->until = row->until;
	last->name = text_copy(row->name);
	last->profile = text_copy(row->profile != NULL ? row->profile : "");
	return last->name != NULL && last->profile != NULL ? 0 : -1;
}

static void
last_responder_clear(struct last_responder *last)
{
	free(last->name);
	free(last->profile);
	*last = (struct last_responder){ 0 };
}
CLEANUP_DEFINE_STRUCT(last_responder);

static bool
signs_responders(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_sign(draft, ca) && !ca->revoked &&
	    ca->until > draft->until;
}

static char *
responder_common_name(const struct draft_ca *ca, const char *day)
{
	AUTO_CHARS(name) = NULL;

	if (draft_attribute(ca->certificate, "common-name", &name) < 0)
		return NULL;
	return text_printf(
	    "%s OCSP Responder %.7s", name != NULL ? name : ca->name, day);
}

static void
say_overlap(struct draft *draft, const struct last_responder *last)
{
	if (last->name != NULL)
		draft_say(draft, 2,
		    "It follows '%s', which ends on %s: until then responses "
		    "of both are good, so neither has to be replaced in a "
		    "hurry.",
		    last->name, draft_date(last->until).text);
}

static int
write_responder(struct draft *draft, const struct draft_ca *ca,
    const struct last_responder *last)
{
	const struct profile *profile =
	    named_profile(draft, last->profile, PROFILE_OCSP_RESPONDER);
	AUTO_CHARS(wish) = last->name != NULL
	    ? draft_next_name(last->name)
	    : text_printf("%s-ocsp-g1", ca->name);
	AUTO_CHARS(key) = wish == NULL ? NULL : free_key_name(draft, wish);
	AUTO_CHARS(common_name) = responder_common_name(ca, draft->day);
	AUTO_CHARS(name) = NULL;

	if (profile == NULL)
		profile = likely_profile(draft, PROFILE_OCSP_RESPONDER, ca);
	if (key == NULL || common_name == NULL ||
	    draft_free_name(draft, "certificate", wish, &name) < 0)
		return -1;
	put_key(draft,
	    &(struct new_key){
		key, fitting_type(profile, ca->key_type), "ocsp", "none" });
	draft_gap(draft);
	say_overlap(draft, last);
	draft_say(draft, 2,
	    "Where the responder runs elsewhere and has its own key: leave out "
	    "the step above, and write 'csr: FILE' instead of 'key' here.");
	draft_step(draft, "ocsp-responder");
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "issuer", ca->name);
	draft_put(draft, STEP_INDENT, "key", key);
	if (draft_put_profile(draft, PROFILE_OCSP_RESPONDER, ca, last->profile,
		&profile) < 0 ||
	    draft_put_subject(draft, profile, ca->certificate, common_name) < 0)
		return -1;
	draft_put_validity(draft, profile, ca->until, ca->name);
	return 0;
}

/* NAME or the only one: here no blank, since all else follows from it. */
static int
need_one(struct draft *draft,
    bool (*fits)(const struct draft *draft, const struct draft_ca *ca),
    const struct draft_ca **ret_ca)
{
	AUTO_CHARS(choices) = NULL;

	if (draft_about(draft, fits, ret_ca) < 0)
		return -1;
	if (*ret_ca != NULL && fits(draft, *ret_ca))
		return 0;
	if (*ret_ca != NULL)
		return ca_error(CA_R_STATE,
		    "'%s' is %s%s, so it cannot do this; 'ca-tool ca list' "
		    "shows the others",
		    (*ret_ca)->name, ca_state_name((*ret_ca)->state),
		    (*ret_ca)->state == CA_ACTIVE
			? ", but it is a root's, revoked, or ends within the "
			  "plan's window"
			: "");
	if (draft_choices(draft, fits, &choices) < 0)
		return -1;
	return ca_error(CA_R_USAGE,
	    "there are several CAs; name one: ca-tool plan new %s %s",
	    draft->kind, choices);
}

int
draft_responder(struct draft *draft)
{
	AUTO_STRUCT(last_responder) last = { 0 };
	const struct draft_ca *ca = NULL;
	AUTO_CHARS(title) = NULL;

	if (need_one(draft, signs_responders, &ca) < 0)
		return -1;
	last.dn = ca->dn;
	title = text_printf("OCSP responder of %s", ca->name);
	if (title == NULL ||
	    journal_each_object(draft->journal, NULL, "certificate",
		take_responder, &last) < 0 ||
	    draft_head(draft, title) < 0)
		return -1;
	return write_responder(draft, ca, &last);
}

/* ---- certificates ----------------------------------------------------- */

/* A root's key never signs certificates of end entities. */
static bool
issues_leaves(const struct draft *draft, const struct draft_ca *ca)
{
	return draft_may_issue(draft, ca) && !ca->root;
}

/* What all of them have in common, and no request says. */
static int
put_common_subject(struct draft *draft, const struct profile *profile,
    const struct draft_ca *ca)
{
	struct profile_attribute row;

	if (profile == NULL) {
		draft_say(draft, STEP_INDENT,
		    "Names that the profile takes from the plan, the same for "
		    "all: 'subject: {organization: NAME}', say.");
		return 0;
	}
	for (size_t i = 0; profile_attribute(profile, i, &row); i++) {
		if (row.from_csr || !row.required)
			continue;
		draft_say(draft, STEP_INDENT,
		    "The same for all; the rest is what each request says.");
		return draft_put_subject(draft, profile, ca->certificate, NULL);
	}
	return 0;
}

int
draft_certificates(struct draft *draft)
{
	const struct draft_ca *ca = NULL;
	const struct profile *profile = NULL;
	AUTO_CHARS(title) = NULL;
	AUTO_CHARS(wish) = NULL;
	AUTO_CHARS(name) = NULL;

	if (need_one(draft, issues_leaves, &ca) < 0)
		return -1;
	title = text_printf("Certificates by %s", ca->name);
	wish = text_printf("%s-%s", ca->name, draft->day);
	if (title == NULL || wish == NULL || draft_head(draft, title) < 0 ||
	    draft_free_name(draft, "batch", wish, &name) < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2, "A certificate for each request.");
	draft_step(draft, "certificates");
	draft_say(draft, STEP_INDENT,
	    "They are called %s-FILE, after the files of the requests.", name);
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "issuer", ca->name);
	if (draft_put_profile(
		draft, PROFILE_END_ENTITY, ca, ca->leaf_profile, &profile) < 0)
		return -1;
	draft_say(draft, STEP_INDENT,
	    "a directory of requests, or one file with many in PEM, relative "
	    "to this plan");
	draft_blank(
	    draft, STEP_INDENT, "requests", "directory or file of requests");
	if (put_common_subject(draft, profile, ca) < 0)
		return -1;
	draft_put_validity(draft, profile, ca->until, ca->name);
	draft_say(draft, STEP_INDENT,
	    "One bad request stops all of it; with 'continue' the others are "
	    "issued, and a report says which were refused, and why.");
	draft_put(draft, STEP_INDENT, "on-refusal", "stop");
	return 0;
}

/* ---- rollover --------------------------------------------------------- */

static bool
can_roll(const struct draft *draft, const struct draft_ca *ca)
{
	(void)draft;
	return ca->state == CA_ACTIVE;
}

static void
say_predecessor(struct draft *draft, const struct draft_ca *ca)
{
	draft_gap(draft);
	if (ca->issued == 0)
		draft_say(draft, 2,
		    "%s has issued nothing that the journal knows.", ca->name);
	else
		draft_say(draft, 2,
		    "%s has issued %zu %s; the last end is on %s. Until then "
		    "it signs CRLs and OCSP responses, and then its last CRL. "
		    "The two CAs overlap for that time.",
		    ca->name, ca->issued,
		    ca->issued == 1 ? "certificate" : "certificates",
		    draft_date(ca->last_end).text);
	if (ca->last_end > ca->until)
		draft_say(draft, 2,
		    "Its own certificate ends before that, on %s.",
		    draft_date(ca->until).text);
}

static void
put_retiring(
    struct draft *draft, const struct draft_ca *ca, const char *successor)
{
	AUTO_CHARS(why) =
	    text_printf("%s takes over, so that the CRL of %s stays small "
			"enough to be downloaded",
		successor, ca->name);

	draft_gap(draft);
	draft_say(draft, 2,
	    "From here on %s issues nothing more. This cannot be undone.",
	    ca->name);
	draft_step(draft, "ca-state");
	draft_put(draft, STEP_INDENT, "key", ca->key);
	draft_put(draft, STEP_INDENT, "state", "retiring");
	draft_put(draft, STEP_INDENT, "successor", successor);
	draft_put(
	    draft, STEP_INDENT, "why", why != NULL ? why : "it is replaced");
}

/* Its issuer is another authority's: a request now, the rest another day. */
static int
roll_by_request(
    struct draft *draft, const struct draft_ca *ca, const char *wish)
{
	AUTO_CHARS(key) = free_key_name(draft, wish);
	AUTO_CHARS(common_name) = NULL;
	AUTO_CHARS(name) = NULL;

	if (key == NULL || draft_free_name(draft, "csr", wish, &name) < 0 ||
	    next_common_name(ca, &common_name) < 0)
		return -1;
	put_key(
	    draft, &(struct new_key){ key, ca->key_type, "ca", ca->backup });
	draft_gap(draft);
	draft_say(draft, 2,
	    "%s was certified by a CA whose key is not on this token, or that "
	    "issues no more: take public/csrs/%s.csr to the CA that is to "
	    "certify it. With its certificate a second plan follows: an "
	    "adopt-certificate step, and a ca-state step that makes key '%s' "
	    "retiring, with successor '%s'.",
	    ca->name, name, ca->key, key);
	draft_step(draft, "csr");
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "key", key);
	return draft_put_subject(draft, NULL, ca->certificate, common_name);
}

static int
roll_root(struct draft *draft, const struct draft_ca *ca, const char *wish)
{
	AUTO_CHARS(successor) = NULL;

	draft_gap(draft);
	draft_say(draft, 2,
	    "A new root is trusted by nobody until trust stores have it. When "
	    "it is signed, 'ca-tool plan new cross' writes the plan by which "
	    "%s vouches for it. Only then make %s retiring, by a plan with the "
	    "step at the end.",
	    ca->name, ca->name);
	if (write_root(draft, wish, ca, &successor) < 0)
		return -1;
	draft_gap(draft);
	fprintf(draft->out,
	    "  # - ca-state:\n"
	    "  #     key: %s\n"
	    "  #     state: retiring\n"
	    "  #     successor: %s\n"
	    "  #     why: the new root is trusted\n",
	    ca->key, successor);
	return 0;
}

/* A responder answers for one CA; its successor needs one of its own. */
static int
say_responder(
    struct draft *draft, const struct draft_ca *ca, const char *successor)
{
	AUTO_STRUCT(last_responder) last = { .dn = ca->dn };

	if (journal_each_object(
		draft->journal, NULL, "certificate", take_responder, &last) < 0)
		return -1;
	if (last.name == NULL || last.until < draft->now)
		return 0;
	draft_gap(draft);
	draft_say(draft, 2,
	    "OCSP responder '%s' answers for %s alone, which goes on to need "
	    "it. When this is signed, 'ca-tool plan new ocsp-responder %s' "
	    "writes the plan for one of the successor's own.",
	    last.name, ca->name, successor);
	return 0;
}

static int
roll_subordinate(struct draft *draft, const struct draft_ca *ca,
    const struct draft_ca *issuer, const char *wish)
{
	const struct subordinate sub = { .wish = wish,
		.profile = ca->profile,
		.issuer = issuer,
		.fits = issues_cas,
		.before = ca };
	enum profile_covers covers = COVERS_CA;
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(key) = NULL;

	if (put_subordinate(draft, &sub, &name, &key) < 0 ||
	    draft_ca_covers(draft, ca, &covers) < 0 ||
	    put_first_crl(draft, name, ca, covers) < 0 ||
	    say_responder(draft, ca, name) < 0)
		return -1;
	put_retiring(draft, ca, key);
	return 0;
}

int
draft_rollover(struct draft *draft)
{
	const struct draft_ca *ca = NULL, *issuer;
	AUTO_CHARS(title) = NULL;
	AUTO_CHARS(wish) = NULL;

	if (need_one(draft, can_roll, &ca) < 0)
		return -1;
	wish = draft_next_name(ca->name);
	title = wish == NULL
	    ? NULL
	    : text_printf("%s takes over from %s", wish, ca->name);
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	say_predecessor(draft, ca);
	issuer = ca->issuer == NULL ? NULL : draft_ca(draft, ca->issuer);
	if (ca->root)
		return roll_root(draft, ca, wish);
	if (issuer == NULL || !draft_may_issue(draft, issuer))
		return roll_by_request(draft, ca, wish);
	return roll_subordinate(draft, ca, issuer, wish);
}

/* ---- adopt-ca --------------------------------------------------------- */

int
draft_adopt_ca(struct draft *draft)
{
	const char *wish = draft->name != NULL ? draft->name : "adopted-g1";
	AUTO_CHARS(title) = text_printf("Take over the CA %s", wish);
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(key) = free_key_name(draft, wish);

	if (title == NULL || key == NULL || draft_head(draft, title) < 0 ||
	    draft_free_name(draft, "certificate", wish, &name) < 0)
		return -1;
	draft_gap(draft);
	draft_say(draft, 2,
	    "A CA whose key is on the token already: its attributes must be as "
	    "strict as those of a key that is made here. Files are relative to "
	    "this plan.");
	draft_step(draft, "adopt-ca");
	draft_put(draft, STEP_INDENT, "name", name);
	draft_say(draft, STEP_INDENT, "the name that its key gets here");
	draft_put(draft, STEP_INDENT, "key", key);
	draft_put(draft, STEP_INDENT, "backup", "none");
	draft_blank(
	    draft, STEP_INDENT, "certificate", "file with its certificate");
	draft_say(draft, STEP_INDENT,
	    "The certificates above it, up to a self-signed root; a root has "
	    "none: leave out both lines.");
	fprintf(draft->out,
	    "%*schain:\n%*s- <file with its issuer's "
	    "certificate>\n",
	    STEP_INDENT, "", STEP_INDENT + 2, "");
	draft->blanks++;
	draft_say(draft, STEP_INDENT,
	    "Its newest CRL: numbers go on from there, and what it lists stays "
	    "revoked. Only where there is none: 'never-signed-a-crl: true' "
	    "instead.");
	draft_blank(draft, STEP_INDENT, "crl", "file with its last CRL");
	return 0;
}
