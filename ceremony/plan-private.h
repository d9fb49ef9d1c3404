/* What plan.c, manifest.c and run.c share.  Included by them alone. */
#ifndef CA_CEREMONY_PLAN_PRIVATE_H
#define CA_CEREMONY_PLAN_PRIVATE_H

#include "ceremony/plan.h"
#include "ceremony/steps/build.h"

struct plan {
	char *file; /* what the plan is called in places, "plan.yaml" */
	struct plan_params *params;
	struct yaml *doc;
	struct step *steps;
	struct inputs inputs;
	int64_t from, until;
	struct build preview; /* what the check built, with placeholders */
	char *manifest;       /* its text; NULL before plan_keep() */
	char *manifest_sha256;
	char *directory;
	/* The module that was there when the plan was checked. */
	char *module_path, *module_sha256;
	/* The journal's tree when the plan was checked. */
	uint64_t size;
	unsigned char root[HASH_LEN];
};

/*
 * Open a plan from its directory below ceremonies/, every input compared with
 * the manifest.  Nothing is checked against the state of the authority.
 */
int plan_open_kept(struct authority *authority, const char *directory,
    struct findings *findings, struct plan **ret_plan) MUST_USE;

/* Parse what the inputs hold: the plan's YAML, its steps and its window. */
int plan_parse(struct plan *plan, struct findings *findings) MUST_USE;

/* Set up a build over the plan for this authority. */
int plan_build_setup(struct authority *authority, const struct plan *plan,
    enum build_mode mode, int64_t now, struct findings *findings,
    struct build *ret_build) MUST_USE;

/* Write the manifest's text for a plan that was just checked. */
int manifest_make(struct authority *authority, struct plan *plan) MUST_USE;

/*
 * Is the manifest that was loaded the one that would be made of what was
 * loaded with it?  After plan_parse().  CA_R_VERIFY otherwise.
 */
int manifest_confirm(struct authority *authority, struct plan *plan) MUST_USE;

/* Read manifest and inputs from a kept directory into `plan`. */
int manifest_load(
    struct authority *authority, int dirfd, struct plan *plan) MUST_USE;

#endif
