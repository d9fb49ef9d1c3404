/* Requests, DER or PEM, as a plan takes them: refused with what is wrong. */
#include <string.h>

#include <openssl/sha.h>

#include "base/error.h"
#include "fuzz.h"
#include "profiles/csr.h"

static void
check_refusal(const struct findings *findings)
{
	HOLDS(ca_error_reason() == CA_R_INPUT);
	HOLDS(findings->errors > 0);
	ca_error_clear();
}

static void
check_names(const struct csr *csr)
{
	for (size_t i = 0; i < csr->name_count; i++)
		HOLDS(csr->names[i].attribute[0] != '\0' &&
		    csr->names[i].value != NULL);
	for (size_t i = 0; i < csr->alt_count; i++)
		HOLDS((int)csr->alt_names[i].type < (int)ALT_TYPES &&
		    csr->alt_names[i].value != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRUCT(findings) findings = { 0 };
	AUTO_STRUCT(findings) key = { 0 };
	AUTO_STRUCT(csr) csr = { 0 };

	if (csr_read("x", data, size, &findings, &csr) != 0) {
		HOLDS(csr.spki == NULL && csr.owned == NULL);
		check_refusal(&findings);
		return 0;
	}
	HOLDS(findings.errors == 0 && ca_error_reason() == 0);
	HOLDS(csr.subject != NULL && csr.alternative != NULL);
	check_names(&csr);
	HOLDS(spki_check(csr.spki, csr.spki_len, "x", &key) == 0);
	return 0;
}
