#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "pkcs11/raw.h"

enum { THREADS_MAX = 64, CARRIED_MAX = 8 };

/* An entry of a worker's error queue, on its way to the caller's. */
struct carried {
	unsigned long code;
	char *text;
	char *file;
	char *func;
	int line;
};

struct pool {
	pthread_mutex_t lock; /* of all that follows */
	struct sign_job *jobs;
	size_t count, next;
	bool (*keep_going)(void *ctx);
	void *ctx;
	bool stopped; /* by keep_going */
	bool failed;
	struct carried errors[CARRIED_MAX];
	size_t error_count;
};

/* ---- One signature ---- */

static int
set_padding(EVP_PKEY_CTX *ctx, const struct sigalg *alg, const EVP_MD *md)
{
	if (alg->family != KEY_RSA)
		return 0;
	if (!alg->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0
		    ? 0
		    : -1;
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)alg->digest_len) <= 0)
		return -1;
	return 0;
}

static int
sign_job(struct sign_job *job)
{
	const struct sigalg *alg = job->alg;
	AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, alg->digest, NULL);
	AUTO(EVP_PKEY_CTX) *ctx = NULL;
	unsigned char signature[SIGNATURE_MAX];
	size_t len = sizeof(signature);

	if (!sigalg_fits(alg, key_type(job->key)))
		return ca_error(CA_R_INTERNAL,
		    "algorithm %s does not fit key '%s' of type %s", alg->name,
		    key_statement(job->key)->label, key_type(job->key)->name);
	ctx = EVP_PKEY_CTX_new(key_evp(job->key), NULL);
	if (md == NULL || ctx == NULL || EVP_PKEY_sign_init(ctx) <= 0 ||
	    set_padding(ctx, alg, md) != 0 ||
	    EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
		return ca_error(CA_R_INTERNAL,
		    "signing with %s and key '%s' cannot be set up", alg->name,
		    key_statement(job->key)->label);
	if ((size_t)EVP_PKEY_get_size(key_evp(job->key)) > len)
		return ca_error(CA_R_INTERNAL,
		    "signatures by key '%s' are too long",
		    key_statement(job->key)->label);
	if (EVP_PKEY_sign(ctx, signature, &len, job->digest, alg->digest_len) <=
	    0)
		return ca_error(CA_R_TOKEN, "key '%s' did not sign",
		    key_statement(job->key)->label);
	memcpy(job->signature, signature, len);
	job->signature_len = len;
	return 0;
}

/* ---- Errors from thread to thread ---- */

static char *
copy_or_null(const char *text)
{
	return text != NULL ? strdup(text) : NULL;
}

/* Take this thread's queue, oldest first; the newest entries are kept. */
static void
carry_errors(struct pool *pool)
{
	const char *file = NULL, *func = NULL, *data = NULL;
	int line = 0, flags = 0;
	unsigned long code = 0;

	while ((code = ERR_get_error_all(&file, &line, &func, &data, &flags)) !=
	    0) {
		struct carried *slot = NULL;

		if (pool->error_count == CARRIED_MAX) {
			slot = &pool->errors[0];
			free(slot->text);
			free(slot->file);
			free(slot->func);
			memmove(pool->errors, pool->errors + 1,
			    (CARRIED_MAX - 1) * sizeof(pool->errors[0]));
			pool->error_count--;
		}
		slot = &pool->errors[pool->error_count++];
		*slot = (struct carried){ .code = code, .line = line };
		slot->text =
		    (flags & ERR_TXT_STRING) != 0 ? copy_or_null(data) : NULL;
		slot->file = copy_or_null(file);
		slot->func = copy_or_null(func);
	}
}

static void
raise_carried(struct pool *pool)
{
	for (size_t i = 0; i < pool->error_count; i++) {
		struct carried *error = &pool->errors[i];

		ERR_new();
		ERR_set_debug(error->file, error->line, error->func);
		if (error->text != NULL && error->text[0] != '\0')
			ERR_set_error(ERR_GET_LIB(error->code),
			    ERR_GET_REASON(error->code), "%s", error->text);
		else
			ERR_set_error(ERR_GET_LIB(error->code),
			    ERR_GET_REASON(error->code), NULL);
		free(error->text);
		free(error->file);
		free(error->func);
	}
	pool->error_count = 0;
}

/* ---- The pool ---- */

/* The next job to begin, or NULL: done, stopped or failed. */
static struct sign_job *
next_job(struct pool *pool)
{
	struct sign_job *job = NULL;

	(void)pthread_mutex_lock(&pool->lock);
	if (!pool->failed && !pool->stopped && pool->next < pool->count) {
		if (pool->keep_going != NULL && !pool->keep_going(pool->ctx))
			pool->stopped = true;
		else
			job = &pool->jobs[pool->next++];
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

static void
fail(struct pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->failed = true;
	carry_errors(pool);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *
work(void *arg)
{
	struct pool *pool = arg;
	struct sign_job *job = NULL;

	while ((job = next_job(pool)) != NULL)
		if (sign_job(job) != 0)
			fail(pool);
	return NULL;
}

/* The caller's thread works too; signals stay with it. */
static void
run_pool(struct pool *pool, unsigned threads)
{
	pthread_t others[THREADS_MAX];
	unsigned started = 0;
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (started + 1 < threads &&
	    pthread_create(&others[started], NULL, work, pool) == 0)
		started++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	(void)work(pool);
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(others[i], NULL);
}

int
token_sign(struct token *token, struct sign_job *jobs, size_t count,
    unsigned threads, bool (*keep_going)(void *ctx), void *ctx)
{
	struct pool pool = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.jobs = jobs,
		.count = count,
		.keep_going = keep_going,
		.ctx = ctx };

	for (size_t i = 0; i < count; i++)
		jobs[i].signature_len = 0;
	if (token_need_login(token) != 0)
		return -1;
	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	if (threads > count)
		threads = (unsigned)count;
	/* fail() empties the queue of its thread, which may be ours. */
	run_pool(&pool, threads);
	(void)pthread_mutex_destroy(&pool.lock);
	raise_carried(&pool);
	if (pool.failed) {
		key_forget_checks(token);
		return -1;
	}
	if (pool.stopped)
		return ca_error(CA_R_INTERRUPTED,
		    "signing was interrupted; no further signature was made");
	return 0;
}
