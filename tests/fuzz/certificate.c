/* Certificates, linted as what they are, and then as a leaf and a CA. */
#include "lint.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return lint_fuzz(data, size, FOR_LEAF | FOR_TCSUB);
}
