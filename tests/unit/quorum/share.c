#include "ceremony/quorum/share.h"

#include "der-edit.h"
#include "secrets.h"

/* Where things stand in an envelope. */
#define CONTENT WAY(1, 0)
#define CONTENT_VERSION WAY(1, 0, 0)
#define RECIPIENT WAY(1, 0, 1, 0)
#define CONTENT_TYPE WAY(1, 0, 2, 0)
#define GCM WAY(1, 0, 2, 1, 1)
#define NONCE WAY(1, 0, 2, 1, 1, 0)
#define ICV_LEN WAY(1, 0, 2, 1, 1, 1)
#define ENCRYPTED WAY(1, 0, 2, 2)
#define TAG WAY(1, 0, 3)
#define DER(...)                                  \
	((const unsigned char[]){ __VA_ARGS__ }), \
	    sizeof((const unsigned char[]){ __VA_ARGS__ })

/* docs/quorum.md has the same. */
static const char example[] =
    "ca-tool share 1\n"
    "authority: example.org/root-ca-1\n"
    "set: 000102030405060708090a0b0c0d0e0f\n"
    "operator: alice\n"
    "index: 1\n"
    "threshold: 2\n"
    "operators: 3\n"
    "commitment: "
    "021f5b8537a4eb7b9d024657f2e30370bfa535808301b2041e0ebd3125a6a704ce\n"
    "commitment: "
    "022378c009b0c8f896f89dc9e932518ca2410e0f041b73b337d2ee3f5bd34b7984\n"
    "share: 88a11d911edb56913188ad636358fde1892e7ea44c845acb7afb98bd971cdca8\n";

static struct secret
text_of(const char *bytes, size_t len)
{
	struct secret text = { 0 };

	assert_ok(secret_copy(bytes, len, &text));
	return text;
}

/* ---- the text --------------------------------------------------------- */

static void
reads_example(void **state)
{
	AUTO_STRUCT(secret) text = text_of(example, sizeof(example) - 1);
	AUTO_STRUCT(secret) again = { 0 };
	AUTO_STRUCT(share) share = { 0 };

	(void)state;
	assert_ok(share_parse(&text, &share));
	assert_string_equal(share.authority, "example.org/root-ca-1");
	assert_string_equal(share.operator, "alice");
	assert_int_equal(share.index, 1);
	assert_int_equal(share.operators, 3);
	assert_int_equal(share.commitments.threshold, 2);
	for (unsigned i = 0; i < SET_ID_LEN; i++)
		assert_int_equal(share.set[i], i);
	assert_int_equal(share.commitments.points[1][0], 0x02);
	assert_int_equal(share.commitments.points[1][32], 0x84);
	assert_int_equal(share.value.len, SCALAR_LEN);
	assert_true(is_locked(&share.value));
	assert_ok(share_text(&share, &again));
	assert_true(secret_equal(&text, &again));
	assert_true(is_locked(&again));
}

/* One of `threshold` of `count`, the index being the last one. */
static void
make_share(unsigned threshold, unsigned count, struct share *ret)
{
	AUTO_STRUCT(secret) secret = { 0 };
	struct secret shares[SHARERS_MAX] = { { 0 } };

	assert_ok(sharing_new_secret(NULL, 0, &secret));
	assert_ok(sharing_split(
	    &secret, threshold, count, &ret->commitments, shares));
	for (unsigned i = 0; i + 1 < count; i++)
		secret_clear(&shares[i]);
	ret->value = shares[count - 1];
	ret->index = ret->operators = count;
	ret->authority = text_copy("example.org/a");
	ret->operator= text_copy("o.k_1-2");
	memset(ret->set, 0xa5, SET_ID_LEN);
}

static void
every_size(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= SHARERS_MAX; n += n < 4 ? 1 : 7)
		for (unsigned m = 1; m <= n; m += m < 3 ? 1 : 9) {
			AUTO_STRUCT(share) share = { 0 };
			AUTO_STRUCT(share) again = { 0 };
			AUTO_STRUCT(secret) text = { 0 };

			make_share(m, n, &share);
			assert_ok(share_text(&share, &text));
			assert_ok(share_parse(&text, &again));
			assert_true(secret_equal(&share.value, &again.value));
			assert_string_equal(share.operator, again.operator);
			assert_memory_equal(&share.commitments,
			    &again.commitments,
			    sizeof(unsigned) + m * POINT_LEN);
		}
}

/* What would not be read again is not written. */
static void
not_written(void **state)
{
	static const char *const names[] = { "", "Alice", "a b", "alice\n",
		"alice\nindex: 2", "-a", "\xc3\xa4" };
	static const char *const authorities[] = { "", "example.org/A", "a b",
		"a\nset: 00", "a\\b" };
	struct secret text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_STRUCT(share) share = { 0 };

		make_share(2, 3, &share);
		free(share.operator);
		share.operator= text_copy(names[i]);
		assert_refused(CA_R_INTERNAL, "cannot be written",
		    share_text(&share, &text));
	}
	for (size_t i = 0; i < sizeof(authorities) / sizeof(authorities[0]);
	     i++) {
		AUTO_STRUCT(share) share = { 0 };

		make_share(2, 3, &share);
		free(share.authority);
		share.authority = text_copy(authorities[i]);
		assert_refused(CA_R_INTERNAL, "cannot be written",
		    share_text(&share, &text));
	}
	assert_null(text.bytes);
}

