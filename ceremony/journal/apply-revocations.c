/* Revocations, and certificates issued elsewhere: as apply.c, which see. */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/lists.h"
#include "ceremony/journal/store.h"

/* ---- numbers for long texts ------------------------------------------- */

/* The number is the next one: so it is the same when the tables are remade. */
static int
number_of(struct journal *journal, const char *select, const char *insert,
    const char *text, bool make, int64_t *ret_number)
{
	bool found;

	if (sql_number(journal, select, SQL_VALUES(sql_text(text)), &found,
		ret_number) != 0)
		return -1;
	if (found || !make)
		return 0;
	if (sql_run(journal, text, insert, SQL_VALUES(sql_text(text))) != 0)
		return -1;
	*ret_number = sqlite3_last_insert_rowid(journal->db);
	return 0;
}

int
issuer_number(struct journal *journal, const char *issuer_dn, bool make,
    int64_t *ret_number)
{
	return number_of(journal, "SELECT id FROM issuers WHERE dn = ?1",
	    "INSERT INTO issuers (dn) VALUES (?1)", issuer_dn, make,
	    ret_number);
}

int
url_number(
    struct journal *journal, const char *url, bool make, int64_t *ret_number)
{
	return number_of(journal, "SELECT id FROM urls WHERE url = ?1",
	    "INSERT INTO urls (url) VALUES (?1)", url, make, ret_number);
}

/* 0 stands for what is not there, or not known: NULL in the tables. */
static struct sql_value
date_or_null(int64_t date)
{
	return date == 0 ? sql_text(NULL) : sql_int(date);
}

static struct sql_value
flag_or_null(int flag)
{
	return flag < 0 ? sql_text(NULL) : sql_int(flag);
}

/* ---- what is known of a certificate ------------------------------------ */

struct known {
	int64_t expires; /* 0: unknown */
	int64_t url;     /* 0: none, or unknown */
	int ca;          /* -1: unknown */
};

/* Rows of an issuer, while a list of it is taken in. */
struct taking {
	struct journal *journal;
	const struct entry *entry;
	const char *issuer_dn;
	int64_t issuer;
	bool has_objects, has_issued, has_revoked;
	uint64_t count;
};

/* What was intended here; whatever became of it. */
static int
known_here(const struct taking *taking, const char *serial, bool *ret_found,
    struct known *known)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(url) = NULL;

	if (query_start(taking->journal,
		"SELECT valid_until, ca, crl_url FROM objects"
		" WHERE issuer_dn = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(taking->issuer_dn), sql_text(serial)),
		&query) != 0 ||
	    query_step(&query, ret_found) != 0)
		return -1;
	if (!*ret_found)
		return 0;
	known->expires = sqlite3_column_int64(query.stmt, 0);
	known->ca = sqlite3_column_int(query.stmt, 1);
	if (query_text(&query, 2, &url) != 0)
		return -1;
	return url == NULL
	    ? 0
	    : url_number(taking->journal, url, true, &known->url);
}

static int
known_elsewhere(const struct taking *taking, const unsigned char *serial,
    size_t len, struct known *known)
{
	AUTO_STRUCT(query) query = { 0 };
	bool found;

	if (query_start(taking->journal,
		"SELECT ifnull(expires, 0), ifnull(ca, -1) FROM issued"
		" WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
		SQL_VALUES(sql_int(taking->issuer), sql_int((int64_t)len),
		    sql_blob(serial, len)),
		&query) != 0 ||
	    query_step(&query, &found) != 0)
		return -1;
	if (found) {
		known->expires = sqlite3_column_int64(query.stmt, 0);
		known->ca = sqlite3_column_int(query.stmt, 1);
	}
	return 0;
}

static int
look_up(const struct taking *taking, const unsigned char *serial, size_t len,
    struct known *ret_known)
{
	struct known known = { .ca = -1 };
	AUTO_CHARS(hex) = NULL;
	bool found = false;

	if (taking->has_objects) {
		hex = text_hex(serial, len);
		if (hex == NULL || known_here(taking, hex, &found, &known) != 0)
			return -1;
	}
	if (!found && taking->has_issued &&
	    known_elsewhere(taking, serial, len, &known) != 0)
		return -1;
	*ret_known = known;
	return 0;
}

static int
is_there(struct journal *journal, const char *sql,
    const struct sql_value *values, bool *ret_there)
{
	int64_t one;

	return sql_number(journal, sql, values, ret_there, &one);
}

/* A list of a million is not looked up in tables that hold nothing of it. */
static int
taking_begin(
    struct journal *journal, const struct entry *entry, struct taking *taking)
{
	const char *dn = entry_text(entry, "issuer_dn");

