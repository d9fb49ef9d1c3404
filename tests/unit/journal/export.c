/*
 * Exports: the layout against a naive computation, reading back, growing, and
 * every kind of damage.
 */
#include "ceremony/journal/export.h"

#include <dirent.h>
#include <ftw.h>

#include <openssl/ec.h>

#include "base/file.h"
#include "base/findings.h"
#include "ceremony/journal/export-private.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/store.h"
#include "support.h"

#define ORIGIN "example"
#define EMPTY_EVIDENCE \
	"evidence/e3/" \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { LEAVES_MAX = 66100 };

struct fixture {
	char dir[64]; /* everything is below it */
	struct journal *journal;
	EVP_PKEY *key;
	unsigned char *spki;
	int spki_len;
	uint64_t size;
	char *big; /* hex of evidence of a megabyte */
	/* What the naive computation starts from. */
	char *lines[LEAVES_MAX];
	unsigned char leaves[LEAVES_MAX][HASH_LEN];
};

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *path)
{
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *
below(const struct fixture *f, const char *dir, const char *path)
{
	static char paths[4][512];
	static unsigned next;
	char *out = paths[next++ % 4];

	(void)snprintf(out, sizeof paths[0], "%s/%s/%s", f->dir, dir, path);
	return out;
}

/* ---- a journal -------------------------------------------------------- */

/* Take over what was appended. */
static void
catch_up(struct fixture *f)
{
	AUTO_STRUCT(query) query = { 0 };
	bool row;

	assert_ok(query_start(f->journal,
	    "SELECT body FROM entries WHERE seq >= ?1 ORDER BY seq",
	    SQL_VALUES(sql_int((int64_t)f->size)), &query));
	for (;;) {
		assert_ok(query_step(&query, &row));
		if (!row)
			return;
		assert_true(f->size < LEAVES_MAX);
		free(f->lines[f->size]);
		assert_ok(query_text(&query, 0, &f->lines[f->size]));
		f->size++;
	}
}

/* Entries as they come, up to `size` of them; lines of very different length. */
static void
grow_to(struct fixture *f, uint64_t size)
{
	static char line[ENTRY_MAX_BYTES];

	assert_ok(journal_begin(f->journal));
	for (; f->size < size; f->size++) {
		unsigned char leaf[HASH_LEN];
		int len = snprintf(line, sizeof line,
		    "{\"v\":1,\"seq\":%llu,\"time\":\"2026-11-20T12:00:00Z\","
		    "\"kind\":\"event\",\"people\":[],\"text\":\"%0*d\","
		    "\"data\":{\"event\":\"test\"}}",
		    (unsigned long long)f->size,
		    f->size == 300 ? 65400 : (int)(f->size % 90 + 1), 7);

		assert_ok(journal_insert_entry(f->journal, f->size, "event",
		    1795176000, line, (size_t)len, leaf));
		free(f->lines[f->size]);
		f->lines[f->size] = text_copy(line);
	}
	assert_ok(journal_commit(f->journal));
}

static char *
sign(struct fixture *f, const char *text)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char sig[128];
	size_t len = sizeof sig;
	char *note = NULL;

	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, f->key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
	assert_ok(note_compose(
	    text, ORIGIN, f->spki, (size_t)f->spki_len, sig, len, &note));
	return note;
}

/* Over all entries there are; it becomes one itself.  malloc'd. */
static char *
add_checkpoint(struct fixture *f)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE], *note;
	AUTO_CHARS(text) = NULL;
	uint64_t size;

	assert_ok(journal_head(f->journal, &size, root));
	text_hex_into(root, HASH_LEN, hex);
	assert_ok(checkpoint_text(ORIGIN, size, root, &text));
	note = sign(f, text);
	assert_ok(append_(f->journal, ENTRY_CHECKPOINT,
	    json_pack("{s:I,s:s,s:s}", "size", (json_int_t)size, "root", hex,
		"note", note)));
	catch_up(f);
	return note;
}

static void
add_key(struct fixture *f)
{
	AUTO_CHARS(spki) = text_hex(f->spki, (size_t)f->spki_len);

	assert_ok(append_(f->journal, ENTRY_KEY_INTENT,
	    with(data_key_intent("init", "journal", "0102"), "purpose",
		json_string("journal"))));
	assert_ok(append_(
	    f->journal, ENTRY_KEY, data_key("init", "journal", "0102", spki)));
	catch_up(f);
}

/* An entry that names evidence; a large, an empty and a small one. */
static void
add_evidence(struct fixture *f)
{
	AUTO_BYTES(bytes) = malloc(1 << 20);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	assert_non_null(bytes);
	memset(bytes, 'x', 1 << 20);
	assert_ok(journal_evidence_put(f->journal, bytes, 1 << 20, digest));
	f->big = text_hex(digest, HASH_LEN);
	assert_ok(journal_evidence_put(f->journal, "", 0, digest));
	put_evidence(f->journal, 5, hex);
	assert_ok(append_(
	    f->journal, ENTRY_CONFIG, json_pack("{s:s}", "sha256", f->big)));
	catch_up(f);
}

static struct fixture *
fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	char path[128];

	assert_non_null(f);
	(void)snprintf(f->dir, sizeof f->dir, "test-export-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)snprintf(path, sizeof path, "%s/journal", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_ok(journal_create(path, &f->journal));
	f->key = EVP_EC_gen("P-256");
	assert_non_null(f->key);
	f->spki_len = i2d_PUBKEY(f->key, &f->spki);
	assert_true(f->spki_len > 0);
	assert_ok(append_(f->journal, ENTRY_GENESIS, data_genesis()));
	catch_up(f);
	return f;
}

static void
fixture_free(struct fixture *f)
{
	journal_free(f->journal);
	for (size_t i = 0; i < LEAVES_MAX; i++)
		free(f->lines[i]);
	EVP_PKEY_free(f->key);
	OPENSSL_free(f->spki);
	free(f->big);
	remove_tree(f->dir);
	free(f);
}

