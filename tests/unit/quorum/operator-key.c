#include "ceremony/quorum/operator-key.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/text.h"
#include "card-support.h"

#define PASSPHRASE "correct horse battery"
#define SHIM_URI "pkcs11:token=ca?module-path=" SHIM_PATH

/* ---- People ---- */

enum { ANSWERS_MAX = 4 };

struct people {
	const char *answers[ANSWERS_MAX]; /* to be given, one after another */
	unsigned asked, final, pads, agains, inserts;
	unsigned agains_max, inserts_max; /* how often they say yes */
	bool stop_at_final;
	const char *dir;      /* where the card that is inserted is */
	struct server server; /* which makes it answer */
};

static int
give(void *ctx, struct secret *ret_secret)
{
	struct people *people = ctx;
	const char *answer = NULL;

	CHECK(people->asked < ANSWERS_MAX);
	answer = people->answers[people->asked++];
	CHECK(answer != NULL);
	*ret_secret = secret_of(answer);
	return 0;
}

static int
passphrase(void *ctx, const char *path, struct secret *ret_passphrase)
{
	CHECK(path[0] == '/');
	return give(ctx, ret_passphrase);
}

static int
final_try(struct people *people, bool final)
{
	people->final += final;
	if (final && people->stop_at_final)
		return ca_error(CA_R_PIN, "not risked");
	return 0;
}

static int
card_pin(void *ctx, const char *card, bool final, struct secret *ret_pin)
{
	CHECK(card[0] != '\0');
	if (final_try(ctx, final) != 0)
		return -1;
	return give(ctx, ret_pin);
}

static int
pin_pad(void *ctx, const char *card, bool final)
{
	struct people *people = ctx;

	CHECK(card[0] != '\0');
	people->pads++;
	return final_try(people, final);
}

static int
insert(void *ctx, const char *card)
{
	struct people *people = ctx;

	CHECK(strcmp(card, "token 'alice'") == 0);
	if (people->inserts++ >= people->inserts_max)
		return -1;
	if (people->inserts == people->inserts_max)
		server_start(people->dir, "alice", &people->server);
	return 0;
}

static int
again(void *ctx, const char *what)
{
	struct people *people = ctx;

	CHECK(what[0] != '\0');
	/* What was wrong is there to be shown. */
	CHECK(ca_error_reason() == CA_R_PIN);
	return people->agains++ < people->agains_max ? 0 : -1;
}

static struct key_asker
asker_of(struct people *people)
{
	return (struct key_asker){ .ctx = people,
		.passphrase = passphrase,
		.card_pin = card_pin,
		.pin_pad = pin_pad,
		.insert = insert,
		.again = again };
}

/* Open with these answers; the caller looks at what was asked. */
static int
open_key(const char *reference, X509 *certificate, struct people *people,
    struct operator_key **ret_key)
{
	struct key_asker asker = asker_of(people);

	return operator_key_open(reference, certificate, NULL, &asker, ret_key);
}

static void
opens(const char *reference, X509 *certificate, const char *answer,
    void (*use)(EVP_PKEY *key, X509 *certificate))
{
	struct people people = { .answers = { answer } };
	struct operator_key *key = NULL;

	CHECK(open_key(reference, certificate, &people, &key) == 0);
	CHECK(people.asked == 1 && people.agains == 0);
	use(operator_key_evp(key), certificate);
	operator_key_free(key);
}

/* ---- References ---- */

TEST(references)
{
	static const struct {
		const char *reference, *part;
	} bad[] = {
		{ "", "begins neither" },
		{ "alice.key", "begins neither" },
		{ "File:alice.key", "begins neither" },
		{ "file:", "names no file" },
		{ "pkcs11:token=alice", "no 'module-path'" },
		{ "pkcs11:token=alice?module-path=/x.so&pin-value=1",
		    "PIN is asked for" },
		{ "pkcs11:token=alice?module-path=x.so", "not absolute" },
	};
	AUTO(EVP_PKEY) *any = EVP_EC_gen("P-256");
	AUTO(X509) *certificate = certificate_of(any, "alice", -1);

	(void)dir;
	CHECK(key_reference_check("file:alice.key") == 0);
	CHECK(
	    key_reference_check("pkcs11:token=alice?module-path=/x/y.so") == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct people people = { .asked = 0 };
		struct operator_key *key = NULL;

		CHECK_ERROR(key_reference_check(bad[i].reference), CA_R_USAGE,
		    bad[i].part);
		CHECK_ERROR(
		    open_key(bad[i].reference, certificate, &people, &key),
		    CA_R_USAGE, bad[i].part);
	}
}

/* ---- Key files ---- */

/* One block, with few rounds. */
static void
add_encrypted(BIO *bio, EVP_PKEY *key, const char *text, X509_ALGOR *algorithm)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	X509_SIG *sig = NULL;

	if (algorithm == NULL)
		algorithm = PKCS5_pbe2_set_iv(
		    EVP_aes_256_cbc(), 1000, NULL, 0, NULL, NID_hmacWithSHA256);
	sig = PKCS8_set0_pbe(text, (int)strlen(text), info, algorithm);
	CHECK(sig != NULL && PEM_write_bio_PKCS8(bio, sig) == 1);
	X509_SIG_free(sig);
	PKCS8_PRIV_KEY_INFO_free(info);
}

