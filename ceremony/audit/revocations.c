/*
 * What is possibly signed must be revoked; what is revoked must be something
 * that may be.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/lists.h"
#include "profiles/crl.h"

/* ---- failures --------------------------------------------------------- */

/*
 * Only the session that meant to sign knows that it had not begun: behind the
 * next login, resumption or plan, whoever settles it can no longer know.
 */
static void
check_not_begun(struct audit *audit, uint64_t session,
    const struct audit_entry *entry, const struct audit_entry *intent)
{
	if (intent->seq < session)
		audit_error(audit, entry, "AUDIT-FAILED",
		    "'%s' is said not to be signed, by a session that began "
		    "(entry %" PRIu64
		    ") after its intent: nobody can know that then",
		    audit_text(entry, "name"), session);
}

/* A root's serial cannot be revoked by the root. */
int
audit_failed(struct audit *audit, const struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	struct audit_entry intent = { 0 };
	AUTO(json_t) *json = NULL;

	if (audit_load_intent(audit, entry, &json, &intent) != 0)
		return -1;
	if (json == NULL)
		return 0;
	if (!json_is_true(json_object_get(entry->data, "possibly_signed"))) {
		check_not_begun(audit, state->session, entry, &intent);
		return 0;
	}
	if (strcmp(audit_text(&intent, "kind"), "certificate") != 0 ||
	    strcmp(audit_text(&intent, "certificate_kind"), "root") == 0)
		return 0;
	return sql_run(audit->journal, audit_text(entry, "name"),
	    "INSERT INTO audit_possibly (run, issuer_dn, serial, name)"
	    " VALUES (?1, ?2, ?3, ?4)",
	    SQL_VALUES(sql_text(audit_text(entry, "run")),
		sql_text(audit_text(&intent, "issuer_dn")),
		sql_text(audit_text(&intent, "serial")),
		sql_text(audit_text(entry, "name"))));
}

static int
forget_run(struct audit *audit, const char *run)
{
	const struct sql_value *values = SQL_VALUES(sql_text(run));

	return sql_run(audit->journal, run,
		   "DELETE FROM audit_possibly WHERE run = ?1", values) != 0
	    ? -1
	    : sql_run(audit->journal, run,
		  "DELETE FROM audit_facts WHERE run = ?1", values);
}

/* Columns: name, issuer_dn, serial. */
static int
check_possibly(
    struct audit *audit, const struct audit_entry *entry, struct query *query)
{
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(issuer_dn) = NULL;
	AUTO_CHARS(serial) = NULL;
	bool revoked = false;

	if (query_text(query, 0, &name) != 0 ||
	    query_text(query, 1, &issuer_dn) != 0 ||
	    query_text(query, 2, &serial) != 0 ||
	    journal_revocation(audit->journal, issuer_dn, serial, &revoked) !=
		0)
		return -1;
	if (!revoked)
		audit_error(audit, entry, "AUDIT-REVOKED-MISSING",
		    "certificate '%s' with serial %s is possibly signed, and "
		    "was not revoked before its run was closed",
		    name, serial);
	return 0;
}

int
audit_close(struct audit *audit, const struct audit_entry *entry)
{
	const char *run = audit_text(entry, "run");
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT name, issuer_dn, serial FROM audit_possibly"
		" WHERE run = ?1",
		SQL_VALUES(sql_text(run)), &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		if (!row)
			return forget_run(audit, run);
		if (check_possibly(audit, entry, &query) != 0)
			return -1;
	}
	return -1;
}

/* ---- revocations ------------------------------------------------------ */

static void
refuse_revocation(
    struct audit *audit, const struct audit_entry *entry, const char *why)
{
	audit_error(audit, entry, "AUDIT-REVOKED",
	    "serial %s of '%s' is revoked, %s", audit_text(entry, "serial"),
	    audit_text(entry, "issuer"), why);
}

