/* The one table of commands; dispatch, usage and completion come from it. */
#ifndef CA_TOOL_COMMAND_H
#define CA_TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"

struct session;

struct command {
	const char *name; /* its words: "plan check" */
	int (*run)(struct session *session);
	const char *args; /* for the usage line */
	unsigned min_args, max_args;
	uint64_t options; /* OPTION_BIT() of each that it takes */
	const char *summary;
	const char *help; /* paragraphs below the options */
};

/* Row `i` of the table, or NULL behind its end. */
const struct command *command_at(size_t i);

/*
 * The command whose words begin `words`; *ret_used is how many of them are its
 * name.  CA_R_USAGE where there is none, with the nearest one suggested.
 */
int command_find(int count, char **words, const struct command **ret_command,
    int *ret_used) MUST_USE;

/*
 * Help: for everything (count 0), for a group ("plan") or for one command.
 * CA_R_USAGE where the words name nothing.
 */
int command_help(int count, char **words, FILE *out) MUST_USE;

/* Is this word the first of commands of two words? */
bool command_is_group(const char *word);

/* Parse, run, print; the exit status. */
int command_main(int argc, char **argv) MUST_USE;

int cmd_ca_list(struct session *session);
int cmd_crl_diff(struct session *session);
int cmd_crl_forecast(struct session *session);
int cmd_help(struct session *session);
int cmd_init(struct session *session);
int cmd_journal_check(struct session *session);
int cmd_journal_cosign(struct session *session);
int cmd_journal_event(struct session *session);
int cmd_journal_export(struct session *session);
int cmd_journal_prove(struct session *session);
int cmd_journal_reindex(struct session *session);
int cmd_journal_verify(struct session *session);
int cmd_journal_show(struct session *session);
int cmd_key_list(struct session *session);
int cmd_lint(struct session *session);
int cmd_operator_new(struct session *session);
int cmd_plan_approve(struct session *session);
int cmd_plan_check(struct session *session);
int cmd_plan_confirm(struct session *session);
int cmd_plan_new(struct session *session);
int cmd_plan_run(struct session *session);
int cmd_plan_show(struct session *session);
int cmd_plan_status(struct session *session);
int cmd_profile_check(struct session *session);
int cmd_profile_diff(struct session *session);
int cmd_profile_show(struct session *session);
int cmd_share_check(struct session *session);
int cmd_version(struct session *session);

#endif
