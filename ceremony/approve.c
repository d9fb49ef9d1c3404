/* Approvals: operators' signatures over a plan's manifest. */
#include "ceremony/approve.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/act-lists.h"
#include "ceremony/decode.h"
#include "ceremony/quorum/words.h"
#include "ceremony/run-private.h"

enum { MANIFEST_MAX_BYTES = 16 << 20 };

/* What an approval is a signature over: the exact octets of manifest.json. */
static void
approval_of(const struct plan *plan, struct statement_kind *ret_kind)
{
	*ret_kind = (struct statement_kind){
		.purpose = SIGNATURE_APPROVE,
		.folder = "approvals",
		.prefix = "",
		.content = plan->manifest,
		.len = strlen(plan->manifest),
	};
}

/* ---- showing ---------------------------------------------------------- */

/* Takes `text`; NULL is -1. */
static int
say(const struct room *room, enum room_style style, char *text)
{
	if (text == NULL)
		return -1;
	room->show(room->ctx, style, text);
	free(text);
	return 0;
}

int
room_lines(const struct room *room, const char *indent, const char *text)
{
	if (text == NULL)
		return -1;
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");

		if (say(room, ROOM_TEXT,
			text_printf("%s%.*s", indent, (int)len, text)) < 0)
			return -1;
		text += len + (text[len] == '\n');
	}
	return 0;
}

int
room_digest(const struct room *room, const char *label, const char *sha256)
{
	AUTO_CHARS(words) = NULL;

	if (words_of_sha256(sha256, &words) < 0)
		return -1;
	return say(room, ROOM_TEXT,
	    text_printf("%s\n  %s\n  read aloud: %s", label, sha256, words));
}

static int
show_warnings(struct authority *authority, const struct room *room)
{
	AUTO_CHARS(text) = NULL;
	char *at, *line;

	if (authority_warnings(authority, &text) < 0)
		return -1;
	for (at = text; at != NULL && (line = strsep(&at, "\n")) != NULL;)
		if (line[0] != '\0')
			room->show(room->ctx, ROOM_WARNING, line);
	return 0;
}

struct describing {
	const struct room *room;
	bool failed;
};

static void
describe_step(void *ctx, size_t step, const char *kind, const char *text)
{
	struct describing *d = ctx;

	(void)kind;
	if (say(d->room, ROOM_TEXT, text_printf("%zu. %s", step, text)) < 0)
		d->failed = true;
}

static int
show_acknowledged(void *ctx, const char *text)
{
	const struct describing *d = ctx;

	d->room->show(d->room->ctx, ROOM_WARNING, text);
	return 0;
}

/* With what the linter found in the object and lets pass. */
static int
show_linted(const struct room *room, const struct built_object *o)
{
	AUTO_CHARS(text) = NULL;

	if (built_lint_text(o->lint, &text) < 0)
		return -1;
	return room_lint(room, text);
}

int
room_lint(const struct room *room, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		AUTO_CHARS(line) =
		    text_printf("the linter says of it: %.*s", (int)len, text);

		if (line == NULL)
			return -1;
		room->show(room->ctx, ROOM_WARNING, line);
		text += len + (text[len] == '\n');
	}
	return 0;
}

/* Each object and act, in one line. */
static int
show_preview(const struct plan *plan, const struct room *room)
{
	const struct build *build = &plan->preview;

	if (build->object_count + build->act_count > 0)
		room->show(room->ctx, ROOM_TEXT,
		    "It would make (keys, serial numbers and times are "
		    "placeholders):");
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];

		if (say(room, ROOM_TEXT,
			text_printf("  %s '%s': %s", object_kind_name(o->kind),
			    o->name, o->summary)) < 0 ||
		    show_linted(room, o) < 0)
			return -1;
	}
	for (size_t i = 0; i < build->act_count; i++)
		if (say(room, ROOM_TEXT,
			text_printf("  %s", build->acts[i].summary)) < 0)
			return -1;
	return 0;
}

static int
show_window(const struct plan *plan, const struct room *room)
{
	char from[DATE_TEXT_SIZE], until[DATE_TEXT_SIZE];

	date_format(plan->from, from);
	date_format(plan->until, until);
	return say(room, ROOM_TEXT,
	    text_printf("It may be run from %s to %s.", from, until));
}

