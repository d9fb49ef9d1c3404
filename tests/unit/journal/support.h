/* What the tests of the journal share: a scratch directory, entries. */
#ifndef TESTS_JOURNAL_SUPPORT_H
#define TESTS_JOURNAL_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* It wants what stands above. */
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/journal.h"

#define assert_refused(reason, call)                           \
	do {                                                   \
		ca_error_clear();                              \
		assert_int_equal((call), -1);                  \
		assert_int_equal(ca_error_reason(), (reason)); \
		ca_error_clear();                              \
	} while (0)

static inline void
show_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	print_message("%zu %s (%s)\n", depth, text, origin);
}

/* Says why where it does not hold. */
#define assert_ok(call)                                   \
	do {                                              \
		int result_ = (call);                     \
		if (result_ != 0)                         \
			ca_error_drain(show_error, NULL); \
		assert_int_equal(result_, 0);             \
	} while (0)

/* The newest error, which must hold `part`. */
struct newest {
	char text[1024];
};

static inline void
keep_newest(void *ctx, size_t depth, const char *text, const char *origin)
{
	struct newest *newest = ctx;

	(void)origin;
	if (depth == 0)
		(void)snprintf(newest->text, sizeof newest->text, "%s", text);
}

#define assert_refused_naming(reason, part, call)                              \
	do {                                                                   \
		struct newest newest_ = { "" };                                \
		ca_error_clear();                                              \
		assert_int_equal((call), -1);                                  \
		assert_int_equal(ca_error_reason(), (reason));                 \
		ca_error_drain(keep_newest, &newest_);                         \
		if (strstr(newest_.text, (part)) == NULL)                      \
			fail_msg("'%s' is not in '%s'", (part), newest_.text); \
	} while (0)

/* In a child process, where cmocka's own assertions do not work. */
#define CHECK(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #condition);                                   \
			_exit(1);                                          \
		}                                                          \
	} while (0)

/* ---- a scratch directory ---------------------------------------------- */

struct scratch {
	char path[64];
};

static inline int
scratch_setup(void **state)
{
	struct scratch *scratch = calloc(1, sizeof *scratch);

	if (scratch == NULL)
		return -1;
	(void)snprintf(
	    scratch->path, sizeof scratch->path, "test-journal-XXXXXX");
	*state = scratch;
	ca_error_clear();
	return mkdtemp(scratch->path) == NULL ? -1 : 0;
}

/* The path of a file in it; the text of the last four calls stays. */
static inline const char *
in_scratch(const struct scratch *scratch, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof paths[0], "%s/%s", scratch->path, name);
	return path;
}

static inline int
scratch_teardown(void **state)
{
	static const char *const names[] = { "journal.db", "journal.db-journal",
		"other.db", "real/journal.db", "link" };
	struct scratch *scratch = *state;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlink(in_scratch(scratch, names[i]));
	(void)rmdir(in_scratch(scratch, "journal.db"));
	(void)rmdir(in_scratch(scratch, "real"));
	if (rmdir(scratch->path) != 0)
		return -1;
	free(scratch);
	return 0;
}

/* ---- the data of entries ---------------------------------------------- */

/* 64 hex digits that differ by `n`. */
static inline const char *
hex64(unsigned n)
{
	static char texts[8][65];
	static unsigned next;
	char *text = texts[next++ % 8];

	(void)snprintf(text, 65, "%08x%056x", n, 0);
	return text;
}

#define RUN_A "000102030405060708090a0b0c0d0e0f"
#define RUN_B "101112131415161718191a1b1c1d1e1f"
#define RUN_C "202122232425262728292a2b2c2d2e2f"
#define SET_A "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define SET_B "b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define SET_C "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
#define DATE_A "2026-11-20T12:00:00Z"
#define DATE_B "2027-11-20T12:00:00Z"

static inline json_t *
data_genesis(void)
{
	return json_pack("{s:s,s:i,s:{s:s},s:s}", "authority", "example",
	    "format", 1, "token", "label", "example-token", "tool", "0.1.0");
}

