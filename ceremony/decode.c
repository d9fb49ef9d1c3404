#include "ceremony/decode.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/run-private.h"
#include "profiles/existing.h"

CLEANUP_DEFINE(X509_REVOKED, X509_REVOKED_free);

/* ---- lines ------------------------------------------------------------ */

/* Line by line, so that only the ends of lines stay as they are. */
int
decode_escape(const char *text, size_t len, char **ret_text)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	char *data = NULL;
	long size;

	for (size_t at = 0; out != NULL && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - text) - at;
		AUTO_CHARS(safe) = text_escape(text + at, n);

		if (safe == NULL || BIO_printf(out, "%s\n", safe) < 0)
			return ca_error(CA_R_MEMORY, "no memory for a text");
		at += n + 1;
	}
	size = out == NULL ? -1 : BIO_get_mem_data(out, &data);
	if (size < 0)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	*ret_text = text_printf("%.*s", (int)size, data == NULL ? "" : data);
	return *ret_text == NULL ? -1 : 0;
}

/* What was printed into `text`, or its first `len` octets. */
static int
show_text(
    const struct room *room, const char *indent, const char *text, size_t len)
{
	AUTO_CHARS(safe) = NULL;

	if (decode_escape(text, len, &safe) < 0)
		return -1;
	return room_lines(room, indent, safe);
}

static int
take_text(BIO *out, const char **ret_text, size_t *ret_len)
{
	char *text = NULL;
	long len = BIO_get_mem_data(out, &text);

	if (len < 0)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	*ret_text = text == NULL ? "" : text;
	*ret_len = (size_t)len;
	return 0;
}

static int
not_printed(void)
{
	return ca_error_reason() != 0
	    ? -1
	    : ca_error(CA_R_INTERNAL, "cannot print an object");
}

/* ---- certificates and requests ---------------------------------------- */

static int
print_certificate(BIO *out, const unsigned char *der, size_t len)
{
	AUTO(X509) *certificate = NULL;

	if (certificate_read("the spool", der, len, &certificate) < 0)
		return -1;
	return X509_print_ex(
	    out, certificate, XN_FLAG_ONELINE, X509_FLAG_NO_SIGDUMP);
}

static int
print_request(BIO *out, const unsigned char *der, size_t len)
{
	const unsigned char *p = der;
	AUTO(X509_REQ) *request = d2i_X509_REQ(NULL, &p, (long)len);

	if (request == NULL)
		return ca_error(
		    CA_R_VERIFY, "the spool holds a malformed request");
	return X509_REQ_print_ex(
	    out, request, XN_FLAG_ONELINE, X509_FLAG_NO_SIGDUMP);
}

/* ---- CRLs ------------------------------------------------------------- */

int
decode_crl_head(const struct tbs *tbs, struct crl_head *ret_head)
{
	AUTO_STRUCT(crl_head) head = { 0 };
	struct tbs_constant constant;
	struct der_source source;
	unsigned char digest[DIGEST_MAX];

	if (tbs_constant_source(tbs, &constant, &source) < 0 ||
	    crl_head_read("the spool", &source, &head) < 0 ||
	    tbs_digest(tbs, digest) < 0)
		return -1;
	if (head.alg != tbs->alg ||
	    memcmp(digest, head.digest, tbs->alg->digest_len) != 0)
		return ca_error(
		    CA_R_VERIFY, "the spool was changed while it was read");
	*ret_head = head;
	head = (struct crl_head){ 0 }; /* moved out */
	return 0;
}

/* A CRL that is printed: its head, then its entries one by one. */
struct printing {
	const struct room *room;
	const char *indent;
	const struct tbs *tbs;
	struct tbs_constant constant;
	struct der_source source; /* of the whole object */
	struct crl_head head;
	/* In the source: TBSCertList and its contents; its list of entries. */
	uint64_t start, inside, end, list;
};

static void
printing_clear(struct printing *p)
{
	crl_head_clear(&p->head);
}
CLEANUP_DEFINE_STRUCT(printing);

