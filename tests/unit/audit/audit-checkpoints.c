/* Checkpoints, cosignatures, heads, epochs and the anchor: each forged once. */
#include "base/file.h"
#include "ceremony/journal/note.h"
#include "small.h"

/* ---- helpers ---------------------------------------------------------- */

static void
write_file(const struct small *s, const char *name, const char *text)
{
	AUTO_FD(fd) = open(in_scratch(&s->scratch, name),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(file_write_all(fd, text, strlen(text), name));
}

static void
publish(const struct small *s, const char *note)
{
	write_file(s, "public/journal/checkpoint", note);
}

static char *
published(const struct small *s)
{
	unsigned char *bytes = NULL;
	size_t len;

	assert_ok(file_read_at(AT_FDCWD,
	    in_scratch(&s->scratch, "public/journal/checkpoint"), 65536, &bytes,
	    &len));
	return (char *)bytes;
}

static void
tree(struct small *s, uint64_t size, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char root[HASH_LEN];

	assert_ok(journal_root_at(s->journal, size, root));
	text_hex_into(root, HASH_LEN, ret_hex);
}

/* A checkpoint entry with this note; size and root as of now. */
static void
add_checkpoint(struct small *s, const char *note)
{
	char root[HASH_HEX_SIZE];
	unsigned char bytes[HASH_LEN];
	uint64_t size;

	assert_ok(journal_head(s->journal, &size, bytes));
	tree(s, size, root);
	small_add(s, ENTRY_CHECKPOINT,
	    json_pack("{s:I, s:s, s:s}", "size", (json_int_t)size, "root", root,
		"note", note));
	small_head(s, "0001");
}

/* ---- checkpoint entries ----------------------------------------------- */

static void
test_other_key(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO_CHARS(note) = small_note(s, "example", other);

	add_checkpoint(s, note);
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "no signature of 'example'");
	assert_int_equal(small_count(s, "AUDIT-CHECKPOINT"), 1);
	assert_int_equal(s->report.last_checkpoint, 10);
}

static void
test_broken_signature(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example", s->key);

	note[strlen(note) - 10] = note[strlen(note) - 10] == 'A' ? 'B' : 'A';
	add_checkpoint(s, note);
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "signature of 'example' is wrong");
}

static void
test_other_origin(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example/epoch-1", s->key);

	add_checkpoint(s, note);
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "entry 12 (checkpoint)");
}

static void
test_no_note(void **state)
{
	struct small *s = *state;

	add_checkpoint(s, "nothing");
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "entry 12 (checkpoint)");
}

/* A true note, of another size than the entry says. */
static void
test_other_size(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example", s->key);

	small_add(s, ENTRY_EVENT, data_event("x"));
	add_checkpoint(s, note);
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "another size or root than it says");
}

static void
test_going_back(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example", s->key); /* over 12 */
	char root[HASH_HEX_SIZE];

	small_checkpoint(s);
	small_add(s, ENTRY_EVENT, data_event("x"));
	small_checkpoint(s);
	tree(s, 12, root);
	small_add(s, ENTRY_CHECKPOINT,
	    json_pack(
		"{s:i, s:s, s:s}", "size", 12, "root", root, "note", note));
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "checkpoints never go back");
}

/* Its root is not that of the entries: apply() refuses it. */
static void
test_forged_root(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example", s->key);
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");

	small_force(s, ENTRY_CHECKPOINT,
	    json_pack(
		"{s:i, s:s, s:s}", "size", 12, "root", hex64(5), "note", note),
	    people, "x");
	small_audit(s);
	assert_has(s, "AUDIT-STATE", "entry 12 (checkpoint)");
	assert_has(s, "AUDIT-CHECKPOINT", "another size or root than it says");
}

/* ---- runs without a checkpoint ---------------------------------------- */

static void
test_run_uncovered(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_run(s, RUN_B, "b");
	small_close(s, RUN_B);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-UNSIGNED", "entry 21 (plan)");
	assert_int_equal(small_count(s, "AUDIT-UNSIGNED"), 1);
}

static void
test_tail_of_run(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_close(s, RUN_A);
	small_audit(s);
	assert_has(s, "AUDIT-UNSIGNED-TAIL",
	    "no checkpoint counts 7 entries (of 21): ");
	assert_has(s, "AUDIT-UNSIGNED-TAIL", "the end of a run is among them");
}

