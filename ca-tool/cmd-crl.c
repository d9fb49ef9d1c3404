#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/draft.h"
#include "ca-tool/plot.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ceremony/forecast.h"
#include "profiles/crl-reader.h"

enum {
	CRL_MAX_BYTES = 1 << 28,
	/* Serial of 20 octets, UTCTime and reason; and all around entries. */
	ENTRY_BYTES = 53,
	BASE_BYTES = 500,
	SOON_DAYS = 180,
	PAST_YEARS = 10,
};

CLEANUP_DEFINE(ISSUING_DIST_POINT, ISSUING_DIST_POINT_free);

/* One CRL of the issuer: the full one, or a partition. */
struct part {
	char *url; /* NULL: it is not limited to a scope */
	/* Its newest CRL in the journal; sha256 NULL: it has none. */
	char *sha256;
	uint64_t last_entries, last_seq;
	int64_t last_from;
	uint64_t entries;
	double bytes;
	struct forecast_point *points; /* of CRLs that were given */
	size_t point_count;
	struct forecast forecast;
	bool crosses;
	size_t days; /* until then */
};

struct growth {
	struct session *session;
	struct draft draft;
	const struct draft_ca *ca;
	uint64_t budget;
	int64_t now;
	struct part *parts;
	size_t part_count;
	struct forecast_history history;
	bool given; /* growth is that of CRLs that were given */
};

static void
growth_clear(struct growth *growth)
{
	for (size_t i = 0; i < growth->part_count; i++) {
		free(growth->parts[i].url);
		free(growth->parts[i].sha256);
		free(growth->parts[i].points);
	}
	free(growth->parts);
	draft_clear(&growth->draft);
	forecast_history_clear(&growth->history);
	*growth = (struct growth){ 0 };
}
CLEANUP_DEFINE_STRUCT(growth);

/* The part with this URL, made where it is missing; NULL without memory. */
static struct part *
part_of(struct growth *growth, const char *url)
{
	AUTO_CHARS(copy) = url == NULL ? NULL : text_copy(url);
	struct part *more;

	for (size_t i = 0; i < growth->part_count; i++)
		if (draft_same_text(growth->parts[i].url, url))
			return &growth->parts[i];
	if (url != NULL && copy == NULL)
		return NULL;
	more =
	    reallocarray(growth->parts, growth->part_count + 1, sizeof(*more));
	if (more == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for CRLs");
		return NULL;
	}
	growth->parts = more;
	more[growth->part_count] = (struct part){ .url = TAKE(copy) };
	return &more[growth->part_count++];
}

/* ---- growth from the journal ------------------------------------------ */

static int
take_revocation(void *ctx, const struct revocation_row *row)
{
	struct growth *growth = ctx;

	forecast_history_add(&growth->history, row->date, row->expires);
	return 0;
}

/* A full one that has ended was given up for partitions. */
static int
take_crl_row(void *ctx, const struct object_row *row)
{
	struct growth *growth = ctx;
	AUTO_CHARS(sha256) = NULL;
	struct part *part;

	if (row->state != OBJECT_SIGNED || row->sha256 == NULL ||
	    !draft_same_text(row->issuer_dn, growth->ca->dn) ||
	    (row->crl_url == NULL && row->until < growth->now))
		return 0;
	sha256 = text_copy(row->sha256);
	part = sha256 == NULL ? NULL : part_of(growth, row->crl_url);
	if (part == NULL)
		return -1;
	free(part->sha256);
	part->sha256 = TAKE(sha256);
	part->last_entries = row->entries;
	part->last_from = row->from;
	part->last_seq = row->seq;
	return 0;
}

/* Partitions that certificates name, and that have had no CRL yet. */
static int
take_partition(void *ctx, const struct object_row *row)
{
	struct growth *growth = ctx;
	unsigned number = 0;

	if (row->state != OBJECT_SIGNED || row->crl_url == NULL ||
	    !draft_same_text(row->issuer_dn, growth->ca->dn))
		return 0;
	if (draft_partition(
		&growth->draft, row->issuer, row->crl_url, &number) < 0)
		return -1;
	return number == 0 || part_of(growth, row->crl_url) != NULL ? 0 : -1;
}

