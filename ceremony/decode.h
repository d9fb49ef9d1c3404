/*
 * What to-be-signed octets say, for people: made from the octets alone.  A CRL
 * may be of any length; memory is flat.
 */
#ifndef CA_CEREMONY_DECODE_H
#define CA_CEREMONY_DECODE_H

#include "ceremony/room.h"
#include "profiles/crl-reader.h"
#include "profiles/tbs.h"

/*
 * The signed object that `tbs` would become, decoded in full, escaped, each
 * line with `indent` before it.  CA_R_VERIFY where a CRL's octets are not those
 * of tbs->sha256 any more: then nothing that was shown counts.
 */
int decode_show(const struct room *room, const char *indent,
    const struct tbs *tbs) MUST_USE;

/* The lines of `text`, each escaped; malloc'd. */
int decode_escape(const char *text, size_t len, char **ret_text) MUST_USE;

/* What a CRL says around its entries; CA_R_VERIFY as above. */
int decode_crl_head(const struct tbs *tbs, struct crl_head *ret_head) MUST_USE;

#endif
