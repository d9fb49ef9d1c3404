#include <limits.h>
#include <signal.h>

#include <openssl/rand.h>

#include "base/text.h"
#include "card-support.h"

#define MODULE "?module-path=/usr/lib/some-module.so"

/* ---- URIs ---- */

static const struct {
	const char *uri, *part;
} bad_uris[] = {
	{ "pkcs11:token=alice", "no 'module-path'" },
	{ "pkcs11:token=alice?module-path=softhsm2.so", "not absolute" },
	{ "pkcs11:token=alice?module-path=", "not absolute" },
	{ "pkcs11:token=alice" MODULE "&pin-value=1234", "PIN is asked for" },
	{ "pkcs11:token=alice" MODULE "&pin-source=/pin", "PIN is asked for" },
	{ "pkcs11:token=alice?pin-value=1234", "PIN is asked for" },
	{ "pkcs11:" MODULE, "neither 'token' nor 'serial'" },
	{ "pkcs11:id=%01" MODULE, "neither 'token' nor 'serial'" },
	{ "pkcs11:token=" MODULE, "is empty" },
	{ "pkcs11:token=al%00ce" MODULE, "NUL" },
	{ "pkcs11:token=alice;slot-id=3" MODULE, "not listened to" },
	{ "pkcs11:token=alice;slot-description=x" MODULE, "not listened to" },
	{ "pkcs11:token=alice;library-description=x" MODULE,
	    "not listened to" },
	{ "pkcs11:token=alice;library-version=1" MODULE, "not listened to" },
	{ "pkcs11:token=alice;tokn=bob" MODULE, "not listened to" },
	{ "pkcs11:token=alice" MODULE "&module-name=x", "not listened to" },
	{ "pkcs11:token=alice;type=cert" MODULE, "no private key" },
	{ "pkcs11:token=a%zz" MODULE, "malformed" },
	{ "pkcs11:token=a;token=b" MODULE, "'token' twice" },
	{ "pkcs11:token=a" MODULE "&module-path=/other.so",
	    "'module-path' twice" },
	{ "pkcs11:token=a" MODULE "&x-other=1", "'x-other'" },
	{ "pkcs11:token=a;x-other=1" MODULE, "'x-other'" },
	{ "pkcs11:token=a-label-of-more-than-thirty-two-octets;serial=1" MODULE,
	    "'token'" },
	{ "pkcs11:token=a;serial=a-serial-that-is-too-long" MODULE,
	    "'serial'" },
	{ "token=alice", "malformed" },
	{ "", "malformed" },
};

TEST(uris)
{
	AUTO_CHARS(name) = NULL;
	AUTO_CHARS(serial) = NULL;
	struct card *card = NULL;

	(void)dir;
	for (size_t i = 0; i < sizeof(bad_uris) / sizeof(bad_uris[0]); i++) {
		CHECK_ERROR(card_uri_check(bad_uris[i].uri), CA_R_USAGE,
		    bad_uris[i].part);
		CHECK_ERROR(card_open(bad_uris[i].uri, NULL, &card), CA_R_USAGE,
		    bad_uris[i].part);
	}
	CHECK(card_uri_check("pkcs11:token=alice" MODULE) == 0);
	CHECK(card_uri_check("pkcs11:serial=12;type=private" MODULE) == 0);
	CHECK(card_uri_check("pkcs11:token=a%20b;serial=1;id=%01%02;object=x;"
			     "manufacturer=m;model=n" MODULE
			     "&x-server-address=unix:path=/run/x") == 0);
	CHECK(card_uri_name("pkcs11:token=a%20b;serial=1" MODULE, &name) == 0);
	CHECK(strcmp(name, "token 'a b'") == 0);
	CHECK(card_uri_name("pkcs11:serial=12" MODULE, &serial) == 0);
	CHECK(strcmp(serial, "token with serial '12'") == 0);
}

/* Not even in an error is a PIN shown. */
TEST(pin_is_not_quoted)
{
	static const char *const uris[] = {
		"pkcs11:token=alice?pin-value=s3cr3t",
		"pkcs11:token=a%zz?pin-value=s3cr3t",
		"pkcs11:token=alice?pin-value=s3cr3t&module-path=x",
	};

	(void)dir;
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		AUTO_CHARS(text) = NULL;

		CHECK(card_uri_check(uris[i]) == -1);
		text = ca_error_take();
		CHECK(text != NULL && strstr(text, "s3cr3t") == NULL);
	}
}

