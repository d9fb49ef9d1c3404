#include "ceremony/journal/cosign.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/anchor.h"
#include "ceremony/journal/cosign-private.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note-private.h"
#include "ceremony/journal/proof.h"

#define REQUEST_START "old "
#define PROOF_START "c2sp.org/tlog-proof"

void
cosigned_clear(struct cosigned *cosigned)
{
	free(cosigned->note);
	free(cosigned->vkey);
	checkpoint_clear(&cosigned->checkpoint);
	*cosigned = (struct cosigned){ 0 };
}

/* ---- what is asked for ------------------------------------------------ */

struct request {
	struct proof proof; /* its checkpoint alone where there is no proof */
	bool proved;
	struct note note;
	struct checkpoint checkpoint;
};

static void
request_clear(struct request *request)
{
	proof_clear(&request->proof);
	note_clear(&request->note);
	checkpoint_clear(&request->checkpoint);
	*request = (struct request){ 0 };
}
CLEANUP_DEFINE_STRUCT(request);

static bool
begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* A consistency request, or a checkpoint. */
static int
take_apart(
    const char *path, const char *text, size_t len, struct request *request)
{
	if (begins_with(text, PROOF_START))
		return ca_error(CA_R_INPUT,
		    "'%s' proves that an entry is in the journal; a witness "
		    "needs the proof that the journal grew: 'ca-tool journal "
		    "prove --old' makes it",
		    path);
	if (strlen(text) != len)
		return ca_error(CA_R_INPUT, "'%s' is no text", path);
	request->proved = begins_with(text, REQUEST_START);
	if (request->proved)
		return proof_parse(text, len, &request->proof);
	request->proof.checkpoint = text_copy(text);
	return request->proof.checkpoint == NULL ? -1 : 0;
}

static int
request_read(const char *path, struct request *ret_request)
{
	AUTO_STRUCT(request) request = { 0 };
	AUTO_BYTES(data) = NULL;
	const char *note, *text;
	size_t len = 0;

	if (file_read_at(AT_FDCWD, path, PROOF_MAX_BYTES, &data, &len) != 0 ||
	    take_apart(path, (const char *)data, len, &request) != 0)
		return -1;
	note = request.proof.checkpoint;
	if (note_parse(note, strlen(note), &request.note) != 0)
		return -1;
	text = request.note.text;
	if (checkpoint_parse(text, strlen(text), &request.checkpoint) != 0)
		return -1;
	*ret_request = request;
	request = (struct request){ 0 };
	return 0;
}

/* ---- the journal's signature ------------------------------------------ */

/*
 * The origin is the authority's id, or that of one of its later epochs; the
 * journal's key is called so.
 */
static int
check_journal(const struct request *request, const struct anchor *anchor)
{
	const char *origin = request->checkpoint.origin;
	AUTO_STRUCT(note_key) key = { 0 };
	uint64_t epoch;
	bool found = false;

	if (!epoch_of_origin(anchor->authority, origin, &epoch))
		return ca_error(CA_R_VERIFY,
		    "the checkpoint is of the journal '%s', and the anchor of "
		    "'%s'",
		    origin, anchor->authority);
	if (note_journal_key(origin, anchor->spki, anchor->spki_len, &key) !=
		0 ||
	    note_verify(&request->note, &key, &found, NULL) != 0)
		return -1;
	if (!found)
		return ca_error(CA_R_VERIFY,
		    "the checkpoint is not signed by the journal key that the "
		    "anchor names: it was forged, or the anchor is another "
		    "authority's");
	return 0;
}

/* ---- what this witness has seen --------------------------------------- */

static int
rolled_back(const struct request *request, const struct witness_state *state)
{
	return ca_error(CA_R_VERIFY,
	    "the checkpoint has %" PRIu64 " entries, and this witness has seen "
	    "%" PRIu64 " of '%s': it is an old checkpoint, or the journal was "
	    "rolled back; a journal only grows. Nothing is signed. Ask for the "
	    "newest checkpoint; if it is this one, entries are gone: tell the "
	    "auditors, and keep both",
	    request->checkpoint.size, state->size, state->origin);
}

static int
forked(const struct witness_state *state, const char *how)
{
	return ca_error(CA_R_VERIFY,
	    "%s: the journal '%s' was forked, there are two histories of it. "
	    "Nothing is signed. Keep this checkpoint and the one that this "
	    "witness signed last, together they prove it, and tell the "
	    "auditors",
	    how, state->origin);
}