static void
write_bio(const char *dir, const char *name, BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);

	write_file(in_dir(dir, name), data, (size_t)len);
}

static char *
reference_of(const char *dir, const char *name)
{
	return text_printf("file:%s/%s", dir, name);
}

struct pair {
	EVP_PKEY *sign, *decrypt;
	X509 *sign_certificate, *decrypt_certificate;
};

static void
pair_clear(struct pair *pair)
{
	EVP_PKEY_free(pair->sign);
	EVP_PKEY_free(pair->decrypt);
	X509_free(pair->sign_certificate);
	X509_free(pair->decrypt_certificate);
}

CLEANUP_DEFINE_STRUCT(pair);

static struct pair
make_pair(bool rsa)
{
	struct pair pair = { rsa ? EVP_RSA_gen(3072) : EVP_EC_gen("P-256"),
		rsa ? EVP_RSA_gen(3072) : EVP_EC_gen("P-256"), NULL, NULL };

	pair.sign_certificate = certificate_of(pair.sign, "alice", 0);
	pair.decrypt_certificate =
	    certificate_of(pair.decrypt, "alice", rsa ? 2 : 4);
	return pair;
}

static void
write_pair(const char *dir, const char *name, const struct pair *pair)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	/* What stands between is no concern. */
	CHECK(PEM_write_bio_X509(bio, pair->sign_certificate) == 1);
	add_encrypted(bio, pair->sign, PASSPHRASE, NULL);
	add_encrypted(bio, pair->decrypt, PASSPHRASE, NULL);
	write_bio(dir, name, bio);
}

static void
file_pair(const char *dir, bool rsa)
{
	AUTO_STRUCT(pair) pair = make_pair(rsa);
	AUTO_STRUCT(pair) other = make_pair(rsa);
	AUTO_CHARS(reference) = reference_of(dir, "alice.key");
	struct people people = { .answers = { PASSPHRASE }, .agains_max = 9 };
	struct operator_key *key = NULL;

	write_pair(dir, "alice.key", &pair);
	opens(reference, pair.sign_certificate, PASSPHRASE, must_sign_cms);
	opens(
	    reference, pair.decrypt_certificate, PASSPHRASE, must_decrypt_cms);
	/* Somebody else's: said, and not asked for again. */
	CHECK_ERROR(open_key(reference, other.sign_certificate, &people, &key),
	    CA_R_KEY, "the certificate of 'alice'");
	CHECK(people.asked == 1 && people.agains == 0);
}

TEST(file_ec)
{
	file_pair(dir, false);
}

TEST(file_rsa)
{
	file_pair(dir, true);
}

TEST(wrong_passphrase)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	AUTO_CHARS(reference) = reference_of(dir, "alice.key");
	struct people once = { .answers = { "wrong" } };
	struct people twice = { .answers = { "wrong", PASSPHRASE },
		.agains_max = 1 };
	struct people never = { .answers = { "wrong", "bad", "worse" },
		.agains_max = 2 };
	struct operator_key *key = NULL;

	write_pair(dir, "alice.key", &pair);
	CHECK_ERROR(open_key(reference, pair.sign_certificate, &once, &key),
	    CA_R_PIN, "passphrase of key file");
	CHECK(once.asked == 1 && once.agains == 1);
	CHECK(open_key(reference, pair.decrypt_certificate, &twice, &key) == 0);
	CHECK(twice.asked == 2 && twice.agains == 1);
	must_decrypt_cms(operator_key_evp(key), pair.decrypt_certificate);
	operator_key_free(TAKE(key));
	CHECK_ERROR(open_key(reference, pair.sign_certificate, &never, &key),
	    CA_R_PIN, "is wrong");
	CHECK(never.asked == 3 && never.agains == 3 && key == NULL);
}

static int
no_passphrase(void *ctx, const char *path, struct secret *ret_passphrase)
{
	(void)ctx;
	(void)path;
	(void)ret_passphrase;
	return ca_error(CA_R_INTERRUPTED, "nobody there");
}

/* What is no wrong passphrase is not asked about again. */
TEST(nobody_answers)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	AUTO_CHARS(reference) = reference_of(dir, "alice.key");
	struct people people = { .agains_max = 9 };
	struct key_asker asker = asker_of(&people);
	struct operator_key *key = NULL;

	asker.passphrase = no_passphrase;
	write_pair(dir, "alice.key", &pair);
	CHECK_ERROR(operator_key_open(
			reference, pair.sign_certificate, NULL, &asker, &key),
	    CA_R_INTERRUPTED, "nobody there");
	CHECK(people.agains == 0);
}

static void
refused(const char *dir, X509 *certificate, const char *name,
    enum ca_reason reason, const char *part)
{
	AUTO_CHARS(reference) = reference_of(dir, name);
	struct people people = { .asked = 0 };
	struct operator_key *key = NULL;

	CHECK_ERROR(
	    open_key(reference, certificate, &people, &key), reason, part);
	CHECK(people.asked == 0);
}

