/*
 * Plans that change the authority itself, carried out on an embedded token: as
 * a whole, and cut off at every step of the way.  Each attempt is a process of
 * its own, which is killed by its own hand where the test wants it.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/date.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/plan.h"
#include "ceremony/run-private.h"
#include "people.h"
#include "pkcs11/token.h"

/* What a process says of its end. */
enum { DONE = 0, CUT = 9, FAILED = 32 };

static char base[64];

/* ---- where a process is cut off --------------------------------------- */

/* Valid in the attempt's process only. */
static struct {
	int at;               /* which point; -1: none */
	enum entry_kind kind; /* of entries that are points; ENTRY_KINDS: all */
	int64_t clock;        /* added to the time */
} attempt = { .at = -1, .kind = ENTRY_KINDS };

static void
cut_point(void)
{
	if (attempt.at >= 0 && attempt.at-- == 0)
		_exit(CUT);
}

/* Entries of what this file is about. */
static bool
is_point(enum entry_kind kind)
{
	static const enum entry_kind points[] = { ENTRY_EVENT, ENTRY_ENROLMENT,
		ENTRY_QUORUM, ENTRY_PIN_CHANGE, ENTRY_CHECKPOINT, ENTRY_ANCHOR,
		ENTRY_CLOSE, ENTRY_CONFIG, ENTRY_PROFILE, ENTRY_TOKEN,
		ENTRY_CLOCK, ENTRY_FAILED, ENTRY_REVOKED, ENTRY_KEY_DESTROYED };

	if (attempt.kind != ENTRY_KINDS)
		return kind == attempt.kind;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		if (points[i] == kind)
			return true;
	return false;
}

/* The linker puts these in the place of what they are called after. */
int __real_journal_append(struct journal *journal, enum entry_kind kind,
    json_t *data, const char *text, uint64_t *ret_seq);
int __wrap_journal_append(struct journal *journal, enum entry_kind kind,
    json_t *data, const char *text, uint64_t *ret_seq);
int
__wrap_journal_append(struct journal *journal, enum entry_kind kind,
    json_t *data, const char *text, uint64_t *ret_seq)
{
	if (is_point(kind))
		cut_point();
	return __real_journal_append(journal, kind, data, text, ret_seq);
}

#define WRAP_PIN(name)                                                 \
	int __real_##name(struct token *token, const struct secret *a, \
	    const struct secret *b);                                   \
	int __wrap_##name(struct token *token, const struct secret *a, \
	    const struct secret *b);                                   \
	int __wrap_##name(struct token *token, const struct secret *a, \
	    const struct secret *b)                                    \
	{                                                              \
		int rc;                                                \
                                                                       \
		cut_point();                                           \
		rc = __real_##name(token, a, b);                       \
		cut_point();                                           \
		return rc;                                             \
	}
WRAP_PIN(token_change_so_pin)
WRAP_PIN(token_set_user_pin)
WRAP_PIN(token_change_user_pin)

int __real_set_make_current(int fd, const char *id);
int __wrap_set_make_current(int fd, const char *id);
int
__wrap_set_make_current(int fd, const char *id)
{
	cut_point();
	return __real_set_make_current(fd, id);
}

int64_t __real_date_now(void);
int64_t __wrap_date_now(void);
int64_t
__wrap_date_now(void)
{
	return __real_date_now() + attempt.clock;
}

/* ---- files ------------------------------------------------------------ */

static const char *
in_base(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

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
write_text(const char *name, const char *mode, const char *text)
{
	FILE *file = fopen(in_base(name), mode);

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/*
 * An authority whose token was initialised by somebody else: NAME-soft/ is
 * where SoftHSM keeps it.
 */
static void
write_soft_conf(const char *authority)
{
	char here[512], name[32], text[900];

	assert_non_null(getcwd(here, sizeof(here)));
	(void)snprintf(text, sizeof(text),
	    "directories.tokendir = %s/%s-soft\nobjectstore.backend = file\n",
	    here, in_base(authority));
	(void)snprintf(name, sizeof(name), "%s.conf", authority);
	write_text(name, "w", text);
}

static void
use_soft_conf(const char *authority)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s.conf", in_base(authority));
	(void)setenv("SOFTHSM2_CONF", path, 1);
}

/* The authority `to`, as `from` is now. */
static void
copy_authority(const char *from, const char *to)
{
	char command[900], soft[32];

	(void)snprintf(soft, sizeof(soft), "%s-soft", from);
	(void)snprintf(command, sizeof(command),
	    "rm -rf '%s' '%s-soft' && cp -a '%s' '%s'", in_base(to),
	    in_base(to), in_base(from), in_base(to));
	assert_int_equal(system(command), 0);
	if (access(in_base(soft), F_OK) != 0)
		return;
	(void)snprintf(command, sizeof(command), "cp -a '%s' '%s-soft'",
	    in_base(soft), in_base(to));
	assert_int_equal(system(command), 0);
	write_soft_conf(to);
}

/* NAME.yaml: a plan with this id and these steps. */
static void
write_plan(const char *id, const char *steps)
{
	char name[64], text[4096];

	(void)snprintf(name, sizeof(name), "%s.yaml", id);
	(void)snprintf(text, sizeof(text),
	    "format: ca-tool-plan-1\nid: %s\ntitle: A test\nwindow:\n"
	    "  from: 2020-01-01T00:00:00Z\n  until: 2099-01-01T00:00:00Z\n"
	    "steps:\n%s",
	    id, steps);
	write_text(name, "w", text);
}

/* ---- attempts --------------------------------------------------------- */

/* What one process does: a plan, or a resume where `plan` is NULL. */
struct order {
	const char *authority, *plan, *people;
	int cut;
	enum entry_kind kind;
	int64_t clock;
	bool loud; /* says why it failed */
};

static bool loud;

static int
exit_status(int rc)
{
	int reason;

	if (rc == 0)
		return DONE;
	reason = ca_error_reason();
	if (loud)
		ca_error_drain(show_error, NULL);
	return reason >= CA_R_IO ? FAILED + reason - CA_R_IO : 255;
}

/* PINs of tokens that are opened by people, or were made by others. */
#define USER_PIN "user-pin-of-tests"
#define SO_PIN "so-pin-of-tests"

static int
ask_secret(void *ctx, enum room_secret which, const char *who,
    const char *prompt, struct secret *ret_secret)
{
	if (which == ROOM_USER_PIN || which == ROOM_NEW_USER_PIN)
		return secret_copy(USER_PIN, strlen(USER_PIN), ret_secret);
	if (which == ROOM_SO_PIN || which == ROOM_NEW_SO_PIN)
		return secret_copy(SO_PIN, strlen(SO_PIN), ret_secret);
	return seats_secret(ctx, which, who, prompt, ret_secret);
}

static int
carry_out(const struct order *order)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(run_summary) summary = { 0 };
	struct seats seats;
	struct room room = people_room(&seats, in_base("keys"), order->people);
	int rc;

	room.ask_secret = ask_secret;
	use_soft_conf(order->authority);
	rc = authority_open(
	    in_base(order->authority), AUTHORITY_WRITE, &findings, &authority);
	if (rc == 0 && order->plan != NULL)
		rc = plan_open(authority, in_base(order->plan), date_now(),
		    &findings, &plan);
	if (rc == 0 && plan != NULL)
		rc = run_start(
		    authority, plan, &room, NULL, 0, &findings, &summary);
	else if (rc == 0)
		rc = run_resume(authority, &room, &findings, &summary);
	if (rc != 0 && loud)
		for (size_t i = 0; i < findings.count; i++)
			print_message("%s %s: %s\n", findings.rows[i].id,
			    findings.rows[i].place, findings.rows[i].text);
	return exit_status(rc);
}

