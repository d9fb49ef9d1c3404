#include "ceremony/journal/proof-check.h"

#include <inttypes.h>

#include <openssl/pem.h>

#include "ceremony/journal/proof.h"
#include "support.h"

#define ID "example.org/root-ca"
#define DER_HEX \
	"5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456"

enum { ENTRIES = 11, LINE_SIZE = 600, FILES = 8 };

/* A journal without a database, and whoever checks, in a directory. */
struct fixture {
	char dir[64], paths[FILES][128];
	EVP_PKEY *key;
	unsigned char *spki;
	size_t spki_len;
	unsigned char leaves[ENTRIES][TREE_HASH_LEN];
	char lines[ENTRIES][LINE_SIZE];
};

enum { PROOF, ANCHOR, KEY_FILE, OLDER, TRUSTED, WITNESSES };
static const char *const names[FILES] = { "proof", "anchor.txt",
	"journal-key.pem", "older", "trusted", "witnesses" };

/* ---- the journal ------------------------------------------------------ */

static void
set_line(struct fixture *f, unsigned i, unsigned seq, const char *kind,
    const char *data)
{
	(void)snprintf(f->lines[i], LINE_SIZE,
	    "{\"v\":1,\"seq\":%u,\"time\":\"" DATE_A "\",\"kind\":\"%s\","
	    "\"people\":[],\"text\":\"a test did it\",\"data\":{%s}}",
	    seq, kind, data);
}

static void
set_leaves(struct fixture *f)
{
	for (unsigned i = 0; i < ENTRIES; i++)
		assert_ok(
		    tree_leaf(f->lines[i], strlen(f->lines[i]), f->leaves[i]));
}

static int
leaf_get(void *ctx, unsigned level, uint64_t index,
    unsigned char ret_hash[TREE_HASH_LEN])
{
	struct fixture *f = ctx;
	struct tree_range range = { .size = 0 };

	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		assert_ok(tree_range_add(&range, f->leaves[i], NULL, NULL));
	return tree_range_root(&range, ret_hash);
}

static char *
note_of(struct fixture *f, const char *origin, uint64_t size)
{
	const struct tree_store store = { .ctx = f, .get = leaf_get };
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char root[TREE_HASH_LEN], signature[128];
	AUTO_CHARS(text) = NULL;
	size_t len = sizeof signature;
	char *note = NULL;

	assert_ok(tree_root(&store, size, root));
	assert_ok(checkpoint_text(origin, size, root, &text));
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	assert_ok(note_compose(
	    text, origin, f->spki, f->spki_len, signature, len, &note));
	return note;
}

/* ---- files ------------------------------------------------------------ */

static void
write_file(struct fixture *f, unsigned file, const char *text)
{
	FILE *out = fopen(f->paths[file], "w");

	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static void
write_note(struct fixture *f, unsigned file, const char *origin, uint64_t size)
{
	AUTO_CHARS(note) = note_of(f, origin, size);

	write_file(f, file, note);
}

/* A proof of the journal's, which `change` may still change. */
static void
write_proof(struct fixture *f, enum proof_kind kind, uint64_t number,
    const char *origin, void (*change)(struct proof *proof))
{
	const struct tree_store store = { .ctx = f, .get = leaf_get };
	AUTO_STRUCT(proof) proof = { .kind = kind, .number = number };
	AUTO_CHARS(text) = NULL;

	if (kind == PROOF_INCLUSION) {
		assert_ok(
		    tree_prove_inclusion(&store, number, ENTRIES, &proof.path));
		proof.extra = (unsigned char *)text_copy(f->lines[number]);
		proof.extra_len = strlen(f->lines[number]);
	} else {
		assert_ok(tree_prove_consistency(
		    &store, number, ENTRIES, &proof.path));
	}
	proof.checkpoint = note_of(f, origin, ENTRIES);
	if (change != NULL)
		change(&proof);
	assert_ok(proof_compose(&proof, &text));
	write_file(f, PROOF, text);
}

static void
write_anchor(struct fixture *f, const char *authority)
{
	AUTO_CHARS(key) = sha256_hex(f->spki, f->spki_len);
	AUTO_CHARS(genesis) = text_hex(f->leaves[0], TREE_HASH_LEN);
	AUTO_CHARS(text) = text_printf("ca-tool anchor 1\nauthority: %s\n"
				       "genesis: %s\njournal-key: %s\n"
				       "set: " SET_A "\n",
	    authority, genesis, key);
	AUTO(BIO) *out = BIO_new_file(f->paths[KEY_FILE], "w");

	assert_non_null(text);
	write_file(f, ANCHOR, text);
	assert_int_equal(PEM_write_bio_PUBKEY(out, f->key), 1);
}

static int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	int len;

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof f->dir, "test-check-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	for (size_t i = 0; i < FILES && names[i] != NULL; i++)
		(void)snprintf(
		    f->paths[i], sizeof f->paths[i], "%s/%s", f->dir, names[i]);
	f->key = EVP_EC_gen("P-256");
	len = i2d_PUBKEY(f->key, &f->spki);
	assert_true(len > 0);
	f->spki_len = (size_t)len;
	for (unsigned i = 0; i < ENTRIES; i++)
		set_line(f, i, i, i == 0 ? "genesis" : "event", "");
	set_line(f, 5, 5, "result",
	    "\"name\":\"root-g1\",\"sha256\":\"" DER_HEX "\"");
	set_line(f, 6, 6, "adopted",
	    "\"name\":\"outside\",\"sha256\":\"" DER_HEX "\"");
	set_leaves(f);
	write_anchor(f, ID);
	*state = f;
	return 0;
}

