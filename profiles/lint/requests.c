/* Certificate requests (PKCS#10, RFC 2986), rules.md 12. */
#include <openssl/err.h>

#include "base/error.h"
#include "profiles/der/grammar.h"
#include "profiles/key-check.h"
#include "profiles/lint/encoding.h"
#include "profiles/lint/extensions.h"
#include "profiles/lint/signed.h"

enum { USAGE_CERT_SIGN = 1u << 5 };

/* The second means: OpenSSL decodes and encodes anew. */
static void
check_reencoded(struct lint_run *run)
{
	const struct lint_csr *c = run->csr;
	const unsigned char *p = c->element.p;
	AUTO(X509_REQ) *req = NULL;
	AUTO_DER(again) = NULL;
	int len = 0;

	(void)ERR_set_mark();
	req = d2i_X509_REQ(NULL, &p, (long)c->element.len);
	if (req != NULL)
		len = i2d_re_X509_REQ_tbs(req, &again);
	(void)ERR_pop_to_mark();
	if (req == NULL) {
		lint_found(run, c->element,
		    "a second decoder cannot read the request");
		return;
	}
	if (len <= 0)
		lint_unsure(run, "the request cannot be encoded again");
	else if (!der_equal(c->info, again, (size_t)len))
		lint_found(run, c->info,
		    "the request does not encode back to the same octets");
}

/* One of [0] IMPLICIT SET OF: not seen by der_check(). */
static const char *
attribute_fault(struct der element, struct der content, struct der last)
{
	struct der values;

	if (element.p[0] != DER_SEQUENCE ||
	    !der_take(&content, DER_OID, NULL, NULL) ||
	    !der_take(&content, DER_SET, &values, NULL) || content.len != 0)
		return "an attribute is not an OBJECT IDENTIFIER and a SET";
	if (values.len == 0)
		return "an attribute has no value";
	if (last.p != NULL && !der_set_order(last, element))
		return "the SET of attributes is not in ascending order";
	return NULL;
}

static void
check_attributes(struct lint_run *run)
{
	struct der in = run->csr->attributes, content, element;
	struct der last = { NULL, 0 };

	if (in.p == NULL) {
		lint_found(run, run->csr->info,
		    "the attributes are absent, and must be there, if only "
		    "as an empty [0]");
		return;
	}
	while (in.len > 0 && der_take_any(&in, &content, &element)) {
		const char *fault = attribute_fault(element, content, last);

		if (fault != NULL) {
			lint_found(run, element, "%s", fault);
			return;
		}
		last = element;
	}
}

static void
check_der(struct lint_run *run)
{
	static const unsigned char v1[] = { 0 };
	const struct lint_csr *c = run->csr;
	const struct lint_extension *twice = lint_repeated(&c->extensions);
	char oid[LINT_OID_TEXT];

	lint_check_element(run, c->element, "the request");
	if (!der_equal(c->version, v1, sizeof v1))
		lint_found(run, c->version, "the version is not v1 (0)");
	check_attributes(run);
	lint_check_extensions(run, &c->extensions);
	if (twice != NULL)
		lint_found(run, twice->element,
		    "extension %s is asked for twice",
		    lint_oid_text(twice->oid, oid));
	if (c->signature_unused != 0)
		lint_found(run, c->signature,
		    "the signature's BIT STRING has unused bits");
	check_reencoded(run);
}

/*
 * The curve fixes the hash of what a CA signs, not of a request: common tools
 * sign with SHA-256 whatever the curve.  1, 0 or -1.
 */
static int
verify(const struct lint_csr *c, const struct sigalg *alg)
{
	const struct key_type *type = key_type_by_alg(c->key.alg);
	const struct der spki = c->key.element;
	struct sigalg own = *alg;
	int result = 1;

	if (type != NULL)
		own.curve_nid = type->curve_nid;
	(void)ERR_set_mark();
	if (sigalg_verify(&own, spki.p, spki.len, c->info.p, c->info.len,
		c->signature.p, c->signature.len) != 0)
		result = ca_error_reason() == CA_R_VERIFY ? 0 : -1;
	(void)ERR_pop_to_mark();
	return result;
}

static void
check_possession(struct lint_run *run)
{
	const struct lint_csr *c = run->csr;
	const struct sigalg *alg = sigalg_by_der(c->alg.p, c->alg.len);
	int verified;

	if (alg != NULL)
		verified = verify(c, alg);
	else if (lint_is_exact_eddsa(c->alg) &&
	    lint_held_to(run, RULESET_CABF_SMIME) &&
	    !lint_held_to(run, RULESET_CABF_TLS))
		verified = lint_eddsa_verify(&c->key, c->info, c->signature);
	else {
		lint_found(run, c->alg,
		    "the request is signed with an algorithm that is unknown "
		    "or not allowed; use SHA-256, SHA-384 or SHA-512");
		return;
	}
	if (verified < 0)
		lint_unsure(run, "the request's signature cannot be verified");
	/* Nobody can acknowledge that; so for other signatures, too. */
	if (verified == 0)
		lint_binding(run, c->signature,
		    "the request's signature does not verify with its own key");
}

/* EdDSA keys have a rule of their own. */
static bool
is_excepted(const struct lint_run *run, const struct key_check *check)
{
	return check == key_check_by_id("ALG-SPKI-EXACT") &&
	    lint_is_exact_eddsa(run->key->alg) &&
	    lint_held_to(run, RULESET_CABF_SMIME) &&
	    !lint_held_to(run, RULESET_CABF_TLS);
}

static void
check_key(struct lint_run *run)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };
	const struct der spki = run->key->element;
	const struct key_check *check;
	char text[KEY_TEXT_MAX];

	if (key_facts_read(spki.p, spki.len, &facts) != 0) {
		ca_error_clear();
		lint_found(run, spki, "the public key cannot be read");
		return;
	}
	for (size_t i = 0; (check = key_check_at(i)) != NULL; i++) {
		enum key_verdict verdict = check->check(&facts, text);

		if (verdict == KEY_FINE || is_excepted(run, check))
			continue;
		if (verdict == KEY_UNSURE)
			lint_unsure(run, "%s", text);
		else
			lint_found(run, spki, "%s: %s", check->id, text);
	}
}

static void
check_no_ca(struct lint_run *run)
{
	const struct lint_values *v = run->values;
	const bool for_ca = lint_is(run, FOR_CA);

	if (!for_ca && lint_is_ca(v))
		lint_found(run, run->csr->attributes,
		    "the request asks for basicConstraints with cA TRUE");
	if (!for_ca && (lint_key_usage(v) & USAGE_CERT_SIGN) != 0)
		lint_found(run, run->csr->attributes,
		    "the request asks for keyUsage keyCertSign");
	if (!lint_is(run, FOR_OCSPCERT) && lint_has_purpose(v, NID_OCSP_sign))
		lint_found(run, run->csr->attributes,
		    "the request asks for extKeyUsage OCSPSigning");
}

static const struct lint rows[] = {
	{ .id = "CSR-DER", .check = check_der },
	{ .id = "CSR-POP",
	    .check = check_possession,
	    .needs = NEEDS_SIGNATURE },
	{ .id = "CSR-KEY", .check = check_key },
	{ .id = "CSR-NO-CA", .check = check_no_ca },
};

const struct lint_table lint_requests = LINT_TABLE(rows);
