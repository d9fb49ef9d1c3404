/*
 * The controlling terminal, /dev/tty: prompts go there and answers come from
 * there, whatever stdin and stdout are.  Its settings are put back on every
 * path, also when a signal ends the wait.
 */
#ifndef CA_TOOL_TERMINAL_H
#define CA_TOOL_TERMINAL_H

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/secret.h"

/* Is there one? */
bool terminal_exists(void);

/*
 * Ask for a line without showing it.  `what` ("user PIN") is for errors:
 * CA_R_PIN for an empty line or none, CA_R_INTERRUPTED for a signal.
 */
int terminal_ask_secret(
    const char *prompt, const char *what, struct secret *ret_secret) MUST_USE;

/* Ask for a line, shown as it is typed; *ret_yes: it is exactly `yes`. */
int terminal_ask_yes(const char *prompt, bool *ret_yes) MUST_USE;

/*
 * Ask for a line, shown as it is typed; without its newline, malloc'd.  What
 * is not ended by Enter, or holds a NUL, counts as an empty line.
 */
int terminal_ask_line(const char *prompt, char **ret_line) MUST_USE;

/* Show a line there, or nowhere. */
void terminal_say(const char *text);

#endif
