#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ca-tool/command.h"
#include "ca-tool/object-file.h"
#include "ca-tool/out-file.h"
#include "ca-tool/session.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/proof.h"

#define PUBLISHED "public/journal/checkpoint"

/* ---- the checkpoint --------------------------------------------------- */

static int
read_note(int dirfd, const char *path, char **ret_note)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (file_read_at(dirfd, path, NOTE_MAX_BYTES, &data, &len) != 0)
		return -1;
	if (strlen((const char *)data) != len)
		return ca_error(CA_R_INPUT, "'%s' is no text", path);
	*ret_note = (char *)TAKE(data);
	return 0;
}

/* What is published may carry cosignatures; the journal's own has none. */
static int
newest_checkpoint(
    const char *directory, struct journal *journal, char **ret_note)
{
	AUTO_FD(fd) = -1;
	bool found = false;
	int there;

	if (dir_open(directory, &fd) != 0 ||
	    (there = file_exists_at(fd, PUBLISHED)) < 0)
		return -1;
	if (there > 0)
		return read_note(fd, PUBLISHED, ret_note);
	if (journal_last_checkpoint(journal, &found, ret_note) != 0)
		return -1;
	return found
	    ? 0
	    : ca_error(CA_R_STATE,
		  "the journal has no checkpoint yet, which every proof needs; "
		  "the end of each run makes one");
}

/* Whoever takes the proof looks at the signature too: better now than then. */
static int
verify_own(struct journal *journal, const char *name, const char *note,
    struct checkpoint *ret_checkpoint)
{
	AUTO_CHARS(why) = NULL;
	uint64_t epoch;
	int reason;

	if (head_receipt(journal, note, strlen(note), ret_checkpoint, &epoch) ==
	    0)
		return 0;
	reason = ca_error_reason();
	if (reason != CA_R_VERIFY && reason != CA_R_INPUT)
		return -1;
	why = ca_error_take();
	return ca_error((enum ca_reason)reason,
	    "'%s' is no checkpoint of this "
	    "journal: %s",
	    name, why == NULL ? "it does not verify" : why);
}

static int
take_checkpoint(struct session *session, struct journal *journal,
    struct checkpoint *ret_checkpoint, char **ret_note)
{
	const char *path = session->options.value[OPT_CHECKPOINT];

	if ((path != NULL ? read_note(AT_FDCWD, path, ret_note)
			  : newest_checkpoint(session_authority(session),
				journal, ret_note)) != 0)
		return -1;
	return verify_own(journal, path != NULL ? path : PUBLISHED, *ret_note,
	    ret_checkpoint);
}

/* ---- what is to be proved --------------------------------------------- */

static int
find_entry(struct session *session, uint64_t *ret_seq)
{
	unsigned long long seq;

	if (options_number(&session->options, OPT_ENTRY, INT64_MAX, 0, &seq) !=
	    0)
		return -1;
	*ret_seq = seq;
	return 0;
}

static int
find_object(struct session *session, struct journal *journal, uint64_t *ret_seq)
{
	const char *path = session->options.value[OPT_OBJECT];
	char sha256[OBJECT_HEX_SIZE];
	bool found = false;

	if (object_file_sha256(path, sha256) != 0 ||
	    journal_entry_of_object(journal, sha256, &found, ret_seq) != 0)
		return -1;
	return found
	    ? 0
	    : ca_error(CA_R_MISSING,
		  "the journal has no entry about '%s', whose SHA-256 is %s: "
		  "this authority did not sign it, or not these bytes",
		  path, sha256);
}

/* An older checkpoint must be one of this journal, or it has grown from none. */
static int
check_old(
    struct journal *journal, const char *path, const struct checkpoint *old)
{
	unsigned char root[HASH_LEN];

	if (journal_root_at(journal, old->size, root) != 0)
		return -1;
	return memcmp(root, old->root, HASH_LEN) == 0
	    ? 0
	    : ca_error(CA_R_VERIFY,
		  "the journal has not grown from '%s': its first %" PRIu64
		  " entries have another root; one of them was changed, keep "
		  "both and tell the auditors",
		  path, old->size);
}

