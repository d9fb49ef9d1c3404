/*
 * Revocations as steps handle them: serial numbers as people and files write
 * them, lists that ascend by serial, and the acts made of them.
 */
#ifndef CA_STEPS_REVOCATIONS_H
#define CA_STEPS_REVOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "ceremony/steps/build.h"
#include "profiles/crl.h"

/* 1999-01-01T00:00:00Z: nothing was revoked before (CRL-ENTRY-DATE). */
#define REVOCATION_OLDEST INT64_C(915148800)

/* ---- serial numbers ---------------------------------------------------- */

/* Content octets of a minimal, positive INTEGER. */
struct serial {
	unsigned char octets[SERIAL_LEN];
	unsigned char len;
};

/*
 * Hex digits in either case, with or without leading zeros, an odd number of
 * them too: people copy serials from many tools.  CA_R_INPUT for anything
 * else, for zero, and for what is not below 2^159.
 */
int serial_from_hex(
    const char *text, size_t len, struct serial *ret_serial) MUST_USE;
/* The same for decimal digits. */
int serial_from_decimal(
    const char *text, size_t len, struct serial *ret_serial) MUST_USE;
/* Contents of an INTEGER, which must be positive and at most 20 octets. */
int serial_from_octets(const unsigned char *octets, size_t len,
    struct serial *ret_serial) MUST_USE;

enum { SERIAL_HEX_SIZE = 2 * SERIAL_LEN + 1 };
/* As the journal has it. */
void serial_hex(const struct serial *serial, char ret_text[SERIAL_HEX_SIZE]);
/* By value: negative, 0, positive. */
int serial_compare(const struct serial *a, const struct serial *b);

/*
 * UTCTime or GeneralizedTime as DER has them: [YY]YYMMDDhhmmssZ.  UTCTime's
 * century by RFC 5280, section 4.1.2.5.1.  CA_R_INPUT.
 */
int asn1_date_parse(const char *text, size_t len, int64_t *ret_date) MUST_USE;

/*
 * Has this issuer issued the certificate: names equal octet for octet, and the
 * signature verifies with its key?  *ret_why is NULL, or says why not.  Nothing
 * else is asked of it: what is not as it should be can be revoked all the same.
 */
int certificate_is_issued_by(
    X509 *certificate, const X509 *issuer, const char **ret_why) MUST_USE;

/* ---- lists -------------------------------------------------------------- */

/*
 * A certificate that is, or is to be, revoked; or one issued elsewhere.  There
 * may be millions: what only one of the two has shares its place.
 */
struct listed {
	union {
		struct {
			int64_t date;       /* of the revocation */
			int64_t invalidity; /* 0: none */
		};
		/* Of the certificate, issued elsewhere: if has_sha256. */
		unsigned char sha256[32];
	};
	int64_t expires; /* 0: unknown */
	size_t line;     /* or number of the file in a bundle; 0: none */
	enum revocation_reason reason;
	struct serial serial;
	signed char ca; /* 1, 0, or -1: unknown */
	bool given_date : 1,
	    given_reason : 1; /* by the file, not by the plan */
	bool has_sha256 : 1;
	bool known : 1; /* by the journal, or taken in by this plan */
	bool drop : 1;  /* not for the act: the journal says it already */
};

struct listing {
	struct listed *rows;
	size_t count, room;
};
void listing_clear(struct listing *listing);
CLEANUP_DEFINE_STRUCT(listing);

int listing_add(struct listing *listing, const struct listed *row) MUST_USE;
/* Ascending by serial; what is equal keeps its order. */
int listing_sort(struct listing *listing) MUST_USE;
/* Of a sorted one, whose serials differ; or NULL. */
struct listed *listing_find(
    const struct listing *listing, const struct serial *serial);
/* Take out what is to be dropped; returns how many were. */
size_t listing_drop(struct listing *listing);

