/* Cross certificates against the certificate that they stand beside. */
#include <stdio.h>
#include <string.h>

#include "profiles/existing.h"
#include "support.h"

/* Two roots: one that signs, one that is cross-signed. */
struct world {
	X509 *root, *other;
	struct profile *profile;
	unsigned char *spki; /* of the other */
	size_t spki_len;
	struct certificate_request req;
};

static X509 *
other_root(EVP_PKEY *pkey)
{
	static const struct name_value subject[] = {
		{ "country", "FR" },
		{ "organization", "Exemple SARL" },
		{ "common-name", "Exemple Racine G1" },
	};
	AUTO_PTR(profile) *profile = load("root", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(pkey, &len);
	struct certificate_request req = request(profile, NULL, spki, len);

	req.subject = subject;
	return issue(&req, pkey);
}

static void
world_open(struct world *w, X509 *other)
{
	w->root = root_of(key("p-384", 0));
	w->other = other;
	w->profile = load("cross", NULL, NULL);
	w->spki = spki_of(key("p-256", 3), &w->spki_len);
	w->req = request(w->profile, w->root, w->spki, w->spki_len);
	w->req.subject = NULL;
	w->req.subject_count = 0;
	w->req.existing = w->other;
}

static void
world_close(struct world *w)
{
	X509_free(w->root);
	X509_free(w->other);
	profile_free(w->profile);
	free(w->spki);
}

static void
refused(const struct certificate_request *req, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	unsigned char random[SERIAL_LEN];

	assert_int_equal(certificate_check(req, &findings), 0);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
	serial_random(random);
	assert_int_equal(certificate_build(req, random, &tbs), -1);
	assert_int_equal(ca_error_reason(), CA_R_POLICY);
	assert_null(tbs.der);
	ca_error_clear();
}

static void
accepted(const struct certificate_request *req)
{
	AUTO_STRUCT(findings) findings = { 0 };

	assert_int_equal(certificate_check(req, &findings), 0);
	assert_clean(&findings);
}

static const ASN1_OCTET_STRING *
ski_of(X509 *cert)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);

	assert_non_null(ski);
	return ski;
}

/* Name, key and key identifier are the same octets. */
static void
test_octets(void **state)
{
	struct world w;
	AUTO(X509) *cross = NULL;
	AUTO_STRUCT(certificate_facts) a = { 0 };
	AUTO_STRUCT(certificate_facts) b = { 0 };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_DER(der) = NULL;
	int len;

	(void)state;
	world_open(&w, other_root(key("p-256", 3)));
	cross = issue(&w.req, key("p-384", 0));
	assert_int_equal(certificate_facts(w.other, &a), 0);
	assert_int_equal(certificate_facts(cross, &b), 0);
	assert_int_equal(a.subject_len, b.subject_len);
	assert_memory_equal(a.subject_der, b.subject_der, a.subject_len);
	assert_int_equal(a.spki_len, b.spki_len);
	assert_memory_equal(a.spki, b.spki, a.spki_len);
	assert_int_equal(
	    ASN1_OCTET_STRING_cmp(ski_of(w.other), ski_of(cross)), 0);
	assert_string_equal(
	    b.issuer, "CN=Example Root CA G1, O=Example GmbH, C=DE");
	assert_int_equal(b.path_length, 1);
	assert_false(b.self_issued);
	assert_int_equal(
	    certificate_check_issued(cross, w.root, "p", &findings), 0);
	assert_clean(&findings);
	len = i2d_X509(cross, &der);
	assert_int_equal(certificate_check_profile(der, (size_t)len, w.profile,
			     w.root, "cross", &findings),
	    0);
	assert_clean(&findings);
	world_close(&w);
}

/* CROSS-SKI-BYTES: whatever the method was (RFC 7093, say). */
static void
test_foreign_identifier(void **state)
{
	const struct foreign foreign = {
		.key = key("p-256", 3),
		.common_name = "Exemple Racine G2",
		.not_before = now - DAY,
		.not_after = now + 5000LL * DAY,
		.extensions = { "basicConstraints", "critical,CA:TRUE",
		    "keyUsage", "critical,keyCertSign,cRLSign",
		    "subjectKeyIdentifier", "0102030405060708", NULL },
	};
	struct world w;
	AUTO(X509) *cross = NULL;

	(void)state;
	world_open(&w, foreign_certificate(&foreign));
	cross = issue(&w.req, key("p-384", 0));
	assert_int_equal(ASN1_STRING_length(ski_of(cross)), 8);
	assert_int_equal(
	    ASN1_OCTET_STRING_cmp(ski_of(w.other), ski_of(cross)), 0);
	world_close(&w);
}

