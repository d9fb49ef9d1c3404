#include "ceremony/quorum/pin.h"

#include "secrets.h"

#define SECRET \
	"04c8cc68ccce821260143b2dc26493ea8e284af0bab69d1789243298d3ee3b55"

static const unsigned char set[SET_ID_LEN] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	11, 12, 13, 14, 15 };

static void
derive(enum pin_role role, const char *alphabet, size_t length,
    struct secret *ret_pin)
{
	AUTO_STRUCT(secret) secret = secret_of_hex(SECRET);

	assert_ok(pin_derive(&secret, set, role, alphabet, length, ret_pin));
	assert_int_equal(ret_pin->len, length);
	assert_int_equal(strlen(ret_pin->bytes), length);
	assert_true(is_locked(ret_pin));
}

/* Computed with Python's hmac and integers; those of docs/quorum.md, and more. */
static void
vectors(void **state)
{
	static const struct {
		enum pin_role role;
		const char *format, *pin;
	} rows[] = {
		{ PIN_USER, "hex",
		    "48bde1056ebe9c92f6eb2e4872fafb025a9410c6ca5d2caaae6b00e15e"
		    "11da08" },
		{ PIN_SO, "hex",
		    "59730fa64bb273468bda28c74ce14d39aa40ef0d5e771aa839ee36472c"
		    "c77ee2" },
		{ PIN_USER, "hex", "48bde1056ebe9c92f6eb2e4872fafb0" },
		{ PIN_USER, "digits", "75298664833716708708899742429218" },
		{ PIN_SO, "digits", "64042173431284322987811067907048" },
		{ PIN_USER, "alphanumeric",
		    "faku1GozGOEx1QCAkqYZu0YSXFivTDki94Srgukb9lELtDoX" },
		{ PIN_SO, "alphanumeric",
		    "GvcX2qnVRdwfsjzQBCvBGPu5R7lzoV4ByI8qR8wcRLgdtuer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_STRUCT(secret) pin = { 0 };
		const char *alphabet = "none";

		assert_ok(pin_alphabet(rows[i].format, &alphabet));
		derive(rows[i].role, alphabet, strlen(rows[i].pin), &pin);
		assert_string_equal(pin.bytes, rows[i].pin);
	}
}

/* The smallest and the largest alphabet; its order matters. */
static void
other_alphabets(void **state)
{
	static const char all[] =
	    "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]"
	    "^_`";
	AUTO_STRUCT(secret) bits = { 0 };
	AUTO_STRUCT(secret) most = { 0 };
	AUTO_STRUCT(secret) turned = { 0 };

	(void)state;
	assert_int_equal(sizeof(all) - 1, 64);
	derive(PIN_USER, "01", 64, &bits);
	assert_string_equal(bits.bytes,
	    "1001011110100110011000101011001101111000000111000001001010011011");
	derive(PIN_USER, all, 64, &most);
	assert_string_equal(most.bytes,
	    "J8G2.\\\"/)FN!8N</!R-5?\"R(]>*MWDB'F01MS4WV.?1=U/YEI>@!4:G+@6PXF)"
	    ":N");
	derive(PIN_USER, "10", 64, &turned);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(bits.bytes[i] + turned.bytes[i], '0' + '1');
}

/* A shorter one is the beginning of a longer one. */
static void
every_length(void **state)
{
	static const char *const names[] = { "hex", "digits", "alphanumeric" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_STRUCT(secret) whole = { 0 };
		const char *alphabet = NULL;

		assert_ok(pin_alphabet(names[i], &alphabet));
		derive(PIN_USER, alphabet, PIN_HEX_LEN, &whole);
		for (size_t n = 1; n < PIN_HEX_LEN; n++) {
			AUTO_STRUCT(secret) pin = { 0 };

			derive(PIN_USER, alphabet, n, &pin);
			assert_memory_equal(pin.bytes, whole.bytes, n);
		}
	}
}

/* Each bit of secret and set id makes another PIN. */
static void
all_bits_count(void **state)
{
	AUTO_STRUCT(secret) secret = secret_of_hex(SECRET);
	AUTO_STRUCT(secret) pin = { 0 };
	unsigned char other[SET_ID_LEN];

	(void)state;
	derive(PIN_USER, NULL, 32, &pin);
	for (unsigned i = 0; i < 8 * (32 + SET_ID_LEN); i++) {
		AUTO_STRUCT(secret) changed = { 0 };

		memcpy(other, set, SET_ID_LEN);
		if (i < 256)
			secret.bytes[i / 8] =
			    (char)(secret.bytes[i / 8] ^ 1 << i % 8);
		else
			other[i / 8 - 32] ^= (unsigned char)(1 << i % 8);
		assert_ok(
		    pin_derive(&secret, other, PIN_USER, NULL, 32, &changed));
		assert_false(secret_equal(&pin, &changed));
		if (i < 256)
			secret.bytes[i / 8] =
			    (char)(secret.bytes[i / 8] ^ 1 << i % 8);
	}
}

static void
refused_derivations(void **state)
{
	AUTO_STRUCT(secret) secret = secret_of_hex(SECRET);
	AUTO_STRUCT(secret) cut = secret_of_hex("00010203");
	struct secret pin = { 0 };

	(void)state;
	assert_refused(CA_R_INTERNAL, "0 characters",
	    pin_derive(&secret, set, PIN_USER, NULL, 0, &pin));
	assert_refused(CA_R_INTERNAL, "65 characters",
	    pin_derive(&secret, set, PIN_USER, NULL, 65, &pin));
	assert_refused(CA_R_INTERNAL, "65 characters",
	    pin_derive(&secret, set, PIN_USER, "01", 65, &pin));
	assert_refused(CA_R_INTERNAL, "4 octets",
	    pin_derive(&cut, set, PIN_USER, NULL, 64, &pin));
	assert_refused(CA_R_INPUT, "each once",
	    pin_derive(&secret, set, PIN_USER, "0120", 32, &pin));
	assert_null(pin.bytes);
}

/* ---- formats ---------------------------------------------------------- */

static void
alphabets(void **state)
{
	const char *alphabet = "none";

	(void)state;
	assert_ok(pin_alphabet("hex", &alphabet));
	assert_null(alphabet);
	assert_ok(pin_alphabet("digits", &alphabet));
	assert_string_equal(alphabet, "0123456789");
	assert_ok(pin_alphabet("alphanumeric", &alphabet));
	assert_int_equal(strlen(alphabet), 62);
	assert_refused(
	    CA_R_INPUT, "'Hex' is no format", pin_alphabet("Hex", &alphabet));
	assert_refused(
	    CA_R_INPUT, "'' is no format", pin_alphabet("", &alphabet));
	assert_int_equal(strlen(alphabet), 62);
}

static void
bad_alphabets(void **state)
{
	static const char *const bad[] = { "", "0", "00", "0123456789a0",
		"ab c", "ab\tc", "ab\x7f", "ab\xc3\xa4",
		("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		 "+-/") };
	size_t length = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pin_format format = { bad[i], 32 };

		assert_refused(CA_R_INPUT, "an alphabet of PINs",
		    pin_length(&format, 4, 255, false, &length));
	}
	assert_int_equal(length, 77);
}

static void
lengths(void **state)
{
	static const struct {
		size_t asked, min, max;
		bool allow_short;
		size_t length; /* 0: refused */
		const char *says;
	} rows[] = {
		{ 0, 4, 255, false, 64, NULL },
		{ 0, 4, 64, false, 64, NULL },
		{ 0, 4, 63, false, 63, NULL },
		{ 0, 4, 32, false, 32, NULL },
		{ 0, 4, 31, false, 0, "is short" },
		{ 0, 4, 8, false, 0, "is short" },
		{ 0, 4, 8, true, 8, NULL },
		{ 0, 65, 255, false, 0, "not possible" },
		{ 0, 0, 0, true, 0, "not possible" },
		{ 64, 4, 255, false, 64, NULL },
		{ 65, 4, 255, false, 0, "at most 64" },
		{ 32, 4, 255, false, 32, NULL },
		{ 31, 4, 255, false, 0, "is short" },
		{ 31, 4, 255, true, 31, NULL },
		{ 4, 4, 255, true, 4, NULL },
		{ 3, 4, 255, true, 0, "takes 4 to 255" },
		{ 9, 4, 8, true, 0, "takes 4 to 8" },
		{ 40, 4, 32, false, 0, "takes 4 to 32" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			struct pin_format format = {
				k == 0 ? NULL : "0123456789", rows[i].asked
			};
			size_t length = 77;

			if (rows[i].length == 0) {
				assert_refused(CA_R_POLICY, rows[i].says,
				    pin_length(&format, rows[i].min,
					rows[i].max, rows[i].allow_short,
					&length));
				assert_int_equal(length, 77);
				continue;
			}
			assert_ok(pin_length(&format, rows[i].min, rows[i].max,
			    rows[i].allow_short, &length));
			assert_int_equal(length, rows[i].length);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		heap_test(vectors),
		heap_test(other_alphabets),
		heap_test(every_length),
		heap_test(all_bits_count),
		heap_test(refused_derivations),
		heap_test(alphabets),
		heap_test(bad_alphabets),
		heap_test(lengths),
	};

	return cmocka_run_group_tests(tests, heap_setup, NULL);
}
