#include "ca-tool/out-file.h"

#include <libgen.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

void
out_file_clear(struct out_file *out)
{
	cleanup_fd(&out->fd);
	free(out->name);
	*out = (struct out_file){ .fd = -1 };
}

int
out_file_open(const char *path, struct out_file *ret_out)
{
	AUTO_CHARS(directory) = path == NULL ? NULL : text_copy(path);
	AUTO_CHARS(base) = path == NULL ? NULL : text_copy(path);
	AUTO_CHARS(name) = NULL;
	int fd;

	if (path == NULL)
		return 0;
	if (directory == NULL || base == NULL ||
	    (name = text_copy(basename(base))) == NULL ||
	    dir_open(dirname(directory), &fd) != 0)
		return -1;
	*ret_out = (struct out_file){ fd, TAKE(name), path };
	return 0;
}

int
out_file_write(const struct out_file *out, const char *text)
{
	if (out->fd < 0)
		return 0;
	if (file_write_at(
		out->fd, out->name, text, strlen(text), 0644, FILE_SAME) == 0)
		return 0;
	if (ca_error_reason() != CA_R_EXISTS)
		return -1;
	ca_error_clear();
	return out_file_refuse(out);
}

int
out_file_refuse(const struct out_file *out)
{
	return ca_error(CA_R_EXISTS,
	    "'%s' is there already, and is not overwritten", out->path);
}
