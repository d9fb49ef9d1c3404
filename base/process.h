/*
 * Running another program that nobody here trusts: with a time limit, a cap on
 * what it may print, an empty environment, no open file of ours, no way to
 * more privileges.  What it prints is octets, escaped by whoever shows them.
 */
#ifndef CA_BASE_PROCESS_H
#define CA_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* A program as it was when it was looked at: a sealed copy in memory. */
struct program {
	int fd;
	unsigned char sha256[32];
};

/*
 * Copy the regular file at the absolute `path` (at most 256 MiB) to memory
 * that nobody can change any more, and hash it.  What is run later are these
 * octets, whatever became of the file.
 */
int program_open(const char *path, struct program *ret_program) MUST_USE;
void program_clear(struct program *program);
CLEANUP_DEFINE_STRUCT(program);

struct process_limits {
	int64_t milliseconds; /* of wall time and, rounded up, of CPU time */
	size_t output_max;    /* octets of standard output */
	uint64_t memory_max;  /* octets of address space */
};

enum process_end {
	PROCESS_EXITED,  /* by itself, with `status` */
	PROCESS_KILLED,  /* by the signal `status` */
	PROCESS_TIMEOUT, /* by us: out of time */
	PROCESS_FLOODED, /* by us: printed too much */
};

struct process_result {
	enum process_end end;
	int status;
	unsigned char *output; /* what it printed, a NUL behind it */
	size_t output_len;
};
void process_result_clear(struct process_result *result);
CLEANUP_DEFINE_STRUCT(process_result);

/*
 * Run it in the directory `dirfd` with argv (argv[0] too, NULL at the end) and
 * wait for its end; it and what it started in its process group are killed at
 * the limits.  Standard input is empty, standard error is dropped.  0 however
 * it ended; -1 where it could not be run at all.
 */
int process_run(const struct program *program, int dirfd,
    const char *const argv[], const struct process_limits *limits,
    struct process_result *ret_result) MUST_USE;

#endif
