#include "ceremony/quorum/set.h"

#include <signal.h>
#include <sys/resource.h>

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/file.h"
#include "people.h"

/* ---- certificates in memory ------------------------------------------- */

enum { FILES_MAX = 96 };

struct pool {
	struct scratch scratch;
	struct {
		char name[32];
		unsigned char *data;
		size_t len;
	} files[FILES_MAX];
	size_t count;
	struct set_files reader;
};

static const int64_t NOW = 1792000000; /* in October 2026 */

static int
read_pool(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	const struct pool *pool = ctx;

	for (size_t i = 0; i < pool->count; i++) {
		unsigned char *copy;

		if (strcmp(pool->files[i].name, given) != 0)
			continue;
		copy = malloc(pool->files[i].len + 1);
		if (copy == NULL)
			return ca_error(CA_R_MEMORY, "no memory");
		memcpy(copy, pool->files[i].data, pool->files[i].len);
		*ret_data = copy;
		*ret_len = pool->files[i].len;
		return 0;
	}
	return ca_error(CA_R_MISSING, "there is no '%s'", given);
}

static void
pool_add(struct pool *pool, const char *name, const void *data, size_t len)
{
	size_t i = pool->count++;

	assert_true(i < FILES_MAX);
	(void)snprintf(
	    pool->files[i].name, sizeof(pool->files[i].name), "%s", name);
	pool->files[i].data = malloc(len + 1);
	assert_non_null(pool->files[i].data);
	memcpy(pool->files[i].data, data, len);
	pool->files[i].len = len;
}

static void
pool_add_pem(struct pool *pool, const char *name, X509 *first, X509 *second)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	assert_int_equal(PEM_write_bio_X509(bio, first), 1);
	if (second != NULL)
		assert_int_equal(PEM_write_bio_X509(bio, second), 1);
	len = BIO_get_mem_data(bio, &text);
	pool_add(pool, name, text, (size_t)len);
}

/* A new key of the type, and its certificate in PEM. */
static void
pool_add_new(struct pool *pool, const char *name, const char *type,
    const char *key_usage, const char *not_after)
{
	AUTO(EVP_PKEY) *key = new_key(type);
	struct certificate_order order = { .key = key,
		.name = name,
		.key_usage = key_usage,
		.not_after = not_after };
	AUTO(X509) *certificate = new_certificate(&order);

	pool_add_pem(pool, name, certificate, NULL);
}

static X509 *
pool_certificate(const struct pool *pool, const char *name)
{
	AUTO_BYTES(data) = NULL;
	AUTO(BIO) *bio = NULL;
	X509 *certificate;
	size_t len = 0;
	void *ctx = pool->reader.ctx;

	assert_ok(pool->reader.read(ctx, name, &data, &len));
	bio = BIO_new_mem_buf(data, (int)len);
	certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	assert_non_null(certificate);
	return certificate;
}

/* A certificate about the key of another, without that key. */
static void
pool_add_about(struct pool *pool, const char *name, EVP_PKEY *subject)
{
	AUTO(EVP_PKEY) *key = new_key("p-256");
	AUTO(X509) *certificate = plain_certificate(key, name);

	assert_int_equal(X509_set_pubkey(certificate, subject), 1);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	pool_add_pem(pool, name, certificate, NULL);
}

/* The modulus of an RSA key, with another exponent. */
static EVP_PKEY *
other_exponent(EVP_PKEY *key)
{
	AUTO(BIGNUM) *n = NULL;
	AUTO(BIGNUM) *e = BN_new();
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY *made = NULL;

	assert_int_equal(
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_set_word(e, 65539), 1);
	assert_int_equal(
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n), 1);
	assert_int_equal(
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e), 1);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &made, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return made;
}

static void
add_special(struct pool *pool)
{
	AUTO(X509) *alice = pool_certificate(pool, "a.s");
	AUTO(X509) *rosa = pool_certificate(pool, "rsa.s");
	AUTO(X509) *bob = pool_certificate(pool, "b.s");
	AUTO(EVP_PKEY) *exponent = other_exponent(X509_get0_pubkey(rosa));
	unsigned char der[1024] = { 0 };
	unsigned char *end = der;
	int len = i2d_X509(bob, NULL);

	assert_in_range(len, 1, sizeof(der) - 1);
	assert_int_equal(i2d_X509(bob, &end), len);
	pool_add(pool, "b.der", der, (size_t)len);
	pool_add(pool, "b.cut", der, (size_t)len - 1);
	pool_add(pool, "b.more", der, (size_t)len + 1);
	pool_add(pool, "garbage", "what?\n", 6);
	pool_add(pool, "empty", "", 0);
	pool_add_pem(pool, "two", alice, bob);
	pool_add_about(pool, "a.again", X509_get0_pubkey(alice));
	pool_add_about(pool, "rsa.e", exponent);
}

static int
pool_setup(void **state)
{
	static const char *const plain[] = { "a.s", "a.d", "b.s", "b.d", "c.s",
		"c.d", "w.s" };
	struct pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return -1;
	pool->reader = (struct set_files){ pool, read_pool };
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		pool_add_new(pool, plain[i], "p-256", NULL, NULL);
	pool_add_new(pool, "p384.s", "p-384", "digitalSignature", NULL);
	pool_add_new(pool, "p384.d", "p-384", "keyAgreement", NULL);
	pool_add_new(pool, "p521", "p-521", NULL, NULL);
	pool_add_new(pool, "rsa.s", "rsa-3072", "digitalSignature", NULL);
	pool_add_new(pool, "rsa.d", "rsa-3072", "keyEncipherment", NULL);
	pool_add_new(pool, "rsa2048", "rsa-2048", NULL, NULL);
	pool_add_new(pool, "ca", "p-256", "keyCertSign,cRLSign", NULL);
	pool_add_new(pool, "expired", "p-256", NULL, "20260201000000Z");
	add_special(pool);
	*state = pool;
	return 0;
}

