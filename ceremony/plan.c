/*
 * Plans: read, their inputs gathered, checked.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/plan-private.h"
#include "ceremony/run-private.h"

/* ---- reading ---------------------------------------------------------- */

static void
header_finding(struct plan *plan, struct findings *findings, const char *member,
    const char *id, const char *text)
{
	findings_add(findings, FINDING_ERROR, id,
	    yaml_place(plan->doc, "%s", member), NULL, "%s", text);
}

static void
parse_date(struct plan *plan, struct findings *findings, const char *member,
    const char *text, int64_t *ret_date)
{
	if (date_parse(text, ret_date) == 0)
		return;
	ca_error_clear();
	header_finding(plan, findings, member, "DATE",
	    "this is not a date; write it as 2026-11-20T12:00:00Z");
}

static void
check_header(struct plan *plan, struct findings *findings)
{
	const struct plan_params *p = plan->params;

	if (strcmp(p->format, "ca-tool-plan-1") != 0)
		header_finding(plan, findings, "format", "PLAN-FORMAT",
		    "this format is not known to this version, which reads "
		    "'ca-tool-plan-1'");
	if (!text_is_name(p->id))
		header_finding(plan, findings, "id", "NAME-FORM",
		    "this is not a name; use 1 to 64 of a-z 0-9 . _ - and "
		    "begin and end with a letter or digit");
	parse_date(plan, findings, "window.from", p->window.from, &plan->from);
	parse_date(
	    plan, findings, "window.until", p->window.until, &plan->until);
	if (p->unattended != NULL && strcmp(p->unattended, "true") != 0 &&
	    strcmp(p->unattended, "false") != 0)
		header_finding(plan, findings, "unattended", "PLAN-UNATTENDED",
		    "this is neither 'true' nor 'false'");
	if (plan->from != 0 && plan->until != 0 && plan->until <= plan->from)
		header_finding(plan, findings, "window.until", "PLAN-WINDOW",
		    "the window ends before it begins");
}

/* What `plan new` leaves to a person is written as <what it is>. */
static void
find_blank(void *ctx, const char *value, const char *place)
{
	size_t len = strlen(value);

	if (len > 2 && value[0] == '<' && value[len - 1] == '>')
		findings_add(ctx, FINDING_ERROR, "PLAN-BLANK", place, NULL,
		    "this is not filled in; put in the place of '%s' what it "
		    "says",
		    value);
}

static int
check_filled(struct plan *plan, struct findings *findings)
{
	size_t errors = findings->errors;

	yaml_each_value(plan->doc, find_blank, findings);
	return findings->errors == errors
	    ? 0
	    : ca_error(CA_R_INPUT, "the plan is not filled in");
}

int
plan_parse(struct plan *plan, struct findings *findings)
{
	const struct input *input =
	    inputs_find(&plan->inputs, INPUT_PLAN, "plan");
	size_t errors = findings->errors;
	void *value = NULL;

	if (input == NULL)
		return ca_error(CA_R_CORRUPT, "a plan without a plan file");
	if (yaml_load(plan->file, input->data, input->len, &plan_schema,
		findings, &plan->doc, &value) < 0)
		return -1;
	plan->params = value;
	if (check_filled(plan, findings) < 0)
		return -1;
	check_header(plan, findings);
	if (steps_make(plan->params, plan->doc, findings, &plan->steps) < 0)
		return -1;
	if (findings->errors > errors)
		return ca_error(CA_R_INPUT, "the plan's header is not valid");
	return 0;
}

/* ---- gathering inputs ------------------------------------------------- */

struct gathering {
	struct authority *authority;
	struct plan *plan;
	struct findings *findings;
	const char *base; /* the plan's directory, with its slash, or "" */
};

/* A file that is missing or no file is the plan's fault, not the machine's. */
static int
unreadable(struct gathering *g, const char *place)
{
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	findings_take_error(g->findings, "INPUT", place);
	return 0;
}

