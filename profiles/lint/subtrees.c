#include "profiles/lint/subtrees.h"

#include <string.h>
#include <strings.h>

#include <openssl/objects.h>

#include "profiles/lint/dns.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/ip.h"

enum {
	LIST_PERMITTED = 0xa0,
	LIST_EXCLUDED = 0xa1,
	/* [0] and [1] BaseDistance, IMPLICIT. */
	SUBTREE_MINIMUM = 0x80,
	SUBTREE_MAXIMUM = 0x81,
};

struct subtrees
subtrees_of(const struct lint_extensions *extensions)
{
	struct subtrees s = { .extension = lint_extension(
				  extensions, NID_name_constraints) };
	struct der in = { NULL, 0 };

	if (s.extension == NULL)
		return s;
	s.malformed = !lint_extension_sequence(
	    extensions, NID_name_constraints, NULL, &in);
	(void)der_take(&in, LIST_PERMITTED, &s.lists[SUBTREE_PERMITTED], NULL);
	(void)der_take(&in, LIST_EXCLUDED, &s.lists[SUBTREE_EXCLUDED], NULL);
	if (in.len != 0)
		s.malformed = true;
	return s;
}

bool
subtree_next(
    struct subtrees *walk, enum subtree_side side, struct subtree *ret_subtree)
{
	struct subtree s = { .tag = 0 };
	struct der in = walk->lists[side], body;

	if (!der_take(&in, DER_SEQUENCE, &body, &s.element) ||
	    !der_take_any(&body, &s.base, &s.base_element))
		return false;
	s.tag = s.base_element.p[0];
	(void)der_take(&body, SUBTREE_MINIMUM, NULL, &s.minimum);
	(void)der_take(&body, SUBTREE_MAXIMUM, NULL, &s.maximum);
	if (body.len != 0)
		return false;
	walk->lists[side] = in;
	*ret_subtree = s;
	return true;
}

size_t
subtrees_count(const struct subtrees *subtrees)
{
	struct subtrees walk = *subtrees;
	struct subtree s;
	size_t count = 0;

	for (int side = 0; side < SUBTREE_SIDES; side++)
		while (subtree_next(&walk, (enum subtree_side)side, &s))
			count++;
	return count;
}

bool
subtree_is_range(const struct subtree *subtree, size_t address_len)
{
	return subtree->tag == GENERAL_IP &&
	    subtree->base.len == 2 * address_len;
}

/* ---- is one within the other? ---------------------------------------------- */

static struct der
behind(struct der text, char delimiter)
{
	const unsigned char *p =
	    text.len > 0 ? memchr(text.p, delimiter, text.len) : NULL;

	if (p == NULL)
		return text;
	return (struct der){ p + 1, text.len - (size_t)(p + 1 - text.p) };
}

static bool
same_text(struct der a, struct der b)
{
	return a.len == b.len &&
	    (a.len == 0 ||
		strncasecmp((const char *)a.p, (const char *)b.p, a.len) == 0);
}

static bool
ends_with(struct der text, struct der end)
{
	return text.len > end.len &&
	    same_text(
		(struct der){ text.p + text.len - end.len, end.len }, end);
}

/*
 * Mail and URI: ".host" is all hosts below it, "host" that one alone; and for
 * mail "local@host" one mailbox, whose local part is told apart by case.
 */
static bool
host_within(struct der inner, struct der outer)
{
	if (outer.len == 0)
		return true;
	if (outer.p[0] == '.')
		return same_text(inner, outer) ||
		    ends_with(behind(inner, '@'), outer);
	if (memchr(outer.p, '@', outer.len) != NULL)
		return der_equal(inner, outer.p, outer.len);
	return same_text(behind(inner, '@'), outer);
}

static bool
range_within(const struct subtree *inner, const struct subtree *outer)
{
	const size_t len = outer->base.len / 2;

	if (inner->base.len != outer->base.len ||
	    (len != IPV4_LEN && len != IPV6_LEN))
		return false;
	return ip_range_within(inner->base.p, inner->base.p + len,
	    outer->base.p, outer->base.p + len, len);
}

/* Of two Names: the outer one's RDNs are the first of the inner one. */
static bool
name_within(struct der inner, struct der outer)
{
	struct der in, out;

	return der_take(&inner, DER_SEQUENCE, &in, NULL) &&
	    der_take(&outer, DER_SEQUENCE, &out, NULL) && in.len >= out.len &&
	    (out.len == 0 || memcmp(in.p, out.p, out.len) == 0);
}

bool
subtree_within(const struct subtree *inner, const struct subtree *outer)
{
	if (inner->tag != outer->tag)
		return false;
	switch (outer->tag) {
	case GENERAL_DNS:
		return outer->base.len == 0 ||
		    dns_is_under(inner->base, outer->base);
	case GENERAL_RFC822:
	case GENERAL_URI:
		return host_within(inner->base, outer->base);
	case GENERAL_IP:
		return range_within(inner, outer);
	case GENERAL_DIRECTORY:
		return name_within(inner->base, outer->base);
	default:
		return der_equal(inner->base, outer->base.p, outer->base.len);
	}
}
