/*
 * A PKCS#11 module that forwards to a real one, and on order fails, delays,
 * counts or lies: see README.md.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orders.h"

enum { SIGNERS_MAX = 256, TEXT_MAX = 8192 };

/* The key that C_SignInit was given, for the mark of C_Sign. */
struct signer {
	CK_SESSION_HANDLE session;
	CK_MECHANISM_TYPE mechanism;
	unsigned char id[256];
	size_t id_len;
};

/* A module is one per process, so its state is too. */
static struct {
	pthread_mutex_t lock;
	void *library;
	CK_FUNCTION_LIST *real;
	struct orders orders;
	unsigned long calls[FUNCTION_COUNT];
	struct signer signers[SIGNERS_MAX];
	size_t signer_count;
} shim = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Loading ---- */

static CK_RV
load_real(void)
{
	const char *path = getenv("CA_SHIM_MODULE");
	const char *conf = getenv("CA_SHIM_SOFTHSM2_CONF");
	const char *orders = getenv("CA_SHIM_ORDERS");
	CK_C_GetFunctionList get_list = NULL;
	void *symbol = NULL;

	if (path == NULL) {
		fprintf(stderr, "shim: CA_SHIM_MODULE names no module\n");
		return CKR_GENERAL_ERROR;
	}
	if (orders != NULL && orders[0] != '\0' &&
	    !orders_read(orders, &shim.orders))
		return CKR_ARGUMENTS_BAD;
	if (conf != NULL && setenv("SOFTHSM2_CONF", conf, 1) != 0)
		return CKR_HOST_MEMORY;
	shim.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	symbol = shim.library != NULL ? dlsym(shim.library, "C_GetFunctionList")
				      : NULL;
	if (symbol == NULL) {
		fprintf(stderr, "shim: '%s' is no module\n", path);
		return CKR_GENERAL_ERROR;
	}
	memcpy(&get_list, &symbol, sizeof(get_list));
	return get_list(&shim.real);
}

/* ---- What is done before and after each call ---- */

static void
append(int fd, const char *text)
{
	/* One write: lines of several processes do not mix. */
	if (write(fd, text, strlen(text)) < 0)
		abort();
}

static unsigned long
count_call(enum function function)
{
	char line[128];
	unsigned long nth = 0;

	(void)pthread_mutex_lock(&shim.lock);
	nth = ++shim.calls[function];
	(void)snprintf(
	    line, sizeof(line), "%s=%lu\n", function_names[function], nth);
	for (size_t i = 0; i < shim.orders.count; i++)
		if (shim.orders.list[i].kind == ORDER_COUNT)
			append(shim.orders.list[i].fd, line);
	(void)pthread_mutex_unlock(&shim.lock);
	return nth;
}

/* The first order of a kind for this call, or NULL. */
static const struct order *
order_for(enum order_kind kind, enum function function, unsigned long nth)
{
	for (size_t i = 0; i < shim.orders.count; i++) {
		const struct order *order = &shim.orders.list[i];

		if (order->kind == kind && order->function == function &&
		    (order->nth == 0 || order->nth == nth))
			return order;
	}
	return NULL;
}

/* True: answer *ret_rv and do not forward. */
static bool
before(enum function function, unsigned long *ret_nth, CK_RV *ret_rv)
{
	unsigned long nth = count_call(function);
	const struct order *order = NULL;

	*ret_nth = nth;
	if (shim.real == NULL) {
		*ret_rv = CKR_CRYPTOKI_NOT_INITIALIZED;
		return true;
	}
	order = order_for(ORDER_DELAY, function, nth);
	if (order != NULL)
		(void)usleep((useconds_t)order->number);
	if (order_for(ORDER_KILL, function, nth) != NULL)
		(void)kill(getpid(), SIGKILL);
	order = order_for(ORDER_FAIL, function, nth);
	if (order == NULL)
		return false;
	*ret_rv = order->number;
	return true;
}

