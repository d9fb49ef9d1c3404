#include "ceremony/act-lists.h"

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/run-private.h"

static bool
has_list(const struct built_act *act)
{
	return act->list.data != NULL;
}

int
act_lists_write(const struct run *run)
{
	for (size_t i = 0; i < run->build.act_count; i++) {
		const struct built_act *act = &run->build.acts[i];
		AUTO_CHARS(name) =
		    text_printf("list-%u-act-%zu", run->lists, i);

		if (name == NULL)
			return -1;
		if (has_list(act) && bulk_write(run->fd, name, &act->list) < 0)
			return -1;
	}
	return 0;
}

int
act_show(
    const struct room *room, const char *indent, const struct built_act *act)
{
	return act->details == NULL ? 0
				    : room_lines(room, indent, act->details);
}

int
act_show_file(const struct run *run, size_t number)
{
	AUTO_CHARS(line) = NULL;

	if (!has_list(&run->build.acts[number]) || run->lists == 0)
		return 0;
	line = text_printf("all rows: ceremonies/%s/list-%u-act-%zu",
	    run->plan->directory, run->lists - 1, number);
	return line == NULL ? -1 : room_lines(run->room, "   ", line);
}
