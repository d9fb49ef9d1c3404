/* CRLs, linted with themselves as the CRL before. */
#include "lint.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return lint_fuzz(data, size, FOR_CRL | FOR_CRL_EE | FOR_CRL_CA);
}
