/* One pass over a CRL: its frame, its digest, and its entries one by one. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/der/time.h"
#include "profiles/lint/crl-private.h"

enum {
	TAG_EXTENSIONS = 0xa0,
	MAX_UNUSED_BITS = 7,
	SERIAL_KEPT = 64, /* octets of the serial before, for the order */
	SERIAL_SHOWN = 20,
};

/* The entry before, to tell in which order they stand. */
struct last {
	unsigned char serial[SERIAL_KEPT];
	size_t serial_len;
	int64_t seconds;
};

/* ---- notes -------------------------------------------------------------- */

static void
show_serial(struct der serial, char ret_text[2 * SERIAL_SHOWN + 4])
{
	const size_t len =
	    serial.len < SERIAL_SHOWN ? serial.len : SERIAL_SHOWN;

	text_hex_into(serial.p, len, ret_text);
	if (serial.len > SERIAL_SHOWN)
		(void)snprintf(ret_text + 2 * len, sizeof "...", "...");
}

void
lint_crl_note(struct lint_crl_state *state, enum lint_crl_note_kind kind,
    uint64_t offset, struct der serial, const char *fmt, ...)
{
	struct lint_crl_notes *notes = &state->notes[kind];
	char shown[2 * SERIAL_SHOWN + 4];
	struct lint_crl_note *note;
	int used = 0;
	va_list ap;

	if (notes->count++ >= CRL_NOTES_KEPT)
		return;
	note = &notes->rows[notes->count - 1];
	note->offset = offset;
	if (serial.len > 0) {
		show_serial(serial, shown);
		used = snprintf(
		    note->text, sizeof note->text, "entry %s: ", shown);
	}
	va_start(ap, fmt);
	(void)vsnprintf(
	    note->text + used, sizeof note->text - (size_t)used, fmt, ap);
	va_end(ap);
}

/* ---- head --------------------------------------------------------------- */

static int
malformed(const char *what, uint64_t offset)
{
	return ca_error(CA_R_INPUT,
	    "no %s can be read at octet %" PRIu64
	    ": this is not DER, or not a CRL",
	    what, offset);
}

/* The frame's lengths; all of them from the two first headers. */
struct frame {
	uint64_t tbs;     /* octet at which tbsCertList begins */
	uint64_t tbs_end; /* and behind which it ends */
	size_t body;      /* octet at which its contents begin */
};

static int
read_frame(struct der octets, uint64_t len, struct frame *ret_frame)
{
	struct der_header outer, tbs;
	struct der in = octets;

	if (!der_header_read(in, &outer) || outer.tag != DER_SEQUENCE ||
	    outer.header + outer.len > len)
		return malformed("CertificateList", 0);
	if (outer.header + outer.len < len)
		return ca_error(CA_R_INPUT,
		    "%" PRIu64 " octets follow the CRL, from octet %" PRIu64
		    " on",
		    len - outer.header - outer.len, outer.header + outer.len);
	in.p += outer.header;
	in.len -= outer.header;
	if (!der_header_read(in, &tbs) || tbs.tag != DER_SEQUENCE ||
	    tbs.header + tbs.len > outer.len)
		return malformed("TBSCertList", outer.header);
	*ret_frame = (struct frame){ .tbs = outer.header,
		.tbs_end = outer.header + tbs.header + tbs.len,
		.body = outer.header + tbs.header };
	return 0;
}

/* version to nextUpdate; *ret_len is where they end. */
static int
read_head(struct lint_crl_state *s, struct der octets,
    const struct frame *frame, size_t *ret_len)
{
	struct der in = { octets.p + frame->body, octets.len - frame->body };

	if (in.len > frame->tbs_end - frame->body)
		in.len = (size_t)(frame->tbs_end - frame->body);
	s->version = (struct der){ NULL, 0 };
	(void)der_take(&in, DER_INTEGER, NULL, &s->version);
	if (!der_take(&in, DER_SEQUENCE, NULL, &s->alg))
		return malformed(
		    "signature algorithm", (uint64_t)(in.p - octets.p));
	if (!lint_take_name(&in, &s->issuer))
		return malformed("issuer's name", (uint64_t)(in.p - octets.p));
	if (!lint_take_time(&in, &s->this_update))
		return malformed("thisUpdate", (uint64_t)(in.p - octets.p));
	s->has_next_update = der_next_is(&in, DER_UTC_TIME) ||
	    der_next_is(&in, DER_GENERALIZED_TIME);
	if (s->has_next_update && !lint_take_time(&in, &s->next_update))
		return malformed("nextUpdate", (uint64_t)(in.p - octets.p));
	*ret_len = (size_t)(in.p - octets.p);
	return 0;
}

