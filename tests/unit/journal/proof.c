#include "ceremony/journal/proof.h"

#include "ceremony/journal/note.h"
#include "fixture.h"

/* The note of rules 18.3: of journal and witness, over seven entries. */
#define NOTE_LINES                                                         \
	"journal.example/root-ca\n"                                        \
	"7\n"                                                              \
	"3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=\n"                   \
	"\n"                                                               \
	"\xe2\x80\x94 journal.example/root-ca "                            \
	"+wOOWG/POZLQu8ax9E0dzf4qvoMNuCOI8G01p0LiR1hsKq4I4syk58XSm5l5fKZ"  \
	"H97K0HlbizDR1E+iXWOC7HIAJNQ4=\n"                                  \
	"\xe2\x80\x94 witness.example/auditor "                            \
	"Cbi2MwAAAABq59KAabXLtQpIEL670hQzciT02CemnbJOonAIqd5yAE1IUOZi3wcM" \
	"Wrhf0lDPmPULfeMKa0/1hkBtm2IsNRtfd5KsBA==\n"

#define HASH_A "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c="
#define HASH_B "+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="
#define HASH_C "g327FS6bB5AQcX6E6GXaTrwPoZioBtWdMb8VrM7yLQ4="
#define HASHES HASH_A "\n" HASH_B "\n" HASH_C "\n"

#define FIRST "c2sp.org/tlog-proof@v1\n"
/* Of entry 3, whose bytes are 20 21. */
#define INCLUSION FIRST "extra ICE=\nindex 3\n" HASHES "\n" NOTE_LINES

static void
test_inclusion(void **state)
{
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	AUTO_CHARS(text) = NULL;
	unsigned char leaf[TREE_HASH_LEN];

	(void)state;
	assert_ok(proof_parse(INCLUSION, strlen(INCLUSION), &proof));
	assert_int_equal(proof.kind, PROOF_INCLUSION);
	assert_int_equal(proof.number, 3);
	assert_int_equal(proof.path.count, 3);
	assert_int_equal(proof.extra_len, 2);
	assert_memory_equal(proof.extra, "\x20\x21", 2);
	assert_string_equal(proof.checkpoint, NOTE_LINES);
	assert_ok(proof_compose(&proof, &text));
	assert_string_equal(text, INCLUSION);

	assert_ok(checkpoint_parse(proof.checkpoint,
	    (size_t)(strstr(proof.checkpoint, "\n\n") - proof.checkpoint) + 1,
	    &checkpoint));
	assert_ok(tree_leaf(proof.extra, proof.extra_len, leaf));
	assert_ok(tree_check_inclusion(
	    &proof.path, proof.number, checkpoint.size, leaf, checkpoint.root));
}

/* Without `extra`, without hashes, of a size with 63 levels. */
static void
test_forms(void **state)
{
	static char longest[63 * 45 + 2000] = "old 9223372036854775807\n";
	static const char *const texts[] = {
		FIRST "index 0\n\n" NOTE_LINES,
		FIRST "index 9223372036854775807\n" HASHES "\n" NOTE_LINES,
		FIRST "extra AA==\nindex 0\n\n" NOTE_LINES,
		"old 0\n\n" NOTE_LINES,
		"old 7\n" HASHES "\n" NOTE_LINES,
		longest,
	};

	(void)state;
	for (int i = 0; i < 63; i++)
		strcat(longest, HASH_A "\n");
	strcat(longest, "\n" NOTE_LINES);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		AUTO_STRUCT(proof) proof = { 0 };
		AUTO_CHARS(text) = NULL;

		assert_ok(proof_parse(texts[i], strlen(texts[i]), &proof));
		assert_int_equal(proof.kind,
		    texts[i][0] == 'o' ? PROOF_CONSISTENCY : PROOF_INCLUSION);
		assert_ok(proof_compose(&proof, &text));
		assert_string_equal(text, texts[i]);
	}
}

