/*
 * Preloaded by the crash test: whoever opens libsofthsm2.so gets the shim
 * named by CA_CRASH_SHIM instead, which opens the real one.  So the embedded
 * token is used as it is, and each of its signatures leaves a mark.
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void *(*dlopen_fn)(const char *path, int flags);

void *redirect(const char *path, int flags) __asm__("dlopen");

static int
is_softhsm(const char *path)
{
	static const char name[] = "libsofthsm2.so";
	size_t len = path == NULL ? 0 : strlen(path);

	return len >= sizeof(name) - 1 &&
	    strcmp(path + len - (sizeof(name) - 1), name) == 0;
}

void *
redirect(const char *path, int flags)
{
	const char *shim = getenv("CA_CRASH_SHIM");
	void *symbol = dlsym(RTLD_NEXT, "dlopen");
	dlopen_fn next;
	Dl_info caller;

	/* ISO C has no cast from an object pointer to a function's. */
	memcpy(&next, &symbol, sizeof(next));
	if (shim == NULL || !is_softhsm(path))
		return next(path, flags);
	if (dladdr(__builtin_return_address(0), &caller) != 0 &&
	    strcmp(caller.dli_fname, shim) == 0)
		return next(path, flags);
	return next(shim, flags);
}
