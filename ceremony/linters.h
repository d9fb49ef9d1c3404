/*
 * Outside linters: other people's programs, named in authority.yaml with the
 * SHA-256 of their octets, that look at each object before it is signed and
 * after.  They decide nothing but a refusal.
 *
 *     linters:
 *       - name: zlint
 *         path: /usr/local/lib/ca-tool/lint-zlint
 *         sha256: 64 hex digits
 *         timeout: 30s        # optional; 30s
 *
 * The contract is docs/lint.md's.  What runs are the octets that were hashed,
 * from a sealed copy in memory.
 */
#ifndef CA_CEREMONY_LINTERS_H
#define CA_CEREMONY_LINTERS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/tbs.h"

enum {
	LINTERS_MAX = 16,
	LINTER_OUTPUT_MAX = 1 << 20,
};

/* Id of what is found where a linter did not do its work. */
#define LINT_FAIL_CLOSED "LINT-FAIL-CLOSED"

/* As authority.yaml has it. */
struct linter_config {
	char *name, *path, *sha256, *timeout; /* timeout: NULL: 30s */
};

/*
 * Keys that are not to be certified (profiles/lint/blocklist.h), pinned too:
 *
 *     blocklist:
 *       path: /srv/ca/blocklist.txt
 *       sha256: 64 hex digits
 */
struct blocklist_config {
	char *path, *sha256; /* NULL: none */
};

struct linters;

/* Names, absolute paths, digests, durations: what is wrong, as findings. */
struct yaml;
void linters_check_config(const struct linter_config *configs, unsigned count,
    struct yaml *doc, struct findings *findings);
void blocklist_check_config(const struct blocklist_config *config,
    struct yaml *doc, struct findings *findings);

/*
 * Read the list.  CA_R_POLICY where it is not what the digest says, naming both
 * digests.
 */
struct blocklist;
int blocklist_open(const struct blocklist_config *config,
    struct blocklist **ret_list) MUST_USE;

/*
 * Read each program; CA_R_POLICY where one is not what its digest says, naming
 * both digests.  None configured: *ret_linters has none, and that is fine.
 */
int linters_open(const struct linter_config *configs, unsigned count,
    struct linters **ret_linters) MUST_USE;
size_t linters_count(const struct linters *linters);
void linters_free(struct linters *linters);
CLEANUP_DEFINE_PTR(linters);

/* What they are shown. */
struct linter_object {
	enum object_kind kind;
	const unsigned char *der;
	size_t len;
	const unsigned char *issuer; /* its certificate, DER; NULL: root */
	size_t issuer_len;
	const char *place; /* "certificate 'root'" */
};

/*
 * Let each look at the object.  Errors that they report, and everything that a
 * linter does wrong (crash, time, flood, nonsense, an exit status that its
 * findings contradict), are findings of severity error: whoever is unsure
 * refuses.  *ret_record: an array, for each linter its name, path, digest, how
 * it ended, and what it printed; the caller's.  -1 only where the machine
 * failed.
 */
int linters_run(const struct linters *linters,
    const struct linter_object *object, struct findings *findings,
    json_t **ret_record) MUST_USE;

#endif
