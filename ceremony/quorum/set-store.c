#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/quorum/set-private.h"

#define NEW_PREFIX ".new-"

enum {
	NEW_NAME_SIZE = sizeof(NEW_PREFIX) - 1 + SET_ID_HEX_SIZE,
	CERTIFICATE_MAX = 1 << 20,
};

CLEANUP_DEFINE(DIR, closedir);

/* ---- set.yaml --------------------------------------------------------- */

static int
copy_bio(BIO *bio, unsigned char **ret_data, size_t *ret_len)
{
	char *text = NULL;
	long len = BIO_get_mem_data(bio, &text);
	unsigned char *copy = len < 0 ? NULL : malloc((size_t)len + 1);

	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a quorum set");
	if (len > 0)
		memcpy(copy, text, (size_t)len);
	copy[len] = 0;
	*ret_data = copy;
	*ret_len = (size_t)len;
	return 0;
}

int
certificate_pem(X509 *certificate, unsigned char **ret_data, size_t *ret_len)
{
	AUTO(BIO) *bio = BIO_new(BIO_s_mem());

	if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1)
		return ca_error(CA_R_MEMORY, "no memory for a certificate");
	return copy_bio(bio, ret_data, ret_len);
}

static int __attribute__((format(printf, 2, 3)))
put(BIO *out, const char *fmt, ...)
{
	va_list args;
	int written;

	va_start(args, fmt);
	written = BIO_vprintf(out, fmt, args);
	va_end(args);
	return written < 0 ? ca_error(CA_R_MEMORY, "no memory for a quorum set")
			   : 0;
}

static int
put_certificate(BIO *out, const struct person *person, const char *member,
    const struct person_file *file)
{
	AUTO_BYTES(pem) = NULL;
	AUTO_CHARS(sha256) = NULL;
	size_t len = 0;

	if (certificate_pem(file->certificate, &pem, &len) < 0 ||
	    (sha256 = sha256_hex(pem, len)) == NULL)
		return -1;
	return put(out, "    %s: \"%s%s\"\n    %s-sha256: \"%s\"\n", member,
	    person->name, file->suffix, member, sha256);
}

static int
put_person(BIO *out, const struct person *person)
{
	static const char *const members[PERSON_FILES] = { "sign", "decrypt" };
	struct person_file files[PERSON_FILES];

	if (put(out, "  - name: \"%s\"\n", person->name) < 0 ||
	    (!person->witness &&
		put(out, "    index: %u\n", person->index) < 0))
		return -1;
	person_files(person, files);
	for (size_t i = 0; i < PERSON_FILES; i++)
		if (files[i].certificate != NULL &&
		    put_certificate(out, person, members[i], &files[i]) < 0)
			return -1;
	return 0;
}

static int
put_people(BIO *out, const struct quorum_set *set)
{
	if (put(out, "operators:\n") < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++) {
		if (i == set->operators && put(out, "witnesses:\n") < 0)
			return -1;
		if (put_person(out, &set->people[i]) < 0)
			return -1;
	}
	return 0;
}

/*
 * Names and digests in quotes: no other reader of YAML takes them for numbers.
 * All of them are of characters that mean nothing there.
 */
int
set_text(const struct quorum_set *set, char **ret_text)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	unsigned char *text = NULL;
	size_t len = 0;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a quorum set");
	if (put(out,
		"format: ca-tool-set-1\nset: \"%s\"\nauthority: \"%s\"\n"
		"threshold: %u\n",
		set->id, set->authority, set->threshold) < 0 ||
	    put_people(out, set) < 0 ||
	    (set->allow_single_control &&
		put(out, "allow-single-control: true\n") < 0) ||
	    (set->allow_no_spare && put(out, "allow-no-spare: true\n") < 0) ||
	    (set->commitments != NULL &&
		put(out, "commitments: \"%s\"\n", set->commitments) < 0))
		return -1;
	if (copy_bio(out, &text, &len) < 0)
		return -1;
	*ret_text = (char *)text;
	return 0;
}

/* ---- founding --------------------------------------------------------- */

