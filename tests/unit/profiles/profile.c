#include <string.h>

#include "support.h"

static const char *const shipped[] = { "root", "issuing-ca", "ocsp-responder",
	"ca-crl" };

/* Shipped profiles are without any finding, warnings included. */
static void
test_shipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = profile_text(shipped[i]);
		AUTO_PTR(profile) *profile = NULL;

		assert_int_equal(
		    profile_load("p.yaml", (const unsigned char *)text,
			strlen(text), &findings, &profile),
		    0);
		assert_int_equal(findings.count, 0);
		assert_string_equal(profile_id(profile), shipped[i]);
		assert_true(strlen(profile_title(profile)) > 0);
		assert_int_equal((size_t)profile_kind(profile), i);
	}
}

static void
test_facts(void **state)
{
	AUTO_PTR(profile) *root = load("root", NULL, NULL);
	AUTO_PTR(profile) *sub = load("issuing-ca", NULL, NULL);
	AUTO_PTR(profile) *ocsp = load("ocsp-responder", NULL, NULL);
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);

	(void)state;
	assert_true(profile_is_ca(root) && profile_is_ca(sub));
	assert_false(profile_is_ca(ocsp) || profile_is_ca(crl));
	assert_true(profile_signs_ocsp(ocsp));
	assert_false(profile_signs_ocsp(root));
	assert_true(profile_validity_default(root) == 7305LL * DAY);
	assert_true(profile_validity_max(root) == 9132LL * DAY);
	assert_true(profile_validity_max(crl) == 365LL * DAY);
	assert_false(profile_needs_url(root, URL_CRL));
	assert_true(profile_needs_url(sub, URL_CRL));
	assert_true(profile_needs_url(sub, URL_CA_ISSUERS));
	assert_false(profile_needs_url(sub, URL_OCSP));
	assert_true(profile_allows_key(ocsp, key_type_by_name("rsa-2048")));
	assert_false(profile_allows_key(root, key_type_by_name("rsa-2048")));
	assert_string_equal(
	    profile_kind_name(PROFILE_OCSP_RESPONDER), "ocsp-responder");
}

struct edit {
	const char *profile, *from, *to, *id;
};

#define KU_SIGN "usages: [key-cert-sign, crl-sign]"
#define BASE "extensions:\n"

