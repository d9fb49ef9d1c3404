/* What the readers of lists as text share: lines, fields, and faults in them. */
#ifndef CA_STEPS_IMPORT_TEXT_H
#define CA_STEPS_IMPORT_TEXT_H

#include "ceremony/steps/import.h"

/* At a line of the file: fault_take_error(), and fault_add(). */
int import_line_error(
    struct import *import, size_t line, const char *id) MUST_USE;
int import_line_fault(struct import *import, size_t line, const char *id,
    const char *source, const char *fmt, ...)
    __attribute__((format(printf, 5, 6))) MUST_USE;

/*
 * Each line from octet `at` on that is not empty and may be in a list; the
 * others are faults.  With `header`, the first one decides what the others mean:
 * a fault there is the only one.  -1 only for failures of the machine.
 */
int import_each_line(struct import *import, size_t at, bool header,
    int (*read)(void *ctx, const struct text_line *line), void *ctx) MUST_USE;

struct field {
	const char *text;
	size_t len;
};

/* Empty, or a hyphen. */
bool field_is_absent(struct field field);
bool field_is(struct field field, const char *text);
/* As a string of at most `size` - 1 octets; cut where it is longer. */
const char *field_text(struct field field, char *text, size_t size);

/* The reason, or the import's own where the field says none. */
int import_read_reason(struct import *import, struct field field, size_t line,
    struct listed *row) MUST_USE;

/*
 * Add the row that a line gave, unless there are more than `faults` faults by
 * now: then nothing is imported, and lines are only judged.
 */
int import_add_row(
    struct import *import, const struct listed *row, size_t faults) MUST_USE;

#endif
