/*
 * Another PKCS#11 program: makes a P-256 pair on a token, as a vendor's tool
 * would have done before ca-tool came.
 *
 *     foreign-key MODULE TOKEN-LABEL LABEL ID [ATTRIBUTE...]
 *
 * The user PIN is read from stdin; ID is hex.  The private key may sign and
 * nothing else, and never leaves the token; each ATTRIBUTE named (extractable,
 * decrypt, derive, modifiable, copyable) is true all the same.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { SLOTS_MAX = 16, ID_MAX = 32, PIN_MAX = 256, LABEL_LEN = 32 };

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

static int
fail(const char *what, CK_RV rv)
{
	(void)fprintf(stderr, "foreign-key: %s: 0x%lx\n", what, rv);
	return 1;
}

static CK_FUNCTION_LIST *
open_module(const char *path)
{
	void *module = dlopen(path, RTLD_NOW);
	union {
		void *object;
		CK_C_GetFunctionList call;
	} symbol = { .object = NULL };
	CK_FUNCTION_LIST *list = NULL;

	if (module != NULL)
		symbol.object = dlsym(module, "C_GetFunctionList");
	if (symbol.object == NULL || symbol.call(&list) != CKR_OK ||
	    list->C_Initialize(NULL) != CKR_OK)
		return NULL;
	return list;
}

/* The slot of the token with this label, which the standard pads by blanks. */
static bool
find_slot(CK_FUNCTION_LIST *p11, const char *label, CK_SLOT_ID *ret_slot)
{
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = SLOTS_MAX;
	size_t len = strlen(label);

	if (p11->C_GetSlotList(CK_TRUE, slots, &count) != CKR_OK)
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;

		if (p11->C_GetTokenInfo(slots[i], &info) != CKR_OK ||
		    len > LABEL_LEN || memcmp(info.label, label, len) != 0 ||
		    (len < LABEL_LEN && info.label[len] != ' '))
			continue;
		*ret_slot = slots[i];
		return true;
	}
	return false;
}

static CK_ULONG
unhex(const char *text, unsigned char *ret_octets)
{
	CK_ULONG len = 0;
	unsigned octet;

	while (len < ID_MAX && sscanf(text + 2 * len, "%2x", &octet) == 1)
		ret_octets[len++] = (unsigned char)octet;
	return len;
}

static CK_BBOOL *
wanted(char **names, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return &yes;
	return &no;
}

static CK_RV
generate(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, char *label,
    const char *id_text, char **names, int count)
{
	unsigned char id[ID_MAX];
	/* prime256v1, 1.2.840.10045.3.1.7 */
	unsigned char curve[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };
	CK_ULONG id_len = unhex(id_text, id), label_len = strlen(label);
	CK_MECHANISM mechanism = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE public[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_VERIFY, &yes, sizeof(yes) },
		{ CKA_EC_PARAMS, curve, sizeof(curve) },
		{ CKA_LABEL, label, label_len },
		{ CKA_ID, id, id_len },
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SENSITIVE, &yes, sizeof(yes) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_UNWRAP, &no, sizeof(no) },
		{ CKA_SIGN_RECOVER, &no, sizeof(no) },
		{ CKA_EXTRACTABLE, wanted(names, count, "extractable"), 1 },
		{ CKA_DECRYPT, wanted(names, count, "decrypt"), 1 },
		{ CKA_DERIVE, wanted(names, count, "derive"), 1 },
		{ CKA_MODIFIABLE, wanted(names, count, "modifiable"), 1 },
		{ CKA_COPYABLE, wanted(names, count, "copyable"), 1 },
		{ CKA_LABEL, label, label_len },
		{ CKA_ID, id, id_len },
	};
	CK_OBJECT_HANDLE a, b;

	return p11->C_GenerateKeyPair(session, &mechanism, public,
	    sizeof(public) / sizeof(public[0]), private,
	    sizeof(private) / sizeof(private[0]), &a, &b);
}

int
main(int argc, char **argv)
{
	CK_FUNCTION_LIST *p11;
	CK_SESSION_HANDLE session;
	CK_SLOT_ID slot;
	unsigned char pin[PIN_MAX];
	size_t pin_len;
	CK_RV rv;

	if (argc < 5) {
		(void)fprintf(stderr,
		    "usage: foreign-key MODULE TOKEN-LABEL LABEL ID "
		    "[ATTRIBUTE...]\n");
		return 2;
	}
	pin_len = fread(pin, 1, sizeof(pin), stdin);
	pin_len -= pin_len > 0 && pin[pin_len - 1] == '\n';
	p11 = open_module(argv[1]);
	if (p11 == NULL || !find_slot(p11, argv[2], &slot))
		return fail("no such module or token", 0);
	rv = p11->C_OpenSession(
	    slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session);
	if (rv == CKR_OK)
		rv = p11->C_Login(session, CKU_USER, pin, pin_len);
	if (rv != CKR_OK)
		return fail("login", rv);
	rv = generate(p11, session, argv[3], argv[4], argv + 5, argc - 5);
	if (rv != CKR_OK)
		return fail("generation", rv);
	(void)p11->C_Finalize(NULL);
	return 0;
}
