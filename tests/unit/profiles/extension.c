/* Extensions, octet for octet (rules.md, appendix A). */
#include "profiles/extension.h"

#include <string.h>

#include "base/text.h"
#include "profiles/general-name.h"
#include "support.h"

static const unsigned char key_id[20] = { 0xab, 1, 2, 3 };
static const char *const urls[3] = { "http://c.example/r.crl",
	"http://c.example/r.cer", "http://o.example/" };

struct vector {
	const char *profile, *from, *to;
	enum extension_id id;
	const char *hex;
	enum key_family family;
	bool subject_empty;
};

#define KU "usages: [key-cert-sign, crl-sign]"
#define EKU "[server-auth, client-auth]"
#define ID "ab01020300000000000000000000000000000000"
#define ZEROS "00000000000000000000000000000000"
#define BASE "extensions:\n"
/* "http://c.example/r.crl" as a distribution point's fullName */
#define FULL_NAME "a01aa0188616687474703a2f2f632e6578616d706c652f722e63726c"
/* One more row of allow-lint, which stands before the extensions. */
#define ABOVE "\nextensions:\n"
#define ALLOW "  - {id: SUB-NO-OTHER, reason: policies of two PKIs}\n" ABOVE

static const struct vector vectors[] = {
	{ "root", NULL, NULL, EXT_KEY_USAGE, "300e0603551d0f0101ff040403020106",
	    KEY_RSA, false },
	{ "root", KU, "usages: [crl-sign, digital-signature, key-cert-sign]",
	    EXT_KEY_USAGE, "300e0603551d0f0101ff040403020186", KEY_RSA, false },
	{ "ocsp-responder", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff040403020780", KEY_RSA, false },
	{ "root", NULL, NULL, EXT_BASIC_CONSTRAINTS,
	    "300f0603551d130101ff040530030101ff", KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_BASIC_CONSTRAINTS,
	    "30120603551d130101ff040830060101ff020100", KEY_RSA, false },
	{ "issuing-ca", "path-length: 0", "path-length: 1",
	    EXT_BASIC_CONSTRAINTS, "30120603551d130101ff040830060101ff020101",
	    KEY_RSA, false },
	{ "ocsp-responder", "extensions:\n",
	    "extensions:\n  basic-constraints: {critical: yes, ca: no}\n",
	    EXT_BASIC_CONSTRAINTS, "300c0603551d130101ff04023000", KEY_RSA,
	    false },
	{ "issuing-ca", EKU, "[server-auth]", EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070301", KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_EXTENDED_KEY_USAGE,
	    "301d0603551d250416301406082b0601050507030106082b060105050703"
	    "02",
	    KEY_RSA, false },
	{ "ocsp-responder", NULL, NULL, EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070309", KEY_RSA, false },
	{ "issuing-ca", EKU, "[1.3.6.1.5.5.7.3.4]", EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070304", KEY_RSA, false },
	{ "ocsp-responder", NULL, NULL, EXT_OCSP_NOCHECK,
	    "300f06092b060105050730010504020500", KEY_RSA, false },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.2.1]",
	    EXT_CERTIFICATE_POLICIES,
	    "30130603551d20040c300a3008060667810c010201", KEY_RSA, false },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.1]",
	    EXT_CERTIFICATE_POLICIES,
	    "30120603551d20040b30093007060567810c0101", KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_CERTIFICATE_POLICIES,
	    "30110603551d20040a300830060604551d2000", KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_AUTHORITY_KEY_IDENTIFIER,
	    "301f0603551d23041830168014" ID, KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_SUBJECT_KEY_IDENTIFIER,
	    "301d0603551d0e04160414" ID, KEY_RSA, false },
	{ "ca-crl", NULL, NULL, EXT_CRL_NUMBER, "300a0603551d140403020101",
	    KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_CRL_DISTRIBUTION_POINTS,
	    "30270603551d1f0420301e301ca01aa0188616687474703a2f2f632e6578616d"
	    "706c652f722e63726c",
	    KEY_RSA, false },
	{ "issuing-ca", NULL, NULL, EXT_AUTHORITY_INFORMATION_ACCESS,
	    "303206082b0601050507010104263024302206082b060105050730028616687474"
	    "703a2f2f632e6578616d706c652f722e636572",
	    KEY_RSA, false },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.2.2]",
	    EXT_CERTIFICATE_POLICIES,
	    "30130603551d20040c300a3008060667810c010202", KEY_RSA, false },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.2.3]",
	    EXT_CERTIFICATE_POLICIES,
	    "30130603551d20040c300a3008060667810c010203", KEY_RSA, false },
	{ "issuing-ca", "[any-policy]",
	    "[any-policy]\n    cps: [{policy: any-policy, url: "
	    "\"http://c.example/\"}]",
	    EXT_CERTIFICATE_POLICIES,
	    "30320603551d20042b302930270604551d2000301f301d06082b06010505070201"
	    "1611687474703a2f2f632e6578616d706c652f",
	    KEY_RSA, false },
	{ "tls-server", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff0404030205a0", KEY_RSA, false },
	{ "tls-server", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff040403020780", KEY_EC, false },
	{ "smime", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff040403020388", KEY_EC, false },
	{ "smime", NULL, NULL, EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070304", KEY_RSA, false },
	{ "tls-server", NULL, NULL, EXT_SUBJECT_ALTERNATIVE_NAME,
	    "301a0603551d110413301182"
	    "09612e6578616d706c658704c0000201",
	    KEY_RSA, false },
	{ "tls-server", NULL, NULL, EXT_SUBJECT_ALTERNATIVE_NAME,
	    "301d0603551d110101ff0413301182"
	    "09612e6578616d706c658704c0000201",
	    KEY_EC, true },
	{ "code-signing", "critical: no\n    purposes: [code-signing]",
	    "critical: yes\n    purposes: [time-stamping]",
	    EXT_EXTENDED_KEY_USAGE,
	    "30160603551d250101ff040c300a06082b06010505070308", KEY_RSA,
	    false },
	{ "issuing-ca", BASE,
	    BASE
	    "  name-constraints:\n    critical: yes\n    permitted: [{dns: "
	    "example.com}]\n    excluded: [{ip: 0.0.0.0/0}, {ip: "
	    "\"::/0\"}]\n",
	    EXT_NAME_CONSTRAINTS,
	    "304f0603551d1e0101ff0445"
	    "3043a00f300d820b6578616d706c652e636f6da130300a87080000000000000000"
	    "30228720" ZEROS ZEROS,
	    KEY_RSA, false },
	{ "issuing-ca", BASE,
	    BASE "  name-constraints:\n    critical: yes\n    excluded: [{dns: "
		 "\"\"}, {ip: 0.0.0.0/0}, {ip: \"::/0\"}]\n",
	    EXT_NAME_CONSTRAINTS,
	    "30420603551d1e0101ff0438"
	    "3036a13430028200300a8708000000000000000030228720" ZEROS ZEROS,
	    KEY_RSA, false },
	{ "issuing-ca", ABOVE,
	    ALLOW "  policy-constraints: {critical: yes, "
		  "require-explicit-policy: 0}\n",
	    EXT_POLICY_CONSTRAINTS, "300f0603551d240101ff04053003800100",
	    KEY_RSA, false },
	{ "issuing-ca", ABOVE,
	    ALLOW "  policy-constraints: {critical: yes, "
		  "inhibit-policy-mapping: 2}\n",
	    EXT_POLICY_CONSTRAINTS, "300f0603551d240101ff04053003810102",
	    KEY_RSA, false },
	{ "issuing-ca", ABOVE,
	    ALLOW "  inhibit-any-policy: {critical: yes, skip: 0}\n",
	    EXT_INHIBIT_ANY_POLICY, "300d0603551d360101ff0403020100", KEY_RSA,
	    false },
	{ "crl-ca-only", NULL, NULL, EXT_ISSUING_DISTRIBUTION_POINT,
	    "302b0603551d1c0101ff0421301f" FULL_NAME "8201ff", KEY_RSA, false },
	{ "crl-partition", NULL, NULL, EXT_ISSUING_DISTRIBUTION_POINT,
	    "302b0603551d1c0101ff0421301f" FULL_NAME "8101ff", KEY_RSA, false },
	{ "crl-partition", "only: yes", "only: no",
	    EXT_ISSUING_DISTRIBUTION_POINT,
	    "30280603551d1c0101ff041e301c" FULL_NAME, KEY_RSA, false },
};

/* How many of the profile's extensions come before this one. */
static int
position(STACK_OF(X509_EXTENSION) *list, enum extension_id id)
{
	static const int nids[EXT_COUNT] = {
		[EXT_BASIC_CONSTRAINTS] = NID_basic_constraints,
		[EXT_KEY_USAGE] = NID_key_usage,
		[EXT_EXTENDED_KEY_USAGE] = NID_ext_key_usage,
		[EXT_CERTIFICATE_POLICIES] = NID_certificate_policies,
		[EXT_POLICY_MAPPINGS] = NID_policy_mappings,
		[EXT_NAME_CONSTRAINTS] = NID_name_constraints,
		[EXT_POLICY_CONSTRAINTS] = NID_policy_constraints,
		[EXT_INHIBIT_ANY_POLICY] = NID_inhibit_any_policy,
		[EXT_SUBJECT_ALTERNATIVE_NAME] = NID_subject_alt_name,
		[EXT_CRL_DISTRIBUTION_POINTS] = NID_crl_distribution_points,
		[EXT_AUTHORITY_INFORMATION_ACCESS] = NID_info_access,
		[EXT_OCSP_NOCHECK] = NID_id_pkix_OCSP_noCheck,
		[EXT_SUBJECT_KEY_IDENTIFIER] = NID_subject_key_identifier,
		[EXT_AUTHORITY_KEY_IDENTIFIER] = NID_authority_key_identifier,
		[EXT_CRL_NUMBER] = NID_crl_number,
		[EXT_ISSUING_DISTRIBUTION_POINT] =
		    NID_issuing_distribution_point,
	};

	return X509v3_get_ext_by_NID(list, nids[id], -1);
}

static STACK_OF(X509_EXTENSION) *
build_for(
    const struct profile *profile, enum key_family family, bool subject_empty)
{
	static const struct alt_name names[] = {
		{ ALT_DNS, "a.example" },
		{ ALT_IP, "192.0.2.1" },
	};
	AUTO(GENERAL_NAMES) *alt_names = NULL;
	struct extension_values values = {
		.family = family,
		.subject_empty = subject_empty,
		.ski = key_id,
		.ski_len = sizeof key_id,
		.aki = key_id,
		.aki_len = sizeof key_id,
		.url = urls,
		.crl_number = 1,
		.distribution_url = urls[0],
	};
	STACK_OF(X509_EXTENSION) *list = NULL;

	assert_int_equal(general_names_new(names, 2, &alt_names), 0);
	values.alt_names = alt_names;
	assert_int_equal(extensions_build(profile, &values, &list), 0);
	return list;
}

static STACK_OF(X509_EXTENSION) *
build(const struct profile *profile)
{
	return build_for(profile, KEY_RSA, false);
}

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		AUTO_PTR(profile) *profile = load(v->profile, v->from, v->to);
		STACK_OF(X509_EXTENSION) *list =
		    build_for(profile, v->family, v->subject_empty);
		int at = position(list, v->id);
		AUTO_DER(der) = NULL;
		AUTO_CHARS(hex) = NULL;
		int len;

		assert_true(at >= 0);
		len =
		    i2d_X509_EXTENSION(sk_X509_EXTENSION_value(list, at), &der);
		assert_true(len > 0);
		hex = text_hex(der, (size_t)len);
		assert_string_equal(hex, v->hex);
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	}
}

/* Only what the profile lists, in the order of the table. */
static void
test_order(void **state)
{
	static const enum extension_id order[] = { EXT_BASIC_CONSTRAINTS,
		EXT_KEY_USAGE, EXT_EXTENDED_KEY_USAGE, EXT_CERTIFICATE_POLICIES,
		EXT_CRL_DISTRIBUTION_POINTS, EXT_AUTHORITY_INFORMATION_ACCESS,
		EXT_SUBJECT_KEY_IDENTIFIER, EXT_AUTHORITY_KEY_IDENTIFIER };
	AUTO_PTR(profile) *profile = load("issuing-ca", NULL, NULL);
	STACK_OF(X509_EXTENSION) *list = build(profile);

	(void)state;
	assert_int_equal(sk_X509_EXTENSION_num(list), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(position(list, order[i]), i);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

static void
test_both_methods(void **state)
{
	AUTO_PTR(profile) *profile =
	    load("issuing-ca", "[ca-issuers]", "[ocsp, ca-issuers]");
	STACK_OF(X509_EXTENSION) *list = build(profile);
	AUTHORITY_INFO_ACCESS *aia =
	    X509V3_get_d2i(list, NID_info_access, NULL, NULL);

	(void)state;
	assert_int_equal(sk_ACCESS_DESCRIPTION_num(aia), 2);
	assert_int_equal(
	    OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(aia, 0)->method),
	    NID_ad_ca_issuers);
	assert_int_equal(
	    OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(aia, 1)->method),
	    NID_ad_OCSP);
	AUTHORITY_INFO_ACCESS_free(aia);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

/* RFC 5280, section 4.2.1.5, with a policy of each of two PKIs. */
static void
test_mappings(void **state)
{
	AUTO_CHARS(text) = profile_text("issuing-ca");
	AUTO_CHARS(one) = edited(text, "[any-policy]", "[1.2.3]");
	AUTO_CHARS(two) = edited(one, ABOVE,
	    ALLOW "  policy-mappings: {critical: yes, mappings: [{issuer: "
		  "1.2.3, subject: 1.2.4}]}\n");
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = NULL;
	STACK_OF(X509_EXTENSION) *list;
	AUTO_DER(der) = NULL;
	AUTO_CHARS(hex) = NULL;
	int len;

	(void)state;
	if (profile_load("p", (const unsigned char *)two, strlen(two),
		&findings, &profile) != 0)
		assert_clean(&findings);
	list = build(profile);
	len = i2d_X509_EXTENSION(
	    sk_X509_EXTENSION_value(list, position(list, EXT_POLICY_MAPPINGS)),
	    &der);
	hex = text_hex(der, (size_t)len);
	assert_string_equal(
	    hex, "30160603551d210101ff040c300a300806022a0306022a04");
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_both_methods),
		cmocka_unit_test(test_mappings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
