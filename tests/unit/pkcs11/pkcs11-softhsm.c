/*
 * The embedded token survives whatever cuts it short.  Run with an act and a
 * directory this program is its own victim, for strace to kill.
 */
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "support.h"

#define NEW_PIN "another PIN"

static unsigned char kept_id[KEY_ID_LEN] = "kept identifier";
static unsigned char cut_id[KEY_ID_LEN] = "cut identifier";

static void
setup_key(const char *dir)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	struct key *key = NULL;

	must_login(token);
	CHECK(key_generate(token, key_type_by_name("p-256"), "kept", kept_id,
		  &key) == 0);
	key_free(key);
	close_token(token);
}

static struct token *
find_ca(const char *dir, bool *ret_restored)
{
	struct module *module = NULL;
	struct token *token = NULL;

	CHECK(module_open_embedded(dir, &module, ret_restored) == 0);
	CHECK(token_find(module, "ca", NULL, &token) == 0);
	return token;
}

/* The token opens, by this PIN, and its key signs. */
static bool
works(const char *dir, const char *pin_text)
{
	AUTO_STRUCT(secret) pin = secret_of(pin_text);
	AUTO_STRUCT(findings) findings = { 0 };
	bool restored = false;
	struct token *token = find_ca(dir, &restored);
	struct sign_job job = { .alg = sigalg_by_name("ecdsa-sha256") };
	struct key *key = NULL;

	CHECK(token_login(token, &pin) == 0);
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	job.key = key;
	CHECK(token_sign(token, &job, 1, 1, NULL, NULL) == 0);
	key_free(key);
	close_token(token);
	return restored;
}

static void
must_restore(const char *dir)
{
	CHECK(works(dir, USER_PIN));
}

static void
must_be_whole(const char *dir)
{
	CHECK(!works(dir, USER_PIN));
}

static void
any_state(const char *dir)
{
	(void)works(dir, USER_PIN);
}

/* ---- Damage ---- */

/* A kill in the middle of the write leaves any prefix of the file. */
TEST(every_prefix_is_restored)
{
	const char *path = NULL;
	size_t len = 0;
	unsigned char *object = NULL;

	in_child(setup_key, dir);
	path = token_object(dir);
	object = read_file(path, &len);
	CHECK(len > 200);
	for (size_t i = 0; i < len; i++) {
		write_file(path, object, i);
		in_child(must_restore, dir);
		in_child(must_be_whole, dir);
	}
	CHECK(unlink(path) == 0);
	in_child(must_restore, dir);
	free(object);
}

static void
fails_to_open(const char *dir)
{
	struct module *module = NULL;

	CHECK_ERROR(module_open_embedded(dir, &module, NULL), CA_R_TOKEN,
	    "restore a backup");
}

/* Bytes too many, or of another kind: not a token.object either. */
TEST(other_damage)
{
	const char *path = NULL;
	size_t len = 0;
	unsigned char *object = NULL;
	unsigned char more[1024] = { 0 };

	in_child(setup_key, dir);
	path = token_object(dir);
	object = read_file(path, &len);
	memcpy(more, object, len);
	write_file(path, more, len + 1);
	in_child(must_restore, dir);
	write_file(path, more, len + 8);
	in_child(must_restore, dir);
	more[23] = 9; /* the first value's kind */
	write_file(path, more, len);
	in_child(must_restore, dir);
	memset(more, 0, len);
	write_file(path, more, len);
	in_child(must_restore, dir);
	memset(more, 0xff, len);
	write_file(path, more, len);
	in_child(must_restore, dir);
	free(object);
}

static const char *
guard_of(const char *dir)
{
	static char path[PATH_MAX];
	struct dirent *entry = NULL;
	DIR *guard = opendir(in_dir(dir, "guard"));

	CHECK(guard != NULL);
	while ((entry = readdir(guard)) != NULL)
		if (entry->d_name[0] != '.')
			CHECK(snprintf(path, sizeof(path), "%s/guard/%s", dir,
				  entry->d_name) < PATH_MAX);
	(void)closedir(guard);
	return path;
}