static void
test_tail(void **state)
{
	struct small *s = *state;

	small_add(s, ENTRY_EVENT, data_event("x"));
	small_add(s, ENTRY_EVENT, data_event("y"));
	small_audit(s);
	assert_has(s, "AUDIT-UNSIGNED-TAIL",
	    "no checkpoint counts 2 entries (of 14): 2 event");
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.rows[i].id, "AUDIT-UNSIGNED-TAIL") == 0)
			assert_int_equal(
			    s->found.rows[i].severity, FINDING_WARNING);
}

/* Heads are silent only as ca-tool writes them. */
static void
test_tail_of_heads(void **state)
{
	struct small *s = *state;
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");
	char root[HASH_HEX_SIZE];

	small_head(s, "0001");
	tree(s, 13, root);
	small_force(s, ENTRY_HEAD, data_head("example", 0, 13, root), people,
	    "the operators decided to keep a second key");
	small_audit(s);
	assert_has(s, "AUDIT-UNSIGNED-TAIL",
	    "no checkpoint counts 1 entry (of 14): 1 head");
}

static void
test_tail_of_head_with_more(void **state)
{
	struct small *s = *state;
	char root[HASH_HEX_SIZE];

	tree(s, 12, root);
	small_add(s, ENTRY_HEAD,
	    with(data_head("example", 0, 12, root), "serial",
		json_string("0001")));
	small_add(s, ENTRY_HEAD,
	    with(with(data_head("example", 0, 12, root), "serial",
		     json_string("0001")),
		"more", json_string("x")));
	small_audit(s);
	assert_has(s, "AUDIT-UNSIGNED-TAIL",
	    "no checkpoint counts 1 entry (of 14): 1 head");
}

/* The same once more; only the first is the checkpoint's own entry. */
static void
test_checkpoint_twice(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = published(s);
	char root[HASH_HEX_SIZE];

	tree(s, 10, root);
	small_add(s, ENTRY_CHECKPOINT,
	    json_pack(
		"{s:i, s:s, s:s}", "size", 10, "root", root, "note", note));
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-CHECKPOINT"), 0);
	assert_has(s, "AUDIT-UNSIGNED-TAIL", "1 entry (of 13): 1 checkpoint");
}

static void
test_two_notes_of_a_size(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(first) = small_note(s, "example", s->key);
	AUTO_CHARS(second) = small_note(s, "example", s->key);
	char root[HASH_HEX_SIZE];

	assert_string_not_equal(first, second);
	tree(s, 12, root);
	add_checkpoint(s, first);
	publish(s, first);
	small_add(s, ENTRY_CHECKPOINT,
	    json_pack(
		"{s:i, s:s, s:s}", "size", 12, "root", root, "note", second));
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "only one is signed for a size");
	assert_int_equal(small_count(s, "AUDIT-CHECKPOINT"), 1);
}

/* ---- the file --------------------------------------------------------- */

#define FILE_ID "AUDIT-CHECKPOINT-FILE"

static void
test_file_missing(void **state)
{
	struct small *s = *state;

	assert_int_equal(
	    unlink(in_scratch(&s->scratch, "public/journal/checkpoint")), 0);
	small_audit(s);
	assert_has(s, FILE_ID, "does not exist");
}

static void
test_file_link(void **state)
{
	struct small *s = *state;

	assert_int_equal(
	    rename(in_scratch(&s->scratch, "public/journal/checkpoint"),
		in_scratch(&s->scratch, "note")),
	    0);
	assert_int_equal(
	    symlink("../../note",
		in_scratch(&s->scratch, "public/journal/checkpoint")),
	    0);
	small_audit(s);
	assert_has(s, FILE_ID, "symbolic link");
}

static void
test_file_altered(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = published(s);

	note[strlen("example\n")] = '9';
	publish(s, note);
	small_audit(s);
	assert_has(s, FILE_ID, "public/journal/checkpoint");
}

/* The whole authority was put back to an older state, but for this file. */
static void
test_file_of_more(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = NULL;

	assert_ok(journal_begin(s->journal));
	small_add(s, ENTRY_EVENT, data_event("x"));
	small_add(s, ENTRY_EVENT, data_event("y"));
	note = small_note(s, "example", s->key);
	journal_rollback(s->journal);
	publish(s, note);
	small_audit(s);
	assert_has(s, FILE_ID, "fewer than the 14 that it once had");
}

