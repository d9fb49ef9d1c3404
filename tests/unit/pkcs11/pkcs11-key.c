#include "base/text.h"
#include "support.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* ---- Raw helpers: what ca-tool itself never does ---- */

static CK_OBJECT_HANDLE
object_of(const struct token *token, CK_OBJECT_CLASS class,
    const unsigned char *id, size_t len)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	unsigned char copy[64];
	CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_ID, copy, len } };
	CK_OBJECT_HANDLE object = 0;
	CK_ULONG count = 0;

	memcpy(copy, id, len);
	CHECK(raw->C_FindObjectsInit(token->session, template, 2) == CKR_OK);
	CHECK(raw->C_FindObjects(token->session, &object, 1, &count) == CKR_OK);
	CHECK(raw->C_FindObjectsFinal(token->session) == CKR_OK);
	return count == 1 ? object : 0;
}

/* How a pair of the test differs from a proper one. */
struct odd {
	const char *label;
	const unsigned char *id;
	CK_ATTRIBUTE_TYPE type; /* of the private key; 0: none */
	CK_BBOOL value;
	CK_ATTRIBUTE_TYPE type2;
	CK_BBOOL value2;
};

static void
generate_odd(const struct token *token, struct odd odd)
{
	static unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07 };
	char label[64];
	unsigned char id[KEY_ID_LEN];
	CK_MECHANISM mechanism = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE public[] = { { CKA_TOKEN, &yes, 1 },
		{ CKA_PRIVATE, &no, 1 }, { CKA_LABEL, label, 0 },
		{ CKA_ID, id, sizeof(id) },
		{ CKA_EC_PARAMS, p256, sizeof(p256) } };
	CK_ATTRIBUTE private[18] = { { CKA_LABEL, label, 0 },
		{ CKA_ID, id, sizeof(id) } };
	static const struct {
		CK_ATTRIBUTE_TYPE type;
		bool value;
	} proper[] = { { CKA_TOKEN, true }, { CKA_PRIVATE, true },
		{ CKA_SENSITIVE, true }, { CKA_EXTRACTABLE, false },
		{ CKA_SIGN, true }, { CKA_DECRYPT, false },
		{ CKA_UNWRAP, false }, { CKA_DERIVE, false },
		{ CKA_SIGN_RECOVER, false }, { CKA_MODIFIABLE, false },
		{ CKA_COPYABLE, false }, { CKA_ALWAYS_AUTHENTICATE, false } };
	enum { PROPER = sizeof(proper) / sizeof(proper[0]) };
	CK_OBJECT_HANDLE a = 0, b = 0;

	(void)snprintf(label, sizeof(label), "%s", odd.label);
	memcpy(id, odd.id, sizeof(id));
	public[2].ulValueLen = private[0].ulValueLen = strlen(label);
	for (size_t i = 0; i < PROPER; i++) {
		CK_BBOOL *value = proper[i].value ? &yes : &no;

		if (odd.type != 0 && proper[i].type == odd.type)
			value = odd.value ? &yes : &no;
		if (odd.type2 != 0 && proper[i].type == odd.type2)
			value = odd.value2 ? &yes : &no;
		private[2 + i] = (CK_ATTRIBUTE){ proper[i].type, value, 1 };
	}
	CHECK(token->module->raw->C_GenerateKeyPair(token->session, &mechanism,
		  public, 5, private, 2 + PROPER, &a, &b) == CKR_OK);
}

static void
refused_with(struct token *token, const unsigned char *id,
    const char *const *findings_wanted)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct key *key = NULL;
	size_t wanted = 0;

	CHECK_ERROR(key_find(token, id, KEY_ID_LEN, &findings, &key), CA_R_KEY,
	    "is refused");
	CHECK(key == NULL);
	for (; findings_wanted[wanted] != NULL; wanted++)
		if (!has_finding(&findings, findings_wanted[wanted])) {
			fprintf(stderr, "no %s\n", findings_wanted[wanted]);
			_exit(1);
		}
	CHECK(findings.count == wanted && findings.errors == wanted);
}

#define REFUSED(token, id, ...) \
	refused_with(token, id, (const char *const[]){ __VA_ARGS__, NULL })

/* ---- Generation ---- */

static void
sign_and_verify(
    struct token *token, const struct key *key, const struct sigalg *alg)
{
	static const unsigned char tbs[] = "to be signed";
	struct sign_job job = { .key = key, .alg = alg };
	const unsigned char *spki = NULL;
	size_t len = 0;

	CHECK(sigalg_digest(alg, tbs, sizeof(tbs), job.digest) == 0);
	CHECK(token_sign(token, &job, 1, 1, NULL, NULL) == 0);
	key_spki(key, &spki, &len);
	CHECK(sigalg_verify(alg, spki, len, tbs, sizeof(tbs), job.signature,
		  job.signature_len) == 0);
	job.signature[job.signature_len / 2] ^= 1;
	CHECK_ERROR(sigalg_verify(alg, spki, len, tbs, sizeof(tbs),
			job.signature, job.signature_len),
	    CA_R_VERIFY, "");
}

