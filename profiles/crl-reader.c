#include "profiles/crl-reader.h"

#include <inttypes.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/error.h"
#include "profiles/asn1.h"
#include "profiles/der/grammar.h"
#include "profiles/der/time.h"
#include "profiles/private.h"

enum {
	PART_MAX = 1 << 16, /* octets of the issuer, an entry, the extensions */
	VERSION_2 = 1,
};

struct reading {
	const char *name;
	struct der_stream stream;
	struct crl_head *head;
};

static void
reading_clear(struct reading *r)
{
	der_stream_clear(&r->stream);
}
CLEANUP_DEFINE_STRUCT(reading);

void
crl_head_clear(struct crl_head *head)
{
	free(head->issuer_der);
	free(head->signature);
	sk_X509_EXTENSION_pop_free(head->extensions, X509_EXTENSION_free);
	*head = (struct crl_head){ 0 };
}

static int
malformed(const struct reading *r, uint64_t offset, const char *what)
{
	return ca_error(CA_R_INPUT,
	    "'%s' is no CRL that can be read: its %s at octet %" PRIu64
	    " is malformed",
	    r->name, what, offset);
}

/* A failure of the machine is none of the CRL's. */
static int
failed(const struct reading *r, uint64_t offset, const char *what)
{
	if (ca_error_reason() != CA_R_INPUT)
		return -1;
	return malformed(r, offset, what);
}

/* ---- pieces ----------------------------------------------------------- */

/* One whole element, strict. */
static int
take(struct reading *r, unsigned tag, const char *what, struct der *ret)
{
	const uint64_t at = r->stream.offset;
	struct der element;
	size_t fault;

	if (der_stream_element(&r->stream, what, PART_MAX, &element) != 0)
		return failed(r, at, what);
	if (!der_next_is(&element, tag) ||
	    !der_is_strict(element.p, element.len, &fault))
		return malformed(r, at, what);
	*ret = element;
	return 0;
}

/* A SEQUENCE's header; *ret_end is behind its last octet. */
static int
enter(struct reading *r, const char *what, uint64_t *ret_end)
{
	const uint64_t at = r->stream.offset;
	struct der_header h;

	if (der_stream_header(&r->stream, &h) != 0)
		return failed(r, at, what);
	if (h.tag != DER_SEQUENCE)
		return malformed(r, at, what);
	*ret_end = at + h.header + h.len;
	return der_stream_pass(&r->stream, h.header);
}

static int
next_tag(struct reading *r, unsigned *ret_tag)
{
	struct der next;

	if (der_stream_peek(&r->stream, 1, &next) != 0)
		return -1;
	*ret_tag = next.len == 0 ? 0 : next.p[0];
	return 0;
}

/* UTCTime or GeneralizedTime. */
static bool
take_date(struct der *in, int64_t *ret_date)
{
	unsigned tag = in->len == 0 ? 0 : in->p[0];
	struct der value;

	return (tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME) &&
	    der_take(in, tag, &value, NULL) &&
	    der_time_read(tag, value, ret_date);
}

static int
take_time(struct reading *r, const char *what, int64_t *ret_date)
{
	const uint64_t at = r->stream.offset;
	struct der element;
	unsigned tag = 0;

	if (next_tag(r, &tag) != 0)
		return -1;
	if (take(r, tag, what, &element) != 0)
		return -1;
	return take_date(&element, ret_date) ? 0 : malformed(r, at, what);
}

/* ---- before the entries: RFC 5280, section 5.1.2 ---------------------- */

/* The same that peek_algorithm() saw. */
static int
read_algorithm(struct reading *r)
{
	struct der element;

	return take(r, DER_SEQUENCE, "signature algorithm", &element);
}

static int
read_version(struct reading *r)
{
	static const unsigned char v2[] = { DER_INTEGER, 1, VERSION_2 };
	const uint64_t at = r->stream.offset;
	struct der element;

	if (take(r, DER_INTEGER, "version", &element) != 0)
		return -1;
	return der_equal(element, v2, sizeof(v2)) ? 0
						  : malformed(r, at, "version");
}

