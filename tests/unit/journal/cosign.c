#include "ceremony/journal/cosign.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/lock.h"
#include "ceremony/journal/proof.h"
#include "files.h"

#define NAME "witness.example/wendy"
#define TIME UINT64_C(1800000000)
#define PHRASE "passphrase-of-wendy"

enum { ENTRIES = 17 };

/* A tree in memory. */
struct memory {
	unsigned char nodes[6][ENTRIES][TREE_HASH_LEN];
};

static int
memory_get(void *ctx, unsigned level, uint64_t index,
    unsigned char ret_hash[TREE_HASH_LEN])
{
	struct memory *memory = ctx;

	memcpy(ret_hash, memory->nodes[level][index], TREE_HASH_LEN);
	return 0;
}

static int
memory_put(void *ctx, unsigned level, uint64_t index,
    const unsigned char hash[TREE_HASH_LEN])
{
	struct memory *memory = ctx;

	memcpy(memory->nodes[level][index], hash, TREE_HASH_LEN);
	return 0;
}

struct fixture {
	struct files files;
	EVP_PKEY *journal, *witness;
	struct memory tree, fork; /* that differ from entry 5 on */
	struct cosign_asker asker;
	const char *phrases[4]; /* what is typed, one after the other */
	unsigned asked, again;
	bool may_try_again;
};

static struct tree_store
store_of(struct memory *memory)
{
	return (struct tree_store){ memory, memory_get, memory_put };
}

static void
grow(struct memory *memory, bool fork)
{
	struct tree_store store = store_of(memory);

	for (unsigned i = 0; i < ENTRIES; i++) {
		unsigned char entry[2] = { (unsigned char)i,
			fork && i >= 5 ? 1 : 0 };
		unsigned char leaf[TREE_HASH_LEN];

		assert_ok(tree_leaf(entry, sizeof entry, leaf));
		assert_ok(memory_put(memory, 0, i, leaf));
		assert_ok(tree_append(&store, i, leaf));
	}
}

/* ---- who is asked ----------------------------------------------------- */

static int
ask(void *ctx, const char *path, struct secret *ret_passphrase)
{
	struct fixture *f = ctx;
	const char *phrase = f->phrases[f->asked++];

	assert_non_null(strstr(path, "key.pem"));
	assert_non_null(phrase);
	return secret_copy(phrase, strlen(phrase), ret_passphrase);
}

static int
ask_again(void *ctx, const char *path)
{
	struct fixture *f = ctx;

	(void)path;
	f->again++;
	return f->may_try_again ? 0 : -1;
}

/* ---- files ------------------------------------------------------------ */

static const char *
in(struct fixture *f, const char *name)
{
	return in_files(&f->files, name);
}

static void
write_key(struct fixture *f, EVP_PKEY *key, const char *phrase)
{
	AUTO(FILE) *out = fopen(in(f, "key.pem"), "wb");
	const char *given = phrase == NULL ? "" : phrase;

	assert_non_null(out);
	assert_int_equal(PEM_write_PKCS8PrivateKey(out, key,
			     phrase == NULL ? NULL : EVP_aes_256_cbc(), given,
			     (int)strlen(given), NULL, NULL),
	    1);
}

/* The checkpoint of the first `size` entries; malloc'd. */
static char *
checkpoint_of(struct fixture *f, struct memory *memory, const char *origin,
    EVP_PKEY *key, uint64_t size)
{
	struct tree_store store = store_of(memory);
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char root[TREE_HASH_LEN], sig[128];
	AUTO_CHARS(text) = NULL;
	AUTO_DER(spki) = NULL;
	size_t len = sizeof sig, spki_len = spki_of(key, &spki);
	char *note = NULL;

	(void)f;
	assert_ok(tree_root(&store, size, root));
	assert_ok(checkpoint_text(origin, size, root, &text));
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	assert_ok(note_compose(text, origin, spki, spki_len, sig, len, &note));
	return note;
}

static char *
checkpoint(struct fixture *f, uint64_t size)
{
	return checkpoint_of(f, &f->tree, AUTHORITY, f->journal, size);
}