static enum attribute_state
state_of(const struct key *key, const char *name)
{
	const struct key_statement *statement = key_statement(key);

	for (size_t i = 0; i < statement->count; i++)
		if (strcmp(statement->attributes[i].name, name) == 0)
			return statement->attributes[i].state;
	check_failed(__FILE__, __LINE__, name);
}

static void
check_statement(const struct key *key, const unsigned char *id)
{
	const struct key_statement *statement = key_statement(key);
	bool rsa = key_type(key)->family == KEY_RSA;

	CHECK(statement->id_len == KEY_ID_LEN);
	CHECK(memcmp(statement->id, id, KEY_ID_LEN) == 0);
	CHECK(statement->generation_mechanism == (rsa ? 0x0 : 0x1040));
	CHECK(statement->module_quirk == NULL);
	CHECK(state_of(key, "CKA_LOCAL") == ATTRIBUTE_TRUE);
	CHECK(state_of(key, "CKA_ALWAYS_SENSITIVE") == ATTRIBUTE_TRUE);
	CHECK(state_of(key, "CKA_NEVER_EXTRACTABLE") == ATTRIBUTE_TRUE);
	CHECK(state_of(key, "CKA_SIGN") == ATTRIBUTE_TRUE);
	CHECK(state_of(key, "CKA_EXTRACTABLE") == ATTRIBUTE_FALSE);
	CHECK(state_of(key, "CKA_DECRYPT") == ATTRIBUTE_FALSE);
	CHECK(state_of(key, "CKA_SIGN_RECOVER") == ATTRIBUTE_FALSE);
	CHECK(state_of(key, "CKA_MODIFIABLE") == ATTRIBUTE_FALSE);
	CHECK(state_of(key, "CKA_COPYABLE") == ATTRIBUTE_FALSE);
}

static void
generate_type(struct token *token, const struct key_type *type)
{
	unsigned char id[KEY_ID_LEN];
	AUTO_PTR(key) *key = make_key(token, type->name, type->name, id);
	AUTO_PTR(key) *again = NULL;
	AUTO_STRUCT(findings) findings = { 0 };
	const struct sigalg *alg = NULL;

	CHECK(key_type(key) == type);
	check_statement(key, id);
	for (size_t i = 0; (alg = sigalg_at(i)) != NULL; i++)
		if (sigalg_fits(alg, type))
			sign_and_verify(token, key, alg);
	CHECK(key_find(token, id, KEY_ID_LEN, &findings, &again) == 0);
	CHECK(findings.count == 0);
	CHECK(again == key); /* kept for this login */
}

/* All in one login: older keys must stay good while libp11 lists new ones. */
TEST(each_type)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	static const char *const names[] = { "rsa-2048", "rsa-3072", "rsa-4096",
		"p-256", "p-384", "p-521" };
	unsigned char id[KEY_ID_LEN];
	struct key *first = NULL;

	must_login(token);
	first = make_key(token, "p-256", "first", id);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(key_type_by_name(names[i]) != NULL);
		generate_type(token, key_type_by_name(names[i]));
	}
	sign_and_verify(token, first, sigalg_default(key_type(first)));
	key_forget_checks(token);
	sign_and_verify(token, first, sigalg_default(key_type(first)));
	key_free(first);
	close_token(token);
}

static unsigned char kept_id[KEY_ID_LEN] = "kept identifier";

static void
generate_kept(const char *dir)
{
	struct token *token = NULL;
	struct key *key = NULL;

	CHECK(token_find(open_embedded(dir), "ca", NULL, &token) == 0);
	must_login(token);
	CHECK(key_generate(token, key_type_by_name("p-256"), "kept", kept_id,
		  &key) == 0);
	key_free(key);
	close_token(token);
}

static void
setup_key(const char *dir)
{
	in_child(setup_token, dir);
	generate_kept(dir);
}

TEST(found_after_another_login)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token = NULL;
	struct key *key = NULL;

	in_child(setup_key, dir);
	CHECK(token_find(open_embedded(dir), "ca", NULL, &token) == 0);
	CHECK_ERROR(key_find(token, kept_id, KEY_ID_LEN, &findings, &key),
	    CA_R_INTERNAL, "nobody is logged in");
	for (int i = 0; i < 2; i++) {
		must_login(token);
		CHECK(
		    key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
		sign_and_verify(token, key, sigalg_by_name("ecdsa-sha256"));
		key_free(key);
		token_logout(token);
	}
	close_token(token);
}

TEST(generation_refusals)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	const struct key_type *type = key_type_by_name("p-256");
	unsigned char id[KEY_ID_LEN], other[KEY_ID_LEN] = "other identity";
	struct key *key = NULL, *none = NULL;

	CHECK_ERROR(key_generate(token, type, "a", other, &none), CA_R_INTERNAL,
	    "nobody is logged in");
	must_login(token);
	key = make_key(token, "p-256", "a", id);
	CHECK_ERROR(key_generate(token, type, "a", other, &none), CA_R_KEY,
	    "called 'a' already");
	CHECK_ERROR(key_generate(token, type, "b", id, &none), CA_R_KEY,
	    "CKA_ID chosen");
	CHECK_ERROR(
	    key_generate(token, type, "", other, &none), CA_R_KEY, "label");
	CHECK(none == NULL);
	key_free(key);
	close_token(token);
}

