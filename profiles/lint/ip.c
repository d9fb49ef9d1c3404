#include "profiles/lint/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { BITS_OF_OCTET = 8, ALL_ONES = 0xff };

struct block {
	size_t len;
	unsigned prefix; /* bits */
	unsigned char ip[IPV6_LEN];
	const char *text;
};

/*
 * Entries that lie wholly in another entry (0.0.0.0/32, those of 192.0.0.0/24,
 * those of 2001::/23) are not repeated.
 */
static const struct block blocks[] = {
	{ IPV4_LEN, 8, { 0 }, "0.0.0.0/8 (this network)" },
	{ IPV4_LEN, 8, { 10 }, "10.0.0.0/8 (private use)" },
	{ IPV4_LEN, 10, { 100, 64 }, "100.64.0.0/10 (shared address space)" },
	{ IPV4_LEN, 8, { 127 }, "127.0.0.0/8 (loopback)" },
	{ IPV4_LEN, 16, { 169, 254 }, "169.254.0.0/16 (link local)" },
	{ IPV4_LEN, 12, { 172, 16 }, "172.16.0.0/12 (private use)" },
	{ IPV4_LEN, 24, { 192, 0, 0 },
	    "192.0.0.0/24 (IETF protocol assignments)" },
	{ IPV4_LEN, 24, { 192, 0, 2 }, "192.0.2.0/24 (documentation)" },
	{ IPV4_LEN, 24, { 192, 31, 196 }, "192.31.196.0/24 (AS112)" },
	{ IPV4_LEN, 24, { 192, 52, 193 }, "192.52.193.0/24 (AMT)" },
	{ IPV4_LEN, 24, { 192, 88, 99 },
	    "192.88.99.0/24 (6to4 relay anycast)" },
	{ IPV4_LEN, 16, { 192, 168 }, "192.168.0.0/16 (private use)" },
	{ IPV4_LEN, 24, { 192, 175, 48 },
	    "192.175.48.0/24 (AS112 direct delegation)" },
	{ IPV4_LEN, 15, { 198, 18 }, "198.18.0.0/15 (benchmarking)" },
	{ IPV4_LEN, 24, { 198, 51, 100 }, "198.51.100.0/24 (documentation)" },
	{ IPV4_LEN, 24, { 203, 0, 113 }, "203.0.113.0/24 (documentation)" },
	{ IPV4_LEN, 4, { 224 }, "224.0.0.0/4 (multicast)" },
	{ IPV4_LEN, 4, { 240 }, "240.0.0.0/4 (reserved, broadcast)" },
	{ IPV6_LEN, 128, { 0 }, "::/128 (unspecified address)" },
	{ IPV6_LEN, 128, { [15] = 1 }, "::1/128 (loopback)" },
	{ IPV6_LEN, 96, { [10] = 0xff, [11] = 0xff },
	    "::ffff:0:0/96 (IPv4-mapped)" },
	{ IPV6_LEN, 96, { 0x00, 0x64, 0xff, 0x9b },
	    "64:ff9b::/96 (IPv4-IPv6 translation)" },
	{ IPV6_LEN, 48, { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 },
	    "64:ff9b:1::/48 (IPv4-IPv6 translation)" },
	{ IPV6_LEN, 64, { 0x01 }, "100::/64 (discard only)" },
	{ IPV6_LEN, 64, { 0x01, [7] = 0x01 }, "100:0:0:1::/64 (dummy prefix)" },
	{ IPV6_LEN, 23, { 0x20, 0x01 },
	    "2001::/23 (IETF protocol assignments)" },
	{ IPV6_LEN, 32, { 0x20, 0x01, 0x0d, 0xb8 },
	    "2001:db8::/32 (documentation)" },
	{ IPV6_LEN, 16, { 0x20, 0x02 }, "2002::/16 (6to4)" },
	{ IPV6_LEN, 48, { 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00 },
	    "2620:4f:8000::/48 (AS112 direct delegation)" },
	{ IPV6_LEN, 20, { 0x3f, 0xff }, "3fff::/20 (documentation)" },
	{ IPV6_LEN, 16, { 0x5f, 0x00 }, "5f00::/16 (segment routing)" },
	{ IPV6_LEN, 7, { 0xfc }, "fc00::/7 (unique local)" },
	{ IPV6_LEN, 10, { 0xfe, 0x80 }, "fe80::/10 (link local)" },
	{ IPV6_LEN, 8, { 0xff }, "ff00::/8 (multicast)" },
};
enum { BLOCK_COUNT = sizeof blocks / sizeof *blocks };