static void
refuse_text(const char *text, size_t len, const char *part)
{
	struct proof proof = { .number = 77 };

	assert_refused_naming(CA_R_INPUT, part, proof_parse(text, len, &proof));
	assert_int_equal(proof.number, 77);
	assert_null(proof.extra);
	assert_null(proof.checkpoint);
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *text, *part;
	} table[] = {
		{ "", "line 1" },
		{ "\n", "line 1" },
		{ NOTE_LINES, "line 1" },
		{ "c2sp.org/tlog-proof@v1", "line 1" },
		{ "c2sp.org/tlog-proof@v2\nindex 3\n\n" NOTE_LINES, "line 1" },
		{ " " INCLUSION, "line 1" },
		{ "c2sp.org/tlog-proof@v1 \nindex 3\n\n" NOTE_LINES, "line 1" },
		{ "C2SP.org/tlog-proof@v1\nindex 3\n\n" NOTE_LINES, "line 1" },
		{ FIRST, "line 2" },
		{ FIRST "\n" NOTE_LINES, "line 2" },
		{ FIRST HASHES "\n" NOTE_LINES, "line 2" },
		{ FIRST "old 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "Index 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index  3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index 3 \n\n" NOTE_LINES, "line 2" },
		{ FIRST "index 03\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index +3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index -3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index 0x3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index \n\n" NOTE_LINES, "line 2" },
		{ FIRST "index\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index 9223372036854775808\n\n" NOTE_LINES, "line 2" },
		{ FIRST "index 99999999999999999999999\n\n" NOTE_LINES,
		    "line 2" },
		{ FIRST "extra \nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra ICE\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra ICF=\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra IC-_\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra  ICE=\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra ICE= \nindex 3\n\n" NOTE_LINES, "line 2" },
		{ FIRST "extra ICE=\n", "line 3" },
		{ FIRST "extra ICE=\nextra ICE=\nindex 3\n\n" NOTE_LINES,
		    "line 3" },
		{ FIRST "index 3\nextra ICE=\n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\nindex 3\n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\n" HASHES, "line 6" },
		{ FIRST "index 3\n" HASHES NOTE_LINES, "line 6" },
		{ FIRST "index 3\n" HASH_A "=\n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\n" HASH_A " \n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\n " HASH_A "\n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\n" HASH_A HASH_B "\n\n" NOTE_LINES, "line 3" },
		{ FIRST "index 3\n" HASH_A "\nAAAA\n\n" NOTE_LINES, "line 4" },
		/* 33 octets, and 32 with stray bits. */
		{ FIRST "index 3\n"
			"ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+cA"
			"\n\n" NOTE_LINES,
		    "line 3" },
		{ FIRST "index 3\n"
			"ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+d="
			"\n\n" NOTE_LINES,
		    "line 3" },
		{ FIRST "index 3\n" HASHES "\n", "note" },
		{ FIRST "index 3\n" HASHES "\n\n" NOTE_LINES, "checkpoint" },
		{ FIRST "index 3\n" HASHES "\nno note\n", "note" },
		{ FIRST "index 3\n\n" NOTE_LINES "rest", "note" },
		{ FIRST "index 3\n\n" NOTE_LINES "\n", "note" },
		{ FIRST "index 3\r\n\n" NOTE_LINES, "control" },
		{ FIRST "index\t3\n\n" NOTE_LINES, "control" },
		{ FIRST "index 3\n\n\xff" NOTE_LINES, "UTF-8" },
		{ "old\n\n" NOTE_LINES, "line 1" },
		{ "old \n\n" NOTE_LINES, "line 1" },
		{ "old 07\n\n" NOTE_LINES, "line 1" },
		{ "old 7\nextra ICE=\n\n" NOTE_LINES, "line 2" },
		{ "old 7\nindex 3\n\n" NOTE_LINES, "line 2" },
		{ "old 7\n", "line 2" },
		{ "old 7\n" HASHES NOTE_LINES, "line 5" },
		{ "old 7\n\n", "note" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		refuse_text(
		    table[i].text, strlen(table[i].text), table[i].part);
}

/* A NUL ends no number and no line. */
static void
test_nul(void **state)
{
	static const char number[] = FIRST "index 3\0 4\n\n" NOTE_LINES;
	static const char behind[] = INCLUSION "\0";

	(void)state;
	refuse_text(number, sizeof number - 1, "control");
	refuse_text(behind, sizeof behind - 1, "control");
}

/* Cut anywhere, it is none; but where only a line of a cosigner is gone. */
static void
test_truncated(void **state)
{
	size_t len = strlen(INCLUSION);
	size_t whole =
	    (size_t)(strstr(INCLUSION, "\xe2\x80\x94 witness") - INCLUSION);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		struct proof proof = { 0 };

		if (i == whole)
			continue;
		assert_refused(CA_R_INPUT, proof_parse(INCLUSION, i, &proof));
	}
}

static void
test_too_large(void **state)
{
	size_t len = PROOF_MAX_BYTES + 1;
	AUTO_CHARS(text) = malloc(len);
	static char many[64 * 45 + 2000] = "old 7\n";

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	refuse_text(text, len, "larger");
	for (int i = 0; i < 64; i++)
		strcat(many, HASH_A "\n");
	strcat(many, "\n" NOTE_LINES);
	refuse_text(many, strlen(many), "63 hashes");
}

static void
test_compose_refused(void **state)
{
	unsigned char octet = 1;
	char checkpoint[] = NOTE_LINES, *text = NULL;
	struct proof proof = { .kind = PROOF_CONSISTENCY,
		.extra = &octet,
		.extra_len = 1,
		.checkpoint = checkpoint };

	(void)state;
	assert_refused(CA_R_INTERNAL, proof_compose(&proof, &text));
	proof.kind = PROOF_INCLUSION;
	proof.extra_len = 0;
	assert_refused(CA_R_INTERNAL, proof_compose(&proof, &text));
	proof.extra = NULL;
	proof.path.count = 64;
	assert_refused(CA_R_INTERNAL, proof_compose(&proof, &text));
	assert_null(text);
}

/* ---- from a journal --------------------------------------------------- */

/* A checkpoint; its signature is nobody's, and not looked at here. */
static char *
checkpoint_of(uint64_t size, const unsigned char root[HASH_LEN])
{
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
	AUTO_CHARS(text) = NULL;
	AUTO_DER(spki) = NULL;
	int len = i2d_PUBKEY(key, &spki);
	char *note = NULL;

	assert_true(len > 0);
	assert_ok(checkpoint_text("example", size, root, &text));
	assert_ok(note_compose(text, "example", spki, (size_t)len,
	    (const unsigned char *)"signature", 9, &note));
	return note;
}

static char *
checkpoint_at(struct fixture *f, uint64_t size)
{
	unsigned char root[HASH_LEN];

	assert_ok(journal_root_at(f->journal, size, root));
	return checkpoint_of(size, root);
}

static void
add_events(struct fixture *f, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		add(f, ENTRY_EVENT, data_event("e"));
}

/* Made, composed, parsed, checked. */
static void
prove(struct fixture *f, enum proof_kind kind, uint64_t number, uint64_t size)
{
	AUTO_CHARS(note) = checkpoint_at(f, size);
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_STRUCT(proof) again = { 0 };
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(line) = NULL;
	unsigned char root[HASH_LEN], other[HASH_LEN];
	size_t len;

	assert_ok(proof_make(f->journal, kind, number, note, &proof));
	assert_ok(proof_compose(&proof, &text));
	assert_ok(proof_parse(text, strlen(text), &again));
	assert_string_equal(again.checkpoint, note);
	assert_int_equal(again.number, number);
	assert_int_equal(again.kind, kind);
	assert_ok(journal_root_at(f->journal, size, root));
	if (kind == PROOF_CONSISTENCY) {
		assert_null(again.extra);
		assert_ok(journal_root_at(f->journal, number, other));
		assert_ok(tree_check_consistency(
		    &again.path, number, size, other, root));
		return;
	}
	assert_ok(journal_entry(f->journal, number, &line, &len));
	assert_int_equal(again.extra_len, len);
	assert_memory_equal(again.extra, line, len);
	assert_ok(tree_leaf(again.extra, again.extra_len, other));
	assert_ok(tree_check_inclusion(&again.path, number, size, other, root));
}

static void
test_make(void **state)
{
	struct fixture *f = *state;

	add_events(f, 9);
	for (uint64_t size = 1; size <= 10; size++)
		for (uint64_t number = 0; number <= size; number++) {
			if (number < size)
				prove(f, PROOF_INCLUSION, number, size);
			prove(f, PROOF_CONSISTENCY, number, size);
		}
}

static void
refuse_make(struct fixture *f, enum ca_reason reason, enum proof_kind kind,
    uint64_t number, const char *note)
{
	struct proof proof = { .number = 77 };

	assert_refused(
	    reason, proof_make(f->journal, kind, number, note, &proof));
	assert_int_equal(proof.number, 77);
	assert_null(proof.extra);
	assert_null(proof.checkpoint);
}

/* What is not of a beginning of this journal; what it does not cover. */
static void
test_make_refused(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(note) = NULL;
	AUTO_CHARS(forked) = NULL;
	AUTO_CHARS(longer) = NULL;
	unsigned char root[HASH_LEN];

	add_events(f, 9);
	note = checkpoint_at(f, 7);
	assert_ok(journal_root_at(f->journal, 7, root));
	root[31] ^= 1;
	forked = checkpoint_of(7, root);
	longer = checkpoint_of(11, root);
	for (int kind = PROOF_INCLUSION; kind <= PROOF_CONSISTENCY; kind++) {
		refuse_make(f, CA_R_VERIFY, (enum proof_kind)kind, 3, forked);
		refuse_make(f, CA_R_VERIFY, (enum proof_kind)kind, 3, longer);
		refuse_make(
		    f, CA_R_VERIFY, (enum proof_kind)kind, 3, NOTE_LINES);
		refuse_make(f, CA_R_STATE, (enum proof_kind)kind, 8, note);
		refuse_make(f, CA_R_INPUT, (enum proof_kind)kind, 3, "nothing");
		refuse_make(f, CA_R_INPUT, (enum proof_kind)kind, 3, "");
	}
	refuse_make(f, CA_R_STATE, PROOF_INCLUSION, 7, note);
	refuse_make(f, CA_R_MISSING, PROOF_INCLUSION, 10, note);
	refuse_make(f, CA_R_MISSING, PROOF_INCLUSION, UINT64_MAX, note);
	refuse_make(f, CA_R_STATE, PROOF_CONSISTENCY, UINT64_MAX, note);
}

static void
change(struct fixture *f, const char *sql)
{
	assert_int_equal(
	    sqlite3_exec(f->journal->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* An entry or a hash that was changed on disk is not proved. */
static void
test_damaged(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(note) = NULL;

	add_events(f, 7);
	note = checkpoint_at(f, 8);
	change(f,
	    "UPDATE nodes SET hash = zeroblob(32)"
	    " WHERE level = 1 AND idx = 0");
	refuse_make(f, CA_R_CORRUPT, PROOF_INCLUSION, 2, note);
	refuse_make(f, CA_R_CORRUPT, PROOF_CONSISTENCY, 2, note);
	prove(f, PROOF_INCLUSION, 6, 8);
	change(f,
	    "UPDATE entries SET body = CAST(replace(CAST(body AS TEXT),"
	    " '\"e\"', '\"f\"') AS BLOB) WHERE seq = 6");
	refuse_make(f, CA_R_CORRUPT, PROOF_INCLUSION, 6, note);
	change(f, "UPDATE nodes SET hash = zeroblob(32) WHERE level = 3");
	refuse_make(f, CA_R_VERIFY, PROOF_INCLUSION, 5, note);
	change(f, "DELETE FROM nodes WHERE level = 3");
	refuse_make(f, CA_R_CORRUPT, PROOF_INCLUSION, 5, note);
}

/* Bytes as they are, with a NUL too. */
static void
test_entry(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(changed) = NULL;
	size_t len = 0, changed_len = 0;
	char *none = NULL;

	assert_ok(journal_entry(f->journal, 0, &line, &len));
	assert_int_equal(strlen(line), len);
	assert_non_null(strstr(line, "\"kind\":\"genesis\""));
	assert_refused(CA_R_MISSING, journal_entry(f->journal, 1, &none, &len));
	assert_refused(
	    CA_R_MISSING, journal_entry(f->journal, UINT64_MAX, &none, &len));
	assert_null(none);
	change(f, "UPDATE entries SET body = x'7b007d'");
	assert_ok(journal_entry(f->journal, 0, &changed, &changed_len));
	assert_int_equal(changed_len, 3);
	assert_memory_equal(changed, "{\0}", 4);
}

static void
test_entry_of_object(void **state)
{
	struct fixture *f = *state;
	char sha[HASH_HEX_SIZE], failed[HASH_HEX_SIZE];
	uint64_t seq = 77, size;
	unsigned char root[HASH_LEN];
	bool found;

	open_run(f, RUN_A, "p");
	add(f, ENTRY_INTENT, data_csr(RUN_A, 0, 0, "c"));
	put_evidence(f->journal, 1, sha);
	assert_ok(journal_entry_of_object(f->journal, sha, &found, &seq));
	assert_false(found);
	assert_int_equal(seq, 77);
	assert_ok(journal_head(f->journal, &size, root));
	add(f, ENTRY_RESULT, data_result(RUN_A, 0, 0, "c", sha));
	assert_ok(journal_entry_of_object(f->journal, sha, &found, &seq));
	assert_true(found);
	assert_int_equal(seq, size);
	put_evidence(f->journal, 2, failed);
	assert_ok(journal_entry_of_object(f->journal, failed, &found, &seq));
	assert_false(found);
	add(f, ENTRY_ADOPTED,
	    data_adopted(RUN_A, "x", hex64(1), "05", hex64(2), failed));
	assert_ok(journal_entry_of_object(f->journal, failed, &found, &seq));
	assert_true(found);
	assert_int_equal(seq, size + 1);
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inclusion),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_compose_refused),
		TEST(test_make),
		TEST(test_make_refused),
		TEST(test_damaged),
		TEST(test_entry),
		TEST(test_entry_of_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
