/* What several commands say of operators and digests. */
#ifndef CA_TOOL_QUORUM_H
#define CA_TOOL_QUORUM_H

#include "base/cleanup.h"

struct authority;
struct session;

/*
 * What must be said loudly of this authority (one person alone, no spare): as
 * warnings on stderr, and as "warnings" in the JSON report.
 */
int report_warnings(
    struct session *session, struct authority *authority) MUST_USE;

/* A SHA-256 in hex with its words, as two fields on stdout. */
int print_digest(const char *label, const char *sha256) MUST_USE;

#endif
