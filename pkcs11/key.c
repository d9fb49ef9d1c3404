#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/text.h"
#include "pkcs11/raw.h"

CLEANUP_DEFINE(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
CLEANUP_DEFINE(OSSL_PARAM, OSSL_PARAM_free);

#define P11_PRIVATE "PKCS #11 v2.40, section 4.9"

enum { HANDLES_MAX = 100000, ATTRIBUTE_MAX = 1 << 16 };

/*
 * The boolean attributes of a private key: what each must be, and whether a
 * module may not know it.  One that it does not know it cannot grant.
 */
static const struct rule {
	const char *name;
	CK_ATTRIBUTE_TYPE type;
	enum attribute_state wanted;
	bool required;
	bool by_token; /* set by the token alone, in no template */
	const char *id;
	const char *problem;
} rules[] = {
	{ "CKA_TOKEN", CKA_TOKEN, ATTRIBUTE_TRUE, true, false, "KEY-NOT-TOKEN",
	    "it lasts for one session only" },
	{ "CKA_PRIVATE", CKA_PRIVATE, ATTRIBUTE_TRUE, true, false,
	    "KEY-NOT-PRIVATE", "it can be used without login" },
	{ "CKA_SENSITIVE", CKA_SENSITIVE, ATTRIBUTE_TRUE, true, false,
	    "KEY-NOT-SENSITIVE", "it can be read in clear text" },
	{ "CKA_EXTRACTABLE", CKA_EXTRACTABLE, ATTRIBUTE_FALSE, true, false,
	    "KEY-EXTRACTABLE", "it can be wrapped out of the token" },
	{ "CKA_LOCAL", CKA_LOCAL, ATTRIBUTE_TRUE, true, true, "KEY-NOT-LOCAL",
	    "it was not generated on the token" },
	{ "CKA_ALWAYS_SENSITIVE", CKA_ALWAYS_SENSITIVE, ATTRIBUTE_TRUE, true,
	    true, "KEY-NOT-ALWAYS-SENSITIVE",
	    "it could be read in clear text once" },
	{ "CKA_NEVER_EXTRACTABLE", CKA_NEVER_EXTRACTABLE, ATTRIBUTE_TRUE, true,
	    true, "KEY-NOT-NEVER-EXTRACTABLE",
	    "it could be wrapped out of the token once" },
	{ "CKA_SIGN", CKA_SIGN, ATTRIBUTE_TRUE, true, false, "KEY-NO-SIGN",
	    "it may not sign" },
	{ "CKA_DECRYPT", CKA_DECRYPT, ATTRIBUTE_FALSE, true, false,
	    "KEY-MAY-DECRYPT", "it may decrypt" },
	{ "CKA_UNWRAP", CKA_UNWRAP, ATTRIBUTE_FALSE, false, false,
	    "KEY-MAY-UNWRAP", "it may unwrap keys" },
	{ "CKA_DERIVE", CKA_DERIVE, ATTRIBUTE_FALSE, false, false,
	    "KEY-MAY-DERIVE", "it may derive keys" },
	{ "CKA_SIGN_RECOVER", CKA_SIGN_RECOVER, ATTRIBUTE_FALSE, false, false,
	    "KEY-MAY-SIGN-RECOVER", "it may sign with recovery" },
	{ "CKA_MODIFIABLE", CKA_MODIFIABLE, ATTRIBUTE_FALSE, false, false,
	    "KEY-MODIFIABLE", "what it may do can be changed" },
	{ "CKA_COPYABLE", CKA_COPYABLE, ATTRIBUTE_FALSE, false, false,
	    "KEY-COPYABLE", "it can be copied" },
	/* libp11 0.4.12 would ask for the PIN on the terminal by itself. */
	{ "CKA_ALWAYS_AUTHENTICATE", CKA_ALWAYS_AUTHENTICATE, ATTRIBUTE_FALSE,
	    false, false, "KEY-ALWAYS-AUTHENTICATE",
	    "it wants the PIN again for each signature, which ca-tool does "
	    "not support" },
};

enum { RULES = sizeof(rules) / sizeof(rules[0]) };

/* Counted by hand: callers and the token's list of checked keys share it. */
struct key {
	unsigned refs;
	struct key *next; /* in token->keys */
	const struct token *token;
	char *label;              /* escaped */
	unsigned char *raw_label; /* as the token gives it */
	size_t raw_label_len;
	unsigned char *id;
	size_t id_len;
	struct attribute attributes[RULES];
	struct key_statement statement;
	const struct key_type *type;
	unsigned char *spki; /* OPENSSL_malloc */
	size_t spki_len;
	EVP_PKEY *evp;
};

/* ---- Raw objects and attributes ---- */

static CK_RV
find_more(
    CK_FUNCTION_LIST *raw, CK_SESSION_HANDLE session, struct handles *handles)
{
	enum { CHUNK = 64 };
	CK_ULONG found = 0;

	do {
		CK_OBJECT_HANDLE *list = reallocarray(
		    handles->list, handles->count + CHUNK, sizeof(*list));
		CK_RV rv = CKR_OK;

		if (list == NULL || handles->count > HANDLES_MAX)
			return CKR_HOST_MEMORY;
		handles->list = list;
		rv = raw->C_FindObjects(
		    session, list + handles->count, CHUNK, &found);
		if (rv != CKR_OK)
			return rv;
		handles->count += found;
	} while (found > 0);
	return CKR_OK;
}

static int
find_objects(const struct token *token, CK_ATTRIBUTE *template, CK_ULONG count,
    struct handles *ret_handles)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	AUTO_STRUCT(handles) handles = { 0 };
	CK_RV rv = raw->C_FindObjectsInit(token->session, template, count);

	if (rv == CKR_OK) {
		rv = find_more(raw, token->session, &handles);
		(void)raw->C_FindObjectsFinal(token->session);
	}
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' cannot list its objects", token->facts.label);
	*ret_handles = handles;
	handles.list = NULL;
	return 0;
}