TEST(no_guard_either)
{
	in_child(setup_key, dir);
	write_file(guard_of(dir), "", 0);
	in_child(must_be_whole, dir); /* and makes a new guard */
	write_file(token_object(dir), "", 0);
	in_child(must_restore, dir);
	write_file(token_object(dir), "", 0);
	write_file(guard_of(dir), "garbage", 7);
	in_child(fails_to_open, dir);
	CHECK(unlink(guard_of(dir)) == 0);
	in_child(fails_to_open, dir);
}

/* Damaged while open: the good guard is not overwritten, nothing is begun. */
static void
damaged_while_open(const char *dir)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	write_file(token_object(dir), "", 0);
	ca_error_clear();
	CHECK(token_login(token, &pin) == -1);
	ca_error_clear();
	close_token(token);
}

TEST(guard_is_not_spoilt)
{
	in_child(setup_key, dir);
	in_child(damaged_while_open, dir);
	in_child(must_restore, dir);
}

/* ---- PINs ---- */

static void
change_pin(const char *dir)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	CHECK(token_set_user_pin(token, &so, &new) == 0);
	close_token(token);
}

static void
new_pin_works(const char *dir)
{
	CHECK(works(dir, NEW_PIN));
}

static void
old_pin_fails(const char *dir)
{
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	CHECK_ERROR(token_login(token, &old), CA_R_PIN, "is wrong");
	close_token(token);
}

/* An old guard would open with the old PIN. */
TEST(guard_follows_the_pin)
{
	in_child(setup_key, dir);
	in_child(must_be_whole, dir);
	in_child(change_pin, dir);
	write_file(token_object(dir), "", 0);
	in_child(old_pin_fails, dir);
	write_file(token_object(dir), "", 0);
	in_child(new_pin_works, dir);
}

/* Whoever knows the present PIN makes it the other one. */
static void
swap_pin(const char *dir)
{
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	if (token_change_user_pin(token, &old, &new) != 0) {
		CHECK(ca_error_reason() == CA_R_PIN);
		ca_error_clear();
		CHECK(token_change_user_pin(token, &new, &old) == 0);
	}
	close_token(token);
}

TEST(guard_follows_a_changed_pin)
{
	in_child(setup_key, dir);
	in_child(must_be_whole, dir);
	in_child(swap_pin, dir);
	write_file(token_object(dir), "", 0);
	in_child(old_pin_fails, dir);
	write_file(token_object(dir), "", 0);
	in_child(new_pin_works, dir);
}

/* The same, for the security officer. */
static void
swap_so_pin(const char *dir)
{
	AUTO_STRUCT(secret) old = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	if (token_change_so_pin(token, &old, &new) != 0) {
		CHECK(ca_error_reason() == CA_R_PIN);
		ca_error_clear();
		CHECK(token_change_so_pin(token, &new, &old) == 0);
	}
	close_token(token);
}

/* Whichever is in force, one of them is, and lets the officer in. */
static void
one_so_pin_works(const char *dir)
{
	AUTO_STRUCT(secret) old = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	AUTO_STRUCT(secret) user = secret_of(USER_PIN);
	bool restored = false;
	struct token *token = find_ca(dir, &restored);

	if (token_set_user_pin(token, &old, &user) != 0) {
		ca_error_clear();
		CHECK(token_set_user_pin(token, &new, &user) == 0);
	}
	must_login(token);
	close_token(token);
}

/* ---- Moving and wiping ---- */

