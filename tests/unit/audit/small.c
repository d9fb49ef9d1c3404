#include "small.h"

#include <sqlite3.h>

#include <openssl/ec.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note.h"

/* What is not said of people, keys and objects: those here are not real. */
static const char *const own_ids[] = { "AUDIT-GAP", "AUDIT-ROW", "AUDIT-LEAF",
	"AUDIT-CANONICAL", "AUDIT-NODE", "AUDIT-ELEMENTS", "AUDIT-MEMBERS",
	"AUDIT-STATE", "AUDIT-GENESIS", "AUDIT-TIME", "AUDIT-DERIVED",
	"AUDIT-DATABASE", "AUDIT-EVIDENCE", "AUDIT-EVIDENCE-ALTERED",
	"AUDIT-EVIDENCE-STRAY", "AUDIT-CHECKPOINT", "AUDIT-CHECKPOINT-FILE",
	"AUDIT-COSIGNATURE", "AUDIT-COSIGNATURE-UNKNOWN", "AUDIT-WITNESS",
	"AUDIT-UNSIGNED", "AUDIT-UNSIGNED-TAIL", "AUDIT-HEAD", "AUDIT-EPOCH",
	"AUDIT-ANCHOR" };

/* ---- adding ----------------------------------------------------------- */

static void
insert(struct small *s, const struct entry *entry, const char *line, size_t len)
{
	struct tree_store tree = journal_tree(s->journal);

	assert_ok(sql_run(s->journal, NULL,
	    "INSERT INTO entries (seq, kind, time, body, leaf)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	    SQL_VALUES(sql_int((int64_t)entry->seq),
		sql_text(entry_kind_name(entry->kind)), sql_int(entry->time),
		sql_blob(line, len), sql_blob(entry->leaf, HASH_LEN))));
	assert_ok(tree_append(&tree, entry->seq, entry->leaf));
}

static void
put(struct small *s, struct entry *entry, const json_t *people,
    const char *text)
{
	unsigned char leaf[HASH_LEN], root[HASH_LEN];
	char line[ENTRY_MAX_BYTES];
	size_t len;

	assert_ok(journal_head(s->journal, &entry->seq, root));
	assert_ok(entry_line(entry, people, text, line, &len));
	assert_ok(tree_leaf(line, len, leaf));
	entry->leaf = leaf;
	insert(s, entry, line, len);
}

void
small_force(struct small *s, enum entry_kind kind, json_t *data,
    const json_t *people, const char *text)
{
	struct entry entry = { .kind = kind, .time = s->now, .data = data };

	assert_non_null(data);
	put(s, &entry, people, text);
	json_decref(data);
}

void
small_add(struct small *s, enum entry_kind kind, json_t *data)
{
	struct entry entry = { .kind = kind, .time = s->now, .data = data };
	AUTO(json_t) *people =
	    json_pack("[{s:s, s:s}]", "name", "op", "role", "user");
	const char *text =
	    kind == ENTRY_HEAD ? HEAD_ENTRY_TEXT : "a test did it";
	unsigned char leaf[HASH_LEN];
	char line[ENTRY_MAX_BYTES];
	size_t len;

	assert_non_null(data);
	assert_ok(entry_check(kind, data));
	put(s, &entry, people, text);
	assert_ok(entry_line(&entry, people, text, line, &len));
	assert_ok(tree_leaf(line, len, leaf));
	entry.leaf = leaf;
	assert_ok(entry_apply(s->journal, &entry));
	json_decref(data);
}

const char *
small_evidence(struct small *s, const char *text)
{
	static char kept[8][HASH_HEX_SIZE];
	static unsigned next;
	char *hex = kept[next++ % 8];
	unsigned char digest[HASH_LEN];

	assert_ok(journal_evidence_put(s->journal, text, strlen(text), digest));
	text_hex_into(digest, HASH_LEN, hex);
	return hex;
}

/* ---- heads and checkpoints -------------------------------------------- */

static void
tree_now(struct small *s, uint64_t *ret_size, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char root[HASH_LEN];

	assert_ok(journal_head(s->journal, ret_size, root));
	text_hex_into(root, HASH_LEN, ret_hex);
}

