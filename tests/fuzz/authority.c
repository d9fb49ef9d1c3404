/* authority.yaml: refused with what is wrong, or loaded. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "ceremony/authority-private.h"
#include "scratch.h"

static int
directory(void)
{
	static int fd = -1;

	if (fd < 0) {
		scratch_make();
		fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		HOLDS(fd >= 0);
	}
	return fd;
}

/* Not by file_write_at(), which syncs. */
static void
put_file(const uint8_t *data, size_t size)
{
	int fd = openat(directory(), "authority.yaml",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	HOLDS(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	HOLDS(close(fd) == 0);
}

static void
check_config(const struct authority_config *config)
{
	enum login_kind login;

	HOLDS(strcmp(config->format, "ca-tool-authority-1") == 0);
	HOLDS(login_kind_by_name(config->login, &login) == 0);
	HOLDS(config->linters_count <= LINTERS_MAX);
	for (unsigned i = 0; i < config->unattended_count; i++)
		HOLDS(may_run_unattended(config->unattended[i]));
	for (unsigned i = 0; i < config->linters_count; i++)
		HOLDS(config->linters[i].path[0] == '/');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_PTR(authority) *authority = authority_new();

	HOLDS(authority != NULL);
	put_file(data, size);
	authority->fd = dup(directory());
	HOLDS(authority->fd >= 0);
	if (authority_load_config(authority, &findings) != 0) {
		HOLDS(ca_error_reason() == CA_R_INPUT);
		ca_error_clear();
		return 0;
	}
	HOLDS(findings.errors == 0 && ca_error_reason() == 0);
	HOLDS(authority->config_len == size);
	HOLDS(memcmp(authority->config_bytes, data, size) == 0);
	check_config(authority->config);
	return 0;
}