static const struct edit refused[] = {
	{ "root", "ca-tool-profile-1", "ca-tool-profile-2", "PROFILE-FORMAT" },
	{ "root", "id: root", "id: Root", "PROFILE-ID" },
	{ "root", "id: root", "id: ../root", "PROFILE-ID" },
	{ "root", "title: Root CA of a private PKI", "title: \"\"",
	    "PROFILE-TITLE" },
	{ "root", "kind: root", "kind: leaf", "PROFILE-KIND" },
	{ "root", "ruleset: private", "ruleset: cabf-tls", "PROFILE-RULESET" },
	{ "root", "ruleset: private", "rulesets: private", "YAML-SCHEMA" },
	{ "root", "default: 7305d", "default: 20y", "PROFILE-VALIDITY" },
	{ "root", "default: 7305d", "default: 9133d", "PROFILE-VALIDITY" },
	{ "root", "default: 7305d", "default: 2921d", "PROFILE-VALIDITY" },
	{ "root", "default: 7305d", "default: 0d", "PROFILE-VALIDITY" },
	{ "root", "keys: [p-256", "keys: [p-224", "ALG-SPKI-EXACT" },
	{ "root", "keys: [p-256", "keys: [rsa-1024", "KEY-RSA-MIN" },
	{ "root", "keys: [p-256", "keys: [p-384", "PROFILE-DUPLICATE" },
	{ "root", "keys: [p-256, p-384, p-521, rsa-3072, rsa-4096]", "keys: []",
	    "PROFILE-KEYS" },
	{ "root", "signatures: [ecdsa-sha256", "signatures: [rsa-sha1",
	    "ALG-NO-SHA1" },
	{ "root", "signatures: [ecdsa-sha256", "signatures: [ed25519",
	    "ALG-SIG-EXACT" },
	{ "root", "signatures: [ecdsa-sha256", "signatures: [ecdsa-sha384",
	    "PROFILE-DUPLICATE" },
	{ "root", "{attribute: country, encoding: printable",
	    "{attribute: country, encoding: utf8", "NAM-ENC-PRINTABLE" },
	{ "root", "{attribute: state, encoding: utf8",
	    "{attribute: state, encoding: ia5", "NAM-ENC-DIRSTRING" },
	{ "root", "{attribute: country, encoding: printable",
	    "{attribute: domain-component, encoding: utf8", "NAM-ENC-IA5" },
	{ "root", "{attribute: state, encoding: utf8",
	    "{attribute: state, encoding: bmp", "PROFILE-VALUE" },
	{ "root", "required: yes", "required: true", "PROFILE-VALUE" },
	{ "root", "attribute: state", "attribute: email-address",
	    "NAM-CA-EXTRA" },
	{ "root", "attribute: state", "attribute: common-name", "NAM-ORDER" },
	{ "root", "attribute: state", "attribute: locality", "NAM-NO-DUP" },
	{ "root", "ca: yes", "ca: no", "ROOT-BC" },
	{ "root",
	    "  basic-constraints:        # no path length: the CAs below have "
	    "one\n    critical: yes\n    ca: yes\n",
	    "", "ROOT-BC" },
	{ "root", "critical: yes\n    ca: yes", "critical: no\n    ca: yes",
	    "BC-CA-CRIT" },
	{ "issuing-ca", "ca: yes", "ca: no", "SUB-BC" },
	{ "issuing-ca", "ca: yes", "ca: no", "BC-PATHLEN-COND" },
	{ "issuing-ca", "path-length: 0", "path-length: -1", "PROFILE-VALUE" },
	{ "issuing-ca", "path-length: 0", "path-length: 00", "PROFILE-VALUE" },
	{ "issuing-ca", "path-length: 0", "path-length: 256", "PROFILE-VALUE" },
	{ "root", KU_SIGN, "usages: [key-cert-sign]", "ROOT-KU" },
	{ "root", KU_SIGN, "usages: [key-cert-sign, crl-sign, key-agreement]",
	    "ROOT-KU" },
	{ "root", KU_SIGN, "usages: []", "KU-NONZERO" },
	{ "root", KU_SIGN, "usages: [keyCertSign]", "PROFILE-VALUE" },
	{ "issuing-ca", KU_SIGN, "usages: [crl-sign]", "SUB-KU" },
	{ "issuing-ca", "critical: yes\n    usages", "critical: no\n    usages",
	    "KU-CRITICAL" },
	{ "root", BASE,
	    BASE "  extended-key-usage: {critical: no, purposes: "
		 "[server-auth]}\n",
	    "ROOT-NO-EKU" },
	{ "root", BASE, BASE "  ocsp-nocheck: {critical: no}\n",
	    "SUB-NO-NOCHECK" },
	{ "issuing-ca", BASE, BASE "  ocsp-nocheck: {critical: no}\n",
	    "SUB-NO-NOCHECK" },
	{ "root", BASE, BASE "  crl-number: {critical: no}\n",
	    "EXT-OTHER-PUBLIC" },
	{ "root", "  subject-key-identifier: {critical: no}\n", "",
	    "ROOT-SKI" },
	{ "root", "subject-key-identifier: {critical: no}",
	    "subject-key-identifier: {critical: yes}", "SKI-NONCRIT" },
	{ "issuing-ca", "  subject-key-identifier: {critical: no}\n", "",
	    "SUB-SKI" },
	{ "issuing-ca", "  authority-key-identifier: {critical: no}\n", "",
	    "SUB-AKI" },
	{ "issuing-ca", "authority-key-identifier: {critical: no}",
	    "authority-key-identifier: {critical: yes}", "AKI-KEYID-ONLY" },
	{ "issuing-ca", "[server-auth, client-auth]",
	    "[server-auth, ocsp-signing]", "SUB-NO-OCSPSIGNING" },
	{ "issuing-ca", "[server-auth, client-auth]",
	    "[server-auth, 1.3.6.1.5.5.7.3.9]", "SUB-NO-OCSPSIGNING" },
	{ "issuing-ca", "[server-auth, client-auth]",
	    "[server-auth, server-auth]", "EKU-NO-DUP" },
	{ "issuing-ca", "[server-auth, client-auth]",
	    "[server-auth, 1.3.6.1.5.5.7.3.1]", "EKU-NO-DUP" },
	{ "issuing-ca", "[server-auth, client-auth]", "[]",
	    "FLD-EXT-NONEMPTY" },
	{ "issuing-ca", "[server-auth, client-auth]", "[1.02.3]",
	    "PROFILE-VALUE" },
	{ "issuing-ca", "[server-auth, client-auth]", "[serverAuth]",
	    "PROFILE-VALUE" },
	{ "issuing-ca", "critical: no\n    purposes",
	    "critical: yes\n    purposes", "EKU-NONCRIT" },
	{ "issuing-ca", "[any-policy]", "[any-policy, any-policy]",
	    "POL-NO-DUP" },
	{ "issuing-ca", "[any-policy]", "[2.5.29.32.0, any-policy]",
	    "POL-NO-DUP" },
	{ "issuing-ca", "[any-policy]", "[]", "FLD-EXT-NONEMPTY" },
	{ "issuing-ca", "critical: no\n    policies",
	    "critical: yes\n    policies", "POL-NONCRIT" },
	{ "issuing-ca", "crl-distribution-points: {critical: no}",
	    "crl-distribution-points: {critical: yes}", "CDP-NONCRIT" },
	{ "issuing-ca", "critical: no\n    methods",
	    "critical: yes\n    methods", "AIA-NONCRIT" },
	{ "issuing-ca", "[ca-issuers]", "[ca-issuers, ca-issuers]",
	    "AIA-UNIQUE" },
	{ "issuing-ca", "[ca-issuers]", "[time-stamping]", "AIA-METHODS" },
	{ "issuing-ca", "required: yes}\n  - {attribute: state",
	    "required: maybe}\n  - {attribute: state", "PROFILE-VALUE" },
	{ "ocsp-responder", "[ocsp-signing]", "[ocsp-signing, server-auth]",
	    "OCR-EKU" },
	{ "ocsp-responder", "[ocsp-signing]", "[server-auth]", "OCR-EKU" },
	{ "ocsp-responder",
	    "  extended-key-usage:\n    critical: no\n    purposes: "
	    "[ocsp-signing]\n",
	    "", "OCR-EKU" },
	{ "ocsp-responder", "  ocsp-nocheck: {critical: no}\n", "",
	    "OCR-NOCHECK" },
	{ "ocsp-responder", "ocsp-nocheck: {critical: no}",
	    "ocsp-nocheck: {critical: yes}", "OCR-NOCHECK" },
	{ "ocsp-responder", "[digital-signature]",
	    "[digital-signature, crl-sign]", "OCR-KU" },
	{ "ocsp-responder", "[digital-signature]", "[non-repudiation]",
	    "OCR-KU" },
	{ "ocsp-responder",
	    "  key-usage:\n    critical: yes\n    usages: "
	    "[digital-signature]\n",
	    "", "OCR-KU" },
	{ "ocsp-responder", "  authority-key-identifier: {critical: no}\n", "",
	    "OCR-AKI" },
	{ "ocsp-responder", BASE,
	    BASE "  basic-constraints: {critical: yes, ca: yes}\n", "OCR-BC" },
	{ "ocsp-responder", BASE,
	    BASE "  crl-distribution-points: {critical: no}\n",
	    "OCR-NO-CRLDP" },
	{ "ocsp-responder", BASE,
	    BASE "  authority-information-access: {critical: no, methods: "
		 "[ca-issuers]}\n",
	    "OCR-NO-AIA" },
	{ "ca-crl", "max: 365d", "max: 366d", "CRL-NEXTUPDATE-CA" },
	{ "ca-crl", "  crl-number: {critical: no}\n", "", "CRL-NUMBER" },
	{ "ca-crl", "crl-number: {critical: no}", "crl-number: {critical: yes}",
	    "CRL-NUMBER" },
	{ "ca-crl", "  authority-key-identifier: {critical: no}\n", "",
	    "CRL-AKI" },
	{ "ca-crl", BASE, BASE "  subject-key-identifier: {critical: no}\n",
	    "CRL-EXT-OTHER" },
	{ "ca-crl", "keyCompromise,", "certificateHold,", "CRL-REASON-NOHOLD" },
	{ "ca-crl", "keyCompromise,", "cACompromise,", "CRL-REASON-SET" },
	{ "ca-crl", "keyCompromise,", "removeFromCRL,", "CRL-REASON-SET" },
	{ "ca-crl", "kind: crl", "kind: crl\nkeys: [p-256]", "PROFILE-KIND" },
	{ "ca-crl", "kind: crl",
	    "kind: crl\nsubject: [{attribute: country, encoding: printable, "
	    "required: yes}]",
	    "PROFILE-KIND" },
	{ "ca-crl",
	    "reasons: [keyCompromise, affiliationChanged, superseded, "
	    "cessationOfOperation,\n  privilegeWithdrawn, "
	    "unspecified]\n",
	    "", "PROFILE-REASONS" },
	{ "root", "kind: root", "kind: root\nreasons: [superseded]",
	    "PROFILE-KIND" },
};