/* Where there was no CRL but full ones, it is not split. */
static int
find_parts(struct growth *growth)
{
	struct journal *journal = growth->draft.journal;

	if (journal_each_object(journal, NULL, "crl", take_crl_row, growth) < 0)
		return -1;
	if (growth->part_count > 1 ||
	    (growth->part_count == 1 && growth->parts[0].url != NULL))
		return journal_each_object(
		    journal, NULL, "certificate", take_partition, growth);
	return part_of(growth, NULL) != NULL ? 0 : -1;
}

static int
count_bytes(void *ctx, const unsigned char *data, size_t len)
{
	double *bytes = ctx;

	(void)data;
	*bytes += (double)len;
	return 0;
}

/* What a CRL has beside its entries, from the newest one. */
static int
base_bytes(struct growth *growth, const struct part *part, double entry,
    double *ret_base)
{
	AUTO_BYTES(digest) = NULL;
	double bytes = 0;
	size_t len = 0;

	*ret_base = BASE_BYTES;
	if (part->sha256 == NULL)
		return 0;
	if (text_unhex(part->sha256, &digest, &len) < 0 || len != HASH_LEN)
		return ca_error(
		    CA_R_CORRUPT, "'%s' is no SHA-256", part->sha256);
	if (journal_evidence_read(
		growth->draft.journal, digest, count_bytes, &bytes) < 0)
		return -1;
	bytes -= (double)part->last_entries * entry;
	if (bytes > 0)
		*ret_base = bytes;
	return 0;
}

static int
measure_part(struct growth *growth, struct part *part)
{
	const struct crl_selection selection = { .issuer_dn = growth->ca->dn,
		.url = part->url,
		/* What ended before the last CRL has been on one since. */
		.gone_before = part->last_from,
		.gone_seq = part->last_seq };
	struct crl_totals totals = { 0 };
	struct forecast *forecast = &part->forecast;

	if (journal_crl_totals(growth->draft.journal, &selection, &totals) < 0)
		return -1;
	forecast->entry = totals.entries == 0
	    ? ENTRY_BYTES
	    : (double)forecast_entry_bytes(&totals) / (double)totals.entries;
	if (base_bytes(growth, part, forecast->entry, &forecast->base) < 0)
		return -1;
	part->entries = totals.entries;
	forecast->entries = (double)totals.entries;
	part->bytes = forecast->base + forecast->entries * forecast->entry;
	return 0;
}

/*
 * Of what comes, now or later, the full CRL has all, and each partition as
 * much as it has of what there is: they are even.
 */
static void
share_out(struct growth *growth)
{
	uint64_t all = 0;
	size_t parts = 0;

	for (size_t i = 0; i < growth->part_count; i++) {
		const struct part *part = &growth->parts[i];

		all += part->url != NULL ? part->entries : 0;
		parts += part->url != NULL;
	}
	for (size_t i = 0; i < growth->part_count; i++) {
		struct part *part = &growth->parts[i];

		forecast_from_history(&growth->history, growth->now,
		    growth->ca->from, &part->forecast);
		part->forecast.share = part->url == NULL ? 1
		    : all == 0                           ? 1 / (double)parts
			       : (double)part->entries / (double)all;
	}
}

static int
grow_from_journal(struct growth *growth)
{
	if (forecast_history_make(&growth->history) < 0 ||
	    journal_each_revocation(growth->draft.journal, growth->ca->dn,
		take_revocation, growth) < 0 ||
	    find_parts(growth) < 0)
		return -1;
	for (size_t i = 0; i < growth->part_count; i++)
		if (measure_part(growth, &growth->parts[i]) < 0)
			return -1;
	share_out(growth);
	return 0;
}

/* ---- growth from CRLs that are given ---------------------------------- */

/* A CRL in a file, in flat memory where it is DER. */
struct crl_file {
	int fd;
	struct der_file file;
	unsigned char *der; /* of a PEM file */
	struct der octets;
	struct der_source source;
};

static void
crl_file_clear(struct crl_file *file)
{
	cleanup_fd(&file->fd);
	OPENSSL_free(file->der);
	*file = (struct crl_file){ .fd = -1 };
}
CLEANUP_DEFINE_STRUCT(crl_file);