/* A request whose proof is of one tree, and its checkpoint of another. */
static char *
request_of(
    struct memory *memory, uint64_t old, uint64_t size, const char *checkpoint)
{
	struct tree_store store = store_of(memory);
	struct proof proof = { .kind = PROOF_CONSISTENCY, .number = old };
	AUTO_CHARS(copy) = text_copy(checkpoint);
	char *text = NULL;

	assert_ok(tree_prove_consistency(&store, old, size, &proof.path));
	proof.checkpoint = copy;
	assert_ok(proof_compose(&proof, &text));
	return text;
}

static char *
request(struct fixture *f, uint64_t old, uint64_t size)
{
	AUTO_CHARS(note) = checkpoint(f, size);

	return request_of(&f->tree, old, size, note);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	files_open(&f->files);
	f->journal = EVP_EC_gen("P-256");
	f->witness = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	grow(&f->tree, false);
	grow(&f->fork, true);
	write_anchor(&f->files, AUTHORITY, f->journal);
	write_key(f, f->witness, NULL);
	f->asker = (struct cosign_asker){ f, ask, ask_again };
	ca_error_clear();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	files_close(&f->files);
	EVP_PKEY_free(f->journal);
	EVP_PKEY_free(f->witness);
	free(f);
	return 0;
}

/* ---- running ---------------------------------------------------------- */

static struct cosign_order
order_of(struct fixture *f)
{
	return (struct cosign_order){
		.input = in(f, "input"),
		.anchor = in(f, "anchor.txt"),
		.state = in(f, "state"),
		.key = in(f, "key.pem"),
		.name = NAME,
		.time = TIME,
	};
}

static int
run(struct fixture *f, struct findings *findings, struct cosigned *ret)
{
	struct cosign_order order = order_of(f);

	return cosign_run(&order, &f->asker, findings, ret);
}

/* With this input, it is cosigned; the note, malloc'd. */
static char *
cosign(struct fixture *f, const char *input)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(cosigned) cosigned = { 0 };

	write_text(in(f, "input"), input);
	assert_ok(run(f, &findings, &cosigned));
	return TAKE(cosigned.note);
}

static void
cosign_checkpoint(struct fixture *f, uint64_t size)
{
	AUTO_CHARS(input) = checkpoint(f, size);
	AUTO_CHARS(note) = cosign(f, input);

	assert_non_null(note);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* What is there now is refused so, nothing is given out, no state changed. */
static void
refuse_now(struct fixture *f, enum ca_reason reason, const char *part)
{
	AUTO_CHARS(before) = read_text(in(f, "state"));
	AUTO_CHARS(after) = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	struct cosigned cosigned = { 0 };

	assert_refused_naming(reason, part, run(f, &findings, &cosigned));
	assert_null(cosigned.note);
	assert_null(cosigned.vkey);
	assert_null(cosigned.checkpoint.origin);
	after = read_text(in(f, "state"));
	assert_true(same_text(before, after));
}

/* Nor is anybody asked for a passphrase. */
static void
refuse(struct fixture *f, enum ca_reason reason, const char *part,
    const char *input)
{
	unsigned asked = f->asked;

	write_text(in(f, "input"), input);
	refuse_now(f, reason, part);
	assert_int_equal(f->asked, asked);
}

static struct note_key
key_of_witness(struct fixture *f)
{
	struct note_key key = { 0 };

	assert_ok(
	    note_key_from_public(NAME, NOTE_COSIGNATURE, f->witness, &key));
	return key;
}

/* How often does a line stand in it? */
static unsigned
count(const char *text, const char *part)
{
	unsigned n = 0;

	while ((text = strstr(text, part)) != NULL) {
		text++;
		n++;
	}
	return n;
}

/* ---- what is good ----------------------------------------------------- */

static bool
has_finding(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0)
			return findings->rows[i].severity == FINDING_WARNING;
	return false;
}