static int
pool_teardown(void **state)
{
	struct pool *pool = *state;

	for (size_t i = 0; i < pool->count; i++)
		free(pool->files[i].data);
	free(pool);
	return 0;
}

static int
scratch_setup(void **state)
{
	return scratch_make(&((struct pool *)*state)->scratch);
}

static int
scratch_teardown(void **state)
{
	return scratch_remove(&((struct pool *)*state)->scratch);
}

/* ---- set files -------------------------------------------------------- */

static const char good[] = "format: ca-tool-set-1\n"
			   "threshold: 2\n"
			   "operators:\n"
			   "  - name: alice\n"
			   "    sign: a.s\n"
			   "    decrypt: a.d\n"
			   "  - name: bob\n"
			   "    sign: b.s\n"
			   "    decrypt: b.d\n"
			   "  - name: carol\n"
			   "    sign: c.s\n"
			   "    decrypt: c.d\n"
			   "witnesses:\n"
			   "  - name: wendy\n"
			   "    sign: w.s\n";

static const char without_shares[] = "format: ca-tool-set-1\n"
				     "threshold: 2\n"
				     "operators:\n"
				     "  - name: alice\n"
				     "    sign: a.s\n"
				     "  - name: bob\n"
				     "    sign: b.s\n"
				     "  - name: carol\n"
				     "    sign: c.s\n";

static int
read_set(const struct pool *pool, const char *text, bool shares,
    struct findings *findings, struct quorum_set **ret_set)
{
	return set_read("my-set.yaml", (const unsigned char *)text,
	    strlen(text), shares, NOW, &pool->reader, findings, ret_set);
}

/* `text` with the first `old` made `new`. */
static char *
with(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);
	char *out;

	assert_non_null(at);
	out = text_printf(
	    "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	assert_non_null(out);
	return out;
}

static struct quorum_set *
good_set(const struct pool *pool, const char *text, bool shares)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct quorum_set *set = NULL;
	int result = read_set(pool, text, shares, &findings, &set);

	for (size_t i = 0; result != 0 && i < findings.count; i++)
		print_message("%s %s %s\n", findings.rows[i].id,
		    findings.rows[i].place, findings.rows[i].text);
	assert_ok(result);
	assert_int_equal(findings.count, 0);
	return set;
}

static void
assert_found(const struct findings *findings, const char *id, const char *place,
    const char *part)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0 &&
		    strcmp(findings->rows[i].place, place) == 0 &&
		    strstr(findings->rows[i].text, part) != NULL)
			return;
	for (size_t i = 0; i < findings->count; i++)
		print_message("%s %s %s\n", findings->rows[i].id,
		    findings->rows[i].place, findings->rows[i].text);
	fail_msg("no %s at %s with '%s'", id, place, part);
}

/* Refused, with `errors` findings, this one among them. */
static void
assert_refused_set(const struct pool *pool, const char *text, bool shares,
    size_t errors, const char *id, const char *place, const char *part)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct quorum_set *set = NULL;

	assert_refused(CA_R_INPUT, "my-set.yaml",
	    read_set(pool, text, shares, &findings, &set));
	assert_null(set);
	assert_found(&findings, id, place, part);
	assert_int_equal(findings.errors, errors);
}

static void
test_good(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	AUTO(X509) *bob = pool_certificate(pool, "b.s");

	assert_int_equal(set->threshold, 2);
	assert_int_equal(set->operators, 3);
	assert_int_equal(set->count, 4);
	assert_true(set->shares);
	assert_string_equal(set->id, "");
	assert_null(set->text);
	assert_null(set->sha256);
	assert_null(set->authority);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(set->people[i].index, i + 1);
		assert_false(set->people[i].witness);
		assert_non_null(set->people[i].decrypt);
		assert_int_equal(strlen(set->people[i].decrypt_spki), 64);
	}
	assert_string_equal(set->people[1].name, "bob");
	assert_int_equal(X509_cmp(set->people[1].sign, bob), 0);
	assert_string_equal(set->people[3].name, "wendy");
	assert_true(set->people[3].witness);
	assert_int_equal(set->people[3].index, 0);
	assert_null(set->people[3].decrypt);
	assert_ptr_equal(set_person(set, "carol"), &set->people[2]);
	assert_null(set_person(set, "caro"));
	assert_null(set_warning(set));
}

/* Hash by another way: over the SubjectPublicKeyInfo of the key itself. */
static void
test_spki_digest(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	AUTO_DER(der) = NULL;
	AUTO_CHARS(hex) = NULL;
	int len = i2d_PUBKEY(X509_get0_pubkey(set->people[2].decrypt), &der);

	assert_true(len > 0);
	hex = sha256_hex(der, (size_t)len);
	assert_string_equal(set->people[2].decrypt_spki, hex);
	assert_string_not_equal(set->people[2].sign_spki, hex);
}

static void
test_good_kinds(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(der) = with(good, "b.s", "b.der");
	AUTO_CHARS(rsa_sign) = with(der, "a.s", "rsa.s");
	AUTO_CHARS(rsa) = with(rsa_sign, "a.d", "rsa.d");
	AUTO_CHARS(ec_sign) = with(rsa, "c.s", "p384.s");
	AUTO_CHARS(ec) = with(ec_sign, "c.d", "p384.d");
	AUTO_PTR(quorum_set) *set = good_set(pool, ec, true);
	AUTO_PTR(quorum_set) *bare = good_set(pool, without_shares, false);

	assert_int_equal(set->count, 4);
	assert_false(bare->shares);
	assert_null(bare->people[0].decrypt);
	assert_null(bare->people[0].decrypt_spki);
	assert_int_equal(bare->count, 3);
}

