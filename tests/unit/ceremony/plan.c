/*
 * Plans over a real authority: where findings point, what is kept, and that
 * what was kept is read again as it was, or not at all.
 */
#include "ceremony/plan.h"

#include <ftw.h>
#include <sys/stat.h>

#include "base/date.h"
#include "ceremony/approve.h"
#include "people.h"

static char base[64];
static char written[4096]; /* the plan, as written */
static struct seats seats;

/* ---- files ------------------------------------------------------------ */

static const char *
in_base(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
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
setup(void **state)
{
	static const char *const names[] = { "alice", "bob", "carol", "wendy" };
	static const char *const unattended[] = { "crl", NULL };
	AUTO_STRUCT(findings) findings = { 0 };
	struct room room;
	char set[512];
	const struct authority_options options = {
		.id = "example.org/unit",
		.profiles = PROFILE_DATA,
		.crl_url = "http://crl.example.org/{issuer}.crl",
		.set = set,
		.unattended = unattended,
	};

	(void)state;
	(void)snprintf(base, sizeof(base), "test-plan-XXXXXX");
	if (process_harden() < 0 || mkdtemp(base) == NULL)
		return -1;
	people_make(base, names, 4, 1, 2);
	(void)snprintf(set, sizeof(set), "%s/set.yaml", base);
	room = people_room(&seats, base, "alice bob carol");
	if (authority_init(in_base("a"), &options, &room, &findings) < 0) {
		ca_error_drain(show_error, NULL);
		return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* `head` stands between the window and the steps. */
static void
write_headed(const char *id, const char *head, const char *steps)
{
	FILE *file = fopen(in_base("plan.yaml"), "w");

	assert_non_null(file);
	(void)snprintf(written, sizeof(written),
	    "format: ca-tool-plan-1\nid: %s\ntitle: A test\nwindow:\n"
	    "  from: 2020-01-01T00:00:00Z\n  until: 2099-01-01T00:00:00Z\n"
	    "%ssteps:\n%s",
	    id, head, steps);
	assert_true(fputs(written, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
write_plan(const char *id, const char *steps)
{
	write_headed(id, "", steps);
}

/* ---- findings and their places ---------------------------------------- */

/* One wrong thing, its id, and the text that it stands at. */
static void
refused_at(const char *steps, const char *id, const char *what)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct plan *plan = NULL;

	write_plan("refused", steps);
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_refused(CA_R_INPUT,
	    plan_open(
		authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	assert_null(plan);
	assert_only(&findings, id, place_in(written, what));
}

#define KEY \
	"  - generate-key: {key: k, type: p-256, purpose: ca, backup: none}\n"
#define SUBJECT "subject: {country: DE, organization: O, common-name: N}"

static void
test_places(void **state)
{
	(void)state;
	refused_at("  - generate-key: {key: k, type: p-224, purpose: ca, "
		   "backup: none}\n",
	    "KEY-TYPE", "p-224");
	refused_at("  - generate-key: {key: k, type: p-256, purpose: tls, "
		   "backup: none}\n",
	    "KEY-PURPOSE", "tls");
	refused_at("  - generate-key: {key: k, type: p-256, purpose: ca, "
		   "backup: wrap}\n",
	    "P11-RESTORED-KEY", "wrap");
	refused_at("  - generate-key: {key: journal, type: p-256, purpose: "
		   "ca, backup: none}\n",
	    "NAME-TAKEN", "journal");
	refused_at("  - root: {name: r, key: gone, profile: root, " SUBJECT
		   "}\n",
	    "KEY-MISSING", "gone");
	refused_at("  - root: {name: r, key: journal, profile: root, " SUBJECT
		   "}\n",
	    "KEY-PURPOSE", "journal");
	refused_at(KEY "  - root:\n      name: r\n      key: k\n"
		       "      profile: absent\n      " SUBJECT "\n",
	    "PROFILE-MISSING", "absent");
	refused_at(KEY
	    "  - root:\n      name: r\n      key: k\n"
	    "      profile: root\n      validity: 20y\n      " SUBJECT "\n",
	    "DURATION", "20y");
	refused_at(KEY
	    "  - subordinate: {name: s, key: k, issuer: none, profile: "
	    "issuing-ca, " SUBJECT "}\n",
	    "ISSUER-MISSING", "none, profile");
	refused_at(KEY
	    "  - root: {name: r, key: k, profile: root, " SUBJECT "}\n"
	    "  - subordinate: {name: s, csr: gone.csr, issuer: r, profile: "
	    "issuing-ca, " SUBJECT "}\n",
	    "INPUT", "gone.csr");
	refused_at("  - crl: {name: c, issuer: none, profile: ca-crl}\n",
	    "ISSUER-MISSING", "none, profile");
}

/* ---- keeping ---------------------------------------------------------- */

struct lines {
	size_t count;
	char last[256];
};

static void
count_line(void *ctx, size_t step, const char *kind, const char *text)
{
	struct lines *lines = ctx;

	lines->count++;
	assert_int_equal(step, lines->count);
	(void)snprintf(lines->last, sizeof(lines->last), "%s: %s", kind, text);
}

/* Check and keep; its directory. */
static void
keep(char ret_path[512])
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	assert_null(plan_directory(plan));
	assert_null(plan_manifest_sha256(plan));
	assert_ok(plan_keep(authority, plan));
	assert_non_null(plan_directory(plan));
	(void)snprintf(
	    ret_path, 512, "%s/a/ceremonies/%s", base, plan_directory(plan));
}

static void
test_round_trip(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	struct lines lines = { 0 };
	int64_t from = 0, until = 0, expected = 0;
	char path[512];

	(void)state;
	write_plan("kept",
	    KEY "  - root: {name: r, key: k, profile: root, " SUBJECT "}\n"
		"  - crl: {name: r, issuer: r, profile: ca-crl}\n");
	keep(path);
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(plan_open(authority, path, date_now(), &findings, &plan));
	assert_string_equal(plan_id(plan), "kept");
	assert_string_equal(plan_title(plan), "A test");
	assert_int_equal(plan_step_count(plan), 3);
	plan_window(plan, &from, &until);
	assert_ok(date_parse("2020-01-01T00:00:00Z", &expected));
	assert_int_equal(from, expected);
	assert_ok(date_parse("2099-01-01T00:00:00Z", &expected));
	assert_int_equal(until, expected);
	/* Its directory is named after its id and its manifest. */
	assert_memory_equal(plan_directory(plan), "kept-", 5);
	assert_memory_equal(
	    plan_directory(plan) + 5, plan_manifest_sha256(plan), 8);
	assert_int_equal(strlen(plan_directory(plan)), 13);
	assert_ok(plan_describe(plan, count_line, &lines));
	assert_int_equal(lines.count, 3);
	assert_memory_equal(lines.last, "crl: ", 5);
}

/* Reopening a kept plan after `change` fails, for this reason. */
static void
changed(void (*change)(const char *path), enum ca_reason reason)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct plan *plan = NULL;
	char path[512];

	write_plan("changed", KEY);
	keep(path);
	change(path);
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_refused(
	    reason, plan_open(authority, path, date_now(), &findings, &plan));
	assert_null(plan);
	assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void
append_to(const char *path, const char *name)
{
	char file[600];
	FILE *stream;

	(void)snprintf(file, sizeof(file), "%s/%s", path, name);
	stream = fopen(file, "a");
	assert_non_null(stream);
	assert_int_equal(fputs("#\n", stream) < 0, 0);
	assert_int_equal(fclose(stream), 0);
}

static void
grow_plan(const char *path)
{
	append_to(path, "inputs/plan.yaml");
}

static void
grow_manifest(const char *path)
{
	char file[600];
	FILE *stream;

	/* White space: the same JSON, other bytes. */
	(void)snprintf(file, sizeof(file), "%s/manifest.json", path);
	stream = fopen(file, "a");
	assert_non_null(stream);
	assert_int_equal(fputs("\n", stream) < 0, 0);
	assert_int_equal(fclose(stream), 0);
}

static void
break_manifest(const char *path)
{
	append_to(path, "manifest.json");
}

static void
drop_manifest(const char *path)
{
	char file[600];

	(void)snprintf(file, sizeof(file), "%s/manifest.json", path);
	assert_int_equal(unlink(file), 0);
}

static void
test_changed(void **state)
{
	(void)state;
	changed(grow_plan, CA_R_VERIFY);
	changed(grow_manifest, CA_R_VERIFY);
	changed(break_manifest, CA_R_CORRUPT);
	changed(drop_manifest, CA_R_MISSING);
}

/* Keeping the same plan twice gives the same directory, and no second one. */
static void
test_kept_once(void **state)
{
	char one[512], two[512];

	(void)state;
	write_plan("once", KEY);
	keep(one);
	keep(two);
	assert_string_equal(one, two);
}

/* ---- unattended -------------------------------------------------------- */

/* The plan in plan.yaml has exactly so many of each of these findings. */
static void
refused_with(size_t kinds, size_t roots, size_t values)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct plan *plan = NULL;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_refused(CA_R_INPUT,
	    plan_open(
		authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	assert_int_equal(
	    count_findings(&findings, "UNATTENDED-KIND", NULL), kinds);
	assert_int_equal(
	    count_findings(&findings, "UNATTENDED-ROOT", NULL), roots);
	assert_int_equal(
	    count_findings(&findings, "PLAN-UNATTENDED", NULL), values);
	assert_int_equal(count_raised(&findings), kinds + roots + values);
}

static void
test_unattended(void **state)
{
	char path[512];

	(void)state;
	write_headed("u", "unattended: false\n", KEY);
	keep(path);
	write_headed("u", "unattended: perhaps\n", KEY);
	refused_with(0, 0, 1);
	write_headed("u", "unattended: true\n", KEY);
	refused_with(1, 0, 0);
	/* authority.yaml names 'crl'; but this is a root's, as is the root. */
	write_headed("u", "unattended: true\n",
	    KEY "  - root: {name: r, key: k, profile: root, " SUBJECT "}\n"
		"  - crl: {name: r, issuer: r, profile: ca-crl}\n");
	refused_with(2, 1, 0);
}

/* ---- keeping it again ------------------------------------------------- */

/* A login, say: the journal grows, and nothing else changes. */
static void
grow_journal(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(journal_append(authority_journal(authority), ENTRY_EVENT,
	    json_pack("{s:s}", "event", "test"), "something happened", NULL));
}

static void
test_kept_while_journal_grows(void **state)
{
	char one[512], two[512];

	(void)state;
	write_plan("grows", KEY);
	keep(one);
	grow_journal();
	keep(two);
	assert_string_equal(one, two);
	write_plan("grows",
	    "  - generate-key: {key: k2, type: p-256, purpose: ca, backup: "
	    "none}\n");
	keep(two);
	assert_string_not_equal(one, two);
	/* What is damaged is not taken. */
	grow_plan(one);
	write_plan("grows", KEY);
	grow_journal();
	keep(two);
	assert_string_not_equal(one, two);
}

/* ---- approving -------------------------------------------------------- */

/* Approve what is in plan.yaml, by these people. */
static int
approve(const char *names, struct findings *findings)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	const char *no = seats.says_no;
	struct room room = people_room(&seats, base, names);

	seats.says_no = no;
	seats.look_at = 1;
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("plan.yaml"), date_now(), findings, &plan));
	return plan_approve(authority, plan, &room, findings);
}

/* Who has approved, as `names`; and how many sentences say what is void. */
static void
has_status(const char *names, size_t missing, const char *causes)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(plan_status) status = { 0 };
	char approved[128] = "";

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(plan_look(authority, in_base("plan.yaml"), &findings, &plan));
	assert_ok(plan_status(authority, plan, &findings, &status));
	for (size_t i = 0; i < status.approved_count; i++) {
		strcat(approved, i == 0 ? "" : " ");
		strcat(approved, status.approved[i]);
	}
	assert_string_equal(approved, names);
	assert_int_equal(status.missing_count, missing);
	assert_int_equal(status.threshold, 2);
	assert_string_equal(status.run, "not run");
	assert_int_equal(status.void_count, causes == NULL ? 0 : 1);
	if (causes == NULL)
		return;
	assert_non_null(strstr(status.void_approvals[0], causes));
}

static void
test_approve(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };

	(void)state;
	write_plan("approve",
	    KEY "  - root: {name: r, key: k, profile: root, " SUBJECT "}\n");
	seats.says_no = NULL;
	has_status("", 3, NULL);
	assert_ok(approve("bob", &findings));
	assert_non_null(strstr(seats.shown, "1. make a p-256 key 'k'"));
	assert_non_null(strstr(seats.shown, "read aloud"));
	assert_non_null(strstr(seats.shown, "Subject: C = DE, O = O, CN = N"));
	has_status("bob", 2, NULL);
	/* Once is enough; a witness, a stranger and a no are not. */
	assert_ok(approve("bob", &findings));
	assert_int_equal(seats.decided, 0);
	assert_refused(CA_R_QUORUM, approve("wendy", &findings));
	assert_refused(CA_R_QUORUM, approve("mallory", &findings));
	assert_refused(CA_R_QUORUM, approve("", &findings));
	seats.says_no = "alice";
	assert_refused(CA_R_POLICY, approve("alice", &findings));
	seats.says_no = NULL;
	has_status("bob", 2, NULL);
	assert_ok(approve("alice carol", &findings));
	has_status("alice bob carol", 0, NULL);
	assert_quiet(&findings);
	/* A changed plan has none of them. */
	write_plan("approve",
	    KEY "  - root: {name: r2, key: k, profile: root, " SUBJECT "}\n");
	has_status("", 3, "are void: plan.yaml was changed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_kept_once),
		cmocka_unit_test(test_kept_while_journal_grows),
		cmocka_unit_test(test_unattended),
		cmocka_unit_test(test_approve),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
