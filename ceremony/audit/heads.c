/*
 * Heads: the token held that of each intent before it signed, and each window's
 * is newer than the one before; epochs, in which the journal was recovered.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/audit-private.h"
#include "ceremony/journal/head.h"
#include "ceremony/journal/note.h"

struct heads {
	uint64_t epoch, size; /* of the newest head */
};

/* Origin, epoch and root were checked when it was applied. */
static int
on_head(
    struct audit *audit, struct heads *heads, const struct audit_entry *entry)
{
	uint64_t size = (uint64_t)audit_number(entry, "size");
	uint64_t epoch = (uint64_t)audit_number(entry, "epoch");
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (row.token_serial == NULL ||
	    strcmp(row.token_serial, audit_text(entry, "serial")) != 0)
		audit_error(audit, entry, "AUDIT-HEAD",
		    "it was written to the token with serial number %s, which "
		    "is not the authority's",
		    audit_text(entry, "serial"));
	if (epoch == heads->epoch && size < heads->size)
		audit_error(audit, entry, "AUDIT-HEAD",
		    "it counts %" PRIu64 " entries, the head before it %" PRIu64
		    ": the token's head never goes back",
		    size, heads->size);
	heads->epoch = epoch;
	heads->size = size;
	return 0;
}

/* The newest head of this epoch counts the intent. */
static int
check_covered(struct audit *audit, const struct audit_entry *entry,
    const char *what, int64_t intent)
{
	AUTO_STRUCT(authority_row) row = { 0 };

	if (journal_authority(audit->journal, &row) != 0)
		return -1;
	if (row.has_head && row.head_size > (uint64_t)intent)
		return 0;
	audit_error(audit, entry, "AUDIT-HEAD",
	    "%s '%s': the token did not hold a head that counts its intent, "
	    "entry %" PRId64,
	    what, audit_text(entry, "name"), intent);
	return 0;
}

static int
on_result(struct audit *audit, const struct audit_entry *entry)
{
	int64_t seq;
	bool found;

	if (sql_number(audit->journal,
		"SELECT seq FROM objects WHERE run = ?1 AND list = ?2"
		" AND object = ?3",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_int(audit_number(entry, "object"))),
		&found, &seq) != 0)
		return -1;
	return found ? check_covered(audit, entry, "object", seq) : 0;
}

static int
on_responses(struct audit *audit, const struct audit_entry *entry)
{
	int64_t seq;
	bool found;

	if (sql_number(audit->journal,
		"SELECT seq FROM ocsp_windows WHERE run = ?1 AND list = ?2"
		" AND name = ?3 AND number = ?4",
		SQL_VALUES(sql_text(audit_text(entry, "run")),
		    sql_int(audit_number(entry, "list")),
		    sql_text(audit_text(entry, "name")),
		    sql_int(audit_number(entry, "window"))),
		&found, &seq) != 0)
		return -1;
	return found ? check_covered(audit, entry, "OCSP responses", seq) : 0;
}

static int
on_key(struct audit *audit, const struct audit_entry *entry)
{
	int64_t seq;
	bool found;

	/* One that was taken in was on the token before. */
	if (sql_number(audit->journal,
		"SELECT seq FROM keys WHERE name = ?1 AND state = 1"
		" AND adopted = 0",
		SQL_VALUES(sql_text(audit_text(entry, "name"))), &found,
		&seq) != 0)
		return -1;
	return found ? check_covered(audit, entry, "key", seq) : 0;
}

/* ---- epochs ----------------------------------------------------------- */

static int
take_receipt(struct audit *audit, const struct audit_entry *entry,
    const char *sha256, uint64_t lost)
{
	AUTO_STRUCT(checkpoint) receipt = { 0 };
	AUTO_BYTES(note) = NULL;
	uint64_t epoch = 0;
	size_t len = 0;

	if (audit_evidence_bytes(audit, sha256, &note, &len) != 0)
		return -1;
	if (note == NULL)
		return 0;
	if (head_receipt(
		audit->journal, (const char *)note, len, &receipt, &epoch) != 0)
		return audit_take_error(audit, entry, "AUDIT-EPOCH");
	if (receipt.size > lost ||
	    epoch >= (uint64_t)audit_number(entry, "epoch"))
		audit_error(audit, entry, "AUDIT-EPOCH",
		    "a receipt counts %" PRIu64 " entries of epoch %" PRIu64
		    ": more than it says are lost, or a later epoch",
		    receipt.size, epoch);
	return 0;
}

static int
on_epoch(struct audit *audit, const struct audit_entry *entry)
{
	const json_t *was = json_object_get(entry->data, "was"), *one;
	uint64_t left =
	    (uint64_t)json_integer_value(json_object_get(was, "size"));
	uint64_t lost = (uint64_t)audit_number(entry, "lost");
	size_t i;

	json_array_foreach(json_object_get(entry->data, "receipts"), i, one)
	{
		if (take_receipt(audit, entry, json_string_value(one), lost) !=
		    0)
			return -1;
	}
	audit_warning(audit, entry, "AUDIT-EPOCH",
	    "the journal was recovered here: %" PRIu64
	    " entries were left, and the one that was lost had %" PRIu64
	    ", as far as the token or a receipt showed; of the others nothing "
	    "is known. From here on it is '%s'",
	    left, lost, audit_text(entry, "origin"));
	return 0;
}

/* ---- the pass --------------------------------------------------------- */

static int
heads_begin(struct audit *audit, void **ret_state)
{
	(void)audit;
	*ret_state = calloc(1, sizeof(struct heads));
	return *ret_state == NULL
	    ? ca_error(CA_R_MEMORY, "no memory for an audit")
	    : 0;
}

static int
heads_entry(struct audit *audit, void *state, const struct audit_entry *entry)
{
	if (!entry->applied)
		return 0;
	switch (entry->kind) {
	case ENTRY_HEAD:
		return on_head(audit, state, entry);
	case ENTRY_RESULT:
		return on_result(audit, entry);
	case ENTRY_OCSP_RESULT:
		return on_responses(audit, entry);
	case ENTRY_KEY:
		return on_key(audit, entry);
	case ENTRY_EPOCH:
		return on_epoch(audit, entry);
	default:
		return 0;
	}
}

static int
heads_end(struct audit *audit, void *state, bool whole)
{
	(void)audit;
	(void)whole;
	free(state);
	return 0;
}

const struct audit_pass audit_heads = {
	.name = "heads",
	.begin = heads_begin,
	.entry = heads_entry,
	.end = heads_end,
};
