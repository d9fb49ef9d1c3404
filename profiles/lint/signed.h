/* What certificates, CRLs and OCSP responses have in common: a signature. */
#ifndef CA_LINT_SIGNED_H
#define CA_LINT_SIGNED_H

#include "profiles/lint/lint-private.h"

struct lint_signed {
	struct der
	    alg_inner;  /* element; empty: the object has one place only */
	struct der alg; /* element beside the signature */
	struct der signature; /* the BIT STRING's octets without the first */
	unsigned unused;
	const struct lint_key *signer; /* NULL: not known */
};

/* False where the object has no signature (an OCSP error). */
bool lint_signed_of(const struct lint_run *run, struct lint_signed *ret_signed);

/* `where`, or nothing for a CRL, whose parts are copies. */
struct der lint_where(const struct lint_run *run, struct der where);

/* Does the AlgorithmIdentifier name Ed25519 or Ed448 (RFC 8410)? */
bool lint_is_eddsa(struct der alg);
/* Exactly so, without parameters. */
bool lint_is_exact_eddsa(struct der alg);

/* 1 verifies, 0 does not, -1 cannot be told; Ed25519 and Ed448. */
int lint_eddsa_verify(
    const struct lint_key *key, struct der tbs, struct der signature);

/* An AlgorithmIdentifier's OBJECT IDENTIFIER and what follows it. */
bool lint_take_alg(struct der alg, struct der *ret_oid, struct der *ret_rest);

#endif
