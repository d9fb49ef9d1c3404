/*
 * Sharing a secret M-of-N: Feldman's verifiable secret sharing over the group
 * of P-256 (P. Feldman, "A practical scheme for non-interactive verifiable
 * secret sharing", FOCS 1987).
 *
 * The secret is a scalar s, 1 <= s < n, written as 32 octets, big-endian.  A
 * random polynomial f of degree M-1 with f(0) = s gives operator i the share
 * f(i), i = 1..N.  The commitments A_k = a_k * G to its M coefficients let each
 * operator check that f(i) * G = sum of i^k * A_k, alone and without the
 * secret; A_0 = s * G checks what was combined.
 *
 * BIGNUMs are secure and constant-time; every value that depends on the secret
 * is in the secure heap and wiped.
 */
#ifndef CA_QUORUM_SHARING_H
#define CA_QUORUM_SHARING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/secret.h"

enum {
	SCALAR_LEN = 32,
	POINT_LEN = 33, /* compressed */
	SHARERS_MAX = 32,
};

/* Public: A_0 .. A_(threshold-1), each a compressed point. */
struct commitments {
	unsigned threshold;
	unsigned char points[SHARERS_MAX][POINT_LEN];
};

/*
 * Are there 1 to SHARERS_MAX points, each on the curve and canonical, the
 * first and the last not at infinity?  CA_R_VERIFY says which is not.
 */
int commitments_check(const struct commitments *commitments) MUST_USE;

/*
 * SHA-256 over the points, one behind the other.  It is public: operators
 * compare it, and it stands in set.yaml.
 */
int commitments_sha256(const struct commitments *commitments,
    unsigned char ret_digest[32]) MUST_USE;

/*
 * A new secret from the system's generator, mixed (added mod n) with `mix`
 * where there is any (octets from the token); never zero.
 */
int sharing_new_secret(const unsigned char *mix, size_t mix_len,
    struct secret *ret_secret) MUST_USE;

/*
 * Share `secret` among `count` people, `threshold` of whom can combine it:
 * 1 <= threshold <= count <= SHARERS_MAX, else CA_R_POLICY.
 * ret_shares[i] is the share of index i + 1, SCALAR_LEN octets, never zero.
 * Every share is checked against the commitments before it is given out.
 */
int sharing_split(const struct secret *secret, unsigned threshold,
    unsigned count, struct commitments *ret_commitments,
    struct secret *ret_shares) MUST_USE;

/*
 * Does this share of index `index` (from 1) belong to the commitments?
 * CA_R_VERIFY: damaged, of another set, or of another index.
 */
int sharing_check(const struct commitments *commitments, unsigned index,
    const struct secret *share) MUST_USE;

/* A share, and whose index it is. */
struct indexed_share {
	unsigned index;
	const struct secret *share;
};

/*
 * Combine exactly commitments->threshold shares of distinct indices.  Each is
 * checked first, the result is checked against A_0.  CA_R_QUORUM for a wrong
 * number of shares or an index twice; CA_R_VERIFY for a wrong share.
 */
int sharing_combine(const struct commitments *commitments,
    const struct indexed_share *shares, size_t count,
    struct secret *ret_secret) MUST_USE;

#endif