	*taking = (struct taking){
		.journal = journal, .entry = entry, .issuer_dn = dn
	};
	if (issuer_number(journal, dn, true, &taking->issuer) != 0)
		return -1;
	return is_there(journal,
		   "SELECT 1 FROM objects WHERE issuer_dn = ?1"
		   " AND serial IS NOT NULL LIMIT 1",
		   SQL_VALUES(sql_text(dn)), &taking->has_objects) != 0 ||
		is_there(journal,
		    "SELECT 1 FROM issued WHERE issuer = ?1 LIMIT 1",
		    SQL_VALUES(sql_int(taking->issuer)),
		    &taking->has_issued) != 0 ||
		is_there(journal,
		    "SELECT 1 FROM revocations WHERE issuer = ?1 LIMIT 1",
		    SQL_VALUES(sql_int(taking->issuer)),
		    &taking->has_revoked) != 0
	    ? -1
	    : 0;
}

int
revocation_learn(struct journal *journal, const char *issuer_dn,
    const char *serial, int64_t expires, bool ca, const char *url)
{
	AUTO_BYTES(octets) = NULL;
	int64_t issuer = 0, number = 0;
	size_t len;

	if (issuer_number(journal, issuer_dn, false, &issuer) != 0 ||
	    text_unhex(serial, &octets, &len) != 0)
		return -1;
	if (issuer == 0)
		return 0;
	if (url != NULL && url_number(journal, url, true, &number) != 0)
		return -1;
	return sql_run(journal, serial,
	    "UPDATE revocations SET expires = ?4, ca = ?5, crl_url = ?6"
	    " WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
	    SQL_VALUES(sql_int(issuer), sql_int((int64_t)len),
		sql_blob(octets, len), date_or_null(expires), sql_int(ca),
		date_or_null(number)));
}

/* ---- revocations ------------------------------------------------------ */

/* In the name of an abandoned run, only what it perhaps signed itself. */
static int
check_revoking_run(struct journal *journal, const struct entry *entry)
{
	const char *serial = entry_text(entry, "serial");
	bool abandoned, found;
	int64_t seq;

	if (entry_settle_run(journal, entry, &abandoned) != 0)
		return -1;
	if (!abandoned)
		return 0;
	if (sql_number(journal,
		"SELECT seq FROM objects WHERE issuer_dn = ?1 AND serial = ?2"
		" AND run = ?3 AND adopted = 0 AND state <> 1",
		SQL_VALUES(sql_text(entry_text(entry, "issuer_dn")),
		    sql_text(serial), sql_text(entry_text(entry, "run"))),
		&found, &seq) != 0)
		return -1;
	return found ? 0
		     : entry_contradiction(entry, serial,
			   "was not perhaps signed by the abandoned run");
}

struct revocation {
	const unsigned char *serial;
	size_t len;
	int64_t date, invalidity, expires;
	int reason;
};

/* What the tables know of the certificate is better than what a list says. */
static int
insert_revocation(const struct taking *taking, const struct revocation *r,
    const char *subject)
{
	struct known known;

	if (look_up(taking, r->serial, r->len, &known) != 0)
		return -1;
	return sql_run(taking->journal, subject,
	    "INSERT INTO revocations (issuer, octets, serial, date, reason,"
	    " invalidity, expires, crl_url, ca, seq)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
	    SQL_VALUES(sql_int(taking->issuer), sql_int((int64_t)r->len),
		sql_blob(r->serial, r->len), sql_int(r->date),
		sql_int(r->reason), date_or_null(r->invalidity),
		date_or_null(known.expires != 0 ? known.expires : r->expires),
		date_or_null(known.url), flag_or_null(known.ca),
		sql_int((int64_t)taking->entry->seq)));
}

static int
entry_reason(const struct entry *entry, int *ret_reason)
{
	const char *name = entry_text(entry, "reason");

	*ret_reason = list_reason(name);
	return *ret_reason >= 0
	    ? 0
	    : entry_contradiction(entry, name, "is no reason of a revocation");
}

int
apply_revoked(struct journal *journal, const struct entry *entry)
{
	const char *serial = entry_text(entry, "serial");
	struct revocation r = { 0 };
	struct taking taking;
	AUTO_BYTES(octets) = NULL;

	if (check_revoking_run(journal, entry) != 0 ||
	    entry_date(entry, "date", &r.date) != 0 ||
	    entry_optional_date(entry, "invalidity", &r.invalidity) != 0 ||
	    entry_reason(entry, &r.reason) != 0 ||
	    text_unhex(serial, &octets, &r.len) != 0 ||
	    taking_begin(journal, entry, &taking) != 0 ||
	    entry_set_acted(journal, entry) != 0)
		return -1;
	r.serial = octets;
	return insert_revocation(&taking, &r, serial);
}

