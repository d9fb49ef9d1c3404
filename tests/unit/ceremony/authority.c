/*
 * An authority is made, cut off at every step of the way and gone on with;
 * its token is opened with the operators' shares, and with nothing less.  Each
 * attempt is a process of its own: one holds one PKCS#11 module.
 */
#include "ceremony/authority.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/note.h"
#include "ceremony/operators.h"
#include "people.h"

#define ID "example.org/unit"
#define EVERYBODY "alice bob carol"
#define VENDOR_PIN "vendor-1234"
#define VENDOR_SO_PIN "vendor-so-5678"

/* What a process says of its end. */
enum { DONE = 0, CUT = 9, FAILED = 32 };

static char base[64];
static struct seats seats;

/* What an attempt is to do, set by the test that begins it. */
static struct {
	const char *dir, *people;
	struct authority_options options;
	int cut_at;          /* which point; -1: none */
	bool token_only;     /* points are what is done to the token */
	unsigned stop_at;    /* which secret is not given; 0: none */
	unsigned wrong_at;   /* which one is given wrong; 0: none */
	bool again;          /* whether a further try is wanted */
	const char *joins;   /* who comes when asked for, parted by blanks */
	const char *pin;     /* the token's, when asked for */
	bool confirms;       /* the answer to questions */
	const char *subject; /* what else the attempt is about */
} plan;

/* What an attempt tells; shared with its process. */
static struct {
	int reason;
	char error[4096];
	char shown[32768];
	char asked[4096]; /* who was asked for a secret, a line each */
	unsigned secrets, agains, confirms;
	uint64_t number;
	unsigned entries[ENTRY_KINDS];
	char people[1024]; /* of the last entry of a login */
} * report;

/* ---- where a process is cut off --------------------------------------- */

static void
cut_point(void)
{
	if (plan.cut_at >= 0 && plan.cut_at-- == 0)
		_exit(CUT);
}

/* From one point to the next: more where everything is slow (sanitizers). */
static int
cut_step(void)
{
	const char *step = getenv("CUT_STEP");

	return step == NULL ? 1 : atoi(step);
}

/* The linker puts these in the place of what they are called after. */
#define CUT_BEFORE(name, parameters, arguments, of_token) \
	int __real_##name parameters;                     \
	int __wrap_##name parameters;                     \
	int __wrap_##name parameters                      \
	{                                                 \
		if ((of_token) || !plan.token_only)       \
			cut_point();                      \
		return __real_##name arguments;           \
	}

CUT_BEFORE(journal_append,
    (struct journal * journal, enum entry_kind kind, json_t *data,
	const char *text, uint64_t *ret_seq),
    (journal, kind, data, text, ret_seq),
    kind == ENTRY_TOKEN_INTENT || kind == ENTRY_TOKEN || kind == ENTRY_LOGIN ||
	kind == ENTRY_KEY_INTENT || kind == ENTRY_KEY)
CUT_BEFORE(journal_commit, (struct journal * journal), (journal), false)
CUT_BEFORE(file_write_at,
    (int dirfd, const char *name, const void *data, size_t len, mode_t perm,
	enum file_mode mode),
    (dirfd, name, data, len, perm, mode), false)
CUT_BEFORE(set_store,
    (int fd, const struct quorum_set *set, unsigned char *const *shares,
	const size_t *lens),
    (fd, set, shares, lens), false)
CUT_BEFORE(set_remove, (int fd, const char *id), (fd, id), false)
CUT_BEFORE(set_make_current, (int fd, const char *id), (fd, id), false)
CUT_BEFORE(token_initialise,
    (struct token * token, const char *label, const struct secret *so_pin),
    (token, label, so_pin), true)
CUT_BEFORE(token_set_user_pin,
    (struct token * token, const struct secret *so_pin,
	const struct secret *user_pin),
    (token, so_pin, user_pin), true)
CUT_BEFORE(token_change_user_pin,
    (struct token * token, const struct secret *old_pin,
	const struct secret *new_pin),
    (token, old_pin, new_pin), true)

/* ---- the room --------------------------------------------------------- */

static void
note(char *notes, size_t size, const char *text)
{
	size_t used = strlen(notes);

	(void)snprintf(notes + used, size - used, "%s\n", text);
}

static int
give_secret(void *ctx, enum room_secret which, const char *who,
    const char *prompt, struct secret *ret_secret)
{
	const char *answer = PHRASE;

	(void)ctx;
	(void)prompt;
	if (!plan.token_only)
		cut_point();
	note(report->asked, sizeof(report->asked), who == NULL ? "-" : who);
	if (++report->secrets == plan.stop_at)
		return ca_error(CA_R_INTERRUPTED, "the room stops here");
	if (which != ROOM_PASSPHRASE)
		answer = plan.pin;
	/* So that the two PINs of a new token differ. */
	if (which == ROOM_NEW_SO_PIN)
		answer = VENDOR_SO_PIN;
	if (answer == NULL)
		return ca_error(CA_R_PIN, "nobody knows a PIN");
	if (report->secrets == plan.wrong_at)
		answer = "not this one at all";
	return secret_copy(answer, strlen(answer), ret_secret);
}

static void
show(void *ctx, enum room_style style, const char *text)
{
	(void)ctx;
	if (style == ROOM_WARNING)
		note(report->shown, sizeof(report->shown), "WARNING");
	note(report->shown, sizeof(report->shown), text);
}

static int
answer_confirm(void *ctx, const char *question)
{
	show(ctx, ROOM_TEXT, question);
	report->confirms++;
	return plan.confirms ? 0 : ca_error(CA_R_POLICY, "the answer was no");
}

static int
answer_again(void *ctx, const char *question)
{
	show(ctx, ROOM_TEXT, question);
	report->agains++;
	return plan.again ? 0 : -1;
}

static int
send_in(void *ctx, const char *prompt, struct room_operator *ret_operator)
{
	const char *end;

	show(ctx, ROOM_TEXT, prompt);
	if (plan.joins == NULL || *plan.joins == '\0')
		return ca_error(CA_R_QUORUM, "nobody more is there");
	end = strchrnul(plan.joins, ' ');
	ret_operator->name =
	    text_printf("%.*s", (int)(end - plan.joins), plan.joins);
	ret_operator->reference = text_printf(
	    "file:%s/%.*s.key", base, (int)(end - plan.joins), plan.joins);
	plan.joins = *end == '\0' ? end : end + 1;
	return ret_operator->name == NULL || ret_operator->reference == NULL
	    ? -1
	    : 0;
}

static struct room
make_room(void)
{
	struct room room = people_room(&seats, base, plan.people);

	room.ask_secret = give_secret;
	room.show = show;
	room.confirm = answer_confirm;
	room.again = room.retry = answer_again;
	room.ask_operator = send_in;
	return room;
}

/* ---- attempts --------------------------------------------------------- */

static const char *
in_base(const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", base, name);
	return path;
}

static void
note_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	(void)depth;
	(void)origin;
	note(report->error, sizeof(report->error), text);
}

static void
note_findings(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		note(
		    report->shown, sizeof(report->shown), findings->rows[i].id);
}

