#include "ca-tool/options.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <popt.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"

static const struct option_row {
	const char *name;
	char letter;
	const char *arg; /* what stands for its argument in the help, or NULL */
	const char *help;
} option_table[OPTION_COUNT] = {
	[OPT_ID] = { "id", 0, "ID", "its name, such as example.org/root-ca-1" },
	[OPT_TITLE] = { "title", 0, "TEXT",
	    "what people call it (default: the id)" },
	[OPT_MODULE] = { "module", 0, "PATH",
	    "PKCS#11 module (default: SoftHSM in DIR)" },
	[OPT_TOKEN] = { "token", 0, "LABEL",
	    "label for the token (default: by the id)" },
	[OPT_TOKEN_SERIAL] = { "token-serial", 0, "SERIAL",
	    "which blank token, if there are several" },
	[OPT_CRL_URL] = { "crl-url", 0, "URL",
	    "where the CRLs will be; {issuer} is replaced" },
	[OPT_CA_ISSUERS_URL] = { "ca-issuers-url", 0, "URL",
	    "where CA certificates will be; likewise" },
	[OPT_OCSP_URL] = { "ocsp-url", 0, "URL",
	    "where the OCSP responder will answer" },
	[OPT_PROFILES] = { "profiles", 0, "DIR",
	    "profiles to copy (default: the shipped ones)" },
	[OPT_AUTHORITY] = { "authority", 'd', "DIR",
	    "the authority's directory (default: this one)" },
	[OPT_RESUME] = { "resume", 0, NULL,
	    "go on with a run that was cut off" },
	[OPT_YES] = { "yes", 0, NULL,
	    "do not ask before signing (for scripts)" },
	[OPT_KIND] = { "kind", 0, "KIND", "only entries of this kind" },
	[OPT_FROM] = { "from", 0, "N", "only entries from number N on" },
	[OPT_LAST] = { "last", 0, "N", "only the last N entries" },
	[OPT_LIST] = { "list", 0, NULL,
	    "names alone, a line each: for shell completion" },
	[OPT_PIN_FD] = { "pin-fd", 0, "N",
	    "read the user PIN from file descriptor N" },
	[OPT_SO_PIN_FD] = { "so-pin-fd", 0, "N",
	    "read the SO PIN from file descriptor N" },
	[OPT_JSON] = { "json", 0, NULL, "report as JSON" },
	[OPT_VERBOSE] = { "verbose", 'v', NULL,
	    "more detail; for errors, what caused them" },
	[OPT_NO_COLOR] = { "no-color", 0, NULL, "no colour on the terminal" },
	[OPT_HELP] = { "help", 'h', NULL, "show this help" },
};

static bool
command_takes(const struct command *command, enum option option)
{
	return (command->options & OPTION_BIT(option)) != 0;
}

/* popt's own table for a command; val is the option's number plus one. */
static void
popt_table(const struct command *command,
    struct poptOption ret_table[OPTION_COUNT + 1])
{
	size_t n = 0;

	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];

		if (!command_takes(command, (enum option)i))
			continue;
		ret_table[n++] = (struct poptOption){ row->name, row->letter,
			row->arg != NULL ? POPT_ARG_STRING : POPT_ARG_NONE,
			NULL, i + 1, row->help, row->arg };
	}
	ret_table[n] = (struct poptOption)POPT_TABLEEND;
}

static void
popt_context_free(poptContext *context)
{
	(void)poptFreeContext(*context);
}
#define AUTO_POPT(name) \
	__attribute__((cleanup(popt_context_free))) poptContext name

