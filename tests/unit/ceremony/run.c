/*
 * Runs with three operators of whom two are needed: who must approve and
 * confirm, what counts, and what a cut-off run goes on with.
 */
#include "ceremony/run.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/file.h"
#include "ceremony/approve.h"
#include "people.h"

static char base[64];
static struct seats seats;

#define KEY(name)                       \
	"  - generate-key: {key: " name \
	", type: p-256, purpose: ca, backup: none}\n"
#define SUBJECT(name) \
	"subject: {country: DE, organization: O, common-name: " name "}"
#define ROOT(name, key)                        \
	"  - root: {name: " name ", key: " key \
	", profile: root, " SUBJECT(name) "}\n"

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

static void
write_file(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
write_plan(const char *id, const char *head, const char *steps)
{
	char text[4096];

	(void)snprintf(text, sizeof(text),
	    "format: ca-tool-plan-1\nid: %s\ntitle: A test\nwindow:\n"
	    "  from: 2020-01-01T00:00:00Z\n  until: 2099-01-01T00:00:00Z\n"
	    "%ssteps:\n%s",
	    id, head, steps);
	write_file(in_base("plan.yaml"), text, strlen(text));
}

/* Copy a file; both paths are below the test's directory. */
static void
copy_file(const char *from, const char *to)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	assert_ok(file_read_at(AT_FDCWD, in_base(from), 1 << 24, &data, &len));
	write_file(in_base(to), data, len);
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
		.ca_issuers_url = "http://crl.example.org/{issuer}.der",
		.ocsp_url = "http://ocsp.example.org/",
		.set = set,
		.unattended = unattended,
	};

	(void)state;
	(void)snprintf(base, sizeof(base), "test-run-XXXXXX");
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

/* ---- running ---------------------------------------------------------- */

/* What stays to be looked at after a run. */
static char directory[256]; /* below the test's directory */

/* As `seats` were told to behave: names are replaced, the rest stays. */
static struct room
seat(const char *names)
{
	const struct seats told = seats;
	struct room room = people_room(&seats, base, names);

	seats.says_no = told.says_no;
	seats.forgets = told.forgets;
	seats.forgets_after = told.forgets_after;
	seats.look_at = told.look_at;
	return room;
}

static void
behave(void)
{
	seats.says_no = seats.forgets = NULL;
	seats.look_at = 0;
}

static int
run_with(const char *names, const struct late_csr *late, size_t late_count)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(run_summary) summary = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	const struct room room = seat(names);
	int rc;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	rc = run_start(
	    authority, plan, &room, late, late_count, &findings, &summary);
	if (plan_directory(plan) != NULL)
		(void)snprintf(directory, sizeof(directory), "a/ceremonies/%s",
		    plan_directory(plan));
	return rc;
}

static int
run(const char *names)
{
	return run_with(names, NULL, 0);
}

static int
resume(const char *names)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(run_summary) summary = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	const struct room room = seat(names);

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	return run_resume(authority, &room, &findings, &summary);
}

/* "alice bob" of one kind of statement in the journal, for the run of a plan */
struct said {
	int list; /* -1: approvals */
	char names[128];
};

static int
add_said(void *ctx, const struct statement_row *row)
{
	struct said *said = ctx;

	if (row->list != said->list)
		return 0;
	if (said->names[0] != '\0')
		strcat(said->names, " ");
	strcat(said->names, row->name);
	return 0;
}

static void
assert_said(const char *plan, int list, const char *names)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(run_row) row = { 0 };
	struct said said = { .list = list };
	bool found = false;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(journal_run_of_plan(
	    authority_journal(authority), plan, &found, &row));
	assert_true(found);
	assert_ok(journal_each_statement(
	    authority_journal(authority), row.run, add_said, &said));
	assert_string_equal(said.names, names);
}

/* "none", "open", "done", "refused"; and how many lists it made. */
static void
assert_run(const char *plan, const char *state, int lists)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(journal_run_of_plan(
	    authority_journal(authority), plan, &found, &row));
	assert_string_equal(state,
	    !found            ? "none"
		: row.open    ? "open"
		: row.refused ? "refused"
			      : "done");
	if (found)
		assert_int_equal(row.lists, lists);
}