/* Not intended here: a list has it, or the CA was taken over. */
static int
check_revoked_elsewhere(struct audit *audit, const struct audit_entry *entry,
    const struct object_row *issuer, enum revocation_reason reason)
{
	AUTO_STRUCT(issued_row) row = { 0 };
	bool found = false;

	if (journal_issued(audit->journal, audit_text(entry, "issuer_dn"),
		audit_text(entry, "serial"), &found, &row) != 0)
		return -1;
	if (!found && !issuer->adopted)
		refuse_revocation(audit, entry,
		    "and no certificate of it was intended here, or taken in");
	if (found && row.ca == 1 && reason == REASON_NONE)
		refuse_revocation(audit, entry,
		    "which is a CA's, without a reason (TLS BR, section "
		    "7.2.2)");
	return 0;
}

/* As ceremony/steps/revoke.c: what may be revoked, and for what. */
static int
check_revoked(struct audit *audit, const struct audit_entry *entry,
    const struct object_row *issuer)
{
	AUTO_STRUCT(query) query = { 0 };
	enum revocation_reason reason;
	bool row, root;

	if (reason_by_name(audit_text(entry, "reason"), &reason) != 0)
		return audit_take_error(audit, entry, "AUDIT-REVOKED");
	if (query_start(audit->journal,
		"SELECT ca, ifnull(certificate_kind, '') = 'root' FROM objects"
		" WHERE issuer_dn = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(audit_text(entry, "issuer_dn")),
		    sql_text(audit_text(entry, "serial"))),
		&query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return check_revoked_elsewhere(audit, entry, issuer, reason);
	root = sqlite3_column_int(query.stmt, 1) != 0;
	if (root)
		refuse_revocation(audit, entry,
		    "which is the root's own: a root cannot revoke itself (RFC "
		    "5280, section 6.3)");
	if (sqlite3_column_int(query.stmt, 0) != 0 && reason == REASON_NONE)
		refuse_revocation(audit, entry,
		    "which is a CA's, without a reason (TLS BR, section "
		    "7.2.2)");
	return 0;
}

static int
check_revoked_date(struct audit *audit, const struct audit_entry *entry)
{
	int64_t date;

	if (date_parse(audit_text(entry, "date"), &date) != 0)
		return -1;
	if (date < entry->time - AUDIT_BACKDATE_MAX ||
	    date > entry->time + AUDIT_BACKDATE_MAX)
		audit_warning(audit, entry, "AUDIT-BACKDATED",
		    "serial %s of '%s' is revoked as of %s, another time than "
		    "that of its entry",
		    audit_text(entry, "serial"), audit_text(entry, "issuer"),
		    audit_text(entry, "date"));
	return 0;
}

/* *ret_found is false, with a finding, where it is none. */
static int
find_issuer(struct audit *audit, const struct audit_entry *entry,
    bool *ret_found, struct object_row *issuer)
{
	const char *dn = audit_text(entry, "issuer_dn");

	*ret_found = false;
	if (journal_object(audit->journal, "certificate",
		audit_text(entry, "issuer"), ret_found, issuer) != 0)
		return -1;
	*ret_found = *ret_found && issuer->subject_dn != NULL &&
	    strcmp(issuer->subject_dn, dn) == 0;
	if (!*ret_found)
		audit_error(audit, entry, "AUDIT-REVOKED",
		    "certificates of '%s' are revoked, or said to be issued, "
		    "and that is no certificate here with this name",
		    audit_text(entry, "issuer"));
	return 0;
}

int
audit_revoked(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(object_row) issuer = { 0 };
	bool found = false;

	if (find_issuer(audit, entry, &found, &issuer) != 0)
		return -1;
	if (!found)
		return 0;
	if (check_revoked(audit, entry, &issuer) != 0)
		return -1;
	return check_revoked_date(audit, entry);
}

/* ---- lists ------------------------------------------------------------- */

enum { LINES_SHOWN = 100 };

struct listing {
	struct audit *audit;
	const struct audit_entry *entry;
	bool query;       /* only of certificates that are known here */
	uint64_t refused; /* findings about lines */
};

/* Of a list in which every line is wrong, the first are named. */
static void
refuse_line(struct listing *l, const char *serial, const char *why)
{
	if (l->refused++ < LINES_SHOWN)
		audit_error(l->audit, l->entry, "AUDIT-REVOKED",
		    "serial %s of '%s' is revoked, %s", serial,
		    audit_text(l->entry, "issuer"), why);
}

/* What the journal knows of the certificate: where it is ours, all of it. */
static int
check_known(
    struct listing *l, const struct listed_revocation *row, const char *serial)
{
	AUTO_STRUCT(query) query = { 0 };
	bool ours;

	if (query_start(l->audit->journal,
		"SELECT ca, ifnull(certificate_kind, '') = 'root', valid_until"
		" FROM objects WHERE issuer_dn = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(audit_text(l->entry, "issuer_dn")),
		    sql_text(serial)),
		&query) != 0 ||
	    query_step(&query, &ours) != 0)
		return -1;
	if (!ours) {
		if (l->query)
			refuse_line(l, serial,
			    "by a query, and no certificate of it was "
			    "intended here");
		return 0;
	}
	if (sqlite3_column_int(query.stmt, 1) != 0)
		refuse_line(l, serial,
		    "which is the root's own: a root cannot revoke itself (RFC "
		    "5280, section 6.3)");
	if (sqlite3_column_int(query.stmt, 0) != 0 &&
	    row->reason == REASON_NONE)
		refuse_line(l, serial,
		    "which is a CA's, without a reason (TLS BR, section "
		    "7.2.2)");
	if (row->expires != 0 &&
	    row->expires != sqlite3_column_int64(query.stmt, 2))
		refuse_line(l, serial,
		    "and its certificate has another end than the list says");
	return 0;
}

