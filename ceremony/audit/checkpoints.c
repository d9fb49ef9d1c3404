/*
 * Checkpoints: signed by the journal's key, never smaller, one for each run;
 * and the anchor, which says whose key that is.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/notes-private.h"

enum { ANCHOR_MAX_BYTES = 4096 };

#define JOURNAL_KEY "journal"

/* ---- state ------------------------------------------------------------ */

static void
notes_free(struct audit_notes *notes)
{
	anchor_clear(&notes->anchor);
	witnesses_clear(&notes->witnesses);
	free(notes->spki);
	free(notes->note);
	free(notes);
}

/* The key beside it is not needed: its SHA-256 is in the anchor. */
static int
read_anchor(const char *path, struct anchor *ret_anchor)
{
	AUTO_BYTES(text) = NULL;
	size_t len = 0;

	return file_read_at(AT_FDCWD, path, ANCHOR_MAX_BYTES, &text, &len) != 0
	    ? -1
	    : anchor_parse((const char *)text, len, ret_anchor);
}

static int
read_given(const struct audit_options *options, struct audit_notes *notes)
{
	if (options->anchor != NULL &&
	    read_anchor(options->anchor, &notes->anchor) != 0)
		return -1;
	notes->anchored = options->anchor != NULL;
	return options->witnesses == NULL
	    ? 0
	    : witnesses_read(options->witnesses, &notes->witnesses);
}

