/* A source that gives a few octets at a time. */
#ifndef TESTS_FUZZ_FEW_H
#define TESTS_FUZZ_FEW_H

#include <string.h>

#include "profiles/der/stream.h"

static inline int
read_few(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	const struct der *octets = ctx;
	size_t left = offset > octets->len ? 0 : octets->len - (size_t)offset;
	size_t len = 1 + (size_t)(offset % 7);

	len = len < cap ? len : cap;
	len = len < left ? len : left;
	if (len > 0)
		memcpy(buf, octets->p + offset, len);
	*ret_len = len;
	return 0;
}

static inline struct der_source
few_at_a_time(struct der *octets)
{
	return (struct der_source){
		.ctx = octets,
		.read = read_few,
		.len = octets->len,
	};
}

#endif
