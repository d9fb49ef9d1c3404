#include "ceremony/journal/head.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/note.h"
#include "ceremony/journal/proof.h"
#include "ceremony/journal/store.h"

void
head_clear(struct head *head)
{
	free(head->origin);
	*head = (struct head){ 0 };
}

/* ---- the text --------------------------------------------------------- */

int
head_compose(const struct head *head, char **ret_text)
{
	char root[HASH_HEX_SIZE];
	AUTO_CHARS(text) = NULL;
	AUTO_CHARS(sum) = NULL;

	text_hex_into(head->root, HASH_LEN, root);
	text = text_printf("ca-tool head 1\norigin: %s\nepoch: %" PRIu64
			   "\nsize: %" PRIu64 "\nroot: %s\n",
	    head->origin, head->epoch, head->size, root);
	if (text == NULL)
		return -1;
	sum = sha256_hex(text, strlen(text));
	if (sum == NULL)
		return -1;
	*ret_text = text_printf("%ssum: %s\n", text, sum);
	return *ret_text == NULL ? -1 : 0;
}

/* The rest of a line that begins with `name`; *at moves behind it. */
static char *
take_line(const char **at, const char *name)
{
	size_t len = strlen(name);
	const char *end = strchr(*at, '\n');
	char *value;

	if (end == NULL || strncmp(*at, name, len) != 0)
		return NULL;
	value = text_printf("%.*s", (int)(end - *at - (long)len), *at + len);
	*at = end + 1;
	return value;
}

static int
read_lines(const char *text, struct head *head)
{
	AUTO_CHARS(epoch) = NULL;
	AUTO_CHARS(size) = NULL;
	AUTO_CHARS(root) = NULL;
	AUTO_BYTES(octets) = NULL;
	size_t len = 0;
	const char *at = text;
	AUTO_CHARS(first) = take_line(&at, "ca-tool head 1");

	if (first == NULL ||
	    (head->origin = take_line(&at, "origin: ")) == NULL ||
	    (epoch = take_line(&at, "epoch: ")) == NULL ||
	    (size = take_line(&at, "size: ")) == NULL ||
	    (root = take_line(&at, "root: ")) == NULL ||
	    text_number(epoch, INT64_MAX, &head->epoch) < 0 ||
	    text_number(size, INT64_MAX, &head->size) < 0 ||
	    text_unhex(root, &octets, &len) < 0 || len != HASH_LEN)
		return -1;
	memcpy(head->root, octets, HASH_LEN);
	return 0;
}

/* What composes to the same octets again is whole. */
int
head_parse(const void *bytes, size_t len, struct head *ret_head)
{
	AUTO_STRUCT(head) head = { 0 };
	AUTO_CHARS(text) = len > HEAD_MAX_BYTES
	    ? NULL
	    : text_printf("%.*s", (int)len, (const char *)bytes);
	AUTO_CHARS(again) = NULL;

	if (text == NULL || read_lines(text, &head) < 0 ||
	    head_compose(&head, &again) < 0 || strlen(again) != len ||
	    memcmp(again, bytes, len) != 0) {
		ca_error_clear();
		return ca_error(
		    CA_R_INPUT, "this is no whole head of a journal");
	}
	*ret_head = head;
	head.origin = NULL;
	return 0;
}

/* ---- epochs ----------------------------------------------------------- */

#define EPOCH_SUFFIX "/epoch-"

char *
epoch_origin(const char *id, uint64_t epoch)
{
	return epoch == 0
	    ? text_copy(id)
	    : text_printf("%s" EPOCH_SUFFIX "%" PRIu64, id, epoch);
}

bool
epoch_of_origin(const char *id, const char *origin, uint64_t *ret_epoch)
{
	size_t len = strlen(id);
	uint64_t epoch = 0;
	AUTO_CHARS(again) = NULL;

	if (strncmp(origin, id, len) != 0)
		return false;
	if (origin[len] != '\0' &&
	    (strncmp(origin + len, EPOCH_SUFFIX, strlen(EPOCH_SUFFIX)) != 0 ||
		text_number(origin + len + strlen(EPOCH_SUFFIX), INT64_MAX,
		    &epoch) < 0)) {
		ca_error_clear();
		return false;
	}
	again = epoch_origin(id, epoch);
	if (again == NULL || strcmp(again, origin) != 0)
		return false;
	*ret_epoch = epoch;
	return true;
}

/* ---- the rule --------------------------------------------------------- */