static int
name_witnesses(struct audit *audit, const struct witnesses *witnesses)
{
	struct audit_report *report = &audit->report;

	if (witnesses->count == 0)
		return 0;
	report->witnesses =
	    calloc(witnesses->count, sizeof(*report->witnesses));
	if (report->witnesses == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	report->witness_count = witnesses->count;
	for (size_t i = 0; i < witnesses->count; i++) {
		report->witnesses[i].name = text_copy(witnesses->keys[i].name);
		if (report->witnesses[i].name == NULL)
			return -1;
	}
	return 0;
}

static int
checkpoints_begin(struct audit *audit, void **ret_state)
{
	struct audit_notes *notes = calloc(1, sizeof(*notes));

	if (notes == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an audit");
	*ret_state = notes;
	return read_given(audit->options, notes) != 0
	    ? -1
	    : name_witnesses(audit, &notes->witnesses);
}

/* ---- entries ---------------------------------------------------------- */

/* It is made once, by init; nothing replaces it. */
static int
on_key(struct audit *audit, struct audit_notes *notes,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	if (strcmp(audit_text(entry, "name"), JOURNAL_KEY) != 0)
		return 0;
	if (journal_key(audit->journal, JOURNAL_KEY, &found, &row) != 0)
		return -1;
	if (notes->spki != NULL) {
		audit_error(audit, entry, "AUDIT-CHECKPOINT",
		    "the journal's key was made before; another cannot take "
		    "its place");
		return 0;
	}
	if (!found || row.spki == NULL || strcmp(row.purpose, "journal") != 0)
		return 0;
	notes->spki = TAKE(row.spki);
	notes->spki_len = row.spki_len;
	return 0;
}

/* The note says what the entry says; apply() compared that with the tree. */
static void
compare_note(struct audit *audit, const struct audit_entry *entry,
    const struct checkpoint *checkpoint)
{
	char root[HASH_HEX_SIZE];

	text_hex_into(checkpoint->root, HASH_LEN, root);
	if (checkpoint->size != (uint64_t)audit_number(entry, "size") ||
	    strcmp(root, audit_text(entry, "root")) != 0)
		audit_error(audit, entry, "AUDIT-CHECKPOINT",
		    "its note signs another size or root than it says");
}

/* Never smaller; and of one size there is one note. */
static int
compare_newest(struct audit *audit, struct audit_notes *notes,
    const struct audit_entry *entry, uint64_t epoch)
{
	uint64_t size = (uint64_t)audit_number(entry, "size");
	const char *note = audit_text(entry, "note");

	if (epoch == notes->epoch && size < notes->size)
		audit_error(audit, entry, "AUDIT-CHECKPOINT",
		    "it counts %" PRIu64 " entries, the one before it %" PRIu64
		    ": checkpoints never go back",
		    size, notes->size);
	if (epoch == notes->epoch && size == notes->size &&
	    notes->note != NULL && strcmp(note, notes->note) != 0)
		audit_error(audit, entry, "AUDIT-CHECKPOINT",
		    "it counts %" PRIu64 " entries, as the one before it does, "
		    "and its note is another: only one is signed for a size",
		    size);
	free(notes->note);
	notes->note = text_copy(note);
	notes->epoch = epoch;
	notes->size = size;
	return notes->note == NULL ? -1 : 0;
}

static int
on_checkpoint(struct audit *audit, struct audit_notes *notes,
    const struct audit_entry *entry)
{
	const char *note = audit_text(entry, "note");
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	char place[AUDIT_PLACE_SIZE];
	bool good;

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	audit->report.checkpoints++;
	audit_place(entry->seq, entry->kind, place);
	if (audit_note(audit, notes, place, "AUDIT-CHECKPOINT", note,
		strlen(note), row.origin, &good, &checkpoint) != 0)
		return -1;
	if (good)
		compare_note(audit, entry, &checkpoint);
	if (compare_newest(audit, notes, entry, row.epoch) != 0)
		return -1;
	if (good && entry->applied)
		audit->report.last_checkpoint = checkpoint.size;
	return 0;
}

/*
 * The run before has its checkpoint, and init had: a run refuses to begin
 * otherwise, but one that recovers a lost journal.
 */
static int
on_plan(struct audit *audit, struct audit_notes *notes,
    const struct audit_entry *entry)
{
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	if (journal_run_without_receipt(audit->journal, &found, &row) != 0)
		return -1;
	if (!found && audit->report.checkpoints > 0)
		return 0;
	notes->uncovered = true;
	notes->begun =
	    (struct audit_entry){ .seq = entry->seq, .kind = entry->kind };
	return 0;
}

static void
on_close(struct audit *audit, struct audit_notes *notes)
{
	if (notes->uncovered)
		audit_error(audit, &notes->begun, "AUDIT-UNSIGNED",
		    "the run began, and no checkpoint counted all of the one "
		    "before, or of init");
	notes->uncovered = false;
}

static int
checkpoints_entry(
    struct audit *audit, void *state, const struct audit_entry *entry)
{
	struct audit_notes *notes = state;

	switch (entry->kind) {
	case ENTRY_KEY:
		return on_key(audit, notes, entry);
	case ENTRY_CHECKPOINT:
		return on_checkpoint(audit, notes, entry);
	case ENTRY_PLAN:
		return on_plan(audit, notes, entry);
	case ENTRY_EPOCH:
		notes->uncovered = false;
		return 0;
	case ENTRY_CLOSE:
		on_close(audit, notes);
		return 0;
	default:
		return 0;
	}
}

/* ---- the end ---------------------------------------------------------- */

static bool
differs(
    struct audit *audit, const char *what, const char *is, const char *wanted)
{
	if (is != NULL && strcmp(is, wanted) == 0)
		return false;
	findings_add(audit->findings, FINDING_ERROR, "AUDIT-ANCHOR",
	    audit->options->anchor, NULL,
	    "%s of the journal is '%s', that of the anchor is '%s': it is "
	    "another authority's journal, or was made anew",
	    what, is == NULL ? "none" : is, wanted);
	return true;
}

static int
check_anchor(struct audit *audit, const struct audit_notes *notes)
{
	const struct anchor *anchor = &notes->anchor;
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(key) = NULL;
	char genesis[HASH_HEX_SIZE];
	bool id, first, spki;

	if (!notes->anchored)
		return 0;
	if (notes->spki != NULL) {
		key = sha256_hex(notes->spki, notes->spki_len);
		if (key == NULL)
			return -1;
	}
	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	text_hex_into(row.genesis, HASH_LEN, genesis);
	id = differs(audit, "the authority", row.id, anchor->authority);
	first =
	    differs(audit, "the first entry's hash", genesis, anchor->genesis);
	spki = differs(audit, "the key", key, anchor->journal_key);
	audit->report.anchored = !id && !first && !spki;
	return 0;
}

/* Whoever gives a witness expects that it has seen this journal. */
static void
check_witnesses(struct audit *audit)
{
	for (size_t i = 0; i < audit->report.witness_count; i++)
		if (audit->report.witnesses[i].size == 0)
			findings_add(audit->findings, FINDING_ERROR,
			    "AUDIT-WITNESS", audit->options->witnesses, NULL,
			    "'%s' has cosigned no checkpoint of this journal",
			    audit->report.witnesses[i].name);
}

static int
check_whole(struct audit *audit, struct audit_notes *notes)
{
	if (audit_note_files(audit, notes) != 0 || audit_tail(audit) != 0 ||
	    check_anchor(audit, notes) != 0)
		return -1;
	check_witnesses(audit);
	if (notes->unknown > 0)
		findings_add(audit->findings, FINDING_NOTICE,
		    "AUDIT-COSIGNATURE-UNKNOWN", "checkpoints", NULL,
		    "%" PRIu64 " %s not known here: give the witnesses' with "
		    "--witnesses",
		    notes->unknown,
		    notes->unknown == 1
			? "signature on a checkpoint is of a key that is"
			: "signatures on checkpoints are of keys that are");
	return 0;
}

static int
checkpoints_end(struct audit *audit, void *state, bool whole)
{
	int result = whole ? check_whole(audit, state) : 0;

	if (state != NULL)
		notes_free(state);
	return result;
}

const struct audit_pass audit_checkpoints = {
	.name = "checkpoints",
	.begin = checkpoints_begin,
	.entry = checkpoints_entry,
	.end = checkpoints_end,
};
