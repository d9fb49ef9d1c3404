/*
 * A run's plan, read again from the bytes that were approved: the manifest and
 * the inputs that it lists.
 */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/people-private.h"

void
audit_plan_clear(struct audit_plan *plan)
{
	json_decref(plan->manifest);
	inputs_clear(&plan->inputs);
	free(plan->steps);
	yaml_value_free(&plan_schema, plan->params);
	yaml_free(plan->doc);
	*plan = (struct audit_plan){ 0 };
}

/* ---- reading ---------------------------------------------------------- */

static int
read_manifest(struct audit *audit, const char *sha256, json_t **ret_manifest)
{
	AUTO_BYTES(data) = NULL;
	json_t *manifest;
	size_t len = 0;

	if (audit_evidence_bytes(audit, sha256, &data, &len) != 0)
		return -1;
	if (data == NULL)
		return ca_error(
		    CA_R_MISSING, "the manifest is not among the evidence");
	manifest =
	    json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(manifest)) {
		json_decref(manifest);
		return ca_error(CA_R_INPUT, "the manifest is no JSON object");
	}
	*ret_manifest = manifest;
	return 0;
}

static bool
is_sha256(const char *text)
{
	return strlen(text) == HASH_HEX_SIZE - 1 &&
	    strspn(text, "0123456789abcdef") == HASH_HEX_SIZE - 1;
}

/* Every input must be there; only some are kept. */
static int
read_input(
    struct audit *audit, json_t *row, bool whole, struct audit_plan *plan)
{
	const char *role_name, *given, *file, *sha256;
	enum input_role role;
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (json_unpack(row, "{s:s, s:s, s:s, s:s}", "role", &role_name,
		"given", &given, "file", &file, "sha256", &sha256) != 0 ||
	    !is_sha256(sha256))
		return ca_error(
		    CA_R_INPUT, "the manifest has a malformed input");
	if (input_role_by_name(role_name, &role) != 0 ||
	    audit_evidence_bytes(audit, sha256, &data, &len) != 0)
		return -1;
	if (data == NULL)
		return ca_error(CA_R_MISSING,
		    "the input '%s' of the plan is not among the evidence",
		    given);
	if (!whole && role != INPUT_PLAN)
		return 0;
	if (inputs_find(&plan->inputs, role, given) != NULL)
		return ca_error(
		    CA_R_VERIFY, "the manifest names an input twice");
	return inputs_add(&plan->inputs, role, given, file, TAKE(data), len);
}

static int
read_inputs(struct audit *audit, bool whole, struct audit_plan *plan)
{
	json_t *rows = json_object_get(plan->manifest, "inputs");
	size_t i;
	json_t *row;

	if (!json_is_array(rows))
		return ca_error(CA_R_INPUT, "the manifest lists no inputs");
	json_array_foreach(rows, i, row)
	{
		if (read_input(audit, row, whole, plan) != 0)
			return -1;
	}
	return 0;
}

/* The first finding becomes the error. */
static int
malformed(const struct findings *findings)
{
	if (ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return ca_error(CA_R_INPUT, "the plan cannot be read: %s",
	    findings->count == 0 ? "" : findings->rows[0].text);
}

static int
parse_plan(struct audit_plan *plan)
{
	const struct input *input =
	    inputs_find(&plan->inputs, INPUT_PLAN, "plan");
	AUTO_STRUCT(findings) findings = { 0 };
	void *value = NULL;

	if (input == NULL)
		return ca_error(CA_R_INPUT, "the manifest names no plan");
	if (yaml_load("plan.yaml", input->data, input->len, &plan_schema,
		&findings, &plan->doc, &value) != 0)
		return malformed(&findings);
	plan->params = value;
	return steps_make(plan->params, plan->doc, &findings, &plan->steps) == 0
	    ? 0
	    : malformed(&findings);
}

int
audit_plan_read(struct audit *audit, const char *manifest, bool whole,
    struct audit_plan *ret_plan)
{
	AUTO_STRUCT(audit_plan) plan = { 0 };

	if (read_manifest(audit, manifest, &plan.manifest) != 0 ||
	    read_inputs(audit, whole, &plan) != 0 || parse_plan(&plan) != 0)
		return -1;
	*ret_plan = plan;
	plan = (struct audit_plan){ 0 };
	return 0;
}

/* ---- against its entry ------------------------------------------------ */

/* Whatever a manifest states of the run, and what the journal has for it. */
static void
check_text(struct audit *audit, const struct audit_entry *entry,
    const json_t *object, const char *member, const char *wanted)
{
	const char *value = json_string_value(json_object_get(object, member));

	if (value == NULL || wanted == NULL || strcmp(value, wanted) != 0)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "'%s' is '%s' in the manifest, and should be '%s'", member,
		    value == NULL ? "" : value, wanted == NULL ? "" : wanted);
}

static int
check_authority(struct audit *audit, const struct audit_entry *entry,
    const json_t *manifest)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	char genesis[HASH_HEX_SIZE];

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	text_hex_into(row.genesis, HASH_LEN, genesis);
	check_text(audit, entry, manifest, "format", "ca-tool-manifest-1");
	check_text(audit, entry, manifest, "authority", row.id);
	check_text(audit, entry, manifest, "genesis", genesis);
	return 0;
}

static int
check_set(struct audit *audit, const struct audit_entry *entry,
    const json_t *manifest)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found = false;

	if (journal_quorum(audit->journal, &found, &row) != 0)
		return -1;
	if (!found)
		return 0; /* the entry was not applied then */
	check_text(audit, entry, manifest, "set", row.set);
	check_text(audit, entry, manifest, "set_sha256", row.sha256);
	if (json_integer_value(json_object_get(manifest, "threshold")) !=
	    (json_int_t)row.threshold)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the manifest has not the threshold of the set, which is "
		    "%u",
		    row.threshold);
	return 0;
}

