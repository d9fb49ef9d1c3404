/*
 * Plans that are kept in ceremonies/ with all their inputs.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/plan-private.h"

static int
write_kept(const struct plan *plan, int fd)
{
	AUTO_FD(inputs) = -1;

	if (dir_make_at(fd, "inputs", 0700, &inputs) < 0)
		return -1;
	for (size_t i = 0; i < plan->inputs.count; i++) {
		const struct input *input = &plan->inputs.rows[i];

		if ((input->bulk.mapped
			    ? bulk_write(inputs, input->file, &input->bulk)
			    : file_write_at(inputs, input->file, input->data,
				  input->len, 0600, FILE_REPLACE)) < 0)
			return -1;
	}
	return file_write_at(fd, "manifest.json", plan->manifest,
	    strlen(plan->manifest), 0600, FILE_REPLACE);
}

/* Remove `dir` below `parent` and the files in it; no directories in it. */
static int
remove_flat(int parent, const char *dir)
{
	struct dirent **names = NULL;
	AUTO_FD(fd) = -1;
	int count;

	if (file_exists_at(parent, dir) == 0)
		return 0;
	if (dir_open_at(parent, dir, &fd) < 0)
		return -1;
	count = scandirat(fd, ".", &names, NULL, NULL);
	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", dir);
	for (int i = 0; i < count; i++) {
		(void)unlinkat(fd, names[i]->d_name, 0);
		free(names[i]);
	}
	free(names);
	if (unlinkat(parent, dir, AT_REMOVEDIR) != 0)
		return ca_error_errno(CA_R_IO, "cannot remove '%s'", dir);
	return 0;
}

static int
is_draft(const struct dirent *entry)
{
	return strncmp(entry->d_name, PLAN_DRAFT, sizeof(PLAN_DRAFT) - 1) == 0;
}

/* What checks that were cut off have left. */
static int
remove_drafts(int ceremonies)
{
	struct dirent **names = NULL;
	int count = scandirat(ceremonies, ".", &names, is_draft, NULL), rc = 0;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'ceremonies'");
	for (int i = 0; i < count; i++) {
		AUTO_FD(fd) = -1;

		if (rc == 0 &&
		    (dir_open_at(ceremonies, names[i]->d_name, &fd) < 0 ||
			remove_flat(fd, "inputs") < 0 ||
			remove_flat(ceremonies, names[i]->d_name) < 0))
			rc = -1;
		free(names[i]);
	}
	free(names);
	return rc;
}

/* The same plan was checked before: what was kept then must still be it. */
static int
check_kept(struct authority *authority, const struct plan *plan)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(plan) *kept = NULL;

	if (plan_open_kept(authority, plan->directory, &findings, &kept) == 0)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "'ceremonies/%s' is damaged or was changed; move it away, and "
	    "check the plan again",
	    plan->directory);
}

/* ID-HASH8 of this plan? */
static bool
is_directory_of(const char *id, const char *name)
{
	size_t len = strlen(id);

	return strncmp(name, id, len) == 0 && name[len] == '-' &&
	    strlen(name + len + 1) == 8 &&
	    strspn(name + len + 1, "0123456789abcdef") == 8;
}

int
plan_each_directory(struct authority *authority, const char *id,
    int (*visit)(void *ctx, int ceremonies, const char *name), void *ctx)
{
	AUTO_FD(parent) = -1;
	struct dirent **names = NULL;
	int count, rc = 0;

	if (dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0)
		return -1;
	count = scandirat(parent, ".", &names, NULL, alphasort);
	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list 'ceremonies'");
	for (int i = 0; i < count; i++) {
		if (rc == 0 && is_directory_of(id, names[i]->d_name))
			rc = visit(ctx, parent, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return rc;
}

struct older_search {
	struct authority *authority;
	struct plan *plan;
	struct plan *found; /* the newest one, or NULL */
};

/* What is damaged or of another plan is none that could be used. */
static int
visit_older(void *ctx, int ceremonies, const char *name)
{
	struct older_search *search = ctx;
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(plan) *kept = NULL;
	bool older = false;

	(void)ceremonies;
	if (plan_open_kept(search->authority, name, &findings, &kept) < 0) {
		if (ca_error_reason() == CA_R_MEMORY)
			return -1;
		ca_error_clear();
		return 0;
	}
	if (manifest_is_older(search->authority, search->plan, kept, &older) <
	    0)
		return -1;
	if (!older ||
	    (search->found != NULL && search->found->size >= kept->size))
		return 0;
	if (search->found != NULL)
		plan_free(search->found);
	search->found = TAKE(kept);
	return 0;
}

/* The plan is the one that lies there. */
static void
take_kept(struct plan *plan, struct plan *kept)
{
	free(plan->manifest);
	free(plan->manifest_sha256);
	free(plan->directory);
	plan->manifest = TAKE(kept->manifest);
	plan->manifest_sha256 = TAKE(kept->manifest_sha256);
	plan->directory = TAKE(kept->directory);
	plan->size = kept->size;
	memcpy(plan->root, kept->root, HASH_LEN);
	plan->kept = true;
}

int
plan_find_kept(struct authority *authority, struct plan *plan)
{
	struct older_search search = { authority, plan, NULL };
	AUTO_FD(parent) = -1;
	int rc, there;

	if (plan->directory != NULL)
		return 0;
	if (manifest_make(authority, plan) < 0 ||
	    dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0)
		return -1;
	there = file_exists_at(parent, plan->directory);
	if (there < 0 || (there > 0 && check_kept(authority, plan) < 0))
		return -1;
	plan->kept = there > 0;
	if (plan->kept)
		return 0;
	rc = plan_each_directory(
	    authority, plan->params->id, visit_older, &search);
	if (search.found != NULL) {
		take_kept(plan, search.found);
		plan_free(search.found);
	}
	return rc;
}

/*
 * Written under a name that no plan can have, then renamed: the directory is
 * there whole or not at all.
 */
int
plan_keep(struct authority *authority, struct plan *plan)
{
	AUTO_FD(parent) = -1;
	AUTO_FD(fd) = -1;
	AUTO_CHARS(draft) = NULL;

	if (plan_find_kept(authority, plan) < 0)
		return -1;
	if (plan->kept)
		return 0;
	draft = text_printf(PLAN_DRAFT "%s", plan->directory);
	if (draft == NULL ||
	    dir_open_at(authority_fd(authority), "ceremonies", &parent) < 0 ||
	    remove_drafts(parent) < 0 ||
	    dir_make_at(parent, draft, 0700, &fd) < 0 ||
	    write_kept(plan, fd) < 0 || file_sync(fd, draft) < 0)
		return -1;
	if (renameat(parent, draft, parent, plan->directory) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot make 'ceremonies/%s'", plan->directory);
	plan->kept = true;
	return file_sync(parent, "ceremonies");
}
