/* End entities, and what their issuer's own certificate allows them. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "profiles/existing.h"
#include "support.h"

/* A root, an issuing CA below it, and a subject's key. */
struct world {
	X509 *root, *issuer;
	unsigned char *spki;
	size_t spki_len;
};

static X509 *
issuer_of(
    X509 *root, const char *profile_name, const char *from, const char *to)
{
	AUTO_PTR(profile) *profile = load(profile_name, from, to);
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 1), &len);
	struct certificate_request req = request(profile, root, spki, len);

	return issue(&req, key("p-384", 0));
}

static void
world_open(
    struct world *w, const char *issuer, const char *from, const char *to)
{
	w->root = root_of(key("p-384", 0));
	w->issuer = issuer_of(w->root, issuer, from, to);
	w->spki = spki_of(key("p-256", 2), &w->spki_len);
}

static void
world_close(struct world *w)
{
	X509_free(w->root);
	X509_free(w->issuer);
	free(w->spki);
}

static const struct name_value person[] = {
	{ "country", "DE" },
	{ "organization", "Example GmbH" },
	{ "common-name", "www.example.com" },
};

static const struct alt_name server[] = {
	{ ALT_DNS, "www.example.com" },
	{ ALT_IP, "192.0.2.1" },
};

static struct certificate_request
leaf_request(const struct world *w, const struct profile *profile)
{
	struct certificate_request req =
	    request(profile, w->issuer, w->spki, w->spki_len);

	req.subject = person;
	req.subject_count = 3;
	req.alt_names = server;
	req.alt_count = 2;
	return req;
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

/* OpenSSL's verifier, strict, and the profile against the finished one. */
static void
verify(const struct world *w, X509 *leaf, int purpose,
    const struct profile *profile)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_DER(der) = NULL;
	X509_VERIFY_PARAM *param;
	int len = i2d_X509(leaf, &der);

	assert_int_equal(X509_STORE_add_cert(store, w->root), 1);
	assert_true(sk_X509_push(chain, w->issuer) > 0);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, chain), 1);
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, now);
	assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, purpose), 1);
	assert_int_equal(
	    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT), 1);
	if (X509_verify_cert(ctx) != 1)
		fail_msg("%s",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)));
	sk_X509_free(chain);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	assert_int_equal(certificate_check_profile(der, (size_t)len, profile,
			     w->issuer, "leaf", &findings),
	    0);
	assert_clean(&findings);
}

static void
test_server(void **state)
{
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;

	(void)state;
	world_open(&w, "issuing-ca", NULL, NULL);
	req = leaf_request(&w, profile);
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_SSL_SERVER, profile);
	assert_int_equal(
	    X509_check_host(leaf, "www.example.com", 0, 0, NULL), 1);
	assert_int_equal(X509_check_host(leaf, "example.com", 0, 0, NULL), 0);
	assert_int_equal(X509_check_ip_asc(leaf, "192.0.2.1", 0), 1);
	assert_int_equal(X509_check_ca(leaf), 0);
	assert_int_equal(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	assert_int_equal(
	    X509_get_ext_by_NID(leaf, NID_subject_key_identifier, -1), -1);
	world_close(&w);
}

/* SAN-CRIT: without a subject the names are critical. */
static void
test_empty_subject(void **state)
{
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;
	int at;

	(void)state;
	world_open(&w, "issuing-ca", NULL, NULL);
	req = leaf_request(&w, profile);
	req.subject_count = 0;
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_SSL_SERVER, profile);
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(leaf)), 0);
	at = X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1);
	assert_int_equal(
	    X509_EXTENSION_get_critical(X509_get_ext(leaf, at)), 1);
	req.alt_count = 0;
	refused(&req, "PROFILE-SAN");
	world_close(&w);
}

static void
test_rsa_server(void **state)
{
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;

	(void)state;
	world_open(&w, "issuing-ca", NULL, NULL);
	free(w.spki);
	w.spki = spki_of(key("rsa-2048", 0), &w.spki_len);
	req = leaf_request(&w, profile);
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_SSL_SERVER, profile);
	assert_int_equal(X509_get_key_usage(leaf),
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	world_close(&w);
}

