#include "ceremony/quorum/signature.h"

#include "der-edit.h"
#include "people.h"

static const char content[] = "ca-tool manifest 1\nplan: a\nplan: b\n";
#define CONTENT content, sizeof(content) - 1

/* Where things stand in a signature without certificates. */
#define SIGNED_DATA WAY(1, 0)
#define DIGESTS WAY(1, 0, 1)
#define ENCAPSULATED WAY(1, 0, 2)
#define OUTER_TYPE WAY(1, 0, 2, 0)
#define SIGNERS WAY(1, 0, 3)
#define SIGNER WAY(1, 0, 3, 0)
#define SIGNER_ID WAY(1, 0, 3, 0, 1)
#define ATTRIBUTES WAY(1, 0, 3, 0, 3)
#define SIGNATURE WAY(1, 0, 3, 0, 5)

struct people {
	struct scratch scratch;
	EVP_PKEY *rsa, *p256, *p384, *other;
	X509 *rsa_cert, *p256_cert, *p384_cert;
	X509 *impostor;      /* name and serial of p256_cert, another key */
	X509 *second;        /* the key of p256_cert, another serial */
	struct octets valid; /* approval by p256 over CONTENT */
};

static struct octets
make(enum signature_purpose purpose, EVP_PKEY *key, X509 *certificate)
{
	AUTO_BYTES(der) = NULL;
	struct octets out = { .len = 0 };
	size_t len = 0;

	assert_ok(
	    signature_make(purpose, CONTENT, key, certificate, &der, &len));
	octets_add(&out, der, len);
	return out;
}

static int
setup(void **state)
{
	struct people *p = calloc(1, sizeof(*p));
	struct certificate_order second;

	if (p == NULL || scratch_make(&p->scratch) < 0)
		return -1;
	p->rsa = new_key("rsa-3072");
	p->p256 = new_key("p-256");
	p->p384 = new_key("p-384");
	p->other = new_key("p-256");
	p->rsa_cert = plain_certificate(p->rsa, "Rosa");
	p->p256_cert = plain_certificate(p->p256, "alice");
	p->p384_cert = plain_certificate(p->p384, "Petra");
	p->impostor = plain_certificate(p->other, "alice");
	second = (struct certificate_order){
		.key = p->p256, .name = "alice", .serial = 2
	};
	p->second = new_certificate(&second);
	p->valid = make(SIGNATURE_APPROVE, p->p256, p->p256_cert);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct people *p = *state;
	int result = scratch_remove(&p->scratch);

	EVP_PKEY_free(p->rsa);
	EVP_PKEY_free(p->p256);
	EVP_PKEY_free(p->p384);
	EVP_PKEY_free(p->other);
	X509_free(p->rsa_cert);
	X509_free(p->p256_cert);
	X509_free(p->p384_cert);
	X509_free(p->impostor);
	X509_free(p->second);
	free(p);
	return result;
}

static int
verify(const struct octets *der, X509 *certificate)
{
	return signature_verify(
	    SIGNATURE_APPROVE, CONTENT, der->p, der->len, certificate);
}

/* By the library, with whatever flags, type and digest. */
static struct octets
forge(EVP_PKEY *key, X509 *certificate, const EVP_MD *md, const char *oid,
    unsigned more)
{
	unsigned flags = CMS_DETACHED | CMS_NOCERTS | CMS_PARTIAL | more;
	AUTO(ASN1_OBJECT) *type = OBJ_txt2obj(oid, 1);
	AUTO(BIO) *bio = BIO_new_mem_buf(CONTENT);
	AUTO(CMS_ContentInfo) *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	AUTO_DER(der) = NULL;
	struct octets out = { .len = 0 };
	int len;

	assert_int_equal(CMS_set1_eContentType(cms, type), 1);
	assert_non_null(CMS_add1_signer(cms, certificate, key, md, flags));
	assert_int_equal(CMS_final(cms, bio, NULL, flags), 1);
	len = i2d_CMS_ContentInfo(cms, &der);
	assert_true(len > 0);
	octets_add(&out, der, (size_t)len);
	return out;
}

#define APPROVE_OID signature_purpose_oid(SIGNATURE_APPROVE)

/* ---- good ones -------------------------------------------------------- */

