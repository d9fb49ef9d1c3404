/* Files: the lists in `close`, public/ itself, and the proofs in it. */
#include <openssl/pem.h>

#include "base/file.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/proof.h"
#include "ceremony/journal/store.h"
#include "objects-support.h"
#include "tests/unit/profiles/support.h"

static void
audit(struct world *w)
{
	AUTO_CHARS(path) = text_printf("%s/public", w->path);
	AUTO_FD(fd) = -1;

	assert_ok(dir_open(path, &fd));
	world_audit(w, &audit_published, fd);
}

/* ---- a published authority -------------------------------------------- */

static char *
in_public(const struct world *w, const char *name)
{
	return text_printf("%s/public/%s", w->path, name);
}

static void
put_file(const struct world *w, const char *name, const void *data, size_t len)
{
	AUTO_CHARS(path) = in_public(w, name);
	AUTO(FILE) *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
}

static void
make_directories(const struct world *w)
{
	static const char *const names[] = { "", "certs", "crls", "csrs",
		"anchor", "journal" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO_CHARS(path) = in_public(w, names[i]);

		assert_int_equal(mkdir(path, 0755), 0);
	}
}

/* Both files of a certificate or CRL. */
static void
put_object(struct world *w, const char *kind, const char *name)
{
	bool crl = strcmp(kind, "crl") == 0;
	AUTO_STRUCT(object_row) row = { 0 };
	AUTO_BYTES(der) = NULL;
	AUTO_CHARS(pem) = NULL;
	AUTO_CHARS(der_name) = text_printf(
	    "%s/%s.%s", crl ? "crls" : "certs", name, crl ? "crl" : "der");
	AUTO_CHARS(pem_name) =
	    text_printf("%s/%s.pem", crl ? "crls" : "certs", name);
	size_t len;
	bool found;

	assert_ok(journal_object(w->journal, kind, name, &found, &row));
	assert_true(found);
	assert_ok(journal_object_bytes(w->journal, &row, &der, &len));
	assert_ok(
	    object_pem(crl ? OBJECT_CRL : OBJECT_CERTIFICATE, der, len, &pem));
	put_file(w, der_name, der, len);
	put_file(w, pem_name, pem, strlen(pem));
}

/* A checkpoint over all entries; the note, which is journalled. */
static char *
make_checkpoint(struct world *w)
{
	AUTO_CHARS(text) = NULL;
	AUTO_STRUCT(tbs) tbs = { .alg = sigalg_by_name("ecdsa-sha256") };
	AUTO_BYTES(sig) = NULL;
	size_t spki_len, sig_len;
	AUTO_BYTES(spki) = spki_of(w->keys[KEY_JOURNAL], &spki_len);
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	char *note = NULL;
	uint64_t size;

	assert_ok(journal_head(w->journal, &size, root));
	assert_ok(checkpoint_text("example", size, root, &text));
	tbs.der = (unsigned char *)strdup(text);
	tbs.len = strlen(text);
	sig = raw_signature(tbs.alg, &tbs, w->keys[KEY_JOURNAL], &sig_len);
	assert_ok(
	    note_compose(text, "example", spki, spki_len, sig, sig_len, &note));
	text_hex_into(root, HASH_LEN, hex);
	world_add(w, ENTRY_CHECKPOINT,
	    json_pack("{s:I,s:s,s:s}", "size", (json_int_t)size, "root", hex,
		"note", note));
	return note;
}

/* The entry of this kind whose data names it. */
struct search {
	const char *name;
	uint64_t seq;
};

static int
match_name(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct search *search = ctx;
	AUTO(json_t) *json = NULL;
	struct entry entry;

	assert_ok(entry_parse(line, len, &json, &entry));
	if (strcmp(entry_text(&entry, "name"), search->name) == 0)
		search->seq = seq;
	return 0;
}

static uint64_t
result_of(struct world *w, const char *name)
{
	struct search search = { name, 0 };

	assert_ok(journal_each_entry(
	    w->journal, 0, ENTRY_RESULT, match_name, &search));
	assert_int_not_equal(search.seq, 0);
	return search.seq;
}

static void
put_proof_of(struct world *w, const char *file, uint64_t seq, const char *note)
{
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_CHARS(text) = NULL;

	assert_ok(proof_make(w->journal, PROOF_INCLUSION, seq, note, &proof));
	assert_ok(proof_compose(&proof, &text));
	put_file(w, file, text, strlen(text));
}

