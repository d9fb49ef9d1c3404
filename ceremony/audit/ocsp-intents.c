/*
 * What is about to be signed: by whom it may be, and that journal and profile
 * give these octets, as of the time that the responses state.
 */
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/ocsp-private.h"

/* ---- who signs --------------------------------------------------------- */

struct window {
	struct audit_object object; /* of the intent */
	struct ocsp_lines lines;
	X509 *issuer, *responder; /* responder: NULL where the issuer signs */
	struct ocsp_maker *maker; /* NULL: none can be made */
};

static void
window_clear(struct window *w)
{
	ocsp_maker_free(w->maker);
	X509_free(w->issuer);
	X509_free(w->responder);
}
CLEANUP_DEFINE_STRUCT(window);

static void
wrong_signer(const struct window *w, const char *name, const char *why)
{
	audit_error(w->object.audit, w->object.entry, "AUDIT-ISSUER",
	    "'%s', by which OCSP responses '%s' are signed, %s", name,
	    audit_text(w->object.entry, "name"), why);
}

static bool
is_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* ISSUER-REVOKED, and what a delegated responder must be. */
static int
check_responder(struct window *w, const char *name)
{
	const struct audit_entry *entry = w->object.entry;
	struct audit *audit = w->object.audit;
	AUTO_STRUCT(object_row) row = { 0 };
	bool revoked = false;

	if (audit_issuer(
		audit, entry, name, "AUDIT-ISSUER", &row, &w->responder) != 0)
		return -1;
	if (w->responder == NULL)
		return 0;
	if (!is_text(row.certificate_kind, "ocsp-responder") ||
	    !is_text(row.issuer_dn, audit_text(entry, "issuer_dn")))
		wrong_signer(w, name, "is no responder of the issuer");
	if (!is_text(row.spki, audit_text(entry, "key")))
		wrong_signer(w, name, "has another key");
	if (journal_revocation(
		audit->journal, row.issuer_dn, row.serial, &revoked) != 0)
		return -1;
	if (revoked)
		wrong_signer(w, name, "was revoked before");
	return 0;
}

/* Of a CA that has ended nothing is said any more, whoever signs it. */
static int
check_state(struct window *w, const struct object_row *issuer)
{
	AUTO_STRUCT(key_row) key = { 0 };
	bool found = false;

	if (issuer->spki == NULL)
		return 0;
	if (audit_key(w->object.audit, issuer->spki, &found, &key) != 0)
		return -1;
	if (found && key.ca_state > CA_RETIRING)
		audit_error(w->object.audit, w->object.entry, "AUDIT-CA-STATE",
		    "OCSP responses '%s' are about certificates of '%s', whose "
		    "CA is %s",
		    audit_text(w->object.entry, "name"), issuer->name,
		    ca_state_name(key.ca_state));
	return 0;
}

static int
find_signers(struct window *w)
{
	const struct audit_entry *entry = w->object.entry;
	const char *name = audit_text(entry, "issuer");
	const char *responder = audit_text(entry, "responder");
	AUTO_STRUCT(object_row) row = { 0 };

	if (audit_issuer(w->object.audit, entry, name, "AUDIT-ISSUER", &row,
		&w->issuer) != 0)
		return -1;
	if (w->issuer == NULL)
		return 0;
	if (!is_text(row.subject_dn, audit_text(entry, "issuer_dn")))
		wrong_signer(w, name, "has another name than the intent says");
	if (responder == NULL && !is_text(row.spki, audit_text(entry, "key")))
		wrong_signer(w, name, "has another key");
	if (check_state(w, &row) != 0)
		return -1;
	return responder == NULL ? 0 : check_responder(w, responder);
}

/* ---- what they must be ------------------------------------------------- */

/* As ceremony/steps/ocsp-responses.c, as of thisUpdate. */
static int
open_maker(struct window *w)
{
	const struct audit_entry *entry = w->object.entry;
	AUTO_STRUCT(findings) findings = { 0 };
	struct ocsp_response_request request = {
		.issuer = w->issuer,
		.responder = w->responder,
		.place = "",
	};
	const struct sigalg *alg = NULL;
	int64_t until;

	if (audit_profile(
		&w->object, PROFILE_OCSP_RESPONSE, &request.profile) != 0 ||
	    ocsp_algorithm(&w->object, &alg) != 0)
		return -1;
	if (request.profile == NULL || alg == NULL)
		return 0;
	request.signature = alg->name;
	if (date_parse(audit_text(entry, "this_update"), &request.now) != 0 ||
	    date_parse(audit_text(entry, "next_update"), &until) != 0)
		return -1;
	request.validity = until - request.now + 1;
	if (request.validity <= 1) {
		audit_error(w->object.audit, entry, "AUDIT-OCSP",
		    "nextUpdate of OCSP responses '%s' is not behind their "
		    "thisUpdate",
		    audit_text(entry, "name"));
		return 0;
	}
	if (ocsp_maker_open(&request, &findings, &w->maker) != 0)
		return audit_take_error(
		    w->object.audit, entry, "AUDIT-PROFILE");
	audit_take_findings(
	    w->object.audit, entry, &findings, "AUDIT-PROFILE", NULL);
	return 0;
}

