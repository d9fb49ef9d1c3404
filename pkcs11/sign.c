#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

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

/* Jobs that were added together. */
struct batch {
	struct batch *next;
	struct sign_job *jobs;
	size_t count;
	size_t first; /* number of its first job */
	size_t begun, finished;
};

struct sign_pool {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t more;  /* there are jobs, or an end */
	pthread_cond_t less;  /* a batch is finished, or no more is begun */
	struct batch *batches, **end;
	size_t added;
	size_t begun; /* and not finished */
	bool closed;  /* nothing is added any more */
	bool stopped; /* by the caller, or by keep_going */
	bool failed;
	bool (*keep_going)(void *ctx);
	void *keep_going_ctx;
	struct sign_work work;
	struct token *token;
	pthread_t threads[THREADS_MAX];
	unsigned thread_count;
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
carry_errors(struct sign_pool *pool)
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
raise_carried(struct sign_pool *pool)
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

/* The next job to begin, or NULL: there is none, stopped or failed. */
static struct sign_job *
begin_job(struct sign_pool *pool, struct batch **ret_batch)
{
	struct batch *batch = pool->batches;

	if (pool->failed || pool->stopped)
		return NULL;
	while (batch != NULL && batch->begun == batch->count)
		batch = batch->next;
	if (batch == NULL)
		return NULL;
	if (pool->keep_going != NULL &&
	    !pool->keep_going(pool->keep_going_ctx)) {
		pool->stopped = true;
		return NULL;
	}
	*ret_batch = batch;
	pool->begun++;
	batch->jobs[batch->begun].begun = true;
	return &batch->jobs[batch->begun++];
}

static bool
has_ended(const struct sign_pool *pool)
{
	return pool->closed || pool->failed || pool->stopped;
}

/* Wait for one; NULL is the end. */
static struct sign_job *
next_job(struct sign_pool *pool, struct batch **ret_batch)
{
	struct sign_job *job;

	(void)pthread_mutex_lock(&pool->lock);
	while ((job = begin_job(pool, ret_batch)) == NULL && !has_ended(pool))
		(void)pthread_cond_wait(&pool->more, &pool->lock);
	if (job == NULL) {
		(void)pthread_cond_broadcast(&pool->more);
		(void)pthread_cond_broadcast(&pool->less);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return job;
}

static void
end_job(struct sign_pool *pool, struct batch *batch, bool failed)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->begun--;
	batch->finished++;
	if (failed) {
		pool->failed = true;
		carry_errors(pool);
		(void)pthread_cond_broadcast(&pool->more);
	}
	if (batch->finished == batch->count || has_ended(pool))
		(void)pthread_cond_broadcast(&pool->less);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void *
work(void *arg)
{
	struct sign_pool *pool = arg;
	struct batch *batch = NULL;
	struct sign_job *job = NULL;

	while ((job = next_job(pool, &batch)) != NULL) {
		int result = sign_job(job);

		if (result == 0 && pool->work.done != NULL)
			result = pool->work.done(pool->work.ctx, job);
		end_job(pool, batch, result != 0);
	}
	return NULL;
}

/* Signals stay with the caller's thread. */
static void
start_threads(struct sign_pool *pool, unsigned threads)
{
	sigset_t all, before;

	if (threads > THREADS_MAX)
		threads = THREADS_MAX;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (pool->thread_count < threads &&
	    pthread_create(
		&pool->threads[pool->thread_count], NULL, work, pool) == 0)
		pool->thread_count++;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct sign_pool *
new_pool(struct token *token)
{
	struct sign_pool *pool = calloc(1, sizeof(*pool));
	pthread_condattr_t attributes;

	if (pool == NULL)
		return NULL;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->more, &attributes);
	(void)pthread_cond_init(&pool->less, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	pool->token = token;
	pool->end = &pool->batches;
	return pool;
}

int
sign_pool_start(struct token *token, unsigned threads,
    const struct sign_work *work, struct sign_pool **ret_pool)
{
	AUTO_PTR(sign_pool) *pool = NULL;

	if (token_need_login(token) != 0)
		return -1;
	pool = new_pool(token);
	if (pool == NULL)
		return ca_error(CA_R_MEMORY, "no memory for signing");
	if (work != NULL)
		pool->work = *work;
	start_threads(pool, threads);
	if (pool->thread_count == 0)
		return ca_error(
		    CA_R_MEMORY, "no thread can be started for signing");
	*ret_pool = TAKE(pool);
	return 0;
}

int
sign_pool_add(struct sign_pool *pool, struct sign_job *jobs, size_t count)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch == NULL)
		return ca_error(CA_R_MEMORY, "no memory for signing");
	for (size_t i = 0; i < count; i++) {
		jobs[i].signature_len = 0;
		jobs[i].begun = false;
	}
	batch->jobs = jobs;
	batch->count = count;
	(void)pthread_mutex_lock(&pool->lock);
	batch->first = pool->added;
	pool->added += count;
	*pool->end = batch;
	pool->end = &batch->next;
	(void)pthread_cond_broadcast(&pool->more);
	(void)pthread_mutex_unlock(&pool->lock);
	return 0;
}

void
sign_pool_stop(struct sign_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->stopped = true;
	(void)pthread_cond_broadcast(&pool->more);
	(void)pthread_cond_broadcast(&pool->less);
	(void)pthread_mutex_unlock(&pool->lock);
}

/* Of batches that are finished whole, in their order; drops those before. */
static size_t
count_finished(struct sign_pool *pool)
{
	while (pool->batches != NULL &&
	    pool->batches->finished == pool->batches->count) {
		struct batch *next = pool->batches->next;

		free(pool->batches);
		pool->batches = next;
	}
	if (pool->batches == NULL)
		pool->end = &pool->batches;
	return pool->batches == NULL
	    ? pool->added
	    : pool->batches->first + pool->batches->finished;
}

static struct timespec
time_after(unsigned milliseconds)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += milliseconds / 1000;
	at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

bool
sign_pool_wait(struct sign_pool *pool, size_t finished, unsigned milliseconds,
    size_t *ret_finished)
{
	const struct timespec until = time_after(milliseconds);
	bool ended;
	int rc = 0;

	(void)pthread_mutex_lock(&pool->lock);
	while (rc == 0 && count_finished(pool) < finished &&
	    !(has_ended(pool) && pool->begun == 0))
		rc = pthread_cond_timedwait(&pool->less, &pool->lock, &until);
	*ret_finished = count_finished(pool);
	ended = has_ended(pool) && pool->begun == 0;
	(void)pthread_mutex_unlock(&pool->lock);
	return !ended || *ret_finished >= finished;
}

/* What is added is signed to its end, unless it was stopped or failed. */
static void
join_threads(struct sign_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->closed = true;
	(void)pthread_cond_broadcast(&pool->more);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->thread_count; i++)
		(void)pthread_join(pool->threads[i], NULL);
	pool->thread_count = 0;
}

