#include "ceremony/journal/proof-check.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/anchor.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note-private.h"
#include "ceremony/journal/proof.h"
#include "ceremony/journal/store.h"
#include "ceremony/journal/witnesses.h"

void
proof_checked_clear(struct proof_checked *checked)
{
	for (size_t i = 0; i < checked->cosigner_count; i++)
		free(checked->cosigners[i].name);
	free(checked->cosigners);
	free(checked->authority);
	checkpoint_clear(&checked->checkpoint);
	json_decref(checked->entry);
	*checked = (struct proof_checked){ 0 };
}

/* ---- checkpoints ------------------------------------------------------ */

/* A checkpoint, and whose it is. */
struct evidence {
	const char *file;
	struct note note;
	struct checkpoint checkpoint;
	uint64_t epoch; /* known where there is an anchor */
};

static void
evidence_clear(struct evidence *evidence)
{
	note_clear(&evidence->note);
	checkpoint_clear(&evidence->checkpoint);
	*evidence = (struct evidence){ 0 };
}
CLEANUP_DEFINE_STRUCT(evidence);

/* One wrong signature of the journal's key is enough; there must be one. */
static int
verify_signature(const struct evidence *evidence, const struct anchor *anchor)
{
	const char *origin = evidence->checkpoint.origin;
	AUTO_STRUCT(note_key) key = { 0 };
	bool found = false;

	if (note_journal_key(origin, anchor->spki, anchor->spki_len, &key) != 0)
		return -1;
	if (note_verify(&evidence->note, &key, &found, NULL) != 0)
		return ca_error_reason() != CA_R_VERIFY
		    ? -1
		    : ca_error(CA_R_VERIFY,
			  "'%s' is forged or damaged: the journal's signature "
			  "does not fit its checkpoint",
			  evidence->file);
	return found ? 0
		     : ca_error(CA_R_VERIFY,
			   "'%s' is not signed with the journal's key that the "
			   "anchor names: it is forged, or the anchor is "
			   "another authority's",
			   evidence->file);
}

/*
 * The origin is the authority's id, or that of a later epoch; the journal's key
 * is called so.
 */
static int
verify_evidence(struct evidence *evidence, const struct anchor *anchor)
{
	const char *origin = evidence->checkpoint.origin;

	if (anchor == NULL)
		return 0;
	if (!epoch_of_origin(anchor->authority, origin, &evidence->epoch))
		return ca_error(CA_R_VERIFY,
		    "'%s' is of the journal '%s', and the anchor of '%s'",
		    evidence->file, origin, anchor->authority);
	return verify_signature(evidence, anchor);
}

/* What is malformed is said with its file. */
static int
name_file(const char *file)
{
	AUTO_CHARS(why) = NULL;

	if (ca_error_reason() != CA_R_INPUT)
		return -1;
	why = ca_error_take();
	return ca_error(CA_R_INPUT, "'%s': %s", file,
	    why == NULL ? "it is malformed" : why);
}

static int
take_note(const char *file, const char *bytes, size_t len,
    const struct anchor *anchor, struct evidence *evidence)
{
	struct note *note = &evidence->note;

	evidence->file = file;
	if (note_parse(bytes, len, note) != 0 ||
	    checkpoint_parse(
		note->text, strlen(note->text), &evidence->checkpoint) != 0)
		return name_file(file);
	return verify_evidence(evidence, anchor);
}

static int
read_note(
    const char *file, const struct anchor *anchor, struct evidence *evidence)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	return file_read_at(AT_FDCWD, file, NOTE_MAX_BYTES, &data, &len) != 0
	    ? -1
	    : take_note(file, (const char *)data, len, anchor, evidence);
}

/* ---- what is to be checked -------------------------------------------- */

struct check {
	const struct proof_order *order;
	enum proof_subject subject;
	struct anchor kept;
	const struct anchor *anchor; /* NULL: none was given */
	struct proof proof;          /* not for a receipt */
	struct evidence evidence;
};

