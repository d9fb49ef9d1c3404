/*
 * Entries against each other: serials that stand twice in a CRL whose entries
 * do not ascend, and what became of the entries of the CRL before.
 *
 * Where serials ascend in both, two cursors go side by side and nothing is
 * kept.  Where they do not, 8 octets an entry are kept and sorted in place:
 * 60 bits of a keyed hash of the serial, and 4 of the reason.  The key is
 * random, so that nobody can choose serials that collide; what is reported as
 * standing twice is compared octet by octet first.
 */
#include <inttypes.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "base/error.h"
#include "profiles/lint/crl-private.h"

enum { KEY_SIZE = 16, REASON_BITS = 4, REASON_MASK = (1 << REASON_BITS) - 1 };

CLEANUP_DEFINE(EVP_MAC, EVP_MAC_free);
CLEANUP_DEFINE(EVP_MAC_CTX, EVP_MAC_CTX_free);

/* The entries' serials, each as a number that differs from the others'. */
struct serials {
	uint64_t *rows; /* hash above, reason below; sorted */
	size_t count;
	unsigned char key[KEY_SIZE];
	EVP_MAC_CTX *mac;
};

static void
serials_clear(struct serials *serials)
{
	free(serials->rows);
	EVP_MAC_CTX_free(serials->mac);
	*serials = (struct serials){ NULL, 0, { 0 }, NULL };
}
CLEANUP_DEFINE_STRUCT(serials);

static int
mac_open(struct serials *serials)
{
	AUTO(EVP_MAC) *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_SIPHASH, NULL);
	AUTO(EVP_MAC_CTX) *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
	size_t size = sizeof(uint64_t);
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
		OSSL_PARAM_construct_end(),
	};

	if (ctx == NULL || RAND_bytes(serials->key, KEY_SIZE) != 1 ||
	    EVP_MAC_CTX_set_params(ctx, params) != 1)
		return ca_error(CA_R_INTERNAL, "'SipHash' is not available");
	serials->mac = TAKE(ctx);
	return 0;
}

static int
hash(const struct serials *serials, struct der serial, uint64_t *ret_hash)
{
	unsigned char out[sizeof(uint64_t)];
	uint64_t value;
	size_t len;

	if (EVP_MAC_init(serials->mac, serials->key, KEY_SIZE, NULL) != 1 ||
	    EVP_MAC_update(serials->mac, serial.p, serial.len) != 1 ||
	    EVP_MAC_final(serials->mac, out, &len, sizeof out) != 1 ||
	    len != sizeof out)
		return ca_error(CA_R_INTERNAL, "cannot compute a hash");
	memcpy(&value, out, sizeof value);
	*ret_hash = value & ~(uint64_t)REASON_MASK;
	return 0;
}

/*
 * In place, by one bit after the other from the highest: 64 passes at most,
 * whatever the values are, and no deeper recursion than that.
 */
static void
sort(uint64_t *rows, size_t count, unsigned bit)
{
	size_t low = 0, high = count;
	uint64_t swapped;

	while (low < high) {
		if ((rows[low] >> bit & 1) == 0) {
			low++;
			continue;
		}
		high--;
		swapped = rows[low];
		rows[low] = rows[high];
		rows[high] = swapped;
	}
	if (bit == 0)
		return;
	if (low > 1)
		sort(rows, low, bit - 1);
	if (count - low > 1)
		sort(rows + low, count - low, bit - 1);
}

static int
read_serials(const struct der_source *source,
    const struct lint_crl_state *state, struct serials *serials)
{
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct lint_crl_entry entry;
	uint64_t value;
	bool there;

	if (lint_crl_entries(source, state, &stream) != 0)
		return -1;
	while (serials->count < state->entries) {
		if (lint_crl_entry_next(&stream, &entry, &there) != 0 ||
		    (there && hash(serials, entry.serial, &value) != 0))
			return -1;
		if (!there)
			break;
		serials->rows[serials->count++] = value |
		    ((unsigned)lint_crl_entry_reason(&entry) & REASON_MASK);
	}
	return 0;
}