/* Root, subordinate and CRL, closed, with checkpoint, files and proofs. */
static void
publish_unclosed(struct world *w)
{
	make_directories(w);
	make_root(w);
	make_sub(w);
	make_crl(w,
	    &(struct crl_making){
		.name = "root-g1-1", .object = 2, .number = 1 });
	put_object(w, "certificate", "root-g1");
	put_object(w, "certificate", "sub-g1");
	put_object(w, "crl", "root-g1-1");
}

static char *
publish_with(struct world *w, json_t *over)
{
	char *note;

	publish_unclosed(w);
	world_close(w, RUN_A, over);
	note = make_checkpoint(w);
	put_proof_of(
	    w, "certs/root-g1.tlog-proof", result_of(w, "root-g1"), note);
	put_proof_of(
	    w, "certs/sub-g1.tlog-proof", result_of(w, "sub-g1"), note);
	put_proof_of(
	    w, "crls/root-g1-1.tlog-proof", result_of(w, "root-g1-1"), note);
	return note;
}

static void
publish(struct world *w)
{
	free(publish_with(w, NULL));
}

static void
test_clean(void **state)
{
	struct world *w = *state;

	publish(w);
	audit(w);
	assert_no_findings(w);
}

static void
test_absent(void **state)
{
	struct world *w = *state;

	publish(w);
	world_audit(w, &audit_published, -1);
	assert_only(w, "AUDIT-PUBLIC-ABSENT");
	assert_int_equal(w->found.count, 1);
	assert_int_equal(w->found.rows[0].severity, FINDING_NOTICE);
}

/* Cut off between the files and `close`: nothing is wrong. */
static void
test_open(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	audit(w);
	assert_int_equal(w->found.errors, 0);
}

/* ---- altered, missing, stray ------------------------------------------ */

static const char *const files[] = { "certs/root-g1.pem", "certs/root-g1.der",
	"certs/sub-g1.pem", "certs/sub-g1.der", "crls/root-g1-1.pem",
	"crls/root-g1-1.crl" };

enum { FILES = sizeof files / sizeof files[0] };

static void
test_missing(void **state)
{
	struct world *w = *state;

	publish(w);
	for (size_t i = 0; i < FILES; i++) {
		AUTO_CHARS(path) = in_public(w, files[i]);

		assert_int_equal(unlink(path), 0);
		audit(w);
		assert_only(w, "AUDIT-PUBLIC-MISSING");
		assert_found(w, "AUDIT-PUBLIC-MISSING", files[i]);
		assert_int_equal(w->found.errors, i + 1);
	}
}

static void
test_altered(void **state)
{
	struct world *w = *state;

	publish(w);
	for (size_t i = 0; i < FILES; i++) {
		put_file(w, files[i], "other", 5);
		audit(w);
		assert_only(w, "AUDIT-PUBLIC-ALTERED");
		assert_found(w, "AUDIT-PUBLIC-ALTERED", files[i]);
		assert_int_equal(w->found.errors, i + 1);
	}
}

/* While the run is open, too. */
static void
test_altered_open(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	put_file(w, "certs/sub-g1.der", "other", 5);
	audit(w);
	assert_found(w, "AUDIT-PUBLIC-ALTERED", "certs/sub-g1.der");
	assert_int_equal(w->found.errors, 1);
}

static void
test_stray(void **state)
{
	static const char *const names[] = { "certs/other.pem",
		"crls/other.crl", "csrs/other.csr", "certs/other.tlog-proof",
		"certs/root-g1.txt", "certs/.hidden", "csrs/root-g1.tlog-proof",
		"certs/sub-g1.crl", "index.html", ".hidden",
		"journal/checkpoint.old", "journal/tile" };
	struct world *w = *state;

	publish(w);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		put_file(w, names[i], "x", 1);
		audit(w);
		assert_only(w, "AUDIT-PUBLIC-STRAY");
		assert_found(w, "AUDIT-PUBLIC-STRAY", names[i]);
		assert_int_equal(w->found.errors, i + 1);
	}
}

