/* GeneralNames: what they may be, and which lies within which subtree. */
#include <string.h>

#include "profiles/general-name.h"
#include "support.h"

struct fault_case {
	enum alt_type type;
	const char *text, *id; /* NULL: fine */
};

#define LABEL63 \
	"a23456789b123456789c123456789d123456789e123456789f123456789g123"

static const struct fault_case names[] = {
	{ ALT_DNS, "www.example.com", NULL },
	{ ALT_DNS, "localhost", NULL },
	{ ALT_DNS, "*.example.com", NULL },
	{ ALT_DNS, "xn--bcher-kva.example", NULL },
	{ ALT_DNS, LABEL63 ".example", NULL },
	{ ALT_DNS, LABEL63 "x.example", "DNS-SYNTAX" },
	{ ALT_DNS, "", "DNS-SYNTAX" },
	{ ALT_DNS, ".example.com", "DNS-SYNTAX" },
	{ ALT_DNS, "example.com.", "DNS-SYNTAX" },
	{ ALT_DNS, "a..example.com", "DNS-SYNTAX" },
	{ ALT_DNS, "-a.example.com", "DNS-SYNTAX" },
	{ ALT_DNS, "a-.example.com", "DNS-SYNTAX" },
	{ ALT_DNS, "a b.example.com", "DNS-SYNTAX" },
	{ ALT_DNS,
	    "b\xc3\xbc"
	    "cher.example",
	    "DNS-SYNTAX" },
	{ ALT_DNS, LABEL63 "." LABEL63 "." LABEL63 "." LABEL63, /* 255 octets */
	    "DNS-SYNTAX" },
	{ ALT_DNS, "a_b.example.com", "DNS-NO-UNDERSCORE" },
	{ ALT_DNS, "*", "DNS-WILDCARD-FORM" },
	{ ALT_DNS, "f*.example.com", "DNS-WILDCARD-FORM" },
	{ ALT_DNS, "a.*.example.com", "DNS-WILDCARD-FORM" },
	{ ALT_DNS, "*.*.example.com", "DNS-WILDCARD-FORM" },
	{ ALT_DNS, "ab--c.example.com", "DNS-LDH" },
	{ ALT_DNS, "example.ab--c", "DNS-LDH" },
	{ ALT_DNS, "192.0.2.1", "DNS-SYNTAX" },
	{ ALT_DNS, "*.0.2.1", "DNS-SYNTAX" },
	{ ALT_DNS, "7", "DNS-SYNTAX" },
	{ ALT_DNS, "7.example", NULL },
	{ ALT_DNS, "www.example7", NULL },
	{ ALT_IP, "192.0.2.1", NULL },
	{ ALT_IP, "2001:db8::1", NULL },
	{ ALT_IP, "192.0.2", "SAN-IP" },
	{ ALT_IP, "192.0.2.01", "SAN-IP" },
	{ ALT_IP, "2001:DB8::1", "SAN-IP" },
	{ ALT_IP, "2001:db8:0:0:0:0:0:1", "SAN-IP" },
	{ ALT_IP, "192.0.2.0/24", "SAN-IP" },
	{ ALT_EMAIL, "a.b+c@example.com", NULL },
	{ ALT_EMAIL, "example.com", "SM-SAN" },
	{ ALT_EMAIL, "@example.com", "SM-SAN" },
	{ ALT_EMAIL, ".a@example.com", "SM-SAN" },
	{ ALT_EMAIL, "a..b@example.com", "SM-SAN" },
	{ ALT_EMAIL, "a@b@example.com", "SM-SAN" },
	{ ALT_EMAIL, "a@*.example.com", "SM-SAN" },
	{ ALT_EMAIL, "Jane <a@example.com>", "SM-SAN" },
	{ ALT_EMAIL, "\xc3\xbc@example.com", "NAM-IDN" },
	{ ALT_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", NULL },
	{ ALT_URI, "https://example.com/x?y", NULL },
	{ ALT_URI, "example.com/x", "PROFILE-SAN" },
	{ ALT_URI, "http:", "PROFILE-SAN" },
	{ ALT_URI, "1http://example.com", "PROFILE-SAN" },
	{ ALT_URI, "http://example.com/a b", "PROFILE-SAN" },
	{ ALT_URI, "http://", "PROFILE-SAN" },
	{ ALT_URI, "http:///x", "PROFILE-SAN" },
	{ ALT_URI, "http://?x", "PROFILE-SAN" },
	{ ALT_URI, "http://user@", "PROFILE-SAN" },
	{ ALT_URI, "http://:80/x", "PROFILE-SAN" },
	{ ALT_URI, "http://example.com/%", "PROFILE-SAN" },
	{ ALT_URI, "http://example.com/%2", "PROFILE-SAN" },
	{ ALT_URI, "http://example.com/%2x", "PROFILE-SAN" },
	{ ALT_URI, "http://example.com/%20", NULL },
	{ ALT_URI, "https://user@example.com?a@b", NULL },
	{ ALT_URI, "https://[2001:db8::1]/x", NULL },
};

static void
test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct alt_name name = { names[i].type, names[i].text };
		const struct name_fault *fault = alt_name_fault(&name);

		if (names[i].id == NULL && fault != NULL)
			fail_msg("'%s': %s", name.value, fault->text);
		if (names[i].id != NULL && fault == NULL)
			fail_msg("'%s' is taken", name.value);
		if (fault != NULL)
			assert_string_equal(fault->id, names[i].id);
	}
}