/* All serials of a CRL, sorted. */
static int
serials_open(const struct der_source *source,
    const struct lint_crl_state *state, struct serials *ret_serials)
{
	enum { HIGHEST_BIT = 63 };
	AUTO_STRUCT(serials) serials = { .rows = NULL };

	if (state->entries > CRL_SORTED_MAX)
		return ca_error(CA_R_POLICY,
		    "the serial numbers of %" PRIu64 " entries do not ascend, "
		    "and at most %d can be sorted: sort them by serial number",
		    state->entries, CRL_SORTED_MAX);
	serials.rows = calloc((size_t)state->entries + 1, sizeof *serials.rows);
	if (serials.rows == NULL)
		return ca_error(CA_R_MEMORY,
		    "no memory for %" PRIu64 " serial numbers", state->entries);
	if (mac_open(&serials) != 0 ||
	    read_serials(source, state, &serials) != 0)
		return -1;
	sort(serials.rows, serials.count, HIGHEST_BIT);
	*ret_serials = serials;
	serials = (struct serials){ .rows = NULL };
	return 0;
}

/* The first row with this hash or a higher one. */
static size_t
find(const struct serials *serials, uint64_t value)
{
	size_t low = 0, high = serials->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (serials->rows[middle] < value)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
has_hash(const struct serials *serials, size_t at, uint64_t value)
{
	return at < serials->count &&
	    (serials->rows[at] & ~(uint64_t)REASON_MASK) == value;
}

/* ---- serials that stand twice ------------------------------------------- */

/* Hashes that stand twice, and the first serial with each. */
struct twices {
	struct {
		uint64_t hash;
		unsigned char *serial; /* of the first entry; NULL: not yet */
		size_t len;
	} rows[CRL_NOTES_KEPT];
	size_t count;
	uint64_t total; /* of entries that stand a second time */
};

static void
twices_clear(struct twices *twices)
{
	for (size_t i = 0; i < twices->count; i++)
		free(twices->rows[i].serial);
	twices->count = 0;
}
CLEANUP_DEFINE_STRUCT(twices);

static void
find_twices(const struct serials *serials, struct twices *twices)
{
	uint64_t value;

	for (size_t i = 1; i < serials->count; i++) {
		value = serials->rows[i] & ~(uint64_t)REASON_MASK;
		if (!has_hash(serials, i - 1, value))
			continue;
		twices->total++;
		if (twices->count < CRL_NOTES_KEPT &&
		    (twices->count == 0 ||
			twices->rows[twices->count - 1].hash != value))
			twices->rows[twices->count++].hash = value;
	}
}

static int
look_at_twice(struct lint_crl_state *state, struct twices *twices, size_t i,
    const struct lint_crl_entry *entry)
{
	if (twices->rows[i].serial == NULL) {
		twices->rows[i].serial = malloc(entry->serial.len + 1);
		if (twices->rows[i].serial == NULL)
			return ca_error(
			    CA_R_MEMORY, "no memory for a serial number");
		memcpy(
		    twices->rows[i].serial, entry->serial.p, entry->serial.len);
		twices->rows[i].len = entry->serial.len;
		return 0;
	}
	if (der_equal(
		entry->serial, twices->rows[i].serial, twices->rows[i].len))
		lint_crl_note(state, CRL_NOTE_DUPLICATE, entry->offset,
		    entry->serial,
		    "its serial number stands in an earlier entry, too");
	return 0;
}

/* Name them: one more pass, which compares the octets themselves. */
static int
note_twices(const struct der_source *source, struct lint_crl_state *state,
    const struct serials *serials, struct twices *twices)
{
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct lint_crl_entry entry;
	uint64_t value;
	bool there;

	if (lint_crl_entries(source, state, &stream) != 0)
		return -1;
	for (;;) {
		if (lint_crl_entry_next(&stream, &entry, &there) != 0)
			return -1;
		if (!there)
			return 0;
		if (hash(serials, entry.serial, &value) != 0)
			return -1;
		for (size_t i = 0; i < twices->count; i++)
			if (twices->rows[i].hash == value &&
			    look_at_twice(state, twices, i, &entry) != 0)
				return -1;
	}
}

int
lint_crl_duplicates(
    const struct der_source *source, struct lint_crl_state *state)
{
	struct lint_crl_notes *notes = &state->notes[CRL_NOTE_DUPLICATE];
	AUTO_STRUCT(serials) serials = { .rows = NULL };
	AUTO_STRUCT(twices) twices = { .count = 0 };

	if (state->by_serial)
		return 0;
	notes->count = 0;
	if (serials_open(source, state, &serials) != 0)
		return -1;
	find_twices(&serials, &twices);
	if (twices.count == 0)
		return 0;
	if (note_twices(source, state, &serials, &twices) != 0)
		return -1;
	if (notes->count > 0 && notes->count < twices.total)
		notes->count = twices.total;
	return 0;
}

/* ---- against the CRL before --------------------------------------------- */

/*
 * An entry may leave when a CRL issued after its certificate's notAfter has
 * carried it (RFC 5280, section 3.3).  notAfter is not told, but what was
 * revoked on a day had not expired by then.
 */
static void
note_gone(struct lint_crl_state *s, const struct lint_crl_entry *e)
{
	const struct lint_time *before = &s->previous->this_update;

	if (e->date_valid && e->seconds > s->left_date)
		s->left_date = e->seconds;
	if (e->date_valid && before->valid && e->seconds >= before->seconds)
		lint_crl_note(s, CRL_NOTE_LOST, CRL_OFFSET_UNKNOWN, e->serial,
		    "it is gone, and the CRL before cannot have been issued "
		    "after its certificate expired: it was revoked no earlier "
		    "than that CRL");
	else
		lint_crl_note(s, CRL_NOTE_LEFT, CRL_OFFSET_UNKNOWN, e->serial,
		    "it is gone");
}

static void
note_changed(struct lint_crl_state *s, uint64_t offset, struct der serial,
    int before, int now)
{
	if (before == CRL_REASON_KEY_COMPROMISE &&
	    now != CRL_REASON_KEY_COMPROMISE)
		lint_crl_note(s, CRL_NOTE_REASON_CHANGED, offset, serial,
		    "its reason was keyCompromise in the CRL before and is "
		    "%d now",
		    now);
}

/* Serials ascend in both: side by side. */
static int
merge(
    struct lint_crl_state *s, struct der_stream *now, struct der_stream *before)
{
	struct lint_crl_entry a, b;
	bool has_a, has_b;
	int order;

	if (lint_crl_entry_next(now, &a, &has_a) != 0 ||
	    lint_crl_entry_next(before, &b, &has_b) != 0)
		return -1;
	while (has_b) {
		order = has_a ? lint_crl_serial_order(a.serial, b.serial) : 1;
		if (order > 0)
			note_gone(s, &b);
		if (order == 0)
			note_changed(s, a.offset, a.serial,
			    lint_crl_entry_reason(&b),
			    lint_crl_entry_reason(&a));
		if (order >= 0 && lint_crl_entry_next(before, &b, &has_b) != 0)
			return -1;
		if (order < 0 && lint_crl_entry_next(now, &a, &has_a) != 0)
			return -1;
	}
	return 0;
}

static int
compare_sorted(const struct der_source *source,
    const struct der_source *previous, struct lint_crl_state *s)
{
	AUTO_STRUCT(der_stream) now = { .source = NULL };
	AUTO_STRUCT(der_stream) before = { .source = NULL };

	if (lint_crl_entries(source, s, &now) != 0 ||
	    lint_crl_entries(previous, s->previous, &before) != 0)
		return -1;
	return merge(s, &now, &before);
}

/* They do not: each of the CRL before is looked up. */
static int
compare_hashed(const struct der_source *source,
    const struct der_source *previous, struct lint_crl_state *s)
{
	AUTO_STRUCT(serials) serials = { .rows = NULL };
	AUTO_STRUCT(der_stream) before = { .source = NULL };
	struct lint_crl_entry entry;
	uint64_t value;
	bool there;
	size_t at;

	if (serials_open(source, s, &serials) != 0 ||
	    lint_crl_entries(previous, s->previous, &before) != 0)
		return -1;
	for (;;) {
		if (lint_crl_entry_next(&before, &entry, &there) != 0)
			return -1;
		if (!there)
			return 0;
		if (hash(&serials, entry.serial, &value) != 0)
			return -1;
		at = find(&serials, value);
		if (!has_hash(&serials, at, value))
			note_gone(s, &entry);
		else
			note_changed(s, CRL_OFFSET_UNKNOWN, entry.serial,
			    lint_crl_entry_reason(&entry),
			    (int)(serials.rows[at] & REASON_MASK));
	}
}

int
lint_crl_compare(const struct der_source *source,
    const struct der_source *previous, struct lint_crl_state *s)
{
	s->left_date = INT64_MIN;
	if (s->previous->entries == 0)
		return 0;
	return s->by_serial && s->previous->by_serial
	    ? compare_sorted(source, previous, s)
	    : compare_hashed(source, previous, s);
}
