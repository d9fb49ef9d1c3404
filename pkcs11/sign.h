/*
 * Signing a list of digests on a pool of threads, each with a session of its
 * own, in order: results stand where their jobs stand, and jobs are begun in
 * the order of the list.
 */
#ifndef CA_PKCS11_SIGN_H
#define CA_PKCS11_SIGN_H

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "pkcs11/key.h"

struct sign_job {
	const struct key *key;
	const struct sigalg *alg;
	unsigned char digest[DIGEST_MAX];       /* alg->digest_len octets */
	unsigned char signature[SIGNATURE_MAX]; /* out; ECDSA as DER */
	size_t signature_len;                   /* out; 0: not signed */
};

/*
 * Sign jobs[0..count) on up to `threads` threads (at least 1).
 * `keep_going` (NULL: always) is asked before each job is begun; false means
 * stop: CA_R_INTERRUPTED, jobs done so far hold their signatures.  It is
 * called on any of the threads, on one at a time.
 * On an error no further job is begun; what was signed stays in its job
 * (signature_len > 0), because it exists: the caller must account for it.
 */
int token_sign(struct token *token, struct sign_job *jobs, size_t count,
    unsigned threads, bool (*keep_going)(void *ctx), void *ctx) MUST_USE;

#endif
