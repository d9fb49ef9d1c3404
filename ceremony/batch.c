#include "ceremony/batch.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/tree.h"

/* ---- lines ------------------------------------------------------------ */

struct der
batch_item_der(const struct built_batch *batch, size_t i)
{
	return (struct der){ batch->tbs + batch->offsets[i],
		batch->offsets[i + 1] - batch->offsets[i] };
}

size_t
batch_line(
    const struct built_batch *batch, size_t i, char ret_line[BATCH_LINE_MAX])
{
	const struct der der = batch_item_der(batch, i);
	unsigned char digest[HASH_LEN];
	char hex[HASH_HEX_SIZE];
	int len;

	if (sha256(der.p, der.len, digest) < 0)
		return 0;
	text_hex_into(digest, HASH_LEN, hex);
	len = snprintf(ret_line, BATCH_LINE_MAX, "%s %s %s\n",
	    batch->items[i].serial,
	    batch->items[i].revoked ? "revoked" : "good", hex);
	return len > 0 && len < BATCH_LINE_MAX ? (size_t)len : 0;
}

int
batch_each_line(const struct built_batch *batch, size_t first, size_t count,
    int (*take)(void *ctx, const char *line, size_t len), void *ctx,
    unsigned char ret_root[HASH_LEN])
{
	struct tree_range range = { .size = 0 };

	for (size_t i = first; i < first + count; i++) {
		unsigned char leaf[HASH_LEN];
		char line[BATCH_LINE_MAX];
		size_t n = batch_line(batch, i, line);

		if (n == 0)
			return ca_error(CA_R_INTERNAL,
			    "a response of '%s' cannot be listed", batch->name);
		if (tree_leaf(line, n - 1, leaf) < 0 ||
		    tree_range_add(&range, leaf, NULL, NULL) < 0 ||
		    (take != NULL && take(ctx, line, n) < 0))
			return -1;
	}
	return tree_range_root(&range, ret_root);
}

int
batch_root(const struct built_batch *batch, unsigned char ret_root[HASH_LEN])
{
	return batch_each_line(batch, 0, batch->count, NULL, NULL, ret_root);
}

struct lines {
	char *text;
	size_t len;
};

static int
add_line(void *ctx, const char *line, size_t len)
{
	struct lines *lines = ctx;

	memcpy(lines->text + lines->len, line, len);
	lines->len += len;
	return 0;
}

