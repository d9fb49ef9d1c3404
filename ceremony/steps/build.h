/*
 * Building: from the steps of a plan to every to-be-signed object, all of
 * them before the first signature.
 *
 * The same code runs when a plan is checked, with placeholder keys and
 * serials, and when it is run, with the real ones; so a check finds what a run
 * would.
 */
#ifndef CA_STEPS_BUILD_H
#define CA_STEPS_BUILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ceremony/journal/journal.h"
#include "ceremony/steps/inputs.h"
#include "ceremony/steps/step.h"
#include "profiles/certificate.h"
#include "profiles/der/der.h"
#include "profiles/lint/blocklist.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

enum build_mode {
	BUILD_CHECK, /* placeholders instead of keys made by this plan */
	BUILD_RUN,
};

/* A key that this plan makes. */
struct planned_key {
	struct key_order order;
	size_t step;
	unsigned char *spki; /* the placeholder's, or the real one */
	size_t spki_len;
	/* Adopted, in a run: {id, attributes, generation_mechanism}. */
	json_t *facts;
};

/* Where the bytes of an object come from. */
enum built_from {
	BUILT_NOW,       /* encoded by this build */
	BUILT_BEFORE,    /* taken from the spool of an earlier list */
	BUILT_AND_SIGNED /* its result is in the journal */
};

struct built_object {
	enum object_kind kind;
	char *name;
	const struct step *step;
	char *key;             /* name of the key that signs */
	char *issuer;          /* name of the issuer's certificate, or NULL */
	unsigned char *signer; /* kept SPKI of that key */
	size_t signer_len;
	struct tbs tbs;
	X509 *certificate; /* certificates: parsed, perhaps not yet signed */
	/* For the linter; the profile is the build's, NULL for a request. */
	const struct profile *profile;
	unsigned char
	    *issuer_der; /* its certificate; NULL: a root, a request */
	size_t issuer_len;
	unsigned char *existing_der; /* of a cross certificate; else NULL */
	size_t existing_len;
	const struct blocklist *blocklist; /* the authority's; may be NULL */
	/*
	 * CRLs: the one before, of the same scope; unlinked.  NULL: not looked
	 * for; fd -1: there is none.
	 */
	struct der_file *previous;
	json_t *lint;  /* what it found and lets pass: findings_to_json() */
	json_t *facts; /* what an ENTRY_INTENT of its kind also holds */
	char *summary; /* one line for people, safe to print */
	char *details; /* a line for each fact: "subject: ...\n..." */
	/*
	 * Objects are signed in ascending stages, never two of them in one
	 * window: requests, roots, what they sign, ..., CRLs.
	 */
	unsigned stage;
	enum built_from from;
	int64_t built; /* when */
};

enum { STAGE_CSR = 0, STAGE_CERTIFICATE = 1, STAGE_CRL = 1000, STAGE_OCSP };

/*
 * OCSP responses of one step: too many for an object each.  In the list they
 * are one line with the root of a tree over them; the journal has an entry for
 * each window (ENTRY_OCSP_INTENT).
 */
struct built_batch {
	char *name;
	const struct step *step;
	char *key;             /* name of the key that signs */
	char *issuer;          /* name of the issuer's certificate */
	char *responder;       /* name of the responder's, or NULL */
	unsigned char *signer; /* kept SPKI of that key */
	size_t signer_len;
	const struct sigalg *alg;
	const struct profile *profile;
	unsigned char *issuer_der; /* for the linter */
	size_t issuer_len;
	unsigned char *responder_der; /* goes beside the signature; or NULL */
	size_t responder_len;
	struct lint_known *known; /* built_batch_prepare(); or NULL */
	/* ResponseData, DER, one behind the other, ascending by serial. */
	unsigned char *tbs;
	size_t tbs_len;
	size_t *offsets; /* count + 1 of them */
	struct batch_item *items;
	size_t count;
	json_t *lint;  /* what was found and let pass: findings_to_json() */
	json_t *facts; /* what an ENTRY_OCSP_INTENT also holds */
	char *summary, *details; /* as of an object */
	unsigned stage;
	enum built_from from; /* BUILT_AND_SIGNED: every item is */
	int64_t built;
	/* By earlier parts of the run: these windows have their results. */
	size_t signed_count;
};

struct batch_item {
	char serial[2 * 20 + 3]; /* hex of the content octets */
	bool revoked;
	bool is_signed; /* its result is in the journal of this run */
};

