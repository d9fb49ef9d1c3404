/*
 * The machine's clock beside a second one: two readings and their offset, for
 * the journal (rules.md 15.1, item 1).
 */
#ifndef CA_CEREMONY_CLOCK_H
#define CA_CEREMONY_CLOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/room.h"

struct clock_reading {
	int64_t machine; /* when the other one was read out */
	bool compared;   /* somebody said what a second clock says */
	int64_t other;
};

/*
 * Show the room what this computer's clock says, and ask for a second one.  More
 * than a minute between them is a warning; more than ten are refused
 * (CA_R_POLICY), unless `wrong_is_known` (correct-clock).
 */
int clock_compare(const struct room *room, bool wrong_is_known,
    struct clock_reading *ret_reading) MUST_USE;

/*
 * {clock, other, offset}: offset is how many seconds the machine is ahead; other
 * and offset are null where nobody compared.  NULL without memory.
 */
json_t *clock_json(const struct clock_reading *reading);

#endif