static void
check_refused(const struct edit *edit)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_CHARS(text) = profile_text(edit->profile);
	AUTO_CHARS(other) = edited(text, edit->from, edit->to);
	struct profile *profile = NULL;
	const struct finding *row = NULL;

	assert_int_equal(profile_load("p.yaml", (const unsigned char *)other,
			     strlen(other), &findings, &profile),
	    -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_null(profile);
	assert_true(findings.errors > 0);
	assert_finding(&findings, edit->id);
	for (size_t i = 0; i < findings.count; i++)
		if (strcmp(findings.rows[i].id, edit->id) == 0)
			row = &findings.rows[i];
	assert_non_null(row);
	assert_int_equal(row->severity, FINDING_ERROR);
	assert_int_equal(strncmp(row->place, "p.yaml:", 7), 0);
	ca_error_clear();
}

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		check_refused(&refused[i]);
}

static const struct edit warned[] = {
	{ "root", "ca: yes", "ca: yes\n    path-length: 1", "ROOT-NO-PATHLEN" },
	{ "root", BASE,
	    BASE "  certificate-policies: {critical: no, policies: "
		 "[any-policy]}\n",
	    "ROOT-NO-CP" },
	{ "root", BASE, BASE "  crl-distribution-points: {critical: no}\n",
	    "ROOT-NO-CRLDP" },
	{ "root", BASE,
	    BASE "  authority-information-access: {critical: no, methods: "
		 "[ocsp]}\n",
	    "ROOT-NO-OTHER" },
	{ "root", "  authority-key-identifier: {critical: no}\n", "",
	    "ROOT-AKI" },
	{ "root", "max: 9132d", "max: 9133d", "ROOT-LIFE-MAX" },
	{ "root", "default: 7305d\n  min: 2922d", "default: 2921d",
	    "ROOT-LIFE-MIN" },
	{ "root", "encoding: printable, required: yes",
	    "encoding: printable, required: no", "NAM-CA-C" },
	{ "root", "attribute: organization, encoding: utf8, required: yes",
	    "attribute: organization, encoding: utf8, required: no",
	    "NAM-CA-O" },
	{ "root", "attribute: common-name, encoding: utf8, required: yes",
	    "attribute: common-name, encoding: utf8, required: no",
	    "NAM-CA-CN" },
	{ "root", "  - {attribute: common-name",
	    "  - {attribute: organizational-unit, encoding: utf8, required: "
	    "no}\n  - {attribute: common-name",
	    "NAM-CA-NO-OU" },
	{ "issuing-ca", "  crl-distribution-points: {critical: no}", " ",
	    "SUB-CRLDP" },
	{ "issuing-ca", "[ca-issuers]", "[ocsp]", "SUB-AIA" },
	{ "issuing-ca", "[server-auth, client-auth]", "[any]",
	    "TLSSUB-EKU-FORBIDDEN" },
	{ "ocsp-responder", "max: 395d", "max: 398d", "OCR-LIFE-SHORT" },
	{ "ocsp-responder", BASE,
	    BASE "  certificate-policies: {critical: no, policies: "
		 "[any-policy]}\n",
	    "OCR-NO-CP" },
	{ "ocsp-responder", BASE,
	    BASE "  authority-information-access: {critical: no, methods: "
		 "[ocsp]}\n",
	    "OCR-NO-AIA" },
	{ "ocsp-responder", "  subject-key-identifier: {critical: no}\n", "",
	    "OCR-SKI" },
};

