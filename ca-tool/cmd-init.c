#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"

/*
 * The profiles that came with this program, found from where it lies, so that
 * an installed tree and the build tree work alike and can be moved.
 */
static int
shipped_profiles(char **ret_path)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return ca_error_errno(CA_R_IO, "cannot read '/proc/self/exe'");
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return ca_error(CA_R_INTERNAL, "'%s' is no path", exe);
	*slash = '\0';
	*ret_path = text_printf("%s/%s/profiles", exe, CA_TOOL_DATA_FROM_BIN);
	return *ret_path != NULL ? 0 : -1;
}

/* authority.yaml holds the module's absolute path. */
static int
absolute_module(const char *given, char **ret_path)
{
	if (given == NULL || given[0] == '/') {
		*ret_path = given != NULL ? text_copy(given) : NULL;
		return given == NULL || *ret_path != NULL ? 0 : -1;
	}
	*ret_path = realpath(given, NULL);
	if (*ret_path == NULL)
		return ca_error_errno(
		    CA_R_MISSING, "cannot find the module '%s'", given);
	return 0;
}

static int
initialise(struct session *session, const char *module, const char *profiles)
{
	char *const *value = session->options.value;
	const struct authority_options options = {
		.id = value[OPT_ID],
		.title = value[OPT_TITLE],
		.module = module,
		.token_label = value[OPT_TOKEN],
		.token_serial = value[OPT_TOKEN_SERIAL],
		.crl_url = value[OPT_CRL_URL],
		.ca_issuers_url = value[OPT_CA_ISSUERS_URL],
		.ocsp_url = value[OPT_OCSP_URL],
		.profiles = value[OPT_PROFILES] != NULL ? value[OPT_PROFILES]
							: profiles,
	};
	struct people people;

	if (people_open(session, ROOM_NEEDS_PIN | ROOM_NEEDS_SO_PIN, &people) !=
	    0)
		return -1;
	if (authority_init(session->options.args[0], &options, &people.room,
		&session->findings) != 0)
		return -1;
	people_leave(&people);
	return 0;
}

static void
report_json(
    struct session *session, const char *dir, const struct authority_row *row)
{
	char genesis[HASH_HEX_SIZE];

	text_hex_into(row->genesis, HASH_LEN, genesis);
	session_report(session, "authority", session_string(row->id));
	session_report(session, "directory", session_string(dir));
	session_report(
	    session, "token_label", session_string(row->token_label));
	session_report(
	    session, "token_serial", session_string(row->token_serial));
	session_report(session, "genesis", session_string(genesis));
}

static void
report_text(const char *dir, const struct authority_row *row)
{
	char genesis[HASH_HEX_SIZE];

	text_hex_into(row->genesis, HASH_LEN, genesis);
	printf("The authority is ready.\n\n");
	print_field(stdout, "Authority", row->id);
	print_field(stdout, "Directory", dir);
	print_field(stdout, "Token", row->token_label);
	print_field(stdout, "Serial",
	    row->token_serial != NULL ? row->token_serial : "none");
	print_field(stdout, "Genesis", genesis);
	printf("\n");
	print_wrapped(stdout, 0, 0,
	    "Write down the genesis hash: it names this authority's journal "
	    "for ever. Keep the two PINs apart, and a copy of the receipt "
	    "public/journal/checkpoint outside of this room.");
	printf("\nNext: write a plan (man ca-tool-plan), then check it:\n"
	       "  ca-tool plan check -d %s PLAN\n",
	    dir);
}

/* What the journal says was made; not what was asked for. */
static int
report(struct session *session)
{
	AUTO_CHARS(dir) = text_escape(
	    session->options.args[0], strlen(session->options.args[0]));
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_PTR(journal) *journal = NULL;

	if (dir == NULL ||
	    journal_open(session->options.args[0], JOURNAL_READ, &journal) !=
		0 ||
	    journal_authority(journal, &row) != 0)
		return -1;
	if (session_json(session))
		report_json(session, dir, &row);
	else
		report_text(dir, &row);
	return 0;
}

int
cmd_init(struct session *session)
{
	AUTO_CHARS(module) = NULL;
	AUTO_CHARS(profiles) = NULL;

	if (!session->options.given[OPT_ID])
		return ca_error(CA_R_USAGE,
		    "option '--id' is missing; name the authority, such as "
		    "--id example.org/root-ca-1");
	if (absolute_module(session->options.value[OPT_MODULE], &module) != 0 ||
	    shipped_profiles(&profiles) != 0 ||
	    initialise(session, module, profiles) != 0)
		return -1;
	return report(session);
}