static bool
exists(const char *directory_name, const char *file)
{
	char path[512];

	(void)snprintf(
	    path, sizeof(path), "%s/%s/%s", base, directory_name, file);
	return access(path, F_OK) == 0;
}

/* Does a file of the ceremony hold this? */
static bool
holds(const char *file, const char *what)
{
	AUTO_BYTES(data) = NULL;
	char path[512];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	assert_ok(file_read_at(AT_FDCWD, in_base(path), 1 << 24, &data, &len));
	return strstr((const char *)data, what) != NULL;
}

/* What plan status says of the directory of the last plan. */
static void
assert_status(const char *state, size_t approved)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(plan_status) status = { 0 };

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(plan_look(authority, in_base(directory), &findings, &plan));
	assert_ok(plan_status(authority, plan, &findings, &status));
	assert_string_equal(status.run, state);
	assert_int_equal(status.approved_count, approved);
	assert_int_equal(status.missing_count, 3 - approved);
	assert_int_equal(status.void_count, 0);
}

/* ---- who is needed ---------------------------------------------------- */

static void
test_one_is_not_enough(void **state)
{
	(void)state;
	behave();
	write_plan("one", "", KEY("one") ROOT("one", "one"));
	assert_refused(CA_R_QUORUM, run("alice"));
	assert_run("one", "none", 0);
	assert_true(exists(directory, "approvals/alice.cms"));
	assert_refused(CA_R_QUORUM, run("alice wendy"));
	assert_refused(CA_R_QUORUM, run("alice mallory"));
	assert_refused(CA_R_USAGE, run("alice alice"));
	assert_run("one", "none", 0);
	assert_false(exists("a/public/certs", "one.pem"));
	/* Both approved, but one alone does not open the token. */
	assert_refused(CA_R_QUORUM, run("bob"));
	assert_true(exists(directory, "approvals/bob.cms"));
	assert_run("one", "none", 0);
	assert_status("not run", 2);
	/* Others than those who approved may run it. */
	assert_ok(run("carol bob"));
	assert_status("done", 2);
	assert_run("one", "done", 1);
	assert_said("one", -1, "alice bob");
	assert_said("one", 0, "bob carol");
	assert_true(exists("a/public/certs", "one.pem"));
	assert_true(
	    holds("transcript.txt", "approved by:    alice, statement"));
	assert_true(holds("transcript.txt", "list accepted:  bob, list 0"));
	assert_true(holds("list-0", "\"rehearsal\":false"));
	assert_true(holds("list-0", "\"threshold\":2"));
	assert_true(exists(directory, "receipt"));
}

static void
test_look_and_no(void **state)
{
	(void)state;
	behave();
	write_plan("no", "", KEY("no") ROOT("no", "no"));
	seats.says_no = "bob";
	assert_refused(CA_R_POLICY, run("alice bob"));
	assert_run("no", "none", 0);
	seats.says_no = NULL;
	assert_refused(CA_R_QUORUM, run("bob"));
	/* Both have approved: bob says no to the list, and it is undone. */
	seats.says_no = "bob";
	seats.look_at = 1;
	assert_refused(CA_R_POLICY, run("alice bob"));
	assert_non_null(strstr(seats.shown, "Subject: C = DE, O = O, CN = no"));
	assert_null(strstr(seats.shown, "Signature Value"));
	assert_run("no", "refused", 1);
	assert_status("refused", 2);
	assert_said("no", 0, "");
	assert_false(exists("a/public/certs", "no.pem"));
	assert_true(holds("transcript.txt", "'bob' did not confirm the list"));
	behave();
}

/* ---- cut off, and confirmed elsewhere --------------------------------- */

