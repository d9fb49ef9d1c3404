#include "ceremony/quorum/signature.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/date.h"
#include "base/error.h"
#include "ceremony/quorum/certificate.h"
#include "profiles/der/der.h"

enum {
	SIGNATURE_MAX_BYTES = 64 * 1024,
	TAG_OID = 0x06,
	TAG_SET = 0x31,
	TAG_CONTEXT_1 = 0xa1,
	TAG_KEY_IDENTIFIER = 0x80,
	OID_TEXT_SIZE = 128,
	ONCE = -3, /* CMS_signed_get0_data_by_OBJ: one attribute, one value */
};

/* The UUID 4b0a3f95-8864-4400-997e-0a69a41d1362 (ITU-T X.667, section 7). */
#define ARC "2.25.99745312291466458474339361182822765410."

static const struct {
	const char *name, *oid;
} purposes[SIGNATURE_PURPOSES] = {
	[SIGNATURE_APPROVE] = { "approval", ARC "1" },
	[SIGNATURE_CONFIRM] = { "confirmation", ARC "2" },
	[SIGNATURE_ENROL] = { "enrolment", ARC "3" },
	[SIGNATURE_ANCHOR] = { "anchor", ARC "4" },
	[SIGNATURE_REHEARSE] = { "rehearsal", ARC "5" },
	[SIGNATURE_EVENT] = { "event", ARC "6" },
};

const char *
signature_purpose_name(enum signature_purpose purpose)
{
	return purposes[purpose].name;
}

const char *
signature_purpose_oid(enum signature_purpose purpose)
{
	return purposes[purpose].oid;
}

int
signature_certificate_check(X509 *certificate)
{
	return certificate_fits(certificate, CERTIFICATE_SIGN);
}

/* ---- algorithms ------------------------------------------------------- */

static const int digests[] = { NID_sha256, NID_sha384, NID_sha512 };

/* RFC 3370, section 3.2; RFC 4056; RFC 5754, sections 3.2 and 3.3. */
static const struct {
	int nid;
	int digest; /* NID_undef: any of ours */
	int key;
	int parameters; /* ASN.1 type; -1: absent */
} signature_algorithms[] = {
	{ NID_rsaEncryption, NID_undef, EVP_PKEY_RSA, V_ASN1_NULL },
	{ NID_sha256WithRSAEncryption, NID_sha256, EVP_PKEY_RSA, V_ASN1_NULL },
	{ NID_sha384WithRSAEncryption, NID_sha384, EVP_PKEY_RSA, V_ASN1_NULL },
	{ NID_sha512WithRSAEncryption, NID_sha512, EVP_PKEY_RSA, V_ASN1_NULL },
	{ NID_rsassaPss, NID_undef, EVP_PKEY_RSA, V_ASN1_SEQUENCE },
	{ NID_ecdsa_with_SHA256, NID_sha256, EVP_PKEY_EC, V_ASN1_UNDEF },
	{ NID_ecdsa_with_SHA384, NID_sha384, EVP_PKEY_EC, V_ASN1_UNDEF },
	{ NID_ecdsa_with_SHA512, NID_sha512, EVP_PKEY_EC, V_ASN1_UNDEF },
};

static const char *
oid_name(const ASN1_OBJECT *oid, char text[OID_TEXT_SIZE])
{
	int len = OBJ_obj2txt(text, OID_TEXT_SIZE, oid, 0);

	return len > 0 ? text : "unknown";
}

static int
algorithm_nid(const X509_ALGOR *algorithm, int *ret_parameters)
{
	const ASN1_OBJECT *oid = NULL;

	X509_ALGOR_get0(&oid, ret_parameters, NULL, algorithm);
	return OBJ_obj2nid(oid);
}

/* RFC 5754, section 2: parameters absent, or NULL. */
static int
digest_nid(const X509_ALGOR *algorithm)
{
	int parameters = V_ASN1_UNDEF, nid;

	if (algorithm == NULL)
		return NID_undef;
	nid = algorithm_nid(algorithm, &parameters);
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++)
		if (digests[i] == nid &&
		    (parameters == V_ASN1_UNDEF || parameters == V_ASN1_NULL))
			return nid;
	return NID_undef;
}

