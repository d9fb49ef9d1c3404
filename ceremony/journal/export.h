/*
 * An export: the journal as files that any client of C2SP's tlog-tiles reads,
 * with the evidence beside it (rules.md 18.5):
 *
 *   checkpoint                    the newest, written last
 *   tile/LEVEL/N[.p/W]            hashes
 *   tile/entries/N[.p/W]          entry bundles
 *   evidence/ab/abcdef...         each by its SHA-256 (hex)
 *   checkpoints/SIZE              every checkpoint of the journal
 *   anchor/, certs/, ...          a copy of what is in public/
 *
 * Incremental: what is there and equal is kept, what is there and differs is
 * refused (CA_R_VERIFY); tiles first, the checkpoint last; each file whole.
 */
#ifndef CA_JOURNAL_EXPORT_H
#define CA_JOURNAL_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/journal/journal.h"

struct export_report {
	uint64_t entries, written, kept; /* files written, files that stay */
	uint64_t bytes;                  /* of the files written */
};

/* Called now and then; other than 0 stops with CA_R_INTERRUPTED. */
typedef int export_progress_fn(void *ctx, uint64_t done, uint64_t total);

/*
 * Export up to the newest checkpoint into the directory `fd`.  CA_R_STATE where
 * there is no checkpoint yet; CA_R_VERIFY where `fd` holds the export of another
 * journal, or of one that is not a beginning of this.  public_fd: public/ of the
 * authority, or -1.
 */
int journal_export(struct journal *journal, int fd, int public_fd,
    export_progress_fn *progress, void *ctx,
    struct export_report *ret_report) MUST_USE;

/*
 * Read an export back: a new journal.db in `dir` (which must be empty), entries
 * and evidence as the files have them, tree and derived tables made anew as far
 * as the entries allow: what contradicts itself is left to the audit.  Each tile
 * is compared with the entries.  Findings (errors) with the path of each file
 * that is missing, altered or too much: AUDIT-TILE, AUDIT-BUNDLE,
 * AUDIT-EVIDENCE, AUDIT-EXPORT.
 */
struct findings;
int journal_import(int fd, const char *dir, export_progress_fn *progress,
    void *ctx, struct findings *findings) MUST_USE;

/* "005", "x001/x234/067": a tile's number as its path; `out` of 32 octets. */
void tile_number(uint64_t n, char *out);

#endif