static void
bad_numbers_not_written(void **state)
{
	static const unsigned bad[][3] = { { 0, 2, 3 }, { 4, 2, 3 },
		{ 1, 0, 3 }, { 1, 4, 3 }, { 1, 2, 33 }, { 1, 33, 33 } };
	AUTO_STRUCT(share) share = { 0 };
	struct secret text = { 0 };

	(void)state;
	make_share(2, 3, &share);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		share.index = bad[i][0];
		share.commitments.threshold = bad[i][1];
		share.operators = bad[i][2];
		assert_refused(CA_R_INTERNAL, "cannot be written",
		    share_text(&share, &text));
	}
	secret_clear(&share.value);
	share.index = 1;
	share.commitments.threshold = 2;
	share.operators = 3;
	assert_refused(
	    CA_R_INTERNAL, "cannot be written", share_text(&share, &text));
}

/* ---- what is not a text ----------------------------------------------- */

/* Refused, for a reason, and nothing is given out. */
static void
not_read(const char *bytes, size_t len)
{
	AUTO_STRUCT(secret) text = text_of(bytes, len);
	struct share share = { 0 };
	int reason;

	ca_error_clear();
	if (share_parse(&text, &share) == 0)
		fail_msg("accepted:\n%.*s", (int)len, bytes);
	reason = ca_error_reason();
	assert_true(reason == CA_R_INPUT || reason == CA_R_VERIFY);
	assert_null(share.authority);
	assert_null(share.value.bytes);
}

static size_t
offset_of(const char *part)
{
	const char *at = strstr(example, part);

	assert_non_null(at);
	return (size_t)(at - example);
}

/* `example` with `part`, which is there, replaced. */
static void
with(const char *part, const char *by, const char *says)
{
	const char *at = strstr(example, part);
	AUTO_CHARS(bytes) = NULL;
	AUTO_STRUCT(secret) text = { 0 };
	struct share share = { 0 };

	assert_non_null(at);
	bytes = text_printf(
	    "%.*s%s%s", (int)(at - example), example, by, at + strlen(part));
	assert_non_null(bytes);
	text = text_of(bytes, strlen(bytes));
	assert_refused(CA_R_INPUT, says, share_parse(&text, &share));
	assert_null(share.authority);
}

static void
wrong_lines(void **state)
{
	(void)state;
	with("share 1", "share 2", "line 1 ");
	with("share 1\n", "share 1 \n", "line 1 ");
	with("share 1\n", "share 1\n\n", "line 2 ");
	with("ca-tool",
	    "\xef\xbb\xbf"
	    "ca-tool",
	    "line 1 ");
	with("authority: example.org/root-ca-1", "authority: ", "line 2 ");
	with("example.org", "Example.org", "line 2 ");
	with("example.org", "example .org", "line 2 ");
	with("example.org", "example\\org", "line 2 ");
	with("authority:", "authority :", "line 2 ");
	with("authority: ", "authority:  ", "line 2 ");
	with("authority: ", "authority:", "line 2 ");
	with("0a0b", "0A0b", "line 3 ");
	with("0e0f", "0e0", "line 3 ");
	with("0e0f", "0e0f10", "line 3 ");
	with("0e0f", "0e0g", "line 3 ");
	with("alice", "Alice", "line 4 ");
	with("alice", "", "line 4 ");
	with("alice", "-alice", "line 4 ");
	with("alice", "alice\r", "line 4 ");
	with("index: 1", "index: 0", "line 5 ");
	with("index: 1", "index: 01", "line 5 ");
	with("index: 1", "index: +1", "line 5 ");
	with("index: 1", "index: 1 ", "line 5 ");
	with("index: 1", "index: 0x1", "line 5 ");
	with("index: 1", "index: 33", "line 5 ");
	with("index: 1", "index: 4", "above its number of operators");
	with("index: 1", "index: 4294967297", "line 5 ");
	with("threshold: 2", "threshold: 0", "line 6 ");
	with("threshold: 2", "threshold: 02", "line 6 ");
	with("threshold: 2", "threshold: 4", "above its number of operators");
	with("threshold: 2", "threshold: 3", "line 10 ");
	with("threshold: 2", "threshold: 1", "line 9 ");
	with("operators: 3", "operators: 03", "line 7 ");
	with("operators: 3", "operators: 33", "line 7 ");
	with("operators: 3", "operators: 1", "above its number of operators");
	with("021f5b", "021F5b", "line 8 ");
	with("021f5b", "1f5b", "line 8 ");
	with("021f5b", "02021f5b", "line 8 ");
	with("share: 88", "share: 8", "line 10 ");
	with("dca8\n", "dca8", "line 10 ");
	with("dca8\n", "dca8\r\n", "line 10 ");
	with("dca8\n", "dcA8\n", "line 10 ");
	with("dca8\n", "dca8\n\n", "behind the last line");
	with("dca8\n", "dca8\nshare", "behind the last line");
	with("share: 88a1", "share: 8 a1", "line 10 ");
}

static void
other_names(void **state)
{
	AUTO_CHARS(name) = text_printf("%0*d", 65, 0);
	AUTO_CHARS(authority) = text_printf("%0*d", 129, 0);

	(void)state;
	with("alice", name, "line 4 ");
	with("example.org/root-ca-1", authority, "line 2 ");
}

static void
line_order(void **state)
{
	char *lines[10] = { 0 };
	AUTO_CHARS(copy) = text_copy(example);
	size_t n = 0;

	(void)state;
	for (char *line = strtok(copy, "\n"); line != NULL;
	     line = strtok(NULL, "\n"))
		lines[n++] = line;
	assert_int_equal(n, 10);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			char bytes[2 * sizeof(example)] = "";

			/* The commitments: see permuted_commitments(). */
			if (i + j == 7 + 8 && i != j)
				continue;
			/* i and j swapped; i left out if they are one. */
			for (size_t k = 0; k < n; k++) {
				size_t from = k == i ? j : k == j ? i : k;

				if (i == j && k == i)
					continue;
				(void)strcat(strcat(bytes, lines[from]), "\n");
			}
			not_read(bytes, strlen(bytes));
		}
}

