/* What the linter takes an object for, for reports. */
#ifndef CA_LINT_ABOUT_H
#define CA_LINT_ABOUT_H

#include "profiles/lint/lint.h"

/*
 * What the object is (bits of enum rule_subject, those of the context where it
 * says them) and the rulesets that it is held to (bits of enum ruleset).  Of
 * what cannot be taken apart, and of a CRL that is cut off, what can be told.
 * CA_R_MEMORY.
 */
int lint_about(struct der object, const struct lint_context *context,
    unsigned *ret_subjects, unsigned *ret_rulesets) MUST_USE;

#endif