TEST(unencrypted_file)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	AUTO(BIO) *plain = BIO_new(BIO_s_mem());
	AUTO(BIO) *ec = BIO_new(BIO_s_mem());
	AUTO(BIO) *legacy = BIO_new(BIO_s_mem());
	AUTO(BIO) *second = BIO_new(BIO_s_mem());

	CHECK(PEM_write_bio_PrivateKey(
		  plain, pair.sign, NULL, NULL, 0, NULL, NULL) == 1);
	write_bio(dir, "plain.key", plain);
	refused(dir, pair.sign_certificate, "plain.key", CA_R_POLICY,
	    "not encrypted; write it anew");
	CHECK(PEM_write_bio_PrivateKey_traditional(
		  ec, pair.sign, NULL, NULL, 0, NULL, NULL) == 1);
	write_bio(dir, "ec.key", ec);
	refused(
	    dir, pair.sign_certificate, "ec.key", CA_R_POLICY, "not encrypted");
	CHECK(PEM_write_bio_PrivateKey_traditional(legacy, pair.sign,
		  EVP_aes_256_cbc(), (const unsigned char *)PASSPHRASE,
		  (int)strlen(PASSPHRASE), NULL, NULL) == 1);
	write_bio(dir, "legacy.key", legacy);
	refused(
	    dir, pair.sign_certificate, "legacy.key", CA_R_POLICY, "Proc-Type");
	/* One that is encrypted does not hide one that is not. */
	add_encrypted(second, pair.sign, PASSPHRASE, NULL);
	CHECK(PEM_write_bio_PrivateKey(
		  second, pair.decrypt, NULL, NULL, 0, NULL, NULL) == 1);
	write_bio(dir, "second.key", second);
	refused(dir, pair.sign_certificate, "second.key", CA_R_POLICY,
	    "not encrypted");
}

TEST(weak_file)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	AUTO(BIO) *des = BIO_new(BIO_s_mem());
	AUTO(BIO) *old = BIO_new(BIO_s_mem());

	add_encrypted(des, pair.sign, PASSPHRASE,
	    PKCS5_pbe2_set_iv(
		EVP_des_ede3_cbc(), 1000, NULL, 0, NULL, NID_hmacWithSHA256));
	write_bio(dir, "des.key", des);
	refused(dir, pair.sign_certificate, "des.key", CA_R_POLICY, "with AES");
	add_encrypted(old, pair.sign, PASSPHRASE,
	    PKCS5_pbe_set(
		NID_pbe_WithSHA1And3_Key_TripleDES_CBC, 1000, NULL, 0));
	write_bio(dir, "old.key", old);
	refused(dir, pair.sign_certificate, "old.key", CA_R_POLICY, "weak");
}

/* A block whose AlgorithmIdentifier is `algorithm`, around nothing. */
static void
write_block(const char *dir, const char *name, const X509_ALGOR *algorithm,
    bool trailing)
{
	static const unsigned char zero[48] = { 0 };
	X509_SIG *sig = X509_SIG_new();
	X509_ALGOR *mine = NULL;
	ASN1_OCTET_STRING *octets = NULL;
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	unsigned char der[1024], *p = der;
	int len = 0;

	X509_SIG_getm(sig, &mine, &octets);
	CHECK(X509_ALGOR_copy(mine, algorithm) == 1);
	CHECK(ASN1_OCTET_STRING_set(octets, zero, sizeof(zero)) == 1);
	len = i2d_X509_SIG(sig, &p);
	CHECK(len > 0 && len < (int)sizeof(der));
	der[len] = 0;
	CHECK(PEM_write_bio(
		  bio, "ENCRYPTED PRIVATE KEY", "", der, len + trailing) > 0);
	write_bio(dir, name, bio);
	X509_SIG_free(sig);
}

TEST(malformed_file)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	X509 *certificate = pair.sign_certificate;
	AUTO(X509_ALGOR) *many = PKCS5_pbe2_set_iv(
	    EVP_aes_256_cbc(), INT_MAX, NULL, 0, NULL, NID_hmacWithSHA256);
	AUTO(X509_ALGOR) *few = PKCS5_pbe2_set_iv(
	    EVP_aes_256_cbc(), 1000, NULL, 0, NULL, NID_hmacWithSHA256);
	AUTO(X509_ALGOR) *none = X509_ALGOR_new();
	AUTO_BYTES(big) = calloc(1, 65 * 1024);

	refused(dir, certificate, "none.key", CA_R_MISSING, "none.key");
	write_file(in_dir(dir, "empty.key"), "", 0);
	refused(dir, certificate, "empty.key", CA_R_INPUT, "holds no");
	memset(big, '\n', 65 * 1024);
	write_file(in_dir(dir, "big.key"), big, 65 * 1024);
	refused(dir, certificate, "big.key", CA_R_INPUT, "larger than 65536");
	write_block(dir, "many.key", many, false);
	refused(dir, certificate, "many.key", CA_R_INPUT, "more than");
	write_block(dir, "trailing.key", few, true);
	refused(dir, certificate, "trailing.key", CA_R_INPUT, "malformed");
	CHECK(X509_ALGOR_set0(
		  none, OBJ_nid2obj(NID_pbes2), V_ASN1_NULL, NULL) == 1);
	write_block(dir, "null.key", none, false);
	refused(dir, certificate, "null.key", CA_R_INPUT, "PBES2");
}

