#include <string.h>

#include "base/text.h"
#include "profiles/describe.h"
#include "profiles/judge.h"
#include "profiles/rules/rule.h"
#include "support.h"

static const struct {
	const char *id;
	enum profile_kind kind;
	enum ruleset ruleset;
	unsigned subjects; /* enum rule_subject */
} shipped[] = {
	{ "root", PROFILE_ROOT, RULESET_PRIVATE, FOR_ROOT },
	{ "root-public", PROFILE_ROOT, RULESET_CABF_TLS, FOR_ROOT },
	{ "policy-ca", PROFILE_SUBORDINATE, RULESET_PRIVATE, FOR_TLSSUB },
	{ "issuing-ca", PROFILE_SUBORDINATE, RULESET_PRIVATE, FOR_TLSSUB },
	{ "issuing-ca-tls", PROFILE_SUBORDINATE, RULESET_CABF_TLS, FOR_TLSSUB },
	{ "issuing-ca-smime", PROFILE_SUBORDINATE, RULESET_CABF_SMIME,
	    FOR_SMIMECA },
	{ "issuing-ca-code-signing", PROFILE_SUBORDINATE, RULESET_CABF_CS,
	    FOR_CSCA },
	{ "cross", PROFILE_CROSS, RULESET_PRIVATE, FOR_CROSS },
	{ "cross-public", PROFILE_CROSS, RULESET_CABF_TLS, FOR_CROSS },
	{ "ocsp-responder", PROFILE_OCSP_RESPONDER, RULESET_PRIVATE,
	    FOR_OCSPCERT },
	{ "ocsp-responder-public", PROFILE_OCSP_RESPONDER, RULESET_CABF_TLS,
	    FOR_OCSPCERT },
	{ "tls-server", PROFILE_END_ENTITY, RULESET_PRIVATE, FOR_LEAF },
	{ "client", PROFILE_END_ENTITY, RULESET_PRIVATE, FOR_LEAF },
	{ "smime", PROFILE_END_ENTITY, RULESET_PRIVATE, FOR_SMIME },
	{ "code-signing", PROFILE_END_ENTITY, RULESET_CABF_CS, FOR_CS },
	{ "ca-crl", PROFILE_CRL, RULESET_PRIVATE, FOR_CRL | FOR_CRL_CA },
	{ "ca-crl-public", PROFILE_CRL, RULESET_CABF_TLS,
	    FOR_CRL | FOR_CRL_CA },
	{ "crl-ca-only", PROFILE_CRL, RULESET_PRIVATE, FOR_CRL | FOR_CRL_CA },
	{ "crl-partition", PROFILE_CRL, RULESET_PRIVATE, FOR_CRL | FOR_CRL_EE },
	{ "crl-user", PROFILE_CRL, RULESET_PRIVATE, FOR_CRL | FOR_CRL_EE },
	{ "crl-user-public", PROFILE_CRL, RULESET_CABF_TLS,
	    FOR_CRL | FOR_CRL_EE },
	{ "ocsp-response", PROFILE_OCSP_RESPONSE, RULESET_PRIVATE, FOR_OCSP },
	{ "ocsp-response-user", PROFILE_OCSP_RESPONSE, RULESET_PRIVATE,
	    FOR_OCSP },
};

/* Shipped profiles are without any finding, warnings included. */
static void
test_shipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_CHARS(text) = profile_text(shipped[i].id);
		AUTO_PTR(profile) *profile = NULL;
		unsigned wanted = RULESET_BIT(RULESET_RFC5280) |
		    RULESET_BIT(RULESET_PRIVATE) |
		    RULESET_BIT(shipped[i].ruleset);

		if (profile_load("p.yaml", (const unsigned char *)text,
			strlen(text), &findings, &profile) != 0)
			assert_clean(&findings);
		if (findings.count != 0)
			fail_msg("%s: %s %s", shipped[i].id,
			    findings.rows[0].id, findings.rows[0].text);
		assert_string_equal(profile_id(profile), shipped[i].id);
		assert_true(strlen(profile_title(profile)) > 0);
		assert_int_equal(profile_kind(profile), shipped[i].kind);
		assert_int_equal(profile_rulesets(profile), wanted);
		assert_int_equal(
		    profile_subjects(profile), shipped[i].subjects);
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
#define SAN_ROW                                                               \
	"  subject-alternative-name: {critical: no, types: [dns], required: " \
	"no}\n"
