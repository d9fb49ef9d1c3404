/*
 * OCSP responses, window by window: what was intended is what was confirmed and
 * what journal and profile make of it at that time; what was signed is what was
 * intended.
 *
 * The batches of open runs stand in a temporary table of the private copy.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ceremony/audit/ocsp-private.h"

enum { LINES_SHOWN = 100, TEXT_SHOWN = 60 };

/* ---- lines ------------------------------------------------------------- */

void
ocsp_refuse(struct ocsp_lines *lines, const char *id, const char *line,
    size_t len, const char *why)
{
	AUTO_CHARS(shown) =
	    text_escape(line, len < TEXT_SHOWN ? len : TEXT_SHOWN);

	if (lines->refused++ < LINES_SHOWN)
		audit_error(lines->audit, lines->entry, id,
		    "OCSP responses '%s', '%s': %s", lines->name,
		    shown == NULL ? "" : shown, why);
}

int
ocsp_refuse_error(
    struct ocsp_lines *lines, const char *id, const char *line, size_t len)
{
	AUTO_CHARS(why) = NULL;

	if (audit_is_machine(ca_error_reason()))
		return -1;
	why = ca_error_take();
	ocsp_refuse(lines, id, line, len, why == NULL ? "it is wrong" : why);
	return 0;
}

int
ocsp_add_leaf(struct ocsp_lines *lines, const void *data, size_t len)
{
	unsigned char leaf[HASH_LEN];

	lines->leaves++;
	return tree_leaf(data, len, leaf) != 0
	    ? -1
	    : tree_range_add(&lines->range, leaf, NULL, NULL);
}

static bool
ascends(struct ocsp_lines *lines, const struct listed_status *row)
{
	bool higher = lines->last_len == 0 ||
	    list_compare_serials(
		lines->last, lines->last_len, row->serial, row->serial_len) < 0;

	memcpy(lines->last, row->serial, row->serial_len);
	lines->last_len = row->serial_len;
	return higher;
}

int
ocsp_read_status(struct ocsp_lines *lines, const char *line, size_t len,
    bool *ret_read, struct listed_status *ret_row)
{
	*ret_read = false;
	if (ocsp_add_leaf(lines, line, len) != 0)
		return -1;
	if (listed_status_parse(line, len, ret_row) != 0) {
		if (audit_is_machine(ca_error_reason()))
			return -1;
		ca_error_clear();
		ocsp_refuse(
		    lines, lines->id, line, len, "the line is malformed");
		return 0;
	}
	if (!ascends(lines, ret_row))
		ocsp_refuse(lines, lines->id, line, len,
		    "its serial is not above that of the line before it");
	*ret_read = true;
	return 0;
}

int
ocsp_check_root(const struct ocsp_lines *lines, uint64_t count, int64_t said,
    const char *root)
{
	unsigned char computed[HASH_LEN];
	char hex[HASH_HEX_SIZE];

	if (tree_range_root(&lines->range, computed) != 0)
		return -1;
	text_hex_into(computed, HASH_LEN, hex);
	if (said < 0 || count != (uint64_t)said)
		audit_error(lines->audit, lines->entry, lines->id,
		    "the items of OCSP responses '%s' are %" PRIu64
		    ", and its entry says %" PRId64,
		    lines->name, count, said);
	if (strcmp(hex, root) != 0)
		audit_error(lines->audit, lines->entry, lines->id,
		    "the root over the items of OCSP responses '%s' is not the "
		    "one in its entry",
		    lines->name);
	if (lines->refused > LINES_SHOWN)
		audit_error(lines->audit, lines->entry, lines->id,
		    "OCSP responses '%s': %" PRIu64 " findings in all, of "
		    "which %d are shown",
		    lines->name, lines->refused, LINES_SHOWN);
	return 0;
}

int
ocsp_take_list_error(
    struct audit *audit, const struct audit_entry *entry, const char *id)
{
	if (ca_error_reason() != CA_R_MISSING)
		return audit_take_error(audit, entry, id);
	ca_error_clear(); /* the evidence has a finding */
	return 0;
}

int
ocsp_algorithm(const struct audit_object *object, const struct sigalg **ret_alg)
{
	AUTO_BYTES(der) = NULL;
	size_t len;

	if (text_unhex(audit_text(&object->intent, "algorithm"), &der, &len) !=
	    0)
		return -1;
	*ret_alg = sigalg_by_der(der, len);
	if (*ret_alg == NULL)
		audit_error(object->audit, object->entry, "AUDIT-SIGNATURE",
		    "the intent of OCSP responses '%s' names an algorithm that "
		    "is unknown or not allowed",
		    audit_text(&object->intent, "name"));
	return 0;
}

/* ---- the pass ---------------------------------------------------------- */

static int
ocsp_begin(struct audit *audit, void **ret_state)
{
	return audit_state(audit,
	    "CREATE TEMP TABLE audit_batches (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, name TEXT NOT NULL,"
	    " key TEXT NOT NULL, algorithm TEXT NOT NULL,"
	    " count INTEGER NOT NULL, root TEXT NOT NULL, items TEXT NOT NULL,"
	    " facts TEXT NOT NULL, next INTEGER NOT NULL DEFAULT 0,"
	    " PRIMARY KEY (run, list, name)) STRICT, WITHOUT ROWID;"
	    /* Listed and intended, and not signed: they may be once more. */
	    "CREATE TEMP TABLE audit_unsigned (run TEXT NOT NULL,"
	    " list INTEGER NOT NULL, name TEXT NOT NULL,"
	    " number INTEGER NOT NULL,"
	    " PRIMARY KEY (run, list, name, number)) STRICT, WITHOUT ROWID",
	    sizeof(struct audit_objects_state), ret_state);
}

static int
ocsp_entry(struct audit *audit, void *state, const struct audit_entry *entry)
{
	if (!entry->applied)
		return 0;
	switch (entry->kind) {
	case ENTRY_LIST:
		return ocsp_list(audit, entry);
	case ENTRY_OCSP_INTENT:
		return ocsp_intent(audit, state, entry);
	case ENTRY_OCSP_RESULT:
		return ocsp_result(audit, state, entry);
	case ENTRY_CLOSE:
		return ocsp_check_windows(audit, audit_text(entry, "run"));
	default:
		return 0;
	}
}

/* What runs that are open have signed is compared, too. */
static int
ocsp_end(struct audit *audit, void *state, bool whole)
{
	int result = whole ? ocsp_check_windows(audit, NULL) : 0;

	return audit_objects_end(audit, state, whole) != 0 ? -1 : result;
}

const struct audit_pass audit_ocsp = {
	.name = "ocsp",
	.begin = ocsp_begin,
	.entry = ocsp_entry,
	.end = ocsp_end,
};