/* Whatever is left of a file, it opens no key, and nothing crashes. */
TEST(truncated_file)
{
	AUTO_STRUCT(pair) pair = make_pair(false);
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *data = NULL;
	long len = 0;

	add_encrypted(bio, pair.sign, PASSPHRASE, NULL);
	len = BIO_get_mem_data(bio, &data);
	/* The last octet is the newline, which PEM can do without. */
	for (long cut = 0; cut < len - 1; cut++) {
		write_file(in_dir(dir, "cut.key"), data, (size_t)cut);
		refused(dir, pair.sign_certificate, "cut.key", CA_R_INPUT,
		    "cut.key");
	}
	write_file(in_dir(dir, "cut.key"), data, (size_t)len / 2);
	refused(dir, pair.sign_certificate, "cut.key", CA_R_INPUT, "truncated");
}

/* ---- Cards ---- */

static struct pair
card_pair(const char *uri, const char *sign_type, const char *decrypt_type)
{
	struct pair pair = { 0 };
	unsigned char id[16];
	struct card *card = must_open(uri, NULL);
	EVP_PKEY *key = NULL;

	CHECK(card_generate(card, sign_type, CARD_SIGN, "sign", id, &key) == 0);
	pair.sign_certificate = certificate_of(key, "alice", 0);
	CHECK(card_generate(
		  card, decrypt_type, CARD_DECRYPT, "decrypt", id, &key) == 0);
	pair.decrypt_certificate = certificate_of(
	    key, "alice", strcmp(decrypt_type, "p-256") == 0 ? 4 : 2);
	card_free(card);
	return pair;
}

TEST(card_keys)
{
	AUTO_STRUCT(pair) pair = { 0 };
	AUTO_STRUCT(pair) other = make_pair(false);
	struct people wrong = { .answers = { "wrong-pin", USER_PIN },
		.agains_max = 1 };
	struct people giving_up = { .answers = { "wrong-pin" } };
	struct people stranger = { .answers = { USER_PIN }, .agains_max = 9 };
	struct people pulled = { .answers = { USER_PIN } };
	struct server server;
	struct operator_key *key = NULL;

	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	pair = card_pair(server.uri, "p-256", "rsa-3072");
	opens(server.uri, pair.sign_certificate, USER_PIN, must_sign_cms);
	opens(server.uri, pair.decrypt_certificate, USER_PIN, must_decrypt_cms);
	CHECK(open_key(server.uri, pair.sign_certificate, &wrong, &key) == 0);
	CHECK(wrong.asked == 2 && wrong.agains == 1);
	must_sign_cms(operator_key_evp(key), pair.sign_certificate);
	operator_key_free(TAKE(key));
	CHECK_ERROR(
	    open_key(server.uri, pair.sign_certificate, &giving_up, &key),
	    CA_R_PIN, "it was tried once");
	CHECK_ERROR(
	    open_key(server.uri, other.sign_certificate, &stranger, &key),
	    CA_R_KEY, "the certificate of 'alice'");
	CHECK(stranger.asked == 1 && stranger.agains == 0);
	/* Pulled between opening and use. */
	CHECK(open_key(server.uri, pair.sign_certificate, &pulled, &key) == 0);
	server_stop(&server);
	{
		AUTO(BIO) *content = BIO_new_mem_buf("text", -1);
		AUTO(CMS_ContentInfo) *cms =
		    CMS_sign(pair.sign_certificate, operator_key_evp(key), NULL,
			content, CMS_DETACHED | CMS_BINARY);

		CHECK(cms == NULL && ca_error_reason() != 0);
	}
	operator_key_free(key);
}

/* ECDH needs a way to the card without p11-kit's client. */
TEST(card_agreement)
{
	AUTO_STRUCT(pair) pair = { 0 };
	const char *uri = NULL;

	card_make(dir, "alice");
	uri = direct_uri(dir, "alice");
	pair = card_pair(uri, "rsa-3072", "p-256");
	opens(uri, pair.sign_certificate, USER_PIN, must_sign_cms);
	opens(uri, pair.decrypt_certificate, USER_PIN, must_decrypt_cms);
}

TEST(card_inserted)
{
	AUTO_STRUCT(pair) pair = { 0 };
	struct people late = {
		.answers = { USER_PIN }, .inserts_max = 2, .dir = dir
	};
	struct people absent = { .inserts_max = 0 };
	struct server server;
	struct operator_key *key = NULL;

	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	pair = card_pair(server.uri, "p-256", "rsa-3072");
	server_stop(&server);
	CHECK_ERROR(open_key(server.uri, pair.sign_certificate, &absent, &key),
	    CA_R_TOKEN, "no token 'alice'");
	CHECK(absent.inserts == 1 && absent.asked == 0);
	CHECK(open_key(server.uri, pair.sign_certificate, &late, &key) == 0);
	CHECK(late.inserts == 2 && late.asked == 1);
	must_sign_cms(operator_key_evp(key), pair.sign_certificate);
	operator_key_free(key);
	server_stop(&late.server);
}