/* What a cut leaves of files without their names is not stray, till it ends. */
static void
test_temporary(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	put_file(w, "certs/.staged.tmp-0123abcd", "x", 1);
	put_file(w, "certs/.staged.tmp-0123abce", "x", 1);
	audit(w);
	assert_found(w, "AUDIT-PUBLIC-TEMPORARY", "public/");
	assert_int_equal(w->found.errors, 0);
	put_file(w, "certs/.staged.tmp-0123abc", "x", 1);
	audit(w);
	assert_found(w, "AUDIT-PUBLIC-STRAY", ".tmp-0123abc");
	assert_int_equal(w->found.errors, 1);
}

static void
test_temporary_closed(void **state)
{
	struct world *w = *state;

	publish(w);
	put_file(w, "certs/.staged.tmp-0123abcd", "x", 1);
	audit(w);
	assert_only(w, "AUDIT-PUBLIC-STRAY");
	assert_found(w, "AUDIT-PUBLIC-STRAY", ".tmp-0123abcd");
}

/* ---- what is no file -------------------------------------------------- */

static void
move_away(const struct world *w, const char *name)
{
	AUTO_CHARS(from) = in_public(w, name);
	AUTO_CHARS(to) = text_printf("%s/away", w->path);

	assert_int_equal(rename(from, to), 0);
}

/* It leads to the right bytes, and is not followed all the same. */
static void
test_symlink(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(path) = in_public(w, files[0]);

	publish(w);
	move_away(w, files[0]);
	assert_int_equal(symlink("../../away", path), 0);
	audit(w);
	assert_only(w, "AUDIT-PUBLIC-ALTERED");
	assert_found(w, "AUDIT-PUBLIC-ALTERED", files[0]);
}

static void
test_fifo(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(path) = in_public(w, files[1]);

	publish(w);
	move_away(w, files[1]);
	assert_int_equal(mkfifo(path, 0600), 0);
	audit(w);
	assert_only(w, "AUDIT-PUBLIC-ALTERED");
}

static void
test_directory(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(path) = in_public(w, files[1]);

	publish(w);
	move_away(w, files[1]);
	assert_int_equal(mkdir(path, 0700), 0);
	audit(w);
	assert_only(w, "AUDIT-PUBLIC-ALTERED");
}

/* public/certs itself leads elsewhere. */
static void
test_directory_link(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(path) = in_public(w, "certs");

	publish(w);
	move_away(w, "certs");
	assert_int_equal(symlink("../away", path), 0);
	audit(w);
	assert_found(w, "AUDIT-PUBLIC-ALTERED", "certs/root-g1.pem");
	assert_found(w, "AUDIT-PROOF", "certs/root-g1.tlog-proof");
}

/* ---- lists of files --------------------------------------------------- */

/* The list as it should be, and what an edit makes of it. */
static json_t *
right_files(struct world *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < FILES; i++) {
		AUTO_CHARS(name) = in_public(w, files[i]);
		AUTO_CHARS(path) = text_printf("public/%s", files[i]);
		AUTO_BYTES(data) = NULL;
		AUTO_CHARS(sha) = NULL;
		size_t len;

		assert_ok(file_read_at(AT_FDCWD, name, 1 << 20, &data, &len));
		sha = sha256_hex(data, len);
		json_array_append_new(
		    list, json_pack("{s:s,s:s}", "path", path, "sha256", sha));
	}
	return list;
}

static void
audit_list_of(struct world *w, json_t *list)
{
	world_close(w, RUN_A, json_pack("{s:o}", "files", list));
	world_audit(w, &audit_published, -1);
}

static void
test_list(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	audit_list_of(w, right_files(w));
	assert_only(w, "AUDIT-PUBLIC-ABSENT");
}

static void
test_list_lacks(void **state)
{
	struct world *w = *state;
	json_t *list;

	publish_unclosed(w);
	list = right_files(w);
	json_array_remove(list, 2);
	audit_list_of(w, list);
	assert_found(w, "AUDIT-FILES", "lacks 'public/certs/sub-g1.pem'");
	assert_int_equal(w->found.errors, 1);
}

static void
test_list_other_hash(void **state)
{
	struct world *w = *state;
	json_t *list;

	publish_unclosed(w);
	list = right_files(w);
	json_object_set_new(
	    json_array_get(list, 1), "sha256", json_string(hex64(33)));
	audit_list_of(w, list);
	assert_found(w, "AUDIT-FILES", "another SHA-256");
	assert_int_equal(w->found.errors, 1);
}

