#include "base/secret.h"

#include <sys/resource.h>
#include <time.h>

#include <openssl/crypto.h>

#include "support.h"

/* Each test runs in a child: hardening changes the process for good. */
static void
harden_all(void *arg)
{
	struct rlimit limit;
	struct tm tm;
	time_t zero = 0;

	(void)arg;
	(void)umask(022);
	CHECK(setenv("TZ", "America/New_York", 1) == 0);
	tzset();
	CHECK(process_harden() == 0);
	CHECK(umask(0) == 077);
	CHECK(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
	CHECK(limit.rlim_cur == 0 && limit.rlim_max == 0);
	CHECK(strcmp(getenv("TZ"), "UTC") == 0);
	CHECK(localtime_r(&zero, &tm) != NULL && tm.tm_hour == 0);
	CHECK(CRYPTO_secure_malloc_initialized() == 1);
	/* Again: nothing to do, and no failure. */
	CHECK(process_harden() == 0);
}

static void
harden_environment(void *arg)
{
	static const char *const gone[] = { "OPENSSL_CONF", "OPENSSL_MODULES",
		"OPENSSL_ENGINES", "OPENSSL_ia32cap", "SSLKEYLOGFILE",
		"SSL_CERT_FILE", "SSL_CERT_DIR", "RANDFILE", "CTLOG_FILE",
		"SOFTHSM2_CONF", "P11_KIT_SERVER_ADDRESS", "P11_KIT_DEBUG",
		"PKCS11_MODULE_PATH", "PKCS11_PIN", "PKCS11SPY", "POPT_ALIASES",
		"LD_LIBRARY_PATH", "LD_BIND_NOW", "GLIBC_TUNABLES",
		"MALLOC_TRACE", "SQLITE_TMPDIR", "TZDIR" };
	static const char *const stay[] = { "PATH", "HOME", "TERM", "LANG",
		"MY_OPENSSL_CONF", "TZX", "NO_COLOR" };

	(void)arg;
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		CHECK(setenv(gone[i], "/evil", 1) == 0);
	for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
		CHECK(setenv(stay[i], "kept", 1) == 0);
	CHECK(process_harden() == 0);
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		CHECK(getenv(gone[i]) == NULL);
	for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++)
		CHECK(strcmp(getenv(stay[i]), "kept") == 0);
}

/* A configuration file that would fail OpenSSL's start is not read. */
static void
harden_configuration(void *arg)
{
	FILE *file = fopen("evil-openssl.cnf", "w");

	(void)arg;
	CHECK(file != NULL);
	CHECK(fputs("openssl_conf = init\n[init]\nproviders = p\n[p]\n"
		    "default = d\n[d]\nactivate = 0\nlegacy = d\n"
		    "[broken\n",
		  file) >= 0);
	CHECK(fclose(file) == 0);
	CHECK(setenv("OPENSSL_CONF", "evil-openssl.cnf", 1) == 0);
	CHECK(process_harden() == 0);
	CHECK(EVP_Q_digest(NULL, "SHA256", NULL, "", 0,
		  (unsigned char[32]){ 0 }, NULL) == 1);
	CHECK(ca_error_reason() == 0);
	CHECK(unlink("evil-openssl.cnf") == 0);
}

/* Closed descriptors are taken, the wrong way round. */
static void
harden_descriptors(void *arg)
{
	int saved = fcntl(2, F_DUPFD_CLOEXEC, 10), opened;
	int failed = 0;
	char byte = 0;

	(void)arg;
	(void)close(0);
	(void)close(1);
	(void)close(2);
	failed |= process_harden() != 0;
	failed |= read(0, &byte, 1) != -1 || errno != EBADF;
	failed |= write(1, "x", 1) != -1 || errno != EBADF;
	failed |= write(2, "x", 1) != -1 || errno != EBADF;
	opened = open("/dev/null", O_RDONLY);
	(void)dup2(saved, 2);
	CHECK(failed == 0);
	CHECK(opened > 2);
}

/* Memory that cannot be locked is no place for secrets. */
static void
harden_without_locking(void *arg)
{
	(void)arg;
	syscall_fails(SYS_mlock2, EPERM);
	syscall_fails(SYS_mlock, EPERM);
	CHECK(process_harden() == -1);
	CHECK(ca_error_reason() == CA_R_MEMORY);
	CHECK(CRYPTO_secure_malloc_initialized() == 0);
}

