/* Who signed an OCSP response: rules.md 9.1, and 6 as far as it needs it. */
#include <inttypes.h>
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/lint/ocsp-private.h"

enum { BIT_DIGITAL_SIGNATURE = 1 << 0 };

static const struct der nowhere = { NULL, 0 };

void
lint_ocsp_sigalg(struct lint_run *run)
{
	static const unsigned char sha1_rsa[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a,
		0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05, 0x05, 0x00 };
	const struct lint_ocsp_state *s = run->ocsp;
	const struct sigalg *alg;

	if (!s->is_basic)
		return;
	alg = sigalg_by_der(s->alg.p, s->alg.len);
	if (alg == NULL)
		lint_found(run, s->alg, "the signature algorithm is %s",
		    der_equal(s->alg, sha1_rsa, sizeof sha1_rsa)
			? "RSA with SHA-1, which is forbidden"
			: "none of those allowed, octet by octet");
	else if (s->signer != NULL && s->signer->key.type != NULL &&
	    !sigalg_fits(alg, s->signer->key.type))
		lint_found(run, s->alg,
		    "the signature algorithm is '%s', which does not go with "
		    "the responder's key, '%s'",
		    alg->name, s->signer->key.type->name);
}

/* Issued by that same CA: its name, and its key. */
static void
check_issued(const struct lint_run *run, const struct lint_certificate *c)
{
	const struct lint_certificate *ca = run->issuer;
	const struct sigalg *alg =
	    sigalg_by_der(c->alg_outer.p, c->alg_outer.len);
	bool verified;

	if (!der_equal(c->issuer.element, ca->subject.element.p,
		ca->subject.element.len)) {
		lint_found(run, c->issuer.element,
		    "the responder's certificate was not issued by the CA "
		    "whose certificates it answers for: its issuer is another");
		return;
	}
	if (der_equal(c->element, run->context->responder.p,
		run->context->responder.len))
		return;
	(void)ERR_set_mark();
	verified = alg != NULL &&
	    sigalg_verify(alg, ca->key.element.p, ca->key.element.len, c->tbs.p,
		c->tbs.len, c->signature.p, c->signature.len) == 0;
	(void)ERR_pop_to_mark();
	if (!verified)
		lint_found(run, c->element,
		    "the signature of the responder's certificate does not "
		    "verify with the key of the CA");
}

static void
check_delegate(const struct lint_run *run, const struct lint_certificate *c)
{
	if (run->issuer != NULL)
		check_issued(run, c);
	if (!lint_has_purpose(&c->values, NID_OCSP_sign))
		lint_found(run, c->element,
		    "the responder's certificate is not for OCSPSigning "
		    "(extKeyUsage)");
	if (lint_is_ca(&c->values))
		lint_found(
		    run, c->element, "the responder's certificate is a CA's");
	if ((lint_key_usage(&c->values) & BIT_DIGITAL_SIGNATURE) == 0)
		lint_found(run, c->element,
		    "the responder's certificate does not assert "
		    "digitalSignature in its keyUsage");
	if (lint_held_to(run, RULESET_CABF_TLS) &&
	    lint_extension(&c->extensions, NID_id_pkix_OCSP_noCheck) == NULL)
		lint_found(run, c->element,
		    "the responder's certificate has no id-pkix-ocsp-nocheck");
}

/* A signature that does not verify: an error whatever the rule's level. */
void
lint_ocsp_signer(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	int verified;

	if (!s->is_basic || s->signer == NULL)
		return; /* OCS-RESPONDERID */
	if (!s->signer_is_issuer)
		check_delegate(run, s->signer);
	else if ((lint_key_usage(&s->signer->values) & BIT_DIGITAL_SIGNATURE) ==
	    0)
		lint_found(run, nowhere,
		    "the CA itself signed, and its certificate does not assert "
		    "digitalSignature in its keyUsage");
	if (run->context->constant)
		return;
	verified = lint_ocsp_verify(s, &s->signer->key);
	if (verified == 0)
		lint_found(run, nowhere,
		    "the signature does not verify with the key of the "
		    "certificate that the responder's identifier names");
	else if (verified < 0)
		lint_found(run, s->alg,
		    "the signature cannot be verified: its algorithm is none "
		    "of those allowed");
}

