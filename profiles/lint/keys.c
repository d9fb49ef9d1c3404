/* Public keys, rules.md 1.1 (SPKI) and 1.2; the sums are in key-check.h. */
#include <string.h>

#include "base/error.h"
#include "profiles/key-check.h"
#include "profiles/lint/blocklist.h"
#include "profiles/lint/signed.h"

enum {
	CS_CA_RSA_BITS = 4096,
	CS_LEAF_RSA_BITS = 3072,
	ROOT_RSA_BITS = 4096,
	ISSUING_RSA_BITS = 3072,
	P384_BITS = 384,
};

/* The key, taken apart; false, said so, where it cannot be. */
static bool
read_key(const struct lint_run *run, struct key_facts *ret_facts)
{
	const struct der spki = run->key->element;

	if (key_facts_read(spki.p, spki.len, ret_facts) == 0)
		return true;
	if (ca_error_reason() != CA_R_INPUT)
		lint_unsure(run, "the public key cannot be taken apart");
	ca_error_clear(); /* FLD-DER-STRICT and CSR-DER tell */
	return false;
}

/* EdDSA keys have rules of their own: ALG-NO-EDDSA-TLS. */
static bool
is_allowed_eddsa(const struct lint_run *run)
{
	return lint_is_eddsa(run->key->alg) &&
	    lint_held_to(run, RULESET_CABF_SMIME) &&
	    !lint_held_to(run, RULESET_CABF_TLS);
}

/* A row of key-check.h with the rule's id. */
static void
check_by_id(struct lint_run *run)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };
	const struct key_check *row = key_check_by_id(run->lint->id);
	char text[KEY_TEXT_MAX];
	enum key_verdict verdict;

	if (row == NULL) {
		lint_unsure(run, "there is no check of this name");
		return;
	}
	if (!read_key(run, &facts))
		return;
	verdict = row->check(&facts, text);
	if (verdict == KEY_BROKEN)
		lint_found(run, run->key->element, "%s", text);
	else if (verdict == KEY_UNSURE)
		lint_unsure(run, "%s", text);
}

static void
check_spki_exact(struct lint_run *run)
{
	if (!is_allowed_eddsa(run))
		check_by_id(run);
}

/* Modulus bits of an RSA key; 0: another key. */
static unsigned
rsa_bits(const struct lint_run *run)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };

	if (!read_key(run, &facts) || facts.n == NULL)
		return 0;
	return (unsigned)BN_num_bits(facts.n);
}

static void
check_cs4096(struct lint_run *run)
{
	const unsigned bits = rsa_bits(run);
	const unsigned wanted =
	    lint_is(run, FOR_CS) ? CS_LEAF_RSA_BITS : CS_CA_RSA_BITS;

	if (lint_is(run, FOR_ROOT) && !lint_held_to(run, RULESET_CABF_CS))
		return;
	if (bits != 0 && bits < wanted)
		lint_found(run, run->key->element,
		    "the RSA modulus has %u bits, and for code signing and "
		    "time stamping %s needs %u",
		    bits, lint_is(run, FOR_CS) ? "a certificate" : "a CA",
		    wanted);
}

static void
check_ca_default(struct lint_run *run)
{
	const bool root = lint_is(run, FOR_ROOT);
	const unsigned wanted = root ? ROOT_RSA_BITS : ISSUING_RSA_BITS;
	const unsigned bits = rsa_bits(run);
	const struct key_type *type = run->key->type;

	if (bits != 0 && bits < wanted)
		lint_found(run, run->key->element,
		    "the %s's RSA modulus has %u bits, and should have %u",
		    root ? "root" : "issuing CA", bits, wanted);
	if (type == NULL || type->family != KEY_EC)
		return;
	if (root && type->bits != P384_BITS)
		lint_found(run, run->key->element,
		    "the root's key is %s, and should be p-384 or rsa-4096",
		    type->name);
	if (!root && type->bits > P384_BITS)
		lint_found(run, run->key->element,
		    "the issuing CA's key is %s, and should be p-256, p-384 or "
		    "RSA of 3072 bits and more",
		    type->name);
}

static void
check_debian(struct lint_run *run)
{
	AUTO_STRUCT(key_facts) facts = { .type = NULL };
	int listed;

	if (run->context->blocklist == NULL || !read_key(run, &facts) ||
	    facts.n == NULL)
		return;
	listed = blocklist_has_modulus(run->context->blocklist, facts.n);
	if (listed < 0)
		lint_unsure(run, "SHA-1 of the modulus cannot be computed");
	if (listed > 0)
		lint_found(run, run->key->element,
		    "the RSA key is one of the weak keys of Debian's OpenSSL "
		    "(CVE-2008-0166): its modulus is in the blocklist");
}

static void
check_compromised(struct lint_run *run)
{
	const struct der spki = run->key->element;

	if (run->context->blocklist != NULL &&
	    blocklist_has(run->context->blocklist, spki.p, spki.len))
		lint_found(run, spki,
		    "the key is known to be compromised: its SHA-256 is in the "
		    "blocklist");
}

static bool
same_key(const struct lint_run *run, const struct lint_certificate *other)
{
	return der_equal(
	    run->key->element, other->key.element.p, other->key.element.len);
}