/* ---- Flags and pads, with the shim ---- */

static void
shim_env(const char *dir, const char *orders)
{
	const char *path = in_dir(dir, "orders");
	AUTO_CHARS(all) = text_printf("count %s/count\n%s", dir, orders);

	(void)unlink(in_dir(dir, "count"));
	write_file(path, all, strlen(all));
	CHECK(setenv("CA_SHIM_MODULE", softhsm_library(), 1) == 0);
	CHECK(setenv("CA_SHIM_SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"),
		  1) == 0);
	CHECK(setenv("CA_SHIM_ORDERS", path, 1) == 0);
}

static X509 *
shim_certificate(const char *dir)
{
	unsigned char id[16];
	struct card *card = NULL;
	EVP_PKEY *key = NULL;
	X509 *certificate = NULL;
	AUTO(BIO) *bio = BIO_new_file(in_dir(dir, "x.crt"), "r");

	if (bio != NULL)
		return PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bio = BIO_new_file(in_dir(dir, "x.crt"), "w");
	card = must_open(SHIM_URI, NULL);
	CHECK(card_generate(card, "p-256", CARD_SIGN, "x", id, &key) == 0);
	certificate = certificate_of(key, "x", 0);
	CHECK(PEM_write_bio_X509(bio, certificate) == 1);
	card_free(card);
	return certificate;
}

static void
setup_shim_card(const char *dir)
{
	shim_env(dir, "");
	X509_free(shim_certificate(dir));
}

static void
at_final_try(const char *dir)
{
	AUTO(X509) *certificate = shim_certificate(dir);
	struct people careful = { .stop_at_final = true };
	struct people bold = { .answers = { USER_PIN } };
	struct operator_key *key = NULL;

	shim_env(dir, "flags +CKF_USER_PIN_FINAL_TRY\n");
	CHECK_ERROR(open_key(SHIM_URI, certificate, &careful, &key), CA_R_PIN,
	    "not risked");
	CHECK(careful.final == 1 && careful.asked == 0);
	CHECK(count_lines(in_dir(dir, "count"), "C_Login=") == 0);
	CHECK(open_key(SHIM_URI, certificate, &bold, &key) == 0);
	CHECK(bold.final == 1 && bold.asked == 1);
	operator_key_free(key);
}

static void
at_locked(const char *dir)
{
	AUTO(X509) *certificate = shim_certificate(dir);
	struct people people = { .agains_max = 9 };
	struct operator_key *key = NULL;

	shim_env(dir, "flags +CKF_USER_PIN_LOCKED\n");
	CHECK_ERROR(open_key(SHIM_URI, certificate, &people, &key), CA_R_PIN,
	    "is locked");
	CHECK(people.asked == 0 && people.agains == 0);
	CHECK(count_lines(in_dir(dir, "count"), "C_Login=") == 0);
}

static void
at_pad(const char *dir)
{
	AUTO(X509) *certificate = shim_certificate(dir);
	struct people people = { .asked = 0 };
	struct operator_key *key = NULL;

	shim_env(dir, "pin-pad " USER_PIN " " SO_PIN "\n");
	CHECK(open_key(SHIM_URI, certificate, &people, &key) == 0);
	CHECK(people.pads == 1 && people.asked == 0);
	must_sign_cms(operator_key_evp(key), certificate);
	operator_key_free(key);
}

static void
at_pad_mistyped(const char *dir)
{
	AUTO(X509) *certificate = shim_certificate(dir);
	struct people people = { .agains_max = 1, .stop_at_final = true };
	struct operator_key *key = NULL;

	shim_env(dir, "pin-pad not-the-pin " SO_PIN "\n");
	CHECK_ERROR(open_key(SHIM_URI, certificate, &people, &key), CA_R_PIN,
	    "it was tried once");
	CHECK(people.pads == 2 && people.agains == 2);
	CHECK(count_lines(in_dir(dir, "count"), "C_Login=") == 2);
}

TEST(flags_and_pads)
{
	in_child(setup_token, dir);
	in_child(setup_shim_card, dir);
	in_child(at_final_try, dir);
	in_child(at_locked, dir);
	in_child(at_pad, dir);
	in_child(at_pad_mistyped, dir);
}

/* ---- New operators ---- */

static int
make_operator(const char *dir, const struct new_operator *order,
    const char *text, struct people *people)
{
	AUTO_STRUCT(secret)
	secret = text != NULL ? secret_of(text) : (struct secret){ 0 };
	struct key_asker asker = asker_of(people);
	AUTO_FD(dirfd) = -1;

	CHECK(dir_open(dir, &dirfd) == 0);
	return operator_new(
	    dirfd, order, text != NULL ? &secret : NULL, &asker);
}

static X509 *
read_certificate(const char *dir, const char *name)
{
	AUTO(BIO) *bio = BIO_new_file(in_dir(dir, name), "r");
	X509 *certificate = NULL;

	CHECK(bio != NULL);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	CHECK(certificate != NULL);
	return certificate;
}

