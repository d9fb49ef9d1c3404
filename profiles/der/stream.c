#include "profiles/der/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"

/* ---- sources ------------------------------------------------------------ */

static int
read_memory(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	const struct der *octets = ctx;
	size_t len;

	if (offset >= octets->len) {
		*ret_len = 0;
		return 0;
	}
	len = octets->len - (size_t)offset;
	if (len > cap)
		len = cap;
	memcpy(buf, octets->p + offset, len);
	*ret_len = len;
	return 0;
}

struct der_source
der_source_memory(struct der *octets)
{
	return (struct der_source){
		.ctx = octets, .read = read_memory, .len = octets->len
	};
}

static int
read_file(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	const struct der_file *file = ctx;
	ssize_t n;

	do
		n = pread(file->fd, buf, cap, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ca_error_errno(CA_R_IO, "cannot read '%s'", file->name);
	*ret_len = (size_t)n;
	return 0;
}

int
der_source_file(struct der_file *file, struct der_source *ret_source)
{
	struct stat st;

	if (fstat(file->fd, &st) != 0)
		return ca_error_errno(
		    CA_R_IO, "cannot look at '%s'", file->name);
	if (!S_ISREG(st.st_mode))
		return ca_error(CA_R_INPUT,
		    "'%s' is not a regular file, and only of those can any "
		    "part be read",
		    file->name);
	*ret_source = (struct der_source){
		.ctx = file, .read = read_file, .len = (uint64_t)st.st_size
	};
	return 0;
}

/* ---- headers ------------------------------------------------------------ */

bool
der_header_read(struct der in, struct der_header *ret_header)
{
	enum { LONG_FORM = 0x80, HIGH_TAG = 0x1f };
	struct der_header h;
	size_t octets;

	if (in.len < 2 || (in.p[0] & HIGH_TAG) == HIGH_TAG)
		return false;
	h = (struct der_header){ in.p[0], 2, in.p[1] };
	if (in.p[1] >= LONG_FORM) {
		octets = in.p[1] & 0x7fu;
		if (octets == 0 || octets > DER_HEADER_MAX - 2 ||
		    in.len < 2 + octets || in.p[2] == 0)
			return false;
		h.header += octets;
		h.len = 0;
		for (size_t i = 0; i < octets; i++)
			h.len = h.len << 8 | in.p[2 + i];
		if (h.len < LONG_FORM)
			return false;
	}
	*ret_header = h;
	return true;
}

size_t
der_header_write(unsigned tag, uint64_t len, unsigned char ret_header[8])
{
	enum { LONG_FORM = 0x80 };
	size_t octets = 0;

	ret_header[0] = (unsigned char)tag;
	if (len < LONG_FORM) {
		ret_header[1] = (unsigned char)len;
		return 2;
	}
	while (octets < 6 && len >> (8 * octets) != 0)
		octets++;
	ret_header[1] = (unsigned char)(LONG_FORM | octets);
	for (size_t i = 0; i < octets; i++)
		ret_header[2 + i] =
		    (unsigned char)(len >> (8 * (octets - 1 - i)));
	return 2 + octets;
}

/* ---- the stream --------------------------------------------------------- */

int
der_stream_open(const struct der_source *source, uint64_t offset,
    struct der_stream *ret_stream)
{
	unsigned char *window = malloc(DER_WINDOW_MAX);

	if (window == NULL)
		return ca_error(CA_R_MEMORY, "no memory to read with");
	*ret_stream = (struct der_stream){ .source = source,
		.offset = offset,
		.end = source->len,
		.window = window };
	return 0;
}

void
der_stream_clear(struct der_stream *stream)
{
	free(stream->window);
	*stream = (struct der_stream){ .source = NULL };
}

/* Fill the window up, from where it ends. */
static int
refill(struct der_stream *stream)
{
	const size_t held = stream->fill - stream->start;
	const uint64_t at = stream->offset + held;
	size_t got;

	memmove(stream->window, stream->window + stream->start, held);
	stream->start = 0;
	stream->fill = held;
	if (stream->source->read(stream->source->ctx, at, stream->window + held,
		DER_WINDOW_MAX - held, &got) != 0)
		return -1;
	if (got == 0)
		return ca_error(CA_R_IO,
		    "the input ended at octet %" PRIu64 " of %" PRIu64
		    ": it was cut short while it was read",
		    at, stream->source->len);
	stream->fill += got;
	return 0;
}

int
der_stream_peek(struct der_stream *stream, size_t len, struct der *ret_octets)
{
	const uint64_t left =
	    stream->offset < stream->end ? stream->end - stream->offset : 0;

	if (len > DER_WINDOW_MAX)
		return ca_error(CA_R_INTERNAL,
		    "%zu octets are more than the window holds", len);
	if (len > left)
		len = (size_t)left;
	while (stream->fill - stream->start < len)
		if (refill(stream) != 0)
			return -1;
	*ret_octets = (struct der){ stream->window + stream->start, len };
	return 0;
}

int
der_stream_pass(struct der_stream *stream, size_t len)
{
	if (len > stream->fill - stream->start)
		return ca_error(CA_R_INTERNAL,
		    "%zu octets were passed without being read", len);
	if (stream->digest != NULL &&
	    EVP_DigestUpdate(
		stream->digest, stream->window + stream->start, len) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	stream->start += len;
	stream->offset += len;
	return 0;
}

int
der_stream_header(struct der_stream *stream, struct der_header *ret_header)
{
	struct der_header h;
	struct der in;

	if (der_stream_peek(stream, DER_HEADER_MAX, &in) != 0)
		return -1;
	if (!der_header_read(in, &h))
		return ca_error(CA_R_INPUT,
		    "no DER element can be read at octet %" PRIu64,
		    stream->offset);
	if (h.len > stream->end - stream->offset - h.header)
		return ca_error(CA_R_INPUT,
		    "the element at octet %" PRIu64 " is %" PRIu64
		    " octets long, of which only %" PRIu64 " are there",
		    stream->offset, h.header + h.len,
		    stream->end - stream->offset);
	*ret_header = h;
	return 0;
}

int
der_stream_element(struct der_stream *stream, const char *what, size_t max,
    struct der *ret_element)
{
	struct der_header h;
	struct der element;

	if (der_stream_header(stream, &h) != 0)
		return -1;
	if (h.len > max || h.header + h.len > DER_WINDOW_MAX)
		return ca_error(CA_R_INPUT,
		    "the %s at octet %" PRIu64 " is %" PRIu64
		    " octets long; at most %zu are read",
		    what, stream->offset, h.header + h.len, max);
	if (der_stream_peek(stream, h.header + (size_t)h.len, &element) != 0 ||
	    der_stream_pass(stream, element.len) != 0)
		return -1;
	*ret_element = element;
	return 0;
}
