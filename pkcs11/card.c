#include "pkcs11/card.h"

#include <p11-kit/uri.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/rand.h>
#include <openssl/ui.h>

#include "base/text.h"
#include "pkcs11/raw.h"

CLEANUP_DEFINE(P11KitUri, p11_kit_uri_free);

#define ADDRESS_QUERY "x-server-address"
#define ADDRESS_VARIABLE "P11_KIT_SERVER_ADDRESS"
#define RFC_URI "RFC 7512, section 2.3"

enum { KEYS_MAX = 16 };

struct card {
	P11KitUri *uri;
	struct module *own;    /* opened for this card, or NULL */
	struct module *module; /* that one, or the authority's */
	struct token *token;
	struct secret pin; /* for a key that wants it for each use */
	UI_METHOD *prompt;
	EVP_PKEY *keys[KEYS_MAX];
	size_t key_count;
};

/* ---- The URI ---- */

/* Text of a fixed-length field that the URI sets; NULL where it does not. */
static int
field_text(
    const unsigned char *field, size_t len, const char *name, char **ret_text)
{
	AUTO_CHARS(text) = NULL;

	if (field[0] == '\0')
		return 0;
	while (len > 0 && field[len - 1] == ' ')
		len--;
	if (len == 0 || memchr(field, '\0', len) != NULL)
		return ca_error(CA_R_USAGE,
		    "the '%s' of a card's pkcs11: URI is empty or has a NUL",
		    name);
	text = strndup((const char *)field, len);
	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a PKCS#11 URI");
	*ret_text = TAKE(text);
	return 0;
}

/* What chooses the token: label, serial, or both; free(). */
struct wanted {
	char *label, *serial;
};

static void
wanted_clear(struct wanted *wanted)
{
	free(wanted->label);
	free(wanted->serial);
	*wanted = (struct wanted){ 0 };
}

CLEANUP_DEFINE_STRUCT(wanted);

static int
uri_wanted(P11KitUri *uri, struct wanted *ret_wanted)
{
	AUTO_STRUCT(wanted) wanted = { 0 };
	const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(uri);

	if (field_text(info->label, sizeof(info->label), "token",
		&wanted.label) != 0 ||
	    field_text(info->serialNumber, sizeof(info->serialNumber), "serial",
		&wanted.serial) != 0)
		return -1;
	if (wanted.label == NULL && wanted.serial == NULL)
		return ca_error(CA_R_USAGE,
		    "a card's pkcs11: URI names neither 'token' nor 'serial'");
	*ret_wanted = wanted;
	wanted = (struct wanted){ 0 };
	return 0;
}

/* A PIN in the URI would stand in the shell's history and in ps. */
static int
refuse_pin(const P11KitUri *uri)
{
	if (p11_kit_uri_get_pin_value(uri) == NULL &&
	    p11_kit_uri_get_pin_source(uri) == NULL)
		return 0;
	return ca_error(CA_R_USAGE,
	    "a card's pkcs11: URI has 'pin-value' or 'pin-source'; leave it "
	    "out: the PIN is asked for");
}

/*
 * The attributes that are listened to.  Any other must not seem to be, and one
 * that is there twice would be read by its last (RFC 7512, section 2.3, forbids
 * it): p11-kit minds neither.
 */
static const char *const attributes[] = { "token", "serial", "manufacturer",
	"model", "id", "object", "type", "module-path", ADDRESS_QUERY };

enum { ATTRIBUTES = sizeof(attributes) / sizeof(attributes[0]) };

static bool
is_called(const char *text, size_t len, const char *name)
{
	return strlen(name) == len && strncmp(text, name, len) == 0;
}

