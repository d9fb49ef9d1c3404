/* A profile in plain words, for the room and for comparing two. */
#ifndef CA_PROFILES_DESCRIBE_H
#define CA_PROFILES_DESCRIBE_H

#include <stddef.h>

#include "base/cleanup.h"
#include "profiles/profile.h"

struct description_row {
	char *key;  /* where it stands in the file: "extensions.key-usage" */
	char *text; /* one sentence, escaped, no full stop */
};

/* Everything that the profile says: two that say the same are the same. */
struct description {
	struct description_row *rows;
	size_t count;
};
int profile_describe(
    const struct profile *profile, struct description *ret) MUST_USE;
void description_clear(struct description *description);
CLEANUP_DEFINE_STRUCT(description);

#endif