static int
check_founding(const struct quorum_set *set, const char *authority,
    const struct commitments *commitments)
{
	if (set->text != NULL)
		return ca_error(CA_R_INTERNAL, "a set is founded twice");
	if ((commitments != NULL) != set->shares ||
	    (commitments != NULL && commitments->threshold != set->threshold))
		return ca_error(
		    CA_R_INTERNAL, "the commitments are not those of the set");
	/* The id stands in set.yaml and in statements, one line each. */
	if (authority[0] == '\0' ||
	    !text_is_safe(authority, strlen(authority)) ||
	    strpbrk(authority, "\"\\") != NULL)
		return ca_error(
		    CA_R_INPUT, "'%s' cannot name an authority", authority);
	return 0;
}

/* What is given to a proposed set; copies, the id apart. */
static int
found_parts(struct quorum_set *set, const char *authority,
    const struct commitments *commitments)
{
	unsigned char digest[32];

	if (RAND_bytes(set->id_octets, SET_ID_LEN) != 1)
		return ca_error(CA_R_INTERNAL, "no random bytes to be had");
	text_hex_into(set->id_octets, SET_ID_LEN, set->id);
	set->authority = text_copy(authority);
	if (set->authority == NULL)
		return -1;
	if (commitments != NULL &&
	    (commitments_sha256(commitments, digest) < 0 ||
		(set->commitments = text_hex(digest, sizeof(digest))) == NULL))
		return -1;
	if (set_text(set, &set->text) < 0)
		return -1;
	set->sha256 = sha256_hex(set->text, strlen(set->text));
	return set->sha256 == NULL ? -1 : 0;
}

int
set_found(struct quorum_set *set, const char *authority,
    const struct commitments *commitments)
{
	struct quorum_set founded = *set; /* people stay where they are */

	if (check_founding(set, authority, commitments) < 0)
		return -1;
	founded.authority = founded.commitments = NULL;
	founded.text = founded.sha256 = NULL;
	if (found_parts(&founded, authority, commitments) < 0) {
		free(founded.authority);
		free(founded.commitments);
		free(founded.text);
		free(founded.sha256);
		return -1;
	}
	*set = founded;
	return 0;
}

/* ---- storing ---------------------------------------------------------- */

static int
remove_entries(DIR *dir, const char *name)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) != 0)
			return ca_error_errno(CA_R_IO, "cannot remove '%s/%s'",
			    name, entry->d_name);
	}
	return 0;
}

/* Remove a directory of files; fine if it is not there. */
static int
remove_directory(int parent, const char *name)
{
	AUTO(DIR) *dir = NULL;
	AUTO_FD(fd) = -1;
	int there = file_exists_at(parent, name);

	if (there <= 0)
		return there;
	if (dir_open_at(parent, name, &fd) < 0)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", name);
	(void)TAKE_FD(fd);
	if (remove_entries(dir, name) < 0)
		return -1;
	if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
		return ca_error_errno(CA_R_IO, "cannot remove '%s'", name);
	return file_sync(parent, "quorum");
}

static bool
is_remnant(const char *name)
{
	return strncmp(name, NEW_PREFIX, strlen(NEW_PREFIX)) == 0 &&
	    set_is_id(name + strlen(NEW_PREFIX));
}

/* The first remnant in the directory; *ret_name is NULL if there is none. */
static int
find_remnant(int quorum_fd, char **ret_name)
{
	AUTO(DIR) *dir = NULL;
	AUTO_FD(fd) =
	    openat(quorum_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL)
		return ca_error_errno(CA_R_IO, "cannot list 'quorum'");
	(void)TAKE_FD(fd);
	*ret_name = NULL;
	while ((entry = readdir(dir)) != NULL)
		if (is_remnant(entry->d_name))
			break;
	if (entry == NULL)
		return 0;
	*ret_name = text_copy(entry->d_name);
	return *ret_name == NULL ? -1 : 0;
}

int
set_sweep(int quorum_fd)
{
	for (;;) {
		AUTO_CHARS(name) = NULL;

		if (find_remnant(quorum_fd, &name) < 0)
			return -1;
		if (name == NULL)
			return dir_sweep(quorum_fd);
		if (remove_directory(quorum_fd, name) < 0)
			return -1;
	}
}