static bool
there(const char *dir, const char *name)
{
	return access(in_dir(dir, name), F_OK) == 0;
}

static void
check_certificate(X509 *certificate, X509 *issuer, uint32_t usage)
{
	AUTO(ASN1_TIME) *never = ASN1_TIME_new();
	const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(certificate);
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	char name[64];

	CHECK(X509_get_version(certificate) == X509_VERSION_3);
	CHECK(X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
		  NID_commonName, name, sizeof(name)) == 5);
	CHECK(strcmp(name, "alice") == 0);
	CHECK(X509_NAME_entry_count(X509_get_subject_name(certificate)) == 1);
	CHECK(X509_NAME_cmp(X509_get_issuer_name(certificate),
		  X509_get_subject_name(issuer)) == 0);
	CHECK(X509_verify(certificate, X509_get0_pubkey(issuer)) == 1);
	CHECK(X509_get_signature_nid(certificate) == NID_ecdsa_with_SHA256 ||
	    X509_get_signature_nid(certificate) == NID_sha256WithRSAEncryption);
	CHECK(X509_get_key_usage(certificate) == usage);
	CHECK(X509_EXTENSION_get_critical(X509_get_ext(certificate,
		  X509_get_ext_by_NID(certificate, NID_key_usage, -1))) == 1);
	CHECK(
	    X509_get_ext_by_NID(certificate, NID_basic_constraints, -1) == -1);
	CHECK(ASN1_TIME_set_string(never, "99991231235959Z") == 1);
	CHECK(ASN1_TIME_compare(X509_get0_notAfter(certificate), never) == 0);
	CHECK(X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0);
	CHECK(ASN1_STRING_length(serial) >= 16 &&
	    ASN1_STRING_length(serial) <= 20);
	CHECK(ASN1_STRING_type(serial) == V_ASN1_INTEGER);
	CHECK(aki != NULL &&
	    ASN1_OCTET_STRING_cmp(aki, X509_get0_subject_key_id(issuer)) == 0);
}

static void
check_operator(
    const char *dir, const char *reference, const char *answer, uint32_t usage)
{
	AUTO(X509) *sign = read_certificate(dir, "alice.sign.crt");
	AUTO(X509) *decrypt = read_certificate(dir, "alice.decrypt.crt");

	check_certificate(sign, sign, KU_DIGITAL_SIGNATURE);
	check_certificate(decrypt, sign, usage);
	CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(sign),
		  X509_get0_serialNumber(decrypt)) != 0);
	CHECK(EVP_PKEY_eq(X509_get0_pubkey(sign), X509_get0_pubkey(decrypt)) !=
	    1);
	opens(reference, sign, answer, must_sign_cms);
	opens(reference, decrypt, answer, must_decrypt_cms);
}

/* Every block: PBKDF2-HMAC-SHA256 with the rounds, AES-256-CBC. */
static void
check_key_file(const char *dir)
{
	AUTO(BIO) *bio = BIO_new_file(in_dir(dir, "alice.key"), "r");
	struct stat st;
	X509_SIG *sig = NULL;

	CHECK(stat(in_dir(dir, "alice.key"), &st) == 0);
	CHECK((st.st_mode & 07777) == 0600);
	for (int i = 0; i < 2; i++) {
		const X509_ALGOR *algorithm = NULL;
		const ASN1_OBJECT *oid = NULL;
		const void *value = NULL;
		PBE2PARAM *pbe2 = NULL;
		PBKDF2PARAM *kdf = NULL;
		int type = 0;

		sig = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
		CHECK(sig != NULL);
		X509_SIG_get0(sig, &algorithm, NULL);
		X509_ALGOR_get0(&oid, &type, &value, algorithm);
		CHECK(OBJ_obj2nid(oid) == NID_pbes2);
		pbe2 = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
		X509_ALGOR_get0(&oid, &type, &value, pbe2->encryption);
		CHECK(OBJ_obj2nid(oid) == NID_aes_256_cbc);
		X509_ALGOR_get0(&oid, &type, &value, pbe2->keyfunc);
		CHECK(OBJ_obj2nid(oid) == NID_id_pbkdf2);
		kdf = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBKDF2PARAM));
		CHECK(ASN1_INTEGER_get(kdf->iter) == PASSPHRASE_ROUNDS);
		X509_ALGOR_get0(&oid, &type, &value, kdf->prf);
		CHECK(OBJ_obj2nid(oid) == NID_hmacWithSHA256);
		CHECK(ASN1_STRING_length(kdf->salt->value.octet_string) == 16);
		PBKDF2PARAM_free(kdf);
		PBE2PARAM_free(pbe2);
		X509_SIG_free(sig);
	}
	CHECK(PEM_read_bio_PKCS8(bio, NULL, NULL, NULL) == NULL);
	ca_error_clear();
}