/*
 * At index 1 the sum of 1^k * A_k is the same in any order: of all shares this
 * one does not see it alone, and only their digest, or another share, tells.
 */
static void
permuted_commitments(void **state)
{
	AUTO_STRUCT(secret) text = text_of(example, sizeof(example) - 1);
	AUTO_STRUCT(share) share = { 0 };
	AUTO_STRUCT(share) other = { 0 };
	struct commitments turned;
	unsigned char digest[32], turned_digest[32];

	(void)state;
	assert_ok(share_parse(&text, &share));
	turned = share.commitments;
	memcpy(turned.points[0], share.commitments.points[1], POINT_LEN);
	memcpy(turned.points[1], share.commitments.points[0], POINT_LEN);
	assert_ok(sharing_check(&turned, 1, &share.value));
	assert_ok(commitments_sha256(&share.commitments, digest));
	assert_ok(commitments_sha256(&turned, turned_digest));
	assert_memory_not_equal(digest, turned_digest, 32);
	make_share(2, 3, &other);
	turned = other.commitments;
	memcpy(turned.points[0], other.commitments.points[1], POINT_LEN);
	memcpy(turned.points[1], other.commitments.points[0], POINT_LEN);
	assert_refused(CA_R_VERIFY, "does not fit",
	    sharing_check(&turned, 3, &other.value));
}

/* Cut off anywhere, one octet less anywhere, one more anywhere. */
static void
every_place(void **state)
{
	static const char more[] = { '\0', '\n', '\r', ' ', '0', 'a', '\t',
		'\x80' };
	const size_t len = sizeof(example) - 1;
	const size_t authority = offset_of("example.org");
	const size_t name = offset_of("alice");
	const size_t number = offset_of("3\ncommitment");
	char bytes[sizeof(example) + 1];

	(void)state;
	for (size_t i = 0; i < len; i++)
		not_read(example, i);
	for (size_t i = 0; i <= len; i++)
		for (size_t k = 0; k < sizeof(more); k++) {
			bool in_name =
			    (i >= authority && i <= authority + 21) ||
			    (i >= name && i <= name + 5);

			/* Another name, or 30 operators: in the right form. */
			if ((more[k] == 'a' && in_name) ||
			    (more[k] == '0' && (in_name || i == number + 1)))
				continue;
			memcpy(bytes, example, i);
			bytes[i] = more[k];
			memcpy(bytes + i + 1, example + i, len - i);
			not_read(bytes, len + 1);
		}
}

/*
 * A flipped bit is refused, or it is in a name or number that the share cannot
 * check alone, and then it is read as just that.
 */
static void
flipped_text(void **state)
{
	AUTO_STRUCT(secret) text = text_of(example, sizeof(example) - 1);
	AUTO_STRUCT(share) whole = { 0 };
	size_t accepted = 0;

	(void)state;
	assert_ok(share_parse(&text, &whole));
	for (size_t i = 0; i < 8 * text.len; i++) {
		AUTO_STRUCT(share) share = { 0 };
		AUTO_STRUCT(secret) again = { 0 };

		text.bytes[i / 8] = (char)(text.bytes[i / 8] ^ 1 << i % 8);
		if (share_parse(&text, &share) == 0) {
			assert_ok(share_text(&share, &again));
			assert_true(secret_equal(&text, &again));
			assert_true(secret_equal(&share.value, &whole.value));
			assert_int_equal(share.index, whole.index);
			assert_memory_equal(&share.commitments,
			    &whole.commitments,
			    sizeof(unsigned) + 2 * POINT_LEN);
			accepted++;
		}
		ca_error_clear();
		text.bytes[i / 8] = (char)(text.bytes[i / 8] ^ 1 << i % 8);
	}
	/* 21 + 5 characters of names, 32 hex digits, one number. */
	assert_in_range(accepted, 1, (21 + 5 + 32 + 1) * 7);
}

static void
damaged_shares(void **state)
{
	static const char *const from[] = { "dca8\n", "04ce\n", "index: 1" };
	static const char *const to[] = { "dca9\n", "04cf\n", "index: 2" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *at = strstr(example, from[i]);
		AUTO_STRUCT(secret)
		text = text_of(example, sizeof(example) - 1);
		struct share share = { 0 };

		memcpy(text.bytes + (at - example), to[i], strlen(to[i]));
		assert_refused(
		    CA_R_VERIFY, "damaged", share_parse(&text, &share));
		assert_null(share.value.bytes);
	}
}

/* ---- envelopes -------------------------------------------------------- */

struct holder {
	const char *name;
	EVP_PKEY *key;
	X509 *certificate;
	struct octets sealed; /* `example` */
};

enum { RSA_3072, P_256, P_384, HOLDERS };
#define KEY_TYPES                            \
	{                                    \
		"rsa-3072", "p-256", "p-384" \
	}

static struct fixture {
	struct scratch scratch;
	struct holder holders[HOLDERS];
	EVP_PKEY *other;
	X509 *impostor; /* name and serial of P_256's, another key */
} fixture;

static struct octets
seal(const char *bytes, size_t len, X509 *certificate)
{
	AUTO_STRUCT(secret) text = text_of(bytes, len);
	AUTO_BYTES(der) = NULL;
	struct octets out = { .len = 0 };
	size_t der_len = 0;

	assert_ok(share_seal(&text, certificate, &der, &der_len));
	octets_add(&out, der, der_len);
	return out;
}

