/*
 * Octets that are written one after the other: in memory as long as they are
 * few, in an unlinked file from then on.
 */
#ifndef CA_PROFILES_SPILL_H
#define CA_PROFILES_SPILL_H

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

#endif
