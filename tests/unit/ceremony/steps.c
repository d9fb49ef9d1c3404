/*
 * Steps: kinds, names, serial numbers, and which objects of an earlier list
 * may still be signed as they are.
 */
#include <ftw.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/date.h"
#include "ceremony/steps/special.h"
#include "journal-support.h"
#include "people.h"

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
	struct inputs inputs, late;
	struct findings findings;
	struct build build;
};

static int
system_random(void *ctx, unsigned char *ret_bytes, size_t len)
{
	(void)ctx;
	return RAND_bytes(ret_bytes, (int)len) == 1 ? 0 : -1;
}

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
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	build_clear(&f->build);
	findings_clear(&f->findings);
	inputs_clear(&f->inputs);
	inputs_clear(&f->late);
	free(f->steps);
	yaml_value_free(&plan_schema, f->params);
	yaml_free(f->doc);
	journal_free(f->journal);
	(void)nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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
		.random = system_random,
		.findings = &f->findings,
		.urls = {
			[URL_CRL] = "http://c.example/{issuer}.crl",
			[URL_CA_ISSUERS] = "http://c.example/{issuer}.der",
		},
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
		/* One that makes many objects names none of them. */
		assert_true(kind == &step_certificates ||
		    (kind->output == NULL) == (kind->publish == NULL));
		if (kind->output != NULL)
			assert_non_null(output_by_kind(kind->output));
		assert_true(kind->keys != NULL || kind->build != NULL);
	}
	assert_int_equal(kinds, 24);
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
		assert_quiet(&f->findings);
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
	assert_quiet(&f->findings);
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
	if (f->findings.errors > 0) {
		assert_only(&f->findings, "SERIAL-FORM", NULL);
		assert_int_equal(f->build.act_count, 1);
		return "";
	}
	assert_only(&f->findings, "CRL-24H", NULL); /* a warning */
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
	struct tbs_file file = { .fd = -1 };
	struct earlier_object earlier = {
		.state = EARLIER_SPOOLED,
		.octets = { .kind = OBJECT_CSR,
		    .alg = sigalg_by_name("ecdsa-sha256"),
		    .der = bytes,
		    .len = sizeof(bytes) },
	};
	struct der der = { NULL, 0 };

	(void)state;
	assert_ok(earlier_in_memory(&earlier, OBJECT_CSR, &der));
	assert_ptr_equal(der.p, bytes);
	assert_int_equal(der.len, sizeof(bytes));
	/* Of another kind, or in a file: nothing to read. */
	assert_int_equal(
	    earlier_in_memory(&earlier, OBJECT_CERTIFICATE, &der), -1);
	assert_int_equal(ca_error_reason(), CA_R_CORRUPT);
	ca_error_clear();
	earlier.octets.der = NULL;
	earlier.octets.file = &file;
	assert_int_equal(earlier_in_memory(&earlier, OBJECT_CSR, &der), -1);
	assert_int_equal(ca_error_reason(), CA_R_CORRUPT);
	ca_error_clear();
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
	for (role = INPUT_PLAN; role <= INPUT_BULK; role++) {
		enum input_role back = INPUT_PLAN;

		assert_ok(input_role_by_name(input_role_name(role), &back));
		assert_int_equal(back, role);
	}
	assert_refused(CA_R_CORRUPT, input_role_by_name("other", &role));
}

/* ---- the steps that change the authority itself ----------------------- */

/* As `check`, in a run. */
static void
check_run(struct fixture *f, const char *steps, bool resumed, int64_t now)
{
	assert_ok(load(f, steps));
	f->build.mode = BUILD_RUN;
	f->build.run = RUN_1;
	f->build.resumed = resumed;
	f->build.now = now;
	assert_ok(build_plan(&f->build, f->steps, f->params->steps_count));
}

/* The only act that was built: what perform() will do, and not the loops. */
static const struct built_act *
only_act(struct fixture *f, const char *kind)
{
	const struct built_act *act = &f->build.acts[0];

	if (f->findings.errors > 0)
		print_message("%s: %s\n", f->findings.rows[0].id,
		    f->findings.rows[0].text);
	assert_int_equal(f->findings.errors, 0);
	assert_int_equal(f->build.act_count, 1);
	assert_int_equal(f->build.object_count, 0);
	assert_string_equal(act->kind, kind);
	assert_int_equal(act->entry, ENTRY_KINDS);
	assert_true(text_is_safe(act->summary, strlen(act->summary)));
	return act;
}

