/* Evidence, by its SHA-256: whole, and in pieces of flat memory. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

enum { PIECE = 1 << 16 };

/* ---- finding and reading ---------------------------------------------- */

static int
evidence_missing(const unsigned char sha256[HASH_LEN])
{
	char hex[HASH_HEX_SIZE];

	text_hex_into(sha256, HASH_LEN, hex);
	return ca_error(CA_R_MISSING, "the journal has no evidence '%s'", hex);
}

static int
evidence_altered(const struct journal *journal)
{
	return ca_error(CA_R_CORRUPT,
	    "evidence in '%s' does not have its SHA-256: keep the file, and "
	    "put a backup in its place",
	    journal->path);
}

static void
blob_free(sqlite3_blob *blob)
{
	(void)sqlite3_blob_close(blob);
}
CLEANUP_DEFINE(sqlite3_blob, blob_free);

static int
blob_open(
    struct journal *journal, int64_t id, bool write, sqlite3_blob **ret_blob)
{
	sqlite3_blob *blob = NULL;
	int rc = sqlite3_blob_open(
	    journal->db, "main", "evidence", "bytes", id, write, &blob);

	if (rc != SQLITE_OK) {
		(void)sqlite3_blob_close(blob);
		return sql_error(journal, rc, NULL);
	}
	*ret_blob = blob;
	return 0;
}

static EVP_MD_CTX *
hash_begin(void)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	if (md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(md);
		md = NULL;
	}
	if (md == NULL)
		(void)ca_error(CA_R_INTERNAL, "SHA-256 is not available");
	return md;
}

