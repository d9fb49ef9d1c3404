/*
 * Signing a list of digests on a pool of threads, each with a session of its
 * own, in order: results stand where their jobs stand, and jobs are begun in
 * the order of the list.
 */
#ifndef CA_PKCS11_SIGN_H
#define CA_PKCS11_SIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/algorithm.h"
#include "base/cleanup.h"
#include "pkcs11/key.h"

struct sign_job {
	const struct key *key;
	const struct sigalg *alg;
	unsigned char digest[DIGEST_MAX];       /* alg->digest_len octets */
	unsigned char signature[SIGNATURE_MAX]; /* out; ECDSA as DER */
	size_t signature_len;                   /* out; 0: not signed */
	bool begun;  /* out; false: the token was never asked */
	void *owner; /* the caller's */
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

/*
 * The same without an end: jobs are added while others are being signed, so
 * that the token never waits for whoever makes them ready.
 */
struct sign_pool;

/*
 * What is done with each job as soon as it is signed, on the thread that signed
 * it, several at a time; -1 is an error like the token's.  NULL: nothing.
 */
struct sign_work {
	int (*done)(void *ctx, struct sign_job *job);
	void *ctx;
};

int sign_pool_start(struct token *token, unsigned threads,
    const struct sign_work *work, struct sign_pool **ret_pool) MUST_USE;

/*
 * Behind those that were added before.  The jobs must stay where they are, and
 * are the pool's, until they are finished.
 */
int sign_pool_add(
    struct sign_pool *pool, struct sign_job *jobs, size_t count) MUST_USE;

/* Begin no further job. */
void sign_pool_stop(struct sign_pool *pool);

/*
 * Wait until the first `finished` of all jobs that were added are finished,
 * until no further one will be (stopped, failed), or so long.  *ret_finished:
 * how many are, in their order.  False: no further one will be.
 */
bool sign_pool_wait(struct sign_pool *pool, size_t finished,
    unsigned milliseconds, size_t *ret_finished);

/*
 * Wait for what was begun, and end the threads.  What went wrong is raised:
 * the error of a job, or CA_R_INTERRUPTED after sign_pool_stop() where a job
 * was not begun.
 */
int sign_pool_end(struct sign_pool *pool) MUST_USE;
void sign_pool_free(struct sign_pool *pool);
CLEANUP_DEFINE_PTR(sign_pool);

#endif