/* ---- Keys cannot be got out ---- */

static CK_RV
read_secret(
    const struct token *token, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
	unsigned char value[1024];
	CK_ATTRIBUTE attribute = { type, value, sizeof(value) };

	return token->module->raw->C_GetAttributeValue(
	    token->session, object, &attribute, 1);
}

static CK_RV
set_bool(const struct token *token, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attribute = { type, &value, 1 };

	return token->module->raw->C_SetAttributeValue(
	    token->session, object, &attribute, 1);
}

static void
cannot_be_changed(const struct token *token, CK_OBJECT_HANDLE private)
{
	CHECK(set_bool(token, private, CKA_EXTRACTABLE, CK_TRUE) != CKR_OK);
	CHECK(set_bool(token, private, CKA_SENSITIVE, CK_FALSE) != CKR_OK);
	CHECK(set_bool(token, private, CKA_DECRYPT, CK_TRUE) != CKR_OK);
	CHECK(set_bool(token, private, CKA_UNWRAP, CK_TRUE) != CKR_OK);
	CHECK(set_bool(token, private, CKA_SIGN_RECOVER, CK_TRUE) != CKR_OK);
	CHECK(set_bool(token, private, CKA_MODIFIABLE, CK_TRUE) != CKR_OK);
}

static void
cannot_be_copied(const struct token *token, CK_OBJECT_HANDLE private)
{
	CK_ATTRIBUTE loose[] = { { CKA_EXTRACTABLE, &yes, 1 },
		{ CKA_SENSITIVE, &no, 1 }, { CKA_TOKEN, &no, 1 } };
	CK_OBJECT_HANDLE copy = 0;

	for (CK_ULONG i = 0; i <= 3; i++)
		CHECK(token->module->raw->C_CopyObject(
			  token->session, private, loose, i, &copy) != CKR_OK);
}

static void
cannot_be_wrapped(const struct token *token, CK_OBJECT_HANDLE private)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_MECHANISM generate = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_MECHANISM wrap = { CKM_AES_KEY_WRAP_PAD, NULL, 0 };
	CK_ULONG size = 32;
	CK_ATTRIBUTE template[] = { { CKA_VALUE_LEN, &size, sizeof(size) },
		{ CKA_WRAP, &yes, 1 }, { CKA_TOKEN, &no, 1 } };
	CK_OBJECT_HANDLE wrapper = 0;
	unsigned char out[8192];
	CK_ULONG len = sizeof(out);

	CHECK(raw->C_GenerateKey(
		  token->session, &generate, template, 3, &wrapper) == CKR_OK);
	CHECK(raw->C_WrapKey(token->session, &wrap, wrapper, private, out,
		  &len) == CKR_KEY_UNEXTRACTABLE);
}

static void
cannot_decrypt(const struct token *token, CK_OBJECT_HANDLE private)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_MECHANISM rsa = { CKM_RSA_PKCS, NULL, 0 };
	CK_MECHANISM bare = { CKM_RSA_X_509, NULL, 0 };

	CHECK(raw->C_DecryptInit(token->session, &rsa, private) ==
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	CHECK(raw->C_DecryptInit(token->session, &bare, private) ==
	    CKR_KEY_FUNCTION_NOT_PERMITTED);
	CHECK(raw->C_SignRecoverInit(token->session, &rsa, private) != CKR_OK);
}

static void
cannot_derive(
    const struct token *token, CK_OBJECT_HANDLE private, const struct key *key)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ULONG size = 32;
	CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_VALUE_LEN, &size, sizeof(size) }, { CKA_TOKEN, &no, 1 } };
	unsigned char point[65];
	struct {
		CK_ULONG kdf, shared_len;
		unsigned char *shared;
		CK_ULONG point_len;
		unsigned char *point;
	} params = { 1, 0, NULL, sizeof(point), point };
	CK_MECHANISM derive = { CKM_ECDH1_DERIVE, &params, sizeof(params) };
	CK_OBJECT_HANDLE derived = 0;
	const unsigned char *spki = NULL;
	size_t len = 0;

	key_spki(key, &spki, &len);
	memcpy(point, spki + len - sizeof(point), sizeof(point));
	CHECK(raw->C_DeriveKey(token->session, &derive, private, template, 4,
		  &derived) == CKR_KEY_FUNCTION_NOT_PERMITTED);
}

TEST(keys_cannot_be_got_out)
{
	static const CK_ATTRIBUTE_TYPE secrets[] = { CKA_PRIVATE_EXPONENT,
		CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2,
		CKA_COEFFICIENT };
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char rsa_id[KEY_ID_LEN], ec_id[KEY_ID_LEN];
	struct key *rsa_key = NULL, *ec_key = NULL;
	CK_OBJECT_HANDLE rsa = 0, ec = 0;

	must_login(token);
	rsa_key = make_key(token, "rsa-2048", "rsa", rsa_id);
	ec_key = make_key(token, "p-256", "ec", ec_id);
	rsa = object_of(token, CKO_PRIVATE_KEY, rsa_id, KEY_ID_LEN);
	ec = object_of(token, CKO_PRIVATE_KEY, ec_id, KEY_ID_LEN);
	CHECK(rsa != 0 && ec != 0);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		CHECK(read_secret(token, rsa, secrets[i]) ==
		    CKR_ATTRIBUTE_SENSITIVE);
	CHECK(read_secret(token, ec, CKA_VALUE) == CKR_ATTRIBUTE_SENSITIVE);
	cannot_be_changed(token, rsa);
	cannot_be_changed(token, ec);
	cannot_be_copied(token, rsa);
	cannot_be_copied(token, ec);
	cannot_be_wrapped(token, rsa);
	cannot_be_wrapped(token, ec);
	cannot_decrypt(token, rsa);
	cannot_derive(token, ec, ec_key);
	key_free(rsa_key);
	key_free(ec_key);
	close_token(token);
}

