#include "profiles/lint/signed.h"

#include <openssl/err.h>

#include "profiles/lint/crl-private.h"
#include "profiles/lint/ocsp-private.h"

static const unsigned char ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	0x70 };
static const unsigned char ed448[] = { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65,
	0x71 };

bool
lint_take_alg(struct der alg, struct der *ret_oid, struct der *ret_rest)
{
	return der_take(&alg, DER_SEQUENCE, ret_rest, NULL) &&
	    der_take(ret_rest, DER_OID, ret_oid, NULL);
}

bool
lint_is_exact_eddsa(struct der alg)
{
	return der_equal(alg, ed25519, sizeof ed25519) ||
	    der_equal(alg, ed448, sizeof ed448);
}

bool
lint_is_eddsa(struct der alg)
{
	struct der oid, rest;

	return lint_take_alg(alg, &oid, &rest) &&
	    (der_equal(oid, ed25519 + 4, 3) || der_equal(oid, ed448 + 4, 3));
}

/* A root signs itself, whoever is said to be its issuer. */
static const struct lint_key *
certificate_signer(const struct lint_run *run)
{
	if (lint_is(run, FOR_ROOT))
		return &run->certificate->key;
	return run->issuer != NULL ? &run->issuer->key : NULL;
}

static void
of_certificate(const struct lint_run *run, struct lint_signed *s)
{
	const struct lint_certificate *c = run->certificate;

	*s = (struct lint_signed){ c->alg, c->alg_outer, c->signature,
		c->signature_unused, certificate_signer(run) };
}

static void
of_crl(const struct lint_run *run, struct lint_signed *s)
{
	const struct lint_crl_state *c = run->crl;

	*s = (struct lint_signed){ c->alg, c->alg_outer, c->signature,
		c->signature_unused,
		run->issuer != NULL ? &run->issuer->key : NULL };
}

static void
of_ocsp(const struct lint_run *run, struct lint_signed *s)
{
	const struct lint_ocsp_state *o = run->ocsp;

	*s = (struct lint_signed){ { NULL, 0 }, o->alg, o->signature,
		o->signature_unused,
		o->signer != NULL ? &o->signer->key : NULL };
}

bool
lint_signed_of(const struct lint_run *run, struct lint_signed *ret_signed)
{
	if (run->certificate != NULL)
		of_certificate(run, ret_signed);
	else if (run->crl != NULL)
		of_crl(run, ret_signed);
	else if (run->ocsp != NULL && run->ocsp->is_basic)
		of_ocsp(run, ret_signed);
	else
		return false;
	return true;
}

struct der
lint_where(const struct lint_run *run, struct der where)
{
	return run->crl != NULL ? (struct der){ NULL, 0 } : where;
}

int
lint_eddsa_verify(
    const struct lint_key *key, struct der tbs, struct der signature)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO(EVP_PKEY) *pkey = lint_key_decode(key);
	int result = -1;

	if (ctx == NULL || pkey == NULL || !lint_is_eddsa(key->alg))
		return -1;
	(void)ERR_set_mark();
	if (EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, pkey, NULL) ==
	    1)
		result = EVP_DigestVerify(ctx, signature.p, signature.len,
			     tbs.p, tbs.len) == 1;
	(void)ERR_pop_to_mark();
	return result;
}
