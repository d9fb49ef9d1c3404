/*
 * A list against what is known.  The journal's rows ascend as the list does:
 * each is walked once, side by side with it.
 */
#include <stdarg.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/import.h"

static int row_fault(struct import *import, const struct listed *row,
    const char *id, const char *source, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* "serial 0a0b ..." at its line. */
static int
row_fault(struct import *import, const struct listed *row, const char *id,
    const char *source, const char *fmt, ...)
{
	AUTO_CHARS(place) = import_place(import, row->line);
	char serial[SERIAL_HEX_SIZE], text[512];
	va_list ap;

	if (place == NULL)
		return -1;
	serial_hex(&row->serial, serial);
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fault_add(
	    &import->faults, place, id, source, "serial %s %s", serial, text);
	return 0;
}

/* ---- side by side ----------------------------------------------------------- */

struct walk {
	struct import *import;
	size_t at; /* rows before it are less than what the journal gave */
};

/* The row of the list with this serial, or NULL; serials ascend. */
static struct listed *
walk_to(struct walk *walk, const char *hex)
{
	struct listing *listing = &walk->import->listing;
	struct serial serial;
	int order = -1;

	if (serial_from_hex(hex, strlen(hex), &serial) < 0) {
		ca_error_clear(); /* longer than those of a list can be */
		return NULL;
	}
	while (walk->at < listing->count) {
		order =
		    serial_compare(&listing->rows[walk->at].serial, &serial);
		if (order >= 0)
			break;
		walk->at++;
	}
	return order == 0 && walk->at < listing->count
	    ? &listing->rows[walk->at]
	    : NULL;
}

/* ---- the list itself -------------------------------------------------------- */

static int
check_twice(struct import *import)
{
	for (size_t i = 1; i < import->listing.count; i++) {
		const struct listed *row = &import->listing.rows[i];

		if (serial_compare(&row[-1].serial, &row->serial) == 0 &&
		    row_fault(import, row, "CRL-NO-DUP-SERIAL",
			"RFC 5280, section 5.1.2.6",
			"is there already, in %s %zu", import->format->unit,
			row[-1].line) < 0)
			return -1;
	}
	return 0;
}

/* ---- revocations ------------------------------------------------------------ */

static bool
is_same(const struct listed *row, const struct revocation_row *known)
{
	return (!row->given_date || row->date == known->date) &&
	    (!row->given_reason ||
		strcmp(reason_name(row->reason), known->reason) == 0) &&
	    (row->invalidity == 0 || row->invalidity == known->invalidity);
}

static int
meet_revoked(void *ctx, const struct revocation_row *known)
{
	struct walk *walk = ctx;
	struct listed *row = walk_to(walk, known->serial);
	char date[DATE_TEXT_SIZE];

	if (row == NULL)
		return 0;
	row->known = row->drop = true;
	if (is_same(row, known))
		return 0;
	date_format(known->date, date);
	return row_fault(walk->import, row, "REVOKED-CHANGED", "BR 7.2.2",
	    "is revoked here as of %s, %s, and the list says something else; a "
	    "revocation stays as it is, but for upgrade-revocation",
	    date, known->reason);
}

static int
check_planned(struct import *import)
{
	const struct build *build = import->build;

	for (size_t i = 0; i < import->listing.count; i++) {
		struct listed *row = &import->listing.rows[i];

		if (planned_revocation(
			build, import->issuer->dn, &row->serial) != NULL &&
		    row_fault(import, row, "REVOKED-ALREADY", NULL,
			"is revoked by an earlier step of this plan") < 0)
			return -1;
	}
	return 0;
}

/* What a certificate says that the journal knows, in whatever way. */
struct known {
	int ca;
	int64_t from, until; /* 0: unknown */
	bool root;
};

static int
meet_known(struct import *import, struct listed *row, const struct known *known)
{
	char date[DATE_TEXT_SIZE];

	row->known = true;
	if (known->ca >= 0)
		row->ca = (signed char)known->ca;
	if (known->root && !row->drop)
		return row_fault(import, row, "REVOKE-ROOT",
		    "RFC 5280, section 6.3",
		    "is that of the root itself, which cannot revoke itself");
	if (known->until != 0 && row->expires != 0 &&
	    known->until != row->expires) {
		date_format(known->until, date);
		return row_fault(import, row, "IMPORT-EXPIRES", NULL,
		    "ends at another time than the certificate, which ends at "
		    "%s",
		    date);
	}
	if (known->until != 0)
		row->expires = known->until;
	if (known->from == 0 || row->drop || row->date >= known->from)
		return 0;
	date_format(known->from, date);
	return row_fault(import, row, "CRL-ENTRY-DATE",
	    "RFC 5280, section 5.1.2.6",
	    "is revoked as of a time before its certificate begins, at %s",
	    date);
}

static int
meet_certificate(void *ctx, const struct object_row *object)
{
	struct walk *walk = ctx;
	struct listed *row = walk_to(walk, object->serial);
	const struct known known = {
		.ca = object->ca ? 1 : 0,
		.from = object->from,
		.until = object->until,
		.root = (object->certificate_kind != NULL &&
			    strcmp(object->certificate_kind, "root") == 0) ||
		    (row != NULL &&
			serial_is_root(walk->import->issuer, &row->serial)),
	};

	return row == NULL ? 0 : meet_known(walk->import, row, &known);
}

static int
meet_issued(void *ctx, const struct issued_row *issued)
{
	struct walk *walk = ctx;
	struct listed *row = walk_to(walk, issued->serial);
	const struct known known = { .ca = issued->ca,
		.until = issued->expires };

	return row == NULL ? 0 : meet_known(walk->import, row, &known);
}

/* ---- certificates issued elsewhere -------------------------------------------- */

static bool
differs(int64_t a, int64_t b)
{
	return a != 0 && b != 0 && a != b;
}

/* What is unknown on one side agrees with everything. */
static bool
is_same_issued(const struct listed *row, const struct issued_row *known)
{
	char sha256[2 * sizeof(row->sha256) + 1];

	if (row->has_sha256)
		text_hex_into(row->sha256, sizeof(row->sha256), sha256);
	return !differs(row->expires, known->expires) &&
	    (row->ca < 0 || known->ca < 0 || row->ca == known->ca) &&
	    (!row->has_sha256 || known->sha256 == NULL ||
		strcmp(sha256, known->sha256) == 0);
}

static int
meet_same(
    struct import *import, struct listed *row, const struct issued_row *known)
{
	row->known = row->drop = true;
	if (is_same_issued(row, known))
		return 0;
	return row_fault(import, row, "ISSUED-DIFFERS",
	    "RFC 5280, section 4.1.2.2",
	    "is known here already, as that of another certificate: its end, "
	    "its kind or its SHA-256 differ");
}

/* An end that a CRL goes by is not changed: the entry would leave earlier. */
static int
meet_revoked_end(void *ctx, const struct revocation_row *known)
{
	struct walk *walk = ctx;
	struct import *import = walk->import;
	struct listed *row = walk_to(walk, known->serial);
	char date[DATE_TEXT_SIZE];

	if (row == NULL || row->drop || row->expires == 0)
		return 0;
	if (differs(row->expires, known->expires)) {
		date_format(known->expires, date);
		return row_fault(import, row, "ISSUED-DIFFERS",
		    "RFC 5280, section 3.3",
		    "is revoked, and its certificate ends at %s by what was "
		    "taken in with that",
		    date);
	}
	import->leaving +=
	    known->expires == 0 && row->expires < import->build->now;
	return 0;
}

/* The same for what an earlier step of this plan revokes. */
static int
check_planned_ends(struct import *import)
{
	for (size_t i = 0; i < import->listing.count; i++) {
		const struct listed *row = &import->listing.rows[i];
		const struct planned_revocation *planned = planned_revocation(
		    import->build, import->issuer->dn, &row->serial);

		if (planned != NULL && !row->drop &&
		    differs(row->expires, planned->expires) &&
		    row_fault(import, row, "ISSUED-DIFFERS",
			"RFC 5280, section 3.3",
			"is revoked by an earlier step of this plan, and its "
			"certificate has another end there") < 0)
			return -1;
	}
	return 0;
}

static void
warn_leaving(const struct import *import)
{
	if (import->leaving > 0)
		findings_add(import->build->findings, FINDING_WARNING,
		    "ISSUED-LEAVING", import->params->file,
		    "RFC 5280, section 3.3",
		    "%zu of the certificates %s revoked, and ended by this "
		    "list in the past: the entr%s will leave the CRL, which "
		    "cannot be undone; is the list right?",
		    import->leaving, import->leaving == 1 ? "is" : "are",
		    import->leaving == 1 ? "y" : "ies");
}

static int
meet_issued_again(void *ctx, const struct issued_row *known)
{
	struct walk *walk = ctx;
	struct listed *row = walk_to(walk, known->serial);

	return row == NULL ? 0 : meet_same(walk->import, row, known);
}

static int
meet_own(void *ctx, const struct object_row *object)
{
	struct walk *walk = ctx;
	struct listed *row = walk_to(walk, object->serial);
	struct issued_row known = {
		.expires = object->until,
		.ca = object->ca ? 1 : 0,
		.sha256 = object->sha256,
	};

	return row == NULL ? 0 : meet_same(walk->import, row, &known);
}

/* ---- what this plan takes in --------------------------------------------------- */

static int
meet_listed(
    struct import *import, struct listed *row, const struct listed *other)
{
	const struct known known = { .ca = other->ca, .until = other->expires };

	if (import->issued)
		return row_fault(import, row, "ISSUED-ALREADY", NULL,
		    "is taken in by an earlier step of this plan");
	return meet_known(import, row, &known);
}

static int
meet_planned(void *ctx, const struct listed *other)
{
	struct import *import = ctx;
	struct listed *row = listing_find(&import->listing, &other->serial);

	return row == NULL ? 0 : meet_listed(import, row, other);
}

static int
check_planned_issued(struct import *import)
{
	const struct build *build = import->build;

	for (size_t i = 0; i < build->act_count; i++) {
		const struct built_act *act = &build->acts[i];
		const char *dn =
		    json_string_value(json_object_get(act->data, "issuer_dn"));

		if (act->entry != ENTRY_ISSUED || dn == NULL ||
		    strcmp(dn, import->issuer->dn) != 0)
			continue;
		if (issued_text_each(&act->list, meet_planned, import) < 0)
			return -1;
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------------------ */

static int
judge_row(struct import *import, const struct listed *row)
{
	if (row->drop)
		return 0;
	if (!row->known && serial_is_root(import->issuer, &row->serial))
		return row_fault(import, row, "REVOKE-ROOT",
		    "RFC 5280, section 6.3",
		    "is that of the root itself, which cannot revoke itself");
	if (!row->known && !import->issuer->adopted)
		return row_fault(import, row, "SERIAL-UNKNOWN", NULL,
		    "is that of no certificate of '%s' that the journal knows; "
		    "if it was issued elsewhere, take it in with import-issued "
		    "before this step",
		    import->params->issuer);
	if (revocation_lacks_reason(import->issuer, row))
		return row_fault(import, row, "CRL-REASON-CA", "BR 7.2.2", "%s",
		    row->ca == 1
			? "is that of a CA certificate, whose revocation needs "
			  "a reason"
			: "is that of a certificate that may be a CA's, since a "
			  "root has issued it: its revocation needs a reason");
	return 0;
}

static int
check_revocations(struct import *import)
{
	struct walk revoked = { .import = import };
	struct walk own = { .import = import };
	struct walk issued = { .import = import };
	struct journal *journal = import->build->journal;
	const char *dn = import->issuer->dn;
	const struct certificate_filter filter = { .issuer_dn = dn };

	if (journal_each_revocation(journal, dn, meet_revoked, &revoked) < 0 ||
	    check_planned(import) < 0 ||
	    journal_each_certificate(journal, &filter, meet_certificate, &own) <
		0 ||
	    journal_each_issued(journal, dn, meet_issued, &issued) < 0 ||
	    check_planned_issued(import) < 0)
		return -1;
	for (size_t i = 0; i < import->listing.count; i++)
		if (judge_row(import, &import->listing.rows[i]) < 0)
			return -1;
	return 0;
}

static int
check_issued(struct import *import)
{
	struct walk own = { .import = import };
	struct walk issued = { .import = import };
	struct walk revoked = { .import = import };
	struct journal *journal = import->build->journal;
	const char *dn = import->issuer->dn;
	const struct certificate_filter filter = { .issuer_dn = dn };

	if (journal_each_certificate(journal, &filter, meet_own, &own) < 0 ||
	    journal_each_issued(journal, dn, meet_issued_again, &issued) < 0 ||
	    journal_each_revocation(journal, dn, meet_revoked_end, &revoked) <
		0 ||
	    check_planned_ends(import) < 0 || check_planned_issued(import) < 0)
		return -1;
	warn_leaving(import);
	return 0;
}

int
import_check(struct import *import)
{
	/* Faults of lines that are told already hide none of what is twice. */
	if (check_twice(import) < 0)
		return -1;
	if (import->faults.count > 0)
		return 0;
	return import->issued ? check_issued(import)
			      : check_revocations(import);
}