/* ---- Keys that are refused ---- */

TEST(odd_pairs)
{
	static const struct {
		struct odd odd;
		const char *finding, *second;
	} cases[] = {
		{ { .type = CKA_EXTRACTABLE, .value = 1 }, "KEY-EXTRACTABLE",
		    "KEY-NOT-NEVER-EXTRACTABLE" },
		{ { .type = CKA_SENSITIVE, .value = 0 }, "KEY-NOT-SENSITIVE",
		    "KEY-NOT-ALWAYS-SENSITIVE" },
		{ { .type = CKA_PRIVATE, .value = 0 }, "KEY-NOT-PRIVATE",
		    NULL },
		{ { .type = CKA_DECRYPT, .value = 1 }, "KEY-MAY-DECRYPT",
		    NULL },
		{ { .type = CKA_UNWRAP, .value = 1 }, "KEY-MAY-UNWRAP", NULL },
		{ { .type = CKA_DERIVE, .value = 1 }, "KEY-MAY-DERIVE", NULL },
		{ { .type = CKA_SIGN_RECOVER, .value = 1 },
		    "KEY-MAY-SIGN-RECOVER", NULL },
		{ { .type = CKA_MODIFIABLE, .value = 1 }, "KEY-MODIFIABLE",
		    NULL },
		{ { .type = CKA_COPYABLE, .value = 1 }, "KEY-COPYABLE", NULL },
		{ { .type = CKA_ALWAYS_AUTHENTICATE, .value = 1 },
		    "KEY-ALWAYS-AUTHENTICATE", NULL },
		{ { .type = CKA_SIGN, .value = 0 }, "KEY-NO-SIGN", NULL },
		{ { .type = CKA_DECRYPT,
		      .value = 1,
		      .type2 = CKA_COPYABLE,
		      .value2 = 1 },
		    "KEY-MAY-DECRYPT", "KEY-COPYABLE" },
	};
	struct token *token = make_token(open_embedded(dir), "ca");

	must_login(token);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned char id[KEY_ID_LEN] = { (unsigned char)i, 1 };
		struct odd odd = cases[i].odd;

		odd.label = cases[i].finding;
		odd.id = id;
		generate_odd(token, odd);
		REFUSED(token, id, cases[i].finding, cases[i].second);
		CHECK(key_destroy(token, id, KEY_ID_LEN, NULL) == 0);
	}
	close_token(token);
}

/* Extractable at birth, then flipped: what it was stays visible. */
TEST(extractable_once)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char id[KEY_ID_LEN] = "once";

	must_login(token);
	generate_odd(token,
	    (struct odd){ .label = "once",
		.id = id,
		.type = CKA_EXTRACTABLE,
		.value = 1,
		.type2 = CKA_MODIFIABLE,
		.value2 = 1 });
	CHECK(set_bool(token, object_of(token, CKO_PRIVATE_KEY, id, KEY_ID_LEN),
		  CKA_EXTRACTABLE, CK_FALSE) == CKR_OK);
	REFUSED(token, id, "KEY-NOT-NEVER-EXTRACTABLE", "KEY-MODIFIABLE");
	close_token(token);
}

static void
import_pair(const struct token *token, unsigned char *id)
{
	static unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07 };
	AUTO(EVP_PKEY) *soft = EVP_EC_gen("P-256");
	AUTO(BIGNUM) *secret = NULL;
	CK_OBJECT_CLASS private = CKO_PRIVATE_KEY, public = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_EC;
	unsigned char value[32], point[67] = { 0x04, 65 };
	size_t len = 0;
	CK_ATTRIBUTE rows[] = { { CKA_CLASS, &private, sizeof(private) },
		{ CKA_KEY_TYPE, &type, sizeof(type) }, { CKA_LABEL, id, 8 },
		{ CKA_ID, id, KEY_ID_LEN },
		{ CKA_EC_PARAMS, p256, sizeof(p256) }, { CKA_TOKEN, &yes, 1 },
		{ CKA_PRIVATE, &yes, 1 }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, &no, 1 }, { CKA_SIGN, &yes, 1 },
		{ CKA_DECRYPT, &no, 1 }, { CKA_UNWRAP, &no, 1 },
		{ CKA_DERIVE, &no, 1 }, { CKA_SIGN_RECOVER, &no, 1 },
		{ CKA_MODIFIABLE, &no, 1 }, { CKA_COPYABLE, &no, 1 },
		{ CKA_VALUE, value, sizeof(value) } };
	CK_OBJECT_HANDLE object = 0;

	CHECK(soft != NULL &&
	    EVP_PKEY_get_bn_param(soft, "priv", &secret) == 1 &&
	    BN_bn2binpad(secret, value, sizeof(value)) == 32 &&
	    EVP_PKEY_get_octet_string_param(soft, "pub", point + 2, 65, &len) ==
		1);
	CHECK(token->module->raw->C_CreateObject(token->session, rows,
		  sizeof(rows) / sizeof(rows[0]), &object) == CKR_OK);
	rows[0].pValue = &public;
	rows[6] = (CK_ATTRIBUTE){ CKA_PRIVATE, &no, 1 };
	rows[7] = (CK_ATTRIBUTE){ CKA_EC_POINT, point, sizeof(point) };
	CHECK(token->module->raw->C_CreateObject(
		  token->session, rows, 8, &object) == CKR_OK);
}