/* A copy of what a second machine needs. */
static void
copy_ceremony(void)
{
	char command[1024];

	(void)snprintf(command, sizeof(command),
	    "cd %s && rm -rf elsewhere && mkdir elsewhere && cp -a %s "
	    "elsewhere/dir && cp -a a/quorum elsewhere/quorum",
	    base, directory);
	assert_int_equal(system(command), 0);
}

static int
confirm_copy(const char *names)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_FD(fd) = -1;
	char set[SET_ID_HEX_SIZE], path[512];
	const struct room room = seat(names);

	assert_ok(dir_open(in_base("elsewhere/quorum"), &fd));
	assert_ok(set_current(fd, set));
	(void)snprintf(path, sizeof(path), "%s/elsewhere/quorum/%s", base, set);
	return confirm_elsewhere(
	    in_base("elsewhere/dir"), path, &room, &findings);
}

/* With one octet of a file of the copy changed, nobody is asked. */
static void
refused_copy(const char *file, long offset, enum ca_reason reason)
{
	char path[512];
	FILE *stream;
	int c;

	copy_ceremony();
	(void)snprintf(path, sizeof(path), "elsewhere/dir/%s", file);
	stream = fopen(in_base(path), "r+");
	assert_non_null(stream);
	assert_int_equal(
	    fseek(stream, offset, offset < 0 ? SEEK_END : SEEK_SET), 0);
	c = getc(stream);
	assert_int_not_equal(c, EOF);
	assert_int_equal(fseek(stream, -1, SEEK_CUR), 0);
	assert_int_equal(putc(c ^ 1, stream), c ^ 1);
	assert_int_equal(fclose(stream), 0);
	assert_refused(reason, confirm_copy("carol"));
	assert_int_equal(seats.decided, 0);
	assert_false(exists("elsewhere/dir/confirmations", "0-carol.cms"));
}

/* Behind the first `mark` in a file of the run. */
static long
offset_behind(const char *file, const char *mark)
{
	AUTO_BYTES(data) = NULL;
	AUTO_FD(fd) = -1;
	const char *at;
	size_t len = 0;

	assert_ok(dir_open(in_base(directory), &fd));
	assert_ok(file_read_at(fd, file, 1 << 20, &data, &len));
	at = memmem(data, len, mark, strlen(mark));
	assert_non_null(at);
	return at - (const char *)data + (long)strlen(mark);
}

/* alice confirms; then bob is gone, and the run waits. */
static void
cut_at_confirmation(const char *id, const char *steps)
{
	behave();
	write_plan(id, "", steps);
	seats.forgets = "bob";
	seats.forgets_after = 2; /* approval, share */
	assert_refused(CA_R_PIN, run("alice bob"));
	assert_run(id, "open", 1);
	assert_true(exists(directory, "confirmations/0-alice.cms"));
	assert_said(id, 0, "");
	behave();
}

static void
test_elsewhere(void **state)
{
	char to[512];

	(void)state;
	cut_at_confirmation("elsewhere", KEY("else") ROOT("else", "else"));
	assert_status("open", 2);
	refused_copy("spool-0", 40, CA_R_VERIFY);
	refused_copy("manifest.json", -4, CA_R_CORRUPT);
	refused_copy("inputs/plan.yaml", 3, CA_R_VERIFY);
	refused_copy("list-0", 2, CA_R_VERIFY);
	/* What the list says of the certificate is not what its octets say. */
	refused_copy(
	    "list-0", offset_behind("list-0", "\"serial\":\""), CA_R_VERIFY);
	refused_copy("list-0", offset_behind("list-0", "\"not_after\":\"2"),
	    CA_R_VERIFY);
	copy_ceremony();
	/* Strangers and witnesses; a no. */
	assert_refused(CA_R_QUORUM, confirm_copy("mallory"));
	assert_refused(CA_R_QUORUM, confirm_copy("wendy"));
	seats.says_no = "carol";
	assert_refused(CA_R_POLICY, confirm_copy("carol"));
	behave();
	seats.look_at = 1;
	assert_ok(confirm_copy("carol"));
	assert_int_equal(seats.decided, 1);
	assert_non_null(strstr(seats.shown, "CN = else"));
	assert_non_null(strstr(seats.shown, "approved by alice, bob"));
	(void)snprintf(
	    to, sizeof(to), "%s/confirmations/0-carol.cms", directory);
	copy_file("elsewhere/dir/confirmations/0-carol.cms", to);
	/* Nobody in the room is asked again; bob has confirmed nothing. */
	behave();
	assert_refused(CA_R_QUORUM, resume("bob"));
	assert_ok(resume("alice bob"));
	assert_int_equal(seats.decided, 0);
	assert_run("elsewhere", "done", 1);
	assert_said("elsewhere", 0, "alice carol");
	assert_true(exists("a/public/certs", "else.pem"));
}