static int
gather_profile(struct gathering *g, const char *name, const char *place)
{
	AUTO_CHARS(path) = text_printf("profiles/%s.yaml", name);
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (path == NULL)
		return -1;
	if (!text_is_name(name)) {
		findings_add(g->findings, FINDING_ERROR, "NAME-FORM", place,
		    NULL, "'%s' is not the name of a profile", name);
		return 0;
	}
	if (file_exists_at(authority_fd(g->authority), path) == 0) {
		findings_add(g->findings, FINDING_ERROR, "PROFILE-MISSING",
		    place, NULL,
		    "this authority has no profile '%s'; those in its "
		    "directory profiles/ may be used",
		    name);
		return 0;
	}
	if (file_read_at(authority_fd(g->authority), path, INPUT_MAX_BYTES,
		&data, &len) < 0)
		return unreadable(g, place);
	return inputs_add(
	    &g->plan->inputs, INPUT_PROFILE, name, NULL, TAKE(data), len);
}

static int
gather_file(struct gathering *g, const char *given, const char *place)
{
	AUTO_CHARS(path) =
	    text_printf("%s%s", given[0] == '/' ? "" : g->base, given);
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (path == NULL)
		return -1;
	if (file_read_at(AT_FDCWD, path, INPUT_MAX_BYTES, &data, &len) < 0)
		return unreadable(g, place);
	return inputs_add(
	    &g->plan->inputs, INPUT_FILE, given, NULL, TAKE(data), len);
}

static int
need_bulk(void *ctx, const char *given, const char *place)
{
	struct gathering *g = ctx;
	AUTO_CHARS(path) =
	    text_printf("%s%s", given[0] == '/' ? "" : g->base, given);
	AUTO_STRUCT(spilled) bulk = { .fd = -1 };
	size_t errors = g->findings->errors;

	if (path == NULL)
		return -1;
	if (inputs_find(&g->plan->inputs, INPUT_BULK, given) != NULL)
		return 0;
	if (bulk_read(path, place, authority_fd(g->authority), g->findings,
		&bulk) < 0)
		return unreadable(g, place);
	return g->findings->errors > errors
	    ? 0
	    : inputs_add_bulk(&g->plan->inputs, INPUT_BULK, given, NULL, &bulk);
}

static int
need_input(
    void *ctx, enum input_role role, const char *given, const char *place)
{
	struct gathering *g = ctx;

	if (inputs_find(&g->plan->inputs, role, given) != NULL)
		return 0;
	return role == INPUT_PROFILE ? gather_profile(g, given, place)
				     : gather_file(g, given, place);
}

static int
is_profile(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 &&
	    strcmp(entry->d_name + len - 5, ".yaml") == 0;
}

/* For a step that takes in what the directory holds now. */
static int
need_profiles(void *ctx, const char *place)
{
	struct gathering *g = ctx;
	struct dirent **names = NULL;
	int count = scandirat(authority_fd(g->authority), "profiles", &names,
		is_profile, alphasort),
	    rc = 0;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'profiles'");
	for (int i = 0; i < count; i++) {
		AUTO_CHARS(name) = text_printf("%.*s",
		    (int)strlen(names[i]->d_name) - 5, names[i]->d_name);

		if (rc == 0)
			rc = name == NULL
			    ? -1
			    : need_input(g, INPUT_PROFILE, name, place);
		free(names[i]);
	}
	free(names);
	return rc;
}

static int
gather_inputs(struct gathering *g)
{
	const struct input_visitor visitor = {
		.ctx = g,
		.need = need_input,
		.need_bulk = need_bulk,
		.need_profiles = need_profiles,
		.inputs = &g->plan->inputs,
	};
	size_t len = 0;
	const unsigned char *config =
	    authority_config_bytes(g->authority, &len);
	unsigned char *copy = bytes_copy(config, len);

	if (copy == NULL ||
	    inputs_add(&g->plan->inputs, INPUT_AUTHORITY, "authority.yaml",
		NULL, copy, len) < 0)
		return -1;
	for (size_t i = 0; i < g->plan->params->steps_count; i++) {
		const struct step *step = &g->plan->steps[i];

		if (step->kind->inputs != NULL &&
		    step->kind->inputs(step, &visitor) < 0)
			return -1;
	}
	return 0;
}

