/* The .tlog-proof files beside certificates and CRLs. */
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/proof.h"

/* What the proofs of a run share, checked once. */
struct proofs {
	struct audit *audit;
	char *note; /* NULL: none yet */
	struct checkpoint checkpoint;
};

static void
proofs_clear(struct proofs *proofs)
{
	free(proofs->note);
	checkpoint_clear(&proofs->checkpoint);
}
CLEANUP_DEFINE_STRUCT(proofs);

/* An object that has a proof, or should have. */
struct proven {
	int64_t seq; /* of its intent, or `adopted` */
	char *kind, *name, *run, *sha256;
	int64_t list, object;
	bool adopted, receipt;
};

static void
proven_clear(struct proven *proven)
{
	free(proven->kind);
	free(proven->name);
	free(proven->run);
	free(proven->sha256);
}
CLEANUP_DEFINE_STRUCT(proven);

/* ---- the checkpoint --------------------------------------------------- */

/* Signed by the journal's key, over what this journal was. */
static int
verify_checkpoint(struct proofs *proofs, const char *note)
{
	struct journal *journal = proofs->audit->journal;
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_CHARS(copy) = NULL;
	unsigned char root[HASH_LEN];
	uint64_t epoch;

	if (proofs->note != NULL && strcmp(proofs->note, note) == 0)
		return 0;
	if (head_receipt(journal, note, strlen(note), &checkpoint, &epoch) !=
		0 ||
	    journal_root_at(journal, checkpoint.size, root) != 0)
		return -1;
	if (memcmp(root, checkpoint.root, HASH_LEN) != 0)
		return ca_error(CA_R_VERIFY,
		    "its checkpoint is over another journal than this one");
	copy = text_copy(note);
	if (copy == NULL)
		return -1;
	proofs_clear(proofs);
	proofs->note = TAKE(copy);
	proofs->checkpoint = checkpoint;
	checkpoint = (struct checkpoint){ 0 }; /* moved out */
	return 0;
}

/* ---- the entry -------------------------------------------------------- */

static bool
same(const json_t *data, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(data, member));

	return value != NULL && strcmp(value, text) == 0;
}

static bool
same_number(const json_t *data, const char *member, int64_t number)
{
	const json_t *value = json_object_get(data, member);

	return json_is_integer(value) && json_integer_value(value) == number;
}

static bool
is_entry_of(const struct entry *entry, const struct proven *proven)
{
	const json_t *object = entry_object(entry);

	if (object == NULL || !same(object, "sha256", proven->sha256) ||
	    !same(entry->data, "run", proven->run) ||
	    !same(object, "name", proven->name))
		return false;
	if (proven->adopted)
		return entry->kind != ENTRY_RESULT &&
		    (int64_t)entry->seq == proven->seq;
	return entry->kind == ENTRY_RESULT &&
	    same_number(entry->data, "list", proven->list) &&
	    same_number(entry->data, "object", proven->object);
}

/* `extra` is the journal's own entry about the object, byte for byte. */
static int
verify_entry(struct journal *journal, const struct proof *proof,
    const struct proven *proven)
{
	AUTO_CHARS(line) = NULL;
	AUTO(json_t) *json = NULL;
	struct entry entry;
	size_t len = 0;

	if (proof->kind != PROOF_INCLUSION || proof->extra == NULL)
		return ca_error(
		    CA_R_VERIFY, "it proves no entry that it holds");
	if (journal_entry(journal, proof->number, &line, &len) != 0)
		return -1;
	if (len != proof->extra_len || memcmp(line, proof->extra, len) != 0)
		return ca_error(CA_R_VERIFY,
		    "the entry that it holds is not entry %llu of the journal",
		    (unsigned long long)proof->number);
	if (entry_parse(line, len, &json, &entry) != 0)
		return -1;
	if (!is_entry_of(&entry, proven))
		return ca_error(CA_R_VERIFY,
		    "the entry that it holds is not the one about '%s'",
		    proven->name);
	return 0;
}

