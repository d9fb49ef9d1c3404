/*
 * What the passes `people` and `ways` share.
 *
 *   people.c      who there is; the pass
 *   sets.c        enrolments, sets, the anchors
 *   statements.c  signatures over plans, lists and events; logins
 *   config.c      authority.yaml as it was in force
 *   plans.c       a run's plan, from its manifest
 *   ways.c        runs; what a plan of this kind may do; the pass
 *   lists.c       what was listed
 *   lint.c        what linters said of it
 *   acts.c        what was done, against plan and list
 *
 * Statements that verify stand in a temporary table of the private copy, which
 * `people` fills and `ways` counts:
 *
 *   audit_valid (run, list, name); list is -1 for approvals
 */
#ifndef CA_AUDIT_PEOPLE_PRIVATE_H
#define CA_AUDIT_PEOPLE_PRIVATE_H

#include "ceremony/audit/audit-private.h"
#include "ceremony/quorum/set.h"
#include "ceremony/steps/inputs.h"
#include "ceremony/steps/step.h"
#include "profiles/profile.h"

enum { AUDIT_NONCE_SIZE = 2 * NONCE_LEN + 1 };

/* ---- people ----------------------------------------------------------- */

/* Somebody of a set, as their enrolment says; strings are hex but the names. */
struct audit_person {
	char *set, *name;
	bool witness;
	char *sign, *decrypt, *share, *statement;
	char *certificate, *decrypt_certificate;
	X509 *x509; /* NULL: there is none that is fit to sign with */
	bool anchored;
};

struct audit_people_state {
	struct audit_person *people;
	size_t count;
	/* The newest enrolment, until its set is founded. */
	struct audit_entry enrolling;
	bool is_enrolling;
	bool founded; /* without genesis there is nothing to compare with */
};

/* NULL where nobody of that name has enrolled in the set. */
struct audit_person *audit_find_person(
    struct audit_people_state *state, const char *set, const char *name);

/*
 * Had the journal this root (hex) over its first `size` entries?  Also where
 * entries are missing, so that nobody knows: no.
 */
int audit_root_is(
    struct audit *audit, uint64_t size, const char *hex, bool *ret_is) MUST_USE;