/* ---- what the journal has recorded ------------------------------------ */

/* A plan is for the authority as it is configured now. */
static int
check_config(struct authority *authority, const struct plan *plan)
{
	const struct input *input =
	    inputs_find(&plan->inputs, INPUT_AUTHORITY, "authority.yaml");
	char hex[65] = "";

	if (input != NULL)
		text_hex_into(input->sha256, HASH_LEN, hex);
	if (strcmp(hex, authority_config_sha256(authority)) != 0)
		return ca_error(CA_R_VERIFY,
		    "the plan was checked with another authority.yaml, so its "
		    "approvals are void; check it again");
	return 0;
}

static int
check_pin(struct journal *journal, const struct input *input,
    struct findings *findings)
{
	const char *name = input->given;
	AUTO_CHARS(place) = text_printf("profiles/%s.yaml", name);
	AUTO_CHARS(recorded) = NULL;
	char hex[HASH_HEX_SIZE];
	bool found = false;

	if (place == NULL ||
	    journal_profile(journal, name, &found, &recorded) < 0)
		return -1;
	text_hex_into(input->sha256, HASH_LEN, hex);
	if (!found)
		findings_add(findings, FINDING_ERROR, "PROFILE-PINNED", place,
		    "BR 5.4.1 (1.7)",
		    "profile '%s' is not one that the journal has recorded for "
		    "this authority, and only those may be used; a plan of "
		    "'adopt-config' takes it in",
		    name);
	else if (strcmp(hex, recorded) != 0)
		findings_add(findings, FINDING_ERROR, "PROFILE-PINNED", place,
		    "BR 5.4.1 (1.7)",
		    "profile '%s' is not as the journal has recorded it for "
		    "this authority; put that one back, or take this one in "
		    "with a plan of 'adopt-config'",
		    name);
	return 0;
}

/* Each profile must be the one that the journal has recorded. */
static int
check_pins(struct authority *authority, const struct plan *plan,
    struct findings *findings)
{
	for (size_t i = 0; i < plan->inputs.count; i++)
		if (plan->inputs.rows[i].role == INPUT_PROFILE &&
		    check_pin(authority_journal(authority),
			&plan->inputs.rows[i], findings) < 0)
			return -1;
	return 0;
}

/* ---- checking --------------------------------------------------------- */

static int
system_random(void *ctx, unsigned char *ret_bytes, size_t len)
{
	(void)ctx;
	if (RAND_priv_bytes(ret_bytes, (int)len) != 1)
		return ca_error(CA_R_INTERNAL, "no random octets");
	return 0;
}

int
plan_build_setup(struct authority *authority, const struct plan *plan,
    enum build_mode mode, int64_t now, struct findings *findings,
    struct build *ret_build)
{
	const struct authority_config *config = authority_config(authority);
	const struct blocklist *blocklist = NULL;
	AUTO_FD(fd) = -1;

	/* The ways out make nothing that is linted. */
	if (dir_open_at(authority_fd(authority), "public", &fd) < 0 ||
	    (special_of_plan(plan) == NULL &&
		authority_blocklist(authority, &blocklist) < 0))
		return -1;
	*ret_build = (struct build) {
		.mode = mode,
		.journal = authority_journal(authority),
		.urls = {
			[URL_CRL] = config->publication.crl,
			[URL_CA_ISSUERS] = config->publication.ca_issuers,
			[URL_OCSP] = config->publication.ocsp,
		},
		.blocklist = blocklist,
		.inputs = &plan->inputs,
		.shares = authority_login_kind(authority) == LOGIN_DERIVED ||
		    authority_login_kind(authority) == LOGIN_ADOPTED,
		.public_fd = TAKE_FD(fd),
		.scratch_fd = authority_fd(authority),
		.now = now,
		.random = system_random,
		.findings = findings,
	};
	return 0;
}

