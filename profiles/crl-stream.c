/*
 * CRLs of any length: OpenSSL encodes what stands around the entries, and they
 * go between as they come, each in its final octets.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "profiles/crl.h"
#include "profiles/der/stream.h"
#include "profiles/der/time.h"
#include "profiles/issuer.h"
#include "profiles/private.h"
#include "profiles/spill.h"

enum {
	/* SEQUENCE { serial, date, { reasonCode, invalidityDate } } */
	ENTRY_MAX = 128,
	FAULTS_SHOWN = 20,
};

struct crl_writer {
	const struct crl_request *request;
	struct findings *findings;
	struct tbs frame; /* the CRL without entries */
	struct der head;  /* in it: version to nextUpdate */
	struct der tail;  /* and the extensions */
	struct spill spill;
	size_t room; /* octets in front of the entries, for the head */
	uint64_t entries, faults;
	unsigned char last_serial[SERIAL_LEN];
	struct crl_entry last;
};

void
crl_writer_free(struct crl_writer *writer)
{
	tbs_clear(&writer->frame);
	spill_clear(&writer->spill);
	free(writer);
}

/* ---- the frame -------------------------------------------------------- */

/* RFC 5280, section 5.1: the entries stand between nextUpdate and [0]. */
static int
split_frame(struct crl_writer *w)
{
	struct der in = { w->frame.der, w->frame.len }, body, at;

	if (!der_take(&in, DER_SEQUENCE, &body, NULL))
		return ca_error(CA_R_INTERNAL, "a CRL without a frame");
	at = body;
	while (at.len > 0 && !der_next_is(&at, DER_CONTEXT_0))
		if (!der_take_any(&at, NULL, NULL))
			return ca_error(CA_R_INTERNAL, "a CRL without a frame");
	w->head = (struct der){ body.p, body.len - at.len };
	w->tail = at;
	return 0;
}

int
crl_writer_open(const struct crl_request *request, int dir,
    struct findings *findings, struct crl_writer **ret_writer)
{
	AUTO_PTR(crl_writer) *w = calloc(1, sizeof(*w));
	unsigned char *room;

