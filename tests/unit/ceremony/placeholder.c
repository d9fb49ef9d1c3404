/* Keys that stand in a check for those that a run will make. */
#include "ceremony/steps/build.h"
#include "profiles/csr.h"
#include "support.h"

enum { PLACEHOLDERS = 12 };

/* Every type: encoded as a real key of it, fit for a certificate. */
static void
test_every_type(void **state)
{
	const struct key_type *type;
	size_t types = 0;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		unsigned char *spki = NULL;
		size_t len = 0;

		types++;
		assert_ok(placeholder_spki(type, i, &spki, &len));
		assert_ptr_equal(key_type_of_spki(spki, len), type);
		assert_ok(spki_check(spki, len, "here", &findings));
		assert_quiet(&findings);
		free(spki);
	}
	assert_int_equal(types, 6);
}

static void
test_distinct_and_stable(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		unsigned char *spki[PLACEHOLDERS] = { NULL }, *again = NULL;
		size_t len[PLACEHOLDERS] = { 0 }, again_len = 0;

		for (size_t n = 0; n < PLACEHOLDERS; n++) {
			assert_ok(placeholder_spki(type, n, &spki[n], &len[n]));
			assert_int_equal(len[n], len[0]);
			for (size_t m = 0; m < n; m++)
				assert_memory_not_equal(
				    spki[n], spki[m], len[n]);
		}
		assert_ok(placeholder_spki(type, 3, &again, &again_len));
		assert_int_equal(again_len, len[3]);
		assert_memory_equal(again, spki[3], again_len);
		free(again);
		for (size_t n = 0; n < PLACEHOLDERS; n++)
			free(spki[n]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_distinct_and_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
