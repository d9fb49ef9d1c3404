/*
 * Acts with a list: what an act revokes or takes in may be a million rows.  The
 * room sees how many there are, the first and the last; all of them lie in the
 * run's directory.
 */
#ifndef CA_CEREMONY_ACT_LISTS_H
#define CA_CEREMONY_ACT_LISTS_H

#include "base/cleanup.h"

struct run;
struct room;
struct built_act;

/*
 * Before operators confirm: the list of each act, as the journal will have it,
 * in "list-LIST-act-ACT" beside the spool.
 */
int act_lists_write(const struct run *run) MUST_USE;

/* More lines about an act, where it has them. */
int act_show(const struct room *room, const char *indent,
    const struct built_act *act) MUST_USE;

/* Where act `number` of the run's newest list has its rows, if it has any. */
int act_show_file(const struct run *run, size_t number) MUST_USE;

#endif
