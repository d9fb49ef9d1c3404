/*
 * The embedded SoftHSM: its configuration, and the guard of token.object.
 *
 * SoftHSM rewrites token.object at every login and PIN change: it truncates
 * the file, then writes it, without a sync.  Cut in between, the token counts
 * as uninitialised and its keys are out of reach.  So a synced copy is kept in
 * guard/ before, and put back at the next open.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "pkcs11/raw.h"

#define CONF "softhsm2.conf"
#define OBJECT "token.object"
#define OBJECT_SUFFIX ".object"

enum {
	OBJECT_MAX = 1 << 16, /* octets of a token.object; real ones: 320 */
	SPACE_MIN = 1 << 20,  /* octets free, or nothing is begun */
	CONF_LINE_MAX = 1000, /* SoftHSM reads lines of 1,023 */
	WRECK_MAX = 256,      /* octets of an object that has no class yet */
	TREE_DEPTH_MAX = 4,
	GENERATION_LEN = 8, /* a counter before the attributes, which each
			       change of the object advances */
};

/* SoftHSM's own attributes of a token, by their distance from the first. */
static const uint64_t attr_first = 0x80005349;

enum {
	ATTR_LABEL,
	ATTR_SERIAL,
	ATTR_FLAGS,
	ATTR_SO_PIN,
	ATTR_USER_PIN,
	ATTR_COUNT,
};

/* The kinds of values on disk. */
enum {
	VALUE_BOOL = 1,
	VALUE_ULONG = 2,
	VALUE_BYTES = 3,
};

/* One token's directory, tokens/NAME, and the guard's file for it. */
struct place {
	const char *dir; /* the embedded directory, for messages */
	const char *name;
	int token_fd;
	int guard_fd;
	char guard_name[NAME_MAX + 1];
};

const char *
softhsm_library(void)
{
	static const char *const paths[] = {
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
		"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], R_OK) == 0)
			return paths[i];
	return NULL;
}

/* A cursor over an object file: big-endian, 64 bits each. */
struct cursor {
	const unsigned char *p;
	size_t left;
};

static bool
take_u64(struct cursor *cursor, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (cursor->left < 8)
		return false;
	for (size_t i = 0; i < 8; i++)
		value = value << 8 | cursor->p[i];
	cursor->p += 8;
	cursor->left -= 8;
	*ret_value = value;
	return true;
}

static bool
skip(struct cursor *cursor, uint64_t len)
{
	if (len > cursor->left)
		return false;
	cursor->p += len;
	cursor->left -= (size_t)len;
	return true;
}

/* Step over one attribute; *value is its number, or its length in octets. */
static bool
take_attribute(struct cursor *cursor, uint64_t *type, uint64_t *value)
{
	uint64_t kind = 0;

	if (!take_u64(cursor, type) || !take_u64(cursor, &kind))
		return false;
	*value = 1;
	switch (kind) {
	case VALUE_BOOL:
		return skip(cursor, 1);
	case VALUE_ULONG:
		return take_u64(cursor, value);
	case VALUE_BYTES:
		return take_u64(cursor, value) && skip(cursor, *value);
	default:
		return false;
	}
}

/*
 * Is this a whole token.object?  A kill in the middle of its write may leave
 * any prefix, so it must parse to its end exactly and hold all that a token
 * needs: the PIN's attribute comes last, and the flags before it say whether
 * it must be there.
 */
static bool
object_is_whole(const unsigned char *data, size_t len)
{
	struct cursor cursor = { data, len };
	uint64_t values[ATTR_COUNT] = { 0 };
	uint64_t generation = 0, type = 0, value = 0;

	if (!take_u64(&cursor, &generation))
		return false;
	while (cursor.left > 0) {
		if (!take_attribute(&cursor, &type, &value))
			return false;
		if (type >= attr_first && type - attr_first < ATTR_COUNT)
			values[type - attr_first] = value;
	}
	if (values[ATTR_LABEL] == 0 || values[ATTR_SERIAL] == 0 ||
	    values[ATTR_FLAGS] == 0 || values[ATTR_SO_PIN] == 0)
		return false;
	return (values[ATTR_FLAGS] & CKF_USER_PIN_INITIALIZED) == 0 ||
	    values[ATTR_USER_PIN] != 0;
}

/* 1 and its bytes: whole; 0: missing or damaged; -1: cannot be read. */
static int
read_object(
    int dirfd, const char *name, unsigned char **ret_data, size_t *ret_len)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	int there = file_exists_at(dirfd, name);

	if (there <= 0)
		return there;
	if (file_read_at(dirfd, name, OBJECT_MAX, &data, &len) != 0)
		return -1;
	if (!object_is_whole(data, len))
		return 0;
	*ret_data = TAKE(data);
	*ret_len = len;
	return 1;
}

