/* Lists of serial numbers that ascend, and their texts. */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/error.h"
#include "base/text.h"
#include "ceremony/steps/revocations.h"

void
listing_clear(struct listing *listing)
{
	free(listing->rows);
	*listing = (struct listing){ 0 };
}

int
listing_add(struct listing *listing, const struct listed *row)
{
	if (listing->count == listing->room) {
		size_t room = listing->room == 0 ? 64 : listing->room * 2;
		struct listed *rows =
		    realloc(listing->rows, room * sizeof(*rows));

		if (rows == NULL)
			return ca_error(CA_R_MEMORY, "no memory for a list");
		listing->rows = rows;
		listing->room = room;
	}
	listing->rows[listing->count++] = *row;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct listed *x = *(const struct listed *const *)a;
	const struct listed *y = *(const struct listed *const *)b;
	int order = serial_compare(&x->serial, &y->serial);

	if (order != 0)
		return order;
	return x < y ? -1 : x > y;
}

static bool
ascends(const struct listing *listing)
{
	for (size_t i = 1; i < listing->count; i++)
		if (serial_compare(&listing->rows[i - 1].serial,
			&listing->rows[i].serial) > 0)
			return false;
	return true;
}

/* By pointers: the rows are large. */
int
listing_sort(struct listing *listing)
{
	const struct listed **order;
	struct listed *rows;

	if (ascends(listing))
		return 0;
	order = calloc(listing->count, sizeof(*order));
	rows = calloc(listing->count, sizeof(*rows));
	if (order == NULL || rows == NULL) {
		free(order);
		free(rows);
		return ca_error(CA_R_MEMORY, "no memory to sort a list");
	}
	for (size_t i = 0; i < listing->count; i++)
		order[i] = &listing->rows[i];
	qsort(order, listing->count, sizeof(*order), compare);
	for (size_t i = 0; i < listing->count; i++)
		rows[i] = *order[i];
	free(order);
	free(listing->rows);
	listing->rows = rows;
	listing->room = listing->count;
	return 0;
}

static int
compare_key(const void *key, const void *row)
{
	const struct listed *listed = row;

	return serial_compare(key, &listed->serial);
}

struct listed *
listing_find(const struct listing *listing, const struct serial *serial)
{
	return listing->count == 0
	    ? NULL
	    : bsearch(serial, listing->rows, listing->count,
		  sizeof(listing->rows[0]), compare_key);
}

size_t
listing_drop(struct listing *listing)
{
	size_t kept = 0, dropped;

	for (size_t i = 0; i < listing->count; i++)
		if (!listing->rows[i].drop)
			listing->rows[kept++] = listing->rows[i];
	dropped = listing->count - kept;
	listing->count = kept;
	return dropped;
}

/* ---- texts -------------------------------------------------------------- */

#define REVOCATIONS_HEAD "ca-tool-revocations-1\n"
#define ISSUED_HEAD "ca-tool-issued-1\n"

enum {
	/* More than a line of either has: a serial, three dates, a hash. */
	LINE_ROOM = SERIAL_HEX_SIZE + 3 * DATE_TEXT_SIZE + 80,
};

static void
put_date(int64_t date, char ret_text[DATE_TEXT_SIZE])
{
	if (date == 0)
		memcpy(ret_text, "-", 2);
	else
		date_format(date, ret_text);
}

static int
revocation_line(const struct listed *row, char *line)
{
	char serial[SERIAL_HEX_SIZE], date[DATE_TEXT_SIZE],
	    invalidity[DATE_TEXT_SIZE], expires[DATE_TEXT_SIZE];

	serial_hex(&row->serial, serial);
	put_date(row->date, date);
	put_date(row->invalidity, invalidity);
	put_date(row->expires, expires);
	return snprintf(line, LINE_ROOM, "%s %s %s %s %s\n", serial, date,
	    reason_name(row->reason), invalidity, expires);
}

