#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/draft.h"
#include "ca-tool/out-file.h"
#include "ca-tool/plan.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"

static const struct draft_kind kind_table[] = {
	{ "root", "the new root", "a new root, its key and its first CRL",
	    draft_root },
	{ "policy-ca", "the new CA", "a CA below a root, for CAs below it",
	    draft_policy_ca },
	{ "issuing-ca", "the new CA", "a CA that issues to end entities",
	    draft_issuing_ca },
	{ "cross", "the new certificate",
	    "a second certificate of a CA that exists", draft_cross },
	{ "ocsp-responder", "the issuer",
	    "a responder's key and certificate, the first or the next one",
	    draft_responder },
	{ "crl", "the issuer; without it all", "the CRLs of this session",
	    draft_crl },
	{ "ocsp", "the issuer; without it all",
	    "the OCSP responses of this session", draft_ocsp },
	{ "revoke", "the issuer", "a revocation, and the CRL behind it",
	    draft_revoke },
	{ "upgrade-revocation", "the issuer",
	    "a revocation becomes one for keyCompromise", draft_upgrade },
	{ "import-revocations", "the issuer",
	    "revocations of certificates issued elsewhere",
	    draft_import_revocations },
	{ "import-issued", "the issuer", "certificates issued elsewhere",
	    draft_import_issued },
	{ "certificates", "the issuer",
	    "a certificate for each of many requests", draft_certificates },
	{ "rollover", "the CA that retires",
	    "a successor, and the CA that it follows becomes retiring",
	    draft_rollover },
	{ "adopt-ca", "the CA", "take over a CA whose key is on the token",
	    draft_adopt_ca },
	{ "destroy-key", "the key", "destroy a key on the token",
	    draft_destroy_key },
	{ "reshare", NULL, "a new set of operators", draft_reshare },
	{ "abandon", NULL, "close a run that was cut off", draft_abandon },
	{ "adopt-config", NULL, "take in authority.yaml and profiles",
	    draft_adopt_config },
	{ "adopt-token", NULL, "another token takes over", draft_adopt_token },
	{ "correct-clock", NULL, "the clock was wrong before",
	    draft_correct_clock },
	{ "recover-journal", NULL, "go on with an older journal",
	    draft_recover_journal },
};
enum { KINDS = sizeof(kind_table) / sizeof(kind_table[0]) };

const struct draft_kind *
draft_kind_at(size_t i)
{
	return i < KINDS ? &kind_table[i] : NULL;
}

/* ---- which kind ------------------------------------------------------- */

static int
list_kinds(struct session *session)
{
	json_t *rows = session_report(session, "kinds", json_array());
	const struct draft_kind *kind;

	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the report");
	for (size_t i = 0; (kind = draft_kind_at(i)) != NULL; i++) {
		if (json_array_append_new(rows,
			json_pack("{s:s, s:s?, s:s}", "kind", kind->name,
			    "name", kind->about, "summary", kind->summary)) !=
		    0)
			return ca_error(
			    CA_R_MEMORY, "no memory for the report");
		if (session_json(session))
			continue;
		printf("  %-19s %s\n", kind->name, kind->summary);
		if (kind->about != NULL)
			printf("  %-19s NAME: %s\n", "", kind->about);
	}
	return 0;
}

static int
find_kind(const struct options *options, const struct draft_kind **ret_kind)
{
	const char *name = options->args[0];
	const struct draft_kind *kind;

	for (size_t i = 0; (kind = draft_kind_at(i)) != NULL; i++)
		if (strcmp(kind->name, name) == 0)
			break;
	if (kind == NULL)
		return ca_error(CA_R_USAGE,
		    "there is no kind of plan '%s'; 'ca-tool plan new --list' "
		    "lists those there are",
		    name);
	if (options->arg_count > 1 && kind->about == NULL)
		return ca_error(CA_R_USAGE,
		    "'%s' is one argument too many: 'plan new %s' takes no "
		    "NAME",
		    options->args[1], name);
	if (options->arg_count > 1 && !text_is_name(options->args[1]))
		return ca_error(CA_R_USAGE,
		    "'%s' is no name; names are 1 to 64 of a-z 0-9 . _ -, and "
		    "begin and end with a letter or digit",
		    options->args[1]);
	*ret_kind = kind;
	return 0;
}