static int
read_octets(const struct der_source *source, uint64_t offset,
    unsigned char *buf, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += n)
		if (source->read(
			source->ctx, offset + at, buf + at, len - at, &n) < 0)
			return -1;
		else if (n == 0)
			return ca_error(CA_R_IO, "the spool was cut short");
	return 0;
}

/* The head was read: all of this is well-formed. */
static int
find_parts(struct printing *p)
{
	unsigned char front[2 * DER_HEADER_MAX], header[DER_HEADER_MAX];
	struct der in = { front, sizeof(front) };
	struct der_header outer, tbs;
	const uint64_t entries = p->head.entries_end - p->head.entries_offset;

	if (read_octets(&p->source, 0, front, sizeof(front)) < 0)
		return -1;
	if (!der_header_read(in, &outer))
		return ca_error(CA_R_INTERNAL, "cannot print a CRL");
	in.p += outer.header;
	in.len -= outer.header;
	if (!der_header_read(in, &tbs))
		return ca_error(CA_R_INTERNAL, "cannot print a CRL");
	p->start = outer.header;
	p->inside = p->start + tbs.header;
	p->end = p->inside + tbs.len;
	p->list = p->head.entries_offset -
	    (entries == 0 ? 0
			  : der_header_write(DER_SEQUENCE, entries, header));
	return p->list >= p->inside && p->head.entries_end <= p->end
	    ? 0
	    : ca_error(CA_R_INTERNAL, "cannot print a CRL");
}