int
sign_pool_end(struct sign_pool *pool)
{
	join_threads(pool);
	raise_carried(pool);
	if (pool->failed) {
		key_forget_checks(pool->token);
		return -1;
	}
	if (pool->stopped && count_finished(pool) < pool->added)
		return ca_error(CA_R_INTERRUPTED,
		    "signing was interrupted; no further signature was made");
	return 0;
}

static void
drop_errors(struct sign_pool *pool)
{
	for (size_t i = 0; i < pool->error_count; i++) {
		free(pool->errors[i].text);
		free(pool->errors[i].file);
		free(pool->errors[i].func);
	}
	pool->error_count = 0;
}

void
sign_pool_free(struct sign_pool *pool)
{
	if (pool == NULL)
		return;
	if (pool->thread_count > 0) {
		sign_pool_stop(pool);
		join_threads(pool);
	}
	while (pool->batches != NULL) {
		struct batch *next = pool->batches->next;

		free(pool->batches);
		pool->batches = next;
	}
	drop_errors(pool);
	(void)pthread_cond_destroy(&pool->more);
	(void)pthread_cond_destroy(&pool->less);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

int
token_sign(struct token *token, struct sign_job *jobs, size_t count,
    unsigned threads, bool (*keep_going)(void *ctx), void *ctx)
{
	AUTO_PTR(sign_pool) *pool = NULL;

	for (size_t i = 0; i < count; i++) {
		jobs[i].signature_len = 0;
		jobs[i].begun = false;
	}
	if (token_need_login(token) != 0)
		return -1;
	pool = new_pool(token);
	if (pool == NULL)
		return ca_error(CA_R_MEMORY, "no memory for signing");
	pool->keep_going = keep_going;
	pool->keep_going_ctx = ctx;
	if (sign_pool_add(pool, jobs, count) != 0)
		return -1;
	pool->closed = true;
	/* The caller's thread works too. */
	if (threads > count)
		threads = (unsigned)count;
	start_threads(pool, threads > 0 ? threads - 1 : 0);
	(void)work(pool);
	return sign_pool_end(pool);
}
