/*
 * The keys of witnesses, as whoever verifies keeps them: a file with a verifier
 * key on each line (note.h), as `journal cosign` prints it.  Empty lines, and
 * lines that begin with #, are left out.
 */
#ifndef CA_JOURNAL_WITNESSES_H
#define CA_JOURNAL_WITNESSES_H

#include <stddef.h>

#include "base/cleanup.h"
#include "ceremony/journal/note.h"

enum { WITNESSES_MAX = 256 };

struct witnesses {
	struct note_key *keys; /* each of type NOTE_COSIGNATURE */
	size_t count;
};
void witnesses_clear(struct witnesses *witnesses);
CLEANUP_DEFINE_STRUCT(witnesses);

/*
 * Strict: no name and no public key twice, at least one key, none of another
 * type.  CA_R_INPUT names the line.
 */
int witnesses_read(const char *path, struct witnesses *ret_witnesses) MUST_USE;

#endif
