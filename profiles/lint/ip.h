/*
 * IP addresses and ranges that nobody can hold: whatever lies in a block of the
 * IANA special-purpose address registries (BR 1.6.1, "Reserved IP Address":
 * any entry, also a globally reachable one), and multicast, which names no host.
 */
#ifndef CA_LINT_IP_H
#define CA_LINT_IP_H

#include <stdbool.h>
#include <stddef.h>

enum {
	IPV4_LEN = 4,
	IPV6_LEN = 16,
	IP_TEXT_LEN = 64, /* fits "address/mask bits" of IPv6 and a NUL */
};

/* Is this address of 4 or 16 octets reserved?  Of another length: false. */
bool ip_is_reserved(const unsigned char *ip, size_t len);

/*
 * The first reserved block that the range intersects, as text, for example
 * "10.0.0.0/8 (private use)"; NULL: none.  `mask` may be NULL: one address.
 * `len` counts the octets of the address, and those of the mask.
 */
const char *ip_reserved_block(
    const unsigned char *ip, const unsigned char *mask, size_t len);

/* Ones, then zeros?  All ones and all zeros are contiguous too. */
bool ip_mask_is_contiguous(const unsigned char *mask, size_t len);

/* Are all bits of the address zero that the mask leaves to hosts? */
bool ip_host_bits_are_zero(
    const unsigned char *ip, const unsigned char *mask, size_t len);

/* Is every address of the inner range in the outer one? */
bool ip_range_within(const unsigned char *ip, const unsigned char *mask,
    const unsigned char *outer_ip, const unsigned char *outer_mask, size_t len);

/*
 * "192.0.2.0/24", "2001:db8::/32"; a mask that is not contiguous in full;
 * without a mask "192.0.2.1".  "?" for another length than 4 or 16.
 */
void ip_text(const unsigned char *ip, const unsigned char *mask, size_t len,
    char text[static 2 * IP_TEXT_LEN]);

#endif
