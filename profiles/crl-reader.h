/*
 * CRLs of any length, read in flat memory: what is said around the entries,
 * with the digest on the way, and the entries one by one.
 */
#ifndef CA_PROFILES_CRL_READER_H
#define CA_PROFILES_CRL_READER_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "base/cleanup.h"
#include "profiles/crl.h"
#include "profiles/der/stream.h"

struct crl_head {
	const struct sigalg *alg;  /* inner and outer are the same octets */
	unsigned char *issuer_der; /* Name, DER */
	size_t issuer_len;
	int64_t this_update, next_update;
	uint64_t number;
	STACK_OF(X509_EXTENSION) *extensions;
	uint64_t entries;
	bool ascending;                   /* by serial, each once */
	unsigned char digest[DIGEST_MAX]; /* alg's, of TBSCertList */
	unsigned char *signature;
	size_t signature_len;
	uint64_t entries_offset, entries_end; /* in the source */
};
void crl_head_clear(struct crl_head *head);
CLEANUP_DEFINE_STRUCT(crl_head);

/*
 * One pass over a whole CRL: strict DER (FLD-DER-STRICT), version 2, known
 * algorithm, nextUpdate and CRL number there, entries as RFC 5280 has them and
 * without certificateIssuer, nothing behind.  CA_R_INPUT names what is wrong;
 * `name` is the CRL's in messages.
 */
int crl_head_read(const char *name, const struct der_source *source,
    struct crl_head *ret_head) MUST_USE;

/* CA_R_VERIFY where the key did not sign it. */
int crl_head_verify(const struct crl_head *head, const unsigned char *spki,
    size_t spki_len) MUST_USE;

/*
 * Its entries, ascending by serial; the source must outlive it.  They are read
 * as they stand, in flat memory, where they ascend (head->ascending), and kept
 * and sorted where they do not.
 */
struct crl_cursor {
	struct der_stream stream;
	struct crl_kept *kept; /* NULL: as they stand */
	size_t count, next;
};
int crl_cursor_open(const struct der_source *source,
    const struct crl_head *head, struct crl_cursor *ret_cursor) MUST_USE;
void crl_cursor_clear(struct crl_cursor *cursor);
CLEANUP_DEFINE_STRUCT(crl_cursor);

/*
 * The next entry, whose serial is good until the next call; *ret_there is false
 * behind the last.  A reason that may not be is as it is.
 */
int crl_cursor_next(struct crl_cursor *cursor, struct crl_entry *ret_entry,
    bool *ret_there) MUST_USE;

#endif
