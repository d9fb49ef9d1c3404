/* Times in DER, fast: CRLs have millions of them. */
#ifndef CA_PROFILES_DER_TIME_H
#define CA_PROFILES_DER_TIME_H

#include <stdint.h>

#include "profiles/der/der.h"

enum {
	DER_TIME_MAX = 2 + 15, /* octets of a GeneralizedTime */
};

/* The contents of a UTCTime or GeneralizedTime (FLD-TIME-FORM); strict. */
bool der_time_read(unsigned tag, struct der value, int64_t *ret_seconds);

/*
 * An element: UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280,
 * section 5.1.2.4), or that always.  The date lies between 1970 and 9999.
 * Returns how many octets it has.
 */
size_t der_time_write(
    int64_t seconds, bool generalized, unsigned char ret_time[DER_TIME_MAX]);

#endif