/* All objects of a class, or those with one more attribute of a value. */
int
raw_find_class(const struct token *token, CK_OBJECT_CLASS class,
    CK_ATTRIBUTE_TYPE type, const unsigned char *value, size_t len,
    struct handles *ret_handles)
{
	/* The C binding of PKCS #11 has no const; nothing is written. */
	union {
		const unsigned char *in;
		void *out;
	} bytes = { .in = value };
	CK_ATTRIBUTE template[] = {
		{ CKA_CLASS, &class, sizeof(class) },
		{ type, bytes.out, len },
	};

	return find_objects(
	    token, template, value == NULL ? 1 : 2, ret_handles);
}

/* A byte string; *ret_value is NULL where the object has none; free(). */
int
raw_read_bytes(const struct token *token, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, unsigned char **ret_value, size_t *ret_len)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_ATTRIBUTE attribute = { type, NULL, 0 };
	AUTO_BYTES(value) = NULL;
	CK_RV rv =
	    raw->C_GetAttributeValue(token->session, object, &attribute, 1);

	if (rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    attribute.ulValueLen == RAW_UNAVAILABLE)
		attribute.ulValueLen = 0;
	else if (rv != CKR_OK || attribute.ulValueLen > ATTRIBUTE_MAX)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not give attribute 0x%lx",
		    token->facts.label, type);
	value = calloc(1, attribute.ulValueLen + 1);
	if (value == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an attribute");
	if (attribute.ulValueLen > 0) {
		attribute.pValue = value;
		rv = raw->C_GetAttributeValue(
		    token->session, object, &attribute, 1);
		if (rv != CKR_OK)
			return raw_error(CA_R_TOKEN, rv,
			    "token '%s' does not give attribute 0x%lx",
			    token->facts.label, type);
	}
	*ret_value = TAKE(value);
	*ret_len = attribute.ulValueLen;
	return 0;
}

static int
read_bool(const struct token *token, CK_OBJECT_HANDLE object,
    const struct rule *rule, enum attribute_state *ret_state)
{
	CK_BBOOL value = CK_FALSE;
	CK_ATTRIBUTE attribute = { rule->type, &value, sizeof(value) };
	CK_RV rv = token->module->raw->C_GetAttributeValue(
	    token->session, object, &attribute, 1);

	if (rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    (rv == CKR_OK && attribute.ulValueLen == RAW_UNAVAILABLE)) {
		*ret_state = ATTRIBUTE_ABSENT;
		return 0;
	}
	if (rv != CKR_OK || attribute.ulValueLen != sizeof(value))
		return raw_error(CA_R_TOKEN, rv, "token '%s' does not give %s",
		    token->facts.label, rule->name);
	*ret_state = value == CK_FALSE ? ATTRIBUTE_FALSE : ATTRIBUTE_TRUE;
	return 0;
}

static int
read_mechanism(const struct token *token, CK_OBJECT_HANDLE object,
    unsigned long *ret_mechanism)
{
	CK_MECHANISM_TYPE value = RAW_UNAVAILABLE;
	CK_ATTRIBUTE attribute = { CKA_KEY_GEN_MECHANISM, &value,
		sizeof(value) };
	CK_RV rv = token->module->raw->C_GetAttributeValue(
	    token->session, object, &attribute, 1);

	if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not give CKA_KEY_GEN_MECHANISM",
		    token->facts.label);
	*ret_mechanism = rv == CKR_OK && attribute.ulValueLen == sizeof(value)
	    ? value
	    : RAW_UNAVAILABLE;
	return 0;
}

/* ---- One private key and what is wrong with it ---- */