static void
new_with_file(const char *dir, const char *type, uint32_t usage)
{
	AUTO_CHARS(reference) = reference_of(dir, "alice.key");
	const struct new_operator order = { "alice", type, NULL, false };
	struct people people = { .asked = 0 };

	CHECK(make_operator(dir, &order, PASSPHRASE, &people) == 0);
	CHECK(people.asked == 0);
	check_key_file(dir);
	check_operator(dir, reference, PASSPHRASE, usage);
	CHECK_ERROR(make_operator(dir, &order, PASSPHRASE, &people),
	    CA_R_EXISTS, "nothing was made");
}

TEST(new_ec_file)
{
	new_with_file(dir, "p-256", KU_KEY_AGREEMENT);
}

TEST(new_rsa_file)
{
	new_with_file(dir, "rsa-3072", KU_KEY_ENCIPHERMENT);
}

TEST(new_witness)
{
	AUTO_CHARS(reference) = reference_of(dir, "alice.key");
	const struct new_operator order = { "alice", "p-256", NULL, true };
	AUTO(X509) *certificate = NULL;
	struct people people = { .asked = 0 };

	/* In nobody's way. */
	write_file(in_dir(dir, "alice.decrypt.crt"), "x", 1);
	CHECK(make_operator(dir, &order, PASSPHRASE, &people) == 0);
	certificate = read_certificate(dir, "alice.sign.crt");
	check_certificate(certificate, certificate, KU_DIGITAL_SIGNATURE);
	opens(reference, certificate, PASSPHRASE, must_sign_cms);
}

TEST(new_refusals)
{
	static const char *const names[] = { "alice.key", "alice.sign.crt",
		"alice.decrypt.crt" };
	struct new_operator order = { "alice", "p-256", NULL, false };
	struct people people = { .asked = 0 };

	CHECK_ERROR(make_operator(dir, &order, "short", &people), CA_R_PIN,
	    "too short");
	/* Characters are counted, not octets: eleven of two octets each. */
	CHECK_ERROR(make_operator(dir, &order,
			"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
			"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4",
			&people),
	    CA_R_PIN, "at least 12");
	CHECK_ERROR(
	    make_operator(dir, &order, NULL, &people), CA_R_PIN, "none");
	order.type = "p-384";
	CHECK_ERROR(make_operator(dir, &order, PASSPHRASE, &people), CA_R_USAGE,
	    "p-256 or rsa-3072");
	order.type = "p-256";
	order.name = "../alice";
	CHECK_ERROR(make_operator(dir, &order, PASSPHRASE, &people), CA_R_USAGE,
	    "no name for an operator");
	order.name = "alice";
	order.card = "pkcs11:token=x";
	CHECK_ERROR(make_operator(dir, &order, NULL, &people), CA_R_USAGE,
	    "no 'module-path'");
	order.card = NULL;
	for (size_t i = 0; i < 3; i++) {
		CHECK(!there(dir, names[i]));
		write_file(in_dir(dir, names[i]), "x", 1);
		CHECK_ERROR(make_operator(dir, &order, PASSPHRASE, &people),
		    CA_R_EXISTS, names[i]);
		for (size_t j = 0; j < 3; j++)
			CHECK(there(dir, names[j]) == (i == j));
		CHECK(unlink(in_dir(dir, names[i])) == 0);
	}
}

/* The key is written, a certificate no more. */
TEST(new_without_room)
{
	const struct new_operator order = { "alice", "p-256", NULL, true };
	const struct rlimit limit = { 500, RLIM_INFINITY };
	const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
	struct people people = { .asked = 0 };
	struct stat st;

	CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK_ERROR(make_operator(dir, &order, PASSPHRASE, &people), CA_R_IO,
	    "alice.sign.crt");
	CHECK(!there(dir, "alice.key") && !there(dir, "alice.sign.crt"));
	CHECK(setrlimit(RLIMIT_FSIZE, &none) == 0);
	CHECK(make_operator(dir, &order, PASSPHRASE, &people) == 0);
	/* Or this test would test something else. */
	CHECK(stat(in_dir(dir, "alice.key"), &st) == 0 && st.st_size < 500);
}

/* ---- New operators on cards ---- */

TEST(new_on_card)
{
	struct server server;
	struct new_operator order = { "alice", "p-256", NULL, false };
	struct people ec = { .answers = { USER_PIN } };
	struct people rsa = { .answers = { "wrong-pin", USER_PIN },
		.agains_max = 1 };
	struct people more = { .answers = { USER_PIN } };
	const char *other = in_dir(dir, "other");

	card_make(dir, "alice");
	server_start(dir, "alice", &server);
	order.card = server.uri;
	/* The signing key is there already when the other is refused. */
	CHECK_ERROR(make_operator(dir, &order, NULL, &ec), CA_R_TOKEN,
	    "CKM_ECDH1_DERIVE");
	order.type = "rsa-3072";
	CHECK(make_operator(dir, &order, NULL, &rsa) == 0);
	CHECK(rsa.asked == 2 && rsa.agains == 1);
	CHECK(!there(dir, "alice.key"));
	check_operator(dir, server.uri, USER_PIN, KU_KEY_ENCIPHERMENT);
	/* The names are taken on the card, wherever the files are. */
	CHECK(mkdir(other, 0700) == 0);
	CHECK_ERROR(make_operator(other, &order, NULL, &more), CA_R_EXISTS,
	    "'alice sign' already");
	check_operator(dir, server.uri, USER_PIN, KU_KEY_ENCIPHERMENT);
	server_stop(&server);
}