static int
run(int (*act)(void))
{
	pid_t child;
	int status = 0;

	memset(report, 0, sizeof(*report));
	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (act() == 0)
			exit(DONE); /* not _exit(): leaks are looked for */
		report->reason = ca_error_reason();
		ca_error_drain(note_error, NULL);
		exit(FAILED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
succeeds(int (*act)(void))
{
	if (run(act) == DONE)
		return;
	fail_msg("%s\n%s", report->error, report->shown);
}

/* The act fails for this reason, and says this. */
static void
is_refused(int (*act)(void), enum ca_reason reason, const char *part)
{
	int ended = run(act);

	if (ended == FAILED && report->reason == (int)reason &&
	    strstr(report->error, part) != NULL)
		return;
	fail_msg("not refused with '%s' (%d), but %d, %d: %s", part, reason,
	    ended, report->reason, report->error);
}

static void
was_shown(const char *part)
{
	if (strstr(report->shown, part) == NULL)
		fail_msg("'%s' is not in: %s", part, report->shown);
}

static int
init(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct room room = make_room();
	int rc =
	    authority_init(in_base(plan.dir), &plan.options, &room, &findings);

	note_findings(&findings);
	return rc;
}

/* Log in, and leave a checkpoint. */
static int
login(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_STRUCT(operators) operators = { 0 };
	AUTO_CHARS(receipt) = NULL;
	const struct quorum_set *set = NULL;
	struct room room = make_room();

	if (authority_open(in_base(plan.dir), AUTHORITY_WRITE, &findings,
		&authority) < 0 ||
	    authority_quorum(authority, &set) < 0 ||
	    operators_open(&room, set, &operators) < 0 ||
	    authority_login(authority, &room, &operators, "init") < 0)
		return -1;
	return authority_checkpoint(authority, -1, NULL, NULL, &receipt);
}

/* More entries than any receipt of these tests has counted. */
static int
append_many(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;

	if (authority_open(
		in_base(plan.dir), AUTHORITY_WRITE, &findings, &authority) < 0)
		return -1;
	for (int i = 0; i < 40; i++)
		if (journal_append(authority_journal(authority), ENTRY_EVENT,
			json_pack("{s:s}", "event", "note"), "a note",
			NULL) < 0)
			return -1;
	return 0;
}

static int
check_share(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	struct room room = make_room();

	return authority_open(
		   in_base(plan.dir), AUTHORITY_READ, &findings, &authority) < 0
	    ? -1
	    : authority_check_share(authority, &room, plan.people, NULL);
}

/* plan.subject: the receipt. */
static int
check_receipt(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;

	return authority_open(
		   in_base(plan.dir), AUTHORITY_READ, &findings, &authority) < 0
	    ? -1
	    : authority_check_receipt(authority, plan.subject, &report->number);
}

static int
count_entry(void *ctx, uint64_t seq, const char *line, size_t len)
{
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *name = json_string_value(json_object_get(entry, "kind"));
	enum entry_kind kind = ENTRY_KINDS;

	(void)ctx;
	(void)seq;
	if (name == NULL || entry_kind_by_name(name, &kind) < 0) {
		json_decref(entry);
		return -1;
	}
	report->entries[kind]++;
	if (kind == ENTRY_LOGIN) {
		AUTO_CHARS(people) =
		    json_dumps(json_object_get(entry, "people"), JSON_COMPACT);

		(void)snprintf(report->people, sizeof(report->people), "%s",
		    people == NULL ? "" : people);
	}
	json_decref(entry);
	return 0;
}

static int
count_entries(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;

	return authority_open(
		   in_base(plan.dir), AUTHORITY_READ, &findings, &authority) < 0
	    ? -1
	    : journal_each_entry(authority_journal(authority), 0, ENTRY_KINDS,
		  count_entry, NULL);
}

/* Count, and then log in. */
static int
count_and_login(void)
{
	return count_entries() < 0 ? -1 : login();
}

/* ---- files ------------------------------------------------------------ */

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
remove_tree(const char *name)
{
	assert_int_equal(
	    nftw(in_base(name), remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void
read_file(const char *path, unsigned char **ret_data, size_t *ret_len)
{
	assert_ok(file_read_at(AT_FDCWD, path, 1 << 22, ret_data, ret_len));
}

static void
write_bytes(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
copy_file(const char *from, const char *to)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	read_file(from, &data, &len);
	write_bytes(to, data, len);
}

/* Put `new` in the place of `old`, once, in a text file. */
static void
edit_file(const char *path, const char *old, const char *new)
{
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(edited) = NULL;
	const char *text, *at;
	size_t len = 0;

	read_file(path, &data, &len);
	text = (const char *)data;
	at = strstr(text, old);
	assert_non_null(at);
	edited = text_printf(
	    "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	assert_non_null(edited);
	write_bytes(path, edited, strlen(edited));
}

/* The id of an authority's set; DIR/quorum/ has this one. */
static void
set_of(const char *dir, char ret_id[SET_ID_HEX_SIZE])
{
	AUTO_CHARS(path) = text_printf("%s/%s/quorum", base, dir);
	DIR *quorum;
	const struct dirent *entry;
	unsigned found = 0;

	assert_non_null(path);
	quorum = opendir(path);
	assert_non_null(quorum);
	while ((entry = readdir(quorum)) != NULL)
		if (strlen(entry->d_name) == SET_ID_HEX_SIZE - 1) {
			memcpy(ret_id, entry->d_name, SET_ID_HEX_SIZE);
			found++;
		}
	(void)closedir(quorum);
	assert_int_equal(found, 1);
}

static const char *
in_set(const char *dir, const char *name)
{
	char id[SET_ID_HEX_SIZE] = "", path[256];

	set_of(dir, id);
	(void)snprintf(path, sizeof(path), "%s/quorum/%s/%s", dir, id, name);
	return in_base(path);
}

/* ---- the people, and the first authority ------------------------------ */

static void
begin_plan(const char *dir, const char *people)
{
	static char set[512], profiles[512];

	(void)snprintf(set, sizeof(set), "%s", in_base("set.yaml"));
	(void)snprintf(profiles, sizeof(profiles), "%s", in_base("profiles"));
	memset(&plan, 0, sizeof(plan));
	plan.dir = dir;
	plan.people = people;
	plan.cut_at = -1;
	plan.options.id = ID;
	plan.options.set = set;
	plan.options.profiles = profiles;
}

/* The same people, where no PIN is derived. */
static void
write_plain_set(void)
{
	static const char text[] =
	    "format: ca-tool-set-1\nthreshold: 2\noperators:\n"
	    "  - {name: alice, sign: alice.sign.crt}\n"
	    "  - {name: bob, sign: bob.sign.crt}\n"
	    "  - {name: carol, sign: carol.sign.crt}\n";

	write_bytes(in_base("plain.yaml"), text, strlen(text));
}

static int
setup(void **state)
{
	static const char *const names[] = { "alice", "bob", "carol", "wendy" };

	(void)state;
	(void)snprintf(base, sizeof(base), "test-authority-XXXXXX");
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (process_harden() < 0 || mkdtemp(base) == NULL ||
	    report == MAP_FAILED)
		return -1;
	people_make(base, names, 4, 1, 2);
	write_plain_set();
	assert_int_equal(mkdir(in_base("profiles"), 0700), 0);
	copy_file(PROFILE_DATA "/root.yaml", in_base("profiles/root.yaml"));
	begin_plan("a", EVERYBODY);
	if (run(init) == DONE)
		return 0;
	print_message("%s\n%s", report->error, report->shown);
	return -1;
}

static int
teardown(void **state)
{
	(void)state;
	(void)munmap(report, sizeof(*report));
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- opening ---------------------------------------------------------- */

static void
test_any_pair_opens(void **state)
{
	static const char *const enough[] = { "alice bob", "alice carol",
		"carol bob", "bob wendy alice", EVERYBODY };
	static const char *const given[][2] = { { "alice", "bob" },
		{ "alice", "carol" }, { "carol", "bob" }, { "bob", "alice" },
		{ "alice", "bob" } };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		AUTO_CHARS(people) =
		    text_printf("[{\"name\":\"%s\",\"role\":\"operator\"},"
				"{\"name\":\"%s\",\"role\":\"operator\"}]",
			given[i][0], given[i][1]);

		begin_plan("a", enough[i]);
		succeeds(login);
		/* One passphrase for each of two shares, and no more. */
		assert_int_equal(report->secrets, 2);
		succeeds(count_entries);
		assert_string_equal(report->people, people);
	}
}

static void
test_fewer_do_not(void **state)
{
	(void)state;
	begin_plan("a", "alice");
	is_refused(login, CA_R_QUORUM,
	    "2 operators are needed to open the token, and 1 are there: alice");
	assert_int_equal(report->secrets, 0);
	begin_plan("a", "");
	is_refused(login, CA_R_QUORUM, "0 are there: nobody");
	/* A witness holds no share. */
	begin_plan("a", "wendy bob");
	is_refused(login, CA_R_QUORUM, "1 are there: bob");
	begin_plan("a", "alice alice");
	is_refused(login, CA_R_USAGE, "'alice' is named twice");
	begin_plan("a", "alice mallory");
	is_refused(login, CA_R_QUORUM,
	    "'mallory' is not in the quorum set; in it are alice, bob, carol, "
	    "wendy (witness)");
}

/* Who is not there is asked for; what is wrong is said, and asked again. */
static void
test_more_are_asked_for(void **state)
{
	(void)state;
	begin_plan("a", "bob");
	plan.joins = "mallory bob wendy carol";
	succeeds(login);
	was_shown("2 operators are needed to open the token, 1 are there");
	was_shown("WARNING\n'mallory' is not in the quorum set");
	was_shown("WARNING\noperator 'bob' is named twice");
	assert_string_equal(report->asked, "bob\ncarol\n");
	begin_plan("a", "bob");
	plan.joins = "mallory wendy";
	is_refused(login, CA_R_QUORUM, "1 are there: bob");
}

static void
test_wrong_passphrase(void **state)
{
	(void)state;
	begin_plan("a", "alice bob");
	plan.wrong_at = 2;
	is_refused(login, CA_R_PIN, "bob.key");
	assert_int_equal(report->secrets, 2);
	assert_int_equal(report->agains, 1);
	begin_plan("a", "alice bob");
	plan.wrong_at = 2;
	plan.again = true;
	succeeds(login);
	assert_string_equal(report->asked, "alice\nbob\nbob\n");
	assert_int_equal(report->agains, 1);
	was_shown("bob: the passphrase");
	was_shown("is wrong, or the file is damaged");
	begin_plan("a", "alice bob");
	plan.stop_at = 2;
	is_refused(login, CA_R_INTERRUPTED, "the room stops");
}

/* ---- shares that are not what they should be -------------------------- */

/* A key of NAME.key: 0 signs, 1 decrypts. */
static EVP_PKEY *
key_of(const char *name, unsigned which)
{
	FILE *file = people_file(base, name, ".key", "r");
	EVP_PKEY *key = NULL;
	char phrase[] = PHRASE;

	for (unsigned i = 0; i <= which; i++) {
		EVP_PKEY_free(key);
		key = PEM_read_PrivateKey(file, NULL, NULL, phrase);
		assert_non_null(key);
	}
	assert_int_equal(fclose(file), 0);
	return key;
}

static X509 *
certificate_of(const char *name, const char *ending)
{
	FILE *file = people_file(base, name, ending, "r");
	X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

	assert_non_null(certificate);
	assert_int_equal(fclose(file), 0);
	return certificate;
}

/* The text of NAME's share in an authority. */
static char *
share_of(const char *dir, const char *name)
{
	AUTO_CHARS(file) = text_printf("%s.cms", name);
	AUTO_BYTES(der) = NULL;
	AUTO_STRUCT(secret) text = { 0 };
	EVP_PKEY *key = key_of(name, 1);
	X509 *certificate = certificate_of(name, ".decrypt.crt");
	size_t len = 0;

	read_file(in_set(dir, file), &der, &len);
	assert_ok(share_open(der, len, key, certificate, &text));
	EVP_PKEY_free(key);
	X509_free(certificate);
	return text_copy(text.bytes);
}

/* Seal a text to NAME, and put it where their share was. */
static void
put_share(const char *dir, const char *name, const char *text)
{
	AUTO_CHARS(file) = text_printf("%s.cms", name);
	AUTO_BYTES(der) = NULL;
	AUTO_STRUCT(secret) secret = { 0 };
	X509 *certificate = certificate_of(name, ".decrypt.crt");
	size_t len = 0;

	assert_ok(secret_copy(text, strlen(text), &secret));
	assert_ok(share_seal(&secret, certificate, &der, &len));
	X509_free(certificate);
	write_bytes(in_set(dir, file), der, len);
}

/* `text` with the line that begins like this replaced by `line`. */
static char *
with_line(const char *text, const char *begins, const char *line)
{
	const char *at = strstr(text, begins);
	char *edited;

	assert_non_null(at);
	edited = text_printf(
	    "%.*s%s%s", (int)(at - text), text, line, strchr(at, '\n'));
	assert_non_null(edited);
	return edited;
}

/* With this as alice's share, alice and the token are told why not. */
static void
share_is_refused(const char *text, const char *part)
{
	AUTO_BYTES(kept) = NULL;
	size_t len = 0;

	read_file(in_set("a", "alice.cms"), &kept, &len);
	put_share("a", "alice", text);
	begin_plan("a", "alice");
	is_refused(check_share, CA_R_VERIFY, part);
	begin_plan("a", "bob alice");
	is_refused(login, CA_R_VERIFY, part);
	write_bytes(in_set("a", "alice.cms"), kept, len);
}

static void
make_other(const char *dir, const char *id)
{
	begin_plan(dir, EVERYBODY);
	plan.options.id = id;
	succeeds(init);
}

static void
test_share_of_another(void **state)
{
	AUTO_CHARS(own) = share_of("a", "alice");
	AUTO_CHARS(of_bob) = share_of("a", "bob");
	AUTO_CHARS(of_authority) = NULL;
	AUTO_CHARS(of_set) = NULL;
	AUTO_CHARS(disguised) = NULL;
	AUTO_CHARS(more) = NULL;
	AUTO_CHARS(line) = NULL;
	char id[SET_ID_HEX_SIZE] = "";

	(void)state;
	make_other("other", "example.org/other");
	make_other("twin", ID);
	set_of("a", id);
	begin_plan("a", "alice");
	succeeds(check_share);
	was_shown("alice: share opened and checked");
	of_authority = share_of("other", "alice");
	share_is_refused(
	    of_authority, "its authority is 'example.org/other', not '" ID "'");
	of_set = share_of("twin", "alice");
	set_of("twin", id);
	share_is_refused(of_set, "its set is '");
	share_is_refused(of_set, id);
	share_is_refused(of_bob, "its operator is 'bob', not 'alice'");
	/* What a set id that was changed does not hide. */
	set_of("a", id);
	line = text_printf("set: %s", id);
	disguised = with_line(of_set, "set: ", line);
	share_is_refused(disguised, "commitments' SHA-256");
	more = with_line(own, "operators: ", "operators: 4");
	share_is_refused(more, "its number of operators is 4, not 3");
	remove_tree("other");
	remove_tree("twin");
	begin_plan("a", "alice bob");
	succeeds(login);
}

static void
test_share_damaged(void **state)
{
	AUTO_CHARS(text) = share_of("a", "alice");
	AUTO_CHARS(wrong_index) = with_line(text, "index: ", "index: 2");
	AUTO_BYTES(kept) = NULL;
	AUTO_BYTES(broken) = NULL;
	size_t len = 0, same = 0;
	char *digit = strstr(text, "\nshare: ");

	(void)state;
	share_is_refused(wrong_index, "the share of 'alice' cannot be used");
	assert_non_null(digit);
	digit[20] = digit[20] == '0' ? '1' : '0';
	share_is_refused(text, "the share of 'alice' cannot be used");
	/* The envelope: a bit of what is encrypted, and somebody else's. */
	read_file(in_set("a", "alice.cms"), &kept, &len);
	read_file(in_set("a", "alice.cms"), &broken, &same);
	broken[len - 40] ^= 1;
	write_bytes(in_set("a", "alice.cms"), broken, len);
	begin_plan("a", "alice bob");
	is_refused(login, CA_R_VERIFY, "the share of 'alice' cannot be used");
	copy_file(in_set("a", "bob.cms"), in_set("a", "alice.cms"));
	is_refused(login, CA_R_VERIFY, "the share of 'alice' cannot be used");
	/* Seen from outside: no passphrase was asked for. */
	assert_int_equal(report->secrets, 0);
	write_bytes(in_set("a", "alice.cms"), kept, len / 2);
	is_refused(login, CA_R_INPUT, "the share of 'alice' cannot be used");
	write_bytes(in_set("a", "alice.cms"), kept, len);
	succeeds(login);
}

static void
test_set_changed(void **state)
{
	(void)state;
	edit_file(in_set("a", "set.yaml"), "threshold: 2", "threshold: 1");
	begin_plan("a", "alice");
	is_refused(login, CA_R_VERIFY, "set.yaml' was changed");
	is_refused(check_share, CA_R_VERIFY, "set.yaml' was changed");
	edit_file(in_set("a", "set.yaml"), "threshold: 1", "threshold: 2");
	copy_file(in_set("a", "bob.sign.crt"), in_base("kept.crt"));
	copy_file(in_base("carol.sign.crt"), in_set("a", "bob.sign.crt"));
	is_refused(check_share, CA_R_VERIFY, "bob.sign.crt");
	copy_file(in_base("kept.crt"), in_set("a", "bob.sign.crt"));
	succeeds(check_share);
}

static void
test_share_of_nobody(void **state)
{
	(void)state;
	begin_plan("a", "wendy");
	is_refused(check_share, CA_R_QUORUM, "'wendy' holds no share");
	begin_plan("a", "mallory");
	is_refused(check_share, CA_R_QUORUM, "'mallory' is not in the quorum");
}

/* ---- the anchor, and what init leaves --------------------------------- */

/* The anchor of an authority verifies for `name`, over these bytes. */
static int
anchor_verifies(const char *dir, const char *name, const char *text)
{
	AUTO_CHARS(cms) = text_printf("%s/public/anchor/%s.cms", dir, name);
	AUTO_CHARS(crt) =
	    text_printf("%s/public/anchor/%s.sign.crt", dir, name);
	AUTO_BYTES(der) = NULL;
	FILE *file = fopen(in_base(crt), "r");
	X509 *certificate;
	size_t len = 0;
	int rc;

	assert_non_null(file);
	certificate = PEM_read_X509(file, NULL, NULL, NULL);
	assert_non_null(certificate);
	assert_int_equal(fclose(file), 0);
	read_file(in_base(cms), &der, &len);
	rc = signature_verify(
	    SIGNATURE_ANCHOR, text, strlen(text), der, len, certificate);
	X509_free(certificate);
	return rc;
}

/* The SHA-256 of the public key in public/anchor/journal-key.pem. */
static char *
journal_key_hash(const char *dir)
{
	AUTO_CHARS(path) = text_printf("%s/public/anchor/journal-key.pem", dir);
	FILE *file = fopen(in_base(path), "r");
	EVP_PKEY *key;
	unsigned char *spki = NULL;
	char *hash;
	int len;

	assert_non_null(file);
	key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	assert_non_null(key);
	assert_int_equal(fclose(file), 0);
	len = i2d_PUBKEY(key, &spki);
	assert_true(len > 0);
	hash = sha256_hex(spki, (size_t)len);
	OPENSSL_free(spki);
	EVP_PKEY_free(key);
	return hash;
}

/* The genesis entry's leaf hash, as the journal has it. */
static void
genesis_of(const char *dir, char ret_hex[HASH_HEX_SIZE])
{
	AUTO_PTR(journal) *journal = NULL;
	AUTO_STRUCT(authority_row) row = { 0 };

	assert_ok(journal_open(in_base(dir), JOURNAL_READ, &journal));
	assert_ok(journal_authority(journal, &row));
	text_hex_into(row.genesis, HASH_LEN, ret_hex);
}

static void
anchor_is_whole(const char *dir)
{
	static const char *const names[] = { "alice", "bob", "carol" };
	AUTO_CHARS(path) = text_printf("%s/public/anchor/anchor.txt", dir);
	AUTO_CHARS(key) = journal_key_hash(dir);
	AUTO_CHARS(expected) = NULL;
	AUTO_BYTES(text) = NULL;
	char genesis[HASH_HEX_SIZE], set[SET_ID_HEX_SIZE] = "";
	size_t len = 0;

	genesis_of(dir, genesis);
	set_of(dir, set);
	expected = text_printf("ca-tool anchor 1\nauthority: " ID "\n"
			       "genesis: %s\njournal-key: %s\nset: %s\n",
	    genesis, key, set);
	read_file(in_base(path), &text, &len);
	assert_string_equal((char *)text, expected);
	for (size_t i = 0; i < 3; i++)
		assert_ok(anchor_verifies(dir, names[i], expected));
	expected[len - 2] ^= 1;
	assert_refused(CA_R_VERIFY, anchor_verifies(dir, "alice", expected));
}

/* What an authority has that is made, however often it was gone on with. */
static void
is_finished(const char *dir)
{
	static const struct {
		enum entry_kind kind;
		unsigned count;
	} table[] = {
		{ ENTRY_GENESIS, 1 },
		{ ENTRY_ENROLMENT, 4 },
		{ ENTRY_QUORUM, 1 },
		{ ENTRY_TOKEN_INTENT, 1 },
		{ ENTRY_TOKEN, 1 },
		{ ENTRY_KEY, 1 },
		{ ENTRY_CONFIG, 1 },
		{ ENTRY_PROFILE, 1 },
		{ ENTRY_ANCHOR, 3 },
		{ ENTRY_STATE, 1 },
		{ ENTRY_CHECKPOINT, 1 },
	};

	begin_plan(dir, "carol alice");
	succeeds(count_and_login);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (report->entries[table[i].kind] != table[i].count)
			fail_msg("%u entries '%s'",
			    report->entries[table[i].kind],
			    entry_kind_name(table[i].kind));
	anchor_is_whole(dir);
}

static void
test_init(void **state)
{
	struct stat st;

	(void)state;
	begin_plan("whole", EVERYBODY);
	succeeds(init);
	was_shown("2 of 3 operators");
	was_shown("alice: share opened and checked\nalice: enrolment signed");
	was_shown("carol: anchor signed");
	assert_null(strstr(report->shown, "WARNING"));
	/* Three times each: the share, the enrolment, the anchor. */
	assert_int_equal(report->secrets, 9);
	is_finished("whole");
	assert_int_equal(stat(in_base("whole/quorum"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	begin_plan("whole", EVERYBODY);
	is_refused(init, CA_R_EXISTS, "is an authority already; nothing was");
	assert_int_equal(report->secrets, 0);
	remove_tree("whole");
}

/* ---- cut off ---------------------------------------------------------- */

/* Cut off at every point that there is, and gone on with from there. */
static void
test_cut_everywhere(void **state)
{
	int at = 0;

	(void)state;
	for (;; at += cut_step()) {
		int ended;

		begin_plan("cut", EVERYBODY);
		plan.cut_at = at;
		ended = run(init);
		if (ended == DONE)
			break;
		assert_int_equal(ended, CUT);
		begin_plan("cut", EVERYBODY);
		/* After the last entry, only the token's head is missing. */
		if (run(init) != DONE &&
		    strstr(report->error, "is an authority already") == NULL)
			fail_msg("cut at %d: %s", at, report->error);
		is_finished("cut");
		remove_tree("cut");
	}
	assert_true(at > 40);
	is_finished("cut");
	remove_tree("cut");
}

/* The same for a room that stops, and then says more each time. */
static void
test_room_that_stops(void **state)
{
	unsigned stops = 0;

	(void)state;
	for (;; stops++) {
		begin_plan("stop", EVERYBODY);
		plan.stop_at = stops + 1;
		if (run(init) == DONE)
			break;
		assert_int_equal(report->reason, CA_R_INTERRUPTED);
		/* Not a finished authority, and not one that can be used. */
		is_refused(login, CA_R_STATE, "");
		assert_true(stops < 16);
	}
	assert_true(stops >= 3);
	is_finished("stop");
	remove_tree("stop");
}

/*
 * Those who were missing come later; nobody does a thing twice, once as many
 * have enrolled as the set's threshold says.
 */
static void
test_missing_come_later(void **state)
{
	char before[SET_ID_HEX_SIZE] = "", after[SET_ID_HEX_SIZE] = "";

	(void)state;
	begin_plan("late", "alice bob");
	is_refused(init, CA_R_QUORUM,
	    "still missing: carol; what the others did is kept");
	assert_string_equal(report->asked, "alice\nalice\nbob\nbob\n");
	set_of("late", before);
	/* Only enrolled so far: there is no token, and no journal entry. */
	is_refused(login, CA_R_STATE, "was cut off, run it again");
	begin_plan("late", "carol");
	is_refused(init, CA_R_QUORUM,
	    "2 operators are needed to open the token, and 1 are there: carol");
	assert_string_equal(report->asked, "carol\ncarol\n");
	begin_plan("late", "carol alice");
	is_refused(
	    init, CA_R_QUORUM, "needed to sign the anchor; still missing: bob");
	assert_string_equal(report->asked, "carol\nalice\nalice\ncarol\n");
	is_refused(login, CA_R_STATE, "its init was cut off");
	begin_plan("late", "bob alice");
	succeeds(init);
	assert_string_equal(report->asked, "bob\nalice\nbob\n");
	is_finished("late");
	set_of("late", after);
	assert_string_equal(before, after);
	remove_tree("late");
}

/* What fewer did shows nothing about the set: it is made anew, and they enrol
 * again. */
static void
test_too_few_enrol_again(void **state)
{
	char before[SET_ID_HEX_SIZE] = "", after[SET_ID_HEX_SIZE] = "";

	(void)state;
	begin_plan("few", "carol");
	is_refused(init, CA_R_QUORUM,
	    "still missing: alice, bob; a set in which fewer than 2 enrolled "
	    "is not kept");
	set_of("few", before);
	begin_plan("few", EVERYBODY);
	succeeds(init);
	was_shown(before);
	was_shown("is not used: 1 enrolled in it, and before 2 have");
	was_shown(
	    "a new set is made, and everybody enrols in that, also carol");
	set_of("few", after);
	assert_string_not_equal(before, after);
	is_finished("few");
	/* Nothing of the old one is left. */
	assert_int_equal(access(in_set("few", "alice.cms"), F_OK), 0);
	remove_tree("few");
}

/* The same, cut off wherever something is done. */
static void
test_too_few_cut(void **state)
{
	int at = 0;

	(void)state;
	for (;; at += cut_step()) {
		int ended;

		begin_plan("few", "carol");
		is_refused(init, CA_R_QUORUM, "fewer than 2 enrolled");
		begin_plan("few", EVERYBODY);
		plan.cut_at = at;
		ended = run(init);
		if (ended == CUT) {
			begin_plan("few", EVERYBODY);
			ended = run(init);
		}
		if (ended != DONE &&
		    strstr(report->error, "is an authority already") == NULL)
			fail_msg("cut at %d: %s", at, report->error);
		is_finished("few");
		remove_tree("few");
		if (at > 16)
			break; /* it goes on as any init */
	}
}

/* quorum/ of `from` is put in the place of that of `to`. */
static void
plant_set(const char *from, const char *to)
{
	AUTO_CHARS(source) = text_printf("%s/quorum", from);
	AUTO_CHARS(target) = text_printf("%s/quorum", to);

	remove_tree(target);
	assert_int_equal(rename(in_base(source), in_base(target)), 0);
	remove_tree(from);
}

/*
 * Who has the operators' certificates, which are public, can found a set of
 * them: with a secret and shares of their own, and put it into quorum/.
 */
static void
test_planted_set(void **state)
{
	static const char *const came[] = { "", "alice", "alice bob" };

	(void)state;
	for (size_t i = 0; i < sizeof(came) / sizeof(came[0]); i++) {
		char planted[SET_ID_HEX_SIZE] = "", own[SET_ID_HEX_SIZE] = "";

		begin_plan("victim", came[i]);
		is_refused(init, CA_R_QUORUM, "needed to enrol");
		begin_plan("planter", "");
		is_refused(
		    init, CA_R_QUORUM, "still missing: alice, bob, carol");
		set_of("planter", planted);
		plant_set("planter", "victim");
		begin_plan("victim", EVERYBODY);
		succeeds(init);
		was_shown("is not used: 0 enrolled in it");
		set_of("victim", own);
		assert_string_not_equal(planted, own);
		is_finished("victim");
		remove_tree("victim");
	}
}

/* Enrolments of another set, or by nobody of it, are none of this one. */
static void
test_planted_enrolments(void **state)
{
	AUTO_BYTES(alice) = NULL;
	AUTO_BYTES(bob) = NULL;
	size_t alice_len = 0, bob_len = 0;

	(void)state;
	begin_plan("victim", "alice bob");
	is_refused(init, CA_R_QUORUM, "still missing: carol");
	read_file(in_set("victim", "alice.enrol"), &alice, &alice_len);
	read_file(in_set("victim", "bob.enrol"), &bob, &bob_len);
	begin_plan("planter", "");
	is_refused(init, CA_R_QUORUM, "needed to enrol");
	plant_set("planter", "victim");
	write_bytes(in_set("victim", "alice.enrol"), alice, alice_len);
	write_bytes(in_set("victim", "bob.enrol"), bob, bob_len);
	begin_plan("victim", EVERYBODY);
	is_refused(
	    init, CA_R_VERIFY, "alice.enrol' is no enrolment by 'alice'");
	assert_int_equal(report->secrets, 0);
	assert_int_equal(unlink(in_set("victim", "alice.enrol")), 0);
	assert_int_equal(unlink(in_set("victim", "bob.enrol")), 0);
	write_bytes(in_set("victim", "wendy.enrol"), bob, bob_len);
	is_refused(init, CA_R_VERIFY,
	    "wendy.enrol' is the enrolment of nobody in the set");
	assert_int_equal(unlink(in_set("victim", "wendy.enrol")), 0);
	succeeds(init);
	remove_tree("victim");
}

static void
test_missing_are_asked_for(void **state)
{
	(void)state;
	begin_plan("asked", "bob");
	plan.joins = "mallory carol alice";
	succeeds(init);
	was_shown("operators are needed to enrol");
	is_finished("asked");
	remove_tree("asked");
}

static void
test_wrong_passphrase_at_init(void **state)
{
	(void)state;
	begin_plan("wrong", EVERYBODY);
	plan.wrong_at = 3;
	is_refused(init, CA_R_PIN, "bob.key");
	begin_plan("wrong", EVERYBODY);
	plan.wrong_at = 1;
	plan.again = true;
	succeeds(init);
	assert_int_equal(report->agains, 1);
	is_finished("wrong");
	remove_tree("wrong");
}

/* An enrolment that was changed is no enrolment. */
static void
test_forged_enrolment(void **state)
{
	AUTO_BYTES(kept) = NULL;
	size_t len = 0;

	(void)state;
	begin_plan("forged", "alice");
	is_refused(init, CA_R_QUORUM, "still missing: bob, carol");
	read_file(in_set("forged", "alice.enrol"), &kept, &len);
	write_bytes(in_set("forged", "bob.enrol"), kept, len);
	begin_plan("forged", "alice carol");
	is_refused(init, CA_R_VERIFY, "bob.enrol' is no enrolment by 'bob'");
	assert_int_equal(unlink(in_set("forged", "bob.enrol")), 0);
	/* The share that was enrolled is the one that counts. */
	copy_file(in_set("a", "alice.cms"), in_set("forged", "alice.cms"));
	begin_plan("forged", EVERYBODY);
	is_refused(init, CA_R_VERIFY, "alice.enrol' is no enrolment");
	remove_tree("forged");
}

static void
test_gone_on_with_otherwise(void **state)
{
	char second[512], id[SET_ID_HEX_SIZE] = "";
	AUTO_CHARS(text) = NULL;

	(void)state;
	begin_plan("other", "alice");
	is_refused(init, CA_R_QUORUM, "still missing: bob, carol");
	begin_plan("other", EVERYBODY);
	plan.options.title = "Another title";
	is_refused(init, CA_R_EXISTS, "made with other options");
	(void)snprintf(second, sizeof(second), "%s", in_base("second.yaml"));
	copy_file(in_base("set.yaml"), second);
	edit_file(second, "threshold: 2", "threshold: 3\nallow-no-spare: true");
	begin_plan("other", EVERYBODY);
	plan.options.set = second;
	is_refused(init, CA_R_STATE,
	    "was made from another set file; give "
	    "that one, or remove the directory");
	set_of("other", id);
	text = text_printf("other/quorum/%s",
	    id[0] == 'f' ? "00000000000000000000000000000000"
			 : "ffffffffffffffffffffffffffffffff");
	assert_int_equal(mkdir(in_base(text), 0700), 0);
	begin_plan("other", EVERYBODY);
	is_refused(init, CA_R_STATE, "there are 2 sets in 'quorum'");
	assert_int_equal(rmdir(in_base(text)), 0);
	succeeds(init);
	remove_tree("other");
}

/* ---- what is refused before anything is made -------------------------- */

static void
nothing_is_made(enum ca_reason reason, const char *part)
{
	struct stat st;

	is_refused(init, reason, part);
	assert_int_equal(stat(in_base("none"), &st), -1);
	assert_int_equal(report->secrets, 0);
}

static void
test_refused_options(void **state)
{
	static const char *const root[] = { "root", NULL };

	(void)state;
	begin_plan("none", EVERYBODY);
	plan.options.set = NULL;
	nothing_is_made(CA_R_USAGE, "--operators is missing");
	begin_plan("none", EVERYBODY);
	plan.options.login = "hope";
	nothing_is_made(CA_R_USAGE, "--login 'hope' is none");
	begin_plan("none", EVERYBODY);
	plan.options.login = "adopted";
	nothing_is_made(CA_R_USAGE, "name its module");
	begin_plan("none", EVERYBODY);
	plan.options.unattended = root;
	nothing_is_made(CA_R_USAGE, "--unattended 'root'");
	begin_plan("none", EVERYBODY);
	plan.options.pin_format = "runes";
	nothing_is_made(CA_R_INPUT, "runes");
	begin_plan("none", EVERYBODY);
	plan.options.pin_length = 12;
	nothing_is_made(CA_R_POLICY, "");
	begin_plan("none", EVERYBODY);
	plan.options.login = "prompt";
	plan.options.pin_length = 40;
	nothing_is_made(CA_R_USAGE, "are for PINs that are derived");
	/* A set with decryption certificates has shares to give, and none. */
	begin_plan("none", EVERYBODY);
	plan.options.login = "prompt";
	nothing_is_made(CA_R_INPUT, "");
	was_shown("SET-");
	begin_plan("none", EVERYBODY);
	plan.options.set = in_base("plain.yaml");
	nothing_is_made(CA_R_INPUT, "");
	was_shown("SET-");
	begin_plan("none", "alice mallory");
	is_refused(init, CA_R_QUORUM, "'mallory' is not in the quorum set");
	remove_tree("none");
}

static void
test_loud_warnings(void **state)
{
	char set[512];

	(void)state;
	(void)snprintf(set, sizeof(set), "%s", in_base("second.yaml"));
	copy_file(in_base("set.yaml"), set);
	edit_file(
	    set, "threshold: 2", "threshold: 1\nallow-single-control: true");
	begin_plan("loud", EVERYBODY);
	plan.options.set = set;
	plan.options.pin_length = 8;
	plan.options.allow_short_pin = true;
	plan.options.pin_format = "digits";
	succeeds(init);
	was_shown("WARNING\n");
	begin_plan("loud", "carol");
	succeeds(login);
	remove_tree("loud");
}

/* ---- authority.yaml --------------------------------------------------- */

/* With this edit, opening is refused with a finding that has this id. */
static void
config_is_refused(const char *old, const char *new, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct authority *authority = NULL;
	const char *path = in_base("a/authority.yaml");
	AUTO_BYTES(kept) = NULL;
	size_t len = 0;

	read_file(path, &kept, &len);
	edit_file(path, old, new);
	assert_refused(CA_R_INPUT,
	    authority_open(
		in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_null(authority);
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.rows[0].id, id);
	write_bytes(path, kept, len);
}

static void
test_config(void **state)
{
	static const char login_line[] = "login: derived\n";

	(void)state;
	config_is_refused(login_line, "login: hope\n", "CONFIG-LOGIN");
	config_is_refused(login_line,
	    "login: derived\nunattended:\n  - crl\n  - root\n",
	    "CONFIG-UNATTENDED");
	config_is_refused(login_line, "login: derived\npin:\n  format: runes\n",
	    "CONFIG-PIN");
	config_is_refused(
	    login_line, "login: derived\npin:\n  length: '0'\n", "CONFIG-PIN");
	config_is_refused(
	    login_line, "login: derived\npin:\n  length: '16'\n", "CONFIG-PIN");
	config_is_refused(login_line,
	    "login: derived\npin:\n  format: hex\n  alphabet: 'abc'\n",
	    "CONFIG-PIN");
	config_is_refused(login_line,
	    "login: derived\npin:\n  allow-short-pin: 'yes'\n", "CONFIG-PIN");
	config_is_refused("jobs: '1'", "jobs: '0'", "CONFIG-JOBS");
}

/* Well-formed, but not what is recorded: opened, and refused when asked. */
static void
test_config_changed(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = NULL;
	AUTO_PTR(authority) *again = NULL;

	(void)state;
	edit_file(in_base("a/authority.yaml"), "jobs: '1'", "jobs: '2'");
	assert_ok(authority_open(
	    in_base("a"), AUTHORITY_READ, &findings, &authority));
	assert_refused(CA_R_POLICY, authority_check_config(authority));
	edit_file(in_base("a/authority.yaml"), "jobs: '2'", "jobs: '1'");
	assert_ok(
	    authority_open(in_base("a"), AUTHORITY_READ, &findings, &again));
	assert_ok(authority_check_config(again));
}

/* ---- receipts --------------------------------------------------------- */

static void
test_receipts(void **state)
{
	static char receipt[512];
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	(void)state;
	(void)snprintf(receipt, sizeof(receipt), "%s", in_base("receipt"));
	copy_file(in_base("a/journal.db"), in_base("old.db"));
	begin_plan("a", "alice bob");
	succeeds(login);
	copy_file(in_base("a/public/journal/checkpoint"), receipt);
	succeeds(login);
	plan.subject = receipt;
	succeeds(check_receipt);
	assert_true(report->number > 10);
	/* Another authority's journal key, and its name. */
	make_other("else", ID);
	begin_plan("else", "");
	plan.subject = receipt;
	is_refused(check_receipt, CA_R_VERIFY, "is no receipt of this");
	remove_tree("else");
	/* Rolled back to before the receipt was given. */
	begin_plan("a", "alice bob");
	plan.subject = receipt;
	copy_file(in_base("a/journal.db"), in_base("new.db"));
	copy_file(in_base("old.db"), in_base("a/journal.db"));
	is_refused(check_receipt, CA_R_VERIFY, "does not go on from receipt");
	/* And gone on with from there, by others: a fork. */
	plan.people = "carol alice";
	is_refused(login, CA_R_VERIFY, "shorter than the token's head");
	succeeds(append_many);
	is_refused(login, CA_R_VERIFY, "forked");
	is_refused(check_receipt, CA_R_VERIFY, "does not go on from receipt");
	copy_file(in_base("new.db"), in_base("a/journal.db"));
	succeeds(check_receipt);
	/* Forged: a digit of the size, a letter of the root. */
	read_file(receipt, &data, &len);
	for (size_t i = strlen(ID) + 1; data[i] != '\n' || data[i + 1] != '\n';
	     i++) {
		unsigned char kept = data[i];

		data[i] = kept == '1' ? '2' : '1';
		write_bytes(receipt, data, len);
		is_refused(check_receipt, CA_R_VERIFY, "is no receipt of this");
		data[i] = kept;
	}
	plan.subject = in_base("none");
	is_refused(check_receipt, CA_R_MISSING, "none");
}

/* ---- tokens that are not embedded ------------------------------------- */

/* A SoftHSM in DIR behind the shim, which does what the orders say. */
static void
use_shim(const char *dir, const char *orders)
{
	char path[PATH_MAX], conf[PATH_MAX + 32];

	assert_non_null(realpath(in_base(dir), path));
	(void)snprintf(conf, sizeof(conf), "%s/softhsm2.conf", path);
	write_bytes(in_base("orders"), orders, strlen(orders));
	assert_int_equal(setenv("CA_SHIM_MODULE", softhsm_library(), 1), 0);
	assert_int_equal(setenv("CA_SHIM_SOFTHSM2_CONF", conf, 1), 0);
	assert_int_equal(setenv("CA_SHIM_ORDERS", in_base("orders"), 1), 0);
}

/* plan.dir: a directory; a SoftHSM that has one blank token. */
static int
make_blank(void)
{
	char path[PATH_MAX];
	AUTO_PTR(module) *module = NULL;

	return realpath(in_base(plan.dir), path) == NULL
	    ? -1
	    : module_open_embedded(path, &module, NULL);
}

/* The same, initialised by its maker's tool as "ca". */
static int
make_given(void)
{
	char path[PATH_MAX];
	AUTO_PTR(module) *module = NULL;
	AUTO_PTR(token) *token = NULL;
	AUTO_STRUCT(secret) so = { 0 };
	AUTO_STRUCT(secret) user = { 0 };

	if (realpath(in_base(plan.dir), path) == NULL ||
	    secret_copy(VENDOR_SO_PIN, strlen(VENDOR_SO_PIN), &so) < 0 ||
	    secret_copy(VENDOR_PIN, strlen(VENDOR_PIN), &user) < 0 ||
	    module_open_embedded(path, &module, NULL) < 0 ||
	    token_find_blank(module, NULL, &token) < 0 ||
	    token_initialise(token, "ca", &so) < 0)
		return -1;
	return token_set_user_pin(token, &so, &user);
}

/* Does the vendor's user PIN still open the token? */
static int
vendor_login(void)
{
	AUTO_PTR(module) *module = NULL;
	AUTO_PTR(token) *token = NULL;
	AUTO_STRUCT(secret) user = { 0 };

	if (secret_copy(VENDOR_PIN, strlen(VENDOR_PIN), &user) < 0 ||
	    module_open(SHIM_PATH, &module) < 0 ||
	    token_find(module, "ca", NULL, &token) < 0 ||
	    token_login(token, &user) < 0)
		return -1;
	token_logout(token);
	return 0;
}

/* A fresh token, and a plan for an authority "hsm" on it. */
static void
begin_hsm(int (*make)(void), const char *login_kind, const char *people)
{
	static char plain[512];

	assert_int_equal(mkdir(in_base("token"), 0700), 0);
	begin_plan("token", "");
	succeeds(make);
	use_shim("token", "");
	begin_plan("hsm", people);
	plan.options.module = SHIM_PATH;
	plan.options.token_label = "ca";
	plan.options.login = login_kind;
	(void)snprintf(plain, sizeof(plain), "%s", in_base("plain.yaml"));
	if (strcmp(login_kind, "prompt") == 0 ||
	    strcmp(login_kind, "protected-path") == 0)
		plan.options.set = plain;
}

static void
end_hsm(void)
{
	remove_tree("token");
	(void)nftw(in_base("hsm"), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The plan as it was, for another attempt. */
static void
anew(const char *people)
{
	struct authority_options options = plan.options;

	begin_plan("hsm", people);
	plan.options = options;
}

static void
test_derived_on_a_module(void **state)
{
	int at = 0;

	(void)state;
	for (;; at += cut_step()) {
		int ended;

		begin_hsm(make_blank, "derived", EVERYBODY);
		plan.token_only = true;
		plan.cut_at = at;
		ended = run(init);
		if (ended == DONE)
			break;
		assert_int_equal(ended, CUT);
		anew(EVERYBODY);
		if (run(init) != DONE)
			fail_msg("cut at %d: %s", at, report->error);
		is_finished("hsm");
		end_hsm();
	}
	assert_true(at >= 7);
	is_finished("hsm");
	end_hsm();
}

static void
test_initialised_is_refused(void **state)
{
	(void)state;
	begin_hsm(make_given, "derived", EVERYBODY);
	is_refused(init, CA_R_TOKEN, "there is a token 'ca' already");
	assert_int_equal(report->secrets, 0);
	succeeds(vendor_login);
	end_hsm();
}

static void
test_adopted(void **state)
{
	int at = 0;

	(void)state;
	for (;; at += cut_step()) {
		int ended;

		begin_hsm(make_given, "adopted", EVERYBODY);
		plan.pin = VENDOR_PIN;
		plan.token_only = true;
		plan.cut_at = at;
		ended = run(init);
		if (ended == DONE)
			break;
		assert_int_equal(ended, CUT);
		anew(EVERYBODY);
		plan.pin = VENDOR_PIN;
		if (run(init) != DONE)
			fail_msg("cut at %d: %s", at, report->error);
		is_finished("hsm");
		is_refused(vendor_login, CA_R_PIN, "is wrong");
		end_hsm();
	}
	assert_true(at >= 6);
	was_shown("WARNING\nwhoever holds the security officer's PIN");
	is_finished("hsm");
	end_hsm();
}

static void
test_adopted_refusals(void **state)
{
	(void)state;
	/* The wrong PIN: tried once, and asked for again next time. */
	begin_hsm(make_given, "adopted", EVERYBODY);
	plan.pin = "not the PIN";
	is_refused(init, CA_R_PIN, "is wrong; it was tried once");
	anew(EVERYBODY);
	plan.pin = VENDOR_PIN;
	succeeds(init);
	is_finished("hsm");
	end_hsm();
	/* A token that nobody has initialised, and one that is not there. */
	begin_hsm(make_blank, "adopted", EVERYBODY);
	is_refused(init, CA_R_TOKEN, "no token 'ca'");
	end_hsm();
}

static void
test_last_try_is_asked_for(void **state)
{
	static const char final[] = "flags +CKF_USER_PIN_FINAL_TRY\n";
	static const char locked[] = "flags +CKF_USER_PIN_LOCKED\n";

	(void)state;
	begin_hsm(make_blank, "derived", EVERYBODY);
	succeeds(init);
	anew("alice bob");
	use_shim("token", final);
	/* --yes does not answer it: it goes through again(). */
	plan.confirms = true;
	is_refused(login, CA_R_PIN, "was not made");
	was_shown("This is the last try for the user PIN of token 'ca'");
	assert_int_equal(report->secrets, 0);
	assert_int_equal(report->confirms, 0);
	plan.again = true;
	succeeds(login);
	use_shim("token", locked);
	is_refused(login, CA_R_PIN, "is locked; no login was tried");
	assert_int_equal(report->secrets, 0);
	end_hsm();
}

static void
test_prompt(void **state)
{
	(void)state;
	begin_hsm(make_blank, "prompt", EVERYBODY);
	plan.pin = "the user's PIN";
	succeeds(init);
	was_shown("WARNING\nthe token's PIN is not derived");
	anchor_is_whole("hsm");
	anew("");
	plan.pin = "the user's PIN";
	succeeds(login);
	assert_string_equal(report->asked, "-\n");
	plan.pin = "another PIN";
	is_refused(login, CA_R_PIN, "is wrong; it was tried once");
	begin_plan("hsm", "alice");
	is_refused(check_share, CA_R_STATE, "has no shares");
	end_hsm();
}

static void
test_protected_path(void **state)
{
	static const char pad[] = "pin-pad " VENDOR_PIN " " VENDOR_SO_PIN "\n";
	static const char wrong[] = "pin-pad 1234 " VENDOR_SO_PIN "\n";

	(void)state;
	begin_hsm(make_given, "protected-path", EVERYBODY);
	is_refused(init, CA_R_TOKEN, "has no PIN pad or cards of its own");
	use_shim("token", pad);
	succeeds(init);
	was_shown("WARNING\nthe token's PIN is not derived");
	anchor_is_whole("hsm");
	anew("");
	succeeds(login);
	was_shown("its own PIN pad");
	assert_int_equal(report->secrets, 0);
	use_shim("token", wrong);
	is_refused(login, CA_R_PIN, "is wrong; it was tried once");
	end_hsm();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_pair_opens),
		cmocka_unit_test(test_fewer_do_not),
		cmocka_unit_test(test_more_are_asked_for),
		cmocka_unit_test(test_wrong_passphrase),
		cmocka_unit_test(test_share_of_another),
		cmocka_unit_test(test_share_damaged),
		cmocka_unit_test(test_set_changed),
		cmocka_unit_test(test_share_of_nobody),
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_cut_everywhere),
		cmocka_unit_test(test_room_that_stops),
		cmocka_unit_test(test_missing_come_later),
		cmocka_unit_test(test_too_few_enrol_again),
		cmocka_unit_test(test_too_few_cut),
		cmocka_unit_test(test_planted_set),
		cmocka_unit_test(test_planted_enrolments),
		cmocka_unit_test(test_missing_are_asked_for),
		cmocka_unit_test(test_wrong_passphrase_at_init),
		cmocka_unit_test(test_forged_enrolment),
		cmocka_unit_test(test_gone_on_with_otherwise),
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_loud_warnings),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_config_changed),
		cmocka_unit_test(test_receipts),
		cmocka_unit_test(test_derived_on_a_module),
		cmocka_unit_test(test_initialised_is_refused),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_adopted_refusals),
		cmocka_unit_test(test_last_try_is_asked_for),
		cmocka_unit_test(test_prompt),
		cmocka_unit_test(test_protected_path),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