static CK_RV
after(enum function function, unsigned long nth, CK_RV rv)
{
	const struct order *order = order_for(ORDER_FAIL_AFTER, function, nth);

	if (order_for(ORDER_KILL_AFTER, function, nth) != NULL)
		(void)kill(getpid(), SIGKILL);
	return order != NULL ? order->number : rv;
}

#define PLAIN(name, parameters, arguments)                               \
	static CK_RV shim_##name parameters                              \
	{                                                                \
		unsigned long nth = 0;                                   \
		CK_RV rv = CKR_OK;                                       \
                                                                         \
		if (before(FN_##name, &nth, &rv))                        \
			return rv;                                       \
		return after(FN_##name, nth, shim.real->name arguments); \
	}
#define OWN(name)
SHIM_FUNCTIONS(PLAIN, OWN)
#undef PLAIN
#undef OWN

/* ---- Functions of our own ---- */

static CK_RV
shim_C_Initialize(void *args)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	(void)pthread_mutex_lock(&shim.lock);
	if (shim.real == NULL)
		rv = load_real();
	(void)pthread_mutex_unlock(&shim.lock);
	if (rv != CKR_OK || before(FN_C_Initialize, &nth, &rv))
		return rv;
	return after(FN_C_Initialize, nth, shim.real->C_Initialize(args));
}

/* The real module stays loaded and the counts go on. */
static CK_RV
shim_C_Finalize(void *reserved)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_Finalize, &nth, &rv))
		return rv;
	return after(FN_C_Finalize, nth, shim.real->C_Finalize(reserved));
}

static CK_RV
shim_C_GetTokenInfo(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_GetTokenInfo, &nth, &rv))
		return rv;
	rv = shim.real->C_GetTokenInfo(slot, info);
	for (size_t i = 0; rv == CKR_OK && i < shim.orders.count; i++) {
		const struct order *order = &shim.orders.list[i];

		if (order->kind == ORDER_FLAGS_SET)
			info->flags |= order->number;
		if (order->kind == ORDER_FLAGS_CLEAR)
			info->flags &= ~order->number;
		if (order->kind == ORDER_PIN_PAD)
			info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
	}
	return after(FN_C_GetTokenInfo, nth, rv);
}

static CK_RV
shim_C_GenerateRandom(CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_GenerateRandom, &nth, &rv))
		return rv;
	rv = shim.real->C_GenerateRandom(session, out, len);
	if (rv == CKR_OK &&
	    order_for(ORDER_CONSTANT, FN_C_GenerateRandom, nth) != NULL)
		memset(out, 0x5a, len);
	return after(FN_C_GenerateRandom, nth, rv);
}

/* ---- The PIN pad ---- */

/* What is typed on it, where a call brings no PIN of its own. */
static void
type_pin(bool officer, CK_BYTE **pin, CK_ULONG *len)
{
	for (size_t i = 0; *pin == NULL && i < shim.orders.count; i++) {
		struct order *order = &shim.orders.list[i];
		char *typed = officer ? order->so_pin : order->user_pin;

		if (order->kind != ORDER_PIN_PAD)
			continue;
		*pin = (CK_BYTE *)typed;
		*len = strlen(typed);
	}
}

static CK_RV
shim_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user_type, CK_BYTE *pin,
    CK_ULONG pin_len)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_Login, &nth, &rv))
		return rv;
	type_pin(user_type == CKU_SO, &pin, &pin_len);
	return after(FN_C_Login, nth,
	    shim.real->C_Login(session, user_type, pin, pin_len));
}

static CK_RV
shim_C_InitPIN(CK_SESSION_HANDLE session, CK_BYTE *pin, CK_ULONG pin_len)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_InitPIN, &nth, &rv))
		return rv;
	type_pin(false, &pin, &pin_len);
	return after(
	    FN_C_InitPIN, nth, shim.real->C_InitPIN(session, pin, pin_len));
}

