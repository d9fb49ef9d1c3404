/*
 * What a CRL costs that is built from the journal's sorted index, as ratios
 * measured in one run:
 *
 *   crl ENTRIES...     in an empty working directory
 *
 * ours     from the index to DER in an unlinked file with its digests, one
 *          C_Sign, the signed CRL written, read back and verified, fsync
 * next     the same beside the CRL before it, of which nothing may be lost
 * floor    read the index, SHA-256 of as many octets, one C_Sign, write, fsync
 * openssl  `openssl ca -gencrl` with the same entries in an index.txt: with the
 *          same token where OpenSSL has an engine for it, else with a key file
 *
 * Each in a process of its own, whose peak memory is told; the median of five
 * of ours and the floor, taken in turn.  The token is SoftHSM, P-256.
 *
 * Exits 1 where a ratio is beyond what `limits` has for that size, or an entry
 * costs more in a larger CRL than in a smaller one.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <inttypes.h>
#include <p11-kit/pkcs11.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/journal/journal.h"
#include "ceremony/steps/crl-private.h"
#include "profiles/der/der.h"
#include "profiles/tbs.h"
#include "tests/unit/ceremony/journal-support.h"

#ifndef SOFTHSM
#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"
#endif

enum { OURS, NEXT, FLOOR, RUNS };

enum { REPEAT = 5, HALF = 32, SERIAL_OCTETS = 20, DAY = 86400 };

#define PIN "12345678"
#define LABEL "bench"

static const int64_t now = 1800000000;

static void
say(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	(void)depth;
	fprintf(stderr, "%s (%s)\n", text, origin);
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "crl: %s failed\n", what);
	ca_error_drain(say, NULL);
	ERR_print_errors_fp(stderr);
	exit(1);
}

static double
seconds(void)
{
	struct timespec at;

	must(clock_gettime(CLOCK_MONOTONIC, &at) == 0, "clock_gettime");
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* ---- the token ---------------------------------------------------------- */

struct token {
	CK_FUNCTION_LIST *p11;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
};

static CK_FUNCTION_LIST *
open_module(void)
{
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *p11 = NULL;
	void *library = dlopen(SOFTHSM, RTLD_NOW), *symbol = NULL;

	must(library != NULL, "opening " SOFTHSM);
	symbol = dlsym(library, "C_GetFunctionList");
	must(symbol != NULL, "dlsym");
	memcpy(&get, &symbol, sizeof(get));
	must(get(&p11) == CKR_OK && p11->C_Initialize(NULL) == CKR_OK,
	    "C_Initialize");
	return p11;
}

static CK_SESSION_HANDLE
open_session(CK_FUNCTION_LIST *p11)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8;
	CK_SESSION_HANDLE session = 0;

	must(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK && count > 0,
	    "C_GetSlotList");
	must(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION,
		 NULL, NULL, &session) == CKR_OK,
	    "C_OpenSession");
	return session;
}

static void
log_in(struct token *token)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE find = { CKA_CLASS, &class, sizeof(class) };
	CK_ULONG count = 0;

	token->p11 = open_module();
	token->session = open_session(token->p11);
	must(token->p11->C_Login(token->session, CKU_USER,
		 (CK_UTF8CHAR *)(uintptr_t)PIN, strlen(PIN)) == CKR_OK,
	    "C_Login");
	must(
	    token->p11->C_FindObjectsInit(token->session, &find, 1) == CKR_OK &&
		token->p11->C_FindObjects(
		    token->session, &token->key, 1, &count) == CKR_OK &&
		count == 1 &&
		token->p11->C_FindObjectsFinal(token->session) == CKR_OK,
	    "finding the key");
}