/* ---- Opening ---- */

TEST(opening)
{
	struct card *card = NULL;
	AUTO_CHARS(by_serial) = NULL;
	AUTO_CHARS(other_model) = NULL;
	AUTO_CHARS(both) = NULL;

	card_make(dir, "alice");
	CHECK(card_open(direct_uri(dir, "alice"), NULL, &card) == 0);
	CHECK(strcmp(card_facts(card)->label, "alice") == 0);
	by_serial = text_printf("pkcs11:serial=%s?module-path=%s",
	    card_facts(card)->serial, softhsm_library());
	other_model = text_printf("pkcs11:token=alice;model=other?"
				  "module-path=%s",
	    softhsm_library());
	both = text_printf(
	    "pkcs11:token=alice;serial=1?module-path=%s", softhsm_library());
	/* A second instance of the same library would be the same one. */
	CHECK_ERROR(card_open(by_serial, NULL, &card), CA_R_MODULE,
	    "in use in this process already");
	card_free(card);
	CHECK(card_open(by_serial, NULL, &card) == 0);
	card_free(card);
	CHECK_ERROR(card_open(other_model, NULL, &card), CA_R_TOKEN,
	    "another manufacturer or model");
	CHECK_ERROR(card_open(both, NULL, &card), CA_R_TOKEN,
	    "no token 'alice' with serial '1'");
	CHECK_ERROR(card_open("pkcs11:token=alice" MODULE, NULL, &card),
	    CA_R_MODULE, "cannot be opened");
}

TEST(no_server)
{
	AUTO_CHARS(uri) = text_printf("pkcs11:token=alice?module-path=%s"
				      "&x-server-address=unix:path=%s/none",
	    P11_KIT_CLIENT, dir);
	struct card *card = NULL;

	CHECK_ERROR(
	    card_open(uri, NULL, &card), CA_R_TOKEN, "no token 'alice'");
	CHECK(getenv("P11_KIT_SERVER_ADDRESS") == NULL);
}

TEST(pins)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct server server;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;
	X509 *certificate = NULL;
	AUTO(EVP_PKEY) *stranger = EVP_EC_gen("P-256");

	certificate = certificate_of(stranger, "stranger", -1);
	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	CHECK(card_open(server.uri, NULL, &card) == 0);
	CHECK(getenv("P11_KIT_SERVER_ADDRESS") == NULL);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_INTERNAL,
	    "nobody is logged in");
	CHECK_ERROR(card_login(card, &wrong), CA_R_PIN, "it was tried once");
	CHECK_ERROR(card_login(card, NULL), CA_R_PIN, "no PIN pad");
	CHECK(card_login(card, &pin) == 0);
	CHECK_ERROR(card_login(card, &pin), CA_R_STATE, "logged in already");
	/* The wrong card. */
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_KEY,
	    "is it the right card?");
	X509_free(certificate);
	card_free(card);
	server_stop(&server);
}

/* ---- Keys, through p11-kit server ---- */

static void
use_signer(struct card *card, const char *type, const char *label)
{
	unsigned char id[16];
	EVP_PKEY *key = NULL, *found = NULL;
	AUTO(X509) *certificate = NULL;

	CHECK(card_generate(card, type, CARD_SIGN, label, id, &key) == 0);
	certificate = certificate_of(key, label, 0);
	must_sign(key, certificate);
	must_sign_cms(key, certificate);
	CHECK(card_key(card, certificate, &found) == 0);
	must_sign_cms(found, certificate);
}

