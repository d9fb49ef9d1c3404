/*
 * A CA that is retired: nothing of it is in force, and the last CRL of each of
 * its partitions has what it revoked, for as long as it is needed.
 */
#include "base/date.h"
#include "objects-support.h"
#include "tests/unit/profiles/support.h"

#define URL_A "http://c.example/root-g1/1.crl"
#define URL_B "http://c.example/root-g1/2.crl"
#define FAR "2090-01-01T00:00:00Z"

struct scene {
	struct world *w;
	int objects;
	uint64_t number;
};

static json_t *
put(json_t *data, const char *member, const char *value)
{
	return value == NULL ? data : with(data, member, json_string(value));
}

/* A CA certificate of the root, with this URL; its serial, hex, malloc'd. */
static char *
issue_ca(struct scene *s, const char *name, enum world_key key, const char *url)
{
	struct making making = {
		.run = RUN_A,
		.name = name,
		.kind = "subordinate",
		.profile = "issuing-ca",
		.subject = s->w->keys[key],
		.signer = s->w->keys[KEY_ROOT],
		.subject_key = key == KEY_SUB ? "sub-key" : NULL,
		.common_name = name,
		.issuer = s->w->root,
		.issuer_name = "root-g1",
		.object = ++s->objects,
		.over = put(json_object(), "crl_url", url),
	};
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	X509 *certificate = make_certificate(s->w, &making);
	char *serial;

	assert_ok(certificate_facts(certificate, &facts));
	serial = text_hex(facts.serial, facts.serial_len);
	assert_non_null(serial);
	X509_free(certificate);
	return serial;
}

static void
revoke_one(struct scene *s, const char *serial)
{
	struct crl_entry entry;

	revoke_serial(s->w, serial, &entry);
}

/* What its intent says is what counts here; NULL: a full one, not only `only`. */
static void
sign_crl(struct scene *s, const char *url, const char *until, const char *only)
{
	AUTO_CHARS(name) = text_printf("crl-%d", s->objects);
	json_t *over = put(json_object(), "distribution_url", url);
	struct crl_making making = {
		.name = name,
		.object = ++s->objects,
		.number = ++s->number,
	};

	making.over = put(put(over, "next_update", until), "only", only);
	make_crl(s->w, &making);
}

static void
give_state(struct scene *s, const char *state)
{
	world_add(
	    s->w, ENTRY_STATE, data_ca_state(RUN_A, "root-key", state, NULL));
	world_audit(s->w, &audit_objects, -1);
}

static void
begin(struct scene *s, struct world *w)
{
	*s = (struct scene){ .w = w };
	make_root(w);
}

static void
assert_lacks(const struct scene *s, size_t count, const char *part)
{
	assert_int_equal(count_found(s->w, "AUDIT-LAST-CRL"), count);
	assert_int_equal(count_found(s->w, "AUDIT-CA-STATE"), 0);
	if (count > 0)
		assert_found(s->w, "AUDIT-LAST-CRL", part);
}

static void
test_nothing_issued(void **state)
{
	struct scene s;

	begin(&s, *state);
	give_state(&s, "retired");
	assert_no_findings(s.w);
}

static void
test_in_force(void **state)
{
	struct scene s;
	AUTO_CHARS(serial) = NULL;

	begin(&s, *state);
	serial = issue_ca(&s, "one", KEY_SUB, URL_A);
	give_state(&s, "retired");
	assert_found(s.w, "AUDIT-CA-STATE", "1 of its certificates");
	assert_int_equal(count_found(s.w, "AUDIT-LAST-CRL"), 0);
}

/* Whoever is retiring goes on to sign CRLs. */
static void
test_retiring(void **state)
{
	struct scene s;
	AUTO_CHARS(serial) = NULL;

	begin(&s, *state);
	serial = issue_ca(&s, "one", KEY_SUB, URL_A);
	revoke_one(&s, serial);
	give_state(&s, "retiring");
	assert_lacks(&s, 0, NULL);
}

/* One name, one certificate; a CRL of `url` before it is revoked, and behind. */
static void
one_crl(void **state, const char *before, const char *until, size_t count,
    const char *part)
{
	struct scene s;
	AUTO_CHARS(serial) = NULL;

	begin(&s, *state);
	serial = issue_ca(&s, "one", KEY_SUB, NULL);
	if (before != NULL)
		sign_crl(&s, NULL, before, NULL);
	revoke_one(&s, serial);
	if (until != NULL)
		sign_crl(&s, NULL, until, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, count, part);
}