/* One C_Sign; the ECDSA-Sig-Value. */
static unsigned char *
sign(struct token *token, const unsigned char digest[32], size_t *ret_len)
{
	CK_MECHANISM mechanism = { CKM_ECDSA, NULL, 0 };
	unsigned char raw[2 * HALF], *der = NULL, *copy;
	CK_ULONG len = sizeof(raw);
	AUTO(ECDSA_SIG) *sig = ECDSA_SIG_new();
	int der_len;

	must(token->p11->C_SignInit(token->session, &mechanism, token->key) ==
		    CKR_OK &&
		token->p11->C_Sign(token->session, (CK_BYTE *)(uintptr_t)digest,
		    32, raw, &len) == CKR_OK,
	    "C_Sign");
	must(sig != NULL &&
		ECDSA_SIG_set0(sig, BN_bin2bn(raw, HALF, NULL),
		    BN_bin2bn(raw + HALF, HALF, NULL)) == 1,
	    "a signature");
	der_len = i2d_ECDSA_SIG(sig, &der);
	must(der_len > 0, "a signature");
	copy = malloc((size_t)der_len);
	must(copy != NULL, "malloc");
	memcpy(copy, der, (size_t)der_len);
	OPENSSL_free(der);
	*ret_len = (size_t)der_len;
	return copy;
}

static void
init_token(CK_FUNCTION_LIST *p11)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = 8;
	CK_UTF8CHAR label[32];
	CK_SESSION_HANDLE session;
	CK_UTF8CHAR *pin = (CK_UTF8CHAR *)(uintptr_t)PIN;

	memset(label, ' ', sizeof(label));
	memcpy(label, LABEL, strlen(LABEL));
	must(p11->C_GetSlotList(CK_TRUE, slots, &count) == CKR_OK &&
		p11->C_InitToken(slots[0], pin, strlen(PIN), label) == CKR_OK,
	    "C_InitToken");
	session = open_session(p11);
	must(p11->C_Login(session, CKU_SO, pin, strlen(PIN)) == CKR_OK &&
		p11->C_InitPIN(session, pin, strlen(PIN)) == CKR_OK &&
		p11->C_Logout(session) == CKR_OK &&
		p11->C_CloseSession(session) == CKR_OK,
	    "C_InitPIN");
}

/* A P-256 key; its SubjectPublicKeyInfo. */
static EVP_PKEY *
make_token_key(void)
{
	static const unsigned char spki[] = { 0x30, 0x59, 0x30, 0x13, 0x06,
		0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
		0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42,
		0x00 };
	static unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07 };
	CK_MECHANISM mechanism = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_BBOOL yes = CK_TRUE;
	CK_BYTE id = 1;
	CK_ATTRIBUTE public[] = {
		{ CKA_EC_PARAMS, p256, sizeof(p256) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_ID, &id, 1 },
		{ CKA_LABEL, (void *)(uintptr_t)LABEL, strlen(LABEL) },
	};
	CK_ATTRIBUTE private[] = {
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_ID, &id, 1 },
		{ CKA_LABEL, (void *)(uintptr_t)LABEL, strlen(LABEL) },
	};
	unsigned char point[2 + 1 + 2 * HALF], der[sizeof(spki) + 1 + 2 * HALF];
	const unsigned char *p = der;
	CK_ATTRIBUTE read = { CKA_EC_POINT, point, sizeof(point) };
	struct token token = { .p11 = open_module() };
	CK_OBJECT_HANDLE handle;
	EVP_PKEY *key;

	init_token(token.p11);
	token.session = open_session(token.p11);
	must(token.p11->C_Login(token.session, CKU_USER,
		 (CK_UTF8CHAR *)(uintptr_t)PIN, strlen(PIN)) == CKR_OK &&
		token.p11->C_GenerateKeyPair(token.session, &mechanism, public,
		    4, private, 5, &handle, &token.key) == CKR_OK &&
		token.p11->C_GetAttributeValue(
		    token.session, handle, &read, 1) == CKR_OK,
	    "C_GenerateKeyPair");
	memcpy(der, spki, sizeof(spki));
	memcpy(der + sizeof(spki), point + 2, 1 + 2 * HALF);
	key = d2i_PUBKEY(NULL, &p, sizeof(der));
	must(key != NULL, "reading the key");
	(void)token.p11->C_Finalize(NULL);
	return key;
}

/* ---- the authority ------------------------------------------------------ */