static void
use_pair(struct card *card, const char *type, const char *name)
{
	AUTO_CHARS(sign_label) = text_printf("%s sign", name);
	AUTO_CHARS(decrypt_label) = text_printf("%s decrypt", name);
	unsigned char sign_id[16], decrypt_id[16];
	EVP_PKEY *sign = NULL, *decrypt = NULL, *found = NULL;
	AUTO(X509) *sign_certificate = NULL;
	AUTO(X509) *decrypt_certificate = NULL;

	CHECK(card_generate(
		  card, type, CARD_SIGN, sign_label, sign_id, &sign) == 0);
	CHECK(card_generate(card, type, CARD_DECRYPT, decrypt_label, decrypt_id,
		  &decrypt) == 0);
	CHECK(memcmp(sign_id, decrypt_id, 16) != 0);
	sign_certificate = certificate_of(sign, name, -1);
	decrypt_certificate = certificate_of(decrypt, name, -1);
	CHECK(card_store_certificate(
		  card, sign_id, sign_label, sign_certificate) == 0);
	must_sign(sign, sign_certificate);
	must_sign_cms(sign, sign_certificate);
	must_decrypt_cms(decrypt, decrypt_certificate);
	/* And found again by their certificates. */
	CHECK(card_key(card, sign_certificate, &found) == 0);
	must_sign_cms(found, sign_certificate);
	CHECK(card_key(card, decrypt_certificate, &found) == 0);
	must_decrypt_cms(found, decrypt_certificate);
	CHECK_ERROR(
	    card_generate(card, type, CARD_SIGN, sign_label, sign_id, &found),
	    CA_R_EXISTS, "already");
}

TEST(keys)
{
	AUTO(EVP_PKEY) *stranger = NULL;
	AUTO(X509) *certificate = NULL;
	unsigned char id[16];
	struct server server;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	card = must_open(server.uri, NULL);
	use_signer(card, "p-256", "ec");
	use_pair(card, "rsa-3072", "rsa");
	card_free(card);
	/* A second time, as a card is that is put in again. */
	card = must_open(server.uri, NULL);
	use_signer(card, "p-256", "more");
	/* p11-kit's client does not pass on ECDH: that is said, not tried. */
	CHECK_ERROR(
	    card_generate(card, "p-256", CARD_DECRYPT, "ecdh", id, &key),
	    CA_R_TOKEN, "lacks CKM_ECDH1_DERIVE; use RSA keys");
	stranger = EVP_EC_gen("P-256");
	certificate = certificate_of(stranger, "ecdh", 4);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_TOKEN,
	    "lacks CKM_ECDH1_DERIVE; use RSA keys");
	card_free(card);
	server_stop(&server);
	/* Without the server between, EC does all. */
	card = must_open(direct_uri(dir, "alice"), NULL);
	use_pair(card, "p-256", "direct");
	card_free(card);
}

/*
 * A card beside the embedded token that is another instance of SoftHSM: what
 * no server is needed for, ECDH included.
 */
TEST(beside_instance)
{
	const char *copy = in_dir(dir, "libcard.so");
	AUTO_CHARS(uri) = text_printf("pkcs11:token=ca?module-path=%s", copy);
	AUTO_CHARS(conf) = text_printf("%s/alice/softhsm2.conf", dir);
	AUTO_CHARS(alice) =
	    text_printf("pkcs11:token=alice?module-path=%s", copy);
	AUTO_BYTES(library) = NULL;
	size_t len = 0;
	struct module *module = NULL;
	struct token *token = NULL;
	struct card *card = NULL;

	card_make(dir, "alice");
	library = read_file(softhsm_library(), &len);
	write_file(copy, library, len);
	module = open_embedded(dir);
	token = make_token(module, "ca");
	must_login(token);
	CHECK(setenv("SOFTHSM2_CONF", conf, 1) == 0);
	CHECK_ERROR(card_open(uri, module, &card), CA_R_TOKEN, "no token 'ca'");
	card = must_open(alice, module);
	use_pair(card, "p-256", "ec");
	card_free(card);
	close_token(token);
}

static X509 *
one_key(struct card *card)
{
	unsigned char id[16];
	EVP_PKEY *key = NULL;
	X509 *certificate = NULL;

	CHECK(card_generate(card, "p-256", CARD_SIGN, "one", id, &key) == 0);
	certificate = certificate_of(key, "one", -1);
	CHECK(card_store_certificate(card, id, "one", certificate) == 0);
	return certificate;
}