	if (w == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	w->spill.fd = -1;
	w->request = request;
	w->findings = findings;
	if (request->entry_count != 0)
		return ca_error(CA_R_INTERNAL, "entries are added one by one");
	if (crl_build(request, &w->frame) != 0 || split_frame(w) != 0 ||
	    spill_open(dir, &w->spill) != 0)
		return -1;
	w->room = w->head.len + 2 * DER_HEADER_MAX;
	if (spill_room(&w->spill, w->room, &room) != 0)
		return -1;
	memset(room, 0, w->room);
	w->spill.fill += w->room;
	*ret_writer = TAKE(w);
	return 0;
}

/* ---- entries ---------------------------------------------------------- */

/* CRL-REASON-FORM; 0 is said by leaving it out (CRL-REASON-UNSPEC). */
static unsigned char *
put_reason(unsigned char *p, enum revocation_reason reason)
{
	static const unsigned char before[] = { 0x30, 0x0a, 0x06, 0x03, 0x55,
		0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };

	if (reason == REASON_NONE)
		return p;
	memcpy(p, before, sizeof(before));
	p[sizeof(before)] = (unsigned char)reason;
	return p + sizeof(before) + 1;
}

static unsigned char *
put_invalidity(unsigned char *p, int64_t invalidity)
{
	static const unsigned char before[] = { 0x30, 0x18, 0x06, 0x03, 0x55,
		0x1d, 0x18, 0x04, 0x11 };

	if (invalidity == 0)
		return p;
	memcpy(p, before, sizeof(before));
	p += sizeof(before);
	return p + der_time_write(invalidity, true, p);
}

/* All lengths are below 128, so that each has one octet. */
static size_t
put_entry(unsigned char *out, const struct crl_entry *entry)
{
	unsigned char *p = out + 2, *list;

	*p++ = DER_INTEGER;
	*p++ = (unsigned char)entry->serial_len;
	memcpy(p, entry->serial, entry->serial_len);
	p += entry->serial_len;
	p += der_time_write(entry->date, false, p);
	if (entry->reason != REASON_NONE || entry->invalidity != 0) {
		list = p;
		p = put_reason(p + 2, entry->reason);
		p = put_invalidity(p, entry->invalidity);
		list[0] = DER_SEQUENCE;
		list[1] = (unsigned char)(p - list - 2);
	}
	out[0] = DER_SEQUENCE;
	out[1] = (unsigned char)(p - out - 2);
	return (size_t)(p - out);
}

/* Anything wrong is shown a few times, and counted. */
static bool
is_good(struct crl_writer *w, const struct crl_entry *entry)
{
	AUTO_STRUCT(findings) beyond = { 0 };
	struct findings *findings =
	    w->faults < FAULTS_SHOWN ? w->findings : &beyond;
	const size_t errors = findings->errors;

	crl_check_entry(w->request, w->entries, entry, findings);
	if (w->entries > 0)
		crl_check_order(
		    w->request, w->entries, &w->last, entry, findings);
	if (findings->errors == errors)
		return true;
	w->faults++;
	return false;
}

int
crl_writer_add(struct crl_writer *w, const struct crl_entry *entry)
{
	unsigned char *room;

	if (entry->serial_len > SERIAL_LEN) {
		crl_check_entry(w->request, w->entries, entry, w->findings);
		w->faults++;
		return 0;
	}
	if (is_good(w, entry)) {
		if (spill_room(&w->spill, ENTRY_MAX, &room) != 0)
			return -1;
		w->spill.fill += put_entry(room, entry);
	}
	w->entries++;
	memcpy(w->last_serial, entry->serial, entry->serial_len);
	w->last.serial = w->last_serial;
	w->last.serial_len = entry->serial_len;
	return 0;
}

uint64_t
crl_writer_entries(const struct crl_writer *w)
{
	return w->entries;
}

/* ---- the end ---------------------------------------------------------- */

/* Right in front of the entries; *ret_at is its first octet. */
static int
put_head(struct crl_writer *w, uint64_t list_len, uint64_t *ret_at)
{
	unsigned char frame[DER_HEADER_MAX], list[DER_HEADER_MAX];
	size_t frame_len, list_header = 0;
	uint64_t at;

	/* CRL-EMPTY-ABSENT */
	if (list_len > 0)
		list_header = der_header_write(DER_SEQUENCE, list_len, list);
	frame_len = der_header_write(DER_SEQUENCE,
	    w->head.len + list_header + list_len + w->tail.len, frame);
	at = w->room - list_header - w->head.len - frame_len;
	if (spill_put(&w->spill, at, frame, frame_len) != 0 ||
	    spill_put(&w->spill, at + frame_len, w->head.p, w->head.len) != 0 ||
	    spill_put(&w->spill, at + frame_len + w->head.len, list,
		list_header) != 0)
		return -1;
	*ret_at = at;
	return 0;
}

static int
take_memory(struct crl_writer *w, uint64_t at, struct tbs *tbs)
{
	tbs->der = malloc(tbs->len);
	if (tbs->der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	memcpy(tbs->der, w->spill.buf + at, tbs->len);
	return sha256(tbs->der, tbs->len, tbs->sha256);
}

static int
take_file(struct crl_writer *w, uint64_t at, struct tbs *tbs)
{
	if (spill_flush(&w->spill) != 0)
		return -1;
	tbs->file = calloc(1, sizeof(*tbs->file));
	if (tbs->file == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	tbs->file->offset = at;
	tbs->file->fd = TAKE_FD(w->spill.fd);
	return tbs_file_digest(tbs);
}

static int
refuse_faults(struct crl_writer *w)
{
	if (w->faults > FAULTS_SHOWN)
		findings_add(w->findings, FINDING_ERROR, "CRL-ENTRIES",
		    w->request->place, "",
		    "%" PRIu64 " entries are refused; the first %d are named",
		    w->faults, FAULTS_SHOWN);
	return findings_refuse(w->findings, "the CRL");
}

int
crl_writer_finish(struct crl_writer *w, struct tbs *ret_tbs)
{
	AUTO_STRUCT(tbs) tbs = { .kind = OBJECT_CRL, .alg = w->frame.alg };
	const uint64_t list_len = spill_len(&w->spill) - w->room;
	uint64_t at = 0;

	if (w->faults > 0)
		return refuse_faults(w);
	if (spill_add(&w->spill, w->tail.p, w->tail.len) != 0 ||
	    put_head(w, list_len, &at) != 0)
		return -1;
	tbs.len = (size_t)(spill_len(&w->spill) - at);
	if ((w->spill.fd < 0 ? take_memory(w, at, &tbs)
			     : take_file(w, at, &tbs)) != 0)
		return -1;
	*ret_tbs = tbs;
	tbs = (struct tbs){ 0 }; /* moved out */
	return 0;
}