static void
add_extension(X509 *ca, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, ca, ca, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(ca, extension, -1) == 1,
	    "an extension");
	X509_EXTENSION_free(extension);
}

/* Signed by whatever key: nobody looks. */
static void
write_ca(const char *name, EVP_PKEY *key)
{
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO(X509) *ca = X509_new();
	X509_NAME *subject = X509_get_subject_name(ca);
	FILE *file = fopen(name, "w");

	must(X509_set_version(ca, X509_VERSION_3) == 1 &&
		ASN1_INTEGER_set(X509_get_serialNumber(ca), 9) == 1 &&
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		    (const unsigned char *)"Bench CA", -1, -1, 0) == 1 &&
		X509_set_issuer_name(ca, subject) == 1 &&
		ASN1_TIME_set(X509_getm_notBefore(ca), now - DAY) != NULL &&
		ASN1_TIME_set(X509_getm_notAfter(ca), now + 9000LL * DAY) !=
		    NULL &&
		X509_set_pubkey(ca, key) == 1,
	    "a certificate");
	add_extension(ca, NID_basic_constraints, "critical,CA:TRUE");
	add_extension(ca, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(ca, NID_subject_key_identifier, "hash");
	must(X509_sign(ca, other, EVP_sha256()) > 0 && file != NULL &&
		PEM_write_X509(file, ca) == 1 && fclose(file) == 0,
	    name);
}

static X509 *
read_ca(const char *name)
{
	FILE *file = fopen(name, "r");
	X509 *ca = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);

	must(ca != NULL, name);
	(void)fclose(file);
	return ca;
}

/* Serial number i of n, ascending: 20 octets that look random. */
static void
serial_of(uint64_t i, unsigned char ret_serial[SERIAL_OCTETS])
{
	uint64_t mixed = i * 0x9e3779b97f4a7c15u;

	for (unsigned b = 0; b < 8; b++) {
		ret_serial[7 - b] = (unsigned char)(i >> (8 * b));
		ret_serial[15 - b] = (unsigned char)(mixed >> (8 * b));
	}
	memcpy(ret_serial + 16, ret_serial + 8, 4);
	ret_serial[0] = 0x40;
}

static int64_t
date_of(uint64_t i)
{
	return now - 1 - (int64_t)(i * 7919 % (300LL * DAY));
}

static void
begin_run(struct journal *journal)
{
	put_entry(journal, ENTRY_GENESIS,
	    json_pack("{s:s, s:i, s:{s:s}, s:s}", "authority", "bench",
		"format", 1, "token", "label", "x", "tool", "0"));
	put_set(journal, SOME_SET, "a set");
	put_run(journal, RUN_1, "bench", SOME_SET, NULL);
}

/* The list of ENTRY_REVOCATIONS, and openssl's index.txt. */
static void
write_lists(uint64_t count, FILE *list, FILE *index)
{
	must(fputs("ca-tool-revocations-1\n", list) >= 0, "writing");
	for (uint64_t i = 0; i < count; i++) {
		unsigned char serial[SERIAL_OCTETS];
		char hex[2 * SERIAL_OCTETS + 1], date[DATE_TEXT_SIZE];

		serial_of(i, serial);
		text_hex_into(serial, sizeof(serial), hex);
		date_format(date_of(i), date);
		must(fprintf(list, "%s %s %s - -\n", hex, date,
			 i % 2 == 0 ? "unspecified" : "superseded") > 0,
		    "writing");
		must(
		    fprintf(index,
			"R\t350101000000Z\t%.2s%.2s%.2s%.2s%.2s%.2sZ%s\t%s\t"
			"unknown\t/CN=%" PRIu64 "\n",
			date + 2, date + 5, date + 8, date + 11, date + 14,
			date + 17, i % 2 == 0 ? "" : ",superseded", hex, i) > 0,
		    "writing");
	}
	must(fclose(list) == 0 && fclose(index) == 0, "writing");
}

