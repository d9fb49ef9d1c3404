/* What the files of existing.h share. */
#ifndef CA_PROFILES_EXISTING_PRIVATE_H
#define CA_PROFILES_EXISTING_PRIVATE_H

#include "base/findings.h"
#include "profiles/der/der.h"
#include "profiles/private.h"

/* A finding where the profile has given other octets. */
void existing_compare(const struct der *tbs, const struct tbs *again,
    const struct profile *profile, const char *place,
    struct findings *findings);

/* The newest error as a finding; -1 where it is the machine's. */
int existing_refused(const char *place, struct findings *findings) MUST_USE;

#endif
