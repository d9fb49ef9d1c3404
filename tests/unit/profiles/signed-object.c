/* tbs.h: assembling, reading back, verifying, and every forgery refused. */
#include <string.h>

#include "base/text.h"
#include "support.h"

struct object {
	struct tbs tbs;
	unsigned char *der, *spki;
	size_t len, spki_len;
};

static void
object_clear(struct object *o)
{
	tbs_clear(&o->tbs);
	free(o->der);
	free(o->spki);
}
CLEANUP_DEFINE_STRUCT(object);

static void
make_certificate(struct object *o, const char *type)
{
	AUTO_PTR(profile) *profile = load("root", NULL, NULL);
	unsigned char random[SERIAL_LEN];
	struct certificate_request req;

	o->spki = spki_of(key(type, 0), &o->spki_len);
	req = request(profile, NULL, o->spki, o->spki_len);
	serial_random(random);
	assert_int_equal(certificate_build(&req, random, &o->tbs), 0);
	o->der = sign(&o->tbs, key(type, 0), &o->len);
}

static void
make_crl(struct object *o, const char *type)
{
	static const unsigned char serial[] = { 5 };
	AUTO_PTR(profile) *profile = load("ca-crl", NULL, NULL);
	AUTO(X509) *issuer = root_of(key(type, 0));
	const struct crl_entry entry = { serial, 1, now, REASON_KEY_COMPROMISE,
		0 };
	const struct crl_request req = {
		.profile = profile,
		.issuer = issuer,
		.number = 7,
		.now = now,
		.entries = &entry,
		.entry_count = 1,
	};

	o->spki = spki_of(key(type, 0), &o->spki_len);
	assert_int_equal(crl_build(&req, &o->tbs), 0);
	o->der = sign(&o->tbs, key(type, 0), &o->len);
}

static void
make_csr(struct object *o, const char *type)
{
	static const struct name_value subject = { "common-name", "Request" };

	o->spki = spki_of(key(type, 0), &o->spki_len);
	assert_int_equal(
	    csr_build(&subject, 1, o->spki, o->spki_len, &o->tbs), 0);
	o->der = sign(&o->tbs, key(type, 0), &o->len);
}

static void (*const makers[])(struct object *, const char *) = {
	[OBJECT_CERTIFICATE] = make_certificate,
	[OBJECT_CRL] = make_crl,
	[OBJECT_CSR] = make_csr,
};

static void
unverified(const struct object *o, const unsigned char *der, size_t len)
{
	assert_int_equal(
	    object_verify(&o->tbs, o->spki, o->spki_len, der, len), -1);
	assert_int_equal(ca_error_reason(), CA_R_VERIFY);
	ca_error_clear();
}

/* Each octet of the object, each bit of it: refused. */
static void
test_flipped(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < 3; kind++) {
		AUTO_STRUCT(object) o = { 0 };

		makers[kind](&o, "p-256");
		assert_int_equal(
		    object_verify(&o.tbs, o.spki, o.spki_len, o.der, o.len), 0);
		for (size_t i = 0; i < o.len; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				o.der[i] ^= (unsigned char)(1U << bit);
				unverified(&o, o.der, o.len);
				o.der[i] ^= (unsigned char)(1U << bit);
			}
	}
}

static void
test_rsa_flipped(void **state)
{
	AUTO_STRUCT(object) o = { 0 };

	(void)state;
	make_certificate(&o, "rsa-3072");
	for (size_t i = 0; i < o.len; i++) {
		o.der[i] ^= 0x40;
		unverified(&o, o.der, o.len);
		o.der[i] ^= 0x40;
	}
}

static void
test_length(void **state)
{
	AUTO_STRUCT(object) o = { 0 };
	AUTO_BYTES(longer) = NULL;

	(void)state;
	make_certificate(&o, "p-384");
	for (size_t cut = 0; cut < o.len; cut++)
		unverified(&o, o.der, cut);
	longer = calloc(1, o.len + 1);
	memcpy(longer, o.der, o.len);
	unverified(&o, longer, o.len + 1);
}

/* A good object, but not the one that was meant. */
static void
test_other_object(void **state)
{
	AUTO_STRUCT(object) a = { 0 };
	AUTO_STRUCT(object) b = { 0 };

	(void)state;
	make_certificate(&a, "p-256");
	make_certificate(&b, "p-256"); /* another serial number */
	unverified(&a, b.der, b.len);
	unverified(&b, a.der, a.len);
}

