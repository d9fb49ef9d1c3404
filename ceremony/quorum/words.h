/*
 * Digests for reading aloud: the PGP word list (P. Juola, P. Zimmermann, 1995;
 * two-syllable words at even offsets, three-syllable ones at odd offsets, so
 * that a dropped or swapped word is heard).
 */
#ifndef CA_QUORUM_WORDS_H
#define CA_QUORUM_WORDS_H

#include <stddef.h>

#include "base/cleanup.h"

/* The words of `len` octets, parted by blanks; malloc'd. */
int words_of(
    const unsigned char *octets, size_t len, char **ret_words) MUST_USE;

/*
 * "Read aloud" form of a SHA-256 in hex: its first 8 octets as words; malloc'd.
 */
int words_of_sha256(const char *hex, char **ret_words) MUST_USE;

#endif