/* Each change to the good file, and what it must lead to. */
static const struct {
	const char *old, *new, *id, *place, *part;
} bad[] = {
	{ "ca-tool-set-1", "ca-tool-set-2", "SET-FORMAT", "my-set.yaml:1:9",
	    "'ca-tool-set-2'" },
	{ "threshold: 2", "threshold: 4", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "'4' cannot be the threshold of 3 operators" },
	{ "threshold: 2", "threshold: 0", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "a number from 1 to 3" },
	{ "threshold: 2", "threshold: 02", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "'02' cannot be" },
	{ "threshold: 2", "threshold: -2", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "'-2' cannot be" },
	{ "threshold: 2", "threshold: 4294967298", "SET-THRESHOLD",
	    "my-set.yaml:2:12", "'4294967298' cannot be" },
	{ "threshold: 2", "threshold: 1", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "allow-single-control: true" },
	{ "threshold: 2", "allow-no-spare: true\nthreshold: 1", "SET-THRESHOLD",
	    "my-set.yaml:3:12", "allow-single-control: true" },
	{ "threshold: 2", "allow-single-control: false\nthreshold: 1",
	    "SET-THRESHOLD", "my-set.yaml:3:12", "allow-single-control: true" },
	{ "threshold: 2", "threshold: 3", "SET-THRESHOLD", "my-set.yaml:2:12",
	    "allow-no-spare: true" },
	{ "threshold: 2", "allow-single-control: true\nthreshold: 3",
	    "SET-THRESHOLD", "my-set.yaml:3:12", "allow-no-spare: true" },
	{ "name: bob", "name: Bob", "SET-NAME", "my-set.yaml:7:11",
	    "'Bob' cannot name a person" },
	{ "name: bob", "name: bob marley", "SET-NAME", "my-set.yaml:7:11",
	    "'bob marley'" },
	{ "name: bob", "name: ../bob", "SET-NAME", "my-set.yaml:7:11",
	    "'../bob'" },
	{ "name: bob", "name: bob/../../x", "SET-NAME", "my-set.yaml:7:11",
	    "'bob/../../x'" },
	{ "name: bob", "name: b=b", "SET-NAME", "my-set.yaml:7:11", "'b=b'" },
	{ "name: bob",
	    "name: b\xc3\xb6"
	    "b",
	    "SET-NAME", "my-set.yaml:7:11", "cannot name a person" },
	{ "name: bob", "name: '-'", "SET-NAME", "my-set.yaml:7:11",
	    "'-' cannot" },
	{ "name: bob", "name: alice", "SET-NAME", "my-set.yaml:7:11",
	    "'alice' is there twice" },
	{ "name: wendy", "name: carol", "SET-NAME", "my-set.yaml:14:11",
	    "'carol' is there twice" },
	{ "b.s", "nowhere", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "there is no 'nowhere'" },
	{ "b.s", "two", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "'two' holds something behind its certificate" },
	{ "b.s", "garbage", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "'garbage' is not a certificate" },
	{ "b.s", "empty", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "'empty' is empty" },
	{ "b.s", "b.cut", "SET-CERTIFICATE", "my-set.yaml:8:11", "'b.cut'" },
	{ "b.s", "b.more", "SET-CERTIFICATE", "my-set.yaml:8:11", "'b.more'" },
	{ "b.s", "rsa2048", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "2048 bits, and operators' keys need 3072" },
	{ "b.d", "rsa2048", "SET-CERTIFICATE", "my-set.yaml:9:14",
	    "2048 bits, and operators' keys need 3072" },
	{ "b.s", "p521", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "neither RSA nor on P-256" },
	{ "b.d", "p521", "SET-CERTIFICATE", "my-set.yaml:9:14",
	    "neither RSA nor on P-256" },
	{ "b.s", "ca", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "may not sign: its keyUsage is without digitalSignature" },
	{ "w.s", "ca", "SET-CERTIFICATE", "my-set.yaml:15:11", "may not sign" },
	{ "b.s", "p384.d", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "may not sign" },
	{ "b.s", "rsa.d", "SET-CERTIFICATE", "my-set.yaml:8:11",
	    "may not sign" },
	{ "b.d", "p384.s", "SET-CERTIFICATE", "my-set.yaml:9:14",
	    "may not decrypt: its keyUsage is without keyAgreement" },
	{ "b.d", "rsa.s", "SET-CERTIFICATE", "my-set.yaml:9:14",
	    "may not decrypt: its keyUsage is without keyEncipherment" },
	{ "    decrypt: b.d\n", "", "SET-CERTIFICATE", "my-set.yaml:7:5",
	    "'bob' has no decryption certificate" },
	{ "b.s", "a.s", "SET-KEY-TWICE", "my-set.yaml:8:11",
	    "the signing key of 'alice'" },
	{ "b.s", "a.again", "SET-KEY-TWICE", "my-set.yaml:8:11",
	    "the signing key of 'alice'" },
	{ "b.d", "a.d", "SET-KEY-TWICE", "my-set.yaml:9:14",
	    "the decryption key of 'alice'" },
	{ "b.s", "a.d", "SET-KEY-TWICE", "my-set.yaml:8:11",
	    "the decryption key of 'alice'" },
	{ "b.d", "b.s", "SET-KEY-TWICE", "my-set.yaml:9:14",
	    "the signing key of 'bob'" },
	{ "w.s", "a.s", "SET-KEY-TWICE", "my-set.yaml:15:11",
	    "the signing key of 'alice'" },
	{ "w.s", "c.d", "SET-KEY-TWICE", "my-set.yaml:15:11",
	    "the decryption key of 'carol'" },
	{ "    sign: w.s\n", "    sign: w.s\n    decrypt: a.d\n", "YAML-SCHEMA",
	    "my-set.yaml:16:5", "unknown key 'decrypt'" },
	{ "threshold: 2", "threshold: 2\nset: x", "YAML-SCHEMA",
	    "my-set.yaml:3:1", "unknown key 'set'" },
	{ "threshold: 2", "allow-no-spare: maybe\nthreshold: 2", "YAML-SCHEMA",
	    "my-set.yaml:2:17", "true" },
	{ "threshold: 2\n", "", "YAML-SCHEMA", "my-set.yaml:1:1",
	    "'threshold' is missing" },
};

static void
test_bad(void **state)
{
	const struct pool *pool = *state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_CHARS(text) = with(good, bad[i].old, bad[i].new);

		assert_refused_set(
		    pool, text, true, 1, bad[i].id, bad[i].place, bad[i].part);
	}
}