static void
test_no_crl(void **state)
{
	one_crl(state, NULL, NULL, 1, "no CRL has everything");
}

static void
test_crl_before(void **state)
{
	one_crl(state, FAR, NULL, 1, "no CRL has everything");
}

static void
test_crl_short(void **state)
{
	char soon[DATE_TEXT_SIZE];

	date_format(date_now() + DAY_SECONDS, soon);
	one_crl(state, NULL, soon, 1, "ends before");
}

static void
test_crl_good(void **state)
{
	char soon[DATE_TEXT_SIZE];

	date_format(date_now() + DAY_SECONDS, soon);
	one_crl(state, soon, FAR, 0, NULL);
}

/* The newest counts, not the one that lasts longest. */
static void
test_newest(void **state)
{
	struct scene s;
	char soon[DATE_TEXT_SIZE];
	AUTO_CHARS(serial) = NULL;

	begin(&s, *state);
	serial = issue_ca(&s, "one", KEY_SUB, NULL);
	revoke_one(&s, serial);
	date_format(date_now() + DAY_SECONDS, soon);
	sign_crl(&s, NULL, FAR, NULL);
	sign_crl(&s, NULL, soon, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 1, "ends before");
}

/* Two partitions, in each of which a certificate is revoked. */
static void
partitions(struct scene *s, struct world *w)
{
	AUTO_CHARS(one) = NULL;
	AUTO_CHARS(two) = NULL;

	begin(s, w);
	one = issue_ca(s, "one", KEY_SUB, URL_A);
	two = issue_ca(s, "two", KEY_FOREIGN, URL_B);
	revoke_one(s, one);
	revoke_one(s, two);
}

static void
test_partition_missing(void **state)
{
	struct scene s;

	partitions(&s, *state);
	sign_crl(&s, URL_A, FAR, NULL);
	sign_crl(&s, URL_A, FAR, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 1, "with 'http://c.example/root-g1/2.crl'");
}

static void
test_partition_short(void **state)
{
	struct scene s;
	char soon[DATE_TEXT_SIZE];

	partitions(&s, *state);
	date_format(date_now() + DAY_SECONDS, soon);
	sign_crl(&s, URL_A, soon, NULL);
	sign_crl(&s, URL_B, FAR, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 1, "with 'http://c.example/root-g1/1.crl'");
	assert_found(s.w, "AUDIT-LAST-CRL", "ends before");
}

static void
test_partitions_good(void **state)
{
	struct scene s;

	partitions(&s, *state);
	sign_crl(&s, URL_A, FAR, NULL);
	sign_crl(&s, URL_B, FAR, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 0, NULL);
}

static void
test_partitions_full(void **state)
{
	struct scene s;

	partitions(&s, *state);
	sign_crl(&s, URL_A, FAR, NULL);
	sign_crl(&s, NULL, FAR, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 0, NULL);
}

/* They are CAs': a CRL about the others has them not. */
static void
test_partition_of_users(void **state)
{
	struct scene s;

	partitions(&s, *state);
	sign_crl(&s, URL_A, FAR, "ca");
	sign_crl(&s, URL_B, FAR, "user");
	give_state(&s, "retired");
	assert_lacks(&s, 1, "with 'http://c.example/root-g1/2.crl'");
}

/* What names no CRL stands on a full one alone. */
static void
test_partition_unknown(void **state)
{
	struct scene s;

	partitions(&s, *state);
	revoke_one(&s, "4a4b4c4d4e4f50515253");
	sign_crl(&s, URL_A, FAR, NULL);
	sign_crl(&s, URL_B, FAR, NULL);
	give_state(&s, "retired");
	assert_lacks(&s, 1, "of its certificates");
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
		TEST(test_nothing_issued),
		TEST(test_in_force),
		TEST(test_retiring),
		TEST(test_no_crl),
		TEST(test_crl_before),
		TEST(test_crl_short),
		TEST(test_crl_good),
		TEST(test_newest),
		TEST(test_partition_missing),
		TEST(test_partition_short),
		TEST(test_partitions_good),
		TEST(test_partitions_full),
		TEST(test_partition_of_users),
		TEST(test_partition_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
