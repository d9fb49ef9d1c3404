/* Heads on the token, and epochs: as apply.c, which see. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/journal/store.h"

static int
same_number(const struct entry *entry, const char *name, int64_t wanted,
    const char *why)
{
	return entry_number(entry, name) == wanted
	    ? 0
	    : entry_contradiction(entry, name, why);
}

/* The root that `object` names is that of its first `size` entries. */
static int
check_root(
    struct journal *journal, const struct entry *entry, const json_t *object)
{
	const char *hex = json_string_value(json_object_get(object, "root"));
	uint64_t size =
	    (uint64_t)json_integer_value(json_object_get(object, "size"));
	struct tree_store tree = journal_tree(journal);
	unsigned char root[HASH_LEN];
	char found[HASH_HEX_SIZE];

	if (size > entry->seq)
		return entry_contradiction(
		    entry, hex, "is over more entries than there are");
	if (tree_root(&tree, size, root) != 0)
		return -1;
	text_hex_into(root, HASH_LEN, found);
	if (strcmp(found, hex) != 0)
		return entry_contradiction(entry, hex,
		    "is not the root of the entries that it counts");
	return 0;
}

/* The epoch that is open, and its origin. */
static int
check_epoch(struct journal *journal, const struct entry *entry)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(journal, &row) != 0)
		return -1;
	if (strcmp(row.origin, entry_text(entry, "origin")) != 0)
		return entry_contradiction(entry, entry_text(entry, "origin"),
		    "is not the journal's origin");
	return same_number(entry, "epoch", (int64_t)row.epoch,
	    "is not the epoch that is open");
}

int
apply_head(struct journal *journal, const struct entry *entry)
{
	AUTO_BYTES(root) = NULL;
	size_t len;

	if (check_epoch(journal, entry) != 0 ||
	    check_root(journal, entry, entry->data) != 0 ||
	    text_unhex(entry_text(entry, "root"), &root, &len) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE authority SET head_epoch = ?1, head_size = ?2,"
	    " head_root = ?3, head_serial = ?4",
	    SQL_VALUES(sql_int(entry_number(entry, "epoch")),
		sql_int(entry_number(entry, "size")), sql_blob(root, len),
		sql_text(entry_text(entry, "serial"))));
}

/* What is left of the old epoch is what the entry says. */
static int
check_was(struct journal *journal, const struct entry *entry)
{
	const json_t *was = json_object_get(entry->data, "was");
	const char *origin = json_string_value(json_object_get(was, "origin"));
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(journal, &row) != 0)
		return -1;
	if (strcmp(row.origin, origin) != 0 ||
	    strcmp(row.origin, entry_text(entry, "origin")) == 0)
		return entry_contradiction(entry, origin,
		    "is not the origin that is left for another");
	/* Not always the next: receipts may show that there were others. */
	if (entry_number(entry, "epoch") <= (int64_t)row.epoch)
		return entry_contradiction(
		    entry, "epoch", "is not a later epoch");
	return check_root(journal, entry, was);
}

/*
 * From here on heads and checkpoints are of the new origin: the head that was
 * recorded last counts no more.
 */
int
apply_epoch(struct journal *journal, const struct entry *entry)
{
	if (entry_check_run(journal, entry) != 0 ||
	    check_was(journal, entry) != 0 ||
	    entry_set_acted(journal, entry) != 0)
		return -1;
	return sql_run(journal, NULL,
	    "UPDATE authority SET epoch = ?1, origin = ?2, lost = lost + ?3,"
	    " epoch_seq = ?4, head_epoch = NULL, head_size = NULL, head_root = NULL,"
	    " head_serial = NULL",
	    SQL_VALUES(sql_int(entry_number(entry, "epoch")),
		sql_text(entry_text(entry, "origin")),
		sql_int(entry_number(entry, "lost")),
		sql_int((int64_t)entry->seq)));
}