static void
harden_without_dumps(void *arg)
{
	(void)arg;
	syscall_fails(SYS_prlimit64, EPERM);
	CHECK(process_harden() == -1);
	CHECK(ca_error_reason() == CA_R_INTERNAL);
}

static void
heap_must_exist(void *arg)
{
	struct secret secret = { 0 };

	(void)arg;
	CHECK(secret_new(8, &secret) == -1);
	CHECK(ca_error_reason() == CA_R_INTERNAL);
	CHECK(secret_copy("x", 1, &secret) == -1);
	CHECK(secret.bytes == NULL);
}

static void
new_and_clear(void *arg)
{
	struct secret secret = { 0 };
	const char *where;

	(void)arg;
	CHECK(process_harden() == 0);
	secret_clear(&secret);
	CHECK(secret_new(20, &secret) == 0);
	CHECK(secret.len == 20);
	for (size_t i = 0; i <= 20; i++)
		CHECK(secret.bytes[i] == 0);
	CHECK(CRYPTO_secure_allocated(secret.bytes) == 1);
	memcpy(secret.bytes, "0123456789abcdefghij", 20);
	where = secret.bytes;
	secret_clear(&secret);
	CHECK(secret.bytes == NULL && secret.len == 0);
	CHECK(CRYPTO_secure_used() == 0);
	/* Free, but still mapped: the heap keeps its own list at the head. */
	CHECK(memcmp(where + 16, "\0\0\0\0", 4) == 0);
}

static void
new_too_large(void *arg)
{
	struct secret secret = { 0 };

	(void)arg;
	CHECK(process_harden() == 0);
	CHECK(secret_new(1 << 20, &secret) == -1);
	CHECK(ca_error_reason() == CA_R_MEMORY);
	ca_error_clear();
	CHECK(secret_new(SIZE_MAX, &secret) == -1);
	CHECK(ca_error_reason() == CA_R_MEMORY);
	CHECK(secret.bytes == NULL);
}

static void
copy(void *arg)
{
	struct secret secret = { 0 };

	(void)arg;
	CHECK(process_harden() == 0);
	CHECK(secret_copy("pin\0x", 5, &secret) == 0);
	CHECK(secret.len == 5 && memcmp(secret.bytes, "pin\0x\0", 6) == 0);
	CHECK(CRYPTO_secure_allocated(secret.bytes) == 1);
	secret_clear(&secret);
	CHECK(secret_copy(NULL, 0, &secret) == 0);
	CHECK(secret.len == 0 && secret.bytes[0] == '\0');
	secret_clear(&secret);
}

/* A pipe that holds `len` bytes and ends, or stays open. */
static int
pipe_with(const char *bytes, size_t len)
{
	int ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], bytes, len) == (ssize_t)len);
	CHECK(close(ends[1]) == 0);
	return ends[0];
}

static void
read_lines(void *arg)
{
	struct secret secret = { 0 };
	int fd = pipe_with("first\nsecond \r\n12345678\nlast", 28);

	(void)arg;
	CHECK(process_harden() == 0);
	CHECK(secret_read_line(fd, 8, "user PIN", &secret) == 0);
	CHECK(secret.len == 5 && strcmp(secret.bytes, "first") == 0);
	CHECK(CRYPTO_secure_allocated(secret.bytes) == 1);
	secret_clear(&secret);
	CHECK(secret_read_line(fd, 8, "user PIN", &secret) == 0);
	CHECK(strcmp(secret.bytes, "second \r") == 0);
	secret_clear(&secret);
	/* As long as it may be. */
	CHECK(secret_read_line(fd, 8, "user PIN", &secret) == 0);
	CHECK(secret.len == 8 && strcmp(secret.bytes, "12345678") == 0);
	secret_clear(&secret);
	/* The last line may end with the file. */
	CHECK(secret_read_line(fd, 8, "user PIN", &secret) == 0);
	CHECK(strcmp(secret.bytes, "last") == 0);
	secret_clear(&secret);
	CHECK(secret_read_line(fd, 8, "user PIN", &secret) == -1);
	CHECK(ca_error_reason() == CA_R_PIN);
	CHECK(secret.bytes == NULL && CRYPTO_secure_used() == 0);
}

static void
keep_text(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)origin;
	if (depth == 0)
		(void)snprintf(ctx, 256, "%s", text);
}

