/*
 * Lists: what operators confirmed line by line.  The lines of the lists of open
 * runs stand in temporary tables of the private copy:
 *
 *   audit_listed (run, list, object, kind, name, key, algorithm, tbs, lint)
 *   audit_acts   (run, list, act, kind, text, done)
 *
 * Batches of OCSP responses are a line each; ocsp.c looks into them.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"

/* ---- signatures ------------------------------------------------------- */

int
audit_is_signed(struct audit *audit, const struct audit_run *run, int64_t list,
    bool *ret_signed)
{
	int64_t count;
	bool found;

	if (sql_number(audit->journal,
		"SELECT COUNT(*) FROM audit_valid WHERE run = ?1 AND list = ?2",
		SQL_VALUES(sql_text(run->nonce), sql_int(list)), &found,
		&count) != 0)
		return -1;
	*ret_signed = count >= (int64_t)run->threshold;
	return 0;
}

/* Unattended runs, where they may be, are approved and not confirmed. */
static int
is_confirmed(struct audit *audit, struct audit_run *run, int64_t list,
    bool *ret_confirmed)
{
	*ret_confirmed = run->unattended || run->confirmed == list;
	if (*ret_confirmed)
		return 0;
	if (audit_is_signed(audit, run, list, ret_confirmed) != 0)
		return -1;
	if (*ret_confirmed)
		run->confirmed = list;
	return 0;
}

/* Said once for each list, not for each of its lines. */
static void
say_unconfirmed(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, int64_t list)
{
	if (run->unconfirmed == list)
		return;
	run->unconfirmed = list;
	audit_error(audit, entry, "AUDIT-CONFIRMATIONS-MISSING",
	    "list %" PRId64 " of the run was carried out, and was not "
	    "confirmed by %u operators",
	    list, run->threshold);
}

/* ---- the header ------------------------------------------------------- */

static void
wrong(struct audit *audit, const struct audit_entry *entry, const char *what)
{
	audit_error(audit, entry, "AUDIT-LIST", "the list's %s %s", what,
	    "is not that of its run");
}

static bool
is_text(const json_t *object, const char *member, const char *wanted)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL && wanted != NULL && strcmp(text, wanted) == 0;
}

static bool
is_number(const json_t *object, const char *member, int64_t wanted)
{
	const json_t *value = json_object_get(object, member);

	return json_is_integer(value) && json_integer_value(value) == wanted;
}

/* The state of the journal when it was built. */
static int
check_state(
    struct audit *audit, const struct audit_entry *entry, json_t *header)
{
	const char *root;
	json_int_t size;
	bool is = false;

	if (json_unpack(header, "{s:{s:I, s:s}}", "journal", "size", &size,
		"root", &root) == 0 &&
	    size >= 0 && (uint64_t)size <= entry->seq &&
	    audit_root_is(audit, (uint64_t)size, root, &is) != 0)
		return -1;
	if (!is)
		audit_error(audit, entry, "AUDIT-LIST",
		    "the list was built over another journal: what it names is "
		    "no earlier state of this one");
	return 0;
}

static int
check_header(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry, json_t *header)
{
	AUTO_STRUCT(run_row) row = { 0 };
	AUTO_STRUCT(quorum_row) set = { 0 };
	bool found = false, has_set = false;

	if (journal_run(audit->journal, run->nonce, &found, &row) != 0 ||
	    journal_quorum_by_set(audit->journal, run->set, &has_set, &set) !=
		0)
		return -1;
	if (!is_text(header, "format", "ca-tool-list-1"))
		wrong(audit, entry, "format");
	if (!is_text(header, "run", run->nonce))
		wrong(audit, entry, "run");
	if (!is_number(header, "list", audit_number(entry, "list")))
		wrong(audit, entry, "number");
	if (!is_text(header, "manifest", row.manifest))
		wrong(audit, entry, "manifest");
	if (!is_text(header, "set", run->set) ||
	    !is_text(header, "set_sha256", set.sha256) ||
	    !is_number(header, "threshold", run->threshold))
		wrong(audit, entry, "set");
	if (json_is_true(json_object_get(header, "unattended")) !=
		row.unattended ||
	    !json_is_false(json_object_get(header, "rehearsal")))
		wrong(audit, entry, "nature (unattended, or a rehearsal)");
	return check_state(audit, entry, header);
}

/* ---- the lines -------------------------------------------------------- */

struct reading {
	struct audit *audit;
	const struct audit_run *run;
	const struct audit_entry *entry;
	int64_t list;
	json_int_t objects, batches, acts; /* lines so far */
	json_int_t last_object;
	bool has_header;
	char lint[HASH_HEX_SIZE]; /* the report that the header names, or "" */
};

