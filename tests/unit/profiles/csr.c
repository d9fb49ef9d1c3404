#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "support.h"

/* A request by OpenSSL, with `cn` as it stands; DER, OPENSSL_free(). */
static unsigned char *
request_of(
    EVP_PKEY *pkey, const char *cn, int type, const EVP_MD *md, size_t *ret_len)
{
	AUTO(X509_REQ) *req = X509_REQ_new();
	unsigned char *der = NULL;
	X509_NAME *name = X509_NAME_new();
	int len;

	assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, type,
			     (const unsigned char *)cn, -1, -1, 0),
	    1);
	assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
	assert_int_equal(X509_REQ_set_pubkey(req, pkey), 1);
	assert_true(X509_REQ_sign(req, pkey, md) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	X509_NAME_free(name);
	*ret_len = (size_t)len;
	return der;
}

static void
refused(const unsigned char *data, size_t len, const char *id)
{
	AUTO_STRUCT(findings) findings = { 0 };
	struct csr csr = { 0 };

	assert_int_equal(csr_read("x.csr", data, len, &findings, &csr), -1);
	assert_int_equal(ca_error_reason(), CA_R_INPUT);
	assert_finding(&findings, id);
	assert_true(findings.errors > 0);
	assert_string_equal(findings.rows[0].place, "x.csr");
	assert_null(csr.spki);
	ca_error_clear();
}

static void
test_every_type(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		EVP_PKEY *pkey = key(type->name, 0);
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };
		size_t len, spki_len;
		AUTO_DER(der) = request_of(
		    pkey, "Partner", V_ASN1_UTF8STRING, EVP_sha384(), &len);
		AUTO_BYTES(spki) = spki_of(pkey, &spki_len);
		unsigned char digest[32];

		assert_int_equal(
		    csr_read("x.csr", der, len, &findings, &csr), 0);
		assert_int_equal(findings.count, 0);
		assert_int_equal(csr.spki_len, spki_len);
		assert_memory_equal(csr.spki, spki, spki_len);
		assert_string_equal(csr.subject, "CN=Partner");
		assert_int_equal(sha256(der, len, digest), 0);
		assert_memory_equal(csr.sha256, digest, 32);
	}
}

/* The limit of 1 MiB, reached and passed by blanks. */
static void
test_size(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	AUTO_CHARS(pem) = NULL;
	AUTO_BYTES(padded) = malloc(CSR_MAX_BYTES + 1);

	(void)state;
	assert_int_equal(object_pem(OBJECT_CSR, der, len, &pem), 0);
	memset(padded, '\n', CSR_MAX_BYTES + 1);
	memcpy(padded, pem, strlen(pem));
	assert_int_equal(
	    csr_read("x.csr", padded, CSR_MAX_BYTES, &findings, &csr), 0);
	refused(padded, CSR_MAX_BYTES + 1, "CSR-DER");
}

/* What `openssl req -new` makes of a P-384 key. */
static void
test_other_hash(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-384", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);

	(void)state;
	assert_int_equal(csr_read("x.csr", der, len, &findings, &csr), 0);
	der[len - 1] ^= 1;
	refused(der, len, "CSR-POP");
}

static void
test_pem(void **state)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	AUTO_CHARS(pem) = NULL;
	AUTO_CHARS(blank) = NULL;
	AUTO_CHARS(two) = NULL;
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(behind) = NULL;
	AUTO_CHARS(label) = NULL;

	(void)state;
	assert_int_equal(object_pem(OBJECT_CSR, der, len, &pem), 0);
	assert_int_not_equal(asprintf(&blank, "\r\n \t%s\n\n", pem), -1);
	assert_int_equal(csr_read("x.csr", (unsigned char *)blank,
			     strlen(blank), &findings, &csr),
	    0);
	assert_int_equal(csr.spki_len, 91);
	assert_int_not_equal(asprintf(&two, "%s%s", pem, pem), -1);
	refused((unsigned char *)two, strlen(two), "CSR-DER");
	assert_int_not_equal(asprintf(&text, "Request:\n%s", pem), -1);
	refused((unsigned char *)text, strlen(text), "CSR-DER");
	assert_int_not_equal(asprintf(&behind, "%sx", pem), -1);
	refused((unsigned char *)behind, strlen(behind), "CSR-DER");
	/* A NUL is no blank. */
	refused((unsigned char *)pem, strlen(pem) + 1, "CSR-DER");
	assert_int_equal(object_pem(OBJECT_CERTIFICATE, der, len, &label), 0);
	refused((unsigned char *)label, strlen(label), "CSR-DER");
}