static void
make_journal(uint64_t count, const char *dn)
{
	struct journal *journal = NULL;
	unsigned char digest[HASH_LEN];
	char hex[2 * HASH_LEN + 1];
	struct stat st;
	AUTO_FD(fd) = -1;

	write_lists(count, fopen("list", "w"), fopen("index.txt", "w"));
	fd = open("list", O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0 &&
		journal_create(".", &journal) == 0,
	    "journal_create");
	begin_run(journal);
	must(journal_evidence_put_file(
		 journal, fd, 0, (uint64_t)st.st_size, digest) == 0,
	    "journal_evidence_put_file");
	text_hex_into(digest, sizeof(digest), hex);
	put_entry(journal, ENTRY_REVOCATIONS,
	    json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "run", RUN_1,
		"issuer", "ca", "issuer_dn", dn, "count", (json_int_t)count,
		"list", hex, "source", "csv", "cause", "a benchmark"));
	journal_free(journal);
}

static char *
dn_of(const X509 *ca)
{
	const unsigned char *der;
	size_t len;

	must(X509_NAME_get0_der(X509_get_subject_name(ca), &der, &len) == 1,
	    "a name");
	return sha256_hex(der, len);
}

static void
make_world(uint64_t count)
{
	AUTO(EVP_PKEY) *token_key = make_token_key();
	AUTO(EVP_PKEY) *file_key = EVP_EC_gen("P-256");
	FILE *file = fopen("ca.key", "w");
	AUTO(X509) *ca = NULL;
	AUTO_CHARS(dn) = NULL;

	must(file != NULL && file_key != NULL &&
		PEM_write_PrivateKey(
		    file, file_key, NULL, NULL, 0, NULL, NULL) == 1 &&
		fclose(file) == 0,
	    "ca.key");
	write_ca("token.pem", token_key);
	write_ca("file.pem", file_key);
	ca = read_ca("token.pem");
	dn = dn_of(ca);
	make_journal(count, dn);
}

/* ---- ours --------------------------------------------------------------- */

static struct profile *
read_profile(void)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_BYTES(data) = NULL;
	struct profile *profile = NULL;
	size_t len = 0;

	must(file_read_at(AT_FDCWD, PROFILE_DATA "/ca-crl.yaml", 1 << 16, &data,
		 &len) == 0 &&
		profile_load("ca-crl.yaml", data, len, &findings, &profile) ==
		    0,
	    "the profile");
	return profile;
}

/* What the crl step holds when it writes. */
struct ours {
	struct build build;
	struct findings findings;
	struct step step;
	struct crl_making m;
	struct crl_request request;
	struct token token;
	unsigned char *spki;
	size_t spki_len;
};

static void
ours_open(struct ours *o)
{
	AUTO_DER(spki) = NULL;
	X509 *ca = read_ca("token.pem");
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(ca), &spki);

	must(len > 0, "the key");
	*o = (struct ours){ .spki_len = (size_t)len };
	o->spki = bytes_copy(spki, o->spki_len);
	o->build.scratch_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	o->build.findings = &o->findings;
	o->build.now = now;
	must(journal_open(".", JOURNAL_READ, &o->build.journal) == 0,
	    "journal_open");
	o->m.build = &o->build;
	o->m.step = &o->step;
	o->m.profile = read_profile();
	o->m.issuer.dn = dn_of(ca);
	o->m.issuer.certificate = ca;
	o->request = (struct crl_request){ .profile = o->m.profile,
		.issuer = ca,
		.number = 1,
		.now = now,
		.place = "" };
	log_in(&o->token);
}

/* To the signed CRL in a file, read back and verified; its length. */
static uint64_t
write_ours(struct ours *o, const char *name)
{
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_STRUCT(crl_change) change = { 0 };
	AUTO_BYTES(sig) = NULL;
	AUTO_FD(fd) = -1;
	unsigned char digest[DIGEST_MAX];
	uint64_t entries = 0, len = 0;
	size_t sig_len = 0;
	bool made = false;

	must(crl_write(&o->m, &o->request, &o->findings, &tbs, &change,
		 &entries, &made) == 0 &&
		made,
	    "crl_write");
	must(tbs_digest(&tbs, digest) == 0, "tbs_digest");
	sig = sign(&o->token, digest, &sig_len);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 &&
		object_assemble_file(&tbs, sig, sig_len, fd, &len) == 0 &&
		object_verify_file(&tbs, o->spki, o->spki_len, fd, 0, len) ==
		    0 &&
		fsync(fd) == 0,
	    "writing the CRL");
	return len;
}

