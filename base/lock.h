/* One ca-tool at a time: an exclusive flock on a file of the authority. */
#ifndef CA_BASE_LOCK_H
#define CA_BASE_LOCK_H

#include "base/cleanup.h"

/*
 * Take the lock `name` in `dirfd` without waiting; the file is made if
 * missing and holds the owner's process id.  CA_R_BUSY, naming that process,
 * where another holds it.  Closing *ret_fd gives the lock back.
 */
int lock_take(int dirfd, const char *name, int *ret_fd) MUST_USE;

#endif