static void
test_purposes(void **state)
{
	(void)state;
	for (enum signature_purpose i = 0; i < SIGNATURE_PURPOSES; i++) {
		const char *oid = signature_purpose_oid(i);

		assert_int_equal(strncmp(oid, "2.25.", 5), 0);
		for (enum signature_purpose j = 0; j < i; j++) {
			assert_string_not_equal(oid, signature_purpose_oid(j));
			assert_string_not_equal(signature_purpose_name(i),
			    signature_purpose_name(j));
		}
	}
	assert_string_equal(
	    signature_purpose_name(SIGNATURE_CONFIRM), "confirmation");
	assert_string_equal(signature_purpose_name(SIGNATURE_EVENT), "event");
	assert_string_equal(signature_purpose_oid(SIGNATURE_EVENT),
	    "2.25.99745312291466458474339361182822765410.6");
}

static void
test_make(void **state)
{
	struct people *p = *state;
	struct {
		EVP_PKEY *key;
		X509 *certificate;
	} rows[] = {
		{ p->rsa, p->rsa_cert },
		{ p->p256, p->p256_cert },
		{ p->p384, p->p384_cert },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (enum signature_purpose j = 0; j < SIGNATURE_PURPOSES;
		     j++) {
			struct octets der =
			    make(j, rows[i].key, rows[i].certificate);

			assert_ok(signature_verify(
			    j, CONTENT, der.p, der.len, rows[i].certificate));
		}
}

static void
test_make_empty(void **state)
{
	struct people *p = *state;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	assert_ok(signature_make(
	    SIGNATURE_ENROL, "", 0, p->p256, p->p256_cert, &der, &len));
	assert_ok(
	    signature_verify(SIGNATURE_ENROL, "", 0, der, len, p->p256_cert));
	assert_refused(CA_R_VERIFY, "other content",
	    signature_verify(SIGNATURE_ENROL, " ", 1, der, len, p->p256_cert));
}

static void
test_make_wrong_key(void **state)
{
	struct people *p = *state;
	unsigned char *der = NULL;
	size_t len = 77;

	assert_refused(CA_R_KEY, "not the one of the certificate",
	    signature_make(SIGNATURE_APPROVE, CONTENT, p->other, p->p256_cert,
		&der, &len));
	assert_null(der);
	assert_int_equal(len, 77);
}

static void
test_time(void **state)
{
	struct people *p = *state;
	struct octets bare = forge(p->p256, p->p256_cert, EVP_sha256(),
	    APPROVE_OID, CMS_BINARY | CMS_NOATTR);
	int64_t now = date_now(), time = 0;

	assert_ok(signature_time(p->valid.p, p->valid.len, &time));
	assert_in_range(time, now - 600, now);
	assert_ok(signature_time(bare.p, bare.len, &time));
	assert_int_equal(time, 0);
	time = 77;
	assert_refused(CA_R_INPUT, "no CMS",
	    signature_time(p->valid.p, p->valid.len - 1, &time));
	assert_int_equal(time, 77);
}

/* ---- by the openssl tool ---------------------------------------------- */

static void
write_pem(const struct people *p, const char *name, EVP_PKEY *key, X509 *cert)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	assert_int_equal(key != NULL
		? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL)
		: PEM_write_bio_X509(bio, cert),
	    1);
	len = BIO_get_mem_data(bio, &text);
	put_file(p->scratch.fd, name, text, (size_t)len);
}

static int
run(const struct people *p, const char *command)
{
	AUTO_CHARS(line) =
	    text_printf("cd %s && exec 2>err && %s", p->scratch.path, command);

	assert_non_null(line);
	return system(line);
}

static struct octets
tool_sign(
    const struct people *p, EVP_PKEY *key, X509 *cert, const char *options)
{
	AUTO_CHARS(command) = text_printf(
	    "openssl cms -sign -binary -nocerts -econtent_type %s -in content "
	    "-signer crt -inkey key -outform DER -out sig %s",
	    APPROVE_OID, options);
	struct octets out = { .len = 0 };
	AUTO_FD(fd) = -1;
	ssize_t len;

	write_pem(p, "key", key, NULL);
	write_pem(p, "crt", NULL, cert);
	put_file(p->scratch.fd, "content", CONTENT);
	if (run(p, command) != 0)
		fail_msg("'%s' fails", command);
	fd = openat(p->scratch.fd, "sig", O_RDONLY | O_CLOEXEC);
	len = read(fd, out.p, sizeof(out.p));
	assert_true(len > 0);
	out.len = (size_t)len;
	return out;
}

