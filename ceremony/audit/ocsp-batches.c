/*
 * Batches of OCSP responses in lists: a line of the list has the root over all
 * responses that operators confirmed, and the lines under it are evidence.  So
 * the root is made anew whatever became of the batch, and each window that was
 * intended is looked up in it.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/ocsp-private.h"

/* ---- lists ------------------------------------------------------------- */

static int
listed_line(void *ctx, const char *line, size_t len)
{
	struct listed_status row;
	bool read;

	return ocsp_read_status(ctx, line, len, &read, &row);
}

/* What operators confirmed by its root, whether it was signed or not. */
static int
check_items(struct audit *audit, const struct audit_entry *entry,
    const char *name, int64_t count, const char *root, const char *items)
{
	struct ocsp_lines lines = {
		.audit = audit,
		.entry = entry,
		.name = name,
		.id = "AUDIT-OCSP-LIST",
	};

	if (list_each_line(audit->journal, items, listed_line, &lines) != 0)
		return ocsp_take_list_error(audit, entry, lines.id);
	return ocsp_check_root(&lines, lines.leaves, count, root);
}

/* Of a line that is malformed the passes `ways` and `evidence` have findings. */
static int
keep_batch(
    struct audit *audit, const struct audit_entry *entry, const json_t *row)
{
	const char *name, *key, *algorithm, *root, *items;
	AUTO_CHARS(text) = NULL;
	json_int_t number, count;
	json_t *facts;

	if (json_unpack(audit_read_only(row),
		"{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "batch", &number,
		"name", &name, "key", &key, "algorithm", &algorithm, "count",
		&count, "root", &root, "items", &items, "facts", &facts) != 0 ||
	    count < 0 || !audit_is_digest(items))
		return 0;
	text = json_dumps(facts, JSON_COMPACT | JSON_ENCODE_ANY);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	if (sql_run(audit->journal, name,
		"INSERT OR REPLACE INTO audit_batches (run, list, name, key,"
		" algorithm, count, root, items, facts)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")), sql_text(name),
		    sql_text(key), sql_text(algorithm), sql_int(count),
		    sql_text(root), sql_text(items), sql_text(text))) != 0)
		return -1;
	return check_items(audit, entry, name, count, root, items);
}

int
ocsp_list(struct audit *audit, const struct audit_entry *entry)
{
	bool read;

	return audit_number(entry, "batches") == 0
	    ? 0
	    : audit_each_listed(audit, entry, keep_batch, &read);
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

int
ocsp_keep_unsigned(
    struct audit *audit, const struct audit_entry *entry, int64_t number)
{
	return sql_run(audit->journal, NULL,
	    "INSERT OR IGNORE INTO audit_unsigned (run, list, name, number)"
	    " VALUES (?1, ?2, ?3, ?4)",
	    SQL_VALUES(sql_text(audit_text(entry, "run")),
		sql_int(audit_number(entry, "list")),
		sql_text(audit_text(entry, "name")), sql_int(number)));
}

/* Numbers [first, end) of a batch were not signed; they are taken out. */
static int
take_unsigned(struct audit *audit, const struct audit_entry *entry,
    int64_t first, int64_t end, bool *ret_all)
{
	const struct sql_value values[] = { sql_text(audit_text(entry, "run")),
		sql_int(audit_number(entry, "list")),
		sql_text(audit_text(entry, "name")), sql_int(first),
		sql_int(end), { .type = SQL_END } };
	int64_t count;
	bool found;

	if (sql_number(audit->journal,
		"SELECT COUNT(*) FROM audit_unsigned WHERE run = ?1"
		" AND list = ?2 AND name = ?3 AND number >= ?4 AND number < ?5",
		values, &found, &count) != 0)
		return -1;
	*ret_all = count == end - first;
	return sql_run(audit->journal, NULL,
	    "DELETE FROM audit_unsigned WHERE run = ?1"
	    " AND list = ?2 AND name = ?3 AND number >= ?4 AND number < ?5",
	    values);
}

/*
 * Windows of a list follow each other, within what it has.  One that was
 * stopped leaves what a later one signs.
 */
static int
check_range(struct audit *audit, const struct audit_entry *entry, int64_t next,
    int64_t count)
{
	const int64_t first = audit_number(entry, "first");
	const int64_t wanted = audit_number(entry, "count");
	bool fits = first >= 0 && first <= count && wanted <= count - first;
	bool again = true;

	if (fits && first < next &&
	    take_unsigned(audit, entry, first,
		next < first + wanted ? next : first + wanted, &again) != 0)
		return -1;
	if (!fits || !again)
		audit_error(audit, entry, "AUDIT-OCSP-LIST",
		    "responses %" PRId64 " to %" PRId64
		    " of '%s' were intended before, or are more than the "
		    "%" PRId64 " of the list",
		    first, first + wanted - 1, audit_text(entry, "name"),
		    count);
	return 0;
}

int
ocsp_check_listed(struct audit *audit, const struct audit_entry *entry)
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
	if (check_range(audit, entry, sqlite3_column_int64(query.stmt, 0),
		sqlite3_column_int64(query.stmt, 1)) != 0)
		return -1;
	query_clear(&query);
	return sql_run(audit->journal, NULL,
	    "UPDATE audit_batches SET next = max(next, ?4 + ?5)"
	    " WHERE run = ?1 AND list = ?2 AND name = ?3",
	    SQL_VALUES(values[0], values[1], values[2],
		sql_int(audit_number(entry, "first")),
		sql_int(audit_number(entry, "count"))));
}

/* ---- windows in their places ------------------------------------------- */