#define NC_ROW(rows) "  name-constraints:\n    critical: yes\n    " rows "\n"
#define ALLOW(id, reason) "allow-lint:\n  - {id: " id ", reason: " reason "}\n"
/* One more row, where some stand before the extensions. */
#define ABOVE "\nextensions:\n"
#define MORE(id, reason) "  - {id: " id ", reason: " reason "}\n" ABOVE

static const struct edit refused[] = {
	{ "root", "ca-tool-profile-1", "ca-tool-profile-2", "PROFILE-FORMAT" },
	{ "root", "id: root", "id: Root", "PROFILE-ID" },
	{ "root", "id: root", "id: ../root", "PROFILE-ID" },
	{ "root", "title: Root CA of a private PKI", "title: \"\"",
	    "PROFILE-TITLE" },
	{ "root", "kind: root", "kind: leaf", "PROFILE-KIND" },
	{ "root", "ruleset: private", "ruleset: cabf", "PROFILE-RULESET" },
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
	{ "root", "kind: root", "kind: root\ncovers: ca", "PROFILE-KIND" },
	{ "root", "kind: root", "kind: root\nalso-sha1: yes", "PROFILE-KIND" },

	/* what may not stand where */
	{ "root", BASE,
	    BASE "  policy-mappings: {critical: yes, mappings: []}\n",
	    "EXT-OTHER-PUBLIC" },
	{ "issuing-ca", BASE, BASE SAN_ROW, "EXT-OTHER-PUBLIC" },
	{ "ocsp-responder", BASE, BASE SAN_ROW, "OCR-NO-SAN" },
	{ "ocsp-responder", BASE, BASE NC_ROW("permitted: [{dns: a.example}]"),
	    "NC-CA-ONLY" },
	{ "tls-server", BASE, BASE NC_ROW("permitted: [{dns: a.example}]"),
	    "NC-CA-ONLY" },
	{ "tls-server", BASE, BASE "  ocsp-nocheck: {critical: no}\n",
	    "EXT-OTHER-PUBLIC" },
	{ "ca-crl", BASE, BASE NC_ROW("permitted: [{dns: a.example}]"),
	    "CRL-EXT-OTHER" },
	{ "ocsp-response", "also-sha1: yes\n",
	    "also-sha1: yes\n" BASE "  crl-number: {critical: no}\n",
	    "OCS-RESPEXT" },

	/* name constraints */
	{ "issuing-ca", BASE, BASE "  name-constraints: {critical: yes}\n",
	    "NC-NONEMPTY" },
	{ "issuing-ca", BASE, BASE NC_ROW("permitted: []"), "YAML-SCHEMA" },
	{ "issuing-ca", BASE, BASE NC_ROW("permitted: [{dns: .a.example}]"),
	    "NC-DNS-FORM" },
	{ "issuing-ca", BASE, BASE NC_ROW("permitted: [{ip: 192.0.2.1/24}]"),
	    "NC-IP-FORM" },
	{ "issuing-ca", BASE,
	    BASE NC_ROW("permitted: [{dns: a.example, ip: 192.0.2.0/24}]"),
	    "PROFILE-VALUE" },
	{ "issuing-ca", BASE,
	    BASE NC_ROW("permitted: [{dns: a.example}, {dns: a.example}]"),
	    "PROFILE-DUPLICATE" },
	{ "issuing-ca", BASE, BASE NC_ROW("permitted: [{directory: []}]"),
	    "YAML-SCHEMA" },
	{ "issuing-ca", BASE,
	    BASE NC_ROW("permitted: [{directory: [{attribute: country, "
			"encoding: printable, value: XX}]}]"),
	    "NAM-COUNTRY-ISO" },
	{ "issuing-ca", BASE,
	    BASE NC_ROW("permitted: [{directory: [{attribute: country, "
			"encoding: utf8, value: DE}]}]"),
	    "NAM-ENC-PRINTABLE" },
	{ "issuing-ca", BASE,
	    BASE "  name-constraints: {critical: no, permitted: [{dns: "
		 "a.example}]}\n",
	    "NC-CRIT" },
	{ "issuing-ca", BASE,
	    BASE NC_ROW("excluded: [{directory: [{attribute: country, "
			"encoding: printable, value: DE}]}]"),
	    "NC-TYPES" },

	/* policies */
	{ "issuing-ca", "[any-policy]",
	    "[any-policy]\n    cps: [{policy: 1.2.3, url: "
	    "\"http://c.example/\"}]",
	    "PROFILE-VALUE" },
	{ "issuing-ca", "[any-policy]",
	    "[any-policy]\n    cps: [{policy: any-policy, url: "
	    "\"ldap://c.example/\"}]",
	    "POL-QUALIFIERS" },
	{ "issuing-ca", BASE,
	    BASE "  policy-mappings: {critical: yes, mappings: [{issuer: "
		 "any-policy, subject: 1.2.3}]}\n",
	    "PROFILE-MAPPING" },
	{ "issuing-ca", BASE,
	    BASE "  policy-mappings: {critical: yes, mappings: [{issuer: "
		 "1.2.4, subject: 1.2.3}]}\n",
	    "PROFILE-MAPPING" },
	{ "issuing-ca", BASE,
	    BASE "  inhibit-any-policy: {critical: yes, skip: 0}\n",
	    "SUB-NO-OTHER" },
	{ "issuing-ca", BASE, BASE "  policy-constraints: {critical: yes}\n",
	    "FLD-EXT-NONEMPTY" },

	/* end entities */
	{ "tls-server", BASE,
	    BASE "  basic-constraints: {critical: yes, ca: yes}\n",
	    "BC-EE-BYTES" },
	{ "tls-server", "[digital-signature]",
	    "[digital-signature, key-cert-sign]", "KU-CERTSIGN-CA" },
	{ "tls-server", "[digital-signature]\n    rsa-also: ",
	    "[digital-signature, key-encipherment]\n    rsa-also: ",
	    "KU-EC-NOENC" },
	{ "tls-server", "[digital-signature]\n    rsa-also: ",
	    "[digital-signature]\n    ec-also: ", "KU-EC-NOENC" },
	{ "tls-server", "[server-auth]", "[any]", "EKU-EE-PRESENT" },
	{ "tls-server", "[server-auth]", "[server-auth, ocsp-signing]",
	    "EKU-EE-PRESENT" },
	{ "tls-server", "  authority-key-identifier: {critical: no}\n", "",
	    "AKI-KEYID-ONLY" },
	{ "tls-server", "critical: if-subject-empty", "critical: no",
	    "SAN-CRIT" },
	{ "client", "critical: no\n    types", "critical: yes\n    types",
	    "SAN-CRIT" },
	{ "tls-server", "required: yes\n  crl", "required: no\n  crl",
	    "SAN-CRIT" },
	{ "tls-server", "[dns, ip]", "[dns, dns]", "PROFILE-DUPLICATE" },
	{ "tls-server", "[dns, ip]", "[dns, mailbox]", "PROFILE-VALUE" },
	{ "tls-server", "[dns, ip]", "[]", "FLD-EXT-NONEMPTY" },
	{ "client", "from: csr", "from: request", "PROFILE-VALUE" },
	{ "code-signing", "[code-signing]", "[time-stamping]", "EKU-NONCRIT" },
	{ "code-signing", "ruleset: cabf-cs", "ruleset: cabf-tls", "LEAF-EKU" },
	{ "code-signing", "max: 460d", "max: 461d", "CS-LIFE" },
	{ "tls-server", "[digital-signature]\n    rsa-also: ",
	    "[non-repudiation]\n    rsa-also: ", "KU-EKU-CONSISTENT" },
	{ "code-signing", "[digital-signature]", "[non-repudiation]",
	    "KU-EKU-CONSISTENT" },
	{ "code-signing", "[code-signing]", "[code-signing, server-auth]",
	    "CS-EKU" },
	{ "code-signing", "[digital-signature]", "[non-repudiation]", "CS-KU" },
	{ "code-signing", "rsa-3072", "rsa-2048", "KEY-RSA-CS4096" },
	{ "code-signing", "locality, encoding: utf8, required: yes",
	    "locality, encoding: utf8, required: no", "CS-SUBJECT" },
	{ "code-signing", "[ca-issuers]", "[ocsp]", "CS-AIA-CDP" },
	{ "tls-server", "ruleset: private", "ruleset: cabf-tls", "LEAF-LIFE" },
	{ "tls-server", "ruleset: private", "ruleset: cabf-tls", "LEAF-CP" },
	{ "tls-server", "ruleset: private", "ruleset: cabf-tls",
	    "LEAF-CN-SAN" },
	{ "client", "ruleset: private", "ruleset: cabf-tls", "CSR-IGNORE" },
	{ "client", "ruleset: private", "ruleset: cabf-smime", "CSR-IGNORE" },
	{ "client", "ruleset: private", "ruleset: cabf-tls", "LEAF-EKU" },
	{ "client", "ruleset: private", "ruleset: cabf-tls", "SAN-TYPES" },
	{ "smime", "ruleset: private", "ruleset: cabf-smime", "SM-GEN" },

	/* CAs of the CA/Browser Forum */
	{ "issuing-ca-tls", "[server-auth]", "[server-auth, client-auth]",
	    "TLSSUB-EKU-CLIENTAUTH" },
	{ "issuing-ca-tls", "[server-auth]", "[server-auth, code-signing]",
	    "TLSSUB-EKU-FORBIDDEN" },
	{ "issuing-ca-tls", "[server-auth]", "[client-auth]",
	    "TLSSUB-EKU-SERVERAUTH" },
	{ "issuing-ca-tls", "[server-auth]", "[server-auth, 1.2.3.4]",
	    "TLSSUB-EKU-OTHER" },
	{ "issuing-ca-tls", "[server-auth]",
	    "[server-auth, 1.3.6.1.4.1.11129.2.4.4]", "PRECERTCA-BANNED" },
	{ "issuing-ca-tls", "[2.23.140.1.2.1]", "[1.2.3]", "POL-CA-FORM" },
	{ "issuing-ca-tls", "[2.23.140.1.2.1]",
	    "[2.23.140.1.2.1, 2.23.140.1.2.2]", "POL-CA-FORM" },
	{ "issuing-ca-tls", "[2.23.140.1.2.1]", "[any-policy, 2.23.140.1.2.1]",
	    "POL-CA-FORM" },
	{ "issuing-ca-tls", "[2.23.140.1.2.1]", "[1.2.3, 2.23.140.1.2.1]",
	    "POL-FIRST" },
	{ "issuing-ca-tls", "max: 1095d", "max: 1096d", "SUB-LIFE-3Y" },
	{ "issuing-ca-tls", BASE,
	    BASE NC_ROW("permitted: [{dns: a.example}, {ip: 8.8.8.0/24}]"),
	    "NC-TC-IP6" },
	{ "issuing-ca-tls", BASE,
	    BASE NC_ROW("permitted: [{dns: a.example}, {ip: \"2600::/32\"}]"),
	    "NC-TC-IP4" },
	{ "issuing-ca-tls", BASE,
	    BASE NC_ROW("permitted: [{dns: a.example}]\n    excluded: [{ip: "
			"0.0.0.0/0}, {ip: \"::/0\"}]"),
	    "NC-TC-DIR" },
	{ "issuing-ca-tls", BASE,
	    BASE NC_ROW("excluded: [{dns: a.example}, {ip: 0.0.0.0/0}]"),
	    "NC-TC-DNS" },
	{ "issuing-ca-smime", "[email-protection]",
	    "[email-protection, code-signing]", "SMIMECA-EKU" },
	{ "issuing-ca-smime", "[email-protection]", "[server-auth]",
	    "SMIMECA-EKU" },
	{ "issuing-ca-smime",
	    "2.23.140.1.5.1.3, 2.23.140.1.5.2.3, "
	    "2.23.140.1.5.3.3,\n      2.23.140.1.5.4.3",
	    "1.2.3", "SMIMECA-CP" },
	{ "issuing-ca-code-signing", "[code-signing]",
	    "[code-signing, time-stamping]", "CSCA-EKU" },
	{ "issuing-ca-code-signing", "rsa-4096", "rsa-3072", "KEY-RSA-CS4096" },
	{ "root-public", "max: 9132d", "max: 9133d", "ROOT-LIFE-MAX" },
	{ "root-public", "  min: 2922d\n", "", "ROOT-LIFE-MIN" },
	{ "root-public", "min: 2922d", "min: 2921d", "ROOT-LIFE-MIN" },
	{ "issuing-ca-smime",
	    "2.23.140.1.5.1.3, 2.23.140.1.5.2.3, "
	    "2.23.140.1.5.3.3,\n      2.23.140.1.5.4.3",
	    "2.23.140.1.5.5.3, 2.23.140.1.5.1.4, 2.23.140.1.5.1.3.1",
	    "SMIMECA-CP" },
	{ "root-public", "required: yes}\n\n", "required: no}\n\n",
	    "NAM-CA-CN" },
	{ "cross", "kind: cross",
	    "kind: cross\nsubject: [{attribute: country, encoding: printable, "
	    "required: yes}]",
	    "CROSS-SUBJECT-BYTES" },
	{ "cross", "[server-auth, client-auth]", "[any]", "CROSS-EKU-MOZ" },
	{ "cross-public", "[server-auth]", "[server-auth, email-protection]",
	    "CROSS-EKU-RESTRICTED" },
	{ "cross-public", "[server-auth]", "[server-auth, 1.2.3]",
	    "CROSS-EKU-DEDICATED" },
	{ "cross-public", "[any-policy]", "[1.2.3]", "CROSS-CP" },

	/* CRLs and OCSP responses */
	{ "ca-crl", "covers: ca ", "covers: root ", "PROFILE-COVERS" },
	{ "ca-crl", "covers: ca ", "#", "PROFILE-COVERS" },
	{ "ocsp-response", "covers: ca ", "covers: all ", "PROFILE-COVERS" },
	{ "ca-crl-public", "covers: ca ", "covers: all ", "CRL-NEXTUPDATE-EE" },
	{ "crl-partition", "covers: user ", "covers: all ", "CRL-IDP-FLAGS" },
	{ "crl-user-public", "max: 10d", "max: 11d", "CRL-NEXTUPDATE-EE" },
	{ "crl-ca-only", "critical: yes\n    only", "critical: no\n    only",
	    "CRL-IDP-WHEN" },
	{ "ocsp-response", "max: 365d", "max: 366d", "OCS-INTERVAL-CA" },

	/* allow-lint */
	{ "root", ABOVE, MORE("ROOT-KU", "because"), "PROFILE-ALLOW" },
	{ "root", ABOVE, MORE("ROOT-NO-EKU", "because"), "PROFILE-ALLOW" },
	{ "root", ABOVE, MORE("TLSSUB-NC", "because"), "PROFILE-ALLOW" },
	{ "root", ABOVE, MORE("NO-SUCH-RULE", "because"), "PROFILE-ALLOW" },
	{ "root", ABOVE, MORE("ROOT-AKI", "\" \""), "PROFILE-ALLOW" },
	{ "root", ABOVE,
	    "  - {id: ROOT-AKI, reason: a}\n" MORE("ROOT-AKI", "b"),
	    "PROFILE-DUPLICATE" },
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

/* A shipped profile with several edits, and what it is refused for. */
struct rework {
	const char *profile;
	const char *edits[6][2];
	const char *id; /* NULL: it is fine */
};

#define SBR(policy)                                                        \
	{ "ruleset: private", "ruleset: cabf-smime" },                     \
	{                                                                  \
		"extensions:\n",                                           \
		    "extensions:\n  certificate-policies: {critical: no, " \
		    "policies: [" policy "]}\n"                            \
	}
#define MAILBOX_SUBJECT                                                         \
	{                                                                       \
		"  - {attribute: country, encoding: printable, required: no}\n" \
		"  - {attribute: organization, encoding: utf8, required: no}\n" \
		"  - {attribute: surname, encoding: utf8, required: no}\n"      \
		"  - {attribute: given-name, encoding: utf8, required: no}\n",  \
		    ""                                                          \
	}
#define S_USAGE \
	"[digital-signature]\n    rsa-also: [key-encipherment]\n    ec-also: "

static const struct rework reworked[] = {
	{ "smime", { SBR("2.23.140.1.5.1.3"), MAILBOX_SUBJECT }, NULL },
	{ "smime", { SBR("2.23.140.1.5.1.1"), MAILBOX_SUBJECT }, "SM-GEN" },
	{ "smime", { SBR("2.23.140.1.5.9.3"), MAILBOX_SUBJECT }, "SM-GEN" },
	{ "smime", { SBR("2.23.140.1.5.1.3.1"), MAILBOX_SUBJECT }, "SM-GEN" },
	{ "smime", { SBR("2.23.140.1.5.1.3") }, "SM-SUBJECT" },
	{ "smime",
	    { SBR("2.23.140.1.5.1.3"), MAILBOX_SUBJECT,
		{ "usages: [digital-signature]",
		    "usages: [non-repudiation]" } },
	    "SM-KU" },
	{ "smime",
	    { SBR("2.23.140.1.5.1.3"), MAILBOX_SUBJECT,
		{ S_USAGE, "[non-repudiation]\n    ec-also: " },
		{ "p-384, rsa-2048, rsa-3072, rsa-4096]", "p-384]" } },
	    "SM-KU" },
	{ "smime",
	    { SBR("2.23.140.1.5.1.2"), MAILBOX_SUBJECT,
		{ "[key-encipherment]", "[data-encipherment]" } },
	    "SM-KU" },
	{ "smime",
	    { SBR("2.23.140.1.5.1.2"), MAILBOX_SUBJECT,
		{ "[key-encipherment]",
		    "[key-encipherment, data-encipherment]" } },
	    NULL },
	{ "smime",
	    { SBR("2.23.140.1.5.1.3"), MAILBOX_SUBJECT,
		{ "[key-encipherment]",
		    "[key-encipherment, data-encipherment]" } },
	    "SM-KU" },
	{ "cross-public",
	    { { "ruleset: cabf-tls", "ruleset: cabf-cs" },
		{ "[server-auth]", "[code-signing]" } },
	    "KEY-RSA-CS4096" },
	{ "cross-public",
	    { { "ruleset: cabf-tls", "ruleset: cabf-cs" },
		{ "[server-auth]", "[code-signing]" },
		{ "rsa-2048, rsa-3072, ", "" } },
	    NULL },
	/* email-protection beside it does not make it another's profile */
	{ "code-signing",
	    { { "[code-signing]", "[code-signing, email-protection]" } },
	    NULL },
	{ "code-signing",
	    { { "[code-signing]", "[code-signing, email-protection]" },
		{ "max: 460d", "max: 461d" } },
	    "CS-LIFE" },
	{ "code-signing",
	    { { "[code-signing]", "[code-signing, email-protection]" },
		{ "rsa-3072", "rsa-2048" } },
	    "KEY-RSA-CS4096" },
	{ "tls-server",
	    { { "ruleset: private", "ruleset: cabf-tls" },
		{ "[server-auth]", "[server-auth, 1.3.6.1.4.1.11129.2.4.4]" } },
	    "LEAF-EKU" },
};

static void
test_reworked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof reworked / sizeof reworked[0]; i++) {
		const struct rework *row = &reworked[i];
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_PTR(profile) *profile = NULL;
		char *text = profile_text(row->profile);
		int result;

		for (size_t e = 0; e < 6 && row->edits[e][0] != NULL; e++) {
			char *other =
			    edited(text, row->edits[e][0], row->edits[e][1]);

			free(text);
			text = other;
		}
		result = profile_load("p.yaml", (const unsigned char *)text,
		    strlen(text), &findings, &profile);
		free(text);
		ca_error_clear();
		if (row->id == NULL) {
			assert_clean(&findings);
			assert_int_equal(result, 0);
			continue;
		}
		assert_int_equal(result, -1);
		assert_finding(&findings, row->id);
	}
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
	{ "root", "  min: 2922d\n", "", "ROOT-LIFE-MIN" },
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
	{ "ocsp-responder", BASE,
	    BASE "  certificate-policies: {critical: no, policies: "
		 "[any-policy]}\n",
	    "OCR-NO-CP" },
	{ "cross", "    purposes: [server-auth, client-auth]",
	    "    purposes: [server-auth, email-protection]",
	    "CROSS-EKU-DEDICATED" },
	{ "tls-server", "  crl-distribution-points: {critical: no}", " ",
	    "LEAF-CRLDP" },
	{ "smime", "    required: yes\n  crl", "    required: no\n  crl",
	    "SM-SAN" },
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

