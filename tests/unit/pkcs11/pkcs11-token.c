#include <limits.h>

#include "support.h"

static const char *
count_path(const char *dir)
{
	return in_dir(dir, "count");
}

/* Orders that count calls, and more. */
static const char *
counting(const char *dir, const char *more)
{
	static char orders[PATH_MAX + 256];

	(void)snprintf(
	    orders, sizeof(orders), "count %s\n%s", count_path(dir), more);
	return orders;
}

TEST(init_find_login)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct module *module = open_embedded(dir);
	struct token *token = make_token(module, "ca one");
	AUTO_PTR(token) *again = NULL;
	AUTO_PTR(token) *blank = NULL;

	CHECK(token_facts(token)->initialised);
	CHECK(token_facts(token)->user_pin_set);
	CHECK(token_facts(token)->has_rng);
	CHECK(!token_facts(token)->pin_locked);
	CHECK(strcmp(token_facts(token)->label, "ca one") == 0);
	CHECK(strcmp(token_facts(token)->model, "SoftHSM v2") == 0);
	CHECK(token_facts(token)->pin_min == 4);
	CHECK(token_find(
		  module, "ca one", token_facts(token)->serial, &again) == 0);
	CHECK_ERROR(token_find(module, "ca one", "123", &again), CA_R_TOKEN,
	    "there is: 'ca one'");
	CHECK_ERROR(
	    token_find(module, "ca", NULL, &again), CA_R_TOKEN, "'ca one'");

	/* Never an initialised token, never a label twice. */
	CHECK_ERROR(token_initialise(token, "other", &so), CA_R_TOKEN,
	    "not initialised again");
	CHECK(token_find_blank(module, NULL, &blank) == 0);
	CHECK_ERROR(token_initialise(blank, "ca one", &so), CA_R_TOKEN,
	    "take another label");
	CHECK_ERROR(token_initialise(blank, "", &so), CA_R_USAGE, "1 to 32");
	CHECK_ERROR(token_initialise(
			blank, "a label of more than thirty-two letters", &so),
	    CA_R_USAGE, "1 to 32");
	CHECK_ERROR(
	    token_initialise(blank, "b\033[2J", &so), CA_R_USAGE, "printable");

	CHECK(token_login(token, &pin) == 0);
	CHECK_ERROR(token_login(token, &pin), CA_R_STATE, "logged in already");
	CHECK_ERROR(
	    token_set_user_pin(token, &so, &pin), CA_R_STATE, "log out before");
	token_logout(token);
	token_logout(token);
	CHECK(token_login(token, &pin) == 0);
	token_free(token);
	token_free(TAKE(again));
	token_free(TAKE(blank));
	module_free(module);
}

TEST(find_blank)
{
	struct module *module = open_embedded(dir);
	struct token *token = make_token(module, "ca");
	struct token *other = NULL;

	CHECK_ERROR(token_find_blank(module, "no such serial", &other),
	    CA_R_TOKEN, "no uninitialised token");
	CHECK_ERROR(
	    token_find_blank(module, token_facts(token)->serial, &other),
	    CA_R_TOKEN, "never initialised again");
	close_token(token);
}

/* C_InitToken must not happen if the token was initialised meanwhile. */
TEST(initialised_meanwhile)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct module *module = open_embedded(dir);
	struct token *blank = NULL, *token = NULL;
	unsigned char label[32];

	CHECK(token_find_blank(module, NULL, &blank) == 0);
	memset(label, ' ', sizeof(label));
	memcpy(label, "thief", 5);
	CHECK(module->raw->C_InitToken(blank->slot, (unsigned char *)so.bytes,
		  so.len, label) == CKR_OK);
	/* SoftHSM gives it a new slot now: look at that one. */
	CHECK(token_find(module, "thief", NULL, &token) == 0);
	token->facts.initialised = false;
	CHECK_ERROR(token_initialise(token, "ca", &so), CA_R_TOKEN,
	    "not initialised again");
	token_free(blank);
	close_token(token);
}

