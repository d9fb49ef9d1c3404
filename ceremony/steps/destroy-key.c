/*
 * The step that destroys a key on the token, for good.  It is an act, and comes
 * after all that the plan signs.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

static int
check(struct build *build, const struct step *step)
{
	const struct destroy_key_params *p = step->params;

	step_check_why(build, step, p->why);
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct destroy_key_params *p = step->params;

	return step_text(ret_text,
	    "destroy key '%s' on the token, for ever, when everything else is "
	    "done; why: %s",
	    p->key, p->why);
}

/* ---- may it go? ------------------------------------------------------- */

struct use {
	const char *spki; /* SHA-256, hex */
	bool used;
};

static int
visit_request(void *ctx, const struct object_row *row)
{
	struct use *use = ctx;

	/* A request that was signed may have become a certificate elsewhere. */
	use->used =
	    use->used || (row->key != NULL && strcmp(row->key, use->spki) == 0);
	return 0;
}

/* Has it a certificate, or signed a request for one? */
static int
is_used(struct build *build, const struct key_row *row, bool *ret_used)
{
	AUTO_CHARS(spki) = sha256_hex(row->spki, row->spki_len);
	struct use use = { .spki = spki };

	if (spki == NULL ||
	    journal_spki_used(build->journal, spki, &use.used) < 0 ||
	    journal_each_object(
		build->journal, NULL, "csr", visit_request, &use) < 0)
		return -1;
	for (size_t i = 0; i < build->object_count; i++)
		use.used =
		    use.used || strcmp(build->objects[i].key, row->name) == 0;
	*ret_used = use.used;
	return 0;
}

/* A CA's key goes only when the CA has ended in order, or never began. */
static int
check_ca(
    struct build *build, const struct step *step, const struct key_row *row)
{
	enum ca_state state = CA_ACTIVE;
	bool used = false;

	if (build_ca_state(build, row->name, &state) < 0)
		return -1;
	if (state == CA_RETIRED)
		return 0;
	if (is_used(build, row, &used) < 0)
		return -1;
	if (used)
		step_finding(build, step, "key", "CA-STATE", "BR 4.10.2",
		    "the CA of key '%s' is %s, and without its key nobody "
		    "could revoke what it issued; give it the state 'retired' "
		    "first",
		    row->name, ca_state_name(state));
	return 0;
}

/* The key, live in the journal and not needed; else a finding. */
static int
check_key(struct build *build, const struct step *step, struct key_row *row,
    bool *ret_found)
{
	const struct destroy_key_params *p = step->params;
	enum ca_state state = CA_ACTIVE;

	if (journal_key(build->journal, p->key, ret_found, row) < 0 ||
	    build_ca_state(build, p->key, &state) < 0)
		return -1;
	if (!*ret_found || row->state != KEY_LIVE) {
		*ret_found = false;
		step_finding(build, step, "key", "KEY-MISSING", NULL,
		    "there is no key '%s' that could be destroyed: it was "
		    "never made, or is destroyed already",
		    p->key);
	} else if (state == CA_DESTROYED) {
		step_finding(build, step, "key", "KEY-MISSING", NULL,
		    "an earlier step destroys key '%s' already", p->key);
	} else if (strcmp(row->purpose, "journal") == 0) {
		step_finding(build, step, "key", "KEY-PURPOSE", NULL,
		    "the journal's own key cannot be destroyed: it signs what "
		    "the journal says of its destruction");
	} else if (build->run != NULL && strcmp(row->run, build->run) == 0) {
		step_finding(build, step, "key", "KEY-MISSING", NULL,
		    "key '%s' is made by this very plan", p->key);
	} else if (strcmp(row->purpose, "ca") == 0) {
		return check_ca(build, step, row);
	}
	return 0;
}

/* ---- building --------------------------------------------------------- */

static int
add_act(struct build *build, const struct step *step, const struct key_row *row)
{
	const struct destroy_key_params *p = step->params;
	struct built_act act = { .entry = ENTRY_KEY_DESTROYED, .step = step };
	AUTO_CHARS(id) = text_hex(row->id, row->id_len);
	AUTO_CHARS(spki) = sha256_hex(row->spki, row->spki_len);

	if (id == NULL || spki == NULL)
		return -1;
	act.kind = text_copy(step->kind->name);
	act.data = json_pack(
	    "{s:s, s:s, s:s}", "name", p->key, "id", id, "why", p->why);
	act.summary = text_printf(
	    "destroy the %s key '%s' (purpose '%s', CKA_ID %s, public key's "
	    "SHA-256 %s) on the token: nothing brings it back%s",
	    row->type, p->key, row->purpose, id, spki,
	    strcmp(row->backup, "clone") == 0
		? "; its clones on other tokens must be destroyed there"
		: "");
	return build_add_act(build, &act);
}

/* By an earlier part of this run. */
struct gone {
	const char *name;
	bool live, gone;
};

static int
visit_key(void *ctx, const struct key_row *row)
{
	struct gone *gone = ctx;

	if (strcmp(row->name, gone->name) != 0)
		return 0;
	gone->gone = gone->gone || row->state == KEY_GONE;
	gone->live = gone->live || row->state != KEY_GONE;
	return 0;
}

static int
is_done(struct build *build, const char *name, bool *ret_done)
{
	struct gone gone = { .name = name };
	bool said = false;

	if (step_journalled(build, ENTRY_KEY_DESTROYED, &said) < 0)
		return -1;
	if (!said)
		return 0;
	if (journal_each_key(build->journal, NULL, visit_key, &gone) < 0)
		return -1;
	*ret_done = gone.gone && !gone.live;
	return 0;
}

static int
build(struct build *build, const struct step *step)
{
	const struct destroy_key_params *p = step->params;
	AUTO_STRUCT(key_row) row = { 0 };
	size_t errors = build->findings->errors;
	bool found = false, done = false;

	if (is_done(build, p->key, &done) < 0)
		return -1;
	if (done)
		return 0;
	if (check_key(build, step, &row, &found) < 0)
		return -1;
	return build->findings->errors > errors ? 0
						: add_act(build, step, &row);
}

const struct step_kind step_destroy_key = {
	.name = "destroy-key",
	.params_offset = offsetof(struct step_params, destroy_key),
	.check = check,
	.describe = describe,
	.build = build,
};