static int
show_digests(const struct plan *plan, const struct room *room)
{
	char root[HASH_HEX_SIZE];
	AUTO_CHARS(label) = text_printf("the journal it rests on, %" PRIu64
					" entries, root hash:",
	    plan->size);

	text_hex_into(plan->root, HASH_LEN, root);
	if (label == NULL ||
	    room_digest(room,
		"the plan with all that it rests on (its "
		"manifest), SHA-256:",
		plan->manifest_sha256) < 0)
		return -1;
	return room_digest(room, label, root);
}

/* What an operator must know before approving. */
static int
show_plan(struct authority *authority, const struct plan *plan,
    const struct quorum_set *set, const struct room *room)
{
	struct describing d = { .room = room };
	AUTO_CHARS(heading) = NULL;

	if (step_text(&heading, "To be approved: plan %s: %s", plan_id(plan),
		plan_title(plan)) < 0)
		return -1;
	room->show(room->ctx, ROOM_PHASE, heading);
	if (show_warnings(authority, room) < 0 || show_window(plan, room) < 0 ||
	    plan_describe(plan, describe_step, &d) < 0 || d.failed ||
	    show_preview(plan, room) < 0 ||
	    plan_acknowledged(plan, show_acknowledged, &d) < 0)
		return -1;
	if (plan_unattended(plan))
		room->show(room->ctx, ROOM_WARNING,
		    "this plan runs unattended: after its approval nobody "
		    "looks at what is signed");
	if (say(room, ROOM_TEXT,
		text_printf("%u of %u operators of quorum set %s must approve "
			    "it.",
		    set->threshold, set->operators, set->id)) < 0)
		return -1;
	return show_digests(plan, room);
}

/* ---- what became void ------------------------------------------------- */

/* The approvals of other directories of this plan. */
struct void_search {
	struct plan *plan;
	json_t *manifest; /* of this plan */
	char **rows;      /* sentences */
	size_t count;
};

static void
void_search_clear(struct void_search *search)
{
	for (size_t i = 0; i < search->count; i++)
		free(search->rows[i]);
	free(search->rows);
	json_decref(search->manifest);
}
CLEANUP_DEFINE_STRUCT(void_search);

static int
is_statement(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strstr(entry->d_name, ".cms") != NULL;
}

static bool
has_approvals(int fd)
{
	struct dirent **names = NULL;
	int count = scandirat(fd, "approvals", &names, is_statement, NULL);

	for (int i = 0; i < count; i++)
		free(names[i]);
	if (count >= 0)
		free(names);
	return count > 0;
}

/*
 * Why approvals are void.  Nobody has checked the manifest that it is read
 * from: it may name a million things, and a few of them say enough.
 */
enum { CAUSES_MAX = 10 };

struct causes {
	char *text; /* NULL: none so far */
	unsigned count;
};

static void
causes_clear(struct causes *causes)
{
	free(causes->text);
}
CLEANUP_DEFINE_STRUCT(causes);

static bool
causes_full(const struct causes *causes)
{
	return causes->count > CAUSES_MAX;
}

/* Add a cause; takes it, also on failure. */
static int
append_cause(struct causes *causes, char *cause)
{
	AUTO_CHARS(before) = TAKE(causes->text);
	AUTO_CHARS(owned) = cause;
	AUTO_CHARS(safe) =
	    owned == NULL ? NULL : text_escape(owned, strlen(owned));

	if (safe == NULL)
		return -1;
	causes->count++;
	causes->text = before == NULL ? TAKE(safe)
	    : causes_full(causes)     ? text_printf("%s, and more", before)
				      : text_printf("%s, %s", before, safe);
	return causes->text == NULL ? -1 : 0;
}

/* The row of an input in a manifest that nobody has checked. */
static const char *
input_hash(json_t *inputs, const char *role, const char *given)
{
	size_t i;
	json_t *row;

	json_array_foreach(inputs, i, row)
	{
		const char *r, *g, *sha;

		if (json_unpack(row, "{s:s, s:s, s:s}", "role", &r, "given", &g,
			"sha256", &sha) == 0 &&
		    strcmp(r, role) == 0 && strcmp(g, given) == 0)
			return sha;
	}
	return NULL;
}

