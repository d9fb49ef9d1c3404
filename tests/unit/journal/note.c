#include "ceremony/journal/note.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "support.h"

#define NAME "journal.example/root-ca"

/* A software key, its SPKI, and a good checkpoint of 7 entries. */
struct fixture {
	EVP_PKEY *key;
	unsigned char *spki;
	size_t spki_len;
	char *text, *note;
};

static const unsigned char root7[32] = { 0xdd, 0xb8, 0x9b, 0xe4, 0x03, 0x80,
	0x9e, 0x32, 0x57, 0x50, 0xd3, 0xd2, 0x63, 0xcd, 0x78, 0x92, 0x9c, 0x29,
	0x42, 0xb7, 0x94, 0x2a, 0x34, 0xb7, 0x7e, 0x12, 0x2c, 0x95, 0x94, 0xa7,
	0x4c, 0x8c };

static void
spki_of(EVP_PKEY *key, unsigned char **ret_spki, size_t *ret_len)
{
	unsigned char *spki = NULL;
	int len = i2d_PUBKEY(key, &spki);

	assert_true(len > 0);
	*ret_spki = spki;
	*ret_len = (size_t)len;
}

static void
sign(EVP_PKEY *key, const char *text, unsigned char sig[128], size_t *ret_len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	*ret_len = 128;
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, sig, ret_len,
			     (const unsigned char *)text, strlen(text)),
	    1);
}

static char *
signed_note(struct fixture *f, const char *text)
{
	unsigned char sig[128];
	size_t len;
	char *note = NULL;

	sign(f->key, text, sig, &len);
	assert_ok(
	    note_compose(text, NAME, f->spki, f->spki_len, sig, len, &note));
	return note;
}

static int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	f->key = EVP_EC_gen("P-256");
	assert_non_null(f->key);
	spki_of(f->key, &f->spki, &f->spki_len);
	assert_ok(checkpoint_text(NAME, 7, root7, &f->text));
	f->note = signed_note(f, f->text);
	*state = f;
	return 0;
}

static int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	EVP_PKEY_free(f->key);
	OPENSSL_free(f->spki);
	free(f->text);
	free(f->note);
	free(f);
	return 0;
}

static int
verify(struct fixture *f, const char *note, size_t len, struct checkpoint *ret)
{
	return checkpoint_verify(note, len, NAME, f->spki, f->spki_len, ret);
}

/* The note is refused for `reason`; what is given out stays untouched. */
static void
refuse(struct fixture *f, enum ca_reason reason, const char *note)
{
	struct checkpoint checkpoint = { .size = 77 };

	assert_refused(reason, verify(f, note, strlen(note), &checkpoint));
	assert_null(checkpoint.origin);
	assert_int_equal(checkpoint.size, 77);
}

/* The text is signed properly, and yet no checkpoint. */
static void
refuse_text(struct fixture *f, const char *text)
{
	AUTO_CHARS(note) = signed_note(f, text);

	refuse(f, CA_R_INPUT, note);
}

static void
test_text(void **state)
{
	char *text = NULL;

	(void)state;
	assert_ok(checkpoint_text(NAME, 7, root7, &text));
	assert_string_equal(text,
	    "journal.example/root-ca\n7\n"
	    "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw="
	    "\n");
	free(text);
	text = NULL;
	assert_refused(CA_R_INPUT, checkpoint_text("", 7, root7, &text));
	assert_refused(CA_R_INPUT, checkpoint_text("a b", 7, root7, &text));
	assert_refused(CA_R_INPUT, checkpoint_text("a+b", 7, root7, &text));
	assert_refused(CA_R_INPUT, checkpoint_text("a\nb", 7, root7, &text));
	assert_refused(CA_R_INPUT, checkpoint_text("a\xff", 7, root7, &text));
	assert_null(text);
}

static void
test_round_trip(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };

	assert_ok(verify(f, f->note, strlen(f->note), &checkpoint));
	assert_string_equal(checkpoint.origin, NAME);
	assert_int_equal(checkpoint.size, 7);
	assert_memory_equal(checkpoint.root, root7, 32);
	/* the shape: text, empty line, dash, name, base64 */
	assert_memory_equal(f->note, f->text, strlen(f->text));
	assert_memory_equal(f->note + strlen(f->text),
	    "\n\xe2\x80\x94 " NAME " ", 1 + 4 + sizeof NAME);
}

/* rules.md 18.3: the key id of the P-256 key with scalar 1. */
static EVP_PKEY *
public_key_of_scalar_1(void)
{
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	unsigned char point[65];
	char curve[] = "P-256";
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 5),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 65),
		OSSL_PARAM_END,
	};

	assert_int_equal(
	    EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
		POINT_CONVERSION_UNCOMPRESSED, point, 65, NULL),
	    65);
	EC_GROUP_free(group);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	return key;
}

