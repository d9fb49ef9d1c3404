#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/date.h"
#include "base/file.h"
#include "profiles/der/der.h"

enum { KEYS_PER_TYPE = 4 };

static EVP_PKEY *made_keys[16][KEYS_PER_TYPE];

char *
profile_text(const char *name)
{
	char path[512];
	unsigned char *data = NULL;
	size_t len;

	(void)snprintf(path, sizeof path, "%s/%s.yaml", PROFILE_DATA, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &data, &len), 0);
	return (char *)data;
}

char *
edited(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	size_t size = strlen(text) + strlen(to) + 1;
	char *out;

	if (at == NULL)
		fail_msg("'%s' is not in the profile", from);
	out = malloc(size);
	assert_non_null(out);
	(void)snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to,
	    at + strlen(from));
	return out;
}

struct profile *
load(const char *name, const char *from, const char *to)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_CHARS(text) = profile_text(name);
	AUTO_CHARS(other) = from != NULL ? edited(text, from, to) : NULL;
	const char *used = other != NULL ? other : text;
	struct profile *profile = NULL;

	if (profile_load(name, (const unsigned char *)used, strlen(used),
		&findings, &profile) != 0)
		assert_clean(&findings);
	assert_non_null(profile);
	assert_clean(&findings);
	return profile;
}

bool
has_finding(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0)
			return true;
	return false;
}

static void
print(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		print_message("%s %s %s: %s (%s)\n", findings->rows[i].place,
		    severity_name(findings->rows[i].severity),
		    findings->rows[i].id, findings->rows[i].text,
		    findings->rows[i].source);
}

void
assert_finding(const struct findings *findings, const char *id)
{
	if (has_finding(findings, id))
		return;
	print(findings);
	fail_msg("%s was not found", id);
}

void
assert_clean(const struct findings *findings)
{
	if (findings->errors == 0)
		return;
	print(findings);
	fail_msg("%zu errors", findings->errors);
}

static EVP_PKEY *
read_key(const char *path)
{
	FILE *file = fopen(path, "re");
	EVP_PKEY *pkey = NULL;

	if (file == NULL)
		return NULL;
	pkey = PEM_read_PrivateKey(file, NULL, NULL, NULL);
	assert_int_equal(fclose(file), 0);
	assert_non_null(pkey);
	return pkey;
}

/* Whole or not at all: other programs may be making the same. */
static void
write_key(EVP_PKEY *pkey, const char *path)
{
	char new[96];
	FILE *file;

	(void)snprintf(new, sizeof new, "%s.%ld", path, (long)getpid());
	file = fopen(new, "wxe");
	assert_non_null(file);
	assert_int_equal(
	    PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(new, path), 0);
}

/* Primes take seconds: all test programs that begin in one directory share. */
static EVP_PKEY *
rsa_key(const struct key_type *type, unsigned index)
{
	char path[64];
	EVP_PKEY *pkey;

	(void)snprintf(path, sizeof path, "test-keys/%s-%u", type->name, index);
	pkey = read_key(path);
	if (pkey != NULL)
		return pkey;
	pkey = EVP_RSA_gen((size_t)type->bits);
	assert_non_null(pkey);
	assert_true(mkdir("test-keys", 0700) == 0 || errno == EEXIST);
	write_key(pkey, path);
	return pkey;
}

static EVP_PKEY *
make(const struct key_type *type, unsigned index)
{
	EVP_PKEY *pkey = type->family == KEY_RSA
	    ? rsa_key(type, index)
	    : EVP_EC_gen(OBJ_nid2sn(type->curve_nid));

	assert_non_null(pkey);
	return pkey;
}

EVP_PKEY *
key(const char *name, unsigned index)
{
	const struct key_type *type;

	assert_true(index < KEYS_PER_TYPE);
	for (size_t i = 0; (type = key_type_at(i)) != NULL; i++) {
		if (strcmp(type->name, name) != 0)
			continue;
		if (made_keys[i][index] == NULL)
			made_keys[i][index] = make(type, index);
		return made_keys[i][index];
	}
	fail_msg("no key type '%s'", name);
	return NULL;
}