TEST(moved_directory)
{
	const char *before = in_dir(dir, "before");
	const char *after = in_dir(dir, "after");
	struct stat st;

	CHECK(mkdir(before, 0700) == 0);
	in_child(setup_key, before);
	CHECK(rename(before, after) == 0);
	in_child(must_be_whole, after);
	CHECK(stat(before, &st) != 0);
	CHECK(stat(in_dir(after, "tokens"), &st) == 0 &&
	    (st.st_mode & 07777) == 0700);
	CHECK(stat(in_dir(after, "softhsm2.conf"), &st) == 0 &&
	    (st.st_mode & 07777) == 0600);
}

static void
starts_anew(const char *dir)
{
	struct token *token = make_token(open_embedded(dir), "ca");

	must_login(token);
	close_token(token);
}

TEST(wiped)
{
	struct stat st;

	in_child(setup_key, dir);
	write_file(in_dir(dir, "mine"), "x", 1);
	/* As a cut C_InitToken leaves it: a token without guard. */
	write_file(token_object(dir), "", 0);
	CHECK(unlink(guard_of(dir)) == 0);
	in_child(fails_to_open, dir);
	CHECK(softhsm_wipe(dir) == 0);
	CHECK(softhsm_wipe(dir) == 0);
	CHECK(stat(in_dir(dir, "tokens"), &st) != 0);
	CHECK(stat(in_dir(dir, "guard"), &st) != 0);
	CHECK(stat(in_dir(dir, "softhsm2.conf"), &st) != 0);
	CHECK(stat(in_dir(dir, "mine"), &st) == 0);
	in_child(starts_anew, dir);
	ca_error_clear();
	CHECK(softhsm_wipe(in_dir(dir, "none")) == -1);
}

/* A link out of the directory is removed, not followed. */
TEST(wipe_follows_no_link)
{
	const char *outside = in_dir(dir, "outside");
	const char *inside = in_dir(dir, "inside");
	struct stat st;

	CHECK(mkdir(outside, 0700) == 0 && mkdir(inside, 0700) == 0);
	write_file(in_dir(outside, "precious"), "x", 1);
	CHECK(mkdir(in_dir(inside, "tokens"), 0700) == 0);
	CHECK(symlink(outside, in_dir(inside, "tokens/link")) == 0);
	CHECK(symlink(outside, in_dir(inside, "guard")) == 0);
	CHECK(softhsm_wipe(inside) == 0);
	CHECK(stat(in_dir(outside, "precious"), &st) == 0);
	CHECK(lstat(in_dir(inside, "guard"), &st) != 0);
}

/* ---- Signals and space ---- */

static volatile sig_atomic_t arrived;

static void
on_signal(int number)
{
	(void)number;
	arrived = 1;
}

TEST(signals_wait)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct token *token = make_token(open_embedded(dir), "ca");
	struct guard guard = { 0 };

	CHECK(sigaction(SIGTERM, &action, NULL) == 0);
	CHECK(guard_begin(token->module, &guard) == 0);
	CHECK(raise(SIGTERM) == 0);
	CHECK(arrived == 0);
	CHECK(guard_end(&guard, GUARD_LOGIN) == 0);
	CHECK(arrived == 1);
	close_token(token);
}

static bool
make_small_disk(const char *where)
{
	int flags = geteuid() == 0 ? CLONE_NEWNS : CLONE_NEWUSER | CLONE_NEWNS;

	return unshare(flags) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("tmpfs", where, "tmpfs", 0, "size=2m,mode=0700") == 0;
}

enum { NO_NAMESPACE = 77 };

static void
full_disk(const char *dir)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	AUTO_BYTES(before) = NULL;
	AUTO_BYTES(after) = NULL;
	char filler[4096] = { 1 };
	size_t before_len = 0, after_len = 0;
	struct token *token = NULL;
	AUTO(FILE) *file = NULL;

	if (!make_small_disk(dir))
		_exit(NO_NAMESPACE);
	in_child(setup_key, dir);
	file = fopen(in_dir(dir, "filler"), "we");
	CHECK(file != NULL);
	while (fwrite(filler, 1, sizeof(filler), file) == sizeof(filler) &&
	    fflush(file) == 0)
		continue;
	before = read_file(token_object(dir), &before_len);
	token = find_ca(dir, NULL);
	CHECK_ERROR(token_login(token, &pin), CA_R_FULL, "");
	close_token(token);
	after = read_file(token_object(dir), &after_len);
	CHECK(before_len == after_len && memcmp(before, after, after_len) == 0);
	CHECK(unlink(in_dir(dir, "filler")) == 0);
	cleanup_ptr_FILE(&file);
	in_child(must_be_whole, dir);
}

