/*
 * OCSP responses, window by window: what was intended is what was confirmed and
 * what journal and profile make of it at that time; what was signed is what was
 * intended.
 *
 * The batches of open runs stand in a temporary table of the private copy.
 */
#include "profiles/ocsp.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/lists.h"

enum { LINES_SHOWN = 100 };

/* ---- batches of lists -------------------------------------------------- */

static int
ocsp_begin(struct audit *audit, void **ret_state)
{
	struct audit_objects_state *state;

	if (sql_script(audit->journal,
		"CREATE TEMP TABLE audit_batches (run TEXT NOT NULL,"
		" list INTEGER NOT NULL, name TEXT NOT NULL,"
		" key TEXT NOT NULL, algorithm TEXT NOT NULL,"
		" count INTEGER NOT NULL, root TEXT NOT NULL,"
		" facts TEXT NOT NULL, next INTEGER NOT NULL DEFAULT 0,"
		" seen INTEGER NOT NULL DEFAULT 0,"
		" PRIMARY KEY (run, list, name)) STRICT, WITHOUT ROWID") != 0)
		return -1;
	state = calloc(1, sizeof(*state));
	if (state == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	*ret_state = state;
	return 0;
}

static int
ocsp_end(struct audit *audit, void *state, bool whole)
{
	(void)audit;
	(void)whole;
	if (state != NULL)
		audit_objects_free(state);
	return 0;
}

/* Lines of a list that is malformed have a finding of the pass `ways`. */
static int
keep_batch(struct audit *audit, const struct audit_entry *entry,
    const char *line, size_t len)
{
	AUTO(json_t) *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *name, *key, *algorithm, *root;
	AUTO_CHARS(text) = NULL;
	json_int_t number, count;
	json_t *facts;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s, s:I, s:s, s:o}", "batch",
		&number, "name", &name, "key", &key, "algorithm", &algorithm,
		"count", &count, "root", &root, "facts", &facts) != 0 ||
	    count < 0)
		return 0;
	text = json_dumps(facts, JSON_COMPACT);
	if (text == NULL)
		return 0;
	return sql_run(audit->journal, name,
	    "INSERT OR REPLACE INTO audit_batches (run, list, name, key,"
	    " algorithm, count, root, facts)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	    SQL_VALUES(sql_text(audit_text(entry, "run")),
		sql_int(audit_number(entry, "list")), sql_text(name),
		sql_text(key), sql_text(algorithm), sql_int(count),
		sql_text(root), sql_text(text)));
}

