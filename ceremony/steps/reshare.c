/*
 * The step that replaces the operators: a new set, a new secret, new PINs.  An
 * act, and the longest one: ceremony/reshare.c.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/special.h"

/* ---- the set file ----------------------------------------------------- */

/* What the set file names is relative to it, as it is to the plan. */
static char *
beside_set(const char *set_file, const char *given)
{
	const char *slash = strrchr(set_file, '/');

	if (given[0] == '/' || slash == NULL)
		return text_copy(given);
	return text_printf(
	    "%.*s%s", (int)(slash + 1 - set_file), set_file, given);
}

struct files {
	const struct inputs *inputs;
	const char *set_file;
	/* To gather what is named; NULL where all is gathered. */
	const struct input_visitor *visitor;
	const char *place;
	bool failed; /* the machine, not the input */
};

static int
read_input(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	struct files *files = ctx;
	AUTO_CHARS(path) = beside_set(files->set_file, given);
	const struct input *input;

	files->failed = files->failed || path == NULL;
	if (path == NULL)
		return -1;
	if (files->visitor != NULL &&
	    files->visitor->need(
		files->visitor->ctx, INPUT_FILE, path, files->place) < 0) {
		files->failed = true;
		return -1;
	}
	input = inputs_find(files->inputs, INPUT_FILE, path);
	if (input == NULL)
		return ca_error(CA_R_MISSING, "'%s' cannot be read", path);
	*ret_data = bytes_copy(input->data, input->len);
	*ret_len = input->len;
	files->failed = files->failed || *ret_data == NULL;
	return *ret_data == NULL ? -1 : 0;
}

static int
read_set(struct files *files, bool shares, int64_t now,
    struct findings *findings, struct quorum_set **ret_set)
{
	const struct set_files reader = { .ctx = files, .read = read_input };
	const struct input *input =
	    inputs_find(files->inputs, INPUT_FILE, files->set_file);

	if (input == NULL)
		return ca_error(
		    CA_R_INPUT, "'%s' cannot be read", files->set_file);
	return set_read(files->set_file, input->data, input->len, shares, now,
	    &reader, findings, ret_set);
}

int
reshare_read_set(const struct inputs *inputs,
    const struct reshare_params *params, bool shares, int64_t now,
    struct findings *findings, struct quorum_set **ret_set)
{
	struct files files = { .inputs = inputs, .set_file = params->set };

	return read_set(&files, shares, now, findings, ret_set);
}

/*
 * The set file, and whatever it names.  What is wrong in it is said by the
 * check, over the same bytes.
 */
static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct reshare_params *p = step->params;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(quorum_set) *set = NULL;
	struct files files = {
		.inputs = visitor->inputs,
		.set_file = p->set,
		.visitor = visitor,
		.place = step_place(step, "set"),
	};

	if (visitor->need(visitor->ctx, INPUT_FILE, p->set, files.place) < 0)
		return -1;
	if (inputs_find(visitor->inputs, INPUT_FILE, p->set) == NULL)
		return 0; /* it gave a finding */
	if (read_set(&files, true, 0, &findings, &set) == 0)
		return 0;
	if (files.failed || ca_error_exit_status() != CA_EXIT_REFUSED)
		return -1;
	ca_error_clear();
	return 0;
}

/* ---- backups ---------------------------------------------------------- */

/* By a person's event, or by an answer that a reshare got. */
static bool
is_destroyed(const char *event, const char *fate)
{
	return strcmp(event, "copy-destroyed") == 0 ||
	    (strcmp(event, "backup-fate") == 0 && fate != NULL &&
		strcmp(fate, "destroyed") == 0);
}

/* Serial to text: the backups that may still be somewhere. */
static int
take_event(void *ctx, uint64_t seq, const char *line, size_t len)
{
	json_t *backups = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	json_t *data = json_object_get(entry, "data");
	const char *event = json_string_value(json_object_get(data, "event"));
	const char *serial = json_string_value(json_object_get(data, "serial"));
	const char *fate = json_string_value(json_object_get(data, "fate"));
	json_t *text = json_object_get(entry, "text");
	int rc = 0;

	(void)seq;
	if (event != NULL && serial != NULL && strcmp(event, "backup") == 0)
		rc = json_object_set(backups, serial, text);
	else if (event != NULL && serial != NULL && is_destroyed(event, fate))
		(void)json_object_del(backups, serial);
	json_decref(entry);
	return rc == 0 ? 0 : ca_error(CA_R_MEMORY, "no memory for backups");
}

