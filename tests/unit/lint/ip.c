#include "profiles/lint/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "support.h"

/* Octets of an address; their number. */
static size_t
address(const char *text, unsigned char ip[static IPV6_LEN])
{
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	assert_int_equal(inet_pton(family, text, ip), 1);
	return family == AF_INET ? IPV4_LEN : IPV6_LEN;
}

static void
mask_of(unsigned prefix, unsigned char mask[static IPV6_LEN])
{
	memset(mask, 0, IPV6_LEN);
	for (unsigned i = 0; i < prefix; i++)
		mask[i / 8] |= (unsigned char)(0x80u >> i % 8);
}

/* First and last address of each block, and their neighbours outside. */
static const struct {
	const char *before, *first, *last, *behind;
} edges[] = {
	{ NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0" },
	{ "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
	{ "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0" },
	{ "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0" },
	{ "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0" },
	{ "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
	{ "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0" },
	{ "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0" },
	{ "192.31.195.255", "192.31.196.0", "192.31.196.255", "192.31.197.0" },
	{ "192.52.192.255", "192.52.193.0", "192.52.193.255", "192.52.194.0" },
	{ "192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0" },
	{ "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0" },
	{ "192.175.47.255", "192.175.48.0", "192.175.48.255", "192.175.49.0" },
	{ "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0" },
	{ "198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0" },
	{ "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0" },
	{ "223.255.255.255", "224.0.0.0", "255.255.255.255", NULL },
	{ NULL, "::", "::1", "::2" },
	{ "::fffe:ffff:ffff", "::ffff:0.0.0.0", "::ffff:255.255.255.255",
	    "::1:0:0:0" },
	{ "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff",
	    "64:ff9b::", "64:ff9b::ffff:ffff", "64:ff9b::1:0:0" },
	{ "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "64:ff9b:1::",
	    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "64:ff9b:2::" },
	{ "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "100::", "100::1:ffff:ffff:ffff:ffff", "100:0:0:2::" },
	{ "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::" },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::",
	    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
	{ "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::" },
	{ "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff", "2620:4f:8000::",
	    "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "2620:4f:8001::" },
	{ "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::" },
	{ "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "5f01::" },
	{ "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe00::" },
	{ "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::" },
	{ "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	    "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
};

static bool
is_reserved(const char *text)
{
	unsigned char ip[IPV6_LEN];
	size_t len = address(text, ip);

	return ip_is_reserved(ip, len);
}

static void
finds_the_edges_of_each_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
		assert_true(is_reserved(edges[i].first));
		assert_true(is_reserved(edges[i].last));
		if (edges[i].before != NULL)
			assert_false(is_reserved(edges[i].before));
		if (edges[i].behind != NULL)
			assert_false(is_reserved(edges[i].behind));
	}
}

static void
knows_no_other_lengths(void **state)
{
	const unsigned char ip[IPV6_LEN + 1] = { 10 };

	(void)state;
	for (size_t len = 0; len <= sizeof ip; len++)
		if (len != IPV4_LEN && len != IPV6_LEN)
			assert_false(ip_is_reserved(ip, len));
}

static const char *
block_of(const char *text, unsigned prefix)
{
	unsigned char ip[IPV6_LEN], mask[IPV6_LEN];
	size_t len = address(text, ip);

	mask_of(prefix, mask);
	return ip_reserved_block(ip, mask, len);
}

static void
ranges_intersect_where_one_holds_the_other(void **state)
{
	(void)state;
	assert_string_equal(
	    block_of("10.1.0.0", 16), "10.0.0.0/8 (private use)");
	assert_string_equal(block_of("8.0.0.0", 5), "10.0.0.0/8 (private use)");
	assert_string_equal(block_of("0.0.0.0", 0), "0.0.0.0/8 (this network)");
	assert_string_equal(
	    block_of("2001:db8:1::", 48), "2001:db8::/32 (documentation)");
	assert_non_null(block_of("::", 0));
	assert_non_null(block_of("2000::", 3));
	assert_null(block_of("8.0.0.0", 7));
	assert_null(block_of("2a00::", 12));
	assert_null(block_of("11.0.0.0", 8));
}

static void
ranges_with_a_mask_of_holes_intersect_too(void **state)
{
	/* 8.0.0.0 with the bit of 2 left open: 8/8 and 10/8. */
	const unsigned char ip[] = { 8, 0, 0, 0 },
			    mask[] = { 0xfd, 255, 255, 0 };

	(void)state;
	assert_non_null(ip_reserved_block(ip, mask, sizeof ip));
	assert_null(ip_reserved_block(ip, NULL, sizeof ip));
}

static void
tells_contiguous_masks(void **state)
{
	unsigned char mask[IPV6_LEN];

	(void)state;
	for (unsigned prefix = 0; prefix <= 128; prefix++) {
		mask_of(prefix, mask);
		assert_true(ip_mask_is_contiguous(mask, IPV6_LEN));
		if (prefix > 1) {
			mask[0] &= 0x7f;
			assert_false(ip_mask_is_contiguous(mask, IPV6_LEN));
		}
	}
	mask_of(9, mask);
	mask[3] |= 1;
	assert_false(ip_mask_is_contiguous(mask, IPV4_LEN));
}

static void
tells_host_bits(void **state)
{
	const unsigned char ip[] = { 8, 8, 8, 0 },
			    mask[] = { 255, 255, 255, 0 };
	const unsigned char one[] = { 8, 8, 8, 1 };

	(void)state;
	assert_true(ip_host_bits_are_zero(ip, mask, sizeof ip));
	assert_false(ip_host_bits_are_zero(one, mask, sizeof one));
}

static bool
is_within(const char *inner, unsigned prefix, const char *outer,
    unsigned outer_prefix)
{
	unsigned char a[IPV6_LEN], b[IPV6_LEN], c[IPV6_LEN], d[IPV6_LEN];
	size_t len = address(inner, a);

	assert_int_equal(address(outer, b), len);
	mask_of(prefix, c);
	mask_of(outer_prefix, d);
	return ip_range_within(a, c, b, d, len);
}

static void
tells_what_lies_within(void **state)
{
	(void)state;
	assert_true(is_within("8.8.8.0", 24, "8.8.0.0", 16));
	assert_true(is_within("8.8.0.0", 16, "8.8.0.0", 16));
	assert_true(is_within("8.8.0.0", 16, "0.0.0.0", 0));
	assert_false(is_within("8.8.0.0", 15, "8.8.0.0", 16));
	assert_false(is_within("8.9.0.0", 24, "8.8.0.0", 16));
	assert_true(is_within("2600:1::", 32, "2600::", 16));
	assert_false(is_within("2601:1::", 32, "2600::", 16));
}

static void
writes_ranges(void **state)
{
	unsigned char ip[IPV6_LEN], mask[IPV6_LEN];
	const unsigned char holes[] = { 255, 0, 255, 0 };
	char text[2 * IP_TEXT_LEN];

	(void)state;
	(void)address("192.0.2.0", ip);
	mask_of(24, mask);
	ip_text(ip, mask, IPV4_LEN, text);
	assert_string_equal(text, "192.0.2.0/24");
	ip_text(ip, NULL, IPV4_LEN, text);
	assert_string_equal(text, "192.0.2.0");
	ip_text(ip, holes, IPV4_LEN, text);
	assert_string_equal(text, "192.0.2.0/255.0.255.0");
	(void)address("2001:db8::", ip);
	mask_of(32, mask);
	ip_text(ip, mask, IPV6_LEN, text);
	assert_string_equal(text, "2001:db8::/32");
	memset(ip, 0xee, sizeof ip);
	mask_of(127, mask);
	mask[0] = 0xee;
	ip_text(ip, mask, IPV6_LEN, text);
	assert_string_equal(text,
	    "eeee:eeee:eeee:eeee:eeee:eeee:eeee:eeee/"
	    "eeff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	ip_text(ip, mask, 5, text);
	assert_string_equal(text, "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_edges_of_each_block),
		cmocka_unit_test(knows_no_other_lengths),
		cmocka_unit_test(ranges_intersect_where_one_holds_the_other),
		cmocka_unit_test(ranges_with_a_mask_of_holes_intersect_too),
		cmocka_unit_test(tells_contiguous_masks),
		cmocka_unit_test(tells_host_bits),
		cmocka_unit_test(tells_what_lies_within),
		cmocka_unit_test(writes_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
