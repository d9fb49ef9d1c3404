/*
 * Steps: kinds, names, serial numbers, and which objects of an earlier list
 * may still be signed as they are.
 */
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "ceremony/steps/build.h"
#include "support.h"

enum { NOW = 1800000000, HOURS = 3600 };

static const char head[] = "format: ca-tool-plan-1\n"
			   "id: a\n"
			   "title: A test\n"
			   "window:\n"
			   "  from: 2026-01-01T00:00:00Z\n"
			   "  until: 2026-02-01T00:00:00Z\n"
			   "steps:\n";

/* A plan, its steps, and a build over an empty journal. */
struct fixture {
	char text[4096];
	char dir[32];
	struct journal *journal;
	struct yaml *doc;
	struct plan_params *params;
	struct step *steps;
	struct inputs inputs;
	struct findings findings;
	struct build build;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return -1;
	ca_error_clear();
	(void)snprintf(f->dir, sizeof(f->dir), "test-steps-XXXXXX");
	if (mkdtemp(f->dir) == NULL || journal_create(f->dir, &f->journal) < 0)
		return -1;
	*state = f;
	return journal_append(f->journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "example",
		"format", 1, "token", "label", "x", "tool", "0"),
	    "a test", NULL);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char path[64];

	build_clear(&f->build);
	findings_clear(&f->findings);
	free(f->steps);
	yaml_value_free(&plan_schema, f->params);
	yaml_free(f->doc);
	journal_free(f->journal);
	(void)snprintf(path, sizeof(path), "%s/journal.db", f->dir);
	(void)unlink(path);
	(void)rmdir(f->dir);
	free(f);
	return 0;
}

static int
load(struct fixture *f, const char *steps)
{
	void *value = NULL;
	int len = snprintf(f->text, sizeof(f->text), "%s%s", head, steps);

	build_clear(&f->build);
	findings_clear(&f->findings);
	f->findings = (struct findings){ 0 };
	free(f->steps);
	f->steps = NULL;
	yaml_value_free(&plan_schema, f->params);
	yaml_free(f->doc);
	f->doc = NULL;
	f->params = NULL;
	assert_ok(yaml_load("plan.yaml", (const unsigned char *)f->text,
	    (size_t)len, &plan_schema, &f->findings, &f->doc, &value));
	f->params = value;
	f->build = (struct build){
		.mode = BUILD_CHECK,
		.journal = f->journal,
		.inputs = &f->inputs,
		.public_fd = -1,
		.now = NOW,
		.findings = &f->findings,
	};
	return steps_make(f->params, f->doc, &f->findings, &f->steps);
}

static void
check(struct fixture *f, const char *steps)
{
	assert_ok(load(f, steps));
	assert_ok(build_plan(&f->build, f->steps, f->params->steps_count));
}

/* ---- kinds ------------------------------------------------------------ */

#define KEY_STEP(name)                                                         \
	"  - generate-key: {key: " name ", type: p-256, purpose: ca, backup: " \
	"none}\n"

static void
test_kinds(void **state)
{
	struct fixture *f = *state;

	assert_refused(CA_R_INPUT, load(f, "  - {}\n" KEY_STEP("k")));
	assert_only(&f->findings, "STEP-KIND", place_in(f->text, "{}"));
	assert_refused(CA_R_INPUT,
	    load(f,
		KEY_STEP("k") "  - revoke: {issuer: a, serial: b, reason: c}\n"
			      "    crl: {name: a, issuer: b, profile: c}\n"));
	assert_int_equal(f->findings.count, 1);
	assert_string_equal(f->findings.rows[0].id, "STEP-KIND");
	assert_non_null(strstr(f->findings.rows[0].place, "plan.yaml:10:"));
	/* All that are wrong are told. */
	assert_refused(CA_R_INPUT, load(f, "  - {}\n  - {}\n  - {}\n"));
	assert_int_equal(count_findings(&f->findings, "STEP-KIND", NULL), 3);
	assert_ok(load(f, KEY_STEP("k") KEY_STEP("l")));
	assert_ptr_equal(f->steps[0].kind, &step_generate_key);
	assert_int_equal(f->steps[1].index, 1);
}

/* Each kind has what the loops call, and an output that exists. */
static void
test_table(void **state)
{
	const struct step_kind *kind;
	size_t kinds = 0;

	(void)state;
	for (size_t i = 0; (kind = step_kind_at(i)) != NULL; i++) {
		kinds++;
		assert_non_null(kind->check);
		assert_non_null(kind->describe);
		assert_true((kind->output == NULL) == (kind->publish == NULL));
		if (kind->output != NULL)
			assert_non_null(output_by_kind(kind->output));
		assert_true(kind->keys != NULL || kind->build != NULL);
	}
	assert_int_equal(kinds, 8);
	assert_null(output_by_kind("nothing"));
}