static void
write_pem(const char *name, EVP_PKEY *key, X509 *cert)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	assert_int_equal(key != NULL
		? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
		: PEM_write_bio_X509(bio, cert),
	    1);
	len = BIO_get_mem_data(bio, &text);
	put_file(fixture.scratch.fd, name, text, (size_t)len);
}

static int
setup(void **state)
{
	static const char *const types[] = KEY_TYPES;

	if (heap_setup(state) < 0 || scratch_make(&fixture.scratch) < 0)
		return -1;
	for (size_t i = 0; i < HOLDERS; i++) {
		struct holder *holder = &fixture.holders[i];
		AUTO_CHARS(key) = text_printf("%s.key", types[i]);
		AUTO_CHARS(crt) = text_printf("%s.crt", types[i]);

		holder->name = types[i];
		holder->key = new_key(types[i]);
		holder->certificate = plain_certificate(holder->key, types[i]);
		holder->sealed =
		    seal(example, sizeof(example) - 1, holder->certificate);
		write_pem(key, holder->key, NULL);
		write_pem(crt, NULL, holder->certificate);
	}
	fixture.other = new_key("p-256");
	fixture.impostor = plain_certificate(fixture.other, "p-256");
	put_file(fixture.scratch.fd, "text", example, sizeof(example) - 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOLDERS; i++) {
		EVP_PKEY_free(fixture.holders[i].key);
		X509_free(fixture.holders[i].certificate);
	}
	EVP_PKEY_free(fixture.other);
	X509_free(fixture.impostor);
	return scratch_remove(&fixture.scratch);
}

/* By the check from outside, and by opening: with the same reason. */
static void
envelope_refused(enum ca_reason reason, const char *says,
    const struct octets *der, const struct holder *holder)
{
	struct secret text = { 0 };

	assert_refused(reason, says,
	    share_envelope_check(der->p, der->len, holder->certificate));
	assert_refused(reason, says,
	    share_open(
		der->p, der->len, holder->key, holder->certificate, &text));
	assert_null(text.bytes);
}

static void
opens(const struct octets *der, const struct holder *holder)
{
	AUTO_STRUCT(secret) text = { 0 };

	assert_ok(share_envelope_check(der->p, der->len, holder->certificate));
	assert_ok(share_open(
	    der->p, der->len, holder->key, holder->certificate, &text));
	assert_true(is_locked(&text));
	assert_int_equal(text.len, sizeof(example) - 1);
	assert_memory_equal(text.bytes, example, text.len);
}

/* Right from outside, but it does not open. */
static void
stays_shut(const struct octets *der, EVP_PKEY *key, X509 *certificate)
{
	struct secret text = { 0 };

	assert_ok(share_envelope_check(der->p, der->len, certificate));
	assert_refused(CA_R_VERIFY, "does not open",
	    share_open(der->p, der->len, key, certificate, &text));
	assert_null(text.bytes);
}

static void
seals_and_opens(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOLDERS; i++) {
		const struct holder *holder = &fixture.holders[i];
		struct octets again;

		opens(&holder->sealed, holder);
		/* The text is nowhere in it; and no two are alike. */
		assert_null(memmem(holder->sealed.p, holder->sealed.len,
		    "ca-tool", strlen("ca-tool")));
		again = seal(example, sizeof(example) - 1, holder->certificate);
		assert_false(again.len == holder->sealed.len &&
		    memcmp(again.p, holder->sealed.p, again.len) == 0);
	}
}

/* The longest text there is: 32 commitments, long names. */
static void
longest_text(void **state)
{
	AUTO_STRUCT(share) share = { 0 };
	AUTO_STRUCT(secret) text = { 0 };
	AUTO_STRUCT(secret) opened = { 0 };
	const struct holder *holder = &fixture.holders[P_256];
	struct octets der;

	(void)state;
	make_share(32, 32, &share);
	free(share.operator);
	free(share.authority);
	share.operator= text_printf("%0*d", 64, 0);
	share.authority = text_printf("%0*d", 128, 0);
	assert_ok(share_text(&share, &text));
	der = seal(text.bytes, text.len, holder->certificate);
	assert_ok(share_open(
	    der.p, der.len, holder->key, holder->certificate, &opened));
	assert_true(secret_equal(&text, &opened));
}

/*
 * A certificate that was just given its key holds that key object: sealing
 * must not use it, since a card's cannot encrypt.
 */
static void
certificate_with_key(void **state)
{
	struct holder holder = { .key = fixture.holders[P_256].key };
	AUTO(X509) *certificate = X509_dup(fixture.holders[P_256].certificate);
	struct octets der;

	(void)state;
	assert_int_equal(X509_set_pubkey(certificate, holder.key), 1);
	der = seal(example, sizeof(example) - 1, certificate);
	holder.certificate = certificate;
	opens(&der, &holder);
}

/* Keys that cannot be encrypted to. */
static void
unfit_certificate(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO_STRUCT(secret) text = text_of(example, sizeof(example) - 1);
	AUTO(X509) *certificate = X509_dup(fixture.holders[P_256].certificate);
	AUTO_DER(tbs) = NULL;
	unsigned char *der = NULL;
	size_t len = 77;

	(void)state;
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	/* The certificate's own encoding is kept until it is made anew. */
	assert_true(i2d_re_X509_tbs(certificate, &tbs) > 0);
	EVP_PKEY_free(key);
	assert_refused(CA_R_POLICY, "cannot encrypt",
	    share_seal(&text, certificate, &der, &len));
	assert_null(der);
	assert_int_equal(len, 77);
}

