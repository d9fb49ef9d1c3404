/* The file that --out names. */
#ifndef CA_TOOL_OUT_FILE_H
#define CA_TOOL_OUT_FILE_H

#include "base/cleanup.h"

struct out_file {
	int fd; /* its directory; -1: there is no --out */
	char *name;
	const char *path; /* as given; the caller's */
};

/*
 * Open the directory of `path`, so that what cannot be written is known before
 * the work is done.  NULL is no file.  ret_out->fd is -1 before.
 */
int out_file_open(const char *path, struct out_file *ret_out) MUST_USE;

/*
 * Write the text; nothing without a file.  A file that is there already stays
 * as it is: fine if it holds just this, else CA_R_EXISTS.
 */
int out_file_write(const struct out_file *out, const char *text) MUST_USE;

/* Say that the file is there already; -1. */
int out_file_refuse(const struct out_file *out) MUST_USE;

void out_file_clear(struct out_file *out);
CLEANUP_DEFINE_STRUCT(out_file);

#endif