/* ---- names ------------------------------------------------------------ */

static void
test_names(void **state)
{
	static const char *const bad[] = { "A", "'a b'", "a/b", "..", ".a",
		"a.", "-a", "a-", "_a", "'a\\'", "'ä'",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	static const char *const good[] = { "a", "0", "a.b", "a-b_c.d", "9z",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct fixture *f = *state;
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "  - generate-key: {key: %s, type: p-256, purpose: ca, "
		    "backup: none}\n",
		    bad[i]);
		check(f, text);
		assert_only(
		    &f->findings, "NAME-FORM", place_in(f->text, bad[i]));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		(void)snprintf(text, sizeof(text),
		    "  - generate-key: {key: %s, type: p-256, purpose: ca, "
		    "backup: none}\n",
		    good[i]);
		check(f, text);
		assert_int_equal(f->findings.count, 0);
	}
	check(f, KEY_STEP("k") KEY_STEP("k"));
	assert_only(&f->findings, "NAME-TAKEN", place_in(f->text, "k,"));
}

static void
test_keys_are_ordered(void **state)
{
	struct fixture *f = *state;

	/* A key is there for later steps only. */
	check(f,
	    "  - csr: {name: r, key: k, subject: {common-name: x}}\n" KEY_STEP(
		"k"));
	assert_only(&f->findings, "KEY-MISSING", "plan.yaml:8:25");
	check(f,
	    KEY_STEP("k") "  - csr: {name: r, key: k, subject: {common-name: "
			  "x}}\n");
	assert_int_equal(f->findings.count, 0);
	assert_int_equal(f->build.object_count, 1);
	assert_int_equal(f->build.objects[0].stage, STAGE_CSR);
	/* One of which the step is wrong is not told twice. */
	check(f,
	    "  - generate-key: {key: k, type: dsa, purpose: ca, backup: none}\n"
	    "  - csr: {name: r, key: k, subject: {common-name: x}}\n");
	assert_only(&f->findings, "KEY-TYPE", place_in(f->text, "dsa"));
}

/* ---- serial numbers --------------------------------------------------- */

static void
extend(X509 *cert, int nid, const char *value)
{
	AUTO(X509_EXTENSION) *extension =
	    X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
}

/* A CA certificate that is taken in by this plan, called "outside". */
static void
add_outside_ca(struct fixture *f)
{
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	struct built_act act = { .entry = ENTRY_ADOPTED };
	X509_NAME *name = X509_get_subject_name(cert);

	assert_non_null(key);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
			     (const unsigned char *)"CA", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(cert, name), 1);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 77), 1);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), NOW - 86400));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), NOW + 86400));
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	extend(cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	act.kind = strdup("adopt-certificate");
	act.data = json_object();
	act.summary = strdup("a test");
	act.name = strdup("outside");
	act.key = strdup("k");
	act.certificate = cert;
	assert_ok(build_add_act(&f->build, &act));
}

/* The serial that a revoke step makes of `text`; "" where it is refused. */
static const char *
revoked_serial(struct fixture *f, const char *text)
{
	char steps[512];

	(void)snprintf(steps, sizeof(steps),
	    "  - revoke: {issuer: outside, serial: '%s', reason: superseded}\n",
	    text);
	assert_ok(load(f, steps));
	add_outside_ca(f);
	assert_ok(build_plan(&f->build, f->steps, 1));
	if (f->findings.count > 0) {
		assert_only(&f->findings, "SERIAL-FORM", NULL);
		assert_int_equal(f->build.act_count, 1);
		return "";
	}
	assert_int_equal(f->build.act_count, 2);
	return json_string_value(
	    json_object_get(f->build.acts[1].data, "serial"));
}

