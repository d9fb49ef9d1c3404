/*
 * What is possibly signed must be revoked; what is revoked must be something
 * that may be.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "ceremony/audit/objects-private.h"
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

int
audit_close(struct audit *audit, const struct audit_entry *entry)
{
	const char *run = audit_text(entry, "run");
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT name, p.serial FROM audit_possibly p WHERE run = ?1"
		" AND NOT EXISTS (SELECT date FROM revocations r"
		" WHERE r.issuer_dn = p.issuer_dn"
		" AND r.octets = length(p.serial) / 2"
		" AND r.serial = p.serial)",
		SQL_VALUES(sql_text(run)), &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_CHARS(name) = NULL;
		AUTO_CHARS(serial) = NULL;

		if (!row)
			return forget_run(audit, run);
		if (query_text(&query, 0, &name) != 0 ||
		    query_text(&query, 1, &serial) != 0)
			return -1;
		audit_error(audit, entry, "AUDIT-REVOKED-MISSING",
		    "certificate '%s' with serial %s is possibly signed, and "
		    "was not revoked before its run was closed",
		    name, serial);
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
	if (!row) {
		if (!issuer->adopted)
			refuse_revocation(audit, entry,
			    "and no certificate of it was intended here");
		return 0;
	}
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

int
audit_revoked(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(object_row) issuer = { 0 };
	bool found = false;

	if (journal_object(audit->journal, "certificate",
		audit_text(entry, "issuer"), &found, &issuer) != 0)
		return -1;
	if (!found || issuer.subject_dn == NULL ||
	    strcmp(issuer.subject_dn, audit_text(entry, "issuer_dn")) != 0) {
		refuse_revocation(audit, entry,
		    "and that is no certificate here with this name");
		return 0;
	}
	if (check_revoked(audit, entry, &issuer) != 0)
		return -1;
	return check_revoked_date(audit, entry);
}
