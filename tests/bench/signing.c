/*
 * The most that a token gives, to compare a batch with: C_Sign and one
 * verification, again and again, on as many threads, each with a session of its
 * own.  And requests to make a batch of.
 *
 *     signing rate MODULE TOKEN-LABEL KEY-LABEL PUBLIC-KEY.pem THREADS COUNT
 *     signing requests DIRECTORY FIRST COUNT
 *
 * `rate` reads the PIN from standard input, prints signatures a second, and
 * exits 0 if every signature verified; SOFTHSM2_CONF is the caller's.
 * `requests` makes COUNT requests for fresh P-256 keys, from number FIRST on.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { SLOTS = 16, RAW_MAX = 512, HASH = 32, THREADS_MAX = 64 };

/* SHA-256's DigestInfo, RFC 8017, section 9.2, note 1. */
static const unsigned char digest_info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
	0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
	0x20 };

struct token {
	CK_FUNCTION_LIST *p11;
	CK_SLOT_ID slot;
	CK_OBJECT_HANDLE key;
	EVP_PKEY *public;
};

struct worker {
	const struct token *token;
	pthread_t thread;
	unsigned long count;
};

static void
must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "signing: %s failed\n", what);
	exit(1);
}

/* ---- the token -------------------------------------------------------- */

static CK_FUNCTION_LIST *
open_module(const char *path)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *p11 = NULL;
	void *library = dlopen(path, RTLD_NOW), *symbol = NULL;

	must(library != NULL, "dlopen");
	symbol = dlsym(library, "C_GetFunctionList");
	must(symbol != NULL, "dlsym");
	memcpy(&get, &symbol, sizeof(get));
	must(get(&p11) == CKR_OK, "C_GetFunctionList");
	must(p11->C_Initialize(&args) == CKR_OK, "C_Initialize");
	return p11;
}

static CK_SLOT_ID
find_slot(CK_FUNCTION_LIST *p11, const char *label)
{
	CK_SLOT_ID slots[SLOTS];
	CK_ULONG count = SLOTS;
	CK_TOKEN_INFO info;
	size_t len = strlen(label);

	must(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK,
	    "C_GetSlotList");
	for (CK_ULONG i = 0; i < count; i++)
		if (p11->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    len <= sizeof(info.label) &&
		    memcmp(info.label, label, len) == 0)
			return slots[i];
	must(0, "finding the token");
	return 0;
}

static CK_SESSION_HANDLE
open_session(const struct token *token)
{
	CK_SESSION_HANDLE session = 0;

	must(token->p11->C_OpenSession(token->slot,
		 CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
		 &session) == CKR_OK,
	    "C_OpenSession");
	return session;
}

static void
log_in(const struct token *token, CK_SESSION_HANDLE session)
{
	char pin[256];

	must(fgets(pin, sizeof(pin), stdin) != NULL, "reading the PIN");
	pin[strcspn(pin, "\n")] = '\0';
	must(token->p11->C_Login(
		 session, CKU_USER, (CK_UTF8CHAR *)pin, strlen(pin)) == CKR_OK,
	    "C_Login");
}

static CK_OBJECT_HANDLE
find_key(const struct token *token, CK_SESSION_HANDLE session, char *label)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE wanted[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ CKA_LABEL, label, strlen(label) },
	};
	CK_OBJECT_HANDLE object = 0;
	CK_ULONG count = 0;

	must(token->p11->C_FindObjectsInit(session, wanted, 2) == CKR_OK &&
		token->p11->C_FindObjects(session, &object, 1, &count) ==
		    CKR_OK &&
		token->p11->C_FindObjectsFinal(session) == CKR_OK && count == 1,
	    "finding the key");
	return object;
}

/* ---- signing ---------------------------------------------------------- */

static size_t
ecdsa_der(const unsigned char *raw, CK_ULONG len, unsigned char **ret_der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	const int half = (int)len / 2;
	int n;

	must(sig != NULL &&
		ECDSA_SIG_set0(sig, BN_bin2bn(raw, half, NULL),
		    BN_bin2bn(raw + half, half, NULL)) == 1,
	    "reading the signature");
	n = i2d_ECDSA_SIG(sig, ret_der);
	ECDSA_SIG_free(sig);
	must(n > 0, "encoding the signature");
	return (size_t)n;
}