/* A set's directory that has not got its name yet. */
struct draft {
	int parent;
	int fd;
	char name[NEW_NAME_SIZE]; /* "" once there is nothing to remove */
};

/* What failed is said already; a further failure leaves set_sweep() work. */
static void
draft_clear(struct draft *draft)
{
	cleanup_fd(&draft->fd);
	if (draft->name[0] == '\0')
		return;
	(void)ERR_set_mark();
	if (remove_directory(draft->parent, draft->name) < 0)
		(void)ERR_pop_to_mark();
	else
		(void)ERR_clear_last_mark();
}
CLEANUP_DEFINE_STRUCT(draft);

static int
draft_make(int quorum_fd, const char *id, struct draft *draft)
{
	(void)snprintf(draft->name, sizeof(draft->name), NEW_PREFIX "%s", id);
	draft->parent = quorum_fd;
	if (remove_directory(quorum_fd, draft->name) < 0)
		return -1;
	return dir_make_at(quorum_fd, draft->name, 0755, &draft->fd);
}

static int
write_file(int fd, const struct person *person, const char *suffix,
    const unsigned char *data, size_t len, mode_t perm)
{
	AUTO_CHARS(name) = person_file_name(person, suffix);

	return name == NULL
	    ? -1
	    : file_write_at(fd, name, data, len, perm, FILE_NEW);
}

static int
write_certificates(int fd, const struct person *person)
{
	struct person_file files[PERSON_FILES];

	person_files(person, files);
	for (size_t i = 0; i < PERSON_FILES; i++) {
		AUTO_BYTES(pem) = NULL;
		size_t len = 0;

		if (files[i].certificate == NULL)
			continue;
		if (certificate_pem(files[i].certificate, &pem, &len) < 0 ||
		    write_file(fd, person, files[i].suffix, pem, len, 0644) < 0)
			return -1;
	}
	return 0;
}

static int
write_set(int fd, const struct quorum_set *set, unsigned char *const *shares,
    const size_t *share_lens)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct person *person = &set->people[i];

		if (write_certificates(fd, person) < 0)
			return -1;
		if (shares != NULL && !person->witness &&
		    write_file(fd, person, ".cms", shares[person->index - 1],
			share_lens[person->index - 1], 0600) < 0)
			return -1;
	}
	if (file_write_at(fd, "set.yaml", set->text, strlen(set->text), 0644,
		FILE_NEW) < 0)
		return -1;
	return file_sync(fd, set->id);
}

