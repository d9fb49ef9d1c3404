/*
 * Options: one table of all that exist; a command's row says which of them it
 * takes.  popt parses them, without aliases, configuration files or
 * environment.
 */
#ifndef CA_TOOL_OPTIONS_H
#define CA_TOOL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
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
	OPT_OPERATORS,
	OPT_LOGIN,
	OPT_PIN_FORMAT,
	OPT_PIN_LENGTH,
	OPT_ALLOW_SHORT_PIN,
	OPT_UNATTENDED, /* repeatable */
	OPT_TYPE,
	OPT_CARD,
	OPT_SIGN_ONLY,
	OPT_AUTHORITY,
	OPT_SET,
	OPT_QUORUM,
	OPT_OPERATOR, /* repeatable */
	OPT_RECEIPT,
	OPT_CLOCK,
	OPT_CSR, /* repeatable */
	OPT_RESUME,
	OPT_YES,
	OPT_KIND,
	OPT_FROM,
	OPT_LAST,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_SERIAL,
	OPT_PLAN,
	OPT_ANCHOR,
	OPT_WITNESSES,
	OPT_WORK,
	OPT_ENTRY,
	OPT_OLD,
	OPT_CHECKPOINT,
	OPT_OBJECT,
	OPT_KEY,
	OPT_NAME,
	OPT_STATE,
	OPT_OUT,
	OPT_LIST,
	OPT_ISSUER, /* repeatable */
	OPT_PREVIOUS,
	OPT_EXISTING,
	OPT_RULESET, /* repeatable */
	OPT_AT,
	OPT_BLOCKLIST,
	OPT_BUDGET,
	OPT_SIGNING,
	OPT_PIN_FD,
	OPT_SO_PIN_FD,
	OPT_PASSPHRASE_FD, /* repeatable */
	OPT_JSON,
	OPT_VERBOSE,
	OPT_NO_COLOR,
	OPT_HELP,
	OPTION_COUNT
};

#define OPTION_BIT(option) (UINT64_C(1) << (option))

/* A command line, taken apart. */
struct options {
	bool given[OPTION_COUNT];
	char *value[OPTION_COUNT]; /* NULL for options without argument */
	/* Of repeatable options, instead: NULL-terminated; NULL if not given */
	char **list[OPTION_COUNT];
	char **args; /* what is left: NULL-terminated */
	size_t arg_count;
};

struct command;

/*
 * Parse `argv`, the words behind the command's name, for `command`.  CA_R_USAGE
 * for an unknown option, one given twice that is not repeatable, a missing or
 * unwanted argument, or too few or too many positional ones (not where --help
 * is given).  On failure, *ret_options holds what was read so far, so that
 * --json is obeyed for the error too.
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

/* How often a repeatable option is given. */
size_t options_count(const struct options *options, enum option option);

/*
 * Take the i-th value of a repeatable option apart, as NAME=VALUE.  CA_R_USAGE
 * unless NAME is one (text_is_name()), VALUE is not empty, and NAME stands in
 * no earlier value.  *ret_name is malloc'd, *ret_value the options'.
 */
int options_pair(const struct options *options, enum option option, size_t i,
    char **ret_name, const char **ret_value) MUST_USE;

/* The same for NAME=N, where N is a file descriptor as for options_fd(). */
int options_pair_fd(const struct options *options, enum option option, size_t i,
    char **ret_name, int *ret_fd) MUST_USE;

/* Usage line and option list of a command, as popt writes them. */
int options_print_help(const struct command *command, FILE *out) MUST_USE;

/* Each option that a command takes, a line each: for completion. */
void options_print_list(const struct command *command, FILE *out);

void options_clear(struct options *options);
CLEANUP_DEFINE_STRUCT(options);

#endif
