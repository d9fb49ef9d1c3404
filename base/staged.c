#include "base/staged.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"

enum {
	BUFFER = 1 << 16,
	RANDOM_OCTETS = 4,
	/* So many fsync calls cost less than one syncfs of a busy disk. */
	FEW = 32,
};

static void
file_clear(struct staged_file *file)
{
	if (file->temporary != NULL)
		(void)unlinkat(file->dirfd, file->temporary, 0);
	free(file->temporary);
	free(file->name);
	free(file->label);
}

void
staged_clear(struct staged *staged)
{
	for (size_t i = 0; i < staged->count; i++)
		file_clear(&staged->files[i]);
	free(staged->files);
	cleanup_fd(&staged->fd);
	EVP_MD_CTX_free(staged->digest);
	free(staged->buffer);
	*staged = staged_new();
}

/* ---- writing ---------------------------------------------------------- */

static int
grow(struct staged *staged)
{
	size_t room = staged->room == 0 ? 16 : 2 * staged->room;
	struct staged_file *files;

	if (staged->count < staged->room)
		return 0;
	files = realloc(staged->files, room * sizeof(*files));
	if (files == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	staged->files = files;
	staged->room = room;
	return 0;
}

static int
prepare(struct staged *staged)
{
	if (staged->fd >= 0)
		return ca_error(CA_R_INTERNAL, "a file was not ended");
	if (staged->digest == NULL)
		staged->digest = EVP_MD_CTX_new();
	if (staged->buffer == NULL)
		staged->buffer = malloc(BUFFER);
	if (staged->digest == NULL || staged->buffer == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	if (EVP_DigestInit_ex(staged->digest, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	staged->fill = 0;
	return grow(staged);
}

/* ".staged.tmp-XXXXXXXX", whatever the file will be called. */
static int
make_temporary(struct staged_file *file, mode_t perm, int *ret_fd)
{
	unsigned char octets[RANDOM_OCTETS];
	char digits[2 * RANDOM_OCTETS + 1];
	AUTO_FD(fd) = -1;

	do {
		if (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
			return ca_error_errno(
			    CA_R_IO, "no random bytes to be had");
		text_hex_into(octets, sizeof(octets), digits);
		free(file->temporary);
		file->temporary = text_printf(".staged.tmp-%s", digits);
		if (file->temporary == NULL)
			return -1;
		fd = openat(file->dirfd, file->temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0 || fchmod(fd, perm) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot write '%s'", file->label);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int
staged_begin(struct staged *staged, int dirfd, const char *name,
    const char *label, mode_t perm, enum file_mode mode)
{
	struct staged_file *file;

	if (prepare(staged) != 0)
		return -1;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return ca_error(
		    CA_R_INTERNAL, "'%s' is no name of a file", name);
	file = &staged->files[staged->count++];
	*file = (struct staged_file){ .dirfd = dirfd, .mode = mode };
	file->name = text_copy(name);
	file->label = text_copy(label);
	if (file->name == NULL || file->label == NULL)
		return -1;
	return make_temporary(file, perm, &staged->fd);
}

static int
flush(struct staged *staged, const void *data, size_t len)
{
	struct staged_file *file = &staged->files[staged->count - 1];

	if (file_write_all(staged->fd, data, len, file->label) != 0)
		return -1;
	if (EVP_DigestUpdate(staged->digest, data, len) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	file->len += len;
	return 0;
}

static int
flush_buffer(struct staged *staged)
{
	size_t fill = staged->fill;

	staged->fill = 0;
	return fill == 0 ? 0 : flush(staged, staged->buffer, fill);
}

int
staged_write(struct staged *staged, const void *data, size_t len)
{
	if (staged->fd < 0)
		return ca_error(CA_R_INTERNAL, "no file was begun");
	if (len > BUFFER - staged->fill && flush_buffer(staged) != 0)
		return -1;
	if (len > BUFFER)
		return flush(staged, data, len);
	if (len > 0)
		memcpy(staged->buffer + staged->fill, data, len);
	staged->fill += len;
	return 0;
}

int
staged_end(struct staged *staged)
{
	struct staged_file *file = &staged->files[staged->count - 1];

	if (flush_buffer(staged) != 0)
		return -1;
	if (EVP_DigestFinal_ex(staged->digest, file->sha256, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "SHA-256 failed");
	if (close(TAKE_FD(staged->fd)) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot write '%s'", file->label);
	return 0;
}

int
staged_put(struct staged *staged, int dirfd, const char *name,
    const char *label, mode_t perm, enum file_mode mode, const void *data,
    size_t len)
{
	if (staged_begin(staged, dirfd, name, label, perm, mode) != 0 ||
	    staged_write(staged, data, len) != 0)
		return -1;
	return staged_end(staged);
}

/* ---- names ------------------------------------------------------------ */

static int
sync_one(const struct staged_file *file)
{
	AUTO_FD(fd) = openat(
	    file->dirfd, file->temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return ca_error_errno(
		    CA_R_IO, "cannot write '%s'", file->label);
	return file_sync(fd, file->label);
}

/* Once for each directory: they are few, and stand together. */
static int
each_directory(
    const struct staged *staged, int (*sync)(int fd), const char *why)
{
	for (size_t i = 0; i < staged->count; i++) {
		int dirfd = staged->files[i].dirfd;
		bool before = false;

		if (i > 0 && staged->files[i - 1].dirfd == dirfd)
			continue;
		for (size_t j = 0; j < i && !before && i < FEW; j++)
			before = staged->files[j].dirfd == dirfd;
		if (!before && sync(dirfd) != 0)
			return ca_error_errno(CA_R_IO, "%s", why);
	}
	return 0;
}

static int
sync_contents(const struct staged *staged)
{
	if (staged->count > FEW)
		return each_directory(
		    staged, syncfs, "files cannot be brought to the disk");
	for (size_t i = 0; i < staged->count; i++)
		if (sync_one(&staged->files[i]) != 0)
			return -1;
	return 0;
}

static int
taken(const struct staged_file *file)
{
	unsigned char found[32];

	if (file->mode == FILE_NEW)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already and is not overwritten", file->label);
	if (file_sha256_at(file->dirfd, file->name, found) != 0)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already and cannot be compared", file->label);
	if (memcmp(found, file->sha256, sizeof(found)) != 0)
		return ca_error(CA_R_EXISTS,
		    "'%s' exists already with other content and is not "
		    "overwritten",
		    file->label);
	return 0;
}

/* Where the file system knows no RENAME_NOREPLACE, a link does it. */
static int
name_new(const struct staged_file *file)
{
	int dirfd = file->dirfd;

	if (renameat2(dirfd, file->temporary, dirfd, file->name,
		RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dirfd, file->temporary, dirfd, file->name, 0) != 0)
		return -1;
	return unlinkat(dirfd, file->temporary, 0);
}

static int
name_file(struct staged_file *file)
{
	int failed = file->mode == FILE_REPLACE
	    ? renameat(file->dirfd, file->temporary, file->dirfd, file->name)
	    : name_new(file);

	if (failed != 0 && errno == EEXIST) {
		if (taken(file) != 0)
			return -1;
		(void)unlinkat(file->dirfd, file->temporary, 0);
	} else if (failed != 0) {
		return ca_error_errno(
		    CA_R_IO, "cannot write '%s'", file->label);
	}
	free(file->temporary);
	file->temporary = NULL;
	return 0;
}

int
staged_commit(struct staged *staged)
{
	if (sync_contents(staged) != 0)
		return -1;
	for (size_t i = 0; i < staged->count; i++)
		if (name_file(&staged->files[i]) != 0) {
			if (ca_error_reason() == CA_R_EXISTS)
				staged->taken = &staged->files[i];
			return -1;
		}
	return each_directory(
	    staged, fsync, "a directory cannot be brought to the disk");
}

int
staged_check(const struct staged_file *file)
{
	unsigned char found[32];

	if (file_sha256_at(file->dirfd, file->name, found) != 0)
		return -1;
	if (memcmp(found, file->sha256, sizeof(found)) == 0)
		return 0;
	return ca_error(CA_R_VERIFY,
	    "'%s' was written, and read back it is something else",
	    file->label);
}