TEST(two_cards)
{
	AUTO(X509) *alices = NULL;
	AUTO(X509) *bobs = NULL;
	struct server alice, bob;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	card_make(dir, "alice");
	card_make(dir, "bob");
	server_start(dir, "alice", &alice);
	server_start(dir, "bob", &bob);
	card = must_open(alice.uri, NULL);
	alices = one_key(card);
	card_free(card);
	card = must_open(bob.uri, NULL);
	bobs = one_key(card);
	CHECK_ERROR(card_key(card, alices, &key), CA_R_KEY, "right card");
	CHECK(card_key(card, bobs, &key) == 0);
	must_sign(key, bobs);
	card_free(card);
	card = must_open(alice.uri, NULL);
	CHECK(card_key(card, alices, &key) == 0);
	must_sign(key, alices);
	card_free(card);
	server_stop(&alice);
	server_stop(&bob);
}

/* ---- Pulling the card ---- */

static bool
signs(EVP_PKEY *key)
{
	static const unsigned char text[] = "text";
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);

	CHECK(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	return EVP_DigestSign(ctx, signature, &len, text, sizeof(text)) == 1;
}

static void
pulled_before_login(const char *dir)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct server server;
	struct card *card = NULL;

	server_start(dir, "alice", &server);
	CHECK(card_open(server.uri, NULL, &card) == 0);
	server_stop(&server);
	CHECK_ERROR(card_login(card, &pin), CA_R_TOKEN, "CKR_DEVICE");
	card_free(card);
	/* It is put in again. */
	server_start(dir, "alice", &server);
	card_free(must_open(server.uri, NULL));
	server_stop(&server);
}

static void
pulled_before_key(const char *dir)
{
	AUTO(EVP_PKEY) *stranger = EVP_EC_gen("P-256");
	AUTO(X509) *certificate = certificate_of(stranger, "x", -1);
	unsigned char id[16];
	struct server server;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	server_start(dir, "alice", &server);
	card = must_open(server.uri, NULL);
	server_stop(&server);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_KEY, "taken out");
	CHECK_ERROR(card_generate(card, "p-256", CARD_SIGN, "x", id, &key),
	    CA_R_TOKEN, "alice");
	card_free(card);
}

static void
pulled_before_use(const char *dir)
{
	struct server server;
	struct card *card = NULL;
	AUTO(X509) *certificate = NULL;
	EVP_PKEY *key = NULL;

	server_start(dir, "alice", &server);
	card = must_open(server.uri, NULL);
	certificate = one_key(card);
	CHECK(card_key(card, certificate, &key) == 0);
	CHECK(signs(key));
	server_stop(&server);
	CHECK(!signs(key));
	CHECK(ca_error_reason() != 0);
	CHECK(!signs(key));
	CHECK_ERROR(card_store_certificate(
			card, (const unsigned char[16]){ 1 }, "x", certificate),
	    CA_R_TOKEN, "does not store");
	card_free(card);
}

TEST(pulled)
{
	card_make(dir, "alice");
	in_child(pulled_before_login, dir);
	in_child(pulled_before_key, dir);
	in_child(pulled_before_use, dir);
}

/* ---- Beside the authority's token ---- */

static void
authority_signs(const struct key *key, struct token *token)
{
	struct sign_job job = { .key = key,
		.alg = sigalg_by_name("ecdsa-sha256") };

	memset(job.digest, 0xab, sizeof(job.digest));
	CHECK(token_sign(token, &job, 1, 1, NULL, NULL) == 0);
	CHECK(job.signature_len > 0);
}

static void
card_signs(const char *uri, struct module *in_use, X509 *certificate)
{
	struct card *card = must_open(uri, in_use);
	EVP_PKEY *key = NULL;

	CHECK(card_key(card, certificate, &key) == 0);
	must_sign_cms(key, certificate);
	card_free(card);
}

TEST(beside_embedded)
{
	AUTO(X509) *certificate = NULL;
	AUTO_CHARS(same) =
	    text_printf("pkcs11:token=ca?module-path=%s", softhsm_library());
	unsigned char id[KEY_ID_LEN];
	struct server server;
	struct module *module = NULL;
	struct token *token = NULL;
	struct card *card = NULL;
	struct key *key = NULL;
	EVP_PKEY *evp = NULL;

	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	module = open_embedded(dir);
	token = make_token(module, "ca");
	/* Before the authority's login, across it, and after it. */
	card = must_open(server.uri, module);
	certificate = one_key(card);
	CHECK(card_key(card, certificate, &evp) == 0);
	must_login(token);
	key = make_key(token, "p-256", "root", id);
	must_sign(evp, certificate);
	authority_signs(key, token);
	card_free(card);
	authority_signs(key, token);
	card_signs(server.uri, module, certificate);
	authority_signs(key, token);
	/* A card that is pulled disturbs nobody either. */
	card = must_open(server.uri, module);
	CHECK(card_key(card, certificate, &evp) == 0);
	server_stop(&server);
	CHECK(!signs(evp));
	authority_signs(key, token);
	card_free(card);
	authority_signs(key, token);
	/* What the process has open cannot be opened for another. */
	CHECK_ERROR(
	    card_open(same, module, &card), CA_R_MODULE, "p11-kit server");
	CHECK_ERROR(card_open(same, NULL, &card), CA_R_MODULE, "in use");
	authority_signs(key, token);
	key_free(key);
	close_token(token);
}