static int
refuse_others(const char *text, unsigned *ret_seen)
{
	const char *p = strchr(text, ':') + 1;
	unsigned seen = 0;

	while (*p != '\0') {
		size_t len = strcspn(p, "=;?&"), i = 0;

		while (i < ATTRIBUTES && !is_called(p, len, attributes[i]))
			i++;
		if (len > 0 && i == ATTRIBUTES)
			return ca_error(CA_R_USAGE,
			    "a card's pkcs11: URI has the attribute '%.*s', "
			    "which is not listened to; use token, serial, "
			    "manufacturer, model, id, object, module-path "
			    "and " ADDRESS_QUERY,
			    (int)len, p);
		if (len > 0 && (seen & 1U << i) != 0)
			return ca_error(CA_R_USAGE,
			    "a card's pkcs11: URI has '%s' twice (" RFC_URI ")",
			    attributes[i]);
		if (len > 0)
			seen |= 1U << i;
		p += strcspn(p, ";?&");
		p += *p != '\0' ? 1 : 0;
	}
	*ret_seen = seen;
	return 0;
}

/* p11-kit takes a text that is too long for none. */
static int
check_fields(P11KitUri *uri, unsigned seen)
{
	const CK_TOKEN_INFO *info = p11_kit_uri_get_token_info(uri);
	/* In the order of the table above. */
	const unsigned char first[] = { info->label[0], info->serialNumber[0],
		info->manufacturerID[0], info->model[0] };

	for (size_t i = 0; i < sizeof(first); i++)
		if ((seen & 1U << i) != 0 && first[i] == '\0')
			return ca_error(CA_R_USAGE,
			    "the '%s' of a card's pkcs11: URI is empty or "
			    "longer than the token's",
			    attributes[i]);
	return 0;
}

static int
check_class(P11KitUri *uri)
{
	const CK_ATTRIBUTE *class = p11_kit_uri_get_attribute(uri, CKA_CLASS);
	CK_OBJECT_CLASS value = CKO_PRIVATE_KEY;

	if (class != NULL && class->ulValueLen == sizeof(value))
		memcpy(&value, class->pValue, sizeof(value));
	if (value != CKO_PRIVATE_KEY)
		return ca_error(CA_R_USAGE,
		    "a card's pkcs11: URI names no private key; leave 'type' "
		    "out");
	return 0;
}

static int
check_module_path(const P11KitUri *uri)
{
	const char *path = p11_kit_uri_get_module_path(uri);

	if (path == NULL)
		return ca_error(CA_R_USAGE,
		    "a card's pkcs11: URI has no 'module-path'; add "
		    "'?module-path=' and the library that came with the card");
	if (path[0] != '/')
		return ca_error(CA_R_USAGE,
		    "the module-path '%s' of a card's pkcs11: URI is not "
		    "absolute",
		    path);
	return 0;
}

/* The whole URI is never quoted: it might contain a PIN. */
static int
uri_parse(const char *text, P11KitUri **ret_uri)
{
	AUTO(P11KitUri) *uri = p11_kit_uri_new();
	AUTO_STRUCT(wanted) wanted = { 0 };
	unsigned seen = 0;
	int result = 0;

	if (uri == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a PKCS#11 URI");
	result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri);
	if (result != P11_KIT_URI_OK)
		return ca_error(CA_R_USAGE,
		    "a card's pkcs11: URI is malformed (" RFC_URI "): %s",
		    p11_kit_uri_message(result));
	if (refuse_pin(uri) != 0 || refuse_others(text, &seen) != 0 ||
	    check_fields(uri, seen) != 0 || check_class(uri) != 0 ||
	    check_module_path(uri) != 0 || uri_wanted(uri, &wanted) != 0)
		return -1;
	*ret_uri = TAKE(uri);
	return 0;
}

int
card_uri_check(const char *uri)
{
	AUTO(P11KitUri) *parsed = NULL;

	return uri_parse(uri, &parsed);
}

int
card_uri_name(const char *uri, char **ret_name)
{
	AUTO(P11KitUri) *parsed = NULL;
	AUTO_STRUCT(wanted) wanted = { 0 };
	char *name = NULL;

	if (uri_parse(uri, &parsed) != 0 || uri_wanted(parsed, &wanted) != 0)
		return -1;
	name = wanted.label != NULL
	    ? text_printf("token '%s'", wanted.label)
	    : text_printf("token with serial '%s'", wanted.serial);
	if (name == NULL)
		return -1;
	*ret_name = name;
	return 0;
}

