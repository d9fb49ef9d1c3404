/* A directory in the working one, for targets that need files. */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

static char scratch[32];

static int
scratch_remove_one(
    const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
scratch_remove(void)
{
	(void)nftw(scratch, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Goes when the process ends by itself. */
static void
scratch_make(void)
{
	(void)snprintf(scratch, sizeof(scratch), "fuzz-XXXXXX");
	HOLDS(mkdtemp(scratch) != NULL);
	HOLDS(atexit(scratch_remove) == 0);
}

#endif
