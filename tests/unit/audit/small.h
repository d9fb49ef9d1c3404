/*
 * A small journal with the journal's own key, whose checkpoints are signed in
 * the test; altered in its file, and audited whole.
 */
#ifndef TESTS_AUDIT_SMALL_H
#define TESTS_AUDIT_SMALL_H

#include <openssl/evp.h>

#include "ceremony/audit/audit-private.h"
#include "tests/unit/journal/support.h"

struct small {
	struct scratch scratch;
	struct journal *journal; /* open for writing; NULL once closed */
	EVP_PKEY *key;           /* the journal's */
	unsigned char *spki;
	size_t spki_len;
	int64_t now; /* of the entries that are added */
	struct audit_options options;
	struct findings found; /* by the last audit */
	struct audit_report report;
};

/* Founded: operators, token, the journal's key, ready, a checkpoint. */
int small_setup(void **state);
int small_teardown(void **state);

/* Takes `data`. */
void small_add(struct small *s, enum entry_kind kind, json_t *data);
/* The same, whatever it contradicts: its row and the tree alone. */
void small_force(struct small *s, enum entry_kind kind, json_t *data,
    const json_t *people, const char *text);
void small_head(struct small *s, const char *serial);
/* A note over all entries so far by `key`; malloc'd. */
char *small_note(struct small *s, const char *origin, EVP_PKEY *key);
void small_checkpoint(struct small *s);
/* `run` makes a key and a request, with heads; open, or closed. */
void small_run(struct small *s, const char *run, const char *plan);
void small_close(struct small *s, const char *run);
/* Evidence of this text; its SHA-256, which stays for eight calls. */
const char *small_evidence(struct small *s, const char *text);

/* Close the journal; run SQL in the file. */
void small_sql(struct small *s, const char *sql);
/* Close the journal; audit the directory. */
void small_audit(struct small *s);

size_t small_count(const struct small *s, const char *id);
/* The id is found, with `part` in its place or text. */
void assert_has(const struct small *s, const char *id, const char *part);
/* Nothing of what this floor's own passes look for. */
void assert_sound(const struct small *s);

#endif