static void
test_refused_names(void **state)
{
	static const struct {
		struct alt_name names[2];
		size_t count;
		const char *id;
	} cases[] = {
		{ { { ALT_EMAIL, "a@example.com" } }, 1, "PROFILE-SAN" },
		{ { { ALT_DNS, "a_b.example.com" } }, 1, "DNS-NO-UNDERSCORE" },
		{ { { ALT_DNS, "*" } }, 1, "DNS-WILDCARD-FORM" },
		{ { { ALT_IP, "192.0.2.300" } }, 1, "SAN-IP" },
		{ { { ALT_DNS, "a.example" }, { ALT_DNS, "A.EXAMPLE" } }, 2,
		    "SAN-NO-DUP" },
		{ { { ALT_DNS, "" } }, 0, "PROFILE-SAN" },
	};
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);

	(void)state;
	world_open(&w, "issuing-ca", NULL, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct certificate_request req = leaf_request(&w, profile);

		req.alt_names = cases[i].names;
		req.alt_count = cases[i].count;
		refused(&req, cases[i].id);
	}
	world_close(&w);
}

/* SAN-IN-NC: each type of name against the issuer's own certificate. */
static void
test_constrained(void **state)
{
	static const struct {
		struct alt_name name;
		bool fine;
	} cases[] = {
		{ { ALT_DNS, "www.example.com" }, true },
		{ { ALT_DNS, "*.www.example.com" }, true },
		{ { ALT_DNS, "*.example.com" }, false },
		{ { ALT_DNS, "www.example.org" }, false },
		{ { ALT_DNS, "secret.example.com" }, false },
		{ { ALT_DNS, "*.secret.example.com" }, false },
		{ { ALT_IP, "192.0.2.9" }, true },
		{ { ALT_IP, "198.51.100.1" }, false },
		{ { ALT_IP, "2001:db8::1" }, false },
	};
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);

	(void)state;
	world_open(&w, "issuing-ca", "extensions:\n",
	    "extensions:\n  name-constraints:\n    critical: yes\n    "
	    "permitted: [{dns: example.com}, {ip: 192.0.2.0/24}]\n    "
	    "excluded: [{dns: secret.example.com}]\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct certificate_request req = leaf_request(&w, profile);

		req.alt_names = &cases[i].name;
		req.alt_count = 1;
		if (!cases[i].fine) {
			refused(&req, "SAN-IN-NC");
			continue;
		}
		{
			AUTO(X509) *leaf = issue(&req, key("p-256", 1));

			verify(&w, leaf, X509_PURPOSE_SSL_SERVER, profile);
		}
	}
	world_close(&w);
}

/* Constraints below constraints, of each type. */
static void
test_nested_constraints(void **state)
{
	static const struct {
		const char *rows;
		bool fine;
	} cases[] = {
		{ "{dns: a.example.com}", true },
		{ "{dns: example.org}", false },
		{ "{dns: com}", false },
		{ "{dns: x.secret.example.com}", false },
		{ "{ip: 192.0.2.128/25}", true },
		{ "{ip: 192.0.0.0/16}", false },
		{ "{email: example.com}", true },
		{ "{email: a@example.com}", true },
		{ "{email: .example.com}", false },
		{ "{uri: example.com}", true },
		{ "{uri: example.org}", false },
		{ "{directory: [{attribute: country, encoding: printable, "
		  "value: DE}, {attribute: organization, encoding: utf8, "
		  "value: Example GmbH}]}",
		    true },
		{ "{directory: [{attribute: country, encoding: printable, "
		  "value: FR}]}",
		    false },
	};
	AUTO(X509) *root = root_of(key("p-384", 0));
	AUTO(X509) *policy = issuer_of(root, "policy-ca", "extensions:\n",
	    "extensions:\n  name-constraints:\n    critical: yes\n    "
	    "permitted: [{dns: example.com}, {ip: 192.0.2.0/24}, {email: "
	    "example.com}, {uri: example.com}, {directory: [{attribute: "
	    "country, encoding: printable, value: DE}]}]\n    excluded: "
	    "[{dns: secret.example.com}]\n");
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 2), &len);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char nc[512];
		AUTO_PTR(profile) *profile = NULL;
		AUTO_STRUCT(findings) findings = { 0 };
		struct certificate_request req;

		(void)snprintf(nc, sizeof nc,
		    "extensions:\n  name-constraints:\n    critical: yes\n    "
		    "permitted: [%s]\n",
		    cases[i].rows);
		profile = load("issuing-ca", "extensions:\n", nc);
		req = request(profile, policy, spki, len);
		req.subject = (const struct name_value[]){
			{ "common-name", "Example Issuing G1" },
			{ "country", "DE" },
			{ "organization", "Example GmbH" },
		};
		if (cases[i].fine) {
			assert_int_equal(certificate_check(&req, &findings), 0);
			assert_clean(&findings);
		} else {
			refused(&req, "NC-NESTED");
		}
	}
}

