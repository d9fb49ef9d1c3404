/*
 * A CRL of many entries, from the imports to the resumed run, and confirmed
 * elsewhere: each part is a process of its own, and its memory is measured.
 * Held in memory as a whole, the CRL or a list would take more than the limit.
 */
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/date.h"
#include "base/file.h"
#include "ceremony/approve.h"
#include "ceremony/run.h"
#include "people.h"

/*
 * Limits in MiB.  A process of this kind takes 15 without anything to do; the
 * CRL is one of 13 MiB, and the lists are 20 and 23.  With 1,000,000 entries
 * the CRL took 18 and the lists 100.
 */
#if defined(__SANITIZE_ADDRESS__)
enum { ENTRIES = 3000, LISTS_MAX = 1 << 16, CRL_MAX = 1 << 16 };
enum { COPY_MAX = 1 << 16 };
#else
enum { ENTRIES = 300000, LISTS_MAX = 60, CRL_MAX = 26, COPY_MAX = 22 };
#endif

extern char **environ;

static char program[512], base[64];
static struct seats seats;

static const char *
in_base(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
}

/* ---- what is imported ------------------------------------------------- */

/* Serials of 16 octets that do not ascend; each other one with a letter. */
static void
write_lists(void)
{
	FILE *issued = fopen(in_base("issued.csv"), "w");
	FILE *revoked = fopen(in_base("revoked.csv"), "w");

	assert_non_null(issued);
	assert_non_null(revoked);
	fputs("serial-hex,expires,ca\n", issued);
	fputs("serial-hex,date,reason\n", revoked);
	for (unsigned i = 0; i < ENTRIES; i++) {
		unsigned mixed = i * 2654435761u;

		fprintf(issued,
		    "5a%08x0000000000000000%08x,2098-01-01T00:00:00Z,ee\n",
		    mixed, i);
		fprintf(revoked,
		    "5a%08x0000000000000000%08x,2020-01-01T00:00:00Z,"
		    "keyCompromise\n",
		    mixed, i);
	}
	assert_int_equal(fclose(issued), 0);
	assert_int_equal(fclose(revoked), 0);
}

/* ---- runs ------------------------------------------------------------- */

static char directory[256]; /* of the last plan, below the test's */

static void
write_plan(const char *id, const char *steps)
{
	FILE *file = fopen(in_base("plan.yaml"), "w");

	assert_non_null(file);
	fprintf(file,
	    "format: ca-tool-plan-1\nid: %s\ntitle: A test\nwindow:\n"
	    "  from: 2020-01-01T00:00:00Z\n  until: 2099-01-01T00:00:00Z\n"
	    "steps:\n%s",
	    id, steps);
	assert_int_equal(fclose(file), 0);
}

static int
run(const struct room *room)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(run_summary) summary = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	int rc;

	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("plan.yaml"), date_now(), &findings, &plan));
	rc = run_start(authority, plan, room, NULL, 0, &findings, &summary);
	(void)snprintf(directory, sizeof(directory), "a/ceremonies/%s",
	    plan_directory(plan));
	return rc;
}

static void
run_all(const char *id, const char *steps)
{
	const struct room room = people_room(&seats, base, "alice");

	write_plan(id, steps);
	assert_ok(run(&room));
}

static void
test_issued(void **state)
{
	(void)state;
	run_all("issued",
	    "  - import-issued: {issuer: big, file: issued.csv, format: "
	    "csv}\n");
}

static void
test_revoked(void **state)
{
	(void)state;
	run_all("revoked",
	    "  - import-revocations: {issuer: big, file: revoked.csv, format: "
	    "csv}\n");
}

/* It is listed, and then alice is gone: the run waits. */
static void
test_listed(void **state)
{
	struct room room = people_room(&seats, base, "alice");
	char command[1024];

	(void)state;
	seats.forgets = "alice";
	seats.forgets_after = 2; /* approval, share */
	write_plan(
	    "crl", "  - crl: {name: large, issuer: big, profile: ca-crl}\n");
	assert_refused(CA_R_PIN, run(&room));
	(void)snprintf(command, sizeof(command),
	    "cd %s && cp -a %s elsewhere && cp -a a/quorum quorum", base,
	    directory);
	assert_int_equal(system(command), 0);
}

static void
test_resumed(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(run_summary) summary = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	const struct room room = people_room(&seats, base, "alice");
	struct stat st;

	(void)state;
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(run_resume(authority, &room, &findings, &summary));
	/* As it was listed: there is no second list. */
	assert_null(strstr(seats.shown, "anew"));
	assert_int_equal(stat(in_base("a/public/crls/large.crl"), &st), 0);
	assert_true(st.st_size > ENTRIES * 40);
}

/* ---- elsewhere -------------------------------------------------------- */

/* What is shown is counted. */
static struct shown {
	size_t serials, reasons, entries;
} shown;

static void
count_shown(void *ctx, enum room_style style, const char *text)
{
	(void)ctx;
	(void)style;
	char entries[32];

	(void)snprintf(entries, sizeof(entries), "entries: %d", ENTRIES);
	shown.serials += strstr(text, "Serial Number: 5A") != NULL;
	shown.reasons += strstr(text, "Key Compromise") != NULL;
	shown.entries += strstr(text, entries) != NULL;
}

static int
confirm(struct room *room)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_FD(fd) = -1;
	char set[SET_ID_HEX_SIZE], path[512];

	room->show = count_shown;
	assert_ok(dir_open(in_base("quorum"), &fd));
	assert_ok(set_current(fd, set));
	(void)snprintf(path, sizeof(path), "%s/quorum/%s", base, set);
	return confirm_elsewhere(in_base("elsewhere"), path, room, &findings);
}

