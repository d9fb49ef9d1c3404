#include <ctype.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/ui.h>

#include "base/file.h"
#include "base/text.h"
#include "pkcs11/raw.h"

/*
 * How modules differ.  The first row that matches is used; the last matches
 * all.  Only SoftHSM's is tested here; the others say what is known of theirs.
 */
static const struct quirk quirks[] = {
	{ .name = "SoftHSM", .manufacturer = "SoftHSM" },
	{ .name = "NSS softokn",
	    .manufacturer = "Mozilla",
	    .refused = "NSS softokn does not say of any key that it was "
		       "generated on the token" },
	{ .name = "tpm2-pkcs11",
	    .manufacturer = "tpm2-software",
	    .not_named = { CKA_VERIFY } },
	/* PINs of 4 to 8 characters, no EC: its facts and mechanisms say so. */
	{ .name = "openCryptoki", .description = "openCryptoki" },
	{ .name = "none" },
};

static const struct {
	CK_RV rv;
	const char *name;
} rv_names[] = {
#define RV(name)            \
	{                   \
		name, #name \
	}
	RV(CKR_HOST_MEMORY),
	RV(CKR_SLOT_ID_INVALID),
	RV(CKR_GENERAL_ERROR),
	RV(CKR_FUNCTION_FAILED),
	RV(CKR_ARGUMENTS_BAD),
	RV(CKR_ATTRIBUTE_READ_ONLY),
	RV(CKR_ATTRIBUTE_SENSITIVE),
	RV(CKR_ATTRIBUTE_TYPE_INVALID),
	RV(CKR_ATTRIBUTE_VALUE_INVALID),
	RV(CKR_ACTION_PROHIBITED),
	RV(CKR_DATA_INVALID),
	RV(CKR_DATA_LEN_RANGE),
	RV(CKR_DEVICE_ERROR),
	RV(CKR_DEVICE_MEMORY),
	RV(CKR_DEVICE_REMOVED),
	RV(CKR_FUNCTION_CANCELED),
	RV(CKR_FUNCTION_NOT_SUPPORTED),
	RV(CKR_KEY_HANDLE_INVALID),
	RV(CKR_KEY_SIZE_RANGE),
	RV(CKR_KEY_TYPE_INCONSISTENT),
	RV(CKR_KEY_FUNCTION_NOT_PERMITTED),
	RV(CKR_KEY_NOT_WRAPPABLE),
	RV(CKR_KEY_UNEXTRACTABLE),
	RV(CKR_MECHANISM_INVALID),
	RV(CKR_MECHANISM_PARAM_INVALID),
	RV(CKR_OBJECT_HANDLE_INVALID),
	RV(CKR_OPERATION_ACTIVE),
	RV(CKR_OPERATION_NOT_INITIALIZED),
	RV(CKR_PIN_INCORRECT),
	RV(CKR_PIN_INVALID),
	RV(CKR_PIN_LEN_RANGE),
	RV(CKR_PIN_EXPIRED),
	RV(CKR_PIN_LOCKED),
	RV(CKR_PIN_TOO_WEAK),
	RV(CKR_SESSION_CLOSED),
	RV(CKR_SESSION_COUNT),
	RV(CKR_SESSION_HANDLE_INVALID),
	RV(CKR_SESSION_READ_ONLY),
	RV(CKR_SESSION_EXISTS),
	RV(CKR_SESSION_READ_ONLY_EXISTS),
	RV(CKR_SESSION_READ_WRITE_SO_EXISTS),
	RV(CKR_TEMPLATE_INCOMPLETE),
	RV(CKR_TEMPLATE_INCONSISTENT),
	RV(CKR_TOKEN_NOT_PRESENT),
	RV(CKR_TOKEN_NOT_RECOGNIZED),
	RV(CKR_TOKEN_WRITE_PROTECTED),
	RV(CKR_USER_ALREADY_LOGGED_IN),
	RV(CKR_USER_NOT_LOGGED_IN),
	RV(CKR_USER_PIN_NOT_INITIALIZED),
	RV(CKR_USER_ANOTHER_ALREADY_LOGGED_IN),
	RV(CKR_RANDOM_NO_RNG),
	RV(CKR_CURVE_NOT_SUPPORTED),
	RV(CKR_DOMAIN_PARAMS_INVALID),
	RV(CKR_BUFFER_TOO_SMALL),
	RV(CKR_CRYPTOKI_NOT_INITIALIZED),
	RV(CKR_FUNCTION_REJECTED),
#undef RV
};

