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

/* ---- verifier keys ---------------------------------------------------- */

/* rules.md 18.2 and 18.3 */
#define EXAMPLE_VKEY                                                        \
	"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv" \
	"3U2k"
#define LOG_VKEY                                                          \
	"journal.example/root-ca+fb038e58+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6" \
	"UNXx3chmQSVTG4"
#define WITNESS_NAME "witness.example/auditor"
#define WITNESS_VKEY                                                 \
	WITNESS_NAME "+09b8b633+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJe" \
		     "UvJMilm3X"
#define WITNESS_TIME UINT64_C(1793577600)
#define VECTOR_TEXT NAME "\n7\n" ROOT

/* The Ed25519 key whose secret is the octets from `first` on. */
static EVP_PKEY *
ed25519(unsigned char first)
{
	unsigned char secret[32];
	EVP_PKEY *key;

	for (size_t i = 0; i < sizeof secret; i++)
		secret[i] = (unsigned char)(first + i);
	key = EVP_PKEY_new_raw_private_key(
	    EVP_PKEY_ED25519, NULL, secret, sizeof secret);
	assert_non_null(key);
	return key;
}

static struct note_key
parse_key(const char *vkey)
{
	struct note_key key = { 0 };

	assert_ok(note_key_parse(vkey, strlen(vkey), &key));
	return key;
}

static void
test_key_vectors(void **state)
{
	static const struct {
		const char *vkey, *name;
		enum note_type type;
		unsigned char id[4];
	} rows[] = {
		{ EXAMPLE_VKEY, "example.com/foo", NOTE_ED25519,
		    { 0x53, 0x0d, 0x90, 0x3a } },
		{ LOG_VKEY, NAME, NOTE_ED25519, { 0xfb, 0x03, 0x8e, 0x58 } },
		{ WITNESS_VKEY, WITNESS_NAME, NOTE_COSIGNATURE,
		    { 0x09, 0xb8, 0xb6, 0x33 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_STRUCT(note_key) key = parse_key(rows[i].vkey);
		AUTO_CHARS(again) = NULL;

		assert_string_equal(key.name, rows[i].name);
		assert_int_equal(key.type, rows[i].type);
		assert_memory_equal(key.id, rows[i].id, 4);
		assert_ok(note_key_text(&key, &again));
		assert_string_equal(again, rows[i].vkey);
	}
}

/* A key of our own gives the same text as the vector. */
static void
test_key_from_public(void **state)
{
	AUTO(EVP_PKEY) *log = ed25519(0x00);
	AUTO(EVP_PKEY) *witness = ed25519(0x20);
	AUTO(EVP_PKEY) *scalar_1 = public_key_of_scalar_1();
	AUTO(EVP_PKEY) *p384 = EVP_EC_gen("P-384");
	AUTO(EVP_PKEY) *rsa = EVP_RSA_gen(2048);
	AUTO_STRUCT(note_key) a = { 0 };
	AUTO_STRUCT(note_key) b = { 0 };
	AUTO_STRUCT(note_key) c = { 0 };
	AUTO_STRUCT(note_key) d = { 0 };
	AUTO_CHARS(a_text) = NULL;
	AUTO_CHARS(b_text) = NULL;
	AUTO_CHARS(d_text) = NULL;
	struct note_key none = { 0 };

	(void)state;
	assert_ok(note_key_from_public(NAME, NOTE_ED25519, log, &a));
	assert_ok(note_key_text(&a, &a_text));
	assert_string_equal(a_text, LOG_VKEY);
	assert_ok(
	    note_key_from_public(WITNESS_NAME, NOTE_COSIGNATURE, witness, &b));
	assert_ok(note_key_text(&b, &b_text));
	assert_string_equal(b_text, WITNESS_VKEY);
	assert_ok(note_key_from_public("x", NOTE_ECDSA, scalar_1, &c));
	assert_memory_equal(c.id, "\x5c\xd2\x52\xfb", 4);
	/* any curve of type 02, and back from its text */
	assert_ok(note_key_from_public("x", NOTE_ECDSA, p384, &d));
	assert_ok(note_key_text(&d, &d_text));
	note_key_clear(&d);
	d = parse_key(d_text);
	assert_int_equal(EVP_PKEY_eq(d.key, p384), 1);
	/* a key that does not go with the type, or a name that is none */
	assert_refused(
	    CA_R_KEY, note_key_from_public("x", NOTE_ECDSA, log, &none));
	assert_refused(
	    CA_R_KEY, note_key_from_public("x", NOTE_ED25519, p384, &none));
	assert_refused(CA_R_KEY,
	    note_key_from_public("x", NOTE_COSIGNATURE, scalar_1, &none));
	assert_refused(
	    CA_R_KEY, note_key_from_public("x", NOTE_ECDSA, rsa, &none));
	assert_refused(
	    CA_R_INPUT, note_key_from_public("a b", NOTE_ED25519, log, &none));
	assert_refused(
	    CA_R_INPUT, note_key_from_public("", NOTE_ED25519, log, &none));
	assert_null(none.key);
	assert_null(none.name);
}

/* What a note_key holds signs nothing, whatever it was made of. */
static void
test_key_is_public(void **state)
{
	AUTO(EVP_PKEY) *witness = ed25519(0x20);
	AUTO_STRUCT(note_key) key = { 0 };
	unsigned char secret[32];
	size_t len = sizeof secret;

	(void)state;
	assert_ok(note_key_from_public("x", NOTE_COSIGNATURE, witness, &key));
	assert_int_not_equal(
	    EVP_PKEY_get_raw_private_key(key.key, secret, &len), 1);
	ca_error_clear();
}

static void
test_keys_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"name",
		"name+530d903a",
		"name530d903a",
		"++",
		"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"a\nb+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		"a\xff+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
		/* another name: another id */
		"example.com/fox+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		/* ids: upper case, short, long, another, none */
		"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903a0+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANY"
		"crnKv3U2k",
		"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo++AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2"
		"k",
		/* base64: none, blank behind, newline behind, URL alphabet */
		"example.com/foo+530d903a+",
		EXAMPLE_VKEY " ",
		EXAMPLE_VKEY "\n",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2_",
		/* a type alone; 31 and 33 octets of Ed25519; an SPKI cut short */
		"example.com/foo+530d903a+AQ==",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U0=",
		"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2kAA==",
		"example.com/foo+530d903a+AjBZMBMGByqGSM49AgE=",
		/* types 00, 03, 05, 06, ff with that key */
		"example.com/foo+530d903a+AOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903a+A+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903a+BekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
		"example.com/foo+530d903a+/+kyeRrm56hApGFkyQR4ZCbV54Id2LKaANYc"
		"rnKv3U2k",
	};
	struct note_key key = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(
		    CA_R_INPUT, note_key_parse(bad[i], strlen(bad[i]), &key));
	/* a NUL inside */
	assert_refused(CA_R_INPUT,
	    note_key_parse(EXAMPLE_VKEY, sizeof EXAMPLE_VKEY, &key));
	assert_null(key.name);
	assert_null(key.key);
}