/* What people call an input. */
static char *
input_title(const char *role, const char *given)
{
	if (strcmp(role, "plan") == 0)
		return text_copy("plan.yaml");
	if (strcmp(role, "profile") == 0)
		return text_printf("profile %s", given);
	return text_copy(given);
}

/* The inputs of `from` that `to` has with another hash, or has not. */
static int
compare_inputs(json_t *from, json_t *to, bool missing_only, const char *verb,
    struct causes *causes)
{
	size_t i;
	json_t *row;

	json_array_foreach(from, i, row)
	{
		const char *role, *given, *sha, *other;
		AUTO_CHARS(title) = NULL;

		if (causes_full(causes))
			return 0;
		if (json_unpack(row, "{s:s, s:s, s:s}", "role", &role, "given",
			&given, "sha256", &sha) != 0)
			continue;
		other = input_hash(to, role, given);
		if ((other == NULL) != missing_only ||
		    (other != NULL && strcmp(other, sha) == 0))
			continue;
		title = input_title(role, given);
		if (title == NULL ||
		    append_cause(
			causes, text_printf("%s was %s", title, verb)) < 0)
			return -1;
	}
	return 0;
}

/* Members whose change is not seen in any input. */
static int
compare_members(json_t *old, json_t *new, struct causes *causes)
{
	static const struct {
		const char *member, *text;
	} rows[] = {
		{ "genesis", "they are of another authority" },
		{ "set_sha256", "the quorum set was changed" },
		{ "module", "the PKCS#11 module was changed" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!causes_full(causes) &&
		    json_equal(json_object_get(old, rows[i].member),
			json_object_get(new, rows[i].member)) == 0 &&
		    append_cause(causes, text_copy(rows[i].text)) < 0)
			return -1;
	return 0;
}

static int
find_causes(json_t *old, json_t *new, char **ret_causes)
{
	json_t *before = json_object_get(old, "inputs");
	json_t *after = json_object_get(new, "inputs");
	AUTO_STRUCT(causes) causes = { 0 };

	if (compare_inputs(before, after, false, "changed", &causes) < 0 ||
	    compare_inputs(before, after, true, "left out", &causes) < 0 ||
	    compare_inputs(after, before, true, "added", &causes) < 0 ||
	    compare_members(old, new, &causes) < 0)
		return -1;
	*ret_causes = causes.text != NULL
	    ? TAKE(causes.text)
	    : text_copy("the journal is not one that grew from theirs");
	return *ret_causes == NULL ? -1 : 0;
}

static int
add_sentence(struct void_search *search, const char *name, const char *causes)
{
	AUTO_CHARS(text) = text_printf(
	    "approvals in ceremonies/%s are void: %s", name, causes);
	char **rows =
	    realloc(search->rows, (search->count + 1) * sizeof(*rows));

	if (rows != NULL)
		search->rows = rows;
	if (text == NULL || rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for approvals");
	rows[search->count++] = TAKE(text);
	return 0;
}

static int
add_void(struct void_search *search, const char *name, json_t *old)
{
	AUTO_CHARS(causes) = NULL;

	if (old == NULL)
		causes = text_copy("their manifest is damaged");
	else if (find_causes(old, search->manifest, &causes) < 0)
		return -1;
	return causes == NULL ? -1 : add_sentence(search, name, causes);
}

static int
visit_directory(void *ctx, int ceremonies, const char *name)
{
	struct void_search *search = ctx;
	AUTO_FD(fd) = -1;
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	json_t *old = NULL;
	int rc;

	if (strcmp(name, search->plan->directory) == 0)
		return 0;
	if (dir_open_at(ceremonies, name, &fd) < 0) {
		ca_error_clear();
		return 0;
	}
	if (!has_approvals(fd))
		return 0;
	if (file_read_at(fd, "manifest.json", MANIFEST_MAX_BYTES, &data, &len) <
	    0)
		ca_error_clear();
	else
		old = json_loadb((const char *)data, len, 0, NULL);
	rc = add_void(search, name, old);
	json_decref(old);
	return rc;
}

static int
find_void(
    struct authority *authority, struct plan *plan, struct void_search *search)
{
	search->plan = plan;
	search->manifest = json_loads(plan->manifest, 0, NULL);
	if (search->manifest == NULL)
		return ca_error(CA_R_CORRUPT, "the manifest is no JSON");
	return plan_each_directory(
	    authority, plan_id(plan), visit_directory, search);
}

/* ---- asking ----------------------------------------------------------- */

struct approving {
	struct authority *authority;
	struct plan *plan;
	const struct quorum_set *set;
	const struct room *room;
	int dirfd;
	struct operators *operators;
	bool everybody;
	size_t needed;
};

/* What the preview knows of one thing that the plan would make. */
static int
show_item(void *ctx, size_t item)
{
	const struct approving *a = ctx;
	const struct build *build = &a->plan->preview;

	if (item <= build->object_count) {
		const struct built_object *o = &build->objects[item - 1];

		if (room_lines(a->room, "", o->summary) < 0 ||
		    room_lines(a->room, "  ", o->details) < 0)
			return -1;
		return decode_show(a->room, "  ", &o->tbs);
	}
	item -= build->object_count;
	if (room_lines(a->room, "", build->acts[item - 1].summary) < 0 ||
	    act_show(a->room, "  ", &build->acts[item - 1]) < 0)
		return -1;
	return room_lines(a->room, "  ", build->acts[item - 1].text);
}

/* They may be in the room, but this is not theirs to do. */
static int
show_witnesses(const struct approving *a)
{
	for (size_t i = 0; i < a->room->operator_count; i++) {
		const char *name = a->room->operators[i].name;
		const struct person *person = set_person(a->set, name);

		if (person != NULL && person->witness &&
		    say(a->room, ROOM_WARNING,
			text_printf("'%s' is a witness, who neither approves "
				    "nor confirms",
			    name)) < 0)
			return -1;
	}
	return 0;
}

static int
show_void(const struct approving *a)
{
	AUTO_STRUCT(void_search) search = { 0 };

	if (find_void(a->authority, a->plan, &search) < 0)
		return -1;
	for (size_t i = 0; i < search.count; i++)
		a->room->show(a->room->ctx, ROOM_WARNING, search.rows[i]);
	return 0;
}

static int
ask(struct approving *a, struct statements *approvals)
{
	struct statement_kind kind;
	struct statement_ask ask = {
		.operators = a->operators,
		.why = "to approve the plan",
		.question = "Do you approve this plan?",
		.items =
		    a->plan->preview.object_count + a->plan->preview.act_count,
		.show = show_item,
		.ctx = a,
		.everybody = a->everybody,
	};
	AUTO_CHARS(why) = NULL;
	AUTO_CHARS(names) = NULL;

	approval_of(a->plan, &kind);
	if (show_witnesses(a) < 0 || show_void(a) < 0 ||
	    show_plan(a->authority, a->plan, a->set, a->room) < 0)
		return -1;
	if (statements_ask(a->dirfd, &kind, &ask, a->needed, approvals) == 0)
		return 0;
	if (ca_error_reason() == CA_R_POLICY && ask.refused_by != NULL) {
		ca_error_clear();
		return ca_error(CA_R_POLICY, "'%s' does not approve the plan",
		    ask.refused_by->name);
	}
	if (ca_error_reason() != CA_R_QUORUM)
		return -1;
	why = ca_error_take();
	if (why == NULL || statements_names(approvals, &names) < 0)
		return -1;
	return ca_error(CA_R_QUORUM,
	    "%u operators must approve the plan, and %zu did (%s); nothing was "
	    "done: %s",
	    a->set->threshold, approvals->count, names, why);
}

int
approve_check_receipt(struct authority *authority, const struct room *room)
{
	uint64_t size = 0;

	if (room->receipt == NULL)
		return 0;
	if (authority_check_receipt(authority, room->receipt, &size) < 0)
		return -1;
	return say(room, ROOM_TEXT,
	    text_printf("The journal goes on from the receipt, which is of its "
			"first %" PRIu64 " entries.",
		size));
}

int
approve_collect(struct authority *authority, struct plan *plan, int dirfd,
    struct operators *operators, struct findings *findings,
    struct statements *ret_approvals)
{
	struct approving a = {
		.authority = authority,
		.plan = plan,
		.set = operators->set,
		.room = operators->room,
		.dirfd = dirfd,
		.operators = operators,
		.needed = operators->set->threshold,
	};
	AUTO_STRUCT(statements) approvals = { 0 };
	AUTO_CHARS(names) = NULL;
	struct statement_kind kind;

	approval_of(plan, &kind);
	if (statements_load(dirfd, &kind, a.set, findings, &approvals) < 0)
		return -1;
	if (approvals.count < a.needed && ask(&a, &approvals) < 0)
		return -1;
	if (statements_names(&approvals, &names) < 0 ||
	    say(a.room, ROOM_TEXT, text_printf("Approved by %s.", names)) < 0)
		return -1;
	*ret_approvals = approvals;
	approvals = (struct statements){ 0 };
	return 0;
}

/* ---- plan approve ----------------------------------------------------- */

static int
open_directory(
    struct authority *authority, const struct plan *plan, int *ret_fd)
{
	AUTO_FD(parent) = -1;

	if (dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0)
		return -1;
	return dir_open_at(parent, plan->directory, ret_fd);
}

/* Who is in the room has approved already: nobody need be asked. */
static bool
all_have_approved(
    const struct operators *operators, const struct statements *approvals)
{
	const struct person *person;

	if (operators_at(operators, 0) == NULL)
		return false;
	for (size_t i = 0; (person = operators_at(operators, i)) != NULL; i++)
		if (!statements_have(approvals, person))
			return false;
	return true;
}

static int
approve(struct approving *a, struct findings *findings)
{
	AUTO_STRUCT(statements) approvals = { 0 };
	AUTO_CHARS(names) = NULL;
	struct statement_kind kind;

	approval_of(a->plan, &kind);
	if (statements_load(a->dirfd, &kind, a->set, findings, &approvals) < 0)
		return -1;
	if (all_have_approved(a->operators, &approvals)) {
		if (statements_names(&approvals, &names) < 0)
			return -1;
		return say(a->room, ROOM_TEXT,
		    text_printf("Nothing to do: approved by %s.", names));
	}
	a->needed = operators_at(a->operators, 0) == NULL ? approvals.count + 1
							  : approvals.count;
	return ask(a, &approvals);
}

int
plan_approve(struct authority *authority, struct plan *plan,
    const struct room *room, struct findings *findings)
{
	AUTO_STRUCT(operators) operators = { 0 };
	AUTO_FD(fd) = -1;
	struct approving a = {
		.authority = authority,
		.plan = plan,
		.room = room,
		.operators = &operators,
		.everybody = true,
	};

	if (authority_quorum(authority, &a.set) < 0 ||
	    operators_open(room, a.set, &operators) < 0 ||
	    approve_check_receipt(authority, room) < 0 ||
	    plan_keep(authority, plan) < 0 ||
	    open_directory(authority, plan, &fd) < 0 || dir_sweep(fd) < 0)
		return -1;
	a.dirfd = fd;
	return approve(&a, findings);
}

/* ---- plan status ------------------------------------------------------ */

void
plan_status_clear(struct plan_status *status)
{
	for (size_t i = 0; i < status->approved_count; i++)
		free(status->approved[i]);
	for (size_t i = 0; i < status->missing_count; i++)
		free(status->missing[i]);
	for (size_t i = 0; i < status->void_count; i++)
		free(status->void_approvals[i]);
	free(status->approved);
	free(status->missing);
	free(status->void_approvals);
	free(status->set);
	*status = (struct plan_status){ 0 };
}

/* Everybody who may approve, on one side or on the other. */
static int
sort_people(const struct quorum_set *set, const struct statements *approvals,
    struct plan_status *status)
{
	status->approved = calloc(set->count + 1, sizeof(char *));
	status->missing = calloc(set->count + 1, sizeof(char *));
	if (status->approved == NULL || status->missing == NULL)
		return ca_error(CA_R_MEMORY, "no memory for names");
	for (size_t i = 0; i < set->count; i++) {
		const struct person *person = &set->people[i];
		bool there = statements_have(approvals, person);
		char *name;

		if (person->witness)
			continue;
		name = text_copy(person->name);
		if (name == NULL)
			return -1;
		if (there)
			status->approved[status->approved_count++] = name;
		else
			status->missing[status->missing_count++] = name;
	}
	return 0;
}

static int
load_approvals(struct authority *authority, const struct plan *plan,
    const struct quorum_set *set, struct findings *findings,
    struct statements *ret_approvals)
{
	struct statement_kind kind;
	AUTO_FD(fd) = -1;

	if (!plan->kept)
		return 0;
	approval_of(plan, &kind);
	if (open_directory(authority, plan, &fd) < 0)
		return -1;
	return statements_load(fd, &kind, set, findings, ret_approvals);
}

/* How the run of the plan stands, where there was one. */
static int
find_run(struct authority *authority, const struct plan *plan,
    const char **ret_state)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_run_of_plan(
		authority_journal(authority), plan_id(plan), &found, &row) < 0)
		return -1;
	if (!found)
		*ret_state = "not run";
	else if (row.open)
		*ret_state = "open";
	else if (row.abandoned)
		*ret_state = "abandoned";
	else
		*ret_state = row.refused ? "refused" : "done";
	return 0;
}