static void
test_tool_good(void **state)
{
	struct people *p = *state;
	struct {
		EVP_PKEY *key;
		X509 *certificate;
		const char *options;
	} rows[] = {
		{ p->rsa, p->rsa_cert, "-md sha256" },
		{ p->rsa, p->rsa_cert, "-md sha384" },
		{ p->rsa, p->rsa_cert, "-md sha512 -nosmimecap" },
		{ p->rsa, p->rsa_cert,
		    "-md sha256 -keyopt rsa_padding_mode:pss" },
		{ p->rsa, p->rsa_cert,
		    "-md sha384 -keyopt rsa_padding_mode:pss "
		    "-keyopt rsa_pss_saltlen:digest" },
		{ p->rsa, p->rsa_cert,
		    "-md sha512 -keyopt rsa_padding_mode:pss "
		    "-keyopt rsa_pss_saltlen:digest" },
		{ p->p256, p->p256_cert, "-md sha256" },
		{ p->p256, p->p256_cert, "-md sha512" },
		{ p->p384, p->p384_cert, "-md sha384" },
		{ p->p384, p->p384_cert, "-md sha256" },
		{ p->p256, p->p256_cert, "-md sha256 -cades" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets der = tool_sign(
		    p, rows[i].key, rows[i].certificate, rows[i].options);

		assert_ok(verify(&der, rows[i].certificate));
		assert_refused(CA_R_VERIFY,
		    "'confirmation': on the outside it "
		    "is 'approval'",
		    signature_verify(SIGNATURE_CONFIRM, CONTENT, der.p, der.len,
			rows[i].certificate));
	}
}

static void
test_tool_refused(void **state)
{
	struct people *p = *state;
	struct {
		EVP_PKEY *key;
		X509 *certificate;
		const char *options, *text;
	} rows[] = {
		{ p->rsa, p->rsa_cert, "-md md5", "'md5'; only SHA-256" },
		{ p->rsa, p->rsa_cert, "-md sha1", "'sha1'; only SHA-256" },
		{ p->p256, p->p256_cert, "-md sha1", "'sha1'; only SHA-256" },
		{ p->p256, p->p256_cert, "-md sha224", "'sha224'; only" },
		{ p->rsa, p->rsa_cert,
		    "-md sha256 -keyopt rsa_padding_mode:pss "
		    "-keyopt rsa_mgf1_md:sha1",
		    "'rsassaPss', in a form" },
		{ p->rsa, p->rsa_cert,
		    "-md sha256 -keyopt rsa_padding_mode:pss "
		    "-keyopt rsa_pss_saltlen:31",
		    "'rsassaPss', in a form" },
		{ p->rsa, p->rsa_cert,
		    "-md sha256 -keyopt rsa_padding_mode:pss "
		    "-keyopt rsa_pss_saltlen:20",
		    "'rsassaPss', in a form" },
		{ p->p256, p->p256_cert, "-md sha256 -noattr",
		    "no signed attributes" },
		{ p->p256, p->p256_cert, "-md sha256 -nodetach",
		    "content of its own" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets der = tool_sign(
		    p, rows[i].key, rows[i].certificate, rows[i].options);

		assert_refused(CA_R_VERIFY, rows[i].text,
		    verify(&der, rows[i].certificate));
	}
}

/* As docs/quorum.md says. */
static void
test_tool_verifies_ours(void **state)
{
	struct people *p = *state;
	struct octets rsa = make(SIGNATURE_APPROVE, p->rsa, p->rsa_cert);
	static const char command[] =
	    "openssl cms -verify -binary -inform DER -in sig -content content "
	    "-certfile crt -nointern -noverify -out /dev/null";

	write_pem(p, "crt", NULL, p->p256_cert);
	put_file(p->scratch.fd, "content", CONTENT);
	put_file(p->scratch.fd, "sig", p->valid.p, p->valid.len);
	assert_int_equal(run(p, command), 0);
	put_file(p->scratch.fd, "content", "other\n", 6);
	assert_int_not_equal(run(p, command), 0);
	put_file(p->scratch.fd, "content", CONTENT);
	put_file(p->scratch.fd, "sig", rsa.p, rsa.len);
	assert_int_not_equal(run(p, command), 0);
	write_pem(p, "crt", NULL, p->rsa_cert);
	assert_int_equal(run(p, command), 0);
	assert_int_equal(
	    run(p,
		"openssl cms -cmsout -print -inform DER -in sig | "
		"grep -q 'eContentType:.*(2.25.99745312291466458474339361"
		"182822765410.1)'"),
	    0);
}

/* ---- the signer ------------------------------------------------------- */

static void
test_key_identifier(void **state)
{
	struct people *p = *state;
	struct certificate_order order = {
		.key = p->p256, .name = "alice", .ski = true
	};
	AUTO(X509) *with_ski = new_certificate(&order);
	struct octets der = forge(p->p256, with_ski, EVP_sha256(), APPROVE_OID,
	    CMS_BINARY | CMS_USE_KEYID);

	assert_ok(verify(&der, with_ski));
	/* It has no identifier, so this is not its own. */
	assert_refused(CA_R_VERIFY, "names another certificate",
	    verify(&der, p->p256_cert));
	assert_refused(CA_R_VERIFY, "names another certificate",
	    verify(&der, p->p384_cert));
}

static void
test_other_signer(void **state)
{
	struct people *p = *state;
	struct octets impostor =
	    forge(p->other, p->impostor, EVP_sha256(), APPROVE_OID, CMS_BINARY);
	struct octets second =
	    forge(p->p256, p->second, EVP_sha256(), APPROVE_OID, CMS_BINARY);

	/* The forgeries are good for whom they name. */
	assert_ok(verify(&impostor, p->impostor));
	assert_ok(verify(&second, p->second));
	/* Right name and serial number, wrong key. */
	assert_refused(CA_R_VERIFY, "does not verify with the key",
	    verify(&impostor, p->p256_cert));
	/* Right key, another certificate. */
	assert_refused(CA_R_VERIFY, "names another certificate",
	    verify(&second, p->p256_cert));
	assert_refused(CA_R_VERIFY, "names another certificate",
	    verify(&p->valid, p->rsa_cert));
}

/* OpenSSL compares names without case. */
static void
test_name_of_other_case(void **state)
{
	struct people *p = *state;
	AUTO(X509) *shouting = plain_certificate(p->p256, "ALICE");
	struct octets der =
	    forge(p->p256, shouting, EVP_sha256(), APPROVE_OID, CMS_BINARY);

	assert_ok(verify(&der, shouting));
	assert_refused(CA_R_VERIFY, "names another certificate",
	    verify(&der, p->p256_cert));
}

static void
test_two_signers(void **state)
{
	struct people *p = *state;
	struct element e = element_find(&p->valid, SIGNER);
	struct octets twice =
	    der_insert(&p->valid, SIGNER, p->valid.p + e.at, e.header + e.len);
	struct octets none = der_replace(&p->valid, SIGNER, NULL, 0);

	assert_refused(
	    CA_R_VERIFY, "has 2 signers", verify(&twice, p->p256_cert));
	assert_refused(
	    CA_R_VERIFY, "has 0 signers", verify(&none, p->p256_cert));
}

static struct octets
embed(const struct people *p, X509 *first, X509 *second)
{
	X509 *both[] = { first, second };
	struct octets list = { .len = 0 }, tagged = { .len = 0 };

	for (size_t i = 0; i < 2; i++) {
		AUTO_DER(der) = NULL;
		int len = both[i] == NULL ? 0 : i2d_X509(both[i], &der);

		octets_add(&list, der, (size_t)len);
	}
	octets_element(&tagged, 0xa0, list.p, list.len);
	return der_insert(&p->valid, ENCAPSULATED, tagged.p, tagged.len);
}

static void
test_embedded_certificates(void **state)
{
	struct people *p = *state;
	struct octets own = embed(p, p->p256_cert, NULL);
	struct octets foreign = embed(p, p->rsa_cert, NULL);
	struct octets same_key = embed(p, p->second, NULL);
	struct octets both = embed(p, p->p256_cert, p->p384_cert);

	assert_ok(verify(&own, p->p256_cert));
	assert_refused(CA_R_VERIFY, "carries a certificate that is not",
	    verify(&foreign, p->p256_cert));
	assert_refused(CA_R_VERIFY, "carries a certificate that is not",
	    verify(&same_key, p->p256_cert));
	assert_refused(CA_R_VERIFY, "carries a certificate that is not",
	    verify(&both, p->p256_cert));
}

/* CMS_get1_certs() is silent about certificates of other kinds. */
static void
test_embedded_other_kind(void **state)
{
	struct people *p = *state;
	static const unsigned char other[] = { 0xa0, 0x0a, 0xa3, 0x08, 0x06,
		0x03, 0x2a, 0x03, 0x04, 0x02, 0x01, 0x00 };
	struct octets der =
	    der_insert(&p->valid, ENCAPSULATED, other, sizeof(other));

	assert_refused(CA_R_VERIFY, "carries a certificate that is not",
	    verify(&der, p->p256_cert));
}

static void
test_crls(void **state)
{
	struct people *p = *state;
	AUTO(X509_CRL) *crl = X509_CRL_new();
	AUTO(ASN1_TIME) *time = ASN1_TIME_set(NULL, 0);
	AUTO_DER(der) = NULL;
	struct octets tagged = { .len = 0 }, with;
	int len;

	assert_int_equal(
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(p->p256_cert)),
	    1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, time), 1);
	assert_true(X509_CRL_sign(crl, p->p256, EVP_sha256()) > 0);
	len = i2d_X509_CRL(crl, &der);
	assert_true(len > 0);
	octets_element(&tagged, 0xa1, der, (size_t)len);
	with = der_insert(&p->valid, ENCAPSULATED, tagged.p, tagged.len);
	assert_refused(
	    CA_R_VERIFY, "carries CRLs", verify(&with, p->p256_cert));
}