static inline json_t *
data_token(void)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,"
			 "s:{s:s,s:s,s:s,s:s,s:s,s:s}}",
	    "label", "example-token", "serial", "0001", "manufacturer", "m",
	    "model", "x", "hardware", "1.0", "firmware", "1.0", "flags", 1069,
	    "module", "path", "/x.so", "sha256", hex64(1), "manufacturer", "m",
	    "description", "d", "version", "2.6", "cryptoki", "2.40");
}

static inline json_t *
data_ready(void)
{
	return json_pack("{s:s,s:s}", "subject", "authority", "state", "ready");
}

static inline json_t *
data_event(const char *event)
{
	return json_pack("{s:s}", "event", event);
}

static inline json_t *
data_plan(const char *run, const char *plan)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "run", run, "plan",
	    plan, "title", "A plan", "manifest", hex64(7), "directory",
	    "p-00000007", "set", SET_A, "unattended", 0);
}

static inline json_t *
data_abandoning(const char *run, const char *plan, const char *abandons)
{
	json_t *data = data_plan(run, plan);

	json_object_set_new(data, "abandons", json_string(abandons));
	return data;
}

/* A witness has no statement. */
static inline json_t *
data_enrolment(const char *set, const char *name, const char *statement)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s?,s:s?,s:s?}", "set", set, "name",
	    name, "role", statement == NULL ? "witness" : "operator", "sign",
	    hex64(40), "decrypt", statement == NULL ? NULL : hex64(41), "share",
	    statement == NULL ? NULL : hex64(42), "statement", statement);
}

/* 2 of 3; `replaces` may be NULL. */
static inline json_t *
data_quorum(const char *set, const char *state, const char *sha256,
    const char *replaces, const char *run)
{
	return json_pack("{s:s,s:s,s:s,s:i,s:i,s:s,s:s?,s:s}", "set", set,
	    "state", state, "sha256", sha256, "threshold", 2, "operators", 3,
	    "commitments", hex64(43), "replaces", replaces, "run", run);
}

static inline json_t *
data_anchor(const char *set, const char *name, const char *statement)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "set", set, "name", name,
	    "statement", statement, "text", statement);
}

static inline json_t *
data_pin_change(
    const char *run, const char *set, const char *pin, const char *stage)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "run", run, "set", set, "pin",
	    pin, "stage", stage);
}

static inline json_t *
data_approval(
    const char *run, const char *name, const char *set, const char *statement)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s}", "run", run, "name", name,
	    "set", set, "manifest", hex64(7), "statement", statement);
}

static inline json_t *
data_confirmation(const char *run, int list, const char *name, const char *set,
    const char *statement)
{
	return json_pack("{s:s,s:i,s:s,s:s,s:s,s:s}", "run", run, "list", list,
	    "name", name, "set", set, "sha256", hex64(9), "statement",
	    statement);
}

static inline json_t *
data_clock(const char *run, const char *now)
{
	return json_pack("{s:s,s:s,s:s,s:s}", "run", run, "was", DATE_B, "now",
	    now, "why", "the battery was empty");
}

static inline json_t *
data_profile(const char *run, const char *profile, const char *sha256)
{
	json_t *data =
	    json_pack("{s:s,s:s}", "profile", profile, "sha256", sha256);

	if (run != NULL)
		json_object_set_new(data, "run", json_string(run));
	return data;
}

static inline json_t *
data_profile_removed(const char *run, const char *profile, const char *sha256)
{
	json_t *data = data_profile(run, profile, sha256);

	json_object_set_new(data, "removed", json_true());
	return data;
}

/* `data` with another value, of which it takes the reference. */
static inline json_t *
with(json_t *data, const char *member, json_t *value)
{
	json_object_set_new(data, member, value);
	return data;
}

static inline json_t *
data_list(const char *run, int list)
{
	return json_pack("{s:s,s:i,s:s,s:i,s:i}", "run", run, "list", list,
	    "sha256", hex64(9), "objects", 1, "acts", 0);
}

static inline json_t *
data_key_intent(const char *run, const char *name, const char *id)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "run", run, "name", name,
	    "id", id, "type", "p-384", "purpose", "ca", "backup", "none");
}

static inline json_t *
data_key(const char *run, const char *name, const char *id, const char *spki)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:{s:b,s:n},s:s}", "run", run,
	    "name", name, "id", id, "spki", spki, "attributes", "CKA_LOCAL", 1,
	    "CKA_TRUSTED", "generation_mechanism", "CKM_EC_KEY_PAIR_GEN");
}

