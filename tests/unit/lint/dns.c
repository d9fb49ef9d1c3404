#include "profiles/lint/dns.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

static enum dns_fault
check(const char *name, unsigned aspects)
{
	return dns_check(
	    (struct der){ (const unsigned char *)name, strlen(name) }, aspects);
}

struct row {
	const char *name;
	enum dns_fault fault;
};

static void
expect(const struct row *rows, size_t count, unsigned aspects)
{
	for (size_t i = 0; i < count; i++)
		if (check(rows[i].name, aspects) != rows[i].fault)
			fail_msg("'%s' %s", rows[i].name,
			    dns_fault_text(check(rows[i].name, aspects)));
}
#define EXPECT(rows, aspects) \
	expect((rows), sizeof(rows) / sizeof *(rows), (aspects))

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L49 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
/* 253 octets */
#define FULL L63 "." L63 "." L63 "." L49 ".example.com"

static void
holds_names_against_the_syntax(void **state)
{
	static const struct row rows[] = {
		{ "www.example.com", DNS_FINE },
		{ "WWW.Example.com", DNS_FINE },
		{ "*.example.com", DNS_FINE },
		{ "1.2-3.a", DNS_FINE },
		{ "a", DNS_FINE },
		{ L63 ".com", DNS_FINE },
		{ FULL, DNS_FINE },
		{ "a" FULL, DNS_TOO_LONG },
		{ "", DNS_EMPTY },
		{ L63 "a.com", DNS_LABEL_TOO_LONG },
		{ ".a", DNS_LEADING_DOT },
		{ "a.", DNS_TRAILING_DOT },
		{ "a..b", DNS_EMPTY_LABEL },
		{ "-a.b", DNS_HYPHEN_AT_END },
		{ "a.b-", DNS_HYPHEN_AT_END },
		{ "a-.b", DNS_HYPHEN_AT_END },
		{ "a b", DNS_BLANK },
		{ "a\tb", DNS_BLANK },
		{ "a\nb", DNS_BLANK },
		{ "a\x7f", DNS_BAD_CHARACTER },
		{ "a\x01", DNS_BAD_CHARACTER },
		{ "a@b", DNS_BAD_CHARACTER },
		{ "*", DNS_BAD_CHARACTER },
		{ "*.", DNS_BAD_CHARACTER },
		{ "a*.b", DNS_BAD_CHARACTER },
		{ "*.*.b", DNS_BAD_CHARACTER },
		{ "a_b.c", DNS_UNDERSCORE },
		{ "?.c", DNS_REDACTED },
		{ "b\xc3\xbc.c", DNS_NOT_ASCII },
		{ "b\x80.c", DNS_NOT_ASCII },
	};
	static const unsigned char nul[] = "a.example.com\0.b.com";

	(void)state;
	assert_int_equal(strlen(FULL), DNS_NAME_MAX);
	EXPECT(rows, DNS_ASPECT_SYNTAX);
	assert_int_equal(
	    dns_check((struct der){ nul, sizeof nul - 1 }, DNS_ASPECT_SYNTAX),
	    DNS_NUL);
	assert_int_equal(
	    dns_check((struct der){ NULL, 0 }, DNS_PUBLIC_HOST), DNS_EMPTY);
}

static void
holds_labels_against_idna(void **state)
{
	static const struct row rows[] = {
		{ "xn--bcher-kva.com", DNS_FINE },
		{ "XN--BCHER-KVA.com", DNS_FINE },
		{ "a.xn--fiqs8s", DNS_FINE },
		{ "a-b--c.com", DNS_FINE },
		{ "*.xn--bcher-kva.com", DNS_FINE },
		{ "ab--c.com", DNS_RESERVED_LABEL },
		{ "a--.com", DNS_FINE },
		{ "ab--.com", DNS_RESERVED_LABEL },
		{ "*.ab--c.com", DNS_RESERVED_LABEL },
		{ "xn--.com", DNS_BAD_PUNYCODE },
		{ "xn--abc-.com", DNS_BAD_PUNYCODE },
		{ "xn--zz99zzz9.com", DNS_BAD_PUNYCODE },
		{ "xn--bcher-kv.com", DNS_BAD_PUNYCODE },
		{ "xn--ls8h.com", DNS_NOT_IDNA },
		{ "xn--u-ccb.com", DNS_NOT_IDNA },
		{ "a.b.xn--ls8h", DNS_NOT_IDNA },
	};

	(void)state;
	EXPECT(rows, DNS_ASPECT_LDH);
}