/* ---- the content type ------------------------------------------------- */

static void
test_other_purpose(void **state)
{
	struct people *p = *state;

	for (enum signature_purpose made = 0; made < SIGNATURE_PURPOSES;
	     made++) {
		struct octets der = make(made, p->p256, p->p256_cert);

		for (enum signature_purpose asked = 0;
		     asked < SIGNATURE_PURPOSES; asked++) {
			AUTO_CHARS(text) =
			    text_printf("none of the kind '%s': on the outside "
					"it is '%s'",
				signature_purpose_name(asked),
				signature_purpose_name(made));

			if (asked == made)
				continue;
			assert_refused(CA_R_VERIFY, text,
			    signature_verify(
				asked, CONTENT, der.p, der.len, p->p256_cert));
		}
	}
}

static void
test_other_type(void **state)
{
	struct people *p = *state;
	struct octets data =
	    forge(p->p256, p->p256_cert, EVP_sha256(), "1.2.3.4", CMS_BINARY);

	assert_refused(
	    CA_R_VERIFY, "it is '1.2.3.4'", verify(&data, p->p256_cert));
}

/* The outer type is not signed: anybody can write another one there. */
static void
test_outer_type(void **state)
{
	struct people *p = *state;
	struct octets confirmation =
	    make(SIGNATURE_CONFIRM, p->p256, p->p256_cert);
	struct element e = element_find(&p->valid, OUTER_TYPE);
	struct octets der = der_replace(
	    &confirmation, OUTER_TYPE, p->valid.p + e.at, e.header + e.len);
	struct octets outside = p->valid;

	assert_refused(CA_R_VERIFY,
	    "none of the kind 'approval': in what was signed it is "
	    "'confirmation'",
	    verify(&der, p->p256_cert));
	e = element_find(&confirmation, OUTER_TYPE);
	outside = der_replace(
	    &p->valid, OUTER_TYPE, confirmation.p + e.at, e.header + e.len);
	assert_refused(CA_R_VERIFY, "on the outside it is 'confirmation'",
	    verify(&outside, p->p256_cert));
}