static void
test_truncated_and_longer(void **state)
{
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	AUTO_BYTES(longer) = calloc(1, len + 1);

	(void)state;
	for (size_t cut = 0; cut < len; cut++)
		refused(der, cut, "CSR-DER");
	memcpy(longer, der, len);
	refused(longer, len + 1, "CSR-DER");
}

/* One octet flipped anywhere: never accepted. */
static void
test_flipped(void **state)
{
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };

		der[i] ^= 0x01;
		assert_int_equal(
		    csr_read("x.csr", der, len, &findings, &csr), -1);
		assert_true(findings.errors > 0);
		der[i] ^= 0x01;
		ca_error_clear();
	}
}

static void
test_bad_possession(void **state)
{
	size_t len;
	AUTO_DER(sha1) = request_of(
	    key("rsa-2048", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha1(), &len);

	(void)state;
	refused(sha1, len, "CSR-POP");
	{
		/* Another key's signature over the same octets. */
		AUTO(X509_REQ) *req = X509_REQ_new();
		AUTO_DER(der) = NULL;
		int der_len;

		assert_int_equal(X509_REQ_set_pubkey(req, key("p-256", 0)), 1);
		assert_true(
		    X509_REQ_sign(req, key("p-256", 1), EVP_sha256()) > 0);
		der_len = i2d_X509_REQ(req, &der);
		refused(der, (size_t)der_len, "CSR-POP");
	}
}

static void
test_weak_key(void **state)
{
	AUTO(EVP_PKEY) *weak = EVP_RSA_gen((size_t)1024);
	AUTO(EVP_PKEY) *curve = EVP_EC_gen("secp256k1");
	AUTO(EVP_PKEY) *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t len, curve_len, ed_len;
	AUTO_DER(der) =
	    request_of(weak, "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	AUTO_DER(curve_der) = request_of(
	    curve, "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &curve_len);
	AUTO_DER(ed_der) =
	    request_of(ed, "Partner", V_ASN1_UTF8STRING, NULL, &ed_len);

	(void)state;
	refused(der, len, "KEY-RSA-MIN");
	refused(curve_der, curve_len, "ALG-SPKI-EXACT");
	refused(ed_der, ed_len, "ALG-SPKI-EXACT");
	refused(ed_der, ed_len, "CSR-POP");
}

static void
test_version(void **state)
{
	AUTO(X509_REQ) *req = X509_REQ_new();
	AUTO_DER(der) = NULL;
	int len;

	(void)state;
	assert_int_equal(X509_REQ_set_version(req, 1), 1);
	assert_int_equal(X509_REQ_set_pubkey(req, key("p-256", 0)), 1);
	assert_true(X509_REQ_sign(req, key("p-256", 0), EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	refused(der, (size_t)len, "CSR-DER");
}

/* Nothing that a terminal would obey comes through. */
static void
test_escapes(void **state)
{
	static const struct {
		const char *cn;
		int type;
	} names[] = {
		{ "x\x1b[2J\x1b]0;owned\x07", V_ASN1_UTF8STRING },
		{ "x\r\ny\x9b"
		  "31m",
		    V_ASN1_T61STRING },
		{ "a\xe2\x80\xae"
		  "b",
		    V_ASN1_UTF8STRING },
		{ "a\\\"b", V_ASN1_UTF8STRING },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };
		size_t len;
		AUTO_DER(der) = request_of(key("p-256", 0), names[i].cn,
		    names[i].type, EVP_sha256(), &len);

		assert_int_equal(
		    csr_read("x.csr", der, len, &findings, &csr), 0);
		for (const char *p = csr.subject; *p != '\0'; p++)
			assert_true((unsigned char)*p >= 0x20 &&
			    (unsigned char)*p < 0x7f);
	}
}

static void
test_broken_string(void **state)
{
	size_t len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "abcdef", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	unsigned char *at = memmem(der, len, "abcdef", 6);

	(void)state;
	assert_non_null(at);
	at[5] = 0xff;
	refused(der, len, "CSR-DER");
}

/* Ten megabytes of noise, with and without a SEQUENCE at the front. */
static void
test_noise(void **state)
{
	size_t len = 10 << 20;
	AUTO_BYTES(noise) = malloc(len);
	uint32_t x = 1;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (unsigned char)(x >> 24);
	}
	refused(noise, len, "CSR-DER");
	refused(noise, CSR_MAX_BYTES, "CSR-DER");
	noise[0] = 0x30;
	refused(noise, len, "CSR-DER");
	refused(noise, CSR_MAX_BYTES, "CSR-DER");
	refused(noise, 1, "CSR-DER");
	refused(noise, 0, "CSR-DER");
}

static const struct name_value subject[] = {
	{ "country", "DE" },
	{ "organization", "M\xc3\xbcller GmbH" },
	{ "common-name", "Issuing CA G1" },
};

static void
test_build(void **state)
{
	const struct key_type *type;

	(void)state;
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		EVP_PKEY *pkey = key(type->name, 0);
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(tbs) tbs = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };
		size_t len, spki_len;
		AUTO_BYTES(spki) = spki_of(pkey, &spki_len);
		AUTO_BYTES(der) = NULL;
		AUTO(X509_REQ) *req = NULL;
		const unsigned char *p;

		assert_int_equal(
		    csr_build(subject, 3, spki, spki_len, &tbs), 0);
		der = sign(&tbs, pkey, &len);
		assert_int_equal(
		    object_verify(&tbs, spki, spki_len, der, len), 0);
		p = der;
		req = d2i_X509_REQ(NULL, &p, (long)len);
		assert_non_null(req);
		assert_int_equal(X509_REQ_verify(req, pkey), 1);
		assert_int_equal(X509_REQ_get_attr_count(req), 0);
		assert_int_equal(
		    csr_read("x.csr", der, len, &findings, &csr), 0);
		assert_string_equal(csr.subject,
		    "CN=Issuing CA G1, O=M\xc3\xbcller GmbH, C=DE");
	}
}