/* It grew in another way. */
static void
test_file_of_fork(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = NULL;

	assert_ok(journal_begin(s->journal));
	small_add(s, ENTRY_EVENT, data_event("x"));
	note = small_note(s, "example", s->key);
	journal_rollback(s->journal);
	small_add(s, ENTRY_EVENT, data_event("z"));
	small_checkpoint(s);
	publish(s, note);
	small_audit(s);
	assert_has(s, FILE_ID, "forked");
}

static void
test_file_older(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(old) = published(s);

	small_add(s, ENTRY_EVENT, data_event("x"));
	small_checkpoint(s);
	publish(s, old);
	small_audit(s);
	assert_has(s, FILE_ID, "an older copy");
}

static void
test_file_of_others(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = small_note(s, "example.net/other", s->key);
	AUTO_CHARS(later) = small_note(s, "example/epoch-3", s->key);

	publish(s, note);
	small_audit(s);
	assert_has(s, FILE_ID, "'example.net/other'");
	publish(s, later);
	small_audit(s);
	assert_has(s, FILE_ID, "'example/epoch-3'");
}

/* The note was written, and its entry was cut off: an honest crash. */
static void
test_file_newer(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(note) = NULL;

	small_add(s, ENTRY_EVENT, data_event("x"));
	note = small_note(s, "example", s->key);
	publish(s, note);
	small_audit(s);
	assert_int_equal(small_count(s, FILE_ID), 0);
	assert_int_equal(small_count(s, "AUDIT-UNSIGNED-TAIL"), 0);
	assert_int_equal(s->report.last_checkpoint, 13);
}

/* ---- cosignatures ----------------------------------------------------- */

/* The published checkpoint with a line of `key`; the witnesses' file. */
static void
cosign(struct small *s, EVP_PKEY *key, const char *name, bool alter)
{
	AUTO_STRUCT(note_key) public = { 0 };
	AUTO_STRUCT(note) parts = { 0 };
	AUTO_CHARS(note) = published(s);
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(vkey) = NULL;
	AUTO_CHARS(both) = NULL;

	assert_ok(note_parse(note, strlen(note), &parts));
	assert_ok(note_cosign(alter
		? "example\n9\n3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=\n"
		: parts.text,
	    name, key, 1700000000, &line));
	both = text_printf("%s%s", note, line);
	assert_non_null(both);
	publish(s, both);
	assert_ok(note_key_from_public(name, NOTE_COSIGNATURE, key, &public));
	assert_ok(note_key_text(&public, &vkey));
	write_file(s, "witnesses", vkey);
}

static EVP_PKEY *
new_witness(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	assert_non_null(key);
	return key;
}

static void
test_cosigned(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *key = new_witness();

	cosign(s, key, "example.net/witness", false);
	s->options.witnesses = text_copy(in_scratch(&s->scratch, "witnesses"));
	small_audit(s);
	assert_sound(s);
	assert_int_equal(s->report.cosignatures, 1);
	assert_int_equal(s->report.witness_count, 1);
	assert_string_equal(s->report.witnesses[0].name, "example.net/witness");
	assert_int_equal(s->report.witnesses[0].size, 10);
	assert_int_equal(s->report.witnesses[0].time, 1700000000);
	free((void *)(uintptr_t)s->options.witnesses);
}

/* Two are given, and one of them has never seen this journal. */
static void
test_cosigned_by_one_of_two(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *key = new_witness();
	AUTO(EVP_PKEY) *absent = new_witness();
	AUTO_STRUCT(note_key) public = { 0 };
	AUTO_BYTES(first) = NULL;
	AUTO_CHARS(second) = NULL;
	AUTO_CHARS(both) = NULL;
	size_t len;

	cosign(s, key, "example.net/witness", false);
	assert_ok(file_read_at(AT_FDCWD, in_scratch(&s->scratch, "witnesses"),
	    65536, &first, &len));
	assert_ok(note_key_from_public(
	    "example.net/absent", NOTE_COSIGNATURE, absent, &public));
	assert_ok(note_key_text(&public, &second));
	both = text_printf("%s\n%s\n", (const char *)first, second);
	assert_non_null(both);
	write_file(s, "witnesses", both);
	s->options.witnesses = text_copy(in_scratch(&s->scratch, "witnesses"));
	small_audit(s);
	assert_has(s, "AUDIT-WITNESS", "'example.net/absent' has cosigned no");
	assert_int_equal(small_count(s, "AUDIT-WITNESS"), 1);
	assert_int_equal(s->report.witnesses[0].size, 10);
	assert_int_equal(s->report.witnesses[1].size, 0);
	free((void *)(uintptr_t)s->options.witnesses);
}