/* ---- Opening ---- */

static bool
same_file(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/*
 * p11-kit's client module reads the address when it is loaded, by libp11 and by
 * us, and nowhere else.
 */
static int
open_at(const char *path, const char *address, struct module **ret_module)
{
	int result = 0;

	if (setenv(ADDRESS_VARIABLE, address, 1) != 0)
		return ca_error(CA_R_MEMORY, "no memory for a server address");
	result = module_open_alone(path, ret_module);
	(void)unsetenv(ADDRESS_VARIABLE);
	return result;
}

static int
choose_module(struct card *card, struct module *in_use)
{
	const char *path = p11_kit_uri_get_module_path(card->uri);
	const char *address =
	    p11_kit_uri_get_vendor_query(card->uri, ADDRESS_QUERY);
	int result = 0;

	if (in_use != NULL && address == NULL &&
	    same_file(path, in_use->facts.path)) {
		if (in_use->embedded_dir != NULL)
			return ca_error(CA_R_MODULE,
			    "module '%s' serves the authority's own token and "
			    "cannot serve a second one; reach the card "
			    "through p11-kit server",
			    path);
		card->module = in_use;
		return 0;
	}
	result = address != NULL ? open_at(path, address, &card->own)
				 : module_open_alone(path, &card->own);
	card->module = card->own;
	return result;
}

/* Manufacturer and model, too, where the URI names them. */
static int
check_token(const struct card *card)
{
	const struct token *token = card->token;
	const struct token *other = card->module->session;
	CK_TOKEN_INFO info = { 0 };
	CK_RV rv = card->module->raw->C_GetTokenInfo(token->slot, &info);

	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv, "token '%s' does not answer",
		    token->facts.label);
	if (p11_kit_uri_match_token_info(card->uri, &info) != 1)
		return ca_error(CA_R_TOKEN,
		    "token '%s' is of another manufacturer or model ('%s', "
		    "'%s') than the card that was named",
		    token->facts.label, token->facts.manufacturer,
		    token->facts.model);
	if (other != NULL && other->slot == token->slot)
		return ca_error(CA_R_TOKEN,
		    "token '%s' is the authority's own and no operator's card",
		    token->facts.label);
	return 0;
}

