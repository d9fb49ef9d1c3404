#include "ca-tool/quorum.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ca-tool/print.h"
#include "ca-tool/session.h"
#include "ceremony/authority.h"
#include "ceremony/quorum/words.h"

int
report_warnings(struct session *session, struct authority *authority)
{
	AUTO_CHARS(text) = NULL;
	json_t *array = session_json(session)
	    ? session_report(session, "warnings", json_array())
	    : NULL;
	char *at, *line;

	if (authority_warnings(authority, &text) != 0)
		return -1;
	for (at = text; at != NULL && (line = strsep(&at, "\n")) != NULL;) {
		if (array != NULL) {
			if (json_array_append_new(array, json_string(line)) !=
			    0)
				return ca_error(
				    CA_R_MEMORY, "no memory for the report");
			continue;
		}
		fputs("warning: ", stderr);
		print_wrapped(stderr, strlen("warning: "), 2, line);
	}
	return 0;
}

int
print_digest(const char *label, const char *sha256)
{
	AUTO_CHARS(words) = NULL;

	if (words_of_sha256(sha256, &words) != 0)
		return -1;
	print_field(stdout, label, sha256);
	print_field(stdout, "", words);
	return 0;
}
