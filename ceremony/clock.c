#include "ceremony/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"

enum { OFFSET_NOTABLE = 60, OFFSET_REFUSED = 600 };

static int
judge(const struct room *room, bool wrong_is_known,
    const struct clock_reading *reading)
{
	int64_t offset = reading->machine - reading->other;
	AUTO_CHARS(line) = text_printf("this computer's clock is %" PRId64
				       " seconds %s the second one",
	    offset < 0 ? -offset : offset, offset < 0 ? "behind" : "ahead of");

	if (line == NULL)
		return -1;
	if (llabs(offset) > OFFSET_REFUSED && !wrong_is_known)
		return ca_error(CA_R_POLICY,
		    "%s; find out which is right, and set the computer's",
		    line);
	room->show(room->ctx,
	    llabs(offset) > OFFSET_NOTABLE ? ROOM_WARNING : ROOM_TEXT, line);
	return 0;
}

int
clock_compare(const struct room *room, bool wrong_is_known,
    struct clock_reading *ret_reading)
{
	struct clock_reading reading = { .machine = date_now() };
	char text[DATE_TEXT_SIZE];
	AUTO_CHARS(line) = NULL;

	date_format(reading.machine, text);
	line = text_printf("The clock of this computer says %s. Compare it "
			   "with a second one.",
	    text);
	if (line == NULL)
		return -1;
	room->show(room->ctx, ROOM_TEXT, line);
	if (room->ask_clock != NULL &&
	    room->ask_clock(room->ctx, &reading.compared, &reading.other) < 0)
		return -1;
	reading.machine = date_now();
	if (reading.compared && judge(room, wrong_is_known, &reading) < 0)
		return -1;
	*ret_reading = reading;
	return 0;
}

json_t *
clock_json(const struct clock_reading *reading)
{
	char machine[DATE_TEXT_SIZE], other[DATE_TEXT_SIZE];

	date_format(reading->machine, machine);
	date_format(reading->other, other);
	return reading->compared
	    ? json_pack("{s:s, s:s, s:I}", "clock", machine, "other", other,
		  "offset", (json_int_t)(reading->machine - reading->other))
	    : json_pack("{s:s, s:n, s:n}", "clock", machine, "other", "offset");
}
