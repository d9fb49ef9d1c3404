/*
 * What the journal costs, as ratios measured in one run:
 *
 *   journal grow ENTRIES   in an empty working directory: appending at ENTRIES
 *                          against appending at 1,000; reading and hashing all
 *                          into a tree against SHA-256 of the same octets;
 *                          octets a certificate; memory at both sizes
 *   journal window N       N issuances' intents, head on the token, evidence
 *                          and results against N signatures (SoftHSM, P-384)
 *
 * Entries are those of issued certificates: an intent, a result, evidence.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/authority-private.h"
#include "ceremony/journal/reindex.h"
#include "ceremony/journal/tree.h"
#include "pkcs11/sign.h"

enum { CERTIFICATE_LEN = 700, BATCH = 1024, WINDOW_MAX = 256, REPEAT = 9 };

#define RUN "0123456789abcdef0123456789abcdef"
#define DIGEST \
	"1111111111111111111111111111111111111111111111111111111111111111"

static void
say(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	(void)depth;
	fprintf(stderr, "%s (%s)\n", text, origin);
}

static void
must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "journal: %s failed\n", what);
	ca_error_drain(say, NULL);
	exit(1);
}

static double
now(void)
{
	struct timespec at;

	must(clock_gettime(CLOCK_MONOTONIC, &at), "clock_gettime");
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static long
peak_kib(void)
{
	struct rusage usage;

	must(getrusage(RUSAGE_SELF, &usage), "getrusage");
	return usage.ru_maxrss;
}

/* Far above what a noisy machine makes of it, far below what linear would. */
static void
limit(double ratio, double most, const char *what)
{
	if (ratio <= most)
		return;
	fprintf(stderr, "journal: %s: ratio %.2f\n", what, ratio);
	exit(1);
}

/* ---- entries ---------------------------------------------------------- */

static json_t *
intent(uint64_t n)
{
	char serial[41], name[32];

	(void)snprintf(serial, sizeof(serial), "01%038" PRIx64, n);
	(void)snprintf(name, sizeof(name), "certificate-%" PRIu64, n);
	return json_pack("{s:s, s:i, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
			 "s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:n}",
	    "run", RUN, "list", 0, "object", (json_int_t)n, "kind",
	    "certificate", "name", name, "key", DIGEST, "algorithm",
	    "300a06082a8648ce3d040303", "tbs", DIGEST, "issuer", "root-g1",
	    "issuer_dn", DIGEST, "profile", "issuing-ca", "serial", serial,
	    "subject_dn", DIGEST, "spki", DIGEST, "not_before",
	    "2026-11-20T12:00:00Z", "not_after", "2036-11-20T12:00:00Z", "ca",
	    1, "certificate_kind", "subordinate", "subject_key");
}

static void
append(struct journal *journal, enum entry_kind kind, json_t *data,
    const char *text)
{
	must(journal_append(journal, kind, data, text, NULL), text);
}

static void
append_intent(struct journal *journal, uint64_t n)
{
	append(journal, ENTRY_INTENT, intent(n), "about to sign certificate");
}

static void
append_result(struct journal *journal, uint64_t n)
{
	unsigned char bytes[CERTIFICATE_LEN] = { 0x30 }, digest[HASH_LEN];
	char hex[HASH_HEX_SIZE], name[32];

	memcpy(bytes + 1, &n, sizeof(n));
	must(journal_evidence_put(journal, bytes, sizeof(bytes), digest),
	    "evidence");
	text_hex_into(digest, HASH_LEN, hex);
	(void)snprintf(name, sizeof(name), "certificate-%" PRIu64, n);
	append(journal, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:I, s:s, s:s}", "run", RUN, "list", 0,
		"object", (json_int_t)n, "name", name, "sha256", hex),
	    "signed certificate");
}

static void
put(struct journal *journal, const char *text, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];

	must(journal_evidence_put(journal, text, strlen(text), digest),
	    "evidence");
	text_hex_into(digest, HASH_LEN, ret_hex);
}

/* A set of one operator in force, and a run that is open. */
static struct journal *
found_journal(const char *label)
{
	struct journal *journal = NULL;
	char statement[HASH_HEX_SIZE], set[HASH_HEX_SIZE];

	must(journal_create(".", &journal), "journal_create");
	append(journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority",
		"example.org/bench", "format", 1, "token", "label", label,
		"tool", "0"),
	    "the authority was founded");
	put(journal, "a statement", statement);
	put(journal, "a set", set);
	append(journal, ENTRY_ENROLMENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "set", RUN, "name",
		"op", "role", "operator", "sign", DIGEST, "decrypt", DIGEST,
		"share", DIGEST, "statement", statement),
	    "an operator has enrolled");
	append(journal, ENTRY_QUORUM,
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:n, s:s}", "set", RUN,
		"state", "active", "sha256", set, "threshold", 1, "operators",
		1, "commitments", DIGEST, "replaces", "run", "init"),
	    "the set is in force");
	append(journal, ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, "
		      "s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
		"label", label, "serial", "1", "manufacturer", "m", "model",
		"m", "hardware", "1", "firmware", "1", "flags", 0, "module",
		"path", "/m.so", "sha256", DIGEST, "manufacturer", "m",
		"description", "d", "version", "1", "cryptoki", "2.40"),
	    "the token was initialised");
	append(journal, ENTRY_STATE,
	    json_pack("{s:s, s:s}", "subject", "authority", "state", "ready"),
	    "the authority is ready");
	append(journal, ENTRY_PLAN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "run", RUN, "plan",
		"bench", "title", "Bench", "manifest", set, "directory",
		"bench", "set", RUN, "unattended", 0),
	    "a run begins");
	append(journal, ENTRY_LIST,
	    json_pack("{s:s, s:i, s:s, s:I, s:i}", "run", RUN, "list", 0,
		"sha256", set, "objects", (json_int_t)1 << 30, "acts", 0),
	    "everything was built");
	return journal;
}