static bool
has_errors(const struct fixture *f, const char *id, size_t count)
{
	return count_findings(&f->findings, id, NULL) == count &&
	    f->findings.errors == count;
}

static void
add_input(struct fixture *f, enum input_role role, const char *given,
    const char *text)
{
	assert_ok(inputs_add(&f->inputs, role, given, NULL,
	    (unsigned char *)strdup(text), strlen(text)));
}

#define ABANDON "  - abandon: {plan: cut-off, why: a reason}\n"
#define CONFIG "  - adopt-config: {why: a reason}\n"
#define TOKEN "  - adopt-token: {serial: '2', why: a reason}\n"
#define CLOCK "  - correct-clock: {why: a reason}\n"
#define RESHARE "  - reshare: {set: set.yaml}\n"

static void
test_alone(void **state)
{
	static const char *const steps[] = { ABANDON, CONFIG, TOKEN, CLOCK,
		RESHARE };
	struct fixture *f = *state;
	char text[512];

	put_token(f->journal);
	add_input(f, INPUT_AUTHORITY, "authority.yaml", "x");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		check(f, steps[i]);
		assert_int_equal(
		    count_findings(&f->findings, "STEP-ALONE", NULL), 0);
		(void)snprintf(
		    text, sizeof(text), "%s%s", steps[i], KEY_STEP("k"));
		check(f, text);
		assert_int_equal(
		    count_findings(&f->findings, "STEP-ALONE", NULL), 1);
		(void)snprintf(text, sizeof(text), "%s%s", steps[i], CLOCK);
		check(f, text);
		assert_int_equal(
		    count_findings(&f->findings, "STEP-ALONE", NULL), 2);
	}
}

/* What they are called in plain words, without what could fool a terminal. */
static void
test_descriptions(void **state)
{
	static const struct {
		const char *step, *says;
	} cases[] = {
		{ ABANDON, "cut-off" },
		{ CONFIG, "profiles/" },
		{ TOKEN, "every key must be on it" },
		{ CLOCK, "clock" },
		{ RESHARE, "still every old copy" },
		{ "  - subordinate: {name: s, csr: late, issuer: r, profile: p, "
		  "subject: {common-name: x}}\n",
		    "compare it when you confirm" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_CHARS(text) = NULL;

		assert_ok(load(f, cases[i].step));
		assert_ok(f->steps[0].kind->describe(&f->steps[0], &text));
		assert_non_null(strstr(text, cases[i].says));
		assert_true(text_is_safe(text, strlen(text)));
	}
}

static void
test_why(void **state)
{
	struct fixture *f = *state;
	char text[700], why[WHY_MAX + 2];

	check(f, "  - correct-clock: {why: ' '}\n");
	assert_int_equal(count_findings(&f->findings, "WHY", NULL), 1);
	memset(why, 'a', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	(void)snprintf(
	    text, sizeof(text), "  - abandon: {plan: b, why: %s}\n", why);
	check(f, text);
	assert_only(&f->findings, "WHY", place_in(f->text, why));
	(void)snprintf(
	    text, sizeof(text), "  - abandon: {plan: b, why: %s}\n", why + 1);
	check(f, text);
	assert_only(&f->findings, "ABANDON-RUN", NULL);
}

static void
test_correct_clock(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;
	char floor[DATE_TEXT_SIZE];
	int64_t last = 0;

	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_2, "earlier", SOME_SET, NULL);
	assert_ok(journal_last_time(f->journal, &last));
	assert_true(last > 0);
	date_format(last, floor);
	/* To the second. */
	check_run(f, CLOCK, false, last);
	assert_only(&f->findings, "CLOCK-RIGHT", NULL);
	check_run(f, CLOCK, false, last - 1);
	act = only_act(f, "correct-clock");
	assert_string_equal(
	    json_string_value(json_object_get(act->data, "floor")), floor);
	assert_string_equal(
	    json_string_value(json_object_get(act->data, "why")), "a reason");
	date_format(last - 1, floor);
	assert_non_null(strstr(act->text, floor));
	/* Done by an earlier part of the same run. */
	check_run(f, CLOCK, true, last);
	assert_quiet(&f->findings);
	assert_int_equal(f->build.act_count, 0);
}

static void
test_adopt_token(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;

	put_token(f->journal);
	/* The same one may be restored from a copy: its head tells. */
	check(f, "  - adopt-token: {serial: '1', why: x}\n");
	(void)only_act(f, "adopt-token");
	check(f, "  - adopt-token: {serial: '00000000000000001', why: x}\n");
	assert_only(&f->findings, "TOKEN-NAME", NULL);
	check(f, "  - adopt-token: {serial: ' 2', why: x}\n");
	assert_only(&f->findings, "TOKEN-NAME", NULL);
	check(f, "  - adopt-token: {serial: '2', label: 'x ', why: x}\n");
	assert_only(&f->findings, "TOKEN-NAME", NULL);
	check(f, TOKEN);
	act = only_act(f, "adopt-token");
	assert_string_equal(act->text,
	    "{\"label\":{\"new\":\"x\",\"old\":\"x\"},"
	    "\"serial\":{\"new\":\"2\",\"old\":\"1\"},\"why\":\"a reason\"}");
	/* Another label alone is another token too. */
	check(f, "  - adopt-token: {serial: '1', label: y, why: x}\n");
	(void)only_act(f, "adopt-token");
	check_run(f, "  - adopt-token: {serial: '1', why: x}\n", true, NOW);
	(void)only_act(f, "adopt-token");
	/* Done by an earlier part of the same run. */
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "p", SOME_SET, NULL);
	put_adopted_token(f->journal, RUN_1);
	check_run(f, "  - adopt-token: {serial: '1', why: x}\n", true, NOW);
	assert_quiet(&f->findings);
	assert_int_equal(f->build.act_count, 0);
}