/* In a process of its own; its exit status. */
static int
try(const struct order *order)
{
	int status = 0;
	pid_t child;

	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		attempt.at = order->cut;
		attempt.kind = order->kind == 0 ? ENTRY_KINDS : order->kind;
		attempt.clock = order->clock;
		loud = order->loud;
		status = process_harden() < 0 ? 254 : carry_out(order);
		(void)fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
start(const char *authority, const char *plan, const char *people)
{
	const struct order order = {
		.authority = authority,
		.plan = plan,
		.people = people,
		.cut = -1,
	};

	return try(&order);
}

static int
resume(const char *authority, const char *people)
{
	return start(authority, NULL, people);
}

/* It must succeed, and says why it does not. */
static void
must(const char *authority, const char *plan, const char *people)
{
	const struct order order = {
		.authority = authority,
		.plan = plan,
		.people = people,
		.cut = -1,
		.loud = true,
	};

	assert_int_equal(try(&order), DONE);
}

#define assert_reason(status, reason) \
	assert_int_equal((status), FAILED + (reason)-CA_R_IO)

/* Cut off at point `n`; false where there is no such point any more. */
static bool
cut_at(const char *authority, const char *plan, const char *people, int n)
{
	const struct order order = {
		.authority = authority,
		.plan = plan,
		.people = people,
		.cut = n,
		.loud = true,
	};
	int status = try(&order);

	assert_true(status == CUT || status == DONE);
	return status == CUT;
}

/* ---- the authority ---------------------------------------------------- */

/* The kinds of login, and an authority of each. */
static const struct kind {
	const char *authority, *login, *set;
} kinds[] = {
	{ "a", "derived", "keys/old.yaml" },
	{ "u", "adopted", "keys/old.yaml" },
	{ "p", "prompt", "keys/old-sign.yaml" },
};

static int
make_soft_token(const char *authority)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "%s-soft", authority);
	if (mkdir(in_base(name), 0700) != 0)
		return -1;
	write_soft_conf(authority);
	use_soft_conf(authority);
	return system(
	    "softhsm2-util --init-token --free --label soft --so-pin " SO_PIN
	    " --pin " USER_PIN " >/dev/null");
}

static int
make_authority(const struct kind *kind)
{
	bool adopted = strcmp(kind->login, "adopted") == 0;
	char set[256];
	const struct authority_options options = {
		.id = "example.org/unit",
		.profiles = PROFILE_DATA,
		.crl_url = "http://crl.example.org/{issuer}.crl",
		.ca_issuers_url = "http://crl.example.org/{issuer}.der",
		.login = kind->login,
		.module = adopted ? softhsm_library() : NULL,
		.token_label = adopted ? "soft" : NULL,
		.set = set,
	};
	AUTO_STRUCT(findings) findings = { 0 };
	struct seats seats;
	struct room room = people_room(&seats, in_base("keys"), "alice bob");
	int rc;

	loud = true;
	room.ask_secret = ask_secret;
	(void)snprintf(set, sizeof(set), "%s", in_base(kind->set));
	rc = adopted ? make_soft_token(kind->authority) : 0;
	if (rc == 0)
		rc = authority_init(
		    in_base(kind->authority), &options, &room, &findings);
	return exit_status(rc);
}

/* A set file of two people, with certificates for signing alone. */
static void
write_sign_set(const char *name, const char *one, const char *two)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "format: ca-tool-set-1\nthreshold: 2\nallow-no-spare: true\n"
	    "operators:\n  - {name: %s, sign: %s.sign.crt}\n"
	    "  - {name: %s, sign: %s.sign.crt}\n",
	    one, one, two, two);
	write_text(name, "w", text);
}

