/*
 * Operators' signatures on disk, below ceremonies/DIR/: approvals of its
 * manifest in approvals/NAME.cms, confirmations of list N in
 * confirmations/N-NAME.cms.  A file is believed only as far as its signature
 * goes: each is verified when it is read, whoever put it there.
 */
#ifndef CA_CEREMONY_STATEMENTS_H
#define CA_CEREMONY_STATEMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/findings.h"
#include "ceremony/operators.h"
#include "ceremony/quorum/set.h"
#include "ceremony/quorum/signature.h"

struct statement {
	const struct person *person; /* the set's */
	unsigned char *der;
	size_t len;
};

/* Valid ones, one a person, in the set's order. */
struct statements {
	struct statement *rows;
	size_t count;
};
void statements_clear(struct statements *statements);
CLEANUP_DEFINE_STRUCT(statements);

/* What is signed: one kind of statement about one content. */
struct statement_kind {
	enum signature_purpose purpose;
	const char *folder; /* "approvals" */
	const char *prefix; /* "", or "0-" for list 0 */
	const void *content;
	size_t len;
};

/*
 * Read all files of this kind below dirfd.  What does not verify, is by nobody
 * of the set, by a witness, or under a name that is not its signer's, is a
 * finding (warning) that names the file and says what is wrong: it does not
 * count.
 */
int statements_load(int dirfd, const struct statement_kind *kind,
    const struct quorum_set *set, struct findings *findings,
    struct statements *ret_statements) MUST_USE;

/* Is one of this person's there? */
bool statements_have(
    const struct statements *statements, const struct person *person);

/* "alice, bob", or "nobody"; malloc'd. */
int statements_names(
    const struct statements *statements, char **ret_names) MUST_USE;

/* Verify one, and write it. */
int statements_store(int dirfd, const struct statement_kind *kind,
    const struct person *person, const unsigned char *der, size_t len) MUST_USE;

/* How operators are asked for a statement. */
struct statement_ask {
	struct operators *operators;
	const char *why;      /* "to approve the plan" */
	const char *question; /* put to each before the key is asked for */
	size_t items;         /* that can be looked at before the answer */
	int (*show)(void *ctx, size_t item); /* from 1 */
	void *ctx;
	bool
	    everybody; /* all that are in the room, not only as many as needed */
	const struct person *refused_by; /* out: who said no (CA_R_POLICY) */
};

/*
 * Ask operators who have made none yet until there are `needed`, each stored
 * as soon as it is made; `statements` grows.  CA_R_QUORUM where nobody more can
 * be had.
 */
int statements_ask(int dirfd, const struct statement_kind *kind,
    struct statement_ask *ask, size_t needed,
    struct statements *statements) MUST_USE;

#endif
