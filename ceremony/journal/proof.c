/*
 * C2SP tlog-proof, and the request of tlog-witness, strictly: what is parsed
 * comes back byte for byte from what is composed.
 */
#include "ceremony/journal/proof.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note-private.h"
#include "ceremony/journal/store.h"

#define INCLUSION_LINE "c2sp.org/tlog-proof@v1"

enum { PATH_MAX_LINES = 63, LINE_TEXT_SIZE = 40 };

void
proof_clear(struct proof *proof)
{
	free(proof->extra);
	free(proof->checkpoint);
	*proof = (struct proof){ 0 };
}

/* ---- reading ---------------------------------------------------------- */

/* Lines are counted for messages. */
struct reader {
	struct span rest;
	unsigned line;
};

static int
malformed(const struct reader *reader, const char *why)
{
	return ca_error(CA_R_INPUT,
	    "malformed proof: line %u: %s (C2SP tlog-proof)", reader->line,
	    why);
}

static int
next_line(struct reader *reader, struct span *ret_line)
{
	reader->line++;
	return span_line(&reader->rest, ret_line)
	    ? 0
	    : malformed(reader, "the proof ends here, before its checkpoint");
}

/* Is `line` "WORD REST"?  Then *ret_rest is the rest. */
static bool
begins_with(struct span line, const char *word, struct span *ret_rest)
{
	size_t len = strlen(word);

	if (line.len < len || memcmp(line.at, word, len) != 0)
		return false;
	*ret_rest = (struct span){ line.at + len, line.len - len };
	return true;
}

static int
read_number(const struct reader *reader, struct span text, uint64_t *ret_number)
{
	AUTO_CHARS(copy) = span_copy(text);

	if (copy == NULL)
		return -1;
	if (text_number(copy, INT64_MAX, ret_number) == 0)
		return 0;
	ca_error_clear();
	return malformed(
	    reader, "its number is none, too large, or has zeros before it");
}

static int
read_base64(const struct reader *reader, struct span text,
    unsigned char **ret_bytes, size_t *ret_len)
{
	char what[LINE_TEXT_SIZE];

	(void)snprintf(what, sizeof(what), "proof: line %u", reader->line);
	return note_base64_decode(text, what, ret_bytes, ret_len);
}

/* `extra` and `index`, behind the first line. */
static int
read_inclusion(struct reader *reader, struct proof *proof)
{
	struct span line, text;

	if (next_line(reader, &line) != 0)
		return -1;
	if (begins_with(line, "extra ", &text) &&
	    (read_base64(reader, text, &proof->extra, &proof->extra_len) != 0 ||
		next_line(reader, &line) != 0))
		return -1;
	if (!begins_with(line, "index ", &text))
		return malformed(reader,
		    "'index', a blank and a number belong "
		    "here");
	return read_number(reader, text, &proof->number);
}

static int
read_kind(struct reader *reader, struct proof *proof)
{
	struct span line, text;

	if (next_line(reader, &line) != 0)
		return -1;
	if (span_is(line, INCLUSION_LINE))
		return read_inclusion(reader, proof);
	if (!begins_with(line, "old ", &text))
		return malformed(reader,
		    "a proof begins with '" INCLUSION_LINE "' or 'old N'");
	proof->kind = PROOF_CONSISTENCY;
	return read_number(reader, text, &proof->number);
}

static int
read_hash(struct reader *reader, struct span line, struct tree_proof *path)
{
	AUTO_BYTES(hash) = NULL;
	size_t len = 0;

	if (path->count == PATH_MAX_LINES)
		return malformed(reader, "there are more than 63 hashes");
	if (read_base64(reader, line, &hash, &len) != 0)
		return -1;
	if (len != TREE_HASH_LEN)
		return malformed(reader, "a hash does not have 32 octets");
	memcpy(path->hashes[path->count++], hash, len);
	return 0;
}

/* Up to the empty line. */
static int
read_path(struct reader *reader, struct proof *proof)
{
	struct span line;

	for (;;) {
		if (next_line(reader, &line) != 0)
			return -1;
		if (line.len == 0)
			return 0;
		if (read_hash(reader, line, &proof->path) != 0)
			return -1;
	}
}

/* A well-formed one; whose it is, and its signatures, others look at. */
static int
parse_checkpoint(
    const char *bytes, size_t len, struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(note) note = { 0 };

	return note_parse(bytes, len, &note) != 0
	    ? -1
	    : checkpoint_parse(note.text, strlen(note.text), ret_checkpoint);
}

