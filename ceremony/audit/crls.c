/*
 * CRLs: numbers rise, whatever is revoked is on them, nothing else is, and
 * nothing goes from them before it may.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/steps/scope.h"
#include "profiles/der/der.h"
#include "profiles/existing.h"
#include "profiles/issuer.h"

/* One CRL under audit, and the one before it of the same issuer. */
struct crl_audit {
	struct audit_object *object;
	struct crl_facts facts;
	struct crl_scope scope;
	char *issuer; /* signing key, name and scope: one series of CRLs */
	bool has_previous;
	uint64_t previous_number, previous_seq;
	int64_t previous_update;
	char *previous_sha256;
	size_t next; /* of the entries, when they are merged */
};

static void
crl_audit_clear(struct crl_audit *a)
{
	crl_facts_clear(&a->facts);
	crl_scope_clear(&a->scope);
	free(a->issuer);
	free(a->previous_sha256);
}
CLEANUP_DEFINE_STRUCT(crl_audit);

static void
refuse(const struct crl_audit *a, const char *id, const char *serial,
    const char *why)
{
	audit_error(a->object->audit, a->object->entry, id,
	    "CRL '%s': serial %s %s", audit_text(a->object->entry, "name"),
	    serial, why);
}

/* ---- the series ------------------------------------------------------- */

/*
 * By key and name as RFC 5280, section 7.1, compares names: another spelling
 * of the name does not begin a new series.
 */
static int
name_series(struct crl_audit *a, const X509_CRL *crl)
{
	int ok = 0;
	unsigned long hash =
	    X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, &ok);

	if (ok != 1)
		return ca_error(CA_R_INTERNAL, "cannot hash a name");
	a->issuer = text_printf("%s:%08lx:%d%d:%s",
	    audit_text(&a->object->intent, "key"), hash, a->scope.only_ca,
	    a->scope.only_user, a->scope.url == NULL ? "" : a->scope.url);
	return a->issuer == NULL ? -1 : 0;
}

static int
find_previous(struct crl_audit *a)
{
	AUTO_STRUCT(query) query = { 0 };

	if (query_start(a->object->audit->journal,
		"SELECT number, this_update, seq, sha256 FROM audit_crls"
		" WHERE issuer = ?1",
		SQL_VALUES(sql_text(a->issuer)), &query) != 0 ||
	    query_step(&query, &a->has_previous) != 0)
		return -1;
	if (!a->has_previous)
		return 0;
	a->previous_number = (uint64_t)sqlite3_column_int64(query.stmt, 0);
	a->previous_update = sqlite3_column_int64(query.stmt, 1);
	a->previous_seq = (uint64_t)sqlite3_column_int64(query.stmt, 2);
	return query_text(&query, 3, &a->previous_sha256);
}

static int
set_previous(const struct crl_audit *a)
{
	return sql_run(a->object->audit->journal, a->issuer,
	    "INSERT OR REPLACE INTO audit_crls"
	    " (issuer, number, this_update, seq, sha256)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_text(a->issuer), sql_int((int64_t)a->facts.number),
		sql_int(a->facts.this_update),
		sql_int((int64_t)a->object->entry->seq),
		sql_text(audit_text(a->object->entry, "sha256"))));
}

/* CRL-NUMBER-STRICT; time goes on, unless the clock was set right between. */
static void
check_order(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	const char *name = audit_text(object->entry, "name");

	if (!a->has_previous)
		return;
	if (a->facts.number <= a->previous_number)
		audit_error(object->audit, object->entry, "AUDIT-CRL-NUMBER",
		    "CRL '%s' has number %" PRIu64 ", the one before it of the "
		    "same issuer (entry %" PRIu64 ") %" PRIu64,
		    name, a->facts.number, a->previous_seq, a->previous_number);
	if (a->facts.this_update >= a->previous_update)
		return;
	if (object->state->clock > a->previous_seq)
		audit_warning(object->audit, object->entry, "AUDIT-CRL-TIME",
		    "thisUpdate of CRL '%s' is before that of the one before "
		    "it: the clock was set right between them",
		    name);
	else
		audit_error(object->audit, object->entry, "AUDIT-CRL-TIME",
		    "thisUpdate of CRL '%s' is before that of the one before "
		    "it (entry %" PRIu64 ")",
		    name, a->previous_seq);
}