/* The same CRL without its list of entries. */
static int
without_entries(const struct printing *p, struct tbs *ret_tbs)
{
	const size_t before = (size_t)(p->list - p->inside),
		     after = (size_t)(p->end - p->head.entries_end);
	struct tbs tbs = { .kind = OBJECT_CRL, .alg = p->tbs->alg };
	AUTO_BYTES(der) = malloc(DER_HEADER_MAX + before + after);
	size_t header;

	if (der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a CRL");
	header = der_header_write(DER_SEQUENCE, before + after, der);
	if (read_octets(&p->source, p->inside, der + header, before) < 0 ||
	    read_octets(&p->source, p->head.entries_end, der + header + before,
		after) < 0)
		return -1;
	tbs.len = header + before + after;
	tbs.der = TAKE(der);
	*ret_tbs = tbs;
	return 0;
}

/*
 * The printer of CRLs shows a signature, and there is none: what follows the
 * last mark is the constant in its place.
 */
static size_t
without_signature(const char *text, size_t len)
{
	static const char mark[] = "\n    Signature Algorithm: ";
	size_t n = strlen(mark), at = len;

	while (at >= n && memcmp(text + at - n, mark, n) != 0)
		at--;
	return at >= n ? at - n + 1 : len;
}

/* Its last line is about the entries that are shown behind it. */
static size_t
without_none(const char *text, size_t len)
{
	static const char none[] = "No Revoked Certificates.\n";
	size_t n = strlen(none);

	return len >= n && memcmp(text + len - n, none, n) == 0 ? len - n : len;
}

static int
show_front(const struct printing *p)
{
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	AUTO(X509_CRL) *crl = NULL;
	AUTO_STRUCT(tbs) tbs = { 0 };
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	const char *text = NULL;

	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	if (without_entries(p, &tbs) < 0 ||
	    object_with_constant(&tbs, &der, &len) < 0 ||
	    crl_read("the spool", der, len, &crl) < 0)
		return -1;
	if (X509_CRL_print_ex(out, crl, XN_FLAG_ONELINE) <= 0)
		return not_printed();
	if (take_text(out, &text, &len) < 0)
		return -1;
	len = without_signature(text, len);
	if (p->head.entries == 0)
		return show_text(p->room, p->indent, text, len);
	if (show_text(p->room, p->indent, text, without_none(text, len)) < 0)
		return -1;
	return room_lines(p->room, p->indent, "Revoked Certificates:");
}

/* As X509_CRL_print_ex() does it. */
static int
print_entry(BIO *out, const X509_REVOKED *entry)
{
	return BIO_puts(out, "    Serial Number: ") > 0 &&
	    i2a_ASN1_INTEGER(out, X509_REVOKED_get0_serialNumber(entry)) >= 0 &&
	    BIO_puts(out, "\n        Revocation Date: ") > 0 &&
	    ASN1_TIME_print(out, X509_REVOKED_get0_revocationDate(entry)) ==
	    1 &&
	    BIO_puts(out, "\n") > 0 &&
	    X509V3_extensions_print(out, "CRL entry extensions",
		X509_REVOKED_get0_extensions(entry), 0, 8) == 1;
}

static int
show_entry(const struct printing *p, struct der element)
{
	const unsigned char *at = element.p;
	AUTO(X509_REVOKED) *entry =
	    d2i_X509_REVOKED(NULL, &at, (long)element.len);
	AUTO(BIO) *out = BIO_new(BIO_s_mem());
	const char *text = NULL;
	size_t len = 0;

	if (entry == NULL || out == NULL || !print_entry(out, entry))
		return not_printed();
	return take_text(out, &text, &len) < 0
	    ? -1
	    : show_text(p->room, p->indent, text, len);
}

/* All that is before `until`, for the digest. */
static int
pass_until(struct der_stream *stream, uint64_t until)
{
	enum { PIECE = 1 << 16 };
	struct der octets;

	while (stream->offset < until) {
		const uint64_t left = until - stream->offset;

		if (der_stream_peek(stream, left < PIECE ? (size_t)left : PIECE,
			&octets) < 0 ||
		    der_stream_pass(stream, octets.len) < 0)
			return -1;
		if (octets.len == 0)
			return ca_error(CA_R_IO, "the spool was cut short");
	}
	return 0;
}

static int
walk_entries(const struct printing *p, struct der_stream *stream)
{
	enum { ENTRY_MAX = 1 << 16 };
	struct der element;

	if (pass_until(stream, p->head.entries_offset) < 0)
		return -1;
	while (stream->offset < p->head.entries_end)
		if (der_stream_element(stream, "entry", ENTRY_MAX, &element) <
			0 ||
		    show_entry(p, element) < 0)
			return -1;
	return pass_until(stream, p->end);
}

/* They are read once more: are they the octets that are listed? */
static int
show_entries(const struct printing *p)
{
	AUTO_STRUCT(der_stream) stream = { .source = NULL };
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];

	if (ctx == NULL || EVP_DigestInit_ex2(ctx, EVP_sha256(), NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	if (der_stream_open(&p->source, p->start, &stream) < 0)
		return -1;
	stream.end = p->end;
	stream.digest = ctx;
	if (walk_entries(p, &stream) < 0)
		return -1;
	if (EVP_DigestFinal_ex(ctx, digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	if (memcmp(digest, p->tbs->sha256, HASH_LEN) != 0)
		return ca_error(
		    CA_R_VERIFY, "the spool was changed while it was shown");
	return 0;
}

static int
show_crl(const struct room *room, const char *indent, const struct tbs *tbs)
{
	AUTO_STRUCT(printing)
	p = { .room = room, .indent = indent, .tbs = tbs };

	if (decode_crl_head(tbs, &p.head) < 0 ||
	    tbs_constant_source(tbs, &p.constant, &p.source) < 0 ||
	    find_parts(&p) < 0 || show_front(&p) < 0)
		return -1;
	return show_entries(&p);
}

/* ---- any -------------------------------------------------------------- */

int
decode_show(const struct room *room, const char *indent, const struct tbs *tbs)
{
	AUTO(BIO) *out = NULL;
	AUTO_BYTES(der) = NULL;
	size_t len = 0;
	const char *text = NULL;

	if (tbs->kind == OBJECT_CRL)
		return show_crl(room, indent, tbs);
	out = BIO_new(BIO_s_mem());
	if (out == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a text");
	if (object_with_constant(tbs, &der, &len) < 0)
		return -1;
	if ((tbs->kind == OBJECT_CERTIFICATE
		    ? print_certificate(out, der, len)
		    : print_request(out, der, len)) <= 0)
		return not_printed();
	return take_text(out, &text, &len) < 0
	    ? -1
	    : show_text(room, indent, text, len);
}