static void
test_key_id(void **state)
{
	AUTO(EVP_PKEY) *key = public_key_of_scalar_1();
	AUTO_DER(spki) = NULL;
	AUTO_CHARS(vkey) = NULL;
	unsigned char decoded[96];
	const char *base64;
	size_t len;

	(void)state;
	spki_of(key, &spki, &len);
	assert_int_equal(len, 91);
	assert_ok(note_verifier_key(NAME, spki, len, &vkey));
	assert_memory_equal(vkey, NAME "+5cd252fb+", sizeof NAME + 9);
	base64 = vkey + sizeof NAME + 9;
	assert_int_equal(EVP_DecodeBlock(decoded, (const unsigned char *)base64,
			     (int)strlen(base64)),
	    93);
	assert_int_equal(decoded[0], 0x02);
	assert_memory_equal(decoded + 1, spki, 91);
}

static void
test_other_keys(void **state)
{
	struct fixture *f = *state;
	AUTO(EVP_PKEY) *p384 = EVP_EC_gen("P-384");
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO_DER(spki) = NULL;
	AUTO_DER(other_spki) = NULL;
	struct checkpoint checkpoint = { 0 };
	char *out = NULL;
	size_t len;

	spki_of(p384, &spki, &len);
	assert_refused(CA_R_KEY, note_verifier_key(NAME, spki, len, &out));
	assert_refused(CA_R_KEY,
	    checkpoint_verify(
		f->note, strlen(f->note), NAME, spki, len, &checkpoint));
	assert_refused(
	    CA_R_KEY, note_compose(f->text, NAME, spki, len, spki, 70, &out));
	spki_of(other, &other_spki, &len);
	assert_refused(CA_R_VERIFY,
	    checkpoint_verify(
		f->note, strlen(f->note), NAME, other_spki, len, &checkpoint));
	assert_refused(CA_R_VERIFY,
	    checkpoint_verify(f->note, strlen(f->note), "other.example",
		f->spki, f->spki_len, &checkpoint));
	assert_refused(
	    CA_R_INPUT, note_verifier_key("a b", f->spki, f->spki_len, &out));
	assert_null(out);
	assert_null(checkpoint.origin);
}

/* Every bit of every byte: refused, whatever it was. */
static void
test_tampered(void **state)
{
	struct fixture *f = *state;
	size_t len = strlen(f->note);

	for (size_t i = 0; i < len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct checkpoint checkpoint = { 0 };
			int ret;

			f->note[i] = (char)(f->note[i] ^ (1 << bit));
			ca_error_clear();
			ret = verify(f, f->note, len, &checkpoint);
			if (ret == 0)
				fail_msg("bit %u of byte %zu", bit, i);
			assert_true(ca_error_reason() == CA_R_VERIFY ||
			    ca_error_reason() == CA_R_INPUT);
			f->note[i] = (char)(f->note[i] ^ (1 << bit));
		}
	ca_error_clear();
}

static void
test_truncated_and_extended(void **state)
{
	struct fixture *f = *state;
	size_t len = strlen(f->note);
	struct checkpoint checkpoint = { 0 };
	AUTO_CHARS(longer) = text_printf("%sx", f->note);
	AUTO_CHARS(empty_line) = text_printf("%s\n", f->note);
	AUTO_CHARS(before) = text_printf("\n%s", f->note);

	for (size_t n = 0; n < len; n++) {
		ca_error_clear();
		assert_int_equal(verify(f, f->note, n, &checkpoint), -1);
	}
	ca_error_clear();
	refuse(f, CA_R_INPUT, longer);
	refuse(f, CA_R_INPUT, empty_line);
	refuse(f, CA_R_INPUT, before);
	assert_refused(CA_R_INPUT, verify(f, f->note, len + 1, &checkpoint));
}

/* rules.md 18.3's Ed25519 lines are those of keys that we do not know. */
#define ED25519_LINE                                                          \
	"\xe2\x80\x94 journal.example/root-ca +wOOWG/POZLQu8ax9E0dzf4qvoMNuC" \
	"OI8G01p0LiR1hsKq4I4syk58XSm5l5fKZH97K0HlbizDR1E+iXWOC7HIAJNQ4=\n"
#define WITNESS_LINE                                                          \
	"\xe2\x80\x94 witness.example/auditor Cbi2MwAAAABq59KAabXLtQpIEL670h" \
	"QzciT02CemnbJOonAIqd5yAE1IUOZi3wcMWrhf0lDPmPULfeMKa0/1hkBtm2IsNRtf"  \
	"d5KsBA==\n"

static void
test_unknown_keys(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	const char *line = f->note + strlen(f->text) + 1;
	AUTO_CHARS(mixed) =
	    text_printf("%s\n" ED25519_LINE "%s" WITNESS_LINE, f->text, line);
	AUTO_CHARS(none) =
	    text_printf("%s\n" ED25519_LINE WITNESS_LINE, f->text);
	AUTO_CHARS(twice) = text_printf("%s%s", f->note, line);

	assert_ok(verify(f, mixed, strlen(mixed), &checkpoint));
	assert_int_equal(checkpoint.size, 7);
	refuse(f, CA_R_VERIFY, none);
	checkpoint_clear(&checkpoint);
	assert_ok(verify(f, twice, strlen(twice), &checkpoint));
}