static void
test_build_refused(void **state)
{
	static const struct {
		const char *id;
		struct name_value subject[2];
		size_t count;
	} rows[] = {
		{ "NAM-CA-NONEMPTY", { { "country", "DE" } }, 0 },
		{ "NAM-CA-EXTRA", { { "email", "a@b" } }, 1 },
		{ "NAM-NO-DUP",
		    { { "common-name", "a1" }, { "common-name", "b1" } }, 2 },
		{ "NAM-COUNTRY-ISO", { { "country", "ZZ" } }, 1 },
		{ "NAM-CLEAN", { { "common-name", "a\nb" } }, 1 },
		{ "NAM-LEN",
		    { { "common-name",
			"0123456789012345678901234567890123456789012345678"
			"0123456789012345" } },
		    1 },
	};
	size_t spki_len;
	AUTO_BYTES(spki) = spki_of(key("p-256", 0), &spki_len);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(tbs) tbs = { 0 };

		assert_int_equal(csr_check(rows[i].subject, rows[i].count,
				     "p.yaml:1:1", &findings),
		    0);
		assert_finding(&findings, rows[i].id);
		assert_int_equal(csr_build(rows[i].subject, rows[i].count, spki,
				     spki_len, &tbs),
		    -1);
		assert_int_equal(ca_error_reason(), CA_R_POLICY);
		ca_error_clear();
	}
}

/*
 * Attributes stand under an IMPLICIT tag, where only the template knows that
 * they are a SET, which DER sorts.
 */
static void
test_unsorted_attributes(void **state)
{
	static const unsigned char attributes[] = { 0x30, 0x09, 0x06, 0x03,
		0x55, 0x04, 0x05, 0x31, 0x02, 0x05, 0x00, 0x30, 0x09, 0x06,
		0x03, 0x55, 0x04, 0x04, 0x31, 0x02, 0x05, 0x00 };
	size_t len, at, other_len;
	AUTO_DER(der) = request_of(
	    key("p-256", 0), "Partner", V_ASN1_UTF8STRING, EVP_sha256(), &len);
	AUTO_BYTES(other) = NULL;

	(void)state;
	at = element_at(der, len, 3);
	assert_int_equal(der[at], 0xa0);
	assert_int_equal(der[at + 1], 0);
	other = spliced(
	    der, len, at + 2, attributes, sizeof attributes, &other_len);
	at = element_at(other, other_len, 3);
	other[at + 1] = sizeof attributes;
	refused(other, other_len, "CSR-DER");
	/* In order it is only the signature that does not fit. */
	other[at + 2 + 6] = 0x04;
	other[at + 2 + 11 + 6] = 0x05;
	refused(other, other_len, "CSR-POP");
}