static int
take_revocation(void *ctx, const struct listed_revocation *row)
{
	struct taking *taking = ctx;
	char serial[2 * LIST_SERIAL_MAX + 1];
	struct revocation r = {
		.serial = row->serial,
		.len = row->serial_len,
		.date = row->date,
		.invalidity = row->invalidity,
		.expires = row->expires,
		.reason = row->reason,
	};

	taking->count++;
	text_hex_into(row->serial, row->serial_len, serial);
	return insert_revocation(taking, &r, serial);
}

/* A list that does not hold what its entry says was never accepted. */
static int
check_count(const struct taking *taking)
{
	/* A CRL that is taken over may revoke nothing. */
	if ((taking->count > 0 ||
		json_object_get(taking->entry->data, "crl") != NULL) &&
	    taking->count == (uint64_t)entry_number(taking->entry, "count"))
		return 0;
	return entry_contradiction(taking->entry,
	    entry_text(taking->entry, "list"),
	    "does not hold as many lines as the entry says");
}

/* A time below `crl`, whose form was checked. */
static int
crl_date(const json_t *crl, const char *name, int64_t *ret_date)
{
	return date_parse(
	    json_string_value(json_object_get(crl, name)), ret_date);
}

/*
 * The last CRL of a CA that is taken over: an object like one that was signed
 * here, so that the next one has a higher number and is compared with it.
 */
static int
take_crl(struct journal *journal, const struct entry *entry)
{
	const json_t *crl = json_object_get(entry->data, "crl");
	const char *name, *sha256;
	int64_t from, until;
	uint64_t number;

	if (crl == NULL)
		return 0;
	name = json_string_value(json_object_get(crl, "name"));
	sha256 = json_string_value(json_object_get(crl, "sha256"));
	if (strcmp(entry_text(entry, "source"), "adopted") != 0)
		return entry_contradiction(
		    entry, name, "is a CRL of a CA that is not taken over");
	if (entry_check_digest(journal, entry, sha256) != 0 ||
	    crl_date(crl, "this_update", &from) != 0 ||
	    crl_date(crl, "next_update", &until) != 0 ||
	    text_number(json_string_value(json_object_get(crl, "number")),
		INT64_MAX, &number) != 0)
		return -1;
	return sql_run(journal, name,
	    "INSERT INTO objects (seq, run, kind, name, state, adopted, issuer,"
	    " issuer_dn, number, valid_from, valid_until, entries, sha256,"
	    " result)"
	    " VALUES (?1, ?2, 'crl', ?3, 1, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
	    " ?1)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(entry_text(entry, "run")), sql_text(name),
		sql_text(entry_text(entry, "issuer")),
		sql_text(entry_text(entry, "issuer_dn")),
		sql_int((int64_t)number), sql_int(from), sql_int(until),
		sql_int(json_integer_value(json_object_get(crl, "entries"))),
		sql_text(sha256)));
}

int
apply_revocations(struct journal *journal, const struct entry *entry)
{
	struct taking taking;

	if (entry_check_run(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "list") != 0 ||
	    taking_begin(journal, entry, &taking) != 0 ||
	    entry_set_acted(journal, entry) != 0 ||
	    list_each_revocation(journal, entry_text(entry, "list"),
		take_revocation, &taking) != 0 ||
	    check_count(&taking) != 0)
		return -1;
	return take_crl(journal, entry);
}

/* ---- the one change --------------------------------------------------- */

/* What is upgraded is as the entry says that it was. */
static int
check_was(struct journal *journal, const struct entry *entry, int64_t issuer,
    const unsigned char *serial, size_t len)
{
	const json_t *was = json_object_get(entry->data, "was");
	const char *reason = json_string_value(json_object_get(was, "reason"));
	int64_t date, before, after;
	bool found;

	if (date_parse(json_string_value(json_object_get(was, "date")),
		&before) != 0 ||
	    entry_date(entry, "date", &after) != 0 ||
	    sql_number(journal,
		"SELECT date FROM revocations WHERE issuer = ?1"
		" AND octets = ?2 AND serial = ?3 AND reason = ?4",
		SQL_VALUES(sql_int(issuer), sql_int((int64_t)len),
		    sql_blob(serial, len), sql_int(list_reason(reason))),
		&found, &date) != 0)
		return -1;
	if (!found || date != before)
		return entry_contradiction(entry, entry_text(entry, "serial"),
		    "is not revoked with that date and reason");
	return after <= before
	    ? 0
	    : entry_contradiction(entry, entry_text(entry, "date"),
		  "is later than the date that it had");
}

/* To keyCompromise, and once: what is that already does not change. */
static int
check_upgrade(const struct entry *entry)
{
	const json_t *was = json_object_get(entry->data, "was");
	const char *reason = json_string_value(json_object_get(was, "reason"));

	if (strcmp(entry_text(entry, "reason"), "keyCompromise") != 0)
		return entry_contradiction(entry, entry_text(entry, "reason"),
		    "is no reason to which a revocation can be changed");
	return strcmp(reason, "keyCompromise") != 0
	    ? 0
	    : entry_repetition(entry, entry_text(entry, "serial"),
		  "is revoked for keyCompromise already");
}