/* One good line does not make up for a bad one of the same key. */
static void
test_one_bad_line(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(other) = NULL;
	AUTO_CHARS(both) = NULL;
	AUTO_CHARS(text) = NULL;

	assert_ok(checkpoint_text(NAME, 8, root7, &text));
	other = signed_note(f, text);
	both = text_printf("%s%s", f->note, other + strlen(text) + 1);
	refuse(f, CA_R_VERIFY, both);
}

#define ROOT "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=\n"
#define EMPTY_ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static void
test_text_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		NAME "\n7\n",                         /* two lines */
		"\n7\n" ROOT,                         /* no origin */
		NAME "\n\n" ROOT,                     /* no size */
		NAME "\n07\n" ROOT,                   /* leading zero */
		NAME "\n+7\n" ROOT,                   /* sign */
		NAME "\n7 \n" ROOT,                   /* blank */
		NAME "\n0x7\n" ROOT,                  /* not decimal */
		NAME "\n18446744073709551616\n" ROOT, /* 2^64 */
		NAME "\n0\n" ROOT,                    /* CKPT-EMPTY */
		NAME "\n7\n" ROOT "\nx\n",            /* empty line */
		NAME "\n7\n"
		     "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTA==\n", /* 31 */
		NAME "\n7\n"
		     "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw\n",
		NAME "\n7\n"
		     "3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIx=\n",
		NAME "\n7\n"
		     " 3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=\n",
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		refuse_text(f, bad[i]);
}

static void
test_text_accepted(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(empty) = signed_note(f, NAME "\n0\n" EMPTY_ROOT);
	AUTO_CHARS(extended) = signed_note(f, NAME "\n7\n" ROOT "extension\n");
	AUTO_CHARS(largest) =
	    signed_note(f, NAME "\n18446744073709551615\n" ROOT);
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };

	assert_ok(verify(f, empty, strlen(empty), &checkpoint));
	assert_true(checkpoint.size == 0);
	checkpoint_clear(&checkpoint);
	assert_ok(verify(f, extended, strlen(extended), &checkpoint));
	checkpoint_clear(&checkpoint);
	assert_ok(verify(f, largest, strlen(largest), &checkpoint));
	assert_true(checkpoint.size == UINT64_MAX);
}

static void
test_lines_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {
		"- " NAME " AAAAAAA=\n",              /* no em dash */
		"\xe2\x80\x94" NAME " AAAAAAA=\n",    /* no blank */
		"\xe2\x80\x94  AAAAAAA=\n",           /* no name */
		"\xe2\x80\x94 " NAME "\n",            /* no signature */
		"\xe2\x80\x94 " NAME " \n",           /* an empty one */
		"\xe2\x80\x94 a+b AAAAAAA=\n",        /* plus */
		"\xe2\x80\x94 a\xc2\xa0x AAAAAAA=\n", /* a Unicode space */
		"\xe2\x80\x94 x AAAAAA==\n",          /* key id alone */
		"\xe2\x80\x94 x AAAAAAA\n",           /* no padding */
		"\xe2\x80\x94 x AAAAAAB=\n",          /* unused bits */
		"\xe2\x80\x94 x AAAAAAA= \n",         /* blank at its end */
		"\xe2\x80\x94 x AAAA-AA=\n",          /* URL alphabet */
		"\xe2\x80\x94 x  AAAAAAA=\n",         /* two blanks */
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		AUTO_CHARS(note) = text_printf("%s%s", f->note, bad[i]);

		refuse(f, CA_R_INPUT, note);
	}
}

static void
test_compose_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = { "", "no newline", "tab\there\n",
		"\xc0\x80\n", "\xed\xa0\x80\n", "\x1b[31m\n" };
	char *note = NULL;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(CA_R_INPUT,
		    note_compose(bad[i], NAME, f->spki, f->spki_len, f->spki,
			70, &note));
	assert_refused(CA_R_INPUT,
	    note_compose(
		f->text, "a+b", f->spki, f->spki_len, f->spki, 70, &note));
	assert_null(note);
}

static void
test_too_large(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(big) = malloc((1 << 20) + 2);
	struct checkpoint checkpoint = { 0 };

	assert_non_null(big);
	memset(big, 'x', (1 << 20) + 1);
	big[(1 << 20) + 1] = '\0';
	assert_refused(CA_R_INPUT, verify(f, big, (1 << 20) + 1, &checkpoint));
}

int
main(void)
{
#define TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		TEST(test_round_trip),
		cmocka_unit_test(test_key_id),
		TEST(test_other_keys),
		TEST(test_tampered),
		TEST(test_truncated_and_extended),
		TEST(test_unknown_keys),
		TEST(test_one_bad_line),
		TEST(test_text_refused),
		TEST(test_text_accepted),
		TEST(test_lines_refused),
		TEST(test_compose_refused),
		TEST(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
