#include "ceremony/steps/ocsp-stale.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

void
ocsp_stale_clear(struct ocsp_stale *stale)
{
	free(stale->batch);
	free(stale->responder);
	free(stale->signed_batch);
	*stale = (struct ocsp_stale){ 0 };
}

/* ---- what each says ------------------------------------------------------ */

struct looking {
	struct journal *journal;
	const char *dn;
	int64_t now;
	const struct listing *revoked;
	bool *good; /* by row of `revoked`: what the newest response says */
	char *responder; /* that was looked at last */
	bool responder_revoked;
	struct ocsp_stale stale;
};

static void
looking_clear(struct looking *l)
{
	free(l->good);
	free(l->responder);
	ocsp_stale_clear(&l->stale);
}
CLEANUP_DEFINE_STRUCT(looking);

/* The one that is in force the longest. */
static int
keep_longest(
    const char *name, int64_t until, char **ret_name, int64_t *ret_until)
{
	char *copy;

	if (*ret_name != NULL && until <= *ret_until)
		return 0;
	copy = text_copy(name);
	if (copy == NULL)
		return -1;
	free(*ret_name);
	*ret_name = copy;
	*ret_until = until;
	return 0;
}

/* "SERIAL good SHA-256", as batch_line() has it. */
static int
take_line(struct looking *l, const struct ocsp_window_row *window,
    const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	size_t digits = blank == NULL ? 0 : (size_t)(blank - line);
	struct listed *row;
	struct serial serial;
	bool good;

	if (blank == NULL || serial_from_hex(line, digits, &serial) < 0)
		return ca_error(CA_R_CORRUPT,
		    "the journal's list of the OCSP responses '%s' is "
		    "malformed",
		    window->name);
	row = listing_find(l->revoked, &serial);
	if (row == NULL)
		return 0;
	good = len - digits > 6 && memcmp(blank, " good ", 6) == 0;
	l->good[row - l->revoked->rows] = good;
	return !good ? 0
		     : keep_longest(window->name, window->until,
			   &l->stale.batch, &l->stale.until);
}

static int
take_lines(struct looking *l, const struct ocsp_window_row *window)
{
	AUTO_BYTES(digest) = NULL;
	AUTO_BYTES(lines) = NULL;
	size_t digest_len = 0, len = 0;

	if (window->intended == NULL)
		return 0;
	if (text_unhex(window->intended, &digest, &digest_len) < 0 ||
	    digest_len != HASH_LEN)
		return ca_error(
		    CA_R_CORRUPT, "'%s' is no SHA-256", window->intended);
	if (journal_evidence_get(l->journal, digest, &lines, &len) < 0)
		return -1;
	for (const char *at = (const char *)lines; len > 0;) {
		const char *end = memchr(at, '\n', len);
		size_t line = end == NULL ? len : (size_t)(end - at);

		if (take_line(l, window, at, line) < 0)
			return -1;
		line += end != NULL;
		at += line;
		len -= line;
	}
	return 0;
}

/* ---- who signed them ----------------------------------------------------- */

/* A batch has many windows, and one responder. */
static int
look_at_responder(struct looking *l, const char *name)
{
	AUTO_STRUCT(object_row) row = { 0 };
	struct serial serial;
	bool found = false;

	if (l->responder != NULL && strcmp(l->responder, name) == 0)
		return 0;
	free(l->responder);
	l->responder_revoked = false;
	l->responder = text_copy(name);
	if (l->responder == NULL ||
	    journal_object(l->journal, "certificate", name, &found, &row) < 0)
		return -1;
	if (!found || row.issuer_dn == NULL ||
	    strcmp(row.issuer_dn, l->dn) != 0)
		return 0;
	if (serial_from_hex(row.serial, strlen(row.serial), &serial) < 0)
		return -1;
	l->responder_revoked = listing_find(l->revoked, &serial) != NULL;
	return 0;
}

static int
judge_responder(struct looking *l, const struct ocsp_window_row *window)
{
	struct ocsp_stale *stale = &l->stale;

	if (window->responder == NULL)
		return 0;
	if (look_at_responder(l, window->responder) < 0)
		return -1;
	if (!l->responder_revoked ||
	    (stale->signed_batch != NULL &&
		window->until <= stale->signed_until))
		return 0;
	free(stale->responder);
	stale->responder = text_copy(window->responder);
	if (stale->responder == NULL)
		return -1;
	return keep_longest(window->name, window->until, &stale->signed_batch,
	    &stale->signed_until);
}

/* ---- all of them --------------------------------------------------------- */

static int
visit_window(void *ctx, const struct ocsp_window_row *window)
{
	struct looking *l = ctx;

	if (window->state == OBJECT_FAILED || window->until < l->now ||
	    window->issuer_dn == NULL || strcmp(window->issuer_dn, l->dn) != 0)
		return 0;
	if (take_lines(l, window) < 0)
		return -1;
	return judge_responder(l, window);
}

int
ocsp_stale_find(struct journal *journal, const char *issuer_dn, int64_t now,
    const struct listing *revoked, struct ocsp_stale *ret_stale)
{
	AUTO_STRUCT(looking)
	l = {
		.journal = journal,
		.dn = issuer_dn,
		.now = now,
		.revoked = revoked,
	};

	if (revoked->count == 0)
		return 0;
	l.good = calloc(revoked->count, sizeof(l.good[0]));
	if (l.good == NULL)
		return ca_error(CA_R_MEMORY, "no memory for revocations");
	if (journal_each_ocsp_window(journal, NULL, visit_window, &l) < 0)
		return -1;
	for (size_t i = 0; i < revoked->count; i++)
		l.stale.good += l.good[i];
	*ret_stale = l.stale;
	l.stale = (struct ocsp_stale){ 0 }; /* moved out */
	return 0;
}

struct gathering {
	struct listing listing;
	int64_t now;
};

static void
gathering_clear(struct gathering *g)
{
	listing_clear(&g->listing);
}
CLEANUP_DEFINE_STRUCT(gathering);

static int
visit_revocation(void *ctx, const struct revocation_row *row)
{
	struct gathering *g = ctx;
	struct listed listed = { .ca = -1 };

	if (row->expires != 0 && row->expires < g->now)
		return 0; /* it is good for nobody any more */
	if (serial_from_hex(row->serial, strlen(row->serial), &listed.serial) <
	    0)
		return -1;
	return listing_add(&g->listing, &listed);
}

int
ocsp_stale_of_journal(struct journal *journal, const char *issuer_dn,
    int64_t now, struct ocsp_stale *ret_stale)
{
	AUTO_STRUCT(gathering) g = { .now = now };

	if (journal_each_revocation(journal, issuer_dn, visit_revocation, &g) <
	    0)
		return -1;
	return ocsp_stale_find(journal, issuer_dn, now, &g.listing, ret_stale);
}