/* ---- entries ---------------------------------------------------------- */

/*
 * RFC 5280, section 3.3: an entry stays until it was on a CRL that was issued
 * after the certificate's end.  Serials that nobody knows stay.
 */
static int
may_be_gone(const struct crl_audit *a, const char *serial, bool *ret_gone)
{
	int64_t until;
	bool found;

	if (sql_number(a->object->audit->journal,
		"SELECT valid_until FROM objects WHERE issuer_dn = ?1"
		" AND serial = ?2",
		SQL_VALUES(
		    sql_text(audit_text(&a->object->intent, "issuer_dn")),
		    sql_text(serial)),
		&found, &until) != 0)
		return -1;
	*ret_gone = found && a->has_previous && until < a->previous_update;
	return 0;
}

/* Something that should be on the CRL, and is not. */
static int
missing(const struct crl_audit *a, const char *serial, const char *id,
    const char *why)
{
	bool gone;

	if (may_be_gone(a, serial, &gone) != 0)
		return -1;
	if (!gone)
		refuse(a, id, serial, why);
	return 0;
}

static int
stranger(const struct crl_audit *a, const struct crl_entry *entry)
{
	AUTO_CHARS(serial) = text_hex(entry->serial, entry->serial_len);

	if (serial == NULL)
		return -1;
	refuse(a, "AUDIT-CRL-ENTRY", serial,
	    "is on it, and no entry of the journal revokes it");
	return 0;
}

static void
check_entry(const struct crl_audit *a, const struct crl_entry *entry,
    const struct revocation_row *row)
{
	if (entry->date != row->date)
		refuse(a, "AUDIT-CRL-ENTRY", row->serial,
		    "has another date on it than in the journal");
	if (strcmp(reason_name(entry->reason), row->reason) != 0)
		refuse(a, "AUDIT-CRL-ENTRY", row->serial,
		    "has another reason on it than in the journal");
}

/* By what the journal knew of the certificate; of a full CRL, all are. */
static int
judge(const struct crl_audit *a, const char *serial,
    enum scope_verdict *ret_verdict)
{
	*ret_verdict = SCOPE_UNKNOWN;
	if (crl_scope_judge(a->object->audit->journal, &a->scope,
		audit_text(&a->object->intent, "issuer_dn"), serial,
		ret_verdict) == 0)
		return 0;
	return audit_take_error(
	    a->object->audit, a->object->entry, "AUDIT-CRL-ENTRY");
}

/* Revoked in the journal, and on the CRL (`entry`) or not (NULL). */
static int
check_revoked(const struct crl_audit *a, const struct crl_entry *entry,
    const struct revocation_row *row)
{
	enum scope_verdict verdict;

	if (judge(a, row->serial, &verdict) != 0)
		return -1;
	if (verdict == SCOPE_UNKNOWN)
		refuse(a, "AUDIT-CRL-ENTRY", row->serial,
		    "is revoked, and nobody can say whether it is in the scope "
		    "of this CRL");
	if (verdict == SCOPE_HOLDS && entry == NULL)
		return missing(a, row->serial, "AUDIT-CRL-MISSING",
		    "was revoked before, and is not on it");
	if (entry == NULL)
		return 0;
	if (verdict == SCOPE_LACKS || verdict == SCOPE_NOWHERE)
		refuse(a, "AUDIT-CRL-ENTRY", row->serial,
		    "is on it, and is not in its scope");
	check_entry(a, entry, row);
	return 0;
}

/* Both ascend: entries before the journal's next row are strangers. */
static int
merge(void *ctx, const struct revocation_row *row)
{
	struct crl_audit *a = ctx;
	AUTO_BYTES(octets) = NULL;
	struct crl_entry wanted = { 0 };

	if (text_unhex(row->serial, &octets, &wanted.serial_len) != 0)
		return -1;
	wanted.serial = octets;
	for (; a->next < a->facts.entry_count; a->next++) {
		const struct crl_entry *entry = &a->facts.entries[a->next];
		int order = crl_entry_compare(entry, &wanted);

		if (order > 0)
			break;
		if (order == 0) {
			a->next++;
			return check_revoked(a, entry, row);
		}
		if (stranger(a, entry) != 0)
			return -1;
	}
	return check_revoked(a, NULL, row);
}

