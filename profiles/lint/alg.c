/* Signatures and their algorithms, rules.md 1.1. */
#include <string.h>

#include <openssl/err.h>

#include "base/error.h"
#include "profiles/key-check.h"
#include "profiles/lint/crl-private.h"
#include "profiles/lint/ocsp-private.h"
#include "profiles/lint/signed.h"
#include "profiles/lint/subscriber.h"

/* BR 7.1.3.2.1: no certificate below a root since then. */
#define D_SHA1_CERTIFICATES ((int64_t)1451606400) /* 2016-01-01 */

static bool
same(struct der a, struct der b)
{
	return der_equal(a, b.p, b.len);
}

/* EdDSA signatures have a rule of their own: ALG-NO-EDDSA-TLS. */
static bool
is_allowed(const struct lint_run *run, struct der alg)
{
	return sigalg_by_der(alg.p, alg.len) != NULL ||
	    (lint_is_exact_eddsa(alg) &&
		lint_held_to(run, RULESET_CABF_SMIME) &&
		!lint_held_to(run, RULESET_CABF_TLS));
}

static void
check_exact(struct lint_run *run)
{
	struct lint_signed s;

	if (!lint_signed_of(run, &s))
		return;
	if (s.alg_inner.len > 0 && !is_allowed(run, s.alg_inner))
		lint_found(run, lint_where(run, s.alg_inner),
		    "the signature's algorithm in the signed part is none of "
		    "the nine that are allowed, octet for octet");
	if (!same(s.alg_inner, s.alg) && !is_allowed(run, s.alg))
		lint_found(run, lint_where(run, s.alg),
		    "the signature's algorithm beside the signature is none of "
		    "the nine that are allowed, octet for octet");
}

static void
check_inner_outer(struct lint_run *run)
{
	struct lint_signed s;

	if (lint_signed_of(run, &s) && !same(s.alg_inner, s.alg))
		lint_found(run, lint_where(run, s.alg),
		    "the two AlgorithmIdentifiers of the signature differ: "
		    "they must be the same octets");
}

static void
check_curve_hash(struct lint_run *run)
{
	const struct key_type *type;
	const struct sigalg *alg;
	struct lint_signed s;

	if (!lint_signed_of(run, &s) || s.signer == NULL)
		return;
	type = key_type_by_alg(s.signer->alg);
	alg = sigalg_by_der(s.alg.p, s.alg.len);
	if (type == NULL || alg == NULL || type->family != KEY_EC ||
	    alg->family != KEY_EC || sigalg_fits(alg, type))
		return;
	lint_found(run, lint_where(run, s.alg),
	    "the signature is '%s' by a key on %s, whose hash must be that of "
	    "'%s'",
	    alg->name, type->name, sigalg_default(type)->name);
}

/* The signed octets, where they are at hand: not for a CRL. */
static struct der
signed_octets(const struct lint_run *run)
{
	return run->certificate != NULL ? run->certificate->tbs
					: run->ocsp->data;
}

/*
 * The curve fixes the hash (ALG-SIG-CURVE-HASH): here only whether the octets
 * verify.
 */
static int
verify(const struct lint_run *run, const struct lint_signed *s,
    const struct sigalg *alg, const struct key_type *type)
{
	const struct der spki = s->signer->element, tbs = signed_octets(run);
	struct sigalg own = *alg;
	int result;

	own.curve_nid = type->curve_nid;
	(void)ERR_set_mark();
	result = sigalg_verify(&own, spki.p, spki.len, tbs.p, tbs.len,
	    s->signature.p, s->signature.len);
	if (result != 0)
		result = ca_error_reason() == CA_R_VERIFY ? 0 : -1;
	else
		result = 1;
	(void)ERR_pop_to_mark();
	return result;
}

static int
verdict(const struct lint_run *run, const struct lint_signed *s,
    const struct sigalg *alg, const struct key_type *type)
{
	if (run->crl != NULL)
		return lint_crl_verify(run->crl, s->signer);
	if (alg == NULL)
		return lint_eddsa_verify(
		    s->signer, signed_octets(run), s->signature);
	return verify(run, s, alg, type);
}