/* A plan that ran, or that could not run now, is told at once. */
static int
check_state(struct authority *authority, const struct plan *plan, int64_t now,
    struct findings *findings)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_run_of_plan(authority_journal(authority), plan->params->id,
		&found, &row) < 0)
		return -1;
	if (found)
		findings_add(findings, FINDING_ERROR, "PLAN-ONCE",
		    yaml_place(plan->doc, "id"), NULL,
		    row.open ? "the run of this plan '%s' was cut off and is "
			       "open; go on with it by 'ca-tool plan run "
			       "--resume'"
			     : "a plan '%s' ran already; a plan runs once, so "
			       "give this one another id",
		    plan->params->id);
	if (now > plan->until)
		findings_add(findings, FINDING_ERROR, "PLAN-WINDOW",
		    yaml_place(plan->doc, "window.until"), NULL,
		    "the plan's window is over");
	return 0;
}

/* Is this kind of step one that authority.yaml lets run unattended? */
static bool
may_be_unattended(struct authority *authority, const char *kind)
{
	const struct authority_config *config = authority_config(authority);

	for (unsigned i = 0; i < config->unattended_count; i++)
		if (strcmp(config->unattended[i], kind) == 0)
			return true;
	return false;
}

static void
check_unattended_kinds(struct authority *authority, const struct plan *plan,
    struct findings *findings)
{
	for (size_t i = 0; i < plan->params->steps_count; i++) {
		const struct step *step = &plan->steps[i];

		if (special_of_plan(plan) != NULL ||
		    !may_be_unattended(authority, step->kind->name))
			findings_add(findings, FINDING_ERROR, "UNATTENDED-KIND",
			    step_place(step, NULL), NULL,
			    "authority.yaml does not let '%s' run unattended; "
			    "leave out 'unattended: true', and operators "
			    "confirm what is signed",
			    step->kind->name);
		if (step_late_name(step) != NULL)
			findings_add(findings, FINDING_ERROR, "UNATTENDED-LATE",
			    step_place(step, "csr"), NULL,
			    "the public key of a late request is compared by "
			    "the operators when they confirm, so the plan "
			    "cannot run unattended");
	}
}

/* A root's certificate: its own issuer, whoever made it. */
struct root_search {
	const char *spki; /* SHA-256, hex */
	bool found;
};

static int
match_root(void *ctx, const struct object_row *row)
{
	struct root_search *search = ctx;

	if (row->spki != NULL && row->subject_dn != NULL &&
	    row->issuer_dn != NULL && strcmp(row->spki, search->spki) == 0 &&
	    strcmp(row->subject_dn, row->issuer_dn) == 0)
		search->found = true;
	return 0;
}

/* Has this key a certificate of its own making, in the plan or before it? */
static int
is_root_key(const struct build *build, const char *spki, bool *ret_root)
{
	struct root_search search = { .spki = spki };

	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		const char *own =
		    json_string_value(json_object_get(o->facts, "spki"));

		if (o->kind == OBJECT_CERTIFICATE && o->issuer == NULL &&
		    own != NULL && strcmp(own, spki) == 0)
			search.found = true;
	}
	for (size_t i = 0; i < build->act_count; i++) {
		const char *subject = NULL, *issuer = NULL, *own = NULL;

		if (json_unpack(build->acts[i].data, "{s:s, s:s, s:s}", "spki",
			&own, "subject_dn", &subject, "issuer_dn",
			&issuer) == 0 &&
		    strcmp(own, spki) == 0 && strcmp(subject, issuer) == 0)
			search.found = true;
	}
	if (!search.found &&
	    journal_each_object(
		build->journal, NULL, "certificate", match_root, &search) < 0)
		return -1;
	*ret_root = search.found;
	return 0;
}