static int
read_checkpoint(struct reader *reader, struct proof *proof)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };

	if (parse_checkpoint(reader->rest.at, reader->rest.len, &checkpoint) !=
	    0)
		return -1;
	proof->checkpoint = span_copy(reader->rest);
	return proof->checkpoint == NULL ? -1 : 0;
}

int
proof_parse(const char *bytes, size_t len, struct proof *ret_proof)
{
	struct reader reader = { .rest = { bytes, len } };
	AUTO_STRUCT(proof) proof = { .kind = PROOF_INCLUSION };

	if (len > PROOF_MAX_BYTES)
		return ca_error(
		    CA_R_INPUT, "malformed proof: it is larger than 2 MiB");
	if (!note_is_clean(reader.rest))
		return ca_error(CA_R_INPUT,
		    "malformed proof: it is not UTF-8 or has control "
		    "characters; lines end with a newline alone (C2SP "
		    "tlog-proof)");
	if (read_kind(&reader, &proof) != 0 ||
	    read_path(&reader, &proof) != 0 ||
	    read_checkpoint(&reader, &proof) != 0)
		return -1;
	*ret_proof = proof;
	proof = (struct proof){ 0 };
	return 0;
}

/* ---- writing ---------------------------------------------------------- */

enum { HASH_TEXT_LEN = 44, HASH_LINE_LEN = HASH_TEXT_LEN + 1 };