static int
check_digest_algorithm(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid = NULL;
	char text[OID_TEXT_SIZE];

	if (digest_nid(algorithm) != NID_undef)
		return 0;
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return ca_error(CA_R_VERIFY,
	    "the signature's digest algorithm is '%s'; only SHA-256, SHA-384 "
	    "and SHA-512 are accepted",
	    oid_name(oid, text));
}

CLEANUP_DEFINE(RSA_PSS_PARAMS, RSA_PSS_PARAMS_free);

/*
 * RFC 4055, section 3.1: one hash for all, and at least as much salt.  What is
 * left out means SHA-1, which digest_nid() refuses, or 20 octets of salt.
 */
static bool
pss_is_sound(const X509_ALGOR *algorithm, int digest)
{
	AUTO(RSA_PSS_PARAMS) *pss = NULL;
	AUTO(X509_ALGOR) *mask_hash = NULL;
	const EVP_MD *md = EVP_get_digestbynid(digest);
	int unused = 0;

	pss = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
	if (pss == NULL || pss->maskGenAlgorithm == NULL ||
	    pss->saltLength == NULL || md == NULL ||
	    algorithm_nid(pss->maskGenAlgorithm, &unused) != NID_mgf1)
		return false;
	mask_hash = ASN1_TYPE_unpack_sequence(
	    ASN1_ITEM_rptr(X509_ALGOR), pss->maskGenAlgorithm->parameter);
	return digest_nid(pss->hashAlgorithm) == digest &&
	    digest_nid(mask_hash) == digest &&
	    (pss->trailerField == NULL ||
		ASN1_INTEGER_get(pss->trailerField) == 1) &&
	    ASN1_INTEGER_get(pss->saltLength) >= EVP_MD_get_size(md);
}

static bool
algorithm_is_ours(const X509_ALGOR *algorithm, int digest, int key)
{
	int parameters = V_ASN1_UNDEF;
	int nid = algorithm_nid(algorithm, &parameters);
	size_t rows =
	    sizeof(signature_algorithms) / sizeof(signature_algorithms[0]);

	for (size_t i = 0; i < rows; i++)
		if (signature_algorithms[i].nid == nid &&
		    signature_algorithms[i].key == key &&
		    signature_algorithms[i].parameters == parameters &&
		    (signature_algorithms[i].digest == NID_undef ||
			signature_algorithms[i].digest == digest))
			return nid != NID_rsassaPss ||
			    pss_is_sound(algorithm, digest);
	return false;
}

static int
check_signature_algorithm(
    const X509_ALGOR *algorithm, const X509_ALGOR *digest, X509 *certificate)
{
	int key = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
	const ASN1_OBJECT *oid = NULL;
	char text[OID_TEXT_SIZE];
	bool ours;

	(void)ERR_set_mark();
	ours = algorithm_is_ours(algorithm, digest_nid(digest), key);
	(void)ERR_pop_to_mark();
	if (ours)
		return 0;
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return ca_error(CA_R_VERIFY,
	    "the signature's algorithm is '%s', in a form that does not fit "
	    "its digest and the certificate's key",
	    oid_name(oid, text));
}

/* ---- the frame -------------------------------------------------------- */

/*
 * RFC 5652, sections 3, 5.1 and 5.3, from the octets: OpenSSL tells neither
 * what digestAlgorithms holds nor certificates of other kinds.
 */
struct frame {
	struct der digests, certificates;
	struct der signer_digest;
	bool versions; /* are those that belong to the rest */
	bool attached, crls, unsigned_attributes;
	unsigned signers;
};

static bool
signer_read(struct der signer, struct frame *frame)
{
	struct der version;
	bool by_name;

	if (!der_take(&signer, DER_INTEGER, &version, NULL))
		return false;
	by_name = der_take(&signer, DER_SEQUENCE, NULL, NULL);
	if ((!by_name && !der_take(&signer, TAG_KEY_IDENTIFIER, NULL, NULL)) ||
	    !der_take(&signer, DER_SEQUENCE, NULL, &frame->signer_digest))
		return false;
	/* RFC 5652, section 5.3 */
	frame->versions = frame->versions &&
	    der_equal(version, (const unsigned char[]){ by_name ? 1 : 3 }, 1);
	(void)der_take(&signer, DER_CONTEXT_0, NULL, NULL);
	if (!der_take(&signer, DER_SEQUENCE, NULL, NULL) ||
	    !der_take(&signer, 0x04, NULL, NULL))
		return false;
	frame->unsigned_attributes = signer.len != 0;
	return true;
}

