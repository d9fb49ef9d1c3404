/*
 * CRLs: signed by the key that was intended, numbers rise, whatever is revoked
 * is on them, nothing else is, and nothing goes from them before it may.
 *
 * They are read from the evidence in flat memory, entry by entry, beside the
 * table of revocations, which has the same order.
 */
#include <inttypes.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/lists.h"
#include "ceremony/steps/scope.h"
#include "profiles/crl-reader.h"
#include "profiles/der/stream.h"
#include "profiles/issuer.h"

enum { ENTRIES_SHOWN = 100 };

/* A CRL in the evidence. */
struct crl_file {
	struct evidence_file evidence;
	struct der_source source;
	struct crl_head head;
};

/* One CRL under audit, and the one before it of the same issuer. */
struct crl_audit {
	struct audit_object *object;
	struct crl_file file;
	X509_CRL *frame; /* its issuer and extensions, without entries */
	struct crl_scope scope;
	char *issuer; /* signing key, name and scope: one series of CRLs */
	bool has_previous;
	uint64_t previous_number, previous_seq;
	int64_t previous_update;
	char *previous_sha256;
	uint64_t refused; /* findings about entries */
};

static void
crl_file_clear(struct crl_file *file)
{
	crl_head_clear(&file->head);
	evidence_file_clear(&file->evidence);
}
CLEANUP_DEFINE_STRUCT(crl_file);

static void
crl_audit_clear(struct crl_audit *a)
{
	X509_CRL_free(a->frame);
	crl_scope_clear(&a->scope);
	crl_file_clear(&a->file);
	free(a->issuer);
	free(a->previous_sha256);
}
CLEANUP_DEFINE_STRUCT(crl_audit);

/* Of a CRL in which a million entries are wrong, the first are named. */
static void
refuse(struct crl_audit *a, const char *id, const char *serial, const char *why)
{
	if (a->refused++ < ENTRIES_SHOWN)
		audit_error(a->object->audit, a->object->entry, id,
		    "CRL '%s': serial %s %s",
		    audit_text(a->object->entry, "name"), serial, why);
}

static void
count_refused(const struct crl_audit *a)
{
	if (a->refused > ENTRIES_SHOWN)
		audit_error(a->object->audit, a->object->entry,
		    "AUDIT-CRL-ENTRY",
		    "CRL '%s': %" PRIu64 " findings about its entries in all, "
		    "of which %d are shown",
		    audit_text(a->object->entry, "name"), a->refused,
		    ENTRIES_SHOWN);
}

/* ---- reading ---------------------------------------------------------- */

static int
read_source(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	return evidence_file_read(ctx, offset, buf, cap, ret_len);
}

/* `file` stays where it is; -1 with CA_R_INPUT where it is no CRL. */
static int
open_file(struct audit *audit, const char *name, const char *sha256,
    struct crl_file *file)
{
	AUTO_BYTES(digest) = NULL;
	size_t len;

	if (text_unhex(sha256, &digest, &len) != 0 ||
	    evidence_file_open(audit->journal, digest, &file->evidence) != 0)
		return -1;
	file->source = (struct der_source){
		.ctx = &file->evidence,
		.read = read_source,
		.len = file->evidence.len,
	};
	return crl_head_read(name, &file->source, &file->head);
}

/* The SHA-256 of TBSCertList, by which it was confirmed. */
static int
hash_tbs(const struct der_source *source, unsigned char ret_digest[HASH_LEN])
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	AUTO_STRUCT(der_stream) stream = { 0 };
	struct der_header header;
	struct der octets;

	if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	if (der_stream_open(source, 0, &stream) != 0 ||
	    der_stream_header(&stream, &header) != 0 ||
	    der_stream_pass(&stream, header.header) != 0 ||
	    der_stream_header(&stream, &header) != 0)
		return -1;
	stream.digest = md;
	for (uint64_t left = header.header + header.len; left > 0;) {
		size_t n =
		    left < DER_WINDOW_MAX ? (size_t)left : DER_WINDOW_MAX;

		if (der_stream_peek(&stream, n, &octets) != 0 ||
		    der_stream_pass(&stream, n) != 0)
			return -1;
		left -= n;
	}
	return EVP_DigestFinal_ex(md, ret_digest, NULL) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