/* Of a list that was stopped and gone on with so often. */
enum { PLACES = 64 };

/* A window whose lines we are among. */
struct place {
	int64_t seq, first, end;
	char *intended;
	EVP_MD_CTX *md;
};

/* The windows of a batch, and where in its lines we are. */
struct placing {
	struct audit *audit;
	struct query windows; /* seq, first, count, intended; by first */
	const char *name;
	int64_t list, at;
	bool more; /* `windows` stands at one */
	struct place places[PLACES];
	size_t count;
};

static void
place_clear(struct place *place)
{
	free(place->intended);
	EVP_MD_CTX_free(place->md);
}

static void
placing_clear(struct placing *p)
{
	query_clear(&p->windows);
	for (size_t i = 0; i < p->count; i++)
		place_clear(&p->places[i]);
}
CLEANUP_DEFINE_STRUCT(placing);

__attribute__((format(printf, 3, 4))) static void
misplaced(
    const struct placing *p, const struct place *place, const char *fmt, ...)
{
	const struct audit_entry entry = {
		.seq = (uint64_t)place->seq,
		.kind = ENTRY_OCSP_INTENT,
	};
	char why[128];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	audit_error(p->audit, &entry, "AUDIT-OCSP-LIST",
	    "responses %" PRId64 " to %" PRId64 " of '%s' %s", place->first,
	    place->end - 1, p->name, why);
}

static int
begin_place(struct placing *p)
{
	sqlite3_stmt *stmt = p->windows.stmt;
	struct place place = {
		.seq = sqlite3_column_int64(stmt, 0),
		.first = sqlite3_column_int64(stmt, 1),
	};

	place.end = place.first + sqlite3_column_int64(stmt, 2);
	if (place.first < p->at || place.end <= place.first)
		return 0; /* its own entry has a finding */
	if (p->count == PLACES) {
		misplaced(
		    p, &place, "overlap with more than %d others", PLACES);
		return 0;
	}
	place.md = EVP_MD_CTX_new();
	if (place.md == NULL ||
	    query_text(&p->windows, 3, &place.intended) < 0 ||
	    EVP_DigestInit_ex(place.md, EVP_sha256(), NULL) != 1) {
		place_clear(&place);
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	}
	p->places[p->count++] = place;
	return 0;
}

/* Those that begin at the line that comes now. */
static int
begin_places(struct placing *p)
{
	while (p->more && sqlite3_column_int64(p->windows.stmt, 1) <= p->at)
		if (begin_place(p) != 0 ||
		    query_step(&p->windows, &p->more) != 0)
			return -1;
	return 0;
}

/* The items of an intent are these lines: then they have its SHA-256. */
static int
end_place(struct placing *p, size_t i)
{
	struct place *place = &p->places[i];
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (EVP_DigestFinal_ex(place->md, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	text_hex_into(digest, HASH_LEN, hex);
	if (strcmp(hex, place->intended) != 0)
		misplaced(p, place,
		    "are not those that list %" PRId64 " has in this place",
		    p->list);
	place_clear(place);
	*place = p->places[--p->count];
	return 0;
}

static int
place_line(void *ctx, const char *line, size_t len)
{
	struct placing *p = ctx;

	if (begin_places(p) != 0)
		return -1;
	for (size_t i = 0; i < p->count; i++)
		if (EVP_DigestUpdate(p->places[i].md, line, len) != 1 ||
		    EVP_DigestUpdate(p->places[i].md, "\n", 1) != 1)
			return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	p->at++;
	for (size_t i = p->count; i > 0; i--)
		if (p->places[i - 1].end == p->at && end_place(p, i - 1) != 0)
			return -1;
	return 0;
}

/* Columns: run, list, name, items. */
static int
place_batch(struct audit *audit, struct query *batch)
{
	AUTO_STRUCT(placing) p = { .audit = audit };
	AUTO_CHARS(run) = NULL;
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(items) = NULL;

	p.list = sqlite3_column_int64(batch->stmt, 1);
	if (query_text(batch, 0, &run) != 0 ||
	    query_text(batch, 2, &name) != 0 ||
	    query_text(batch, 3, &items) != 0)
		return -1;
	p.name = name;
	if (query_start(audit->journal,
		"SELECT seq, first, count, intended FROM ocsp_windows"
		" WHERE run = ?1 AND list = ?2 AND name = ?3 ORDER BY first",
		SQL_VALUES(sql_text(run), sql_int(p.list), sql_text(name)),
		&p.windows) != 0 ||
	    query_step(&p.windows, &p.more) != 0)
		return -1;
	if (!p.more ||
	    list_each_line(audit->journal, items, place_line, &p) == 0)
		return 0;
	if (audit_is_machine(ca_error_reason()))
		return -1;
	ca_error_clear(); /* the list's entry has a finding */
	return 0;
}

int
ocsp_check_windows(struct audit *audit, const char *run)
{
	const struct sql_value *values = SQL_VALUES(sql_text(run));
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT run, list, name, items FROM audit_batches"
		" WHERE ?1 IS NULL OR run = ?1",
		values, &query) != 0)
		return -1;
	for (;;) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			break;
		if (place_batch(audit, &query) != 0)
			return -1;
	}
	query_clear(&query);
	return sql_run(audit->journal, run,
		   "DELETE FROM audit_batches WHERE ?1 IS NULL OR run = ?1",
		   values) != 0 ||
		sql_run(audit->journal, run,
		    "DELETE FROM audit_unsigned WHERE ?1 IS NULL OR run = ?1",
		    values) != 0
	    ? -1
	    : 0;
}
