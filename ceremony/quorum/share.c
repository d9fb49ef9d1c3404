#include "ceremony/quorum/share.h"

#include <stdio.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/rsa.h>

#include "base/error.h"
#include "base/text.h"

enum {
	TEXT_MAX_BYTES = 8192,
	AUTHORITY_MAX_BYTES = 128,
	ENVELOPE_MAX_BYTES = 64 << 10,
	NONCE_LEN = 12,
	TAG_LEN = 16,
};

void
share_clear(struct share *share)
{
	free(share->authority);
	free(share->operator);
	secret_clear(&share->value);
	*share = (struct share){ 0 };
}

/* ---- writing the text ------------------------------------------------- */

/* A text that grows in secure memory of a fixed size. */
struct writer {
	struct secret text;
	size_t used;
	bool full;
};

static void
writer_clear(struct writer *writer)
{
	secret_clear(&writer->text);
}
CLEANUP_DEFINE_STRUCT(writer);

static void
put(struct writer *writer, const char *bytes, size_t len)
{
	if (len > writer->text.len - writer->used) {
		writer->full = true;
		return;
	}
	memcpy(writer->text.bytes + writer->used, bytes, len);
	writer->used += len;
}

static void
put_line(struct writer *writer, const char *label, const char *value)
{
	put(writer, label, strlen(label));
	put(writer, value, strlen(value));
	put(writer, "\n", 1);
}

static void
put_hex(struct writer *writer, const char *label, const unsigned char *octets,
    size_t len)
{
	static const char digits[] = "0123456789abcdef";

	put(writer, label, strlen(label));
	for (size_t i = 0; i < len; i++) {
		put(writer, &digits[octets[i] >> 4], 1);
		put(writer, &digits[octets[i] & 15], 1);
	}
	put(writer, "\n", 1);
}

static void
put_number(struct writer *writer, const char *label, unsigned number)
{
	char text[12];

	(void)snprintf(text, sizeof(text), "%u", number);
	put_line(writer, label, text);
}

/* As `init` takes an authority's id. */
static bool
is_authority(const char *id)
{
	size_t len = strlen(id);

	return len > 0 && len <= AUTHORITY_MAX_BYTES &&
	    strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789.-/") == len;
}

/* What can be said in the text; share_parse() accepts nothing else. */
static bool
can_be_written(const struct share *share)
{
	unsigned threshold = share->commitments.threshold;

	return is_authority(share->authority) &&
	    text_is_name(share->operator) && share->operators <= SHARERS_MAX &&
	    share->index >= 1 && share->index <= share->operators &&
	    threshold >= 1 && threshold <= share->operators &&
	    share->value.len == SCALAR_LEN;
}

int
share_text(const struct share *share, struct secret *ret_text)
{
	AUTO_STRUCT(writer) writer = { 0 };

	if (!can_be_written(share))
		return ca_error(CA_R_INTERNAL,
		    "a share cannot be written: its text would not be read "
		    "again");
	if (secret_new(TEXT_MAX_BYTES, &writer.text) < 0)
		return -1;
	put_line(&writer, "ca-tool share 1", "");
	put_line(&writer, "authority: ", share->authority);
	put_hex(&writer, "set: ", share->set, SET_ID_LEN);
	put_line(&writer, "operator: ", share->operator);
	put_number(&writer, "index: ", share->index);
	put_number(&writer, "threshold: ", share->commitments.threshold);
	put_number(&writer, "operators: ", share->operators);
	for (unsigned i = 0; i < share->commitments.threshold; i++)
		put_hex(&writer, "commitment: ", share->commitments.points[i],
		    POINT_LEN);
	put_hex(&writer, "share: ", (const unsigned char *)share->value.bytes,
	    SCALAR_LEN);
	if (writer.full)
		return ca_error(
		    CA_R_INTERNAL, "the text of a share is too long");
	return secret_copy(writer.text.bytes, writer.used, ret_text);
}

/* ---- reading the text ------------------------------------------------- */

/* Where the reader is; the text is never copied but into the share. */
struct reader {
	const char *at, *end;
	unsigned line;
};

static int
malformed(const struct reader *reader, const char *wanted)
{
	return ca_error(CA_R_INPUT,
	    "line %u of the share's text is not '%s' as a share has it",
	    reader->line, wanted);
}