static int
make_sets(void)
{
	static const char *const old[] = { "alice", "bob" };
	static const char *const new[] = { "dora", "emil" };

	people_make(in_base("keys"), old, 2, 0, 2);
	if (rename(in_base("keys/set.yaml"), in_base("keys/old.yaml")) != 0)
		return -1;
	people_make(in_base("keys"), new, 2, 0, 2);
	if (rename(in_base("keys/set.yaml"), in_base("keys/new.yaml")) != 0)
		return -1;
	write_sign_set("keys/old-sign.yaml", "alice", "bob");
	write_sign_set("keys/new-sign.yaml", "dora", "emil");
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(base, sizeof(base), "test-special-XXXXXX");
	if (mkdtemp(base) == NULL || mkdir(in_base("keys"), 0700) != 0 ||
	    make_sets() < 0)
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int status = 0;
		pid_t child = fork();

		if (child == 0)
			_exit(process_harden() < 0 ? 254
						   : make_authority(&kinds[i]));
		if (child < 0 || waitpid(child, &status, 0) != child ||
		    !WIFEXITED(status) || WEXITSTATUS(status) != 0)
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

/* ---- what an authority is like ---------------------------------------- */

static struct journal *
open_journal(const char *authority)
{
	struct journal *journal = NULL;

	assert_ok(journal_open(in_base(authority), JOURNAL_READ, &journal));
	return journal;
}

static bool
run_is_open(const char *authority)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	AUTO_STRUCT(run_row) row = { 0 };
	bool found = false;

	assert_ok(journal_open_run(journal, &found, &row));
	return found;
}

static void
get_run(const char *authority, const char *plan, struct run_row *ret_row)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	bool found = false;

	assert_ok(journal_run_of_plan(journal, plan, &found, ret_row));
	assert_true(found);
}

/* Is "dora" of the set in force? */
static bool
new_set_in_force(const char *authority)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	AUTO_STRUCT(quorum_row) row = { 0 };
	AUTO_PTR(quorum_set) *set = NULL;
	char path[300], current[SET_ID_HEX_SIZE];
	bool found = false;
	int fd = -1;

	assert_ok(journal_quorum(journal, &found, &row));
	assert_true(found);
	(void)snprintf(path, sizeof(path), "%s/quorum", in_base(authority));
	assert_ok(dir_open(path, &fd));
	assert_ok(set_load(fd, row.set, row.sha256, &set));
	assert_ok(set_current(fd, current));
	(void)close(fd);
	assert_string_equal(current, row.set);
	return set_person(set, "dora") != NULL;
}

static int
count_one(void *ctx, uint64_t seq, const char *line, size_t len)
{
	size_t *count = ctx;

	(void)seq;
	(void)line;
	(void)len;
	(*count)++;
	return 0;
}

/* Go on with a run that was cut off, or begin it where it had not begun. */
static void
finish(const char *authority, const char *plan, const char *people)
{
	char id[64];
	AUTO_STRUCT(run_row) row = { 0 };
	struct journal *journal = open_journal(authority);
	bool found = false;

	(void)snprintf(id, sizeof(id), "%.*s", (int)strcspn(plan, "."), plan);
	assert_ok(journal_run_of_plan(journal, id, &found, &row));
	journal_free(journal);
	must(authority, found ? NULL : plan, people);
	assert_false(run_is_open(authority));
}

static size_t
count_entries(const char *authority, enum entry_kind kind)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	size_t count = 0;

	assert_ok(journal_each_entry(journal, 0, kind, count_one, &count));
	return count;
}

/* Does the authority still work with these people, from shares to signature? */
static void
works_with(const char *authority, const char *people)
{
	static unsigned number;
	char id[32], plan[64];

	(void)snprintf(id, sizeof(id), "probe-%u", number++);
	write_plan(id,
	    "  - generate-key: {key: probe, type: p-256, purpose: ca, backup: "
	    "none}\n"
	    "  - csr: {name: probe, key: probe, subject: {common-name: x}}\n");
	(void)snprintf(plan, sizeof(plan), "%s.yaml", id);
	must(authority, plan, people);
}

/* ---- reshare ---------------------------------------------------------- */

#define EVERYBODY "alice bob dora emil"

static void
write_reshare(void)
{
	write_plan("change", "  - reshare: {set: keys/new.yaml}\n");
}

static void
test_reshare(void **state)
{
	(void)state;
	write_reshare();
	copy_authority("a", "b");
	must("b", "change.yaml", EVERYBODY);
	assert_true(new_set_in_force("b"));
	assert_int_equal(count_entries("b", ENTRY_PIN_CHANGE), 4);
	assert_int_equal(count_entries("b", ENTRY_ANCHOR), 4);
	/* The old ones are nobody any more. */
	write_plan("late",
	    "  - generate-key: {key: x, type: p-256, purpose: ca, backup: "
	    "none}\n");
	assert_reason(start("b", "late.yaml", "alice bob"), CA_R_QUORUM);
	works_with("b", "dora emil");
}

/* Whoever is neither of today nor of tomorrow has no business here. */
static void
test_reshare_strangers(void **state)
{
	(void)state;
	write_reshare();
	copy_authority("a", "b");
	assert_reason(
	    start("b", "change.yaml", "alice bob dora zoe"), CA_R_QUORUM);
	assert_false(run_is_open("b"));
	/* Enough for the old set, not for the new one: it waits. */
	assert_reason(start("b", "change.yaml", "alice bob dora"), CA_R_QUORUM);
	assert_true(run_is_open("b"));
	assert_int_equal(count_entries("b", ENTRY_PIN_CHANGE), 0);
	must("b", NULL, EVERYBODY);
	works_with("b", "dora emil");
}

/* What the journal says of a reshare that was cut off. */
struct progress {
	bool open, active;
	bool moving;    /* PINs, since the first intent */
	bool uncertain; /* was the PIN changed? */
	enum pin_stage so, user;
};

static struct progress
progress_of(const char *authority)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	AUTO_STRUCT(run_row) row = { 0 };
	struct progress p = { 0 };
	size_t entries = 0;

	assert_ok(journal_open_run(journal, &p.open, &row));
	if (!p.open)
		return p;
	assert_ok(journal_pin_stage(journal, row.run, "so", &p.so));
	assert_ok(journal_pin_stage(journal, row.run, "user", &p.user));
	assert_ok(
	    journal_each_entry(journal, 0, ENTRY_QUORUM, count_one, &entries));
	p.active = entries == 3; /* the first set, begun, active */
	p.moving =
	    !p.active && (p.so != PIN_UNTOUCHED || p.user != PIN_UNTOUCHED);
	p.uncertain = p.moving &&
	    (p.so == PIN_INTENDED ||
		(p.so == PIN_UNTOUCHED && p.user == PIN_INTENDED));
	return p;
}

