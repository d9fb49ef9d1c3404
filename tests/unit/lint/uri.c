#include "profiles/lint/uri.h"

#include <string.h>

#include "support.h"

static struct der
octets(const char *text)
{
	return (struct der){ (const unsigned char *)text, strlen(text) };
}

static void
assert_part(struct der part, const char *text)
{
	if (text == NULL) {
		assert_null(part.p);
		return;
	}
	assert_non_null(part.p);
	assert_int_equal(part.len, strlen(text));
	assert_memory_equal(part.p, text, part.len);
}

static void
takes_a_uri_apart(void **state)
{
	struct uri uri;

	(void)state;
	assert_true(uri_parse(
	    octets("ftp+x://me:pw@host.example:80/a/b?c=d/?#e?/"), &uri));
	assert_part(uri.scheme, "ftp+x");
	assert_part(uri.userinfo, "me:pw");
	assert_part(uri.host, "host.example");
	assert_part(uri.port, "80");
	assert_part(uri.path, "/a/b");
	assert_part(uri.query, "c=d/?");
	assert_part(uri.fragment, "e?/");
}

static void
tells_absent_parts_from_empty_ones(void **state)
{
	struct uri uri;

	(void)state;
	assert_true(uri_parse(octets("http://h"), &uri));
	assert_part(uri.userinfo, NULL);
	assert_part(uri.port, NULL);
	assert_part(uri.path, "");
	assert_part(uri.query, NULL);
	assert_part(uri.fragment, NULL);
	assert_true(uri_parse(octets("http://@h:?#"), &uri));
	assert_part(uri.userinfo, "");
	assert_part(uri.port, "");
	assert_part(uri.query, "");
	assert_part(uri.fragment, "");
}

static void
keeps_the_brackets_of_an_address(void **state)
{
	struct uri uri;

	(void)state;
	assert_true(uri_parse(octets("http://[2001:db8::1]:8080/"), &uri));
	assert_part(uri.host, "[2001:db8::1]");
	assert_part(uri.port, "8080");
}

static void
refuses_what_is_no_uri_with_a_host(void **state)
{
	static const char *const bad[] = { "", "http", "http:", "http:/h",
		"http:h", "://h", "1http://h", "ht tp://h", "http://",
		"http:///p", "http://:80", "http://@", "http://a@b@c",
		"http://h:8o", "http://[::1", "http://[::1]x", "http://[::g%]",
		"http://h/ ", "http://h/<", "http://h/\"", "http://h/\\",
		"http://h/^", "http://h/`", "http://h/{", "http://h/|",
		"http://h/\x7f", "http://h/\x80", "http://h/\n", "http://h/%",
		"http://h/%4", "http://h/%g0", "http://h?[", "http://h#a#b",
		"http://h%/", "http://a%zz@h/", "//h/p", "mailto:a@h",
		"urn:x:y" };
	struct uri uri, untouched;

	(void)state;
	memset(&uri, 0x5a, sizeof uri);
	memcpy(&untouched, &uri, sizeof uri);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (uri_parse(octets(bad[i]), &uri))
			fail_msg("'%s' passed", bad[i]);
		assert_memory_equal(&uri, &untouched, sizeof uri);
	}
}

static void
refuses_a_nul(void **state)
{
	static const unsigned char text[] = "http://h.example/\0a";
	struct uri uri;

	(void)state;
	assert_false(uri_parse((struct der){ text, sizeof text - 1 }, &uri));
}

static void
accepts_http(void **state)
{
	static const char *const good[] = { "http://a.example", "HTTP://a.b/",
		"http://a.b:1/", "http://a.b:65535/", "http://a.b:/",
		"http://a.b/%41?x", "http://1.b/", "http://a-b.c-d/",
		"http://a.1b/" };

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		const char *fault = "untouched";

		assert_true(
		    uri_parse_http(octets(good[i]), false, NULL, &fault));
		assert_string_equal(fault, "untouched");
	}
}