static void fault(struct findings *findings, const struct key *key,
    const char *id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void
fault(struct findings *findings, const struct key *key, const char *id,
    const char *fmt, ...)
{
	char place[256], text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)snprintf(place, sizeof(place), "key '%s'",
	    key->label != NULL ? key->label : "");
	findings_add(
	    findings, FINDING_ERROR, id, place, P11_PRIVATE, "%s", text);
}

static const char *
state_name(enum attribute_state state)
{
	switch (state) {
	case ATTRIBUTE_FALSE:
		return "false";
	case ATTRIBUTE_TRUE:
		return "true";
	default:
		return "unknown to the module";
	}
}

static bool
is_fit(const struct rule *rule, enum attribute_state state)
{
	return state == rule->wanted ||
	    (state == ATTRIBUTE_ABSENT && !rule->required);
}

static void
judge_attributes(struct key *key, struct findings *findings)
{
	const struct quirk *quirk = key->token->module->quirk;

	if (quirk->refused != NULL)
		fault(findings, key, "KEY-MODULE", "%s", quirk->refused);
	for (size_t i = 0; i < RULES; i++) {
		enum attribute_state state = key->attributes[i].state;

		if (is_fit(&rules[i], state))
			continue;
		if (quirk->unfit_ok != 0 && quirk->unfit_ok == rules[i].type) {
			key->statement.module_quirk = quirk->accepted;
			continue;
		}
		fault(findings, key, rules[i].id, "%s is %s: %s", rules[i].name,
		    state_name(state), rules[i].problem);
	}
}

static void
judge_mechanism(const struct key *key, struct findings *findings)
{
	unsigned long mechanism = key->statement.generation_mechanism;
	bool rsa = mechanism == CKM_RSA_PKCS_KEY_PAIR_GEN ||
	    mechanism == CKM_RSA_X9_31_KEY_PAIR_GEN;

	if (mechanism == RAW_UNAVAILABLE)
		fault(findings, key, "KEY-GEN-MECHANISM",
		    "CKA_KEY_GEN_MECHANISM is unavailable: it was not "
		    "generated on the token");
	else if (!rsa && mechanism != CKM_EC_KEY_PAIR_GEN)
		fault(findings, key, "KEY-GEN-MECHANISM",
		    "CKA_KEY_GEN_MECHANISM is 0x%lx, which generates no RSA "
		    "or EC pair",
		    mechanism);
	else if (key->type != NULL && rsa != (key->type->family == KEY_RSA))
		fault(findings, key, "KEY-GEN-MECHANISM",
		    "CKA_KEY_GEN_MECHANISM 0x%lx does not fit a key of type "
		    "%s",
		    mechanism, key->type->name);
}