static const struct fault_case subtrees[] = {
	{ ALT_DNS, "example.com", NULL },
	{ ALT_DNS, "", NULL },
	{ ALT_DNS, ".example.com", "NC-DNS-FORM" },
	{ ALT_DNS, "*.example.com", "NC-DNS-FORM" },
	{ ALT_DNS, "192.0.2.1", "NC-DNS-FORM" },
	{ ALT_DNS, "example.com.", "NC-DNS-FORM" },
	{ ALT_IP, "192.0.2.0/24", NULL },
	{ ALT_IP, "192.0.2.1/32", NULL },
	{ ALT_IP, "0.0.0.0/0", NULL },
	{ ALT_IP, "2001:db8::/32", NULL },
	{ ALT_IP, "192.0.2.1/24", "NC-IP-FORM" },
	{ ALT_IP, "192.0.2.0", "NC-IP-FORM" },
	{ ALT_IP, "192.0.2.0/33", "NC-IP-FORM" },
	{ ALT_IP, "192.0.2.0/024", "NC-IP-FORM" },
	{ ALT_IP, "192.0.2.0/255.255.255.0", "NC-IP-FORM" },
	{ ALT_IP, "2001:db8::1/32", "NC-IP-FORM" },
	{ ALT_EMAIL, "example.com", NULL },
	{ ALT_EMAIL, ".example.com", NULL },
	{ ALT_EMAIL, "a@example.com", NULL },
	{ ALT_EMAIL, "@example.com", "SM-SAN" },
	{ ALT_EMAIL, "*.example.com", "NC-TYPES" },
	{ ALT_URI, ".example.com", NULL },
	{ ALT_URI, "https://example.com", "NC-TYPES" },
};

static void
test_subtrees(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof subtrees / sizeof subtrees[0]; i++) {
		const struct name_fault *fault =
		    subtree_fault(subtrees[i].type, subtrees[i].text);

		if ((fault == NULL) != (subtrees[i].id == NULL))
			fail_msg("'%s'", subtrees[i].text);
		if (fault != NULL)
			assert_string_equal(fault->id, subtrees[i].id);
	}
}

