/*
 * What OCSP responses can be about: the certificates of an issuer that the
 * journal or the plan knows, and their status.  A serial number that nobody
 * knows is in no list, so it is never said to be good (BR 4.9.9).
 */
#ifndef CA_STEPS_OCSP_ITEMS_H
#define CA_STEPS_OCSP_ITEMS_H

#include "ceremony/steps/build.h"
#include "ceremony/steps/revocations.h"

enum ocsp_subject {
	SUBJECT_UNKNOWN, /* nobody said whether it is a CA */
	SUBJECT_USER,
	SUBJECT_CA,
	SUBJECT_RESPONDER, /* has ocsp-nocheck: clients do not ask about it */
	SUBJECT_ROOT,      /* the issuer itself (OCS-ROOT-STATUS) */
};

struct ocsp_item {
	struct serial serial;
	enum ocsp_subject subject;
	int64_t expires; /* its notAfter; 0: unknown */
	bool revoked;
	int64_t date; /* of the revocation, as in the CRL */
	enum revocation_reason reason;
};

struct ocsp_items {
	struct ocsp_item *rows; /* ascending by serial, no two alike */
	size_t count, room;
};
void ocsp_items_clear(struct ocsp_items *items);
CLEANUP_DEFINE_STRUCT(ocsp_items);

/*
 * All of the issuer's: signed or adopted here, made or taken in by earlier
 * steps, issued elsewhere and imported, or revoked.  Those whose end before
 * `alive` is known may be left out; 0: none is.
 */
int ocsp_items_collect(const struct build *build,
    const struct issuer_view *issuer, int64_t alive,
    struct ocsp_items *ret_items) MUST_USE;

const struct ocsp_item *ocsp_items_find(
    const struct ocsp_items *items, const struct serial *serial);

#endif