TEST(imported)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char id[KEY_ID_LEN] = "imported";

	must_login(token);
	import_pair(token, id);
	REFUSED(token, id, "KEY-NOT-LOCAL", "KEY-NOT-ALWAYS-SENSITIVE",
	    "KEY-NOT-NEVER-EXTRACTABLE", "KEY-GEN-MECHANISM");
	close_token(token);
}

TEST(duplicates)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char a[KEY_ID_LEN] = "a", b[KEY_ID_LEN] = "b",
		      c[KEY_ID_LEN] = "c";

	must_login(token);
	generate_odd(token, (struct odd){ .label = "one", .id = a });
	generate_odd(token, (struct odd){ .label = "one", .id = b });
	REFUSED(token, a, "KEY-DUPLICATE-LABEL", "KEY-DUPLICATE-LABEL");
	REFUSED(token, b, "KEY-DUPLICATE-LABEL", "KEY-DUPLICATE-LABEL");
	generate_odd(token, (struct odd){ .label = "two", .id = c });
	generate_odd(token, (struct odd){ .label = "three", .id = c });
	REFUSED(token, c, "KEY-DUPLICATE-ID", "KEY-DUPLICATE-ID");
	close_token(token);
}

TEST(orphans)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	CK_FUNCTION_LIST *raw = token->module->raw;
	unsigned char a[KEY_ID_LEN], b[KEY_ID_LEN], missing[KEY_ID_LEN] = "m";
	unsigned count = 99;

	must_login(token);
	key_free(make_key(token, "p-256", "a", a));
	key_free(make_key(token, "p-384", "b", b));
	key_forget_checks(token);
	CHECK(raw->C_DestroyObject(token->session,
		  object_of(token, CKO_PUBLIC_KEY, a, KEY_ID_LEN)) == CKR_OK);
	CHECK(raw->C_DestroyObject(token->session,
		  object_of(token, CKO_PRIVATE_KEY, b, KEY_ID_LEN)) == CKR_OK);
	REFUSED(token, a, "KEY-NO-PUBLIC");
	REFUSED(token, b, "KEY-MISSING");
	REFUSED(token, missing, "KEY-MISSING");
	CHECK(key_destroy(token, a, KEY_ID_LEN, &count) == 0 && count == 1);
	CHECK(key_destroy(token, b, KEY_ID_LEN, &count) == 0 && count == 1);
	CHECK(key_destroy(token, b, KEY_ID_LEN, &count) == 0 && count == 0);
	REFUSED(token, a, "KEY-MISSING");
	close_token(token);
}

TEST(destroyed)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char a[KEY_ID_LEN], b[KEY_ID_LEN];
	unsigned count = 0;
	struct key *key = NULL;

	must_login(token);
	key_free(make_key(token, "p-256", "a", a));
	key = make_key(token, "p-256", "b", b);
	CHECK(key_destroy(token, a, KEY_ID_LEN, &count) == 0 && count == 2);
	REFUSED(token, a, "KEY-MISSING");
	/* The other one is untouched, and its name is free again. */
	sign_and_verify(token, key, sigalg_by_name("ecdsa-sha256"));
	key_free(make_key(token, "p-256", "a", a));
	key_free(key);
	close_token(token);
}