static void
other_recipient(void **state)
{
	const struct holder *p256 = &fixture.holders[P_256];
	const struct holder *p384 = &fixture.holders[P_384];
	const struct holder *rsa = &fixture.holders[RSA_3072];

	(void)state;
	for (size_t i = 0; i < HOLDERS; i++)
		for (size_t j = 0; j < HOLDERS; j++)
			if (i != j)
				envelope_refused(CA_R_VERIFY,
				    "another certificate",
				    &fixture.holders[i].sealed,
				    &fixture.holders[j]);
	/* The right name and serial number, and the wrong key. */
	stays_shut(&p256->sealed, fixture.other, fixture.impostor);
	stays_shut(&p256->sealed, fixture.other, p256->certificate);
	stays_shut(&p384->sealed, fixture.other, p384->certificate);
	stays_shut(&rsa->sealed, fixture.other, rsa->certificate);
}

/* ---- the openssl tool ------------------------------------------------- */

static int
run(const char *command)
{
	AUTO_CHARS(line) = text_printf(
	    "cd %s && exec 2>err && %s", fixture.scratch.path, command);

	assert_non_null(line);
	return system(line);
}

static struct octets
get_file(const char *name)
{
	struct octets out = { .len = 0 };
	AUTO_FD(fd) = openat(fixture.scratch.fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t len = read(fd, out.p, sizeof(out.p));

	assert_true(len >= 0);
	out.len = (size_t)len;
	return out;
}

/* The tool opens ours, and gives the text octet for octet. */
static void
tool_opens_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < HOLDERS; i++) {
		const struct holder *holder = &fixture.holders[i];
		AUTO_CHARS(command) = text_printf(
		    "openssl cms -decrypt -inform DER -in x.cms -inkey %s.key "
		    "-recip %s.crt -out opened && cmp text opened",
		    holder->name, holder->name);

		put_file(fixture.scratch.fd, "x.cms", holder->sealed.p,
		    holder->sealed.len);
		assert_int_equal(run(command), 0);
	}
	/* And refuses a changed one. */
	fixture.holders[P_384]
	    .sealed.p[fixture.holders[P_384].sealed.len - 1] ^= 1;
	put_file(fixture.scratch.fd, "x.cms", fixture.holders[P_384].sealed.p,
	    fixture.holders[P_384].sealed.len);
	fixture.holders[P_384]
	    .sealed.p[fixture.holders[P_384].sealed.len - 1] ^= 1;
	assert_int_not_equal(
	    run("openssl cms -decrypt -inform DER -in x.cms -inkey p-384.key "
		"-recip p-384.crt -out opened"),
	    0);
}

static struct octets
tool_seals(const char *options)
{
	AUTO_CHARS(command) = text_printf(
	    "openssl cms -encrypt -binary -in text -outform DER -out t.cms %s",
	    options);

	if (run(command) != 0)
		fail_msg("'%s' fails", command);
	return get_file("t.cms");
}

#define OAEP                                                         \
	"-recip rsa-3072.crt -keyopt rsa_padding_mode:oaep -keyopt " \
	"rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha256 "
#define ECDH "-recip p-256.crt -keyopt ecdh_kdf_md:sha256 "

static void
tool_good(void **state)
{
	struct octets der;

	(void)state;
	der = tool_seals(OAEP "-aes-256-gcm");
	opens(&der, &fixture.holders[RSA_3072]);
	der = tool_seals(ECDH "-aes-256-gcm");
	opens(&der, &fixture.holders[P_256]);
	der = tool_seals(ECDH "-aes-256-gcm -aes256-wrap");
	opens(&der, &fixture.holders[P_256]);
}

