/*
 * For libFuzzer: changes of DER that keep it DER.  One element, found by
 * walking down, is changed, doubled, dropped, replaced by another one or given
 * another tag; the lengths around it are written anew.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "profiles/der/stream.h"

enum { DEPTH_MAX = 24, LENGTH_MAX = 4, HEADER_ROOM = 1 + 1 + LENGTH_MAX };

/* libFuzzer's own, and what it calls. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(
    uint8_t *data, size_t size, size_t max, unsigned seed);

struct buffer {
	uint8_t *data;
	size_t size, max;
};

static unsigned
draw(unsigned *state, unsigned below)
{
	*state = *state * 1664525U + 1013904223U;
	return (*state >> 8) % below;
}

/* Put `len` octets into the place of `old`; left as it is where that is full. */
static void
replace(struct buffer *b, size_t at, size_t old, const uint8_t *new, size_t len)
{
	if (b->size - old + len > b->max)
		return;
	memmove(b->data + at + len, b->data + at + old, b->size - at - old);
	if (len > 0)
		memcpy(b->data + at, new, len);
	b->size = b->size - old + len;
}

static size_t
put_header(uint8_t *out, uint8_t tag, size_t len)
{
	size_t octets = 0;

	out[0] = tag;
	if (len < 0x80) {
		out[1] = (uint8_t)len;
		return 2;
	}
	for (size_t rest = len; rest > 0; rest >>= 8)
		octets++;
	out[1] = (uint8_t)(0x80 | octets);
	for (size_t i = 0; i < octets; i++)
		out[2 + i] = (uint8_t)(len >> 8 * (octets - 1 - i));
	return 2 + octets;
}

struct element {
	size_t at, header, len; /* of the contents */
};

static bool
element_at(const struct buffer *b, size_t at, struct element *ret_element)
{
	const struct der rest = { b->data + at, b->size - at };
	struct der_header header;

	if (!der_header_read(rest, &header) ||
	    header.len > rest.len - header.header)
		return false;
	*ret_element =
	    (struct element){ at, header.header, (size_t)header.len };
	return true;
}

/* Any of those that stand one behind the other. */
static bool
pick(const struct buffer *b, unsigned *state, struct element *ret_element)
{
	struct element element;
	unsigned count = 0;

	for (size_t at = 0; at < b->size && element_at(b, at, &element);
	     at += element.header + element.len)
		if (draw(state, ++count) == 0)
			*ret_element = element;
	return count > 0;
}

/* Octets of its contents before elements in it: none, or those of a string. */
static bool
holds_elements(
    const struct buffer *b, const struct element *e, size_t *ret_skip)
{
	const uint8_t tag = b->data[e->at];
	struct buffer inner;
	struct element first;

	*ret_skip = tag == DER_BIT_STRING ? 1 : 0;
	if (e->len <= *ret_skip)
		return false;
	if ((tag & 0x20) != 0)
		return true;
	inner = (struct buffer){
		.data = b->data + e->at + e->header + *ret_skip,
		.size = e->len - *ret_skip,
	};
	return (tag == DER_OCTET_STRING || tag == DER_BIT_STRING) &&
	    element_at(&inner, 0, &first) &&
	    first.header + first.len == inner.size;
}

static void
change_one(struct buffer *b, const struct element *e, unsigned *state)
{
	static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06,
		0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1c, 0x1e, 0x30,
		0x31, 0x80, 0x81, 0x82, 0x86, 0x87, 0xa0, 0xa1, 0xa3, 0xa4 };
	const size_t whole = e->header + e->len;
	struct element other = *e;
	uint8_t *copy;

	(void)pick(b, state, &other);
	copy = malloc(other.header + other.len);
	HOLDS(copy != NULL);
	memcpy(copy, b->data + other.at, other.header + other.len);
	switch (draw(state, 4)) {
	case 0:
		replace(b, e->at, 0, copy, other.header + other.len);
		break;
	case 1:
		replace(b, e->at, whole, NULL, 0);
		break;
	case 2:
		replace(b, e->at, whole, copy, other.header + other.len);
		break;
	default:
		b->data[e->at] = tags[draw(state, sizeof tags)];
		break;
	}
	free(copy);
}

static void mutate(struct buffer *b, unsigned *state, unsigned depth);

/* Its contents, and its length with them. */
static void
change_contents(struct buffer *b, const struct element *e, size_t skip,
    unsigned *state, unsigned depth)
{
	const size_t room = b->max - b->size + e->len;
	struct buffer inner = { .size = e->len - skip, .max = room };
	uint8_t *copy = malloc(HEADER_ROOM + room + 1);
	size_t header;

	HOLDS(copy != NULL);
	inner.data = copy + HEADER_ROOM + skip;
	memcpy(copy + HEADER_ROOM, b->data + e->at + e->header, e->len);
	inner.max -= skip;
	if (depth == 0)
		inner.size =
		    LLVMFuzzerMutate(inner.data, inner.size, inner.max);
	else
		mutate(&inner, state, depth - 1);
	header = put_header(copy, b->data[e->at], skip + inner.size);
	memmove(copy + header, copy + HEADER_ROOM, skip + inner.size);
	replace(b, e->at, e->header + e->len, copy, header + skip + inner.size);
	free(copy);
}

static void
mutate(struct buffer *b, unsigned *state, unsigned depth)
{
	struct element e;
	size_t skip = 0;

	if (!pick(b, state, &e))
		b->size = LLVMFuzzerMutate(b->data, b->size, b->max);
	else if (holds_elements(b, &e, &skip) && depth > 0 &&
	    draw(state, 8) != 0)
		change_contents(b, &e, skip, state, depth);
	else if (draw(state, 2) == 0 && e.len > 0)
		change_contents(b, &e, 0, state, 0);
	else
		change_one(b, &e, state);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct buffer b = { data, size, max };
	unsigned state = seed;

	/* Now and then as any octets: what is no DER is refused too. */
	if (draw(&state, 8) == 0)
		return LLVMFuzzerMutate(data, size, max);
	mutate(&b, &state, DEPTH_MAX);
	return b.size;
}