static void
check_issuer_match(struct lint_run *run)
{
	const struct key_type *type;
	const struct sigalg *alg;
	struct lint_signed s;
	int verified;

	if (!lint_signed_of(run, &s) || s.signer == NULL)
		return;
	type = key_type_by_alg(s.signer->alg);
	alg = sigalg_by_der(s.alg.p, s.alg.len);
	if ((alg == NULL || type == NULL)
		? !(lint_is_eddsa(s.alg) && lint_is_eddsa(s.signer->alg))
		: alg->family != type->family) {
		lint_found(run, lint_where(run, s.alg),
		    "the signature's algorithm is none that goes with the "
		    "signer's key");
		return;
	}
	if (run->context->constant)
		return;
	verified = verdict(run, &s, alg, type);
	if (verified < 0)
		lint_unsure(run, "the signature could not be verified");
	if (verified == 0 || s.unused != 0)
		lint_binding(run, lint_where(run, s.signature),
		    "the signature does not verify with the key of %s",
		    lint_is(run, FOR_ROOT) ? "the root itself" : "its signer");
}

/* ---- SHA-1, PSS, EdDSA ------------------------------------------------- */

#define PKCS1(n)                                                  \
	9,                                                        \
	{                                                         \
		0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, n \
	}

struct oid {
	size_t len;
	unsigned char octets[9];
};
static const struct oid sha1_signatures[] = {
	{ PKCS1(0x05) },                         /* sha1WithRSAEncryption */
	{ 5, { 0x2b, 0x0e, 0x03, 0x02, 0x1d } }, /* OIW, RSA */
	{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01 } }, /* ECDSA */
	{ 7, { 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03 } }, /* DSA */
	{ 5, { 0x2b, 0x0e, 0x03, 0x02, 0x1b } },             /* OIW, DSA */
};
static const struct oid rsassa_pss = { PKCS1(0x0a) };

static bool
oid_is(struct der oid, const struct oid *wanted)
{
	return der_equal(oid, wanted->octets, wanted->len);
}

/* What stands in RSASSA-PSS-params, RFC 4055, section 3.1; empty: absent. */
struct pss {
	struct der hash; /* AlgorithmIdentifier, element */
	struct der mgf_hash;
	struct der salt;    /* contents */
	struct der trailer; /* [3]'s element */
};

static void
take_mgf(struct der in, struct der *ret_hash)
{
	struct der oid, rest;

	if (lint_take_alg(in, &oid, &rest))
		*ret_hash = rest;
}

/* False: the algorithm is not PSS. */
static bool
take_pss(struct der alg, struct pss *ret_pss)
{
	struct der oid, rest, in = { NULL, 0 }, part;

	*ret_pss = (struct pss){ .hash = { NULL, 0 } };
	if (!lint_take_alg(alg, &oid, &rest) || !oid_is(oid, &rsassa_pss))
		return false;
	(void)der_take(&rest, DER_SEQUENCE, &in, NULL);
	(void)der_take(&in, 0xa0, &ret_pss->hash, NULL);
	if (der_take(&in, 0xa1, &part, NULL))
		take_mgf(part, &ret_pss->mgf_hash);
	if (der_take(&in, 0xa2, &part, NULL))
		(void)der_take(&part, DER_INTEGER, &ret_pss->salt, NULL);
	(void)der_take(&in, 0xa3, NULL, &ret_pss->trailer);
	return true;
}

/* Absent is the DEFAULT, SHA-1. */
static bool
hash_is_sha1(struct der hash)
{
	static const unsigned char sha1[] = { 0x2b, 0x0e, 0x03, 0x02, 0x1a };
	struct der oid, rest;

	return hash.len == 0 ||
	    (lint_take_alg(hash, &oid, &rest) &&
		der_equal(oid, sha1, sizeof sha1));
}

static bool
is_sha1(struct der alg)
{
	struct der oid, rest;
	struct pss pss;

	if (take_pss(alg, &pss))
		return hash_is_sha1(pss.hash) || hash_is_sha1(pss.mgf_hash);
	if (!lint_take_alg(alg, &oid, &rest))
		return false;
	for (size_t i = 0; i < sizeof sha1_signatures / sizeof *sha1_signatures;
	     i++)
		if (oid_is(oid, &sha1_signatures[i]))
			return true;
	return false;
}

static void
check_no_sha1(struct lint_run *run)
{
	const int64_t from = lint_is(run, FOR_CERTIFICATE & ~FOR_ROOT)
	    ? D_SHA1_CERTIFICATES
	    : D_SHA1_END;
	struct lint_signed s;

	if (!lint_signed_of(run, &s) ||
	    (run->date != 0 && run->date < from && !run->context->signing))
		return;
	if (is_sha1(s.alg) || (s.alg_inner.len > 0 && is_sha1(s.alg_inner)))
		lint_found(run, lint_where(run, s.alg),
		    "the signature is over a SHA-1 digest; SHA-256, SHA-384 or "
		    "SHA-512 is needed");
}