/* ---- notes of other keys ---------------------------------------------- */

static struct note
parse(const char *bytes)
{
	struct note note = { 0 };

	assert_ok(note_parse(bytes, strlen(bytes), &note));
	return note;
}

/* rules.md 18.2 */
static void
test_example_note(void **state)
{
	AUTO_STRUCT(note_key) key = parse_key(EXAMPLE_VKEY);
	AUTO_STRUCT(note)
	note = parse(
	    "This is an example message.\n\n\xe2\x80\x94 example.com/foo Uw2QO"
	    "kn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3m"
	    "FXmRKuwHjG1Yu72IneyaQM=\n");
	struct checkpoint checkpoint = { 0 };
	uint64_t time = 5;
	bool found = false;

	(void)state;
	assert_string_equal(note.text, "This is an example message.\n");
	assert_int_equal(note.count, 1);
	assert_string_equal(note.lines[0].name, "example.com/foo");
	assert_memory_equal(note.lines[0].id, "\x53\x0d\x90\x3a", 4);
	assert_int_equal(note.lines[0].len, 64);
	assert_ok(note_verify(&note, &key, &found, &time));
	assert_true(found);
	assert_int_equal(time, 0);
	/* a note, but no checkpoint */
	assert_refused(CA_R_INPUT,
	    checkpoint_parse(note.text, strlen(note.text), &checkpoint));
}

#define VECTOR VECTOR_TEXT "\n" ED25519_LINE WITNESS_LINE

