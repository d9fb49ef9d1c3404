/*
 * The one channel for errors of calls: OpenSSL's own error queue.
 *
 * libp11 and OpenSSL report there already; ca_error() adds to it.  Only
 * ca-tool/ prints the queue, once, at the end: the newest entry is the
 * headline, the older ones are its causes.
 *
 * What is wrong in an *input* (YAML, plan, CSR, certificate) is no error of a
 * call: it is a row of struct findings, see findings.h.
 *
 * Wording: lower case, no full stop; the problem first, the subject in single
 * quotes, then how to mend it; the clause of the standard where there is one.
 */
#ifndef CA_BASE_ERROR_H
#define CA_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of ca-tool, documented in its manual page. */
enum ca_exit {
	CA_EXIT_DONE = 0,
	CA_EXIT_FAILED = 1, /* disk, I/O, memory, internal, interrupted */
	CA_EXIT_USAGE = 2,  /* wrong arguments */
	CA_EXIT_REFUSED =
	    3,             /* bad input, quorum, profile, lint, policy, state */
	CA_EXIT_TOKEN = 4, /* token, module or PIN */
};

/* Why a call failed; one table in error.c maps each to its exit status. */
enum ca_reason {
	CA_R_IO = 101,    /* a file could not be read or written */
	CA_R_FULL,        /* no space left, or too little to begin */
	CA_R_MEMORY,      /* no memory, or no locked memory */
	CA_R_INTERNAL,    /* a broken promise inside ca-tool or a library */
	CA_R_INTERRUPTED, /* a signal asked to stop */
	CA_R_USAGE,       /* wrong arguments */
	CA_R_INPUT,       /* an input is malformed; findings say where */
	CA_R_POLICY,      /* well-formed, but may not be done */
	CA_R_EXISTS,      /* an output or name is there already */
	CA_R_MISSING,     /* something that is named does not exist */
	CA_R_BUSY,        /* another ca-tool works on this authority */
	CA_R_STATE,       /* not now: a run is open, init unfinished, ... */
	CA_R_CORRUPT,     /* stored state contradicts itself */
	CA_R_VERIFY,      /* a signature or digest is not what it must be */
	CA_R_MODULE,      /* not a PKCS#11 module, or it failed */
	CA_R_TOKEN,       /* token missing, ambiguous, full or failing */
	CA_R_PIN,         /* PIN wrong, locked, or of a wrong length */
	CA_R_KEY,         /* a key is missing, ambiguous or unfit for use */
	CA_R_QUORUM,      /* too few operators, or not the right ones */
};

/*
 * Raise an error and return -1, so that a failing function can end with
 * `return ca_error(CA_R_IO, "cannot read '%s'", name);`.
 * Text beyond 900 bytes is cut: OpenSSL drops longer entries whole.
 */
#define ca_error(...) \
	ca_error_result(ca_error_at(__FILE__, __LINE__, __func__, __VA_ARGS__))

/*
 * The same, with ": " and the text of errno appended.  CA_R_IO becomes
 * CA_R_FULL for ENOSPC and EDQUOT.  errno is read first of all.
 */
#define ca_error_errno(...) \
	ca_error_result(    \
	    ca_error_errno_at(__FILE__, __LINE__, __func__, __VA_ARGS__))

int ca_error_at(const char *file, int line, const char *func,
    enum ca_reason reason, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
int ca_error_errno_at(const char *file, int line, const char *func,
    enum ca_reason reason, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* -1, seen by compilers and analysers as the constant that it is. */
static inline int
ca_error_result(int raised)
{
	(void)raised;
	return -1;
}

/* Forget everything that was raised (before a call whose failure is fine). */
void ca_error_clear(void);

/*
 * The reason of the newest entry, or 0 when the queue is empty.  An entry that
 * a library raised and that nobody explained counts as CA_R_INTERNAL.
 */
int ca_error_reason(void);

/* The exit status for the newest entry; CA_EXIT_DONE when there is none. */
enum ca_exit ca_error_exit_status(void);

/*
 * The text of the newest entry, not escaped, and empty the queue.  malloc'd;
 * NULL if there is none, or no memory.
 */
char *ca_error_take(void);

/*
 * Give each entry to show(), newest first, and empty the queue.  `text` is
 * escaped for a terminal; `origin` is "file:line" or a library's name.
 */
void ca_error_drain(
    void (*show)(void *ctx, size_t depth, const char *text, const char *origin),
    void *ctx);

#endif