/* The value of the next line, which begins with `label`. */
static int
take_line(struct reader *reader, const char *label, const char **ret_value,
    size_t *ret_len)
{
	size_t left = (size_t)(reader->end - reader->at);
	size_t skip = strlen(label);
	const char *newline;

	reader->line++;
	newline = left == 0 ? NULL : memchr(reader->at, '\n', left);
	if (newline == NULL || (size_t)(newline - reader->at) < skip ||
	    memcmp(reader->at, label, skip) != 0)
		return malformed(reader, label);
	*ret_value = reader->at + skip;
	*ret_len = (size_t)(newline - *ret_value);
	reader->at = newline + 1;
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly `len` octets in lower-case hex. */
static int
take_hex(
    struct reader *reader, const char *label, unsigned char *octets, size_t len)
{
	const char *value;
	size_t value_len;

	if (take_line(reader, label, &value, &value_len) < 0)
		return -1;
	if (value_len != 2 * len)
		return malformed(reader, label);
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(value[2 * i]);
		int low = hex_digit(value[2 * i + 1]);

		if (high < 0 || low < 0)
			return malformed(reader, label);
		octets[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

static int
take_text(struct reader *reader, const char *label, char **ret_text)
{
	const char *value;
	size_t len;

	if (take_line(reader, label, &value, &len) < 0)
		return -1;
	if (len == 0 || len > AUTHORITY_MAX_BYTES ||
	    memchr(value, '\0', len) != NULL)
		return malformed(reader, label);
	*ret_text = text_printf("%.*s", (int)len, value);
	return *ret_text == NULL ? -1 : 0;
}

/* A text for which fits() holds. */
static int
take_fitting(struct reader *reader, const char *label,
    bool (*fits)(const char *text), char **ret_text)
{
	AUTO_CHARS(text) = NULL;

	if (take_text(reader, label, &text) < 0)
		return -1;
	if (!fits(text))
		return malformed(reader, label);
	*ret_text = TAKE(text);
	return 0;
}

/* 1 to SHARERS_MAX, without leading zeros. */
static int
take_number(struct reader *reader, const char *label, unsigned *ret_number)
{
	AUTO_CHARS(text) = NULL;
	uint64_t number = 0;

	if (take_text(reader, label, &text) < 0)
		return -1;
	if (text_number(text, SHARERS_MAX, &number) < 0 || number == 0) {
		ca_error_clear();
		return malformed(reader, label);
	}
	*ret_number = (unsigned)number;
	return 0;
}

static int
take_head(struct reader *reader, struct share *share)
{
	const char *rest;
	size_t len;

	if (take_line(reader, "ca-tool share 1", &rest, &len) < 0)
		return -1;
	if (len != 0)
		return malformed(reader, "ca-tool share 1");
	if (take_fitting(
		reader, "authority: ", is_authority, &share->authority) < 0 ||
	    take_hex(reader, "set: ", share->set, SET_ID_LEN) < 0 ||
	    take_fitting(reader, "operator: ", text_is_name, &share->operator) <
		0 ||
	    take_number(reader, "index: ", &share->index) < 0 ||
	    take_number(reader, "threshold: ", &share->commitments.threshold) <
		0 ||
	    take_number(reader, "operators: ", &share->operators) < 0)
		return -1;
	if (share->index > share->operators ||
	    share->commitments.threshold > share->operators)
		return ca_error(CA_R_INPUT,
		    "the share's index or threshold is above its number of "
		    "operators");
	return 0;
}

int
share_parse(const struct secret *text, struct share *ret_share)
{
	AUTO_STRUCT(share) share = { 0 };
	struct reader reader = { text->bytes, text->bytes + text->len, 0 };

	if (take_head(&reader, &share) < 0 ||
	    secret_new(SCALAR_LEN, &share.value) < 0)
		return -1;
	for (unsigned i = 0; i < share.commitments.threshold; i++)
		if (take_hex(&reader, "commitment: ",
			share.commitments.points[i], POINT_LEN) < 0)
			return -1;
	if (take_hex(&reader, "share: ", (unsigned char *)share.value.bytes,
		SCALAR_LEN) < 0)
		return -1;
	if (reader.at != reader.end)
		return ca_error(CA_R_INPUT,
		    "something stands behind the last line of the share's "
		    "text");
	if (sharing_check(&share.commitments, share.index, &share.value) < 0)
		return -1;
	*ret_share = share;
	share = (struct share){ 0 };
	return 0;
}

/* ---- the envelope's form ---------------------------------------------- */

/*
 * OpenSSL 3.0 shows neither cipher nor tag of an AuthEnvelopedData (RFC 5083,
 * section 2.1; RFC 5084, section 3.2).  Without originatorInfo and attributes:
 * what has them does not parse.
 */
struct gcm_parameters {
	ASN1_OCTET_STRING *nonce;
	ASN1_INTEGER *icv_len;
};

struct encrypted_content {
	ASN1_OBJECT *type;
	X509_ALGOR *cipher;
	ASN1_OCTET_STRING *content;
};

struct auth_enveloped {
	ASN1_INTEGER *version;
	STACK_OF(ASN1_TYPE) *recipients;
	struct encrypted_content *encrypted;
	ASN1_OCTET_STRING *tag;
};

struct envelope {
	ASN1_OBJECT *type;
	struct auth_enveloped *content;
};

/* The macros are no statements. */
/* clang-format off */
ASN1_SEQUENCE(GCM_PARAMETERS) = {
	ASN1_SIMPLE(struct gcm_parameters, nonce, ASN1_OCTET_STRING),
	ASN1_OPT(struct gcm_parameters, icv_len, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END_name(struct gcm_parameters, GCM_PARAMETERS)

ASN1_SEQUENCE(ENCRYPTED_CONTENT) = {
	ASN1_SIMPLE(struct encrypted_content, type, ASN1_OBJECT),
	ASN1_SIMPLE(struct encrypted_content, cipher, X509_ALGOR),
	ASN1_IMP(struct encrypted_content, content, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END_name(struct encrypted_content, ENCRYPTED_CONTENT)

ASN1_SEQUENCE(AUTH_ENVELOPED) = {
	ASN1_SIMPLE(struct auth_enveloped, version, ASN1_INTEGER),
	ASN1_SET_OF(struct auth_enveloped, recipients, ASN1_ANY),
	ASN1_SIMPLE(struct auth_enveloped, encrypted, ENCRYPTED_CONTENT),
	ASN1_SIMPLE(struct auth_enveloped, tag, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END_name(struct auth_enveloped, AUTH_ENVELOPED)

ASN1_SEQUENCE(ENVELOPE) = {
	ASN1_SIMPLE(struct envelope, type, ASN1_OBJECT),
	ASN1_EXP(struct envelope, content, AUTH_ENVELOPED, 0),
} static_ASN1_SEQUENCE_END_name(struct envelope, ENVELOPE)
/* clang-format on */

static void
gcm_parameters_free(struct gcm_parameters *gcm)
{
	ASN1_item_free((ASN1_VALUE *)gcm, ASN1_ITEM_rptr(GCM_PARAMETERS));
}
CLEANUP_DEFINE_PTR(gcm_parameters);

static void
envelope_free(struct envelope *envelope)
{
	ASN1_item_free((ASN1_VALUE *)envelope, ASN1_ITEM_rptr(ENVELOPE));
}
CLEANUP_DEFINE_PTR(envelope);

CLEANUP_DEFINE(RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_free);

static int
wrong(const char *what)
{
	return ca_error(CA_R_VERIFY, "the share's envelope %s", what);
}

/* Does `value` give exactly these octets? */
static bool
encodes_to(const void *value, const ASN1_ITEM *item, const unsigned char *der,
    size_t len)
{
	AUTO_DER(again) = NULL;
	int again_len = ASN1_item_i2d((const ASN1_VALUE *)value, &again, item);

	return again_len >= 0 && (size_t)again_len == len &&
	    memcmp(again, der, len) == 0;
}

/*
 * An algorithm's parameters as an `item`; NULL where they are not its DER.
 * A structure that holds them keeps them as they came, so they are encoded
 * again on their own.
 */
static void *
parameters(const X509_ALGOR *algorithm, const ASN1_ITEM *item)
{
	const ASN1_STRING *der;
	const void *value;
	void *parsed;
	int type;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	if (type != V_ASN1_SEQUENCE)
		return NULL;
	der = value;
	parsed = ASN1_item_unpack(der, item);
	if (parsed != NULL &&
	    encodes_to(parsed, item, ASN1_STRING_get0_data(der),
		(size_t)ASN1_STRING_length(der)))
		return parsed;
	ASN1_item_free(parsed, item);
	ca_error_clear();
	return NULL;
}

static bool
is_algorithm(const X509_ALGOR *algorithm, int nid)
{
	const ASN1_OBJECT *oid;

	if (algorithm == NULL)
		return false;
	X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
	return OBJ_obj2nid(oid) == nid;
}

static int
check_cipher(const struct auth_enveloped *content)
{
	AUTO_PTR(gcm_parameters) *gcm = NULL;

	if (!is_algorithm(content->encrypted->cipher, NID_aes_256_gcm))
		return wrong("is not encrypted with AES-256-GCM");
	gcm = parameters(
	    content->encrypted->cipher, ASN1_ITEM_rptr(GCM_PARAMETERS));
	if (gcm == NULL)
		return wrong("has malformed parameters of AES-256-GCM");
	if (ASN1_STRING_length(gcm->nonce) != NONCE_LEN)
		return wrong("has a nonce that is not of 12 octets");
	/* aes-ICVlen is DEFAULT 12 (RFC 5084, section 3.2). */
	if (gcm->icv_len == NULL || ASN1_INTEGER_get(gcm->icv_len) != TAG_LEN ||
	    ASN1_STRING_length(content->tag) != TAG_LEN)
		return wrong("has a tag that is not of 16 octets: a shorter "
			     "one can be guessed");
	return 0;
}

/*
 * RFC 5652, sections 6.2.1 and 6.2.2, for a recipient that is named by issuer
 * and serial number; OpenSSL reads past it.  In DER it is the first element,
 * of one octet.
 */
static bool
has_version_of_kind(const ASN1_TYPE *recipient)
{
	bool agreement = recipient->type == V_ASN1_OTHER;
	const ASN1_STRING *der = recipient->value.asn1_string;
	const unsigned char version[] = { V_ASN1_INTEGER, 1,
		agreement ? 3 : 0 };
	const unsigned char *at;
	long len;
	int tag, class;

	if (!agreement && recipient->type != V_ASN1_SEQUENCE)
		return false;
	at = ASN1_STRING_get0_data(der);
	if ((ASN1_get_object(&at, &len, &tag, &class, ASN1_STRING_length(der)) &
		0x80) != 0 ||
	    len < (long)sizeof(version))
		return false;
	return memcmp(at, version, sizeof(version)) == 0;
}

/* What check_recipient() found to be right, and to have one recipient. */
static int
check_form(const unsigned char *der, size_t len)
{
	const unsigned char *at = der;
	AUTO_PTR(envelope) *envelope = (struct envelope *)ASN1_item_d2i(
	    NULL, &at, (long)len, ASN1_ITEM_rptr(ENVELOPE));

	if (envelope == NULL) {
		ca_error_clear();
		return wrong("has parts that no share has, such as attributes, "
			     "or lacks some");
	}
	if (ASN1_INTEGER_get(envelope->content->version) != 0)
		return wrong("is not of version 0 (RFC 5083, section 2.1)");
	if (!has_version_of_kind(
		sk_ASN1_TYPE_value(envelope->content->recipients, 0)))
		return wrong("has a recipient of another version");
	if (OBJ_obj2nid(envelope->content->encrypted->type) != NID_pkcs7_data)
		return wrong("holds something that is not data");
	return check_cipher(envelope->content);
}

/* ---- the recipient ---------------------------------------------------- */

/* RSAES-OAEP with SHA-256 for both hashes and no label (RFC 8017, A.2.1). */
static bool
is_our_oaep(const X509_ALGOR *algorithm)
{
	AUTO(RSA_OAEP_PARAMS) *oaep = NULL;
	AUTO(X509_ALGOR) *hash = NULL;

	if (!is_algorithm(algorithm, NID_rsaesOaep))
		return false;
	oaep = parameters(algorithm, ASN1_ITEM_rptr(RSA_OAEP_PARAMS));
	if (oaep == NULL || oaep->pSourceFunc != NULL ||
	    !is_algorithm(oaep->hashFunc, NID_sha256) ||
	    !is_algorithm(oaep->maskGenFunc, NID_mgf1))
		return false;
	hash = parameters(oaep->maskGenFunc, ASN1_ITEM_rptr(X509_ALGOR));
	return is_algorithm(hash, NID_sha256);
}

/* In the same octets: OpenSSL compares names, and keeps them as they came. */
static bool
names(const X509_NAME *issuer, const ASN1_INTEGER *serial, X509 *certificate)
{
	const unsigned char *a, *b;
	size_t a_len, b_len;

	return issuer != NULL && serial != NULL &&
	    X509_NAME_get0_der(issuer, &a, &a_len) == 1 &&
	    X509_NAME_get0_der(X509_get_issuer_name(certificate), &b, &b_len) ==
	    1 &&
	    a_len == b_len && memcmp(a, b, a_len) == 0 &&
	    ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(certificate)) == 0;
}

static int
check_key_transport(CMS_RecipientInfo *recipient, X509 *certificate)
{
	X509_ALGOR *algorithm = NULL;
	X509_NAME *issuer = NULL;
	ASN1_INTEGER *serial = NULL;

	if (CMS_RecipientInfo_ktri_get0_signer_id(
		recipient, NULL, &issuer, &serial) != 1 ||
	    !names(issuer, serial, certificate))
		return wrong("is for another certificate");
	if (CMS_RecipientInfo_ktri_get0_algs(
		recipient, NULL, NULL, &algorithm) != 1)
		return wrong("has no algorithm");
	return is_our_oaep(algorithm)
	    ? 0
	    : wrong("has a key that is not encrypted by RSA-OAEP with "
		    "SHA-256");
}

/* ECDH with X9.63's KDF and AES-256 key wrap (RFC 5753, section 3.1.1). */
static bool
is_our_ecdh(const X509_ALGOR *algorithm)
{
	AUTO(X509_ALGOR) *wrap = NULL;

	if (!is_algorithm(algorithm, NID_dhSinglePass_stdDH_sha256kdf_scheme))
		return false;
	wrap = parameters(algorithm, ASN1_ITEM_rptr(X509_ALGOR));
	return is_algorithm(wrap, NID_id_aes256_wrap);
}

/*
 * The sender's key for this one message is there as a whole, uncompressed point
 * of the recipient's curve (RFC 5753, section 3.1.1).  Unused bits in it would
 * be another encoding that opens as well.
 */
static bool
has_our_originator(CMS_RecipientInfo *recipient)
{
	X509_ALGOR *algorithm = NULL;
	ASN1_BIT_STRING *point = NULL;
	int type;

	if (CMS_RecipientInfo_kari_get0_orig_id(
		recipient, &algorithm, &point, NULL, NULL, NULL) != 1 ||
	    point == NULL || !is_algorithm(algorithm, NID_X9_62_id_ecPublicKey))
		return false;
	X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	return type == V_ASN1_UNDEF && (point->flags & 0x07) == 0 &&
	    ASN1_STRING_length(point) > 0 &&
	    ASN1_STRING_get0_data(point)[0] == POINT_CONVERSION_UNCOMPRESSED;
}

static int
check_key_agreement(CMS_RecipientInfo *recipient, X509 *certificate)
{
	STACK_OF(CMS_RecipientEncryptedKey) *keys =
	    CMS_RecipientInfo_kari_get0_reks(recipient);
	X509_ALGOR *algorithm = NULL;
	ASN1_OCTET_STRING *ukm = NULL;
	X509_NAME *issuer = NULL;
	ASN1_INTEGER *serial = NULL;

	if (sk_CMS_RecipientEncryptedKey_num(keys) != 1)
		return wrong("has more than one recipient");
	if (CMS_RecipientEncryptedKey_get0_id(
		sk_CMS_RecipientEncryptedKey_value(keys, 0), NULL, NULL, NULL,
		&issuer, &serial) != 1 ||
	    !names(issuer, serial, certificate))
		return wrong("is for another certificate");
	if (CMS_RecipientInfo_kari_get0_alg(recipient, &algorithm, &ukm) != 1)
		return wrong("has no algorithm");
	if (!has_our_originator(recipient))
		return wrong("has a sender's key that no share has");
	if (ukm != NULL)
		return wrong("has keying material that no share has");
	return is_our_ecdh(algorithm)
	    ? 0
	    : wrong("has a key that is not agreed on by ECDH with SHA-256 and "
		    "wrapped with AES-256");
}

static int
check_recipient(CMS_ContentInfo *cms, X509 *certificate)
{
	STACK_OF(CMS_RecipientInfo) *recipients = CMS_get0_RecipientInfos(cms);
	CMS_RecipientInfo *recipient;

	if (sk_CMS_RecipientInfo_num(recipients) != 1)
		return wrong("has none or more than one recipient");
	recipient = sk_CMS_RecipientInfo_value(recipients, 0);
	switch (CMS_RecipientInfo_type(recipient)) {
	case CMS_RECIPINFO_TRANS:
		return check_key_transport(recipient, certificate);
	case CMS_RECIPINFO_AGREE:
		return check_key_agreement(recipient, certificate);
	default:
		return wrong("has a recipient without a certificate");
	}
}

/* The same octets come out again: DER to the last one, nothing behind it. */
static int
parse_cms(const unsigned char *der, size_t len, CMS_ContentInfo **ret_cms)
{
	AUTO(CMS_ContentInfo) *cms = NULL;
	const unsigned char *at = der;

	if (len > 0 && len <= ENVELOPE_MAX_BYTES)
		cms = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	if (cms == NULL) {
		ca_error_clear();
		return ca_error(CA_R_INPUT,
		    "this is no share's envelope (CMS, RFC 5652), or it is "
		    "cut off");
	}
	if (at != der + len)
		return wrong("has something behind its end");
	if (!encodes_to(cms, ASN1_ITEM_rptr(CMS_ContentInfo), der, len))
		return wrong("is not DER");
	*ret_cms = TAKE(cms);
	return 0;
}

static int
read_envelope(const unsigned char *der, size_t len, X509 *recipient,
    CMS_ContentInfo **ret_cms)
{
	AUTO(CMS_ContentInfo) *cms = NULL;

	if (parse_cms(der, len, &cms) < 0)
		return -1;
	if (OBJ_obj2nid(CMS_get0_type(cms)) !=
	    NID_id_smime_ct_authEnvelopedData)
		return wrong("is no AuthEnvelopedData (RFC 5083)");
	if (check_recipient(cms, recipient) < 0 || check_form(der, len) < 0)
		return -1;
	*ret_cms = TAKE(cms);
	return 0;
}

int
share_envelope_check(const unsigned char *der, size_t len, X509 *recipient)
{
	AUTO(CMS_ContentInfo) *cms = NULL;

	return read_envelope(der, len, recipient, &cms);
}

/* ---- sealing ---------------------------------------------------------- */

/* SHA-256 in OAEP and in the KDF: OpenSSL's own default for both is SHA-1. */
static int
set_algorithms(CMS_RecipientInfo *recipient)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(recipient);

	if (ctx == NULL)
		return ca_error(CA_R_INTERNAL,
		    "OpenSSL cannot set a recipient's algorithms");
	if (CMS_RecipientInfo_type(recipient) == CMS_RECIPINFO_AGREE) {
		if (EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) <= 0 ||
		    EVP_EncryptInit_ex2(
			CMS_RecipientInfo_kari_get0_ctx(recipient),
			EVP_aes_256_wrap(), NULL, NULL, NULL) != 1)
			return ca_error(CA_R_INTERNAL,
			    "OpenSSL cannot set the KDF and the key wrap");
		return 0;
	}
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) <= 0)
		return ca_error(CA_R_INTERNAL, "OpenSSL cannot set OAEP");
	return 0;
}

/*
 * The text goes into the cipher directly: CMS_encrypt() would leave copies of it
 * in buffers that nobody wipes.
 */
static int
encrypt(CMS_ContentInfo *cms, const struct secret *text)
{
	AUTO(BIO) *chain = CMS_dataInit(cms, NULL);

	if (chain == NULL || text->len > INT32_MAX ||
	    BIO_write(chain, text->bytes, (int)text->len) != (int)text->len ||
	    BIO_flush(chain) != 1 || CMS_dataFinal(cms, chain) != 1)
		return ca_error(CA_R_INTERNAL, "OpenSSL cannot seal a share");
	return 0;
}

/* Another X509 object: a token's key that is cached in this one would fail. */
static int
fresh_certificate(X509 *certificate, X509 **ret_copy)
{
	AUTO_DER(der) = NULL;
	const unsigned char *at;
	int len = i2d_X509(certificate, &der);

	if (len <= 0)
		return ca_error(
		    CA_R_INTERNAL, "OpenSSL cannot write a certificate");
	at = der;
	*ret_copy = d2i_X509(NULL, &at, len);
	return *ret_copy != NULL
	    ? 0
	    : ca_error(CA_R_INTERNAL, "OpenSSL cannot read a certificate");
}

/* As malloc'd memory, and only if it is what share_open() accepts. */
static int
give_envelope(CMS_ContentInfo *cms, X509 *recipient, unsigned char **ret_der,
    size_t *ret_len)
{
	AUTO_DER(der) = NULL;
	AUTO_BYTES(copy) = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);

	if (len <= 0)
		return ca_error(CA_R_INTERNAL, "OpenSSL cannot write a share");
	if (share_envelope_check(der, (size_t)len, recipient) < 0)
		return -1;
	copy = malloc((size_t)len);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a share");
	memcpy(copy, der, (size_t)len);
	*ret_der = TAKE(copy);
	*ret_len = (size_t)len;
	return 0;
}

int
share_seal(const struct secret *text, X509 *recipient, unsigned char **ret_der,
    size_t *ret_len)
{
	AUTO(CMS_ContentInfo) *cms =
	    CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	AUTO(X509) *certificate = NULL;
	CMS_RecipientInfo *info;

	if (fresh_certificate(recipient, &certificate) < 0)
		return -1;
	info = cms == NULL
	    ? NULL
	    : CMS_add1_recipient_cert(cms, certificate, CMS_KEY_PARAM);
	if (info == NULL)
		return ca_error(
		    CA_R_POLICY, "OpenSSL cannot encrypt to this certificate");
	if (CMS_set_detached(cms, 0) != 1)
		return ca_error(CA_R_INTERNAL, "OpenSSL cannot seal a share");
	if (set_algorithms(info) < 0 || encrypt(cms, text) < 0)
		return -1;
	return give_envelope(cms, certificate, ret_der, ret_len);
}

/* ---- opening ---------------------------------------------------------- */

static int
does_not_open(void)
{
	return ca_error(CA_R_VERIFY,
	    "the share does not open: it is damaged, or the key is not its "
	    "recipient's");
}

/* Straight into secure memory; CMS_decrypt() would leave a copy on the stack. */
static int
decrypt(CMS_ContentInfo *cms, struct secret *ret_text)
{
	AUTO(BIO) *chain = CMS_dataInit(cms, NULL);
	AUTO_STRUCT(secret) buffer = { 0 };
	size_t used = 0;
	int n = 1;

	if (chain == NULL)
		return does_not_open();
	if (secret_new(TEXT_MAX_BYTES, &buffer) < 0)
		return -1;
	while (used < buffer.len && n > 0) {
		n = BIO_read(
		    chain, buffer.bytes + used, (int)(buffer.len - used));
		used += n > 0 ? (size_t)n : 0;
	}
	/* The tag is compared at the end; until then nothing is believed. */
	if (n > 0 || BIO_get_cipher_status(chain) <= 0)
		return does_not_open();
	return secret_copy(buffer.bytes, used, ret_text);
}

int
share_open(const unsigned char *der, size_t len, EVP_PKEY *key, X509 *recipient,
    struct secret *ret_text)
{
	AUTO(CMS_ContentInfo) *cms = NULL;

	if (read_envelope(der, len, recipient, &cms) < 0)
		return -1;
	if (CMS_decrypt_set1_pkey(cms, key, recipient) != 1)
		return does_not_open();
	return decrypt(cms, ret_text);
}
