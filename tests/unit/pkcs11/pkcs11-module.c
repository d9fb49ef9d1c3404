#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/text.h"
#include "support.h"

static void
refused(const char *path, enum ca_reason reason, const char *part)
{
	struct module *module = NULL;

	CHECK_ERROR(module_open(path, &module), reason, part);
	CHECK(module == NULL);
}

TEST(not_a_module)
{
	Dl_info library = { 0 };
	const char *text = in_dir(dir, "text.so");
	const char *fifo = in_dir(dir, "fifo.so");

	write_file(text, "hello", 5);
	CHECK(mkfifo(fifo, 0600) == 0);
	refused(text, CA_R_MODULE, "cannot be loaded");
	refused(in_dir(dir, "absent.so"), CA_R_MODULE, "No such file");
	refused(in_dir(dir, "\033[2J.so"), CA_R_MODULE, "x1b");
	refused(dir, CA_R_MODULE, "is not a file");
	refused(fifo, CA_R_MODULE, "is not a file");
	refused("libsofthsm2.so", CA_R_USAGE, "absolute");
	/* A library, but of another kind: that of getpid(). */
	CHECK(dladdr(dlsym(RTLD_DEFAULT, "getpid"), &library) != 0);
	refused(library.dli_fname, CA_R_MODULE, "no PKCS#11 module");
}

static void
shim_refused(const char *dir, const char *orders, const char *part)
{
	const char *path = in_dir(dir, "orders");

	write_file(path, orders, strlen(orders));
	CHECK(setenv("CA_SHIM_MODULE", softhsm_library(), 1) == 0);
	CHECK(setenv("CA_SHIM_SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"),
		  1) == 0);
	CHECK(setenv("CA_SHIM_ORDERS", path, 1) == 0);
	refused(SHIM_PATH, CA_R_MODULE, part);
}

static void
no_initialise(const char *dir)
{
	shim_refused(dir, "fail C_Initialize * 0x30\n", "CKR_DEVICE_ERROR");
}

static void
no_second_initialise(const char *dir)
{
	shim_refused(dir, "fail C_Initialize 2 0x30\n", "cannot be loaded");
}

static void
no_info(const char *dir)
{
	shim_refused(dir, "fail C_GetInfo 2 0x5\n", "CKR_GENERAL_ERROR");
}

static void
no_slots(const char *dir)
{
	struct module *module = open_shim(dir, "fail C_GetSlotList * 0x5\n");
	struct token *token = NULL;

	CHECK_ERROR(token_find(module, "ca", NULL, &token), CA_R_MODULE,
	    "does not list its slots");
	module_free(module);
}

static void
no_token_info(const char *dir)
{
	struct module *module = open_shim(dir, "fail C_GetTokenInfo * 0x5\n");
	struct token *token = NULL;

	CHECK_ERROR(token_find(module, "ca", NULL, &token), CA_R_TOKEN,
	    "the module shows no token");
	module_free(module);
}

TEST(failing_module)
{
	in_child(setup_token, dir);
	in_child(no_initialise, dir);
	in_child(no_second_initialise, dir);
	in_child(no_info, dir);
	in_child(no_slots, dir);
	in_child(no_token_info, dir);
}

static void
initialised_before(const char *dir)
{
	void *library = dlopen(softhsm_library(), RTLD_NOW | RTLD_LOCAL);
	void *symbol = dlsym(library, "C_GetFunctionList");
	CK_C_GetFunctionList get_list = NULL;
	CK_FUNCTION_LIST *raw = NULL;
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	struct module *module = NULL;
	struct token *token = NULL;

	CHECK(setenv("SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"), 1) == 0);
	memcpy(&get_list, &symbol, sizeof(get_list));
	CHECK(get_list(&raw) == CKR_OK && raw->C_Initialize(&args) == CKR_OK);
	CHECK(module_open(softhsm_library(), &module) == 0);
	CHECK(token_find(module, "ca", NULL, &token) == 0);
	must_login(token);
	close_token(token);
	(void)dlclose(library);
}

TEST(already_initialised)
{
	in_child(setup_token, dir);
	in_child(initialised_before, dir);
}

TEST(facts)
{
	struct module *module = open_embedded(dir);
	const struct module_facts *facts = module_facts(module);
	unsigned char digest[32];
	size_t len = 0;
	AUTO_BYTES(bytes) = read_file(softhsm_library(), &len);
	char hex[65];

	CHECK(sha256(bytes, len, digest) == 0);
	text_hex_into(digest, sizeof(digest), hex);
	CHECK(strcmp(facts->sha256, hex) == 0);
	CHECK(strcmp(facts->path, softhsm_library()) == 0);
	CHECK(strcmp(facts->manufacturer, "SoftHSM") == 0);
	CHECK(strstr(facts->description, "PKCS11") != NULL);
	CHECK(strcmp(facts->version, "2.6") == 0);
	CHECK(strcmp(facts->cryptoki, "2.40") == 0);
	CHECK(strcmp(facts->quirks, "SoftHSM") == 0);
	module_free(module);
}

TEST(embedded_refusals)
{
	const char *hash = in_dir(dir, "a#b");
	const char *open_to_all = in_dir(dir, "open");
	struct module *module = NULL;
	struct stat st;

	CHECK(mkdir(hash, 0700) == 0);
	CHECK(mkdir(open_to_all, 0700) == 0);
	CHECK(chmod(open_to_all, 0750) == 0);
	CHECK_ERROR(module_open_embedded("token", &module, NULL), CA_R_USAGE,
	    "absolute");
	CHECK_ERROR(
	    module_open_embedded(hash, &module, NULL), CA_R_USAGE, "'#'");
	CHECK_ERROR(module_open_embedded(open_to_all, &module, NULL),
	    CA_R_STATE, "0700");
	ca_error_clear();
	CHECK(module_open_embedded(in_dir(dir, "none"), &module, NULL) == -1);
	CHECK(module == NULL);
	CHECK(stat(in_dir(open_to_all, "softhsm2.conf"), &st) != 0);
}

TEST(opened_again)
{
	for (int i = 0; i < 3; i++)
		module_free(open_embedded(dir));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(not_a_module),
		cmocka_unit_test(failing_module),
		cmocka_unit_test(already_initialised),
		cmocka_unit_test(facts),
		cmocka_unit_test(embedded_refusals),
		cmocka_unit_test(opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