static double
run_ours(uint64_t count)
{
	struct ours o;
	double from;

	(void)count;
	ours_open(&o);
	from = seconds();
	(void)write_ours(&o, "ours.crl");
	return seconds() - from;
}

/* The CRL before it: read from the journal as evidence is. */
static void
set_previous(struct ours *o)
{
	struct crl_previous *p = &o->m.previous;
	AUTO_BYTES(piece) = malloc(1 << 16);
	FILE *file = fopen("ours.crl", "r");
	size_t n;

	must(file != NULL && piece != NULL &&
		spill_open(o->build.scratch_fd, &p->octets) == 0,
	    "ours.crl");
	while ((n = fread(piece, 1, 1 << 16, file)) > 0)
		must(spill_add(&p->octets, piece, n) == 0, "spill_add");
	(void)fclose(file);
	must(spill_flush(&p->octets) == 0, "spill_flush");
	p->source = spill_source(&p->octets);
	must(crl_head_read("ours.crl", &p->source, &p->head) == 0,
	    "crl_head_read");
	p->found = true;
	o->request.number = 2;
}

static double
run_next(uint64_t count)
{
	struct ours o;
	double from;

	(void)count;
	ours_open(&o);
	from = seconds();
	set_previous(&o);
	(void)write_ours(&o, "next.crl");
	return seconds() - from;
}

/* ---- the floor ---------------------------------------------------------- */

/* Every column of every row, in the order of the CRL. */
static uint64_t
read_index(void)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	uint64_t sum = 0;
	int rc;

	must(sqlite3_open_v2("journal.db", &db, SQLITE_OPEN_READONLY, NULL) ==
		    SQLITE_OK &&
		sqlite3_prepare_v2(db,
		    "SELECT serial, date, reason, invalidity FROM revocations"
		    " WHERE issuer = (SELECT issuer FROM revocations LIMIT 1)"
		    " ORDER BY octets, serial",
		    -1, &stmt, NULL) == SQLITE_OK,
	    "opening the index");
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const unsigned char *serial = sqlite3_column_blob(stmt, 0);
		int len = sqlite3_column_bytes(stmt, 0);

		sum += serial[len - 1] +
		    (uint64_t)sqlite3_column_int64(stmt, 1) +
		    (uint64_t)sqlite3_column_int(stmt, 2) +
		    (uint64_t)sqlite3_column_int64(stmt, 3);
	}
	must(rc == SQLITE_DONE, "reading the index");
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return sum;
}

static double
run_floor(uint64_t count)
{
	enum { PIECE = 1 << 18 };
	unsigned char *octets = malloc(PIECE), digest[32];
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO_BYTES(sig) = NULL;
	struct token token = { 0 };
	size_t sig_len = 0;
	struct stat st;
	double from;
	AUTO_FD(fd) = -1;

	(void)count;
	must(octets != NULL && stat("ours.crl", &st) == 0, "ours.crl");
	memset(octets, 0x5a, PIECE);
	log_in(&token);
	from = seconds();
	must(read_index() != 0, "reading");
	fd = open("floor.crl", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	must(fd >= 0 && EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) == 1,
	    "SHA-256");
	for (off_t at = 0; at < st.st_size; at += PIECE) {
		size_t n =
		    st.st_size - at < PIECE ? (size_t)(st.st_size - at) : PIECE;

		must(EVP_DigestUpdate(ctx, octets, n) == 1 &&
			write(fd, octets, n) == (ssize_t)n,
		    "writing");
	}
	must(EVP_DigestFinal_ex(ctx, digest, NULL) == 1, "SHA-256");
	sig = sign(&token, digest, &sig_len);
	must(write(fd, sig, sig_len) == (ssize_t)sig_len && fsync(fd) == 0,
	    "fsync");
	free(octets);
	return seconds() - from;
}