/* Copy token.object to the guard, unless the guard would serve as well. */
static int
guard_token(const struct place *place, void *always)
{
	AUTO_BYTES(object) = NULL;
	AUTO_BYTES(guard) = NULL;
	size_t object_len = 0, guard_len = 0;
	int whole = read_object(place->token_fd, OBJECT, &object, &object_len);

	if (whole < 0)
		return -1;
	if (whole == 0)
		return ca_error(CA_R_TOKEN,
		    "'%s/tokens/%s/" OBJECT "' is damaged; nothing was "
		    "begun; run the command again to restore it",
		    place->dir, place->name);
	whole =
	    read_object(place->guard_fd, place->guard_name, &guard, &guard_len);
	if (whole < 0)
		return -1;
	if (always == NULL && whole == 1 && guard_len == object_len &&
	    memcmp(guard + GENERATION_LEN, object + GENERATION_LEN,
		object_len - GENERATION_LEN) == 0)
		return 0;
	return file_copy_at(
	    place->token_fd, OBJECT, place->guard_fd, place->guard_name, 0600);
}

static bool
has_suffix(const char *name, const char *suffix)
{
	size_t len = strlen(name), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* Visit the entries of a directory, but for "." and "..". */
static int
each_entry(int dirfd, const char *what,
    int (*visit)(int dirfd, const char *name, void *ctx), void *ctx)
{
	struct dirent *entry = NULL;
	DIR *dir = NULL;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result = 0;

	if (fd < 0 || (dir = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return ca_error_errno(CA_R_IO, "cannot read '%s'", what);
	}
	for (errno = 0; result == 0 && (entry = readdir(dir)) != NULL;
	     errno = 0)
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			result = visit(dirfd, entry->d_name, ctx);
	if (result == 0 && errno != 0)
		result = ca_error_errno(CA_R_IO, "cannot read '%s'", what);
	(void)closedir(dir);
	return result;
}

struct each_token {
	const char *dir;
	int guard_fd;
	int (*visit)(const struct place *place, void *ctx);
	void *ctx;
};

static int
visit_token_dir(int dirfd, const char *name, void *ctx)
{
	struct each_token *each = ctx;
	struct place place = {
		.dir = each->dir, .name = name, .guard_fd = each->guard_fd
	};
	AUTO_FD(token_fd) = -1;
	struct stat st;
	int len = 0;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot read '%s/tokens/%s'", each->dir, name);
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (dir_open_at(dirfd, name, &token_fd) != 0)
		return -1;
	len = snprintf(place.guard_name, sizeof(place.guard_name),
	    "%s" OBJECT_SUFFIX, name);
	if (len < 0 || (size_t)len >= sizeof(place.guard_name))
		return ca_error(CA_R_CORRUPT,
		    "'%s/tokens/%s' is no token's name", each->dir, name);
	place.token_fd = token_fd;
	return each->visit(&place, each->ctx);
}

/* Call visit() for each token's directory; both directories are made. */
static int
each_token(const char *dir, int (*visit)(const struct place *place, void *ctx),
    void *ctx)
{
	AUTO_FD(dirfd) = -1;
	AUTO_FD(tokens_fd) = -1;
	AUTO_FD(guard_fd) = -1;
	struct each_token each = { .dir = dir, .visit = visit, .ctx = ctx };

	if (dir_open(dir, &dirfd) != 0 ||
	    dir_make_at(dirfd, "tokens", 0700, &tokens_fd) != 0 ||
	    dir_make_at(dirfd, "guard", 0700, &guard_fd) != 0)
		return -1;
	each.guard_fd = guard_fd;
	return each_entry(tokens_fd, dir, visit_token_dir, &each);
}

/*
 * A cut key generation leaves object files that are empty or have no class
 * yet: no search by class finds them, so nobody could destroy them.  A file
 * that does not parse is left alone.
 */
static bool
has_no_class(const unsigned char *data, size_t len)
{
	struct cursor cursor = { data, len };
	uint64_t generation = 0, type = 0, value = 0;

	if (len == 0)
		return true;
	if (!take_u64(&cursor, &generation))
		return false;
	while (cursor.left > 0)
		if (!take_attribute(&cursor, &type, &value) ||
		    type == CKA_CLASS)
			return false;
	return true;
}

static int
sweep_entry(int dirfd, const char *name, void *ctx)
{
	AUTO_BYTES(data) = NULL;
	char lock[NAME_MAX + 1];
	struct stat st;
	size_t len = 0;

	(void)ctx;
	if (!has_suffix(name, OBJECT_SUFFIX) || strcmp(name, OBJECT) == 0 ||
	    fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode) || st.st_size > WRECK_MAX)
		return 0;
	if (file_read_at(dirfd, name, WRECK_MAX, &data, &len) != 0)
		return -1;
	if (!has_no_class(data, len))
		return 0;
	(void)snprintf(lock, sizeof(lock), "%.*s.lock",
	    (int)(strlen(name) - strlen(OBJECT_SUFFIX)), name);
	if (file_remove_at(dirfd, lock) != 0)
		return -1;
	return file_remove_at(dirfd, name);
}

static int
restore_token(const struct place *place, void *restored)
{
	AUTO_BYTES(object) = NULL;
	AUTO_BYTES(guard) = NULL;
	size_t len = 0;
	int whole = read_object(place->token_fd, OBJECT, &object, &len);

	if (whole < 0 || dir_sweep(place->token_fd) != 0 ||
	    dir_sweep(place->guard_fd) != 0)
		return -1;
	if (whole == 1)
		return each_entry(
		    place->token_fd, place->name, sweep_entry, NULL);
	whole = read_object(place->guard_fd, place->guard_name, &guard, &len);
	if (whole < 0)
		return -1;
	if (whole == 0)
		return ca_error(CA_R_TOKEN,
		    "'%s/tokens/%s/" OBJECT "' is damaged and there is no "
		    "copy in '%s/guard'; restore a backup of the directory",
		    place->dir, place->name, place->dir);
	if (file_copy_at(place->guard_fd, place->guard_name, place->token_fd,
		OBJECT, 0600) != 0)
		return -1;
	*(bool *)restored = true;
	return each_entry(place->token_fd, place->name, sweep_entry, NULL);
}

/* ---- The guard around logins, PIN changes and key generation ---- */

static int
check_space(const char *dir)
{
	AUTO_FD(fd) = -1;

	if (dir_open(dir, &fd) != 0)
		return -1;
	return file_space_check(fd, SPACE_MIN, dir);
}

int
guard_begin(const struct module *module, struct guard *ret_guard)
{
	AUTO_STRUCT(guard) guard = { 0 };
	sigset_t all;

	if (module->embedded_dir == NULL) {
		*ret_guard = guard;
		return 0;
	}
	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_BLOCK, &all, &guard.signals) != 0)
		return ca_error(CA_R_INTERNAL, "signals cannot be blocked");
	guard.module = module;
	if (check_space(module->embedded_dir) != 0 ||
	    each_token(module->embedded_dir, guard_token, NULL) != 0)
		return -1;
	*ret_guard = guard;
	guard.module = NULL;
	return 0;
}

