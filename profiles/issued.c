/* Certificates issued elsewhere: do they belong to this issuer? */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/certificate.h"
#include "profiles/der/der.h"
#include "profiles/issuer.h"

static void
refuse(struct findings *findings, const char *id, const char *place,
    const char *source, const char *text)
{
	findings_add(findings, FINDING_ERROR, id, place, source, "%s", text);
}

static void
check_names(const struct certificate_facts *child, const struct issuer *issuer,
    const char *place, struct findings *findings)
{
	if (child->issuer_len != issuer->facts.subject_len ||
	    memcmp(child->issuer_der, issuer->facts.subject_der,
		child->issuer_len) != 0)
		findings_add(findings, FINDING_ERROR, "FLD-ISSUER-BYTES", place,
		    "RFC 5280, section 4.1.2.4",
		    "it names '%s' as its issuer, octet for octet, and not "
		    "'%s'",
		    child->issuer, issuer->facts.subject);
}

/* A self-signed certificate may do without (RFC 5280, section 4.2.1.1). */
static int
check_key_identifier(const X509 *child, const struct issuer *issuer,
    bool self_issued, const char *place, struct findings *findings)
{
	AUTO(AUTHORITY_KEYID) *aki = NULL;
	void *value;

	if (extension_decode(child, NID_authority_key_identifier, &value) != 0)
		return -1;
	aki = value;
	if (aki == NULL || aki->keyid == NULL) {
		if (!self_issued)
			refuse(findings, "AKI-KEYID-ONLY", place,
			    "RFC 5280, section 4.2.1.1",
			    "it has no authority key identifier");
		return 0;
	}
	if (issuer->ski == NULL ||
	    ASN1_OCTET_STRING_cmp(aki->keyid, issuer->ski) != 0)
		refuse(findings, "AKI-KEYID-ONLY", place,
		    "RFC 5280, section 4.2.1.1",
		    "its authority key identifier is not the issuer's subject "
		    "key identifier");
	return 0;
}

static void
check_role(
    const struct issuer *issuer, const char *place, struct findings *findings)
{
	if (!issuer->facts.is_ca || !issuer->facts.signs_certificates)
		findings_add(findings, FINDING_ERROR, "ISSUER-CA", place,
		    "RFC 5280, section 4.2.1.3",
		    "the issuer '%s' is not a CA that may sign certificates",
		    issuer->facts.subject);
}

/*
 * By OpenSSL and not by sigalg_verify(): other CAs sign with a P-384 key and
 * SHA-256, which is sound, though we would not.
 */
static int
verify_signature(const struct signed_object *object, const X509 *child,
    const X509 *issuer, const char *place, struct findings *findings)
{
	AUTO(X509) *copy = NULL;

	if (sigalg_by_der(object->alg.p, object->alg.len) == NULL) {
		refuse(findings, "ALG-SIG-EXACT", place,
		    "TLS BR, section 7.1.3.2",
		    "its signature algorithm is unknown or not allowed");
		return 0;
	}
	copy = X509_dup(child);
	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	(void)ERR_set_mark();
	if (X509_verify(copy, X509_get0_pubkey(issuer)) != 1)
		refuse(findings, "ALG-SIG-ISSUER-MATCH", place,
		    "RFC 5280, section 6.1.3",
		    "its signature does not verify with the issuer's key");
	(void)ERR_pop_to_mark();
	return 0;
}

static int
check_signature(const X509 *child, const X509 *issuer, const char *place,
    struct findings *findings)
{
	AUTO_DER(der) = NULL;
	int len = i2d_X509(child, &der);
	struct signed_object object;

	if (len <= 0 || !der_signed_object(der, (size_t)len, &object))
		return ca_error(CA_R_INTERNAL, "cannot encode a certificate");
	return verify_signature(&object, child, issuer, place, findings);
}

int
certificate_check_issued(const X509 *child, const X509 *issuer_cert,
    const char *place, struct findings *findings)
{
	AUTO_STRUCT(certificate_facts) facts = { 0 };
	AUTO_STRUCT(issuer) issuer = { 0 };

	if (certificate_facts(child, &facts) != 0 ||
	    issuer_read(issuer_cert, &issuer) != 0)
		return -1;
	check_names(&facts, &issuer, place, findings);
	check_role(&issuer, place, findings);
	if (check_key_identifier(
		child, &issuer, facts.self_issued, place, findings) != 0)
		return -1;
	return check_signature(child, issuer_cert, place, findings);
}

CLEANUP_DEFINE(X509_STORE, X509_STORE_free);
CLEANUP_DEFINE(X509_STORE_CTX, X509_STORE_CTX_free);

/* Borrowed certificates: the stack alone is freed. */
static inline void
cleanup_stack(STACK_OF(X509) **stack)
{
	sk_X509_free(*stack);
}

enum { AUTH_LEVEL = 2 }; /* 112 bits: RSA-2048, and no SHA-1 */

static int
set_up(X509_STORE_CTX *ctx, X509_STORE *store, X509 *cert,
    STACK_OF(X509) *between, int64_t now)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(ctx, store, cert, between) != 1)
		return ca_error(CA_R_INTERNAL, "cannot verify a path");
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)now);
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	if (X509_VERIFY_PARAM_set_flags(param,
		X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE) != 1)
		return ca_error(CA_R_INTERNAL, "cannot verify a path");
	return 0;
}

int
certificate_check_path(X509 *cert, X509 *const *chain, size_t count,
    int64_t now, const char *place, struct findings *findings)
{
	AUTO(X509_STORE) *store = X509_STORE_new();
	AUTO(X509_STORE_CTX) *ctx = X509_STORE_CTX_new();
	__attribute__((cleanup(cleanup_stack))) STACK_OF(X509) *between =
	    sk_X509_new_null();

	if (store == NULL || ctx == NULL || between == NULL || count == 0 ||
	    X509_STORE_add_cert(store, chain[count - 1]) != 1)
		return ca_error(CA_R_INTERNAL, "cannot verify a path");
	for (size_t i = 0; i + 1 < count; i++)
		if (sk_X509_push(between, chain[i]) <= 0)
			return ca_error(CA_R_MEMORY, "no memory for a path");
	if (set_up(ctx, store, cert, between, now) != 0)
		return -1;
	(void)ERR_set_mark();
	if (X509_verify_cert(ctx) != 1)
		findings_add(findings, FINDING_ERROR, "CERTIFICATE-PATH", place,
		    "RFC 5280, section 6.1",
		    "its path does not verify: %s (certificate %d of it)",
		    X509_verify_cert_error_string(
			X509_STORE_CTX_get_error(ctx)),
		    X509_STORE_CTX_get_error_depth(ctx) + 1);
	(void)ERR_pop_to_mark();
	return 0;
}