/* ---- exporting and importing ------------------------------------------ */

static int
open_dir(const struct fixture *f, const char *name)
{
	char path[256];
	bool empty;
	int fd = -1;

	(void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
	assert_ok(dir_make(path, 0755, &fd, &empty));
	return fd;
}

static struct export_report
export_to(struct fixture *f, const char *name)
{
	struct export_report report = { 0 };
	AUTO_FD(fd) = open_dir(f, name);

	assert_ok(journal_export(f->journal, fd, -1, NULL, NULL, &report));
	return report;
}

static void
refuse_export(struct fixture *f, const char *name, enum ca_reason reason,
    const char *part)
{
	struct export_report report = { .entries = 77 };
	AUTO_FD(fd) = open_dir(f, name);

	assert_refused_naming(reason, part,
	    journal_export(f->journal, fd, -1, NULL, NULL, &report));
	assert_int_equal(report.entries, 77);
	assert_int_equal(faccessat(fd, ".unfinished", F_OK, 0), -1);
}

static void
import_from(
    const struct fixture *f, const char *name, struct findings *findings)
{
	AUTO_FD(fd) = open_dir(f, name);
	char path[128];

	(void)snprintf(path, sizeof path, "%s/import", f->dir);
	remove_tree(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_ok(journal_import(fd, path, NULL, NULL, findings));
}

static void
print_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		print_message("%s %s: %s\n", findings->rows[i].id,
		    findings->rows[i].place, findings->rows[i].text);
}

/* Every entry, node and piece of evidence, and no more. */
static void
assert_same_journal(struct fixture *f, uint64_t size)
{
	AUTO_PTR(journal) *journal = NULL;
	unsigned char root[HASH_LEN], wanted[HASH_LEN];
	uint64_t imported;
	int64_t number, evidence;
	bool found;
	char path[128];

	(void)snprintf(path, sizeof path, "%s/import", f->dir);
	assert_ok(journal_open(path, JOURNAL_READ, &journal));
	assert_ok(journal_head(journal, &imported, root));
	assert_ok(journal_root_at(f->journal, size, wanted));
	assert_int_equal(imported, size);
	assert_memory_equal(root, wanted, HASH_LEN);
	for (uint64_t seq = 0; seq<size; seq += size> 1000 ? 997 : 1) {
		AUTO_STRUCT(query) query = { 0 };
		AUTO_CHARS(body) = NULL;
		bool row;

		assert_ok(query_start(journal,
		    "SELECT body FROM entries WHERE seq = ?1 AND kind ="
		    " json_extract(CAST(body AS TEXT), '$.kind')"
		    " AND time > 1700000000",
		    SQL_VALUES(sql_int((int64_t)seq)), &query));
		assert_ok(query_step(&query, &row));
		assert_true(row);
		assert_ok(query_text(&query, 0, &body));
		assert_string_equal(body, f->lines[seq]);
	}
	assert_ok(sql_number(
	    journal, "SELECT COUNT(*) FROM evidence", NULL, &found, &number));
	assert_ok(sql_number(f->journal, "SELECT COUNT(*) FROM evidence", NULL,
	    &found, &evidence));
	assert_int_equal(number, evidence);
}

static void
assert_imports_clean(struct fixture *f, const char *name, uint64_t size)
{
	AUTO_STRUCT(findings) findings = { 0 };

	import_from(f, name, &findings);
	print_findings(&findings);
	assert_int_equal(findings.count, 0);
	assert_same_journal(f, size);
}

/* ---- the naive computation -------------------------------------------- */

static void
hash(const void *a, size_t a_len, const void *b, size_t b_len,
    unsigned char prefix, unsigned char ret_hash[HASH_LEN])
{
	AUTO_BYTES(all) = malloc(1 + a_len + b_len);

	assert_non_null(all);
	all[0] = prefix;
	memcpy(all + 1, a, a_len);
	memcpy(all + 1 + a_len, b, b_len);
	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, all,
			     1 + a_len + b_len, ret_hash, NULL),
	    1);
}

/* RFC 6962, section 2.1, as it stands there. */
static void
mth(struct fixture *f, uint64_t from, uint64_t to,
    unsigned char ret_hash[HASH_LEN])
{
	unsigned char left[HASH_LEN], right[HASH_LEN];
	uint64_t k = 1;

	if (to - from == 1) {
		hash(
		    f->lines[from], strlen(f->lines[from]), "", 0, 0, ret_hash);
		return;
	}
	while (2 * k < to - from)
		k *= 2;
	mth(f, from, from + k, left);
	mth(f, from + k, to, right);
	hash(left, HASH_LEN, right, HASH_LEN, 1, ret_hash);
}

/* Each digit group of a decimal number, the way the text of the norm says it. */
static void
naive_number(uint64_t n, char *out)
{
	char digits[32], *at = digits;

	(void)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
	while (strlen(digits) % 3 != 0) {
		memmove(digits + 1, digits, strlen(digits) + 1);
		digits[0] = '0';
	}
	out[0] = '\0';
	for (; *at != '\0'; at += 3)
		(void)sprintf(out + strlen(out), "%s%.3s%s",
		    at[3] != '\0' ? "x" : "", at, at[3] != '\0' ? "/" : "");
}

static size_t files_wanted;

static void
want_file(const struct fixture *f, const char *name, const char *path,
    const void *bytes, size_t len)
{
	AUTO_BYTES(data) = NULL;
	size_t data_len = 0;

	assert_ok(file_read_at(
	    AT_FDCWD, below(f, name, path), 1 << 25, &data, &data_len));
	if (data_len != len || memcmp(data, bytes, len) != 0)
		fail_msg("%s differs", path);
	files_wanted++;
}