/* ---- adopt-config ----------------------------------------------------- */

static void
read_profile(const char *name, char ret_text[8192])
{
	char path[256];
	FILE *file;
	size_t len;

	(void)snprintf(path, sizeof(path), PROFILE_DATA "/%s.yaml", name);
	file = fopen(path, "r");
	assert_non_null(file);
	len = fread(ret_text, 1, 8191, file);
	assert_int_equal(fclose(file), 0);
	ret_text[len] = '\0';
}

static void
record_profile(struct fixture *f, const char *name, const char *text)
{
	AUTO_CHARS(hash) = sha256_hex(text, strlen(text));

	put_entry(f->journal, ENTRY_PROFILE,
	    json_pack("{s:s, s:s}", "profile", name, "sha256", hash));
}

static void
test_adopt_config(void **state)
{
	struct fixture *f = *state;
	char root[8192], crl[8192], changed[8300];
	AUTO_CHARS(config) = sha256_hex("a", 1);
	const struct built_act *act;
	json_t *changes;

	put_entry(
	    f->journal, ENTRY_CONFIG, json_pack("{s:s}", "sha256", config));
	read_profile("root", root);
	read_profile("ca-crl", crl);
	record_profile(f, "root", root);
	record_profile(f, "gone", "x");
	add_input(f, INPUT_AUTHORITY, "authority.yaml", "a");
	add_input(f, INPUT_PROFILE, "root", root);
	check(f, CONFIG);
	act = only_act(f, "adopt-config");
	assert_non_null(strstr(act->summary, "authority.yaml is as before"));
	assert_non_null(strstr(act->summary, "'gone' is removed"));
	assert_null(strstr(act->summary, "'root'"));
	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_1, "p", SOME_SET, NULL);
	put_entry(f->journal, ENTRY_PROFILE,
	    json_pack("{s:s, s:s, s:s, s:b}", "profile", "gone", "sha256",
		DIGEST_A, "run", RUN_1, "removed", 1));
	check(f, CONFIG);
	assert_only(&f->findings, "CONFIG-SAME", NULL);
	check_run(f, CONFIG, true, NOW);
	assert_int_equal(f->findings.count + f->build.act_count, 0);
	/* A changed one, a new one, and another authority.yaml. */
	inputs_clear(&f->inputs);
	(void)snprintf(changed, sizeof(changed), "%s# changed\n", root);
	add_input(f, INPUT_AUTHORITY, "authority.yaml", "b");
	add_input(f, INPUT_PROFILE, "root", changed);
	add_input(f, INPUT_PROFILE, "ca-crl", crl);
	check(f, CONFIG);
	act = only_act(f, "adopt-config");
	assert_non_null(strstr(act->summary, "authority.yaml is changed"));
	assert_non_null(strstr(act->summary, "'root' is changed"));
	assert_non_null(strstr(act->summary, "'ca-crl' is new"));
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(act->data, "config"), "old")),
	    config);
	changes = json_object_get(act->data, "profiles");
	assert_int_equal(json_array_size(changes), 2);
	assert_true(
	    json_is_null(json_object_get(json_array_get(changes, 1), "old")));
}