static void
test_refused(void **state)
{
	struct world w;
	AUTO_PTR(profile) *sub = load("issuing-ca", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 2), &len);
	struct certificate_request req;

	(void)state;
	world_open(&w, other_root(key("p-256", 3)));
	accepted(&w.req);
	req = w.req; /* a cross certificate over another key */
	req.spki = spki;
	req.spki_len = len;
	refused(&req, "CROSS-SPKI-BYTES");
	req = w.req;
	req.existing = NULL;
	refused(&req, "PROFILE-KIND");
	req = w.req;
	req.profile = sub;
	refused(&req, "PROFILE-KIND");
	req = w.req; /* a name of one's own */
	req.subject = &(const struct name_value){ "common-name", "Example" };
	req.subject_count = 1;
	refused(&req, "PROFILE-SUBJECT");
	req = w.req; /* the root beside itself */
	req.existing = req.issuer;
	refused(&req, "CROSS-SPKI-BYTES");
	world_close(&w);
}

/* What the existing certificate closes, the new one may not open. */
static void
test_limits(void **state)
{
	static const struct {
		const char *extensions[16];
		const char *id; /* NULL: fine */
	} cases[] = {
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,keyCertSign,cRLSign", NULL },
		    NULL },
		{ { "basicConstraints", "critical,CA:FALSE", "keyUsage",
		      "critical,digitalSignature", NULL },
		    "CROSS-PRECHECK" },
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,cRLSign", NULL },
		    "CROSS-PRECHECK" },
		{ { "basicConstraints", "critical,CA:TRUE,pathlen:0",
		      "keyUsage", "critical,keyCertSign,cRLSign", NULL },
		    "SUB-PATHLEN" },
		{ { "basicConstraints", "critical,CA:TRUE,pathlen:1",
		      "keyUsage", "critical,keyCertSign,cRLSign", NULL },
		    NULL },
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,keyCertSign,cRLSign", "extendedKeyUsage",
		      "serverAuth", NULL },
		    "CROSS-EKU-RESTRICTED" },
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,keyCertSign,cRLSign", "extendedKeyUsage",
		      "serverAuth,clientAuth,codeSigning", NULL },
		    NULL },
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,keyCertSign,cRLSign", "nameConstraints",
		      "critical,permitted;DNS:example.org", NULL },
		    "NC-NESTED" },
		{ { "basicConstraints", "critical,CA:TRUE", "keyUsage",
		      "critical,keyCertSign,cRLSign", "nameConstraints",
		      "critical,excluded;DNS:example.org", NULL },
		    "NC-NESTED" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct foreign foreign = {
			.key = key("p-256", 3),
			.common_name = "Exemple Racine G3",
			.not_before = now - DAY,
			.not_after = now + 5000LL * DAY,
		};
		struct world w;

		memcpy(foreign.extensions, cases[i].extensions,
		    sizeof foreign.extensions);
		world_open(&w, foreign_certificate(&foreign));
		if (cases[i].id == NULL)
			accepted(&w.req);
		else
			refused(&w.req, cases[i].id);
		world_close(&w);
	}
}