static int
issued_line(const struct listed *row, char *line)
{
	static const char *const kinds[] = { "-", "ee", "ca" };
	char serial[SERIAL_HEX_SIZE], expires[DATE_TEXT_SIZE];
	char sha256[2 * sizeof(row->sha256) + 1] = "-";

	serial_hex(&row->serial, serial);
	put_date(row->expires, expires);
	if (row->has_sha256)
		text_hex_into(row->sha256, sizeof(row->sha256), sha256);
	return snprintf(line, LINE_ROOM, "%s %s %s %s\n", serial, expires,
	    kinds[row->ca + 1], sha256);
}

/* Twice as large as before, where it is too small for a line. */
static int
make_room(unsigned char **text, size_t len, size_t *room)
{
	size_t larger = *room * 2;
	unsigned char *bytes;

	if (*room - len >= LINE_ROOM)
		return 0;
	bytes = realloc(*text, larger);
	if (bytes == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	*text = bytes;
	*room = larger;
	return 0;
}

static int
write_text(const struct listing *listing, const char *head,
    int (*line)(const struct listed *row, char *line), unsigned char **ret_text,
    size_t *ret_len)
{
	size_t room = 4096, len = strlen(head);
	AUTO_BYTES(text) = malloc(room);

	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	memcpy(text, head, len);
	for (size_t i = 0; i < listing->count; i++) {
		if (make_room(&text, len, &room) < 0)
			return -1;
		len += (size_t)line(&listing->rows[i], (char *)text + len);
	}
	*ret_text = TAKE(text);
	*ret_len = len;
	return 0;
}

int
listing_revocations_text(
    const struct listing *listing, unsigned char **ret_text, size_t *ret_len)
{
	return write_text(
	    listing, REVOCATIONS_HEAD, revocation_line, ret_text, ret_len);
}

int
listing_issued_text(
    const struct listing *listing, unsigned char **ret_text, size_t *ret_len)
{
	return write_text(listing, ISSUED_HEAD, issued_line, ret_text, ret_len);
}

/* ---- reading ------------------------------------------------------------ */

/* "SERIAL EXPIRES CA SHA256", as issued_line() wrote it. */
static int
read_issued(const char *line, size_t len, struct listed *row)
{
	char text[LINE_ROOM], serial[LINE_ROOM], expires[LINE_ROOM],
	    kind[LINE_ROOM], sha256[LINE_ROOM], end;
	AUTO_BYTES(digest) = NULL;
	size_t digest_len = 0;

	if (len >= sizeof(text))
		return -1;
	memcpy(text, line, len);
	text[len] = '\0';
	if (sscanf(text, "%s %s %s %s%c", serial, expires, kind, sha256,
		&end) != 4 ||
	    serial_from_hex(serial, strlen(serial), &row->serial) < 0)
		return -1;
	if (strcmp(expires, "-") != 0 && date_parse(expires, &row->expires) < 0)
		return -1;
	row->ca = (signed char)(strcmp(kind, "ca") == 0 ? 1
		: strcmp(kind, "ee") == 0               ? 0
							: -1);
	if (strcmp(sha256, "-") == 0)
		return 0;
	if (text_unhex(sha256, &digest, &digest_len) < 0 ||
	    digest_len != sizeof(row->sha256))
		return -1;
	memcpy(row->sha256, digest, digest_len);
	row->has_sha256 = true;
	return 0;
}

int
listing_issued_read(
    const unsigned char *text, size_t len, struct listing *ret_listing)
{
	AUTO_STRUCT(listing) listing = { 0 };
	const char *p = (const char *)text, *const end = p + len;
	const size_t head = strlen(ISSUED_HEAD);

	if (len < head || memcmp(p, ISSUED_HEAD, head) != 0)
		return ca_error(CA_R_CORRUPT,
		    "this is no list of certificates issued elsewhere");
	for (p += head; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		struct listed row = { .ca = -1 };

		if (newline == NULL ||
		    read_issued(p, (size_t)(newline - p), &row) < 0)
			return ca_error(CA_R_CORRUPT,
			    "a line of a list of certificates is malformed");
		if (listing_add(&listing, &row) < 0)
			return -1;
		p = newline + 1;
	}
	*ret_listing = listing;
	listing = (struct listing){ 0 }; /* moved out */
	return 0;
}
