/* One run of one command: what was asked, and what is to be reported. */
#ifndef CA_TOOL_SESSION_H
#define CA_TOOL_SESSION_H

#include <jansson.h>
#include <stdbool.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "ca-tool/options.h"

struct session {
	struct options options;
	struct findings findings;
	json_t *report;    /* members of what --json prints; an object */
	bool report_lost;  /* a member could not be added */
	bool json_written; /* stdout holds JSON of the command's own */
	size_t shown;      /* findings printed so far */
};

/* Was --json given?  Then a command prints nothing else on stdout. */
bool session_json(const struct session *session);

/* The authority's directory: --authority, or the current one. */
const char *session_authority(const struct session *session);

/*
 * Add a member to the report; takes the reference, NULL counts as lost.
 * Returns it, the report's, or NULL when it was lost.
 */
json_t *session_report(
    struct session *session, const char *name, json_t *value);

/* A string for the report; NULL becomes JSON's null. */
json_t *session_string(const char *text);

void session_clear(struct session *session);
CLEANUP_DEFINE_STRUCT(session);

#endif