static bool
signed_data_read(struct der data, struct frame *frame)
{
	struct der version, encapsulated, signers, signer = { NULL, 0 }, next;

	if (!der_take(&data, DER_INTEGER, &version, NULL) ||
	    !der_take(&data, TAG_SET, &frame->digests, NULL) ||
	    !der_take(&data, DER_SEQUENCE, &encapsulated, NULL) ||
	    !der_take(&encapsulated, TAG_OID, NULL, NULL))
		return false;
	/* RFC 5652, section 5.1: 3 where the content is not id-data. */
	frame->versions = der_equal(version, (const unsigned char[]){ 3 }, 1);
	frame->attached = encapsulated.len != 0;
	(void)der_take(&data, DER_CONTEXT_0, &frame->certificates, NULL);
	frame->crls = der_take(&data, TAG_CONTEXT_1, NULL, NULL);
	if (!der_take(&data, TAG_SET, &signers, NULL) || data.len != 0)
		return false;
	for (; der_take(&signers, DER_SEQUENCE, &next, NULL); signer = next)
		frame->signers++;
	return signers.len == 0 &&
	    (frame->signers != 1 || signer_read(signer, frame));
}

static bool
frame_read(const unsigned char *der, size_t len, struct frame *ret_frame)
{
	struct der in = { der, len }, info, content, data;

	return der_take(&in, DER_SEQUENCE, &info, NULL) && in.len == 0 &&
	    der_take(&info, TAG_OID, NULL, NULL) &&
	    der_take(&info, DER_CONTEXT_0, &content, NULL) && info.len == 0 &&
	    der_take(&content, DER_SEQUENCE, &data, NULL) && content.len == 0 &&
	    signed_data_read(data, ret_frame);
}

/* An embedded certificate adds nothing; one of somebody else confuses. */
static int
check_certificates(struct der embedded, X509 *certificate)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ca_error(CA_R_INTERNAL, "a certificate is lost");
	for (; embedded.len > 0; embedded.p += len, embedded.len -= (size_t)len)
		if (embedded.len < (size_t)len ||
		    memcmp(embedded.p, der, (size_t)len) != 0)
			return ca_error(CA_R_VERIFY,
			    "the signature carries a certificate that is not "
			    "its signer's in the quorum set");
	return 0;
}

static int
check_frame(const struct frame *frame, X509 *certificate)
{
	if (frame->attached)
		return ca_error(CA_R_VERIFY,
		    "the signature carries content of its own; only detached "
		    "ones are accepted");
	if (frame->crls)
		return ca_error(CA_R_VERIFY, "the signature carries CRLs");
	if (frame->signers != 1)
		return ca_error(CA_R_VERIFY,
		    "the signature has %u signers; exactly one is accepted",
		    frame->signers);
	if (frame->unsigned_attributes)
		return ca_error(CA_R_VERIFY,
		    "the signature has attributes that are not signed");
	if (!frame->versions)
		return ca_error(CA_R_VERIFY,
		    "the signature has version numbers that do not belong to "
		    "it (RFC 5652, sections 5.1 and 5.3)");
	if (!der_equal(frame->digests, frame->signer_digest.p,
		frame->signer_digest.len))
		return ca_error(CA_R_VERIFY,
		    "the signature lists other digest algorithms than its "
		    "signer's");
	return check_certificates(frame->certificates, certificate);
}

/* ---- reading ---------------------------------------------------------- */