/* Something that a plan does without a signature. */
struct built_act {
	/*
	 * Journalled with the first intents; ENTRY_KINDS: by perform() of the
	 * plan's struct special.
	 */
	enum entry_kind entry;
	json_t *data;
	char *kind;    /* "revoke", "adopt-certificate" */
	char *text;    /* canonical: data as compact JSON, members sorted */
	char *summary; /* one line for people, safe to print */
	char *details; /* more lines, as of an object; or NULL */
	const struct step *step;
	/* A certificate that the act takes in; NULL otherwise. */
	char *name, *key;
	X509 *certificate;
	unsigned char *der; /* evidence: the certificate; or NULL */
	size_t der_len;
	struct spilled list; /* evidence: a list; `data` NULL: there is none */
	/*
	 * What ENTRY_REVOKED, ENTRY_REVOCATIONS and ENTRY_REVOCATION_UPGRADED
	 * say, for CRLs and OCSP responses of the same plan: ascending.
	 */
	const struct planned_revocation *revoked; /* in `planned` */
	size_t revoked_count;
	struct spilled planned;
};

struct planned_revocation {
	unsigned char serial[21]; /* content octets */
	size_t serial_len;
	int64_t date;
	int reason;         /* CRLReason, 0: none */
	int64_t invalidity; /* 0: none */
	int64_t expires;    /* 0: unknown */
};

/* What earlier parts of the same run left of object number i. */
enum earlier_state {
	EARLIER_NOTHING, /* nothing that may be used: build it anew */
	EARLIER_SPOOLED, /* built and listed, and no intent was made */
	EARLIER_SIGNED,  /* its result is in the journal */
};

struct earlier_object {
	enum earlier_state state;
	char *name; /* as it was listed or intended; NULL: it was not */
	int64_t built;
	/*
	 * SPOOLED: what is to be signed; SIGNED: the object, as octets.  Of a
	 * CRL in a file, of anything else in memory.
	 */
	struct tbs octets;
};

struct build {
	/* Set by the caller. */
	enum build_mode mode;
	struct journal *journal;
	const char *urls[3]; /* by enum profile_url, with {issuer}; or NULL */
	const struct blocklist *blocklist; /* for the linter; or NULL */
	const struct inputs *inputs;
	/*
	 * Requests for steps with `csr: late`, of role INPUT_LATE.  NULL in a
	 * check, where a placeholder stands for each key.
	 */
	const struct inputs *late;
	bool shares;   /* PINs are derived: a set has shares (reshare) */
	int public_fd; /* public/, to see which names are taken; or -1 */
	/* Where large objects are put while they are built: unlinked files. */
	int scratch_fd;
	int64_t now;
	int (*random)(void *ctx, unsigned char *ret_bytes, size_t len);
	void *random_ctx;
	struct findings *findings;
	/*
	 * `done` of `total` of `what` are built; -1 with CA_R_INTERRUPTED where
	 * somebody asked to stop.  NULL: nobody can.
	 */
	int (*look)(void *ctx, const char *what, size_t done, size_t total);
	void *look_ctx;
	const struct earlier_object *earlier;
	size_t earlier_count;
	const char *run; /* the run's nonce; NULL in a check */
	bool resumed;    /* what is done already was done by this run */
	/* recover-journal: the head that the token holds; NULL: unknown */
	const char *token_head;

	/* Filled by the steps. */
	struct planned_key *keys;
	size_t key_count;
	struct built_object *objects;
	size_t object_count;
	struct built_batch *batches;
	size_t batch_count;
	struct built_act *acts;
	size_t act_count;
	struct profile **profiles; /* compiled once each */
	char **profile_names;
	size_t profile_count;
	/*
	 * Requests that were left out (`on-refusal: continue`), an array of
	 * {step, request, name, findings}; NULL: none.
	 */
	json_t *left_out;
	struct build_index *index; /* of the objects: index.h */
	char **broken; /* certificates that could not be built: named once */
	size_t broken_count;
};

/*
 * Check and build all steps, in order.  Everything wrong is in
 * build->findings; -1 only for failures of the machine.  In BUILD_RUN the
 * public keys were filled in before by build_set_key().
 */
int build_plan(
    struct build *build, const struct step *steps, size_t count) MUST_USE;

/* Where much is built: tell how far it is, and stop where that is asked for. */
int build_look(const struct build *build, const char *what, size_t done,
    size_t total) MUST_USE;

/* Check only: the keys that steps want made, before anything is built. */
int build_collect_keys(
    struct build *build, const struct step *steps, size_t count) MUST_USE;

/* The real public key of a key of this plan. */
int build_set_key(struct build *build, const char *name,
    const unsigned char *spki, size_t len) MUST_USE;

void build_clear(struct build *build);
CLEANUP_DEFINE_STRUCT(build);