/* rules.md 18.3 */
static void
test_checkpoint_vector(void **state)
{
	AUTO_STRUCT(note_key) log = parse_key(LOG_VKEY);
	AUTO_STRUCT(note_key) witness = parse_key(WITNESS_VKEY);
	AUTO_STRUCT(note_key) stranger = parse_key(EXAMPLE_VKEY);
	AUTO_STRUCT(note) note = parse(VECTOR);
	AUTO_STRUCT(checkpoint) checkpoint = { 0 };
	uint64_t time = 5;
	bool found = false;

	(void)state;
	assert_int_equal(note.count, 2);
	assert_ok(checkpoint_parse(note.text, strlen(note.text), &checkpoint));
	assert_string_equal(checkpoint.origin, NAME);
	assert_int_equal(checkpoint.size, 7);
	assert_memory_equal(checkpoint.root, root7, 32);
	assert_ok(note_verify(&note, &log, &found, &time));
	assert_true(found);
	assert_int_equal(time, 0);
	assert_ok(note_verify(&note, &witness, &found, &time));
	assert_true(found);
	assert_true(time == WITNESS_TIME);
	assert_ok(note_verify(&note, &stranger, &found, NULL));
	assert_false(found);
}

/* Every bit of it: one of the two signatures is wrong or gone. */
static void
test_vector_tampered(void **state)
{
	AUTO_STRUCT(note_key) log = parse_key(LOG_VKEY);
	AUTO_STRUCT(note_key) witness = parse_key(WITNESS_VKEY);
	char bytes[] = VECTOR;

	(void)state;
	for (size_t bit = 0; bit < 8 * (sizeof bytes - 1); bit++) {
		AUTO_STRUCT(note) note = { 0 };
		bool by_log = false, by_witness = false;

		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
		ca_error_clear();
		if (note_parse(bytes, sizeof bytes - 1, &note) == 0 &&
		    note_verify(&note, &log, &by_log, NULL) == 0 &&
		    note_verify(&note, &witness, &by_witness, NULL) == 0 &&
		    by_log && by_witness)
			fail_msg("bit %zu", bit);
		bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
	}
	ca_error_clear();
}

/* A line with these octets behind the key id. */
static char *
line_of(const struct note_key *key, const unsigned char *octets, size_t len)
{
	unsigned char all[256], text[400];

	assert_true(len <= sizeof all - 4);
	memcpy(all, key->id, 4);
	if (len > 0)
		memcpy(all + 4, octets, len);
	(void)EVP_EncodeBlock(text, all, (int)len + 4);
	return text_printf("\xe2\x80\x94 %s %s\n", key->name, (char *)text);
}

/* The text with one line is refused for this key, CA_R_VERIFY. */
static void
refuse_line(const struct note_key *key, const unsigned char *octets, size_t len)
{
	AUTO_CHARS(line) = line_of(key, octets, len);
	AUTO_CHARS(bytes) = text_printf("%s\n%s", VECTOR_TEXT, line);
	AUTO_STRUCT(note) note = parse(bytes);
	uint64_t time = 5;
	bool found = false;

	assert_refused(CA_R_VERIFY, note_verify(&note, key, &found, &time));
	assert_false(found);
	assert_int_equal(time, 5);
}

/* The cosignature of the vector's text at any time, properly signed. */
static void
cosigned_at(uint64_t time, unsigned char ret_octets[72])
{
	AUTO(EVP_PKEY) *key = ed25519(0x20);
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO_CHARS(text) = text_printf("cosignature/v1\ntime %llu\n%s",
	    (unsigned long long)time, VECTOR_TEXT);
	size_t len = 64;

	for (unsigned i = 0; i < 8; i++)
		ret_octets[i] = (unsigned char)(time >> (56 - 8 * i));
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, ret_octets + 8, &len,
			     (const unsigned char *)text, strlen(text)),
	    1);
}

/* COSIG-NO-ZERO-TIME: what is signed well, and still refused. */
static void
test_cosignature_times(void **state)
{
	AUTO_STRUCT(note_key) key = parse_key(WITNESS_VKEY);
	unsigned char octets[73];
	uint64_t time = 0;
	bool found = false;

	(void)state;
	cosigned_at(0, octets);
	refuse_line(&key, octets, 72);
	cosigned_at(UINT64_C(1) << 63, octets);
	refuse_line(&key, octets, 72);
	cosigned_at(UINT64_MAX, octets);
	refuse_line(&key, octets, 72);
	for (uint64_t good = 1; good != 0; good = good == 1 ? INT64_MAX : 0) {
		AUTO_CHARS(line) = NULL;
		AUTO_CHARS(bytes) = NULL;
		AUTO_STRUCT(note) note = { 0 };

		cosigned_at(good, octets);
		line = line_of(&key, octets, 72);
		bytes = text_printf("%s\n%s", VECTOR_TEXT, line);
		note = parse(bytes);
		assert_ok(note_verify(&note, &key, &found, &time));
		assert_true(found && time == good);
	}
	/* the time is signed too */
	cosigned_at(WITNESS_TIME, octets);
	octets[7] ^= 1;
	refuse_line(&key, octets, 72);
	/* 71 and 73 octets */
	cosigned_at(WITNESS_TIME, octets);
	refuse_line(&key, octets, 71);
	octets[72] = 0;
	refuse_line(&key, octets, 73);
}