/* ---- attributes ------------------------------------------------------- */

/*
 * A signature over attributes, passed off as one over the content that those
 * octets are (RFC 5652, section 11: why the type is signed).
 */
static void
test_stripped_attributes(void **state)
{
	struct people *p = *state;
	struct element e = element_find(&p->valid, ATTRIBUTES);
	struct octets set = { .len = 0 };
	struct octets der = der_replace(&p->valid, ATTRIBUTES, NULL, 0);
	struct octets bare = forge(p->p256, p->p256_cert, EVP_sha256(),
	    APPROVE_OID, CMS_BINARY | CMS_NOATTR);
	struct octets empty = der_replace(
	    &p->valid, ATTRIBUTES, (const unsigned char[]){ 0xa0, 0 }, 2);

	octets_element(&set, 0x31, p->valid.p + e.at + e.header, e.len);
	assert_refused(CA_R_VERIFY, "no signed attributes",
	    signature_verify(SIGNATURE_APPROVE, set.p, set.len, der.p, der.len,
		p->p256_cert));
	assert_refused(
	    CA_R_VERIFY, "no signed attributes", verify(&bare, p->p256_cert));
	assert_refused(
	    CA_R_VERIFY, "no signed attributes", verify(&empty, p->p256_cert));
}

/* Attributes as the signer likes, signed. */
static struct octets
sign_attributes(const struct people *p, const struct octets *set)
{
	struct octets attributes = { .len = 0 }, value = { .len = 0 }, der;
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char signature[128];
	size_t len = sizeof(signature);
	struct octets signed_set = { .len = 0 };

	octets_element(&signed_set, 0x31, set->p, set->len);
	assert_int_equal(
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, p->p256), 1);
	assert_int_equal(
	    EVP_DigestSign(ctx, signature, &len, signed_set.p, signed_set.len),
	    1);
	octets_element(&attributes, 0xa0, set->p, set->len);
	octets_element(&value, 0x04, signature, len);
	der = der_replace(&p->valid, ATTRIBUTES, attributes.p, attributes.len);
	return der_replace(&der, SIGNATURE, value.p, value.len);
}