/* ---- for the steps ---------------------------------------------------- */

/* A key as steps see it; pointers are the build's or the row's. */
struct key_view {
	bool found;
	const char *purpose;
	const unsigned char *spki;
	size_t spki_len;
	struct key_row row; /* holds the strings of a key of the journal */
};
void key_view_clear(struct key_view *view);
CLEANUP_DEFINE_STRUCT(key_view);

/*
 * The key called `name`: made by an earlier step, or live in the journal.
 * Where there is none, or its purpose is not `purpose` (NULL: any but
 * journal), adds a finding at `member` and leaves found false.
 */
int build_key(struct build *build, const struct step *step, const char *member,
    const char *name, const char *purpose, struct key_view *ret_view) MUST_USE;

/* An issuer as steps see it. */
struct issuer_view {
	bool found;
	X509 *certificate; /* a reference of its own */
	bool planned;      /* this plan makes it, in this stage */
	bool fresh;        /* and it was encoded by this build */
	unsigned stage;
	struct certificate_facts facts;
	char *dn;            /* SHA-256 of the subject, hex */
	char *key;           /* name of its key */
	enum ca_state state; /* with what this plan makes of it before */
	unsigned char *spki;
	size_t spki_len;
	bool adopted;
};
void issuer_view_clear(struct issuer_view *view);
CLEANUP_DEFINE_STRUCT(issuer_view);

/* What an issuer is wanted for; a state of the CA may forbid it (CA-STATE). */
enum issuer_use {
	ISSUER_ISSUES, /* certificates: active */
	ISSUER_STATUS, /* CRLs, OCSP responses, responders: active or retiring */
	ISSUER_RECORD, /* revocations, imports: what a CRL can still say */
};

/* May a CA in this state be used so? */
bool issuer_may(enum ca_state state, enum issuer_use use);
/* What may still be done in it: the end of a sentence about a refusal. */
const char *issuer_refusal(enum ca_state state);

/*
 * The state of the CA of this key: in the journal, and with what earlier steps
 * make of it.  Active where it has no state.
 */
int build_ca_state(const struct build *build, const char *key,
    enum ca_state *ret_state) MUST_USE;

/*
 * The certificate called `name`, made by an earlier step or in the journal,
 * whose key is on the token with purpose `ca`.  Otherwise a finding (none for
 * a certificate of this plan that itself has findings).
 */
int build_issuer(struct build *build, const struct step *step,
    const char *member, const char *name, enum issuer_use use,
    struct issuer_view *ret_view) MUST_USE;

/* The compiled profile, of this kind; NULL and a finding otherwise. */
int build_profile(struct build *build, const struct step *step,
    const char *name, enum profile_kind kind,
    const struct profile **ret_profile) MUST_USE;

/*
 * The compiled profile `name` of the inputs, of whatever kind; NULL and a
 * finding where it does not compile, or calls itself something else.  Errors
 * about it stand at `member`.
 */
int build_any_profile(struct build *build, const struct step *step,
    const char *member, const char *name,
    const struct profile **ret_profile) MUST_USE;

/* A duration that the plan gives; 0 for NULL; a finding if malformed. */
void build_duration(struct build *build, const struct step *step,
    const char *member, const char *text, int64_t *ret_seconds);

/*
 * Is `name` well-formed and free: in the plan, the journal, and public/?
 * The kind of step says where it would be published.
 */
int build_check_name(
    struct build *build, const struct step *step, const char *name) MUST_USE;

/* Remember that this certificate will not come, so that others need not say. */
int build_broken(struct build *build, const char *name) MUST_USE;
bool build_is_broken(const struct build *build, const char *name);

/*
 * What earlier parts of the run left of the object that is built next.
 * EARLIER_NOTHING also for what was built more than 12 hours ago, or
 * `fresh_issuer`: what it rests on was built anew.
 */
const struct earlier_object *build_earlier(
    const struct build *build, bool fresh_issuer);

/*
 * What it left, held in memory: all but CRLs.  CA_R_CORRUPT where it is of
 * another kind than what is built.
 */
int earlier_in_memory(const struct earlier_object *earlier,
    enum object_kind kind, struct der *ret_octets) MUST_USE;

/* Is this serial revoked: in the journal, or by an earlier step? */
int build_is_revoked(const struct build *build, const char *issuer_dn,
    const char *serial, bool *ret_revoked) MUST_USE;

/*
 * A finding STEP-ALONE unless the step is the only one of its plan: those of
 * ceremony/special.c, which change the authority itself.
 */
void step_alone(struct build *build, const struct step *step);