/* SHA-256, -384, -512 with the explicit NULL: the octets of the last of OID. */
static int
sha2_len(struct der hash)
{
	static const unsigned char head[] = { 0x30, 0x0d, 0x06, 0x09, 0x60,
		0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02 };
	static const unsigned char lengths[] = { 0, 32, 48, 64 };

	if (hash.len != 15 || memcmp(hash.p, head, sizeof head) != 0 ||
	    hash.p[12] < 1 || hash.p[12] > 3 || hash.p[13] != DER_NULL ||
	    hash.p[14] != 0)
		return 0;
	return lengths[hash.p[12]];
}

static const char *
pss_fault(struct der alg)
{
	struct pss pss;

	if (!take_pss(alg, &pss) || sigalg_by_der(alg.p, alg.len) != NULL)
		return NULL;
	if (sha2_len(pss.hash) == 0)
		return "its hash is not SHA-256, SHA-384 or SHA-512 with an "
		       "explicit NULL";
	if (!same(pss.hash, pss.mgf_hash))
		return "the hash of its mask generation is not that of the "
		       "signature";
	if (pss.salt.len != 1 || pss.salt.p[0] != sha2_len(pss.hash))
		return "its salt is not as long as the hash";
	if (pss.trailer.len != 0)
		return "its trailerField is encoded, and must be absent";
	return "they are none of the three encodings that are allowed";
}

static void
check_pss(struct lint_run *run)
{
	const char *fault;
	struct lint_signed s;

	if (!lint_signed_of(run, &s))
		return;
	fault = pss_fault(s.alg);
	if (fault == NULL)
		fault = pss_fault(s.alg_inner);
	if (fault != NULL)
		lint_found(run, lint_where(run, s.alg),
		    "the parameters of RSASSA-PSS are wrong: %s", fault);
}

/* Mozilla lets EdDSA pass only where the purpose is e-mail (MRSP 5.1). */
static const char *
eddsa_refusal(const struct lint_run *run)
{
	if (lint_held_to(run, RULESET_CABF_TLS))
		return "the TLS Baseline Requirements do not permit it";
	if (lint_held_to(run, RULESET_PRIVATE) &&
	    !lint_held_to(run, RULESET_CABF_SMIME))
		return "it is for S/MIME only";
	if (lint_held_to(run, RULESET_CABF_SMIME) &&
	    !lint_is(run, FOR_OCSPCERT) && run->values->purposes != NULL &&
	    !lint_has_purpose(run->values, NID_email_protect))
		return "emailProtection is not among the purposes";
	return NULL;
}

static void
check_eddsa_at(struct lint_run *run, struct der alg, const char *what)
{
	const char *refusal;

	if (!lint_is_eddsa(alg))
		return;
	refusal = eddsa_refusal(run);
	if (refusal != NULL)
		lint_found(
		    run, alg, "%s is Ed25519 or Ed448: %s", what, refusal);
	if (!lint_is_exact_eddsa(alg))
		lint_found(run, alg,
		    "%s is Ed25519 or Ed448 with parameters, which must be "
		    "absent",
		    what);
}

static void
check_eddsa(struct lint_run *run)
{
	const struct lint_certificate *c = run->certificate;

	check_eddsa_at(run, c->key.alg, "the public key");
	check_eddsa_at(run, c->alg, "the signature's algorithm");
	if (!same(c->alg, c->alg_outer))
		check_eddsa_at(
		    run, c->alg_outer, "the algorithm beside the signature");
}

/* ---- the signature's own form ------------------------------------------ */

static enum key_family
family_of(const struct lint_signed *s, bool *ret_known)
{
	const struct sigalg *alg = sigalg_by_der(s->alg.p, s->alg.len);
	const struct key_type *type =
	    s->signer != NULL ? key_type_by_alg(s->signer->alg) : NULL;

	*ret_known = alg != NULL || type != NULL;
	if (alg != NULL)
		return alg->family;
	return type != NULL ? type->family : KEY_RSA;
}

static int
curve_of(const struct lint_signed *s)
{
	const struct sigalg *alg = sigalg_by_der(s->alg.p, s->alg.len);
	const struct key_type *type =
	    s->signer != NULL ? key_type_by_alg(s->signer->alg) : NULL;

	if (type != NULL && type->family == KEY_EC)
		return type->curve_nid;
	return alg != NULL ? alg->curve_nid : NID_undef;
}

