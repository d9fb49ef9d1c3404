/* The journal's head on the token: compared at login, written for each window. */
#ifndef CA_CEREMONY_HEAD_H
#define CA_CEREMONY_HEAD_H

#include "ceremony/journal/head.h"

/* What a login makes of it. */
enum head_rule {
	HEAD_MUST_FIT,
	HEAD_MAY_LAG,    /* adopt-token: T may be absent or older */
	HEAD_MUST_CLASH, /* recover-journal: J is shorter or forked */
	HEAD_MAY_CLASH,  /* the same, where receipts show it */
};

struct authority;

/*
 * Read the token's head, and compare: CA_R_VERIFY unless the rule is kept, with
 * what it means and the way out.  *ret_head: the newest whole one, as
 * *ret_found says; may be NULL both.
 */
int head_check(struct authority *authority, enum head_rule rule,
    bool *ret_found, struct head *ret_head) MUST_USE;

/*
 * Write the head of all entries so far onto the token, remove older ones, and
 * journal that (ENTRY_HEAD).  After this the token vouches for the intents that
 * are in the journal.
 */
int head_write(struct authority *authority) MUST_USE;

#endif