static int
from_pem(const char *path, struct crl_file *file)
{
	AUTO_BYTES(data) = NULL;
	AUTO(BIO) *bio = NULL;
	size_t len = 0;
	long der_len = 0;

	if (file_read_at(AT_FDCWD, path, CRL_MAX_BYTES, &data, &len) < 0)
		return -1;
	bio = BIO_new_mem_buf(data, (int)len);
	if (bio == NULL ||
	    PEM_bytes_read_bio(&file->der, &der_len, NULL, PEM_STRING_X509_CRL,
		bio, NULL, NULL) != 1)
		return ca_error(
		    CA_R_INPUT, "'%s' is no CRL, in DER or in PEM", path);
	file->octets = (struct der){ file->der, (size_t)der_len };
	file->source = der_source_memory(&file->octets);
	return 0;
}

static int
crl_file_open(const char *path, struct crl_file *file)
{
	unsigned char first = 0;

	file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->fd < 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", path);
	file->file = (struct der_file){ file->fd, path };
	if (der_source_file(&file->file, &file->source) < 0)
		return -1;
	if (pread(file->fd, &first, 1, 0) == 1 && first == DER_SEQUENCE)
		return 0;
	return from_pem(path, file);
}

/* The URL that limits it to a scope, or NULL; malloc'd. */
static int
scope_url(const struct crl_head *head, char **ret_url)
{
	AUTO(ISSUING_DIST_POINT) *idp = X509V3_get_d2i(
	    head->extensions, NID_issuing_distribution_point, NULL, NULL);
	const GENERAL_NAME *name;
	const ASN1_IA5STRING *uri;

	if (idp == NULL || idp->distpoint == NULL || idp->distpoint->type != 0)
		return 0;
	name = sk_GENERAL_NAME_value(idp->distpoint->name.fullname, 0);
	if (name == NULL || name->type != GEN_URI)
		return 0;
	uri = name->d.uniformResourceIdentifier;
	*ret_url = text_printf("%.*s", ASN1_STRING_length(uri),
	    (const char *)ASN1_STRING_get0_data(uri));
	return *ret_url != NULL ? 0 : -1;
}