/* Slots [from, from + width) of a level; the bundle beside level 0. */
static void
want_tile(struct fixture *f, const char *name, unsigned level, uint64_t n,
    uint64_t width)
{
	static unsigned char bundle[BUNDLE_BYTES];
	unsigned char hashes[256 * HASH_LEN];
	uint64_t span = 1, first = n * 256;
	char number[64], part[16] = "", path[160];
	size_t len = 0;

	for (unsigned i = 0; i < level; i++)
		span *= 256;
	naive_number(n, number);
	if (width != 256)
		(void)snprintf(part, sizeof part, ".p/%u", (unsigned)width);
	for (uint64_t i = 0; i < width; i++)
		mth(f, (first + i) * span, (first + i + 1) * span,
		    hashes + i * HASH_LEN);
	(void)snprintf(path, sizeof path, "tile/%u/%s%s", level, number, part);
	want_file(f, name, path, hashes, width * HASH_LEN);
	if (level != 0)
		return;
	for (uint64_t i = 0; i < width; i++) {
		size_t size = strlen(f->lines[first + i]);

		bundle[len++] = (unsigned char)(size / 256);
		bundle[len++] = (unsigned char)(size % 256);
		memcpy(bundle + len, f->lines[first + i], size);
		len += size;
	}
	(void)snprintf(path, sizeof path, "tile/entries/%s%s", number, part);
	want_file(f, name, path, bundle, len);
}

static size_t files_found;

static int
count_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type != FTW_F && type != FTW_D)
		fail_msg("%s is neither file nor directory", path);
	files_found += type == FTW_F ? 1 : 0;
	return 0;
}

/* All files of an export of the first `size` entries that grew from nothing. */
static void
assert_layout(
    struct fixture *f, const char *name, uint64_t size, const char *note)
{
	char path[128];
	uint64_t span = 1;
	size_t others = 0;

	files_wanted = files_found = 0;
	for (unsigned level = 0; size / span != 0; level++, span *= 256) {
		uint64_t slots = size / span, n = 0;

		for (; (n + 1) * 256 <= slots; n++)
			want_tile(f, name, level, n, 256);
		if (slots % 256 != 0)
			want_tile(f, name, level, n, slots % 256);
	}
	want_file(f, name, "checkpoint", note, strlen(note));
	(void)snprintf(
	    path, sizeof path, "checkpoints/%llu", (unsigned long long)size);
	want_file(f, name, path, note, strlen(note));
	for (uint64_t i = 0; i < size; i++)
		others +=
		    strstr(f->lines[i], "\"kind\":\"checkpoint\"") != NULL;
	(void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
	assert_int_equal(nftw(path, count_file, 16, FTW_PHYS), 0);
	assert_int_equal(files_found, files_wanted + others);
}

/* ---- numbers and paths ------------------------------------------------ */

static void
test_numbers(void **state)
{
	static const struct {
		uint64_t n;
		const char *path;
	} rows[] = {
		{ 0, "000" },
		{ 5, "005" },
		{ 67, "067" },
		{ 999, "999" },
		{ 1000, "x001/000" },
		{ 1234067, "x001/x234/067" },
		{ 1000000, "x001/x000/000" },
		{ (UINT64_C(1) << 56) - 1, "x072/x057/x594/x037/x927/935" },
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		tile_number(rows[i].n, out);
		assert_string_equal(out, rows[i].path);
	}
	for (uint64_t n = 1; n < UINT64_C(1) << 56; n = n * 3 + 1) {
		char naive[64];

		tile_number(n, out);
		naive_number(n, naive);
		assert_string_equal(out, naive);
	}
}

static void
test_paths(void **state)
{
	static const char *const bad[] = { "tile/0", "tile/0/", "tile/0/00",
		"tile/0/0000", "tile/0/x000/005", "tile/0/x001", "tile/8/000",
		"tile/00/000", "tile/entries", "tile/entries/x01/000",
		"tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0",
		"tile/0/000.p/01", "tile/0/000.p/256", "tile/0/000.p/1000",
		"tile/0/000.p/1x", "tile/0/000/1", "tile/-1/000", "tile/0/ 00",
		"tile/0/x001/x001/x001/x001/x001/x001/001", "tile/data/000",
		"tiles/0/000", "tile/0/000 " };
	static const struct tile good[] = { { 0, 0, 256 }, { 0, 5, 1 },
		{ 7, 1234067, 255 }, { TILE_BUNDLE, 1000, 256 },
		{ TILE_BUNDLE, 0, 17 } };
	struct tile tile;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (tile_parse(bad[i], &tile))
			fail_msg("'%s' passes", bad[i]);
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		char path[TILE_PATH_SIZE];

		tile_path(&good[i], path);
		assert_true(tile_parse(path, &tile));
		assert_int_equal(tile.level, good[i].level);
		assert_int_equal(tile.n, good[i].n);
		assert_int_equal(tile.width, good[i].width);
	}
}

/* The example of 18.5: 70,000 entries. */
static void
test_widths(void **state)
{
	(void)state;
	assert_int_equal(tile_at(0, 273, tile_slots(0, 70000)).width, 112);
	assert_int_equal(tile_at(0, 272, tile_slots(0, 70000)).width, 256);
	assert_int_equal(tile_slots(1, 70000), 256 + 17);
	assert_int_equal(tile_at(1, 1, tile_slots(1, 70000)).width, 17);
	assert_int_equal(tile_slots(2, 70000), 1);
	assert_int_equal(tile_slots(3, 70000), 0);
	assert_int_equal(tile_slots(1, 256), 1);
	assert_int_equal(tile_slots(1, 255), 0);
}

/* ---- layout ----------------------------------------------------------- */

static bool
is_tested(uint64_t size)
{
	return size <= 12 || size % 41 == 0 || size % 256 <= 1 ||
	    size % 256 == 255;
}

