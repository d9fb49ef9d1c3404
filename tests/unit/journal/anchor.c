#include "ceremony/journal/anchor.h"

#include "files.h"

struct fixture {
	struct files files;
	EVP_PKEY *key;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	assert_non_null(f);
	files_open(&f->files);
	f->key = EVP_EC_gen("P-256");
	write_anchor(&f->files, AUTHORITY, f->key);
	ca_error_clear();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	files_close(&f->files);
	EVP_PKEY_free(f->key);
	free(f);
	return 0;
}

static int
read_anchor(struct fixture *f, struct anchor *ret_anchor)
{
	return anchor_read(in_files(&f->files, "anchor.txt"), ret_anchor);
}

static void
refuse(struct fixture *f, enum ca_reason reason)
{
	struct anchor anchor = { 0 };

	assert_refused(reason, read_anchor(f, &anchor));
	assert_null(anchor.authority);
	assert_null(anchor.spki);
}

static void
test_good(void **state)
{
	struct fixture *f = *state;
	AUTO_STRUCT(anchor) anchor = { 0 };
	AUTO_DER(spki) = NULL;
	size_t len = spki_of(f->key, &spki);
	AUTO_CHARS(hex) = sha256_hex(spki, len);

	assert_ok(read_anchor(f, &anchor));
	assert_string_equal(anchor.authority, AUTHORITY);
	assert_string_equal(anchor.genesis + 63, "7");
	assert_string_equal(anchor.journal_key, hex);
	assert_string_equal(anchor.set, "00000000000000000000000000000009");
	assert_int_equal(anchor.spki_len, len);
	assert_memory_equal(anchor.spki, spki, len);
}

/* Without the key, as those read it who have only the text. */
static void
test_text_alone(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(text) = anchor_of(AUTHORITY, f->key);
	AUTO_STRUCT(anchor) anchor = { 0 };

	assert_ok(anchor_parse(text, strlen(text), &anchor));
	assert_string_equal(anchor.authority, AUTHORITY);
	assert_null(anchor.spki);
}

/* Cut anywhere, extended, lines exchanged or altered. */
static void
test_malformed(void **state)
{
	struct fixture *f = *state;
	AUTO_CHARS(text) = anchor_of(AUTHORITY, f->key);
	AUTO_CHARS(longer) = text_printf("%sx: y\n", text);
	AUTO_CHARS(before) = text_printf("\n%s", text);
	static const char hex[] = "00000000000000000000000000000000"
				  "00000000000000000000000000000000";
	static const struct {
		const char *first, *genesis, *more;
	} rows[] = {
		{ "ca-tool anchor 2\n", hex, "" },
		{ "ca-tool anchor 1 \n", hex, "" },
		{ "ca-tool anchor 1\n", "00", "" },
		{ "ca-tool anchor 1\n", "", "" },
		{ "ca-tool anchor 1\n", hex, "0" },
		{ "ca-tool anchor 1\n", hex, " " },
		{ "ca-tool anchor 1\nset: x\n", hex, "" },
	};
	struct anchor anchor = { 0 };

	for (size_t n = 0; n < strlen(text); n++)
		assert_refused(CA_R_INPUT, anchor_parse(text, n, &anchor));
	assert_refused(
	    CA_R_INPUT, anchor_parse(text, strlen(text) + 1, &anchor));
	assert_refused(
	    CA_R_INPUT, anchor_parse(longer, strlen(longer), &anchor));
	assert_refused(
	    CA_R_INPUT, anchor_parse(before, strlen(before), &anchor));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_CHARS(bad) = text_printf(
		    "%sauthority: a\ngenesis: %s%s\njournal-key: %s\nset: s\n",
		    rows[i].first, rows[i].genesis, rows[i].more, hex);

		assert_refused(
		    CA_R_INPUT, anchor_parse(bad, strlen(bad), &anchor));
	}
	assert_null(anchor.authority);
}

/* The key beside it is another, none, or no key. */
static void
test_key(void **state)
{
	struct fixture *f = *state;
	const char *path = in_files(&f->files, "journal-key.pem");
	AUTO(EVP_PKEY) *other = EVP_EC_gen("P-256");
	AUTO(FILE) *out = NULL;

	write_public(path, other);
	refuse(f, CA_R_VERIFY);
	write_text(path, "no key\n");
	refuse(f, CA_R_INPUT);
	out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(
	    PEM_write_PKCS8PrivateKey(out, f->key, NULL, NULL, 0, NULL, NULL),
	    1);
	assert_int_equal(fflush(out), 0);
	refuse(f, CA_R_INPUT);
	assert_int_equal(unlink(path), 0);
	refuse(f, CA_R_MISSING);
	write_public(path, f->key);
	assert_int_equal(unlink(in_files(&f->files, "anchor.txt")), 0);
	refuse(f, CA_R_MISSING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_text_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