/* Nothing to confirm yet, and a directory that is none. */
static void
test_elsewhere_nothing(void **state)
{
	(void)state;
	behave();
	write_plan("nothing", "", KEY("nothing"));
	assert_refused(CA_R_QUORUM, run("alice"));
	copy_ceremony();
	assert_refused(CA_R_STATE, confirm_copy("carol"));
	assert_int_equal(unlink(in_base("elsewhere/dir/manifest.json")), 0);
	assert_refused(CA_R_MISSING, confirm_copy("carol"));
}

/* Forged confirmations in the directory are named and do not count. */
static void
test_forged(void **state)
{
	char from[512], to[512];

	(void)state;
	cut_at_confirmation("forged", KEY("forged") ROOT("forged", "forged"));
	(void)snprintf(
	    from, sizeof(from), "%s/confirmations/0-alice.cms", directory);
	(void)snprintf(
	    to, sizeof(to), "%s/confirmations/0-carol.cms", directory);
	copy_file(from, to);
	(void)snprintf(from, sizeof(from), "%s/approvals/bob.cms", directory);
	(void)snprintf(to, sizeof(to), "%s/confirmations/0-bob.cms", directory);
	copy_file(from, to);
	seats.forgets = "bob";
	seats.forgets_after = 1;
	assert_refused(CA_R_PIN, resume("alice bob"));
	assert_run("forged", "open", 1);
	assert_said("forged", 0, "");
	behave();
	assert_ok(resume("alice bob"));
	assert_int_equal(seats.decided, 1); /* bob, and not alice again */
	assert_run("forged", "done", 1);
	assert_said("forged", 0, "alice bob");
}

/* ---- acts are dated, and the list stands ------------------------------ */

/* A certificate's serial, as people copy it. */
static void
serial_of(const char *name, char ret_hex[64])
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(object_row) row = { 0 };
	bool found = false;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(journal_object(
	    authority_journal(authority), "certificate", name, &found, &row));
	assert_true(found);
	(void)snprintf(ret_hex, 64, "%s", row.serial);
}

static void
test_acts_stand(void **state)
{
	char steps[1024], serial[64];

	(void)state;
	behave();
	write_plan("acts", "",
	    KEY("acts") ROOT("acts", "acts") KEY(
		"sub") "  - subordinate: {name: sub, key: sub, issuer: acts, profile: "
		       "issuing-ca, " SUBJECT("sub") "}\n");
	assert_ok(run("alice bob"));
	serial_of("sub", serial);
	(void)snprintf(steps, sizeof(steps),
	    "  - revoke: {issuer: acts, serial: %s, reason: superseded}\n"
	    "  - crl: {name: acts, issuer: acts, profile: ca-crl}\n",
	    serial);
	cut_at_confirmation("revoke", steps);
	/* Times are whole seconds: it must be another one. */
	(void)sleep(1);
	assert_ok(resume("alice bob"));
	assert_int_equal(seats.decided, 1);
	assert_run("revoke", "done", 1);
	assert_said("revoke", 0, "alice bob");
	assert_true(exists("a/public/crls", "acts.crl"));
}

/* ---- unattended ------------------------------------------------------- */