static inline json_t *
data_key_destroyed(const char *run, const char *name, const char *id)
{
	return json_pack("{s:s,s:s,s:s,s:i}", "run", run, "name", name, "id",
	    id, "objects", 2);
}

static inline json_t *
data_certificate(const char *run, int list, int object, const char *name,
    const char *issuer_dn, const char *serial, const char *spki)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,"
			 "s:s,s:s,s:s,s:s,s:s,s:b,s:s,s:n}",
	    "run", run, "list", list, "object", object, "kind", "certificate",
	    "name", name, "key", hex64(20), "algorithm", "300a", "tbs",
	    hex64(21), "issuer", "root-g1", "issuer_dn", issuer_dn, "profile",
	    "issuing-ca", "serial", serial, "subject_dn", hex64(22), "spki",
	    spki, "not_before", DATE_A, "not_after", DATE_B, "ca", 1,
	    "certificate_kind", "subordinate", "subject_key");
}

static inline json_t *
data_crl(const char *run, int list, int object, const char *name,
    const char *issuer_dn, const char *number)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,"
			 "s:s,s:s,s:s,s:i}",
	    "run", run, "list", list, "object", object, "kind", "crl", "name",
	    name, "key", hex64(20), "algorithm", "300a", "tbs", hex64(23),
	    "issuer", "root-g1", "issuer_dn", issuer_dn, "profile", "ca-crl",
	    "number", number, "this_update", DATE_A, "next_update", DATE_B,
	    "entries", 0);
}

static inline json_t *
data_csr(const char *run, int list, int object, const char *name)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:n,s:n,s:n}", "run",
	    run, "list", list, "object", object, "kind", "csr", "name", name,
	    "key", hex64(20), "algorithm", "300a", "tbs", hex64(24), "issuer",
	    "issuer_dn", "profile");
}

static inline json_t *
data_result(
    const char *run, int list, int object, const char *name, const char *sha256)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s}", "run", run, "list", list,
	    "object", object, "name", name, "sha256", sha256);
}

static inline json_t *
data_failed(const char *run, int list, int object, const char *name)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:b}", "run", run, "list", list,
	    "object", object, "name", name, "why", "cut off", "possibly_signed",
	    1);
}

static inline json_t *
data_revoked(const char *run, const char *issuer_dn, const char *serial)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "run", run, "issuer",
	    "root-g1", "issuer_dn", issuer_dn, "serial", serial, "date", DATE_A,
	    "reason", "keyCompromise", "cause", "plan");
}

static inline json_t *
data_revocations(
    const char *run, const char *issuer_dn, int count, const char *list)
{
	return json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:s}", "run", run, "issuer",
	    "root-g1", "issuer_dn", issuer_dn, "count", count, "list", list,
	    "source", "csv", "cause", "import");
}

static inline json_t *
data_upgraded(const char *run, const char *issuer_dn, const char *serial,
    const char *was, const char *reason)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:{s:s,s:s},s:s,s:s}", "run", run,
	    "issuer", "root-g1", "issuer_dn", issuer_dn, "serial", serial,
	    "was", "date", DATE_A, "reason", was, "date", DATE_A, "reason",
	    reason);
}

static inline json_t *
data_issued(const char *run, const char *issuer_dn, int count, const char *list)
{
	return json_pack("{s:s,s:s,s:s,s:i,s:s,s:s}", "run", run, "issuer",
	    "root-g1", "issuer_dn", issuer_dn, "count", count, "list", list,
	    "source", "csv");
}

static inline json_t *
data_ca_state(
    const char *run, const char *key, const char *state, const char *successor)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s?}", "subject", "ca", "run",
	    run, "key", key, "state", state, "why", "rollover", "successor",
	    successor);
}

static inline json_t *
data_ocsp_intent(
    const char *run, int list, int window, int count, const char *items)
{
	return json_pack("{s:s,s:i,s:i,s:i,s:i,s:s,s:s,s:s,s:s,s:s,s:n,s:s,"
			 "s:s,s:s,s:s,s:s}",
	    "run", run, "list", list, "window", window, "first", 0, "count",
	    count, "name", "status", "key", hex64(20), "algorithm", "300a",
	    "issuer", "root-g1", "issuer_dn", hex64(6), "responder", "profile",
	    "ocsp", "this_update", DATE_A, "next_update", DATE_B, "root",
	    hex64(40), "items", items);
}