/* A cosignature is none of the text itself, nor the other way round. */
static void
test_types_are_apart(void **state)
{
	AUTO(EVP_PKEY) *secret = ed25519(0x20);
	AUTO_STRUCT(note_key) cosigner = parse_key(WITNESS_VKEY);
	AUTO_STRUCT(note_key) signer = { 0 };
	AUTO_STRUCT(note_key) other_name = { 0 };
	unsigned char octets[72];
	AUTO_CHARS(line) = NULL;
	AUTO_CHARS(bytes) = NULL;
	AUTO_STRUCT(note) note = { 0 };
	bool found = true;

	(void)state;
	assert_ok(
	    note_key_from_public(WITNESS_NAME, NOTE_ED25519, secret, &signer));
	assert_ok(note_key_from_public(
	    "other", NOTE_COSIGNATURE, secret, &other_name));
	assert_memory_not_equal(signer.id, cosigner.id, 4);
	assert_memory_not_equal(other_name.id, cosigner.id, 4);
	cosigned_at(WITNESS_TIME, octets);
	refuse_line(&signer, octets + 8, 64);
	refuse_line(&signer, octets, 72);
	/* one that is right for type 04 is unknown to type 01's id */
	line = line_of(&cosigner, octets, 72);
	bytes = text_printf("%s\n%s", VECTOR_TEXT, line);
	note = parse(bytes);
	assert_ok(note_verify(&note, &signer, &found, NULL));
	assert_false(found);
}

/* A known key whose line is wrong refuses the note, whatever else is there. */
static void
test_known_and_wrong(void **state)
{
	AUTO_STRUCT(note_key) key = parse_key(WITNESS_VKEY);
	AUTO_CHARS(good) = NULL;
	AUTO_CHARS(bad) = NULL;
	AUTO_CHARS(before) = NULL;
	AUTO_CHARS(after) = NULL;
	unsigned char octets[72];
	bool found = false;

	(void)state;
	cosigned_at(WITNESS_TIME, octets);
	good = line_of(&key, octets, 72);
	octets[40] ^= 4;
	bad = line_of(&key, octets, 72);
	before = text_printf("%s\n%s%s", VECTOR_TEXT, bad, good);
	after = text_printf("%s\n%s%s", VECTOR_TEXT, good, bad);
	for (int i = 0; i < 2; i++) {
		AUTO_STRUCT(note) note = parse(i == 0 ? before : after);

		assert_refused_naming(CA_R_VERIFY, WITNESS_NAME,
		    note_verify(&note, &key, &found, NULL));
		assert_false(found);
	}
}

/* Of two good cosignatures, the newer one's time. */
static void
test_newest_time(void **state)
{
	AUTO_STRUCT(note_key) key = parse_key(WITNESS_VKEY);
	AUTO_CHARS(one) = NULL;
	AUTO_CHARS(two) = NULL;
	AUTO_CHARS(bytes) = NULL;
	AUTO_STRUCT(note) note = { 0 };
	unsigned char octets[72];
	uint64_t time = 0;
	bool found = false;

	(void)state;
	cosigned_at(2000, octets);
	one = line_of(&key, octets, 72);
	cosigned_at(1000, octets);
	two = line_of(&key, octets, 72);
	bytes = text_printf("%s\n%s%s", VECTOR_TEXT, one, two);
	note = parse(bytes);
	assert_ok(note_verify(&note, &key, &found, &time));
	assert_true(found && time == 2000);
}

