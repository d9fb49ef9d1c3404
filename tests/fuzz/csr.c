/* Certificate requests. */
#include "lint.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return lint_fuzz(data, size, FOR_CSR);
}