/* Two exponents of one modulus: who knows one private key knows the other. */
static void
test_same_modulus(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(first) = with(good, "a.s", "rsa.s");
	AUTO_CHARS(text) = with(first, "b.s", "rsa.e");

	assert_refused_set(pool, text, true, 1, "SET-KEY-TWICE",
	    "my-set.yaml:8:11", "the signing key of 'alice'");
}

static void
test_decrypt_without_shares(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(text) = with(
	    without_shares, "sign: b.s\n", "sign: b.s\n    decrypt: b.d\n");

	assert_refused_set(pool, text, false, 1, "SET-CERTIFICATE",
	    "my-set.yaml:8:14", "leave 'decrypt' out");
}

/* All of it is said at once. */
static void
test_all_at_once(void **state)
{
	const struct pool *pool = *state;
	static const char text[] = "format: x\n"
				   "threshold: 9\n"
				   "operators:\n"
				   "  - name: A\n"
				   "    sign: nowhere\n"
				   "    decrypt: rsa2048\n"
				   "  - name: b\n"
				   "    sign: ca\n"
				   "    decrypt: ca\n";
	static const char *const ids[] = { "SET-FORMAT", "SET-THRESHOLD",
		"SET-NAME", "SET-CERTIFICATE", "SET-CERTIFICATE",
		"SET-CERTIFICATE", "SET-KEY-TWICE", "SET-CERTIFICATE" };
	AUTO_STRUCT(findings) findings = { 0 };
	struct quorum_set *set = NULL;

	assert_refused(CA_R_INPUT, "my-set.yaml",
	    read_set(pool, text, true, &findings, &set));
	assert_int_equal(findings.count, sizeof(ids) / sizeof(ids[0]));
	for (size_t i = 0; i < findings.count; i++)
		assert_string_equal(findings.rows[i].id, ids[i]);
}

static void
test_dates(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(text) = with(good, "c.d", "expired");
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(findings) early = { 0 };
	AUTO_PTR(quorum_set) *set = NULL;
	AUTO_PTR(quorum_set) *too_early = NULL;

	assert_ok(read_set(pool, text, true, &findings, &set));
	assert_int_equal(findings.count, 1);
	assert_int_equal(findings.errors, 0);
	assert_int_equal(findings.rows[0].severity, FINDING_WARNING);
	assert_found(&findings, "SET-DATES", "my-set.yaml:12:14",
	    "from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z");
	/* Before 2026 none of the seven is valid. */
	assert_ok(set_read("my-set.yaml", (const unsigned char *)good,
	    strlen(good), true, 1000000000, &pool->reader, &early, &too_early));
	assert_int_equal(early.count, 7);
}

/* A set file of so many operators and witnesses, without shares. */
static char *
many(unsigned operators, unsigned witnesses)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	(void)BIO_printf(
	    bio, "format: ca-tool-set-1\nthreshold: 2\noperators:\n");
	for (unsigned i = 0; i < operators + witnesses; i++) {
		if (i == operators)
			(void)BIO_printf(bio, "witnesses:\n");
		(void)BIO_printf(
		    bio, "  - name: p%u\n    sign: many%u\n", i, i);
	}
	(void)BIO_write(bio, "", 1);
	(void)BIO_get_mem_data(bio, &text);
	return text_copy(text);
}

static void
test_count(void **state)
{
	struct pool *pool = *state;
	size_t before = pool->count;
	AUTO_CHARS(most) = many(32, 32);
	AUTO_CHARS(too_many) = many(33, 0);
	AUTO_CHARS(too_many_people) = many(32, 33);
	AUTO_PTR(quorum_set) *set = NULL;

	for (unsigned i = 0; i < 65; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "many%u", i);
		pool_add_new(pool, name, "p-256", NULL, NULL);
	}
	set = good_set(pool, most, false);
	assert_int_equal(set->operators, 32);
	assert_int_equal(set->count, 64);
	assert_refused_set(pool, too_many, false, 1, "SET-COUNT",
	    "my-set.yaml:3:1", "33 operators, and a set may have 32");
	assert_refused_set(pool, too_many_people, false, 1, "SET-COUNT",
	    "my-set.yaml:68:1", "65 operators and witnesses");
	while (pool->count > before)
		free(pool->files[--pool->count].data);
}

static void
test_warnings(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(one) = with(without_shares, "threshold: 2",
	    "threshold: 1\nallow-single-control: true");
	AUTO_CHARS(all) = with(without_shares, "threshold: 2",
	    "threshold: 3\nallow-no-spare: true");
	static const char both[] =
	    "format: ca-tool-set-1\nthreshold: 1\n"
	    "allow-single-control: true\nallow-no-spare: true\n"
	    "operators:\n  - name: a\n    sign: a.s\n";
	AUTO_PTR(quorum_set) *single = good_set(pool, one, false);
	AUTO_PTR(quorum_set) *spare = good_set(pool, all, false);
	AUTO_PTR(quorum_set) *alone = good_set(pool, both, false);

	assert_non_null(strstr(set_warning(single), "SINGLE CONTROL"));
	assert_null(strstr(set_warning(single), "SPARE"));
	assert_non_null(strstr(set_warning(spare), "NO SPARE"));
	assert_null(strstr(set_warning(spare), "SINGLE"));
	assert_non_null(strstr(set_warning(alone), "SINGLE CONTROL"));
	assert_non_null(strstr(set_warning(alone), "NO SPARE"));
}