static int
on_list(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0, at = 0;

	if (audit_number(entry, "batches") == 0)
		return 0;
	if (audit_evidence_bytes(
		audit, audit_text(entry, "sha256"), &data, &len) != 0)
		return -1;
	while (at < len) {
		const unsigned char *end = memchr(data + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - data) - at;

		if (keep_batch(audit, entry, (const char *)data + at, n) != 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

/* ---- a window against its list ----------------------------------------- */

/* The members of an intent that are not the facts of its batch. */
static bool
is_place(const char *member)
{
	static const char *const places[] = { "run", "list", "window", "first",
		"count", "name", "key", "algorithm", "root", "items" };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (strcmp(places[i], member) == 0)
			return true;
	return false;
}

static void
compare_facts(
    struct audit *audit, const struct audit_entry *entry, const char *text)
{
	AUTO(json_t) *facts = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const char *member;
	json_t *value;

	json_object_foreach(audit_read_only(entry->data), member, value)
	{
		if (!is_place(member) &&
		    !json_equal(value, json_object_get(facts, member)))
			audit_error(audit, entry, "AUDIT-FACTS",
			    "'%s' of OCSP responses '%s' is not as in the list "
			    "that was confirmed",
			    member, audit_text(entry, "name"));
	}
}

/* Windows of a list follow each other, within what it has. */
static void
check_range(struct audit *audit, const struct audit_entry *entry, int64_t next,
    int64_t count)
{
	int64_t first = audit_number(entry, "first");
	int64_t wanted = audit_number(entry, "count");

	if (first < next || first > count || wanted > count - first)
		audit_error(audit, entry, "AUDIT-OCSP-LIST",
		    "responses %" PRId64 " to %" PRId64
		    " of '%s' were intended before, or are more than the "
		    "%" PRId64 " of the list",
		    first, first + wanted - 1, audit_text(entry, "name"),
		    count);
}

static int
check_listed(struct audit *audit, const struct audit_entry *entry)
{
	const struct sql_value values[] = { sql_text(audit_text(entry, "run")),
		sql_int(audit_number(entry, "list")),
		sql_text(audit_text(entry, "name")),
		sql_text(audit_text(entry, "key")),
		sql_text(audit_text(entry, "algorithm")), { .type = SQL_END } };
	AUTO_STRUCT(query) query = { 0 };
	AUTO_CHARS(facts) = NULL;
	bool row;

	if (query_start(audit->journal,
		"SELECT next, count, facts FROM audit_batches WHERE run = ?1"
		" AND list = ?2 AND name = ?3 AND key = ?4 AND algorithm = ?5",
		values, &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row) {
		audit_error(audit, entry, "AUDIT-OCSP-LIST",
		    "list %" PRId64 " of the run does not have OCSP responses "
		    "'%s' with this key and algorithm",
		    audit_number(entry, "list"), audit_text(entry, "name"));
		return 0;
	}
	if (query_text(&query, 2, &facts) != 0)
		return -1;
	compare_facts(audit, entry, facts);
	check_range(audit, entry, sqlite3_column_int64(query.stmt, 0),
	    sqlite3_column_int64(query.stmt, 1));
	query_clear(&query);
	return sql_run(audit->journal, NULL,
	    "UPDATE audit_batches SET next = max(next, ?4 + ?5),"
	    " seen = seen + ?5 WHERE run = ?1 AND list = ?2 AND name = ?3",
	    SQL_VALUES(values[0], values[1], values[2],
		sql_int(audit_number(entry, "first")),
		sql_int(audit_number(entry, "count"))));
}

/* ---- who signs --------------------------------------------------------- */

struct window {
	struct audit_object object; /* of the intent */
	X509 *issuer, *responder;   /* responder: NULL where the issuer signs */
	struct ocsp_maker *maker;   /* NULL: none can be made */
	struct tree_range range;
	uint64_t lines, refused;
	unsigned char last[LIST_SERIAL_MAX];
	size_t last_len;
};

static void
window_clear(struct window *w)
{
	ocsp_maker_free(w->maker);
	X509_free(w->issuer);
	X509_free(w->responder);
}
CLEANUP_DEFINE_STRUCT(window);

/* Of a window in which every line is wrong, the first are named. */
static void
refuse(struct window *w, const char *id, const char *line, size_t len,
    const char *why)
{
	AUTO_CHARS(shown) = text_escape(line, len < 60 ? len : 60);

	if (w->refused++ < LINES_SHOWN)
		audit_error(w->object.audit, w->object.entry, id,
		    "OCSP responses '%s', '%s': %s",
		    audit_text(w->object.entry, "name"),
		    shown == NULL ? "" : shown, why);
}

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

/* The algorithm of the intent; NULL, and a finding, where it is none. */
static int
find_algorithm(const struct audit_object *object, const struct sigalg **ret_alg)
{
	AUTO_BYTES(der) = NULL;
	size_t len;

	if (text_unhex(audit_text(&object->intent, "algorithm"), &der, &len) !=
	    0)
		return -1;
	*ret_alg = sigalg_by_der(der, len);
	if (*ret_alg == NULL)
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the intent of OCSP responses '%s' names an algorithm that "
		    "is unknown or not allowed",
		    audit_text(&object->intent, "name"));
	return 0;
}

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
	    find_algorithm(&w->object, &alg) != 0)
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

static bool
ascends(struct window *w, const struct listed_status *row)
{
	bool higher = w->last_len == 0 ||
	    list_compare_serials(
		w->last, w->last_len, row->serial, row->serial_len) < 0;

	memcpy(w->last, row->serial, row->serial_len);
	w->last_len = row->serial_len;
	return higher;
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
		refuse(w, "AUDIT-OCSP", line, len,
		    "its certificate ends too soon for a response");
		return 0;
	}
	if (ocsp_maker_build(w->maker, &entry, validity, &findings, &tbs) != 0)
		return audit_take_error(
		    w->object.audit, w->object.entry, "AUDIT-OCSP");
	audit_take_findings(
	    w->object.audit, w->object.entry, &findings, "AUDIT-OCSP", NULL);
	if (findings.errors == 0 && memcmp(tbs.sha256, row->tbs, HASH_LEN) != 0)
		refuse(w, "AUDIT-OCSP", line, len,
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
		refuse(w, "AUDIT-OCSP-STATUS", line, len,
		    "the journal knows no such certificate of the issuer");
		return 0;
	}
	if (told.revoked != row->revoked) {
		refuse(w, "AUDIT-OCSP-STATUS", line, len,
		    told.revoked ? "it was revoked before"
				 : "no entry of the journal revokes it");
		return 0;
	}
	return w->maker == NULL ? 0 : compare_made(w, row, &told, line, len);
}

static int
add_leaf(struct window *w, const void *data, size_t len)
{
	unsigned char leaf[HASH_LEN];

	w->lines++;
	return tree_leaf(data, len, leaf) != 0
	    ? -1
	    : tree_range_add(&w->range, leaf, NULL, NULL);
}

static int
intended_line(void *ctx, const char *line, size_t len)
{
	struct window *w = ctx;
	struct listed_status row;

	if (add_leaf(w, line, len) != 0)
		return -1;
	if (listed_status_parse(line, len, &row) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		refuse(w, "AUDIT-OCSP", line, len, "the line is malformed");
		return 0;
	}
	if (!ascends(w, &row))
		refuse(w, "AUDIT-OCSP", line, len,
		    "its serial is not above that of the line before it");
	return check_status(w, &row, line, len);
}

/* What the entry says of all its lines. */
static int
check_root(const struct window *w, uint64_t lines)
{
	const struct audit_entry *entry = w->object.entry;
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (tree_range_root(&w->range, root) != 0)
		return -1;
	text_hex_into(root, HASH_LEN, hex);
	if (lines != (uint64_t)audit_number(entry, "count"))
		audit_error(w->object.audit, entry, "AUDIT-OCSP",
		    "the items of OCSP responses '%s' are %" PRIu64
		    ", and its entry says %" PRId64,
		    audit_text(entry, "name"), lines,
		    audit_number(entry, "count"));
	if (strcmp(hex, audit_text(entry, "root")) != 0)
		audit_error(w->object.audit, entry, "AUDIT-OCSP",
		    "the root over the items of OCSP responses '%s' is not the "
		    "one in its entry",
		    audit_text(entry, "name"));
	if (w->refused > LINES_SHOWN)
		audit_error(w->object.audit, entry, "AUDIT-OCSP",
		    "OCSP responses '%s': %" PRIu64 " findings in all, of "
		    "which %d are shown",
		    audit_text(entry, "name"), w->refused, LINES_SHOWN);
	return 0;
}

/* A list that cannot be read, or is no list. */
static int
take_list_error(struct audit *audit, const struct audit_entry *entry)
{
	if (ca_error_reason() != CA_R_MISSING)
		return audit_take_error(audit, entry, "AUDIT-OCSP");
	ca_error_clear(); /* the evidence has a finding */
	return 0;
}

static int
on_intent(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(window)
	w = { .object = { .audit = audit,
		  .state = state,
		  .entry = entry,
		  .intent = *entry,
		  .kind = OBJECT_OCSP } };

	if (check_listed(audit, entry) != 0 ||
	    check_backdating(audit, entry) != 0 || find_signers(&w) != 0)
		return -1;
	if (w.issuer != NULL &&
	    (w.responder != NULL || audit_text(entry, "responder") == NULL) &&
	    open_maker(&w) != 0)
		return -1;
	if (list_each_line(audit->journal, audit_text(entry, "items"),
		intended_line, &w) != 0)
		return take_list_error(audit, entry);
	return check_root(&w, w.lines);
}

/* ---- lines of a result ------------------------------------------------- */

struct answers {
	struct window w;
	unsigned char *intended; /* lines of the intent, and where we are */
	size_t len, at;
	const struct sigalg *alg;
	EVP_PKEY *key; /* the one that was kept; NULL: none */
	unsigned char *responder;
	int responder_len;
	uint64_t lines;
};

static void
answers_clear(struct answers *a)
{
	window_clear(&a->w);
	free(a->intended);
	EVP_PKEY_free(a->key);
	OPENSSL_free(a->responder);
}
CLEANUP_DEFINE_STRUCT(answers);

/* The next line of the intent; false behind the last. */
static bool
next_intended(struct answers *a, struct listed_status *ret_row)
{
	const unsigned char *from, *end;
	size_t n;

	if (a->at >= a->len)
		return false;
	from = a->intended + a->at;
	end = memchr(from, '\n', a->len - a->at);
	n = end == NULL ? a->len - a->at : (size_t)(end - from);
	a->at += n + 1;
	if (listed_status_parse((const char *)from, n, ret_row) == 0)
		return true;
	ca_error_clear(); /* its intent has a finding */
	return false;
}

static int
refuse_error(struct answers *a, const char *id, const char *line, size_t len)
{
	AUTO_CHARS(why) = NULL;

	if (audit_is_machine(ca_error_reason()))
		return -1;
	why = ca_error_take();
	refuse(&a->w, id, line, len, why == NULL ? "it is wrong" : why);
	return 0;
}

static bool
same_octets(const struct der *part, const unsigned char *octets, size_t len)
{
	return part->len == len &&
	    (len == 0 || memcmp(part->p, octets, len) == 0);
}

/* Octet for octet what was intended, signed with the key that was kept. */
static int
check_response(struct answers *a, const struct listed_status *intended,
    const struct listed_response *row, const char *line, size_t len)
{
	struct ocsp_parts parts;
	struct tbs tbs = { .kind = OBJECT_OCSP, .alg = a->alg };
	AUTO_BYTES(copy) = NULL;
	unsigned char digest[HASH_LEN];

	if (ocsp_take_apart("response", row->der, row->len, &parts) != 0)
		return refuse_error(a, "AUDIT-SIGNATURE", line, len);
	if (sha256(parts.tbs.p, parts.tbs.len, digest) != 0)
		return -1;
	if (memcmp(digest, intended->tbs, HASH_LEN) != 0)
		refuse(&a->w, "AUDIT-SIGNATURE", line, len,
		    "its ResponseData is not the one that was intended");
	if (!same_octets(
		&parts.responder, a->responder, (size_t)a->responder_len))
		refuse(&a->w, "AUDIT-SIGNATURE", line, len,
		    "beside it stands another certificate than its "
		    "responder's");
	if (a->key == NULL || a->alg == NULL)
		return 0;
	copy = malloc(parts.tbs.len);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an OCSP response");
	memcpy(copy, parts.tbs.p, parts.tbs.len);
	tbs.der = copy;
	tbs.len = parts.tbs.len;
	return object_verify_with(&tbs, a->key, row->der, row->len) == 0
	    ? 0
	    : refuse_error(a, "AUDIT-SIGNATURE", line, len);
}

static int
check_answer(struct answers *a, const struct listed_status *intended,
    const struct listed_response *row, const char *line, size_t len)
{
	unsigned char digest[HASH_LEN];

	if (list_compare_serials(intended->serial, intended->serial_len,
		row->serial, row->serial_len) != 0) {
		refuse(&a->w, "AUDIT-OCSP", line, len,
		    "the intent has another serial in this place");
		return 0;
	}
	if (row->der == NULL)
		return 0; /* it was not signed */
	if (add_leaf(&a->w, row->der, row->len) != 0 ||
	    sha256(row->der, row->len, digest) != 0)
		return -1;
	if (memcmp(digest, row->sha256, HASH_LEN) != 0)
		refuse(&a->w, "AUDIT-OCSP", line, len,
		    "the response does not have the SHA-256 of its line");
	return check_response(a, intended, row, line, len);
}

static int
answer_line(void *ctx, const char *line, size_t len)
{
	struct answers *a = ctx;
	AUTO_STRUCT(listed_response) row = { 0 };
	struct listed_status intended;

	a->lines++;
	if (!next_intended(a, &intended)) {
		refuse(&a->w, "AUDIT-OCSP", line, len,
		    "its intent has no such line");
		return 0;
	}
	if (listed_response_parse(line, len, &row) != 0)
		return refuse_error(a, "AUDIT-OCSP", line, len);
	return check_answer(a, &intended, &row, line, len);
}

/* ---- a result ---------------------------------------------------------- */

/* The intent that a result answers; *ret_json NULL: none. */
static int
load_intent(struct audit *audit, const struct audit_entry *entry,
    json_t **ret_json, struct audit_entry *ret_intent)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(line) = NULL;
	struct entry parsed;
	size_t len;
	bool row;

	if (query_start(audit->journal,
		"SELECT body FROM ocsp_windows JOIN entries USING (seq)"
		" WHERE run = ?1 AND list = ?2 AND ocsp_windows.name = ?3"
		" AND number = ?4",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_text(audit_text(entry, "name")),
		    sql_int(audit_number(entry, "window"))),
		&query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return 0;
	if (query_blob(&query, 0, &line, &len) != 0 ||
	    entry_parse((const char *)line, len, ret_json, &parsed) != 0)
		return -1;
	*ret_intent = (struct audit_entry){
		.seq = parsed.seq,
		.time = parsed.time,
		.kind = parsed.kind,
		.entry = *ret_json,
		.data = parsed.data,
		.applied = true,
	};
	return 0;
}

static int
find_key(struct answers *a)
{
	const struct audit_object *object = &a->w.object;
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (audit_key(object->audit, audit_text(&object->intent, "key"), &found,
		&row) != 0)
		return -1;
	if (!found || row.spki == NULL) {
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the key that should have signed OCSP responses '%s' is "
		    "none of the token's",
		    audit_text(object->entry, "name"));
		return 0;
	}
	if (a->alg == NULL ||
	    sigalg_key(a->alg, row.spki, row.spki_len, &a->key) == 0)
		return 0;
	return audit_take_error(
	    object->audit, object->entry, "AUDIT-SIGNATURE");
}