/* What functions that want a CRL look at, but for the entries. */
static int
make_frame(const struct crl_head *head, X509_CRL **ret_frame)
{
	AUTO(X509_CRL) *frame = X509_CRL_new();
	const unsigned char *at = head->issuer_der;
	AUTO(X509_NAME) *name =
	    d2i_X509_NAME(NULL, &at, (long)head->issuer_len);

	if (frame == NULL || name == NULL ||
	    X509_CRL_set_issuer_name(frame, name) != 1)
		return ca_error(CA_R_INPUT, "its issuer is no name");
	for (int i = 0; i < sk_X509_EXTENSION_num(head->extensions); i++)
		if (X509_CRL_add_ext(frame,
			sk_X509_EXTENSION_value(head->extensions, i), -1) != 1)
			return ca_error(CA_R_MEMORY, "no memory for a CRL");
	*ret_frame = TAKE(frame);
	return 0;
}

/* *ret_read is false, with a finding, where it cannot be read. */
static int
read_crl(struct crl_audit *a, bool *ret_read)
{
	struct audit_object *object = a->object;

	*ret_read = false;
	if (open_file(object->audit, audit_text(object->entry, "name"),
		audit_text(object->entry, "sha256"), &a->file) != 0 ||
	    make_frame(&a->file.head, &a->frame) != 0 ||
	    crl_scope_read(a->frame, &a->scope) != 0) {
		if (ca_error_reason() == CA_R_MISSING ||
		    ca_error_reason() == CA_R_CORRUPT) {
			ca_error_clear(); /* the evidence has a finding */
			return 0;
		}
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-SIGNATURE");
	}
	*ret_read = true;
	return 0;
}

/* ---- the signature ---------------------------------------------------- */

static int
check_tbs(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (hash_tbs(&a->file.source, digest) != 0)
		return -1;
	text_hex_into(digest, HASH_LEN, hex);
	if (strcmp(hex, audit_text(&object->intent, "tbs")) != 0)
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the to-be-signed part of '%s' is not the one that its "
		    "intent names",
		    audit_text(object->entry, "name"));
	return 0;
}

/* With the key that was kept when it was made. */
static int
verify(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	AUTO_STRUCT(key_row) key = { 0 };
	bool found = false;

	if (audit_signing_key(object, &found, &key) != 0)
		return -1;
	if (!found)
		return 0;
	if (crl_head_verify(&a->file.head, key.spki, key.spki_len) == 0)
		return 0;
	return audit_take_error(
	    object->audit, object->entry, "AUDIT-SIGNATURE");
}

static int
check_signature(const struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	AUTO_BYTES(der) = NULL;
	size_t len;

	if (check_tbs(a) != 0 ||
	    text_unhex(audit_text(&object->intent, "algorithm"), &der, &len) !=
		0)
		return -1;
	if (sigalg_by_der(der, len) != a->file.head.alg) {
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "'%s' is signed by another algorithm than its intent names",
		    audit_text(object->entry, "name"));
		return 0;
	}
	return verify(a);
}

/* ---- the series ------------------------------------------------------- */

/*
 * By key and name as RFC 5280, section 7.1, compares names: another spelling
 * of the name does not begin a new series.
 */