void
small_head(struct small *s, const char *serial)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	char root[HASH_HEX_SIZE];
	uint64_t size;

	tree_now(s, &size, root);
	assert_ok(journal_authority(s->journal, &row));
	small_add(s, ENTRY_HEAD,
	    with(data_head(row.origin, (int)row.epoch, (int)size, root),
		"serial", json_string(serial)));
}

char *
small_note(struct small *s, const char *origin, EVP_PKEY *key)
{
	AUTO(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	AUTO_CHARS(text) = NULL;
	AUTO_DER(spki) = NULL;
	unsigned char root[HASH_LEN], sig[128];
	size_t len = sizeof sig;
	uint64_t size;
	char *note = NULL;
	int spki_len = i2d_PUBKEY(key, &spki);

	assert_true(spki_len > 0);
	assert_ok(journal_head(s->journal, &size, root));
	assert_ok(checkpoint_text(origin, size, root, &text));
	assert_int_equal(
	    EVP_DigestSignInit_ex(md, NULL, "SHA256", NULL, NULL, key, NULL),
	    1);
	assert_int_equal(EVP_DigestSign(md, sig, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	assert_ok(note_compose(
	    text, origin, spki, (size_t)spki_len, sig, len, &note));
	return note;
}

static void
publish(const struct small *s, const char *note)
{
	AUTO_FD(fd) = -1;

	(void)mkdir(in_scratch(&s->scratch, "public"), 0755);
	(void)mkdir(in_scratch(&s->scratch, "public/journal"), 0755);
	assert_ok(dir_open(in_scratch(&s->scratch, "public/journal"), &fd));
	assert_ok(file_write_at(
	    fd, "checkpoint", note, strlen(note), 0644, FILE_REPLACE));
}

void
small_checkpoint(struct small *s)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_CHARS(note) = NULL;
	char root[HASH_HEX_SIZE];
	uint64_t size;

	assert_ok(journal_authority(s->journal, &row));
	tree_now(s, &size, root);
	note = small_note(s, row.origin, s->key);
	publish(s, note);
	small_add(s, ENTRY_CHECKPOINT,
	    json_pack("{s:I, s:s, s:s}", "size", (json_int_t)size, "root", root,
		"note", note));
	small_head(s, "0001");
}

/* ---- a whole journal -------------------------------------------------- */

static void
add_key(struct small *s, const char *run, const char *name, const char *id,
    const char *purpose, const char *spki)
{
	small_add(s, ENTRY_KEY_INTENT,
	    with(data_key_intent(run, name, id), "purpose",
		json_string(purpose)));
	small_head(s, "0001");
	small_add(s, ENTRY_KEY, data_key(run, name, id, spki));
}

static void
add_set(struct small *s)
{
	static const char *const names[] = { "alice", "bob", "carol" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		small_add(s, ENTRY_ENROLMENT,
		    data_enrolment(
			SET_A, names[i], small_evidence(s, "a statement")));
	small_add(s, ENTRY_QUORUM,
	    data_quorum(
		SET_A, "active", small_evidence(s, "a set"), NULL, "init"));
}

static void
found(struct small *s)
{
	AUTO_CHARS(spki) = text_hex(s->spki, s->spki_len);

	small_add(s, ENTRY_GENESIS, data_genesis());
	add_set(s);
	small_add(s, ENTRY_TOKEN, data_token());
	add_key(s, "init", "journal", "ff", "journal", spki);
	small_add(s, ENTRY_STATE, data_ready());
	small_checkpoint(s);
}

void
small_run(struct small *s, const char *run, const char *plan)
{
	const char *manifest = small_evidence(s, "{\"inputs\":[]}");
	AUTO_CHARS(id) = text_printf("%.2s", run);
	AUTO_CHARS(spki) = text_printf("%.4s", run);

	small_add(s, ENTRY_PLAN,
	    with(data_plan(run, plan), "manifest", json_string(manifest)));
	add_key(s, run, plan, id, "ca", spki);
	small_add(s, ENTRY_LIST,
	    with(data_list(run, 0), "sha256",
		json_string(small_evidence(s, "a list"))));
	small_add(s, ENTRY_INTENT, data_csr(run, 0, 0, plan));
	small_head(s, "0001");
	small_add(s, ENTRY_RESULT,
	    data_result(run, 0, 0, plan, small_evidence(s, "a request")));
}

void
small_close(struct small *s, const char *run)
{
	small_add(s, ENTRY_CLOSE,
	    with(data_close(run, "done"), "files",
		json_string(small_evidence(s, "[]"))));
}

int
small_setup(void **state)
{
	struct small *s = calloc(1, sizeof *s);
	AUTO_DER(der) = NULL;
	int len;

	assert_non_null(s);
	(void)snprintf(
	    s->scratch.path, sizeof s->scratch.path, "test-audit-XXXXXX");
	assert_non_null(mkdtemp(s->scratch.path));
	assert_int_equal(mkdir(in_scratch(&s->scratch, "work"), 0700), 0);
	s->options.path = s->scratch.path;
	s->options.work = text_copy(in_scratch(&s->scratch, "work"));
	s->now = 1795176000;
	s->key = EVP_EC_gen("P-256");
	assert_non_null(s->key);
	len = i2d_PUBKEY(s->key, &der);
	assert_true(len > 0);
	s->spki = malloc((size_t)len);
	assert_non_null(s->spki);
	memcpy(s->spki, der, (size_t)len);
	s->spki_len = (size_t)len;
	assert_ok(journal_create(s->scratch.path, &s->journal));
	found(s);
	*state = s;
	return 0;
}

int
small_teardown(void **state)
{
	struct small *s = *state;
	AUTO_CHARS(command) = text_printf("rm -rf '%s'", s->scratch.path);
	int ret;

	if (s->journal != NULL)
		journal_free(s->journal);
	EVP_PKEY_free(s->key);
	free(s->spki);
	free((void *)(uintptr_t)s->options.work);
	findings_clear(&s->found);
	audit_report_clear(&s->report);
	free(s);
	ret = command == NULL ? -1 : system(command);
	return ret == 0 ? 0 : -1;
}

/* ---- altering and auditing -------------------------------------------- */

static void
close_journal(struct small *s)
{
	if (s->journal != NULL)
		journal_free(s->journal);
	s->journal = NULL;
}

void
small_sql(struct small *s, const char *sql)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	close_journal(s);
	assert_int_equal(
	    sqlite3_open(in_scratch(&s->scratch, "journal.db"), &db),
	    SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void
small_audit(struct small *s)
{
	close_journal(s);
	findings_clear(&s->found);
	audit_report_clear(&s->report);
	assert_ok(audit_run(&s->options, &s->found, &s->report));
	/* Nothing is left of the private copy. */
	assert_int_equal(rmdir(in_scratch(&s->scratch, "work")), 0);
	assert_int_equal(mkdir(in_scratch(&s->scratch, "work"), 0700), 0);
}

size_t
small_count(const struct small *s, const char *id)
{
	size_t count = 0;

	for (size_t i = 0; i < s->found.count; i++)
		count += strcmp(s->found.rows[i].id, id) == 0;
	return count;
}

static void
show(const struct small *s)
{
	for (size_t i = 0; i < s->found.count; i++)
		print_message("%s: %s: %s [%s]\n", s->found.rows[i].place,
		    severity_name(s->found.rows[i].severity),
		    s->found.rows[i].text, s->found.rows[i].id);
}

void
assert_has(const struct small *s, const char *id, const char *part)
{
	for (size_t i = 0; i < s->found.count; i++)
		if (strcmp(s->found.rows[i].id, id) == 0 &&
		    (strstr(s->found.rows[i].place, part) != NULL ||
			strstr(s->found.rows[i].text, part) != NULL))
			return;
	show(s);
	fail_msg("no %s with '%s'", id, part);
}

void
assert_sound(const struct small *s)
{
	for (size_t i = 0; i < sizeof own_ids / sizeof own_ids[0]; i++)
		if (small_count(s, own_ids[i]) != 0) {
			show(s);
			fail_msg("%s in a sound journal", own_ids[i]);
		}
}
