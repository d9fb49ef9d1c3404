/* What plan.c, restore.c, manifest.c and run.c share.  Included by them alone. */
#ifndef CA_CEREMONY_PLAN_PRIVATE_H
#define CA_CEREMONY_PLAN_PRIVATE_H

#include "ceremony/plan.h"
#include "ceremony/room.h"
#include "ceremony/steps/build.h"

/* Names of directories that are not whole yet; no plan begins with a dot. */
#define PLAN_DRAFT ".draft-"

struct plan {
	char *file; /* what the plan is called in places, "plan.yaml" */
	struct plan_params *params;
	struct yaml *doc;
	struct step *steps;
	struct inputs inputs;
	int64_t from, until;
	struct build preview; /* what the check built, with placeholders */
	char *manifest;       /* its text; NULL before plan_find_kept() */
	char *manifest_sha256;
	char *directory; /* where it is kept, or will be */
	bool kept;       /* that directory is there */
	/* The quorum set that must approve it: that of the manifest. */
	char set[SET_ID_HEX_SIZE];
	char *set_sha256;
	unsigned threshold;
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

/*
 * Make ceremonies/DIRECTORY of a run again what the journal says that it was:
 * manifest, inputs, late requests and lists, from the evidence.  What is there
 * and right stays; a file that differs is moved aside ("NAME.aside-1"), never
 * removed; spools are no evidence and are not made again.  May be cut off
 * anywhere and done again.  The room is told what was put back.  CA_R_MISSING
 * where the journal has no run of that manifest there, or has it no evidence.
 */
int plan_restore(struct authority *authority, const struct room *room,
    const char *directory, const char *manifest_sha256) MUST_USE;

/*
 * Where would this plan be kept?  Makes the manifest; an older directory of the
 * same plan whose manifest differs from it in the journal's head alone, and
 * whose journal has only grown since, is taken instead: approvals given there
 * stand.  Sets plan->kept.  Nothing to do for a plan that is kept.
 */
int plan_find_kept(struct authority *authority, struct plan *plan) MUST_USE;

/* Each directory ID-HASH8 of a plan; `ceremonies` is open. */
int plan_each_directory(struct authority *authority, const char *id,
    int (*visit)(void *ctx, int ceremonies, const char *name),
    void *ctx) MUST_USE;

/*
 * Where the plan asks to run without confirmations: may it?  Findings
 * UNATTENDED-KIND, UNATTENDED-LATE, UNATTENDED-ROOT.
 */
int plan_check_unattended(struct authority *authority, const struct plan *plan,
    const struct build *build, struct findings *findings) MUST_USE;

/* Does the plan ask to run without confirmations? */
bool plan_unattended(const struct plan *plan);

/*
 * Read what a plan names as INPUT_BULK: a file, or every file of a directory as
 * one bundle (inputs.h).  What may not be in a directory is in the findings, at
 * `place`: INPUT-LINK, INPUT-FOLDER, INPUT-KIND, INPUT-SIZE, INPUT-EMPTY.  -1
 * where the file or directory itself cannot be read.  `scratch` is a directory
 * for what is large.
 */
int bulk_read(const char *path, const char *place, int scratch,
    struct findings *findings, struct spilled *ret_bulk) MUST_USE;
/* A file of at most INPUT_BULK_MAX_BYTES, to a spill. */
int bulk_copy(int dirfd, const char *path, struct spill *spill) MUST_USE;

/* Write it as a file in flat memory; one of that name is replaced. */
int bulk_write(
    int dirfd, const char *name, const struct spilled *bulk) MUST_USE;

/* Parse what the inputs hold: the plan's YAML, its steps and its window. */
int plan_parse(struct plan *plan, struct findings *findings) MUST_USE;

/* Set up a build over the plan for this authority. */
int plan_build_setup(struct authority *authority, const struct plan *plan,
    enum build_mode mode, int64_t now, struct findings *findings,
    struct build *ret_build) MUST_USE;

/* Write the manifest's text for a plan that was just checked. */
int manifest_make(struct authority *authority, struct plan *plan) MUST_USE;

/*
 * Is `kept` what manifest_make() would have given for `plan` when the journal
 * had the head that `kept` names?
 */
int manifest_is_older(struct authority *authority, struct plan *plan,
    const struct plan *kept, bool *ret_older) MUST_USE;

/*
 * Is the manifest that was loaded the one that would be made of what was
 * loaded with it?  After plan_parse().  CA_R_VERIFY otherwise.
 */
int manifest_confirm(struct authority *authority, struct plan *plan) MUST_USE;

/*
 * Read manifest and inputs from a kept directory into `plan`.  Without an
 * authority (NULL), whose it is is not looked at.
 */
int manifest_load(
    struct authority *authority, int dirfd, struct plan *plan) MUST_USE;

/* CA_R_QUORUM where another set is in force than the manifest names. */
int manifest_check_set(
    struct authority *authority, const struct plan *plan) MUST_USE;

#endif