static bool
is_name(struct der element)
{
	const unsigned char *p = element.p;
	AUTO(X509_NAME) *name = d2i_X509_NAME(NULL, &p, (long)element.len);

	ca_error_clear();
	return name != NULL && p == element.p + element.len;
}

static int
read_issuer(struct reading *r)
{
	const uint64_t at = r->stream.offset;
	struct der element;

	if (take(r, DER_SEQUENCE, "issuer", &element) != 0)
		return -1;
	if (!is_name(element))
		return malformed(r, at, "issuer");
	r->head->issuer_len = element.len;
	return asn1_copy(element.p, element.len, &r->head->issuer_der);
}

static int
read_before(struct reading *r)
{
	struct crl_head *head = r->head;

	if (read_version(r) != 0 || read_algorithm(r) != 0 ||
	    read_issuer(r) != 0)
		return -1;
	if (take_time(r, "thisUpdate", &head->this_update) != 0)
		return -1;
	return take_time(r, "nextUpdate", &head->next_update);
}

/* ---- entries ---------------------------------------------------------- */

/* id-ce-cRLReasons, id-ce-invalidityDate, id-ce-certificateIssuer */
static const unsigned char reason_oid[] = { 0x55, 0x1d, 0x15 },
			   invalidity_oid[] = { 0x55, 0x1d, 0x18 },
			   issuer_oid[] = { 0x55, 0x1d, 0x1d };

/* Which of them an entry has: each once (RFC 5280, section 4.2). */
struct seen {
	bool reason, invalidity;
};

static bool
first_time(bool *seen)
{
	bool first = !*seen;

	*seen = true;
	return first;
}

static bool
read_reason(struct der value, struct crl_entry *entry)
{
	struct der code;

	if (!der_take(&value, DER_ENUMERATED, &code, NULL) || value.len != 0 ||
	    code.len != 1 || (code.p[0] & 0x80) != 0)
		return false;
	entry->reason = (enum revocation_reason)code.p[0];
	return true;
}

static bool
read_invalidity(struct der value, struct crl_entry *entry)
{
	struct der date;

	return der_take(&value, DER_GENERALIZED_TIME, &date, NULL) &&
	    value.len == 0 &&
	    der_time_read(DER_GENERALIZED_TIME, date, &entry->invalidity);
}

/*
 * A critical one that is not known changes what the entry means, and a
 * certificateIssuer whose certificate it is, critical or not.
 */
static bool
read_extension(struct der in, struct seen *seen, struct crl_entry *entry)
{
	struct der oid, value;
	bool critical;

	if (!der_take(&in, DER_OID, &oid, NULL))
		return false;
	critical = der_take(&in, DER_BOOLEAN, NULL, NULL);
	if (!der_take(&in, DER_OCTET_STRING, &value, NULL) || in.len != 0)
		return false;
	if (der_equal(oid, reason_oid, sizeof(reason_oid)))
		return first_time(&seen->reason) && read_reason(value, entry);
	if (der_equal(oid, invalidity_oid, sizeof(invalidity_oid)))
		return first_time(&seen->invalidity) &&
		    read_invalidity(value, entry);
	return !critical && !der_equal(oid, issuer_oid, sizeof(issuer_oid));
}

static bool
read_extensions(struct der list, struct crl_entry *entry)
{
	struct seen seen = { .reason = false };
	struct der_fault fault;
	struct der in, one;

	if (!der_take(&list, DER_SEQUENCE, &in, NULL) || list.len != 0 ||
	    in.len == 0 || !der_extensions_check(in, &fault))
		return false;
	while (in.len > 0)
		if (!der_take(&in, DER_SEQUENCE, &one, NULL) ||
		    !read_extension(one, &seen, entry))
			return false;
	return true;
}

/*
 * The forms that nearly all entries have, which are strict by being these:
 * serial, UTCTime, and no extension or a reasonCode.  False: look closer.
 */