/* What a SHOULD or TOOL rule finds, refused and acknowledged. */
static void
test_acknowledged(void **state)
{
	static const struct edit edits[] = {
		{ "ocsp-responder-public", "max: 395d", "max: 398d",
		    "OCR-LIFE-SHORT" },
		{ "ocsp-responder-public", BASE,
		    BASE "  authority-information-access: {critical: no, "
			 "methods: [ocsp]}\n",
		    "OCR-NO-AIA" },
		{ "ocsp-responder-public",
		    "  subject-key-identifier: {critical: no}\n", "",
		    "OCR-SKI" },
		{ "issuing-ca-tls", "max: 1095d", "max: 1461d", "SUB-LIFE-3Y" },
		{ "issuing-ca", BASE,
		    BASE "  inhibit-any-policy: {critical: yes, skip: 0}\n",
		    "SUB-NO-OTHER" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		AUTO_CHARS(text) = profile_text(edits[i].profile);
		AUTO_CHARS(one) = edited(text, edits[i].from, edits[i].to);
		bool more = strstr(text, "allow-lint:") != NULL;
		AUTO_CHARS(row) = more
		    ? text_printf(MORE("%s", "agreed upon"), edits[i].id)
		    : text_printf(ALLOW("%s", "agreed upon") BASE, edits[i].id);
		AUTO_CHARS(two) = edited(one, more ? ABOVE : BASE, row);
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_PTR(profile) *profile = NULL;
		const char *reason = NULL, *id = NULL;

		check_refused(&edits[i]);
		if (profile_load("p.yaml", (const unsigned char *)two,
			strlen(two), &findings, &profile) != 0)
			assert_clean(&findings);
		assert_finding(&findings, edits[i].id);
		assert_int_equal(findings.rows[0].severity, FINDING_NOTICE);
		assert_non_null(strstr(findings.rows[0].text, "agreed upon"));
		assert_true(
		    profile_acknowledges(profile, edits[i].id, &reason));
		assert_string_equal(reason, "agreed upon");
		assert_false(profile_acknowledges(profile, "ROOT-AKI", NULL));
		assert_true(
		    profile_acknowledgement(profile, more, &id, &reason));
		assert_string_equal(id, edits[i].id);
		assert_false(
		    profile_acknowledgement(profile, more + 1, &id, &reason));
	}
}

/* A part of a SHOULD NOT rule that its source calls MUST NOT. */
static void
test_hard(void **state)
{
	static const struct edit edit = { "ocsp-responder-public", BASE,
		ALLOW("OCR-NO-AIA", "agreed upon") BASE
		"  authority-information-access: {critical: no, methods: "
		"[ca-issuers]}\n",
		"OCR-NO-AIA" };

	(void)state;
	check_refused(&edit);
}

/* Every id that the compiler's tables name is a rule. */
static void
test_ids(void **state)
{
	static const struct value_rules *const tables[] = { &judge_ca,
		&judge_leaf, &judge_status };
	const struct extension_rule *row;

	(void)state;
	for (size_t i = 0; (row = extension_rule_at(i)) != NULL; i++)
		if (rule_by_id(row->id) == NULL)
			fail_msg("%s is no rule", row->id);
	for (size_t t = 0; t < 3; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (rule_by_id(tables[t]->rows[i].id) == NULL)
				fail_msg(
				    "%s is no rule", tables[t]->rows[i].id);
	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		for (int id = 0; id < EXT_COUNT; id++) {
			const char *name = extension_forbidden(
			    (enum profile_kind)kind, (enum extension_id)id);

			assert_non_null(rule_by_id(extensions[id].crit_id));
			if (name != NULL)
				assert_non_null(rule_by_id(name));
		}
}

/* What a plan must give. */
static void
test_needs(void **state)
{
	AUTO_PTR(profile) *client = load("client", NULL, NULL);
	AUTO_PTR(profile) *server = load("tls-server", NULL, NULL);
	AUTO_PTR(profile) *crl = load("ca-crl", NULL, NULL);
	AUTO_PTR(profile) *partition = load("crl-partition", NULL, NULL);
	AUTO_PTR(profile) *ocsp = load("ocsp-response", NULL, NULL);
	struct profile_attribute attribute;

	(void)state;
	assert_true(profile_attribute(client, 2, &attribute));
	assert_string_equal(attribute.name, "common-name");
	assert_true(attribute.required && attribute.from_csr);
	assert_true(profile_attribute(client, 1, &attribute));
	assert_false(attribute.from_csr);
	assert_false(profile_attribute(client, 4, &attribute));
	assert_true(profile_needs_csr(client));
	assert_false(profile_needs_csr(server));
	assert_int_equal(
	    profile_alt_types(server), ALT_BIT(ALT_DNS) | ALT_BIT(ALT_IP));
	assert_true(profile_alt_required(server));
	assert_false(profile_alt_required(client));
	assert_false(profile_alt_from_csr(server));
	assert_int_equal(profile_alt_types(crl), 0);
	assert_false(profile_needs_distribution_url(crl));
	assert_true(profile_needs_distribution_url(partition));
	assert_int_equal(profile_covers(partition), COVERS_USER);
	assert_int_equal(profile_covers(ocsp), COVERS_CA);
	assert_true(profile_adds_sha1(ocsp));
	assert_false(profile_is_certificate(ocsp) || profile_is_ca(ocsp));
	for (int kind = 0; kind < PROFILE_KINDS; kind++)
		assert_int_equal(profile_kind_by_name(profile_kind_name(
				     (enum profile_kind)kind)),
		    kind);
	assert_int_equal(profile_kind_by_name("leaf"), -1);
}

static const char *
said(const struct description *description, const char *key)
{
	for (size_t i = 0; i < description->count; i++)
		if (strcmp(description->rows[i].key, key) == 0)
			return description->rows[i].text;
	fail_msg("nothing is said of '%s'", key);
	return NULL;
}

/* Every extension that a profile has is explained, and what it says is. */
static void
test_described(void **state)
{
	AUTO_PTR(profile) *profile = load("issuing-ca", ABOVE,
	    MORE("SUB-NO-OTHER", "two PKIs") NC_ROW(
		"permitted: [{dns: a.example}, {ip: 192.0.2.0/24}]") "  inhibit-any-policy: {critical: yes, skip: 0}\n");
	AUTO_STRUCT(description) d = { 0 };

	(void)state;
	assert_int_equal(profile_describe(profile, &d), 0);
	assert_string_equal(said(&d, "id"), "issuing-ca");
	assert_string_equal(said(&d, "extensions.basic-constraints"),
	    "it is a CA that may issue no further CAs; critical");
	assert_string_equal(said(&d, "extensions.key-usage"),
	    "the key is for keyCertSign, cRLSign; critical");
	assert_string_equal(said(&d, "extensions.name-constraints"),
	    "limits the names below it; permitted: dns:a.example, "
	    "ip:192.0.2.0/24; critical");
	assert_non_null(
	    strstr(said(&d, "allow-lint.SUB-NO-OTHER"), "two PKIs"));
	assert_non_null(strstr(said(&d, "ruleset"), "private, rfc5280"));
	assert_non_null(strstr(said(&d, "validity"), "3652 days"));
	assert_non_null(strstr(said(&d, "subject[0]"), "country, required"));
}

/* Words for what has none, and one order where the file's means nothing. */
static void
test_words(void **state)
{
	AUTO_PTR(profile) *root =
	    load("root", "[p-256, p-384, p-521, rsa-3072, rsa-4096]",
		"[rsa-4096, p-521, p-384, rsa-3072, p-256]");
	AUTO_PTR(profile) *same = load("root", NULL, NULL);
	AUTO_PTR(profile) *sub = load("issuing-ca-tls", NULL, NULL);
	AUTO_PTR(profile) *server = load("tls-server", NULL, NULL);
	AUTO_STRUCT(description) r = { 0 };
	AUTO_STRUCT(description) t = { 0 };
	AUTO_STRUCT(description) s = { 0 };
	AUTO_STRUCT(description) e = { 0 };

	(void)state;
	assert_int_equal(profile_describe(root, &r), 0);
	assert_int_equal(profile_describe(same, &t), 0);
	assert_int_equal(profile_describe(sub, &s), 0);
	assert_int_equal(profile_describe(server, &e), 0);
	assert_string_equal(said(&r, "keys"), said(&t, "keys"));
	assert_non_null(strstr(said(&r, "keys"), "p-256, p-384"));
	assert_string_equal(said(&r, "extensions.authority-key-identifier"),
	    "the identifier of its own key");
	assert_string_equal(said(&s, "extensions.authority-key-identifier"),
	    "the identifier of the issuer's key");
	assert_string_equal(said(&s, "extensions.certificate-policies"),
	    "under domain-validated TLS (2.23.140.1.2.1)");
	assert_non_null(strstr(said(&e, "extensions.subject-alternative-name"),
	    "; critical where the subject is empty"));
}

static void
test_all_described(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
		AUTO_PTR(profile) *profile = load(shipped[i].id, NULL, NULL);
		AUTO_STRUCT(description) d = { 0 };

		assert_int_equal(profile_describe(profile, &d), 0);
		assert_true(d.count > 5);
		for (size_t j = 0; j < d.count; j++)
			assert_true(strlen(d.rows[j].text) > 3);
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
		cmocka_unit_test(test_reworked),
		cmocka_unit_test(test_warned),
		cmocka_unit_test(test_rulesets),
		cmocka_unit_test(test_acknowledged),
		cmocka_unit_test(test_hard),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_described),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_all_described),
		cmocka_unit_test(test_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