/*
 * Each size, exported to a new directory, against the naive computation; and to
 * one that grows, where nothing changes but the checkpoint.
 */
static void
test_sizes(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	for (uint64_t size = 1; size <= 600; size++) {
		AUTO_CHARS(note) = NULL;
		struct export_report report;

		if (!is_tested(size) || f->size > size)
			continue;
		if (size == 2)
			add_key(f); /* 2, 3 */
		grow_to(f, size);
		if (f->size > size)
			continue;
		note = add_checkpoint(f);
		report = export_to(f, "new");
		assert_int_equal(report.entries, size);
		assert_int_equal(report.kept, 0);
		assert_layout(f, "new", size, note);
		assert_int_equal(report.written, files_found);
		if (size > 4)
			assert_imports_clean(f, "new", size);
		report = export_to(f, "new");
		assert_int_equal(report.written, 0);
		assert_int_equal(report.bytes, 0);
		assert_int_equal(report.kept, files_found);
		(void)export_to(f, "grown");
		if (size > 4)
			assert_imports_clean(f, "grown", size);
		remove_tree(below(f, "new", ""));
	}
	fixture_free(f);
}

static void
test_large(void **state)
{
	static const uint64_t sizes[] = { 65535, 65537, 66000 };
	struct fixture *f = fixture_new();

	(void)state;
	add_key(f);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		AUTO_CHARS(note) = NULL;

		grow_to(f, sizes[i]);
		note = add_checkpoint(f);
		(void)export_to(f, "new");
		assert_layout(f, "new", sizes[i], note);
		assert_imports_clean(f, "new", sizes[i]);
		remove_tree(below(f, "new", ""));
	}
	fixture_free(f);
}

/* What was exported is there, byte for byte, after every further export. */
static void
test_grows(void **state)
{
	struct fixture *f = fixture_new();
	AUTO_BYTES(before) = NULL;
	AUTO_BYTES(after) = NULL;
	struct export_report report;
	size_t len = 0, after_len = 0;

	(void)state;
	add_key(f);
	add_evidence(f);
	grow_to(f, 20);
	free(add_checkpoint(f));
	report = export_to(f, "grown");
	assert_int_equal(report.written, 2 + 1 + 1 + 3);
	assert_ok(
	    file_read_at(AT_FDCWD, below(f, "grown", "tile/entries/000.p/20"),
		1 << 20, &before, &len));
	grow_to(f, 300);
	free(add_checkpoint(f));
	report = export_to(f, "grown");
	/* Two bundles, three tiles, two checkpoints; evidence stays, and the
	 * older checkpoint. */
	assert_int_equal(report.written, 2 + 3 + 2);
	assert_int_equal(report.kept, 3 + 1);
	assert_ok(
	    file_read_at(AT_FDCWD, below(f, "grown", "tile/entries/000.p/20"),
		1 << 20, &after, &after_len));
	assert_int_equal(len, after_len);
	assert_memory_equal(before, after, len);
	assert_int_equal(access(below(f, "grown", "tile/0/000.p/20"), F_OK), 0);
	assert_imports_clean(f, "grown", 300);
	fixture_free(f);
}

/* ---- refusals --------------------------------------------------------- */

static struct fixture *
journal_of(uint64_t size)
{
	struct fixture *f = fixture_new();

	add_key(f);
	add_evidence(f);
	grow_to(f, size / 2);
	free(add_checkpoint(f));
	grow_to(f, size);
	free(add_checkpoint(f));
	return f;
}

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
test_no_checkpoint(void **state)
{
	struct fixture *f = fixture_new();

	(void)state;
	refuse_export(f, "new", CA_R_STATE, "no checkpoint yet");
	fixture_free(f);
}

static struct journal *
swap_journal(struct fixture *f, struct journal *journal)
{
	struct journal *old = f->journal;

	f->journal = journal;
	return old;
}

/* Of another journal: whole, or begun only. */
static void
test_another(void **state)
{
	struct fixture *f = journal_of(30), *other = journal_of(40);
	struct journal *own;

	(void)state;
	(void)export_to(f, "new");
	own = swap_journal(f, other->journal);
	refuse_export(f, "new", CA_R_VERIFY, "is not a beginning of this");
	assert_int_equal(unlink(below(f, "new", "checkpoint")), 0);
	refuse_export(f, "new", CA_R_VERIFY, "is not what this journal has");
	(void)swap_journal(f, own);
	write_file(below(f, "new", "tile/0/000.p/31"), "x", 1);
	refuse_export(f, "new", CA_R_VERIFY, "goes beyond the 30 entries");
	assert_int_equal(unlink(below(f, "new", "tile/0/000.p/31")), 0);
	write_file(below(f, "new", "tile/0/stray"), "x", 1);
	refuse_export(f, "new", CA_R_VERIFY, "no part of an export");
	assert_int_equal(unlink(below(f, "new", "tile/0/stray")), 0);
	assert_int_equal(export_to(f, "new").written, 1);
	assert_imports_clean(f, "new", 30);
	fixture_free(f);
	fixture_free(other);
}

/* An older copy of the journal, and one that went on from there otherwise. */
static void
test_rolled_back(void **state)
{
	struct fixture *f = journal_of(30);
	char copy[128];
	struct journal *own;
	AUTO_FD(from) = open_dir(f, "journal");
	AUTO_FD(to) = open_dir(f, "older");

	(void)state;
	(void)snprintf(copy, sizeof copy, "%s/older", f->dir);
	assert_ok(file_copy_at(from, "journal.db", to, "journal.db", 0600));
	grow_to(f, 50);
	free(add_checkpoint(f));
	(void)export_to(f, "new");
	own = swap_journal(f, NULL);
	assert_ok(journal_open(copy, JOURNAL_WRITE, &f->journal));
	refuse_export(f, "new", CA_R_VERIFY, "older copy");
	f->size = 31;
	assert_ok(append_(
	    f->journal, ENTRY_CONFIG, json_pack("{s:s}", "sha256", f->big)));
	catch_up(f);
	grow_to(f, 60);
	free(add_checkpoint(f));
	refuse_export(f, "new", CA_R_VERIFY, "not a beginning of this");
	journal_free(swap_journal(f, own));
	fixture_free(f);
}