static void
full_disk_is_refused(void **state)
{
	char name[] = "pkcs11-full-XXXXXX";
	char path[PATH_MAX];
	int status = 0;

	(void)state;
	assert_non_null(mkdtemp(name));
	assert_non_null(realpath(name, path));
	status = child_status(full_disk, path);
	assert_int_equal(rmdir(path), 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_NAMESPACE)
		skip(); /* no mount namespaces for this user */
	assert_int_equal(status, 0);
}

/* ---- What a cut generation leaves ---- */

TEST(wrecks_are_swept)
{
	/* A counter and CKA_KEY_TYPE: SoftHSM had come no further. */
	static const unsigned char no_class[32] = {
		[7] = 2, [14] = 1, [23] = 2, [31] = 3
	};
	static const struct {
		size_t len;
		bool swept;
	} cases[] = { { 0, true }, { 8, true }, { 32, true }, { 31, false } };
	char path[PATH_MAX], lock[PATH_MAX];
	const char *object = NULL;
	struct stat st;
	int stem = 0;

	in_child(setup_key, dir);
	object = token_object(dir);
	stem = (int)(strlen(object) - strlen("token.object"));
	(void)snprintf(path, sizeof(path), "%.*s0-1.object", stem, object);
	(void)snprintf(lock, sizeof(lock), "%.*s0-1.lock", stem, object);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(path, no_class, cases[i].len);
		write_file(lock, "", 0);
		in_child(must_be_whole, dir);
		CHECK((stat(path, &st) != 0) == cases[i].swept);
		CHECK((stat(lock, &st) != 0) == cases[i].swept);
	}
}

/* ---- Kills ---- */

static void
act_login(const char *dir)
{
	struct token *token = find_ca(dir, NULL);

	must_login(token);
	close_token(token);
}

static void
act_generate(const char *dir)
{
	struct token *token = find_ca(dir, NULL);
	struct key *key = NULL;

	must_login(token);
	CHECK(key_generate(
		  token, key_type_by_name("p-384"), "cut", cut_id, &key) == 0);
	key_free(key);
	close_token(token);
}

static const struct {
	const char *name;
	void (*run)(const char *dir);
} acts[] = {
	{ "login", act_login },
	{ "pin", change_pin },
	{ "own-pin", swap_pin },
	{ "so-pin", swap_so_pin },
	{ "generate", act_generate },
};

enum { ACTS = sizeof(acts) / sizeof(acts[0]) };

static int
run_act(const char *name, const char *dir)
{
	(void)CRYPTO_secure_malloc_init(1 << 17, 32);
	for (size_t i = 0; i < ACTS; i++)
		if (strcmp(acts[i].name, name) == 0) {
			acts[i].run(dir);
			return 0;
		}
	return 2;
}