/*
 * Did an earlier part of this run journal an entry of this kind?  Not in a
 * check.
 */
int step_journalled(
    const struct build *build, enum entry_kind kind, bool *ret_found) MUST_USE;

enum { WHY_MAX = 500 };

/* A finding WHY where a reason is blank, or longer than WHY_MAX. */
void step_check_why(
    struct build *build, const struct step *step, const char *why);

/*
 * Findings at `key` where a key may not be called so (its form; a name that is
 * taken), and at `backup` where there is no such kind.
 */
int step_check_key_name(
    struct build *build, const struct step *step, const char *name) MUST_USE;
void step_check_backup(
    struct build *build, const struct step *step, const char *backup);

/* An escaped sentence, for describe(); malloc'd. */
int step_text(char **ret_text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3))) MUST_USE;

/* A finding for a malformed name, of at most `max` characters. */
void step_name_finding(struct build *build, const struct step *step,
    const char *member, const char *name, unsigned max);

/* A copy of `len` bytes; malloc'd, NULL with CA_R_MEMORY raised. */
unsigned char *bytes_copy(const unsigned char *bytes, size_t len) MUST_USE;

/*
 * Add an object.  Takes what `object` holds, also on failure.  For a
 * certificate `certificate` and facts are derived here.  What is yet to be
 * signed is linted, with a constant for its signature: errors refuse the build.
 */
int build_add_object(struct build *build, struct built_object *object) MUST_USE;
void built_object_clear(struct built_object *object);

/* Add a batch.  Takes what it holds, also on failure. */
int build_add_batch(struct build *build, struct built_batch *batch) MUST_USE;
void built_batch_clear(struct built_batch *batch);
CLEANUP_DEFINE_STRUCT(built_batch);

/* The certificate as DER, for the linter; a constant may stand in it. */
int built_issuer(struct built_object *object, X509 *issuer) MUST_USE;

/*
 * Lint an object of the plan in DER: its to-be-signed octets with a constant
 * signature, or signed.  Findings as whoever signs needs them: nothing that is
 * not acknowledged by the profile passes.
 */
int built_lint(const struct built_object *object, struct der der, bool constant,
    int64_t at, struct findings *findings) MUST_USE;

/*
 * The same for one OCSPResponse of a batch.  The certificate beside it is not
 * verified again where it is the batch's responder_der: the step has done that,
 * or this plan makes it.  Threads may share a batch.
 */
int built_batch_lint(const struct built_batch *batch, struct der response,
    bool constant, int64_t at, struct findings *findings) MUST_USE;
/*
 * Open the certificates for the linter, once for all responses; again after
 * they were replaced.  Without it, each lint opens them.
 */
int built_batch_prepare(struct built_batch *batch) MUST_USE;

/* The same for a CRL of any size. */
int built_lint_source(const struct built_object *object,
    const struct der_source *source, bool constant, int64_t at,
    struct findings *findings) MUST_USE;

/* object_with_constant(), in an unlinked file; in memory, wherever it is. */
int built_constant_file(const struct build *build,
    const struct built_object *object, struct der_file *ret_file) MUST_USE;
int built_with_constant(
    const struct tbs *tbs, unsigned char **ret_der, size_t *ret_len) MUST_USE;

/* Sets `previous` of a CRL from the journal, where it has one. */
int built_find_previous(
    struct build *build, struct built_object *object) MUST_USE;

/* Findings as a JSON array for evidence, from row `first` on; NULL. */
json_t *findings_to_json(const struct findings *findings, size_t first);

/*
 * What the linters found and let pass, for people: "severity: ID: text" of each
 * row, joined by newlines; "" where there is nothing.  malloc'd; safe to print.
 */
int built_lint_text(const json_t *lint, char **ret_text) MUST_USE;

/* Set `revoked`: a copy of these rows, which ascend. */
int act_plan(struct built_act *act, const struct planned_revocation *rows,
    size_t count) MUST_USE;

void built_act_clear(struct built_act *act);
CLEANUP_DEFINE_STRUCT(built_act);

/*
 * Add an act.  Takes what `act` holds, also on failure; its text is derived
 * from its data here.
 */
int build_add_act(struct build *build, struct built_act *act) MUST_USE;

/*
 * If the newest error refuses an input (exit status 3), make it a finding and
 * return 0; else leave it and return -1.
 */
int build_error_to_finding(struct build *build, const struct step *step,
    const char *member, const char *id) MUST_USE;

/* A public key that stands for one that is yet to be made; malloc'd. */
int placeholder_spki(const struct key_type *type, size_t number,
    unsigned char **ret_spki, size_t *ret_len) MUST_USE;

#endif
