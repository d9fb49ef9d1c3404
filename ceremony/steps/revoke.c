/*
 * The step that revokes: one certificate, by its serial number or its file, or
 * every certificate that a query finds.  An act.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/query.h"
#include "ceremony/steps/revocations.h"
#include "ceremony/steps/revoke-after.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct revoke_params *p = step->params;

	return p->certificate == NULL
	    ? 0
	    : visitor->need(visitor->ctx, INPUT_FILE, p->certificate,
		  step_place(step, "certificate"));
}

/* ---- the parameters ----------------------------------------------------------- */

static void
check_which(struct build *build, const struct step *step)
{
	const struct revoke_params *p = step->params;
	int given =
	    (p->serial != NULL) + (p->certificate != NULL) + (p->query != NULL);

	if (given != 1)
		step_finding(build, step, NULL, "REVOKE-WHICH", NULL,
		    "say what is revoked in exactly one way: 'serial', "
		    "'certificate' or 'query'");
	if (p->except_count > 0 && p->query == NULL)
		step_finding(build, step, "except", "REVOKE-WHICH", NULL,
		    "'except' goes with 'query' alone");
}

/* Past, and not older than CRLs are; 0 where it is not given. */
static int
check_date(struct build *build, const struct step *step, const char *member,
    const char *text, int64_t *ret_date)
{
	int64_t date = 0;

	*ret_date = 0;
	if (text == NULL)
		return 0;
	if (date_parse(text, &date) < 0)
		return build_error_to_finding(build, step, member, "DATE");
	*ret_date = date;
	if (date > build->now)
		step_finding(build, step, member, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6", "%s is in the future", text);
	if (date < REVOCATION_OLDEST)
		step_finding(build, step, member, "CRL-ENTRY-DATE",
		    "RFC 5280, section 5.1.2.6", "%s is before 1999", text);
	return 0;
}

static int
check_dates(
    struct build *build, const struct step *step, enum revocation_reason reason)
{
	const struct revoke_params *p = step->params;
	int64_t date = 0, invalidity = 0;

	if (check_date(build, step, "date", p->date, &date) < 0 ||
	    check_date(build, step, "invalidity-date", p->invalidity_date,
		&invalidity) < 0)
		return -1;
	if (p->date != NULL && reason != REASON_KEY_COMPROMISE)
		step_finding(build, step, "date", "CRL-ENTRY-DATE", "BR 7.2.2",
		    "only a compromised key is a reason to date a revocation "
		    "back; leave 'date' out");
	if (date != 0 && invalidity > date)
		step_finding(build, step, "invalidity-date", "CRL-INVALIDITY",
		    "RFC 5280, section 5.3.2",
		    "the invalidity date is behind that of the revocation");
	return 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct revoke_params *p = step->params;
	enum revocation_reason reason = REASON_NONE;
	struct serial serial;

	check_which(build, step);
	if (p->serial != NULL &&
	    serial_from_hex(p->serial, strlen(p->serial), &serial) < 0 &&
	    build_error_to_finding(build, step, "serial", "SERIAL-FORM") < 0)
		return -1;
	if (p->query != NULL && revoke_query_check(build, step, p->query) < 0)
		return -1;
	if (reason_by_name(p->reason, &reason) < 0)
		return build_error_to_finding(
		    build, step, "reason", "CRL-REASON-SET");
	return check_dates(build, step, reason);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct revoke_params *p = step->params;
	AUTO_CHARS(query) =
	    p->query == NULL ? NULL : revoke_query_text(p->query);

	if (p->query != NULL) {
		if (query == NULL)
			return -1;
		return step_text(ret_text,
		    "revoke every certificate of '%s' with: %s%s; reason %s; "
		    "this cannot be undone",
		    p->issuer, query,
		    p->except_count > 0 ? ", but for some" : "", p->reason);
	}
	return step_text(ret_text,
	    "revoke %s %s of '%s', reason %s; this cannot be undone",
	    p->serial != NULL ? "serial" : "the certificate in",
	    p->serial != NULL ? p->serial : p->certificate, p->issuer,
	    p->reason);
}

/* ---- one certificate ------------------------------------------------------------- */

/* What is revoked, and what is known of it. */
struct revoking {
	struct build *build;
	const struct step *step;
	const struct revoke_params *params;
	struct issuer_view issuer;
	const char *member; /* of the plan, for places */
	struct listed row;
	int64_t begins; /* notBefore of the certificate, 0: unknown */
	bool from_file; /* and its signature was verified */
	char serial[SERIAL_HEX_SIZE];
	char *name; /* in the journal; or NULL */
};

static void
revoking_clear(struct revoking *revoking)
{
	issuer_view_clear(&revoking->issuer);
	free(revoking->name);
}
CLEANUP_DEFINE_STRUCT(revoking);

/* Dates and reason, which check() has had pass. */
static int
set_terms(struct revoking *r, struct listed *row)
{
	const struct revoke_params *p = r->params;

	row->date = r->build->now;
	row->invalidity = 0;
	if (reason_by_name(p->reason, &row->reason) < 0 ||
	    (p->date != NULL && date_parse(p->date, &row->date) < 0) ||
	    (p->invalidity_date != NULL &&
		date_parse(p->invalidity_date, &row->invalidity) < 0))
		return -1;
	return 0;
}

/* CRL-ENTRY-DATE: no certificate is revoked before it is valid. */
static void
check_begin(struct revoking *r, int64_t begins)
{
	char text[DATE_TEXT_SIZE];

	if (r->params->date == NULL || begins == 0 || r->row.date >= begins)
		return;
	date_format(begins, text);
	step_finding(r->build, r->step, "date", "CRL-ENTRY-DATE",
	    "RFC 5280, section 5.1.2.6",
	    "%s is before the certificate begins, at %s", r->params->date,
	    text);
}

/* The serial of a certificate in a file, which the issuer has signed. */
static int
read_certificate(struct revoking *r)
{
	const char *file = r->params->certificate;
	const struct input *input =
	    inputs_find(r->build->inputs, INPUT_FILE, file);
	AUTO(X509) *certificate = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	const char *why = NULL;

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (certificate_read(file, input->data, input->len, &certificate) < 0 ||
	    certificate_facts(certificate, &facts) < 0)
		return build_error_to_finding(
		    r->build, r->step, "certificate", "CERTIFICATE");
	if (certificate_is_issued_by(certificate, r->issuer.certificate, &why) <
	    0)
		return -1;
	if (why != NULL) {
		step_finding(r->build, r->step, "certificate",
		    "CERTIFICATE-ISSUER", "RFC 5280, section 6.1.3", "%s", why);
		return 0;
	}
	r->row.ca = facts.is_ca ? 1 : 0;
	r->row.expires = facts.not_after;
	r->begins = facts.not_before;
	r->from_file = true;
	return serial_from_octets(
	    facts.serial, facts.serial_len, &r->row.serial);
}

static void
take_known(struct revoking *r, int ca, int64_t expires)
{
	if (ca >= 0)
		r->row.ca = (signed char)ca;
	if (expires != 0)
		r->row.expires = expires;
}

/* One that was taken in, or that this plan takes in before. */
static int
find_issued(struct revoking *r, const struct serial *serial, bool *ret_found)
{
	AUTO_STRUCT(issued_row) row = { 0 };
	struct listed listed;
	char hex[SERIAL_HEX_SIZE];

	serial_hex(serial, hex);
	if (journal_issued(
		r->build->journal, r->issuer.dn, hex, ret_found, &row) < 0)
		return -1;
	if (*ret_found) {
		take_known(r, row.ca, row.expires);
		return 0;
	}
	if (planned_issued(r->build, r->issuer.dn, serial, ret_found, &listed) <
	    0)
		return -1;
	if (*ret_found)
		take_known(r, listed.ca, listed.expires);
	return 0;
}

/* A serial that was copied as a decimal number? */
static int
find_decimal(struct revoking *r, char ret_hex[SERIAL_HEX_SIZE], bool *ret_found)
{
	AUTO_STRUCT(object_row) row = { 0 };
	const char *text = r->params->serial;
	struct serial serial;

	*ret_found = false;
	if (text == NULL || strspn(text, "0123456789") != strlen(text))
		return 0;
	if (serial_from_decimal(text, strlen(text), &serial) < 0) {
		ca_error_clear();
		return 0;
	}
	serial_hex(&serial, ret_hex);
	if (journal_certificate_by_serial(
		r->build->journal, r->issuer.dn, ret_hex, ret_found, &row) < 0)
		return -1;
	return *ret_found ? 0 : find_issued(r, &serial, ret_found);
}

/* Hex of this length without one digit above 9: 1 in 10,000. */
enum { DECIMAL_DIGITS = 20 };

static int
judge_unknown(struct revoking *r)
{
	const char *text = r->params->serial;
	char hex[SERIAL_HEX_SIZE];
	bool decimal = false;

	if (find_decimal(r, hex, &decimal) < 0)
		return -1;
	if (decimal)
		step_finding(r->build, r->step, r->member, "SERIAL-RADIX", NULL,
		    "no certificate of '%s' has the serial number %s; read as "
		    "a decimal number it is that of one: write it in hex, %s",
		    r->params->issuer, r->serial, hex);
	else if (!r->issuer.adopted)
		step_finding(r->build, r->step, r->member, "SERIAL-UNKNOWN",
		    NULL,
		    "no certificate that '%s' issued here has the serial "
		    "number %s; one that was issued elsewhere is taken in with "
		    "import-issued first",
		    r->params->issuer, r->serial);
	else if (text != NULL && strlen(text) >= DECIMAL_DIGITS &&
	    strspn(text, "0123456789") == strlen(text))
		step_finding(r->build, r->step, r->member, "SERIAL-RADIX", NULL,
		    "serial %s is unknown here and has only decimal digits; "
		    "is it a decimal number? give the certificate's file, or "
		    "take it in with import-issued first",
		    r->serial);
	return 0;
}

/* Is it a certificate of this issuer, and may it be revoked for this? */
static int
check_certificate(struct revoking *r)
{
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false, issued = false;

	if (journal_certificate_by_serial(
		r->build->journal, r->issuer.dn, r->serial, &found, &row) < 0 ||
	    (!found && find_issued(r, &r->row.serial, &issued) < 0))
		return -1;
	if (found) {
		r->row.ca = row.ca ? 1 : 0;
		r->row.expires = row.until;
		r->begins = row.from;
		r->name = TAKE(row.name);
	}
	if (serial_is_root(&r->issuer, &r->row.serial) ||
	    (found && row.certificate_kind != NULL &&
		strcmp(row.certificate_kind, "root") == 0))
		step_finding(r->build, r->step, r->member, "REVOKE-ROOT",
		    "RFC 5280, section 6.3",
		    "this is the root itself; a root cannot revoke itself, it "
		    "must be removed from trust stores");
	if (!found && !issued && judge_unknown(r) < 0)
		return -1;
	if (revocation_lacks_reason(&r->issuer, &r->row))
		step_finding(r->build, r->step, "reason", "CRL-REASON-CA",
		    "BR 7.2.2",
		    r->row.ca == 1
			? "the revocation of a CA certificate needs a reason"
			: "what a root has issued may be a CA, and nobody says "
			  "that this is none: its revocation needs a reason");
	check_begin(r, r->begins);
	return 0;
}

static int
add_one(struct revoking *r)
{
	const struct revoke_params *p = r->params;
	struct built_act act = { .entry = ENTRY_REVOKED, .step = r->step };
	char date[DATE_TEXT_SIZE], invalidity[DATE_TEXT_SIZE];

	if (listed_plan(&r->row, &act) < 0)
		return -1;
	date_format(r->row.date, date);
	date_format(r->row.invalidity, invalidity);
	act.kind = text_copy("revoke");
	act.data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s*}", "issuer",
	    p->issuer, "issuer_dn", r->issuer.dn, "serial", r->serial, "date",
	    date, "reason", p->reason, "cause", "plan", "invalidity",
	    r->row.invalidity == 0 ? NULL : invalidity);
	act.summary =
	    text_printf("revoke %s%s%sserial %s of '%s', reason %s%s%s",
		r->name == NULL ? "" : "certificate '",
		r->name == NULL ? "" : r->name, r->name == NULL ? "" : "', ",
		r->serial, p->issuer, p->reason,
		p->date == NULL ? "" : ", as of ", p->date == NULL ? "" : date);
	return build_add_act(r->build, &act);
}