static int
read_private(
    const struct token *token, CK_OBJECT_HANDLE object, struct key **ret_key)
{
	AUTO_PTR(key) *key = calloc(1, sizeof(*key));
	struct key_statement *statement = NULL;

	if (key == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a key");
	key->refs = 1;
	key->token = token;
	statement = &key->statement;
	if (raw_read_bytes(token, object, CKA_LABEL, &key->raw_label,
		&key->raw_label_len) != 0 ||
	    raw_read_bytes(token, object, CKA_ID, &key->id, &key->id_len) !=
		0 ||
	    read_mechanism(token, object, &statement->generation_mechanism) !=
		0)
		return -1;
	key->label =
	    text_escape((const char *)key->raw_label, key->raw_label_len);
	if (key->label == NULL)
		return -1;
	for (size_t i = 0; i < RULES; i++) {
		key->attributes[i].name = rules[i].name;
		if (read_bool(token, object, &rules[i],
			&key->attributes[i].state) != 0)
			return -1;
	}
	statement->attributes = key->attributes;
	statement->count = RULES;
	statement->label = key->label;
	statement->id = key->id;
	statement->id_len = key->id_len;
	*ret_key = TAKE(key);
	return 0;
}

/* ---- The public half ---- */

static int
spki_of_params(const char *algorithm, OSSL_PARAM *params, struct key *key)
{
	AUTO(EVP_PKEY_CTX) *ctx =
	    EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	AUTO(EVP_PKEY) *public = NULL;
	int len = 0;

	/* A point that is not on the curve fails here. */
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return -1;
	len = i2d_PUBKEY(public, &key->spki);
	if (len <= 0)
		return -1;
	key->spki_len = (size_t)len;
	key->type = key_type_of_spki(key->spki, key->spki_len);
	return key->type != NULL ? 0 : -1;
}

static int
spki_of_rsa(const struct token *token, CK_OBJECT_HANDLE object, struct key *key,
    bool *ret_good)
{
	AUTO_BYTES(modulus) = NULL;
	AUTO_BYTES(exponent) = NULL;
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *e = NULL;
	AUTO(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
	AUTO(OSSL_PARAM) *params = NULL;
	size_t n_len = 0, e_len = 0;

	if (raw_read_bytes(token, object, CKA_MODULUS, &modulus, &n_len) != 0 ||
	    raw_read_bytes(
		token, object, CKA_PUBLIC_EXPONENT, &exponent, &e_len) != 0)
		return -1;
	n = BN_bin2bn(modulus, (int)n_len, NULL);
	e = BN_bin2bn(exponent, (int)e_len, NULL);
	if (build == NULL || n == NULL || e == NULL ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a public key");
	params = OSSL_PARAM_BLD_to_param(build);
	/* rules.md KEY-RSA-E-RANGE: our own keys have 65537. */
	*ret_good = params != NULL && BN_is_word(e, RSA_F4) == 1 &&
	    spki_of_params("RSA", params, key) == 0;
	return 0;
}

static const struct key_type *
type_of_curve(const unsigned char *params, size_t len)
{
	const struct key_type *type = NULL;

	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++)
		if (type->family == KEY_EC && type->params_len == len &&
		    memcmp(type->params, params, len) == 0)
			return type;
	return NULL;
}

/*
 * rules.md P11-ECPOINT: an OCTET STRING around the point, or the bare point.
 * Both may begin with 0x04; the length tells them apart.
 */
static bool
unwrap_point(
    const struct key_type *type, const unsigned char **point, size_t *len)
{
	size_t wanted = 1 + 2 * ((size_t)(type->bits + 7) / 8);
	size_t header = wanted < 0x80 ? 2 : 3;
	const unsigned char *p = *point;

	if (*len == wanted)
		return true;
	if (*len != header + wanted || p[0] != V_ASN1_OCTET_STRING ||
	    p[header - 1] != wanted || (header == 3 && p[1] != 0x81))
		return false;
	*point += header;
	*len = wanted;
	return true;
}

static int
spki_of_ec(const struct token *token, CK_OBJECT_HANDLE object, struct key *key,
    bool *ret_good)
{
	AUTO_BYTES(curve) = NULL;
	AUTO_BYTES(value) = NULL;
	AUTO(OSSL_PARAM_BLD) *build = OSSL_PARAM_BLD_new();
	AUTO(OSSL_PARAM) *params = NULL;
	const struct key_type *type = NULL;
	const unsigned char *point = NULL;
	size_t curve_len = 0, len = 0;

	if (raw_read_bytes(token, object, CKA_EC_PARAMS, &curve, &curve_len) !=
		0 ||
	    raw_read_bytes(token, object, CKA_EC_POINT, &value, &len) != 0)
		return -1;
	type = type_of_curve(curve, curve_len);
	point = value;
	if (type == NULL || !unwrap_point(type, &point, &len)) {
		*ret_good = false;
		return 0;
	}
	if (build == NULL ||
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
		OBJ_nid2sn(type->curve_nid), 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(
		build, OSSL_PKEY_PARAM_PUB_KEY, point, len) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a public key");
	params = OSSL_PARAM_BLD_to_param(build);
	*ret_good = params != NULL && spki_of_params("EC", params, key) == 0;
	return 0;
}

/* Sets key->spki and key->type, or adds a finding. */
static int
read_public(const struct token *token, CK_OBJECT_HANDLE object, struct key *key,
    struct findings *findings)
{
	CK_KEY_TYPE kind = RAW_UNAVAILABLE;
	CK_ATTRIBUTE attribute = { CKA_KEY_TYPE, &kind, sizeof(kind) };
	CK_RV rv = token->module->raw->C_GetAttributeValue(
	    token->session, object, &attribute, 1);
	bool good = false;
	int result = 0;

	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not give CKA_KEY_TYPE",
		    token->facts.label);
	/* What OpenSSL says of a bad key is told by the finding. */
	(void)ERR_set_mark();
	if (kind == CKK_RSA)
		result = spki_of_rsa(token, object, key, &good);
	else if (kind == CKK_EC)
		result = spki_of_ec(token, object, key, &good);
	if (result != 0) {
		(void)ERR_clear_last_mark();
		return -1;
	}
	(void)ERR_pop_to_mark();
	if (!good) {
		key->type = NULL;
		fault(findings, key, "KEY-TYPE",
		    "its public object holds no key of a type that ca-tool "
		    "uses, or a malformed one");
	}
	return 0;
}

/* ---- The pair ---- */

static int
count_objects(const struct token *token, CK_OBJECT_CLASS class,
    CK_ATTRIBUTE_TYPE type, const unsigned char *value, size_t len,
    size_t *ret_count, CK_OBJECT_HANDLE *ret_first)
{
	AUTO_STRUCT(handles) found = { 0 };

	if (raw_find_class(token, class, type, value, len, &found) != 0)
		return -1;
	*ret_count = found.count;
	if (found.count > 0 && ret_first != NULL)
		*ret_first = found.list[0];
	return 0;
}

static int
judge_unique(const struct token *token, const struct key *key,
    CK_OBJECT_CLASS class, struct findings *findings)
{
	const char *what = class == CKO_PRIVATE_KEY ? "private" : "public";
	size_t same_id = 0, same_label = 0;

	if (count_objects(token, class, CKA_ID, key->id, key->id_len, &same_id,
		NULL) != 0 ||
	    count_objects(token, class, CKA_LABEL, key->raw_label,
		key->raw_label_len, &same_label, NULL) != 0)
		return -1;
	if (same_id > 1)
		fault(findings, key, "KEY-DUPLICATE-ID",
		    "%zu %s keys have its CKA_ID", same_id, what);
	if (same_label > 1)
		fault(findings, key, "KEY-DUPLICATE-LABEL",
		    "%zu %s keys have its label", same_label, what);
	return 0;
}

static int
read_pair(const struct token *token, CK_OBJECT_HANDLE private,
    struct findings *findings, struct key **ret_key)
{
	AUTO_PTR(key) *key = NULL;
	CK_OBJECT_HANDLE public = 0;
	size_t publics = 0;

	if (read_private(token, private, &key) != 0)
		return -1;
	judge_attributes(key, findings);
	if (key->id_len == 0)
		fault(findings, key, "KEY-NO-ID", "it has no CKA_ID");
	if (judge_unique(token, key, CKO_PRIVATE_KEY, findings) != 0 ||
	    judge_unique(token, key, CKO_PUBLIC_KEY, findings) != 0 ||
	    count_objects(token, CKO_PUBLIC_KEY, CKA_ID, key->id, key->id_len,
		&publics, &public) != 0)
		return -1;
	if (publics == 0)
		fault(findings, key, "KEY-NO-PUBLIC",
		    "no public key has its CKA_ID");
	else if (read_public(token, public, key, findings) != 0)
		return -1;
	judge_mechanism(key, findings);
	*ret_key = TAKE(key);
	return 0;
}

/* ---- The EVP_PKEY ---- */

static bool
same_public(EVP_PKEY *evp, const struct key *key)
{
	AUTO_DER(der) = NULL;
	int len = i2d_PUBKEY(evp, &der);

	return len > 0 && (size_t)len == key->spki_len &&
	    memcmp(der, key->spki, key->spki_len) == 0;
}

/*
 * libp11 takes an EC key's point from whatever public object it finds: the
 * EVP_PKEY counts only if its public half is the one that was read here.
 */
static int
load_evp(const struct token *token, struct key *key, struct findings *findings)
{
	PKCS11_KEY *list = NULL;
	unsigned count = 0;
	bool seen = false;

	if (PKCS11_enumerate_keys(token->p11_slot->token, &list, &count) != 0)
		return ca_error(CA_R_KEY,
		    "libp11 cannot list the keys of token '%s'; a key of a "
		    "kind that it does not know, such as Ed25519, has this "
		    "effect and must not be on the token",
		    token->facts.label);
	for (unsigned i = 0; i < count && key->evp == NULL; i++) {
		AUTO(EVP_PKEY) *evp = NULL;

		if (list[i].id_len != key->id_len ||
		    memcmp(list[i].id, key->id, key->id_len) != 0)
			continue;
		seen = true;
		evp = PKCS11_get_private_key(&list[i]);
		if (evp != NULL && same_public(evp, key))
			key->evp = TAKE(evp);
	}
	if (key->evp == NULL)
		fault(findings, key,
		    seen ? "KEY-PUBLIC-MISMATCH" : "KEY-NOT-USABLE",
		    seen ? "its public object is not that of the private key"
			 : "libp11 does not show it");
	return 0;
}

/* ---- Finding and keeping ---- */

static struct key *
kept_key(const struct token *token, const unsigned char *id, size_t id_len)
{
	for (struct key *key = token->keys; key != NULL; key = key->next)
		if (key->id_len == id_len && memcmp(key->id, id, id_len) == 0)
			return key;
	return NULL;
}

static void
keep(struct token *token, struct key *key)
{
	key->refs++;
	key->next = token->keys;
	token->keys = key;
}

void
key_drop_kept(struct token *token)
{
	while (token->keys != NULL) {
		struct key *key = token->keys;

		token->keys = key->next;
		key->next = NULL;
		key_free(key);
	}
}

void
key_forget_checks(struct token *token)
{
	key_drop_kept(token);
}

static int
refused(const unsigned char *id, size_t id_len, const char *why)
{
	AUTO_CHARS(hex) = text_hex(id, id_len);

	if (hex == NULL)
		return -1;
	return ca_error(
	    CA_R_KEY, "key with CKA_ID '%s' is refused: %s", hex, why);
}

/* Read the pair anew into *ret_key; what is wrong with it into `found`. */
static int
check_pair(struct token *token, const unsigned char *id, size_t id_len,
    struct findings *found, struct key **ret_key)
{
	AUTO_PTR(key) *key = NULL;
	CK_OBJECT_HANDLE private = 0;
	size_t count = 0;

	if (count_objects(token, CKO_PRIVATE_KEY, CKA_ID, id, id_len, &count,
		&private) != 0)
		return -1;
	if (id_len == 0 || count == 0) {
		findings_add(found, FINDING_ERROR, "KEY-MISSING", NULL, NULL,
		    "token '%s' has no private key with this CKA_ID",
		    token->facts.label);
		return 0;
	}
	if (read_pair(token, private, found, &key) != 0)
		return -1;
	if (found->errors == 0 && load_evp(token, key, found) != 0)
		return -1;
	*ret_key = TAKE(key);
	return 0;
}

int
key_find(struct token *token, const unsigned char *id, size_t id_len,
    struct findings *findings, struct key **ret_key)
{
	AUTO_STRUCT(findings) found = { 0 };
	AUTO_PTR(key) *key = NULL;
	struct key *kept = NULL;

	if (token_need_login(token) != 0)
		return -1;
	kept = kept_key(token, id, id_len);
	if (kept != NULL) {
		kept->refs++;
		*ret_key = kept;
		return 0;
	}
	if (check_pair(token, id, id_len, &found, &key) != 0)
		return -1;
	findings_merge(findings, &found);
	if (found.errors != 0)
		return refused(id, id_len,
		    found.count > 0 ? found.rows[0].text : "no memory");
	keep(token, key);
	*ret_key = TAKE(key);
	return 0;
}

/* Reads pairs until one has the public key; *ret_key keeps the first. */
static int
match_spki(struct token *token, CK_OBJECT_HANDLE private,
    const unsigned char *spki, size_t spki_len, size_t *count,
    struct key **ret_key)
{
	AUTO_STRUCT(findings) found = { 0 };
	AUTO_PTR(key) *key = NULL;

	if (read_pair(token, private, &found, &key) != 0)
		return -1;
	if (key->spki_len != spki_len || memcmp(key->spki, spki, spki_len) != 0)
		return 0;
	if ((*count)++ == 0)
		*ret_key = TAKE(key);
	return 0;
}

int
key_find_spki(struct token *token, const unsigned char *spki, size_t spki_len,
    struct findings *findings, struct key **ret_key)
{
	AUTO_STRUCT(handles) privates = { 0 };
	AUTO_PTR(key) *match = NULL;
	size_t count = 0;

	if (token_need_login(token) != 0 ||
	    raw_find_class(token, CKO_PRIVATE_KEY, 0, NULL, 0, &privates) != 0)
		return -1;
	for (size_t i = 0; i < privates.count; i++)
		if (match_spki(token, privates.list[i], spki, spki_len, &count,
			&match) != 0)
			return -1;
	if (count == 0)
		return ca_error(CA_R_KEY,
		    "token '%s' has no private key whose public object holds "
		    "this public key",
		    token->facts.label);
	if (count > 1)
		return ca_error(CA_R_KEY,
		    "token '%s' has %zu private keys with this public key; "
		    "exactly one may have it",
		    token->facts.label, count);
	return key_find(token, match->id, match->id_len, findings, ret_key);
}

int
key_each(struct token *token,
    int (*visit)(void *ctx, const struct key_statement *statement,
	const char *type, const char *fault),
    void *ctx)
{
	AUTO_STRUCT(handles) privates = { 0 };

	if (token_need_login(token) != 0 ||
	    raw_find_class(token, CKO_PRIVATE_KEY, 0, NULL, 0, &privates) != 0)
		return -1;
	for (size_t i = 0; i < privates.count; i++) {
		AUTO_STRUCT(findings) found = { 0 };
		AUTO_PTR(key) *key = NULL;
		const char *why = NULL;

		if (read_pair(token, privates.list[i], &found, &key) != 0)
			return -1;
		if (found.errors != 0)
			why =
			    found.count > 0 ? found.rows[0].text : "no memory";
		if (visit(ctx, &key->statement,
			key->type != NULL ? key->type->name : "unknown",
			why) != 0)
			return -1;
	}
	return 0;
}

/* ---- Destroying ---- */

/*
 * SoftHSM creates an object first and gives it its CKA_ID later: on the
 * embedded token, which only ca-tool writes, a key without one is what a cut
 * generation left.  (One without a class goes when the module is opened.)
 */
static bool
is_wreck(const struct token *token, CK_OBJECT_HANDLE object)
{
	CK_OBJECT_CLASS class = RAW_UNAVAILABLE;
	unsigned char id[KEY_ID_LEN];
	CK_ATTRIBUTE kind = { CKA_CLASS, &class, sizeof(class) };
	CK_ATTRIBUTE name = { CKA_ID, id, sizeof(id) };
	CK_FUNCTION_LIST *raw = token->module->raw;
	CK_RV rv = raw->C_GetAttributeValue(token->session, object, &kind, 1);

	if (rv != CKR_OK ||
	    (class != CKO_PRIVATE_KEY && class != CKO_PUBLIC_KEY))
		return false;
	rv = raw->C_GetAttributeValue(token->session, object, &name, 1);
	return rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    (rv == CKR_OK && name.ulValueLen == 0);
}

static int
destroy_class(struct token *token, CK_OBJECT_CLASS class,
    const unsigned char *id, size_t id_len, unsigned *count)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	AUTO_STRUCT(handles) found = { 0 };

	if (raw_find_class(token, class, CKA_ID, id, id_len, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		CK_RV rv = raw->C_DestroyObject(token->session, found.list[i]);

		if (rv != CKR_OK)
			return raw_error(CA_R_TOKEN, rv,
			    "an object of token '%s' cannot be destroyed",
			    token->facts.label);
		(*count)++;
	}
	return 0;
}

static int
destroy_wrecks(struct token *token)
{
	CK_FUNCTION_LIST *raw = token->module->raw;
	AUTO_STRUCT(handles) found = { 0 };

	if (token->module->embedded_dir == NULL)
		return 0;
	if (find_objects(token, NULL, 0, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		CK_RV rv = CKR_OK;

		if (!is_wreck(token, found.list[i]))
			continue;
		rv = raw->C_DestroyObject(token->session, found.list[i]);
		if (rv != CKR_OK)
			return raw_error(CA_R_TOKEN, rv,
			    "what a cut key generation left on token '%s' "
			    "cannot be destroyed",
			    token->facts.label);
	}
	return 0;
}

static int
destroy_all(struct token *token, const unsigned char *id, size_t id_len,
    unsigned *count)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
		CKO_PUBLIC_KEY, CKO_CERTIFICATE };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (destroy_class(token, classes[i], id, id_len, count) != 0)
			return -1;
	return destroy_wrecks(token);
}

int
key_destroy(struct token *token, const unsigned char *id, size_t id_len,
    unsigned *ret_count)
{
	AUTO_STRUCT(guard) guard = { 0 };
	unsigned count = 0;
	int result = 0;

	if (token_need_login(token) != 0)
		return -1;
	if (id_len == 0)
		return ca_error(CA_R_INTERNAL, "no CKA_ID to destroy");
	key_forget_checks(token);
	if (guard_begin(token->module, &guard) != 0)
		return -1;
	result = destroy_all(token, id, id_len, &count);
	if (guard_end(&guard, GUARD_KEYS) != 0 || result != 0)
		return -1;
	if (ret_count != NULL)
		*ret_count = count;
	return 0;
}

/* ---- Generating ---- */

_Static_assert(RULES + 8 <= TEMPLATE_MAX, "templates hold all attributes");

void
template_add(struct template *template, CK_ATTRIBUTE_TYPE type,
    const void *value, size_t len)
{
	union {
		const void *in;
		void *out;
	} bytes = { .in = value };

	template->rows[template->count++] =
	    (CK_ATTRIBUTE){ type, bytes.out, len };
}

void
template_add_bool(struct template *template, CK_ATTRIBUTE_TYPE type, bool value)
{
	static const CK_BBOOL no = CK_FALSE, yes = CK_TRUE;

	template_add(template, type, value ? &yes : &no, sizeof(CK_BBOOL));
}

bool
quirk_may_name(const struct quirk *quirk, CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0;
	     i < sizeof(quirk->not_named) / sizeof(quirk->not_named[0]); i++)
		if (quirk->not_named[i] != 0 && quirk->not_named[i] == type)
			return false;
	return true;
}