/* The set that must not go on in this state is refused, without any harm. */
static void
check_refused(const struct progress *p)
{
	if (p->active || p->moving)
		assert_reason(resume("c", "alice bob"), CA_R_QUORUM);
	else
		assert_reason(resume("c", "dora emil"), CA_R_QUORUM);
}

/*
 * Design, section 5: from the SO PIN's intent on the new set finishes; but
 * where the PIN had not been changed yet, only with the old one's shares.
 */
static void
check_new_alone(const struct progress *p)
{
	int status;

	if (!p->active && !p->moving)
		return;
	copy_authority("b", "d");
	status = resume("d", "dora emil");
	if (p->uncertain && status != DONE) {
		/* One try, and no further one, however often it is resumed. */
		assert_reason(status, CA_R_QUORUM);
		assert_reason(resume("d", "dora emil"), CA_R_QUORUM);
		assert_reason(resume("d", "dora emil"), CA_R_QUORUM);
		must("d", NULL, EVERYBODY);
	} else {
		assert_int_equal(status, DONE);
	}
	assert_true(new_set_in_force("d"));
}

/* At every point; returns in how many of them the PINs were moving. */
static unsigned
cut_everywhere(const char *authority)
{
	unsigned moving = 0;

	for (int n = 0;; n++) {
		struct progress p;

		copy_authority(authority, "b");
		if (!cut_at("b", "change.yaml", EVERYBODY, n))
			break;
		p = progress_of("b");
		copy_authority("b", "c");
		if (p.open) {
			check_refused(&p);
			check_new_alone(&p);
		}
		finish("c", "change.yaml", EVERYBODY);
		assert_true(new_set_in_force("c"));
		moving += p.moving;
		if (p.uncertain)
			works_with("c", "dora emil");
	}
	return moving;
}

static void
test_reshare_cuts(void **state)
{
	(void)state;
	write_reshare();
	assert_true(cut_everywhere("a") >= 8);
}

/* The user changes their own PIN; the SO PIN is none of our business. */
static void
test_reshare_adopted(void **state)
{
	(void)state;
	write_reshare();
	assert_true(cut_everywhere("u") >= 3);
	copy_authority("u", "b");
	must("b", "change.yaml", EVERYBODY);
	assert_int_equal(count_entries("b", ENTRY_PIN_CHANGE), 2);
	works_with("b", "dora emil");
}

/* Only people change. */
static void
test_reshare_prompt(void **state)
{
	(void)state;
	write_plan("change", "  - reshare: {set: keys/new-sign.yaml}\n");
	assert_int_equal(cut_everywhere("p"), 0);
	copy_authority("p", "b");
	must("b", "change.yaml", EVERYBODY);
	assert_int_equal(count_entries("b", ENTRY_PIN_CHANGE), 0);
	assert_true(new_set_in_force("b"));
	works_with("b", "dora emil");
}

/* Cut off a second time, while it is being finished. */
static void
test_reshare_cut_twice(void **state)
{
	(void)state;
	write_reshare();
	copy_authority("a", "b");
	for (int n = 0;; n++) {
		const struct order order = {
			.authority = "b",
			.plan = "change.yaml",
			.people = EVERYBODY,
			.cut = 1, /* between intent and change */
			.kind = ENTRY_PIN_CHANGE,
		};

		copy_authority("a", "b");
		assert_int_equal(try(&order), CUT);
		if (!cut_at("b", NULL, EVERYBODY, n))
			break;
		must("b", NULL, EVERYBODY);
		assert_true(new_set_in_force("b"));
	}
	works_with("b", "dora emil");
}

/* ---- abandon ---------------------------------------------------------- */

static void
write_abandon(const char *plan)
{
	char steps[128];

	(void)snprintf(steps, sizeof(steps),
	    "  - abandon: {plan: %s, why: a test}\n", plan);
	write_plan("give-up", steps);
}

/* Cut off just before the first entry of this kind. */
static void
cut_before(const char *plan, const char *people, enum entry_kind kind, int n)
{
	const struct order order = {
		.authority = "b",
		.plan = plan,
		.people = people,
		.cut = n,
		.kind = kind,
	};

	copy_authority("a", "b");
	assert_int_equal(try(&order), CUT);
}

static void
test_undo_reshare(void **state)
{
	AUTO_STRUCT(run_row) row = { 0 };

	(void)state;
	write_reshare();
	write_abandon("change");
	/* Before the new set has begun, and before the SO PIN moves. */
	for (int n = 0; n < 2; n++) {
		cut_before("change.yaml", EVERYBODY,
		    n == 0 ? ENTRY_QUORUM : ENTRY_PIN_CHANGE, 0);
		must("b", "give-up.yaml", "alice bob");
		assert_false(run_is_open("b"));
		assert_false(new_set_in_force("b"));
		works_with("b", "alice bob");
	}
	get_run("b", "change", &row);
	assert_true(row.abandoned);
	/* From the intent on it cannot be undone. */
	cut_before("change.yaml", EVERYBODY, ENTRY_PIN_CHANGE, 1);
	assert_reason(start("b", "give-up.yaml", "alice bob"), CA_R_STATE);
	must("b", NULL, EVERYBODY);
}

#define ROOT                                                                   \
	"  - generate-key: {key: k, type: p-256, purpose: ca, backup: none}\n" \
	"  - root: {name: r, key: k, profile: root, subject: {country: DE, "   \
	"organization: O, common-name: N}}\n"                                  \
	"  - generate-key: {key: l, type: p-256, purpose: ca, backup: none}\n"

static enum key_state
state_of_key(const char *authority, const char *name)
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	AUTO_STRUCT(key_row) row = { 0 };
	bool found = false;

	assert_ok(journal_key(journal, name, &found, &row));
	return found ? row.state : KEY_GONE;
}