static uint64_t
size_of(struct journal *journal)
{
	unsigned char root[HASH_LEN];
	uint64_t size = 0;

	must(journal_head(journal, &size, root), "journal_head");
	return size;
}

/* ---- growing ---------------------------------------------------------- */

/* Certificates, in transactions of BATCH entries; seconds an entry. */
static double
append_batch(struct journal *journal, uint64_t *next)
{
	double begun = now();

	must(journal_begin(journal), "journal_begin");
	for (int i = 0; i < BATCH / 2; i++, (*next)++) {
		append_intent(journal, *next);
		append_result(journal, *next);
	}
	must(journal_commit(journal), "journal_commit");
	return (now() - begun) / BATCH;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median_append(struct journal *journal, uint64_t *next)
{
	double seconds[REPEAT];

	for (size_t i = 0; i < REPEAT; i++)
		seconds[i] = append_batch(journal, next);
	qsort(seconds, REPEAT, sizeof(seconds[0]), compare);
	return seconds[REPEAT / 2];
}

struct hashing {
	struct tree_range range;
	EVP_MD_CTX *md;
	uint64_t octets;
};

static int
into_tree(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct hashing *hashing = ctx;
	unsigned char leaf[HASH_LEN];

	(void)seq;
	return tree_leaf(line, len, leaf) != 0 ||
		tree_range_add(&hashing->range, leaf, NULL, NULL) != 0
	    ? -1
	    : 0;
}

/* The octets alone, one behind the other. */
static int
into_digest(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct hashing *hashing = ctx;

	(void)seq;
	hashing->octets += len;
	return EVP_DigestUpdate(hashing->md, line, len) == 1 ? 0 : -1;
}

static double
walk(struct journal *journal, struct hashing *hashing,
    int (*visit)(void *, uint64_t, const char *, size_t))
{
	double begun = now();

	must(journal_each_entry(journal, 0, ENTRY_KINDS, visit, hashing),
	    "journal_each_entry");
	return now() - begun;
}

static void
report_hashing(struct journal *journal)
{
	struct hashing hashing = { .md = EVP_MD_CTX_new() };
	unsigned char root[HASH_LEN], stored[HASH_LEN];
	uint64_t size = 0;
	double tree, plain;

	must(EVP_DigestInit_ex(hashing.md, EVP_sha256(), NULL) - 1, "SHA-256");
	plain = walk(journal, &hashing, into_digest);
	tree = walk(journal, &hashing, into_tree);
	must(tree_range_root(&hashing.range, root), "tree_range_root");
	must(journal_head(journal, &size, stored), "journal_head");
	must(memcmp(root, stored, HASH_LEN) == 0 ? 0 : -1, "the same root");
	printf("hash part of verifying %" PRIu64 " entries: %.2f s; SHA-256 of "
	       "the same %" PRIu64 " octets: %.2f s; ratio %.2f\n",
	    size, tree, hashing.octets, plain, tree / plain);
	EVP_MD_CTX_free(hashing.md);
}

/* What each start of a run costs: all tables made anew and compared. */
static void
report_check(struct journal *journal)
{
	struct hashing hashing = { .md = EVP_MD_CTX_new() };
	double begun, check, plain;

	must(EVP_DigestInit_ex(hashing.md, EVP_sha256(), NULL) - 1, "SHA-256");
	plain = walk(journal, &hashing, into_digest);
	begun = now();
	must(journal_check(journal), "journal_check");
	check = now() - begun;
	printf("checking tables and entries before a run: %.2f s; ratio to "
	       "SHA-256 of the entries %.1f\n",
	    check, check / plain);
	EVP_MD_CTX_free(hashing.md);
}

static int
grow(uint64_t entries)
{
	struct journal *journal = found_journal("bench");
	uint64_t next = 0;
	double small, large;
	long before;
	struct stat st;

	while (size_of(journal) < 1000)
		(void)append_batch(journal, &next);
	small = median_append(journal, &next);
	before = peak_kib();
	while (size_of(journal) < entries)
		(void)append_batch(journal, &next);
	large = median_append(journal, &next);
	limit(large / small, 4, "appending grows with the journal");
	printf("append at %" PRIu64 " entries: %.1f us; at 1,000: %.1f us; "
	       "ratio %.2f\n",
	    size_of(journal), large * 1e6, small * 1e6, large / small);
	report_hashing(journal);
	must(stat("journal.db", &st), "stat");
	printf("octets a certificate of %d octets: %.0f\n", CERTIFICATE_LEN,
	    (double)st.st_size / (double)next);
	printf("peak memory: %ld KiB; at 1,000 entries: %ld KiB; ratio %.2f\n",
	    peak_kib(), before, (double)peak_kib() / (double)before);
	limit((double)peak_kib() / (double)before, 3,
	    "memory grows with the journal");
	report_check(journal);
	journal_free(journal);
	return 0;
}

/* ---- windows ---------------------------------------------------------- */

struct bench {
	struct authority authority;
	struct key *key;
	struct sign_job jobs[WINDOW_MAX];
	uint64_t next;
};

static void
make_secret(const char *text, struct secret *ret_secret)
{
	must(secret_copy(text, strlen(text), ret_secret), "secret_copy");
}

static void
open_bench(struct bench *bench)
{
	static const unsigned char id[KEY_ID_LEN] = { 1 };
	struct secret so = { 0 }, pin = { 0 };
	struct token *token = NULL;
	struct module *module = NULL;
	bool restored = false;
	char dir[4096];

	must(realpath(".", dir) == NULL ? -1 : 0, "realpath");
	(void)strncat(dir, "/token", sizeof(dir) - strlen(dir) - 1);
	must(mkdir(dir, 0700), "mkdir");
	must(module_open_embedded(dir, &module, &restored), "SoftHSM");
	make_secret("an-officers-pin", &so);
	make_secret("a-users-pin", &pin);
	must(token_find_blank(module, NULL, &token), "token_find_blank");
	must(token_initialise(token, "bench", &so), "token_initialise");
	must(token_set_user_pin(token, &so, &pin), "token_set_user_pin");
	must(token_login(token, &pin), "token_login");
	must(key_generate(
		 token, key_type_by_name("p-384"), "k", id, &bench->key),
	    "key_generate");
	secret_clear(&so);
	secret_clear(&pin);
	bench->authority.module = module;
	bench->authority.token = token;
	bench->authority.journal = found_journal("bench");
}

static double
sign(struct bench *bench, size_t count)
{
	double begun;

	for (size_t i = 0; i < count; i++) {
		bench->jobs[i].key = bench->key;
		bench->jobs[i].alg = sigalg_by_name("ecdsa-sha384");
		memset(bench->jobs[i].digest, (int)i, DIGEST_MAX);
	}
	begun = now();
	must(token_sign(
		 bench->authority.token, bench->jobs, count, 1, NULL, NULL),
	    "token_sign");
	return now() - begun;
}

/* As ceremony/sign.c does it: intents, head, (signatures), results. */
static double
journal_window(struct bench *bench, size_t count)
{
	struct journal *journal = bench->authority.journal;
	double begun = now();

	must(journal_begin(journal), "journal_begin");
	for (size_t i = 0; i < count; i++)
		append_intent(journal, bench->next + i);
	must(journal_commit(journal), "journal_commit");
	must(head_write(&bench->authority), "head_write");
	must(journal_begin(journal), "journal_begin");
	for (size_t i = 0; i < count; i++)
		append_result(journal, bench->next + i);
	must(journal_commit(journal), "journal_commit");
	bench->next += count;
	return now() - begun;
}

static int
window(size_t count)
{
	static struct bench bench;
	double signing[REPEAT], journalling[REPEAT];

	open_bench(&bench);
	for (size_t i = 0; i < REPEAT; i++) {
		journalling[i] = journal_window(&bench, count);
		signing[i] = sign(&bench, count);
	}
	qsort(signing, REPEAT, sizeof(signing[0]), compare);
	qsort(journalling, REPEAT, sizeof(journalling[0]), compare);
	printf("journalling %zu issuances: %.2f ms; their signatures: %.2f ms; "
	       "ratio %.2f\n",
	    count, journalling[REPEAT / 2] * 1e3, signing[REPEAT / 2] * 1e3,
	    journalling[REPEAT / 2] / signing[REPEAT / 2]);
	journal_free(bench.authority.journal);
	key_free(bench.key);
	token_logout(bench.authority.token);
	token_free(bench.authority.token);
	module_free(bench.authority.module);
	return 0;
}

int
main(int argc, char **argv)
{
	unsigned long n = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	must(CRYPTO_secure_malloc_init(1 << 17, 32) - 1, "secure memory");
	if (n > 0 && strcmp(argv[1], "grow") == 0)
		return grow(n);
	if (n > 0 && n <= WINDOW_MAX && strcmp(argv[1], "window") == 0)
		return window(n);
	fprintf(stderr, "usage: journal grow ENTRIES | journal window N\n");
	return 2;
}
