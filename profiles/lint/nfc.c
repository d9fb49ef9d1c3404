#include "profiles/lint/nfc.h"

#include <stdlib.h>
#include <string.h>
#include <uninorm.h>

bool
nfc_is_normal(const uint32_t *text, size_t count)
{
	size_t len = 0;
	uint32_t *normal;
	bool same;

	if (count == 0)
		return true;
	normal = u32_normalize(UNINORM_NFC, text, count, NULL, &len);
	same = normal != NULL && len == count &&
	    memcmp(normal, text, count * sizeof *text) == 0;
	free(normal);
	return same;
}
