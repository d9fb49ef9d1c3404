/* Lists of keys that are not to be certified. */
#include "profiles/lint/blocklist.h"

#include <string.h>

#include "base/text.h"
#include "support.h"

static int
read_list(const char *text, struct blocklist **ret_list)
{
	return blocklist_load(
	    "keys.txt", (const unsigned char *)text, strlen(text), ret_list);
}

static void
refused(const char *text, const char *what)
{
	struct blocklist *list = NULL;
	AUTO_CHARS(error) = NULL;

	assert_int_equal(read_list(text, &list), -1);
	assert_null(list);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	error = ca_error_take();
	assert_non_null(error);
	if (strstr(error, what) == NULL)
		fail_msg("%s", error);
}

static void
test_lines(void **state)
{
	AUTO_PTR(blocklist) *list = NULL;
	AUTO_CHARS(hex) = sha256_hex("abc", 3);
	AUTO_CHARS(text) =
	    text_printf("# keys\n\n%064d\r\n%s\n%064x\n%020d", 0, hex, 7, 3);
	unsigned char digest[32];

	(void)state;
	assert_int_equal(read_list(text, &list), 0);
	assert_int_equal(blocklist_count(list), 3);
	assert_int_equal(blocklist_modulus_count(list), 1);
	assert_true(blocklist_has(list, (const unsigned char *)"abc", 3));
	assert_false(blocklist_has(list, (const unsigned char *)"abd", 3));
	assert_false(blocklist_has(list, (const unsigned char *)"ab", 2));
	assert_int_equal(sha256(text, strlen(text), digest), 0);
	assert_memory_equal(blocklist_sha256(list), digest, sizeof digest);
}

static void
test_refused(void **state)
{
	AUTO_CHARS(good) = sha256_hex("abc", 3);
	AUTO_CHARS(text) = text_printf("%s\n#\n%.63s\n", good, good);
	AUTO_CHARS(letter) = text_printf("%s\n%.63sg\n", good, good);
	AUTO_CHARS(blank) = text_printf("%s \n", good);

	(void)state;
	refused(text, "line 3");
	refused(letter, "line 2");
	refused(blank, "line 1");
	refused("\n\n\n0011\n", "line 4");
	refused("0123456789012345678x\n", "line 1");
}

static void
test_empty(void **state)
{
	AUTO_PTR(blocklist) *list = NULL;
	AUTO(BIGNUM) *n = BN_new();

	(void)state;
	assert_int_equal(read_list("", &list), 0);
	assert_int_equal(blocklist_count(list), 0);
	assert_false(blocklist_has(list, (const unsigned char *)"abc", 3));
	assert_int_equal(BN_set_word(n, 15), 1);
	assert_int_equal(blocklist_has_modulus(list, n), 0);
}

/* printf 'Modulus=0A..\n' | sha1sum: without the leading zero. */
static void
test_modulus(void **state)
{
	static const char *const moduli[] = { "ABCDEF", "ABCDE", "A" };
	AUTO_PTR(blocklist) *list = NULL;
	AUTO_CHARS(text) = NULL;
	unsigned char digest[20];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_CHARS(line) = text_printf("Modulus=%s\n", moduli[i]);
		AUTO_CHARS(hex) = NULL;
		AUTO_CHARS(before) = text;

		text = NULL;
		assert_int_equal(EVP_Q_digest(NULL, "SHA1", NULL, line,
				     strlen(line), digest, NULL),
		    1);
		hex = text_hex(digest + 10, 10);
		text = text_printf("%s%s\n", before != NULL ? before : "", hex);
	}
	assert_int_equal(read_list(text, &list), 0);
	assert_int_equal(blocklist_modulus_count(list), 3);
	for (size_t i = 0; i < 3; i++) {
		AUTO(BIGNUM) *n = NULL;

		assert_true(BN_hex2bn(&n, moduli[i]) > 0);
		assert_int_equal(blocklist_has_modulus(list, n), 1);
		assert_int_equal(BN_add_word(n, 2), 1);
		assert_int_equal(blocklist_has_modulus(list, n), 0);
	}
}

/* A million lines, descending. */
static void
test_many(void **state)
{
	enum { LINES = 1000000, WIDTH = 65 };
	AUTO_PTR(blocklist) *list = NULL;
	AUTO_CHARS(text) = malloc((size_t)LINES * WIDTH + 1);
	AUTO_CHARS(hex) = sha256_hex("abc", 3);

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < LINES; i++)
		(void)sprintf(
		    text + (size_t)i * WIDTH, "%064x\n", 2 * (LINES - i));
	memcpy(text + 777 * (size_t)WIDTH, hex, 64);
	assert_int_equal(read_list(text, &list), 0);
	assert_int_equal(blocklist_count(list), LINES);
	assert_true(blocklist_has(list, (const unsigned char *)"abc", 3));
	assert_false(blocklist_has(list, (const unsigned char *)"abd", 3));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_modulus),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