/* A line for each hash; malloc'd. */
static int
path_text(const struct tree_proof *path, char **ret_text)
{
	AUTO_CHARS(text) = malloc(path->count * HASH_LINE_LEN + 1);
	char *at = text;

	if (text == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	for (size_t i = 0; i < path->count; i++) {
		AUTO_CHARS(hash) = NULL;

		if (note_base64_encode(path->hashes[i], TREE_HASH_LEN, &hash) !=
		    0)
			return -1;
		memcpy(at, hash, HASH_TEXT_LEN);
		at[HASH_TEXT_LEN] = '\n';
		at += HASH_LINE_LEN;
	}
	*at = '\0';
	*ret_text = TAKE(text);
	return 0;
}

/* The line `extra`, or nothing; malloc'd. */
static int
extra_text(const struct proof *proof, char **ret_text)
{
	AUTO_CHARS(base64) = NULL;
	char *text;

	if (proof->extra != NULL &&
	    note_base64_encode(proof->extra, proof->extra_len, &base64) != 0)
		return -1;
	text =
	    base64 == NULL ? text_copy("") : text_printf("extra %s\n", base64);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

int
proof_compose(const struct proof *proof, char **ret_text)
{
	bool inclusion = proof->kind == PROOF_INCLUSION;
	AUTO_CHARS(extra) = NULL;
	AUTO_CHARS(path) = NULL;
	char *text;

	if (proof->path.count > PATH_MAX_LINES ||
	    (proof->extra != NULL && (!inclusion || proof->extra_len == 0)))
		return ca_error(CA_R_INTERNAL, "such a proof has no form");
	if (extra_text(proof, &extra) != 0 ||
	    path_text(&proof->path, &path) != 0)
		return -1;
	text = text_printf("%s%s%s %" PRIu64 "\n%s\n%s",
	    inclusion ? INCLUSION_LINE "\n" : "", extra,
	    inclusion ? "index" : "old", proof->number, path,
	    proof->checkpoint);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

/* ---- making ----------------------------------------------------------- */

int
journal_entry(
    struct journal *journal, uint64_t seq, char **ret_line, size_t *ret_len)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(body) = NULL;
	size_t len = 0;
	bool row = false;

	/* No number of SQLite's is larger. */
	if (seq <= INT64_MAX &&
	    (query_start(journal, "SELECT body FROM entries WHERE seq = ?1",
		 SQL_VALUES(sql_int((int64_t)seq)), &query) != 0 ||
		query_step(&query, &row) != 0))
		return -1;
	if (!row)
		return ca_error(
		    CA_R_MISSING, "the journal has no entry %" PRIu64, seq);
	if (query_blob(&query, 0, &body, &len) != 0)
		return -1;
	if (body == NULL)
		return ca_error(
		    CA_R_CORRUPT, "entry %" PRIu64 " has no bytes", seq);
	*ret_line = (char *)TAKE(body);
	*ret_len = len;
	return 0;
}

/* The object's `result`, or the entry with which it was taken in. */
int
journal_entry_of_object(struct journal *journal, const char *sha256,
    bool *ret_found, uint64_t *ret_seq)
{
	int64_t seq;
	bool found;

	if (sql_number(journal,
		"SELECT result FROM objects WHERE sha256 = ?1 AND state = 1"
		" AND result IS NOT NULL ORDER BY result LIMIT 1",
		SQL_VALUES(sql_text(sha256)), &found, &seq) != 0)
		return -1;
	if (found)
		*ret_seq = (uint64_t)seq;
	*ret_found = found;
	return 0;
}

/* The checkpoint, if it is of a beginning of this journal. */
static int
read_own(struct journal *journal, const char *text,
    struct checkpoint *ret_checkpoint)
{
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	unsigned char root[HASH_LEN];
	uint64_t size;

	if (parse_checkpoint(text, strlen(text), &checkpoint) != 0 ||
	    journal_head(journal, &size, root) != 0)
		return -1;
	if (checkpoint.size > size)
		return ca_error(CA_R_VERIFY,
		    "the checkpoint is over %" PRIu64 " entries, and the "
		    "journal has %" PRIu64 ": it is an older copy, or the "
		    "checkpoint is another journal's",
		    checkpoint.size, size);
	if (journal_root_at(journal, checkpoint.size, root) != 0)
		return -1;
	if (memcmp(root, checkpoint.root, HASH_LEN) != 0)
		return ca_error(CA_R_VERIFY,
		    "the checkpoint is not of this journal, whose first "
		    "%" PRIu64 " entries have another root: it is another "
		    "journal's, or one of them was changed",
		    checkpoint.size);
	*ret_checkpoint = checkpoint;
	checkpoint = (struct checkpoint){ 0 };
	return 0;
}

/* A stored hash may have been changed: what does not hold is not given out. */
static int
check_made(int result)
{
	if (result == 0 || ca_error_reason() != CA_R_VERIFY)
		return result;
	return ca_error(CA_R_CORRUPT,
	    "the journal's stored tree is not that of its entries: keep the "
	    "file, and put a backup in its place");
}

static int
prove_inclusion(struct journal *journal, const struct checkpoint *checkpoint,
    struct proof *proof)
{
	struct tree_store tree = journal_tree(journal);
	unsigned char leaf[TREE_HASH_LEN];
	char *line = NULL;

	if (journal_entry(journal, proof->number, &line, &proof->extra_len) !=
	    0)
		return -1;
	proof->extra = (unsigned char *)line;
	if (proof->number >= checkpoint->size)
		return ca_error(CA_R_STATE,
		    "entry %" PRIu64 " came after the checkpoint over %" PRIu64
		    " entries: the next one will cover it, which closes each "
		    "run",
		    proof->number, checkpoint->size);
	if (tree_leaf(line, proof->extra_len, leaf) != 0 ||
	    tree_prove_inclusion(
		&tree, proof->number, checkpoint->size, &proof->path) != 0)
		return -1;
	return check_made(tree_check_inclusion(&proof->path, proof->number,
	    checkpoint->size, leaf, checkpoint->root));
}

static int
prove_consistency(struct journal *journal, const struct checkpoint *checkpoint,
    struct proof *proof)
{
	struct tree_store tree = journal_tree(journal);
	unsigned char old[TREE_HASH_LEN];

	if (proof->number > checkpoint->size)
		return ca_error(CA_R_STATE,
		    "the checkpoint is over %" PRIu64 " entries, fewer than "
		    "the %" PRIu64 " from which the journal is to have grown: "
		    "take a newer checkpoint",
		    checkpoint->size, proof->number);
	if (journal_root_at(journal, proof->number, old) != 0 ||
	    tree_prove_consistency(
		&tree, proof->number, checkpoint->size, &proof->path) != 0)
		return -1;
	return check_made(tree_check_consistency(&proof->path, proof->number,
	    checkpoint->size, old, checkpoint->root));
}

int
proof_make(struct journal *journal, enum proof_kind kind, uint64_t number,
    const char *checkpoint, struct proof *ret_proof)
{
	AUTO_STRUCT(checkpoint) own = { 0 };
	AUTO_STRUCT(proof) proof = { .kind = kind, .number = number };

	if (read_own(journal, checkpoint, &own) != 0 ||
	    (kind == PROOF_INCLUSION
		    ? prove_inclusion(journal, &own, &proof)
		    : prove_consistency(journal, &own, &proof)) != 0)
		return -1;
	proof.checkpoint = text_copy(checkpoint);
	if (proof.checkpoint == NULL)
		return -1;
	*ret_proof = proof;
	proof = (struct proof){ 0 };
	return 0;
}
