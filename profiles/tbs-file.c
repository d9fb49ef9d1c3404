/* To-be-signed octets in a file, and the objects made of them: flat memory. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "profiles/der/der.h"
#include "profiles/tbs.h"

enum { COPY_OCTETS = 1 << 18 };

/* ---- reading ---------------------------------------------------------- */

int
tbs_digest(const struct tbs *tbs, unsigned char ret_digest[DIGEST_MAX])
{
	if (tbs->file == NULL)
		return sigalg_digest(tbs->alg, tbs->der, tbs->len, ret_digest);
	memcpy(ret_digest, tbs->file->digest, tbs->alg->digest_len);
	return 0;
}

/* Part of a file, as a source of its own. */
static int
read_part(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	const struct tbs_reader *reader = ctx;
	ssize_t n;

	if (offset >= reader->len) {
		*ret_len = 0;
		return 0;
	}
	if (cap > reader->len - offset)
		cap = (size_t)(reader->len - offset);
	do
		n = pread(reader->file.fd, buf, cap,
		    (off_t)(reader->offset + offset));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return ca_error_errno(
		    CA_R_IO, "cannot read %s", reader->file.name);
	*ret_len = (size_t)n;
	return 0;
}

static struct der_source
part_source(struct tbs_reader *reader)
{
	return (struct der_source){
		.ctx = reader, .read = read_part, .len = reader->len
	};
}

int
tbs_source(const struct tbs *tbs, struct tbs_reader *reader,
    struct der_source *ret_source)
{
	if (tbs->file == NULL) {
		reader->octets = (struct der){ tbs->der, tbs->len };
		*ret_source = der_source_memory(&reader->octets);
		return 0;
	}
	*reader = (struct tbs_reader){
		.file = { tbs->file->fd, "what is to be signed" },
		.offset = tbs->file->offset,
		.len = tbs->len,
	};
	*ret_source = part_source(reader);
	return 0;
}

