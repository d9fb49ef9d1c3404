/*
 * What every shipped profile makes, with every key that it allows, against the
 * linter as it is asked before signing: nothing may be found that refuses.
 */
#include <string.h>

#include "profiles/lint/lint.h"
#include "profiles/ocsp.h"
#include "support.h"

/* A certificate with its key, as an issuer. */
struct made {
	X509 *cert;
	EVP_PKEY *key;
};

/* What is asked for under one profile. */
struct want {
	const char *profile, *issuer; /* NULL: a root */
	const struct name_value *subject;
	size_t subject_count;
	const struct alt_name *names;
	size_t name_count;
};

static const struct name_value ca[] = {
	{ "country", "DE" },
	{ "organization", "Example GmbH" },
	{ "common-name", "Example CA G2" },
};
static const struct name_value signer[] = {
	{ "country", "DE" },
	{ "locality", "Berlin" },
	{ "organization", "Example GmbH" },
	{ "common-name", "Example GmbH" },
};
static const struct name_value device[] = {
	{ "organization", "Example GmbH" },
};
static const struct alt_name hosts[] = {
	{ ALT_DNS, "www.example.com" },
};
static const struct alt_name mailboxes[] = {
	{ ALT_EMAIL, "a@example.com" },
};

static const struct want wants[] = {
	{ "root", NULL, ca, 3, NULL, 0 },
	{ "root-public", NULL, ca, 3, NULL, 0 },
	{ "policy-ca", "root", ca, 3, NULL, 0 },
	{ "issuing-ca", "root", ca, 3, NULL, 0 },
	{ "issuing-ca-tls", "root-public", ca, 3, NULL, 0 },
	{ "issuing-ca-smime", "root", ca, 3, NULL, 0 },
	{ "issuing-ca-code-signing", "root", ca, 3, NULL, 0 },
	{ "cross", "root", NULL, 0, NULL, 0 },
	{ "cross-public", "root-public", NULL, 0, NULL, 0 },
	{ "ocsp-responder", "root", ca, 3, NULL, 0 },
	{ "ocsp-responder-public", "root-public", ca, 3, NULL, 0 },
	{ "tls-server", "issuing-ca", ca, 3, hosts, 1 },
	{ "tls-server", "issuing-ca", NULL, 0, hosts, 1 },
	{ "client", "issuing-ca", device, 1, NULL, 0 },
	{ "smime", "issuing-ca-smime", ca, 3, mailboxes, 1 },
	{ "code-signing", "issuing-ca-code-signing", signer, 4, NULL, 0 },
};

static size_t complaints;

/* Notices and what is acknowledged are fine; errors and warnings are told. */
static void
judge(const char *what, const char *type, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *row = &findings->rows[i];

		if (row->severity == FINDING_NOTICE)
			continue;
		print_message("%s, %s: %s %s %s: %s (%s)\n", what, type,
		    severity_name(row->severity), row->id, row->place,
		    row->text, row->source);
		complaints++;
	}
}

static struct der
der_of(X509 *cert, unsigned char **der)
{
	int len = cert != NULL ? i2d_X509(cert, der) : 0;

	return (struct der){ *der, len > 0 ? (size_t)len : 0 };
}

static void
lint(const char *what, const char *type, const struct profile *profile,
    const struct tbs *tbs, X509 *issuer, X509 *existing)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_BYTES(object) = NULL;
	AUTO_DER(issuer_der) = NULL;
	AUTO_DER(existing_der) = NULL;
	size_t len;
	struct lint_context context = { .rulesets = profile_rulesets(profile),
		.subjects = profile_subjects(profile),
		.at = now,
		.constant = true,
		.signing = true,
		.profile = profile };

	assert_int_equal(object_with_constant(tbs, &object, &len), 0);
	context.issuer = der_of(issuer, &issuer_der);
	context.existing = der_of(existing, &existing_der);
	assert_int_equal(
	    lint_object(what, (struct der){ object, len }, &context, &findings),
	    0);
	judge(what, type, &findings);
}

static X509 *
other_root(const char *type)
{
	static const struct name_value subject[] = {
		{ "country", "DE" },
		{ "organization", "Example GmbH" },
		{ "common-name", "Example Other Root G1" },
	};
	AUTO_PTR(profile) *profile =
	    load("root", "keys: [p-256", "keys: [rsa-2048, p-256");
	size_t len;
	AUTO_BYTES(spki) = spki_of(key(type, 3), &len);
	struct certificate_request req = request(profile, NULL, spki, len);

	req.subject = subject;
	return issue(&req, key(type, 3));
}

/* The issuer of this profile, with a P-384 key and its own issuer. */
static struct made
issuer_of(const char *name)
{
	struct made made = { .key = key("p-384", 0) };
	AUTO_PTR(profile) *profile = load(name, NULL, NULL);
	AUTO(X509) *root = NULL;
	size_t len;
	struct certificate_request req;
	bool is_root = profile_kind(profile) == PROFILE_ROOT;
	AUTO_BYTES(spki) = NULL;

	if (!is_root) {
		root = root_of(key("p-384", 0));
		made.key = key("p-384", 1);
	}
	spki = spki_of(made.key, &len);
	req = request(profile, root, spki, len);
	made.cert = issue(&req, key("p-384", 0));
	return made;
}

