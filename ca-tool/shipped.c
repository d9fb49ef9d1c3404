#include "ca-tool/shipped.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

int
shipped_profiles(char **ret_path)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;

	if (n <= 0)
		return ca_error_errno(CA_R_IO, "cannot read '/proc/self/exe'");
	exe[n] = '\0';
	slash = strrchr(exe, '/');
	if (slash == NULL)
		return ca_error(CA_R_INTERNAL, "'%s' is no path", exe);
	*slash = '\0';
	*ret_path = text_printf("%s/%s/profiles", exe, CA_TOOL_DATA_FROM_BIN);
	return *ret_path != NULL ? 0 : -1;
}