static void
test_first(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 3);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(cosigned) cosigned = { 0 };
	AUTO_STRUCT(note_key) key = key_of_witness(f);
	AUTO_STRUCT(note) note = { 0 };
	AUTO_CHARS(vkey) = NULL;
	AUTO_CHARS(kept) = NULL;
	uint64_t time = 0;
	bool found = false;

	write_text(in(f, "input"), input);
	assert_ok(run(f, &findings, &cosigned));
	assert_true(cosigned.first);
	assert_int_equal(cosigned.checkpoint.size, 3);
	assert_int_equal(cosigned.time, TIME);
	assert_int_equal(findings.errors, 0);
	assert_true(has_finding(&findings, "COSIGN-FIRST"));
	assert_true(has_finding(&findings, "COSIGN-KEY-PLAIN"));
	/* the checkpoint as it was, and one line more */
	assert_memory_equal(cosigned.note, input, strlen(input));
	assert_ok(note_parse(cosigned.note, strlen(cosigned.note), &note));
	assert_int_equal(note.count, 2);
	assert_ok(note_verify(&note, &key, &found, &time));
	assert_true(found && time == TIME);
	assert_ok(note_key_text(&key, &vkey));
	assert_string_equal(cosigned.vkey, vkey);
	kept = read_text(in(f, "state"));
	assert_memory_equal(kept,
	    "ca-tool witness 1\norigin: " AUTHORITY "\nsize: 3\nroot: ", 57);
}

