/*
 * How the audit works.  The journal is copied (source.c) and the derived tables
 * of the copy are put aside and emptied.  Then one walk over the entries
 * (walk.c): each is compared with its row (bytes, leaf, columns), parsed,
 * applied to the derived tables as if it were appended now, and handed to each
 * pass of the table in passes.c.  So while a pass looks at entry n, the queries
 * of journal.h answer as of n, but for those that read the entries themselves
 * (journal_head(), journal_last_time(), journal_last_checkpoint(), each entry):
 * these see all.  In the end the rebuilt tables are compared with those that
 * were put aside.
 *
 *   audit.c        from the source to the report
 *   source.c       the private copy, or the import of an export
 *   walk.c         rows, form, tree, applying
 *   derived.c      comparing the tree and the derived tables
 *   passes.c       the table of passes
 *   evidence.c     what entries refer to is there, and what it was
 *   times.c        the clock did not go back
 *   heads.c        what the token held; epochs
 *   checkpoints.c  checkpoints and the anchor
 *   notes.c        notes: their signatures, and the files that hold them
 *   tail.c         entries that no checkpoint counts
 *   people.c       sets, enrolments, approvals, confirmations, anchors
 *   ways.c         ways out, only as they may be; runs and their plans
 *   keys.c         keys: attested, one purpose
 *   objects.c      certificates, CRLs, requests: signatures, issuers, CRLs
 *   ocsp.c         OCSP responses (and ocsp-*.c)
 *   published.c    the files in public/
 *   report.c       what report and findings share
 */
#ifndef CA_AUDIT_AUDIT_PRIVATE_H
#define CA_AUDIT_AUDIT_PRIVATE_H

#include <jansson.h>

#include "ceremony/audit/audit.h"
#include "ceremony/journal/store.h"

struct audit_entry {
	uint64_t seq;
	int64_t time;
	enum entry_kind kind;
	const json_t *entry; /* the whole line */
	const json_t *data;  /* entry_check() passed */
	const char *line;
	size_t len;
	/* The derived tables took it; where false, there is a finding already
	 * and they are as before it. */
	bool applied;
};

/* For what walks over or copies JSON and takes no const. */
static inline json_t *
audit_read_only(const json_t *value)
{
	const union {
		const json_t *in;
		json_t *out;
	} same = { .in = value };

	return same.out;
}

struct audit {
	const struct audit_options *options;
	struct journal *journal; /* the private copy, writable */
	int public_fd;           /* public/ of what is audited, or -1 */
	bool export;             /* then it is the export's own directory */
	struct findings *findings;
	struct audit_report report;
	bool told_temporary; /* once is enough */
	void **states;       /* one for each pass, in the order of the table */
};

/*
 * A pass.  Its state is made by begin() and freed by end(), which is called
 * also after a failure (`whole` false: only free).  entry() and end() return
 * -1 only for failures of the machine: what is wrong with the journal is a
 * finding.  A state may grow with what is open and with people, not with the
 * number of entries: what grows is in the database.
 */
struct audit_pass {
	const char *name;
	int (*begin)(struct audit *audit, void **ret_state);
	int (*entry)(
	    struct audit *audit, void *state, const struct audit_entry *entry);
	int (*end)(struct audit *audit, void *state, bool whole);
};

/* ---- source.c --------------------------------------------------------- */

/* What is audited: a private copy, which is removed with it. */
struct audit_source {
	char *work;              /* the copy's directory; NULL: none yet */
	struct journal *journal; /* writable, closed here */
	int public_fd;
	bool export;
};
/* Findings: what an export lacks, what SQLite calls damaged. */
int audit_source_open(const struct audit_options *options,
    struct findings *findings, struct audit_source *ret_source) MUST_USE;
void audit_source_clear(struct audit_source *source);
/* Where it is put. */
const char *audit_work(const struct audit_options *options);
CLEANUP_DEFINE_STRUCT(audit_source);

/* ---- walk.c, derived.c ------------------------------------------------ */

/*
 * *ret_whole: there is a founding entry, and the passes saw all that can be
 * read; *ret_tree: no entry is missing, and the tree was made anew.
 */
int audit_walk(struct audit *audit, bool *ret_whole, bool *ret_tree) MUST_USE;
/* Tables (and `nodes`, where `tree`) against those that were put aside. */
int audit_compare(struct audit *audit, bool tree) MUST_USE;

/* ---- passes.c --------------------------------------------------------- */

/* The table, ended by NULL. */
extern const struct audit_pass *const audit_passes[];
extern const struct audit_pass audit_checkpoints, audit_evidence, audit_times,
    audit_heads, audit_people, audit_ways, audit_keys, audit_objects,
    audit_ocsp, audit_published;

/*
 * For begin(): temporary tables by these statements, and a state of `size`
 * octets, all zero.
 */
int audit_state(struct audit *audit, const char *sql, size_t size,
    void **ret_state) MUST_USE;

/* ---- report.c --------------------------------------------------------- */

/* "entry 12 (intent)"; ENTRY_KINDS: "entry 12". */
enum { AUDIT_PLACE_SIZE = 64 };
void audit_place(
    uint64_t seq, enum entry_kind kind, char ret_place[AUDIT_PLACE_SIZE]);
/* Memory, disk, interruption: no fault of the journal. */
bool audit_is_machine(int reason);

/* An error, placed at the entry. */
void audit_error(struct audit *audit, const struct audit_entry *entry,
    const char *id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void audit_warning(struct audit *audit, const struct audit_entry *entry,
    const char *id, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * The newest error of the queue as a finding at the entry, the queue emptied;
 * -1 where that error is the machine's (memory, disk, interruption).
 */
int audit_take_error(struct audit *audit, const struct audit_entry *entry,
    const char *id) MUST_USE;

/* Members of checked data; NULL or 0 where absent or null. */
const char *audit_text(const struct audit_entry *entry, const char *name);
int64_t audit_number(const struct audit_entry *entry, const char *name);

/*
 * Evidence by its hex; *ret_data NULL (and no finding: the pass `evidence` has
 * one) where it is missing or altered.
 */
int audit_evidence_bytes(struct audit *audit, const char *sha256,
    unsigned char **ret_data, size_t *ret_len) MUST_USE;
/* A SHA-256 in hex? */
bool audit_is_digest(const char *hex);

/*
 * Each line of the list that an ENTRY_LIST names, but those that are no JSON:
 * they have a finding of the pass `ways`.  *ret_read is false where the evidence
 * is missing or altered.
 */
int audit_each_listed(struct audit *audit, const struct audit_entry *entry,
    int (*visit)(struct audit *audit, const struct audit_entry *entry,
	const json_t *row),
    bool *ret_read) MUST_USE;

#endif