/* The attributes of a signature, in this order; -1 is the end. */
static struct octets
attributes_in_order(const struct octets *der, const int *order)
{
	struct octets set = { .len = 0 };

	for (; *order >= 0; order++) {
		struct element e =
		    element_find(der, WAY(1, 0, 3, 0, 3, *order));

		octets_add(&set, der->p + e.at, e.header + e.len);
	}
	return set;
}

static void
test_attributes(void **state)
{
	struct people *p = *state;
	/* Ours are, ascending: signingTime, contentType, messageDigest. */
	static const struct {
		int order[5];
		const char *text; /* NULL: accepted */
	} rows[] = {
		{ { 0, 1, 2, -1 }, NULL },
		{ { 1, 2, -1 }, NULL },
		{ { 0, 2, -1 }, "contentType is missing" },
		{ { 0, 1, -1 }, "messageDigest is missing" },
		{ { 0, -1 }, "contentType is missing" },
		{ { 0, 0, 1, 2, -1 }, "'signingTime' is there more than once" },
		{ { 0, 1, 1, 2, -1 }, "'contentType' is there more than once" },
		{ { 0, 1, 2, 2, -1 },
		    "'messageDigest' is there more than once" },
		{ { 2, 1, 0, -1 }, "encodes to other octets" },
	};
	struct element e = element_find(&p->valid, WAY(1, 0, 3, 0, 3, 2, 1, 0));

	assert_int_equal(p->valid.p[e.at], 0x04);
	assert_int_equal(e.len, 32);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct octets set =
		    attributes_in_order(&p->valid, rows[i].order);
		struct octets der = sign_attributes(p, &set);

		if (rows[i].text == NULL)
			assert_ok(verify(&der, p->p256_cert));
		else
			assert_refused(CA_R_VERIFY, rows[i].text,
			    verify(&der, p->p256_cert));
	}
}

/* One attribute with two values: which one counts? */
static void
test_two_values(void **state)
{
	struct people *p = *state;
	struct octets confirmation =
	    make(SIGNATURE_CONFIRM, p->p256, p->p256_cert);
	struct element e =
	    element_find(&confirmation, WAY(1, 0, 3, 0, 3, 1, 1, 0));
	struct octets der = der_insert(&p->valid, WAY(1, 0, 3, 0, 3, 1, 1, 0),
	    confirmation.p + e.at, e.header + e.len);
	struct octets set;

	/* Ascending again: it is the longest now. */
	set = attributes_in_order(&der, (const int[]){ 0, 2, 1, -1 });
	der = sign_attributes(p, &set);
	assert_refused(CA_R_VERIFY, "'contentType' is there more than once",
	    verify(&der, p->p256_cert));
}

static void
test_unsigned_attributes(void **state)
{
	struct people *p = *state;
	static const unsigned char one[] = { 0xa1, 0x0b, 0x30, 0x09, 0x06, 0x03,
		0x2a, 0x03, 0x04, 0x31, 0x02, 0x05, 0x00 };
	struct octets der = der_insert(&p->valid, SIGNATURE, one, sizeof(one));

	assert_refused(CA_R_VERIFY, "attributes that are not signed",
	    verify(&der, p->p256_cert));
}

/* ---- the content ------------------------------------------------------ */

static void
test_content_bits(void **state)
{
	struct people *p = *state;
	char changed[sizeof(content)];

	for (size_t bit = 0; bit < 8 * (sizeof(content) - 1); bit += 7) {
		memcpy(changed, content, sizeof(content));
		changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
		assert_refused(CA_R_VERIFY, "over other content",
		    signature_verify(SIGNATURE_APPROVE, changed,
			sizeof(content) - 1, p->valid.p, p->valid.len,
			p->p256_cert));
	}
	assert_refused(CA_R_VERIFY, "over other content",
	    signature_verify(SIGNATURE_APPROVE, content, sizeof(content),
		p->valid.p, p->valid.len, p->p256_cert));
	assert_refused(CA_R_VERIFY, "over other content",
	    signature_verify(SIGNATURE_APPROVE, content, sizeof(content) - 2,
		p->valid.p, p->valid.len, p->p256_cert));
}

static void
test_line_ends(void **state)
{
	struct people *p = *state;
	static const char crlf[] =
	    "ca-tool manifest 1\r\nplan: a\r\nplan: b\r\n";
	/* Without CMS_BINARY, what is signed has CRLF. */
	struct octets text =
	    forge(p->p256, p->p256_cert, EVP_sha256(), APPROVE_OID, 0);

	assert_refused(CA_R_VERIFY, "line ends included",
	    signature_verify(SIGNATURE_APPROVE, crlf, sizeof(crlf) - 1,
		p->valid.p, p->valid.len, p->p256_cert));
	assert_refused(
	    CA_R_VERIFY, "line ends included", verify(&text, p->p256_cert));
	assert_ok(signature_verify(SIGNATURE_APPROVE, crlf, sizeof(crlf) - 1,
	    text.p, text.len, p->p256_cert));
}

