/*
 * What linters said of objects before they were signed and after: the reports
 * are whole, of these objects, of the linters that authority.yaml named, and
 * nothing was signed over an error.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"

#define REPORT_FORMAT "ca-tool-lint-1"

/* A report, and the entry that names it. */
struct reading {
	struct audit *audit;
	const struct audit_entry *entry;
	bool may_refuse; /* errors are what it is there for */
	bool has_config;
	struct audit_config config; /* in force */
};

static void
reading_clear(struct reading *r)
{
	audit_config_clear(&r->config);
}
CLEANUP_DEFINE_STRUCT(reading);

static int
reading_open(
    struct audit *audit, const struct audit_entry *entry, struct reading *r)
{
	r->audit = audit;
	r->entry = entry;
	r->may_refuse =
	    entry->kind == ENTRY_FAILED || entry->kind == ENTRY_REFUSED;
	return audit_config_in_force(audit, &r->has_config, &r->config);
}

static void wrong(const struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
wrong(const struct reading *r, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	audit_error(
	    r->audit, r->entry, "AUDIT-LINT", "the report of linters %s", text);
}

static const char *
text_of(const json_t *object, const char *member)
{
	const char *text = json_string_value(json_object_get(object, member));

	return text != NULL ? text : "";
}

static bool
is_text(const json_t *object, const char *member, const char *wanted)
{
	return strcmp(text_of(object, member), wanted) == 0;
}

/* NULL, with nothing raised, where it is missing or malformed. */
static int
read_report(const struct reading *r, json_t **ret_report)
{
	AUTO_BYTES(data) = NULL;
	AUTO(json_t) *report = NULL;
	size_t len = 0;

	*ret_report = NULL;
	if (audit_evidence_bytes(
		r->audit, audit_text(r->entry, "lint"), &data, &len) != 0)
		return -1;
	if (data == NULL)
		return 0; /* the evidence has a finding */
	report =
	    json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	if (!is_text(report, "format", REPORT_FORMAT)) {
		wrong(
		    r, "is none: it is no JSON of format '%s'", REPORT_FORMAT);
		return 0;
	}
	*ret_report = TAKE(report);
	return 0;
}

/* ---- findings --------------------------------------------------------- */

static void
check_findings(const struct reading *r, const char *name, const json_t *array)
{
	const char *severity, *id, *place, *text, *source;
	const json_t *row;
	size_t i;

	if (!json_is_array(array))
		wrong(r, "has no findings for '%s'", name);
	json_array_foreach(array, i, row)
	{
		if (json_unpack(audit_read_only(row),
			"{s:s, s:s, s:s, s:s, s:s}", "severity", &severity,
			"id", &id, "place", &place, "text", &text, "source",
			&source) != 0)
			wrong(r, "has a malformed finding for '%s'", name);
		else if (strcmp(severity, "error") == 0 && !r->may_refuse)
			wrong(r,
			    "has the error %s for '%s', which refuses it: %s",
			    id, name, text);
	}
}

/* ---- outside linters -------------------------------------------------- */

static void
check_end(const struct reading *r, const char *name, const char *linter,
    const char *end, json_int_t status)
{
	if (!r->may_refuse && (strcmp(end, "exited") != 0 || status != 0))
		wrong(r,
		    "says that the linter '%s' did not find '%s' clean: "
		    "%s, %lld",
		    linter, name, end, (long long)status);
}

static void
check_linter(const struct reading *r, const char *name, const json_t *row,
    const struct audit_linter *wanted)
{
	const char *linter, *path, *sha256, *end, *output;
	json_int_t status;

	if (json_unpack(audit_read_only(row), "{s:s, s:s, s:s, s:s, s:I, s:s}",
		"name", &linter, "path", &path, "sha256", &sha256, "end", &end,
		"status", &status, "output", &output) != 0) {
		wrong(r, "has a malformed linter for '%s'", name);
		return;
	}
	if (wanted != NULL &&
	    (strcmp(linter, wanted->name) != 0 ||
		strcmp(path, wanted->path) != 0 ||
		strcmp(sha256, wanted->sha256) != 0))
		wrong(r,
		    "has the linter '%s' at '%s' for '%s', and authority.yaml "
		    "named '%s' at '%s', or another SHA-256 of it",
		    linter, path, name, wanted->name, wanted->path);
	check_end(r, name, linter, end, status);
}

/* All that authority.yaml named, in its order, and no other. */
static void
check_linters(const struct reading *r, const char *name, const json_t *array)
{
	const size_t count = json_array_size(array);
	const json_t *row;
	size_t i;

	if (!json_is_array(array) ||
	    (r->has_config && count != r->config.linter_count)) {
		wrong(r,
		    "has %zu outside linters for '%s', and authority.yaml "
		    "named %zu",
		    count, name, r->config.linter_count);
		return;
	}
	json_array_foreach(array, i, row)
	{
		check_linter(
		    r, name, row, r->has_config ? &r->config.linters[i] : NULL);
	}
}

/* ---- before signing --------------------------------------------------- */

static void
check_blocklist(const struct reading *r, const json_t *report)
{
	const json_t *list = json_object_get(report, "blocklist");
	const char *wanted = r->config.blocklist;

	if (text_of(report, "version")[0] == '\0')
		wrong(r, "does not say which lints there were");
	if (!json_is_null(list) && text_of(list, "sha256")[0] == '\0')
		wrong(r, "does not say which blocklist there was");
	else if (r->has_config &&
	    (wanted == NULL ? !json_is_null(list)
			    : !is_text(list, "sha256", wanted)))
		wrong(r, "is of a blocklist that authority.yaml did not name");
}

/* Is it the object of this number, as the list has it, findings and all? */
static int
is_listed(const struct reading *r, const json_t *row, json_int_t number,
    bool *ret_listed)
{
	AUTO_CHARS(found) = json_dumps(json_object_get(row, "findings"),
	    JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	int64_t one;

	if (found == NULL) {
		*ret_listed = false;
		return 0;
	}
	return sql_number(r->audit->journal,
	    "SELECT 1 FROM audit_listed WHERE run = ?1 AND list = ?2"
	    " AND object = ?3 AND kind = ?4 AND name = ?5 AND tbs = ?6"
	    " AND lint = ?7",
	    SQL_VALUES(sql_text(audit_text(r->entry, "run")),
		sql_int(audit_number(r->entry, "list")), sql_int(number),
		sql_text(text_of(row, "kind")), sql_text(text_of(row, "name")),
		sql_text(text_of(row, "tbs")), sql_text(found)),
	    ret_listed, &one);
}

/* Numbers rise: as many rows as the list has, all of it, are all of it. */
static int
check_object(
    const struct reading *r, const json_t *row, bool listed, json_int_t *last)
{
	const json_t *number = json_object_get(row, "object");
	const char *name = text_of(row, "name");
	bool is = json_is_integer(number) && json_integer_value(number) > *last;

	if (is) {
		*last = json_integer_value(number);
		if (listed && is_listed(r, row, *last, &is) != 0)
			return -1;
	}
	if (!is)
		wrong(r, "has an object '%s' that the list does not have so",
		    name);
	check_findings(r, name, json_object_get(row, "findings"));
	check_linters(r, name, json_object_get(row, "linters"));
	return 0;
}

static int
check_objects(const struct reading *r, const json_t *report, bool listed,
    int64_t *ret_count)
{
	const json_t *objects = json_object_get(report, "objects");
	json_int_t last = -1;
	const json_t *row;
	size_t i;

	if (!json_is_array(objects))
		wrong(r, "has no objects");
	json_array_foreach(objects, i, row)
	{
		if (check_object(r, row, listed, &last) != 0)
			return -1;
	}
	check_blocklist(r, report);
	*ret_count = (int64_t)json_array_size(objects);
	return 0;
}

/* Lists of before there were reports have none, and do not say that they do. */
int
audit_lint_listed(struct audit *audit, const struct audit_entry *entry,
    const char *named, int64_t objects)
{
	const char *lint = audit_text(entry, "lint");
	AUTO_STRUCT(reading) r = { .audit = audit, .entry = entry };
	AUTO(json_t) *report = NULL;
	int64_t count = 0;

	if (lint == NULL && named[0] == '\0')
		return 0;
	if (lint == NULL || strcmp(lint, named) != 0)
		wrong(&r, "is not the one that the list names");
	if (lint == NULL)
		return 0;
	if (reading_open(audit, entry, &r) != 0 ||
	    read_report(&r, &report) != 0)
		return -1;
	if (report == NULL)
		return 0;
	if (check_objects(&r, report, true, &count) != 0)
		return -1;
	if (count != objects)
		wrong(&r, "has %" PRId64 " objects, and the list %" PRId64,
		    count, objects);
	return 0;
}

/* ---- after signing ---------------------------------------------------- */

static int
check_signed(const struct reading *r)
{
	const char *name = audit_text(r->entry, "name");
	AUTO(json_t) *report = NULL;

	if (read_report(r, &report) != 0)
		return -1;
	if (report == NULL)
		return 0;
	if (!is_text(report, "name", name) ||
	    (r->entry->kind == ENTRY_RESULT &&
		!is_text(report, "sha256", audit_text(r->entry, "sha256"))))
		wrong(r, "is of another object than '%s'", name);
	check_findings(r, name, json_object_get(report, "findings"));
	check_linters(r, name, json_object_get(report, "linters"));
	return 0;
}

static int
check_refused(const struct reading *r)
{
	AUTO(json_t) *report = NULL;
	int64_t count;

	if (read_report(r, &report) != 0)
		return -1;
	return report == NULL ? 0 : check_objects(r, report, false, &count);
}

int
audit_lint(struct audit *audit, const struct audit_entry *entry)
{
	AUTO_STRUCT(reading) r = { .audit = audit, .entry = entry };

	if ((entry->kind != ENTRY_RESULT && entry->kind != ENTRY_FAILED &&
		entry->kind != ENTRY_REFUSED))
		return 0;
	if (reading_open(audit, entry, &r) != 0)
		return -1;
	if (audit_text(entry, "lint") != NULL)
		return entry->kind == ENTRY_REFUSED ? check_refused(&r)
						    : check_signed(&r);
	if (entry->kind == ENTRY_RESULT && r.config.linter_count > 0)
		wrong(&r,
		    "over the signed '%s' is missing, and authority.yaml named "
		    "outside linters",
		    audit_text(entry, "name"));
	return 0;
}