static int
malformed(struct reading *r)
{
	audit_error(r->audit, r->entry, "AUDIT-LIST",
	    "line %lld of the list is malformed, or not in its order",
	    (long long)(r->objects + r->batches + r->acts + r->has_header + 1));
	return 0;
}

/* Objects keep their numbers among all of the plan: they rise. */
static int
read_object(struct reading *r, json_t *row)
{
	const char *kind, *name, *key, *algorithm, *tbs;
	AUTO_CHARS(lint) = NULL;
	json_int_t object;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s, s:s, s:s}", "object",
		&object, "kind", &kind, "name", &name, "key", &key, "algorithm",
		&algorithm, "tbs", &tbs) != 0 ||
	    object <= r->last_object || r->batches > 0 || r->acts > 0)
		return malformed(r);
	r->last_object = object;
	r->objects++;
	/* NULL, as in the row, where the line has none. */
	lint = json_dumps(json_object_get(row, "lint"),
	    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	return sql_run(r->audit->journal, name,
	    "INSERT INTO audit_listed (run, list, object, kind, name, key,"
	    " algorithm, tbs, lint)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	    SQL_VALUES(sql_text(r->run->nonce), sql_int(r->list),
		sql_int(object), sql_text(kind), sql_text(name), sql_text(key),
		sql_text(algorithm), sql_text(tbs), sql_text(lint)));
}

static int
read_batch(struct reading *r, json_t *row)
{
	const char *kind, *name, *key, *algorithm, *root, *items;
	json_int_t batch, count;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s, s:s, s:I, s:s, s:s}",
		"batch", &batch, "kind", &kind, "name", &name, "key", &key,
		"algorithm", &algorithm, "count", &count, "root", &root,
		"items", &items) != 0 ||
	    r->acts > 0 || count <= 0 || strcmp(kind, "ocsp") != 0)
		return malformed(r);
	r->batches++;
	return 0;
}

static int
read_act(struct reading *r, json_t *row)
{
	const char *kind, *sha256, *text;
	AUTO_CHARS(hex) = NULL;
	json_int_t act;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s}", "act", &act, "kind", &kind,
		"sha256", &sha256, "text", &text) != 0 ||
	    act != r->acts)
		return malformed(r);
	hex = sha256_hex(text, strlen(text));
	if (hex == NULL)
		return -1;
	if (strcmp(hex, sha256) != 0)
		return malformed(r);
	r->acts++;
	return sql_run(r->audit->journal, kind,
	    "INSERT INTO audit_acts (run, list, act, kind, text)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_text(r->run->nonce), sql_int(r->list), sql_int(act),
		sql_text(kind), sql_text(text)));
}

static int
read_line(struct reading *r, const char *line, size_t len)
{
	AUTO(json_t) *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (row == NULL)
		return malformed(r);
	if (!r->has_header) {
		const char *lint =
		    json_string_value(json_object_get(row, "lint"));

		r->has_header = true;
		(void)snprintf(
		    r->lint, sizeof(r->lint), "%s", lint != NULL ? lint : "");
		return check_header(r->audit, r->run, r->entry, row);
	}
	if (json_object_get(row, "object") != NULL)
		return read_object(r, row);
	if (json_object_get(row, "batch") != NULL)
		return read_batch(r, row);
	return json_object_get(row, "act") != NULL ? read_act(r, row)
						   : malformed(r);
}

static int
read_lines(struct reading *r, const unsigned char *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const unsigned char *end = memchr(data + at, '\n', len - at);

		if (end == NULL)
			return malformed(r);
		if (read_line(r, (const char *)data + at,
			(size_t)(end - (data + at))) != 0)
			return -1;
		at = (size_t)(end - data) + 1;
	}
	return 0;
}

/*
 * Runs begin within the window.  Those that were cut off go on behind it, where
 * people have said that the clock is right.
 */
int
audit_window(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry)
{
	const bool begins = entry->kind == ENTRY_PLAN;
	int64_t from, until;

	if (run->plan.steps == NULL)
		return 0;
	if (date_parse(run->plan.params->window.from, &from) != 0 ||
	    date_parse(run->plan.params->window.until, &until) != 0)
		return audit_take_error(audit, entry, "AUDIT-PLAN");
	if (entry->time >= from && entry->time <= until)
		return 0;
	(begins ? audit_error : audit_warning)(audit, entry, "AUDIT-PLAN",
	    "%s outside of the plan's window, from %s to %s",
	    begins             ? "the run began"
		: run->resumed ? "the run was cut off, and its list was built"
			       : "the list was built",
	    run->plan.params->window.from, run->plan.params->window.until);
	return 0;
}