static void
test_abandon(void **state)
{
	AUTO_STRUCT(run_row) row = { 0 };

	(void)state;
	write_plan("cut-off", ROOT);
	write_abandon("cut-off");
	/* Nothing was signed: no key is left. */
	cut_before("cut-off.yaml", "alice bob", ENTRY_INTENT, 0);
	must("b", "give-up.yaml", "alice bob");
	assert_int_equal(state_of_key("b", "k"), KEY_GONE);
	assert_int_equal(state_of_key("b", "l"), KEY_GONE);
	assert_int_equal(access(in_base("b/public/certs/r.pem"), F_OK), -1);
	get_run("b", "cut-off", &row);
	assert_true(row.abandoned);
	assert_false(row.open);
	/* Perhaps signed: the key is kept, the root is not published. */
	cut_before("cut-off.yaml", "alice bob", ENTRY_RESULT, 0);
	must("b", "give-up.yaml", "alice bob");
	assert_int_equal(state_of_key("b", "k"), KEY_LIVE);
	assert_int_equal(state_of_key("b", "l"), KEY_GONE);
	assert_int_equal(access(in_base("b/public/certs/r.pem"), F_OK), -1);
	assert_int_equal(count_entries("b", ENTRY_FAILED), 1);
	/* Signed: it is published. */
	cut_before("cut-off.yaml", "alice bob", ENTRY_CLOSE, 0);
	must("b", "give-up.yaml", "alice bob");
	assert_int_equal(state_of_key("b", "k"), KEY_LIVE);
	assert_int_equal(state_of_key("b", "l"), KEY_GONE);
	assert_int_equal(access(in_base("b/public/certs/r.pem"), F_OK), 0);
	/* It is over now, and no other run was ever open. */
	write_plan("again", "  - abandon: {plan: cut-off, why: a test}\n");
	assert_reason(start("b", "again.yaml", "alice bob"), CA_R_INPUT);
	works_with("b", "alice bob");
}

/* Other plans wait; this one does not. */
static void
test_abandon_only(void **state)
{
	(void)state;
	write_plan("cut-off", ROOT);
	cut_before("cut-off.yaml", "alice bob", ENTRY_RESULT, 0);
	write_plan("other", "  - correct-clock: {why: a test}\n");
	assert_true(start("b", "other.yaml", "alice bob") >= FAILED);
	write_plan("third",
	    "  - generate-key: {key: x, type: p-256, purpose: ca, backup: "
	    "none}\n");
	assert_reason(start("b", "third.yaml", "alice bob"), CA_R_STATE);
	assert_true(run_is_open("b"));
}

static void
test_abandon_cuts(void **state)
{
	(void)state;
	write_plan("cut-off", ROOT);
	write_abandon("cut-off");
	cut_before("cut-off.yaml", "alice bob", ENTRY_RESULT, 0);
	copy_authority("b", "c");
	for (int n = 0;; n++) {
		AUTO_STRUCT(run_row) row = { 0 };

		copy_authority("c", "b");
		if (!cut_at("b", "give-up.yaml", "alice bob", n))
			break;
		finish("b", "give-up.yaml", "alice bob");
		assert_false(run_is_open("b"));
		get_run("b", "cut-off", &row);
		assert_true(row.abandoned);
		assert_int_equal(state_of_key("b", "k"), KEY_LIVE);
		assert_int_equal(state_of_key("b", "l"), KEY_GONE);
		assert_int_equal(count_entries("b", ENTRY_FAILED), 1);
	}
	works_with("b", "alice bob");
}

/* ---- a directory that was lost or altered ----------------------------- */

/* What happens to the directory of a run; the shell is in it. */
struct damage {
	const char *command;
	const char *aside; /* what is moved aside, below ceremonies/ID-HASH8 */
};

static const struct damage damages[] = {
	{ "rm -r ../cut-off-*", NULL },
	{ "d=$PWD; cd ..; rm -r \"$d\"; echo x > \"$d\"", "" },
	{ "rm manifest.json", NULL },
	{ "echo >> manifest.json", "/manifest.json" },
	{ "rm manifest.json; ln -s inputs/plan.yaml manifest.json",
	    "/manifest.json" },
	{ "rm manifest.json; mkdir manifest.json", "/manifest.json" },
	{ "rm -r inputs", NULL },
	{ "rm -r inputs; ln -s .. inputs", "/inputs" },
	{ "rm inputs/plan.yaml", NULL },
	{ "for f in inputs/*; do echo '#' >> $f; done", "/inputs/plan.yaml" },
	{ "rm list-0", NULL },
	{ "echo '{}' >> list-0", "/list-0" },
	{ "rm spool-0", NULL },
};

static void
do_damage(const struct damage *damage)
{
	char command[900];

	(void)snprintf(command, sizeof(command),
	    "cd '%s'/b/ceremonies/cut-off-* && %s", base, damage->command);
	assert_int_equal(system(command), 0);
}

/* What the journal says of manifest and list is there; so is what differed. */
static void
assert_restored(const struct damage *damage)
{
	AUTO_STRUCT(run_row) row = { 0 };
	unsigned char digest[HASH_LEN];
	char path[512], hex[HASH_HEX_SIZE];
	struct stat st;

	get_run("b", "cut-off", &row);
	(void)snprintf(path, sizeof(path), "%s/b/ceremonies/%s/manifest.json",
	    base, row.directory);
	assert_ok(file_sha256_at(AT_FDCWD, path, digest));
	text_hex_into(digest, HASH_LEN, hex);
	assert_string_equal(hex, row.manifest);
	(void)snprintf(path, sizeof(path),
	    "%s/b/ceremonies/%s/inputs/plan.yaml", base, row.directory);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	(void)snprintf(path, sizeof(path), "%s/b/ceremonies/%s/list-0", base,
	    row.directory);
	assert_int_equal(lstat(path, &st), 0);
	if (damage->aside == NULL)
		return;
	(void)snprintf(path, sizeof(path), "%s/b/ceremonies/%s%s.aside-1", base,
	    row.directory, damage->aside);
	assert_int_equal(lstat(path, &st), 0);
}

