#include "profiles/lint/octets.h"

#include <string.h>

#include "support.h"

enum { MANY = 100000 };

static struct der
octets(const char *text)
{
	return (struct der){ (const unsigned char *)text, strlen(text) };
}

static void
an_empty_list_has_nothing(void **state)
{
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	struct der twice = { NULL, 7 };

	(void)state;
	assert_false(octets_duplicate(&list, &twice));
	assert_int_equal(twice.len, 7);
	assert_false(octets_has(&list, octets("")));
}

static void
finds_the_second_of_two(void **state)
{
	static const char text[] = "abcaab";
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	struct der twice;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(octets_add(&list, octets(text + i)), 0);
	assert_false(octets_duplicate(&list, &twice));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    octets_add(&list,
			(struct der){ (const unsigned char *)text + i, 1 }),
		    0);
	assert_true(octets_duplicate(&list, &twice));
	assert_ptr_equal(twice.p, text + 3);
	assert_int_equal(twice.len, 1);
}

static void
looks_up_also_after_more_was_added(void **state)
{
	AUTO_STRUCT(octets_list) list = { .rows = NULL };

	(void)state;
	assert_int_equal(octets_add(&list, octets("b")), 0);
	assert_true(octets_has(&list, octets("b")));
	assert_false(octets_has(&list, octets("a")));
	assert_int_equal(octets_add(&list, octets("a")), 0);
	assert_int_equal(octets_add(&list, octets("")), 0);
	assert_true(octets_has(&list, octets("a")));
	assert_true(octets_has(&list, octets("")));
	assert_false(octets_has(&list, octets("ab")));
	assert_false(octets_has(&list, octets("c")));
}

static void
orders_by_length_and_octets(void **state)
{
	(void)state;
	assert_true(octets_compare(octets("b"), octets("aa")) < 0);
	assert_true(octets_compare(octets("aa"), octets("b")) > 0);
	assert_true(octets_compare(octets("a"), octets("b")) < 0);
	assert_int_equal(octets_compare(octets("ab"), octets("ab")), 0);
	assert_int_equal(
	    octets_compare(octets(""), (struct der){ NULL, 0 }), 0);
}

static void
holds_many(void **state)
{
	static uint32_t numbers[MANY];
	AUTO_STRUCT(octets_list) list = { .rows = NULL };
	struct der row = { NULL, sizeof *numbers }, twice;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		numbers[i] = i * 2654435761u;
		row.p = (const unsigned char *)&numbers[i];
		assert_int_equal(octets_add(&list, row), 0);
	}
	assert_false(octets_duplicate(&list, &twice));
	for (uint32_t i = 0; i < MANY; i += 997) {
		row.p = (const unsigned char *)&numbers[i];
		assert_true(octets_has(&list, row));
	}
	numbers[MANY - 1] = numbers[0];
	list.sorted = false;
	assert_true(octets_duplicate(&list, &twice));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_list_has_nothing),
		cmocka_unit_test(finds_the_second_of_two),
		cmocka_unit_test(looks_up_also_after_more_was_added),
		cmocka_unit_test(orders_by_length_and_octets),
		cmocka_unit_test(holds_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