/* platform.md, libp11, trap 1: such a key hides all others from libp11. */
TEST(ed25519_beside)
{
	static unsigned char curve[] = { 0x13, 0x0c, 'e', 'd', 'w', 'a', 'r',
		'd', 's', '2', '5', '5', '1', '9' };
	struct token *token = make_token(open_embedded(dir), "ca");
	AUTO_STRUCT(findings) findings = { 0 };
	unsigned char a[KEY_ID_LEN];
	CK_MECHANISM mechanism = { CKM_EC_EDWARDS_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE public[] = { { CKA_TOKEN, &yes, 1 },
		{ CKA_EC_PARAMS, curve, sizeof(curve) } };
	CK_ATTRIBUTE private[] = { { CKA_TOKEN, &yes, 1 } };
	CK_OBJECT_HANDLE x = 0, y = 0;
	struct key *key = NULL;

	must_login(token);
	key_free(make_key(token, "p-256", "a", a));
	key_forget_checks(token);
	CHECK(token->module->raw->C_GenerateKeyPair(token->session, &mechanism,
		  public, 2, private, 1, &x, &y) == CKR_OK);
	CHECK_ERROR(key_find(token, a, KEY_ID_LEN, &findings, &key), CA_R_KEY,
	    "Ed25519");
	close_token(token);
	_exit(0); /* SoftHSM leaks the curve's name: do not look */
}

/* ---- Lies ---- */

static char lie_order[512];
static const char *lie_finding;

static void
lie_is_refused(const char *dir)
{
	struct token *token = shim_login(dir, lie_order);

	REFUSED(token, kept_id, lie_finding);
	close_token(token);
}

static void check_lie(const char *dir, const char *finding, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static void
check_lie(const char *dir, const char *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(lie_order, sizeof(lie_order), fmt, args);
	va_end(args);
	lie_finding = finding;
	in_child(lie_is_refused, dir);
}

TEST(each_attribute_at_fault)
{
	static const struct {
		const char *name;
		char value;
		bool required;
		const char *finding;
	} cases[] = {
		{ "CKA_TOKEN", '0', true, "KEY-NOT-TOKEN" },
		{ "CKA_PRIVATE", '0', true, "KEY-NOT-PRIVATE" },
		{ "CKA_SENSITIVE", '0', true, "KEY-NOT-SENSITIVE" },
		{ "CKA_EXTRACTABLE", '1', true, "KEY-EXTRACTABLE" },
		{ "CKA_LOCAL", '0', true, "KEY-NOT-LOCAL" },
		{ "CKA_ALWAYS_SENSITIVE", '0', true,
		    "KEY-NOT-ALWAYS-SENSITIVE" },
		{ "CKA_NEVER_EXTRACTABLE", '0', true,
		    "KEY-NOT-NEVER-EXTRACTABLE" },
		{ "CKA_SIGN", '0', true, "KEY-NO-SIGN" },
		{ "CKA_DECRYPT", '1', true, "KEY-MAY-DECRYPT" },
		{ "CKA_UNWRAP", '1', false, "KEY-MAY-UNWRAP" },
		{ "CKA_DERIVE", '1', false, "KEY-MAY-DERIVE" },
		{ "CKA_SIGN_RECOVER", '1', false, "KEY-MAY-SIGN-RECOVER" },
		{ "CKA_MODIFIABLE", '1', false, "KEY-MODIFIABLE" },
		{ "CKA_COPYABLE", '1', false, "KEY-COPYABLE" },
		{ "CKA_ALWAYS_AUTHENTICATE", '1', false,
		    "KEY-ALWAYS-AUTHENTICATE" },
	};

	in_child(setup_key, dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_lie(dir, cases[i].finding, "lie %s %c\n", cases[i].name,
		    cases[i].value);
		if (cases[i].required)
			check_lie(dir, cases[i].finding, "lie %s absent\n",
			    cases[i].name);
	}
	check_lie(dir, "KEY-GEN-MECHANISM",
	    "lie-number CKA_KEY_GEN_MECHANISM 0xffffffffffffffff\n");
	check_lie(dir, "KEY-GEN-MECHANISM", "lie CKA_KEY_GEN_MECHANISM absent");
	check_lie(
	    dir, "KEY-GEN-MECHANISM", "lie-number CKA_KEY_GEN_MECHANISM 0\n");
	check_lie(dir, "KEY-GEN-MECHANISM",
	    "lie-number CKA_KEY_GEN_MECHANISM 0x1050\n");
}

/* A module that does not know what is optional is believed. */
static void
optional_absent(const char *dir)
{
	struct token *token = shim_login(dir,
	    "lie CKA_COPYABLE absent\nlie CKA_MODIFIABLE absent\n"
	    "lie CKA_DERIVE absent\n");
	AUTO_STRUCT(findings) findings = { 0 };
	struct key *key = NULL;

	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	CHECK(state_of(key, "CKA_COPYABLE") == ATTRIBUTE_ABSENT);
	key_free(key);
	close_token(token);
}

TEST(optional_attributes)
{
	in_child(setup_key, dir);
	in_child(optional_absent, dir);
}

/* The generator of P-256 (FIPS 186-4, D.1.2.3): a point, but not ours. */
#define GENERATOR                                                            \
	"046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" \
	"4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

/*
 * libp11 takes the point from the public object too, so it agrees with the
 * lie: the signature shows it, against the key kept from generation.
 */
static void
lying_point(const char *dir)
{
	static const unsigned char tbs[] = "to be signed";
	const struct sigalg *alg = sigalg_by_name("ecdsa-sha256");
	struct token *token =
	    shim_login(dir, "lie-bytes CKA_EC_POINT 0441" GENERATOR "\n");
	AUTO_STRUCT(findings) findings = { 0 };
	struct key *key = NULL;
	struct sign_job job = { .alg = alg };
	const unsigned char *spki = NULL;
	size_t len = 0;

	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	job.key = key;
	key_spki(key, &spki, &len);
	CHECK(sigalg_digest(alg, tbs, sizeof(tbs), job.digest) == 0);
	CHECK(token_sign(token, &job, 1, 1, NULL, NULL) == 0);
	CHECK_ERROR(sigalg_verify(alg, spki, len, tbs, sizeof(tbs),
			job.signature, job.signature_len),
	    CA_R_VERIFY, "");
	key_free(key);
	close_token(token);
}

static void
bare_point(const char *dir)
{
	struct token *token =
	    shim_login(dir, "lie-bytes CKA_EC_POINT " GENERATOR "\n");
	AUTO_STRUCT(findings) findings = { 0 };
	struct key *key = NULL;
	const unsigned char *spki = NULL;
	size_t len = 0;
	AUTO_CHARS(hex) = NULL;

	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	key_spki(key, &spki, &len);
	hex = text_hex(spki + len - 65, 65);
	CHECK(hex != NULL && strcmp(hex, GENERATOR) == 0);
	key_free(key);
	close_token(token);
}

TEST(lying_public_object)
{
	in_child(setup_key, dir);
	in_child(lying_point, dir);
	in_child(bare_point, dir);
	/* Off the curve, too short, compressed, another curve, nonsense. */
	check_lie(dir, "KEY-TYPE", "lie-bytes CKA_EC_POINT 0441%.*s00\n", 128,
	    GENERATOR);
	check_lie(dir, "KEY-TYPE", "lie-bytes CKA_EC_POINT 0440%.*s\n", 128,
	    GENERATOR);
	check_lie(dir, "KEY-TYPE", "lie-bytes CKA_EC_POINT 042103%.*s\n", 64,
	    &GENERATOR[2]);
	check_lie(dir, "KEY-TYPE", "lie-bytes CKA_EC_PARAMS 06052b81040022\n");
	check_lie(dir, "KEY-TYPE", "lie-bytes CKA_EC_PARAMS 0000\n");
	check_lie(dir, "KEY-TYPE", "lie CKA_EC_POINT absent\n");
}

static unsigned char rsa_id[KEY_ID_LEN] = "an RSA identity";

static void
setup_rsa(const char *dir)
{
	struct token *token = NULL;
	struct key *key = NULL;

	CHECK(token_find(open_embedded(dir), "ca", NULL, &token) == 0);
	must_login(token);
	CHECK(key_generate(token, key_type_by_name("rsa-2048"), "rsa", rsa_id,
		  &key) == 0);
	key_free(key);
	close_token(token);
}

/* RSA: libp11 reads the private object, so the lie is seen at once. */
static void
lying_modulus(const char *dir)
{
	char orders[1024];
	size_t at = 0;
	struct token *token = NULL;

	at =
	    (size_t)snprintf(orders, sizeof(orders), "lie-bytes CKA_MODULUS c");
	memset(orders + at, '5', 511);
	orders[at + 511] = '\n';
	orders[at + 512] = '\0';
	token = shim_login(dir, orders);
	REFUSED(token, rsa_id, "KEY-PUBLIC-MISMATCH");
	close_token(token);
}

static void
lying_exponent(const char *dir)
{
	struct token *token =
	    shim_login(dir, "lie-bytes CKA_PUBLIC_EXPONENT 03\n");

	REFUSED(token, rsa_id, "KEY-TYPE");
	close_token(token);
}

TEST(lying_rsa)
{
	in_child(setup_token, dir);
	in_child(setup_rsa, dir);
	in_child(lying_modulus, dir);
	in_child(lying_exponent, dir);
}

/* ---- Checks are kept for a login, and read again on demand ---- */

static size_t
reads(const char *dir)
{
	return count_lines(in_dir(dir, "count"), "C_GetAttributeValue=");
}

static void
kept(const char *dir)
{
	char orders[512];
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token = NULL;
	struct key *key = NULL, *again = NULL;
	size_t before = 0;

	(void)snprintf(
	    orders, sizeof(orders), "count %s\n", in_dir(dir, "count"));
	token = shim_login(dir, orders);
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &key) == 0);
	before = reads(dir);
	CHECK(before > 0);
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &again) == 0);
	CHECK(reads(dir) == before);
	key_free(again);
	key_forget_checks(token);
	CHECK(key_find(token, kept_id, KEY_ID_LEN, &findings, &again) == 0);
	CHECK(reads(dir) > before);
	key_free(again);
	key_free(key);
	close_token(token);
}