static void
test_attached(void **state)
{
	struct people *p = *state;
	struct octets inner = { .len = 0 }, tagged = { .len = 0 }, der;

	octets_element(&inner, 0x04, CONTENT);
	octets_element(&tagged, 0xa0, inner.p, inner.len);
	der = der_insert(&p->valid, OUTER_TYPE, tagged.p, tagged.len);
	assert_refused(
	    CA_R_VERIFY, "content of its own", verify(&der, p->p256_cert));
}

/* ---- the octets ------------------------------------------------------- */

static void
test_truncated(void **state)
{
	struct people *p = *state;
	struct octets der = p->valid;

	for (size_t len = 0; len < p->valid.len; len++) {
		der.len = len;
		assert_refused(
		    CA_R_INPUT, "not a signature", verify(&der, p->p256_cert));
	}
	der = p->valid;
	octets_add(&der, "", 1);
	assert_refused(
	    CA_R_VERIFY, "1 octets behind its end", verify(&der, p->p256_cert));
}

static void
test_no_cms(void **state)
{
	struct people *p = *state;
	AUTO_DER(der) = NULL;
	int len = i2d_X509(p->p256_cert, &der);
	AUTO_BYTES(large) = calloc(1, 65537);
	AUTO_DER(data_der) = NULL;
	AUTO(BIO) *bio = BIO_new_mem_buf("x", 1);
	AUTO(CMS_ContentInfo) *data = CMS_data_create(bio, CMS_BINARY);
	int data_len;

	data_len = i2d_CMS_ContentInfo(data, &data_der);
	assert_true(len > 0 && data_len > 0);
	assert_refused(CA_R_INPUT, "no CMS",
	    signature_verify(
		SIGNATURE_APPROVE, CONTENT, der, (size_t)len, p->p256_cert));
	assert_refused(CA_R_INPUT, "no CMS",
	    signature_verify(SIGNATURE_APPROVE, CONTENT,
		(const unsigned char *)"-----BEGIN CMS-----", 19,
		p->p256_cert));
	assert_refused(CA_R_VERIFY, "not SignedData",
	    signature_verify(SIGNATURE_APPROVE, CONTENT, data_der,
		(size_t)data_len, p->p256_cert));
	assert_refused(CA_R_INPUT, "65537 octets",
	    signature_verify(
		SIGNATURE_APPROVE, CONTENT, large, 65537, p->p256_cert));
}

/* A length in one octet more than it needs. */
static void
test_ber(void **state)
{
	struct people *p = *state;
	struct element e = element_find(&p->valid, SIGNATURE);
	struct octets value = { .len = 0 }, der;
	unsigned char header[] = { 0x04, 0x81, (unsigned char)e.len };

	assert_true(e.len < 0x80);
	octets_add(&value, header, sizeof(header));
	octets_add(&value, p->valid.p + e.at + e.header, e.len);
	der = der_replace(&p->valid, SIGNATURE, value.p, value.len);
	assert_refused(CA_R_VERIFY, "not DER", verify(&der, p->p256_cert));
}

static void
test_versions(void **state)
{
	struct people *p = *state;
	static const unsigned char one[] = { 2, 1, 1 }, three[] = { 2, 1, 3 };
	struct octets outer = der_replace(&p->valid, WAY(1, 0, 0), one, 3);
	struct octets inner =
	    der_replace(&p->valid, WAY(1, 0, 3, 0, 0), three, 3);

	assert_refused(
	    CA_R_VERIFY, "version numbers", verify(&outer, p->p256_cert));
	assert_refused(
	    CA_R_VERIFY, "version numbers", verify(&inner, p->p256_cert));
}

static void
test_digest_list(void **state)
{
	struct people *p = *state;
	struct element e = element_find(&p->valid, WAY(1, 0, 1, 0));
	struct octets twice = der_insert(
	    &p->valid, WAY(1, 0, 1, 0), p->valid.p + e.at, e.header + e.len);
	struct octets none = der_replace(
	    &p->valid, DIGESTS, (const unsigned char[]){ 0x31, 0 }, 2);

	assert_refused(CA_R_VERIFY, "other digest algorithms",
	    verify(&twice, p->p256_cert));
	assert_refused(CA_R_VERIFY, "other digest algorithms",
	    verify(&none, p->p256_cert));
}

