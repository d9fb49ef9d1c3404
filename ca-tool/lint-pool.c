#include "ca-tool/lint-pool.h"

#include <pthread.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/error.h"
#include "ca-tool/interrupt.h"
#include "profiles/lint/about.h"

enum {
	SLOTS = 128, /* objects in memory at once */
	THREADS_MAX = 64,
	HEAD = 65536,
};

enum slot_state { SLOT_FREE, SLOT_READ, SLOT_TAKEN, SLOT_DONE };

struct slot {
	enum slot_state state;
	struct lint_result result;
};

/* A ring: `first` is told next, `last` is read next, `next` is linted next. */
struct pool {
	pthread_mutex_t lock;
	pthread_cond_t read, done;
	struct slot slots[SLOTS];
	size_t first, next, last;
	bool ended;
	const struct lint_beside *beside;
	pthread_t threads[THREADS_MAX];
	size_t thread_count;
};

/* ---- one object ------------------------------------------------------- */

static int
lint_memory(struct lint_result *result, struct lint_context *context,
    const struct lint_beside *beside)
{
	struct lint_item *item = &result->item;
	const struct der object = { item->der, item->len };

	context->issuer = lint_beside_issuer(beside, object);
	result->kind = lint_sniff(object);
	if (beside->about &&
	    lint_about(object, context, &result->subjects, &result->rulesets) !=
		0)
		return -1;
	return lint_object(item->place, object, context, &item->findings);
}

static int
lint_file(struct lint_result *result, struct lint_context *context,
    const struct lint_beside *beside)
{
	struct lint_item *item = &result->item;
	struct der_file file = { item->fd, item->file };
	struct der_source source;
	unsigned char head[HEAD];
	ssize_t n = pread(item->fd, head, sizeof(head), 0);
	struct der begin = { head, n > 0 ? (size_t)n : 0 };

	context->issuer = lint_beside_issuer(beside, begin);
	result->kind = LINT_CRL;
	if (beside->about &&
	    lint_about(begin, context, &result->subjects, &result->rulesets) !=
		0)
		return -1;
	if (der_source_file(&file, &source) == 0 &&
	    lint_crl(item->place, &source, context, &item->findings) == 0)
		return 0;
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	findings_take_error(&item->findings, "LINT-READ", item->place);
	return 0;
}

static void
lint_one(struct lint_result *result, const struct lint_beside *beside)
{
	struct lint_context context = beside->context;

	if (result->item.state != LINT_ITEM_OBJECT)
		return;
	if ((result->item.fd >= 0 ? lint_file : lint_memory)(
		result, &context, beside) != 0)
		result->failed = true;
	ERR_clear_error();
}

/* ---- threads ---------------------------------------------------------- */

static struct slot *
slot_at(struct pool *pool, size_t n)
{
	return &pool->slots[n % SLOTS];
}

static void *
work(void *ctx)
{
	struct pool *pool = ctx;

	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->ended || pool->next < pool->last) {
		struct slot *slot = slot_at(pool, pool->next);

		if (pool->next == pool->last) {
			(void)pthread_cond_wait(&pool->read, &pool->lock);
			continue;
		}
		pool->next++;
		slot->state = SLOT_TAKEN;
		(void)pthread_mutex_unlock(&pool->lock);
		lint_one(&slot->result, pool->beside);
		(void)pthread_mutex_lock(&pool->lock);
		slot->state = SLOT_DONE;
		(void)pthread_cond_signal(&pool->done);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static int
pool_start(struct pool *pool)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	n = n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : n;
	while (pool->thread_count < (size_t)n &&
	    pthread_create(
		&pool->threads[pool->thread_count], NULL, work, pool) == 0)
		pool->thread_count++;
	return pool->thread_count > 0
	    ? 0
	    : ca_error(CA_R_MEMORY, "cannot start a thread");
}

static void
pool_stop(struct pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->ended = true;
	pool->next = pool->last; /* what is not begun is not wanted */
	(void)pthread_cond_broadcast(&pool->read);
	(void)pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->thread_count; i++)
		(void)pthread_join(pool->threads[i], NULL);
	for (; pool->first < pool->last; pool->first++)
		lint_item_clear(&slot_at(pool, pool->first)->result.item);
	(void)pthread_cond_destroy(&pool->read);
	(void)pthread_cond_destroy(&pool->done);
	(void)pthread_mutex_destroy(&pool->lock);
}

/* ---- the reader ------------------------------------------------------- */

/* Read one more object into the ring, which has room for it. */
static int
pool_read(struct pool *pool, struct lint_input *input, bool *ret_more)
{
	struct slot *slot = slot_at(pool, pool->last);

	*slot = (struct slot){ .result = { .item = { .fd = -1 } } };
	if (lint_input_next(input, &slot->result.item, ret_more) != 0)
		return -1;
	if (!*ret_more)
		return 0;
	(void)pthread_mutex_lock(&pool->lock);
	slot->state = SLOT_READ;
	pool->last++;
	(void)pthread_cond_signal(&pool->read);
	(void)pthread_mutex_unlock(&pool->lock);
	return 0;
}

/* Wait for the oldest object, and tell it. */
static int
pool_tell(struct pool *pool, int (*tell)(void *ctx, struct lint_result *result),
    void *ctx)
{
	struct slot *slot = slot_at(pool, pool->first);
	int ret;

	(void)pthread_mutex_lock(&pool->lock);
	while (slot->state != SLOT_DONE)
		(void)pthread_cond_wait(&pool->done, &pool->lock);
	(void)pthread_mutex_unlock(&pool->lock);
	ret = slot->result.failed
	    ? ca_error(CA_R_MEMORY, "no memory to lint '%s'",
		  slot->result.item.place)
	    : tell(ctx, &slot->result);
	lint_item_clear(&slot->result.item);
	pool->first++;
	return ret;
}

static int
pool_run(struct pool *pool, struct lint_input *input,
    int (*tell)(void *ctx, struct lint_result *result), void *ctx)
{
	bool more = true;

	while (more || pool->first < pool->last) {
		if (interrupt_pending())
			return ca_error(
			    CA_R_INTERRUPTED, "stopped by a signal");
		if (more && pool->last - pool->first < SLOTS) {
			if (pool_read(pool, input, &more) != 0)
				return -1;
		} else if (pool_tell(pool, tell, ctx) != 0) {
			return -1;
		}
	}
	return 0;
}

int
lint_pool_run(struct lint_input *input, const struct lint_beside *beside,
    int (*tell)(void *ctx, struct lint_result *result), void *ctx)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	int ret = -1;

	if (pool == NULL)
		return ca_error(CA_R_MEMORY, "no memory for the linter");
	pool->beside = beside;
	if (pthread_mutex_init(&pool->lock, NULL) != 0 ||
	    pthread_cond_init(&pool->read, NULL) != 0 ||
	    pthread_cond_init(&pool->done, NULL) != 0)
		(void)ca_error(CA_R_MEMORY, "no memory for the linter");
	else if (pool_start(pool) == 0)
		ret = pool_run(pool, input, tell, ctx);
	pool_stop(pool);
	free(pool);
	return ret;
}
