/*
 * The subtrees of nameConstraints (RFC 5280, section 4.2.1.10) as they stand.
 * For profiles/lint alone.
 */
#ifndef CA_LINT_SUBTREES_H
#define CA_LINT_SUBTREES_H

#include "profiles/lint/object.h"

enum subtree_side { SUBTREE_PERMITTED, SUBTREE_EXCLUDED, SUBTREE_SIDES };

/* One GeneralSubtree. */
struct subtree {
	struct der element;
	struct der base_element, base; /* GeneralName, and its contents */
	unsigned tag;                  /* enum lint_general_name */
	struct der minimum, maximum;   /* elements; p NULL: absent */
};

/* Both lists, to be walked; a copy is a walk of its own. */
struct subtrees {
	const struct lint_extension *extension; /* NULL: absent */
	struct der lists[SUBTREE_SIDES];        /* contents; p NULL: absent */
	bool malformed;                         /* around the lists */
};

/* What there is of the lists, also where the extension is malformed. */
struct subtrees subtrees_of(const struct lint_extensions *extensions);

/* The next of one side; false at its end, or where the rest is malformed. */
bool subtree_next(
    struct subtrees *walk, enum subtree_side side, struct subtree *ret_subtree);

size_t subtrees_count(const struct subtrees *subtrees);

/* Is it an iPAddress of this many octets of address, and as many of mask? */
bool subtree_is_range(const struct subtree *subtree, size_t address_len);

/* Does every name in `inner` satisfy `outer` too? */
bool subtree_within(const struct subtree *inner, const struct subtree *outer);

#endif