int
card_open(const char *uri, struct module *in_use, struct card **ret_card)
{
	AUTO_PTR(card) *card = calloc(1, sizeof(*card));
	AUTO_STRUCT(wanted) wanted = { 0 };

	if (card == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a card");
	if (uri_parse(uri, &card->uri) != 0 ||
	    uri_wanted(card->uri, &wanted) != 0 ||
	    choose_module(card, in_use) != 0 ||
	    token_find(
		card->module, wanted.label, wanted.serial, &card->token) != 0 ||
	    check_token(card) != 0)
		return -1;
	card->token->guest = card->own == NULL;
	*ret_card = TAKE(card);
	return 0;
}

const struct token_facts *
card_facts(const struct card *card)
{
	return token_facts(card->token);
}

struct token *
card_token(const struct card *card)
{
	return card->token;
}

/* ---- Login ---- */

/* Gives the kept PIN where libp11 would ask the terminal. */
static int
give_pin(UI *ui, UI_STRING *string)
{
	const struct secret *pin = UI_get0_user_data(ui);

	if (UI_get_string_type(string) != UIT_PROMPT)
		return 1;
	if (pin == NULL || pin->bytes == NULL)
		return -1;
	if (UI_set_result(ui, string, pin->bytes) != 0) {
		(void)ca_error(CA_R_PIN,
		    "this key wants its PIN for each use, and libp11 takes 4 "
		    "to 32 characters for that");
		return -1;
	}
	return 1;
}

/* Method and PIN stand in the module's context until card_free(). */
static int
arm_prompt(struct card *card, const struct secret *pin)
{
	if (secret_copy(pin->bytes, pin->len, &card->pin) != 0)
		return -1;
	card->prompt = UI_create_method("ca-tool card PIN");
	if (card->prompt == NULL ||
	    UI_method_set_reader(card->prompt, give_pin) != 0 ||
	    PKCS11_set_ui_method(card->module->p11, card->prompt, &card->pin) !=
		0)
		return ca_error(CA_R_INTERNAL,
		    "libp11 cannot be told how to ask for a PIN");
	return 0;
}

static void
disarm_prompt(struct card *card)
{
	if (card->prompt != NULL) {
		(void)PKCS11_set_ui_method(
		    card->module->p11, card->module->no_prompt, NULL);
		UI_destroy_method(card->prompt);
	}
	card->prompt = NULL;
	secret_clear(&card->pin);
}

int
card_login(struct card *card, const struct secret *pin)
{
	if (token_login(card->token, pin) != 0)
		return -1;
	/* On a PIN pad the card asks again by itself. */
	if (pin == NULL || arm_prompt(card, pin) == 0)
		return 0;
	disarm_prompt(card);
	token_logout(card->token);
	return -1;
}

/* ---- What a key is for ---- */

/* libp11 sends what is sealed with OAEP as raw RSA. */
static const struct use {
	enum key_family family;
	enum card_key_use use;
	CK_ATTRIBUTE_TYPE private, public; /* what each half may do */
	CK_MECHANISM_TYPE mechanism;
	CK_FLAGS flag;
	const char *name;
} uses[] = {
	{ KEY_RSA, CARD_SIGN, CKA_SIGN, CKA_VERIFY, CKM_RSA_PKCS, CKF_SIGN,
	    "CKM_RSA_PKCS" },
	{ KEY_EC, CARD_SIGN, CKA_SIGN, CKA_VERIFY, CKM_ECDSA, CKF_SIGN,
	    "CKM_ECDSA" },
	{ KEY_RSA, CARD_DECRYPT, CKA_DECRYPT, CKA_ENCRYPT, CKM_RSA_X_509,
	    CKF_DECRYPT, "CKM_RSA_X_509" },
	/* The public half of a key agreement has nothing to do. */
	{ KEY_EC, CARD_DECRYPT, CKA_DERIVE, CKA_DERIVE, CKM_ECDH1_DERIVE,
	    CKF_DERIVE, "CKM_ECDH1_DERIVE" },
};

static const struct use *
use_of(enum key_family family, enum card_key_use use)
{
	const struct use *row = uses;

	while (row->family != family || row->use != use)
		row++;
	return row;
}

/* p11-kit 0.24, for one, does not pass ECDH on from a server. */
static int
check_mechanism(const struct card *card, const struct use *use)
{
	CK_MECHANISM_INFO info = { 0 };
	CK_RV rv = card->module->raw->C_GetMechanismInfo(
	    card->token->slot, use->mechanism, &info);

	if (rv == CKR_OK && (info.flags & use->flag) != 0)
		return 0;
	if (rv != CKR_OK && rv != CKR_MECHANISM_INVALID)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not describe %s", card->token->facts.label,
		    use->name);
	return ca_error(CA_R_TOKEN,
	    "token '%s' cannot %s with %s keys: the card, or the module on the "
	    "way to it, lacks %s; use %s keys",
	    card->token->facts.label,
	    use->use == CARD_SIGN ? "sign" : "decrypt",
	    use->family == KEY_RSA ? "RSA" : "EC", use->name,
	    use->family == KEY_RSA ? "EC" : "RSA");
}

/* ---- Finding a key ---- */

static int
keep_key(struct card *card, EVP_PKEY *key, EVP_PKEY **ret_key)
{
	if (card->key_count == KEYS_MAX)
		return ca_error(
		    CA_R_INTERNAL, "too many keys of one card are in use");
	if (EVP_PKEY_up_ref(key) != 1)
		return ca_error(CA_R_INTERNAL, "a key cannot be kept");
	card->keys[card->key_count++] = key;
	*ret_key = key;
	return 0;
}

static int
list_keys(const struct card *card, PKCS11_KEY **ret_list, unsigned *ret_count)
{
	if (PKCS11_enumerate_keys(
		card->token->p11_slot->token, ret_list, ret_count) != 0)
		return ca_error(CA_R_KEY,
		    "libp11 cannot list the keys of token '%s'; was the card "
		    "taken out? A key of a kind that libp11 does not know, "
		    "such as Ed25519, has this effect as well",
		    card->token->facts.label);
	return 0;
}