static void
test_serials(void **state)
{
	static const struct {
		const char *given, *canonical;
	} cases[] = {
		{ "1", "01" },
		{ "01", "01" },
		{ "0001", "01" },
		{ "7f", "7f" },
		{ "7F", "7f" },
		{ "80", "0080" },
		{ "0080", "0080" },
		{ "000080", "0080" },
		{ "FF00", "00ff00" },
		{ "100", "0100" },
		{ "aBcDeF", "00abcdef" },
		{ "7fffffffffffffffffffffffffffffffffffffff",
		    "7fffffffffffffffffffffffffffffffffffffff" },
		{ "007fffffffffffffffffffffffffffffffffffffff",
		    "7fffffffffffffffffffffffffffffffffffffff" },
		/* RFC 5280, section 4.1.2.2: at most 20 octets, positive. */
		{ "ffffffffffffffffffffffffffffffffffffffff", "" },
		{ "010000000000000000000000000000000000000000", "" },
		{ "0", "" },
		{ "0000", "" },
		{ "0x01", "" },
		{ "01:02", "" },
		{ " 01", "" },
		{ "-1", "" },
		{ "g0", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(
		    revoked_serial(f, cases[i].given), cases[i].canonical);
}

static void
test_reasons(void **state)
{
	static const char *const bad[] = { "certificateHold", "removeFromCRL",
		"cACompromise", "aACompromise", "KeyCompromise", "1" };
	struct fixture *f = *state;
	char text[256], quoted[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(quoted, sizeof(quoted), "'%s'", bad[i]);
		(void)snprintf(text, sizeof(text),
		    "  - revoke: {issuer: a, serial: 0a, reason: %s}\n",
		    quoted);
		check(f, text);
		assert_only(
		    &f->findings, "CRL-REASON-SET", place_in(f->text, quoted));
	}
}

/* ---- what an earlier list left ---------------------------------------- */

static void
test_earlier(void **state)
{
	struct earlier_object rows[] = {
		{ .state = EARLIER_SPOOLED, .built = NOW },
	};
	struct build build = {
		.now = NOW,
		.earlier = rows,
		.earlier_count = 1,
	};

	(void)state;
	assert_int_equal(build_earlier(&build, false)->state, EARLIER_SPOOLED);
	/* What it rests on was built anew. */
	assert_int_equal(build_earlier(&build, true)->state, EARLIER_NOTHING);
	/* Twelve hours, to the second. */
	rows[0].built = NOW - 12 * HOURS;
	assert_int_equal(build_earlier(&build, false)->state, EARLIER_SPOOLED);
	rows[0].built--;
	assert_int_equal(build_earlier(&build, false)->state, EARLIER_NOTHING);
	/* A clock that went back since. */
	rows[0].built = NOW + 1;
	assert_int_equal(build_earlier(&build, false)->state, EARLIER_NOTHING);
	/* What is signed stays signed, however old. */
	rows[0] = (struct earlier_object){ .state = EARLIER_SIGNED };
	assert_int_equal(build_earlier(&build, true)->state, EARLIER_SIGNED);
	/* Of the second object the list has nothing. */
	build.object_count = 1;
	assert_int_equal(build_earlier(&build, false)->state, EARLIER_NOTHING);
}

static void
test_earlier_bytes(void **state)
{
	unsigned char bytes[] = { 0x30, 0x03, 0x02, 0x01, 0x05 };
	const struct earlier_object earlier = {
		.state = EARLIER_SPOOLED,
		.alg = sigalg_by_name("ecdsa-sha256"),
		.der = bytes,
		.len = sizeof(bytes),
	};
	AUTO_STRUCT(tbs) tbs = { 0 };

	(void)state;
	assert_ok(earlier_tbs(&earlier, OBJECT_CRL, &tbs));
	assert_int_equal(tbs.kind, OBJECT_CRL);
	assert_ptr_equal(tbs.alg, earlier.alg);
	assert_int_equal(tbs.len, sizeof(bytes));
	assert_memory_equal(tbs.der, bytes, sizeof(bytes));
	assert_ptr_not_equal(tbs.der, bytes);
}

/* ---- inputs ----------------------------------------------------------- */

static void
test_inputs(void **state)
{
	AUTO_STRUCT(inputs) inputs = { 0 };
	const struct input *a, *b;
	enum input_role role;

	(void)state;
	assert_ok(inputs_add(&inputs, INPUT_FILE, "../x/evil name.csr", NULL,
	    (unsigned char *)strdup("one"), 3));
	assert_ok(inputs_add(&inputs, INPUT_FILE, "y/evil name.csr", NULL,
	    (unsigned char *)strdup("two"), 3));
	a = inputs_find(&inputs, INPUT_FILE, "../x/evil name.csr");
	b = inputs_find(&inputs, INPUT_FILE, "y/evil name.csr");
	assert_non_null(a);
	assert_non_null(b);
	/* Below inputs/, each under a name of its own. */
	assert_null(strchr(a->file, '/'));
	assert_null(strchr(b->file, '/'));
	assert_string_not_equal(a->file, b->file);
	assert_null(inputs_find(&inputs, INPUT_PROFILE, "y/evil name.csr"));
	for (role = INPUT_PLAN; role <= INPUT_FILE; role++) {
		enum input_role back = INPUT_PLAN;

		assert_ok(input_role_by_name(input_role_name(role), &back));
		assert_int_equal(back, role);
	}
	assert_refused(CA_R_CORRUPT, input_role_by_name("other", &role));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_kinds),
		TEST(test_table),
		TEST(test_names),
		TEST(test_keys_are_ordered),
		TEST(test_serials),
		TEST(test_reasons),
		cmocka_unit_test(test_earlier),
		cmocka_unit_test(test_earlier_bytes),
		cmocka_unit_test(test_inputs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
