#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/quorum.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ca-tool/shipped.h"
#include "ceremony/authority.h"

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
read_pin_length(const struct session *session, unsigned *ret_length)
{
	const char *given = session->options.value[OPT_PIN_LENGTH];
	uint64_t length = 0;

	if (given != NULL &&
	    (text_number(given, PIN_HEX_LEN, &length) != 0 || length == 0)) {
		ca_error_clear();
		return ca_error(CA_R_USAGE,
		    "--pin-length '%s' is no number of characters from 1 to %d",
		    given, PIN_HEX_LEN);
	}
	*ret_length = (unsigned)length;
	return 0;
}

static int
initialise(struct session *session, const char *module, const char *profiles)
{
	char *const *value = session->options.value;
	unsigned length = 0;
	AUTO_STRUCT(people) people = { 0 };

	if (read_pin_length(session, &length) != 0)
		return -1;

	struct authority_options options = {
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
		.set = value[OPT_OPERATORS],
		.login = value[OPT_LOGIN],
		.pin_format = value[OPT_PIN_FORMAT],
		.pin_length = length,
		.allow_short_pin = session->options.given[OPT_ALLOW_SHORT_PIN],
		.unattended =
		    (const char *const *)session->options.list[OPT_UNATTENDED],
	};

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
report_json(struct session *session, const char *dir,
    const struct authority_row *row, const struct quorum_set *set)
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
	session_report(session, "set", session_string(set->id));
	session_report(session, "threshold", json_integer(set->threshold));
	session_report(session, "operators", json_integer(set->operators));
}

static int
report_text(const char *dir, const struct authority_row *row,
    const struct quorum_set *set)
{
	char genesis[HASH_HEX_SIZE];
	AUTO_CHARS(quorum) = text_printf("%u of %u operators (set %s)",
	    set->threshold, set->operators, set->id);

	if (quorum == NULL)
		return -1;
	text_hex_into(row->genesis, HASH_LEN, genesis);
	printf("The authority is ready.\n\n");
	print_field(stdout, "Authority", row->id);
	print_field(stdout, "Directory", dir);
	print_field(stdout, "Token", row->token_label);
	print_field(stdout, "Serial",
	    row->token_serial != NULL ? row->token_serial : "none");
	print_field(stdout, "Quorum", quorum);
	print_field(stdout, "Genesis", genesis);
	print_field(stdout, "Anchor", "public/anchor/");
	printf("\n");
	print_wrapped(stdout, 0, 0,
	    "Every operator and auditor takes home a copy of public/anchor/, "
	    "which names this authority's journal for ever, and of the receipt "
	    "public/journal/checkpoint. Each operator can test their own share "
	    "on any day: ca-tool share check NAME.");
	printf("\nNext: write a plan (man ca-tool-plan), then check it:\n"
	       "  ca-tool plan check -d %s PLAN\n",
	    dir);
	return 0;
}

/* What the journal says was made; not what was asked for. */
static int
report(struct session *session)
{
	AUTO_CHARS(dir) = text_escape(
	    session->options.args[0], strlen(session->options.args[0]));
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	const struct quorum_set *set;

	if (dir == NULL ||
	    authority_open(session->options.args[0], AUTHORITY_READ,
		&session->findings, &authority) != 0 ||
	    journal_authority(authority_journal(authority), &row) != 0 ||
	    authority_quorum(authority, &set) != 0 ||
	    report_warnings(session, authority) != 0)
		return -1;
	if (session_json(session)) {
		report_json(session, dir, &row, set);
		return 0;
	}
	return report_text(dir, &row, set);
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
	if (!session->options.given[OPT_OPERATORS])
		return ca_error(CA_R_USAGE,
		    "option '--operators' is missing; name the set file, which "
		    "says who the operators are and how many of them must "
		    "agree (their keys are made with 'ca-tool operator new')");
	if (absolute_module(session->options.value[OPT_MODULE], &module) != 0 ||
	    shipped_profiles(&profiles) != 0 ||
	    initialise(session, module, profiles) != 0)
		return -1;
	return report(session);
}