/* Anything that is CMS, with the octets that it took. */
static int
cms_read(const unsigned char *der, size_t len, CMS_ContentInfo **ret_cms,
    size_t *ret_used)
{
	AUTO(CMS_ContentInfo) *cms = NULL;
	const unsigned char *p = der;

	if (len == 0 || len > SIGNATURE_MAX_BYTES)
		return ca_error(CA_R_INPUT,
		    "not a signature: %zu octets, and 1 to %d are read", len,
		    SIGNATURE_MAX_BYTES);
	(void)ERR_set_mark();
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)len);
	(void)ERR_pop_to_mark();
	if (cms == NULL)
		return ca_error(CA_R_INPUT,
		    "not a signature, or cut off: it is no CMS in DER (RFC "
		    "5652); PEM is not read");
	if (OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		return ca_error(CA_R_VERIFY,
		    "the CMS object is not SignedData (RFC 5652, section 5)");
	*ret_used = (size_t)(p - der);
	*ret_cms = TAKE(cms);
	return 0;
}

/*
 * To the last octet what an encoder of DER writes.  The encoder alone sees the
 * order of the signed attributes (a SET under an IMPLICIT tag), the walk alone
 * what OpenSSL keeps as it came.
 */
static int
check_encoding(CMS_ContentInfo *cms, const unsigned char *der, size_t len)
{
	AUTO_DER(again) = NULL;
	int again_len = i2d_CMS_ContentInfo(cms, &again);
	size_t offset = 0;

	if (again_len <= 0)
		return ca_error(CA_R_INTERNAL, "a signature is lost");
	if (!der_is_strict(der, len, &offset))
		return ca_error(CA_R_VERIFY,
		    "the signature is not DER: wrong from octet %zu on",
		    offset);
	if ((size_t)again_len != len || memcmp(again, der, len) != 0)
		return ca_error(CA_R_VERIFY,
		    "the signature is not DER: it encodes to other octets");
	return 0;
}

/* ---- what was signed -------------------------------------------------- */

/* What people should read about a content type that is not the right one. */
static const char *
purpose_of(const ASN1_OBJECT *type, char text[OID_TEXT_SIZE])
{
	if (OBJ_obj2txt(text, OID_TEXT_SIZE, type, 1) <= 0)
		return "an unknown content type";
	for (size_t i = 0; i < SIGNATURE_PURPOSES; i++)
		if (strcmp(purposes[i].oid, text) == 0)
			return purposes[i].name;
	return text;
}

static int
check_type(
    const ASN1_OBJECT *type, enum signature_purpose purpose, const char *where)
{
	char text[OID_TEXT_SIZE];
	const char *found = purpose_of(type, text);

	if (found == purposes[purpose].name)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "the signature is none of the kind '%s': %s it is '%s'",
	    purposes[purpose].name, where, found);
}

/* Each kind of attribute once, with one value. */
static int
check_attributes(const CMS_SignerInfo *signer)
{
	int count = CMS_signed_get_attr_count(signer);

	if (count <= 0)
		return ca_error(CA_R_VERIFY,
		    "the signature has no signed attributes, so nothing says "
		    "what it was made for");
	for (int i = 0; i < count; i++) {
		X509_ATTRIBUTE *attribute = CMS_signed_get_attr(signer, i);
		const ASN1_OBJECT *oid = X509_ATTRIBUTE_get0_object(attribute);
		char text[OID_TEXT_SIZE];

		if (X509_ATTRIBUTE_count(attribute) != 1 ||
		    CMS_signed_get_attr_by_OBJ(signer, oid, i) >= 0)
			return ca_error(CA_R_VERIFY,
			    "the signed attribute '%s' is there more than once",
			    oid_name(oid, text));
	}
	return 0;
}

static int
check_signed_type(const CMS_SignerInfo *signer, enum signature_purpose purpose)
{
	const ASN1_OBJECT *type = CMS_signed_get0_data_by_OBJ(
	    signer, OBJ_nid2obj(NID_pkcs9_contentType), ONCE, V_ASN1_OBJECT);

	if (type == NULL)
		return ca_error(CA_R_VERIFY,
		    "the signed attribute contentType is missing (RFC 5652, "
		    "section 11.1)");
	return check_type(type, purpose, "in what was signed");
}

