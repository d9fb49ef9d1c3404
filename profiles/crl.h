/* CRLs: RFC 5280, section 5, with the rules of rules.md section 8. */
#ifndef CA_PROFILES_CRL_H
#define CA_PROFILES_CRL_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/findings.h"
#include "profiles/profile.h"
#include "profiles/tbs.h"

/* CRLReason values that may be written (CRL-REASON-SET), and none. */
enum revocation_reason {
	REASON_NONE = 0, /* unspecified: the extension is left out */
	REASON_KEY_COMPROMISE = 1,
	REASON_AFFILIATION_CHANGED = 3,
	REASON_SUPERSEDED = 4,
	REASON_CESSATION = 5,
	REASON_PRIVILEGE_WITHDRAWN = 9,
};

/*
 * "keyCompromise", ...; and back: CA_R_INPUT for a name that is unknown or
 * forbidden (certificateHold, removeFromCRL, ...), saying which may be used.
 */
const char *reason_name(enum revocation_reason reason);
int reason_by_name(
    const char *name, enum revocation_reason *ret_reason) MUST_USE;

/* May an entry give this reason?  REASON_NONE is `unspecified`. */
bool profile_allows_reason(
    const struct profile *profile, enum revocation_reason reason);

struct crl_entry {
	const unsigned char *serial; /* content octets, as in the certificate */
	size_t serial_len;
	int64_t date;
	enum revocation_reason reason;
	int64_t invalidity; /* invalidityDate; 0: none */
};

struct crl_request {
	const struct profile *profile;
	const X509 *issuer;    /* may carry a constant signature */
	const char *signature; /* sigalg name, or NULL: the key's default */
	uint64_t number;
	int64_t now;      /* thisUpdate */
	int64_t validity; /* seconds, or 0: the profile's default */
	const struct crl_entry *entries; /* ascending by serial, no duplicate */
	size_t entry_count;
	/*
	 * Where profile_needs_distribution_url(): the URL in the certificates
	 * that this CRL is for, octet for octet (CRL-IDP-URI).  NULL else.
	 */
	const char *distribution_url;
	const char *place;
};

/*
 * Issuer may sign CRLs, is valid now; validity within the profile's limit and
 * the issuer's life; entries ascending, dated 1999 or later and not in the
 * future, reasons allowed.  Findings.
 */
int crl_check(
    const struct crl_request *request, struct findings *findings) MUST_USE;

/* What crl_check() says of entry number `i` alone. */
void crl_check_entry(const struct crl_request *request, uint64_t i,
    const struct crl_entry *entry, struct findings *findings);

/* And of the order of two that follow each other. */
void crl_check_order(const struct crl_request *request, uint64_t i,
    const struct crl_entry *before, const struct crl_entry *entry,
    struct findings *findings);

/* thisUpdate + validity - 1 s */
int64_t crl_next_update(const struct crl_request *request);

/* By the value of the serials, which are minimal and positive. */
int crl_entry_compare(const struct crl_entry *a, const struct crl_entry *b);

/* Encode; nextUpdate = now + validity - 1 s.  As certificate_build(). */
int crl_build(const struct crl_request *request, struct tbs *ret_tbs) MUST_USE;

/*
 * The same for any number of entries, in flat memory: request->entries stays
 * empty, and they are added one by one, ascending by serial.  What is wrong
 * with them is in `findings`: of each the first few are named, all counted.
 * The octets are those that crl_build() gives for the same entries.  Request
 * and findings must outlive the writer; `dir` is a directory where large CRLs
 * are put in an unlinked file; small ones are in memory.
 */
struct crl_writer;
int crl_writer_open(const struct crl_request *request, int dir,
    struct findings *findings, struct crl_writer **ret_writer) MUST_USE;
int crl_writer_add(
    struct crl_writer *writer, const struct crl_entry *entry) MUST_USE;
/* CA_R_POLICY where an entry was refused. */
int crl_writer_finish(struct crl_writer *writer, struct tbs *ret_tbs) MUST_USE;
uint64_t crl_writer_entries(const struct crl_writer *writer);
void crl_writer_free(struct crl_writer *writer);
CLEANUP_DEFINE_PTR(crl_writer);

/* Read a CRL, DER or PEM, strictly, as certificate_read(). */
int crl_read(const char *name, const unsigned char *data, size_t len,
    X509_CRL **ret_crl) MUST_USE;

#endif