TEST(kept_for_a_login)
{
	in_child(setup_key, dir);
	in_child(kept, dir);
}

static void
module_fails(const char *dir)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct token *token =
	    shim_login(dir, "fail C_GetAttributeValue * 0x30\n");
	struct key *key = NULL;

	CHECK_ERROR(key_find(token, kept_id, KEY_ID_LEN, &findings, &key),
	    CA_R_TOKEN, "CKR_DEVICE_ERROR");
	close_token(token);
}

static void
generation_fails(const char *dir)
{
	unsigned char id[KEY_ID_LEN] = "never";
	struct token *token =
	    shim_login(dir, "fail C_GenerateKeyPair 1 0x31\n");
	struct key *key = NULL;

	CHECK_ERROR(
	    key_generate(token, key_type_by_name("p-256"), "x", id, &key),
	    CA_R_TOKEN, "CKR_DEVICE_MEMORY");
	close_token(token);
}

/* A token that generates a key which is not fit. */
static void
generation_lies(const char *dir)
{
	unsigned char id[KEY_ID_LEN] = "lied";
	struct token *token = shim_login(dir, "lie CKA_EXTRACTABLE 1\n");
	unsigned count = 0;
	struct key *key = NULL;

	CHECK_ERROR(
	    key_generate(token, key_type_by_name("p-256"), "x", id, &key),
	    CA_R_KEY, "CKA_EXTRACTABLE is true");
	CHECK(key_destroy(token, id, KEY_ID_LEN, &count) == 0 && count == 2);
	close_token(token);
}

