#include <signal.h>
#include <time.h>

#include "support.h"

enum { JOBS = 40 };

static unsigned char ec_id[KEY_ID_LEN] = "ec identity";
static unsigned char rsa_id[KEY_ID_LEN] = "rsa identity";

static void
setup_keys(const char *dir)
{
	struct token *token = make_token(open_embedded(dir), "ca");
	struct key *key = NULL;

	must_login(token);
	CHECK(key_generate(
		  token, key_type_by_name("p-256"), "ec", ec_id, &key) == 0);
	key_free(key);
	CHECK(key_generate(token, key_type_by_name("rsa-2048"), "rsa", rsa_id,
		  &key) == 0);
	key_free(key);
	close_token(token);
}

/* A token with two keys, and jobs that take turns between them. */
struct work {
	struct token *token;
	struct key *ec, *rsa;
	struct sign_job jobs[JOBS];
};

static void
job_text(size_t i, unsigned char out[16])
{
	memset(out, 0, 16);
	(void)snprintf((char *)out, 16, "job %zu", i);
}

static void
work_open(const char *dir, const char *orders, struct work *work)
{
	static const char *const algs[] = { "ecdsa-sha256", "rsa-sha256",
		"ecdsa-sha256", "rsa-pss-sha256" };
	AUTO_STRUCT(findings) findings = { 0 };

	*work = (struct work){ .token = shim_login(dir, orders) };
	CHECK(key_find(work->token, ec_id, KEY_ID_LEN, &findings, &work->ec) ==
	    0);
	CHECK(key_find(
		  work->token, rsa_id, KEY_ID_LEN, &findings, &work->rsa) == 0);
	for (size_t i = 0; i < JOBS; i++) {
		struct sign_job *job = &work->jobs[i];
		unsigned char tbs[16];

		job_text(i, tbs);
		job->alg = sigalg_by_name(algs[i % 4]);
		CHECK(job->alg != NULL);
		job->key = i % 2 == 0 ? work->ec : work->rsa;
		CHECK(sigalg_digest(job->alg, tbs, sizeof(tbs), job->digest) ==
		    0);
	}
}

static void
work_close(struct work *work)
{
	key_free(work->ec);
	key_free(work->rsa);
	close_token(work->token);
}

static bool
verifies(const struct work *work, size_t i)
{
	const struct sign_job *job = &work->jobs[i];
	const unsigned char *spki = NULL;
	unsigned char tbs[16];
	size_t len = 0;
	bool good = false;

	job_text(i, tbs);
	key_spki(job->key, &spki, &len);
	good = sigalg_verify(job->alg, spki, len, tbs, sizeof(tbs),
		   job->signature, job->signature_len) == 0;
	ca_error_clear();
	return good;
}

static size_t
count_signed(const struct work *work)
{
	size_t count = 0;

	for (size_t i = 0; i < JOBS; i++) {
		if (work->jobs[i].signature_len == 0)
			continue;
		CHECK(verifies(work, i));
		count++;
	}
	return count;
}

static unsigned threads;

static void
all_signed(const char *dir)
{
	struct work work;

	work_open(dir, "", &work);
	for (int round = 0; round < 3; round++) {
		CHECK(token_sign(work.token, work.jobs, JOBS, threads, NULL,
			  NULL) == 0);
		CHECK(count_signed(&work) == JOBS);
	}
	CHECK(token_sign(work.token, work.jobs, 0, threads, NULL, NULL) == 0);
	work_close(&work);
}

TEST(in_order)
{
	static const unsigned counts[] = { 0, 1, 2, 4, 24, 1000 };

	in_child(setup_keys, dir);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		threads = counts[i];
		in_child(all_signed, dir);
	}
}