TEST(new_ec_on_card)
{
	struct new_operator order = { "alice", "p-256", NULL, false };
	struct people people = { .answers = { USER_PIN } };

	card_make(dir, "alice");
	order.card = direct_uri(dir, "alice");
	CHECK(make_operator(dir, &order, NULL, &people) == 0);
	check_operator(dir, order.card, USER_PIN, KU_KEY_AGREEMENT);
}

static size_t
objects_left(void)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
		CKO_PUBLIC_KEY, CKO_CERTIFICATE };
	struct card *card = must_open(SHIM_URI, NULL);
	size_t count = 0;

	for (size_t i = 0; i < 3; i++) {
		AUTO_STRUCT(handles) found = { 0 };

		CHECK(raw_find_class(card_token(card), classes[i], 0, NULL, 0,
			  &found) == 0);
		count += found.count;
	}
	card_free(card);
	return count;
}

static const struct {
	const char *orders;
	enum ca_reason reason;
	const char *part;
} card_failures[] = {
	{ "fail C_GenerateKeyPair 1 0x31\n", CA_R_TOKEN, "cannot generate" },
	{ "fail C_GenerateKeyPair 2 0x31\n", CA_R_TOKEN, "cannot generate" },
	{ "fail-after C_GenerateKeyPair 2 0x31\n", CA_R_TOKEN,
	    "cannot generate" },
	{ "fail C_CreateObject 1 0x31\n", CA_R_TOKEN, "does not store" },
	{ "fail C_CreateObject 2 0x31\n", CA_R_TOKEN, "does not store" },
	{ "fail-after C_CreateObject 2 0x31\n", CA_R_TOKEN, "does not store" },
	{ "fail C_SignInit 1 0x30\n", CA_R_KEY, "does not sign" },
	{ "fail C_SignInit 2 0x30\n", CA_R_KEY, "does not sign" },
	{ "garbage C_Sign 1\n", CA_R_KEY, "does not verify" },
	{ "lie CKA_EXTRACTABLE 1\n", CA_R_KEY, "can leave it" },
};

static size_t failure;

static void
card_fails(const char *dir)
{
	const struct new_operator order = { "alice", "p-256", SHIM_URI, false };
	struct people people = { .answers = { USER_PIN } };

	shim_env(dir, card_failures[failure].orders);
	CHECK_ERROR(make_operator(dir, &order, NULL, &people),
	    card_failures[failure].reason, card_failures[failure].part);
	CHECK(objects_left() == 0);
	CHECK(
	    !there(dir, "alice.sign.crt") && !there(dir, "alice.decrypt.crt"));
}

/* The card has done its part when no file can be written. */
static void
files_fail(const char *dir)
{
	const struct new_operator order = { "alice", "p-256", SHIM_URI, false };
	const char *gone = in_dir(dir, "gone");
	struct people people = { .answers = { USER_PIN } };
	struct key_asker asker = asker_of(&people);
	AUTO_FD(dirfd) = -1;

	shim_env(dir, "");
	CHECK(mkdir(gone, 0700) == 0 && dir_open(gone, &dirfd) == 0);
	CHECK(rmdir(gone) == 0);
	CHECK_ERROR(
	    operator_new(dirfd, &order, NULL, &asker), CA_R_MISSING, "alice");
	CHECK(people.asked == 1 && objects_left() == 0);
}

/* What cannot be removed is said. */
static void
undo_fails(const char *dir)
{
	const struct new_operator order = { "alice", "p-256", SHIM_URI, false };
	struct people people = { .answers = { USER_PIN } };

	shim_env(
	    dir, "fail C_CreateObject 1 0x31\nfail C_DestroyObject * 0x30\n");
	CHECK_ERROR(make_operator(dir, &order, NULL, &people), CA_R_TOKEN,
	    "is left on token 'ca'");
}

TEST(new_on_failing_card)
{
	in_child(setup_token, dir);
	for (failure = 0;
	     failure < sizeof(card_failures) / sizeof(card_failures[0]);
	     failure++)
		in_child(card_fails, dir);
	in_child(files_fail, dir);
	in_child(undo_fails, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),
		cmocka_unit_test(file_ec),
		cmocka_unit_test(file_rsa),
		cmocka_unit_test(wrong_passphrase),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(unencrypted_file),
		cmocka_unit_test(weak_file),
		cmocka_unit_test(malformed_file),
		cmocka_unit_test(truncated_file),
		cmocka_unit_test(card_keys),
		cmocka_unit_test(card_agreement),
		cmocka_unit_test(card_inserted),
		cmocka_unit_test(flags_and_pads),
		cmocka_unit_test(new_ec_file),
		cmocka_unit_test(new_rsa_file),
		cmocka_unit_test(new_witness),
		cmocka_unit_test(new_refusals),
		cmocka_unit_test(new_without_room),
		cmocka_unit_test(new_on_card),
		cmocka_unit_test(new_ec_on_card),
		cmocka_unit_test(new_on_failing_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
