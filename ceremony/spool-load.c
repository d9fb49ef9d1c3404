/*
 * The newest list of a run that was cut off, and what is left of its spool.  Of
 * what is to be signed nothing large is held in memory: a CRL stays in its file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/date.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "ceremony/batch.h"
#include "ceremony/run-private.h"
#include "profiles/spill.h"

struct spool {
	int fd;    /* -1: it is lost */
	bool lost; /* something of the list is not in it */
};

static void
spool_clear(struct spool *spool)
{
	cleanup_fd(&spool->fd);
}
CLEANUP_DEFINE_STRUCT(spool);

/* ---- cutting ---------------------------------------------------------- */

/* What is no CRL and larger than this was not written here. */
enum { SPOOLED_MAX = 1 << 22 };

static int
cut_memory(int fd, uint64_t offset, struct tbs *tbs, bool *ret_there)
{
	size_t done = 0;

	tbs->der = malloc(tbs->len);
	if (tbs->der == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	while (done < tbs->len) {
		ssize_t n = pread(fd, tbs->der + done, tbs->len - done,
		    (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ca_error_errno(CA_R_IO, "cannot read a spool");
		if (n == 0)
			return 0;
		done += (size_t)n;
	}
	*ret_there = true;
	return sha256(tbs->der, tbs->len, tbs->sha256);
}

/* Its digests are what is compared and signed, whatever the file becomes. */
static int
cut_file(int fd, uint64_t offset, struct tbs *tbs, bool *ret_there)
{
	tbs->file = calloc(1, sizeof(*tbs->file));
	if (tbs->file == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	tbs->file->offset = offset;
	tbs->file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (tbs->file->fd < 0)
		return ca_error_errno(CA_R_IO, "cannot keep a spool");
	*ret_there = true;
	return tbs_file_digest(tbs);
}

int
spool_cut(
    int fd, uint64_t offset, uint64_t len, struct tbs *tbs, bool *ret_there)
{
	bool in_file = tbs->kind == OBJECT_CRL || tbs->kind == OBJECT_OCSP;
	struct stat st;

	*ret_there = false;
	if (fstat(fd, &st) != 0)
		return ca_error_errno(CA_R_IO, "cannot look at a spool");
	if (len > LIST_MAX_BYTES || offset > LIST_MAX_BYTES ||
	    offset + len > (uint64_t)st.st_size ||
	    (!in_file && len > SPOOLED_MAX))
		return 0;
	tbs->len = (size_t)len;
	return in_file ? cut_file(fd, offset, tbs, ret_there)
		       : cut_memory(fd, offset, tbs, ret_there);
}

/* ---- lines ------------------------------------------------------------ */

static struct earlier_object *
earlier_at(struct run *run, size_t number)
{
	struct earlier_object *rows;

	if (number >= 1 << 24) {
		(void)ca_error(CA_R_CORRUPT, "a list counts too many objects");
		return NULL;
	}
	if (number < run->earlier_count)
		return &run->earlier[number];
	rows = realloc(run->earlier, (number + 1) * sizeof(*rows));
	if (rows == NULL) {
		(void)ca_error(CA_R_MEMORY, "no memory for a list");
		return NULL;
	}
	run->earlier = rows;
	for (size_t i = run->earlier_count; i <= number; i++)
		rows[i] = (struct earlier_object){ 0 };
	run->earlier_count = number + 1;
	return &rows[number];
}

/* A certificates step sees by it which requests had been left out. */
static int
name_earlier(struct earlier_object *e, const char *name)
{
	free(e->name);
	e->name = text_copy(name);
	return e->name == NULL ? -1 : 0;
}

/* What a line says of an object; strings are the line's. */
struct spooled {
	enum object_kind kind;
	const struct sigalg *alg;
	const char *name, *sha256;
	uint64_t offset, length;
	int64_t built;
};

static int
read_object(json_t *row, size_t *ret_number, struct spooled *ret_spooled)
{
	json_int_t number, offset, length;
	const char *kind, *algorithm, *built;
	struct spooled one = { .length = 0 };
	AUTO_BYTES(alg) = NULL;
	size_t alg_len = 0;

	if (json_unpack(row, "{s:I, s:s, s:s, s:s, s:s, s:I, s:I, s:s}",
		"object", &number, "kind", &kind, "name", &one.name,
		"algorithm", &algorithm, "tbs", &one.sha256, "offset", &offset,
		"length", &length, "built", &built) != 0 ||
	    number < 0 || offset < 0 || length <= 0)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (object_kind_by_name(kind, &one.kind) < 0 ||
	    text_unhex(algorithm, &alg, &alg_len) < 0 ||
	    date_parse(built, &one.built) < 0)
		return -1;
	one.alg = sigalg_by_der(alg, alg_len);
	if (one.alg == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	one.offset = (uint64_t)offset;
	one.length = (uint64_t)length;
	*ret_number = (size_t)number;
	*ret_spooled = one;
	return 0;
}

/*
 * The to-be-signed bytes of one line, cut from the spool and compared.  The
 * spool is no evidence: what it has lost is built, and confirmed, anew.
 */
static int
load_object(struct run *run, json_t *row, struct spool *spool)
{
	struct spooled one;
	AUTO_STRUCT(tbs) octets = { 0 };
	struct earlier_object *e;
	char hex[HASH_HEX_SIZE];
	size_t number = 0;
	bool there = false;

	if (read_object(row, &number, &one) < 0)
		return -1;
	e = earlier_at(run, number);
	if (e == NULL || name_earlier(e, one.name) < 0)
		return -1;
	octets.kind = one.kind;
	octets.alg = one.alg;
	if (spool->fd >= 0 &&
	    spool_cut(spool->fd, one.offset, one.length, &octets, &there) < 0)
		return -1;
	text_hex_into(octets.sha256, HASH_LEN, hex);
	if (!there || strcmp(hex, one.sha256) != 0) {
		spool->lost = true;
		return 0;
	}
	e->state = EARLIER_SPOOLED;
	e->built = one.built;
	tbs_clear(&e->octets);
	e->octets = octets;
	octets = (struct tbs){ 0 }; /* moved out */
	return 0;
}

/* Its responses are made again: the journal says which ones are signed. */
static int
load_batch(struct run *run, json_t *row)
{
	struct listed_batch *rows, *listed;
	const char *name, *root;
	json_int_t count;

	if (json_unpack(row, "{s:s, s:I, s:s}", "name", &name, "count", &count,
		"root", &root) != 0 ||
	    count <= 0 || strlen(root) != HASH_HEX_SIZE - 1)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	rows = realloc(
	    run->listed_batches, (run->listed_batch_count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	run->listed_batches = rows;
	listed = &rows[run->listed_batch_count];
	*listed = (struct listed_batch){ .count = (size_t)count };
	memcpy(listed->root, root, HASH_HEX_SIZE);
	listed->name = text_copy(name);
	if (listed->name == NULL)
		return -1;
	run->listed_batch_count++;
	return 0;
}

static int
load_act(struct run *run, json_t *row)
{
	const char *hash = json_string_value(json_object_get(row, "sha256"));
	AUTO_CHARS(copy) = hash == NULL ? NULL : text_copy(hash);
	char **acts = realloc(
	    run->listed_acts, (run->listed_act_count + 1) * sizeof(*acts));

	if (acts != NULL)
		run->listed_acts = acts;
	if (hash == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (acts == NULL || copy == NULL)
		return ca_error(CA_R_MEMORY, "no memory for a list");
	acts[run->listed_act_count++] = TAKE(copy);
	return 0;
}

static int
load_header(struct run *run, json_t *row)
{
	const char *built = json_string_value(json_object_get(row, "built"));

	if (built == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	return date_parse(built, &run->listed);
}

static int
load_line(struct run *run, const char *line, size_t len, struct spool *spool)
{
	json_t *row = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	int rc;

	if (row == NULL)
		return ca_error(CA_R_CORRUPT, "the list is malformed");
	if (json_object_get(row, "object") != NULL)
		rc = load_object(run, row, spool);
	else if (json_object_get(row, "batch") != NULL)
		rc = load_batch(run, row);
	else if (json_object_get(row, "act") != NULL)
		rc = load_act(run, row);
	else
		rc = load_header(run, row);
	json_decref(row);
	return rc;
}

/* The list must be the one whose hash is in the journal. */
struct list_search {
	const char *run;
	unsigned list;
	char sha256[HASH_HEX_SIZE];
};

static int
match_list(void *ctx, uint64_t seq, const char *line, size_t len)
{
	struct list_search *search = ctx;
	json_t *entry = json_loadb(line, len, 0, NULL);
	const char *run, *sha;
	int list;

	(void)seq;
	if (entry != NULL &&
	    json_unpack(entry, "{s:{s:s, s:i, s:s}}", "data", "run", &run,
		"list", &list, "sha256", &sha) == 0 &&
	    strcmp(run, search->run) == 0 && (unsigned)list == search->list)
		(void)snprintf(
		    search->sha256, sizeof(search->sha256), "%s", sha);
	json_decref(entry);
	return 0;
}

static int
check_list(
    struct run *run, unsigned number, const unsigned char *list, size_t len)
{
	struct list_search search = { .run = run->nonce, .list = number };
	AUTO_CHARS(hash) = sha256_hex(list, len);

	if (hash == NULL ||
	    journal_each_entry(journal_of_run(run), run->first, ENTRY_LIST,
		match_list, &search) < 0)
		return -1;
	if (strcmp(hash, search.sha256) != 0)
		return ca_error(CA_R_VERIFY,
		    "list-%u of this run is not the one in the journal",
		    number);
	return 0;
}

/* -1 where it is lost, or cannot be ours. */
static int
open_spool(struct run *run, unsigned number, struct spool *spool)
{
	AUTO_CHARS(name) = text_printf("spool-%u", number);
	struct stat st;

	if (name == NULL)
		return -1;
	spool->fd = openat(
	    run->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (spool->fd >= 0 &&
	    (fstat(spool->fd, &st) != 0 || !S_ISREG(st.st_mode)))
		cleanup_fd(&spool->fd);
	return 0;
}

static int
load_lines(struct run *run, const unsigned char *list, size_t list_len,
    struct spool *spool)
{
	size_t at = 0;

	while (at < list_len) {
		const unsigned char *end =
		    memchr(list + at, '\n', list_len - at);

		if (end == NULL)
			return ca_error(CA_R_CORRUPT, "the list is cut off");
		if (load_line(run, (const char *)list + at,
			(size_t)(end - (list + at)), spool) < 0)
			return -1;
		at = (size_t)(end - list) + 1;
	}
	return 0;
}

static int
show_lost(const struct run *run, unsigned number)
{
	AUTO_CHARS(text) = text_printf(
	    "'spool-%u' is lost or was changed: what is not signed yet is "
	    "built, and confirmed, anew",
	    number);

	if (text == NULL)
		return -1;
	run->room->show(run->room->ctx, ROOM_WARNING, text);
	return 0;
}

static int
load_list(struct run *run, unsigned number)
{
	AUTO_CHARS(name) = text_printf("list-%u", number);
	AUTO_STRUCT(spool) spool = { .fd = -1 };
	AUTO_BYTES(list) = NULL;
	size_t len = 0;

	if (name == NULL ||
	    file_read_at(run->fd, name, LIST_MAX_BYTES, &list, &len) < 0 ||
	    check_list(run, number, list, len) < 0 ||
	    open_spool(run, number, &spool) < 0 ||
	    load_lines(run, list, len, &spool) < 0)
		return -1;
	free(run->list);
	run->list = TAKE(list); /* as it was written: operators sign it */
	run->list_len = len;
	return spool.lost ? show_lost(run, number) : 0;
}

bool
spool_has_acts(const struct run *run, const struct build *build)
{
	if (run->listed_act_count != build->act_count)
		return false;
	for (size_t i = 0; i < build->act_count; i++) {
		const char *text = build->acts[i].text;
		AUTO_CHARS(hash) = sha256_hex(text, strlen(text));

		if (hash == NULL || strcmp(hash, run->listed_acts[i]) != 0)
			return false;
	}
	return true;
}

static int
add_piece(void *ctx, const unsigned char *data, size_t len)
{
	return spill_add(ctx, data, len);
}

/* What was gathered, small or large. */
static int
take_spill(struct spill *spill, struct tbs *octets)
{
	octets->len = (size_t)spill_len(spill);
	if (spill->fd < 0) {
		octets->der = bytes_copy(spill->buf, spill->fill);
		return octets->der == NULL ? -1 : 0;
	}
	if (spill_flush(spill) < 0)
		return -1;
	octets->file = calloc(1, sizeof(*octets->file));
	if (octets->file == NULL)
		return ca_error(CA_R_MEMORY, "no memory for an object");
	octets->file->fd = TAKE_FD(spill->fd);
	return 0;
}

/* A signed object: a CRL in a file, where it is large. */
static int
load_signed(
    const struct run *run, const struct object_row *row, struct tbs *octets)
{
	AUTO_STRUCT(spill) spill = { .fd = -1 };
	AUTO_BYTES(digest) = NULL;
	size_t len = 0;

	if (octets->kind != OBJECT_CRL)
		return journal_object_bytes(
		    journal_of_run(run), row, &octets->der, &octets->len);
	if (row->sha256 == NULL || text_unhex(row->sha256, &digest, &len) < 0)
		return -1;
	if (len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "'%s' has no SHA-256", row->name);
	if (spill_open(authority_fd(run->authority), &spill) < 0 ||
	    journal_evidence_read(
		journal_of_run(run), digest, add_piece, &spill) < 0)
		return -1;
	return take_spill(&spill, octets);
}

/*
 * What the journal says of object n, oldest word first.  A signed one is done.
 * One that failed may stand in the newest list again, built anew; its intent
 * in an older list then says nothing of it.
 */
static int
apply_row(void *ctx, const struct object_row *row)
{
	struct run *run = ctx;
	bool newest_list = row->list + 1 == run->lists;
	struct earlier_object *e;

	if (row->adopted || (row->state != OBJECT_SIGNED && !newest_list))
		return 0;
	e = earlier_at(run, row->object);
	if (e == NULL)
		return -1;
	tbs_clear(&e->octets);
	*e = (struct earlier_object){ .name = e->name };
	if (name_earlier(e, row->name) < 0)
		return -1;
	if (row->state != OBJECT_SIGNED)
		return 0;
	if (object_kind_by_name(row->kind, &e->octets.kind) < 0 ||
	    load_signed(run, row, &e->octets) < 0)
		return -1;
	e->state = EARLIER_SIGNED;
	return 0;
}

int
spool_load_earlier(struct run *run)
{
	if (run->lists == 0)
		return 0;
	if (load_list(run, run->lists - 1) < 0)
		return -1;
	return journal_each_object(
	    journal_of_run(run), run->nonce, NULL, apply_row, run);
}
