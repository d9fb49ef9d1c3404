#include "profiles/lint/octets.h"

#include <stdint.h>
#include <string.h>

#include "base/error.h"

enum { FIRST_CAPACITY = 16 };

int
octets_add(struct octets_list *list, struct der octets)
{
	if (list->count == list->capacity) {
		size_t capacity =
		    list->capacity == 0 ? FIRST_CAPACITY : 2 * list->capacity;
		struct der *rows = NULL;

		if (capacity <= SIZE_MAX / sizeof *rows)
			rows = realloc(list->rows, capacity * sizeof *rows);
		if (rows == NULL)
			return ca_error(CA_R_MEMORY, "out of memory");
		list->rows = rows;
		list->capacity = capacity;
	}
	list->rows[list->count++] = octets;
	list->sorted = false;
	return 0;
}

int
octets_compare(struct der a, struct der b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

/* Equal ones in the order of the object. */
static int
compare_rows(const void *a, const void *b)
{
	const struct der *left = a, *right = b;
	int order = octets_compare(*left, *right);

	if (order != 0)
		return order;
	return (left->p > right->p) - (left->p < right->p);
}

static void
sort(struct octets_list *list)
{
	if (!list->sorted && list->count > 1)
		qsort(
		    list->rows, list->count, sizeof *list->rows, compare_rows);
	list->sorted = true;
}

bool
octets_duplicate(struct octets_list *list, struct der *ret_octets)
{
	sort(list);
	for (size_t i = 1; i < list->count; i++)
		if (octets_compare(list->rows[i - 1], list->rows[i]) == 0) {
			*ret_octets = list->rows[i];
			return true;
		}
	return false;
}

bool
octets_has(struct octets_list *list, struct der octets)
{
	size_t low = 0, high = list->count;

	sort(list);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = octets_compare(list->rows[middle], octets);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

void
octets_list_clear(struct octets_list *list)
{
	free(list->rows);
	*list = (struct octets_list){ .rows = NULL };
}
