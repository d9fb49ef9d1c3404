/*
 * Inputs that may be large, or many files: a directory becomes one bundle, so
 * that a plan with ten thousand requests has one more input, not ten thousand.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/staged.h"
#include "base/text.h"
#include "ceremony/plan-private.h"

/* text_escape(), and a blank as \x20: a blank ends a name in a bundle. */
static char *
bundle_name(const char *name)
{
	AUTO_CHARS(escaped) = text_escape(name, strlen(name));
	const char *from = escaped;
	char *text, *to;

	if (escaped == NULL)
		return NULL;
	text = malloc(strlen(escaped) * 4 + 1);
	if (text == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for a name");
		return NULL;
	}
	for (to = text; *from != '\0'; from++)
		if (*from == ' ')
			to = stpcpy(to, "\\x20");
		else
			*to++ = *from;
	*to = '\0';
	return text;
}

static int
bundle_add(struct spill *bundle, const char *name, const unsigned char *data,
    size_t len)
{
	AUTO_CHARS(escaped) = bundle_name(name);
	AUTO_CHARS(line) =
	    escaped == NULL ? NULL : text_printf("%s %zu\n", escaped, len);

	return line == NULL ||
		spill_add(bundle, (const unsigned char *)line, strlen(line)) <
		    0 ||
		spill_add(bundle, data, len) < 0 ||
		spill_add(bundle, (const unsigned char *)"\n", 1) < 0
	    ? -1
	    : 0;
}

/* ---- directories ------------------------------------------------------ */

struct folder {
	const char *path, *place;
	struct findings *findings;
	int fd;
	struct spill *bundle;
};

static void
folder_finding(
    const struct folder *f, const char *id, const char *name, const char *text)
{
	findings_add(f->findings, FINDING_ERROR, id, f->place, NULL,
	    "'%s' in '%s' %s", name, f->path, text);
}

/* May what lies there be read?  Otherwise a finding. */
static bool
is_plain_file(const struct folder *f, const char *name, mode_t mode)
{
	if (S_ISREG(mode))
		return true;
	if (S_ISLNK(mode))
		folder_finding(f, "INPUT-LINK", name,
		    "is a symbolic link, and links are not followed; put the "
		    "file itself there");
	else if (S_ISDIR(mode))
		folder_finding(f, "INPUT-FOLDER", name,
		    "is a directory, and those below are not looked into; put "
		    "its files into the upper one, or name it in a step of "
		    "its own");
	else
		folder_finding(f, "INPUT-KIND", name,
		    "is neither file nor directory; remove it");
	return false;
}

static int
folder_take(const struct folder *f, const char *name)
{
	AUTO_BYTES(data) = NULL;
	struct stat st;
	size_t len = 0;

	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot look at '%s' in '%s'", name, f->path);
	if (!is_plain_file(f, name, st.st_mode))
		return 0;
	if (st.st_size > INPUT_MAX_BYTES) {
		folder_finding(f, "INPUT-SIZE", name,
		    "is larger than 1,048,576 octets; it is no request or "
		    "certificate");
		return 0;
	}
	if (file_read_at(f->fd, name, INPUT_MAX_BYTES, &data, &len) < 0 ||
	    bundle_add(f->bundle, name, data, len) < 0)
		return -1;
	return spill_len(f->bundle) <= INPUT_BULK_MAX_BYTES
	    ? 0
	    : ca_error(CA_R_INPUT,
		  "the files in '%s' are more than %d octets together; make "
		  "several directories of it, and a step of each",
		  f->path, INPUT_BULK_MAX_BYTES);
}

static int
is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 &&
	    strcmp(entry->d_name, "..") != 0;
}

/* By octets, whatever the locale: the bundle's hash is approved. */
static int
by_octets(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int
read_folder(const struct folder *f)
{
	struct dirent **names = NULL;
	int count = scandirat(f->fd, ".", &names, is_entry, by_octets), rc;

	if (count < 0)
		return ca_error_errno(CA_R_IO, "cannot list '%s'", f->path);
	rc = spill_add(f->bundle, (const unsigned char *)BUNDLE_MAGIC,
	    strlen(BUNDLE_MAGIC));
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = folder_take(f, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	if (rc == 0 && count == 0)
		findings_add(f->findings, FINDING_ERROR, "INPUT-EMPTY",
		    f->place, NULL, "the directory '%s' is empty", f->path);
	return rc;
}

/* ---- either ----------------------------------------------------------- */

static int
too_large(const char *path)
{
	return ca_error(CA_R_INPUT, "'%s' is larger than %d bytes", path,
	    INPUT_BULK_MAX_BYTES);
}

int
bulk_copy(int dirfd, const char *path, struct spill *spill)
{
	AUTO_BYTES(piece) = malloc(SPILL_MEMORY);
	AUTO_FD(fd) = -1;
	struct stat st;

	if (piece == NULL)
		return ca_error(CA_R_MEMORY, "no memory to read with");
	if (file_open_at(dirfd, path, &fd, &st) < 0)
		return -1;
	if (st.st_size > INPUT_BULK_MAX_BYTES)
		return too_large(path);
	for (;;) {
		ssize_t n = read(fd, piece, SPILL_MEMORY);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot read '%s'", path);
		if (n == 0)
			return 0;
		if (spill_len(spill) + (uint64_t)n > INPUT_BULK_MAX_BYTES)
			return too_large(path);
		if (spill_add(spill, piece, (size_t)n) < 0)
			return -1;
	}
}

int
bulk_read(const char *path, const char *place, int scratch,
    struct findings *findings, struct spilled *ret_bulk)
{
	AUTO_STRUCT(spill) spill = { .fd = -1 };
	AUTO_FD(fd) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct folder folder = {
		.path = path,
		.place = place,
		.findings = findings,
		.fd = fd,
		.bundle = &spill,
	};

	if (spill_open(scratch, &spill) < 0 ||
	    (fd < 0 ? bulk_copy(AT_FDCWD, path, &spill)
		    : read_folder(&folder)) < 0)
		return -1;
	return spill_take(&spill, ret_bulk);
}

static int
write_piece(void *ctx, const unsigned char *data, size_t len)
{
	return staged_write(ctx, data, len);
}

int
bulk_write(int dirfd, const char *name, const struct spilled *bulk)
{
	AUTO_STRUCT(staged) staged = staged_new();

	if (staged_begin(&staged, dirfd, name, name, 0600, FILE_REPLACE) < 0 ||
	    spilled_each(bulk, write_piece, &staged) < 0 ||
	    staged_end(&staged) < 0)
		return -1;
	return staged_commit(&staged);
}