/* Nothing of the run's directory is needed to give it up. */
static void
test_abandon_restored(void **state)
{
	(void)state;
	write_plan("cut-off", ROOT);
	write_abandon("cut-off");
	cut_before("cut-off.yaml", "alice bob", ENTRY_RESULT, 0);
	copy_authority("b", "c");
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		AUTO_STRUCT(run_row) row = { 0 };

		copy_authority("c", "b");
		do_damage(&damages[i]);
		must("b", "give-up.yaml", "alice bob");
		get_run("b", "cut-off", &row);
		assert_true(row.abandoned);
		assert_false(row.open);
		assert_int_equal(state_of_key("b", "k"), KEY_LIVE);
		assert_int_equal(state_of_key("b", "l"), KEY_GONE);
		assert_restored(&damages[i]);
	}
}

/* Nor to finish it; without the spool, what is not signed is built anew. */
static void
test_resume_restored(void **state)
{
	(void)state;
	write_plan("cut-off", ROOT);
	cut_before("cut-off.yaml", "alice bob", ENTRY_INTENT, 1);
	copy_authority("b", "c");
	must("b", NULL, "alice bob");
	assert_int_equal(count_entries("b", ENTRY_LIST), 1);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		bool spool = strstr(damages[i].command, "spool") != NULL ||
		    strstr(damages[i].command, "rm -r ../") != NULL ||
		    strstr(damages[i].command, "$PWD") != NULL;

		copy_authority("c", "b");
		do_damage(&damages[i]);
		must("b", NULL, "alice bob");
		assert_restored(&damages[i]);
		assert_false(run_is_open("b"));
		assert_int_equal(
		    access(in_base("b/public/certs/r.pem"), F_OK), 0);
		assert_int_equal(count_entries("b", ENTRY_LIST), spool ? 2 : 1);
	}
}

/* A spool that does not hold what the list says is none. */
static void
test_resume_other_spool(void **state)
{
	static const struct damage other[] = {
		{ "tr '\\000-\\377' '\\001-\\377\\000' < spool-0 > x; mv x spool-0",
		    NULL },
		{ "head -c 100 spool-0 > x; mv x spool-0", NULL },
		{ "rm spool-0; mkdir spool-0", NULL },
	};

	(void)state;
	write_plan("cut-off", ROOT);
	cut_before("cut-off.yaml", "alice bob", ENTRY_INTENT, 1);
	copy_authority("b", "c");
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		copy_authority("c", "b");
		do_damage(&other[i]);
		must("b", NULL, "alice bob");
		assert_int_equal(count_entries("b", ENTRY_LIST), 2);
		assert_int_equal(count_entries("b", ENTRY_INTENT), 1);
		assert_int_equal(
		    access(in_base("b/public/certs/r.pem"), F_OK), 0);
	}
}

/* Only what the journal knows of is made again, and only in its place. */
static void
test_restore_refused(void **state)
{
	static const char *const names[] = { "../cut-off", ".hidden", "",
		"a/b" };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(run_row) row = { 0 };
	struct seats seats;
	struct room room = people_room(&seats, in_base("keys"), "");
	char other[HASH_HEX_SIZE];

	(void)state;
	write_plan("cut-off", ROOT);
	cut_before("cut-off.yaml", "alice bob", ENTRY_INTENT, 1);
	get_run("b", "cut-off", &row);
	assert_ok(authority_open(
	    in_base("b"), AUTHORITY_WRITE, &findings, &authority));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_refused(CA_R_CORRUPT,
		    plan_restore(authority, &room, names[i], row.manifest));
	(void)snprintf(other, sizeof(other), "%s", row.manifest);
	other[0] = other[0] == '0' ? '1' : '0';
	assert_refused(
	    CA_R_MISSING, plan_restore(authority, &room, row.directory, other));
	assert_refused(CA_R_MISSING,
	    plan_restore(authority, &room, "other-00000000", row.manifest));
	assert_int_equal(
	    access(in_base("b/ceremonies/other-00000000"), F_OK), -1);
	assert_string_equal(seats.shown, "");
	/* What is right stays; what was lost is said to be back. */
	assert_ok(plan_restore(authority, &room, row.directory, row.manifest));
	assert_string_equal(seats.shown, "");
	do_damage(&(struct damage){ "rm manifest.json", NULL });
	assert_ok(plan_restore(authority, &room, row.directory, row.manifest));
	assert_non_null(strstr(seats.shown,
	    "manifest.json' was lost; it was "
	    "put back"));
}

/* ---- a list that nobody would read ------------------------------------ */

static struct built_object
large_object(const unsigned char *octets, size_t len)
{
	static char name[] = "x", summary[] = "x";
	static unsigned char spki[1];

	return (struct built_object){
		.kind = OBJECT_CSR,
		.name = name,
		.key = name,
		.signer = spki,
		.signer_len = 1,
		.tbs = { .der = (unsigned char *)(uintptr_t)octets,
		    .len = len,
		    .alg = sigalg_at(0) },
		.facts = json_object(),
		.lint = json_array(),
		.summary = summary,
		.details = summary,
		.from = BUILT_NOW,
	};
}