/* In short, and then all of it. */
static void
test_confirmed(void **state)
{
	struct room room = people_room(&seats, base, "alice");

	(void)state;
	seats.look_at = 1;
	assert_ok(confirm(&room));
	assert_int_equal(shown.entries, 1);
	assert_int_equal(shown.serials, ENTRIES);
	assert_int_equal(shown.reasons, ENTRIES);
	assert_int_equal(seats.decided, 1);
}

/* In the middle of the entries, the last octet of a serial is another. */
static void
change_octet(void)
{
	static const unsigned char mark[] = { 0x02, 0x11, 0x5a };
	AUTO_FD(fd) = open(in_base("elsewhere/spool-0"), O_RDWR | O_CLOEXEC);
	unsigned char octets[256];
	const unsigned char *at;
	struct stat st;
	off_t from;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	from = st.st_size / 2;
	assert_int_equal(
	    pread(fd, octets, sizeof(octets), from), sizeof(octets));
	at = memmem(octets, sizeof(octets) - 32, mark, sizeof(mark));
	assert_non_null(at);
	from += at - octets + 18;
	octets[0] = at[18] ^ 1;
	assert_int_equal(pwrite(fd, octets, 1, from), 1);
}

/* While it is shown the medium gives other octets than when it was compared. */
static int
change_and_look(void *ctx, const char *who, const char *question, size_t items,
    size_t *ret_item)
{
	(void)ctx;
	(void)who;
	(void)question;
	(void)items;
	change_octet();
	*ret_item = 1;
	return 0;
}

static void
test_changing(void **state)
{
	struct room room = people_room(&seats, base, "alice");

	(void)state;
	assert_int_equal(
	    unlink(in_base("elsewhere/confirmations/0-alice.cms")), 0);
	room.decide = change_and_look;
	assert_refused(CA_R_VERIFY, confirm(&room));
	assert_int_equal(
	    access(in_base("elsewhere/confirmations/0-alice.cms"), F_OK), -1);
	change_octet(); /* back */
}

static void
test_forged(void **state)
{
	struct room room = people_room(&seats, base, "alice");
	struct stat st;

	(void)state;
	change_octet();
	assert_refused(CA_R_VERIFY, confirm(&room));
	assert_int_equal(seats.decided, 0);
	change_octet();
	assert_int_equal(stat(in_base("elsewhere/spool-0"), &st), 0);
	assert_int_equal(
	    truncate(in_base("elsewhere/spool-0"), st.st_size - 1), 0);
	assert_refused(CA_R_VERIFY, confirm(&room));
	assert_int_equal(seats.decided, 0);
}

/* ---- parts ------------------------------------------------------------ */

static void
test_made(void **state)
{
	static const char *const names[] = { "alice" };
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
	};

	(void)state;
	(void)snprintf(set, sizeof(set), "%s/set.yaml", base);
	people_make(base, names, 1, 0, 1);
	room = people_room(&seats, base, "alice");
	assert_ok(authority_init(in_base("a"), &options, &room, &findings));
	run_all("big",
	    "  - generate-key: {key: big, type: p-256, purpose: ca, backup: "
	    "none}\n"
	    "  - root: {name: big, key: big, profile: root, subject: {country: "
	    "DE, organization: O, common-name: big}}\n");
	write_lists();
}

struct part {
	const char *name;
	void (*test)(void **state);
	long most; /* MiB */
};

static const struct part parts[] = {
	{ "made", test_made, CRL_MAX },
	{ "issued", test_issued, LISTS_MAX },
	{ "revoked", test_revoked, LISTS_MAX },
	{ "listed", test_listed, CRL_MAX },
	{ "confirmed", test_confirmed, COPY_MAX },
	{ "changing", test_changing, COPY_MAX },
	{ "forged", test_forged, COPY_MAX },
	{ "resumed", test_resumed, CRL_MAX },
};

/* In a process of its own; its greatest memory in KiB. */
static void
do_part(const struct part *part)
{
	char name[32];
	char *const argv[] = { program, base, name, NULL };
	struct rusage usage = { 0 };
	int status = -1;
	pid_t pid = -1;

	(void)snprintf(name, sizeof(name), "%s", part->name);
	assert_int_equal(
	    posix_spawn(&pid, program, NULL, NULL, argv, environ), 0);
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_int_equal(status, 0);
	print_message("%s: %ld MiB, %ld s\n", part->name, usage.ru_maxrss >> 10,
	    (long)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec));
	assert_true(usage.ru_maxrss >> 10 < part->most);
}

static void
test_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		do_part(&parts[i]);
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
	(void)state;
	(void)snprintf(base, sizeof(base), "test-large-XXXXXX");
	return mkdtemp(base) == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* `program BASE PART`: one part alone. */
static int
one_part(const char *name)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		const struct CMUnitTest test[] = {
			cmocka_unit_test(parts[i].test),
		};

		if (strcmp(parts[i].name, name) == 0)
			return process_harden() < 0
			    ? 1
			    : cmocka_run_group_tests(test, NULL, NULL);
	}
	return 1;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
	};

	if (argc == 3) {
		(void)snprintf(base, sizeof(base), "%s", argv[1]);
		return one_part(argv[2]);
	}
	(void)snprintf(program, sizeof(program), "%s", argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