/* ECDSA: r and s in DER and in no other form, over SHA-256 on each curve. */
static void
test_ecdsa_lines(void **state)
{
	static const char *const curves[] = { "P-256", "P-384", "P-521" };
	static const char text[] = VECTOR_TEXT;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO(EVP_PKEY) *secret = EVP_EC_gen(curves[i]);
		AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
		AUTO_STRUCT(note_key) key = { 0 };
		AUTO_STRUCT(note) note = { 0 };
		AUTO_CHARS(line) = NULL;
		AUTO_CHARS(bytes) = NULL;
		unsigned char sig[200];
		size_t len = sizeof sig;
		bool found = false;

		assert_non_null(secret);
		assert_ok(note_key_from_public("x", NOTE_ECDSA, secret, &key));
		assert_int_equal(
		    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, secret),
		    1);
		assert_int_equal(
		    EVP_DigestSign(ctx, sig, &len, (const unsigned char *)text,
			sizeof text - 1),
		    1);
		line = line_of(&key, sig, len);
		bytes = text_printf("%s\n%s", VECTOR_TEXT, line);
		note = parse(bytes);
		assert_ok(note_verify(&note, &key, &found, NULL));
		assert_true(found);
		sig[len] = 0;
		refuse_line(&key, sig, len + 1);
		refuse_line(&key, sig, len - 1);
		refuse_line(&key, (const unsigned char *)"\x30\x80", 2);
		sig[len - 1] ^= 1;
		refuse_line(&key, sig, len);
	}
}

/* ---- taking notes apart ----------------------------------------------- */

/* `count` lines of unknown keys. */
static char *
many_lines(size_t count)
{
	static const char line[] = "\xe2\x80\x94 x AAAAAAA=\n";
	const size_t len = sizeof line - 1, head = sizeof VECTOR_TEXT;
	char *bytes = malloc(head + count * len + 1);

	assert_non_null(bytes);
	memcpy(bytes, VECTOR_TEXT "\n", head);
	for (size_t i = 0; i < count; i++)
		memcpy(bytes + head + i * len, line, len);
	bytes[head + count * len] = '\0';
	return bytes;
}

/* NOTE-LIMIT */
static void
test_line_limit(void **state)
{
	static const size_t good[] = { 1, 16, 17, 100, NOTE_MAX_LINES };
	AUTO_CHARS(too_many) = many_lines(NOTE_MAX_LINES + 1);
	AUTO_CHARS(none) = many_lines(0);
	struct note untouched = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_CHARS(bytes) = many_lines(good[i]);
		AUTO_STRUCT(note) note = parse(bytes);

		assert_int_equal(note.count, good[i]);
		assert_string_equal(note.lines[good[i] - 1].name, "x");
	}
	assert_refused(
	    CA_R_INPUT, note_parse(too_many, strlen(too_many), &untouched));
	assert_refused(CA_R_INPUT, note_parse(none, strlen(none), &untouched));
	assert_null(untouched.text);
	assert_null(untouched.lines);
}

/* NOTE-SPLIT: at the last empty line; what is before it is text. */
static void
test_text_with_empty_lines(void **state)
{
	AUTO_STRUCT(note) note = parse("a\n\nb\n\n\n\xe2\x80\x94 x AAAAAAA=\n");
	AUTO_STRUCT(note) empty = parse("\n\n\xe2\x80\x94 x AAAAAAA=\n");

	(void)state;
	assert_string_equal(note.text, "a\n\nb\n\n");
	assert_int_equal(note.count, 1);
	assert_int_equal(note.lines[0].len, 1);
	assert_string_equal(empty.text, "\n");
}

static void
test_notes_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"\n\n",
		"text\n",
		"text\n\n",
		"text\n\n\n",
		"text\n\xe2\x80\x94 x AAAAAAA=\n",         /* no empty line */
		"text\n\n\xe2\x80\x94 x AAAAAAA=",         /* not ended */
		"text\n\n\xe2\x80\x94 x AAAAAAA=\n\n",     /* an empty line */
		"text\n\n\xe2\x80\x94 x AAAAAAA=\r\n",     /* CR LF */
		"text\t\n\n\xe2\x80\x94 x AAAAAAA=\n",     /* a tab */
		"te\x1bxt\n\n\xe2\x80\x94 x AAAAAAA=\n",   /* ESC */
		"te\xc0\xaf\n\n\xe2\x80\x94 x AAAAAAA=\n", /* overlong */
		"text\n\n\xe2\x80\x94 x AAAAAAA=\nx\n",
		"text\n\n\xe2\x80\x94\xe2\x80\x94 x AAAAAAA=\n",
	};