/* POL-CHAIN */
static void
test_policies(void **state)
{
	struct world w;
	AUTO_PTR(profile) *same = load("tls-server", "extensions:\n",
	    "extensions:\n  certificate-policies: {critical: no, policies: "
	    "[1.2.3]}\n");
	AUTO_PTR(profile) *other = load("tls-server", "extensions:\n",
	    "extensions:\n  certificate-policies: {critical: no, policies: "
	    "[1.2.4]}\n");
	struct certificate_request req;
	AUTO_STRUCT(findings) findings = { 0 };

	(void)state;
	world_open(&w, "issuing-ca", "[any-policy]", "[1.2.3]");
	req = leaf_request(&w, same);
	assert_int_equal(certificate_check(&req, &findings), 0);
	assert_clean(&findings);
	req.profile = other;
	refused(&req, "POL-CHAIN");
	world_close(&w);
	world_open(&w, "issuing-ca", NULL, NULL);
	req = leaf_request(&w, other);
	assert_int_equal(certificate_check(&req, &findings), 0);
	assert_clean(&findings);
	world_close(&w);
}

/* Below a CA that calls 1.2.3 by another name, 1.2.3 says nothing. */
static void
test_mapped_policies(void **state)
{
	static const struct {
		const char *policy;
		bool fine;
	} cases[] = { { "1.2.4", true }, { "1.2.3", false }, { "1.2.5", true },
		{ "1.2.6", false } };
	AUTO_CHARS(text) = profile_text("issuing-ca");
	AUTO_CHARS(one) = edited(text, "[any-policy]", "[1.2.3, 1.2.5]");
	AUTO_CHARS(two) = edited(one, "\nextensions:\n",
	    "  - {id: SUB-NO-OTHER, reason: two PKIs}\n\nextensions:\n  "
	    "policy-mappings: {critical: yes, mappings: [{issuer: 1.2.3, "
	    "subject: 1.2.4}]}\n");
	AUTO_STRUCT(findings) found = { 0 };
	AUTO_PTR(profile) *profile = NULL;
	AUTO(X509) *root = root_of(key("p-384", 0));
	AUTO(X509) *issuer = NULL;
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 1), &len);
	struct certificate_request req;

	(void)state;
	assert_int_equal(profile_load("p", (const unsigned char *)two,
			     strlen(two), &found, &profile),
	    0);
	req = request(profile, root, spki, len);
	issuer = issue(&req, key("p-384", 0));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_CHARS(row) = text_printf("extensions:\n  "
					      "certificate-policies: "
					      "{critical: no, policies: "
					      "[%s]}\n",
		    cases[i].policy);
		AUTO_PTR(profile) *leaf =
		    load("tls-server", "extensions:\n", row);
		AUTO_STRUCT(findings) findings = { 0 };
		size_t leaf_len;
		AUTO_BYTES(leaf_spki) = spki_of(key("p-256", 2), &leaf_len);
		struct world w = { root, issuer, leaf_spki, leaf_len };

		req = leaf_request(&w, leaf);
		if (!cases[i].fine) {
			refused(&req, "POL-CHAIN");
			continue;
		}
		assert_int_equal(certificate_check(&req, &findings), 0);
		assert_clean(&findings);
	}
}

/* A host in the common name is held to the issuer's limits, as verifiers do. */
static void
test_constrained_common_name(void **state)
{
	static const struct {
		const char *name;
		bool fine;
	} cases[] = {
		{ "device 4711", true },
		{ "www.example.com", true },
		{ "www.example.org", false },
		{ "secret.example.com", false },
	};
	struct world w;
	AUTO_PTR(profile) *profile = load("client", NULL, NULL);

	(void)state;
	world_open(&w, "issuing-ca", "extensions:\n",
	    "extensions:\n  name-constraints:\n    critical: yes\n    "
	    "permitted: [{dns: example.com}]\n    excluded: [{dns: "
	    "secret.example.com}]\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct name_value name = { "common-name", cases[i].name };
		struct csr csr = { .names = &name, .name_count = 1 };
		struct certificate_request req = leaf_request(&w, profile);

		req.subject = &person[1]; /* the organization */
		req.subject_count = 1;
		req.alt_count = 0;
		req.csr = &csr;
		if (!cases[i].fine) {
			refused(&req, "NC-NESTED");
			continue;
		}
		{
			AUTO(X509) *leaf = issue(&req, key("p-256", 1));

			verify(&w, leaf, X509_PURPOSE_SSL_CLIENT, profile);
		}
	}
	world_close(&w);
}