int
reshare_each_backup(struct journal *journal,
    int (*visit)(void *ctx, const char *serial, const char *text), void *ctx)
{
	json_t *backups = json_object();
	const char *serial;
	json_t *text;
	int rc;

	if (backups == NULL)
		return ca_error(CA_R_MEMORY, "no memory for backups");
	rc = journal_each_entry(journal, 0, ENTRY_EVENT, take_event, backups);
	if (rc == 0)
		json_object_foreach(backups, serial, text) if (rc == 0) rc =
		    visit(ctx, serial, json_string_value(text));
	json_decref(backups);
	return rc;
}

static const struct backup_params *
answer(const struct reshare_params *p, const char *serial)
{
	for (unsigned i = 0; i < p->backups_count; i++)
		if (strcmp(p->backups[i].serial, serial) == 0)
			return &p->backups[i];
	return NULL;
}

struct asking {
	struct build *build;
	const struct step *step;
	bool *known; /* of each answer */
};

static int
want_answer(void *ctx, const char *serial, const char *text)
{
	struct asking *asking = ctx;
	const struct reshare_params *p = asking->step->params;
	const struct backup_params *found = answer(p, serial);

	if (found != NULL)
		asking->known[found - p->backups] = true;
	else
		step_finding(asking->build, asking->step, "backups",
		    "RESHARE-BACKUP", NULL,
		    "what became of the token's backup '%s' (%s)? Say whether "
		    "it was destroyed, is remade, or is kept: the old shares "
		    "still open it",
		    serial, text == NULL ? "no text" : text);
	return 0;
}

static const char *
backup_place(const struct step *step, unsigned i, const char *member)
{
	return yaml_place(step->doc, "steps[%zu].reshare.backups[%u].%s",
	    step->index, i, member);
}

static void
check_answer(struct build *build, const struct step *step, unsigned i)
{
	const struct reshare_params *p = step->params;
	const struct backup_params *b = &p->backups[i];

	if (strcmp(b->fate, "destroyed") != 0 &&
	    strcmp(b->fate, "remade") != 0 && strcmp(b->fate, "kept") != 0)
		findings_add(build->findings, FINDING_ERROR, "RESHARE-BACKUP",
		    backup_place(step, i, "fate"), NULL,
		    "'%s' is none of 'destroyed', 'remade', 'kept'", b->fate);
	if (answer(p, b->serial) != b)
		findings_add(build->findings, FINDING_ERROR, "RESHARE-BACKUP",
		    backup_place(step, i, "serial"), NULL,
		    "backup '%s' is there twice", b->serial);
	if (strlen(b->note) > WHY_MAX)
		findings_add(build->findings, FINDING_ERROR, "RESHARE-BACKUP",
		    backup_place(step, i, "note"), NULL,
		    "the note is longer than %d octets", WHY_MAX);
	if (strcmp(b->fate, "kept") == 0)
		findings_add(build->findings, FINDING_WARNING, "RESHARE-BACKUP",
		    backup_place(step, i, "fate"), NULL,
		    "backup '%s' is kept: whoever has enough of the old shares "
		    "opens it, and uses its keys, without anybody noticing",
		    b->serial);
}

static int
check_backups(struct build *build, const struct step *step)
{
	const struct reshare_params *p = step->params;
	bool known[BACKUPS_MAX] = { false };
	struct asking asking = { build, step, known };

	if (reshare_each_backup(build->journal, want_answer, &asking) < 0)
		return -1;
	for (unsigned i = 0; i < p->backups_count; i++) {
		check_answer(build, step, i);
		if (!known[i])
			findings_add(build->findings, FINDING_WARNING,
			    "RESHARE-BACKUP", backup_place(step, i, "serial"),
			    NULL,
			    "the journal knows no backup '%s'; is it written "
			    "right?",
			    p->backups[i].serial);
	}
	return 0;
}

/* ---- the step --------------------------------------------------------- */