/* Octet `i` of the mask of a prefix. */
static unsigned
prefix_octet(unsigned prefix, size_t i)
{
	unsigned before = (unsigned)i * BITS_OF_OCTET;

	if (prefix >= before + BITS_OF_OCTET)
		return ALL_ONES;
	if (prefix <= before)
		return 0;
	return (unsigned)ALL_ONES << (BITS_OF_OCTET - (prefix - before)) &
	    ALL_ONES;
}

/* Two ranges meet where they agree in every bit that both of them fix. */
static bool
meets(const struct block *block, const unsigned char *ip,
    const unsigned char *mask)
{
	for (size_t i = 0; i < block->len; i++) {
		unsigned fixed = prefix_octet(block->prefix, i) &
		    (mask != NULL ? mask[i] : (unsigned)ALL_ONES);

		if (((unsigned)(ip[i] ^ block->ip[i]) & fixed) != 0)
			return false;
	}
	return true;
}

const char *
ip_reserved_block(
    const unsigned char *ip, const unsigned char *mask, size_t len)
{
	for (size_t i = 0; i < BLOCK_COUNT; i++)
		if (blocks[i].len == len && meets(&blocks[i], ip, mask))
			return blocks[i].text;
	return NULL;
}

bool
ip_is_reserved(const unsigned char *ip, size_t len)
{
	return ip_reserved_block(ip, NULL, len) != NULL;
}

/* The bits that are set before the first that is not. */
static unsigned
leading_ones(const unsigned char *mask, size_t len)
{
	unsigned ones = 0;

	while (ones < len * BITS_OF_OCTET &&
	    (mask[ones / BITS_OF_OCTET] &
		(1u << (BITS_OF_OCTET - 1 - ones % BITS_OF_OCTET))) != 0)
		ones++;
	return ones;
}

bool
ip_mask_is_contiguous(const unsigned char *mask, size_t len)
{
	unsigned ones = leading_ones(mask, len);

	for (size_t i = 0; i < len; i++)
		if (mask[i] != prefix_octet(ones, i))
			return false;
	return true;
}

bool
ip_host_bits_are_zero(
    const unsigned char *ip, const unsigned char *mask, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((ip[i] & ~(unsigned)mask[i]) != 0)
			return false;
	return true;
}

bool
ip_range_within(const unsigned char *ip, const unsigned char *mask,
    const unsigned char *outer_ip, const unsigned char *outer_mask, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((outer_mask[i] & ~(unsigned)mask[i]) != 0 ||
		    ((unsigned)(ip[i] ^ outer_ip[i]) & outer_mask[i]) != 0)
			return false;
	return true;
}

void
ip_text(const unsigned char *ip, const unsigned char *mask, size_t len,
    char text[static 2 * IP_TEXT_LEN])
{
	char address[INET6_ADDRSTRLEN], second[INET6_ADDRSTRLEN];
	int family = len == IPV4_LEN ? AF_INET : AF_INET6;

	if ((len != IPV4_LEN && len != IPV6_LEN) ||
	    inet_ntop(family, ip, address, sizeof address) == NULL ||
	    inet_ntop(family, mask != NULL ? mask : ip, second,
		sizeof second) == NULL)
		(void)snprintf(text, 2 * IP_TEXT_LEN, "?");
	else if (mask == NULL)
		(void)snprintf(text, 2 * IP_TEXT_LEN, "%s", address);
	else if (ip_mask_is_contiguous(mask, len))
		(void)snprintf(text, 2 * IP_TEXT_LEN, "%s/%u", address,
		    leading_ones(mask, len));
	else
		(void)snprintf(text, 2 * IP_TEXT_LEN, "%s/%s", address, second);
}