static void
test_not_empty(void **state)
{
	struct fixture *f = journal_of(30);

	(void)state;
	cleanup_fd(&(int){ open_dir(f, "home") });
	write_file(below(f, "home", "diary"), "x", 1);
	refuse_export(f, "home", CA_R_EXISTS, "'diary'");
	assert_int_equal(unlink(below(f, "home", "diary")), 0);
	write_file(below(f, "home", "checkpoint"), "rubbish\n", 8);
	refuse_export(f, "home", CA_R_VERIFY, "'checkpoint'");
	assert_int_equal(unlink(below(f, "home", "checkpoint")), 0);
	assert_int_equal(symlink("tile", below(f, "home", "evidence")), 0);
	refuse_export(f, "home", CA_R_VERIFY, "no directory of an export");
	assert_int_equal(unlink(below(f, "home", "evidence")), 0);
	assert_true(export_to(f, "home").written > 0);
	assert_imports_clean(f, "home", 30);
	fixture_free(f);
}

/* What was changed since is not put right in silence. */
static void
test_changed_since(void **state)
{
	static const char *const paths[] = { "tile/0/000.p/30",
		"tile/entries/000.p/30", "checkpoints/30", EMPTY_EVIDENCE };
	struct fixture *f = journal_of(30);

	(void)state;
	(void)export_to(f, "new");
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		const char *path = below(f, "new", paths[i]);

		write_file(path, "x", 1);
		refuse_export(f, "new", CA_R_VERIFY, paths[i]);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink("/dev/null", path), 0);
		refuse_export(f, "new", CA_R_VERIFY, paths[i]);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0755), 0);
		refuse_export(f, "new", CA_R_VERIFY, paths[i]);
		assert_int_equal(rmdir(path), 0);
		/* What is missing is written again, and nothing else. */
		assert_int_equal(export_to(f, "new").written, 1);
	}
	assert_imports_clean(f, "new", 30);
	fixture_free(f);
}