/* ---- openssl ------------------------------------------------------------ */

static bool
has_engine(void)
{
	return system("openssl engine -t pkcs11 2>/dev/null |"
		      " grep -q '\\[ available \\]'") == 0;
}

static void
write_config(bool engine)
{
	FILE *file = fopen("openssl.cnf", "w");

	must(file != NULL &&
		fprintf(file,
		    "[ca]\ndefault_ca = d\n[d]\ndatabase = index.txt\n"
		    "crlnumber = number\ncertificate = %s\n"
		    "default_md = sha256\ncrl_extensions = e\n[e]\n"
		    "authorityKeyIdentifier = keyid\n",
		    engine ? "token.pem" : "file.pem") > 0 &&
		fclose(file) == 0,
	    "openssl.cnf");
	file = fopen("number", "w");
	must(file != NULL && fputs("01\n", file) >= 0 && fclose(file) == 0,
	    "number");
}

static double
run_openssl(uint64_t count)
{
	const bool engine = has_engine();
	const char *key = engine ? "-engine pkcs11 -keyform engine"
				   " -keyfile 'pkcs11:token=" LABEL
				   ";object=" LABEL
				   ";type=private;pin-value=" PIN "'"
				 : "-keyfile ca.key";
	char command[512];
	double from;

	(void)count;
	write_config(engine);
	(void)setenv("PKCS11_MODULE_PATH", SOFTHSM, 1);
	(void)snprintf(command, sizeof(command),
	    "exec openssl ca -config openssl.cnf -gencrl -crldays 30"
	    " -out openssl.crl %s 2>openssl.log",
	    key);
	from = seconds();
	must(system(command) == 0, "openssl ca -gencrl (openssl.log)");
	return seconds() - from;
}

/* ---- all of them -------------------------------------------------------- */

struct result {
	double seconds;
	long kilobytes;
};

/* In a process of its own; its children's memory where it has some. */
static struct result
measure(double (*run)(uint64_t count), uint64_t count, bool children)
{
	struct result result = { 0 };
	struct rusage usage;
	int pipes[2], status = 0;
	pid_t pid;

	must(pipe(pipes) == 0, "pipe");
	(void)fflush(NULL);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		double took = run(count);

		must(getrusage(
			 children ? RUSAGE_CHILDREN : RUSAGE_SELF, &usage) == 0,
		    "getrusage");
		result = (struct result){ took, usage.ru_maxrss };
		must(write(pipes[1], &result, sizeof(result)) == sizeof(result),
		    "write");
		_exit(0);
	}
	(void)close(pipes[1]);
	must(waitpid(pid, &status, 0) == pid && status == 0, "a measurement");
	must(read(pipes[0], &result, sizeof(result)) == sizeof(result), "read");
	(void)close(pipes[0]);
	return result;
}

static double
make_all(uint64_t count)
{
	double from = seconds();

	make_world(count);
	return seconds() - from;
}