/* sets.c: entries of these kinds. */
int audit_enrolment(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_quorum(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_anchor(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_ready(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
/* The close of a run that put a set in force: that has signed the anchor. */
int audit_anchored(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;

/* statements.c: likewise. */
int audit_approval(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_confirmation(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_event(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;
int audit_login(struct audit *audit, struct audit_people_state *state,
    const struct audit_entry *entry) MUST_USE;

/* ---- config.c --------------------------------------------------------- */

struct audit_linter {
	char *name, *path, *sha256;
};

/* What matters of authority.yaml. */
struct audit_config {
	char *id, *login;
	bool shares; /* PINs are derived from the operators' shares */
	char **unattended;
	size_t unattended_count;
	char *urls[PROFILE_URLS];     /* with {issuer}; NULL where not given */
	struct audit_linter *linters; /* outside ones */
	size_t linter_count;
	char *blocklist; /* SHA-256; NULL: none */
};
void audit_config_clear(struct audit_config *config);
CLEANUP_DEFINE_STRUCT(audit_config);

/*
 * The file with this SHA-256.  CA_R_MISSING where it is not there, CA_R_INPUT
 * where it cannot be read.
 */
int audit_config_read(struct audit *audit, const char *sha256,
    struct audit_config *ret_config) MUST_USE;

/*
 * The one in force; *ret_found false, with nothing raised, where there is
 * none, or none that can be read: its entry has a finding.
 */
int audit_config_in_force(struct audit *audit, bool *ret_found,
    struct audit_config *ret_config) MUST_USE;

/* May steps of this kind run without confirmations? */
bool audit_config_unattended(
    const struct audit_config *config, const char *kind);

/* ---- plans.c ---------------------------------------------------------- */

struct audit_plan {
	json_t *manifest;
	struct inputs inputs; /* the plan alone, or all */
	struct yaml *doc;
	struct plan_params *params;
	struct step *steps;
};
void audit_plan_clear(struct audit_plan *plan);
CLEANUP_DEFINE_STRUCT(audit_plan);

/*
 * The plan of this manifest, from the evidence; with all its inputs where
 * `whole`.  What is missing, altered or malformed is raised (CA_R_MISSING,
 * CA_R_VERIFY, CA_R_INPUT).
 */
int audit_plan_read(struct audit *audit, const char *manifest, bool whole,
    struct audit_plan *ret_plan) MUST_USE;

/* Findings AUDIT-PLAN where the manifest does not fit the plan's entry. */
int audit_plan_check(struct audit *audit, const struct audit_entry *entry,
    const struct audit_plan *plan) MUST_USE;

/* ---- lint.c ----------------------------------------------------------- */

/*
 * The report of linters over a list: `named` is what the list's header says of
 * it ("": nothing), `objects` how many lines there are, which stand in
 * audit_listed.  Findings AUDIT-LINT.
 */
int audit_lint_listed(struct audit *audit, const struct audit_entry *entry,
    const char *named, int64_t objects) MUST_USE;
/* Likewise over what was signed, or refused: entries of these kinds. */
int audit_lint(struct audit *audit, const struct audit_entry *entry) MUST_USE;

/* ---- ways.c, lists.c, acts.c ------------------------------------------ */

/* A run that is open. */
struct audit_run {
	char nonce[AUDIT_NONCE_SIZE];
	char *set, *abandons; /* abandons: NULL if it ends no other */
	unsigned threshold;
	struct audit_plan plan; /* .steps NULL: it has a finding */
	const char *special; /* kind of the step that stands alone; or NULL */
	bool unattended;     /* and may be */
	bool refused, resumed, module_changed;
	char module[HASH_HEX_SIZE]; /* that the plan was checked with; or "" */
	bool done;                  /* special: what it is for has happened */
	bool approved, approvals_said, refused_said;
	int64_t lists;
	int64_t unconfirmed; /* list of which it was said; -1: none */
	int64_t confirmed;   /* list that is known to be; -1: none */
	size_t hint;         /* step that matched last */
};

struct audit_ways_state {
	struct audit_run *runs; /* the newest last */
	size_t count;
	/* The newest login: for which run, to what, and by whom. */
	char login[AUDIT_NONCE_SIZE], module[HASH_HEX_SIZE];
	char *serial;
	json_t *people;
	char *login_kind; /* of the first authority.yaml */
	bool founded;
};

/* The run with this nonce, if it is open; and the newest of all. */
struct audit_run *audit_find_run(
    struct audit_ways_state *state, const char *nonce);
struct audit_run *audit_newest_run(struct audit_ways_state *state);

/* The kinds of steps that stand alone: their row's name, or NULL. */
const char *audit_special_of(const struct audit_plan *plan);

/* lists.c */
/* At `plan` and `list`: is it in the plan's window? */
int audit_window(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
int audit_listed(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
/* As many operators as the set wants have validly signed (list -1: the plan). */
int audit_is_signed(struct audit *audit, const struct audit_run *run,
    int64_t list, bool *ret_signed) MUST_USE;
/*
 * Is there an act of this kind in a list of the run that is confirmed, or need
 * not be, that `fits`, and mark it as done.  Findings otherwise.
 */
int audit_use_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind,
    bool (*fits)(const json_t *act, const struct audit_entry *entry)) MUST_USE;
/* The same for an act whose text is the entry's data without the run. */
int audit_use_exact_act(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry, const char *kind) MUST_USE;
/* The list that the intent names is confirmed, and holds it. */
int audit_use_object(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
/* The same for OCSP responses; whether it holds them, ocsp.c finds out. */
int audit_use_batch(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
/* The newest list of a run that is closed as done was done. */
int audit_list_done(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
/* Forget what was listed and signed for a run. */
int audit_forget_lists(
    struct audit *audit, const struct audit_run *run) MUST_USE;

/*
 * acts.c: entries against plan and list.  `run` is the one that they name, and
 * `acting` the newest that is open: another one where it ends that run.
 */
int audit_act(struct audit *audit, struct audit_run *run,
    struct audit_run *acting, const struct audit_entry *entry) MUST_USE;
int audit_object(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
int audit_responses(struct audit *audit, struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
void audit_key_intent(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry);
/*
 * ca-acts.c: what adopt-ca, ca-state and destroy-key do, but for the certificate
 * that is taken in; the kind of step that takes that in.
 */
bool audit_is_ca_act(const struct audit_entry *entry);
int audit_ca_act(struct audit *audit, struct audit_run *run,
    struct audit_run *acting, const struct audit_entry *entry) MUST_USE;
const char *audit_adopting_kind(
    const struct audit_run *run, const struct audit_entry *entry);
/* Each step of a run that is closed as done has made what it makes. */
int audit_plan_done(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;
/* Each part of the act has its entry, where the run is one of adopt-config. */
int audit_config_done(struct audit *audit, const struct audit_run *run,
    const struct audit_entry *entry) MUST_USE;

#endif