static int
copy_octets(const struct tbs *tbs, struct tbs *copy)
{
	copy->der = malloc(tbs->len == 0 ? 1 : tbs->len);
	if (copy->der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	memcpy(copy->der, tbs->der, tbs->len);
	return 0;
}

int
tbs_copy(const struct tbs *tbs, struct tbs *ret_tbs)
{
	AUTO_STRUCT(tbs) copy = *tbs;

	copy.der = NULL;
	copy.file = NULL;
	if (tbs->file == NULL) {
		if (copy_octets(tbs, &copy) != 0)
			return -1;
	} else {
		copy.file = malloc(sizeof(*copy.file));
		if (copy.file == NULL)
			return ca_error(CA_R_MEMORY, "no memory for an object");
		*copy.file = *tbs->file;
		copy.file->fd = fcntl(tbs->file->fd, F_DUPFD_CLOEXEC, 0);
		if (copy.file->fd < 0)
			return ca_error_errno(CA_R_IO, "cannot keep a file");
	}
	*ret_tbs = copy;
	copy = (struct tbs){ 0 }; /* moved out */
	return 0;
}

/* All digests of a file, or of what is in memory, in one pass. */
struct digest {
	EVP_MD_CTX *first, *second; /* second: NULL where one is enough */
};

static void
digest_clear(struct digest *d)
{
	EVP_MD_CTX_free(d->first);
	EVP_MD_CTX_free(d->second);
}
CLEANUP_DEFINE_STRUCT(digest);

static int
digest_open(const char *name, EVP_MD_CTX **ret_ctx)
{
	AUTO(EVP_MD) *md = EVP_MD_fetch(NULL, name, NULL);
	AUTO(EVP_MD_CTX) *ctx = EVP_MD_CTX_new();

	if (md == NULL || ctx == NULL || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "'%s' is not available", name);
	*ret_ctx = TAKE(ctx);
	return 0;
}

static int
digest_source(const struct der_source *source, struct digest *d)
{
	AUTO_BYTES(buf) = malloc(COPY_OCTETS);
	uint64_t at = 0;
	size_t n;

	if (buf == NULL)
		return ca_error(CA_R_MEMORY, "no memory to read with");
	for (; at < source->len; at += n) {
		if (source->read(source->ctx, at, buf, COPY_OCTETS, &n) != 0)
			return -1;
		if (n == 0)
			return ca_error(CA_R_IO, "a file was cut short");
		if (EVP_DigestUpdate(d->first, buf, n) != 1 ||
		    (d->second != NULL &&
			EVP_DigestUpdate(d->second, buf, n) != 1))
			return ca_error(
			    CA_R_INTERNAL, "cannot compute a digest");
	}
	return 0;
}

int
tbs_file_digest(struct tbs *tbs)
{
	const bool same = strcmp(tbs->alg->digest, "SHA256") == 0;
	AUTO_STRUCT(digest) d = { 0 };
	struct tbs_reader reader;
	struct der_source source;

	if (tbs_source(tbs, &reader, &source) != 0 ||
	    digest_open("SHA256", &d.first) != 0 ||
	    (!same && digest_open(tbs->alg->digest, &d.second) != 0) ||
	    digest_source(&source, &d) != 0)
		return -1;
	if (EVP_DigestFinal_ex(d.first, tbs->sha256, NULL) != 1 ||
	    (!same &&
		EVP_DigestFinal_ex(d.second, tbs->file->digest, NULL) != 1))
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	if (same)
		memcpy(tbs->file->digest, tbs->sha256, sizeof(tbs->sha256));
	return 0;
}

/* ---- assembling ------------------------------------------------------- */

static const char *const object_name = "the signed object";

static int
copy_source(const struct der_source *source, int fd)
{
	AUTO_BYTES(buf) = malloc(COPY_OCTETS);
	uint64_t at = 0;
	size_t n;

	if (buf == NULL)
		return ca_error(CA_R_MEMORY, "no memory to copy with");
	while (at < source->len) {
		if (source->read(source->ctx, at, buf, COPY_OCTETS, &n) != 0)
			return -1;
		if (n == 0)
			return ca_error(CA_R_IO,
			    "what is to be signed was cut short while it was "
			    "read");
		if (file_write_all(fd, buf, n, object_name) != 0)
			return -1;
		at += n;
	}
	return 0;
}

/* The AlgorithmIdentifier, and the signature as a BIT STRING. */
struct tail {
	unsigned char octets[128 + SIGNATURE_MAX];
	size_t len;
};

static int
make_tail(const struct sigalg *alg, const unsigned char *sig, size_t sig_len,
    struct tail *tail)
{
	if (sig_len > SIGNATURE_MAX)
		return ca_error(
		    CA_R_INTERNAL, "a signature of %zu octets", sig_len);
	memcpy(tail->octets, alg->der, alg->der_len);
	tail->len = alg->der_len;
	tail->len += der_header_write(
	    DER_BIT_STRING, sig_len + 1, tail->octets + tail->len);
	tail->octets[tail->len++] = 0; /* no unused bits */
	memcpy(tail->octets + tail->len, sig, sig_len);
	tail->len += sig_len;
	return 0;
}

/* ---- with the constant ------------------------------------------------ */

/* What stands in front, what is to be signed, what stands behind. */
static int
read_constant(
    void *ctx, uint64_t offset, unsigned char *buf, size_t cap, size_t *ret_len)
{
	struct tbs_constant *c = ctx;
	struct der edge = { c->front, c->front_len };

	if (offset >= c->front_len) {
		offset -= c->front_len;
		if (offset < c->tbs.len)
			return c->tbs.read(
			    c->tbs.ctx, offset, buf, cap, ret_len);
		offset -= c->tbs.len;
		edge = (struct der){ c->back, c->back_len };
	}
	if (offset > edge.len)
		offset = edge.len;
	if (cap > edge.len - offset)
		cap = edge.len - (size_t)offset;
	memcpy(buf, edge.p + offset, cap);
	*ret_len = cap;
	return 0;
}

int
tbs_constant_source(const struct tbs *tbs, struct tbs_constant *constant,
    struct der_source *ret_source)
{
	const unsigned char *sig;
	struct tail tail;
	size_t len;

	if (tbs->kind == OBJECT_OCSP)
		return ca_error(
		    CA_R_INTERNAL, "an OCSP response has another frame");
	object_constant(tbs, &sig, &len);
	if (make_tail(tbs->alg, sig, len, &tail) != 0 ||
	    tbs_source(tbs, &constant->reader, &constant->tbs) != 0)
		return -1;
	memcpy(constant->back, tail.octets, tail.len);
	constant->back_len = tail.len;
	constant->front_len = der_header_write(DER_SEQUENCE,
	    constant->tbs.len + constant->back_len, constant->front);
	*ret_source = (struct der_source){
		.ctx = constant,
		.read = read_constant,
		.len = constant->front_len + constant->tbs.len +
		    constant->back_len,
	};
	return 0;
}

/* OCSP responses have a frame of their own, and are small. */
static int
assemble_in_memory(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, int fd, uint64_t *ret_len)
{
	AUTO_BYTES(der) = NULL;
	size_t len = 0;

	if (object_assemble(tbs, sig, sig_len, &der, &len) != 0 ||
	    file_write_all(fd, der, len, object_name) != 0)
		return -1;
	*ret_len = len;
	return 0;
}

int
object_assemble_file(const struct tbs *tbs, const unsigned char *sig,
    size_t sig_len, int fd, uint64_t *ret_len)
{
	unsigned char header[DER_HEADER_MAX];
	struct tbs_reader reader;
	struct der_source source;
	struct tail tail;
	size_t header_len;

	if (tbs->file == NULL)
		return assemble_in_memory(tbs, sig, sig_len, fd, ret_len);
	if (make_tail(tbs->alg, sig, sig_len, &tail) != 0 ||
	    tbs_source(tbs, &reader, &source) != 0)
		return -1;
	header_len =
	    der_header_write(DER_SEQUENCE, source.len + tail.len, header);
	if (file_write_all(fd, header, header_len, object_name) != 0 ||
	    copy_source(&source, fd) != 0 ||
	    file_write_all(fd, tail.octets, tail.len, object_name) != 0)
		return -1;
	*ret_len = header_len + source.len + tail.len;
	return 0;
}

/* ---- verifying -------------------------------------------------------- */

enum { TAIL_MAX = 128 + SIGNATURE_MAX };

/* The signed object's parts: where TBSCertList is, and what stands behind. */
struct parts {
	uint64_t tbs, tbs_end;
	unsigned char tail_octets[TAIL_MAX];
	struct der alg, signature;
};

static int
malformed(void)
{
	return ca_error(CA_R_VERIFY, "the signed crl is malformed");
}

static int
read_exactly(const struct der_source *source, uint64_t offset,
    unsigned char *buf, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len; at += n) {
		if (source->read(
			source->ctx, offset + at, buf + at, len - at, &n) != 0)
			return -1;
		if (n == 0)
			return malformed();
	}
	return 0;
}