/* Two tokens in one directory: "ca" and "alice". */
static void
setup_two(const char *dir)
{
	struct module *module = open_embedded(dir);

	token_free(make_token(module, "alice"));
	token_free(make_token(module, "ca"));
	module_free(module);
}

/* An HSM and a card behind one module, which is not the embedded one. */
static void
same_module(const char *dir)
{
	AUTO(X509) *certificate = NULL;
	struct module *module = open_shim(dir, "");
	unsigned char id[KEY_ID_LEN];
	struct token *token = NULL;
	struct card *card = NULL;
	struct key *key = NULL;
	EVP_PKEY *evp = NULL;
	const char *uri = "pkcs11:token=alice?module-path=" SHIM_PATH;

	CHECK(token_find(module, "ca", NULL, &token) == 0);
	card = must_open(uri, module);
	certificate = one_key(card);
	must_login(token);
	key = make_key(token, "p-256", "root", id);
	CHECK(card_key(card, certificate, &evp) == 0);
	must_sign(evp, certificate);
	authority_signs(key, token);
	card_free(card);
	authority_signs(key, token);
	for (int i = 0; i < 3; i++) {
		card_signs(uri, module, certificate);
		authority_signs(key, token);
	}
	CHECK_ERROR(
	    card_open("pkcs11:token=ca?module-path=" SHIM_PATH, module, &card),
	    CA_R_TOKEN, "the authority's own");
	key_free(key);
	CHECK(module->parked != NULL);
	token_logout(token);
	CHECK(module->parked == NULL);
	card_signs(uri, module, certificate);
	must_login(token);
	card_signs(uri, module, certificate);
	close_token(token);
}

TEST(beside_another)
{
	in_child(setup_two, dir);
	in_child(same_module, dir);
}

/* A wrong PIN of a guest leaves the authority's login alone. */
static void
guest_wrong_pin(const char *dir)
{
	AUTO_STRUCT(secret) wrong = secret_of("not the PIN");
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct module *module = open_shim(dir, "");
	struct token *token = NULL;
	struct card *card = NULL;
	struct key *key = NULL;
	unsigned char id[KEY_ID_LEN];

	CHECK(token_find(module, "ca", NULL, &token) == 0);
	must_login(token);
	key = make_key(token, "p-256", "root", id);
	CHECK(card_open("pkcs11:token=alice?module-path=" SHIM_PATH, module,
		  &card) == 0);
	CHECK_ERROR(card_login(card, &wrong), CA_R_PIN, "is wrong");
	authority_signs(key, token);
	CHECK(card_login(card, &pin) == 0);
	card_free(card);
	authority_signs(key, token);
	key_free(key);
	close_token(token);
}

TEST(guest_pins)
{
	in_child(setup_two, dir);
	in_child(guest_wrong_pin, dir);
}

/* ---- Choosing among keys ---- */

/* Another private and public object of the same key, under another CKA_ID. */
static void
copy_objects(struct card *card, const unsigned char id[16],
    const unsigned char new_id[16], const char *label)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
		CKO_PUBLIC_KEY };

	for (size_t i = 0; i < 2; i++) {
		AUTO_STRUCT(handles) found = { 0 };
		struct template template = { .count = 0 };
		CK_OBJECT_HANDLE copy = 0;

		CHECK(raw_find_class(card_token(card), classes[i], CKA_ID, id,
			  16, &found) == 0);
		CHECK(found.count == 1);
		template_add(&template, CKA_ID, new_id, 16);
		template_add(&template, CKA_LABEL, label, strlen(label));
		CHECK(card_token(card)->module->raw->C_CopyObject(
			  card_token(card)->session, found.list[0],
			  template.rows, template.count, &copy) == CKR_OK);
	}
}