static void
test_unattended(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct plan *plan = NULL;

	(void)state;
	behave();
	write_plan("issuing", "",
	    KEY("u-root") ROOT("u-root", "u-root") KEY(
		"u-sub") "  - subordinate: {name: u-sub, key: u-sub, issuer: u-root, "
			 "profile: issuing-ca, " SUBJECT("u") "}\n");
	assert_ok(run("alice bob"));
	write_plan("root-crl", "unattended: true\n",
	    "  - crl: {name: u-root, issuer: u-root, profile: ca-crl}\n");
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_refused(CA_R_INPUT,
	    plan_open(
		authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	assert_only(&findings, "UNATTENDED-ROOT", NULL);
	authority_free(TAKE(authority));
	write_plan("sub-crl", "unattended: true\n",
	    "  - crl: {name: u-sub, issuer: u-sub, profile: ca-crl}\n");
	assert_refused(CA_R_QUORUM, run("alice"));
	assert_refused(CA_R_QUORUM, run("bob"));
	/* Approved by both: no question is left. */
	assert_ok(run("alice bob"));
	assert_int_equal(seats.decided, 0);
	assert_run("sub-crl", "done", 1);
	assert_said("sub-crl", -1, "alice bob");
	assert_said("sub-crl", 0, "");
	assert_true(holds("list-0", "\"unattended\":true"));
	assert_true(holds("transcript.txt", "approved to run unattended"));
	assert_true(exists("a/public/crls", "u-sub.crl"));
}

/* ---- approvals that are void ------------------------------------------ */

/* A manifest that nobody checked, with `count` inputs. */
static void
write_hostile(const char *name, unsigned count)
{
	char path[512];
	FILE *file;

	(void)snprintf(path, sizeof(path), "a/ceremonies/%s", name);
	assert_int_equal(mkdir(in_base(path), 0700), 0);
	(void)snprintf(path, sizeof(path), "a/ceremonies/%s/approvals", name);
	assert_int_equal(mkdir(in_base(path), 0700), 0);
	(void)snprintf(
	    path, sizeof(path), "a/ceremonies/%s/approvals/x.cms", name);
	write_file(in_base(path), "", 0);
	(void)snprintf(
	    path, sizeof(path), "a/ceremonies/%s/manifest.json", name);
	file = fopen(in_base(path), "w");
	assert_non_null(file);
	assert_true(fputs("{\"inputs\":[", file) >= 0);
	for (unsigned i = 0; i < count; i++)
		assert_true(fprintf(file,
				"%s{\"role\":\"a\",\"given\":\"%u\","
				"\"sha256\":\"\"}",
				i == 0 ? "" : ",", i) > 0);
	assert_true(fputs("]}", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Some causes are enough; time and text do not grow with what is there. */
static void
test_void_causes(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(plan_status) status = { 0 };

	(void)state;
	behave();
	write_plan("causes", "", KEY("causes"));
	write_hostile("causes-00000000", 200000);
	write_hostile("causes-11111111", 3);
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	assert_ok(plan_status(authority, plan, &findings, &status));
	assert_int_equal(status.void_count, 2);
	assert_non_null(strstr(status.void_approvals[0],
	    "are void: 0 was left out, 1 was left out,"));
	assert_non_null(strstr(status.void_approvals[0],
	    "8 was left out, 9 was left out, and more"));
	assert_null(strstr(status.void_approvals[0], "10 was"));
	assert_true(strlen(status.void_approvals[0]) < 300);
	assert_non_null(strstr(status.void_approvals[1],
	    "0 was left out, 1 was left out, 2 was left out, "
	    "plan.yaml was added"));
}

/* ---- late requests ---------------------------------------------------- */

static void
write_request(const char *name, EVP_PKEY *key)
{
	X509_REQ *request = X509_REQ_new();
	FILE *file = fopen(in_base(name), "w");

	assert_non_null(request);
	assert_non_null(file);
	assert_int_equal(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
	assert_int_equal(X509_REQ_set_pubkey(request, key), 1);
	assert_true(X509_REQ_sign(request, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509_REQ(file, request), 1);
	assert_int_equal(fclose(file), 0);
	X509_REQ_free(request);
}

static void
assert_has_key(const char *certificate_path, EVP_PKEY *key)
{
	FILE *file = fopen(in_base(certificate_path), "r");
	X509 *certificate;

	assert_non_null(file);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	assert_non_null(certificate);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(certificate), key), 1);
	X509_free(certificate);
	assert_int_equal(fclose(file), 0);
}

static void
test_late(void **state)
{
	const char *path = in_base("late.csr");
	char right[512], other[512];
	const struct late_csr given = { "late", right };
	const struct late_csr twice[] = { given, given };
	const struct late_csr two[] = { given, { "nobody", right } };
	const struct late_csr missing = { "late", "no/such/file" };
	const struct late_csr garbage = { "late", other };
	EVP_PKEY *key = EVP_EC_gen("P-384");
	EVP_PKEY *weak = EVP_EC_gen("P-192");

	(void)state;
	behave();
	assert_non_null(key);
	(void)snprintf(right, sizeof(right), "%s", path);
	(void)snprintf(other, sizeof(other), "%s", in_base("other.csr"));
	write_request("late.csr", key);
	write_file(other, "no request", 10);
	write_plan("late", "",
	    KEY("late-root") ROOT("late-root",
		"late-root") "  - subordinate: {name: late, csr: late, issuer: late-root, "
			     "profile: issuing-ca, " SUBJECT("late") "}\n");
	assert_refused(CA_R_USAGE, run("alice bob"));
	assert_refused(CA_R_USAGE, run_with("alice bob", twice, 2));
	assert_refused(CA_R_USAGE, run_with("alice bob", two, 2));
	assert_refused(CA_R_MISSING, run_with("alice bob", &missing, 1));
	assert_refused(CA_R_INPUT, run_with("alice bob", &garbage, 1));
	if (weak != NULL) {
		write_request("other.csr", weak);
		assert_refused(CA_R_INPUT, run_with("alice bob", &garbage, 1));
	}
	assert_run("late", "none", 0);
	/* Cut off; then the file is gone, and another one lies there. */
	seats.forgets = "bob";
	seats.forgets_after = 2;
	assert_refused(CA_R_PIN, run_with("alice bob", &given, 1));
	assert_non_null(strstr(seats.shown, "no approval covers it"));
	assert_true(exists(directory, "late-late.csr"));
	behave();
	assert_int_equal(unlink(right), 0);
	assert_ok(resume("alice bob"));
	assert_run("late", "done", 1);
	assert_has_key("a/public/certs/late.pem", key);
	EVP_PKEY_free(weak);
	EVP_PKEY_free(key);
}

/* The request that the run began with, and no other. */
static void
test_late_swapped(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
	char path[512], right[512];
	const struct late_csr given = { "swap", right };

	(void)state;
	behave();
	(void)snprintf(right, sizeof(right), "%s", in_base("swap.csr"));
	write_request("swap.csr", key);
	write_plan("swap", "",
	    KEY("swap-root") ROOT("swap-root",
		"swap-root") "  - subordinate: {name: swap, csr: late, issuer: swap-root, "
			     "profile: issuing-ca, " SUBJECT("swap") "}\n");
	seats.forgets = "bob";
	seats.forgets_after = 2;
	assert_refused(CA_R_PIN, run_with("alice bob", &given, 1));
	behave();
	(void)snprintf(path, sizeof(path), "%s/late-swap.csr", directory);
	write_request(path, other);
	/* It is put back from the journal, and the other one moved aside. */
	assert_ok(resume("alice bob"));
	assert_non_null(
	    strstr(seats.shown, "late-swap.csr' was changed; it was moved"));
	assert_true(exists(directory, "late-swap.csr.aside-1"));
	assert_run("swap", "done", 1);
	assert_has_key("a/public/certs/swap.pem", key);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_is_not_enough),
		cmocka_unit_test(test_look_and_no),
		cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_elsewhere_nothing),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_acts_stand),
		cmocka_unit_test(test_unattended),
		cmocka_unit_test(test_void_causes),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_late_swapped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