TEST(same_label_twice)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct module *module = open_embedded(dir);
	struct token *token = make_token(module, "ca");
	struct token *other = NULL;
	unsigned char label[32];

	CHECK(token_find_blank(module, NULL, &other) == 0);
	memset(label, ' ', sizeof(label));
	memcpy(label, "ca", 2);
	CHECK(module->raw->C_InitToken(other->slot, (unsigned char *)so.bytes,
		  so.len, label) == CKR_OK);
	token_free(other);
	CHECK_ERROR(token_find(module, "ca", NULL, &other), CA_R_TOKEN,
	    "name the serial");
	CHECK(
	    token_find(module, "ca", token_facts(token)->serial, &other) == 0);
	token_free(other);
	close_token(token);
}

TEST(hostile_label)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct module *module = open_embedded(dir);
	struct token *other = NULL;
	unsigned char label[32];

	CHECK(token_find_blank(module, NULL, &other) == 0);
	memset(label, ' ', sizeof(label));
	memcpy(label, "\033[2Jgone", 8);
	CHECK(module->raw->C_InitToken(other->slot, (unsigned char *)so.bytes,
		  so.len, label) == CKR_OK);
	token_free(other);
	/* check_error() refuses any ESC. */
	CHECK_ERROR(token_find(module, "ca", NULL, &other), CA_R_TOKEN, "x1b");
	module_free(module);
}

TEST(wrong_pin_is_tried_once)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	struct token *token = NULL;

	in_child(setup_token, dir);
	CHECK(token_find(
		  open_shim(dir, counting(dir, "")), "ca", NULL, &token) == 0);
	CHECK_ERROR(token_login(token, &wrong), CA_R_PIN, "it was tried once");
	CHECK(count_lines(count_path(dir), "C_Login=") == 1);
	must_login(token);
	CHECK(count_lines(count_path(dir), "C_Login=") == 2);
	close_token(token);
}

TEST(locked_pin_is_not_tried)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct token *token = NULL;

	in_child(setup_token, dir);
	CHECK(token_find(open_shim(dir,
			     counting(dir,
				 "flags +CKF_USER_PIN_LOCKED\n"
				 "flags +CKF_SO_PIN_LOCKED\n")),
		  "ca", NULL, &token) == 0);
	CHECK(token_facts(token)->pin_locked);
	CHECK_ERROR(token_login(token, &pin), CA_R_PIN, "is locked");
	CHECK_ERROR(token_set_user_pin(token, &so, &pin), CA_R_PIN,
	    "officer's PIN of token 'ca' is locked");
	CHECK(count_lines(count_path(dir), "C_Login=") == 0);
	close_token(token);
}

static void
tries_named(const char *dir, const char *orders, const char *part)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	struct token *token = NULL;

	CHECK(token_find(open_shim(dir, orders), "ca", NULL, &token) == 0);
	CHECK_ERROR(token_login(token, &wrong), CA_R_PIN, part);
	close_token(token);
}

static void
final_try(const char *dir)
{
	tries_named(dir, "flags +CKF_USER_PIN_FINAL_TRY\n", "one try is left");
}

static void
count_low(const char *dir)
{
	tries_named(dir, "flags +CKF_USER_PIN_COUNT_LOW\n", "few are left");
}

static void
no_count(const char *dir)
{
	tries_named(dir, "flags -CKF_USER_PIN_COUNT_LOW\n",
	    "says nothing of the tries left");
}

TEST(tries_left_are_named)
{
	in_child(setup_token, dir);
	in_child(final_try, dir);
	in_child(count_low, dir);
	in_child(no_count, dir);
}

