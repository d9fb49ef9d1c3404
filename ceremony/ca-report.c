#include "ceremony/ca-report.h"

#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/ocsp-stale.h"
#include "profiles/certificate.h"

enum {
	DAY = 24 * 3600,
	/* design: the certificate's end is said half a year ahead. */
	CERTIFICATE_WARNING = 180 * DAY,
	CRL_WARNING = 30 * DAY, /* of OCSP responses, too */
	/* No response outlives the certificate of who signs it. */
	RESPONDER_WARNING = 60 * DAY,
};

static void
batch_clear(struct ca_batch *batch)
{
	free(batch->name);
	free(batch->issuer_dn);
	free(batch->profile);
	free(batch->responder);
	*batch = (struct ca_batch){ 0 };
}

static void
report_clear(struct ca_report *report)
{
	for (size_t i = 0; i < report->certificate_count; i++) {
		struct ca_certificate *c = &report->certificates[i];

		free(c->name);
		free(c->serial);
		free(c->subject);
		free(c->subject_dn);
	}
	for (size_t i = 0; i < report->crl_count; i++) {
		free(report->crls[i].name);
		free(report->crls[i].issuer_dn);
		free(report->crls[i].url);
	}
	for (size_t i = 0; i < report->batch_count; i++)
		batch_clear(&report->batches[i]);
	for (size_t i = 0; i < report->due_count; i++)
		free(report->due[i]);
	free(report->batches);
	free(report->responder.name);
	free(report->certificates);
	free(report->crls);
	free(report->due);
	free(report->spki);
	*report = (struct ca_report){ 0 };
}

/* One CA that is being reported on. */
struct making {
	struct journal *journal;
	int64_t now;
	struct ca_report report;
	const char *dn; /* the name that is being counted */
};

static void
making_clear(struct making *m)
{
	report_clear(&m->report);
}
CLEANUP_DEFINE_STRUCT(making);

/* ---- its certificates ------------------------------------------------- */