static int
check(struct build *build, const struct step *step)
{
	const struct reshare_params *p = step->params;
	AUTO_PTR(quorum_set) *set = NULL;

	step_alone(build, step);
	if (check_backups(build, step) < 0)
		return -1;
	if (inputs_find(build->inputs, INPUT_FILE, p->set) == NULL)
		return 0; /* reading the inputs gave a finding */
	if (reshare_read_set(build->inputs, p, build->shares, build->now,
		build->findings, &set) < 0) {
		if (ca_error_exit_status() != CA_EXIT_REFUSED)
			return -1;
		ca_error_clear(); /* the findings say it */
		return 0;
	}
	if (set_warning(set) != NULL)
		findings_add(build->findings, FINDING_WARNING, "SET-CONTROL",
		    step_place(step, "set"), NULL, "%s", set_warning(set));
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct reshare_params *p = step->params;

	return step_text(ret_text,
	    "put the operators of '%s' in the place of those of today, with a "
	    "new secret, new shares and new PINs of the token; the old shares "
	    "then open this token no more, but still every old copy of it, of "
	    "which the plan names %u",
	    p->set, p->backups_count);
}

static json_t *
people_json(const struct quorum_set *set)
{
	json_t *people = json_array();

	for (size_t i = 0; i < set->count; i++) {
		const struct person *person = &set->people[i];

		if (json_array_append_new(people,
			json_pack("{s:s, s:s, s:i, s:s, s:s?}", "name",
			    person->name, "role",
			    person->witness ? "witness" : "operator", "index",
			    (int)person->index, "sign", person->sign_spki,
			    "decrypt", person->decrypt_spki)) != 0) {
			json_decref(people);
			return NULL;
		}
	}
	return people;
}

static json_t *
backups_json(const struct reshare_params *p)
{
	json_t *backups = json_array();

	for (unsigned i = 0; i < p->backups_count; i++)
		if (json_array_append_new(backups,
			json_pack("{s:s, s:s, s:s}", "serial",
			    p->backups[i].serial, "fate", p->backups[i].fate,
			    "note", p->backups[i].note)) != 0) {
			json_decref(backups);
			return NULL;
		}
	return backups;
}

static char *
make_summary(const struct quorum_set *set, const struct reshare_params *p)
{
	const char *warning = set_warning(set);
	AUTO_CHARS(names) = text_copy("");

	for (size_t i = 0; i < set->count; i++) {
		char *longer;

		if (names == NULL || set->people[i].witness)
			continue;
		longer = text_printf(
		    "%s%s%s", names, i == 0 ? "" : ", ", set->people[i].name);
		free(names);
		names = longer;
	}
	if (names == NULL)
		return NULL;
	return text_printf(
	    "reshare: from now on %u of %u operators (%s), with new shares and "
	    "PINs; %u backups of the token accounted for%s%s%s",
	    set->threshold, set->operators, names, p->backups_count,
	    warning == NULL ? "" : " - ATTENTION: ",
	    warning == NULL ? "" : warning, warning == NULL ? "" : " -");
}

static int
add_act(
    struct build *build, const struct step *step, const struct quorum_set *set)
{
	const struct reshare_params *p = step->params;
	const struct input *input =
	    inputs_find(build->inputs, INPUT_FILE, p->set);
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };
	char hex[HASH_HEX_SIZE];

	text_hex_into(input->sha256, sizeof(input->sha256), hex);
	act.kind = text_copy("reshare");
	act.summary = make_summary(set, p);
	act.data = json_pack("{s:s, s:i, s:i, s:b, s:b, s:b, s:o, s:o}",
	    "set_file", hex, "threshold", (int)set->threshold, "operators",
	    (int)set->operators, "shares", set->shares ? 1 : 0,
	    "allow_single_control", set->allow_single_control ? 1 : 0,
	    "allow_no_spare", set->allow_no_spare ? 1 : 0, "people",
	    people_json(set), "backups", backups_json(p));
	return build_add_act(build, &act);
}

/*
 * The act stands in every list of the run, also when most of it is done: what
 * is left of it is looked up in the journal when it is performed.
 */
static int
build(struct build *build, const struct step *step)
{
	const struct reshare_params *p = step->params;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(quorum_set) *set = NULL;

	if (inputs_find(build->inputs, INPUT_FILE, p->set) == NULL)
		return 0; /* reading the inputs gave a finding */
	if (reshare_read_set(build->inputs, p, build->shares, build->now,
		&findings, &set) < 0)
		return build_error_to_finding(build, step, "set", "SET-FORMAT");
	return add_act(build, step, set);
}

const struct step_kind step_reshare = {
	.name = "reshare",
	.params_offset = offsetof(struct step_params, reshare),
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
};