/*
 * When it was signed, everything that was revoked before its intent was on it:
 * between that and its result nothing is revoked.
 */
static int
check_revocations(struct crl_audit *a)
{
	a->next = 0;
	if (journal_each_revocation(a->object->audit->journal,
		audit_text(&a->object->intent, "issuer_dn"), merge, a) != 0)
		return -1;
	for (; a->next < a->facts.entry_count; a->next++)
		if (stranger(a, &a->facts.entries[a->next]) != 0)
			return -1;
	return 0;
}

/* ---- the one before it ------------------------------------------------ */

static int
compare_previous(struct crl_audit *a, const struct crl_facts *before)
{
	size_t at = 0;

	for (size_t i = 0; i < before->entry_count; i++) {
		const struct crl_entry *entry = &before->entries[i];
		AUTO_CHARS(serial) = NULL;

		while (at < a->facts.entry_count &&
		    crl_entry_compare(&a->facts.entries[at], entry) < 0)
			at++;
		if (at < a->facts.entry_count &&
		    crl_entry_compare(&a->facts.entries[at], entry) == 0)
			continue;
		serial = text_hex(entry->serial, entry->serial_len);
		if (serial == NULL ||
		    missing(a, serial, "AUDIT-CRL-DROPPED",
			"was on the CRL before it, and is not on it") != 0)
			return -1;
	}
	return 0;
}

static int
check_dropped(struct crl_audit *a)
{
	AUTO_STRUCT(crl_facts) before = { 0 };
	AUTO(X509_CRL) *crl = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (!a->has_previous)
		return 0;
	if (audit_evidence_bytes(
		a->object->audit, a->previous_sha256, &der, &len) != 0)
		return -1;
	if (der == NULL)
		return 0;
	/* It was read before, or it would not be the previous one. */
	if (crl_read("crl", der, len, &crl) != 0 ||
	    crl_facts(crl, &before) != 0)
		return -1;
	return compare_previous(a, &before);
}

/* ---- issuer and profile ----------------------------------------------- */

static void
check_key_identifier(X509_CRL *crl, const struct issuer *issuer,
    const struct audit_object *object)
{
	AUTO(AUTHORITY_KEYID) *aki = NULL;
	int critical;

	aki = X509_CRL_get_ext_d2i(
	    crl, NID_authority_key_identifier, &critical, NULL);
	if (aki == NULL || aki->keyid == NULL || issuer->ski == NULL ||
	    ASN1_OCTET_STRING_cmp(aki->keyid, issuer->ski) != 0)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "the authority key identifier of CRL '%s' is not its "
		    "issuer's subject key identifier (RFC 5280, section 5.2.1)",
		    audit_text(object->entry, "name"));
}

static int
check_issuer(struct crl_audit *a, X509_CRL *crl, const X509 *issuer_cert)
{
	const struct audit_object *object = a->object;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };
	const struct certificate_facts *facts = &issuer.facts;

	if (issuer_read(issuer_cert, &issuer) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-ISSUER");
	if (facts->subject_len != a->facts.issuer_len ||
	    memcmp(facts->subject_der, a->facts.issuer_der,
		facts->subject_len) != 0 ||
	    !facts->is_ca || !facts->signs_crls)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "'%s', which issues CRL '%s', has another name, octet for "
		    "octet, or is not a CA that may sign CRLs (cRLSign)",
		    audit_text(&object->intent, "issuer"),
		    audit_text(object->entry, "name"));
	issuer_check(&issuer, a->facts.this_update, "", &findings);
	issuer_check_nesting(
	    &issuer, a->facts.next_update, "CRL", "", &findings);
	audit_take_findings(
	    object->audit, object->entry, &findings, "AUDIT-ISSUER", NULL);
	check_key_identifier(crl, &issuer, object);
	return audit_issuer_then(object, &issuer, a->facts.this_update);
}