/* --old: all digits are a number, anything else is a file. */
static int
find_old(struct session *session, struct journal *journal, uint64_t *ret_size)
{
	const char *text = session->options.value[OPT_OLD];
	AUTO_STRUCT(checkpoint) old = { 0 };
	AUTO_CHARS(note) = NULL;

	if (text[0] != '\0' && text[strspn(text, "0123456789")] == '\0') {
		unsigned long long size;

		if (options_number(
			&session->options, OPT_OLD, INT64_MAX, 0, &size) != 0)
			return -1;
		*ret_size = size;
		return 0;
	}
	if (read_note(AT_FDCWD, text, &note) != 0 ||
	    verify_own(journal, text, note, &old) != 0 ||
	    check_old(journal, text, &old) != 0)
		return -1;
	*ret_size = old.size;
	return 0;
}

static int
check_given(const struct session *session)
{
	const bool *given = session->options.given;

	if (given[OPT_ENTRY] + given[OPT_OBJECT] + given[OPT_OLD] == 1)
		return 0;
	return ca_error(CA_R_USAGE,
	    "what is to be proved? give one of --entry N, --object FILE and "
	    "--old FILE");
}

static int
find_number(struct session *session, struct journal *journal,
    enum proof_kind *ret_kind, uint64_t *ret_number)
{
	const bool *given = session->options.given;

	*ret_kind = given[OPT_OLD] ? PROOF_CONSISTENCY : PROOF_INCLUSION;
	if (given[OPT_ENTRY])
		return find_entry(session, ret_number);
	return given[OPT_OBJECT] ? find_object(session, journal, ret_number)
				 : find_old(session, journal, ret_number);
}

/* ---- the product ------------------------------------------------------ */

static int
report_json(struct session *session, const struct proof *proof,
    const struct checkpoint *checkpoint, const char *text)
{
	const char *out = session->options.value[OPT_OUT];
	char root[HASH_HEX_SIZE];

	text_hex_into(checkpoint->root, HASH_LEN, root);
	(void)session_report(session, "proves",
	    session_string(
		proof->kind == PROOF_INCLUSION ? "inclusion" : "consistency"));
	(void)session_report(session,
	    proof->kind == PROOF_INCLUSION ? "entry" : "old",
	    json_integer((json_int_t)proof->number));
	(void)session_report(session, "checkpoint",
	    json_pack("{s:s,s:I,s:s}", "origin", checkpoint->origin, "size",
		(json_int_t)checkpoint->size, "root", root));
	(void)session_report(session, "out", session_string(out));
	(void)session_report(
	    session, "proof", session_string(out == NULL ? text : NULL));
	return 0;
}

static int
report(struct session *session, const struct proof *proof,
    const struct checkpoint *checkpoint, const char *text)
{
	const char *path = session->options.value[OPT_OUT];
	AUTO_STRUCT(out_file) out = { .fd = -1 };

	if (out_file_open(path, &out) != 0 || out_file_write(&out, text) != 0)
		return -1;
	if (session_json(session))
		return report_json(session, proof, checkpoint, text);
	if (path == NULL)
		fputs(text, stdout);
	else if (proof->kind == PROOF_INCLUSION)
		printf("The proof that entry %" PRIu64 " is one of the %" PRIu64
		       " of the checkpoint\nwas written. 'ca-tool journal "
		       "check' checks it.\n",
		    proof->number, checkpoint->size);
	else
		printf("The proof that the journal grew from %" PRIu64
		       " to %" PRIu64 " entries\nwas written. 'ca-tool "
		       "journal check --old' checks it.\n",
		    proof->number, checkpoint->size);
	return 0;
}

/* Needs the journal alone: neither a token nor a sound authority.yaml. */
int
cmd_journal_prove(struct session *session)
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_CHARS(note) = NULL;
	AUTO_CHARS(text) = NULL;
	enum proof_kind kind;
	uint64_t number = 0;

	if (check_given(session) != 0 ||
	    journal_open(session_authority(session), JOURNAL_READ, &journal) !=
		0 ||
	    find_number(session, journal, &kind, &number) != 0 ||
	    take_checkpoint(session, journal, &checkpoint, &note) != 0 ||
	    proof_make(journal, kind, number, note, &proof) != 0 ||
	    proof_compose(&proof, &text) != 0)
		return -1;
	return report(session, &proof, &checkpoint, text);
}