static CK_RV
shim_C_InitToken(
    CK_SLOT_ID slot, CK_BYTE *pin, CK_ULONG pin_len, CK_BYTE *label)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_InitToken, &nth, &rv))
		return rv;
	type_pin(true, &pin, &pin_len);
	return after(FN_C_InitToken, nth,
	    shim.real->C_InitToken(slot, pin, pin_len, label));
}

/* ---- Lies ---- */

static size_t
read_id(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, unsigned char *id,
    size_t max)
{
	CK_ATTRIBUTE attribute = { CKA_ID, id, max };

	if (shim.real->C_GetAttributeValue(session, object, &attribute, 1) !=
	    CKR_OK)
		return 0;
	return attribute.ulValueLen;
}

static bool
is_about(const struct order *order, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object)
{
	unsigned char id[sizeof(order->id)];
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE attribute = { CKA_CLASS, &class, sizeof(class) };

	if (order->public_only &&
	    (shim.real->C_GetAttributeValue(session, object, &attribute, 1) !=
		    CKR_OK ||
		class != CKO_PUBLIC_KEY))
		return false;
	return order->id_len == 0 ||
	    (read_id(session, object, id, sizeof(id)) == order->id_len &&
		memcmp(id, order->id, order->id_len) == 0);
}

static CK_RV
lie(const struct order *order, CK_ATTRIBUTE *attribute, CK_ULONG room)
{
	if (order->kind == ORDER_ABSENT) {
		attribute->ulValueLen = (CK_ULONG)-1;
		return CKR_ATTRIBUTE_TYPE_INVALID;
	}
	attribute->ulValueLen = order->len;
	if (attribute->pValue == NULL)
		return CKR_OK;
	if (room < order->len) {
		attribute->ulValueLen = (CK_ULONG)-1;
		return CKR_BUFFER_TOO_SMALL;
	}
	memcpy(attribute->pValue, order->bytes, order->len);
	return CKR_OK;
}

static const struct order *
lie_about(
    CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < shim.orders.count; i++) {
		const struct order *order = &shim.orders.list[i];

		if ((order->kind == ORDER_LIE || order->kind == ORDER_ABSENT) &&
		    order->attribute == type &&
		    is_about(order, session, object))
			return order;
	}
	return NULL;
}

/*
 * One attribute at a time, so that a lie replaces the real module's answer
 * whatever it is; the worst answer is that of the call.
 */
static CK_RV
get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	CK_RV worst = CKR_OK;

	for (CK_ULONG i = 0; i < count; i++) {
		CK_ATTRIBUTE *attribute = &attributes[i];
		const struct order *order =
		    lie_about(session, object, attribute->type);
		CK_RV rv = order != NULL
		    ? lie(order, attribute, attribute->ulValueLen)
		    : shim.real->C_GetAttributeValue(
			  session, object, attribute, 1);

		if (rv != CKR_OK)
			worst = rv;
	}
	return worst;
}

static CK_RV
shim_C_GetAttributeValue(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE *attributes, CK_ULONG count)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_GetAttributeValue, &nth, &rv))
		return rv;
	return after(FN_C_GetAttributeValue, nth,
	    get_attributes(session, object, attributes, count));
}

/* ---- Signing ---- */

static struct signer *
signer_of(CK_SESSION_HANDLE session)
{
	for (size_t i = 0; i < shim.signer_count; i++)
		if (shim.signers[i].session == session)
			return &shim.signers[i];
	if (shim.signer_count == SIGNERS_MAX)
		abort();
	shim.signers[shim.signer_count].session = session;
	return &shim.signers[shim.signer_count++];
}

