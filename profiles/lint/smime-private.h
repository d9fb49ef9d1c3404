/*
 * What the reserved policy of an S/MIME certificate says (SBR 7.1.6.1), and
 * the checks of its names; for smime.c and smime-names.c.
 */
#ifndef CA_LINT_SMIME_PRIVATE_H
#define CA_LINT_SMIME_PRIVATE_H

#include "profiles/lint/lint-private.h"

enum type { TYPE_NONE, MAILBOX, ORGANIZATION, SPONSOR, INDIVIDUAL };
enum generation { GENERATION_NONE, LEGACY, MULTIPURPOSE, STRICT };

struct kind {
	enum type type;
	enum generation generation;
};

/* By the first reserved policy; both NONE where there is none. */
struct kind smime_kind(const struct lint_run *run);

/* SM-SAN, SM-SUBJECT */
void smime_check_san(struct lint_run *run);
void smime_check_subject(struct lint_run *run);

#endif
