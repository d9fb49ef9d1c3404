#include "ca-tool/lint-input.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "profiles/der/stream.h"
#include "profiles/lint/lint.h"

enum {
	HEAD = 65536,         /* octets that tell a large file's kind */
	MEMORY_MAX = 1 << 20, /* a CRL beyond is linted from its file */
	FILE_MAX_BYTES = 1 << 28,
};

static const char id_read[] = "LINT-READ";

void
lint_item_clear(struct lint_item *item)
{
	free(item->file);
	free(item->place);
	free(item->der);
	cleanup_fd(&item->fd);
	findings_clear(&item->findings);
	*item = (struct lint_item){ .fd = -1 };
}

void
lint_input_clear(struct lint_input *input)
{
	free(input->text);
	*input = (struct lint_input){ 0 };
}

/* ---- items ------------------------------------------------------------ */

static void trouble(struct lint_item *item, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
trouble(struct lint_item *item, const char *fmt, ...)
{
	AUTO_CHARS(text) = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	item->state = LINT_ITEM_TROUBLE;
	findings_add(&item->findings, FINDING_ERROR, id_read, item->place, NULL,
	    "%s", text != NULL ? text : "cannot be read");
}

/* What a call refused; where memory ran out it is for the caller. */
static int
take_trouble(struct lint_item *item)
{
	if (ca_error_reason() == CA_R_MEMORY)
		return -1;
	item->state = LINT_ITEM_TROUBLE;
	findings_take_error(&item->findings, id_read, item->place);
	return 0;
}

static int
name_item(struct lint_item *item, const char *file)
{
	item->file = text_copy(file);
	item->place = text_copy(file);
	return item->file == NULL || item->place == NULL ? -1 : 0;
}

/* Behind the first block, a place says which one it is. */
static int
name_block(struct lint_item *item, size_t block)
{
	char *place;

	if (block == 1)
		return 0;
	place = text_printf("%s, block %zu", item->file, block);
	free(item->place);
	item->place = place;
	return place == NULL ? -1 : 0;
}

/* ---- PEM -------------------------------------------------------------- */

static const char begin_mark[] = "-----BEGIN ", end_mark[] = "-----END ";

/* What a block may hold; all else is passed over, such as keys. */
static const char *const labels[] = { "CERTIFICATE", "X509 CERTIFICATE",
	"X509 CRL", "CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST",
	"OCSP RESPONSE" };

static bool
is_label(const unsigned char *p, size_t len)
{
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (strlen(labels[i]) == len && memcmp(labels[i], p, len) == 0)
			return true;
	return false;
}

/* `mark` at the beginning of a line, from `from` on; NULL: nowhere. */
static const unsigned char *
find_mark(const unsigned char *text, size_t from, size_t len, const char *mark)
{
	const size_t size = strlen(mark);

	while (from < len) {
		const unsigned char *p =
		    memmem(text + from, len - from, mark, size);

		if (p == NULL || p == text || p[-1] == '\n' || p[-1] == '\r')
			return p;
		from = (size_t)(p - text) + size;
	}
	return NULL;
}

/* The text of one block, from its first line to behind its last. */
struct block {
	size_t begin, label, label_len, end;
};

/*
 * The next block from input->at on; false at the end of the text.  A block
 * without an end has end 0; input->at is then at its inside.
 */
static bool
find_block(struct lint_input *input, struct block *ret)
{
	const unsigned char *text = input->text, *p, *stop;
	size_t room;

	p = find_mark(text, input->at, input->len, begin_mark);
	if (p == NULL)
		return false;
	*ret = (struct block){ .begin = (size_t)(p - text) };
	ret->label = ret->begin + strlen(begin_mark);
	input->at = ret->label;
	room = input->len - ret->label < 64 ? input->len - ret->label : 64;
	stop = memmem(text + ret->label, room, "-----", 5);
	if (stop == NULL)
		return true;
	ret->label_len = (size_t)(stop - text) - ret->label;
	p = find_mark(text, input->at, input->len, end_mark);
	stop = find_mark(text, input->at, input->len, begin_mark);
	if (p == NULL || (stop != NULL && stop < p))
		return true;
	stop = memchr(p, '\n', input->len - (size_t)(p - text));
	ret->end = stop == NULL ? input->len : (size_t)(stop - text) + 1;
	input->at = ret->end;
	return true;
}

static int
decode_block(const struct lint_input *input, const struct block *block,
    struct lint_item *item)
{
	AUTO(BIO) *bio = BIO_new_mem_buf(
	    input->text + block->begin, (int)(block->end - block->begin));
	char *label = NULL, *header = NULL;
	unsigned char *data = NULL;
	long len = 0;
	bool read;

	if (bio == NULL)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", item->place);
	(void)ERR_set_mark();
	read = PEM_read_bio(bio, &label, &header, &data, &len) == 1 && len > 0;
	(void)ERR_pop_to_mark();
	if (read && header[0] == '\0') {
		item->der = malloc((size_t)len);
		if (item->der != NULL)
			memcpy(item->der, data, (size_t)len);
		item->len = (size_t)len;
	} else {
		trouble(item,
		    "the PEM block that begins at octet %zu is damaged: its "
		    "base64 text or its last line is wrong",
		    block->begin);
	}
	OPENSSL_free(label);
	OPENSSL_free(header);
	OPENSSL_free(data);
	if (item->state == LINT_ITEM_OBJECT && item->der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for '%s'", item->place);
	return 0;
}

/* The text is read to its end: was there an object? */
static void
end_text(struct lint_input *input, const struct lint_path *path,
    struct lint_item *item, bool *ret_item)
{
	*ret_item = input->objects == 0;
	item->index = 1;
	if (*ret_item && input->len == 0)
		trouble(item, "the file is empty");
	else if (*ret_item && path->walked)
		item->state = LINT_ITEM_SKIPPED;
	else if (*ret_item && input->blocks == 0)
		trouble(item,
		    "it is neither DER (octet 0 is 0x%02x, not 0x30) nor PEM: "
		    "it has no line '-----BEGIN CERTIFICATE-----' or the like",
		    input->text[0]);
	else if (*ret_item)
		trouble(item,
		    "no block of it is a certificate, CRL, OCSP response or "
		    "certificate request");
	free(input->text);
	input->text = NULL;
}

/* The next object of the text; *ret_item is false where there is none. */
static int
next_block(struct lint_input *input, struct lint_item *item, bool *ret_item)
{
	const struct lint_path *path = &input->paths->rows[input->next - 1];
	struct block block;

	while (find_block(input, &block)) {
		input->blocks++;
		if (block.end != 0 &&
		    !is_label(input->text + block.label, block.label_len))
			continue;
		*ret_item = true;
		item->index = ++input->objects;
		if (name_block(item, input->blocks) != 0)
			return -1;
		if (block.end != 0)
			return decode_block(input, &block, item);
		trouble(item,
		    "the PEM block that begins at octet %zu has no end: the "
		    "file is cut off or damaged",
		    block.begin);
		return 0;
	}
	end_text(input, path, item, ret_item);
	return 0;
}

/* ---- DER -------------------------------------------------------------- */

/* Does the file end inside of its only element?  Then that is said. */
static bool
is_cut_off(struct lint_item *item, const unsigned char *data, uint64_t len)
{
	const struct der head = { data, len < HEAD ? (size_t)len : HEAD };
	struct der_header header;

	if (!der_header_read(head, &header) ||
	    header.header + header.len <= len)
		return false;
	trouble(item,
	    "the file is cut off: it ends at octet %" PRIu64
	    ", and the element that begins at octet 0 needs %" PRIu64,
	    len, header.header + header.len);
	return true;
}

/*
 * DER begins with a SEQUENCE, and so may a text with the digit 0: text is what
 * has a block of PEM.
 */
static bool
is_der(const unsigned char *data, size_t len)
{
	if (len == 0 || data[0] != DER_SEQUENCE)
		return false;
	return lint_sniff((struct der){ data, len }) != LINT_UNKNOWN ||
	    find_mark(data, 0, len, begin_mark) == NULL;
}

/* ---- files ------------------------------------------------------------ */

/* Standard input, to its end. */
static int
read_stdin(unsigned char **ret_data, size_t *ret_len)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0, cap = 0;

	for (;;) {
		ssize_t n;

		if (len == cap) {
			unsigned char *more = len < FILE_MAX_BYTES
			    ? realloc(data, cap = cap == 0 ? HEAD : 2 * cap)
			    : NULL;

			if (more == NULL)
				return ca_error(CA_R_INPUT,
				    "standard input holds more than %d octets",
				    FILE_MAX_BYTES);
			data = more;
		}
		n = read(STDIN_FILENO, data + len, cap - len);
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot read standard input");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_data = TAKE(data);
	*ret_len = len;
	return 0;
}

/*
 * A regular file of more than MEMORY_MAX octets: a CRL in DER stays a file.
 * *ret_large is false where it is none, and is to be read whole.
 */
static void
open_large(const char *path, struct lint_item *item, bool *ret_large)
{
	unsigned char head[HEAD];
	struct stat st;
	AUTO_FD(fd) = -1;
	ssize_t n;

	*ret_large = false;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
	    st.st_size <= MEMORY_MAX)
		return;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || (n = pread(fd, head, sizeof(head), 0)) < 0)
		return; /* reading it whole tells why */
	if (lint_sniff((struct der){ head, (size_t)n }) == LINT_CRL) {
		*ret_large = true;
		if (!is_cut_off(item, head, (uint64_t)st.st_size))
			item->fd = TAKE_FD(fd);
	} else if (st.st_size > FILE_MAX_BYTES) {
		*ret_large = true;
		trouble(item,
		    "the file holds %jd octets and is no CRL in DER (octet 0 "
		    "is 0x%02x); of other files at most %d are read",
		    (intmax_t)st.st_size, n > 0 ? head[0] : 0U, FILE_MAX_BYTES);
	}
}

