/*
 * What the files of the pass `ocsp` share.
 *
 *   ocsp.c          what lists, intents and results have in common; the pass
 *   ocsp-batches.c  what operators confirmed, and which window of it is which
 *   ocsp-intents.c  what was intended, against journal and profile
 *   ocsp-results.c  what was signed, against its intent
 */
#ifndef CA_AUDIT_OCSP_PRIVATE_H
#define CA_AUDIT_OCSP_PRIVATE_H

#include "ceremony/audit/objects-private.h"
#include "ceremony/journal/lists.h"
#include "ceremony/journal/tree.h"
#include "profiles/ocsp.h"

/* Lines of a list in the evidence, as they are read. */
struct ocsp_lines {
	struct audit *audit;
	const struct audit_entry *entry; /* where findings are placed */
	const char *name;                /* of the batch */
	const char *id;                  /* of findings about the list itself */
	struct tree_range range;
	uint64_t leaves, refused;
	unsigned char last[LIST_SERIAL_MAX];
	size_t last_len;
};

/* Of a list in which every line is wrong, the first are named. */
void ocsp_refuse(struct ocsp_lines *lines, const char *id, const char *line,
    size_t len, const char *why);
/* The newest error, which is about this line. */
int ocsp_refuse_error(struct ocsp_lines *lines, const char *id,
    const char *line, size_t len) MUST_USE;

int ocsp_add_leaf(
    struct ocsp_lines *lines, const void *data, size_t len) MUST_USE;

/*
 * A line of what is to be signed, a leaf: *ret_read is false, with a finding,
 * where it is malformed.  A finding too where it does not ascend.
 */
int ocsp_read_status(struct ocsp_lines *lines, const char *line, size_t len,
    bool *ret_read, struct listed_status *ret_row) MUST_USE;

/* What is said of all lines: their number, of which `count` there are. */
int ocsp_check_root(const struct ocsp_lines *lines, uint64_t count,
    int64_t said, const char *root) MUST_USE;

/* A list that cannot be read, or is no list; missing evidence was said. */
int ocsp_take_list_error(struct audit *audit, const struct audit_entry *entry,
    const char *id) MUST_USE;

/* The algorithm of the intent; NULL, and a finding, where it is none. */
int ocsp_algorithm(
    const struct audit_object *object, const struct sigalg **ret_alg) MUST_USE;

/* ---- ocsp-batches.c --------------------------------------------------- */

int ocsp_list(struct audit *audit, const struct audit_entry *entry) MUST_USE;
/* An intent's place in its list, and what that says of the batch. */
int ocsp_check_listed(
    struct audit *audit, const struct audit_entry *entry) MUST_USE;
/* Number `number` of the list of the result `entry` was not signed. */
int ocsp_keep_unsigned(struct audit *audit, const struct audit_entry *entry,
    int64_t number) MUST_USE;
/* At the end of a run, or (NULL) of the journal. */
int ocsp_check_windows(struct audit *audit, const char *run) MUST_USE;

/* ---- ocsp-intents.c, ocsp-results.c ----------------------------------- */

int ocsp_intent(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;
int ocsp_result(struct audit *audit, struct audit_objects_state *state,
    const struct audit_entry *entry) MUST_USE;

#endif
