/*
 * Signals: SIGINT, SIGHUP and SIGTERM ask the program to stop.  They set a
 * flag, which is read between two objects and while a prompt waits, so that
 * nothing is cut in the middle and the terminal is always put right.
 */
#ifndef CA_TOOL_INTERRUPT_H
#define CA_TOOL_INTERRUPT_H

#include <stdbool.h>

#include "base/cleanup.h"

/* Catch the three; ignore SIGPIPE, so that a closed pipe is a write error. */
void interrupt_install(void);

/* Did one of them arrive? */
bool interrupt_pending(void);

/* Wait until `fd` can be read; CA_R_INTERRUPTED where a signal came first. */
int interrupt_wait(int fd) MUST_USE;

#endif
