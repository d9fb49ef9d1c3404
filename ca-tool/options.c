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
	bool repeatable;
} option_table[OPTION_COUNT] = {
	[OPT_ID] = { "id", 0, "ID", "its name, such as example.org/root-ca-1",
	    false },
	[OPT_TITLE] = { "title", 0, "TEXT",
	    "what people call it (default: the id)", false },
	[OPT_MODULE] = { "module", 0, "PATH",
	    "PKCS#11 module (default: SoftHSM in DIR)", false },
	[OPT_TOKEN] = { "token", 0, "LABEL",
	    "label for the token (default: by the id)", false },
	[OPT_TOKEN_SERIAL] = { "token-serial", 0, "SERIAL",
	    "which blank token, if there are several", false },
	[OPT_CRL_URL] = { "crl-url", 0, "URL",
	    "where the CRLs will be; {issuer} is replaced", false },
	[OPT_CA_ISSUERS_URL] = { "ca-issuers-url", 0, "URL",
	    "where CA certificates will be; likewise", false },
	[OPT_OCSP_URL] = { "ocsp-url", 0, "URL",
	    "where the OCSP responder will answer", false },
	[OPT_PROFILES] = { "profiles", 0, "DIR",
	    "profiles to copy (default: the shipped ones)", false },
	[OPT_OPERATORS] = { "operators", 0, "FILE",
	    "the set file: who the operators are", false },
	[OPT_LOGIN] = { "login", 0, "KIND",
	    "derived (default), adopted, prompt, protected-path", false },
	[OPT_PIN_FORMAT] = { "pin-format", 0, "FORMAT",
	    "derived PINs: hex (default), digits, alphanumeric", false },
	[OPT_PIN_LENGTH] = { "pin-length", 0, "N",
	    "characters of derived PINs (default: up to 64)", false },
	[OPT_ALLOW_SHORT_PIN] = { "allow-short-pin", 0, NULL,
	    "allow derived PINs that are weak", false },
	[OPT_UNATTENDED] = { "unattended", 0, "KIND",
	    "steps that operators need not confirm", true },
	[OPT_TYPE] = { "type", 0, "TYPE",
	    "type of the keys: p-256 (default), rsa-3072", false },
	[OPT_CARD] = { "card", 0, "URI",
	    "make the keys on this card (a pkcs11: URI)", false },
	[OPT_SIGN_ONLY] = { "sign-only", 0, NULL,
	    "no decryption key: for who holds no share", false },
	[OPT_AUTHORITY] = { "authority", 'd', "DIR",
	    "the authority's directory (default: this one)", false },
	[OPT_SET] = { "set", 0, "SETID",
	    "the set of operators (default: that in force)", false },
	[OPT_QUORUM] = { "quorum", 0, "DIR",
	    "copy of quorum/SETID, with set.yaml", false },
	[OPT_OPERATOR] = { "operator", 0, "NAME=KEY",
	    "who takes part, such as alice=file:alice.key", true },
	[OPT_RECEIPT] = { "receipt", 0, "FILE",
	    "checkpoint from last time, to be compared", false },
	[OPT_CLOCK] = { "clock", 0, "TIME",
	    "what a second clock says (UTC), such as 12:34:56", false },
	[OPT_CSR] = { "csr", 0, "NAME=FILE",
	    "the request for a step that says csr: late", true },
	[OPT_RESUME] = { "resume", 0, NULL, "go on with a run that was cut off",
	    false },
	[OPT_YES] = { "yes", 0, NULL, "do not ask before signing (for scripts)",
	    false },
	[OPT_KIND] = { "kind", 0, "KIND",
	    "the kind of the entries, or of the objects", false },
	[OPT_FROM] = { "from", 0, "N", "only entries from number N on", false },
	[OPT_LAST] = { "last", 0, "N", "only the last N entries", false },
	[OPT_SINCE] = { "since", 0, "TIME",
	    "only entries of this time or later (UTC)", false },
	[OPT_UNTIL] = { "until", 0, "TIME",
	    "only entries of this time or before (UTC)", false },
	[OPT_SERIAL] = { "serial", 0, "HEX",
	    "only entries about this serial number", false },
	[OPT_PLAN] = { "plan", 0, "ID", "only entries of this plan's run",
	    false },
	[OPT_ANCHOR] = { "anchor", 0, "FILE",
	    "anchor.txt, from where you keep it", false },
	[OPT_WITNESSES] = { "witnesses", 0, "FILE",
	    "keys of those who cosign, one a line", false },
	[OPT_WORK] = { "work", 0, "DIR",
	    "where to put a private copy (default: TMPDIR)", false },
	[OPT_ENTRY] = { "entry", 0, "N", "the entry with number N", false },
	[OPT_OLD] = { "old", 0, "FILE",
	    "an older checkpoint, or its number of entries", false },
	[OPT_CHECKPOINT] = { "checkpoint", 0, "FILE",
	    "the checkpoint (default: the newest)", false },
	[OPT_OBJECT] = { "object", 0, "FILE",
	    "the certificate or CRL that it is about", false },
	[OPT_KEY] = { "key", 0, "FILE", "the Ed25519 private key", false },
	[OPT_NAME] = { "name", 0, "NAME",
	    "the name to sign with, such as example.org/wendy", false },
	[OPT_STATE] = { "state", 0, "FILE",
	    "where this witness keeps what it saw last", false },
	[OPT_OUT] = { "out", 'o', "FILE", "write there, not to the terminal",
	    false },
	[OPT_LIST] = { "list", 0, NULL, "list what there is, a line each",
	    false },
	[OPT_ISSUER] = { "issuer", 0, "FILE",
	    "certificate of who signed; or a bundle of several", true },
	[OPT_PREVIOUS] = { "previous", 0, "FILE", "the CRL before this one",
	    false },
	[OPT_EXISTING] = { "existing", 0, "FILE",
	    "certificate that a cross certificate stands beside", false },
	[OPT_RULESET] = { "ruleset", 0, "NAME",
	    "hold to these rules, such as cabf-tls", true },
	[OPT_AT] = { "at", 0, "TIME",
	    "when it is signed, such as 2026-11-20T12:00:00Z", false },
	[OPT_BLOCKLIST] = { "blocklist", 0, "FILE",
	    "SHA-256 of public keys that are compromised", false },
	[OPT_BUDGET] = { "budget", 0, "BYTES",
	    "how large a CRL may be (default: 1 MB)", false },
	[OPT_SIGNING] = { "signing", 0, NULL,
	    "be as strict as before a signature", false },
	[OPT_PIN_FD] = { "pin-fd", 0, "N",
	    "read the user PIN from file descriptor N", false },
	[OPT_SO_PIN_FD] = { "so-pin-fd", 0, "N",
	    "read the SO PIN from file descriptor N", false },
	[OPT_PASSPHRASE_FD] = { "passphrase-fd", 0, "NAME=N",
	    "read NAME's passphrase from file descriptor N", true },
	[OPT_JSON] = { "json", 0, NULL, "report as JSON", false },
	[OPT_VERBOSE] = { "verbose", 'v', NULL,
	    "more detail; for errors, what caused them", false },
	[OPT_NO_COLOR] = { "no-color", 0, NULL, "no colour on the terminal",
	    false },
	[OPT_HELP] = { "help", 'h', NULL, "show this help", false },
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

/* Append to a NULL-terminated list. */
static int
list_add(char ***list, char *value)
{
	size_t n = 0;
	char **rows;

	while (*list != NULL && (*list)[n] != NULL)
		n++;
	rows = realloc(*list, (n + 2) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the command line");
	rows[n] = value;
	rows[n + 1] = NULL;
	*list = rows;
	return 0;
}

static int
take_option(struct options *options, poptContext context, enum option option)
{
	AUTO_CHARS(value) = poptGetOptArg(context);
	const struct option_row *row = &option_table[option];

	if (options->given[option] && row->arg != NULL && !row->repeatable)
		return ca_error(CA_R_USAGE,
		    "option '--%s' is given twice; give it once", row->name);
	if (row->arg != NULL && (value == NULL || value[0] == '\0'))
		return ca_error(CA_R_USAGE,
		    "option '--%s' has an empty argument", row->name);
	if (row->repeatable && list_add(&options->list[option], value) != 0)
		return -1;
	options->given[option] = true;
	if (row->repeatable)
		value = NULL; /* it is the list's */
	else
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

/* `value` is what the option says the descriptor is. */
static int
take_fd(enum option option, const char *value, int *ret_fd)
{
	const char *name = option_table[option].name;
	uint64_t fd;
	int flags;

	if (text_number(value, INT_MAX, &fd) != 0)
		return ca_error(CA_R_USAGE,
		    "option '--%s': '%s' is no whole number from 0 to %d", name,
		    value, INT_MAX);
	if (fd == 1 || fd == 2)
		return ca_error(CA_R_USAGE,
		    "option '--%s': %d is an output; give the number of a "
		    "descriptor to read from, such as 3 with 3< FILE",
		    name, (int)fd);
	flags = fcntl((int)fd, F_GETFL);
	if (flags == -1)
		return ca_error(CA_R_USAGE,
		    "option '--%s': file descriptor %d is not open; open it "
		    "in the shell, such as %d< FILE",
		    name, (int)fd, (int)fd);
	if ((flags & O_ACCMODE) == O_WRONLY)
		return ca_error(CA_R_USAGE,
		    "option '--%s': file descriptor %d cannot be read", name,
		    (int)fd);
	(void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	*ret_fd = (int)fd;
	return 0;
}

int
options_fd(const struct options *options, enum option option, int *ret_fd)
{
	if (options->given[option])
		return take_fd(option, options->value[option], ret_fd);
	*ret_fd = -1;
	return 0;
}

size_t
options_count(const struct options *options, enum option option)
{
	char *const *list = options->list[option];
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

/* Does one of the first `count` values begin with this name and '='? */
static bool
is_named_before(char *const *list, size_t count, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < count; i++)
		if (strncmp(list[i], name, len) == 0 && list[i][len] == '=')
			return true;
	return false;
}

int
options_pair(const struct options *options, enum option option, size_t i,
    char **ret_name, const char **ret_value)
{
	const struct option_row *row = &option_table[option];
	const char *text = options->list[option][i];
	const char *equals = strchr(text, '=');
	AUTO_CHARS(name) = NULL;

	if (equals == NULL || equals[1] == '\0')
		return ca_error(CA_R_USAGE, "option '--%s': '%s' is not %s",
		    row->name, text, row->arg);
	name = text_printf("%.*s", (int)(equals - text), text);
	if (name == NULL)
		return -1;
	if (!text_is_name(name))
		return ca_error(CA_R_USAGE,
		    "option '--%s': '%s' is no name; names are 1 to 64 of a-z "
		    "0-9 . _ -, and begin and end with a letter or digit",
		    row->name, name);
	if (is_named_before(options->list[option], i, name))
		return ca_error(CA_R_USAGE,
		    "option '--%s' names '%s' twice; name it once", row->name,
		    name);
	*ret_name = TAKE(name);
	*ret_value = equals + 1;
	return 0;
}

int
options_pair_fd(const struct options *options, enum option option, size_t i,
    char **ret_name, int *ret_fd)
{
	AUTO_CHARS(name) = NULL;
	const char *value;

	if (options_pair(options, option, i, &name, &value) != 0 ||
	    take_fd(option, value, ret_fd) != 0)
		return -1;
	*ret_name = TAKE(name);
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

static void
option_clear(struct options *options, enum option option)
{
	for (size_t i = 0; i < options_count(options, option); i++)
		free(options->list[option][i]);
	free(options->list[option]);
	free(options->value[option]);
}

void
options_clear(struct options *options)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		option_clear(options, (enum option)i);
	for (size_t i = 0; i < options->arg_count; i++)
		free(options->args[i]);
	free(options->args);
	*options = (struct options){ 0 };
}
