/*
 * The step that records a changed authority.yaml, and changed, new and removed
 * profiles.  An act.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	return visitor->need_profiles(visitor->ctx, step_place(step, NULL));
}

static int
check(struct build *build, const struct step *step)
{
	const struct adopt_config_params *p = step->params;
	const struct profile *profile = NULL;

	step_alone(build, step);
	step_check_why(build, step, p->why);
	for (size_t i = 0; i < build->inputs->count; i++)
		if (build->inputs->rows[i].role == INPUT_PROFILE &&
		    build_any_profile(build, step, NULL,
			build->inputs->rows[i].given, &profile) < 0)
			return -1;
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct adopt_config_params *p = step->params;

	return step_text(ret_text,
	    "record authority.yaml and the directory profiles/ as they are "
	    "now; from then on they say what may be signed (why: %s)",
	    p->why);
}

/* ---- what the journal has --------------------------------------------- */

static int
take_recorded(void *ctx, const char *profile, const char *sha256_text)
{
	return json_object_set_new(ctx, profile, json_string(sha256_text)) == 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for profiles");
}

/* Each profile that may be used, from its name to its SHA-256. */
static int
recorded_profiles(struct journal *journal, json_t **ret_profiles)
{
	json_t *pins = json_object();

	if (pins == NULL)
		return ca_error(CA_R_MEMORY, "no memory for profiles");
	if (journal_each_profile(journal, take_recorded, pins) < 0) {
		json_decref(pins);
		return -1;
	}
	*ret_profiles = pins;
	return 0;
}

/* ---- what differs ----------------------------------------------------- */

/* The profiles of the inputs, in the same form. */
static json_t *
proposed_profiles(const struct build *build)
{
	json_t *pins = json_object();

	for (size_t i = 0; i < build->inputs->count; i++) {
		const struct input *input = &build->inputs->rows[i];
		char hex[HASH_HEX_SIZE];

		if (input->role != INPUT_PROFILE)
			continue;
		text_hex_into(input->sha256, sizeof(input->sha256), hex);
		if (json_object_set_new(pins, input->given, json_string(hex)) !=
		    0) {
			json_decref(pins);
			return NULL;
		}
	}
	return pins;
}

/* {profile, old, new} where they differ; null: none. */
static int
add_difference(json_t *changes, const char *name, json_t *old, json_t *new)
{
	if (old != NULL && new != NULL && json_equal(old, new))
		return 0;
	return json_array_append_new(changes,
	    json_pack(
		"{s:s, s:O?, s:O?}", "profile", name, "old", old, "new", new));
}

/* Every profile that is changed or new, then those that are removed. */
static json_t *
differences(json_t *old, json_t *new)
{
	json_t *changes = json_array();
	const char *name;
	json_t *value;
	int rc = 0;

	json_object_foreach(new, name,
	    value) if (add_difference(changes, name, json_object_get(old, name),
			   value) != 0) rc = -1;
	json_object_foreach(
	    old, name, value) if (json_object_get(new, name) == NULL &&
	    add_difference(changes, name, value, NULL) != 0) rc = -1;
	if (rc == 0)
		return changes;
	json_decref(changes);
	return NULL;
}

static int
profile_changes(const struct build *build, json_t **ret_changes)
{
	json_t *old = NULL, *new, *changes = NULL;

	if (recorded_profiles(build->journal, &old) < 0)
		return -1;
	new = proposed_profiles(build);
	if (new != NULL)
		changes = differences(old, new);
	json_decref(old);
	json_decref(new);
	if (changes == NULL)
		return ca_error(CA_R_MEMORY, "no memory for profiles");
	*ret_changes = changes;
	return 0;
}

/* "changed", "new", "removed" */
static const char *
change_word(const json_t *change)
{
	if (json_is_null(json_object_get(change, "old")))
		return "new";
	return json_is_null(json_object_get(change, "new")) ? "removed"
							    : "changed";
}

static char *
make_summary(bool config, const json_t *changes)
{
	AUTO_CHARS(text) = text_printf("adopt the configuration: "
				       "authority.yaml is %s",
	    config ? "changed" : "as before");
	size_t i;
	json_t *change;

	json_array_foreach(changes, i, change)
	{
		char *longer = text == NULL
		    ? NULL
		    : text_printf("%s, profile '%s' is %s", text,
			  json_string_value(json_object_get(change, "profile")),
			  change_word(change));

		free(text);
		text = longer;
	}
	return text == NULL ? NULL : text_escape(text, strlen(text));
}

/* Takes `changes`. */
static int
add_act(struct build *build, const struct step *step, const char *old,
    const char *new, json_t *changes)
{
	const struct adopt_config_params *p = step->params;
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };

	act.kind = text_copy("adopt-config");
	act.summary = make_summary(strcmp(old, new) != 0, changes);
	act.data = json_pack("{s:{s:s, s:s}, s:o, s:s}", "config", "old", old,
	    "new", new, "profiles", changes, "why", p->why);
	return build_add_act(build, &act);
}

static int
build(struct build *build, const struct step *step)
{
	const struct input *input =
	    inputs_find(build->inputs, INPUT_AUTHORITY, "authority.yaml");
	AUTO_STRUCT(authority_row) row = { 0 };
	json_t *changes = NULL;
	char new[HASH_HEX_SIZE];

	if (input == NULL)
		return ca_error(CA_R_CORRUPT, "a plan without authority.yaml");
	if (journal_authority(build->journal, &row) < 0 ||
	    profile_changes(build, &changes) < 0)
		return -1;
	text_hex_into(input->sha256, sizeof(input->sha256), new);
	if (row.config_sha256 == NULL || strcmp(row.config_sha256, new) != 0 ||
	    json_array_size(changes) > 0)
		return add_act(build, step,
		    row.config_sha256 == NULL ? "" : row.config_sha256, new,
		    changes);
	json_decref(changes);
	if (!build->resumed) /* else done by an earlier part of this run */
		step_finding(build, step, NULL, "CONFIG-SAME", NULL,
		    "authority.yaml and the profiles are as the journal has "
		    "recorded them: there is nothing to adopt");
	return 0;
}

const struct step_kind step_adopt_config = {
	.name = "adopt-config",
	.params_offset = offsetof(struct step_params, adopt_config),
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
};