static int
by_time(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

/* In turn, so that what else the machine does is in all of them. */
static void
medians(uint64_t count, struct result ret_medians[RUNS])
{
	static double (*const runs[RUNS])(
	    uint64_t count) = { run_ours, run_next, run_floor };
	struct result results[RUNS][REPEAT];

	for (size_t i = 0; i < REPEAT; i++)
		for (size_t k = 0; k < RUNS; k++)
			results[k][i] = measure(runs[k], count, false);
	for (size_t k = 0; k < RUNS; k++) {
		qsort(results[k], REPEAT, sizeof(results[k][0]), by_time);
		ret_medians[k] = results[k][REPEAT / 2];
	}
}

/* The CRLs hold what they must, by OpenSSL's word. */
static void
check_signed(const char *name, uint64_t count)
{
	char command[256];

	(void)snprintf(command, sizeof(command),
	    "openssl crl -inform DER -in %s -noout -verify -CAfile token.pem"
	    " 2>&1 | grep -q 'verify OK'",
	    name);
	must(count > 100000 || system(command) == 0, name);
}

static void
show(const char *name, struct result result, struct result ours, uint64_t count)
{
	printf("  %-8s %8.3f s  %6.1f MiB  %5.2f us an entry  ours is %.2f "
	       "of it\n",
	    name, result.seconds, (double)result.kilobytes / 1024,
	    result.seconds * 1e6 / (double)count,
	    ours.seconds / result.seconds);
}

/*
 * What a large CA is promised; and what also a small CRL, where starting takes
 * as long as the work, keeps on a machine that does other things as well.
 */
static const struct limits {
	uint64_t from;  /* entries */
	double openssl; /* at least so many times as long as ours */
	double floor;   /* ours at most so many times as long */
	long kilobytes; /* at most, of ours */
	double linear;  /* of an entry's cost in the smaller CRL, at most */
} limits[] = {
	{ 1000000, 10, 1.5, 64 << 10, 1.1 },
	{ 100000, 6, 2.5, 64 << 10, 1.5 },
	{ 0, 2, 4, 64 << 10, 3 },
};

static bool
is_within(uint64_t count, const struct result of[RUNS], struct result openssl,
    double smaller)
{
	const struct limits *limit = limits;
	double ours = of[OURS].seconds, each = ours / (double)count;

	while (count < limit->from)
		limit++;
	if (openssl.seconds >= limit->openssl * ours &&
	    ours <= limit->floor * of[FLOOR].seconds &&
	    of[OURS].kilobytes <= limit->kilobytes &&
	    (smaller == 0 || each <= limit->linear * smaller))
		return true;
	printf("  beyond a limit: openssl %.1f times, floor %.2f times, %ld "
	       "KiB, an entry %.2f times its cost in a smaller CRL\n",
	    limit->openssl, limit->floor, limit->kilobytes, limit->linear);
	return false;
}

/* `smaller`: seconds an entry in the CRL before, 0: none; becomes this one's. */
static bool
bench(uint64_t count, double *smaller)
{
	struct result of[RUNS], openssl;
	bool within;
	char dir[32];

	(void)snprintf(dir, sizeof(dir), "world-%" PRIu64, count);
	must(mkdir(dir, 0700) == 0 && chdir(dir) == 0 &&
		mkdir("tokens", 0700) == 0,
	    dir);
	{
		FILE *file = fopen("softhsm2.conf", "w");

		must(file != NULL &&
			fputs("directories.tokendir = tokens\n", file) >= 0 &&
			fclose(file) == 0 &&
			setenv("SOFTHSM2_CONF", "softhsm2.conf", 1) == 0,
		    "softhsm2.conf");
	}
	(void)measure(make_all, count, false);
	medians(count, of);
	check_signed("ours.crl", count);
	check_signed("next.crl", count);
	openssl = measure(run_openssl, count, true);
	printf("%" PRIu64 " entries\n", count);
	show("ours", of[OURS], of[OURS], count);
	show("next", of[NEXT], of[OURS], count);
	show("floor", of[FLOOR], of[OURS], count);
	show("openssl", openssl, of[OURS], count);
	printf("  openssl takes %.1f times as long as ours\n",
	    openssl.seconds / of[OURS].seconds);
	must(chdir("..") == 0, "chdir");
	within = is_within(count, of, openssl, *smaller);
	*smaller = of[OURS].seconds / (double)count;
	return within;
}

int
main(int argc, char **argv)
{
	double smaller = 0;
	bool within = true;

	must(argc > 1, "usage: crl ENTRIES...: this");
	printf("openssl signs with %s\n",
	    has_engine() ? "the same token, through its pkcs11 engine"
			 : "a key file: it has no pkcs11 engine here");
	for (int i = 1; i < argc; i++) {
		uint64_t count = 0;

		must(text_number(argv[i], 100000000, &count) == 0 && count > 0,
		    argv[i]);
		within = bench(count, &smaller) && within;
	}
	return within ? 0 : 1;
}
