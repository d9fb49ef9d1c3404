/*
 * Octets that are written one after the other: in memory as long as they are
 * few, in an unlinked file from then on.
 */
#ifndef CA_PROFILES_SPILL_H
#define CA_PROFILES_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "profiles/der/stream.h"

enum { SPILL_MEMORY = 1 << 18 };

struct spill {
	int dir; /* where the file is made; stays the caller's */
	int fd;  /* -1: all of it is in memory */
	unsigned char *buf;
	uint64_t start; /* of the buffer's octets */
	size_t fill;
};

/* An unlinked file of directory `dir`, on any file system. */
int spill_file(int dir, int *ret_fd) MUST_USE;

int spill_open(int dir, struct spill *ret_spill) MUST_USE;
void spill_clear(struct spill *spill);
CLEANUP_DEFINE_STRUCT(spill);

/*
 * Where the next octets go, `len` of them at most (SPILL_MEMORY); those that
 * were written are counted by adding to spill->fill.  CA_R_IO, CA_R_FULL.
 */
int spill_room(
    struct spill *spill, size_t len, unsigned char **ret_room) MUST_USE;

/* Add octets of any number. */
int spill_add(
    struct spill *spill, const unsigned char *octets, size_t len) MUST_USE;

/* Write over what stands at `offset`; all of it was added before. */
int spill_put(struct spill *spill, uint64_t offset, const unsigned char *octets,
    size_t len) MUST_USE;

/* So many were added. */
uint64_t spill_len(const struct spill *spill);

/* Where there is a file, all of it is there afterwards. */
int spill_flush(struct spill *spill) MUST_USE;

/* What was added, flushed before; the spill must stay where it is. */
struct der_source spill_source(struct spill *spill);

/*
 * The same once nothing is added any more, as octets at an address: in memory
 * where they are few, else the unlinked file, mapped.  Nobody can cut that one
 * short, and what was read of it need not stay in memory.
 */
struct spilled {
	unsigned char *data; /* a NUL, not counted, stands behind them */
	size_t len;
	bool mapped;
	int fd; /* of a mapped one: the octets from 0 on */
};
void spilled_clear(struct spilled *spilled);
CLEANUP_DEFINE_STRUCT(spilled);

/* The spill is empty afterwards, and only to be cleared. */
int spill_take(struct spill *spill, struct spilled *ret_spilled) MUST_USE;

/*
 * Whoever walks through them calls this now and then: memory of the octets
 * before `end` is given back.  They can still be read.
 */
void spilled_pass(const struct spilled *spilled, size_t end);

/* All of it in pieces, in flat memory; -1 where `take` says so. */
int spilled_each(const struct spilled *spilled,
    int (*take)(void *ctx, const unsigned char *data, size_t len),
    void *ctx) MUST_USE;
int spilled_sha256(
    const struct spilled *spilled, unsigned char ret_digest[32]) MUST_USE;

#endif