static int
check_listed(void *ctx, const struct listed_revocation *row)
{
	struct listing *l = ctx;
	char serial[2 * LIST_SERIAL_MAX + 1];
	const char *name = list_reason_name(row->reason);
	enum revocation_reason reason;

	text_hex_into(row->serial, row->serial_len, serial);
	if (name == NULL || reason_by_name(name, &reason) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		refuse_line(
		    l, serial, "for a reason that may not be (CRL-REASON-SET)");
	}
	if (row->date > l->entry->time + AUDIT_BACKDATE_MAX)
		refuse_line(l, serial, "as of a time that is still to come");
	return check_known(l, row, serial);
}

static void
count_refused(const struct listing *l)
{
	if (l->refused > LINES_SHOWN)
		audit_error(l->audit, l->entry, "AUDIT-REVOKED",
		    "%" PRIu64 " findings about the list in all, of which %d "
		    "are shown",
		    l->refused, LINES_SHOWN);
}

/* What was taken over or imported has the dates that it had elsewhere. */
int
audit_revocations(struct audit *audit, const struct audit_entry *entry)
{
	struct listing l = { .audit = audit,
		.entry = entry,
		.query = strcmp(audit_text(entry, "source"), "query") == 0 };
	AUTO_STRUCT(object_row) issuer = { 0 };
	bool found = false;

	if (find_issuer(audit, entry, &found, &issuer) != 0)
		return -1;
	if (!found)
		return 0;
	/* It was applied, so it can be read. */
	if (list_each_revocation(audit->journal, audit_text(entry, "list"),
		check_listed, &l) != 0)
		return -1;
	count_refused(&l);
	return 0;
}

/* That it was as it is said to have been, the tables have compared. */
int
audit_upgraded(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(object_row) issuer = { 0 };
	bool found = false;

	return find_issuer(audit, entry, &found, &issuer);
}

int
audit_issued(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(object_row) issuer = { 0 };
	bool found = false;

	return find_issuer(audit, entry, &found, &issuer);
}