static const struct {
	const char *text, *fault;
} bad_http[] = {
	{ "a.b/", "is no absolute URI with a host (RFC 3986, section 3)" },
	{ "ldap://a.b/", "has another scheme than http" },
	{ "https://a.b/", "has another scheme than http" },
	{ "httpx://a.b/", "has another scheme than http" },
	{ "htt://a.b/", "has another scheme than http" },
	{ "http://u@a.b/", "holds user information" },
	{ "http://@a.b/", "holds user information" },
	{ "http://a.b/#", "holds a fragment, which is never sent to a server" },
	{ "http://8.8.8.8/",
	    "names its host by an address instead of a domain name" },
	{ "http://134744072/",
	    "names its host by an address instead of a domain name" },
	{ "http://[2600::1]/",
	    "names its host by an address instead of a domain name" },
	{ "http://[]/",
	    "names its host by an address instead of a domain name" },
	{ "http://localhost/",
	    "names a host that is no fully qualified domain name" },
	{ "http://a.b./",
	    "names a host that is no fully qualified domain name" },
	{ "http://.a.b/",
	    "names a host that is no fully qualified domain name" },
	{ "http://a_b.c/",
	    "names a host that is no fully qualified domain name" },
	{ "http://%61.b/",
	    "names a host that is no fully qualified domain name" },
	{ "http://a.b:0/", "names a port outside of 1 to 65535" },
	{ "http://a.b:65536/", "names a port outside of 1 to 65535" },
	{ "http://a.b:99999999999999999999999/",
	    "names a port outside of 1 to 65535" },
};

static void
says_what_is_wrong_with_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad_http / sizeof *bad_http; i++) {
		const char *fault = NULL;

		assert_false(uri_parse_http(
		    octets(bad_http[i].text), false, NULL, &fault));
		assert_string_equal(fault, bad_http[i].fault);
	}
}

static void
accepts_https_where_asked(void **state)
{
	const char *fault = NULL;
	struct uri uri;

	(void)state;
	assert_true(
	    uri_parse_http(octets("HttpS://a.b/c"), true, &uri, &fault));
	assert_part(uri.host, "a.b");
	assert_true(uri_parse_http(octets("http://a.b/c"), true, &uri, &fault));
	assert_false(uri_parse_http(octets("ftp://a.b/"), true, &uri, &fault));
	assert_string_equal(fault, "has another scheme than http or https");
}

#define LABEL_63 \
	"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz12345678901"

static void
tells_ldh_names(void **state)
{
	static const char name_253[] =
	    LABEL_63 "." LABEL_63 "." LABEL_63 "."
		     "abcdefghijklmnopqrstuvwxyzabcd"
		     "efghijklmnopqrstuvwxyz123456789";

	(void)state;
	assert_int_equal(strlen(LABEL_63), 63);
	assert_int_equal(strlen(name_253), 253);
	assert_true(uri_is_ldh_name(octets("a"), 1));
	assert_false(uri_is_ldh_name(octets("a"), 2));
	assert_true(uri_is_ldh_name(octets("A-1.b"), 2));
	assert_true(uri_is_ldh_name(octets(name_253), 4));
	assert_true(uri_is_ldh_name(octets(LABEL_63 ".a"), 2));
	assert_false(uri_is_ldh_name(octets(LABEL_63 "2.a"), 2));
	assert_false(uri_is_ldh_name(octets("a." LABEL_63 "2"), 2));
	assert_false(uri_is_ldh_name(
	    octets(LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63), 1));
	assert_false(uri_is_ldh_name(octets(""), 0));
	assert_false(uri_is_ldh_name(octets("."), 1));
	assert_false(uri_is_ldh_name(octets("a."), 1));
	assert_false(uri_is_ldh_name(octets(".a"), 1));
	assert_false(uri_is_ldh_name(octets("a..b"), 1));
	assert_false(uri_is_ldh_name(octets("-a.b"), 1));
	assert_false(uri_is_ldh_name(octets("a-.b"), 1));
	assert_false(uri_is_ldh_name(octets("a.b\xc3\xa5"), 1));
	assert_false(uri_is_ldh_name(octets("*.b"), 1));
	assert_false(uri_is_ldh_name((struct der){ NULL, 0 }, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_uri_apart),
		cmocka_unit_test(tells_absent_parts_from_empty_ones),
		cmocka_unit_test(keeps_the_brackets_of_an_address),
		cmocka_unit_test(refuses_what_is_no_uri_with_a_host),
		cmocka_unit_test(refuses_a_nul),
		cmocka_unit_test(accepts_http),
		cmocka_unit_test(says_what_is_wrong_with_http),
		cmocka_unit_test(accepts_https_where_asked),
		cmocka_unit_test(tells_ldh_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
