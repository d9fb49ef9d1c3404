/*
 * Requests that come when a plan is run: taken once, checked, kept in the
 * run's directory before anything rests on them.
 */
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"
#include "profiles/csr.h"

static char *
late_file(const char *name)
{
	return text_printf("late-%s.csr", name);
}

/* The request that was given for this step, and given once. */
static int
find_late(const char *name, const struct late_csr *late, size_t count,
    const char **ret_path)
{
	const char *path = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(late[i].name, name) != 0)
			continue;
		if (path != NULL)
			return ca_error(CA_R_USAGE,
			    "the request for '%s' was given twice", name);
		path = late[i].path;
	}
	if (path == NULL)
		return ca_error(CA_R_USAGE,
		    "the plan takes the request for '%s' when it is run; give "
		    "it with --csr %s=FILE",
		    name, name);
	*ret_path = path;
	return 0;
}

/* Read once, checked, and kept before anything rests on it. */
static int
take_late(struct run *run, const char *name, const char *path)
{
	AUTO_STRUCT(csr) csr = { 0 };
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(file) = late_file(name);
	size_t len = 0;

	if (file == NULL ||
	    file_read_at(AT_FDCWD, path, INPUT_MAX_BYTES, &data, &len) < 0)
		return -1;
	if (csr_read(path, data, len, run->findings, &csr) < 0 ||
	    file_write_at(run->fd, file, data, len, 0600, FILE_REPLACE) < 0)
		return -1;
	return inputs_add(&run->late, INPUT_LATE, name, file, TAKE(data), len);
}

static bool
is_late_step(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->params->steps_count; i++) {
		const char *late = step_late_name(&plan->steps[i]);

		if (late != NULL && strcmp(late, name) == 0)
			return true;
	}
	return false;
}

/* Keys are not there yet: placeholders stand for them, as in a check. */
static int
set_placeholders(struct build *build)
{
	for (size_t i = 0; i < build->key_count; i++) {
		const struct key_order *order = &build->keys[i].order;
		const struct key_type *type = key_type_by_name(order->type);
		AUTO_BYTES(spki) = NULL;
		size_t len = 0;

		if (order->adopt != NULL)
			continue; /* its certificate has it */
		if (type == NULL)
			return ca_error(
			    CA_R_INTERNAL, "no type of key '%s'", order->type);
		if (placeholder_spki(type, i, &spki, &len) < 0 ||
		    build_set_key(build, order->name, spki, len) < 0)
			return -1;
	}
	return 0;
}

/*
 * Everything that can be known of late requests before the run begins: the
 * plan is built once more, with their keys.
 */
static int
check_late(struct run *run)
{
	const struct plan *plan = run->plan;
	struct build build = { .public_fd = -1 };
	int rc;

	if (run->late.count == 0)
		return 0;
	rc = plan_build_setup(
	    run->authority, plan, BUILD_RUN, run->now, run->findings, &build);
	build.late = &run->late;
	if (rc == 0)
		rc = build_collect_keys(
		    &build, plan->steps, plan->params->steps_count);
	if (rc == 0)
		rc = set_placeholders(&build);
	if (rc == 0)
		rc = build_plan(&build, plan->steps, plan->params->steps_count);
	run_drop_build(&build);
	if (rc == 0 && run->findings->errors > 0)
		return ca_error(CA_R_INPUT,
		    "a request that was given with --csr is refused; nothing "
		    "was made or signed");
	return rc;
}

int
run_take_late(struct run *run, const struct late_csr *late, size_t count)
{
	const struct plan *plan = run->plan;

	for (size_t i = 0; i < count; i++)
		if (!is_late_step(plan, late[i].name))
			return ca_error(CA_R_USAGE,
			    "--csr %s: no step of the plan makes a certificate "
			    "'%s' from a request that comes late",
			    late[i].name, late[i].name);
	for (size_t i = 0; i < plan->params->steps_count; i++) {
		const char *name = step_late_name(&plan->steps[i]);
		const char *path = NULL;

		if (name == NULL)
			continue;
		if (find_late(name, late, count, &path) < 0 ||
		    take_late(run, name, path) < 0)
			return -1;
	}
	return check_late(run);
}

/* What the run's first entry says of its late requests. */
struct late_search {
	const char *run;
	json_t *late;
};

static int
match_late(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct late_search *search = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run;
	json_t *late;

	(void)seq;
	if (entry != NULL && search->late == NULL &&
	    json_unpack(entry, "{s:{s:s, s:o}}", "data", "run", &run, "late",
		&late) == 0 &&
	    strcmp(run, search->run) == 0)
		search->late = json_incref(late);
	json_decref(entry);
	return 0;
}

static int
reload_one(struct run *run, json_t *row)
{
	const char *name, *sha256;
	AUTO_CHARS(file) = NULL;
	AUTO_CHARS(hash) = NULL;
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (json_unpack(row, "{s:s, s:s}", "name", &name, "sha256", &sha256) !=
		0 ||
	    !text_is_name(name))
		return ca_error(CA_R_CORRUPT, "the run's entry is malformed");
	file = late_file(name);
	if (file == NULL ||
	    file_read_at(run->fd, file, INPUT_MAX_BYTES, &data, &len) < 0)
		return -1;
	hash = sha256_hex(data, len);
	if (hash == NULL)
		return -1;
	if (strcmp(hash, sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' is not the request that the run began with; put it "
		    "back, the journal has it as evidence %s",
		    file, sha256);
	return inputs_add(&run->late, INPUT_LATE, name, file, TAKE(data), len);
}

int
run_reload_late(struct run *run)
{
	struct late_search search = { .run = run->nonce };
	size_t i;
	json_t *row;
	int rc;

	rc = journal_each_entry(
	    journal_of_run(run), run->first, ENTRY_PLAN, match_late, &search);
	json_array_foreach(search.late, i, row)
	{
		if (rc == 0)
			rc = reload_one(run, row);
	}
	json_decref(search.late);
	return rc;
}