/* The state file is of another journal, or of an epoch that is over. */
static int
other_origin(const struct request *request, const struct witness_state *state,
    const struct anchor *anchor)
{
	uint64_t before, now;

	if (epoch_of_origin(anchor->authority, state->origin, &before) &&
	    epoch_of_origin(
		anchor->authority, request->checkpoint.origin, &now) &&
	    before < now)
		return ca_error(CA_R_STATE,
		    "the journal goes on as '%s', and this witness has seen "
		    "'%s': the old journal was lost and recovered "
		    "(recover-journal). Nothing is signed. Ask what happened; "
		    "to cosign the new epoch, begin a state file for it and "
		    "keep '%s'",
		    request->checkpoint.origin, state->origin, state->path);
	return ca_error(CA_R_STATE,
	    "the state file '%s' is of '%s', and the checkpoint is of '%s': "
	    "each journal has a state file of its own",
	    state->path, state->origin, request->checkpoint.origin);
}

/* COSIG-STATE: the old size is the stored one. */
static int
other_start(const struct request *request, const struct witness_state *state)
{
	if (request->checkpoint.size == state->size)
		return ca_error(CA_R_STATE,
		    "this witness has seen a checkpoint of %" PRIu64
		    " entries already, and the request begins at %" PRIu64
		    "; to sign that one again, give the checkpoint alone",
		    state->size, request->proof.number);
	return ca_error(CA_R_STATE,
	    "the request begins at %" PRIu64 " entries, and this witness "
	    "stands at %" PRIu64 ": ask for a proof with 'ca-tool journal "
	    "prove --old %" PRIu64 "'",
	    request->proof.number, state->size, state->size);
}

static int
check_first(const struct request *request, const struct witness_state *state)
{
	if (!request->proved ||
	    (request->proof.number == 0 && request->proof.path.count == 0))
		return 0;
	return ca_error(CA_R_STATE,
	    "the request begins at %" PRIu64 " entries, and there is no state "
	    "file '%s': is --state right? A witness that has seen nothing yet "
	    "begins with the checkpoint alone",
	    request->proof.number, state->path);
}

static int
check_growth(const struct request *request, const struct witness_state *state)
{
	if (tree_check_consistency(&request->proof.path, state->size,
		request->checkpoint.size, state->root,
		request->checkpoint.root) == 0)
		return 0;
	if (ca_error_reason() != CA_R_VERIFY)
		return -1;
	return forked(state,
	    "the proof does not lead from what this witness has seen to the "
	    "checkpoint; unless it is for another checkpoint");
}

static int
check_size(const struct request *request, const struct witness_state *state)
{
	const struct checkpoint *checkpoint = &request->checkpoint;

	if (checkpoint->size < state->size)
		return rolled_back(request, state);
	if (checkpoint->size == state->size &&
	    memcmp(checkpoint->root, state->root, TREE_HASH_LEN) != 0)
		return forked(state,
		    "the checkpoint has as many entries as this witness has "
		    "seen, and another root");
	if (request->proved && request->proof.number != state->size)
		return other_start(request, state);
	if (!request->proved && checkpoint->size > state->size)
		return ca_error(CA_R_STATE,
		    "this witness has seen %" PRIu64 " entries, and the "
		    "checkpoint has %" PRIu64 ": it needs the proof that "
		    "nothing was changed: 'ca-tool journal prove --old %" PRIu64
		    "' makes it",
		    state->size, checkpoint->size, state->size);
	return check_growth(request, state);
}

static int
check_state(const struct request *request, const struct witness_state *state,
    const struct anchor *anchor)
{
	if (!state->there)
		return check_first(request, state);
	if (strcmp(state->origin, request->checkpoint.origin) != 0)
		return other_origin(request, state, anchor);
	return check_size(request, state);
}

/* ---- signing ---------------------------------------------------------- */

static int
check_name(const char *name, const struct request *request)
{
	if (!note_is_key_name(span_of(name)))
		return ca_error(CA_R_USAGE,
		    "'%s' cannot name a witness: no blanks and no '+'", name);
	if (strcmp(name, request->checkpoint.origin) == 0)
		return ca_error(CA_R_USAGE,
		    "'%s' is the name of the journal's own key; a witness has "
		    "a name of its own",
		    name);
	return 0;
}