static int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < FILES && names[i] != NULL; i++)
		(void)unlink(f->paths[i]);
	assert_int_equal(rmdir(f->dir), 0);
	EVP_PKEY_free(f->key);
	OPENSSL_free(f->spki);
	free(f);
	return 0;
}

static struct proof_order
order_of(struct fixture *f)
{
	return (struct proof_order){ .input = f->paths[PROOF],
		.anchor = f->paths[ANCHOR] };
}

static void
accept(const struct proof_order *order, struct proof_checked *ret_checked)
{
	AUTO_STRUCT(findings) findings = { 0 };

	assert_ok(proof_check(order, &findings, ret_checked));
	assert_int_equal(findings.count, 0);
}

static void
refuse(const struct proof_order *order, enum ca_reason reason, const char *part)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct proof_checked checked = { .number = 77 };

	assert_refused_naming(
	    reason, part, proof_check(order, &findings, &checked));
	assert_int_equal(checked.number, 77);
	assert_null(checked.entry);
	assert_null(checked.authority);
}

/* ---- entries ---------------------------------------------------------- */

static void
test_entries(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	for (unsigned i = 0; i < ENTRIES; i++) {
		AUTO_STRUCT(proof_checked) checked = { 0 };

		write_proof(f, PROOF_INCLUSION, i, ID, NULL);
		accept(&order, &checked);
		assert_int_equal(checked.subject, SUBJECT_ENTRY);
		assert_int_equal(checked.number, i);
		assert_string_equal(checked.authority, ID);
		assert_int_equal(checked.checkpoint.size, ENTRIES);
	}
}

static void
test_objects(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	static const struct {
		unsigned entry;
		enum entry_kind kind;
		const char *name;
	} table[] = {
		{ 5, ENTRY_RESULT, "root-g1" },
		{ 6, ENTRY_ADOPTED, "outside" },
	};

	order.object = "x.der";
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		AUTO_STRUCT(proof_checked) checked = { 0 };

		order.sha256 = DER_HEX;
		write_proof(f, PROOF_INCLUSION, table[i].entry, ID, NULL);
		accept(&order, &checked);
		assert_int_equal(checked.kind, table[i].kind);
		assert_string_equal(checked.name, table[i].name);
		assert_string_equal(checked.sha256, DER_HEX);
		order.sha256 = hex64(1);
		refuse(&order, CA_R_VERIFY, "another object than 'x.der'");
	}
	order.sha256 = DER_HEX;
	write_proof(f, PROOF_INCLUSION, 4, ID, NULL);
	refuse(&order, CA_R_VERIFY, "of kind 'event'");
}