/* Of this issuer, and signed by its key. */
static int
check_crl(struct growth *growth, const char *path, const struct crl_head *head)
{
	X509 *certificate = growth->ca->certificate;
	const X509_NAME *name = X509_get_subject_name(certificate);
	unsigned char *spki = NULL;
	const unsigned char *der;
	size_t len = 0;
	int spki_len, rc;

	if (X509_NAME_get0_der(name, &der, &len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot read a name");
	if (len != head->issuer_len || memcmp(der, head->issuer_der, len) != 0)
		return ca_error(CA_R_INPUT,
		    "'%s' is not a CRL of '%s': its issuer is another one",
		    path, growth->ca->name);
	spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	if (spki_len <= 0)
		return ca_error(CA_R_INTERNAL, "cannot encode a public key");
	rc = crl_head_verify(head, spki, (size_t)spki_len);
	OPENSSL_free(spki);
	if (rc < 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' was not signed by the key of '%s'", path,
		    growth->ca->name);
	return 0;
}

static int
add_point(struct part *part, const struct forecast_point *point)
{
	size_t at = part->point_count;
	struct forecast_point *more =
	    reallocarray(part->points, at + 1, sizeof(*more));

	if (more == NULL)
		return ca_error(CA_R_MEMORY, "no memory for CRLs");
	part->points = more;
	part->point_count++;
	for (; at > 0 && more[at - 1].time > point->time; at--)
		more[at] = more[at - 1];
	more[at] = *point;
	return 0;
}

static int
take_crl(struct growth *growth, const char *path)
{
	AUTO_STRUCT(crl_file) file = { .fd = -1 };
	AUTO_STRUCT(crl_head) head = { 0 };
	AUTO_CHARS(url) = NULL;
	struct part *part;

	if (crl_file_open(path, &file) < 0 ||
	    crl_head_read(path, &file.source, &head) < 0 ||
	    check_crl(growth, path, &head) < 0 || scope_url(&head, &url) < 0 ||
	    (part = part_of(growth, url)) == NULL)
		return -1;
	return add_point(part,
	    &(struct forecast_point){
		head.this_update, head.entries, file.source.len });
}

static int
grow_from_crls(struct growth *growth, char **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (take_crl(growth, paths[i]) < 0)
			return -1;
	for (size_t i = 0; i < growth->part_count; i++) {
		struct part *part = &growth->parts[i];
		const struct forecast_point *last =
		    &part->points[part->point_count - 1];

		part->entries = last->entries;
		part->bytes = (double)last->bytes;
		part->forecast.entry = ENTRY_BYTES;
		if (forecast_from_points(
			part->points, part->point_count, &part->forecast) < 0)
			return -1;
	}
	growth->given = true;
	return 0;
}

/* ---- what follows ----------------------------------------------------- */

/* The part that crosses first, else the largest. */
static const struct part *
leading_part(const struct growth *growth)
{
	const struct part *first = &growth->parts[0];

	for (size_t i = 1; i < growth->part_count; i++) {
		const struct part *part = &growth->parts[i];

		if (part->crosses != first->crosses ? part->crosses
			: part->crosses             ? part->days < first->days
					: part->bytes > first->bytes)
			first = part;
	}
	return first;
}

static int64_t
crossing_date(const struct part *part)
{
	return part->forecast.now + (int64_t)part->days * DAY_SECONDS;
}

static int64_t
rollover_date(const struct growth *growth, const struct part *part)
{
	return crossing_date(part) - growth->ca->longest;
}

static bool
knows_rollover(const struct growth *growth, const struct part *part)
{
	return part->crosses && growth->ca->longest > 0;
}

static void
add_warnings(struct growth *growth, const struct part *part)
{
	struct findings *findings = &growth->session->findings;
	int64_t by = rollover_date(growth, part);

	if (part->bytes > (double)growth->budget)
		findings_add(findings, FINDING_WARNING, "CRL-BUDGET",
		    growth->ca->name, NULL,
		    "the CRL is larger than the budget already");
	else if (knows_rollover(growth, part) && by < growth->now)
		findings_add(findings, FINDING_WARNING, "CRL-BUDGET",
		    growth->ca->name, NULL,
		    "a successor should have taken over by %s: certificates "
		    "issued since then are good beyond the day on which the "
		    "CRL is too large",
		    draft_date(by).text);
	else if (knows_rollover(growth, part) &&
	    by < growth->now + (int64_t)SOON_DAYS * DAY_SECONDS)
		findings_add(findings, FINDING_WARNING, "CRL-BUDGET",
		    growth->ca->name, NULL,
		    "a successor must have taken over by %s",
		    draft_date(by).text);
}

/* ---- the plot --------------------------------------------------------- */

static double
point_bytes(const struct part *part, int64_t time)
{
	const struct forecast_point *points = part->points;

	for (size_t i = 1; i < part->point_count; i++) {
		double over = (double)(time - points[i - 1].time),
		       under = (double)(points[i].time - points[i - 1].time);

		if (time <= points[i].time && under > 0)
			return (double)points[i - 1].bytes +
			    ((double)points[i].bytes -
				(double)points[i - 1].bytes) *
			    over / under;
	}
	return part->bytes;
}

static double
bytes_at(const struct growth *growth, const struct part *part, int64_t time)
{
	const struct forecast *forecast = &part->forecast;

	if (time > forecast->now)
		return forecast_bytes(
		    forecast, (size_t)((time - forecast->now) / DAY_SECONDS));
	if (growth->given)
		return point_bytes(part, time);
	return forecast->base +
	    (double)forecast_history_at(&growth->history, time) *
	    forecast->share * forecast->entry;
}

/* From when to when is shown. */
static void
span(const struct growth *growth, const struct part *part, int64_t *ret_from,
    int64_t *ret_until)
{
	int64_t now = part->forecast.now, year = 365 * (int64_t)DAY_SECONDS;
	int64_t from =
	    growth->given ? part->points[0].time : growth->history.first;
	int64_t ahead =
	    part->crosses ? (int64_t)part->days * DAY_SECONDS / 10 * 11 : 0;

	if (from == 0 || from > now - year / 4)
		from = now - year / 4;
	if (from < now - PAST_YEARS * year)
		from = now - PAST_YEARS * year;
	if (!growth->given && from < growth->ca->from)
		from = growth->ca->from;
	ahead = ahead > year ? ahead : year;
	if (!part->crosses && ahead < now - from)
		ahead = now - from;
	*ret_from = from;
	*ret_until = now + ahead;
}

static void
print_plot(const struct growth *growth, const struct part *part)
{
	double values[PLOT_MAX];
	struct plot plot = { .values = values,
		.count = plot_width(stdout) - PLOT_LABEL,
		.limit = (double)growth->budget };

	span(growth, part, &plot.from, &plot.until);
	for (size_t i = 0; i < plot.count; i++) {
		int64_t time = plot.from +
		    (plot.until - plot.from) * (int64_t)i /
			(int64_t)(plot.count - 1);

		values[i] = bytes_at(growth, part, time);
		plot.past += time <= part->forecast.now;
	}
	putchar('\n');
	plot_print(stdout, &plot);
	printf("%*s# so far   : forecast   - budget\n", PLOT_LABEL, "");
}

/* ---- the report, as text ---------------------------------------------- */

static char *
size_text(uint64_t entries, double bytes)
{
	AUTO_CHARS(size) = bytes_text(bytes);

	return size == NULL
	    ? NULL
	    : text_printf("%llu %s, %s", (unsigned long long)entries,
		  entries == 1 ? "entry" : "entries", size);
}

/* All of them together: it is the issuer that grows. */
static char *
growth_text(const struct growth *growth, const struct part *part)
{
	const struct forecast *f = &part->forecast;
	const char *source = growth->given ? "by the CRLs that were given"
	    : growth->now - growth->ca->from > FORECAST_YEAR * DAY_SECONDS
	    ? "over the last 365 days"
	    : "since it began";

	if (growth->given)
		return text_printf("%.2f entries a day %s, what left "
				   "taken off",
		    f->rate, source);
	if (f->rate <= 0)
		return text_printf("no certificate was revoked %s", source);
	if (f->endless >= 1)
		return text_printf("%.2f entries a day %s; none ever leaves, "
				   "since no certificate's end is known",
		    f->rate, source);
	return text_printf("%.2f entries a day %s; each stays %.0f days%s",
	    f->rate, source, f->stay,
	    f->endless > 0 ? ", or for ever where the certificate's end is "
			     "not known"
			   : "");
}

static char *
crossing_text(const struct part *part)
{
	const struct forecast *f = &part->forecast;
	AUTO_CHARS(level) = NULL;

	if (part->crosses && part->days == 0)
		return text_copy("today: it is larger already");
	if (part->crosses)
		return text_printf("on %s, in %zu days",
		    draft_date(crossing_date(part)).text, part->days);
	level = bytes_text(forecast_bytes(f, FORECAST_AHEAD));
	return level == NULL
	    ? NULL
	    : text_printf(
		  "not within 50 years at this growth: it has %s then", level);
}

static char *
rollover_text(const struct growth *growth, const struct part *part)
{
	AUTO_CHARS(life) = duration_format(growth->ca->longest);

	if (!part->crosses)
		return text_copy("not because of the size of its CRL");
	if (growth->ca->longest == 0)
		return text_copy(
		    "not known: the journal has no certificate that it "
		    "issued; take the life of the longest-lived one off the "
		    "day above");
	return life == NULL
	    ? NULL
	    : text_printf("by %s: its certificates are good for up to %s, and "
			  "the CRL grows until the last of them has ended",
		  draft_date(rollover_date(growth, part)).text, life);
}

static int
print_parts(const struct growth *growth)
{
	if (growth->part_count == 1 && growth->parts[0].url == NULL)
		return 0;
	printf("\nCRLs\n");
	for (size_t i = 0; i < growth->part_count; i++) {
		const struct part *part = &growth->parts[i];
		const char *url =
		    part->url != NULL ? part->url : "the full CRL";
		AUTO_CHARS(safe) = text_escape(url, strlen(url));
		AUTO_CHARS(size) = size_text(part->entries, part->bytes);
		AUTO_CHARS(crosses) = crossing_text(part);

		if (safe == NULL || size == NULL || crosses == NULL)
			return -1;
		printf("  %s\n    %s; crosses the budget ", safe, size);
		print_wrapped(stdout, 36 + strlen(size), 6, crosses);
	}
	return 0;
}

static int
print_report(const struct growth *growth, const struct part *part)
{
	AUTO_CHARS(today) = size_text(part->entries, part->bytes);
	AUTO_CHARS(grows) = growth_text(growth, part);
	AUTO_CHARS(budget) = bytes_text((double)growth->budget);
	AUTO_CHARS(crosses) = crossing_text(part);
	AUTO_CHARS(rollover) = rollover_text(growth, part);

	if (today == NULL || grows == NULL || budget == NULL ||
	    crosses == NULL || rollover == NULL)
		return -1;
	printf("CRL of %s\n\n", growth->ca->name);
	print_field(
	    stdout, growth->part_count > 1 ? "Largest" : "Today", today);
	print_field(stdout, "Growth", grows);
	print_field(stdout, "Budget", budget);
	print_field(stdout, "Crosses", crosses);
	print_field(stdout, "Roll over", rollover);
	if (print_parts(growth) < 0)
		return -1;
	print_plot(growth, part);
	if (growth->ca->state == CA_ACTIVE && part->crosses)
		printf("\nThe plan for its successor: ca-tool plan new "
		       "rollover %s\n",
		    growth->ca->name);
	return 0;
}

/* ---- the report, as JSON ---------------------------------------------- */

static json_t *
date_json(bool known, int64_t date)
{
	return known ? json_string(draft_date(date).text) : json_null();
}

static json_t *
part_json(const struct part *part)
{
	return json_pack("{s:s?, s:I, s:I, s:f, s:o}", "url", part->url,
	    "entries", (json_int_t)part->entries, "bytes",
	    (json_int_t)(part->bytes + 0.5), "share", part->forecast.share,
	    "crosses", date_json(part->crosses, crossing_date(part)));
}

static int
report(struct growth *growth, const struct part *part)
{
	struct session *session = growth->session;
	json_t *rows = session_report(session, "partitions", json_array());

	(void)session_report(
	    session, "issuer", session_string(growth->ca->name));
	(void)session_report(
	    session, "budget", json_integer((json_int_t)growth->budget));
	(void)session_report(session, "source",
	    session_string(growth->given ? "crls" : "journal"));
	(void)session_report(
	    session, "rate_per_day", json_real(part->forecast.rate));
	(void)session_report(
	    session, "days_on_crl", json_real(part->forecast.stay));
	(void)session_report(
	    session, "crosses", date_json(part->crosses, crossing_date(part)));
	(void)session_report(session, "longest_validity_seconds",
	    json_integer(growth->ca->longest));
	(void)session_report(session, "rollover",
	    date_json(
		knows_rollover(growth, part), rollover_date(growth, part)));
	for (size_t i = 0; rows != NULL && i < growth->part_count; i++)
		if (json_array_append_new(rows, part_json(&growth->parts[i])) !=
		    0)
			rows = NULL;
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	return session_json(session) ? 0 : print_report(growth, part);
}

/* ---- the command ------------------------------------------------------ */

/* "1000000", "1000kB", "1MB" */
static int
take_budget(const struct options *options, uint64_t *ret_budget)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = { { "", 1 }, { "B", 1 }, { "kB", 1000 },
		{ "MB", 1000000 } };
	const char *text = options->value[OPT_BUDGET];
	size_t digits = text == NULL ? 0 : strspn(text, "0123456789");
	AUTO_CHARS(number) = NULL;

	*ret_budget = FORECAST_BUDGET;
	if (text == NULL)
		return 0;
	number = text_printf("%.*s", (int)digits, text);
	if (number == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].name) == 0 &&
		    text_number(number, UINT32_MAX, ret_budget) == 0 &&
		    *ret_budget > 0) {
			*ret_budget *= units[i].factor;
			return 0;
		}
	return ca_error(CA_R_USAGE,
	    "option '--budget': '%s' is no number of bytes, such as 1000000, "
	    "500kB or 2MB",
	    text);
}

