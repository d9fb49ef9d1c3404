/* What a CA's state allows: of its own key, and of a responder for it. */
#include "ceremony/ca-keys.h"

#include <ftw.h>

#include "journal-support.h"

#define SPKI_CA "3003020101"
#define SPKI_OTHER "3003020102"

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

struct fixture {
	char dir[40];
	struct journal *journal;
};

/* A CA "ca" with a certificate of the same name, and one of nobody's key. */
static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char ca[65], other[65];

	if (f == NULL)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "test-ca-keys-XXXXXX");
	if (mkdtemp(f->dir) == NULL || journal_create(f->dir, &f->journal) < 0)
		return -1;
	put_entry(f->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"));
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "p", SOME_SET, NULL);
	put_key(f->journal, RUN_1, "ca", "01", SPKI_CA);
	put_list(f->journal, RUN_1, 0);
	spki_hash(SPKI_CA, ca);
	spki_hash(SPKI_OTHER, other);
	put_intent(f->journal, RUN_1, 0, "ca", "05", "root", ca, ca);
	put_result(f->journal, RUN_1, 0, "ca");
	put_intent(
	    f->journal, RUN_1, 1, "other", "06", "issuing-ca", ca, other);
	put_result(f->journal, RUN_1, 1, "other");
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	journal_free(f->journal);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void
give_state(struct fixture *f, const char *state)
{
	put_entry(f->journal, ENTRY_STATE,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:n}", "run", RUN_1, "subject",
		"ca", "state", state, "key", "ca", "why", "a test",
		"successor"));
}

static void
assert_allows(struct fixture *f, enum issuer_use use)
{
	assert_ok(ca_state_allows(f->journal, "ca", use));
	assert_ok(ca_state_allows_certificate(f->journal, "ca", use));
}

static void
assert_refuses(struct fixture *f, enum issuer_use use)
{
	assert_refused(CA_R_STATE, ca_state_allows(f->journal, "ca", use));
	assert_refused(
	    CA_R_STATE, ca_state_allows_certificate(f->journal, "ca", use));
}

static void
test_states(void **state)
{
	struct fixture *f = *state;

	assert_allows(f, ISSUER_ISSUES);
	assert_allows(f, ISSUER_STATUS);
	give_state(f, "retiring");
	assert_refuses(f, ISSUER_ISSUES);
	assert_allows(f, ISSUER_STATUS);
	give_state(f, "retired");
	assert_refuses(f, ISSUER_ISSUES);
	assert_refuses(f, ISSUER_STATUS);
	put_entry(f->journal, ENTRY_KEY_DESTROYED,
	    json_pack("{s:s, s:s, s:s, s:i, s:s}", "run", RUN_1, "name", "ca",
		"id", "01", "objects", 2, "why", "a test"));
	/* No key has the name any more; the certificate still has its CA. */
	assert_ok(ca_state_allows(f->journal, "ca", ISSUER_STATUS));
	assert_refused(CA_R_STATE,
	    ca_state_allows_certificate(f->journal, "ca", ISSUER_STATUS));
}

/* What has no state, or is not there: who needs it says so. */
static void
test_others(void **state)
{
	struct fixture *f = *state;

	give_state(f, "retired");
	assert_ok(
	    ca_state_allows_certificate(f->journal, "other", ISSUER_ISSUES));
	assert_ok(
	    ca_state_allows_certificate(f->journal, "none", ISSUER_ISSUES));
	assert_ok(ca_state_allows(f->journal, "none", ISSUER_ISSUES));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_states),
		TEST(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
