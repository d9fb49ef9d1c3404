#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <openssl/rand.h>

static void
show_error(void *ctx, size_t depth, const char *text, const char *origin)
{
	(void)ctx;
	fprintf(stderr, "  error %zu: %s (%s)\n", depth, text, origin);
}

void
check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	ca_error_drain(show_error, NULL);
	(void)fflush(NULL);
	_exit(1);
}

struct texts {
	char all[8192];
};

static void
collect(void *ctx, size_t depth, const char *text, const char *origin)
{
	struct texts *texts = ctx;
	size_t used = strlen(texts->all);

	(void)depth;
	(void)origin;
	(void)snprintf(
	    texts->all + used, sizeof(texts->all) - used, "%s\n", text);
}

void
check_error(const char *file, int line, enum ca_reason reason, const char *part)
{
	struct texts texts = { "" };
	int found = ca_error_reason();

	ca_error_drain(collect, &texts);
	if (found == (int)reason && strstr(texts.all, part) != NULL &&
	    strchr(texts.all, '\033') == NULL)
		return;
	fprintf(stderr, "%s:%d: reason %d, not %d with '%s':\n%s", file, line,
	    found, (int)reason, part, texts.all);
	_exit(1);
}

bool
has_finding(const struct findings *findings, const char *id)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->rows[i].id, id) == 0)
			return true;
	return false;
}

int
child_status(void (*body)(const char *dir), const char *dir)
{
	int status = 0;
	pid_t child = 0;

	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		/* Without which secrets have no home. */
		(void)CRYPTO_secure_malloc_init(1 << 17, 32);
		body(dir);
		exit(0); /* not _exit(): leaks are looked for */
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	return status;
}

void
in_child(void (*body)(const char *dir), const char *dir)
{
	CHECK(child_status(body, dir) == 0);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
test_in_child(void (*body)(const char *dir))
{
	char name[] = "pkcs11-test-XXXXXX";
	char path[PATH_MAX];
	int status = 0;

	assert_non_null(mkdtemp(name));
	assert_non_null(realpath(name, path));
	status = child_status(body, path);
	(void)nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(status, 0);
}

struct secret
secret_of(const char *text)
{
	struct secret secret = { 0 };

	CHECK(secret_copy(text, strlen(text), &secret) == 0);
	return secret;
}

const char *
in_dir(const char *dir, const char *name)
{
	enum { COUNT = 16 };
	static char paths[COUNT][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % COUNT];

	CHECK(snprintf(path, PATH_MAX, "%s/%s", dir, name) < PATH_MAX);
	return path;
}

void
write_file(const char *path, const void *data, size_t len)
{
	AUTO_FD(fd) =
	    open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, data, len) == (ssize_t)len);
}

unsigned char *
read_file(const char *path, size_t *ret_len)
{
	enum { MAX = 1 << 22 };
	AUTO(FILE) *file = fopen(path, "re");
	unsigned char *data = malloc(MAX);

	CHECK(file != NULL && data != NULL);
	*ret_len = fread(data, 1, MAX, file);
	CHECK(*ret_len < MAX);
	return data;
}

size_t
count_lines(const char *path, const char *prefix)
{
	AUTO(FILE) *file = fopen(path, "re");
	AUTO_CHARS(line) = NULL;
	size_t size = 0, count = 0;

	while (file != NULL && getline(&line, &size, file) >= 0)
		if (strncmp(line, prefix, strlen(prefix)) == 0)
			count++;
	return count;
}

const char *
token_object(const char *dir)
{
	static char path[PATH_MAX];
	struct dirent *entry = NULL;
	DIR *tokens = opendir(in_dir(dir, "tokens"));

	CHECK(tokens != NULL);
	while ((entry = readdir(tokens)) != NULL)
		if (entry->d_name[0] != '.')
			CHECK(snprintf(path, sizeof(path),
				  "%s/tokens/%s/token.object", dir,
				  entry->d_name) < PATH_MAX);
	(void)closedir(tokens);
	return path;
}

struct module *
open_embedded(const char *dir)
{
	struct module *module = NULL;
	bool restored = true;

	CHECK(module_open_embedded(dir, &module, &restored) == 0);
	CHECK(!restored);
	return module;
}

struct token *
make_token(struct module *module, const char *label)
{
	AUTO_STRUCT(secret) user = secret_of(USER_PIN);
	AUTO_STRUCT(secret) so = secret_of(SO_PIN);
	struct token *token = NULL;

	CHECK(token_find_blank(module, NULL, &token) == 0);
	CHECK(token_initialise(token, label, &so) == 0);
	CHECK(token_set_user_pin(token, &so, &user) == 0);
	return token;
}

void
must_login(struct token *token)
{
	AUTO_STRUCT(secret) pin = secret_of(USER_PIN);

	CHECK(token_login(token, &pin) == 0);
}

void
close_token(struct token *token)
{
	struct module *module = token->module;

	token_free(token);
	module_free(module);
}

void
setup_token(const char *dir)
{
	close_token(make_token(open_embedded(dir), "ca"));
}

struct module *
open_shim(const char *dir, const char *orders)
{
	struct module *module = NULL;
	const char *path = in_dir(dir, "orders");

	write_file(path, orders, strlen(orders));
	CHECK(setenv("CA_SHIM_MODULE", softhsm_library(), 1) == 0);
	CHECK(setenv("CA_SHIM_SOFTHSM2_CONF", in_dir(dir, "softhsm2.conf"),
		  1) == 0);
	CHECK(setenv("CA_SHIM_ORDERS", path, 1) == 0);
	CHECK(module_open(SHIM_PATH, &module) == 0);
	return module;
}

struct token *
shim_login(const char *dir, const char *orders)
{
	struct token *token = NULL;

	CHECK(token_find(open_shim(dir, orders), "ca", NULL, &token) == 0);
	must_login(token);
	return token;
}

struct key *
make_key(struct token *token, const char *type, const char *label,
    unsigned char ret_id[KEY_ID_LEN])
{
	struct key *key = NULL;

	CHECK(RAND_bytes(ret_id, KEY_ID_LEN) == 1);
	CHECK(key_generate(
		  token, key_type_by_name(type), label, ret_id, &key) == 0);
	return key;
}