static void
test_proposal(void **state)
{
	const struct pool *pool = *state;
	static const struct {
		const char *old, *new;
	} changes[] = {
		{ "threshold: 2", "threshold: 2\nallow-no-spare: true" },
		{ "threshold: 2", "threshold: 2\nallow-single-control: true" },
		{ "threshold: 2", "threshold: 3\nallow-no-spare: true" },
		{ "name: bob", "name: bert" },
		{ "sign: b.s", "sign: p384.s" },
		{ "decrypt: b.d", "decrypt: p384.d" },
		{ "witnesses:\n  - name: wendy\n    sign: w.s\n", "" },
		{ "sign: w.s", "sign: p384.s" },
		{ "sign: a.s", "sign: a.again" },
	};
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	AUTO_PTR(quorum_set) *again = good_set(pool, good, true);

	assert_true(set_is_proposal_of(again, set));
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		AUTO_CHARS(text) = with(good, changes[i].old, changes[i].new);
		AUTO_PTR(quorum_set) *other = good_set(pool, text, true);

		assert_false(set_is_proposal_of(other, set));
		assert_false(set_is_proposal_of(set, other));
	}
}

/* ---- stored sets ------------------------------------------------------ */

static const char share_a[] = "share of alice", share_b[] = "of bob",
		  share_c[] = "of carol";

/* Points that are some; what they are is not the set's business. */
static struct commitments
some_commitments(unsigned threshold)
{
	struct commitments commitments = { .threshold = threshold };
	AUTO(EC_GROUP) *group =
	    EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);

	for (unsigned i = 0; i < threshold; i++)
		assert_int_equal(
		    EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
			POINT_CONVERSION_COMPRESSED, commitments.points[i],
			POINT_LEN, NULL),
		    POINT_LEN);
	return commitments;
}

static int
store(int fd, const struct quorum_set *set)
{
	unsigned char *shares[3];
	size_t lens[] = { sizeof(share_a), sizeof(share_b), sizeof(share_c) };
	const char *texts[] = { share_a, share_b, share_c };
	int result;

	for (size_t i = 0; i < 3; i++) {
		shares[i] = malloc(lens[i]);
		assert_non_null(shares[i]);
		memcpy(shares[i], texts[i], lens[i]);
	}
	result = set_store(fd, set, shares, lens);
	for (size_t i = 0; i < 3; i++)
		free(shares[i]);
	return result;
}

/* A set with shares, founded and stored in the scratch directory. */
static struct quorum_set *
stored_set(const struct pool *pool)
{
	struct quorum_set *set = good_set(pool, good, true);
	struct commitments commitments = some_commitments(2);

	assert_ok(set_found(set, "example.org/root-ca-1", &commitments));
	assert_ok(store(pool->scratch.fd, set));
	return set;
}

