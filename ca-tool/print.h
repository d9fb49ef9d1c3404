/*
 * Printing.  stdout is the product (reports, lists, JSON), stderr the chat
 * (findings, errors, phases, prompts).
 */
#ifndef CA_TOOL_PRINT_H
#define CA_TOOL_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/findings.h"

struct session;

enum { PRINT_WIDTH = 79 };

/*
 * Print `text`, wrapped between words, and a newline.  The cursor stands at
 * `column`; further lines, and what follows a newline in the text, begin with
 * `indent` blanks.  A word that is too long is not cut.
 */
void print_wrapped(FILE *out, size_t column, size_t indent, const char *text);

/*
 * Print each line of `text`, `column` blanks in and with the blanks that it
 * begins with; what is too long goes on two columns further in.
 */
void print_lines(FILE *out, size_t column, const char *text);

/* "  Label      value", wrapped under the value. */
void print_field(FILE *out, const char *label, const char *value);

/* `text`, escaped for a terminal, as print_field(). */
int print_field_escaped(
    FILE *out, const char *label, const char *text) MUST_USE;

/* "1 error", "2 errors". */
const char *plural(size_t count);

/*
 * The findings so far, on stderr: place: severity: text [id; source], and a
 * count; once: a second call prints nothing.
 */
void print_findings(struct session *session);

/*
 * The end of every command: findings, errors (the headline, with -v its
 * causes), or the JSON report; and stdout must have been written.  `ret` is
 * what the command returned; the result is the exit status.
 */
int print_outcome(struct session *session, int ret) MUST_USE;

#endif