static void
test_nesting(void **state)
{
	struct world w;
	AUTO_PTR(profile) *profile = load("tls-server", NULL, NULL);
	AUTO_PTR(profile) *smime = load("smime", NULL, NULL);
	AUTO_STRUCT(findings) findings = { 0 };
	struct certificate_request req;

	(void)state;
	world_open(
	    &w, "issuing-ca", "[server-auth, client-auth]", "[client-auth]");
	req = leaf_request(&w, profile);
	refused(&req, "SUB-EKU-NESTED");
	req.profile = smime;
	req.alt_names = &(const struct alt_name){ ALT_EMAIL, "a@example.com" };
	req.alt_count = 1;
	refused(&req, "SUB-EKU-NESTED");
	/* KEY-USE-ROOT: a warning in a private PKI */
	req = leaf_request(&w, profile);
	req.issuer = w.root;
	assert_int_equal(certificate_check(&req, &findings), 0);
	assert_finding(&findings, "KEY-USE-ROOT");
	assert_clean(&findings);
	world_close(&w);
}

/* Each key's family has its usages. */
static void
test_smime(void **state)
{
	static const struct alt_name mailbox = { ALT_EMAIL, "a@example.com" };
	static const struct {
		const char *type;
		uint32_t usage;
	} cases[] = {
		{ "p-256", KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT },
		{ "rsa-2048", KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
	};
	AUTO_PTR(profile) *profile = load("smime", NULL, NULL);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world w;
		AUTO(X509) *leaf = NULL;
		struct certificate_request req;

		world_open(&w, "issuing-ca-smime", NULL, NULL);
		free(w.spki);
		w.spki = spki_of(key(cases[i].type, 2), &w.spki_len);
		req = leaf_request(&w, profile);
		req.alt_names = &mailbox;
		req.alt_count = 1;
		leaf = issue(&req, key("p-256", 1));
		verify(&w, leaf, X509_PURPOSE_SMIME_SIGN, profile);
		assert_int_equal(X509_get_key_usage(leaf), cases[i].usage);
		assert_int_equal(
		    X509_check_email(leaf, "a@example.com", 0, 0), 1);
		world_close(&w);
	}
}

static void
test_code_signing(void **state)
{
	static const struct name_value subject[] = {
		{ "country", "DE" },
		{ "locality", "Berlin" },
		{ "organization", "Example GmbH" },
		{ "common-name", "Example GmbH" },
	};
	struct world w;
	AUTO_PTR(profile) *profile = load("code-signing", NULL, NULL);
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;

	(void)state;
	world_open(&w, "issuing-ca-code-signing", NULL, NULL);
	req = leaf_request(&w, profile);
	req.subject = subject;
	req.subject_count = 4;
	refused(&req, "PROFILE-SAN");
	req.alt_count = 0;
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_ANY, profile);
	world_close(&w);
}

/* ---- from the request ------------------------------------------------- */

static void
test_client(void **state)
{
	const struct name_value asked[] = {
		{ "organization", "Somebody Else" },
		{ "common-name", "device 4711" },
	};
	const struct alt_name asked_names[] = { { ALT_DNS, "x.example" } };
	struct name_value given[] = { { "organization", "Example GmbH" } };
	struct csr csr = { .asks = CSR_ASKS_CA };
	struct world w;
	AUTO_PTR(profile) *profile = load("client", NULL, NULL);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;
	struct name_value names[2];
	struct alt_name alt_names[1];

	(void)state;
	memcpy(names, asked, sizeof names);
	memcpy(alt_names, asked_names, sizeof alt_names);
	csr.names = names;
	csr.name_count = 2;
	csr.alt_names = alt_names;
	csr.alt_count = 1;
	world_open(&w, "issuing-ca", NULL, NULL);
	req = leaf_request(&w, profile);
	req.subject = given;
	req.subject_count = 1;
	req.alt_count = 0;
	refused(&req, "PROFILE-SUBJECT"); /* no request, no common name */
	req.csr = &csr;
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_SSL_CLIENT, profile);
	assert_int_equal(certificate_facts(leaf, &facts), 0);
	assert_string_equal(facts.subject, "CN=device 4711, O=Example GmbH");
	assert_int_equal(
	    X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1), -1);
	/* What it asked for and did not get is said. */
	assert_int_equal(certificate_check(&req, &findings), 0);
	assert_finding(&findings, "CSR-IGNORE");
	assert_finding(&findings, "CSR-NO-CA");
	assert_clean(&findings);
	/* The plan may not give what the request gives. */
	given[0] = (struct name_value){ "common-name", "device 4712" };
	refused(&req, "PROFILE-SUBJECT");
	world_close(&w);
}