static int
sync_entry(int dirfd, const char *name, void *ctx)
{
	AUTO_FD(fd) = -1;

	(void)ctx;
	if (!has_suffix(name, OBJECT_SUFFIX))
		return 0;
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return ca_error_errno(CA_R_IO, "cannot open '%s'", name);
	return file_sync(fd, name);
}

static int
sync_token(const struct place *place, void *kind)
{
	int result = *(enum guard_kind *)kind == GUARD_KEYS
	    ? each_entry(place->token_fd, place->name, sync_entry, NULL)
	    : sync_entry(place->token_fd, OBJECT, NULL);

	if (result != 0)
		return -1;
	return file_sync(place->token_fd, place->name);
}

static int
sync_tokens_dir(const char *dir)
{
	AUTO_FD(dirfd) = -1;
	AUTO_FD(tokens_fd) = -1;

	if (dir_open(dir, &dirfd) != 0 ||
	    dir_open_at(dirfd, "tokens", &tokens_fd) != 0)
		return -1;
	return file_sync(tokens_fd, dir);
}

int
guard_end(struct guard *guard, enum guard_kind kind)
{
	AUTO_STRUCT(guard) mine = *guard;
	bool always = true;
	const char *dir = NULL;

	guard->module = NULL;
	if (mine.module == NULL)
		return 0;
	dir = mine.module->embedded_dir;
	if (each_token(dir, sync_token, &kind) != 0 ||
	    sync_tokens_dir(dir) != 0)
		return -1;
	/* An old guard opens with old PINs: it must not survive. */
	if (kind == GUARD_PINS)
		return each_token(dir, guard_token, &always);
	return 0;
}

void
guard_clear(struct guard *guard)
{
	if (guard->module != NULL)
		(void)pthread_sigmask(SIG_SETMASK, &guard->signals, NULL);
	guard->module = NULL;
}

/* ---- Opening and wiping ---- */

