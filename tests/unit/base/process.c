/* Programs that nobody trusts: limits, what they get, what they leave. */
#include "base/process.h"

#include <signal.h>

#include "support.h"

/* The directory in which a test runs. */
static int
here(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static const struct process_limits generous = { 20000, 1 << 16,
	(uint64_t)4 << 30 };

static void
write_script(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0700);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

/* The result of a shell script, whose first argument is "one". */
static void
run_script(const char *text, const struct process_limits *limits,
    struct process_result *ret_result)
{
	const char *const argv[] = { "script", "one", NULL };
	AUTO_STRUCT(program) program = { .fd = 0 };
	char path[4096];

	write_script("script.sh", text);
	assert_non_null(realpath("script.sh", path));
	assert_ok(program_open(path, &program));
	assert_ok(unlink("script.sh"));
	assert_ok(process_run(&program, here(), argv, limits, ret_result));
}

static void
assert_output(const struct process_result *result, const char *text)
{
	assert_int_equal(result->end, PROCESS_EXITED);
	assert_int_equal(result->output_len, strlen(text));
	assert_memory_equal(result->output, text, strlen(text));
}

static void
test_runs(void **state)
{
	AUTO_STRUCT(process_result) result = { 0 };

	(void)state;
	run_script("#!/bin/sh\necho \"$1\"; exit 3\n", &generous, &result);
	assert_output(&result, "one\n");
	assert_int_equal(result.status, 3);
}

/* What was hashed runs, whatever is at the path later. */
static void
test_sealed(void **state)
{
	const char *const argv[] = { "script", NULL };
	AUTO_STRUCT(program) program = { .fd = 0 };
	AUTO_STRUCT(process_result) result = { 0 };
	char path[4096];

	(void)state;
	write_script("swap.sh", "#!/bin/sh\necho first\n");
	assert_non_null(realpath("swap.sh", path));
	assert_ok(program_open(path, &program));
	write_script("swap.sh", "#!/bin/sh\necho second\n");
	assert_int_equal(write(program.fd, "x", 1), -1);
	assert_ok(process_run(&program, here(), argv, &generous, &result));
	assert_output(&result, "first\n");
	assert_ok(unlink("swap.sh"));
}

/* No environment but ours, no descriptor but four, no terminal. */
static void
test_bare(void **state)
{
	AUTO_STRUCT(process_result) result = { 0 };
	const int extra = 7; /* without O_CLOEXEC */

	(void)state;
	assert_int_equal(dup2(here(), extra), extra);
	assert_ok(setenv("SECRET_OF_OURS", "1", 1));
	run_script("#!/bin/sh\n"
		   "[ -z \"$SECRET_OF_OURS\" ] || echo environment\n"
		   "for n in 4 5 6 7 8 9 10 11 12; do\n"
		   "  [ -e /proc/$$/fd/$n ] && [ $n -ne 10 ] && echo fd $n\n"
		   "done\n"
		   "read line && echo input\n"
		   "grep -q 'NoNewPrivs:.1' /proc/self/status || echo privs\n"
		   "exit 0\n",
	    &generous, &result);
	assert_output(&result, "");
	(void)close(extra);
}

static void
test_killed(void **state)
{
	AUTO_STRUCT(process_result) result = { 0 };

	(void)state;
	run_script("#!/bin/sh\nkill -SEGV $$\n", &generous, &result);
	assert_int_equal(result.end, PROCESS_KILLED);
	assert_int_equal(result.status, SIGSEGV);
}

/* With what it started: a child that holds the pipe open is killed as well. */
static void
test_timeout(void **state)
{
	const struct process_limits short_time = { 300, 1 << 16,
		(uint64_t)4 << 30 };
	AUTO_STRUCT(process_result) result = { 0 };
	AUTO_STRUCT(process_result) closed = { 0 };

	(void)state;
	run_script(
	    "#!/bin/sh\nsleep 1000 &\nsleep 1000\n", &short_time, &result);
	assert_int_equal(result.end, PROCESS_TIMEOUT);
	/* One that closes its output and goes on. */
	run_script("#!/bin/sh\nexec >&-\nsleep 1000\n", &short_time, &closed);
	assert_int_equal(closed.end, PROCESS_TIMEOUT);
}

static void
test_flood(void **state)
{
	AUTO_STRUCT(process_result) result = { 0 };

	(void)state;
	run_script("#!/bin/sh\nexec yes\n", &generous, &result);
	assert_int_equal(result.end, PROCESS_FLOODED);
	assert_int_equal(result.output_len, generous.output_max);
}

static void
test_refused(void **state)
{
	const char *const argv[] = { "x", NULL };
	AUTO_STRUCT(program) program = { .fd = 0 };
	AUTO_STRUCT(process_result) result = { 0 };
	char path[4096];

	(void)state;
	assert_refused(CA_R_INPUT, program_open("relative", &program));
	assert_refused(CA_R_MISSING, program_open("/nonexistent", &program));
	assert_refused(CA_R_INPUT, program_open("/dev/null", &program));
	/* Octets that are no program. */
	write_script("noise", "this is no program");
	assert_non_null(realpath("noise", path));
	assert_ok(program_open(path, &program));
	assert_ok(process_run(&program, here(), argv, &generous, &result));
	assert_int_equal(result.end, PROCESS_EXITED);
	assert_int_equal(result.status, 127);
	assert_ok(unlink("noise"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