TEST(several_keys)
{
	static const unsigned char other[16] = "0123456789abcde";
	const char *uri = NULL;
	AUTO_CHARS(by_id) = NULL;
	AUTO_CHARS(by_label) = NULL;
	AUTO_CHARS(by_none) = NULL;
	AUTO(X509) *certificate = NULL;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;
	unsigned char id[16];

	card_make(dir, "alice");
	uri = direct_uri(dir, "alice");
	by_id = text_printf("pkcs11:token=alice;id=0123456789abcde%%00?"
			    "module-path=%s",
	    softhsm_library());
	by_label = text_printf(
	    "pkcs11:token=alice;object=twin?module-path=%s", softhsm_library());
	by_none = text_printf(
	    "pkcs11:token=alice;object=twi?module-path=%s", softhsm_library());
	card = must_open(uri, NULL);
	CHECK(card_generate(card, "p-256", CARD_SIGN, "one", id, &key) == 0);
	certificate = certificate_of(key, "one", -1);
	copy_objects(card, id, other, "twin");
	CHECK_ERROR(
	    card_key(card, certificate, &key), CA_R_KEY, "2 private keys");
	card_free(card);
	card_signs(by_id, NULL, certificate);
	card_signs(by_label, NULL, certificate);
	card = must_open(by_none, NULL);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_KEY, "right card");
	card_free(card);
}

static void
destroy_class(struct card *card, CK_OBJECT_CLASS class)
{
	AUTO_STRUCT(handles) found = { 0 };
	struct token *token = card_token(card);

	CHECK(raw_find_class(token, class, 0, NULL, 0, &found) == 0);
	CHECK(found.count > 0);
	for (size_t i = 0; i < found.count; i++)
		CHECK(token->module->raw->C_DestroyObject(
			  token->session, found.list[i]) == CKR_OK);
}

/* As on a PIV card: a private key, a certificate, and no public key. */
TEST(no_public_object)
{
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO(X509) *certificate = NULL;
	AUTO(X509) *others = certificate_of(other, "other", -1);
	const char *uri = NULL;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;
	unsigned char id[16];

	card_make(dir, "alice");
	uri = direct_uri(dir, "alice");
	card = must_open(uri, NULL);
	CHECK(card_generate(card, "p-256", CARD_SIGN, "one", id, &key) == 0);
	certificate = certificate_of(key, "one", -1);
	destroy_class(card, CKO_PUBLIC_KEY);
	card_free(card);

	/* Not a word of whose key it is. */
	card = must_open(uri, NULL);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_KEY, "right card");
	CHECK(card_store_certificate(card, id, "other", others) == 0);
	CHECK_ERROR(card_key(card, certificate, &key), CA_R_KEY, "right card");
	destroy_class(card, CKO_CERTIFICATE);
	CHECK(card_store_certificate(card, id, "one", certificate) == 0);
	card_free(card);
	card_signs(uri, NULL, certificate);
}

/* ---- Keys that want the PIN for each use ---- */

static X509 *
always_authenticate(struct card *card)
{
	static const unsigned char id[16] = "always";
	const struct key_type *type = key_type_by_name("p-256");
	struct template private = { .count = 0 }, public = { .count = 0 };
	PKCS11_KEY *list = NULL;
	unsigned count = 0;
	AUTO(EVP_PKEY) *key = NULL;

	template_add(&private, CKA_ID, id, sizeof(id));
	template_add_bool(&private, CKA_TOKEN, true);
	template_add_bool(&private, CKA_PRIVATE, true);
	template_add_bool(&private, CKA_SIGN, true);
	template_add_bool(&private, CKA_ALWAYS_AUTHENTICATE, true);
	template_add(&public, CKA_ID, id, sizeof(id));
	template_add_bool(&public, CKA_TOKEN, true);
	template_add(&public, CKA_EC_PARAMS, type->params, type->params_len);
	CHECK(
	    raw_generate_pair(card_token(card), type, &public, &private) == 0);
	CHECK(PKCS11_enumerate_keys(
		  card_token(card)->p11_slot->token, &list, &count) == 0 &&
	    count == 1);
	key = PKCS11_get_private_key(&list[0]);
	return certificate_of(key, "always", -1);
}

