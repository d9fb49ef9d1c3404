/*
 * The step that makes another token the authority's: a clone, or the HSM that
 * replaces a broken one.  An act.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

/* PKCS#11 v2.40, CK_TOKEN_INFO: fields of 32 and 16 octets, printable. */
enum { LABEL_MAX = 32, SERIAL_MAX = 16 };

static void
check_text(struct build *build, const struct step *step, const char *member,
    const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > 0 && len <= max && text_is_safe(text, len) &&
	    text[0] != ' ' && text[len - 1] != ' ')
		return;
	step_finding(build, step, member, "TOKEN-NAME", "PKCS #11, section 3",
	    "a token's %s has 1 to %zu octets, without blanks around it; copy "
	    "it from 'ca-tool token list'",
	    member, max);
}

static int
check(struct build *build, const struct step *step)
{
	const struct adopt_token_params *p = step->params;

	step_alone(build, step);
	step_check_why(build, step, p->why);
	check_text(build, step, "serial", p->serial, SERIAL_MAX);
	if (p->label != NULL)
		check_text(build, step, "label", p->label, LABEL_MAX);
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct adopt_token_params *p = step->params;

	return step_text(ret_text,
	    "make the token with serial number %s%s%s%s the one of this "
	    "authority; every key must be on it, and from then on the old "
	    "token must not be used any more (why: %s)",
	    p->serial, p->label == NULL ? "" : " and label '",
	    p->label == NULL ? "" : p->label, p->label == NULL ? "" : "'",
	    p->why);
}

static int
add_act(struct build *build, const struct step *step,
    const struct authority_row *row, const char *label)
{
	const struct adopt_token_params *p = step->params;
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };

	act.kind = text_copy("adopt-token");
	act.data = json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:s}", "label",
	    "old", row->token_label, "new", label, "serial", "old",
	    row->token_serial, "new", p->serial, "why", p->why);
	if (step_text(&act.summary,
		"adopt the token '%s' with serial number %s instead of '%s' "
		"with %s",
		label, p->serial, row->token_label, row->token_serial) < 0)
		act.summary = NULL; /* build_add_act() refuses it */
	return build_add_act(build, &act);
}

static int
build(struct build *build, const struct step *step)
{
	const struct adopt_token_params *p = step->params;
	AUTO_STRUCT(authority_row) row = { 0 };
	const char *label;
	bool done = false;

	if (journal_authority(build->journal, &row) < 0 ||
	    step_journalled(build, ENTRY_TOKEN, &done) < 0)
		return -1;
	if (row.token_serial == NULL || row.token_label == NULL)
		return ca_error(CA_R_STATE, "this authority has no token yet");
	label = p->label != NULL ? p->label : row.token_label;
	/*
	 * It may well be the same one, restored from a copy: its head will
	 * tell.
	 */
	return done ? 0 : add_act(build, step, &row, label);
}

const struct step_kind step_adopt_token = {
	.name = "adopt-token",
	.params_offset = offsetof(struct step_params, adopt_token),
	.check = check,
	.describe = describe,
	.build = build,
};