int
batch_lines(const struct built_batch *batch, size_t first, size_t count,
    char **ret_lines, size_t *ret_len, unsigned char ret_root[HASH_LEN])
{
	AUTO_CHARS(text) = malloc(count * BATCH_LINE_MAX + 1);
	struct lines lines = { .text = text };

	if (text == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	if (batch_each_line(batch, first, count, add_line, &lines, ret_root) <
	    0)
		return -1;
	text[lines.len] = '\0';
	*ret_lines = TAKE(text);
	*ret_len = lines.len;
	return 0;
}

void
listed_batches_free(struct listed_batch *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(rows[i].name);
	free(rows);
}

/* ---- what was signed -------------------------------------------------- */

/*
 * The step has taken in what earlier parts of the run signed (is_signed); here
 * is told in which list that stood, and what is possibly signed.
 */
struct earlier_windows {
	struct run *run;
	struct built_batch *batch;
	struct batch_item **order; /* by serial */
	bool *older;               /* of each item: signed in an older list */
	bool possibly;             /* the newest list has a failed window */
};

static void
earlier_windows_clear(struct earlier_windows *w)
{
	free(w->order);
	free(w->older);
}
CLEANUP_DEFINE_STRUCT(earlier_windows);

static int
compare_items(const void *a, const void *b)
{
	const struct batch_item *const *x = a, *const *y = b;

	return strcmp((*x)->serial, (*y)->serial);
}

static int
compare_serial(const void *key, const void *row)
{
	const struct batch_item *const *item = row;

	return strcmp(key, (*item)->serial);
}

/* "SERIAL SHA256 BASE64", or "SERIAL -". */
static int
mark_line(struct earlier_windows *w, const char *line, size_t len)
{
	char serial[sizeof(w->batch->items[0].serial)];
	const char *blank = memchr(line, ' ', len);
	struct batch_item **found;

	if (blank == NULL || blank + 1 == line + len ||
	    (size_t)(blank - line) >= sizeof(serial))
		return ca_error(CA_R_CORRUPT,
		    "a list of signed OCSP responses is malformed");
	if (blank[1] == '-')
		return 0;
	memcpy(serial, line, (size_t)(blank - line));
	serial[blank - line] = '\0';
	found = bsearch(serial, w->order, w->batch->count,
	    sizeof(struct batch_item *), compare_serial);
	if (found != NULL)
		w->older[*found - w->batch->items] = true;
	return 0;
}

static int
mark_window(struct earlier_windows *w, const char *sha256)
{
	AUTO_BYTES(digest) = NULL;
	AUTO_BYTES(data) = NULL;
	size_t digest_len = 0, len = 0;

	if (text_unhex(sha256, &digest, &digest_len) < 0)
		return -1;
	if (digest_len != HASH_LEN)
		return ca_error(CA_R_CORRUPT, "a hash is malformed");
	if (journal_evidence_get(journal_of_run(w->run), digest, &data, &len) <
	    0)
		return -1;
	for (size_t at = 0; at < len;) {
		const char *line = (const char *)data + at;
		const char *end = memchr(line, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - line);

		if (mark_line(w, line, n) < 0)
			return -1;
		at += n + 1;
	}
	return 0;
}

static int
visit_window(void *ctx, const struct ocsp_window_row *row)
{
	struct earlier_windows *w = ctx;
	bool newest = row->list + 1 == w->run->lists;

	if (strcmp(row->name, w->batch->name) != 0)
		return 0;
	if (row->state != OBJECT_SIGNED) {
		w->possibly = w->possibly || newest;
		return 0;
	}
	return newest || row->items == NULL ? 0 : mark_window(w, row->items);
}

static int
look_at_windows(struct run *run, struct built_batch *batch,
    struct earlier_windows *ret_windows)
{
	AUTO_STRUCT(earlier_windows)
	w = {
		.run = run,
		.batch = batch,
		.order = calloc(batch->count, sizeof(struct batch_item *)),
		.older = calloc(batch->count, sizeof(bool)),
	};

	if (w.order == NULL || w.older == NULL)
		return ca_error(CA_R_MEMORY, "no memory for OCSP responses");
	for (size_t i = 0; i < batch->count; i++)
		w.order[i] = &batch->items[i];
	qsort(
	    w.order, batch->count, sizeof(struct batch_item *), compare_items);
	if (journal_each_ocsp_window(
		journal_of_run(run), run->nonce, visit_window, &w) < 0)
		return -1;
	*ret_windows = w;
	w = (struct earlier_windows){ 0 };
	return 0;
}

/* What is signed leaves the batch: the next list has the others. */
static void
drop_signed(struct built_batch *batch, const bool *only)
{
	size_t kept = 0, len = 0;

	for (size_t i = 0; i < batch->count; i++) {
		const struct der der = batch_item_der(batch, i);

		if (batch->items[i].is_signed && (only == NULL || only[i]))
			continue;
		memmove(batch->tbs + len, der.p, der.len);
		batch->items[kept] = batch->items[i];
		batch->offsets[kept++] = len;
		len += der.len;
	}
	batch->offsets[kept] = len;
	batch->count = kept;
	batch->tbs_len = len;
}

void
batch_drop_signed(struct built_batch *batch)
{
	drop_signed(batch, NULL);
	batch->signed_count = 0;
}

/* ---- does the newest list stand? -------------------------------------- */

static int
is_as_listed(struct run *run, const struct built_batch *batch, bool *ret_same)
{
	unsigned char root[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	*ret_same = false;
	for (size_t i = 0; i < run->listed_batch_count; i++) {
		const struct listed_batch *listed = &run->listed_batches[i];

		if (strcmp(listed->name, batch->name) != 0 ||
		    listed->count != batch->count)
			continue;
		if (batch_root(batch, root) < 0)
			return -1;
		text_hex_into(root, HASH_LEN, hex);
		*ret_same = strcmp(hex, listed->root) == 0;
		return 0;
	}
	return 0;
}

static size_t
count_signed(const struct built_batch *batch)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->count; i++)
		n += batch->items[i].is_signed;
	return n;
}

static int
settle_batch(struct run *run, struct built_batch *batch)
{
	AUTO_STRUCT(earlier_windows) windows = { 0 };
	bool same = false;

	if (look_at_windows(run, batch, &windows) < 0)
		return -1;
	drop_signed(batch, windows.older);
	if (is_as_listed(run, batch, &same) < 0)
		return -1;
	same = same && !windows.possibly;
	if (!same)
		drop_signed(batch, NULL);
	batch->signed_count = count_signed(batch);
	if (batch->signed_count == batch->count)
		batch->from = BUILT_AND_SIGNED;
	else
		batch->from = same ? BUILT_BEFORE : BUILT_NOW;
	return 0;
}

int
batches_settle(struct run *run, struct build *build)
{
	if (run->lists == 0)
		return 0;
	for (size_t i = 0; i < build->batch_count; i++)
		if (settle_batch(run, &build->batches[i]) < 0)
			return -1;
	return 0;
}
