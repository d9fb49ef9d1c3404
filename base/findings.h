/*
 * What is wrong with an input: one table of findings, all collected before
 * anybody is told, each with its place and the clause that it offends.
 */
#ifndef CA_BASE_FINDINGS_H
#define CA_BASE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

enum severity {
	FINDING_ERROR,   /* refuses */
	FINDING_WARNING, /* shown, does not refuse */
	FINDING_NOTICE,  /* for information */
};

struct finding {
	enum severity severity;
	char *id;     /* stable short name, e.g. "SUB-PATHLEN", "YAML-TYPE" */
	char *place;  /* "plan.yaml:14:7", "csr 'x.csr', byte 12", or "" */
	char *text;   /* one sentence, escaped, no full stop */
	char *source; /* "RFC 5280, section 4.2.1.9", or "" */
};

struct findings {
	struct finding *rows;
	size_t count;
	size_t errors; /* rows whose severity is FINDING_ERROR, kept or lost */
	bool lost;     /* memory ran out, or there were more than 10,000 */
};

/*
 * Add a row.  Never fails: where memory runs out, `lost` is set and an error
 * is counted, so that a table that could not hold its rows still refuses.
 * Behind 10,000 rows `lost` is set, and only errors are counted.
 * The text is escaped for a terminal here; callers pass what they read.
 * place and source may be NULL.
 */
void findings_add(struct findings *findings, enum severity severity,
    const char *id, const char *place, const char *source, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/*
 * Make the newest error of the queue a finding of severity error, and empty
 * the queue: for what is wrong with an input that a call refused.
 */
void findings_take_error(
    struct findings *findings, const char *id, const char *place);

/* Append copies of all rows of `from`. */
void findings_merge(struct findings *findings, const struct findings *from);

/*
 * Drop those warnings and notices of the rows from `from` on that one before
 * says in the same words: the same input, read again from a copy, has another
 * path, but the same line and column.
 */
void findings_drop_said(struct findings *findings, size_t from);

/*
 * Append a row of another table with this severity and place, and with `before`
 * before its text.  A row's text is escaped already: findings_add() would do it
 * twice.
 */
void findings_pass(struct findings *findings, const struct finding *row,
    enum severity severity, const char *place, const char *before);

/* "error", "warning" or "notice". */
const char *severity_name(enum severity severity);

void findings_clear(struct findings *findings);
CLEANUP_DEFINE_STRUCT(findings);

#endif