static int
read_subject(struct making *m, const struct object_row *row, char **ret_subject)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO(X509) *certificate = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (journal_object_bytes(m->journal, row, &der, &len) < 0 ||
	    certificate_read(row->name, der, len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return -1;
	*ret_subject = TAKE(facts.subject);
	return 0;
}

static int
fill_certificate(
    struct making *m, const struct object_row *row, struct ca_certificate *c)
{
	*c = (struct ca_certificate){
		.name = text_copy(row->name),
		.serial = text_copy(row->serial),
		.subject_dn = text_copy(row->subject_dn),
		.from = row->from,
		.until = row->until,
		.adopted = row->adopted,
		.self_issued = row->issuer_dn != NULL &&
		    strcmp(row->issuer_dn, row->subject_dn) == 0,
	};
	if (c->name == NULL || c->serial == NULL || c->subject_dn == NULL ||
	    read_subject(m, row, &c->subject) < 0)
		return -1;
	return journal_revocation(
	    m->journal, row->issuer_dn, row->serial, &c->revoked);
}

static int
visit_own(void *ctx, const struct object_row *row)
{
	struct making *m = ctx;
	struct ca_report *r = &m->report;
	struct ca_certificate *rows = realloc(
	    r->certificates, (r->certificate_count + 1) * sizeof(*rows));

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	r->certificates = rows;
	return fill_certificate(m, row, &rows[r->certificate_count++]);
}

/* ---- what it issued --------------------------------------------------- */

static bool
is_responder(const struct object_row *row)
{
	return row->certificate_kind != NULL &&
	    strcmp(row->certificate_kind, "ocsp-responder") == 0;
}

/* The one that lasts longest, of those that are not revoked. */
static int
take_responder(struct making *m, const struct object_row *row)
{
	struct ca_responder *best = &m->report.responder;
	char *name;

	if (best->name != NULL && row->until <= best->until)
		return 0;
	name = text_copy(row->name);
	if (name == NULL)
		return -1;
	free(best->name);
	*best = (struct ca_responder){ .name = name, .until = row->until };
	return 0;
}

static int
visit_issued_here(void *ctx, const struct object_row *row)
{
	struct making *m = ctx;
	struct ca_report *r = &m->report;
	bool revoked = false;

	if (row->spki != NULL && strcmp(row->spki, r->spki) == 0)
		return 0;
	r->issued++;
	if (row->until < m->now && !is_responder(row))
		return 0;
	if (journal_revocation(
		m->journal, row->issuer_dn, row->serial, &revoked) < 0)
		return -1;
	if (revoked)
		return 0;
	if (row->until >= m->now) {
		r->current++;
		if (row->until > r->last_end)
			r->last_end = row->until;
	}
	return is_responder(row) ? take_responder(m, row) : 0;
}

static int
visit_issued_elsewhere(void *ctx, const struct issued_row *row)
{
	struct making *m = ctx;
	struct ca_report *r = &m->report;
	bool revoked = false;

	r->issued++;
	if (row->expires != 0 && row->expires < m->now)
		return 0;
	if (journal_revocation(m->journal, m->dn, row->serial, &revoked) < 0)
		return -1;
	if (revoked)
		return 0;
	r->current++;
	r->unknown_end = r->unknown_end || row->expires == 0;
	if (row->expires > r->last_end)
		r->last_end = row->expires;
	return 0;
}

/*
 * A CRL of another partition says nothing of it, nor does one that was made
 * before it was revoked.
 */
static int
visit_revoked(void *ctx, const struct revoked_part *part)
{
	struct making *m = ctx;
	uint64_t seq = 0, count = 0;
	int64_t until = 0;
	bool found = false;

	if (journal_crl_last_of(m->journal, m->dn, part, &found, &seq, &until) <
	    0)
		return -1;
	if (found && seq > part->seq)
		return 0;
	if (journal_revoked_since(
		m->journal, m->dn, part, found ? seq : 0, &count) < 0)
		return -1;
	m->report.unlisted += count;
	return 0;
}

static int
count_revoked(struct making *m)
{
	uint64_t count = 0;

	if (journal_revocation_count(m->journal, m->dn, &count) < 0)
		return -1;
	m->report.revoked += count;
	return journal_each_revoked_part(m->journal, m->dn, visit_revoked, m);
}

/* ---- OCSP -------------------------------------------------------------- */

static bool
same_batch(const struct ca_batch *batch, const char *dn, const char *profile)
{
	return strcmp(batch->issuer_dn, dn) == 0 &&
	    strcmp(batch->profile, profile) == 0;
}

static struct ca_batch *
batch_at(struct ca_report *r, const char *dn, const char *profile)
{
	struct ca_batch *batches;

	for (size_t i = 0; i < r->batch_count; i++)
		if (same_batch(&r->batches[i], dn, profile))
			return &r->batches[i];
	batches = realloc(r->batches, (r->batch_count + 1) * sizeof(*batches));
	if (batches == NULL)
		return NULL;
	r->batches = batches;
	batches[r->batch_count] = (struct ca_batch){ 0 };
	return &batches[r->batch_count++];
}

/* A later one of the same profile takes the place of the one before. */
static int
visit_batch(void *ctx, const struct ocsp_batch_row *row)
{
	struct making *m = ctx;
	const char *profile = row->profile == NULL ? "" : row->profile;
	struct ca_batch *batch = batch_at(&m->report, m->dn, profile);

	if (batch == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	batch_clear(batch);
	*batch = (struct ca_batch){
		.name = text_copy(row->name),
		.issuer_dn = text_copy(m->dn),
		.profile = text_copy(profile),
		.responder =
		    row->responder == NULL ? NULL : text_copy(row->responder),
		.count = row->count,
		.from = row->from,
		.until = row->until,
	};
	return batch->name == NULL || batch->issuer_dn == NULL ||
		batch->profile == NULL ||
		(row->responder != NULL && batch->responder == NULL)
	    ? -1
	    : 0;
}

/* ---- each of its names -------------------------------------------------- */

/* Has an earlier certificate of the key the same name? */
static bool
is_counted(const struct ca_report *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(r->certificates[i].subject_dn,
			r->certificates[n].subject_dn) == 0)
			return true;
	return false;
}

static int
count_issued(struct making *m)
{
	struct ca_report *r = &m->report;

	for (size_t i = 0; i < r->certificate_count; i++) {
		struct certificate_filter filter = {
			.issuer_dn = r->certificates[i].subject_dn,
		};

		if (is_counted(r, i))
			continue;
		m->dn = filter.issuer_dn;
		if (journal_each_certificate(
			m->journal, &filter, visit_issued_here, m) < 0 ||
		    journal_each_issued(
			m->journal, m->dn, visit_issued_elsewhere, m) < 0 ||
		    count_revoked(m) < 0 ||
		    journal_each_ocsp_batch(m->journal, m->dn, visit_batch, m) <
			0)
			return -1;
	}
	return 0;
}

/* ---- its CRLs --------------------------------------------------------- */

static bool
is_mine(const struct ca_report *r, const char *dn)
{
	for (size_t i = 0; i < r->certificate_count; i++)
		if (strcmp(r->certificates[i].subject_dn, dn) == 0)
			return true;
	return false;
}

static bool
same_url(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The place of a CRL of this name and scope; a new one where there is none. */
static struct ca_crl *
crl_at(struct ca_report *r, const struct object_row *row)
{
	struct ca_crl *crls;

	for (size_t i = 0; i < r->crl_count; i++)
		if (strcmp(r->crls[i].issuer_dn, row->issuer_dn) == 0 &&
		    same_url(r->crls[i].url, row->crl_url))
			return &r->crls[i];
	crls = realloc(r->crls, (r->crl_count + 1) * sizeof(*crls));
	if (crls == NULL)
		return NULL;
	r->crls = crls;
	crls[r->crl_count] = (struct ca_crl){ 0 };
	return &crls[r->crl_count++];
}

static int
visit_crl(void *ctx, const struct object_row *row)
{
	struct making *m = ctx;
	struct ca_crl *crl;

	if (row->state != OBJECT_SIGNED || row->issuer_dn == NULL ||
	    !is_mine(&m->report, row->issuer_dn))
		return 0;
	crl = crl_at(&m->report, row);
	if (crl == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	free(crl->name);
	free(crl->issuer_dn);
	free(crl->url);
	*crl = (struct ca_crl){
		.name = text_copy(row->name),
		.issuer_dn = text_copy(row->issuer_dn),
		.url = row->crl_url == NULL ? NULL : text_copy(row->crl_url),
		.number = row->number,
		.entries = row->entries,
		.from = row->from,
		.until = row->until,
		.seq = row->seq,
	};
	return crl->name == NULL || crl->issuer_dn == NULL ||
		(row->crl_url != NULL && crl->url == NULL)
	    ? -1
	    : 0;
}

/* ---- what is due ------------------------------------------------------ */

static int add_due(struct ca_report *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

static int
add_due(struct ca_report *r, const char *fmt, ...)
{
	char **due = realloc(r->due, (r->due_count + 1) * sizeof(*due));
	va_list ap;
	int len;

	if (due == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	r->due = due;
	va_start(ap, fmt);
	len = vasprintf(&due[r->due_count], fmt, ap);
	va_end(ap);
	if (len < 0)
		return ca_error(CA_R_MEMORY, "no memory for a report");
	r->due_count++;
	return 0;
}

static int
due_of_certificates(struct making *m)
{
	struct ca_report *r = &m->report;
	char end[DATE_TEXT_SIZE];

	for (size_t i = 0; i < r->certificate_count; i++) {
		const struct ca_certificate *c = &r->certificates[i];

		date_format(c->until, end);
		if (c->revoked || r->state != CA_ACTIVE ||
		    c->until - m->now > CERTIFICATE_WARNING)
			continue;
		if (add_due(r,
			c->until < m->now
			    ? "certificate '%s' expired on %s"
			    : "certificate '%s' expires on %s: plan its "
			      "successor",
			c->name, end) < 0)
			return -1;
	}
	return 0;
}

static int
due_of_crls(struct making *m)
{
	struct ca_report *r = &m->report;
	char end[DATE_TEXT_SIZE];

	if (r->crl_count == 0 && r->issued + r->revoked > 0 &&
	    add_due(r, "it has signed no CRL yet") < 0)
		return -1;
	for (size_t i = 0; i < r->crl_count; i++) {
		const struct ca_crl *crl = &r->crls[i];

		if (crl->until - m->now > CRL_WARNING)
			continue;
		date_format(crl->until, end);
		if (add_due(r,
			crl->until < m->now
			    ? "CRL '%s' ended on %s: sign the next one"
			    : "the next CRL, behind '%s', by %s",
			crl->name, end) < 0)
			return -1;
	}
	if (r->unlisted > 0 &&
	    add_due(r,
		"%" PRIu64 " revocation%s on no CRL yet: sign the next one",
		r->unlisted, r->unlisted == 1 ? " is" : "s are") < 0)
		return -1;
	return 0;
}

/* Of what is in force somebody asks; and only where it ever answered. */
static int
due_of_ocsp(struct making *m)
{
	struct ca_report *r = &m->report;
	const struct ca_responder *responder = &r->responder;
	char end[DATE_TEXT_SIZE];

	for (size_t i = 0; r->current > 0 && i < r->batch_count; i++) {
		const struct ca_batch *batch = &r->batches[i];

		if (batch->until - m->now > CRL_WARNING)
			continue;
		date_format(batch->until, end);
		if (add_due(r,
			batch->until < m->now
			    ? "OCSP responses '%s' ended on %s: sign the next "
			      "ones"
			    : "the next OCSP responses, behind '%s', by %s",
			batch->name, end) < 0)
			return -1;
	}
	if (r->current == 0 || responder->name == NULL ||
	    responder->until - m->now > RESPONDER_WARNING)
		return 0;
	date_format(responder->until, end);
	return add_due(r,
	    responder->until < m->now
		? "OCSP responder '%s' expired on %s: issue its successor"
		: "OCSP responder '%s' expires on %s: issue its successor",
	    responder->name, end);
}

/* Are the newest responses signed by a responder that is revoked by now? */
static int
due_of_signer(struct making *m, const struct ca_batch *batch)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false, revoked = false;

	if (batch->responder == NULL || batch->until < m->now)
		return 0;
	if (journal_object(m->journal, "certificate", batch->responder, &found,
		&row) < 0 ||
	    (found &&
		journal_revocation(
		    m->journal, row.issuer_dn, row.serial, &revoked) < 0))
		return -1;
	return !revoked ? 0
			: add_due(&m->report,
			      "OCSP responses '%s' are signed by responder "
			      "'%s', which is revoked: sign new ones with "
			      "another",
			      batch->name, batch->responder);
}

static bool
has_batch(const struct ca_report *r, const char *dn)
{
	for (size_t i = 0; i < r->batch_count; i++)
		if (strcmp(r->batches[i].issuer_dn, dn) == 0)
			return true;
	return false;
}

/* OCS-CRL-AGREE: what is served contradicts what is revoked. */
static int
due_of_stale(struct making *m)
{
	struct ca_report *r = &m->report;
	char end[DATE_TEXT_SIZE];

	for (size_t i = 0; i < r->certificate_count; i++) {
		AUTO_STRUCT(ocsp_stale) stale = { 0 };

		if (is_counted(r, i) ||
		    !has_batch(r, r->certificates[i].subject_dn))
			continue;
		if (ocsp_stale_of_journal(m->journal,
			r->certificates[i].subject_dn, m->now, &stale) < 0)
			return -1;
		if (stale.good == 0)
			continue;
		date_format(stale.until, end);
		if (add_due(r,
			"OCSP responses still say good of %zu revoked "
			"certificate%s, until %s in '%s': sign new ones",
			stale.good, stale.good == 1 ? "" : "s", end,
			stale.batch) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->batch_count; i++)
		if (due_of_signer(m, &r->batches[i]) < 0)
			return -1;
	return 0;
}

/* The first end of its CRLs: what was revoked may stand on that one. */
static int64_t
first_end(const struct ca_report *r)
{
	int64_t end = r->crl_count == 0 ? 0 : INT64_MAX;

	for (size_t i = 0; i < r->crl_count; i++)
		if (r->crls[i].until < end)
			end = r->crls[i].until;
	return end;
}

/*
 * CRL-STOP (BR 4.9.7): there are CRLs until the CA's certificates have expired
 * or are revoked; and who signs none any more has the other left.
 */
static int
due_of_ended(struct making *m)
{
	struct ca_report *r = &m->report;
	const int64_t covered = first_end(r);
	char end[DATE_TEXT_SIZE];

	for (size_t i = 0; i < r->certificate_count; i++) {
		const struct ca_certificate *c = &r->certificates[i];

		if (c->revoked || c->self_issued || c->until < m->now ||
		    covered >= c->until)
			continue;
		date_format(c->until, end);
		if (add_due(r,
			"no CRL of it lasts until its certificate '%s' expires "
			"on %s: have the CA above revoke that",
			c->name, end) < 0)
			return -1;
	}
	return 0;
}

static int
due_of_state(struct making *m)
{
	struct ca_report *r = &m->report;

	if ((r->state == CA_RETIRED || r->state == CA_DESTROYED) &&
	    due_of_ended(m) < 0)
		return -1;
	if (r->state == CA_RETIRED)
		return add_due(r, "its key can be destroyed (destroy-key)");
	if (r->state == CA_RETIRING && r->current == 0)
		return add_due(r,
		    "nothing that it issued is in force any more: sign its "
		    "last CRL, then retire it");
	return 0;
}

static int
find_due(struct making *m)
{
	const bool signs =
	    m->report.state == CA_ACTIVE || m->report.state == CA_RETIRING;

	if (m->report.certificate_count == 0 && signs)
		return add_due(&m->report, "its key has no certificate yet");
	if (due_of_certificates(m) < 0 ||
	    (signs &&
		(due_of_crls(m) < 0 || due_of_ocsp(m) < 0 ||
		    due_of_stale(m) < 0)))
		return -1;
	return due_of_state(m);
}

/* ---- each CA ---------------------------------------------------------- */

struct walk {
	struct journal *journal;
	int64_t now;
	int (*visit)(void *ctx, const struct ca_report *report);
	void *ctx;
};

static int
fill_report(struct making *m, const struct key_row *row)
{
	const struct certificate_filter filter = { .spki = m->report.spki };

	m->report.key = row;
	m->report.state = row->state == KEY_GONE ? CA_DESTROYED : row->ca_state;
	if (journal_each_certificate(m->journal, &filter, visit_own, m) < 0 ||
	    journal_each_object(m->journal, NULL, "crl", visit_crl, m) < 0 ||
	    count_issued(m) < 0)
		return -1;
	return find_due(m);
}

static int
visit_key(void *ctx, const struct key_row *row)
{
	struct walk *walk = ctx;
	AUTO_STRUCT(making)
	m = { .journal = walk->journal, .now = walk->now };

	/* One that was never finished is no CA's. */
	if (strcmp(row->purpose, "ca") != 0 || row->spki == NULL)
		return 0;
	m.report.spki = sha256_hex(row->spki, row->spki_len);
	if (m.report.spki == NULL || fill_report(&m, row) < 0)
		return -1;
	return walk->visit(walk->ctx, &m.report);
}

int
ca_report_each(struct journal *journal, int64_t now,
    int (*visit)(void *ctx, const struct ca_report *report), void *ctx)
{
	struct walk walk = {
		.journal = journal,
		.now = now,
		.visit = visit,
		.ctx = ctx,
	};

	return journal_each_key(journal, NULL, visit_key, &walk);
}