static void
test_cosigned_by_unknown(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *key = new_witness();

	cosign(s, key, "example.net/witness", false);
	small_audit(s);
	assert_has(
	    s, "AUDIT-COSIGNATURE-UNKNOWN", "1 signature on a checkpoint is");
	assert_int_equal(s->report.cosignatures, 0);
	assert_int_equal(small_count(s, "AUDIT-COSIGNATURE"), 0);
}

/* Of another checkpoint. */
static void
test_cosignature_wrong(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *key = new_witness();

	cosign(s, key, "example.net/witness", true);
	s->options.witnesses = text_copy(in_scratch(&s->scratch, "witnesses"));
	small_audit(s);
	assert_has(s, "AUDIT-COSIGNATURE", "'example.net/witness' is wrong");
	assert_int_equal(s->report.cosignatures, 0);
	free((void *)(uintptr_t)s->options.witnesses);
}

static void
test_witnesses_unreadable(void **state)
{
	struct small *s = *state;

	journal_free(s->journal);
	s->journal = NULL;
	write_file(s, "witnesses", "nobody\n");
	s->options.witnesses = text_copy(in_scratch(&s->scratch, "witnesses"));
	assert_refused_naming(CA_R_INPUT, "witnesses:1",
	    audit_run(&s->options, &s->found, &s->report));
	free((void *)(uintptr_t)s->options.witnesses);
}

/* ---- heads ------------------------------------------------------------ */

static void
test_head_serial(void **state)
{
	struct small *s = *state;

	small_head(s, "0002");
	small_audit(s);
	assert_has(s, "AUDIT-HEAD", "serial number 0002");
}

static void
test_head_back(void **state)
{
	struct small *s = *state;
	char root[HASH_HEX_SIZE];

	tree(s, 5, root);
	small_add(s, ENTRY_HEAD, data_head("example", 0, 5, root));
	small_audit(s);
	assert_has(s, "AUDIT-HEAD", "never goes back");
}

/* Root, origin and epoch are for apply(). */
static void
test_head_forged(void **state)
{
	struct small *s = *state;
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");
	char root[HASH_HEX_SIZE];

	tree(s, 12, root);
	small_force(
	    s, ENTRY_HEAD, data_head("example", 0, 12, hex64(5)), people, "x");
	small_force(
	    s, ENTRY_HEAD, data_head("example", 1, 12, root), people, "x");
	small_force(
	    s, ENTRY_HEAD, data_head("other", 0, 12, root), people, "x");
	small_force(
	    s, ENTRY_HEAD, data_head("example", 0, 99, root), people, "x");
	small_audit(s);
	assert_int_equal(small_count(s, "AUDIT-STATE"), 4);
}

static void
test_no_head_before_result(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_add(s, ENTRY_INTENT, data_csr(RUN_A, 0, 1, "second"));
	small_add(s, ENTRY_RESULT,
	    data_result(RUN_A, 0, 1, "second", small_evidence(s, "a request")));
	small_audit(s);
	assert_has(s, "AUDIT-HEAD", "object 'second'");
	assert_int_equal(small_count(s, "AUDIT-HEAD"), 1);
}

static void
test_no_head_before_key(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_add(
	    s, ENTRY_KEY_INTENT, data_key_intent(RUN_A, "second", "abcd"));
	small_add(s, ENTRY_KEY, data_key(RUN_A, "second", "abcd", "99"));
	small_audit(s);
	assert_has(s, "AUDIT-HEAD", "key 'second'");
}

/* ---- epochs ----------------------------------------------------------- */