static void
check_not_a_ca_key(struct lint_run *run)
{
	if (run->issuer != NULL && same_key(run, run->issuer))
		lint_found(run, run->key->element,
		    "the key is the issuing CA's own, which must certify "
		    "nothing but CAs");
	else if (run->existing != NULL && lint_is_ca(&run->existing->values) &&
	    same_key(run, run->existing))
		lint_found(run, run->key->element,
		    "the key is that of the CA certificate given beside");
}

/* Are all purposes of `a` among those of `b`? */
static bool
purposes_within(const EXTENDED_KEY_USAGE *a, const EXTENDED_KEY_USAGE *b)
{
	enum { MANY = 64 }; /* no set of purposes that this is asked of */

	if (sk_ASN1_OBJECT_num(a) > MANY || sk_ASN1_OBJECT_num(b) > MANY)
		return false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(a); i++) {
		bool there = false;

		for (int k = 0; k < sk_ASN1_OBJECT_num(b) && !there; k++)
			there = OBJ_cmp(sk_ASN1_OBJECT_value(a, i),
				    sk_ASN1_OBJECT_value(b, k)) == 0;
		if (!there)
			return false;
	}
	return true;
}

static bool
is_self_issued(const struct lint_certificate *c)
{
	return der_equal(
	    c->issuer.element, c->subject.element.p, c->subject.element.len);
}

/*
 * Of the two certificates at hand; the journal knows the others.  A root has no
 * EKU, and its cross certificate must have one: no contradiction.
 */
static void
check_eku_consistent(struct lint_run *run)
{
	const struct lint_certificate *old = run->existing;
	const EXTENDED_KEY_USAGE *mine = run->values->purposes;
	const EXTENDED_KEY_USAGE *its = old->values.purposes;

	if (!same_key(run, old) || is_self_issued(old) ||
	    (old->not_after.valid && old->not_after.seconds < run->date))
		return;
	if ((mine == NULL) != (its == NULL))
		lint_found(run, run->key->element,
		    "this certificate has %s extKeyUsage and the existing one "
		    "of the same key has %s: they must agree",
		    mine == NULL ? "no" : "an", its == NULL ? "none" : "one");
	else if (mine != NULL &&
	    (!purposes_within(mine, its) || !purposes_within(its, mine)))
		lint_found(run, run->key->element,
		    "the purposes in extKeyUsage differ from those of the "
		    "existing certificate of the same key");
}

/* Of the row's subjects, none may come from a root's key. */
static void
check_use_root(struct lint_run *run)
{
	if (is_self_issued(run->issuer) && !is_self_issued(run->certificate))
		lint_found(run, run->certificate->issuer.element,
		    "a subscriber certificate is signed with a root's key, "
		    "which signs CA and responder certificates only");
}

enum {
	KEYS_AND_ALL = FOR_KEY | FOR_CERTIFICATE | FOR_CSR,
	SUBSCRIBER = FOR_LEAF | FOR_PRECERT | FOR_SMIME | FOR_CS,
};

static const struct lint rows[] = {
	{ .id = "ALG-SPKI-EXACT", .check = check_spki_exact },
	{ .id = "ALG-SPKI-NO-PSS", .check = check_by_id },
	{ .id = "ALG-SPKI-NAMEDCURVE", .check = check_by_id },
	{ .id = "ALG-SPKI-UNCOMPRESSED", .check = check_by_id },
	{ .id = "ALG-SPKI-RSA-STRUCT", .check = check_by_id },
	{ .id = "ALG-NO-DSA", .check = check_by_id },
	{ .id = "KEY-RSA-MIN", .check = check_by_id },
	{ .id = "KEY-RSA-MOD8", .check = check_by_id },
	{ .id = "KEY-RSA-MAX", .check = check_by_id },
	{ .id = "KEY-RSA-CS4096",
	    .check = check_cs4096,
	    .subjects = FOR_CSCA | FOR_CS | FOR_ROOT },
	{ .id = "KEY-RSA-CA-DEFAULT",
	    .check = check_ca_default,
	    .subjects = FOR_CA },
	{ .id = "KEY-RSA-E-ODD3", .check = check_by_id },
	{ .id = "KEY-RSA-E-RANGE", .check = check_by_id },
	{ .id = "KEY-RSA-MOD-ODD", .check = check_by_id },
	{ .id = "KEY-RSA-NO-SMALL", .check = check_by_id },
	{ .id = "KEY-RSA-NOT-POWER", .check = check_by_id },
	{ .id = "KEY-EC-CURVE", .check = check_by_id },
	{ .id = "KEY-EC-VALID", .check = check_by_id },
	{ .id = "KEY-DEBIAN", .check = check_debian, .subjects = KEYS_AND_ALL },
	{ .id = "KEY-ROCA", .check = check_by_id, .subjects = KEYS_AND_ALL },
	{ .id = "KEY-FERMAT", .check = check_by_id, .subjects = KEYS_AND_ALL },
	{ .id = "KEY-KNOWN-COMPROMISED",
	    .check = check_compromised,
	    .subjects = KEYS_AND_ALL },
	{ .id = "KEY-NOT-A-CA-KEY", .check = check_not_a_ca_key },
	{ .id = "KEY-EKU-CONSISTENT",
	    .check = check_eku_consistent,
	    .subjects = FOR_SUB,
	    .needs = NEEDS_EXISTING },
	{ .id = "KEY-USE-ROOT",
	    .check = check_use_root,
	    .subjects = SUBSCRIBER,
	    .needs = NEEDS_ISSUER },
};

const struct lint_table lint_keys = LINT_TABLE(rows);
