/*
 * The least that a signature costs, to compare an issuance with: open the
 * module, log in, one C_Sign, one verification, close.
 *
 *     floor MODULE TOKEN-LABEL KEY-LABEL      the PIN comes on standard input
 *
 * SOFTHSM2_CONF is the caller's.  Exits 0 if the signature verified.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { DIGEST_LEN = 48, HALF = 48, SLOTS = 16, POINT_LEN = 1 + 2 * HALF };

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "floor: %s failed\n", what);
	exit(1);
}

static CK_FUNCTION_LIST *
open_module(const char *path)
{
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *p11 = NULL;
	void *library = dlopen(path, RTLD_NOW), *symbol = NULL;

	must(library != NULL, "dlopen");
	symbol = dlsym(library, "C_GetFunctionList");
	must(symbol != NULL, "dlsym");
	memcpy(&get, &symbol, sizeof(get));
	must(get(&p11) == CKR_OK, "C_GetFunctionList");
	must(p11->C_Initialize(NULL) == CKR_OK, "C_Initialize");
	return p11;
}

static CK_SESSION_HANDLE
log_in(CK_FUNCTION_LIST *p11, const char *label)
{
	CK_SLOT_ID slots[SLOTS];
	CK_ULONG count = SLOTS;
	CK_SESSION_HANDLE session = 0;
	char pin[256];

	must(fgets(pin, sizeof(pin), stdin) != NULL, "reading the PIN");
	pin[strcspn(pin, "\n")] = '\0';
	must(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK,
	    "C_GetSlotList");
	for (CK_ULONG i = 0; i < count; i++) {
		CK_TOKEN_INFO info;
		size_t len = strlen(label);

		must(p11->C_GetTokenInfo(slots[i], &info) == CKR_OK,
		    "C_GetTokenInfo");
		if (len > sizeof(info.label) ||
		    memcmp(info.label, label, len) != 0)
			continue;
		must(p11->C_OpenSession(slots[i],
			 CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			 &session) == CKR_OK,
		    "C_OpenSession");
		must(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR *)pin,
			 strlen(pin)) == CKR_OK,
		    "C_Login");
		return session;
	}
	must(0, "finding the token");
	return 0;
}

static CK_OBJECT_HANDLE
find(CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class,
    char *label)
{
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_LABEL, label, strlen(label) },
	};
	CK_OBJECT_HANDLE object = 0;
	CK_ULONG count = 0;

	must(p11->C_FindObjectsInit(session, wanted, 2) == CKR_OK &&
		p11->C_FindObjects(session, &object, 1, &count) == CKR_OK &&
		p11->C_FindObjectsFinal(session) == CKR_OK && count == 1,
	    "finding the key");
	return object;
}

/* CKA_EC_POINT is the point inside of an OCTET STRING. */
static EVP_PKEY *
public_key(
    CK_FUNCTION_LIST *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
	unsigned char point[POINT_LEN + 8];
	char group[] = "P-384";
	CK_ATTRIBUTE get = { CKA_EC_POINT, point, sizeof(point) };
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	must(p11->C_GetAttributeValue(session, object, &get, 1) == CKR_OK &&
		get.ulValueLen == POINT_LEN + 2,
	    "reading the public key");
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(
		    OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(
		    OSSL_PKEY_PARAM_PUB_KEY, point + 2, POINT_LEN),
		OSSL_PARAM_construct_end(),
	};
	must(ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1,
	    "making the public key");
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void
verify(EVP_PKEY *key, const unsigned char *digest, const unsigned char *raw)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned char *der = NULL;
	int len;

	must(sig != NULL && ctx != NULL &&
		ECDSA_SIG_set0(sig, BN_bin2bn(raw, HALF, NULL),
		    BN_bin2bn(raw + HALF, HALF, NULL)) == 1,
	    "reading the signature");
	len = i2d_ECDSA_SIG(sig, &der);
	must(len > 0 && EVP_PKEY_verify_init(ctx) == 1 &&
		EVP_PKEY_verify(ctx, der, (size_t)len, digest, DIGEST_LEN) == 1,
	    "the verification");
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	EVP_PKEY_CTX_free(ctx);
}

int
main(int argc, char **argv)
{
	unsigned char digest[DIGEST_LEN] = { 1, 2, 3 }, raw[2 * HALF];
	CK_MECHANISM mechanism = { CKM_ECDSA, NULL, 0 };
	CK_ULONG len = sizeof(raw);

	must(argc == 4, "floor MODULE TOKEN-LABEL KEY-LABEL:");
	CK_FUNCTION_LIST *p11 = open_module(argv[1]);
	CK_SESSION_HANDLE session = log_in(p11, argv[2]);
	CK_OBJECT_HANDLE private = find(p11, session, CKO_PRIVATE_KEY, argv[3]);
	EVP_PKEY *key = public_key(
	    p11, session, find(p11, session, CKO_PUBLIC_KEY, argv[3]));

	must(p11->C_SignInit(session, &mechanism, private) == CKR_OK &&
		p11->C_Sign(session, digest, sizeof(digest), raw, &len) ==
		    CKR_OK &&
		len == sizeof(raw),
	    "C_Sign");
	verify(key, digest, raw);
	EVP_PKEY_free(key);
	must(p11->C_Finalize(NULL) == CKR_OK, "C_Finalize");
	return 0;
}