static void
pin_each_time(const char *dir)
{
	AUTO(X509) *certificate = NULL;
	struct server server;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	server_start(dir, "alice", &server);
	card = must_open(server.uri, NULL);
	certificate = always_authenticate(card);
	CHECK(card_key(card, certificate, &key) == 0);
	for (int i = 0; i < 3; i++)
		must_sign_cms(key, certificate);
	card_free(card);
	server_stop(&server);
}

/* Longer than libp11's buffer: an error, not a prompt. */
static void
pin_too_long(const char *dir)
{
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	AUTO_STRUCT(secret)
	pin = secret_of("a PIN of more than thirty-two characters");
	AUTO(X509) *certificate = NULL;
	const char *uri = direct_uri(dir, "alice");
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	CHECK(card_open(uri, NULL, &card) == 0);
	CHECK(token_set_user_pin(card_token(card), &so, &pin) == 0);
	CHECK(card_login(card, &pin) == 0);
	certificate = always_authenticate(card);
	CHECK(card_key(card, certificate, &key) == 0);
	ca_error_clear();
	CHECK(!signs(key));
	CHECK(ca_error_reason() != 0);
	card_free(card);
}

TEST(authenticate_always)
{
	card_make(dir, "alice");
	in_child(pin_each_time, dir);
}

TEST(authenticate_always_long)
{
	card_make(dir, "alice");
	in_child(pin_too_long, dir);
}

/* ---- PIN pads ---- */

#define PAD "pin-pad " USER_PIN " " SO_PIN "\n"
#define SHIM_URI "pkcs11:token=ca?module-path=" SHIM_PATH

static void
shim_env(const char *dir, const char *orders)
{
	const char *path = in_dir(dir, "orders");

	write_file(path, orders, strlen(orders));
	CHECK(setenv("CA_SHIM_MODULE", softhsm_library(), 1) == 0);
	CHECK(setenv("CA_SHIM_SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"),
		  1) == 0);
	CHECK(setenv("CA_SHIM_ORDERS", path, 1) == 0);
}

static void
typed_on_pad(const char *dir)
{
	AUTO(X509) *certificate = NULL;
	struct card *card = NULL;
	EVP_PKEY *key = NULL;

	shim_env(dir, PAD);
	CHECK(card_open(SHIM_URI, NULL, &card) == 0);
	CHECK(card_facts(card)->protected_path);
	CHECK(card_login(card, NULL) == 0);
	/* It asks for each use by itself. */
	certificate = always_authenticate(card);
	CHECK(card_key(card, certificate, &key) == 0);
	must_sign(key, certificate);
	must_sign(key, certificate);
	card_free(card);
}

static void
mistyped_on_pad(const char *dir)
{
	struct card *card = NULL;

	shim_env(dir, "pin-pad wrong-pin " SO_PIN "\n");
	CHECK(card_open(SHIM_URI, NULL, &card) == 0);
	CHECK_ERROR(card_login(card, NULL), CA_R_PIN, "it was tried once");
	card_free(card);
}

/* The authority's own token may have one, too. */
static void
initialised_on_pad(const char *dir)
{
	struct module *module = open_shim(dir, PAD);
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);
	struct token *token = NULL;

	CHECK(token_find_blank(module, NULL, &token) == 0);
	CHECK(token_initialise(token, "padded", NULL) == 0);
	CHECK(token_set_user_pin(token, NULL, NULL) == 0);
	CHECK(token_login(token, NULL) == 0);
	token_logout(token);
	CHECK(token_login(token, &pin) == 0);
	close_token(token);
}

static void
no_pad(const char *dir)
{
	struct module *module = open_shim(dir, "");
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct token *token = NULL, *blank = NULL;

	CHECK(token_find(module, "ca", NULL, &token) == 0);
	CHECK_ERROR(token_login(token, NULL), CA_R_PIN, "no PIN pad");
	CHECK_ERROR(
	    token_set_user_pin(token, &so, NULL), CA_R_PIN, "no PIN pad");
	CHECK_ERROR(
	    token_set_user_pin(token, NULL, &so), CA_R_PIN, "no PIN pad");
	CHECK(token_find_blank(module, NULL, &blank) == 0);
	CHECK_ERROR(
	    token_initialise(blank, "other", NULL), CA_R_PIN, "no PIN pad");
	token_free(blank);
	close_token(token);
}