static bool
uri_allows(const struct card *card, const PKCS11_KEY *key)
{
	const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(card->uri, CKA_ID);
	const CK_ATTRIBUTE *label =
	    p11_kit_uri_get_attribute(card->uri, CKA_LABEL);
	const char *name = key->label != NULL ? key->label : "";

	if (id != NULL &&
	    (id->ulValueLen != key->id_len ||
		memcmp(id->pValue, key->id, key->id_len) != 0))
		return false;
	return label == NULL ||
	    (label->ulValueLen == strlen(name) &&
		memcmp(label->pValue, name, strlen(name)) == 0);
}

/* Does the card hold a certificate of `public` beside the key `id`? */
static int
has_certificate(const struct card *card, const PKCS11_KEY *key,
    const EVP_PKEY *public, bool *ret_found)
{
	AUTO_STRUCT(handles) found = { 0 };

	if (key->id_len == 0)
		return 0;
	if (raw_find_class(card->token, CKO_CERTIFICATE, CKA_ID, key->id,
		key->id_len, &found) != 0)
		return -1;
	for (size_t i = 0; i < found.count; i++) {
		AUTO_BYTES(der) = NULL;
		AUTO(X509) *certificate = NULL;
		const unsigned char *p = NULL;
		size_t len = 0;

		if (raw_read_bytes(
			card->token, found.list[i], CKA_VALUE, &der, &len) != 0)
			return -1;
		p = der;
		certificate = d2i_X509(NULL, &p, (long)len);
		if (certificate != NULL &&
		    EVP_PKEY_eq(X509_get0_pubkey(certificate), public) == 1)
			*ret_found = true;
	}
	return 0;
}

/* Every RSA key shows its modulus; an EC key may come without its point. */
static bool
has_point(EVP_PKEY *key)
{
	AUTO_DER(point) = NULL;

	return EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
	    EVP_PKEY_get1_encoded_public_key(key, &point) > 0;
}

/* Give an EC key the point that its card does not show. */
static int
lend_point(EVP_PKEY *key, EVP_PKEY *public)
{
	AUTO_DER(point) = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(public, &point);

	if (len == 0 || EVP_PKEY_set1_encoded_public_key(key, point, len) != 1)
		return ca_error(CA_R_KEY,
		    "the card's key is not on the curve of its certificate");
	return 0;
}

static bool
same_curve(const EVP_PKEY *key, const EVP_PKEY *public)
{
	return EVP_PKEY_parameters_eq(key, public) == 1;
}

/* *ret_key: the key, where it is the private one of `public`. */
static int
match_key(const struct card *card, PKCS11_KEY *listed, EVP_PKEY *public,
    EVP_PKEY **ret_key)
{
	AUTO(EVP_PKEY) *key = PKCS11_get_private_key(listed);
	bool found = false;

	if (key == NULL ||
	    EVP_PKEY_get_base_id(key) != EVP_PKEY_get_base_id(public))
		return 0;
	if (has_point(key)) {
		if (EVP_PKEY_eq(key, public) == 1)
			*ret_key = TAKE(key);
		return 0;
	}
	/*
	 * libp11 takes the point from the public object with the same CKA_ID;
	 * cards like PIV have a certificate there.
	 */
	if (has_certificate(card, listed, public, &found) != 0)
		return -1;
	if (!found || !same_curve(key, public))
		return 0;
	if (lend_point(key, public) != 0)
		return -1;
	*ret_key = TAKE(key);
	return 0;
}

