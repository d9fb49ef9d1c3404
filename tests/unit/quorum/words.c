#include "ceremony/quorum/words.h"

#include <strings.h>

#include "people.h"

static void
says(const char *hex, const char *expected)
{
	AUTO_BYTES(octets) = NULL;
	AUTO_CHARS(words) = NULL;
	size_t len = 0;

	assert_ok(text_unhex(hex, &octets, &len));
	assert_ok(words_of(octets, len, &words));
	assert_string_equal(words, expected);
}

static void
known_digests(void **state)
{
	(void)state;
	says("e58294f2e9a227486e8b061b31cc528fd7fa3f19",
	    "topmost Istanbul Pluto vagabond treadmill Pacific brackish "
	    "dictator goldfish Medusa afflict bravado chatter revolver Dupont "
	    "midsummer stopwatch whimsical cowbell bottomless");
	says("feedfacebeef", "woodlark unify wallet sardonic skydive unravel");
	says("0000ffff", "aardvark adroitness Zulu Yucatan");
	says("00", "aardvark");
	says("", "");
}

/* All words at even or odd offsets, in the order of their octets. */
static void
all_words(size_t offset, char *ret_words[256])
{
	for (unsigned i = 0; i < 256; i++) {
		const unsigned char octets[] = { (unsigned char)i,
			(unsigned char)i };
		AUTO_CHARS(words) = NULL;
		char *blank;

		assert_ok(words_of(octets, 2, &words));
		blank = strchr(words, ' ');
		assert_non_null(blank);
		*blank = '\0';
		ret_words[i] = strdup(offset == 0 ? words : blank + 1);
		assert_non_null(ret_words[i]);
	}
}

/* In alphabetical order, but for one pair that the published list has so. */
static bool
in_order(const char *before, const char *word)
{
	if (strcmp(word, "Apollo") == 0)
		return strcmp(before, "applicant") == 0;
	return strcasecmp(before, word) < 0;
}

/* The order, and that no word is there twice. */
static void
lists(void **state)
{
	char *words[2][256];

	(void)state;
	all_words(0, words[0]);
	all_words(1, words[1]);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 256; i++) {
			size_t len = strlen(words[k][i]);

			assert_true(len >= 4 && len <= 11);
			assert_int_equal(strspn(words[k][i],
					     "abcdefghijklmnopqrstuvwxyz"
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
			    len);
			if (i > 0)
				assert_true(
				    in_order(words[k][i - 1], words[k][i]));
			for (size_t j = 0; j < i; j++)
				assert_true(
				    strcasecmp(words[k][i], words[k][j]) != 0);
		}
	/* A word tells whether its offset is even: no word is in both. */
	for (size_t i = 0; i < 256; i++)
		for (size_t j = 0; j < 256; j++)
			assert_true(strcasecmp(words[0][i], words[1][j]) != 0);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 256; i++)
			free(words[k][i]);
}

static void
digests_aloud(void **state)
{
	AUTO_CHARS(words) = NULL;
	char *untouched = NULL;

	(void)state;
	assert_ok(words_of_sha256("e58294f2e9a22748"
				  "000102030405060708090a0b0c0d0e0f"
				  "0001020304050607",
	    &words));
	assert_string_equal(words,
	    "topmost Istanbul Pluto vagabond treadmill Pacific brackish "
	    "dictator");
	assert_refused(CA_R_INTERNAL, "no SHA-256",
	    words_of_sha256("e58294f2e9a22748", &untouched));
	assert_refused(CA_R_INPUT, "", words_of_sha256("xy", &untouched));
	assert_null(untouched);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(lists),
		cmocka_unit_test(digests_aloud),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
