/*
 * A fuzz target: whatever the bytes are, the reader refuses them with a reason,
 * or what it took holds together.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer calls, and driver.c without it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                              \
	do {                                                          \
		if (!(condition)) {                                   \
			fprintf(stderr, "%s:%d: does not hold: %s\n", \
			    __FILE__, __LINE__, #condition);          \
			abort();                                      \
		}                                                     \
	} while (0)

/* The call failed, and said why. */
#define REFUSED(call)                                    \
	do {                                             \
		HOLDS((call) == -1);                     \
		HOLDS(ca_error_reason() == CA_R_INPUT || \
		    ca_error_reason() == CA_R_VERIFY ||  \
		    ca_error_reason() == CA_R_CORRUPT);  \
		ca_error_clear();                        \
	} while (0)

#endif