const char *
raw_rv_name(CK_RV rv)
{
	for (size_t i = 0; i < sizeof(rv_names) / sizeof(rv_names[0]); i++)
		if (rv_names[i].rv == rv)
			return rv_names[i].name;
	return "CKR_?";
}

static enum ca_reason
reason_of(CK_RV rv, enum ca_reason reason)
{
	switch (rv) {
	case CKR_PIN_INCORRECT:
	case CKR_PIN_INVALID:
	case CKR_PIN_LEN_RANGE:
	case CKR_PIN_EXPIRED:
	case CKR_PIN_LOCKED:
	case CKR_PIN_TOO_WEAK:
	case CKR_USER_PIN_NOT_INITIALIZED:
		return CA_R_PIN;
	case CKR_HOST_MEMORY:
		return CA_R_MEMORY;
	default:
		return reason;
	}
}

int
raw_error(enum ca_reason reason, CK_RV rv, const char *fmt, ...)
{
	char problem[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(problem, sizeof(problem), fmt, args);
	va_end(args);
	return ca_error(reason_of(rv, reason), "%s: %s (0x%lx)", problem,
	    raw_rv_name(rv), rv);
}

char *
raw_text(const unsigned char *text, size_t len)
{
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\0'))
		len--;
	return text_escape((const char *)text, len);
}

/* libp11 would prompt on the terminal by itself: this method always fails. */
static int
refuse_prompt(UI *ui, UI_STRING *string)
{
	(void)ui;
	(void)string;
	return -1;
}

static UI_METHOD *
no_prompt_new(void)
{
	UI_METHOD *method = UI_create_method("ca-tool without prompts");

	if (method == NULL)
		return NULL;
	if (UI_method_set_reader(method, refuse_prompt) != 0 ||
	    UI_method_set_writer(method, refuse_prompt) != 0) {
		UI_destroy_method(method);
		return NULL;
	}
	return method;
}

static int
load_error(const char *path)
{
	const char *why = dlerror();

	return ca_error(CA_R_MODULE,
	    "module '%s' cannot be loaded: %s; name the library that "
	    "came with the token",
	    path, why != NULL ? why : "unknown reason");
}

/* A FIFO or device would block dlopen(): look before. */
static int
check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return ca_error_errno(
		    CA_R_MODULE, "module '%s' cannot be opened", path);
	if (!S_ISREG(st.st_mode))
		return ca_error(CA_R_MODULE,
		    "module '%s' is not a file; name the library that came "
		    "with the token",
		    path);
	return 0;
}

static int
load_library(struct module *module)
{
	const char *path = module->facts.path;
	CK_C_GetFunctionList get_list = NULL;
	CK_FUNCTION_LIST *again = NULL;
	void *symbol = NULL;
	CK_RV rv = CKR_OK;

	if (check_file(path) != 0)
		return -1;
	(void)dlerror();
	module->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (module->library == NULL)
		return load_error(path);
	symbol = dlsym(module->library, "C_GetFunctionList");
	if (symbol == NULL)
		return ca_error(CA_R_MODULE,
		    "'%s' is a library, but no PKCS#11 module: it has no "
		    "C_GetFunctionList",
		    path);
	/* ISO C has no cast from an object to a function pointer. */
	memcpy(&get_list, &symbol, sizeof(get_list));
	rv = get_list(&module->raw);
	if (rv == CKR_OK && module->raw != NULL)
		rv = get_list(&again);
	if (rv != CKR_OK || module->raw == NULL)
		return raw_error(CA_R_MODULE, rv,
		    "module '%s' gives no list of functions", path);
	module->per_caller = again != module->raw;
	if (module->raw->version.major < 2)
		return ca_error(CA_R_MODULE,
		    "module '%s' speaks PKCS#11 %u.%u; 2.0 or later is needed",
		    path, module->raw->version.major,
		    module->raw->version.minor);
	return 0;
}