/* A request that asks for names and extensions; DER, OPENSSL_free(). */
static unsigned char *
asking(const char *const *extensions, size_t *ret_len)
{
	AUTO(X509_REQ) *req = X509_REQ_new();
	X509_NAME *name = X509_NAME_new();
	STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
	unsigned char *der = NULL;
	X509V3_CTX ctx;
	int len;

	X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
			     (const unsigned char *)"Partner", -1, -1, 0),
	    1);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(name, "pseudonym", MBSTRING_UTF8,
		(const unsigned char *)"P", -1, -1, 0),
	    1);
	for (size_t i = 0; extensions[i] != NULL; i += 2) {
		X509_EXTENSION *one = X509V3_EXT_nconf_nid(
		    NULL, &ctx, OBJ_sn2nid(extensions[i]), extensions[i + 1]);

		assert_non_null(one);
		assert_true(sk_X509_EXTENSION_push(list, one) > 0);
	}
	if (sk_X509_EXTENSION_num(list) > 0)
		assert_int_equal(X509_REQ_add_extensions(req, list), 1);
	assert_int_equal(X509_REQ_set_subject_name(req, name), 1);
	assert_int_equal(X509_REQ_set_pubkey(req, key("p-256", 0)), 1);
	assert_true(X509_REQ_sign(req, key("p-256", 0), EVP_sha256()) > 0);
	len = i2d_X509_REQ(req, &der);
	assert_true(len > 0);
	X509_NAME_free(name);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	*ret_len = (size_t)len;
	return der;
}

static void
test_names(void **state)
{
	static const char *const extensions[] = { "subjectAltName",
		"DNS:a.example,IP:192.0.2.1,email:a@b.example,"
		"URI:urn:x:y,RID:1.2.3",
		NULL };
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };
	size_t len;
	AUTO_DER(der) = asking(extensions, &len);
	static const struct alt_name names[] = {
		{ ALT_DNS, "a.example" },
		{ ALT_IP, "192.0.2.1" },
		{ ALT_EMAIL, "a@b.example" },
		{ ALT_URI, "urn:x:y" },
	};

	(void)state;
	assert_int_equal(csr_read("x.csr", der, len, &findings, &csr), 0);
	assert_int_equal(findings.count, 0);
	assert_int_equal(csr.name_count, 2);
	assert_string_equal(csr.names[0].attribute, "organization");
	assert_string_equal(csr.names[0].value, "Partner");
	assert_string_equal(csr.names[1].attribute, "2.5.4.65");
	assert_int_equal(csr.alt_count, 4);
	assert_int_equal(csr.alt_others, 1);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(csr.alt_names[i].type, names[i].type);
		assert_string_equal(csr.alt_names[i].value, names[i].value);
	}
	assert_string_equal(csr.alternative,
	    "dns:a.example, ip:192.0.2.1, email:a@b.example, uri:urn:x:y, a "
	    "name of another type");
	assert_int_equal(csr.asks, 0);
}

static void
test_asks(void **state)
{
	static const struct {
		const char *extensions[3];
		unsigned asks;
	} cases[] = {
		{ { NULL }, 0 },
		{ { "basicConstraints", "critical,CA:TRUE", NULL },
		    CSR_ASKS_CA },
		{ { "basicConstraints", "critical,CA:FALSE", NULL }, 0 },
		{ { "keyUsage", "critical,keyCertSign", NULL },
		    CSR_ASKS_CERT_SIGN },
		{ { "keyUsage", "critical,cRLSign", NULL },
		    CSR_ASKS_CERT_SIGN },
		{ { "keyUsage", "critical,digitalSignature", NULL }, 0 },
		{ { "extendedKeyUsage", "OCSPSigning", NULL },
		    CSR_ASKS_OCSP_SIGNING },
		{ { "extendedKeyUsage", "anyExtendedKeyUsage", NULL },
		    CSR_ASKS_OCSP_SIGNING },
		{ { "extendedKeyUsage", "serverAuth", NULL }, 0 },
		{ { "noCheck", "ignored", NULL }, CSR_ASKS_MORE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };
		size_t len;
		AUTO_DER(der) = asking(cases[i].extensions, &len);

		assert_int_equal(
		    csr_read("x.csr", der, len, &findings, &csr), 0);
		assert_int_equal(csr.asks, cases[i].asks);
		assert_string_equal(csr.alternative, "");
	}
}