static void
check(const struct want *want, const struct profile *profile, const char *type)
{
	struct name_value common = { "common-name", "device 4711" };
	struct csr csr = { .names = &common, .name_count = 1 };
	struct made issuer = { 0 };
	const bool cross = profile_kind(profile) == PROFILE_CROSS;
	AUTO(X509) *existing = cross ? other_root(type) : NULL;
	size_t len;
	AUTO_BYTES(spki) = spki_of(key(type, cross ? 3 : 2), &len);
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	unsigned char random[SERIAL_LEN];
	struct certificate_request req;

	if (want->issuer != NULL)
		issuer = issuer_of(want->issuer);
	req = request(profile, issuer.cert, spki, len);
	req.subject = want->subject;
	req.subject_count = want->subject_count;
	req.alt_names = want->names;
	req.alt_count = want->name_count;
	req.url[URL_CRL] = "http://c.example.com/r.crl";
	req.url[URL_CA_ISSUERS] = "http://c.example.com/r.cer";
	req.existing = existing;
	req.csr = profile_needs_csr(profile) ? &csr : NULL;
	assert_int_equal(certificate_check(&req, &findings), 0);
	assert_clean(&findings);
	for (size_t i = 0; i < SERIAL_LEN; i++)
		random[i] = (unsigned char)(0x5b * (i + 3) ^ i << 3);
	assert_int_equal(certificate_build(&req, random, &tbs), 0);
	lint(want->profile, type, profile, &tbs, issuer.cert, existing);
	X509_free(issuer.cert);
}

static void
test_certificates(void **state)
{
	const struct key_type *type;

	(void)state;
	complaints = 0;
	for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++) {
		AUTO_PTR(profile) *profile = load(wants[i].profile, NULL, NULL);

		for (size_t k = 0; (type = key_type_at(k)) != NULL; k++)
			if (profile_allows_key(profile, type))
				check(&wants[i], profile, type->name);
	}
	assert_int_equal(complaints, 0);
}

static void
test_crls(void **state)
{
	static const struct {
		const char *profile, *issuer, *url;
	} cases[] = {
		{ "ca-crl", "root", NULL },
		{ "ca-crl-public", "root-public", NULL },
		{ "crl-ca-only", "policy-ca", "http://c.example/ca.crl" },
		{ "crl-partition", "issuing-ca", "http://c.example/7.crl" },
		{ "crl-user", "issuing-ca", NULL },
		{ "crl-user-public", "issuing-ca-tls", NULL },
	};
	static const unsigned char serial[] = { 0x11, 1, 2, 3, 4, 5, 6, 7, 8,
		9 };

	(void)state;
	complaints = 0;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t count = 0; count < 2; count++) {
			AUTO_PTR(profile) *profile =
			    load(cases[i].profile, NULL, NULL);
			struct made issuer = issuer_of(cases[i].issuer);
			const struct crl_entry entry = { serial, sizeof serial,
				now - DAY, REASON_KEY_COMPROMISE, 0 };
			const struct crl_request req = {
				.profile = profile,
				.issuer = issuer.cert,
				.number = 7,
				.now = now,
				.entries = &entry,
				.entry_count = count,
				.distribution_url = cases[i].url,
				.place = "crl",
			};
			AUTO_STRUCT(tbs) tbs = { 0 };

			assert_int_equal(crl_build(&req, &tbs), 0);
			lint(cases[i].profile, "", profile, &tbs, issuer.cert,
			    NULL);
			X509_free(issuer.cert);
		}
	assert_int_equal(complaints, 0);
}

static void
test_responses(void **state)
{
	static const unsigned char serial[] = { 0x11, 1, 2, 3, 4, 5, 6, 7, 8,
		9 };
	AUTO_PTR(profile) *profile = load("ocsp-response", NULL, NULL);
	AUTO_PTR(profile) *responder_profile =
	    load("ocsp-responder", NULL, NULL);
	struct made issuer = issuer_of("root");
	size_t len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 2), &len);
	struct certificate_request req =
	    request(responder_profile, issuer.cert, spki, len);
	AUTO(X509) *responder = issue(&req, issuer.key);

	(void)state;
	complaints = 0;
	for (int revoked = 0; revoked < 2; revoked++) {
		const struct ocsp_entry entry = {
			.serial = serial,
			.serial_len = sizeof serial,
			.not_after = now + 3000LL * DAY,
			.status = revoked ? STATUS_REVOKED : STATUS_GOOD,
			.date = revoked ? now - DAY : 0,
			.reason = revoked ? REASON_SUPERSEDED : REASON_NONE,
		};
		const struct ocsp_response_request ocsp = {
			.profile = profile,
			.issuer = issuer.cert,
			.responder = responder,
			.entries = &entry,
			.entry_count = 1,
			.now = now,
			.place = "ocsp",
		};
		AUTO_STRUCT(tbs) tbs = { 0 };
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_DER(cert) = NULL;
		AUTO_DER(issuer_der) = NULL;
		AUTO_BYTES(sig) = NULL;
		AUTO_BYTES(der) = NULL;
		size_t sig_len, der_len;
		int cert_len = i2d_X509(responder, &cert);
		struct lint_context context = {
			.rulesets = profile_rulesets(profile),
			.subjects = profile_subjects(profile),
			.at = now,
			.signing = true,
			.profile = profile,
		};

		assert_int_equal(ocsp_response_build(&ocsp, &tbs), 0);
		sig = raw_signature(tbs.alg, &tbs, key("p-256", 2), &sig_len);
		assert_int_equal(ocsp_assemble(&tbs, sig, sig_len, cert,
				     (size_t)cert_len, &der, &der_len),
		    0);
		context.issuer = der_of(issuer.cert, &issuer_der);
		assert_int_equal(
		    lint_object("ocsp", (struct der){ der, der_len }, &context,
			&findings),
		    0);
		judge("ocsp-response", "", &findings);
	}
	X509_free(issuer.cert);
	assert_int_equal(complaints, 0);
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
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_crls),
		cmocka_unit_test(test_responses),
	};

	return cmocka_run_group_tests(tests, NULL, free_keys);
}