TEST(module_failures)
{
	in_child(setup_key, dir);
	in_child(module_fails, dir);
	in_child(generation_fails, dir);
	in_child(generation_lies, dir);
}

/* ---- By the public key ---- */

TEST(found_by_public_key)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	AUTO_STRUCT(findings) findings = { 0 };
	unsigned char a[KEY_ID_LEN], b[KEY_ID_LEN];
	struct key *first = NULL, *found = NULL;
	const unsigned char *spki;
	unsigned char other[256];
	size_t len;

	must_login(token);
	first = make_key(token, "p-256", "a", a);
	key_free(make_key(token, "p-256", "b", b));
	key_spki(first, &spki, &len);
	CHECK(key_find_spki(token, spki, len, &findings, &found) == 0);
	CHECK(key_statement(found)->id_len == KEY_ID_LEN &&
	    memcmp(key_statement(found)->id, a, KEY_ID_LEN) == 0);
	key_free(found);
	found = NULL;
	/* A public key that the token does not have. */
	CHECK(len <= sizeof(other));
	memcpy(other, spki, len);
	other[len - 1] ^= 1;
	CHECK_ERROR(key_find_spki(token, other, len, &findings, &found),
	    CA_R_KEY, "no private key");
	CHECK_ERROR(key_find_spki(token, spki, len - 1, &findings, &found),
	    CA_R_KEY, "no private key");
	CHECK(found == NULL);
	key_free(first);
	close_token(token);
}

/* A pair that is not fit is found, and refused with what is wrong. */
TEST(unfit_by_public_key)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	AUTO_STRUCT(findings) findings = { 0 };
	struct key *made = NULL, *found = NULL;
	unsigned char id[KEY_ID_LEN], beside[KEY_ID_LEN] = "beside";
	unsigned char spki[256];
	const unsigned char *at;
	size_t len;

	must_login(token);
	made = make_key(token, "p-256", "a", id);
	key_spki(made, &at, &len);
	CHECK(len <= sizeof(spki));
	memcpy(spki, at, len);
	key_free(made);
	key_forget_checks(token);
	/* A second one with its label makes both unfit. */
	generate_odd(token, (struct odd){ .label = "a", .id = beside });
	CHECK_ERROR(key_find_spki(token, spki, len, &findings, &found),
	    CA_R_KEY, "label");
	CHECK(found == NULL && findings.errors > 0);
	close_token(token);
}

/* ---- key_each ---- */

struct seen {
	unsigned fit, unfit;
	char types[256];
};

static int
note(void *ctx, const struct key_statement *statement, const char *type,
    const char *fault)
{
	struct seen *seen = ctx;

	CHECK(statement->count > 10 && statement->label != NULL);
	if (fault == NULL)
		seen->fit++;
	else
		seen->unfit++;
	strncat(
	    seen->types, type, sizeof(seen->types) - strlen(seen->types) - 1);
	return 0;
}

static int
stop(void *ctx, const struct key_statement *statement, const char *type,
    const char *fault)
{
	(void)statement;
	(void)type;
	(void)fault;
	++*(unsigned *)ctx;
	return -1;
}

TEST(each_key)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	unsigned char a[KEY_ID_LEN], b[KEY_ID_LEN] = "b";
	struct seen seen = { 0 };
	unsigned stopped = 0;

	must_login(token);
	CHECK(key_each(token, note, &seen) == 0);
	CHECK(seen.fit == 0 && seen.unfit == 0);
	key_free(make_key(token, "p-521", "a", a));
	generate_odd(token,
	    (struct odd){
		.label = "b", .id = b, .type = CKA_DECRYPT, .value = 1 });
	CHECK(key_each(token, note, &seen) == 0);
	CHECK(seen.fit == 1 && seen.unfit == 1);
	CHECK(strstr(seen.types, "p-521") != NULL);
	CHECK(strstr(seen.types, "p-256") != NULL);
	CHECK(key_each(token, stop, &stopped) == -1 && stopped == 1);
	close_token(token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type),
		cmocka_unit_test(found_after_another_login),
		cmocka_unit_test(generation_refusals),
		cmocka_unit_test(keys_cannot_be_got_out),
		cmocka_unit_test(odd_pairs),
		cmocka_unit_test(extractable_once),
		cmocka_unit_test(imported),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(orphans),
		cmocka_unit_test(destroyed),
		cmocka_unit_test(ed25519_beside),
		cmocka_unit_test(each_attribute_at_fault),
		cmocka_unit_test(optional_attributes),
		cmocka_unit_test(lying_public_object),
		cmocka_unit_test(lying_rsa),
		cmocka_unit_test(kept_for_a_login),
		cmocka_unit_test(module_failures),
		cmocka_unit_test(found_by_public_key),
		cmocka_unit_test(unfit_by_public_key),
		cmocka_unit_test(each_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