TEST(pin_lengths)
{
	char long_text[257];
	AUTO_STRUCT(secret) none = { 0 };
	AUTO_STRUCT(secret) brief = secret_of("123");
	AUTO_STRUCT(secret) nul = { 0 };
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) too_long = { 0 };
	struct token *token = NULL;

	memset(long_text, '1', 256);
	long_text[256] = '\0';
	too_long = secret_of(long_text);
	CHECK(secret_copy("user\0-1234", 10, &nul) == 0);
	in_child(setup_token, dir);
	CHECK(token_find(
		  open_shim(dir, counting(dir, "")), "ca", NULL, &token) == 0);
	CHECK_ERROR(token_login(token, &none), CA_R_PIN, "empty");
	CHECK_ERROR(token_login(token, &brief), CA_R_PIN, "takes 4 to 255");
	CHECK_ERROR(token_login(token, &too_long), CA_R_PIN, "takes 4 to 255");
	CHECK_ERROR(token_login(token, &nul), CA_R_PIN, "NUL byte");
	CHECK_ERROR(
	    token_set_user_pin(token, &so, &brief), CA_R_PIN, "takes 4 to 255");
	CHECK(count_lines(count_path(dir), "C_Login=") == 0);
	CHECK(count_lines(count_path(dir), "C_InitPIN=") == 0);
	close_token(token);
}

TEST(user_pin_is_set_anew)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	AUTO_STRUCT(secret) new = secret_of("another PIN");
	struct token *token = make_token(open_embedded(dir), "ca");

	CHECK_ERROR(token_set_user_pin(token, &wrong, &new), CA_R_PIN,
	    "officer's PIN of token 'ca' is wrong");
	CHECK(token_login(token, &old) == 0);
	token_logout(token);
	CHECK(token_set_user_pin(token, &so, &new) == 0);
	CHECK_ERROR(token_login(token, &old), CA_R_PIN, "is wrong");
	CHECK(token_login(token, &new) == 0);
	close_token(token);
}

/* ---- Changing PINs, each by who knows the old one ---- */

#define NEW_PIN "another PIN"
#define NEW_SO_PIN "another officer"

TEST(user_pin_is_changed)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	unsigned char id[KEY_ID_LEN];
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token = make_token(open_embedded(dir), "ca");
	struct key *key = NULL;

	must_login(token);
	key_free(make_key(token, "p-256", "kept", id));
	token_logout(token);
	CHECK_ERROR(token_change_user_pin(token, &wrong, &new), CA_R_PIN,
	    "the user PIN of token 'ca' is wrong; it was tried once");
	must_login(token);
	CHECK_ERROR(token_change_user_pin(token, &old, &new), CA_R_STATE,
	    "log out before");
	token_logout(token);
	CHECK(token_change_user_pin(token, &old, &new) == 0);
	CHECK_ERROR(
	    token_change_user_pin(token, &old, &new), CA_R_PIN, "is wrong");
	CHECK_ERROR(token_login(token, &old), CA_R_PIN, "is wrong");
	CHECK(token_login(token, &new) == 0);
	CHECK(key_find(token, id, KEY_ID_LEN, &findings, &key) == 0);
	key_free(key);
	close_token(token);
}

TEST(so_pin_is_changed)
{
	AUTO_STRUCT(secret) user = secret_of(USER_PIN);
	AUTO_STRUCT(secret) old = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_SO_PIN);
	AUTO_STRUCT(secret) new_user = secret_of(NEW_PIN);
	struct token *token = make_token(open_embedded(dir), "ca");

	CHECK_ERROR(token_change_so_pin(token, &user, &new), CA_R_PIN,
	    "officer's PIN of token 'ca' is wrong; it was tried once");
	must_login(token);
	CHECK_ERROR(token_change_so_pin(token, &old, &new), CA_R_STATE,
	    "log out before");
	token_logout(token);
	CHECK(token_change_so_pin(token, &old, &new) == 0);
	/* The officer has left, and the user's PIN is what it was. */
	must_login(token);
	token_logout(token);
	CHECK_ERROR(token_set_user_pin(token, &old, &new_user), CA_R_PIN,
	    "officer's PIN of token 'ca' is wrong");
	CHECK(token_set_user_pin(token, &new, &new_user) == 0);
	CHECK(token_login(token, &new_user) == 0);
	close_token(token);
}

