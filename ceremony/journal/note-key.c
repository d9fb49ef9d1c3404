/* Verifier keys: NOTE-KEYNAME, NOTE-KEYID, NOTE-B64 of rules.md 18.2. */
#include <string.h>

#include "base/algorithm.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note-private.h"

enum { HASH_OCTETS = 32, ID_DIGITS = 2 * NOTE_ID_LEN };

void
note_key_clear(struct note_key *key)
{
	free(key->name);
	EVP_PKEY_free(key->key);
	memset(key, 0, sizeof(*key));
}

static bool
type_is_ed25519(enum note_type type)
{
	return type == NOTE_ED25519 || type == NOTE_COSIGNATURE;
}

/* ---- ids -------------------------------------------------------------- */

/* What stands behind the type octet: 32 octets, or the SPKI.  malloc'd. */
static int
public_octets(
    const struct note_key *key, unsigned char **ret_octets, size_t *ret_len)
{
	AUTO_DER(spki) = NULL;
	AUTO_BYTES(octets) = NULL;
	int spki_len = i2d_PUBKEY(key->key, &spki);
	size_t len = NOTE_ED25519_LEN;

	if (spki_len <= 0)
		return ca_error(CA_R_INTERNAL, "a public key has no encoding");
	octets = malloc((size_t)spki_len + NOTE_ED25519_LEN);
	if (octets == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (!type_is_ed25519(key->type)) {
		len = (size_t)spki_len;
		memcpy(octets, spki, len);
	} else if (EVP_PKEY_get_raw_public_key(key->key, octets, &len) != 1 ||
	    len != NOTE_ED25519_LEN) {
		return ca_error(CA_R_INTERNAL, "a public key has no encoding");
	}
	*ret_octets = TAKE(octets);
	*ret_len = len;
	return 0;
}

/* Ed25519: H(name || 0A || type || key). */
static int
named_id(const struct note_key *key, const unsigned char *octets, size_t len,
    unsigned char ret_digest[HASH_OCTETS])
{
	size_t name_len = strlen(key->name);
	AUTO_BYTES(text) = malloc(name_len + 2 + len);

	if (text == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	memcpy(text, key->name, name_len);
	text[name_len] = '\n';
	text[name_len + 1] = (unsigned char)key->type;
	memcpy(text + name_len + 2, octets, len);
	return sha256(text, name_len + 2 + len, ret_digest);
}

/* NOTE-KEYID: for an ECDSA key, H(SPKI) without the name. */
static int
set_id(struct note_key *key)
{
	unsigned char digest[HASH_OCTETS];
	AUTO_BYTES(octets) = NULL;
	size_t len = 0;

	if (public_octets(key, &octets, &len) != 0)
		return -1;
	if ((type_is_ed25519(key->type) ? named_id(key, octets, len, digest)
					: sha256(octets, len, digest)) != 0)
		return -1;
	memcpy(key->id, digest, sizeof(key->id));
	return 0;
}

/* ---- from the octets of a public key ---------------------------------- */

static int
take_ed25519(const unsigned char *octets, size_t len, EVP_PKEY **ret_key)
{
	EVP_PKEY *key;

	if (len != NOTE_ED25519_LEN)
		return ca_error(CA_R_INPUT,
		    "its Ed25519 public key has %zu octets, not 32", len);
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, octets, len);
	if (key == NULL)
		return ca_error(
		    CA_R_INPUT, "its Ed25519 public key is malformed");
	*ret_key = key;
	return 0;
}

/* One encoding for a key: key_type_of_spki() takes no other. */
static int
take_ecdsa(const unsigned char *spki, size_t len, EVP_PKEY **ret_key)
{
	const struct key_type *type = key_type_of_spki(spki, len);
	const unsigned char *p = spki;
	EVP_PKEY *key;

	if (type == NULL || type->family != KEY_EC)
		return ca_error(CA_R_INPUT,
		    "its ECDSA public key is not a SubjectPublicKeyInfo on "
		    "P-256, P-384 or P-521");
	key = d2i_PUBKEY(NULL, &p, (long)len);
	if (key == NULL)
		return ca_error(CA_R_INPUT, "its public key is malformed");
	*ret_key = key;
	return 0;
}

/* The name was checked. */
static int
build(struct span name, enum note_type type, const unsigned char *octets,
    size_t len, struct note_key *ret_key)
{
	AUTO_STRUCT(note_key) key = { .name = span_copy(name), .type = type };

	if (key.name == NULL)
		return -1;
	if ((type_is_ed25519(type) ? take_ed25519(octets, len, &key.key)
				   : take_ecdsa(octets, len, &key.key)) != 0 ||
	    set_id(&key) != 0)
		return -1;
	*ret_key = key;
	key = (struct note_key){ 0 };
	return 0;
}

static int
check_name(const char *name)
{
	if (note_is_key_name(span_of(name)))
		return 0;
	return ca_error(CA_R_INPUT,
	    "'%s' cannot name a key: no blanks and no '+' (C2SP signed-note)",
	    name);
}

int
note_journal_key(const char *name, const unsigned char *spki, size_t spki_len,
    struct note_key *ret_key)
{
	const struct key_type *type = key_type_of_spki(spki, spki_len);

	if (check_name(name) != 0)
		return -1;
	if (type == NULL || strcmp(type->name, "p-256") != 0)
		return ca_error(
		    CA_R_KEY, "the journal key '%s' is not a P-256 key", name);
	return build(span_of(name), NOTE_ECDSA, spki, spki_len, ret_key);
}

/* ---- of a public key -------------------------------------------------- */

static int
from_ed25519(const char *name, enum note_type type, const EVP_PKEY *key,
    struct note_key *ret_key)
{
	unsigned char octets[NOTE_ED25519_LEN];
	size_t len = sizeof(octets);

	if (EVP_PKEY_get_raw_public_key(key, octets, &len) != 1)
		return ca_error(
		    CA_R_INTERNAL, "the key of '%s' has no encoding", name);
	return build(span_of(name), type, octets, len, ret_key);
}

static int
from_ecdsa(const char *name, EVP_PKEY *key, struct note_key *ret_key)
{
	AUTO_DER(spki) = NULL;
	int len = i2d_PUBKEY(key, &spki);

	if (len <= 0)
		return ca_error(
		    CA_R_INTERNAL, "the key of '%s' has no encoding", name);
	return build(span_of(name), NOTE_ECDSA, spki, (size_t)len, ret_key);
}

int
note_key_from_public(const char *name, enum note_type type, EVP_PKEY *key,
    struct note_key *ret_key)
{
	if (check_name(name) != 0)
		return -1;
	if (type == NOTE_ECDSA && EVP_PKEY_is_a(key, "EC") == 1)
		return from_ecdsa(name, key, ret_key);
	if (type_is_ed25519(type) && EVP_PKEY_is_a(key, "ED25519") == 1)
		return from_ed25519(name, type, key, ret_key);
	return ca_error(CA_R_KEY,
	    "the key of '%s' is not of the type that its notes need: %s", name,
	    type_is_ed25519(type) ? "Ed25519" : "ECDSA");
}

/* ---- text ------------------------------------------------------------- */

static int
no_key(const char *why)
{
	return ca_error(CA_R_INPUT,
	    "malformed verifier key: %s; its form is "
	    "NAME+KEYID+BASE64 (C2SP signed-note)",
	    why);
}

/* Two "+" split it; base64 may hold more of them. */
static int
split_key(struct span text, struct span *ret_name, struct span *ret_id,
    struct span *ret_key)
{
	const char *end = text.at + text.len;
	const char *first = memchr(text.at, '+', text.len);
	const char *second = first == NULL
	    ? NULL
	    : memchr(first + 1, '+', (size_t)(end - first - 1));

	if (second == NULL)
		return no_key("it does not have three parts");
	*ret_name = (struct span){ text.at, (size_t)(first - text.at) };
	*ret_id = (struct span){ first + 1, (size_t)(second - first - 1) };
	*ret_key = (struct span){ second + 1, (size_t)(end - second - 1) };
	if (!note_is_key_name(*ret_name))
		return no_key("its name is empty, not UTF-8 or has blanks");
	return 0;
}

static int
check_type(unsigned char octet, enum note_type *ret_type)
{
	if (octet != NOTE_ED25519 && octet != NOTE_ECDSA &&
	    octet != NOTE_COSIGNATURE)
		return ca_error(CA_R_INPUT,
		    "the verifier key is of type %02x, which is not known "
		    "here; known are 01 and 04 (Ed25519) and 02 (ECDSA)",
		    octet);
	*ret_type = (enum note_type)octet;
	return 0;
}

/* Eight lower-case digits, of this very key and name. */
static int
check_id(const struct note_key *key, struct span id)
{
	char hex[ID_DIGITS + 1];

	text_hex_into(key->id, sizeof(key->id), hex);
	if (span_is(id, hex))
		return 0;
	return ca_error(CA_R_INPUT,
	    "malformed verifier key: the key id of this name and key is '%s', "
	    "and it says another; was it copied whole?",
	    hex);
}

int
note_key_parse(const char *text, size_t len, struct note_key *ret_key)
{
	struct span whole = { text, len }, name, id, base64;
	AUTO_STRUCT(note_key) key = { 0 };
	AUTO_BYTES(octets) = NULL;
	enum note_type type;
	size_t octets_len = 0;

	if (len > NOTE_MAX_BYTES || len == 0)
		return no_key(len == 0 ? "it is empty" : "it is too long");
	if (split_key(whole, &name, &id, &base64) != 0 ||
	    note_base64_decode(
		base64, "verifier key: its key", &octets, &octets_len) != 0)
		return -1;
	if (check_type(octets[0], &type) != 0 ||
	    build(name, type, octets + 1, octets_len - 1, &key) != 0 ||
	    check_id(&key, id) != 0)
		return -1;
	*ret_key = key;
	key = (struct note_key){ 0 };
	return 0;
}

int
note_key_text(const struct note_key *key, char **ret_text)
{
	const unsigned char type = (unsigned char)key->type;
	char id[ID_DIGITS + 1];
	AUTO_BYTES(octets) = NULL;
	AUTO_CHARS(base64) = NULL;
	size_t len = 0;
	char *text;

	if (public_octets(key, &octets, &len) != 0 ||
	    note_base64_prefixed(&type, 1, octets, len, &base64) != 0)
		return -1;
	text_hex_into(key->id, sizeof(key->id), id);
	text = text_printf("%s+%s+%s", key->name, id, base64);
	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

int
note_verifier_key(const char *key_name, const unsigned char *spki,
    size_t spki_len, char **ret_vkey)
{
	AUTO_STRUCT(note_key) key = { 0 };

	if (note_journal_key(key_name, spki, spki_len, &key) != 0)
		return -1;
	return note_key_text(&key, ret_vkey);
}