static bool
read_plain_entry(struct der element, struct crl_entry *ret_entry)
{
	static const unsigned char reason[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06,
		0x03, 0x55, 0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };
	enum { TIME_LEN = 13, TIME = 2 + TIME_LEN, FRAME = 4 };
	const unsigned char *p = element.p;
	struct crl_entry entry = { 0 };
	size_t rest;

	if (element.len < FRAME || p[0] != DER_SEQUENCE ||
	    p[1] != element.len - 2 || p[1] >= 0x80 || p[2] != DER_INTEGER ||
	    p[3] > SERIAL_LEN || element.len < FRAME + (size_t)p[3] + TIME)
		return false;
	entry.serial = p + FRAME;
	entry.serial_len = p[3];
	p += FRAME + entry.serial_len;
	rest = element.len - FRAME - entry.serial_len - TIME;
	if (p[0] != DER_UTC_TIME || p[1] != TIME_LEN ||
	    !der_time_read(
		DER_UTC_TIME, (struct der){ p + 2, TIME_LEN }, &entry.date) ||
	    !serial_is_good(entry.serial, entry.serial_len))
		return false;
	p += TIME;
	if (rest == sizeof(reason) + 1 &&
	    memcmp(p, reason, sizeof(reason)) == 0 && p[sizeof(reason)] < 0x80)
		entry.reason = (enum revocation_reason)p[sizeof(reason)];
	else if (rest != 0)
		return false;
	*ret_entry = entry;
	return true;
}

static bool
read_entry(struct der element, struct crl_entry *ret_entry)
{
	struct crl_entry entry = { 0 };
	struct der in, serial;
	size_t fault;

	if (read_plain_entry(element, ret_entry))
		return true;
	if (!der_is_strict(element.p, element.len, &fault) ||
	    !der_take(&element, DER_SEQUENCE, &in, NULL) ||
	    !der_take(&in, DER_INTEGER, &serial, NULL) ||
	    !serial_is_good(serial.p, serial.len) ||
	    !take_date(&in, &entry.date) ||
	    (in.len > 0 && !read_extensions(in, &entry)))
		return false;
	entry.serial = serial.p;
	entry.serial_len = serial.len;
	*ret_entry = entry;
	return true;
}

/* The entry before, whose octets are gone from the window. */
struct last {
	unsigned char serial[SERIAL_LEN];
	struct crl_entry entry;
};

static void
note_order(
    struct crl_head *head, struct last *last, const struct crl_entry *entry)
{
	if (head->entries > 0 && crl_entry_compare(&last->entry, entry) >= 0)
		head->ascending = false;
	memcpy(last->serial, entry->serial, entry->serial_len);
	last->entry.serial = last->serial;
	last->entry.serial_len = entry->serial_len;
	head->entries++;
}

static int
read_list(struct reading *r)
{
	struct last last = { 0 };

	while (r->stream.offset < r->stream.end) {
		const uint64_t at = r->stream.offset;
		struct crl_entry entry;
		struct der element;

		if (der_stream_element(
			&r->stream, "entry", PART_MAX, &element) != 0)
			return failed(r, at, "entry");
		if (!read_entry(element, &entry))
			return malformed(r, at, "entry");
		note_order(r->head, &last, &entry);
	}
	return 0;
}

static int
read_entries(struct reading *r)
{
	const uint64_t tbs_end = r->stream.end, at = r->stream.offset;
	struct crl_head *head = r->head;
	unsigned tag = 0;

	head->ascending = true;
	head->entries_offset = head->entries_end = at;
	if (next_tag(r, &tag) != 0)
		return -1;
	if (tag != DER_SEQUENCE)
		return 0;
	if (enter(r, "list of entries", &head->entries_end) != 0)
		return -1;
	head->entries_offset = r->stream.offset;
	/* CRL-EMPTY-ABSENT */
	if (head->entries_end == head->entries_offset)
		return malformed(r, at, "list of entries, which is empty,");
	r->stream.end = head->entries_end;
	if (read_list(r) != 0)
		return -1;
	r->stream.end = tbs_end;
	return 0;
}

/* ---- behind them ------------------------------------------------------ */