/* `args`: argv[0] reads "ca-tool plan check" for popt's usage line. */
static int
popt_open(const struct command *command, int argc, const char **args,
    const struct poptOption *table, poptContext *ret_context)
{
	AUTO_CHARS(usage) = text_printf("[OPTION...]%s%s",
	    command->args[0] != '\0' ? " " : "", command->args);

	if (usage == NULL)
		return -1;
	(void)unsetenv("POSIXLY_CORRECT"); /* popt would obey it */
	*ret_context = poptGetContext(NULL, argc, args, table, 0);
	if (*ret_context == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the command line");
	poptSetOtherOptionHelp(*ret_context, usage);
	return 0;
}

static int
refuse_option(const struct command *command, poptContext context, int code)
{
	const char *bad = poptBadOption(context, POPT_BADOPTION_NOALIAS);

	switch (code) {
	case POPT_ERROR_BADOPT:
		return ca_error(CA_R_USAGE,
		    "unknown option '%s'; 'ca-tool %s --help' lists those "
		    "there are",
		    bad, command->name);
	case POPT_ERROR_NOARG:
		return ca_error(
		    CA_R_USAGE, "option '%s' needs an argument", bad);
	case POPT_ERROR_UNWANTEDARG:
		return ca_error(
		    CA_R_USAGE, "option '%s' takes no argument", bad);
	default:
		return ca_error(
		    CA_R_USAGE, "option '%s': %s", bad, poptStrerror(code));
	}
}

static int
take_option(struct options *options, poptContext context, enum option option)
{
	AUTO_CHARS(value) = poptGetOptArg(context);
	const struct option_row *row = &option_table[option];

	if (options->given[option] && row->arg != NULL)
		return ca_error(CA_R_USAGE,
		    "option '--%s' is given twice; give it once", row->name);
	if (row->arg != NULL && (value == NULL || value[0] == '\0'))
		return ca_error(CA_R_USAGE,
		    "option '--%s' has an empty argument", row->name);
	options->given[option] = true;
	options->value[option] = TAKE(value);
	return 0;
}

/* Positional arguments die with popt's context: keep copies. */
static int
take_args(struct options *options, poptContext context)
{
	const char **args = poptGetArgs(context);
	size_t n = 0;

	while (args != NULL && args[n] != NULL)
		n++;
	options->args = calloc(n + 1, sizeof(*options->args));
	if (options->args == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the command line");
	for (size_t i = 0; i < n; i++) {
		options->args[i] = text_copy(args[i]);
		if (options->args[i] == NULL)
			return -1;
		options->arg_count = i + 1;
	}
	return 0;
}

static int
check_arg_count(const struct command *command, const struct options *options)
{
	if (options->given[OPT_HELP])
		return 0;
	if (options->arg_count < command->min_args)
		return ca_error(CA_R_USAGE,
		    "an argument is missing; usage: ca-tool %s %s",
		    command->name, command->args);
	if (options->arg_count > command->max_args)
		return ca_error(CA_R_USAGE,
		    "'%s' is one argument too many; usage: ca-tool %s %s",
		    options->args[command->max_args], command->name,
		    command->args);
	return 0;
}

static int
parse(const struct command *command, int argc, const char **args,
    struct options *options)
{
	struct poptOption table[OPTION_COUNT + 1];
	AUTO_POPT(context) = NULL;
	int code;

	popt_table(command, table);
	if (popt_open(command, argc, args, table, &context) != 0)
		return -1;
	while ((code = poptGetNextOpt(context)) > 0)
		if (take_option(options, context, (enum option)(code - 1)) != 0)
			return -1;
	if (code != -1)
		return refuse_option(command, context, code);
	if (take_args(options, context) != 0)
		return -1;
	return check_arg_count(command, options);
}

int
options_parse(const struct command *command, int argc, char **argv,
    struct options *ret_options)
{
	AUTO_CHARS(name) = text_printf("ca-tool %s", command->name);
	const char **args = NULL;
	int ret;

	if (name == NULL)
		return -1;
	args = calloc((size_t)argc + 2, sizeof(*args));
	if (args == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the command line");
	args[0] = name;
	for (int i = 0; i < argc; i++)
		args[i + 1] = argv[i];
	ret = parse(command, argc + 1, args, ret_options);
	free(args);
	return ret;
}

int
options_number(const struct options *options, enum option option,
    unsigned long long max, unsigned long long fallback,
    unsigned long long *ret_number)
{
	const char *value = options->value[option];
	uint64_t number = fallback;

	if (value != NULL && text_number(value, max, &number) != 0)
		return ca_error(CA_R_USAGE,
		    "option '--%s': '%s' is no whole number from 0 to %llu",
		    option_table[option].name, value, max);
	*ret_number = number;
	return 0;
}

int
options_fd(const struct options *options, enum option option, int *ret_fd)
{
	const char *name = option_table[option].name;
	unsigned long long fd;
	int flags;

	if (!options->given[option]) {
		*ret_fd = -1;
		return 0;
	}
	if (options_number(options, option, INT_MAX, 0, &fd) != 0)
		return -1;
	if (fd == 1 || fd == 2)
		return ca_error(CA_R_USAGE,
		    "option '--%s': %llu is an output; give the number of a "
		    "descriptor to read from, such as 3 with 3< FILE",
		    name, fd);
	flags = fcntl((int)fd, F_GETFL);
	if (flags == -1)
		return ca_error(CA_R_USAGE,
		    "option '--%s': file descriptor %llu is not open; open it "
		    "in the shell, such as %llu< FILE",
		    name, fd, fd);
	if ((flags & O_ACCMODE) == O_WRONLY)
		return ca_error(CA_R_USAGE,
		    "option '--%s': file descriptor %llu cannot be read", name,
		    fd);
	(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	*ret_fd = (int)fd;
	return 0;
}

int
options_print_help(const struct command *command, FILE *out)
{
	AUTO_CHARS(name) = text_printf("ca-tool %s", command->name);
	const char *args[] = { name, NULL };
	struct poptOption table[OPTION_COUNT + 1];
	AUTO_POPT(context) = NULL;

	if (name == NULL)
		return -1;
	popt_table(command, table);
	if (popt_open(command, 1, args, table, &context) != 0)
		return -1;
	poptPrintHelp(context, out, 0);
	return 0;
}

void
options_print_list(const struct command *command, FILE *out)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_table[i];

		if (!command_takes(command, (enum option)i))
			continue;
		if (row->letter != 0)
			fprintf(out, "-%c\n", row->letter);
		fprintf(
		    out, "--%s%s\n", row->name, row->arg != NULL ? "=" : "");
	}
}

void
options_clear(struct options *options)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		free(options->value[i]);
	for (size_t i = 0; i < options->arg_count; i++)
		free(options->args[i]);
	free(options->args);
	*options = (struct options){ 0 };
}