void
keys_free(void)
{
	for (size_t i = 0; i < 16; i++)
		for (size_t j = 0; j < KEYS_PER_TYPE; j++) {
			EVP_PKEY_free(made_keys[i][j]);
			made_keys[i][j] = NULL;
		}
}

unsigned char *
spki_of(EVP_PKEY *pkey, size_t *ret_len)
{
	int len = i2d_PUBKEY(pkey, NULL);
	unsigned char *spki = malloc((size_t)len), *p = spki;

	assert_non_null(spki);
	assert_int_equal(i2d_PUBKEY(pkey, &p), len);
	*ret_len = (size_t)len;
	return spki;
}

unsigned char *
raw_signature(const struct sigalg *alg, const struct tbs *tbs, EVP_PKEY *pkey,
    size_t *ret_len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;
	unsigned char *sig;
	size_t len = 0;

	assert_int_equal(EVP_DigestSignInit_ex(
			     ctx, &params, alg->digest, NULL, NULL, pkey, NULL),
	    1);
	if (alg->pss) {
		assert_int_equal(
		    EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				     params, RSA_PSS_SALTLEN_DIGEST),
		    1);
	}
	assert_int_equal(
	    EVP_DigestSign(ctx, NULL, &len, tbs->der, tbs->len), 1);
	sig = malloc(len);
	assert_non_null(sig);
	assert_int_equal(EVP_DigestSign(ctx, sig, &len, tbs->der, tbs->len), 1);
	*ret_len = len;
	return sig;
}

unsigned char *
sign(const struct tbs *tbs, EVP_PKEY *pkey, size_t *ret_len)
{
	size_t sig_len;
	AUTO_BYTES(sig) = raw_signature(tbs->alg, tbs, pkey, &sig_len);
	unsigned char *der = NULL;

	assert_int_equal(object_assemble(tbs, sig, sig_len, &der, ret_len), 0);
	return der;
}

struct certificate_request
request(const struct profile *profile, const X509 *issuer,
    const unsigned char *spki, size_t spki_len)
{
	static const struct name_value root[] = {
		{ "country", "DE" },
		{ "organization", "Example GmbH" },
		{ "common-name", "Example Root CA G1" },
	};
	static const struct name_value child[] = {
		{ "common-name", "Example Child G1" },
		{ "country", "DE" },
		{ "organization", "Example GmbH" },
	};

	return (struct certificate_request){
		.profile = profile,
		.subject = issuer == NULL ? root : child,
		.subject_count = 3,
		.spki = spki,
		.spki_len = spki_len,
		.issuer = issuer,
		.now = now,
		.url = { "http://c.example/r.crl", "http://c.example/r.cer",
		    "http://o.example/" },
		.place = "plan.yaml:1:1",
	};
}

void
serial_random(unsigned char random[SERIAL_LEN])
{
	static unsigned char counter;

	memset(random, 0x5a, SERIAL_LEN);
	random[SERIAL_LEN - 1] = counter++;
}

X509 *
issue(const struct certificate_request *req, EVP_PKEY *signer)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(tbs) tbs = { 0 };
	unsigned char random[SERIAL_LEN];
	size_t len, spki_len;
	AUTO_BYTES(der) = NULL;
	AUTO_BYTES(spki) = spki_of(signer, &spki_len);
	X509 *cert = NULL;

	assert_int_equal(certificate_check(req, &findings), 0);
	assert_clean(&findings);
	serial_random(random);
	assert_int_equal(certificate_build(req, random, &tbs), 0);
	der = sign(&tbs, signer, &len);
	assert_int_equal(object_verify(&tbs, spki, spki_len, der, len), 0);
	assert_int_equal(certificate_read("cert", der, len, &cert), 0);
	return cert;
}

X509 *
root_of(EVP_PKEY *pkey)
{
	AUTO_PTR(profile) *profile =
	    load("root", "keys: [p-256", "keys: [rsa-2048, p-256");
	size_t len;
	AUTO_BYTES(spki) = spki_of(pkey, &len);
	struct certificate_request req = request(profile, NULL, spki, len);

	return issue(&req, pkey);
}