static int
verify(struct proofs *proofs, const struct proof *proof,
    const struct proven *proven)
{
	unsigned char leaf[TREE_HASH_LEN];

	if (verify_entry(proofs->audit->journal, proof, proven) != 0 ||
	    verify_checkpoint(proofs, proof->checkpoint) != 0 ||
	    tree_leaf(proof->extra, proof->extra_len, leaf) != 0)
		return -1;
	return tree_check_inclusion(&proof->path, proof->number,
	    proofs->checkpoint.size, leaf, proofs->checkpoint.root);
}

/* ---- the file --------------------------------------------------------- */

static int
read_proof(struct proofs *proofs, const char *path, struct proof *ret_proof)
{
	AUTO_BYTES(text) = NULL;
	size_t len = 0;

	if (file_read_at(proofs->audit->public_fd, path, PROOF_MAX_BYTES, &text,
		&len) != 0)
		return -1;
	return proof_parse((const char *)text, len, ret_proof);
}

/* What the machine does wrong stays an error. */
static int
take_error(struct proofs *proofs, const char *path)
{
	static const int refused[] = { CA_R_MISSING, CA_R_INPUT, CA_R_VERIFY,
		CA_R_CORRUPT, CA_R_INTERNAL };
	AUTO_CHARS(place) = text_printf("public/%s", path);

	if (place == NULL)
		return -1;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		if (ca_error_reason() == refused[i]) {
			findings_take_error(
			    proofs->audit->findings, "AUDIT-PROOF", place);
			return 0;
		}
	return -1;
}

/*
 * It must be there when its run has a receipt; before, and for what was taken
 * in, it may be.
 */
static int
check_proof(struct proofs *proofs, const struct proven *proven)
{
	const struct audit_output *output = audit_output_of(proven->kind);
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_CHARS(path) = NULL;

	if (output == NULL || !output->proof)
		return 0;
	path = text_printf("%s/%s.tlog-proof", output->directory, proven->name);
	if (path == NULL)
		return -1;
	if (read_proof(proofs, path, &proof) != 0) {
		if (ca_error_reason() != CA_R_MISSING ||
		    (proven->receipt && !proven->adopted))
			return take_error(proofs, path);
		ca_error_clear();
		return 0;
	}
	return verify(proofs, &proof, proven) == 0 ? 0
						   : take_error(proofs, path);
}

static int
read_proven(struct query *query, struct proven *proven)
{
	if (query_text(query, 0, &proven->kind) != 0 ||
	    query_text(query, 1, &proven->name) != 0 ||
	    query_text(query, 2, &proven->run) != 0 ||
	    query_text(query, 3, &proven->sha256) != 0)
		return -1;
	proven->seq = sqlite3_column_int64(query->stmt, 4);
	proven->list = sqlite3_column_int64(query->stmt, 5);
	proven->object = sqlite3_column_int64(query->stmt, 6);
	proven->adopted = sqlite3_column_int(query->stmt, 7) != 0;
	proven->receipt = sqlite3_column_int(query->stmt, 8) != 0;
	return 0;
}

int
audit_public_proofs(struct audit *audit)
{
	AUTO_STRUCT(proofs) proofs = { .audit = audit };
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	if (query_start(audit->journal,
		"SELECT kind, name, run, sha256, objects.seq, list, object,"
		" adopted, open = 0 AND receipt = 1"
		" FROM objects JOIN runs USING (run) WHERE state = 1"
		" ORDER BY objects.seq",
		NULL, &query) != 0)
		return -1;
	while (query_step(&query, &row) == 0) {
		AUTO_STRUCT(proven) proven = { 0 };

		if (!row)
			return 0;
		if (read_proven(&query, &proven) != 0 ||
		    check_proof(&proofs, &proven) != 0)
			return -1;
	}
	return -1;
}