/* A profile that does not compile is not adopted. */
static void
test_adopt_config_profiles(void **state)
{
	struct fixture *f = *state;
	char root[8192];

	put_entry(
	    f->journal, ENTRY_CONFIG, json_pack("{s:s}", "sha256", DIGEST_A));
	add_input(f, INPUT_AUTHORITY, "authority.yaml", "a");
	add_input(f, INPUT_PROFILE, "broken", "format: ca-tool-profile-1\n");
	check(f, CONFIG);
	assert_true(f->findings.errors > 0);
	assert_int_equal(f->build.act_count, 0);
	inputs_clear(&f->inputs);
	read_profile("root", root);
	add_input(f, INPUT_AUTHORITY, "authority.yaml", "a");
	add_input(f, INPUT_PROFILE, "other-name", root);
	check(f, CONFIG);
	assert_true(has_errors(f, "PROFILE-ID", 1));
}

/* ---- abandon ---------------------------------------------------------- */

#define SPKI_USED "3001"
#define SPKI_IDLE "3002"
#define SPKI_NOT_BEGUN "3003"
#define SPKI_PERHAPS "3004"

/* A run that was cut off in the middle of everything. */
static void
put_cut_off(struct fixture *f)
{
	char used[65], perhaps[65], not_begun[65], other[65];

	put_set(f->journal, SOME_SET, "a set");
	put_run(f->journal, RUN_2, "cut-off", SOME_SET, NULL);
	put_key(f->journal, RUN_2, "used", "01", SPKI_USED);
	put_key(f->journal, RUN_2, "idle", "02", SPKI_IDLE);
	put_key(f->journal, RUN_2, "not-begun", "03", SPKI_NOT_BEGUN);
	put_key(f->journal, RUN_2, "perhaps", "04", SPKI_PERHAPS);
	put_key(f->journal, RUN_2, "half", "05", NULL);
	put_list(f->journal, RUN_2, 0);
	(void)spki_hash(SPKI_USED, used);
	(void)spki_hash(SPKI_PERHAPS, perhaps);
	(void)spki_hash(SPKI_NOT_BEGUN, not_begun);
	(void)spki_hash("3099", other);
	put_intent(f->journal, RUN_2, 0, "r", "0a", "root", used, used);
	put_result(f->journal, RUN_2, 0, "r");
	put_intent(
	    f->journal, RUN_2, 1, "s", "0b", "subordinate", used, perhaps);
	put_intent(
	    f->journal, RUN_2, 2, "t", "0c", "subordinate", used, not_begun);
	put_failed(f->journal, RUN_2, 2, "t", false);
}

static size_t
count_of(const struct built_act *act, const char *member)
{
	return json_array_size(json_object_get(act->data, member));
}

static bool
names(const struct built_act *act, const char *member, const char *name)
{
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(act->data, member), i,
	    row) if (strcmp(json_string_value(json_object_get(row, "name")),
			 name) == 0) return true;
	return false;
}

