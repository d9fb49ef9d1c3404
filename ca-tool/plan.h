/* What the files of the plan commands share. */
#ifndef CA_TOOL_PLAN_H
#define CA_TOOL_PLAN_H

#include "base/cleanup.h"

struct plan;
struct session;

/* Id, title, window, where it is kept, its manifest. */
int report_plan_head(struct session *session, const struct plan *plan) MUST_USE;

/* " -d DIR" where it was given, escaped: for commands that come next. */
char *authority_option(const struct session *session) MUST_USE;

#endif