static int
check_content(CMS_SignerInfo *signer, const X509_ALGOR *digest,
    const void *content, size_t len)
{
	const ASN1_OCTET_STRING *claimed = CMS_signed_get0_data_by_OBJ(signer,
	    OBJ_nid2obj(NID_pkcs9_messageDigest), ONCE, V_ASN1_OCTET_STRING);
	const EVP_MD *md = EVP_get_digestbynid(digest_nid(digest));
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (claimed == NULL)
		return ca_error(CA_R_VERIFY,
		    "the signed attribute messageDigest is missing (RFC 5652, "
		    "section 11.2)");
	if (md == NULL || EVP_Digest(content, len, octets, &n, md, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "a digest is not available");
	if ((unsigned)ASN1_STRING_length(claimed) != n ||
	    CRYPTO_memcmp(ASN1_STRING_get0_data(claimed), octets, n) != 0)
		return ca_error(CA_R_VERIFY,
		    "the signature is over other content: not one octet may "
		    "be changed, line ends included");
	return 0;
}

/* Names that only compare equal are not enough: the same octets. */
static bool
names_certificate(CMS_SignerInfo *signer, X509 *certificate)
{
	X509_NAME *name = NULL;
	const unsigned char *a = NULL, *b = NULL;
	size_t a_len = 0, b_len = 0;

	if (CMS_SignerInfo_cert_cmp(signer, certificate) != 0 ||
	    CMS_SignerInfo_get0_signer_id(signer, NULL, &name, NULL) != 1)
		return false;
	return name == NULL ||
	    (X509_NAME_get0_der(name, &a, &a_len) == 1 &&
		X509_NAME_get0_der(
		    X509_get_issuer_name(certificate), &b, &b_len) == 1 &&
		a_len == b_len && memcmp(a, b, a_len) == 0);
}

static int
check_signer(CMS_SignerInfo *signer, enum signature_purpose purpose,
    const void *content, size_t len, X509 *certificate)
{
	X509_ALGOR *digest = NULL, *algorithm = NULL;

	if (!names_certificate(signer, certificate))
		return ca_error(CA_R_VERIFY,
		    "the signature names another certificate than its "
		    "signer's in the quorum set");
	CMS_SignerInfo_get0_algs(signer, NULL, NULL, &digest, &algorithm);
	if (check_digest_algorithm(digest) < 0 ||
	    check_signature_algorithm(algorithm, digest, certificate) < 0 ||
	    check_attributes(signer) < 0 ||
	    check_signed_type(signer, purpose) < 0 ||
	    check_content(signer, digest, content, len) < 0)
		return -1;
	return 0;
}

/* Whatever key was meant: the one in the certificate that we hold. */
static int
check_value(CMS_SignerInfo *signer, X509 *certificate)
{
	int result;

	CMS_SignerInfo_set1_signer_cert(signer, certificate);
	(void)ERR_set_mark();
	result = CMS_SignerInfo_verify(signer);
	(void)ERR_pop_to_mark();
	if (result == 1)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "the signature does not verify with the key in its signer's "
	    "certificate: made with another key, or changed since");
}

int
signature_verify(enum signature_purpose purpose, const void *content,
    size_t len, const unsigned char *der, size_t der_len, X509 *certificate)
{
	AUTO(CMS_ContentInfo) *cms = NULL;
	struct frame frame = { 0 };
	CMS_SignerInfo *signer;
	size_t used = 0;

	if (signature_certificate_check(certificate) < 0 ||
	    cms_read(der, der_len, &cms, &used) < 0)
		return -1;
	if (used != der_len)
		return ca_error(CA_R_VERIFY,
		    "the signature has %zu octets behind its end",
		    der_len - used);
	if (check_encoding(cms, der, der_len) < 0)
		return -1;
	if (!frame_read(der, der_len, &frame))
		return ca_error(CA_R_VERIFY,
		    "the signature is not laid out as SignedData (RFC 5652, "
		    "section 5.1)");
	if (check_frame(&frame, certificate) < 0 ||
	    check_type(CMS_get0_eContentType(cms), purpose, "on the outside") <
		0)
		return -1;
	signer = sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0);
	if (check_signer(signer, purpose, content, len, certificate) < 0)
		return -1;
	return check_value(signer, certificate);
}

/* ---- making ----------------------------------------------------------- */