static CK_RV
shim_C_SignInit(
    CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	unsigned char id[256];
	size_t id_len = 0;
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_SignInit, &nth, &rv))
		return rv;
	id_len = read_id(session, key, id, sizeof(id));
	(void)pthread_mutex_lock(&shim.lock);
	*signer_of(session) = (struct signer){ .session = session,
		.mechanism = mechanism != NULL ? mechanism->mechanism : 0,
		.id_len = id_len };
	memcpy(signer_of(session)->id, id, id_len);
	(void)pthread_mutex_unlock(&shim.lock);
	return after(
	    FN_C_SignInit, nth, shim.real->C_SignInit(session, mechanism, key));
}

static size_t
put_hex(char *out, const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return 2 * len;
}

/* Of a DigestInfo (RFC 8017, section 9.2) the digest alone is wanted. */
static void
digest_of(const struct signer *signer, const CK_BYTE **data, CK_ULONG *len)
{
	static const CK_ULONG lens[] = { 32, 48, 64 };
	enum { HEADER = 19 };

	if (signer->mechanism != CKM_RSA_PKCS)
		return;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		if (*len == HEADER + lens[i] && (*data)[0] == 0x30) {
			*data += HEADER;
			*len = lens[i];
			return;
		}
}

static void
mark(const char *what, CK_SESSION_HANDLE session, const CK_BYTE *data,
    CK_ULONG len)
{
	struct signer signer;
	char line[TEXT_MAX];
	size_t at = 0;

	(void)pthread_mutex_lock(&shim.lock);
	signer = *signer_of(session);
	(void)pthread_mutex_unlock(&shim.lock);
	digest_of(&signer, &data, &len);
	if (2 * (signer.id_len + len) + 32 > sizeof(line))
		abort();
	at = (size_t)snprintf(line, sizeof(line), "%s ", what);
	at += put_hex(line + at, signer.id, signer.id_len);
	line[at++] = ' ';
	at += put_hex(line + at, data, len);
	line[at++] = '\n';
	line[at] = '\0';
	for (size_t i = 0; i < shim.orders.count; i++)
		if (shim.orders.list[i].kind == ORDER_MARK)
			append(shim.orders.list[i].fd, line);
}

static CK_RV
sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *signature_len, unsigned long nth)
{
	CK_RV rv = CKR_OK;

	if (signature != NULL)
		mark("sign", session, data, data_len);
	rv = shim.real->C_Sign(
	    session, data, data_len, signature, signature_len);
	if (signature == NULL || rv != CKR_OK)
		return rv;
	mark("signed", session, data, data_len);
	if (order_for(ORDER_GARBAGE, FN_C_Sign, nth) != NULL)
		signature[*signature_len / 2] ^= 0x10;
	return rv;
}

static CK_RV
shim_C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len,
    CK_BYTE *signature, CK_ULONG *signature_len)
{
	unsigned long nth = 0;
	CK_RV rv = CKR_OK;

	if (before(FN_C_Sign, &nth, &rv)) {
		CK_BYTE none = 0;

		/*
		 * A failed C_Sign ends the operation.  C_SignUpdate does so
		 * without signing, where the mechanism signs in one part
		 * only, as those of CA keys do.
		 */
		if (shim.real != NULL)
			(void)shim.real->C_SignUpdate(session, &none, 1);
		return rv;
	}
	return after(FN_C_Sign, nth,
	    sign(session, data, data_len, signature, signature_len, nth));
}

/* ---- The list ---- */

static CK_RV shim_C_GetFunctionList(CK_FUNCTION_LIST **list);

static CK_FUNCTION_LIST function_list = { .version = { 2, 40 },
#define PLAIN(name, parameters, arguments) .name = shim_##name,
#define OWN(name) .name = shim_##name,
	SHIM_FUNCTIONS(PLAIN, OWN)
#undef PLAIN
#undef OWN
};

static CK_RV
shim_C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	if (list == NULL)
		return CKR_ARGUMENTS_BAD;
	*list = &function_list;
	return CKR_OK;
}

__attribute__((visibility("default"))) CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
	return shim_C_GetFunctionList(list);
}