static double
seconds(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Sessions of their own: calls that wait for the token overlap. */
static void
overlapping(const char *dir)
{
	struct work work;
	double start = 0, one = 0, many = 0;

	work_open(dir, "delay C_Sign 20000\n", &work);
	start = seconds();
	CHECK(token_sign(work.token, work.jobs, 16, 1, NULL, NULL) == 0);
	one = seconds() - start;
	start = seconds();
	CHECK(token_sign(work.token, work.jobs, 16, 8, NULL, NULL) == 0);
	many = seconds() - start;
	CHECK(one >= 16 * 0.02);
	CHECK(many < one / 2);
	work_close(&work);
}

TEST(threads_overlap)
{
	in_child(setup_keys, dir);
	in_child(overlapping, dir);
}

/* ---- Errors at the k-th call ---- */

/* Jobs without a signature before the last one with one. */
static size_t
gaps(const struct work *work)
{
	size_t open = 0, count = 0;

	for (size_t i = 0; i < JOBS; i++) {
		if (work->jobs[i].signature_len == 0) {
			open++;
			continue;
		}
		count += open;
		open = 0;
	}
	return count;
}

static unsigned fail_at;
static const char *failing; /* function */

static void
fails_at(const char *dir)
{
	AUTO_STRUCT(findings) findings = { 0 };
	char orders[4096];
	struct work work;
	struct key *again = NULL;
	size_t done = 0, begun = 0, slack;

	(void)snprintf(orders, sizeof(orders),
	    "fail %s %u 0x30\ndelay C_Sign 2000\ncount %s\n", failing, fail_at,
	    in_dir(dir, "count"));
	(void)unlink(in_dir(dir, "count"));
	work_open(dir, orders, &work);
	CHECK_ERROR(
	    token_sign(work.token, work.jobs, JOBS, threads, NULL, NULL),
	    CA_R_TOKEN, "did not sign");
	/*
	 * Each of the others had one job in hand; while the one that failed
	 * waits for a busy machine to let it say so, they may take a few more.
	 */
	done = count_signed(&work);
	begun = count_lines(in_dir(dir, "count"), "C_SignInit=");
	slack = threads == 1 ? 1 : 4 * threads;
	CHECK(done >= fail_at - 1 && done < fail_at + slack);
	CHECK(begun < fail_at + slack);
	CHECK(gaps(&work) <= 1);
	/* Attributes are read again, and all goes on. */
	CHECK(work.token->keys == NULL);
	CHECK(key_find(work.token, ec_id, KEY_ID_LEN, &findings, &again) == 0);
	CHECK(again != work.ec);
	key_free(again);
	CHECK(
	    token_sign(work.token, work.jobs, JOBS, threads, NULL, NULL) == 0);
	CHECK(count_signed(&work) == JOBS);
	work_close(&work);
}

TEST(errors_stop_it)
{
	static const unsigned places[] = { 1, 2, 3, 5, 17, JOBS };
	static const unsigned counts[] = { 1, 2, 4 };

	in_child(setup_keys, dir);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]);
		     j++) {
			fail_at = places[i];
			threads = counts[j];
			failing = "C_Sign";
			in_child(fails_at, dir);
			failing = "C_SignInit";
			in_child(fails_at, dir);
		}
}

/* The module's own word must reach the caller from a worker. */
static void
error_text(const char *dir)
{
	struct work work;

	work_open(dir, "fail C_Sign * 0x32\n", &work);
	CHECK_ERROR(token_sign(work.token, work.jobs, JOBS, 4, NULL, NULL),
	    CA_R_TOKEN, "evice removed");
	CHECK(count_signed(&work) == 0);
	work_close(&work);
}

TEST(errors_are_carried)
{
	in_child(setup_keys, dir);
	in_child(error_text, dir);
}

/* token_sign() does not verify: the kept key of the caller does. */
static void
flipped(const char *dir)
{
	struct work work;
	size_t bad = 0;

	work_open(dir, "garbage C_Sign 3\n", &work);
	CHECK(token_sign(work.token, work.jobs, JOBS, 1, NULL, NULL) == 0);
	for (size_t i = 0; i < JOBS; i++)
		bad += !verifies(&work, i);
	CHECK(bad == 1);
	work_close(&work);
}

TEST(garbage_is_for_the_caller_to_find)
{
	in_child(setup_keys, dir);
	in_child(flipped, dir);
}

/* ---- Interruption ---- */

static bool
count_down(void *ctx)
{
	unsigned *left = ctx;

	if (*left == 0)
		return false;
	--*left;
	return true;
}

