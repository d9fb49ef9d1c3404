/*
 * Signing, in windows: intents durable, their head on the token, C_Sign,
 * verification, results durable.  An object without an intent is never signed;
 * an intent without a result is possibly signed.
 *
 * While the pool signs one window, this thread journals the results of the one
 * before and the intents of the one behind, so that the token does not wait.
 * Nothing overlaps between stages: what is signed below an issuer is begun when
 * the issuer's certificate has its result.
 */
#include "pkcs11/sign.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/ca-keys.h"
#include "ceremony/sign-private.h"

enum {
	IN_FLIGHT = 2,    /* windows that the pool has */
	LOOK_EVERY = 100, /* ms: progress, and whether to go on */
	SMALLEST = 16,    /* objects of a window, where there are so many */
	SECOND = 1000,    /* ms */
};

/* The windows of one stage. */
struct pipeline {
	struct run *run;
	const struct window_kind *kind;
	unsigned stage;
	size_t cursor;
	struct sign_pool *pool;
	struct window *windows[IN_FLIGHT]; /* oldest first */
	size_t count;
	size_t added;        /* objects that the pool was given */
	size_t finished;     /* of them, in windows that are journalled */
	size_t want;         /* objects in the next window */
	int64_t since;       /* when the last window was finished, ms */
	bool drained;        /* nothing is left of the stage */
	bool stopped;        /* somebody asked to stop */
	size_t *done, total; /* for the room */
};

static void
window_free(struct window *window)
{
	if (window == NULL)
		return;
	for (size_t i = 0; window->items != NULL && i < window->count; i++) {
		struct window_item *item = &window->items[i];

		EVP_PKEY_free(item->key);
		free(item->der);
		free(item->lint);
		if (item->file != NULL && item->file->fd >= 0)
			(void)close(item->file->fd);
		free(item->file);
	}
	free(window->items);
	free(window->jobs);
	free(window);
}
CLEANUP_DEFINE_PTR(window);

static void
pipeline_clear(struct pipeline *p)
{
	/* Its threads work on the windows. */
	sign_pool_free(p->pool);
	for (size_t i = 0; i < p->count; i++)
		window_free(p->windows[i]);
}
CLEANUP_DEFINE_STRUCT(pipeline);

int
window_reserve(struct window *window, size_t count)
{
	window->items = calloc(count, sizeof(*window->items));
	window->jobs = calloc(count, sizeof(*window->jobs));
	return window->items != NULL && window->jobs != NULL
	    ? 0
	    : ca_error(CA_R_MEMORY, "no memory for a window");
}

/* What `spki` of the object before decoded to, where it is the same. */
int
window_take_key(struct window *window, const struct sigalg *alg,
    const unsigned char *spki, size_t spki_len)
{
	struct window_item *item = &window->items[window->count];
	const struct window_item *last = window->count == 0 ? NULL : item - 1;

	if (last != NULL && window->jobs[window->count - 1].alg == alg &&
	    window->spki_len == spki_len &&
	    memcmp(window->spki, spki, spki_len) == 0) {
		if (EVP_PKEY_up_ref(last->key) != 1)
			return ca_error(CA_R_INTERNAL, "a key cannot be kept");
		item->key = last->key;
		return 0;
	}
	window->spki = spki;
	window->spki_len = spki_len;
	return sigalg_key(alg, spki, spki_len, &item->key);
}

