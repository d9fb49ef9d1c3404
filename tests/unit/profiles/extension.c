/* Extensions, octet for octet (rules.md, appendix A). */
#include "profiles/extension.h"

#include <string.h>

#include "base/text.h"
#include "support.h"

static const unsigned char key_id[20] = { 0xab, 1, 2, 3 };
static const char *const urls[3] = { "http://c.example/r.crl",
	"http://c.example/r.cer", "http://o.example/" };

struct vector {
	const char *profile, *from, *to;
	enum extension_id id;
	const char *hex;
};

#define KU "usages: [key-cert-sign, crl-sign]"
#define EKU "[server-auth, client-auth]"
#define ID "ab01020300000000000000000000000000000000"

static const struct vector vectors[] = {
	{ "root", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff040403020106" },
	{ "root", KU, "usages: [crl-sign, digital-signature, key-cert-sign]",
	    EXT_KEY_USAGE, "300e0603551d0f0101ff040403020186" },
	{ "ocsp-responder", NULL, NULL, EXT_KEY_USAGE,
	    "300e0603551d0f0101ff040403020780" },
	{ "root", NULL, NULL, EXT_BASIC_CONSTRAINTS,
	    "300f0603551d130101ff040530030101ff" },
	{ "issuing-ca", NULL, NULL, EXT_BASIC_CONSTRAINTS,
	    "30120603551d130101ff040830060101ff020100" },
	{ "issuing-ca", "path-length: 0", "path-length: 1",
	    EXT_BASIC_CONSTRAINTS, "30120603551d130101ff040830060101ff020101" },
	{ "ocsp-responder", "extensions:\n",
	    "extensions:\n  basic-constraints: {critical: yes, ca: no}\n",
	    EXT_BASIC_CONSTRAINTS, "300c0603551d130101ff04023000" },
	{ "issuing-ca", EKU, "[server-auth]", EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070301" },
	{ "issuing-ca", NULL, NULL, EXT_EXTENDED_KEY_USAGE,
	    "301d0603551d250416301406082b0601050507030106082b060105050703"
	    "02" },
	{ "ocsp-responder", NULL, NULL, EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070309" },
	{ "issuing-ca", EKU, "[1.3.6.1.5.5.7.3.4]", EXT_EXTENDED_KEY_USAGE,
	    "30130603551d25040c300a06082b06010505070304" },
	{ "ocsp-responder", NULL, NULL, EXT_OCSP_NOCHECK,
	    "300f06092b060105050730010504020500" },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.2.1]",
	    EXT_CERTIFICATE_POLICIES,
	    "30130603551d20040c300a3008060667810c010201" },
	{ "issuing-ca", "[any-policy]", "[2.23.140.1.1]",
	    EXT_CERTIFICATE_POLICIES,
	    "30120603551d20040b30093007060567810c0101" },
	{ "issuing-ca", NULL, NULL, EXT_CERTIFICATE_POLICIES,
	    "30110603551d20040a300830060604551d2000" },
	{ "issuing-ca", NULL, NULL, EXT_AUTHORITY_KEY_IDENTIFIER,
	    "301f0603551d23041830168014" ID },
	{ "issuing-ca", NULL, NULL, EXT_SUBJECT_KEY_IDENTIFIER,
	    "301d0603551d0e04160414" ID },
	{ "ca-crl", NULL, NULL, EXT_CRL_NUMBER, "300a0603551d140403020101" },
	{ "issuing-ca", NULL, NULL, EXT_CRL_DISTRIBUTION_POINTS,
	    "30270603551d1f0420301e301ca01aa0188616687474703a2f2f632e6578616d"
	    "706c652f722e63726c" },
	{ "issuing-ca", NULL, NULL, EXT_AUTHORITY_INFORMATION_ACCESS,
	    "303206082b0601050507010104263024302206082b060105050730028616687474"
	    "703a2f2f632e6578616d706c652f722e636572" },
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
		[EXT_CRL_DISTRIBUTION_POINTS] = NID_crl_distribution_points,
		[EXT_AUTHORITY_INFORMATION_ACCESS] = NID_info_access,
		[EXT_OCSP_NOCHECK] = NID_id_pkix_OCSP_noCheck,
		[EXT_SUBJECT_KEY_IDENTIFIER] = NID_subject_key_identifier,
		[EXT_AUTHORITY_KEY_IDENTIFIER] = NID_authority_key_identifier,
		[EXT_CRL_NUMBER] = NID_crl_number,
	};

	return X509v3_get_ext_by_NID(list, nids[id], -1);
}

static STACK_OF(X509_EXTENSION) *
build(const struct profile *profile)
{
	static const struct extension_values values = {
		.ski = key_id,
		.ski_len = sizeof key_id,
		.aki = key_id,
		.aki_len = sizeof key_id,
		.url = urls,
		.crl_number = 1,
	};
	STACK_OF(X509_EXTENSION) *list = NULL;

	assert_int_equal(extensions_build(profile, &values, &list), 0);
	return list;
}

static void
test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *v = &vectors[i];
		AUTO_PTR(profile) *profile = load(v->profile, v->from, v->to);
		STACK_OF(X509_EXTENSION) *list = build(profile);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_both_methods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