/* T and J in one epoch. */
static int
compare_sizes(struct journal *journal, const struct authority_row *row,
    const struct head *token, enum head_relation *ret_relation)
{
	unsigned char root[HASH_LEN];
	uint64_t size = 0;

	if (journal_head(journal, &size, root) < 0)
		return -1;
	if (token->size > size) {
		*ret_relation = HEAD_SHORTER;
		return 0;
	}
	if (journal_root_at(journal, token->size, root) < 0)
		return -1;
	if (memcmp(root, token->root, HASH_LEN) != 0)
		*ret_relation = HEAD_FORKED;
	else if (row->has_head && token->size < row->head_size)
		*ret_relation = HEAD_OLDER;
	else
		*ret_relation = HEAD_FITS;
	return 0;
}

/* A head in the entry that opened the epoch; *ret_found false: it is null. */
static int
pinned_head(struct journal *journal, uint64_t seq, bool *ret_found,
    struct head *ret_head)
{
	AUTO_CHARS(line) = NULL;
	AUTO(json_t) *json = NULL;
	AUTO_BYTES(root) = NULL;
	struct entry entry = { 0 };
	struct head head = { 0 };
	const char *origin, *hex;
	json_int_t epoch, size;
	size_t len = 0;
	json_t *value;

	if (journal_entry(journal, seq, &line, &len) < 0 ||
	    entry_parse(line, len, &json, &entry) < 0)
		return -1;
	value = json_object_get(entry.data, "head");
	*ret_found = !json_is_null(value);
	if (!*ret_found)
		return 0;
	if (json_unpack(value, "{s:s, s:I, s:I, s:s}", "origin", &origin,
		"epoch", &epoch, "size", &size, "root", &hex) != 0 ||
	    text_unhex(hex, &root, &len) < 0 || len != HASH_LEN)
		return ca_error(
		    CA_R_CORRUPT, "the entry of an epoch is malformed");
	memcpy(head.root, root, HASH_LEN);
	head.epoch = (uint64_t)epoch;
	head.size = (uint64_t)size;
	head.origin = text_copy(origin);
	*ret_head = head;
	return head.origin == NULL ? -1 : 0;
}

/*
 * The token is of an earlier epoch.  That fits only where this one was begun and
 * cut off before its first head was written, and the token holds exactly what
 * the entry says that it held.
 */
static int
compare_pinned(struct journal *journal, const struct authority_row *row,
    const struct head *token, enum head_relation *ret_relation)
{
	AUTO_STRUCT(head) pinned = { 0 };
	bool found = false;

	*ret_relation = token == NULL ? HEAD_ABSENT : HEAD_OLDER;
	if (row->has_head)
		return 0;
	if (pinned_head(journal, row->epoch_seq, &found, &pinned) < 0)
		return -1;
	if (token == NULL ? !found
			  : found && token->epoch == pinned.epoch &&
		    token->size == pinned.size &&
		    strcmp(token->origin, pinned.origin) == 0 &&
		    memcmp(token->root, pinned.root, HASH_LEN) == 0)
		*ret_relation = HEAD_FITS;
	return 0;
}

int
head_compare(struct journal *journal, const struct head *token,
    enum head_relation *ret_relation)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	uint64_t epoch = 0;

	if (journal_authority(journal, &row) < 0)
		return -1;
	if (token == NULL && row.epoch > 0)
		return compare_pinned(journal, &row, NULL, ret_relation);
	if (token == NULL)
		*ret_relation = row.has_head ? HEAD_ABSENT : HEAD_FITS;
	else if (!epoch_of_origin(row.id, token->origin, &epoch) ||
	    epoch != token->epoch)
		*ret_relation = HEAD_FOREIGN;
	else if (token->epoch > row.epoch)
		*ret_relation = HEAD_SHORTER;
	else if (token->epoch < row.epoch)
		return compare_pinned(journal, &row, token, ret_relation);
	else
		return compare_sizes(journal, &row, token, ret_relation);
	return 0;
}

/* ---- receipts --------------------------------------------------------- */

int
head_receipt(struct journal *journal, const char *note, size_t len,
    struct checkpoint *ret_receipt, uint64_t *ret_epoch)
{
	AUTO_STRUCT(authority_row) row = { 0 };
	AUTO_STRUCT(key_row) key = { 0 };
	const char *end = memchr(note, '\n', len);
	AUTO_CHARS(origin) = end == NULL
	    ? text_copy("")
	    : text_printf("%.*s", (int)(end - note), note);
	bool found = false;

	if (origin == NULL || journal_authority(journal, &row) < 0 ||
	    journal_key(journal, "journal", &found, &key) < 0)
		return -1;
	if (!found || key.spki == NULL)
		return ca_error(CA_R_STATE, "the journal has no key");
	if (!epoch_of_origin(row.id, origin, ret_epoch))
		return ca_error(CA_R_VERIFY,
		    "it is a checkpoint of '%s', not of '%s'", origin, row.id);
	return checkpoint_verify(
	    note, len, origin, key.spki, key.spki_len, ret_receipt);
}