/* What issuer and profile would have made of the same. */
static int
check_profile(struct audit_object *object, const X509 *issuer)
{
	static const char *const said[] = { "ISSUER-VALID", "CRL-SIGNER-KU",
		"AKI-KEYID-ONLY", "FLD-ISSUER-NONEMPTY", "FLD-TIME-NESTED",
		NULL };
	AUTO_STRUCT(findings) findings = { 0 };
	const struct profile *profile = NULL;

	if (audit_profile(object, PROFILE_CRL, &profile) != 0)
		return -1;
	if (profile == NULL)
		return 0;
	if (crl_check_profile(
		object->der, object->len, profile, issuer, "", &findings) != 0)
		return -1;
	audit_take_findings(
	    object->audit, object->entry, &findings, "AUDIT-PROFILE", said);
	return 0;
}

static int
check_made(struct crl_audit *a, X509_CRL *crl)
{
	struct audit_object *object = a->object;
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO(X509) *issuer = NULL;

	if (audit_issuer(object->audit, object->entry,
		audit_text(&object->intent, "issuer"), "AUDIT-ISSUER", &row,
		&issuer) != 0)
		return -1;
	if (issuer == NULL)
		return 0;
	return check_issuer(a, crl, issuer) != 0
	    ? -1
	    : check_profile(object, issuer);
}

/* ---- all of it -------------------------------------------------------- */

/* Full CRLs have none, in the intent neither. */
static void
check_url(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;

	if (a->scope.url != NULL)
		audit_same_text(object, "distribution_url", a->scope.url);
	else if (json_object_get(object->intent.data, "distribution_url") !=
	    NULL)
		audit_error(object->audit, object->entry, "AUDIT-FACTS",
		    "CRL '%s' is a full one, and its intent has a "
		    "distribution point",
		    audit_text(object->entry, "name"));
}

static int
check_facts(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	AUTO_CHARS(number) = text_printf("%" PRIu64, a->facts.number);

	if (number == NULL ||
	    audit_same_digest(object, "issuer_dn", a->facts.issuer_der,
		a->facts.issuer_len) != 0)
		return -1;
	audit_same_text(object, "number", number);
	audit_same_date(object, "this_update", a->facts.this_update);
	audit_same_date(object, "next_update", a->facts.next_update);
	if (audit_number(&object->intent, "entries") !=
	    (int64_t)a->facts.entry_count)
		audit_error(object->audit, object->entry, "AUDIT-FACTS",
		    "CRL '%s' has %zu entries, and another number of them in "
		    "its intent",
		    audit_text(object->entry, "name"), a->facts.entry_count);
	check_url(a);
	return 0;
}

/* *ret_crl stays NULL, with a finding, where it cannot be read. */
static int
read_crl(struct crl_audit *a, X509_CRL **ret_crl)
{
	const struct audit_object *object = a->object;
	struct signed_object parts;
	AUTO(X509_CRL) *crl = NULL;

	if (!der_signed_object(object->der, object->len, &parts))
		return 0; /* a finding is there */
	if (crl_read(audit_text(object->entry, "name"), object->der,
		object->len, &crl) != 0 ||
	    crl_facts(crl, &a->facts) != 0 ||
	    crl_scope_read(crl, &a->scope) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-SIGNATURE");
	*ret_crl = TAKE(crl);
	return 0;
}

int
audit_crl(struct audit_object *object)
{
	AUTO_STRUCT(crl_audit) a = { .object = object };
	AUTO(X509_CRL) *crl = NULL;

	object->audit->report.crls++;
	if (read_crl(&a, &crl) != 0)
		return -1;
	if (crl == NULL)
		return 0;
	if (check_facts(&a) != 0 || name_series(&a, crl) != 0 ||
	    find_previous(&a) != 0)
		return -1;
	check_order(&a);
	if (check_revocations(&a) != 0 || check_dropped(&a) != 0 ||
	    check_made(&a, crl) != 0)
		return -1;
	return set_previous(&a);
}