static void
test_list_too_much(void **state)
{
	struct world *w = *state;
	json_t *list;

	publish_unclosed(w);
	list = right_files(w);
	json_array_append_new(list,
	    json_pack("{s:s,s:s}", "path", "public/certs/other.pem", "sha256",
		hex64(33)));
	audit_list_of(w, list);
	assert_found(w, "AUDIT-FILES", "did not make");
	assert_int_equal(w->found.errors, 1);
}

static void
test_list_twice(void **state)
{
	struct world *w = *state;
	json_t *list;

	publish_unclosed(w);
	list = right_files(w);
	json_array_append(list, json_array_get(list, 0));
	audit_list_of(w, list);
	assert_found(w, "AUDIT-FILES", "twice");
	assert_int_equal(w->found.errors, 1);
}

static void
test_list_malformed(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	audit_list_of(w, json_object());
	assert_found(w, "AUDIT-FILES", "no list");
}

/* A path that leads out of public/ is not followed. */
static void
test_list_outside(void **state)
{
	struct world *w = *state;
	json_t *list;

	publish_unclosed(w);
	list = right_files(w);
	json_array_append_new(list,
	    json_pack("{s:s,s:s}", "path", "public/../journal.db", "sha256",
		hex64(33)));
	world_close(w, RUN_A, json_pack("{s:o}", "files", list));
	audit(w);
	assert_found(w, "AUDIT-FILES", "did not make");
	assert_found(w, "AUDIT-PUBLIC-ALTERED", "journal.db");
}

/* ---- proofs ----------------------------------------------------------- */

static void
test_proof_missing(void **state)
{
	static const char *const proofs[] = { "certs/root-g1.tlog-proof",
		"crls/root-g1-1.tlog-proof" };
	struct world *w = *state;

	publish(w);
	for (size_t i = 0; i < 2; i++) {
		AUTO_CHARS(path) = in_public(w, proofs[i]);

		assert_int_equal(unlink(path), 0);
		audit(w);
		assert_only(w, "AUDIT-PROOF");
		assert_found(w, "AUDIT-PROOF", proofs[i]);
	}
}

/* Before there is a checkpoint there can be none. */
static void
test_proof_not_yet(void **state)
{
	struct world *w = *state;

	publish_unclosed(w);
	world_close(w, RUN_A, NULL);
	audit(w);
	assert_no_findings(w);
}

static void
test_proof_rubbish(void **state)
{
	struct world *w = *state;

	publish(w);
	put_file(w, "certs/sub-g1.tlog-proof", "rubbish\n", 8);
	audit(w);
	assert_only(w, "AUDIT-PROOF");
}

/* A proof of another object. */
static void
test_proof_of_another(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(note) = publish_with(w, NULL);

	put_proof_of(
	    w, "certs/sub-g1.tlog-proof", result_of(w, "root-g1"), note);
	audit(w);
	assert_only(w, "AUDIT-PROOF");
	assert_found(w, "AUDIT-PROOF", "sub-g1");
}

/* A good proof, changed in one thing. */
static void
check_changed_proof(
    struct world *w, void (*change)(struct world *w, struct proof *proof))
{
	AUTO_CHARS(note) = publish_with(w, NULL);
	AUTO_STRUCT(proof) proof = { 0 };
	AUTO_CHARS(text) = NULL;

	assert_ok(proof_make(
	    w->journal, PROOF_INCLUSION, result_of(w, "sub-g1"), note, &proof));
	change(w, &proof);
	assert_ok(proof_compose(&proof, &text));
	put_file(w, "certs/sub-g1.tlog-proof", text, strlen(text));
	audit(w);
	assert_only(w, "AUDIT-PROOF");
	assert_found(w, "AUDIT-PROOF", "certs/sub-g1.tlog-proof");
	assert_int_equal(w->found.errors, 1);
}

static void
change_extra(struct world *w, struct proof *proof)
{
	(void)w;
	proof->extra[proof->extra_len / 2] ^= 1;
}

static void
change_path(struct world *w, struct proof *proof)
{
	(void)w;
	proof->path.hashes[0][5] ^= 1;
}

static void
change_number(struct world *w, struct proof *proof)
{
	(void)w;
	proof->number--;
}

static void
drop_extra(struct world *w, struct proof *proof)
{
	(void)w;
	free(proof->extra);
	proof->extra = NULL;
	proof->extra_len = 0;
}