int
audit_listed(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	struct reading r = { .audit = audit,
		.run = run,
		.entry = entry,
		.list = audit_number(entry, "list"),
		.last_object = -1 };
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	run->lists = r.list + 1;
	if (audit_evidence_bytes(
		audit, audit_text(entry, "sha256"), &data, &len) != 0)
		return -1;
	if (data == NULL)
		return 0; /* the evidence has a finding, and what rests on it */
	if (read_lines(&r, data, len) != 0)
		return -1;
	if (!r.has_header || !is_number(entry->data, "objects", r.objects) ||
	    audit_number(entry, "batches") != r.batches ||
	    !is_number(entry->data, "acts", r.acts))
		audit_error(audit, entry, "AUDIT-LIST",
		    "the list has %lld objects, %lld batches of OCSP responses "
		    "and %lld acts, and its entry says otherwise",
		    (long long)r.objects, (long long)r.batches,
		    (long long)r.acts);
	if (audit_lint_listed(audit, entry, r.lint, r.objects) != 0)
		return -1;
	return audit_window(audit, run, entry);
}

/* ---- acts ------------------------------------------------------------- */

/* An act of a list of the run. */
struct act {
	int64_t list, number;
	bool found, confirmed;
};

static int
take_act(struct audit *audit, struct audit_run *run, struct query *query,
    struct act *act)
{
	act->found = true;
	act->list = sqlite3_column_int64(query->stmt, 0);
	act->number = sqlite3_column_int64(query->stmt, 1);
	return is_confirmed(audit, run, act->list, &act->confirmed);
}

static int
fits_text(struct query *query, const struct audit_entry *entry,
    bool (*fits)(const json_t *act, const struct audit_entry *entry),
    bool *ret_fits)
{
	AUTO_CHARS(text) = NULL;
	AUTO(json_t) *json = NULL;

	if (query_text(query, 2, &text) != 0)
		return -1;
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	*ret_fits = json != NULL && fits(json, entry);
	return 0;
}

/* The first that fits and is confirmed, else one that is not. */
static int
find_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind,
    bool (*fits)(const json_t *act, const struct audit_entry *entry),
    struct act *ret_act)
{
	AUTO_STRUCT(query) query = { 0 };
	struct act act = { 0 };
	bool row = false, right = false;

	if (query_start(audit->journal,
		"SELECT list, act, text FROM audit_acts"
		" WHERE run = ?1 AND kind = ?2 ORDER BY list DESC, act",
		SQL_VALUES(sql_text(run->nonce), sql_text(kind)), &query) != 0)
		return -1;
	while (!act.confirmed) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			break;
		if (fits_text(&query, entry, fits, &right) != 0 ||
		    (right && take_act(audit, run, &query, &act) != 0))
			return -1;
	}
	*ret_act = act;
	return 0;
}

/* It stands in later lists too, where it is cut off and listed anew. */
static int
use_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind, const struct act *act)
{
	if (!act->found) {
		audit_error(audit, entry, "AUDIT-ACT",
		    "no list of the run has this act, '%s'", kind);
		return 0;
	}
	if (!act->confirmed)
		say_unconfirmed(audit, run, entry, act->list);
	return sql_run(audit->journal, kind,
	    "UPDATE audit_acts SET done = 1 WHERE run = ?1 AND kind = ?2"
	    " AND text = (SELECT text FROM audit_acts WHERE run = ?1"
	    " AND list = ?3 AND act = ?4)",
	    SQL_VALUES(sql_text(run->nonce), sql_text(kind), sql_int(act->list),
		sql_int(act->number)));
}

int
audit_use_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind,
    bool (*fits)(const json_t *act, const struct audit_entry *entry))
{
	struct act act;

	return find_act(audit, run, entry, kind, fits, &act) != 0
	    ? -1
	    : use_act(audit, run, entry, kind, &act);
}

/* As build_add_act() writes it. */
static char *
canonical(const struct audit_entry *entry)
{
	AUTO(json_t) *data = json_copy(audit_read_only(entry->data));
	char *text = NULL;

	if (data != NULL && json_object_del(data, "run") == 0)
		text = json_dumps(
		    data, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	if (text == NULL)
		(void)ca_error(CA_R_MEMORY, "no memory for an audit");
	return text;
}

int
audit_use_exact_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind)
{
	AUTO_CHARS(text) = canonical(entry);
	AUTO_STRUCT(query) query = { 0 };
	struct act act = { 0 };
	bool row = false;

	if (text == NULL ||
	    query_start(audit->journal,
		"SELECT list, act FROM audit_acts"
		" WHERE run = ?1 AND kind = ?2 AND text = ?3"
		" ORDER BY list DESC",
		SQL_VALUES(
		    sql_text(run->nonce), sql_text(kind), sql_text(text)),
		&query) != 0)
		return -1;
	while (!act.confirmed) {
		if (query_step(&query, &row) != 0)
			return -1;
		if (!row)
			break;
		if (take_act(audit, run, &query, &act) != 0)
			return -1;
	}
	query_clear(&query);
	return use_act(audit, run, entry, kind, &act);
}