static void
meddle(struct fixture *f, const char *sql)
{
	char *why = NULL;

	if (sqlite3_exec(f->journal->db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
}

/* A journal that contradicts itself is not exported, in no part. */
static void
test_unsound_journal(void **state)
{
	static const struct {
		const char *harm, *mend, *part;
	} rows[] = {
		{ "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 290",
		    NULL, "newest checkpoint" },
		{ "UPDATE entries SET body = CAST('x' AS BLOB) WHERE seq = 7",
		    NULL, "does not have its hash (7)" },
		{ "UPDATE nodes SET hash = zeroblob(32) WHERE level = 8", NULL,
		    "hash of its tree" },
		{ "DELETE FROM nodes WHERE level = 8", NULL, "lacks the hash" },
		{ "UPDATE evidence SET bytes = zeroblob(9) WHERE size = 0",
		    NULL, "does not have its SHA-256" },
	};
	struct fixture *f = journal_of(300);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_ok(journal_begin(f->journal));
		meddle(f, rows[i].harm);
		refuse_export(f, "new", CA_R_CORRUPT, rows[i].part);
		assert_int_equal(
		    access(below(f, "new", "checkpoint"), F_OK), -1);
		journal_rollback(f->journal);
	}
	(void)export_to(f, "new");
	assert_imports_clean(f, "new", 300);
	fixture_free(f);
}

static int
stop_late(void *ctx, uint64_t done, uint64_t total)
{
	uint64_t *most = ctx;

	assert_true(done <= total || total == 0);
	*most = done;
	return done >= 128 ? -1 : 0;
}

/* Cut off, it leaves no half file, and goes on when it is repeated. */
static void
test_interrupted(void **state)
{
	struct fixture *f = journal_of(300);
	struct export_report report;
	uint64_t most = 0;
	AUTO_FD(fd) = open_dir(f, "new");

	(void)state;
	assert_refused(CA_R_INTERRUPTED,
	    journal_export(f->journal, fd, -1, stop_late, &most, &report));
	assert_int_equal(most, 128);
	assert_int_equal(faccessat(fd, "checkpoint", F_OK, 0), -1);
	assert_int_equal(faccessat(fd, ".unfinished", F_OK, 0), -1);
	/* As a kill leaves it. */
	assert_int_equal(mkdirat(fd, ".unfinished", 0700), 0);
	write_file(below(f, "new", ".unfinished/0"), "half", 4);
	cleanup_fd(&fd);
	(void)export_to(f, "new");
	assert_imports_clean(f, "new", 300);
	fixture_free(f);
}

static void
test_busy(void **state)
{
	struct fixture *f = journal_of(30);
	AUTO_PTR(outlet) *outlet = NULL;
	AUTO_FD(fd) = open_dir(f, "new");

	(void)state;
	assert_ok(outlet_open(fd, &outlet));
	{
		struct export_report report;
		AUTO_FD(second) = open_dir(f, "new");

		assert_refused(CA_R_BUSY,
		    journal_export(
			f->journal, second, -1, NULL, NULL, &report));
	}
	outlet_free(TAKE(outlet));
	cleanup_fd(&fd);
	(void)export_to(f, "new");
	fixture_free(f);
}

/* ---- public/ and cosignatures ----------------------------------------- */

static void
test_public(void **state)
{
	struct fixture *f = journal_of(30);
	struct export_report report;
	AUTO_BYTES(data) = NULL;
	AUTO_FD(fd) = open_dir(f, "new");
	AUTO_FD(public_fd) = open_dir(f, "public");
	size_t len = 0;

	(void)state;
	cleanup_fd(&(int){ open_dir(f, "public/certs") });
	cleanup_fd(&(int){ open_dir(f, "public/other") });
	write_file(below(f, "public", "certs/root.pem"), "one", 3);
	write_file(below(f, "public", "certs/.root.tmp"), "half", 4);
	write_file(below(f, "public", "other/file"), "x", 1);
	write_file(below(f, "public", "checkpoint"), "x", 1);
	assert_int_equal(
	    symlink("root.pem", below(f, "public", "certs/link")), 0);
	assert_ok(
	    journal_export(f->journal, fd, public_fd, NULL, NULL, &report));
	assert_int_equal(access(below(f, "new", "certs/root.pem"), F_OK), 0);
	assert_int_equal(access(below(f, "new", "certs/.root.tmp"), F_OK), -1);
	assert_int_equal(access(below(f, "new", "other"), F_OK), -1);
	assert_int_equal(access(below(f, "new", "certs/link"), F_OK), -1);
	assert_imports_clean(f, "new", 30);
	/* What is published anew is replaced; the rest stays. */
	write_file(below(f, "public", "certs/root.pem"), "two!", 4);
	assert_ok(
	    journal_export(f->journal, fd, public_fd, NULL, NULL, &report));
	assert_int_equal(report.written, 1);
	assert_int_equal(report.bytes, 4);
	assert_ok(file_read_at(
	    AT_FDCWD, below(f, "new", "certs/root.pem"), 99, &data, &len));
	assert_string_equal((char *)data, "two!");
	fixture_free(f);
}

/* A witness's line in the exported checkpoint is not lost. */
static void
test_cosigned(void **state)
{
	struct fixture *f = journal_of(30);
	AUTO(EVP_PKEY) *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO_STRUCT(note) note = { 0 };
	AUTO_BYTES(bytes) = NULL;
	AUTO_BYTES(after) = NULL;
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(both) = NULL;
	size_t len = 0;

	(void)state;
	(void)export_to(f, "new");
	assert_ok(file_read_at(
	    AT_FDCWD, below(f, "new", "checkpoint"), 9999, &bytes, &len));
	assert_ok(note_parse((char *)bytes, len, &note));
	assert_ok(note_cosign(
	    note.text, "witness.example/w", key, 1795176000, &line));
	both = text_printf("%s%s", (char *)bytes, line);
	write_file(below(f, "new", "checkpoint"), both, strlen(both));
	assert_int_equal(export_to(f, "new").written, 0);
	assert_ok(file_read_at(
	    AT_FDCWD, below(f, "new", "checkpoint"), 9999, &after, &len));
	assert_string_equal((char *)after, both);
	assert_imports_clean(f, "new", 30);
	fixture_free(f);
}

/* ---- damage ----------------------------------------------------------- */

enum harm {
	REMOVE,
	EMPTY,
	SHORTEN, /* by an octet */
	LENGTHEN,
	FLIP, /* a bit in the middle */
	LINK,
	DIRECTORY,
	ADD,
};

static void
harm_file(const char *path, enum harm harm)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	if (harm == ADD) {
		write_file(path, "x", 1);
		return;
	}
	assert_ok(file_read_at(AT_FDCWD, path, 1 << 25, &data, &len));
	assert_int_equal(unlink(path), 0);
	switch (harm) {
	case EMPTY:
		write_file(path, "", 0);
		break;
	case SHORTEN:
		write_file(path, data, len - 1);
		break;
	case LENGTHEN: /* the NUL behind the data */
		write_file(path, data, len + 1);
		break;
	case FLIP:
		data[len / 2] ^= 1;
		write_file(path, data, len);
		break;
	case LINK:
		assert_int_equal(symlink("/dev/zero", path), 0);
		break;
	case DIRECTORY:
		assert_int_equal(mkdir(path, 0755), 0);
		break;
	case REMOVE:
	case ADD:
		break;
	}
}

static bool
has_finding(const struct findings *findings, const char *id, const char *place)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0 &&
		    strcmp(findings->rows[i].place, place) == 0)
			return true;
	return false;
}

/* The export of 600 entries that had 300 before, harmed at one file. */
static void
assert_found(struct fixture *f, const char *path, enum harm harm,
    const char *id, size_t count)
{
	AUTO_STRUCT(findings) findings = { 0 };

	(void)export_to(f, "harmed");
	harm_file(below(f, "harmed", path), harm);
	import_from(f, "harmed", &findings);
	if (!has_finding(&findings, id, path) || findings.count != count ||
	    findings.errors != count) {
		print_findings(&findings);
		fail_msg("%s, harm %d: no %s, or not %zu findings", path,
		    (int)harm, id, count);
	}
	remove_tree(below(f, "harmed", ""));
}

static struct fixture *
grown_journal(void)
{
	struct fixture *f = fixture_new();

	add_key(f);
	add_evidence(f);
	grow_to(f, 300);
	free(add_checkpoint(f));
	grow_to(f, 600);
	free(add_checkpoint(f));
	return f;
}

static void
test_harmed_tiles(void **state)
{
	static const char *const paths[] = { "tile/0/000", "tile/0/001",
		"tile/0/002.p/88", "tile/1/000.p/2" };
	struct fixture *f = grown_journal();

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		for (enum harm harm = REMOVE; harm <= DIRECTORY; harm++)
			assert_found(f, paths[i], harm, "AUDIT-TILE", 1);
	fixture_free(f);
}

/* An entry that is altered is told from a tile that is. */
static void
test_harmed_bundles(void **state)
{
	static const char *const paths[] = { "tile/entries/000",
		"tile/entries/001", "tile/entries/002.p/88" };
	struct fixture *f = grown_journal();

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
		for (enum harm harm = REMOVE; harm <= DIRECTORY; harm++)
			assert_found(f, paths[i], harm, "AUDIT-BUNDLE",
			    /* The key is in the first: without it, nobody can
			     * verify the checkpoint. */
			    i == 0 && (harm <= EMPTY || harm >= LINK) ? 2 : 1);
	fixture_free(f);
}