static int
find_ca(struct growth *growth, const char *name)
{
	growth->ca = draft_ca(&growth->draft, name);
	return growth->ca != NULL
	    ? 0
	    : ca_error(CA_R_MISSING,
		  "this authority has no CA '%s' whose key is on the token; "
		  "'ca-tool ca list' lists those there are",
		  name);
}

static int
forecast_all(struct growth *growth)
{
	const struct options *options = &growth->session->options;
	size_t crls = options->arg_count - 1;

	if (find_ca(growth, options->args[0]) < 0 ||
	    (crls == 0 ? grow_from_journal(growth)
		       : grow_from_crls(growth, options->args + 1, crls)) < 0)
		return -1;
	for (size_t i = 0; i < growth->part_count; i++) {
		struct part *part = &growth->parts[i];

		part->crosses = forecast_crosses(
		    &part->forecast, growth->budget, &part->days);
	}
	add_warnings(growth, leading_part(growth));
	return report(growth, leading_part(growth));
}

int
cmd_crl_forecast(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(growth) growth = { .session = session, .now = date_now() };

	if (take_budget(&session->options, &growth.budget) < 0 ||
	    authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) < 0 ||
	    draft_open(
		authority, growth.now, "crl", NULL, NULL, &growth.draft) < 0)
		return -1;
	return forecast_all(&growth);
}
