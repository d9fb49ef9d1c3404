/*
 * The step that goes on with a journal that is not the newest: the right one is
 * lost for good, and the token's head, or a receipt, shows it.  A new epoch
 * begins, with an origin of its own.  An act.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note.h"
#include "ceremony/steps/build.h"

static int
inputs(const struct step *step, const struct input_visitor *visitor)
{
	const struct recover_journal_params *p = step->params;

	for (unsigned i = 0; i < p->receipts_count; i++)
		if (visitor->need(visitor->ctx, INPUT_FILE, p->receipts[i],
			step_place(step, "receipts")) < 0)
			return -1;
	return 0;
}

/* Nobody knows how far the lost one went beyond the newest receipt. */
enum { LOST_AT_LEAST = 1 << 20 };

/* What is known of the journal that is lost. */
struct lost {
	uint64_t epoch; /* the highest that was seen */
	uint64_t size;  /* the longest */
	json_t *receipts;
};

static void
lost_clear(struct lost *lost)
{
	json_decref(lost->receipts);
	*lost = (struct lost){ 0 };
}
CLEANUP_DEFINE_STRUCT(lost);

static void
lost_saw(struct lost *lost, uint64_t epoch, uint64_t size)
{
	if (epoch > lost->epoch)
		lost->epoch = epoch;
	if (size > lost->size)
		lost->size = size;
}

static int
add_receipt(struct build *build, const struct step *step, const char *name,
    struct lost *lost)
{
	const struct input *input =
	    inputs_find(build->inputs, INPUT_FILE, name);
	AUTO_STRUCT(checkpoint) receipt = { 0 };
	AUTO_CHARS(sha256) = NULL;
	uint64_t epoch = 0;

	if (input == NULL)
		return 0; /* reading the inputs gave a finding */
	if (head_receipt(build->journal, (const char *)input->data, input->len,
		&receipt, &epoch) < 0)
		return build_error_to_finding(
		    build, step, "receipts", "RECEIPT");
	lost_saw(lost, epoch, receipt.size);
	sha256 = sha256_hex(input->data, input->len);
	if (sha256 == NULL ||
	    json_array_append_new(lost->receipts, json_string(sha256)) != 0)
		return ca_error(CA_R_MEMORY, "no memory for receipts");
	return 0;
}

static int
collect_lost(struct build *build, const struct step *step, struct lost *lost)
{
	const struct recover_journal_params *p = step->params;
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(head) head = { 0 };

	lost->receipts = json_array();
	if (lost->receipts == NULL)
		return ca_error(CA_R_MEMORY, "no memory for receipts");
	if (journal_authority(build->journal, &row) < 0)
		return -1;
	lost_saw(lost, row.epoch, LOST_AT_LEAST);
	for (unsigned i = 0; i < p->receipts_count; i++)
		if (add_receipt(build, step, p->receipts[i], lost) < 0)
			return -1;
	if (build->token_head == NULL)
		return 0;
	if (head_parse(build->token_head, strlen(build->token_head), &head) < 0)
		return -1;
	lost_saw(lost, head.epoch, head.size);
	return 0;
}

static int
check(struct build *build, const struct step *step)
{
	const struct recover_journal_params *p = step->params;
	AUTO_STRUCT(lost) lost = { 0 };

	step_alone(build, step);
	step_check_why(build, step, p->why);
	return collect_lost(build, step, &lost);
}

static int
describe(const struct step *step, char **ret_text)
{
	const struct recover_journal_params *p = step->params;

	return step_text(ret_text,
	    "go on with the journal as it is, though the token's head or a "
	    "receipt shows that it is not the newest: what the lost one knew "
	    "is not known any more; a new epoch begins, and the numbers of all "
	    "CRLs jump (why: %s)",
	    p->why);
}

/* Did an earlier part of this run do it? */
struct search {
	const char *run;
	bool found;
};

static int
match_run(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct search *search = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run = NULL;

	(void)seq;
	if (entry != NULL &&
	    json_unpack(entry, "{s:{s:s}}", "data", "run", &run) == 0 &&
	    strcmp(run, search->run) == 0)
		search->found = true;
	json_decref(entry);
	return 0;
}

int
step_journalled(
    const struct build *build, enum entry_kind kind, bool *ret_found)
{
	struct search search = { .run = build->run };

	if (build->run != NULL &&
	    journal_each_entry(build->journal, 0, kind, match_run, &search) < 0)
		return -1;
	*ret_found = search.found;
	return 0;
}

static int
fill_act(const struct build *build, const struct step *step,
    const struct authority_row *row, const struct lost *lost,
    struct built_act *act)
{
	const struct recover_journal_params *p = step->params;
	AUTO_CHARS(origin) = epoch_origin(row->id, lost->epoch + 1);

	if (origin == NULL)
		return -1;
	act->kind = text_copy("recover-journal");
	act->data = json_pack("{s:I, s:s, s:I, s:O, s:s?, s:s}", "epoch",
	    (json_int_t)lost->epoch + 1, "origin", origin, "lost",
	    (json_int_t)lost->size, "receipts", lost->receipts, "head",
	    build->token_head, "why", p->why);
	if (step_text(&act->summary,
		"recover the journal: it goes on as '%s', and the numbers of "
		"all CRLs jump by %" PRIu64 ", above all that were used%s",
		origin, lost->size,
		build->token_head == NULL
		    ? " (the token's head is read when the plan is run)"
		    : "") < 0)
		act->summary = NULL; /* build_add_act() refuses it */
	return 0;
}

static int
build(struct build *build, const struct step *step)
{
	struct built_act act = { .entry = ENTRY_KINDS, .step = step };
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(lost) lost = { 0 };
	bool done = false;

	if (step_journalled(build, ENTRY_EPOCH, &done) < 0)
		return -1;
	if (done)
		return 0;
	if (journal_authority(build->journal, &row) < 0 ||
	    collect_lost(build, step, &lost) < 0 ||
	    fill_act(build, step, &row, &lost, &act) < 0)
		return -1;
	return build_add_act(build, &act);
}

const struct step_kind step_recover_journal = {
	.name = "recover-journal",
	.params_offset = offsetof(struct step_params, recover_journal),
	.inputs = inputs,
	.check = check,
	.describe = describe,
	.build = build,
};