static void
test_abandon(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;
	AUTO_CHARS(text) = NULL;

	check(f, "  - abandon: {plan: a, why: it is itself}\n");
	assert_only(&f->findings, "ABANDON-RUN", NULL);
	check(f, "  - abandon: {plan: A b, why: no name}\n");
	assert_only(&f->findings, "NAME-FORM", NULL);
	check(f, ABANDON);
	assert_only(&f->findings, "ABANDON-RUN", place_in(f->text, "cut-off"));
	put_cut_off(f);
	check(f, ABANDON);
	act = only_act(f, "abandon");
	assert_string_equal(
	    json_string_value(json_object_get(act->data, "run")), RUN_2);
	assert_int_equal(count_of(act, "published"), 1);
	assert_true(names(act, "published", "r"));
	assert_int_equal(count_of(act, "spent"), 2);
	assert_int_equal(count_of(act, "kept"), 2);
	assert_true(names(act, "kept", "used"));
	assert_true(names(act, "kept", "perhaps"));
	assert_int_equal(count_of(act, "destroyed"), 3);
	assert_true(names(act, "destroyed", "idle"));
	assert_true(names(act, "destroyed", "not-begun"));
	assert_true(names(act, "destroyed", "half"));
	/* It says the same when part of it is done. */
	text = strdup(act->text);
	put_run(f->journal, RUN_1, "a", SOME_SET, RUN_2);
	put_failed(f->journal, RUN_2, 1, "s", true);
	put_entry(f->journal, ENTRY_KEY_DESTROYED,
	    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_2, "name", "idle",
		"id", "02", "objects", 2));
	put_entry(f->journal, ENTRY_KEY_DESTROYED,
	    json_pack("{s:s, s:s, s:s, s:i}", "run", RUN_2, "name", "half",
		"id", "05", "objects", 1));
	check_run(f, ABANDON, true, NOW);
	assert_string_equal(only_act(f, "abandon")->text, text);
	put_close(f->journal, RUN_2, "abandoned");
	check_run(f, ABANDON, true, NOW);
	assert_int_equal(f->findings.count + f->build.act_count, 0);
	check(f, ABANDON);
	assert_only(&f->findings, "ABANDON-RUN", NULL);
}

/* ---- reshare ---------------------------------------------------------- */

struct gathering {
	struct fixture *f;
	size_t files;
};

/* As plan.c does: from the fixture's directory. */
static int
need(void *ctx, enum input_role role, const char *given, const char *place)
{
	struct gathering *g = ctx;
	char path[512], *data;
	FILE *file;
	size_t len;

	assert_int_equal(role, INPUT_FILE);
	assert_non_null(place);
	g->files++;
	if (inputs_find(&g->f->inputs, role, given) != NULL)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/%s", g->f->dir, given);
	file = fopen(path, "r");
	if (file == NULL) {
		findings_add(&g->f->findings, FINDING_ERROR, "INPUT", place,
		    NULL, "'%s' is missing", given);
		return 0;
	}
	data = calloc(1, 65536);
	assert_non_null(data);
	len = fread(data, 1, 65535, file);
	assert_int_equal(fclose(file), 0);
	return inputs_add(
	    &g->f->inputs, role, given, NULL, (unsigned char *)data, len);
}

static int
no_profiles(void *ctx, const char *place)
{
	(void)ctx;
	fail_msg("profiles are wanted at %s", place);
	return -1;
}

/* Load, gather what the steps name, build. */
static void
check_files(struct fixture *f, const char *steps)
{
	struct gathering g = { .f = f };
	const struct input_visitor visitor = {
		.ctx = &g,
		.need = need,
		.need_profiles = no_profiles,
		.inputs = &f->inputs,
	};

	inputs_clear(&f->inputs);
	assert_ok(load(f, steps));
	f->build.shares = true;
	f->build.now = date_now();
	assert_ok(f->steps[0].kind->inputs(&f->steps[0], &visitor));
	assert_ok(build_plan(&f->build, f->steps, f->params->steps_count));
}

static void
make_people(struct fixture *f, const char *sub, unsigned threshold)
{
	static const char *const names[] = { "dora", "emil", "frida", "wendy" };
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, sub);
	assert_int_equal(mkdir(path, 0700), 0);
	people_make(path, names, 4, 1, threshold);
}

