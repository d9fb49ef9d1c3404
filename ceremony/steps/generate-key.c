#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

/* The name becomes the key's CKA_LABEL, and tokens have room for so much. */
enum { TOKEN_LABEL_MAX = 32 };

static bool
one_of(const char *value, const char *a, const char *b)
{
	return strcmp(value, a) == 0 || strcmp(value, b) == 0;
}

/* No other step of the plan before this one makes a key of the same name. */
static bool
made_before(
    const struct build *build, const struct step *step, const char *name)
{
	for (size_t i = 0; i < build->key_count; i++)
		if (build->keys[i].step < step->index &&
		    strcmp(build->keys[i].order.name, name) == 0)
			return true;
	return false;
}

int
step_check_key_name(
    struct build *build, const struct step *step, const char *name)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (!text_is_name(name) || strlen(name) > TOKEN_LABEL_MAX) {
		step_name_finding(build, step, "key", name, TOKEN_LABEL_MAX);
		return 0;
	}
	if (made_before(build, step, name))
		step_finding(build, step, "key", "NAME-TAKEN", NULL,
		    "an earlier step makes a key '%s' already", name);
	if (journal_key(build->journal, name, &found, &row) < 0)
		return -1;
	/* When it is built, the keys of this very run are there. */
	if (found && (build->run == NULL || strcmp(row.run, build->run) != 0))
		step_finding(build, step, "key", "NAME-TAKEN", NULL,
		    "this authority has a key '%s' already; choose another "
		    "name",
		    name);
	return 0;
}

void
step_check_backup(
    struct build *build, const struct step *step, const char *backup)
{
	if (strcmp(backup, "wrap") == 0)
		step_finding(build, step, "backup", "P11-RESTORED-KEY",
		    "PKCS#11, CKA_NEVER_EXTRACTABLE",
		    "a key that can be wrapped is extractable, and a restored "
		    "one cannot be told from an imported one; choose 'none' "
		    "or 'clone'");
	else if (!one_of(backup, "none", "clone"))
		step_finding(build, step, "backup", "KEY-BACKUP", NULL,
		    "'%s' is no kind of backup; choose 'none' or 'clone'",
		    backup);
}

static int
check(struct build *build, const struct step *step)
{
	const struct generate_key_params *p = step->params;

	if (key_type_by_name(p->type) == NULL)
		step_finding(build, step, "type", "KEY-TYPE", NULL,
		    "'%s' is no type of key; choose rsa-2048, rsa-3072, "
		    "rsa-4096, p-256, p-384 or p-521",
		    p->type);
	if (!one_of(p->purpose, "ca", "ocsp"))
		step_finding(build, step, "purpose", "KEY-PURPOSE",
		    "EN 319 411-1, GEN-6.5.3-03",
		    "'%s' is no purpose of a key; choose 'ca' or 'ocsp'",
		    p->purpose);
	step_check_backup(build, step, p->backup);
	return step_check_key_name(build, step, p->key);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct generate_key_params *p = step->params;

	return step_text(ret_text,
	    "make a %s key '%s' inside the token, for %s, %s", p->type, p->key,
	    strcmp(p->purpose, "ca") == 0 ? "signing certificates and CRLs"
					  : "an OCSP responder",
	    strcmp(p->backup, "clone") == 0
		? "to be backed up by the HSM's own cloning"
		: "without a backup");
}

static void
keys(const struct step *step, struct key_order *ret_order)
{
	const struct generate_key_params *p = step->params;

	*ret_order = (struct key_order){
		.name = p->key,
		.type = p->type,
		.purpose = p->purpose,
		.backup = p->backup,
	};
}

const struct step_kind step_generate_key = {
	.name = "generate-key",
	.params_offset = offsetof(struct step_params, generate_key),
	.check = check,
	.describe = describe,
	.keys = keys,
};
