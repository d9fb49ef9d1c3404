/*
 * The step that says that the clock was wrong before, and is right now: the
 * journal's last time lies in the future.  An act.
 */
#include "base/date.h"
#include "base/text.h"
#include "ceremony/steps/build.h"

static int
check(struct build *build, const struct step *step)
{
	const struct correct_clock_params *p = step->params;

	step_alone(build, step);
	step_check_why(build, step, p->why);
	return 0;
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct correct_clock_params *p = step->params;

	return step_text(ret_text,
	    "take the time that the clock says now for right, though the "
	    "journal has entries of a later time; everything from here on is "
	    "dated by it (why: %s)",
	    p->why);
}

static int
add_act(struct build *build, const struct step *step, int64_t last)
{
	const struct correct_clock_params *p = step->params;
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };
	char floor[DATE_TEXT_SIZE], now[DATE_TEXT_SIZE];

	date_format(last, floor);
	date_format(build->now, now);
	act.kind = text_copy("correct-clock");
	act.data = json_pack(
	    "{s:s, s:s, s:s}", "floor", floor, "clock", now, "why", p->why);
	if (step_text(&act.summary,
		"correct the clock: it says %s, and the journal's last entry "
		"of a run is of %s, which was wrong",
		now, floor) < 0)
		act.summary = NULL; /* build_add_act() refuses it */
	return build_add_act(build, &act);
}

static int
build(struct build *build, const struct step *step)
{
	int64_t last = 0;
	char floor[DATE_TEXT_SIZE], now[DATE_TEXT_SIZE];

	if (journal_last_time(build->journal, &last) < 0)
		return -1;
	if (build->now < last)
		return add_act(build, step, last);
	if (build->resumed)
		return 0; /* done by an earlier part of this run */
	date_format(last, floor);
	date_format(build->now, now);
	step_finding(build, step, NULL, "CLOCK-RIGHT", NULL,
	    "the clock says %s, which is not before the journal's last entry "
	    "of a run (%s): there is nothing to correct",
	    now, floor);
	return 0;
}

const struct step_kind step_correct_clock = {
	.name = "correct-clock",
	.params_offset = offsetof(struct step_params, correct_clock),
	.check = check,
	.describe = describe,
	.build = build,
};
