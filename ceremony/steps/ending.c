#include "ceremony/steps/ending.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"

/* ---- what is in force -------------------------------------------------- */

/* A certificate that has not expired: is its serial revoked, too? */
static int
count_current(struct ending *ending, const char *serial, int64_t until)
{
	bool revoked = false;

	if (ending->is_revoked == NULL ? journal_revocation(ending->journal,
					     ending->dn, serial, &revoked) < 0
				       : ending->is_revoked(ending->ctx,
					     ending->dn, serial, &revoked) < 0)
		return -1;
	ending->in_force += !revoked;
	if (until > ending->last_end)
		ending->last_end = until;
	return 0;
}

static int
visit_certificate(void *ctx, const struct object_row *row)
{
	struct ending *ending = ctx;

	/* Its own, self-issued: the trust in it ends elsewhere. */
	if (row->spki != NULL && strcmp(row->spki, ending->spki) == 0)
		return 0;
	return count_current(ending, row->serial, row->until);
}

static int
visit_issued(void *ctx, const struct issued_row *row)
{
	struct ending *ending = ctx;

	if (row->expires != 0 && row->expires < ending->now)
		return 0;
	ending->any_unknown = ending->any_unknown || row->expires == 0;
	return count_current(ending, row->serial, row->expires);
}

/* Of those that were issued elsewhere it is all that is known. */
static int
visit_part(void *ctx, const struct revoked_part *part)
{
	struct ending *ending = ctx;

	if (part->expires > ending->now && part->expires > ending->last_end)
		ending->last_end = part->expires;
	return 0;
}

int
ending_gather(struct ending *ending)
{
	const struct certificate_filter filter = {
		.issuer_dn = ending->dn,
		.alive = ending->now,
	};

	if (journal_each_certificate(
		ending->journal, &filter, visit_certificate, ending) < 0 ||
	    journal_each_issued(
		ending->journal, ending->dn, visit_issued, ending) < 0)
		return -1;
	return journal_each_revoked_part(
	    ending->journal, ending->dn, visit_part, ending);
}

/* ---- names ------------------------------------------------------------- */

void
ca_names_clear(struct ca_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->dns[i]);
	free(names->dns);
	*names = (struct ca_names){ 0 };
}

static int
add_name(void *ctx, const struct object_row *row)
{
	struct ca_names *names = ctx;
	char **dns;

	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->dns[i], row->subject_dn) == 0)
			return 0;
	dns = realloc(names->dns, (names->count + 1) * sizeof(*dns));
	if (dns == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	names->dns = dns;
	dns[names->count] = text_copy(row->subject_dn);
	if (dns[names->count] == NULL)
		return -1;
	names->count++;
	return 0;
}

int
ca_names_find(
    struct journal *journal, const char *spki, struct ca_names *ret_names)
{
	const struct certificate_filter filter = { .spki = spki };
	AUTO_STRUCT(ca_names) names = { 0 };

	if (journal_each_certificate(journal, &filter, add_name, &names) < 0)
		return -1;
	*ret_names = names;
	names = (struct ca_names){ 0 }; /* moved out */
	return 0;
}

/* ---- the last CRL ------------------------------------------------------ */

/* Where an end is unknown, it lasts at least as long as those known. */
int64_t
ending_needs(const struct ending *ending, const struct revoked_part *part)
{
	return part->unknown ? ending->last_end : part->expires;
}

int
ending_judge(const struct ending *ending, const struct revoked_part *part,
    enum last_crl *ret_verdict)
{
	uint64_t seq = 0;
	int64_t until = 0;
	bool found = false;

	if (journal_crl_last_of(
		ending->journal, ending->dn, part, &found, &seq, &until) < 0)
		return -1;
	if (!found || seq < part->seq)
		*ret_verdict = LAST_CRL_NONE;
	else
		*ret_verdict = until < ending_needs(ending, part)
		    ? LAST_CRL_SHORT
		    : LAST_CRL_GOOD;
	return 0;
}

char *
revoked_part_text(const struct revoked_part *part)
{
	AUTO_CHARS(text) = part->url == NULL
	    ? text_copy("")
	    : text_printf(" with '%s'", part->url);

	return text == NULL ? NULL : text_escape(text, strlen(text));
}
