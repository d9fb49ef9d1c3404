#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/error.h"

#ifdef __SANITIZE_ADDRESS__
#include <inttypes.h>
#include <limits.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#endif

enum {
	HEAP_SIZE = 1 << 20,
	HEAP_LEAST = 1 << 16,
	HEAP_UNIT = 32,
	/* A terminal's longest line; what is behind it is not waited for. */
	DRAIN_MAX = 4096,
};

/* Beginnings of names in the environment that steer a library. */
static const char *const steering[] = {
	"CTLOG_FILE=",
	"GCONV_PATH=",
	"GETCONF_DIR=",
	"GLIBC_TUNABLES=",
	"HOSTALIASES=",
	"LD_",
	"LOCPATH=",
	"MALLOC_",
	"NLSPATH=",
	"OPENSSL_",
	"P11_",
	"PKCS11",
	"POPT",
	"QLOGDIR=",
	"RANDFILE=",
	"RES_OPTIONS=",
	"SOFTHSM",
	"SQLITE_",
	"SSLKEYLOGFILE=",
	"SSL_",
	"TZ=",
	"TZDIR=",
};

static bool
is_steering(const char *variable)
{
	for (size_t i = 0; i < sizeof steering / sizeof steering[0]; i++) {
		if (strncmp(variable, steering[i], strlen(steering[i])) == 0)
			return true;
	}
	return false;
}

static int
environment_unset(const char *variable)
{
	AUTO_CHARS(name) = strndup(variable, strcspn(variable, "="));

	if (name == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (unsetenv(name) != 0)
		return ca_error_errno(CA_R_INTERNAL,
		    "cannot remove '%s' from the environment", name);
	return 0;
}

static int
environment_clean(void)
{
	char **variable = environ;

	while (variable != NULL && *variable != NULL) {
		if (!is_steering(*variable)) {
			variable++;
			continue;
		}
		/* Closes the gap, so this place holds the next one. */
		if (environment_unset(*variable) != 0)
			return -1;
	}
	if (setenv("TZ", "UTC", 1) != 0)
		return ca_error(CA_R_MEMORY, "out of memory");
	tzset();
	return 0;
}

/*
 * A descriptor that the caller closed would be given to the next file, and
 * take our messages.  Each is opened the wrong way round, so that its use
 * still fails.
 */
static int
descriptors_open(void)
{
	static const int flags[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", flags[fd]) != fd)
			return ca_error_errno(
			    CA_R_IO, "cannot open '/dev/null'");
	}
	return 0;
}

static int
dumps_forbid(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return ca_error_errno(
		    CA_R_INTERNAL, "cannot forbid core dumps");
	return 0;
}

/* A power of two that may be locked, together with what else is. */
static size_t
heap_size(void)
{
	struct rlimit limit;
	size_t size = HEAP_SIZE;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 || geteuid() == 0)
		return size;
	if (limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	while (size > HEAP_LEAST && size > limit.rlim_cur)
		size /= 2;
	return size;
}

#ifdef __SANITIZE_ADDRESS__
/*
 * OpenSSL keeps its random generators in the secure heap.  LeakSanitizer does
 * not look there unless it is told to, and would take what they hold for lost.
 */
static void
heap_show_to_sanitizer(void)
{
	void *block = OPENSSL_secure_malloc(1);
	FILE *maps = fopen("/proc/self/maps", "re");
	uintptr_t begin, end;
	char line[PATH_MAX + 128];

	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR, &begin, &end) == 2 &&
		    begin <= (uintptr_t)block && (uintptr_t)block < end)
			__lsan_register_root_region(
			    (const void *)begin, end - begin);
	if (maps != NULL)
		(void)fclose(maps);
	OPENSSL_secure_free(block);
}
#else
static void
heap_show_to_sanitizer(void)
{
}
#endif

static int
heap_make(void)
{
	if (CRYPTO_secure_malloc_initialized() == 1)
		return 0;
	/* 2: made, but not locked. */
	if (CRYPTO_secure_malloc_init(heap_size(), HEAP_UNIT) == 1) {
		heap_show_to_sanitizer();
		return 0;
	}
	(void)CRYPTO_secure_malloc_done();
	return ca_error(CA_R_MEMORY,
	    "cannot lock memory for secrets: raise the limit of locked memory "
	    "('ulimit -l') to at least 1024 KiB");
}

