/*
 * The tail: entries that no checkpoint counts.  Whoever has the file can write
 * them, or cut them off.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/notes-private.h"
#include "ceremony/journal/head.h"

enum { HEAD_MEMBERS = 6 };

struct tail {
	uint64_t size; /* that the newest checkpoint signs */
	bool own;      /* its own entry was met */
	uint64_t total, counts[ENTRY_KINDS + 1]; /* the last: no known kind */
};

/* No member and no text in which something could be said. */
static bool
is_plain_head(const json_t *json, const struct entry *entry)
{
	const char *text = json_string_value(json_object_get(json, "text"));

	return entry->kind == ENTRY_HEAD && text != NULL &&
	    strcmp(text, HEAD_ENTRY_TEXT) == 0 &&
	    json_object_size(entry->data) == HEAD_MEMBERS;
}

/* The checkpoint's own entry, once, and the heads behind it. */
static bool
is_silent(struct tail *tail, const json_t *json, const struct entry *entry)
{
	if (tail->own)
		return is_plain_head(json, entry);
	tail->own = entry->kind == ENTRY_CHECKPOINT &&
	    (uint64_t)json_integer_value(
		json_object_get(entry->data, "size")) == tail->size;
	return tail->own;
}

static int
visit(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct tail *tail = ctx;
	AUTO(json_t) *json = NULL;
	struct entry entry = { .kind = ENTRY_KINDS };

	(void)seq;
	if (entry_parse(line, len, &json, &entry) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear(); /* a finding is there */
		entry.kind = ENTRY_KINDS;
	} else if (is_silent(tail, json, &entry)) {
		return 0;
	}
	tail->total++;
	tail->counts[entry.kind]++;
	return 0;
}

/* "2 event, 1 login" */
static char *
list_kinds(const struct tail *tail)
{
	char *list = text_copy("");

	for (int kind = 0; list != NULL && kind <= ENTRY_KINDS; kind++) {
		char *longer;

		if (tail->counts[kind] == 0)
			continue;
		longer = text_printf("%s%s%" PRIu64 " %s", list,
		    list[0] == '\0' ? "" : ", ", tail->counts[kind],
		    kind == ENTRY_KINDS
			? "unreadable"
			: entry_kind_name((enum entry_kind)kind));
		free(list);
		list = longer;
	}
	return list;
}

static int
tell(struct audit *audit, const struct tail *tail)
{
	AUTO_CHARS(kinds) = list_kinds(tail);
	AUTO_STRUCT(run_row) row = { 0 };
	bool ended = false;

	if (kinds == NULL ||
	    journal_run_without_receipt(audit->journal, &ended, &row) != 0)
		return -1;
	findings_add(audit->findings, FINDING_WARNING, "AUDIT-UNSIGNED-TAIL",
	    "checkpoints", NULL,
	    "no checkpoint counts %" PRIu64 " %s (of %" PRIu64 "): %s%s",
	    tail->total, tail->total == 1 ? "entry" : "entries",
	    audit->report.entries, kinds,
	    ended ? "; the end of a run is among them: 'plan run --resume' "
		    "signs one"
		  : "");
	return 0;
}

int
audit_tail(struct audit *audit)
{
	struct tail tail = { .size = audit->report.last_checkpoint };

	if (journal_each_entry(
		audit->journal, tail.size, ENTRY_KINDS, visit, &tail) != 0)
		return -1;
	return tail.total == 0 ? 0 : tell(audit, &tail);
}