static void
interrupted(const char *dir)
{
	struct work work;
	unsigned left = 7;

	work_open(dir, "", &work);
	CHECK_ERROR(
	    token_sign(work.token, work.jobs, JOBS, threads, count_down, &left),
	    CA_R_INTERRUPTED, "interrupted");
	CHECK(count_signed(&work) == 7);
	for (size_t i = 0; i < 7; i++)
		CHECK(work.jobs[i].signature_len != 0);
	/* No error of the token: what was checked stays. */
	CHECK(work.token->keys != NULL);
	left = JOBS;
	CHECK(token_sign(work.token, work.jobs, JOBS, threads, count_down,
		  &left) == 0);
	work_close(&work);
}

TEST(interruption)
{
	in_child(setup_keys, dir);
	for (threads = 1; threads <= 4; threads++)
		in_child(interrupted, dir);
}

static void
refusals(const char *dir)
{
	struct work work;

	work_open(dir, "", &work);
	work.jobs[0].alg = sigalg_by_name("ecdsa-sha384");
	CHECK_ERROR(token_sign(work.token, work.jobs, JOBS, 1, NULL, NULL),
	    CA_R_INTERNAL, "does not fit");
	work.jobs[0].alg = sigalg_by_name("rsa-sha256");
	CHECK_ERROR(token_sign(work.token, work.jobs, JOBS, 1, NULL, NULL),
	    CA_R_INTERNAL, "does not fit");
	CHECK(count_signed(&work) == 0);
	key_free(work.ec);
	key_free(work.rsa);
	token_logout(work.token);
	CHECK_ERROR(token_sign(work.token, work.jobs, JOBS, 1, NULL, NULL),
	    CA_R_INTERNAL, "nobody is logged in");
	close_token(work.token);
}

TEST(misuse)
{
	in_child(setup_keys, dir);
	in_child(refusals, dir);
}

/* ---- Signals stay with the caller's thread ---- */

static pthread_t caller;
static volatile sig_atomic_t elsewhere, arrived;

static void
on_signal(int number)
{
	(void)number;
	arrived = 1;
	if (!pthread_equal(pthread_self(), caller))
		elsewhere = 1;
}

static bool
send_signal(void *ctx)
{
	(void)ctx;
	CHECK(kill(getpid(), SIGTERM) == 0);
	return true;
}

static void
signals(const char *dir)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct work work;

	caller = pthread_self();
	CHECK(sigaction(SIGTERM, &action, NULL) == 0);
	work_open(dir, "", &work);
	CHECK(
	    token_sign(work.token, work.jobs, JOBS, 4, send_signal, NULL) == 0);
	CHECK(arrived == 1 && elsewhere == 0);
	work_close(&work);
}

TEST(signals_stay_here)
{
	in_child(setup_keys, dir);
	in_child(signals, dir);
}

/* ---- A pool that is fed ---- */

/* What is done with each job, counted by whichever thread does it. */
struct tally {
	pthread_mutex_t lock;
	size_t done, fail_at;
};

static int
tally_done(void *ctx, struct sign_job *job)
{
	struct tally *tally = ctx;
	bool fails;

	CHECK(job->signature_len != 0 && job->owner == tally);
	(void)pthread_mutex_lock(&tally->lock);
	fails = ++tally->done == tally->fail_at;
	(void)pthread_mutex_unlock(&tally->lock);
	return fails ? ca_error(CA_R_VERIFY, "it is not what was meant") : 0;
}

static struct sign_pool *
start_pool(struct work *work, struct tally *tally)
{
	const struct sign_work hooks = { .done = tally_done, .ctx = tally };
	struct sign_pool *pool = NULL;

	for (size_t i = 0; i < JOBS; i++)
		work->jobs[i].owner = tally;
	CHECK(sign_pool_start(work->token, threads, &hooks, &pool) == 0);
	return pool;
}