static int64_t
milliseconds(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
		return 0;
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- one window ------------------------------------------------------- */

/* On a thread of the pool, as soon as the token has signed. */
static int
finish_job(void *ctx, struct sign_job *job)
{
	struct window *window = job->owner;

	(void)ctx;
	return window->kind->finish(window, (size_t)(job - window->jobs));
}

/* What has no word by now: the token was not asked, or nobody knows. */
static void
settle_outcomes(struct window *window)
{
	for (size_t i = 0; i < window->count; i++)
		if (window->items[i].outcome == OUTCOME_UNKNOWN &&
		    !window->jobs[i].begun)
			window->items[i].outcome = OUTCOME_NOT_BEGUN;
}

/*
 * In one transaction: what came of a window (NULL: none), acts with the first
 * intents, and the intents of the next one (NULL: none).
 */
static int
commit(struct run *run, struct window *finished, struct window *next)
{
	struct journal *journal = journal_of_run(run);

	if (journal_begin(journal) < 0)
		return -1;
	if ((finished != NULL &&
		finished->kind->append_outcomes(finished) < 0) ||
	    (next != NULL &&
		((!run->acts_done && append_acts(run) < 0) ||
		    next->kind->append_intents(next) < 0))) {
		journal_rollback(journal);
		return -1;
	}
	if (journal_commit(journal) < 0)
		return -1;
	if (finished != NULL)
		finished->journalled = true;
	if (next != NULL)
		run->acts_done = true;
	return 0;
}

/* A disk that fills up behind C_Sign would turn results into revocations. */
static int
check_room_for(const struct pipeline *p, const struct window *next)
{
	uint64_t bytes = next->kind->space(next);

	for (size_t i = 0; i < p->count; i++)
		bytes += p->windows[i]->kind->space(p->windows[i]);
	return file_space_check(authority_fd(p->run->authority), bytes,
	    authority_path(p->run->authority));
}

/* Did somebody ask to stop? */
static void
look(struct pipeline *p)
{
	const struct room *room = p->run->room;

	if (p->stopped || room->keep_going(room->ctx))
		return;
	p->stopped = true;
	sign_pool_stop(p->pool);
}

/* The next window, or NULL: nothing is left of the stage. */
static int
next_window(struct pipeline *p, struct window **ret_window)
{
	AUTO_PTR(window) *window = NULL;

	*ret_window = NULL;
	look(p);
	if (p->drained || p->stopped)
		return 0;
	window = calloc(1, sizeof(*window));
	if (window == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a window");
	window->run = p->run;
	window->kind = p->kind;
	if (p->kind->fill(p->run, p->stage, p->want, &p->cursor, window) < 0)
		return -1;
	if (window->count == 0) {
		p->drained = true;
		return 0;
	}
	if (check_room_for(p, window) < 0)
		return -1;
	*ret_window = TAKE(window);
	return 0;
}

/* ---- the pipeline ----------------------------------------------------- */

/* About a second of work, within what a window may hold. */
static void
measure(struct pipeline *p, size_t count)
{
	int64_t now = milliseconds(), took = now - p->since;
	size_t want = p->kind->max_count;

	if (took > 0 && count * SECOND / (size_t)took < want)
		want = count * SECOND / (size_t)took;
	p->want = want < SMALLEST ? SMALLEST : want;
	p->since = now;
}

static void
show_progress(const struct pipeline *p, size_t finished)
{
	const struct room *room = p->run->room;

	room->progress(room->ctx, "signatures", *p->done + finished, p->total);
}

/*
 * Wait for the oldest window.  False: it will not be finished, for the pool
 * failed or was stopped.
 */
static bool
await_oldest(struct pipeline *p)
{
	size_t wanted = p->finished + p->windows[0]->count, finished = 0;
	bool goes_on = true;

	while (goes_on && finished < wanted) {
		look(p);
		goes_on =
		    sign_pool_wait(p->pool, wanted, LOOK_EVERY, &finished);
		show_progress(p, finished);
	}
	return finished >= wanted;
}

static struct window *
take_oldest(struct pipeline *p)
{
	struct window *oldest = p->windows[0];

	memmove(p->windows, p->windows + 1,
	    (IN_FLIGHT - 1) * sizeof(p->windows[0]));
	p->count--;
	return oldest;
}

/*
 * Journal what came of `finished`, and hand the next window to the pool: its
 * intents are durable, and the token holds their head.
 */
static int
advance(struct pipeline *p, struct window *finished)
{
	struct window *next = NULL;

	if (next_window(p, &next) < 0)
		return -1;
	if (next == NULL && finished == NULL)
		return 0;
	if (commit(p->run, finished, next) < 0) {
		window_free(next);
		return -1;
	}
	if (next == NULL)
		return 0;
	p->windows[p->count++] = next;
	if (head_write(p->run->authority) < 0 ||
	    sign_pool_add(p->pool, next->jobs, next->count) < 0)
		return -1;
	p->added += next->count;
	return 0;
}

/* Its results are still to be journalled. */
static void
put_back(struct pipeline *p, struct window *window)
{
	memmove(p->windows + 1, p->windows, p->count * sizeof(p->windows[0]));
	p->windows[0] = window;
	p->count++;
}

/* Until everything is journalled, or something went wrong. */
static int
pump(struct pipeline *p)
{
	while (p->count < IN_FLIGHT && !p->drained && !p->stopped)
		if (advance(p, NULL) < 0)
			return -1;
	while (p->count > 0) {
		AUTO_PTR(window) *oldest = NULL;

		if (!await_oldest(p))
			return 0; /* finish() says why */
		oldest = take_oldest(p);
		measure(p, oldest->count);
		p->finished += oldest->count;
		if (advance(p, oldest) < 0) {
			if (!oldest->journalled)
				put_back(p, TAKE(oldest));
			return -1;
		}
	}
	return 0;
}

/* The pool's own error, unless there was one before. */
static int
end_pool(struct pipeline *p, int rc)
{
	if (rc == 0)
		return sign_pool_end(p->pool);
	sign_pool_stop(p->pool);
	(void)ERR_set_mark();
	if (sign_pool_end(p->pool) < 0)
		(void)ERR_pop_to_mark();
	else
		(void)ERR_clear_last_mark();
	return -1;
}

/* What is known is journalled, whatever went wrong. */
static int
finish(struct pipeline *p, int rc)
{
	rc = end_pool(p, rc);
	for (size_t i = 0; i < p->count; i++) {
		settle_outcomes(p->windows[i]);
		if (commit(p->run, p->windows[i], NULL) < 0)
			return -1;
	}
	if (rc == 0 && p->stopped && !p->drained)
		return ca_error(CA_R_INTERRUPTED,
		    "signing was interrupted; no further signature was made");
	return rc;
}

/* ---- all stages ------------------------------------------------------- */

static size_t
count_unsigned(const struct run *run)
{
	size_t n = 0;

	for (size_t i = 0; i < run->build.object_count; i++)
		n += run->build.objects[i].from != BUILT_AND_SIGNED;
	for (size_t i = 0; i < run->build.batch_count; i++)
		n += run->build.batches[i].count -
		    run->build.batches[i].signed_count;
	return n;
}

static void
lower(unsigned stage, unsigned from, bool *found, unsigned *lowest)
{
	if (stage < from || (*found && stage >= *lowest))
		return;
	*lowest = stage;
	*found = true;
}

/* The lowest stage that has unsigned objects at or above `stage`. */
static bool
next_stage(const struct run *run, unsigned stage, unsigned *ret_stage)
{
	unsigned lowest = 0;
	bool found = false;

	for (size_t i = 0; i < run->build.object_count; i++)
		if (run->build.objects[i].from != BUILT_AND_SIGNED)
			lower(run->build.objects[i].stage, stage, &found,
			    &lowest);
	for (size_t i = 0; i < run->build.batch_count; i++)
		if (run->build.batches[i].from != BUILT_AND_SIGNED)
			lower(run->build.batches[i].stage, stage, &found,
			    &lowest);
	if (found)
		*ret_stage = lowest;
	return found;
}

static int
sign_kind(struct run *run, const struct window_kind *kind, unsigned stage,
    size_t *done, size_t total)
{
	const struct sign_work work = { .done = finish_job };
	unsigned jobs = authority_jobs(run->authority);
	AUTO_STRUCT(pipeline)
	p = {
		.run = run,
		.kind = kind,
		.stage = stage,
		.want = kind->first_count,
		.since = milliseconds(),
		.done = done,
		.total = total,
	};

	if (kind->prepare != NULL && kind->prepare(run, stage) < 0)
		return -1;
	if (sign_pool_start(authority_token(run->authority),
		jobs > total ? (unsigned)total : jobs, &work, &p.pool) < 0 ||
	    finish(&p, pump(&p)) < 0)
		return -1;
	*done += p.finished;
	return 0;
}

/* Acts of a plan that signs nothing. */
static int
commit_acts(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	if (run->acts_done || run->build.act_count == 0)
		return 0;
	if (journal_begin(journal) < 0)
		return -1;
	if (append_acts(run) < 0) {
		journal_rollback(journal);
		return -1;
	}
	if (journal_commit(journal) < 0)
		return -1;
	run->acts_done = true;
	return 0;
}

int
sign_all(struct run *run)
{
	size_t done = 0, total = count_unsigned(run);
	unsigned stage = 0;

	/* Workers find them opened. */
	if (total > 0 && lint_open(run) < 0)
		return -1;
	for (; next_stage(run, stage, &stage); stage++)
		if (sign_kind(run, &window_of_objects, stage, &done, total) <
			0 ||
		    sign_kind(run, &window_of_ocsp, stage, &done, total) < 0)
			return -1;
	if (commit_acts(run) < 0)
		return -1;
	return run_destroy_keys(run);
}

/* ---- rehearsing, and after a cut -------------------------------------- */

static int
rehearse_entries(struct run *run)
{
	char nothing[HASH_HEX_SIZE];

	memset(nothing, '0', HASH_HEX_SIZE - 1);
	nothing[HASH_HEX_SIZE - 1] = '\0';
	if (journal_append(journal_of_run(run), ENTRY_LIST,
		json_pack("{s:s, s:i, s:s, s:I, s:I}", "run", run->nonce,
		    "list", (int)run->lists, "sha256", nothing, "objects",
		    (json_int_t)run->build.object_count, "acts",
		    (json_int_t)run->build.act_count),
		"rehearsal", NULL) < 0 ||
	    append_acts(run) < 0 || rehearse_objects(run) < 0 ||
	    rehearse_batches(run) < 0)
		return -1;
	return run_rehearse_last(run);
}

int
sign_rehearse(struct run *run)
{
	int rc;

	if (journal_begin(journal_of_run(run)) < 0)
		return -1;
	rc = rehearse_entries(run);
	journal_rollback(journal_of_run(run));
	return rc;
}

int
sign_settle_intents(struct run *run)
{
	struct journal *journal = journal_of_run(run);

	if (journal_begin(journal) < 0)
		return -1;
	if (settle_objects(run) < 0 || settle_batches(run) < 0) {
		journal_rollback(journal);
		return -1;
	}
	return journal_commit(journal);
}