int
apply_upgraded(struct journal *journal, const struct entry *entry)
{
	AUTO_BYTES(serial) = NULL;
	int64_t issuer = 0, date, invalidity;
	size_t len;

	if (entry_check_run(journal, entry) != 0 || check_upgrade(entry) != 0 ||
	    text_unhex(entry_text(entry, "serial"), &serial, &len) != 0 ||
	    issuer_number(
		journal, entry_text(entry, "issuer_dn"), false, &issuer) != 0 ||
	    check_was(journal, entry, issuer, serial, len) != 0 ||
	    entry_date(entry, "date", &date) != 0 ||
	    entry_optional_date(entry, "invalidity", &invalidity) != 0 ||
	    entry_set_acted(journal, entry) != 0)
		return -1;
	return sql_run(journal, entry_text(entry, "serial"),
	    "UPDATE revocations SET date = ?4, reason = ?5,"
	    " invalidity = ifnull(?6, invalidity)"
	    " WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
	    SQL_VALUES(sql_int(issuer), sql_int((int64_t)len),
		sql_blob(serial, len), sql_int(date),
		sql_int(list_reason("keyCompromise")),
		date_or_null(invalidity)));
}

/* ---- certificates issued elsewhere ------------------------------------- */

static int
check_not_ours(const struct taking *taking, const char *serial)
{
	int64_t seq;
	bool found;

	if (!taking->has_objects)
		return 0;
	if (sql_number(taking->journal,
		"SELECT seq FROM objects WHERE issuer_dn = ?1 AND serial = ?2",
		SQL_VALUES(sql_text(taking->issuer_dn), sql_text(serial)),
		&found, &seq) != 0)
		return -1;
	return !found ? 0
		      : entry_contradiction(taking->entry, serial,
			    "was intended, or taken in, here");
}

/* What was revoked before anything was known of it. */
static int
learn_issued(const struct taking *taking, const struct listed_certificate *row,
    const char *serial)
{
	int64_t expires;
	bool differs;

	if (!taking->has_revoked)
		return 0;
	/* A CRL goes by it: no list brings an entry's end forward. */
	if (sql_number(taking->journal,
		"SELECT expires FROM revocations WHERE issuer = ?1"
		" AND octets = ?2 AND serial = ?3 AND expires <> ?4",
		SQL_VALUES(sql_int(taking->issuer),
		    sql_int((int64_t)row->serial_len),
		    sql_blob(row->serial, row->serial_len),
		    date_or_null(row->expires)),
		&differs, &expires) != 0)
		return -1;
	if (differs)
		return entry_contradiction(taking->entry, serial,
		    "is revoked, and its certificate has another end");
	return sql_run(taking->journal, NULL,
	    "UPDATE revocations SET expires = ifnull(?4, expires),"
	    " ca = ifnull(?5, ca)"
	    " WHERE issuer = ?1 AND octets = ?2 AND serial = ?3",
	    SQL_VALUES(sql_int(taking->issuer),
		sql_int((int64_t)row->serial_len),
		sql_blob(row->serial, row->serial_len),
		date_or_null(row->expires), flag_or_null(row->ca)));
}

static int
take_issued(void *ctx, const struct listed_certificate *row)
{
	struct taking *taking = ctx;
	char serial[2 * LIST_SERIAL_MAX + 1];

	taking->count++;
	text_hex_into(row->serial, row->serial_len, serial);
	if (check_not_ours(taking, serial) != 0 ||
	    sql_run(taking->journal, serial,
		"INSERT INTO issued (issuer, octets, serial, expires, ca,"
		" sha256, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		SQL_VALUES(sql_int(taking->issuer),
		    sql_int((int64_t)row->serial_len),
		    sql_blob(row->serial, row->serial_len),
		    date_or_null(row->expires), flag_or_null(row->ca),
		    sql_blob(row->has_sha256 ? row->sha256 : NULL, HASH_LEN),
		    sql_int((int64_t)taking->entry->seq))) != 0)
		return -1;
	return learn_issued(taking, row, serial);
}

int
apply_issued(struct journal *journal, const struct entry *entry)
{
	struct taking taking;

	if (entry_check_run(journal, entry) != 0 ||
	    entry_check_evidence(journal, entry, "list") != 0 ||
	    taking_begin(journal, entry, &taking) != 0 ||
	    entry_set_acted(journal, entry) != 0 ||
	    list_each_certificate(
		journal, entry_text(entry, "list"), take_issued, &taking) != 0)
		return -1;
	return check_count(&taking);
}
