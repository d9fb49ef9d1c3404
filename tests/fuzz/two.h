/* Inputs of two parts. */
#ifndef TESTS_FUZZ_TWO_H
#define TESTS_FUZZ_TWO_H

#include "profiles/der/stream.h"

/* The first element, if the input begins with one; else its first half. */
static inline void
split_in_two(const uint8_t *data, size_t size, struct der *ret_first,
    struct der *ret_second)
{
	const struct der all = { data, size };
	struct der_header header;
	size_t first = size / 2;

	if (der_header_read(all, &header) && header.len <= size - header.header)
		first = header.header + (size_t)header.len;
	*ret_first = (struct der){ data, first };
	*ret_second = (struct der){ data + first, size - first };
}

#endif