static json_t *
epoch_data(struct small *s, uint64_t lost, const char *receipt)
{
	unsigned char bytes[HASH_LEN];
	char root[HASH_HEX_SIZE];
	uint64_t size;
	json_t *data;

	assert_ok(journal_head(s->journal, &size, bytes));
	tree(s, size, root);
	data = with(data_epoch(RUN_A, 1, (int)size, root), "lost",
	    json_integer((json_int_t)lost));
	if (receipt != NULL)
		json_object_set_new(data, "receipts",
		    json_pack("[s]", small_evidence(s, receipt)));
	return data;
}

/* A receipt of more entries than there are. */
static char *
lost_receipt(struct small *s, EVP_PKEY *key)
{
	char *note;

	assert_ok(journal_begin(s->journal));
	small_add(s, ENTRY_EVENT, data_event("lost"));
	note = small_note(s, "example", key);
	journal_rollback(s->journal);
	return note;
}

static void
test_epoch(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(receipt) = NULL;

	small_run(s, RUN_A, "a");
	receipt = lost_receipt(s, s->key);
	small_add(s, ENTRY_EPOCH, epoch_data(s, 99, receipt));
	small_head(s, "0001");
	small_close(s, RUN_A);
	small_checkpoint(s);
	small_audit(s);
	assert_has(s, "AUDIT-EPOCH", "the journal was recovered here");
	assert_int_equal(small_count(s, "AUDIT-EPOCH"), 1);
	assert_int_equal(small_count(s, "AUDIT-CHECKPOINT"), 0);
	assert_int_equal(small_count(s, FILE_ID), 0);
	assert_string_equal(s->report.origin, "example/epoch-1");
}

static void
test_epoch_receipts(void **state)
{
	struct small *s = *state;
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO_CHARS(receipt) = NULL;
	AUTO_CHARS(forged) = NULL;
	json_t *second;

	small_run(s, RUN_A, "a");
	receipt = lost_receipt(s, s->key);
	forged = lost_receipt(s, other);
	small_add(s, ENTRY_EPOCH, epoch_data(s, 3, receipt));
	second = epoch_data(s, 99, forged);
	json_object_set_new(json_object_get(second, "was"), "origin",
	    json_string("example/epoch-1"));
	small_add(s, ENTRY_EPOCH,
	    with(with(second, "epoch", json_integer(2)), "origin",
		json_string("example/epoch-2")));
	small_audit(s);
	assert_has(s, "AUDIT-EPOCH", "more than it says are lost");
	assert_has(s, "AUDIT-EPOCH", "no signature of");
}

/* A head of the old epoch does not count for the new one. */
static void
test_epoch_forgets_heads(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_add(s, ENTRY_INTENT, data_csr(RUN_A, 0, 1, "second"));
	small_head(s, "0001");
	small_add(s, ENTRY_EPOCH, epoch_data(s, 99, NULL));
	small_add(s, ENTRY_RESULT,
	    data_result(RUN_A, 0, 1, "second", small_evidence(s, "a request")));
	small_audit(s);
	assert_has(s, "AUDIT-HEAD", "object 'second'");
}

/* ---- the anchor ------------------------------------------------------- */

static void
write_anchor(
    struct small *s, const char *id, const char *genesis, const char *key)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(spki) = sha256_hex(s->spki, s->spki_len);
	AUTO_CHARS(text) = NULL;
	char first[HASH_HEX_SIZE];

	assert_ok(journal_authority(s->journal, &row));
	text_hex_into(row.genesis, HASH_LEN, first);
	text = text_printf("ca-tool anchor 1\nauthority: %s\ngenesis: %s\n"
			   "journal-key: %s\nset: %s\n",
	    id == NULL ? row.id : id, genesis == NULL ? first : genesis,
	    key == NULL ? spki : key, SET_A);
	assert_non_null(text);
	write_file(s, "anchor.txt", text);
}

static void
audit_anchored(struct small *s)
{
	AUTO_CHARS(path) = text_copy(in_scratch(&s->scratch, "anchor.txt"));

	s->options.anchor = path;
	small_audit(s);
	s->options.anchor = NULL;
}

static void
test_anchored(void **state)
{
	struct small *s = *state;

	write_anchor(s, NULL, NULL, NULL);
	audit_anchored(s);
	assert_sound(s);
	assert_true(s->report.anchored);
}