static int
read_number(struct reading *r)
{
	AUTO(ASN1_INTEGER) *number = NULL;
	int critical;

	number = X509V3_get_d2i(
	    r->head->extensions, NID_crl_number, &critical, NULL);
	if (number == NULL ||
	    ASN1_INTEGER_get_uint64(&r->head->number, number) != 1)
		return ca_error(CA_R_INPUT,
		    "'%s' has no CRL number, or one that is too large (RFC "
		    "5280, section 5.2.3)",
		    r->name);
	return 0;
}

static int
read_crl_extensions(struct reading *r)
{
	const uint64_t at = r->stream.offset;
	struct der element, in, list, body;
	struct der_fault fault;
	const unsigned char *p;

	if (take(r, DER_CONTEXT_0, "extensions", &element) != 0)
		return -1;
	if (!der_take(&element, DER_CONTEXT_0, &in, NULL) ||
	    r->stream.offset != r->stream.end)
		return malformed(r, at, "extensions");
	list = in;
	if (!der_take(&in, DER_SEQUENCE, &body, NULL) || in.len != 0 ||
	    !der_extensions_check(body, &fault))
		return malformed(r, at, "extensions");
	p = list.p;
	r->head->extensions = d2i_X509_EXTENSIONS(NULL, &p, (long)list.len);
	if (r->head->extensions == NULL)
		return malformed(r, at, "extensions");
	return read_number(r);
}

