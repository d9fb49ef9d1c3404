/* The shim does what it is told: other tests rest on it. */
#include <signal.h>
#include <sys/wait.h>

#include "support.h"

static unsigned char ec_id[KEY_ID_LEN] = "ec identity";
static unsigned char rsa_id[KEY_ID_LEN] = "rsa identity";

static void
setup_keys(const char *dir)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	struct key *key = NULL;

	must_login(token);
	CHECK(key_generate(
		  token, key_type_by_name("p-256"), "ec", ec_id, &key) == 0);
	key_free(key);
	CHECK(key_generate(token, key_type_by_name("rsa-2048"), "rsa", rsa_id,
		  &key) == 0);
	key_free(key);
	close_token(token);
}

static int
sign_with(struct token *token, unsigned char *id, const char *alg)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(key) *key = NULL;
	struct sign_job job = { .alg = sigalg_by_name(alg) };

	CHECK(key_find(token, id, KEY_ID_LEN, &findings, &key) == 0);
	job.key = key;
	memset(job.digest, 0xab, sizeof(job.digest));
	return token_sign(token, &job, 1, 1, NULL, NULL);
}

#define AB32 "abababababababababababababababababababababababababababababababab"
#define EC_ID "6563206964656e746974790000000000"
#define RSA_ID "727361206964656e7469747900000000"

static void
marked(const char *dir)
{
	char orders[1024];
	const char *marks = in_dir(dir, "marks");
	struct token *token = NULL;

	(void)snprintf(orders, sizeof(orders),
	    "# a comment\n\nmark %s\nfail C_Sign 3 0x30\n", marks);
	token = shim_login(dir, orders);
	CHECK(sign_with(token, ec_id, "ecdsa-sha256") == 0);
	CHECK(sign_with(token, rsa_id, "rsa-sha256") == 0);
	/* What is not forwarded leaves no mark. */
	CHECK(sign_with(token, ec_id, "ecdsa-sha256") == -1);
	CHECK(count_lines(marks, "") == 4);
	CHECK(count_lines(marks, "sign " EC_ID " " AB32 "\n") == 1);
	CHECK(count_lines(marks, "signed " EC_ID " " AB32 "\n") == 1);
	CHECK(count_lines(marks, "sign " RSA_ID " " AB32 "\n") == 1);
	CHECK(count_lines(marks, "signed " RSA_ID " " AB32 "\n") == 1);
	close_token(token);
}

static void
fails_after(const char *dir)
{
	char orders[1024];
	const char *marks = in_dir(dir, "marks-after");
	struct token *token = NULL;

	(void)snprintf(orders, sizeof(orders),
	    "mark %s\nfail-after C_Sign 1 0x30\n", marks);
	token = shim_login(dir, orders);
	CHECK(sign_with(token, ec_id, "ecdsa-sha256") == -1);
	CHECK(count_lines(marks, "signed ") == 1);
	CHECK(sign_with(token, ec_id, "ecdsa-sha256") == 0);
	close_token(token);
}

static void
dies(const char *dir, const char *order, const char *file)
{
	char orders[1024];
	struct token *token = NULL;

	(void)snprintf(
	    orders, sizeof(orders), "mark %s\n%s\n", in_dir(dir, file), order);
	token = shim_login(dir, orders);
	(void)!sign_with(token, ec_id, "ecdsa-sha256");
	check_failed(__FILE__, __LINE__, order);
}

static void
dies_before(const char *dir)
{
	dies(dir, "kill C_Sign 1", "marks-kill");
}

static void
dies_after(const char *dir)
{
	dies(dir, "kill-after C_Sign 1", "marks-kill-after");
}

TEST(marks_and_kills)
{
	in_child(setup_keys, dir);
	in_child(marked, dir);
	in_child(fails_after, dir);
	CHECK(WTERMSIG(child_status(dies_before, dir)) == SIGKILL);
	CHECK(count_lines(in_dir(dir, "marks-kill"), "") == 0);
	CHECK(WTERMSIG(child_status(dies_after, dir)) == SIGKILL);
	CHECK(count_lines(in_dir(dir, "marks-kill-after"), "signed ") == 1);
}

static char bad_order[256];

static void
order_refused(const char *dir)
{
	const char *path = in_dir(dir, "orders");
	struct module *module = NULL;

	write_file(path, bad_order, strlen(bad_order));
	CHECK(setenv("CA_SHIM_MODULE", softhsm_library(), 1) == 0);
	CHECK(setenv("CA_SHIM_SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"),
		  1) == 0);
	CHECK(setenv("CA_SHIM_ORDERS", path, 1) == 0);
	CHECK_ERROR(
	    module_open(SHIM_PATH, &module), CA_R_MODULE, "CKR_ARGUMENTS_BAD");
}

TEST(bad_orders)
{
	static const char *const orders[] = { "fail C_Sing 1 0x30",
		"fail C_Sign 0 0x30", "fail C_Sign 1", "fail C_Sign one 0x30",
		"fail C_Sign 1 0x30 more", "obey", "lie CKA_TOKEN 2",
		"lie CKA_NONE 1", "lie-bytes CKA_EC_POINT 0",
		"lie-bytes CKA_EC_POINT zz", "lie CKA_TOKEN 1 id",
		"lie CKA_TOKEN 1 only 00", "flags CKF_RNG", "flags +CKF_NONE",
		"garbage C_Login", "constant C_Sign", "count", "mark /no/such",
		"delay C_Sign soon", "pin-pad", "pin-pad 1234",
		"pin-pad 1234 5678 9" };

	in_child(setup_token, dir);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		(void)snprintf(bad_order, sizeof(bad_order), "%s\n", orders[i]);
		in_child(order_refused, dir);
	}
}

/* Limited to one CKA_ID, a lie leaves the others alone. */
static void
one_liar(const char *dir)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token =
	    shim_login(dir, "lie CKA_DECRYPT 1 id " EC_ID "\n");
	struct key *key = NULL;

	CHECK_ERROR(key_find(token, ec_id, KEY_ID_LEN, &findings, &key),
	    CA_R_KEY, "may decrypt");
	CHECK(key_find(token, rsa_id, KEY_ID_LEN, &findings, &key) == 0);
	key_free(key);
	close_token(token);
}

TEST(lies_about_one_key)
{
	in_child(setup_keys, dir);
	in_child(one_liar, dir);
}

static void
without_module(const char *dir)
{
	struct module *module = NULL;

	(void)dir;
	CHECK(unsetenv("CA_SHIM_MODULE") == 0);
	CHECK_ERROR(
	    module_open(SHIM_PATH, &module), CA_R_MODULE, "CKR_GENERAL_ERROR");
}

TEST(no_real_module)
{
	in_child(without_module, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_and_kills),
		cmocka_unit_test(bad_orders),
		cmocka_unit_test(lies_about_one_key),
		cmocka_unit_test(no_real_module),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
