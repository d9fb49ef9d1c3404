/*
 * A journal of real people, with their certificates and signatures, as init and
 * runs make it; and what a forger changes in it while it is made.
 */
#ifndef TESTS_AUDIT_PEOPLE_SUPPORT_H
#define TESTS_AUDIT_PEOPLE_SUPPORT_H

#include <jansson.h>

#include "ceremony/audit/audit.h"
#include "ceremony/journal/journal.h"
#include "ceremony/quorum/set.h"
#include "ceremony/quorum/signature.h"
#include "tests/unit/quorum/people.h"

/*
 * Alice, Bob and Carol are the operators (2 of 3), Wendy the witness; Dave comes
 * with a reshare.  Mallory's certificate has Alice's names.
 */
enum who { ALICE, BOB, CAROL, DAVE, WENDY, MALLORY, PEOPLE };
extern const char *const cast_names[PEOPLE];

#define RUN_1 "000102030405060708090a0b0c0d0e0f"
#define RUN_2 "101112131415161718191a1b1c1d1e1f"
#define RUN_3 "202122232425262728292a2b2c2d2e2f"

struct cast {
	char path[64];
	struct journal *journal;
	EVP_PKEY *sign[PEOPLE], *decrypt[PEOPLE], *journal_key;
	X509 *sign_cert[PEOPLE], *decrypt_cert[PEOPLE];
	struct quorum_set *set; /* in force */
	json_t *openers;        /* who make the entries since the last login */
	struct findings found;  /* by the last audit */

	/*
	 * The forger: may change the data of the nth entry of a kind (from 0),
	 * or return NULL to leave it out; the reference moves.
	 */
	json_t *(*edit)(
	    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data);
	unsigned seen[ENTRY_KINDS];
	/*
	 * The same for texts that are evidence, or signed: "config",
	 * "set.yaml", "enrolment", "anchor", "plan", "manifest", "list",
	 * "event", "content", "certificate", "lint" (of a list), "result-lint".
	 * malloc'd, or NULL to leave it.
	 */
	char *(*edit_text)(
	    struct cast *c, const char *what, unsigned nth, const char *text);
	unsigned texts;
	/* This signature is made by another, or for another purpose. */
	struct {
		bool on;
		enum signature_purpose purpose;
		enum who who, by;
		enum signature_purpose as;
	} forged;
	const char *text;   /* of the next entries, if not NULL */
	const char *config; /* what authority.yaml has behind `login` */
	bool
	    linted; /* lists and results have reports of linters: cast_linters */
	unsigned threshold;
	const char *people; /* who gives shares: "alice bob" */
};

/* For `config`: an outside linter and a blocklist. */
extern const char cast_linters[];

int cast_setup(void **state);
int cast_teardown(void **state);
/* Anew, without a forger; each case of a test begins with it. */
void cast_reset(struct cast *c);

/* Evidence; SHA-256 in hex, which stays for sixteen calls. */
const char *cast_evidence(struct cast *c, const void *bytes, size_t len);
/* A statement of this person, as evidence. */
const char *cast_sign(struct cast *c, enum signature_purpose purpose,
    enum who who, const void *content, size_t len);
void cast_add(struct cast *c, enum entry_kind kind, json_t *data);

/* From genesis to ready. */
void cast_init(struct cast *c);
/* A set of these people, `operators` of them not witnesses. */
struct quorum_set *cast_make_set(struct cast *c, const enum who *people,
    size_t count, size_t operators, unsigned threshold);
/* Their enrolments and the entry of the set. */
void cast_enrol(struct cast *c, const struct quorum_set *set);
/* A set file and its certificates, as inputs of a plan: {given: text}. */
json_t *cast_set_inputs(struct cast *c, const enum who *people, size_t count,
    size_t operators, unsigned threshold);
void cast_quorum(struct cast *c, const struct quorum_set *set,
    const char *state, const char *replaces, const char *run);
void cast_anchor(struct cast *c, const struct quorum_set *set, enum who who);

struct order {
	const char *run, *plan, *steps, *abandons;
	bool unattended;
	/* Inputs besides the plan, authority.yaml and the profiles; or NULL:
	 * {given: text}. */
	json_t *inputs;
	char manifest[HASH_HEX_SIZE]; /* set by cast_open() */
};
void cast_login(struct cast *c, const char *run);
/* Login, plan, approvals of Alice and Bob. */
void cast_open(struct cast *c, struct order *order);
void cast_key(struct cast *c, const char *run, const char *name);
/* A line of a list; objects first. */
json_t *cast_object(int number, const char *kind, const char *name);
json_t *cast_act(int number, const char *kind, json_t *data);
/* List, and confirmations of Alice and Bob; takes `lines`. */
void cast_list(
    struct cast *c, const struct order *order, int list, json_t *lines);
/* Without confirmations. */
void cast_list_only(
    struct cast *c, const struct order *order, int list, json_t *lines);
/* Intent and result of an object. */
void cast_intent(struct cast *c, const char *run, int list, int number,
    const char *kind, const char *name);
void cast_result(
    struct cast *c, const char *run, int list, int number, const char *name);
void cast_close(struct cast *c, const char *run, const char *outcome);

/* ---- what comes of it ------------------------------------------------- */

/* Audit what there is by now; c->journal is open again behind it. */
void cast_audit(struct cast *c);
/* None of the ids of the passes `people` and `ways`. */
void cast_assert_clean(struct cast *c);
/* An error `id` at an entry of this kind, with this in its text. */
void cast_assert_found(
    struct cast *c, const char *id, const char *kind, const char *part);
/* No error of these passes but `id`. */
void cast_assert_only(
    struct cast *c, const char *id, const char *kind, const char *part);

/* ---- forgeries -------------------------------------------------------- */

/* One thing forged, and what is said of it. */
struct forgery {
	const char *name;
	void (*prepare)(struct cast *c);
	json_t *(*edit)(
	    struct cast *c, enum entry_kind kind, unsigned nth, json_t *data);
	char *(*edit_text)(
	    struct cast *c, const char *what, unsigned nth, const char *text);
	const char *id, *kind, *part;
};

/* Each in a journal that make() makes. */
void cast_try(struct cast *c, const struct forgery *forgeries, size_t count,
    void (*make)(struct cast *c));
#define TRY_ALL(c, forgeries, make) \
	cast_try(c, forgeries, sizeof(forgeries) / sizeof((forgeries)[0]), make)

/* `data` with another member; without any of it. */
json_t *with(json_t *data, const char *member, json_t *value);
json_t *without(json_t *data);
/* `text` with `to` for the first `from`; malloc'd. */
char *replaced(const char *text, const char *from, const char *to);

#endif