static const struct {
	enum alt_type type;
	const char *base, *name;
	bool within;
} within[] = {
	{ ALT_DNS, "example.com", "example.com", true },
	{ ALT_DNS, "example.com", "WWW.Example.COM", true },
	{ ALT_DNS, "example.com", "*.example.com", true },
	{ ALT_DNS, "", "example.com", true },
	{ ALT_DNS, "example.com", "badexample.com", false },
	{ ALT_DNS, "example.com", "com", false },
	{ ALT_DNS, "www.example.com", "*.example.com", false },
	{ ALT_DNS, "example.com", "example.com.evil.org", false },
	{ ALT_IP, "192.0.2.0/24", "192.0.2.77", true },
	{ ALT_IP, "192.0.2.0/24", "192.0.3.77", false },
	{ ALT_IP, "2001:db8::/33", "2001:db8:7fff::1", true },
	{ ALT_IP, "2001:db8::/33", "2001:db8:8000::1", false },
	{ ALT_IP, "0.0.0.0/0", "2001:db8::1", false },
	{ ALT_EMAIL, "example.com", "a@example.com", true },
	{ ALT_EMAIL, "example.com", "a@EXAMPLE.com", true },
	{ ALT_EMAIL, "example.com", "a@mail.example.com", false },
	{ ALT_EMAIL, ".example.com", "a@mail.example.com", true },
	{ ALT_EMAIL, ".example.com", "a@example.com", false },
	{ ALT_EMAIL, "a@example.com", "a@example.COM", true },
	{ ALT_EMAIL, "a@example.com", "A@example.com", false },
	{ ALT_EMAIL, "a@example.com", "b@example.com", false },
	{ ALT_URI, "example.com", "https://example.com:8443/x", true },
	{ ALT_URI, "example.com", "https://u@example.com/x", true },
	{ ALT_URI, ".example.com", "https://www.example.com?x", true },
	{ ALT_URI, "example.com", "https://www.example.com/", false },
	{ ALT_URI, "example.com", "https://evil.org/@example.com", false },
	{ ALT_URI, "example.com", "urn:example.com", false },
};

static void
test_within(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof within / sizeof within[0]; i++) {
		const struct alt_name text = { within[i].type, within[i].name };
		AUTO(GENERAL_NAME) *base =
		    general_name_of_subtree(within[i].type, within[i].base);
		AUTO(GENERAL_NAME) *name = general_name_new(&text);

		assert_non_null(base);
		assert_non_null(name);
		if (name_is_within(base, name) != within[i].within)
			fail_msg("'%s' and '%s'", within[i].base, text.value);
	}
}

/* Subtrees within subtrees: a range in a wider one, and not the reverse. */
static void
test_ranges(void **state)
{
	AUTO(GENERAL_NAME) *wide =
	    general_name_of_subtree(ALT_IP, "192.0.0.0/16");
	AUTO(GENERAL_NAME) *narrow =
	    general_name_of_subtree(ALT_IP, "192.0.2.0/24");
	AUTO(GENERAL_NAME) *six = general_name_of_subtree(ALT_IP, "::/0");
	AUTO(GENERAL_NAME) *dns =
	    general_name_of_subtree(ALT_DNS, "example.com");

	(void)state;
	assert_true(name_is_within(wide, narrow));
	assert_false(name_is_within(narrow, wide));
	assert_false(name_is_within(six, narrow));
	assert_false(name_is_within(wide, dns));
}

static X509_NAME *
directory(const char *organization, const char *unit)
{
	X509_NAME *name = X509_NAME_new();
	const char *const values[] = { organization, unit };
	const char *const types[] = { "O", "OU" };

	for (size_t i = 0; i < 2 && values[i] != NULL; i++)
		assert_int_equal(
		    X509_NAME_add_entry_by_txt(name, types[i], MBSTRING_UTF8,
			(const unsigned char *)values[i], -1, -1, 0),
		    1);
	return name;
}

static void
test_directories(void **state)
{
	AUTO(X509_NAME) *short_name = directory("Example", NULL);
	AUTO(X509_NAME) *long_name = directory("EXAMPLE", "Mail");
	AUTO(X509_NAME) *other_name = directory("Example Two", "Mail");
	AUTO(GENERAL_NAME) *base = general_name_of_directory(short_name);
	AUTO(GENERAL_NAME) *inner = general_name_of_directory(long_name);
	AUTO(GENERAL_NAME) *other = general_name_of_directory(other_name);

	(void)state;
	assert_true(name_is_within(base, base));
	assert_true(name_is_within(base, inner));
	assert_false(name_is_within(inner, base));
	assert_false(name_is_within(base, other));
}