TEST(wrong_old_pin_is_tried_once)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	AUTO_STRUCT(secret) brief = secret_of("123");
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	AUTO_STRUCT(secret) old = secret_of(USER_PIN);
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct token *token = NULL;

	in_child(setup_token, dir);
	CHECK(token_find(
		  open_shim(dir, counting(dir, "")), "ca", NULL, &token) == 0);
	CHECK_ERROR(
	    token_change_user_pin(token, &old, &brief), CA_R_PIN, "4 to 255");
	CHECK_ERROR(
	    token_change_user_pin(token, &brief, &new), CA_R_PIN, "4 to 255");
	CHECK_ERROR(
	    token_change_so_pin(token, &so, &brief), CA_R_PIN, "4 to 255");
	CHECK_ERROR(
	    token_change_user_pin(token, NULL, &new), CA_R_PIN, "no PIN pad");
	CHECK(count_lines(count_path(dir), "C_SetPIN=") == 0);
	CHECK(count_lines(count_path(dir), "C_Login=") == 0);
	CHECK_ERROR(
	    token_change_user_pin(token, &wrong, &new), CA_R_PIN, "wrong");
	CHECK(count_lines(count_path(dir), "C_SetPIN=") == 1);
	CHECK_ERROR(
	    token_change_so_pin(token, &wrong, &new), CA_R_PIN, "wrong");
	/* A login that fails is the one try. */
	CHECK(count_lines(count_path(dir), "C_SetPIN=") == 1);
	CHECK(count_lines(count_path(dir), "C_Login=") == 1);
	close_token(token);
}

TEST(locked_pin_is_not_changed)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	struct token *token = NULL;

	in_child(setup_token, dir);
	CHECK(token_find(open_shim(dir,
			     counting(dir,
				 "flags +CKF_USER_PIN_LOCKED\n"
				 "flags +CKF_SO_PIN_LOCKED\n")),
		  "ca", NULL, &token) == 0);
	CHECK_ERROR(
	    token_change_user_pin(token, &pin, &new), CA_R_PIN, "is locked");
	CHECK_ERROR(token_change_so_pin(token, &so, &new), CA_R_PIN,
	    "officer's PIN of token 'ca' is locked");
	CHECK(count_lines(count_path(dir), "C_Login=") == 0);
	CHECK(count_lines(count_path(dir), "C_SetPIN=") == 0);
	close_token(token);
}

/* A change that fails leaves the old PIN, and nobody logged in. */
static void
change_fails(const char *dir)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	struct token *token = NULL;

	CHECK(token_find(open_shim(dir, "fail C_SetPIN * 0x30\n"), "ca", NULL,
		  &token) == 0);
	CHECK_ERROR(token_change_user_pin(token, &pin, &new), CA_R_TOKEN,
	    "CKR_DEVICE_ERROR");
	CHECK_ERROR(token_change_so_pin(token, &so, &new), CA_R_TOKEN,
	    "CKR_DEVICE_ERROR");
	must_login(token);
	close_token(token);
}

static void
change_without_session(const char *dir)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	AUTO_STRUCT(secret) new = secret_of(NEW_PIN);
	struct token *token = NULL;

	CHECK(token_find(open_shim(dir, "fail C_OpenSession * 0xb1\n"), "ca",
		  NULL, &token) == 0);
	CHECK_ERROR(token_change_user_pin(token, &pin, &new), CA_R_TOKEN,
	    "CKR_SESSION_COUNT");
	close_token(token);
}

TEST(failed_changes)
{
	in_child(setup_token, dir);
	in_child(change_fails, dir);
	in_child(change_without_session, dir);
}

TEST(no_user_pin_yet)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct token *token = NULL;

	CHECK(token_find_blank(open_embedded(dir), NULL, &token) == 0);
	CHECK(token_initialise(token, "ca", &so) == 0);
	CHECK(!token_facts(token)->user_pin_set);
	CHECK_ERROR(token_login(token, &pin), CA_R_PIN, "no user PIN yet");
	close_token(token);
}

/* Failures of single calls: an error each, and nothing is left open. */
static void
login_fails(const char *dir, const char *orders, enum ca_reason reason)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct token *token = NULL;

	CHECK(token_find(open_shim(dir, orders), "ca", NULL, &token) == 0);
	CHECK_ERROR(token_login(token, &pin), reason, "ca");
	CHECK(token->module->session == NULL && token->p11_slots == NULL);
	close_token(token);
}