static void
test_warned(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof warned / sizeof warned[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = profile_text(warned[i].profile);
		AUTO_CHARS(other) = edited(text, warned[i].from, warned[i].to);
		AUTO_PTR(profile) *profile = NULL;

		if (profile_load("p.yaml", (const unsigned char *)other,
			strlen(other), &findings, &profile) != 0)
			assert_clean(&findings);
		assert_int_equal(findings.errors, 0);
		assert_finding(&findings, warned[i].id);
	}
}

/* What only the TLS BR demand is advice under rfc5280. */
static void
test_rulesets(void **state)
{
	static const struct edit edits[] = {
		{ "ca-crl", "max: 365d", "max: 400d", "CRL-NEXTUPDATE-CA" },
		{ "root", BASE,
		    BASE "  extended-key-usage: {critical: no, purposes: "
			 "[server-auth]}\n",
		    "ROOT-NO-EKU" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = profile_text(edits[i].profile);
		AUTO_CHARS(one) =
		    edited(text, "ruleset: private", "ruleset: rfc5280");
		AUTO_CHARS(two) = edited(one, edits[i].from, edits[i].to);
		AUTO_PTR(profile) *profile = NULL;

		assert_int_equal(
		    profile_load("p.yaml", (const unsigned char *)two,
			strlen(two), &findings, &profile),
		    0);
		assert_finding(&findings, edits[i].id);
	}
}

/* All that is wrong is told at once. */
static void
test_all_at_once(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_CHARS(text) = profile_text("issuing-ca");
	AUTO_CHARS(one) = edited(text, "keys: [p-256", "keys: [rsa-512");
	AUTO_CHARS(two) = edited(one, "ca: yes", "ca: no");
	AUTO_CHARS(three) = edited(two, "max: 3652d", "max: soon");
	struct profile *profile = NULL;

	(void)state;
	assert_int_equal(profile_load("p.yaml", (const unsigned char *)three,
			     strlen(three), &findings, &profile),
	    -1);
	assert_finding(&findings, "KEY-RSA-MIN");
	assert_finding(&findings, "SUB-BC");
	assert_finding(&findings, "PROFILE-VALIDITY");
	ca_error_clear();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_warned),
		cmocka_unit_test(test_rulesets),
		cmocka_unit_test(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
