/* A journal as far as tests need one: a token, a quorum set, runs. */
#ifndef TESTS_CEREMONY_JOURNAL_SUPPORT_H
#define TESTS_CEREMONY_JOURNAL_SUPPORT_H

#include "base/text.h"
#include "ceremony/journal/journal.h"
#include "support.h"

#define DIGEST_A \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST_C \
	"cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define SOME_SET "0123456789abcdef0123456789abcdef"
#define RUN_1 "11111111111111111111111111111111"
#define RUN_2 "22222222222222222222222222222222"

static inline void
put_entry(struct journal *journal, enum entry_kind kind, json_t *data)
{
	assert_non_null(data);
	assert_ok(journal_append(journal, kind, data, "a test", NULL));
}

/* Evidence, and its hash. */
static inline const char *
put_evidence(struct journal *journal, const char *text, char ret_hex[65])
{
	unsigned char digest[HASH_LEN];

	assert_ok(journal_evidence_put(journal, text, strlen(text), digest));
	text_hex_into(digest, HASH_LEN, ret_hex);
	return ret_hex;
}

/* Token "x" with serial number "1". */
static inline void
put_token(struct journal *journal)
{
	put_entry(journal, ENTRY_TOKEN_INTENT,
	    json_pack("{s:s, s:b}", "label", "x", "embedded", 1));
	put_entry(journal, ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, "
		      "s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
		"label", "x", "serial", "1", "manufacturer", "m", "model", "m",
		"hardware", "1", "firmware", "1", "flags", 0, "module", "path",
		"/m.so", "sha256", DIGEST_A, "manufacturer", "m", "description",
		"d", "version", "1", "cryptoki", "2.40"));
}

/* Before the first run: init is over. */
static inline void
put_ready(struct journal *journal)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	assert_ok(journal_authority(journal, &row));
	if (row.token_serial == NULL)
		put_token(journal);
	if (!row.ready)
		put_entry(journal, ENTRY_STATE,
		    json_pack("{s:s, s:s}", "subject", "authority", "state",
			"ready"));
}

/* The same once more, adopted by a run. */
static inline void
put_adopted_token(struct journal *journal, const char *run)
{
	put_entry(journal, ENTRY_TOKEN,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, "
		      "s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
		"run", run, "label", "x", "serial", "1", "manufacturer", "m",
		"model", "m", "hardware", "1", "firmware", "1", "flags", 0,
		"module", "path", "/m.so", "sha256", DIGEST_A, "manufacturer",
		"m", "description", "d", "version", "1", "cryptoki", "2.40"));
}

/* A set in force, whose set.yaml is `text`; 1 of 1, "alice". */
static inline void
put_set(struct journal *journal, const char *id, const char *text)
{
	char statement[65], hash[65];

	(void)put_evidence(journal, "a statement", statement);
	(void)put_evidence(journal, text, hash);
	put_entry(journal, ENTRY_ENROLMENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:n, s:n, s:s}", "set", id, "name",
		"alice", "role", "operator", "sign", DIGEST_A, "decrypt",
		"share", "statement", statement));
	put_entry(journal, ENTRY_QUORUM,
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:n, s:n, s:s}", "set", id,
		"state", "active", "sha256", hash, "threshold", 1, "operators",
		1, "commitments", "replaces", "run", "init"));
}

/* A run that begins; `abandons` may be NULL. */
static inline void
put_run(struct journal *journal, const char *run, const char *plan,
    const char *set, const char *abandons)
{
	json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "run",
	    run, "plan", plan, "title", "A test", "manifest", DIGEST_A,
	    "directory", plan, "set", set, "unattended", 0);

	put_ready(journal);
	assert_non_null(data);
	if (abandons != NULL)
		assert_int_equal(json_object_set_new(
				     data, "abandons", json_string(abandons)),
		    0);
	put_entry(journal, ENTRY_PLAN, data);
}

static inline void
put_list(struct journal *journal, const char *run, int list)
{
	put_entry(journal, ENTRY_LIST,
	    json_pack("{s:s, s:i, s:s, s:i, s:i}", "run", run, "list", list,
		"sha256", DIGEST_A, "objects", 3, "acts", 0));
}

static inline void
put_close(struct journal *journal, const char *run, const char *outcome)
{
	put_entry(journal, ENTRY_CLOSE,
	    json_pack("{s:s, s:s, s:i, s:s, s:s}", "run", run, "outcome",
		outcome, "published", 0, "files", DIGEST_A, "transcript",
		DIGEST_A));
}

/* A key that is live; its public key is `spki`, whatever that may be. */
static inline void
put_key(struct journal *journal, const char *run, const char *name,
    const char *id, const char *spki)
{
	put_entry(journal, ENTRY_KEY_INTENT,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "run", run, "name",
		name, "id", id, "type", "p-256", "purpose", "ca", "backup",
		"none"));
	if (spki != NULL)
		put_entry(journal, ENTRY_KEY,
		    json_pack("{s:s, s:s, s:s, s:s, s:{}, s:n}", "run", run,
			"name", name, "id", id, "spki", spki, "attributes",
			"generation_mechanism"));
}

/* SHA-256 of a public key that is given in hex. */
static inline const char *
spki_hash(const char *spki, char ret_hex[65])
{
	AUTO_BYTES(bytes) = NULL;
	AUTO_CHARS(hash) = NULL;
	size_t len = 0;

	assert_ok(text_unhex(spki, &bytes, &len));
	hash = sha256_hex(bytes, len);
	assert_non_null(hash);
	(void)snprintf(ret_hex, 65, "%s", hash);
	return ret_hex;
}

/* About to sign a certificate: object `object` of list 0. */
static inline void
put_intent(struct journal *journal, const char *run, int object,
    const char *name, const char *serial, const char *kind,
    const char *signer_hash, const char *spki_hash_text)
{
	put_entry(journal, ENTRY_INTENT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:n}",
		"run", run, "list", 0, "object", object, "kind", "certificate",
		"name", name, "key", signer_hash, "algorithm", "30", "tbs",
		DIGEST_C, "issuer", "r", "issuer_dn", DIGEST_A, "profile", "p",
		"serial", serial, "subject_dn", DIGEST_B, "spki",
		spki_hash_text, "not_before", "2026-01-01T00:00:00Z",
		"not_after", "2036-01-01T00:00:00Z", "ca", 1,
		"certificate_kind", kind, "subject_key"));
}

static inline void
put_result(
    struct journal *journal, const char *run, int object, const char *name)
{
	char hash[65];

	(void)put_evidence(journal, name, hash);
	put_entry(journal, ENTRY_RESULT,
	    json_pack("{s:s, s:i, s:i, s:s, s:s}", "run", run, "list", 0,
		"object", object, "name", name, "sha256", hash));
}

static inline void
put_failed(struct journal *journal, const char *run, int object,
    const char *name, bool possibly_signed)
{
	put_entry(journal, ENTRY_FAILED,
	    json_pack("{s:s, s:i, s:i, s:s, s:s, s:b}", "run", run, "list", 0,
		"object", object, "name", name, "why", "a test",
		"possibly_signed", possibly_signed ? 1 : 0));
}

#endif
