/* profiles/der/stream: sources, headers, and a window that moves. */
#include "profiles/der/stream.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "support.h"

enum { MEGA = 1 << 20 };

#define assert_refused(reason, call)                           \
	do {                                                   \
		ca_error_clear();                              \
		assert_int_equal((call), -1);                  \
		assert_int_equal(ca_error_reason(), (reason)); \
		ca_error_clear();                              \
	} while (0)

static const struct {
	size_t in_len;
	unsigned char in[10];
	bool good;
	unsigned tag;
	size_t header;
	uint64_t len;
} headers[] = {
	{ 2, { 0x30, 0 }, true, 0x30, 2, 0 },
	{ 2, { 0x04, 0x7f }, true, 0x04, 2, 127 },
	{ 3, { 0x04, 0x81, 0x80 }, true, 0x04, 3, 128 },
	{ 4, { 0x30, 0x82, 1, 0 }, true, 0x30, 4, 256 },
	{ 7, { 0x30, 0x85, 1, 0, 0, 0, 0 }, true, 0x30, 7, 1ULL << 32 },
	{ 8, { 0x30, 0x86, 1, 0, 0, 0, 0, 0 }, true, 0x30, 8, 1ULL << 40 },
	{ 0, { 0 }, false, 0, 0, 0 }, { 1, { 0x30 }, false, 0, 0, 0 },
	{ 2, { 0x30, 0x80 }, false, 0, 0, 0 },          /* indefinite */
	{ 3, { 0x30, 0x81, 0x7f }, false, 0, 0, 0 },    /* not minimal */
	{ 4, { 0x30, 0x82, 0, 0xff }, false, 0, 0, 0 }, /* leading zero */
	{ 3, { 0x30, 0x82, 1 }, false, 0, 0, 0 },       /* cut off */
	{ 9, { 0x30, 0x87, 1, 0, 0, 0, 0, 0, 0 }, false, 0, 0, 0 },
	{ 3, { 0x3f, 0x21, 0 }, false, 0, 0, 0 }, /* more octets of tag */
};

static void
test_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		const struct der in = { headers[i].in, headers[i].in_len };
		struct der_header h = { 0, 0, 0 };

		assert_int_equal(der_header_read(in, &h), headers[i].good);
		assert_int_equal(h.tag, headers[i].tag);
		assert_int_equal(h.header, headers[i].header);
		assert_true(h.len == headers[i].len);
	}
}

/* Ten OCTET STRINGs of 300,000 octets: elements cross the window's end. */
enum { PIECES = 10, PIECE = 300000, PIECE_DER = PIECE + 5 };

static unsigned char *
pieces(void)
{
	unsigned char *der = malloc(PIECES * PIECE_DER);
	unsigned char *p = der;

	assert_non_null(der);
	for (int i = 0; i < PIECES; i++) {
		const unsigned char header[] = { 0x04, 0x83, PIECE >> 16,
			PIECE >> 8 & 0xff, PIECE & 0xff };

		memcpy(p, header, sizeof header);
		memset(p + sizeof header, i + 1, PIECE);
		p += PIECE_DER;
	}
	return der;
}

static void
walk_pieces(const struct der_source *source)
{
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct der element;

	assert_int_equal(der_stream_open(source, 0, &stream), 0);
	for (int i = 0; i < PIECES; i++) {
		assert_int_equal(
		    der_stream_element(&stream, "piece", MEGA, &element), 0);
		assert_int_equal(element.len, PIECE_DER);
		assert_int_equal(element.p[5], i + 1);
		assert_int_equal(element.p[element.len - 1], i + 1);
	}
	assert_true(stream.offset == source->len);
	assert_refused(
	    CA_R_INPUT, der_stream_element(&stream, "piece", MEGA, &element));
}

static void
test_memory(void **state)
{
	AUTO_BYTES(der) = pieces();
	struct der octets = { der, PIECES * PIECE_DER };
	const struct der_source source = der_source_memory(&octets);

	(void)state;
	walk_pieces(&source);
}