static void
tool_refused(void **state)
{
	static const struct {
		int holder;
		const char *options, *says;
	} rows[] = {
		{ RSA_3072, OAEP "-aes-128-gcm", "AES-256-GCM" },
		{ RSA_3072, OAEP "-aes-192-gcm", "AES-256-GCM" },
		{ RSA_3072, OAEP "-aes-256-cbc", "no AuthEnvelopedData" },
		{ RSA_3072, OAEP "-des3", "no AuthEnvelopedData" },
		{ RSA_3072, "-recip rsa-3072.crt -aes-256-gcm", "RSA-OAEP" },
		{ RSA_3072,
		    "-recip rsa-3072.crt -keyopt rsa_padding_mode:oaep "
		    "-aes-256-gcm",
		    "RSA-OAEP" },
		{ RSA_3072,
		    "-recip rsa-3072.crt -keyopt rsa_padding_mode:oaep "
		    "-keyopt rsa_oaep_md:sha256 -keyopt rsa_mgf1_md:sha1 "
		    "-aes-256-gcm",
		    "RSA-OAEP" },
		{ RSA_3072,
		    "-recip rsa-3072.crt -keyopt rsa_padding_mode:oaep "
		    "-keyopt rsa_oaep_md:sha1 -keyopt rsa_mgf1_md:sha256 "
		    "-aes-256-gcm",
		    "RSA-OAEP" },
		{ RSA_3072, OAEP "-keyopt rsa_oaep_label:616263 -aes-256-gcm",
		    "RSA-OAEP" },
		{ P_256, ECDH "-aes-128-gcm -aes256-wrap", "AES-256-GCM" },
		{ P_256, ECDH "-aes-256-gcm -aes128-wrap", "AES-256" },
		{ P_256, ECDH "-aes-256-cbc", "no AuthEnvelopedData" },
		{ P_256, "-recip p-256.crt -aes-256-gcm", "ECDH with SHA-256" },
		{ P_256,
		    "-recip p-256.crt -keyopt ecdh_kdf_md:sha384 -aes-256-gcm",
		    "ECDH with SHA-256" },
		{ P_256, ECDH "-keyopt ecdh_cofactor_mode:1 -aes-256-gcm",
		    "ECDH with SHA-256" },
		{ P_256, OAEP ECDH "-aes-256-gcm", "more than one recipient" },
		{ P_256,
		    ECDH "-recip p-384.crt -keyopt ecdh_kdf_md:sha256 "
			 "-aes-256-gcm",
		    "more than one recipient" },
		{ P_256,
		    "-secretkey 000102030405060708090a0b0c0d0e0f -secretkeyid "
		    "0102 -aes-256-gcm",
		    "without a certificate" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets der;

		der = tool_seals(rows[i].options);
		envelope_refused(CA_R_VERIFY, rows[i].says, &der,
		    &fixture.holders[rows[i].holder]);
	}
}

/* A recipient that is named by its key identifier: not as ours are. */
static void
key_identifier(void **state)
{
	struct holder holder = { .key = fixture.holders[P_256].key };
	struct certificate_order order = {
		.key = holder.key, .name = "ski", .ski = true
	};
	AUTO(X509) *certificate = new_certificate(&order);
	struct octets der;

	(void)state;
	holder.certificate = certificate;
	write_pem("ski.crt", NULL, certificate);
	der = tool_seals("-recip ski.crt -keyopt ecdh_kdf_md:sha256 -keyid "
			 "-aes-256-gcm");
	envelope_refused(CA_R_VERIFY, "another certificate", &der, &holder);
	der = seal(example, sizeof(example) - 1, certificate);
	opens(&der, &holder);
}

static void
other_structures(void **state)
{
	static const char *const commands[] = {
		"openssl cms -sign -binary -nodetach -in text -signer "
		"p-256.crt -inkey p-256.key -outform DER -out t.cms",
		"openssl cms -data_create -in text -outform DER -out t.cms",
		"openssl cms -EncryptedData_encrypt -aes-256-cbc -secretkey "
		"000102030405060708090a0b0c0d0e0f"
		"000102030405060708090a0b0c0d0e0f -in text -outform DER -out "
		"t.cms",
		"openssl cms -digest_create -in text -outform DER -out t.cms",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct octets der;

		assert_int_equal(run(commands[i]), 0);
		der = get_file("t.cms");
		envelope_refused(CA_R_VERIFY, "no AuthEnvelopedData", &der,
		    &fixture.holders[P_256]);
	}
}

/* ---- cut into --------------------------------------------------------- */

/* OpenSSL alone takes short tags: what is refused here is no fancy. */
static bool
openssl_opens(const struct octets *der, const struct holder *holder)
{
	const unsigned char *p = der->p;
	AUTO(CMS_ContentInfo) *cms =
	    d2i_CMS_ContentInfo(NULL, &p, (long)der->len);
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	bool opened;

	assert_non_null(cms);
	opened = CMS_decrypt(
		     cms, holder->key, holder->certificate, NULL, out, 0) == 1;
	ca_error_clear();
	return opened;
}

static void
short_tags(void **state)
{
	static const unsigned char lens[] = { 4, 8, 12, 13, 14, 15 };

	(void)state;
	for (size_t h = 0; h < HOLDERS; h++)
		for (size_t i = 0; i < sizeof(lens); i++) {
			const struct holder *holder = &fixture.holders[h];
			struct element tag = element_find(&holder->sealed, TAG);
			unsigned char cut[18] = { 0x04, lens[i] };
			struct octets der, alone;

			memcpy(cut + 2, holder->sealed.p + tag.at + tag.header,
			    lens[i]);
			alone = der_replace(
			    &holder->sealed, TAG, cut, 2U + lens[i]);
			envelope_refused(
			    CA_R_VERIFY, "16 octets", &alone, holder);
			der = der_replace(
			    &alone, ICV_LEN, DER(0x02, 0x01, lens[i]));
			envelope_refused(
			    CA_R_VERIFY, "16 octets", &der, holder);
			if (lens[i] == 4)
				assert_true(openssl_opens(&der, holder));
		}
}

static void
gcm_parameters(void **state)
{
	const struct holder *holder = &fixture.holders[P_256];
	const struct octets *good = &holder->sealed;
	unsigned char nonce[18] = { 0x04, 0x10 };
	struct octets der;

	(void)state;
	/* The default of aes-ICVlen is 12. */
	der = der_replace(good, ICV_LEN, NULL, 0);
	envelope_refused(CA_R_VERIFY, "16 octets", &der, holder);
	der = der_replace(good, ICV_LEN, DER(0x02, 0x01, 0x04));
	envelope_refused(CA_R_VERIFY, "16 octets", &der, holder);
	der = der_replace(good, ICV_LEN, DER(0x02, 0x01, 0x90));
	envelope_refused(CA_R_VERIFY, "16 octets", &der, holder);
	der = der_replace(good, ICV_LEN, DER(0x02, 0x02, 0x01, 0x10));
	envelope_refused(CA_R_VERIFY, "16 octets", &der, holder);
	der = der_replace(good, ICV_LEN, DER(0x04, 0x01, 0x10));
	envelope_refused(CA_R_VERIFY, "malformed parameters", &der, holder);
	der = der_replace(good, NONCE, nonce, sizeof(nonce));
	envelope_refused(CA_R_VERIFY, "12 octets", &der, holder);
	der = der_replace(good, NONCE, DER(0x04, 0x00));
	envelope_refused(CA_R_VERIFY, "12 octets", &der, holder);
	der = der_replace(good, GCM, DER(0x05, 0x00));
	envelope_refused(CA_R_VERIFY, "malformed parameters", &der, holder);
	der = der_replace(good, GCM, NULL, 0);
	envelope_refused(CA_R_VERIFY, "malformed parameters", &der, holder);
	der = der_insert(good, ICV_LEN, DER(0x02, 0x01, 0x10));
	envelope_refused(CA_R_VERIFY, "malformed parameters", &der, holder);
}

static void
more_parts(void **state)
{
	/* An attribute, contentType, in a [2] IMPLICIT SET; and in a [1]. */
#define ATTRIBUTE                                                             \
	0x30, 0x18, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,     \
	    0x09, 0x03, 0x31, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, \
	    0x0d, 0x01, 0x07, 0x01
	(void)state;
	for (size_t h = 0; h < HOLDERS; h++) {
		const struct holder *holder = &fixture.holders[h];
		const struct octets *good = &holder->sealed;
		struct octets der;

		der = der_insert(good, TAG, DER(0xa2, 0x1a, ATTRIBUTE));
		envelope_refused(CA_R_VERIFY, "attributes", &der, holder);
		assert_true(openssl_opens(&der, holder));
		der =
		    der_insert(good, WAY(1, 0, 2), DER(0xa1, 0x1a, ATTRIBUTE));
		envelope_refused(CA_R_VERIFY, "attributes", &der, holder);
		/* originatorInfo, empty */
		der = der_insert(good, CONTENT_VERSION, DER(0xa0, 0x00));
		envelope_refused(CA_R_VERIFY, "no share has", &der, holder);
		assert_true(openssl_opens(&der, holder));
		der = der_replace(good, CONTENT_VERSION, DER(0x02, 0x01, 0x02));
		envelope_refused(CA_R_VERIFY, "version 0", &der, holder);
		/* signedData inside */
		der = der_replace(good, CONTENT_TYPE,
		    DER(0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
			0x07, 0x02));
		envelope_refused(CA_R_VERIFY, "not data", &der, holder);
		der = der_replace(good, ENCRYPTED, NULL, 0);
		envelope_refused(CA_R_VERIFY, "no share has", &der, holder);
		/* No recipient; the same one twice. */
		der = der_replace(good, RECIPIENT, NULL, 0);
		envelope_refused(
		    CA_R_VERIFY, "none or more than one", &der, holder);
	}
}

static void
twice_the_recipient(void **state)
{
	(void)state;
	for (size_t h = 0; h < HOLDERS; h++) {
		const struct holder *holder = &fixture.holders[h];
		struct element one = element_find(&holder->sealed, RECIPIENT);
		struct octets der = der_insert(&holder->sealed, RECIPIENT,
		    holder->sealed.p + one.at, one.header + one.len);

		envelope_refused(CA_R_VERIFY, "more than one", &der, holder);
		assert_true(openssl_opens(&der, holder));
	}
}

/* The sender's key, [0] { [1] { algorithm, point } }, in other forms. */
static void
agreement_sender(void **state)
{
	const struct holder *holder = &fixture.holders[P_384];
	const struct octets *good = &holder->sealed;
	const int *point = WAY(1, 0, 1, 0, 1, 0, 1);
	struct element e = element_find(good, point);
	unsigned char other[52];
	struct octets der;

	(void)state;
	assert_int_equal(e.len, 98);
	der = *good;
	der.p[e.at + e.header] = 1; /* unused bits */
	der.p[e.at + e.header + e.len - 1] &= 0xfe;
	envelope_refused(CA_R_VERIFY, "sender's key", &der, holder);
	/* A compressed point; none at all. */
	memcpy(other, good->p + e.at, 2);
	other[1] = 50;
	other[2] = 0;
	other[3] =
	    (unsigned char)(2 | (good->p[e.at + e.header + e.len - 1] & 1));
	memcpy(other + 4, good->p + e.at + e.header + 2, 48);
	der = der_replace(good, point, other, sizeof(other));
	assert_true(openssl_opens(&der, holder));
	envelope_refused(CA_R_VERIFY, "sender's key", &der, holder);
	der = der_replace(good, point, DER(0x03, 0x01, 0x00));
	envelope_refused(CA_R_VERIFY, "sender's key", &der, holder);
	/* The algorithm with a curve, as in a certificate: secp384r1. */
	der = der_insert(good, WAY(1, 0, 1, 0, 1, 0, 0, 0),
	    DER(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22));
	assert_true(openssl_opens(&der, holder));
	envelope_refused(CA_R_VERIFY, "sender's key", &der, holder);
	der = der_insert(good, WAY(1, 0, 1, 0, 1, 0, 0, 0), DER(0x05, 0x00));
	envelope_refused(CA_R_VERIFY, "sender's key", &der, holder);
}

/* Of key agreement: two encrypted keys in one RecipientInfo; a ukm. */
static void
agreement_parts(void **state)
{
	const struct holder *holder = &fixture.holders[P_256];
	const struct octets *good = &holder->sealed;
	const int *keys = WAY(1, 0, 1, 0, 3, 0);
	struct element one = element_find(good, keys);
	struct octets der =
	    der_insert(good, keys, good->p + one.at, one.header + one.len);

	(void)state;
	envelope_refused(CA_R_VERIFY, "more than one", &der, holder);
	der = der_insert(
	    good, WAY(1, 0, 1, 0, 1), DER(0xa1, 0x06, 0x04, 0x04, 1, 2, 3, 4));
	envelope_refused(CA_R_VERIFY, "keying material", &der, holder);
}

/* ---- not DER ---------------------------------------------------------- */

static void
not_der(void **state)
{
	(void)state;
	for (size_t h = 0; h < HOLDERS; h++) {
		const struct holder *holder = &fixture.holders[h];
		const struct octets *good = &holder->sealed;
		struct element outer = element_at(good->p, 0);
		struct octets der = { .len = 0 };

		/* Of indefinite length: opened by OpenSSL. */
		octets_add(&der, "\x30\x80", 2);
		octets_add(&der, good->p + outer.header, outer.len);
		octets_add(&der, "\0\0", 2);
		assert_true(openssl_opens(&der, holder));
		envelope_refused(CA_R_VERIFY, "not DER", &der, holder);
		/* A length in more octets than it needs. */
		der.len = 0;
		octets_add(&der, "\x30\x83\x00", 3);
		octets_add(&der, good->p + 2, good->len - 2);
		assert_true(openssl_opens(&der, holder));
		envelope_refused(CA_R_VERIFY, "not DER", &der, holder);
		der = der_replace(good, ICV_LEN, DER(0x02, 0x81, 0x01, 0x10));
		assert_true(openssl_opens(&der, holder));
		envelope_refused(
		    CA_R_VERIFY, "malformed parameters", &der, holder);
		der = der_replace(good, ICV_LEN, DER(0x02, 0x02, 0x00, 0x10));
		envelope_refused(
		    CA_R_VERIFY, "malformed parameters", &der, holder);
	}
}

static void
something_behind(void **state)
{
	(void)state;
	for (size_t h = 0; h < HOLDERS; h++) {
		struct octets der = fixture.holders[h].sealed;

		octets_add(&der, "", 1);
		envelope_refused(
		    CA_R_VERIFY, "behind its end", &der, &fixture.holders[h]);
	}
}

static void
truncated(void **state)
{
	(void)state;
	for (size_t h = 0; h < HOLDERS; h++)
		for (size_t n = 0; n < fixture.holders[h].sealed.len; n++) {
			struct octets der = fixture.holders[h].sealed;

			der.len = n;
			envelope_refused(
			    CA_R_INPUT, "cut off", &der, &fixture.holders[h]);
		}
}

static void
no_cms(void **state)
{
	struct octets pem = { .len = 0 };
	unsigned char *large = calloc(1, (64 << 10) + 1);

	(void)state;
	octets_add(&pem, example, sizeof(example) - 1);
	envelope_refused(
	    CA_R_INPUT, "no share's envelope", &pem, &fixture.holders[0]);
	pem = tool_seals(OAEP "-aes-256-gcm -outform PEM");
	envelope_refused(
	    CA_R_INPUT, "no share's envelope", &pem, &fixture.holders[0]);
	assert_non_null(large);
	assert_refused(CA_R_INPUT, "no share's envelope",
	    share_envelope_check(
		large, (64 << 10) + 1, fixture.holders[0].certificate));
	free(large);
}

/* Authentic, but no share is that long. */
static void
too_long(void **state)
{
	const struct holder *holder = &fixture.holders[P_256];
	AUTO_STRUCT(secret) text = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	(void)state;
	assert_ok(secret_new(8192, &text));
	assert_ok(share_seal(&text, holder->certificate, &der, &len));
	assert_refused(CA_R_VERIFY, "does not open",
	    share_open(der, len, holder->key, holder->certificate, &text));
}

static bool
is_in(size_t at, const struct element *element)
{
	size_t begin = element->at + element->header;

	return at >= begin && at < begin + element->len;
}

/* Inside `sparse`, which is slow to open, one bit of each octet. */
static void
flipped_bits(const struct holder *holder, const struct element sparse[2])
{
	struct octets der = holder->sealed;
	struct secret text = { 0 };

	for (size_t i = 0; i < der.len; i++)
		for (size_t bit = 0; bit < 8; bit++) {
			if (bit != i % 8 &&
			    (is_in(i, &sparse[0]) || is_in(i, &sparse[1])))
				continue;
			der.p[i] ^= (unsigned char)(1 << bit);
			ca_error_clear();
			if (share_open(der.p, der.len, holder->key,
				holder->certificate, &text) == 0)
				fail_msg("%s: bit %zu of octet %zu does not "
					 "matter",
				    holder->name, bit, i);
			assert_true(ca_error_reason() == CA_R_VERIFY ||
			    ca_error_reason() == CA_R_INPUT);
			assert_null(text.bytes);
			der.p[i] ^= (unsigned char)(1 << bit);
		}
	opens(&der, holder);
}

static void
flipped_agreement(void **state)
{
	const struct element none[2] = { { 0 } };

	(void)state;
	flipped_bits(&fixture.holders[P_256], none);
	flipped_bits(&fixture.holders[P_384], none);
}

static void
flipped_transport(void **state)
{
	const struct holder *holder = &fixture.holders[RSA_3072];
	struct element slow[] = {
		element_find(&holder->sealed, WAY(1, 0, 1, 0, 3)),
		element_find(&holder->sealed, ENCRYPTED),
	};

	(void)state;
	assert_int_equal(slow[0].len, 384);
	flipped_bits(holder, slow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		heap_test(reads_example),
		heap_test(every_size),
		heap_test(not_written),
		heap_test(bad_numbers_not_written),
		heap_test(wrong_lines),
		heap_test(other_names),
		heap_test(line_order),
		heap_test(permuted_commitments),
		heap_test(every_place),
		heap_test(flipped_text),
		heap_test(damaged_shares),
		heap_test(seals_and_opens),
		heap_test(longest_text),
		heap_test(certificate_with_key),
		heap_test(unfit_certificate),
		heap_test(other_recipient),
		heap_test(tool_opens_ours),
		heap_test(tool_good),
		heap_test(tool_refused),
		heap_test(key_identifier),
		heap_test(other_structures),
		heap_test(short_tags),
		heap_test(gcm_parameters),
		heap_test(more_parts),
		heap_test(twice_the_recipient),
		heap_test(agreement_sender),
		heap_test(agreement_parts),
		heap_test(not_der),
		heap_test(something_behind),
		heap_test(truncated),
		heap_test(no_cms),
		heap_test(too_long),
		heap_test(flipped_agreement),
		heap_test(flipped_transport),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