/* Name constraints that are kept, or narrowed. */
static void
test_kept_constraints(void **state)
{
	static const struct {
		const char *old, *new;
		bool fine;
	} cases[] = {
		{ "critical,permitted;DNS:example.org",
		    "permitted: [{dns: www.example.org}]", true },
		{ "critical,permitted;DNS:example.org",
		    "permitted: [{dns: org}]", false },
		{ "critical,permitted;DNS:example.org",
		    "permitted: [{email: example.org}]", false },
		{ "critical,excluded;DNS:example.org", "excluded: [{dns: org}]",
		    true },
		{ "critical,excluded;DNS:www.example.org",
		    "permitted: [{dns: example.com}]", true },
		{ "critical,excluded;DNS:example.org",
		    "excluded: [{dns: www.example.org}]", false },
		/* what is permitted lies around what was excluded */
		{ "critical,excluded;DNS:www.example.org",
		    "permitted: [{dns: example.org}]", false },
		{ "critical,excluded;IP:192.0.2.0/255.255.255.0",
		    "permitted: [{ip: 192.0.0.0/16}]", false },
		{ "critical,excluded;IP:192.0.2.0/255.255.255.0",
		    "permitted: [{ip: 192.0.3.0/24}]", true },
		{ "critical,excluded;email:a@www.example.org",
		    "permitted: [{email: .example.org}]", false },
		{ "critical,excluded;DNS:www.example.org",
		    "permitted: [{dns: example.org}]\n    excluded: [{dns: "
		    "www.example.org}]",
		    true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct foreign foreign = {
			.key = key("p-256", 3),
			.common_name = "Exemple Racine G4",
			.not_before = now - DAY,
			.not_after = now + 5000LL * DAY,
			.extensions = { "basicConstraints", "critical,CA:TRUE",
			    "keyUsage", "critical,keyCertSign,cRLSign",
			    "nameConstraints", cases[i].old, NULL },
		};
		struct world w;
		char nc[256];
		AUTO_PTR(profile) *profile = NULL;

		(void)snprintf(nc, sizeof nc,
		    "extensions:\n  name-constraints:\n    critical: yes\n    "
		    "%s\n",
		    cases[i].new);
		profile = load("cross", "extensions:\n", nc);
		world_open(&w, foreign_certificate(&foreign));
		w.req.profile = profile;
		if (cases[i].fine)
			accepted(&w.req);
		else
			refused(&w.req, "NC-NESTED");
		world_close(&w);
	}
}

/* A self-signed certificate whose signature was tampered with. */
static void
test_forged(void **state)
{
	AUTO(X509) *root = other_root(key("p-256", 3));
	AUTO_DER(der) = NULL;
	const unsigned char *p;
	int len = i2d_X509(root, &der);
	struct world w;

	(void)state;
	der[len - 1] ^= 1;
	p = der;
	world_open(&w, d2i_X509(NULL, &p, len));
	refused(&w.req, "CROSS-PRECHECK");
	world_close(&w);
}

/* Without purposes: only within one organization under the TLS BR. */
static void
test_unrestricted(void **state)
{
	AUTO_CHARS(text) = profile_text("cross-public");
	AUTO_CHARS(bare) = edited(text,
	    "  extended-key-usage:       # a root is for one purpose\n    "
	    "critical: no\n    purposes: [server-auth]\n",
	    "");
	AUTO_STRUCT(findings) findings = { 0 };
	struct profile *none = NULL;
	AUTO_PTR(profile) *private = load("cross",
	    "  extended-key-usage:       # one of: server-auth, client-auth, "
	    "both,\n    critical: no            # email-protection, with "
	    "client-auth,\n    purposes: [server-auth, client-auth]    # "
	    "code-signing, time-stamping\n",
	    "");
	struct world w;

	(void)state;
	assert_int_equal(profile_load("p", (const unsigned char *)bare,
			     strlen(bare), &findings, &none),
	    -1);
	assert_finding(&findings, "CROSS-EKU-DEDICATED");
	ca_error_clear();
	findings_clear(&findings);
	world_open(&w, other_root(key("p-256", 3)));
	w.req.profile = private;
	assert_int_equal(certificate_check(&w.req, &findings), 0);
	assert_clean(&findings);
	assert_finding(&findings, "CROSS-EKU-AFFILIATED");
	assert_finding(&findings, "CROSS-EKU-DEDICATED");
	world_close(&w);
}

/* CROSS-NOT-SELF: the old key signs the new one of the same name. */
static void
test_rollover(void **state)
{
	AUTO(X509) *old = root_of(key("p-384", 0));
	AUTO(X509) *new = root_of(key("p-256", 3));
	AUTO_PTR(profile) *profile = load("cross", NULL, NULL);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 3), &len);
	struct certificate_request req = request(profile, old, spki, len);
	AUTO(X509) *cross = NULL;
	AUTO_STRUCT(certificate_facts) facts = { 0 };

	(void)state;
	req.subject_count = 0;
	req.existing = new;
	cross = issue(&req, key("p-384", 0));
	assert_int_equal(certificate_facts(cross, &facts), 0);
	assert_true(facts.self_issued);
}

static int
free_keys(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),
		cmocka_unit_test(test_foreign_identifier),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_kept_constraints),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_unrestricted),
		cmocka_unit_test(test_rollover),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