static int
search_key(const struct card *card, EVP_PKEY *public, EVP_PKEY **ret_key,
    unsigned *ret_found)
{
	AUTO(EVP_PKEY) *key = NULL;
	PKCS11_KEY *list = NULL;
	unsigned count = 0, found = 0;

	if (list_keys(card, &list, &count) != 0)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		AUTO(EVP_PKEY) *match = NULL;

		if (!uri_allows(card, &list[i]))
			continue;
		if (match_key(card, &list[i], public, &match) != 0)
			return -1;
		if (match == NULL)
			continue;
		found++;
		EVP_PKEY_free(key);
		key = TAKE(match);
	}
	*ret_key = TAKE(key);
	*ret_found = found;
	return 0;
}

/* A certificate that is for key agreement alone is for decryption. */
static int
check_agreement(
    const struct card *card, X509 *certificate, const EVP_PKEY *public)
{
	uint32_t usage = X509_get_key_usage(certificate);

	if (EVP_PKEY_get_base_id(public) != EVP_PKEY_EC ||
	    (usage & KU_KEY_AGREEMENT) == 0 ||
	    (usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0)
		return 0;
	return check_mechanism(card, use_of(KEY_EC, CARD_DECRYPT));
}

int
card_key(struct card *card, X509 *certificate, EVP_PKEY **ret_key)
{
	AUTO(EVP_PKEY) *key = NULL;
	/* Not the certificate's own: it would be of a provider. */
	AUTO(EVP_PKEY) *public = X509_get_pubkey(certificate);
	unsigned found = 0;
	int result = 0;

	if (token_need_login(card->token) != 0)
		return -1;
	if (public == NULL)
		return ca_error(
		    CA_R_INPUT, "the certificate has no usable public key");
	if (check_agreement(card, certificate, public) != 0)
		return -1;
	/* What libp11 says of keys that are not ours is no concern. */
	(void)ERR_set_mark();
	result = search_key(card, public, &key, &found);
	if (result != 0) {
		(void)ERR_clear_last_mark();
		return -1;
	}
	(void)ERR_pop_to_mark();
	if (found == 0)
		return ca_error(CA_R_KEY,
		    "token '%s' does not have the private key of this "
		    "certificate; is it the right card?",
		    card->token->facts.label);
	if (found > 1)
		return ca_error(CA_R_KEY,
		    "token '%s' has %u private keys for this certificate; "
		    "name one with 'id' or 'object' in the pkcs11: URI",
		    card->token->facts.label, found);
	return keep_key(card, key, ret_key);
}

/* ---- Making a key ---- */

static int
refuse_label(const struct card *card, const char *label)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
		CKO_PUBLIC_KEY };

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		AUTO_STRUCT(handles) found = { 0 };

		if (raw_find_class(card->token, classes[i], CKA_LABEL,
			(const unsigned char *)label, strlen(label),
			&found) != 0)
			return -1;
		if (found.count > 0)
			return ca_error(CA_R_EXISTS,
			    "token '%s' has a key called '%s' already",
			    card->token->facts.label, label);
	}
	return 0;
}

static bool
may(const struct key_type *type, enum card_key_use use, CK_ATTRIBUTE_TYPE what)
{
	const struct use *row = use_of(type->family, use);

	return row->private == what || row->public == what;
}

static void
fill_private(struct template *template, const struct quirk *quirk,
    const struct key_type *type, enum card_key_use use)
{
	static const CK_ATTRIBUTE_TYPE rights[] = { CKA_SIGN, CKA_DECRYPT,
		CKA_DERIVE, CKA_UNWRAP, CKA_SIGN_RECOVER };

	template_add_bool(template, CKA_TOKEN, true);
	template_add_bool(template, CKA_PRIVATE, true);
	template_add_bool(template, CKA_SENSITIVE, true);
	template_add_bool(template, CKA_EXTRACTABLE, false);
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if (quirk_may_name(quirk, rights[i]))
			template_add_bool(
			    template, rights[i], may(type, use, rights[i]));
}