static void
sees_where_an_asterisk_stands(void **state)
{
	static const struct row form[] = {
		{ "*.example.com", DNS_FINE },
		{ "example.com", DNS_FINE },
		{ "*", DNS_WILDCARD_PLACE },
		{ "*.", DNS_WILDCARD_PLACE },
		{ "f*.a.com", DNS_WILDCARD_PLACE },
		{ "*f.a.com", DNS_WILDCARD_PLACE },
		{ "*.*.a.com", DNS_WILDCARD_PLACE },
		{ "a.*.com", DNS_WILDCARD_PLACE },
	};
	static const struct row none[] = {
		{ "example.com", DNS_FINE },
		{ "*.example.com", DNS_WILDCARD },
		{ "a*.example.com", DNS_WILDCARD },
	};

	(void)state;
	EXPECT(form, DNS_ASPECT_WILDCARD_FORM);
	EXPECT(none, DNS_ASPECT_NO_WILDCARD);
}

static void
knows_public_suffixes(void **state)
{
	static const struct row wildcards[] = {
		{ "*.example.com", DNS_FINE },
		{ "*.github.io", DNS_FINE }, /* of the private section */
		{ "*.www.ck", DNS_FINE },    /* an exception of *.ck */
		{ "*.city.kawasaki.jp", DNS_FINE },
		{ "*.unknown-tld", DNS_FINE },
		{ "co.uk", DNS_FINE },
		{ "*.co.uk", DNS_WILDCARD_ON_SUFFIX },
		{ "*.CO.Uk", DNS_WILDCARD_ON_SUFFIX },
		{ "*.com", DNS_WILDCARD_ON_SUFFIX },
		{ "*.ck", DNS_WILDCARD_ON_SUFFIX },
		{ "*.foo.ck", DNS_WILDCARD_ON_SUFFIX },
		{ "*.x.kawasaki.jp", DNS_WILDCARD_ON_SUFFIX },
		{ "*.xn--p1ai", DNS_WILDCARD_ON_SUFFIX },
	};
	static const struct row bare[] = {
		{ "example.com", DNS_FINE },
		{ "github.io", DNS_FINE },
		{ "unknown-tld", DNS_FINE },
		{ "com", DNS_BARE_SUFFIX },
		{ "Co.Uk", DNS_BARE_SUFFIX },
		{ "foo.ck", DNS_BARE_SUFFIX },
	};

	(void)state;
	EXPECT(wildcards, DNS_ASPECT_WILDCARD_SUFFIX);
	EXPECT(bare, DNS_ASPECT_NOT_SUFFIX);
}

/* ap.gbl: a suffix by the list's default rule, and yet none. */
static void
knows_top_level_domains(void **state)
{
	static const struct row rows[] = {
		{ "www.example.com", DNS_FINE },
		{ "*.example.com", DNS_FINE },
		{ "*.com", DNS_FINE },
		{ "a.ck", DNS_FINE },
		{ "a.xn--p1ai", DNS_FINE },
		{ "A.ORG", DNS_FINE },
		{ "com", DNS_SINGLE_LABEL },
		{ "localhost", DNS_SINGLE_LABEL },
		{ "ap.gbl", DNS_UNKNOWN_TLD },
		{ "www.ap.gbl", DNS_UNKNOWN_TLD },
		{ "*.ap.gbl", DNS_UNKNOWN_TLD },
		{ "a.local", DNS_UNKNOWN_TLD },
		{ "a.internal", DNS_UNKNOWN_TLD },
		{ "a.test", DNS_UNKNOWN_TLD },
		{ "com.gbl", DNS_UNKNOWN_TLD },
		{ "192.0.2.1", DNS_UNKNOWN_TLD },
		{ "a.com.", DNS_UNKNOWN_TLD },
	};

	(void)state;
	EXPECT(rows, DNS_ASPECT_TLD);
}

/* The address of the Tor Project, and it spoilt. */
#define ONION "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"