static int
initialise(struct module *module)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = module->raw->C_Initialize(&args);

	if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED && module->alone)
		return raw_error(CA_R_MODULE, rv,
		    "module '%s' is in use in this process already; a second "
		    "token of it can be reached through p11-kit server",
		    module->facts.path);
	if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return raw_error(CA_R_MODULE, rv,
		    "module '%s' cannot be initialised", module->facts.path);
	module->p11 = PKCS11_CTX_new();
	if (module->p11 == NULL ||
	    PKCS11_CTX_load(module->p11, module->facts.path) != 0) {
		(void)module->raw->C_Finalize(NULL);
		if (module->p11 != NULL)
			PKCS11_CTX_free(module->p11);
		module->p11 = NULL;
		return ca_error(CA_R_MODULE, "module '%s' cannot be loaded",
		    module->facts.path);
	}
	module->no_prompt = no_prompt_new();
	if (module->no_prompt == NULL ||
	    PKCS11_set_ui_method(module->p11, module->no_prompt, NULL) != 0)
		return ca_error(
		    CA_R_INTERNAL, "libp11's prompts cannot be turned off");
	return 0;
}

static void
format_version(CK_VERSION version, char out[8])
{
	(void)snprintf(out, 8, "%u.%u", version.major, version.minor);
}

static bool
quirk_matches(const struct quirk *quirk, const struct module_facts *facts)
{
	if (quirk->manufacturer != NULL &&
	    strstr(facts->manufacturer, quirk->manufacturer) == NULL)
		return false;
	return quirk->description == NULL ||
	    strstr(facts->description, quirk->description) != NULL;
}

static int
read_facts(struct module *module)
{
	struct module_facts *facts = &module->facts;
	unsigned char digest[32];
	CK_INFO info = { 0 };
	CK_RV rv = module->raw->C_GetInfo(&info);

	if (rv != CKR_OK)
		return raw_error(CA_R_MODULE, rv,
		    "module '%s' does not describe itself", facts->path);
	facts->manufacturer =
	    raw_text(info.manufacturerID, sizeof(info.manufacturerID));
	facts->description =
	    raw_text(info.libraryDescription, sizeof(info.libraryDescription));
	if (facts->manufacturer == NULL || facts->description == NULL)
		return -1;
	format_version(info.libraryVersion, facts->version);
	format_version(info.cryptokiVersion, facts->cryptoki);
	if (file_sha256_at(AT_FDCWD, facts->path, digest) != 0)
		return -1;
	text_hex_into(digest, sizeof(digest), facts->sha256);
	module->quirk = quirks;
	while (!quirk_matches(module->quirk, facts))
		module->quirk++;
	facts->quirks = module->quirk->name;
	return 0;
}

static int
load(const char *path, const char *embedded_dir, bool alone,
    struct module **ret_module)
{
	AUTO_PTR(module) *module = calloc(1, sizeof(*module));

	if (module == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a module");
	if (path[0] != '/')
		return ca_error(CA_R_USAGE,
		    "module '%s' is not named by an absolute path", path);
	module->alone = alone;
	module->facts.path = text_copy(path);
	if (module->facts.path == NULL)
		return -1;
	if (embedded_dir != NULL) {
		module->embedded_dir = text_copy(embedded_dir);
		if (module->embedded_dir == NULL)
			return -1;
	}
	if (load_library(module) != 0 || initialise(module) != 0 ||
	    read_facts(module) != 0)
		return -1;
	*ret_module = TAKE(module);
	return 0;
}

int
module_load(
    const char *path, const char *embedded_dir, struct module **ret_module)
{
	return load(path, embedded_dir, false, ret_module);
}

int
module_open(const char *path, struct module **ret_module)
{
	return load(path, NULL, false, ret_module);
}

int
module_open_alone(const char *path, struct module **ret_module)
{
	return load(path, NULL, true, ret_module);
}

const struct module_facts *
module_facts(const struct module *module)
{
	return &module->facts;
}

void
module_unpark(struct module *module)
{
	while (module->parked != NULL) {
		struct parked *parked = module->parked;

		module->parked = parked->next;
		PKCS11_release_all_slots(
		    module->p11, parked->slots, parked->count);
		free(parked);
	}
}

void
module_free(struct module *module)
{
	/* Unloading finalises the module for the raw side as well. */
	if (module->p11 != NULL) {
		module_unpark(module);
		PKCS11_CTX_unload(module->p11);
		PKCS11_CTX_free(module->p11);
		if (module->per_caller)
			(void)module->raw->C_Finalize(NULL);
	}
	if (module->no_prompt != NULL)
		UI_destroy_method(module->no_prompt);
	if (module->library != NULL)
		(void)dlclose(module->library);
	free(module->facts.path);
	free(module->facts.manufacturer);
	free(module->facts.description);
	free(module->embedded_dir);
	free(module);
}

void
handles_clear(struct handles *handles)
{
	free(handles->list);
	*handles = (struct handles){ 0 };
}
