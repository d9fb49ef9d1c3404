/*
 * Times of what runs do never go back, but where `correct-clock` said that
 * those before were wrong (journal_last_time()).  A run looks at the clock when
 * it begins and when it goes on.
 */
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"

struct times {
	int64_t last;
	uint64_t last_seq;
	bool early; /* the open run began before `last`: its clock is to be
		       corrected */
	bool acted; /* it did something all the same */
	struct audit_entry begun; /* that run's; only for its place */
	char run[HASH_HEX_SIZE];  /* its nonce */
};

static void
tell(struct audit *audit, const struct times *times,
    const struct audit_entry *entry, bool warning)
{
	char last[DATE_TEXT_SIZE];

	date_format(times->last, last);
	(warning ? audit_warning : audit_error)(audit, entry, "AUDIT-TIME",
	    "the clock went back: entry %llu is of %s, and no entry 'clock' "
	    "says that this was wrong",
	    (unsigned long long)times->last_seq, last);
}

static void
see(struct times *times, const struct audit_entry *entry)
{
	if (entry->time <= times->last)
		return;
	times->last = entry->time;
	times->last_seq = entry->seq;
}

/*
 * The run that began early is over, or there is nothing more of it: an error
 * where it made or changed something.
 */
static void
settle(struct audit *audit, struct times *times)
{
	if (times->early)
		tell(audit, times, &times->begun, !times->acted);
	times->early = false;
}

/* Refused at once, but to a run that corrects the clock. */
static void
on_begin(
    struct audit *audit, struct times *times, const struct audit_entry *entry)
{
	const char *run = audit_text(entry, "run");

	/* Another that was left open: this one abandons it. */
	if (strcmp(run, times->run) != 0)
		settle(audit, times);
	if (entry->time >= times->last || times->early)
		return;
	times->early = true;
	times->acted = false;
	(void)snprintf(times->run, sizeof(times->run), "%s", run);
	times->begun =
	    (struct audit_entry){ .seq = entry->seq, .kind = entry->kind };
}

static int
on_clock(struct times *times, const struct audit_entry *entry)
{
	times->early = false;
	times->last_seq = entry->seq;
	return date_parse(audit_text(entry, "now"), &times->last);
}

/* A run that was refused at once did nothing. */
static void
on_close(
    struct audit *audit, struct times *times, const struct audit_entry *entry)
{
	const char *outcome = audit_text(entry, "outcome");

	if (strcmp(audit_text(entry, "run"), times->run) != 0)
		return;
	if (strcmp(outcome, "done") == 0)
		times->acted = true;
	if (strcmp(outcome, "refused") == 0 && !times->acted)
		times->early = false;
	settle(audit, times);
}

/* What a run makes or changes. */
static bool
is_act(enum entry_kind kind)
{
	static const enum entry_kind acts[] = { ENTRY_KEY_INTENT, ENTRY_KEY,
		ENTRY_INTENT, ENTRY_RESULT, ENTRY_OCSP_INTENT,
		ENTRY_OCSP_RESULT, ENTRY_REVOKED, ENTRY_REVOCATIONS,
		ENTRY_REVOCATION_UPGRADED, ENTRY_ISSUED, ENTRY_ADOPTED };

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (acts[i] == kind)
			return true;
	return false;
}

static int
times_begin(struct audit *audit, void **ret_state)
{
	(void)audit;
	*ret_state = calloc(1, sizeof(struct times));
	return *ret_state == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for an audit")
	    : 0;
}

static int
times_entry(struct audit *audit, void *state, const struct audit_entry *entry)
{
	struct times *times = state;

	if (is_act(entry->kind))
		times->acted = true;
	switch (entry->kind) {
	case ENTRY_CLOCK:
		return on_clock(times, entry);
	case ENTRY_RESUMED:
		on_begin(audit, times, entry);
		return 0;
	case ENTRY_PLAN:
		on_begin(audit, times, entry);
		break;
	case ENTRY_LIST:
	case ENTRY_INTENT:
	case ENTRY_RESULT:
	case ENTRY_OCSP_INTENT:
	case ENTRY_OCSP_RESULT:
	case ENTRY_CLOSE:
		/* The clock of an offline machine can be set during a run. */
		if (entry->time < times->last && !times->early)
			tell(audit, times, entry, true);
		if (entry->kind == ENTRY_CLOSE)
			on_close(audit, times, entry);
		break;
	default:
		return 0;
	}
	see(times, entry);
	return 0;
}

static int
times_end(struct audit *audit, void *state, bool whole)
{
	if (whole)
		settle(audit, state);
	free(state);
	return 0;
}

const struct audit_pass audit_times = {
	.name = "times",
	.begin = times_begin,
	.entry = times_entry,
	.end = times_end,
};
