/*
 * URIs in certificates and CRLs, by the letter of RFC 3986: those that name a
 * host to fetch something from.
 */
#ifndef CA_LINT_URI_H
#define CA_LINT_URI_H

#include <stdbool.h>
#include <stddef.h>

#include "profiles/der/der.h"

/* The parts, without the delimiters; p is NULL where a part is absent. */
struct uri {
	struct der scheme, userinfo, host, port, path, query, fragment;
};

/*
 * scheme "://" [userinfo "@"] host [":" port] path ["?" query] ["#" fragment],
 * in characters that RFC 3986 allows in each part, with a host that is not
 * empty.  The host of an IPv6 address keeps its brackets.
 */
bool uri_parse(struct der text, struct uri *ret_uri);

/*
 * Is this an http URI (with `https`: or an https one) that a client can fetch?
 * No user information, no fragment, a port that there is, and as host a domain
 * name of two or more labels, not an address.  Whether that name is public is
 * not asked here.  False: *ret_fault is why, as in "the URI ... ".  *ret_uri
 * may be NULL.
 */
bool uri_parse_http(
    struct der text, bool https, struct uri *ret_uri, const char **ret_fault);

/*
 * Labels of letters, digits and inner hyphens, 63 octets each at most, 253 in
 * all, no dot at either end, and no fewer than `labels` of them.
 */
bool uri_is_ldh_name(struct der name, size_t labels);

#endif