static int
hash_add(EVP_MD_CTX *md, const unsigned char *data, size_t len)
{
	return EVP_DigestUpdate(md, data, len) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

static int
hash_end(EVP_MD_CTX *md, unsigned char ret_digest[HASH_LEN])
{
	return EVP_DigestFinal_ex(md, ret_digest, NULL) == 1
	    ? 0
	    : ca_error(CA_R_INTERNAL, "SHA-256 failed");
}

/* Every piece to `take` (NULL: to nobody), and the hash over all of them. */
static int
read_pieces(struct journal *journal, sqlite3_blob *blob,
    int (*take)(void *ctx, const unsigned char *data, size_t len), void *ctx,
    unsigned char ret_digest[HASH_LEN])
{
	AUTO(EVP_MD_CTX) *md = hash_begin();
	AUTO_BYTES(piece) = malloc(PIECE);
	int len = sqlite3_blob_bytes(blob);

	if (md == NULL)
		return -1;
	if (piece == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	for (int at = 0; at < len; at += PIECE) {
		int n = len - at < PIECE ? len - at : PIECE;
		int rc = sqlite3_blob_read(blob, piece, n, at);

		if (rc != SQLITE_OK)
			return sql_error(journal, rc, NULL);
		if (hash_add(md, piece, (size_t)n) != 0 ||
		    (take != NULL && take(ctx, piece, (size_t)n) != 0))
			return -1;
	}
	return hash_end(md, ret_digest);
}

static int
find(struct journal *journal, const unsigned char digest[HASH_LEN],
    bool *ret_found, int64_t *ret_id)
{
	return sql_number(journal, "SELECT id FROM evidence WHERE sha256 = ?1",
	    SQL_VALUES(sql_blob(digest, HASH_LEN)), ret_found, ret_id);
}

static int
check_pieces(struct journal *journal, sqlite3_blob *blob,
    int (*take)(void *ctx, const unsigned char *data, size_t len), void *ctx,
    const unsigned char digest[HASH_LEN])
{
	unsigned char computed[HASH_LEN];

	if (read_pieces(journal, blob, take, ctx, computed) != 0)
		return -1;
	return CRYPTO_memcmp(computed, digest, HASH_LEN) == 0
	    ? 0
	    : evidence_altered(journal);
}

int
journal_evidence_read(struct journal *journal,
    const unsigned char digest[HASH_LEN],
    int (*take)(void *ctx, const unsigned char *data, size_t len), void *ctx)
{
	AUTO(sqlite3_blob) *blob = NULL;
	int64_t id;
	bool found;

	if (find(journal, digest, &found, &id) != 0)
		return -1;
	if (!found)
		return evidence_missing(digest);
	if (blob_open(journal, id, false, &blob) != 0)
		return -1;
	return check_pieces(journal, blob, NULL, NULL, digest) != 0
	    ? -1
	    : check_pieces(journal, blob, take, ctx, digest);
}

int
evidence_file_open(struct journal *journal,
    const unsigned char digest[HASH_LEN], struct evidence_file *ret_evidence)
{
	AUTO(sqlite3_blob) *blob = NULL;
	int64_t id;
	bool found;

	if (find(journal, digest, &found, &id) != 0)
		return -1;
	if (!found)
		return evidence_missing(digest);
	if (blob_open(journal, id, false, &blob) != 0 ||
	    check_pieces(journal, blob, NULL, NULL, digest) != 0)
		return -1;
	*ret_evidence = (struct evidence_file){
		.journal = journal,
		.blob = blob,
		.len = (uint64_t)sqlite3_blob_bytes(blob),
	};
	blob = NULL; /* moved out */
	return 0;
}

int
evidence_file_read(const struct evidence_file *evidence, uint64_t offset,
    unsigned char *buf, size_t cap, size_t *ret_len)
{
	uint64_t left = offset < evidence->len ? evidence->len - offset : 0;
	size_t n = left < cap ? (size_t)left : cap;
	int rc = n == 0
	    ? SQLITE_OK
	    : sqlite3_blob_read(evidence->blob, buf, (int)n, (int)offset);

	if (rc != SQLITE_OK)
		return sql_error(evidence->journal, rc, NULL);
	*ret_len = n;
	return 0;
}

void
evidence_file_clear(struct evidence_file *evidence)
{
	(void)sqlite3_blob_close(evidence->blob);
	*evidence = (struct evidence_file){ 0 };
}

int
evidence_hash(
    struct journal *journal, int64_t id, unsigned char ret_digest[HASH_LEN])
{
	AUTO(sqlite3_blob) *blob = NULL;

	return blob_open(journal, id, false, &blob) != 0
	    ? -1
	    : read_pieces(journal, blob, NULL, NULL, ret_digest);
}

int
journal_evidence_get(struct journal *journal,
    const unsigned char digest[HASH_LEN], unsigned char **ret_data,
    size_t *ret_len)
{
	AUTO_STRUCT(query) query = { 0 };
	AUTO_BYTES(data) = NULL;
	unsigned char computed[HASH_LEN];
	size_t len;
	bool row;

	if (query_start(journal, "SELECT bytes FROM evidence WHERE sha256 = ?1",
		SQL_VALUES(sql_blob(digest, HASH_LEN)), &query) != 0 ||
	    query_step(&query, &row) != 0)
		return -1;
	if (!row)
		return evidence_missing(digest);
	if (query_blob(&query, 0, &data, &len) != 0 ||
	    sha256(data, len, computed) != 0)
		return -1;
	if (CRYPTO_memcmp(computed, digest, HASH_LEN) != 0)
		return evidence_altered(journal);
	*ret_data = TAKE(data);
	*ret_len = len;
	return 0;
}

/* ---- putting ---------------------------------------------------------- */

int
journal_insert_evidence(struct journal *journal, const void *data, size_t len,
    const unsigned char digest[HASH_LEN])
{
	return sql_run(journal, "evidence",
	    "INSERT INTO evidence (sha256, size, bytes) VALUES (?1, ?2, ?3)",
	    SQL_VALUES(sql_blob(digest, HASH_LEN), sql_int((int64_t)len),
		sql_blob(len == 0 ? "" : data, len)));
}

/* What was stored before: are these its bytes? */
static int
evidence_same(
    struct journal *journal, int64_t id, const unsigned char digest[HASH_LEN])
{
	AUTO(sqlite3_blob) *blob = NULL;

	return blob_open(journal, id, false, &blob) != 0
	    ? -1
	    : check_pieces(journal, blob, NULL, NULL, digest);
}

static int
evidence_insert(struct journal *journal, const void *data, size_t len,
    const unsigned char digest[HASH_LEN])
{
	int64_t id;
	bool found;

	if (find(journal, digest, &found, &id) != 0)
		return -1;
	return found ? evidence_same(journal, id, digest)
		     : journal_insert_evidence(journal, data, len, digest);
}

static int
check_size(uint64_t len)
{
	return len <= JOURNAL_EVIDENCE_MAX
	    ? 0
	    : ca_error(CA_R_INPUT,
		  "evidence of %" PRIu64
		  " octets is more than the %d that the journal takes",
		  len, JOURNAL_EVIDENCE_MAX);
}

int
journal_evidence_put(struct journal *journal, const void *data, size_t len,
    unsigned char ret_sha256[HASH_LEN])
{
	unsigned char digest[HASH_LEN];
	bool own;
	int result;

	if (check_size(len) != 0 || journal_act_begin(journal, &own) != 0)
		return -1;
	result = sha256(len == 0 ? "" : data, len, digest);
	if (result == 0)
		result = evidence_insert(journal, data, len, digest);
	if (journal_act_end(journal, own, result) != 0)
		return -1;
	memcpy(ret_sha256, digest, HASH_LEN);
	return 0;
}

/* ---- from a file ------------------------------------------------------ */

struct part {
	int fd;
	uint64_t offset, len;
};

/* All of a piece: a file that is shorter than it was said is an error. */
static int
read_part(
    const struct part *part, uint64_t at, unsigned char *piece, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = pread(part->fd, piece + have, len - have,
		    (off_t)(part->offset + at + have));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(
			    CA_R_IO, "cannot read what is to be evidence");
		if (n == 0)
			return ca_error(CA_R_IO,
			    "what is to be evidence has become shorter");
		have += (size_t)n;
	}
	return 0;
}

/* Hash all of it; and, where there is one, write it into `blob`. */
static int
copy_part(struct journal *journal, const struct part *part, sqlite3_blob *blob,
    unsigned char ret_digest[HASH_LEN])
{
	AUTO(EVP_MD_CTX) *md = hash_begin();
	AUTO_BYTES(piece) = malloc(PIECE);

	if (md == NULL)
		return -1;
	if (piece == NULL)
		return ca_error(CA_R_MEMORY, "out of memory");
	for (uint64_t at = 0; at < part->len; at += PIECE) {
		size_t n =
		    part->len - at < PIECE ? (size_t)(part->len - at) : PIECE;
		int rc = SQLITE_OK;

		if (read_part(part, at, piece, n) != 0 ||
		    hash_add(md, piece, n) != 0)
			return -1;
		if (blob != NULL)
			rc = sqlite3_blob_write(blob, piece, (int)n, (int)at);
		if (rc != SQLITE_OK)
			return sql_error(journal, rc, NULL);
	}
	return hash_end(md, ret_digest);
}

static int
insert_part(struct journal *journal, const struct part *part,
    const unsigned char digest[HASH_LEN])
{
	AUTO(sqlite3_blob) *blob = NULL;
	unsigned char again[HASH_LEN];

	if (sql_run(journal, "evidence",
		"INSERT INTO evidence (sha256, size, bytes)"
		" VALUES (?1, ?2, zeroblob(?2))",
		SQL_VALUES(sql_blob(digest, HASH_LEN),
		    sql_int((int64_t)part->len))) != 0 ||
	    blob_open(journal, sqlite3_last_insert_rowid(journal->db), true,
		&blob) != 0 ||
	    copy_part(journal, part, blob, again) != 0)
		return -1;
	return CRYPTO_memcmp(again, digest, HASH_LEN) == 0
	    ? 0
	    : ca_error(CA_R_IO,
		  "what is to be evidence was changed while it was read");
}

static int
put_part(struct journal *journal, const struct part *part,
    unsigned char ret_digest[HASH_LEN])
{
	int64_t id;
	bool found;

	if (copy_part(journal, part, NULL, ret_digest) != 0 ||
	    find(journal, ret_digest, &found, &id) != 0)
		return -1;
	return found ? evidence_same(journal, id, ret_digest)
		     : insert_part(journal, part, ret_digest);
}

int
journal_evidence_put_file(struct journal *journal, int fd, uint64_t offset,
    uint64_t len, unsigned char ret_sha256[HASH_LEN])
{
	const struct part part = { fd, offset, len };
	unsigned char digest[HASH_LEN];
	bool own;

	if (check_size(len) != 0 || journal_act_begin(journal, &own) != 0 ||
	    journal_act_end(journal, own, put_part(journal, &part, digest)) !=
		0)
		return -1;
	memcpy(ret_sha256, digest, HASH_LEN);
	return 0;
}