static void
check_clear(struct check *check)
{
	anchor_clear(&check->kept);
	proof_clear(&check->proof);
	evidence_clear(&check->evidence);
	*check = (struct check){ 0 };
}
CLEANUP_DEFINE_STRUCT(check);

static enum proof_subject
subject_of(const char *text)
{
	static const struct {
		const char *start;
		enum proof_subject subject;
	} table[] = {
		{ "c2sp.org/tlog-proof", SUBJECT_ENTRY },
		{ "old ", SUBJECT_GROWTH },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strncmp(text, table[i].start, strlen(table[i].start)) == 0)
			return table[i].subject;
	return SUBJECT_RECEIPT;
}

/* What would be left out of the check is refused. */
static int
check_options(const struct check *check)
{
	const struct proof_order *order = check->order;

	if (order->object != NULL && check->subject != SUBJECT_ENTRY)
		return ca_error(CA_R_USAGE,
		    "option '--object' goes with the proof of an entry, and "
		    "'%s' is none",
		    order->input);
	if (order->old != NULL && check->subject != SUBJECT_GROWTH)
		return ca_error(CA_R_USAGE,
		    "option '--old' goes with the proof that a journal grew, "
		    "and '%s' is none; 'ca-tool journal prove --old' makes it",
		    order->input);
	if (order->old == NULL && check->subject == SUBJECT_GROWTH)
		return ca_error(CA_R_USAGE,
		    "option '--old' is missing: name the older checkpoint, "
		    "from which the journal is to have grown");
	return 0;
}

static int
take_input(struct check *check, const char *text, size_t len)
{
	const char *file = check->order->input;
	struct proof *proof = &check->proof;

	check->subject = subject_of(text);
	if (check_options(check) != 0)
		return -1;
	if (check->subject == SUBJECT_RECEIPT)
		return take_note(
		    file, text, len, check->anchor, &check->evidence);
	if (proof_parse(text, len, proof) != 0)
		return name_file(file);
	return take_note(file, proof->checkpoint, strlen(proof->checkpoint),
	    check->anchor, &check->evidence);
}

static int
read_all(struct check *check)
{
	const struct proof_order *order = check->order;
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (order->anchor != NULL) {
		if (anchor_read(order->anchor, &check->kept) != 0)
			return -1;
		check->anchor = &check->kept;
	}
	if (file_read_at(
		AT_FDCWD, order->input, PROOF_MAX_BYTES, &data, &len) != 0)
		return -1;
	return take_input(check, (const char *)data, len);
}

/* ---- against a checkpoint that is trusted ----------------------------- */

static int
other_size(const struct check *check, const struct evidence *trusted)
{
	bool receipt = check->subject == SUBJECT_RECEIPT;

	return ca_error(CA_R_STATE,
	    "the checkpoint of '%s' is over %" PRIu64 " entries, and '%s' over "
	    "%" PRIu64 ": they cannot be compared; %s",
	    check->order->input, check->evidence.checkpoint.size, trusted->file,
	    trusted->checkpoint.size,
	    receipt ? "'ca-tool journal prove --old' with the older one makes "
		      "the proof that the journal grew from it to the other"
		    : "'ca-tool journal prove --checkpoint' makes a proof for "
		      "that one");
}

static int
compare(const struct check *check, const struct evidence *trusted)
{
	const struct checkpoint *ours = &check->evidence.checkpoint;
	const struct checkpoint *theirs = &trusted->checkpoint;

	if (strcmp(ours->origin, theirs->origin) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' is of the journal '%s', and '%s' of '%s'",
		    check->order->input, ours->origin, trusted->file,
		    theirs->origin);
	if (ours->size != theirs->size)
		return other_size(check, trusted);
	if (memcmp(ours->root, theirs->root, sizeof(ours->root)) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' and '%s' are both over %" PRIu64 " entries, and have "
		    "different roots: one of them is forged, or there are two "
		    "journals; keep both, and tell the auditors",
		    check->order->input, trusted->file, ours->size);
	return 0;
}