static void
test_digest(void **state)
{
	AUTO_BYTES(der) = pieces();
	struct der octets = { der, PIECES * PIECE_DER };
	const struct der_source source = der_source_memory(&octets);
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char want[32], got[32];
	struct der element;
	size_t len;

	(void)state;
	assert_non_null(ctx);
	assert_int_equal(EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL), 1);
	assert_int_equal(der_stream_open(&source, 0, &stream), 0);
	stream.digest = ctx;
	for (int i = 0; i < PIECES; i++)
		assert_int_equal(
		    der_stream_element(&stream, "piece", MEGA, &element), 0);
	assert_int_equal(EVP_DigestFinal_ex(ctx, got, NULL), 1);
	assert_int_equal(EVP_Q_digest(NULL, "SHA256", NULL, octets.p,
			     octets.len, want, &len),
	    1);
	assert_memory_equal(got, want, sizeof want);
}

static void
test_limits(void **state)
{
	AUTO_BYTES(der) = pieces();
	struct der octets = { der, PIECES * PIECE_DER };
	const struct der_source source = der_source_memory(&octets);
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct der element;

	(void)state;
	assert_int_equal(der_stream_open(&source, 0, &stream), 0);
	assert_refused(CA_R_INPUT,
	    der_stream_element(&stream, "piece", PIECE - 1, &element));
	assert_true(stream.offset == 0);
	stream.end = PIECE_DER - 1;
	assert_refused(
	    CA_R_INPUT, der_stream_element(&stream, "piece", MEGA, &element));
	stream.end = PIECE_DER;
	assert_int_equal(
	    der_stream_element(&stream, "piece", MEGA, &element), 0);
	assert_refused(
	    CA_R_INTERNAL, der_stream_peek(&stream, MEGA + 1, &element));
	assert_refused(CA_R_INTERNAL, der_stream_pass(&stream, MEGA));
}

static int
file_of(const unsigned char *data, size_t len)
{
	char name[] = "stream-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	return fd;
}

static void
test_file(void **state)
{
	AUTO_BYTES(der) = pieces();
	AUTO_FD(fd) = file_of(der, PIECES * PIECE_DER);
	struct der_file file = { fd, "pieces" };
	struct der_source source;

	(void)state;
	assert_int_equal(der_source_file(&file, &source), 0);
	walk_pieces(&source);
}

/* Cut short behind our back: an error, where a mapping would be a signal. */
static void
test_truncated(void **state)
{
	AUTO_BYTES(der) = pieces();
	AUTO_FD(fd) = file_of(der, PIECES * PIECE_DER);
	struct der_file file = { fd, "pieces" };
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct der_source source;
	struct der element;
	int read = 0;

	(void)state;
	assert_int_equal(der_source_file(&file, &source), 0);
	assert_int_equal(der_stream_open(&source, 0, &stream), 0);
	assert_int_equal(
	    der_stream_element(&stream, "piece", MEGA, &element), 0);
	assert_int_equal(ftruncate(fd, MEGA + 10), 0);
	while (der_stream_element(&stream, "piece", MEGA, &element) == 0)
		read++;
	assert_int_equal(ca_error_reason(), CA_R_IO);
	assert_true(read < PIECES - 1);
	ca_error_clear();
}

static void
test_no_file(void **state)
{
	int ends[2];
	struct der_file file = { -1, "nothing" };
	struct der_source source = { .len = 7 };

	(void)state;
	assert_refused(CA_R_IO, der_source_file(&file, &source));
	assert_int_equal(pipe(ends), 0);
	file = (struct der_file){ ends[0], "pipe" };
	assert_refused(CA_R_INPUT, der_source_file(&file, &source));
	assert_true(source.len == 7);
	assert_int_equal(close(ends[0]), 0);
	assert_int_equal(close(ends[1]), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