static int
check_dir(int dirfd, const char *dir)
{
	struct stat st;

	/* SoftHSM's configuration has no quoting: '#' begins a comment. */
	for (const char *p = dir; *p != '\0'; p++)
		if (*p == '#' || (unsigned char)*p < 0x20)
			return ca_error(CA_R_USAGE,
			    "'%s' cannot hold a SoftHSM token: its name "
			    "contains '#' or a control character",
			    dir);
	if (strlen(dir) > CONF_LINE_MAX - strlen("directories.tokendir = "))
		return ca_error(CA_R_USAGE,
		    "'%s' cannot hold a SoftHSM token: its name is too long",
		    dir);
	if (fstat(dirfd, &st) != 0)
		return ca_error_errno(CA_R_IO, "cannot read '%s'", dir);
	if ((st.st_mode & 077) != 0)
		return ca_error(CA_R_STATE,
		    "'%s' is open to others (mode %04o); make it 0700", dir,
		    (unsigned)(st.st_mode & 07777));
	return 0;
}

/* The directory may have been moved: the file then names the old place. */
static int
write_conf(int dirfd, const char *dir)
{
	AUTO_CHARS(wanted) = text_printf("directories.tokendir = %s/tokens\n"
					 "objectstore.backend = file\n"
					 "log.level = ERROR\n"
					 "slots.removable = false\n",
	    dir);
	AUTO_BYTES(found) = NULL;
	size_t len = 0;
	int there = 0;

	if (wanted == NULL)
		return -1;
	there = file_exists_at(dirfd, CONF);
	if (there < 0 ||
	    (there == 1 &&
		file_read_at(dirfd, CONF, OBJECT_MAX, &found, &len) != 0))
		return -1;
	if (there == 1 && len == strlen(wanted) &&
	    memcmp(found, wanted, len) == 0)
		return 0;
	return file_write_at(
	    dirfd, CONF, wanted, strlen(wanted), 0600, FILE_REPLACE);
}

static int
prepare(const char *dir, bool *restored)
{
	AUTO_FD(dirfd) = -1;
	AUTO_CHARS(conf) = text_printf("%s/" CONF, dir);

	if (conf == NULL || dir_open(dir, &dirfd) != 0 ||
	    check_dir(dirfd, dir) != 0 || dir_sweep(dirfd) != 0 ||
	    write_conf(dirfd, dir) != 0 ||
	    each_token(dir, restore_token, restored) != 0)
		return -1;
	if (setenv("SOFTHSM2_CONF", conf, 1) != 0)
		return ca_error(CA_R_MEMORY, "no memory for SOFTHSM2_CONF");
	return 0;
}

int
module_open_embedded(
    const char *dir, struct module **ret_module, bool *ret_restored)
{
	const char *library = softhsm_library();
	bool restored = false;

	if (dir[0] != '/')
		return ca_error(
		    CA_R_USAGE, "'%s' is not named by an absolute path", dir);
	if (library == NULL)
		return ca_error(CA_R_MODULE,
		    "SoftHSM is not installed; install the package "
		    "'softhsm2' or name a module");
	if (prepare(dir, &restored) != 0 ||
	    module_load(library, dir, ret_module) != 0)
		return -1;
	if (ret_restored != NULL)
		*ret_restored = restored;
	return 0;
}

static int remove_tree(int dirfd, const char *name, void *depth);

static int
remove_dir(int dirfd, const char *name, unsigned depth)
{
	AUTO_FD(fd) = -1;

	if (depth >= TREE_DEPTH_MAX)
		return ca_error(CA_R_CORRUPT,
		    "'%s' lies too deep to be part of a token", name);
	depth++;
	if (dir_open_at(dirfd, name, &fd) != 0 ||
	    each_entry(fd, name, remove_tree, &depth) != 0)
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) != 0)
		return ca_error_errno(CA_R_IO, "cannot remove '%s'", name);
	return 0;
}

/* Remove `name`, with all below it where it is a directory. */
static int
remove_tree(int dirfd, const char *name, void *depth)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT
		    ? 0
		    : ca_error_errno(CA_R_IO, "cannot read '%s'", name);
	if (S_ISDIR(st.st_mode))
		return remove_dir(dirfd, name, *(unsigned *)depth);
	if (unlinkat(dirfd, name, 0) != 0)
		return ca_error_errno(CA_R_IO, "cannot remove '%s'", name);
	return 0;
}

int
softhsm_wipe(const char *dir)
{
	AUTO_FD(dirfd) = -1;
	unsigned depth = 0;

	/* The tokens first: a cut wipe must not leave one without guard. */
	if (dir_open(dir, &dirfd) != 0 ||
	    remove_tree(dirfd, "tokens", &depth) != 0 ||
	    remove_tree(dirfd, "guard", &depth) != 0 ||
	    remove_tree(dirfd, CONF, &depth) != 0)
		return -1;
	return file_sync(dirfd, dir);
}