static int
check_trusted(const struct check *check)
{
	AUTO_STRUCT(evidence) trusted = { 0 };

	if (check->order->checkpoint == NULL)
		return 0;
	return read_note(check->order->checkpoint, check->anchor, &trusted) != 0
	    ? -1
	    : compare(check, &trusted);
}

/* ---- an entry --------------------------------------------------------- */

/* Of the object that the entry is about; NULL where it is about none. */
static const char *
member(const struct entry *entry, const char *name)
{
	return json_string_value(json_object_get(entry_object(entry), name));
}

/* The entry is `extra`, which is trusted as far as it is the leaf. */
static int
check_leaf(const struct check *check)
{
	const struct proof *proof = &check->proof;
	const struct checkpoint *checkpoint = &check->evidence.checkpoint;
	unsigned char leaf[TREE_HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (proof->extra == NULL)
		return ca_error(CA_R_INPUT,
		    "'%s' does not hold the entry that it proves (its line "
		    "'extra'): it was not made by ca-tool",
		    check->order->input);
	if (tree_leaf(proof->extra, proof->extra_len, leaf) != 0 ||
	    tree_check_inclusion(&proof->path, proof->number, checkpoint->size,
		leaf, checkpoint->root) != 0)
		return -1;
	text_hex_into(leaf, sizeof(leaf), hex);
	if (check->anchor != NULL && proof->number == 0 &&
	    strcmp(hex, check->anchor->genesis) != 0)
		return ca_error(CA_R_VERIFY,
		    "the first entry of the journal is not the one that the "
		    "anchor names");
	return 0;
}

static int
check_object(const struct check *check, const struct entry *entry)
{
	const struct proof_order *order = check->order;
	const char *sha256 = member(entry, "sha256");

	if (order->object == NULL)
		return 0;
	if (sha256 == NULL)
		return ca_error(CA_R_VERIFY,
		    "'%s' proves entry %" PRIu64 ", which is of kind '%s' and "
		    "about no certificate, CRL or request",
		    order->input, entry->seq, entry_kind_name(entry->kind));
	if (strcmp(sha256, order->sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' proves another object than '%s': its entry names the "
		    "SHA-256 %s, and that of the file is %s",
		    order->input, order->object, sha256, order->sha256);
	return 0;
}

/* A signed journal whose entries are not its own would be a broken one. */
static int
parse_entry(const struct check *check, json_t **ret_json, struct entry *entry)
{
	const struct proof *proof = &check->proof;

	if (entry_parse((const char *)proof->extra, proof->extra_len, ret_json,
		entry) != 0)
		return ca_error(CA_R_VERIFY,
		    "entry %" PRIu64 " is in the journal, but ca-tool does not "
		    "understand it: a newer version may have written it",
		    proof->number);
	if (entry->seq != proof->number)
		return ca_error(CA_R_VERIFY,
		    "the entry with number %" PRIu64 " calls itself %" PRIu64
		    ": the journal is damaged",
		    proof->number, entry->seq);
	return 0;
}

static int
check_entry(const struct check *check, struct proof_checked *checked)
{
	AUTO(json_t) *json = NULL;
	struct entry entry;

	if (check_leaf(check) != 0 || parse_entry(check, &json, &entry) != 0 ||
	    check_object(check, &entry) != 0)
		return -1;
	checked->number = entry.seq;
	checked->kind = entry.kind;
	checked->name = member(&entry, "name");
	checked->sha256 = member(&entry, "sha256");
	checked->entry = TAKE(json);
	return 0;
}

/* ---- growth ----------------------------------------------------------- */

/* With an anchor both are the authority's; an epoch only follows another. */
static int
check_order_of(const struct check *check, const struct evidence *old)
{
	const struct evidence *new = &check->evidence;

	if (check->anchor == NULL
		? strcmp(old->checkpoint.origin, new->checkpoint.origin) != 0
		: old->epoch > new->epoch)
		return ca_error(CA_R_VERIFY,
		    "the older checkpoint '%s' is of '%s', and the newer one "
		    "of '%s': that one does not come behind it",
		    old->file, old->checkpoint.origin, new->checkpoint.origin);
	if (old->checkpoint.size != check->proof.number)
		return ca_error(CA_R_VERIFY,
		    "'%s' proves growth from %" PRIu64 " entries, and '%s' is "
		    "over %" PRIu64,
		    check->order->input, check->proof.number, old->file,
		    old->checkpoint.size);
	return 0;
}

static int
check_growth(const struct check *check, struct proof_checked *checked)
{
	AUTO_STRUCT(evidence) old = { 0 };
	const struct checkpoint *new = &check->evidence.checkpoint;

	if (read_note(check->order->old, check->anchor, &old) != 0 ||
	    check_order_of(check, &old) != 0 ||
	    tree_check_consistency(&check->proof.path, old.checkpoint.size,
		new->size, old.checkpoint.root, new->root) != 0)
		return -1;
	checked->number = old.checkpoint.size;
	return 0;
}

/* ---- witnesses -------------------------------------------------------- */

static int
add_cosigner(struct proof_checked *checked, const char *name, uint64_t time)
{
	struct proof_cosigner *cosigner =
	    &checked->cosigners[checked->cosigner_count];

	cosigner->name = text_copy(name);
	if (cosigner->name == NULL)
		return -1;
	cosigner->time = time;
	checked->cosigner_count++;
	return 0;
}

static int
check_witness(const struct check *check, const struct note_key *key,
    struct findings *findings, struct proof_checked *checked)
{
	bool found = false;
	uint64_t time = 0;

	if (note_verify(&check->evidence.note, key, &found, &time) != 0)
		return -1;
	if (found)
		return add_cosigner(checked, key->name, time);
	findings_add(findings, FINDING_ERROR, "CHECK-WITNESS",
	    check->order->input, "C2SP tlog-cosignature",
	    "the checkpoint is not cosigned by '%s'", key->name);
	return 0;
}

static int
check_witnesses(const struct check *check, struct findings *findings,
    struct proof_checked *checked)
{
	AUTO_STRUCT(witnesses) witnesses = { 0 };

	if (check->order->witnesses == NULL)
		return 0;
	if (witnesses_read(check->order->witnesses, &witnesses) != 0)
		return -1;
	checked->cosigners =
	    calloc(witnesses.count, sizeof(*checked->cosigners));
	if (checked->cosigners == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	for (size_t i = 0; i < witnesses.count; i++)
		if (check_witness(
			check, &witnesses.keys[i], findings, checked) != 0)
			return -1;
	return checked->cosigner_count == witnesses.count
	    ? 0
	    : ca_error(CA_R_VERIFY,
		  "%zu of the %zu witnesses in '%s' have not cosigned the "
		  "checkpoint",
		  witnesses.count - checked->cosigner_count, witnesses.count,
		  check->order->witnesses);
}

/* ---- all of it -------------------------------------------------------- */

static int
check_subject(const struct check *check, struct proof_checked *checked)
{
	switch (check->subject) {
	case SUBJECT_ENTRY:
		return check_entry(check, checked);
	case SUBJECT_GROWTH:
		return check_growth(check, checked);
	case SUBJECT_RECEIPT:
		return 0;
	}
	return ca_error(CA_R_INTERNAL, "a proof of an unknown kind");
}

int
proof_check(const struct proof_order *order, struct findings *findings,
    struct proof_checked *ret_checked)
{
	AUTO_STRUCT(check) check = { .order = order };
	AUTO_STRUCT(proof_checked) checked = { 0 };

	if (read_all(&check) != 0 || check_trusted(&check) != 0 ||
	    check_subject(&check, &checked) != 0 ||
	    check_witnesses(&check, findings, &checked) != 0)
		return -1;
	checked.subject = check.subject;
	checked.authority = TAKE(check.kept.authority);
	checked.checkpoint = check.evidence.checkpoint;
	check.evidence.checkpoint = (struct checkpoint){ 0 };
	*ret_checked = checked;
	checked = (struct proof_checked){ 0 };
	return 0;
}
