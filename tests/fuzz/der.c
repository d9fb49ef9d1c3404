/*
 * DER: the walk over octets in memory and that through a window see the same
 * elements, and what is strict is one whole element.
 */
#include "profiles/der/der.h"

#include "base/error.h"
#include "fuzz.h"
#include "profiles/der/stream.h"

static void
check_strict(struct der object)
{
	struct der_header header;
	size_t offset = 0;

	if (!der_is_strict(object.p, object.len, &offset)) {
		HOLDS(offset <= object.len);
		return;
	}
	HOLDS(der_header_read(object, &header));
	HOLDS(header.header + header.len == object.len);
}

/* Each element of the contents, by both ways. */
static void
check_walk(struct der object)
{
	const struct der_source source = der_source_memory(&object);
	struct der_stream stream = { 0 };
	struct der rest = object;

	HOLDS(der_stream_open(&source, 0, &stream) == 0);
	while (rest.len > 0) {
		struct der element, taken = { NULL, 0 };
		struct der_header header;
		bool read = der_header_read(rest, &header) &&
		    header.len <= rest.len - header.header &&
		    header.len < DER_WINDOW_MAX / 2;

		if (!read) {
			HOLDS(der_stream_element(&stream, "an element",
				  DER_WINDOW_MAX / 2, &element) == -1);
			HOLDS(ca_error_reason() == CA_R_INPUT);
			ca_error_clear();
			break;
		}
		HOLDS(der_take(&rest, header.tag, NULL, &taken));
		HOLDS(der_stream_element(&stream, "an element",
			  DER_WINDOW_MAX / 2, &element) == 0);
		HOLDS(der_equal(taken, element.p, element.len));
	}
	der_stream_clear(&stream);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct der object = { data, size };

	check_strict(object);
	check_walk(object);
	return 0;
}