/* Each attribute that is checked later and is ours to set, as it must be. */
static void
fill_private(struct template *template, const struct quirk *quirk)
{
	for (size_t i = 0; i < RULES; i++)
		if (!rules[i].by_token && quirk_may_name(quirk, rules[i].type))
			template_add_bool(template, rules[i].type,
			    rules[i].wanted == ATTRIBUTE_TRUE);
}

static void
fill_public(struct template *template, const struct key_type *type,
    const CK_ULONG *bits)
{
	static const unsigned char f4[] = { 0x01, 0x00, 0x01 };

	template_add_bool(template, CKA_TOKEN, true);
	template_add_bool(template, CKA_PRIVATE, false);
	template_add_bool(template, CKA_VERIFY, true);
	template_add_bool(template, CKA_ENCRYPT, false);
	template_add_bool(template, CKA_WRAP, false);
	template_add_bool(template, CKA_VERIFY_RECOVER, false);
	template_add_bool(template, CKA_DERIVE, false);
	template_add_bool(template, CKA_MODIFIABLE, false);
	template_add_bool(template, CKA_COPYABLE, false);
	if (type->family == KEY_EC) {
		template_add(
		    template, CKA_EC_PARAMS, type->params, type->params_len);
		return;
	}
	template_add(template, CKA_MODULUS_BITS, bits, sizeof(*bits));
	template_add(template, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
}

static const CK_OBJECT_CLASS pair_classes[] = { CKO_PRIVATE_KEY,
	CKO_PUBLIC_KEY };

enum { PAIR_CLASSES = sizeof(pair_classes) / sizeof(pair_classes[0]) };

int
key_label_check(struct token *token, const char *label)
{
	size_t same = 0;

	if (token_need_login(token) != 0)
		return -1;
	for (size_t i = 0; i < PAIR_CLASSES; i++) {
		if (count_objects(token, pair_classes[i], CKA_LABEL,
			(const unsigned char *)label, strlen(label), &same,
			NULL) != 0)
			return -1;
		if (same > 0)
			return ca_error(CA_R_KEY,
			    "token '%s' has a key called '%s' already",
			    token->facts.label, label);
	}
	return 0;
}

static int
refuse_used(
    struct token *token, const char *label, const unsigned char id[KEY_ID_LEN])
{
	size_t same = 0;

	for (size_t i = 0; i < PAIR_CLASSES; i++) {
		if (count_objects(token, pair_classes[i], CKA_ID, id,
			KEY_ID_LEN, &same, NULL) != 0)
			return -1;
		if (same > 0)
			return ca_error(CA_R_KEY,
			    "token '%s' has an object with the CKA_ID chosen "
			    "for key '%s'",
			    token->facts.label, label);
	}
	return key_label_check(token, label);
}

int
raw_generate_pair(struct token *token, const struct key_type *type,
    struct template *public, struct template *private)
{
	AUTO_STRUCT(guard) guard = { 0 };
	CK_MECHANISM mechanism = { type->family == KEY_RSA
		    ? CKM_RSA_PKCS_KEY_PAIR_GEN
		    : CKM_EC_KEY_PAIR_GEN,
		NULL, 0 };
	CK_OBJECT_HANDLE public_object = 0, private_object = 0;
	CK_RV rv = CKR_OK;

	if (guard_begin(token->module, &guard) != 0)
		return -1;
	rv = token->module->raw->C_GenerateKeyPair(token->session, &mechanism,
	    public->rows, public->count, private->rows, private->count,
	    &public_object, &private_object);
	if (guard_end(&guard, GUARD_KEYS) != 0)
		return -1;
	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' cannot generate a key of type %s",
		    token->facts.label, type->name);
	return 0;
}