static int
copy_octets(struct der octets, unsigned char **ret_copy)
{
	unsigned char *copy = malloc(octets.len + 1);

	if (copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	memcpy(copy, octets.p, octets.len);
	*ret_copy = copy;
	return 0;
}

/* From the window once, to learn how long it is, then from its copy. */
static int
take_head(struct lint_crl_state *s, struct der_stream *stream,
    struct frame *ret_frame)
{
	struct frame frame;
	struct der window;

	if (der_stream_peek(stream, CRL_PART_MAX, &window) != 0 ||
	    read_frame(window, s->len, &frame) != 0 ||
	    read_head(s, window, &frame, &s->head_len) != 0)
		return -1;
	window.len = s->head_len;
	if (copy_octets(window, &s->head) != 0 ||
	    read_head(s, (struct der){ s->head, s->head_len }, &frame,
		&s->head_len) != 0)
		return -1;
	*ret_frame = frame;
	return 0;
}

/* From tbsCertList's first octet on, everything is digested. */
static int
begin_digest(struct lint_crl_state *s, struct der_stream *stream,
    const struct frame *frame, EVP_MD_CTX *ctx)
{
	AUTO(EVP_MD) *md = NULL;

	if (der_stream_pass(stream, (size_t)frame->tbs) != 0)
		return -1;
	s->sigalg = sigalg_by_der(s->alg.p, s->alg.len);
	if (s->sigalg != NULL) {
		md = EVP_MD_fetch(NULL, s->sigalg->digest, NULL);
		if (md == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
			return ca_error(CA_R_INTERNAL, "'%s' is not available",
			    s->sigalg->digest);
		stream->digest = ctx;
	}
	return der_stream_pass(stream, s->head_len - (size_t)frame->tbs);
}

/* ---- entries ------------------------------------------------------------ */

static bool
read_entry(struct der element, struct lint_crl_entry *e)
{
	struct der in = element, body, value;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL) ||
	    !der_take(&body, DER_INTEGER, &e->serial, NULL))
		return false;
	e->date_tag = body.len > 0 ? body.p[0] : 0;
	if ((e->date_tag != DER_UTC_TIME &&
		e->date_tag != DER_GENERALIZED_TIME) ||
	    !der_take(&body, e->date_tag, &value, &e->date))
		return false;
	e->date_valid = der_time_read(e->date_tag, value, &e->seconds);
	e->has_extensions = der_take(&body, DER_SEQUENCE, &e->extensions, NULL);
	return body.len == 0;
}

int
lint_crl_entries(const struct der_source *source,
    const struct lint_crl_state *state, struct der_stream *ret_stream)
{
	if (der_stream_open(source, state->entries_offset, ret_stream) != 0)
		return -1;
	ret_stream->end = state->entries_end;
	return 0;
}

int
lint_crl_entry_next(struct der_stream *stream, struct lint_crl_entry *ret_entry,
    bool *ret_there)
{
	struct lint_crl_entry entry = { .offset = stream->offset };

	if (stream->offset >= stream->end) {
		*ret_there = false;
		return 0;
	}
	if (der_stream_element(
		stream, "entry", CRL_ENTRY_MAX, &entry.element) != 0)
		return -1;
	if (!read_entry(entry.element, &entry))
		return malformed("entry", entry.offset);
	*ret_entry = entry;
	*ret_there = true;
	return 0;
}