/* ---- writing it ------------------------------------------------------- */

static void
close_memory(FILE **out)
{
	if (*out != NULL)
		(void)fclose(*out);
}

struct written {
	char *text, *id;
	size_t blanks;
};

static void
written_clear(struct written *written)
{
	free(written->text);
	free(written->id);
	*written = (struct written){ 0 };
}
CLEANUP_DEFINE_STRUCT(written);

/* Nothing of a plan is shown that could not be written whole. */
static int
write_plan(const struct draft_kind *kind, const char *name,
    struct authority *authority, struct written *written)
{
	size_t len = 0;
	__attribute__((cleanup(close_memory))) FILE *out =
	    open_memstream(&written->text, &len);
	AUTO_STRUCT(draft) draft = { 0 };

	if (out == NULL)
		return ca_error_errno(CA_R_MEMORY, "no memory for the plan");
	if (draft_open(authority, date_now(), kind->name, name, out, &draft) <
		0 ||
	    kind->write(&draft) < 0)
		return -1;
	if (fflush(out) != 0 || ferror(out) != 0)
		return ca_error(CA_R_MEMORY, "no memory for the plan");
	written->id = TAKE(draft.id);
	written->blanks = draft.blanks;
	return 0;
}

/* Says what comes next, where the plan went to a file. */
static int
say_next(struct session *session, const struct written *written)
{
	const char *path = session->options.value[OPT_OUT];
	AUTO_CHARS(option) = authority_option(session);
	AUTO_CHARS(safe) = text_escape(path, strlen(path));

	if (option == NULL || safe == NULL)
		return -1;
	printf("%s holds the plan %s.\n", safe, written->id);
	if (written->blanks > 0)
		printf("Fill in what stands in <angle brackets>: %zu %s. "
		       "Then:\n",
		    written->blanks, written->blanks == 1 ? "place" : "places");
	else
		printf("Nothing has to be filled in. Read it, change what is "
		       "to be different, then:\n");
	printf("  ca-tool plan check%s %s\n  ca-tool plan run%s %s\n", option,
	    safe, option, safe);
	return 0;
}

static int
report(struct session *session, const struct written *written)
{
	const char *path = session->options.value[OPT_OUT];

	(void)session_report(session, "plan", session_string(written->id));
	(void)session_report(
	    session, "blanks", json_integer((json_int_t)written->blanks));
	(void)session_report(session, "file", session_string(path));
	(void)session_report(session, "text", session_string(written->text));
	if (session_json(session))
		return 0;
	if (path != NULL)
		return say_next(session, written);
	fputs(written->text, stdout);
	return 0;
}

int
cmd_plan_new(struct session *session)
{
	const struct options *options = &session->options;
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(out_file) out = { .fd = -1 };
	AUTO_STRUCT(written) written = { 0 };
	const struct draft_kind *kind = NULL;

	if (options->given[OPT_LIST])
		return list_kinds(session);
	if (options->arg_count == 0)
		return ca_error(CA_R_USAGE,
		    "which kind of plan? 'ca-tool plan new --list' lists those "
		    "there are");
	if (find_kind(options, &kind) < 0 ||
	    out_file_open(options->value[OPT_OUT], &out) < 0 ||
	    authority_open(session_authority(session), AUTHORITY_READ,
		&session->findings, &authority) < 0 ||
	    write_plan(kind, options->arg_count > 1 ? options->args[1] : NULL,
		authority, &written) < 0 ||
	    out_file_write(&out, written.text) < 0)
		return -1;
	return report(session, &written);
}
