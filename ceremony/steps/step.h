/*
 * Kinds of steps: a feature of plans is a row of the table in step.c.
 *
 * A step never signs and never touches the token.  It says what it needs, what
 * keys it wants made, what objects and acts it contributes, and under which
 * names its objects are published; the loops of ceremony/ do the rest.
 */
#ifndef CA_STEPS_STEP_H
#define CA_STEPS_STEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/steps/inputs.h"
#include "ceremony/steps/params.h"

struct build;
struct built_object;

struct step {
	const struct step_kind *kind;
	size_t index;       /* from 0; people count from 1 */
	const void *params; /* of the kind's type in params.h */
	const struct plan_params *plan;
	struct yaml *doc; /* for places */
};

/* A URL of authority.yaml with the issuer's name in it; free(). */
char *step_url(const char *url, const char *issuer);

/* A key that a step wants made; strings are the plan's. */
struct key_order {
	const char *name, *type, *purpose, *backup;
	/*
	 * Not made: it is on the token, and this file, as the plan gives it, is
	 * its certificate.  `type` is then NULL until build_collect_keys().
	 */
	const char *adopt;
};

/* Called for each input that a step names. */
struct input_visitor {
	void *ctx;
	int (*need)(void *ctx, enum input_role role, const char *given,
	    const char *place);
	/*
	 * The same for what may be large or many files: INPUT_BULK
	 * (inputs.h).  A directory is taken in as a bundle of its files.
	 */
	int (*need_bulk)(void *ctx, const char *given, const char *place);
	/* Every profiles/NAME.yaml that there is, as INPUT_PROFILE. */
	int (*need_profiles)(void *ctx, const char *place);
	/* What is gathered so far, to follow what a file names. */
	const struct inputs *inputs;
};

/* Where objects of a kind are published: public/DIRECTORY/NAME + ending. */
struct output {
	const char *kind;      /* "certificate", as in the journal */
	const char *directory; /* "certs" */
	/* NULL-terminated; ".pem" and ".csr" are PEM, the others DER. */
	const char *const *endings;
};

/* The row of a kind, or NULL; and row `i`, or NULL behind the end. */
const struct output *output_by_kind(const char *kind);
const struct output *output_at(size_t i);

struct step_kind {
	const char *name;     /* as in plans: "generate-key" */
	size_t params_offset; /* of its pointer in struct step_params */
	const char *output;   /* kind of its object; NULL: none */

	/* The files and profiles that it names.  NULL: none. */
	int (*inputs)(
	    const struct step *step, const struct input_visitor *visitor);
	/*
	 * Is it well-formed by itself and against what exists: names, types,
	 * references?  Adds findings; -1 for failures of the machine only.
	 */
	int (*check)(struct build *build, const struct step *step);
	/* One plain sentence, safe to print; malloc'd. */
	int (*describe)(const struct step *step, char **ret_text);
	/* The key to be made.  NULL: none. */
	void (*keys)(const struct step *step, struct key_order *ret_order);
	/*
	 * Contribute objects and acts (build_add_*), after all keys exist.
	 * In a check, with placeholder keys.  Adds findings.  NULL: nothing.
	 */
	int (*build)(struct build *build, const struct step *step);
	/* The name under which its object is published.  NULL: none. */
	const char *(*publish)(const struct step *step);
};

/* Row `i`, or NULL behind the end. */
const struct step_kind *step_kind_at(size_t i);

/*
 * Make steps of a loaded plan; each must have exactly one kind (finding
 * STEP-KIND).  *ret_steps is malloc'd; its parts are the plan's.
 */
int steps_make(const struct plan_params *plan, struct yaml *doc,
    struct findings *findings, struct step **ret_steps) MUST_USE;

/*
 * "plan.yaml:14:7" of the member `key` of a step's mapping, or of the mapping
 * itself where `key` is NULL or absent.
 */
const char *step_place(const struct step *step, const char *key);

/* A finding of severity error. */
void step_finding(struct build *build, const struct step *step, const char *key,
    const char *id, const char *source, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

/*
 * Is this the name of an object that the step makes?  Of many that one makes
 * the names begin with the step's.
 */
bool step_publishes(const struct step *step, const char *name);

/*
 * The name of the certificate whose request the step takes only when it is run
 * (`csr: late`), or NULL.
 */
const char *step_late_name(const struct step *step);

extern const struct step_kind step_generate_key, step_csr, step_root,
    step_subordinate, step_cross, step_ocsp_responder, step_end_entity,
    step_adopt_certificate, step_adopt_ca, step_revoke, step_upgrade_revocation,
    step_import_revocations, step_import_issued, step_crl, step_ocsp_responses,
    step_certificates, step_ca_state, step_destroy_key, step_reshare,
    step_abandon, step_adopt_config, step_adopt_token, step_correct_clock,
    step_recover_journal;

#endif