static const EVP_MD *
digest_for(EVP_PKEY *key)
{
	return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
		EVP_PKEY_get_bits(key) == 384
	    ? EVP_sha384()
	    : EVP_sha256();
}

static int
sign(enum signature_purpose purpose, BIO *content, EVP_PKEY *key,
    X509 *certificate, CMS_ContentInfo **ret_cms)
{
	const unsigned flags = CMS_BINARY | CMS_DETACHED | CMS_NOCERTS |
	    CMS_NOSMIMECAP | CMS_PARTIAL;
	AUTO(ASN1_OBJECT) *type = OBJ_txt2obj(purposes[purpose].oid, 1);
	AUTO(CMS_ContentInfo) *cms = CMS_sign(NULL, NULL, NULL, NULL, flags);

	if (type == NULL || cms == NULL ||
	    CMS_set1_eContentType(cms, type) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a signature");
	if (CMS_add1_signer(cms, certificate, key,
		digest_for(X509_get0_pubkey(certificate)), flags) == NULL ||
	    CMS_final(cms, content, NULL, flags) != 1)
		return ca_error(CA_R_KEY, "the key does not sign");
	*ret_cms = TAKE(cms);
	return 0;
}

static int
copy_der(CMS_ContentInfo *cms, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_DER(der) = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);
	unsigned char *copy = len > 0 ? malloc((size_t)len) : NULL;

	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a signature");
	memcpy(copy, der, (size_t)len);
	*ret_der = copy;
	*ret_len = (size_t)len;
	return 0;
}

int
signature_make(enum signature_purpose purpose, const void *content, size_t len,
    EVP_PKEY *key, X509 *certificate, unsigned char **ret_der, size_t *ret_len)
{
	AUTO(CMS_ContentInfo) *cms = NULL;
	AUTO(BIO) *bio = NULL;
	AUTO_BYTES(der) = NULL;
	size_t der_len = 0;

	if (signature_certificate_check(certificate) < 0)
		return -1;
	if (X509_check_private_key(certificate, key) != 1)
		return ca_error(CA_R_KEY,
		    "the private key is not the one of the certificate");
	if (len > INT_MAX)
		return ca_error(CA_R_INPUT, "too much to be signed");
	bio = BIO_new_mem_buf(len == 0 ? "" : content, (int)len);
	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a signature");
	if (sign(purpose, bio, key, certificate, &cms) < 0 ||
	    copy_der(cms, &der, &der_len) < 0 ||
	    signature_verify(purpose, content, len, der, der_len, certificate) <
		0)
		return -1;
	*ret_der = TAKE(der);
	*ret_len = der_len;
	return 0;
}

/* ---- signingTime ------------------------------------------------------ */

/* RFC 5652, section 11.3: UTCTime, or GeneralizedTime from 2050. */
static int
time_of(const CMS_SignerInfo *signer, int64_t *ret_time)
{
	const ASN1_OBJECT *oid = OBJ_nid2obj(NID_pkcs9_signingTime);
	const ASN1_TIME *time;

	if (CMS_signed_get_attr_by_OBJ(signer, oid, -1) < 0) {
		*ret_time = 0;
		return 0;
	}
	time = CMS_signed_get0_data_by_OBJ(signer, oid, ONCE, V_ASN1_UTCTIME);
	if (time == NULL)
		time = CMS_signed_get0_data_by_OBJ(
		    signer, oid, ONCE, V_ASN1_GENERALIZEDTIME);
	if (time == NULL)
		return ca_error(
		    CA_R_INPUT, "the signature's signingTime is no time");
	return date_from_asn1(time, ret_time);
}

int
signature_time(const unsigned char *der, size_t der_len, int64_t *ret_time)
{
	AUTO(CMS_ContentInfo) *cms = NULL;
	STACK_OF(CMS_SignerInfo) *signers;
	size_t used = 0;

	if (cms_read(der, der_len, &cms, &used) < 0)
		return -1;
	signers = CMS_get0_SignerInfos(cms);
	if (sk_CMS_SignerInfo_num(signers) < 1)
		return ca_error(CA_R_INPUT, "the signature has no signer");
	return time_of(sk_CMS_SignerInfo_value(signers, 0), ret_time);
}