static void
computes_onion_checksums(void **state)
{
	static const struct row rows[] = {
		{ ONION ".onion", DNS_FINE },
		{ "www." ONION ".onion", DNS_FINE },
		{ "*." ONION ".onion", DNS_FINE },
		{ ONION ".com", DNS_FINE },
		{ "onion.com", DNS_FINE },
		{ "onion", DNS_ONION_VERSION },
		{ "a.onion", DNS_ONION_VERSION },
		{ "x" ONION ".onion", DNS_ONION_VERSION },
		{ ONION "a.onion", DNS_ONION_VERSION },
		{ "facebookcorewwwi.onion", DNS_ONION_VERSION },
		/* base32 has no 1 */
		{ "1gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
		  ".onion",
		    DNS_ONION_VERSION },
		/* version 2 */
		{ "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wic"
		  ".onion",
		    DNS_ONION_VERSION },
		/* another key, another checksum */
		{ "3gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
		  ".onion",
		    DNS_ONION_CHECKSUM },
		{ "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen54wid"
		  ".onion",
		    DNS_ONION_CHECKSUM },
	};

	(void)state;
	EXPECT(rows, DNS_ASPECT_ONION);
}

static void
refuses_infrastructure(void **state)
{
	static const struct row rows[] = {
		{ "arpa.com", DNS_FINE },
		{ "a.xarpa", DNS_FINE },
		{ "1.2.in-addr.arpa", DNS_REVERSE_ZONE },
		{ "IP6.ARPA", DNS_REVERSE_ZONE },
		{ "xin-addr.arpa", DNS_ARPA },
		{ "arpa", DNS_ARPA },
		{ "*.home.arpa", DNS_ARPA },
	};
	static const struct row host[] = {
		{ "ca.example.com", DNS_FINE },
		{ "*.example.com", DNS_WILDCARD },
		{ "a_b.example.com", DNS_UNDERSCORE },
		{ "ca.local", DNS_UNKNOWN_TLD },
		{ "ca", DNS_SINGLE_LABEL },
		{ "1.in-addr.arpa", DNS_REVERSE_ZONE },
		{ "a.onion", DNS_ONION_VERSION },
		{ "aa--b.com", DNS_RESERVED_LABEL },
	};

	(void)state;
	EXPECT(rows, DNS_ASPECT_ARPA);
	EXPECT(host, DNS_PUBLIC_HOST);
}

static bool
under(const char *name, const char *base)
{
	return dns_is_under(
	    (struct der){ (const unsigned char *)name, strlen(name) },
	    (struct der){ (const unsigned char *)base, strlen(base) });
}

static void
compares_by_labels(void **state)
{
	(void)state;
	assert_true(under("www.Example.com", "example.COM"));
	assert_true(under("example.com", "example.com"));
	assert_true(under("anything", ""));
	assert_false(under("notexample.com", "example.com"));
	assert_false(under("example.com", "www.example.com"));
	assert_false(under("", "com"));
}

/* Every fault has its words; the data are named. */
static void
says_what_it_means(void **state)
{
	char *text = NULL;

	(void)state;
	for (int fault = 0; fault < DNS_FAULT_COUNT; fault++)
		assert_non_null(dns_fault_text((enum dns_fault)fault));
	assert_int_equal(dns_data_version(&text), 0);
	assert_non_null(strstr(text, "public suffix list of 20"));
	assert_non_null(strstr(text, "libidn2 "));
	assert_true(
	    strstr(text, ", sha256 ") != NULL || strstr(text, "sha1 ") != NULL);
	free(text);
}

static void *
look_up(void *arg)
{
	for (int i = 0; i < 200; i++)
		if (check("www.example.com", DNS_PUBLIC_HOST) != DNS_FINE ||
		    check("www.ap.gbl", DNS_PUBLIC_HOST) != DNS_UNKNOWN_TLD)
			return NULL;
	return arg; /* as it should be */
}

static void
serves_several_threads(void **state)
{
	pthread_t threads[4];
	void *done;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, look_up, state), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_ptr_equal(done, state);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		/* first, so that the list is not loaded yet */
		cmocka_unit_test(serves_several_threads),
		cmocka_unit_test(holds_names_against_the_syntax),
		cmocka_unit_test(holds_labels_against_idna),
		cmocka_unit_test(sees_where_an_asterisk_stands),
		cmocka_unit_test(knows_public_suffixes),
		cmocka_unit_test(knows_top_level_domains),
		cmocka_unit_test(computes_onion_checksums),
		cmocka_unit_test(refuses_infrastructure),
		cmocka_unit_test(compares_by_labels),
		cmocka_unit_test(says_what_it_means),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
