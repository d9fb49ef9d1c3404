/* Plans of CRLs: those that follow others, and the first ones. */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/draft.h"
#include "ceremony/steps/scope.h"
#include "ceremony/steps/step.h"

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

/* CRLs for CAs and for end entities may share a URL. */
static struct scope *
scope_of(struct scopes *scopes, const struct object_row *row)
{
	struct scope *more;

	for (size_t i = 0; i < scopes->count; i++)
		if (draft_same_text(scopes->rows[i].url, row->crl_url) &&
		    (row->crl_url == NULL || row->profile == NULL ||
			draft_same_text(scopes->rows[i].profile, row->profile)))
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

void
draft_say_next_update(
    struct draft *draft, const struct profile *profile, int64_t end)
{
	int64_t life = profile == NULL ? 0 : profile_validity_default(profile);
	AUTO_CHARS(text) = duration_format(life);

	if (profile == NULL || text == NULL || end - draft->until < life)
		return;
	draft_say(draft, STEP_INDENT,
	    "nextUpdate: %s after it is signed, so about %s.", text,
	    draft_date(draft->now + life).text);
}

int
draft_ca_covers(const struct draft *draft, const struct draft_ca *ca,
    enum profile_covers *ret_covers)
{
	const struct users_filter filter = {
		.issuer_dn = ca->dn,
		.at = draft->now,
		.unknown = !ca->root,
	};
	bool users = false;

	if (ca->path_length != 0 &&
	    journal_has_users(draft->journal, &filter, &users) < 0)
		return -1;
	*ret_covers = users || ca->path_length == 0 ? COVERS_USER : COVERS_CA;
	return 0;
}

/* One CRL: of a scope that had one, or of one that has none yet. */
struct next_crl {
	const struct scope *before; /* or NULL */
	const char *url;            /* of the scope; NULL: it is full */
	unsigned partition;         /* its number; 0: it is none */
};

static int
put_crl(
    struct draft *draft, const struct draft_ca *ca, const struct next_crl *next)
{
	AUTO_CHARS(wish) = next->partition > 0
	    ? text_printf("%s-%u-%s", ca->name, next->partition, draft->day)
	    : text_printf("%s-%s", ca->name, draft->day);
	const struct profile *profile = NULL;
	AUTO_CHARS(name) = NULL;

	if (wish == NULL || draft_free_name(draft, "crl", wish, &name) < 0)
		return -1;
	draft_step(draft, "crl");
	if (next->before != NULL && say_scope(draft, next->before) < 0)
		return -1;
	draft_put(draft, STEP_INDENT, "name", name);
	draft_put(draft, STEP_INDENT, "issuer", ca->name);
	draft->scoped = next->url != NULL;
	/* Certificates with a partition's URL are those of end entities. */
	draft->covers = next->before == NULL ? COVERS_USER : COVERS_ALL;
	if (next->url == NULL && draft_ca_covers(draft, ca, &draft->covers) < 0)
		return -1;
	if (draft_put_profile(draft, PROFILE_CRL, ca,
		next->before != NULL ? next->before->profile : NULL,
		&profile) < 0)
		return -1;
	draft->scoped = false;
	if (next->url != NULL)
		draft_put(draft, STEP_INDENT, "url", next->url);
	draft_put_validity(draft, profile, ca->until, ca->name);
	draft_say_next_update(draft, profile, ca->until);
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

/* ---- partitions ------------------------------------------------------- */

/*
 * Partitions of one URL: "http://c.example/x.crl" of which certificates name
 * .../x/1.crl to .../x/COUNT.crl.  A CA whose certificate was renewed under
 * another name has several.
 */
struct split {
	char *base;
	unsigned count;
};
struct splits {
	struct draft *draft;
	const struct draft_ca *ca;
	struct split *rows;
	size_t count;
	bool other; /* something is in no partition: a full CRL has it */
};

static void
splits_clear(struct splits *splits)
{
	for (size_t i = 0; i < splits->count; i++)
		free(splits->rows[i].base);
	free(splits->rows);
	*splits = (struct splits){ 0 };
}
CLEANUP_DEFINE_STRUCT(splits);

/* Takes `base`, which is malloc'd. */
static int
add_split(struct splits *splits, char **base, unsigned count)
{
	struct split *more;

	for (size_t i = 0; i < splits->count; i++) {
		struct split *row = &splits->rows[i];

		if (strcmp(row->base, *base) != 0)
			continue;
		row->count = count > row->count ? count : row->count;
		return 0;
	}
	more = reallocarray(
	    splits->rows, splits->count + 1, sizeof(*splits->rows));
	if (more == NULL)
		return ca_error(CA_R_MEMORY, "no memory for partitions");
	splits->rows = more;
	more[splits->count++] = (struct split){ TAKE(*base), count };
	return 0;
}

/* Which partition of `base` the URL is; 0: none. */
static int
partition_number(const char *base, const char *url, unsigned *ret_number)
{
	const char *slash = strrchr(url, '/');
	bool is = false;

	*ret_number = 0;
	if (slash == NULL)
		return 0;
	if (crl_is_partition_of(base, url, &is) < 0)
		return -1;
	if (is)
		*ret_number = (unsigned)strtoul(slash + 1, NULL, 10);
	return 0;
}

/* The URL that certificates would have if there were no partitions, or NULL. */
static int
base_url(const struct draft *draft, const char *issuer, char **ret_base)
{
	const char *url = authority_config(draft->authority)->publication.crl;

	if (url == NULL || issuer == NULL)
		return 0;
	*ret_base = step_url(url, issuer);
	return *ret_base != NULL ? 0 : -1;
}

int
draft_partition(const struct draft *draft, const char *issuer, const char *url,
    unsigned *ret_number)
{
	AUTO_CHARS(base) = NULL;

	*ret_number = 0;
	if (base_url(draft, issuer, &base) < 0)
		return -1;
	return base == NULL ? 0 : partition_number(base, url, ret_number);
}

/* Responders are not asked about (ocsp-nocheck), so they are left out. */
static int
take_partition(void *ctx, const struct object_row *row)
{
	struct splits *splits = ctx;
	const struct profile *profile = row->profile == NULL
	    ? NULL
	    : draft_profile(splits->draft, row->profile);
	AUTO_CHARS(base) = NULL;
	unsigned number = 0, count;

	if (draft_same_text(row->issuer_dn, row->subject_dn) ||
	    draft_same_text(row->certificate_kind, "ocsp-responder"))
		return 0;
	if (base_url(splits->draft, row->issuer, &base) < 0 ||
	    (base != NULL && row->crl_url != NULL &&
		partition_number(base, row->crl_url, &number) < 0))
		return -1;
	if (number == 0) {
		splits->other = true;
		return 0;
	}
	/* All of them, also those to which no certificate has come yet. */
	count = profile == NULL ? 0 : profile_crl_partitions(profile);
	return add_split(splits, &base, count > number ? count : number);
}

static int
take_elsewhere(void *ctx, const struct issued_row *row)
{
	struct splits *splits = ctx;

	(void)row;
	splits->other = true;
	return 0;
}

static int
gather_splits(struct splits *splits)
{
	const struct certificate_filter filter = { .issuer_dn = splits->ca->dn,
		.alive = splits->draft->now };
	struct journal *journal = splits->draft->journal;

	if (journal_each_certificate(journal, &filter, take_partition, splits) <
	    0)
		return -1;
	return journal_each_issued(
	    journal, splits->ca->dn, take_elsewhere, splits);
}

/* ---- the steps -------------------------------------------------------- */

static int
follow(struct splits *splits, const struct scope *scope)
{
	struct next_crl next = { .before = scope, .url = scope->url };

	for (size_t i = 0;
	     scope->url != NULL && next.partition == 0 && i < splits->count;
	     i++)
		if (partition_number(
			splits->rows[i].base, scope->url, &next.partition) < 0)
			return -1;
	if (scope->url == NULL && splits->count > 0 && !splits->other)
		draft_say(splits->draft, 2,
		    "The full CRL has what is in all partitions: leave it out "
		    "where nobody reads it any more.");
	return put_crl(splits->draft, splits->ca, &next);
}

static bool
has_crl(const struct scopes *scopes, const char *url)
{
	for (size_t i = 0; i < scopes->count; i++)
		if (draft_same_text(scopes->rows[i].url, url))
			return true;
	return false;
}

/* The first CRLs of those partitions that have none. */
static int
put_partitions(struct splits *splits, const struct split *split,
    const struct scopes *scopes)
{
	bool said = false;

	for (unsigned i = 1; i <= split->count; i++) {
		AUTO_CHARS(url) = crl_partition_url_at(split->base, i);

		if (url == NULL)
			return -1;
		if (has_crl(scopes, url))
			continue;
		if (!said)
			draft_say(splits->draft, 2,
			    "Certificates of %s name %u partitions of its CRL. "
			    "The first CRLs of those that have none, also "
			    "where nothing is revoked: a client that finds "
			    "none trusts nothing.",
			    splits->ca->name, split->count);
		said = true;
		if (put_crl(splits->draft, splits->ca,
			&(struct next_crl){ NULL, url, i }) < 0)
			return -1;
	}
	return 0;
}

int
draft_crl_steps(struct draft *draft, const struct draft_ca *ca)
{
	AUTO_STRUCT(scopes) scopes = { .dn = ca->dn };
	AUTO_STRUCT(splits) splits = { .draft = draft, .ca = ca };

	if (journal_each_object(
		draft->journal, NULL, "crl", take_crl, &scopes) < 0 ||
	    gather_splits(&splits) < 0 || say_ca(draft, ca) < 0)
		return -1;
	if (scopes.count == 0)
		draft_say(draft, 2, "It has signed no CRL yet.");
	if (scopes.count == 0 && (splits.count == 0 || splits.other) &&
	    put_crl(draft, ca, &(struct next_crl){ 0 }) < 0)
		return -1;
	for (size_t i = 0; i < scopes.count; i++)
		if (follow(&splits, &scopes.rows[i]) < 0)
			return -1;
	for (size_t i = 0; i < splits.count; i++)
		if (put_partitions(&splits, &splits.rows[i], &scopes) < 0)
			return -1;
	return 0;
}

int
draft_crl(struct draft *draft)
{
	const struct draft_ca *one = NULL;
	AUTO_CHARS(title) = NULL;

	if (draft_about(draft, draft_signs_crls, &one) < 0)
		return -1;
	if (one != NULL && !draft_signs_crls(draft, one))
		return draft_refuse_state(one, "CRLs");
	title = one != NULL ? text_printf("CRL of %s", one->name)
			    : text_copy("CRLs of all CAs");
	if (title == NULL || draft_head(draft, title) < 0)
		return -1;
	if (one != NULL)
		return draft_crl_steps(draft, one);
	for (size_t i = 0; i < draft->ca_count; i++)
		if (draft_signs_crls(draft, &draft->cas[i]) &&
		    draft_crl_steps(draft, &draft->cas[i]) < 0)
			return -1;
	return 0;
}