/* `sha256` of a kind that is about no object does not count. */
static void
test_only_results(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	order.object = "x.der";
	order.sha256 = DER_HEX;
	set_line(f, 4, 4, "list", "\"sha256\":\"" DER_HEX "\"");
	set_leaves(f);
	write_proof(f, PROOF_INCLUSION, 4, ID, NULL);
	refuse(&order, CA_R_VERIFY, "of kind 'list'");
	set_line(f, 4, 4, "result", "\"sha256\":7");
	set_leaves(f);
	write_proof(f, PROOF_INCLUSION, 4, ID, NULL);
	refuse(&order, CA_R_VERIFY, "about no certificate");
}

/* Signed with the journal's key, and yet no entry of a journal. */
static void
test_strange_entries(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	set_line(f, 4, 3, "event", "");
	set_line(f, 7, 7, "unheard-of", "");
	(void)snprintf(f->lines[8], LINE_SIZE, "no JSON");
	set_leaves(f);
	write_proof(f, PROOF_INCLUSION, 4, ID, NULL);
	refuse(&order, CA_R_VERIFY, "calls itself 3");
	write_proof(f, PROOF_INCLUSION, 7, ID, NULL);
	refuse(&order, CA_R_VERIFY, "a newer version");
	write_proof(f, PROOF_INCLUSION, 8, ID, NULL);
	refuse(&order, CA_R_VERIFY, "a newer version");
}

static void
drop_extra(struct proof *proof)
{
	free(proof->extra);
	proof->extra = NULL;
}

static void
change_extra(struct proof *proof)
{
	proof->extra[proof->extra_len - 1] ^= 1;
}

static void
change_path(struct proof *proof)
{
	proof->path.hashes[1][17] ^= 4;
}

static void
drop_path(struct proof *proof)
{
	proof->path.count--;
}

static void
add_path(struct proof *proof)
{
	proof->path.count++;
}

static void
change_number(struct proof *proof)
{
	proof->number ^= 1;
}

static void
huge_number(struct proof *proof)
{
	proof->number = INT64_MAX;
}

static void
change_signature(struct proof *proof)
{
	char *last = strrchr(proof->checkpoint, ' ') + 20;

	*last = *last == 'A' ? 'B' : 'A';
}

static void
test_forged_proofs(void **state)
{
	static const struct {
		void (*change)(struct proof *proof);
		enum ca_reason inclusion;
		const char *part;
	} table[] = {
		{ drop_extra, CA_R_INPUT, "does not hold the entry" },
		{ change_extra, CA_R_VERIFY, "another root" },
		{ change_path, CA_R_VERIFY, "another root" },
		{ drop_path, CA_R_VERIFY, "too short" },
		{ add_path, CA_R_VERIFY, "too long" },
		{ change_number, CA_R_VERIFY, "does not hold" },
		{ huge_number, CA_R_VERIFY, "no such entry" },
		{ change_signature, CA_R_VERIFY, "forged or damaged" },
	};
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		write_proof(f, PROOF_INCLUSION, 5, ID, table[i].change);
		refuse(&order, table[i].inclusion, table[i].part);
	}
}

/* ---- whose journal ---------------------------------------------------- */

static void
test_no_anchor(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	AUTO_STRUCT(proof_checked) checked = { 0 };

	order.anchor = NULL;
	write_proof(f, PROOF_INCLUSION, 5, ID, change_signature);
	accept(&order, &checked);
	assert_null(checked.authority);
	/* What it says must still fit together. */
	write_proof(f, PROOF_INCLUSION, 5, ID, change_path);
	refuse(&order, CA_R_VERIFY, "another root");
}

static void
test_other_anchors(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	unsigned char first[TREE_HASH_LEN];

	write_proof(f, PROOF_INCLUSION, 0, ID, NULL);
	write_anchor(f, "example.org/root");
	refuse(&order, CA_R_VERIFY, "the anchor of 'example.org/root'");
	write_anchor(f, ID "/epoch-1");
	refuse(&order, CA_R_VERIFY, "the anchor of");
	memcpy(first, f->leaves[0], sizeof first);
	f->leaves[0][0] ^= 1;
	write_anchor(f, ID);
	refuse(&order, CA_R_VERIFY, "not the one that the anchor names");
	memcpy(f->leaves[0], first, sizeof first);
	OPENSSL_free(f->spki);
	f->spki = NULL;
	EVP_PKEY_free(f->key);
	f->key = EVP_EC_gen("P-256");
	f->spki_len = (size_t)i2d_PUBKEY(f->key, &f->spki);
	write_anchor(f, ID);
	refuse(&order, CA_R_VERIFY, "not signed with the journal's key");
}