static void
test_names_from_request(void **state)
{
	struct alt_name names[] = { { ALT_DNS, "a.example" },
		{ ALT_DNS, "bad_name.example" } };
	struct csr csr = { .alt_names = names, .alt_count = 1 };
	struct world w;
	AUTO_PTR(profile) *profile = load(
	    "tls-server", "required: yes\n", "required: yes\n    from: csr\n");
	AUTO(X509) *leaf = NULL;
	struct certificate_request req;

	(void)state;
	world_open(&w, "issuing-ca", NULL, NULL);
	assert_true(profile_needs_csr(profile));
	req = leaf_request(&w, profile);
	req.csr = &csr;
	refused(&req, "PROFILE-SAN"); /* the plan's own names */
	req.alt_count = 0;
	leaf = issue(&req, key("p-256", 1));
	verify(&w, leaf, X509_PURPOSE_SSL_SERVER, profile);
	assert_int_equal(X509_check_host(leaf, "a.example", 0, 0, NULL), 1);
	csr.alt_count = 2;
	refused(&req, "DNS-NO-UNDERSCORE");
	csr.alt_count = 1;
	csr.alt_others = 1;
	refused(&req, "PROFILE-SAN");
	world_close(&w);
}

/* ---- by date ---------------------------------------------------------- */

/* LEAF-LIFE: 200 days, from 2027-03-15 100, from 2029-03-15 47. */
static void
test_life(void **state)
{
	static const struct {
		int64_t now;
		int days;
		bool fine;
	} cases[] = {
		{ 1805068799, 199, true },
		{ 1805068800, 199, false },
		{ 1805068800, 100, true },
		{ 1868227199, 100, true },
		{ 1868227200, 100, false },
		{ 1868227200, 47, true },
		{ 1868227200, 48, false },
	};
	AUTO_CHARS(text) = profile_text("tls-server");
	AUTO_CHARS(one) = edited(text, "ruleset: private", "ruleset: cabf-tls");
	AUTO_CHARS(two) = edited(
	    one, "default: 365d\n  max: 825d", "default: 47d\n  max: 199d");
	AUTO_CHARS(three) = edited(two,
	    "subject:\n  - {attribute: country, encoding: printable, required: "
	    "no}\n  - {attribute: organization, encoding: utf8, required: "
	    "no}\n  - {attribute: common-name, encoding: utf8, required: no}\n",
	    "subject:\n  - {attribute: country, encoding: printable, required: "
	    "no}\n");
	AUTO_CHARS(four) = edited(three, "extensions:\n",
	    "extensions:\n  certificate-policies: {critical: no, policies: "
	    "[2.23.140.1.2.1]}\n");
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(profile) *profile = NULL;
	struct world w;

	(void)state;
	if (profile_load("p", (const unsigned char *)four, strlen(four),
		&findings, &profile) != 0)
		assert_clean(&findings);
	world_open(&w, "issuing-ca", NULL, NULL);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct certificate_request req = leaf_request(&w, profile);
		AUTO_STRUCT(findings) found = { 0 };

		req.subject_count = 1;
		req.now = cases[i].now;
		req.validity = (int64_t)cases[i].days * DAY;
		if (!cases[i].fine) {
			refused(&req, "LEAF-LIFE");
			continue;
		}
		assert_int_equal(certificate_check(&req, &found), 0);
		assert_clean(&found);
	}
	world_close(&w);
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
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_empty_subject),
		cmocka_unit_test(test_rsa_server),
		cmocka_unit_test(test_refused_names),
		cmocka_unit_test(test_constrained),
		cmocka_unit_test(test_nested_constraints),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_mapped_policies),
		cmocka_unit_test(test_constrained_common_name),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_smime),
		cmocka_unit_test(test_code_signing),
		cmocka_unit_test(test_client),
		cmocka_unit_test(test_names_from_request),
		cmocka_unit_test(test_life),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
