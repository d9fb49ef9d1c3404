#include "ceremony/ca-report.h"

#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "profiles/certificate.h"

enum {
	DAY = 24 * 3600,
	/* design: the certificate's end is said half a year ahead. */
	CERTIFICATE_WARNING = 180 * DAY,
	CRL_WARNING = 30 * DAY,
};

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
	for (size_t i = 0; i < report->due_count; i++)
		free(report->due[i]);
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

static int
visit_issued_here(void *ctx, const struct object_row *row)
{
	struct making *m = ctx;
	struct ca_report *r = &m->report;
	bool revoked = false;

	if (row->spki != NULL && strcmp(row->spki, r->spki) == 0)
		return 0;
	r->issued++;
	if (row->until < m->now)
		return 0;
	if (journal_revocation(
		m->journal, row->issuer_dn, row->serial, &revoked) < 0)
		return -1;
	r->current += !revoked;
	if (!revoked && row->until > r->last_end)
		r->last_end = row->until;
	return 0;
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

static uint64_t
newest_crl(const struct ca_report *r, const char *dn)
{
	uint64_t seq = 0;

	for (size_t i = 0; i < r->crl_count; i++)
		if (strcmp(r->crls[i].issuer_dn, dn) == 0 &&
		    r->crls[i].seq > seq)
			seq = r->crls[i].seq;
	return seq;
}

static int
visit_revocation(void *ctx, const struct revocation_row *row)
{
	struct making *m = ctx;

	m->report.revoked++;
	m->report.unlisted += row->seq > newest_crl(&m->report, m->dn);
	return 0;
}

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
		    journal_each_revocation(
			m->journal, m->dn, visit_revocation, m) < 0)
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

static int
due_of_state(struct making *m)
{
	struct ca_report *r = &m->report;

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
	if (due_of_certificates(m) < 0 || (signs && due_of_crls(m) < 0))
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
