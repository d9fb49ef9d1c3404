#include <cyaml/cyaml.h>
#include <jansson.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include <openssl/crypto.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/print.h"
#include "ca-tool/room.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "pkcs11/module.h"
#include "profiles/lint/lint.h"

/* libp11 and popt cannot be asked at run time: as they were at the build. */
struct library {
	const char *name, *version, *note;
};
enum { LIBRARIES = 7 };

static void
libraries(struct library ret_rows[LIBRARIES])
{
	const struct library rows[LIBRARIES] = {
		{ "OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING), "" },
		{ "libp11", CA_TOOL_LIBP11_VERSION, " (when built)" },
		{ "SQLite", sqlite3_libversion(), "" },
		{ "libyaml", yaml_get_version_string(), "" },
		{ "libcyaml", cyaml_version_str, "" },
		{ "jansson", jansson_version_str(), "" },
		{ "popt", CA_TOOL_POPT_VERSION, " (when built)" },
	};

	memcpy(ret_rows, rows, sizeof(rows));
}

static int
report_program(struct session *session)
{
	struct library rows[LIBRARIES];
	AUTO_CHARS(lints) = NULL;
	json_t *object;
	char sha256_hex[65];

	if (people_program_sha256(sha256_hex) != 0 || lint_version(&lints) != 0)
		return -1;
	session_report(session, "version", json_string(CA_TOOL_VERSION));
	session_report(session, "sha256", json_string(sha256_hex));
	session_report(session, "lints", json_string(lints));
	object = session_report(session, "libraries", json_object());
	libraries(rows);
	for (size_t i = 0; i < LIBRARIES; i++)
		if (json_object_set_new(object, rows[i].name,
			json_string(rows[i].version)) != 0)
			session->report_lost = true;
	if (session_json(session))
		return 0;
	printf("ca-tool %s\n\n  %-11s %s\n", CA_TOOL_VERSION, "SHA-256",
	    sha256_hex);
	for (size_t i = 0; i < LIBRARIES; i++)
		printf("  %-11s %s%s\n", rows[i].name, rows[i].version,
		    rows[i].note);
	print_field(stdout, "Linter", lints);
	return 0;
}

static void
report_module(struct session *session, const struct module_facts *facts)
{
	session_report(session, "module",
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "path",
		facts->path, "sha256", facts->sha256, "manufacturer",
		facts->manufacturer, "description", facts->description,
		"version", facts->version, "cryptoki", facts->cryptoki,
		"quirks", session_string(facts->quirks)));
	if (session_json(session))
		return;
	printf("\nPKCS#11 module\n\n");
	printf("  %-11s %s\n", "Path", facts->path);
	printf("  %-11s %s\n", "SHA-256", facts->sha256);
	printf("  %-11s %s, by %s\n", "Name", facts->description,
	    facts->manufacturer);
	printf("  %-11s %s, Cryptoki %s\n", "Version", facts->version,
	    facts->cryptoki);
	if (facts->quirks != NULL)
		print_field(stdout, "Known as", facts->quirks);
}

static int
open_and_report(struct session *session, const char *path)
{
	AUTO_CHARS(absolute) = realpath(path, NULL);
	AUTO_PTR(module) *module = NULL;

	if (absolute == NULL)
		return ca_error_errno(
		    CA_R_MODULE, "cannot find the module '%s'", path);
	if (module_open(absolute, &module) != 0)
		return -1;
	report_module(session, module_facts(module));
	return 0;
}

/*
 * SoftHSM needs a configuration to say anything: it gets one of its own in a
 * new directory, so that the authority's token is not touched.
 */
static int
embedded_and_report(struct session *session)
{
	char dir[] = "/tmp/ca-tool-version-XXXXXX";
	struct module *module = NULL;
	int ret = -1;

	if (mkdtemp(dir) == NULL)
		return ca_error_errno(CA_R_IO, "cannot make '%s'", dir);
	if (module_open_embedded(dir, &module, NULL) == 0) {
		report_module(session, module_facts(module));
		module_free(module);
		ret = 0;
	}
	if (softhsm_wipe(dir) != 0 || rmdir(dir) != 0)
		return ca_error_errno(CA_R_IO, "cannot remove '%s'", dir);
	return ret;
}

static int
report_authority_module(struct session *session)
{
	AUTO_PTR(authority) *authority = NULL;
	const char *module;

	if (authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) != 0)
		return -1;
	module = authority_config(authority)->token.module;
	if (strcmp(module, "embedded") == 0)
		return embedded_and_report(session);
	return open_and_report(session, module);
}

int
cmd_version(struct session *session)
{
	const struct options *options = &session->options;

	if (options->given[OPT_MODULE] && options->given[OPT_AUTHORITY])
		return ca_error(CA_R_USAGE,
		    "--module and --authority both name a module; give one");
	if (report_program(session) != 0)
		return -1;
	if (options->given[OPT_MODULE])
		return open_and_report(session, options->value[OPT_MODULE]);
	if (options->given[OPT_AUTHORITY])
		return report_authority_module(session);
	return 0;
}