static void
test_epochs(void **state)
{
	static const char *const good[] = { ID, ID "/epoch-1",
		ID "/epoch-9223372036854775807" };
	static const char *const bad[] = { ID "/epoch-0", ID "/epoch-01",
		ID "/epoch-", ID "/epoch-1x", ID "/epoch", ID "/", ID "x",
		"x" ID, "example.org/root", ID "/epoch-1/epoch-2",
		ID "/Epoch-1" };
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_STRUCT(proof_checked) checked = { 0 };

		write_proof(f, PROOF_INCLUSION, 5, good[i], NULL);
		accept(&order, &checked);
		assert_string_equal(checked.checkpoint.origin, good[i]);
		assert_string_equal(checked.authority, ID);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		write_proof(f, PROOF_INCLUSION, 5, bad[i], NULL);
		refuse(&order, CA_R_VERIFY, "is of the journal");
	}
}

/* ---- growth ----------------------------------------------------------- */

static void
test_growth(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	order.old = f->paths[OLDER];
	for (unsigned old = 0; old <= ENTRIES; old++) {
		AUTO_STRUCT(proof_checked) checked = { 0 };

		write_note(f, OLDER, ID, old);
		write_proof(f, PROOF_CONSISTENCY, old, ID, NULL);
		accept(&order, &checked);
		assert_int_equal(checked.subject, SUBJECT_GROWTH);
		assert_int_equal(checked.number, old);
		assert_null(checked.entry);
	}
}

static void
test_growth_refused(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	AUTO_CHARS(older) = note_of(f, ID, 6);

	write_proof(f, PROOF_CONSISTENCY, 6, ID, NULL);
	refuse(&order, CA_R_USAGE, "'--old' is missing");
	order.old = f->paths[OLDER];
	refuse(&order, CA_R_MISSING, "older");
	write_note(f, OLDER, ID, 5);
	refuse(&order, CA_R_VERIFY, "over 5");
	/* The old journal had another entry. */
	set_line(f, 2, 2, "event", "\"event\":\"x\"");
	set_leaves(f);
	write_note(f, OLDER, ID, 6);
	refuse(&order, CA_R_VERIFY, "does not hold");
	/* Then the new one has it, and the old one not. */
	write_file(f, OLDER, older);
	write_proof(f, PROOF_CONSISTENCY, 6, ID, NULL);
	refuse(&order, CA_R_VERIFY, "does not hold");
	order.object = "x.der";
	order.sha256 = DER_HEX;
	refuse(&order, CA_R_USAGE, "'--object' goes with");
}

/* An epoch only follows another. */
static void
test_growth_of_epochs(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	AUTO_STRUCT(proof_checked) same = { 0 };
	AUTO_STRUCT(proof_checked) later = { 0 };

	order.old = f->paths[OLDER];
	write_note(f, OLDER, ID "/epoch-1", 6);
	write_proof(f, PROOF_CONSISTENCY, 6, ID "/epoch-1", NULL);
	accept(&order, &same);
	write_proof(f, PROOF_CONSISTENCY, 6, ID "/epoch-2", NULL);
	accept(&order, &later);
	write_proof(f, PROOF_CONSISTENCY, 6, ID, NULL);
	refuse(&order, CA_R_VERIFY, "does not come behind it");
	order.anchor = NULL;
	write_proof(f, PROOF_CONSISTENCY, 6, ID "/epoch-2", NULL);
	refuse(&order, CA_R_VERIFY, "does not come behind it");
}

/* ---- receipts --------------------------------------------------------- */

