/*
 * Responses that a revocation leaves in force: what the newest one says, until
 * when, and who signed it.
 */
#include "ceremony/steps/ocsp-stale.h"

#include <unistd.h>

#include "base/date.h"
#include "journal-support.h"

enum { NOW = 1800000000, DAY = 86400 };

struct fixture {
	char dir[64];
	struct journal *journal;
	int windows;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	(void)snprintf(f->dir, sizeof(f->dir), "test-ocsp-stale-XXXXXX");
	if (mkdtemp(f->dir) == NULL || journal_create(f->dir, &f->journal) < 0)
		return -1;
	put_entry(f->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"));
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "p", SOME_SET, NULL);
	put_list(f->journal, RUN_1, 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	journal_free(f->journal);
	(void)snprintf(path, sizeof(path), "%s/journal.db", f->dir);
	if (unlink(path) != 0 || rmdir(f->dir) != 0)
		return -1;
	free(f);
	return 0;
}

/* A window whose list is `lines`, in force until `until`. */
static void
put_window(struct fixture *f, const char *name, const char *dn,
    const char *responder, int64_t until, const char *lines)
{
	char items[65], from_text[DATE_TEXT_SIZE], until_text[DATE_TEXT_SIZE];

	date_format(NOW - DAY, from_text);
	date_format(until, until_text);
	put_entry(f->journal, ENTRY_OCSP_INTENT,
	    json_pack("{s:s, s:i, s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:s, s:s, "
		      "s:s, s:s?, s:s, s:s, s:s}",
		"run", RUN_1, "list", 0, "window", f->windows++, "first", 0,
		"count", 1, "name", name, "key", DIGEST_A, "algorithm", "30",
		"root", DIGEST_A, "items",
		put_evidence(f->journal, lines, items), "issuer", "r",
		"issuer_dn", dn, "responder", responder, "profile", "p",
		"this_update", from_text, "next_update", until_text));
}

static void
look(struct fixture *f, const char *const *serials, size_t count,
    struct ocsp_stale *ret_stale)
{
	AUTO_STRUCT(listing) listing = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct listed row = { .ca = -1 };

		assert_ok(serial_from_hex(
		    serials[i], strlen(serials[i]), &row.serial));
		assert_ok(listing_add(&listing, &row));
	}
	assert_ok(listing_sort(&listing));
	assert_ok(
	    ocsp_stale_find(f->journal, DIGEST_A, NOW, &listing, ret_stale));
}

#define GOOD(serial) serial " good " DIGEST_B "\n"
#define REVOKED(serial) serial " revoked " DIGEST_B "\n"

static const char *const three[] = { "0a", "0b", "0c" };

static void
test_good(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(ocsp_stale) stale = { 0 };

	put_window(f, "one", DIGEST_A, NULL, NOW + DAY, GOOD("0a") GOOD("0d"));
	put_window(f, "two", DIGEST_A, NULL, NOW + 2 * DAY,
	    GOOD("0a") GOOD("0b") REVOKED("0c"));
	/* Others: ended by now; of another issuer. */
	put_window(f, "three", DIGEST_A, NULL, NOW - 1, GOOD("0c"));
	put_window(f, "four", DIGEST_B, NULL, NOW + 3 * DAY, GOOD("0c"));
	look(f, three, 3, &stale);
	assert_int_equal(stale.good, 2);
	assert_string_equal(stale.batch, "two");
	assert_int_equal(stale.until, NOW + 2 * DAY);
	assert_null(stale.signed_batch);
}

/* What is said last is what is served. */
static void
test_newest(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(ocsp_stale) stale = { 0 };

	put_window(f, "one", DIGEST_A, NULL, NOW + 9 * DAY, GOOD("0a"));
	put_window(f, "two", DIGEST_A, NULL, NOW + DAY, REVOKED("0a"));
	look(f, three, 3, &stale);
	assert_int_equal(stale.good, 0);
}

/* Responder "o" of DIGEST_A's has serial number 0b. */
static void
test_responder(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(ocsp_stale) stale = { 0 };
	AUTO_STRUCT(ocsp_stale) other = { 0 };

	put_intent(f->journal, RUN_1, 0, "o", "0b", "ocsp-responder", DIGEST_A,
	    DIGEST_C);
	put_result(f->journal, RUN_1, 0, "o");
	put_window(f, "one", DIGEST_A, "o", NOW + DAY, GOOD("0d"));
	put_window(f, "two", DIGEST_A, "o", NOW + 2 * DAY, GOOD("0e"));
	put_window(f, "three", DIGEST_A, NULL, NOW + 3 * DAY, GOOD("0e"));
	put_window(f, "four", DIGEST_B, "o", NOW + 4 * DAY, GOOD("0e"));
	look(f, three, 3, &stale);
	assert_int_equal(stale.good, 0);
	assert_string_equal(stale.responder, "o");
	assert_string_equal(stale.signed_batch, "two");
	assert_int_equal(stale.signed_until, NOW + 2 * DAY);
	look(f, three, 1, &other);
	assert_null(other.signed_batch);
}

static void
test_nothing(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(ocsp_stale) stale = { 0 };

	look(f, three, 3, &stale);
	assert_int_equal(stale.good, 0);
	assert_null(stale.batch);
	put_window(f, "one", DIGEST_A, NULL, NOW + DAY, GOOD("0a"));
	look(f, three, 0, &stale);
	assert_int_equal(stale.good, 0);
	assert_ok(ocsp_stale_of_journal(f->journal, DIGEST_A, NOW, &stale));
	assert_int_equal(stale.good, 0);
}

static void
test_malformed(void **state)
{
	static const char *const bad[] = { "0a\n", "xyz good aa\n", "\n" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_STRUCT(ocsp_stale) stale = { 0 };
		AUTO_STRUCT(listing) listing = { 0 };
		struct listed row = { .ca = -1 };
		AUTO_CHARS(name) = text_printf("n%zu", i);

		assert_ok(serial_from_hex("0a", 2, &row.serial));
		assert_ok(listing_add(&listing, &row));
		put_window(f, name, DIGEST_A, NULL, NOW + DAY, bad[i]);
		assert_refused(CA_R_CORRUPT,
		    ocsp_stale_find(
			f->journal, DIGEST_A, NOW, &listing, &stale));
		assert_null(stale.batch);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_responder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_malformed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