static void
fill_public(struct template *template, const struct key_type *type,
    const CK_ULONG *bits, enum card_key_use use)
{
	static const unsigned char f4[] = { 0x01, 0x00, 0x01 };
	static const CK_ATTRIBUTE_TYPE rights[] = { CKA_VERIFY, CKA_ENCRYPT,
		CKA_WRAP };

	template_add_bool(template, CKA_TOKEN, true);
	template_add_bool(template, CKA_PRIVATE, false);
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		template_add_bool(
		    template, rights[i], may(type, use, rights[i]));
	if (type->family == KEY_EC) {
		template_add(
		    template, CKA_EC_PARAMS, type->params, type->params_len);
		return;
	}
	template_add(template, CKA_MODULUS_BITS, bits, sizeof(*bits));
	template_add(template, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
}

static int
read_flag(const struct token *token, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, bool *ret_flag)
{
	AUTO_BYTES(value) = NULL;
	size_t len = 0;

	if (raw_read_bytes(token, object, type, &value, &len) != 0)
		return -1;
	*ret_flag = len == 1 && value[0] != CK_FALSE;
	return 0;
}

/* The card's own word that the key never leaves it. */
static int
check_kept_in(const struct token *token, const unsigned char id[KEY_ID_LEN])
{
	AUTO_STRUCT(handles) found = { 0 };
	bool sensitive = false, extractable = true;

	if (raw_find_class(
		token, CKO_PRIVATE_KEY, CKA_ID, id, KEY_ID_LEN, &found) != 0)
		return -1;
	if (found.count != 1)
		return ca_error(CA_R_KEY,
		    "token '%s' shows %zu private keys where it made one",
		    token->facts.label, found.count);
	if (read_flag(token, found.list[0], CKA_SENSITIVE, &sensitive) != 0 ||
	    read_flag(token, found.list[0], CKA_EXTRACTABLE, &extractable) != 0)
		return -1;
	if (!sensitive || extractable)
		return ca_error(CA_R_KEY,
		    "token '%s' made a private key that can leave it",
		    token->facts.label);
	return 0;
}

static int
key_by_id(struct card *card, const unsigned char id[KEY_ID_LEN],
    const struct key_type *type, EVP_PKEY **ret_key)
{
	PKCS11_KEY *list = NULL;
	unsigned count = 0;

	if (list_keys(card, &list, &count) != 0)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		AUTO(EVP_PKEY) *key = NULL;
		AUTO_DER(spki) = NULL;
		int len = 0;

		if (list[i].id_len != KEY_ID_LEN ||
		    memcmp(list[i].id, id, KEY_ID_LEN) != 0)
			continue;
		key = PKCS11_get_private_key(&list[i]);
		if (key != NULL)
			len = i2d_PUBKEY(key, &spki);
		if (len <= 0 || key_type_of_spki(spki, (size_t)len) != type)
			return ca_error(CA_R_KEY,
			    "token '%s' did not make a key of type %s",
			    card->token->facts.label, type->name);
		return keep_key(card, key, ret_key);
	}
	return ca_error(CA_R_KEY,
	    "libp11 does not show the key that token "
	    "'%s' made",
	    card->token->facts.label);
}

static int
generate(struct card *card, const struct key_type *type, enum card_key_use use,
    const char *label, const unsigned char id[KEY_ID_LEN], EVP_PKEY **ret_key)
{
	struct template private = { .count = 0 }, public = { .count = 0 };
	CK_ULONG bits = type->bits;

	template_add(&private, CKA_LABEL, label, strlen(label));
	template_add(&private, CKA_ID, id, KEY_ID_LEN);
	fill_private(&private, card->module->quirk, type, use);
	template_add(&public, CKA_LABEL, label, strlen(label));
	template_add(&public, CKA_ID, id, KEY_ID_LEN);
	fill_public(&public, type, &bits, use);
	if (raw_generate_pair(card->token, type, &public, &private) != 0 ||
	    check_kept_in(card->token, id) != 0)
		return -1;
	return key_by_id(card, id, type, ret_key);
}