static void
append_text(struct fixture *f, const char *name, const char *text)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "a");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
test_reshare_set(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;
	json_t *people;
	AUTO_CHARS(text) = NULL;

	check_files(f, "  - reshare: {set: gone.yaml}\n");
	assert_only(&f->findings, "INPUT", place_in(f->text, "gone.yaml"));
	make_people(f, "new", 2);
	check_files(f, "  - reshare: {set: new/set.yaml}\n");
	act = only_act(f, "reshare");
	/* The set file, and every certificate that it names, beside it. */
	assert_int_equal(f->inputs.count, 1 + 3 * 2 + 1);
	assert_non_null(
	    inputs_find(&f->inputs, INPUT_FILE, "new/wendy.sign.crt"));
	people = json_object_get(act->data, "people");
	assert_int_equal(json_array_size(people), 4);
	assert_int_equal(
	    json_integer_value(json_object_get(act->data, "threshold")), 2);
	assert_true(json_is_null(
	    json_object_get(json_array_get(people, 3), "decrypt")));
	assert_int_equal(strlen(json_string_value(json_object_get(
			     json_array_get(people, 0), "decrypt"))),
	    64);
	assert_null(strstr(act->summary, "ATTENTION"));
	assert_non_null(strstr(act->summary,
	    "2 of 3 operators (dora, emil, "
	    "frida)"));
	/* Another file, another act. */
	text = strdup(act->text);
	append_text(f, "new/set.yaml", "# another\n");
	check_files(f, "  - reshare: {set: new/set.yaml}\n");
	assert_string_not_equal(only_act(f, "reshare")->text, text);
	/* What is wrong in the set is said with its place. */
	append_text(f, "new/set.yaml", "nonsense: 1\n");
	check_files(f, "  - reshare: {set: new/set.yaml}\n");
	assert_int_equal(f->build.act_count, 0);
	assert_true(f->findings.errors > 0);
	assert_non_null(strstr(f->findings.rows[0].place, "set.yaml"));
}

static void
test_reshare_single_control(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;

	make_people(f, "one", 1);
	check_files(f, "  - reshare: {set: one/set.yaml}\n");
	act = only_act(f, "reshare");
	assert_int_equal(count_findings(&f->findings, "SET-CONTROL", NULL), 1);
	assert_non_null(strstr(act->summary, "SINGLE CONTROL"));
	/* Where PINs are not derived nobody has a decryption certificate. */
	f->build.shares = false;
	build_clear(&f->build);
	assert_ok(load(f, "  - reshare: {set: one/set.yaml}\n"));
	f->build.now = date_now();
	assert_ok(build_plan(&f->build, f->steps, 1));
	assert_true(has_errors(f, "SET-CERTIFICATE", 3));
}

static void
put_backup(
    struct fixture *f, const char *event, const char *serial, const char *fate)
{
	put_entry(f->journal, ENTRY_EVENT,
	    json_pack("{s:s, s:s, s:s}", "event", event, "serial", serial,
		"fate", fate));
}

#define BACKUPS(rows) \
	"  - reshare:\n      set: new/set.yaml\n      backups:\n" rows
#define BACKUP(serial, fate) \
	"        - {serial: " serial ", fate: " fate ", note: by alice}\n"

static void
test_reshare_backups(void **state)
{
	struct fixture *f = *state;
	const struct built_act *act;

	make_people(f, "new", 2);
	put_backup(f, "backup", "b-1", "");
	put_backup(f, "backup", "b-2", "");
	put_backup(f, "backup", "b-3", "");
	put_backup(f, "backup-fate", "b-3", "destroyed");
	check_files(f, "  - reshare: {set: new/set.yaml}\n");
	assert_true(has_errors(f, "RESHARE-BACKUP", 2));
	check_files(f, BACKUPS(BACKUP("b-1", "destroyed")));
	assert_true(has_errors(f, "RESHARE-BACKUP", 1));
	check_files(f, BACKUPS(BACKUP("b-1", "lost") BACKUP("b-2", "remade")));
	assert_true(has_errors(f, "RESHARE-BACKUP", 1));
	assert_string_equal(
	    f->findings.rows[0].place, place_in(f->text, "lost"));
	check_files(f,
	    BACKUPS(BACKUP("b-1", "remade") BACKUP("b-2", "remade")
		    BACKUP("b-2", "destroyed")));
	assert_true(f->findings.errors == 1);
	/* All answered; one that is kept is warned of. */
	check_files(f, BACKUPS(BACKUP("b-1", "kept") BACKUP("b-2", "remade")));
	act = only_act(f, "reshare");
	assert_int_equal(count_of(act, "backups"), 2);
	assert_int_equal(
	    count_findings(&f->findings, "RESHARE-BACKUP", NULL), 1);
	/* One that nobody knows is perhaps written wrong. */
	check_files(f,
	    BACKUPS(BACKUP("b-1", "destroyed") BACKUP("b-2", "remade")
		    BACKUP("b-9", "destroyed")));
	(void)only_act(f, "reshare");
	assert_int_equal(
	    count_findings(&f->findings, "RESHARE-BACKUP", NULL), 1);
}