static void
verify(const struct token *token, const unsigned char *digest,
    const unsigned char *raw, CK_ULONG len)
{
	const int is_rsa = EVP_PKEY_is_a(token->public, "RSA");
	EVP_PKEY_CTX *ctx =
	    EVP_PKEY_CTX_new_from_pkey(NULL, token->public, NULL);
	unsigned char *der = NULL;
	size_t der_len = is_rsa ? 0 : ecdsa_der(raw, len, &der);

	must(ctx != NULL && EVP_PKEY_verify_init(ctx) == 1, "a verification");
	if (is_rsa)
		must(
		    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
			EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1,
		    "a verification");
	must(EVP_PKEY_verify(ctx, is_rsa ? raw : der, is_rsa ? len : der_len,
		 digest, HASH) == 1,
	    "the verification");
	OPENSSL_free(der);
	EVP_PKEY_CTX_free(ctx);
}

static void
sign_one(
    const struct token *token, CK_SESSION_HANDLE session, unsigned long number)
{
	const int is_rsa = EVP_PKEY_is_a(token->public, "RSA");
	CK_MECHANISM mechanism = { is_rsa ? CKM_RSA_PKCS : CKM_ECDSA, NULL, 0 };
	unsigned char data[sizeof(digest_info) + HASH], raw[RAW_MAX];
	unsigned char *digest = data + sizeof(digest_info);
	CK_ULONG len = sizeof(raw);

	memcpy(data, digest_info, sizeof(digest_info));
	memset(digest, 1, HASH);
	memcpy(digest, &number, sizeof(number));
	must(
	    token->p11->C_SignInit(session, &mechanism, token->key) == CKR_OK &&
		token->p11->C_Sign(session, is_rsa ? data : digest,
		    is_rsa ? sizeof(data) : HASH, raw, &len) == CKR_OK,
	    "C_Sign");
	verify(token, digest, raw, len);
}

static void *
work(void *arg)
{
	struct worker *worker = arg;
	CK_SESSION_HANDLE session = open_session(worker->token);

	for (unsigned long i = 0; i < worker->count; i++)
		sign_one(worker->token, session, i);
	return NULL;
}

static double
seconds(void)
{
	struct timespec now;

	must(clock_gettime(CLOCK_MONOTONIC, &now) == 0, "the clock");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static EVP_PKEY *
read_public(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key;

	must(file != NULL, "opening the public key");
	key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	must(key != NULL && fclose(file) == 0, "reading the public key");
	return key;
}

static int
rate(char **argv)
{
	struct token token = { .p11 = open_module(argv[0]) };
	struct worker workers[THREADS_MAX];
	const unsigned long threads = strtoul(argv[4], NULL, 10);
	const unsigned long count = strtoul(argv[5], NULL, 10);
	CK_SESSION_HANDLE session;
	double begun;

	must(threads > 0 && threads <= THREADS_MAX, "THREADS");
	token.slot = find_slot(token.p11, argv[1]);
	session = open_session(&token);
	log_in(&token, session);
	token.key = find_key(&token, session, argv[2]);
	token.public = read_public(argv[3]);
	begun = seconds();
	for (unsigned long i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .token = &token,
			.count = count / threads };
		must(pthread_create(
			 &workers[i].thread, NULL, work, &workers[i]) == 0,
		    "a thread");
	}
	for (unsigned long i = 0; i < threads; i++)
		must(pthread_join(workers[i].thread, NULL) == 0, "a thread");
	printf("%.1f\n",
	    (double)(count / threads * threads) / (seconds() - begun));
	EVP_PKEY_free(token.public);
	must(token.p11->C_Finalize(NULL) == CKR_OK, "C_Finalize");
	return 0;
}

/* ---- requests --------------------------------------------------------- */

static void
make_request(const char *directory, unsigned long number)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *request = X509_REQ_new();
	char name[64], path[512];
	FILE *file;

	(void)snprintf(name, sizeof(name), "device %08lu", number);
	(void)snprintf(path, sizeof(path), "%s/d%08lu.csr", directory, number);
	must(key != NULL && request != NULL &&
		X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request),
		    "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
		    0) == 1 &&
		X509_REQ_set_pubkey(request, key) == 1 &&
		X509_REQ_sign(request, key, EVP_sha256()) > 0,
	    "a request");
	file = fopen(path, "w");
	must(file != NULL && PEM_write_X509_REQ(file, request) == 1 &&
		fclose(file) == 0,
	    "writing a request");
	X509_REQ_free(request);
	EVP_PKEY_free(key);
}

int
main(int argc, char **argv)
{
	if (argc == 8 && strcmp(argv[1], "rate") == 0)
		return rate(argv + 2);
	must(argc == 5 && strcmp(argv[1], "requests") == 0,
	    "signing rate|requests ...: reading the arguments");
	for (unsigned long i = 0; i < strtoul(argv[4], NULL, 10); i++)
		make_request(argv[2], strtoul(argv[3], NULL, 10) + i);
	return 0;
}