/*
 * The set whose approvals count: that in force, or, for a plan that was begun,
 * that of its manifest.
 */
static int
set_of(struct authority *authority, const struct plan *plan, bool begun,
    struct quorum_set **ret_own, const struct quorum_set **ret_set)
{
	int fd = -1;

	if (!begun)
		return authority_quorum(authority, ret_set);
	if (authority_quorum_fd(authority, &fd) < 0 ||
	    set_load(fd, plan->set, plan->set_sha256, ret_own) < 0)
		return -1;
	*ret_set = *ret_own;
	return 0;
}

/* A kept plan that waits: are its own approvals still good for anything? */
static int
find_stale(struct authority *authority, struct plan *plan,
    const struct quorum_set *set, struct void_search *search, bool *ret_stale)
{
	const struct input *input =
	    inputs_find(&plan->inputs, INPUT_AUTHORITY, "authority.yaml");
	AUTO_CHARS(cause) = NULL;
	char hex[HASH_HEX_SIZE] = "";

	if (input != NULL)
		text_hex_into(input->sha256, HASH_LEN, hex);
	if (strcmp(set->sha256, plan->set_sha256) != 0)
		cause = text_copy("the quorum set was changed");
	else if (strcmp(hex, authority_config_sha256(authority)) != 0)
		cause = text_copy("authority.yaml was changed");
	else
		return 0;
	*ret_stale = true;
	return cause == NULL ? -1
			     : add_sentence(search, plan->directory, cause);
}