int
set_store(int quorum_fd, const struct quorum_set *set,
    unsigned char *const *shares, const size_t *share_lens)
{
	AUTO_STRUCT(draft) draft = { .fd = -1 };

	if (set->text == NULL || (shares != NULL) != set->shares)
		return ca_error(CA_R_INTERNAL,
		    "a set is stored that is not founded, or without its "
		    "shares");
	if (file_exists_at(quorum_fd, set->id) != 0)
		return ca_error(
		    CA_R_EXISTS, "the set '%s' is stored already", set->id);
	if (draft_make(quorum_fd, set->id, &draft) < 0 ||
	    write_set(draft.fd, set, shares, share_lens) < 0)
		return -1;
	if (renameat(quorum_fd, draft.name, quorum_fd, set->id) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot store the set '%s'", set->id);
	draft.name[0] = '\0';
	return file_sync(quorum_fd, "quorum");
}

/* ---- loading ---------------------------------------------------------- */

static int
open_set(int quorum_fd, const char *id, int *ret_fd)
{
	if (!set_is_id(id))
		return ca_error(
		    CA_R_INPUT, "'%s' is no id of a quorum set", id);
	if (dir_open_at(quorum_fd, id, ret_fd) == 0)
		return 0;
	return ca_error_reason() == CA_R_MISSING
	    ? ca_error(
		  CA_R_MISSING, "there is no quorum set '%s' in quorum/", id)
	    : -1;
}

int
set_remove(int quorum_fd, const char *id)
{
	char name[NEW_NAME_SIZE];
	AUTO_FD(fd) = -1;

	(void)snprintf(name, sizeof(name), NEW_PREFIX "%s", id);
	if (open_set(quorum_fd, id, &fd) < 0 ||
	    remove_directory(quorum_fd, name) < 0)
		return -1;
	if (renameat(quorum_fd, id, quorum_fd, name) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot remove the set '%s'", id);
	if (file_sync(quorum_fd, "quorum") < 0)
		return -1;
	return remove_directory(quorum_fd, name);
}

static int
read_stored(
    void *ctx, const char *given, unsigned char **ret_data, size_t *ret_len)
{
	const int *fd = ctx;

	return file_read_at(*fd, given, CERTIFICATE_MAX, ret_data, ret_len);
}

static int
check_sha256(const char *where, const unsigned char *data, size_t len,
    const char *expected)
{
	AUTO_CHARS(sha256) = sha256_hex(data, len);

	if (sha256 == NULL)
		return -1;
	if (expected != NULL && strcmp(sha256, expected) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' was changed: its SHA-256 is %s, and %s is recorded",
		    where, sha256, expected);
	return 0;
}

/* The newest error as one about a set. */
static int
set_error(const char *where)
{
	enum ca_reason reason = (enum ca_reason)ca_error_reason();
	AUTO_CHARS(text) = NULL;

	if (reason != CA_R_VERIFY && reason != CA_R_MISSING &&
	    reason != CA_R_INPUT)
		return -1;
	text = ca_error_take();
	return ca_error(reason == CA_R_INPUT ? CA_R_VERIFY : reason,
	    "the quorum set of '%s' is not as it was stored: %s", where,
	    text == NULL ? "" : text);
}

/* Parse; the first finding becomes the error. */
static int
parse_stored(const char *where, const unsigned char *data, size_t len,
    const struct set_files *files, struct quorum_set **ret_set)
{
	AUTO_STRUCT(findings) findings = { 0 };
	const struct set_source source = { .name = "set.yaml",
		.data = data,
		.len = len,
		.stored = true,
		.files = files };

	if (set_parse(&source, &findings, ret_set) == 0)
		return 0;
	if (findings.count == 0)
		return set_error(where);
	ca_error_clear();
	return ca_error(CA_R_VERIFY, "'%s' was changed: %s: %s", where,
	    findings.rows[0].place, findings.rows[0].text);
}

/* There is one way to write a set, and one directory for it. */
static int
check_loaded(struct quorum_set *set, const char *where, const char *id,
    const unsigned char *data, size_t len)
{
	if (strcmp(set->id, id) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' was changed: it is of the set '%s'", where, set->id);
	if (set_text(set, &set->text) < 0)
		return -1;
	if (strlen(set->text) != len || memcmp(set->text, data, len) != 0)
		return ca_error(CA_R_VERIFY,
		    "'%s' was changed: it is not written as ca-tool writes it",
		    where);
	return 0;
}

int
set_read_stored(const char *where, const unsigned char *data, size_t len,
    const char *id, const struct set_files *files, struct quorum_set **ret_set)
{
	AUTO_PTR(quorum_set) *set = NULL;

	if (parse_stored(where, data, len, files, &set) < 0 ||
	    check_loaded(set, where, id, data, len) < 0)
		return -1;
	set->sha256 = sha256_hex(data, len);
	if (set->sha256 == NULL)
		return -1;
	*ret_set = TAKE(set);
	return 0;
}

int
set_load(int quorum_fd, const char *id, const char *sha256,
    struct quorum_set **ret_set)
{
	AUTO_FD(fd) = -1;
	AUTO_BYTES(data) = NULL;
	AUTO_CHARS(where) = text_printf("quorum/%s/set.yaml", id);
	const struct set_files files = { &fd, read_stored };
	size_t len = 0;

	if (where == NULL || open_set(quorum_fd, id, &fd) < 0)
		return -1;
	if (file_read_at(fd, "set.yaml", SET_MAX_BYTES, &data, &len) < 0)
		return set_error(where);
	if (check_sha256(where, data, len, sha256) < 0)
		return -1;
	return set_read_stored(where, data, len, id, &files, ret_set);
}

/* ---- shares and enrolment --------------------------------------------- */

static int
check_has_share(const struct quorum_set *set, const struct person *person)
{
	if (!set->shares || person->witness)
		return ca_error(CA_R_POLICY, "'%s' has no share", person->name);
	return 0;
}

int
set_share(int quorum_fd, const struct quorum_set *set,
    const struct person *person, unsigned char **ret_der, size_t *ret_len)
{
	AUTO_FD(fd) = -1;
	AUTO_CHARS(name) = person_file_name(person, ".cms");

	if (name == NULL || check_has_share(set, person) < 0 ||
	    open_set(quorum_fd, set->id, &fd) < 0)
		return -1;
	return file_read_at(fd, name, SHARE_MAX_BYTES, ret_der, ret_len);
}

static int
share_digest(int quorum_fd, const struct quorum_set *set,
    const struct person *person, char ret_hex[65])
{
	AUTO_FD(fd) = -1;
	AUTO_CHARS(name) = person_file_name(person, ".cms");
	unsigned char digest[32];

	if (name == NULL || open_set(quorum_fd, set->id, &fd) < 0 ||
	    file_sha256_at(fd, name, digest) < 0)
		return -1;
	text_hex_into(digest, sizeof(digest), ret_hex);
	return 0;
}

int
set_enrolment_compose(const struct set_enrolment *enrolment, char **ret_text)
{
	const struct set_enrolment *e = enrolment;
	char *text = text_printf("ca-tool enrolment 1\n"
				 "authority: %s\n"
				 "set: %s\n"
				 "set.yaml: %s\n"
				 "commitments: %s\n"
				 "operator: %s\n"
				 "share: %s\n",
	    e->authority, e->set, e->set_sha256,
	    e->commitments == NULL ? "none" : e->commitments, e->operator,
	    e->share == NULL ? "none" : e->share);

	if (text == NULL)
		return -1;
	*ret_text = text;
	return 0;
}

int
set_enrolment_text(int quorum_fd, const struct quorum_set *set,
    const struct person *person, char **ret_text)
{
	struct set_enrolment enrolment = { .authority = set->authority,
		.set = set->id,
		.set_sha256 = set->sha256,
		.commitments = set->commitments,
		.operator= person->name };
	char share[65];

	if (set->text == NULL || person->witness)
		return ca_error(CA_R_POLICY,
		    "'%s' is not enrolled: only operators of a stored set are",
		    person->name);
	if (set->shares) {
		if (share_digest(quorum_fd, set, person, share) < 0)
			return -1;
		enrolment.share = share;
	}
	return set_enrolment_compose(&enrolment, ret_text);
}

/* ---- quorum/current --------------------------------------------------- */

int
set_current(int quorum_fd, char ret_id[SET_ID_HEX_SIZE])
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	char id[SET_ID_HEX_SIZE];

	if (file_exists_at(quorum_fd, "current") == 0)
		return ca_error(CA_R_MISSING,
		    "no quorum set is in force: there is no 'quorum/current'");
	if (file_read_at(quorum_fd, "current", SET_ID_HEX_SIZE, &data, &len) <
	    0)
		return -1;
	if (len == SET_ID_HEX_SIZE && data[len - 1] == '\n') {
		memcpy(id, data, sizeof(id) - 1);
		id[sizeof(id) - 1] = '\0';
		if (set_is_id(id)) {
			memcpy(ret_id, id, sizeof(id));
			return 0;
		}
	}
	return ca_error(CA_R_CORRUPT,
	    "'quorum/current' does not hold the id of a quorum set");
}

int
set_make_current(int quorum_fd, const char *id)
{
	AUTO_FD(fd) = -1;
	char line[SET_ID_HEX_SIZE + 1];

	if (open_set(quorum_fd, id, &fd) < 0)
		return -1;
	(void)snprintf(line, sizeof(line), "%s\n", id);
	return file_write_at(
	    quorum_fd, "current", line, strlen(line), 0644, FILE_REPLACE);
}
