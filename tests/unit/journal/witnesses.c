#include "ceremony/journal/witnesses.h"

#include "files.h"

static int
setup(void **state)
{
	struct files *files = calloc(1, sizeof *files);

	assert_non_null(files);
	files_open(files);
	ca_error_clear();
	*state = files;
	return 0;
}

static int
teardown(void **state)
{
	files_close(*state);
	free(*state);
	return 0;
}

/* The verifier key of a new key; malloc'd. */
static char *
new_key(const char *name, enum note_type type, EVP_PKEY **ret_key)
{
	EVP_PKEY *key = type == NOTE_ECDSA
	    ? EVP_EC_gen("P-256")
	    : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO_STRUCT(note_key) public = { 0 };
	char *text = NULL;

	assert_ok(note_key_from_public(name, type, key, &public));
	assert_ok(note_key_text(&public, &text));
	if (ret_key != NULL)
		*ret_key = key;
	else
		EVP_PKEY_free(key);
	return text;
}

static int
read_witnesses(
    const struct files *files, const char *text, struct witnesses *ret)
{
	const char *path = in_files(files, "witnesses");

	write_text(path, text);
	return witnesses_read(path, ret);
}

static void
refuse(const struct files *files, const char *part, const char *text)
{
	struct witnesses witnesses = { 0 };

	assert_refused_naming(
	    CA_R_INPUT, part, read_witnesses(files, text, &witnesses));
	assert_null(witnesses.keys);
	assert_int_equal(witnesses.count, 0);
}

/* Comments, empty lines, blanks around, no newline at the end. */
static void
test_good(void **state)
{
	AUTO_CHARS(a) = new_key("example.org/a", NOTE_COSIGNATURE, NULL);
	AUTO_CHARS(b) = new_key("b", NOTE_COSIGNATURE, NULL);
	AUTO_CHARS(text) =
	    text_printf("# who cosigns\n\n%s\n \t\n\t %s \t", a, b);
	AUTO_STRUCT(witnesses) witnesses = { 0 };
	AUTO_CHARS(again) = NULL;

	assert_ok(read_witnesses(*state, text, &witnesses));
	assert_int_equal(witnesses.count, 2);
	assert_string_equal(witnesses.keys[0].name, "example.org/a");
	assert_string_equal(witnesses.keys[1].name, "b");
	assert_ok(note_key_text(&witnesses.keys[1], &again));
	assert_string_equal(again, b);
}

static char *
many(unsigned count)
{
	char *all = text_copy("");

	for (unsigned i = 0; i < count; i++) {
		AUTO_CHARS(before) = all;
		AUTO_CHARS(name) = text_printf("w%u", i);
		AUTO_CHARS(key) = new_key(name, NOTE_COSIGNATURE, NULL);

		all = text_printf("%s%s\n", before, key);
	}
	return all;
}

static void
test_many(void **state)
{
	static const unsigned good[] = { 1, 32, 33, WITNESSES_MAX };
	AUTO_CHARS(too_many) = many(WITNESSES_MAX + 1);

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		AUTO_CHARS(text) = many(good[i]);
		AUTO_STRUCT(witnesses) witnesses = { 0 };

		assert_ok(read_witnesses(*state, text, &witnesses));
		assert_int_equal(witnesses.count, good[i]);
	}
	refuse(*state, "witnesses:257", too_many);
}

static void
test_twice(void **state)
{
	EVP_PKEY *key = NULL;
	AUTO_CHARS(a) = new_key("a", NOTE_COSIGNATURE, &key);
	AUTO_CHARS(other) = new_key("a", NOTE_COSIGNATURE, NULL);
	AUTO_CHARS(renamed) = NULL;
	AUTO_STRUCT(note_key) public = { 0 };
	AUTO_CHARS(same) = text_printf("%s\n%s\n", a, a);
	AUTO_CHARS(same_name) = text_printf("%s\n%s\n", a, other);
	AUTO_CHARS(same_key) = NULL;

	assert_ok(note_key_from_public("b", NOTE_COSIGNATURE, key, &public));
	assert_ok(note_key_text(&public, &renamed));
	same_key = text_printf("%s\n\n%s\n", a, renamed);
	refuse(*state, "witnesses:2: witness 'a' is there already", same);
	refuse(*state, "witnesses:2: witness 'a' is there already", same_name);
	refuse(*state, "witnesses:3: the key of 'b' is that of 'a'", same_key);
	EVP_PKEY_free(key);
}

static void
test_refused(void **state)
{
	AUTO_CHARS(good) = new_key("a", NOTE_COSIGNATURE, NULL);
	AUTO_CHARS(log) = new_key("log", NOTE_ED25519, NULL);
	AUTO_CHARS(ecdsa) = new_key("ec", NOTE_ECDSA, NULL);
	AUTO_CHARS(two) = text_printf("%s %s\n", good, good);
	AUTO_CHARS(behind) = text_printf("%s # a comment\n", good);
	AUTO_CHARS(dos) = text_printf("%s\r\n", good);
	struct witnesses witnesses = { 0 };

	refuse(*state, "has no key", "");
	refuse(*state, "has no key", "# nobody\n\n");
	refuse(*state, "witnesses:1", "a+00000000+AAAA\n");
	refuse(*state, "witnesses:1: the key of 'log' is of type 01", log);
	refuse(*state, "witnesses:1: the key of 'ec' is of type 02", ecdsa);
	refuse(*state, "witnesses:1", two);
	refuse(*state, "witnesses:1", behind);
	refuse(*state, "witnesses:1", dos);
	assert_refused(
	    CA_R_MISSING, witnesses_read(in_files(*state, "none"), &witnesses));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