static int
fill_status(struct authority *authority, struct plan *plan,
    struct findings *findings, struct void_search *search,
    struct plan_status *status)
{
	AUTO_STRUCT(statements) approvals = { 0 };
	AUTO_PTR(quorum_set) *own = NULL;
	const struct quorum_set *set = NULL;
	bool begun, stale = false;

	if (find_run(authority, plan, &status->run) < 0)
		return -1;
	begun = plan->kept && strcmp(status->run, "not run") != 0;
	if (set_of(authority, plan, begun, &own, &set) < 0 ||
	    (!begun && plan->kept &&
		find_stale(authority, plan, set, search, &stale) < 0) ||
	    (!stale &&
		load_approvals(authority, plan, set, findings, &approvals) <
		    0) ||
	    sort_people(set, &approvals, status) < 0 ||
	    find_void(authority, plan, search) < 0)
		return -1;
	status->threshold = set->threshold;
	status->set = text_copy(set->id);
	return status->set == NULL ? -1 : 0;
}

int
plan_status(struct authority *authority, struct plan *plan,
    struct findings *findings, struct plan_status *ret_status)
{
	AUTO_STRUCT(void_search) search = { 0 };
	AUTO_STRUCT(plan_status) status = { 0 };

	if (plan_find_kept(authority, plan) < 0 ||
	    fill_status(authority, plan, findings, &search, &status) < 0)
		return -1;
	status.void_approvals = TAKE(search.rows);
	status.void_count = search.count;
	search.count = 0;
	*ret_status = status;
	status = (struct plan_status){ 0 };
	return 0;
}