static void
read_refusals(void *arg)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *text;
	} rows[] = {
		{ "\nnext\n", 6, "the user PIN is empty" },
		{ "123456789\nnext\n", 15, "the user PIN is too long" },
		{ "12\0"
		  "34\nnext\n",
		    11, "the user PIN contains a NUL byte" },
		{ "\0\nnext\n", 7, "the user PIN contains a NUL byte" },
	};

	(void)arg;
	CHECK(process_harden() == 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct secret secret = { 0 };
		int fd = pipe_with(rows[i].bytes, rows[i].len);
		char text[256] = "";

		CHECK(secret_read_line(fd, 8, "user PIN", &secret) == -1);
		CHECK(ca_error_reason() == CA_R_PIN);
		ca_error_drain(keep_text, text);
		CHECK(strcmp(text, rows[i].text) == 0);
		CHECK(secret.bytes == NULL);
		CHECK(CRYPTO_secure_used() == 0);
		/* No piece of the refused line is taken for the next. */
		CHECK(secret_read_line(fd, 8, "user PIN", &secret) == 0);
		CHECK(strcmp(secret.bytes, "next") == 0);
		secret_clear(&secret);
		CHECK(close(fd) == 0);
	}
}

static void
read_endless(void *arg)
{
	struct secret secret = { 0 };
	int ends[2];
	static char line[8192];

	(void)arg;
	CHECK(process_harden() == 0);
	CHECK(pipe(ends) == 0);
	memset(line, 'x', sizeof line);
	CHECK(write(ends[1], line, sizeof line) == sizeof line);
	/* The writer stays: who waited for the newline would wait for ever. */
	(void)alarm(10);
	CHECK(secret_read_line(ends[0], 255, "PIN", &secret) == -1);
	CHECK(ca_error_reason() == CA_R_PIN);
	CHECK(secret_read_line(-1, 255, "PIN", &secret) == -1);
	CHECK(ca_error_reason() == CA_R_IO);
	CHECK(CRYPTO_secure_used() == 0);
}

static void
on_alarm(int number)
{
	(void)number;
}

static void
read_interrupted(void *arg)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct secret secret = { 0 };
	int ends[2];

	(void)arg;
	CHECK(process_harden() == 0);
	CHECK(pipe(ends) == 0);
	CHECK(write(ends[1], "123", 3) == 3);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	(void)alarm(1);
	CHECK(secret_read_line(ends[0], 255, "PIN", &secret) == -1);
	CHECK(ca_error_reason() == CA_R_INTERRUPTED);
	CHECK(secret.bytes == NULL && CRYPTO_secure_used() == 0);
}

/* What could not be kept safely is not read at all. */
static void
read_without_heap(void *arg)
{
	struct secret secret = { 0 };
	int fd = pipe_with("1234\n", 5);
	char byte = 0;

	(void)arg;
	CHECK(secret_read_line(fd, 8, "PIN", &secret) == -1);
	CHECK(ca_error_reason() == CA_R_INTERNAL);
	CHECK(read(fd, &byte, 1) == 1 && byte == '1');
}

#define TEST(body)                            \
	static void test_##body(void **state) \
	{                                     \
		(void)state;                  \
		in_child(body, NULL);         \
	}

TEST(harden_all)
TEST(harden_environment)
TEST(harden_configuration)
TEST(harden_descriptors)
TEST(harden_without_locking)
TEST(harden_without_dumps)
TEST(heap_must_exist)
TEST(new_and_clear)
TEST(new_too_large)
TEST(copy)
TEST(read_lines)
TEST(read_refusals)
TEST(read_endless)
TEST(read_interrupted)
TEST(read_without_heap)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harden_all),
		cmocka_unit_test(test_harden_environment),
		cmocka_unit_test(test_harden_configuration),
		cmocka_unit_test(test_harden_descriptors),
		cmocka_unit_test(test_harden_without_locking),
		cmocka_unit_test(test_harden_without_dumps),
		cmocka_unit_test(test_heap_must_exist),
		cmocka_unit_test(test_new_and_clear),
		cmocka_unit_test(test_new_too_large),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_read_lines),
		cmocka_unit_test(test_read_refusals),
		cmocka_unit_test(test_read_endless),
		cmocka_unit_test(test_read_interrupted),
		cmocka_unit_test(test_read_without_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