/* A serial that is revoked already: done by this very run, or refused. */
static int
is_done(struct revoking *r, bool *ret_done)
{
	bool revoked = false;

	if (build_is_revoked(r->build, r->issuer.dn, r->serial, &revoked) < 0)
		return -1;
	if (revoked && !r->build->resumed)
		step_finding(r->build, r->step, r->member, "REVOKED-ALREADY",
		    NULL,
		    "serial %s is revoked already; a revocation cannot be "
		    "changed, but for upgrade-revocation",
		    r->serial);
	*ret_done = revoked;
	return 0;
}

static int
check_after(const struct revoking *r, const struct listing *listing)
{
	return revoke_check_after(&(struct revoke_after){
	    .build = r->build,
	    .step = r->step,
	    .member = "reason",
	    .issuer = r->params->issuer,
	    .view = &r->issuer,
	    .listing = listing,
	});
}

static int
revoke_one(struct revoking *r)
{
	const struct revoke_params *p = r->params;
	size_t errors = r->build->findings->errors;
	bool done = false;

	r->member = p->serial != NULL ? "serial" : "certificate";
	if (p->serial == NULL && read_certificate(r) < 0)
		return -1;
	if (p->serial == NULL && !r->from_file)
		return 0; /* that gave a finding */
	if (p->serial != NULL &&
	    serial_from_hex(p->serial, strlen(p->serial), &r->row.serial) < 0)
		return -1;
	serial_hex(&r->row.serial, r->serial);
	if (is_done(r, &done) < 0)
		return -1;
	if (done)
		return 0;
	revocations_check_order(r->build, r->step, r->issuer.dn);
	if (set_terms(r, &r->row) < 0 || check_certificate(r) < 0)
		return -1;
	if (r->build->findings->errors > errors)
		return 0;
	if (check_after(r, &(struct listing){ &r->row, 1, 1 }) < 0)
		return -1;
	return r->build->findings->errors > errors ? 0 : add_one(r);
}