/*
 * The text of ENTRY_REVOCATIONS and ENTRY_ISSUED (entry.h); `scratch` is a
 * directory for what is large.
 */
int listing_revocations_text(const struct listing *listing, int scratch,
    struct spilled *ret_text) MUST_USE;
int listing_issued_text(const struct listing *listing, int scratch,
    struct spilled *ret_text) MUST_USE;

/* What ENTRY_ISSUED's text lists, row by row; CA_R_CORRUPT. */
int issued_text_each(const struct spilled *text,
    int (*visit)(void *ctx, const struct listed *row), void *ctx) MUST_USE;
/* The row of one serial, found in O(log n); CA_R_CORRUPT. */
int issued_text_find(const struct spilled *text, const struct serial *serial,
    bool *ret_found, struct listed *ret_row) MUST_USE;

/* Its SHA-256 as hex; malloc'd. */
char *spilled_hex(const struct spilled *spilled) MUST_USE;

/* Set `revoked` of an act: what a sorted list says. */
int listing_plan(
    const struct listing *listing, int scratch, struct built_act *act) MUST_USE;
/* The same for one row. */
int listed_plan(const struct listed *row, struct built_act *act) MUST_USE;

/* ---- acts --------------------------------------------------------------- */

/* What this plan revokes by earlier steps, or NULL. */
const struct planned_revocation *planned_revocation(const struct build *build,
    const char *issuer_dn, const struct serial *serial);

/* The same for what they take in as issued elsewhere. */
int planned_issued(const struct build *build, const char *issuer_dn,
    const struct serial *serial, bool *ret_found,
    struct listed *ret_row) MUST_USE;

/* Is it the serial of the issuer's own certificate, a root? */
bool serial_is_root(
    const struct issuer_view *issuer, const struct serial *serial);

/*
 * CRL-REASON-CA: a CA's revocation has a reason.  What a root issued is one,
 * unless it is known not to be.
 */
bool revocation_lacks_reason(
    const struct issuer_view *issuer, const struct listed *row);

/*
 * A CRL, or OCSP responses, that an earlier step makes for this issuer would
 * not have what this step revokes: a finding REVOKE-AFTER-CRL.
 */
void revocations_check_order(
    struct build *build, const struct step *step, const char *issuer_dn);

/* What an act of a list says beside the list. */
struct revocations_act {
	const char *kind;      /* of the step: "import-revocations" */
	const char *issuer;    /* name of its certificate */
	const char *issuer_dn; /* SHA-256 hex */
	const char *source;    /* as in ENTRY_REVOCATIONS */
	const char *summary;   /* what is done, without count and issuer */
	const char
	    *details; /* more lines, without a newline at the end; or NULL */
};

/*
 * An act that revokes all of a sorted list of at least one row: its list as
 * evidence, with its first and last rows for people.
 */
int revocations_add_act(struct build *build, const struct step *step,
    const struct revocations_act *act, const struct listing *listing) MUST_USE;
/* The same for certificates issued elsewhere (ENTRY_ISSUED). */
int issued_add_act(struct build *build, const struct step *step,
    const struct revocations_act *act, const struct listing *listing) MUST_USE;

/*
 * Everything on a CRL, DER or PEM, whole and sorted.  Its issuer must be
 * `issuer`'s subject octet for octet, its signature must verify with that
 * certificate's key; no delta or indirect CRL, no critical extension that is not
 * known.  What is wrong is a finding at `place`, with the entry (IMPORT-CRL,
 * CRL-REASON-SET, CRL-ENTRY-DATE, CRL-NO-DUP-SERIAL); then *ret_good is false.
 * Entries without a reason get `reason`.
 */
int revocations_from_crl(struct build *build, const char *place,
    const char *file, const unsigned char *data, size_t len, const X509 *issuer,
    enum revocation_reason reason, bool *ret_good,
    struct listing *ret_listing) MUST_USE;

#endif