/* A time that is not that of its making. */
static int
check_backdating(struct audit *audit, const struct audit_entry *entry)
{
	int64_t from;

	if (date_parse(audit_text(entry, "this_update"), &from) != 0)
		return -1;
	/* Built up to 12 hours before the list, and signed within 12 more. */
	if (from < entry->time - 2 * AUDIT_BACKDATE_MAX ||
	    from > entry->time + AUDIT_BACKDATE_MAX)
		audit_warning(audit, entry, "AUDIT-BACKDATED",
		    "OCSP responses '%s' begin at %s, another time than that "
		    "of their making",
		    audit_text(entry, "name"),
		    audit_text(entry, "this_update"));
	return 0;
}

/* ---- lines of an intent ------------------------------------------------ */

/* What the journal says of the certificate, when it was intended. */
struct told {
	bool known, revoked;
	int64_t not_after;
	struct revocation_row revocation;
};

static void
told_clear(struct told *told)
{
	revocation_row_clear(&told->revocation);
}
CLEANUP_DEFINE_STRUCT(told);

static int
ask_journal(struct window *w, const char *serial, struct told *told)
{
	struct journal *journal = w->object.audit->journal;
	const char *dn = audit_text(w->object.entry, "issuer_dn");
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_STRUCT(issued_row) issued = { 0 };
	bool here = false, elsewhere = false;

	if (journal_revocation_row(
		journal, dn, serial, &told->revoked, &told->revocation) != 0 ||
	    journal_certificate_by_serial(journal, dn, serial, &here, &row) !=
		0)
		return -1;
	if (!here &&
	    journal_issued(journal, dn, serial, &elsewhere, &issued) != 0)
		return -1;
	told->known = here || elsewhere || told->revoked;
	told->not_after = here                 ? row.until
	    : elsewhere && issued.expires != 0 ? issued.expires
					       : told->revocation.expires;
	return 0;
}

/* The octets that journal and profile give are those that were intended. */
static int
compare_made(struct window *w, const struct listed_status *row,
    const struct told *told, const char *line, size_t len)
{
	struct ocsp_entry entry = {
		.serial = row->serial,
		.serial_len = row->serial_len,
		.not_after = told->not_after,
		.status = told->revoked ? STATUS_REVOKED : STATUS_GOOD,
		.date = told->revocation.date,
	};
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	int64_t validity;

	if (told->revoked &&
	    reason_by_name(told->revocation.reason, &entry.reason) != 0)
		return audit_take_error(
		    w->object.audit, w->object.entry, "AUDIT-OCSP");
	validity = ocsp_maker_validity(w->maker, told->not_after);
	if (validity == 0) {
		ocsp_refuse(&w->lines, "AUDIT-OCSP", line, len,
		    "its certificate ends too soon for a response");
		return 0;
	}
	if (ocsp_maker_build(w->maker, &entry, validity, &findings, &tbs) != 0)
		return audit_take_error(
		    w->object.audit, w->object.entry, "AUDIT-OCSP");
	audit_take_findings(
	    w->object.audit, w->object.entry, &findings, "AUDIT-OCSP", NULL);
	if (findings.errors == 0 && memcmp(tbs.sha256, row->tbs, HASH_LEN) != 0)
		ocsp_refuse(&w->lines, "AUDIT-OCSP", line, len,
		    "profile and journal give other octets of ResponseData");
	return 0;
}

static int
check_status(struct window *w, const struct listed_status *row,
    const char *line, size_t len)
{
	AUTO_CHARS(serial) = text_hex(row->serial, row->serial_len);
	AUTO_STRUCT(told) told = { 0 };

	if (serial == NULL || ask_journal(w, serial, &told) != 0)
		return -1;
	if (!told.known) {
		ocsp_refuse(&w->lines, "AUDIT-OCSP-STATUS", line, len,
		    "the journal knows no such certificate of the issuer");
		return 0;
	}
	if (told.revoked != row->revoked) {
		ocsp_refuse(&w->lines, "AUDIT-OCSP-STATUS", line, len,
		    told.revoked ? "it was revoked before"
				 : "no entry of the journal revokes it");
		return 0;
	}
	return w->maker == NULL ? 0 : compare_made(w, row, &told, line, len);
}

static int
intended_line(void *ctx, const char *line, size_t len)
{
	struct window *w = ctx;
	struct listed_status row;
	bool read;

	if (ocsp_read_status(&w->lines, line, len, &read, &row) != 0)
		return -1;
	return read ? check_status(w, &row, line, len) : 0;
}

static int
check_lines(struct window *w)
{
	const struct audit_entry *entry = w->object.entry;
	struct audit *audit = w->object.audit;

	w->lines = (struct ocsp_lines){
		.audit = audit,
		.entry = entry,
		.name = audit_text(entry, "name"),
		.id = "AUDIT-OCSP",
	};
	if (list_each_line(audit->journal, audit_text(entry, "items"),
		intended_line, w) != 0)
		return ocsp_take_list_error(audit, entry, w->lines.id);
	return ocsp_check_root(&w->lines, w->lines.leaves,
	    audit_number(entry, "count"), audit_text(entry, "root"));
}

int
ocsp_intent(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(window)
	w = { .object = { .audit = audit,
		  .state = state,
		  .entry = entry,
		  .intent = *entry,
		  .kind = OBJECT_OCSP } };

	if (ocsp_check_listed(audit, entry) != 0 ||
	    check_backdating(audit, entry) != 0 || find_signers(&w) != 0)
		return -1;
	if (w.issuer != NULL &&
	    (w.responder != NULL || audit_text(entry, "responder") == NULL) &&
	    open_maker(&w) != 0)
		return -1;
	return check_lines(&w);
}