static bool
same_signer(const struct built_object *a, const struct built_object *b)
{
	return a->signer_len == b->signer_len &&
	    memcmp(a->signer, b->signer, a->signer_len) == 0;
}

/* One finding for each run of objects that one key signs. */
static int
check_unattended_keys(const struct build *build, struct findings *findings)
{
	for (size_t i = 0; i < build->object_count; i++) {
		const struct built_object *o = &build->objects[i];
		AUTO_CHARS(spki) = NULL;
		bool root = false;

		if (i > 0 && same_signer(o, o - 1))
			continue;
		spki = sha256_hex(o->signer, o->signer_len);
		if (spki == NULL || is_root_key(build, spki, &root) < 0)
			return -1;
		if (root)
			findings_add(findings, FINDING_ERROR, "UNATTENDED-ROOT",
			    step_place(o->step, NULL), NULL,
			    "%s '%s' is signed with a root's key, which is "
			    "never used unattended",
			    object_kind_name(o->kind), o->name);
	}
	return 0;
}

int
plan_check_unattended(struct authority *authority, const struct plan *plan,
    const struct build *build, struct findings *findings)
{
	if (!plan_unattended(plan))
		return 0;
	check_unattended_kinds(authority, plan, findings);
	return check_unattended_keys(build, findings);
}

/* authority.yaml and profiles are those that the journal has recorded. */
static int
check_recorded(struct authority *authority, const struct plan *plan,
    struct findings *findings)
{
	const struct special *special = special_of_plan(plan);

	if (special != NULL && special->config_changed)
		return 0;
	if (authority_check_config(authority) < 0)
		return -1;
	return check_pins(authority, plan, findings);
}

/* A run could not begin: said with all the rest, and before it. */
static int
check_linters(struct authority *authority, const struct plan *plan,
    struct findings *findings)
{
	const struct authority_config *config = authority_config(authority);
	AUTO_PTR(linters) *linters = NULL;

	if (plan->preview.object_count == 0 ||
	    linters_open(config->linters, config->linters_count, &linters) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	findings_take_error(findings, "LINTER", "authority.yaml");
	return 0;
}

static int
check_plan(struct authority *authority, struct plan *plan, int64_t now,
    struct findings *findings)
{
	/* What the window will allow; before it, as of its beginning. */
	int64_t then = now < plan->from ? plan->from : now;

	if (check_config(authority, plan) < 0 ||
	    (plan->kept && manifest_check_set(authority, plan) < 0) ||
	    check_state(authority, plan, now, findings) < 0 ||
	    check_recorded(authority, plan, findings) < 0 ||
	    plan_build_setup(authority, plan, BUILD_CHECK, then, findings,
		&plan->preview) < 0)
		return -1;
	if (build_plan(&plan->preview, plan->steps, plan->params->steps_count) <
	    0)
		return -1;
	if ((findings->errors == 0 &&
		plan_check_unattended(
		    authority, plan, &plan->preview, findings) < 0) ||
	    check_linters(authority, plan, findings) < 0)
		return -1;
	if (findings->errors > 0)
		return ca_error(CA_R_INPUT,
		    "the plan is refused; nothing was made or signed");
	return 0;
}

/* ---- opening ---------------------------------------------------------- */

static int
open_file(struct gathering *g, const char *path)
{
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(base) = NULL;
	const char *slash = strrchr(path, '/');
	size_t len = 0;

	base = slash == NULL
	    ? text_copy("")
	    : text_printf("%.*s", (int)(slash + 1 - path), path);
	g->plan->file = text_copy(slash == NULL ? path : slash + 1);
	if (base == NULL || g->plan->file == NULL ||
	    file_read_at(AT_FDCWD, path, INPUT_MAX_BYTES, &data, &len) < 0 ||
	    inputs_add(&g->plan->inputs, INPUT_PLAN, "plan", "plan.yaml",
		TAKE(data), len) < 0 ||
	    plan_parse(g->plan, g->findings) < 0)
		return -1;
	g->base = base;
	return gather_inputs(g);
}

int
plan_open_kept(struct authority *authority, const char *directory,
    struct findings *findings, struct plan **ret_plan)
{
	AUTO_PTR(plan) *plan = calloc(1, sizeof(*plan));
	AUTO_FD(parent) = -1;
	AUTO_FD(fd) = -1;