static void
test_harmed_evidence(void **state)
{
	struct fixture *f = grown_journal();
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof path, "evidence/%.2s/%s", f->big, f->big);
	assert_found(f, path, REMOVE, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, FLIP, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, EMPTY, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, SHORTEN, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, LENGTHEN, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, LINK, "AUDIT-EVIDENCE", 1);
	assert_found(f, path, DIRECTORY, "AUDIT-EVIDENCE", 1);
	assert_found(f, "evidence/x", ADD, "AUDIT-EVIDENCE", 1);
	assert_found(f, "evidence/e3/x", ADD, "AUDIT-EVIDENCE", 1);
	fixture_free(f);
}

static void
test_harmed_checkpoints(void **state)
{
	struct fixture *f = grown_journal();

	(void)state;
	for (enum harm harm = REMOVE; harm <= DIRECTORY; harm++) {
		assert_found(f, "checkpoints/300", harm, "AUDIT-EXPORT", 1);
		assert_found(f, "checkpoints/600", harm, "AUDIT-EXPORT", 1);
	}
	/* The newest of checkpoints/ is read in its place. */
	assert_found(f, "checkpoint", REMOVE, "AUDIT-EXPORT", 1);
	assert_found(f, "checkpoint", EMPTY, "AUDIT-EXPORT", 1);
	assert_found(f, "checkpoint", SHORTEN, "AUDIT-EXPORT", 1);
	assert_found(f, "checkpoint", LENGTHEN, "AUDIT-EXPORT", 1);
	assert_found(f, "checkpoint", LINK, "AUDIT-EXPORT", 1);
	assert_found(f, "checkpoint", DIRECTORY, "AUDIT-EXPORT", 1);
	fixture_free(f);
}

static void
test_strays(void **state)
{
	static const struct {
		const char *path, *id;
	} rows[] = {
		{ "stray", "AUDIT-EXPORT" },
		{ ".checkpoint.tmp-01234567", "AUDIT-EXPORT" },
		{ ".unfinished", "AUDIT-EXPORT" },
		{ "tile/stray", "AUDIT-EXPORT" },
		{ "tile/0/stray", "AUDIT-EXPORT" },
		{ "tile/0/x000", "AUDIT-EXPORT" },
		{ "tile/0/0000", "AUDIT-EXPORT" },
		{ "tile/0/003", "AUDIT-TILE" },
		{ "tile/0/002", "AUDIT-TILE" },
		{ "tile/0/002.p/89", "AUDIT-TILE" },
		{ "tile/0/002.p/87", "AUDIT-TILE" },
		{ "tile/0/002.p/087", "AUDIT-EXPORT" },
		{ "tile/1/000", "AUDIT-TILE" },
		{ "tile/1/000.p/1", "AUDIT-TILE" },
		{ "tile/entries/003", "AUDIT-BUNDLE" },
		{ "tile/entries/002.p/89", "AUDIT-BUNDLE" },
		{ "tile/entries/002.p/87", "AUDIT-BUNDLE" },
		{ "checkpoints/301", "AUDIT-EXPORT" },
		{ "checkpoints/0300", "AUDIT-EXPORT" },
		{ "checkpoints/stray", "AUDIT-EXPORT" },
	};
	struct fixture *f = grown_journal();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_found(f, rows[i].path, ADD, rows[i].id, 1);
	fixture_free(f);
}

/* Partial tiles that an earlier export left are checked, too. */
static void
test_old_partial_tiles(void **state)
{
	static const struct {
		const char *path, *id;
	} rows[] = {
		{ "tile/0/001.p/44", "AUDIT-TILE" },
		{ "tile/entries/001.p/44", "AUDIT-BUNDLE" },
		{ "tile/1/000.p/1", "AUDIT-TILE" },
	};
	static const enum harm harms[] = { EMPTY, SHORTEN, LENGTHEN, FLIP, LINK,
		DIRECTORY };
	struct fixture *f = fixture_new();

	(void)state;
	add_key(f);
	grow_to(f, 300);
	free(add_checkpoint(f));
	(void)export_to(f, "old");
	grow_to(f, 600);
	free(add_checkpoint(f));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		for (size_t h = 0; h < sizeof harms / sizeof harms[0]; h++) {
			AUTO_STRUCT(findings) findings = { 0 };
			AUTO_BYTES(data) = NULL;
			size_t len = 0;
			char copy[512];

			(void)export_to(f, "old");
			(void)snprintf(copy, sizeof copy, "%s",
			    below(f, "old", rows[i].path));
			assert_ok(
			    file_read_at(AT_FDCWD, copy, 1 << 25, &data, &len));
			harm_file(copy, harms[h]);
			import_from(f, "old", &findings);
			if (findings.count != 1 ||
			    strcmp(findings.rows[0].place, rows[i].path) != 0) {
				print_findings(&findings);
				fail_msg("%s %zu", rows[i].path, h);
			}
			(void)remove(copy);
			write_file(copy, data, len);
		}
	assert_imports_clean(f, "old", 600);
	fixture_free(f);
}