/* ---- requests that come late ------------------------------------------ */

#define LATE_PLAN                                                            \
	KEY_STEP("k")                                                        \
	"  - root: {name: r, key: k, profile: root, subject: {country: DE, " \
	"organization: O, common-name: R}}\n"                                \
	"  - subordinate: {name: s, csr: late, issuer: r, profile: "         \
	"issuing-ca, subject: {country: DE, organization: O, common-name: "  \
	"S}}\n"

static void
add_late_profiles(struct fixture *f)
{
	char text[8192];

	read_profile("root", text);
	add_input(f, INPUT_PROFILE, "root", text);
	read_profile("issuing-ca", text);
	add_input(f, INPUT_PROFILE, "issuing-ca", text);
}

/* In a run, with this key on the token and these requests. */
static void
check_late(struct fixture *f, EVP_PKEY *token_key, const struct inputs *late)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(token_key, &der);

	assert_true(len > 0);
	assert_ok(load(f, LATE_PLAN));
	f->build.mode = BUILD_RUN;
	f->build.run = RUN_1;
	f->build.late = late;
	assert_ok(build_collect_keys(&f->build, f->steps, 3));
	assert_ok(build_set_key(&f->build, "k", der, (size_t)len));
	assert_ok(build_plan(&f->build, f->steps, 3));
	OPENSSL_free(der);
}

/* The late request for "s": of `key`, signed by `signer`. */
static void
set_late(struct fixture *f, EVP_PKEY *key, EVP_PKEY *signer)
{
	X509_REQ *request = X509_REQ_new();
	unsigned char *der = NULL, *copy;
	int len;

	assert_non_null(request);
	assert_int_equal(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, signer, EVP_sha256()) > 0);
	len = i2d_X509_REQ(request, &der);
	assert_true(len > 0);
	copy = malloc((size_t)len);
	assert_non_null(copy);
	memcpy(copy, der, (size_t)len);
	OPENSSL_free(der);
	X509_REQ_free(request);
	inputs_clear(&f->late);
	assert_ok(
	    inputs_add(&f->late, INPUT_LATE, "s", NULL, copy, (size_t)len));
}

static int
count_need(
    void *ctx, enum input_role role, const char *given, const char *place)
{
	size_t *files = ctx;

	(void)given;
	(void)place;
	*files += role == INPUT_FILE;
	return 0;
}

/* A file that is called "late" is not what is meant. */
static void
test_late_check(void **state)
{
	struct fixture *f = *state;
	size_t files = 0;
	const struct input_visitor visitor = {
		.ctx = &files,
		.need = count_need,
		.inputs = &f->inputs,
	};

	add_late_profiles(f);
	check(f, LATE_PLAN);
	assert_quiet(&f->findings);
	assert_int_equal(f->build.object_count, 2);
	assert_non_null(strstr(f->build.objects[1].details,
	    "comes with the request when the plan is run"));
	assert_ok(f->steps[2].kind->inputs(&f->steps[2], &visitor));
	assert_int_equal(files, 0);
	assert_ok(load(f,
	    "  - subordinate: {name: s, csr: x.csr, issuer: r, profile: p, "
	    "subject: {common-name: S}}\n"));
	assert_ok(f->steps[0].kind->inputs(&f->steps[0], &visitor));
	assert_int_equal(files, 1);
}