/* SEQUENCE { SEQUENCE { INTEGER, alg ... ; with the inner alg in *ret_alg. */
static int
read_front(const struct der_source *source, struct parts *parts,
    unsigned char *buf, size_t len, struct der *ret_alg)
{
	struct der_header outer, tbs;
	struct der in = { buf, len };

	if (read_exactly(source, 0, buf, len) != 0)
		return -1;
	if (!der_header_read(in, &outer) || outer.tag != DER_SEQUENCE ||
	    outer.header + outer.len != source->len)
		return malformed();
	in = (struct der){ buf + outer.header, len - outer.header };
	if (!der_header_read(in, &tbs) || tbs.tag != DER_SEQUENCE ||
	    tbs.header + tbs.len > outer.len)
		return malformed();
	parts->tbs = outer.header;
	parts->tbs_end = outer.header + tbs.header + tbs.len;
	in.p += tbs.header;
	in.len -= tbs.header;
	return der_take(&in, DER_INTEGER, NULL, NULL) &&
		der_take(&in, DER_SEQUENCE, NULL, ret_alg)
	    ? 0
	    : malformed();
}

/* AlgorithmIdentifier and signature, strict, and nothing behind. */
static int
read_back(const struct der_source *source, struct parts *parts)
{
	const uint64_t len = source->len - parts->tbs_end;
	struct der in = { parts->tail_octets, (size_t)len }, element, bits;
	size_t fault;

	if (len > TAIL_MAX)
		return malformed();
	if (read_exactly(
		source, parts->tbs_end, parts->tail_octets, (size_t)len) != 0)
		return -1;
	if (!der_take(&in, DER_SEQUENCE, NULL, &parts->alg) ||
	    !der_take(&in, DER_BIT_STRING, &bits, &element) || in.len != 0 ||
	    !der_is_strict(parts->alg.p, parts->alg.len, &fault) ||
	    !der_is_strict(element.p, element.len, &fault) || bits.len < 2 ||
	    bits.p[0] != 0)
		return malformed();
	parts->signature = (struct der){ bits.p + 1, bits.len - 1 };
	return 0;
}

