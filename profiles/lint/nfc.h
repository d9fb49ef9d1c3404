/* Is a text in Unicode Normalization Form C (UAX #15)?  By libunistring. */
#ifndef CA_LINT_NFC_H
#define CA_LINT_NFC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NFC_MAX = 256 /* characters, by whoever calls */ };

/* `count` code points; false also where memory ran out. */
bool nfc_is_normal(const uint32_t *text, size_t count);

#endif