/* DER of the certificate that stands beside each response. */
static int
find_responder(struct answers *a)
{
	const struct audit_object *object = &a->w.object;
	const char *name = audit_text(&object->intent, "responder");
	AUTO_STRUCT(object_row) row = { 0 };

	if (name == NULL)
		return 0;
	if (audit_issuer(object->audit, object->entry, name, "AUDIT-ISSUER",
		&row, &a->w.responder) != 0)
		return -1;
	if (a->w.responder == NULL)
		return 0;
	a->responder_len = i2d_X509(a->w.responder, &a->responder);
	return a->responder_len > 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a certificate");
}

static int
check_result(struct answers *a)
{
	struct audit_object *object = &a->w.object;
	struct audit *audit = object->audit;

	if (audit_evidence_bytes(audit, audit_text(&object->intent, "items"),
		&a->intended, &a->len) != 0 ||
	    find_algorithm(object, &a->alg) != 0 || find_key(a) != 0 ||
	    find_responder(a) != 0)
		return -1;
	if (a->intended == NULL)
		return 0;
	if (list_each_line(audit->journal, audit_text(object->entry, "items"),
		answer_line, a) != 0)
		return take_list_error(audit, object->entry);
	return check_root(&a->w, a->lines);
}

static int
on_result(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(answers)
	a = { .w.object = { .audit = audit, .state = state, .entry = entry } };
	AUTO(json_t) *json = NULL;

	if (load_intent(audit, entry, &json, &a.w.object.intent) != 0)
		return -1;
	return json == NULL ? 0 : check_result(&a);
}