static inline json_t *
data_ocsp_result(
    const char *run, int list, int window, int count, const char *items)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:i,s:s,s:s}", "run", run, "list",
	    list, "window", window, "name", "status", "count", count, "root",
	    hex64(41), "items", items);
}

static inline json_t *
data_ocsp_failed(const char *run, int list, int window)
{
	return json_pack("{s:s,s:i,s:i,s:s,s:s,s:b}", "run", run, "list", list,
	    "window", window, "name", "status", "why", "cut off",
	    "possibly_signed", 1);
}

static inline json_t *
data_adopted(const char *run, const char *name, const char *issuer_dn,
    const char *serial, const char *spki, const char *sha256)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "run",
	    run, "name", name, "key", "issuing-key", "sha256", sha256,
	    "issuer_dn", issuer_dn, "subject_dn", hex64(25), "serial", serial,
	    "spki", spki, "not_before", DATE_A, "not_after", DATE_B, "ca", 0);
}

static inline json_t *
data_refused(const char *run)
{
	return json_pack("{s:s,s:i,s:s,s:s}", "run", run, "findings", 1,
	    "report", hex64(29), "why", "lint");
}

static inline json_t *
data_resumed(const char *run)
{
	return json_pack("{s:s,s:s}", "run", run, "serial", "0001");
}

static inline json_t *
data_close(const char *run, const char *outcome)
{
	return json_pack("{s:s,s:s,s:i,s:s,s:s}", "run", run, "outcome",
	    outcome, "published", 1, "files", hex64(30), "transcript",
	    hex64(31));
}

#define append_(journal, kind, data) \
	journal_append((journal), (kind), (data), "a test did it", NULL)

static inline json_t *
data_head(const char *origin, int epoch, int size, const char *root)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:s}", "run", "init",
	    "serial", "0001", "origin", origin, "epoch", epoch, "size", size,
	    "root", root);
}

/* `size` entries and their root are what is left of the epoch before. */
static inline json_t *
data_epoch(const char *run, int epoch, int size, const char *root)
{
	return json_pack("{s:s, s:i, s:s, s:{s:s, s:i, s:s}, s:n, s:i, s:[]}",
	    "run", run, "epoch", epoch, "origin", "example/epoch-1", "was",
	    "origin", "example", "size", size, "root", root, "head", "lost", 5,
	    "receipts");
}

/* Bytes that differ by `n`, as evidence; their SHA-256 in hex. */
static inline void
put_evidence(struct journal *journal, unsigned n, char ret_hex[HASH_HEX_SIZE])
{
	unsigned char digest[HASH_LEN];
	char bytes[32];

	(void)snprintf(bytes, sizeof bytes, "evidence %u", n);
	assert_ok(journal_evidence_put(journal, bytes, strlen(bytes), digest));
	text_hex_into(digest, HASH_LEN, ret_hex);
}

/* Alice, Bob and Carol enrol in a set as operators, and Wendy as witness. */
static inline void
put_people(struct journal *journal, const char *set)
{
	static const char *const names[] = { "alice", "bob", "carol" };
	char sha[HASH_HEX_SIZE];

	put_evidence(journal, 900, sha);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		assert_ok(append_(journal, ENTRY_ENROLMENT,
		    data_enrolment(set, names[i], sha)));
	assert_ok(append_(
	    journal, ENTRY_ENROLMENT, data_enrolment(set, "wendy", NULL)));
}

/* Set A is in force. */
static inline void
put_set(struct journal *journal)
{
	char sha[HASH_HEX_SIZE];

	put_people(journal, SET_A);
	put_evidence(journal, 901, sha);
	assert_ok(append_(journal, ENTRY_QUORUM,
	    data_quorum(SET_A, "active", sha, NULL, "init")));
}

/* A journal with its genesis entry. */
static inline struct journal *
founded(const struct scratch *scratch)
{
	struct journal *journal = NULL;

	assert_ok(journal_create(scratch->path, &journal));
	assert_ok(append_(journal, ENTRY_GENESIS, data_genesis()));
	return journal;
}

#endif