/* ALG-SIG-EXACT, ALG-SIG-INNER-OUTER */
static int
verify_algorithms(const struct sigalg *alg, struct der inner, struct der outer)
{
	if (der_equal(inner, alg->der, alg->der_len) &&
	    der_equal(outer, alg->der, alg->der_len))
		return 0;
	return ca_error(CA_R_VERIFY,
	    "the signature algorithm of the crl, inside or outside, is not "
	    "'%s' (RFC 5280, section 5.1.1.2)",
	    alg->name);
}

/* The same octets have the same digest; it is what was signed. */
static int
verify_octets(const struct tbs *tbs, struct tbs_reader *object,
    const struct parts *parts, unsigned char ret_digest[DIGEST_MAX])
{
	struct tbs_reader reader = { .file = object->file,
		.offset = object->offset + parts->tbs,
		.len = parts->tbs_end - parts->tbs };
	const struct der_source source = part_source(&reader);
	AUTO_STRUCT(digest) d = { 0 };
	unsigned char wanted[DIGEST_MAX];

	if (tbs_digest(tbs, wanted) != 0 ||
	    digest_open(tbs->alg->digest, &d.first) != 0 ||
	    digest_source(&source, &d) != 0)
		return -1;
	if (EVP_DigestFinal_ex(d.first, ret_digest, NULL) != 1)
		return ca_error(CA_R_INTERNAL, "cannot compute a digest");
	if (reader.len != tbs->len ||
	    memcmp(ret_digest, wanted, tbs->alg->digest_len) != 0)
		return ca_error(CA_R_VERIFY,
		    "the signed crl is not the one that was to be signed");
	return 0;
}

int
object_verify_file(const struct tbs *tbs, const unsigned char *spki,
    size_t spki_len, int fd, uint64_t offset, uint64_t len)
{
	enum { FRONT = 128 };
	struct tbs_reader object = {
		.file = { fd, object_name }, .offset = offset, .len = len
	};
	const struct der_source source = part_source(&object);
	unsigned char front[FRONT], digest[DIGEST_MAX];
	struct parts parts = { 0 };
	struct der inner;

	if (tbs->kind != OBJECT_CRL)
		return ca_error(CA_R_INTERNAL, "only a CRL is in a file");
	if (len < FRONT)
		return malformed();
	if (read_front(&source, &parts, front, FRONT, &inner) != 0 ||
	    read_back(&source, &parts) != 0 ||
	    verify_algorithms(tbs->alg, inner, parts.alg) != 0 ||
	    verify_octets(tbs, &object, &parts, digest) != 0)
		return -1;
	return sigalg_verify_digest(tbs->alg, spki, spki_len, digest,
	    parts.signature.p, parts.signature.len);
}