/* In [1, n - 1]?  0 no, 1 yes, -1: no memory. */
static int
in_range(struct der value, int curve_nid)
{
	AUTO(EC_GROUP) *group = EC_GROUP_new_by_curve_name(curve_nid);
	AUTO(BIGNUM) *number = value.len <= DIGEST_MAX + 3
	    ? BN_bin2bn(value.p, (int)value.len, NULL)
	    : BN_new();

	if (group == NULL || number == NULL) {
		ca_error_clear();
		return -1;
	}
	if (value.len > DIGEST_MAX + 3) /* P-521: 66 octets */
		return 0;
	return BN_is_zero(number) == 0 &&
	    BN_cmp(number, EC_GROUP_get0_order(group)) < 0;
}

static void
check_half(struct lint_run *run, const struct lint_signed *s, struct der value,
    const char *what)
{
	int fits;

	if (der_content_fault(DER_INTEGER, value) != NULL ||
	    (value.p[0] & 0x80) != 0) {
		lint_found(run, lint_where(run, s->signature),
		    "%s of the ECDSA signature is not a positive INTEGER in "
		    "its shortest form",
		    what);
		return;
	}
	fits = in_range(value, curve_of(s));
	if (fits < 0)
		lint_unsure(run, "there is no memory to compute with");
	if (fits == 0)
		lint_found(run, lint_where(run, s->signature),
		    "%s of the ECDSA signature does not lie between 1 and the "
		    "order of the curve less 1",
		    what);
}

static void
check_ecdsa_value(struct lint_run *run)
{
	struct der in, body, r, s_value;
	struct lint_signed s;
	bool known;

	if (!lint_signed_of(run, &s) || family_of(&s, &known) != KEY_EC ||
	    !known)
		return;
	in = s.signature;
	if (s.unused != 0 || !der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    in.len != 0 || !der_take(&body, DER_INTEGER, &r, NULL) ||
	    !der_take(&body, DER_INTEGER, &s_value, NULL) || body.len != 0) {
		lint_found(run, lint_where(run, s.signature),
		    "the ECDSA signature is not the DER of a SEQUENCE of two "
		    "INTEGERs");
		return;
	}
	check_half(run, &s, r, "r");
	check_half(run, &s, s_value, "s");
}

static size_t
modulus_octets(const struct lint_key *key)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };

	if (key_facts_read(key->element.p, key->element.len, &facts) != 0) {
		ca_error_clear();
		return 0;
	}
	return facts.n != NULL ? (size_t)BN_num_bytes(facts.n) : 0;
}

static void
check_rsa_length(struct lint_run *run)
{
	struct lint_signed s;
	size_t wanted;
	bool known;

	if (!lint_signed_of(run, &s) || family_of(&s, &known) != KEY_RSA ||
	    !known)
		return;
	if (s.unused != 0)
		lint_found(run, lint_where(run, s.signature),
		    "the RSA signature's BIT STRING has %u unused bits, and "
		    "must have none",
		    s.unused);
	wanted = s.signer != NULL ? modulus_octets(s.signer) : 0;
	if (wanted != 0 && s.signature.len != wanted)
		lint_found(run, lint_where(run, s.signature),
		    "the RSA signature has %zu octets, and must have the %zu "
		    "of the modulus",
		    s.signature.len, wanted);
}

static const struct lint rows[] = {
	{ .id = "ALG-NO-EDDSA-TLS",
	    .check = check_eddsa,
	    .subjects = FOR_CERTIFICATE },
	{ .id = "ALG-SIG-EXACT", .check = check_exact },
	{ .id = "ALG-SIG-CURVE-HASH", .check = check_curve_hash },
	{ .id = "ALG-SIG-INNER-OUTER", .check = check_inner_outer },
	{ .id = "ALG-SIG-ISSUER-MATCH", .check = check_issuer_match },
	{ .id = "ALG-NO-SHA1", .check = check_no_sha1 },
	{ .id = "ALG-ECDSA-SIGVALUE",
	    .check = check_ecdsa_value,
	    .needs = NEEDS_SIGNATURE },
	{ .id = "ALG-RSA-SIGLEN",
	    .check = check_rsa_length,
	    .needs = NEEDS_SIGNATURE },
	/* RFC 4055 leaves more open than the programmes do. */
	{ .id = "ALG-PSS-PARAMS-FIXED",
	    .check = check_pss,
	    .rulesets =
		RULESET_BIT(RULESET_PRIVATE) | RULESET_BIT(RULESET_CABF_TLS) },
};

const struct lint_table lint_alg = LINT_TABLE(rows);