/* Two at once: each is named. */
static void
test_much_harm(void **state)
{
	struct fixture *f = grown_journal();
	AUTO_STRUCT(findings) findings = { 0 };

	(void)state;
	(void)export_to(f, "new");
	harm_file(below(f, "new", "tile/entries/001"), REMOVE);
	harm_file(below(f, "new", "tile/entries/002.p/88"), FLIP);
	harm_file(below(f, "new", "tile/0/000"), FLIP);
	harm_file(below(f, "new", EMPTY_EVIDENCE), LENGTHEN);
	harm_file(below(f, "new", "checkpoints/600"), FLIP);
	import_from(f, "new", &findings);
	assert_true(has_finding(&findings, "AUDIT-BUNDLE", "tile/entries/001"));
	assert_true(
	    has_finding(&findings, "AUDIT-BUNDLE", "tile/entries/002.p/88"));
	assert_true(has_finding(&findings, "AUDIT-EVIDENCE", EMPTY_EVIDENCE));
	assert_true(has_finding(&findings, "AUDIT-EXPORT", "checkpoints/600"));
	assert_true(has_finding(&findings, "AUDIT-TILE", "tile/0/000"));
	fixture_free(f);
}

/* Signed with another key; or with a root, or size, that is not true. */
static void
test_forged_checkpoint(void **state)
{
	struct fixture *f = grown_journal(), *other = fixture_new();
	unsigned char root[HASH_LEN];

	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = NULL;
		AUTO_CHARS(note) = NULL;

		(void)export_to(f, "new");
		assert_ok(journal_root_at(f->journal, 600, root));
		root[0] ^= i == 1 ? 1 : 0;
		assert_ok(
		    checkpoint_text(ORIGIN, i == 2 ? 599 : 600, root, &text));
		note = sign(i == 0 ? other : f, text);
		write_file(below(f, "new", "checkpoint"), note, strlen(note));
		write_file(
		    below(f, "new", "checkpoints/600"), note, strlen(note));
		import_from(f, "new", &findings);
		print_findings(&findings);
		assert_true(i == 2
			? has_finding(&findings, "AUDIT-BUNDLE",
			      "tile/entries/002.p/87")
			: has_finding(&findings, "AUDIT-EXPORT", "checkpoint"));
		if (i == 0)
			assert_int_equal(findings.count, 1);
		remove_tree(below(f, "new", ""));
	}
	fixture_free(f);
	fixture_free(other);
}

/* Sizes that no file bears out end after as many findings as are kept. */
static void
test_absurd_size(void **state)
{
	static const uint64_t sizes[] = { UINT64_C(1) << 60,
		(UINT64_C(1) << 62) + 1, UINT64_MAX };
	struct fixture *f = journal_of(30);
	unsigned char root[HASH_LEN] = { 1 };

	(void)state;
	(void)export_to(f, "new");
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = NULL;
		AUTO_CHARS(note) = NULL;

		assert_ok(checkpoint_text(ORIGIN, sizes[i], root, &text));
		note = sign(f, text);
		write_file(below(f, "new", "checkpoint"), note, strlen(note));
		import_from(f, "new", &findings);
		assert_true(findings.errors > 0);
	}
	fixture_free(f);
}

static void
test_no_export(void **state)
{
	struct fixture *f = journal_of(30);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_FD(fd) = open_dir(f, "empty");
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof path, "%s/empty", f->dir);
	assert_refused_naming(CA_R_INPUT, "no export",
	    journal_import(fd, path, NULL, NULL, &findings));
	cleanup_fd(&(int){ open_dir(f, "empty/tile") });
	assert_refused_naming(CA_R_INPUT, "nothing says how far",
	    journal_import(fd, path, NULL, NULL, &findings));
	fixture_free(f);
}

static void
test_import_interrupted(void **state)
{
	struct fixture *f = journal_of(20000);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_FD(fd) = -1;
	uint64_t most = 0;
	char path[128];

	(void)state;
	(void)export_to(f, "new");
	cleanup_fd(&(int){ open_dir(f, "import") });
	fd = open_dir(f, "new");
	(void)snprintf(path, sizeof path, "%s/import", f->dir);
	assert_refused(CA_R_INTERRUPTED,
	    journal_import(fd, path, stop_late, &most, &findings));
	assert_true(most >= 128 && most < 40000);
	assert_imports_clean(f, "new", 20000);
	fixture_free(f);
}

#define WRONG_KEY                                               \
	"{\"v\":1,\"seq\":9,\"time\":\"2026-11-20T12:00:00Z\"," \
	"\"kind\":\"key\",\"people\":[],\"text\":\"\",\"data\":{}}"

/* What is no entry is imported as it is, for the audit to say. */
static void
test_nonsense_entries(void **state)
{
	static const char *const lines[] = { "", "x", "{}", "[1]", WRONG_KEY };
	struct fixture *f = fixture_new();
	AUTO_STRUCT(findings) findings = { 0 };
	unsigned char leaf[HASH_LEN];

	(void)state;
	add_key(f);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		assert_ok(journal_insert_entry(f->journal, f->size, "event", 1,
		    lines[i], strlen(lines[i]), leaf));
		f->lines[f->size++] = text_copy(lines[i]);
	}
	free(add_checkpoint(f));
	(void)export_to(f, "new");
	import_from(f, "new", &findings);
	print_findings(&findings);
	assert_int_equal(findings.count, 0);
	fixture_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_no_checkpoint),
		cmocka_unit_test(test_another),
		cmocka_unit_test(test_rolled_back),
		cmocka_unit_test(test_not_empty),
		cmocka_unit_test(test_changed_since),
		cmocka_unit_test(test_unsound_journal),
		cmocka_unit_test(test_interrupted),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_cosigned),
		cmocka_unit_test(test_harmed_tiles),
		cmocka_unit_test(test_harmed_bundles),
		cmocka_unit_test(test_harmed_evidence),
		cmocka_unit_test(test_harmed_checkpoints),
		cmocka_unit_test(test_strays),
		cmocka_unit_test(test_old_partial_tiles),
		cmocka_unit_test(test_much_harm),
		cmocka_unit_test(test_forged_checkpoint),
		cmocka_unit_test(test_absurd_size),
		cmocka_unit_test(test_no_export),
		cmocka_unit_test(test_import_interrupted),
		cmocka_unit_test(test_nonsense_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