/* The journal against which it was checked is a beginning of this one. */
static int
check_state(
    struct audit *audit, const struct audit_entry *entry, json_t *manifest)
{
	const char *root;
	json_int_t size;
	bool is = false;

	if (json_unpack(manifest, "{s:{s:I, s:s}}", "journal", "size", &size,
		"root", &root) == 0 &&
	    size >= 0 && (uint64_t)size <= entry->seq &&
	    audit_root_is(audit, (uint64_t)size, root, &is) != 0)
		return -1;
	if (!is)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the plan was checked against another journal: what its "
		    "manifest names is no earlier state of this one");
	return 0;
}

/* Plan, manifest and entry name the same plan. */
static int
check_names(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan)
{
	const char *manifest = audit_text(entry, "manifest");
	AUTO_CHARS(directory) =
	    text_printf("%s-%.8s", plan->params->id, manifest);

	if (directory == NULL)
		return -1;
	check_text(audit, entry, plan->manifest, "plan", plan->params->id);
	check_text(audit, entry, plan->manifest, "title", plan->params->title);
	check_text(audit, entry, entry->data, "plan", plan->params->id);
	check_text(audit, entry, entry->data, "title", plan->params->title);
	check_text(audit, entry, entry->data, "directory", directory);
	return 0;
}

static void
check_unattended(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan)
{
	bool planned = plan->params->unattended != NULL &&
	    strcmp(plan->params->unattended, "true") == 0;

	if (planned !=
		json_is_true(json_object_get(plan->manifest, "unattended")) ||
	    planned != json_is_true(json_object_get(entry->data, "unattended")))
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the plan is to be %s, its manifest or entry say otherwise",
		    planned ? "run unattended" : "confirmed");
}

/* ---- the configuration that it was checked with ----------------------- */

static int
check_profile_input(struct audit *audit, const struct audit_entry *entry,
    const char *given, const char *sha256)
{
	AUTO_CHARS(recorded) = NULL;
	bool found = false;

	if (journal_profile(audit->journal, given, &found, &recorded) != 0)
		return -1;
	if (!found || strcmp(recorded, sha256) != 0)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the plan uses a profile '%s' that was not recorded before",
		    given);
	return 0;
}

static int
check_recorded(struct audit *audit, const struct audit_entry *entry,
    const char *role, const char *given, const char *sha256)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (strcmp(role, input_role_name(INPUT_PROFILE)) == 0)
		return check_profile_input(audit, entry, given, sha256);
	if (strcmp(role, input_role_name(INPUT_AUTHORITY)) != 0)
		return 0;
	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (row.config_sha256 == NULL || strcmp(row.config_sha256, sha256) != 0)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the plan was checked with an authority.yaml that was not "
		    "in force");
	return 0;
}

/* Only adopt-config is checked with what is not recorded yet. */
static int
check_inputs(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan)
{
	const char *special = audit_special_of(plan);
	json_t *rows = json_object_get(plan->manifest, "inputs");
	const char *role, *given, *sha256;
	bool has_config = false;
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		if (json_unpack(row, "{s:s, s:s, s:s}", "role", &role, "given",
			&given, "sha256", &sha256) != 0)
			continue; /* read_input() has had it pass */
		has_config = has_config ||
		    strcmp(role, input_role_name(INPUT_AUTHORITY)) == 0;
		if ((special == NULL || strcmp(special, "adopt-config") != 0) &&
		    check_recorded(audit, entry, role, given, sha256) != 0)
			return -1;
	}
	if (!has_config)
		audit_error(audit, entry, "AUDIT-PLAN",
		    "the manifest does not name the authority.yaml with which "
		    "the plan was checked");
	return 0;
}

/* ---- requests that came with the run ---------------------------------- */

static bool
is_late_step(const struct audit_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->params->steps_count; i++) {
		const char *late = step_late_name(&plan->steps[i]);

		if (late != NULL && strcmp(late, name) == 0)
			return true;
	}
	return false;
}

static int
check_late(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan)
{
	json_t *rows = json_object_get(entry->data, "late");
	const char *name, *sha256;
	size_t i;
	json_t *row;

	json_array_foreach(rows, i, row)
	{
		AUTO_BYTES(data) = NULL;
		size_t len = 0;

		if (json_unpack(row, "{s:s, s:s}", "name", &name, "sha256",
			&sha256) != 0 ||
		    !is_sha256(sha256) || !is_late_step(plan, name)) {
			audit_error(audit, entry, "AUDIT-PLAN",
			    "a request came with the run for which the plan "
			    "has no step");
			continue;
		}
		if (audit_evidence_bytes(audit, sha256, &data, &len) != 0)
			return -1;
		if (data == NULL)
			audit_error(audit, entry, "AUDIT-PLAN",
			    "the request for '%s' is not among the evidence",
			    name);
	}
	return 0;
}

int
audit_plan_check(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan)
{
	if (check_authority(audit, entry, plan->manifest) != 0 ||
	    check_set(audit, entry, plan->manifest) != 0 ||
	    check_state(audit, entry, plan->manifest) != 0 ||
	    check_names(audit, entry, plan) != 0)
		return -1;
	check_unattended(audit, entry, plan);
	return check_inputs(audit, entry, plan) != 0
	    ? -1
	    : check_late(audit, entry, plan);
}
