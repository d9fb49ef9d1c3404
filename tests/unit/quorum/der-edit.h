/*
 * Cutting into DER: elements are named by the way to them from the outermost,
 * {1, 0, 3}: its second child's first child's fourth child.
 */
#ifndef TESTS_QUORUM_DER_EDIT_H
#define TESTS_QUORUM_DER_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct octets {
	unsigned char p[8192];
	size_t len;
};

struct element {
	size_t at, header, len; /* offset, and lengths of header and content */
};

static inline struct element
element_at(const unsigned char *der, size_t at)
{
	struct element e = { at, 2, der[at + 1] };

	if (e.len >= 0x80) {
		size_t n = e.len & 0x7f;

		e.header = 2 + n;
		e.len = 0;
		for (size_t i = 0; i < n; i++)
			e.len = e.len << 8 | der[at + 2 + i];
	}
	return e;
}

#define WAY(...) ((const int[]){ __VA_ARGS__, -1 })

static inline struct element
element_find(const struct octets *der, const int *way)
{
	struct element e = element_at(der->p, 0);

	for (; *way >= 0; way++) {
		e = element_at(der->p, e.at + e.header);
		for (int i = 0; i < *way; i++)
			e = element_at(der->p, e.at + e.header + e.len);
	}
	return e;
}

static inline void
octets_add(struct octets *out, const void *p, size_t len)
{
	if (out->len + len > sizeof(out->p))
		abort();
	if (len > 0)
		memcpy(out->p + out->len, p, len);
	out->len += len;
}

static inline void
octets_element(
    struct octets *out, unsigned char tag, const void *content, size_t len)
{
	unsigned char header[4] = { tag, (unsigned char)len };
	size_t n = 2;

	if (len >= 0x100) {
		header[1] = 0x82;
		header[2] = (unsigned char)(len >> 8);
		header[3] = (unsigned char)len;
		n = 4;
	} else if (len >= 0x80) {
		header[1] = 0x81;
		header[2] = (unsigned char)len;
		n = 3;
	}
	octets_add(out, header, n);
	octets_add(out, content, len);
}

struct edit {
	size_t at;   /* the element's offset */
	bool behind; /* put behind it; else in its place */
	const void *p;
	size_t len;
};

static inline void
edit_range(const unsigned char *der, size_t from, size_t to,
    const struct edit *edit, struct octets *out)
{
	while (from < to) {
		struct element e = element_at(der, from);
		size_t end = e.at + e.header + e.len;
		struct octets *inner;

		from = end;
		if (edit->at == e.at) {
			if (edit->behind)
				octets_add(out, der + e.at, end - e.at);
			octets_add(out, edit->p, edit->len);
			continue;
		}
		if (edit->at < e.at || edit->at >= end) {
			octets_add(out, der + e.at, end - e.at);
			continue;
		}
		inner = calloc(1, sizeof(*inner));
		if (inner == NULL)
			abort();
		edit_range(der, e.at + e.header, end, edit, inner);
		octets_element(out, der[e.at], inner->p, inner->len);
		free(inner);
	}
}

/* Replace the element (len 0: remove it), or put something behind it. */
static inline struct octets
der_replace(const struct octets *der, const int *way, const void *p, size_t len)
{
	struct edit edit = { element_find(der, way).at, false, p, len };
	struct octets out = { .len = 0 };

	edit_range(der->p, 0, der->len, &edit, &out);
	return out;
}

static inline struct octets
der_insert(const struct octets *der, const int *way, const void *p, size_t len)
{
	struct edit edit = { element_find(der, way).at, true, p, len };
	struct octets out = { .len = 0 };

	edit_range(der->p, 0, der->len, &edit, &out);
	return out;
}

#endif