/* A wildcard names hosts that an excluded subtree may hold. */
static void
test_barred(void **state)
{
	AUTO(NAME_CONSTRAINTS) *nc = NAME_CONSTRAINTS_new();
	GENERAL_SUBTREE *subtree = GENERAL_SUBTREE_new();
	static const struct {
		const char *name;
		bool barred;
	} cases[] = {
		{ "www.example.com", true },
		{ "a.www.example.com", true },
		{ "*.example.com", true },
		{ "*.www.example.com", true },
		{ "mail.example.com", false },
		{ "example.com", false },
	};

	(void)state;
	GENERAL_NAME_free(subtree->base);
	subtree->base = general_name_of_subtree(ALT_DNS, "www.example.com");
	nc->excludedSubtrees = sk_GENERAL_SUBTREE_new_null();
	assert_true(sk_GENERAL_SUBTREE_push(nc->excludedSubtrees, subtree) > 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct alt_name text = { ALT_DNS, cases[i].name };
		AUTO(GENERAL_NAME) *name = general_name_new(&text);

		if ((name_is_barred(nc, name) != NULL) != cases[i].barred)
			fail_msg("'%s'", cases[i].name);
	}
}

static STACK_OF(GENERAL_SUBTREE) *
one_subtree(const char *host)
{
	STACK_OF(GENERAL_SUBTREE) *list = sk_GENERAL_SUBTREE_new_null();
	GENERAL_SUBTREE *subtree = GENERAL_SUBTREE_new();

	GENERAL_NAME_free(subtree->base);
	subtree->base = general_name_of_subtree(ALT_URI, host);
	assert_true(sk_GENERAL_SUBTREE_push(list, subtree) > 0);
	return list;
}

/* A URI without a domain name is refused under any limit on URIs. */
static void
test_barred_uris(void **state)
{
	static const struct {
		const char *name;
		bool excluded, permitted; /* barred by such a list? */
	} cases[] = {
		{ "https://www.example.org/", false, true },
		{ "https://www.example.com/", true, false },
		{ "https://WWW.EXAMPLE.COM/", true, false },
		{ "https://www.example.com./", true, true },
		{ "https://%77ww.example.com/", true, true },
		{ "https://192.0.2.1/", true, true },
		{ "https://[2001:db8::1]/", true, true },
		{ "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(NAME_CONSTRAINTS) *out = NAME_CONSTRAINTS_new();
		AUTO(NAME_CONSTRAINTS) *in = NAME_CONSTRAINTS_new();
		AUTO(NAME_CONSTRAINTS) *none = NAME_CONSTRAINTS_new();
		const struct alt_name text = { ALT_URI, cases[i].name };
		AUTO(GENERAL_NAME) *name = general_name_new(&text);

		out->excludedSubtrees = one_subtree("www.example.com");
		in->permittedSubtrees = one_subtree("www.example.com");
		assert_null(alt_name_fault(&text));
		assert_null(name_is_barred(none, name));
		if ((name_is_barred(out, name) != NULL) != cases[i].excluded ||
		    (name_is_barred(in, name) != NULL) != cases[i].permitted)
			fail_msg("'%s'", cases[i].name);
	}
}

static void
test_describe(void **state)
{
	static const struct {
		enum alt_type type;
		const char *text, *said;
	} cases[] = {
		{ ALT_DNS, "example.com", "dns:example.com" },
		{ ALT_IP, "192.0.2.0/24", "ip:192.0.2.0/24" },
		{ ALT_IP, "2001:db8::/32", "ip:2001:db8::/32" },
		{ ALT_EMAIL, ".example.com", "email:.example.com" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(GENERAL_NAME) *name =
		    general_name_of_subtree(cases[i].type, cases[i].text);
		AUTO_CHARS(said) = general_name_describe(name);

		assert_string_equal(said, cases[i].said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_subtrees),
		cmocka_unit_test(test_within),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_barred),
		cmocka_unit_test(test_barred_uris),
		cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