static void
login_device_error(const char *dir)
{
	login_fails(dir, "fail C_Login 1 0x30\n", CA_R_TOKEN);
}

static void
login_locked_now(const char *dir)
{
	login_fails(dir, "fail C_Login 1 0xa4\n", CA_R_PIN);
}

static void
login_no_session(const char *dir)
{
	login_fails(dir, "fail C_OpenSession * 0xb1\n", CA_R_TOKEN);
}

static void
login_no_second_session(const char *dir)
{
	login_fails(dir, "fail C_OpenSession 2 0xb1\n", CA_R_TOKEN);
}

TEST(login_failures)
{
	in_child(setup_token, dir);
	in_child(login_device_error, dir);
	in_child(login_locked_now, dir);
	in_child(login_no_session, dir);
	in_child(login_no_second_session, dir);
}

TEST(random_octets)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char a[100] = { 0 }, b[100] = { 0 }, zero[100] = { 0 };

	CHECK(token_random(token, a, sizeof(a)) == 0);
	must_login(token);
	CHECK(token_random(token, b, sizeof(b)) == 0);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK(memcmp(b + 50, zero, 50) != 0);
	memset(a, 0, sizeof(a));
	CHECK(token_random(token, a, 1) == 0);
	CHECK(memcmp(a + 1, zero, 99) == 0);
	CHECK(token_random(token, a, 0) == 0);
	close_token(token);
}

static void
random_constant(const char *dir)
{
	struct token *token = shim_login(dir, "constant C_GenerateRandom 2\n");
	unsigned char out[20] = { 0 }, zero[20] = { 0 };

	CHECK(token_random(token, out, sizeof(out)) == 0);
	memset(out, 0, sizeof(out));
	CHECK_ERROR(token_random(token, out, sizeof(out)), CA_R_TOKEN,
	    "constant or repeat");
	CHECK(memcmp(out, zero, sizeof(out)) == 0);
	close_token(token);
}

static void
random_fails(const char *dir)
{
	struct token *token = shim_login(dir, "fail C_GenerateRandom * 0x30\n");
	unsigned char out[20];

	CHECK_ERROR(token_random(token, out, sizeof(out)), CA_R_TOKEN,
	    "CKR_DEVICE_ERROR");
	close_token(token);
}

TEST(random_refusals)
{
	in_child(setup_token, dir);
	in_child(random_constant, dir);
	in_child(random_fails, dir);
}

static void
no_mechanism(const char *dir)
{
	struct token *token =
	    shim_login(dir, "fail C_GetMechanismInfo * 0x70\n");

	CHECK_ERROR(token_offers(token, key_type_by_name("p-256")), CA_R_TOKEN,
	    "lacks CKM_EC_KEY_PAIR_GEN");
	close_token(token);
}

static void
all_mechanisms(const char *dir)
{
	struct token *token = shim_login(dir, "");

	for (size_t i = 0; key_type_at(i) != NULL; i++)
		CHECK(token_offers(token, key_type_at(i)) == 0);
	close_token(token);
}

TEST(mechanisms)
{
	in_child(setup_token, dir);
	in_child(all_mechanisms, dir);
	in_child(no_mechanism, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_find_login),
		cmocka_unit_test(find_blank),
		cmocka_unit_test(initialised_meanwhile),
		cmocka_unit_test(same_label_twice),
		cmocka_unit_test(hostile_label),
		cmocka_unit_test(wrong_pin_is_tried_once),
		cmocka_unit_test(locked_pin_is_not_tried),
		cmocka_unit_test(tries_left_are_named),
		cmocka_unit_test(pin_lengths),
		cmocka_unit_test(user_pin_is_set_anew),
		cmocka_unit_test(user_pin_is_changed),
		cmocka_unit_test(so_pin_is_changed),
		cmocka_unit_test(wrong_old_pin_is_tried_once),
		cmocka_unit_test(locked_pin_is_not_changed),
		cmocka_unit_test(failed_changes),
		cmocka_unit_test(no_user_pin_yet),
		cmocka_unit_test(login_failures),
		cmocka_unit_test(random_octets),
		cmocka_unit_test(random_refusals),
		cmocka_unit_test(mechanisms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