/* All octets of a file that is not large; what is wrong is a finding. */
static int
read_path(const struct lint_path *path, struct lint_item *item,
    unsigned char **ret_data, size_t *ret_len)
{
	const bool standard = strcmp(path->path, "-") == 0 && !path->walked;

	if ((standard ? read_stdin(ret_data, ret_len)
		      : file_read_at(AT_FDCWD, path->path, FILE_MAX_BYTES,
			    ret_data, ret_len)) != 0)
		return take_trouble(item);
	return 0;
}

/* The first object of a file; *ret_item is false where it holds none. */
static int
open_path(struct lint_input *input, const struct lint_path *path,
    struct lint_item *item, bool *ret_item)
{
	AUTO_BYTES(data) = NULL;
	size_t len = 0;
	bool large = false;

	*ret_item = true;
	item->index = 1;
	if (name_item(item, path->path) != 0)
		return -1;
	if (path->trouble != NULL)
		trouble(item, "%s", path->trouble);
	else
		open_large(path->path, item, &large);
	if (path->trouble != NULL || large)
		return 0;
	if (read_path(path, item, &data, &len) != 0 ||
	    item->state != LINT_ITEM_OBJECT)
		return item->state == LINT_ITEM_TROUBLE ? 0 : -1;
	if (is_der(data, len)) {
		item->der = TAKE(data);
		item->len = len;
		/* The linter has more to say about what is there. */
		if (is_cut_off(item, item->der, len))
			item->state = LINT_ITEM_OBJECT;
		return 0;
	}
	input->text = TAKE(data);
	input->len = len;
	input->at = input->blocks = input->objects = 0;
	return next_block(input, item, ret_item);
}

int
lint_input_next(
    struct lint_input *input, struct lint_item *ret_item, bool *ret_more)
{
	const struct lint_path *rows = input->paths->rows;
	bool found = false;

	while (!found) {
		AUTO_STRUCT(lint_item) item = { .fd = -1 };
		int ret = 0;

		if (input->text == NULL && input->next == input->paths->count)
			break;
		if (input->text == NULL)
			ret = open_path(
			    input, &rows[input->next++], &item, &found);
		else if (name_item(&item, rows[input->next - 1].path) == 0)
			ret = next_block(input, &item, &found);
		else
			ret = -1;
		if (ret != 0)
			return -1;
		if (found) {
			*ret_item = item;
			item = (struct lint_item){ .fd = -1 };
		}
	}
	*ret_more = found;
	return 0;
}