static void
test_list_too_long(void **state)
{
	enum { HALF = LIST_MAX_BYTES / 2 + 1 };
	unsigned char *octets = calloc(1, HALF);
	struct built_object objects[] = { large_object(octets, HALF),
		large_object(octets, HALF) };
	unsigned numbers[2] = { 0 };
	char set[SET_ID_HEX_SIZE] = "0", hash[] = "0", report[] = "{}";
	struct plan_params params = { 0 };
	struct plan list_of = {
		.params = &params, .manifest_sha256 = hash, .set_sha256 = hash
	};
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct run run = { .plan = &list_of,
		.nonce = "0",
		.object_list = numbers,
		.lint_report = report,
		.build = { .objects = objects, .object_count = 2 } };

	(void)state;
	assert_non_null(octets);
	memcpy(list_of.set, set, sizeof(set));
	copy_authority("a", "b");
	assert_ok(authority_open(
	    in_base("b"), AUTHORITY_WRITE, &findings, &authority));
	run.authority = authority;
	assert_ok(dir_open(in_base("b/ceremonies"), &run.fd));
	assert_refused(CA_R_POLICY, spool_write(&run));
	assert_int_equal(run.lists, 0);
	assert_int_equal(file_exists_at(run.fd, "list-0"), 0);
	assert_int_equal(file_exists_at(run.fd, "spool-0"), 0);
	authority_free(TAKE(authority));
	assert_int_equal(count_entries("b", ENTRY_LIST), 0);
	(void)close(run.fd);
	for (size_t i = 0; i < 2; i++) {
		json_decref(objects[i].facts);
		json_decref(objects[i].lint);
	}
	free(octets);
}

/* ---- adopt-config ----------------------------------------------------- */

static void
write_adopt(void)
{
	write_plan("adopt", "  - adopt-config: {why: a test}\n");
}

/* Every `from` in this file of authority b becomes `to`. */
static void
edit(const char *name, const char *from, const char *to)
{
	char command[900];

	(void)snprintf(command, sizeof(command),
	    "grep -q '%s' '%s/b/%s' && sed -i 's|%s|%s|' '%s/b/%s'", from, base,
	    name, from, to, base, name);
	assert_int_equal(system(command), 0);
}

static void
test_adopt_config(void **state)
{
	(void)state;
	write_adopt();
	copy_authority("a", "b");
	assert_reason(start("b", "adopt.yaml", "alice bob"), CA_R_INPUT);
	edit("authority.yaml", "^title: .*", "title: Another");
	write_text("b/profiles/root.yaml", "a", "# changed\n");
	assert_int_equal(rename(in_base("b/profiles/ocsp-responder.yaml"),
			     in_base("ocsp-responder.yaml")),
	    0);
	/* Nothing else runs meanwhile. */
	write_plan("other", ROOT);
	assert_reason(start("b", "other.yaml", "alice bob"), CA_R_POLICY);
	must("b", "adopt.yaml", "alice bob");
	assert_int_equal(count_entries("b", ENTRY_CONFIG), 2);
	must("b", "other.yaml", "alice bob");
	/* A second time there is nothing to adopt. */
	write_plan("adopt-2", "  - adopt-config: {why: a test}\n");
	assert_reason(start("b", "adopt-2.yaml", "alice bob"), CA_R_INPUT);
}

static void
test_adopt_config_cuts(void **state)
{
	size_t profiles;

	(void)state;
	write_adopt();
	copy_authority("a", "b");
	profiles = count_entries("b", ENTRY_PROFILE);
	for (int n = 0;; n++) {
		copy_authority("a", "b");
		edit("authority.yaml", "^title: .*", "title: Another");
		write_text("b/profiles/root.yaml", "a", "# changed\n");
		if (!cut_at("b", "adopt.yaml", "alice bob", n))
			break;
		finish("b", "adopt.yaml", "alice bob");
		assert_int_equal(count_entries("b", ENTRY_CONFIG), 2);
		assert_int_equal(
		    count_entries("b", ENTRY_PROFILE), profiles + 1);
	}
	works_with("b", "alice bob");
}

/* What opens the token stays as it is. */
static void
test_adopt_config_fixed(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "^login: derived", "login: adopted" },
		{ "^  label: .*", "  label: other" },
		{ "^  module: .*", "  module: /usr/lib/other.so" },
		{ "^id: .*", "id: example.org/other" },
	};

	(void)state;
	write_adopt();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		copy_authority("a", "b");
		works_with("b", "alice bob"); /* keeps authority.yaml */
		edit("authority.yaml", cases[i].from, cases[i].to);
		assert_true(start("b", "adopt.yaml", "alice bob") >= FAILED);
		assert_false(run_is_open("b"));
		assert_int_equal(count_entries("b", ENTRY_CONFIG), 1);
	}
}

/* Changed once more after the plan was checked: approvals are void. */
static void
test_adopt_config_swapped(void **state)
{
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(plan) *plan = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	char kept[128];

	(void)state;
	write_adopt();
	copy_authority("a", "b");
	write_text("b/profiles/root.yaml", "a", "# changed\n");
	assert_ok(authority_open(
	    in_base("b"), AUTHORITY_WRITE, &findings, &authority));
	assert_ok(plan_open(
	    authority, in_base("adopt.yaml"), date_now(), &findings, &plan));
	assert_ok(plan_keep(authority, plan));
	(void)snprintf(
	    kept, sizeof(kept), "b/ceremonies/%s", plan_directory(plan));
	plan_free(TAKE(plan));
	authority_free(TAKE(authority));
	write_text("b/profiles/root.yaml", "a", "# once more\n");
	assert_reason(start("b", kept, "alice bob"), CA_R_VERIFY);
	assert_false(run_is_open("b"));
}

/* ---- correct-clock ---------------------------------------------------- */

enum { TEN_YEARS = 3653 * 86400 };

/* A run was carried out while the clock was ten years ahead. */
static void
spoil_clock(void)
{
	const struct order order = {
		.authority = "b",
		.plan = "ahead.yaml",
		.people = "alice bob",
		.cut = -1,
		.clock = TEN_YEARS,
		.loud = true,
	};

	write_plan("ahead",
	    "  - generate-key: {key: x, type: p-256, purpose: ca, backup: "
	    "none}\n"
	    "  - csr: {name: x, key: x, subject: {common-name: x}}\n");
	copy_authority("a", "b");
	assert_int_equal(try(&order), DONE);
}

