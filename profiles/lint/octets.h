/*
 * Lists of octet strings that belong to an object: to find duplicates among
 * thousands of names or policies, and to look one up, in n log n.
 */
#ifndef CA_LINT_OCTETS_H
#define CA_LINT_OCTETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "profiles/der/der.h"

struct octets_list {
	struct der *rows;
	size_t count, capacity;
	bool sorted;
};

/* CA_R_MEMORY */
int octets_add(struct octets_list *list, struct der octets) MUST_USE;

/* The second of the first two that are equal; sorts the list. */
bool octets_duplicate(struct octets_list *list, struct der *ret_octets);

/* Is it there?  Sorts the list. */
bool octets_has(struct octets_list *list, struct der octets);

/* Shorter before longer, then by octets; 0: equal. */
int octets_compare(struct der a, struct der b);

void octets_list_clear(struct octets_list *list);
CLEANUP_DEFINE_STRUCT(octets_list);

#endif