static int
name_series(struct crl_audit *a)
{
	int ok = 0;
	unsigned long hash =
	    X509_NAME_hash_ex(X509_CRL_get_issuer(a->frame), NULL, NULL, &ok);

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
	    SQL_VALUES(sql_text(a->issuer),
		sql_int((int64_t)a->file.head.number),
		sql_int(a->file.head.this_update),
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
	if (a->file.head.number <= a->previous_number)
		audit_error(object->audit, object->entry, "AUDIT-CRL-NUMBER",
		    "CRL '%s' has number %" PRIu64 ", the one before it of the "
		    "same issuer (entry %" PRIu64 ") %" PRIu64,
		    name, a->file.head.number, a->previous_seq,
		    a->previous_number);
	if (a->file.head.this_update >= a->previous_update)
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

/* ---- entries, one after the other -------------------------------------- */

struct entries {
	struct crl_cursor cursor;
	struct crl_entry entry;
	bool there;
};

static void
entries_clear(struct entries *entries)
{
	crl_cursor_clear(&entries->cursor);
}
CLEANUP_DEFINE_STRUCT(entries);

static int
entries_next(struct entries *entries)
{
	return crl_cursor_next(
	    &entries->cursor, &entries->entry, &entries->there);
}

static int
entries_open(const struct crl_file *file, struct entries *entries)
{
	if (crl_cursor_open(&file->source, &file->head, &entries->cursor) != 0)
		return -1;
	return entries_next(entries);
}

/* ---- against the journal ---------------------------------------------- */

/* A row of the table of revocations; good until the next one. */
struct revoked {
	struct crl_entry entry;
	int reason;
	int64_t expires; /* 0: unknown */
	uint64_t seq;
	int64_t url; /* 0: unknown, or none */
	int ca;      /* -1: unknown */
};

/* Of a scope: its URL in the table of them; 0: no certificate has it. */
struct merging {
	struct crl_audit *a;
	struct entries entries;
	int64_t url;
};

static void
merging_clear(struct merging *m)
{
	entries_clear(&m->entries);
}
CLEANUP_DEFINE_STRUCT(merging);

static void
read_revoked(struct query *query, struct revoked *row)
{
	*row = (struct revoked){
		.entry = {
			.serial = sqlite3_column_blob(query->stmt, 0),
			.serial_len = (size_t)sqlite3_column_bytes(query->stmt, 0),
			.date = sqlite3_column_int64(query->stmt, 1),
			.invalidity = sqlite3_column_int64(query->stmt, 3),
		},
		.reason = sqlite3_column_int(query->stmt, 2),
		.expires = sqlite3_column_int64(query->stmt, 4),
		.seq = (uint64_t)sqlite3_column_int64(query->stmt, 5),
		.url = sqlite3_column_int64(query->stmt, 6),
		.ca = sqlite3_column_int(query->stmt, 7),
	};
}

/*
 * CRL-COMPLETE (RFC 5280, section 3.3): an entry stays until it was on a CRL
 * that was issued after the certificate's end.  Where that is unknown, it stays.
 */
static bool
may_be_gone(const struct crl_audit *a, int64_t expires, uint64_t seq)
{
	return a->has_previous && expires != 0 &&
	    expires < a->previous_update && seq < a->previous_seq;
}

static int
stranger(struct crl_audit *a, const struct crl_entry *entry)
{
	AUTO_CHARS(serial) = text_hex(entry->serial, entry->serial_len);

	if (serial == NULL)
		return -1;
	refuse(a, "AUDIT-CRL-ENTRY", serial,
	    "is on it, and no entry of the journal revokes it");
	return 0;
}

static void
check_entry(struct crl_audit *a, const struct crl_entry *entry,
    const struct revoked *row, const char *serial)
{
	if (entry->date != row->entry.date)
		refuse(a, "AUDIT-CRL-ENTRY", serial,
		    "has another date on it than in the journal");
	if ((int)entry->reason != row->reason)
		refuse(a, "AUDIT-CRL-ENTRY", serial,
		    "has another reason on it than in the journal");
	if (entry->invalidity != row->entry.invalidity)
		refuse(a, "AUDIT-CRL-ENTRY", serial,
		    "has another invalidity date on it than in the journal");
}

/*
 * By what the journal knew of the certificate; of a full CRL, all are.  Where
 * its intent did not say which CRL it refers to, its bytes do.
 */
static int
judge(const struct merging *m, const struct revoked *row, const char *serial,
    enum scope_verdict *ret_verdict)
{
	const struct crl_audit *a = m->a;
	bool in;

	*ret_verdict = SCOPE_HOLDS;
	if (a->scope.url == NULL)
		return 0;
	if (row->url != 0 && row->ca >= 0) {
		in = row->url == m->url &&
		    (row->ca != 0 ? !a->scope.only_user : !a->scope.only_ca);
		*ret_verdict = in ? SCOPE_HOLDS : SCOPE_LACKS;
		return 0;
	}
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
check_revoked(const struct merging *m, const struct crl_entry *entry,
    const struct revoked *row)
{
	AUTO_CHARS(serial) = text_hex(row->entry.serial, row->entry.serial_len);
	struct crl_audit *a = m->a;
	enum scope_verdict verdict;

	if (serial == NULL || judge(m, row, serial, &verdict) != 0)
		return -1;
	if (verdict == SCOPE_UNKNOWN)
		refuse(a, "AUDIT-CRL-ENTRY", serial,
		    "is revoked, and nobody can say whether it is in the scope "
		    "of this CRL");
	if (verdict == SCOPE_HOLDS && entry == NULL &&
	    !may_be_gone(a, row->expires, row->seq))
		refuse(a, "AUDIT-CRL-MISSING", serial,
		    "was revoked before, and is not on it");
	if (entry == NULL)
		return 0;
	if (verdict == SCOPE_LACKS || verdict == SCOPE_NOWHERE)
		refuse(a, "AUDIT-CRL-ENTRY", serial,
		    "is on it, and is not in its scope");
	check_entry(a, entry, row, serial);
	return 0;
}

/* Both ascend: entries before the journal's next row are strangers. */
static int
merge(struct merging *m, const struct revoked *row)
{
	struct entries *entries = &m->entries;

	while (entries->there) {
		int order = crl_entry_compare(&entries->entry, &row->entry);

		if (order > 0)
			break;
		if (order == 0) {
			if (check_revoked(m, &entries->entry, row) != 0)
				return -1;
			return entries_next(entries);
		}
		if (stranger(m->a, &entries->entry) != 0 ||
		    entries_next(entries) != 0)
			return -1;
	}
	return check_revoked(m, NULL, row);
}

static int
merge_all(struct merging *m, struct query *query)
{
	bool found;

	for (;;) {
		struct revoked row;

		if (query_step(query, &found) != 0)
			return -1;
		if (!found)
			break;
		read_revoked(query, &row);
		if (merge(m, &row) != 0)
			return -1;
	}
	while (m->entries.there)
		if (stranger(m->a, &m->entries.entry) != 0 ||
		    entries_next(&m->entries) != 0)
			return -1;
	return 0;
}

/*
 * When it was signed, everything that was revoked before its intent was on it:
 * between that and its result nothing is revoked.
 */
static int
check_revocations(struct crl_audit *a)
{
	struct journal *journal = a->object->audit->journal;
	AUTO_STRUCT(merging) m = { .a = a };
	AUTO_STRUCT(query) query = { 0 };
	int64_t issuer;

	if (a->scope.url != NULL &&
	    url_number(journal, a->scope.url, false, &m.url) != 0)
		return -1;
	if (issuer_number(journal, audit_text(&a->object->intent, "issuer_dn"),
		false, &issuer) != 0 ||
	    entries_open(&a->file, &m.entries) != 0 ||
	    query_start(journal,
		"SELECT serial, date, reason, invalidity, expires, seq,"
		" ifnull(crl_url, 0), ifnull(ca, -1) FROM revocations"
		" WHERE issuer = ?1 ORDER BY octets, serial",
		SQL_VALUES(sql_int(issuer)), &query) != 0)
		return -1;
	return merge_all(&m, &query);
}

/* ---- the one before it ------------------------------------------------ */

/* Something that was on the CRL before, and is not on this one. */
static int
dropped(struct crl_audit *a, const struct crl_entry *entry)
{
	AUTO_CHARS(serial) = text_hex(entry->serial, entry->serial_len);
	AUTO_STRUCT(revocation_row) row = { 0 };
	bool found = false;

	if (serial == NULL ||
	    journal_revocation_row(a->object->audit->journal,
		audit_text(&a->object->intent, "issuer_dn"), serial, &found,
		&row) != 0)
		return -1;
	if (!found || !may_be_gone(a, row.expires, row.seq))
		refuse(a, "AUDIT-CRL-DROPPED", serial,
		    "was on the CRL before it, and is not on it");
	return 0;
}

static int
compare_previous(struct crl_audit *a, const struct crl_file *before)
{
	AUTO_STRUCT(entries) was = { 0 };
	AUTO_STRUCT(entries) is = { 0 };

	if (entries_open(before, &was) != 0 || entries_open(&a->file, &is) != 0)
		return -1;
	while (was.there) {
		while (is.there && crl_entry_compare(&is.entry, &was.entry) < 0)
			if (entries_next(&is) != 0)
				return -1;
		if ((!is.there ||
			crl_entry_compare(&is.entry, &was.entry) != 0) &&
		    dropped(a, &was.entry) != 0)
			return -1;
		if (entries_next(&was) != 0)
			return -1;
	}
	return 0;
}

/* It was read before, or it would not be the previous one. */
static int
check_dropped(struct crl_audit *a)
{
	AUTO_STRUCT(crl_file) before = { 0 };

	if (!a->has_previous)
		return 0;
	if (open_file(a->object->audit, "crl", a->previous_sha256, &before) !=
	    0)
		return -1;
	return compare_previous(a, &before);
}

/* All of it; where the entries do not ascend, nothing can be compared. */
static int
check_entries(struct crl_audit *a)
{
	if (!a->file.head.ascending) {
		audit_error(a->object->audit, a->object->entry,
		    "AUDIT-CRL-ENTRY",
		    "the entries of CRL '%s' do not ascend by serial, each "
		    "once",
		    audit_text(a->object->entry, "name"));
		return 0;
	}
	if (check_revocations(a) != 0 || check_dropped(a) != 0)
		return -1;
	count_refused(a);
	return 0;
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
check_issuer(struct crl_audit *a, const X509 *issuer_cert)
{
	const struct audit_object *object = a->object;
	const struct crl_head *head = &a->file.head;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };
	const struct certificate_facts *facts = &issuer.facts;

	if (issuer_read(issuer_cert, &issuer) != 0)
		return audit_take_error(
		    object->audit, object->entry, "AUDIT-ISSUER");
	if (facts->subject_len != head->issuer_len ||
	    memcmp(facts->subject_der, head->issuer_der, facts->subject_len) !=
		0 ||
	    !facts->is_ca || !facts->signs_crls)
		audit_error(object->audit, object->entry, "AUDIT-ISSUER",
		    "'%s', which issues CRL '%s', has another name, octet for "
		    "octet, or is not a CA that may sign CRLs (cRLSign)",
		    audit_text(&object->intent, "issuer"),
		    audit_text(object->entry, "name"));
	issuer_check(&issuer, head->this_update, "", &findings);
	issuer_check_nesting(&issuer, head->next_update, "CRL", "", &findings);
	audit_take_findings(
	    object->audit, object->entry, &findings, "AUDIT-ISSUER", NULL);
	check_key_identifier(a->frame, &issuer, object);
	return audit_issuer_then(object, &issuer, head->this_update);
}

static int
write_again(const struct crl_audit *a, struct crl_writer *writer)
{
	AUTO_STRUCT(entries) entries = { 0 };

	if (entries_open(&a->file, &entries) != 0)
		return -1;
	while (entries.there)
		if (crl_writer_add(writer, &entries.entry) != 0 ||
		    entries_next(&entries) != 0)
			return -1;
	return 0;
}

/*
 * The same CRL once more, as the profile makes it; *ret_made is false, with
 * errors in `findings`, where it would not.
 */
static int
make_again(const struct crl_audit *a, const struct crl_request *request,
    struct findings *findings, struct tbs *ret_tbs, bool *ret_made)
{
	AUTO_PTR(crl_writer) *writer = NULL;
	AUTO_FD(dir) = -1;
	int result;

	*ret_made = false;
	if (dir_open(audit_work(a->object->audit->options), &dir) != 0)
		return -1;
	result = crl_writer_open(request, dir, findings, &writer);
	if (result == 0 && writer != NULL)
		result = write_again(a, writer);
	if (result == 0 && writer != NULL)
		result = crl_writer_finish(writer, ret_tbs);
	*ret_made = result == 0 && writer != NULL;
	if (result == 0 || findings->errors == 0)
		return result;
	ca_error_clear(); /* the findings say it */
	return 0;
}

static int
compare_again(const struct crl_audit *a, const struct profile *profile,
    const X509 *issuer, struct findings *findings)
{
	const struct audit_object *object = a->object;
	const struct crl_head *head = &a->file.head;
	const struct crl_request request = {
		.profile = profile,
		.issuer = issuer,
		.signature = head->alg->name,
		.number = head->number,
		.now = head->this_update,
		.validity = head->next_update - head->this_update + 1,
		.distribution_url = profile_needs_distribution_url(profile)
		    ? a->scope.url
		    : NULL,
		.place = "",
	};
	AUTO_STRUCT(tbs) again = { 0 };
	unsigned char digest[HASH_LEN];
	bool made;

	if (make_again(a, &request, findings, &again, &made) != 0 ||
	    hash_tbs(&a->file.source, digest) != 0)
		return -1;
	if (made && memcmp(again.sha256, digest, HASH_LEN) != 0)
		audit_error(object->audit, object->entry, "AUDIT-PROFILE",
		    "the profile makes other octets of what CRL '%s' says "
		    "(PROFILE-OCTETS)",
		    audit_text(object->entry, "name"));
	return 0;
}

/* CRL-COVERS: as the step judged, but that only public trust has a limit. */
static int
check_covers(const struct crl_audit *a, const struct profile *profile,
    const X509 *issuer)
{
	const struct audit_object *object = a->object;
	bool found = false;

	if (!crl_is_public(profile) || !crl_may_hold_users(profile, &a->scope))
		return 0;
	if (crl_has_users(object->audit->journal, &a->scope, issuer,
		audit_text(&object->intent, "issuer_dn"),
		a->file.head.this_update, &found) != 0)
		return -1;
	if (found)
		audit_error(object->audit, object->entry, "AUDIT-CRL-COVERS",
		    "CRL '%s' is made by a profile for CRLs about CAs, and its "
		    "issuer had issued to end entities (BR 7.2)",
		    audit_text(object->entry, "name"));
	return 0;
}

/* What issuer and profile would have made of the same. */
static int
check_profile(const struct crl_audit *a, const X509 *issuer)
{
	static const char *const said[] = { "ISSUER-VALID", "CRL-SIGNER-KU",
		"AKI-KEYID-ONLY", "FLD-ISSUER-NONEMPTY", "FLD-TIME-NESTED",
		NULL };
	AUTO_STRUCT(findings) findings = { 0 };
	const struct profile *profile = NULL;

	if (audit_profile(a->object, PROFILE_CRL, &profile) != 0)
		return -1;
	if (profile == NULL)
		return 0;
	if (check_covers(a, profile, issuer) != 0)
		return -1;
	if (compare_again(a, profile, issuer, &findings) != 0)
		return audit_take_error(
		    a->object->audit, a->object->entry, "AUDIT-PROFILE");
	audit_take_findings(a->object->audit, a->object->entry, &findings,
	    "AUDIT-PROFILE", said);
	return 0;
}

static int
check_made(struct crl_audit *a)
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
	return check_issuer(a, issuer) != 0 ? -1 : check_profile(a, issuer);
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
	const struct crl_head *head = &a->file.head;
	AUTO_CHARS(number) = text_printf("%" PRIu64, head->number);

	if (number == NULL ||
	    audit_same_digest(
		object, "issuer_dn", head->issuer_der, head->issuer_len) != 0)
		return -1;
	audit_same_text(object, "number", number);
	audit_same_date(object, "this_update", head->this_update);
	audit_same_date(object, "next_update", head->next_update);
	if ((uint64_t)audit_number(&object->intent, "entries") != head->entries)
		audit_error(object->audit, object->entry, "AUDIT-FACTS",
		    "CRL '%s' has %" PRIu64
		    " entries, and another number of them in its intent",
		    audit_text(object->entry, "name"), head->entries);
	check_url(a);
	return 0;
}

/* What an intent would have said of a CRL that is taken over. */
static json_t *
taken_intent(const struct audit_entry *entry, const json_t *crl,
    const struct object_row *issuer)
{
	json_t *data = json_pack("{s:s?, s:s?, s:s?}", "key", issuer->spki,
	    "issuer", audit_text(entry, "issuer"), "issuer_dn",
	    audit_text(entry, "issuer_dn"));

	if (data != NULL &&
	    json_object_update_missing(data, audit_read_only(crl)) != 0) {
		json_decref(data);
		return NULL;
	}
	return data;
}

/* Signed by the CA's own key, and what it revokes is what was taken over. */
static int
check_taken(struct crl_audit *a)
{
	const struct audit_object *object = a->object;
	bool readable;

	if (read_crl(a, &readable) != 0)
		return -1;
	if (!readable)
		return 0;
	if (a->scope.url != NULL) {
		audit_error(object->audit, object->entry, "AUDIT-CRL-ENTRY",
		    "CRL '%s', which is taken over, is not a full one",
		    audit_text(object->entry, "name"));
		return 0;
	}
	if (verify(a) != 0 || check_facts(a) != 0 || name_series(a) != 0 ||
	    find_previous(a) != 0)
		return -1;
	check_order(a);
	if (check_entries(a) != 0)
		return -1;
	return a->file.head.ascending ? set_previous(a) : 0;
}

int
audit_taken_crl(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	const json_t *crl = json_object_get(entry->data, "crl");
	AUTO_STRUCT(object_row) issuer = { 0 };
	struct audit_entry named = *entry, intent = *entry;
	struct audit_object object = { .audit = audit,
		.state = state,
		.entry = &named,
		.kind = OBJECT_CRL };
	AUTO_STRUCT(crl_audit) a = { .object = &object };
	AUTO(json_t) *data = NULL;
	bool found = false;

	if (crl == NULL)
		return 0;
	if (journal_object(audit->journal, "certificate",
		audit_text(entry, "issuer"), &found, &issuer) != 0)
		return -1;
	if (!found || issuer.spki == NULL)
		return 0; /* that has a finding */
	data = taken_intent(entry, crl, &issuer);
	if (data == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	named.data = crl;
	intent.data = data;
	object.intent = intent;
	audit->report.crls++;
	return check_taken(&a);
}

int
audit_crl(struct audit_object *object)
{
	AUTO_STRUCT(crl_audit) a = { .object = object };
	bool readable;

	object->audit->report.crls++;
	if (read_crl(&a, &readable) != 0)
		return -1;
	if (!readable)
		return 0;
	if (check_signature(&a) != 0 || check_facts(&a) != 0 ||
	    name_series(&a) != 0 || find_previous(&a) != 0)
		return -1;
	check_order(&a);
	if (check_entries(&a) != 0 || check_made(&a) != 0)
		return -1;
	/* What does not ascend cannot be compared with the next either. */
	return a.file.head.ascending ? set_previous(&a) : 0;
}
