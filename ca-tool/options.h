/*
 * Options: one table of all that exist; a command's row says which of them it
 * takes.  popt parses them, without aliases, configuration files or
 * environment.
 */
#ifndef CA_TOOL_OPTIONS_H
#define CA_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/cleanup.h"

enum option {
	OPT_ID,
	OPT_TITLE,
	OPT_MODULE,
	OPT_TOKEN,
	OPT_TOKEN_SERIAL,
	OPT_CRL_URL,
	OPT_CA_ISSUERS_URL,
	OPT_OCSP_URL,
	OPT_PROFILES,
	OPT_AUTHORITY,
	OPT_RESUME,
	OPT_YES,
	OPT_KIND,
	OPT_FROM,
	OPT_LAST,
	OPT_LIST,
	OPT_PIN_FD,
	OPT_SO_PIN_FD,
	OPT_JSON,
	OPT_VERBOSE,
	OPT_NO_COLOR,
	OPT_HELP,
	OPTION_COUNT
};

#define OPTION_BIT(option) (1U << (option))

/* A command line, taken apart. */
struct options {
	bool given[OPTION_COUNT];
	char *value[OPTION_COUNT]; /* NULL for options without argument */
	char **args;               /* what is left: NULL-terminated */
	size_t arg_count;
};

struct command;

/*
 * Parse `argv`, the words behind the command's name, for `command`.  CA_R_USAGE
 * for an unknown or repeated option, a missing or unwanted argument, or too
 * few or too many positional ones (not where --help is given).  On failure,
 * *ret_options holds what was read so far, so that --json is obeyed for the
 * error too.
 */
int options_parse(const struct command *command, int argc, char **argv,
    struct options *ret_options) MUST_USE;

/*
 * The value of an option as a number of at most `max`; `fallback` where it is
 * not given.
 */
int options_number(const struct options *options, enum option option,
    unsigned long long max, unsigned long long fallback,
    unsigned long long *ret_number) MUST_USE;

/*
 * The file descriptor that the option names, -1 where it is not given.
 * CA_R_USAGE unless it is open for reading and not 1 or 2.
 */
int options_fd(
    const struct options *options, enum option option, int *ret_fd) MUST_USE;

/* Usage line and option list of a command, as popt writes them. */
int options_print_help(const struct command *command, FILE *out) MUST_USE;

/* Each option that a command takes, a line each: for completion. */
void options_print_list(const struct command *command, FILE *out);

void options_clear(struct options *options);
CLEANUP_DEFINE_STRUCT(options);

#endif