/* ---- a query -------------------------------------------------------------------- */

static void
check_found(struct revoking *r, const struct query_counts *counts,
    const struct listing *listing)
{
	size_t without_reason = 0;

	for (size_t i = 0; i < listing->count; i++) {
		check_begin(r, listing->rows[i].date);
		without_reason +=
		    listing->rows[i].ca == 1 && r->row.reason == REASON_NONE;
	}
	if (without_reason > 0)
		step_finding(r->build, r->step, "reason", "CRL-REASON-CA",
		    "BR 7.2.2",
		    "%zu of the certificates found are those of CAs, whose "
		    "revocation needs a reason",
		    without_reason);
	/* A run that is resumed has perhaps done it. */
	if (listing->count == 0 && !r->build->resumed)
		step_finding(r->build, r->step, "query", "QUERY-NOTHING", NULL,
		    "the query finds nothing to revoke: %zu certificates, of "
		    "which %zu are revoked already, %zu have expired and %zu "
		    "are excepted",
		    counts->found, counts->revoked, counts->expired,
		    counts->excepted);
}

static int
add_found(struct revoking *r, const struct query_counts *counts,
    struct listing *listing)
{
	const struct revoke_params *p = r->params;
	AUTO_CHARS(query) = revoke_query_text(p->query);
	AUTO_CHARS(summary) = query == NULL
	    ? NULL
	    : text_printf("revoke what has %s, reason %s", query, p->reason);
	AUTO_CHARS(details) = text_printf(
	    "found: %zu\nleft out, revoked already: %zu\nleft out, expired: "
	    "%zu\nleft out by 'except': %zu\nissued elsewhere, and not "
	    "looked at: %zu",
	    counts->found, counts->revoked, counts->expired, counts->excepted,
	    counts->elsewhere);
	const struct revocations_act act = {
		.kind = "revoke",
		.issuer = p->issuer,
		.issuer_dn = r->issuer.dn,
		.source = "query",
		.summary = summary,
		.details = details,
	};