/* The same text, signed by a key that is not the journal's. */
static void
change_signer(struct world *w, struct proof *proof)
{
	AUTO_STRUCT(tbs) tbs = { .alg = sigalg_by_name("ecdsa-sha256") };
	AUTO_BYTES(sig) = NULL;
	AUTO_CHARS(text) = NULL;
	size_t spki_len, sig_len;
	AUTO_BYTES(spki) = spki_of(w->keys[KEY_OCSP], &spki_len);
	char *end = strstr(proof->checkpoint, "\n\n");

	assert_non_null(end);
	text = text_printf(
	    "%.*s", (int)(end + 1 - proof->checkpoint), proof->checkpoint);
	tbs.der = (unsigned char *)strdup(text);
	tbs.len = strlen(text);
	sig = raw_signature(tbs.alg, &tbs, w->keys[KEY_OCSP], &sig_len);
	free(proof->checkpoint);
	assert_ok(note_compose(
	    text, "example", spki, spki_len, sig, sig_len, &proof->checkpoint));
}

static void
test_proof_extra(void **state)
{
	check_changed_proof(*state, change_extra);
}

static void
test_proof_path(void **state)
{
	check_changed_proof(*state, change_path);
}

static void
test_proof_number(void **state)
{
	check_changed_proof(*state, change_number);
}

static void
test_proof_without_extra(void **state)
{
	check_changed_proof(*state, drop_extra);
}

static void
test_proof_signer(void **state)
{
	check_changed_proof(*state, change_signer);
}

/* ---- the anchor ------------------------------------------------------- */

static char *
journal_key_pem(const struct world *w)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, w->keys[KEY_JOURNAL]), 1);
	len = BIO_get_mem_data(bio, &pem);
	return text_printf("%.*s", (int)len, pem);
}

/* Made once for each key: the signatures differ. */
static char *
certificate_pem(EVP_PKEY *pkey)
{
	AUTO(X509) *cert = root_of(pkey);
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	len = BIO_get_mem_data(bio, &pem);
	return text_printf("%.*s", (int)len, pem);
}

static void
put_certificate(struct world *w, const char *pem)
{
	put_file(w, "anchor/dora.sign.crt", pem, strlen(pem));
}

/* A set of one. */
static void
put_quorum(struct world *w, const char *set_state, const char *sha)
{
	world_add(w, ENTRY_QUORUM,
	    with(with(data_quorum(SET_B, set_state, sha, SET_A, RUN_B),
		     "operators", json_integer(1)),
		"threshold", json_integer(1)));
}

static void
sign_anchor(struct world *w)
{
	AUTO_CHARS(pem) = journal_key_pem(w);
	AUTO_CHARS(certificate) = certificate_pem(w->keys[KEY_FOREIGN]);
	char sha[HASH_HEX_SIZE];

	make_directories(w);
	put_evidence(w->journal, 950, sha);
	world_close(w, RUN_A, NULL);
	world_open_run(w, RUN_B, "plan-b");
	world_add(w, ENTRY_ENROLMENT,
	    with(with(data_enrolment(SET_B, "dora", sha), "sign",
		     json_string(world_spki(w->keys[KEY_FOREIGN]))),
		"certificate",
		json_string(
		    world_evidence(w, certificate, strlen(certificate)))));
	put_quorum(w, "begun", sha);
	world_add(
	    w, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "so", "intent"));
	world_add(
	    w, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "so", "done"));
	world_add(w, ENTRY_PIN_CHANGE,
	    data_pin_change(RUN_B, SET_B, "user", "intent"));
	world_add(
	    w, ENTRY_PIN_CHANGE, data_pin_change(RUN_B, SET_B, "user", "done"));
	put_quorum(w, "active", sha);
	world_add(w, ENTRY_ANCHOR,
	    with(with(data_anchor(SET_B, "dora", sha), "statement",
		     json_string(world_evidence(w, "signature", 9))),
		"text", json_string(world_evidence(w, "anchor", 6))));
	put_file(w, "anchor/anchor.txt", "anchor", 6);
	put_file(w, "anchor/dora.cms", "signature", 9);
	put_file(w, "anchor/journal-key.pem", pem, strlen(pem));
	put_certificate(w, certificate);
}

static void
close_anchor(struct world *w)
{
	world_close(w, RUN_B, NULL);
	audit(w);
}