static int
set_dir(const struct pool *pool, const struct quorum_set *set)
{
	int fd = openat(
	    pool->scratch.fd, set->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static size_t
entries(int parent)
{
	DIR *dir =
	    fdopendir(openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t count = 0;

	while (readdir(dir) != NULL)
		count++;
	(void)closedir(dir);
	return count - 2;
}

static void
test_found(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	AUTO_PTR(quorum_set) *other = good_set(pool, good, true);
	struct commitments commitments = some_commitments(2);
	AUTO_CHARS(hash) =
	    sha256_hex(commitments.points, (size_t)2 * POINT_LEN);
	AUTO_CHARS(begin) = NULL;
	AUTO_CHARS(id) = NULL;
	AUTO_CHARS(sha256) = NULL;

	assert_ok(set_found(set, "example.org/root-ca-1", &commitments));
	assert_ok(set_found(other, "example.org/root-ca-1", &commitments));
	assert_string_not_equal(set->id, other->id);
	id = text_hex(set->id_octets, SET_ID_LEN);
	assert_string_equal(set->id, id);
	assert_string_equal(set->commitments, hash);
	begin = text_printf("format: ca-tool-set-1\nset: \"%s\"\n"
			    "authority: \"example.org/root-ca-1\"\n"
			    "threshold: 2\noperators:\n  - name: \"alice\"\n"
			    "    index: 1\n    sign: \"alice.sign.crt\"\n",
	    set->id);
	assert_int_equal(strncmp(set->text, begin, strlen(begin)), 0);
	sha256 = sha256_hex(set->text, strlen(set->text));
	assert_string_equal(set->sha256, sha256);
}

static void
test_found_refused(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	AUTO_PTR(quorum_set) *bare = good_set(pool, without_shares, false);
	struct commitments two = some_commitments(2);
	struct commitments three = some_commitments(3);

	assert_refused(CA_R_INTERNAL, "commitments", set_found(set, "a", NULL));
	assert_refused(
	    CA_R_INTERNAL, "commitments", set_found(set, "a", &three));
	assert_refused(
	    CA_R_INTERNAL, "commitments", set_found(bare, "a", &two));
	assert_refused(CA_R_INPUT, "cannot name", set_found(set, "", &two));
	assert_refused(
	    CA_R_INPUT, "cannot name", set_found(set, "a\nset: b", &two));
	assert_refused(CA_R_INPUT, "cannot name", set_found(set, "a\"b", &two));
	assert_string_equal(set->id, "");
	assert_null(set->text);
	assert_null(set->authority);
	assert_refused(
	    CA_R_INTERNAL, "not founded", store(pool->scratch.fd, set));
	assert_int_equal(entries(pool->scratch.fd), 0);
	assert_ok(set_found(set, "a", &two));
	assert_refused(CA_R_INTERNAL, "twice", set_found(set, "a", &two));
}

static mode_t
mode_of(int dirfd, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static void
test_store(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_FD(fd) = set_dir(pool, set);
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	assert_int_equal(entries(pool->scratch.fd), 1);
	/* set.yaml, 4 and 3 certificates, 3 shares */
	assert_int_equal(entries(fd), 11);
	assert_int_equal(mode_of(fd, "set.yaml"), 0644);
	assert_int_equal(mode_of(fd, "alice.sign.crt"), 0644);
	assert_int_equal(mode_of(fd, "carol.decrypt.crt"), 0644);
	assert_int_equal(mode_of(fd, "wendy.sign.crt"), 0644);
	assert_int_equal(mode_of(fd, "bob.cms"), 0600);
	assert_ok(file_read_at(fd, "bob.cms", 100, &data, &len));
	assert_int_equal(len, sizeof(share_b));
	assert_memory_equal(data, share_b, len);
	assert_refused(CA_R_EXISTS, set->id, store(pool->scratch.fd, set));
	assert_int_equal(entries(fd), 11);
}

static void
test_load(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *proposal = good_set(pool, good, true);
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_PTR(quorum_set) *loaded = NULL;
	AUTO_PTR(quorum_set) *unknown = NULL;

	assert_ok(set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	assert_string_equal(loaded->id, set->id);
	assert_memory_equal(loaded->id_octets, set->id_octets, SET_ID_LEN);
	assert_string_equal(loaded->authority, "example.org/root-ca-1");
	assert_string_equal(loaded->commitments, set->commitments);
	assert_string_equal(loaded->text, set->text);
	assert_string_equal(loaded->sha256, set->sha256);
	assert_true(loaded->shares);
	assert_true(set_is_proposal_of(proposal, loaded));
	assert_string_equal(
	    loaded->people[1].decrypt_spki, set->people[1].decrypt_spki);
	assert_ok(set_load(pool->scratch.fd, set->id, NULL, &unknown));
}

static void
test_load_without_shares(void **state)
{
	const struct pool *pool = *state;
	AUTO_CHARS(text) = with(without_shares, "threshold: 2",
	    "threshold: 3\nallow-no-spare: true\nallow-single-control: true");
	AUTO_PTR(quorum_set) *set = good_set(pool, text, false);
	AUTO_PTR(quorum_set) *loaded = NULL;
	unsigned char *der = NULL;
	size_t len = 0;

	assert_ok(set_found(set, "x", NULL));
	assert_refused(
	    CA_R_INTERNAL, "without its shares", store(pool->scratch.fd, set));
	assert_ok(set_store(pool->scratch.fd, set, NULL, NULL));
	assert_ok(set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	assert_false(loaded->shares);
	assert_true(set_is_proposal_of(set, loaded));
	assert_refused(CA_R_POLICY, "'bob' has no share",
	    set_share(
		pool->scratch.fd, loaded, &loaded->people[1], &der, &len));
}

static void
test_load_missing(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_FD(fd) = set_dir(pool, set);
	struct quorum_set *loaded = NULL;

	assert_refused(CA_R_INPUT, "no id",
	    set_load(pool->scratch.fd, "../x", NULL, &loaded));
	assert_refused(
	    CA_R_INPUT, "no id", set_load(pool->scratch.fd, "", NULL, &loaded));
	assert_refused(CA_R_MISSING, "00112233445566778899aabbccddeeff",
	    set_load(pool->scratch.fd, "00112233445566778899aabbccddeeff", NULL,
		&loaded));
	assert_int_equal(unlinkat(fd, "carol.decrypt.crt", 0), 0);
	assert_refused(CA_R_MISSING, "'carol.decrypt.crt'",
	    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	assert_int_equal(unlinkat(fd, "set.yaml", 0), 0);
	assert_refused(CA_R_MISSING, "'set.yaml'",
	    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	assert_null(loaded);
}

/* One octet changed at a time: the file is named. */
static void
change_file(const struct pool *pool, const struct quorum_set *set,
    const char *name, size_t step)
{
	AUTO_FD(fd) = set_dir(pool, set);
	AUTO_BYTES(data) = NULL;
	struct quorum_set *loaded = NULL;
	size_t len = 0;

	assert_ok(file_read_at(fd, name, 1 << 20, &data, &len));
	for (size_t i = 0; i < len; i += step) {
		data[i] ^= 1;
		put_file(fd, name, data, len);
		assert_refused(CA_R_VERIFY, name,
		    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
		data[i] ^= 1;
	}
	/* Cut off, and with a line more. */
	put_file(fd, name, data, len - 1);
	assert_refused(CA_R_VERIFY, name,
	    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	data[len] = '\n';
	put_file(fd, name, data, len + 1);
	assert_refused(CA_R_VERIFY, name,
	    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
	assert_null(loaded);
	put_file(fd, name, data, len);
}

static void
test_load_changed(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	static const char *const names[] = { "alice.sign.crt",
		"alice.decrypt.crt", "bob.sign.crt", "bob.decrypt.crt",
		"carol.sign.crt", "carol.decrypt.crt", "wendy.sign.crt" };
	AUTO_PTR(quorum_set) *loaded = NULL;

	change_file(pool, set, "set.yaml", 1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		change_file(pool, set, names[i], 29);
	assert_ok(set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
}

/* Somebody who changes set.yaml, too, where its digest is not yet known. */
static void
test_load_rewritten(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_FD(fd) = set_dir(pool, set);
	static const struct {
		const char *old, *new, *part;
	} rows[] = {
		{ "threshold: 2", "threshold: 4", "set.yaml:4:12" },
		{ "threshold: 2", "threshold: 1", "allow-single-control" },
		{ "threshold: 2", "threshold: 2 # two", "not written as" },
		{ "threshold: 2", "threshold: \"2\"", "not written as" },
		{ "index: 2", "index: 3", "the index is '3' where 2 must be" },
		{ "\"bob\"", "\"alice\"", "the name 'alice' is there twice" },
		{ "\"bob.sign.crt\"", "\"alice.sign.crt\"",
		    "names 'alice.sign.crt' where 'bob.sign.crt' must be" },
		{ "\"bob.sign.crt\"", "\"../x\"", "names '../x' where" },
		{ "    index: 2\n", "", "'index' is missing" },
		{ "format: ca-tool-set-1", "format: ca-tool-set-2",
		    "set.yaml:1:9" },
		{ "set: \"", "set: \"x", "is no id of a set" },
		{ "authority: \"e", "authority: \"e\\x45", "not written as" },
		{ "commitments", "comments", "unknown key 'comments'" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_CHARS(text) = with(set->text, rows[i].old, rows[i].new);
		struct quorum_set *loaded = NULL;

		put_file(fd, "set.yaml", text, strlen(text));
		assert_refused(CA_R_VERIFY, rows[i].part,
		    set_load(pool->scratch.fd, set->id, NULL, &loaded));
		assert_refused(CA_R_VERIFY, "set.yaml' was changed",
		    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
		assert_null(loaded);
	}
}

/* A set in the place of another, and people who change places. */
static void
test_load_moved(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	static const char other[] = "00112233445566778899aabbccddeeff";
	int quorum = pool->scratch.fd;
	AUTO_FD(fd) = set_dir(pool, set);
	struct quorum_set *loaded = NULL;

	assert_int_equal(renameat(quorum, set->id, quorum, other), 0);
	assert_refused(
	    CA_R_VERIFY, set->id, set_load(quorum, other, NULL, &loaded));
	assert_int_equal(renameat(quorum, other, quorum, set->id), 0);
	assert_int_equal(renameat2(fd, "alice.sign.crt", fd, "bob.sign.crt",
			     RENAME_EXCHANGE),
	    0);
	assert_refused(CA_R_VERIFY, "'alice.sign.crt' was changed",
	    set_load(quorum, set->id, set->sha256, &loaded));
	assert_null(loaded);
}

/* A certificate must be a file, not a way out of the directory. */
static void
test_load_symlink(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_FD(fd) = set_dir(pool, set);
	struct quorum_set *loaded = NULL;

	assert_int_equal(renameat(fd, "bob.sign.crt", fd, "x"), 0);
	assert_int_equal(symlinkat("x", fd, "bob.sign.crt"), 0);
	assert_refused(CA_R_VERIFY, "'bob.sign.crt'",
	    set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
}

/* ---- kept elsewhere --------------------------------------------------- */

/* Certificates as a set's directory has them. */
static int
read_kept(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	const int *fd = ctx;

	return file_read_at(*fd, given, 1 << 20, ret_data, ret_len);
}

static int
read_nothing(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	(void)ctx;
	(void)ret_data;
	(void)ret_len;
	return ca_error(CA_R_MISSING, "'%s' is gone", given);
}

/* The same from bytes, wherever they are; a NUL need not stand behind them. */
static void
test_read_stored(void **state)
{
	static const char other[] = "00112233445566778899aabbccddeeff";
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_PTR(quorum_set) *read = NULL;
	AUTO_FD(fd) = set_dir(pool, set);
	const struct set_files files = { &fd, read_kept };
	const struct set_files none = { NULL, read_nothing };
	size_t len = strlen(set->text);
	AUTO_CHARS(longer) = text_printf("%s\n", set->text);
	const unsigned char *text = (const unsigned char *)longer;
	struct quorum_set *no = NULL;

	assert_non_null(longer);
	assert_ok(
	    set_read_stored("entry 4", text, len, set->id, &files, &read));
	assert_string_equal(read->sha256, set->sha256);
	assert_string_equal(read->text, set->text);
	assert_true(set_is_proposal_of(set, read));
	assert_refused(CA_R_VERIFY, "'entry 4' was changed",
	    set_read_stored("entry 4", text, len + 1, set->id, &files, &no));
	assert_refused(CA_R_VERIFY, "'entry 4' was changed",
	    set_read_stored("entry 4", text, len - 1, set->id, &files, &no));
	assert_refused(CA_R_VERIFY, set->id,
	    set_read_stored("entry 4", text, len, other, &files, &no));
	assert_refused(CA_R_MISSING, "'alice.sign.crt' is gone",
	    set_read_stored("entry 4", text, len, set->id, &none, &no));
	assert_null(no);
}

static void
test_share(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_BYTES(der) = NULL;
	unsigned char *none = NULL;
	size_t len = 0;

	assert_ok(set_share(
	    pool->scratch.fd, set, set_person(set, "carol"), &der, &len));
	assert_int_equal(len, sizeof(share_c));
	assert_memory_equal(der, share_c, len);
	assert_refused(CA_R_POLICY, "'wendy' has no share",
	    set_share(
		pool->scratch.fd, set, set_person(set, "wendy"), &none, &len));
	assert_null(none);
}

static void
test_enrolment(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_CHARS(share) = sha256_hex(share_b, sizeof(share_b));
	AUTO_CHARS(expected) = text_printf(
	    "ca-tool enrolment 1\nauthority: example.org/root-ca-1\nset: %s\n"
	    "set.yaml: %s\ncommitments: %s\noperator: bob\nshare: %s\n",
	    set->id, set->sha256, set->commitments, share);
	AUTO_CHARS(text) = NULL;
	char *none = NULL;

	assert_ok(set_enrolment_text(
	    pool->scratch.fd, set, set_person(set, "bob"), &text));
	assert_string_equal(text, expected);
	assert_refused(CA_R_POLICY, "'wendy' is not enrolled",
	    set_enrolment_text(
		pool->scratch.fd, set, set_person(set, "wendy"), &none));
	assert_null(none);
}

static void
test_enrolment_without_shares(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, without_shares, false);
	AUTO_CHARS(expected) = NULL;
	AUTO_CHARS(text) = NULL;
	char *none = NULL;

	assert_refused(CA_R_POLICY, "not enrolled",
	    set_enrolment_text(pool->scratch.fd, set, &set->people[0], &none));
	assert_ok(set_found(set, "x", NULL));
	assert_ok(set_store(pool->scratch.fd, set, NULL, NULL));
	expected = text_printf(
	    "ca-tool enrolment 1\nauthority: x\nset: %s\nset.yaml: %s\n"
	    "commitments: none\noperator: alice\nshare: none\n",
	    set->id, set->sha256);
	assert_ok(
	    set_enrolment_text(pool->scratch.fd, set, &set->people[0], &text));
	assert_string_equal(text, expected);
}

static void
test_sweep(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	int quorum = pool->scratch.fd;
	AUTO_FD(half) = -1;
	AUTO_FD(other) = -1;

	assert_ok(dir_make_at(
	    quorum, ".new-00112233445566778899aabbccddeeff", 0755, &half));
	put_file(half, "alice.cms", "x", 1);
	put_file(half, ".bob.cms.tmp-01234567", "", 0);
	assert_ok(dir_make_at(
	    quorum, ".new-10112233445566778899aabbccddeeff", 0755, &other));
	put_file(quorum, ".current.tmp-01234567", "x", 1);
	put_file(quorum, ".new-notes", "kept", 4);
	assert_ok(set_sweep(quorum));
	assert_int_equal(entries(quorum), 2);
	assert_int_equal(file_exists_at(quorum, set->id), 1);
	assert_int_equal(file_exists_at(quorum, ".new-notes"), 1);
	assert_ok(set_sweep(quorum));
}

static void
test_remove(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = stored_set(pool);
	AUTO_CHARS(name) = text_printf(".new-%s", set->id);
	int quorum = pool->scratch.fd;
	AUTO_FD(half) = -1;
	AUTO_FD(fd) = set_dir(pool, set);

	put_file(fd, "alice.enrol", "x", 1);
	put_file(quorum, "current", "x", 1);
	/* What is left of another try is in nobody's way. */
	assert_ok(dir_make_at(quorum, name, 0755, &half));
	put_file(half, "alice.cms", "x", 1);
	assert_refused(
	    CA_R_INPUT, "no id of a quorum set", set_remove(quorum, "current"));
	assert_refused(
	    CA_R_INPUT, "no id of a quorum set", set_remove(quorum, ".."));
	assert_ok(set_remove(quorum, set->id));
	assert_int_equal(entries(quorum), 1);
	assert_refused(
	    CA_R_MISSING, "no quorum set", set_remove(quorum, set->id));
	assert_int_equal(file_exists_at(quorum, "current"), 1);
}

/* Half a set of the same id is in nobody's way. */
static void
test_store_after_crash(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, without_shares, false);
	AUTO_PTR(quorum_set) *loaded = NULL;
	AUTO_CHARS(name) = NULL;
	AUTO_FD(half) = -1;
	AUTO_FD(fd) = -1;

	assert_ok(set_found(set, "x", NULL));
	name = text_printf(".new-%s", set->id);
	assert_ok(dir_make_at(pool->scratch.fd, name, 0755, &half));
	put_file(half, "alice.sign.crt", "half", 4);
	put_file(half, "mallory.cms", "x", 1);
	assert_ok(set_store(pool->scratch.fd, set, NULL, NULL));
	assert_int_equal(entries(pool->scratch.fd), 1);
	fd = set_dir(pool, set);
	assert_int_equal(entries(fd), 4);
	assert_ok(set_load(pool->scratch.fd, set->id, set->sha256, &loaded));
}

/* set.yaml comes last and does not fit: nothing is left of all the rest. */
static void
test_store_fails(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *set = good_set(pool, good, true);
	struct commitments commitments = some_commitments(2);
	struct rlimit before, limit;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	int result;

	assert_ok(set_found(set, "x", &commitments));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = strlen(set->text) - 1;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ca_error_clear();
	result = store(pool->scratch.fd, set);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, handler);
	assert_int_equal(result, -1);
	assert_int_equal(ca_error_reason(), CA_R_IO);
	ca_error_clear();
	assert_int_equal(entries(pool->scratch.fd), 0);
	assert_ok(store(pool->scratch.fd, set));
}

static void
test_current(void **state)
{
	const struct pool *pool = *state;
	AUTO_PTR(quorum_set) *first = stored_set(pool);
	AUTO_PTR(quorum_set) *second = stored_set(pool);
	int quorum = pool->scratch.fd;
	char id[SET_ID_HEX_SIZE] = "untouched";
	AUTO_BYTES(data) = NULL;
	size_t len = 0;

	assert_refused(
	    CA_R_MISSING, "no quorum set is in force", set_current(quorum, id));
	assert_ok(set_make_current(quorum, first->id));
	assert_ok(set_current(quorum, id));
	assert_string_equal(id, first->id);
	assert_ok(set_make_current(quorum, second->id));
	assert_ok(set_current(quorum, id));
	assert_string_equal(id, second->id);
	assert_ok(file_read_at(quorum, "current", 100, &data, &len));
	assert_int_equal(len, 33);
	assert_int_equal(data[32], '\n');
	assert_refused(CA_R_MISSING, "there is no quorum set",
	    set_make_current(quorum, "00112233445566778899aabbccddeeff"));
	assert_refused(
	    CA_R_INPUT, "no id", set_make_current(quorum, "current"));
	assert_ok(set_current(quorum, id));
	assert_string_equal(id, second->id);
}

static void
test_current_corrupt(void **state)
{
	const struct pool *pool = *state;
	static const char *const texts[] = { "",
		"00112233445566778899aabbccddeeff",
		"00112233445566778899AABBCCDDEEFF\n",
		"../../../../../../../../../../x/\n", "0011223344556677\n" };
	char id[SET_ID_HEX_SIZE] = "untouched";

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file(
		    pool->scratch.fd, "current", texts[i], strlen(texts[i]));
		assert_refused(CA_R_CORRUPT, "quorum/current",
		    set_current(pool->scratch.fd, id));
	}
	assert_string_equal(id, "untouched");
}

#define stored_test(test) \
	cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_spki_digest),
		cmocka_unit_test(test_good_kinds),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_same_modulus),
		cmocka_unit_test(test_decrypt_without_shares),
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_proposal),
		stored_test(test_found),
		stored_test(test_found_refused),
		stored_test(test_store),
		stored_test(test_load),
		stored_test(test_load_without_shares),
		stored_test(test_load_missing),
		stored_test(test_load_changed),
		stored_test(test_load_rewritten),
		stored_test(test_load_moved),
		stored_test(test_load_symlink),
		stored_test(test_read_stored),
		stored_test(test_share),
		stored_test(test_enrolment),
		stored_test(test_enrolment_without_shares),
		stored_test(test_sweep),
		stored_test(test_remove),
		stored_test(test_store_after_crash),
		stored_test(test_store_fails),
		stored_test(test_current),
		stored_test(test_current_corrupt),
	};

	return cmocka_run_group_tests(tests, pool_setup, pool_teardown);
}