TEST(pin_pads)
{
	in_child(setup_token, dir);
	in_child(typed_on_pad, dir);
	in_child(mistyped_on_pad, dir);
	in_child(initialised_on_pad, dir);
	in_child(no_pad, dir);
}

/* ---- Cards that fail ---- */

static size_t
objects(struct card *card)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
		CKO_PUBLIC_KEY, CKO_CERTIFICATE };
	size_t count = 0;

	for (size_t i = 0; i < 3; i++) {
		AUTO_STRUCT(handles) found = { 0 };

		CHECK(raw_find_class(card_token(card), classes[i], 0, NULL, 0,
			  &found) == 0);
		count += found.count;
	}
	return count;
}

static void
generate_refused(const char *dir, const char *orders, enum ca_reason reason,
    const char *part)
{
	unsigned char id[16] = { 0 }, zero[16] = { 0 };
	EVP_PKEY *key = NULL;
	struct card *card = NULL;

	shim_env(dir, orders);
	card = must_open(SHIM_URI, NULL);
	CHECK_ERROR(card_generate(card, "p-256", CARD_SIGN, "x", id, &key),
	    reason, part);
	CHECK(key == NULL && memcmp(id, zero, sizeof(id)) == 0);
	CHECK(objects(card) == 0);
	card_free(card);
}

static void
extractable(const char *dir)
{
	generate_refused(dir, "lie CKA_EXTRACTABLE 1\n", CA_R_KEY, "can leave");
}

static void
not_sensitive(const char *dir)
{
	generate_refused(dir, "lie CKA_SENSITIVE 0\n", CA_R_KEY, "can leave");
}

static void
silent(const char *dir)
{
	generate_refused(
	    dir, "lie CKA_SENSITIVE absent\n", CA_R_KEY, "can leave");
}

static void
no_generation(const char *dir)
{
	generate_refused(dir, "fail C_GenerateKeyPair 1 0x30\n", CA_R_TOKEN,
	    "cannot generate");
}

static void
half_generation(const char *dir)
{
	generate_refused(dir, "fail-after C_GenerateKeyPair 1 0x31\n",
	    CA_R_TOKEN, "cannot generate");
}

static void
no_room(const char *dir)
{
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO(X509) *certificate = certificate_of(other, "x", -1);
	struct card *card = NULL;
	unsigned char id[16] = "made";
	EVP_PKEY *key = NULL;

	shim_env(dir, "fail C_CreateObject 1 0x31\n");
	card = must_open(SHIM_URI, NULL);
	CHECK_ERROR(card_store_certificate(card, id, "x", certificate),
	    CA_R_TOKEN, "does not store");
	CHECK_ERROR(card_generate(card, "p-384", CARD_SIGN, "x", id, &key),
	    CA_R_USAGE, "not for operators");
	CHECK(card_generate(card, "p-256", CARD_SIGN, "x", id, &key) == 0);
	CHECK(card_store_certificate(card, id, "x", certificate) == 0);
	CHECK(objects(card) == 3);
	CHECK(card_destroy(card, id) == 0);
	CHECK(objects(card) == 0);
	card_free(card);
}

TEST(failing_cards)
{
	in_child(setup_token, dir);
	in_child(extractable, dir);
	in_child(not_sensitive, dir);
	in_child(silent, dir);
	in_child(no_generation, dir);
	in_child(half_generation, dir);
	in_child(no_room, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris),
		cmocka_unit_test(pin_is_not_quoted),
		cmocka_unit_test(opening),
		cmocka_unit_test(no_server),
		cmocka_unit_test(pins),
		cmocka_unit_test(keys),
		cmocka_unit_test(two_cards),
		cmocka_unit_test(pulled),
		cmocka_unit_test(beside_embedded),
		cmocka_unit_test(beside_instance),
		cmocka_unit_test(beside_another),
		cmocka_unit_test(guest_pins),
		cmocka_unit_test(several_keys),
		cmocka_unit_test(no_public_object),
		cmocka_unit_test(authenticate_always),
		cmocka_unit_test(authenticate_always_long),
		cmocka_unit_test(pin_pads),
		cmocka_unit_test(failing_cards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