static void
test_receipts(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	AUTO_STRUCT(proof_checked) alone = { 0 };
	AUTO_STRUCT(proof_checked) compared = { 0 };

	write_note(f, PROOF, ID, 7);
	accept(&order, &alone);
	assert_int_equal(alone.subject, SUBJECT_RECEIPT);
	assert_int_equal(alone.checkpoint.size, 7);
	/* Two signatures of one checkpoint differ. */
	order.checkpoint = f->paths[TRUSTED];
	write_note(f, TRUSTED, ID, 7);
	accept(&order, &compared);
	write_note(f, TRUSTED, ID, 6);
	refuse(&order, CA_R_STATE, "cannot be compared");
	write_note(f, TRUSTED, ID, 8);
	refuse(&order, CA_R_STATE, "cannot be compared");
	write_note(f, TRUSTED, ID "/epoch-1", 7);
	refuse(&order, CA_R_VERIFY, "of the journal");
	set_line(f, 2, 2, "event", "\"event\":\"x\"");
	set_leaves(f);
	write_note(f, TRUSTED, ID, 7);
	refuse(&order, CA_R_VERIFY, "different roots");
	write_proof(f, PROOF_INCLUSION, 5, ID, NULL);
	refuse(&order, CA_R_STATE, "journal prove --checkpoint");
}

static void
test_malformed(void **state)
{
	static const char *const texts[] = { "", "\n", "nothing\n",
		"c2sp.org/tlog-proof@v1\n", "old 7\n\n", "old 7" };
	struct fixture *f = *state;
	struct proof_order order = order_of(f);

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		order.old =
		    strncmp(texts[i], "old ", 4) == 0 ? f->paths[OLDER] : NULL;
		write_file(f, PROOF, texts[i]);
		refuse(&order, CA_R_INPUT, "proof': malformed");
	}
	order.old = NULL;
	order.checkpoint = f->paths[TRUSTED];
	write_note(f, PROOF, ID, 7);
	write_file(f, TRUSTED, "nothing\n");
	refuse(&order, CA_R_INPUT, "trusted': malformed");
}

/* ---- witnesses -------------------------------------------------------- */

static void
cosign(struct fixture *f, uint64_t time)
{
	AUTO(EVP_PKEY) *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO_STRUCT(note_key) public = { 0 };
	AUTO_CHARS(note) = note_of(f, ID, 7);
	AUTO_CHARS(text) =
	    text_printf("%.*s", (int)(strstr(note, "\n\n") - note) + 1, note);
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(vkey) = NULL;
	AUTO_CHARS(all) = NULL;

	assert_ok(note_cosign(text, "example.org/wendy", key, time, &line));
	assert_ok(note_key_from_public(
	    "example.org/wendy", NOTE_COSIGNATURE, key, &public));
	assert_ok(note_key_text(&public, &vkey));
	write_file(f, WITNESSES, vkey);
	all = text_printf("%s%s", note, line);
	write_file(f, PROOF, all);
}

static void
test_witnesses(void **state)
{
	struct fixture *f = *state;
	struct proof_order order = order_of(f);
	AUTO_STRUCT(proof_checked) checked = { 0 };
	AUTO_STRUCT(findings) findings = { 0 };

	order.witnesses = f->paths[WITNESSES];
	cosign(f, INT64_MAX);
	accept(&order, &checked);
	assert_int_equal(checked.cosigner_count, 1);
	assert_string_equal(checked.cosigners[0].name, "example.org/wendy");
	assert_true(checked.cosigners[0].time == INT64_MAX);
	proof_checked_clear(&checked);
	write_note(f, PROOF, ID, 7);
	assert_refused_naming(CA_R_VERIFY, "1 of the 1 witnesses",
	    proof_check(&order, &findings, &checked));
	assert_int_equal(findings.errors, 1);
	assert_string_equal(findings.rows[0].id, "CHECK-WITNESS");
	assert_null(checked.cosigners);
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_entries),
		TEST(test_objects),
		TEST(test_only_results),
		TEST(test_strange_entries),
		TEST(test_forged_proofs),
		TEST(test_no_anchor),
		TEST(test_other_anchors),
		TEST(test_epochs),
		TEST(test_growth),
		TEST(test_growth_refused),
		TEST(test_growth_of_epochs),
		TEST(test_receipts),
		TEST(test_malformed),
		TEST(test_witnesses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