	if (summary == NULL || details == NULL)
		return -1;
	return revocations_add_act(r->build, r->step, &act, listing);
}

/* Before anybody approves: a query says how many only when it is run. */
static void
tell_count(const struct revoking *r, const struct query_counts *counts,
    const struct listing *listing)
{
	findings_add(r->build->findings, FINDING_NOTICE, "QUERY-COUNT",
	    step_place(r->step, "query"), NULL,
	    "as of now the query would revoke %zu certificate%s: it finds %zu, "
	    "of which %zu are revoked already, %zu have expired and %zu are "
	    "excepted",
	    listing->count, listing->count == 1 ? "" : "s", counts->found,
	    counts->revoked, counts->expired, counts->excepted);
}

static int
revoke_found(struct revoking *r)
{
	AUTO_STRUCT(listing) listing = { 0 };
	struct query_counts counts = { 0 };
	size_t errors = r->build->findings->errors;

	revocations_check_order(r->build, r->step, r->issuer.dn);
	if (set_terms(r, &r->row) < 0 ||
	    revoke_query_run(r->build, r->step, &r->issuer, &counts, &listing) <
		0)
		return -1;
	check_found(r, &counts, &listing);
	if (listing.count == 0)
		return 0;
	tell_count(r, &counts, &listing);
	if (r->build->findings->errors > errors)
		return 0;
	for (size_t i = 0; i < listing.count; i++)
		if (set_terms(r, &listing.rows[i]) < 0)
			return -1;
	if (check_after(r, &listing) < 0)
		return -1;
	return r->build->findings->errors > errors
	    ? 0
	    : add_found(r, &counts, &listing);
}

static int
build(struct build *build, const struct step *step)
{
	AUTO_STRUCT(revoking)
	r = {
		.build = build,
		.step = step,
		.params = step->params,
		.row = { .ca = -1 },
	};

	if (build_issuer(build, step, "issuer", r.params->issuer, ISSUER_RECORD,
		&r.issuer) < 0)
		return -1;
	if (!r.issuer.found)
		return 0;
	return r.params->query == NULL ? revoke_one(&r) : revoke_found(&r);
}

const struct step_kind step_revoke = {
	.name = "revoke",
	.params_offset = offsetof(struct step_params, revoke),
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
};