/* True if it was killed at the nth of these calls; false if it came to its end. */
static bool
killed(const char *dir, const char *act, const char *call, unsigned nth)
{
	char inject[128], trace[64], self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int status = 0;
	pid_t child = 0;

	CHECK(len > 0);
	self[len] = '\0';
	(void)snprintf(trace, sizeof(trace), "trace=%s", call);
	(void)snprintf(
	    inject, sizeof(inject), "inject=%s:signal=KILL:when=%u", call, nth);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		/* LeakSanitizer does not run under a tracer. */
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		(void)execlp("strace", "strace", "-f", "-o", "/dev/null", "-e",
		    trace, "-e", inject, self, act, dir, (char *)NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return false;
}

static const char *const calls[] = { "write", "ftruncate", "fsync", "rename",
	"renameat", "renameat2", "unlink", "unlinkat", "openat" };

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static void
kill_everywhere(const char *dir, const char *act, unsigned step,
    void (*check)(const char *dir), unsigned least)
{
	unsigned kills = 0;

	for (size_t i = 0; i < CALLS; i++) {
		for (unsigned nth = 1; killed(dir, act, calls[i], nth);
		     nth += step) {
			in_child(check, dir);
			kills++;
		}
		in_child(check, dir); /* it came to its end */
	}
	CHECK(kills >= least);
}

TEST(killed_logins)
{
	in_child(setup_key, dir);
	kill_everywhere(dir, "login", 1, any_state, 10);
}

/* Whichever PIN is in force, one of them is, and it opens the key. */
static void
one_pin_works(const char *dir)
{
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	AUTO_STRUCT(findings) findings = { 0 };
	bool restored = false;
	struct token *token = find_ca(dir, &restored);
	struct key *key = NULL;

	if (token_login(token, &new) != 0) {
		ca_error_clear();
		CHECK(token_login(token, &old) == 0);
	}
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	key_free(key);
	close_token(token);
}

TEST(killed_pin_changes)
{
	in_child(setup_key, dir);
	kill_everywhere(dir, "pin", 2, one_pin_works, 10);
}

TEST(killed_changes_of_the_own_pin)
{
	in_child(setup_key, dir);
	kill_everywhere(dir, "own-pin", 3, one_pin_works, 10);
	kill_everywhere(dir, "so-pin", 3, one_so_pin_works, 10);
}

static int
count_key(void *ctx, const struct key_statement *statement, const char *type,
    const char *fault)
{
	(void)statement;
	(void)type;
	(void)fault;
	++*(unsigned *)ctx;
	return 0;
}

static size_t
count_objects(const struct token *token)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_OBJECT_HANDLE list[64];
	CK_ULONG count = 0;

	CHECK(raw->C_FindObjectsInit(token->session, NULL, 0) == CKR_OK);
	CHECK(raw->C_FindObjects(token->session, list, 64, &count) == CKR_OK);
	CHECK(raw->C_FindObjectsFinal(token->session) == CKR_OK);
	return count;
}

/* The journal knows the CKA_ID: key_destroy() leaves nothing of the rest. */
static void
cut_key_goes(const char *dir)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token = find_ca(dir, NULL);
	struct key *key = NULL;
	unsigned keys = 0;

	must_login(token);
	CHECK(key_destroy(token, cut_id, KEY_ID_LEN, NULL) == 0);
	CHECK(key_each(token, count_key, &keys) == 0);
	CHECK(keys == 1 && count_objects(token) == 2);
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	key_free(key);
	close_token(token);
}

TEST(killed_generation)
{
	in_child(setup_key, dir);
	kill_everywhere(dir, "generate", 5, cut_key_goes, 10);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_is_restored),
		cmocka_unit_test(other_damage),
		cmocka_unit_test(no_guard_either),
		cmocka_unit_test(guard_is_not_spoilt),
		cmocka_unit_test(guard_follows_the_pin),
		cmocka_unit_test(guard_follows_a_changed_pin),
		cmocka_unit_test(moved_directory),
		cmocka_unit_test(wiped),
		cmocka_unit_test(wipe_follows_no_link),
		cmocka_unit_test(signals_wait),
		cmocka_unit_test(full_disk_is_refused),
		cmocka_unit_test(wrecks_are_swept),
		cmocka_unit_test(killed_logins),
		cmocka_unit_test(killed_pin_changes),
		cmocka_unit_test(killed_changes_of_the_own_pin),
		cmocka_unit_test(killed_generation),
	};

	if (argc == 3)
		return run_act(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