static void
test_anchor_of_others(void **state)
{
	static const struct {
		const char *id, *genesis, *key;
		const char *part;
	} cases[] = {
		{ "other", NULL, NULL, "the authority of the journal" },
		{ NULL, "", NULL, "the first entry's hash of the journal" },
		{ NULL, NULL, "", "the key of the journal" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		void *made = NULL;
		struct small *s;

		assert_int_equal(small_setup(&made), 0);
		s = made;
		write_anchor(s, cases[i].id,
		    cases[i].genesis == NULL ? NULL : hex64(6),
		    cases[i].key == NULL ? NULL : hex64(7));
		audit_anchored(s);
		assert_has(s, "AUDIT-ANCHOR", cases[i].part);
		assert_int_equal(small_count(s, "AUDIT-ANCHOR"), 1);
		assert_false(s->report.anchored);
		assert_int_equal(small_teardown(&made), 0);
	}
}

static void
test_anchor_unreadable(void **state)
{
	struct small *s = *state;

	journal_free(s->journal);
	s->journal = NULL;
	write_file(s, "anchor.txt", "ca-tool anchor 2\n");
	s->options.anchor = in_scratch(&s->scratch, "anchor.txt");
	assert_refused_naming(CA_R_INPUT, "malformed anchor",
	    audit_run(&s->options, &s->found, &s->report));
	s->options.anchor = "/nonexistent/anchor.txt";
	assert_refused(
	    CA_R_MISSING, audit_run(&s->options, &s->found, &s->report));
	s->options.anchor = NULL;
}

/* The first entry's bytes count, not what the row says of them. */
static void
test_anchor_and_altered_genesis(void **state)
{
	struct small *s = *state;

	write_anchor(s, NULL, NULL, NULL);
	small_sql(s,
	    "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	    " 'did it', 'did iT') AS BLOB) WHERE seq = 0");
	audit_anchored(s);
	assert_has(s, "AUDIT-LEAF", "entry 0");
	assert_has(s, "AUDIT-ANCHOR", "first entry");
	assert_false(s->report.anchored);
}

/* A second key for the journal. */
static void
test_second_journal_key(void **state)
{
	struct small *s = *state;

	small_run(s, RUN_A, "a");
	small_add(
	    s, ENTRY_KEY_DESTROYED, data_key_destroyed(RUN_A, "journal", "ff"));
	small_add(s, ENTRY_KEY_INTENT,
	    with(data_key_intent(RUN_A, "journal", "fe"), "purpose",
		json_string("journal")));
	small_head(s, "0001");
	small_add(s, ENTRY_KEY, data_key(RUN_A, "journal", "fe", "0102"));
	small_audit(s);
	assert_has(s, "AUDIT-CHECKPOINT", "another cannot take its place");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, small_setup, small_teardown)
		TEST(test_other_key),
		TEST(test_broken_signature),
		TEST(test_other_origin),
		TEST(test_no_note),
		TEST(test_other_size),
		TEST(test_going_back),
		TEST(test_forged_root),
		TEST(test_run_uncovered),
		TEST(test_tail_of_run),
		TEST(test_tail),
		TEST(test_tail_of_heads),
		TEST(test_tail_of_head_with_more),
		TEST(test_checkpoint_twice),
		TEST(test_two_notes_of_a_size),
		TEST(test_file_missing),
		TEST(test_file_link),
		TEST(test_file_altered),
		TEST(test_file_of_more),
		TEST(test_file_of_fork),
		TEST(test_file_older),
		TEST(test_file_of_others),
		TEST(test_file_newer),
		TEST(test_cosigned),
		TEST(test_cosigned_by_one_of_two),
		TEST(test_cosigned_by_unknown),
		TEST(test_cosignature_wrong),
		TEST(test_witnesses_unreadable),
		TEST(test_head_serial),
		TEST(test_head_back),
		TEST(test_head_forged),
		TEST(test_no_head_before_result),
		TEST(test_no_head_before_key),
		TEST(test_epoch),
		TEST(test_epoch_receipts),
		TEST(test_epoch_forgets_heads),
		TEST(test_anchored),
		cmocka_unit_test(test_anchor_of_others),
		TEST(test_anchor_unreadable),
		TEST(test_anchor_and_altered_genesis),
		TEST(test_second_journal_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