/* Batch by batch, each while the one before is signed; in their order. */
static void
fed(const char *dir)
{
	struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct work work;
	struct sign_pool *pool;
	size_t finished = 0;

	work_open(dir, "delay C_Sign 500\n", &work);
	pool = start_pool(&work, &tally);
	for (size_t at = 0; at < JOBS; at += 10)
		CHECK(sign_pool_add(pool, work.jobs + at, 10) == 0);
	for (size_t at = 10; at <= JOBS; at += 10) {
		while (sign_pool_wait(pool, at, 20, &finished) && finished < at)
			;
		CHECK(finished >= at);
		for (size_t i = 0; i < at; i++)
			CHECK(work.jobs[i].signature_len != 0);
	}
	CHECK(tally.done == JOBS);
	CHECK(sign_pool_end(pool) == 0);
	sign_pool_free(pool);
	work_close(&work);
}

TEST(pool_is_fed)
{
	in_child(setup_keys, dir);
	for (threads = 1; threads <= 4; threads++)
		in_child(fed, dir);
}

/* What was not begun says so, and nothing begins behind a stop. */
static void
stopped(const char *dir)
{
	struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct work work;
	struct sign_pool *pool;
	size_t finished = 0, begun = 0;

	work_open(dir, "delay C_Sign 5000\n", &work);
	pool = start_pool(&work, &tally);
	CHECK(sign_pool_add(pool, work.jobs, JOBS) == 0);
	CHECK(sign_pool_wait(pool, JOBS, 30, &finished));
	sign_pool_stop(pool);
	while (sign_pool_wait(pool, JOBS, 20, &finished))
		;
	CHECK(finished < JOBS);
	CHECK_ERROR(sign_pool_end(pool), CA_R_INTERRUPTED, "interrupted");
	for (size_t i = 0; i < JOBS; i++) {
		begun += work.jobs[i].begun;
		CHECK(work.jobs[i].begun == (work.jobs[i].signature_len != 0));
	}
	CHECK(begun == tally.done && begun > 0 && begun < JOBS);
	sign_pool_free(pool);
	work_close(&work);
}

TEST(pool_is_stopped)
{
	in_child(setup_keys, dir);
	for (threads = 1; threads <= 4; threads++)
		in_child(stopped, dir);
}

/* The hook's error is the caller's; no further job is begun. */
static void
refused_by_hook(const char *dir)
{
	struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.fail_at = 5 };
	struct work work;
	struct sign_pool *pool;
	size_t finished = 0;

	work_open(dir, "delay C_Sign 2000\n", &work);
	pool = start_pool(&work, &tally);
	CHECK(sign_pool_add(pool, work.jobs, JOBS) == 0);
	while (sign_pool_wait(pool, JOBS, 20, &finished))
		;
	CHECK_ERROR(
	    sign_pool_end(pool), CA_R_VERIFY, "it is not what was meant");
	CHECK(tally.done >= 5 && tally.done < 5 + 4 * threads);
	CHECK(count_signed(&work) == tally.done);
	sign_pool_free(pool);
	work_close(&work);
}

TEST(pool_hook_refuses)
{
	in_child(setup_keys, dir);
	for (threads = 1; threads <= 4; threads++)
		in_child(refused_by_hook, dir);
}

/* Freed in the middle, it ends by itself. */
static void
dropped(const char *dir)
{
	struct tally tally = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct work work;
	struct sign_pool *pool;

	work_open(dir, "delay C_Sign 2000\n", &work);
	pool = start_pool(&work, &tally);
	CHECK(sign_pool_add(pool, work.jobs, JOBS) == 0);
	sign_pool_free(pool);
	CHECK(count_signed(&work) < JOBS);
	work_close(&work);
}

TEST(pool_is_dropped)
{
	threads = 3;
	in_child(setup_keys, dir);
	in_child(dropped, dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order),
		cmocka_unit_test(threads_overlap),
		cmocka_unit_test(errors_stop_it),
		cmocka_unit_test(errors_are_carried),
		cmocka_unit_test(garbage_is_for_the_caller_to_find),
		cmocka_unit_test(interruption),
		cmocka_unit_test(misuse),
		cmocka_unit_test(signals_stay_here),
		cmocka_unit_test(pool_is_fed),
		cmocka_unit_test(pool_is_stopped),
		cmocka_unit_test(pool_hook_refuses),
		cmocka_unit_test(pool_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