/* Two requests for extensions: OpenSSL reads the first alone. */
static void
test_asks_twice(void **state)
{
	static const struct {
		int first, second;
		unsigned values; /* of the first */
		bool fine;
	} cases[] = {
		{ NID_ext_req, NID_undef, 1, true },
		{ NID_ms_ext_req, NID_undef, 1, true },
		{ NID_ext_req, NID_undef, 2, false },
		{ NID_ext_req, NID_ext_req, 1, false },
		{ NID_ext_req, NID_ms_ext_req, 1, false },
	};
	/* keyUsage, critical, keyCertSign; and digitalSignature */
	static const unsigned char values[2][18] = {
		{ 0x30, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01,
		    0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x02, 0x04 },
		{ 0x30, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x1d, 0x0f, 0x01,
		    0x01, 0xff, 0x04, 0x04, 0x03, 0x02, 0x07, 0x80 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		AUTO(X509_REQ) *req = X509_REQ_new();
		const int nids[] = { cases[i].first, cases[i].second };
		AUTO_STRUCT(findings) findings = { 0 };
		AUTO_STRUCT(csr) csr = { 0 };
		AUTO_DER(der) = NULL;
		int len;

		for (size_t n = 0; n < 2 && nids[n] != NID_undef; n++) {
			X509_ATTRIBUTE *attribute =
			    X509_ATTRIBUTE_create_by_NID(NULL,
				n == 0 ? nids[n] : NID_ms_ext_req,
				V_ASN1_SEQUENCE, values[n], sizeof values[n]);

			assert_non_null(attribute);
			if (n == 0 && cases[i].values == 2)
				assert_int_equal(
				    X509_ATTRIBUTE_set1_data(attribute,
					V_ASN1_SEQUENCE, values[1],
					sizeof values[1]),
				    1);
			assert_int_equal(X509_REQ_add1_attr(req, attribute), 1);
			X509_ATTRIBUTE_free(attribute);
			/* Only so does the library take it twice. */
			attribute = X509_REQ_get_attr(req, (int)n);
			assert_int_equal(X509_ATTRIBUTE_set1_object(
					     attribute, OBJ_nid2obj(nids[n])),
			    1);
		}
		assert_int_equal(X509_REQ_set_pubkey(req, key("p-256", 0)), 1);
		assert_true(
		    X509_REQ_sign(req, key("p-256", 0), EVP_sha256()) > 0);
		len = i2d_X509_REQ(req, &der);
		assert_true(len > 0);
		if (!cases[i].fine) {
			refused(der, (size_t)len, "CSR-DER");
			continue;
		}
		assert_int_equal(
		    csr_read("x.csr", der, (size_t)len, &findings, &csr), 0);
		assert_int_equal(csr.asks, CSR_ASKS_CERT_SIGN);
	}
}

/* DER that is no GeneralNames; an address of five octets. */
static void
test_malformed_names(void **state)
{
	static const char *const extensions[][3] = {
		{ "subjectAltName", "DER:3003020101", NULL },
		{ "subjectAltName", "DER:300787050102030405", NULL },
		{ "basicConstraints", "DER:0500", NULL },
		{ "keyUsage", "DER:0500", NULL },
		{ "extendedKeyUsage", "DER:0500", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
		size_t len;
		AUTO_DER(der) = asking(extensions[i], &len);

		refused(der, len, "CSR-DER");
	}
}

/* A NUL in a name, as in "bank.example\0.evil.org". */
static void
test_nul(void **state)
{
	static const char *const extensions[] = { "subjectAltName",
		"DER:300c820a61002e6578616d706c65", NULL };
	size_t len;
	AUTO_DER(der) = asking(extensions, &len);

	(void)state;
	refused(der, len, "CSR-DER");
}

static int
close_all(void **state)
{
	(void)state;
	keys_free();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_asks),
		cmocka_unit_test(test_asks_twice),
		cmocka_unit_test(test_malformed_names),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_other_hash),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_truncated_and_longer),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_bad_possession),
		cmocka_unit_test(test_weak_key),
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_broken_string),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_unsorted_attributes),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_refused),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