static int
check_generated(struct token *token, const struct key_type *type,
    const unsigned char id[KEY_ID_LEN], struct key **ret_key)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(key) *key = NULL;

	if (key_find(token, id, KEY_ID_LEN, &findings, &key) != 0)
		return -1;
	if (key->type != type)
		return ca_error(CA_R_KEY,
		    "token '%s' generated a key of type %s instead of %s",
		    token->facts.label, key->type->name, type->name);
	*ret_key = TAKE(key);
	return 0;
}

int
key_generate(struct token *token, const struct key_type *type,
    const char *label, const unsigned char id[KEY_ID_LEN], struct key **ret_key)
{
	struct template private = { .count = 0 }, public = { .count = 0 };
	CK_ULONG bits = type->bits;
	size_t len = strlen(label);

	if (token_need_login(token) != 0 || token_offers(token, type) != 0)
		return -1;
	if (len == 0)
		return ca_error(CA_R_KEY, "a key needs a label");
	if (refuse_used(token, label, id) != 0)
		return -1;
	template_add(&private, CKA_LABEL, label, len);
	template_add(&private, CKA_ID, id, KEY_ID_LEN);
	fill_private(&private, token->module->quirk);
	template_add(&public, CKA_LABEL, label, len);
	template_add(&public, CKA_ID, id, KEY_ID_LEN);
	fill_public(&public, type, &bits);
	if (raw_generate_pair(token, type, &public, &private) != 0)
		return -1;
	return check_generated(token, type, id, ret_key);
}

/* ---- Answers ---- */

const struct key_statement *
key_statement(const struct key *key)
{
	return &key->statement;
}

const struct key_type *
key_type(const struct key *key)
{
	return key->type;
}

void
key_spki(const struct key *key, const unsigned char **ret_spki, size_t *ret_len)
{
	*ret_spki = key->spki;
	*ret_len = key->spki_len;
}

EVP_PKEY *
key_evp(const struct key *key)
{
	return key->evp;
}

void
key_free(struct key *key)
{
	if (--key->refs > 0)
		return;
	EVP_PKEY_free(key->evp);
	OPENSSL_free(key->spki);
	free(key->label);
	free(key->raw_label);
	free(key->id);
	free(key);
}