/* A witness signs a checkpoint once: the time would be in doubt. */
static int
check_unsigned(const struct request *request, const struct note_key *key)
{
	bool found = false;

	if (note_verify(&request->note, key, &found, NULL) != 0)
		return -1;
	return found ? ca_error(CA_R_EXISTS,
			   "the checkpoint carries a cosignature of '%s' "
			   "already, and it is good; nothing is signed",
			   key->name)
		     : 0;
}

/* The whole note, once more as whoever gets it will read it. */
static int
check_result(
    const char *bytes, const struct note_key *key, const struct anchor *anchor)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_STRUCT(note_key) journal = { 0 };
	AUTO_STRUCT(note) note = { 0 };
	bool signed_by_journal = false, cosigned = false;

	if (note_parse(bytes, strlen(bytes), &note) != 0 ||
	    checkpoint_parse(note.text, strlen(note.text), &checkpoint) != 0 ||
	    note_journal_key(checkpoint.origin, anchor->spki, anchor->spki_len,
		&journal) != 0 ||
	    note_verify(&note, &journal, &signed_by_journal, NULL) != 0 ||
	    note_verify(&note, key, &cosigned, NULL) != 0)
		return -1;
	return signed_by_journal && cosigned
	    ? 0
	    : ca_error(CA_R_INTERNAL, "the cosigned checkpoint is not whole");
}

/* The state is durable before there is a signature (COSIG-STATE). */
static int
sign(const struct cosign_order *order, const struct request *request,
    const struct witness_state *state, EVP_PKEY *key, char **ret_note)
{
	AUTO_CHARS(line) = NULL;
	char *note;

	if (witness_state_write(state, &request->checkpoint) != 0 ||
	    note_cosign(
		request->note.text, order->name, key, order->time, &line) != 0)
		return -1;
	note = text_printf("%s%s", request->proof.checkpoint, line);
	if (note == NULL)
		return -1;
	*ret_note = note;
	return 0;
}

static void
warn_first(const struct cosign_order *order,
    const struct checkpoint *checkpoint, struct findings *findings)
{
	findings_add(findings, FINDING_WARNING, "COSIGN-FIRST", order->state,
	    "C2SP tlog-witness",
	    "this witness had seen nothing of '%s' yet: its cosignature says "
	    "nothing about what was before; compare size and root with a "
	    "receipt, and keep the state file",
	    checkpoint->origin);
}

static int
finish(const struct cosign_order *order, const struct anchor *anchor,
    struct request *request, const struct witness_state *state, EVP_PKEY *key,
    struct cosigned *ret_cosigned)
{
	AUTO_STRUCT(cosigned)
	cosigned = { .first = !state->there,
		.old_size = state->size,
		.time = order->time };
	AUTO_STRUCT(note_key) public = { 0 };

	if (note_key_from_public(order->name, NOTE_COSIGNATURE, key, &public) !=
		0 ||
	    check_unsigned(request, &public) != 0 ||
	    note_key_text(&public, &cosigned.vkey) != 0 ||
	    sign(order, request, state, key, &cosigned.note) != 0 ||
	    check_result(cosigned.note, &public, anchor) != 0)
		return -1;
	cosigned.checkpoint = request->checkpoint;
	request->checkpoint = (struct checkpoint){ 0 };
	*ret_cosigned = cosigned;
	cosigned = (struct cosigned){ 0 };
	return 0;
}

int
cosign_run(const struct cosign_order *order, const struct cosign_asker *asker,
    struct findings *findings, struct cosigned *ret_cosigned)
{
	AUTO_STRUCT(witness_state) state = { .dirfd = -1, .lock = -1 };
	AUTO_STRUCT(request) request = { 0 };
	AUTO_STRUCT(anchor) anchor = { 0 };
	AUTO(EVP_PKEY) *key = NULL;

	if (request_read(order->input, &request) != 0 ||
	    check_name(order->name, &request) != 0 ||
	    anchor_read(order->anchor, &anchor) != 0 ||
	    check_journal(&request, &anchor) != 0 ||
	    witness_state_open(order->state, &state) != 0 ||
	    check_state(&request, &state, &anchor) != 0 ||
	    witness_key_open(order->key, asker, findings, &key) != 0)
		return -1;
	if (finish(order, &anchor, &request, &state, key, ret_cosigned) != 0)
		return -1;
	if (ret_cosigned->first)
		warn_first(order, &ret_cosigned->checkpoint, findings);
	return 0;
}
