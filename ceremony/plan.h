/*
 * Plans: a YAML file of steps, the inputs that it names, and the manifest that
 * pins all of them.
 */
#ifndef CA_CEREMONY_PLAN_H
#define CA_CEREMONY_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/authority.h"

struct plan;

/*
 * Read a plan and everything that it names: from a plan file (CSRs and
 * certificates are relative to it, profiles come from the authority), or,
 * where `path` is a directory below ceremonies/, from the copies kept there,
 * each compared with the manifest.  Then check all of it without the token, as
 * of `now`: each object is encoded with placeholder keys and linted.  All that
 * is wrong is in `findings`; with errors there, CA_R_INPUT and -1.
 */
int plan_open(struct authority *authority, const char *path, int64_t now,
    struct findings *findings, struct plan **ret_plan) MUST_USE;

/*
 * The same, but whether it could be run is not asked: for plan_status(), which
 * can then speak of plans that ran, and of those that became void.  Without
 * steps' previews.
 */
int plan_look(struct authority *authority, const char *path,
    struct findings *findings, struct plan **ret_plan) MUST_USE;

/*
 * Copy the inputs and write the manifest to ceremonies/ID-HASH8/, whole or not
 * at all.  Nothing to do for a plan that was opened from there.
 */
int plan_keep(struct authority *authority, struct plan *plan) MUST_USE;

const char *plan_id(const struct plan *plan);
const char *plan_title(const struct plan *plan);
void plan_window(
    const struct plan *plan, int64_t *ret_from, int64_t *ret_until);
/* ID-HASH8, and the manifest's SHA-256 in hex; NULL before plan_keep(). */
const char *plan_directory(const struct plan *plan);
const char *plan_manifest_sha256(const struct plan *plan);
size_t plan_step_count(const struct plan *plan);

/*
 * Plain sentences: one line a step, in order, then what would be signed.
 * Each is safe to print.
 */
int plan_describe(const struct plan *plan,
    void (*line)(void *ctx, size_t step, const char *kind, const char *text),
    void *ctx) MUST_USE;

/*
 * What must be said loudly: each row of allow-lint of the profiles that the plan
 * uses, with its reason.  Safe to print.
 */
int plan_acknowledged(const struct plan *plan,
    int (*line)(void *ctx, const char *text), void *ctx) MUST_USE;

/*
 * A preview of each object: kind, name, and what is in it ("subject: ...",
 * "valid: ... to ...", and what the linter found and lets pass).  Serials, keys
 * and times are placeholders.
 */
int plan_preview(const struct plan *plan,
    void (*object)(
	void *ctx, const char *kind, const char *name, const char *text),
    void *ctx) MUST_USE;

void plan_free(struct plan *plan);
CLEANUP_DEFINE_PTR(plan);

#endif