int
card_generate(struct card *card, const char *type, enum card_key_use use,
    const char *label, unsigned char ret_id[16], EVP_PKEY **ret_key)
{
	const struct key_type *row = key_type_by_name(type);
	unsigned char id[KEY_ID_LEN];

	if (token_need_login(card->token) != 0)
		return -1;
	if (row == NULL ||
	    (strcmp(type, "p-256") != 0 && strcmp(type, "rsa-3072") != 0))
		return ca_error(CA_R_USAGE,
		    "key type '%s' is not for operators; use p-256 or rsa-3072",
		    type);
	if (refuse_label(card, label) != 0 ||
	    check_mechanism(card, use_of(row->family, use)) != 0)
		return -1;
	if (RAND_bytes(id, KEY_ID_LEN) != 1)
		return ca_error(
		    CA_R_INTERNAL, "the system gives no random octets");
	if (generate(card, row, use, label, id, ret_key) != 0) {
		/* The first error is the one to be told. */
		(void)ERR_set_mark();
		(void)!card_destroy(card, id);
		(void)ERR_pop_to_mark();
		return -1;
	}
	memcpy(ret_id, id, KEY_ID_LEN);
	return 0;
}

int
card_destroy(struct card *card, const unsigned char id[16])
{
	return key_destroy(card->token, id, KEY_ID_LEN, NULL);
}

/* ---- Certificates ---- */

/* DER that OpenSSL allocated. */
struct der {
	unsigned char *bytes;
	int len;
};

static void
der_clear(struct der *der)
{
	OPENSSL_free(der->bytes);
	*der = (struct der){ 0 };
}

CLEANUP_DEFINE_STRUCT(der);

static int
create(const struct token *token, struct template *template)
{
	CK_OBJECT_HANDLE object = 0;
	CK_RV rv = token->module->raw->C_CreateObject(
	    token->session, template->rows, template->count, &object);

	if (rv != CKR_OK)
		return raw_error(CA_R_TOKEN, rv,
		    "token '%s' does not store a certificate",
		    token->facts.label);
	return 0;
}

int
card_store_certificate(struct card *card, const unsigned char id[16],
    const char *label, X509 *certificate)
{
	static const CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	static const CK_CERTIFICATE_TYPE x509 = CKC_X_509;
	struct template template = { .count = 0 };
	AUTO_STRUCT(der) value = { 0 };
	AUTO_STRUCT(der) subject = { 0 };
	AUTO_STRUCT(der) issuer = { 0 };
	AUTO_STRUCT(der) serial = { 0 };

	if (token_need_login(card->token) != 0)
		return -1;
	value.len = i2d_X509(certificate, &value.bytes);
	subject.len =
	    i2d_X509_NAME(X509_get_subject_name(certificate), &subject.bytes);
	issuer.len =
	    i2d_X509_NAME(X509_get_issuer_name(certificate), &issuer.bytes);
	serial.len = i2d_ASN1_INTEGER(
	    X509_get0_serialNumber(certificate), &serial.bytes);
	if (value.len <= 0 || subject.len <= 0 || issuer.len <= 0 ||
	    serial.len <= 0)
		return ca_error(
		    CA_R_INTERNAL, "the certificate cannot be encoded");
	template_add(&template, CKA_CLASS, &class, sizeof(class));
	template_add(&template, CKA_CERTIFICATE_TYPE, &x509, sizeof(x509));
	template_add_bool(&template, CKA_TOKEN, true);
	template_add_bool(&template, CKA_PRIVATE, false);
	template_add(&template, CKA_ID, id, KEY_ID_LEN);
	template_add(&template, CKA_LABEL, label, strlen(label));
	template_add(
	    &template, CKA_SUBJECT, subject.bytes, (size_t)subject.len);
	template_add(&template, CKA_ISSUER, issuer.bytes, (size_t)issuer.len);
	template_add(
	    &template, CKA_SERIAL_NUMBER, serial.bytes, (size_t)serial.len);
	template_add(&template, CKA_VALUE, value.bytes, (size_t)value.len);
	return create(card->token, &template);
}

void
card_free(struct card *card)
{
	/* Keys before slots, slots before the module. */
	for (size_t i = 0; i < card->key_count; i++)
		EVP_PKEY_free(card->keys[i]);
	if (card->token != NULL)
		token_free(card->token);
	if (card->module != NULL)
		disarm_prompt(card);
	if (card->own != NULL)
		module_free(card->own);
	p11_kit_uri_free(card->uri);
	free(card);
}
