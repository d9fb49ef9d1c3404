/*
 * Making the derived tables anew from the entries, and saying how far they were
 * from them.  Entries, tree and evidence are never touched: what is wrong with
 * those is refused, and a backup is the way out.
 */
#ifndef CA_JOURNAL_REINDEX_H
#define CA_JOURNAL_REINDEX_H

#include "ceremony/journal/journal.h"

enum { REINDEX_TABLES_MAX = 24 };

/* One derived table: its rows as the entries make them, against those before.
 */
struct reindex_table {
	const char *name;
	uint64_t rows;    /* now */
	uint64_t missing; /* of those, were not there, or differed */
	uint64_t wrong;   /* were there, and are not among those now */
};

struct reindex {
	struct reindex_table tables[REINDEX_TABLES_MAX];
	size_t count;
	uint64_t entries;
};

/*
 * Check every entry and every hash of the tree, then journal_rebuild().
 * CA_R_CORRUPT, naming the entry, where one of them does not have its hash, is
 * not what its row says, contradicts those before it, or does not lead to the
 * stored tree: then nothing is changed.  `keep_going` is asked now and then
 * while entries are checked; where it is false: CA_R_INTERRUPTED, and nothing
 * is changed.  16 octets of memory are needed for each row of the largest
 * table, twice.
 */
int journal_reindex(struct journal *journal, bool (*keep_going)(void),
    struct reindex *ret_reindex) MUST_USE;

/*
 * Only look: is every entry and every hash of the tree sound, and are the derived
 * tables what the entries make?  CA_R_CORRUPT otherwise; nothing is changed.
 * Memory is flat, but where they differ: then as in journal_reindex().
 * Whoever rests decisions on the tables calls this first: a rollback that is
 * hidden in a table would be believed else.
 */
int journal_check(struct journal *journal) MUST_USE;

#endif
