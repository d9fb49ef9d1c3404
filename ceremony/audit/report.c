/* What the report and the findings of an audit share. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

void
audit_report_clear(struct audit_report *report)
{
	free(report->authority);
	free(report->origin);
	for (size_t i = 0; i < report->witness_count; i++)
		free(report->witnesses[i].name);
	free(report->witnesses);
	*report = (struct audit_report){ 0 };
}

/* ---- findings --------------------------------------------------------- */

enum { TEXT_SIZE = 1024 };

void
audit_place(
    uint64_t seq, enum entry_kind kind, char ret_place[AUDIT_PLACE_SIZE])
{
	if (kind == ENTRY_KINDS)
		(void)snprintf(
		    ret_place, AUDIT_PLACE_SIZE, "entry %" PRIu64, seq);
	else
		(void)snprintf(ret_place, AUDIT_PLACE_SIZE,
		    "entry %" PRIu64 " (%s)", seq, entry_kind_name(kind));
}

/* findings_add() escapes it. */
__attribute__((format(printf, 5, 0))) static void
add(struct audit *audit, enum severity severity,
    const struct audit_entry *entry, const char *id, const char *fmt,
    va_list args)
{
	char place[AUDIT_PLACE_SIZE], text[TEXT_SIZE];

	audit_place(entry->seq, entry->kind, place);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	findings_add(audit->findings, severity, id, place, NULL, "%s", text);
}

void
audit_error(struct audit *audit, const struct audit_entry *entry,
    const char *id, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(audit, FINDING_ERROR, entry, id, fmt, args);
	va_end(args);
}

void
audit_warning(struct audit *audit, const struct audit_entry *entry,
    const char *id, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(audit, FINDING_WARNING, entry, id, fmt, args);
	va_end(args);
}

bool
audit_is_machine(int reason)
{
	return reason == CA_R_MEMORY || reason == CA_R_IO ||
	    reason == CA_R_FULL || reason == CA_R_BUSY ||
	    reason == CA_R_INTERRUPTED;
}

int
audit_take_error(
    struct audit *audit, const struct audit_entry *entry, const char *id)
{
	AUTO_CHARS(why) = NULL;

	if (audit_is_machine(ca_error_reason()))
		return -1;
	why = ca_error_take();
	if (why == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a finding");
	audit_error(audit, entry, id, "%s", why);
	return 0;
}

/* ---- checked data ----------------------------------------------------- */

const char *
audit_text(const struct audit_entry *entry, const char *name)
{
	return json_string_value(json_object_get(entry->data, name));
}

int64_t
audit_number(const struct audit_entry *entry, const char *name)
{
	return json_integer_value(json_object_get(entry->data, name));
}

/* ---- evidence --------------------------------------------------------- */

int
audit_evidence_bytes(struct audit *audit, const char *sha256,
    unsigned char **ret_data, size_t *ret_len)
{
	AUTO_BYTES(digest) = NULL;
	unsigned char *data = NULL;
	size_t len = 0;
	int reason;

	if (sha256 == NULL || text_unhex(sha256, &digest, &len) != 0 ||
	    len != HASH_LEN) {
		ca_error_clear();
		*ret_data = NULL;
		*ret_len = 0;
		return 0;
	}
	if (journal_evidence_get(audit->journal, digest, &data, &len) != 0) {
		reason = ca_error_reason();
		if (reason != CA_R_MISSING && reason != CA_R_CORRUPT)
			return -1;
		ca_error_clear();
		data = NULL;
		len = 0;
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}

bool
audit_is_digest(const char *hex)
{
	return hex != NULL && strlen(hex) == HASH_HEX_SIZE - 1 &&
	    strspn(hex, "0123456789abcdef") == HASH_HEX_SIZE - 1;
}

int
audit_each_listed(struct audit *audit, const struct audit_entry *entry,
    int (*visit)(struct audit *audit, const struct audit_entry *entry,
	const json_t *row),
    bool *ret_read)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0, at = 0;

	if (audit_evidence_bytes(
		audit, audit_text(entry, "sha256"), &data, &len) != 0)
		return -1;
	while (at < len) {
		const unsigned char *from = data + at;
		const unsigned char *end = memchr(from, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - from);
		AUTO(json_t) *row = json_loadb(
		    (const char *)from, n, JSON_REJECT_DUPLICATES, NULL);

		if (row != NULL && visit(audit, entry, row) != 0)
			return -1;
		at += n + 1;
	}
	*ret_read = data != NULL;
	return 0;
}

/* ---- passes ----------------------------------------------------------- */

int
audit_state(struct audit *audit, const char *sql, size_t size, void **ret_state)
{
	void *state;

	if (sql_script(audit->journal, sql) != 0)
		return -1;
	state = calloc(1, size);
	if (state == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	*ret_state = state;
	return 0;
}