static void
test_anchor(void **state)
{
	struct world *w = *state;

	sign_anchor(w);
	close_anchor(w);
	assert_no_findings(w);
}

static void
test_anchor_altered(void **state)
{
	static const char *const names[] = { "anchor/anchor.txt",
		"anchor/dora.cms", "anchor/journal-key.pem" };
	struct world *w = *state;

	sign_anchor(w);
	close_anchor(w);
	for (size_t i = 0; i < 3; i++) {
		put_file(w, names[i], "other", 5);
		audit(w);
		assert_only(w, "AUDIT-PUBLIC-ALTERED");
		assert_found(w, "AUDIT-PUBLIC-ALTERED", names[i]);
		assert_int_equal(w->found.errors, i + 1);
	}
}

static void
test_anchor_missing(void **state)
{
	struct world *w = *state;

	sign_anchor(w);
	move_away(w, "anchor");
	close_anchor(w);
	assert_only(w, "AUDIT-PUBLIC-MISSING");
	assert_int_equal(w->found.errors, 4);
}

/* A certificate of somebody else's key. */
static void
test_anchor_certificate(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(pem) = certificate_pem(w->keys[KEY_SUB]);

	sign_anchor(w);
	put_certificate(w, pem);
	close_anchor(w);
	assert_only(w, "AUDIT-PUBLIC-ALTERED");
	assert_found(w, "AUDIT-PUBLIC-ALTERED", "dora.sign.crt");
}

/* The right one, and another behind it. */
static void
test_anchor_certificate_twice(void **state)
{
	struct world *w = *state;
	AUTO_CHARS(other) = certificate_pem(w->keys[KEY_SUB]);
	AUTO_CHARS(path) = in_public(w, "anchor/dora.sign.crt");
	AUTO(FILE) *file = NULL;

	sign_anchor(w);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_int_equal(fwrite(other, 1, strlen(other), file), strlen(other));
	assert_int_equal(fflush(file), 0);
	close_anchor(w);
	assert_only(w, "AUDIT-PUBLIC-ALTERED");
	assert_found(w, "AUDIT-PUBLIC-ALTERED", "dora.sign.crt");
}

static void
test_anchor_stray(void **state)
{
	static const char *const names[] = { "anchor/mallory.sign.crt",
		"anchor/mallory.cms", "anchor/dora.decrypt.crt",
		"anchor/anchor.txt.asc" };
	struct world *w = *state;

	sign_anchor(w);
	close_anchor(w);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		put_file(w, names[i], "x", 1);
		audit(w);
		assert_only(w, "AUDIT-PUBLIC-STRAY");
		assert_found(w, "AUDIT-PUBLIC-STRAY", names[i]);
		assert_int_equal(w->found.errors, i + 1);
	}
}

/* While the reshare is open, its files may be ahead of the journal. */
static void
test_anchor_open(void **state)
{
	struct world *w = *state;

	sign_anchor(w);
	put_file(w, "anchor/anchor.txt", "next", 4);
	audit(w);
	assert_int_equal(w->found.errors, 0);
	assert_found(w, "AUDIT-PUBLIC-ABSENT", "anchor");
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_clean),
		TEST(test_absent),
		TEST(test_open),
		TEST(test_missing),
		TEST(test_altered),
		TEST(test_altered_open),
		TEST(test_stray),
		TEST(test_temporary),
		TEST(test_temporary_closed),
		TEST(test_symlink),
		TEST(test_fifo),
		TEST(test_directory),
		TEST(test_directory_link),
		TEST(test_list),
		TEST(test_list_lacks),
		TEST(test_list_other_hash),
		TEST(test_list_too_much),
		TEST(test_list_twice),
		TEST(test_list_malformed),
		TEST(test_list_outside),
		TEST(test_proof_missing),
		TEST(test_proof_not_yet),
		TEST(test_proof_rubbish),
		TEST(test_proof_of_another),
		TEST(test_proof_extra),
		TEST(test_proof_path),
		TEST(test_proof_number),
		TEST(test_proof_without_extra),
		TEST(test_proof_signer),
		TEST(test_anchor),
		TEST(test_anchor_altered),
		TEST(test_anchor_missing),
		TEST(test_anchor_certificate),
		TEST(test_anchor_certificate_twice),
		TEST(test_anchor_stray),
		TEST(test_anchor_open),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