/* ---- the end of a run -------------------------------------------------- */

static int
whole_line(void *ctx, const char *line, size_t len)
{
	return add_leaf(ctx, line, len);
}

/* The lines of all windows of a batch, one behind the other. */
static int
join_windows(struct audit *audit, const char *run, int64_t list,
    const char *name, struct window *w)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT intended FROM ocsp_windows WHERE run = ?1"
		" AND list = ?2 AND name = ?3 ORDER BY first",
		SQL_VALUES(sql_text(run), sql_int(list), sql_text(name)),
		&query) != 0)
		return -1;
	for (;;) {
		AUTO_CHARS(items) = NULL;

		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			return 0;
		if (query_text(&query, 0, &items) != 0 ||
		    list_each_line(audit->journal, items, whole_line, w) != 0)
			return -1;
	}
}

/* Columns: list, name, count, root, seen. */
static int
check_batch(
    struct audit *audit, const struct audit_entry *entry, struct query *query)
{
	const char *run = audit_text(entry, "run");
	int64_t list = sqlite3_column_int64(query->stmt, 0);
	int64_t count = sqlite3_column_int64(query->stmt, 2);
	int64_t seen = sqlite3_column_int64(query->stmt, 4);
	AUTO_STRUCT(window) w = { 0 };
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(root) = NULL;
	unsigned char computed[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (query_text(query, 1, &name) != 0 ||
	    query_text(query, 3, &root) != 0)
		return -1;
	if (seen > 0 && seen < count)
		findings_add(audit->findings, FINDING_NOTICE, "AUDIT-OCSP-LIST",
		    "lists", NULL,
		    "of the %" PRId64 " OCSP responses '%s' of list %" PRId64
		    " %" PRId64 " were intended before it was cut off: the "
		    "root that was confirmed is over all of them, and cannot "
		    "be made anew",
		    count, name, list, seen);
	if (seen != count)
		return 0;
	if (join_windows(audit, run, list, name, &w) != 0)
		return take_list_error(audit, entry);
	if (tree_range_root(&w.range, computed) != 0)
		return -1;
	text_hex_into(computed, HASH_LEN, hex);
	if (strcmp(hex, root) != 0)
		audit_error(audit, entry, "AUDIT-OCSP-LIST",
		    "OCSP responses '%s' are not those of list %" PRId64
		    ", whose root is another",
		    name, list);
	return 0;
}

static int
on_close(struct audit *audit, const struct audit_entry *entry)
{
	const char *run = audit_text(entry, "run");
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT list, name, count, root, seen FROM audit_batches"
		" WHERE run = ?1",
		SQL_VALUES(sql_text(run)), &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			break;
		if (check_batch(audit, entry, &query) != 0)
			return -1;
	}
	query_clear(&query);
	return sql_run(audit->journal, run,
	    "DELETE FROM audit_batches WHERE run = ?1",
	    SQL_VALUES(sql_text(run)));
}

/* ---- the pass ---------------------------------------------------------- */

static int
ocsp_entry(struct audit *audit, void *state, const struct audit_entry *entry)
{
	if (!entry->applied)
		return 0;
	switch (entry->kind) {
	case ENTRY_LIST:
		return on_list(audit, entry);
	case ENTRY_OCSP_INTENT:
		return on_intent(audit, state, entry);
	case ENTRY_OCSP_RESULT:
		return on_result(audit, state, entry);
	case ENTRY_CLOSE:
		return on_close(audit, entry);
	default:
		return 0;
	}
}

const struct audit_pass audit_ocsp = {
	.name = "ocsp",
	.begin = ocsp_begin,
	.entry = ocsp_entry,
	.end = ocsp_end,
};