static void
test_other_key(void **state)
{
	AUTO_STRUCT(object) o = { 0 };
	AUTO_BYTES(forged) = NULL;
	size_t len;

	(void)state;
	make_certificate(&o, "p-256");
	forged = sign(&o.tbs, key("p-256", 1), &len);
	unverified(&o, forged, len);
	free(o.spki);
	o.spki = spki_of(key("p-256", 1), &o.spki_len);
	unverified(&o, o.der, o.len);
}

/* The outer AlgorithmIdentifier says one hash, the inner one another. */
static void
test_other_algorithm(void **state)
{
	AUTO_STRUCT(object) o = { 0 };
	AUTO_BYTES(der) = NULL;
	struct tbs other;
	size_t len;

	(void)state;
	make_certificate(&o, "rsa-3072");
	other = o.tbs;
	other.alg = sigalg_by_name("rsa-sha512");
	der = sign(&other, key("rsa-3072", 0), &len);
	unverified(&o, der, len);
	/* And where the whole spool entry was changed to match. */
	assert_int_equal(
	    object_verify(&other, o.spki, o.spki_len, der, len), -1);
	assert_int_equal(ca_error_reason(), CA_R_VERIFY);
	ca_error_clear();
}

/* The constant is no signature, but the object can be read. */
static void
test_constant(void **state)
{
	static const char *const types[] = { "p-521", "rsa-4096" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		AUTO_STRUCT(object) o = { 0 };
		AUTO_BYTES(der) = NULL;
		AUTO(X509) *cert = NULL;
		size_t len;

		make_certificate(&o, types[i]);
		assert_int_equal(object_with_constant(&o.tbs, &der, &len), 0);
		assert_int_equal(certificate_read("x", der, len, &cert), 0);
		unverified(&o, der, len);
	}
}

/* Zero bits at the end of a signature are part of it. */
static void
test_trailing_zeros(void **state)
{
	static const unsigned char sig[] = { 0xff, 0x80, 0x00 };
	static const unsigned char end[] = { 0x03, 0x04, 0x00, 0xff, 0x80,
		0x00 };
	AUTO_STRUCT(object) o = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len;

	(void)state;
	make_certificate(&o, "p-256");
	assert_int_equal(object_assemble(&o.tbs, sig, 3, &der, &len), 0);
	assert_memory_equal(der + len - sizeof end, end, sizeof end);
	free(der);
	der = NULL;
	assert_int_equal(
	    object_assemble(&o.tbs, o.spki, SIGNATURE_MAX + 1, &der, &len), -1);
	ca_error_clear();
	assert_null(der);
}

static void
test_digest(void **state)
{
	AUTO_STRUCT(object) o = { 0 };
	unsigned char digest[32];

	(void)state;
	make_crl(&o, "p-256");
	assert_int_equal(sha256(o.tbs.der, o.tbs.len, digest), 0);
	assert_memory_equal(o.tbs.sha256, digest, 32);
	tbs_clear(&o.tbs);
	assert_null(o.tbs.der);
	tbs_clear(&o.tbs);
}

static void
test_names(void **state)
{
	static const char *const labels[] = { "-----BEGIN CERTIFICATE-----",
		"-----BEGIN X509 CRL-----",
		"-----BEGIN CERTIFICATE REQUEST-----" };
	enum object_kind kind = OBJECT_CRL;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO_CHARS(pem) = NULL;

		assert_int_equal(
		    object_kind_by_name(
			object_kind_name((enum object_kind)i), &kind),
		    0);
		assert_int_equal((size_t)kind, i);
		assert_int_equal(
		    object_pem(kind, (const unsigned char *)"abc", 3, &pem), 0);
		assert_int_equal(strncmp(pem, labels[i], strlen(labels[i])), 0);
	}
	kind = OBJECT_CRL;
	assert_int_equal(object_kind_by_name("pdf", &kind), -1);
	assert_int_equal(ca_error_reason(), CA_R_CORRUPT);
	assert_int_equal(kind, OBJECT_CRL);
	ca_error_clear();
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
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_rsa_flipped),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_other_object),
		cmocka_unit_test(test_other_key),
		cmocka_unit_test(test_other_algorithm),
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_trailing_zeros),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, close_all);
}