static void
test_correct_clock(void **state)
{
	(void)state;
	write_plan("clock", "  - correct-clock: {why: a test}\n");
	copy_authority("a", "b");
	write_plan("first",
	    "  - generate-key: {key: y, type: p-256, purpose: ca, backup: "
	    "none}\n"
	    "  - csr: {name: y, key: y, subject: {common-name: x}}\n");
	must("b", "first.yaml", "alice bob");
	assert_reason(start("b", "clock.yaml", "alice bob"), CA_R_INPUT);
	spoil_clock();
	assert_reason(start("b", "first.yaml", "alice bob"), CA_R_POLICY);
	must("b", "clock.yaml", "alice bob");
	must("b", "first.yaml", "alice bob");
}

static void
test_correct_clock_cuts(void **state)
{
	(void)state;
	write_plan("clock", "  - correct-clock: {why: a test}\n");
	spoil_clock();
	copy_authority("b", "c");
	for (int n = 0;; n++) {
		copy_authority("c", "b");
		if (!cut_at("b", "clock.yaml", "alice bob", n))
			break;
		finish("b", "clock.yaml", "alice bob");
		assert_int_equal(count_entries("b", ENTRY_CLOCK), 1);
	}
	works_with("b", "alice bob");
}

/* ---- adopt-token ------------------------------------------------------ */

/* The serial number of the token, as the journal has it. */
static void
serial_of(const char *authority, char ret_serial[32])
{
	AUTO_PTR(journal) *journal = open_journal(authority);
	AUTO_STRUCT(authority_row) row = { 0 };

	assert_ok(journal_authority(journal, &row));
	(void)snprintf(ret_serial, 32, "%s", row.token_serial);
}

/*
 * A clone under another serial number: SoftHSM's files have no integrity, and
 * hold it as text.
 */
static void
clone_token(char ret_serial[32])
{
	char old[32], command[512];

	copy_authority("a", "b");
	serial_of("b", old);
	(void)snprintf(ret_serial, 32, "%s", old);
	for (char *c = ret_serial; *c != '\0'; c++)
		*c = *c == '0' ? '1' : '0';
	(void)snprintf(command, sizeof(command),
	    "grep -rl --binary-files=text '%s' '%s/b/token' | "
	    "LC_ALL=C xargs sed -i 's/%s/%s/g'",
	    old, base, old, ret_serial);
	assert_int_equal(system(command), 0);
}

static void
write_adopt_token(const char *serial)
{
	char steps[160];

	(void)snprintf(steps, sizeof(steps),
	    "  - adopt-token: {serial: '%s', why: a test}\n", serial);
	write_plan("token", steps);
}

static void
test_adopt_token(void **state)
{
	char serial[32], recorded[32];

	(void)state;
	clone_token(serial);
	write_plan("other", ROOT);
	assert_reason(start("b", "other.yaml", "alice bob"), CA_R_TOKEN);
	write_adopt_token(serial);
	must("b", "token.yaml", "alice bob");
	serial_of("b", recorded);
	assert_string_equal(recorded, serial);
	assert_int_equal(count_entries("b", ENTRY_TOKEN), 2);
	works_with("b", "alice bob");
	/* The one that is there already, and one that is not there. */
	write_adopt_token(serial);
	write_plan("token-2",
	    "  - adopt-token: {serial: 'ffffffffffffffff', why: a test}\n");
	assert_reason(start("b", "token-2.yaml", "alice bob"), CA_R_TOKEN);
	assert_false(run_is_open("b"));
}

static void
test_adopt_token_same(void **state)
{
	char serial[32];

	(void)state;
	copy_authority("a", "b");
	serial_of("b", serial);
	write_adopt_token(serial);
	assert_reason(start("b", "token.yaml", "alice bob"), CA_R_STATE);
}

/* A clone that lacks a key is none. */
static void
test_adopt_token_lacks_key(void **state)
{
	char serial[32], command[512];

	(void)state;
	clone_token(serial);
	write_adopt_token(serial);
	(void)snprintf(command, sizeof(command),
	    "find '%s/b/token' -name '*.object' ! -name token.object "
	    "-delete",
	    base);
	assert_int_equal(system(command), 0);
	assert_reason(start("b", "token.yaml", "alice bob"), CA_R_KEY);
	assert_false(run_is_open("b"));
	assert_int_equal(count_entries("b", ENTRY_TOKEN), 1);
}

static void
test_adopt_token_cuts(void **state)
{
	char serial[32];

	(void)state;
	clone_token(serial);
	write_adopt_token(serial);
	copy_authority("b", "c");
	for (int n = 0;; n++) {
		copy_authority("c", "b");
		if (!cut_at("b", "token.yaml", "alice bob", n))
			break;
		finish("b", "token.yaml", "alice bob");
		assert_int_equal(count_entries("b", ENTRY_TOKEN), 2);
	}
	works_with("b", "alice bob");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reshare),
		cmocka_unit_test(test_reshare_strangers),
		cmocka_unit_test(test_reshare_cuts),
		cmocka_unit_test(test_reshare_adopted),
		cmocka_unit_test(test_reshare_prompt),
		cmocka_unit_test(test_reshare_cut_twice),
		cmocka_unit_test(test_undo_reshare),
		cmocka_unit_test(test_abandon),
		cmocka_unit_test(test_abandon_only),
		cmocka_unit_test(test_abandon_cuts),
		cmocka_unit_test(test_abandon_restored),
		cmocka_unit_test(test_resume_restored),
		cmocka_unit_test(test_resume_other_spool),
		cmocka_unit_test(test_restore_refused),
		cmocka_unit_test(test_list_too_long),
		cmocka_unit_test(test_adopt_config),
		cmocka_unit_test(test_adopt_config_cuts),
		cmocka_unit_test(test_adopt_config_fixed),
		cmocka_unit_test(test_adopt_config_swapped),
		cmocka_unit_test(test_correct_clock),
		cmocka_unit_test(test_correct_clock_cuts),
		cmocka_unit_test(test_adopt_token),
		cmocka_unit_test(test_adopt_token_same),
		cmocka_unit_test(test_adopt_token_lacks_key),
		cmocka_unit_test(test_adopt_token_cuts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