/* ---- objects ---------------------------------------------------------- */

int
audit_use_object(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	int64_t list = audit_number(entry, "list"), one;
	bool found = false, confirmed = false;

	if (sql_number(audit->journal,
		"SELECT 1 FROM audit_listed WHERE run = ?1 AND list = ?2"
		" AND object = ?3 AND kind = ?4 AND name = ?5 AND key = ?6"
		" AND algorithm = ?7 AND tbs = ?8",
		SQL_VALUES(sql_text(run->nonce), sql_int(list),
		    sql_int(audit_number(entry, "object")),
		    sql_text(audit_text(entry, "kind")),
		    sql_text(audit_text(entry, "name")),
		    sql_text(audit_text(entry, "key")),
		    sql_text(audit_text(entry, "algorithm")),
		    sql_text(audit_text(entry, "tbs"))),
		&found, &one) != 0)
		return -1;
	if (!found)
		audit_error(audit, entry, "AUDIT-INTENT",
		    "list %" PRId64 " of the run does not have %s '%s' with "
		    "this number, key, algorithm and to-be-signed bytes",
		    list, audit_text(entry, "kind"), audit_text(entry, "name"));
	if (is_confirmed(audit, run, list, &confirmed) != 0)
		return -1;
	if (!confirmed)
		say_unconfirmed(audit, run, entry, list);
	return 0;
}

int
audit_use_batch(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	int64_t list = audit_number(entry, "list");
	bool confirmed = false;

	if (is_confirmed(audit, run, list, &confirmed) != 0)
		return -1;
	if (!confirmed)
		say_unconfirmed(audit, run, entry, list);
	return 0;
}

/* ---- the end ---------------------------------------------------------- */

/*
 * What a newer list leaves out, operators have agreed to leave out.  Only where
 * there was nothing to do from the first nobody is asked: the one list is empty.
 */
static int
check_newest_confirmed(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	int64_t lines;
	bool found, confirmed = false;

	if (run->lists == 0)
		return 0;
	if (sql_number(audit->journal,
		"SELECT (SELECT COUNT(*) FROM audit_acts WHERE run = ?1)"
		" + (SELECT COUNT(*) FROM audit_listed WHERE run = ?1)",
		SQL_VALUES(sql_text(run->nonce)), &found, &lines) != 0)
		return -1;
	if (run->lists == 1 && lines == 0)
		return 0;
	if (is_confirmed(audit, run, run->lists - 1, &confirmed) != 0)
		return -1;
	if (!confirmed)
		say_unconfirmed(audit, run, entry, run->lists - 1);
	return 0;
}

int
audit_list_done(
    struct audit *audit, struct audit_run *run, const struct audit_entry *entry)
{
	int64_t acts, objects;
	bool found;

	if (check_newest_confirmed(audit, run, entry) != 0)
		return -1;
	if (sql_number(audit->journal,
		"SELECT COUNT(*) FROM audit_acts WHERE run = ?1 AND list = ?2"
		" AND done = 0 AND kind IN ('revoke', 'upgrade-revocation',"
		" 'import-revocations', 'import-issued', 'adopt-certificate',"
		" 'adopt-ca', 'ca-state', 'destroy-key')",
		SQL_VALUES(sql_text(run->nonce), sql_int(run->lists - 1)),
		&found, &acts) != 0 ||
	    sql_number(audit->journal,
		"SELECT COUNT(*) FROM audit_listed l WHERE run = ?1"
		" AND list = ?2 AND NOT EXISTS (SELECT seq FROM objects o"
		" WHERE o.run = l.run AND o.list = l.list"
		" AND o.object = l.object AND o.state = 1)",
		SQL_VALUES(sql_text(run->nonce), sql_int(run->lists - 1)),
		&found, &objects) != 0)
		return -1;
	if (acts > 0 || objects > 0)
		audit_error(audit, entry, "AUDIT-ACT",
		    "the run is closed as done, and of its newest list %" PRId64
		    " acts were not done and %" PRId64 " objects not signed",
		    acts, objects);
	return 0;
}

int
audit_forget_lists(struct audit *audit, const struct audit_run *run)
{
	const struct sql_value *values = SQL_VALUES(sql_text(run->nonce));

	return sql_run(audit->journal, NULL,
		   "DELETE FROM audit_listed WHERE run = ?1", values) != 0 ||
		sql_run(audit->journal, NULL,
		    "DELETE FROM audit_acts WHERE run = ?1", values) != 0 ||
		sql_run(audit->journal, NULL,
		    "DELETE FROM audit_parts WHERE run = ?1", values) != 0 ||
		sql_run(audit->journal, NULL,
		    "DELETE FROM audit_valid WHERE run = ?1", values) != 0
	    ? -1
	    : 0;
}