/* No octet is idle: whichever bit is flipped, it is refused. */
static void
flip_bits(const struct octets *der, X509 *certificate, size_t step)
{
	struct octets changed = *der;

	for (size_t bit = 0; bit < 8 * der->len; bit += step) {
		int reason;

		changed.p[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ca_error_clear();
		if (verify(&changed, certificate) == 0)
			fail_msg("bit %zu may be flipped", bit);
		reason = ca_error_reason();
		assert_true(reason == CA_R_VERIFY || reason == CA_R_INPUT);
		changed.p[bit / 8] = der->p[bit / 8];
	}
	ca_error_clear();
}

static void
test_flipped_bits(void **state)
{
	struct people *p = *state;
	struct octets rsa = make(SIGNATURE_APPROVE, p->rsa, p->rsa_cert);

	flip_bits(&p->valid, p->p256_cert, 1);
	flip_bits(&rsa, p->rsa_cert, 13);
}

static void
test_signature_bits(void **state)
{
	struct people *p = *state;
	struct element e = element_find(&p->valid, SIGNATURE);
	struct octets changed = p->valid;

	for (size_t bit = 0; bit < 8 * e.len; bit++) {
		size_t at = e.at + e.header + bit / 8;

		changed.p[at] ^= (unsigned char)(1 << bit % 8);
		assert_refused(CA_R_VERIFY, "does not verify with the key",
		    verify(&changed, p->p256_cert));
		changed.p[at] = p->valid.p[at];
	}
}

/* ---- certificates ----------------------------------------------------- */

static void
test_certificates(void **state)
{
	struct people *p = *state;
	static const struct {
		const char *type, *key_usage, *text;
	} rows[] = {
		{ "p-256", NULL, NULL },
		{ "p-256", "digitalSignature", NULL },
		{ "p-256", "critical,nonRepudiation", NULL },
		{ "p-384", "digitalSignature,keyAgreement", NULL },
		{ "rsa-3072", "digitalSignature", NULL },
		{ "p-256", "keyAgreement", "may not sign" },
		{ "rsa-3072", "keyEncipherment", "may not sign" },
		{ "p-256", "keyCertSign", "without digitalSignature" },
		{ "p-521", NULL, "neither RSA nor on P-256 or P-384" },
		{ "rsa-2048", NULL,
		    "2048 bits, and operators' keys need 3072" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(EVP_PKEY) *key = new_key(rows[i].type);
		struct certificate_order order = {
			.key = key, .name = "x", .key_usage = rows[i].key_usage
		};
		AUTO(X509) *certificate = new_certificate(&order);
		unsigned char *der = NULL;
		size_t len = 0;

		if (rows[i].text == NULL) {
			assert_ok(signature_certificate_check(certificate));
			continue;
		}
		assert_refused(CA_R_POLICY, rows[i].text,
		    signature_certificate_check(certificate));
		assert_refused(CA_R_POLICY, rows[i].text,
		    signature_make(SIGNATURE_APPROVE, CONTENT, key, certificate,
			&der, &len));
		assert_refused(
		    CA_R_POLICY, rows[i].text, verify(&p->valid, certificate));
	}
}

static void
test_certificate_ed25519(void **state)
{
	AUTO(EVP_PKEY) *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	AUTO(X509) *certificate = X509_new();

	(void)state;
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_refused(CA_R_POLICY, "none of RSA, P-256",
	    signature_certificate_check(certificate));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_purposes),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_make_empty),
		cmocka_unit_test(test_make_wrong_key),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_tool_good),
		cmocka_unit_test(test_tool_refused),
		cmocka_unit_test(test_tool_verifies_ours),
		cmocka_unit_test(test_key_identifier),
		cmocka_unit_test(test_other_signer),
		cmocka_unit_test(test_name_of_other_case),
		cmocka_unit_test(test_two_signers),
		cmocka_unit_test(test_embedded_certificates),
		cmocka_unit_test(test_embedded_other_kind),
		cmocka_unit_test(test_crls),
		cmocka_unit_test(test_other_purpose),
		cmocka_unit_test(test_other_type),
		cmocka_unit_test(test_outer_type),
		cmocka_unit_test(test_stripped_attributes),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_two_values),
		cmocka_unit_test(test_unsigned_attributes),
		cmocka_unit_test(test_content_bits),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_attached),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_no_cms),
		cmocka_unit_test(test_ber),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_digest_list),
		cmocka_unit_test(test_flipped_bits),
		cmocka_unit_test(test_signature_bits),
		cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_certificate_ed25519),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