/* RFC 9919, section 3.2.2; RFC 6960 lets more certificates be there, or none */
static void
check_enclosed(const struct lint_run *run, const struct lint_ocsp_state *s)
{
	if (s->signer_is_issuer && s->cert_count > 0)
		lint_found(run, s->certs,
		    "there are certificates, and must be none where the CA "
		    "itself signs");
	else if (s->cert_count > 1)
		lint_found(run, s->certs,
		    "there are %zu certificates; there must be the "
		    "responder's and no other",
		    s->cert_count);
	else if (run->issuer != NULL && !s->signer_is_issuer &&
	    s->cert_count == 0)
		lint_found(run, nowhere,
		    "there is no certificate of the responder, and the CA "
		    "itself did not sign");
}

void
lint_ocsp_certs(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	if (!s->is_basic)
		return;
	if (s->certs.len > 0 && s->cert_count == 0)
		lint_found(run, s->certs,
		    "the list of certificates is empty; without certificates "
		    "it must be absent");
	if (s->certificate_count < s->cert_count)
		lint_found(run, s->certs,
		    "%zu of %zu certificates cannot be read, or are too many",
		    s->cert_count - s->certificate_count, s->cert_count);
	if (lint_held_to(run, RULESET_PRIVATE))
		check_enclosed(run, s);
}

/* ---- times -------------------------------------------------------------- */

static void
check_until(const struct lint_run *run, const struct lint_certificate *c,
    const char *whose)
{
	const struct lint_ocsp_state *s = run->ocsp;
	const struct lint_ocsp_single *single;

	for (size_t i = 0; c->not_after.valid && i < s->count; i++) {
		single = &s->singles[i];
		if (single->has_next_update && single->next_update.valid &&
		    single->next_update.seconds > c->not_after.seconds) {
			lint_found(run, single->next_update.element,
			    "nextUpdate is %" PRId64
			    " seconds later than notAfter of %s certificate",
			    single->next_update.seconds - c->not_after.seconds,
			    whose);
			return;
		}
	}
}

void
lint_ocsp_until_certs(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;

	for (size_t i = 0; i < s->certificate_count; i++)
		check_until(run, s->certificates[i], "an enclosed");
	if (s->cert_count == 0 && run->issuer != NULL)
		check_until(run, run->issuer, "the issuing CA's");
}

/* Even with archiveCutoff nothing is answered beyond it. */
void
lint_ocsp_until_signer(struct lint_run *run)
{
	if (run->ocsp->signer != NULL)
		check_until(run, run->ocsp->signer, "the responder's");
}

/* ---- the whole ---------------------------------------------------------- */

static bool
has_hash(
    const struct lint_ocsp_single *single, struct der octets, struct der wanted)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	size_t len = 0;
	bool same;

	(void)ERR_set_mark();
	same = EVP_Q_digest(NULL, OBJ_nid2sn(single->hash_nid), NULL, octets.p,
		   octets.len, digest, &len) == 1 &&
	    der_equal(wanted, digest, len);
	(void)ERR_pop_to_mark();
	return same;
}

static void
check_about(const struct lint_run *run, const struct lint_ocsp_single *single)
{
	const struct lint_certificate *ca = run->issuer;

	if (!has_hash(single, ca->subject.element, single->name_hash) ||
	    !has_hash(single, ca->key.bits, single->key_hash))
		findings_add(run->findings, FINDING_ERROR, run->rule->id,
		    run->place, run->rule->source,
		    "a CertID at octet %zu does not name the issuer: its "
		    "issuerNameHash or issuerKeyHash is another's",
		    (size_t)(single->cert_id.p - run->base));
}

/*
 * What nobody can acknowledge is an error whatever the rule's level: a status
 * of another CA's certificate.
 */
void
lint_ocsp_recheck(struct lint_run *run)
{
	const struct lint_ocsp_state *s = run->ocsp;
	const struct lint_certificate *signer = s->signer;

	if (s->response == NULL || (s->is_basic && s->basicresp == NULL))
		lint_found(run, nowhere, "OpenSSL cannot read the response");
	for (size_t i = 0; run->issuer != NULL && i < s->count; i++)
		check_about(run, &s->singles[i]);
	if (signer == NULL || !s->produced_at.valid)
		return;
	if ((signer->not_before.valid &&
		s->produced_at.seconds < signer->not_before.seconds) ||
	    (signer->not_after.valid &&
		s->produced_at.seconds > signer->not_after.seconds))
		lint_found(run, s->produced_at.element,
		    "producedAt is outside the validity of the certificate "
		    "that signed");
}
