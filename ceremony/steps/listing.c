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

/* What is equal keeps its order. */
static int
compare(const void *a, const void *b, void *ctx)
{
	const struct listed *rows = ctx;
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = serial_compare(&rows[x].serial, &rows[y].serial);

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

/* Row order[i] comes to place i, within the array: a cycle at a time. */
static void
permute(struct listed *rows, uint32_t *order, uint32_t count)
{
	for (uint32_t first = 0; first < count; first++) {
		const struct listed kept = rows[first];
		uint32_t to = first, from = order[first];

		while (from != first) {
			rows[to] = rows[from];
			order[to] = to;
			to = from;
			from = order[to];
		}
		rows[to] = kept;
		order[to] = to;
	}
}

/* By numbers: the rows are large, and there is no room for them twice. */
int
listing_sort(struct listing *listing)
{
	uint32_t *order;

	if (ascends(listing))
		return 0;
	if (listing->count > UINT32_MAX)
		return ca_error(CA_R_INPUT, "the list is too long");
	order = calloc(listing->count, sizeof(*order));
	if (order == NULL)
		return ca_error(CA_R_MEMORY, "no memory to sort a list");
	for (size_t i = 0; i < listing->count; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, listing->count, sizeof(*order), compare, listing->rows);
	permute(listing->rows, order, (uint32_t)listing->count);
	free(order);
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

static int
write_text(const struct listing *listing, const char *head,
    int (*line)(const struct listed *row, char *line), int scratch,
    struct spilled *ret_text)
{
	AUTO_STRUCT(spill) spill = { .fd = -1 };
	unsigned char *room = NULL;

	if (spill_open(scratch, &spill) < 0 ||
	    spill_add(&spill, (const unsigned char *)head, strlen(head)) < 0)
		return -1;
	for (size_t i = 0; i < listing->count; i++) {
		if (spill_room(&spill, LINE_ROOM, &room) < 0)
			return -1;
		spill.fill += (size_t)line(&listing->rows[i], (char *)room);
	}
	return spill_take(&spill, ret_text);
}

int
listing_revocations_text(
    const struct listing *listing, int scratch, struct spilled *ret_text)
{
	return write_text(
	    listing, REVOCATIONS_HEAD, revocation_line, scratch, ret_text);
}

int
listing_issued_text(
    const struct listing *listing, int scratch, struct spilled *ret_text)
{
	return write_text(listing, ISSUED_HEAD, issued_line, scratch, ret_text);
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

static int
malformed(void)
{
	return ca_error(
	    CA_R_CORRUPT, "a line of a list of certificates is malformed");
}

static int
check_head(const struct spilled *text)
{
	const size_t head = strlen(ISSUED_HEAD);

	return text->len >= head && memcmp(text->data, ISSUED_HEAD, head) == 0
	    ? 0
	    : ca_error(CA_R_CORRUPT,
		  "this is no list of certificates issued elsewhere");
}

/* The line at octet `at`, and where the next one begins. */
static int
read_line(const struct spilled *text, size_t at, size_t *ret_next,
    struct listed *ret_row)
{
	const char *p = (const char *)text->data + at;
	const char *newline = memchr(p, '\n', text->len - at);
	struct listed row = { .ca = -1 };

	if (newline == NULL || read_issued(p, (size_t)(newline - p), &row) < 0)
		return malformed();
	*ret_next = at + (size_t)(newline - p) + 1;
	*ret_row = row;
	return 0;
}

int
issued_text_each(const struct spilled *text,
    int (*visit)(void *ctx, const struct listed *row), void *ctx)
{
	enum { PASSED = 1 << 20 };
	size_t passed = 0;
	struct listed row;

	if (check_head(text) < 0)
		return -1;
	for (size_t at = strlen(ISSUED_HEAD); at < text->len;) {
		if (read_line(text, at, &at, &row) < 0 || visit(ctx, &row) != 0)
			return -1;
		if (at - passed > PASSED)
			spilled_pass(text, passed = at);
	}
	return 0;
}

/* Lines differ in length: of the middle octet, the line is taken. */
int
issued_text_find(const struct spilled *text, const struct serial *serial,
    bool *ret_found, struct listed *ret_row)
{
	const char *data = (const char *)text->data;
	size_t low = strlen(ISSUED_HEAD), high = text->len;

	*ret_found = false;
	if (check_head(text) < 0)
		return -1;
	while (low < high) {
		size_t at = low + (high - low) / 2, next = 0;
		struct listed row;
		int order;

		while (at > low && data[at - 1] != '\n')
			at--;
		if (read_line(text, at, &next, &row) < 0)
			return -1;
		order = serial_compare(serial, &row.serial);
		if (order == 0) {
			*ret_row = row;
			*ret_found = true;
			return 0;
		}
		if (order < 0)
			high = at;
		else
			low = next;
	}
	return 0;
}

/* ---- what an act revokes -------------------------------------------------- */

static struct planned_revocation
planned(const struct listed *row)
{
	struct planned_revocation one = {
		.serial_len = row->serial.len,
		.date = row->date,
		.reason = (int)row->reason,
		.invalidity = row->invalidity,
		.expires = row->expires,
	};

	memcpy(one.serial, row->serial.octets, row->serial.len);
	return one;
}

int
listed_plan(const struct listed *row, struct built_act *act)
{
	const struct planned_revocation one = planned(row);

	return act_plan(act, &one, 1);
}

int
listing_plan(const struct listing *listing, int scratch, struct built_act *act)
{
	AUTO_STRUCT(spill) spill = { .fd = -1 };

	if (listing->count == 0)
		return 0;
	if (spill_open(scratch, &spill) < 0)
		return -1;
	for (size_t i = 0; i < listing->count; i++) {
		const struct planned_revocation one =
		    planned(&listing->rows[i]);

		if (spill_add(
			&spill, (const unsigned char *)&one, sizeof(one)) < 0)
			return -1;
	}
	if (spill_take(&spill, &act->planned) < 0)
		return -1;
	act->revoked = (const void *)act->planned.data;
	act->revoked_count = listing->count;
	return 0;
}