#define BYTES(text)                   \
	{                             \
		text, sizeof text - 1 \
	}
	static const struct {
		const char *bytes;
		size_t len;
	} with_nul[] = {
		BYTES("te\0xt\n\n\xe2\x80\x94 x AAAAAAA=\n"),
		BYTES("text\n\n\xe2\x80\x94 \0x AAAAAAA=\n"),
		BYTES("text\n\n\xe2\x80\x94 x AAAAAAA=\n\0"),
	};
#undef BYTES
	struct note note = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(
		    CA_R_INPUT, note_parse(bad[i], strlen(bad[i]), &note));
	for (size_t i = 0; i < sizeof with_nul / sizeof with_nul[0]; i++)
		assert_refused(CA_R_INPUT,
		    note_parse(with_nul[i].bytes, with_nul[i].len, &note));
	assert_null(note.text);
}

/* The text alone, where no note has looked at it before. */
static void
test_checkpoint_text_alone(void **state)
{
	static const char *const bad[] = { "", "\n", NAME "\n7\n",
		NAME "\n7\n3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=",
		NAME "\n7\n" ROOT "extension", NAME "\n7\n" ROOT "\n",
		NAME "\t\n7\n" ROOT };
	static const char no_utf8[] = "\xff\n7\n" ROOT;
	static const char nul[] = "a\0b\n7\n" ROOT;
	struct checkpoint checkpoint = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(CA_R_INPUT,
		    checkpoint_parse(bad[i], strlen(bad[i]), &checkpoint));
	assert_refused(
	    CA_R_INPUT, checkpoint_parse(nul, sizeof nul - 1, &checkpoint));
	assert_refused(CA_R_INPUT,
	    checkpoint_parse(no_utf8, sizeof no_utf8 - 1, &checkpoint));
	assert_null(checkpoint.origin);
}

/* ---- cosigning -------------------------------------------------------- */

/* Ed25519 is deterministic: our line is the vector's. */
static void
test_cosign_vector(void **state)
{
	AUTO(EVP_PKEY) *key = ed25519(0x20);
	AUTO_CHARS(line) = NULL;

	(void)state;
	assert_ok(
	    note_cosign(VECTOR_TEXT, WITNESS_NAME, key, WITNESS_TIME, &line));
	assert_string_equal(line, WITNESS_LINE);
}

static void
test_cosign_refused(void **state)
{
	AUTO(EVP_PKEY) *key = ed25519(0x20);
	AUTO(EVP_PKEY) *p256 = EVP_EC_gen("P-256");
	AUTO_STRUCT(note_key) public_only = parse_key(WITNESS_VKEY);
	char *line = NULL;

	(void)state;
	assert_refused(
	    CA_R_INPUT, note_cosign(VECTOR_TEXT, WITNESS_NAME, key, 0, &line));
	assert_refused(CA_R_INPUT,
	    note_cosign(
		VECTOR_TEXT, WITNESS_NAME, key, UINT64_C(1) << 63, &line));
	assert_refused(CA_R_INPUT,
	    note_cosign("no checkpoint\n", WITNESS_NAME, key, 1, &line));
	assert_refused(
	    CA_R_INPUT, note_cosign(VECTOR, WITNESS_NAME, key, 1, &line));
	assert_refused(
	    CA_R_INPUT, note_cosign(VECTOR_TEXT, "a b", key, 1, &line));
	assert_refused(
	    CA_R_KEY, note_cosign(VECTOR_TEXT, WITNESS_NAME, p256, 1, &line));
	assert_refused(CA_R_KEY,
	    note_cosign(VECTOR_TEXT, WITNESS_NAME, public_only.key, 1, &line));
	assert_null(line);
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
		cmocka_unit_test(test_key_vectors),
		cmocka_unit_test(test_key_from_public),
		cmocka_unit_test(test_key_is_public),
		cmocka_unit_test(test_keys_refused),
		cmocka_unit_test(test_example_note),
		cmocka_unit_test(test_checkpoint_vector),
		cmocka_unit_test(test_vector_tampered),
		cmocka_unit_test(test_cosignature_times),
		cmocka_unit_test(test_types_are_apart),
		cmocka_unit_test(test_known_and_wrong),
		cmocka_unit_test(test_newest_time),
		cmocka_unit_test(test_ecdsa_lines),
		cmocka_unit_test(test_line_limit),
		cmocka_unit_test(test_text_with_empty_lines),
		cmocka_unit_test(test_notes_refused),
		cmocka_unit_test(test_checkpoint_text_alone),
		cmocka_unit_test(test_cosign_vector),
		cmocka_unit_test(test_cosign_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