	if (plan == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a plan");
	plan->preview.public_fd = -1;
	plan->file = text_copy("plan.yaml");
	if (plan->file == NULL ||
	    dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0 ||
	    dir_open_at(parent, directory, &fd) < 0 ||
	    manifest_load(authority, fd, plan) < 0 ||
	    plan_parse(plan, findings) < 0)
		return -1;
	plan->directory =
	    text_printf("%s-%.8s", plan->params->id, plan->manifest_sha256);
	if (plan->directory == NULL)
		return -1;
	if (strcmp(plan->directory, directory) != 0)
		return ca_error(CA_R_VERIFY,
		    "the manifest in 'ceremonies/%s' is not the one that its "
		    "name says; check the plan again",
		    directory);
	if (manifest_confirm(authority, plan) < 0)
		return -1;
	plan->kept = true;
	*ret_plan = TAKE(plan);
	return 0;
}

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The last component of a path that may end in slashes. */
static char *
last_component(const char *path)
{
	size_t end = strlen(path);
	size_t start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/'; start--)
		;
	return text_printf("%.*s", (int)(end - start), path + start);
}

/* A kept plan lies in ceremonies/ of this authority and nowhere else. */
static int
kept_name(struct authority *authority, const char *path, char **ret_name)
{
	AUTO_CHARS(name) = last_component(path);
	AUTO_FD(parent) = -1;
	struct stat named, kept;

	if (name == NULL ||
	    dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0)
		return -1;
	if (stat(path, &named) != 0 ||
	    fstatat(parent, name, &kept, AT_SYMLINK_NOFOLLOW) != 0 ||
	    named.st_dev != kept.st_dev || named.st_ino != kept.st_ino)
		return ca_error(CA_R_INPUT,
		    "'%s' is no plan that this authority has kept; name a plan "
		    "file, or one of the directories in ceremonies/",
		    path);
	*ret_name = TAKE(name);
	return 0;
}

int
plan_look(struct authority *authority, const char *path,
    struct findings *findings, struct plan **ret_plan)
{
	AUTO_PTR(plan) *plan = NULL;

	if (is_directory(path)) {
		AUTO_CHARS(name) = NULL;

		if (kept_name(authority, path, &name) < 0 ||
		    plan_open_kept(authority, name, findings, &plan) < 0)
			return -1;
	} else {
		struct gathering g = { .authority = authority,
			.findings = findings };

		plan = calloc(1, sizeof(*plan));
		if (plan == NULL)
			return ca_error(CA_R_MEMORY, "no memory for a plan");
		plan->preview.public_fd = -1;
		g.plan = plan;
		if (open_file(&g, path) < 0)
			return -1;
	}
	*ret_plan = TAKE(plan);
	return 0;
}

int
plan_open(struct authority *authority, const char *path, int64_t now,
    struct findings *findings, struct plan **ret_plan)
{
	AUTO_PTR(plan) *plan = NULL;

	if (plan_look(authority, path, findings, &plan) < 0 ||
	    check_plan(authority, plan, now, findings) < 0)
		return -1;
	*ret_plan = TAKE(plan);
	return 0;
}

void
plan_free(struct plan *plan)
{
	cleanup_fd(&plan->preview.public_fd);
	build_clear(&plan->preview);
	free(plan->file);
	free(plan->steps);
	yaml_value_free(&plan_schema, plan->params);
	yaml_free(plan->doc);
	inputs_clear(&plan->inputs);
	free(plan->manifest);
	free(plan->manifest_sha256);
	free(plan->directory);
	free(plan->set_sha256);
	free(plan->module_path);
	free(plan->module_sha256);
	free(plan);
}