int
process_harden(void)
{
	/*
	 * No clean-up at exit: a PKCS#11 module's destructors, which run
	 * later, call OpenSSL once more.
	 */
	const uint64_t options = OPENSSL_INIT_NO_LOAD_CONFIG |
	    OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_LOAD_CRYPTO_STRINGS;

	(void)umask(077);
	/* Before OpenSSL reads it, and so before any error is raised. */
	if (descriptors_open() != 0 || environment_clean() != 0 ||
	    dumps_forbid() != 0)
		return -1;
	if (OPENSSL_init_crypto(options, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "OpenSSL cannot be started");
	return heap_make();
}

int
secret_new(size_t len, struct secret *ret_secret)
{
	char *bytes;

	/* Else OpenSSL would give ordinary memory. */
	if (CRYPTO_secure_malloc_initialized() != 1)
		return ca_error(CA_R_INTERNAL,
		    "no secure heap: process_harden() must come first");
	if (len >= HEAP_SIZE ||
	    (bytes = OPENSSL_secure_zalloc(len + 1)) == NULL)
		return ca_error(
		    CA_R_MEMORY, "out of locked memory for secrets");
	*ret_secret = (struct secret){ .bytes = bytes, .len = len };
	return 0;
}

int
secret_copy(const void *bytes, size_t len, struct secret *ret_secret)
{
	struct secret copy = { 0 };

	if (secret_new(len, &copy) != 0)
		return -1;
	if (len != 0)
		memcpy(copy.bytes, bytes, len);
	*ret_secret = copy;
	return 0;
}

/* Read one byte: 1, 0 at the end of file, -1 with an error raised. */
static int
read_byte(int fd, const char *what, char *byte)
{
	ssize_t n = read(fd, byte, 1);

	if (n < 0 && errno == EINTR)
		return ca_error(
		    CA_R_INTERRUPTED, "interrupted at the %s", what);
	if (n < 0)
		return ca_error_errno(CA_R_IO, "cannot read the %s", what);
	return (int)n;
}

/* So that nobody takes the rest of a line for the next one. */
static void
drain_line(int fd)
{
	volatile char byte = 0;

	for (size_t i = 0; i < DRAIN_MAX && byte != '\n'; i++) {
		char next = 0;

		if (read(fd, &next, 1) != 1)
			break;
		byte = next;
		OPENSSL_cleanse(&next, 1);
	}
}

static int
line_refuse(int fd, const char *what, const char *why)
{
	drain_line(fd);
	return ca_error(CA_R_PIN, "the %s %s", what, why);
}

/* Fill `line`, whose len is its room, and set its length. */
static int
line_fill(int fd, const char *what, struct secret *line)
{
	size_t len = 0;

	for (;; len++) {
		/* The room ends in a NUL, which takes the newline. */
		char *byte = &line->bytes[len];
		int n = read_byte(fd, what, byte);

		if (n < 0)
			return -1;
		if (n == 0 || *byte == '\n')
			break;
		if (*byte == '\0')
			return line_refuse(fd, what, "contains a NUL byte");
		if (len == line->len)
			return line_refuse(fd, what, "is too long");
	}
	if (len == 0)
		return ca_error(CA_R_PIN, "the %s is empty", what);
	line->bytes[len] = '\0';
	line->len = len;
	return 0;
}

int
secret_read_line(
    int fd, size_t max, const char *what, struct secret *ret_secret)
{
	AUTO_STRUCT(secret) line = { 0 };

	if (secret_new(max, &line) != 0 || line_fill(fd, what, &line) != 0)
		return -1;
	*ret_secret = line;
	line = (struct secret){ 0 };
	return 0;
}

void
secret_clear(struct secret *secret)
{
	/* Wipes the whole block, whatever the length says. */
	OPENSSL_secure_clear_free(secret->bytes, secret->len);
	*secret = (struct secret){ 0 };
}
