#include <stdio.h>

#include "ca-tool/command.h"
#include "ca-tool/session.h"

/* For completion: commands, or what `command` takes. */
static int
list(int count, char **words)
{
	const struct command *command;
	int used;

	if (count == 0) {
		for (size_t i = 0; (command = command_at(i)) != NULL; i++)
			printf("%s\n", command->name);
		return 0;
	}
	if (command_find(count, words, &command, &used) != 0)
		return -1;
	options_print_list(command, stdout);
	return 0;
}

int
cmd_help(struct session *session)
{
	struct options *options = &session->options;
	int count = (int)options->arg_count; /* at most 2 */

	if (options->given[OPT_LIST])
		return list(count, options->args);
	return command_help(count, options->args, stdout);
}