/* Nobody but its owner reads what a witness has seen. */
static void
test_state_permissions(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	cosign_checkpoint(f, 3);
	assert_int_equal(stat(in(f, "state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* From each size to each larger one, and again at the same. */
static void
test_growth(void **state)
{
	struct fixture *f = *state;

	for (uint64_t old = 1; old <= ENTRIES; old += 3)
		for (uint64_t size = old; size <= ENTRIES; size++) {
			AUTO_CHARS(input) = request(f, old, size);
			AUTO_STRUCT(findings) findings = { 0 };
			AUTO_STRUCT(cosigned) cosigned = { 0 };

			(void)unlink(in(f, "state"));
			cosign_checkpoint(f, old);
			write_text(in(f, "input"), input);
			assert_ok(run(f, &findings, &cosigned));
			assert_false(cosigned.first);
			assert_false(has_finding(&findings, "COSIGN-FIRST"));
			assert_int_equal(cosigned.old_size, old);
			assert_int_equal(cosigned.checkpoint.size, size);
			/* the state went along */
			cosign_checkpoint(f, size);
		}
}

static void
test_first_with_request(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(none) = request(f, 0, 7);
	AUTO_CHARS(three) = request(f, 3, 7);
	AUTO_CHARS(note) = NULL;

	refuse(f, CA_R_STATE, "there is no state file", three);
	note = cosign(f, none);
	assert_int_equal(count(note, "witness.example"), 1);
}

/* Lines of others stay as they are. */
static void
test_other_lines(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 3);
	AUTO(EVP_PKEY) *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO_STRUCT(note) note = { 0 };
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(both) = NULL;
	AUTO_CHARS(result) = NULL;

	assert_ok(note_parse(input, strlen(input), &note));
	/* Of the same name, but another key. */
	assert_ok(note_cosign(note.text, NAME, other, 5, &line));
	both = text_printf("%s%s", input, line);
	result = cosign(f, both);
	assert_memory_equal(result, both, strlen(both));
	assert_int_equal(count(result, NAME), 2);
}

/* ---- what the journal did --------------------------------------------- */

static void
test_needs_proof(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(larger) = checkpoint(f, 7);

	cosign_checkpoint(f, 3);
	refuse(f, CA_R_STATE, "prove --old 3", larger);
}

static void
test_rolled_back(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(smaller) = checkpoint(f, 6);
	AUTO_CHARS(proved) = request(f, 3, 6);
	AUTO_CHARS(note) = checkpoint(f, 6);
	/* Its proof is nothing, and its start is right. */
	AUTO_CHARS(backwards) = text_printf("old 7\n\n%s", note);

	cosign_checkpoint(f, 7);
	refuse(f, CA_R_VERIFY, "rolled back", smaller);
	refuse(f, CA_R_VERIFY, "rolled back", proved);
	refuse(f, CA_R_VERIFY, "rolled back", backwards);
}

static void
test_forked(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(same) = checkpoint_of(f, &f->fork, AUTHORITY, f->journal, 7);
	AUTO_CHARS(later) =
	    checkpoint_of(f, &f->fork, AUTHORITY, f->journal, 12);
	AUTO_CHARS(mine) = checkpoint(f, 12);
	/* proofs of the fork, of the tree, and one mixed */
	AUTO_CHARS(of_fork) = request_of(&f->fork, 7, 12, later);
	AUTO_CHARS(of_tree) = request_of(&f->tree, 7, 12, later);
	AUTO_CHARS(mixed) = request_of(&f->fork, 7, 12, mine);
	AUTO_CHARS(equal) = request_of(&f->fork, 7, 7, same);

	cosign_checkpoint(f, 7);
	refuse(f, CA_R_VERIFY, "forked", same);
	refuse(f, CA_R_VERIFY, "forked", equal);
	refuse(f, CA_R_VERIFY, "forked", of_fork);
	refuse(f, CA_R_VERIFY, "forked", of_tree);
	refuse(f, CA_R_VERIFY, "forked", mixed);
}

/* Hashes left out, doubled, exchanged, altered. */
static void
test_wrong_proof(void **state)
{
	struct fixture *f = *state;
	struct tree_store store = store_of(&f->tree);
	AUTO_CHARS(note) = checkpoint(f, 12);
	struct proof good = {
		.kind = PROOF_CONSISTENCY, .number = 7, .checkpoint = note
	};

	cosign_checkpoint(f, 7);
	assert_ok(tree_prove_consistency(&store, 7, 12, &good.path));
	assert_true(good.path.count > 2);
	for (size_t i = 0; i < good.path.count; i++) {
		struct proof shorter = good, longer = good, altered = good;
		AUTO_CHARS(a) = NULL;
		AUTO_CHARS(b) = NULL;
		AUTO_CHARS(c) = NULL;

		memmove(shorter.path.hashes[i], shorter.path.hashes[i + 1],
		    (good.path.count - i - 1) * TREE_HASH_LEN);
		shorter.path.count--;
		memmove(longer.path.hashes[i + 1], longer.path.hashes[i],
		    (good.path.count - i) * TREE_HASH_LEN);
		longer.path.count++;
		altered.path.hashes[i][31] ^= 0x80;
		assert_ok(proof_compose(&shorter, &a));
		assert_ok(proof_compose(&longer, &b));
		assert_ok(proof_compose(&altered, &c));
		refuse(f, CA_R_VERIFY, "forked", a);
		refuse(f, CA_R_VERIFY, "forked", b);
		refuse(f, CA_R_VERIFY, "forked", c);
	}
}

/* COSIG-STATE: the request begins where the witness stands. */
static void
test_other_start(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(earlier) = request(f, 5, 12);
	AUTO_CHARS(later) = request(f, 9, 12);
	AUTO_CHARS(seen) = request(f, 5, 7);
	AUTO_CHARS(none) = request(f, 0, 12);

	cosign_checkpoint(f, 7);
	refuse(f, CA_R_STATE, "prove --old 7", earlier);
	refuse(f, CA_R_STATE, "prove --old 7", later);
	refuse(f, CA_R_STATE, "prove --old 7", none);
	refuse(f, CA_R_STATE, "give the checkpoint alone", seen);
}

/* A new epoch has an origin of its own; so has another journal. */
static void
test_other_origin(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(epoch) =
	    checkpoint_of(f, &f->tree, AUTHORITY "/epoch-1", f->journal, 12);
	AUTO_CHARS(old) = checkpoint(f, 12);
	AUTO_CHARS(note) = NULL;

	cosign_checkpoint(f, 7);
	refuse(f, CA_R_STATE, "recover-journal", epoch);
	assert_int_equal(unlink(in(f, "state")), 0);
	note = cosign(f, epoch);
	refuse(f, CA_R_STATE, "a state file of its own", old);
}

/* ---- who signed ------------------------------------------------------- */

static void
test_other_journal(void **state)
{
	struct fixture *f = *state;
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO_CHARS(forged) = checkpoint_of(f, &f->tree, AUTHORITY, other, 7);
	AUTO_CHARS(elsewhere) =
	    checkpoint_of(f, &f->tree, "example.org/other", f->journal, 7);
	AUTO_CHARS(near) =
	    checkpoint_of(f, &f->tree, AUTHORITY "/epoch-01", f->journal, 7);
	AUTO_CHARS(good) = checkpoint(f, 7);

	refuse(f, CA_R_VERIFY, "not signed by the journal key", forged);
	refuse(f, CA_R_VERIFY, "is of the journal", elsewhere);
	refuse(f, CA_R_VERIFY, "is of the journal", near);
	/* another authority's anchor; one whose key is not its own */
	write_anchor(&f->files, AUTHORITY, other);
	refuse(f, CA_R_VERIFY, "not signed by the journal key", good);
	write_anchor(&f->files, "example.org/other", f->journal);
	refuse(f, CA_R_VERIFY, "is of the journal", good);
	write_anchor(&f->files, AUTHORITY, f->journal);
	write_public(in(f, "journal-key.pem"), other);
	refuse(f, CA_R_VERIFY, "is not the key", good);
	write_text(in(f, "anchor.txt"), "ca-tool anchor 1\n");
	refuse(f, CA_R_INPUT, "malformed anchor", good);
	/* It was the anchor alone. */
	write_anchor(&f->files, AUTHORITY, f->journal);
	cosign_checkpoint(f, 7);
}

/* Every bit of a checkpoint: it is not signed. */
static void
test_tampered_checkpoint(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_STRUCT(findings) findings = { 0 };
	size_t len = strlen(input);

	for (size_t bit = 0; bit < 8 * len; bit++) {
		struct cosigned cosigned = { 0 };

		input[bit / 8] = (char)(input[bit / 8] ^ (1 << bit % 8));
		write_bytes(in(f, "input"), input, len);
		ca_error_clear();
		if (run(f, &findings, &cosigned) == 0)
			fail_msg("bit %zu", bit);
		assert_true(ca_error_reason() == CA_R_INPUT ||
		    ca_error_reason() == CA_R_VERIFY);
		input[bit / 8] = (char)(input[bit / 8] ^ (1 << bit % 8));
	}
	ca_error_clear();
	assert_int_equal(file_exists_at(AT_FDCWD, in(f, "state")), 0);
}

static void
test_signed_already(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_CHARS(once) = cosign(f, input);
	AUTO_CHARS(broken) = text_copy(once);
	char *last = strrchr(broken, '\n') - 4;

	refuse(f, CA_R_EXISTS, "already", once);
	/* A line that claims to be ours, and is not right. */
	*last = *last == 'A' ? 'B' : 'A';
	refuse(f, CA_R_VERIFY, NAME, broken);
}

/* ---- inputs ----------------------------------------------------------- */

static void
test_inputs(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(note) = checkpoint(f, 7);
	AUTO_CHARS(inclusion) =
	    text_printf("c2sp.org/tlog-proof@v1\nindex 3\n\n%s", note);
	AUTO_CHARS(zeros) = text_printf("old 07\n\n%s", note);
	AUTO_CHARS(cut) = text_printf("old 3\n%s", note);
	static const char nul[] = "old 3\0\n\n";

	refuse(f, CA_R_INPUT, "prove --old", inclusion);
	refuse(f, CA_R_INPUT, "malformed", "");
	refuse(f, CA_R_INPUT, "malformed", "something\n");
	refuse(f, CA_R_INPUT, "malformed", zeros);
	refuse(f, CA_R_INPUT, "malformed", cut);
	write_bytes(in(f, "input"), nul, sizeof nul - 1);
	refuse_now(f, CA_R_INPUT, "no text");
	assert_int_equal(unlink(in(f, "input")), 0);
	refuse_now(f, CA_R_MISSING, "does not exist");
}

static void
test_names(void **state)
{
	static const char *const bad[] = { "", "a b", "a+b", "a\nb", "\xff",
		AUTHORITY };
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_STRUCT(findings) findings = { 0 };

	write_text(in(f, "input"), input);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct cosign_order order = order_of(f);
		struct cosigned cosigned = { 0 };

		order.name = bad[i];
		assert_refused(CA_R_USAGE,
		    cosign_run(&order, &f->asker, &findings, &cosigned));
		assert_null(cosigned.note);
	}
	assert_int_equal(file_exists_at(AT_FDCWD, in(f, "state")), 0);
}

/* ---- the state file --------------------------------------------------- */

/* Every bit of it. */
static void
test_state_altered(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_CHARS(kept) = NULL;
	size_t len;

	cosign_checkpoint(f, 7);
	kept = read_text(in(f, "state"));
	len = strlen(kept);
	write_text(in(f, "input"), input);
	for (size_t bit = 0; bit < 8 * len; bit++) {
		AUTO_STRUCT(findings) findings = { 0 };
		struct cosigned cosigned = { 0 };

		kept[bit / 8] = (char)(kept[bit / 8] ^ (1 << bit % 8));
		write_bytes(in(f, "state"), kept, len);
		assert_refused_naming(CA_R_CORRUPT, "was changed or is damaged",
		    run(f, &findings, &cosigned));
		kept[bit / 8] = (char)(kept[bit / 8] ^ (1 << bit % 8));
	}
}

/* Cut, empty, extended, of another kind. */
static void
test_state_malformed(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_CHARS(kept) = NULL;
	AUTO_CHARS(longer) = NULL;

	cosign_checkpoint(f, 7);
	kept = read_text(in(f, "state"));
	longer = text_printf("%s\n", kept);
	for (size_t n = 0; n < strlen(kept); n++) {
		write_bytes(in(f, "state"), kept, n);
		refuse(f, CA_R_CORRUPT, "nothing is signed", input);
	}
	write_text(in(f, "state"), longer);
	refuse(f, CA_R_CORRUPT, "nothing is signed", input);
	write_bytes(in(f, "state"), kept, strlen(kept) + 1);
	write_text(in(f, "input"), input);
	refuse_now(f, CA_R_CORRUPT, "nothing is signed");
}

/* Links are not followed, directories not taken for state. */
static void
test_state_elsewhere(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_STRUCT(findings) findings = { 0 };
	struct cosigned cosigned = { 0 };
	struct cosign_order order;

	cosign_checkpoint(f, 7);
	assert_int_equal(rename(in(f, "state"), in(f, "real")), 0);
	assert_int_equal(symlink("real", in(f, "state")), 0);
	write_text(in(f, "input"), input);
	assert_refused(CA_R_INPUT, run(f, &findings, &cosigned));
	assert_int_equal(unlink(in(f, "state")), 0);
	assert_int_equal(mkdir(in(f, "state"), 0700), 0);
	assert_refused(CA_R_INPUT, run(f, &findings, &cosigned));
	order = order_of(f);
	order.state = in(f, "none/state");
	assert_refused(
	    CA_R_MISSING, cosign_run(&order, &f->asker, &findings, &cosigned));
	assert_null(cosigned.note);
}

/* Two at once could sign two histories. */
static void
test_state_locked(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_FD(dir) = -1;
	AUTO_FD(lock) = -1;

	assert_ok(dir_open(f->files.path, &dir));
	assert_ok(lock_take(dir, "state.lock", &lock));
	refuse(f, CA_R_BUSY, "state.lock", input);
	cleanup_fd(&lock);
	cosign_checkpoint(f, 7);
}

/* The state cannot be written: nothing is signed, and the old state stands. */
static void
test_state_unwritable(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = request(f, 3, 7);
	struct rlimit old, small;

	cosign_checkpoint(f, 3);
	write_text(in(f, "input"), input);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	/* Enough for the lock file. */
	small = (struct rlimit){ 32, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	refuse_now(f, CA_R_IO, "state");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	free(cosign(f, input));
}

/* COSIG-STATE: when signing fails, the state is new already. */
static void
test_state_first(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	struct cosign_order order = order_of(f);
	AUTO_STRUCT(findings) findings = { 0 };
	struct cosigned cosigned = { 0 };
	AUTO_CHARS(kept) = NULL;

	write_text(in(f, "input"), input);
	order.time = 0;
	assert_refused(
	    CA_R_INPUT, cosign_run(&order, &f->asker, &findings, &cosigned));
	assert_null(cosigned.note);
	kept = read_text(in(f, "state"));
	assert_non_null(kept);
	assert_non_null(strstr(kept, "\nsize: 7\n"));
	/* and the checkpoint alone gets its signature */
	cosign_checkpoint(f, 7);
}

/* ---- the key ---------------------------------------------------------- */

static void
test_passphrase(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(cosigned) cosigned = { 0 };

	write_key(f, f->witness, PHRASE);
	write_text(in(f, "input"), input);
	f->phrases[0] = "wrong";
	refuse_now(f, CA_R_PIN, "is wrong, or the file is damaged");
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->again, 1);
	assert_int_equal(file_exists_at(AT_FDCWD, in(f, "state")), 0);
	f->may_try_again = true;
	f->phrases[1] = "wrong again";
	f->phrases[2] = PHRASE;
	assert_ok(run(f, &findings, &cosigned));
	assert_int_equal(f->asked, 3);
	assert_int_equal(f->again, 2);
	assert_false(has_finding(&findings, "COSIGN-KEY-PLAIN"));
}

/* What is wrong with a key is said with how to make one. */
static void
refuse_key(struct fixture *f, EVP_PKEY *key, const char *part)
{
	if (key != NULL)
		write_key(f, key, NULL);
	refuse_now(f, CA_R_KEY, part);
	refuse_now(f, CA_R_KEY, "openssl genpkey -algorithm ed25519 -aes256");
}

static void
test_other_keys(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO(EVP_PKEY) *rsa = EVP_RSA_gen(2048);
	AUTO(EVP_PKEY) *x25519 = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	AUTO(EVP_PKEY) *ed448 = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");

	write_text(in(f, "input"), input);
	refuse_key(f, f->journal, "of another type");
	refuse_key(f, rsa, "of another type");
	refuse_key(f, x25519, "of another type");
	refuse_key(f, ed448, "of another type");
	/* also where it is encrypted */
	write_key(f, rsa, PHRASE);
	f->phrases[0] = f->phrases[1] = PHRASE;
	refuse_key(f, NULL, "of another type");
	write_key(f, f->witness, NULL);
	free(cosign(f, input));
}

static void
test_key_files(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(input) = checkpoint(f, 7);
	AUTO_CHARS(key) = read_text(in(f, "key.pem"));
	AUTO_CHARS(twice) = text_printf("%s%s", key, key);
	AUTO_CHARS(after) = text_printf("words before\n%s", key);
	AUTO_CHARS(cut) = text_copy(key);
	AUTO(BIO) *out = NULL;

	write_text(in(f, "input"), input);
	write_text(in(f, "key.pem"), "");
	refuse_key(f, NULL, "no private key");
	write_text(in(f, "key.pem"), twice);
	refuse_key(f, NULL, "more than one");
	cut[strlen(cut) / 2] = '\0';
	write_text(in(f, "key.pem"), cut);
	refuse_key(f, NULL, "no private key");
	write_text(in(f, "key.pem"),
	    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	refuse_key(f, NULL, "malformed");
	write_text(in(f, "key.pem"),
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n");
	refuse_key(f, NULL, "malformed");
	write_public(in(f, "key.pem"), f->witness);
	refuse_key(f, NULL, "no private key");
	out = BIO_new_file(in(f, "key.pem"), "wb");
	assert_non_null(out);
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(
			     out, f->journal, NULL, NULL, 0, NULL, NULL),
	    1);
	assert_int_equal(BIO_flush(out), 1);
	refuse_key(f, NULL, "not in PKCS#8");
	assert_int_equal(unlink(in(f, "key.pem")), 0);
	refuse_now(f, CA_R_MISSING, "does not exist");
	write_text(in(f, "key.pem"), after);
	free(cosign(f, input));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_first),
		TEST(test_state_permissions),
		TEST(test_growth),
		TEST(test_first_with_request),
		TEST(test_other_lines),
		TEST(test_needs_proof),
		TEST(test_rolled_back),
		TEST(test_forked),
		TEST(test_wrong_proof),
		TEST(test_other_start),
		TEST(test_other_origin),
		TEST(test_other_journal),
		TEST(test_tampered_checkpoint),
		TEST(test_signed_already),
		TEST(test_inputs),
		TEST(test_names),
		TEST(test_state_altered),
		TEST(test_state_malformed),
		TEST(test_state_elsewhere),
		TEST(test_state_locked),
		TEST(test_state_unwritable),
		TEST(test_state_first),
		TEST(test_passphrase),
		TEST(test_other_keys),
		TEST(test_key_files),
	};

	/* Passphrases live in the secure heap. */
	if (CRYPTO_secure_malloc_init(1 << 19, 32) == 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
