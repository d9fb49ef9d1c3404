/* A founded journal in a scratch directory, for tests of what it accepts. */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <openssl/evp.h>

#include "ceremony/journal/store.h"
#include "support.h"

struct fixture {
	struct scratch *scratch;
	struct journal *journal;
};

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *scratch = NULL;

	if (f == NULL || scratch_setup(&scratch) != 0)
		return -1;
	f->scratch = scratch;
	f->journal = founded(f->scratch);
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *f = *state;
	void *scratch = f->scratch;

	journal_free(f->journal);
	free(f);
	return scratch_teardown(&scratch);
}

/* Runs begin when init is over: what the test itself has not done of it. */
static inline void
want_ready(struct fixture *f)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	assert_ok(journal_authority(f->journal, &row));
	if (row.token_serial == NULL)
		assert_ok(append_(f->journal, ENTRY_TOKEN, data_token()));
	if (!row.ready)
		assert_ok(append_(f->journal, ENTRY_STATE, data_ready()));
}

static inline void
add(struct fixture *f, enum entry_kind kind, json_t *data)
{
	if (kind == ENTRY_PLAN)
		want_ready(f);
	assert_ok(append_(f->journal, kind, data));
}

/* Refused for `reason`, and nothing is left of it. */
static inline void
refuse(struct fixture *f, enum ca_reason reason, enum entry_kind kind,
    json_t *data)
{
	unsigned char root[HASH_LEN], after_root[HASH_LEN];
	uint64_t size, after;

	if (kind == ENTRY_PLAN)
		want_ready(f);
	assert_ok(journal_head(f->journal, &size, root));
	assert_refused(reason, append_(f->journal, kind, data));
	assert_ok(journal_head(f->journal, &after, after_root));
	assert_int_equal(after, size);
	assert_memory_equal(root, after_root, HASH_LEN);
}

/* Set A, where no set is in force yet. */
static inline void
want_set(struct fixture *f)
{
	AUTO_STRUCT(quorum_row) row = { 0 };
	bool found;

	assert_ok(journal_quorum(f->journal, &found, &row));
	if (!found)
		put_set(f->journal);
}

static inline void
open_run(struct fixture *f, const char *run, const char *plan)
{
	want_set(f);
	add(f, ENTRY_PLAN, data_plan(run, plan));
	add(f, ENTRY_LIST, data_list(run, 0));
}

/* SHA-256 over all rows of the derived tables. */
static inline void
digest_derived(struct journal *journal, unsigned char ret_digest[HASH_LEN])
{
	static const char *const tables[] = {
		"SELECT * FROM authority",
		"SELECT * FROM runs ORDER BY seq",
		"SELECT * FROM keys ORDER BY seq",
		"SELECT * FROM objects ORDER BY seq",
		"SELECT * FROM revocations ORDER BY issuer, octets, serial",
		"SELECT * FROM issued ORDER BY issuer, octets, serial",
		"SELECT * FROM issuers ORDER BY id",
		"SELECT * FROM urls ORDER BY id",
		"SELECT * FROM ocsp_windows ORDER BY seq",
		"SELECT * FROM sets ORDER BY set_id",
		"SELECT * FROM enrolments ORDER BY seq",
		"SELECT * FROM anchors ORDER BY seq",
		"SELECT * FROM pin_changes ORDER BY run, pin",
		"SELECT * FROM statements ORDER BY seq",
		"SELECT * FROM profiles ORDER BY profile",
		"SELECT * FROM lists ORDER BY run, list",
	};
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	assert_int_equal(EVP_DigestInit_ex(ctx, EVP_sha256(), NULL), 1);
	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
		sqlite3_stmt *stmt = NULL;

		assert_int_equal(
		    sqlite3_prepare_v2(journal->db, tables[i], -1, &stmt, NULL),
		    SQLITE_OK);
		while (sqlite3_step(stmt) == SQLITE_ROW)
			for (int c = 0; c < sqlite3_column_count(stmt); c++) {
				int head[2] = { sqlite3_column_type(stmt, c),
					sqlite3_column_bytes(stmt, c) };

				EVP_DigestUpdate(ctx, head, sizeof head);
				EVP_DigestUpdate(ctx,
				    sqlite3_column_blob(stmt, c),
				    (size_t)head[1]);
			}
		sqlite3_finalize(stmt);
	}
	assert_int_equal(EVP_DigestFinal_ex(ctx, ret_digest, NULL), 1);
}

#endif