static void
add_extension(X509 *cert, const char *name, const char *value)
{
	X509V3_CTX ctx;
	AUTO(X509_EXTENSION) *extension = NULL;

	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, OBJ_sn2nid(name), value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
}

X509 *
foreign_certificate(const struct foreign *foreign)
{
	AUTO(X509) *cert = X509_new();
	AUTO_DER(der) = NULL;
	AUTO(ASN1_TIME) *before = NULL;
	AUTO(ASN1_TIME) *after = NULL;
	X509_NAME *name = X509_get_subject_name(cert);
	X509 *again = NULL;
	int len;

	assert_int_equal(date_to_asn1(foreign->not_before, &before), 0);
	assert_int_equal(date_to_asn1(foreign->not_after, &after), 0);
	assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
	assert_int_equal(
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711), 1);
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		(const unsigned char *)foreign->common_name, -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(cert, name), 1);
	assert_int_equal(X509_set1_notBefore(cert, before), 1);
	assert_int_equal(X509_set1_notAfter(cert, after), 1);
	assert_int_equal(X509_set_pubkey(cert, foreign->key), 1);
	for (size_t i = 0; foreign->extensions[i] != NULL; i += 2)
		add_extension(
		    cert, foreign->extensions[i], foreign->extensions[i + 1]);
	assert_true(X509_sign(cert, foreign->key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &der);
	assert_true(len > 0);
	assert_int_equal(
	    certificate_read("foreign", der, (size_t)len, &again), 0);
	return again;
}

/* Header octets of an element whose length takes one or two octets. */
static size_t
header_len(const unsigned char *der)
{
	return der[1] < 0x80 ? 2 : 2 + (size_t)(der[1] & 0x7f);
}

/* A SEQUENCE with two length octets, whatever its length. */
static unsigned char *
wrap(const unsigned char *body, size_t len, size_t *ret_len)
{
	size_t header = len < 0x80 ? 2 : len < 0x100 ? 3 : 4;
	unsigned char *out = malloc(header + len);

	assert_non_null(out);
	out[0] = DER_SEQUENCE;
	out[1] = (unsigned char)(header == 2 ? len : 0x80 + header - 2);
	if (header == 3)
		out[2] = (unsigned char)len;
	if (header == 4) {
		out[2] = (unsigned char)(len >> 8);
		out[3] = (unsigned char)len;
	}
	memcpy(out + header, body, len);
	*ret_len = header + len;
	return out;
}

size_t
element_at(const unsigned char *der, size_t der_len, unsigned index)
{
	struct signed_object object;
	size_t at;

	assert_true(der_signed_object(der, der_len, &object));
	at = (size_t)(object.tbs.p - der) + header_len(object.tbs.p);
	while (index-- > 0) {
		struct der rest = { der + at, der_len - at }, element;

		assert_true(der_take(&rest, der[at], NULL, &element));
		at += element.len;
	}
	return at;
}

unsigned char *
spliced(const unsigned char *der, size_t der_len, size_t at,
    const unsigned char *octets, size_t len, size_t *ret_len)
{
	struct signed_object object;
	AUTO_BYTES(body) = malloc(der_len + len);
	AUTO_BYTES(tbs) = NULL;
	AUTO_BYTES(all) = NULL;
	size_t start, body_len, tbs_len, rest;

	assert_true(der_signed_object(der, der_len, &object));
	start = (size_t)(object.tbs.p - der) + header_len(object.tbs.p);
	body_len = object.tbs.len - header_len(object.tbs.p) + len;
	memcpy(body, der + start, at - start);
	memcpy(body + (at - start), octets, len);
	memcpy(
	    body + (at - start) + len, der + at, body_len - len - (at - start));
	tbs = wrap(body, body_len, &tbs_len);
	rest = (size_t)(der + der_len - object.alg.p);
	all = malloc(tbs_len + rest);
	memcpy(all, tbs, tbs_len);
	memcpy(all + tbs_len, object.alg.p, rest);
	return wrap(all, tbs_len + rest, ret_len);
}