int
lint_crl_serial_order(struct der a, struct der b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

/* RFC 5280 knows no order; CRL-ORDER and the way to find duplicates do. */
static void
note_order(struct lint_crl_state *s, const struct lint_crl_entry *e,
    const struct last *last)
{
	const struct der before = { last->serial, last->serial_len };
	const bool sorted = s->by_serial || s->by_date;
	const int order = lint_crl_serial_order(before, e->serial);

	if (e->serial.len > SERIAL_KEPT || order > 0)
		s->by_serial = false;
	if (e->serial.len > SERIAL_KEPT || last->seconds > e->seconds ||
	    (last->seconds == e->seconds && order > 0))
		s->by_date = false;
	if (order == 0 && s->entries > 0)
		lint_crl_note(s, CRL_NOTE_DUPLICATE, e->offset, e->serial,
		    "its serial number stands in the entry before, too");
	if (sorted && !s->by_serial && !s->by_date)
		lint_crl_note(s, CRL_NOTE_ORDER, e->offset, e->serial,
		    "here the entries ascend neither by revocationDate and "
		    "serial number nor by serial number alone");
}

static void
keep_last(const struct lint_crl_entry *e, struct last *last)
{
	last->serial_len =
	    e->serial.len < SERIAL_KEPT ? e->serial.len : SERIAL_KEPT;
	memcpy(last->serial, e->serial.p, last->serial_len);
	last->seconds = e->seconds;
}

static int
walk_entries(struct lint_crl_state *s, struct der_stream *stream)
{
	struct last last = { .serial_len = 0, .seconds = INT64_MIN };
	struct lint_crl_entry entry;
	bool there;

	s->by_serial = s->by_date = true;
	for (;;) {
		if (lint_crl_entry_next(stream, &entry, &there) != 0)
			return -1;
		if (!there)
			return 0;
		lint_crl_entry_check(s, &entry);
		note_order(s, &entry, &last);
		keep_last(&entry, &last);
		s->entries++;
	}
}

/* revokedCertificates, if it is there. */
static int
take_entries(struct lint_crl_state *s, struct der_stream *stream,
    const struct frame *frame)
{
	struct der_header h;
	struct der next;

	stream->end = frame->tbs_end;
	s->by_serial = s->by_date = true;
	if (der_stream_peek(stream, 1, &next) != 0)
		return -1;
	s->has_revoked = der_next_is(&next, DER_SEQUENCE);
	if (!s->has_revoked)
		return 0;
	if (der_stream_header(stream, &h) != 0 ||
	    der_stream_pass(stream, h.header) != 0)
		return -1;
	s->entries_offset = stream->offset;
	s->entries_end = stream->end = stream->offset + h.len;
	return walk_entries(s, stream);
}

/* ---- tail --------------------------------------------------------------- */

static int
read_extensions(struct lint_crl_state *s, struct der in)
{
	struct der outer, list;

	if (!der_take(&in, TAG_EXTENSIONS, &outer, &s->extensions_element) ||
	    in.len != 0 || !der_take(&outer, DER_SEQUENCE, &list, NULL) ||
	    outer.len != 0 || !lint_take_extensions(list, &s->extensions))
		return malformed("list of extensions", s->tail_offset);
	return 0;
}

static int
read_tail(struct lint_crl_state *s, size_t tbs_len)
{
	struct der tbs = { s->tail, tbs_len }, bits;
	struct der in = { s->tail + tbs_len, s->tail_len - tbs_len };

	if (tbs.len > 0 && read_extensions(s, tbs) != 0)
		return -1;
	if (!der_take(&in, DER_SEQUENCE, NULL, &s->alg_outer))
		return malformed(
		    "signature algorithm", lint_crl_offset(s, in.p));
	if (!der_take(&in, DER_BIT_STRING, &bits, NULL) || bits.len == 0 ||
	    bits.p[0] > MAX_UNUSED_BITS || in.len != 0)
		return malformed("signature", lint_crl_offset(s, in.p));
	s->signature_unused = bits.p[0];
	s->signature = (struct der){ bits.p + 1, bits.len - 1 };
	return 0;
}

static int
take_tail(struct lint_crl_state *s, struct der_stream *stream,
    const struct frame *frame)
{
	const uint64_t len = s->len - stream->offset;
	const size_t tbs_len = (size_t)(frame->tbs_end - stream->offset);
	unsigned digest_len = 0;
	struct der octets;

	s->tail_offset = stream->offset;
	stream->end = s->len;
	if (len > CRL_PART_MAX)
		return ca_error(CA_R_INPUT,
		    "%" PRIu64 " octets of extensions and signature begin at "
		    "octet %" PRIu64 "; at most %d are read",
		    len, stream->offset, CRL_PART_MAX);
	s->tail_len = (size_t)len;
	if (der_stream_peek(stream, s->tail_len, &octets) != 0 ||
	    copy_octets(octets, &s->tail) != 0 ||
	    der_stream_pass(stream, tbs_len) != 0)
		return -1;
	if (stream->digest != NULL) {
		if (EVP_DigestFinal_ex(
			stream->digest, s->digest, &digest_len) != 1)
			return ca_error(
			    CA_R_INTERNAL, "cannot compute a digest");
		s->digest_len = digest_len;
	}
	return read_tail(s, tbs_len);
}

uint64_t
lint_crl_offset(const struct lint_crl_state *state, const unsigned char *p)
{
	const uintptr_t at = (uintptr_t)p, tail = (uintptr_t)state->tail;

	if (at >= tail && at <= tail + state->tail_len)
		return state->tail_offset + (at - tail);
	return (uint64_t)(p - state->head);
}

/* ---- strictness of head and tail ---------------------------------------- */

static void
note_strict(struct lint_crl_state *s, struct der part, const char *what)
{
	size_t at;

	if (part.len > 0 && !der_is_strict(part.p, part.len, &at))
		lint_crl_note(s, CRL_NOTE_DER, lint_crl_offset(s, part.p) + at,
		    (struct der){ NULL, 0 }, "%s is not DER", what);
}

static void
note_extension(struct lint_crl_state *s, const struct lint_extension *row)
{
	note_strict(s, row->value, "an extension's value");
	if (row->critical_encoded && !row->critical)
		lint_crl_note(s, CRL_NOTE_DER,
		    lint_crl_offset(s, row->element.p), (struct der){ NULL, 0 },
		    "an extension's critical is encoded as FALSE, which is "
		    "its default and must be absent");
}

static void
note_parts(struct lint_crl_state *s)
{
	note_strict(s, s->version, "version");
	note_strict(s, s->alg, "the inner signature algorithm");
	note_strict(s, s->issuer.element, "issuer");
	note_strict(s, s->this_update.element, "thisUpdate");
	if (s->has_next_update)
		note_strict(s, s->next_update.element, "nextUpdate");
	note_strict(s, s->extensions_element, "the list of extensions");
	note_strict(s, s->alg_outer, "the outer signature algorithm");
	for (size_t i = 0; i < s->extensions.count; i++)
		note_extension(s, &s->extensions.rows[i]);
	if (s->extensions_element.len > 0 && s->extensions.count == 0)
		lint_crl_note(s, CRL_NOTE_DER, s->tail_offset,
		    (struct der){ NULL, 0 }, "the list of extensions is empty");
}

/* ---- the whole ---------------------------------------------------------- */

int
lint_crl_open(
    const struct der_source *source, struct lint_crl_state **ret_state)
{
	AUTO_PTR(lint_crl_state) *s = calloc(1, sizeof *s);
	AUTO(EVP_MD_CTX) *digest = EVP_MD_CTX_new();
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	struct frame frame;

	if (s == NULL || digest == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	s->len = source->len;
	if (der_stream_open(source, 0, &stream) != 0 ||
	    take_head(s, &stream, &frame) != 0 ||
	    begin_digest(s, &stream, &frame, digest) != 0 ||
	    take_entries(s, &stream, &frame) != 0 ||
	    take_tail(s, &stream, &frame) != 0)
		return -1;
	lint_crl_extensions_read(s);
	note_parts(s);
	*ret_state = TAKE(s);
	return 0;
}

void
lint_crl_state_free(struct lint_crl_state *state)
{
	if (state == NULL)
		return;
	lint_crl_state_free(state->previous);
	AUTHORITY_KEYID_free(state->aki);
	free(state->head);
	free(state->tail);
	free(state);
}
