/*
 * Domain names: their form, and whether anybody can hold them.  The suffixes
 * are those of the Public Suffix List as the distribution keeps it (libpsl);
 * A-labels are judged by libidn2.  Safe to call from several threads.
 */
#ifndef CA_LINT_DNS_H
#define CA_LINT_DNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "profiles/der/der.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 };

/* What of a name is looked at; several may be asked for at once. */
enum dns_aspect {
	/*
	 * Letters, digits and hyphens, labels of 1 to 63 octets, no hyphen at
	 * their ends, at most 253 octets in all (RFC 1034, section 3.5).  "*."
	 * in front is the business of DNS_ASPECT_WILDCARD_FORM.
	 */
	DNS_ASPECT_SYNTAX = 1 << 0,
	/* "--" at positions 3 and 4 only in A-labels of IDNA2008 (RFC 5890). */
	DNS_ASPECT_LDH = 1 << 1,
	DNS_ASPECT_UNDERSCORE = 1 << 2,
	DNS_ASPECT_REDACTED = 1 << 3,
	/* An asterisk only as the whole left-most label. */
	DNS_ASPECT_WILDCARD_FORM = 1 << 4,
	/* No asterisk at all, as in a URL. */
	DNS_ASPECT_NO_WILDCARD = 1 << 5,
	/* What follows "*." is no public suffix of the ICANN section. */
	DNS_ASPECT_WILDCARD_SUFFIX = 1 << 6,
	/* The name itself is none. */
	DNS_ASPECT_NOT_SUFFIX = 1 << 7,
	/* More than one label, and the right-most one is a top-level domain. */
	DNS_ASPECT_TLD = 1 << 8,
	/* Under .onion: a version 3 address with its checksum (BR, app. B). */
	DNS_ASPECT_ONION = 1 << 9,
	DNS_ASPECT_ARPA = 1 << 10,

	/* A host that the public Internet can reach. */
	DNS_PUBLIC_HOST = DNS_ASPECT_SYNTAX | DNS_ASPECT_LDH |
	    DNS_ASPECT_UNDERSCORE | DNS_ASPECT_REDACTED |
	    DNS_ASPECT_NO_WILDCARD | DNS_ASPECT_TLD | DNS_ASPECT_ARPA |
	    DNS_ASPECT_ONION,
};

enum dns_fault {
	DNS_FINE,
	DNS_EMPTY,
	DNS_TOO_LONG,
	DNS_NUL,
	DNS_NOT_ASCII,
	DNS_BLANK,
	DNS_LEADING_DOT,
	DNS_TRAILING_DOT,
	DNS_EMPTY_LABEL,
	DNS_LABEL_TOO_LONG,
	DNS_HYPHEN_AT_END,
	DNS_BAD_CHARACTER,
	DNS_RESERVED_LABEL,
	DNS_BAD_PUNYCODE,
	DNS_NOT_IDNA,
	DNS_UNDERSCORE,
	DNS_REDACTED,
	DNS_WILDCARD_PLACE,
	DNS_WILDCARD,
	DNS_WILDCARD_ON_SUFFIX,
	DNS_BARE_SUFFIX,
	DNS_SINGLE_LABEL,
	DNS_UNKNOWN_TLD,
	DNS_ONION_VERSION,
	DNS_ONION_CHECKSUM,
	DNS_REVERSE_ZONE,
	DNS_ARPA,
	DNS_UNDECIDED, /* the list could not be read, or no memory: be unsure */
	DNS_FAULT_COUNT,
};

/*
 * The first fault of the name `der` in the aspects asked for, in the order above.  The
 * aspects from LDH on judge only what stands in the name as far as it can be
 * read: ask for the syntax too.  Case does not matter.  Linear in its length.
 */
enum dns_fault dns_check(struct der der, unsigned aspects);

/* "an underscore", for "the name 'x' has ...": a clause with its own verb. */
const char *dns_fault_text(enum dns_fault fault);

/* "www.example.com" and "example.com" under "example.com"; case is ignored. */
bool dns_is_under(struct der name, struct der base);

/*
 * "public suffix list of 2023-02-09, sha256 HEX; libpsl V; libidn2 V", for
 * reports; free().  CA_R_INTERNAL where there is no list.
 */
int dns_data_version(char **ret_text) MUST_USE;

#endif