static void
test_late_run(void **state)
{
	struct fixture *f = *state;
	AUTO(EVP_PKEY) *token_key = EVP_EC_gen("P-256");
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-384");
	AUTO(EVP_PKEY) *weak = EVP_RSA_gen(1024);
	AUTO_DER(der) = NULL;
	AUTO_CHARS(hash) = NULL;
	const struct built_object *o;
	int len;

	add_late_profiles(f);
	/* It did not come; the message says how to give it. */
	check_late(f, token_key, &f->late);
	assert_only(&f->findings, "CSR-LATE", place_in(f->text, "late"));
	assert_non_null(strstr(
	    f->findings.rows[f->findings.count - 1].text, "--csr s=FILE"));
	check_late(f, token_key, NULL);
	assert_only(&f->findings, "CSR-LATE", NULL);
	/* It did. */
	set_late(f, key, key);
	check_late(f, token_key, &f->late);
	assert_quiet(&f->findings);
	assert_int_equal(f->build.object_count, 2);
	o = &f->build.objects[1];
	len = i2d_PUBKEY(key, &der);
	assert_true(len > 0);
	hash = sha256_hex(der, (size_t)len);
	assert_non_null(hash);
	assert_string_equal(
	    json_string_value(json_object_get(o->facts, "spki")), hash);
	assert_non_null(strstr(o->details, hash));
	/* Everything that is checked of a request is checked of this one. */
	set_late(f, key, token_key);
	check_late(f, token_key, &f->late);
	assert_only(&f->findings, "CSR-POP", NULL);
	set_late(f, weak, weak);
	check_late(f, token_key, &f->late);
	assert_true(f->findings.errors > 0);
	assert_int_equal(f->build.object_count, 1);
	set_late(f, token_key, token_key);
	check_late(f, token_key, &f->late);
	assert_true(has_errors(f, "KEY-NOT-A-CA-KEY", 2));
}

/* When it was signed, the certificate says what key came. */
static void
test_late_signed(void **state)
{
	struct fixture *f = *state;
	AUTO(EVP_PKEY) *token_key = EVP_EC_gen("P-256");
	AUTO(EVP_PKEY) *key = EVP_EC_gen("P-384");
	struct earlier_object earlier[2] = { { 0 } };
	AUTO_BYTES(root) = NULL;
	AUTO_BYTES(sub) = NULL;
	unsigned char *der = NULL;
	int len;

	add_late_profiles(f);
	set_late(f, key, key);
	check_late(f, token_key, &f->late);
	assert_quiet(&f->findings);
	assert_ok(object_with_constant(
	    &f->build.objects[0].tbs, &root, &earlier[0].octets.len));
	assert_ok(object_with_constant(
	    &f->build.objects[1].tbs, &sub, &earlier[1].octets.len));
	earlier[0].state = earlier[1].state = EARLIER_SIGNED;
	earlier[0].octets.der = root;
	earlier[1].octets.der = sub;
	assert_ok(load(f, LATE_PLAN));
	f->build.mode = BUILD_RUN;
	f->build.run = RUN_1;
	f->build.resumed = true;
	f->build.earlier = earlier;
	f->build.earlier_count = 2;
	len = i2d_PUBKEY(token_key, &der);
	assert_true(len > 0);
	assert_ok(build_collect_keys(&f->build, f->steps, 3));
	assert_ok(build_set_key(&f->build, "k", der, (size_t)len));
	OPENSSL_free(der);
	assert_ok(build_plan(&f->build, f->steps, 3));
	assert_quiet(&f->findings);
	assert_int_equal(f->build.objects[1].from, BUILT_AND_SIGNED);
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
		TEST(test_alone),
		TEST(test_descriptions),
		TEST(test_why),
		TEST(test_correct_clock),
		TEST(test_adopt_token),
		TEST(test_adopt_config),
		TEST(test_adopt_config_profiles),
		TEST(test_abandon),
		TEST(test_reshare_set),
		TEST(test_reshare_single_control),
		TEST(test_reshare_backups),
		TEST(test_late_check),
		TEST(test_late_run),
		TEST(test_late_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