static int
read_tbs(struct reading *r, EVP_MD_CTX *ctx)
{
	const uint64_t object_end = r->stream.end;
	uint64_t end = 0;

	r->stream.digest = ctx;
	if (enter(r, "TBSCertList", &end) != 0)
		return -1;
	r->stream.end = end;
	if (read_before(r) != 0 || read_entries(r) != 0 ||
	    read_crl_extensions(r) != 0)
		return -1;
	r->stream.digest = NULL;
	r->stream.end = object_end;
	if (EVP_DigestFinal_ex(ctx, r->head->digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	return 0;
}

static int
read_signature(struct reading *r)
{
	const struct sigalg *alg = r->head->alg;
	uint64_t at = r->stream.offset;
	struct der element, bits;

	if (take(r, DER_SEQUENCE, "outer signature algorithm", &element) != 0)
		return -1;
	if (!der_equal(element, alg->der, alg->der_len))
		return ca_error(CA_R_INPUT,
		    "the signature algorithm inside '%s' is not the one "
		    "outside (RFC 5280, section 5.1.1.2)",
		    r->name);
	at = r->stream.offset;
	if (take(r, DER_BIT_STRING, "signature", &element) != 0)
		return -1;
	if (!der_take(&element, DER_BIT_STRING, &bits, NULL) || bits.len < 2 ||
	    bits.p[0] != 0 || r->stream.offset != r->stream.end)
		return malformed(r, at, "signature");
	r->head->signature_len = bits.len - 1;
	return asn1_copy(bits.p + 1, bits.len - 1, &r->head->signature);
}

/* ---- the whole -------------------------------------------------------- */

/* The inner AlgorithmIdentifier, looked at before the octets are digested. */
static int
peek_algorithm(struct reading *r)
{
	struct der in, element;
	struct der_header h;

	if (der_stream_peek(&r->stream, PART_MAX, &in) != 0)
		return -1;
	for (int level = 0; level < 2; level++) {
		if (!der_header_read(in, &h) || h.tag != DER_SEQUENCE)
			return malformed(r, 0, "frame");
		in.p += h.header;
		in.len -= h.header;
	}
	if (!der_take(&in, DER_INTEGER, NULL, NULL) ||
	    !der_take(&in, DER_SEQUENCE, NULL, &element))
		return malformed(r, 0, "version or signature algorithm");
	r->head->alg = sigalg_by_der(element.p, element.len);
	if (r->head->alg == NULL)
		return ca_error(CA_R_INPUT,
		    "'%s' is signed with an algorithm that is not known",
		    r->name);
	return 0;
}

static int
read_all(struct reading *r, uint64_t len)
{
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	AUTO(EVP_MD) *md = NULL;
	uint64_t end = 0;

	if (peek_algorithm(r) != 0)
		return -1;
	md = EVP_MD_fetch(NULL, r->head->alg->digest, NULL);
	if (md == NULL || ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "'%s' is not available",
		    r->head->alg->digest);
	if (enter(r, "CertificateList", &end) != 0)
		return -1;
	if (end != len)
		return ca_error(CA_R_INPUT,
		    "%" PRIu64 " octets follow the CRL in '%s'", len - end,
		    r->name);
	if (read_tbs(r, ctx) != 0)
		return -1;
	return read_signature(r);
}

int
crl_head_read(const char *name, const struct der_source *source,
    struct crl_head *ret_head)
{
	AUTO_STRUCT(crl_head) head = { 0 };
	AUTO_STRUCT(reading) r = { .name = name, .head = &head };

	if (der_stream_open(source, 0, &r.stream) != 0)
		return -1;
	if (read_all(&r, source->len) != 0)
		return -1;
	*ret_head = head;
	head = (struct crl_head){ 0 }; /* moved out */
	return 0;
}

int
crl_head_verify(
    const struct crl_head *head, const unsigned char *spki, size_t spki_len)
{
	return sigalg_verify_digest(head->alg, spki, spki_len, head->digest,
	    head->signature, head->signature_len);
}

/* ---- entries, one by one ----------------------------------------------- */

struct crl_kept {
	unsigned char serial[SERIAL_LEN];
	struct crl_entry entry;
};

static int
compare_kept(const void *a, const void *b)
{
	const struct crl_kept *x = a, *y = b;
	struct crl_entry p = x->entry, q = y->entry;

	p.serial = x->serial;
	q.serial = y->serial;
	return crl_entry_compare(&p, &q);
}

/* RFC 5280 asks for no order; CRLs of others have none. */
static int
keep_all(struct crl_cursor *cursor, uint64_t entries)
{
	struct crl_kept *kept = calloc((size_t)entries + 1, sizeof(*kept));
	bool there = true;

	if (kept == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	while (there && cursor->count < entries) {
		struct crl_kept *row = &kept[cursor->count];

		if (crl_cursor_next(cursor, &row->entry, &there) != 0) {
			free(kept);
			return -1;
		}
		if (!there)
			break;
		memcpy(row->serial, row->entry.serial, row->entry.serial_len);
		cursor->count++;
	}
	qsort(kept, cursor->count, sizeof(*kept), compare_kept);
	cursor->kept = kept;
	return 0;
}

int
crl_cursor_open(const struct der_source *source, const struct crl_head *head,
    struct crl_cursor *ret_cursor)
{
	AUTO_STRUCT(crl_cursor) cursor = { .next = 0 };

	if (der_stream_open(source, head->entries_offset, &cursor.stream) != 0)
		return -1;
	cursor.stream.end = head->entries_end;
	if (!head->ascending && keep_all(&cursor, head->entries) != 0)
		return -1;
	*ret_cursor = cursor;
	cursor = (struct crl_cursor){ .next = 0 }; /* moved out */
	return 0;
}

void
crl_cursor_clear(struct crl_cursor *cursor)
{
	der_stream_clear(&cursor->stream);
	free(cursor->kept);
	cursor->kept = NULL;
}

int
crl_cursor_next(
    struct crl_cursor *cursor, struct crl_entry *ret_entry, bool *ret_there)
{
	struct der element;

	if (cursor->kept != NULL) {
		*ret_there = cursor->next < cursor->count;
		if (*ret_there) {
			*ret_entry = cursor->kept[cursor->next].entry;
			ret_entry->serial = cursor->kept[cursor->next].serial;
			cursor->next++;
		}
		return 0;
	}

	if (cursor->stream.offset >= cursor->stream.end) {
		*ret_there = false;
		return 0;
	}
	if (der_stream_element(&cursor->stream, "entry", PART_MAX, &element) !=
	    0)
		return -1;
	if (!read_entry(element, ret_entry))
		return ca_error(CA_R_INPUT,
		    "the entry before octet %" PRIu64 " of a CRL is malformed",
		    cursor->stream.offset);
	*ret_there = true;
	return 0;
}
